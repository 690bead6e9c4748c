//! ARM's words for what the model says in its own.

use dsvm_model::autoscale::Across;
use dsvm_model::pool::{EphemeralPlace, HealthProtocol, ManagedDisk, OnEviction, RepairAction, ScaleIn, UpgradeMode};
use dsvm_model::share::{Redundancy, RootSquash, Tier};
use dsvm_sema::table::words::VaultSku;

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
