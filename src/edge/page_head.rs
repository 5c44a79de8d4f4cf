//! Fetching the head of somebody's page.

use worker::{
    AbortSignal, Env, Fetch, Headers, Request, RequestInit, RequestRedirect, Response, Url, web_sys,
};

use crate::core::frames;
use crate::core::metatags::{self, MAX_BYTES, Meta};
use crate::edge::{body, settings};

/// How long the whole of it may take.
const TIMEOUT_MS: u32 = 5_000;
/// How many times the page may have moved; each address is checked anew.
const MAX_HOPS: usize = 3;

/// Why a page was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Its address, or one that it moved to, is none that anybody on the internet could ask.
    NotPublic,
    /// Nobody answered, or not in time.
    Unreachable,
    /// It moved more often than is followed.
    Moving,
    /// It answered with another status than 200.
    Status(u16),
    /// It is no HTML.
    NotHtml,
}

/// What the page at `address` says of itself; nothing when it may not be asked, or does not answer in time.
pub(crate) async fn read(env: &Env, address: &str) -> Option<Meta> {
    let (url, html) = html(env, address, MAX_BYTES).await.ok()?;
    Some(metatags::read(&html, &url))
}

/// The beginning of the page at `address`, and where it is in the end.
pub(crate) async fn html(env: &Env, address: &str, limit: usize) -> Result<(Url, String), Unread> {
    let (url, mut response) = fetch(env, address).await?;
    let kind = response.headers().get("content-type").ok().flatten().unwrap_or_default();
    if response.status_code() != 200 {
        return Err(Unread::Status(response.status_code()));
    }
    if !kind.to_ascii_lowercase().contains("html") {
        return Err(Unread::NotHtml);
    }
    let html = body::beginning(&mut response, limit).await.map_err(|_| Unread::Unreachable)?;
    Ok((url, html))
}

/// What is at `address`, at most `limit` bytes of it and one more.
pub(crate) async fn file(env: &Env, address: &str, limit: usize) -> Result<Vec<u8>, Unread> {
    let (_, mut response) = fetch(env, address).await?;
    if response.status_code() != 200 {
        return Err(Unread::Status(response.status_code()));
    }
    body::bytes(&mut response, limit.saturating_add(1)).await.map_err(|_| Unread::Unreachable)
}

/// Whether the page at `address` may be shown in a frame of `domain`; no, when it cannot be asked.
pub(crate) async fn may_be_framed(env: &Env, address: &str, domain: &str) -> bool {
    let Ok((url, response)) = fetch(env, address).await else { return false };
    let header = |name: &str| response.headers().get(name).ok().flatten().unwrap_or_default();
    let (options, policies) = (header("x-frame-options"), header("content-security-policy"));
    response.status_code() < 400
        && frames::may_frame(&options, &policies, url.host_str().unwrap_or_default(), domain)
}

/// Where the page is in the end, and its answer.
async fn fetch(env: &Env, address: &str) -> Result<(Url, Response), Unread> {
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    let mut url = allowed(env, address).ok_or(Unread::NotPublic)?;
    for _ in 0..=MAX_HOPS {
        let response = get(&url, &signal).await.map_err(|_| Unread::Unreachable)?;
        let location = response.headers().get("location").ok().flatten();
        match location.filter(|_| (300..400).contains(&response.status_code())) {
            Some(location) => {
                let next = url.join(&location).ok().and_then(|next| allowed(env, next.as_str()));
                url = next.ok_or(Unread::NotPublic)?;
            }
            None => return Ok((url, response)),
        }
    }
    Err(Unread::Moving)
}

/// Public addresses; in the local runtime also the one `host:port` of `LOCAL_PAGES`, where a test serves pages.
fn allowed(env: &Env, address: &str) -> Option<Url> {
    let test_pages = || {
        let pages = settings::optional(env, "LOCAL_PAGES").filter(|_| settings::is_local(env))?;
        address.strip_prefix(&format!("http://{pages}/"))?;
        Url::parse(address).ok()
    };
    metatags::public(address).or_else(test_pages)
}

async fn get(url: &Url, signal: &AbortSignal) -> worker::Result<Response> {
    let headers = Headers::new();
    headers.set("accept", "text/html, image/png;q=0.9")?;
    headers.set("user-agent", "pimms-edge (link preview)")?;
    let mut init = RequestInit::new();
    init.with_headers(headers).with_redirect(RequestRedirect::Manual);
    Fetch::Request(Request::new_with_init(url.as_str(), &init)?).send_with_signal(signal).await
}
