//! From a Stripe object to facts: one function per kind of object.
//!
//! Every rule of what a field means is here; what the facts add up to is `core::ledger::fold`.

use serde::de::DeserializeOwned;

use super::event::{Envelope, Reader, Reading};
use super::objects::{self as stripe, IdRef, Metadata};
use crate::core::ledger::fact::{
    Body, CustomerChange, DisputeMoment, Fact, PaymentRefs, Person, Presentment, RefundState, SessionState,
    Source, Touch,
};
use crate::core::money::{Currency, MAX_MINOR, total};
use crate::core::time::Millis;

/// A reason in plain words, naming the field.
type Unusable = String;

/// What the object of an event states.
///
/// # Errors
/// The reason why the object cannot be used.
pub(super) fn read(
    envelope: &Envelope,
    object: Option<&str>,
    reader: &Reader<'_>,
) -> Result<Reading, Unusable> {
    let Some(kind) = Kind::of(&envelope.event_type) else { return Ok(Reading::Ignored) };
    let source = Source {
        event_id: envelope.id.clone().ok_or("id: the event has no id")?,
        event_type: envelope.event_type.clone(),
        at: envelope.created.ok_or("created: the event has no time")?,
        account: envelope.account.clone(),
    };
    let object = object.ok_or("data.object: the event has no object")?;
    let body = match kind {
        Kind::Session(told) => session(parse(object)?, told, reader)?,
        Kind::Invoice { paid } => invoice(parse(object)?, paid, reader)?,
        Kind::InvoicePayment => invoice_payment(parse(object)?)?,
        Kind::Intent => intent(parse(object)?, reader)?,
        Kind::Charge { refund } => charge(parse(object)?, refund)?,
        Kind::Refund { failed } => refund(parse(object)?, failed)?,
        Kind::Dispute(moment) => dispute(parse(object)?, moment)?,
        Kind::Customer(change) => customer(parse(object)?, change, reader)?,
        Kind::Subscription(rank) => subscription(parse(object)?, rank, reader)?,
    };
    Ok(Reading::Facts(vec![Fact { source, body }]))
}

/// What a session event says by its type alone.
#[derive(Clone, Copy)]
enum SessionTold {
    Completed,
    Succeeded,
    Failed,
    Expired,
}

/// The event types that are handled.
enum Kind {
    Session(SessionTold),
    Invoice { paid: bool },
    InvoicePayment,
    Intent,
    Charge { refund: bool },
    Refund { failed: bool },
    Dispute(DisputeMoment),
    Customer(CustomerChange),
    Subscription(u8),
}

impl Kind {
    fn of(event_type: &str) -> Option<Self> {
        Some(match event_type {
            "checkout.session.completed" => Self::Session(SessionTold::Completed),
            "checkout.session.async_payment_succeeded" => Self::Session(SessionTold::Succeeded),
            "checkout.session.async_payment_failed" => Self::Session(SessionTold::Failed),
            "checkout.session.expired" => Self::Session(SessionTold::Expired),
            "invoice.paid" => Self::Invoice { paid: true },
            "invoice.voided" => Self::Invoice { paid: false },
            "invoice_payment.paid" => Self::InvoicePayment,
            "payment_intent.succeeded" => Self::Intent,
            "charge.succeeded" => Self::Charge { refund: false },
            "charge.refunded" => Self::Charge { refund: true },
            "refund.created" | "refund.updated" | "charge.refund.updated" => Self::Refund { failed: false },
            "refund.failed" => Self::Refund { failed: true },
            "charge.dispute.created" | "charge.dispute.updated" => Self::Dispute(DisputeMoment::State),
            "charge.dispute.funds_withdrawn" => Self::Dispute(DisputeMoment::Withdrawn),
            "charge.dispute.funds_reinstated" => Self::Dispute(DisputeMoment::Reinstated),
            "charge.dispute.closed" => Self::Dispute(DisputeMoment::Closed),
            "customer.created" => Self::Customer(CustomerChange::Created),
            "customer.updated" => Self::Customer(CustomerChange::Updated),
            "customer.deleted" => Self::Customer(CustomerChange::Deleted),
            "customer.subscription.created" => Self::Subscription(0),
            "customer.subscription.updated" => Self::Subscription(1),
            "customer.subscription.deleted" => Self::Subscription(2),
            _ => return None,
        })
    }
}

