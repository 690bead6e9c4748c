//! What a plan means, as data: what views show and JSON contains.

use super::situation::Index;
use arm_plan::{Change, EffectKind, Source};
use serde::{Deserialize, Serialize};

/// A plan in the words of the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Changes that Azure refuses, each with the way out; nothing can be applied before they are gone.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refusals: Vec<Refusal>,
    /// Who notices what, worst first.
    pub notices: Vec<Notice>,
    /// Changes by block of the source, in source order; those of removed blocks first.
    pub blocks: Vec<BlockChanges>,
    /// What the changes cost or save in a month, where the caller has prices and the plan changes what is paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<CostChange>,
    /// One sentence: how many resources are touched, and whether anything is deleted.
    pub summary: String,
}

/// What a plan changes in the costs of a month. Amounts are decimal numbers as text, so that no reader rounds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostChange {
    /// Currency of all amounts, such as `USD`.
    pub currency: String,
    /// Hours that a month is counted with.
    pub hours: u32,
    /// Blocks of the source whose costs change, with what changes there.
    pub blocks: Vec<BlockCost>,
    /// What all changes add; less than nothing when they save.
    pub difference: CostCases,
    /// Own terms that apply, such as discounts, a clause each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub terms: Vec<String>,
    /// Where the prices of what changes are from, newest first.
    pub prices: Vec<PriceSource>,
}

/// The costs of what a plan changes in a block; what it leaves alone is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockCost {
    /// Title of the block, such as `pool team`.
    pub block: String,
    /// Before; absent for what is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<CostCases>,
    /// After; absent for what is removed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<CostCases>,
}

/// From the fewest machines to the most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCases {
    /// With the fewest machines.
    pub floor: CostCase,
    /// With the machines that the schedules keep.
    pub expected: CostCase,
    /// With the most machines.
    pub ceiling: CostCase,
}

/// What is known of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCase {
    /// In a month, as a decimal number.
    pub amount: String,
    /// How many things have no known price: the amount is without them.
    pub unknown_items: u32,
}

/// Who published a price, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSource {
    /// Project or service that published it.
    pub title: String,
    /// Day of the price list.
    pub date: String,
}

/// A change that Azure refuses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The block that the change belongs to, such as `pool team`.
    pub block: String,
    /// What is refused, and why.
    pub text: String,
    /// The error code that Azure answers, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub way_out: Option<String>,
    /// Where it was written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// Full ARM ids of the resources.
    pub resources: Vec<String>,
}

impl Refusal {
    pub(crate) fn of(change: &Change, index: &Index<'_>) -> Self {
        let at = change.attributes.iter().find(|a| Some(&a.path) == change.effect.property.as_ref());
        let title = index.title_of(change);
        let basis = at.and_then(|a| a.basis.as_ref());
        let note = basis.map(|basis| basis.note.as_str()).filter(|note| !note.is_empty());
        let text = match at.map(|a| super::resource::plain(change, a, index)) {
            Some(draft) => {
                let note = note.map_or_else(|| change.effect.text.clone(), str::to_owned);
                format!("{title}: {} {}: {note}", draft.subject, draft.change)
            }
            None => format!("{title}: {}", change.effect.text),
        };
        Self {
            block: title,
            text,
            code: basis.and_then(|basis| basis.code.clone()),
            way_out: change.effect.way_out.clone(),
            source: at.and_then(|a| a.source.clone()).or_else(|| change.source.clone()),
            resources: vec![change.id.clone()],
        }
    }
}

/// How bad it is for the people who use the machines, worst first; gains come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Stored data is deleted.
    DataLost,
    /// A pool and its machines are deleted.
    PoolGone,
    /// Sessions end with their machines, or disks with work are emptied.
    WorkLost,
    /// People can no longer log in or reach a service.
    LockedOut,
    /// Machines restart: sessions on them end.
    Restarted,
    /// An address or a path is another one.
    Moved,
    /// Something is needed before the change reaches everybody.
    Waiting,
    /// The effect is not known.
    NotKnown,
    /// Something that people get.
    Gained,
}

/// What one group of people notices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// How bad it is.
    pub severity: Severity,
    /// The fact in one clause, without a full stop.
    pub text: String,
    /// Where the cause was written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// Full ARM ids of the resources that cause it.
    pub resources: Vec<String>,
    /// Title of the block that it is about, which its text contains.
    #[serde(skip)]
    pub(crate) block: String,
}

/// The changes of one block of the source, or the identical ones of several blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockChanges {
    /// The blocks, such as `pool team`; several when their changes are the same.
    pub blocks: Vec<String>,
    /// One line for each edited place.
    pub lines: Vec<Line>,
}

/// One place of the source that was edited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What was edited, in the words of the source: `size`, `user bob`; empty for the block as a whole.
    pub subject: String,
    /// How: `Standard_D4s_v5 → Standard_D8s_v5`, `added`.
    pub change: String,
    /// What it does and when: `restarts 2 machines, in batches`; empty when the change says it already.
    pub effect: String,
    /// The kind of that effect, as in the plan.
    pub kind: EffectKind,
    /// Hidden causes and consequences, in one clause each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub because: Vec<String>,
    /// Where it was written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// Full ARM ids of the resources that change with it.
    pub resources: Vec<String>,
}

/// A line before its effect is put into words and its place is looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) subject: String,
    pub(crate) change: String,
    pub(crate) kind: EffectKind,
    pub(crate) because: Vec<String>,
    /// Key of the place in the block; empty where `source` is as exact as it gets.
    pub(crate) place: String,
    pub(crate) source: Option<Source>,
    /// A pool takes it only while it has no nodes.
    pub(crate) needs_empty: bool,
}

impl Draft {
    /// Whether it counts when the formula of a Batch pool is evaluated.
    pub(crate) fn scales_by_formula(&self, resource_type: &str) -> bool {
        let scaling = ["autoscale formula", "autoscale every", "machines", "spot_machines"];
        super::situation::is(resource_type, "pools") && scaling.contains(&self.subject.as_str())
    }
}
