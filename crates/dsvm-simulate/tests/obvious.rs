//! The simulator beside a second one, which is written from `docs/simulate.md` and from what Azure's documentation says of
//! autoscale, and takes the long way everywhere: every minute, every machine, every list again. They share the types, the
//! evaluators of settings and formulas, and nothing else.
//!
//! `DSVMC_SIMULATIONS=20000 cargo test --release -p dsvm-simulate --test obvious` for a long run.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use arm_autoscale::{LastAction, Metrics, Setting, State, Trigger, Undocumented, evaluate};
use batch_formula::{PoolState, Sample};
use dsvm_simulate::eviction::Rate;
use dsvm_simulate::{Cluster, Evaluated, Evictions, Kind, Pace, Policy, Pool, Report, Span, Startup, Task, Workload};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

/// A machine, from its order on.
struct Machine {
    spot: bool,
    /// Ordered for one that was evicted.
    successor: bool,
    ready: usize,
    evicted: Option<usize>,
    /// Takes nobody any more.
    closed: bool,
    /// Its tasks in the order in which they came.
    tasks: Vec<usize>,
    idle_since: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    ToCome,
    Queue { since: usize },
    Machine { since: usize },
    Gone,
}

/// What was to be seen in a minute.
#[derive(Clone)]
struct Seen {
    /// Busy processors of each ready machine, in per cent.
    cpu: Vec<f64>,
    at_work: f64,
    free_seats: f64,
    queue: f64,
    done: f64,
    failed: f64,
    dedicated: f64,
    spot: f64,
    preempted: f64,
}

/// One row of what happens, to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    machines: u32,
    spot: u32,
    ready: u32,
    tasks: u32,
    waiting: u32,
}

#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    waits: Vec<u32>,
    paid: u64,
    spot: u64,
    idle: u64,
    crowded: u64,
    people_hit: u32,
    jobs_hit: u32,
    lost: u64,
    evicted: u32,
    done: u32,
    refused: u32,
    ended: u32,
    failures: u32,
    /// Minute and direction of every action.
    actions: Vec<(usize, bool)>,
}

struct Play<'a> {
    pool: &'a Pool,
    startup: &'a [u32],
    tasks: &'a [Task],
    span: Span,
    starts: ChaCha8Rng,
    lives: ChaCha8Rng,
    machines: Vec<Machine>,
    places: Vec<Place>,
    left: Vec<u32>,
    queue: Vec<usize>,
    history: Vec<Seen>,
    last: Option<LastAction>,
    target: [u32; 2],
    found: Found,
}

/// A number of what was seen.
type Reading<'a> = &'a dyn Fn(&Seen) -> f64;

/// Metrics are means, least values and so on over a window, and before that over each grain of it.
struct Window<'a>(&'a [Seen]);

fn fold(how: &str, values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    let last = *values.last()?;
    Some(match how {
        "min" | "minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" | "maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "sum" | "total" => sum,
        "count" => values.len() as f64,
        "last" => last,
        _ => sum / values.len() as f64,
    })
}

impl Metrics for Window<'_> {
    fn value(&self, trigger: &Trigger, _: Timestamp) -> Option<f64> {
        let (window, grain) = ((trigger.window / 60_000) as usize, (trigger.grain / 60_000) as usize);
        let minutes = &self.0[self.0.len().saturating_sub(window)..];
        let grains: Vec<f64> = minutes
            .chunks(grain)
            .filter_map(|grain| {
                let values: Vec<f64> = grain
                    .iter()
                    .flat_map(|seen| match trigger.metric.as_str() {
                        "Percentage CPU" => seen.cpu.clone(),
                        _ if seen.cpu.is_empty() => Vec::new(),
                        "sessions" => vec![seen.at_work],
                        "free_seats" => vec![seen.free_seats],
                        other => panic!("{other}"),
                    })
                    .collect();
                fold(&trigger.statistic, &values)
            })
            .collect();
        fold(&trigger.aggregation, &grains)
    }
}

