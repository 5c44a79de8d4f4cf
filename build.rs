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

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build_support");
    if let Err(problem) = bindings::check() {
        println!("cargo::error={problem}");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    for made in [public_suffixes::generate(&out), crawlers::generate(&out), money::generate(&out)] {
        if let Err(problem) = made {
            println!("cargo::error={problem}");
        }
    }
}
