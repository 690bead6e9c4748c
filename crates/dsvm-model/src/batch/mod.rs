//! Batch pools: what runs jobs, on Azure Batch or as a cluster of Azure Machine Learning, held against both services' rules.

pub(crate) mod diags;
pub mod job;
mod login;
mod rules;
pub mod scale;
pub mod support;
pub mod target;

use super::facts::{Image, Size};
use super::ids::{ShareId, SubnetPlace};
use super::share::{Auth, Protocol};
use super::sizes::Sizes;
use super::{Context, hardware, pool, read};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::words::{BatchService, Priority};
use dsvm_sema::table::{View, batch as rows};
use dsvm_sema::value::BlockId;
use scale::Scale;
use support::{BatchAccount, Container, Workspace};

/// Who runs the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A pool of an Azure Batch account.
    AzureBatch,
    /// A compute cluster of Azure Machine Learning.
    AzureMl,
}

impl Service {
    /// As `service = …` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AzureBatch => BatchService::AzureBatch.word(),
            Self::AzureMl => BatchService::AzureMl.word(),
        }
    }
}

/// A pool that runs jobs, after all rules.
#[derive(Clone, Debug)]
pub struct BatchPool<'a> {
    /// Position of its block in the program.
    pub id: BlockId,
    /// The pool as written.
    pub view: View<'a, rows::BatchPool>,
    /// The block of the pool.
    pub block: &'a Block,
    /// Who runs the jobs.
    pub service: Service,
    /// Its name in Azure, constant.
    pub name: String,
    /// Position of its account or workspace in the fleet; none: the generated one.
    pub home: Option<usize>,
    /// What the machines run (Azure Batch).
    pub image: Option<Image<'a>>,
    /// Size of its machines: the one that is wanted most.
    pub size: Size<'a>,
    /// The sizes that take its place, in order, when the service refuses it.
    pub others: Vec<Size<'a>>,
    /// Machines are spot machines.
    pub spot: bool,
    /// How many, and what changes it.
    pub scale: Scale,
    /// Shares that its machines mount.
    pub shares: Vec<ShareId>,
    /// Positions of its containers.
    pub containers: Vec<usize>,
    /// Network and subnet of its machines, if any.
    pub network: Option<SubnetPlace>,
    /// Whether the SSH port of each machine is open to the internet (Azure Machine Learning).
    pub open_ssh: bool,
    /// Whether it needs an identity of its own, or which declared one it has.
    pub identity: pool::PoolIdentity,
    /// Tasks at a time on one machine.
    pub task_slots: i64,
    /// Most machines, where known.
    pub most: Option<i64>,
}

