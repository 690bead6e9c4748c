//! Identities, role assignments, locks, key vaults and their secrets.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::{SUBSCRIPTION, TENANT};
use crate::rule::{Rule, WriteContext};
use crate::types::{deleted, service_endpoints};
use crate::value::set;

pub struct Identity;

pub struct RoleAssignment;

pub struct Lock;

pub struct Vault;

/// A secret of a key vault: its value goes in and never comes back.
pub struct Secret;

/// The user-assigned identities after an update: a PUT lists all of them, a PATCH those that change, and a type without
/// them takes all away (Microsoft Learn, "Configure managed identities on Azure virtual machines", templates and REST).
pub fn settle_identities(body: &mut Value, sent: &Value, patch: bool) {
    let Some(kind) = sent.pointer("/identity/type").and_then(Value::as_str).map(str::to_lowercase) else { return };
    let Some(identity) = body.get_mut("identity").and_then(Value::as_object_mut) else { return };
    if !kind.contains("userassigned") {
        identity.shift_remove("userAssignedIdentities");
    }
    let listed = sent.pointer("/identity/userAssignedIdentities").and_then(Value::as_object).filter(|_| !patch);
    let held = identity.get_mut("userAssignedIdentities").and_then(Value::as_object_mut);
    if let (Some(listed), Some(held)) = (listed, held) {
        held.retain(|id, _| listed.keys().any(|one| one.eq_ignore_ascii_case(id)));
    }
}

/// Fills `identity.principalId` and the ids of user-assigned identities, as every provider does. An assignment is made once:
/// an identity that was deleted and created again has another principal, and the resource that still refers to it shows
/// none until the identity is taken off and assigned again (a maintainer of Microsoft in
/// <https://github.com/Azure/aad-pod-identity/issues/725>; Microsoft Learn, "Manage user-assigned managed identities").
///
/// # Errors
/// `FailedIdentityOperation` for a user-assigned identity that is not there.
pub fn identity(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    let Some(kind) = put.text("/identity/type").map(str::to_lowercase) else { return Ok(()) };
    if kind.contains("systemassigned") {
        let before = put.old.as_ref().and_then(|old| old.text("/identity/principalId").map(str::to_owned));
        let principal = before.unwrap_or_else(|| put.cx.unique());
        put.set("/identity/principalId", json!(principal));
        put.set("/identity/tenantId", json!(TENANT));
    }
    let ids: Vec<String> = put
        .at("/identity/userAssignedIdentities")
        .and_then(Value::as_object)
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default();
    for id in ids {
        let Some(row) = put.cx.store.row(&id) else {
            return Err(ArmError::bad(
                "FailedIdentityOperation",
                format!(
                    "Identity operation for resource '{}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: the identity '{id}' was not found.'.",
                    put.path.id()
                ),
            ));
        };
        let before = put.old.as_ref().and_then(|old| {
            let held = old.at("/identity/userAssignedIdentities")?.as_object()?;
            held.iter()
                .find(|(have, _)| have.eq_ignore_ascii_case(&id))
                .map(|(_, entry)| entry.get("principalId").cloned())
        });
        let kept = before.is_some_and(|before| before.as_ref() != row.at("/properties/principalId"));
        let shown = match kept {
            true => json!({ "principalId": null, "clientId": null }),
            false => {
                json!({ "principalId": row.at("/properties/principalId"), "clientId": row.at("/properties/clientId") })
            }
        };
        if let Some(map) = put.body.pointer_mut("/identity/userAssignedIdentities").and_then(Value::as_object_mut) {
            map.insert(id, shown);
        }
    }
    Ok(())
}

impl Rule for Identity {
    fn needs_location(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name();
        let legal = (3..=128).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !legal {
            return Err(ArmError::bad(
                "InvalidResourceName",
                format!(
                    "Resource name '{name}' is invalid: 3 to 128 letters, digits, '-' and '_', a letter or digit first."
                ),
            ));
        }
        let old = put.old.clone();
        for key in ["principalId", "clientId"] {
            let pointer = format!("/properties/{key}");
            let before = old.as_ref().and_then(|old| old.text(&pointer).map(str::to_owned));
            let value = before.unwrap_or_else(|| put.cx.unique());
            put.set(&pointer, json!(value));
        }
        put.set("/properties/tenantId", json!(TENANT));
        Ok(())
    }
}

