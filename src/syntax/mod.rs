//! `.dsvm` text → syntax tree and trivia. Recovers at every item and field; never fails. pest stays inside.

pub mod ast;
