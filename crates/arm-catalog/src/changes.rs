//! `changes.json` → what changing a property of a deployed resource really does, row by row with its source.
//!
//! A row is of one type (`*`: any), one property with everything below it, one direction of change and, where it matters,
//! a state of the resource. The first row that fits decides; rows of the property itself come before rows around it, and
//! rows of the type before those of `*`. No row: nothing is known.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// What Azure does with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeResult {
    /// Taken; nothing that runs is affected.
    None,
    /// Taken; counts at once while everything keeps running.
    InPlace,
    /// Taken; there is no way back.
    OneWay,
    /// Part of the model of the machines: reaches running ones as the upgrade policy says, without a restart.
    Rolls,
    /// As [`ChangeResult::Rolls`], and each machine that gets it restarts.
    Restarts,
    /// As [`ChangeResult::Rolls`], and each machine that gets it gets a fresh OS disk.
    OsDisks,
    /// The model takes it; running machines have it only after they were reimaged.
    Reimage,
    /// Taken; running machines must be deallocated and started to have it.
    Deallocate,
    /// Taken only while a pool has no nodes.
    EmptyPool,
    /// Taken; running nodes have it after a reboot.
    Reboot,
    /// Taken; counts for machines that are made later.
    NewMachines,
    /// Machines are removed by the write.
    ScalesIn,
    /// Machines are added by the write.
    ScalesOut,
    /// Taken; the next run of autoscale removes machines.
    AutoscaleIn,
    /// Taken; the next run of autoscale adds machines.
    AutoscaleOut,
    /// The service answers the write with an error, whatever the resource is used for.
    Refused,
    /// Refused while something uses the resource.
    InUse,
    /// Refused, and a new resource of the same name is refused too: a deleted one keeps the name.
    NameHeld,
    /// Refused: only a new resource can have it.
    Recreate,
    /// Refused as a write: the service converts the resource by an operation of its own.
    Conversion,
    /// Refused while the resource is attached.
    Detach,
}

impl ChangeResult {
    /// The word of the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::InPlace => "in-place",
            Self::OneWay => "one-way",
            Self::Rolls => "rolls",
            Self::Restarts => "restarts",
            Self::OsDisks => "os-disks",
            Self::Reimage => "reimage",
            Self::Deallocate => "deallocate",
            Self::EmptyPool => "empty-pool",
            Self::Reboot => "reboot",
            Self::NewMachines => "new-machines",
            Self::ScalesIn => "scales-in",
            Self::ScalesOut => "scales-out",
            Self::AutoscaleIn => "autoscale-in",
            Self::AutoscaleOut => "autoscale-out",
            Self::Refused => "refused",
            Self::InUse => "in-use",
            Self::NameHeld => "name-held",
            Self::Recreate => "recreate",
            Self::Conversion => "conversion",
            Self::Detach => "detach",
        }
    }

    /// Whether the service answers the write with an error.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::EmptyPool
                | Self::Refused
                | Self::InUse
                | Self::NameHeld
                | Self::Recreate
                | Self::Conversion
                | Self::Detach
        )
    }
}

/// How sure a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Mark {
    /// A primary source was read: a document of Microsoft, a description of the REST API, a text of an SDK.
    A,
    /// A concrete secondary source: what a maintained client does, or an error of the service quoted in a public issue.
    B,
    /// Not confirmed. Never the reason for a refusal or a new resource.
    C,
}

/// A state of the resource that a row applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A scale set with uniform orchestration.
    Uniform,
    /// A scale set with flexible orchestration.
    Flexible,
    /// The OS disk of a scale set is a managed disk.
    ManagedDisk,
    /// The OS disk of a scale set is ephemeral.
    EphemeralDisk,
    /// A Batch pool has nodes.
    HasNodes,
    /// A Batch pool has no nodes.
    NoNodes,
    /// Something is in the subnet.
    InUse,
    /// Nothing is in the subnet.
    NotInUse,
    /// Both subnets are of one virtual network.
    SameNetwork,
    /// The subnets are of two virtual networks.
    OtherNetwork,
    /// The new number is below the number of machines that run.
    BelowRunning,
    /// The new number is above the number of machines that run.
    AboveRunning,
}

