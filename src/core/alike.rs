//! What a plain link answers everybody alike, but for ids and dates.
//!
//! A decision runs through hundreds of functions once each, and between two requests the runtime has thrown all of them
//! out of the processor's caches. But few links have a rule that looks at the visitor, so the next answer to the same
//! address differs from the one before in the click id, the visitor's id and the dates of cookies, and in nothing else.
//! [`redirect::decide`](crate::core::redirect::decide) makes the first; the next is written by what was learned from it.
//! Nothing is decided here, and `tests/redirect_properties.rs` holds the one against the other.

use crate::core::click::Draft;
use crate::core::hand_off;
use crate::core::link::LinkRecord;
use crate::core::quick;
use crate::core::redirect::Outcome;
use crate::core::time::Millis;
use crate::core::visit::RequestFacts;
use crate::core::visitor::Visitor;

/// Longer queries are those of one visitor, as advertisers add them: their answer is of no use to the next.
const MAX_QUERY: usize = 64;

/// How the date of a cookie is announced, and what follows it.
const DATE: &str = "; Expires=";
const SECONDS: &str = "; Max-Age=";

/// The answer to one address, given to a visitor who held no click of the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    pieces: Vec<Piece>,
    /// Where the visitor was sent, as it is recorded.
    url: String,
    /// Whether it is for visitors who bring their id.
    is_known: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    ClickId,
    VisitorId,
    /// So many seconds from now.
    Date(i64),
}

impl Alike {
    /// What can be learned from the answer that was just made of this link and this request. `None`: nothing.
    #[must_use]
    pub fn learn(link: &LinkRecord, facts: &RequestFacts<'_>, outcome: &Outcome) -> Option<Self> {
        let draft = outcome.visit.as_ref()?;
        if !is_plain(link) || !is_shared(facts) || !hand_off::is_regular(facts) {
            return None;
        }
        let lines = quick::answer(outcome)?;
        let pieces = pieces(&lines, draft)?;
        Some(Self { pieces, url: draft.url.clone(), is_known: draft.is_known })
    }

    /// The answer to the same address for another visitor, as [`quick::answer`] writes it, and the visit to be recorded.
    /// `None`: this visitor may get another one.
    #[must_use]
    pub fn answer(
        &self,
        link: &LinkRecord,
        facts: &RequestFacts<'_>,
        visitor: &Visitor,
    ) -> Option<(String, Draft)> {
        if visitor.is_known() != self.is_known || !hand_off::is_regular(facts) {
            return None;
        }
        let draft = visitor.draft(link, self.url.clone())?;
        let mut text = String::with_capacity(768);
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::ClickId => text.push_str(&draft.id),
                Piece::VisitorId => text.push_str(&draft.visitor),
                Piece::Date(after_s) => in_seconds(facts.now, *after_s).write_http_date(&mut text),
            }
        }
        Some((text, draft))
    }
}

/// Whether the same may be asked again by somebody else.
#[must_use]
pub fn is_shared(facts: &RequestFacts<'_>) -> bool {
    facts.query.len() <= MAX_QUERY
}

/// Whether nothing of the link looks at who comes, or at the time. (Where clicks are limited there is no quick answer,
/// and on a thank-you link no visit.)
fn is_plain(link: &LinkRecord) -> bool {
    let options = &link.options;
    link.expires_at.is_none()
        && link.disabled_at.is_none()
        && options.password.is_none()
        && !options.proxy
        && options.ios.is_none()
        && options.android.is_none()
        && options.geo.is_empty()
        && options.test_variants.is_empty()
        && options.rules.is_empty()
}

/// Cuts an answer where the next one differs. `None`: it has a date that does not say how it was made.
fn pieces(lines: &str, draft: &Draft) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = lines;
    while let Some(next) = rest.chars().next() {
        let (piece, after) = if let Some(after) = rest.strip_prefix(draft.id.as_str()) {
            (Piece::ClickId, after)
        } else if let Some(after) = rest.strip_prefix(draft.visitor.as_str()).filter(|_| !draft.is_known) {
            (Piece::VisitorId, after)
        } else if let Some(after) = rest.strip_prefix(DATE) {
            plain.push_str(DATE);
            let (_, after) = after.split_at_checked(after.find(SECONDS)?)?;
            let digits = after.strip_prefix(SECONDS)?.split([';', '\n']).next()?;
            (Piece::Date(digits.parse().ok()?), after)
        } else {
            plain.push(next);
            rest = rest.get(next.len_utf8()..)?;
            continue;
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(piece);
        rest = after;
    }
    pieces.push(Piece::Text(plain));
    Some(pieces)
}

fn in_seconds(now: Millis, seconds: i64) -> Millis {
    Millis(now.0.saturating_add(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::click_id::Keys;
    use crate::core::key::Asked;
    use crate::core::password::UnlockKey;
    use crate::core::redirect::{self, Decision, Lock};
    use crate::core::seal::SealingKey;
    use crate::core::visit::tests::VISIT;
    use crate::core::visitor::Secrets;

    #[test]
    fn what_a_password_opened_is_open_to_one() {
        let secrets = Secrets {
            click_ids: Some(Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()),
            unlock: Some(UnlockKey::of(&SealingKey::parse(&"ab".repeat(32)).unwrap())),
        };
        let asked = Asked { key: "launch".to_owned(), inspect: false };
        for (options, is_learned) in [("{}", true), (r#"{"password":"x"}"#, false)] {
            let link = format!(
                r#"{{"v":1,"i":"link_1K9XG2V3M00000000000000001","w":"ws_1","d":"go.acme.com","k":"launch","u":"https://acme.com/","o":{options}}}"#
            );
            let link = LinkRecord::from_text(&link).unwrap();
            let cookie = secrets.unlock_cookie(&link, &VISIT).unwrap();
            let facts = RequestFacts { cookie: cookie.split(';').next().unwrap(), ..VISIT };
            let decision = redirect::decide(&link, &asked, &facts, &secrets, Lock::Closed);
            let Decision::Answer(outcome) = decision else { unreachable!("{decision:?}") };
            assert_eq!(outcome.location.as_deref(), Some("https://acme.com/"));
            assert_eq!(Alike::learn(&link, &facts, &outcome).is_some(), is_learned, "{options}");
        }
    }

    fn draft(is_known: bool) -> Draft {
        Draft {
            id: "CLICK".to_owned(),
            workspace_id: "ws_1".to_owned(),
            link_id: "link_1".to_owned(),
            visitor: "anon_V".to_owned(),
            is_known,
            url: "https://acme.com/".to_owned(),
            variant: None,
        }
    }

    #[test]
    fn an_answer_is_cut_where_the_next_one_differs() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let lines = "302\n/?id=CLICK\n\na=CLICK; Expires=Thu, 13 Nov 2025 03:13:20 GMT; Max-Age=3600; Secure\nv=anon_V";
        let expected = vec![
            text("302\n/?id="),
            Piece::ClickId,
            text("\n\na="),
            Piece::ClickId,
            text("; Expires="),
            Piece::Date(3600),
            text("; Max-Age=3600; Secure\nv="),
            Piece::VisitorId,
            text(""),
        ];
        assert_eq!(pieces(lines, &draft(false)), Some(expected));
        let known = pieces("302\n/anon_V\n", &draft(true));
        assert_eq!(known, Some(vec![text("302\n/anon_V\n")]), "a visitor's id is not ours to replace");
        assert_eq!(pieces("a=1; Expires=Thu, 13 Nov 2025 03:13:20 GMT", &draft(false)), None);
        assert_eq!(pieces("a=1; Expires=now; Max-Age=soon", &draft(false)), None);
    }
}
