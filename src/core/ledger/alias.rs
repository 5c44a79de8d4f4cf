//! Aliases: the names under which a customer is known.
//!
//! External id, `cus_…` and the ids of payments. Aliases seen together in one fact name one customer; e-mail
//! never does. Stripe's ids are scoped by account. The `invoiceId` of `/track/sale` may be a Stripe id whose
//! account the caller does not say: such a *tracked* name joins the payment of that id in whichever account.

use std::collections::BTreeMap;

use super::fact::{Body, Fact};

const OWN: &str = "id:";

/// One name, as text that is unique within a workspace and mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// `ext:u1`, `acct_1|cus:cus_1`, `acct_1|pay:pi_1`, `any|pay:pi_1` (tracked).
    pub text: String,
    /// The payment id alone, for payments: a tracked name joins every alias with the same one.
    pub payment: Option<String>,
    /// Whether it is a tracked name.
    pub tracked: bool,
}

impl Alias {
    /// The alias of a merchant's own id.
    #[must_use]
    pub fn external(id: &str) -> Self {
        Self { text: format!("ext:{id}"), payment: None, tracked: false }
    }

    /// The id we gave the customer ourselves; the Directory knows it without a row.
    fn own(id: &str) -> Self {
        Self { text: format!("{OWN}{id}"), payment: None, tracked: false }
    }

    /// The `cus_…` of ours that the alias is.
    #[must_use]
    pub fn own_id(&self) -> Option<&str> {
        self.text.strip_prefix(OWN)
    }

    fn stripe_customer(account: &str, id: &str) -> Self {
        Self { text: format!("{account}|cus:{id}"), payment: None, tracked: false }
    }

    fn payment(account: &str, id: &str) -> Self {
        Self { text: format!("{account}|pay:{id}"), payment: Some(id.to_owned()), tracked: false }
    }

    fn tracked(id: &str) -> Self {
        Self { text: format!("any|pay:{id}"), payment: Some(id.to_owned()), tracked: true }
    }

    /// Whether two aliases are one name: the same text, or a tracked name and a payment of that id.
    #[must_use]
    pub fn joins(&self, other: &Self) -> bool {
        self.text == other.text
            || (self.payment.is_some() && self.payment == other.payment && (self.tracked || other.tracked))
    }
}

/// The names in a fact, at least one: they all name one customer.
#[must_use]
pub fn aliases(fact: &Fact) -> Vec<Alias> {
    let account = fact.source.account.as_str();
    let mut found = Vec::new();
    if let Some(person) = fact.body.person() {
        found.extend(person.customer_id.as_deref().map(Alias::own));
        found.extend(person.external_id.as_deref().map(Alias::external));
        found.extend(person.stripe_id.as_deref().map(|id| Alias::stripe_customer(account, id)));
    }
    if let Some(refs) = fact.body.refs() {
        found.extend(refs.stripe_ids().map(|id| Alias::payment(account, id)));
        found.extend(refs.tracked.as_deref().map(Alias::tracked));
    }
    if found.is_empty() {
        let own = match &fact.body {
            Body::Refund { id, .. } | Body::Dispute { id, .. } | Body::Subscription { id, .. } => id,
            _ => &fact.source.event_id,
        };
        found.push(Alias { text: format!("{account}|own:{own}"), payment: None, tracked: false });
    }
    found.sort();
    found.dedup();
    found
}

/// Why the owner's word about one customer cannot be taken; `owners` are those its names lead to.
///
/// Events of payments show that two customers are one, and unite them for good. A call that says so by mistake must
/// not, and whoever was erased does not come back.
#[must_use]
pub fn refusal(names: &[Alias], owners: &[String], any_erased: bool) -> Option<&'static str> {
    if owners.len() > 1 {
        return Some("This externalId or stripeCustomerId belongs to another customer.");
    }
    if any_erased {
        return Some("This customer was erased.");
    }
    let is_lost = owners.is_empty() && names.iter().any(|name| name.own_id().is_some());
    is_lost.then_some("This customer is not known any more.")
}

/// Disjoint sets of texts.
#[derive(Debug, Default)]
pub(super) struct Unions {
    parents: BTreeMap<String, String>,
}

impl Unions {
    /// The representative of `name`: the smallest member of its set, so that it does not depend on order.
    pub(super) fn find(&self, name: &str) -> String {
        let mut at = name;
        while let Some(parent) = self.parents.get(at).filter(|parent| *parent != at) {
            at = parent;
        }
        at.to_owned()
    }

    /// Makes one set of all of `names`.
    pub(super) fn unite<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let mut names = names.into_iter();
        let Some(first) = names.next() else { return };
        let mut root = self.find(first);
        self.parents.entry(root.clone()).or_insert_with(|| root.clone());
        for name in names {
            let other = self.find(name);
            let (low, high) = if root <= other { (root, other) } else { (other, root) };
            self.parents.insert(high, low.clone());
            self.parents.entry(low.clone()).or_insert_with(|| low.clone());
            root = low;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unions_do_not_depend_on_order() {
        let pairs = [("c", "b"), ("d", "e"), ("b", "a"), ("e", "c")];
        for skip in 0..pairs.len() {
            let mut unions = Unions::default();
            for (left, right) in pairs.iter().cycle().skip(skip).take(pairs.len()) {
                unions.unite([*left, *right]);
            }
            for name in ["a", "b", "c", "d", "e"] {
                assert_eq!(unions.find(name), "a", "{name}, from pair {skip}");
            }
            assert_eq!(unions.find("f"), "f");
        }
    }

    #[test]
    fn tracked_names_join_the_payment_of_any_account() {
        let tracked = Alias::tracked("pi_1");
        assert!(tracked.joins(&Alias::payment("acct_1", "pi_1")));
        assert!(Alias::payment("", "pi_1").joins(&tracked));
        assert!(!Alias::payment("", "pi_1").joins(&Alias::payment("acct_1", "pi_1")));
        assert!(!Alias::external("pi_1").joins(&tracked));
    }

    #[test]
    fn a_word_of_the_owner_unites_nobody() {
        let own = [Alias::own("cus_1"), Alias::external("u1")];
        let new = [Alias::external("u1")];
        for (names, owners, any_erased, expected) in [
            (&own[..], &["cus_1"][..], false, None),
            (&own, &["cus_1", "cus_2"], false, Some("belongs to another")),
            (&own, &["cus_1"], true, Some("was erased")),
            (&own, &[], false, Some("not known any more")),
            (&new, &[], false, None),
            (&new, &["cus_1"], false, None),
            (&new, &["cus_1"], true, Some("was erased")),
        ] {
            let owners: Vec<String> = owners.iter().map(|id| (*id).to_owned()).collect();
            let found = refusal(names, &owners, any_erased);
            assert_eq!(found.is_some(), expected.is_some(), "{names:?} {owners:?}");
            assert!(expected.is_none_or(|text| found.unwrap().contains(text)), "{found:?}");
        }
    }
}
