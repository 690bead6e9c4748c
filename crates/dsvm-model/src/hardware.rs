//! Rules between image, size, disks, boot, spot, health and upgrades.

use super::facts::{Image, Known, Size};
use super::network::{Outbound, overlap};
use super::pool::{
    EphemeralPlace, Health, HealthProtocol, HealthSource, ManagedDisk, OnEviction, OnFailure, Orchestration, OsDisk,
    Pool, RegularShare, RepairAction, Spot, Upgrade, UpgradeMode,
};
use super::services::JUPYTERHUB;
use super::share::{Auth, Protocol};
use super::sizes::Sizes;
use super::support::Access;
use super::{Context, diags, read};
use crate::units::{GIB, HOUR, MINUTE, Seconds, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::choices::Location;
use dsvm_sema::table::schema::{FieldRef, View};
use dsvm_sema::table::types::FieldValue as _;
use dsvm_sema::table::words::{GpuVendor, ImageState, JupyterhubAuth, OsDiskKind, Priority, Security, ServiceName};
use dsvm_sema::table::{facts, pool as rows, project};
use dsvm_sema::value::Value;

/// Whether an image of the project can be found.
pub(crate) fn check_source(image: View<'_, facts::Image>, sink: &mut Sink) {
    const IDS: [&str; 3] = ["/subscriptions/", "/sharedgalleries/", "/communitygalleries/"];
    let (block, fields) = (image.block(), image.fields());
    let market = [fields.publisher(), fields.offer(), fields.sku()].iter().filter(|field| field.written()).count();
    let id = read::present(fields.id());
    let why = match (market, id) {
        (0, None) => Some("neither in the Marketplace nor in a gallery"),
        (1 | 2, None) => Some("`publisher`, `offer` and `sku` go together"),
        (1.., Some(_)) => Some("both in the Marketplace and in a gallery"),
        _ => None,
    };
    if let Some(why) = why {
        sink.push(diags::image_without_source(&block.name, why, block.name_span));
    } else if let Some(Value::String(id)) = id
        && !IDS.iter().any(|start| id.to_ascii_lowercase().starts_with(start))
    {
        sink.push(diags::image_is_no_id(&block.name, fields.id().span()));
    }
}

/// What a pool's machines are made of: image and size, and where both were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hardware<'a> {
    pub(crate) image: Image<'a>,
    pub(crate) image_at: Span,
    pub(crate) size: Size<'a>,
    pub(crate) size_at: Span,
    pub(crate) setup: Option<View<'a, rows::Setup>>,
}

