//! Evaluates expressions and JSON with expressions in it.
//!
//! What can be known now becomes a value; what cannot stays an expression, as small as possible. Variables and default
//! values are evaluated once, when first used.

mod frame;
mod lambda;
mod node;
mod parameters;
mod reference;
mod scope;
mod special;
mod types;

pub(crate) use frame::{Frame, Loop, Phase};
pub(crate) use parameters::Given;
pub(crate) use reference::{Target, Targets, canonical_id};

use super::budget::Budget;
use super::context::Context;
use super::document::Sections;
use super::error::EvalError;
use super::expr::{Call, Expr, ExprKind};
use super::functions::{Run, Special};
use super::resolve::Runtime;
use super::value::{Value, ValueKind};
use indexmap::IndexMap;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// A value that is computed once.
enum State {
    Running,
    Done(Result<Value, EvalError>),
}

/// Evaluates the expressions of one template.
pub(crate) struct Evaluator<'a> {
    pub sections: &'a Sections<'a>,
    pub context: &'a Context,
    pub budget: &'a Budget,
    pub runtime: Option<&'a dyn Runtime>,
    given: &'a IndexMap<String, Given>,
    parameters: RefCell<HashMap<String, State>>,
    variables: RefCell<HashMap<String, State>>,
    targets: RefCell<Targets>,
    touched: RefCell<Vec<usize>>,
    deployment: OnceCell<Value>,
    group: OnceCell<Value>,
    guids: Cell<u128>,
    /// Id and api-version of the resource whose parts are finished: what `this` means.
    pub own: Option<(String, String)>,
}

impl<'a> Evaluator<'a> {
    pub fn new(
        sections: &'a Sections<'a>,
        given: &'a IndexMap<String, Given>,
        context: &'a Context,
        budget: &'a Budget,
    ) -> Self {
        Self {
            sections,
            context,
            budget,
            runtime: None,
            given,
            parameters: RefCell::default(),
            variables: RefCell::default(),
            targets: RefCell::default(),
            touched: RefCell::default(),
            deployment: OnceCell::new(),
            group: OnceCell::new(),
            guids: Cell::new(0),
            own: None,
        }
    }

    /// Evaluates an expression as far as its values are known.
    pub fn eval(&self, expr: &Arc<Expr>, frame: &Frame<'_>) -> Result<Value, EvalError> {
        self.budget.charge(1)?;
        match expr.kind() {
            ExprKind::Str(text) => Ok(Value::str(Arc::clone(text))),
            ExprKind::Int(value) => Ok(Value::int(*value)),
            ExprKind::Member(base, name) => {
                if let ExprKind::Call(call) = base.kind()
                    && matches!(call.function.map(|f| &f.run), Some(Run::Special(Special::Deployment)))
                    && let Some(found) = self.deployment_head(name)
                {
                    return Ok(found);
                }
                let found = self.budget.deeper(|| self.eval(base, frame))?;
                if let Some(object) = found.as_object() {
                    self.budget.charge(object.members.len() / 32)?;
                }
                index(&found, &Value::str(Arc::clone(name))).map_err(|fault| self.lacking(fault, base, name, frame))
            }
            ExprKind::Index(base, key) => {
                let found = self.budget.deeper(|| self.eval(base, frame))?;
                let key = self.budget.deeper(|| self.eval(key, frame))?;
                index(&found, &key).map_err(|fault| self.lacking(fault, base, &shown(&key), frame))
            }
            ExprKind::Call(call) => {
                let result = self.budget.deeper(|| self.call(call, frame))?;
                self.budget.charge_memory(result.own_size())?;
                Ok(result)
            }
        }
    }

    fn args(&self, call: &Call, frame: &Frame<'_>) -> Result<Vec<Value>, EvalError> {
        call.args.iter().map(|arg| self.eval(arg, frame)).collect()
    }

    fn call(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        if call.namespace.is_some() {
            return self.user_function(call, frame);
        }
        let Some(function) = call.function else { return Err(unknown_function(&call.name)) };
        function.check_count(call.args.len())?;
        match function.run {
            Run::Special(what) => self.special(what, call, frame),
            Run::Plain(run) => {
                let args = self.args(call, frame)?;
                if args.iter().all(Value::is_known) {
                    self.charge_args(&args)?;
                    let secret = args.iter().any(|a| a.inside().secret);
                    let result = run(&args, self.budget);
                    let result = if secret { result.map_err(|e| e.without_values(function.name))? } else { result? };
                    return Ok(result.secret_if(secret && tells(function.name, &args)));
                }
                defer(&call.name, &args)
            }
            Run::Shape(run) => {
                let args = self.args(call, frame)?;
                self.charge_args(&args)?;
                let secret = args.iter().any(|a| a.inside().secret);
                let result = run(&args, self.budget);
                let result = if secret { result.map_err(|e| e.without_values(function.name))? } else { result? };
                match result {
                    Some(result) => {
                        // A secret put into an array or object is marked there, but the name of a member has no mark of its
                        // own; anything else carries the mark on.
                        let mark = match function.name {
                            "createArray" | "array" => false,
                            "createObject" => args.iter().step_by(2).any(|key| key.secret),
                            name => args.iter().any(|a| a.secret) && tells(name, &args),
                        };
                        Ok(result.secret_if(mark))
                    }
                    None => defer(&call.name, &args),
                }
            }
        }
    }

