//! Declarations, blocks, bodies.

use super::Lower;
use crate::ast::{
    Body, Check, Entry, Expr, ExprKind, Field, File, Fn, HeadPart, Import, ImportFrom, Item, ItemKind, Let, Name,
    Output, Param, Repeat, StringPart, Type, TypeDecl, TypeKind,
};
use crate::diags;
use crate::head::{Head, block_item, head_part};
use crate::text::doc_before;
use dsvm_diagnostics::source::{Span, Spanned};
use dsvm_grammar::Rule;
use pest::iterators::{Pair, Pairs};

impl Lower<'_> {
    /// An item; the pair is `Rule::item`.
    pub(super) fn item(&mut self, pair: Pair<'_, Rule>, file: &mut File) {
        let mut export = None;
        let whole = self.span(&pair);
        for child in pair.into_inner() {
            if child.as_rule() == Rule::export {
                export = Some(self.span(&child));
                continue;
            }
            let Some((kind, span)) = self.declaration(child) else {
                file.incomplete = true;
                continue;
            };
            let span = export.map_or(span, |word| word.to(span));
            let doc = doc_before(self.text, whole.start as usize);
            file.items.push(Item { doc, export, span, kind });
        }
    }

    /// Nothing when what names it is broken (and reported).
    fn declaration(&mut self, pair: Pair<'_, Rule>) -> Option<(ItemKind, Span)> {
        let start = self.span(&pair);
        Some(match pair.as_rule() {
            Rule::import => self.import(pair),
            Rule::param => {
                let mut inner = pair.into_inner().peekable();
                let secret = inner.next_if(|p| p.as_rule() == Rule::secret).map(|p| self.span(&p));
                let named = self.named(inner, start);
                let ty = named.ty.unwrap_or(Type { kind: TypeKind::Error, span: named.span });
                (ItemKind::Param(Param { secret, name: named.name, ty, default: named.value }), named.span)
            }
            Rule::r#let => {
                let named = self.named(pair.into_inner(), start);
                let value = named.value.unwrap_or_else(|| Expr::error(named.span));
                (ItemKind::Let(Let { name: named.name, ty: named.ty, value }), named.span)
            }
            Rule::output => {
                let named = self.named(pair.into_inner(), start);
                let value = named.value.unwrap_or_else(|| Expr::error(named.span));
                (ItemKind::Output(Output { name: named.name, ty: named.ty, value }), named.span)
            }
            Rule::r#fn => self.function(pair, start),
            Rule::type_declaration => {
                let named = self.named(pair.into_inner(), start);
                let ty = named.ty.unwrap_or(Type { kind: TypeKind::Error, span: named.span });
                (ItemKind::Type(TypeDecl { name: named.name, ty }), named.span)
            }
            Rule::check => {
                let mut inner = pair.into_inner().map(|p| self.expr(p)).collect::<Vec<_>>().into_iter();
                let condition = inner.next().unwrap_or_else(|| Expr::error(start));
                let message = inner.next();
                let end = message.as_ref().map_or(condition.span, |m| m.span);
                (ItemKind::Check(Check { condition, message }), start.to_end(end))
            }
            _ => {
                let (mut head, body) = self.head(pair.into_inner(), start);
                head.refuse_hyphen(self.text, &mut self.diagnostics);
                if head.broken {
                    return None;
                }
                let block = head.block(body, true);
                let span = block.span;
                (block_item(block, &mut self.diagnostics), span)
            }
        })
    }

    fn import(&mut self, pair: Pair<'_, Rule>) -> (ItemKind, Span) {
        let start = self.span(&pair);
        let mut span = start;
        let mut import = Import { from: ImportFrom::Module(Vec::new()), alias: None, names: Vec::new(), ty: None };
        for child in pair.into_inner() {
            let at = self.span(&child);
            span = start.to_end(at);
            match child.as_rule() {
                Rule::import_names => import.names = child.into_inner().map(|word| self.name(&word)).collect(),
                Rule::module => {
                    import.from = ImportFrom::Module(child.into_inner().map(|word| self.name(&word)).collect());
                }
                Rule::string => {
                    let path = self.plain_string(child);
                    import.from = ImportFrom::Path(Spanned { value: path, span: at });
                }
                Rule::r#type => import.ty = Some(self.ty(child)),
                _ => import.alias = Some(self.name(&child)),
            }
        }
        (ItemKind::Import(import), span)
    }

    /// A string that is known while parsing; interpolation is reported.
    fn plain_string(&mut self, pair: Pair<'_, Rule>) -> std::sync::Arc<str> {
        let expr = self.string(pair).0;
        let ExprKind::String(parts) = &expr.kind else { return "".into() };
        match parts.as_slice() {
            [StringPart::Text(text)] => text.clone(),
            _ => {
                self.diagnostics.push(diags::interpolated_path(expr.span));
                "".into()
            }
        }
    }

    fn function(&mut self, pair: Pair<'_, Rule>, start: Span) -> (ItemKind, Span) {
        let mut name = Spanned { value: "_".into(), span: start };
        let mut params = Vec::new();
        let mut result = None;
        let mut body = Expr::error(start);
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::word => name = self.name(&child),
                Rule::fn_param => params.push(self.fn_param(child)),
                Rule::r#type => result = Some(self.ty(child)),
                _ => body = self.expr(child),
            }
        }
        let span = start.to_end(body.span);
        (ItemKind::Fn(Fn { name, params, result, body }), span)
    }

    /// `name: type = value`, as far as there.
    fn named<'i>(&mut self, inner: impl Iterator<Item = Pair<'i, Rule>>, start: Span) -> Named {
        let mut named = Named { name: Spanned { value: "_".into(), span: start }, ty: None, value: None, span: start };
        for child in inner {
            let end = match child.as_rule() {
                Rule::word => {
                    named.name = self.name(&child);
                    named.name.span
                }
                Rule::r#type => {
                    let ty = self.ty(child);
                    let span = ty.span;
                    named.ty = Some(ty);
                    span
                }
                _ => {
                    let value = self.expr(child);
                    let span = value.span;
                    named.value = Some(value);
                    span
                }
            };
            named.span = start.to_end(end);
        }
        named
    }

    /// The pairs of a head, and the body that follows it.
    pub(super) fn head(&mut self, pairs: Pairs<'_, Rule>, start: Span) -> (Head, Option<Body>) {
        let mut head = Head::new(Spanned { value: "".into(), span: start });
        let mut body = None;
        let mut quoted = None;
        for child in pairs {
            match child.as_rule() {
                Rule::existing => head.existing = Some(self.span(&child)),
                Rule::keyword | Rule::word => {
                    head.keyword = self.name(&child);
                    head.span = head.existing.unwrap_or(head.keyword.span).to(head.keyword.span);
                }
                Rule::quoted => {
                    head.keyword = self.name(&child);
                    head.span = head.keyword.span;
                    quoted = Some(head.span);
                }
                Rule::body => body = Some(self.body(child)),
                Rule::phrase => {
                    for inner in child.into_inner() {
                        if inner.as_rule() == Rule::body {
                            body = Some(self.body(inner));
                        } else {
                            self.part(inner, &mut head);
                        }
                    }
                }
                _ => self.part(child, &mut head),
            }
        }
        if let Some(span) = quoted.filter(|_| !head.broken) {
            self.diagnostics.push(diags::lonely_string(span));
            head.broken = true;
        }
        (head, body)
    }

    fn part(&mut self, pair: Pair<'_, Rule>, head: &mut Head) {
        let at = self.span(&pair);
        head.span = head.span.to(at);
        match pair.as_rule() {
            Rule::repeated => {
                let mut inner = pair.into_inner();
                if let (Some(name), Some(variable), Some(list)) = (inner.next(), inner.next(), inner.next()) {
                    let name = self.name(&name);
                    let span = Span { start: name.span.end, ..at };
                    head.parts.push(HeadPart::Expr(Expr { kind: ExprKind::Name(name.value), span: name.span }));
                    let (variable, list) = (self.name(&variable), self.expr(list));
                    head.repeat = Some(Repeat { variable, list, span });
                }
            }
            Rule::class => {
                if head.parts.is_empty() {
                    self.diagnostics.push(diags::colon_in_field(at, &head.keyword.value));
                    head.broken = true;
                }
                for inner in pair.into_inner() {
                    head.class = Some(self.primary(inner).0);
                }
            }
            Rule::subject => head.parts.push(HeadPart::Word(self.name(&pair))),
            Rule::otherwise => {
                let from = at.start as usize;
                let ahead = self.text.get(from..).unwrap_or_default();
                let word = ahead.find("else").unwrap_or(0) as u32;
                let span = Span { start: at.start + word, end: at.start + word + 4, ..at };
                for value in pair.into_inner().filter(|inner| inner.as_rule() == Rule::expr) {
                    head.parts.push(HeadPart::Word(Spanned { value: "else".into(), span }));
                    head.parts.push(HeadPart::Expr(self.expr(value)));
                }
            }
            Rule::expr if pair.as_str().trim() == "then" => self.diagnostics.push(diags::no_then(at)),
            Rule::expr => {
                let expr = self.expr(pair);
                let part = head_part(expr, head.parts.last(), &mut head.broken, &mut self.diagnostics);
                head.parts.push(part);
            }
            _ => {}
        }
    }

    fn body(&mut self, pair: Pair<'_, Rule>) -> Body {
        let span = self.span(&pair);
        let mut body = Body { entries: Vec::new(), incomplete: false, span };
        for child in pair.into_inner() {
            self.entry(child, &mut body);
        }
        body
    }

    /// A field or a phrase, appended to the body.
    pub(super) fn entry(&mut self, pair: Pair<'_, Rule>, body: &mut Body) {
        let span = self.span(&pair);
        let inner = pair.into_inner();
        let ahead = inner.clone().nth(1);
        if let (Some(value), Some(name)) = (ahead.filter(|p| p.as_rule() == Rule::value), inner.peek()) {
            let name = self.name(&name);
            let value = match value.into_inner().next() {
                Some(value) => self.expr(value),
                None => Expr::error(span),
            };
            let doc = doc_before(self.text, span.start as usize);
            body.entries.push(Entry::Field(Box::new(Field { doc, name, value, span })));
            return;
        }
        let (head, inner) = self.head(inner, span);
        match head.entry(inner, span) {
            Some(entry) => body.entries.push(entry),
            None => body.incomplete = true,
        }
    }
}

/// What `param`, `let`, `type` and `output` have in common.
struct Named {
    name: Name,
    ty: Option<Type>,
    value: Option<Expr>,
    span: Span,
}
