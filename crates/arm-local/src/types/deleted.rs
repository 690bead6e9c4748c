//! Soft delete: what is deleted and comes back for a time, and the names that it holds.
//!
//! Sources: Microsoft Learn, "Key Vault soft-delete overview", "Delete and recover a Log Analytics workspace", "Workspace
//! soft deletion" (Azure Machine Learning). Storage accounts hold no name: a new account of that name is empty.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{Row, SoftDeleted};
use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::{Path, key};
use crate::names;
use crate::rule::WriteContext;

/// Key vaults: 7 to 90 days, the name is held in all of Azure.
pub const VAULT: &str = "Microsoft.KeyVault/vaults";
const LEARNING: &str = "Microsoft.MachineLearningServices/workspaces";
const LOGS: &str = "Microsoft.OperationalInsights/workspaces";

const DAY: i64 = 86_400_000;

/// How long a deleted resource is kept, in days; `None` when it is gone at once.
fn retention(row: &Row) -> Option<i64> {
    let is = |kind: &str| row.kind.eq_ignore_ascii_case(kind);
    if is(VAULT) {
        return Some(row.at("/properties/softDeleteRetentionInDays").and_then(Value::as_i64).unwrap_or(90));
    }
    (is(LEARNING) || is(LOGS)).then_some(14)
}

/// Keeps a resource that is about to be deleted. Call it while its children are still there.
pub fn keep(cx: &mut Cx<'_>, row: &Row) {
    let Some(days) = retention(row) else { return };
    let below = format!("{}/", row.kind.to_lowercase());
    // role assignments and other extensions do not come back
    let children = cx.store.below(&row.id).into_iter().filter(|child| child.kind.to_lowercase().starts_with(&below));
    let children = children.map(|child| child.as_ref().clone()).collect();
    let deleted = cx.now_ms();
    let purge = deleted.saturating_add(days * DAY);
    cx.store.put(&key(&row.id), SoftDeleted { row: row.clone(), children, deleted, purge });
}

/// Removes for good what was kept long enough.
pub fn expire(cx: &mut Cx<'_>) {
    let now = cx.now_ms();
    cx.store.remove_where("", |kept: &SoftDeleted| kept.purge <= now);
}

/// Removes a kept resource for good.
pub fn forget(cx: &mut Cx<'_>, id: &str) {
    cx.store.remove::<SoftDeleted>(&key(id));
}

/// The deleted vault of a name: one for all subscriptions.
fn vault(cx: &Cx<'_>, name: &str) -> Option<Arc<SoftDeleted>> {
    let all = cx.store.all::<SoftDeleted>("");
    all.into_iter().find(|kept| kept.row.kind.eq_ignore_ascii_case(VAULT) && kept.row.name.eq_ignore_ascii_case(name))
}

/// Whether a deleted vault holds a name.
#[must_use]
pub fn holds_vault(cx: &Cx<'_>, name: &str) -> bool {
    vault(cx, name).is_some()
}

/// Before a new vault is written: recovers a deleted one when the client asks for that, and refuses a name that is held.
/// A recovered vault is as it was; other properties of the request have no effect.
///
/// # Errors
/// `ConflictError` for a held name, `SoftDeletedVaultDoesNotExist` when there is nothing to recover.
pub fn before_vault(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    let recover = put.text("/properties/createMode").is_some_and(|mode| mode.eq_ignore_ascii_case("recover"));
    if put.old.is_some() {
        return Ok(());
    }
    let kept = vault(put.cx, put.path.name());
    if !recover {
        return match kept {
            None => Ok(()),
            Some(_) => Err(ArmError::conflict(
                "ConflictError",
                "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
            )),
        };
    }
    // a vault comes back in its subscription, group and region only
    let place = put.text("/location").map(names::location);
    let same =
        |kept: &SoftDeleted| key(&kept.row.id) == key(&put.path.id()) && place.as_deref() == Some(&kept.row.location());
    let Some(kept) = kept.filter(|kept| same(kept)) else {
        return Err(ArmError::missing(
            "SoftDeletedVaultDoesNotExist",
            "A soft deleted vault with the given name does not exist. Ensure that the name for the vault that is being attempted to recover is in a recoverable state. For more information on soft delete please follow this link https://go.microsoft.com/fwlink/?linkid=2149745",
        ));
    };
    restore(put, &kept);
    Ok(())
}

