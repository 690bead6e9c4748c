//! Plans as people and programs read them.

mod deploy;
mod groups;
mod offline;
mod render;
mod schema;
