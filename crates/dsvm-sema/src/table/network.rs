//! Rows of networks and subnets.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head};

/// `network` and `subnet`.
pub const ROWS: &[BlockSpec] = &[NETWORK, SUBNET];

const NETWORK: BlockSpec = BlockSpec::top(
    BlockKind::Network,
    "A virtual network. Pools without one share a generated network (10.0.0.0/16, one subnet, a NAT gateway); an `existing` network is only referred to.",
)
.can_exist()
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name in Azure; `vnet-` and the block's name when left out. An `existing` network needs it."),
    FieldSpec::new("resource_group", FieldType::String, "Resource group of the network with its gateway and private endpoints, when it is not the one deployed to."),
    FieldSpec::new("location", FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]), "Region, when it is not that of the project. Pools on the network must be in it."),
    FieldSpec::new("subscription", FieldType::String, "Subscription id of an `existing` network, when it is not the one deployed to."),
    FieldSpec::new(
        "address",
        FieldType::Either(&[FieldType::Cidr, FieldType::List(&FieldType::Cidr)]),
        "Address space. It must hold the subnets and stay clear of 172.17.0.0/16, which Docker on the machines uses.",
    )
    .default("10.0.0.0/16")
    .early(),
    FieldSpec::new(
        "outbound",
        FieldType::OneOf(&["nat_gateway", "load_balancer", "own_route", "none"]),
        "How machines reach the internet: a NAT gateway, the pool's load balancer, a route that somebody else keeps (a firewall), or not at all. Default outbound access is always off.",
    )
    .default("nat_gateway")
    .early(),
    FieldSpec::new("dns", FieldType::List(&FieldType::Ip), "DNS servers of the network, for instance domain controllers; Azure's own when left out.").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[(BlockKind::Subnet, 0)])
.attributes(&[("id", "string", "Resource id of the network."), ("name", "string", "Name of the network in Azure.")]);

const SUBNET: BlockSpec = BlockSpec::nested(
    BlockKind::Subnet,
    Head::Name,
    "A subnet. Of an `existing` network only its name counts. A network without subnets gets one that spans its first half.",
)
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name in Azure; the block's name when left out."),
    FieldSpec::new("address", FieldType::Cidr, "Address range, inside the network and clear of its other subnets. Azure keeps five addresses of each for itself.").early(),
]);
