//! Prices of Azure as data, and bills made of them. A price has a source and a date; what has no price is unknown, never
//! free. Money is decimal throughout.
//!
//! [`book`] reads `data/prices.txt`, [`prices`] says which of them a project pays, [`bill`] adds up what
//! is known and names what is not.

pub mod bill;
pub mod book;
pub mod prices;

pub use bill::{Amount, Bill, Item, Total, dollars};
pub use book::{Book, BookError, Per, Price, Source, Term};
pub use prices::Prices;

/// Hours of a month, as Azure's price pages count them.
pub const HOURS: u32 = 730;
