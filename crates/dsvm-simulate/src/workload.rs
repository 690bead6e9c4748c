//! What people and jobs ask of a pool: when, how long, how much.

use jiff::Timestamp;

/// Thousandths of a core or a GPU.
pub const MILLI: u32 = 1000;

/// Whether a task is somebody at work or a program: they wait and end in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody works on a machine.
    Person,
    /// A program runs to its end.
    Job,
    /// A part of a load that was measured, of nobody knows whom: it shares cores as people do, and takes no seat.
    Load,
}

/// One session of a person, or one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Minute of its arrival, counted from the start of the simulation.
    pub arrives: u32,
    /// How long it takes on a machine, in minutes; 1 at least.
    pub minutes: u32,
    /// Cores that are held for it, in thousandths.
    pub cores: u32,
    /// GPUs that are held for it, in thousandths.
    pub gpus: u32,
    /// How much of its cores it keeps busy, in per cent.
    pub load: u8,
    /// A person, who needs a seat, or a job, which needs free cores.
    pub kind: Kind,
}

/// The time that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When minute 0 begins.
    pub start: Timestamp,
    /// Its length in minutes.
    pub minutes: u32,
}

impl Span {
    /// The moment of a minute.
    #[must_use]
    pub fn at(&self, minute: u32) -> Timestamp {
        self.start.checked_add(jiff::SignedDuration::from_mins(i64::from(minute))).unwrap_or(Timestamp::MAX)
    }

    /// The minute of a moment; `None` outside of the span.
    #[must_use]
    pub fn minute(&self, at: Timestamp) -> Option<u32> {
        let minutes = at.duration_since(self.start).as_mins();
        u32::try_from(minutes).ok().filter(|minute| *minute < self.minutes)
    }
}

/// Tasks in the order of their arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    tasks: Vec<Task>,
}

impl Workload {
    /// Puts tasks into the order of their arrival; those of one minute keep theirs.
    #[must_use]
    pub fn new(mut tasks: Vec<Task>) -> Self {
        tasks.sort_by_key(|task| task.arrives);
        Self { tasks }
    }

    /// The tasks, earliest first.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Both workloads at once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.tasks.extend(other.tasks);
        Self::new(self.tasks)
    }
}
