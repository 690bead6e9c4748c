//! Rows of networks and subnets.

use super::Head;
use super::choices::Location;
use super::schema::blocks;
use super::types::{List, OneOrMany, StringMap, Text};
use super::words::Outbound;
use ipnet::IpNet;
use std::net::IpAddr;

blocks! {
    /// A virtual network. Pools without one share a generated network (10.0.0.0/16, one subnet, a NAT gateway); an
    /// `existing` network is only referred to.
    Network {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name in Azure; `vnet-` and the block's name if omitted. An `existing` network needs it.
            name: Text;
            /// Resource group of the network with its gateway and private endpoints, when it is not the one
            /// deployed to.
            resource_group: Text;
            /// Region, when it is not that of the project. Pools on the network must be in it.
            location: Location<'static>;
            /// Subscription id of an `existing` network, when it is not the one deployed to.
            subscription: Text;
            /// Address space. It must hold the subnets and stay clear of 172.17.0.0/16, which Docker on the
            /// machines uses.
            address: OneOrMany<IpNet> = "10.0.0.0/16", early;
            /// How machines reach the internet: a NAT gateway, the pool's load balancer, a route that is managed
            /// elsewhere (a firewall), or not at all. Default outbound access is always off.
            outbound: Outbound = "nat_gateway", early;
            /// DNS servers of the network, for instance domain controllers; Azure's own if omitted.
            dns: List<IpAddr>, early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            subnets: any Subnet;
        }
        attributes NetworkAttribute {
            /// Resource id of the network.
            id: "string";
            /// Name of the network in Azure.
            name: "string";
        }
    }

    /// A subnet. Of an `existing` network only its name counts. A network without subnets gets one that spans its
    /// first half.
    Subnet {
        head: Head::Name;
        fields {
            /// Name in Azure; the block's name if omitted.
            name: Text;
            /// Address range, inside the network and clear of its other subnets. Azure reserves five addresses of each
            /// for itself.
            address: IpNet, early;
        }
    }
}
