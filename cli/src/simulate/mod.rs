//! `pimms simulate`: plays a whole story against a running instance and checks what it adds up to.
//!
//! Everything goes through HTTP, as it would in life: a browser clicks, the app reports a lead, Stripe delivers
//! signed events. Each run speaks of customers of its own and compares the growth of the instance's totals with
//! what the story must give, so runs may follow one another on one instance.

mod report;
pub mod story;

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::http_client::Client;
use crate::random::Random;
use crate::target::{Address, ShortLink, Target};
use crate::totals::{Lines, differences, growth};
use story::{Cast, Step, Story};

/// The ledger's projection and the click queue take a moment.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// A figure that is right must stay right: it is read again after this.
const STAYS_FOR: Duration = Duration::from_millis(250);

/// Chance of a step to be repeated, with `--duplicate`.
const REPEATED_PERCENT: usize = 40;

/// Options of `pimms simulate`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Which story: a number, or a range such as 1..20.
    #[arg(long, value_name = "N|A..B", default_value = "1", value_parser = seeds)]
    pub seed: Seeds,
    /// Delivers everything in random order.
    #[arg(long)]
    pub shuffle: bool,
    /// Delivers many things several times.
    #[arg(long)]
    pub duplicate: bool,
    /// Where the instance is.
    #[command(flatten)]
    pub address: Address,
}

/// The first and the last seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let number =
        |text: &str| text.parse::<u64>().map_err(|_| "a number, or a range such as 1..20".to_owned());
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (number(first)?, number(last.trim_start_matches('='))?),
        None => (number(text)?, number(text)?),
    };
    if first > last { Err("the range is empty".to_owned()) } else { Ok(Seeds { first, last }) }
}

/// `pimms simulate`.
pub fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::find(&options.address)?;
    let Seeds { first, last } = options.seed;
    let one = first == last;
    let (mut deliveries, mut wrong) = (0, Vec::new());
    let started = Instant::now();
    for seed in first..=last {
        let play = play(&target, seed, options)?;
        deliveries += play.deliveries;
        if one {
            print!("{}", report::full(&target, &play)?);
        } else {
            println!("{}", play.line());
        }
        if !play.differences.is_empty() {
            wrong.push(seed);
            play.differences.iter().for_each(|line| eprintln!("  {line}"));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    if wrong.is_empty() {
        let stories =
            if one { "The story is".into() } else { format!("All {} stories are", last - first + 1) };
        println!("{stories} exact: {deliveries} deliveries, {seconds:.1} s.");
        return Ok(());
    }
    let wrong: Vec<String> = wrong.iter().map(u64::to_string).collect();
    Err(Failure::new(format!("the totals differ from the story with seed {}: see above", wrong.join(", "))))
}

/// One story, played.
#[derive(Debug)]
pub struct Play {
    /// Its seed.
    pub seed: u64,
    /// The link that was clicked.
    pub link: ShortLink,
    /// What was told.
    pub story: Story,
    /// How often something was sent.
    pub deliveries: usize,
    /// By how much the totals grew.
    pub growth: Lines,
    /// Where that is not what it must be; empty when all is well.
    pub differences: Vec<String>,
    /// From the last delivery to the right totals.
    pub settled_after: Duration,
}

impl Play {
    fn line(&self) -> String {
        let verdict = if self.differences.is_empty() { "exact" } else { "WRONG" };
        let sales: i64 =
            self.growth.iter().filter(|(name, _)| name.ends_with(" sales")).map(|(_, n)| n).sum();
        format!(
            "seed {:>4}: {verdict}, {} deliveries, {sales} sales, settled after {:.1} s",
            self.seed,
            self.deliveries,
            self.settled_after.as_secs_f64()
        )
    }
}

/// Plays the story of one seed and waits until the totals have settled.
pub fn play(target: &Target, seed: u64, options: &Options) -> Result<Play, Failure> {
    let link = target.short_link()?;
    let before = target.totals()?.lines();
    let mut random = Random::new(seed);
    // What makes this run's ids its own; the story itself depends on the seed alone.
    let suffix = format!("{seed}x{}", base36(clock::now().0.unsigned_abs()));
    let clicked_at = clock::now_secs();
    let cast = Cast {
        subscriber_click: click(&link, &format!("{suffix}a"))?,
        guest_click: click(&link, &format!("{suffix}b"))?,
        link_id: link.id.clone(),
        suffix,
        // Stripe counts in whole seconds: the second after both clicks.
        clicked_at: clock::now_secs().max(clicked_at),
    };
    let story = story::tell(&cast, &mut random);
    let mut steps = story.steps.clone();
    if options.duplicate {
        steps = story::repeat(steps, REPEATED_PERCENT, &mut random);
    }
    if options.shuffle {
        random.shuffle(&mut steps);
    }
    for step in &steps {
        send(target, step)?;
    }
    let (growth, settled_after) = settle(target, &before, &story)?;
    let differences = differences(&story.expected.lines(), &growth);
    Ok(Play { seed, link, story, deliveries: steps.len(), growth, differences, settled_after })
}

/// Follows the short link as a browser of `visitor` would: the click id it was given.
pub fn click(link: &ShortLink, visitor: &str) -> Result<String, Failure> {
    let doing = || format!("the click on {}", link.url);
    let answer = Client::new(&link.url)
        .get("")
        .header(
            "user-agent",
            &format!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 visitor/{visitor}"),
        )
        .header("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        .header("accept-language", "en-GB,en;q=0.9")
        .header("referer", "https://news.example.com/")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-user", "?1")
        .header("upgrade-insecure-requests", "1")
        .send()
        .or_fail(doing)?;
    let location = answer.header("location").unwrap_or_default();
    let query = location.split_once('?').map_or("", |(_, query)| query);
    let in_query = query.split(['&', '#']).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        match name {
            "pimms_id" => Some(value),
            "client_reference_id" => value.strip_prefix("pimms_id_"),
            _ => None,
        }
    });
    let in_cookie = answer.all_headers("set-cookie").find_map(|cookie| cookie.strip_prefix("pimms_id="));
    let found = in_query.or(in_cookie.and_then(|rest| rest.split(';').next()));
    found.filter(|id| !id.is_empty()).map(str::to_owned).ok_or_else(|| {
        let status = answer.status;
        Failure::new(format!(
            "{} answered {status} with location {location:?} and no click id: does the link track conversions?",
            doing()
        ))
    })
}

