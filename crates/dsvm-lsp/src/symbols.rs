//! A document → what it declares: the outline of one file, and the names of all.

use crate::position::Lines;
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Block, Entry, ExprKind, File, HeadPart, ItemKind, StringPart};
use lsp_types::{DocumentSymbol, SymbolKind};

/// The tree of a text; what cannot be understood is left out.
#[cfg(test)]
fn parse(text: &str) -> File {
    dsvm_syntax::parse(dsvm_diagnostics::source::SourceId::file(0), text, &mut dsvm_diagnostics::Sink::default())
}

/// The outline of a file, in source order.
pub(crate) fn outline(file: &File, lines: &Lines<'_>) -> Vec<DocumentSymbol> {
    let symbols = file.items.iter().filter_map(|item| {
        let named = |name: &dsvm_syntax::ast::Name, kind, detail: &str| {
            Some(symbol(lines, &name.value, kind, detail, item.span, name.span, Vec::new()))
        };
        match &item.kind {
            ItemKind::Import(import) => {
                let data = import.alias.as_ref().filter(|_| import.ty.is_some())?;
                named(data, SymbolKind::CONSTANT, "import")
            }
            ItemKind::Check(_) => None,
            ItemKind::Param(param) => named(&param.name, SymbolKind::VARIABLE, "param"),
            ItemKind::Env(env) => named(&env.name, SymbolKind::MODULE, "env"),
            ItemKind::Let(constant) => named(&constant.name, SymbolKind::CONSTANT, "let"),
            ItemKind::Fn(function) => named(&function.name, SymbolKind::FUNCTION, "fn"),
            ItemKind::Type(ty) => named(&ty.name, SymbolKind::STRUCT, "type"),
            ItemKind::Output(output) => named(&output.name, SymbolKind::PROPERTY, "output"),
            ItemKind::Block(block) => Some(of_block(block, item.span, lines)),
        }
    });
    symbols.collect()
}

/// The kind of symbol that a block is.
fn kind_of(keyword: &str) -> SymbolKind {
    match keyword {
        "test" | "rule" => SymbolKind::EVENT,
        "project" => SymbolKind::PACKAGE,
        _ => SymbolKind::CLASS,
    }
}

fn of_block(block: &Block, span: Span, lines: &Lines<'_>) -> DocumentSymbol {
    let (name, at) = heading(block);
    let nested = block.body.iter().flat_map(|body| &body.entries).filter_map(|entry| match entry {
        Entry::Block(inner) if inner.body.is_some() => Some(of_block(inner, inner.span, lines)),
        _ => None,
    });
    let nested: Vec<DocumentSymbol> = nested.collect();
    symbol(lines, &name, kind_of(&block.keyword.value), &block.keyword.value, span, at, nested)
}

/// What a block is called in an outline, and where that is written: its name, or its keyword.
pub(crate) fn heading(block: &Block) -> (String, Span) {
    let first = match block.head.first() {
        Some(HeadPart::Expr(expr)) => match &expr.kind {
            ExprKind::Name(name) => Some((name.to_string(), expr.span)),
            ExprKind::String(parts) => match parts.as_slice() {
                [StringPart::Text(text)] => Some((text.to_string(), expr.span)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    // An empty name would be refused by clients.
    let first = first.filter(|(name, _)| !name.trim().is_empty());
    first.unwrap_or_else(|| (block.keyword.value.to_string(), block.keyword.span))
}

#[expect(deprecated, reason = "the field must be set; nothing uses it")]
fn symbol(
    lines: &Lines<'_>,
    name: &str,
    kind: SymbolKind,
    detail: &str,
    span: Span,
    at: Span,
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    // The protocol wants the name inside of the whole.
    let whole = span.to(at);
    DocumentSymbol {
        name: name.to_owned(),
        detail: Some(detail.to_owned()),
        kind,
        tags: None,
        deprecated: None,
        range: lines.range(whole.start as usize, whole.end as usize),
        selection_range: lines.range(at.start as usize, at.end as usize),
        children: (!children.is_empty()).then_some(children),
    }
}

/// Whether a name is looked for: its letters are in the query's order, in whatever case.
pub(crate) fn matches(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    query.chars().flat_map(char::to_lowercase).all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Encoding;

    #[test]
    fn an_outline_has_names_and_nested_blocks_also_in_broken_files() {
        let text = "param n: int\npool a: batch {\n  autoscale { }\n  size = \n}\ntest \"t\" { }\noutput o = 1\n";
        let found = outline(&parse(text), &Lines::new(text, Encoding::Utf8));
        let shown: Vec<_> = found.iter().map(|symbol| (symbol.name.as_str(), symbol.children.is_some())).collect();
        assert_eq!(shown, [("n", false), ("a", true), ("t", false), ("o", false)]);
    }

    #[test]
    fn names_match_by_their_letters() {
        assert!(matches("Standard_D8s_v5", "d8v5") && matches("a", "") && !matches("ab", "ba"));
    }
}
