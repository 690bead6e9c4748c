//! Calls: functions of the project and of the language, and `smallest(…)`, `cheapest(…)`.

use super::Eval;
use super::defer::extend;
use crate::builtins;
use crate::diags;
use crate::load::{DefId, DefKind};
use crate::table::suggest;
use crate::ty::Ty;
use crate::value::{Deferred, Deploy, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, Argument, Expr, ExprKind, ItemKind, Name};
use std::sync::Arc;

impl<'p> Eval<'p> {
    pub(super) fn call(&mut self, callee: &'p Expr, arguments: &'p [Argument], span: Span) -> Value {
        let (def, name): (DefId, &'p Name) = match &callee.kind {
            ExprKind::Name(name) => {
                if let Some((here, def)) = self.program.lookup(self.module(), name)
                    && self.local(name).is_none()
                {
                    self.used.insert(here);
                    return self.call_def(def, name, callee.span, arguments, span);
                }
                return match &**name {
                    "smallest" => self.smallest(arguments, span),
                    "cheapest" => self.cheapest(arguments, span),
                    _ => self.call_builtin(name, callee.span, arguments, span),
                };
            }
            ExprKind::Member(of, name) => match self.namespace(of) {
                Some(Ok(module)) => match self.exported_def(module, name) {
                    Some(def) => (def, name),
                    None => return self.poison(arguments),
                },
                Some(Err(())) => return self.poison(arguments),
                None => {
                    self.eval(of);
                    self.poison(arguments);
                    return self.report(diags::no_methods(&name.value, name.span));
                }
            },
            _ => return self.report(diags::not_a_function("this", callee.span)),
        };
        self.call_def(def, &name.value, name.span, arguments, span)
    }

    /// Arguments of a call that was reported are still checked.
    fn poison(&mut self, arguments: &'p [Argument]) -> Value {
        for argument in arguments {
            self.eval(&argument.value);
        }
        Value::Error
    }

    fn call_def(&mut self, def: DefId, name: &str, at: Span, arguments: &'p [Argument], span: Span) -> Value {
        let program = self.program;
        let Some(definition) = program.def(def) else { return Value::Error };
        if matches!(definition.kind, DefKind::Missing) {
            return self.poison(arguments);
        }
        let Some(ItemKind::Fn(function)) = definition.item().map(|item| &item.kind) else {
            self.poison(arguments);
            return self.report(diags::not_a_function(name, at));
        };
        // A syntax error was already reported.
        if matches!(function.body.kind, ExprKind::Error) {
            return self.poison(arguments);
        }
        if let Some(from) = self.calls.iter().position(|call| *call == def) {
            let mut steps: Vec<(Arc<str>, Span)> = Vec::new();
            for call in self.calls.get(from..).unwrap_or_default() {
                if let Some(step) = program.def(*call) {
                    steps.push((step.name.clone(), step.name_span));
                }
            }
            return self.report(diags::recursive_function(&steps, at));
        }
        let Some(values) = self.bind(def, function, arguments, at, span) else { return Value::Error };
        self.calls.push(def);
        let result = self.run_function(def, function, values);
        self.calls.pop();
        // A secret that went through a function has that step on its path.
        match &result {
            Value::Deferred(inner) if !inner.secret.is_empty() => {
                let secret = extend(&inner.secret, span, &format!("comes out of `{name}`"));
                Value::Deferred(Arc::new(Deferred { secret, ..Deferred::clone(inner) }))
            }
            _ => result,
        }
    }

    fn run_function(&mut self, def: DefId, function: &'p ast::Fn, values: Vec<(Arc<str>, Value)>) -> Value {
        self.inside(def.module, |eval| {
            eval.locals.extend(values);
            match &function.result {
                Some(ty) => {
                    let ty = eval.resolve_type(ty);
                    eval.eval_as(&function.body, &ty)
                }
                None => eval.eval(&function.body),
            }
        })
    }

    /// Checks a function without a call: its parameters have types but no values.
    pub(crate) fn check_function(&mut self, def: DefId, function: &'p ast::Fn) {
        self.unbound += 1;
        let values = self.inside(def.module, |eval| {
            let mut values = Vec::new();
            for (name, ty, default) in &function.params {
                let ty = eval.resolve_type(ty);
                if let Some(default) = default {
                    eval.eval_as(default, &ty);
                }
                if values.iter().any(|(known, _): &(Arc<str>, Value)| *known == name.value) {
                    eval.report(diags::duplicate_key(&name.value, name.span));
                }
                let value = match ty {
                    Ty::Error => Value::Error,
                    Ty::Range => Value::Range(Arc::new(crate::value::RangeValue {
                        min: unbound(Ty::Int, &name.value),
                        max: unbound(Ty::Int, &name.value),
                        initial: None,
                    })),
                    ty => unbound(ty, &name.value),
                };
                values.push((name.value.clone(), value));
            }
            values
        });
        self.calls.push(def);
        self.run_function(def, function, values);
        self.calls.pop();
        self.unbound -= 1;
    }