impl Hardware<'_> {
    /// Checks the image against the size, and both against the calendar.
    pub(crate) fn check(self, cx: Context<'_, '_>, sink: &mut Sink) {
        let Self { image, image_at, size, .. } = self;
        let image_end = image.retirement();
        let successor = image_end.and_then(|r| r.successor(cx.checked));
        let retired = image_end.and_then(|r| r.retired_by(cx.as_of));
        if image.state() == ImageState::Gone || retired.is_some() {
            sink.push(diags::image_is_gone(image.name(), image_at, retired, successor));
            return;
        } else if image.state() == ImageState::Deprecated {
            sink.push(diags::image_is_ageing(image.name(), image_at, successor));
        }
        if self.ended(cx, sink) {
            return;
        }
        if let Some((version, until)) = image.pinned().zip(image.version_kept_until())
            && until < cx.as_of
        {
            sink.push(diags::image_version_expired(image.name(), version, until, image_at));
        }
        if image.windows() {
            sink.push(diags::windows_pool(image.name(), image_at));
            return;
        }
        self.check_boot(sink);
        if size.has_gpu() {
            self.check_gpu(sink);
        }
    }

    /// Checks another size with the image, of which everything else was said with the first.
    pub(crate) fn check_alternative(self, cx: Context<'_, '_>, sink: &mut Sink) {
        let retired = self.image.retirement().and_then(|end| end.retired_by(cx.as_of));
        let unusable = self.image.state() == ImageState::Gone || retired.is_some() || self.image.windows();
        if unusable || self.ended(cx, sink) {
            return;
        }
        self.check_boot(sink);
        if self.size.has_gpu() {
            self.check_gpu(sink);
        }
    }

    /// Whether the size can no longer be deployed; its announced end is reported too.
    fn ended(self, cx: Context<'_, '_>, sink: &mut Sink) -> bool {
        let Self { size, size_at, .. } = self;
        let Some(end) = size.retirement() else { return false };
        let successor = end.successor(cx.checked);
        if let Some(date) = end.retired_by(cx.as_of) {
            sink.push(diags::size_is_retired(size.name(), size_at, date, successor));
            return true;
        }
        if let Some(date) = end.restricted_by(cx.as_of) {
            sink.push(diags::size_is_restricted(size.name(), size_at, date, end.retired(), successor));
        }
        false
    }

    /// Whether the size starts the image.
    fn check_boot(self, sink: &mut Sink) {
        let Self { image, image_at, size, size_at, .. } = self;
        if image.architecture() != size.architecture() {
            sink.push(diags::architecture_mismatch(image, size, image_at, size_at));
        } else if let Some(generation) = image.generation()
            && !size.generations().is_empty()
            && !size.generations().contains(&generation)
        {
            sink.push(diags::generation_mismatch(image, generation, size, image_at, size_at));
        }
        if size.nvme_only() {
            match image.nvme() {
                Known::Yes => {}
                Known::No => sink.push(diags::image_without_nvme(image, size, image_at, size_at)),
                Known::Unknown => sink.push(diags::image_perhaps_without_nvme(image, size, image_at, size_at)),
            }
        }
    }

    fn check_gpu(self, sink: &mut Sink) {
        let Self { image, image_at, size, size_at, setup } = self;
        if size.visualization() && image.is_dsvm() {
            sink.push(diags::visualization_size(image, size, size_at, image_at));
            return;
        }
        let vendor = size.gpu_vendor().unwrap_or(GpuVendor::Nvidia);
        if !image.has_driver(vendor) {
            sink.push(diags::gpu_without_driver(image, size, vendor.word(), image_at, size_at));
            return;
        }
        let names_it = |text: &str| text.contains("fabricmanager");
        let installs = setup.is_some_and(|setup| {
            setup.packages().into_iter().flatten().any(names_it)
                || setup.steps().any(|step| step.run().and_then(|run| run.known()).is_some_and(names_it))
        });
        if size.nvswitch() && image.is_dsvm() && !installs {
            sink.push(diags::nvswitch_without_fabric_manager(image, size, size_at));
        }
    }
}

/// Terms of spot machines.
pub(crate) fn spot<'a>(
    pool: View<'a, rows::Pool>,
    sizes: &Sizes<'_>,
    autoscaled: bool,
    sink: &mut Sink,
) -> Option<Spot<'a>> {
    let terms = pool.spot();
    match pool.priority() {
        Priority::Spot => {}
        Priority::Regular => {
            if let Some(terms) = terms {
                sink.push(diags::spot_terms_of_regular(terms.block().span, pool.block()));
            }
            return None;
        }
    }
    let fields = pool.fields();
    for size in sizes.all().filter(|size| size.spot() == Known::No) {
        sink.push(diags::spot_not_offered(size.name(), fields.priority().span(), fields.size().span()));
    }
    let Some(terms) = terms else {
        return Some(Spot { max_price: None, on_eviction: OnEviction::Delete, restore: None, regular: None });
    };
    let fields = terms.fields();
    let on_eviction = terms.on_eviction();
    if autoscaled && on_eviction == OnEviction::Deallocate {
        sink.push(diags::deallocate_under_autoscale(fields.on_eviction().span()));
    }
    let restore = terms.restore().and_then(|time| bounds::RESTORE.check(time, fields.restore(), sink));
    if autoscaled && restore.is_some() {
        sink.push(diags::restore_under_autoscale(fields.restore().span()));
    }
    let max_price = read::present(fields.max_price());
    if let Some(Value::Money(money)) = max_price {
        let span = fields.max_price().span();
        if money.currency.as_ref() != "USD" || money.per_seconds != Some(HOUR) || money.amount <= 0.into() {
            sink.push(diags::max_price_not_per_hour(span));
        }
    }
    Some(Spot { max_price, on_eviction, restore, regular: regular(terms, sink) })
}