impl Rule for RoleAssignment {
    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if uuid::Uuid::parse_str(&name).is_err() {
            return Err(ArmError::bad(
                "InvalidRoleAssignmentId",
                format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."),
            ));
        }
        let (Some(role), Some(principal)) =
            (put.text("/properties/roleDefinitionId"), put.text("/properties/principalId"))
        else {
            return Err(ArmError::bad("InvalidRequestContent", "roleDefinitionId and principalId are required."));
        };
        if uuid::Uuid::parse_str(principal).is_err() {
            return Err(ArmError::bad(
                "InvalidPrincipalId",
                format!("A valid principal ID must be provided for role assignment: '{principal}' is no GUID."),
            ));
        }
        let last = role.rsplit('/').next().unwrap_or_default().to_owned();
        if uuid::Uuid::parse_str(&last).is_err() {
            return Err(ArmError::bad(
                "RoleDefinitionDoesNotExist",
                format!("The specified role definition with ID '{last}' does not exist."),
            ));
        }
        let (role, principal) = (role.to_owned(), principal.to_owned());
        if let Some(old) = &put.old {
            let same = old
                .text("/properties/roleDefinitionId")
                .is_some_and(|have| have.to_lowercase().ends_with(&last.to_lowercase()))
                && old.text("/properties/principalId").is_some_and(|have| have.eq_ignore_ascii_case(&principal));
            if !same {
                return Err(ArmError::conflict(
                    "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
                ));
            }
        }
        let scope = put.path.scope.clone();
        let own = put.path.id();
        let twin = put.cx.store.of_kind("Microsoft.Authorization/roleAssignments").into_iter().find(|row| {
            !row.id.eq_ignore_ascii_case(&own)
                && row.text("/properties/scope").is_some_and(|have| have.eq_ignore_ascii_case(&scope))
                && row.text("/properties/principalId").is_some_and(|have| have.eq_ignore_ascii_case(&principal))
                && row
                    .text("/properties/roleDefinitionId")
                    .is_some_and(|have| have.to_lowercase().ends_with(&last.to_lowercase()))
        });
        if let Some(twin) = twin {
            return Err(ArmError::conflict(
                "RoleAssignmentExists",
                format!(
                    "The role assignment already exists. The ID of the conflicting role assignment is {}.",
                    twin.name.replace('-', "")
                ),
            ));
        }
        let sub = put.path.subscription().unwrap_or(SUBSCRIPTION).to_owned();
        if !role.to_lowercase().starts_with("/subscriptions/") {
            put.set(
                "/properties/roleDefinitionId",
                json!(format!("/subscriptions/{sub}/providers/Microsoft.Authorization/roleDefinitions/{last}")),
            );
        }
        let now = put.cx.now.to_string();
        put.set("/properties/scope", json!(if scope.is_empty() { "/" } else { &scope }));
        put.default("/properties/principalType", json!("ServicePrincipal"));
        put.default("/properties/createdOn", json!(now));
        put.set("/properties/updatedOn", json!(now));
        let caller = put.cx.caller.clone();
        let before = put.old.as_ref().and_then(|old| old.at("/properties/createdBy").cloned());
        put.set("/properties/createdBy", before.unwrap_or_else(|| json!(caller)));
        put.set("/properties/updatedBy", json!(caller));
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        if request.method == "PUT" && row.created == row.changed {
            // recorded: who made it is not said yet when it is made
            set(&mut body, "/properties/createdBy", Value::Null);
        }
        body
    }

    fn deletion_answer(&self, row: &Row) -> Option<Value> {
        Some(row.body.clone())
    }
}

impl Rule for Lock {
    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let level = put.text("/properties/level").unwrap_or_default().to_owned();
        match ["CanNotDelete", "ReadOnly"].iter().find(|known| known.eq_ignore_ascii_case(&level)) {
            Some(known) => put.set("/properties/level", json!(known)),
            None => {
                return Err(ArmError::bad(
                    "InvalidLockLevel",
                    format!("The lock level '{level}' is not valid: CanNotDelete or ReadOnly."),
                ));
            }
        }
        Ok(())
    }
}

