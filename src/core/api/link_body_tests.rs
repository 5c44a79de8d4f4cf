use super::*;
use crate::core::link::Condition;
use crate::core::problem::Code;
use serde_json::json;

const NOW: Millis = Millis(1_902_589_200_000);

fn read(body: &Value) -> Result<LinkBody, Problem> {
    LinkBody::parse(&Fields::root(body)?)
}

fn over(link: Link, body: &Value) -> Link {
    read(body).unwrap().over(link, NOW)
}

fn blank() -> Link {
    Link::new("link_1".to_owned(), "ws_1", NOW)
}

#[test]
fn a_link_is_made_of_its_body() {
    let link = over(
        blank(),
        &json!({
            "url": "acme.com/x", "utm_source": "news", "ref": "r", "externalId": "ext_7", "title": "t".repeat(121),
            "expiresAt": "2031-01-01T00:00:00Z", "geo": {"FR": "acme.fr"}, "tenantId": "", "proxy": true,
            "testVariants": [{"url": "https://a.com", "percentage": 50}, {"url": "https://b.com", "percentage": 50}],
            "rules": [{"conditions": [{"language": "fr"}], "url": "https://fr.acme.com"}], "maxClicks": 9,
            "clicks": 99, "workspaceId": "ws_2", "id": "link_2"
        }),
    );
    assert_eq!(link.url, "https://acme.com/x?utm_source=news&ref=r");
    assert_eq!(link.utm[0].as_deref(), Some("news"));
    assert_eq!(link.external_id.as_deref(), Some("7"));
    assert_eq!(link.title.as_deref(), Some(format!("{}...", "t".repeat(117)).as_str()));
    assert_eq!(link.expires_at, Millis::parse("2031-01-01"));
    assert_eq!(link.options.geo["FR"], "https://acme.fr");
    assert_eq!((link.options.test_variants.len(), link.options.max_clicks), (2, Some(9)));
    assert_eq!(link.options.rules[0].conditions, [Condition::Language("fr".to_owned())]);
    assert!(link.track_conversion && link.options.proxy && link.tenant_id.is_none());
    // Fields nobody may set are not read.
    assert_eq!((link.clicks, link.workspace_id.as_str(), link.id.as_str()), (0, "ws_1", "link_1"));
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let old = over(
        blank(),
        &json!({
            "url": "https://acme.com/?utm_source=a&utm_medium=m", "geo": {"FR": "https://acme.fr"}, "title": "T",
            "expiresAt": "2031-01-01", "trackConversion": false, "archived": true, "webhookIds": ["wh_1"],
            "testVariants": [{"url": "https://a.com", "percentage": 50}, {"url": "https://b.com", "percentage": 50}]
        }),
    );
    let same = over(old.clone(), &json!({}));
    assert_eq!(same, old);
    let changed =
        over(old.clone(), &json!({"title": null, "utm_source": "b", "utm_medium": null, "archived": false}));
    assert_eq!(changed.url, "https://acme.com/?utm_source=b");
    assert_eq!((changed.title, changed.archived), (None, false));
    assert_eq!((changed.options, changed.expires_at), (old.options.clone(), old.expires_at));
    let moved = over(old.clone(), &json!({"url": "https://acme.com/y"}));
    assert_eq!(moved.utm, utm::Utm::default(), "a new destination brings its own UTM values");
    let cleared = over(old, &json!({"geo": null, "testVariants": [], "expiresAt": "", "webhookIds": []}));
    assert!(cleared.options.is_empty() && cleared.expires_at.is_none());
}

#[test]
fn a_link_is_switched_off_and_on() {
    let off = over(blank(), &json!({"disabled": true}));
    assert_eq!(off.disabled_at, Some(NOW));
    let later = read(&json!({"disabled": true})).unwrap().over(off.clone(), Millis(NOW.0 + 1));
    assert_eq!(later.disabled_at, Some(NOW), "already off");
    assert_eq!(over(off, &json!({"disabled": false})).disabled_at, None);
}

#[test]
fn what_is_refused() {
    for (body, message) in [
        (json!([]), "invalid_type: : Expected object, received array"),
        (json!({"url": 1}), "invalid_type: url: Expected string, received number"),
        (json!({"url": "javascript:alert(1)"}), "custom: url: Invalid URL: use http"),
        (json!({"url": "not a url"}), "custom: url: Invalid URL"),
        (json!({"url": format!("https://acme.com/{}", "a".repeat(5000))}), "too_big: url: "),
        (json!({"ios": "data:x"}), "custom: ios: Invalid URL"),
        (json!({"expiredUrl": "nope"}), "custom: expiredUrl: Invalid URL"),
        (json!({"key": "a b"}), "custom: key: Key contains"),
        (json!({"key": "_x"}), "custom: key: Key must not"),
        (json!({"keyLength": 2}), "too_small: keyLength: "),
        (json!({"geo": {"UK": "https://a.co"}}), "invalid_enum_value: geo.UK: "),
        (json!({"geo": {"GB": "javascript:1"}}), "custom: geo.GB: Invalid URL"),
        (json!({"geo": []}), "invalid_type: geo: Expected object, received array"),
        (json!({"testVariants": [{"url": "https://a.co", "percentage": 50}]}), "too_small: testVariants: "),
        (
            json!({"testVariants": [{"url": "https://a.co", "percentage": 5}, {"url": "https://a.co", "percentage": 5}]}),
            "too_small: testVariants[0].percentage: ",
        ),
        (
            json!({"testVariants": [{"url": "data:x", "percentage": 50}, {"url": "https://a.co", "percentage": 5}]}),
            "custom: testVariants[0].url: Invalid URL",
        ),
        (json!({"rules": [{"url": "https://a.co", "conditions": []}]}), "too_small: rules[0].conditions: "),
        (
            json!({"rules": [{"url": "https://a.co", "conditions": [{"moon": "full"}]}]}),
            "custom: rules[0].conditions[0]: ",
        ),
        (json!({"expiresAt": "in 2 days"}), "invalid_date: expiresAt: "),
        (json!({"trackConversion": "true"}), "invalid_type: trackConversion: Expected boolean"),
        (json!({"tagIds": [1]}), "invalid_type: tagIds[0]: Expected string"),
        (json!({"utm_source": "x".repeat(191)}), "too_big: utm_source: "),
        (json!({"maxClicks": 0}), "too_small: maxClicks: "),
        (json!({"externalId": "x".repeat(256)}), "custom: externalId: at most"),
    ] {
        let found = read(&body).unwrap_err().message;
        assert!(found.starts_with(message), "{body}: {found}");
    }
    assert_eq!(read(&json!({"key": "robots.txt"})).unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_deprecated_tag_id_counts_when_there_are_no_tag_ids() {
    let tags = |body: &Value| read(body).unwrap().tag_ids;
    assert_eq!(tags(&json!({"tagId": "tag_1"})), Given::Value(vec!["tag_1".to_owned()]));
    assert_eq!(tags(&json!({"tagId": "tag_1", "tagIds": "tag_2"})), Given::Value(vec!["tag_2".to_owned()]));
    assert_eq!(tags(&json!({"tagId": null})), Given::Null);
    assert_eq!(tags(&json!({})), Given::Absent);
}
