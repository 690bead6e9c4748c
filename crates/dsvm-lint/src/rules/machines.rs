//! Machines of interactive pools: what protects them, what keeps them running, what they are made of.

use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_model::facts::{Image, Known, NetworkAcceleration, Retirement, Size};
use dsvm_model::pool::{ManagedDisk, OsDisk, Pool, UpgradeMode};
use dsvm_sema::table::words::Security;
use jiff::civil::Date;

pub(crate) fn host_encryption_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let property = "/properties/virtualMachineProfile/securityProfile/encryptionAtHost";
    for pool in look.pools().filter(|pool| !pool.encryption_at_host && !look.sets(pool, property)) {
        out.push(
            found(
                format!("temporary disks and caches of `{}` are not encrypted", pool.block.name),
                pool.view.fields().encryption_at_host().span(),
                "only what is on managed disks is",
            )
            .help("set `encryption_at_host = true`; the subscription needs the feature Microsoft.Compute/EncryptionAtHost"),
        );
    }
}

pub(crate) fn trusted_launch_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let off = pool.view.security() == Some(Security::Standard);
        if off && pool.image.trusted_launch() == Known::Yes && pool.size.trusted_launch() {
            out.push(
                found(
                    format!("`{}` starts without Trusted Launch", pool.block.name),
                    pool.view.fields().security().span(),
                    "image and size have it",
                )
                .help("leave `security` out"),
            );
        }
    }
}

/// Drivers of GPUs are often unsigned: there the default is off.
pub(crate) fn secure_boot_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        if pool.view.secure_boot() == Some(false) && !pool.size.has_gpu() && pool.trusted_launch.is_some() {
            out.push(
                found(
                    format!("`{}` starts software that nobody signed", pool.block.name),
                    pool.view.fields().secure_boot().span(),
                    "nothing on this size needs it",
                )
                .help("leave `secure_boot` out"),
            );
        }
    }
}

pub(crate) fn no_zones(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.zones.is_empty() && !look.sets(pool, "/zones")) {
        let zoned = look.region(pool.block).is_some_and(|region| region.zones() == Known::Yes);
        if zoned && pool.machines.most() != Some(1) {
            out.push(
                found(
                    format!("machines of `{}` are in no availability zone", pool.block.name),
                    pool.block.name_span,
                    "one failure of a building can stop all",
                )
                .help("add `zones = [1, 2, 3]`; not all sizes are in all zones of a region"),
            );
        }
    }
}

pub(crate) fn single_zone(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let [zone] = pool.zones.as_slice() else { continue };
        out.push(
            found(
                format!("all machines of `{}` are in zone {zone}", pool.block.name),
                pool.view.fields().zones().span(),
                "a failure of this zone stops all",
            )
            .help("write `[1, 2, 3]`, or the zones that have the size"),
        );
    }
}

pub(crate) fn repair_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.repair.is_none()) {
        let Some(repair) = pool.view.repair().filter(|repair| !repair.enabled()) else { continue };
        out.push(
            found(
                format!("nobody repairs machines of `{}`", pool.block.name),
                repair.fields().enabled().span(),
                "an unhealthy machine stays and is paid for",
            )
            .help("leave `enabled` out"),
        );
    }
}

pub(crate) fn upgrade_all_at_once(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let most_share = look.options.number("batch");
    for pool in look.pools().filter(|pool| pool.machines.most().is_none_or(|most| most > 2)) {
        let Some(upgrade) = pool.view.upgrade() else { continue };
        let (span, label) = match pool.upgrade.mode {
            UpgradeMode::Automatic => (upgrade.fields().mode().span(), "changes all machines at once".to_owned()),
            UpgradeMode::Rolling if pool.upgrade.batch.get() > most_share => {
                (upgrade.fields().batch().span(), format!("changes {} of the machines at once", pool.upgrade.batch))
            }
            UpgradeMode::Rolling | UpgradeMode::Manual => continue,
        };
        out.push(
            found(format!("an upgrade takes most machines of `{}` away", pool.block.name), span, label)
                .help("write `mode = rolling` and `batch = 20%`, the defaults"),
        );
    }
}

