//! Pages that only tell something.

use super::{Language, Page, Text, card};

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// No such link.
    NotFound,
    /// Its time is over, or it was opened often enough.
    Expired,
    /// Taken down.
    Banned,
    /// No store answered.
    Unavailable,
}

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
        card(language, language.pick(title), &format!("<p>{}</p>", language.pick(text)))
    }
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
    fn notices_load_nothing_from_elsewhere() {
        for notice in [Notice::NotFound, Notice::Expired, Notice::Banned, Notice::Unavailable] {
            let page = notice.page("");
            for word in ["http:", "https:", "src=", "<link", "<script", "url("] {
                assert!(!page.html.contains(word), "{notice:?} {word}");
            }
            assert!(page.policy.starts_with("default-src 'none'; style-src 'sha256-"));
        }
    }
}
