//! Diagnostics and plans → text. Returns strings and does no I/O. The only module that uses codespan.

pub mod calendar;
pub mod cost;
pub mod explain;
pub mod failure;
pub mod github;
pub mod json;
pub mod layout;
pub mod palette;
pub mod impact;
mod impact_markdown;
pub mod plan;
pub mod plan_cost;
pub mod plan_markdown;
mod plan_places;
pub mod plan_quota;
pub mod plan_text;
pub mod plan_tree;
pub mod proof;
pub mod quota;
pub mod sarif;
pub mod short;
pub mod sizes;
pub mod simulation;
pub mod simulation_pair;
pub mod snapshot;
pub mod snippet;
pub mod spot;
pub mod source_map;
pub mod tests;
pub mod visible;

use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;
use dsvm_sema::checked::ExemptFinding;

/// The diagnostics of one project, and the files that they point into.
pub type Found<'a> = (&'a SourceMap, &'a [Diagnostic]);
/// What comments in a project allow, and the files that it points into.
pub type Exempt<'a> = (&'a SourceMap, &'a [ExemptFinding]);
