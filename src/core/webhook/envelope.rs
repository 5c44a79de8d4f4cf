//! The body of a message: `{"id", "event", "createdAt", "data"}`. Source: wire contract 7.2.

use serde_json::{Map, Value, json};

use super::{Subject, Trigger};
use crate::core::time::Millis;

/// Fields of a link that the API shows and events do not. Source: wire contract 5.4.
const UNPUBLISHED: [&str; 4] = ["baseUrl", "identifier", "isConversionCallback", "leadMagnetEnabled"];

/// What was read for a message, each as the API shows it; `null` when there is none.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The link object.
    pub link: Value,
    /// The click.
    pub click: Value,
    /// The customer.
    pub customer: Value,
}

/// The whole message.
#[must_use]
pub fn message(id: &str, trigger: Trigger, created_at: Millis, subject: &Subject, parts: Parts) -> Value {
    json!({"id": id, "event": trigger.name(), "createdAt": created_at.to_iso(), "data": data(trigger, subject, parts)})
}

fn data(trigger: Trigger, subject: &Subject, parts: Parts) -> Value {
    let link = published(parts.link);
    if matches!(trigger, Trigger::LinkCreated | Trigger::LinkUpdated | Trigger::LinkDeleted) {
        return link;
    }
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("click", parts.click);
    put("link", link);
    if trigger == Trigger::LinkClicked {
        return Value::Object(data);
    }
    put("eventName", subject.event_name.clone().unwrap_or_default().into());
    put("customer", person(parts.customer));
    put("partner", Value::Null);
    put(
        "metadata",
        subject.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
    );
    if trigger == Trigger::LeadCreated {
        return Value::Object(data);
    }
    put(
        "sale",
        json!({
            "id": subject.sale_id,
            "amount": subject.amount.unwrap_or(0),
            "currency": subject.currency,
            "paymentProcessor": subject.processor,
            "invoiceId": subject.invoice_id.clone().unwrap_or_default(),
        }),
    );
    let change = json!({"amount": subject.change, "total": subject.total, "currency": subject.currency});
    match trigger {
        Trigger::SaleRefunded => drop(put("refund", change)),
        Trigger::SaleDisputed => drop(put("dispute", change)),
        _ => {}
    }
    Value::Object(data)
}

fn published(mut link: Value) -> Value {
    if let Value::Object(link) = &mut link {
        for name in UNPUBLISHED {
            link.remove(name);
        }
    }
    link
}

/// What only lists of events know of a person goes.
fn person(mut customer: Value) -> Value {
    if let Value::Object(customer) = &mut customer {
        customer.remove("country");
        customer.remove("conversions");
    }
    customer
}

/// A message that tells of nothing, to try a webhook with.
#[must_use]
pub fn sample(id: &str, trigger: Trigger, now: Millis) -> Value {
    let at = now.to_iso();
    let link = json!({"id": "link_sample", "domain": "go.example.com", "key": "sample", "url": "https://example.com/",
        "shortLink": "https://go.example.com/sample", "trackConversion": true, "archived": false, "externalId": null,
        "clicks": 1, "leads": 1, "sales": 1, "saleAmount": 4900, "tags": [], "webhookIds": [], "createdAt": at,
        "updatedAt": at, "lastClicked": at});
    let click = json!({"id": "sampleSampleSample", "timestamp": at, "url": "https://example.com/", "country": "FR",
        "city": "Paris", "region": "FR-IDF", "continent": "EU", "device": "Desktop", "browser": "Chrome",
        "os": "Mac OS", "referer": "(direct)", "refererUrl": "(direct)", "qr": false, "ip": ""});
    let customer = json!({"id": "cus_sample", "externalId": "sample", "name": "Sample", "email": "sample@example.com",
        "avatar": "", "createdAt": at});
    let change = matches!(trigger, Trigger::SaleRefunded | Trigger::SaleDisputed).then_some(4900);
    let subject = Subject {
        event_name: Some(if trigger == Trigger::LeadCreated { "Sign up" } else { "Purchase" }.to_owned()),
        sale_id: Some("sale_sample".to_owned()),
        amount: Some(4900),
        currency: Some("usd".to_owned()),
        processor: Some("stripe".to_owned()),
        invoice_id: Some("in_sample".to_owned()),
        change,
        total: change,
        ..Subject::default()
    };
    message(id, trigger, now, &subject, Parts { link, click, customer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &Value) -> Vec<&str> {
        let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn each_kind_has_its_shape() {
        let parts = || Parts {
            link: json!({"id": "link_1", "baseUrl": "x", "identifier": null, "isConversionCallback": false,
                "leadMagnetEnabled": false, "expiresAt": null}),
            click: json!({"id": "c1"}),
            customer: json!({"id": "cus_1", "country": "FR", "conversions": 1, "externalId": ""}),
        };
        let subject = Subject {
            event_name: Some("Purchase".to_owned()),
            amount: Some(4900),
            currency: Some("usd".to_owned()),
            processor: Some("stripe".to_owned()),
            metadata: Some(r#"{"a":1}"#.to_owned()),
            change: Some(-100),
            total: Some(0),
            ..Subject::default()
        };
        let conversion = ["click", "customer", "eventName", "link", "metadata", "partner"];
        for (trigger, more) in [
            (Trigger::LeadCreated, vec![]),
            (Trigger::SaleCreated, vec!["sale"]),
            (Trigger::SaleRefunded, vec!["refund", "sale"]),
            (Trigger::SaleDisputed, vec!["dispute", "sale"]),
        ] {
            let made = message("evt_1", trigger, Millis(1_902_589_200_000), &subject, parts());
            assert_eq!(names(&made), ["createdAt", "data", "event", "id"]);
            assert_eq!(made["createdAt"], "2030-04-16T17:00:00.000Z");
            let mut expected = [conversion.as_slice(), &more].concat();
            expected.sort_unstable();
            assert_eq!(names(&made["data"]), expected, "{trigger:?}");
            assert_eq!(made["data"]["customer"], json!({"id": "cus_1", "externalId": ""}));
            assert_eq!(made["data"]["link"], json!({"id": "link_1", "expiresAt": null}), "never 1970");
            assert_eq!(made["data"]["metadata"], json!({"a": 1}));
        }
        let sale = message("evt_1", Trigger::SaleRefunded, Millis(0), &subject, parts());
        assert_eq!(
            sale["data"]["sale"],
            json!({"id": null, "amount": 4900, "currency": "usd", "paymentProcessor": "stripe", "invoiceId": ""})
        );
        assert_eq!(sale["data"]["refund"], json!({"amount": -100, "total": 0, "currency": "usd"}));
        let clicked = message("evt_1", Trigger::LinkClicked, Millis(0), &subject, parts());
        assert_eq!(names(&clicked["data"]), ["click", "link"]);
        for trigger in [Trigger::LinkCreated, Trigger::LinkUpdated, Trigger::LinkDeleted] {
            let made = message("evt_1", trigger, Millis(0), &subject, parts());
            assert_eq!(made["data"]["id"], "link_1", "the link itself");
        }
    }

    #[test]
    fn samples_have_the_shape_of_the_real_thing() {
        for trigger in Trigger::ALL {
            let made = sample("evt_1", trigger, Millis(0));
            assert_eq!(made["event"], trigger.name());
            assert!(made["data"].get("link").or(made["data"].get("shortLink")).is_some(), "{trigger:?}");
            assert_eq!(made["data"].get("refund").is_some(), trigger == Trigger::SaleRefunded);
        }
    }
}
