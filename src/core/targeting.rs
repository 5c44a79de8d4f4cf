//! Which of a link's destinations a visitor gets.
//!
//! The owner's rules first, then iOS, Android and country, then the variant of a running A/B test or the link's
//! own address. Source: wire contract 2.4 rows 15–17 and 2.13, with real countries and a cookie per link.

use sha2::{Digest, Sha256};

use crate::core::bots;
use crate::core::cookies;
use crate::core::ids;
use crate::core::language;
use crate::core::link::{Condition, LinkRecord, Rule, Variant};
use crate::core::user_agent;
use crate::core::visit::RequestFacts;

/// How long a visitor stays with a variant, in seconds. Source: wire contract 2.7.
pub const VARIANT_COOKIE_S: i64 = 604_800;

/// A chosen variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// From 1.
    pub number: u8,
    /// Its destination.
    pub url: String,
    /// Names it in the visitor's cookie, also after the owner changed the order.
    pub mark: String,
}

/// The variant of the link's A/B test, while it runs: the one the visitor had before, else by weight.
#[must_use]
pub fn variant(link: &LinkRecord, facts: &RequestFacts<'_>) -> Option<Chosen> {
    let options = &link.options;
    let is_running = options.test_completed_at.is_some_and(|end| facts.now < end)
        && options.test_started_at.is_none_or(|start| start <= facts.now)
        && (2..=4).contains(&options.test_variants.len());
    if !is_running {
        return None;
    }
    let chosen = |(index, variant): (usize, &Variant)| {
        Some(Chosen {
            number: u8::try_from(index + 1).ok()?,
            url: variant.url.clone(),
            mark: mark(&variant.url),
        })
    };
    let known = cookies::find(facts.cookie, &variant_cookie_name(link)).and_then(|known| {
        options.test_variants.iter().enumerate().find(|(_, variant)| mark(&variant.url) == known)
    });
    if let Some(known) = known {
        return chosen(known);
    }
    let total: u32 = options.test_variants.iter().map(|variant| u32::from(variant.percentage)).sum();
    let chance =
        facts.chance.iter().skip(20).take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let mut left = chance % total.max(1);
    for (index, variant) in options.test_variants.iter().enumerate() {
        match left.checked_sub(u32::from(variant.percentage)) {
            Some(rest) => left = rest,
            None => return chosen((index, variant)),
        }
    }
    options.test_variants.first().and_then(|first| chosen((0, first)))
}

/// The cookie that keeps a visitor with a variant of this link.
#[must_use]
pub fn variant_cookie_name(link: &LinkRecord) -> String {
    format!("pimms_test_{}_{}", link.domain, link.key)
}

/// The destination that the visitor's rules, device or country call for; `None`: the ordinary one.
#[must_use]
pub fn special<'a>(link: &'a LinkRecord, facts: &RequestFacts<'_>) -> Option<&'a str> {
    let options = &link.options;
    if let Some(rule) = options.rules.iter().find(|rule| holds(rule, facts)) {
        return Some(&rule.url);
    }
    if options.ios.is_some() || options.android.is_some() {
        let by_system = match user_agent::read(facts.user_agent).os {
            "iOS" => &options.ios,
            "Android" => &options.android,
            _ => &None,
        };
        if by_system.is_some() {
            return by_system.as_deref();
        }
    }
    options.geo.get(facts.country).map(String::as_str)
}

/// Whether the visitor is a program, for who sees the link's own preview.
#[must_use]
pub fn is_bot(facts: &RequestFacts<'_>) -> bool {
    facts.parameter("bot").is_some_and(|value| !value.is_empty())
        || bots::is_bot(facts.user_agent)
        || bots::is_preview(facts.user_agent)
}

fn holds(rule: &Rule, facts: &RequestFacts<'_>) -> bool {
    !rule.conditions.is_empty() && rule.conditions.iter().all(|condition| condition_holds(condition, facts))
}

fn condition_holds(condition: &Condition, facts: &RequestFacts<'_>) -> bool {
    match condition {
        Condition::Language(wanted) => {
            language::accepted(facts.accept_language).iter().any(|tag| language::is(tag, wanted))
        }
        Condition::Query { name, value } => {
            facts.parameters().any(|(n, v)| n == *name && value.as_ref().is_none_or(|value| v == *value))
        }
        Condition::After(start) => facts.now >= *start,
        Condition::Before(end) => facts.now < *end,
        Condition::Browser(name) => user_agent::read(facts.user_agent).browser.eq_ignore_ascii_case(name),
        Condition::Device(name) => {
            let client = user_agent::read(facts.user_agent);
            match name.to_ascii_lowercase().as_str() {
                "ios" => client.os == "iOS",
                "android" => client.os == "Android",
                device => client.device.eq_ignore_ascii_case(device),
            }
        }
        Condition::Country(country) => {
            !facts.country.is_empty() && facts.country.eq_ignore_ascii_case(country)
        }
    }
}

