//! The effect of a change on the people who use the pool, in words and numbers.

use super::{Action, Change, Effect, EffectKind, Observed, normal};
use serde_json::Value;

const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";
const BATCH_POOL: &str = "Microsoft.Batch/batchAccounts/pools";
const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";
const SHARE: &str = "Microsoft.Storage/storageAccounts/fileServices/shares";
/// Properties that set the current number of machines.
const NUMBERS: [&str; 3] = [
    "sku.capacity",
    "properties.scaleSettings.fixedScale.targetDedicatedNodes",
    "properties.scaleSettings.fixedScale.targetLowPriorityNodes",
];
const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";

pub(super) fn of_create(change: &mut Change, wanted: &Value) {
    let machines = machines_of(&change.resource_type, wanted);
    let text = match machines {
        Some(n) => format!("starts with {}", count(n)),
        None => "new".to_owned(),
    };
    change.effect = Effect { kind: EffectKind::Appears, text, machines, ..Effect::default() };
}

pub(super) fn of_update(change: &mut Change, wanted: &Value, found: &Value, observed: &Observed) {
    change.action = Action::Update;
    let unknown_only = change.attributes.iter().all(|a| a.kind == super::AttributeKind::Unknown);
    change.depends_on_unknown = unknown_only;
    let machines = machines_of(&change.resource_type, found);
    if let Some(cause) = change.attributes.iter().find(|a| a.effect == EffectKind::Replaces) {
        let property = cause.path.clone();
        change.action = Action::Replace;
        change.reason = format!("`{property}` is set at creation and cannot be changed in place");
        let shares = shares_of(&change.id, &change.resource_type, observed);
        change.effect = replaced(&change.resource_type, machines, shares, property);
        return;
    }
    for attribute in &mut change.attributes {
        if NUMBERS.contains(&attribute.path.as_str()) {
            let (from, to) =
                (attribute.before.as_ref().and_then(Value::as_u64), attribute.after.as_ref().and_then(Value::as_u64));
            attribute.effect = if to < from { EffectKind::ScalesIn } else { EffectKind::ScalesOut };
        }
    }
    let mode = upgrade_mode(&change.resource_type, wanted, found);
    let mut most_severe = EffectKind::None;
    for attribute in &mut change.attributes {
        attribute.effect = under_policy(attribute.effect, mode);
        most_severe = most_severe.max(attribute.effect);
    }
    let shares = if is(&change.resource_type, SHARE) { vec![last(&change.name)] } else { Vec::new() };
    let mut text = words(most_severe, machines, change, mode);
    let scaled = change.attributes.iter().find(|a| NUMBERS.contains(&a.path.as_str())).map(|a| a.effect);
    if let Some(scaled) = scaled.filter(|s| *s != most_severe) {
        text.push_str(&format!("; {}", words(scaled, machines, change, mode)));
    }
    let touched = match most_severe {
        EffectKind::Rolling | EffectKind::Restart | EffectKind::Reimage => machines,
        EffectKind::ScalesIn | EffectKind::ScalesOut => scaled_by(change),
        _ => None,
    };
    change.effect = Effect { kind: most_severe, text, machines: touched, shares, property: None };
    change.reason = if unknown_only {
        "a value is known only after the deployment".to_owned()
    } else {
        let n = change.attributes.len();
        format!("{n} {} the source", if n == 1 { "property differs from" } else { "properties differ from" })
    };
}

pub(super) fn of_delete(change: &mut Change, found: &Value, observed: &Observed) {
    if change.action == Action::Detach {
        change.effect =
            Effect { text: "kept as it is, no longer managed by this project".to_owned(), ..Effect::default() };
        return;
    }
    let machines = machines_of(&change.resource_type, found);
    let shares = shares_of(&change.id, &change.resource_type, observed);
    let (kind, text) = match machines {
        _ if holds_data(&change.resource_type) => (EffectKind::DeletesData, data_text(&shares)),
        Some(n) => (EffectKind::Removes, format!("removes the pool and its {}", count(n))),
        None => (EffectKind::Removes, "removed".to_owned()),
    };
    change.effect = Effect { kind, text, machines, shares, property: None };
}

