//! Metrics of a simulated pool: one sample a minute, folded over the window of a rule as the service does.

use arm_autoscale::{Metrics, Trigger};
use jiff::Timestamp;

/// What the machines measured in one minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// How many machines the means are of; with none there are no values.
    pub(crate) machines: u32,
    /// Busy processors of a machine in per cent: mean, least and most over the machines.
    pub(crate) cpu: [f64; 3],
    /// People and jobs on machines.
    pub(crate) sessions: u32,
    /// Seats that are free.
    pub(crate) free_seats: u32,
    /// Length of the queue of people and jobs without a place.
    pub(crate) waiting: u32,
}

/// A metric that a simulated pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Cpu,
    Sessions,
    FreeSeats,
    Queue,
}

fn name(trigger: &Trigger) -> Option<Name> {
    if trigger.is_queue_length() {
        return Some(Name::Queue);
    }
    let known = [("Percentage CPU", Name::Cpu), ("sessions", Name::Sessions), ("free_seats", Name::FreeSeats)];
    known.into_iter().find(|(name, _)| trigger.metric.eq_ignore_ascii_case(name)).map(|(_, name)| name)
}

/// Whether a simulated pool has the metric of a rule.
pub(crate) fn is_known(trigger: &Trigger) -> bool {
    name(trigger).is_some()
}

/// The samples of the last minutes, as many as the longest window of a rule has.
pub(crate) struct Samples {
    /// The sample of a minute is at the minute modulo the length.
    ring: Vec<Option<Sample>>,
    /// The last minute with a sample.
    now: u32,
}

impl Samples {
    /// Room for windows of so many minutes.
    pub(crate) fn new(minutes: u32) -> Self {
        Self { ring: vec![None; (minutes as usize).max(1)], now: 0 }
    }

    /// Most minutes that a window looks back.
    pub(crate) fn minutes(&self) -> u32 {
        self.ring.len() as u32
    }

    /// The same sample for every minute up to and with `minute`.
    pub(crate) fn push(&mut self, minute: u32, sample: Sample) {
        let from = (self.now + 1).max(minute.saturating_sub(self.minutes() - 1)).min(minute);
        for at in from..=minute {
            self.set(at, sample);
        }
        self.now = minute;
    }

    fn set(&mut self, minute: u32, sample: Sample) {
        let at = minute as usize % self.ring.len();
        if let Some(place) = self.ring.get_mut(at) {
            *place = Some(sample);
        }
    }

    fn get(&self, minute: u32) -> Option<Sample> {
        self.ring.get(minute as usize % self.ring.len()).copied().flatten()
    }

    /// The value of a rule's window that ends now; `None` when nothing was measured in it.
    fn fold(&self, trigger: &Trigger, of: Name) -> Option<f64> {
        let minutes = |milliseconds: i64| u32::try_from(milliseconds / 60_000).unwrap_or(1).max(1);
        let window = minutes(trigger.window).min(self.minutes());
        let grain = minutes(trigger.grain).min(window);
        let mut whole = Fold::default();
        let mut at = (self.now + 1).saturating_sub(window);
        while at <= self.now {
            let mut part = Fold::default();
            for minute in at..(at + grain).min(self.now + 1) {
                if let Some(sample) = self.get(minute) {
                    part.sample(&sample, of);
                }
            }
            if let Some(value) = part.value(&trigger.statistic) {
                whole.add(value, value, value, 1.0);
            }
            at += grain;
        }
        whole.value(&trigger.aggregation)
    }
}

/// Values under way to one.
#[derive(Clone, Copy, Debug, Default)]
struct Fold {
    sum: f64,
    count: f64,
    least: f64,
    most: f64,
    last: f64,
}

impl Fold {
    /// So many values with this mean, least and most.
    fn add(&mut self, mean: f64, least: f64, most: f64, count: f64) {
        if self.count == 0.0 {
            (self.least, self.most) = (least, most);
        }
        self.sum += mean * count;
        self.count += count;
        self.least = self.least.min(least);
        self.most = self.most.max(most);
        self.last = mean;
    }

    fn sample(&mut self, sample: &Sample, of: Name) {
        let one = |value: u32| (f64::from(value), f64::from(value), f64::from(value), 1.0);
        let (mean, least, most, count) = match of {
            Name::Cpu => (sample.cpu[0], sample.cpu[1], sample.cpu[2], f64::from(sample.machines)),
            // Machines publish these.
            Name::Sessions | Name::FreeSeats if sample.machines == 0 => return,
            Name::Sessions => one(sample.sessions),
            Name::FreeSeats => one(sample.free_seats),
            Name::Queue => one(sample.waiting),
        };
        if count > 0.0 {
            self.add(mean, least, most, count);
        }
    }

    /// By a word of `statistic` or `timeAggregation`, in lower case.
    fn value(&self, how: &str) -> Option<f64> {
        if self.count == 0.0 {
            return None;
        }
        Some(match how {
            "min" | "minimum" => self.least,
            "max" | "maximum" => self.most,
            "sum" | "total" => self.sum,
            "count" => self.count,
            "last" => self.last,
            _ => self.sum / self.count,
        })
    }
}

impl Metrics for Samples {
    fn value(&self, trigger: &Trigger, _: Timestamp) -> Option<f64> {
        self.fold(trigger, name(trigger)?)
    }
}