fn legal_vault(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

impl Rule for Vault {
    fn needs_location(&self) -> bool {
        true
    }

    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        if request.method == "PUT" && row.created == row.changed {
            // the first answer comes before the name can be resolved
            set(&mut body, "/properties/provisioningState", json!("RegisteringDns"));
            let uri = row.text("/properties/vaultUri").unwrap_or_default().trim_end_matches('/').to_owned();
            set(&mut body, "/properties/vaultUri", json!(uri));
        }
        body
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if !legal_vault(&name) {
            return Err(ArmError::bad(
                "VaultNameNotValid",
                format!(
                    "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
                ),
            ));
        }
        let own = put.path.id();
        let rows = put.cx.store.of_kind(deleted::VAULT);
        if rows.iter().any(|row| row.name.eq_ignore_ascii_case(&name) && !row.id.eq_ignore_ascii_case(&own)) {
            return Err(ArmError::conflict(
                "VaultAlreadyExists",
                format!(
                    "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is already taken."
                ),
            ));
        }
        deleted::before_vault(put)?;
        // code and message: https://github.com/Azure/azure-cli/issues/28732
        if put.at("/properties/enablePurgeProtection") == Some(&json!(false)) {
            return Err(ArmError::bad(
                "BadRequest",
                "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.",
            ));
        }
        if put.at("/properties/tenantId").is_none() || put.at("/properties/sku/name").is_none() {
            return Err(ArmError::bad("BadRequest", "The vault's properties tenantId and sku are required."));
        }
        service_endpoints::check_vault(put)?;
        let days = put.at("/properties/softDeleteRetentionInDays").and_then(Value::as_i64);
        if days.is_some_and(|days| !(7..=90).contains(&days)) {
            return Err(ArmError::bad(
                "BadRequest",
                "The property \"softDeleteRetentionInDays\" must be between 7 and 90.",
            ));
        }
        let kept = put.old.as_ref().and_then(|old| old.at("/properties/softDeleteRetentionInDays").cloned());
        if let Some(kept) = kept {
            // a PUT without the number leaves it
            put.default("/properties/softDeleteRetentionInDays", kept.clone());
            // code and message: hashicorp/terraform-provider-azurerm internal/services/keyvault/key_vault_resource.go, Update
            if put.at("/properties/softDeleteRetentionInDays") != Some(&kept) {
                return Err(ArmError::bad(
                    "BadRequest",
                    "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.",
                ));
            }
        }
        for (pointer, value) in [
            ("/properties/accessPolicies", json!([])),
            ("/properties/enabledForDeployment", json!(false)),
            ("/properties/enableSoftDelete", json!(true)),
            ("/properties/softDeleteRetentionInDays", json!(90)),
            ("/properties/enableRbacAuthorization", json!(true)),
            ("/properties/publicNetworkAccess", json!("Enabled")),
        ] {
            put.default(pointer, value);
        }
        put.default("/tags", json!({}));
        put.set("/properties/vaultUri", json!(format!("https://{}.vault.azure.net/", name.to_lowercase())));
        put.set("/properties/provisioningState", json!("Succeeded"));
        if let Some(map) = put.body.pointer_mut("/properties").and_then(Value::as_object_mut) {
            map.shift_remove("createMode");
        }
        Ok(())
    }
}

/// `…/accessPolicies/{add|replace|remove}`: changes the policies of a vault. The answer has no name.
pub struct AccessPolicies;

