//! Pools whose size is one of several (`size = first of [A, B]`): which one a deployment takes, why, and what comes next when
//! Azure refuses it.
//!
//! The size that a pool has is read from the pool itself, so that everybody's plan finds the same. Since when, and what was
//! refused before, is in a tag of the deployment stack.

use super::values::ReadyPart;
use arm_client::ServiceError;
use arm_plan::{Action, Desired, Observed, Plan, Warning, WarningKind, same_id};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where the types of pools have their size.
const PLACES: [&str; 3] = ["/sku/name", "/properties/vmSize", "/properties/properties/vmSize"];

/// Begin of the tags of a stack that say since when a pool has which size.
const TAG: &str = "dsvmc-size-";
/// Azure's limit on the characters of a tag's value.
const LONGEST_TAG: usize = 256;
/// Most pools with a tag of their own: a resource has at most 50 tags, and a stack has others.
const MOST_TAGS: usize = 30;

/// Codes after which another size may be given, and a word of the message where the code alone does not tell. Sources, all of
/// Microsoft Learn: "Resolve errors for SKU not available" (`SkuNotAvailable`, also inside `InvalidTemplateDeployment`),
/// "Troubleshoot allocation failures" (`AllocationFailed`, `ZonalAllocationFailed`), "OverconstrainedAllocationRequest"
/// and its zonal kin, "Resolve errors for resource quotas" (`QuotaExceeded`, `OperationNotAllowed` with the quota in its
/// message).
const NEXT_AFTER: [(&str, &str); 8] = [
    ("SkuNotAvailable", ""),
    ("AllocationFailed", ""),
    ("ZonalAllocationFailed", ""),
    ("OverconstrainedAllocationRequest", ""),
    ("OverconstrainedZonalAllocationRequest", ""),
    ("QuotaExceeded", ""),
    ("OperationNotAllowed", "quota"),
    ("ClusterCoreQuotaReached", ""),
];

/// A size that Azure refused, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSize {
    /// The size, as Azure spells it.
    pub size: String,
    /// What Azure answered, such as `SkuNotAvailable`.
    pub code: String,
}

/// A pool with several sizes, and the one that a deployment takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeChoice {
    /// Position of its deployment.
    part: usize,
    /// Parameter that carries the size.
    parameter: String,
    /// Name of the pool in the source.
    pub pool: String,
    /// Full ARM id of the scale set, Batch pool or cluster.
    pub id: String,
    /// The sizes, in order of preference.
    sizes: Vec<String>,
    /// The size that is deployed.
    pub size: String,
    /// Somebody gave the size as the value of its parameter: no other one is tried.
    given: bool,
    /// The size of the pool as it is.
    live: Option<String>,
    /// This apply has moved on to another size.
    moving: bool,
    /// The day on which the pool got its size instead of an earlier one, where it is recorded.
    pub since: Option<String>,
    /// What was refused before.
    pub refused: Vec<RefusedSize>,
}

impl SizeChoice {
    fn place(&self) -> usize {
        self.sizes.iter().position(|size| size.eq_ignore_ascii_case(&self.size)).unwrap_or(0)
    }

    /// Whether the pool exists with another size.
    fn is_resized(&self) -> bool {
        self.live.as_ref().is_some_and(|live| !live.eq_ignore_ascii_case(&self.size))
    }

    fn is_tried(&self, size: &str) -> bool {
        self.size.eq_ignore_ascii_case(size) || self.refused.iter().any(|one| one.size.eq_ignore_ascii_case(size))
    }
}

