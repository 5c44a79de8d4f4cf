//! The shapes of the REST API: what bodies may say, and what answers look like.

pub mod bootstrap;
pub mod stripe;
