//! dsvmc: compiler, planner and deployer for `.dsvm` files.
//!
//! The modules in pipeline order; a module imports only those before it (`tests/it/tidy.rs` checks).

pub mod driver;
pub mod deploy;
pub mod render;
pub mod cli;
