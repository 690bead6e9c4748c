//! Expressions where a type is expected: bare words, facts by name, lists of days, records with defaults.

use super::access::{is_size_name, same_letters};
use super::{ELEMENTS, Eval};
use crate::diags;
use crate::load::DefKind;
use crate::table::{BlockKind, suggest};
use crate::ty::Ty;
use crate::value::{Days, Deploy, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{BinaryOp, Comprehension, Entry, Expr, ExprKind, ItemKind, StringPart};
use indexmap::IndexMap;
use std::sync::Arc;

impl<'p> Eval<'p> {
    /// The value of an expression as one of a type.
    pub(crate) fn eval_as(&mut self, expr: &'p Expr, ty: &Ty) -> Value {
        let value = self.hinted(expr, ty);
        let value = match &expr.kind {
            ExprKind::Record(_) | ExprKind::If(..) | ExprKind::Comprehension(_) => self.affordable(value, expr.span),
            ExprKind::Binary(op, ..) if op.value == BinaryOp::Coalesce => self.affordable(value, expr.span),
            _ => value,
        };
        self.coerce(value, ty, expr.span)
    }

    /// The value of an expression, read as the type suggests but not yet checked against it.
    pub(crate) fn hinted(&mut self, expr: &'p Expr, ty: &Ty) -> Value {
        match &expr.kind {
            ExprKind::Name(name) => self.word(name, ty, expr),
            ExprKind::List(items) => {
                if let Some(element) = ty.element() {
                    let list = items.iter().map(|item| self.eval_as(item, element)).collect();
                    return self.list(list, expr.span);
                }
                if mentions(ty, &|ty| matches!(ty, Ty::Days)) {
                    return self.days(items, expr.span);
                }
                self.eval(expr)
            }
            ExprKind::String(parts) if mentions(ty, &|ty| *ty == Ty::Ref(BlockKind::Role)) => match parts.as_slice() {
                [StringPart::Text(text)] => {
                    let name = self.role_with_id(text);
                    let fact = name.and_then(|name| self.fact(BlockKind::Role, &name, expr.span));
                    fact.unwrap_or_else(|| self.eval(expr))
                }
                _ => self.eval(expr),
            },
            ExprKind::Record(fields) => match record_type(ty) {
                Some(shape) => {
                    let shape = shape.clone();
                    let mut record = IndexMap::with_capacity(fields.len());
                    for (name, value) in fields {
                        let field = match &shape {
                            Ty::Record(rows) => rows.get(&name.value).map(|row| &row.ty),
                            Ty::Map(element) => Some(element.as_ref()),
                            _ => None,
                        };
                        let value = match field {
                            Some(field) => self.eval_as(value, field),
                            None => self.eval(value),
                        };
                        self.add_to_record(&mut record, name, value);
                    }
                    Value::Record(Arc::new(record))
                }
                None => self.eval(expr),
            },
            ExprKind::String(parts) if mentions(ty, &|ty| *ty == Ty::Ref(BlockKind::Region)) => {
                match parts.as_slice() {
                    [StringPart::Text(text)] => self.region(text, expr),
                    _ => self.eval(expr),
                }
            }
            // A formula's condition is decided by the service, not here.
            ExprKind::If(..) if matches!(ty.base(), Ty::Formula) => self.formula_value(expr),
            ExprKind::If(condition, yes, no) => {
                let condition = self.eval_as(condition, &Ty::Bool);
                self.choose(condition, yes, no, Some(ty), expr.span)
            }
            ExprKind::Comprehension(comprehension) => {
                let element = ty.element().cloned();
                self.comprehension(comprehension, element.as_ref(), expr.span)
            }
            ExprKind::Binary(op, left, right) => match op.value {
                BinaryOp::Coalesce => self.coalesce(left, right, Some(ty), expr.span),
                BinaryOp::Of if super::preferred::is_first(left) => {
                    self.first_of(right, Some(ty.alternative().unwrap_or(ty)), expr.span)
                }
                _ if matches!(ty.base(), Ty::Formula) => self.formula_value(expr),
                _ if matches!(ty.base(), Ty::Condition) => self.condition(expr),
                _ => self.eval(expr),
            },
            _ if matches!(ty.base(), Ty::Formula) => self.formula_value(expr),
            _ if matches!(ty.base(), Ty::Condition) => self.condition(expr),
            _ => self.eval(expr),
        }
    }

    /// A region in quotes, by its name or as people write it: `"West Europe"`.
    fn region(&mut self, text: &str, expr: &'p Expr) -> Value {
        let name = text.replace(' ', "").to_ascii_lowercase();
        if let Some(fact) = self.fact(BlockKind::Region, &name, expr.span) {
            return fact;
        }
        // Others exist: new ones, and those of other clouds.
        if let Some(near) = self.near_fact(&[BlockKind::Region], &name) {
            self.report(diags::unknown_region(text, &near, expr.span));
        }
        self.eval(expr)
    }

    /// The role of the standard library that has this GUID, however it is written: what is known about the role holds
    /// for its GUID too.
    fn role_with_id(&self, text: &str) -> Option<Arc<str>> {
        let digits = |text: &str| -> String {
            text.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = digits(text);
        if wanted.len() != 32 {
            return None;
        }
        let roles = self.program.module(crate::library::find("roles")?)?;
        let has_id = |def: &&crate::load::Def| {
            let Some(ItemKind::Block(block)) = def.item().map(|item| &item.kind) else { return false };
            let mut entries = block.body.iter().flat_map(|body| &body.entries);
            entries.any(|entry| match entry {
                Entry::Field(field) if &*field.name.value == "id" => match &field.value.kind {
                    ExprKind::String(parts) => {
                        matches!(parts.as_slice(), [StringPart::Text(id)] if digits(id) == wanted)
                    }
                    _ => false,
                },
                _ => false,
            })
        };
        roles.defs().filter(|def| def.export).find(has_id).map(|def| def.name.clone())
    }

    /// A bare name: a word of the type, a name in scope, or a fact of the standard library.
    fn word(&mut self, name: &Arc<str>, ty: &Ty, expr: &'p Expr) -> Value {
        let mut words = Vec::new();
        words_of(ty, &mut words);
        if words.contains(&&**name) {
            return Value::String(name.clone());
        }
        if matches!(ty.base(), Ty::Formula) {
            return self.formula_value(expr);
        }
        if self.in_scope(name) {
            return self.eval(expr);
        }
        if mentions(ty, &|ty| matches!(ty, Ty::Days)) && matches!(&**name, "all" | "every_day") {
            return Value::Days(Days(0b111_1111));
        }
        let mut kinds = Vec::new();
        kinds_of(ty, &mut kinds);
        for kind in &kinds {
            if let Some(fact) = self.fact(*kind, name, expr.span) {
                return fact;
            }
        }
        if takes_ranges(ty) {
            return self.unknown_source(name, &words, expr.span);
        }
        if words.is_empty() {
            if kinds.contains(&BlockKind::Metric) && name.to_lowercase().contains("gpu") {
                return self.report(diags::no_gpu_metric(name, expr.span));
            }
            let near = self.near_fact(&kinds, name);
            if kinds.contains(&BlockKind::Size) && is_size_name(name) && !same_letters(name, near.as_deref()) {
                return self.report(diags::unknown_size(name, expr.span));
            }
            return match near {
                Some(near) => self.report(diags::unknown_name(name, expr.span, Some(&near), None, None, None)),
                None if matches!(ty.not_null().base(), Ty::Bool) && switch(name).is_some() => {
                    self.report(diags::not_one_of(name, &["true", "false"], switch(name), expr.span))
                }
                None => match kinds.first().filter(|_| self.library_home(name).is_none()) {
                    Some(kind) => self.unknown_of(*kind, name, expr.span),
                    None => self.eval(expr),
                },
            };
        }
        let meant = suggest(name, words.iter().copied());
        self.report(diags::not_one_of(name, &words, meant, expr.span))
    }

    /// A name used as address ranges that is not declared. A word that opens more is never suggested.
    fn unknown_source(&mut self, name: &str, words: &[&str], span: Span) -> Value {
        let safe = words.iter().copied().filter(|word| *word != "any" || word.eq_ignore_ascii_case(name));
        if let Some(meant) = suggest(name, safe) {
            return self.report(diags::not_one_of(name, words, Some(meant), span));
        }
        match self.near_name(name) {
            Some(meant) => self.report(diags::unknown_name(name, span, Some(&meant), None, None, None)),
            None => self.report(diags::unknown_source(name, span)),
        }
    }

    fn days(&mut self, items: &'p [Expr], span: Span) -> Value {
        let mut days = 0;
        for item in items {
            match self.eval_as(item, &Ty::Days) {
                Value::Days(Days(some)) => days |= some,
                _ => return Value::Error,
            }
        }
        match days {
            0 => self.report(diags::bad_literal(span, "at least one day is needed", "write, for instance, `mon..fri`")),
            days => Value::Days(Days(days)),
        }
    }

    /// `[value for variable in list if condition]`
    pub(super) fn comprehension(&mut self, of: &'p Comprehension, element: Option<&Ty>, span: Span) -> Value {
        let list = self.eval(&of.list);
        let items: Vec<Value> = match &list {
            Value::Error => return Value::Error,
            Value::List(items) => items.to_vec(),
            Value::Record(fields) => fields.values().cloned().collect(),
            Value::Range(range) => match self.numbers(range, of.list.span) {
                Some(numbers) => numbers,
                None => return Value::Error,
            },
            Value::Days(Days(days)) => {
                (0..7).filter(|day| days & (1 << day) != 0).map(|day| Value::Days(Days(1 << day))).collect()
            }
            Value::Deferred(inner) => {
                let Some(item) = inner.ty.not_null().element().cloned() else {
                    return self.report(diags::not_a_list(&inner.ty, of.list.span));
                };
                if self.unbound == 0 {
                    return self.report(diags::not_early(inner, "the elements of a list", of.list.span));
                }
                let sample = super::defer::deferred(item, inner.expr.clone(), inner.secret.clone());
                let value = self.with_local(of.variable.value.clone(), sample, |eval| {
                    if let Some(condition) = &of.condition {
                        eval.eval_as(condition, &Ty::Bool);
                    }
                    eval.eval(&of.value)
                });
                let ty = Ty::List(Arc::new(self.type_of(&value)));
                return super::defer::deferred(ty, inner.expr.clone(), inner.secret.clone());
            }
            other => {
                let ty = self.type_of(other);
                return self.report(diags::not_a_list(&ty, of.list.span));
            }
        };
        if items.is_empty() {
            self.check_element(of, element);
        }
        let mut result = Vec::with_capacity(items.len());
        for item in items {
            if !self.step(1, span) {
                return Value::Error;
            }
            self.locals.push((of.variable.value.clone(), item));
            let keep = match &of.condition {
                None => true,
                Some(condition) => match self.eval_as(condition, &Ty::Bool) {
                    Value::Bool(keep) => keep,
                    Value::Deferred(inner) => {
                        self.report(diags::not_early(&inner, "which elements to keep", condition.span));
                        self.locals.pop();
                        return Value::Error;
                    }
                    _ => {
                        self.locals.pop();
                        return Value::Error;
                    }
                },
            };
            if keep {
                // Before they are all made, not after.
                if result.len() >= ELEMENTS {
                    self.locals.pop();
                    return self.report(diags::too_large(span, "this list has more than 100,000 elements"));
                }
                let value = match element {
                    Some(ty) => self.eval_as(&of.value, ty),
                    None => self.eval(&of.value),
                };
                result.push(value);
            }
            self.locals.pop();
        }
        self.list(result, span)
    }

    /// Checks what would be made of each element of a list that has none.
    fn check_element(&mut self, of: &'p Comprehension, element: Option<&Ty>) {
        let sample = self.sample(&of.list, &of.variable.value);
        self.unbound += 1;
        self.with_local(of.variable.value.clone(), sample, |eval| {
            if let Some(condition) = &of.condition {
                eval.eval_as(condition, &Ty::Bool);
            }
            match element {
                Some(ty) => eval.eval_as(&of.value, ty),
                None => eval.eval(&of.value),
            }
        });
        self.unbound -= 1;
    }

    /// A placeholder for the element of an empty list.
    pub(crate) fn sample(&mut self, list: &'p Expr, variable: &Arc<str>) -> Value {
        let declared = match &list.kind {
            ExprKind::Name(name) => self.declared_list(name),
            _ => None,
        };
        let item = declared.as_ref().and_then(|ty| ty.not_null().element()).cloned().unwrap_or(Ty::Any);
        super::defer::deferred(item, Deploy::Parameter(variable.clone()), Vec::new())
    }

    /// The type that a constant or parameter of this name was given.
    fn declared_list(&mut self, name: &Arc<str>) -> Option<Ty> {
        let program = self.program;
        let (_, def) = program.lookup(self.module, name)?;
        let definition = program.def(def)?;
        let ty = match (&definition.kind, definition.item().map(|item| &item.kind)) {
            (DefKind::Data(data), _) => &data.ty,
            (_, Some(ItemKind::Let(constant))) => constant.ty.as_ref()?,
            (_, Some(ItemKind::Param(param))) => &param.ty,
            _ => return None,
        };
        Some(self.inside(def.module, |eval| eval.resolve_type(ty)))
    }

    /// The whole numbers of a range.
    pub(crate) fn numbers(&mut self, range: &crate::value::RangeValue, span: Span) -> Option<Vec<Value>> {
        match (&range.min, &range.max) {
            (Value::Int(min), Value::Int(max)) => {
                let count = max.checked_sub(*min).and_then(|n| n.checked_add(1)).unwrap_or(i64::MAX).max(0);
                if count > 100_000 {
                    self.report(diags::too_large(span, "this range has more than 100,000 numbers"));
                    return None;
                }
                Some((*min..=*max).map(Value::Int).collect())
            }
            (Value::Deferred(inner), _) | (_, Value::Deferred(inner)) if self.unbound > 0 => {
                Some(vec![super::defer::deferred(Ty::Int, inner.expr.clone(), Vec::new())])
            }
            (Value::Deferred(inner), _) | (_, Value::Deferred(inner)) => {
                self.report(diags::not_early(inner, "the numbers of a range", span));
                None
            }
            (Value::Error, _) | (_, Value::Error) => None,
            (other, _) => {
                let ty = self.type_of(other);
                self.report(diags::mismatch(&ty, "int", span));
                None
            }
        }
    }
}

/// Whether a type is, or offers as an alternative, one that passes the test.
pub(crate) fn mentions(ty: &Ty, test: &dyn Fn(&Ty) -> bool) -> bool {
    match ty.base() {
        Ty::Union(parts) => parts.iter().any(|part| mentions(part, test)),
        Ty::Nullable(inner) => mentions(inner, test),
        other => test(other),
    }
}

/// Whether address ranges can stand here.
pub(crate) fn takes_ranges(ty: &Ty) -> bool {
    mentions(ty, &|ty| matches!(ty, Ty::Cidr))
        || ty.element().is_some_and(|element| mentions(element, &|ty| matches!(ty, Ty::Cidr)))
}

fn words_of<'t>(ty: &'t Ty, words: &mut Vec<&'t str>) {
    match ty.base() {
        Ty::OneOf(some) => words.extend(some.iter()),
        Ty::Union(parts) => parts.iter().for_each(|part| words_of(part, words)),
        Ty::Nullable(inner) => words_of(inner, words),
        _ => {}
    }
}

fn kinds_of(ty: &Ty, kinds: &mut Vec<BlockKind>) {
    match ty.base() {
        Ty::Ref(kind) => kinds.push(*kind),
        Ty::Union(parts) => parts.iter().for_each(|part| kinds_of(part, kinds)),
        Ty::Nullable(inner) => kinds_of(inner, kinds),
        _ => {}
    }
}

pub(super) fn record_type(ty: &Ty) -> Option<&Ty> {
    match ty.base() {
        record @ (Ty::Record(_) | Ty::Map(_)) => Some(record),
        Ty::Union(parts) => parts.iter().find_map(record_type),
        Ty::Nullable(inner) => record_type(inner),
        _ => None,
    }
}

/// What other languages call `true` and `false`.
fn switch(word: &str) -> Option<&'static str> {
    match word {
        "yes" | "on" | "True" | "TRUE" | "enabled" => Some("true"),
        "no" | "off" | "False" | "FALSE" | "disabled" => Some("false"),
        _ => None,
    }
}
