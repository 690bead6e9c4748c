//! Plans as people and programs read them.

mod render;
mod schema;
