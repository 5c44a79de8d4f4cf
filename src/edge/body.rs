//! The body of somebody else's answer, as much of it as is looked at.

use std::future::poll_fn;
use std::pin::Pin;

use futures_util::Stream;
use worker::{Response, Result};

/// The beginning of the body as text, at most `limit` bytes; the rest is not waited for.
pub(crate) async fn beginning(response: &mut Response, limit: usize) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(response, limit).await?).into_owned())
}

/// The same as it is.
pub(crate) async fn bytes(response: &mut Response, limit: usize) -> Result<Vec<u8>> {
    let mut stream = response.stream()?;
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() >= limit {
            bytes.truncate(limit);
            break;
        }
    }
    Ok(bytes)
}