/// Sends one step; whatever is not accepted is a failure.
pub fn send(target: &Target, step: &Step) -> Result<(), Failure> {
    match step {
        Step::Lead { click_id, external_id, name, email } => {
            let body = json!({
                "clickId": click_id, "eventName": "Sign up", "externalId": external_id,
                "customerName": name, "customerEmail": email,
            });
            target.post("/api/track/lead", &body).map(|_| ())
        }
        Step::Event(event) => match target.deliver(event.world(), &event.body())? {
            200..=299 => Ok(()),
            status => Err(Failure::new(format!("the webhook answered {status} to {}", event.kind()))),
        },
    }
}

/// Reads the totals until they are what they must be and stay so, or the time is over.
fn settle(target: &Target, before: &Lines, story: &Story) -> Result<(Lines, Duration), Failure> {
    let expected = story.expected.lines();
    let started = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        let grown = growth(before, &target.totals()?.lines());
        let settled_after = started.elapsed();
        if grown == expected {
            sleep(STAYS_FOR);
            return Ok((growth(before, &target.totals()?.lines()), settled_after));
        }
        if settled_after > SETTLED_WITHIN {
            return Ok((grown, settled_after));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.extend(char::from_digit(u32::try_from(number % 36).unwrap_or(0), 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range() {
        for (text, expected) in [
            ("7", Some((7, 7))),
            ("1..20", Some((1, 20))),
            ("1..=20", Some((1, 20))),
            ("20..1", None),
            ("x", None),
            ("..", None),
        ] {
            assert_eq!(seeds(text).ok(), expected.map(|(first, last)| Seeds { first, last }), "{text}");
        }
    }

    #[test]
    fn base36_is_short() {
        assert_eq!(base36(35), "z");
        assert_eq!(base36(36 * 36), "100");
    }
}
