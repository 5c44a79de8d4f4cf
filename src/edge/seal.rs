//! The Worker's encryption key.

use worker::{Env, Error, Result};

use crate::core::seal::SealingKey;

/// The key of secret `ENCRYPTION_KEY`.
pub(crate) fn key(env: &Env) -> Result<SealingKey> {
    let setting = env.secret("ENCRYPTION_KEY").map_err(|_| missing())?.to_string();
    SealingKey::parse(&setting).map_err(|e| Error::RustError(e.to_string()))
}

fn missing() -> Error {
    Error::RustError("secret ENCRYPTION_KEY is not set".to_owned())
}
