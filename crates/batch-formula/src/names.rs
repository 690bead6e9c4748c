//! The names that the service defines: variables, functions, methods, time intervals and deallocation options.
//!
//! Source: "Create a formula to automatically scale compute nodes in a Batch pool" (Azure documentation, editions of
//! 2015 to 2025). Names marked *older* appear in early editions or in formulas of Azure's own samples.

/// What a formula may do with a variable of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// A number that the formula reads and assigns.
    Target,
    /// What happens to the tasks of a removed node.
    Deallocation,
    /// Samples over time; only read through methods.
    Samples,
    /// Samples over time that also count as a plain number.
    Count,
    /// A plain number without samples.
    Number,
}

/// A variable of the service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceVariable {
    /// Its name, including the `$`.
    pub name: &'static str,
    /// The same variable under its full name.
    pub canonical: &'static str,
    /// What a formula may do with it.
    pub kind: VariableKind,
    /// What it measures or sets, in one line.
    pub doc: &'static str,
}

const fn row(name: &'static str, kind: VariableKind, doc: &'static str) -> ServiceVariable {
    ServiceVariable { name, canonical: name, kind, doc }
}

const fn alias(name: &'static str, canonical: &'static str, kind: VariableKind) -> ServiceVariable {
    ServiceVariable { name, canonical, kind, doc: "a shorter name" }
}

/// The targets, under their full names.
pub const DEDICATED: &str = "$TargetDedicatedNodes";
/// The target number of spot machines, under its full name.
pub const SPOT: &str = "$TargetLowPriorityNodes";
/// The option for tasks of removed machines, under its full name.
pub const DEALLOCATION: &str = "$NodeDeallocationOption";

/// Every variable of the service.
pub(crate) const VARIABLES: &[ServiceVariable] = &[
    row(DEDICATED, VariableKind::Target, "dedicated machines wanted"),
    alias("$TargetDedicated", DEDICATED, VariableKind::Target),
    row(SPOT, VariableKind::Target, "spot machines wanted"),
    alias("$TargetLowPriority", SPOT, VariableKind::Target),
    row(DEALLOCATION, VariableKind::Deallocation, "what happens to the tasks of a removed machine"),
    row("$CPUPercent", VariableKind::Samples, "average CPU usage"),
    row("$WallClockSeconds", VariableKind::Samples, "seconds consumed"),
    row("$MemoryBytes", VariableKind::Samples, "average megabytes used"),
    row("$DiskBytes", VariableKind::Samples, "average gigabytes used on local disks"),
    row("$DiskReadBytes", VariableKind::Samples, "bytes read"),
    row("$DiskWriteBytes", VariableKind::Samples, "bytes written"),
    row("$DiskReadOps", VariableKind::Samples, "disk reads"),
    row("$DiskWriteOps", VariableKind::Samples, "disk writes"),
    row("$NetworkInBytes", VariableKind::Samples, "bytes received"),
    row("$NetworkOutBytes", VariableKind::Samples, "bytes sent"),
    row("$SampleNodeCount", VariableKind::Samples, "machines that gave samples"),
    row("$ActiveTasks", VariableKind::Samples, "tasks ready to run and not yet running"),
    row("$RunningTasks", VariableKind::Samples, "tasks that run"),
    row("$PendingTasks", VariableKind::Samples, "tasks that wait or run"),
    row("$SucceededTasks", VariableKind::Samples, "tasks that finished well"),
    row("$FailedTasks", VariableKind::Samples, "tasks that failed"),
    row("$UsableNodeCount", VariableKind::Count, "machines that can run tasks"),
    row("$PreemptedNodeCount", VariableKind::Count, "spot machines that were evicted"),
    row("$CurrentDedicatedNodes", VariableKind::Count, "dedicated machines now"),
    alias("$CurrentDedicated", "$CurrentDedicatedNodes", VariableKind::Count),
    row("$CurrentLowPriorityNodes", VariableKind::Count, "spot machines now, evicted ones included"),
    alias("$CurrentLowPriority", "$CurrentLowPriorityNodes", VariableKind::Count),
    row("$TaskSlotsPerNode", VariableKind::Number, "task slots of one machine"),
];

/// The variable of that name.
#[must_use]
pub fn variable(name: &str) -> Option<&'static ServiceVariable> {
    VARIABLES.iter().find(|v| v.name == name)
}

/// Ticks of 100 nanoseconds in each named interval. A year counts 365 days.
pub(crate) const INTERVALS: &[(&str, i64)] = &[
    ("TimeInterval_Zero", 0),
    ("TimeInterval_100ns", 1),
    ("TimeInterval_Microsecond", 10),
    ("TimeInterval_Millisecond", 10_000),
    ("TimeInterval_Second", SECOND),
    ("TimeInterval_Minute", 60 * SECOND),
    ("TimeInterval_Hour", 3_600 * SECOND),
    ("TimeInterval_Day", 86_400 * SECOND),
    ("TimeInterval_Week", 7 * 86_400 * SECOND),
    ("TimeInterval_Year", 365 * 86_400 * SECOND),
];

/// Ticks in a second.
pub(crate) const SECOND: i64 = 10_000_000;

/// Ticks of a named interval.
#[must_use]
pub(crate) fn interval(name: &str) -> Option<i64> {
    INTERVALS.iter().find(|(n, _)| *n == name).map(|(_, ticks)| *ticks)
}

/// What may happen to the tasks of a removed machine; written bare.
pub(crate) const DEALLOCATION_OPTIONS: &[&str] = &["requeue", "terminate", "taskcompletion", "retaineddata"];

/// Members of a timestamp.
pub(crate) const MEMBERS: &[&str] = &["year", "month", "day", "weekday", "hour", "minute", "second"];

/// Methods of a variable with samples.
pub(crate) const METHODS: &[&str] = &["GetSample", "GetSamplePercent", "GetSamplePeriod", "Count", "HistoryBeginTime"];

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Any mix of numbers and vectors to one number.
    ListToNumber,
    /// A number to a number, or a vector (or list) to a vector.
    Each,
    /// A vector and a number to a number.
    VectorAndNumber,
    /// Any mix of numbers and vectors to a vector.
    ListToVector,
    /// Nothing to a number.
    Rand,
    /// No arguments; ends the evaluation.
    Stop,
    /// Nothing, or a string, to a timestamp.
    Time,
}

/// Every function and how it is called.
pub(crate) const FUNCTIONS: &[(&str, Signature)] = &[
    ("avg", Signature::ListToNumber),
    ("len", Signature::ListToNumber),
    ("max", Signature::ListToNumber),
    ("min", Signature::ListToNumber),
    ("norm", Signature::ListToNumber),
    ("range", Signature::ListToNumber),
    ("std", Signature::ListToNumber),
    ("sum", Signature::ListToNumber),
    ("lg", Signature::Each),
    ("ln", Signature::Each),
    ("log", Signature::Each),
    ("ceil", Signature::Each),
    ("floor", Signature::Each),
    ("round", Signature::Each),
    ("percentile", Signature::VectorAndNumber),
    ("val", Signature::VectorAndNumber),
    ("vec", Signature::ListToVector),
    ("rand", Signature::Rand),
    ("stop", Signature::Stop),
    ("time", Signature::Time),
];

/// How a function is called.
#[must_use]
pub(crate) fn function(name: &str) -> Option<Signature> {
    FUNCTIONS.iter().find(|(n, _)| *n == name).map(|(_, s)| *s)
}

/// The known name that `written` was probably meant to be.
#[must_use]
pub(crate) fn suggest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_ascii_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_ascii_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.84)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
