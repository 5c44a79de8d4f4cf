//! The judge: what a history must add up to, seen whole and in order.
//!
//! Written from the rules of stripe-scenarios.md alone, the slow way, and sharing nothing with the ledger: it
//! knows what really happened, payment by payment, and asks of each only what Stripe has told of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{
    Checkout, Deed, Ending, Invoice, Outcome, Place, Price, Refund, Step, T0, Tag, names_each_other,
};

/// What is shown of one link (`None`: unattributed) in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub sales: i64,
    pub gross: i64,
    pub refunded: i64,
    pub disputed: i64,
}

/// Everything that is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    pub figures: BTreeMap<(Option<u8>, String), Figures>,
    /// Payment intents that nothing claims.
    pub unmatched: BTreeSet<String>,
    /// Refunds and disputes whose payment and customer are unknown: what they move, by currency.
    pub waiting: BTreeMap<String, i64>,
    /// The people: every name of each.
    pub people: BTreeSet<BTreeSet<String>>,
}

impl Books {
    pub fn at(&mut self, link: Option<u8>, currency: &str) -> &mut Figures {
        self.figures.entry((link, currency.to_owned())).or_default()
    }

    pub fn wait(&mut self, currency: &str, amount: i64) {
        *self.waiting.entry(currency.to_owned()).or_default() += amount;
    }

    /// All sales, by currency.
    pub fn gross(&self) -> BTreeMap<String, i64> {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for ((_, currency), figures) in &self.figures {
            *sums.entry(currency.clone()).or_default() += figures.gross;
        }
        sums
    }

    /// Without what adds up to nothing.
    pub fn tidy(mut self) -> Self {
        self.figures.retain(|_, figures| *figures != Figures::default());
        self.waiting.retain(|_, amount| *amount != 0);
        self
    }
}

const WINDOW_MS: i64 = 90 * 86_400_000;

/// Groups of names; two groups with a name in common are one.
#[derive(Debug, Default)]
struct Groups(Vec<BTreeSet<String>>);

impl Groups {
    fn add(&mut self, names: &[Option<String>]) {
        let mut group: BTreeSet<String> = names.iter().flatten().cloned().collect();
        if group.is_empty() {
            return;
        }
        while let Some(at) = self.0.iter().position(|other| !other.is_disjoint(&group)) {
            group.extend(self.0.swap_remove(at));
        }
        self.0.push(group);
    }

    fn of(&self, name: &str) -> BTreeSet<String> {
        let found = self.0.iter().find(|group| group.contains(name));
        found.cloned().unwrap_or_else(|| BTreeSet::from([name.to_owned()]))
    }
}

/// A payment as it really happened, with all that was told of it.
#[derive(Debug, Default)]
struct Truth {
    account: u8,
    /// A name by which its customer is found.
    name: String,
    subscription: Option<String>,
    invoice_said: Option<(i64, Price)>,
    parts_said: Option<(i64, Price)>,
    session_said: Option<(i64, Price)>,
    intent_said: Option<(i64, Price)>,
    intent_is_ours: bool,
    tracked_said: Option<(i64, Price)>,
    own: Vec<(u8, i64)>,
    /// Charges and intents that are known to be its money.
    money: BTreeSet<String>,
    /// What was charged in the buyer's currency.
    presented: Option<Price>,
}

/// A sale and where it belongs.
#[derive(Debug)]
struct Sale {
    at: i64,
    price: Price,
    link: Option<u8>,
    customer: BTreeSet<String>,
    money: BTreeSet<String>,
    presented: Option<Price>,
}

