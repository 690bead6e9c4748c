//! `reference`, `references`, `resourceInfo` and `list*`: what a template asks of deployed resources.

use super::special::{misplaced, runtime_fault};
use super::{Evaluator, Frame, defer};
use crate::error::EvalError;
use crate::expr::{Call, Expr, ExprKind};
use crate::functions::wrong_type;
use crate::value::{Partial, Value, ValueKind, same_name};
use std::collections::HashMap;
use std::sync::Arc;

/// A resource of the template as `reference` finds it.
#[derive(Clone)]
pub(crate) struct Target {
    /// Its full id; an expression in brackets when it is unknown.
    pub id: Value,
    /// Id without the scope: `Microsoft.X/a/n`.
    pub name: Value,
    pub kind: String,
    pub api_version: Option<String>,
    /// Symbol, with `[i]` in a loop.
    pub symbol: Option<String>,
    /// Name of the loop or symbol of the loop.
    pub group: Option<String>,
    /// False when the condition is false.
    pub present: bool,
    /// Outputs of a nested deployment once they are known.
    pub outputs: Option<Value>,
    /// Not an Azure resource: known to `reference` by its symbol only.
    pub foreign: bool,
}

/// The resources of a template by id, name and symbol.
#[derive(Default)]
pub(crate) struct Targets {
    pub list: Vec<Target>,
    by_key: HashMap<String, Vec<usize>>,
    /// By the last part of a name with several: counts when nothing else fits.
    by_last: HashMap<String, Vec<usize>>,
}

/// An id for comparison: lower case, and one form for resource groups and subscriptions.
pub(crate) fn canonical_id(id: &str) -> String {
    let lower = id.trim_end_matches('/').to_lowercase();
    if let Some((scope, name)) = lower.split_once("/providers/microsoft.resources/resourcegroups/")
        && let Some(subscription) = scope.strip_prefix("/subscriptions/")
        && let Some(subscription) = subscription.split('/').next()
    {
        return format!("/subscriptions/{subscription}/resourcegroups/{name}");
    }
    if let Some(id) = lower.strip_prefix("/providers/microsoft.subscription/subscriptions/") {
        return format!("/subscriptions/{id}");
    }
    lower
}

impl Targets {
    /// Adds a resource with the keys under which expressions may name it.
    pub fn add(&mut self, target: Target, scope_id: &str) -> usize {
        let at = self.list.len();
        let mut keys: Vec<String> = Vec::new();
        if let Some(id) = target.id.as_str() {
            let id = canonical_id(id);
            if let Some(relative) = id.strip_prefix(&format!("{}/providers/", scope_id.to_lowercase())) {
                keys.push(relative.to_string());
            }
            keys.push(id);
        }
        if let Some(name) = target.name.as_str() {
            if let Some((_, last)) = name.rsplit_once('/') {
                self.by_last.entry(last.to_lowercase()).or_default().push(at);
            }
            keys.push(name.to_lowercase());
            if let Some(last) = target.kind.split('/').next_back()
                && !target.kind.is_empty()
            {
                // `storageAccounts/name` is written now and then.
                keys.push(format!("{last}/{name}").to_lowercase());
                keys.push(format!("{}/{name}", target.kind).to_lowercase());
            }
        }
        keys.extend(target.symbol.iter().chain(&target.group).map(|s| s.to_lowercase()));
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.by_key.entry(key).or_default().push(at);
        }
        self.list.push(target);
        at
    }

    /// Names a loop that may have no turns.
    pub fn declare(&mut self, group: &str) {
        self.by_key.entry(group.to_lowercase()).or_default();
    }

    /// All resources that a name, symbol, loop or id means; `None` when there is no such thing.
    pub fn find(&self, wanted: &str) -> Option<&[usize]> {
        self.by_key
            .get(&canonical_id(wanted))
            .or_else(|| self.by_key.get(wanted.trim_start_matches('/').to_lowercase().as_str()))
            .or_else(|| self.by_last.get(wanted.to_lowercase().as_str()))
            .map(Vec::as_slice)
    }

    fn one(&self, wanted: &str, loops: bool) -> Option<usize> {
        let found = self.find(wanted)?;
        match found {
            [] => None,
            [only] => Some(*only),
            many => {
                // A loop's own name does not say which turn.
                let exact = many.iter().find(|at| {
                    self.list.get(**at).is_some_and(|t| t.symbol.as_deref().is_some_and(|s| same_name(s, wanted)))
                });
                exact.copied().or_else(|| if loops { None } else { many.first().copied() })
            }
        }
    }
}

