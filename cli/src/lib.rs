//! The native tool of pimms-edge.

pub mod stripe;
