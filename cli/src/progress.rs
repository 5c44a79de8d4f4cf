//! Numbered steps on stderr, so that a person sees what is being done and how long it took.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// What a step came to, in a few words: "ready", "installed".
pub type Outcome = String;

/// Counts the steps of one command.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    done: Cell<usize>,
    silent: bool,
}

impl Progress {
    /// A command of `total` steps.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, done: Cell::new(0), silent: false }
    }

    /// Says nothing: for tests, whose output is the runner's.
    #[must_use]
    pub fn silent() -> Self {
        Self { total: 0, done: Cell::new(0), silent: true }
    }

    /// Runs one step between the two halves of its line.
    pub fn step(&self, name: &str, work: impl FnOnce() -> Result<Outcome, Failure>) -> Result<(), Failure> {
        self.step_giving(name, || work().map(|outcome| (outcome, ())))
    }

    /// As [`Progress::step`], for a step that makes something.
    pub fn step_giving<T>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<(Outcome, T), Failure>,
    ) -> Result<T, Failure> {
        self.done.set(self.done.get() + 1);
        self.print(&format!("[{}/{}] {name} ... ", self.done.get(), self.total));
        let started = Instant::now();
        let outcome = work();
        match &outcome {
            Ok((words, _)) => self.print(&format!("{words} ({:.1} s)\n", started.elapsed().as_secs_f64())),
            Err(_) => self.print("failed\n"),
        }
        outcome.map(|(_, made)| made)
    }

    /// A sign of life inside a long step.
    pub fn tick(&self) {
        if stderr().is_terminal() {
            self.print(".");
        }
    }

    fn print(&self, text: &str) {
        if !self.silent {
            let mut out = stderr();
            // A closed stderr is no reason to stop working.
            let _ = out.write_all(text.as_bytes());
            let _ = out.flush();
        }
    }
}

/// How often long work says how far it is.
const PACE: Duration = Duration::from_secs(2);

/// Says on stderr from time to time how far long work is: nothing about work that is soon done.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    last: Instant,
}

impl Pace {
    /// Begins now.
    #[must_use]
    pub fn new() -> Self {
        Self::every(PACE)
    }

    fn every(every: Duration) -> Self {
        Self { every, last: Instant::now() }
    }

    /// Says it if it is time; whether it was.
    pub fn tell(&mut self, words: impl FnOnce() -> String) -> bool {
        let is_time = self.last.elapsed() >= self.every;
        if is_time {
            self.last = Instant::now();
            let _ = writeln!(stderr(), "  {}", words());
        }
        is_time
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_speaks_and_short_work_does_not() {
        assert!(Pace::every(Duration::ZERO).tell(|| "3 of 5".to_owned()));
        assert!(!Pace::new().tell(|| unreachable!("it has only just begun")));
    }
}