fn session(object: stripe::Session, told: SessionTold, reader: &Reader<'_>) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let metadata = object.metadata.unwrap_or_default();
    let mut touches = Vec::new();
    let mut reference = None;
    if let Some(text) = object.client_reference_id.filter(|t| !t.is_empty()) {
        match strip_prefix(&text) {
            Some(click_id) => touches.push(reader.touch("client_reference_id", click_id)),
            None => reference = Some(text.chars().take(200).collect()),
        }
    }
    touches.extend(metadata.touches(reader));
    let setup = object.mode.as_deref() == Some("setup");
    let state = match (told, object.payment_status.as_deref()) {
        (SessionTold::Failed, _) => SessionState::Failed,
        (SessionTold::Expired, _) => SessionState::Expired,
        (SessionTold::Completed, _) if setup => SessionState::NoPayment,
        (SessionTold::Succeeded, _) | (SessionTold::Completed, Some("paid")) => SessionState::Paid,
        (SessionTold::Completed, Some("no_payment_required")) => SessionState::NoPayment,
        (SessionTold::Completed, Some("unpaid")) => SessionState::Pending,
        (SessionTold::Completed, other) => {
            return Err(format!(
                "payment_status: expected paid, unpaid or no_payment_required, got {other:?}"
            ));
        }
    };
    let paying = matches!(state, SessionState::Paid | SessionState::Pending);
    let charged = money("amount_total", object.amount_total, object.currency.as_deref(), paying)?;
    let (charged, presentment) = adaptive(charged, object.currency_conversion, object.presentment_details)?;
    let details = object.customer_details.unwrap_or_default();
    Ok(Body::Session {
        refs: PaymentRefs {
            session: Some(id),
            invoice: object.invoice.0,
            intents: object.payment_intent.0.into_iter().collect(),
            ..PaymentRefs::default()
        },
        person: Person {
            external_id: metadata.external_id(),
            stripe_id: object.customer.0,
            name: details.name,
            email: details.email.or(object.customer_email),
            ..Person::default()
        },
        touches,
        reference,
        state,
        subscription_mode: object.mode.as_deref() == Some("subscription"),
        subscription: object.subscription.0,
        amount: charged.map_or(0, |(amount, _)| amount),
        currency: charged.map(|(_, currency)| currency),
        tax: total(object.total_details.and_then(|t| t.amount_tax)),
        presentment,
    })
}

/// The merchant's amount and what the buyer saw.
///
/// Before basil an adaptive session is in the buyer's currency and names the merchant's beside it; later it is
/// in the merchant's and names the buyer's.
#[expect(clippy::type_complexity, reason = "two optional pairs, used once")]
fn adaptive(
    charged: Option<(i64, Currency)>,
    conversion: Option<stripe::CurrencyConversion>,
    shown: Option<stripe::PresentmentDetails>,
) -> Result<(Option<(i64, Currency)>, Option<Presentment>), Unusable> {
    let Some((amount, currency)) = charged else { return Ok((None, None)) };
    if let Some((source, Some(total))) =
        conversion.and_then(|c| Some((Currency::parse(&c.source_currency?)?, c.amount_total)))
        && source != currency
    {
        let total = amount_in_range("currency_conversion.amount_total", total)?;
        return Ok((Some((total, source)), Some(Presentment { amount, currency })));
    }
    Ok((Some((amount, currency)), presentment(shown)))
}

fn presentment(shown: Option<stripe::PresentmentDetails>) -> Option<Presentment> {
    let shown = shown?;
    let currency = Currency::parse(&shown.presentment_currency?)?;
    Some(Presentment { amount: shown.presentment_amount.filter(|a| (0..=MAX_MINOR).contains(a))?, currency })
}

fn invoice(object: stripe::Invoice, paid: bool, reader: &Reader<'_>) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    // A live API may send `parent` even in an older version: read both places.
    let parent = object
        .parent
        .filter(|p| p.kind.as_deref().is_none_or(|kind| kind == "subscription_details"))
        .and_then(|p| p.subscription_details)
        .unwrap_or_default();
    let before_basil = object.subscription_details.unwrap_or_default();
    let metadata =
        [parent.metadata, before_basil.metadata, object.metadata].into_iter().flatten().collect::<Vec<_>>();
    // Paid outside Stripe: before basil `amount_paid` leaves it out.
    let amount = match (object.amount_paid, object.paid_out_of_band) {
        (None | Some(0), Some(true)) => object.amount_due.or(object.amount_paid),
        (amount, _) => amount,
    };
    let charged = money("amount_paid", amount, object.currency.as_deref(), paid)?;
    let taxes = total(object.total_taxes.unwrap_or_default().iter().filter_map(|t| t.amount));
    let mut refs = PaymentRefs { invoice: Some(id), ..PaymentRefs::default() };
    refs.intents.extend(object.payment_intent.0);
    refs.charges.extend(object.charge.0);
    for payment in object.payments.map(|list| list.data).unwrap_or_default() {
        let of = payment.payment.unwrap_or_default();
        refs.intents.extend(of.payment_intent.0);
        refs.charges.extend(of.charge.0);
    }
    refs.intents.sort();
    refs.intents.dedup();
    refs.charges.sort();
    refs.charges.dedup();
    let touches = metadata.iter().flat_map(|m| m.touches(reader)).collect();
    Ok(Body::Invoice {
        refs,
        person: Person {
            external_id: metadata.iter().find_map(Metadata::external_id),
            stripe_id: object.customer.0,
            name: object.customer_name,
            email: object.customer_email,
            ..Person::default()
        },
        subscription: parent.subscription.0.or(object.subscription.0).or(before_basil.subscription.0),
        touches,
        amount: charged.map_or(0, |(amount, _)| amount),
        currency: charged.map_or(Currency::USD, |(_, currency)| currency),
        tax: if taxes == 0 { total(object.tax) } else { taxes },
        paid,
    })
}

