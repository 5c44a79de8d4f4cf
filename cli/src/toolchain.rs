//! The tools a build needs, in the versions this checkout pins; whatever is missing is installed.
//!
//! Only rustup, Node with npm, crates.io and the npm registry are assumed. Nothing is installed outside the
//! checkout except rustup's wasm32 target.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::files;
use crate::process::{output_of, run_logged};
use crate::progress::{Outcome, Progress};
use crate::project::Project;

/// The oldest Node on which the pinned wrangler runs.
const NODE_MAJOR: u32 = 20;

/// The version of `worker-build` that belongs to the `worker` crate in Cargo.toml.
const WORKER_BUILD: &str = "0.8.7";

/// What the Worker is compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// How many steps [`prepare`] takes.
pub const STEPS: usize = 4;

/// Makes sure that everything needed to build and run is there.
pub fn prepare(project: &Project, progress: &Progress) -> Result<(), Failure> {
    progress.step("Rust target wasm32-unknown-unknown", || wasm_target(project, progress))?;
    progress.step("Node.js", node)?;
    progress.step("npm packages", || npm_packages(project, progress, Packages::Run))?;
    progress.step("worker-build and wasm-bindgen", || build_tools(project, progress))
}

/// Installs also the npm packages with which the Worker is tested (SDKs, a browser), unless they are there.
pub fn prepare_tests(project: &Project, progress: &Progress) -> Result<(), Failure> {
    let _lock = files::lock(&project.scratch().join("npm.lock"))?;
    npm_packages(project, progress, Packages::RunAndTest).map(|_| ())
}

/// Which npm packages are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packages {
    /// What builds and runs the Worker: package.json's `dependencies`.
    Run,
    /// Its `devDependencies` too, a browser among them.
    RunAndTest,
}

/// Where `worker-build` is once [`prepare`] has run.
#[must_use]
pub fn worker_build_program(project: &Project) -> PathBuf {
    project.tools().join("bin/worker-build")
}

/// Where `wasm-bindgen` is once [`prepare`] has run.
#[must_use]
pub fn wasm_bindgen_program(project: &Project) -> PathBuf {
    project.tools().join("bin/wasm-bindgen")
}

/// Whether the Worker can be compiled here.
#[must_use]
pub fn has_wasm_target(project: &Project) -> bool {
    sysroot(project).is_some_and(|sysroot| has_target(&sysroot))
}

fn sysroot(project: &Project) -> Option<String> {
    output_of(Command::new("rustc").args(["--print", "sysroot"]).current_dir(project.root()))
}

fn has_target(sysroot: &str) -> bool {
    PathBuf::from(sysroot).join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir()
}

/// Whether wrangler runs on the Node of this version (`v20.1.0`).
#[must_use]
pub fn node_is_recent(version: &str) -> bool {
    node_major(version).is_some_and(|major| major >= NODE_MAJOR)
}

fn wasm_target(project: &Project, progress: &Progress) -> Result<Outcome, Failure> {
    const TARGET: &str = WASM_TARGET;
    let sysroot = sysroot(project).ok_or_else(|| {
        Failure::new("`rustc` does not run: install Rust from https://rustup.rs and run again")
    })?;
    if has_target(&sysroot) {
        return Ok("ready".into());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]).current_dir(project.root());
    run_logged(&mut add, &project.scratch().join("rustup.log"), progress).map_err(|e| {
        e.told_as(format!("the Rust target {TARGET} is missing: run `rustup target add {TARGET}`"))
    })?;
    Ok("added".into())
}

fn node() -> Result<Outcome, Failure> {
    let advice = format!("install Node.js {NODE_MAJOR} or newer (https://nodejs.org) and run again");
    let version = output_of(Command::new("node").arg("--version"))
        .ok_or_else(|| Failure::new(format!("`node` was not found: {advice}")))?;
    if !node_is_recent(&version) {
        return Err(Failure::new(format!("Node.js {version} is too old: {advice}")));
    }
    Ok(version)
}

fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn npm_packages(project: &Project, progress: &Progress, which: Packages) -> Result<Outcome, Failure> {
    let wanted = files::read(&project.path("package-lock.json"))?;
    let installed = files::read_if_any(&project.path("node_modules/.package-lock.json"))?;
    if installed.is_some_and(|installed| packages_satisfied(&wanted, &installed, which)) {
        return Ok("ready".into());
    }
    output_of(Command::new("npm").arg("--version")).ok_or_else(|| {
        Failure::new(
            "`npm` was not found: it comes with Node.js (https://nodejs.org); install it and run again",
        )
    })?;
    // No package needs its install script: esbuild and workerd bring their binaries as optional dependencies.
    let mut install = Command::new("npm");
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .args((which == Packages::Run).then_some("--omit=dev"))
        .current_dir(project.root());
    run_logged(&mut install, &project.scratch().join("npm.log"), progress).map_err(|e| {
        e.told_as("the npm packages could not be installed: check the network, or run `npm ci` to see more")
    })?;
    Ok("installed".into())
}

