//! Scopes and ids of resources, as far as they are known.

use super::Stage;
use super::draft::Draft;
use crate::context::Scope;
use crate::document::Language;
use crate::error::EvalError;
use crate::expr::Expr;
use crate::value::{Value, ValueKind, same_name};
use std::sync::Arc;

impl<'s> Stage<'s> {
    /// Id of what a resource goes into.
    pub(super) fn scope_of(
        &self,
        draft: &Draft<'_>,
        eval: &dyn Fn(&str) -> Result<Value, EvalError>,
    ) -> Result<Value, EvalError> {
        let own = self.context.scope_id();
        let scope = eval("scope")?;
        match &scope.kind {
            ValueKind::Str(scope) => return Ok(Value::str(absolute(scope, &own))),
            ValueKind::Expr(_) => return Ok(scope),
            _ => {}
        }
        if same_name(&draft.kind, "Microsoft.Management/managementGroups")
            || same_name(&draft.kind, "Microsoft.Subscription/aliases")
        {
            return Ok(Value::str(""));
        }
        let (subscription, group) = (eval("subscriptionId")?, eval("resourceGroup")?);
        if subscription.is_null() && group.is_null() {
            return Ok(Value::str(own));
        }
        let part = |val: Value, otherwise: Option<&str>| {
            if val.is_null() { otherwise.map_or(Value::NULL, Value::str) } else { val }
        };
        let subscription = part(subscription, self.context.subscription_id.as_deref());
        let (pattern, args) = if group.is_null() {
            ("/subscriptions/{0}", vec![subscription])
        } else {
            ("/subscriptions/{0}/resourceGroups/{1}", vec![subscription, group])
        };
        formatted(pattern, &args)
    }

    /// The id of a resource by scope, type and name.
    pub(super) fn id_of(&self, scope: &Value, kind: &str, name: &Value) -> Result<Value, EvalError> {
        let (Some(scope), Some(name)) = (scope.as_str(), name.as_str()) else {
            let mut args = vec![scope.clone(), Value::str(kind)];
            let segments = kind.split('/').count().saturating_sub(1);
            match segments {
                1 => args.push(name.clone()),
                _ => {
                    let split = Expr::call("split", vec![Expr::from_val(name)?, Expr::string("/")?])?;
                    for index in 0..segments {
                        args.push(Value::expr(Expr::index(
                            Arc::clone(&split),
                            Expr::from_val(&Value::int(index as i64))?,
                        )?));
                    }
                }
            }
            return crate::eval::defer("extensionResourceId", &args);
        };
        let names: Vec<&str> = name.split('/').collect();
        let mut types = kind.split('/');
        let namespace = types.next().unwrap_or("");
        let types: Vec<&str> = types.collect();
        if types.len() != names.len() || types.is_empty() || names.iter().any(|n| n.is_empty()) {
            return Err(EvalError::new(format!(
                "The template resource '{name}' for type '{kind}' {} has incorrect segment lengths. A nested resource type must \
                 have identical number of segments as its resource name. A root resource type must have segment length one \
                 greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.",
                crate::error::place()
            ))
            .says(wrong_name(kind, name, types.len())));
        }
        let mut id =
            if same_name(kind, "Microsoft.Resources/resourceGroups") && self.context.scope == Scope::Subscription {
                return Ok(Value::str(format!("{scope}/resourceGroups/{name}")));
            } else {
                format!("{scope}/providers/{namespace}")
            };
        for (segment, name) in types.iter().zip(&names) {
            id.push('/');
            id.push_str(segment);
            id.push('/');
            id.push_str(name);
        }
        Ok(Value::str(id))
    }

    /// In language version 2.0 a scope may be the symbolic name of another resource.
    pub(super) fn symbolic_scopes(&self, drafts: &mut [Draft<'s>]) {
        if self.sections.language == Language::One {
            return;
        }
        let ids: std::collections::HashMap<String, Value> =
            drafts.iter().filter_map(|d| d.symbol.as_ref().map(|s| (s.to_lowercase(), d.id.clone()))).collect();
        let prefix = format!("{}/providers/", self.context.scope_id());
        for draft in drafts {
            let symbol = draft.scope_id.as_str().and_then(|s| s.strip_prefix(&prefix)).map(str::to_lowercase);
            if let Some(id) = symbol.and_then(|s| ids.get(&s))
                && draft.extension.is_none()
                && let Ok(own) = self.id_of(id, &draft.kind, &draft.name)
            {
                draft.scope_id = id.clone();
                draft.id = own;
            }
        }
    }
}

/// What is wrong with a name that does not fit its type.
pub(super) fn wrong_name(kind: &str, name: &str, parts: usize) -> String {
    let given = name.split('/').count();
    match (parts, given) {
        _ if name.is_empty() => "the name is empty".to_owned(),
        (0, _) => format!(
            "the type `{kind}` has no namespace, such as `Microsoft.Network` in `Microsoft.Network/virtualNetworks`"
        ),
        _ if parts == given => format!("the name `{name}` has an empty part"),
        (1, _) => format!("the type `{kind}` needs a name without slashes; `{name}` has {given} parts"),
        _ => format!("the type `{kind}` needs a name of {parts} parts between slashes; `{name}` has {given}"),
    }
}

/// A scope as written: absolute, a known root, or relative to the deployment's own scope.
pub(super) fn absolute(scope: &str, own: &str) -> String {
    let trimmed = scope.trim_end_matches('/');
    let lower = trimmed.to_lowercase();
    if scope.starts_with('/') {
        trimmed.to_string()
    } else if lower.starts_with("microsoft.management/managementgroups/") && lower.split('/').count() == 3 {
        format!("/providers/{trimmed}")
    } else if lower.starts_with("subscriptions/") {
        format!("/{trimmed}")
    } else {
        format!("{own}/providers/{trimmed}")
    }
}

pub(super) fn joined(parent: &Value, child: &Value) -> Result<Value, EvalError> {
    formatted("{0}/{1}", &[parent.clone(), child.clone()])
}

/// `format` of values that may be unknown.
pub(super) fn formatted(pattern: &str, args: &[Value]) -> Result<Value, EvalError> {
    if args.iter().all(Value::is_known) {
        let mut out = pattern.to_string();
        for (index, arg) in args.iter().enumerate() {
            out = out.replace(&format!("{{{index}}}"), arg.as_str().map_or("", |t| t));
        }
        return Ok(Value::str(out));
    }
    crate::eval::defer("format", &[&[Value::str(pattern)], args].concat())
}
