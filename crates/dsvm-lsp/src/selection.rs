//! A place in a document → the ever larger parts around it that a selection grows over.

use crate::nodes::{self, Node};
use crate::position::Lines;
use dsvm_syntax::ast::File;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::{Position, SelectionRange};

/// From the word at the position to the whole document.
pub(crate) fn around(text: &str, tree: &File, lines: &Lines<'_>, position: Position) -> SelectionRange {
    let at = lines.offset(position);
    let holds = |from: usize, to: usize| from <= at && at <= to;
    let mut parts = vec![(0, text.len())];
    for item in tree.items.iter().filter(|item| holds(item.span.start as usize, item.span.end as usize)) {
        nodes::of(item, &mut |node: Node<'_>| {
            let (from, to) = (node.span().start as usize, node.span().end as usize);
            if holds(from, to) {
                parts.push((from, to));
                // What is in brackets, without them.
                let inside = text.get(from..to).is_some_and(|part| {
                    part.len() > 2 && part.starts_with(['{', '[', '(', '"']) && part.ends_with(['}', ']', ')', '"'])
                });
                if inside && holds(from + 1, to - 1) {
                    parts.push((from + 1, to - 1));
                }
            }
        });
    }
    let word = lexemes(text)
        .take_while(|(_, from, _)| *from <= at)
        .filter(|(kind, _, to)| *to >= at && matches!(kind, Lexeme::Word | Lexeme::Number | Lexeme::Comment))
        .last();
    parts.extend(word.map(|(_, from, to)| (from, to)));
    // Two parts that touch at the place do not lie in each other: the later one is left out.
    parts.sort_by_key(|(from, to)| std::cmp::Reverse(to - from));
    parts.dedup();
    let mut chain: Option<(SelectionRange, (usize, usize))> = None;
    for (from, to) in parts {
        if chain.as_ref().is_some_and(|(_, (outer, end))| from < *outer || to > *end || (from, to) == (*outer, *end)) {
            continue;
        }
        let parent = chain.map(|(range, _)| Box::new(range));
        chain = Some((SelectionRange { range: lines.range(from, to), parent }, (from, to)));
    }
    chain.map_or(SelectionRange { range: lines.range(at, at), parent: None }, |(range, _)| range)
}