fn invoice_payment(object: stripe::InvoicePayment) -> Result<Body, Unusable> {
    required(object.id, "id")?;
    let invoice = required(object.invoice, "invoice")?;
    let of = object.payment.unwrap_or_default();
    let amount = object.amount_paid.map_or(Ok(0), |a| amount_in_range("amount_paid", a))?;
    let currency = object.currency.as_deref().map(|c| currency("currency", c)).transpose()?;
    Ok(Body::InvoicePayment {
        refs: PaymentRefs {
            invoice: Some(invoice),
            intents: of.payment_intent.0.into_iter().collect(),
            charges: of.charge.0.into_iter().collect(),
            ..PaymentRefs::default()
        },
        amount,
        currency,
    })
}

fn intent(object: stripe::PaymentIntent, reader: &Reader<'_>) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let metadata = object.metadata.unwrap_or_default();
    let (amount, currency) =
        must(money("amount_received", object.amount_received, object.currency.as_deref(), true)?)?;
    Ok(Body::Intent {
        refs: PaymentRefs {
            intents: vec![id],
            invoice: object.invoice.0,
            charges: object.latest_charge.0.into_iter().collect(),
            ..PaymentRefs::default()
        },
        person: Person {
            external_id: metadata.external_id(),
            stripe_id: object.customer.0,
            email: object.receipt_email,
            ..Person::default()
        },
        touches: metadata.touches(reader),
        amount,
        currency,
        presentment: presentment(object.presentment_details),
    })
}

fn charge(object: stripe::Charge, refund: bool) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let (amount, currency) = must(money("amount", object.amount, object.currency.as_deref(), true)?)?;
    let refunded = if refund {
        let refunded = object.amount_refunded.ok_or("amount_refunded: is required")?;
        Some(amount_in_range("amount_refunded", refunded)?)
    } else {
        None
    };
    Ok(Body::Charge {
        refs: PaymentRefs {
            charges: vec![id],
            intents: object.payment_intent.0.into_iter().collect(),
            invoice: object.invoice.0,
            ..PaymentRefs::default()
        },
        person: Person { stripe_id: object.customer.0, ..Person::default() },
        amount,
        refunded,
        currency,
    })
}

fn refund(object: stripe::Refund, failed: bool) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let (amount, currency) = must(money("amount", object.amount, object.currency.as_deref(), true)?)?;
    let told = if failed { Some("failed") } else { object.status.as_deref() };
    let state = match told {
        Some("failed" | "canceled") => RefundState::Failed,
        Some("pending" | "requires_action") => RefundState::Pending,
        Some("succeeded") | None => RefundState::Succeeded,
        Some(other) => return Err(format!("status: {other:?} is not a refund's status")),
    };
    Ok(Body::Refund {
        id,
        refs: PaymentRefs {
            charges: object.charge.0.into_iter().collect(),
            intents: object.payment_intent.0.into_iter().collect(),
            ..PaymentRefs::default()
        },
        person: Person { stripe_id: object.customer.0, ..Person::default() },
        amount,
        currency,
        state,
    })
}

fn dispute(object: stripe::Dispute, moment: DisputeMoment) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let (amount, currency) = must(money("amount", object.amount, object.currency.as_deref(), true)?)?;
    Ok(Body::Dispute {
        id,
        refs: PaymentRefs {
            charges: object.charge.0.into_iter().collect(),
            intents: object.payment_intent.0.into_iter().collect(),
            ..PaymentRefs::default()
        },
        amount,
        currency,
        status: object.status.unwrap_or_default(),
        moment,
    })
}

fn customer(object: stripe::Customer, change: CustomerChange, reader: &Reader<'_>) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let metadata = object.metadata.unwrap_or_default();
    Ok(Body::Customer {
        person: Person {
            external_id: metadata.external_id(),
            stripe_id: Some(id),
            name: object.name,
            email: object.email,
            ..Person::default()
        },
        touches: metadata.touches(reader),
        change,
    })
}

