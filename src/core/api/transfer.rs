//! Handing a domain or a link to another workspace.

use serde_json::Value;

use crate::core::access::{Permission, Permissions};
use crate::core::domain;
use crate::core::problem::Problem;
use crate::core::validate::{Fields, Text};

/// A body of `POST /domains/{slug}/transfer` or `POST /links/{id}/transfer`.
///
/// Wire contract 4.13 and 6.4 ask for a member of both workspaces. A caller here is a key and not a person: that it
/// may act for the other workspace too, it shows by a key of that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// `ws_…`
    pub workspace_id: String,
    /// An API key of that workspace.
    pub key: String,
    /// A link only: the domain of that workspace on which it is served from then on; `None`: the one it is on.
    pub domain: Option<String>,
}

impl Transfer {
    /// Reads the body.
    ///
    /// # Errors
    /// 422.
    pub fn parse(body: &Value) -> Result<Self, Problem> {
        let fields = Fields::root(body)?;
        let rule = Text::up_to(200).trimmed().at_least(1);
        let domain = fields.text("domain", rule)?.try_map(|text| {
            domain::of_host(&text).ok_or_else(|| fields.refuse("domain", "Invalid domain"))
        })?;
        Ok(Self {
            workspace_id: fields.required_text("newWorkspaceId", rule)?,
            key: fields.text("newWorkspaceKey", rule)?.value().unwrap_or_default(),
            domain: domain.value(),
        })
    }

    /// Whether the key, which is one of `workspace_id` with these permissions, may take over.
    #[must_use]
    pub fn is_welcome(&self, workspace_id: &str, permissions: Permissions) -> bool {
        let wanted = [Permission::LinksWrite, Permission::DomainsWrite];
        workspace_id == self.workspace_id && wanted.iter().all(|one| permissions.contain(*one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies() {
        let read = |body: Value| Transfer::parse(&body).map_err(|problem| problem.message);
        let found =
            read(json!({"newWorkspaceId": " ws_2 ", "newWorkspaceKey": "k", "domain": "Go.Acme.com"}))
                .unwrap();
        let expected =
            Transfer { workspace_id: "ws_2".into(), key: "k".into(), domain: Some("go.acme.com".into()) };
        assert_eq!(found, expected);
        assert_eq!(read(json!({"newWorkspaceId": "ws_2"})).unwrap().key, "");
        for (body, message) in [
            (json!({}), "invalid_type: newWorkspaceId: newWorkspaceId is required"),
            (json!({"newWorkspaceId": ""}), "too_small: newWorkspaceId: "),
            (json!({"newWorkspaceId": "ws_2", "newWorkspaceKey": 1}), "invalid_type: newWorkspaceKey: "),
            (json!({"newWorkspaceId": "ws_2", "domain": "a b"}), "custom: domain: Invalid domain"),
        ] {
            assert!(read(body.clone()).unwrap_err().starts_with(message), "{body}");
        }
    }

    #[test]
    fn who_may_take_over() {
        let transfer = Transfer { workspace_id: "ws_2".into(), key: "k".into(), domain: None };
        for (workspace_id, scopes, expected) in [
            ("ws_2", "apis.all", true),
            ("ws_2", "links.write domains.write", true),
            ("ws_2", "links.write", false),
            ("ws_2", "domains.write", false),
            ("ws_2", "apis.read", false),
            ("ws_2", "", false),
            ("ws_1", "apis.all", false),
        ] {
            let found = transfer.is_welcome(workspace_id, Permissions::of_scopes(scopes));
            assert_eq!(found, expected, "{workspace_id} {scopes}");
        }
    }
}
