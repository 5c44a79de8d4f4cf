//! A history as it reaches the ledger: Stripe's own objects in events, and track calls.

use std::collections::BTreeMap;

use pimms_cli::stripe::{
    Build, Charge, Customer, Dispute, Event, Intent, Invoice, InvoicePayment, Object, Refund, Session,
    Subscription, Version,
};
use pimms_edge::core::click_id::Keys;
use pimms_edge::core::ledger::fact::{Fact, Touch};
use pimms_edge::core::stripe::event::{Reader, Reading};
use pimms_edge::core::stripe::read;
use pimms_edge::core::time::Millis;
use pimms_edge::core::track::{LeadCall, SaleCall};
use serde_json::json;

use crate::history::{self, Checkout, Deed, Ending, Noise, Outcome, Place, Price, Step, T0};

pub const WORKSPACE: &str = "ws_1";

pub fn keys() -> Keys {
    Keys::parse("1:0123456789abcdef0123456789abcdef").unwrap()
}

/// The accounts, by number: the workspace's own, and a connected one.
pub const ACCOUNTS: [&str; 2] = ["", "acct_2"];

/// Everything a history states, in order.
pub fn facts(steps: &[Step], keys: &Keys) -> Vec<Fact> {
    let mut stage = Stage { keys, facts: Vec::new(), refunded: BTreeMap::new(), at: 0, account: 0, index: 0 };
    for (index, step) in steps.iter().enumerate() {
        (stage.at, stage.index) = (T0 + step.at, index);
        stage.deed(&step.deed);
    }
    stage.facts
}

struct Stage<'a> {
    keys: &'a Keys,
    facts: Vec<Fact>,
    /// Of each charge, what has gone back and stayed there.
    refunded: BTreeMap<(u8, String), i64>,
    at: i64,
    account: u8,
    index: usize,
}

