//! Functions of the language: one table with signature, doc, types, and how they are computed while compiling and by
//! the deployment. The reference is generated from it.

mod lists;
mod numbers;
mod networks;
mod texts;

use super::diags;
use super::eval::Eval;
use super::fit::deferred_part;
use super::ty::Ty;
use super::value::{Deploy, Value};
use dsvm_diagnostics::source::Span;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any value, of any type.
    Any,
    /// A value of type `string`.
    Text,
    /// A value of type `int`.
    Int,
    /// A whole number, a size or a duration.
    Whole,
    /// A whole or decimal number.
    Number,
    /// A number or a quantity: what has an order.
    Ordered,
    /// A value of type `bool`.
    Bool,
    /// A list with elements of any type.
    List,
    /// A record with any fields.
    Record,
    /// Text or a list.
    TextOrList,
    /// Text, a list or a record.
    Countable,
    /// An address range such as `10.0.0.0/16`.
    Cidr,
}

/// Why a function could not be computed.
pub(crate) enum CallError {
    /// It needs values that only the deployment knows.
    Later,
    /// An argument is wrong: which one, and what it must be.
    Argument(usize, String),
    /// A value is wrong: what is the matter.
    Value(String),
    /// The result has no place in 64 bits.
    Overflow,
    /// Something was divided by zero.
    Zero,
}

/// How arguments become a result.
type Compute = fn(&[Value]) -> Result<Value, CallError>;

/// A function of the language.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// Its name in the language.
    pub name: &'static str,
    /// As it is written, with types.
    pub signature: &'static str,
    /// What it gives, in a sentence or two.
    pub doc: &'static str,
    /// An example: an expression, and what it gives.
    pub example: (&'static str, &'static str),
    /// What arguments must be; the last row repeats when the function takes any number.
    pub arguments: &'static [Kind],
    /// Fewest arguments that it takes.
    pub least: usize,
    /// The last parameter takes any number of arguments.
    pub many: bool,
    compute: Compute,
    /// How the deployment computes it: the name of the template function.
    arm: Option<&'static str>,
    /// Type of the result at deployment time.
    result: fn(&[Ty]) -> Ty,
}

impl Builtin {
    /// Whether a template can compute it too.
    #[must_use]
    pub fn at_deployment(&self) -> bool {
        self.arm.is_some()
    }
}

/// All of them, in the order of the reference.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    [texts::TABLE, lists::TABLE, numbers::TABLE, networks::TABLE].into_iter().flatten()
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Builtin>> =
    LazyLock::new(|| all().map(|function| (function.name, function)).collect());

pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BY_NAME.get(name).copied()
}

/// A function that chooses a size: what it takes are requirements, not values.
#[derive(Clone, Copy, Debug)]
pub struct Chooser {
    /// Its name in the language.
    pub name: &'static str,
    /// As it is written.
    pub signature: &'static str,
    /// Which of the sizes that fit it takes, with an example.
    pub doc: &'static str,
}

/// The functions that choose a size.
pub const CHOOSERS: [Chooser; 2] = [
    Chooser {
        name: "smallest",
        signature: "smallest(NEED, …): size",
        doc: "The smallest size that meets all requirements: the fewest virtual processors, then the least memory, then the \
              fewest GPUs, then the first by name.\n\nExample: `smallest(gpu >= 1 of A100, memory >= 200 GiB)`.",
    },
    Chooser {
        name: "cheapest",
        signature: "cheapest(NEED, …, region = …, spot = false, windows = false): size",
        doc: "The size that meets all requirements and costs least in an hour, then the first by name. The region is that of \
              the pool or the project. A size without a known price is never chosen.\n\nExample: \
              `cheapest(vcpu >= 8, memory >= 32 GiB)`.",
    },
];

/// The function of this name that chooses a size.
#[must_use]
pub fn chooser(name: &str) -> Option<&'static Chooser> {
    CHOOSERS.iter().find(|chooser| chooser.name == name)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|function| function.name).chain(CHOOSERS.iter().map(|chooser| chooser.name))
}

