//! The effect of a change on the people who use the pool, in words and numbers.

use super::{Action, AttributeChange, AttributeKind, Change, Effect, EffectKind, Observed, lists, normal};
use arm_catalog::{ChangeResult, ChangeRow, Mark};
use serde_json::Value;

const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";
const BATCH_POOL: &str = "Microsoft.Batch/batchAccounts/pools";
const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";
const SHARE: &str = "Microsoft.Storage/storageAccounts/fileServices/shares";
const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const AUTOSCALE: &str = "Microsoft.Insights/autoscaleSettings";
/// Types whose deleted resources keep their names for days, and the way out.
const NAME_HOLDERS: [&str; 7] = [
    "Microsoft.KeyVault/vaults",
    "Microsoft.KeyVault/managedHSMs",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.AppConfiguration/configurationStores",
    "Microsoft.RecoveryServices/vaults",
];
const OTHER_NAME: &str = "keep what is deployed, or create it under another name";

/// The effect of a row of the table; without a row nothing is known. What is not confirmed refuses and replaces nothing.
pub(super) fn kind_of(row: Option<&ChangeRow>, change: AttributeKind) -> EffectKind {
    let Some(row) = row else { return EffectKind::NotKnown };
    let kind = match row.result {
        ChangeResult::None => EffectKind::None,
        ChangeResult::InPlace => EffectKind::InPlace,
        ChangeResult::OneWay => EffectKind::InPlaceOneWay,
        ChangeResult::Rolls => EffectKind::Rolling,
        ChangeResult::Restarts => EffectKind::Restart,
        ChangeResult::OsDisks => EffectKind::OsDisksReplaced,
        ChangeResult::Reimage => EffectKind::WhenReimaged,
        ChangeResult::Deallocate => EffectKind::NeedsDeallocation,
        ChangeResult::Reboot => EffectKind::WhenRebooted,
        ChangeResult::NewMachines => EffectKind::NewMachines,
        ChangeResult::ScalesIn => EffectKind::ScalesIn,
        ChangeResult::ScalesOut | ChangeResult::AutoscaleOut => EffectKind::ScalesOut,
        ChangeResult::AutoscaleIn => EffectKind::AutoscaleRemoves,
        ChangeResult::EmptyPool => EffectKind::NeedsEmptyPool,
        ChangeResult::Conversion => EffectKind::ServiceConversion,
        ChangeResult::Recreate => EffectKind::Replaces,
        ChangeResult::NameHeld => EffectKind::RefusedNameHeld,
        ChangeResult::Refused | ChangeResult::InUse | ChangeResult::Detach => EffectKind::Refused,
    };
    // A value that only the deployment knows may be the one that is there.
    let open = row.mark == Mark::C || change == AttributeKind::Unknown;
    if open && row.result.is_refusal() { EffectKind::NotKnown } else { kind }
}

/// The effect of a new resource; `running` are the machines of the pool that it scales.
pub(super) fn of_create(change: &mut Change, wanted: &Value, running: Option<u64>) {
    if is(&change.resource_type, AUTOSCALE) {
        let narrowed = narrowed(wanted, &Value::Null, running);
        if let Some(machines) = narrowed.most {
            let text = format!("new; {}", narrowed.text);
            let kind = EffectKind::AutoscaleRemoves;
            change.effect = Effect { kind, text, machines: Some(machines), ..Effect::default() };
            return;
        }
    }
    let machines = machines_of(&change.resource_type, wanted);
    let text = match machines {
        Some(n) => format!("starts with {}", count(n)),
        None => "new".to_owned(),
    };
    change.effect = Effect { kind: EffectKind::Appears, text, machines, ..Effect::default() };
}

