//! JSON with expressions in it: strings, property names, property loops.

use super::{Evaluator, Frame, Loop, Phase};
use crate::context::Form;
use crate::error::EvalError;
use crate::expr::Expr;
use crate::json::{Node, NodeKind, Object};
use crate::value::{Value, ValueKind};
use indexmap::IndexMap;
use std::sync::Arc;

impl Evaluator<'_> {
    /// Evaluates everything inside a node.
    pub fn node(&self, node: &Node, frame: &Frame<'_>) -> Result<Value, EvalError> {
        self.budget.charge(1)?;
        match &node.kind {
            NodeKind::Null => Ok(Value::NULL),
            NodeKind::Bool(b) => Ok(Value::bool(*b)),
            NodeKind::Int(i) => Ok(Value::int(*i)),
            NodeKind::Float(f) => Ok(ValueKind::Float(*f).into()),
            NodeKind::String(text) => match text.expression() {
                None => Ok(Value::str(text.literal())),
                Some(Err(error)) => Err(EvalError::from(error.clone()).at(node.offset)),
                Some(Ok(expr)) => {
                    let val = self.eval(expr, frame).map_err(|fault| fault.at(node.offset))?;
                    self.formed(val, frame)
                }
            },
            NodeKind::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                self.budget.charge_memory(items.len() * 40)?;
                for item in items {
                    out.push(self.node(item, frame)?);
                }
                Value::array(out)
            }
            NodeKind::Object(object) => self.object(object, frame, |_| false),
        }
    }

    /// An expression's value with unknown parts becomes one expression where the context wants that form.
    fn formed(&self, val: Value, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let whole = self.context.form == Form::Whole && matches!(frame.phase, Phase::Body | Phase::Output);
        if whole && !matches!(val.kind, ValueKind::Expr(_)) && !val.is_known() {
            let secret = val.inside().secret;
            return Ok(Value::expr(Expr::from_val(&val)?).secret_if(secret));
        }
        Ok(val)
    }

    /// Evaluates the members of an object but for those that `skip` names.
    pub fn object(&self, object: &Object, frame: &Frame<'_>, skip: impl Fn(&str) -> bool) -> Result<Value, EvalError> {
        self.budget.charge_memory(object.members.len() * 120)?;
        let mut members: IndexMap<Arc<str>, Value> = IndexMap::with_capacity(object.members.len());
        // names that are known only after deployment, with their place among the others
        let mut open: Vec<(usize, Arc<Expr>, Value)> = Vec::new();
        // A name has no mark of its own: the object is secret as a whole.
        let mut secret_name = false;
        for (key, node) in object.iter() {
            if skip(key) {
                continue;
            }
            if key.eq_ignore_ascii_case("copy")
                && let Some(loops) = property_loops(node)
            {
                for element in loops {
                    let name = self.loop_name(element, frame)?;
                    let value = self.property_loop(element, &name, frame)?;
                    members.insert(name, value);
                }
                continue;
            }
            let name = self.key(key, node.offset, frame)?;
            let value = self.node(node, frame)?;
            secret_name |= name.secret;
            match &name.kind {
                ValueKind::Expr(partial) => open.push((members.len(), Arc::clone(&partial.expr), value)),
                _ => drop(name.as_str().map(|name| members.insert(Arc::clone(name), value))),
            }
        }
        let object = if open.is_empty() { Value::object(members) } else { with_open_names(members, open) };
        Ok(object?.secret_if(secret_name))
    }

    /// Property names may be expressions.
    fn key(&self, key: &Arc<str>, offset: u32, frame: &Frame<'_>) -> Result<Value, EvalError> {
        if !key.starts_with('[') {
            return Ok(Value::str(Arc::clone(key)));
        }
        let text = crate::json::Text::new(Arc::clone(key));
        match text.expression() {
            None => Ok(Value::str(text.literal())),
            Some(Err(error)) => Err(EvalError::from(error.clone()).at(offset)),
            Some(Ok(expr)) => {
                let val = self.eval(expr, frame).map_err(|fault| fault.at(offset))?;
                match &val.kind {
                    ValueKind::Str(_) | ValueKind::Expr(_) => Ok(val),
                    _ => {
                        Err(EvalError::new(format!("The property name expression '{key}' must evaluate to a string."))
                            .says(format!(
                                "the property name `{key}` is a value of type {}",
                                val.type_name().to_lowercase()
                            ))
                            .at(offset))
                    }
                }
            }
        }
    }

    fn loop_name(&self, element: &Node, frame: &Frame<'_>) -> Result<Arc<str>, EvalError> {
        let name = match element.get("name") {
            Some(node) => self.node(node, frame)?,
            None => Value::NULL,
        };
        name.as_str().cloned().ok_or_else(|| {
            EvalError::new("The copy element has no valid 'name'.").says("a copy loop has no `name`").at(element.offset)
        })
    }

    /// A loop that makes an array: `{name, count, input}`.
    pub fn property_loop(&self, element: &Node, name: &str, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let missing = |what: &str| {
            EvalError::new(format!("The copy element '{name}' has no '{what}'."))
                .says(format!("the copy loop `{name}` has no `{what}`"))
                .at(element.offset)
        };
        let count = self.node(element.get("count").ok_or_else(|| missing("count"))?, frame)?;
        let input = element.get("input").ok_or_else(|| missing("input"))?;
        if let ValueKind::Expr(partial) = &count.kind {
            return self.unknown_loop(input, name, &partial.expr, frame);
        }
        let count = self.copy_count(&count, name).map_err(|fault| fault.at(element.offset))?;
        let mut items = Vec::with_capacity(count.min(1024) as usize);
        for index in 0..count {
            let inner = frame.turn(Some(name), Value::int(index), Loop::Property);
            items.push(self.node(input, &inner)?);
        }
        Value::array(items)
    }

    /// A loop of unknown length, as Azure's `map` writes it.
    fn unknown_loop(&self, input: &Node, name: &str, count: &Arc<Expr>, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let index = Expr::call("lambdaVariables", vec![Expr::string(name)?])?;
        let inner = frame.turn(Some(name), Value::expr(index), Loop::Property);
        let body = self.node(input, &inner)?;
        let zero = Expr::from_val(&Value::int(0))?;
        let range = Expr::call("range", vec![zero, Arc::clone(count)])?;
        let lambda = Expr::call("lambda", vec![Expr::string(name)?, Expr::from_val(&body)?])?;
        Ok(Value::expr(Expr::call("map", vec![range, lambda])?).secret_if(body.inside().secret))
    }

    /// Checks the count of a loop.
    pub fn copy_count(&self, count: &Value, name: &str) -> Result<i64, EvalError> {
        let most = self.budget.limits().copies;
        match count.as_int() {
            Some(count) if (0..=most).contains(&count) => Ok(count),
            Some(count) => Err(EvalError::new(format!(
                "The copy count '{count}' for '{name}' is not valid. The count must be a non-negative integer value and \
                 cannot exceed '{most}'. Please see https://aka.ms/arm-resource-loops for usage details."
            ))
            .says(format!("the loop `{name}` has {count} turns; Azure allows 0 to {most}"))),
            None => Err(EvalError::new(format!(
                "The copy count for '{name}' is not valid: expected a value of type 'Integer', but received '{}'.",
                count.type_name()
            ))
            .says(format!("the count of the loop `{name}` is not a whole number"))),
        }
    }
}