impl Kind {
    fn accepts(self, ty: &Ty) -> bool {
        let ty = ty.base();
        let text = super::eval::is_text(ty) && !matches!(ty, Ty::Cidr | Ty::Ip | Ty::Date | Ty::Time | Ty::Ref(_));
        match (self, ty) {
            (_, Ty::Any | Ty::Error) | (Kind::Any, _) => true,
            (_, Ty::Union(parts)) if !text => parts.iter().all(|part| self.accepts(part)),
            (kind, Ty::Literal(value)) => match value.as_ref() {
                Value::Int(_) => matches!(kind, Kind::Int | Kind::Whole | Kind::Number | Kind::Ordered),
                Value::Bool(_) => kind == Kind::Bool,
                Value::String(_) => matches!(kind, Kind::Text | Kind::TextOrList | Kind::Countable),
                _ => kind == Kind::Ordered,
            },
            (Kind::Text, _) => text,
            (Kind::Int, ty) => matches!(ty, Ty::Int | Ty::Port),
            (Kind::Whole, ty) => matches!(ty, Ty::Int | Ty::Port | Ty::Size | Ty::Duration),
            (Kind::Number, ty) => matches!(ty, Ty::Int | Ty::Port | Ty::Decimal),
            (Kind::Ordered, ty) => matches!(
                ty,
                Ty::Int
                    | Ty::Port
                    | Ty::Decimal
                    | Ty::Percent
                    | Ty::Size
                    | Ty::Duration
                    | Ty::Money
                    | Ty::Time
                    | Ty::Date
            ),
            (Kind::Bool, ty) => matches!(ty, Ty::Bool),
            (Kind::List, ty) => matches!(ty, Ty::List(_)),
            (Kind::Record, ty) => matches!(ty, Ty::Record(_) | Ty::Map(_)),
            (Kind::TextOrList, ty) => text || matches!(ty, Ty::List(_)),
            (Kind::Countable, ty) => text || matches!(ty, Ty::List(_) | Ty::Record(_) | Ty::Map(_)),
            (Kind::Cidr, ty) => matches!(ty, Ty::Cidr),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Any => "any",
            Kind::Text => "string",
            Kind::Int => "int",
            Kind::Whole => "int, size or duration",
            Kind::Number => "int | decimal",
            Kind::Ordered => "a number or a quantity",
            Kind::Bool => "bool",
            Kind::List => "a list",
            Kind::Record => "a record",
            Kind::TextOrList => "string or a list",
            Kind::Countable => "string, a list or a record",
            Kind::Cidr => "cidr",
        }
    }
}

/// Calls a function with values that were evaluated.
pub(crate) fn apply<'p>(
    eval: &mut Eval<'p>,
    function: &'static Builtin,
    arguments: Vec<(Value, Span)>,
    at: Span,
    span: Span,
) -> Value {
    let most = if function.many { usize::MAX } else { function.arguments.len() };
    if arguments.len() < function.least || arguments.len() > most {
        return eval.report(diags::builtin_count(function.name, function.signature, arguments.len(), at));
    }
    let mut types = Vec::with_capacity(arguments.len());
    for (index, (value, place)) in arguments.iter().enumerate() {
        if !eval.walk(value, *place) {
            return Value::Error;
        }
        let ty = eval.type_of(value);
        let kind = function.arguments.get(index).or(function.arguments.last()).copied().unwrap_or(Kind::Any);
        if ty.nullable() && !matches!(ty.base(), Ty::Any | Ty::Error) && kind != Kind::Any {
            return eval.report(diags::may_be_null(&ty, *place));
        }
        if !kind.accepts(&ty) {
            return eval.report(diags::argument_type(function.name, function.signature, &ty, kind.words(), *place));
        }
        types.push(ty);
    }
    let spans: Vec<Span> = arguments.iter().map(|(_, place)| *place).collect();
    let values: Vec<Value> = arguments.into_iter().map(|(value, _)| value).collect();
    let place = |index: usize| spans.get(index).copied().unwrap_or(span);
    let known = !values.iter().any(|value| matches!(value, Value::Deferred(_)));
    let result = if known { (function.compute)(&values) } else { Err(CallError::Later) };
    match result {
        Ok(Value::List(items)) => eval.list(items.to_vec(), span),
        Ok(Value::String(text)) => eval.string(text.to_string(), span),
        Ok(value) => value,
        Err(CallError::Argument(index, wanted)) => {
            let ty = types.get(index).cloned().unwrap_or(Ty::Any);
            eval.report(diags::argument_type(function.name, function.signature, &ty, &wanted, place(index)))
        }
        Err(CallError::Value(why)) => eval.report_value(diags::bad_argument(function.name, &why, span)),
        Err(CallError::Overflow) => eval.report_value(diags::overflow(span)),
        Err(CallError::Zero) => eval.report_value(diags::division_by_zero(place(1))),
        Err(CallError::Later) => later(eval, function, &values, &types, &spans, span),
    }
}

