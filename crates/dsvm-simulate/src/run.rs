//! The simulation: events in the order of time, and between them the minutes in which autoscale may act.

mod formula;

use super::eviction::Lives;
use super::metrics::{Sample, Samples, is_known};
use super::pool::{Cluster, Evaluated, Policy, Pool};
use super::report::{Moment, Report, Tally};
use super::workload::{Kind, MILLI, Span, Task, Workload};
use arm_autoscale::{LastAction, Profile, Quiet, Setting, State, Undocumented, evaluate_profile, in_force};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use formula::Scaler;

/// Most machines that are simulated; a scale set has 1,000 at most.
const MACHINES: i64 = 10_000;
/// Longest window that is simulated, in minutes; Azure's is twelve hours.
const WINDOW: u32 = 7 * 1440;

/// Whether minutes in which nothing can change are left out. The result is the same; a test compares both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// From event to event where nothing else can happen.
    Events,
    /// Every minute is looked at, however quiet it is.
    Minutes,
}

/// Simulates a pool under a workload.
#[must_use]
pub fn simulate(pool: &Pool, workload: &Workload, span: Span, seed: u64, pace: Pace) -> Report {
    Run::new(pool, workload, span, seed).run(pace)
}

/// A machine from its order to its removal.
struct Machine {
    /// Machines are numbered in the order of their orders.
    number: u32,
    /// It takes the place of one that was evicted.
    again: bool,
    /// Azure can take it back, and asks less for it.
    spot: bool,
    /// It takes no more tasks, and goes when its last one ends.
    leaving: bool,
    /// Minute from which it takes people and jobs.
    ready: u32,
    /// Free cores in [parts](Run::parts) of a thousandth, GPUs in thousandths, and seats. People share cores: fewer than none
    /// can be free.
    cores: i64,
    gpus: u32,
    seats: u32,
    /// Busy thousandths of cores, times a hundred.
    load: u64,
    /// Tasks on it, by their numbers.
    tasks: Vec<usize>,
    /// Last minute in which it had a task, or its first.
    used: u32,
}

/// Something that happens at a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A machine is evicted, if it is still there. Comes first: what would end in this minute was not yet done.
    Evict { machine: u32 },
    /// A task ends, unless it was put elsewhere since.
    End { task: usize, place: u32 },
    /// A machine becomes ready.
    Ready,
    /// Another profile comes into force, or the formula is evaluated.
    Turn,
}

/// Where a task is.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// Minutes that are left of it.
    left: u32,
    /// Minute at which it was put on its machine.
    since: u32,
    /// How many times it was put on a machine.
    place: u32,
    /// Minute from which it waits.
    waits: u32,
}

struct Run<'p> {
    pool: &'p Pool,
    tasks: &'p [Task],
    span: Span,
    random: ChaCha8Rng,
    /// How long spot machines live, drawn from numbers of their own: evictions change no start.
    lives: Option<(Lives, ChaCha8Rng)>,
    ordered: u32,
    machines: Vec<Machine>,
    placed: Vec<Placed>,
    queue: VecDeque<usize>,
    next: usize,
    events: BinaryHeap<Reverse<(u32, Event)>>,
    samples: Samples,
    profiles: Vec<(u32, Option<&'p Profile>)>,
    last: Option<LastAction>,
    scaler: Option<Scaler<'p>>,
    tally: Tally,
}

