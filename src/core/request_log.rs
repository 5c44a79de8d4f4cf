//! One line of the log per request, and the id that names it in log and answer.
//!
//! What a line may say is decided here: the method, the path as far as it is ours, ids that we made, status and time.
//! Never a query, a header, a body, an address, or what somebody else wrote into a path.

use serde_json::{Value, json};

/// The longest id of a request that is taken over from the platform.
const MAX_RAY: usize = 40;
/// What our ids begin with.
const PREFIXES: [&str; 10] = ["ws_", "link_", "cus_", "dom_", "tag_", "fold_", "tok_", "utm_", "wh_", "evt_"];
/// An id of ours is a prefix and so many letters and digits.
const ID_LENGTH: usize = 26;

/// The id of a request: the platform's, by which its own log knows the request, else one made of `random`.
#[must_use]
pub fn request_id(ray: Option<&str>, random: [u8; 10]) -> String {
    let is_plain = |ray: &&str| {
        (8..=MAX_RAY).contains(&ray.len()) && ray.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match ray.filter(is_plain) {
        Some(ray) => ray.to_owned(),
        None => format!("req_{}", crate::core::ids::hex(&random)),
    }
}

/// The path with `{}` for everything that is not a word of ours, and the ids of ours in it.
#[must_use]
pub fn route(path: &str) -> (String, Vec<&str>) {
    let mut ids = Vec::new();
    let mut route = String::new();
    for (index, segment) in path.split('/').skip(1).take(8).enumerate() {
        route.push('/');
        // The first word is the table of contents' own; the second names a resource.
        let is_word = segment.len() <= 20
            && segment.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || (index == 0 && b == b'_'));
        if is_word {
            route.push_str(segment);
        } else {
            route.push_str("{}");
            if is_our_id(segment) {
                ids.push(segment);
            }
        }
    }
    (route, ids)
}

fn is_our_id(segment: &str) -> bool {
    PREFIXES.iter().filter_map(|prefix| segment.strip_prefix(prefix)).any(|rest| {
        rest.len() <= ID_LENGTH && rest.len() > 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// The line.
#[must_use]
pub fn line(request_id: &str, method: &str, path: &str, status: u16, millis: i64) -> Value {
    let (route, ids) = route(path);
    json!({"request": request_id, "method": method, "route": route, "ids": ids, "status": status, "ms": millis})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_requests() {
        for (ray, taken) in [
            (Some("8f2b3c4d5e6f7a8b-CDG"), true),
            (Some("short"), false),
            (Some("8f2b3c4d5e6f\n{\"forged\":1}"), false),
            (Some("8f2b3c4d 5e6f7a8b"), false),
            (None, false),
        ] {
            let id = request_id(ray, [7; 10]);
            assert_eq!(id.as_str() == ray.unwrap_or_default(), taken, "{ray:?}");
            assert_eq!(id.starts_with("req_"), !taken, "{id}");
        }
        assert!(request_id(Some(&"a".repeat(41)), [7; 10]).starts_with("req_"));
    }

    #[test]
    fn a_line_says_nothing_of_anybodys() {
        for (path, expected, ids) in [
            ("/api/links", "/api/links", vec![]),
            (
                "/api/links/link_1M83EEASY0JQ4PYXRKPXHBWGY",
                "/api/links/{}",
                vec!["link_1M83EEASY0JQ4PYXRKPXHBWGY"],
            ),
            (
                "/stripe/webhook/ws_1M83EE4G1H14PF938QNWYZCW7",
                "/stripe/webhook/{}",
                vec!["ws_1M83EE4G1H14PF938QNWYZCW7"],
            ),
            ("/api/customers/ext_ada@example.com", "/api/customers/{}", vec![]),
            ("/api/customers/ada%40example.com/activity", "/api/customers/{}/activity", vec![]),
            ("/api/sales/pi_3Oxyz", "/api/sales/{}", vec![]),
            ("/api/tokens/tok_with spaces and more", "/api/tokens/{}", vec![]),
            ("/api/domains/go.acme.com", "/api/domains/{}", vec![]),
            ("/_pimms/health", "/_pimms/health", vec![]),
            ("/api/a/b/c/d/e/f/g/h/i", "/api/a/b/c/d/e/f/g", vec![]),
            ("/", "/", vec![]),
        ] {
            assert_eq!(route(path), (expected.to_owned(), ids), "{path}");
        }
        let line = line("req_1", "GET", "/api/links/x%0A{\"a\":1}", 404, 3).to_string();
        assert_eq!(
            line,
            r#"{"ids":[],"method":"GET","ms":3,"request":"req_1","route":"/api/links/{}","status":404}"#
        );
    }
}
