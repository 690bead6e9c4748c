//! Images and sizes as the rules read them: thin views of the blocks that hold the facts.

use super::read::{self, as_text};
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// What is known about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// Nobody looked it up.
    Unknown,
}

fn known(block: &Block, field: &str) -> Known {
    match read::text(block, field) {
        Some("yes") => Known::Yes,
        Some("no") => Known::No,
        _ => Known::Unknown,
    }
}

/// An image.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a>(pub &'a Block);

impl<'a> Image<'a> {
    /// Windows.
    #[must_use]
    pub fn windows(self) -> bool {
        read::text(self.0, "os") == Some("windows")
    }

    /// 1 or 2.
    #[must_use]
    pub fn generation(self) -> Option<i64> {
        read::int(self.0, "generation")
    }

    /// `x64` or `arm64`.
    #[must_use]
    pub fn architecture(self) -> &'a str {
        read::text(self.0, "architecture").unwrap_or("x64")
    }

    /// Publisher, offer and SKU of a Marketplace image.
    #[must_use]
    pub fn marketplace(self) -> Option<(&'a str, &'a str, &'a str)> {
        Some((read::text(self.0, "publisher")?, read::text(self.0, "offer")?, read::text(self.0, "sku")?))
    }

    /// Resource id of a gallery image.
    #[must_use]
    pub fn id(self) -> Option<&'a Value> {
        read::late(self.0, "id")
    }

    /// An image of the data-science line without the HPC drivers.
    #[must_use]
    pub fn is_dsvm(self) -> bool {
        self.marketplace().is_some_and(|(publisher, offer, _)| publisher == "microsoft-dsvm" && offer != "ubuntu-hpc")
    }

    /// Version, `latest` when nothing else is said.
    #[must_use]
    pub fn version(self) -> Value {
        read::late(self.0, "version").cloned().unwrap_or_else(|| Value::String("latest".into()))
    }

    /// Whether it holds a driver.
    #[must_use]
    pub fn has_driver(self, vendor: &str) -> bool {
        read::items(self.0, "drivers").iter().filter_map(as_text).any(|d| d == vendor)
    }

    /// Whether a service answers after the first boot.
    #[must_use]
    pub fn serves(self, service: &str) -> bool {
        read::items(self.0, "serves").iter().filter_map(as_text).any(|s| s == service)
    }

    /// Whether it starts from NVMe disks.
    #[must_use]
    pub fn nvme(self) -> Known {
        known(self.0, "nvme")
    }

    /// Whether it starts with Secure Boot and vTPM.
    #[must_use]
    pub fn trusted_launch(self) -> Known {
        known(self.0, "trusted_launch")
    }

    /// Bytes of its system disk.
    #[must_use]
    pub fn os_disk(self) -> Option<i64> {
        read::int(self.0, "os_disk")
    }

    /// The range that Docker inside takes.
    #[must_use]
    pub fn docker_bridge(self) -> Option<ipnet::IpNet> {
        match self.0.get("docker_bridge") {
            Some(Value::Cidr(net)) => Some(*net),
            _ => None,
        }
    }

    /// `current`, `stale`, `deprecated`, `gone`
    #[must_use]
    pub fn state(self) -> &'a str {
        read::text(self.0, "state").unwrap_or("current")
    }

    /// Its purchase plan: name, publisher, product.
    #[must_use]
    pub fn plan(self) -> Option<(&'a str, &'a str, &'a str)> {
        let plan = read::child(self.0, BlockKind::Plan)?;
        Some((read::text(plan, "name")?, read::text(plan, "publisher")?, read::text(plan, "product")?))
    }

    /// Its end.
    #[must_use]
    pub fn retirement(self) -> Option<Retirement<'a>> {
        read::child(self.0, BlockKind::Retirement).map(Retirement)
    }

    /// Ubuntu 22.04 or 24.04, as far as its facts tell.
    #[must_use]
    pub fn ubuntu(self) -> Option<&'static str> {
        let says = |needle: &str| {
            ["os_name", "sku", "offer"].iter().filter_map(|f| read::text(self.0, f)).any(|t| t.contains(needle))
        };
        if says("24.04") || says("24_04") || says("2404") {
            Some("24.04")
        } else if says("22.04") || says("22_04") || says("2204") {
            Some("22.04")
        } else {
            None
        }
    }
}

/// A size of machine.
#[derive(Clone, Copy, Debug)]
pub struct Size<'a>(pub &'a Block);

