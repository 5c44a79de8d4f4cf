//! Static files over HTTP: served by the Worker, cached by their kind, never instead of a short link.

use crate::shared;

#[test]
fn files_are_served_with_their_headers_and_revalidated() {
    let instance = shared();
    let answer = instance.client().get("/app/icon.svg").send().unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("<svg"), "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("image/svg+xml"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let etag = answer.header("etag").unwrap().to_owned();
    let again = instance.client().get("/app/icon.svg").header("if-none-match", &etag).send().unwrap();
    assert_eq!((again.status, again.text().len()), (304, 0));
}

#[test]
fn what_is_no_file_is_not_found() {
    let client = shared().client();
    for path in ["/app/nothing.js", "/app/../migrations/0001_init.sql", "/analytics/scripts/x.js"] {
        assert_eq!(client.get(path).send().unwrap().status, 404, "{path}");
    }
}
