//! The redirect's short way: one text in, one text out.
//!
//! What costs a Worker its speed is each call between WebAssembly and JavaScript. `src/entry.js` reads what a
//! plain redirect needs of a request, hands it over as one text, and makes one `Response` of the text it gets
//! back. The decision is [`crate::core::redirect::decide`], the same as everywhere; whatever is no plain redirect
//! has no quick answer and goes the ordinary way.
//!
//! Both texts are lines, since neither headers nor addresses can contain a line break. Their order is pinned by
//! the tests below and told in `src/entry.js`.

use crate::core::click::Place;
use crate::core::domain;
use crate::core::redirect::Outcome;
use crate::core::time::Millis;
use crate::core::visit::{self, CHANCE_BYTES, RequestFacts};

/// A request as `src/entry.js` hands it over: always a GET that wants to be recorded.
#[derive(Debug, Clone)]
pub struct QuickRequest<'a> {
    /// What the decision looks at.
    pub facts: RequestFacts<'a>,
    place: [&'a str; 6],
}

impl<'a> QuickRequest<'a> {
    /// Reads the lines: address, host in its place if not empty, visitor's address, user agent, referer, cookies,
    /// languages, country, continent, region, city, latitude, longitude, data centre.
    ///
    /// `None`: more or fewer lines.
    #[must_use]
    pub fn read(text: &'a str, now: Millis, chance: [u8; CHANCE_BYTES]) -> Option<Self> {
        let mut lines = text.split('\n');
        let mut next = || lines.next();
        let (secure, authority, path, query) = visit::parts(next()?);
        let host = next()?;
        let authority = if host.is_empty() { authority } else { host };
        let facts = RequestFacts {
            method: "GET",
            secure,
            host: domain::without_port(authority),
            authority,
            path,
            query,
            now,
            ip: next()?,
            user_agent: next()?,
            referer: next()?,
            cookie: next()?,
            accept_language: next()?,
            country: visit::country(next()?),
            purpose: "",
            no_track: false,
            chance,
        };
        let place = [next()?, next()?, next()?, next()?, next()?, next()?];
        lines.next().is_none().then_some(Self { facts, place })
    }

    /// The text's address and the host in its place: who asks for the same has the same in both.
    #[must_use]
    pub fn address(text: &str) -> Option<&str> {
        let url = text.find('\n')?;
        let host = text.get(url + 1..)?.find('\n')?;
        text.get(..=url + host)
    }

    /// Where the visitor is.
    #[must_use]
    pub fn place(&self) -> Place {
        let [continent, region, city, latitude, longitude, edge_location] = self.place.map(str::to_owned);
        let country = self.facts.country.to_owned();
        Place { continent, country, region, city, latitude, longitude, edge_location }
    }
}

/// The lines of the answer: status, location, `1` for hidden from search engines, then the cookies. `None`: not a plain
/// redirect.
#[must_use]
pub fn answer(outcome: &Outcome) -> Option<String> {
    let is_plain = outcome.page.is_none() && outcome.max_clicks.is_none() && outcome.arrival.is_none();
    let location = outcome.location.as_deref().filter(|_| is_plain)?;
    let hidden = if outcome.is_hidden { "1" } else { "" };
    let status = outcome.status.to_string();
    let parts =
        [status.as_str(), location, hidden].into_iter().chain(outcome.cookies.iter().map(String::as_str));
    let mut text = String::with_capacity(768);
    for (index, part) in parts.enumerate() {
        if part.contains('\n') {
            return None;
        }
        if index > 0 {
            text.push('\n');
        }
        text.push_str(part);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::redirect::{self, Missing};
    use crate::core::visit::tests::VISIT;

    const TEXT: &str = "https://go.acme.com:8443/launch?a=1#x\n\n203.0.113.9\nMozilla\nhttps://t.co/\na=b\nfr\nFR\nEU\nIDF\nParis\n48.8\n2.3\nCDG";

    #[test]
    fn lines_are_read_in_their_order() {
        assert_eq!(QuickRequest::address(TEXT), Some("https://go.acme.com:8443/launch?a=1#x\n"));
        assert_eq!(QuickRequest::address("a\nb\nc"), Some("a\nb"));
        assert_eq!(QuickRequest::address("a\nb"), None);
        let request = QuickRequest::read(TEXT, VISIT.now, VISIT.chance).unwrap();
        let facts = &request.facts;
        assert_eq!((facts.secure, facts.host, facts.authority), (true, "go.acme.com", "go.acme.com:8443"));
        assert_eq!((facts.path, facts.query), ("/launch", "a=1"));
        assert_eq!((facts.ip, facts.user_agent, facts.referer), ("203.0.113.9", "Mozilla", "https://t.co/"));
        assert_eq!((facts.cookie, facts.accept_language, facts.country), ("a=b", "fr", "FR"));
        let place = request.place();
        assert_eq!(
            (place.continent.as_str(), place.region.as_str(), place.city.as_str()),
            ("EU", "IDF", "Paris")
        );
        assert_eq!((place.latitude.as_str(), place.longitude.as_str()), ("48.8", "2.3"));
        assert_eq!((place.edge_location.as_str(), place.country.as_str()), ("CDG", "FR"));
        let elsewhere = TEXT.replacen("\n\n", "\nb.com:1\n", 1);
        let elsewhere = QuickRequest::read(&elsewhere, VISIT.now, VISIT.chance).unwrap();
        assert_eq!((elsewhere.facts.host, elsewhere.facts.authority), ("b.com", "b.com:1"));
        for wrong in ["", "a\nb", &format!("{TEXT}\n"), TEXT.rsplit_once('\n').unwrap().0] {
            assert!(QuickRequest::read(wrong, VISIT.now, VISIT.chance).is_none(), "{wrong}");
        }
    }

    #[test]
    fn only_plain_redirects_are_answered() {
        let mut outcome = redirect::unsupported();
        outcome.cookies = vec!["a=1; Path=/".to_owned(), "b=2; Path=/".to_owned()];
        let lines = "302\n/?pimms-no-track=1\n1\na=1; Path=/\nb=2; Path=/";
        assert_eq!(answer(&outcome).as_deref(), Some(lines));
        outcome.max_clicks = Some(1);
        assert_eq!(answer(&outcome), None);
        assert_eq!(answer(&redirect::without_link(Missing::Link, None, &VISIT)), None);
        let broken = redirect::Outcome { location: Some("a\nb".to_owned()), ..redirect::unsupported() };
        assert_eq!(answer(&broken), None);
    }
}
