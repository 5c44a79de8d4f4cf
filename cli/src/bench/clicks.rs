//! Made-up clicks, the same for the same seed: a few links get most of them, most come by day, from some thirty
//! places, a dozen referrers and five browsers.

use pimms_edge::core::click::{Place, Signals, VISIT_VERSION, Visit};
use pimms_edge::core::time::Millis;

use crate::random::Random;

/// Country, continent, region, city.
const PLACES: [(&str, &str, &str, &str); 16] = [
    ("US", "NA", "CA", "San Francisco"),
    ("US", "NA", "NY", "New York"),
    ("US", "NA", "TX", "Austin"),
    ("FR", "EU", "IDF", "Paris"),
    ("FR", "EU", "ARA", "Lyon"),
    ("DE", "EU", "BE", "Berlin"),
    ("GB", "EU", "ENG", "London"),
    ("ES", "EU", "MD", "Madrid"),
    ("BR", "SA", "SP", "São Paulo"),
    ("IN", "AS", "KA", "Bengaluru"),
    ("JP", "AS", "13", "Tokyo"),
    ("AU", "OC", "NSW", "Sydney"),
    ("NG", "AF", "LA", "Lagos"),
    ("CA", "NA", "QC", "Montréal"),
    ("NL", "EU", "NH", "Amsterdam"),
    ("", "", "", ""),
];

const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
];

const REFERERS: [&str; 8] = [
    "",
    "",
    "",
    "https://www.google.com/",
    "https://t.co/abc",
    "https://www.linkedin.com/feed/",
    "https://news.example/issue?n=7",
    "https://www.youtube.com/watch?v=1",
];

const SOURCES: [&str; 5] = ["", "", "newsletter", "twitter", "ads"];

/// One of a list.
fn one_of<T: Copy + Default>(random: &mut Random, list: &[T]) -> T {
    random.pick(list).copied().unwrap_or_default()
}

/// The span of time over which clicks are spread.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first instant.
    pub from: Millis,
    /// The first one after it.
    pub to: Millis,
}

/// The `n`-th of all clicks: on one of `links`, at a time that grows with `n / of`.
#[must_use]
pub fn click(
    random: &mut Random,
    workspace_id: &str,
    links: &[String],
    span: Span,
    n: u64,
    of: u64,
) -> Visit {
    let width = span.to.0.saturating_sub(span.from.0).unsigned_abs();
    let place_in_time = u128::from(width) * u128::from(n) / u128::from(of.max(1));
    let at = span.from.0.saturating_add(i64::try_from(place_in_time).unwrap_or(0));
    // The square of a number between 0 and 1 is more often small: the first links get most.
    let unit = random.below(1 << 20);
    let rank = (((unit * unit) >> 20) * links.len()) >> 20;
    let link_id = links.get(rank).cloned().unwrap_or_default();
    let (country, continent, region, city) = one_of(random, &PLACES);
    let source = one_of(random, &SOURCES);
    let query =
        if source.is_empty() { String::new() } else { format!("?utm_source={source}&utm_medium=bench") };
    let id = format!("c{n:08}{:016x}{:019x}", random.next_u64(), u128::from(random.next_u64()));
    Visit {
        version: VISIT_VERSION,
        visitor: format!("anon_{:016x}", random.next_u64()),
        workspace_id: workspace_id.to_owned(),
        at: Millis(at),
        is_known: false,
        url: format!("https://shop.example/{rank}{query}"),
        ip: String::new(),
        place: Place {
            continent: continent.to_owned(),
            country: country.to_owned(),
            region: region.to_owned(),
            city: city.to_owned(),
            ..Place::default()
        },
        user_agent: one_of(random, &AGENTS).to_owned(),
        referer: one_of(random, &REFERERS).to_owned(),
        is_qr: random.below(10) == 0,
        signals: Signals { method: "GET".to_owned(), ..Signals::default() },
        fingerprint: format!("{:032x}", u128::from(random.next_u64())),
        fingerprint_before: String::new(),
        link_id,
        id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_clicks_inside_the_span() {
        let links = ["link_a".to_owned(), "link_b".to_owned()];
        let span = Span { from: Millis(1_000), to: Millis(9_000) };
        let make = |seed| -> Vec<Visit> {
            let mut random = Random::new(seed);
            (0..50).map(|n| click(&mut random, "ws_1", &links, span, n, 50)).collect()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        let clicks = make(1);
        assert!(clicks.iter().all(|click| click.at >= span.from && click.at < span.to));
        assert!(clicks.iter().all(|click| links.contains(&click.link_id) && click.id.len() == 44));
    }
}