impl<'p> Run<'p> {
    fn new(pool: &'p Pool, workload: &'p Workload, span: Span, seed: u64) -> Self {
        let tasks = workload.tasks();
        let setting = if let Policy::Setting(setting) = &pool.policy { Some(setting) } else { None };
        let windows =
            setting.iter().flat_map(|s| &s.profiles).flat_map(|p| &p.rules).map(|r| r.trigger.window / 60_000);
        let window = windows.max().map_or(1, |minutes| u32::try_from(minutes).unwrap_or(WINDOW)).min(WINDOW);
        let mut run = Self {
            pool,
            tasks,
            span,
            random: ChaCha8Rng::seed_from_u64(seed),
            lives: pool.evictions.rate.map(|rate| {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(1);
                (Lives::new(rate), random)
            }),
            ordered: 0,
            machines: Vec::new(),
            placed: tasks
                .iter()
                .map(|t| Placed { left: t.minutes.max(1), since: 0, place: 0, waits: t.arrives })
                .collect(),
            queue: VecDeque::new(),
            next: 0,
            events: BinaryHeap::new(),
            samples: Samples::new(window),
            profiles: setting.map(|setting| timetable(setting, span)).unwrap_or_default(),
            last: None,
            scaler: None,
            tally: Tally::default(),
        };
        // What is there at the start is ready.
        let spot = i64::from(pool.spot);
        (0..i64::from(pool.machines).min(MACHINES)).for_each(|at| run.order(0, Some(0), at < spot));
        if let Policy::Formula(evaluated) = &pool.policy {
            let scaler = Scaler::new(evaluated, pool, span);
            run.tally.unreadable = scaler.unreadable();
            run.scaler = Some(scaler);
        }
        run.events.extend(run.profiles.iter().skip(1).map(|(minute, _)| Reverse((*minute, Event::Turn))));
        let unknown = setting.iter().flat_map(|s| &s.profiles).flat_map(|p| &p.rules).filter(|r| !is_known(&r.trigger));
        run.tally.unreadable.extend(unknown.map(|rule| rule.trigger.metric.clone()));
        run
    }

    fn run(mut self, pace: Pace) -> Report {
        let mut minute = 0;
        // The last minute in which anything changed.
        let mut changed = 0;
        while minute < self.span.minutes {
            let moved = self.happen(minute);
            self.measure(minute);
            let acted = self.act(minute);
            self.tally.moment(minute, self.moment(minute));
            if moved || acted {
                changed = minute;
            }
            minute = match pace {
                Pace::Minutes => minute + 1,
                Pace::Events => {
                    let quiet =
                        minute - changed >= self.samples.minutes() && !self.is_held(minute) && !self.is_idle_soon();
                    let to = if quiet { self.next_event() } else { minute + 1 };
                    let to = to.clamp(minute + 1, self.span.minutes);
                    if to > minute + 1 {
                        self.measure(to - 1);
                    }
                    to
                }
            };
        }
        let failed = self.scaler.as_mut().map_or(0, |scaler| scaler.pass(self.span.minutes));
        self.tally.fail_again(failed);
        let waiting: Vec<u32> = self.queue.iter().filter_map(|task| self.placed.get(*task)).map(|p| p.waits).collect();
        self.tally.finish(self.span, self.pool.cores, &waiting)
    }

    /// Takes the samples of every minute up to and with this one.
    fn measure(&mut self, minute: u32) {
        let sample = self.sample(minute);
        self.samples.push(minute, sample);
        if self.scaler.is_some() {
            let counts = self.counts(minute, &sample);
            if let Some(scaler) = &mut self.scaler {
                scaler.push(minute, counts);
            }
        }
    }

    /// What happens at a minute besides autoscale; `true` if anything did.
    fn happen(&mut self, minute: u32) -> bool {
        let mut moved = false;
        while let Some(Reverse((at, event))) = self.events.peek().copied().filter(|Reverse((at, _))| *at <= minute) {
            debug_assert!(at <= minute, "events come in order");
            self.events.pop();
            moved = true;
            match event {
                Event::End { task, place } => self.end(task, place, minute),
                Event::Evict { machine } => self.evict(machine, minute),
                Event::Ready | Event::Turn => {}
            }
        }
        while let Some(task) = self.tasks.get(self.next).filter(|task| task.arrives <= minute) {
            moved = true;
            if self.fits_empty(task) {
                self.queue.push_back(self.next)
            } else {
                self.tally.refused += 1
            }
            self.next += 1;
        }
        while let Some(task) = self.queue.front().copied() {
            if !self.place(task, minute) {
                break;
            }
            self.queue.pop_front();
            moved = true;
        }
        moved
    }

    fn next_event(&self) -> u32 {
        let event = self.events.peek().map_or(u32::MAX, |Reverse((at, _))| *at);
        let event = self.scaler.as_ref().map_or(event, |scaler| scaler.next(self.of_both_kinds()).min(event));
        self.tasks.get(self.next).map_or(event, |task| task.arrives.min(event))
    }

