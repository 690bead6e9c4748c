//! Plans as people and programs read them.

mod broken;
mod busy;
pub mod deploy;
mod examples;
mod foreign;
mod groups;
mod guards;
mod impact;
mod offline;
mod properties;
mod render;
mod requests;
pub mod schema;
mod snippets;
mod strangers;
mod values;
