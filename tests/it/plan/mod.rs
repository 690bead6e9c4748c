//! Plans as people and programs read them.

mod deploy;
mod offline;
mod render;
mod schema;
