//! Reading what a message to a webhook tells of.

use serde::Deserialize;
use worker::{Env, Result};

use crate::core::api::event::{Click, Person};
use crate::core::api::link::Figures;
use crate::core::mode::Mode;
use crate::core::time::Millis;
use crate::core::webhook::envelope::{self, Parts};
use crate::core::webhook::{Subject, Trigger};
use crate::edge::d1_events::{CLICK, PERSON};
use crate::edge::figures::{self, Scope};
use crate::edge::{codec, d1, link_rows, tags, workspaces};

/// A delivery whose message is to be made.
#[derive(Debug, Deserialize)]
pub(crate) struct Claimed {
    /// `ws_…`
    pub workspace_id: String,
    /// Live or test.
    pub mode: Mode,
    /// Of which kind.
    pub event: Trigger,
    /// [`Subject`] as JSON.
    pub subject: String,
    /// The message, when it was made before.
    pub body: Option<String>,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// When it was claimed.
    pub updated_at: i64,
    /// When the event was entered.
    pub created_at: Millis,
}

/// The body to send: that of the first attempt, or made now.
pub(crate) async fn body(env: &Env, event_id: &str, claimed: &Claimed) -> Result<String> {
    if let Some(body) = &claimed.body {
        return Ok(body.clone());
    }
    let subject: Subject = codec::decode(&claimed.subject)?;
    let mut parts = Parts::default();
    if let Some(id) = &subject.link_id {
        parts.link = link(env, claimed, id).await?;
    }
    if let Some(id) = &subject.click_id {
        let at = subject.clicked_at.map_or(claimed.created_at, Millis);
        let query =
            format!("SELECT {CLICK} FROM clicks c WHERE c.workspace_id = ?1 AND c.at = ?2 AND c.id = ?3");
        let values = [d1::text(claimed.workspace_id.as_str()), d1::int(at.0)?, d1::text(id.as_str())];
        let click: Option<Click> = d1::first(&d1::database(env)?, &query, &values).await?;
        parts.click = click.unwrap_or_default().shown(Some(id), at);
    }
    if let Some(id) = &subject.customer_id {
        // Whoever was merged away is shown as whom they are now.
        let query = format!(
            "SELECT {PERSON} FROM customers was JOIN customers k ON k.id = COALESCE(was.merged_into, was.id) \
             WHERE was.id = ?1 AND was.workspace_id = ?2"
        );
        let values = [d1::text(id.as_str()), d1::text(claimed.workspace_id.as_str())];
        let person: Option<Person> = d1::first(&d1::database(env)?, &query, &values).await?;
        parts.customer = person.unwrap_or_default().shown(0);
    }
    codec::encode(&envelope::message(event_id, claimed.event, claimed.created_at, &subject, parts))
}

async fn link(env: &Env, claimed: &Claimed, id: &str) -> Result<serde_json::Value> {
    let ids = [id.to_owned()];
    let found = link_rows::find_all(env, &claimed.workspace_id, &ids, true).await?;
    let (Some(link), Some(workspace)) = (found.first(), workspaces::find(env, &claimed.workspace_id).await?)
    else {
        return Ok(serde_json::Value::Null);
    };
    let scope = Scope {
        workspace_id: claimed.workspace_id.clone(),
        mode: claimed.mode,
        currency: workspace.currency,
    };
    let figures = figures::of_links(env, &scope, &ids).await?.remove(id).unwrap_or_else(Figures::default);
    let tags = tags::of_links(env, &ids).await?.remove(id).unwrap_or_default();
    Ok(link.shown(&figures, &tags))
}
