//! Syntax trees → checked program: names bound, types with units, secrets followed, two times kept apart.
//!
//! Runs once symbolically (parameters stay deferred) and once for each `env` (parameters have values).
//! Evaluation is total: no recursion, and budgets for steps and sizes. Knows nothing about Azure.

mod blocks;
mod compiled;
mod diags;
mod eval;
mod fields;
mod fit;
mod free;
mod given;
mod hardware;
mod head;
mod params;
mod parser;
mod priced;
mod run;
mod show;
mod slots;

pub mod builtins;
pub mod checked;
pub mod library;
pub mod load;
pub mod reference;
pub mod report;
pub mod rules;
pub mod table;
pub mod testing;
pub mod ty;
pub mod value;
#[cfg(test)]
mod props;
#[cfg(test)]
mod reuse;
#[cfg(test)]
mod tests;

pub use eval::type_names;
pub use given::ProvidedValue;
pub use hardware::{Fitting, FittingSize, fitting};
pub use load::{Program, load};
pub use priced::Choice;
pub use run::is_known;
pub use ty::Ty;

use checked::Checked;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use eval::Pass;
use rayon::prelude::*;
use std::sync::Arc;

/// Checks a program: symbolically when `env` is `None`, with the values of that env otherwise.
/// The env `""` means the defaults of all parameters, for projects that declare no env.
#[must_use]
pub fn check(program: &Program, env: Option<&str>, sink: &mut Sink) -> Checked {
    let pass = env.map_or(Pass::Symbolic, |env| Pass::Env(Arc::from(env)));
    let syntax = sink.has_errors();
    check_tests(program, sink);
    run::run(program, pass, syntax, sink)
}

/// Checks a program that is one file and imports nothing but the library, symbolically: for text without a folder.
#[must_use]
pub fn check_text(text: &str, sink: &mut Sink) -> Checked {
    let mut sources = SourceMap::default();
    let root = sources.add(SourceFile::new("main.dsvm", text));
    let program = load(&[root], &mut sources, &mut |_| Err(load::NoText::Missing), sink);
    check(&program, None, sink)
}

/// `test` runs the tests; whether they can be understood is told before. The same for rules, which each run reads.
fn check_tests(program: &Program, sink: &mut Sink) {
    let _ = testing::cases(program, sink);
    rules::check(program, sink);
}

/// Checks a program symbolically and for each env (for the defaults when it declares none). The first result is the
/// symbolic one. A finding of several runs is reported once; one of only some envs names them.
#[must_use]
pub fn check_all(program: &Program, sink: &mut Sink) -> Vec<Checked> {
    check_each(program, sink, |checked, _| checked)
}

/// The same; `then` goes on with each result, all at the same time. It is told whether all is well so far.
pub fn check_each<T: Send>(program: &Program, sink: &mut Sink, then: impl Fn(Checked, bool) -> T + Sync) -> Vec<T> {
    let mut envs: Vec<Arc<str>> = Vec::new();
    for env in program.envs() {
        if !envs.contains(env) {
            envs.push(env.clone());
        }
    }
    if envs.is_empty() {
        envs.push(Arc::from(""));
    }
    let syntax = sink.has_errors();
    check_tests(program, sink);
    let mut told = Sink::default();
    let (mut symbolic, first) = run::first(program, syntax, &mut told);
    let failed = syntax || told.has_errors();
    let run_env = |env: &Arc<str>| {
        let mut own = Sink::default();
        let checked = match failed {
            // A value that an error replaced may hide another error.
            true => run::run(program, Pass::Env(env.clone()), syntax, &mut own),
            false => run::after(&first, program, env, &mut own),
        };
        (checked, own)
    };
    let checked: Vec<(Checked, Sink)> = envs.par_iter().map(run_env).collect();
    symbolic.blocks = first.blocks;
    let go_on = |(checked, own): (Checked, Sink)| {
        let fine = !syntax && !own.has_errors();
        (then(checked, fine), own.finish())
    };
    let (symbolic, made) =
        rayon::join(|| go_on((symbolic, told)), || checked.into_par_iter().map(go_on).collect::<Vec<_>>());
    let mut results = vec![symbolic.0];
    let mut found = Vec::new();
    for ((result, own), env) in made.into_iter().zip(envs) {
        results.push(result);
        found.push((env, own));
    }
    sink.extend(report::merge(symbolic.1, found));
    results
}
