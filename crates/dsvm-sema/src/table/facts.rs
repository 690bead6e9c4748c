//! Rows of the kinds that hold facts about Azure: images, sizes, roles, regions, metrics, time zones, ports.
//!
//! The standard library is nothing but blocks of these kinds, and a team declares the size that was announced this
//! morning in the same words. A fact emits nothing; pools refer to it.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, When};

/// All kinds of fact.
pub const SPECS: &[BlockSpec] = &[IMAGE, SIZE, ROLE, REGION, METRIC, TIMEZONE, PORT, PLAN, RETIREMENT];

const fn field(name: &'static str, ty: FieldType, doc: &'static str) -> FieldSpec {
    FieldSpec { name, ty, required: false, default: None, when: When::Early, doc, since: "0.1.0" }
}

const fn needed(name: &'static str, ty: FieldType, doc: &'static str) -> FieldSpec {
    FieldSpec { required: true, ..field(name, ty, doc) }
}

const fn with(name: &'static str, ty: FieldType, default: &'static str, doc: &'static str) -> FieldSpec {
    FieldSpec { default: Some(default), ..field(name, ty, doc) }
}

const fn late(name: &'static str, ty: FieldType, doc: &'static str) -> FieldSpec {
    FieldSpec { when: When::Late, ..field(name, ty, doc) }
}

const NOTE: FieldSpec = field("note", FieldType::String, "What else one should know before using it.");
const SOURCE: FieldSpec = field(
    "source",
    FieldType::String,
    "Where the fact was read: a page, a file with its commit, an issue. Facts of the standard library always say.",
);
const AS_OF: FieldSpec = field("as_of", FieldType::Date, "The day on which the fact was known to hold.");
const SURE: FieldSpec = field(
    "sure",
    FieldType::OneOf(&["A", "B", "C"]),
    "How sure it is: `A` read in a primary source, `B` in a secondary one or deduced, `C` common knowledge that nobody looked up.",
);

const YES_NO: FieldType = FieldType::OneOf(&["yes", "no", "unknown"]);

const fn fact(
    kind: BlockKind,
    doc: &'static str,
    fields: &'static [FieldSpec],
    children: &'static [(BlockKind, u32)],
) -> BlockSpec {
    BlockSpec {
        kind,
        doc,
        since: "0.1.0",
        head: Head::Name,
        top_level: true,
        can_exist: false,
        fields,
        children,
        attributes: &[],
    }
}

const fn part(kind: BlockKind, doc: &'static str, fields: &'static [FieldSpec]) -> BlockSpec {
    BlockSpec { head: Head::None, top_level: false, ..fact(kind, doc, fields, &[]) }
}

