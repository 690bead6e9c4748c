//! Messages of an editor → answers, as the Language Server Protocol 3.17 has them
//! (<https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/>).
//!
//! The crate touches no file: whoever starts the server gives it the two ends of a connection and a [`Host`], which finds,
//! reads and compiles projects. One thread compiles, another one reads messages, and a third answers: what an editor waits
//! for is computed from the text that it sent last, and never waits for a compilation unless the answer is made of its
//! findings.

mod actions;
mod answers;
mod arm;
mod complete;
mod context;
mod describe;
mod diagnostics;
mod documents;
mod errands;
mod facts;
mod folding;
mod formatting;
mod frame;
mod hierarchy;
mod hints;
mod host;
mod lenses;
mod library;
mod moved;
mod navigate;
mod nodes;
mod occurrences;
mod paths;
mod position;
mod pull;
mod refactor;
mod selection;
mod server;
mod shift;
mod signature;
mod symbols;
mod tokens;
mod trees;
mod view;
mod worker;

pub use host::{Compiled, Deployed, Emitted, EmittedPart, Figure, Host, Place, Project, Texts, Told};
pub use server::{Ended, serve};
