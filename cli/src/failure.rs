//! The one error of the tool: a line for a person, saying what happened and what to do.

use std::fmt;

/// Why a command stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    line: String,
    evidence: String,
}

impl Failure {
    /// `line`: what happened and what to do about it, without "error:".
    #[must_use]
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), evidence: String::new() }
    }

    /// The same failure told in other words; the evidence stays.
    #[must_use]
    pub fn told_as(self, line: impl Into<String>) -> Self {
        Self { line: line.into(), ..self }
    }

    /// Adds what was seen, such as the end of a log.
    #[must_use]
    pub fn with_evidence(self, evidence: String) -> Self {
        Self { evidence, ..self }
    }

    /// What was seen; shown before the line. May be empty.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Failure {}

/// Turns a cause into a [`Failure`] that says what was being done.
pub trait OrFail<T> {
    /// `doing`: "cannot write x"; the cause is appended.
    fn or_fail(self, doing: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> OrFail<T> for Result<T, E> {
    fn or_fail(self, doing: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|cause| Failure::new(format!("{}: {cause}", doing())))
    }
}
