//! Stripe's objects, as far as the ledger reads them.
//!
//! Fields that are a string or an expanded object read alike ([`IdRef`]); fields that moved between API
//! versions are declared in both places. Everything else of an object is skipped without being kept.

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A reference: `"in_1"`, `{"id":"in_1",…}` or null. An empty string is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IdRef(pub(super) Option<String>);

impl<'de> Deserialize<'de> for IdRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl<'de> Visitor<'de> for IdVisitor {
            type Value = IdRef;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an id, an object with an id, or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<IdRef, E> {
                Ok(IdRef(None))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IdRef, E> {
                if text.len() > MAX_ID_BYTES {
                    return Err(E::custom("an id is at most 255 characters"));
                }
                Ok(IdRef((!text.is_empty()).then(|| text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<IdRef, A::Error> {
                let mut id = IdRef(None);
                while let Some(key) = map.next_key::<String>()? {
                    if key == "id" {
                        id = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(id)
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

/// Stripe allows object ids of up to 255 characters.
pub(super) const MAX_ID_BYTES: usize = 255;

/// A metadata value: text, or anything else, which is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Loose(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = Loose;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(Some(text.to_owned())))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose(Some(number.to_string())))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose(Some(number.to_string())))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Loose, E> {
                Ok(Loose(None))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Loose, E> {
                Ok(Loose(None))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
                Ok(Loose(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// The metadata names we read; those of Dub clients are accepted alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
pub(super) struct Metadata {
    #[serde(rename = "pimmsCustomerId")]
    pub(super) pimms_customer_id: Loose,
    #[serde(rename = "pimmsCustomerExternalId")]
    pub(super) pimms_customer_external_id: Loose,
    #[serde(rename = "dubCustomerExternalId")]
    pub(super) dub_customer_external_id: Loose,
    #[serde(rename = "dubCustomerId")]
    pub(super) dub_customer_id: Loose,
    #[serde(rename = "pimmsClickId")]
    pub(super) pimms_click_id: Loose,
    #[serde(rename = "dubClickId")]
    pub(super) dub_click_id: Loose,
}

/// `{"data":[…]}`
#[derive(Debug, Clone, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(super) data: Vec<T>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    pub(super) id: IdRef,
    pub(super) mode: Option<String>,
    pub(super) payment_status: Option<String>,
    pub(super) amount_total: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) customer: IdRef,
    pub(super) customer_email: Option<String>,
    pub(super) customer_details: Option<CustomerDetails>,
    pub(super) invoice: IdRef,
    pub(super) payment_intent: IdRef,
    pub(super) subscription: IdRef,
    pub(super) metadata: Option<Metadata>,
    pub(super) total_details: Option<TotalDetails>,
    pub(super) currency_conversion: Option<CurrencyConversion>,
    pub(super) presentment_details: Option<PresentmentDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CustomerDetails {
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TotalDetails {
    pub(super) amount_tax: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CurrencyConversion {
    pub(super) source_currency: Option<String>,
    pub(super) amount_total: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PresentmentDetails {
    pub(super) presentment_amount: Option<i64>,
    pub(super) presentment_currency: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Invoice {
    pub(super) id: IdRef,
    pub(super) customer: IdRef,
    pub(super) customer_email: Option<String>,
    pub(super) customer_name: Option<String>,
    pub(super) amount_paid: Option<i64>,
    pub(super) amount_due: Option<i64>,
    pub(super) paid_out_of_band: Option<bool>,
    pub(super) currency: Option<String>,
    pub(super) tax: Option<i64>,
    pub(super) total_taxes: Option<Vec<TaxAmount>>,
    /// Before basil.
    pub(super) subscription: IdRef,
    /// Before basil.
    pub(super) subscription_details: Option<SubscriptionDetails>,
    /// Basil and later.
    pub(super) parent: Option<InvoiceParent>,
    /// Before basil.
    pub(super) payment_intent: IdRef,
    /// Before basil.
    pub(super) charge: IdRef,
    /// Basil and later, when expanded.
    pub(super) payments: Option<List<InvoicePayment>>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaxAmount {
    pub(super) amount: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InvoiceParent {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SubscriptionDetails {
    pub(super) subscription: IdRef,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct InvoicePayment {
    pub(super) id: IdRef,
    pub(super) invoice: IdRef,
    pub(super) amount_paid: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) payment: Option<PaymentOf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PaymentOf {
    pub(super) payment_intent: IdRef,
    pub(super) charge: IdRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PaymentIntent {
    pub(super) id: IdRef,
    pub(super) amount_received: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer: IdRef,
    pub(super) receipt_email: Option<String>,
    /// Before basil.
    pub(super) invoice: IdRef,
    pub(super) latest_charge: IdRef,
    pub(super) metadata: Option<Metadata>,
    pub(super) presentment_details: Option<PresentmentDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Charge {
    pub(super) id: IdRef,
    pub(super) amount: Option<i64>,
    pub(super) amount_refunded: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer: IdRef,
    /// Before basil.
    pub(super) invoice: IdRef,
    pub(super) payment_intent: IdRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refund {
    pub(super) id: IdRef,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) status: Option<String>,
    pub(super) charge: IdRef,
    pub(super) payment_intent: IdRef,
    pub(super) customer: IdRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Dispute {
    pub(super) id: IdRef,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) status: Option<String>,
    pub(super) charge: IdRef,
    pub(super) payment_intent: IdRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Customer {
    pub(super) id: IdRef,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Subscription {
    pub(super) id: IdRef,
    pub(super) customer: IdRef,
    pub(super) status: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) start_date: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) canceled_at: Option<i64>,
    pub(super) metadata: Option<Metadata>,
    pub(super) items: Option<List<SubscriptionItem>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct SubscriptionItem {
    pub(super) quantity: Option<i64>,
    pub(super) price: Option<Price>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Price {
    pub(super) unit_amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) recurring: Option<Recurring>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Recurring {
    pub(super) interval: Option<String>,
    pub(super) interval_count: Option<i64>,
    pub(super) usage_type: Option<String>,
}
