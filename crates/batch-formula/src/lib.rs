//! Text of a formula → syntax tree, findings and result. Spans are byte ranges of the formula's own text.
//!
#![doc = include_str!("../README.md")]

pub mod ast;
mod bounds;
pub mod diags;
mod error;
mod eval;
mod functions;
mod lex;
pub mod names;
mod parse;
pub mod policy;
mod print;
mod rules;
mod samples;
mod time;
mod types;
mod value;
mod window;

#[cfg(test)]
mod tests;

pub use ast::{Formula, FormulaSpan};
pub use error::{FormulaError, FormulaRule};
pub use eval::{EvalError, Evaluation, evaluate};
pub use parse::parse;
pub use print::print;
pub use rules::PoolLimits;
pub use samples::{PERIOD, PoolState, Sample};
pub use time::read_timestamp;
pub use value::Value;

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

/// Checks a parsed formula: names and types first, the rules only when those are right.
#[must_use]
fn check_formula(formula: &Formula, around: &PoolLimits) -> Vec<FormulaError> {
    let typed = types::check_types(formula);
    if typed.errors.is_empty() { rules::check_rules(formula, &typed, around) } else { typed.errors }
}
