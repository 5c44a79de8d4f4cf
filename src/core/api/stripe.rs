//! `PUT /stripe`: signing secrets and accounts.

use serde_json::Value;

use crate::core::mode::Mode;
use crate::core::problem::Problem;
use crate::core::validate::{Fields, Text};

/// How many secrets of one mode are active at once: the old and the new one while rotating, with room.
pub const MAX_SECRETS: usize = 4;
const MAX_ACCOUNTS: usize = 100;

/// A signing secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret {
    /// Whose events it signs.
    pub mode: Mode,
    /// `whsec_…`
    pub secret: String,
}

/// Never shows the secret: what is debugged may be logged.
impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningSecret").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What to replace; `None` leaves it as it is.
#[derive(Debug, PartialEq, Eq)]
pub struct StripeSettings {
    /// All secrets of both modes.
    pub secrets: Option<Vec<SigningSecret>>,
    /// All connected accounts.
    pub accounts: Option<Vec<String>>,
}

/// Reads the body.
///
/// # Errors
/// 422.
pub fn settings(body: &Value) -> Result<StripeSettings, Problem> {
    let fields = Fields::root(body)?;
    Ok(StripeSettings { secrets: signing_secrets(&fields)?, accounts: accounts(&fields)? })
}

/// The field `signingSecrets`; `None` when it is absent.
///
/// # Errors
/// 422.
pub fn signing_secrets(fields: &Fields<'_>) -> Result<Option<Vec<SigningSecret>>, Problem> {
    let Some(list) = fields.list("signingSecrets", 0, 2 * MAX_SECRETS)?.value() else { return Ok(None) };
    let mut secrets: Vec<SigningSecret> = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let item = Fields::at(item, format!("signingSecrets[{index}]"))?;
        let mode = item.required("mode", item.choice("mode", &["live", "test"])?)?;
        let secret = item.required_text("secret", Text::up_to(255).trimmed())?;
        let tail = secret.strip_prefix("whsec_").unwrap_or_default();
        if tail.len() < 8 || !tail.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(item.refuse("secret", "A signing secret is `whsec_` and at least 8 characters"));
        }
        let new = SigningSecret { mode: Mode::parse(mode).unwrap_or_default(), secret };
        if !secrets.contains(&new) {
            secrets.push(new);
        }
    }
    for mode in [Mode::Live, Mode::Test] {
        if secrets.iter().filter(|secret| secret.mode == mode).count() > MAX_SECRETS {
            let text = format!("At most {MAX_SECRETS} signing secrets of a mode");
            return Err(Problem::invalid("too_big", "signingSecrets", &text));
        }
    }
    Ok(Some(secrets))
}

fn accounts(fields: &Fields<'_>) -> Result<Option<Vec<String>>, Problem> {
    let Some(list) = fields.list("accounts", 0, MAX_ACCOUNTS)?.value() else { return Ok(None) };
    let mut accounts: Vec<String> = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let account = item.as_str().unwrap_or_default();
        let tail = account.strip_prefix("acct_").unwrap_or_default();
        if !(1..=64).contains(&tail.len()) || !tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let text = "A Stripe account is `acct_` and letters or digits";
            return Err(fields.refuse(&format!("accounts[{index}]"), text));
        }
        if !accounts.iter().any(|known| known == account) {
            accounts.push(account.to_owned());
        }
    }
    Ok(Some(accounts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_read() {
        let body = json!({
            "signingSecrets": [
                {"mode": "live", "secret": "whsec_aaaaaaaa"}, {"mode": "live", "secret": "whsec_aaaaaaaa"},
                {"mode": "test", "secret": "whsec_aaaaaaaa"}
            ],
            "accounts": ["acct_1", "acct_2", "acct_1"]
        });
        let found = settings(&body).unwrap();
        assert_eq!(found.secrets.as_ref().map(Vec::len), Some(2));
        assert_eq!(found.accounts.unwrap(), ["acct_1", "acct_2"]);
        assert!(!format!("{:?}", found.secrets).contains("whsec_"));
        assert_eq!(settings(&json!({})).unwrap(), StripeSettings { secrets: None, accounts: None });
    }

    #[test]
    fn what_is_refused() {
        let secrets = |mode: &str, n: usize| {
            let of = |i| json!({"mode": mode, "secret": format!("whsec_{i:08}")});
            json!({ "signingSecrets": (0..n).map(of).collect::<Vec<_>>() })
        };
        assert!(settings(&secrets("live", 4)).is_ok());
        for (body, field) in [
            (secrets("live", 5), "signingSecrets"),
            (secrets("live", 9), "signingSecrets"),
            (secrets("prod", 1), "signingSecrets[0].mode"),
            (json!({"signingSecrets": [{"mode": "live"}]}), "signingSecrets[0].secret"),
            (json!({"signingSecrets": [{"mode": "live", "secret": ""}]}), "signingSecrets[0].secret"),
            (json!({"signingSecrets": [{"mode": "live", "secret": "whsec_"}]}), "signingSecrets[0].secret"),
            (
                json!({"signingSecrets": [{"mode": "live", "secret": "whsec_a b c d e"}]}),
                "signingSecrets[0].secret",
            ),
            (json!({"signingSecrets": "whsec_1"}), "signingSecrets"),
            (json!({"accounts": ["cus_1"]}), "accounts[0]"),
            (json!({"accounts": [1]}), "accounts[0]"),
            (json!({"accounts": ["acct_"]}), "accounts[0]"),
            (json!([]), ""),
        ] {
            let message = settings(&body).unwrap_err().message;
            assert!(message.contains(&format!(": {field}: ")), "{message}");
        }
    }
}
