//! Clicks: from a visit that was answered to the row that is stored.
//!
//! The redirect makes a [`Visit`], as raw as it came, and the queue carries it. When it is stored, [`judge`] says
//! whether it is a click, and [`Row`] is what D1 keeps: fields of the wire contract, 2.14.

use serde::{Deserialize, Serialize};

use crate::core::fingerprint::REPEAT_MS;
use crate::core::time::Millis;
use crate::core::visit::RequestFacts;
use crate::core::{bots, user_agent, visit};

/// The version this code writes.
pub const VISIT_VERSION: u8 = 1;

/// Countries whose visitors' addresses are not kept. Source: wire contract, Appendix E.
const EUROPE: [&str; 28] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// What the decision says of a visit to be recorded; the rest is known from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The click id.
    pub id: String,
    /// Workspace of the link.
    pub workspace_id: String,
    /// The link.
    pub link_id: String,
    /// The visitor's id.
    pub visitor: String,
    /// Whether the visitor brought that id.
    pub is_known: bool,
    /// Where the visitor was sent, with the visit's UTM values, without the click id.
    pub url: String,
    /// The variant of the A/B test that was chosen, counted from 1.
    pub variant: Option<u8>,
}

/// Where the platform places the visitor. Empty texts: unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Two letters.
    #[serde(rename = "n", skip_serializing_if = "String::is_empty")]
    pub continent: String,
    /// ISO 3166-1 alpha-2.
    #[serde(rename = "c", skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// ISO 3166-2 without the country.
    #[serde(rename = "r", skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Its name.
    #[serde(rename = "t", skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Degrees.
    #[serde(rename = "y", skip_serializing_if = "String::is_empty")]
    pub latitude: String,
    /// Degrees.
    #[serde(rename = "x", skip_serializing_if = "String::is_empty")]
    pub longitude: String,
    /// The data centre that answered.
    #[serde(rename = "e", skip_serializing_if = "String::is_empty")]
    pub edge_location: String,
}

/// What a later, better rule may want to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// `GET`, `HEAD`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The prefetch header, whichever there was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// `Accept-Language`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The variant of the A/B test, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<u8>,
    /// The query's `bot` was not empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub says_bot: bool,
    /// What triggered it when a page or an app reported it, which anybody can do: `link`, `pageview`, `deeplink`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reported: String,
}

/// A visit on its way to be stored. Wire form (queue): short names, absent when empty; pinned by a test below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Always [`VISIT_VERSION`].
    #[serde(rename = "v")]
    pub version: u8,
    /// The click id: storing it twice stores it once.
    #[serde(rename = "i")]
    pub id: String,
    /// `ws_…`.
    #[serde(rename = "w")]
    pub workspace_id: String,
    /// `link_…`.
    #[serde(rename = "l")]
    pub link_id: String,
    /// When.
    #[serde(rename = "at")]
    pub at: Millis,
    /// The visitor's id.
    #[serde(rename = "a")]
    pub visitor: String,
    /// Whether the visitor brought that id.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_known: bool,
    /// Where the visitor was sent.
    #[serde(rename = "u")]
    pub url: String,
    /// The address; empty for visitors from Europe and from nowhere known.
    #[serde(rename = "ip", default, skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// Where the visitor is.
    #[serde(rename = "p", default)]
    pub place: Place,
    /// `User-Agent`.
    #[serde(rename = "ua", default)]
    pub user_agent: String,
    /// `Referer`.
    #[serde(rename = "ref", default, skip_serializing_if = "String::is_empty")]
    pub referer: String,
    /// From a QR code.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_qr: bool,
    /// Raw signals.
    #[serde(rename = "s", default)]
    pub signals: Signals,
    /// Of address and user agent, by the key of the visit's day; empty when the address is unknown.
    #[serde(rename = "f", default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// The same by the key of the day before, in the first hour of a day.
    #[serde(rename = "g", default, skip_serializing_if = "String::is_empty")]
    pub fingerprint_before: String,
}

/// Why a visit is no click; the word is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoClick {
    /// Asked for headers only.
    Head,
    /// Fetched ahead of a click that may never come.
    Prefetch,
    /// A program.
    Bot,
    /// The same visitor within the hour.
    Repeat,
}

impl NoClick {
    /// `bot`, `prefetch`, `head`, `repeat`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Prefetch => "prefetch",
            Self::Bot => "bot",
            Self::Repeat => "repeat",
        }
    }
}

