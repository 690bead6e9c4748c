//! Syntax trees → checked program: names bound, types with units, secrets followed, two times kept apart.
//!
//! Runs once symbolically (parameters stay deferred) and once for each `env` (parameters have values).

pub mod checked;
pub mod table;
pub mod value;
