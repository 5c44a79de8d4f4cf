//! A visit as the queue carries it, written by hand.
//!
//! The same text as `serde_json` makes of a [`Visit`], of which it takes a third: with a click that is a tenth of all that
//! the Worker computes. That it is the same is held by the tests below and by `tests/redirect_properties.rs`; it is
//! read by `serde_json` ([`Visit::all_from_text`]).

use std::fmt::Write as _;

use crate::core::click::{Place, Signals, Visit};

/// Appends the visit to `text`.
pub fn write(text: &mut String, visit: &Visit) {
    let Visit { version, id, workspace_id, link_id, at, visitor, is_known, url, .. } = visit;
    let Visit { ip, place, user_agent, referer, is_qr, signals, fingerprint, fingerprint_before, .. } = visit;
    let _infallible = write!(text, "{{\"v\":{version},\"i\":");
    string(text, id);
    field(text, ",\"w\":", workspace_id);
    field(text, ",\"l\":", link_id);
    let _infallible = write!(text, ",\"at\":{}", at.0);
    field(text, ",\"a\":", visitor);
    flag(text, ",\"k\":true", *is_known);
    field(text, ",\"u\":", url);
    some(text, ",\"ip\":", ip);
    self::place(text, place);
    field(text, ",\"ua\":", user_agent);
    some(text, ",\"ref\":", referer);
    flag(text, ",\"q\":true", *is_qr);
    self::signals(text, signals);
    some(text, ",\"f\":", fingerprint);
    some(text, ",\"g\":", fingerprint_before);
    text.push('}');
}

fn place(text: &mut String, place: &Place) {
    let Place { continent, country, region, city, latitude, longitude, edge_location } = place;
    text.push_str(",\"p\":");
    let start = text.len();
    some(text, ",\"n\":", continent);
    some(text, ",\"c\":", country);
    some(text, ",\"r\":", region);
    some(text, ",\"t\":", city);
    some(text, ",\"y\":", latitude);
    some(text, ",\"x\":", longitude);
    some(text, ",\"e\":", edge_location);
    braces(text, start);
}

fn signals(text: &mut String, signals: &Signals) {
    let Signals { method, purpose, language, variant, says_bot, reported } = signals;
    text.push_str(",\"s\":");
    let start = text.len();
    some(text, ",\"method\":", method);
    some(text, ",\"purpose\":", purpose);
    some(text, ",\"language\":", language);
    if let Some(variant) = variant {
        let _infallible = write!(text, ",\"variant\":{variant}");
    }
    flag(text, ",\"says_bot\":true", *says_bot);
    some(text, ",\"reported\":", reported);
    braces(text, start);
}

/// Makes an object of the fields from `start` on, of which each begins with a comma.
fn braces(text: &mut String, start: usize) {
    if text.len() > start {
        text.replace_range(start..=start, "{");
    } else {
        text.push('{');
    }
    text.push('}');
}

fn flag(text: &mut String, field: &str, is_set: bool) {
    if is_set {
        text.push_str(field);
    }
}

fn some(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        field(text, name, value);
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    string(text, value);
}

fn string(text: &mut String, value: &str) {
    if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        text.push_str(&serde_json::Value::from(value).to_string());
    } else {
        text.push('"');
        text.push_str(value);
        text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Millis;

    #[test]
    fn it_is_what_serde_writes() {
        let full = || "é\"\\\n\u{0}\u{7f}/ü".to_owned();
        for filled in [false, true] {
            let text = || if filled { full() } else { String::new() };
            let visit = Visit {
                version: 1,
                id: text(),
                workspace_id: text(),
                link_id: text(),
                at: Millis(if filled { i64::MIN } else { 0 }),
                visitor: text(),
                is_known: filled,
                url: text(),
                ip: text(),
                place: Place {
                    continent: text(),
                    country: text(),
                    region: text(),
                    city: text(),
                    latitude: text(),
                    longitude: text(),
                    edge_location: text(),
                },
                user_agent: text(),
                referer: text(),
                is_qr: filled,
                signals: Signals {
                    method: text(),
                    purpose: text(),
                    language: text(),
                    variant: filled.then_some(3),
                    says_bot: filled,
                    reported: text(),
                },
                fingerprint: text(),
                fingerprint_before: text(),
            };
            let mut written = String::new();
            write(&mut written, &visit);
            assert_eq!(written, serde_json::to_string(&visit).unwrap());
            assert_eq!(Visit::from_text(&written), Ok(visit));
        }
    }
}