impl Visit {
    /// The visit of `draft` by the request of `facts`.
    #[must_use]
    pub fn new(draft: Draft, facts: &RequestFacts<'_>, place: Place) -> Self {
        let keeps_address = !place.country.is_empty() && !EUROPE.contains(&place.country.as_str());
        Self {
            version: VISIT_VERSION,
            id: draft.id,
            workspace_id: draft.workspace_id,
            link_id: draft.link_id,
            at: facts.now,
            visitor: draft.visitor,
            is_known: draft.is_known,
            url: shortened(&draft.url, 4096),
            ip: if keeps_address { shortened(facts.ip, 64) } else { String::new() },
            place,
            user_agent: shortened(facts.user_agent, 1024),
            referer: shortened(facts.referer, 2048),
            is_qr: facts.parameter("qr").is_some_and(|value| value == "1"),
            signals: Signals {
                method: shortened(facts.method, 16),
                purpose: shortened(facts.purpose, 64),
                language: shortened(facts.accept_language, 256),
                variant: draft.variant,
                says_bot: facts.parameter("bot").is_some_and(|value| !value.is_empty()),
                reported: String::new(),
            },
            fingerprint: String::new(),
            fingerprint_before: String::new(),
        }
    }

    /// Leaves of who and where the visitor is what counting needs: the country, and the hash of a day that tells a
    /// repetition.
    pub fn make_anonymous(&mut self) {
        self.ip.clear();
        let Place { continent, country, edge_location, .. } = std::mem::take(&mut self.place);
        self.place = Place { continent, country, edge_location, ..Place::default() };
        self.signals.language.clear();
    }

    /// Reads the queue's text.
    ///
    /// # Errors
    /// When it is not a visit of this version: keep the message until a deployment that can read it.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let visit: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if visit.version == VISIT_VERSION { Ok(visit) } else { Err(format!("version {}", visit.version)) }
    }

    /// Reads a message of the queue: visits, one a line. Also says what is wrong with the first line that is none.
    #[must_use]
    pub fn all_from_text(text: &str) -> (Vec<Self>, Option<String>) {
        let (mut visits, mut wrong) = (Vec::new(), None);
        for line in text.split('\n') {
            match Self::from_text(line) {
                Ok(visit) => visits.push(visit),
                Err(e) => wrong = wrong.or(Some(e)),
            }
        }
        (visits, wrong)
    }
}

/// Whether a visit is a click by what it says of itself; whether it repeats another is seen when it is stored.
#[must_use]
pub fn judge(visit: &Visit) -> Option<NoClick> {
    if visit.signals.method == "HEAD" {
        Some(NoClick::Head)
    } else if visit::is_prefetch(&visit.signals.purpose) {
        Some(NoClick::Prefetch)
    } else if visit.signals.says_bot || bots::is_bot(&visit.user_agent) {
        Some(NoClick::Bot)
    } else {
        None
    }
}

/// A row of `clicks`, or with a verdict of `visits`. Field names are column names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns are explained in migrations/0001_init.sql")]
pub struct Row {
    pub id: String,
    pub workspace_id: String,
    pub link_id: String,
    pub at: Millis,
    /// Empty: a click, unless the store knows the same visitor within the hour.
    pub verdict: &'static str,
    /// 1: compare by `visitor`; 0: by `fingerprint`.
    pub is_known: u8,
    pub visitor: String,
    pub url: String,
    pub ip: String,
    pub continent: String,
    pub country: String,
    pub region: String,
    pub city: String,
    pub latitude: String,
    pub longitude: String,
    pub edge_location: String,
    pub device: &'static str,
    pub browser: &'static str,
    pub browser_version: String,
    pub engine: &'static str,
    pub os: &'static str,
    pub os_version: String,
    pub ua: String,
    pub qr: u8,
    pub referer: String,
    pub referer_url: String,
    pub source: &'static str,
    /// [`Signals`] as JSON text.
    pub signals: String,
    pub fingerprint: String,
    /// The fingerprint that the same browser had the day before; no column.
    pub fingerprint_before: String,
}

/// The rows of a batch, oldest first, each visit once; a repetition within the batch has its verdict.
#[must_use]
pub fn rows(mut visits: Vec<Visit>) -> Vec<Row> {
    visits.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    visits.dedup_by(|a, b| a.id == b.id);
    let mut rows: Vec<Row> = Vec::with_capacity(visits.len());
    for visit in visits {
        let mut row = Row::of(visit);
        if row.verdict.is_empty() && rows.iter().any(|earlier| row.repeats(earlier)) {
            row.verdict = NoClick::Repeat.as_str();
        }
        rows.push(row);
    }
    rows
}