impl<'a> Size<'a> {
    /// As Azure spells it.
    #[must_use]
    pub fn name(self) -> &'a str {
        read::text(self.0, "name").unwrap_or(&self.0.name)
    }

    /// Virtual processors.
    #[must_use]
    pub fn vcpu(self) -> Option<i64> {
        read::int(self.0, "vcpu")
    }

    /// Whether it has a GPU or a part of one.
    #[must_use]
    pub fn has_gpu(self) -> bool {
        match self.0.get("gpu") {
            Some(Value::Int(n)) => *n > 0,
            Some(Value::Decimal(d)) => *d > Decimal::ZERO,
            _ => false,
        }
    }

    /// `nvidia` or `amd`.
    #[must_use]
    pub fn gpu_vendor(self) -> Option<&'a str> {
        read::text(self.0, "gpu_vendor")
    }

    /// Short name of the GPU.
    #[must_use]
    pub fn gpu_model(self) -> Option<&'a str> {
        read::text(self.0, "gpu_model")
    }

    /// Joined by NVSwitch.
    #[must_use]
    pub fn nvswitch(self) -> bool {
        read::flag(self.0, "nvswitch", false)
    }

    /// Made for remote screens (the NV series), with another kind of driver.
    #[must_use]
    pub fn visualization(self) -> bool {
        self.name().strip_prefix("Standard_NV").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Burstable.
    #[must_use]
    pub fn burstable(self) -> bool {
        self.name().strip_prefix("Standard_B").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Memory-preserving updates: B, D, E and F (others are limited on flexible scale sets with several fault domains).
    #[must_use]
    pub fn infiniband(self) -> Option<&'a str> {
        read::text(self.0, "infiniband")
    }

    /// `no`, `yes`, `required`
    #[must_use]
    pub fn accelerated_networking(self) -> &'a str {
        read::text(self.0, "accelerated_networking").unwrap_or("no")
    }

    /// Generations that it boots.
    #[must_use]
    pub fn generations(self) -> Vec<i64> {
        read::items(self.0, "generations").iter().filter_map(read::as_int).collect()
    }

    /// `x64` or `arm64`.
    #[must_use]
    pub fn architecture(self) -> &'a str {
        read::text(self.0, "architecture").unwrap_or("x64")
    }

    /// Where an ephemeral system disk can be placed, in Azure's words, and how many bytes fit there when known.
    #[must_use]
    pub fn ephemeral(self) -> Option<(&'static str, Option<i64>)> {
        let places = read::texts(self.0, "ephemeral");
        let temporary = read::int(self.0, "temp_disk").filter(|b| *b > 0);
        if places.contains(&"nvme_disk") {
            Some(("NvmeDisk", read::int(self.0, "nvme_disk").or(temporary)))
        } else if places.contains(&"resource_disk") {
            Some(("ResourceDisk", temporary))
        } else if places.contains(&"cache_disk") {
            Some(("CacheDisk", None))
        } else {
            None
        }
    }

    /// NVMe is the only way to attach disks.
    #[must_use]
    pub fn nvme_only(self) -> bool {
        let controllers = read::texts(self.0, "disk_controllers");
        !controllers.is_empty() && controllers.iter().all(|c| *c == "nvme")
    }

    /// Premium disks can be attached.
    #[must_use]
    pub fn premium(self) -> bool {
        read::flag(self.0, "premium", true)
    }

    /// Offered at spot price.
    #[must_use]
    pub fn spot(self) -> Known {
        known(self.0, "spot")
    }

    /// Whether Trusted Launch works.
    #[must_use]
    pub fn trusted_launch(self) -> bool {
        read::flag(self.0, "trusted_launch", self.generations().contains(&2))
    }

    /// Its end.
    #[must_use]
    pub fn retirement(self) -> Option<Retirement<'a>> {
        read::child(self.0, BlockKind::Retirement).map(Retirement)
    }
}

/// The end of an image or a size.
#[derive(Clone, Copy, Debug)]
pub struct Retirement<'a>(pub &'a Block);

impl<'a> Retirement<'a> {
    /// One of its dates.
    #[must_use]
    pub fn date(self, field: &str) -> Option<Date> {
        match self.0.get(field) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    /// What to use instead, as a word that can be written.
    #[must_use]
    pub fn successor(self, checked: &'a dsvm_sema::checked::Checked) -> Option<String> {
        match self.0.get("successor")? {
            Value::Ref(id) => Some(format!("{}s.{}", checked[*id].kind.keyword(), checked[*id].name)),
            Value::String(text) => Some(text.to_string()),
            _ => None,
        }
    }
}
