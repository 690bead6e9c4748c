//! A checked program → its blocks with the places in them, as plain data.

use arm_plan::Source;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_impact::Block;
use dsvm_sema::checked::{self, Checked, Origin};
use dsvm_sema::table::spec;
use std::collections::BTreeMap;

/// The top-level blocks that the project declares itself, in its order.
#[must_use]
pub(super) fn of(checked: &Checked, sources: &SourceMap) -> Vec<Block> {
    let own = checked.blocks.iter().filter(|block| block.origin == Origin::Project);
    own.map(|block| {
        let mut places = BTreeMap::new();
        inside(block, "", sources, &mut places);
        let at = |offset: u32| {
            let file = sources.get(block.span.source);
            file.map(|file| file.line_column(offset)).unwrap_or_default()
        };
        Block {
            kind: block.kind.keyword().to_owned(),
            name: block.name.to_string(),
            place: place(block.name_span, sources),
            start: at(block.span.start),
            end: at(block.span.end),
            places,
        }
    })
    .collect()
}

/// Places of the fields and nested blocks of a block: `size`, `user bob`, `setup step tools`.
fn inside(block: &checked::Block, prefix: &str, sources: &SourceMap, places: &mut BTreeMap<String, Source>) {
    let mut put = |key: String, span: Span| {
        if let Some(source) = place(span, sources) {
            places.entry(key).or_insert(source);
        }
    };
    for field in spec(block.kind).fields {
        if let Some(span) = block.place_of(field.name) {
            put(format!("{prefix}{}", field.name), span);
        }
    }
    for child in &block.children {
        put(format!("{prefix}{}", child.kind.keyword()), child.name_span);
        put(format!("{prefix}{} {}", child.kind.keyword(), child.name), child.name_span);
    }
    for child in &block.children {
        inside(child, &format!("{prefix}{} ", child.kind.keyword()), sources, places);
    }
}

fn place(span: Span, sources: &SourceMap) -> Option<Source> {
    let file = sources.get(span.source)?;
    let (line, column) = file.line_column(span.start);
    Some(Source { file: file.name.to_string(), line, column })
}