/// The effect of an update; `running` are the machines of the pool that the resource is or scales.
pub(super) fn of_update(change: &mut Change, wanted: &Value, found: &Value, observed: &Observed, running: Option<u64>) {
    change.action = Action::Update;
    let unknown_only = change.attributes.iter().all(|a| a.kind == super::AttributeKind::Unknown);
    change.depends_on_unknown = unknown_only;
    let machines = machines_of(&change.resource_type, found);
    if is_one_of(&change.resource_type, &NAME_HOLDERS) {
        for attribute in change.attributes.iter_mut().filter(|a| a.effect == EffectKind::Replaces) {
            attribute.effect = EffectKind::RefusedNameHeld;
        }
    }
    let first = |kinds: &[EffectKind]| change.attributes.iter().find(|a| kinds.contains(&a.effect)).cloned();
    if let Some(cause) = first(&[EffectKind::RefusedNameHeld]) {
        return refuse(change, &cause, machines);
    }
    if let Some(cause) = first(&[EffectKind::Replaces]) {
        let property = cause.path.clone();
        change.action = Action::Replace;
        change.reason = format!("`{property}` is set at creation and cannot be changed in place");
        let shares = shares_of(&change.id, &change.resource_type, observed);
        change.effect = replaced(&change.resource_type, machines, shares, Some(property));
        change.effect.cause = cause.cause;
        return;
    }
    if let Some(cause) = first(&[EffectKind::Refused, EffectKind::ServiceConversion, EffectKind::NeedsEmptyPool]) {
        return refuse(change, &cause, machines);
    }
    let mode = upgrade_mode(&change.resource_type, wanted, found);
    let narrowed = match is(&change.resource_type, AUTOSCALE) {
        true => narrowed(wanted, found, running),
        false => Narrowed::default(),
    };
    let mut most_severe = EffectKind::None;
    for attribute in &mut change.attributes {
        // A setting that is off removes nothing, whatever its limits are.
        if attribute.effect == EffectKind::AutoscaleRemoves && narrowed.most.is_none() {
            attribute.effect = EffectKind::InPlace;
        }
        attribute.effect = under_policy(attribute.effect, mode);
        most_severe = most_severe.max(attribute.effect);
    }
    let shares = if is(&change.resource_type, SHARE) { vec![last(&change.name)] } else { Vec::new() };
    if narrowed.most.is_some() {
        most_severe = most_severe.max(EffectKind::AutoscaleRemoves);
    }
    let mut text = match (most_severe, narrowed.most) {
        (EffectKind::AutoscaleRemoves, Some(_)) => narrowed.text,
        _ => words(most_severe, machines, change, mode),
    };
    let scaled = change.attributes.iter().map(|a| a.effect).find(|e| SCALING.contains(e));
    if let Some(scaled) = scaled.filter(|s| *s != most_severe) {
        text.push_str(&format!("; {}", words(scaled, machines, change, mode)));
    }
    if let Some(doubt) = doubt(change, most_severe) {
        text = if most_severe == EffectKind::NotKnown { doubt } else { format!("{text} ({doubt})") };
    }
    let touched = match most_severe {
        EffectKind::Rolling | EffectKind::Restart | EffectKind::OsDisksReplaced | EffectKind::NeedsDeallocation => {
            machines
        }
        EffectKind::WhenReimaged | EffectKind::WhenRebooted => machines,
        EffectKind::AutoscaleRemoves => narrowed.most,
        EffectKind::ScalesIn | EffectKind::ScalesOut => scaled_by(change),
        _ => None,
    };
    change.effect = Effect { kind: most_severe, text, machines: touched, shares, ..Effect::default() };
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
    change.effect = Effect { kind, text, machines, shares, ..Effect::default() };
}

/// What changes the number of machines.
const SCALING: [EffectKind; 2] = [EffectKind::ScalesIn, EffectKind::ScalesOut];

fn refuse(change: &mut Change, cause: &AttributeChange, machines: Option<u64>) {
    let basis = cause.basis.as_ref();
    let note = basis.map_or("", |b| b.note.as_str());
    let text = match cause.effect {
        EffectKind::NeedsEmptyPool => {
            let nodes = machines
                .map_or_else(|| "nodes".to_owned(), |n| if n == 1 { "1 node".into() } else { format!("{n} nodes") });
            format!("refused while the pool has {nodes}")
        }
        EffectKind::ServiceConversion => "refused as an update: the service converts it by a migration".to_owned(),
        _ => format!("refused by Azure: {note}"),
    };
    let way_out = basis.and_then(|b| b.way_out.clone()).unwrap_or_else(|| OTHER_NAME.to_owned());
    change.action = Action::Refuse;
    change.reason = format!("Azure does not change `{}`: {note}", cause.path);
    change.effect = Effect {
        kind: cause.effect,
        text,
        machines: None,
        shares: Vec::new(),
        property: Some(cause.path.clone()),
        way_out: Some(way_out),
        cause: cause.cause.clone(),
    };
}

/// The resource goes with another one that is recreated.
pub(super) fn follow(change: &mut Change, reason: String, observed: &Observed, machines: Option<u64>) {
    change.action = Action::Replace;
    change.depends_on_unknown = false;
    let shares = shares_of(&change.id, &change.resource_type, observed);
    change.effect = replaced(&change.resource_type, machines, shares, None);
    change.reason = reason;
}

fn replaced(resource_type: &str, machines: Option<u64>, shares: Vec<String>, property: Option<String>) -> Effect {
    let (kind, text) = if holds_data(resource_type) {
        (EffectKind::DeletesData, format!("deleted and recreated: {}", data_text(&shares)))
    } else if let Some(n) = machines {
        (EffectKind::Replaces, format!("the pool is deleted and recreated, with all of its {}", count(n)))
    } else {
        (EffectKind::Replaces, "deleted and recreated".to_owned())
    };
    Effect { kind, text, machines, shares, property, way_out: None, cause: None }
}

/// What is not confirmed of the properties that have this effect.
fn doubt(change: &Change, effect: EffectKind) -> Option<String> {
    let with = change.attributes.iter().filter(|a| a.effect == effect);
    let open = with.filter_map(|a| a.basis.as_ref()).find(|basis| !basis.confirmed)?;
    Some(format!("not confirmed by Azure's documents: {}", open.note))
}

/// Machines that autoscale removes because the limits of a setting are narrower than before.
#[derive(Debug, Default)]
struct Narrowed {
    /// The largest number that goes under any profile; `None`: none goes.
    most: Option<u64>,
    text: String,
}