/// Values that exercise a row.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeExample {
    /// The property that is changed, when it is not that of the row (`[]`: the first element, `[1]`: the second).
    #[serde(default)]
    pub at: Option<String>,
    /// Value before; null: absent.
    pub from: Value,
    /// Value after; null: absent.
    pub to: Value,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRow {
    /// The property (`properties.subnets[].name`); the row is about everything below it too.
    pub path: String,
    /// `any`, or a list of `add`, `remove`, `replace`, `up`, `down`, `grow` (a list that loses nothing), `A -> B`.
    /// In `A -> B` a side is one of several words (`a|b`), `absent`, or a word that ends in `*`.
    pub change: String,
    /// States that the row applies to: all of them must hold.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What Azure does with the write and to running machines.
    pub result: ChangeResult,
    /// The error code that Azure answers, when it is known.
    #[serde(default)]
    pub code: Option<String>,
    /// What it means, in one clause.
    pub note: String,
    /// The way out of a refusal.
    #[serde(default)]
    pub out: Option<String>,
    /// How sure the row is.
    pub mark: Mark,
    /// Where it was read.
    pub source: String,
    /// Values that exercise it.
    pub example: ChangeExample,
}

/// How a property changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The property was absent and is given.
    Add,
    /// The property was there and is left out.
    Remove,
    /// Another value; either may be hidden.
    Replace,
}

/// A change that is looked up.
#[derive(Clone, Copy, Debug)]
pub struct PropertyChange<'a> {
    /// Full resource type, such as `Microsoft.Compute/virtualMachineScaleSets`.
    pub resource_type: &'a str,
    /// The property, `[]` for any element.
    pub path: &'a str,
    /// Whether it comes, goes or gets another value.
    pub direction: Direction,
    /// Value before; `None`: absent or hidden.
    pub before: Option<&'a Value>,
    /// Value after; `None`: absent or hidden.
    pub after: Option<&'a Value>,
    /// The resource as it exists.
    pub resource: &'a Value,
    /// The innermost element of a list that the property is in, as it exists.
    pub element: Option<&'a Value>,
    /// Machines that run in the pool, when they are known.
    pub machines: Option<u64>,
}

type Rows = Vec<ChangeRow>;

fn file() -> &'static BTreeMap<String, Rows> {
    static FILE: OnceLock<BTreeMap<String, Rows>> = OnceLock::new();
    FILE.get_or_init(|| serde_json::from_str(include_str!("changes.json")).unwrap_or_default())
}

/// Rows of one type by path, in lower case.
type Index = HashMap<String, HashMap<String, Vec<&'static ChangeRow>>>;

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::new();
        for (kind, rows) in file() {
            let paths = index.entry(kind.to_ascii_lowercase()).or_default();
            for row in rows {
                paths.entry(row.path.to_ascii_lowercase()).or_default().push(row);
            }
        }
        index
    })
}

/// The whole table: types in alphabetical order (`*` first), rows in their order.
pub fn changes() -> impl Iterator<Item = (&'static str, &'static [ChangeRow])> {
    file().iter().map(|(kind, rows)| (kind.as_str(), rows.as_slice()))
}

