//! Prices of Azure as data, and bills made of them. A price has a source and a date; what has no price is unknown, never
//! free. Money is decimal throughout.
//!
//! [`book`] reads `data/prices.txt`, [`prices`] says which of them a project pays, [`bill`] adds up what
//! is known and names what is not. [`retail`] reads Azure's price service into a file of the same form.

pub mod bill;
pub mod book;
pub mod prices;
pub mod retail;

pub use bill::{Amount, Bill, Item, Total, cents};
pub use book::{Book, BookError, Per, Price, Source, Term, is_currency};
pub use prices::{Discount, Prices, Rate, Reservation, Service, TagBudget, Terms, USD};

/// Hours of a month, as Azure's price pages count them.
pub const HOURS: u32 = 730;