    fn charge_args(&self, args: &[Value]) -> Result<(), EvalError> {
        self.budget.charge(args.len() + args.iter().map(|a| a.inside().weight).sum::<usize>() / 64)
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Result<Value, EvalError> {
        let lower = name.to_lowercase();
        match self.variables.borrow().get(&lower) {
            Some(State::Done(result)) => return result.clone(),
            Some(State::Running) => return Err(circular("variable", name)),
            None => {}
        }
        self.variables.borrow_mut().insert(lower.clone(), State::Running);
        let result = self.budget.deeper(|| self.compute_variable(name));
        self.variables.borrow_mut().insert(lower, State::Done(result.clone()));
        result
    }

    fn compute_variable(&self, name: &str) -> Result<Value, EvalError> {
        let frame = Frame::root(Phase::Variable);
        if let Some((_, node)) = self.sections.variables.get(name)
            && !name.eq_ignore_ascii_case("copy")
        {
            return self.node(node, &frame).map_err(|fault| {
                fault.framed(|reason| format!("The template variable '{name}' is not valid: {}. Please see https://aka.ms/arm-functions for usage details.", reason.trim_end_matches('.')))
            });
        }
        if let Some((_, copies)) = self.sections.variables.get("copy")
            && let Some(element) = copies.as_array().and_then(|list| {
                list.iter()
                    .find(|c| c.get("name").and_then(|n| n.as_str()).is_some_and(|n| super::value::same_name(n, name)))
            })
        {
            return self.property_loop(element, name, &frame);
        }
        let known: Vec<&str> = self.sections.variables.list.iter().map(|(n, _)| *n).collect();
        Err(not_found("variable", name, &known))
    }

    /// The body of a user-defined function.
    fn user_function(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let full = format!("{}.{}", call.namespace.as_deref().unwrap_or(""), call.name);
        let node = match self.sections.functions.get(&full.to_lowercase()) {
            Some(node) => *node,
            None if call.namespace.as_deref().is_some_and(|space| space.eq_ignore_ascii_case("this")) => {
                return self.this(call, frame);
            }
            None => return Err(unknown_function(&full)),
        };
        let declared = node.get("parameters").and_then(|p| p.as_array()).unwrap_or(&[]);
        let args = self.args(call, frame)?;
        if declared.len() != args.len() {
            return Err(EvalError::new(format!(
                "Unable to evaluate template language function '{full}'. The function expects '{}' parameter(s) and '{}' are provided.",
                declared.len(),
                args.len()
            ))
            .says(format!("`{full}` takes {} arguments; {} stand here", declared.len(), args.len())));
        }
        let mut bound = Vec::with_capacity(args.len());
        for (parameter, arg) in declared.iter().zip(args) {
            let name = parameter.get("name").and_then(|n| n.as_str()).unwrap_or("");
            let checked = self.check_type(&arg, parameter, &format!("parameter `{name}` of `{full}`"))?;
            bound.push((Arc::from(name), checked));
        }
        let inner = Frame::function(&bound);
        let output = node
            .get("output")
            .ok_or_else(|| EvalError::new(format!("The template function '{full}' has no output.")))?;
        let value = output
            .get("value")
            .ok_or_else(|| EvalError::new(format!("The template function '{full}' output has no value.")))?;
        self.node(value, &inner)
    }
}

/// Whether the result of a function tells something about a secret argument. That there is one at all is no secret, as
/// templates ask it to choose between a password and a key.
fn tells(function: &str, args: &[Value]) -> bool {
    let nothing = |arg: &Value| arg.is_null() || arg.as_str().is_some_and(|text| text.is_empty());
    match function {
        "empty" => false,
        "equals" => !args.iter().any(|arg| !arg.secret && nothing(arg)),
        _ => true,
    }
}

/// A call that cannot be finished now.
pub(crate) fn defer(name: &str, args: &[Value]) -> Result<Value, EvalError> {
    let secret = args.iter().any(|a| a.inside().secret);
    let args = args.iter().map(Expr::from_val).collect::<Result<_, _>>()?;
    Ok(Value::expr(Expr::call(name, args)?).secret_if(secret))
}

/// The member or element that `base.key` or `base[key]` selects.
pub(crate) fn index(base: &Value, key: &Value) -> Result<Value, EvalError> {
    let found = select(base, key);
    // The names of a secret object and a secret name stay unsaid.
    if base.secret || key.secret { Ok(found.map_err(|e| e.without_values("[]"))?.secret_if(key.secret)) } else { found }
}

fn select(base: &Value, key: &Value) -> Result<Value, EvalError> {
    match (&base.kind, &key.kind) {
        (ValueKind::Expr(partial), _) => {
            if let (Some(known), Some(name)) = (&partial.known, key.as_str())
                && let Some(found) = known.member(name)
            {
                return Ok(found.secret_if(base.secret));
            }
            let expr = match &key.kind {
                ValueKind::Str(name) => Expr::member(Arc::clone(&partial.expr), Arc::clone(name))?,
                _ => Expr::index(Arc::clone(&partial.expr), Expr::from_val(key)?)?,
            };
            Ok(Value::expr(expr).secret_if(base.secret || key.secret))
        }
        (_, ValueKind::Expr(partial)) => {
            let secret = base.inside().secret;
            Ok(Value::expr(Expr::index(Expr::from_val(base)?, Arc::clone(&partial.expr))?).secret_if(secret))
        }
        (ValueKind::Object(object), ValueKind::Str(name)) => match object.get(name) {
            Some(found) => Ok(found.clone().secret_if(base.secret)),
            None => {
                let mut names: Vec<&str> = object.members.keys().map(|k| &**k).take(50).collect();
                names.sort_unstable();
                Err(EvalError::new(format!(
                    "The language expression property '{name}' doesn't exist, available properties are '{}'.",
                    names.join(", ")
                ))
                .says(format!("the object has no property `{name}`; it has {}", listed(&names))))
            }
        },
        (ValueKind::Array(array), ValueKind::Int(index)) => {
            let found = usize::try_from(*index).ok().and_then(|i| array.items.get(i));
            found.map(|v| v.clone().secret_if(base.secret)).ok_or_else(|| {
                EvalError::new(format!("The language expression property array index '{index}' is out of bounds."))
                    .says(format!("the array has {} elements; element {index} is asked for", array.items.len()))
            })
        }
        (ValueKind::Array(_), _) => Err(EvalError::new(format!(
            "The language expression property '{}' can't be evaluated, property name must be an integer.",
            shown(key)
        ))
        .says(format!("an array has no property `{}`; elements are taken by number", shown(key)))),
        (ValueKind::Null, _) => {
            Err(EvalError::new(format!("The language expression property '{}' can't be evaluated.", shown(key)))
                .says(format!("`{}` is asked of a null value", shown(key))))
        }
        _ => Err(EvalError::new(format!(
            "The language expression property '{}' can't be evaluated, the value is of type '{}'.",
            shown(key),
            base.type_name()
        ))
        .says(format!("`{}` is asked of a value of type {}", shown(key), base.type_name().to_lowercase()))),
    }
}

fn shown(key: &Value) -> String {
    match &key.kind {
        ValueKind::Str(text) => text.chars().take(80).collect(),
        ValueKind::Int(index) => index.to_string(),
        _ => key.type_name().to_string(),
    }
}

pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_string(),
        names => names.iter().take(12).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "),
    }
}

