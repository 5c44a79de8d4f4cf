//! The shapes of the REST API: what bodies may say, and what answers look like.

pub mod bootstrap;
pub mod cursor;
pub mod customer;
pub mod customer_body;
pub mod domain;
pub mod event;
pub mod labels;
pub mod link;
pub mod link_body;
pub mod link_filter;
pub mod methods;
pub mod paging;
pub mod sale;
pub mod stripe;
pub mod token;
pub mod transfer;
pub mod utm_template;
pub mod webhook;
pub mod workspace;
