//! Why a handler did not answer: refused, or broken. `http::handle` alone turns either into a response.

use std::borrow::Cow;

use worker::{Error, Response};

use crate::core::problem::{Code, Problem};

/// What a handler gives.
pub(crate) type Answer = Result<Response, Failure>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller's to mend, and told so.
    Refused(Problem),
    /// The path is there, but not by this method; by those of this list, as `Allow` names them.
    WrongMethod(Cow<'static, str>),
    /// Ours, or a store's. The cause goes to the log, once; the caller gets a fixed sentence.
    Broken(Error),
}

impl Failure {
    /// What the caller sees.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Refused(problem) => problem.clone(),
            Self::WrongMethod(known) => {
                Problem::new(Code::MethodNotAllowed, format!("This endpoint knows the methods: {known}."))
            }
            // An error text of our own is a defect; everything else is a store that did not answer.
            Self::Broken(Error::RustError(_)) => {
                Problem::new(Code::Internal, "An internal error occurred. It has been logged.")
            }
            Self::Broken(_) => Problem::new(Code::Unavailable, "A store did not answer. Try again."),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}
