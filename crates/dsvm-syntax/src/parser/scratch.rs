//! Memory that is used for one item after the other.
//!
//! Parts of what is being parsed lie here until their number is known, so that the lists of the tree have exactly the
//! length they need; words that come again are stored once. What both save stands in `docs/decisions/015-one-parser.md`.

use crate::ast::{Argument, Entry, Expr, HeadPart, Name};
use std::sync::Arc;

/// Unfinished lists, innermost last, and the words seen lately.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) words: Words,
    pub(super) parts: Vec<HeadPart>,
    pub(super) entries: Vec<Entry>,
    pub(super) arguments: Vec<Argument>,
    pub(super) values: Vec<Expr>,
    pub(super) fields: Vec<(Name, Expr)>,
}

impl Scratch {
    /// Removes what a piece left behind that was not parsed.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
        self.entries.clear();
        self.arguments.clear();
        self.values.clear();
        self.fields.clear();
    }
}

/// Words that were seen lately: a project of many pools repeats the same few.
#[derive(Default)]
pub(super) struct Words(Vec<Option<Arc<str>>>);

impl Words {
    const SLOTS: usize = 256;
    const LONGEST: usize = 32;

    /// The word, shared with those that were equal and read before.
    pub(super) fn get(&mut self, word: &str) -> Arc<str> {
        if word.len() > Self::LONGEST {
            return word.into();
        }
        if self.0.is_empty() {
            self.0.resize(Self::SLOTS, None);
        }
        let hash = word.bytes().fold(word.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let Some(slot) = self.0.get_mut(hash % Self::SLOTS) else { return word.into() };
        match slot {
            Some(known) if **known == *word => known.clone(),
            _ => slot.insert(word.into()).clone(),
        }
    }
}
