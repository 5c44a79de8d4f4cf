//! JSON as text, both ways.
//!
//! The SDK's own conversion writes `{}` for maps and flattened structs without an error, so everything that
//! leaves the Worker is text made here.

use serde::{Serialize, de::DeserializeOwned};
use worker::{Error, Result};

/// As JSON text.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::RustError(format!("cannot encode: {e}")))
}

/// From JSON text.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::RustError(format!("cannot decode: {e}")))
}

/// Something that must be there is not.
pub(crate) fn missing(what: &str) -> Error {
    Error::RustError(format!("{what} is missing"))
}
