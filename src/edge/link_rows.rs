//! Links in D1, whole: what the API reads and writes.

use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env, Result};

use crate::core::api::link::{Link, base_url};
use crate::core::sql::Bind;
use crate::core::time::Millis;
use crate::edge::{codec, d1};

/// Of `links AS l`, as [`Row`] reads them.
pub(crate) const COLUMNS: &str = "l.id, l.workspace_id, l.domain, l.key, l.url, l.external_id, l.tenant_id, \
    l.program_id, l.partner_id, l.folder_id, l.track_conversion, l.archived, l.expires_at, l.disabled_at, l.title, \
    l.description, l.comments, l.utm_source, l.utm_medium, l.utm_campaign, l.utm_term, l.utm_content, l.options, \
    l.clicks, l.last_clicked, l.created_at, l.updated_at";

/// A row of [`COLUMNS`].
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    id: String,
    workspace_id: String,
    domain: String,
    key: String,
    url: String,
    external_id: Option<String>,
    tenant_id: Option<String>,
    program_id: Option<String>,
    partner_id: Option<String>,
    folder_id: Option<String>,
    track_conversion: i64,
    archived: i64,
    expires_at: Option<Millis>,
    disabled_at: Option<Millis>,
    title: Option<String>,
    description: Option<String>,
    comments: Option<String>,
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    utm_term: Option<String>,
    utm_content: Option<String>,
    options: String,
    clicks: i64,
    last_clicked: Option<Millis>,
    created_at: Millis,
    updated_at: Millis,
}

