//! The address a visitor is sent to: the link's destination, the click id, the visitor's own parameters.
//!
//! Source: wire contract 2.6, with what it says must be better: parameters of the visitor never replace the
//! click id, and `redir_url` stays within the registrable domain of the destination.
//!
//! A query that nothing is added to stays byte for byte. Otherwise it is written anew, form-urlencoded.

use std::borrow::Cow;
use std::collections::HashMap;

use url::{Url, form_urlencoded};

use crate::core::public_suffix;
use crate::core::visit::RequestFacts;

/// Parameters of ours: a visitor who sends one sends somebody else's click id.
const RESERVED: [&str; 5] =
    ["pimms_id", "client_reference_id", "pimms_client_reference_id", "dub_id", "dub_client_reference_id"];
/// Parameters that are for us and not for the destination.
const CONSUMED: [&str; 3] = ["pimms-no-track", "dub-no-track", "redir_url"];
/// Parameters of the visit that are kept with the click. Source: wire contract 2.14.
const RECORDED: [&str; 6] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "ref"];
/// Schemes that open an app; nothing is ever added to such an address. Source: wire contract 2.4, row 13.
const APPS: [&str; 6] = ["mailto", "sms", "tel", "tg", "whatsapp", "xmpp"];

/// A destination that a visitor may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// How the destination wants its click id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Stripe keeps it with the payment: `client_reference_id=pimms_id_…`.
    StripeReference,
    /// Calendly keeps UTM values only: `utm_term=pimms_id_…`.
    PrefixedTerm,
    /// iClosed too: `utm_term=…`.
    Term,
    /// `pimms_id=…`.
    Own,
}

impl Target {
    /// Reads a stored destination. `None`: not a URL, or of a scheme that could run code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        (is_web || APPS.contains(&url.scheme())).then_some(Self(url))
    }

    /// Whether it opens an app instead of a page.
    #[must_use]
    pub fn is_app(&self) -> bool {
        APPS.contains(&self.0.scheme())
    }

    /// Its host, if it has one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host_str()
    }

    /// Whether it is the page at `host` and `path` (still percent-encoded), whatever the query.
    #[must_use]
    pub fn is_at(&self, host: &str, path: &str) -> bool {
        self.host() == Some(host) && self.0.path() == path
    }

    /// The address with one parameter more.
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: &str) -> String {
        let mut query = Query::of(&self.0);
        query.set(name.into(), value.into());
        query.written_onto(&self.0)
    }

    /// Its path, percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Its query, without the `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        self.0.query().unwrap_or_default()
    }

    /// The same address without anybody's click id.
    #[must_use]
    pub fn without_ids(self) -> Self {
        let mut query = Query::of(&self.0);
        for name in RESERVED {
            query.remove(name);
        }
        if !query.changed {
            return self;
        }
        let text = query.written_onto(&self.0);
        Self::parse(&text).unwrap_or(self)
    }

    /// As written in a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Where the visitor's `redir_url` leads, when it names a page of the same registrable domain.
    #[must_use]
    pub fn redirected(&self, wanted: &str) -> Option<Self> {
        let host = self.host().filter(|_| !self.is_app())?;
        let url = match Url::parse(wanted) {
            Ok(url) => url,
            Err(_) if wanted.contains('.') && !wanted.contains(' ') => {
                Url::parse(&format!("https://{wanted}")).ok()?
            }
            Err(_) => return None,
        };
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            // a page of https is not left for one that can be read on the way
            && (url.scheme() == "https" || self.0.scheme() == "http");
        let same = public_suffix::is_same_site(host, url.host_str()?) && url.port() == self.0.port();
        (is_plain && same).then_some(Self(url))
    }

    /// The address to send the visitor to.
    ///
    /// `click_id`: given when the link tracks conversions. `untracked`: the visitor asked not to be recorded;
    /// only Stripe's payment pages get the id even so, since without it the payment belongs to nobody.
    /// `hidden`: a parameter that is not passed on (the password).
    #[must_use]
    pub fn address(&self, facts: &RequestFacts<'_>, click_id: Option<&str>, hidden: Option<&str>) -> String {
        if self.is_app() {
            return self.0.to_string();
        }
        let slot = click_id
            .map(|id| (self.slot(), id))
            .filter(|(slot, _)| *slot == Slot::StripeReference || !facts.is_untracked());
        let mut query = Query::of(&self.0);
        if let Some((slot, id)) = slot {
            match slot {
                Slot::StripeReference => {
                    query.set("client_reference_id".into(), format!("pimms_id_{id}").into());
                    query.remove("pimms_client_reference_id");
                    query.remove("dub_client_reference_id");
                }
                Slot::PrefixedTerm => query.set("utm_term".into(), format!("pimms_id_{id}").into()),
                Slot::Term => query.set("utm_term".into(), id.into()),
                Slot::Own => query.set("pimms_id".into(), id.into()),
            }
        }
        let ours = slot.map(|(slot, _)| slot.name());
        let mut passed = false;
        for (name, value) in facts.parameters() {
            let name_ref = name.as_ref();
            if CONSUMED.contains(&name_ref)
                || RESERVED.contains(&name_ref)
                || Some(name_ref) == ours
                || Some(name_ref) == hidden
            {
                continue;
            }
            passed = true;
            query.set(name, value);
        }
        if passed && query.get("qr") == Some("1") {
            query.remove("qr");
        }
        query.written_onto(&self.0)
    }

    /// What is kept with the click: the destination and the visit's UTM values, never the click id.
    #[must_use]
    pub fn recorded(&self, facts: &RequestFacts<'_>) -> String {
        if self.is_app() || facts.query.is_empty() {
            return self.0.to_string();
        }
        let mut query = Query::of(&self.0);
        for (name, value) in facts.parameters().filter(|(name, _)| RECORDED.contains(&name.as_ref())) {
            query.set(name, value);
        }
        query.written_onto(&self.0)
    }

    fn slot(&self) -> Slot {
        let host = self.0.host_str().unwrap_or_default();
        let asks_for_reference = || {
            self.0.query().is_some_and(|query| query.contains("client_reference_id"))
                && self.0.query_pairs().any(|(name, value)| {
                    (name == "pimms_client_reference_id" || name == "dub_client_reference_id") && value == "1"
                })
        };
        if host == "buy.stripe.com" || asks_for_reference() {
            Slot::StripeReference
        } else if host.contains("calendly") {
            Slot::PrefixedTerm
        } else if host.contains("iclosed") {
            Slot::Term
        } else {
            Slot::Own
        }
    }
}