/// The row that says what a change does; `None`: not known.
#[must_use]
pub fn change(change: &PropertyChange<'_>) -> Option<&'static ChangeRow> {
    let path = change.path.to_ascii_lowercase();
    [change.resource_type.to_ascii_lowercase().as_str(), "*"].into_iter().find_map(|kind| {
        let paths = index().get(kind)?;
        let mut rest = Some(path.as_str());
        std::iter::from_fn(|| {
            let here = rest?;
            rest = here.strip_suffix("[]").or_else(|| here.rsplit_once('.').map(|(head, _)| head));
            Some(here)
        })
        .find_map(|here| paths.get(here)?.iter().copied().find(|row| row.fits(change)))
    })
}

impl ChangeRow {
    fn fits(&self, change: &PropertyChange<'_>) -> bool {
        self.change.split(", ").any(|spec| direction_fits(spec, change))
            && self.when.iter().all(|condition| condition.holds(change))
    }
}

fn direction_fits(spec: &str, change: &PropertyChange<'_>) -> bool {
    if let Some((from, to)) = spec.split_once(" -> ") {
        return side_fits(from, change.before) && side_fits(to, change.after);
    }
    let number = |value: Option<&Value>| match value? {
        Value::String(text) => text.parse::<f64>().ok(),
        other => other.as_f64(),
    };
    let order = || number(change.before)?.partial_cmp(&number(change.after)?);
    match spec {
        "any" => true,
        "add" => change.direction == Direction::Add,
        "remove" => change.direction == Direction::Remove,
        "replace" => change.direction == Direction::Replace,
        "up" => order() == Some(std::cmp::Ordering::Less),
        "down" => order() == Some(std::cmp::Ordering::Greater),
        "grow" => match (change.before, change.after) {
            (Some(Value::Array(before)), Some(Value::Array(after))) => before.iter().all(|one| after.contains(one)),
            (None, Some(_)) => change.direction == Direction::Add,
            _ => false,
        },
        _ => false,
    }
}

fn side_fits(words: &str, value: Option<&Value>) -> bool {
    let text = match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.to_ascii_lowercase()),
        Some(other) => Some(other.to_string()),
    };
    words.split('|').any(|word| match &text {
        None => word == "absent" || word == "*",
        Some(text) => {
            let word = word.to_ascii_lowercase();
            match word.strip_suffix('*') {
                Some(start) => text.starts_with(start),
                None => *text == word,
            }
        }
    })
}

impl Condition {
    /// The word of the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Flexible => "flexible",
            Self::ManagedDisk => "managed OS disk",
            Self::EphemeralDisk => "ephemeral OS disk",
            Self::HasNodes => "the pool has nodes",
            Self::NoNodes => "the pool has no nodes",
            Self::InUse => "in use",
            Self::NotInUse => "not in use",
            Self::SameNetwork => "same virtual network",
            Self::OtherNetwork => "another virtual network",
            Self::BelowRunning => "below what runs",
            Self::AboveRunning => "above what runs",
        }
    }

    fn holds(self, change: &PropertyChange<'_>) -> bool {
        let at = |pointer: &str| change.resource.pointer(pointer).filter(|v| !v.is_null());
        let flexible = at("/properties/orchestrationMode")
            .and_then(Value::as_str)
            .is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"));
        let ephemeral = at("/properties/virtualMachineProfile/storageProfile/osDisk/diffDiskSettings").is_some();
        let same = network(change.before) == network(change.after);
        let number = match change.after {
            Some(Value::String(text)) => text.parse::<u64>().ok(),
            Some(other) => other.as_u64(),
            None => None,
        };
        let compared = |wanted: std::cmp::Ordering| {
            number.zip(change.machines).is_some_and(|(number, machines)| number.cmp(&machines) == wanted)
        };
        match self {
            Self::Uniform => !flexible,
            Self::Flexible => flexible,
            Self::ManagedDisk => !ephemeral,
            Self::EphemeralDisk => ephemeral,
            Self::HasNodes => nodes(change.resource) > 0,
            Self::NoNodes => nodes(change.resource) == 0,
            Self::InUse => in_use(change),
            Self::NotInUse => !in_use(change),
            Self::SameNetwork => same,
            Self::OtherNetwork => !same,
            Self::BelowRunning => compared(std::cmp::Ordering::Less),
            Self::AboveRunning => compared(std::cmp::Ordering::Greater),
        }
    }
}

/// The virtual network of a subnet's id.
fn network(subnet: Option<&Value>) -> Option<String> {
    let id = subnet?.as_str()?.to_ascii_lowercase();
    let at = id.find("/subnets/")?;
    id.get(..at).map(str::to_owned)
}

fn nodes(pool: &Value) -> u64 {
    ["/properties/currentDedicatedNodes", "/properties/currentLowPriorityNodes"]
        .iter()
        .filter_map(|pointer| pool.pointer(pointer)?.as_u64())
        .sum()
}

