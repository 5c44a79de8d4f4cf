//! Builds the Worker into `build/`, when anything it is made of has changed.
//!
//! The build has a target folder of its own: it never waits for, and never blocks, a cargo that is at work in
//! `target/`, so it can be called from `cargo run`, from a test and from wrangler.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::assets;
use crate::failure::Failure;
use crate::files;
use crate::process::{output_of, run_logged};
use crate::progress::{Outcome, Progress};
use crate::project::Project;
use crate::toolchain;

/// All a build depends on. [`undeclared_inputs`] holds the list against what the compiler really read.
const INPUTS: [&str; 14] = [
    "src",
    "api",
    "public",
    "script",
    "dashboard",
    "build.rs",
    "build_support",
    "data",
    "migrations",
    "wrangler.toml",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "package-lock.json",
];

/// What a build gives.
const OUTPUTS: [&str; 4] = ["build/entry.js", "build/index.js", "build/index_bg.wasm", "build/assets"];

/// The Worker's entry, beside what worker-build makes.
const ENTRY: &str = "src/entry.js";

/// Where `worker-build` leaves its work.
const DRAFT: &str = "target/pimms/worker";

/// What the wasm is made of: the compiler's defaults and the exception handling of wasm-bindgen. Named one by
/// one, so that wasm-opt never writes what the runtime cannot read.
const WASM_FEATURES: [&str; 7] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
];

/// What makes the wasm small after gzip, which is what is uploaded. Plain `-Oz` makes the upload a tenth larger.
///
/// Gzip looks back 32 kB, so functions made from one generic belong next to each other: they are put in the order
/// of their names, and then the names go (without `--debuginfo` they are not written).
const WASM_PASSES: [&str; 7] = [
    "-Oz",
    // Inlined at its one caller, a function is no longer next to its like.
    "--one-caller-inline-max-function-size=10",
    // These take bytes off the file, and from gzip the patterns it lives on.
    "--skip-pass=local-cse",
    "--skip-pass=memory-packing",
    "--skip-pass=merge-similar-functions",
    "--reorder-functions-by-name",
    "--strip-producers",
];

/// Options of `pimms build`.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Builds even when nothing changed.
    #[arg(long)]
    force: bool,
}

/// `pimms build`: also the `[build]` command of wrangler.toml.
pub fn run(options: &Options) -> Result<(), Failure> {
    let project = Project::find()?;
    if options.force {
        files::remove_folder(&project.path("build"))?;
    }
    from_scratch(&project)
}

/// Builds the Worker, with all it takes, on a machine where nothing may be installed yet. Says nothing, and
/// installs nothing, when there is nothing to do.
pub fn from_scratch(project: &Project) -> Result<(), Failure> {
    if is_fresh(project)? {
        return Ok(());
    }
    let progress = Progress::new(toolchain::STEPS + 1);
    toolchain::prepare(project, &progress)?;
    progress.step("Worker", || ensure(project, &progress))
}

/// Builds the Worker unless `build/` already is what these sources give.
///
/// Two callers at once build once.
pub fn ensure(project: &Project, progress: &Progress) -> Result<Outcome, Failure> {
    let _lock = files::lock(&project.scratch().join("worker-build.lock"))?;
    // Taken before the build: an edit during it must count as a change afterwards.
    let inputs = fingerprint_of(project, &INPUTS)?;
    if stamp(project)? == Some(expected_stamp(project, &inputs)?) {
        return Ok("up to date".into());
    }
    let target = project.path("target/worker");
    let mut build = Command::new(toolchain::worker_build_program(project));
    build
        .args(["--release", "--no-opt", "--out-dir", DRAFT, "--package", "pimms-edge", "--locked"])
        .current_dir(project.root())
        .env("CARGO_TARGET_DIR", &target)
        .env("WASM_BINDGEN_BIN", toolchain::wasm_bindgen_program(project))
        .env("ESBUILD_BIN", project.node_program("esbuild"));
    run_logged(&mut build, &project.scratch().join("worker-build.log"), progress).map_err(|e| {
        e.told_as("the Worker did not build: see the lines above, correct the source and run again")
    })?;
    shrink(project, progress)?;
    assets::build(project)?;
    undeclared_inputs(project, &target)?;
    files::write(&project.path("build/entry.js"), &files::read(&project.path(ENTRY))?)?;
    files::write(&stamp_path(project), &expected_stamp(project, &inputs)?)?;
    Ok("built".into())
}

