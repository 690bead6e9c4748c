//! Tests of the formula language: published formulas, findings, properties.

mod findings;
mod properties;
mod published;

use super::samples::PoolState;
use super::time::read_timestamp;
use super::{evaluate, parse};

/// Monday, 23 November 2026, 12:00 UTC.
fn noon() -> i64 {
    read_timestamp("2026-11-23T12:00:00Z").unwrap()
}

/// The result that the service would print, or the error.
fn run(text: &str, pool: &PoolState) -> String {
    let formula = parse(text).unwrap();
    match evaluate(&formula, pool) {
        Ok(result) => result.results(),
        Err(error) => error.with_position(text),
    }
}