/// Whether something is in the subnet that is changed: one of a virtual network's, or the resource itself.
fn in_use(change: &PropertyChange<'_>) -> bool {
    let whole = change.before.filter(|before| before.get("properties").is_some());
    let subnet = whole.or(change.element).unwrap_or(change.resource);
    ["ipConfigurations", "privateEndpoints", "serviceAssociationLinks"].iter().any(|key| {
        subnet.pointer(&format!("/properties/{key}")).and_then(Value::as_array).is_some_and(|l| !l.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    const VMSS: &str = "Microsoft.Compute/virtualMachineScaleSets";

    fn found(kind: &str, path: &str, values: (Value, Value), resource: &Value) -> Option<&'static ChangeRow> {
        let present = |v: &Value| !v.is_null();
        let (before, after) = (Some(&values.0).filter(|v| present(v)), Some(&values.1).filter(|v| present(v)));
        let direction = match (before, after) {
            (None, _) => Direction::Add,
            (_, None) => Direction::Remove,
            _ => Direction::Replace,
        };
        change(&PropertyChange {
            resource_type: kind,
            path,
            direction,
            before,
            after,
            resource,
            element: None,
            machines: None,
        })
    }

    #[test]
    fn the_file_is_whole() {
        let table: BTreeMap<String, Rows> = serde_json::from_str(include_str!("changes.json")).expect("valid");
        for (kind, rows) in &table {
            assert!(kind == "*" || crate::lookup(kind, None).is_some(), "{kind} is not a known type");
            let mut seen = BTreeSet::new();
            for row in rows {
                assert!(seen.insert((&row.path, &row.change, &row.when)), "{kind} {} twice", row.path);
                assert!(!row.note.is_empty() && !row.source.is_empty(), "{kind} {}", row.path);
                assert!(row.code.is_none() || row.result.is_refusal(), "{kind} {}: a code without a refusal", row.path);
                assert!(row.mark == Mark::C || row.source != "none read", "{kind} {}: no source", row.path);
                for spec in row.change.split(", ") {
                    let known = ["any", "add", "remove", "replace", "up", "down", "grow"];
                    assert!(known.contains(&spec) || spec.contains(" -> "), "{kind} {}: {spec}", row.path);
                }
                if let (false, Some(out)) = (row.result.is_refusal(), &row.out) {
                    panic!("{kind} {}: a way out of nothing: {out}", row.path);
                }
            }
        }
    }

    #[test]
    fn the_nearest_row_of_the_right_direction_decides() {
        let none = json!({});
        let result = |path: &str, from: Value, to: Value| found(VMSS, path, (from, to), &none).map(|row| row.result);
        let image = "properties.virtualMachineProfile.storageProfile.imageReference";
        assert_eq!(result(&format!("{image}.OFFER"), json!("a"), json!("b")), Some(ChangeResult::OsDisks));
        assert_eq!(result(&format!("{image}.exactVersion"), json!("a"), json!("b")), Some(ChangeResult::OsDisks));
        assert_eq!(result("zones", json!(["1"]), json!(["1", "2"])), Some(ChangeResult::NewMachines));
        assert_eq!(result("zones", json!(["1"]), json!(["2"])), Some(ChangeResult::Recreate));
        assert_eq!(result("sku.capacity", json!(3), json!(2)), Some(ChangeResult::ScalesIn));
        assert_eq!(result("location", json!("a"), json!("b")), Some(ChangeResult::Recreate));
        assert_eq!(result("properties.nobodyKnows", json!("a"), json!("b")), None);
    }

    #[test]
    fn the_state_of_the_resource_decides() {
        let (uniform, flexible) = (json!({}), json!({ "properties": { "orchestrationMode": "flexible" } }));
        let group = "properties.proximityPlacementGroup.id";
        let result = |resource: &Value| found(VMSS, group, (json!("a"), json!("b")), resource).map(|row| row.result);
        assert_eq!(result(&uniform), Some(ChangeResult::Deallocate));
        assert_eq!(result(&flexible), Some(ChangeResult::Recreate));
        let pool = "Microsoft.Batch/batchAccounts/pools";
        let busy = json!({ "properties": { "currentDedicatedNodes": 1 } });
        let size = |resource: &Value| found(pool, "properties.vmSize", (json!("a"), json!("b")), resource);
        assert_eq!(size(&busy).map(|row| row.result), Some(ChangeResult::EmptyPool));
        assert_eq!(size(&uniform).map(|row| row.result), Some(ChangeResult::InPlace));
    }
}
