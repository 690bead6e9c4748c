//! `dsvmc lsp`, through the protocol: the real program, its real answers.

mod client;
mod completion;
mod findings;
mod life;
mod names;
mod outline;
