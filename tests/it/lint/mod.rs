//! `dsvmc lint`: what each rule finds, and how findings are set, allowed and shown.

mod alarms;
mod command;
pub mod pages;
mod traps;
