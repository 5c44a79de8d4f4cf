//! pimms-edge: link attribution at the edge.
//!
//! One Cloudflare Worker that answers short links, issues click ids that prove themselves, and books every
//! Stripe payment to the right click, once. Three layers, arrows only downwards:
//! `http` (routes) → `edge` (the platform) → [`core`] (the rules, pure).

pub mod core;

#[cfg(target_arch = "wasm32")]
mod edge;
#[cfg(target_arch = "wasm32")]
mod http;
#[cfg(target_arch = "wasm32")]
mod worker_entry;
