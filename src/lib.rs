//! dsvmc: compiler, planner and deployer for `.dsvm` files.
//!
//! The modules in pipeline order; a module imports only those before it (`tests/it/tidy.rs` checks).

// What pest generates names `alloc`, because its `std` feature is off (see `docs/decisions`).
extern crate alloc;

pub mod source;
pub mod diagnostics;
pub mod syntax;
pub mod format;
pub mod sema;
pub mod catalog;
pub mod formula;
pub mod model;
pub mod graph;
pub mod template;
pub mod emit;
pub mod import;
pub mod plan;
pub mod azure;
pub mod apply;
pub mod local;
pub mod driver;
pub mod render;
pub mod cli;
