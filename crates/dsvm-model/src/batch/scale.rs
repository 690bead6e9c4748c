//! How many machines a batch pool has: a number, or a formula made of a policy, of typed targets, or written by hand.
//!
//! Bounds that only the deployment knows stand in the formula's text as numbers that nobody writes ("holes"); the graph
//! puts the parameter there.

use super::{Service, diags, target};
use crate::read::{self, Machines};
use crate::units::{Seconds, bounds};
use batch_formula::PoolLimits;
use batch_formula::policy::{self, Demand, MachineRange as Bounds, Policy, text_of};
use dsvm_diagnostics::Sink;
use dsvm_sema::table::words::OnRemoval;
use dsvm_sema::table::{FieldRef, View, batch as rows};
use dsvm_sema::value::Value;

/// How many machines, and what changes it.
#[derive(Clone, Debug)]
pub enum Scale {
    /// A number of each kind.
    Fixed {
        /// Number of regular machines; it may be deferred.
        dedicated: Value,
        /// Number of spot machines; it may be deferred.
        spot: Value,
        /// How long a resize is tried.
        timeout: Seconds,
        /// What happens to running tasks.
        on_removal: OnRemoval,
    },
    /// A formula of Azure Batch.
    Formula {
        /// Its text, with holes.
        text: String,
        /// The value of each hole.
        holes: Vec<(String, Value)>,
        /// Time between two evaluations.
        every: Seconds,
        /// Most machines of both kinds, where known.
        most: Option<i64>,
    },
    /// From fewest to most, as the service finds right (Azure Machine Learning).
    Range {
        /// Fewest machines, known or deferred.
        least: Value,
        /// Most machines, known or deferred.
        most: Value,
        /// How long a machine is idle before it goes.
        idle: Option<Seconds>,
    },
}

/// The first hole; others follow. A number that fits and that nobody writes.
const HOLE: u32 = 4_000_000_007;

/// A policy's numbers, and what the holes among them stand for.
#[derive(Default)]
pub(crate) struct Holes {
    found: Vec<(String, Value)>,
}

impl Holes {
    /// A constant as it is; anything else as a hole, also a constant that no policy can hold, which was reported.
    pub(crate) fn number(&mut self, value: &Value) -> u32 {
        match read::as_int(value).and_then(|n| u32::try_from(n).ok()) {
            Some(n) => n,
            None => {
                let hole = HOLE + u32::try_from(self.found.len()).unwrap_or(0);
                self.found.push((hole.to_string(), value.clone()));
                hole
            }
        }
    }
}