/// An object with names that are not known yet: one expression, which makes it when they are.
fn with_open_names(
    members: IndexMap<Arc<str>, Value>,
    open: Vec<(usize, Arc<Expr>, Value)>,
) -> Result<Value, EvalError> {
    let secret = members.values().chain(open.iter().map(|(_, _, value)| value)).any(|value| value.inside().secret);
    let mut args = Vec::with_capacity((members.len() + open.len()) * 2);
    let mut open = open.into_iter().peekable();
    for (at, (name, value)) in members.iter().enumerate() {
        while let Some((_, name, value)) = open.next_if(|(place, ..)| *place <= at) {
            args.extend([name, Expr::from_val(&value)?]);
        }
        args.extend([Expr::string(Arc::clone(name))?, Expr::from_val(value)?]);
    }
    for (_, name, value) in open {
        args.extend([name, Expr::from_val(&value)?]);
    }
    Ok(Value::expr(Expr::call("createObject", args)?).secret_if(secret))
}

/// The loops of a `copy` property, when it is one.
fn property_loops(node: &Node) -> Option<&[Node]> {
    let items = node.as_array()?;
    let all = items.iter().all(|i| i.get("name").is_some() && i.get("count").is_some() && i.get("input").is_some());
    (all && !items.is_empty()).then_some(items)
}