impl Slot {
    /// The parameter it sets.
    fn name(self) -> &'static str {
        match self {
            Self::StripeReference => "client_reference_id",
            Self::PrefixedTerm | Self::Term => "utm_term",
            Self::Own => "pimms_id",
        }
    }
}

/// A query being changed: `URLSearchParams` of the WHATWG, as far as it is needed.
struct Query<'a> {
    pairs: Vec<Option<(Cow<'a, str>, Cow<'a, str>)>>,
    /// Where a name stands first; made when a query is long enough to need it.
    index: HashMap<String, usize>,
    changed: bool,
}

impl<'a> Query<'a> {
    fn of(url: &'a Url) -> Self {
        let pairs: Vec<_> = url.query_pairs().map(Some).collect();
        Self { pairs, index: HashMap::new(), changed: false }
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        const SHORT: usize = 16;
        if self.pairs.len() <= SHORT {
            return self.pairs.iter().position(|pair| pair.as_ref().is_some_and(|(n, _)| n == name));
        }
        if self.index.is_empty() {
            for (at, pair) in self.pairs.iter().enumerate().rev() {
                if let Some((n, _)) = pair {
                    self.index.insert(n.clone().into_owned(), at);
                }
            }
        }
        self.index.get(name).copied().filter(|at| self.pairs.get(*at).is_some_and(Option::is_some))
    }

    fn get(&mut self, name: &str) -> Option<&str> {
        let at = self.position(name)?;
        self.pairs.get(at)?.as_ref().map(|(_, value)| value.as_ref())
    }

