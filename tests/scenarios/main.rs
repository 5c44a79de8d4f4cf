//! What each history of Stripe events must add up to: one test per row, in every order, with repetitions.
//!
//! Up to seven steps every permutation is played, beyond that 500 random ones, each with random duplicates.
//! The expected books are lines: `sale <reference> <amount> <currency> <click>`, `refund -500 usd c1`,
//! `customer <external ids> <stripe ids>`, `lead <name> <click>`, `parked <what>`; `-` is unattributed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing step ends the test")]
#![expect(clippy::too_many_lines, clippy::needless_pass_by_value, reason = "the rows are data")]

mod apart;
mod numbers;
mod rows;
mod thanks;
mod undone;
mod world;

use rows::Row;
use world::{Directory, Step, lines};

/// A small generator, so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n).unwrap()).unwrap()
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    let insert = |p: &Vec<usize>, at: usize| {
        let mut p = p.clone();
        p.insert(at, n - 1);
        p
    };
    shorter.iter().flat_map(|p| (0..n).map(move |at| insert(p, at))).collect()
}

/// The orders in which a row is delivered, with duplicates strewn in.
fn schedules(n: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let mut orders = if n <= 7 {
        permutations(n)
    } else {
        (0..500)
            .map(|_| {
                let mut order: Vec<usize> = (0..n).collect();
                for i in (1..n).rev() {
                    order.swap(i, dice.below(i + 1));
                }
                order
            })
            .collect()
    };
    for order in &mut orders {
        for _ in 0..dice.below(4) {
            let (from, to) = (dice.below(order.len()), dice.below(order.len() + 1));
            order.insert(to, order[from]);
        }
    }
    orders
}

fn play(steps: &[Step], order: &[usize]) -> Vec<String> {
    let mut directory = Directory::default();
    for index in order {
        directory.accept(&steps[*index], *index);
    }
    lines(&directory.views())
}

/// Plays a row in all its orders; gives how many.
fn check(row: &Row) -> usize {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ u64::from(row.number));
    let mut expected: Vec<String> = row.books.iter().map(|line| (*line).to_owned()).collect();
    expected.sort();
    let orders = schedules(row.steps.len(), &mut dice);
    for order in &orders {
        let books = play(&row.steps, order);
        assert_eq!(books, expected, "row {} ({}), order {order:?}", row.number, row.name);
    }
    orders.len()
}

#[test]
fn every_row_in_every_order() {
    let mut played = 0;
    let mut failed = Vec::new();
    for row in rows::all() {
        match std::panic::catch_unwind(|| check(&row)) {
            Ok(orders) => played += orders,
            Err(_) => failed.push(row.number),
        }
    }
    assert!(failed.is_empty(), "rows {failed:?} failed; their books are above");
    println!("{} rows, {played} orders", rows::all().len());
}

/// Row 80: at no moment does a link and currency show more than the accepted objects justify.
#[test]
fn nothing_is_invented_on_the_way() {
    for row in rows::all() {
        let most: i64 =
            amounts(&play(&row.steps, &(0..row.steps.len()).collect::<Vec<_>>())).max(row.justified);
        let mut dice = Dice(0xD1B5_4A32_D192_ED03 ^ u64::from(row.number));
        for order in schedules(row.steps.len(), &mut dice).iter().take(200) {
            let mut directory = Directory::default();
            for index in order {
                directory.accept(&row.steps[*index], *index);
                let shown = amounts(&lines(&directory.views()));
                assert!(shown <= most, "row {}: {shown} of at most {most}, order {order:?}", row.number);
            }
        }
    }
}

/// The sum of the sales in a book of one currency.
fn amounts(books: &[String]) -> i64 {
    let sales = books.iter().filter(|line| line.starts_with("sale "));
    sales.map(|line| line.split(' ').nth(2).unwrap().parse::<i64>().unwrap()).sum()
}
