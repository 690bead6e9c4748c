//! The interactive pool: derived defaults filled in, held against the rules that need more than one part of it.

use super::autoscale::{self, Autoscale};
use super::facts::{Image, Size};
use super::ids::{IdentityId, NetworkId, ShareId, SubnetId, SubnetPlace, VaultId};
use super::limits::{self, Limits};
use super::login::{self, Admin, User};
use super::services::{self, Service};
use super::share::Auth;
use super::sizes::{Fallback, Sizes};
use super::{Context, Machines, diags, hardware, network, read, scaling};
use crate::units::{Seconds, WholeGib, WholeMinutes, WholePercent, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::pool as rows;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::NetworkAcceleration;
use dsvm_sema::value::{BlockId, Value};

pub use super::scaling::UniformNeed;
pub use dsvm_sema::table::words::{
    Affinity, EphemeralPlace, HealthProtocol, HealthSource, OnEviction, OnFailure, Orchestration, RepairAction,
    ScaleIn, UpgradeMode,
};

/// A pool that people log in to: a scale set behind one address.
#[derive(Clone, Debug)]
pub struct Pool<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block, read field by field.
    pub view: View<'a, rows::Pool>,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// What the machines run.
    pub image: Image<'a>,
    /// The size of the machines: the one that is wanted most.
    pub size: Size<'a>,
    /// The sizes that take its place, in order.
    pub others: Vec<Size<'a>>,
    /// How they take its place.
    pub fallback: Fallback,
    /// How many machines it has.
    pub machines: Machines,
    /// Kind of scale set.
    pub orchestration: Orchestration,
    /// What makes the set Uniform, when nobody wrote which kind it is.
    pub uniform_for: Option<UniformNeed>,
    /// More than 100 machines may be needed: no single placement group (uniform).
    pub large: bool,
    /// The network that its machines are in.
    pub network: NetworkId,
    /// Its subnet in that network.
    pub subnet: SubnetId,
    /// The account that Azure makes on each machine.
    pub admin: Admin<'a>,
    /// Accounts that the first boot makes.
    pub users: Vec<User<'a>>,
    /// Shares that its machines mount.
    pub shares: Vec<ShareId>,
    /// Ports that it serves, and to whom.
    pub services: Vec<Service<'a>>,
    /// Reachable from the internet.
    pub public: bool,
    /// Whether users come back to the same machine.
    pub affinity: Affinity,
    /// How long the load balancer keeps silent connections.
    pub idle_timeout: WholeMinutes,
    /// Spot terms; `None` for regular machines.
    pub spot: Option<Spot<'a>>,
    /// Availability zones, each once; none: no zones.
    pub zones: Vec<i64>,
    /// Kind and size of the system disk.
    pub os_disk: OsDisk,
    /// Trusted Launch, with Secure Boot or without.
    pub trusted_launch: Option<bool>,
    /// Whether temporary disks and caches are encrypted too.
    pub encryption_at_host: bool,
    /// Whether network cards bypass the host.
    pub accelerated_networking: bool,
    /// The user-assigned identity of the machines.
    pub identity: PoolIdentity,
    /// Vault that machines read passwords and the host key from.
    pub vault: Option<VaultId>,
    /// Vault secret with the SSH host key of all machines.
    pub host_key: Option<&'a Value>,
    /// What each person can use of a machine.
    pub limits: Limits,
    /// SSH log-in with Entra accounts.
    pub entra_login: bool,
    /// What changes the number of machines.
    pub autoscale: Option<Autoscale<'a>>,
    /// How it is found out whether a machine is healthy.
    pub health: Health<'a>,
    /// Repairs of unhealthy machines: how, and how long a changed machine is left alone.
    pub repair: Option<(RepairAction, Seconds)>,
    /// How running machines get a changed model.
    pub upgrade: Upgrade,
    /// Notice before a machine is deleted.
    pub notice: Option<Seconds>,
    /// Which machine goes first when the pool shrinks.
    pub scale_in: ScaleIn,
    /// Console log of the boot.
    pub boot_diagnostics: bool,
    /// What else to do on a new machine.
    pub setup: Option<View<'a, rows::Setup>>,
}

/// Terms of spot machines.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    /// Most to pay for one machine; none: up to the regular price.
    pub max_price: Option<&'a Value>,
    /// What becomes of an evicted machine.
    pub on_eviction: OnEviction,
    /// How long Azure tries to bring evicted machines back.
    pub restore: Option<Seconds>,
    /// Regular machines among them, where some are.
    pub regular: Option<RegularShare>,
}

/// The regular machines of a pool of spot machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegularShare {
    /// The first machines, which are all regular.
    pub base: i64,
    /// Percent of the machines beyond those that are regular.
    pub above: i64,
}

