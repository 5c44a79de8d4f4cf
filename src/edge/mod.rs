//! Adapters, one file per thing of the platform. They translate; they decide nothing.

pub(crate) mod bindings;
pub(crate) mod click_proof;
pub(crate) mod click_queue;
pub(crate) mod codec;
pub(crate) mod customer_ledger;
pub(crate) mod d1;
pub(crate) mod d1_clicks;
pub(crate) mod d1_ledger;
pub(crate) mod d1_links;
pub(crate) mod daily;
pub(crate) mod directory;
pub(crate) mod entropy;
pub(crate) mod keys;
pub(crate) mod kv_links;
pub(crate) mod link_memory;
pub(crate) mod links;
pub(crate) mod objects;
pub(crate) mod seal;
pub(crate) mod settings;
pub(crate) mod sql;
pub(crate) mod stripe_settings;
pub(crate) mod visitors;
pub(crate) mod workspaces;
