//! Diagnostics, plans and receipts → text. Returns strings; does no I/O. The only module that knows codespan.

pub mod explain;
pub mod json;
pub mod layout;
pub mod palette;
pub mod plan;
pub mod plan_markdown;
mod plan_places;
pub mod plan_text;
pub mod plan_tree;
pub mod sarif;
pub mod short;
pub mod snippet;
pub mod source_map;
pub mod world;

use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;

/// What was found in one project, and the files that it is about.
pub type Found<'a> = (&'a SourceMap, &'a [Diagnostic]);
