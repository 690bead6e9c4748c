//! Files that somebody else wrote, and file systems that do not behave: what dsvmc reads, writes, trusts and survives.

mod exhaust;
mod sources;
mod state;
mod writes;
