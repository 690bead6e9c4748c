//! The autoscale formula language of Azure Batch: text → tree → findings → result.
//!
//! Promises: [`parse`] of [`print()`] gives the same tree; [`check`] finds in a formula what the service would refuse and
//! what nobody would want; [`evaluate`] computes what the service would set, for given samples and a given time.
//! Does not know `.dsvm`: places are bytes of the formula's own text.

pub mod ast;
pub mod bounds;
pub mod diags;
pub mod error;
pub mod eval;
mod functions;
mod lex;
pub mod names;
pub mod parse;
pub mod policy;
pub mod print;
mod rules;
pub mod samples;
pub mod time;
pub mod types;
pub mod value;

#[cfg(test)]
mod tests;

pub use ast::{Formula, FormulaSpan};
pub use bounds::{Bounds, Range, bounds};
pub use error::{FormulaError, FormulaRule};
pub use eval::{EvalError, Evaluation, evaluate};
pub use parse::parse;
pub use policy::{Policy, formula_of};
pub use print::print;
pub use rules::PoolLimits;
pub use samples::PoolState;

/// Reads and checks a formula. The tree is there whenever the text can be read, also when rules are broken.
#[must_use]
pub fn check(text: &str, around: &PoolLimits) -> (Option<Formula>, Vec<FormulaError>) {
    let formula = match parse(text) {
        Ok(formula) => formula,
        Err(error) => return (None, vec![error]),
    };
    let findings = check_formula(&formula, around);
    (Some(formula), findings)
}

/// Checks a formula that was read already: names and types first, the rules only when those are right.
#[must_use]
pub fn check_formula(formula: &Formula, around: &PoolLimits) -> Vec<FormulaError> {
    let typed = types::check_types(formula);
    if typed.errors.is_empty() { rules::check_rules(formula, &typed, around) } else { typed.errors }
}

/// Why an evaluation interval is refused: Azure allows 5 minutes to 168 hours.
#[must_use]
pub fn interval_problem(seconds: i64) -> Option<&'static str> {
    match seconds {
        ..300 => Some("Azure Batch evaluates a formula at most every 5 minutes"),
        604_801.. => Some("Azure Batch evaluates a formula at least every 168 hours"),
        _ => None,
    }
}
