//! Declarations.

use super::Parser;
use crate::ast::{
    Check, Expr, ExprKind, Fn, Import, ImportFrom, Item, ItemKind, Let, Name, Output, Param, StringPart, Type, TypeDecl,
};
use crate::diags;
use crate::head::block_item;
use crate::text::doc_before;
use dsvm_diagnostics::source::{Span, Spanned};
use std::sync::Arc;

impl Parser<'_, '_> {
    /// Rule `item`; `Some(None)` when it is broken, which is reported.
    pub(super) fn item(&mut self) -> Option<Option<Item>> {
        let start = self.at;
        let export = self.export()?;
        self.blank();
        let kind = self.declaration()?;
        let doc = doc_before(self.text, start);
        Some(kind.map(|kind| Item { doc, export, span: self.span(start), kind }))
    }

    /// The place of `export`, if it is there.
    pub(super) fn export(&mut self) -> Option<Option<Span>> {
        let start = self.at;
        Some(self.keyword("export").map(|()| self.span(start)))
    }

    /// Rule `declaration`: the first word decides which one. An inner `None` was reported.
    fn declaration(&mut self) -> Option<Option<ItemKind>> {
        let kind = match self.peek_word() {
            "import" => self.import()?,
            "param" | "secret" => self.param()?,
            "let" => self.constant()?,
            "fn" => self.function()?,
            "type" => self.type_declaration()?,
            "check" => self.check()?,
            "output" => self.output()?,
            "export" => return None,
            _ => return self.top_block(),
        };
        Some(Some(kind))
    }

    /// Rule `block` at the top of a file: head and optional body.
    fn top_block(&mut self) -> Option<Option<ItemKind>> {
        let mut head = self.head()?;
        let body = self.attempt(|p| {
            p.blank();
            p.body()
        });
        head.refuse_hyphen(self.text, &mut self.diagnostics);
        if head.broken {
            return Some(None);
        }
        Some(Some(block_item(head.block(body, true), &mut self.diagnostics)))
    }

    /// Rule `import`: `import std.images as i` or `import { a, b } from "./x.dsvm"`.
    fn import(&mut self) -> Option<ItemKind> {
        self.keyword("import")?;
        self.blank();
        let mut names = Vec::new();
        if self.byte() == b'{' {
            names = self.import_names()?;
            self.blank();
            self.keyword("from")?;
            self.blank();
            let from = self.import_from()?;
            let ty = self.attempt(Self::of_type);
            return Some(ItemKind::Import(Import { from, alias: None, names, ty }));
        }
        let from = self.import_from()?;
        let alias = self.attempt(|p| {
            p.blank();
            p.keyword("as")?;
            p.blank();
            p.word()
        });
        let ty = self.attempt(Self::of_type);
        Some(ItemKind::Import(Import { from, alias, names, ty }))
    }

    /// Rule `import_names`: `{ a, b }`, at least one name.
    fn import_names(&mut self) -> Option<Vec<Name>> {
        self.eat(b'{')?;
        self.space(false);
        let mut names = vec![self.word()?];
        while self.attempt(Self::comma).is_some() && self.byte() != b'}' {
            names.push(self.word()?);
        }
        self.space(false);
        self.eat(b'}')?;
        Some(names)
    }

    /// Rule `import_from`: a quoted path or a dotted module.
    fn import_from(&mut self) -> Option<ImportFrom> {
        if self.byte() == b'"' {
            let (path, _) = self.string()?;
            return Some(ImportFrom::Path(Spanned { span: path.span, value: self.import_path(&path) }));
        }
        Some(ImportFrom::Module(self.dotted_words()?))
    }

    /// The text of a path; what must be computed first is reported.
    fn import_path(&mut self, path: &Expr) -> Arc<str> {
        match &path.kind {
            ExprKind::String(parts) => match parts.as_slice() {
                [StringPart::Text(text)] => text.clone(),
                _ => {
                    self.diagnostics.push(diags::interpolated_path(path.span));
                    "".into()
                }
            },
            _ => "".into(),
        }
    }

