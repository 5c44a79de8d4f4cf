//! Clicks, leads and sales as `GET /events` shows them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::customer::shown_name;
use super::link::unconverted;
use super::sale::parsed;
use crate::core::figures::Sum;
use crate::core::time::Millis;

/// A click with its place and device; every field empty when its row is lost.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "named as the query names its columns")]
pub struct Click {
    click_id: Option<String>,
    click_at: Option<Millis>,
    click_url: Option<String>,
    continent: Option<String>,
    country: Option<String>,
    region: Option<String>,
    city: Option<String>,
    device: Option<String>,
    browser: Option<String>,
    os: Option<String>,
    ua: Option<String>,
    ip: Option<String>,
    qr: Option<i64>,
    source: Option<String>,
    referer: Option<String>,
    referer_url: Option<String>,
}

/// Who did it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "named as the query names its columns")]
pub struct Person {
    customer_id: Option<String>,
    customer_external_id: Option<String>,
    customer_name: Option<String>,
    customer_email: Option<String>,
    customer_avatar: Option<String>,
    customer_created_at: Option<Millis>,
    customer_first_sale_at: Option<Millis>,
    customer_clicks: Option<i64>,
}

/// What was done, when and on which link.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "named as the query names its columns")]
pub struct Event {
    /// Of the click, lead or sale.
    pub id: String,
    /// When.
    pub at: Millis,
    /// `None`: unattributed.
    pub link_id: Option<String>,
    /// Of the event, when its click's row is lost.
    #[serde(default)]
    pub event_click_id: Option<String>,
    #[serde(default)]
    event_name: Option<String>,
    #[serde(default)]
    quantity: Option<i64>,
    #[serde(default)]
    metadata: Option<String>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    processor: Option<String>,
    #[serde(default)]
    invoice_id: Option<String>,
    /// Of an entry: `refund`, `dispute`, `reinstated`.
    #[serde(default)]
    kind: Option<String>,
    /// The sale that an entry undoes.
    #[serde(default)]
    sale_id: Option<String>,
    #[serde(default)]
    sale_at: Option<Millis>,
    /// `re_…`, `dp_…`, `ch_…`
    #[serde(default)]
    reference: Option<String>,
}

/// Which list it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Clicks.
    Click,
    /// Leads.
    Lead,
    /// Sales.
    Sale,
    /// What was paid back.
    Refund,
    /// What was disputed, and what of it came back.
    Dispute,
}

/// The words of `?event=` on `GET /events`, and which kinds each means.
pub const KINDS: [(&str, &[Kind]); 6] = [
    ("clicks", &[Kind::Click]),
    ("leads", &[Kind::Lead]),
    ("sales", &[Kind::Sale]),
    ("refunds", &[Kind::Refund]),
    ("disputes", &[Kind::Dispute]),
    ("all", &[Kind::Click, Kind::Lead, Kind::Sale, Kind::Refund, Kind::Dispute]),
];

/// One event with its click and its customer.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// When and on which link.
    pub event: Event,
    /// The click that brought it; of a click, itself.
    pub click: Click,
    /// Nobody, for a click.
    pub person: Person,
}

/// Events of several kinds as one list: by time, then by id, from after `skipped` of them.
#[must_use]
pub fn merged(mut found: Vec<Found>, ascending: bool, skipped: usize, limit: usize) -> Vec<Found> {
    found.sort_by(|a, b| (a.event.at, &a.event.id).cmp(&(b.event.at, &b.event.id)));
    if !ascending {
        found.reverse();
    }
    found.into_iter().skip(skipped).take(limit).collect()
}

impl Click {
    /// With the id and time of whatever names it, for when its row is lost; `null` when nothing names one.
    #[must_use]
    pub fn shown(&self, id: Option<&str>, at: Millis) -> Value {
        let Some(id) = self.click_id.as_deref().or(id) else { return Value::Null };
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "Unknown".to_owned());
        let country = text(&self.country);
        let region = text(&self.region);
        let region = if region == "Unknown" { region } else { format!("{country}-{region}") };
        let referer_url = self.referer_url.clone().unwrap_or_default();
        json!({
            "id": id,
            "timestamp": self.click_at.unwrap_or(at).to_iso(),
            "url": self.click_url.clone().unwrap_or_default(),
            "country": country,
            "city": text(&self.city),
            "region": region,
            "continent": self.continent.clone().unwrap_or_default(),
            "device": text(&self.device),
            "browser": text(&self.browser),
            "os": text(&self.os),
            "ua": self.ua,
            "trigger": self.trigger(),
            "referer": self.referer.clone().unwrap_or_else(|| "(direct)".to_owned()),
            "refererUrl": referer_url.split('?').next().unwrap_or_default(),
            "qr": self.is_qr(),
            "ip": self.ip.clone().unwrap_or_default(),
        })
    }

    fn is_qr(&self) -> bool {
        self.qr.is_some_and(|qr| qr != 0)
    }

    fn trigger(&self) -> &str {
        if self.is_qr() { "qr" } else { self.source.as_deref().unwrap_or("link") }
    }
}