impl Row {
    fn of(visit: Visit) -> Self {
        let verdict = judge(&visit).map_or("", NoClick::as_str);
        let client = user_agent::read(&visit.user_agent);
        let referer = referer_host(&visit.referer);
        let signals = serde_json::to_string(&visit.signals).unwrap_or_else(|_| "{}".to_owned());
        Self {
            verdict,
            is_known: u8::from(visit.is_known),
            device: client.device,
            browser: client.browser,
            browser_version: client.browser_version.to_owned(),
            engine: client.engine,
            os: client.os,
            os_version: client.os_version.shown(),
            qr: u8::from(visit.is_qr),
            referer_url: if referer.is_some() { visit.referer } else { DIRECT.to_owned() },
            referer: referer.unwrap_or_else(|| DIRECT.to_owned()),
            source: match visit.signals.reported.as_str() {
                _ if visit.is_qr => "qr",
                "pageview" => "pageview",
                "deeplink" => "deeplink",
                _ => "link",
            },
            signals,
            id: visit.id,
            workspace_id: visit.workspace_id,
            link_id: visit.link_id,
            at: visit.at,
            visitor: visit.visitor,
            url: visit.url,
            ip: visit.ip,
            continent: visit.place.continent,
            country: or_unknown(visit.place.country),
            region: or_unknown(visit.place.region),
            city: or_unknown(visit.place.city),
            latitude: or_unknown(visit.place.latitude),
            longitude: or_unknown(visit.place.longitude),
            edge_location: or_unknown(visit.place.edge_location),
            ua: visit.user_agent,
            fingerprint: visit.fingerprint,
            fingerprint_before: visit.fingerprint_before,
        }
    }

    /// Whether this is the visitor of an earlier click, within the hour.
    fn repeats(&self, earlier: &Self) -> bool {
        let is_same = if self.is_known == 1 {
            self.visitor == earlier.visitor
        } else {
            !self.fingerprint.is_empty()
                && (self.fingerprint == earlier.fingerprint || self.fingerprint_before == earlier.fingerprint)
        };
        is_same
            && earlier.verdict.is_empty()
            && self.link_id == earlier.link_id
            && self.at.0.saturating_sub(earlier.at.0) < REPEAT_MS
    }
}

const DIRECT: &str = "(direct)";