fn replaced(resource_type: &str, machines: Option<u64>, shares: Vec<String>, property: String) -> Effect {
    let (kind, text) = if holds_data(resource_type) {
        (EffectKind::DeletesData, format!("deleted and recreated: {}", data_text(&shares)))
    } else if let Some(n) = machines {
        (EffectKind::Replaces, format!("the pool is deleted and recreated, with all of its {}", count(n)))
    } else {
        (EffectKind::Replaces, "deleted and recreated".to_owned())
    };
    Effect { kind, text, machines, shares, property: Some(property) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UpgradeMode {
    Manual,
    Automatic,
    Rolling,
    NoMachines,
}

fn upgrade_mode(resource_type: &str, wanted: &Value, found: &Value) -> UpgradeMode {
    if !is(resource_type, SCALE_SET) {
        return UpgradeMode::NoMachines;
    }
    let mode =
        |v: &Value| v.pointer("/properties/upgradePolicy/mode").and_then(Value::as_str).map(str::to_ascii_lowercase);
    match mode(wanted).or_else(|| mode(found)).as_deref() {
        Some("rolling") => UpgradeMode::Rolling,
        Some("automatic") => UpgradeMode::Automatic,
        _ => UpgradeMode::Manual,
    }
}

/// The upgrade policy decides how a change of the model affects running machines.
fn under_policy(effect: EffectKind, mode: UpgradeMode) -> EffectKind {
    let model = matches!(effect, EffectKind::Rolling | EffectKind::Restart | EffectKind::Reimage);
    match mode {
        UpgradeMode::Manual if model => EffectKind::NewMachines,
        UpgradeMode::Automatic if effect == EffectKind::Rolling => EffectKind::Restart,
        UpgradeMode::NoMachines if effect == EffectKind::Rolling => EffectKind::InPlace,
        _ => effect,
    }
}

fn words(effect: EffectKind, machines: Option<u64>, change: &Change, mode: UpgradeMode) -> String {
    let all = machines.map_or_else(|| "machines".to_owned(), count);
    let pace = if mode == UpgradeMode::Rolling { "in batches" } else { "at once" };
    match effect {
        EffectKind::None => "not noticeable".to_owned(),
        EffectKind::Appears => "new".to_owned(),
        EffectKind::NewMachines => {
            format!("new machines only; the {all} that run keep their configuration until they are upgraded")
        }
        EffectKind::InPlace => share_size(change).unwrap_or_else(|| "changed in place".to_owned()),
        EffectKind::Rolling => format!("{all} are updated in batches"),
        EffectKind::Restart => format!("{all} restart, {pace}"),
        EffectKind::Reimage => {
            format!("{all} are reimaged, {pace}; data on their local disks is lost")
        }
        EffectKind::ScalesIn => format!("{} removed", scaled_by(change).map_or_else(|| "machines are".to_owned(), are)),
        EffectKind::ScalesOut => format!("{} added", scaled_by(change).map_or_else(|| "machines are".to_owned(), are)),
        EffectKind::Removes | EffectKind::Replaces | EffectKind::DeletesData => "deleted".to_owned(),
    }
}

fn scaled_by(change: &Change) -> Option<u64> {
    let attribute = change.attributes.iter().find(|a| NUMBERS.contains(&a.path.as_str()))?;
    let (before, after) = (attribute.before.as_ref()?.as_u64()?, attribute.after.as_ref()?.as_u64()?);
    Some(before.abs_diff(after))
}

/// A share that grows or shrinks.
fn share_size(change: &Change) -> Option<String> {
    let quota = change.attributes.iter().find(|a| a.path == "properties.shareQuota")?;
    let (before, after) = (quota.before.as_ref()?.as_u64()?, quota.after.as_ref()?.as_u64()?);
    let share = last(&change.name);
    Some(if after > before {
        format!("share `{share}` grows to {after} GiB")
    } else {
        format!("share `{share}` shrinks to {after} GiB; the service refuses if more is stored")
    })
}

fn are(n: u64) -> String {
    if n == 1 { "1 machine is".to_owned() } else { format!("{n} machines are") }
}

fn count(n: u64) -> String {
    if n == 1 { "1 machine".to_owned() } else { format!("{n} machines") }
}

fn data_text(shares: &[String]) -> String {
    match shares {
        [] => "its data is deleted".to_owned(),
        [one] => format!("share `{one}` and everything on it is deleted"),
        many => format!("{} shares and everything on them are deleted", many.len()),
    }
}

fn holds_data(resource_type: &str) -> bool {
    [
        ACCOUNT,
        SHARE,
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Compute/disks",
        "Microsoft.KeyVault/vaults",
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.MachineLearningServices/workspaces",
    ]
    .iter()
    .any(|t| is(resource_type, t))
}

fn shares_of(id: &str, resource_type: &str, observed: &Observed) -> Vec<String> {
    if is(resource_type, SHARE) {
        return vec![last(&normal::type_of_id(id).1)];
    }
    if !is(resource_type, ACCOUNT) {
        return Vec::new();
    }
    let prefix = format!("{}/fileservices/", normal::fold_id(id));
    let ids = observed.resources.iter().map(|r| r.id.as_str());
    let shares = ids.filter(|i| normal::fold_id(i).starts_with(&prefix) && i.to_ascii_lowercase().contains("/shares/"));
    shares.map(|i| last(&normal::type_of_id(i).1)).collect()
}

/// Machines of a pool: as wanted when it is new, as they are when it exists.
fn machines_of(resource_type: &str, resource: &Value) -> Option<u64> {
    let number = |pointer: &str| resource.pointer(pointer).and_then(Value::as_u64);
    let sum = |a: Option<u64>, b: Option<u64>| {
        if a.is_none() && b.is_none() { None } else { Some(a.unwrap_or(0) + b.unwrap_or(0)) }
    };
    if is(resource_type, SCALE_SET) {
        return number("/sku/capacity");
    }
    if is(resource_type, BATCH_POOL) {
        let fixed = "/properties/scaleSettings/fixedScale";
        return sum(number("/properties/currentDedicatedNodes"), number("/properties/currentLowPriorityNodes"))
            .or_else(|| {
                sum(
                    number(&format!("{fixed}/targetDedicatedNodes")),
                    number(&format!("{fixed}/targetLowPriorityNodes")),
                )
            });
    }
    if is(resource_type, COMPUTE) {
        return number("/properties/properties/currentNodeCount");
    }
    None
}

fn last(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn is(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}
