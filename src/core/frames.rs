//! Whether a page lets itself be shown in a frame of a short-link domain.
//!
//! Sources: RFC 7034 (`X-Frame-Options`), CSP 3 (`frame-ancestors`, which overrules it).

/// Whether `page_host`'s answer with these headers may be framed by `https://{domain}`.
///
/// Of several policies, in one header or more, each must allow it.
#[must_use]
pub fn may_frame(frame_options: &str, policies: &str, page_host: &str, domain: &str) -> bool {
    let ancestors: Vec<&str> = policies.split([',', ';']).filter_map(frame_ancestors).collect();
    if ancestors.is_empty() {
        let option = |name: &str| frame_options.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
        return !option("deny") && (!option("sameorigin") || page_host.eq_ignore_ascii_case(domain));
    }
    ancestors.iter().all(|sources| sources.split_whitespace().any(|source| allows(source, page_host, domain)))
}

fn frame_ancestors(directive: &str) -> Option<&str> {
    const NAME: &str = "frame-ancestors";
    let (name, sources) = directive.trim().split_at_checked(NAME.len())?;
    let ends = sources.chars().next().is_none_or(char::is_whitespace);
    (name.eq_ignore_ascii_case(NAME) && ends).then_some(sources)
}

/// `*`, `https:`, `'self'`, `acme.com`, `*.acme.com`, `https://acme.com`, with a port or not.
fn allows(source: &str, page_host: &str, domain: &str) -> bool {
    let source = source.to_ascii_lowercase();
    match source.as_str() {
        "*" | "https:" => return true,
        "'self'" => return page_host.eq_ignore_ascii_case(domain),
        _ => {}
    }
    let host = source.strip_prefix("https://").unwrap_or(&source);
    let host = host.strip_suffix('/').unwrap_or(host);
    let host = host.strip_suffix(":443").or_else(|| host.strip_suffix(":*")).unwrap_or(host);
    let domain = domain.to_ascii_lowercase();
    match host.strip_prefix("*.") {
        Some(parent) => domain.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => host == domain,
    }
}

#[cfg(test)]
mod tests {
    use super::may_frame;

    #[test]
    fn headers_decide() {
        for (options, policies, expected) in [
            ("", "", true),
            ("DENY", "", false),
            ("SameOrigin", "", false),
            ("sameorigin, sameorigin", "", false),
            ("ALLOW-FROM https://a.co", "", true),
            ("DENY", "frame-ancestors *", true),
            ("", "default-src 'self'; frame-ancestors 'none'", false),
            ("", "frame-ancestors", false),
            ("", "frame-ancestors-x 'none'", true),
            ("", "frame-ancestors 'self'", false),
            ("", "FRAME-ANCESTORS 'self' https://go.acme.com", true),
            ("", "frame-ancestors go.acme.com:443", true),
            ("", "frame-ancestors go.acme.com:8443", false),
            ("", "frame-ancestors *.acme.com", true),
            ("", "frame-ancestors *.go.acme.com", false),
            ("", "frame-ancestors *.me.com", false),
            ("", "frame-ancestors https:", true),
            ("", "frame-ancestors http:", false),
            ("", "frame-ancestors http://go.acme.com", false),
            ("", "frame-ancestors *, frame-ancestors 'none'", false),
            ("", "default-src 'none'", true),
        ] {
            assert_eq!(
                may_frame(options, policies, "shop.example", "go.acme.com"),
                expected,
                "{options} | {policies}"
            );
        }
        assert!(may_frame("SAMEORIGIN", "", "go.acme.com", "go.acme.com"));
        assert!(may_frame("", "frame-ancestors 'self'", "Go.acme.com", "go.acme.com"));
    }
}