    /// One pair of that name remains, where the first one stood, else at the end.
    fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.changed = true;
        if let Some(at) = self.position(&name) {
            for pair in self.pairs.iter_mut().skip(at + 1) {
                if pair.as_ref().is_some_and(|(n, _)| *n == name) {
                    *pair = None;
                }
            }
            if let Some(pair) = self.pairs.get_mut(at) {
                *pair = Some((name, value));
            }
        } else {
            if !self.index.is_empty() {
                self.index.insert(name.clone().into_owned(), self.pairs.len());
            }
            self.pairs.push(Some((name, value)));
        }
    }

    fn remove(&mut self, name: &str) {
        for pair in &mut self.pairs {
            if pair.as_ref().is_some_and(|(n, _)| n == name) {
                *pair = None;
                self.changed = true;
            }
        }
    }

    fn written_onto(self, url: &Url) -> String {
        if !self.changed {
            return url.to_string();
        }
        let mut text = String::with_capacity(url.as_str().len() + 80);
        let whole = url.as_str();
        let end = whole.find(['?', '#']).unwrap_or(whole.len());
        text.push_str(whole.get(..end).unwrap_or(whole));
        let start = text.len();
        let mut writer = form_urlencoded::Serializer::for_suffix(text, start);
        for (name, value) in self.pairs.into_iter().flatten() {
            writer.append_pair(&name, &value);
        }
        let mut text = writer.finish();
        if text.len() > start {
            text.insert(start, '?');
        }
        if let Some(fragment) = url.fragment() {
            text.push('#');
            text.push_str(fragment);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::visit::tests::VISIT;

    const ID: &str = "1abc";

    fn address(url: &str, query: &str, click_id: Option<&str>) -> String {
        Target::parse(url).unwrap().address(&RequestFacts { query, ..VISIT }, click_id, None)
    }

    #[test]
    fn the_click_id_finds_its_place() {
        for (url, expected) in [
            ("https://acme.com", "https://acme.com/?pimms_id=1abc"),
            ("https://acme.com/p#top", "https://acme.com/p?pimms_id=1abc#top"),
            ("https://x.io/blog?flag", "https://x.io/blog?flag=&pimms_id=1abc"),
            ("https://acme.com/?a=b%20c&t=~", "https://acme.com/?a=b+c&t=%7E&pimms_id=1abc"),
            ("https://acme.com/?pimms_id=1", "https://acme.com/?pimms_id=1abc"),
            ("https://buy.stripe.com/x", "https://buy.stripe.com/x?client_reference_id=pimms_id_1abc"),
            ("https://not-buy.stripe.com.evil.com/x", "https://not-buy.stripe.com.evil.com/x?pimms_id=1abc"),
            (
                "https://pay.acme.com/x?pimms_client_reference_id=1&a=b",
                "https://pay.acme.com/x?a=b&client_reference_id=pimms_id_1abc",
            ),
            (
                "https://pay.acme.com/x?pimms_client_reference_id=2",
                "https://pay.acme.com/x?pimms_client_reference_id=2&pimms_id=1abc",
            ),
            ("https://calendly.com/me?utm_term=x", "https://calendly.com/me?utm_term=pimms_id_1abc"),
            ("https://app.iclosed.io/e/x", "https://app.iclosed.io/e/x?utm_term=1abc"),
            ("mailto:ada@acme.com", "mailto:ada@acme.com"),
            ("tel:+331", "tel:+331"),
        ] {
            assert_eq!(address(url, "", Some(ID)), expected, "{url}");
        }
    }

    #[test]
    fn the_visitors_parameters_are_passed_on() {
        for (url, query, expected) in [
            ("https://x.io/blog?flag", "", "https://x.io/blog?flag"),
            ("https://x.io", "", "https://x.io/"),
            ("https://x.io/?a=%20b&c=~", "pimms-no-track=1", "https://x.io/?a=%20b&c=~"),
            ("https://x.io/?a=1", "b=2", "https://x.io/?a=1&b=2"),
            ("https://x.io/?flag", "b", "https://x.io/?flag=&b="),
            (
                "https://x.io/?utm_source=b&utm_medium=c",
                "utm_source=a",
                "https://x.io/?utm_source=a&utm_medium=c",
            ),
            ("https://x.io/?a=1&b=2&a=3", "a=4", "https://x.io/?a=4&b=2"),
            ("https://x.io/", "a=1&a=2", "https://x.io/?a=2"),
            ("https://x.io/", "qr=1", "https://x.io/"),
            ("https://x.io/", "qr=2&a=1", "https://x.io/?qr=2&a=1"),
            ("https://x.io/", "universal=true&bot=1", "https://x.io/?universal=true&bot=1"),
            ("https://x.io/", "q=%C3%A9+%26", "https://x.io/?q=%C3%A9+%26"),
            ("https://x.io/#a?b", "c=1", "https://x.io/?c=1#a?b"),
        ] {
            assert_eq!(address(url, query, None), expected, "{url} {query}");
        }
    }

    #[test]
    fn a_visitor_cannot_replace_the_click_id() {
        for query in
            ["pimms_id=EVIL", "pimms_id=", "client_reference_id=EVIL", "p%69mms_id=EVIL", "dub_id=EVIL"]
        {
            assert_eq!(address("https://x.io/", query, Some(ID)), "https://x.io/?pimms_id=1abc", "{query}");
            assert_eq!(address("https://x.io/", query, None), "https://x.io/", "{query}");
            assert_eq!(
                address("https://buy.stripe.com/x", query, Some(ID)),
                "https://buy.stripe.com/x?client_reference_id=pimms_id_1abc",
                "{query}"
            );
        }
        assert_eq!(
            address("https://calendly.com/me", "utm_term=EVIL&utm_source=a", Some(ID)),
            "https://calendly.com/me?utm_term=pimms_id_1abc&utm_source=a"
        );
    }

    #[test]
    fn who_is_not_recorded_gets_no_id_but_for_payments() {
        assert_eq!(address("https://x.io/", "pimms-no-track=1", Some(ID)), "https://x.io/");
        assert_eq!(
            address("https://buy.stripe.com/x", "pimms-no-track=1", Some(ID)),
            "https://buy.stripe.com/x?client_reference_id=pimms_id_1abc"
        );
    }

    #[test]
    fn long_queries_keep_their_meaning() {
        let long: Vec<String> = (0..40).map(|n| format!("k{n}={n}")).collect();
        let url = format!("https://x.io/?{}", long.join("&"));
        let query = "k3=a&k39=b&new=1&new=2&k3=c";
        let expected = url.replace("k3=3&", "k3=c&").replace("k39=39", "k39=b&new=2");
        assert_eq!(address(&url, query, None), expected);
        let many = vec!["z=1"; 5000].join("&");
        assert_eq!(address("https://x.io/", &many, None), "https://x.io/?z=1");
    }

    #[test]
    fn what_is_recorded_has_no_click_id() {
        let target = Target::parse("https://x.io/?a=1&utm_source=old").unwrap();
        let facts = RequestFacts { query: "utm_source=new&b=2&pimms_id=x&ref=tw", ..VISIT };
        assert_eq!(target.recorded(&facts), "https://x.io/?a=1&utm_source=new&ref=tw");
        assert_eq!(target.recorded(&VISIT), "https://x.io/?a=1&utm_source=old");
    }

    #[test]
    fn redirections_stay_with_the_owner() {
        let target = Target::parse("https://shop.acme.co.uk/x").unwrap();
        for (wanted, expected) in [
            ("https://shop.acme.co.uk/other?a=1", Some("https://shop.acme.co.uk/other?a=1")),
            ("https://acme.co.uk", Some("https://acme.co.uk/")),
            ("blog.acme.co.uk", Some("https://blog.acme.co.uk/")),
            ("blog.acme.co.uk/x?y=1", Some("https://blog.acme.co.uk/x?y=1")),
            ("http://acme.co.uk/", None),
            ("https://evil.co.uk/", None),
            ("https://evil.com/", None),
            ("//evil.com", None),
            ("https:evil.com", None),
            ("https:\\\\evil.com", None),
            ("\\\\evil.com", None),
            ("/\\evil.com", None),
            ("https://shop.acme.co.uk@evil.com/", None),
            ("https://user@shop.acme.co.uk/", None),
            ("https://acme.co.uk.evil.com/", None),
            ("https://evilacme.co.uk/", None),
            ("https://acme.co.uk:8443/", None),
            ("javascript:alert(1)", None),
            ("JaVaScRiPt:alert(1).acme.co.uk", None),
            ("\tjavascript:alert(1)", None),
            ("data:text/html,x", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(target.redirected(wanted).as_ref().map(Target::as_str), expected, "{wanted}");
        }
        assert!(Target::parse("mailto:a@acme.com").unwrap().redirected("https://acme.com").is_none());
    }

    #[test]
    fn schemes_that_run_code_are_no_destination() {
        for bad in [
            "javascript:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "intent://x#Intent;end",
            "blob:https://x.io/1",
            "about:blank",
            "//x.io",
            "",
            "x.io",
            "https://",
        ] {
            assert!(Target::parse(bad).is_none(), "{bad}");
        }
    }
}