    fn seats(&self) -> u32 {
        self.pool.seats.unwrap_or(u32::MAX)
    }

    /// Whether a machine without other tasks could hold it.
    fn fits_empty(&self, task: &Task) -> bool {
        (task.kind != Kind::Job || task.cores <= self.pool.cores.saturating_mul(MILLI)) && task.gpus <= self.pool.gpus
    }

    /// Into how many parts a thousandth of a core is cut, so that a slot is a whole number of them.
    fn parts(&self) -> i64 {
        i64::from(self.pool.slots.unwrap_or(1).max(1))
    }

    /// The parts of cores that a machine has.
    fn whole(&self) -> i64 {
        i64::from(self.pool.cores.saturating_mul(MILLI)).saturating_mul(self.parts())
    }

    /// The parts of cores that a task holds: whole slots where a machine has slots.
    fn holds(&self, task: &Task) -> i64 {
        let wanted = i64::from(task.cores).saturating_mul(self.parts());
        if self.pool.slots.is_none() || task.kind != Kind::Job {
            return wanted;
        }
        // A slot has as many parts as a machine has thousandths of cores.
        let slot = i64::from(self.pool.cores.saturating_mul(MILLI)).max(1);
        wanted.max(1).saturating_add(slot - 1) / slot * slot
    }

    fn order(&mut self, minute: u32, takes: Option<u32>, spot: bool) {
        let takes = takes.unwrap_or_else(|| self.pool.startup.pick(self.random.next_u32()));
        let ready = minute.saturating_add(takes);
        if takes > 0 {
            self.events.push(Reverse((ready, Event::Ready)));
        }
        let cores = self.whole();
        let (gpus, seats) = (self.pool.gpus, self.seats());
        let (leaving, load, tasks, used) = (false, 0, Vec::new(), ready);
        let (number, again) = (self.ordered, false);
        self.ordered += 1;
        self.machines.push(Machine { number, again, spot, leaving, ready, cores, gpus, seats, load, tasks, used });
        if let Some((lives, random)) = self.lives.as_mut().filter(|_| spot || self.pool.evictions.all) {
            let end = ready.saturating_add(lives.minutes(random.next_u64())).saturating_add(1);
            if end < self.span.minutes {
                self.events.push(Reverse((end, Event::Evict { machine: number })));
            }
        }
    }

    /// Azure takes a machine back, and gives another one where the service asks for it.
    fn evict(&mut self, number: u32, minute: u32) {
        let Some(at) = self.machines.iter().position(|machine| machine.number == number) else { return };
        let gone = self.machines.get(at).map(|machine| (machine.spot, machine.leaving));
        let before = self.tally.interrupted();
        self.remove(at, minute, 1);
        self.tally.evicted(before);
        if let Some((spot, false)) = gone
            && self.pool.evictions.replaced
        {
            self.order(minute, None, spot);
            if let Some(machine) = self.machines.last_mut() {
                machine.again = true;
            }
        }
    }

    /// Puts a task on the ready machine with the most free cores, the oldest of several. A person needs a seat, a job its cores.
    fn place(&mut self, number: usize, minute: u32) -> bool {
        let Some(task) = self.tasks.get(number).copied() else { return true };
        let person = u32::from(task.kind == Kind::Person);
        let held = self.holds(&task);
        let fits = |m: &Machine| {
            let room = task.kind != Kind::Job || m.cores >= held;
            m.ready <= minute && !m.leaving && room && m.gpus >= task.gpus && m.seats >= person
        };
        let best = self
            .machines
            .iter_mut()
            .filter(|m| fits(m))
            .reduce(|best, next| if next.cores > best.cores { next } else { best });
        let Some(machine) = best else { return false };
        machine.cores -= held;
        machine.gpus -= task.gpus;
        machine.seats -= person;
        machine.load += u64::from(task.cores) * u64::from(task.load);
        machine.tasks.push(number);
        if let Some(placed) = self.placed.get_mut(number) {
            placed.place += 1;
            placed.since = minute;
            let end = Event::End { task: number, place: placed.place };
            self.events.push(Reverse((minute.saturating_add(placed.left), end)));
            self.tally.waited(minute.saturating_sub(placed.waits));
        }
        true
    }