/// Eight hex digits of a destination's hash.
fn mark(url: &str) -> String {
    ids::hex(Sha256::digest(url).get(..4).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Millis;
    use crate::core::visit::CHANCE_BYTES;
    use crate::core::visit::tests::VISIT;

    fn link(options: &str) -> LinkRecord {
        LinkRecord::from_text(&format!(
            r#"{{"v":1,"i":"link_1","w":"ws_1","d":"a.com","k":"x","u":"https://base.com/","o":{options}}}"#
        ))
        .unwrap()
    }

    const TEST: &str = r#"{"testVariants":[{"url":"https://one.com/","percentage":10},{"url":"https://two.com/","percentage":30}],"testCompletedAt":1763000000001}"#;

    #[test]
    fn variants_come_by_weight() {
        let link = link(TEST);
        let mut counts = [0_u32; 2];
        for n in 0..4000_u32 {
            let mut chance = VISIT.chance;
            chance[20..24].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
            let chosen = variant(&link, &RequestFacts { chance, ..VISIT }).unwrap();
            counts[usize::from(chosen.number) - 1] += 1;
        }
        assert!((900..1100).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn a_visitor_stays_with_a_variant() {
        let link = link(TEST);
        for number in [1, 2] {
            let url = ["https://one.com/", "https://two.com/"][number - 1];
            let cookie = format!("pimms_test_a.com_x={}", mark(url));
            for byte in 0..=255 {
                let facts = RequestFacts { cookie: &cookie, chance: [byte; CHANCE_BYTES], ..VISIT };
                assert_eq!(usize::from(variant(&link, &facts).unwrap().number), number);
            }
        }
        let forged = RequestFacts { cookie: "pimms_test_a.com_x=https://evil.com/", ..VISIT };
        assert!(variant(&link, &forged).unwrap().url.ends_with(".com/"));
    }

    #[test]
    fn a_test_has_a_beginning_and_an_end() {
        let over = RequestFacts { now: Millis(1_763_000_000_001), ..VISIT };
        assert_eq!(variant(&link(TEST), &over), None);
        let later =
            TEST.replace("\"testCompletedAt\"", "\"testStartedAt\":1763000000001,\"testCompletedAt\"");
        assert_eq!(variant(&link(&later), &VISIT), None);
        assert_eq!(
            variant(
                &link(
                    r#"{"testVariants":[{"url":"https://one.com/","percentage":10}],"testCompletedAt":9763000000001}"#
                ),
                &VISIT
            ),
            None
        );
        let zero = TEST.replace("10}", "0}").replace("30}", "0}");
        assert_eq!(variant(&link(&zero), &VISIT).unwrap().number, 1);
    }

    #[test]
    fn conditions() {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1";
        let phone = RequestFacts { user_agent: iphone, ..VISIT };
        for (conditions, facts, expected) in [
            (r#"[{"language":"fr"}]"#, RequestFacts { accept_language: "fr-CA,en;q=0.5", ..VISIT }, true),
            (r#"[{"language":"fr-FR"}]"#, RequestFacts { accept_language: "fr-CA", ..VISIT }, false),
            (r#"[{"language":"fr"}]"#, VISIT, false),
            (r#"[{"query":{"name":"ref"}}]"#, RequestFacts { query: "a=1&ref", ..VISIT }, true),
            (r#"[{"query":{"name":"ref","value":"x y"}}]"#, RequestFacts { query: "ref=x+y", ..VISIT }, true),
            (r#"[{"query":{"name":"ref","value":"x"}}]"#, RequestFacts { query: "ref=z", ..VISIT }, false),
            (r#"[{"after":1763000000000}]"#, VISIT, true),
            (r#"[{"after":1763000000001}]"#, VISIT, false),
            (r#"[{"before":1763000000001}]"#, VISIT, true),
            (r#"[{"before":1763000000000}]"#, VISIT, false),
            (r#"[{"browser":"chrome"}]"#, VISIT, true),
            (r#"[{"browser":"Mobile Safari"}]"#, phone, true),
            (r#"[{"browser":"Firefox"}]"#, VISIT, false),
            (r#"[{"device":"ios"}]"#, phone, true),
            (r#"[{"device":"mobile"}]"#, phone, true),
            (r#"[{"device":"desktop"}]"#, VISIT, true),
            (r#"[{"device":"android"}]"#, phone, false),
            (r#"[{"country":"us"}]"#, VISIT, true),
            (r#"[{"country":""}]"#, RequestFacts { country: "", ..VISIT }, false),
            (r#"[{"country":"US"},{"device":"ios"}]"#, phone, true),
            (r#"[{"country":"FR"},{"device":"ios"}]"#, phone, false),
            ("[]", VISIT, false),
        ] {
            let options = format!(r#"{{"rules":[{{"conditions":{conditions},"url":"https://rule.com/"}}]}}"#);
            let link = link(&options);
            assert_eq!(special(&link, &facts), expected.then_some("https://rule.com/"), "{conditions}");
        }
    }

    #[test]
    fn the_first_rule_then_device_then_country() {
        let link = link(
            r#"{"ios":"https://ios.com/","android":"https://android.com/","geo":{"FR":"https://fr.com/"},"rules":[{"conditions":[{"query":{"name":"a"}}],"url":"https://a.com/"},{"conditions":[{"query":{"name":"b"}}],"url":"https://b.com/"}]}"#,
        );
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X)";
        let android = "Mozilla/5.0 (Linux; Android 14; Pixel 8)";
        for (query, user_agent, country, expected) in [
            ("b&a", iphone, "FR", Some("https://a.com/")),
            ("b", iphone, "FR", Some("https://b.com/")),
            ("", iphone, "FR", Some("https://ios.com/")),
            ("", android, "FR", Some("https://android.com/")),
            ("", "", "FR", Some("https://fr.com/")),
            ("", "", "DE", None),
            ("", "", "", None),
        ] {
            let facts = RequestFacts { query, country, user_agent, ..VISIT };
            assert_eq!(special(&link, &facts), expected, "{query} {user_agent} {country}");
        }
    }
}
