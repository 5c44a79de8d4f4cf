//! Visitors who need more than a redirect: those inside an app's own browser.
//!
//! Such a browser keeps its cookies to itself, so a purchase made later in the real one would belong to nobody.
//! Source: wire contract 2.4 rows 18–20 and 2.9. App-by-app addresses (its Appendix A) are not served.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::core::bots;
use crate::core::final_url::Target;
use crate::core::public_suffix;
use crate::core::user_agent;
use crate::core::visit::RequestFacts;

/// As JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Browsers that an app would hand the visitor over to.
const NATIVE: [&str; 10] =
    ["chrome", "safari", "firefox", "edge", "opera", "samsung", "brave", "yandex", "ucbrowser", "duckduckgo"];

/// Sites whose own app opens when the short link itself is opened again outside.
const UNIVERSAL: [&str; 4] = ["vinted", "substack", "twitter", "x"];

/// How a visitor leaves an app's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOff {
    /// By an address of the device's browser, with the web address to fall back on.
    Direct(String),
    /// The same with the short link itself; `None`: the visitor has been through it.
    Universal(Option<String>),
}

/// How this visitor must be handed on; `None`: an ordinary redirect does.
///
/// `address`: the final URL; `short_link`: the link itself, without query.
#[must_use]
pub fn needed(target: &Target, address: &str, short_link: &str, facts: &RequestFacts<'_>) -> Option<HandOff> {
    if target.is_app() || is_regular(facts) {
        return None;
    }
    let client = user_agent::read(facts.user_agent);
    if !matches!(client.device, "Mobile" | "Tablet") {
        return None;
    }
    if !is_universal(target) {
        return Some(HandOff::Direct(outside(client.os, address)));
    }
    if facts.parameter("universal").is_some() {
        return Some(HandOff::Universal(None));
    }
    let is_safari = client.browser.to_ascii_lowercase().contains("safari");
    let wrapped = if is_safari { address.to_owned() } else { format!("{short_link}?universal=true") };
    Some(HandOff::Universal(Some(outside(client.os, &wrapped))))
}

/// Whether an ordinary redirect does for this browser wherever it leads: what can be said without reading the whole user
/// agent.
#[must_use]
pub fn is_regular(facts: &RequestFacts<'_>) -> bool {
    let ua = facts.user_agent;
    let may_be_mobile =
        ["Mobile", "Mobi", "iPhone", "iPad", "iPod", "Tablet"].iter().any(|word| ua.contains(word));
    !may_be_mobile
        || is_android_with_version(ua)
        || (is_native(ua) && !facts.referer.contains("t.co"))
        || bots::is_preview(ua)
}

fn is_android_with_version(ua: &str) -> bool {
    ua.find("Android ")
        .and_then(|at| ua.as_bytes().get(at + "Android ".len()))
        .is_some_and(u8::is_ascii_digit)
}

fn is_native(ua: &str) -> bool {
    let lower = ua.to_ascii_lowercase();
    let in_view = ua.contains("WebView")
        || ua.find("Android").is_some_and(|at| ua.get(at..).is_some_and(|rest| rest.contains("wv")));
    !in_view && NATIVE.iter().any(|name| lower.contains(name))
}

fn is_universal(target: &Target) -> bool {
    let host = target.host().unwrap_or_default();
    let site = public_suffix::registrable(host).unwrap_or(host);
    let name = site.split_once('.').map_or(site, |(name, _)| name);
    // `x` is only x.com; the others have a site in many countries.
    UNIVERSAL.contains(&name) && (name != "x" || site == "x.com")
}

/// The address that opens `address` outside the app.
fn outside(os: &str, address: &str) -> String {
    let bare =
        address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or(address);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    match os {
        "iOS" => format!("x-safari-{address}"),
        "Android" => {
            let bare = bare.split_once('#').map_or(bare, |(bare, _)| bare);
            let fallback = utf8_percent_encode(address, COMPONENT);
            format!(
                "intent://{bare}#Intent;scheme=https;package=com.android.chrome;S.browser_fallback_url={fallback};end"
            )
        }
        _ => format!("googlechrome://{bare}"),
    }
}

/// An app's address with its query written so that apps understand it: spaces as `%20`, never as `+`.
///
/// Source: wire contract 2.9, deep-link page.
#[must_use]
pub fn app_address(target: &Target) -> String {
    let text = target.as_str();
    let Some((before, query)) = text.split_once('?') else { return text.to_owned() };
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, rest)| (query, Some(rest)));
    let mut address = format!("{before}?");
    for (index, (name, value)) in url::form_urlencoded::parse(query.as_bytes()).enumerate() {
        if index > 0 {
            address.push('&');
        }
        address.extend(utf8_percent_encode(&name, COMPONENT));
        address.push('=');
        address.extend(utf8_percent_encode(&value, COMPONENT));
    }
    if let Some(fragment) = fragment {
        address.push('#');
        address.push_str(fragment);
    }
    address
}

