//! How many machines a batch pool has: a number, or a formula made of a policy, of typed targets, or written by hand.
//!
//! Bounds that only the deployment knows stand in the formula's text as numbers that nobody writes ("holes"); the graph
//! puts the parameter there.

use super::{Service, diags, target};
use crate::read::{self, Machines};
use crate::units::{MINUTE, Seconds, bounds};
use batch_formula::PoolLimits;
use batch_formula::policy::{Demand, MachineRange as Bounds, OnRemoval, Policy, text_of};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;

/// How many machines, and what changes it.
#[derive(Clone, Debug)]
pub enum Scale<'a> {
    /// A number of each kind.
    Fixed {
        /// Regular machines.
        dedicated: Value,
        /// Spot machines.
        spot: Value,
        /// How long a resize is tried.
        timeout: Seconds,
        /// What happens to running tasks.
        on_removal: &'static str,
    },
    /// A formula of Azure Batch.
    Formula {
        /// Its text, with holes.
        text: String,
        /// What stands in each hole.
        holes: Vec<(String, Value)>,
        /// Time between two evaluations.
        every: Seconds,
        /// Most machines of both kinds, where known.
        most: Option<i64>,
    },
    /// From fewest to most, as the service finds right (Azure Machine Learning).
    Range {
        /// Fewest.
        least: Value,
        /// Most.
        most: Value,
        /// How long a machine is idle before it goes.
        idle: Option<Seconds>,
    },
    /// Already reported.
    Unknown(std::marker::PhantomData<&'a ()>),
}

/// The first hole; others follow. A number that fits and that nobody writes.
const HOLE: u32 = 4_000_000_007;

/// A policy's numbers, and what the holes among them stand for.
#[derive(Default)]
pub(crate) struct Holes {
    found: Vec<(String, Value)>,
}

impl Holes {
    pub(crate) fn number(&mut self, value: &Value) -> u32 {
        match read::as_int(value) {
            Some(n) => u32::try_from(n).unwrap_or(0),
            None => {
                let hole = HOLE + u32::try_from(self.found.len()).unwrap_or(0);
                self.found.push((hole.to_string(), value.clone()));
                hole
            }
        }
    }
}

impl Scale<'_> {
    /// Most machines, where known.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        match self {
            Self::Fixed { dedicated, spot, .. } => Some(read::as_int(dedicated)? + read::as_int(spot)?),
            Self::Formula { most, .. } => *most,
            Self::Range { most, .. } => read::as_int(most),
            Self::Unknown(_) => None,
        }
    }

    pub(crate) fn read(block: &Block, service: Service, is_spot: bool, slots: i64, sink: &mut Sink) -> Option<Self> {
        let machines = Machines::read(block, "machines")?;
        check_order(&machines, sink);
        let extra = Machines::read(block, "spot_machines").filter(|_| read::written(block, "spot_machines"));
        if service == Service::AzureMl {
            return Some(Self::Range {
                least: machines.min.clone(),
                most: machines.max.clone(),
                idle: bounds::IDLE.read(block, "idle", sink),
            });
        }
        if let Some(extra) = &extra {
            check_order(extra, sink);
            if is_spot {
                sink.push(diags::spot_twice(block));
            }
        }
        let zero = Value::Int(0);
        let (dedicated, spot) = match (&extra, is_spot) {
            (_, true) => ((zero.clone(), zero.clone()), (machines.min.clone(), machines.max.clone())),
            (Some(extra), false) => {
                ((machines.min.clone(), machines.max.clone()), (extra.min.clone(), extra.max.clone()))
            }
            (None, false) => ((machines.min.clone(), machines.max.clone()), (zero.clone(), zero)),
        };
        let autoscale = read::child(block, BlockKind::BatchAutoscale);
        let ranged = machines.ranged || extra.as_ref().is_some_and(|e| e.ranged);
        if let Some(formula) = read::text(block, "formula") {
            if let Some(autoscale) = autoscale {
                sink.push(diags::formula_and_autoscale(block.span_of("formula"), autoscale.span));
            }
            return Some(raw(block, formula, &dedicated, &spot, sink));
        }
        if !ranged {
            if let Some(autoscale) = autoscale {
                sink.push(diags::autoscale_of_a_fixed_number(autoscale.span, block.span_of("machines")));
            }
            let timeout = bounds::RESIZE.read(block, "resize_timeout", sink);
            return Some(Self::Fixed {
                dedicated: dedicated.1,
                spot: spot.1,
                timeout: timeout.unwrap_or_else(|| bounds::RESIZE.nearest(15 * MINUTE)),
                on_removal: removal(block).1,
            });
        }
        Some(typed(block, autoscale, (&dedicated, &spot), slots, sink))
    }
}

