//! A copy of wrangler.toml for one throw-away runtime.
//!
//! It points at a frozen copy of the built Worker, so that neither an edit of the source nor another build
//! can restart the runtime in the middle of a test. All else, bindings above all, is wrangler.toml's.

use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::project::Project;

/// Writes `wrangler.json` and the frozen Worker into `folder`.
pub fn write(project: &Project, folder: &Path) -> Result<(), Failure> {
    let text = files::read(&project.path("wrangler.toml"))?;
    let config = isolated(&text, project.root())?;
    files::copy_folder(&project.path("build"), &folder.join("build"))?;
    files::write(&folder.join("wrangler.json"), &config.to_string())
}

/// The configuration without its build, with an absolute path to the migrations, which stay in the checkout.
fn isolated(wrangler_toml: &str, root: &Path) -> Result<Value, Failure> {
    let unreadable = || "wrangler.toml cannot be read".to_owned();
    let table: toml::Table = wrangler_toml.parse().or_fail(unreadable)?;
    let mut config = serde_json::to_value(table).or_fail(unreadable)?;
    if let Some(config) = config.as_object_mut() {
        config.remove("build");
        // What only production has.
        config.remove("env");
    }
    if let Some(path) = config.pointer_mut("/d1_databases/0/migrations_dir")
        && let Some(relative) = path.as_str()
    {
        *path = json!(root.join(relative));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_is_gone_and_migrations_are_the_checkouts() {
        let toml = r#"
            name = "x"
            main = "build/index.js"
            [build]
            command = "make"
            [assets]
            directory = "build/assets"
            [[d1_databases]]
            binding = "DB"
            migrations_dir = "migrations"
        "#;
        let config = isolated(toml, Path::new("/code")).unwrap();
        let expected = json!({
            "name": "x", "main": "build/index.js", "assets": {"directory": "build/assets"},
            "d1_databases": [{"binding": "DB", "migrations_dir": "/code/migrations"}],
        });
        assert_eq!(config, expected);
        assert!(isolated("[[", Path::new("/")).is_err());
    }
}
