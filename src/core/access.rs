//! What an API key may do.
//!
//! A key has scopes (text, as stored and shown); scopes grant permissions; a route asks for one. A key without
//! scopes may do nothing, which is an answer (403) and not an accident.

use crate::core::problem::{Code, Problem};

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is named after what it permits")]
pub enum Permission {
    LinksRead,
    LinksWrite,
    TagsRead,
    TagsWrite,
    FoldersRead,
    FoldersWrite,
    DomainsRead,
    DomainsWrite,
    WorkspacesRead,
    WorkspacesWrite,
    WebhooksRead,
    WebhooksWrite,
    CustomersRead,
    CustomersWrite,
    TokensRead,
    TokensWrite,
    AnalyticsRead,
    LeadWrite,
    SaleWrite,
}

use Permission as P;

/// Every permission and its name.
pub const PERMISSIONS: [(Permission, &str); 19] = [
    (P::LinksRead, "links.read"),
    (P::LinksWrite, "links.write"),
    (P::TagsRead, "tags.read"),
    (P::TagsWrite, "tags.write"),
    (P::FoldersRead, "folders.read"),
    (P::FoldersWrite, "folders.write"),
    (P::DomainsRead, "domains.read"),
    (P::DomainsWrite, "domains.write"),
    (P::WorkspacesRead, "workspaces.read"),
    (P::WorkspacesWrite, "workspaces.write"),
    (P::WebhooksRead, "webhooks.read"),
    (P::WebhooksWrite, "webhooks.write"),
    (P::CustomersRead, "customers.read"),
    (P::CustomersWrite, "customers.write"),
    (P::TokensRead, "tokens.read"),
    (P::TokensWrite, "tokens.write"),
    (P::AnalyticsRead, "analytics.read"),
    (P::LeadWrite, "lead.write"),
    (P::SaleWrite, "sale.write"),
];

