//! The tokens of Cloudflare Access: what one says, and whether that is for us.
//!
//! Nothing of a token is believed before its signature holds; checking that needs a public key of the team and is
//! `edge::access_keys`'s part. The algorithm is fixed here and never taken from the token.
//! Source: <https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/>.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use crate::core::time::Millis;

/// Longer than any token of Access; headers of a request are bounded anyway.
const MAX_BYTES: usize = 16 * 1024;
/// How far the clocks of Access and of this Worker may be apart when a token is young.
const SKEW_MS: i64 = 60_000;
/// 2048 bits in base 64: a shorter modulus is no key of Access.
const LEAST_MODULUS: usize = 342;

/// Whose tokens sign in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    host: String,
    audiences: Vec<String>,
}

/// A token that was read, and not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// Which key is said to have signed it.
    pub key_id: String,
    /// What was signed.
    pub signed: String,
    /// The signature.
    pub signature: Vec<u8>,
    claims: Value,
}

/// Who a checked token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The address they signed in with; of a service its name.
    pub name: String,
    /// From then on the token says nothing.
    pub ends: Millis,
}

/// A public key of the team, as `certs` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name.
    pub id: String,
    /// Base 64 of the modulus.
    pub modulus: String,
    /// Base 64 of the exponent.
    pub exponent: String,
}

impl Team {
    /// From `CF_ACCESS_TEAM_DOMAIN` (`acme` or `acme.cloudflareaccess.com`) and `CF_ACCESS_AUD` (one tag, or several
    /// with commas between). `None` unless both say something that can be meant.
    #[must_use]
    pub fn parse(domain: &str, audiences: &str) -> Option<Self> {
        const SUFFIX: &str = ".cloudflareaccess.com";
        let domain = domain.trim().to_ascii_lowercase();
        let domain = domain.strip_prefix("https://").unwrap_or(&domain).trim_end_matches('/');
        let name = domain.strip_suffix(SUFFIX).unwrap_or(domain);
        let is_label = !name.is_empty()
            && name.len() <= 63
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let audiences: Vec<String> =
            audiences.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        (is_label && !audiences.is_empty()).then(|| Self { host: format!("{name}{SUFFIX}"), audiences })
    }

    /// Where its public keys are.
    #[must_use]
    pub fn certs(&self) -> String {
        format!("https://{}/cdn-cgi/access/certs", self.host)
    }

    /// Who a token is about whose signature holds, if it is the team's, for us, and in force.
    #[must_use]
    pub fn person(&self, token: &Unchecked, now: Millis) -> Option<Person> {
        let claims = &token.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_ours =
            |one: &Value| one.as_str().is_some_and(|one| self.audiences.iter().any(|ours| ours == one));
        let for_us = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        let ends = millis(claims.get("exp"))?;
        let begun =
            claims.get("nbf").is_none_or(|nbf| millis(Some(nbf)).is_some_and(|at| at.0 <= now.0 + SKEW_MS));
        let name = ["email", "common_name", "sub"].into_iter().map(text).find(|name| !name.is_empty())?;
        let holds = text("iss").strip_prefix("https://") == Some(&self.host) && for_us && now < ends && begun;
        holds.then(|| Person { name: name.to_owned(), ends })
    }
}

/// Reads a token as Access writes them: `RS256`, a named key, nothing that must be understood beyond that.
#[must_use]
pub fn read(token: &str) -> Option<Unchecked> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let (header, claims) = (json(header)?, json(claims)?);
    let key_id = header.get("kid").and_then(Value::as_str).filter(|id| !id.is_empty())?.to_owned();
    let is_known = header.get("alg").and_then(Value::as_str) == Some("RS256") && header.get("crit").is_none();
    let signature = Base64UrlUnpadded::decode_vec(signature).ok().filter(|bytes| !bytes.is_empty())?;
    (is_known && claims.is_object()).then(|| Unchecked {
        key_id,
        signed: signed.to_owned(),
        signature,
        claims,
    })
}

/// The keys of a `certs` document that can sign tokens.
#[must_use]
pub fn public_keys(document: &str) -> Option<Vec<PublicKey>> {
    let document: Value = serde_json::from_str(document).ok()?;
    let key = |one: &Value| {
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let usable = text("kty") == Some("RSA")
            && text("alg").is_none_or(|alg| alg == "RS256")
            && text("use").is_none_or(|used| used == "sig");
        let (id, modulus, exponent) = (text("kid")?, text("n")?, text("e")?);
        (usable && modulus.len() >= LEAST_MODULUS).then(|| PublicKey {
            id: id.to_owned(),
            modulus: modulus.to_owned(),
            exponent: exponent.to_owned(),
        })
    };
    Some(document.get("keys")?.as_array()?.iter().filter_map(key).collect())
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).ok()?).ok()
}