/// The publication of a Substack address under the host that its app opens.
///
/// `https://ada.substack.com/p/x?y` → `https://open.substack.com/pub/ada/p/x?y`; `None`: leave it as it is.
#[must_use]
pub fn substack(target: &Target) -> Option<Target> {
    let user = target.host()?.strip_suffix(".substack.com")?;
    let (_, rest) = target.as_str().split_once(".substack.com")?;
    let path_end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, tail) = rest.split_at_checked(path_end)?;
    if user == "open"
        || user.contains('.')
        || user == "www"
        || !path.starts_with('/')
        || path.contains("/subscribe")
    {
        return None;
    }
    let path = path.trim_end_matches('/');
    Target::parse(&format!("https://open.substack.com/pub/{user}{path}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::visit::tests::VISIT;

    const INSTAGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 329.0.0.27.99 (iPhone14,5; iOS 17_4; en_US)";
    const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1";
    const FACEBOOK_ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/459.0.0.36.109;]";
    const OLD_VIEW: &str =
        "Mozilla/5.0 (Linux; U; Android; en-us; wv) AppleWebKit/533.1 (KHTML, like Gecko) Mobile";
    const KAIOS: &str = "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 KAIOS/2.5";

    #[test]
    fn who_is_handed_on_and_how() {
        let shop = "https://www.shop.com/a?b=1";
        for (user_agent, referer, query, url, expected) in [
            (VISIT.user_agent, "", "", shop, None),
            (SAFARI, "", "", shop, None),
            (SAFARI, "https://t.co/x", "", shop, Some(HandOff::Direct(format!("x-safari-{shop}")))),
            (INSTAGRAM, "", "", shop, Some(HandOff::Direct(format!("x-safari-{shop}")))),
            (FACEBOOK_ANDROID, "", "", shop, None),
            (
                OLD_VIEW,
                "",
                "",
                shop,
                Some(HandOff::Direct(
                    "intent://shop.com/a?b=1#Intent;scheme=https;package=com.android.chrome;S.browser_fallback_url=https%3A%2F%2Fwww.shop.com%2Fa%3Fb%3D1;end"
                        .to_owned(),
                )),
            ),
            (KAIOS, "", "", shop, Some(HandOff::Direct("googlechrome://shop.com/a?b=1".to_owned()))),
            ("WhatsApp/2.23 iPhone", "", "", shop, None),
            (INSTAGRAM, "", "", "mailto:a@b.com", None),
            (
                INSTAGRAM,
                "",
                "",
                "https://x.com/ada",
                Some(HandOff::Universal(Some("x-safari-https://go.acme.com/launch?universal=true".to_owned()))),
            ),
            (INSTAGRAM, "", "universal=true", "https://x.com/ada", Some(HandOff::Universal(None))),
            (
                SAFARI,
                "https://t.co/",
                "",
                "https://www.vinted.co.uk/x",
                Some(HandOff::Universal(Some("x-safari-https://www.vinted.co.uk/x".to_owned()))),
            ),
            (INSTAGRAM, "", "", "https://x.org/", Some(HandOff::Direct("x-safari-https://x.org/".to_owned()))),
            ("", "", "", shop, None),
        ] {
            let facts = RequestFacts { query, user_agent, referer, ..VISIT };
            let target = Target::parse(url).unwrap();
            let found = needed(&target, target.as_str(), "https://go.acme.com/launch", &facts);
            assert_eq!(found, expected, "{user_agent} {url}");
        }
    }

    #[test]
    fn apps_read_spaces_as_percent_20() {
        for (url, expected) in [
            ("mailto:a@b.com?subject=a+b&body=c%20d", "mailto:a@b.com?subject=a%20b&body=c%20d"),
            ("tel:+331", "tel:+331"),
            ("tg://resolve?domain=x#y", "tg://resolve?domain=x#y"),
        ] {
            assert_eq!(app_address(&Target::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn substack_publications_open_in_the_app() {
        for (url, expected) in [
            ("https://ada.substack.com/p/x?y=1#z", Some("https://open.substack.com/pub/ada/p/x?y=1#z")),
            ("https://ada.substack.com", Some("https://open.substack.com/pub/ada")),
            ("https://ada.substack.com/subscribe", None),
            ("https://open.substack.com/pub/ada", None),
            ("https://substack.com/@ada", None),
            ("https://ada.substack.com.evil.com/p", None),
        ] {
            let found = substack(&Target::parse(url).unwrap());
            assert_eq!(found.as_ref().map(Target::as_str), expected, "{url}");
        }
    }
}
