//! Texts → syntax trees. Of a text that changed, only the declarations that changed are cut out and parsed again; those
//! behind them are moved.

use crate::documents::Documents;
use crate::shift::Shift;
use crate::worker::{Outline, import_path};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_syntax::ast::File;
use dsvm_syntax::{IndexItem, index, parse_items};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trees of files that are kept although no open document has them; then all of these are forgotten.
const MOST_OTHERS: usize = 256;

/// Where a declaration stands, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) keyword: Box<str>,
    /// Brackets and strings are closed, and nothing in it is strange.
    sound: bool,
    /// Items of the tree that it gave, and whether something was left out.
    items: usize,
    incomplete: bool,
}

/// A text with its tree and its cuts.
pub(crate) struct Parsed {
    text: Arc<str>,
    tree: Arc<File>,
    pub(crate) cuts: Vec<Cut>,
}

/// The trees, by path.
#[derive(Default)]
pub(crate) struct Trees(HashMap<PathBuf, Parsed>);

impl Trees {
    /// The tree of a text that is at a path.
    pub(crate) fn get(&mut self, path: &Path, text: &Arc<str>) -> Arc<File> {
        self.parsed(path, text).tree.clone()
    }

    /// The text with its tree and its cuts.
    pub(crate) fn parsed(&mut self, path: &Path, text: &Arc<str>) -> &Parsed {
        let parsed = match self.0.remove(path) {
            Some(known) if Arc::ptr_eq(&known.text, text) || known.text == *text => known,
            Some(known) => known.changed(text),
            None => Parsed::new(text),
        };
        self.0.entry(path.to_owned()).or_insert(parsed)
    }

    /// Forgets trees when there are too many of files that nobody edits.
    pub(crate) fn forget_closed(&mut self, documents: &Documents) {
        if self.0.len() > MOST_OTHERS {
            self.0.retain(|path, _| documents.get(path).is_some());
        }
    }
}