/// Whether npm's record of what it installed holds what the lock file wants.
///
/// Optional packages of other platforms are in the lock file and never installed.
fn packages_satisfied(wanted: &str, installed: &str, which: Packages) -> bool {
    let packages = |text: &str| {
        let tree: Value = serde_json::from_str(text).ok()?;
        tree.get("packages")?.as_object().cloned()
    };
    let (Some(wanted), Some(installed)) = (packages(wanted), packages(installed)) else { return false };
    wanted.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| {
        let is = |flag: &str| package.get(flag) == Some(&Value::Bool(true));
        installed.get(path).map_or_else(
            // `devOptional`: optional for running, needed by a test package.
            || is("optional") || is("devOptional") || (which == Packages::Run && is("dev")),
            |found| found.get("version") == package.get("version"),
        )
    })
}

fn build_tools(project: &Project, progress: &Progress) -> Result<Outcome, Failure> {
    let _lock = files::lock(&project.scratch().join("tools.lock"))?;
    let wasm_bindgen = locked_version(&files::read(&project.path("Cargo.lock"))?, "wasm-bindgen")
        .ok_or_else(|| {
            Failure::new("Cargo.lock names no wasm-bindgen: restore it with `git checkout Cargo.lock`")
        })?;
    let mut outcome = "ready";
    if !reports(worker_build_program(project), WORKER_BUILD) {
        cargo_install(project, progress, "worker-build", "worker-build", WORKER_BUILD)?;
        outcome = "installed";
    }
    // The command line tool must be of exactly the version the crate was compiled with.
    if !reports(wasm_bindgen_program(project), &wasm_bindgen) {
        cargo_install(project, progress, "wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen)?;
        outcome = "installed";
    }
    Ok(outcome.into())
}

fn reports(program: PathBuf, version: &str) -> bool {
    output_of(Command::new(program).arg("--version"))
        .is_some_and(|text| text.split(' ').next_back() == Some(version))
}

/// Builds one program of crates.io into `target/tools`.
///
/// With the lock file its author published where that resolves; a registry mirror that lags behind may not
/// have all of it yet, then with the newest versions it does have.
fn cargo_install(
    project: &Project,
    progress: &Progress,
    package: &str,
    program: &str,
    version: &str,
) -> Result<(), Failure> {
    let install = |locked: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["install", package, "--bin", program, "--version", version, "--force", "--root"])
            .arg(project.tools())
            .args(locked)
            .current_dir(project.root())
            // The two tools share most of what they depend on.
            .env("CARGO_TARGET_DIR", project.tools().join("build"))
            // They run for a second per build and are compiled once: compile fast, not for speed.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        run_logged(&mut cargo, &project.scratch().join(format!("{program}.log")), progress)
    };
    install(&["--locked"]).or_else(|_| install(&[])).map_err(|e| {
        e.told_as(format!(
            "{package} {version} could not be installed: check that crates.io answers and run again"
        ))
    })?;
    // Objects of a program that is installed are of no more use.
    files::remove_folder(&project.tools().join("build").join("release/incremental"))
}

/// The version of a package in a Cargo.lock.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    lock.get("package")?
        .as_array()?
        .iter()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package))?
        .get("version")?
        .as_str()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_read() {
        for (text, major) in [("v20.20.2", Some(20)), ("v8.1.0", Some(8)), ("20.0.0", None), ("", None)] {
            assert_eq!(node_major(text), major, "{text}");
        }
    }

    #[test]
    fn packages_count_as_installed_only_in_the_locked_version() {
        let wanted = r#"{"packages":{"":{"name":"x"},"node_modules/a":{"version":"1.0.0"},
            "node_modules/b":{"version":"2.0.0","optional":true},
            "node_modules/c":{"version":"3.0.0","dev":true}}}"#;
        let with_tests =
            r#"{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/c":{"version":"3.0.0"}}}"#;
        assert!(packages_satisfied(wanted, with_tests, Packages::RunAndTest));
        let for_running = r#"{"packages":{"node_modules/a":{"version":"1.0.0"}}}"#;
        assert!(!packages_satisfied(wanted, for_running, Packages::RunAndTest));
        for (installed, satisfied) in [
            (r#"{"packages":{"node_modules/a":{"version":"1.0.0"}}}"#, true),
            (
                r#"{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0"}}}"#,
                true,
            ),
            (
                r#"{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"1.9.0"}}}"#,
                false,
            ),
            (r#"{"packages":{"node_modules/a":{"version":"1.0.1"}}}"#, false),
            (r#"{"packages":{}}"#, false),
            ("not json", false),
        ] {
            assert_eq!(packages_satisfied(wanted, installed, Packages::Run), satisfied, "{installed}");
        }
    }

    #[test]
    fn the_lock_file_names_versions() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "b"), None);
        assert_eq!(locked_version("[[", "a"), None);
    }
}
