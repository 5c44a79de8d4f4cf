//! Secrets at rest: AES-256-GCM, bound to what they belong to.
//!
//! The context (workspace and mode) is authenticated with the secret, so a row copied to another workspace does
//! not open there.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

/// How many bytes of nonce go in front of the ciphertext. Source: NIST SP 800-38D.
pub const NONCE_BYTES: usize = 12;

/// The Worker's encryption key.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

/// Why something cannot be sealed or opened. Never contains key or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The setting is not 64 hex characters.
    #[error("ENCRYPTION_KEY must be 64 hex characters")]
    Key,
    /// Altered, of another key, or of another context.
    #[error("a sealed value does not open")]
    Broken,
}

impl SealingKey {
    /// Reads 64 hex characters.
    ///
    /// # Errors
    /// [`SealError::Key`]: refuse to serve.
    pub fn parse(setting: &str) -> Result<Self, SealError> {
        let bytes = base16ct::mixed::decode_vec(setting.trim()).map_err(|_| SealError::Key)?;
        Ok(Self(bytes.try_into().map_err(|_| SealError::Key)?))
    }

    /// Seals `secret` for `context`; base64 of nonce and ciphertext. A nonce is used once.
    ///
    /// # Errors
    /// [`SealError::Broken`] beyond AES-GCM's limits, which no secret reaches.
    pub fn seal(&self, secret: &str, context: &str, nonce: [u8; NONCE_BYTES]) -> Result<String, SealError> {
        let payload = Payload { msg: secret.as_bytes(), aad: context.as_bytes() };
        let sealed =
            self.cipher().encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| SealError::Broken)?;
        Ok(Base64::encode_string(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`SealingKey::seal`] made for the same context.
    ///
    /// # Errors
    /// [`SealError::Broken`].
    pub fn open(&self, sealed: &str, context: &str) -> Result<String, SealError> {
        let bytes = Base64::decode_vec(sealed).map_err(|_| SealError::Broken)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError::Broken)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let secret =
            self.cipher().decrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealError::Broken)?;
        String::from_utf8(secret).map_err(|_| SealError::Broken)
    }

    /// A key for another purpose, made from this one: HMAC-SHA256 of `label`.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        // HMAC pads a short key with zeros to the block of 64 bytes; doing it here leaves nothing that can fail.
        let mut block = [0_u8; 64];
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> SealingKey {
        SealingKey::parse(&digit.to_string().repeat(64)).unwrap()
    }

    #[test]
    fn opens_with_the_same_key_and_context_only() {
        let sealed = key('a').seal("whsec_1", "ws_1 live", [7; NONCE_BYTES]).unwrap();
        assert!(!sealed.contains("whsec"));
        assert_eq!(key('a').open(&sealed, "ws_1 live").as_deref(), Ok("whsec_1"));
        assert_eq!(key('b').open(&sealed, "ws_1 live"), Err(SealError::Broken));
        assert_eq!(key('a').open(&sealed, "ws_2 live"), Err(SealError::Broken));
        assert_eq!(key('a').open(&sealed, "ws_1 test"), Err(SealError::Broken));
        for altered in ["", "AAAA", "not base64!", &sealed.replace('A', "B"), &sealed[4..]] {
            if altered != sealed {
                assert_eq!(key('a').open(altered, "ws_1 live"), Err(SealError::Broken), "{altered}");
            }
        }
    }

    #[test]
    fn a_key_is_64_hex_characters() {
        for bad in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert!(SealingKey::parse(bad).is_err(), "{bad}");
        }
        assert!(SealingKey::parse(&"Aa".repeat(32)).is_ok());
    }

    #[test]
    fn derived_keys_differ_by_label_and_key() {
        assert_ne!(key('a').derive("x"), key('a').derive("y"));
        assert_ne!(key('a').derive("x"), key('b').derive("x"));
        assert_eq!(key('a').derive("x"), key('a').derive("x"));
    }
}