impl Person {
    /// With how many rows of the page are theirs.
    #[must_use]
    pub fn shown(&self, conversions: usize) -> Value {
        let id = self.customer_id.clone().unwrap_or_default();
        json!({
            "id": id,
            "externalId": self.customer_external_id.clone().unwrap_or_default(),
            "name": shown_name(self.customer_name.as_deref(), self.customer_email.as_deref(), &id),
            "email": self.customer_email.clone().unwrap_or_default(),
            "avatar": self.customer_avatar.clone().unwrap_or_default(),
            "country": Value::Null,
            "totalClicks": self.customer_clicks.unwrap_or(0),
            "hotScore": 0,
            "lastHotScoreAt": Value::Null,
            "lastEventAt": Value::Null,
            "createdAt": self.customer_created_at.map(Millis::to_iso),
            "firstSaleAt": self.customer_first_sale_at.map(Millis::to_iso),
            "conversions": conversions,
        })
    }

    /// Whose it is; `""`: nobody's.
    #[must_use]
    pub fn id(&self) -> &str {
        self.customer_id.as_deref().unwrap_or_default()
    }
}

impl Found {
    /// The event that its word says, and its name.
    fn names(&self) -> (&'static str, String) {
        let name = self.event.event_name.clone().unwrap_or_default();
        match (self.kind, self.event.kind.as_deref()) {
            (Kind::Click, _) => ("click", name),
            (Kind::Lead, _) => ("lead", name),
            (Kind::Sale, _) => ("sale", name),
            (Kind::Refund, _) => ("refund", "Refund".to_owned()),
            (Kind::Dispute, Some("reinstated")) => ("dispute", "Dispute won".to_owned()),
            (Kind::Dispute, _) => ("dispute", "Dispute".to_owned()),
        }
    }

    /// The entry of the ledger that undid money. `sum`: its amount in the workspace's currency.
    fn entry(&self, sum: &Sum) -> Value {
        let event = &self.event;
        json!({"id": event.id, "kind": event.kind, "amount": event.amount, "currency": event.currency,
            "converted": sum.rest().is_empty().then_some(sum.amount), "saleId": event.sale_id,
            "saleTimestamp": event.sale_at.map(Millis::to_iso), "invoiceId": event.invoice_id,
            "paymentProcessor": event.processor, "reference": event.reference})
    }
}

