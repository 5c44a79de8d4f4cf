//! Figures of a bench: medians over rounds, ratios within them.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::load::Outcome;
use super::redirect::Options;
use super::serve::Arrived;
use super::variant::Variant;
use crate::size::Size;
use crate::table::Table;

/// The goals, as ratios to the constant answer.
const GOALS: [(Variant, f64); 2] = [(Variant::Memory, 0.70), (Variant::Kv, 0.28)];

/// What was measured of one variant.
#[derive(Debug, Default)]
pub struct Figures {
    /// Answers per second, one per round.
    rates: Vec<f64>,
    /// Microseconds of CPU per answer, one per round.
    cpu_us: Vec<f64>,
    /// Sorted.
    latencies: Vec<Duration>,
    /// CPU time of single answers, sorted.
    cpu: Vec<Duration>,
    answers: usize,
    clicks: usize,
    messages: usize,
    reads: usize,
    started_in: Duration,
}

impl Figures {
    pub(super) fn add_round(&mut self, outcome: &Outcome, arrived: &Arrived, cpu: Option<Duration>) {
        let answers = u32::try_from(outcome.answers.max(1)).map_or(f64::from(u32::MAX), f64::from);
        self.rates.push(answers / outcome.took.as_secs_f64());
        self.cpu_us.extend(cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / answers));
        self.answers += outcome.answers;
        self.clicks += arrived.clicks.len();
        self.messages += arrived.messages;
        self.reads += arrived.reads;
    }

    pub(super) fn set_latencies(&mut self, mut latencies: Vec<Duration>) {
        latencies.sort();
        self.latencies = latencies;
    }

    pub(super) fn set_cpu(&mut self, mut cpu: Vec<Duration>) {
        cpu.sort();
        self.cpu = cpu;
    }

    pub(super) fn started_in(self, started_in: Duration) -> Self {
        Self { started_in, ..self }
    }

    fn latency_us(&self, percent: usize) -> Option<f64> {
        percentile_us(&self.latencies, percent)
    }

    fn single_cpu_us(&self, percent: usize) -> Option<f64> {
        percentile_us(&self.cpu, percent)
    }
}

/// Microseconds that `percent` of the answers needed at most, of sorted times.
fn percentile_us(sorted: &[Duration], percent: usize) -> Option<f64> {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).map(|time| time.as_secs_f64() * 1e6)
}

/// All variants of a run.
#[derive(Debug)]
pub struct Report {
    options: Options,
    variants: Vec<(Variant, Figures)>,
    size: Size,
}

impl Report {
    pub(super) fn new(options: Options, variants: Vec<(Variant, Figures)>, size: Size) -> Self {
        Self { options, variants, size }
    }

    /// How many redirects a variant answered in the counted rounds, and how many clicks of them arrived.
    #[must_use]
    pub fn counts(&self, variant: Variant) -> (usize, usize) {
        self.figures(variant).map_or((0, 0), |figures| (figures.answers, figures.clicks))
    }

    fn figures(&self, variant: Variant) -> Option<&Figures> {
        self.variants.iter().find(|(found, _)| *found == variant).map(|(_, figures)| figures)
    }

    /// The median of the rounds' ratios to the constant answer.
    fn ratio(&self, figures: &Figures) -> Option<f64> {
        let constant = self.figures(Variant::Constant)?;
        median(figures.rates.iter().zip(&constant.rates).map(|(rate, constant)| rate / constant).collect())
    }

    /// How many times less CPU the constant answer takes, round by round.
    fn cpu_ratio(&self, figures: &Figures) -> Option<f64> {
        let constant = self.figures(Variant::Constant)?;
        median(figures.cpu_us.iter().zip(&constant.cpu_us).map(|(cpu, constant)| constant / cpu).collect())
    }

