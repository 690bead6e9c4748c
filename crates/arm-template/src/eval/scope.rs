//! What the deployment answers about itself, and resource ids.

use super::{Evaluator, special::misplaced};
use crate::context::{Scope, public_cloud};
use crate::error::EvalError;
use crate::expr::{Call, Expr};
use crate::functions::Special;
use crate::value::{Partial, Value, ValueKind};
use indexmap::IndexMap;
use std::sync::Arc;

/// An object of which only some members are known.
fn partly(expr: Arc<Expr>, known: Value) -> Value {
    ValueKind::Expr(Arc::new(Partial { expr, known: Some(known) })).into()
}

fn text(text: &str) -> Value {
    Value::str(text)
}

impl Evaluator<'_> {
    pub(super) fn resource_group(&self) -> Result<Value, EvalError> {
        if let Some(made) = self.group.get() {
            return Ok(made.clone());
        }
        let made = self.make_resource_group()?;
        Ok(self.group.get_or_init(|| made).clone())
    }

    fn make_resource_group(&self) -> Result<Value, EvalError> {
        let (Some(group), Scope::ResourceGroup) = (&self.context.resource_group, self.context.scope) else {
            return Err(misplaced("resourceGroup", "the deployment is not into a resource group"));
        };
        let mut members: Vec<(&str, Value)> = vec![
            ("id", Value::str(self.context.scope_id())),
            ("name", text(&group.name)),
            ("type", text("Microsoft.Resources/resourceGroups")),
        ];
        let Some(location) = &group.location else {
            if let Some(runtime) = self.runtime
                && let Some(whole) = runtime
                    .function("resourceGroup", &[])
                    .map_err(|e| super::special::runtime_fault("resourceGroup", &e))?
            {
                return Value::from_json(&whole);
            }
            let known = Value::object(members.into_iter().map(|(k, v)| (Arc::from(k), v)).collect())?;
            return Ok(partly(Expr::call("resourceGroup", Vec::new())?, known));
        };
        members.push(("location", text(location)));
        if let Some(managed) = &group.managed_by {
            members.push(("managedBy", text(managed)));
        }
        let tags = group.tags.iter().map(|(k, v)| (Arc::from(k.as_str()), text(v))).collect();
        members.push(("tags", Value::object(tags)?));
        members.push(("properties", Value::record([("provisioningState", text("Succeeded"))])?));
        Value::object(members.into_iter().map(|(k, v)| (Arc::from(k), v)).collect())
    }

    fn tenant_id(&self) -> Result<Value, EvalError> {
        match &self.context.tenant_id {
            Some(id) => Ok(text(id)),
            None => Ok(Value::expr(Expr::member(Expr::call("tenant", Vec::new())?, "tenantId")?)),
        }
    }

    pub(super) fn subscription(&self) -> Result<Value, EvalError> {
        let (Some(id), Scope::ResourceGroup | Scope::Subscription) =
            (&self.context.subscription_id, self.context.scope)
        else {
            return Err(misplaced("subscription", "the deployment is above subscriptions"));
        };
        let mut known: IndexMap<Arc<str>, Value> = IndexMap::new();
        known.insert("id".into(), Value::str(format!("/subscriptions/{id}")));
        known.insert("subscriptionId".into(), text(id));
        known.insert("tenantId".into(), self.tenant_id()?);
        if let Some(name) = &self.context.subscription_name {
            known.insert("displayName".into(), text(name));
            if self.context.tenant_id.is_some() {
                return Value::object(known);
            }
        }
        Ok(partly(Expr::call("subscription", Vec::new())?, Value::object(known)?))
    }

    pub(super) fn tenant(&self) -> Result<Value, EvalError> {
        let mut known: IndexMap<Arc<str>, Value> = IndexMap::new();
        if let Some(id) = &self.context.tenant_id {
            known.insert("tenantId".into(), text(id));
        }
        Ok(partly(Expr::call("tenant", Vec::new())?, Value::object(known)?))
    }

    pub(super) fn management_group(&self) -> Result<Value, EvalError> {
        let (Some(name), Scope::ManagementGroup) = (&self.context.management_group, self.context.scope) else {
            return Err(misplaced("managementGroup", "the deployment is not into a management group"));
        };
        let known = Value::record([
            ("id", Value::str(self.context.scope_id())),
            ("name", text(name)),
            ("type", text("Microsoft.Management/managementGroups")),
        ])?;
        Ok(partly(Expr::call("managementGroup", Vec::new())?, known))
    }

    pub(super) fn deployer(&self) -> Result<Value, EvalError> {
        let call = Expr::call("deployer", Vec::new())?;
        match &self.context.deployer {
            None => Ok(Value::expr(call)),
            Some(who) => Value::record([
                ("objectId", text(&who.object_id)),
                ("tenantId", text(&who.tenant_id)),
                ("userPrincipalName", text(&who.user_principal_name)),
            ]),
        }
    }

    pub(super) fn environment(&self) -> Result<Value, EvalError> {
        match &self.context.cloud {
            Some(cloud) => Value::from_json(cloud),
            None => Value::from_json(&public_cloud()),
        }
    }

    /// The name and id of the deployment, for which its template need not be looked at.
    pub(super) fn deployment_head(&self, member: &str) -> Option<Value> {
        let name = &self.context.deployment_name;
        match member.to_ascii_lowercase().as_str() {
            "name" => Some(text(name)),
            "id" => Some(Value::str(format!(
                "{}/providers/Microsoft.Resources/deployments/{name}",
                self.context.scope_id()
            ))),
            "location" if self.context.scope != Scope::ResourceGroup => self.context.location.as_deref().map(text),
            _ => None,
        }
    }

    pub(super) fn deployment(&self) -> Result<Value, EvalError> {
        if let Some(made) = self.deployment.get() {
            return Ok(made.clone());
        }
        let call = Expr::call("deployment", Vec::new())?;
        let mut parameters = IndexMap::new();
        for (name, given) in self.given {
            if let Some(val) = given.value() {
                parameters.insert(Arc::from(name.as_str()), Value::record([("value", val)])?);
            }
        }
        let mut properties: IndexMap<Arc<str>, Value> = IndexMap::new();
        if let Some(link) = &self.context.template_link {
            let shown = match link.split_once('#') {
                Some((id, _)) if id.starts_with('/') => ("id", text(id)),
                _ => ("uri", text(link)),
            };
            properties.insert("templateLink".into(), Value::record([shown])?);
        }
        properties.insert("template".into(), Value::from_node(self.sections.root)?);
        properties.insert("templateHash".into(), Value::str(crate::hash_of(&self.sections.root.to_value())));
        properties.insert("parameters".into(), Value::object(parameters)?);
        properties.insert("mode".into(), text("Incremental"));
        properties.insert("provisioningState".into(), text("Accepted"));
        let properties = partly(Expr::member(Arc::clone(&call), "properties")?, Value::object(properties)?);
        let mut known: IndexMap<Arc<str>, Value> = IndexMap::new();
        for member in ["name", "location", "id"] {
            known.extend(self.deployment_head(member).map(|val| (Arc::from(member), val)));
        }
        known.insert("properties".into(), properties);
        let made = partly(call, Value::object(known)?);
        Ok(self.deployment.get_or_init(|| made).clone())
    }

    /// A resource id with an unknown name, with the scope written out: it must mean the same wherever it is finished.
    pub(super) fn open_id(&self, what: Special, call: &Call, args: Vec<Value>) -> Result<Value, EvalError> {
        let at = args.iter().position(|a| a.as_str().is_some_and(|t| t.contains('/')));
        let closed = match (what, at) {
            (Special::ResourceId | Special::SubscriptionResourceId | Special::ManagementGroupResourceId, Some(at)) => {
                // The scope is that of an id of one name with the same leading arguments.
                let probe =
                    args.iter().take(at).cloned().chain([Value::str("A.A/a"), Value::str("a")]).collect::<Vec<_>>();
                if probe.iter().all(Value::is_known) {
                    let id = self.resource_id(what, &probe)?;
                    let scope = id.strip_suffix("/providers/A.A/a/a").unwrap_or("");
                    let rest = args.iter().skip(at).cloned();
                    let name = if scope.is_empty() { "tenantResourceId" } else { "extensionResourceId" };
                    let first = (!scope.is_empty()).then(|| Value::str(scope));
                    Some(super::defer(name, &first.into_iter().chain(rest).collect::<Vec<_>>())?)
                } else {
                    None
                }
            }
            _ => None,
        };
        match closed {
            Some(closed) => Ok(closed),
            None => super::defer(&call.name, &args),
        }
    }

    /// `resourceId` and its relatives, with known arguments.
    pub(super) fn resource_id(&self, what: Special, args: &[Value]) -> Result<String, EvalError> {
        let function = match what {
            Special::SubscriptionResourceId => "subscriptionResourceId",
            Special::TenantResourceId => "tenantResourceId",
            Special::ManagementGroupResourceId => "managementGroupResourceId",
            Special::ExtensionResourceId => "extensionResourceId",
            _ => "resourceId",
        };
        let mut texts = Vec::with_capacity(args.len());
        for arg in args {
            texts.push(
                crate::functions::scalar(arg)
                    .filter(|_| !arg.is_null())
                    .ok_or_else(|| crate::functions::wrong_type(function, "String", arg))?,
            );
        }
        let fixed = usize::from(what == Special::ExtensionResourceId);
        let at = texts.iter().skip(fixed).position(|t| t.contains('/')).map(|p| p + fixed);
        let Some((at, kind)) = at.and_then(|at| texts.get(at).map(|kind| (at, kind))) else {
            return Err(id_fault(
                function,
                "the type is missing",
                "no argument is a type such as `Microsoft.Storage/storageAccounts`",
            ));
        };
        let leading = texts.get(..at).unwrap_or(&[]);
        let names = texts.get(at + 1..).unwrap_or(&[]);
        let relative = type_and_names(function, kind, names)?;
        let subscription = self.context.subscription_id.as_deref().unwrap_or("");
        let too_many =
            || id_fault(function, "too many parameters precede the type", "too many arguments stand before the type");
        let scope = match (what, leading) {
            (Special::ExtensionResourceId, [base]) => base.trim_end_matches('/').to_string(),
            (Special::TenantResourceId, []) => String::new(),
            (Special::ManagementGroupResourceId, []) => format!(
                "/providers/Microsoft.Management/managementGroups/{}",
                self.context.management_group.as_deref().unwrap_or("")
            ),
            (Special::ManagementGroupResourceId, [group]) => {
                format!("/providers/Microsoft.Management/managementGroups/{group}")
            }
            (Special::SubscriptionResourceId, []) => format!("/subscriptions/{subscription}"),
            (Special::SubscriptionResourceId, [subscription]) => format!("/subscriptions/{subscription}"),
            (Special::ResourceId, []) => match self.context.scope {
                Scope::ManagementGroup | Scope::Tenant => String::new(),
                _ => self.context.scope_id(),
            },
            (Special::ResourceId, [only])
                if self.context.scope == Scope::Subscription && uuid::Uuid::parse_str(only).is_ok() =>
            {
                format!("/subscriptions/{only}")
            }
            (Special::ResourceId, [group]) => format!("/subscriptions/{subscription}/resourceGroups/{group}"),
            (Special::ResourceId, [subscription, group]) => {
                format!("/subscriptions/{subscription}/resourceGroups/{group}")
            }
            _ => return Err(too_many()),
        };
        Ok(format!("{scope}/providers/{relative}"))
    }
}

fn id_fault(function: &str, reason: &str, sentence: &str) -> EvalError {
    EvalError::new(format!(
        "Unable to evaluate template language function '{function}': {reason}. Please see https://aka.ms/arm-resource-functions#{function} for usage details."
    ))
    .says(format!("`{function}`: {sentence}"))
}

/// `Microsoft.X/a/b` and the names `n1`, `n2` give `Microsoft.X/a/n1/b/n2`.
pub(crate) fn type_and_names(function: &str, kind: &str, names: &[String]) -> Result<String, EvalError> {
    let mut segments = kind.trim_matches('/').split('/');
    let namespace = segments.next().unwrap_or("");
    let segments: Vec<&str> = segments.collect();
    if segments.len() != names.len() || segments.is_empty() {
        return Err(id_fault(
            function,
            &format!("the type '{kind}' requires '{}' resource name argument(s)", segments.len()),
            &format!("the type `{kind}` takes {} names; {} are given", segments.len(), names.len()),
        ));
    }
    let mut out = namespace.to_string();
    for (segment, name) in segments.iter().zip(names) {
        out.push('/');
        out.push_str(segment);
        out.push('/');
        out.push_str(name);
    }
    Ok(out)
}
