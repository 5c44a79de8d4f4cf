//! Many customers with random histories, and what they add up to.
//!
//! The sum is kept while the histories are told, one payment at a time, by somebody who knows what really
//! happened: it shares no code with the ledger.

use std::collections::VecDeque;

use pimms_cli::random::Random;
use pimms_cli::simulate::story::Step;
use pimms_cli::stripe::{
    Build, Charge, Customer, Dispute, Event, Intent, Invoice, InvoicePayment, Object, Refund, Session,
    Subscription, Version,
};
use pimms_cli::totals::{Figures, Totals};
use pimms_edge::core::mode::Mode;

/// A click that was made.
#[derive(Debug, Clone)]
pub struct Clicked {
    pub link_id: String,
    pub click_id: String,
}

/// Somebody known by name.
#[derive(Debug, Clone)]
pub struct Person {
    /// What her ids end with.
    pub name: String,
    pub external_id: String,
    pub email: String,
    /// Where her money belongs.
    pub link_id: String,
    pub currency: &'static str,
    pub subscribes: bool,
}

/// Everything to deliver, and the totals it must lead to. Clicks are not among the totals.
#[derive(Debug)]
pub struct Crowd {
    pub steps: Vec<Step>,
    pub expected: Totals,
    /// Those who have an external id, in live mode.
    pub people: Vec<Person>,
    random: Random,
    run: String,
    clicks: VecDeque<Clicked>,
    at: i64,
}

/// The customer whose history is being told.
#[derive(Clone)]
struct Who {
    name: String,
    mode: Mode,
    version: Version,
    currency: &'static str,
    /// Where the money belongs.
    link: Option<String>,
}

/// A payment that happened.
struct Paid {
    amount: i64,
    charge: String,
    intent: String,
    invoice: Option<String>,
    at: i64,
}

const CURRENCIES: [&str; 4] = ["usd", "eur", "jpy", "kwd"];

impl Crowd {
    /// `run` keeps ids apart from other runs'. Everything happens in the minutes after `at` (seconds).
    pub fn new(seed: u64, run: &str, clicks: Vec<Clicked>, at: i64) -> Self {
        Self {
            steps: Vec::new(),
            expected: Totals::default(),
            people: Vec::new(),
            random: Random::new(seed),
            run: run.to_owned(),
            clicks: clicks.into(),
            at,
        }
    }

    /// Tells `customers` histories, long enough for `events` Stripe events together.
    pub fn tell(&mut self, customers: usize, events: usize) {
        for number in 0..customers {
            let goal = (events * (number + 1)).div_ceil(customers);
            let who = self.newcomer(number);
            match number % 10 {
                0 => self.guest(who),
                1 => self.stranger(&who),
                2 => self.delayed(who),
                3 => self.by_metadata(who),
                4 => self.merged(who),
                5 => self.intent_alone(who),
                6 => self.two_clicks(who),
                _ => self.subscriber(who, goal),
            }
        }
    }