/// The regular machines among spot machines.
fn regular(terms: View<'_, rows::Spot>, sink: &mut Sink) -> Option<RegularShare> {
    let fields = terms.fields();
    if terms.base().is_none() && terms.regular_above().is_none() {
        return None;
    }
    let above = terms.regular_above().and_then(|part| bounds::REGULAR_SHARE.check(part, fields.regular_above(), sink));
    let share = RegularShare { base: terms.base().unwrap_or(0), above: above.map_or(0, |part| part.get()) };
    if share.above == 100 {
        sink.push(diags::no_spot_left(fields.regular_above().span()));
    }
    Some(share)
}

/// System disk and Trusted Launch: `Some(secure boot)`.
pub(crate) fn disk_and_boot(
    pool: View<'_, rows::Pool>,
    image: Image<'_>,
    sizes: &Sizes<'_>,
    sink: &mut Sink,
) -> (OsDisk, Option<bool>) {
    let mut disk = os_disk(pool, image, sizes.first, sink);
    for other in &sizes.others {
        disk = disk_of_alternative(pool, (image, disk), (sizes.first, *other), sink);
    }
    (disk, trusted_launch(pool, image, sizes, sink))
}

/// The system disk that another size has too: one model is for all of them.
fn disk_of_alternative(
    pool: View<'_, rows::Pool>,
    (image, disk): (Image<'_>, OsDisk),
    (first, size): (Size<'_>, Size<'_>),
    sink: &mut Sink,
) -> OsDisk {
    let fields = pool.fields();
    let span = fields.os_disk().span();
    match (disk, size.ephemeral()) {
        (OsDisk::Ephemeral(..), None) => {
            sink.push(diags::ephemeral_disk_impossible(size.name(), span, fields.size().span()));
        }
        (OsDisk::Ephemeral(place, wanted), Some((other, space))) => {
            if place != other {
                let shown =
                    |place: EphemeralPlace| format!("its ephemeral OS disk on the {}", place.word().replace('_', " "));
                let pair = (shown(other), shown(place));
                sink.push(diags::sizes_differ(first.name(), size.name(), (&pair.0, &pair.1), fields.size().span()));
            }
            if let (Some(space), Some(need)) = (space, wanted.map(|size| size.get() * GIB).or(image.os_disk()))
                && need > space
            {
                sink.push(diags::ephemeral_disk_too_small(size.name(), space, need, span));
            }
        }
        (OsDisk::Managed(ManagedDisk::PremiumSsd, wanted), _) if !size.premium() => {
            if fields.os_disk().written() {
                sink.push(diags::premium_disk_impossible(size.name(), span));
            }
            return OsDisk::Managed(ManagedDisk::StandardSsd, wanted);
        }
        (OsDisk::Managed(..), _) => {}
    }
    disk
}

fn os_disk(pool: View<'_, rows::Pool>, image: Image<'_>, size: Size<'_>, sink: &mut Sink) -> OsDisk {
    let fields = pool.fields();
    let span = fields.os_disk().span();
    let wanted = match (pool.os_disk_size(), image.os_disk()) {
        (Some(bytes), Some(least)) if bytes < least => {
            sink.push(diags::os_disk_below_image(bytes, least, fields.os_disk_size().span(), image.name()));
            None
        }
        (bytes, _) => bytes.and_then(|bytes| bounds::OS_DISK.check(bytes, fields.os_disk_size(), sink)),
    };
    match pool.os_disk() {
        OsDiskKind::Ephemeral => match size.ephemeral() {
            None => {
                sink.push(diags::ephemeral_disk_impossible(size.name(), span, fields.size().span()));
                OsDisk::Managed(ManagedDisk::PremiumSsd, wanted)
            }
            Some((placement, space)) => {
                if let (Some(space), Some(need)) = (space, wanted.map(|size| size.get() * GIB).or(image.os_disk()))
                    && need > space
                {
                    sink.push(diags::ephemeral_disk_too_small(size.name(), space, need, span));
                }
                OsDisk::Ephemeral(placement, wanted)
            }
        },
        OsDiskKind::StandardSsd => OsDisk::Managed(ManagedDisk::StandardSsd, wanted),
        OsDiskKind::StandardHdd => OsDisk::Managed(ManagedDisk::StandardHdd, wanted),
        OsDiskKind::PremiumSsd if size.premium() => OsDisk::Managed(ManagedDisk::PremiumSsd, wanted),
        OsDiskKind::PremiumSsd => {
            if fields.os_disk().written() {
                sink.push(diags::premium_disk_impossible(size.name(), span));
            }
            OsDisk::Managed(ManagedDisk::StandardSsd, wanted)
        }
    }
}

fn trusted_launch(pool: View<'_, rows::Pool>, image: Image<'_>, sizes: &Sizes<'_>, sink: &mut Sink) -> Option<bool> {
    let fields = pool.fields();
    // The size that it fails on, if any: one model is for all of them.
    let size = sizes.all().find(|size| !size.trusted_launch()).unwrap_or(sizes.first);
    let possible = image.generation() == Some(2) && size.trusted_launch() && image.trusted_launch() != Known::No;
    let launch = match pool.security() {
        Some(Security::Standard) => false,
        Some(Security::TrustedLaunch) => {
            if !possible {
                sink.push(diags::trusted_launch_impossible(image, size, fields.security().span()));
            } else if image.trusted_launch() == Known::Unknown {
                sink.push(diags::trusted_launch_unknown(image.name(), fields.security().span(), fields.image().span()));
            }
            true
        }
        // Azure rejects it for an image whose definition does not declare it: what is not known is not tried.
        None => possible && image.trusted_launch() == Known::Yes,
    };
    let secure_boot = pool.secure_boot().unwrap_or(!size.has_gpu());
    let span = fields.secure_boot().span();
    if !launch && fields.secure_boot().written() && secure_boot {
        sink.push(diags::secure_boot_without_launch(span));
    }
    if launch && secure_boot && size.has_gpu() {
        sink.push(diags::secure_boot_with_gpu(size.name(), span));
    }
    launch.then_some(secure_boot)
}

/// The most seconds that the health extension takes for a verdict, interval times probes: "Probe settle time
/// (intervalInSeconds * numberOfProbes) cannot exceed 240 seconds"
/// (<https://github.com/Azure/applicationhealth-extension-linux/blob/master/main/handlersettings.go>).
const LONGEST_VERDICT: i64 = 4 * MINUTE;

/// How health is found out.
pub(crate) fn health<'a>(pool: View<'a, rows::Pool>, setup: Option<SetupTime>, sink: &mut Sink) -> Health<'a> {
    let Some(health) = pool.health() else {
        let interval = bounds::HEALTH_INTERVAL.nearest(30);
        let grace = grace(None, setup, sink);
        return Health { source: HealthSource::Extension, custom: None, interval, threshold: 3, grace };
    };
    let fields = health.fields();
    let path = health.path();
    let custom = match (health.protocol(), health.port()) {
        (Some(protocol), Some(port)) => {
            match protocol {
                HealthProtocol::Tcp if path.is_some() => {
                    sink.push(diags::tcp_health_with_path(fields.path().span()));
                }
                HealthProtocol::Http | HealthProtocol::Https if path.is_none() => {
                    sink.push(diags::http_health_without_path(fields.protocol().span()));
                }
                HealthProtocol::Tcp | HealthProtocol::Http | HealthProtocol::Https => {}
            }
            Some((protocol, port, path))
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            sink.push(diags::half_a_health_check(health.block().span));
            None
        }
    };
    let written = health.grace().and_then(|time| bounds::HEALTH_GRACE.check(time, fields.grace(), sink));
    let (source, threshold) = (health.source(), health.threshold());
    let interval = bounds::HEALTH_INTERVAL.hold(health.interval(), fields.interval(), sink);
    if source == HealthSource::Extension && interval.get() * threshold > LONGEST_VERDICT {
        let at = if fields.threshold().written() { fields.threshold().span() } else { fields.interval().span() };
        sink.push(diags::health_too_slow(interval, threshold, LONGEST_VERDICT, at));
    }
    Health {
        source,
        custom,
        interval,
        threshold,
        grace: grace(written.map(|time| (time, fields.grace().span())), setup, sink),
    }
}

