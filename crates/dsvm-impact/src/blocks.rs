//! The changes of a plan → the changes of each block, merged where one edited place shows up several times, and what people
//! notice of them.

use super::access::{self, Reach};
use super::notices;
use super::resource::{self, Found};
use super::situation::{Index, is};
use super::types::{BlockChanges, Line, Notice};
use super::units::{self, Unit};
use arm_plan::{Action, Change, EffectKind};
use dsvm_diagnostics::count;
use serde_json::Value;
use std::collections::BTreeMap;

/// All changes of one block.
pub(crate) struct Group<'a> {
    pub(crate) title: String,
    /// What the plan does, in its order.
    pub(crate) changes: Vec<&'a Change>,
    /// Whether resources of the block stay as they are.
    pub(crate) stays: bool,
}

impl Group<'_> {
    fn all(&self, action: Action) -> bool {
        !self.stays && self.changes.iter().all(|change| change.action == action)
    }

    /// The change of the resource that the block is.
    pub(crate) fn main(&self) -> Option<&Change> {
        let kinds = [
            "virtualMachineScaleSets",
            "pools",
            "computes",
            "shares",
            "containers",
            "vaults",
            "batchAccounts",
            "workspaces",
        ];
        kinds.iter().find_map(|kind| self.changes.iter().find(|change| is(&change.resource_type, kind)).copied())
    }
}

/// The changes by block, and what people notice.
pub(crate) fn changes(index: &Index<'_>) -> (Vec<BlockChanges>, Vec<Notice>) {
    let mut blocks = Vec::new();
    let mut all_notices = Vec::new();
    for group in groups(index) {
        let (lines, reach) = lines(&group, index);
        all_notices.extend(notices::of(&group, &lines, &reach, index));
        blocks.push(BlockChanges { blocks: vec![group.title], lines });
    }
    (blocks, all_notices)
}

/// Blocks that are not in the source come first, the others in its order.
fn groups<'a>(index: &Index<'a>) -> Vec<Group<'a>> {
    let mut by_title: BTreeMap<String, Group<'a>> = BTreeMap::new();
    for change in &index.situation.plan.changes {
        let title = index.title_of(change);
        let group = by_title.entry(title.clone()).or_insert_with(|| Group { title, changes: Vec::new(), stays: false });
        if change.action == Action::NoChange {
            group.stays = true;
        } else {
            group.changes.push(change);
        }
    }
    let mut groups: Vec<Group<'a>> = by_title.into_values().filter(|group| !group.changes.is_empty()).collect();
    let place = |group: &Group<'_>| {
        let at = index.situation.blocks.iter().position(|block| block.title() == group.title);
        (!group.all(Action::Delete), at.map_or(0, |at| at + 1), group.title.clone())
    };
    groups.sort_by_key(place);
    groups
}

fn lines(group: &Group<'_>, index: &Index<'_>) -> (Vec<Line>, Vec<Reach>) {
    if let Some(line) = as_a_whole(group, index) {
        return (vec![line], Vec::new());
    }
    let mut lines: Vec<Line> = Vec::new();
    let mut reach = Vec::new();
    for change in &group.changes {
        let Found { lines: found, reach: concerned } = resource::found(change, index);
        reach.extend(concerned);
        for line in found {
            add(&mut lines, line);
        }
    }
    (joined(counted(lines)), reach)
}

/// One line for a block that is new, removed or detached with all of its resources.
fn as_a_whole(group: &Group<'_>, index: &Index<'_>) -> Option<Line> {
    let (word, kind) = if group.all(Action::Create) {
        ("new", EffectKind::Appears)
    } else if group.all(Action::Delete) {
        ("removed", group.changes.iter().map(|change| change.effect.kind).max().unwrap_or_default())
    } else if group.all(Action::Detach) {
        ("no longer managed", EffectKind::None)
    } else {
        return None;
    };
    let main = group.main();
    let effect = match (word, main) {
        ("new", Some(main)) => starts_with(main, &index.after(&main.id)),
        ("removed", Some(main)) => match index.machines(main) {
            Some(n) if n > 0 => format!("deletes {}", count(n, "machine")),
            _ if kind == EffectKind::DeletesData => main.effect.text.clone(),
            _ => String::new(),
        },
        ("no longer managed", _) => "its resources stay as they are".to_owned(),
        _ => String::new(),
    };
    let source = index.block(&group.title).and_then(|block| block.place.clone());
    Some(Line {
        subject: String::new(),
        change: word.to_owned(),
        effect,
        kind,
        because: Vec::new(),
        source: source.or_else(|| main.or(group.changes.first().copied()).and_then(|change| change.source.clone())),
        resources: group.changes.iter().map(|change| change.id.clone()).collect(),
    })
}

