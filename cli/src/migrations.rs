//! The database schema, applied to a local state folder by wrangler, once per set of migrations.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::files;
use crate::process::run_logged;
use crate::progress::{Outcome, Progress};
use crate::project::Project;
use crate::runtime;

/// Brings the D1 database in `state` to the newest migration; instant when it already is.
pub fn apply(project: &Project, state: &Path, progress: &Progress) -> Result<Outcome, Failure> {
    let newest = files::fingerprint(&[project.path("migrations")])?;
    let stamp = state.join("migrations.stamp");
    if files::read_if_any(&stamp)?.as_deref() == Some(newest.as_str()) {
        return Ok("up to date".into());
    }
    files::create_folder(state)?;
    let mut wrangler = Command::new(project.node_program("wrangler"));
    wrangler
        .args(["d1", "migrations", "apply", "DB", "--local", "--persist-to"])
        .arg(state)
        .current_dir(project.root());
    runtime::quiet(&mut wrangler);
    run_logged(&mut wrangler, &project.scratch().join("migrations.log"), progress)
        .map_err(|e| e.told_as("the database migrations failed: see above, or start anew with --fresh"))?;
    files::write(&stamp, &newest)?;
    Ok("applied".into())
}

/// A migrated and otherwise empty state folder, made once per set of migrations and copied to `state`.
///
/// For tests: each wants its own database, and wrangler takes seconds to make one.
pub fn copy_template(project: &Project, state: &Path) -> Result<(), Failure> {
    let newest = files::fingerprint(&[project.path("migrations")])?;
    let templates = project.scratch().join("templates");
    let _lock = files::lock(&project.scratch().join("templates.lock"))?;
    let template = templates.join(newest.get(..16).unwrap_or(&newest));
    if !template.join("migrations.stamp").is_file() {
        // Templates of older migrations are of no use.
        files::remove_folder(&templates)?;
        apply(project, &template, &Progress::silent())?;
    }
    files::copy_folder(&template, state)
}