/// How long the setup of a new machine takes, where it is written.
pub(crate) fn setup_time(pool: View<'_, rows::Pool>, sink: &mut Sink) -> Option<SetupTime> {
    let setup = pool.setup()?;
    let field = setup.fields().takes();
    let takes = bounds::SETUP.check(setup.takes()?, field, sink)?;
    Some(SetupTime { takes, span: field.span() })
}

/// What a new machine needs before it can work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetupTime {
    pub(crate) takes: Seconds,
    pub(crate) span: Span,
}

/// The time that a new machine is left alone: as written, not below the time of its setup; 30 minutes when left out,
/// or longer when the setup takes longer.
fn grace(written: Option<(Seconds, Span)>, setup: Option<SetupTime>, sink: &mut Sink) -> Seconds {
    match (written, setup) {
        (Some((grace, span)), Some(setup)) => {
            if grace < setup.takes {
                sink.push(diags::grace_below_setup(grace, span, setup));
            }
            grace
        }
        (Some((grace, _)), None) => grace,
        (None, setup) => {
            let usual = bounds::REPAIR_GRACE.nearest(30 * MINUTE);
            setup.map_or(usual, |setup| setup.takes.max(usual))
        }
    }
}

/// Repairs: action and grace. Azure's own default is to replace; a restart cures a hung machine as well and keeps what people
/// left on its disks
/// (<https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-automatic-instance-repairs>).
pub(crate) fn repair(
    pool: View<'_, rows::Pool>,
    setup: Option<SetupTime>,
    sink: &mut Sink,
) -> Option<(RepairAction, Seconds)> {
    let replaces = pool.setup().filter(|setup| setup.on_failure() == OnFailure::Replace);
    let usual = if replaces.is_some() { RepairAction::Replace } else { RepairAction::Restart };
    let Some(repair) = pool.repair() else {
        return Some((usual, grace(None, setup, sink)));
    };
    if !repair.enabled() {
        if let Some(setup) = replaces {
            sink.push(diags::nothing_replaces(setup.fields().on_failure().span(), repair.fields().enabled().span()));
        }
        return None;
    }
    let action = repair.action().unwrap_or(usual);
    if let (RepairAction::Restart, Some(setup)) = (action, replaces) {
        sink.push(diags::restart_repeats_nothing(setup.fields().on_failure().span(), repair.fields().action().span()));
    }
    let field = repair.fields().grace();
    let written = repair.grace().and_then(|time| bounds::REPAIR_GRACE.check(time, field, sink));
    Some((action, grace(written.map(|time| (time, field.span())), setup, sink)))
}

