//! The story: who clicks, what Stripe then says, and what it must add up to.
//!
//! Ada clicks, signs up, subscribes; her subscription renews, part of the first payment goes back, and her bank
//! disputes the second. Bo clicks and pays as a guest through a payment link, in yen. Cy pays without ever
//! having clicked. Ada's developer pays once more in test mode. Only what each of them must change may change.

use pimms_edge::core::mode::Mode;

use crate::random::Random;
use crate::stripe::{
    Build, Charge, Customer, Dispute, Event, Intent, Invoice, InvoicePayment, Refund, Session, Subscription,
    Version,
};
use crate::totals::Totals;

/// What the story is told with.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Part of every id, so that no two runs speak of the same customers.
    pub suffix: String,
    /// The link that was clicked.
    pub link_id: String,
    /// Ada's click.
    pub subscriber_click: String,
    /// Bo's click.
    pub guest_click: String,
    /// When they clicked, in seconds; sales come after it.
    pub clicked_at: i64,
}

/// Something to be sent to the instance.
#[derive(Debug, Clone)]
pub enum Step {
    /// `POST /api/track/lead`.
    Lead {
        /// The click that brought her.
        click_id: String,
        /// The merchant's own id.
        external_id: String,
        /// Shown.
        name: String,
        /// Shown.
        email: String,
    },
    /// A delivery to the webhook.
    Event(Box<Event>),
}

/// Everything that happens, in order, and the figures it must add.
#[derive(Debug, Clone)]
pub struct Story {
    /// In the order of time.
    pub steps: Vec<Step>,
    /// What the totals must grow by.
    pub expected: Totals,
    /// External ids whose receipts are worth a look.
    pub people: Vec<String>,
}

/// Tells the story; amounts, API shapes and the end of the dispute depend on `random`.
#[must_use]
pub fn tell(cast: &Cast, random: &mut Random) -> Story {
    let version =
        random.pick(&[Version::V2024, Version::Basil, Version::Clover]).copied().unwrap_or_default();
    let mut teller = Teller { cast, version, steps: Vec::new(), expected: Totals::default() };
    // A click costs nothing and is counted at once.
    teller.expected.live.link(&cast.link_id).clicks += 2;
    let ada = teller.subscriber(random);
    teller.guest(random);
    teller.stranger(random);
    teller.developer(&ada);
    Story { steps: teller.steps, expected: teller.expected, people: vec![ada] }
}

struct Teller<'a> {
    cast: &'a Cast,
    version: Version,
    steps: Vec<Step>,
    expected: Totals,
}

