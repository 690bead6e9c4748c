//! The one integration binary: a `mod` line for each file.

mod cli;
mod formula;
mod local;
mod stdlib;
mod stdlib_doc;
mod support;
