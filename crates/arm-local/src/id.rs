//! Resource ids: from a request path to the scope, provider, types and names it means, in Azure's own casing.

use crate::names;

/// The subscription of the endpoint.
pub const SUBSCRIPTION: &str = "11111111-1111-4111-8111-111111111111";
/// The tenant of the endpoint.
pub const TENANT: &str = "22222222-2222-4222-8222-222222222222";

/// A path below ARM's root, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Everything before the last `providers/` segment, in canonical casing (`/subscriptions/…/resourceGroups/…`).
    pub scope: String,
    /// The provider's namespace (`Microsoft.Compute`), when there is a `providers/` segment.
    pub namespace: Option<String>,
    /// Type segments, outermost first (`virtualMachineScaleSets`, `virtualMachines`).
    pub types: Vec<String>,
    /// Names; one fewer than the types when the path is a collection or an action.
    pub names: Vec<String>,
    /// Segments behind the scope when there is no `providers/` segment (`deployments/x/operations`).
    pub rest: Vec<String>,
}

impl Path {
    /// Takes a path apart. Never fails: what is not understood ends up in `rest`.
    #[must_use]
    pub fn parse(segments: &[String]) -> Self {
        let split = segments.iter().rposition(|part| part.eq_ignore_ascii_case("providers"));
        let is_group_provider = |at: usize| {
            // `/providers/Microsoft.Management/managementGroups/{mg}` is a scope when more follows.
            segments.get(at + 1).is_some_and(|ns| ns.eq_ignore_ascii_case("Microsoft.Management"))
                && segments.get(at + 2).is_some_and(|ty| ty.eq_ignore_ascii_case("managementGroups"))
                && segments.len() > at + 4
        };
        match split {
            Some(at) if is_group_provider(at) => {
                let (scope, rest) = segments.split_at(at + 4);
                Self { scope: canonical_scope(scope), rest: rest.to_vec(), ..Self::default() }
            }
            Some(at) => {
                let (scope, provider) = segments.split_at(at);
                let mut rest = provider.iter().skip(1);
                let namespace = rest.next().cloned();
                let mut path = Self { scope: canonical_scope(scope), namespace, ..Self::default() };
                while let Some(kind) = rest.next() {
                    path.types.push(kind.clone());
                    if let Some(name) = rest.next() {
                        path.names.push(name.clone());
                    }
                }
                path.canonicalise();
                path
            }
            None => {
                let scoped = match segments {
                    [a, _, b, _, ..] if is(a, "subscriptions") && is(b, "resourcegroups") => 4,
                    [a, _, ..] if is(a, "subscriptions") => 2,
                    _ => 0,
                };
                let (scope, rest) = segments.split_at(scoped.min(segments.len()));
                Self { scope: canonical_scope(scope), rest: rest.to_vec(), ..Self::default() }
            }
        }
    }

    /// Takes a written id apart (`/subscriptions/…`).
    #[must_use]
    pub fn of(id: &str) -> Self {
        let segments: Vec<String> = id.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self::parse(&segments)
    }

    fn canonicalise(&mut self) {
        if let Some(namespace) = &self.namespace {
            let (namespace, types) = names::canonical(namespace, &self.types);
            self.namespace = Some(namespace);
            self.types = types;
        }
    }

    /// The type with its namespace (`Microsoft.Compute/virtualMachineScaleSets/virtualMachines`).
    #[must_use]
    pub fn resource_type(&self) -> String {
        let mut out = self.namespace.clone().unwrap_or_default();
        for part in &self.types {
            out.push('/');
            out.push_str(part);
        }
        out
    }

    /// Whether the path names one resource (as many names as types).
    #[must_use]
    pub fn is_resource(&self) -> bool {
        self.namespace.is_some() && !self.types.is_empty() && self.types.len() == self.names.len()
    }

    /// The id in canonical casing.
    #[must_use]
    pub fn id(&self) -> String {
        let mut out = self.scope.clone();
        if let Some(namespace) = &self.namespace {
            out.push_str("/providers/");
            out.push_str(names::id_namespace(namespace, &self.types));
            for (at, part) in self.types.iter().enumerate() {
                out.push('/');
                out.push_str(names::id_segment(namespace, part));
                if let Some(name) = self.names.get(at) {
                    out.push('/');
                    out.push_str(name);
                }
            }
        } else {
            for part in &self.rest {
                out.push('/');
                out.push_str(part);
            }
        }
        out
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The last type segment.
    #[must_use]
    pub fn last_type(&self) -> &str {
        self.types.last().map_or("", String::as_str)
    }

    /// The outermost resource of the path: its first type and name.
    #[must_use]
    pub fn first(&self) -> Self {
        let mut first = self.clone();
        first.types.truncate(1);
        first.names.truncate(1);
        first
    }

    /// The containing resource (`…/virtualNetworks/v` of `…/virtualNetworks/v/subnets/s`), if it is a child.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.types.len() < 2 {
            return None;
        }
        let mut parent = self.clone();
        parent.types.pop();
        parent.names.truncate(parent.types.len());
        Some(parent)
    }

    /// The subscription id, if any.
    #[must_use]
    pub fn subscription(&self) -> Option<&str> {
        let mut parts = self.scope.split('/').skip(1);
        match (parts.next(), parts.next()) {
            (Some("subscriptions"), Some(id)) => Some(id),
            _ => None,
        }
    }

    /// The resource group's name, if any.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let mut parts = self.scope.split('/').skip(1);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("subscriptions"), Some(_), Some("resourceGroups"), Some(name)) => Some(name),
            _ => None,
        }
    }
}

