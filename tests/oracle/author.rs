//! Tells random histories: people who click, sign up, subscribe, pay, get money back; and what Stripe leaves
//! out, tells twice, or tells in two API versions.

use std::collections::BTreeSet;

use pimms_cli::random::Random;
use pimms_cli::stripe::Version;
use pimms_edge::core::click_id::Keys;
use pimms_edge::core::time::Millis;

use crate::history::{
    Checkout, Deed, Ending, Invoice, Noise, Outcome, Part, Place, Price, Refund, Step, T0, Tag,
};
use crate::render::WORKSPACE;

const DAY: i64 = 86_400;
const CURRENCIES: [&str; 4] = ["usd", "eur", "jpy", "kwd"];
const SHAPES: [&[Version]; 5] = [
    &[Version::V2024],
    &[Version::Basil],
    &[Version::Basil],
    &[Version::Clover],
    &[Version::V2024, Version::Basil],
];

/// A random history.
pub fn tell(seed: u64, keys: &Keys) -> Vec<Step> {
    let mut author = Author {
        random: Random::new(seed),
        keys,
        now: 0,
        steps: Vec::new(),
        people: Vec::new(),
        money: Vec::new(),
        loose: Vec::new(),
        nameable: Vec::new(),
        tracked: BTreeSet::new(),
        accounts: 1,
        count: [0; 2],
    };
    author.cast();
    for _ in 0..author.random.between(3, 14) {
        author.step();
    }
    author.steps
}

struct Author<'a> {
    random: Random,
    keys: &'a Keys,
    now: i64,
    steps: Vec<Step>,
    people: Vec<Person>,
    /// Charges that money may go back from.
    money: Vec<Money>,
    /// Payment intents told alone, which a session may still claim.
    loose: Vec<(u8, String, String, Price)>,
    /// Payments that `/track/sale` may name.
    nameable: Vec<(String, Price)>,
    tracked: BTreeSet<String>,
    accounts: usize,
    count: [u32; 2],
}

#[derive(Clone)]
struct Person {
    external_id: Option<String>,
    /// By account.
    customers: [Option<String>; 2],
    currency: &'static str,
    clicks: Vec<Tag>,
    subscriptions: Vec<(u8, String, String)>,
}

#[derive(Clone)]
struct Money {
    account: u8,
    charge: String,
    intent: String,
    charged: Price,
    refunded: i64,
    /// How its refunds are told: by the charge (and perhaps themselves), or by themselves alone.
    by_charge: bool,
    once: bool,
    customer: Option<String>,
    invoice: Option<String>,
    shapes: Vec<Version>,
}