/// Judges a history.
pub fn judge(steps: &[Step]) -> Books {
    let people = names(steps);
    let truths = truths(steps);
    let mut sales: Vec<Sale> = Vec::new();
    let mut books = Books::default();
    for truth in truths.values() {
        let Some((at, price)) = said(truth) else { continue };
        if price.amount == 0 {
            continue;
        }
        let customer = people.of(&truth.name);
        let link = attribution(steps, &truths, truth, at, &customer);
        sales.push(Sale {
            at,
            price,
            link,
            customer,
            money: truth.money.clone(),
            presented: truth.presented,
        });
    }
    sales.sort_by_key(|sale| sale.at);
    for sale in &sales {
        let figures = books.at(sale.link, sale.price.currency);
        figures.sales += 1;
        figures.gross += sale.price.amount;
    }
    for step in steps {
        match &step.deed {
            Deed::Refund(refund) if refund.fails_after.is_none() => {
                let given = Price { amount: refund.amount, ..refund.charged };
                match place(&sales, &people, refund.account, &refund.charge) {
                    Counted::Sale(sale) => {
                        let amount = scaled(given, sale);
                        books.at(sale.link, amount.currency).refunded += amount.amount;
                    }
                    Counted::Link(link) => books.at(link, given.currency).refunded += given.amount,
                    Counted::Nowhere => books.wait(given.currency, -given.amount),
                }
            }
            Deed::Dispute { account, charge, price, ending, .. } => {
                if matches!(ending, Ending::Inquiry) {
                    continue;
                }
                let sign = i64::from(!matches!(ending, Ending::Won));
                match place(&sales, &people, *account, charge) {
                    Counted::Sale(sale) => {
                        books.at(sale.link, price.currency).disputed += sign * price.amount;
                    }
                    Counted::Link(link) => books.at(link, price.currency).disputed += sign * price.amount,
                    Counted::Nowhere => books.wait(price.currency, -sign * price.amount),
                }
            }
            _ => {}
        }
    }
    books.unmatched = unmatched(steps, &sales);
    for group in &people.0 {
        let names: BTreeSet<String> = group.iter().filter(|name| is_person(name)).cloned().collect();
        if !names.is_empty() {
            books.people.insert(names);
        }
    }
    books.tidy()
}

fn is_person(name: &str) -> bool {
    name.starts_with("ext:") || name.contains("cus_")
}

/// A Stripe id within its account.
pub fn scoped(account: u8, id: &str) -> String {
    format!("{account}|{id}")
}

fn external(id: Option<&String>) -> Option<String> {
    id.map(|id| format!("ext:{id}"))
}

/// Who is who: names told together name one customer.
fn names(steps: &[Step]) -> Groups {
    let mut groups = Groups::default();
    for step in steps {
        match &step.deed {
            Deed::Lead { external_id, .. } => groups.add(&[external(Some(external_id))]),
            Deed::Customer { account, customer, external_id, .. } => {
                groups.add(&[Some(scoped(*account, customer)), external(external_id.as_ref())]);
            }
            Deed::Checkout(checkout) => names_of_checkout(&mut groups, checkout),
            Deed::Invoice(invoice) => names_of_invoice(&mut groups, invoice),
            Deed::Intent { account, intent, charge, customer, external_id, .. } => {
                let id = |id: &String| Some(scoped(*account, id));
                groups.add(&[
                    id(intent),
                    id(charge),
                    customer.as_ref().and_then(id),
                    external(external_id.as_ref()),
                ]);
            }
            Deed::Tracked { external_id, invoice_id, .. } => {
                // Only histories with one account track payments under Stripe's ids.
                let payment = invoice_id.as_ref().map(|id| scoped(0, id));
                groups.add(&[external(Some(external_id)), payment]);
            }
            Deed::Refund(refund) => {
                let id = |id: &String| Some(scoped(refund.account, id));
                groups.add(&[id(&refund.charge), id(&refund.intent)]);
                if refund.by_charge {
                    groups.add(&[id(&refund.charge), refund.customer.as_ref().and_then(id)]);
                    if names_each_other(&refund.shapes) {
                        groups.add(&[id(&refund.charge), refund.invoice.as_ref().and_then(id)]);
                    }
                }
            }
            Deed::Dispute { account, charge, intent, .. } => {
                groups.add(&[Some(scoped(*account, charge)), Some(scoped(*account, intent))]);
            }
            Deed::Noise { account, kind, customer, reference } => {
                use crate::history::Noise;
                match kind {
                    Noise::SubscriptionUpdated => groups.add(&[Some(scoped(*account, customer))]),
                    Noise::InvoiceVoided | Noise::ExpiredSession => {
                        groups.add(&[Some(scoped(*account, customer)), Some(scoped(*account, reference))]);
                    }
                    Noise::TwinOfInvoicePaid | Noise::UnknownType => {}
                }
            }
        }
    }
    groups
}