/// Whether a part of a path can be a name: no slash, no control character, not a step to a parent.
#[must_use]
pub fn is_name(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && !part.chars().any(|c| c == '/' || c == '\\' || c.is_control())
}

/// The key under which an id is stored: lower case, no trailing slash.
#[must_use]
pub fn key(id: &str) -> String {
    id.trim_end_matches('/').to_lowercase()
}

/// The resource group's id that holds `id`, if it is inside one.
#[must_use]
pub fn group_of(id: &str) -> Option<String> {
    let mut parts = id.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(a), Some(sub), Some(b), Some(group)) if is(a, "subscriptions") && is(b, "resourcegroups") => {
            Some(format!("/subscriptions/{sub}/resourceGroups/{group}"))
        }
        _ => None,
    }
}

fn is(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

fn canonical_scope(segments: &[String]) -> String {
    let mut out = String::new();
    let mut inner: Option<usize> = None;
    for (at, part) in segments.iter().enumerate() {
        out.push('/');
        let known = if is(part, "subscriptions") && at == 0 {
            "subscriptions"
        } else if is(part, "resourcegroups") && at == 2 {
            "resourceGroups"
        } else if is(part, "providers") {
            inner = Some(at);
            "providers"
        } else {
            part
        };
        out.push_str(known);
    }
    match inner {
        // an extension's scope is itself a resource: give it its canonical casing too
        Some(_) => {
            let path = Path::parse_plain(segments);
            path.id()
        }
        None => out,
    }
}

impl Path {
    /// Like `parse`, for a scope that is a resource: never treats a management group as a bare scope.
    fn parse_plain(segments: &[String]) -> Self {
        let Some(at) = segments.iter().rposition(|part| part.eq_ignore_ascii_case("providers")) else {
            return Self::parse(segments);
        };
        let (scope, provider) = segments.split_at(at);
        let mut path = Self { scope: canonical_scope(scope), namespace: provider.get(1).cloned(), ..Self::default() };
        for pair in provider.get(2..).unwrap_or_default().chunks(2) {
            path.types.extend(pair.first().cloned());
            path.names.extend(pair.get(1).cloned());
        }
        path.canonicalise();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casing_is_made_canonical_and_names_keep_theirs() {
        let path = Path::of(
            "/SUBSCRIPTIONS/s/resourcegroups/MyRg/providers/microsoft.compute/VIRTUALMACHINESCALESETS/Pool/virtualmachines/0",
        );
        assert_eq!(
            path.id(),
            "/subscriptions/s/resourceGroups/MyRg/providers/Microsoft.Compute/virtualMachineScaleSets/Pool/virtualMachines/0"
        );
        assert_eq!(path.resource_type(), "Microsoft.Compute/virtualMachineScaleSets/virtualMachines");
        assert_eq!(path.group(), Some("MyRg"));
        assert_eq!(path.parent().map(|p| p.name().to_owned()), Some("Pool".into()));
    }

    #[test]
    fn autoscale_ids_are_in_lower_case_as_the_service_writes_them() {
        let path = Path::of("/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/a");
        assert_eq!(path.id(), "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/autoscalesettings/a");
        assert_eq!(path.resource_type(), "Microsoft.Insights/autoscaleSettings");
    }

    #[test]
    fn an_extension_resource_keeps_its_scope() {
        let path = Path::of(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageaccounts/a/providers/Microsoft.Authorization/roleAssignments/r",
        );
        assert_eq!(path.scope, "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a");
        assert_eq!(path.resource_type(), "Microsoft.Authorization/roleAssignments");
    }

    #[test]
    fn paths_without_a_provider_keep_the_rest() {
        let path = Path::of("/subscriptions/s/resourcegroups/g/deployments/d/operations");
        assert_eq!((path.scope.as_str(), path.rest.len()), ("/subscriptions/s/resourceGroups/g", 3));
        let path = Path::of("/providers/Microsoft.Management/managementGroups/mg/deployments/d/operations");
        assert_eq!(path.scope, "/providers/Microsoft.Management/managementGroups/mg");
        let path =
            Path::of("/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Resources/deployments/d");
        assert_eq!(path.scope, "/providers/Microsoft.Management/managementGroups/mg");
        assert_eq!(path.resource_type(), "Microsoft.Resources/deployments");
    }
}
