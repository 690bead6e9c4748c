//! Any template: reading and expanding end with a value or an error, in bounded time and memory.
#![no_main]

use arm_template::{Context, Limits, Parameters, expand, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(template) = parse(text) {
        let _ = expand(&template, &Parameters::default(), &Context::default(), &Limits::default());
    }
});
