//! Static files that are served beside the API: the dashboard, the browser script, the API's reference.
//!
//! They are made into `build/assets` by `pimms build`, uploaded with the Worker, and never part of the wasm.

/// What scripts, styles and frames a page of ours may use: its own, and none inline.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data: https:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A static file, and how it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its path below `build/assets`, with a leading slash.
    pub file: String,
    /// `Cache-Control`.
    pub cache: &'static str,
    /// `Content-Security-Policy`, for pages.
    pub policy: Option<&'static str>,
    /// Whether pages of other sites may read it.
    pub is_public: bool,
}

/// The static file behind a path; `None`: the path is no file's.
///
/// `on_api_host`: the API is served without `/api` there. `/app/…` without an extension is a view of the dashboard,
/// which is one page.
#[must_use]
pub fn of_path(path: &str, on_api_host: bool) -> Option<Asset> {
    if path.contains("..") || path.contains('%') || path.contains("//") {
        return None;
    }
    if let Some(name) = path.strip_prefix("/analytics/") {
        let is_script = name.starts_with("script") && extension(name) == Some("js") && !name.contains('/');
        return is_script.then(|| shared(path.to_owned()));
    }
    // On a merchant's own site, where nothing but this path is ours.
    if let Some(name) = path.strip_prefix("/_pimms/") {
        return of_path(&format!("/analytics/{name}"), false);
    }
    if path == "/app" || path.starts_with("/app/") {
        let last = path.rsplit('/').next().unwrap_or_default();
        return Some(if extension(last).is_some_and(|extension| extension != "html") {
            let cache = if path.starts_with("/app/assets/") {
                "public, max-age=31536000, immutable"
            } else {
                "public, max-age=300"
            };
            Asset { file: path.to_owned(), cache, policy: None, is_public: false }
        } else {
            page("/app/index.html")
        });
    }
    let path = if on_api_host { path } else { path.strip_prefix("/api")? };
    match path {
        "/openapi.json" => Some(shared("/api/openapi.json".to_owned())),
        // Source: wire contract 1.1.
        "/" if on_api_host => Some(shared("/api/openapi.json".to_owned())),
        "/docs" => Some(page("/api/docs.html")),
        "/docs.css" => Some(shared("/api/docs.css".to_owned())),
        _ => None,
    }
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// A page: always asked for anew, because it names the files that go with it.
fn page(file: &str) -> Asset {
    Asset { file: file.to_owned(), cache: "no-cache", policy: Some(PAGE_POLICY), is_public: false }
}

/// A file that other sites embed under a name that never changes.
const fn shared(file: String) -> Asset {
    Asset { file, cache: "public, max-age=300, stale-while-revalidate=86400", policy: None, is_public: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_files() {
        for (path, on_api_host, file) in [
            ("/app", false, Some("/app/index.html")),
            ("/app/", false, Some("/app/index.html")),
            ("/app/links/new", false, Some("/app/index.html")),
            ("/app/index.html", false, Some("/app/index.html")),
            ("/app/assets/a-1.js", false, Some("/app/assets/a-1.js")),
            ("/app/icon.svg", false, Some("/app/icon.svg")),
            ("/apps", false, None),
            ("/app/../api/docs.html", false, None),
            ("/app/%2e%2e/x", false, None),
            ("/app//evil.js", false, None),
            ("/analytics/script.js", false, Some("/analytics/script.js")),
            ("/analytics/script.outbound-domains.js", false, Some("/analytics/script.outbound-domains.js")),
            ("/_pimms/script.js", false, Some("/analytics/script.js")),
            ("/_pimms/script.detection.js", true, Some("/analytics/script.detection.js")),
            ("/_pimms/health", false, None),
            ("/_pimms/app", false, None),
            ("/analytics/other.js", false, None),
            ("/analytics/script/x.js", false, None),
            ("/analytics", false, None),
            ("/api/openapi.json", false, Some("/api/openapi.json")),
            ("/api/docs", false, Some("/api/docs.html")),
            ("/api/docs.css", false, Some("/api/docs.css")),
            ("/api/links", false, None),
            ("/openapi.json", false, None),
            ("/openapi.json", true, Some("/api/openapi.json")),
            ("/docs", true, Some("/api/docs.html")),
            ("/", true, Some("/api/openapi.json")),
            ("/", false, None),
        ] {
            assert_eq!(of_path(path, on_api_host).map(|asset| asset.file).as_deref(), file, "{path}");
        }
    }

    #[test]
    fn a_page_has_a_policy_and_a_hashed_file_lasts() {
        let cache = |path| of_path(path, false).map(|asset| (asset.cache, asset.policy.is_some()));
        assert_eq!(cache("/app"), Some(("no-cache", true)));
        assert_eq!(cache("/app/assets/x.css"), Some(("public, max-age=31536000, immutable", false)));
        assert!(!PAGE_POLICY.contains("unsafe"));
    }
}