fn check_order(machines: &Machines, sink: &mut Sink) {
    if let (Some(least), Some(most)) = (machines.least(), machines.most())
        && (least > most || least < 0)
    {
        sink.push(diags::range_backwards(least, most, machines.span));
    }
}

/// How often a formula is evaluated.
fn every(block: Option<&Block>, sink: &mut Sink) -> Seconds {
    let written = block.and_then(|block| bounds::EVALUATION.read(block, "every", sink));
    written.unwrap_or_else(|| bounds::EVALUATION.nearest(15 * MINUTE))
}

fn known(pair: &(Value, Value)) -> Option<(u32, u32)> {
    let number = |v: &Value| read::as_int(v).and_then(|n| u32::try_from(n).ok());
    Some((number(&pair.0)?, number(&pair.1)?))
}

fn total(dedicated: &(Value, Value), spot: &(Value, Value)) -> Option<i64> {
    Some(read::as_int(&dedicated.1)? + read::as_int(&spot.1)?)
}

fn removal(block: &Block) -> (OnRemoval, &'static str) {
    match read::text(block, "on_removal") {
        Some("requeue") => (OnRemoval::Requeue, "Requeue"),
        Some("terminate") => (OnRemoval::Terminate, "Terminate"),
        Some("retained_data") => (OnRemoval::RetainedData, "RetainedData"),
        _ => (OnRemoval::TaskCompletion, "TaskCompletion"),
    }
}

/// A formula in Azure's own language.
fn raw<'a>(block: &Block, text: &str, dedicated: &(Value, Value), spot: &(Value, Value), sink: &mut Sink) -> Scale<'a> {
    let span = block.span_of("formula");
    let around = PoolLimits { dedicated: known(dedicated), spot: known(spot) };
    let (_, findings) = batch_formula::check(text, &around);
    for finding in findings {
        let mut found = batch_formula::diags::diagnostic(&finding, &|_| span);
        found.notes.insert(0, diags::position(text, finding.place));
        sink.push(found);
    }
    let every = every(Some(block), sink);
    Scale::Formula { text: text.trim().to_owned() + "\n", holes: Vec::new(), every, most: total(dedicated, spot) }
}

/// A policy or typed targets.
fn typed<'a>(
    block: &Block,
    autoscale: Option<&Block>,
    (dedicated, spot): (&(Value, Value), &(Value, Value)),
    slots: i64,
    sink: &mut Sink,
) -> Scale<'a> {
    let from = autoscale.unwrap_or(block);
    let every = every(autoscale, sink);
    let mut holes = Holes::default();
    let mut bounds = |pair: &(Value, Value)| Bounds { least: holes.number(&pair.0), most: holes.number(&pair.1) };
    let (dedicated_bounds, spot_bounds) = (bounds(dedicated), bounds(spot));
    let targets =
        ["target", "target_spot"].map(|field| autoscale.and_then(|a| read::late(a, field).map(|v| (a, field, v))));
    let on_removal = removal(from).0;
    let text = if targets.iter().any(Option::is_some) {
        let mut lines = Vec::new();
        let pairs = targets
            .into_iter()
            .zip([(batch_formula::names::DEDICATED, dedicated_bounds), (batch_formula::names::SPOT, spot_bounds)]);
        for (written, (name, bounds)) in pairs {
            let body = match written {
                Some((block, field, value)) => {
                    if bounds.most == 0 {
                        sink.push(diags::target_without_machines(field, block.span_of(field)));
                    }
                    target::translate(value, slots, &mut holes, sink)
                }
                None => bounds.least.to_string(),
            };
            lines.push(match bounds.least == bounds.most {
                true => format!("{name} = {};", bounds.most),
                false => format!("{name} = max({}, min({}, {body}));", bounds.least, bounds.most),
            });
        }
        lines.push(format!("{} = {};", batch_formula::names::DEALLOCATION, on_removal.word()));
        lines.join("\n") + "\n"
    } else {
        text_of(&Policy {
            dedicated: dedicated_bounds,
            spot: spot_bounds,
            demand: Demand::PendingTasks,
            window: autoscale
                .and_then(|a| bounds::LOOK_BACK.read(a, "look_back", sink))
                .and_then(|time| u32::try_from(time.get()).ok())
                .unwrap_or(900),
            task_slots: u32::try_from(slots).unwrap_or(1),
            replace_evicted: autoscale.is_some_and(|a| read::flag(a, "replace_evicted", false)),
            on_removal,
        })
    };
    Scale::Formula { text, holes: holes.found, every, most: total(dedicated, spot) }
}
