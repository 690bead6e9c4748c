//! Moves the places of a declaration: the text before it became longer or shorter, and it is the same as before.

use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{
    Block, Entry, Expr, ExprKind, HeadPart, ImportFrom, Item, ItemKind, Name, StringPart, Type, TypeKind,
};

/// How far: added to every offset, wrapping, so that it can go back too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shift(pub(crate) u32);

impl Shift {
    fn span(self, span: &mut Span) {
        span.start = span.start.wrapping_add(self.0);
        span.end = span.end.wrapping_add(self.0);
    }

    fn name(self, name: &mut Name) {
        self.span(&mut name.span);
    }

    fn names(self, names: &mut [Name]) {
        names.iter_mut().for_each(|name| self.name(name));
    }

    pub(crate) fn item(self, item: &mut Item) {
        item.export.iter_mut().for_each(|span| self.span(span));
        self.span(&mut item.span);
        match &mut item.kind {
            ItemKind::Import(import) => {
                match &mut import.from {
                    ImportFrom::Module(words) => self.names(words),
                    ImportFrom::Path(path) => self.name(path),
                }
                import.alias.iter_mut().for_each(|alias| self.name(alias));
                self.names(&mut import.names);
                import.ty.iter_mut().for_each(|ty| self.ty(ty));
            }
            ItemKind::Param(param) => {
                param.secret.iter_mut().for_each(|span| self.span(span));
                self.name(&mut param.name);
                self.ty(&mut param.ty);
                param.default.iter_mut().for_each(|value| self.expr(value));
            }
            ItemKind::Env(env) => {
                self.name(&mut env.name);
                self.fields(&mut env.values);
            }
            ItemKind::Let(constant) => {
                self.name(&mut constant.name);
                constant.ty.iter_mut().for_each(|ty| self.ty(ty));
                self.expr(&mut constant.value);
            }
            ItemKind::Fn(function) => {
                self.name(&mut function.name);
                self.params(&mut function.params);
                function.result.iter_mut().for_each(|ty| self.ty(ty));
                self.expr(&mut function.body);
            }
            ItemKind::Type(declared) => {
                self.name(&mut declared.name);
                self.ty(&mut declared.ty);
            }
            ItemKind::Check(check) => {
                self.expr(&mut check.condition);
                check.message.iter_mut().for_each(|message| self.expr(message));
            }
            ItemKind::Output(output) => {
                self.name(&mut output.name);
                output.ty.iter_mut().for_each(|ty| self.ty(ty));
                self.expr(&mut output.value);
            }
            ItemKind::Block(block) => self.block(block),
        }
    }

    fn block(self, block: &mut Block) {
        block.existing.iter_mut().for_each(|span| self.span(span));
        self.name(&mut block.keyword);
        for part in &mut block.head {
            match part {
                HeadPart::Word(word) => self.name(word),
                HeadPart::Expr(value) => self.expr(value),
            }
        }
        if let Some(repeat) = &mut block.repeat {
            self.name(&mut repeat.variable);
            self.expr(&mut repeat.list);
            self.span(&mut repeat.span);
        }
        block.class.iter_mut().for_each(|class| self.expr(class));
        block.base.iter_mut().for_each(|base| self.expr(base));
        self.span(&mut block.span);
        let Some(body) = &mut block.body else { return };
        self.span(&mut body.span);
        for entry in &mut body.entries {
            match entry {
                Entry::Field(field) => {
                    self.name(&mut field.name);
                    self.expr(&mut field.value);
                    self.span(&mut field.span);
                }
                Entry::Block(inner) => self.block(inner),
            }
        }
    }

    fn fields(self, fields: &mut [(Name, Expr)]) {
        for (name, value) in fields {
            self.name(name);
            self.expr(value);
        }
    }

    fn params(self, params: &mut [(Name, Type, Option<Expr>)]) {
        for (name, ty, default) in params {
            self.name(name);
            self.ty(ty);
            default.iter_mut().for_each(|value| self.expr(value));
        }
    }

    fn expr(self, expr: &mut Expr) {
        self.span(&mut expr.span);
        match &mut expr.kind {
            ExprKind::Quantity(_, unit) => self.name(unit),
            ExprKind::String(parts) => {
                for part in parts {
                    if let StringPart::Value(value) = part {
                        self.expr(value);
                    }
                }
            }
            ExprKind::Member(of, name) => {
                self.expr(of);
                self.name(name);
            }
            ExprKind::Binary(op, one, other) => {
                self.span(&mut op.span);
                self.expr(one);
                self.expr(other);
            }
            ExprKind::Index(one, other) | ExprKind::Range(one, other) => {
                self.expr(one);
                self.expr(other);
            }
            ExprKind::Call(callee, arguments) => {
                self.expr(callee);
                for argument in arguments {
                    argument.name.iter_mut().for_each(|name| self.name(name));
                    self.expr(&mut argument.value);
                }
            }
            ExprKind::List(items) => items.iter_mut().for_each(|item| self.expr(item)),
            ExprKind::Comprehension(comprehension) => {
                self.expr(&mut comprehension.value);
                self.name(&mut comprehension.variable);
                self.expr(&mut comprehension.list);
                comprehension.condition.iter_mut().for_each(|condition| self.expr(condition));
            }
            ExprKind::Record(fields) => self.fields(fields),
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::If(condition, yes, no) => [condition, yes, no].into_iter().for_each(|part| self.expr(part)),
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Time(_)
            | ExprKind::Date(_)
            | ExprKind::Ip(_)
            | ExprKind::Cidr(_)
            | ExprKind::Name(_)
            | ExprKind::Error => {}
        }
    }

    fn ty(self, ty: &mut Type) {
        self.span(&mut ty.span);
        match &mut ty.kind {
            TypeKind::Name(path) => self.names(path),
            TypeKind::Literal(value) => self.expr(value),
            TypeKind::Union(parts) => parts.iter_mut().for_each(|part| self.ty(part)),
            TypeKind::List(inner) | TypeKind::Nullable(inner) | TypeKind::Secret(inner) => self.ty(inner),
            TypeKind::Record(fields) => self.params(fields),
            TypeKind::In(inner, bounds) => {
                self.ty(inner);
                self.expr(bounds);
            }
            TypeKind::Matching(inner, pattern) => {
                self.ty(inner);
                self.name(pattern);
            }
            TypeKind::Error => {}
        }
    }
}