impl<'a> BatchPool<'a> {
    pub(crate) fn read(
        cx: Context<'a, '_>,
        support: &BatchSupport<'a>,
        id: BlockId,
        view: View<'a, rows::BatchPool>,
        sink: &mut Sink,
    ) -> Option<Self> {
        let (block, fields) = (view.block(), view.fields());
        let service = match view.service()? {
            BatchService::AzureBatch => Service::AzureBatch,
            BatchService::AzureMl => Service::AzureMl,
            BatchService::BatchAi => {
                sink.push(diags::batch_ai_ended(fields.service().span()));
                return None;
            }
        };
        rules::fields_of_service(view, service, sink);
        let Sizes { first: size, others } = Sizes::read(cx, view.size()?)?;
        let image = view.image().map(|image| Image(cx.checked.view(image)));
        let at_shares = fields.shares().span();
        let shares: Vec<ShareId> = view
            .shares()
            .into_iter()
            .flatten()
            .filter_map(|share| cx.places.shares.of(share, at_shares, sink))
            .collect();
        let containers: Vec<usize> = view
            .containers()
            .into_iter()
            .flatten()
            .filter_map(|container| support.containers.iter().position(|c| c.id == container.id))
            .collect();
        let own_storage = shares.iter().any(|share| cx.shares[*share].existing.is_none())
            || containers.iter().any(|c| support.containers.get(*c).is_some_and(|c| c.existing.is_none()));
        let named = view.network().map(|network| (network.id, fields.network().span()));
        let network = match named.is_some() || own_storage {
            true => {
                let subnet = view.subnet().map(|key| (key, fields.subnet().span()));
                Some(pool::find_subnet(cx, named, subnet, sink)?)
            }
            false => None,
        };
        let registry = view.docker().is_some_and(|docker| docker.registry().is_some())
            || view.registries().into_iter().flatten().next().is_some();
        let declared = view.identity();
        let declared = declared.and_then(|id| cx.places.identities.of(id, fields.identity().span(), sink));
        let identity = match declared {
            Some(identity) => pool::PoolIdentity::Declared(identity),
            // Both services pull images and read blobs as the identity of the machines.
            None if registry || !containers.is_empty() => pool::PoolIdentity::Own,
            None => pool::PoolIdentity::None,
        };
        let home = match service {
            Service::AzureBatch => {
                view.account().and_then(|account| support.accounts.iter().position(|a| a.id == account.id))
            }
            Service::AzureMl => {
                view.workspace().and_then(|workspace| support.workspaces.iter().position(|w| w.id == workspace.id))
            }
        };
        let spot = match view.priority() {
            Priority::Spot => true,
            Priority::Regular => false,
        };
        let task_slots = view.task_slots();
        let scale = Scale::read(view, service, spot, task_slots, sink)?;
        let most = scale.most();
        let pool = Self {
            id,
            view,
            block,
            service,
            name: view.name().map_or_else(|| read::dashed(&block.name), str::to_owned),
            home,
            image,
            size,
            others,
            spot,
            scale,
            shares,
            containers,
            network,
            open_ssh: service == Service::AzureMl && login::check(view, network.is_some(), sink),
            identity,
            task_slots,
            most,
        };
        if let Some(image) = pool.image.filter(|_| service == Service::AzureBatch) {
            if image.windows() {
                sink.push(diags::windows_image(image.name(), fields.image().span()));
            } else {
                let setup = view.setup();
                let (image_at, size_at) = (fields.image().span(), fields.size().span());
                let hardware = hardware::Hardware { image, image_at, size, size_at, setup };
                hardware.check(cx, sink);
                for other in &pool.others {
                    hardware::Hardware { size: *other, ..hardware }.check_alternative(cx, sink);
                }
            }
        }
        let sizes = Sizes { first: size, others: pool.others.clone() };
        sizes.check(fields.size().span(), pool.image.is_some(), sink);
        rules::check(cx, support, &pool, sink);
        Some(pool)
    }

    /// Its sizes in order of preference.
    pub fn sizes(&self) -> impl Iterator<Item = Size<'a>> + Clone {
        std::iter::once(self.size).chain(self.others.iter().copied())
    }

    /// Its key in names.
    #[must_use]
    pub fn dashed(&self) -> String {
        read::dashed(&self.block.name)
    }
}

/// What batch pools refer to.
#[derive(Clone, Debug, Default)]
pub struct BatchSupport<'a> {
    /// Batch accounts in source order.
    pub accounts: Vec<BatchAccount<'a>>,
    /// Machine learning workspaces in source order.
    pub workspaces: Vec<Workspace<'a>>,
    /// Blob containers in source order.
    pub containers: Vec<Container<'a>>,
}

/// Whether a share can be mounted by Azure Batch as it is: by key, or by network.
#[must_use]
pub fn mountable(protocol: Protocol, auth: Auth) -> bool {
    protocol == Protocol::Nfs || auth == Auth::AccountKey
}

/// A script without the indentation that all of its lines share.
#[must_use]
pub fn dedented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let shared = text.lines().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|l| l.get(shared..).unwrap_or("").trim_end()).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_lose_the_indentation_of_the_file_and_keep_their_own() {
        assert_eq!(dedented("  if x\n    y\n\n  fi\n"), "if x\n  y\n\nfi");
        assert_eq!(dedented("one"), "one");
    }
}