/// How running machines change; rolling when nothing is written.
pub(crate) fn upgrade(pool: View<'_, rows::Pool>, sink: &mut Sink) -> Upgrade {
    let Some(upgrade) = pool.upgrade() else {
        let share = bounds::UPGRADE_SHARE.nearest(20);
        let pause = bounds::PAUSE.nearest(5 * MINUTE);
        return Upgrade { mode: UpgradeMode::Rolling, batch: share, unhealthy: share, pause, os_images: false };
    };
    let fields = upgrade.fields();
    Upgrade {
        mode: upgrade.mode(),
        batch: bounds::UPGRADE_SHARE.hold(upgrade.batch(), fields.batch(), sink),
        unhealthy: bounds::UPGRADE_SHARE.hold(upgrade.unhealthy(), fields.unhealthy(), sink),
        pause: bounds::PAUSE.hold(upgrade.pause(), fields.pause(), sink),
        os_images: upgrade.os_images(),
    }
}

/// Notice before a machine is deleted.
pub(crate) fn notice(pool: View<'_, rows::Pool>, spot: bool, sink: &mut Sink) -> Option<Seconds> {
    let field = pool.fields().notice();
    let written = pool.notice().and_then(|time| bounds::NOTICE.check(time, field, sink));
    if spot {
        if written.is_some() {
            sink.push(diags::notice_on_spot(field.span()));
        }
        return None;
    }
    Some(written.unwrap_or_else(|| bounds::NOTICE.nearest(10 * MINUTE)))
}

