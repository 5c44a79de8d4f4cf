//! Which methods a path of the API knows: what a 405 says in `Allow` (RFC 9110, 15.5.6).
//!
//! The routes themselves are the `match` of `http/api.rs`; `tests/openapi.rs` holds this table against it.

/// In the order in which `Allow` names them.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Paths without their first `/`, and their methods. `*` is any one segment.
const ROUTES: [(&str, &str); 70] = [
    ("links", "GET POST"),
    ("links/export", "GET"),
    ("links/count", "GET"),
    ("links/info", "GET"),
    ("links/random", "GET"),
    ("links/exists", "GET"),
    ("links/upsert", "PUT"),
    ("links/bulk", "POST PATCH DELETE"),
    ("links/metatags", "GET"),
    ("links/iframeable", "GET"),
    ("links/*", "GET PATCH PUT DELETE"),
    ("links/*/transfer", "POST"),
    ("links/*/dashboard", "GET"),
    ("share/*", "GET"),
    ("share/*/analytics", "GET"),
    ("metatags", "GET OPTIONS"),
    ("qr", "GET OPTIONS"),
    ("fx-rates", "GET PUT"),
    ("session", "GET POST DELETE"),
    ("session/all", "DELETE"),
    ("session/access", "GET"),
    ("session/link", "POST"),
    ("tokens", "GET POST"),
    ("tokens/*", "GET PATCH DELETE"),
    ("workspaces", "GET"),
    ("workspaces/*", "GET PATCH"),
    ("webhooks", "GET POST"),
    ("webhooks/*", "GET PATCH DELETE"),
    ("webhooks/*/enable", "POST"),
    ("webhooks/*/rotate-secret", "POST"),
    ("webhooks/*/test", "POST"),
    ("webhooks/*/events", "GET"),
    ("webhooks/*/events/*/redeliver", "POST"),
    ("tags", "GET POST"),
    ("tags/count", "GET"),
    ("tags/*", "PATCH PUT DELETE"),
    ("folders", "GET POST"),
    ("folders/count", "GET"),
    ("folders/*", "GET PATCH DELETE"),
    ("utm-templates", "GET POST"),
    ("utm-templates/*", "GET PATCH PUT DELETE"),
    ("domains", "GET POST"),
    ("domains/count", "GET"),
    ("domains/*", "GET PATCH DELETE"),
    ("domains/*/transfer", "POST"),
    ("domains/*/primary", "POST"),
    ("domains/*/verify", "GET"),
    ("stripe", "GET PUT"),
    ("stripe/events", "GET"),
    ("track/lead", "POST"),
    ("track/sale", "POST"),
    ("track/*/client", "POST"),
    ("ledger/totals", "GET"),
    ("ledger/entries", "GET"),
    ("ledger/rebuild", "POST"),
    ("parked", "GET"),
    ("script/check", "GET"),
    ("customers", "GET POST"),
    ("customers/export", "GET"),
    ("customers/count", "GET"),
    ("customers/*", "GET PATCH PUT DELETE"),
    ("customers/*/activity", "GET"),
    ("customers/*/click-history", "GET"),
    ("customers/*/export", "GET"),
    ("sales/*", "GET"),
    ("events", "GET"),
    ("events/export", "GET"),
    ("analytics", "GET"),
    ("analytics/*", "GET"),
    ("analytics/*/*", "GET"),
];

/// What `Allow` says of a path, given by its segments: `GET, POST`. `None`: there is no such path.
#[must_use]
pub fn allowed(segments: &[&str]) -> Option<String> {
    let is_it = |pattern: &str| {
        let parts = pattern.split('/');
        parts.clone().count() == segments.len()
            && parts.zip(segments).all(|(part, segment)| part == "*" || part == *segment)
    };
    let found = || ROUTES.iter().filter(|(pattern, _)| is_it(pattern));
    found().next()?;
    let known = METHODS.iter().copied().filter(|method| {
        let mut methods = found().flat_map(|(_, methods)| methods.split(' '));
        methods.any(|one| one == *method)
    });
    Some(known.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_route_of_a_path_knows_is_named_in_one_order() {
        for (path, expected) in [
            ("links", Some("GET, POST")),
            // `count` may be the id of a link, too.
            ("links/count", Some("GET, PUT, PATCH, DELETE")),
            ("links/bulk", Some("GET, POST, PUT, PATCH, DELETE")),
            ("webhooks/a/events/b/redeliver", Some("POST")),
            ("qr", Some("GET, OPTIONS")),
            ("links/a/b/c", None),
            ("nothing", None),
            ("*", None),
            ("", None),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            assert_eq!(allowed(&segments).as_deref(), expected, "{path}");
        }
        assert_eq!(allowed(&[]), None);
    }
}
