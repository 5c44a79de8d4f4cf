//! Whether a host name leads to this Worker.

use worker::{AbortSignal, Fetch, Request, RequestInit, RequestRedirect, Url, web_sys};

/// How long the host may take.
const TIMEOUT_MS: u32 = 3_000;

/// Asks the host for our health page. Nothing of the answer is shown to anybody but yes or no.
pub(crate) async fn arrives_here(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("https://{host}/_pimms/health")) else { return false };
    // A redirect is no arrival, and whoever owns the name could send us anywhere with one.
    let mut init = RequestInit::new();
    init.with_redirect(RequestRedirect::Manual);
    let Ok(request) = Request::new_with_init(url.as_str(), &init) else { return false };
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    match Fetch::Request(request).send_with_signal(&signal).await {
        Ok(mut response) if response.status_code() == 200 => {
            response.text().await.is_ok_and(|text| text == r#"{"status":"ok"}"#)
        }
        _ => false,
    }
}