    /// Rules `module` and `type_name`.
    pub(super) fn dotted_words(&mut self) -> Option<Vec<Name>> {
        let mut words = vec![self.word()?];
        while let Some(word) = self.attempt(|p| p.eat(b'.').and_then(|()| p.word())) {
            words.push(word);
        }
        Some(words)
    }

    /// Rule `param`: `[secret] param NAME: TYPE [= VALUE]`.
    fn param(&mut self) -> Option<ItemKind> {
        let secret = self.secret();
        self.keyword("param")?;
        self.blank();
        let name = self.word()?;
        let ty = self.of_type()?;
        let default = self.attempt(Self::default);
        Some(ItemKind::Param(Param { secret, name, ty, default }))
    }

    /// `secret` and the blank behind it, if they are there.
    pub(super) fn secret(&mut self) -> Option<Span> {
        let start = self.at;
        self.keyword("secret")?;
        let span = self.span(start);
        self.blank();
        Some(span)
    }

    /// Rule `let`: `let NAME [: TYPE] = VALUE`.
    fn constant(&mut self) -> Option<ItemKind> {
        self.keyword("let")?;
        let (name, ty) = self.name_and_type()?;
        Some(ItemKind::Let(Let { name, ty, value: self.default()? }))
    }

    /// Rule `output`: `output NAME [: TYPE] = VALUE`.
    fn output(&mut self) -> Option<ItemKind> {
        self.keyword("output")?;
        let (name, ty) = self.name_and_type()?;
        Some(ItemKind::Output(Output { name, ty, value: self.default()? }))
    }

    fn name_and_type(&mut self) -> Option<(Name, Option<Type>)> {
        self.blank();
        let name = self.word()?;
        Some((name, self.attempt(Self::of_type)))
    }

    /// Rule `fn`: `fn NAME(PARAMETERS) [: TYPE] = VALUE`.
    fn function(&mut self) -> Option<ItemKind> {
        self.keyword("fn")?;
        self.blank();
        let name = self.word()?;
        self.blank();
        self.eat(b'(')?;
        self.space(false);
        let mut params = Vec::new();
        while self.byte() != b')' {
            params.push(self.fn_param()?);
            if self.attempt(Self::comma).is_none() {
                break;
            }
        }
        self.space(false);
        self.eat(b')')?;
        let result = self.attempt(Self::of_type);
        Some(ItemKind::Fn(Fn { name, params, result, body: self.default()? }))
    }

    /// Rule `fn_param`: `NAME: TYPE [= VALUE]`, also a field of a record type.
    pub(super) fn fn_param(&mut self) -> Option<(Name, Type, Option<Expr>)> {
        let name = self.word()?;
        let ty = self.of_type()?;
        Some((name, ty, self.attempt(Self::default)))
    }

    /// Rule `type_declaration`: `type NAME = TYPE`.
    fn type_declaration(&mut self) -> Option<ItemKind> {
        self.keyword("type")?;
        self.blank();
        let name = self.word()?;
        self.blank();
        self.equals()?;
        Some(ItemKind::Type(TypeDecl { name, ty: self.ty()? }))
    }

    /// Rule `check`: `check CONDITION [else MESSAGE]`.
    fn check(&mut self) -> Option<ItemKind> {
        self.keyword("check")?;
        self.space(false);
        let (condition, _) = self.expr(false)?;
        let message = self.attempt(|p| {
            p.space(false);
            p.keyword("else")?;
            p.space(false);
            p.expr(false)
        });
        Some(ItemKind::Check(Check { condition, message: message.map(|(message, _)| message) }))
    }

    /// Rule `of_type`: a colon and a type.
    fn of_type(&mut self) -> Option<Type> {
        self.blank();
        self.eat(b':')?;
        self.blank();
        self.ty()
    }

    /// Rule `default`: `=` and an expression.
    fn default(&mut self) -> Option<Expr> {
        self.blank();
        self.equals()?;
        self.expr(false).map(|(value, _)| value)
    }
}
