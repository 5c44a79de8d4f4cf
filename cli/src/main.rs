//! `pimms`.
fn main() {}
