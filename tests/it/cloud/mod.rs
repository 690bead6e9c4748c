//! Azure from the client's side: clouds, credentials, proxies, and what goes wrong on the way.

mod credentials;
mod faults;
pub mod gate;
mod hostile;
mod needs;
