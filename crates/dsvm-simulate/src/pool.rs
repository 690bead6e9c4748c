//! The pool that is simulated.

use super::eviction::Rate;
use arm_autoscale::Setting;
use batch_formula::Formula;

/// Machines, and what decides how many there are.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Machines at the start.
    pub machines: u32,
    /// How many of them are spot machines.
    pub spot: u32,
    /// Cores of a machine.
    pub cores: u32,
    /// GPUs of a machine, in thousandths.
    pub gpus: u32,
    /// Most people on a machine at once; `None`: everyone is let in.
    pub seats: Option<u32>,
    /// Task slots of a node of Azure Batch: a job takes as many as its cores need, one at least. `None`: a job takes its cores.
    pub slots: Option<u32>,
    /// How long a machine takes from its order to its first user.
    pub startup: Startup,
    /// Whether the oldest machine is removed first.
    pub oldest_first: bool,
    /// Whether, and how, the service takes machines back.
    pub evictions: Evictions,
    /// Minutes of work between two checkpoints of a job: what it has done until the last one is not lost with its machine.
    pub checkpoint: Option<u32>,
    /// What decides about the number of machines.
    pub policy: Policy,
}

/// Machines that the service takes back.
///
/// Azure Batch tries to replace them ("Use Spot VMs with Batch workloads", Microsoft Learn, 2025). A scale set does so when its
/// `spotRestorePolicy` says so; otherwise it has a machine less, and its autoscale setting may order another one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evictions {
    /// How likely; without it no machine is evicted.
    pub rate: Option<Rate>,
    /// Every machine is a spot machine, not only those that are counted apart.
    pub all: bool,
    /// The service orders another machine at once.
    pub replaced: bool,
}

/// What decides about the number of machines.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Nothing: the number stays.
    Fixed,
    /// An autoscale setting of Azure Monitor.
    Setting(Setting),
    /// The scaling of an Azure Machine Learning cluster.
    Cluster(Cluster),
    /// An autoscale formula of Azure Batch.
    Formula(Evaluated),
}

/// A formula, and how often it is evaluated.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// Its text, for the places in messages.
    pub text: String,
    /// What is evaluated: the tree of that text.
    pub formula: Formula,
    /// Minutes from one evaluation to the next: `autoScaleEvaluationInterval`, rounded up.
    pub every: u32,
}

/// An Azure Machine Learning cluster: grows at once to what waits, and shrinks by what has been idle for a time.
///
/// Source: Microsoft Learn, "Create an Azure Machine Learning compute cluster" (`minNodeCount`, `maxNodeCount`,
/// `nodeIdleTimeBeforeScaleDown`).
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    /// `minNodeCount`: so many nodes stay however idle they are.
    pub least: u32,
    /// `maxNodeCount`: the cluster never grows beyond it.
    pub most: u32,
    /// Minutes after which an idle node is removed.
    pub idle: u32,
}

/// How long a machine takes to start: each of these times, in minutes, as often as the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup(Vec<u32>);

impl Startup {
    /// Equally likely times. Without one a machine starts at once.
    #[must_use]
    pub fn new(minutes: Vec<u32>) -> Self {
        Self(if minutes.is_empty() { vec![0] } else { minutes })
    }

    /// A scale set with a data-science image: log-in worked 4:52 to 5:20 minutes after the order of machines with 8 vCPUs
    /// (measured, <https://github.com/skypilot-org/skypilot/pull/3718>, 2024-07-03), and Microsoft Learn says "about 5 minutes"
    /// ("Quickstart: create an Ubuntu Data Science Virtual Machine", 2024-04-23). Drivers that are not in the image take 12 more.
    #[must_use]
    pub fn of_scale_set() -> Self {
        Self(vec![5, 5, 5, 6])
    }

    /// A node of Azure Batch: 3 to 8 minutes before it is begun, according to Microsoft
    /// (<https://github.com/Azure/Batch/issues/145>, 2022-12-16). Azure Machine Learning names "approximately 5 minutes" for the
    /// first node of a cluster, which lies in the middle.
    #[must_use]
    pub fn of_node() -> Self {
        Self(vec![3, 4, 5, 6, 7, 8])
    }

    /// The time of a machine for a random number.
    pub(crate) fn pick(&self, random: u32) -> u32 {
        let at = random as usize % self.0.len().max(1);
        self.0.get(at).copied().unwrap_or(0)
    }

    /// The different times, shortest first, in minutes.
    #[must_use]
    pub fn times(&self) -> Vec<u32> {
        let mut all = self.0.clone();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The longest of its times, in minutes.
    #[must_use]
    pub fn longest(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }
}