impl RegularShare {
    /// How many of so many machines are regular. The fraction of a machine is a spot machine: of 41 machines with base 10
    /// and 50 %, 15 beyond the base are regular and 16 are not ("Spot Priority Mix", 2026-05-19).
    #[must_use]
    pub fn of(self, machines: i64) -> i64 {
        let base = machines.min(self.base);
        base + (machines - base).saturating_mul(self.above) / 100
    }
}

/// Where a machine's system disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OsDisk {
    /// A managed disk, with a size if written.
    Managed(ManagedDisk, Option<WholeGib>),
    /// On the host, at this place, with a size if written.
    Ephemeral(EphemeralPlace, Option<WholeGib>),
}

/// Kind of a managed disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedDisk {
    /// Premium SSD, for sizes that take premium storage.
    PremiumSsd,
    /// Standard SSD, also where premium storage is not offered.
    StandardSsd,
    /// Hard disk: the slowest and cheapest.
    StandardHdd,
}

/// Who the machines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolIdentity {
    /// Machines without a user-assigned identity.
    None,
    /// An identity of the pool's own.
    Own,
    /// A declared identity, by its position.
    Declared(IdentityId),
}

/// How health is found out.
#[derive(Clone, Debug)]
pub struct Health<'a> {
    /// Who asks the machines.
    pub source: HealthSource,
    /// Protocol, port and path; `None` for dsvmc's own check.
    pub custom: Option<(HealthProtocol, i64, Option<&'a str>)>,
    /// Time between two questions.
    pub interval: Seconds,
    /// Answers in a row that change the verdict.
    pub threshold: i64,
    /// Time that a new machine has.
    pub grace: Seconds,
}

/// How running machines change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Batch by batch, by hand, or all at once.
    pub mode: UpgradeMode,
    /// Machines changed at once.
    pub batch: WholePercent,
    /// Unhealthy machines before it stops.
    pub unhealthy: WholePercent,
    /// Rest between two batches.
    pub pause: Seconds,
    /// Follow new versions of the image.
    pub os_images: bool,
}

impl<'a> Pool<'a> {
    /// Reads and checks a pool; `None` when a part that everything hangs on was refused.
    pub(crate) fn read(cx: Context<'a, '_>, id: BlockId, view: View<'a, rows::Pool>, sink: &mut Sink) -> Option<Self> {
        let (block, fields) = (view.block(), view.fields());
        if block.class.as_deref() != Some("interactive") {
            return None;
        }
        let image = Image(cx.checked.view(view.image()?));
        let sizes = Sizes::read(cx, view.size()?)?;
        let size = sizes.first;
        let hardware = hardware::Hardware {
            image,
            size,
            image_at: fields.image().span(),
            size_at: fields.size().span(),
            setup: view.setup(),
        };
        hardware.check(cx, sink);
        sizes.check(fields.size().span(), true, sink);
        for other in &sizes.others {
            hardware::Hardware { size: *other, ..hardware }.check_alternative(cx, sink);
        }
        let machines = Machines::of(fields.machines())?;
        let wanted = view.subnet().map(|key| (key, fields.subnet().span()));
        let named = view.network().map(|network| (network.id, fields.network().span()));
        let place = find_subnet(cx, named, wanted, sink);
        let admin = login::admin(view, image.windows(), sink);
        let users = login::users(view, admin.as_ref(), sink);
        if let Some(name) = view.computer_name().filter(|name| !is_prefix(name)) {
            sink.push(diags::computer_name_refused(name, fields.computer_name().span()));
        }
        let prefix = host_name_prefix(&block.name);
        if view.computer_name().is_none() && prefix.len() < block.name.len() {
            sink.push(diags::host_names_cut(&prefix, block.name_span));
        }
        let services = services::read(view, sink);
        let affinity = view.affinity();
        services::check(view, &services, affinity, login::passwords(view, admin.as_ref(), &users), sink);
        login::check(view, admin.as_ref(), &users, &services, sink);
        let at = fields.shares().span();
        let written = view.shares().into_iter().flatten();
        let shares: Vec<ShareId> = written.filter_map(|share| cx.places.shares.of(share.id, at, sink)).collect();
        let setup = hardware::setup_time(view, sink);
        // A number of machines that contradicts itself says nothing about what moves it.
        let autoscale = match scaling::check_range(&machines, sink) {
            true => autoscale::read(cx, view, &machines, setup, sink),
            false => None,
        };
        let spot = hardware::spot(view, &sizes, autoscale.is_some(), sink);
        let health = hardware::health(view, setup, sink);
        let (orchestration, uniform_for, large) = scaling::orchestration(cx, view, &sizes, &machines, sink);
        let (os_disk, trusted_launch) = hardware::disk_and_boot(view, image, &sizes, sink);
        let vault = view.vault().and_then(|vault| cx.places.vaults.of(vault.id, fields.vault().span(), sink));
        let needs_identity = vault.is_some()
            || view.registries().into_iter().flatten().next().is_some()
            || shares
                .iter()
                .map(|share| &cx.shares[*share])
                .any(|s| matches!(s.auth, Auth::ManagedIdentity | Auth::KeyVault));
        let declared = view.identity();
        let declared = declared.and_then(|block| cx.places.identities.of(block.id, fields.identity().span(), sink));
        let identity = match declared {
            Some(identity) => PoolIdentity::Declared(identity),
            None if needs_identity => PoolIdentity::Own,
            None => PoolIdentity::None,
        };
        let fallback = match (sizes.others.is_empty(), sizes.unmixable(orchestration, os_disk)) {
            (true, _) => Fallback::None,
            (false, None) => Fallback::Mix,
            (false, Some(why)) => Fallback::Apply(why),
        };
        let (network, subnet) = place?;
        let pool = Self {
            id,
            view,
            block,
            image,
            size,
            fallback,
            orchestration,
            uniform_for,
            large,
            network,
            subnet,
            admin: admin?,
            users,
            shares,
            services,
            public: view.public(),
            affinity,
            idle_timeout: bounds::IDLE_TIMEOUT.hold(view.idle_timeout(), fields.idle_timeout(), sink),
            zones: zones(view, sink),
            os_disk,
            trusted_launch,
            encryption_at_host: view.encryption_at_host(),
            accelerated_networking: view
                .accelerated_networking()
                .unwrap_or_else(|| sizes.all().all(|size| size.accelerated_networking() != NetworkAcceleration::No)),
            identity,
            vault,
            host_key: read::present(fields.host_key()),
            limits: limits::read(view, sizes.smallest(), sink),
            entra_login: view.entra_login(),
            repair: hardware::repair(view, setup, sink),
            upgrade: hardware::upgrade(view, sink),
            notice: hardware::notice(view, spot.is_some(), sink),
            scale_in: view.scale_in(),
            boot_diagnostics: view.boot_diagnostics(),
            setup: view.setup(),
            machines,
            spot,
            autoscale,
            health,
            others: sizes.others,
        };
        hardware::check_pool(cx, &pool, sink);
        Some(pool)
    }

