//! Pages that hand a visitor on where a redirect would not do: to an app, out of an app, into a frame.
//!
//! Source: wire contract 2.9. Each works without scripts: there is always a link to follow.

use super::{Draft, Language, Page, escape};
use crate::core::final_url::Target;

/// Goes on to the web address when the app did not open. The address is the link's own, so the text of this
/// script never changes and its hash can stand in the policy.
const FALLBACK: &str = "setTimeout(function(){location.replace(document.getElementById('go').href)},500)";

/// Opens the app of a `mailto:`, `tel:` … address.
#[must_use]
pub fn deep_link(address: &str, accept_language: &str) -> Page {
    hand_off(address, address, "", accept_language)
}

/// Leaves an app's built-in browser for the device's own; goes on in place when that does not work.
#[must_use]
pub fn direct_link(app_address: &str, web_address: &str, accept_language: &str) -> Page {
    hand_off(app_address, web_address, FALLBACK, accept_language)
}

/// As [`direct_link`]; a visitor who has been through it once goes on at once.
#[must_use]
pub fn universal_link(app_address: Option<&str>, web_address: &str, accept_language: &str) -> Page {
    match app_address {
        Some(app_address) => hand_off(app_address, web_address, FALLBACK, accept_language),
        None => hand_off(web_address, web_address, "", accept_language),
    }
}

fn hand_off(first: &str, then: &str, script: &str, accept_language: &str) -> Page {
    let language = Language::of(accept_language);
    let title = language.pick(["Opening the link…", "Ouverture du lien…"]);
    let text = language.pick(["If nothing happens, go on yourself.", "Si rien ne se passe, continuez ici."]);
    let button = language.pick(["Continue", "Continuer"]);
    let head = format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", escape(first));
    let body = format!(
        "<main><h1>{title}</h1><p>{text}</p><a class=\"button\" id=\"go\" href=\"{}\">{button}</a></main>",
        escape(then)
    );
    Draft { language, title, head: &head, body: &body, script, policy: "form-action 'none'; " }.finish()
}

/// Cloaking: the destination in a frame that fills the page.
#[must_use]
pub fn frame(address: &str, target: &Target, title: Option<&str>, accept_language: &str) -> Page {
    let title = escape(title.or(target.host()).unwrap_or_default());
    let body = format!(
        "<iframe src=\"{}\" title=\"{title}\" allow=\"fullscreen; payment; clipboard-write\"></iframe>",
        escape(address)
    );
    let language = Language::of(accept_language);
    // The destination may redirect within the frame, wherever its owner likes.
    Draft { language, title: &title, head: "", body: &body, script: "", policy: "frame-src https: http:; " }
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_cannot_leave_their_attribute() {
        let evil = "https://a.com/?\"><script>alert(1)</script>";
        let target = Target::parse("https://a.com/").unwrap();
        for page in [
            deep_link(evil, "en"),
            direct_link(evil, evil, "en"),
            universal_link(None, evil, "en"),
            frame(evil, &target, Some(evil), "en"),
        ] {
            assert!(!page.html.contains("<script>alert"), "{}", page.html);
        }
    }

    #[test]
    fn only_the_known_script_may_run() {
        let page = direct_link("x-safari-https://a.com/", "https://a.com/", "en");
        assert!(page.policy.contains("script-src 'sha256-"));
        assert!(!deep_link("tel:1", "en").policy.contains("script-src"));
    }
}