impl Teller<'_> {
    fn id(&self, prefix: &str, name: &str) -> String {
        format!("{prefix}_{name}{}", self.cast.suffix)
    }

    /// One event, `seconds` after the clicks.
    fn event(&mut self, seconds: i64, kind: &str, object: impl Into<crate::stripe::Object>) {
        let event = Event::new(kind, object).at(self.cast.clicked_at + seconds).version(self.version);
        self.steps.push(Step::Event(Box::new(event)));
    }

    /// A paid invoice of the subscription with everything Stripe sends beside it.
    fn invoice(&mut self, seconds: i64, number: u8, price: i64, reason: &str) {
        let [invoice, intent, charge] =
            ["in", "pi", "ch"].map(|prefix| self.id(prefix, &format!("ada{number}")));
        let customer = self.id("cus", "ada");
        let paid = Invoice::paid(&invoice)
            .amount(price, "usd")
            .customer(&customer)
            .subscription(&self.id("sub", "ada"), reason)
            .intent(&intent)
            .charge(&charge);
        let charged = Charge::succeeded(&charge)
            .amount(price, "usd")
            .customer(&customer)
            .intent(&intent)
            .invoice(&invoice);
        let succeeded = Intent::succeeded(&intent)
            .amount(price, "usd")
            .customer(&customer)
            .charge(&charge)
            .invoice(&invoice);
        self.event(seconds, "charge.succeeded", charged);
        self.event(seconds, "payment_intent.succeeded", succeeded);
        self.event(seconds, "invoice.paid", paid);
        if self.version != Version::V2024 {
            let payment = InvoicePayment::paid(&self.id("inpay", &format!("ada{number}")), &invoice, &intent);
            self.event(seconds, "invoice_payment.paid", payment.amount(price, "usd"));
        }
        self.expected.live.link(&self.cast.link_id).sale(price, "usd");
    }

    fn subscriber(&mut self, random: &mut Random) -> String {
        let external_id = self.id("user", "ada");
        let customer = self.id("cus", "ada");
        let subscription = self.id("sub", "ada");
        let email = format!("ada.{}@example.com", self.cast.suffix);
        let price = random.pick(&[1900, 2900, 4900, 9900]).copied().unwrap_or(4900);

        self.steps.push(Step::Lead {
            click_id: self.cast.subscriber_click.clone(),
            external_id: external_id.clone(),
            name: "Ada Lovelace".to_owned(),
            email: email.clone(),
        });
        let person = Customer::new(&customer).email(&email).name("Ada Lovelace");
        self.event(1, "customer.created", person);
        let session = Session::paid(&self.id("cs", "ada"))
            .amount(price, "usd")
            .customer(&customer)
            .email(&email)
            .subscription(&subscription)
            .invoice(&self.id("in", "ada1"))
            .external_id(&external_id);
        self.event(1, "checkout.session.completed", session);
        let started = Subscription::active(&subscription)
            .customer(&customer)
            .price(price, "usd", "month")
            .started(self.cast.clicked_at + 1);
        self.event(1, "customer.subscription.created", started);
        self.invoice(1, 1, price, "subscription_create");
        self.invoice(2, 2, price, "subscription_cycle");
        self.refund(random.between(1, price - 1), price);
        self.dispute(price, random.chance(75));
        external_id
    }

    /// Part of the first payment goes back.
    fn refund(&mut self, part: i64, price: i64) {
        let [intent, charge] = ["pi", "ch"].map(|prefix| self.id(prefix, "ada1"));
        let refund = Refund::succeeded(&self.id("re", "ada1"), &charge).amount(part, "usd").intent(&intent);
        let snapshot = Charge::succeeded(&charge)
            .amount(price, "usd")
            .refunded(part)
            .customer(&self.id("cus", "ada"))
            .intent(&intent)
            .invoice(&self.id("in", "ada1"));
        self.event(3, "refund.created", refund);
        self.event(3, "charge.refunded", snapshot);
        self.expected.live.link(&self.cast.link_id).refund(part, "usd");
    }

    /// The bank takes the second payment back, and when the dispute is won gives it back.
    fn dispute(&mut self, price: i64, won: bool) {
        let [intent, charge] = ["pi", "ch"].map(|prefix| self.id(prefix, "ada2"));
        let dispute = Dispute::opened(&self.id("dp", "ada2"), &charge).amount(price, "usd").intent(&intent);
        self.event(4, "charge.dispute.created", dispute.clone());
        self.event(4, "charge.dispute.funds_withdrawn", dispute.clone());
        self.expected.live.link(&self.cast.link_id).dispute(price, "usd");
        let decided = dispute.status(if won { "won" } else { "lost" });
        self.event(5, "charge.dispute.closed", decided.clone());
        if won {
            self.event(5, "charge.dispute.funds_reinstated", decided);
            self.expected.live.link(&self.cast.link_id).dispute(-price, "usd");
        }
    }

    /// A payment link carries the click itself; yen has no decimals.
    fn guest(&mut self, random: &mut Random) {
        let price = random.between(500, 20_000);
        let intent = self.id("pi", "bo");
        let session = Session::paid(&self.id("cs", "bo"))
            .amount(price, "jpy")
            .intent(&intent)
            .email(&format!("bo.{}@example.com", self.cast.suffix))
            .name("Bo")
            .with("payment_link", self.id("plink", "bo"))
            .referred_by_click(&self.cast.guest_click);
        self.event(2, "checkout.session.completed", session);
        let succeeded = Intent::succeeded(&intent).amount(price, "jpy").charge(&self.id("ch", "bo"));
        self.event(2, "payment_intent.succeeded", succeeded);
        self.expected.live.link(&self.cast.link_id).sale(price, "jpy");
    }

    /// Nothing of ours in it: counted, so that totals can be compared with Stripe's, and given to no link.
    fn stranger(&mut self, random: &mut Random) {
        let price = random.between(100, 50_000);
        let session = Session::paid(&self.id("cs", "cy"))
            .amount(price, "eur")
            .customer(&self.id("cus", "cy"))
            .intent(&self.id("pi", "cy"))
            .email(&format!("cy.{}@example.com", self.cast.suffix))
            .reference("order-17");
        self.event(3, "checkout.session.completed", session);
        self.expected.live.unattributed.sale(price, "eur");
    }

    /// Test mode: the same link, the same user id, another world.
    fn developer(&mut self, external_id: &str) {
        let session = Session::paid(&self.id("cs_test", "dev"))
            .amount(9900, "usd")
            .customer(&self.id("cus", "dev"))
            .intent(&self.id("pi", "dev"))
            .external_id(external_id)
            .click_id(&self.cast.subscriber_click);
        let event = Event::new("checkout.session.completed", session)
            .at(self.cast.clicked_at + 3)
            .mode(Mode::Test)
            .version(self.version);
        self.steps.push(Step::Event(Box::new(event)));
        self.expected.test.link(&self.cast.link_id).sale(9900, "usd");
    }
}

