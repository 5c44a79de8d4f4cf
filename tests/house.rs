//! What a pull request is held to besides its tests: format, lints on both targets, documentation, licences.
//!
//! They are tests so that one command says everything. Each runs cargo in this checkout's own target folder;
//! the cargo that runs the tests has released its lock by then.

#![expect(clippy::panic, reason = "a check that cannot run is a failed test")]

use std::io::{Write, stderr};
use std::path::Path;
use std::process::Command;

/// Runs cargo in the checkout; what it says is the message of the failure.
fn cargo(arguments: &[&str], environment: &[(&str, &str)]) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|e| panic!("cargo does not start: {e}"));
    assert!(
        output.status.success(),
        "cargo {} failed\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_code_is_formatted() {
    cargo(&["fmt", "--all", "--check"], &[]);
}

#[test]
fn native_code_has_no_warnings() {
    cargo(&["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]);
}

/// The adapters and routes exist only there.
#[test]
fn the_worker_has_no_warnings() {
    let target = "--target=wasm32-unknown-unknown";
    cargo(
        &["clippy", "--quiet", "--locked", "--package=pimms-edge", "--lib", target, "--", "-D", "warnings"],
        &[],
    );
}

#[test]
fn the_documentation_has_no_warnings() {
    cargo(&["doc", "--quiet", "--locked", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")]);
}

/// The same as `tests/dependencies.rs` and duplicates, where cargo-deny is installed. Advisories need a network.
#[test]
fn dependencies_are_allowed() {
    if Command::new("cargo-deny").arg("--version").output().is_err() {
        // Not through `eprintln!`, which the test runner would keep to itself.
        let _ = writeln!(stderr(), "cargo-deny is not installed: duplicate crates were not looked for");
        return;
    }
    cargo(&["deny", "--offline", "--all-features", "check", "licenses", "bans", "sources"], &[]);
}

/// npm refuses to install from a lock file that does not belong to its package.json.
#[test]
fn the_npm_lock_file_belongs_to_the_manifest() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let (manifest, lock) = (read("package.json"), read("package-lock.json"));
    assert_eq!(lock.pointer("/packages//devDependencies"), manifest.pointer("/devDependencies"));
    let packages = lock.pointer("/packages").and_then(serde_json::Value::as_object);
    for (path, package) in packages.unwrap_or_else(|| panic!("no packages")) {
        // Whichever registry a machine uses: the lock file pins what, by hash, not from where.
        assert!(package.get("resolved").is_none(), "{path} names its download address");
    }
}