/// Seconds since 1970, as tokens have them.
fn millis(value: Option<&Value>) -> Option<Millis> {
    value?.as_i64()?.checked_mul(1000).map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Millis = Millis(1_902_589_200_000);
    const NOW_S: i64 = 1_902_589_200;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        format!("{}.{}.{}", part(header), part(claims), Base64UrlUnpadded::encode_string(b"signature"))
    }

    fn claims() -> Value {
        json!({"iss": "https://acme.cloudflareaccess.com", "aud": ["aud-1"], "exp": NOW_S + 60, "iat": NOW_S - 60,
            "nbf": NOW_S - 60, "email": "ada@acme.example", "sub": "7335"})
    }

    #[test]
    fn a_team_is_named_in_any_of_three_ways_and_never_a_host_of_somebody_else() {
        let parsed = |domain: &str, audiences: &str| Team::parse(domain, audiences).map(|team| team.certs());
        let certs = Some("https://acme.cloudflareaccess.com/cdn-cgi/access/certs".to_owned());
        for domain in ["acme", "acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com/", " Acme "] {
            assert_eq!(parsed(domain, "aud-1"), certs, "{domain}");
        }
        for domain in [
            "",
            "evil.example",
            "evil.example/",
            "acme.cloudflareaccess.com.evil.example",
            "a@b",
            "a/b",
            "a:1",
        ] {
            assert_eq!(parsed(domain, "aud-1"), None, "{domain}");
        }
        for audiences in ["", " ", ",", " , "] {
            assert_eq!(parsed("acme", audiences), None, "{audiences:?}");
        }
    }

    #[test]
    fn only_tokens_for_us_that_are_in_force_name_a_person() {
        let team = Team::parse("acme", "aud-0, aud-1").unwrap();
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            claims
        };
        let without = |name: &str| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            claims
        };
        let ada = Some("ada@acme.example");
        for (what, claims, expected) in [
            ("as it is", claims(), ada),
            ("the audience as a text", with("aud", json!("aud-1")), ada),
            ("one of several audiences", with("aud", json!(["x", "aud-0"])), ada),
            ("another audience", with("aud", json!(["aud-2"])), None),
            ("a longer audience", with("aud", json!("aud-1x")), None),
            ("an empty audience", with("aud", json!("")), None),
            ("no audience", without("aud"), None),
            ("no audiences", with("aud", json!([])), None),
            ("another team", with("iss", json!("https://evil.cloudflareaccess.com")), None),
            (
                "our team behind another host",
                with("iss", json!("https://acme.cloudflareaccess.com.evil.example")),
                None,
            ),
            ("without https", with("iss", json!("acme.cloudflareaccess.com")), None),
            ("no issuer", without("iss"), None),
            ("ended now", with("exp", json!(NOW_S)), None),
            ("its last second", with("exp", json!(NOW_S + 1)), ada),
            ("no end", without("exp"), None),
            ("an end in words", with("exp", json!("9999999999")), None),
            ("an end beyond numbers", with("exp", json!(1e300)), None),
            ("not yet", with("nbf", json!(NOW_S + 61)), None),
            ("a clock that is ahead", with("nbf", json!(NOW_S + 60)), ada),
            ("a beginning in words", with("nbf", json!("0")), None),
            ("no beginning", without("nbf"), ada),
            (
                "a service",
                {
                    let mut claims = without("email");
                    claims["common_name"] = json!("deploy.access");
                    claims["sub"] = json!("");
                    claims
                },
                Some("deploy.access"),
            ),
            (
                "nobody",
                json!({"iss": "https://acme.cloudflareaccess.com", "aud": "aud-1", "exp": NOW_S + 60}),
                None,
            ),
        ] {
            let read = read(&token(&json!({"alg": "RS256", "kid": "k1"}), &claims)).unwrap();
            let found = team.person(&read, NOW);
            assert_eq!(found.as_ref().map(|person| person.name.as_str()), expected, "{what}");
        }
    }

    #[test]
    fn other_algorithms_and_broken_tokens_are_not_read() {
        let good = token(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), &claims());
        let found = read(&good).unwrap();
        assert_eq!((found.key_id.as_str(), found.signature.as_slice()), ("k1", b"signature".as_slice()));
        assert!(good.starts_with(&found.signed));
        for header in [
            json!({"alg": "none", "kid": "k1"}),
            json!({"alg": "None", "kid": "k1"}),
            json!({"alg": "HS256", "kid": "k1"}),
            json!({"alg": "RS384", "kid": "k1"}),
            json!({"alg": "rs256", "kid": "k1"}),
            json!({"kid": "k1"}),
            json!({"alg": ["RS256"], "kid": "k1"}),
            json!({"alg": "RS256"}),
            json!({"alg": "RS256", "kid": ""}),
            json!({"alg": "RS256", "kid": "k1", "crit": ["b64"]}),
            json!([]),
            json!("RS256"),
        ] {
            assert_eq!(read(&token(&header, &claims())), None, "{header}");
        }
        let (signed, _) = good.rsplit_once('.').unwrap();
        for broken in [
            String::new(),
            ".".into(),
            "..".into(),
            "a.b.c".into(),
            signed.into(),
            format!("{signed}."),
            format!("{good}="),
            format!("{good}.x"),
            "a".repeat(MAX_BYTES + 1),
        ] {
            assert_eq!(read(&broken), None, "{broken}");
        }
        assert_eq!(read(&token(&json!({"alg": "RS256", "kid": "k1"}), &json!([]))), None);
    }

    #[test]
    fn keys_that_cannot_sign_are_left_out() {
        let modulus = "A".repeat(LEAST_MODULUS);
        let key = |change: Value| {
            let mut key =
                json!({"kid": "k1", "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB", "n": modulus});
            for (name, value) in change.as_object().unwrap() {
                key[name] = value.clone();
            }
            public_keys(&json!({"keys": [key]}).to_string()).unwrap().len()
        };
        for (change, count) in [
            (json!({}), 1),
            (json!({"alg": null}), 1),
            (json!({"kty": "EC"}), 0),
            (json!({"alg": "RS512"}), 0),
            (json!({"use": "enc"}), 0),
            (json!({"n": "AQAB"}), 0),
            (json!({"n": null}), 0),
            (json!({"kid": null}), 0),
        ] {
            assert_eq!(key(change.clone()), count, "{change}");
        }
        for document in ["", "[]", "{}", "{\"keys\":{}}", "<html>"] {
            assert_eq!(public_keys(document), None, "{document}");
        }
    }
}