    /// How many of the steps are Stripe's.
    pub fn events(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Event(_))).count()
    }

    fn newcomer(&mut self, number: usize) -> Who {
        let versions = [Version::V2024, Version::Basil, Version::Clover];
        Who {
            name: format!("{}p{number:03}", self.run),
            mode: if number % 20 == 19 { Mode::Test } else { Mode::Live },
            version: self.random.pick(&versions).copied().unwrap(),
            currency: self.random.pick(&CURRENCIES).copied().unwrap(),
            link: None,
        }
    }

    /// The next click that was made, now this customer's.
    fn clicked(&mut self) -> Clicked {
        self.clicks.pop_front().unwrap()
    }

    fn lead(&mut self, who: &Who, click: &Clicked) {
        // A lead has no mode but the live one here; a test-mode history names its click in the session.
        if who.mode == Mode::Live {
            self.steps.push(Step::Lead {
                click_id: click.click_id.clone(),
                external_id: who.external_id(),
                name: format!("Name {}", who.name),
                email: who.email(),
            });
        }
    }

    fn event(&mut self, who: &Who, after: i64, kind: &str, object: impl Into<Object>) {
        let event = Event::new(kind, object).at(self.at + after).mode(who.mode).version(who.version);
        self.steps.push(Step::Event(Box::new(event)));
    }

    fn figures(&mut self, who: &Who) -> &mut Figures {
        let world = if who.mode == Mode::Live { &mut self.expected.live } else { &mut self.expected.test };
        match &who.link {
            Some(link) => world.link(link),
            None => &mut world.unattributed,
        }
    }

    fn known(&mut self, who: &Who, subscribes: bool) {
        if let (Mode::Live, Some(link)) = (who.mode, &who.link) {
            self.people.push(Person {
                name: who.name.clone(),
                external_id: who.external_id(),
                email: who.email(),
                link_id: link.clone(),
                currency: who.currency,
                subscribes,
            });
        }
    }

    fn price(&mut self) -> i64 {
        self.random.between(500, 90_000)
    }

    // ── histories ──

    /// Lead, session, first invoice, renewals, and what goes wrong with them.
    fn subscriber(&mut self, mut who: Who, goal: usize) {
        let click = self.clicked();
        who.link = Some(click.link_id.clone());
        self.lead(&who, &click);
        self.known(&who, true);
        let (price, trial) = (self.price(), self.random.chance(20));
        let (customer, subscription) = (who.id("cus", ""), who.id("sub", ""));
        let mut session = Session::paid(&who.id("cs", ""))
            .amount(price, who.currency)
            .customer(&customer)
            .subscription(&subscription)
            .invoice(&who.id("in", "0"))
            .external_id(&who.external_id());
        if trial {
            session = session.amount(0, who.currency).with("payment_status", "no_payment_required");
        }
        if who.mode == Mode::Test {
            session = session.click_id(&click.click_id);
        }
        self.event(&who, 1, "customer.created", Customer::new(&customer).email(&who.email()));
        self.event(&who, 1, "checkout.session.completed", session);
        let started =
            Subscription::active(&subscription).customer(&customer).price(price, who.currency, "month");
        self.event(&who, 1, "customer.subscription.created", started);
        let mut number = 0;
        while self.events() < goal {
            if number == 0 && trial {
                let free = Invoice::paid(&who.id("in", "0")).amount(0, who.currency).customer(&customer);
                self.event(&who, 1, "invoice.paid", free.subscription(&subscription, "subscription_create"));
            } else {
                let reason = if number == 0 { "subscription_create" } else { "subscription_cycle" };
                let paid = self.invoice(&who, number, price, Some((&subscription, reason)));
                self.trouble(&who, &paid);
            }
            number += 1;
        }
        if self.random.chance(30) {
            let ended = Subscription::active(&subscription).customer(&customer).ended(self.at + 90);
            self.event(&who, 90, "customer.subscription.deleted", ended);
        }
    }

    /// An invoice with its payment, as each version tells it.
    fn invoice(&mut self, who: &Who, number: i64, price: i64, subscription: Option<(&str, &str)>) -> Paid {
        let name = number.to_string();
        let [invoice, intent, charge] = ["in", "pi", "ch"].map(|prefix| who.id(prefix, &name));
        let (at, customer) = (2 + number, who.id("cus", ""));
        let mut paid = Invoice::paid(&invoice)
            .amount(price, who.currency)
            .customer(&customer)
            .intent(&intent)
            .charge(&charge);
        if let Some((id, reason)) = subscription {
            paid = paid.subscription(id, reason);
        }
        if self.random.chance(20) {
            paid = paid.expanded();
        }
        self.event(who, at, "invoice.paid", paid);
        let succeeded = Intent::succeeded(&intent)
            .amount(price, who.currency)
            .customer(&customer)
            .charge(&charge)
            .invoice(&invoice);
        self.event(who, at, "payment_intent.succeeded", succeeded);
        if self.random.chance(50) {
            let charged = Charge::succeeded(&charge)
                .amount(price, who.currency)
                .customer(&customer)
                .intent(&intent)
                .invoice(&invoice);
            self.event(who, at, "charge.succeeded", charged);
        }
        if who.version != Version::V2024 {
            let payment = InvoicePayment::paid(&who.id("inpay", &name), &invoice, &intent);
            self.event(who, at, "invoice_payment.paid", payment.amount(price, who.currency));
        }
        self.figures(who).sale(price, who.currency);
        Paid { amount: price, charge, intent, invoice: Some(invoice), at }
    }

    /// A one-off payment by checkout; `session` has who and where from.
    fn checkout(&mut self, who: &Who, name: &str, price: i64, session: Session) -> Paid {
        let [intent, charge] = ["pi", "ch"].map(|prefix| who.id(prefix, name));
        let session = session.amount(price, who.currency).intent(&intent);
        self.event(who, 2, "checkout.session.completed", session);
        let succeeded = Intent::succeeded(&intent).amount(price, who.currency).charge(&charge);
        self.event(who, 2, "payment_intent.succeeded", succeeded);
        self.figures(who).sale(price, who.currency);
        Paid { amount: price, charge, intent, invoice: None, at: 2 }
    }

    /// Now and then money goes back.
    fn trouble(&mut self, who: &Who, paid: &Paid) {
        match self.random.below(10) {
            0 => self.refunds(who, paid),
            1 => self.failed_refund(who, paid),
            2 => self.dispute(who, paid),
            _ => {}
        }
    }

    /// One or two refunds, told by the charge and by the refunds themselves.
    fn refunds(&mut self, who: &Who, paid: &Paid) {
        let first = self.random.between(1, paid.amount);
        let second = if first < paid.amount { self.random.between(1, paid.amount - first) } else { 0 };
        let mut together = 0;
        for (index, part) in [first, second].into_iter().enumerate().filter(|(_, part)| *part > 0) {
            together += part;
            let after = paid.at + 1 + i64::try_from(index).unwrap();
            let refund = Refund::succeeded(&format!("re_{index}{}", paid.charge), &paid.charge)
                .amount(part, who.currency)
                .intent(&paid.intent);
            self.event(who, after, "refund.created", refund);
            let mut snapshot = Charge::succeeded(&paid.charge)
                .amount(paid.amount, who.currency)
                .refunded(together)
                .intent(&paid.intent);
            if let Some(invoice) = &paid.invoice {
                snapshot = snapshot.invoice(invoice).customer(&who.id("cus", ""));
            }
            self.event(who, after, "charge.refunded", snapshot);
            self.figures(who).refund(part, who.currency);
        }
    }

    fn failed_refund(&mut self, who: &Who, paid: &Paid) {
        let refund = Refund::succeeded(&format!("re_f{}", paid.charge), &paid.charge)
            .amount(paid.amount, who.currency)
            .intent(&paid.intent);
        self.event(who, paid.at + 1, "refund.created", refund.clone().status("pending"));
        self.event(who, paid.at + 2, "refund.failed", refund.status("failed"));
    }

    fn dispute(&mut self, who: &Who, paid: &Paid) {
        let dispute = Dispute::opened(&format!("dp_{}", paid.charge), &paid.charge)
            .amount(paid.amount, who.currency)
            .intent(&paid.intent);
        if self.random.chance(20) {
            // An inquiry moves no money.
            self.event(
                who,
                paid.at + 1,
                "charge.dispute.created",
                dispute.clone().status("warning_needs_response"),
            );
            self.event(who, paid.at + 2, "charge.dispute.closed", dispute.status("warning_closed"));
            return;
        }
        self.event(who, paid.at + 1, "charge.dispute.created", dispute.clone());
        self.event(who, paid.at + 1, "charge.dispute.funds_withdrawn", dispute.clone());
        self.figures(who).dispute(paid.amount, who.currency);
        let won = self.random.chance(50);
        let decided = dispute.status(if won { "won" } else { "lost" });
        if won {
            self.event(who, paid.at + 3, "charge.dispute.funds_reinstated", decided.clone());
            self.figures(who).dispute(-paid.amount, who.currency);
        }
        self.event(who, paid.at + 3, "charge.dispute.closed", decided);
    }

    /// A payment link carries the click; nobody reports a lead.
    fn guest(&mut self, mut who: Who) {
        let click = self.clicked();
        who.link = Some(click.link_id.clone());
        let price = self.price();
        let session = Session::paid(&who.id("cs", ""))
            .email("shared.guest@example.com")
            .referred_by_click(&click.click_id);
        let paid = self.checkout(&who, "g", price, session);
        self.trouble(&who, &paid);
    }

    /// Nothing of ours in it.
    fn stranger(&mut self, who: &Who) {
        let price = self.price();
        let session = Session::paid(&who.id("cs", "")).customer(&who.id("cus", "")).reference("order 7");
        let paid = self.checkout(who, "s", price, session);
        self.trouble(who, &paid);
    }

    /// A delayed payment method, which in the end pays or does not.
    fn delayed(&mut self, mut who: Who) {
        let click = self.clicked();
        who.link = Some(click.link_id.clone());
        self.lead(&who, &click);
        self.known(&who, false);
        let price = self.price();
        let intent = who.id("pi", "d");
        let session = Session::unpaid(&who.id("cs", ""))
            .amount(price, who.currency)
            .customer(&who.id("cus", ""))
            .intent(&intent)
            .external_id(&who.external_id());
        self.event(&who, 2, "checkout.session.completed", session.clone());
        if self.random.chance(60) {
            let paid = session.with("payment_status", "paid");
            self.event(&who, 9, "checkout.session.async_payment_succeeded", paid);
            self.event(
                &who,
                9,
                "payment_intent.succeeded",
                Intent::succeeded(&intent).amount(price, who.currency),
            );
            self.figures(&who).sale(price, who.currency);
        } else {
            self.event(&who, 9, "checkout.session.async_payment_failed", session);
        }
    }

    /// Known only through the metadata of a Stripe customer, which comes with an update.
    fn by_metadata(&mut self, mut who: Who) {
        let click = self.clicked();
        who.link = Some(click.link_id.clone());
        self.known(&who, false);
        let customer = Customer::new(&who.id("cus", ""));
        self.event(&who, 1, "customer.created", customer.clone());
        let updated = customer.external_id(&who.external_id()).click_id(&click.click_id);
        self.event(&who, 1, "customer.updated", updated);
        let price = self.price();
        let paid = self.invoice(&who, 1, price, None);
        self.trouble(&who, &paid);
    }

    /// A lead under the merchant's id, a touchpoint and a payment under Stripe's, and only then the session that
    /// says that both are one.
    fn merged(&mut self, mut who: Who) {
        let (early, late) = (self.clicked(), self.clicked());
        self.lead(&who, &early);
        who.link = Some(late.link_id.clone());
        self.known(&who, false);
        let customer = Customer::new(&who.id("cus", "")).click_id(&late.click_id);
        self.event(&who, 1, "customer.created", customer);
        let price = self.price();
        let paid = self.invoice(&who, 1, price, None);
        self.trouble(&who, &paid);
        let session =
            Session::paid(&who.id("cs", "")).customer(&who.id("cus", "")).external_id(&who.external_id());
        let price = self.price();
        let paid = self.checkout(&who, "m", price, session);
        self.trouble(&who, &paid);
    }

    /// A payment intent is a sale when it carries our ids, and none when it carries nothing.
    fn intent_alone(&mut self, mut who: Who) {
        let click = self.clicked();
        who.link = Some(click.link_id.clone());
        let price = self.price();
        let ours =
            Intent::succeeded(&who.id("pi", "i")).amount(price, who.currency).click_id(&click.click_id);
        self.event(&who, 2, "payment_intent.succeeded", ours);
        self.figures(&who).sale(price, who.currency);
        let unmatched = Intent::succeeded(&who.id("pi", "u")).amount(price, who.currency);
        self.event(&who, 3, "payment_intent.succeeded", unmatched);
    }

    /// The lead came by one click, the session names an earlier one: a payment that names its click belongs to it.
    fn two_clicks(&mut self, mut who: Who) {
        let (early, late) = (self.clicked(), self.clicked());
        self.lead(&who, &late);
        who.link = Some(early.link_id.clone());
        self.known(&who, false);
        let price = self.price();
        let session = Session::paid(&who.id("cs", ""))
            .customer(&who.id("cus", ""))
            .external_id(&who.external_id())
            .referred_by_click(&early.click_id);
        let paid = self.checkout(&who, "t", price, session);
        self.trouble(&who, &paid);
    }
}

impl Who {
    fn id(&self, prefix: &str, name: &str) -> String {
        format!("{prefix}_{}x{name}", self.name)
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }

    fn external_id(&self) -> String {
        format!("user_{}", self.name)
    }
}