/// Only images of Azure's list can follow new versions.
pub(crate) fn os_updates_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let property = "/properties/upgradePolicy/automaticOSUpgradePolicy/enableAutomaticOSUpgrade";
    for pool in look.pools().filter(|pool| !look.sets(pool, property)) {
        if !pool.upgrade.os_images && pool.image.os_upgrades() == Known::Yes && pool.image.pinned().is_none() {
            let span = pool.view.upgrade().map_or(pool.view.fields().image().span(), |u| u.fields().os_images().span());
            out.push(
                found(
                    format!("machines of `{}` keep the version of the image that they began with", pool.block.name),
                    span,
                    "Azure can upgrade this image by itself",
                )
                .help("add `upgrade { os_images = true }`, which makes the scale set uniform"),
            );
        }
    }
}

pub(crate) fn boot_diagnostics_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| !pool.boot_diagnostics) {
        out.push(
            found(
                format!("`{}` keeps no log of a boot", pool.block.name),
                pool.view.fields().boot_diagnostics().span(),
                "a machine that does not start says nothing",
            )
            .help("leave `boot_diagnostics` out: the log costs next to nothing"),
        );
    }
}

/// Sizes in GiB up to which managed disks are billed: <https://learn.microsoft.com/azure/virtual-machines/disks-types>.
const TIERS: [i64; 11] = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

pub(crate) fn odd_disk_size(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let OsDisk::Managed(_, Some(size)) = pool.os_disk else { continue };
        let size = size.get();
        let Some(tier) = TIERS.iter().find(|tier| **tier >= size).filter(|tier| **tier != size) else { continue };
        out.push(
            found(
                format!("the OS disk of `{}` is billed as {tier} GiB", pool.block.name),
                pool.view.fields().os_disk_size().span(),
                format!("{} GiB are paid for and not there", tier - size),
            )
            .help(format!("write `{tier} GiB`")),
        );
    }
}

/// Bytes that an OS disk takes at least, when the image tells.
fn image_bytes(pool: &Pool<'_>) -> Option<i64> {
    let OsDisk::Managed(_, written) = pool.os_disk else { return None };
    written.map(|size| size.get().saturating_mul(1 << 30)).or(pool.image.os_disk())
}

pub(crate) fn ephemeral_would_fit(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let Some((_, Some(room))) = pool.size.ephemeral() else { continue };
        if image_bytes(pool).is_some_and(|bytes| bytes <= room) {
            out.push(
                found(
                    format!("the OS disk of `{}` would fit on the host", pool.block.name),
                    pool.view.fields().os_disk().span(),
                    "paid for, and slower",
                )
                .help("set `os_disk = ephemeral` if nothing on it has to survive a reimage"),
            );
        }
    }
}

pub(crate) fn slow_os_disk(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| matches!(pool.os_disk, OsDisk::Managed(ManagedDisk::StandardHdd, _))) {
        out.push(
            found(
                format!("`{}` starts from a hard disk", pool.block.name),
                pool.view.fields().os_disk().span(),
                "boots and package installations take minutes longer",
            )
            .help("write `standard_ssd` or leave `os_disk` out"),
        );
    }
}

pub(crate) fn accelerated_networking_off(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let has = match pool.size.accelerated_networking() {
            NetworkAcceleration::Yes | NetworkAcceleration::Required => true,
            NetworkAcceleration::No => false,
        };
        if has && pool.view.accelerated_networking() == Some(false) {
            out.push(
                found(
                    format!("network cards of `{}` go through the host", pool.block.name),
                    pool.view.fields().accelerated_networking().span(),
                    format!("{} can bypass it", pool.size.name()),
                )
                .help("leave `accelerated_networking` out"),
            );
        }
    }
}

