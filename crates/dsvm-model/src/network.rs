//! Networks: declared, existing, or the one that pools without a network share.

use super::ids::{SubnetId, TiSlice, TiVec};
use super::{diags, read};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::network as rows;
use dsvm_sema::table::schema::{FieldRef, View};
use dsvm_sema::value::{BlockId, Value};
use ipnet::{IpNet, Ipv4Net};
use std::net::Ipv4Addr;

pub use dsvm_sema::table::words::Outbound;

/// A virtual network: declared, existing, or the generated one.
#[derive(Clone, Debug)]
pub struct Network<'a> {
    /// The block; `None` for the generated one.
    pub block: Option<(BlockId, &'a Block)>,
    /// What was written; nothing for the generated one.
    pub view: Option<View<'a, rows::Network>>,
    /// Name in Azure; `None` for the generated one, which is named for the project.
    pub name: Option<Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Address space; what is known of it for an existing network.
    pub address: Vec<IpNet>,
    /// Subnets, at least one.
    pub subnets: TiVec<SubnetId, Subnet<'a>>,
    /// How machines reach the internet.
    pub outbound: Outbound,
    /// DNS servers; none: Azure's own.
    pub dns: Vec<std::net::IpAddr>,
}

/// Where an existing thing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elsewhere<'a> {
    /// Resource group, when not the deployment's.
    pub resource_group: Option<&'a Value>,
    /// Subscription, when not the deployment's.
    pub subscription: Option<&'a Value>,
}

impl<'a> Elsewhere<'a> {
    /// The place of an `existing` block; reports a missing name.
    pub(crate) fn of(
        name: FieldRef<'a>,
        resource_group: FieldRef<'a>,
        subscription: Option<FieldRef<'a>>,
        sink: &mut Sink,
    ) -> Option<Self> {
        if !name.block.existing {
            return None;
        }
        if name.value().is_none_or(|value| *value == Value::Null) {
            sink.push(diags::existing_without_name(name.block, name.name()));
        }
        Some(Self { resource_group: read::present(resource_group), subscription: subscription.and_then(read::present) })
    }
}

/// A subnet of a network.
#[derive(Clone, Debug)]
pub struct Subnet<'a> {
    /// Name of its block; `machines` for a generated one.
    pub key: &'a str,
    /// Name in Azure, which the deployment may know only.
    pub name: Value,
    /// Address range; absent for subnets of existing networks.
    pub address: Option<IpNet>,
    /// Where it was written.
    pub span: Option<Span>,
}

const DEFAULT_SPACE: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 0, 0, 0), 16);

impl<'a> Network<'a> {
    /// The network that pools without one share.
    pub(crate) fn generated() -> Self {
        let space = Ipv4Net::new(DEFAULT_SPACE.0, DEFAULT_SPACE.1).map(IpNet::V4);
        let address: Vec<IpNet> = space.into_iter().collect();
        let subnets = TiVec::from(vec![Self::first_half(&address)]);
        Self {
            block: None,
            view: None,
            name: None,
            existing: None,
            address,
            subnets,
            outbound: Outbound::NatGateway,
            dns: Vec::new(),
        }
    }

