//! The calls that dsvmc makes, by name.

use super::Client;
use super::error::AzureError;
use super::limits::PageCount;
use super::transport::{Method, Reply};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// API version of deployments.
const DEPLOYMENTS_API: &str = "2025-04-01";
/// API version of deployment stacks.
const STACKS_API: &str = "2025-07-01";
/// API version of key vaults, for those that were deleted.
pub const VAULTS_API: &str = "2023-07-01";
/// API version of resource groups and lists of resources.
const RESOURCES_API: &str = "2024-11-01";

const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'(').remove(b')').remove(b'~');

/// How a template is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// As a deployment stack: what is no longer in the template is deleted or detached.
    Stack,
    /// As a plain deployment: nothing is ever deleted.
    Plain,
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl Client {
    fn group_path(&self, group: &str) -> String {
        format!("/subscriptions/{}/resourceGroups/{}", segment(&self.subscription), segment(group))
    }

    fn deployment_path(&self, group: &str, name: &str, action: &str) -> String {
        format!(
            "{}/providers/Microsoft.Resources/deployments/{}{action}?api-version={DEPLOYMENTS_API}",
            self.group_path(group),
            segment(name)
        )
    }

    fn stack_path(&self, group: &str, name: &str) -> String {
        format!(
            "{}/providers/Microsoft.Resources/deploymentStacks/{}?api-version={STACKS_API}",
            self.group_path(group),
            segment(name)
        )
    }

    /// `None` for an answer that says that nothing is there. An answer without an object is neither: to take it for a
    /// resource would compare with nothing, to take it for none would create it again.
    pub(super) fn maybe(result: Result<Reply, AzureError>) -> Result<Option<Value>, AzureError> {
        match result {
            Ok(reply) if reply.status == 204 => Ok(None),
            Ok(reply) if reply.body.is_object() => Ok(Some(reply.body)),
            Ok(_) => Err(AzureError::Protocol("the service answered no object where one was asked for".to_owned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The subscription, if this credential may see it.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn subscription(&self) -> Result<Value, AzureError> {
        let path = format!("/subscriptions/{}?api-version=2022-12-01", segment(&self.subscription));
        Ok(self.send(Method::Get, &path, None)?.body)
    }

    /// Reads a resource group; `None` when it does not exist.
    ///
    /// # Errors
    /// The call failed; that it does not exist is no error.
    pub fn resource_group(&self, name: &str) -> Result<Option<Value>, AzureError> {
        let path = format!("{}?api-version={RESOURCES_API}", self.group_path(name));
        Self::maybe(self.send(Method::Get, &path, None))
    }

    /// Creates a resource group, or sets its tags.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn put_resource_group(&self, name: &str, location: &str, tags: &Value) -> Result<Value, AzureError> {
        let path = format!("{}?api-version={RESOURCES_API}", self.group_path(name));
        let mut body = json!({ "location": location });
        if let (Some(map), false) = (body.as_object_mut(), tags.is_null()) {
            map.insert("tags".to_owned(), tags.clone());
        }
        Ok(self.send(Method::Put, &path, Some(&body))?.body)
    }

    /// Every resource of a group, envelopes only.
    ///
    /// # Errors
    /// The call failed; a group that does not exist has no resources.
    pub fn list_resources(&self, group: &str) -> Result<Vec<Value>, AzureError> {
        let path = format!("{}/resources?api-version={RESOURCES_API}", self.group_path(group));
        match self.pages(&path) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => other,
        }
    }

    /// All pages of a list.
    ///
    /// # Errors
    /// The call for one of the pages failed.
    pub fn pages(&self, path: &str) -> Result<Vec<Value>, AzureError> {
        let mut all = Vec::new();
        self.each_of(path, &mut |item| all.push(item))?;
        Ok(all)
    }

    /// Each item of a list, page by page. What is no list is an error: taken for an empty one, it would look as if nothing
    /// was there.
    pub(super) fn each_of(&self, path: &str, item: &mut dyn FnMut(Value)) -> Result<(), AzureError> {
        self.each(path, &|url| self.raw(url), item)
    }

    /// All pages of a list that nothing depends on: a page that does not come at once is not asked for again.
    ///
    /// # Errors
    /// The call for one of the pages failed.
    pub fn pages_at_once(&self, path: &str) -> Result<Vec<Value>, AzureError> {
        let mut all = Vec::new();
        self.each(path, &|url| self.raw_once(url), &mut |item| all.push(item))?;
        Ok(all)
    }

    fn each(
        &self,
        path: &str,
        read: &dyn Fn(&str) -> Result<Reply, AzureError>,
        item: &mut dyn FnMut(Value),
    ) -> Result<(), AzureError> {
        let (host, limits) = (self.transport.host(), self.transport.limits());
        let mut count = PageCount::default();
        let mut next = Some(path.to_owned());
        while let Some(url) = next {
            count.ask(&url, &host, limits)?;
            let reply = read(&url)?;
            if reply.status == 204 {
                return Ok(());
            }
            let Some(page) = super::pages::cut(&reply.text) else {
                // Broken JSON says where; anything else is only another kind of answer.
                self.transport.json(&reply.text)?;
                return Err(AzureError::Protocol(format!("`{host}` answered no list where one was asked for")));
            };
            count.came(reply.text.len(), page.items.len(), &host, limits)?;
            for one in page.items {
                item(self.transport.json(one)?);
            }
            next = match page.rest.get("nextLink") {
                None | Some(Value::Null) => None,
                Some(Value::String(link)) if link.is_empty() => None,
                Some(Value::String(link)) => Some(link.clone()),
                Some(_) => {
                    return Err(AzureError::Protocol(format!("`{host}` answered a `nextLink` that is no text")));
                }
            };
        }
        Ok(())
    }

    /// Reads one resource; `None` when it does not exist.
    ///
    /// # Errors
    /// The call failed; that it does not exist is no error.
    pub fn resource(&self, id: &str, api_version: &str) -> Result<Option<Value>, AzureError> {
        Self::maybe(self.send(Method::Get, &format!("{id}?api-version={api_version}"), None))
    }

    /// Deletes one resource and waits until it is gone; one that does not exist is gone already.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn delete_resource(&self, id: &str, api_version: &str) -> Result<(), AzureError> {
        // deleting a compute of Azure Machine Learning requires saying whether the underlying resource is deleted too
        let compute = id.to_ascii_lowercase().contains("/microsoft.machinelearningservices/")
            && id.rsplit('/').nth(1).is_some_and(|kind| kind.eq_ignore_ascii_case("computes"));
        let more = if compute { "&underlyingResourceAction=Delete" } else { "" };
        match self.send(Method::Delete, &format!("{id}?api-version={api_version}{more}"), None) {
            Ok(reply) => match self.finish(reply) {
                Err(error) if !error.is_not_found() => Err(error),
                _ => Ok(()),
            },
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The deleted key vaults of the subscription that can still be recovered.
    ///
    /// # Errors
    /// The call failed or was refused: it needs a right on the subscription.
    pub fn deleted_vaults(&self) -> Result<Vec<Value>, AzureError> {
        let scope = segment(&self.subscription);
        self.pages(&format!(
            "/subscriptions/{scope}/providers/Microsoft.KeyVault/deletedVaults?api-version={VAULTS_API}"
        ))
    }

    /// Writes a resource and waits for the end of the operation.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn put_resource(&self, id: &str, api_version: &str, body: &Value) -> Result<(), AzureError> {
        let reply = self.send(Method::Put, &format!("{id}?api-version={api_version}"), Some(body))?;
        self.finish(reply).map(|_| ())
    }

    /// Updates a part of a resource and waits for the end of the operation.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn patch_resource(&self, id: &str, api_version: &str, body: &Value) -> Result<(), AzureError> {
        let reply = self.send(Method::Patch, &format!("{id}?api-version={api_version}"), Some(body))?;
        self.finish(reply).map(|_| ())
    }

    /// Lets the service validate a template.
    ///
    /// # Errors
    /// The template is refused, or the call failed.
    pub fn validate(&self, group: &str, name: &str, template: &Value, parameters: &Value) -> Result<Value, AzureError> {
        let body = deployment_body(template, parameters);
        let reply = self.send(Method::SafePost, &self.deployment_path(group, name, "/validate"), Some(&body))?;
        let body = self.finish(reply)?;
        match body.get("error").filter(|e| e.is_object()) {
            Some(error) => Err(AzureError::Service(Box::new(super::ServiceError {
                status: 400,
                ..super::ServiceError::of(error)
            }))),
            None => Ok(body),
        }
    }

    /// Starts an incremental deployment of a template.
    ///
    /// # Errors
    /// The service refused it, or the call failed.
    pub fn put_deployment(
        &self,
        group: &str,
        name: &str,
        template: &Value,
        parameters: &Value,
    ) -> Result<Reply, AzureError> {
        self.send(Method::Put, &self.deployment_path(group, name, ""), Some(&deployment_body(template, parameters)))
    }

    /// Reads a deployment; `None` when it does not exist.
    ///
    /// # Errors
    /// The call failed; that it does not exist is no error.
    pub fn deployment(&self, group: &str, name: &str) -> Result<Option<Value>, AzureError> {
        Self::maybe(self.send(Method::Get, &self.deployment_path(group, name, ""), None))
    }

    /// What a deployment did so far, resource by resource.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn operations(&self, group: &str, name: &str) -> Result<Vec<Value>, AzureError> {
        self.pages(&format!(
            "{}/deployments/{}/operations?api-version={DEPLOYMENTS_API}",
            self.group_path(group),
            segment(name)
        ))
    }

    /// As [`Client::operations`], for a deployment given by its full id.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn operations_of(&self, deployment_id: &str) -> Result<Vec<Value>, AzureError> {
        // The list is below the scope, without the provider's name.
        let at = deployment_id.to_ascii_lowercase().find("/providers/microsoft.resources/deployments/");
        let (scope, rest) = at.and_then(|at| deployment_id.split_at_checked(at)).unwrap_or((deployment_id, ""));
        let name = rest.rsplit('/').next().unwrap_or_default();
        self.pages(&format!("{scope}/deployments/{name}/operations?api-version={DEPLOYMENTS_API}"))
    }

    /// Asks the service to stop a deployment. One that is over already is no error.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn cancel(&self, group: &str, name: &str) -> Result<(), AzureError> {
        match self.send(Method::Post, &self.deployment_path(group, name, "/cancel"), None) {
            Err(error) if !matches!(error.status(), Some(404 | 409)) => Err(error),
            _ => Ok(()),
        }
    }

    /// What the service itself says a deployment would change.
    ///
    /// # Errors
    /// The template is refused, or the call failed.
    pub fn what_if(&self, group: &str, name: &str, template: &Value, parameters: &Value) -> Result<Value, AzureError> {
        let mut body = deployment_body(template, parameters);
        if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("whatIfSettings".to_owned(), json!({ "resultFormat": "FullResourcePayloads" }));
        }
        let reply = self.send(Method::SafePost, &self.deployment_path(group, name, "/whatIf"), Some(&body))?;
        let body = self.finish(reply)?;
        match body.get("error").filter(|e| e.is_object()) {
            Some(error) => Err(AzureError::Service(Box::new(super::ServiceError {
                status: 400,
                ..super::ServiceError::of(error)
            }))),
            None => Ok(body),
        }
    }

    /// Reads a deployment stack; `None` when it does not exist.
    ///
    /// # Errors
    /// The call failed; that it does not exist is no error.
    pub fn stack(&self, group: &str, name: &str) -> Result<Option<Value>, AzureError> {
        Self::maybe(self.send(Method::Get, &self.stack_path(group, name), None))
    }

    /// The template that a stack was last deployed with; `None` when there is no such stack.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn stack_template(&self, group: &str, name: &str) -> Result<Option<Value>, AzureError> {
        let path = self.stack_path(group, name).replacen("?api-version", "/exportTemplate?api-version", 1);
        self.template(&path)
    }

    /// The template that a deployment was last made with; `None` when there is no such deployment.
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn deployment_template(&self, group: &str, name: &str) -> Result<Option<Value>, AzureError> {
        self.template(&self.deployment_path(group, name, "/exportTemplate"))
    }

    fn template(&self, path: &str) -> Result<Option<Value>, AzureError> {
        let exported = Self::maybe(self.send(Method::SafePost, path, None))?;
        Ok(exported.and_then(|mut body| body.get_mut("template").map(Value::take)))
    }

    /// The deployment stacks of a group.
    ///
    /// # Errors
    /// The call failed; a group that does not exist has none.
    pub fn list_stacks(&self, group: &str) -> Result<Vec<Value>, AzureError> {
        let path = format!(
            "{}/providers/Microsoft.Resources/deploymentStacks?api-version={STACKS_API}",
            self.group_path(group)
        );
        match self.pages(&path) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => other,
        }
    }

    /// Starts the creation or the update of a deployment stack.
    ///
    /// # Errors
    /// The service refused it, or the call failed.
    pub fn put_stack(&self, group: &str, name: &str, body: &Value) -> Result<Reply, AzureError> {
        self.send(Method::Put, &self.stack_path(group, name), Some(body))
    }

    /// Starts the deletion of a stack, with its resources (`delete`) or without (`detach`).
    ///
    /// # Errors
    /// The service refused it, or the call failed.
    pub fn delete_stack(&self, group: &str, name: &str, action: &str) -> Result<Reply, AzureError> {
        let path = format!(
            "{}&unmanageAction.Resources={action}&unmanageAction.ResourceGroups=detach&unmanageAction.ManagementGroups=detach&unmanageAction.ResourcesWithoutDeleteSupport=detach",
            self.stack_path(group, name)
        );
        self.send(Method::Delete, &path, None)
    }
}

/// The body of a deployment: incremental, with the template in it.
pub(super) fn deployment_body(template: &Value, parameters: &Value) -> Value {
    let mut properties = Map::new();
    properties.insert("mode".to_owned(), Value::from("Incremental"));
    properties.insert("template".to_owned(), template.clone());
    properties.insert("parameters".to_owned(), parameters.clone());
    json!({ "properties": properties })
}