/// The pools of a deployment that have several sizes. `records`: the tags of the stacks. The size that a pool has stays
/// its size, unless `first` asks for the first choice or its parameter was given.
#[must_use]
pub fn choices(
    parts: &[ReadyPart],
    desired: &Desired,
    observed: &Observed,
    records: &BTreeMap<String, String>,
    first: bool,
) -> Vec<SizeChoice> {
    let mut all = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let declared = declared(part);
        if declared.is_empty() {
            continue;
        }
        let template = part.template.read();
        for (parameter, pool, sizes) in declared {
            let uses = format!("[parameters('{parameter}')]");
            let found = desired.resources.iter().filter(|resource| resource.part == index).find_map(|resource| {
                let here = |place: &&&str| {
                    template.pointer(&format!("{}{place}", resource.pointer)).and_then(Value::as_str) == Some(&*uses)
                };
                Some((resource.id.clone(), *PLACES.iter().find(here)?))
            });
            let Some((id, place)) = found else { continue };
            let now = observed.resources.iter().find(|resource| same_id(&resource.id, &id));
            let live = now.and_then(|now| now.body.read().pointer(place).and_then(Value::as_str).map(str::to_owned));
            let live = live.and_then(|live| sizes.iter().find(|size| size.eq_ignore_ascii_case(&live)).cloned());
            let given = part.parameters.pointer(&format!("/{parameter}/value")).and_then(Value::as_str);
            let kept = live.clone().filter(|_| !first);
            let Some(size) = given.map(str::to_owned).or(kept).or_else(|| sizes.first().cloned()) else { continue };
            let given = given.is_some();
            let mut choice = SizeChoice {
                part: index,
                parameter,
                pool,
                id,
                sizes,
                size,
                given,
                live,
                moving: false,
                since: None,
                refused: Vec::new(),
            };
            choice.recall(records);
            all.push(choice);
        }
    }
    all
}

/// The parameters of a deployment that hold one of several sizes: name, pool, sizes.
fn declared(part: &ReadyPart) -> Vec<(String, String, Vec<String>)> {
    let parameters = part.template.parameters().as_object().into_iter().flatten();
    let each = parameters.filter_map(|(name, body)| {
        let pool = body.pointer("/metadata/dsvmc/sizesOf")?.as_str()?.to_owned();
        let sizes = body.get("allowedValues")?.as_array()?.iter();
        let sizes: Vec<String> = sizes.filter_map(Value::as_str).map(str::to_owned).collect();
        Some((name.clone(), pool, sizes))
    });
    each.collect()
}

/// Puts the sizes into the parameters of their deployments; returns whether any differs from what the templates say.
pub fn put(choices: &[SizeChoice], parts: &mut [ReadyPart]) -> bool {
    let mut changed = false;
    for choice in choices.iter().filter(|choice| !choice.given) {
        let Some(part) = parts.get_mut(choice.part) else { continue };
        let value = json!({ "value": choice.size });
        let present = part.parameters.get(&choice.parameter);
        let same = match present {
            Some(present) => *present == value,
            None => choice.place() == 0,
        };
        if same {
            continue;
        }
        if let Some(values) = part.parameters.as_object_mut() {
            values.insert(choice.parameter.clone(), value);
            changed = true;
        }
    }
    changed
}

/// Takes note of refusals: the pools that Azure refused get their next size. Nothing when there is a refusal that no
/// other size cures, or that a pool cannot answer with another size.
///
/// Only a pool without machines of its own changes its size without being asked: one that is created or replaced, or that
/// gets another size by the plan. Others would have their machines resized.
#[must_use]
pub fn next(
    choices: &[SizeChoice],
    refusals: &[arm_apply::RefusedResource],
    plan: &Plan,
    today: &str,
) -> Option<Vec<SizeChoice>> {
    let mut next = choices.to_vec();
    let mut moved = BTreeSet::new();
    for refusal in refusals {
        let code = curable(&refusal.error)?;
        let id = refusal.id.as_deref()?;
        let choice = next.iter_mut().find(|choice| same_id(&choice.id, id))?;
        if !moved.insert(choice.id.clone()) {
            continue;
        }
        let change = plan.changes.iter().find(|change| same_id(&change.id, id))?;
        let without_machines = matches!(change.action, Action::Create | Action::Replace);
        if choice.given || !(without_machines || choice.moving || choice.is_resized()) {
            return None;
        }
        choice.moving = true;
        choice.refused.push(RefusedSize { size: choice.size.clone(), code });
        choice.since = Some(today.to_owned());
        choice.size = choice.sizes.iter().find(|size| !choice.is_tried(size))?.clone();
    }
    (!moved.is_empty()).then_some(next)
}

/// What changed between two attempts, a line for each pool.
#[must_use]
pub fn told(now: &[SizeChoice], before: &[SizeChoice]) -> Vec<String> {
    let changed = now.iter().zip(before).filter(|(now, before)| now.size != before.size);
    let each = changed.map(|(now, before)| {
        let code = now.refused.last().map_or("refused", |one| one.code.as_str());
        format!("trying {} for pool `{}`: {} was refused ({code})", now.size, now.pool, before.size)
    });
    each.collect()
}

