//! The rules, by what they look at. Each is a function from a project to findings; names, levels and sources are in the
//! catalogue.

pub(crate) mod access;
pub(crate) mod batch;
pub(crate) mod cost;
pub(crate) mod data;
pub(crate) mod machines;
pub(crate) mod people;
pub(crate) mod proof;
pub(crate) mod raw;
pub(crate) mod scale;
pub(crate) mod unused;
pub(crate) mod written;
