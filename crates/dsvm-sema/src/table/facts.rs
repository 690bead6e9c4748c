//! Rows of the kinds that hold facts about Azure: images, sizes, roles, regions, metrics, time zones, ports.
//!
//! The standard library is nothing but blocks of these kinds, and a team declares the size that was announced this
//! morning in the same words. A fact emits nothing; pools refer to it.

use super::Head;
use super::choices::Successor;
use super::schema::blocks;
use super::types::{Bytes, IntIn, List, Percent, PortNumber, Seconds, Text};
use super::words::{
    Aggregate, Architecture, Certainty, Direction, DiskController, Driver, EphemeralPlace, GpuVendor, ImageState,
    Known, Measured, MetricKind, MetricUnit, NetworkAcceleration, Os, Scheme, ServiceName, TempDiskKind, Transport,
};
use ipnet::IpNet;
use jiff::civil::Date;
use rust_decimal::Decimal;

blocks! {
    /// An image that machines start from: one of the Marketplace (publisher, offer, sku) or one of a gallery
    /// (`id`).
    Image {
        head: Head::Name, top_level;
        fields {
            /// Publisher in the Marketplace. An image has either publisher, offer and sku, or `id`.
            publisher: Text, early;
            /// Offer in the Marketplace.
            offer: Text, early;
            /// Variant of the offer.
            sku: Text, early;
            /// Version; `latest` follows the publisher, so two machines of a pool can differ.
            version: Text = "\"latest\"";
            /// Resource id of a gallery image or of one of its versions; ids that start with `/sharedGalleries/` or
            /// `/communityGalleries/` work too.
            id: Text;
            /// Operating system of the image.
            os: Os, required, early;
            /// Operating system with its version, as shown to users.
            os_name: Text, early;
            /// Generation of the virtual machine that the image boots; the size must support it.
            generation: IntIn<1, 2>, required, early;
            /// Instruction set; the size must have the same.
            architecture: Architecture = "x64", early;
            /// Node agent SKU that goes with it in Azure Batch.
            node_agent: Text, early;
            /// Last day on which Azure Batch supports that agent.
            node_agent_until: Date, early;
            /// Whether Azure Batch lists the image as supported.
            batch: Known = "unknown", early;
            /// Whether Azure Batch can run containers on it.
            containers: bool = "false", early;
            /// Drivers inside the image. A GPU size needs its driver here or in a driver extension, never both.
            drivers: List<Driver> = "[]", early;
            /// What answers after the first boot without further installation.
            serves: List<ServiceName> = "[ssh]", early;
            /// Whether the image is known to start with Secure Boot and vTPM.
            trusted_launch: Known = "unknown", early;
            /// Whether it is on Azure's list of platform images for automatic OS image upgrades.
            os_upgrades: Known = "unknown", early;
            /// Whether the image is known to start from NVMe disks, as sizes of the sixth generation need.
            nvme: Known = "unknown", early;
            /// Size of its OS disk; an ephemeral OS disk must have room for it.
            os_disk: Bytes, early;
            /// Address range that Docker inside the image uses; a network must not overlap it.
            docker_bridge: IpNet, early;
            /// How long the publisher keeps a version; a pinned version expires then.
            version_lifetime: Seconds, early;
            /// `stale`: no new versions are seen; `deprecated`: its end is announced; `gone`: it can no longer be
            /// deployed.
            state: ImageState = "current", early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
        children {
            plan: one Plan;
            retirement: one Retirement;
        }
    }

    /// A virtual machine size. The name of the block is Azure's name; `name` sets it if Azure's name has a hyphen.
    Size {
        head: Head::Name, top_level;
        fields {
            /// The name as Azure spells it. Default: the name of the block.
            name: Text, early;
            /// Series that it belongs to, as the documentation spells it.
            series: Text, early;
            /// Quota family, exactly as the quota list spells it, blanks included.
            family: Text, early;
            /// Virtual processors that the machine has.
            vcpu: IntIn<1, 4096>, required, early;
            /// Virtual processors that quota and price count. Default: `vcpu`; a constrained size counts those of
            /// its parent.
            quota_vcpu: IntIn<1, 4096>, early;
            /// Main memory of one machine.
            memory: Bytes, required, early;
            /// Number of GPUs; less than 1 when machines share one (cut after four decimals, `gpu_share` is exact).
            gpu: Decimal = "0", early;
            /// The exact part of a shared GPU, such as "1/6".
            gpu_share: Text, early;
            /// Short name of the GPU, as in `gpu >= 1 of A100`.
            gpu_model: Text, early;
            /// Full name of the GPU.
            gpu_name: Text, early;
            /// Whose driver the GPU needs.
            gpu_vendor: GpuVendor, early;
            /// Memory of each GPU (of the part, when a GPU is shared).
            gpu_memory: Bytes, early;
            /// GPUs are joined by NVSwitch: the image must run the Fabric Manager.
            nvswitch: bool = "false", early;
            /// Temporary local storage in all; what is on it is lost when the machine stops.
            temp_disk: Bytes = "0 GiB", early;
            /// How that storage is attached; NVMe disks arrive raw and in several pieces.
            temp_disk_kind: TempDiskKind = "none", early;
            /// Number of local NVMe disks.
            nvme_disks: IntIn<0, 64> = "0", early;
            /// Size of each local NVMe disk.
            nvme_disk: Bytes, early;
            /// Most data disks of one machine.
            data_disks: IntIn<0, 256> = "0", early;
            /// Most network interfaces of one machine.
            nics: IntIn<1, 64> = "1", early;
            /// Expected network bandwidth in Mbit/s.
            network: IntIn<1, 10000000>, early;
            /// Whether the network interface can, or must, bypass the host.
            accelerated_networking: NetworkAcceleration = "no", early;
            /// Generations of virtual machine that it boots.
            generations: List<IntIn<1, 2>>, required, early;
            /// Instruction set of the processor.
            architecture: Architecture = "x64", early;
            /// Where an ephemeral OS disk can be placed; empty: nowhere.
            ephemeral: List<EphemeralPlace> = "[]", early;
            /// How disks are attached; `[nvme]` needs an image that starts from NVMe.
            disk_controllers: List<DiskController> = "[scsi]", early;
            /// Whether premium storage can be attached.
            premium: bool = "true", early;
            /// Whether it can be had at spot price.
            spot: Known = "unknown", early;
            /// How sure `spot` is, when that differs from `sure`.
            spot_sure: Certainty, early;
            /// Whether Azure Batch offers it; only a live list is sure.
            batch: Known = "unknown", early;
            /// Kind and speed of the InfiniBand adapter.
            infiniband: Text, early;
            /// Share of the processors that a burstable size may use for ever.
            burst_base: Percent, early;
            /// Whether Trusted Launch works. Default: when it boots generation 2.
            trusted_launch: bool, early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
        children {
            retirement: one Retirement;
        }
    }

    /// A role of Azure that can be granted: a built-in one, or one that the team defined itself.
    Role {
        head: Head::Name, top_level;
        fields {
            /// Name of the role as Azure shows it.
            name: Text, required, early;
            /// GUID of the role definition.
            id: Text, required, early;
            /// What it lets its holder do, in one sentence.
            allows: Text, early;
            /// It can change access or nearly everything: granting it to machines is reported.
            privileged: bool = "false", early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
    }

    /// A region of Azure. The name of the block is what templates call it.
    Region {
        head: Head::Name, top_level;
        fields {
            /// Name as people read it.
            display: Text, required, early;
            /// Area in which data stays.
            geography: Text, early;
            /// Whether it has availability zones.
            zones: Known = "unknown", early;
            /// The region that it is paired with.
            paired: Text, early;
            /// Open only to subscriptions that asked for it.
            restricted: bool = "false", early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
    }

    /// A measurement that autoscale can act on.
    Metric {
        head: Head::Name, top_level;
        fields {
            /// Name as Azure Monitor (or the Batch formula) spells it.
            name: Text, required, early;
            /// Namespace of the metric; absent: the one of its resource.
            namespace: Text, early;
            /// What kind of resource has the metric.
            of: Measured = "scale_set", early;
            /// Unit of its values and thresholds.
            unit: MetricUnit, required, early;
            /// What its values mean by default.
            aggregate: Aggregate = "avg", early;
            /// `ratio`: the same load on more machines lowers it, so thresholds must be far enough apart;
            /// `absolute`: it does not depend on their number.
            kind: MetricKind, required, early;
            /// Whether it still exists when the pool has no machine, so that it can wake the pool.
            at_zero: bool = "false", early;
            /// Whether an agent inside the machine must send it.
            agent: bool = "false", early;
            /// Exists for burstable sizes only.
            burstable_only: bool = "false", early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
    }

    /// A time zone for autoscale, which uses Windows time zone names.
    Timezone {
        head: Head::Name, top_level;
        fields {
            /// Name to write in `timezone`.
            name: Text, required, early;
            /// Distance from UTC without daylight saving, such as "+01:00".
            offset: Text, early;
            /// The zone of the IANA database with the same rules, for its main territory.
            iana: Text, early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
    }

    /// A port, or a range of ports, with what it is for.
    Port {
        head: Head::Name, top_level;
        fields {
            /// The port; the first one of a range.
            number: PortNumber, required, early;
            /// Last port of a range.
            to: PortNumber, early;
            /// Transport protocol of the port.
            transport: Transport = "tcp", early;
            /// `inbound`: a pool can serve it; `outbound`: machines need it; `reserved`: Azure reserves it.
            direction: Direction = "inbound", early;
            /// Protocol that is spoken there.
            scheme: Scheme, early;
            /// A user must reach the same machine again, so the balancer needs affinity.
            sticky: bool = "false", early;
            /// Gives control of the machine: opening it to the whole internet is an error.
            sensitive: bool = "false", early;
            /// What it is used for.
            r#use: Text, early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
            /// The day on which the fact was known to hold.
            as_of: Date, early;
            /// Certainty: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that
            /// was not looked up.
            sure: Certainty, early;
        }
    }

    /// Purchase plan of a Marketplace image. The template must contain it exactly when the image has one; the same
    /// applies to images created from such an image.
    Plan {
        head: Head::None;
        fields {
            /// Name of the plan.
            name: Text, required, early;
            /// Publisher of the plan.
            publisher: Text, required, early;
            /// Product, usually the offer.
            product: Text, required, early;
        }
    }

    /// The end of a thing, in up to three steps. Which of them has passed is judged on the day of the check
    /// (`--as-of`).
    Retirement {
        head: Head::None;
        fields {
            /// The end was announced.
            announced: Date, early;
            /// From this day no new subscription can use it and no quota is raised.
            growth_restricted: Date, early;
            /// From this day it cannot be deployed.
            retired: Date, early;
            /// What to use instead.
            successor: Successor<'static>, early;
            /// What else one should know before using it.
            note: Text, early;
            /// Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library
            /// always say.
            source: Text, early;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::table::{BlockKind, spec};

    #[test]
    fn each_fact_has_source_date_and_certainty() {
        use BlockKind::{Image, Metric, Port, Region, Role, Size, Timezone};
        for kind in [Image, Size, Role, Region, Metric, Timezone, Port] {
            for name in ["source", "as_of", "sure"] {
                assert!(spec(kind).field(name).is_some(), "{} lacks `{name}`", kind.keyword());
            }
        }
    }

    #[test]
    fn each_field_is_documented_in_sentences() {
        for kind in BlockKind::ALL {
            for field in spec(*kind).fields {
                assert!(field.doc.ends_with(['.', '`']), "{}.{}", kind.keyword(), field.name);
            }
        }
    }
}
