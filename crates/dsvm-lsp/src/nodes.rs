//! A declaration → every part of it that has a place, outermost first: what selections grow over and extractions take.

use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Block, Entry, Expr, ExprKind, HeadPart, Item, ItemKind, StringPart, Type, TypeKind};

/// A part of a declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node<'t> {
    Expr(&'t Expr),
    Type(&'t Type),
    /// A block, a body, a field, a name.
    Other(Span),
}

impl Node<'_> {
    pub(crate) fn span(&self) -> Span {
        match self {
            Node::Expr(expr) => expr.span,
            Node::Type(ty) => ty.span,
            Node::Other(span) => *span,
        }
    }
}

/// Gives all parts of a declaration to `each`, an outer one before those in it.
pub(crate) fn of<'t>(item: &'t Item, each: &mut dyn FnMut(Node<'t>)) {
    each(Node::Other(item.export.map_or(item.span, |export| export.to(item.span))));
    match &item.kind {
        ItemKind::Import(import) => {
            import.names.iter().for_each(|name| each(Node::Other(name.span)));
            import.alias.iter().for_each(|name| each(Node::Other(name.span)));
            import.ty.iter().for_each(|written| ty(written, each));
        }
        ItemKind::Param(param) => {
            each(Node::Other(param.name.span));
            ty(&param.ty, each);
            param.default.iter().for_each(|value| expr(value, each));
        }
        ItemKind::Env(env) => {
            each(Node::Other(env.name.span));
            for (name, value) in &env.values {
                each(Node::Other(name.span.to(value.span)));
                each(Node::Other(name.span));
                expr(value, each);
            }
        }
        ItemKind::Let(constant) => {
            each(Node::Other(constant.name.span));
            constant.ty.iter().for_each(|written| ty(written, each));
            expr(&constant.value, each);
        }
        ItemKind::Fn(function) => {
            each(Node::Other(function.name.span));
            for (name, written, default) in &function.params {
                each(Node::Other(name.span.to(default.as_ref().map_or(written.span, |value| value.span))));
                each(Node::Other(name.span));
                ty(written, each);
                default.iter().for_each(|value| expr(value, each));
            }
            function.result.iter().for_each(|written| ty(written, each));
            expr(&function.body, each);
        }
        ItemKind::Type(declared) => {
            each(Node::Other(declared.name.span));
            ty(&declared.ty, each);
        }
        ItemKind::Check(check) => {
            expr(&check.condition, each);
            check.message.iter().for_each(|message| expr(message, each));
        }
        ItemKind::Output(output) => {
            each(Node::Other(output.name.span));
            output.ty.iter().for_each(|written| ty(written, each));
            expr(&output.value, each);
        }
        ItemKind::Block(declared) => block(declared, each),
    }
}

fn block<'t>(block_: &'t Block, each: &mut dyn FnMut(Node<'t>)) {
    each(Node::Other(block_.span));
    for part in &block_.head {
        match part {
            HeadPart::Word(word) => each(Node::Other(word.span)),
            HeadPart::Expr(value) => expr(value, each),
        }
    }
    if let Some(repeat) = &block_.repeat {
        each(Node::Other(repeat.span));
        expr(&repeat.list, each);
    }
    block_.class.iter().for_each(|class| expr(class, each));
    block_.base.iter().for_each(|base| expr(base, each));
    let Some(body) = &block_.body else { return };
    each(Node::Other(body.span));
    for entry in &body.entries {
        match entry {
            Entry::Field(field) => {
                each(Node::Other(field.span));
                each(Node::Other(field.name.span));
                expr(&field.value, each);
            }
            Entry::Block(inner) => block(inner, each),
        }
    }
}

/// Gives a value and all values and names in it to `each`.
pub(crate) fn expr<'t>(value: &'t Expr, each: &mut dyn FnMut(Node<'t>)) {
    each(Node::Expr(value));
    match &value.kind {
        ExprKind::String(parts) => {
            for part in parts {
                if let StringPart::Value(inner) = part {
                    expr(inner, each);
                }
            }
        }
        ExprKind::Member(of, name) => {
            expr(of, each);
            each(Node::Other(name.span));
        }
        ExprKind::Index(one, other) | ExprKind::Binary(_, one, other) | ExprKind::Range(one, other) => {
            expr(one, each);
            expr(other, each);
        }
        ExprKind::Call(callee, arguments) => {
            expr(callee, each);
            for argument in arguments {
                if let Some(name) = &argument.name {
                    each(Node::Other(name.span.to(argument.value.span)));
                }
                expr(&argument.value, each);
            }
        }
        ExprKind::List(items) => items.iter().for_each(|item| expr(item, each)),
        ExprKind::Comprehension(comprehension) => {
            expr(&comprehension.value, each);
            each(Node::Other(comprehension.variable.span));
            expr(&comprehension.list, each);
            comprehension.condition.iter().for_each(|condition| expr(condition, each));
        }
        ExprKind::Record(fields) => {
            for (name, inner) in fields {
                each(Node::Other(name.span.to(inner.span)));
                each(Node::Other(name.span));
                expr(inner, each);
            }
        }
        ExprKind::Unary(_, operand) => expr(operand, each),
        ExprKind::If(condition, yes, no) => [condition, yes, no].into_iter().for_each(|part| expr(part, each)),
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Decimal(_)
        | ExprKind::Quantity(..)
        | ExprKind::Time(_)
        | ExprKind::Date(_)
        | ExprKind::Ip(_)
        | ExprKind::Cidr(_)
        | ExprKind::Name(_)
        | ExprKind::Error => {}
    }
}

fn ty<'t>(written: &'t Type, each: &mut dyn FnMut(Node<'t>)) {
    each(Node::Type(written));
    match &written.kind {
        TypeKind::Literal(value) => expr(value, each),
        TypeKind::Union(parts) => parts.iter().for_each(|part| ty(part, each)),
        TypeKind::List(inner) | TypeKind::Nullable(inner) | TypeKind::Secret(inner) | TypeKind::Matching(inner, _) => {
            ty(inner, each);
        }
        TypeKind::In(inner, bounds) => {
            ty(inner, each);
            expr(bounds, each);
        }
        TypeKind::Record(fields) => {
            for (name, inner, default) in fields {
                each(Node::Other(name.span.to(inner.span)));
                ty(inner, each);
                default.iter().for_each(|value| expr(value, each));
            }
        }
        TypeKind::Name(_) | TypeKind::Error => {}
    }
}
