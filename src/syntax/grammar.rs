//! The parser that pest makes from `grammar/dsvm.pest`. Private to `syntax`: no pest type leaves it.

#![allow(missing_docs, reason = "pest derives one variant of `Rule` for each rule; the grammar file documents them")]

/// Made from `grammar/dsvm.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/dsvm.pest"]
pub(super) struct Grammar;