/// Whether a text is one that is not read at all, or may be after a change.
pub(crate) fn is_refused(text: &str) -> bool {
    // Almost every text is ASCII or has no such mark, so that looking costs nothing.
    text.contains("<<<<<<< ")
        || !text.is_ascii() && text.contains(|c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// The cuts of items, which are parsed into `file`.
fn cut(text: &str, items: &[IndexItem<'_>], file: &mut File) -> Vec<Cut> {
    let each = items.chunks(1).map(|one| {
        let own = parse_items(SourceId::file(0), text, one, &mut Sink::default());
        let (items, incomplete) = (own.items.len(), own.incomplete);
        file.items.extend(own.items);
        file.incomplete |= incomplete;
        let [item] = one else { return None };
        Some(Cut {
            start: item.start,
            end: item.end,
            keyword: item.keyword.into(),
            sound: item.balanced && item.too_deep.is_none() && item.missing_brace.is_none(),
            items,
            incomplete,
        })
    });
    each.flatten().collect()
}

impl Parsed {
    fn new(text: &Arc<str>) -> Self {
        let mut tree = File::default();
        if is_refused(text) {
            let tree = dsvm_syntax::parse(SourceId::file(0), text, &mut Sink::default());
            return Self { text: text.clone(), tree: Arc::new(tree), cuts: Vec::new() };
        }
        let cuts = cut(text, &index(text), &mut tree);
        Self { text: text.clone(), tree: Arc::new(tree), cuts }
    }

    /// The same for a text that this one became.
    fn changed(self, text: &Arc<str>) -> Self {
        self.spliced(text).unwrap_or_else(|| Self::new(text))
    }

    /// Cuts and parses again only what lies between the parts that are the same. Nothing if that could give something else
    /// than cutting the whole text: brackets that are not closed reach far.
    fn spliced(mut self, text: &Arc<str>) -> Option<Self> {
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let most = old.len().min(new.len()) - before;
        let behind = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
        if self.cuts.is_empty() || !self.cuts.iter().all(|cut| cut.sound) || is_refused(text) {
            return None;
        }
        let shift = new.len().wrapping_sub(old.len());
        // One declaration more on each side: where it ends depends on what stands next to it.
        let first = self.cuts.partition_point(|cut| cut.end < before).saturating_sub(2);
        let next = self.cuts.partition_point(|cut| cut.start <= old.len() - behind);
        let last = (next + 1).min(self.cuts.len());
        let from = first.checked_sub(1).and_then(|at| self.cuts.get(at)).map_or(0, |cut| cut.end);
        let to = self.cuts.get(last).map_or(new.len(), |cut| cut.start.wrapping_add(shift));
        let part = text.get(from..to)?;
        let items: Vec<IndexItem<'_>> = index(part)
            .into_iter()
            .map(|item| IndexItem { start: item.start + from, end: item.end + from, ..item })
            .collect();
        let whole = items.iter().all(|item| item.balanced && item.too_deep.is_none() && item.missing_brace.is_none());
        // The declaration behind the change must come out as it was: nothing before it reaches into it.
        let kept = self.cuts.get(next).filter(|_| last > next);
        let as_before = match (kept, items.last()) {
            (None, _) => last == self.cuts.len(),
            (Some(kept), Some(item)) => {
                (item.start, item.end) == (kept.start.wrapping_add(shift), kept.end.wrapping_add(shift))
            }
            (Some(_), None) => false,
        };
        if !whole || !as_before {
            return None;
        }
        let count = |cuts: &[Cut]| cuts.iter().map(|cut| cut.items).sum::<usize>();
        let (head, tail) = (count(self.cuts.get(..first)?), count(self.cuts.get(last..)?));
        let mut own = File::default();
        let fresh = cut(text, &items, &mut own);
        let tree = Arc::get_mut(&mut self.tree)?;
        let end = tree.items.len().checked_sub(tail)?;
        tree.items.splice(head..end, own.items);
        let moved = tree.items.len() - tail;
        if shift != 0 {
            tree.items.iter_mut().skip(moved).for_each(|item| Shift(shift as u32).item(item));
            for cut in self.cuts.iter_mut().skip(last) {
                (cut.start, cut.end) = (cut.start.wrapping_add(shift), cut.end.wrapping_add(shift));
            }
        }
        self.cuts.splice(first..last, fresh);
        tree.incomplete = self.cuts.iter().any(|cut| cut.incomplete);
        self.text = text.clone();
        Some(self)
    }

    /// What the compiler wants to know of the text before it reads it. Also of declarations that do not parse, so that an
    /// import counts while its names are typed.
    pub(crate) fn outline(&self) -> Outline {
        let imports = self.cuts.iter().filter(|cut| &*cut.keyword == "import");
        let imports = imports.filter_map(|cut| import_path(self.text.get(cut.start..cut.end)?)).collect();
        Outline { imports, declares: self.cuts.iter().any(|cut| &*cut.keyword == "project") }
    }

    /// Where to start reading tokens to know what is around a byte: the declaration that it is in or behind.
    pub(crate) fn start_of(&self, offset: usize) -> usize {
        if !self.cuts.iter().take_while(|cut| cut.start <= offset).all(|cut| cut.sound || cut.end >= offset) {
            return 0;
        }
        let at = self.cuts.partition_point(|cut| cut.start < offset);
        at.checked_sub(1).and_then(|at| self.cuts.get(at)).map_or(0, |cut| cut.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(trees: &mut Trees, text: &str) {
        let text: Arc<str> = text.into();
        let path = Path::new("/a");
        let parsed = trees.parsed(path, &text);
        let whole = Parsed::new(&text);
        assert_eq!(parsed.cuts, whole.cuts, "{text}");
        assert_eq!(format!("{:?}", parsed.tree), format!("{:?}", whole.tree), "{text}");
        let plain = dsvm_syntax::parse(SourceId::file(0), &text, &mut Sink::default());
        assert_eq!(format!("{:?}", whole.tree), format!("{plain:?}"), "{text}");
    }

    /// Every way in which characters come and go, at every place.
    #[test]
    fn a_change_gives_the_tree_of_the_whole_text() {
        let tour = include_str!("../../dsvm-syntax/src/tour.dsvm");
        let text = "import std.images\n/// A.\nlet a = 1\nshare s {\n  x = [a, \"${a}\"] // b\n}\nexport let b =\n  a + 1\ntype T = int in 1..2\nfn f(a: int = 1): T = if a > 1 then a else 2\nenv e { a = 1 }\npool p[x in xs]: c from q { x = x, link a to b\n when avg(cpu, 1 min) > 1% { add 1 } }\noutput o = { a = [1 of A], b = !x } ?? -1\n";
        for (at, _) in text.char_indices().step_by(3) {
            let mut trees = Trees::default();
            same(&mut trees, text);
            for (gone, come) in
                [(0, "\n"), (0, "}"), (0, "{"), (0, "x"), (1, ""), (0, "\""), (3, "let q = 1\n"), (0, "= ")]
            {
                let Some(behind) = text.get((at + gone).min(text.len())..) else { continue };
                same(&mut trees, &[text.get(..at).unwrap(), come, behind].concat());
                same(&mut trees, text);
            }
        }
        let mut trees = Trees::default();
        same(&mut trees, tour);
        for at in (0..tour.len()).step_by(397).filter(|at| tour.is_char_boundary(*at)) {
            for come in ["a", "\n\n", "let y = 1\n", "(", "\"\"\""] {
                let (before, behind) = tour.split_at(at);
                same(&mut trees, &[before, come, behind].concat());
                same(&mut trees, tour);
            }
        }
    }

    #[test]
    fn a_small_change_is_not_cut_anew() {
        let text: Arc<str> = "let a = 1\nlet b = 2\nlet c = 3\nlet d = 4\nlet e = 5\nlet f = 6\n".into();
        for (old, new) in [("= 3", "= 33"), ("= 6", "= 6 + 1"), ("let a", "let aa"), ("let c = 3\n", "")] {
            let changed: Arc<str> = text.replace(old, new).into();
            assert!(Parsed::new(&text).spliced(&changed).is_some(), "{old} {new}");
        }
        let broken: Arc<str> = text.replace("= 3", "= {").into();
        assert!(Parsed::new(&text).spliced(&broken).is_none());
    }

    #[test]
    fn tokens_are_read_from_the_declaration_around_a_place() {
        let text: Arc<str> = "let a = 1\nshare s {\n  x = 1\n}\nlet b".into();
        let parsed = Parsed::new(&text);
        assert_eq!(parsed.start_of(0), 0);
        assert_eq!(parsed.start_of(25), 10);
        assert_eq!(parsed.start_of(text.len()), text.find("let b").unwrap());
    }
}
