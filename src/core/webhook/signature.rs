//! How a message proves where it comes from.
//!
//! Two forms, both HMAC-SHA256. `Pimms-Signature` and `Dub-Signature`: hex, over the body, under the UTF-8 bytes of the
//! whole secret. `webhook-signature` (Standard Webhooks): base64, over `id.timestamp.body`, under the bytes that the part
//! after `whsec_` stands for in base64.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::core::ids;

/// What every secret begins with.
pub const PREFIX: &str = "whsec_";

/// Lower-case hex over the body alone.
#[must_use]
pub fn plain(secret: &str, body: &str) -> String {
    ids::hex(&mac(secret.as_bytes(), &[body]))
}

/// `v1,<base64>`, with the id and the time.
#[must_use]
pub fn standard(secret: &str, id: &str, timestamp_s: i64, body: &str) -> String {
    let tag = mac(&key(secret), &[id, ".", &timestamp_s.to_string(), ".", body]);
    format!("v1,{}", Base64::encode_string(&tag))
}

/// The key of the standard form: base64 after `whsec_`; a secret of another form as it is.
fn key(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix(PREFIX)
        .and_then(|text| Base64::decode_vec(text).ok())
        .filter(|key| !key.is_empty())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn mac(key: &[u8], parts: &[&str]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_form() {
        // printf 'Hi There' | openssl dgst -sha256 -hmac whsec_0123456789abcdef0123456789abcdef
        assert_eq!(
            plain("whsec_0123456789abcdef0123456789abcdef", "Hi There"),
            "d608f5b3962b79ef664fa4016b1272481dc208d1435022f97897498a4af93e00"
        );
        assert_ne!(plain("whsec_a", "x"), plain("whsec_b", "x"));
        assert_ne!(plain("whsec_a", "x"), plain("whsec_a", "y"));
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn the_standard_form() {
        assert_eq!(
            standard(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(key("whsec_AAEC"), [0, 1, 2]);
        assert_eq!(key("my own secret"), b"my own secret");
        assert_eq!(key("whsec_not base64"), b"whsec_not base64");
        assert_eq!(key("whsec_"), b"whsec_");
    }
}