/// The code of an error that another size may cure.
fn curable(error: &ServiceError) -> Option<String> {
    let codes = error.codes();
    codes.iter().rev().find_map(|code| {
        let known =
            |(row, word): &&(&str, &str)| row.eq_ignore_ascii_case(code) && (word.is_empty() || says(error, word));
        NEXT_AFTER.iter().find(known).map(|(row, _)| (*row).to_owned())
    })
}

/// Whether a message, at any depth, has a word; letter case does not matter.
fn says(error: &ServiceError, word: &str) -> bool {
    error.message.to_ascii_lowercase().contains(word) || error.details.iter().any(|inner| says(inner, word))
}

/// Tags of a stack that say since when pools have which size, and what was refused before: those that are not at their first
/// choice.
#[must_use]
pub fn tags(choices: &[SizeChoice]) -> Map<String, Value> {
    let later = choices.iter().filter(|choice| choice.place() > 0 && choice.since.is_some()).take(MOST_TAGS);
    later.map(|choice| (format!("{TAG}{}", choice.pool), Value::from(choice.text()))).collect()
}

/// What the tags of a stack say of sizes: pool and text.
pub fn records_of(stack: &Value) -> impl Iterator<Item = (String, String)> {
    let tags = stack.get("tags").and_then(Value::as_object).into_iter().flatten();
    tags.filter_map(|(name, value)| Some((name.strip_prefix(TAG)?.to_owned(), value.as_str()?.to_owned())))
}

impl SizeChoice {
    /// `B since 2026-12-01; A SkuNotAvailable`, cut where the value of a tag ends.
    fn text(&self) -> String {
        let mut text = format!("{} since {}", self.size, self.since.as_deref().unwrap_or_default());
        for one in &self.refused {
            let more = format!("; {} {}", one.size, one.code);
            if text.chars().count() + more.chars().count() > LONGEST_TAG {
                break;
            }
            text.push_str(&more);
        }
        text
    }

    /// Remembers what a tag says, if it is of the size that is deployed.
    fn recall(&mut self, records: &BTreeMap<String, String>) {
        let Some(text) = records.get(&self.pool) else { return };
        let mut parts = text.split("; ");
        let Some((size, since)) = parts.next().and_then(|first| first.split_once(" since ")) else { return };
        if !size.eq_ignore_ascii_case(&self.size) {
            return;
        }
        self.since = Some(since.to_owned());
        let each = parts.filter_map(|one| one.split_once(' '));
        self.refused = each.map(|(size, code)| RefusedSize { size: size.to_owned(), code: code.to_owned() }).collect();
    }
}

/// What a plan says of the sizes: which one it is and why, and what comes next.
#[must_use]
pub fn remarks(choices: &[SizeChoice], plan: &Plan) -> Vec<Warning> {
    let mut remarks = Vec::new();
    for choice in choices {
        let change = plan.changes.iter().find(|change| same_id(&change.id, &choice.id));
        let fresh = change.is_some_and(|change| matches!(change.action, Action::Create | Action::Replace));
        let mut reasons = Vec::new();
        if let place @ 1.. = choice.place() {
            let since = choice.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
            reasons.push(format!("{} choice{since}", ordinal(place + 1)));
        }
        reasons.extend(choice.refused.iter().map(|one| format!("{} was refused: {}", one.size, one.code)));
        let mut text = format!("size {}", choice.size);
        if !reasons.is_empty() {
            text.push_str(&format!(" ({})", reasons.join("; ")));
        }
        if choice.given {
            text.push_str("; its parameter was given, so that no other one is tried");
        } else if fresh || choice.is_resized() {
            let rest: Vec<&str> =
                choice.sizes.iter().filter(|size| !choice.is_tried(size)).map(String::as_str).collect();
            if !rest.is_empty() {
                text.push_str(&format!("; if Azure refuses it, `apply` tries {}", rest.join(", then ")));
            }
        } else if choice.place() > 0 {
            text.push_str("; `dsvmc plan --first-choice` shows what it takes to go back");
        } else {
            continue;
        }
        remarks.push(Warning { kind: WarningKind::SizeChoice, id: choice.id.clone(), text });
    }
    remarks
}

fn ordinal(number: usize) -> String {
    const WORDS: [&str; 11] =
        ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    WORDS.get(number).map_or_else(|| format!("{number}th"), |word| (*word).to_owned())
}
