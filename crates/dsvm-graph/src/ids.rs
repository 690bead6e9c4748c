//! Names and ids of resources as texts of a template.

use super::expr::Text;
use super::versions::ResourceType;

/// Name and id of a thing that others refer to.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Text,
    pub(crate) id: Text,
}

impl Named {
    /// A resource without parents in the group that is deployed to.
    pub(crate) fn new(kind: ResourceType, name: impl Into<Text>) -> Self {
        Self::elsewhere(kind, name, None)
    }

    /// A resource without parents, perhaps in another group.
    pub(crate) fn elsewhere(kind: impl AsRef<str>, name: impl Into<Text>, home: Option<&Home>) -> Self {
        let name = name.into();
        Self { id: resource_id(kind, std::slice::from_ref(&name), home), name }
    }

    /// A resource inside of another; its name carries the parents' names.
    pub(crate) fn child(kind: ResourceType, parents: &[Text], name: impl Into<Text>) -> Self {
        let mut path = parents.to_vec();
        path.push(name.into());
        let id = resource_id(kind, &path, None);
        let mut parts = Vec::with_capacity(path.len() * 2);
        for part in path {
            if !parts.is_empty() {
                parts.push(Text::from("/"));
            }
            parts.push(part);
        }
        Self { id, name: Text::concat(&parts) }
    }
}

/// Where an existing resource is: group and subscription, each only when it is not that of the deployment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home {
    pub(crate) group: Option<Text>,
    pub(crate) subscription: Option<Text>,
}

impl Home {
    /// Whether it is another place than the one deployed to.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.group.is_some() || self.subscription.is_some()
    }
}

/// `reference(id, version)`: the runtime state of a resource.
pub(crate) fn reference(id: &Text, kind: ResourceType) -> Text {
    Text::call("reference", &[id.clone(), Text::literal(kind.version)])
}

/// Id of the definition of a role with that GUID.
pub(crate) fn role_definition(role: &str) -> Text {
    Text::call("subscriptionResourceId", &["Microsoft.Authorization/roleDefinitions".into(), role.into()])
}

/// Object id of the system-assigned identity of a resource.
pub(crate) fn principal(id: &Text, kind: ResourceType) -> Text {
    Text::call("reference", &[id.clone(), Text::literal(kind.version), "full".into()]).member("identity.principalId")
}

/// `listKeys(id, version).keys[0].value`: the first key of a storage account.
pub(crate) fn account_key(account: &Text, kind: ResourceType) -> Text {
    let keys = Text::call("listKeys", &[account.clone(), Text::literal(kind.version)]);
    Text::Expression(format!("{}.keys[0].value", keys.inner()))
}

/// `resourceId('type', names…)`, with group and subscription of things elsewhere.
pub(crate) fn resource_id(kind: impl AsRef<str>, names: &[Text], home: Option<&Home>) -> Text {
    let mut arguments = Vec::with_capacity(names.len() + 3);
    if let Some(home) = home.filter(|home| home.is_elsewhere()) {
        arguments.extend(home.subscription.clone());
        let here = || Text::Expression("resourceGroup().name".into());
        arguments.push(home.group.clone().unwrap_or_else(here));
    }
    arguments.push(kind.as_ref().into());
    arguments.extend_from_slice(names);
    Text::call("resourceId", &arguments)
}

/// A name that is unique in all of Azure: a prefix and thirteen letters made of the resource group and a key.
pub(crate) fn unique(prefix: &str, key: &str) -> Text {
    let hash = Text::call("uniqueString", &[Text::Expression("resourceGroup().id".into()), key.into()]);
    Text::concat(&[prefix.into(), hash])
}

/// A name of the source as an identifier of a template: `gpu-night` becomes `gpuNight`.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        } else {
            upper = !out.is_empty();
        }
    }
    out
}

/// Name of the parameter with the size of the machines of a pool: `gpu-night` becomes `gpuNightSize`.
pub(crate) fn size_parameter(pool: &str) -> String {
    format!("{}Size", camel(pool))
}

/// Name of the parameter with the number of machines of a pool: `gpu-night` becomes `gpuNightMachines`.
pub(crate) fn capacity_parameter(pool: &str) -> String {
    format!("{}Machines", camel(pool))
}