impl Row {
    /// As the rules know it.
    pub(crate) fn link(self) -> Result<Link> {
        Ok(Link {
            id: self.id,
            workspace_id: self.workspace_id,
            domain: self.domain,
            key: self.key,
            url: self.url,
            external_id: self.external_id,
            tenant_id: self.tenant_id,
            program_id: self.program_id,
            partner_id: self.partner_id,
            folder_id: self.folder_id,
            track_conversion: self.track_conversion != 0,
            archived: self.archived != 0,
            expires_at: self.expires_at,
            disabled_at: self.disabled_at,
            title: self.title,
            description: self.description,
            comments: self.comments,
            utm: [self.utm_source, self.utm_medium, self.utm_campaign, self.utm_term, self.utm_content],
            options: codec::decode(&self.options)?,
            clicks: self.clicks,
            last_clicked: self.last_clicked,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// How a caller names a link.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    /// `link_…`
    Id(String),
    /// Without `ext_`.
    ExternalId(String),
    /// Both normalised.
    Key(String, String),
}

impl Selector {
    /// `link_…` or `ext_…`, as paths and lists have it.
    pub(crate) fn of(text: &str) -> Self {
        match text.strip_prefix("ext_") {
            Some(external) => Self::ExternalId(external.to_owned()),
            None => Self::Id(text.to_owned()),
        }
    }
}

/// The link of the workspace that `selector` names.
pub(crate) async fn find(env: &Env, workspace_id: &str, selector: &Selector) -> Result<Option<Link>> {
    let (condition, values): (&str, Vec<JsValue>) = match selector {
        Selector::Id(id) => ("l.id = ?2", vec![d1::text(id.as_str())]),
        Selector::ExternalId(id) => ("l.external_id = ?2", vec![d1::text(id.as_str())]),
        Selector::Key(domain, key) => {
            ("l.domain = ?2 AND l.key = ?3", vec![d1::text(domain.as_str()), d1::text(key.as_str())])
        }
    };
    let query = format!(
        "SELECT {COLUMNS} FROM links l WHERE l.workspace_id = ?1 AND {condition} AND l.deleted_at IS NULL"
    );
    let values = [vec![d1::text(workspace_id)], values].concat();
    let row: Option<Row> = d1::first(&d1::database(env)?, &query, &values).await?;
    row.map(Row::link).transpose()
}

/// The workspace that a link belongs to.
pub(crate) async fn owner(env: &Env, id: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Owned {
        workspace_id: String,
    }
    let query = "SELECT workspace_id FROM links WHERE id = ? AND deleted_at IS NULL";
    let row: Option<Owned> = d1::first(&d1::database(env)?, query, &[d1::text(id)]).await?;
    Ok(row.map(|row| row.workspace_id))
}

/// The oldest link of the workspace with exactly this destination.
pub(crate) async fn by_url(env: &Env, workspace_id: &str, url: &str) -> Result<Option<Link>> {
    let query = format!(
        "SELECT {COLUMNS} FROM links l WHERE l.workspace_id = ?1 AND l.base_url IS ?2 AND l.url = ?3 \
         AND l.deleted_at IS NULL ORDER BY l.created_at, l.id LIMIT 1"
    );
    let values = d1::binds(&[workspace_id.into(), base_url(url).into(), url.into()])?;
    let row: Option<Row> = d1::first(&d1::database(env)?, &query, &values).await?;
    row.map(Row::link).transpose()
}

/// The links of the workspace among `ids`, in no order; also deleted ones when asked for.
pub(crate) async fn find_all(
    env: &Env,
    workspace_id: &str,
    ids: &[String],
    with_deleted: bool,
) -> Result<Vec<Link>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let deleted = if with_deleted { "" } else { "AND l.deleted_at IS NULL" };
    let query = format!(
        "SELECT {COLUMNS} FROM links l WHERE l.workspace_id = ?1 \
         AND l.id IN (SELECT value FROM json_each(?2)) {deleted}"
    );
    let values = d1::binds(&[workspace_id.into(), Bind::list(ids)])?;
    let rows: Vec<Row> = d1::rows(&d1::database(env)?, &query, &values).await?;
    rows.into_iter().map(Row::link).collect()
}

/// The statement that stores a new link.
pub(crate) fn insert(db: &D1Database, link: &Link) -> Result<D1PreparedStatement> {
    let query = "INSERT INTO links (id, workspace_id, created_at, domain, key, url, base_url, external_id, tenant_id, \
                 program_id, partner_id, folder_id, track_conversion, archived, expires_at, disabled_at, title, \
                 description, comments, utm_source, utm_medium, utm_campaign, utm_term, utm_content, options, \
                 updated_at) \
                 VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    let mut binds: Vec<Bind> =
        vec![link.id.as_str().into(), link.workspace_id.as_str().into(), link.created_at.0.into()];
    binds.extend(settings(link)?);
    d1::statement(db, query, &d1::binds(&binds)?)
}

/// The statement that stores what a link has become. Clicks are not part of it.
pub(crate) fn update(db: &D1Database, link: &Link) -> Result<D1PreparedStatement> {
    let query = "UPDATE links SET domain = ?, key = ?, url = ?, base_url = ?, external_id = ?, tenant_id = ?, \
                 program_id = ?, partner_id = ?, folder_id = ?, track_conversion = ?, archived = ?, expires_at = ?, \
                 disabled_at = ?, title = ?, description = ?, comments = ?, utm_source = ?, utm_medium = ?, \
                 utm_campaign = ?, utm_term = ?, utm_content = ?, options = ?, updated_at = ? \
                 WHERE id = ? AND workspace_id = ? AND deleted_at IS NULL";
    let mut binds = settings(link)?;
    binds.push(link.id.as_str().into());
    binds.push(link.workspace_id.as_str().into());
    d1::statement(db, query, &d1::binds(&binds)?)
}

/// The statement that deletes links. Their rows stay for the history that names them.
pub(crate) fn delete(
    db: &D1Database,
    workspace_id: &str,
    ids: &[String],
    now: Millis,
) -> Result<D1PreparedStatement> {
    let query = "UPDATE links SET deleted_at = ?, updated_at = ? \
                 WHERE workspace_id = ? AND deleted_at IS NULL AND id IN (SELECT value FROM json_each(?))";
    d1::statement(db, query, &d1::binds(&[now.0.into(), now.0.into(), workspace_id.into(), Bind::list(ids)])?)
}

/// The columns an update may write, in the order of both statements.
fn settings(link: &Link) -> Result<Vec<Bind>> {
    let flag = |value: bool| Bind::Int(i64::from(value));
    let date = |at: Option<Millis>| Bind::from(at.map(|at| at.0));
    let mut binds: Vec<Bind> = vec![
        link.domain.as_str().into(),
        link.key.as_str().into(),
        link.url.as_str().into(),
        base_url(&link.url).into(),
        link.external_id.clone().into(),
        link.tenant_id.clone().into(),
        link.program_id.clone().into(),
        link.partner_id.clone().into(),
        link.folder_id.clone().into(),
        flag(link.track_conversion),
        flag(link.archived),
        date(link.expires_at),
        date(link.disabled_at),
        link.title.clone().into(),
        link.description.clone().into(),
        link.comments.clone().into(),
    ];
    binds.extend(link.utm.iter().cloned().map(Bind::from));
    binds.push(codec::encode(&link.options)?.into());
    binds.push(link.updated_at.0.into());
    Ok(binds)
}