/// One row of the list. `link` is the link object or `null`, `conversions` how many rows of this page are the
/// customer's, `net` what is left of a sale, or what an entry moved, in the workspace's currency.
#[must_use]
pub fn shown(found: &Found, link: &Value, conversions: usize, net: &Sum) -> Value {
    let Found { kind, event, click, person } = found;
    let (word, event_name) = found.names();
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    let shown_click = click.shown(event.event_click_id.as_deref(), event.at);
    put("timestamp", event.at.to_iso().into());
    put("link", link.clone());
    put("click", shown_click.clone());
    put("event", word.into());
    if *kind != Kind::Click {
        put("eventId", event.id.as_str().into());
        put("eventName", event_name.into());
        put("metadata", parsed(event.metadata.as_deref()));
        let mut customer = person.shown(conversions);
        if let (Value::Object(customer), Some(country)) = (&mut customer, &click.country) {
            customer.insert("country".to_owned(), country.as_str().into());
        }
        put("customer", customer);
    }
    if matches!(kind, Kind::Refund | Kind::Dispute) {
        // No `saleAmount`: that of the sale is net already, and would be taken off twice.
        put("entry", found.entry(net));
    }
    if matches!(kind, Kind::Lead | Kind::Sale) {
        put("saleAmount", net.amount.into());
        let processor = event.processor.as_deref().unwrap_or("custom");
        put(
            "sale",
            json!({"amount": event.amount.unwrap_or(0), "currency": event.currency,
            "invoiceId": event.invoice_id, "paymentProcessor": processor}),
        );
        if *kind == Kind::Sale {
            put("invoice_id", event.invoice_id.clone().unwrap_or_default().into());
            put("payment_processor", processor.into());
            if !net.rest().is_empty() {
                put("unconverted", unconverted(&net.rest()));
            }
        } else {
            put("quantity", event.quantity.unwrap_or(1).into());
        }
    }
    // Deprecated flat copies, which typed clients insist on.
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    put("click_id", text(shown_click.get("id")).into());
    put("link_id", event.link_id.clone().unwrap_or_default().into());
    put("domain", text(link.get("domain")).into());
    put("key", text(link.get("key")).into());
    for name in ["url", "continent", "country", "city", "device", "browser", "os", "ip"] {
        put(name, text(shown_click.get(name)).into());
    }
    put("qr", i64::from(click.is_qr()).into());
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_kind_has_its_fields() {
        let event: Event = read(json!({"id": "sale_1", "at": 1_902_589_200_000_i64, "link_id": "link_1",
            "event_name": "Purchase", "amount": 4900, "currency": "usd", "processor": "stripe", "invoice_id": "in_1",
            "metadata": "{\"a\":1}"}));
        let click: Click =
            read(json!({"click_id": "c1", "click_at": 1, "country": "US", "region": "CA", "qr": 1,
            "referer_url": "https://a.co/x?y=1", "click_url": "https://acme.com/"}));
        let person: Person = read(json!({"customer_id": "cus_1", "customer_email": "a@b.co"}));
        let link = json!({"id": "link_1", "domain": "go.acme.com", "key": "launch"});
        let net = Sum { amount: 4900, ..Sum::default() };
        let of = |kind| Found { kind, event: event.clone(), click: click.clone(), person: person.clone() };
        let sale = shown(&of(Kind::Sale), &link, 2, &net);
        for (path, expected) in [
            ("/event", json!("sale")),
            ("/timestamp", json!("2030-04-16T17:00:00.000Z")),
            ("/sale/amount", json!(4900)),
            ("/sale/paymentProcessor", json!("stripe")),
            ("/saleAmount", json!(4900)),
            ("/invoice_id", json!("in_1")),
            ("/click/region", json!("US-CA")),
            ("/click/trigger", json!("qr")),
            ("/click/refererUrl", json!("https://a.co/x")),
            ("/customer/name", json!("a@b.co")),
            ("/customer/conversions", json!(2)),
            ("/metadata/a", json!(1)),
            ("/key", json!("launch")),
            ("/qr", json!(1)),
            ("/country", json!("US")),
        ] {
            assert_eq!(sale.pointer(path), Some(&expected), "{path}");
        }
        let clicked = shown(&of(Kind::Click), &link, 0, &net);
        assert_eq!((clicked["event"].as_str(), clicked.get("sale")), (Some("click"), None));
        let lead = shown(&of(Kind::Lead), &link, 0, &Sum::default());
        assert_eq!((lead["event"].as_str(), lead["saleAmount"].as_i64()), (Some("lead"), Some(0)));
    }

    #[test]
    fn an_event_without_click_says_so() {
        let bare = |kind, event| {
            let found = Found { kind, event, click: Click::default(), person: Person::default() };
            shown(&found, &Value::Null, 1, &Sum::default())
        };
        let row = bare(Kind::Sale, read(json!({"id": "sale_1", "at": 0})));
        assert!(row["click"].is_null() && row["link"].is_null());
        assert_eq!((row["click_id"].as_str(), row["invoice_id"].as_str()), (Some(""), Some("")));
        let named = read(json!({"id": "lead_1", "at": 0, "link_id": "l", "event_click_id": "c9"}));
        let row = bare(Kind::Lead, named);
        assert_eq!(
            (row["click"]["id"].as_str(), row["click"]["country"].as_str()),
            (Some("c9"), Some("Unknown"))
        );
    }

    #[test]
    fn what_undid_money_says_how_much_and_of_which_sale() {
        for (kind, word, of, name, amount, converted) in [
            (Kind::Refund, "refund", "refund", "Refund", -900, Some(-990)),
            (Kind::Dispute, "dispute", "dispute", "Dispute", -4000, Some(-4400)),
            (Kind::Dispute, "dispute", "reinstated", "Dispute won", 4000, None),
        ] {
            let event =
                read(json!({"id": "ent_1", "at": 5, "kind": word, "amount": amount, "currency": "eur",
                "sale_id": "sale_1", "sale_at": 1, "reference": "re_1", "link_id": "link_1"}));
            let mut found = Found { kind, event, click: Click::default(), person: Person::default() };
            found.event.kind = Some(of.to_owned());
            let mut sum = Sum { amount: converted.unwrap_or(0), ..Sum::default() };
            if converted.is_none() {
                sum.unconverted.insert(crate::core::money::Currency::USD, 4000);
            }
            let row = shown(&found, &json!({"id": "link_1"}), 1, &sum);
            for (path, expected) in [
                ("/event", json!(word)),
                ("/eventName", json!(name)),
                ("/entry/kind", json!(of)),
                ("/entry/amount", json!(amount)),
                ("/entry/converted", json!(converted)),
                ("/entry/saleId", json!("sale_1")),
                ("/entry/saleTimestamp", json!("1970-01-01T00:00:00.001Z")),
                ("/link_id", json!("link_1")),
            ] {
                assert_eq!(row.pointer(path), Some(&expected), "{of} {path}");
            }
            assert!(row.get("saleAmount").is_none() && row.get("sale").is_none(), "{row}");
        }
    }

    #[test]
    fn kinds_are_merged_by_time_and_id() {
        let of = |kind, id: &str, at: i64| Found {
            kind,
            event: read(json!({"id": id, "at": at})),
            click: Click::default(),
            person: Person::default(),
        };
        let all = vec![
            of(Kind::Click, "c", 3),
            of(Kind::Click, "a", 1),
            of(Kind::Sale, "b", 3),
            of(Kind::Lead, "d", 2),
        ];
        for (ascending, skipped, limit, expected) in [
            (true, 0, 9, "adbc"),
            (false, 0, 9, "cbda"),
            (false, 1, 2, "bd"),
            (true, 4, 1, ""),
            (true, 2, 1, "b"),
        ] {
            let found: String = merged(all.clone(), ascending, skipped, limit)
                .into_iter()
                .map(|found| found.event.id)
                .collect();
            assert_eq!(found, expected);
        }
    }
}
