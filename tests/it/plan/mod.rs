//! Plans as people and programs read them.

mod deploy;
mod render;
mod schema;