impl Stage<'_> {
    fn event(&mut self, after: i64, kind: &str, object: impl Into<Object>, shapes: &[Version]) {
        let object = object.into();
        for shape in shapes {
            let mut event = Event::new(kind, object.clone()).at(self.at + after).version(*shape);
            if let Some(account) = ACCOUNTS.get(usize::from(self.account)).filter(|id| !id.is_empty()) {
                event = event.account(account);
            }
            let reader = Reader { keys: self.keys, workspace_id: WORKSPACE };
            match read(event.body().as_bytes()).unwrap().reading(&reader) {
                Reading::Facts(facts) => self.facts.extend(facts),
                Reading::Ignored => assert!(kind.starts_with("invoice.payment_") || kind.starts_with("x.")),
                other => panic!("{kind}: {other:?}"),
            }
        }
    }

    fn deed(&mut self, deed: &Deed) {
        const SHAPE: [Version; 1] = [Version::Basil];
        match deed {
            Deed::Lead { external_id, tag } => {
                let body = json!({"externalId": external_id, "clickId": tag.text, "eventName": "Sign up"});
                let call = LeadCall::read(&body).unwrap();
                let touch = Touch::check(self.keys, WORKSPACE, "clickId", &tag.text);
                self.facts.push(call.fact(
                    format!("lead_{}", self.index),
                    Millis(self.at * 1000),
                    Some(touch),
                ));
            }
            Deed::Customer { account, customer, external_id, tag, updated } => {
                self.account = *account;
                let mut object = Customer::new(customer).email("same@example.com");
                if let Some(id) = external_id {
                    object = object.external_id(id);
                }
                if let Some(tag) = tag {
                    object = object.click_id(&tag.text);
                }
                let kind = if *updated { "customer.updated" } else { "customer.created" };
                self.event(0, kind, object, &SHAPE);
            }
            Deed::Checkout(checkout) => self.checkout(checkout),
            Deed::Invoice(invoice) => self.invoice(invoice),
            Deed::Intent { account, intent, charge, customer, external_id, tag, price } => {
                self.account = *account;
                let mut object =
                    Intent::succeeded(intent).amount(price.amount, price.currency).charge(charge);
                if let Some(id) = customer {
                    object = object.customer(id);
                }
                if let Some(id) = external_id {
                    object = object.external_id(id);
                }
                if let Some(tag) = tag {
                    object = object.click_id(&tag.text);
                }
                self.event(0, "payment_intent.succeeded", object, &SHAPE);
            }
            Deed::Tracked { external_id, invoice_id, price } => {
                self.tracked(external_id, invoice_id.as_deref(), *price);
            }
            Deed::Refund(refund) => self.refund(refund),
            Deed::Dispute { account, dispute, charge, intent, price, ending } => {
                self.account = *account;
                let object =
                    Dispute::opened(dispute, charge).amount(price.amount, price.currency).intent(intent);
                self.dispute(&object, *ending);
            }
            Deed::Noise { account, kind, customer, reference } => {
                self.account = *account;
                self.noise(*kind, customer, reference);
            }
        }
    }

    fn tracked(&mut self, external_id: &str, invoice_id: Option<&str>, price: Price) {
        let body = json!({"externalId": external_id, "invoiceId": invoice_id, "amount": price.amount,
            "currency": price.currency, "paymentProcessor": "stripe"});
        let call = SaleCall::read(&body).unwrap();
        let fact = call.fact(format!("sale_{}", self.index), Millis(self.at * 1000), None);
        self.facts.push(fact);
    }

    fn checkout(&mut self, checkout: &Checkout) {
        self.account = checkout.account;
        let id = checkout.session.as_str();
        let mut session = match checkout.outcome {
            Outcome::Paid => Session::paid(id),
            Outcome::PaidLater { .. } | Outcome::FailsLater { .. } | Outcome::Pending => Session::unpaid(id),
            Outcome::Free => Session::free(id),
            Outcome::Setup => Session::setup(id),
            Outcome::Expired => Session::expired(id),
        };
        if !matches!(checkout.outcome, Outcome::Free | Outcome::Setup) {
            session = session.amount(checkout.price.amount, checkout.price.currency);
        }
        if let Some(shown) = checkout.presented {
            session = session.presented(shown.amount, shown.currency);
        }
        if let Some(customer) = &checkout.customer {
            session = session.customer(customer);
        }
        if let Some(external_id) = &checkout.external_id {
            session = session.external_id(external_id);
        }
        match &checkout.own {
            Some((Place::Reference, tag)) => session = session.referred_by_click(&tag.text),
            Some((Place::SessionMetadata, tag)) => session = session.click_id(&tag.text),
            Some((Place::IntentMetadata, _)) | None => session = session.reference("order 7"),
        }
        if let Some(subscription) = &checkout.subscription {
            session = session.subscription(subscription);
        }
        if let Some(invoice) = &checkout.invoice {
            session = session.invoice(invoice);
        }
        if let Some((intent, _)) = &checkout.money {
            session = session.intent(intent);
        }
        if self.index.is_multiple_of(3) {
            session = session.expanded();
        }
        let shapes = checkout.shapes.as_slice();
        let kind = match checkout.outcome {
            Outcome::Expired => "checkout.session.expired",
            _ => "checkout.session.completed",
        };
        self.event(0, kind, session.clone(), shapes);
        let mut after_money = 0;
        match checkout.outcome {
            Outcome::PaidLater { after, by_session } => {
                after_money = after;
                if by_session {
                    let paid = session.with("payment_status", "paid");
                    self.event(after, "checkout.session.async_payment_succeeded", paid, shapes);
                }
            }
            Outcome::FailsLater { after } => {
                self.event(after, "checkout.session.async_payment_failed", session, shapes);
            }
            _ => {}
        }
        self.money_of_checkout(checkout, after_money);
    }

    fn money_of_checkout(&mut self, checkout: &Checkout, after: i64) {
        let Some((intent, charge)) = &checkout.money else { return };
        let currency = checkout.price.currency;
        if let Some(amount) = checkout.intent_says {
            let mut object = Intent::succeeded(intent).amount(amount, currency).charge(charge);
            if let Some(customer) = &checkout.customer {
                object = object.customer(customer);
            }
            if let Some((Place::IntentMetadata, tag)) = &checkout.own {
                object = object.click_id(&tag.text);
            }
            self.event(after, "payment_intent.succeeded", object, &checkout.shapes);
        }
        if checkout.charge_is_told {
            let mut object = Charge::succeeded(charge).amount(checkout.price.amount, currency).intent(intent);
            if let Some(customer) = &checkout.customer {
                object = object.customer(customer);
            }
            self.event(after, "charge.succeeded", object, &checkout.shapes);
        }
        if let (Some(amount), Some(external_id)) = (checkout.tracked_says, &checkout.external_id) {
            self.tracked(external_id, Some(intent), Price { amount, currency });
        }
    }

    fn invoice(&mut self, invoice: &history::Invoice) {
        self.account = invoice.account;
        let (price, shapes) = (invoice.price, invoice.shapes.as_slice());
        if invoice.is_told {
            let mut object = Invoice::paid(&invoice.invoice)
                .amount(price.amount, price.currency)
                .customer(&invoice.customer);
            if let Some(subscription) = &invoice.subscription {
                object = object.subscription(subscription, "subscription_cycle");
            }
            if let [part] = invoice.parts.as_slice() {
                object = object.intent(&part.intent).charge(&part.charge);
            }
            if invoice.out_of_band {
                object = object.out_of_band();
            }
            if self.index.is_multiple_of(4) {
                object = object.expanded();
            }
            self.event(0, "invoice.paid", object, shapes);
        }
        for part in &invoice.parts {
            let named = invoice.parts.len() == 1;
            if part.intent_is_told {
                let mut object = Intent::succeeded(&part.intent)
                    .amount(part.amount, price.currency)
                    .customer(&invoice.customer)
                    .charge(&part.charge);
                if named {
                    object = object.invoice(&invoice.invoice);
                }
                self.event(0, "payment_intent.succeeded", object, shapes);
            }
            if part.charge_is_told {
                let mut object = Charge::succeeded(&part.charge)
                    .amount(part.amount, price.currency)
                    .customer(&invoice.customer)
                    .intent(&part.intent);
                if named {
                    object = object.invoice(&invoice.invoice);
                }
                self.event(0, "charge.succeeded", object, shapes);
            }
            if part.link_is_told {
                let id = format!("inpay_{}", part.intent);
                let object = InvoicePayment::paid(&id, &invoice.invoice, &part.intent);
                let object = object.amount(part.amount, price.currency);
                self.event(0, "invoice_payment.paid", object, &[Version::Basil]);
            }
        }
    }

    fn refund(&mut self, refund: &history::Refund) {
        self.account = refund.account;
        let currency = refund.charged.currency;
        let object = Refund::succeeded(&refund.refund, &refund.charge)
            .amount(refund.amount, currency)
            .intent(&refund.intent);
        if refund.by_refund {
            match refund.fails_after {
                Some(_) => self.event(0, "refund.created", object.clone().status("pending"), &refund.shapes),
                None if self.index.is_multiple_of(2) => {
                    self.event(0, "refund.created", object.clone().status("pending"), &refund.shapes);
                    self.event(0, "refund.updated", object.clone(), &refund.shapes);
                }
                None => self.event(0, "refund.created", object.clone(), &refund.shapes),
            }
        }
        let before = self.refunded.entry((refund.account, refund.charge.clone())).or_default();
        let together = *before + refund.amount;
        if refund.fails_after.is_none() {
            *before = together;
        }
        if refund.by_charge {
            let mut charge = Charge::succeeded(&refund.charge)
                .amount(refund.charged.amount, currency)
                .refunded(together)
                .intent(&refund.intent);
            if let Some(customer) = &refund.customer {
                charge = charge.customer(customer);
            }
            if let Some(invoice) = &refund.invoice {
                charge = charge.invoice(invoice);
            }
            self.event(0, "charge.refunded", charge, &refund.shapes);
        }
        if let Some(after) = refund.fails_after {
            self.event(after, "refund.failed", object.status("failed"), &refund.shapes);
        }
    }

    fn dispute(&mut self, object: &Dispute, ending: Ending) {
        const SHAPE: [Version; 1] = [Version::Clover];
        let mut tell = |after: i64, moment: &str, status: &str| {
            let kind = format!("charge.dispute.{moment}");
            self.event(after, &kind, object.clone().status(status), &SHAPE);
        };
        if ending == Ending::Inquiry {
            tell(0, "created", "warning_needs_response");
            tell(60, "closed", "warning_closed");
            return;
        }
        tell(0, "created", "needs_response");
        tell(0, "funds_withdrawn", "needs_response");
        match ending {
            Ending::Won => {
                tell(90, "closed", "won");
                tell(90, "funds_reinstated", "won");
            }
            Ending::Lost => tell(90, "closed", "lost"),
            Ending::Open | Ending::Inquiry => {}
        }
    }

    fn noise(&mut self, kind: Noise, customer: &str, reference: &str) {
        const SHAPE: [Version; 1] = [Version::Basil];
        match kind {
            Noise::SubscriptionUpdated => {
                let object = Subscription::active(reference).customer(customer).status("past_due");
                self.event(0, "customer.subscription.updated", object, &SHAPE);
            }
            Noise::TwinOfInvoicePaid => {
                let object = Invoice::paid(reference).amount(777, "usd").customer(customer);
                self.event(0, "invoice.payment_succeeded", object, &SHAPE);
            }
            Noise::InvoiceVoided => {
                self.event(0, "invoice.voided", Invoice::voided(reference).customer(customer), &SHAPE);
            }
            Noise::UnknownType => {
                self.event(0, "x.completed", Session::paid(reference).amount(999, "usd"), &SHAPE);
            }
            Noise::ExpiredSession => {
                let object = Session::expired(reference).amount(555, "usd").customer(customer);
                self.event(0, "checkout.session.expired", object, &SHAPE);
            }
        }
    }
}
