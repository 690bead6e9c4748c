//! What a description is made from, and its index: the bodies of both sides, and the block that a resource belongs to.

use super::units;
use arm_plan::{Action, Change, Desired, Observed, Plan, Source};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that is known of a plan and its source.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The changes, resource by resource.
    pub plan: &'a Plan,
    /// The desired resources; none when everything is deleted.
    pub desired: &'a Desired,
    /// The existing resources, as the service shows them.
    pub observed: &'a Observed,
    /// The resources that the source declares, also when the plan deletes them all: they tell which block is whose.
    pub declared: &'a Desired,
    /// The resources as the last deployment sent them, where that is known: what a service never returns is compared
    /// with it.
    pub sent: &'a Desired,
    /// Whether `observed` is what exists. Otherwise it is what another version of the source declares, and how many
    /// machines run is not known.
    pub live: bool,
    /// The top-level blocks of the source, in its order, followed by those of the source that it is compared with.
    pub blocks: &'a [Block],
}

/// A block of the source with the places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Its keyword, such as `pool`.
    pub kind: String,
    /// Its name, with the key of a repeated block: `lab-vision`.
    pub name: String,
    /// Where its name was written.
    pub place: Option<Source>,
    /// The line and column after its last character.
    pub end: (u32, u32),
    /// The line and column of its first character.
    pub start: (u32, u32),
    /// Places of its fields and nested blocks: `size`, `user bob`, `setup step tools`.
    pub places: BTreeMap<String, Source>,
}

impl Block {
    /// Keyword and name, as people call it: `pool team`.
    #[must_use]
    pub fn title(&self) -> String {
        if self.name.is_empty() || self.name == self.kind {
            self.kind.clone()
        } else {
            format!("{} {}", self.kind, self.name)
        }
    }

    fn holds(&self, source: &Source) -> bool {
        let at = (source.line, source.column);
        self.place.as_ref().is_some_and(|p| p.file == source.file) && self.start <= at && at < self.end
    }

    /// Its name as generated names contain it.
    fn dashed(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }
}

/// A situation, by id.
pub(crate) struct Index<'a> {
    pub(crate) situation: &'a Situation<'a>,
    before: BTreeMap<String, &'a arm_plan::JsonText>,
    sent: BTreeMap<String, &'a arm_plan::JsonText>,
    after: BTreeMap<String, &'a arm_plan::JsonText>,
    declared: BTreeMap<String, &'a Source>,
    /// Title of the block of each change by folded id.
    titles: BTreeMap<String, String>,
}

impl<'a> Index<'a> {
    pub(crate) fn of(situation: &'a Situation<'a>) -> Self {
        let desired = |all: &'a Desired| all.resources.iter().map(|r| (fold(&r.id), &r.body)).collect();
        let mut index = Self {
            situation,
            before: situation.observed.resources.iter().map(|r| (fold(&r.id), &r.body)).collect(),
            sent: desired(situation.sent),
            after: desired(situation.desired),
            declared: situation
                .declared
                .resources
                .iter()
                .filter_map(|r| Some((fold(&r.id), r.source.as_ref()?)))
                .collect(),
            titles: BTreeMap::new(),
        };
        let titles: Vec<_> = situation.plan.changes.iter().map(|c| (fold(&c.id), index.find_title(c))).collect();
        let known: BTreeMap<String, String> =
            titles.iter().filter_map(|(id, title)| Some((id.clone(), title.clone()?))).collect();
        let gone = situation.plan.changes.iter().map(|change| change.action == Action::Delete);
        for ((id, title), gone) in titles.into_iter().zip(gone) {
            // What has no place of its own belongs to what it is in, or to what is in it.
            let title = title.or_else(|| {
                let mut around = id.as_str();
                while let Some((outer, _)) = around.rsplit_once('/') {
                    if let Some(title) = known.get(outer) {
                        return Some(title.clone());
                    }
                    around = outer;
                }
                let below = format!("{id}/");
                let inside = known.range(below.clone()..).next().filter(|(other, _)| other.starts_with(&below));
                inside.map(|(_, title)| title.clone())
            });
            index.titles.insert(
                id,
                title.unwrap_or_else(|| if gone { "no longer in the source" } else { "project" }.to_owned()),
            );
        }
        index
    }

    pub(crate) fn into_titles(self) -> BTreeMap<String, String> {
        self.titles
    }

    /// The resource as it exists; null when it does not.
    pub(crate) fn before(&self, id: &str) -> Value {
        self.before.get(&fold(id)).map(|body| body.read()).unwrap_or_default()
    }

    /// The resource as the last deployment sent it; as it exists when that is not known.
    pub(crate) fn sent(&self, id: &str) -> Value {
        self.sent.get(&fold(id)).map(|body| body.read()).unwrap_or_default()
    }

