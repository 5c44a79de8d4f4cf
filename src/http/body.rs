//! Reading request bodies, with a limit.

use std::future::poll_fn;
use std::pin::Pin;

use futures_util::Stream;
use serde_json::Value;
use worker::Request;

use crate::core::problem::{Code, Problem};
use crate::core::validate;
use crate::http::failure::Failure;

/// How much of a body the API reads. The largest honest one is a hundred links in bulk.
pub(crate) const API_LIMIT_BYTES: usize = 64 * 1024;

/// How much of a body that is refused is read all the same. An answer in the middle of an upload ends the connection,
/// and whoever shares it (the proxy of the local runtime gives it to the next request, anybody's) meets a closed one.
const DISCARDED_BYTES: usize = 4 * 1024 * 1024;

/// The body's bytes, exactly as sent.
///
/// What is beyond the limit is read piece by piece and kept nowhere; beyond [`DISCARDED_BYTES`] it is not read.
pub(crate) async fn read(request: &mut Request, limit_bytes: usize) -> Result<Vec<u8>, Failure> {
    let stated = request.headers().get("content-length")?.and_then(|text| text.trim().parse::<u64>().ok());
    match stated {
        Some(0) => return Ok(Vec::new()),
        Some(length) if usize::try_from(length).is_ok_and(|length| length <= limit_bytes) => {
            let bytes = request.bytes().await?;
            return if bytes.len() > limit_bytes { Err(too_large(limit_bytes)) } else { Ok(bytes) };
        }
        Some(length) if length > DISCARDED_BYTES as u64 => return Err(too_large(limit_bytes)),
        Some(_) | None => {}
    }
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    let mut stream = request.stream()?;
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        let piece = piece?;
        length = length.saturating_add(piece.len());
        if length > DISCARDED_BYTES {
            break;
        }
        if length > limit_bytes {
            bytes.clear();
        } else {
            bytes.extend_from_slice(&piece);
        }
    }
    if length > limit_bytes { Err(too_large(limit_bytes)) } else { Ok(bytes) }
}

/// The body as JSON.
pub(crate) async fn json(request: &mut Request, limit_bytes: usize) -> Result<Value, Failure> {
    Ok(validate::parse(&read(request, limit_bytes).await?)?)
}

fn too_large(limit_bytes: usize) -> Failure {
    Problem::new(Code::TooLarge, format!("The body is larger than {} KB.", limit_bytes / 1024)).into()
}
