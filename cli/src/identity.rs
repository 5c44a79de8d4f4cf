//! The secrets and ids of one data folder, made once and kept beside the state they protect.

use std::path::Path;

use pimms_edge::core::ids::{base62_token, hex, id_bytes, object_id};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files;

/// Who the local workspace is, and what its Worker must know.
///
/// Kept as `instance.json` (mode 0600) in the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// `ws_…`
    pub workspace_id: String,
    /// `pimms_` and 24 base-62 characters.
    pub api_key: String,
    /// Signing secret of Stripe's live mode, `whsec_…`.
    pub webhook_secret: String,
    /// Signing secret of Stripe's test mode, `whsec_…`.
    pub webhook_secret_test: String,
    /// Lets the tool create the workspace through `POST /_pimms/bootstrap`.
    pub bootstrap_token: String,
    /// `1:` and the key under which click ids are made.
    pub click_id_keys: String,
    /// 32 bytes in hex: seals Stripe secrets.
    pub encryption_key: String,
}

impl Identity {
    /// The identity of a data folder; made on first use.
    pub fn load_or_create(data: &Path) -> Result<Self, Failure> {
        let path = data.join("instance.json");
        if let Some(text) = files::read_if_any(&path)? {
            return serde_json::from_str(&text)
                .or_fail(|| format!("{} is damaged; delete the folder and start again", path.display()));
        }
        files::create_folder(data)?;
        let identity = Self::generate()?;
        let text = serde_json::to_string_pretty(&identity).or_fail(|| "cannot write the identity".into())?;
        files::write_private(&path, &text)?;
        Ok(identity)
    }

    /// A new one, from the system's randomness.
    pub fn generate() -> Result<Self, Failure> {
        Ok(Self {
            workspace_id: object_id("ws_", id_bytes(clock::now(), random()?)),
            api_key: format!("pimms_{}", token(24)?),
            webhook_secret: format!("whsec_{}", token(32)?),
            webhook_secret_test: format!("whsec_{}", token(32)?),
            bootstrap_token: token(40)?,
            click_id_keys: format!("1:{}", token(43)?),
            encryption_key: hex(&random::<32>()?),
        })
    }

    /// The Worker's secrets as a dotenv file: what `wrangler secret put` holds in production.
    #[must_use]
    pub fn worker_env(&self) -> String {
        // Locally the platform's endpoint shares the demo workspace's secrets.
        let variables = [
            ("CLICK_ID_KEYS", self.click_id_keys.as_str()),
            ("ENCRYPTION_KEY", &self.encryption_key),
            ("BOOTSTRAP_TOKEN", &self.bootstrap_token),
            ("STRIPE_LIVE_SECRETS", &self.webhook_secret),
            ("STRIPE_TEST_SECRETS", &self.webhook_secret_test),
            ("PIMMS_LOCAL", "1"),
        ];
        variables.iter().map(|(name, value)| format!("{name}=\"{value}\"\n")).collect::<Vec<_>>().concat()
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).or_fail(|| "the system gives no randomness".into())?;
    Ok(bytes)
}

/// `length` base-62 characters.
///
/// One byte in 32 is skipped to keep the letters equally likely; 256 bytes for at most 43 characters fall
/// short with a chance below 2^-900.
fn token(length: usize) -> Result<String, Failure> {
    Ok(base62_token(&random::<256>()?, length))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_identity_is_made_once_and_is_private() {
        let data = std::env::temp_dir().join(format!("pimms-identity-{}", std::process::id()));
        let first = Identity::load_or_create(&data).unwrap();
        let again = Identity::load_or_create(&data).unwrap();
        let mode = std::fs::metadata(data.join("instance.json")).unwrap().permissions().mode() & 0o777;
        std::fs::write(data.join("instance.json"), "{}").unwrap();
        let damaged = Identity::load_or_create(&data);
        std::fs::remove_dir_all(&data).unwrap();
        assert_eq!(first, again);
        assert_eq!(mode, 0o600);
        assert!(damaged.is_err());
    }

    #[test]
    fn identities_differ_and_have_the_right_form() {
        let (one, two) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        assert_ne!(one.api_key, two.api_key);
        assert_ne!(one.webhook_secret, one.webhook_secret_test);
        assert_eq!(one.api_key.len(), "pimms_".len() + 24);
        assert_eq!(one.encryption_key.len(), 64);
        assert!(one.click_id_keys.starts_with("1:") && one.click_id_keys.len() == 45);
        assert!(pimms_edge::core::ids::parse_object_id("ws_", &one.workspace_id).is_some());
    }
}
