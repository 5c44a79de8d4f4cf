//! `pimms simulate`: plays a whole story against a running instance and checks what it adds up to.

pub mod story;
