//! The one error a caller sees.
//!
//! Every layer may make a [`Problem`]; `http::respond` alone turns it into the envelope of the wire
//! contract (1.5): `{"error":{"code":"not_found","message":"…"}}`.

use thiserror::Error;

/// What went wrong, by who must act.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code:?}: {message}")]
pub struct Problem {
    /// The class, which decides the HTTP status.
    pub code: Code,
    /// For a person: names the field and what was expected. Never a secret, never an internal.
    pub message: String,
}

/// The codes of the wire contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 400: the request cannot be read at all.
    BadRequest,
    /// 401: no key, or not one of ours.
    Unauthorized,
    /// 403: a key that may not do this.
    Forbidden,
    /// 403: a configured limit is reached.
    ExceededLimit,
    /// 404: not there, or not yours.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: already taken.
    Conflict,
    /// 413: the body is larger than allowed.
    TooLarge,
    /// 422: read, but a field is wrong.
    Unprocessable,
    /// 429: too many requests.
    RateLimited,
    /// 503: a store did not answer; trying again helps.
    Unavailable,
    /// 500: ours to mend.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::ExceededLimit,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::Unprocessable,
        Self::RateLimited,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The code as the API writes it, and its HTTP status.
    #[must_use]
    pub fn wire(self) -> (&'static str, u16) {
        match self {
            Self::BadRequest => ("bad_request", 400),
            Self::Unauthorized => ("unauthorized", 401),
            Self::Forbidden => ("forbidden", 403),
            Self::ExceededLimit => ("exceeded_limit", 403),
            Self::NotFound => ("not_found", 404),
            Self::MethodNotAllowed => ("method_not_allowed", 405),
            Self::Conflict => ("conflict", 409),
            Self::TooLarge => ("payload_too_large", 413),
            Self::Unprocessable => ("unprocessable_entity", 422),
            Self::RateLimited => ("rate_limit_exceeded", 429),
            Self::Unavailable => ("service_unavailable", 503),
            Self::Internal => ("internal_server_error", 500),
        }
    }
}

impl Problem {
    /// A problem with its message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// 422 in the contract's form: `<issue>: <path>: <text>`.
    #[must_use]
    pub fn invalid(issue: &str, path: &str, text: &str) -> Self {
        Self::new(Code::Unprocessable, format!("{issue}: {path}: {text}"))
    }

    /// 404 `Link not found.`
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("{what} not found."))
    }

    /// 400.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }
}
