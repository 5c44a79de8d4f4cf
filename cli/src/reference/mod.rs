//! The reference of the API: `api/*.yaml`, one file per resource, become one OpenAPI document and one page.
//!
//! Both are static files beside the Worker; nothing of them is in the wasm. That the document says what the
//! Worker does is checked by `tests/openapi.rs` (routes, parameters, structure) and `tests/e2e/openapi.rs` (answers).

mod example;
mod join;
mod page;
mod short;

use std::path::Path;

use serde_json::Value;

pub use join::joined;
pub use page::page;

use crate::failure::Failure;
use crate::files;
use crate::project::Project;

/// Where the sources are.
pub const SOURCES: &str = "api";

/// Makes `openapi.json` and `docs.html` in `folder`.
pub fn build(project: &Project, folder: &Path) -> Result<(), Failure> {
    let document = document(project)?;
    files::create_folder(folder)?;
    let mut text = serde_json::to_string(&document)
        .map_err(|e| Failure::new(format!("the API's document cannot be written: {e}")))?;
    text.push('\n');
    files::write(&folder.join("openapi.json"), &text)?;
    files::write(&folder.join("docs.html"), &page(&document))
}

/// The OpenAPI document.
pub fn document(project: &Project) -> Result<Value, Failure> {
    let mut paths = files::all_files(&[project.path(SOURCES)])?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let name = path.strip_prefix(project.root()).unwrap_or(&path).display().to_string();
        sources.push((name, files::read(&path)?));
    }
    joined(&sources).map_err(Failure::new)
}
