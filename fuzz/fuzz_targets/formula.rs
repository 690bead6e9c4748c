//! Any formula of Azure Batch: reading, checking and evaluating end with a result or an error; what is printed reads the same.
#![no_main]

use batch_formula::{PoolLimits, PoolState, check, evaluate, parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (formula, _) = check(text, &PoolLimits::default());
    if let Some(formula) = formula {
        let printed = print(&formula);
        let again = parse(&printed).expect("what is printed can be read");
        assert_eq!(print(&again), printed);
        let _ = evaluate(&formula, &PoolState::default());
    }
});
