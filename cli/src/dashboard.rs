//! Makes the dashboard: `dashboard/` bundled into `build/assets/app`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, OrFail};
use crate::files;
use crate::process::run_logged;
use crate::progress::Progress;
use crate::project::Project;

/// What esbuild starts from; the rest is what these import.
const SCRIPT: &str = "dashboard/src/main.tsx";
const STYLE: &str = "dashboard/src/style.css";

/// Bundles it. Every file but the page has its content's hash in its name, and may be kept for ever.
pub fn build(project: &Project, target: &Path) -> Result<(), Failure> {
    let meta = project.scratch().join("dashboard.json");
    let mut esbuild = Command::new(project.node_program("esbuild"));
    esbuild
        .args([SCRIPT, STYLE])
        .args(["--bundle", "--minify", "--splitting", "--format=esm", "--target=es2022", "--charset=utf8"])
        .args(["--jsx=automatic", "--jsx-import-source=preact", "--legal-comments=none"])
        .args(["--entry-names=[name]-[hash]", "--chunk-names=[name]-[hash]", "--outbase=dashboard/src"])
        .arg(format!("--outdir={}", target.join("assets").display()))
        .arg(format!("--metafile={}", meta.display()))
        .arg("--log-level=warning")
        .current_dir(project.root());
    run_logged(&mut esbuild, &project.scratch().join("dashboard.log"), &Progress::silent())
        .map_err(|e| e.told_as("the dashboard did not build: correct the source and run again"))?;
    let meta: Value =
        serde_json::from_str(&files::read(&meta)?).or_fail(|| "esbuild's account is unreadable".into())?;
    let template = files::read(&project.path("dashboard/index.html"))?;
    files::write(&target.join("index.html"), &page(&template, &meta)?)
}

/// The page with the names of its script and its style.
fn page(template: &str, meta: &Value) -> Result<String, Failure> {
    let mut page = template.to_owned();
    for (mark, source) in [("{{script}}", SCRIPT), ("{{style}}", STYLE)] {
        let outputs = meta.get("outputs").and_then(Value::as_object);
        let output = outputs
            .and_then(|all| {
                all.iter()
                    .find(|(_, output)| output.get("entryPoint").and_then(Value::as_str) == Some(source))
            })
            .and_then(|(path, _)| path.rsplit('/').next())
            .ok_or_else(|| Failure::new(format!("esbuild made nothing of {source}")))?;
        page = page.replace(mark, &format!("/app/assets/{output}"));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_names_its_files() {
        let meta = json!({"outputs": {
            "build/x/main-AB.js": {"entryPoint": SCRIPT},
            "build/x/style-CD.css": {"entryPoint": STYLE},
            "build/x/links-EF.js": {"entryPoint": "dashboard/src/pages/links.tsx"},
        }});
        let made = page("<{{style}}><{{script}}>", &meta).unwrap();
        assert_eq!(made, "</app/assets/style-CD.css></app/assets/main-AB.js>");
        assert!(page("", &json!({"outputs": {}})).is_err());
    }
}
