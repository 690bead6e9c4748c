//! What changes do to the people who use the machines: the kinds of effects, mildest first.

use serde::{Deserialize, Serialize};

/// What a change does to people who use the pool, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// No effect on users.
    #[default]
    None,
    /// Something new appears; nothing that runs is touched.
    Appears,
    /// Machines created from now on; running ones stay unchanged until they are upgraded.
    NewMachines,
    /// Machines are added to a pool.
    ScalesOut,
    /// Access, network or a rule changes while everything keeps running.
    InPlace,
    /// As in place, and there is no way back.
    InPlaceOneWay,
    /// Running machines have it only after somebody reimages them.
    WhenReimaged,
    /// Running nodes have it after a reboot.
    WhenRebooted,
    /// Running machines are changed as the upgrade policy says, without a restart.
    Rolling,
    /// Running machines have it after they were deallocated and started.
    NeedsDeallocation,
    /// No source says what the change does.
    NotKnown,
    /// Machines are restarted; their disks are kept.
    Restart,
    /// Machines are removed by the next run of autoscale.
    AutoscaleRemoves,
    /// Machines are removed from a pool.
    ScalesIn,
    /// Machines get a fresh OS disk: data on the old one is lost.
    OsDisksReplaced,
    /// The resource is deleted.
    Removes,
    /// The resource is deleted and recreated.
    Replaces,
    /// User data is deleted.
    DeletesData,
    /// Azure refuses the change while the pool has nodes.
    NeedsEmptyPool,
    /// Azure refuses the change as an update: the service converts the resource by an operation of its own.
    ServiceConversion,
    /// Azure refuses the change.
    Refused,
    /// Azure refuses the change, and a new resource of the same name too: a deleted one keeps the name.
    RefusedNameHeld,
}

impl EffectKind {
    /// All kinds, mildest first.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Appears,
        Self::NewMachines,
        Self::ScalesOut,
        Self::InPlace,
        Self::InPlaceOneWay,
        Self::WhenReimaged,
        Self::WhenRebooted,
        Self::Rolling,
        Self::NeedsDeallocation,
        Self::NotKnown,
        Self::Restart,
        Self::AutoscaleRemoves,
        Self::ScalesIn,
        Self::OsDisksReplaced,
        Self::Removes,
        Self::Replaces,
        Self::DeletesData,
        Self::NeedsEmptyPool,
        Self::ServiceConversion,
        Self::Refused,
        Self::RefusedNameHeld,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Appears => "appears",
            Self::NewMachines => "new-machines",
            Self::ScalesOut => "scales-out",
            Self::InPlace => "in-place",
            Self::InPlaceOneWay => "in-place-one-way",
            Self::WhenReimaged => "when-reimaged",
            Self::WhenRebooted => "when-rebooted",
            Self::Rolling => "rolling",
            Self::NeedsDeallocation => "needs-deallocation",
            Self::NotKnown => "not-known",
            Self::Restart => "restart",
            Self::AutoscaleRemoves => "autoscale-removes",
            Self::ScalesIn => "scales-in",
            Self::OsDisksReplaced => "os-disks-replaced",
            Self::Removes => "removes",
            Self::Replaces => "replaces",
            Self::DeletesData => "deletes-data",
            Self::NeedsEmptyPool => "needs-empty-pool",
            Self::ServiceConversion => "service-conversion",
            Self::Refused => "refused",
            Self::RefusedNameHeld => "refused-name-held",
        }
    }

    /// What it means, in one clause.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::None => "not noticeable",
            Self::Appears => "something new; nothing that is running is affected",
            Self::NewMachines => {
                "affects machines created from now on; running machines keep their configuration until they are upgraded"
            }
            Self::ScalesOut => "machines are added",
            Self::InPlace => "a rule, an address or a size changes while everything keeps running",
            Self::InPlaceOneWay => "changed while everything keeps running; it cannot be changed back",
            Self::WhenReimaged => "new machines have it; running machines only after they are reimaged",
            Self::WhenRebooted => "new nodes have it; running nodes only after they are rebooted",
            Self::Rolling => "running machines are changed as the upgrade policy says, without a restart",
            Self::NeedsDeallocation => "running machines have it only after they are deallocated and started again",
            Self::NotKnown => "no source says what Azure does",
            Self::Restart => "machines restart",
            Self::AutoscaleRemoves => "machines are removed by the next run of autoscale, within a minute",
            Self::ScalesIn => "machines are removed",
            Self::OsDisksReplaced => "machines get a fresh OS disk: data on the old one is lost, data disks stay",
            Self::Removes => "the resource is deleted",
            Self::Replaces => "Azure fixes the named property at creation: the resource is deleted and recreated",
            Self::DeletesData => "a share, an account, a disk or a vault is deleted with its contents",
            Self::NeedsEmptyPool => "Azure refuses it while the pool has nodes: an error of the plan",
            Self::ServiceConversion => {
                "Azure refuses it as an update; a migration of its own does it: an error of the plan"
            }
            Self::Refused => "Azure refuses it: an error of the plan, with the way out",
            Self::RefusedNameHeld => {
                "Azure refuses it, and a new resource of the name too, which a deleted one keeps: an error of the plan"
            }
        }
    }

    /// Whether Azure refuses the change: the plan cannot be applied.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        self >= Self::NeedsEmptyPool
    }
}
