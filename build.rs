//! Refuses to build when two places that must agree do not.

#[path = "build_support/bindings.rs"]
mod bindings;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build_support");
    if let Err(problem) = bindings::check() {
        println!("cargo::error={problem}");
    }
}