impl Evaluator<'_> {
    /// The fault of asking for a property that is not there. Where it was asked of a resource, the runtime may know that it
    /// answers less than the service does.
    pub(super) fn lacking(&self, fault: EvalError, base: &Arc<Expr>, property: &str, frame: &Frame<'_>) -> EvalError {
        let Some(runtime) = self.runtime else { return fault };
        let mut first = property;
        let mut at = base;
        let call = loop {
            match at.kind() {
                ExprKind::Member(inner, name) => {
                    first = name;
                    at = inner;
                }
                ExprKind::Index(inner, _) => at = inner,
                ExprKind::Call(call) => break call,
                ExprKind::Str(_) | ExprKind::Int(_) => return fault,
            }
        };
        if !same_name(&call.name, "reference") {
            return fault;
        }
        let id = call.args.first().and_then(|id| self.eval(id, frame).ok());
        let Some(id) = id.as_ref().and_then(Value::as_str) else { return fault };
        match runtime.lacking(id, first) {
            Some(why) => EvalError::coded(crate::error::codes::NOT_COMPUTED, why.clone()).says(why),
            None => fault,
        }
    }

    /// Makes the resources of the template known.
    pub fn set_targets(&self, targets: Targets) {
        *self.targets.borrow_mut() = targets;
    }

    /// Sets what is known of a nested deployment's outputs.
    pub fn set_outputs(&self, at: usize, outputs: Value) {
        if let Some(target) = self.targets.borrow_mut().list.get_mut(at) {
            target.outputs = Some(outputs);
        }
    }

    /// The resources that expressions named since the last call: implied dependencies.
    pub fn take_touched(&self) -> Vec<usize> {
        std::mem::take(&mut self.touched.borrow_mut())
    }

    fn target(&self, wanted: &str) -> Option<Target> {
        let targets = self.targets.borrow();
        let at = targets.one(wanted, false)?;
        // An id does not make a dependency; a name or symbol does.
        if !wanted.starts_with('/') {
            self.touched.borrow_mut().push(at);
        }
        targets.list.get(at).cloned()
    }

    fn first_arg(&self, call: &Call, frame: &Frame<'_>) -> Result<Vec<Value>, EvalError> {
        if !frame.phase.allows_runtime() {
            return Err(misplaced(
                &call.name,
                "values of deployed resources may be read in the body of a resource and in outputs only",
            ));
        }
        self.args(call, frame)
    }

    pub(super) fn reference(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let args = self.first_arg(call, frame)?;
        let mut rest = args.iter();
        let first = rest.next().cloned().unwrap_or(Value::NULL);
        let Some(wanted) = first.as_str() else {
            return if first.is_known() {
                Err(wrong_type("reference", "String", &first))
            } else {
                defer(&call.name, &args)
            };
        };
        let (mut api, mut full) = (Value::NULL, false);
        for arg in rest {
            match &arg.kind {
                ValueKind::Str(text) if same_name(text, "full") => full = true,
                _ => api = arg.clone(),
            }
        }
        let target = self.target(wanted);
        if let Some(target) = &target
            && target.foreign
        {
            let name = target.symbol.clone().unwrap_or_default();
            return Ok(Value::expr(Expr::call("reference", vec![Expr::string(name)?])?));
        }
        let id = match &target {
            Some(target) => target.id.clone(),
            None if wanted.starts_with('/') => first.clone(),
            None if wanted.contains('/') && wanted.contains('.') => {
                Value::str(format!("{}/providers/{wanted}", self.context.scope_id()))
            }
            None => {
                return Err(EvalError::new(format!(
                    "The resource referenced '{wanted}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details."
                ))
                .says(format!("`reference` names `{wanted}`, and the template has no such resource")));
            }
        };
        if api.is_null()
            && let Some(version) = target.as_ref().and_then(|t| t.api_version.clone())
        {
            api = Value::str(version);
        }
        if let (Some(runtime), Some(id), false) = (self.runtime, id.as_str(), matches!(api.kind, ValueKind::Expr(_))) {
            let answer =
                runtime.reference(id, api.as_str().map(|a| &**a), full).map_err(|e| runtime_fault("reference", &e))?;
            if let Some(value) = answer {
                return Value::from_json(&value);
            }
        }
        let mut shown = vec![Expr::from_val(&id)?];
        if !api.is_null() {
            shown.push(Expr::from_val(&api)?);
        }
        if full {
            shown.push(Expr::string("full")?);
        }
        let expr = Expr::call("reference", shown)?;
        let known = match target.and_then(|t| t.outputs) {
            Some(outputs) if full => Some(Value::record([("properties", Value::record([("outputs", outputs)])?)])?),
            Some(outputs) => Some(Value::record([("outputs", outputs)])?),
            None => None,
        };
        Ok(ValueKind::Expr(Arc::new(Partial { expr, known })).into())
    }

    pub(super) fn references(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let args = self.first_arg(call, frame)?;
        let Some(wanted) = args.first().and_then(Value::as_str) else { return defer(&call.name, &args) };
        let members = {
            let targets = self.targets.borrow();
            let Some(found) = targets.find(wanted) else {
                return Err(EvalError::new(format!(
                    "The resource collection '{wanted}' is not defined in the template."
                ))
                .says(format!("`references` names `{wanted}`, and the template has no such loop")));
            };
            let members: Vec<_> =
                found.iter().filter_map(|at| targets.list.get(*at)).filter(|t| t.present).cloned().collect();
            self.touched.borrow_mut().extend(found);
            members
        };
        let mut out = Vec::with_capacity(members.len());
        for target in members {
            let mut inner = vec![Expr::from_val(&target.id)?];
            if let Some(api) = &target.api_version {
                inner.push(Expr::string(api.as_str())?);
            }
            for arg in args.iter().skip(1) {
                inner.push(Expr::from_val(arg)?);
            }
            out.push(self.eval(&Expr::call("reference", inner)?, frame)?);
        }
        Value::array(out)
    }

    pub(super) fn resource_info(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let args = self.args(call, frame)?;
        let Some(wanted) = args.first().and_then(Value::as_str) else { return defer(&call.name, &args) };
        let target = self.target(wanted).ok_or_else(|| {
            EvalError::new(format!("The resource '{wanted}' is not defined in the template."))
                .says(format!("`resourceInfo` names `{wanted}`, and the template has no such resource"))
        })?;
        Value::record([
            ("id", target.id),
            ("name", target.name),
            ("type", Value::str(target.kind)),
            ("apiVersion", target.api_version.map_or(Value::NULL, Value::str)),
        ])
    }

    pub(super) fn list(&self, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let mut args = self.first_arg(call, frame)?;
        let target = args.first().and_then(Value::as_str).and_then(|wanted| self.target(wanted));
        if let Some(target) = target {
            if let Some(first) = args.first_mut() {
                *first = target.id.clone();
            }
            if args.len() < 2
                && let Some(api) = target.api_version
            {
                args.push(Value::str(api));
            }
        } else if let Some(first) = args.first_mut()
            && let Some(wanted) = first.as_str()
            && !wanted.starts_with('/')
            && wanted.contains('/')
        {
            *first = Value::str(format!("{}/providers/{wanted}", self.context.scope_id()));
        }
        let all_known = args.iter().all(Value::is_known);
        if let (Some(runtime), true, Some(id)) = (self.runtime, all_known, args.first().and_then(Value::as_str)) {
            let api = args.get(1).and_then(Value::as_str).map(|a| &**a);
            let body = args.get(2).map(Value::to_json);
            let answer = runtime.list(&call.name, id, api, body.as_ref()).map_err(|e| runtime_fault(&call.name, &e))?;
            if let Some(value) = answer {
                // Lists of keys and signatures are secret by nature.
                return Ok(Value::from_json(&value)?.into_secret());
            }
        }
        defer(&call.name, &args)
    }
}
