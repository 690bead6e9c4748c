//! A whole project: the rules for the symbolic program and for each env, then its templates.

use super::{Artifacts, check, emit};
use crate::diagnostics::{Code, Diagnostic, Sink};
use crate::sema::checked::{Checked, Clean};
use crate::{graph, model, sema};
use jiff::civil::Date;
use rayon::prelude::*;
use std::sync::Arc;

/// Holds a project against the rules in all its runs (the symbolic one first, as `sema::check_all` gives them) without
/// writing anything.
pub fn examine(runs: &[Checked], as_of: Date, sink: &mut Sink) {
    let _ = symbolic(runs, as_of, sink);
}

/// Holds a project against the rules in all its runs and writes its templates; nothing when there is an error.
#[must_use]
pub fn project(runs: &[Checked], as_of: Date, sink: &mut Sink) -> Option<Artifacts> {
    let resources = symbolic(runs, as_of, sink)?;
    let checked = runs.first()?;
    let clean = Clean::new(resources, sink)?;
    let mut late = Sink::default();
    let artifacts = emit(&clean, checked, &mut late);
    let broken = late.has_errors();
    sink.extend(late.finish());
    (!broken).then_some(artifacts)
}

fn symbolic(runs: &[Checked], as_of: Date, sink: &mut Sink) -> Option<graph::ResourceGraph> {
    // Blocks in a circle were reported; what is made of them would say it again.
    if sink.as_slice().iter().any(|d| d.code == Code::BlockCycle) {
        return None;
    }
    let (first, envs) = runs.split_first()?;
    let ((resources, found), in_envs) = rayon::join(
        || one(first, as_of),
        || {
            let checked = |env: &Checked| (env.env.clone().unwrap_or_else(|| Arc::from("")), one(env, as_of).1);
            envs.par_iter().map(checked).collect::<Vec<(Arc<str>, Vec<Diagnostic>)>>()
        },
    );
    sink.extend(sema::report::merge(found, in_envs));
    Some(resources)
}

fn one(checked: &Checked, as_of: Date) -> (graph::ResourceGraph, Vec<Diagnostic>) {
    let mut sink = Sink::default();
    let fleet = model::build(checked, as_of, &mut sink);
    let resources = graph::build(&fleet, checked, &mut sink);
    check(&resources, checked, &mut sink);
    (resources, sink.finish())
}
