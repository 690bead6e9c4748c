//! `dsvmc lsp`, through the protocol: the real program, its real answers.

pub mod client;
mod completion;
mod findings;
mod hostile;
mod life;
mod names;
mod outline;
mod pulled;
mod refactor;
mod sessions;
mod shown;
mod typing;
mod workspace;