fn later(
    eval: &mut Eval<'_>,
    function: &'static Builtin,
    values: &[Value],
    types: &[Ty],
    spans: &[Span],
    span: Span,
) -> Value {
    let all: Vec<&Value> = values.iter().collect();
    let secret = super::eval::taint(&all, span, &format!("goes through `{}`", function.name));
    let ty = (function.result)(types);
    let mixed = function.name == "div" && types.first().map(Ty::base) != types.get(1).map(Ty::base);
    let unsure = types.iter().any(|ty| !matches!(ty.base(), Ty::Int | Ty::Size | Ty::Duration));
    if mixed && !unsure {
        let place = spans.get(1).copied().unwrap_or(span);
        let found = types.get(1).cloned().unwrap_or(Ty::Any);
        let wanted = "the same kind as the first";
        return eval.report(diags::argument_type(function.name, function.signature, &found, wanted, place));
    }
    let whole = function.name != "min" && function.name != "max"
        || types.iter().all(|ty| match ty.base() {
            Ty::List(element) => !matches!(element.base(), Ty::Decimal | Ty::Money),
            ty => !matches!(ty, Ty::Decimal | Ty::Money),
        });
    let listed = !matches!(function.arm, Some("and" | "or")) || matches!(values, [Value::List(_)]);
    let Some(arm) = function.arm.filter(|_| whole && listed) else {
        if eval.unbound > 0 {
            return super::eval::deferred(ty, Deploy::Constant(Value::Null), secret);
        }
        let part = values.iter().find_map(deferred_part).cloned();
        return match part {
            Some(part) => eval.report(diags::builtin_not_at_deployment(function.name, &part, span)),
            None => Value::Error,
        };
    };
    // `and` and `or` of templates take their conditions one by one, not as a list.
    if let ("and" | "or", [Value::List(items)]) = (arm, values) {
        let neutral = Value::Bool(arm == "and");
        let mut parts = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| **item != neutral) {
            match eval.lower(item, span) {
                Some(part) => parts.push(part),
                None => return Value::Error,
            }
        }
        return match (parts.len(), parts.pop()) {
            (1, Some(only)) => super::eval::deferred(ty, only, secret),
            (_, Some(last)) => {
                parts.push(last);
                super::eval::deferred(ty, Deploy::Call(arm, parts), secret)
            }
            (_, None) => neutral,
        };
    }
    let mut parts = Vec::with_capacity(values.len());
    for (value, place) in values.iter().zip(spans) {
        match eval.lower(value, *place) {
            Some(part) => parts.push(part),
            None => return Value::Error,
        }
    }
    if arm == "concat" && matches!(ty, Ty::String) {
        let mut pieces = Vec::new();
        parts.into_iter().for_each(|part| super::eval::push_piece(&mut pieces, part));
        parts = pieces;
    }
    super::eval::deferred(ty, Deploy::Call(arm, parts), secret)
}

/// The elements of a list that must be known.
fn list(value: &Value) -> Result<&Arc<Vec<Value>>, CallError> {
    match value {
        Value::List(items) => Ok(items),
        _ => Err(CallError::Later),
    }
}

fn text(value: &Value) -> Result<&Arc<str>, CallError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(CallError::Later),
    }
}

fn int(value: &Value) -> Result<i64, CallError> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(CallError::Later),
    }
}

fn string(text: impl Into<Arc<str>>) -> Result<Value, CallError> {
    Ok(Value::String(text.into()))
}

fn at(values: &[Value], index: usize) -> Result<&Value, CallError> {
    values.get(index).ok_or(CallError::Later)
}

fn ty_text(_: &[Ty]) -> Ty {
    Ty::String
}

fn ty_int(_: &[Ty]) -> Ty {
    Ty::Int
}

fn ty_bool(_: &[Ty]) -> Ty {
    Ty::Bool
}

fn ty_texts(_: &[Ty]) -> Ty {
    Ty::List(Arc::new(Ty::String))
}

fn ty_first(types: &[Ty]) -> Ty {
    types.first().map_or(Ty::Any, |ty| ty.base().clone())
}

fn ty_element(types: &[Ty]) -> Ty {
    types.first().and_then(Ty::element).cloned().unwrap_or(Ty::Any)
}
