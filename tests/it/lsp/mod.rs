//! `dsvmc lsp`, through the protocol: the real program, its real answers.

mod client;
mod findings;
mod life;
mod outline;