/// Rules that need the whole pool.
pub(crate) fn check_pool(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    check_zones(cx, pool, sink);
    check_region(cx, pool, sink);
    check_shares(cx, pool, sink);
    check_os_images(pool, sink);
    let network = &cx.networks[pool.network];
    let fields = pool.view.fields();
    if pool.orchestration == Orchestration::Uniform
        && let Some(terms) = pool.view.spot()
        && pool.spot.as_ref().is_some_and(|spot| spot.regular.is_some())
    {
        let at = if terms.fields().base().written() { terms.fields().base() } else { terms.fields().regular_above() };
        let why = pool.uniform_for.map_or(fields.orchestration().span(), |need| need.span);
        sink.push(diags::regular_share_of_uniform(at.span(), why));
    }
    if let (Some(spot), None, false) = (&pool.spot, &pool.autoscale, pool.machines.ranged)
        && spot.restore.is_none()
    {
        sink.push(diags::spot_not_restored(fields.priority().span(), pool.machines.span));
    }
    if let Some(docker) = pool.image.docker_bridge()
        && let Some(range) = network.address.iter().find(|n| overlap(n, &docker)).filter(|_| network.existing.is_none())
    {
        let span = network.view.map_or(fields.network().span(), |network| network.fields().address().span());
        sink.push(diags::network_meets_docker(range, &docker, span, fields.image().span(), pool.image.name()));
    }
    let downloads = downloads(cx, pool);
    if network.outbound == Outbound::None
        && let Some(why) = downloads
    {
        let span = network.view.map_or(fields.network().span(), |network| network.fields().outbound().span());
        sink.push(diags::no_way_out(span, pool.block.name_span, why));
    }
    if network.outbound == Outbound::LoadBalancer && !pool.public {
        sink.push(diags::no_public_balancer(fields.public().span(), network.span().unwrap_or(pool.block.name_span)));
    }
    if pool.serves(JUPYTERHUB) && !pool.image.serves(ServiceName::Jupyterhub) && pool.setup.is_none() {
        sink.push(diags::image_without_jupyterhub(pool.image.name(), fields.serve().span(), fields.image().span()));
    }
}

/// Azure upgrades the system of running machines by itself only from an image whose newest version it may take, and
/// only from platform images on its list ("Automatic OS image upgrades", 2026-05-19).
fn check_os_images(pool: &Pool<'_>, sink: &mut Sink) {
    let Some(upgrade) = pool.view.upgrade().filter(|_| pool.upgrade.os_images) else { return };
    let (at, image_at) = (upgrade.fields().os_images().span(), pool.view.fields().image().span());
    let image = pool.image;
    if let Some(version) = image.pinned() {
        sink.push(diags::os_images_of_pinned(image.name(), version, at, image_at));
    } else if image.id().is_none() && image.state() != ImageState::Gone {
        match image.os_upgrades() {
            Known::Yes => {}
            Known::No => sink.push(diags::os_images_unsupported(image.name(), at, image_at)),
            Known::Unknown => sink.push(diags::os_images_unlisted(image.name(), at, image_at)),
        }
    }
}

/// Why a machine needs the internet when it starts.
fn downloads(cx: Context<'_, '_>, pool: &Pool<'_>) -> Option<&'static str> {
    let mut shares = pool.shares.iter().map(|share| &cx.shares[*share]);
    if shares.any(|s| matches!((s.protocol, s.auth), (Protocol::Nfs, _) | (_, Auth::ManagedIdentity))) {
        Some("the mount helper of its shares is downloaded when a machine starts")
    } else if pool.entra_login {
        Some("log-in with Entra accounts asks login.microsoftonline.com")
    } else if pool.setup.and_then(|setup| setup.packages()).is_some_and(|packages| !packages.values().is_empty()) {
        Some("its setup installs packages")
    } else {
        None
    }
}

/// Where something is: at its own region, else at that of the project.
fn location<'a>(cx: Context<'a, '_>, own: Option<FieldRef<'a>>) -> Option<Location<'a>> {
    let project =
        || View::<project::Project>::new(&cx.checked[cx.checked.project?]).map(|view| view.fields().location());
    Location::read(own.and_then(read::present).or_else(|| read::present(project()?))?)
}

