//! Identical changes of many blocks → one entry with all of their names.

use super::types::{BlockChanges, Line};

/// So many identical blocks become one.
const MANY: usize = 3;

/// Merges blocks of a kind whose lines say the same.
pub(crate) fn merge(blocks: Vec<BlockChanges>) -> Vec<BlockChanges> {
    let mut out: Vec<BlockChanges> = Vec::with_capacity(blocks.len());
    let mut done = vec![false; blocks.len()];
    for (at, block) in blocks.iter().enumerate() {
        if done.get(at).copied().unwrap_or(true) {
            continue;
        }
        let alike: Vec<usize> =
            blocks.iter().enumerate().filter(|(_, other)| same(block, other)).map(|(n, _)| n).collect();
        if alike.len() < MANY {
            out.push(block.clone());
            continue;
        }
        let mut merged = block.clone();
        for other in alike.iter().filter(|n| **n != at).filter_map(|n| blocks.get(*n)) {
            merged.blocks.extend(other.blocks.iter().cloned());
            for (line, more) in merged.lines.iter_mut().zip(&other.lines) {
                line.resources.extend(more.resources.iter().cloned());
            }
        }
        for n in alike {
            if let Some(flag) = done.get_mut(n) {
                *flag = true;
            }
        }
        out.push(merged);
    }
    out
}

fn same(a: &BlockChanges, b: &BlockChanges) -> bool {
    let kind = |block: &BlockChanges| block.blocks.first().and_then(|t| t.split(' ').next()).map(str::to_owned);
    kind(a) == kind(b)
        && a.lines.len() == b.lines.len()
        && a.lines.iter().zip(&b.lines).all(|(a, b)| said(a) == said(b))
}

fn said(line: &Line) -> (&str, &str, &str, &[String]) {
    (&line.subject, &line.change, &line.effect, &line.because)
}
