//! The rules. Pure: no I/O, no clock, no randomness of its own, no `worker`.
//!
//! Everything here compiles natively and is tested there. Time and randomness
//! enter as arguments, so every decision can be replayed in a test.

pub mod access;
pub mod analytics;
pub mod api;
pub mod assets;
pub mod attribution;
pub mod bots;
pub mod click;
pub mod click_id;
pub mod click_store;
pub mod cookies;
pub mod countries;
pub mod destination;
pub mod domain;
pub mod export;
pub mod figures;
pub mod final_url;
pub mod fingerprint;
pub mod frames;
pub mod hand_off;
pub mod ids;
pub mod key;
pub mod language;
pub mod ledger;
pub mod link;
pub mod metatags;
pub mod mode;
pub mod money;
pub mod pages;
pub mod password;
pub mod png;
pub mod problem;
pub mod public_suffix;
pub mod qr;
pub mod quick;
pub mod rate_limit;
pub mod recent;
pub mod redirect;
pub mod reported;
pub mod reports;
pub mod seal;
pub mod sentences;
pub mod session;
pub mod site_files;
pub mod sql;
pub mod stripe;
pub mod targeting;
pub mod time;
pub mod track;
pub mod user_agent;
pub mod utm;
pub mod validate;
pub mod visit;
pub mod visitor;
