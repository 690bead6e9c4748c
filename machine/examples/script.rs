//! Prints the script without its pool, for tests that run without cargo.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(dsvm_machine::script().as_bytes())
}