impl Permission {
    /// `links.read`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        PERMISSIONS.iter().find(|(permission, _)| *permission == self).map_or("", |(_, name)| name)
    }

    fn bit(self) -> u32 {
        1 << (self as u8)
    }

    fn is_token(self) -> bool {
        matches!(self, Self::TokensRead | Self::TokensWrite)
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// What space-separated scopes grant. Unknown words grant nothing.
    #[must_use]
    pub fn of_scopes(scopes: &str) -> Self {
        Self(scopes.split_whitespace().filter_map(of_scope).fold(0, |all, set| all | set.0))
    }

    /// Whether it contains `permission`.
    #[must_use]
    pub fn contain(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether it contains all of `others`: nobody grants what they do not have.
    #[must_use]
    pub fn cover(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Insists on `permission`.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub fn require(self, permission: Permission) -> Result<(), Problem> {
        if self.contain(permission) {
            return Ok(());
        }
        let text = format!("This API key does not have the permission {}.", permission.name());
        Err(Problem::new(Code::Forbidden, text))
    }
}

/// Whether a text is one scope.
#[must_use]
pub fn is_scope(text: &str) -> bool {
    of_scope(text).is_some()
}

/// What one scope grants; `None`: no such scope. Writing includes reading.
fn of_scope(scope: &str) -> Option<Permissions> {
    let all = |keep: fn(&(Permission, &str)) -> bool| {
        Permissions(PERMISSIONS.iter().filter(|entry| keep(entry)).fold(0, |set, (p, _)| set | p.bit()))
    };
    match scope {
        // Everything but making further keys, which is a scope of its own.
        "apis.all" => return Some(all(|(p, _)| !p.is_token())),
        "apis.read" => {
            return Some(all(|(p, name)| name.split('.').next_back() == Some("read") && !p.is_token()));
        }
        _ => {}
    }
    let (_, name) = PERMISSIONS.iter().find(|(_, name)| *name == scope)?;
    let reading = name.strip_suffix(".write").map(|resource| format!("{resource}.read"));
    let granted = PERMISSIONS.iter().filter(|(_, n)| n == name || Some(*n) == reading.as_deref());
    Some(Permissions(granted.fold(0, |set, (p, _)| set | p.bit())))
}

/// The key of an `Authorization` header; `""` when there is no header.
///
/// # Errors
/// 400 when the header is there without `Bearer `.
pub fn bearer(header: Option<&str>) -> Result<&str, Problem> {
    let Some(header) = header else { return Ok("") };
    if header.trim() == "Bearer" {
        return Ok("");
    }
    match header.split_once("Bearer ") {
        Some((_, key)) => Ok(key.trim()),
        None => Err(Problem::bad_request(
            "Misconfigured authorization header. Send `Authorization: Bearer <API key>`.",
        )),
    }
}

/// What a publishable key begins with: it stands in pages for everybody to read, and may report leads and sales only.
pub const PUBLISHABLE: &str = "pimms_pk_";

/// Stands for the scopes of such a key; it grants no permission.
pub const PUBLISHABLE_SCOPE: &str = "publishable";

/// Insists that a header names a publishable key.
///
/// # Errors
/// 401 without a key; 400 for one that must not be in a page.
pub fn publishable(header: Option<&str>) -> Result<(), Problem> {
    match bearer(header)? {
        "" => Err(unauthorized()),
        key if key.starts_with(PUBLISHABLE) => Ok(()),
        _ => Err(Problem::bad_request("Use a publishable key here: it begins with pimms_pk_.")),
    }
}

/// 401, the same for every reason.
#[must_use]
pub fn unauthorized() -> Problem {
    Problem::new(Code::Unauthorized, "Missing or invalid API key.")
}

/// How a key is shown after its creation: its first three and last four characters.
#[must_use]
pub fn partial_key(key: &str) -> String {
    let tail: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let head: String = key.chars().take(3).collect();
    format!("{head}...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_what_they_grant() {
        for (scopes, granted, refused) in [
            ("", vec![], vec![P::LinksRead, P::LeadWrite]),
            ("links.read", vec![P::LinksRead], vec![P::LinksWrite, P::TagsRead, P::CustomersRead]),
            ("links.write", vec![P::LinksRead, P::LinksWrite], vec![P::TagsWrite]),
            ("lead.write sale.write", vec![P::LeadWrite, P::SaleWrite], vec![P::LinksRead]),
            (
                "apis.read",
                vec![P::LinksRead, P::AnalyticsRead, P::WebhooksRead, P::CustomersRead],
                vec![P::LinksWrite, P::LeadWrite, P::TokensRead],
            ),
            (
                "apis.all",
                vec![P::LinksWrite, P::WebhooksWrite, P::SaleWrite, P::CustomersWrite, P::WorkspacesWrite],
                vec![P::TokensWrite, P::TokensRead],
            ),
            ("apis.all tokens.write", vec![P::TokensWrite, P::TokensRead], vec![]),
            ("root admin * links", vec![], vec![P::LinksRead, P::TokensWrite]),
        ] {
            let permissions = Permissions::of_scopes(scopes);
            for permission in granted {
                assert_eq!(permissions.require(permission), Ok(()), "{scopes}: {permission:?}");
            }
            for permission in refused {
                let problem = permissions.require(permission).unwrap_err();
                assert_eq!(problem.code, Code::Forbidden);
                assert!(problem.message.contains(permission.name()), "{}", problem.message);
            }
        }
    }

    #[test]
    fn nobody_grants_what_they_do_not_have() {
        let set = Permissions::of_scopes;
        assert!(set("apis.all").cover(set("links.write lead.write")));
        assert!(!set("links.read").cover(set("links.write")));
        assert!(!set("apis.all").cover(set("tokens.write")));
        assert!(is_scope("apis.all") && is_scope("tags.write") && !is_scope("tags") && !is_scope(""));
    }

    #[test]
    fn authorization_headers() {
        for (header, key) in [
            (None, Some("")),
            (Some("Bearer pimms_x"), Some("pimms_x")),
            (Some("Bearer  pimms_x "), Some("pimms_x")),
            (Some("Bearer"), Some("")),
            (Some("Bearer "), Some("")),
            (Some("Basic abc"), None),
            (Some("pimms_x"), None),
            (Some("bearer pimms_x"), None),
            (Some(""), None),
        ] {
            assert_eq!(bearer(header).ok(), key, "{header:?}");
        }
    }

    #[test]
    fn only_publishable_keys_work_in_pages() {
        for (header, code) in [
            (None, Some(Code::Unauthorized)),
            (Some("Bearer "), Some(Code::Unauthorized)),
            (Some("Bearer pimms_secret"), Some(Code::BadRequest)),
            (Some("Basic pimms_pk_x"), Some(Code::BadRequest)),
            (Some("Bearer pimms_pk_x"), None),
        ] {
            assert_eq!(publishable(header).err().map(|problem| problem.code), code, "{header:?}");
        }
        let granted = Permissions::of_scopes(PUBLISHABLE_SCOPE);
        assert!(PERMISSIONS.iter().all(|(permission, _)| !granted.contain(*permission)));
        assert!(!is_scope(PUBLISHABLE_SCOPE));
    }

    #[test]
    fn a_key_is_shown_in_part() {
        assert_eq!(partial_key("pimms_0123456789abcdef"), "pim...cdef");
    }
}
