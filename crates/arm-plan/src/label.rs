//! What people call a resource whose name says nothing: role assignments have GUIDs for names.

use super::{Desired, Observed, normal};
use serde_json::Value;
use std::collections::HashMap;

const MARK: &str = "/providers/Microsoft.Authorization/roleAssignments/";

/// What people call a role, by its GUID. The caller knows: the list is no business of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct RoleNames(pub fn(&str) -> Option<&'static str>);

impl Default for RoleNames {
    /// Knows no name: roles are shown by their GUIDs.
    fn default() -> Self {
        Self(|_| None)
    }
}

/// Whose principal is whose, as far as existing resources reveal it.
#[derive(Debug, Default)]
pub struct Principals {
    names: HashMap<String, String>,
    roles: RoleNames,
}

impl Principals {
    /// Reads them from what exists; nothing is read where no role is given to anybody.
    #[must_use]
    pub fn of(desired: &Desired, observed: &Observed, roles: RoleNames) -> Self {
        let wanted = desired.resources.iter().any(|r| is_assignment(&r.id));
        if !wanted && !observed.resources.iter().any(|r| is_assignment(&r.id)) {
            return Self { roles, ..Self::default() };
        }
        let known =
            observed.resources.iter().filter(|r| !is_assignment(&r.id) && r.body.text().contains("principalId"));
        let names = known.flat_map(|resource| {
            let (name, body) = (normal::type_of_id(&resource.id).1, resource.body.read());
            let all = ["/properties/principalId", "/identity/principalId"].map(|at| body.pointer(at).cloned());
            let texts = all.into_iter().flatten().filter_map(|p| p.as_str().map(str::to_ascii_lowercase));
            texts.map(|principal| (principal, name.clone())).collect::<Vec<_>>()
        });
        Self { names: names.collect(), roles }
    }

    /// A readable label, such as `role Reader for id-team on stteam`; `None` where the name is readable already. `body` is
    /// the desired or the observed resource.
    #[must_use]
    pub fn label(&self, id: &str, body: &Value) -> Option<String> {
        if !is_assignment(id) {
            return None;
        }
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty());
        let definition = text("/properties/roleDefinitionId")?;
        let definition = definition.trim_end_matches(['/', ']', ')', '\'']).rsplit(['/', '\'']).next()?;
        let role = (self.roles.0)(definition).unwrap_or(definition);
        let principal = text("/properties/principalId").and_then(|p| self.principal(p));
        let whom = principal.map(|name| format!(" for {name}")).unwrap_or_default();
        Some(format!("role {role}{whom} on {}", scope(id)))
    }

    /// The name of an identity, the id of a principal that nothing here has, or nothing when it is not known yet at all.
    fn principal(&self, value: &str) -> Option<String> {
        if !value.starts_with('[') {
            return Some(self.names.get(&value.to_ascii_lowercase()).cloned().unwrap_or_else(|| value.to_owned()));
        }
        // Looked up by the deployment: `[reference('/subscriptions/…/id-team', …).principalId]`
        let id = value.split('\'').find(|part| normal::is_id(part))?;
        Some(normal::type_of_id(id).1)
    }
}

fn is_assignment(id: &str) -> bool {
    let mut parts = id.trim_end_matches('/').rsplit('/').skip(1);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("roleAssignments"))
        && parts.next().is_some_and(|provider| provider.eq_ignore_ascii_case("Microsoft.Authorization"))
}

/// What the role is given on.
fn scope(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    let scope = lower.rfind(&MARK.to_ascii_lowercase()).and_then(|at| id.get(..at)).unwrap_or_default();
    let (kind, name) = normal::type_of_id(scope);
    match kind.as_str() {
        "Microsoft.Resources/subscriptions" => "the subscription".to_owned(),
        "Microsoft.Resources/resourceGroups" => format!("resource group {name}"),
        _ => name,
    }
}

/// What kind of resource it is and its name: `virtualMachineScaleSets vmss-team`, or its label.
#[must_use]
pub fn titled(resource_type: &str, name: &str, label: Option<&str>) -> String {
    match label {
        Some(label) => label.to_owned(),
        None => format!("{} {name}", resource_type.rsplit('/').next().unwrap_or(resource_type)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/s-0000000000/resourceGroups/rg";

    fn assignment(scope: &str) -> String {
        format!("{GROUP}{scope}{MARK}82b20b88-25a9-52e2-b46b-1f0b3283ac53")
    }

    fn given(role: &str, principal: &str) -> Value {
        json!({ "properties": { "roleDefinitionId": format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}"), "principalId": principal } })
    }

    fn role_name(id: &str) -> Option<&'static str> {
        id.eq_ignore_ascii_case("a235d3ee-5935-4cfb-8cc5-a3303ad5995e").then_some("Storage File Data SMB MI Admin")
    }

    #[test]
    fn a_role_is_named_by_what_it_gives_to_whom_and_where() {
        let identity = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-team");
        let id = assignment("/providers/Microsoft.Storage/storageAccounts/stteam");
        let shown = [
            json!({ "id": identity, "properties": { "principalId": "AAAA" } }),
            json!({ "id": id, "properties": { "principalId": "aaaa" } }),
        ];
        let observed = Observed::of(&shown, vec![]);
        let names = Principals::of(&Desired::default(), &observed, RoleNames(role_name));
        let role = "A235D3EE-5935-4cfb-8cc5-a3303ad5995e";
        let label = |id: &str, role: &str, principal: &str| names.label(id, &given(role, principal)).unwrap();
        let full = "role Storage File Data SMB MI Admin for id-team on stteam";
        assert_eq!(label(&id, role, "aaaa"), full);
        assert_eq!(label(&id, role, &format!("[reference('{identity}', '2024-11-30').principalId]")), full);
        // What is not known stays as it is.
        assert_eq!(label(&id, "cccc", "bbbb"), "role cccc for bbbb on stteam");
        let wide = label(&assignment(""), role, "[parameters('who')]");
        assert_eq!(wide, "role Storage File Data SMB MI Admin on resource group rg");
        assert_eq!(names.label(&identity, &json!({})), None);
        assert_eq!(names.label(&id, &json!({})), None);
    }
}