fn names_of_checkout(groups: &mut Groups, checkout: &Checkout) {
    let id = |id: &String| Some(scoped(checkout.account, id));
    let customer = checkout.customer.as_ref().and_then(id);
    let (intent, charge) = checkout.money.clone().unzip();
    groups.add(&[
        id(&checkout.session),
        customer.clone(),
        external(checkout.external_id.as_ref()),
        checkout.invoice.as_ref().and_then(id),
        intent.as_ref().and_then(id),
    ]);
    if let Some((intent, charge)) = intent.zip(charge) {
        if checkout.intent_says.is_some() {
            groups.add(&[id(&intent), id(&charge), customer.clone()]);
        }
        if checkout.charge_is_told {
            groups.add(&[id(&intent), id(&charge), customer]);
        }
        if checkout.tracked_says.is_some() {
            groups.add(&[external(checkout.external_id.as_ref()), id(&intent)]);
        }
    }
}

fn names_of_invoice(groups: &mut Groups, invoice: &Invoice) {
    let id = |id: &String| Some(scoped(invoice.account, id));
    let each_other = names_each_other(&invoice.shapes);
    let (own, customer) = (id(&invoice.invoice), id(&invoice.customer));
    if invoice.is_told {
        groups.add(&[own.clone(), customer.clone()]);
    }
    for part in &invoice.parts {
        let (intent, charge) = (id(&part.intent), id(&part.charge));
        let named = own.clone().filter(|_| each_other);
        if invoice.is_told && each_other {
            groups.add(&[own.clone(), intent.clone(), charge.clone()]);
        }
        if part.intent_is_told {
            groups.add(&[intent.clone(), charge.clone(), customer.clone(), named.clone()]);
        }
        if part.charge_is_told {
            groups.add(&[intent.clone(), charge.clone(), customer.clone(), named]);
        }
        if part.link_is_told {
            groups.add(&[own.clone(), intent]);
        }
    }
}

/// Every payment that somebody speaks of, by account and its deepest name: the invoice, else the intent.
fn truths(steps: &[Step]) -> BTreeMap<(u8, String), Truth> {
    let mut truths: BTreeMap<(u8, String), Truth> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let at = T0 + step.at;
        match &step.deed {
            Deed::Checkout(checkout) => {
                let deepest = checkout.invoice.clone().or(checkout.money.clone().map(|money| money.0));
                let key = deepest.unwrap_or_else(|| checkout.session.clone());
                let truth = truths.entry((checkout.account, key)).or_default();
                truth_of_checkout(truth, checkout, at);
            }
            Deed::Invoice(invoice) => {
                let truth = truths.entry((invoice.account, invoice.invoice.clone())).or_default();
                truth_of_invoice(truth, invoice, at);
            }
            Deed::Intent { account, intent, charge, tag, external_id, price, .. } => {
                let truth = truths.entry((*account, intent.clone())).or_default();
                truth.account = *account;
                truth.name = scoped(*account, intent);
                truth.intent_said = Some((at, *price));
                truth.intent_is_ours |= tag.is_some() || external_id.is_some();
                truth.own.extend(tag.as_ref().and_then(|tag| tag.click));
                truth.money.extend([scoped(*account, intent), scoped(*account, charge)]);
            }
            Deed::Tracked { external_id, invoice_id, price } => {
                let key = invoice_id.clone().unwrap_or_else(|| format!("track {index}"));
                let truth = truths.entry((0, key)).or_default();
                truth.name = format!("ext:{external_id}");
                truth.tracked_said = Some((at, *price));
            }
            _ => {}
        }
    }
    // A charge whose refund is told in the older shape names its invoice: then it is known to be its money.
    for step in steps {
        if let Deed::Refund(Refund {
            account, charge, intent, invoice: Some(invoice), shapes, by_charge, ..
        }) = &step.deed
            && *by_charge
            && names_each_other(shapes)
            && let Some(truth) = truths.get_mut(&(*account, invoice.clone()))
        {
            truth.money.extend([scoped(*account, charge), scoped(*account, intent)]);
        }
    }
    truths
}