    /// Everything, for other programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let variants: Vec<Value> = self
            .variants
            .iter()
            .map(|(variant, figures)| {
                json!({
                    "id": variant.id(),
                    "name": variant.name(),
                    "perSecond": median(figures.rates.clone()),
                    "perSecondByRound": figures.rates,
                    "ratio": self.ratio(figures),
                    "cpuRatio": self.cpu_ratio(figures),
                    "cpuMicros": median(figures.cpu_us.clone()),
                    "singleCpuMicros": {"p50": figures.single_cpu_us(50), "p99": figures.single_cpu_us(99)},
                    "latencyMicros": {
                        "p50": figures.latency_us(50),
                        "p99": figures.latency_us(99),
                        "atPerSecond": self.options.rate,
                    },
                    "startMillis": figures.started_in.as_secs_f64() * 1e3,
                    "redirects": figures.answers,
                    "clicksArrived": figures.clicks,
                    "queueMessages": figures.messages,
                    "kvReads": figures.reads,
                })
            })
            .collect();
        json!({
            "rounds": self.options.rounds,
            "secondsPerRound": self.options.seconds,
            "connections": self.options.connections,
            "wasm": {"raw": self.size.raw, "gzip": self.size.gzip},
            "goals": GOALS.map(|(variant, ratio)| json!({"id": variant.id(), "ratio": ratio})),
            "variants": variants,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "Variant",
            "per s",
            "ratio",
            "goal",
            "CPU µs",
            "CPU ratio",
            "CPU p50",
            "CPU p99",
            "p50 µs",
            "p99 µs",
            "start ms",
            "redirects",
            "clicks",
            "messages",
            "KV reads",
        ]);
        for (variant, figures) in &self.variants {
            let goal = GOALS.iter().find(|(of, _)| of == variant).map(|(_, goal)| *goal);
            table.row([
                variant.name().to_owned(),
                number(median(figures.rates.clone()), 0),
                number(self.ratio(figures), 2),
                number(goal, 2),
                number(median(figures.cpu_us.clone()), 1),
                number(self.cpu_ratio(figures), 2),
                number(figures.single_cpu_us(50), 0),
                number(figures.single_cpu_us(99), 0),
                number(figures.latency_us(50), 0),
                number(figures.latency_us(99), 0),
                number(Some(figures.started_in.as_secs_f64() * 1e3), 0),
                figures.answers.to_string(),
                figures.clicks.to_string(),
                figures.messages.to_string(),
                figures.reads.to_string(),
            ]);
        }
        let Options { rounds, seconds, connections, rate, .. } = &self.options;
        writeln!(f, "{table}")?;
        writeln!(
            f,
            "Medians of {rounds} rounds of {seconds} s per variant over {connections} connections; one thread of the runtime per variant.\n\
             ratio: redirects per second against the constant answer of the same round. CPU: of the whole process,\n\
             the stores behind KV and queue included, per redirect. CPU p50, CPU p99: µs of single redirects, each alone in\n\
             the process, its first byte to the last thing done for it. p50, p99: from request to whole answer at {rate}/s.\n\
             start: from starting the process to its first redirect, once. Every answer and every click was checked.\n\
             wasm: {} bytes, {} after gzip.",
            self.size.raw, self.size.gzip
        )
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

/// The middle one; of two in the middle the mean.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0, 2.0], Some(2.0)),
            (vec![4.0, 1.0, 2.0, 9.0], Some(3.0)),
        ] {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn ratios_compare_rounds() {
        let figures =
            |rates: &[f64]| Figures { rates: rates.to_vec(), cpu_us: vec![20.0], ..Figures::default() };
        let options = Options { rounds: 2, seconds: 1.0, connections: 1, rate: 1, json: false };
        let variants = vec![
            (Variant::Constant, figures(&[100.0, 10.0, 50.0])),
            (Variant::Kv, figures(&[50.0, 4.0, 40.0])),
        ];
        let report = Report::new(options, variants, Size { raw: 2, gzip: 1 });
        let kv = report.json();
        let kv = kv.pointer("/variants/1").unwrap();
        assert_eq!(kv.get("ratio"), Some(&json!(0.5)));
        assert_eq!(kv.get("cpuRatio"), Some(&json!(1.0)));
        assert!(report.to_string().contains("pimms-edge, link from KV"));
    }
}
