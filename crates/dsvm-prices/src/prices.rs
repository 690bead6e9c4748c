//! What one project pays: the rows of its own price file before those of the program.

use super::book::{Book, Price, Term};
use std::sync::Arc;

/// Prices as a project has them.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// Its own price file.
    pub own: Option<Arc<Book>>,
}

impl Prices {
    fn books(&self) -> impl Iterator<Item = &Book> {
        self.own.as_deref().into_iter().chain([Book::shipped()])
    }

    /// What a machine costs in an hour.
    #[must_use]
    pub fn machine(&self, size: &str, region: &str, windows: bool, term: Term) -> Option<Price> {
        self.books().find_map(|book| book.machine(size, region, windows, term))
    }

    /// What a meter costs in a region: `nat`, `Standard`.
    #[must_use]
    pub fn meter(&self, kind: &str, sku: &str, region: &str) -> Option<Price> {
        self.books().find_map(|book| book.meter(kind, sku, region))
    }

    /// The tier that a disk is billed as, as [`Book::tier`] has it.
    #[must_use]
    pub fn tier(&self, kind: char, gib: u32) -> Option<&str> {
        Book::shipped().tier(kind, gib)
    }
}