fn truth_of_checkout(truth: &mut Truth, checkout: &Checkout, at: i64) {
    truth.account = checkout.account;
    truth.name = scoped(checkout.account, &checkout.session);
    truth.subscription = truth.subscription.take().or(checkout.subscription.clone());
    truth.presented = checkout.presented;
    truth.session_said = match checkout.outcome {
        Outcome::Paid => Some((at, checkout.price)),
        Outcome::PaidLater { after, .. } => Some((at + after, checkout.price)),
        _ => None,
    };
    if let Some((intent, charge)) = &checkout.money {
        truth.money.extend([scoped(checkout.account, intent), scoped(checkout.account, charge)]);
        if let Some(amount) = checkout.intent_says {
            truth.intent_said = Some((at, Price { amount, ..checkout.price }));
        }
        if let Some(amount) = checkout.tracked_says {
            truth.tracked_said = Some((at, Price { amount, ..checkout.price }));
        }
    }
    let told = |place| place != Place::IntentMetadata || checkout.intent_says.is_some();
    truth.intent_is_ours |= checkout.own.as_ref().is_some_and(|(place, _)| *place == Place::IntentMetadata);
    truth.own.extend(checkout.own.iter().filter(|(place, _)| told(*place)).filter_map(|(_, tag)| tag.click));
}

fn truth_of_invoice(truth: &mut Truth, invoice: &Invoice, at: i64) {
    truth.account = invoice.account;
    let each_other = names_each_other(&invoice.shapes);
    if truth.name.is_empty() || invoice.is_told {
        truth.name = scoped(invoice.account, &invoice.invoice);
    }
    if invoice.is_told {
        truth.invoice_said = Some((at, invoice.price));
        truth.subscription = truth.subscription.take().or(invoice.subscription.clone());
    }
    let mut linked = 0;
    for part in &invoice.parts {
        let named = each_other && (invoice.is_told || part.intent_is_told || part.charge_is_told);
        if part.link_is_told || named {
            truth.money.extend([&part.intent, &part.charge].map(|id| scoped(invoice.account, id)));
        }
        if part.link_is_told {
            linked += part.amount;
        }
        if named && part.intent_is_told {
            truth.intent_said = Some((at, Price { amount: part.amount, ..invoice.price }));
        }
    }
    if linked > 0 {
        truth.parts_said = Some((at, Price { amount: linked, ..invoice.price }));
    }
}

/// What the payment is worth, and since when: by rank of those who say so (R6).
fn said(truth: &Truth) -> Option<(i64, Price)> {
    let intent = truth.intent_said.filter(|_| truth.intent_is_ours || truth.tracked_said.is_some());
    truth.invoice_said.or(truth.session_said).or(truth.parts_said).or(intent).or(truth.tracked_said)
}

/// The most that may be shown at any moment, in any order of delivery: each payment once, at the largest amount
/// that anybody says of it.
pub fn ceiling(steps: &[Step]) -> BTreeMap<String, i64> {
    let mut most: BTreeMap<String, i64> = BTreeMap::new();
    for truth in truths(steps).values() {
        let intent = truth.intent_said.filter(|_| truth.intent_is_ours || truth.tracked_said.is_some());
        let everybody =
            [truth.invoice_said, truth.session_said, truth.parts_said, intent, truth.tracked_said];
        if let Some((_, price)) = everybody.into_iter().flatten().max_by_key(|(_, price)| price.amount) {
            *most.entry(price.currency.to_owned()).or_default() += price.amount;
        }
    }
    most
}

/// R5.
fn attribution(
    steps: &[Step],
    truths: &BTreeMap<(u8, String), Truth>,
    truth: &Truth,
    at: i64,
    customer: &BTreeSet<String>,
) -> Option<u8> {
    if let Some(link) = latest(truth.own.iter().copied(), at) {
        return Some(link);
    }
    let Some(subscription) = &truth.subscription else { return last_click(steps, customer, at) };
    // The session that created the subscription, else its first payment.
    let creating = steps.iter().find_map(|step| match &step.deed {
        Deed::Checkout(c) if c.account == truth.account && c.subscription.as_ref() == Some(subscription) => {
            let own = c.own.as_ref().and_then(|(_, tag)| tag.click);
            (c.outcome != Outcome::Expired).then(|| (T0 + step.at, own.into_iter().collect::<Vec<_>>()))
        }
        _ => None,
    });
    let first = || {
        let of_it = truths.values().filter(|other| {
            other.account == truth.account && other.subscription.as_ref() == Some(subscription)
        });
        let paid =
            of_it.filter_map(|other| Some((said(other).filter(|(_, p)| p.amount > 0)?.0, other.own.clone())));
        paid.min_by_key(|(at, _)| *at)
    };
    let (anchor, own) = creating.or_else(first).unwrap_or((at, Vec::new()));
    latest(own.into_iter(), anchor).or_else(|| last_click(steps, customer, anchor))
}