    /// Its sizes in order of preference.
    pub fn sizes(&self) -> impl Iterator<Item = Size<'a>> + Clone {
        std::iter::once(self.size).chain(self.others.iter().copied())
    }

    /// Its name with `-` for `_`.
    #[must_use]
    pub fn dashed(&self) -> String {
        read::dashed(&self.block.name)
    }

    /// Whether it serves a port.
    #[must_use]
    pub fn serves(&self, port: u16) -> bool {
        self.services.iter().any(|s| s.port == port)
    }
}

/// The network of a pool, the generated one when it names none, and the subnet of that name, the first one without a
/// name. Nothing after an internal error only.
pub(crate) fn find_subnet(
    cx: Context<'_, '_>,
    network: Option<(BlockId, Span)>,
    subnet: Option<(&str, Span)>,
    sink: &mut Sink,
) -> Option<SubnetPlace> {
    let at_network = network.map(|(_, at)| at);
    let network = match network {
        Some((block, at)) => cx.places.networks.of(block, at, sink)?,
        None => cx.places.generated,
    };
    let subnets = &cx.networks[network].subnets;
    let first = subnets.first_key()?;
    let mut reserved = |id, at: Option<Span>| {
        let subnet: &network::Subnet<'_> = &subnets[id];
        if let Value::String(name) = &subnet.name
            && let Some(service) = network::kept_for(name)
            && let Some(at) = at.or(subnet.span)
        {
            sink.push(diags::subnet_reserved(name, service, at, subnet.span));
        }
    };
    let Some((key, span)) = subnet else {
        reserved(first, at_network);
        return Some((network, first));
    };
    let found = subnets.position(|subnet| subnet.key == key);
    if let Some(found) = found {
        reserved(found, Some(span));
    }
    if found.is_none() {
        let known: Vec<&str> = subnets.iter().map(|subnet| subnet.key).collect();
        sink.push(diags::unknown_subnet(key, span, &known));
    }
    Some((network, found.unwrap_or(first)))
}

/// What host names begin with when `computer_name` is not written: the pool's name, at most 15 characters of it, as the API
/// says (see `is_prefix`).
#[must_use]
pub fn host_name_prefix(name: &str) -> String {
    let clean: String =
        read::dashed(name).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(15).collect();
    let clean = clean.trim_matches('-');
    if clean.is_empty() { "machine".into() } else { clean.to_owned() }
}

/// Whether Azure takes a prefix of host names as it is:
/// <https://learn.microsoft.com/azure/templates/microsoft.compute/virtualmachinescalesets#virtualmachinescalesetosprofile>.
fn is_prefix(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.starts_with('-')
}

fn zones(pool: View<'_, rows::Pool>, sink: &mut Sink) -> Vec<i64> {
    let mut zones: Vec<i64> = Vec::new();
    for zone in pool.zones().into_iter().flatten() {
        match zones.contains(&zone) {
            true => sink.push(diags::zone_twice(zone, pool.fields().zones().span())),
            false => zones.push(zone),
        }
    }
    zones
}