/// Every step once or, with `percent` chance, up to three times more; a repeated event may come in another API
/// shape, as from a second endpoint.
#[must_use]
pub fn repeat(steps: Vec<Step>, percent: usize, random: &mut Random) -> Vec<Step> {
    let mut repeated = Vec::new();
    for step in steps {
        if random.chance(percent) {
            for _ in 0..random.between(1, 3) {
                repeated.push(match (&step, random.chance(30)) {
                    (Step::Event(event), true) => {
                        Step::Event(Box::new(event.as_ref().clone().version(Version::V2024)))
                    }
                    _ => step.clone(),
                });
            }
        }
        repeated.push(step);
    }
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn cast() -> Cast {
        Cast {
            suffix: "x1".into(),
            link_id: "link_1".into(),
            subscriber_click: "c1".into(),
            guest_click: "c2".into(),
            clicked_at: 1_763_000_000,
        }
    }

    fn ids(steps: &[Step]) -> Vec<String> {
        let event = |step: &Step| match step {
            Step::Event(event) => Some(event.event_id()),
            Step::Lead { .. } => None,
        };
        steps.iter().filter_map(event).collect()
    }

    #[test]
    fn a_seed_tells_one_story_and_every_event_has_its_own_id() {
        for seed in 0..20 {
            let story = tell(&cast(), &mut Random::new(seed));
            let again = tell(&cast(), &mut Random::new(seed));
            assert_eq!(ids(&story.steps), ids(&again.steps));
            let distinct: BTreeSet<String> = ids(&story.steps).into_iter().collect();
            assert_eq!(distinct.len(), ids(&story.steps).len(), "seed {seed}");
        }
    }

    #[test]
    fn the_expected_figures_follow_from_the_story() {
        let story = tell(&cast(), &mut Random::new(3));
        let link = &story.expected.live.links["link_1"];
        assert_eq!((link.clicks, link.sales), (2, 3));
        for (currency, gross) in &link.gross {
            let undone =
                link.refunded.get(currency).unwrap_or(&0) + link.disputed.get(currency).unwrap_or(&0);
            assert_eq!(link.net[currency], gross - undone, "{currency}");
        }
        assert_eq!(story.expected.live.unattributed.sales, 1);
        assert_eq!(story.expected.test.links["link_1"].gross["usd"], 9900);
    }

    #[test]
    fn repetition_adds_nothing_new() {
        let story = tell(&cast(), &mut Random::new(5));
        let once: BTreeSet<String> = ids(&story.steps).into_iter().collect();
        let repeated = repeat(story.steps.clone(), 50, &mut Random::new(6));
        assert!(repeated.len() > story.steps.len());
        assert_eq!(ids(&repeated).into_iter().collect::<BTreeSet<_>>(), once);
    }
}
