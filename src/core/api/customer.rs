//! A customer as the API shows it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::link::{Figures, iso, short_link, unconverted};
use crate::core::ledger::messages::Shown;
use crate::core::ledger::view::CustomerView;
use crate::core::problem::Problem;
use crate::core::sql::Where;
use crate::core::time::Millis;
use crate::core::validate::Query;

/// A row of `customers`, with the country of its latest click and its link.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Customer {
    /// `cus_…`
    pub id: String,
    /// The owner's id; a guest has none.
    pub external_id: Option<String>,
    /// As last told.
    pub name: Option<String>,
    /// As last told.
    pub email: Option<String>,
    /// As last told.
    pub avatar: Option<String>,
    /// As the owner told it, else of the latest click.
    pub country: Option<String>,
    /// The earliest thing known of it.
    pub created_at: Millis,
    /// The first payment.
    pub first_sale_at: Option<Millis>,
    /// When the last subscription ended, if none is left.
    pub subscription_canceled_at: Option<Millis>,
    /// [`CustomerView`] as JSON.
    pub body: String,
    /// The link of the latest click.
    pub link_id: Option<String>,
    /// Of that link.
    pub link_domain: Option<String>,
    /// Of that link.
    pub link_key: Option<String>,
    /// Of that link.
    pub link_url: Option<String>,
}

