//! What the ledger and the webhook log say to an owner: each sentence once.
//!
//! They are stored and answered in English, with `{…}` filled in. The dashboard has each in English and in French
//! (`dashboard/src/sentences.ts`), found by these words; `tests/dashboard_words.rs` holds the two together.

macro_rules! sentences {
    ($($name:ident = $words:literal,)*) => {
        /// A sentence; [`Sentence::words`] says which.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is its own documentation")]
        pub enum Sentence { $($name,)* }

        impl Sentence {
            /// Every sentence.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// In English, with its places.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

sentences! {
    // The webhook log.
    Accepted = "accepted",
    Ignored = "ignored: this type of event is not handled",
    Disconnected = "account {account} disconnected",
    OfErased = "of an erased customer",
    Parked = "parked: {reason}",
    Unusable = "parked: unusable, {detail}",
    NoAccount = "no account and no workspace: use the workspace's own webhook address",
    UnknownAccount = "unknown account {account}",
    SaleOnLink = "sale of {money} ({reference}), on link {link}",
    SaleUnattributed = "sale of {money} ({reference}), unattributed",
    NotedFor = "noted for customer {customer}",
    Noted = "noted",
    // Why something waits.
    PaymentOfNothing = "a payment, but nothing says yet which invoice, session or customer it is for",
    DelayedPayment = "the checkout is complete, its delayed payment is not",
    NoClickYet = "customer {customer} has no click yet",
    DisputeReturned = "money of a dispute came back, but nothing says yet that it was withdrawn",
    RefundOfUnknown = "the payment this refund belongs to is not known yet",
    DisputeOfUnknown = "the payment this dispute belongs to is not known yet",
    // Why a sale is attributed as it is.
    OwnClick = "The payment names click {click} on link {link}.",
    OfSubscription = "A payment of subscription {subscription}, attributed as its first: click {click} of {at} on link {link}.",
    LastClick = "The latest click of {who} before the payment, within {days} days: {click} of {at} on link {link}.",
    ThankYou = "No other click of {who}: the browser that came back to the payment's thank-you page held click {click} of {at} on link {link}.",
    NoClick = "No click of {who} within {days} days before the payment: unattributed.",
    CustomerNamed = "customer {customer}",
    // Why a click is not taken.
    AfterPayment = "clicked after the payment",
    TooOld = "older than the attribution window",
    AnotherIsNamed = "the payment names another click",
    LaterClick = "a later click came before the payment",
    HasClick = "came to the thank-you page of a payment that has a click already",
    EarlierArrival = "another click came to the thank-you page first",
    // Amounts that disagree.
    AmountsDiffer = "{object} says {said}, the sale is {money}",
    OverRefunded = "refunds of {refunded} exceed the payment of {money}",
    // What an event contributed.
    TheClick = "the click",
    TheLead = "the lead",
    TrackedSale = "a sale as tracked",
    TheSession = "the checkout session",
    InvoicePaid = "the invoice is paid",
    InvoiceVoid = "the invoice is void",
    InvoicePayment = "which payment paid the invoice",
    PaymentSucceeded = "the payment succeeded",
    ARefund = "a refund",
    TheCharge = "the charge",
    ADispute = "a dispute",
    TheCustomer = "the customer",
    TheSubscription = "the subscription",
    TheThankYou = "the thank-you page",
}

impl Sentence {
    /// The sentence with its places filled in, in order. An amount is written `4900 usd`: minor units and currency.
    #[must_use]
    pub fn say(self, values: &[&str]) -> String {
        let mut said = String::new();
        let mut rest = self.words();
        let mut values = values.iter();
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            said.push_str(values.next().copied().unwrap_or_default());
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        said.push_str(rest);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_order() {
        let said = Sentence::SaleOnLink.say(&["4900 usd", "cs_{1}", "link_1"]);
        assert_eq!(said, "sale of 4900 usd (cs_{1}), on link link_1");
        assert_eq!(Sentence::Noted.say(&[]), "noted");
        assert_eq!(Sentence::NotedFor.say(&[]), "noted for customer ");
    }
}