impl Author<'_> {
    fn cast(&mut self) {
        self.accounts = if self.random.chance(25) { 2 } else { 1 };
        for number in 0..self.random.between(1, 4) {
            // The same `cus_…` in two accounts is two customers.
            let customer = |random: &mut Random| random.chance(75).then(|| format!("cus_{number}"));
            let mut person = Person {
                external_id: self.random.chance(80).then(|| format!("u{number}")),
                customers: [customer(&mut self.random), customer(&mut self.random)],
                currency: self.random.pick(&CURRENCIES).copied().unwrap(),
                clicks: Vec::new(),
                subscriptions: Vec::new(),
            };
            // Somebody known under a name of somebody else: the two are found to be one.
            if let Some(other) = self.people.last().filter(|_| self.random.chance(12)).cloned() {
                if self.random.chance(50) {
                    person.external_id = other.external_id;
                } else {
                    person.customers[0].clone_from(&other.customers[0]);
                }
            }
            self.people.push(person);
        }
    }

    fn step(&mut self) {
        self.now += match self.random.below(10) {
            0..=3 => self.random.between(6, 90),
            4 | 5 => self.random.between(600, DAY),
            6 | 7 => self.random.between(DAY, 6 * DAY),
            8 => self.random.between(10 * DAY, 25 * DAY),
            _ => self.random.between(30 * DAY, 45 * DAY),
        };
        let who = self.random.below(self.people.len());
        match self.random.below(100) {
            0..=17 => self.lead(who),
            18..=25 => self.customer(who),
            26..=42 => self.one_off(who),
            43..=54 => self.subscribe(who),
            55..=69 => self.renew(who),
            70..=74 => self.intent(who),
            75..=79 => self.tracked_sale(who),
            80..=90 => self.refund(),
            91..=95 => self.dispute(),
            _ => self.noise(who),
        }
    }

    fn push(&mut self, deed: Deed) {
        self.steps.push(Step { at: self.now, deed });
    }

    fn account(&mut self) -> u8 {
        u8::try_from(self.random.below(self.accounts)).unwrap()
    }

    /// A new id; those of different accounts are alike on purpose.
    fn id(&mut self, prefix: &str, account: u8) -> String {
        let count = &mut self.count[usize::from(account)];
        *count += 1;
        format!("{prefix}_{count}")
    }

    fn shapes(&mut self) -> Vec<Version> {
        self.random.pick(&SHAPES).copied().unwrap().to_vec()
    }

    fn price(&mut self, who: usize) -> Price {
        Price { amount: self.random.between(100, 99_999), currency: self.people[who].currency }
    }

    /// A click of this person: mostly a new one, made since the last step.
    fn tag(&mut self, who: usize) -> Tag {
        let earlier = self.random.pick(&self.people[who].clicks).cloned();
        match (self.random.below(100), earlier) {
            (0..=24, Some(tag)) => return tag,
            (25..=32, _) => return self.no_click(),
            (33..=35, _) => {
                let other = self.random.below(self.people.len());
                if let Some(tag) = self.random.pick(&self.people[other].clicks).cloned() {
                    return tag;
                }
            }
            _ => {}
        }
        let tag = self.new_click();
        self.people[who].clicks.push(tag.clone());
        tag
    }

    fn new_click(&mut self) -> Tag {
        let link = u8::try_from(self.random.between(1, 4)).unwrap();
        let since = self.steps.last().map_or(-DAY, |step| step.at + 2);
        let second = T0 + self.random.between(since.min(self.now - 1), self.now - 1);
        let at = second * 1000 + self.random.between(0, 999);
        let nonce = u32::try_from(self.random.below(1 << 30)).unwrap();
        let text = self.keys.issue(WORKSPACE, [link; 16], Millis(at), nonce).unwrap();
        Tag { text, click: Some((link, at)) }
    }

    /// What is no click id: forged, of another workspace, or a template that was not filled in.
    fn no_click(&mut self) -> Tag {
        let real = self.new_click().text;
        let forged = || real.chars().rev().collect();
        let foreign = || self.keys.issue("ws_2", [1; 16], Millis((T0 + self.now) * 1000), 7).unwrap();
        let text = match self.random.below(4) {
            0 => forged(),
            1 => foreign(),
            2 => "null".to_owned(),
            _ => "undefined".to_owned(),
        };
        Tag { text, click: None }
    }

    /// A click that a payment names: not older than a cookie lives.
    fn own(&mut self, who: usize) -> Option<Tag> {
        let tag = self.tag(who);
        let young = |(_, at): (u8, i64)| at > (T0 + self.now - 89 * DAY) * 1000;
        tag.click.is_none_or(young).then_some(tag)
    }

    fn lead(&mut self, who: usize) {
        if let Some(external_id) = self.people[who].external_id.clone() {
            let tag = self.tag(who);
            self.push(Deed::Lead { external_id, tag });
        }
    }

    fn customer(&mut self, who: usize) {
        let account = self.account();
        let Some(customer) = self.people[who].customers[usize::from(account)].clone() else { return };
        let external_id = self.people[who].external_id.clone().filter(|_| self.random.chance(50));
        let tag = if self.random.chance(40) { Some(self.tag(who)) } else { None };
        let updated = self.random.chance(50);
        self.push(Deed::Customer { account, customer, external_id, tag, updated });
    }

    fn one_off(&mut self, who: usize) {
        if self.random.chance(20) {
            return self.invoice_alone(who);
        }
        let account = self.account();
        // A session may claim an intent that was told before, when that paid at once.
        let claimed = self.random.chance(30).then(|| self.loose.pop()).flatten();
        let is_new = claimed.is_none();
        let (account, intent, charge, price) = claimed.unwrap_or_else(|| {
            let (intent, charge) = (self.id("pi", account), self.id("ch", account));
            (account, intent, charge, self.price(who))
        });
        let shapes = self.shapes();
        let outcome = match self.random.below(20) {
            _ if !is_new => Outcome::Paid,
            0..=13 => Outcome::Paid,
            14 | 15 => Outcome::PaidLater {
                after: self.random.between(1, 5 * DAY),
                by_session: self.random.chance(70),
            },
            16 => Outcome::FailsLater { after: self.random.between(1, 5 * DAY) },
            17 => Outcome::Pending,
            18 => Outcome::Setup,
            _ => Outcome::Expired,
        };
        let sure = matches!(outcome, Outcome::Paid);
        let needs_intent = matches!(outcome, Outcome::PaidLater { by_session: false, .. });
        let arrives = sure || matches!(outcome, Outcome::PaidLater { .. });
        let presented = (sure && is_new && shapes.len() == 1 && self.random.chance(10)).then(|| Price {
            amount: self.random.between(100, 99_999),
            currency: if price.currency == "eur" { "gbp" } else { "eur" },
        });
        let tells = arrives && presented.is_none();
        let differs = i64::from(self.random.chance(8));
        let intent_says =
            (tells && (needs_intent || is_new && self.random.chance(55))).then_some(price.amount + differs);
        let guest = self.random.chance(25);
        let person = self.people[who].clone();
        let external_id = person.external_id.filter(|_| !guest && self.random.chance(80));
        let tracked_says = (sure
            && is_new
            && tells
            && self.accounts == 1
            && external_id.is_some()
            && self.random.chance(12))
        .then_some(price.amount + differs);
        let checkout = Checkout {
            account,
            session: self.id("cs", account),
            customer: person.customers[usize::from(account)].clone().filter(|_| !guest),
            external_id,
            own: self.own_place(who, intent_says.is_some()),
            price,
            presented,
            subscription: None,
            invoice: None,
            money: arrives.then(|| (intent.clone(), charge.clone())),
            outcome,
            intent_says,
            charge_is_told: tells && self.random.chance(35),
            tracked_says,
            shapes,
        };
        if arrives && is_new {
            self.remember(&checkout, &intent, &charge);
        }
        self.push(Deed::Checkout(checkout));
    }

    fn own_place(&mut self, who: usize, intent_is_told: bool) -> Option<(Place, Tag)> {
        if !self.random.chance(30) {
            return None;
        }
        let place = match self.random.below(3) {
            0 => Place::Reference,
            1 => Place::SessionMetadata,
            _ if intent_is_told => Place::IntentMetadata,
            _ => Place::Reference,
        };
        self.own(who).map(|tag| (place, tag))
    }

    fn remember(&mut self, checkout: &Checkout, intent: &str, charge: &str) {
        // Before basil the charge is in the buyer's currency, later in the merchant's.
        let shown = checkout.presented.filter(|_| checkout.shapes.contains(&Version::V2024));
        self.money.push(Money {
            account: checkout.account,
            charge: charge.to_owned(),
            intent: intent.to_owned(),
            charged: shown.unwrap_or(checkout.price),
            refunded: 0,
            by_charge: checkout.presented.is_some() || self.random.chance(65),
            once: checkout.presented.is_some(),
            customer: checkout.customer.clone(),
            invoice: None,
            shapes: checkout.shapes.clone(),
        });
        if checkout.outcome == Outcome::Paid
            && checkout.tracked_says.is_none()
            && checkout.presented.is_none()
        {
            self.nameable.push((intent.to_owned(), checkout.price));
        }
    }

    fn subscribe(&mut self, who: usize) {
        let account = self.account();
        let Some(customer) = self.people[who].customers[usize::from(account)].clone() else { return };
        let (subscription, invoice) = (self.id("sub", account), self.id("in", account));
        let price = self.price(who);
        self.people[who].subscriptions.push((account, subscription.clone(), customer.clone()));
        let by_session = self.random.chance(80);
        let trial = by_session && self.random.chance(25);
        if by_session {
            let outcome = match self.random.below(10) {
                _ if trial => Outcome::Free,
                0 => Outcome::PaidLater { after: self.random.between(1, 3 * DAY), by_session: true },
                _ => Outcome::Paid,
            };
            let differs = if self.random.chance(10) { 50 } else { 0 };
            let checkout = Checkout {
                account,
                session: self.id("cs", account),
                customer: Some(customer.clone()),
                external_id: self.people[who].external_id.clone().filter(|_| self.random.chance(80)),
                own: self.own_place(who, false),
                price: Price { amount: price.amount + differs, ..price },
                presented: None,
                subscription: Some(subscription.clone()),
                invoice: Some(invoice.clone()),
                money: None,
                outcome,
                intent_says: None,
                charge_is_told: false,
                tracked_says: None,
                shapes: self.shapes(),
            };
            let late = matches!(outcome, Outcome::PaidLater { .. });
            self.push(Deed::Checkout(checkout));
            if late {
                return;
            }
        }
        let price = if trial { Price { amount: 0, ..price } } else { price };
        self.invoice(account, invoice, customer, Some(subscription), price);
    }

    fn renew(&mut self, who: usize) {
        let Some((account, subscription, customer)) =
            self.random.pick(&self.people[who].subscriptions).cloned()
        else {
            return self.subscribe(who);
        };
        let (invoice, price) = (self.id("in", account), self.price(who));
        self.invoice(account, invoice, customer, Some(subscription), price);
    }

    fn invoice_alone(&mut self, who: usize) {
        let account = self.account();
        let Some(customer) = self.people[who].customers[usize::from(account)].clone() else { return };
        let (invoice, price) = (self.id("in", account), self.price(who));
        self.invoice(account, invoice, customer, None, price);
    }

    fn invoice(
        &mut self,
        account: u8,
        invoice: String,
        customer: String,
        subscription: Option<String>,
        price: Price,
    ) {
        let shapes = self.shapes();
        let old = shapes.contains(&Version::V2024);
        let out_of_band = price.amount > 0 && self.random.chance(6);
        let amounts = match self.random.below(10) {
            _ if price.amount == 0 || out_of_band => Vec::new(),
            0 if !old => {
                let first = self.random.between(1, price.amount - 1);
                vec![first, price.amount - first]
            }
            _ => vec![price.amount],
        };
        let split = amounts.len() > 1;
        let links = split || (shapes.contains(&Version::Basil) && self.random.chance(60));
        let is_told = amounts.is_empty() || self.random.chance(92);
        let parts: Vec<Part> = amounts
            .into_iter()
            .map(|amount| Part {
                intent: self.id("pi", account),
                charge: self.id("ch", account),
                amount,
                intent_is_told: self.random.chance(70),
                charge_is_told: self.random.chance(40),
                link_is_told: links,
            })
            .collect();
        for part in &parts {
            self.money.push(Money {
                account,
                charge: part.charge.clone(),
                intent: part.intent.clone(),
                charged: Price { amount: part.amount, ..price },
                refunded: 0,
                by_charge: self.random.chance(65),
                once: false,
                customer: Some(customer.clone()),
                invoice: (!split).then(|| invoice.clone()),
                shapes: shapes.clone(),
            });
        }
        if is_told && price.amount > 0 {
            self.nameable.push((invoice.clone(), price));
        }
        self.push(Deed::Invoice(Invoice {
            account,
            invoice,
            customer,
            subscription,
            price,
            is_told,
            parts,
            out_of_band,
            shapes,
        }));
    }

    fn intent(&mut self, who: usize) {
        let account = self.account();
        let price = self.price(who);
        let (intent, charge) = (self.id("pi", account), self.id("ch", account));
        let person = self.people[who].clone();
        let tag = if self.random.chance(40) { self.own(who).filter(|tag| tag.click.is_some()) } else { None };
        let external_id = person.external_id.filter(|_| self.random.chance(25));
        let customer = person.customers[usize::from(account)].clone().filter(|_| self.random.chance(50));
        self.money.push(Money {
            account,
            charge: charge.clone(),
            intent: intent.clone(),
            charged: price,
            refunded: 0,
            by_charge: self.random.chance(65),
            once: false,
            customer: customer.clone(),
            invoice: None,
            shapes: vec![Version::Basil],
        });
        self.loose.push((account, intent.clone(), charge.clone(), price));
        self.nameable.push((intent.clone(), price));
        self.push(Deed::Intent { account, intent, charge, customer, external_id, tag, price });
    }

    fn tracked_sale(&mut self, who: usize) {
        let Some(external_id) = self.people[who].external_id.clone() else { return };
        let mut price = self.price(who);
        let named = self.random.pick(&self.nameable).cloned();
        let invoice_id = match (self.random.below(4), named) {
            (0, _) => None,
            (1 | 2, Some((id, of_it))) if self.accounts == 1 => {
                price = of_it;
                price.amount += i64::from(self.random.chance(20));
                Some(id)
            }
            _ => Some(format!("INV_{}", self.steps.len())),
        };
        if let Some(id) = &invoice_id
            && !self.tracked.insert(id.clone())
        {
            return;
        }
        self.push(Deed::Tracked { external_id, invoice_id, price });
    }

    fn refund(&mut self) {
        let Some(at) = (!self.money.is_empty()).then(|| self.random.below(self.money.len())) else { return };
        let refund = self.id("re", self.money[at].account);
        let left = self.money[at].charged.amount - self.money[at].refunded;
        let more = self.random.chance(3);
        if left < 1 && !more || self.money[at].once && self.money[at].refunded > 0 {
            return;
        }
        let whole = self.random.chance(30);
        let amount = if more {
            left.max(1) + self.random.between(1, 500)
        } else if whole {
            left
        } else {
            self.random.between(1, left)
        };
        let fails = !more && !self.money[at].once && self.random.chance(20);
        let money = &mut self.money[at];
        let together = money.refunded + amount;
        if !fails {
            money.refunded = together;
        }
        let money = money.clone();
        let by_refund = !money.by_charge || self.random.chance(60);
        let fails_after = fails.then(|| self.random.between(1, 4));
        self.push(Deed::Refund(Refund {
            account: money.account,
            refund,
            charge: money.charge,
            intent: money.intent,
            charged: money.charged,
            amount,
            by_refund,
            by_charge: money.by_charge,
            fails_after,
            customer: money.customer,
            invoice: money.invoice,
            shapes: money.shapes,
        }));
    }

    fn dispute(&mut self) {
        let Some(money) = self.random.pick(&self.money).filter(|money| !money.once).cloned() else { return };
        let dispute = self.id("dp", money.account);
        let endings = [Ending::Inquiry, Ending::Open, Ending::Won, Ending::Lost];
        let ending = self.random.pick(&endings).copied().unwrap();
        let Money { account, charge, intent, charged: price, .. } = money;
        self.push(Deed::Dispute { account, dispute, charge, intent, price, ending });
    }

    fn noise(&mut self, who: usize) {
        let account = self.account();
        let Some(customer) = self.people[who].customers[usize::from(account)].clone() else { return };
        let kinds = [
            (Noise::SubscriptionUpdated, "sub"),
            (Noise::TwinOfInvoicePaid, "in"),
            (Noise::InvoiceVoided, "in"),
            (Noise::UnknownType, "cs"),
            (Noise::ExpiredSession, "cs"),
        ];
        let (kind, prefix) = self.random.pick(&kinds).copied().unwrap();
        let reference = self.id(prefix, account);
        self.push(Deed::Noise { account, kind, customer, reference });
    }
}
