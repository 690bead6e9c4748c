//! Functions that evaluate their arguments themselves or look at the deployment.

use super::{Evaluator, Frame, defer, not_found};
use crate::document::Language;
use crate::error::EvalError;
use crate::expr::{Call, Expr};
use crate::functions::{self, Special, wrong_type};
use crate::value::{Value, ValueKind, same_name};
use std::sync::Arc;

/// A function that may not be called at this place.
pub(super) fn misplaced(name: &str, why: &str) -> EvalError {
    EvalError::new(format!(
        "The template function '{name}' is not expected at this location. Please see https://aka.ms/arm-functions for usage details."
    ))
    .says(format!("`{name}` cannot be called here: {why}"))
}

impl Evaluator<'_> {
    pub(super) fn special(&self, what: Special, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        match what {
            Special::If => self.conditional(call, frame),
            Special::And => self.junction(call, frame, false),
            Special::Or => self.junction(call, frame, true),
            Special::Coalesce => self.coalesce(call, frame),
            Special::Parameters => {
                self.named(call, frame, |evaluator, name, frame| evaluator.parameter_in(name, frame))
            }
            Special::Variables => self.named(call, frame, |evaluator, name, frame| {
                if frame.function_parameters().is_some() && evaluator.sections.language == Language::One {
                    return Err(misplaced("variables", "a user-defined function sees only its parameters"));
                }
                evaluator.variable(name)
            }),
            Special::CopyIndex => self.copy_index(call, frame),
            Special::Lambda => {
                Err(misplaced("lambda", "it is only allowed as an argument of a function such as `map`"))
            }
            Special::LambdaVariables => self.named(call, frame, |_, name, frame| {
                frame.lambda_variable(name).ok_or_else(|| not_found("lambda variable", name, &[]))
            }),
            Special::Filter
            | Special::Map
            | Special::MapValues
            | Special::Reduce
            | Special::Sort
            | Special::ToObject
            | Special::GroupBy => self.with_lambda(what, call, frame),
            Special::Reference => self.reference(call, frame),
            Special::References => self.references(call, frame),
            Special::ResourceInfo => self.resource_info(call, frame),
            Special::List => self.list(call, frame),
            Special::ResourceGroup => self.resource_group(),
            Special::Subscription => self.subscription(),
            Special::Tenant => self.tenant(),
            Special::ManagementGroup => self.management_group(),
            Special::Deployment => self.deployment(),
            Special::Deployer => self.deployer(),
            Special::Environment => self.environment(),
            Special::ResourceId
            | Special::SubscriptionResourceId
            | Special::TenantResourceId
            | Special::ManagementGroupResourceId
            | Special::ExtensionResourceId => {
                let args = self.args(call, frame)?;
                if !args.iter().all(Value::is_known) {
                    return self.open_id(what, call, args);
                }
                let secret = args.iter().any(|a| a.inside().secret);
                let id = self.resource_id(what, &args);
                let id = if secret { id.map_err(|e| e.without_values(&call.name))? } else { id? };
                Ok(Value::str(id).secret_if(secret))
            }
            Special::UtcNow => self.utc_now(call, frame),
            Special::NewGuid => self.new_guid(frame),
            Special::Later => {
                let args = self.args(call, frame)?;
                let secret = same_name(&call.name, functions::KEY_VAULT_SECRET);
                if let Some(runtime) = self.runtime {
                    let plain: Vec<_> = args.iter().map(Value::to_json).collect();
                    let answer = runtime.function(&call.name, &plain).map_err(|e| runtime_fault(&call.name, &e))?;
                    if let Some(value) = answer {
                        return Ok(Value::from_json(&value)?.secret_if(secret));
                    }
                }
                Ok(defer(&call.name, &args)?.secret_if(secret))
            }
        }
    }

    /// `this.exists()`, `this.existingResource()`, `this.existingProperties()`: the resource itself as it was before.
    pub(super) fn this(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let name = format!("this.{}", call.name);
        let known = ["exists", "existingResource", "existingProperties"];
        let Some(what) = known.into_iter().find(|known| same_name(known, &call.name)) else {
            return Err(super::unknown_function(&name));
        };
        if !call.args.is_empty() {
            return Err(EvalError::new(format!("The template function '{name}' takes no arguments."))
                .says(format!("`{name}` takes no arguments; {} stand here", call.args.len())));
        }
        if !matches!(frame.phase, crate::eval::Phase::Body | crate::eval::Phase::Resolve) {
            return Err(misplaced(&name, "it is for the properties of a resource only"));
        }
        if let (Some(runtime), Some((id, api_version))) = (self.runtime, &self.own) {
            let version = Some(api_version.as_str()).filter(|version| !version.is_empty());
            match runtime.reference(id, version, what != "existingProperties") {
                // not known: it stays open
                Ok(None) => {}
                Ok(Some(_)) if what == "exists" => return Ok(Value::bool(true)),
                Ok(Some(found)) => return Value::from_json(&found),
                // there is none
                Err(_) if what == "exists" => return Ok(Value::bool(false)),
                Err(_) => return Ok(Value::NULL),
            }
        }
        Ok(Value::expr(Expr::of_namespace("this", what)?))
    }

    fn arg(&self, call: &Call, at: usize, frame: &Frame<'_>) -> Result<Value, EvalError> {
        match call.args.get(at) {
            Some(arg) => self.eval(arg, frame),
            None => Ok(Value::NULL),
        }
    }

    fn conditional(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let condition = self.arg(call, 0, frame)?;
        match &condition.kind {
            // Which of the two it is tells what a secret was compared with.
            ValueKind::Bool(true) => Ok(self.arg(call, 1, frame)?.secret_if(condition.secret)),
            ValueKind::Bool(false) => Ok(self.arg(call, 2, frame)?.secret_if(condition.secret)),
            ValueKind::Expr(partial) => {
                let mut args = vec![Arc::clone(&partial.expr)];
                for arg in call.args.iter().skip(1) {
                    args.push(self.guarded(arg, frame)?);
                }
                let secret = condition.secret || self.mentions_secret(call, frame);
                Ok(Value::expr(Expr::call(&call.name, args)?).secret_if(secret))
            }
            _ => Err(wrong_type("if", "Boolean", &condition)),
        }
    }

    /// True when a branch of a call that waits has a secret in it.
    fn mentions_secret(&self, call: &Call, frame: &Frame<'_>) -> bool {
        call.args.iter().skip(1).any(|arg| self.eval(arg, frame).is_ok_and(|v| v.inside().secret))
    }

    /// `and`, `or`: the value `decides` settles the answer.
    fn junction(&self, call: &Call, frame: &Frame<'_>, decides: bool) -> Result<Value, EvalError> {
        let mut args = Vec::with_capacity(call.args.len());
        let mut unknown = false;
        for (index, _) in call.args.iter().enumerate() {
            let val = self.arg(call, index, frame)?;
            match &val.kind {
                ValueKind::Bool(answer) if *answer == decides => return Ok(Value::bool(decides).secret_if(val.secret)),
                ValueKind::Bool(_) => {}
                ValueKind::Expr(_) => unknown = true,
                _ => return Err(wrong_type(&call.name, "Boolean", &val)),
            }
            args.push(val);
        }
        let secret = args.iter().any(|arg| arg.secret);
        if unknown { defer(&call.name, &args) } else { Ok(Value::bool(!decides).secret_if(secret)) }
    }

    fn coalesce(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let mut args = Vec::new();
        for (index, _) in call.args.iter().enumerate() {
            let val = self.arg(call, index, frame)?;
            match &val.kind {
                ValueKind::Null => {}
                ValueKind::Expr(_) => args.push(val),
                _ if args.is_empty() => return Ok(val),
                _ => {
                    args.push(val);
                    break;
                }
            }
        }
        match args.as_slice() {
            [] => Ok(Value::NULL),
            [only] => Ok(only.clone()),
            _ => defer(&call.name, &args),
        }
    }

    fn named(
        &self,
        call: &Call,
        frame: &Frame<'_>,
        get: impl Fn(&Self, &str, &Frame<'_>) -> Result<Value, EvalError>,
    ) -> Result<Value, EvalError> {
        let name = self.arg(call, 0, frame)?;
        match &name.kind {
            ValueKind::Str(text) if name.secret => {
                Ok(get(self, text, frame).map_err(|e| e.without_values(&call.name))?.into_secret())
            }
            ValueKind::Str(name) => get(self, name, frame),
            ValueKind::Expr(_) => defer(&call.name, &[name]),
            _ => Err(wrong_type(&call.name, "String", &name)),
        }
    }

    fn copy_index(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let first = self.arg(call, 0, frame)?;
        let second = self.arg(call, 1, frame)?;
        let (name, offset) = match (&first.kind, &second.kind) {
            (ValueKind::Str(name), ValueKind::Null) => (Some(Arc::clone(name)), 0),
            (ValueKind::Str(name), ValueKind::Int(offset)) => (Some(Arc::clone(name)), *offset),
            (ValueKind::Int(offset), ValueKind::Null) => (None, *offset),
            (ValueKind::Null, ValueKind::Null) => (None, 0),
            _ => return Err(wrong_type("copyIndex", "Integer", &second)),
        };
        let index = frame.copy_index(name.as_deref()).ok_or_else(|| {
            misplaced(
                "copyIndex",
                &match &name {
                    Some(name) => format!("no loop `{name}` is around it"),
                    None => "no copy loop is around it".to_string(),
                },
            )
        })?;
        match &index.kind {
            ValueKind::Int(index) => index
                .checked_add(offset)
                .map(Value::int)
                .ok_or_else(|| EvalError::new("The copy index is out of range.")),
            _ if offset == 0 => Ok(index),
            _ => defer("add", &[index, Value::int(offset)]),
        }
    }

    fn utc_now(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        if !frame.phase.allows_fresh() {
            return Err(misplaced("utcNow", "it is for default values of parameters only"));
        }
        let format = self.arg(call, 0, frame)?;
        let spec = match &format.kind {
            ValueKind::Null => "yyyyMMddTHHmmssZ",
            ValueKind::Str(spec) => spec,
            ValueKind::Expr(_) => return defer("utcNow", &[format]),
            _ => return Err(wrong_type("utcNow", "String", &format)),
        };
        match self.context.now {
            Some(now) => Ok(Value::str(functions::format_utc(now, spec)?)),
            None => defer("utcNow", &self.args(call, frame)?),
        }
    }

    fn new_guid(&self, frame: &Frame<'_>) -> Result<Value, EvalError> {
        if !frame.phase.allows_fresh() {
            return Err(misplaced("newGuid", "it is for default values of parameters only"));
        }
        let Some(seed) = self.context.guid_seed else { return defer("newGuid", &[]) };
        let number = self.guids.get();
        self.guids.set(number.wrapping_add(1));
        let name = uuid::Uuid::from_u128(seed.wrapping_add(number)).to_string();
        let mut bytes = uuid::Uuid::new_v5(&uuid::Uuid::from_u128(seed), name.as_bytes()).into_bytes();
        // Azure gives random identifiers: version 4.
        if let Some(version) = bytes.get_mut(6) {
            *version = (*version & 0x0f) | 0x40;
        }
        Ok(Value::str(uuid::Uuid::from_bytes(bytes).to_string()))
    }
}

/// A refused question at deployment time.
pub(super) fn runtime_fault(name: &str, why: &str) -> EvalError {
    EvalError::coded(crate::error::codes::RUNTIME, why.to_string()).says(format!("`{name}` gets no answer: {why}"))
}