    fn end(&mut self, number: usize, place: u32, minute: u32) {
        if self.placed.get(number).is_none_or(|placed| placed.place != place) {
            return;
        }
        let Some(task) = self.tasks.get(number) else { return };
        let held = self.holds(task);
        let Some(at) = self.machines.iter().position(|m| m.tasks.contains(&number)) else { return };
        let Some(machine) = self.machines.get_mut(at) else { return };
        machine.tasks.retain(|other| *other != number);
        machine.cores += held;
        machine.gpus += task.gpus;
        machine.seats = machine.seats.saturating_add(u32::from(task.kind == Kind::Person));
        machine.load -= u64::from(task.cores) * u64::from(task.load);
        machine.used = minute;
        self.tally.done += 1;
        if machine.leaving && machine.tasks.is_empty() {
            self.machines.remove(at);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "loads are far below 2^52")]
    fn sample(&self, minute: u32) -> Sample {
        let whole = f64::from(self.pool.cores.max(1) * MILLI);
        let mut sample = Sample {
            machines: 0,
            cpu: [0.0, f64::INFINITY, 0.0],
            sessions: 0,
            free_seats: 0,
            waiting: self.queue.len() as u32,
        };
        for machine in self.machines.iter().filter(|machine| machine.ready <= minute) {
            let busy = (machine.load as f64 / whole).min(100.0);
            sample.machines += 1;
            sample.cpu[0] += busy;
            sample.cpu[1] = sample.cpu[1].min(busy);
            sample.cpu[2] = sample.cpu[2].max(busy);
            sample.sessions += machine.tasks.len() as u32;
            sample.free_seats = sample.free_seats.saturating_add(machine.seats);
        }
        if sample.machines > 0 {
            sample.cpu[0] /= f64::from(sample.machines);
        }
        sample
    }

    fn moment(&self, minute: u32) -> Moment {
        let ready = self.machines.iter().filter(|machine| machine.ready <= minute);
        let (whole, parts) = (self.whole(), self.parts());
        let most = (whole / parts).unsigned_abs() * 100;
        let mut moment =
            Moment { machines: self.machines.len() as u32, waiting: self.queue.len() as u32, ..Moment::default() };
        moment.spot = self.machines.iter().filter(|machine| machine.spot).count() as u32;
        for machine in ready {
            moment.ready += 1;
            moment.idle += u32::from(machine.tasks.is_empty());
            moment.tasks += machine.tasks.len() as u32;
            moment.held =
                moment.held.saturating_add(u32::try_from((whole - machine.cores.max(0)) / parts).unwrap_or(0));
            if machine.load > most {
                moment.crowded += machine.tasks.len() as u32;
            }
        }
        moment
    }

    /// Whether the cooldown holds autoscale back, so that it may act in a minute without an event.
    fn is_held(&self, minute: u32) -> bool {
        let now = self.span.at(minute).as_millisecond();
        self.last.is_some_and(|last| now - last.time.as_millisecond() <= last.cooldown)
    }

    /// Whether a node may be removed for having been idle, in a minute without an event.
    fn is_idle_soon(&self) -> bool {
        match &self.pool.policy {
            Policy::Cluster(cluster) => {
                self.machines.len() as u32 > cluster.least && self.machines.iter().any(|m| m.tasks.is_empty())
            }
            Policy::Fixed | Policy::Setting(_) | Policy::Formula(_) => false,
        }
    }

    /// Lets autoscale act; `true` when the number of machines changed.
    fn act(&mut self, minute: u32) -> bool {
        match &self.pool.policy {
            Policy::Fixed => false,
            Policy::Setting(_) => self.act_by_setting(minute),
            Policy::Cluster(cluster) => self.act_as_cluster(*cluster, minute),
            Policy::Formula(_) => self.act_by_formula(minute),
        }
    }

    fn act_by_setting(&mut self, minute: u32) -> bool {
        let passed = self.profiles.partition_point(|(from, _)| *from <= minute);
        let profile = passed.checked_sub(1).and_then(|at| self.profiles.get(at)).and_then(|(_, profile)| *profile);
        let have = self.machines.len() as i64;
        let state = State { machines: have, last: self.last, in_progress: false };
        let now = self.span.at(minute);
        let outcome = evaluate_profile(profile, &self.samples, state, now, Undocumented::ASSUMED, &mut Quiet);
        self.last = outcome.last;
        self.change(outcome.machines.unwrap_or(have), minute)
    }

