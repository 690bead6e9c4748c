//! The grammar of `.dsvm`, and the parser that pest generates from it.

#![allow(missing_docs, reason = "pest derives one variant of `Rule` for each rule; the grammar file documents them")]

// What pest generates names `alloc`, because its `std` feature is off (see `docs/decisions`).
extern crate alloc;

pub mod words;

/// The parser generated from `grammar/dsvm.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "dsvm.pest"]
pub struct Grammar;