impl Scale {
    /// Most machines, where known.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        match self {
            Self::Fixed { dedicated, spot, .. } => Some(read::as_int(dedicated)? + read::as_int(spot)?),
            Self::Formula { most, .. } => *most,
            Self::Range { most, .. } => read::as_int(most),
        }
    }

    pub(crate) fn read(
        pool: View<'_, rows::BatchPool>,
        service: Service,
        is_spot: bool,
        slots: i64,
        sink: &mut Sink,
    ) -> Option<Self> {
        let fields = pool.fields();
        let machines = Machines::of(fields.machines())?;
        check_order(&machines, sink);
        let extra = Machines::of(fields.spot_machines()).filter(|_| fields.spot_machines().written());
        if service == Service::AzureMl {
            return Some(Self::Range {
                least: machines.min.clone(),
                most: machines.max.clone(),
                idle: pool.idle().and_then(|idle| bounds::IDLE.check(idle, fields.idle(), sink)),
            });
        }
        if let Some(extra) = &extra {
            check_order(extra, sink);
            if is_spot {
                sink.push(diags::spot_twice(pool));
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
        let autoscale = pool.autoscale();
        let ranged = machines.ranged || extra.as_ref().is_some_and(|e| e.ranged);
        if let Some(formula) = pool.formula() {
            if let Some(autoscale) = autoscale {
                sink.push(diags::formula_and_autoscale(fields.formula().span(), autoscale.block().span));
            }
            return Some(raw(pool, formula, &dedicated, &spot, sink));
        }
        if !ranged {
            if let Some(autoscale) = autoscale {
                let at_machines = fields.machines().span();
                sink.push(diags::autoscale_of_a_fixed_number(autoscale.block().span, at_machines));
            }
            return Some(Self::Fixed {
                dedicated: dedicated.1,
                spot: spot.1,
                timeout: bounds::RESIZE.hold(pool.resize_timeout(), fields.resize_timeout(), sink),
                on_removal: pool.on_removal(),
            });
        }
        Some(typed(pool, autoscale, (&dedicated, &spot), slots, sink))
    }
}

fn check_order(machines: &Machines, sink: &mut Sink) {
    if let (Some(least), Some(most)) = (machines.least(), machines.most())
        && (least > most || least < 0)
    {
        sink.push(diags::range_backwards(least, most, machines.span));
    }
}

fn known(pair: &(Value, Value)) -> Option<(u32, u32)> {
    let number = |v: &Value| read::as_int(v).and_then(|n| u32::try_from(n).ok());
    Some((number(&pair.0)?, number(&pair.1)?))
}

fn total(dedicated: &(Value, Value), spot: &(Value, Value)) -> Option<i64> {
    Some(read::as_int(&dedicated.1)? + read::as_int(&spot.1)?)
}

/// The formula's word for what happens to running tasks.
fn removal(word: OnRemoval) -> policy::OnRemoval {
    match word {
        OnRemoval::Requeue => policy::OnRemoval::Requeue,
        OnRemoval::Terminate => policy::OnRemoval::Terminate,
        OnRemoval::TaskCompletion => policy::OnRemoval::TaskCompletion,
        OnRemoval::RetainedData => policy::OnRemoval::RetainedData,
    }
}

/// A formula in Azure's own language.
fn raw(
    pool: View<'_, rows::BatchPool>,
    text: &str,
    dedicated: &(Value, Value),
    spot: &(Value, Value),
    sink: &mut Sink,
) -> Scale {
    let span = pool.fields().formula().span();
    let around = PoolLimits { dedicated: known(dedicated), spot: known(spot) };
    let (_, findings) = batch_formula::check(text, &around);
    for finding in findings {
        let mut found = batch_formula::diags::diagnostic(&finding, &|_| span);
        found.notes.insert(0, diags::position(text, finding.place));
        sink.push(found);
    }
    let every = bounds::EVALUATION.hold(pool.every(), pool.fields().every(), sink);
    Scale::Formula { text: text.trim().to_owned() + "\n", holes: Vec::new(), every, most: total(dedicated, spot) }
}

/// A policy or typed targets.
fn typed(
    pool: View<'_, rows::BatchPool>,
    autoscale: Option<View<'_, rows::BatchAutoscale>>,
    (dedicated, spot): (&(Value, Value), &(Value, Value)),
    slots: i64,
    sink: &mut Sink,
) -> Scale {
    let every = match autoscale {
        Some(written) => bounds::EVALUATION.hold(written.every(), written.fields().every(), sink),
        None => bounds::EVALUATION.nearest(pool.every()),
    };
    let mut holes = Holes::default();
    let mut bounds = |pair: &(Value, Value)| Bounds { least: holes.number(&pair.0), most: holes.number(&pair.1) };
    let (dedicated_bounds, spot_bounds) = (bounds(dedicated), bounds(spot));
    fn present(field: FieldRef<'_>) -> Option<(FieldRef<'_>, &Value)> {
        read::present(field).map(|value| (field, value))
    }
    let targets = match autoscale.map(|written| written.fields()) {
        Some(fields) => [present(fields.target()), present(fields.target_spot())],
        None => [None, None],
    };
    let on_removal = removal(autoscale.map_or(pool.on_removal(), |written| written.on_removal()));
    let text = if targets.iter().any(Option::is_some) {
        let mut lines = Vec::new();
        let pairs = targets
            .into_iter()
            .zip([(batch_formula::names::DEDICATED, dedicated_bounds), (batch_formula::names::SPOT, spot_bounds)]);
        for (written, (name, bounds)) in pairs {
            let body = match written {
                Some((field, value)) => {
                    if bounds.most == 0 {
                        sink.push(diags::target_without_machines(field, name == batch_formula::names::SPOT));
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
                .map(|written| bounds::LOOK_BACK.hold(written.look_back(), written.fields().look_back(), sink))
                .and_then(|time| u32::try_from(time.get()).ok())
                .unwrap_or(900),
            task_slots: u32::try_from(slots).unwrap_or(1),
            replace_evicted: autoscale.is_some_and(|written| written.replace_evicted()),
            on_removal,
        })
    };
    Scale::Formula { text, holes: holes.found, every, most: total(dedicated, spot) }
}