impl Play<'_> {
    fn order(&mut self, now: usize, at_once: bool, spot: bool, successor: bool) {
        let takes =
            if at_once { 0 } else { self.startup[self.starts.next_u32() as usize % self.startup.len()] as usize };
        let ready = now + takes;
        let rate = self.pool.evictions.rate.filter(|_| spot || self.pool.evictions.all);
        let evicted = rate.map(|rate| {
            // Whether it survives one more minute, until it does not.
            let drawn = (self.lives.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            let (mut minutes, mut chance) = (1, rate.survives());
            while chance > drawn && minutes < 1_000_000 {
                chance *= rate.survives();
                minutes += 1;
            }
            ready + minutes
        });
        let machine = Machine { spot, successor, ready, evicted, closed: false, tasks: Vec::new(), idle_since: ready };
        self.machines.push(machine);
    }

    /// Cores that a job takes of a machine, in parts of a slot, and the slots that there are; people take cores.
    fn cores(&self, task: &Task) -> f64 {
        let whole = f64::from(self.pool.cores);
        let cores = f64::from(task.cores) / 1000.0;
        match self.pool.slots {
            Some(slots) if task.kind == Kind::Job => {
                // Half a millionth of a slot is a mistake of the division.
                let slots_of_it = (cores * f64::from(slots) / whole - 5e-7).ceil().max(1.0);
                slots_of_it * whole / f64::from(slots)
            }
            _ => cores,
        }
    }

    fn free(&self, machine: &Machine) -> (f64, u32, i64) {
        let mut free = (f64::from(self.pool.cores), self.pool.gpus, i64::from(self.pool.seats.unwrap_or(u32::MAX)));
        for number in &machine.tasks {
            let task = &self.tasks[*number];
            free.0 -= self.cores(task);
            free.1 -= task.gpus;
            free.2 -= i64::from(task.kind == Kind::Person);
        }
        free
    }

    fn busy(&self, machine: &Machine) -> f64 {
        let load: u64 =
            machine.tasks.iter().map(|n| &self.tasks[*n]).map(|t| u64::from(t.cores) * u64::from(t.load)).sum();
        load as f64 / (f64::from(self.pool.cores) * 1000.0)
    }

    /// Takes a machine away. `safe`: minutes of a job that are not lost, of those it had.
    fn take_away(&mut self, at: usize, now: usize, safe: impl Fn(u32) -> u32) {
        let machine = self.machines.remove(at);
        for number in &machine.tasks {
            let Place::Machine { since } = self.places[*number] else { panic!("it is on a machine") };
            let had = (now - since) as u32;
            match self.tasks[*number].kind {
                Kind::Person => {
                    self.found.people_hit += 1;
                    self.left[*number] = (self.left[*number] - had).max(1);
                }
                Kind::Load => self.left[*number] = (self.left[*number] - had).max(1),
                Kind::Job => {
                    self.found.jobs_hit += 1;
                    self.found.lost += u64::from(had - safe(had));
                    self.left[*number] -= safe(had);
                }
            }
            self.places[*number] = Place::Queue { since: now };
        }
        self.queue.splice(0..0, machine.tasks);
    }

    fn since_checkpoint(&self) -> impl Fn(u32) -> u32 + use<> {
        let checkpoint = self.pool.checkpoint;
        move |had| checkpoint.map_or(0, |each| had - had % each)
    }

    fn evictions(&mut self, now: usize) {
        while let Some(at) = self.machines.iter().position(|machine| machine.evicted == Some(now)) {
            let (spot, closed) = (self.machines[at].spot, self.machines[at].closed);
            let safe = self.since_checkpoint();
            // The minute in which it is evicted was not worked to its end.
            self.take_away(at, now, |had| safe(had - 1));
            self.found.evicted += 1;
            if self.pool.evictions.replaced && !closed {
                self.order(now, false, spot, true);
            }
        }
    }

    fn ends(&mut self, now: usize) {
        for number in 0..self.tasks.len() {
            let Place::Machine { since } = self.places[number] else { continue };
            if since + self.left[number] as usize > now {
                continue;
            }
            self.places[number] = Place::Gone;
            self.found.done += 1;
            for machine in &mut self.machines {
                if machine.tasks.contains(&number) {
                    machine.tasks.retain(|other| *other != number);
                    machine.idle_since = now;
                }
            }
        }
        self.machines.retain(|machine| !(machine.closed && machine.tasks.is_empty()));
    }

    fn arrivals(&mut self, now: usize) {
        for (number, task) in self.tasks.iter().enumerate() {
            if task.arrives as usize != now {
                continue;
            }
            let job = task.kind == Kind::Job;
            if job && task.cores > self.pool.cores * 1000 || task.gpus > self.pool.gpus {
                self.found.refused += 1;
                self.places[number] = Place::Gone;
            } else {
                self.queue.push(number);
                self.places[number] = Place::Queue { since: now };
            }
        }
        // In the order of their arrival, and none overtakes another.
        while let Some(number) = self.queue.first().copied() {
            let task = self.tasks[number];
            let mut best: Option<(usize, f64)> = None;
            for (at, machine) in self.machines.iter().enumerate() {
                let (cores, gpus, seats) = self.free(machine);
                let enough = match task.kind {
                    Kind::Job => cores > self.cores(&task) - 1e-6,
                    Kind::Person => seats > 0,
                    Kind::Load => true,
                };
                let open = machine.ready <= now && !machine.closed && enough && gpus >= task.gpus;
                if open && best.is_none_or(|(_, most)| cores > most + 1e-6) {
                    best = Some((at, cores));
                }
            }
            let Some((at, _)) = best else { break };
            let Place::Queue { since } = self.places[number] else { panic!("it waits") };
            self.found.waits.push((now - since) as u32);
            self.places[number] = Place::Machine { since: now };
            self.machines[at].tasks.push(number);
            self.queue.remove(0);
        }
    }

    fn look(&mut self, now: usize) {
        let ready: Vec<&Machine> = self.machines.iter().filter(|machine| machine.ready <= now).collect();
        let count = |of: &dyn Fn(&Machine) -> bool| self.machines.iter().filter(|machine| of(machine)).count() as f64;
        self.history.push(Seen {
            cpu: ready.iter().map(|machine| self.busy(machine).min(100.0)).collect(),
            at_work: ready.iter().map(|machine| machine.tasks.len() as f64).sum(),
            free_seats: ready.iter().map(|machine| self.free(machine).2 as f64).sum(),
            queue: self.queue.len() as f64,
            done: f64::from(self.found.done),
            failed: f64::from(self.found.ended),
            dedicated: count(&|machine| !machine.spot),
            spot: count(&|machine| machine.spot),
            preempted: count(&|machine| machine.successor && machine.ready > now),
        });
    }

    fn acted(&mut self, now: usize, from: usize, to: usize) {
        if from != to {
            self.found.actions.push((now, to > from));
        }
    }

    fn act(&mut self, now: usize) {
        let have = self.machines.len();
        match &self.pool.policy {
            Policy::Fixed => {}
            Policy::Setting(setting) => {
                let state = State { machines: have as i64, last: self.last, in_progress: false };
                let time = self.span.at(now as u32);
                let decision = evaluate(setting, &Window(&self.history), state, time, Undocumented::ASSUMED);
                self.last = decision.last;
                let to = decision.machines.map_or(have, |to| to as usize);
                for _ in have..to {
                    self.order(now, false, false, false);
                }
                for _ in to..have {
                    let at = if self.pool.oldest_first { 0 } else { self.machines.len() - 1 };
                    let safe = self.since_checkpoint();
                    self.take_away(at, now, safe);
                }
                self.acted(now, have, to);
            }
            Policy::Cluster(cluster) => self.cluster(*cluster, now),
            Policy::Formula(evaluated) => {
                if now.is_multiple_of(evaluated.every as usize) {
                    self.formula(evaluated, now);
                }
            }
        }
    }

    fn cluster(&mut self, cluster: Cluster, now: usize) {
        let have = self.machines.len();
        let waiting = || self.queue.iter().map(|number| &self.tasks[*number]);
        let cores: f64 = waiting().map(|task| self.cores(task)).sum();
        let gpus: u32 = waiting().map(|task| task.gpus).sum();
        let for_cores = (cores / f64::from(self.pool.cores) - 1e-6).ceil().max(0.0) as usize;
        let wanted = for_cores.max(gpus.div_ceil(self.pool.gpus.max(1)) as usize);
        let starting = self.machines.iter().filter(|machine| machine.ready > now).count();
        let missing = wanted.saturating_sub(starting).max((cluster.least as usize).saturating_sub(have));
        let to = (have + missing).min(cluster.most as usize);
        if missing > 0 && to > have {
            for _ in have..to {
                self.order(now, false, false, false);
            }
            return self.acted(now, have, to);
        }
        for at in (0..have).rev() {
            let machine = &self.machines[at];
            let idle =
                machine.tasks.is_empty() && machine.ready <= now && now - machine.idle_since >= cluster.idle as usize;
            if idle && self.machines.len() > cluster.least as usize {
                self.machines.remove(at);
            }
        }
        self.acted(now, have, self.machines.len());
    }

    fn formula(&mut self, evaluated: &Evaluated, now: usize) {
        const SECOND: i64 = 10_000_000;
        let ticks = |minute: usize| self.span.at(minute as u32).as_millisecond() * 10_000;
        let mut state = PoolState::empty(ticks(now));
        let sum =
            |seen: &Seen| if seen.cpu.is_empty() { 0.0 } else { seen.cpu.iter().sum::<f64>() / seen.cpu.len() as f64 };
        let metrics: [(&str, Reading<'_>); 9] = [
            ("$ActiveTasks", &|seen| seen.queue),
            ("$RunningTasks", &|seen| seen.at_work),
            ("$PendingTasks", &|seen| seen.queue + seen.at_work),
            ("$SucceededTasks", &|seen| seen.done),
            ("$FailedTasks", &|seen| seen.failed),
            ("$CurrentDedicatedNodes", &|seen| seen.dedicated),
            ("$CurrentLowPriorityNodes", &|seen| seen.spot),
            ("$PreemptedNodeCount", &|seen| seen.preempted),
            ("$CPUPercent", &sum),
        ];
        for (name, of) in metrics {
            let mut samples = Vec::new();
            for (minute, seen) in self.history.iter().enumerate() {
                samples.push(Sample { time: ticks(minute), value: of(seen) });
                if minute < now {
                    samples.push(Sample { time: ticks(minute) + 30 * SECOND, value: of(seen) });
                }
            }
            state.samples.insert(name.to_owned(), samples);
        }
        let kind = |spot: bool| self.machines.iter().filter(|machine| machine.spot == spot).count();
        state.current = (kind(false) as f64, kind(true) as f64);
        state.target = (f64::from(self.target[0]), f64::from(self.target[1]));
        state.task_slots = f64::from(self.pool.slots.unwrap_or(1));
        let Ok(result) = batch_formula::evaluate(&evaluated.formula, &state) else {
            self.found.failures += 1;
            return;
        };
        let to = [result.dedicated, result.spot];
        if to == self.target {
            return;
        }
        self.target = to;
        let have = self.machines.len();
        // A new resize ends the one before: what was to go stays.
        self.machines.iter_mut().for_each(|machine| machine.closed = false);
        for (spot, to) in [(false, to[0] as usize), (true, to[1] as usize)] {
            let of_kind = self.machines.iter().filter(|machine| machine.spot == spot).count();
            for _ in of_kind..to {
                self.order(now, false, spot, false);
            }
            for _ in to..of_kind {
                self.give_back(spot, &result.deallocation, now);
            }
        }
        self.acted(now, have, (to[0] + to[1]) as usize);
    }

    /// An empty machine goes first, then one with few tasks; of several the newest.
    fn give_back(&mut self, spot: bool, option: &str, now: usize) {
        let mut best: Option<(usize, usize)> = None;
        for (at, machine) in self.machines.iter().enumerate() {
            let tasks = machine.tasks.len();
            if machine.spot == spot && !machine.closed && best.is_none_or(|(_, fewest)| tasks <= fewest) {
                best = Some((at, tasks));
            }
        }
        let Some((at, tasks)) = best else { return };
        match option {
            "taskcompletion" if tasks > 0 => self.machines[at].closed = true,
            "terminate" => {
                for number in std::mem::take(&mut self.machines[at].tasks) {
                    let Place::Machine { since } = self.places[number] else { panic!("it is on a machine") };
                    match self.tasks[number].kind {
                        Kind::Person => self.found.people_hit += 1,
                        Kind::Load => {}
                        Kind::Job => {
                            self.found.jobs_hit += 1;
                            self.found.lost += (now - since) as u64;
                        }
                    }
                    self.found.ended += 1;
                    self.places[number] = Place::Gone;
                }
                self.machines.remove(at);
            }
            _ => {
                let safe = self.since_checkpoint();
                self.take_away(at, now, safe);
            }
        }
    }

    fn count(&mut self, now: usize) {
        let ready = self.machines.iter().filter(|machine| machine.ready <= now);
        let spot = self.machines.iter().filter(|machine| machine.spot).count();
        let tasks = |machine: &Machine| machine.tasks.len() as u64;
        self.found.rows.push(Row {
            machines: self.machines.len() as u32,
            spot: spot as u32,
            ready: ready.clone().count() as u32,
            tasks: ready.clone().map(tasks).sum::<u64>() as u32,
            waiting: self.queue.len() as u32,
        });
        self.found.paid += self.machines.len() as u64;
        self.found.spot += spot as u64;
        self.found.idle += ready.clone().filter(|machine| machine.tasks.is_empty()).count() as u64;
        self.found.crowded += ready.filter(|machine| self.busy(machine) > 100.0).map(tasks).sum::<u64>();
    }
}

fn play(pool: &Pool, startup: &[u32], tasks: &[Task], span: Span, seed: u64) -> Found {
    let mut lives = ChaCha8Rng::seed_from_u64(seed);
    lives.set_stream(1);
    let mut play = Play {
        pool,
        startup,
        tasks,
        span,
        starts: ChaCha8Rng::seed_from_u64(seed),
        lives,
        machines: Vec::new(),
        places: vec![Place::ToCome; tasks.len()],
        left: tasks.iter().map(|task| task.minutes).collect(),
        queue: Vec::new(),
        history: Vec::new(),
        last: None,
        target: [pool.machines - pool.spot, pool.spot],
        found: Found::default(),
    };
    for at in 0..pool.machines {
        play.order(0, true, at < pool.spot, false);
    }
    for now in 0..span.minutes as usize {
        play.evictions(now);
        play.ends(now);
        play.arrivals(now);
        play.look(now);
        play.act(now);
        play.count(now);
    }
    let end = span.minutes as usize;
    for number in play.queue {
        let Place::Queue { since } = play.places[number] else { panic!("it waits") };
        play.found.waits.push((end - since) as u32);
    }
    play.found.waits.sort_unstable();
    play.found
}

fn rows(report: &Report) -> Vec<Row> {
    let mut out = Vec::new();
    for (at, (minute, moment)) in report.moments.iter().enumerate() {
        let end = report.moments.get(at + 1).map_or(report.span.minutes, |(next, _)| *next);
        for _ in *minute..end {
            let [machines, spot, ready] = [moment.machines, moment.spot, moment.ready];
            out.push(Row { machines, spot, ready, tasks: moment.tasks, waiting: moment.waiting });
        }
    }
    out
}

fn flaps(actions: &[(usize, bool)]) -> u32 {
    actions.windows(2).filter(|pair| pair[0].1 != pair[1].1 && pair[1].0 - pair[0].0 < 30).count() as u32
}

fn rule() -> impl Strategy<Value = Value> {
    let metrics = prop_oneof![
        4 => (15u32..95).prop_map(|at| ("Percentage CPU", f64::from(at) + 0.37)),
        1 => (1u32..12).prop_map(|at| ("sessions", f64::from(at) + 0.37)),
        1 => (1u32..12).prop_map(|at| ("free_seats", f64::from(at) + 0.37)),
    ];
    let statistics =
        prop_oneof![3 => Just("Average"), 1 => Just("Min"), 1 => Just("Max"), 1 => Just("Sum"), 1 => Just("Count")];
    let folds = prop_oneof![
        3 => Just("Average"), 1 => Just("Minimum"), 1 => Just("Maximum"), 1 => Just("Total"), 1 => Just("Count"), 1 => Just("Last")
    ];
    let kinds = prop_oneof![4 => Just("ChangeCount"), 1 => Just("PercentChangeCount"), 1 => Just("ExactCount")];
    let action = (any::<bool>(), any::<bool>(), any::<bool>(), kinds, 1u32..4, 1u32..40);
    (metrics, statistics, folds, 5u32..30, 1u32..5, action).prop_map(
        |((metric, threshold), statistic, fold, window, grain, (out, greater, divide, kind, value, cooldown))| {
            let value = if kind == "PercentChangeCount" { value * 30 } else { value };
            json!({
                "metricTrigger": { "metricName": metric, "metricResourceUri": "/pool", "timeGrain": format!("PT{grain}M"),
                    "statistic": statistic, "timeWindow": format!("PT{window}M"), "timeAggregation": fold, "threshold": threshold,
                    "operator": if greater { "GreaterThan" } else { "LessThan" }, "dividePerInstance": divide },
                "scaleAction": { "direction": if out { "Increase" } else { "Decrease" }, "type": kind, "value": value.to_string(),
                    "cooldown": format!("PT{cooldown}M") },
            })
        },
    )
}

fn setting() -> impl Strategy<Value = Policy> {
    let limits = || (0u32..3, 0u32..6).prop_map(|(least, more)| (least, least + more));
    let capacity = |(least, most): (u32, u32)| {
        let texts = [least, most, least].map(|number| number.to_string());
        json!({ "minimum": texts[0], "maximum": texts[1], "default": texts[2] })
    };
    let rules = || prop::collection::vec(rule(), 0..4);
    let day = (limits(), rules(), 0u32..12, 12u32..24);
    (limits(), rules(), prop::option::of(day)).prop_map(move |(least, rules, day)| {
        let mut profiles = Vec::new();
        let at = |hour: u32| {
            let schedule = json!({ "timeZone": "UTC", "days": ["Monday", "Tuesday"], "hours": [hour], "minutes": [7] });
            json!({ "frequency": "Week", "schedule": schedule })
        };
        let mut rest = json!({ "name": "rest", "capacity": capacity(least), "rules": rules });
        if let Some((limits, rules, begin, end)) = day {
            profiles
                .push(json!({ "name": "day", "capacity": capacity(limits), "rules": rules, "recurrence": at(begin) }));
            rest["recurrence"] = at(end);
        }
        profiles.push(rest);
        Policy::Setting(Setting::of(&json!({ "profiles": profiles })))
    })
}

fn formula() -> impl Strategy<Value = Policy> {
    let options = prop_oneof![Just("requeue"), Just("terminate"), Just("taskcompletion")];
    let number = || {
        (1u32..30, 1u32..5, 0usize..8).prop_map(|(window, most, which)| {
            let frame = format!("TimeInterval_Minute * {window}");
            match which {
                0 => format!("min({most}, $PendingTasks.GetSample(1))"),
                1 => format!("$PendingTasks.GetSamplePercent({frame}) < 70 ? 1 : min({most}, avg($PendingTasks.GetSample({frame})))"),
                2 => format!("min({most}, max($ActiveTasks.GetSample({frame}, 20)))"),
                3 => format!("time().hour / 8 < 1 ? 0 : {most}"),
                4 => format!("min({most}, max($PreemptedNodeCount.GetSample({frame})) + 1)"),
                5 => format!("$RunningTasks.GetSample(1) > {window} * $TaskSlotsPerNode ? {most} : 1"),
                6 => format!("min({most}, $CurrentDedicatedNodes - $CurrentLowPriorityNodes + $SucceededTasks.GetSample(1) / 9)"),
                _ => format!("avg($CPUPercent.GetSample({frame})) > {window}.37 ? {most} : $TargetDedicatedNodes"),
            }
        })
    };
    (number(), number(), 1u32..40, options).prop_map(|(dedicated, spot, every, option)| {
        let text = format!(
            "$TargetDedicatedNodes = {dedicated};\n$TargetLowPriorityNodes = {spot};\n$NodeDeallocationOption = {option};"
        );
        let formula = batch_formula::parse(&text).expect("a formula");
        Policy::Formula(Evaluated { text, formula, every })
    })
}

fn pools() -> impl Strategy<Value = (Pool, Vec<u32>)> {
    let cluster =
        (0u32..2, 2u32..6, 1u32..40).prop_map(|(least, most, idle)| Policy::Cluster(Cluster { least, most, idle }));
    let policy = prop_oneof![1 => Just(Policy::Fixed), 4 => setting(), 2 => cluster, 3 => formula()];
    let rates = prop_oneof![Just("5%/h"), Just("20%/h"), Just("70%/h")];
    let evictions = (prop::option::of(rates), any::<bool>(), any::<bool>()).prop_map(|(rate, all, replaced)| {
        let rate: Option<Rate> = rate.map(|rate| rate.parse().expect("a rate"));
        Evictions { rate, all, replaced }
    });
    let machine = (1u32..9, prop_oneof![Just(0u32), Just(1000)], prop::option::of(1u32..4), prop::option::of(1u32..9));
    let start = (0u32..5, 0u32..5, prop::collection::vec(0u32..20, 1..4), any::<bool>());
    (machine, start, policy, evictions, prop::option::of(1u32..60)).prop_map(
        |((cores, gpus, seats, slots), (machines, spot, startup, oldest_first), policy, evictions, checkpoint)| {
            let spot = spot.min(machines);
            let times = Startup::new(startup.clone());
            let pool = Pool {
                machines,
                spot,
                cores,
                gpus,
                seats,
                slots,
                startup: times,
                oldest_first,
                evictions,
                checkpoint,
                policy,
            };
            (pool, startup)
        },
    )
}

fn tasks() -> impl Strategy<Value = Vec<Task>> {
    let task = (0u32..1400, 1u32..200, 1u32..12, prop_oneof![3 => Just(0u32), 1 => Just(500)], 0u8..=100, 0usize..3)
        .prop_map(|(arrives, minutes, cores, gpus, load, kind)| {
            let kind = [Kind::Person, Kind::Job, Kind::Load][kind];
            Task { arrives, minutes, cores: cores * 500, gpus, load, kind }
        });
    prop::collection::vec(task, 0..60)
}

#[test]
fn both_simulators_say_the_same() {
    let cases = std::env::var("DSVMC_SIMULATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let mut config = ProptestConfig::with_cases(cases);
    config.max_shrink_iters = 300;
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Off));
    let start = "2026-11-30T00:00:00Z".parse().expect("time");
    let given = (pools(), tasks(), 600u32..1800, any::<u64>());
    let result = TestRunner::new(config).run(&given, |((pool, startup), tasks, minutes, seed)| {
        let span = Span { start, minutes };
        let workload = Workload::new(tasks);
        let quick = dsvm_simulate::simulate(&pool, &workload, span, seed, Pace::Events);
        let slow = play(&pool, &startup, workload.tasks(), span, seed);
        let rows = rows(&quick);
        let first = rows.iter().zip(&slow.rows).position(|(a, b)| a != b);
        prop_assert_eq!(first.map(|at| (at, rows[at], slow.rows[at])), None);
        prop_assert_eq!(rows.len(), slow.rows.len());
        prop_assert_eq!(&quick.waits, &slow.waits);
        prop_assert_eq!((quick.machine_minutes, quick.spot_minutes), (slow.paid, slow.spot));
        prop_assert_eq!((quick.idle_minutes, quick.crowded_minutes), (slow.idle, slow.crowded));
        prop_assert_eq!((quick.people_hit, quick.jobs_hit), (slow.people_hit, (slow.jobs_hit, slow.lost)));
        prop_assert_eq!((quick.evicted.0, quick.ended), (slow.evicted, slow.ended));
        prop_assert_eq!((quick.tasks.0, quick.tasks.2), (slow.done, slow.refused));
        prop_assert_eq!(quick.failed.map_or(0, |(count, _)| count), slow.failures);
        let ups = slow.actions.iter().filter(|(_, up)| *up).count() as u32;
        prop_assert_eq!(quick.actions, (ups, slow.actions.len() as u32 - ups));
        prop_assert_eq!(quick.flaps, flaps(&slow.actions));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
