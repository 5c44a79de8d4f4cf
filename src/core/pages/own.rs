//! Pages of a link itself: its password, its destination, its preview.

use super::{Draft, Language, Page, card, escape};
use crate::core::link::LinkRecord;

/// What the password page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordState {
    /// Nothing was tried yet.
    Asked,
    /// The password was wrong.
    Wrong,
    /// Too many were wrong; none is tried now.
    TooMany,
}

/// Asks for the link's password. The form posts to the address it was shown at.
#[must_use]
pub fn password(state: PasswordState, accept_language: &str) -> Page {
    let language = Language::of(accept_language);
    let title = language.pick(["This link is protected", "Ce lien est protégé"]);
    let intro = language.pick(["Enter its password to go on.", "Saisissez son mot de passe pour continuer."]);
    let label = language.pick(["Password", "Mot de passe"]);
    let button = language.pick(["Continue", "Continuer"]);
    let error = match state {
        PasswordState::Asked => "",
        PasswordState::Wrong => language.pick([
            "That is not the password. Check it and try again.",
            "Ce n’est pas le mot de passe. Vérifiez-le et réessayez.",
        ]),
        PasswordState::TooMany => language.pick([
            "There were too many wrong passwords. Try again in 15 minutes.",
            "Trop de mots de passe erronés. Réessayez dans 15 minutes.",
        ]),
    };
    let (error, described) = if error.is_empty() {
        (String::new(), "")
    } else {
        (
            format!("<p class=\"error\" id=\"e\" role=\"alert\">{error}</p>"),
            " aria-invalid=\"true\" aria-describedby=\"e\"",
        )
    };
    let body = format!(
        "<main><h1>{title}</h1><p>{intro}</p><form method=\"post\">\
         <label for=\"p\">{label}</label>\
         <input id=\"p\" name=\"password\" type=\"password\" required autofocus autocomplete=\"off\" maxlength=\"200\"{described}>\
         {error}<button>{button}</button></form></main>"
    );
    // Browsers hold the redirects that follow a form against the policy as well.
    let policy = "form-action 'self' https: http:; ";
    Draft { language, title, head: "", body: &body, script: "", policy }.finish()
}

/// Shows where a link leads. Going there is a click on the link, whose address on its domain is `path`.
#[must_use]
pub fn inspect(link: &LinkRecord, path: &str, accept_language: &str) -> Page {
    let language = Language::of(accept_language);
    let title = language.pick(["Where this link leads", "Où mène ce lien"]);
    let button = language.pick(["Open it", "L’ouvrir"]);
    let body = format!(
        "<p>{}{path}</p><p><code>{}</code></p><a class=\"button\" rel=\"nofollow\" href=\"{path}\">{button}</a>",
        escape(&link.domain),
        escape(&link.url),
        path = escape(path)
    );
    card(language, title, &body)
}

/// A domain whose root leads nowhere yet.
#[must_use]
pub fn placeholder(domain: &str, accept_language: &str) -> Page {
    let language = Language::of(accept_language);
    let text = language.pick([
        "This domain carries short links. Add what you were given after the slash.",
        "Ce domaine porte des liens courts. Ajoutez ce qui vous a été donné après la barre oblique.",
    ]);
    card(language, &escape(domain), &format!("<p>{text}</p>"))
}

/// What programs that make previews of links are shown: the owner's own title, text and picture.
#[must_use]
pub fn preview(link: &LinkRecord, accept_language: &str) -> Page {
    let title = escape(link.title.as_deref().unwrap_or(&link.domain));
    let mut head = format!(
        "<meta property=\"og:type\" content=\"website\"><meta property=\"og:title\" content=\"{title}\">\
         <meta name=\"twitter:title\" content=\"{title}\">"
    );
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let (kind, value) = (if name.starts_with("og:") { "property" } else { "name" }, escape(value));
            head.extend(["<meta ", kind, "=\"", name, "\" content=\"", &value, "\">"]);
        }
    };
    let web = |url: &Option<String>| {
        url.clone().filter(|url| ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)))
    };
    let (image, video) = (web(&link.options.image), web(&link.options.video));
    let description = link.description.as_deref();
    add("description", description);
    add("og:description", description);
    add("twitter:description", description);
    add("og:image", image.as_deref());
    add("twitter:image", image.as_deref());
    add("og:video", video.as_deref());
    add("twitter:card", Some(if image.is_some() { "summary_large_image" } else { "summary" }));
    let body = format!("<main><h1>{title}</h1><p>{}</p></main>", escape(description.unwrap_or_default()));
    let language = Language::of(accept_language);
    Draft { language, title: &title, head: &head, body: &body, script: "", policy: "" }.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(options: &str) -> LinkRecord {
        LinkRecord::from_text(&format!(
            r#"{{"v":1,"i":"link_1","w":"ws_1","d":"a.com","k":"x","u":"https://b.com/?a=1&b=\"><script>","n":"<b>T</b>","s":"D\"x","o":{options}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn texts_of_owners_are_text() {
        let page = inspect(&link("{}"), "/x\"><b>", "en");
        assert!(page.html.contains("a.com/x&quot;&gt;&lt;b&gt;</p>"), "{}", page.html);
        assert!(page.html.contains("https://b.com/?a=1&amp;b=&quot;&gt;&lt;script&gt;"), "{}", page.html);
        assert!(!page.html.contains("<script"));
        let page =
            preview(&link(r#"{"image":"https://i.com/a.png?x=\"y","video":"javascript:alert(1)"}"#), "en");
        assert!(page.html.contains("content=\"&lt;b&gt;T&lt;/b&gt;\""));
        assert!(page.html.contains("content=\"D&quot;x\""));
        assert!(page.html.contains("og:image\" content=\"https://i.com/a.png?x=&quot;y\""));
        assert!(!page.html.contains("javascript:"));
    }

    #[test]
    fn the_password_form_tells_what_was_wrong() {
        for (state, words) in [
            (PasswordState::Asked, ["Enter its password", "Saisissez"]),
            (PasswordState::Wrong, ["not the password", "pas le mot de passe"]),
            (PasswordState::TooMany, ["too many", "Trop de"]),
        ] {
            assert!(password(state, "en").html.contains(words[0]), "{state:?}");
            assert!(password(state, "fr").html.contains(words[1]), "{state:?}");
        }
        assert!(!password(PasswordState::Asked, "en").html.contains("role=\"alert\""));
    }
}