    fn first_half(address: &[IpNet]) -> Subnet<'a> {
        let half = address.first().and_then(|net| match net {
            IpNet::V4(v4) => v4.subnets(v4.prefix_len().saturating_add(1).min(29)).ok()?.next().map(IpNet::V4),
            IpNet::V6(v6) => v6.subnets(64).ok()?.next().map(IpNet::V6),
        });
        Subnet { key: "machines", name: Value::String("machines".into()), address: half, span: None }
    }

    /// The last /27 of the space, for private endpoints, when no subnet lies there.
    #[must_use]
    pub fn endpoint_range(&self) -> Option<IpNet> {
        let IpNet::V4(space) = self.address.first()? else { return None };
        let range = IpNet::V4(space.subnets(27.max(space.prefix_len())).ok()?.last()?);
        let taken = self.subnets.iter().filter_map(|s| s.address).any(|s| overlap(&s, &range));
        (!taken).then_some(range)
    }

    pub(crate) fn declared(id: BlockId, view: View<'a, rows::Network>, sink: &mut Sink) -> Self {
        let (block, fields) = (view.block(), view.fields());
        let existing = Elsewhere::of(fields.name(), fields.resource_group(), Some(fields.subscription()), sink);
        let address: Vec<IpNet> = view.address().into_iter().collect();
        let mut subnets: TiVec<SubnetId, Subnet<'a>> = view
            .subnets()
            .map(|subnet| Subnet {
                key: &subnet.block().name,
                name: read::name_in_azure(subnet.fields().name(), ""),
                address: subnet.address(),
                span: Some(subnet.fields().address().span()),
            })
            .collect();
        for subnet in view.subnets() {
            let name = subnet.fields().name();
            if let Some(Value::String(text)) = read::present(name)
                && !is_subnet_name(text)
            {
                sink.push(diags::subnet_name_refused(text, name.span()));
            }
        }
        if existing.is_none() {
            check_ranges(fields.address().span(), &address, &subnets, sink);
        }
        if subnets.is_empty() {
            // Without a name, a diagnostic already says that it cannot be found.
            if existing.is_some() && view.name().is_some() {
                sink.push(diags::existing_without_subnet(block));
            }
            subnets.push(Self::first_half(&address));
        }
        Self {
            block: Some((id, block)),
            view: Some(view),
            name: Some(read::name_in_azure(fields.name(), "vnet-")),
            // Nobody can put a NAT gateway on somebody else's subnet: its way out is its owner's business.
            outbound: if existing.is_some() && !fields.outbound().written() {
                Outbound::OwnRoute
            } else {
                view.outbound()
            },
            existing,
            address,
            subnets,
            dns: view.dns().into_iter().flatten().collect(),
        }
    }

    /// A subnet of this network.
    #[must_use]
    pub fn subnet(&self, id: SubnetId) -> &Subnet<'a> {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: an id is found among the subnets of its network")]
        &self.subnets[id]
    }

    /// Where to point for the network as a whole.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.block.map(|(_, block)| block.name_span)
    }
}

/// Whether two ranges share an address.
#[must_use]
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn check_ranges(at_space: Span, space: &[IpNet], subnets: &TiSlice<SubnetId, Subnet<'_>>, sink: &mut Sink) {
    for (index, subnet) in subnets.iter().enumerate() {
        let (Some(range), Some(span)) = (subnet.address, subnet.span) else {
            if let Some(span) = subnet.span {
                sink.push(diags::subnet_without_address(subnet.key, span));
            }
            continue;
        };
        if !space.is_empty() && !space.iter().any(|s| s.contains(&range)) {
            sink.push(diags::subnet_outside_network(&range, span, at_space, space));
        }
        if let IpNet::V4(v4) = range
            && v4.prefix_len() > 29
        {
            sink.push(diags::subnet_too_small_for_azure(&range, span));
        }
        for other in subnets.iter().take(index) {
            if let (Some(other_range), Some(other_span)) = (other.address, other.span)
                && overlap(&range, &other_range)
            {
                sink.push(diags::subnets_overlap(&range, span, &other_range, other_span));
            }
        }
    }
}

/// Whether Azure takes the name:
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork>.
fn is_subnet_name(name: &str) -> bool {
    let (first, last) = (name.chars().next(), name.chars().next_back());
    name.len() <= 80
        && first.is_some_and(|c| c.is_ascii_alphanumeric())
        && last.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// The service that a subnet of this name is kept for: machines in it are refused, or break the service.
/// <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub>,
/// <https://learn.microsoft.com/azure/bastion/configuration-settings#subnet>,
/// <https://learn.microsoft.com/azure/firewall/firewall-faq>,
/// <https://learn.microsoft.com/azure/route-server/route-server-faq>.
pub(crate) fn kept_for(subnet: &str) -> Option<&'static str> {
    const KEPT: [(&str, &str); 5] = [
        ("GatewaySubnet", "gateways of VPN and ExpressRoute"),
        ("AzureBastionSubnet", "Azure Bastion"),
        ("AzureFirewallSubnet", "Azure Firewall"),
        ("AzureFirewallManagementSubnet", "Azure Firewall"),
        ("RouteServerSubnet", "Azure Route Server"),
    ];
    KEPT.iter().find(|(name, _)| name.eq_ignore_ascii_case(subnet)).map(|(_, service)| *service)
}

/// How many machines fit into a range: Azure reserves five addresses.
#[must_use]
pub fn room(range: &IpNet) -> u64 {
    match range {
        IpNet::V4(v4) => (1u64 << (32 - u32::from(v4.prefix_len()))).saturating_sub(5),
        IpNet::V6(_) => u64::MAX,
    }
}