/// Compares the limits of the profiles with the machines that run. Which profile is in force depends on the time, so each
/// that is narrower than before counts: by a smaller maximum, because it is new, or because one that it stands in for goes.
/// The rows of the table say what the service does with each: "autoscale-best-practices" (Microsoft Learn).
fn narrowed(wanted: &Value, found: &Value, running: Option<u64>) -> Narrowed {
    let on = |setting: &Value| setting.pointer("/properties/enabled") != Some(&Value::Bool(false));
    let (Some(running), true) = (running, on(wanted)) else { return Narrowed::default() };
    let now = maxima(wanted);
    let before = if on(found) { maxima(found) } else { Vec::new() };
    let find = |list: &[(String, u64)], name: &str| list.iter().find(|(have, _)| have == name).map(|(_, most)| *most);
    let wider_goes = |most: u64| before.iter().any(|(name, old)| *old > most && find(&now, name).is_none());
    let mut gone: Vec<(&str, u64)> = now
        .iter()
        .filter(|(name, most)| find(&before, name).is_none_or(|old| old > *most) || wider_goes(*most))
        .map(|(name, most)| (name.as_str(), running.saturating_sub(*most)))
        .filter(|(_, gone)| *gone > 0)
        .collect();
    gone.sort_by_key(|(_, gone)| std::cmp::Reverse(*gone));
    let go = |n: u64| format!("{} {}", count(n), if n == 1 { "goes" } else { "go" });
    let text = match gone.as_slice() {
        [(_, n)] if now.len() == 1 => format!("{} at the next run of autoscale", go(*n)),
        list => {
            let each = list.iter().map(|(name, n)| format!("{} while `{}` is in force", go(*n), lists::short(name)));
            format!("{}, at the next run of autoscale", each.collect::<Vec<_>>().join(", "))
        }
    };
    Narrowed { most: gone.first().map(|(_, n)| *n), text }
}

/// Name and largest number of machines of each profile.
fn maxima(setting: &Value) -> Vec<(String, u64)> {
    let profiles = setting.pointer("/properties/profiles").and_then(Value::as_array).into_iter().flatten();
    let each = profiles.filter_map(|profile| {
        let most = normal::as_number(profile.pointer("/capacity/maximum")?)?;
        let name = profile.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "machine counts are small, not negative"
        )]
        Some((name, most.max(0.0) as u64))
    });
    each.collect()
}

/// Machines that run in the pool that a resource is, or that it scales.
pub(super) fn running(resource_type: &str, found: &Value, live: &super::Live<'_>) -> Option<u64> {
    if !is(resource_type, AUTOSCALE) {
        return machines_of(resource_type, found);
    }
    let target = found.pointer("/properties/targetResourceUri").and_then(Value::as_str)?;
    let pool = live.get(&normal::fold_id(target))?.body.read();
    machines_of(&normal::type_of_id(target).0, &pool)
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
    let model = matches!(effect, EffectKind::Rolling | EffectKind::Restart | EffectKind::OsDisksReplaced);
    match mode {
        UpgradeMode::Manual if model => EffectKind::NewMachines,
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
        EffectKind::InPlaceOneWay => "changed in place; there is no way back".to_owned(),
        EffectKind::WhenReimaged => format!("new machines have it; the {all} that run only after they are reimaged"),
        EffectKind::WhenRebooted => format!("new nodes have it; the {all} that run only after they are rebooted"),
        EffectKind::NeedsDeallocation => {
            format!("the {all} that run have it only after they are deallocated and started")
        }
        EffectKind::NotKnown => "effect not known".to_owned(),
        EffectKind::Rolling => format!("{all} are updated {pace}, without a restart"),
        EffectKind::Restart => format!("{all} restart, {pace}"),
        EffectKind::OsDisksReplaced => {
            format!("{all} get a fresh OS disk, {pace}; data on the old one is lost")
        }
        EffectKind::AutoscaleRemoves => "machines go at the next run of autoscale".to_owned(),
        EffectKind::ScalesIn => format!("{} removed", scaled_by(change).map_or_else(|| "machines are".to_owned(), are)),
        EffectKind::ScalesOut => format!("{} added", scaled_by(change).map_or_else(|| "machines are".to_owned(), are)),
        EffectKind::Removes | EffectKind::Replaces | EffectKind::DeletesData => "deleted".to_owned(),
        EffectKind::NeedsEmptyPool
        | EffectKind::ServiceConversion
        | EffectKind::Refused
        | EffectKind::RefusedNameHeld => "refused".to_owned(),
    }
}

fn scaled_by(change: &Change) -> Option<u64> {
    let attribute = change.attributes.iter().find(|a| SCALING.contains(&a.effect))?;
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
        format!("share `{share}` shrinks to {after} GiB; if more is stored, it takes no more writes")
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
    let types =
        [ACCOUNT, SHARE, "Microsoft.Storage/storageAccounts/blobServices/containers", "Microsoft.Compute/disks"];
    is_one_of(resource_type, &types) || is_one_of(resource_type, &NAME_HOLDERS)
}

fn is_one_of(resource_type: &str, types: &[&str]) -> bool {
    types.iter().any(|t| is(resource_type, t))
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