fn subscription(object: stripe::Subscription, rank: u8, reader: &Reader<'_>) -> Result<Body, Unusable> {
    let id = required(object.id, "id")?;
    let metadata = object.metadata.unwrap_or_default();
    let status = object.status.unwrap_or_default();
    let ended = matches!(status.as_str(), "canceled" | "incomplete_expired") || rank == 2;
    let items = object.items.map(|list| list.data).unwrap_or_default();
    let priced = items.iter().find_map(|item| item.price.as_ref()?.currency.as_deref());
    Ok(Body::Subscription {
        id,
        person: Person {
            external_id: metadata.external_id(),
            stripe_id: object.customer.0,
            ..Person::default()
        },
        touches: metadata.touches(reader),
        status: if rank == 2 { "canceled".to_owned() } else { status },
        mrr: total(items.iter().filter_map(monthly)),
        currency: object.currency.as_deref().or(priced).and_then(Currency::parse),
        started_at: object.start_date.and_then(Millis::from_secs),
        ended_at: if ended {
            object.ended_at.or(object.canceled_at).and_then(Millis::from_secs)
        } else {
            None
        },
        rank,
    })
}

/// What an item is worth a month, in minor units, rounded half up; metered usage is not known in advance.
fn monthly(item: &stripe::SubscriptionItem) -> Option<i64> {
    let price = item.price.as_ref()?;
    let recurring = price.recurring.as_ref()?;
    if recurring.usage_type.as_deref() == Some("metered") {
        return None;
    }
    let price = i128::from(price.unit_amount?).checked_mul(i128::from(item.quantity.unwrap_or(1)))?;
    let count = i128::from(recurring.interval_count.unwrap_or(1).max(1));
    // A month is a twelfth of a year of 365 days or 52 weeks.
    let (numerator, denominator) = match recurring.interval.as_deref()? {
        "day" => (365, 12),
        "week" => (52, 12),
        "month" => (1, 1),
        "year" => (1, 12),
        _ => return None,
    };
    let divisor = denominator * count;
    let doubled = price.checked_mul(2 * numerator)?.checked_add(divisor)?;
    i64::try_from(doubled.div_euclid(2 * divisor)).ok().filter(|m| (0..=MAX_MINOR).contains(m))
}

impl Metadata {
    /// The merchant's own id; texts that a template left unfilled are none.
    fn external_id(&self) -> Option<String> {
        [
            &self.pimms_customer_id,
            &self.pimms_customer_external_id,
            &self.dub_customer_external_id,
            &self.dub_customer_id,
        ]
        .into_iter()
        .filter_map(|value| value.0.as_deref())
        .map(str::trim)
        .find(|text| !matches!(*text, "" | "null" | "undefined"))
        .map(str::to_owned)
    }

    fn touches(&self, reader: &Reader<'_>) -> Vec<Touch> {
        [("pimmsClickId", &self.pimms_click_id), ("dubClickId", &self.dub_click_id)]
            .into_iter()
            .filter_map(|(field, value)| Some((field, value.0.as_deref()?)))
            .map(|(field, text)| reader.touch(field, strip_prefix(text).unwrap_or(text)))
            .collect()
    }
}

/// The click id behind `pimms_id_` or `dub_id_`.
fn strip_prefix(text: &str) -> Option<&str> {
    text.strip_prefix("pimms_id_").or_else(|| text.strip_prefix("dub_id_"))
}

fn parse<T: DeserializeOwned>(object: &str) -> Result<T, Unusable> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    serde::Deserialize::deserialize(&mut deserializer).map_err(|e| format!("data.object: {e}"))
}

fn required(id: IdRef, field: &str) -> Result<String, Unusable> {
    id.0.ok_or_else(|| format!("data.object.{field}: is required"))
}

fn must<T>(value: Option<T>) -> Result<T, Unusable> {
    value.ok_or_else(|| "data.object: has no amount".to_owned())
}

/// Amount and currency together, or none of both where none are `needed`.
fn money(
    field: &str,
    amount: Option<i64>,
    code: Option<&str>,
    needed: bool,
) -> Result<Option<(i64, Currency)>, Unusable> {
    match (amount, code) {
        (Some(amount), Some(code)) => {
            Ok(Some((amount_in_range(field, amount)?, currency("currency", code)?)))
        }
        _ if !needed => Ok(None),
        (None, _) => Err(format!("data.object.{field}: is required")),
        (_, None) => Err("data.object.currency: is required".to_owned()),
    }
}

fn currency(field: &str, code: &str) -> Result<Currency, Unusable> {
    Currency::parse(code).ok_or_else(|| format!("data.object.{field}: {:?} is not a currency", short(code)))
}

fn amount_in_range(field: &str, amount: i64) -> Result<i64, Unusable> {
    if (0..=MAX_MINOR).contains(&amount) {
        Ok(amount)
    } else {
        Err(format!("data.object.{field}: expected 0 to 2^53-1, got {amount}"))
    }
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}