impl Customer {
    /// What the ledger says of the person.
    #[must_use]
    pub fn view(&self) -> CustomerView {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The customer object of the wire contract 6.1, with Dub's fields.
    #[must_use]
    pub fn shown(&self, figures: &Figures) -> Value {
        let view = self.view();
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("id", self.id.as_str().into());
        // Typed clients insist on a text; a guest has an empty one.
        put("externalId", self.external_id.clone().unwrap_or_default().into());
        put("name", shown_name(self.name.as_deref(), self.email.as_deref(), &self.id).into());
        put("email", self.email.clone().into());
        put("avatar", self.avatar.clone().into());
        put("country", self.country.clone().into());
        put("anonymousId", Value::Null);
        put("stripeCustomerId", view.stripe_ids.last().map(|stripe| stripe.id.clone()).into());
        put("totalClicks", view.touches.len().into());
        put("hotScore", 0.into());
        put("lastHotScoreAt", Value::Null);
        put("lastEventAt", iso(view.touches.last().map(|touch| touch.at).max(self.first_sale_at)));
        put("createdAt", self.created_at.to_iso().into());
        put("leads", figures.leads.into());
        put("sales", figures.sales.into());
        put("saleAmount", figures.sale_amount.into());
        if !figures.unconverted.is_empty() {
            put("unconverted", unconverted(&figures.unconverted));
        }
        put("firstSaleAt", iso(self.first_sale_at));
        put("subscriptionCanceledAt", iso(self.subscription_canceled_at));
        put("programId", Value::Null);
        if let Some(link) = self.link() {
            put("link", link);
        }
        Value::Object(shown)
    }

    /// Whether the row has what the ledger last said of the person.
    #[must_use]
    pub fn is_shown_as(&self, shown: &Shown) -> bool {
        (&self.external_id, &self.name, &self.email, &self.avatar, &self.view().country)
            == (&shown.external_id, &shown.name, &shown.email, &shown.avatar, &shown.country)
    }

    /// The row as it will be, while the projection is behind: `before`, with what the ledger says now.
    #[must_use]
    pub fn told(id: &str, shown: &Shown, before: Option<&Self>, now: Millis) -> Self {
        let Shown { external_id, name, email, avatar, country, .. } = shown.clone();
        let before = before.cloned().unwrap_or_else(|| Self { created_at: now, ..Self::default() });
        let country = country.or_else(|| before.country.clone());
        Self { id: id.to_owned(), external_id, name, email, avatar, country, ..before }
    }

    fn link(&self) -> Option<Value> {
        let (id, domain, key) = (self.link_id.as_ref()?, self.link_domain.as_ref()?, self.link_key.as_ref()?);
        let url = self.link_url.as_deref().unwrap_or_default();
        let short_link = short_link(domain, key);
        Some(
            json!({"id": id, "domain": domain, "key": key, "shortLink": short_link, "url": url, "programId": null}),
        )
    }
}

/// What the customer did, newest first, and how long the first click took to become a lead and a payment, in ms.
///
/// `hot` of the wire contract 6.1 is a score that nothing here computes.
#[must_use]
pub fn activity(customer: &Value, times: [Option<Millis>; 3], mut events: Vec<Value>) -> Value {
    let [clicked, lead, sale] = times;
    let since = |at: Option<Millis>| Some(at?.0.saturating_sub(clicked?.0)).filter(|ms| *ms >= 0);
    let at = |event: &Value| event.get("timestamp").and_then(Value::as_str).unwrap_or_default().to_owned();
    events.sort_by_key(|event| std::cmp::Reverse(at(event)));
    json!({
        "ltv": customer.get("saleAmount"),
        "timeToLead": since(lead),
        "timeToSale": since(sale),
        "events": events,
        "link": customer.get("link"),
        "hot": null,
    })
}

/// A customer's name, else its e-mail address, else a name made from its id: the same on every call.
#[must_use]
pub fn shown_name(name: Option<&str>, email: Option<&str>, id: &str) -> String {
    const FIRST: [&str; 16] = [
        "Amber", "Brisk", "Calm", "Clever", "Coral", "Gentle", "Golden", "Happy", "Indigo", "Jolly",
        "Lively", "Misty", "Quiet", "Silver", "Sunny", "Swift",
    ];
    const SECOND: [&str; 16] = [
        "Alpine", "Autumn", "Desert", "Evening", "Forest", "Harbour", "Island", "Meadow", "Morning",
        "Northern", "Ocean", "Prairie", "River", "Southern", "Summer", "Winter",
    ];
    const THIRD: [&str; 16] = [
        "Badger", "Crane", "Falcon", "Fox", "Heron", "Ibex", "Lark", "Lynx", "Marten", "Otter", "Owl",
        "Panda", "Robin", "Seal", "Sparrow", "Wolf",
    ];
    if let Some(given) = name.or(email).filter(|text| !text.trim().is_empty()) {
        return given.to_owned();
    }
    let digest = Sha256::digest(id.as_bytes());
    let mut bytes = digest.iter().map(|byte| usize::from(byte % 16));
    let mut word =
        |words: [&'static str; 16]| bytes.next().and_then(|at| words.get(at).copied()).unwrap_or("");
    format!("{} {} {}", word(FIRST), word(SECOND), word(THIRD))
}

/// What customers are sorted by; `m.amount` is a customer's money.
pub const ORDERS: [(&str, &str); 4] = [
    ("createdAt", "k.created_at"),
    ("saleAmount", "COALESCE(m.amount, 0)"),
    ("firstSaleAt", "COALESCE(k.first_sale_at, 0)"),
    ("subscriptionCanceledAt", "COALESCE(k.subscription_canceled_at, 0)"),
];

/// Which customers a list or count means: over `customers AS k`, its click `c`.
///
/// # Errors
/// 422.
pub fn condition(query: &Query, workspace_id: &str) -> Result<Where, Problem> {
    let mut all = Where::default();
    let text = "k.workspace_id = ? AND k.mode = ? AND k.visible = 1 AND k.merged_into IS NULL";
    all.and(text, [workspace_id.into(), query.mode()?.as_str().into()]);
    if let Some(email) = query.text_up_to("email", 255)? {
        all.and("k.email = ? COLLATE NOCASE", [email.into()]);
    }
    if let Some(id) = query.text_up_to("externalId", 260)? {
        let id = id.strip_prefix("ext_").unwrap_or(id);
        // Every external id a customer ever had finds it, not only the latest.
        let text = "k.external_id = ? OR EXISTS \
                    (SELECT 1 FROM json_each(k.body, '$.externalIds') e WHERE e.value = ?)";
        all.and(text, [id.into(), id.into()]);
    }
    if let Some(country) = query.text_up_to("country", 2)? {
        all.and("COALESCE(k.country, c.country) = ?", [country.to_ascii_uppercase().into()]);
    }
    if let Some(link) = query.text_up_to("linkId", 300)? {
        all.and("k.link_id = ?", [link.into()]);
    }
    if let Some(search) = query.text_up_to("search", 200)? {
        let text = "instr(lower(COALESCE(k.name, '')), lower(?)) > 0 OR instr(lower(COALESCE(k.email, '')), lower(?)) > 0 \
                    OR instr(lower(COALESCE(k.external_id, '')), lower(?)) > 0 OR k.id = ?";
        all.and(text, [search.into(), search.into(), search.into(), search.into()]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_the_same() {
        assert_eq!(shown_name(Some("Ada"), Some("a@b.co"), "cus_1"), "Ada");
        assert_eq!(shown_name(None, Some("a@b.co"), "cus_1"), "a@b.co");
        let made = shown_name(None, None, "cus_1");
        assert_eq!(made, shown_name(Some(" "), None, "cus_1"));
        assert_eq!(made.split(' ').count(), 3);
        assert_ne!(made, shown_name(None, None, "cus_2"));
    }

    #[test]
    fn activity_is_newest_first_and_time_runs_from_the_click() {
        let event = |at: &str| json!({"timestamp": at});
        let events = vec![event("2030-01-01T00:00:00.000Z"), event("2030-01-02T00:00:00.000Z")];
        let customer = json!({"saleAmount": 5});
        let times = [Some(Millis(10)), Some(Millis(15)), None];
        let found = activity(&customer, times, events);
        assert_eq!(
            (&found["ltv"], &found["timeToLead"], &found["timeToSale"]),
            (&json!(5), &json!(5), &json!(null))
        );
        assert_eq!(found["events"][0]["timestamp"], "2030-01-02T00:00:00.000Z");
        for times in [[None, Some(Millis(15)), None], [Some(Millis(20)), Some(Millis(15)), None]] {
            assert_eq!(activity(&customer, times, Vec::new())["timeToLead"], json!(null), "{times:?}");
        }
    }

    #[test]
    fn filters_are_joined_and_bound() {
        let query =
            Query::parse("email=A@b.co&externalId=ext_u1&country=fr&linkId=link_1&search=%25&mode=test");
        let found = condition(&query, "ws_1").unwrap();
        assert_eq!(found.text().matches('?').count(), found.binds().len());
        for value in ["ws_1", "test", "A@b.co", "u1", "FR", "link_1", "%"] {
            assert!(found.binds().contains(&value.into()), "{value}");
        }
        assert!(condition(&Query::parse("mode=x"), "ws_1").is_err());
    }

    #[test]
    fn a_guest_is_shown_like_anybody() {
        let row = serde_json::json!({"id": "cus_1", "created_at": 0, "body": "{}"});
        let customer: Customer = serde_json::from_value(row).unwrap();
        let shown = customer.shown(&Figures::default());
        assert_eq!((shown["externalId"].as_str(), shown["email"].is_null()), (Some(""), true));
        assert_eq!(shown.get("link"), None);
        assert_eq!((shown["sales"].as_i64(), shown["totalClicks"].as_i64()), (Some(0), Some(0)));
    }
}