/// Machines are where their network is.
fn check_region(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let network = &cx.networks[pool.network];
    let name = |location: Location<'_>| match location {
        Location::Region(region) => cx.checked.view(region).block().name.to_string(),
        Location::Name(text) => text.replace(' ', "").to_lowercase(),
    };
    let (own, of_network) = (pool.view.fields().location(), network.view.map(|view| view.fields().location()));
    let here = location(cx, Some(own)).map(name);
    // Where somebody else's network is, only its block can tell.
    let silent = network.existing.is_some() && of_network.and_then(read::present).is_none();
    let there = location(cx, of_network).map(name);
    let (Some(here), Some(there)) = (here, there) else { return };
    if here != there && !silent {
        let written = if read::present(own).is_some() { own } else { pool.view.fields().network() };
        sink.push(diags::pool_in_other_region(&here, &there, written.span(), network.span()));
    }
}

fn check_zones(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let fields = pool.view.fields();
    let Some(Location::Region(region)) = location(cx, Some(fields.location())) else { return };
    let region = cx.checked.view(region);
    if !pool.zones.is_empty() && region.zones() == Known::No {
        sink.push(diags::region_without_zones(&region.block().name, fields.zones().span()));
    }
}

fn check_shares(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let fields = pool.view.fields();
    let span = fields.shares().span();
    let shares: Vec<_> = pool.shares.iter().map(|share| &cx.shares[*share]).collect();
    for (index, share) in shares.iter().enumerate() {
        if share.auth == Auth::AccountKey {
            sink.push(super::batch::diags::key_in_interactive_pool(
                &share.block.name,
                span,
                share.view.fields().auth().span(),
            ));
        }
        for other in shares.iter().take(index) {
            let inside = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            if share.id == other.id {
                sink.push(diags::share_twice(&share.block.name, span));
            } else if inside(share.mount, other.mount) || inside(other.mount, share.mount) {
                sink.push(diags::mounts_overlap(
                    span,
                    share.mount,
                    share.view.fields().mount().span(),
                    other.mount,
                    other.view.fields().mount().span(),
                ));
            }
        }
        let network = &cx.networks[pool.network];
        if share.access == Access::ServiceEndpoint && share.existing.is_none() && network.existing.is_some() {
            sink.push(diags::subnet_endpoint_needed(&share.block.name, span, network.span(), fields.network().span()));
        }
        for (name, at) in accounts(pool) {
            let below = share.mount.strip_prefix("/home/").and_then(|rest| rest.strip_prefix(name));
            if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                sink.push(diags::mount_hides_home(share.mount, share.view.fields().mount().span(), name, at));
            }
        }
        if share.auth == Auth::ManagedIdentity {
            // An image that was withdrawn has been reported already.
            if pool.image.ubuntu().is_none() && pool.image.state() != ImageState::Gone {
                sink.push(diags::mount_by_identity_impossible(
                    pool.image.name(),
                    &share.block.name,
                    span,
                    fields.image().span(),
                ));
            }
            if pool.view.jupyterhub_auth() == JupyterhubAuth::Domain {
                sink.push(diags::mount_by_identity_in_domain(&share.block.name, span, fields.jupyterhub_auth().span()));
            }
        }
    }
}

/// The accounts of a pool that have a home folder, and where they were written.
fn accounts<'a>(pool: &'a Pool<'_>) -> impl Iterator<Item = (&'a str, Span)> {
    let admin = read::as_text(&pool.admin.name).map(|name| (name, pool.admin.view.fields().name().span()));
    admin.into_iter().chain(pool.users.iter().map(|user| (user.name, user.view.block().name_span)))
}
