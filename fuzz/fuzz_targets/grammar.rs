//! Any text: the parser and the written grammar accept the same declarations and entries, with the same tree and the same
//! diagnostics, and whatever they refuse has a diagnostic. To be seeded with `.dsvm` files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(difference) = dsvm_syntax::compare(text) {
        panic!("{difference}");
    }
});