pub(crate) fn circular(kind: &str, name: &str) -> EvalError {
    EvalError::new(format!("The template {kind} '{name}' has a circular dependency on itself."))
        .says(format!("the {kind} `{name}` needs its own value"))
}

/// The nearest of `names`, for a hint.
pub(crate) fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let lower = wanted.to_lowercase();
    names
        .iter()
        .map(|n| (strsim::damerau_levenshtein(&lower, &n.to_lowercase()), *n))
        .filter(|(distance, _)| *distance <= 1 + wanted.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

pub(crate) fn not_found(kind: &str, name: &str, known: &[&str]) -> EvalError {
    let fault = EvalError::new(format!(
        "The template {kind} '{name}' is not found. Please see https://aka.ms/arm-syntax-{kind}s for usage details."
    ))
    .says(format!("the template has no {kind} `{name}`"));
    match nearest(name, known) {
        Some(near) => fault.help(format!("write `{near}`")),
        None => fault,
    }
}

pub(crate) fn unknown_function(name: &str) -> EvalError {
    let fault = EvalError::new(format!(
        "The template function '{name}' is not valid. Please see https://aka.ms/arm-functions for usage details."
    ))
    .says(format!("there is no function `{name}`"));
    let names: Vec<&str> = super::functions::all().iter().map(|f| f.name).collect();
    match nearest(name, &names) {
        Some(near) => fault.help(format!("write `{near}`")),
        None => fault,
    }
}
