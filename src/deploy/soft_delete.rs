//! Resources that Azure keeps for a time after their deletion: which names they hold, and vaults that an apply recovers.
//!
//! Sources: Microsoft Learn, "Azure Key Vault soft-delete overview", "Delete and recover a Log Analytics workspace",
//! "Workspace soft deletion" (Azure Machine Learning), "Recover a deleted storage account".

use super::error::CommandError;
use super::session::Session;
use arm_apply::DeletedVault;
use arm_plan::{Action, Desired, Observed, Plan, same_id};
use dsvm_diagnostics::Code;
use jiff::{SpanRelativeTo, Timestamp, Unit};
use serde_json::Value;

const VAULT: &str = "Microsoft.KeyVault/vaults";

/// What Azure keeps of the resources that `plan` deletes, one sentence for each.
#[must_use]
pub fn kept_after(plan: &Plan, observed: &Observed) -> Vec<String> {
    let deleted = plan.changes.iter().filter(|change| change.action == Action::Delete);
    deleted
        .filter_map(|change| {
            let (kind, name) = (change.resource_type.to_ascii_lowercase(), &change.name);
            Some(match kind.as_str() {
                "microsoft.keyvault/vaults" => {
                    let body = observed.resources.iter().find(|one| same_id(&one.id, &change.id)).map(|one| one.body.read());
                    let at = |pointer: &str| body.as_ref().and_then(|body| body.pointer(pointer).cloned());
                    let days = at("/properties/softDeleteRetentionInDays").and_then(|days| days.as_i64()).unwrap_or(90);
                    let purge = if at("/properties/enablePurgeProtection") == Some(Value::Bool(true)) {
                        "it cannot be purged before"
                    } else {
                        "`az keyvault purge` ends that"
                    };
                    format!(
                        "the vault `{name}` is kept for {days} days and its name stays taken in all of Azure; {purge}; an apply within that time recovers it with its secrets"
                    )
                }
                "microsoft.machinelearningservices/workspaces" => format!(
                    "the Azure Machine Learning workspace `{name}` is kept for 14 days and its name stays taken in its group: until then, recover it or delete it permanently in the portal before the next apply"
                ),
                "microsoft.operationalinsights/workspaces" => format!(
                    "the Log Analytics workspace `{name}` is kept for 14 days; an apply within that time recovers it with its data"
                ),
                "microsoft.storage/storageaccounts" => format!(
                    "the name of the storage account `{name}` is free at once; a new account of that name is empty, and the deleted one can then no longer be recovered"
                ),
                _ => return None,
            })
        })
        .collect()
}

/// Finds the deleted vaults that hold names of vaults to create, and says so in the plan. Resource Manager is asked only
/// when the plan creates a vault; without the right to list deleted vaults, the deployment reports it.
///
/// # Errors
/// A held name that cannot be recovered as the source wants it.
pub fn recover(plan: &mut Plan, desired: &Desired, session: &Session) -> Result<Vec<DeletedVault>, CommandError> {
    let new = |change: &&mut arm_plan::Change| {
        change.action == Action::Create && change.resource_type.eq_ignore_ascii_case(VAULT)
    };
    if !plan.changes.iter_mut().any(|change| new(&&mut *change)) {
        return Ok(Vec::new());
    }
    let Ok(deleted) = session.client.deleted_vaults() else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for change in plan.changes.iter_mut().filter(new) {
        let Some(vault) =
            deleted.iter().filter_map(DeletedVault::of).find(|one| one.name().eq_ignore_ascii_case(&change.name))
        else {
            continue;
        };
        let body = desired.resources.iter().find(|one| same_id(&one.id, &change.id)).map(|one| one.body.read());
        let at = |pointer: &str| body.as_ref().and_then(|body| body.pointer(pointer).cloned());
        check(&vault, &change.id, at("/location"), at("/properties/softDeleteRetentionInDays"))?;
        "the deleted vault of this name is recovered, with its secrets".clone_into(&mut change.reason);
        out.push(vault);
    }
    Ok(out)
}

/// A vault comes back in its group and region, with the retention that it had.
fn check(vault: &DeletedVault, id: &str, location: Option<Value>, days: Option<Value>) -> Result<(), CommandError> {
    let refused = |why: String, way: String| {
        let title = format!("a deleted vault holds the name `{}` until {}{why}", vault.name(), vault.purge_date());
        Err(CommandError::input(Code::ResourceRefused, title, way))
    };
    let purge = if vault.purge_protected { "" } else { ", or purge it (`az keyvault purge`)" };
    if !same_id(&vault.id, id) {
        return refused(
            format!("; it was `{}`", vault.id),
            format!("choose another name, or recover it there (`az keyvault recover`){purge}"),
        );
    }
    let region = |text: &str| text.to_ascii_lowercase().replace(' ', "");
    if let Some(wanted) = location.as_ref().and_then(Value::as_str)
        && region(wanted) != region(&vault.location)
    {
        return refused(format!(" in {}", vault.location), format!("keep that region, or choose another name{purge}"));
    }
    let kept = retention_days(vault);
    if let (Some(wanted), Some(kept)) = (days.as_ref().and_then(Value::as_i64), kept)
        && wanted != kept
    {
        return refused(
            format!("; its retention is {kept} days and never changes"),
            format!("write `retention = {kept} days`, then apply recovers it; or choose another name{purge}"),
        );
    }
    Ok(())
}

/// Days between deletion and purge.
fn retention_days(vault: &DeletedVault) -> Option<i64> {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let span = time(&vault.purged)?.since(time(&vault.deleted)?).ok()?;
    let days = span.total((Unit::Day, SpanRelativeTo::days_are_24_hours())).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "at most 90")]
    Some(days.round() as i64)
}