/// The host of a referer without `www.`; `None` for anything that is no web page.
fn referer_host(referer: &str) -> Option<String> {
    let url = url::Url::parse(referer).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // Apps name themselves: android-app://com.twitter.android/
    let url = url.or_else(|| url::Url::parse(referer).ok().filter(|url| url.scheme() == "android-app"))?;
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

fn or_unknown(text: String) -> String {
    if text.is_empty() { "Unknown".to_owned() } else { text }
}

/// At most `bytes` of a text, cut between characters.
fn shortened(text: &str, bytes: usize) -> String {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::visit::tests::VISIT;

    fn draft(id: &str) -> Draft {
        Draft {
            id: id.to_owned(),
            workspace_id: "ws_1".to_owned(),
            link_id: "link_1".to_owned(),
            visitor: format!("anon_{id}"),
            is_known: false,
            url: "https://acme.com/".to_owned(),
            variant: None,
        }
    }

    fn place(country: &str) -> Place {
        Place { country: country.to_owned(), ..Place::default() }
    }

    fn visit(id: &str, at: i64, fingerprint: &str) -> Visit {
        let mut visit = Visit::new(draft(id), &RequestFacts { now: Millis(at), ..VISIT }, place("US"));
        visit.fingerprint = fingerprint.to_owned();
        visit
    }

    /// A deploy leaves messages in flight: this text must parse for ever, or the version must change.
    #[test]
    fn wire_form_is_pinned() {
        let text = r#"{"v":1,"i":"1abc","w":"ws_1","l":"link_1","at":5,"a":"anon_x","k":true,"u":"https://acme.com/","ip":"203.0.113.9","p":{"c":"US","t":"Boston"},"ua":"Mozilla","ref":"https://t.co/x","q":true,"s":{"method":"GET","variant":2},"f":"00","g":"11"}"#;
        let visit = Visit::from_text(text).unwrap();
        assert_eq!(serde_json::to_string(&visit).unwrap(), text);
        assert!(Visit::from_text(&text.replace(r#""v":1"#, r#""v":2"#)).is_err());
        assert!(Visit::from_text("{}").is_err());
    }

    #[test]
    fn a_message_carries_several_visits() {
        let (one, other) = (visit("a", 1, "f"), visit("b", 2, "g"));
        let text = [&one, &other].map(|visit| serde_json::to_string(visit).unwrap()).join("\n");
        assert_eq!(Visit::all_from_text(&text), (vec![one.clone(), other.clone()], None));
        let (read, wrong) = Visit::all_from_text(&text.replacen('\n', "\n{}\n", 1));
        assert_eq!(read, [one, other], "a line that cannot be read hides no other");
        assert!(wrong.is_some());
        assert!(Visit::all_from_text("").1.is_some());
    }

    #[test]
    fn addresses_of_europeans_are_not_kept() {
        for (country, ip) in
            [("US", "203.0.113.9"), ("FR", ""), ("GB", ""), ("DE", ""), ("", ""), ("CH", "203.0.113.9")]
        {
            assert_eq!(Visit::new(draft("a"), &VISIT, place(country)).ip, ip, "{country}");
        }
    }

    #[test]
    fn verdicts() {
        for (facts, expected) in [
            (VISIT, None),
            (RequestFacts { method: "HEAD", ..VISIT }, Some(NoClick::Head)),
            (RequestFacts { purpose: "prefetch;prerender", ..VISIT }, Some(NoClick::Prefetch)),
            (RequestFacts { user_agent: "curl/8.5.0", ..VISIT }, Some(NoClick::Bot)),
            (RequestFacts { query: "bot=1", ..VISIT }, Some(NoClick::Bot)),
            (RequestFacts { query: "bot=", ..VISIT }, None),
            (RequestFacts { user_agent: "", ..VISIT }, None),
        ] {
            assert_eq!(judge(&Visit::new(draft("a"), &facts, place("US"))), expected, "{facts:?}");
        }
    }

    #[test]
    fn rows_have_what_the_contract_stores() {
        let facts = RequestFacts { referer: "https://www.news.example/a?b", query: "qr=1", ..VISIT };
        let row = rows(vec![Visit::new(draft("a"), &facts, Place::default())]).remove(0);
        assert_eq!(
            (row.referer.as_str(), row.referer_url.as_str()),
            ("news.example", "https://www.news.example/a?b")
        );
        assert_eq!((row.qr, row.source), (1, "qr"));
        assert_eq!((row.browser, row.os, row.os_version.as_str()), ("Chrome", "Mac OS", "10.15.7"));
        assert_eq!(
            (row.country.as_str(), row.city.as_str(), row.continent.as_str()),
            ("Unknown", "Unknown", "")
        );
        let facts = RequestFacts { referer: "javascript:alert(1)", ..VISIT };
        let row = rows(vec![Visit::new(draft("a"), &facts, Place::default())]).remove(0);
        assert_eq!((row.referer.as_str(), row.referer_url.as_str()), ("(direct)", "(direct)"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(3000);
        let visit =
            Visit::new(draft("a"), &RequestFacts { user_agent: &long, referer: &long, ..VISIT }, place("US"));
        assert_eq!(visit.user_agent.len(), 1024);
        assert_eq!(visit.referer.len(), 2048);
        assert_eq!(shortened("é", 1), "");
    }

    #[test]
    fn the_same_visitor_within_the_hour_is_one_click() {
        let hour = REPEAT_MS;
        let verdicts = |visits: Vec<Visit>| rows(visits).iter().map(|row| row.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(vec![visit("a", 0, "f"), visit("b", hour - 1, "f")]), ["", "repeat"]);
        assert_eq!(verdicts(vec![visit("a", 0, "f"), visit("b", hour, "f")]), ["", ""]);
        assert_eq!(
            verdicts(vec![visit("b", 5, "f"), visit("a", 0, "f")]),
            ["", "repeat"],
            "by time, not by arrival"
        );
        assert_eq!(verdicts(vec![visit("a", 0, "f"), visit("b", 1, "g")]), ["", ""]);
        assert_eq!(
            verdicts(vec![visit("a", 0, ""), visit("b", 1, "")]),
            ["", ""],
            "no address is no sameness"
        );
        assert_eq!(
            verdicts(vec![visit("a", 0, "f"), visit("a", 0, "f")]),
            [""],
            "a message twice is one visit"
        );
        let other_link = Visit { link_id: "link_2".to_owned(), ..visit("b", 1, "f") };
        assert_eq!(verdicts(vec![visit("a", 0, "f"), other_link]), ["", ""]);
        let known = Visit { is_known: true, visitor: "anon_a".to_owned(), ..visit("b", 1, "other") };
        assert_eq!(
            verdicts(vec![visit("a", 0, "f"), known.clone()]),
            ["", "repeat"],
            "the cookie, not the address"
        );
        let stranger = Visit { visitor: "anon_z".to_owned(), fingerprint: "f".to_owned(), ..known };
        assert_eq!(verdicts(vec![visit("a", 0, "f"), stranger]), ["", ""], "colleagues behind one address");
        let bot = Visit { user_agent: "curl/8".to_owned(), ..visit("a", 0, "f") };
        assert_eq!(verdicts(vec![bot, visit("b", 1, "f")]), ["bot", ""]);
        let after_midnight = Visit { fingerprint_before: "f".to_owned(), ..visit("b", 9, "g") };
        assert_eq!(verdicts(vec![visit("a", 0, "f"), after_midnight]), ["", "repeat"]);
    }
}
