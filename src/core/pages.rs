//! The pages a visitor sees instead of a destination.
//!
//! Plain HTML that works without scripts: light and dark, English and French, nothing loaded from anywhere.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::core::language;

/// A finished page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTML.
    pub html: String,
    /// What the page may do, for `Content-Security-Policy`.
    pub policy: String,
}

/// A text in both languages of ours: English, French.
type Text = [&'static str; 2];

/// Pages that only tell something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// No such link.
    NotFound,
    /// Its time is over.
    Expired,
    /// Taken down.
    Banned,
    /// No store answered.
    Unavailable,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--text:#16191d;--quiet:#545c66;--line:#e2e6ea;--accent:#1f5fd6;--on-accent:#fff}\
@media(prefers-color-scheme:dark){:root{--ground:#101317;--card:#191d23;--text:#eceff3;--quiet:#a5adb8;--line:#2c323a;--accent:#8ab4ff;--on-accent:#0b1220}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{width:100%;max-width:28rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem}\
h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.25;text-wrap:balance}\
p{margin:.5rem 0 0;color:var(--quiet);overflow-wrap:anywhere}\
a{color:var(--accent)}\
label{display:block;margin:1.25rem 0 .375rem;font-weight:600}\
input{width:100%;padding:.625rem .75rem;border:1px solid var(--quiet);border-radius:8px;background:var(--ground);color:inherit;font:inherit}\
button,.button{display:inline-block;margin-top:1rem;padding:.625rem 1.125rem;border:0;border-radius:8px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
.error{color:var(--text);border-left:4px solid #d64545;padding-left:.75rem}";

impl Notice {
    /// Title and explanation.
    fn texts(self) -> (Text, Text) {
        match self {
            Self::NotFound => (
                ["This link does not exist", "Ce lien n’existe pas"],
                [
                    "Check the address for a typing error, or ask whoever gave it to you.",
                    "Vérifiez l’adresse, ou demandez à la personne qui vous l’a donnée.",
                ],
            ),
            Self::Expired => (
                ["This link has expired", "Ce lien a expiré"],
                [
                    "It was only meant to work for a while. Ask whoever gave it to you for a new one.",
                    "Il n’était prévu que pour un temps. Demandez-en un nouveau à la personne qui vous l’a donné.",
                ],
            ),
            Self::Banned => (
                ["This link was taken down", "Ce lien a été retiré"],
                [
                    "It broke the rules of this service, so it leads nowhere any more.",
                    "Il enfreignait les règles de ce service et ne mène plus nulle part.",
                ],
            ),
            Self::Unavailable => (
                ["This link cannot be opened right now", "Ce lien ne peut pas être ouvert pour l’instant"],
                [
                    "The fault is ours and should pass soon. Try again in a minute.",
                    "Le problème vient de chez nous et devrait vite passer. Réessayez dans une minute.",
                ],
            ),
        }
    }

    /// The page, in the visitor's language.
    #[must_use]
    pub fn page(self, accept_language: &str) -> Page {
        let language = Language::of(accept_language);
        let (title, text) = self.texts();
        layout(language, language.of_two(title), &format!("<p>{}</p>", language.of_two(text)))
    }
}

/// English or French.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    French,
}

impl Language {
    fn of(accept_language: &str) -> Self {
        if language::prefers_french(accept_language) { Self::French } else { Self::English }
    }

    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    fn of_two(self, [english, french]: Text) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// `title` and `body` are HTML already.
fn layout(language: Language, title: &str, body: &str) -> Page {
    let code = language.code();
    let html = format!(
        "<!doctype html><html lang=\"{code}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    Page { html, policy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_speak_the_visitors_language() {
        let page = Notice::NotFound.page("fr-FR,fr;q=0.9");
        assert!(page.html.contains("lang=\"fr\"") && page.html.contains("n’existe pas"));
        let page = Notice::NotFound.page("de");
        assert!(page.html.contains("lang=\"en\"") && page.html.contains("does not exist"));
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        for notice in [Notice::NotFound, Notice::Expired, Notice::Banned, Notice::Unavailable] {
            let page = notice.page("");
            for word in ["http:", "https:", "src=", "<link", "<script", "url("] {
                assert!(!page.html.contains(word), "{notice:?} {word}");
            }
            assert!(page.policy.starts_with("default-src 'none'; style-src 'sha256-"));
        }
    }
}
