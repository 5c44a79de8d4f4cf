//! UTM templates in D1.

use worker::{Env, Result};

use crate::core::api::utm_template::UtmTemplate;
use crate::core::sql::{Bind, Where};
use crate::edge::d1;

const COLUMNS: &str = "x.id, x.name, x.utm_source, x.utm_medium, x.utm_campaign, x.utm_term, x.utm_content, \
    x.created_at, x.updated_at";

/// Templates, a page of them, by name.
pub(crate) async fn list(env: &Env, condition: &Where, page: i64, size: i64) -> Result<Vec<UtmTemplate>> {
    let query = format!(
        "SELECT {COLUMNS} FROM utm_templates x WHERE {} ORDER BY x.name COLLATE NOCASE, x.id LIMIT ? OFFSET ?",
        condition.text()
    );
    let offset = page.saturating_sub(1).saturating_mul(size);
    let binds = [condition.binds(), &[size.into(), offset.into()]].concat();
    d1::rows(&d1::database(env)?, &query, &d1::binds(&binds)?).await
}

/// One template.
pub(crate) async fn find(env: &Env, workspace_id: &str, id: &str) -> Result<Option<UtmTemplate>> {
    let query = format!("SELECT {COLUMNS} FROM utm_templates x WHERE x.id = ?1 AND x.workspace_id = ?2");
    d1::first(&d1::database(env)?, &query, &[d1::text(id), d1::text(workspace_id)]).await
}

/// Stores a template, new or changed; a name that is taken is a unique violation.
pub(crate) async fn store(env: &Env, workspace_id: &str, template: &UtmTemplate) -> Result<()> {
    let query = "INSERT INTO utm_templates (id, workspace_id, created_at, updated_at, name, utm_source, utm_medium, \
                 utm_campaign, utm_term, utm_content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, name = excluded.name, \
                 utm_source = excluded.utm_source, utm_medium = excluded.utm_medium, \
                 utm_campaign = excluded.utm_campaign, utm_term = excluded.utm_term, \
                 utm_content = excluded.utm_content WHERE workspace_id = excluded.workspace_id";
    let mut binds: Vec<Bind> = vec![
        template.id.as_str().into(),
        workspace_id.into(),
        template.created_at.0.into(),
        template.updated_at.0.into(),
        template.name.as_str().into(),
    ];
    binds.extend(template.values().map(|value| Bind::from(value.map(str::to_owned))));
    d1::statement(&d1::database(env)?, query, &d1::binds(&binds)?)?.run().await.map(|_| ())
}

/// Deletes a template; links that were made with it keep their values.
pub(crate) async fn delete(env: &Env, workspace_id: &str, id: &str) -> Result<()> {
    let query = "DELETE FROM utm_templates WHERE id = ?1 AND workspace_id = ?2";
    let values = [d1::text(id), d1::text(workspace_id)];
    d1::statement(&d1::database(env)?, query, &values)?.run().await.map(|_| ())
}