const IMAGE: BlockSpec = fact(
    BlockKind::Image,
    "An image that machines start from: one of the Marketplace (publisher, offer, sku) or one of a gallery (`id`).",
    &[
        field(
            "publisher",
            FieldType::String,
            "Publisher in the Marketplace. An image has either publisher, offer and sku, or `id`.",
        ),
        field("offer", FieldType::String, "Offer in the Marketplace."),
        field("sku", FieldType::String, "Variant of the offer."),
        FieldSpec {
            when: When::Late,
            ..with(
                "version",
                FieldType::String,
                "\"latest\"",
                "Version; `latest` follows the publisher, so two machines of a pool can differ.",
            )
        },
        late(
            "id",
            FieldType::String,
            "Resource id of a gallery image or of one of its versions; ids that start with `/sharedGalleries/` or `/communityGalleries/` work too.",
        ),
        needed("os", FieldType::OneOf(&["linux", "windows"]), "Operating system."),
        field("os_name", FieldType::String, "Operating system with its version, as told to people."),
        needed(
            "generation",
            FieldType::IntIn(1, 2),
            "Generation of the virtual machine that the image boots; the size must support it.",
        ),
        with(
            "architecture",
            FieldType::OneOf(&["x64", "arm64"]),
            "x64",
            "Instruction set; the size must have the same.",
        ),
        field("node_agent", FieldType::String, "Node agent SKU that goes with it in Azure Batch."),
        field("node_agent_until", FieldType::Date, "Last day on which Azure Batch supports that agent."),
        with("batch", YES_NO, "unknown", "Whether Azure Batch lists the image as supported."),
        with("containers", FieldType::Bool, "false", "Whether Azure Batch can run containers on it."),
        with(
            "drivers",
            FieldType::List(&FieldType::OneOf(&["nvidia", "amd", "infiniband"])),
            "[]",
            "Drivers inside the image. A GPU size needs its driver here or in a driver extension, never both.",
        ),
        with(
            "serves",
            FieldType::List(&FieldType::OneOf(&["ssh", "jupyterhub", "rdp"])),
            "[ssh]",
            "What answers after the first boot without further installation.",
        ),
        with("trusted_launch", YES_NO, "unknown", "Whether the image is known to start with Secure Boot and vTPM."),
        with(
            "nvme",
            YES_NO,
            "unknown",
            "Whether the image is known to start from NVMe disks, as sizes of the sixth generation need.",
        ),
        field("os_disk", FieldType::Size, "Size of its OS disk; an ephemeral OS disk must have room for it."),
        field(
            "docker_bridge",
            FieldType::Cidr,
            "Address range that Docker inside the image takes; a network must not overlap it.",
        ),
        field(
            "version_lifetime",
            FieldType::Duration,
            "How long the publisher keeps a version; a pinned version expires then.",
        ),
        with(
            "state",
            FieldType::OneOf(&["current", "stale", "deprecated", "gone"]),
            "current",
            "`stale`: no new versions are seen; `deprecated`: its end is announced; `gone`: it can no longer be deployed.",
        ),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[(BlockKind::Plan, 1), (BlockKind::Retirement, 1)],
);

const SIZE: BlockSpec = fact(
    BlockKind::Size,
    "A size of virtual machine. The name of the block is Azure's name for it; `name` gives it when Azure's has a hyphen.",
    &[
        field("name", FieldType::String, "The name as Azure spells it. Default: the name of the block."),
        field("series", FieldType::String, "Series that it belongs to, as the documentation spells it."),
        field("family", FieldType::String, "Quota family, exactly as the quota list spells it, blanks included."),
        needed("vcpu", FieldType::IntIn(1, 4096), "Virtual processors that the machine has."),
        field(
            "quota_vcpu",
            FieldType::IntIn(1, 4096),
            "Virtual processors that quota and price count. Default: `vcpu`; a constrained size counts those of its parent.",
        ),
        needed("memory", FieldType::Size, "Main memory."),
        with(
            "gpu",
            FieldType::Decimal,
            "0",
            "Number of GPUs; less than 1 when machines share one (cut after four decimals, `gpu_share` is exact).",
        ),
        field("gpu_share", FieldType::String, "The exact part of a shared GPU, such as \"1/6\"."),
        field("gpu_model", FieldType::String, "Short name of the GPU, as in `gpu >= 1 of A100`."),
        field("gpu_name", FieldType::String, "Full name of the GPU."),
        field("gpu_vendor", FieldType::OneOf(&["nvidia", "amd"]), "Whose driver the GPU needs."),
        field("gpu_memory", FieldType::Size, "Memory of each GPU (of the part, when a GPU is shared)."),
        with(
            "nvswitch",
            FieldType::Bool,
            "false",
            "GPUs are joined by NVSwitch: the image must run the Fabric Manager.",
        ),
        with(
            "temp_disk",
            FieldType::Size,
            "0 GiB",
            "Temporary local storage in all; what is on it is lost when the machine stops.",
        ),
        with(
            "temp_disk_kind",
            FieldType::OneOf(&["none", "scsi", "nvme"]),
            "none",
            "How that storage is attached; NVMe disks arrive raw and in several pieces.",
        ),
        with("nvme_disks", FieldType::IntIn(0, 64), "0", "Number of local NVMe disks."),
        field("nvme_disk", FieldType::Size, "Size of each local NVMe disk."),
        with("data_disks", FieldType::IntIn(0, 256), "0", "Most data disks."),
        with("nics", FieldType::IntIn(1, 64), "1", "Most network interfaces."),
        field("network", FieldType::IntIn(1, 10_000_000), "Expected network bandwidth in Mbit/s."),
        with(
            "accelerated_networking",
            FieldType::OneOf(&["no", "yes", "required"]),
            "no",
            "Whether the network interface can, or must, bypass the host.",
        ),
        needed(
            "generations",
            FieldType::List(&FieldType::IntIn(1, 2)),
            "Generations of virtual machine that it boots.",
        ),
        with("architecture", FieldType::OneOf(&["x64", "arm64"]), "x64", "Instruction set."),
        with(
            "ephemeral",
            FieldType::List(&FieldType::OneOf(&["cache_disk", "resource_disk", "nvme_disk"])),
            "[]",
            "Where an ephemeral OS disk can be placed; empty: nowhere.",
        ),
        with(
            "disk_controllers",
            FieldType::List(&FieldType::OneOf(&["scsi", "nvme"])),
            "[scsi]",
            "How disks are attached; `[nvme]` needs an image that starts from NVMe.",
        ),
        with("premium", FieldType::Bool, "true", "Whether premium storage can be attached."),
        with("spot", YES_NO, "unknown", "Whether it can be had at spot price."),
        field("spot_sure", FieldType::OneOf(&["A", "B", "C"]), "How sure `spot` is, when that differs from `sure`."),
        with("batch", YES_NO, "unknown", "Whether Azure Batch offers it; only a live list is sure."),
        field("infiniband", FieldType::String, "Kind and speed of the InfiniBand adapter."),
        field("burst_base", FieldType::Percent, "Share of the processors that a burstable size may use for ever."),
        field("trusted_launch", FieldType::Bool, "Whether Trusted Launch works. Default: when it boots generation 2."),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[(BlockKind::Retirement, 1)],
);

const ROLE: BlockSpec = fact(
    BlockKind::Role,
    "A role of Azure that can be granted: a built-in one, or one that the team defined itself.",
    &[
        needed("name", FieldType::String, "Name of the role as Azure shows it."),
        needed("id", FieldType::String, "GUID of the role definition."),
        field("allows", FieldType::String, "What it lets its holder do, in one sentence."),
        with(
            "privileged",
            FieldType::Bool,
            "false",
            "It can change access or nearly everything: granting it to machines is reported.",
        ),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[],
);

const REGION: BlockSpec = fact(
    BlockKind::Region,
    "A region of Azure. The name of the block is what templates call it.",
    &[
        needed("display", FieldType::String, "Name as people read it."),
        field("geography", FieldType::String, "Area in which data stays."),
        with("zones", YES_NO, "unknown", "Whether it has availability zones."),
        field("paired", FieldType::String, "The region that it is paired with."),
        with("restricted", FieldType::Bool, "false", "Open only to subscriptions that asked for it."),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[],
);

const METRIC: BlockSpec = fact(
    BlockKind::Metric,
    "A measurement that autoscale can act on.",
    &[
        needed("name", FieldType::String, "Name as Azure Monitor (or the Batch formula) spells it."),
        field("namespace", FieldType::String, "Namespace of the metric; absent: the one of its resource."),
        with(
            "of",
            FieldType::OneOf(&["scale_set", "storage_queue", "service_bus_queue", "batch_pool", "other"]),
            "scale_set",
            "What is measured.",
        ),
        needed(
            "unit",
            FieldType::OneOf(&["percent", "count", "bytes", "per_second", "seconds", "credits"]),
            "Unit of its values and thresholds.",
        ),
        with(
            "aggregate",
            FieldType::OneOf(&["avg", "min", "max", "sum", "count", "last"]),
            "avg",
            "What its values mean by default.",
        ),
        needed(
            "kind",
            FieldType::OneOf(&["ratio", "absolute"]),
            "`ratio`: the same load on more machines lowers it, so thresholds must be far enough apart; `absolute`: it does not depend on their number.",
        ),
        with(
            "at_zero",
            FieldType::Bool,
            "false",
            "Whether it still exists when the pool has no machine, so that it can wake the pool.",
        ),
        with("agent", FieldType::Bool, "false", "Whether an agent inside the machine must send it."),
        with("burstable_only", FieldType::Bool, "false", "Exists for burstable sizes only."),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[],
);

const TIMEZONE: BlockSpec = fact(
    BlockKind::Timezone,
    "A time zone as autoscale knows it: the names are those of Windows.",
    &[
        needed("name", FieldType::String, "Name to write in `timezone`."),
        field("offset", FieldType::String, "Distance from UTC without daylight saving, such as \"+01:00\"."),
        field("iana", FieldType::String, "The zone of the IANA database with the same rules, for its main territory."),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[],
);

const PORT: BlockSpec = fact(
    BlockKind::Port,
    "A port, or a range of ports, with what it is for.",
    &[
        needed("number", FieldType::Port, "The port; the first one of a range."),
        field("to", FieldType::Port, "Last port of a range."),
        with("transport", FieldType::OneOf(&["tcp", "udp"]), "tcp", "Transport protocol."),
        with(
            "direction",
            FieldType::OneOf(&["inbound", "outbound", "reserved"]),
            "inbound",
            "`inbound`: a pool can serve it; `outbound`: machines need it; `reserved`: Azure keeps it for itself.",
        ),
        field(
            "scheme",
            FieldType::OneOf(&["ssh", "http", "https", "rdp", "smb", "nfs", "other"]),
            "Protocol that is spoken there.",
        ),
        with(
            "sticky",
            FieldType::Bool,
            "false",
            "A user must reach the same machine again, so the balancer needs affinity.",
        ),
        with(
            "sensitive",
            FieldType::Bool,
            "false",
            "Gives control of the machine: opening it to the whole internet is an error.",
        ),
        field("use", FieldType::String, "What it is used for."),
        NOTE,
        SOURCE,
        AS_OF,
        SURE,
    ],
    &[],
);

const PLAN: BlockSpec = part(
    BlockKind::Plan,
    "Purchase plan of a Marketplace image. The template must carry it exactly when the image has one, and so must images made from such an image.",
    &[
        needed("name", FieldType::String, "Name of the plan."),
        needed("publisher", FieldType::String, "Publisher of the plan."),
        needed("product", FieldType::String, "Product, usually the offer."),
    ],
);

const RETIREMENT: BlockSpec = part(
    BlockKind::Retirement,
    "The end of a thing, in up to three steps. Which of them has passed is judged on the day of the check (`--as-of`).",
    &[
        field("announced", FieldType::Date, "The end was announced."),
        field(
            "growth_restricted",
            FieldType::Date,
            "From this day no new subscription can use it and no quota is raised.",
        ),
        field("retired", FieldType::Date, "From this day it cannot be deployed."),
        field(
            "successor",
            FieldType::Either(&[FieldType::Ref(BlockKind::Image), FieldType::Ref(BlockKind::Size), FieldType::String]),
            "What to use instead.",
        ),
        NOTE,
        SOURCE,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fact_has_source_date_and_certainty() {
        for spec in SPECS.iter().filter(|s| s.top_level) {
            for name in ["source", "as_of", "sure"] {
                assert!(spec.fields.iter().any(|f| f.name == name), "{} lacks `{name}`", spec.kind.keyword());
            }
        }
    }

    #[test]
    fn field_names_are_unique_and_documented() {
        for spec in SPECS {
            let mut names: Vec<_> = spec.fields.iter().map(|f| f.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), spec.fields.len(), "{}", spec.kind.keyword());
            for f in spec.fields {
                assert!(f.doc.ends_with('.'), "{}.{}", spec.kind.keyword(), f.name);
                assert!(!(f.required && f.default.is_some()), "{}.{}", spec.kind.keyword(), f.name);
            }
        }
    }
}