    fn bind(
        &mut self,
        def: DefId,
        function: &'p ast::Fn,
        arguments: &'p [Argument],
        at: Span,
        span: Span,
    ) -> Option<Vec<(Arc<str>, Value)>> {
        let mut given: Vec<Option<&'p Expr>> = vec![None; function.params.len()];
        let names: Vec<&str> = function.params.iter().map(|(name, ..)| &*name.value).collect();
        let mut fine = true;
        for (position, argument) in arguments.iter().enumerate() {
            let index = match &argument.name {
                None => Some(position),
                Some(name) => names.iter().position(|known| **known == *name.value),
            };
            match (index.and_then(|index| given.get_mut(index)), &argument.name) {
                (Some(slot), _) if slot.is_none() => *slot = Some(&argument.value),
                (Some(_), _) => {
                    self.report(diags::argument_twice(argument.value.span));
                    fine = false;
                }
                (None, Some(name)) => {
                    let meant = suggest(&name.value, names.iter().copied()).map(str::to_owned);
                    self.report(diags::unknown_argument(
                        &function.name.value,
                        &name.value,
                        name.span,
                        meant.as_deref(),
                    ));
                    fine = false;
                }
                (None, None) => {
                    let counts = (names.len(), arguments.len());
                    self.report(diags::argument_count(&function.name.value, counts, at, function.name.span));
                    return None;
                }
            }
        }
        let mut values = Vec::with_capacity(given.len());
        for ((name, ty, default), expr) in function.params.iter().zip(given) {
            let ty = self.inside(def.module, |eval| eval.resolve_type(ty));
            let value = match (expr, default) {
                (Some(expr), _) => {
                    let value = self.eval_as(expr, &ty);
                    match &value {
                        Value::Deferred(inner) if !inner.secret.is_empty() => {
                            let text = format!("given to `{}` as `{}`", function.name.value, name.value);
                            let secret = extend(&inner.secret, expr.span, &text);
                            Value::Deferred(Arc::new(Deferred { secret, ..Deferred::clone(inner) }))
                        }
                        _ => value,
                    }
                }
                (None, Some(default)) => self.inside(def.module, |eval| eval.eval_as(default, &ty)),
                (None, None) if ty.nullable() && !matches!(ty, Ty::Error) => Value::Null,
                (None, None) => {
                    self.report(diags::missing_argument(&function.name.value, &name.value, span, name.span));
                    fine = false;
                    Value::Error
                }
            };
            values.push((name.value.clone(), value));
        }
        fine.then_some(values)
    }

    fn call_builtin(&mut self, name: &str, at: Span, arguments: &'p [Argument], span: Span) -> Value {
        let Some(function) = builtins::find(name) else {
            self.poison(arguments);
            let module = self.program.module(self.module());
            let mut known: Vec<&str> = builtins::names().collect();
            known.extend(module.into_iter().flat_map(|module| &module.defs).map(|def| &*def.name));
            let meant = called_elsewhere(name).or(suggest(name, known)).map(str::to_owned);
            return self.report(diags::unknown_function(name, at, meant.as_deref()));
        };
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            if let Some(name) = &argument.name {
                self.poison(arguments);
                return self.report(diags::named_builtin(function.name, name.span));
            }
            values.push((self.eval(&argument.value), argument.value.span));
        }
        if values.iter().any(|(value, _)| has_error(value)) {
            return Value::Error;
        }
        builtins::apply(self, function, values, at, span)
    }
}

pub(crate) fn unbound(ty: Ty, name: &Arc<str>) -> Value {
    super::defer::deferred(ty, Deploy::Parameter(name.clone()), Vec::new())
}

/// Whether a value or a part of it was reported.
fn has_error(value: &Value) -> bool {
    match value {
        Value::Error => true,
        Value::List(items) => items.iter().any(has_error),
        Value::Record(fields) => fields.values().any(has_error),
        _ => false,
    }
}

/// What a function of other languages is called here.
fn called_elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "len" | "size" | "count" => "length",
        "distinct" | "uniq" | "dedup" => "unique",
        "toLower" | "to_lower" | "lowercase" => "lower",
        "toUpper" | "to_upper" | "uppercase" => "upper",
        "range" => "sequence",
        "str" | "string" | "to_string" => "text",
        "uniqueString" => "unique_string",
        "union" => "merge",
        "cidrsubnet" | "cidrSubnet" | "subnet" => "cidr_subnet",
        "cidrhost" | "cidrHost" => "cidr_host",
        "startsWith" | "startswith" => "starts_with",
        "endsWith" | "endswith" => "ends_with",
        _ => return None,
    })
}
