//! Bundles the browser script: every `script/script*.ts` becomes a file of `build/assets/analytics`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, OrFail};
use crate::process::run_logged;
use crate::progress::Progress;
use crate::project::Project;

/// What every browser in use understands.
const TARGET: &str = "es2020";

/// Makes the files. What tells those with `site-visit` in their name apart is decided here, so that the others do not
/// carry it.
pub fn build(project: &Project, target: &Path) -> Result<(), Failure> {
    let folder = project.path("script");
    let names = entries(&folder)?;
    let (with, without): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.contains(".site-visit"));
    for (entries, has_visits) in [(with, true), (without, false)] {
        let mut esbuild = Command::new(project.node_program("esbuild"));
        esbuild
            .args(entries)
            .args(["--bundle", "--minify", "--format=iife", "--charset=utf8", "--log-level=warning"])
            .arg(format!("--target={TARGET}"))
            // Not the checks of tsconfig.json: `strict` would put a directive into every file.
            .arg("--tsconfig-raw={}")
            .arg(format!("--define:SITE_VISIT={has_visits}"))
            .arg(format!("--outdir={}", target.display()))
            .current_dir(&folder);
        run_logged(&mut esbuild, &project.scratch().join("browser-script.log"), &Progress::silent())
            .map_err(|e| {
                e.told_as(
                    "the browser script did not build: see the lines above, correct script/ and run again",
                )
            })?;
    }
    Ok(())
}

/// The names of the entry files, in their order.
fn entries(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).or_fail(unreadable)? {
        let name = entry.or_fail(unreadable)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("script.")
            && Path::new(&name).extension().is_some_and(|extension| extension == "ts")
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