    /// The resource as it will be sent; null when it is removed.
    pub(crate) fn after(&self, id: &str) -> Value {
        self.after.get(&fold(id)).map(|body| body.read()).unwrap_or_default()
    }

    /// The title of the block that a resource belongs to.
    pub(crate) fn title_of(&self, change: &Change) -> String {
        self.titles.get(&fold(&change.id)).cloned().unwrap_or_default()
    }

    /// The block with a title.
    pub(crate) fn block(&self, title: &str) -> Option<&'a Block> {
        self.situation.blocks.iter().find(|block| block.title() == title)
    }

    /// Where a field or nested block of a block was written, such as `user bob`.
    pub(crate) fn place(&self, title: &str, key: &str) -> Option<Source> {
        self.block(title)?.places.get(key).cloned()
    }

    /// Machines that run in the pool that a resource is, or that it scales; nothing when that is not known.
    pub(crate) fn machines(&self, change: &Change) -> Option<i64> {
        if !self.situation.live {
            return None;
        }
        let body = self.before(&change.id);
        if is(&change.resource_type, "autoscaleSettings") {
            let target = body.pointer("/properties/targetResourceUri").and_then(Value::as_str)?.to_owned();
            return machines_in(&self.before(&target));
        }
        machines_in(&body)
    }

    fn find_title(&self, change: &Change) -> Option<String> {
        let blocks = self.situation.blocks;
        if let Some(source) = change.source.as_ref().or_else(|| self.declared.get(&fold(&change.id)).copied()) {
            let holding: Vec<&Block> = blocks.iter().filter(|block| block.holds(source)).collect();
            // Several blocks of one place are those of a repeated block: the name of the resource tells which.
            let named = |block: &&&Block| has_name(&change.name, &block.dashed());
            let found = holding.iter().filter(named).max_by_key(|block| block.name.len()).or(holding.first());
            if let Some(block) = found {
                return Some(block.title());
            }
        }
        let name = change.name.to_ascii_lowercase();
        let by_name = |kind: &str, name: &str| {
            let known = blocks.iter().find(|b| b.kind == kind && b.dashed() == name);
            known.map_or_else(|| format!("{kind} {name}"), Block::title)
        };
        let own = units::name(&name);
        let pools = ["vmss-", "nsg-", "pip-", "lb-", "autoscale-"];
        match change.resource_type.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "shares" => Some(by_name("share", &own)),
            "containers" => Some(by_name("container", &own)),
            "pools" | "computes" => Some(by_name("pool", &own)),
            "virtualmachinescalesets"
            | "autoscalesettings"
            | "loadbalancers"
            | "networksecuritygroups"
            | "publicipaddresses"
                if pools.iter().any(|p| name.starts_with(p)) && !name.starts_with("pip-nat-") =>
            {
                pools.iter().find_map(|prefix| name.strip_prefix(prefix)).map(|name| by_name("pool", name))
            }
            "virtualmachinescalesets" => Some(by_name("pool", &own)),
            "userassignedidentities" => {
                let name = name.strip_prefix("id-").unwrap_or(&name);
                let pool = blocks.iter().find(|b| b.kind == "pool" && b.dashed() == name);
                let gone = self.situation.plan.changes.iter().any(|c| c.name == format!("vmss-{name}"));
                Some(pool.map_or_else(|| by_name(if gone { "pool" } else { "identity" }, name), Block::title))
            }
            "virtualnetworks" => Some(by_name("network", name.strip_prefix("vnet-").unwrap_or(&name))),
            "vaults" => Some(by_name("vault", &own)),
            _ => None,
        }
    }
}

/// Machines in a scale set, a Batch pool or a cluster.
fn machines_in(body: &Value) -> Option<i64> {
    let number = |pointer: &str| body.pointer(pointer).and_then(units::number);
    let nodes = [number("/properties/currentDedicatedNodes"), number("/properties/currentLowPriorityNodes")];
    if nodes.iter().any(Option::is_some) {
        return Some(nodes.iter().flatten().sum());
    }
    number("/sku/capacity").or_else(|| number("/properties/properties/currentNodeCount"))
}

/// Whether the last part of a resource type is this one.
pub(crate) fn is(resource_type: &str, last: &str) -> bool {
    resource_type.rsplit('/').next().is_some_and(|part| part.eq_ignore_ascii_case(last))
}

/// Whether a name is made from the name of a block: `nsg-lab-vision` from `lab-vision`.
fn has_name(name: &str, block: &str) -> bool {
    let parts = name.split('/').map(str::to_ascii_lowercase);
    parts
        .into_iter()
        .any(|part| part == block || part.ends_with(&format!("-{block}")) || part.contains(&format!("-{block}-")))
}

pub(crate) fn fold(id: &str) -> String {
    id.trim_end_matches('/').to_ascii_lowercase()
}
