//! What `reference()`, `list*()` and key vault references read: the state of the endpoint.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use arm_template::Runtime;

use crate::core::Cx;
use crate::documents::{DeploymentDocument, StackDocument, to_value};
use crate::http::Request;
use crate::id::Path;
use crate::types::security;
use crate::value::set;
use crate::{facts, lookup, providers, types};

/// The state, behind a lock that only one evaluation ever takes.
pub struct StateRuntime<'a, 'b> {
    cx: Mutex<&'a mut Cx<'b>>,
    /// Ids that count as not there: what the deployment itself is about to make.
    hidden: Vec<String>,
    strict: bool,
}

impl<'a, 'b> StateRuntime<'a, 'b> {
    /// Over the state as it is; what is not there is an error, as at deployment time.
    #[must_use]
    pub fn new(cx: &'a mut Cx<'b>) -> Self {
        Self { cx: Mutex::new(cx), hidden: Vec::new(), strict: true }
    }

    /// What is not there, or named in `hidden`, stays unknown: for what-if.
    #[must_use]
    pub fn lenient(cx: &'a mut Cx<'b>, hidden: Vec<String>) -> Self {
        Self { cx: Mutex::new(cx), hidden, strict: false }
    }

    fn read<T>(&self, work: impl FnOnce(&mut Cx<'b>) -> T) -> T {
        let mut guard = self.cx.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut guard)
    }

    fn is_hidden(&self, id: &str) -> bool {
        let key = crate::id::key(id);
        self.hidden.contains(&key)
    }

    fn absent(&self, id: &str) -> Result<Option<Value>, String> {
        if !self.strict {
            return Ok(None);
        }
        Err(lookup::not_found(&Path::of(id)).message)
    }
}

impl Runtime for StateRuntime<'_, '_> {
    fn reference(&self, id: &str, api_version: Option<&str>, full: bool) -> Result<Option<Value>, String> {
        if self.is_hidden(id) {
            return Ok(None);
        }
        let found = self.read(|cx| {
            if let Some(deployment) = cx.store.get::<DeploymentDocument>(id) {
                return Some(deployment.for_reference());
            }
            if let Some(stack) = cx.store.get::<StackDocument>(id) {
                return Some(to_value(&stack.record));
            }
            let path = Path::of(id);
            lookup::find(cx, id).or_else(|| types::virtual_resource(cx, &path))
        });
        let Some(mut body) = found else { return self.absent(id) };
        if !full {
            return Ok(Some(body.get("properties").cloned().unwrap_or_else(|| json!({}))));
        }
        let path = Path::of(id);
        for (key, value) in [
            ("/apiVersion", json!(api_version)),
            ("/referenceApiVersion", json!(api_version)),
            ("/subscriptionId", json!(path.subscription())),
            ("/resourceGroupName", json!(path.group())),
            ("/resourceId", json!(id)),
            ("/condition", json!(true)),
            ("/isConditionTrue", json!(true)),
            ("/isTemplateResource", json!(false)),
            ("/isAction", json!(false)),
            ("/provisioningOperation", json!("Read")),
        ] {
            set(&mut body, key, value);
        }
        Ok(Some(body))
    }

    fn list(
        &self,
        function: &str,
        id: &str,
        api_version: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, String> {
        if self.is_hidden(id) {
            return Ok(None);
        }
        let answer = self.read(|cx| {
            let row = cx.store.row(id)?;
            let mut request = Request { method: "POST".into(), ..Request::default() };
            request.body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
            request.query = vec![("api-version".into(), api_version.unwrap_or_default().into())];
            Some(types::rule(&row.kind).action(cx, &row, &function.to_lowercase(), &request))
        });
        match answer {
            None => self.absent(id),
            Some(Ok(Some(reply))) => Ok(Some(reply.body.unwrap_or_default())),
            Some(Ok(None)) => Err(format!("The resource '{id}' has no action '{function}'.")),
            Some(Err(error)) => Err(error.message),
        }
    }

    // The endpoint stores most types as they are sent: what their service adds is not there, and no mistake of the template.
    fn lacking(&self, id: &str, property: &str) -> Option<String> {
        let kind = self.read(|cx| cx.store.row(id).map(|row| row.kind.clone()))?;
        let known = arm_catalog::lookup(&kind, None).is_some();
        if known && arm_catalog::property(&kind, &format!("/properties/{property}")).is_none() {
            return None;
        }
        Some(format!(
            "The local endpoint does not compute the property '{property}' of the type '{kind}', which Azure may answer."
        ))
    }

    fn function(&self, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
        let text = |at: usize| args.get(at).and_then(Value::as_str).unwrap_or_default();
        match name.to_lowercase().as_str() {
            "keyvaultsecret" => {
                let (vault, secret) = (text(0), text(1));
                let value = self.read(|cx| security::secret_value(cx, vault, secret));
                match value {
                    Some(value) => Ok(Some(json!(value))),
                    None if !self.strict => Ok(None),
                    None => {
                        Err(format!("The specified KeyVault '{vault}' or its secret '{secret}' could not be found."))
                    }
                }
            }
            "roledefinitions" => {
                let wanted = text(0);
                let sub = crate::id::SUBSCRIPTION;
                let found = facts::roles(sub).into_iter().find(|role| {
                    role.pointer("/properties/roleName")
                        .and_then(Value::as_str)
                        .is_some_and(|have| have.eq_ignore_ascii_case(wanted))
                });
                Ok(found.map(|role| json!({ "id": role.get("id"), "roleDefinitionId": role.get("name") })))
            }
            "providers" => providers::function(text(0), text(1)).map(Some),
            _ => Ok(None),
        }
    }
}