/// Before a new workspace is written: a deleted one of Log Analytics comes back with its data, a deleted one of Azure Machine
/// Learning holds its name.
///
/// # Errors
/// `BadRequest` for a held name, `Conflict` when the workspace was in another region.
pub fn before_workspace(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    if put.old.is_some() {
        return Ok(());
    }
    let Some(kept) = put.cx.store.get::<SoftDeleted>(&key(&put.path.id())) else { return Ok(()) };
    if kept.row.kind.eq_ignore_ascii_case(LEARNING) {
        return Err(ArmError::bad(
            "BadRequest",
            "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
        ));
    }
    if put.text("/location").map(names::location) != Some(kept.row.location()) {
        return Err(ArmError::conflict(
            "Conflict",
            format!("The workspace '{}' is in a deleted state in region '{}'.", kept.row.name, kept.row.location()),
        ));
    }
    let sent = put.body.clone();
    restore(put, &kept);
    // what the request says holds for the workspace that came back
    crate::value::merge(&mut put.body, &sent);
    Ok(())
}

fn restore(put: &mut WriteContext<'_, '_>, kept: &SoftDeleted) {
    put.body = kept.row.body.clone();
    put.hidden = kept.row.hidden.clone();
    for child in &kept.children {
        put.cx.store.put_row(child.clone());
    }
    forget(put.cx, &kept.row.id);
}

fn shown(kept: &SoftDeleted) -> Value {
    let subscription = kept.row.id.split('/').nth(2).unwrap_or_default();
    let (name, location) = (&kept.row.name, kept.row.location());
    let time = |ms: i64| Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default();
    let mut body = json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}"),
        "name": name, "type": "Microsoft.KeyVault/deletedVaults",
        "properties": { "vaultId": kept.row.id, "location": location, "deletionDate": time(kept.deleted),
            "scheduledPurgeDate": time(kept.purge), "tags": kept.row.at("/tags").cloned().unwrap_or_else(|| json!({})) },
    });
    if kept.row.at("/properties/enablePurgeProtection") == Some(&json!(true)) {
        crate::value::set(&mut body, "/properties/purgeProtectionEnabled", json!(true));
    }
    body
}

fn in_subscription(kept: &SoftDeleted, path: &Path) -> bool {
    let subscription = path.subscription().unwrap_or_default();
    key(&kept.row.id).starts_with(&format!("/subscriptions/{}/", subscription.to_lowercase()))
}

/// Answers `GET …/locations/{region}/deletedVaults/{name}`: the vault as it was, with the dates of its deletion.
#[must_use]
pub fn get(cx: &Cx<'_>, path: &Path) -> Option<Value> {
    let kept = vault(cx, path.name())?;
    let here = path.names.first().map(|name| names::location(name)) == Some(kept.row.location());
    (here && in_subscription(&kept, path)).then(|| shown(&kept))
}

/// Lists of deleted resources and the purge of a vault; `None` for other paths. `word` is the last type, in lower case.
///
/// # Errors
/// 404 for a vault that is not deleted, `MethodNotAllowed` for one with purge protection.
pub fn service(cx: &mut Cx<'_>, request: &Request, path: &Path, word: &str) -> Result<Option<Reply>, ArmError> {
    let namespace = path.namespace.as_deref().unwrap_or_default().to_lowercase();
    let all = || cx.store.all::<SoftDeleted>("").into_iter().filter(|kept| in_subscription(kept, path));
    Ok(match (request.method.as_str(), namespace.as_str(), word) {
        ("GET", "microsoft.keyvault", "deletedvaults") => {
            let vaults = all().filter(|kept| kept.row.kind.eq_ignore_ascii_case(VAULT));
            Some(page(request, vaults.map(|kept| shown(&kept)).collect()))
        }
        ("GET", "microsoft.operationalinsights", "deletedworkspaces") => {
            let inside = |kept: &SoftDeleted| key(&kept.row.id).starts_with(&format!("{}/", key(&path.scope)));
            let logs = all().filter(|kept| kept.row.kind.eq_ignore_ascii_case(LOGS) && inside(kept));
            Some(page(request, logs.map(|kept| kept.row.body.clone()).collect()))
        }
        ("POST", "microsoft.keyvault", "purge") => Some(purge(cx, request, path)?),
        _ => None,
    })
}

fn purge(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let name = path.names.last().cloned().unwrap_or_default();
    let Some(kept) = vault(cx, &name).filter(|kept| in_subscription(kept, path)) else {
        return Err(ArmError::missing(
            "DeletedVaultNotFound",
            format!("The specified deleted vault '{name}' does not exist."),
        ));
    };
    if kept.row.at("/properties/enablePurgeProtection") == Some(&json!(true)) {
        return Err(ArmError::bad("MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed."));
    }
    forget(cx, &kept.row.id);
    let operation = crate::lro::start(cx, cx.core.settings.latency_ms, crate::documents::Outcome::empty(200));
    let reply = Reply::empty(202).header("Retry-After", "1");
    Ok(crate::lro::poll_headers(
        reply,
        request,
        path,
        &kept.row.location(),
        &operation,
        crate::lro::Style::Location,
        true,
    ))
}