fn latest(clicks: impl Iterator<Item = (u8, i64)>, at: i64) -> Option<u8> {
    // Stripe's times are whole seconds: a click of the same second is not later.
    let counts = |clicked: i64| clicked <= at * 1000 + 999 && clicked >= at * 1000 - WINDOW_MS;
    clicks.filter(|(_, clicked)| counts(*clicked)).max_by_key(|(_, clicked)| *clicked).map(|(link, _)| link)
}

/// The latest click that anything told of this customer carries.
fn last_click(steps: &[Step], customer: &BTreeSet<String>, at: i64) -> Option<u8> {
    let clicks = steps.iter().filter_map(|step| told_clicks(step, customer));
    latest(clicks.filter_map(|tag| tag.click), at)
}

fn told_clicks<'a>(step: &'a Step, customer: &BTreeSet<String>) -> Option<&'a Tag> {
    let known = |account: u8, id: &str| customer.contains(&scoped(account, id));
    match &step.deed {
        Deed::Lead { external_id, tag } => customer.contains(&format!("ext:{external_id}")).then_some(tag),
        Deed::Customer { account, customer, tag, .. } => tag.as_ref().filter(|_| known(*account, customer)),
        Deed::Checkout(c) => {
            let told = |place| place != Place::IntentMetadata || c.intent_says.is_some();
            let (_, tag) = c.own.as_ref().filter(|(place, _)| told(*place))?;
            known(c.account, &c.session).then_some(tag)
        }
        Deed::Intent { account, intent, tag, .. } => tag.as_ref().filter(|_| known(*account, intent)),
        _ => None,
    }
}

/// Where money that went back is counted (R8).
enum Counted<'a> {
    Sale(&'a Sale),
    Link(Option<u8>),
    Nowhere,
}

fn place<'a>(sales: &'a [Sale], people: &Groups, account: u8, charge: &str) -> Counted<'a> {
    let name = scoped(account, charge);
    if let Some(sale) = sales.iter().find(|sale| sale.money.contains(&name)) {
        return Counted::Sale(sale);
    }
    let customer = people.of(&name);
    if !customer.iter().any(|name| is_person(name)) {
        return Counted::Nowhere;
    }
    let links: BTreeSet<Option<u8>> =
        sales.iter().filter(|sale| sale.customer == customer).map(|sale| sale.link).collect();
    match links.iter().collect::<Vec<_>>().as_slice() {
        [link] => Counted::Link(**link),
        _ => Counted::Link(None),
    }
}

/// A refund in the buyer's currency, in the merchant's: in proportion, half up.
fn scaled(given: Price, sale: &Sale) -> Price {
    match sale.presented {
        Some(shown) if shown.currency == given.currency && given.currency != sale.price.currency => {
            let part = i128::from(given.amount) * i128::from(sale.price.amount);
            let whole = i128::from(shown.amount);
            let amount = i64::try_from((2 * part + whole) / (2 * whole)).unwrap();
            Price { amount, currency: sale.price.currency }
        }
        _ => given,
    }
}

/// Intents that are told and are nobody's money.
fn unmatched(steps: &[Step], sales: &[Sale]) -> BTreeSet<String> {
    let claimed = |account: u8, intent: &str| {
        let name = scoped(account, intent);
        sales.iter().any(|sale| sale.money.contains(&name))
    };
    let mut found = BTreeSet::new();
    for step in steps {
        match &step.deed {
            Deed::Intent { account, intent, .. } if !claimed(*account, intent) => {
                found.insert(intent.clone());
            }
            Deed::Invoice(invoice) => {
                let told = invoice.parts.iter().filter(|part| part.intent_is_told);
                let free = told.filter(|part| !claimed(invoice.account, &part.intent));
                found.extend(free.map(|part| part.intent.clone()));
            }
            _ => {}
        }
    }
    found
}
