//! Time and randomness, as core types.

use std::cell::RefCell;

use worker::{Date, Error, Result, console_error};

use crate::core::ids;
use crate::core::time::Millis;

/// Now. In production it does not advance while a request computes.
pub(crate) fn now() -> Millis {
    Millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// `N` random bytes from the platform.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::RustError(format!("no randomness: {e}")))?;
    Ok(bytes)
}

/// How many random bytes are drawn at once: a call to the platform costs more than the bytes.
const POOL_BYTES: usize = 4096;

thread_local! {
    static POOL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// `N` random bytes, each given out once, from a pool that the platform fills. Zeros when there is no
/// randomness at all: two visitors would share an id, which is an alarm and no reason to refuse a redirect.
pub(crate) fn pooled<const N: usize>() -> [u8; N] {
    POOL.with_borrow_mut(|pool| {
        if pool.len() < N {
            pool.resize(POOL_BYTES.max(N), 0);
            if let Err(e) = getrandom::fill(pool) {
                console_error!("alarm: no randomness: {e}");
                pool.clear();
            }
        }
        let rest = pool.len().saturating_sub(N);
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(pool.drain(rest..)) {
            *to = from;
        }
        bytes
    })
}

/// A new object id: `prefix` such as `link_`.
pub(crate) fn object_id(prefix: &str) -> Result<String> {
    Ok(ids::object_id(prefix, ids::id_bytes(now(), random()?)))
}

/// A random base-62 token of `length` characters (at most 60).
pub(crate) fn token(length: usize) -> Result<String> {
    // 72 bytes hold 60 usable ones but for a chance of about 10^-9, so draw until they do.
    loop {
        let token = ids::base62_token(&random::<72>()?, length);
        if token.len() == length {
            return Ok(token);
        }
    }
}
