//! The `dsvmc` binary.
fn main() {}
