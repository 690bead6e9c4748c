//! ARM's words for what the model says in its own.

use dsvm_model::autoscale::Across;
use dsvm_model::pool::{EphemeralPlace, HealthProtocol, ManagedDisk, OnEviction, RepairAction, ScaleIn, UpgradeMode};
use dsvm_model::share::{Redundancy, RootSquash, Tier};
use dsvm_sema::table::words::{Aggregate, BatchUpgradeMode, Fill, OnRemoval, PredictMode, Transport, VaultSku};
use dsvm_sema::value::Comparison;

/// `statistic` of a metric trigger.
pub(crate) fn statistic(across: Across) -> &'static str {
    match across {
        Across::Average => "Average",
        Across::Min => "Min",
        Across::Max => "Max",
        Across::Sum => "Sum",
        Across::Count => "Count",
    }
}

/// `storageAccountType` of a system disk.
pub(crate) fn disk(disk: ManagedDisk) -> &'static str {
    match disk {
        ManagedDisk::PremiumSsd => "Premium_LRS",
        ManagedDisk::StandardSsd => "StandardSSD_LRS",
        ManagedDisk::StandardHdd => "Standard_LRS",
    }
}

/// `placement` of an ephemeral disk.
pub(crate) fn placement(place: EphemeralPlace) -> &'static str {
    match place {
        EphemeralPlace::NvmeDisk => "NvmeDisk",
        EphemeralPlace::ResourceDisk => "ResourceDisk",
        EphemeralPlace::CacheDisk => "CacheDisk",
    }
}

/// `protocol` of the health extension.
pub(crate) fn health_protocol(protocol: HealthProtocol) -> &'static str {
    match protocol {
        HealthProtocol::Tcp => "tcp",
        HealthProtocol::Http => "http",
        HealthProtocol::Https => "https",
    }
}

/// `repairAction` of automatic repairs.
pub(crate) fn repair(action: RepairAction) -> &'static str {
    match action {
        RepairAction::Replace => "Replace",
        RepairAction::Reimage => "Reimage",
        RepairAction::Restart => "Restart",
    }
}

/// `mode` of an upgrade policy.
pub(crate) fn upgrade_mode(mode: UpgradeMode) -> &'static str {
    match mode {
        UpgradeMode::Rolling => "Rolling",
        UpgradeMode::Manual => "Manual",
        UpgradeMode::Automatic => "Automatic",
    }
}

/// Rule of a scale-in policy.
pub(crate) fn scale_in(order: ScaleIn) -> &'static str {
    match order {
        ScaleIn::Balanced => "Default",
        ScaleIn::Oldest => "OldestVM",
        ScaleIn::Newest => "NewestVM",
    }
}

/// `evictionPolicy` of spot machines.
pub(crate) fn eviction(eviction: OnEviction) -> &'static str {
    match eviction {
        OnEviction::Delete => "Delete",
        OnEviction::Deallocate => "Deallocate",
    }
}

/// Last part of a storage account's SKU.
pub(crate) fn redundancy(redundancy: Redundancy) -> &'static str {
    match redundancy {
        Redundancy::Lrs => "LRS",
        Redundancy::Zrs => "ZRS",
        Redundancy::Grs => "GRS",
        Redundancy::Gzrs => "GZRS",
    }
}

/// `rootSquash` of an NFS share.
pub(crate) fn root_squash(squash: RootSquash) -> &'static str {
    match squash {
        RootSquash::None => "NoRootSquash",
        RootSquash::Root => "RootSquash",
        RootSquash::All => "AllSquash",
    }
}

/// `accessTier` of an SMB share.
pub(crate) fn access_tier(tier: Tier) -> &'static str {
    match tier {
        Tier::TransactionOptimized => "TransactionOptimized",
        Tier::Hot => "Hot",
        Tier::Cool => "Cool",
    }
}

/// `name` of a vault's SKU.
pub(crate) fn vault_sku(sku: VaultSku) -> &'static str {
    match sku {
        VaultSku::Standard => "standard",
        VaultSku::Premium => "premium",
    }
}

/// `timeAggregation` of a metric trigger.
pub(crate) fn aggregation(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Avg => "Average",
        Aggregate::Min => "Minimum",
        Aggregate::Max => "Maximum",
        Aggregate::Sum => "Total",
        Aggregate::Count => "Count",
        Aggregate::Last => "Last",
    }
}

/// `operator` of a metric trigger.
pub(crate) fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => "GreaterThan",
        Comparison::GreaterOrEqual => "GreaterThanOrEqual",
        Comparison::Less => "LessThan",
        Comparison::LessOrEqual => "LessThanOrEqual",
        Comparison::Equal => "Equals",
        Comparison::NotEqual => "NotEquals",
    }
}

/// `scaleMode` of a predictive policy.
pub(crate) fn predict_mode(mode: PredictMode) -> &'static str {
    match mode {
        PredictMode::ForecastOnly => "ForecastOnly",
        PredictMode::On => "Enabled",
    }
}

/// `nodeDeallocationOption` of a resize of a batch pool.
pub(crate) fn on_removal(word: OnRemoval) -> &'static str {
    match word {
        OnRemoval::Requeue => "Requeue",
        OnRemoval::Terminate => "Terminate",
        OnRemoval::TaskCompletion => "TaskCompletion",
        OnRemoval::RetainedData => "RetainedData",
    }
}

/// `nodeFillType` of a batch pool.
pub(crate) fn fill(fill: Fill) -> &'static str {
    match fill {
        Fill::Spread => "Spread",
        Fill::Pack => "Pack",
    }
}

/// `mode` of a batch pool's upgrade policy.
pub(crate) fn batch_upgrade_mode(mode: BatchUpgradeMode) -> &'static str {
    match mode {
        BatchUpgradeMode::Automatic => "automatic",
        BatchUpgradeMode::Manual => "manual",
        BatchUpgradeMode::Rolling => "rolling",
    }
}

/// `protocol` of a port of batch machines.
pub(crate) fn nat_protocol(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}
