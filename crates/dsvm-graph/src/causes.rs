//! Why properties of scale sets and storage accounts are what they are although no field of that name was written: what a plan
//! says when such a property changes and the line that changed speaks of something else.

use dsvm_model::pool::{ManagedDisk, Orchestration, OsDisk, Pool, PoolIdentity};
use dsvm_model::share::{Protocol, Share};
use dsvm_model::sizes::Fallback;
use std::fmt::Write as _;

const PROFILE: &str = "/properties/virtualMachineProfile";

/// JSON pointers inside the scale set, and why each value is what it is, in one clause.
pub(crate) fn of_scale_set(pool: &Pool<'_>) -> Vec<(String, String)> {
    let (view, size) = (pool.view, pool.size.name());
    let fields = view.fields();
    let mut causes = Vec::new();
    let mut add = |pointer: &str, cause: String| causes.push((pointer.to_owned(), cause));
    if view.orchestration().is_none() {
        let cause = match (pool.orchestration, pool.uniform_for) {
            (Orchestration::Uniform, Some(need)) => {
                format!("`{}` makes the set Uniform, which is fixed at creation", need.field)
            }
            _ => "nothing in the pool needs a Uniform set, and without `orchestration` a set is Flexible, which is fixed at creation".to_owned(),
        };
        add("/properties/orchestrationMode", cause);
    }
    match &pool.fallback {
        Fallback::None => {}
        Fallback::Mix => add(
            "/properties/skuProfile",
            "the sizes of `first of` can be mixed in one Flexible set, where Azure takes them by rank".to_owned(),
        ),
        Fallback::Apply(why) => add("/sku/name", format!("`apply` tries the sizes of `first of` in order: {why}")),
    }
    if pool.orchestration == Orchestration::Uniform {
        let cause = match pool.large {
            true => "`machines` can exceed 100, which needs several placement groups",
            false => "`machines` stays within 100, which is one placement group",
        };
        add("/properties/singlePlacementGroup", cause.to_owned());
    }
    if !fields.os_disk().written() {
        let cause = match pool.os_disk {
            OsDisk::Managed(ManagedDisk::PremiumSsd, _) => {
                format!("`{size}` takes premium disks, the default of `os_disk`")
            }
            _ => format!("`{size}` takes no premium disks, so that `os_disk` is `standard_ssd`"),
        };
        add(&format!("{PROFILE}/storageProfile/osDisk/managedDisk/storageAccountType"), cause);
    }
    if let OsDisk::Ephemeral(..) = pool.os_disk {
        let cause = format!("`{size}` decides where an ephemeral OS disk is, which is fixed at creation");
        add(&format!("{PROFILE}/storageProfile/osDisk/diffDiskSettings/placement"), cause);
    }
    if view.security().is_none() {
        let verb = if pool.trusted_launch.is_some() { "support" } else { "do not both support" };
        let cause = format!("`{}` and `{size}` {verb} Trusted Launch", pool.image.name());
        add(&format!("{PROFILE}/securityProfile/securityType"), cause);
    }
    if !fields.secure_boot().written() {
        add(
            &format!("{PROFILE}/securityProfile/uefiSettings/secureBootEnabled"),
            format!("Secure Boot is on unless the size has GPUs, and this one is `{size}`"),
        );
    }
    if view.accelerated_networking().is_none() {
        let cause = format!("`{size}` decides it when `accelerated_networking` is not written");
        add(
            &format!(
                "{PROFILE}/networkProfile/networkInterfaceConfigurations/0/properties/enableAcceleratedNetworking"
            ),
            cause,
        );
    }
    add(
        &format!("{PROFILE}/storageProfile/diskControllerType"),
        format!("`{size}` {} from NVMe disks only", if pool.size.nvme_only() { "boots" } else { "does not boot" }),
    );
    if view.computer_name().is_none() {
        add(
            &format!("{PROFILE}/osProfile/computerNamePrefix"),
            "the name of the pool is the prefix when `computer_name` is not written".to_owned(),
        );
    }
    let plan = match pool.image.plan() {
        Some(_) => format!("`{}` is sold with a purchase plan, which is fixed at creation", pool.image.name()),
        None => format!("`{}` has no purchase plan", pool.image.name()),
    };
    for key in ["name", "publisher", "product"] {
        add(&format!("/plan/{key}"), plan.clone());
    }
    let mut identity = String::new();
    if pool.entra_login {
        identity.push_str("`entra_login` needs a system-assigned identity");
    }
    if pool.identity == PoolIdentity::Own {
        let and = if identity.is_empty() { "" } else { ", and " };
        let _ = write!(identity, "{and}shares or a vault need an identity of the pool's own");
    }
    if !identity.is_empty() {
        add("/identity/type", identity);
    }
    causes
}

/// JSON pointers inside the storage account of a share, and why each value is what it is, in one clause.
pub(crate) fn of_account(share: &Share<'_>) -> Vec<(String, String)> {
    let mut causes = Vec::new();
    if share.view.performance().is_none() {
        let cause = match share.protocol {
            Protocol::Nfs => "`protocol = nfs` needs a premium account",
            Protocol::Smb => "shares over SMB are in a standard account unless `performance` says otherwise",
        };
        causes.extend(["/kind", "/sku/name"].map(|pointer| (pointer.to_owned(), cause.to_owned())));
    }
    if share.protocol == Protocol::Nfs {
        let cause = "an NFS share is reached through its network, without a key";
        causes.push(("/properties/allowSharedKeyAccess".to_owned(), cause.to_owned()));
    }
    causes
}