    fn act_as_cluster(&mut self, cluster: Cluster, minute: u32) -> bool {
        let whole = self.whole().unsigned_abs().max(1);
        let waiting = self.queue.iter().filter_map(|task| self.tasks.get(*task));
        let (cores, gpus) =
            waiting.fold((0u64, 0u64), |sum, t| (sum.0 + self.holds(t).unsigned_abs(), sum.1 + u64::from(t.gpus)));
        let wanted = cores.div_ceil(whole).max(gpus.div_ceil(u64::from(self.pool.gpus.max(1))));
        let starting = self.machines.iter().filter(|machine| machine.ready > minute).count() as u64;
        let have = self.machines.len() as i64;
        let missing = i64::try_from(wanted.saturating_sub(starting)).unwrap_or(i64::MAX);
        // Fewer than the fewest after evictions.
        let missing = missing.max(i64::from(cluster.least) - have);
        if missing > 0 && have < i64::from(cluster.most) {
            return self.change(have.saturating_add(missing).min(i64::from(cluster.most)), minute);
        }
        let idle = |m: &Machine| m.tasks.is_empty() && m.ready <= minute && minute - m.used >= cluster.idle;
        let most = self.machines.len().saturating_sub(cluster.least as usize);
        let gone: Vec<usize> = (0..self.machines.len()).filter(|at| self.machines.get(*at).is_some_and(idle)).collect();
        let gone: Vec<usize> = gone.into_iter().rev().take(most).collect();
        gone.iter().for_each(|at| self.remove(*at, minute, 0));
        self.tally.action(minute, have, have - gone.len() as i64);
        !gone.is_empty()
    }

    /// Orders or removes machines up to a number.
    fn change(&mut self, to: i64, minute: u32) -> bool {
        let (have, to) = (self.machines.len() as i64, to.clamp(0, MACHINES));
        for _ in have..to {
            self.order(minute, None, false);
        }
        for _ in to..have {
            let at = if self.pool.oldest_first { 0 } else { self.machines.len().saturating_sub(1) };
            self.remove(at, minute, 0);
        }
        self.tally.action(minute, have, to);
        have != to
    }

    /// Removes a machine; whoever is on it waits again. `torn`: minutes before this one that were not worked to their end.
    fn remove(&mut self, at: usize, minute: u32, torn: u32) {
        if at >= self.machines.len() {
            return;
        }
        let machine = self.machines.remove(at);
        for number in machine.tasks.into_iter().rev() {
            let Some((task, placed)) = self.tasks.get(number).zip(self.placed.get_mut(number)) else { continue };
            placed.place += 1;
            let spent = minute - placed.since;
            placed.waits = minute;
            let safe = match (task.kind, self.pool.checkpoint) {
                (Kind::Job, Some(each)) => spent.saturating_sub(torn) / each.max(1) * each.max(1),
                (Kind::Job, None) => 0,
                (Kind::Person | Kind::Load, _) => spent,
            };
            self.tally.hit(task, spent - safe);
            placed.left = placed.left.saturating_sub(safe).max(1);
            self.queue.push_front(number);
        }
    }
}

/// The profile in force from each minute on at which another one comes into force.
fn timetable(setting: &Setting, span: Span) -> Vec<(u32, Option<&Profile>)> {
    let end = span.at(span.minutes);
    let mut turns: Vec<u32> =
        setting.profiles.iter().flat_map(|p| p.when.turns(span.start, end)).filter_map(|at| span.minute(at)).collect();
    // A fixed date holds to its end, inclusive.
    let after: Vec<u32> = turns.iter().map(|minute| minute + 1).filter(|minute| *minute < span.minutes).collect();
    turns.extend(after);
    turns.push(0);
    turns.sort_unstable();
    turns.dedup();
    turns.into_iter().map(|minute| (minute, in_force(&setting.profiles, span.at(minute)))).collect()
}