pub(crate) fn burstable_size(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.size.burstable()) {
        out.push(
            found(
                format!("machines of `{}` slow down when they work for long", pool.block.name),
                pool.view.fields().size().span(),
                format!("{} is burstable", pool.size.name()),
            )
            .help("take a size of the D or E series for work that lasts"),
        );
    }
}

pub(crate) fn spot_without_fallback(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.spot.is_some()) {
        out.push(
            found(
                format!("Azure can take all machines of `{}` away at once", pool.block.name),
                pool.view.fields().priority().span(),
                "people on them are disconnected",
            )
            .help("keep a pool of regular machines beside it for work that cannot wait"),
        );
    }
}

pub(crate) fn affinity_without_state_share(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.shares.is_empty()) {
        out.push(
            found(
                format!("files of people on `{}` are on single machines", pool.block.name),
                pool.block.name_span,
                "lost with the machine",
            )
            .help("add a `share` with a `link` from the home folders, and name it in `shares`"),
        );
    }
}

/// The end of a size or an image that comes within so many days. What has come, or is restricted already, the compiler
/// tells.
fn ends_soon(look: &Look<'_, '_>, retirement: Option<Retirement<'_>>) -> Option<Date> {
    let retirement = retirement?;
    let told = retirement.restricted_by(look.as_of).is_some();
    retirement.retired().filter(|_| !told).and_then(|date| soon(look, date))
}

/// A day that comes within so many days.
fn soon(look: &Look<'_, '_>, date: Date) -> Option<Date> {
    let days = look.as_of.until(date).ok()?.get_days();
    (date > look.as_of && i64::from(days) <= look.options.number("days")).then_some(date)
}

pub(crate) fn retires_soon(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let size = |size: Size<'_>| {
        (
            size.name().to_owned(),
            ends_soon(look, size.retirement()),
            size.retirement().and_then(|r| r.successor(look.checked)),
        )
    };
    let image = |image: Image<'_>| {
        (
            image.name().to_owned(),
            ends_soon(look, image.retirement()),
            image.retirement().and_then(|r| r.successor(look.checked)),
        )
    };
    let mut all = Vec::new();
    for pool in look.pools() {
        all.extend(pool.sizes().map(|one| (pool.block, pool.view.fields().size().span(), size(one))));
        all.push((pool.block, pool.view.fields().image().span(), image(pool.image)));
    }
    for pool in look.batch() {
        all.extend(pool.sizes().map(|one| (pool.block, pool.view.fields().size().span(), size(one))));
        all.extend(pool.image.map(|one| (pool.block, pool.view.fields().image().span(), image(one))));
        all.extend(pool.image.and_then(|one| {
            let name = format!("the node agent of {}", one.name());
            let until = soon(look, one.0.node_agent_until()?)?;
            Some((pool.block, pool.view.fields().image().span(), (name, Some(until), None)))
        }));
    }
    for (block, span, (name, date, successor)) in all {
        let Some(date) = date else { continue };
        let help = successor.map_or_else(|| "choose a successor".to_owned(), |next| format!("change to `{next}`"));
        out.push(
            found(format!("{name} of `{}` ends on {date}", block.name), span, "cannot be deployed from then on")
                .help(help),
        );
    }
}

pub(crate) fn image_pinned(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let Some(version) = pool.image.pinned() else { continue };
        out.push(
            found(
                format!("`{}` stays at version {version} of its image", pool.block.name),
                pool.view.fields().image().span(),
                "gets no fixes",
            )
            .help("leave `version` out for the latest"),
        );
    }
}

pub(crate) fn image_latest(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.image.pinned().is_none()) {
        out.push(
            found(
                format!("machines of `{}` can have different versions of the image", pool.block.name),
                pool.view.fields().image().span(),
                "the latest at the time when each is made",
            )
            .help("declare an `image` with a `version`, and raise it on purpose"),
        );
    }
}