/// Puts the built Worker into `build/`, its wasm made as small as it compresses.
fn shrink(project: &Project, progress: &Progress) -> Result<(), Failure> {
    let draft = project.path(DRAFT);
    let (whole, small) = (draft.join("index_bg.wasm"), draft.join("small.wasm"));
    let mut wasm_opt = Command::new(project.node_program("wasm-opt"));
    wasm_opt.arg(&whole).arg("-o").arg(&small).args(WASM_FEATURES).args(WASM_PASSES);
    run_logged(&mut wasm_opt, &project.scratch().join("wasm-opt.log"), progress)?;
    files::create_folder(&project.path("build"))?;
    files::replace(&small, &project.path("build/index_bg.wasm"))?;
    files::replace(&draft.join("index.js"), &project.path("build/index.js"))
}

/// Whether `build/` is what the sources give, without building.
fn is_fresh(project: &Project) -> Result<bool, Failure> {
    let inputs = fingerprint_of(project, &INPUTS)?;
    Ok(stamp(project)? == Some(expected_stamp(project, &inputs)?))
}

/// Sources and outputs belong together: a `build/` made by something else does not pass for ours.
fn expected_stamp(project: &Project, inputs: &str) -> Result<String, Failure> {
    let compiler = output_of(Command::new("rustc").arg("--version").current_dir(project.root()));
    let outputs = fingerprint_of(project, &OUTPUTS)?;
    Ok(format!("{inputs}\n{outputs}\n{}\n", compiler.unwrap_or_default()))
}

fn stamp(project: &Project) -> Result<Option<String>, Failure> {
    files::read_if_any(&stamp_path(project))
}

fn stamp_path(project: &Project) -> PathBuf {
    project.scratch().join("worker-build.stamp")
}

fn fingerprint_of(project: &Project, names: &[&str]) -> Result<String, Failure> {
    let roots: Vec<PathBuf> = names.iter().map(|name| project.path(name)).collect();
    files::fingerprint(&roots)
}

/// Refuses a build that read a file of the checkout which [`INPUTS`] does not cover: a later change of that
/// file would go unnoticed.
fn undeclared_inputs(project: &Project, target: &Path) -> Result<(), Failure> {
    let dep_info = target.join("wasm32-unknown-unknown/release/pimms_edge.d");
    let text = files::read(&dep_info)?;
    let missing: BTreeSet<String> = outside(&text, project.root(), &INPUTS);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::new(format!(
        "the Worker is made of {list} too: add it to INPUTS in cli/src/worker_build.rs"
    )))
}

/// The files of a make-style dependency list that are inside `root` and below none of `covered`.
fn outside(dep_info: &str, root: &Path, covered: &[&str]) -> BTreeSet<String> {
    let Some((_, list)) = dep_info.lines().next().and_then(|line| line.split_once(": ")) else {
        return BTreeSet::new();
    };
    // Spaces inside a path are escaped by a backslash.
    list.replace("\\ ", "\u{0}")
        .split(' ')
        .map(|path| path.replace('\u{0}', " "))
        .filter_map(|path| Path::new(&path).strip_prefix(root).ok().map(Path::to_path_buf))
        .filter(|path| !path.starts_with("target") && !covered.iter().any(|root| path.starts_with(root)))
        .map(|path| path.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_outside_the_declared_inputs_is_found() {
        let root = Path::new("/my code/pimms");
        let list = "/my\\ code/pimms/target/x.wasm: /my\\ code/pimms/src/lib.rs /my\\ code/pimms/docs/a\\ b.md /usr/lib/x.rs /my\\ code/pimms/target/out.rs";
        let found: Vec<String> = outside(list, root, &INPUTS).into_iter().collect();
        assert_eq!(found, ["docs/a b.md"]);
        assert!(outside("", root, &INPUTS).is_empty());
    }
}
