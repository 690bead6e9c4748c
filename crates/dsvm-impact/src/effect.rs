//! An effect, machines and an upgrade policy → what a line says: what happens, and when.

use super::situation::is;
use super::units::{iso, number, seconds};
use arm_plan::EffectKind;
use dsvm_diagnostics::count;
use serde_json::Value;

/// What decides the words besides the effect.
pub(crate) struct Setting<'a> {
    pub(crate) resource_type: &'a str,
    /// Machines that run, where that is known.
    pub(crate) running: Option<i64>,
    /// Machines that the plan counts for this change.
    pub(crate) touched: Option<u64>,
    /// The desired resource, for its upgrade policy.
    pub(crate) after: &'a Value,
}

/// The effect and when it takes effect, in one clause.
pub(crate) fn phrase(kind: EffectKind, setting: &Setting<'_>) -> String {
    let machines = setting.running.map_or_else(|| "the machines".to_owned(), |n| count(n, "machine"));
    let running = match setting.running {
        Some(0) => None,
        Some(1) => Some("the running machine".to_owned()),
        Some(n) => Some(format!("the {n} running machines")),
        None => Some("running machines".to_owned()),
    };
    let nobody = |text: String| if running.is_none() { "no machine runs now".to_owned() } else { text };
    let running = running.clone().unwrap_or_default();
    match kind {
        EffectKind::None => "nobody notices".to_owned(),
        EffectKind::Appears => "new".to_owned(),
        EffectKind::NewMachines => nobody(format!("on new machines only; {running} keep what they have")),
        EffectKind::ScalesOut => {
            setting.touched.map_or_else(|| "adds machines".to_owned(), |n| format!("adds {}", count(n, "machine")))
        }
        EffectKind::InPlace => in_place(setting.resource_type).to_owned(),
        EffectKind::InPlaceOneWay => "at once; cannot be changed back".to_owned(),
        EffectKind::WhenReimaged => nobody(format!("on new machines; on {running} after a reimage")),
        EffectKind::WhenRebooted => nobody(format!("on new nodes; on {running} after a reboot")),
        EffectKind::Rolling => nobody(format!("reaches {running} {}, no restart", pace(setting))),
        EffectKind::NeedsDeallocation => nobody(format!("on {running} after they are deallocated and started")),
        EffectKind::NotKnown => "effect not known".to_owned(),
        EffectKind::Restart => nobody(format!("restarts {machines}, {}", pace(setting))),
        EffectKind::AutoscaleRemoves => match (setting.touched, setting.running) {
            (Some(0), _) => "from the next evaluation; no machine goes now".to_owned(),
            (Some(n), Some(all)) => format!("removes {n} of {all} machines at the next evaluation, within a minute"),
            _ => "removes machines above the new maximum at the next evaluation, within a minute".to_owned(),
        },
        EffectKind::ScalesIn => setting.touched.map_or_else(
            || "removes machines at once".to_owned(),
            |n| format!("removes {} at once", count(n, "machine")),
        ),
        EffectKind::OsDisksReplaced => nobody(format!("gives {machines} a fresh OS disk, {}", pace(setting))),
        EffectKind::Removes => "deleted".to_owned(),
        EffectKind::Replaces => match setting.running {
            Some(n) if n > 0 => format!("deletes and recreates it with {}", count(n, "machine")),
            _ => "deletes and recreates it".to_owned(),
        },
        EffectKind::DeletesData => "deletes its data".to_owned(),
        EffectKind::NeedsEmptyPool => "refused while the pool has nodes".to_owned(),
        EffectKind::ServiceConversion => "refused as an update; the service converts it by a migration".to_owned(),
        EffectKind::Refused => "refused by Azure".to_owned(),
        EffectKind::RefusedNameHeld => "refused by Azure; the name stays held after a deletion".to_owned(),
    }
}

/// When a change takes effect that disturbs nobody.
///
/// Flows through a security group are not evaluated again unless `flushConnection` is on, which dsvmc leaves off:
/// <https://learn.microsoft.com/javascript/api/@azure-rest/arm-network/networksecuritygrouppropertiesformat>.
fn in_place(resource_type: &str) -> &'static str {
    if is(resource_type, "networkSecurityGroups") {
        "at once for new connections; open ones may go on"
    } else if is(resource_type, "autoscaleSettings") {
        "from the next evaluation"
    } else {
        "at once"
    }
}

/// How fast an upgrade goes. A rolling one takes a percentage of the machines at once, but at least one, and three or more
/// batches last at least as long as the pauses between them. An automatic one keeps no order and can take all at once:
/// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-upgrade-policy>.
fn pace(setting: &Setting<'_>) -> String {
    let policy = setting.after.pointer("/properties/upgradePolicy");
    let mode = policy.and_then(|p| p.get("mode")).and_then(Value::as_str).unwrap_or_default();
    if !mode.eq_ignore_ascii_case("rolling") {
        return "all at once".to_owned();
    }
    let rolling = |key: &str| policy.and_then(|p| p.pointer(&format!("/rollingUpgradePolicy/{key}")));
    let percent = rolling("maxBatchInstancePercent").and_then(number).unwrap_or(20);
    let pause = rolling("pauseTimeBetweenBatches").and_then(Value::as_str).and_then(iso).filter(|pause| *pause > 0);
    let batch = match setting.running {
        Some(1) => return "at once".to_owned(),
        Some(n) if n * percent / 100 <= 1 => "one at a time".to_owned(),
        _ => format!("at most {percent} % at a time"),
    };
    let Some(pause) = pause else { return batch };
    let batches = setting.running.map(|n| {
        let size = (n * percent / 100).max(1);
        (n + size - 1) / size
    });
    let least = batches.filter(|batches| *batches > 2).map(|batches| pause.saturating_mul(batches - 1));
    let least = least.map(|least| format!(" (at least {})", seconds(least))).unwrap_or_default();
    format!("{batch}, {} apart{least}", seconds(pause))
}