/// What a new block begins with: `2 machines of Standard_D4s_v5`, `1 TiB`.
fn starts_with(main: &Change, after: &Value) -> String {
    let text = |pointer: &str| after.pointer(pointer).map(units::plain);
    if let Some(quota) = after.pointer("/properties/shareQuota") {
        return units::shown(quota, Unit::Gibibytes);
    }
    let size = text("/sku/name").filter(|_| is(&main.resource_type, "virtualMachineScaleSets"));
    // An instance mix has the word `Mix` for a size, and its sizes in a profile.
    let mix = after.pointer("/properties/skuProfile/vmSizes").and_then(Value::as_array);
    let mix: Vec<&str> = mix.into_iter().flatten().filter_map(|one| one.get("name")?.as_str()).collect();
    let size = if mix.is_empty() { size } else { Some(mix.join(", else ")) };
    let size = size.or_else(|| text("/properties/vmSize")).or_else(|| text("/properties/properties/vmSize"));
    match (size, main.effect.machines.and_then(|n| i64::try_from(n).ok())) {
        (Some(size), Some(n)) => format!("starts with {} of {size}", count(n, "machine")),
        (Some(size), None) => format!("machines of {size}"),
        (None, _) => String::new(),
    }
}

/// Adds a line, to an equal one where the same edit shows up in several resources.
fn add(lines: &mut Vec<Line>, line: Line) {
    let same = |known: &&mut Line| known.subject == line.subject && known.change == line.change;
    let Some(known) = lines.iter_mut().find(same) else {
        lines.push(line);
        return;
    };
    if line.kind > known.kind {
        known.effect.clone_from(&line.effect);
        known.kind = line.kind;
    }
    for because in line.because {
        if !known.because.contains(&because) {
            known.because.push(because);
        }
    }
    for id in line.resources {
        if !known.resources.contains(&id) {
            known.resources.push(id);
        }
    }
}

/// One line for more than two roles that go the same way for the same reason.
fn counted(lines: Vec<Line>) -> Vec<Line> {
    const FEW: usize = 2;
    let is_role = |line: &Line| line.subject.starts_with("role ");
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    for line in &lines {
        let alike: Vec<&Line> =
            lines.iter().filter(|l| is_role(l) && (&l.change, &l.effect) == (&line.change, &line.effect)).collect();
        if !is_role(line) || alike.len() <= FEW {
            out.push(line.clone());
        } else if alike.first().is_some_and(|first| *first == line) {
            let mut because: Vec<String> = alike.iter().flat_map(|l| l.because.iter().cloned()).collect();
            because.dedup();
            because.truncate(FEW);
            let resources = alike.iter().flat_map(|l| l.resources.iter().cloned()).collect();
            out.push(Line { subject: count(alike.len(), "role assignment"), because, resources, ..line.clone() });
        }
    }
    out
}

/// `allow ssh` and `allow jupyterhub` with the same change are one line: `allow ssh, jupyterhub`.
fn joined(lines: Vec<Line>) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        let service = line.subject.strip_prefix("allow ").map(str::to_owned);
        let same = |known: &&mut Line| {
            known.subject.starts_with("allow ") && (&known.change, &known.effect) == (&line.change, &line.effect)
        };
        match (service, out.iter_mut().find(same)) {
            (Some(service), Some(known)) => {
                known.subject.push_str(&format!(", {service}"));
                known
                    .resources
                    .extend(line.resources.into_iter().filter(|id| !known.resources.contains(id)).collect::<Vec<_>>());
            }
            _ => out.push(line),
        }
    }
    out
}

/// The host name at which a pool was reached, when its public address goes.
pub(crate) fn lost_address(group: &Group<'_>, index: &Index<'_>) -> Option<(String, Change)> {
    if !group.title.starts_with("pool ") {
        return None;
    }
    let address = group
        .changes
        .iter()
        .find(|change| is(&change.resource_type, "publicIPAddresses") && super::destroys(change.action))?;
    let before = index.before(&address.id);
    let shown = access::host(&before).or_else(|| before.pointer("/properties/ipAddress")?.as_str().map(str::to_owned));
    Some((shown.unwrap_or_else(|| address.name.clone()), (*address).clone()))
}