impl Rule for AccessPolicies {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let word = put.path.name().to_lowercase();
        let vault = put.path.parent().unwrap_or_default();
        let Some(row) = put.cx.store.row(&vault.id()) else { return Err(crate::lookup::not_found(&vault)) };
        let listed = |body: &Value| {
            body.pointer("/properties/accessPolicies").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (mut have, sent) = (listed(&row.body), listed(put.sent));
        let same = |a: &Value, b: &Value| {
            ["tenantId", "objectId", "applicationId"].iter().all(|key| a.get(*key) == b.get(*key))
        };
        match word.as_str() {
            "replace" => have = sent,
            "add" => {
                for policy in sent {
                    match have.iter_mut().find(|one| same(one, &policy)) {
                        Some(one) => add_permissions(one, &policy),
                        None => have.push(policy),
                    }
                }
            }
            "remove" => have.retain(|one| !sent.iter().any(|policy| same(one, policy))),
            _ => {
                return Err(ArmError::bad(
                    "BadRequest",
                    format!("The operation '{word}' on access policies is not known: add, replace or remove."),
                ));
            }
        }
        let mut new = row.as_ref().clone();
        set(&mut new.body, "/properties/accessPolicies", json!(have));
        new.changed = put.cx.now_ms();
        new.etag = put.cx.unique();
        put.cx.store.put_row(new);
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let (all, _) = row.id.rsplit_once('/').unwrap_or_default();
        let vault = all.rsplit_once('/').and_then(|(vault, _)| cx.store.row(vault));
        match vault {
            // the answer shows all policies of the vault; what was sent is kept for who compares it with a template
            Some(vault) if request.method == "PUT" => {
                let policies = vault.at("/properties/accessPolicies");
                json!({ "id": format!("{all}/"), "type": row.kind, "properties": { "accessPolicies": policies } })
            }
            _ => cx.view(row),
        }
    }
}

/// Adds the permissions of one policy to another one.
fn add_permissions(policy: &mut Value, more: &Value) {
    for (kind, words) in more.get("permissions").and_then(Value::as_object).into_iter().flatten() {
        let pointer = format!("/permissions/{kind}");
        let mut have = policy.pointer(&pointer).and_then(Value::as_array).cloned().unwrap_or_default();
        for word in words.as_array().into_iter().flatten() {
            let known = |have: &Value| have.as_str().zip(word.as_str()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
            if !have.iter().any(known) {
                have.push(word.clone());
            }
        }
        set(policy, &pointer, Value::Array(have));
    }
}

impl Rule for Secret {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if name.is_empty() || name.len() > 127 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(ArmError::bad(
                "BadRequest",
                format!("The secret name '{name}' is not valid: letters, digits and '-', 127 at most."),
            ));
        }
        let value = put
            .body
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
            .and_then(|map| map.shift_remove("value"));
        match (value, put.hidden.get("value").is_some()) {
            (Some(Value::String(text)), _) => put.hidden = json!({ "value": text }),
            (None, true) => {}
            _ => return Err(ArmError::bad("BadRequest", "The property \"value\" of a secret is required.")),
        }
        let vault = put.path.parent().map(|vault| vault.name().to_lowercase()).unwrap_or_default();
        let version = put.cx.unique().replace('-', "");
        let uri = format!("https://{vault}.vault.azure.net/secrets/{name}");
        put.set("/properties/secretUri", json!(uri));
        put.set("/properties/secretUriWithVersion", json!(format!("{uri}/{version}")));
        put.default("/properties/attributes/enabled", json!(true));
        let now = put.cx.now.as_second();
        put.default("/properties/attributes/created", json!(now));
        put.set("/properties/attributes/updated", json!(now));
        Ok(())
    }
}

/// A secret's value, for key vault references in deployment parameters.
#[must_use]
pub fn secret_value(cx: &Cx<'_>, vault: &str, name: &str) -> Option<String> {
    let row: std::sync::Arc<Row> = cx.store.row(&format!("{vault}/secrets/{name}"))?;
    row.hidden.get("value").and_then(Value::as_str).map(str::to_owned)
}

/// `checkNameAvailability` of key vaults.
///
/// # Errors
/// A body that is not JSON.
pub fn check_vault_name(cx: &Cx<'_>, request: &Request) -> Result<Reply, ArmError> {
    let body = request.json()?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let taken = cx.store.of_kind(deleted::VAULT).iter().any(|row| row.name.eq_ignore_ascii_case(name))
        || deleted::holds_vault(cx, name);
    Ok(Reply::ok(match (legal_vault(name), taken) {
        (false, _) => {
            json!({ "nameAvailable": false, "reason": "AccountNameInvalid", "message": "The vault name is not valid." })
        }
        (_, true) => {
            json!({ "nameAvailable": false, "reason": "AlreadyExists", "message": format!("The name '{name}' is already in use.") })
        }
        _ => json!({ "nameAvailable": true }),
    }))
}
