//! Types of fields that take one thing or another: a declared region or its name, a number of machines or a range.

use super::FieldType;
use super::batch::Container;
use super::facts::{Image, Region, Role, Size, Timezone};
use super::network::Network;
use super::registry::Registry;
use super::resource::Resource;
use super::schema::choices;
use super::share::Share;
use super::types::{Bytes, FieldValue, IntIn, IntRange, List, ListOf, Percent, PortNumber, Ref, RefTo, Text};
use super::vault::Vault;
use super::words::{DnsKeeper, OpenTo, ScopeWord, ServiceName};
use crate::value::{BlockId, RangeValue, Value};
use ipnet::IpNet;
use rust_decimal::Decimal;

choices! {
    /// A region, as a fact of the library or as text.
    pub enum Location<'a> {
        /// A region of the library or the project.
        Region(RefTo<Region>) = Ref<Region>,
        /// A name that no fact has, in Azure's spelling.
        Name(&'a str) = Text,
    }

    /// A time zone, as a fact of the library or by its Windows name.
    pub enum ZoneName<'a> {
        /// A time zone of the library or the project.
        Timezone(RefTo<Timezone>) = Ref<Timezone>,
        /// A Windows name, such as `W. Europe Standard Time`.
        Name(&'a str) = Text,
    }

    /// Whose metric a rule means when not that of the pool.
    pub enum MetricSource<'a> {
        /// A `share` or `resource` block.
        Block(BlockId) = Ref<Share> | Ref<Resource>,
        /// Resource id of what has the metric.
        Id(&'a str) = Text,
    }

    /// A number of machines.
    pub enum Count<'a> {
        /// A range, such as `0..10 initially 2`.
        Range(&'a RangeValue) = IntRange,
        /// A fixed number, such as `3`.
        Number(i64) = i64,
    }

    /// What people reach on a pool.
    pub enum Service {
        /// A service by its name.
        Named(ServiceName) = ServiceName,
        /// Another TCP port, by its number.
        Port(i64) = PortNumber,
    }

    /// What a job reads or writes.
    pub enum Storage {
        /// A `share` or `container` block.
        Block(BlockId) = Ref<Share> | Ref<Container>,
    }

    /// How many machines a rule adds or removes.
    pub enum StepSize {
        /// A number of machines.
        Machines(i64) = IntIn<1, 1000>,
        /// A part of the present number, in percent.
        Percent(Decimal) = Percent,
    }

    /// An amount of memory.
    pub enum Memory {
        /// A number of bytes, written with its unit, such as `8 GiB`.
        Size(i64) = Bytes,
        /// A part of the memory of the machine, in percent.
        Percent(Decimal) = Percent,
    }

    /// Who may reach a service.
    pub enum Sources<'a> {
        /// Everybody, or the pool's own network.
        Word(OpenTo) = OpenTo,
        /// A list of address ranges.
        Ranges(ListOf<'a, IpNet>) = List<IpNet>,
        /// A single address range.
        Range(IpNet) = IpNet,
    }

    /// A role, as a fact of the library or by the GUID of its definition.
    pub enum RoleName<'a> {
        /// A role of the library or the project.
        Role(RefTo<Role>) = Ref<Role>,
        /// GUID of a role definition.
        Guid(&'a str) = Text,
    }

    /// A private container registry.
    pub enum RegistryName<'a> {
        /// A `registry` block, whose role is granted.
        Registry(RefTo<Registry>) = Ref<Registry>,
        /// Login server of a registry that somebody else grants access to.
        Server(&'a str) = Text,
    }

    /// The private DNS zone of a private endpoint, when it is not one that dsvmc deploys.
    pub enum DnsZone<'a> {
        /// Azure Policy registers the endpoint.
        Keeper(DnsKeeper) = DnsKeeper,
        /// An `existing resource` that is a private DNS zone.
        Zone(RefTo<Resource>) = Ref<Resource>,
        /// Resource id of a private DNS zone.
        Id(&'a str) = Text,
    }

    /// Where a grant holds.
    pub enum Scope {
        /// The resource group of the deployment.
        Word(ScopeWord) = ScopeWord,
        /// A declared share, vault, network, registry or resource.
        Block(BlockId) = Ref<Share> | Ref<Vault> | Ref<Network> | Ref<Registry> | Ref<Resource>,
    }

    /// What to use instead of something that ends.
    pub enum Successor<'a> {
        /// An `image` or `size` block.
        Block(BlockId) = Ref<Image> | Ref<Size>,
        /// A name as people write it.
        Name(&'a str) = Text,
    }
}
