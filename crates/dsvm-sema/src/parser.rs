//! The parser as sema needs it: a file, the index of a library file, one item, one expression.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_syntax::ast;

/// Parses one file; mistakes go to the sink.
pub(crate) fn parse(source: SourceId, text: &str, sink: &mut Sink) -> ast::File {
    dsvm_syntax::parse(source, text, sink)
}

/// One item of a file, by its place in the index.
pub(crate) fn item(source: SourceId, text: &str, entry: &dsvm_syntax::IndexItem<'_>) -> Option<ast::Item> {
    let mut file = ast::File::default();
    dsvm_syntax::parse_item(source, text, entry, &mut file, &mut Sink::default());
    file.items.pop()
}

/// One expression, as written in the table.
pub(crate) fn expression(text: &str) -> Option<ast::Expr> {
    let text = format!("let default = {text}");
    let mut sink = Sink::default();
    let file = dsvm_syntax::parse(SourceId::file(0), &text, &mut sink);
    match file.items.into_iter().next()?.kind {
        ast::ItemKind::Let(constant) if !sink.has_errors() => Some(constant.value),
        _ => None,
    }
}
