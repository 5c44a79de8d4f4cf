//! Refuses to build when two places that must agree do not, and makes the tables that the Worker carries.

#[path = "build_support/bindings.rs"]
mod bindings;
#[path = "build_support/crawlers.rs"]
mod crawlers;
#[path = "build_support/money.rs"]
mod money;
#[path = "build_support/public_suffixes.rs"]
mod public_suffixes;

use std::path::PathBuf;

/// Names the newest file of `migrations/` and counts them: what the health table expects D1 to have.
fn migrations() -> Result<(), String> {
    println!("cargo:rerun-if-changed=migrations");
    let folder = std::fs::read_dir("migrations").map_err(|e| format!("cannot list migrations: {e}"))?;
    let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    println!("cargo:rustc-env=PIMMS_NEWEST_MIGRATION={}", names.last().map_or("", String::as_str));
    println!("cargo:rustc-env=PIMMS_MIGRATIONS={}", names.len());
    Ok(())
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build_support");
    for checked in [bindings::check(), migrations()] {
        if let Err(problem) = checked {
            println!("cargo::error={problem}");
        }
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    for made in [public_suffixes::generate(&out), crawlers::generate(&out), money::generate(&out)] {
        if let Err(problem) = made {
            println!("cargo::error={problem}");
        }
    }
}
