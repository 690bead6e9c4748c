//! `dsvmc lint`: what each rule finds, and how findings are set, allowed and shown.

mod command;
mod pages;
mod traps;
