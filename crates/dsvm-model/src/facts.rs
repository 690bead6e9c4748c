//! Images and sizes as the rules read them: thin views of the blocks that hold the facts.

use dsvm_sema::checked::Checked;
use dsvm_sema::table::choices::Successor;
use dsvm_sema::table::facts as rows;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::{
    Architecture, DiskController, Driver, EphemeralPlace, GpuVendor, ImageState, Os, ServiceName,
};
use dsvm_sema::value::Value;
use jiff::civil::Date;
use rust_decimal::Decimal;

pub use dsvm_sema::table::words::{Known, NetworkAcceleration};

/// The `image` block that a pool refers to.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a>(pub View<'a, rows::Image>);

impl<'a> Image<'a> {
    /// Name of its block.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.0.block().name
    }

    /// Whether its operating system is Windows.
    #[must_use]
    pub fn windows(self) -> bool {
        self.0.os() == Some(Os::Windows)
    }

    /// Generation of virtual machine that it boots: 1 or 2.
    #[must_use]
    pub fn generation(self) -> Option<i64> {
        self.0.generation()
    }

    /// Instruction set that it is built for.
    #[must_use]
    pub fn architecture(self) -> Architecture {
        self.0.architecture()
    }

    /// Publisher, offer and SKU of a Marketplace image.
    #[must_use]
    pub fn marketplace(self) -> Option<(&'a str, &'a str, &'a str)> {
        Some((self.0.publisher()?, self.0.offer()?, self.0.sku()?))
    }

    /// Resource id of a gallery image.
    #[must_use]
    pub fn id(self) -> Option<&'a Value> {
        self.0.id().map(|id| id.value())
    }

    /// An image of the data-science line without the HPC drivers.
    #[must_use]
    pub fn is_dsvm(self) -> bool {
        self.marketplace().is_some_and(|(publisher, offer, _)| publisher == "microsoft-dsvm" && offer != "ubuntu-hpc")
    }

    /// Version; nothing after a report only.
    #[must_use]
    pub fn version(self) -> Option<&'a Value> {
        self.0.version().map(|version| version.value())
    }

    /// Whether it holds the driver of a vendor's GPUs.
    #[must_use]
    pub fn has_driver(self, vendor: GpuVendor) -> bool {
        let driver = match vendor {
            GpuVendor::Nvidia => Driver::Nvidia,
            GpuVendor::Amd => Driver::Amd,
        };
        self.0.drivers().into_iter().any(|d| d == driver)
    }

    /// Whether a service answers after the first boot.
    #[must_use]
    pub fn serves(self, service: ServiceName) -> bool {
        self.0.serves().into_iter().any(|s| s == service)
    }

    /// Whether it starts from NVMe disks.
    #[must_use]
    pub fn nvme(self) -> Known {
        self.0.nvme()
    }

    /// Whether Azure upgrades it by itself.
    #[must_use]
    pub fn os_upgrades(self) -> Known {
        self.0.os_upgrades()
    }

    /// The version that is pinned, when one is: not `latest`, and known before the deployment. Of a gallery image, the
    /// version that its id ends with.
    #[must_use]
    pub fn pinned(self) -> Option<&'a str> {
        let text = |value: &'a Value| match value {
            Value::String(text) => Some(text.as_ref()),
            _ => None,
        };
        match self.id() {
            Some(id) => {
                let (rest, version) = text(id)?.rsplit_once('/')?;
                let pinned =
                    rest.to_ascii_lowercase().ends_with("/versions") && !version.eq_ignore_ascii_case("latest");
                pinned.then_some(version)
            }
            None => text(self.version()?).filter(|version| !version.eq_ignore_ascii_case("latest")),
        }
    }

    /// The day until which the publisher keeps the pinned version: versions of the data science images are named for the
    /// day on which they were made (`25.06.18`).
    #[must_use]
    pub fn version_kept_until(self) -> Option<Date> {
        let mut parts = self.pinned()?.split('.').map(|part| part.parse::<i16>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || !(0..100).contains(&year) {
            return None;
        }
        let made = Date::new(2000 + year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let days = self.0.version_lifetime()? / (24 * 60 * 60);
        made.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    }

    /// Whether it starts with Secure Boot and vTPM.
    #[must_use]
    pub fn trusted_launch(self) -> Known {
        self.0.trusted_launch()
    }

    /// Bytes of its system disk.
    #[must_use]
    pub fn os_disk(self) -> Option<i64> {
        self.0.os_disk()
    }

    /// The range that Docker inside takes.
    #[must_use]
    pub fn docker_bridge(self) -> Option<ipnet::IpNet> {
        self.0.docker_bridge()
    }

    /// How far the publisher still keeps it up.
    #[must_use]
    pub fn state(self) -> ImageState {
        self.0.state()
    }

    /// Its purchase plan: name, publisher, product.
    #[must_use]
    pub fn plan(self) -> Option<(&'a str, &'a str, &'a str)> {
        let plan = self.0.plan()?;
        Some((plan.name()?, plan.publisher()?, plan.product()?))
    }

    /// Dates of its end, when it has one.
    #[must_use]
    pub fn retirement(self) -> Option<Retirement<'a>> {
        self.0.retirement().map(Retirement)
    }

    /// Ubuntu 22.04 or 24.04, as far as its facts tell.
    #[must_use]
    pub fn ubuntu(self) -> Option<&'static str> {
        let facts = [self.0.os_name(), self.0.sku(), self.0.offer()];
        facts.into_iter().flatten().find_map(|text| {
            let says = |ways: [&str; 3]| ways.iter().any(|way| text.contains(way));
            match () {
                () if says(["24.04", "24_04", "2404"]) => Some("24.04"),
                () if says(["22.04", "22_04", "2204"]) => Some("22.04"),
                () => None,
            }
        })
    }
}

/// The `size` block that a pool refers to.
#[derive(Clone, Copy, Debug)]
pub struct Size<'a>(pub View<'a, rows::Size>);

impl<'a> Size<'a> {
    /// As Azure spells it.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.0.name().unwrap_or(&self.0.block().name)
    }

    /// Number of virtual processors.
    #[must_use]
    pub fn vcpu(self) -> Option<i64> {
        self.0.vcpu()
    }

    /// Bytes of main memory of one machine.
    #[must_use]
    pub fn memory(self) -> Option<i64> {
        self.0.memory()
    }

    /// Whether it has a GPU or a part of one.
    #[must_use]
    pub fn has_gpu(self) -> bool {
        self.0.gpu() > Decimal::ZERO
    }

    /// Whose driver its GPUs need.
    #[must_use]
    pub fn gpu_vendor(self) -> Option<GpuVendor> {
        self.0.gpu_vendor()
    }

    /// Short name of the GPU.
    #[must_use]
    pub fn gpu_model(self) -> Option<&'a str> {
        self.0.gpu_model()
    }

    /// Whether its GPUs are joined by NVSwitch.
    #[must_use]
    pub fn nvswitch(self) -> bool {
        self.0.nvswitch()
    }

    /// Made for remote screens (the NV series), with another kind of driver.
    #[must_use]
    pub fn visualization(self) -> bool {
        self.name().strip_prefix("Standard_NV").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Whether it belongs to the burstable B series.
    #[must_use]
    pub fn burstable(self) -> bool {
        self.name().strip_prefix("Standard_B").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Kind and speed of its InfiniBand adapter.
    #[must_use]
    pub fn infiniband(self) -> Option<&'a str> {
        self.0.infiniband()
    }

    /// Whether its network card can, or must, bypass the host.
    #[must_use]
    pub fn accelerated_networking(self) -> NetworkAcceleration {
        self.0.accelerated_networking()
    }

    /// Generations that it boots.
    #[must_use]
    pub fn generations(self) -> Vec<i64> {
        self.0.generations().into_iter().flatten().collect()
    }

    /// Instruction set of its processors.
    #[must_use]
    pub fn architecture(self) -> Architecture {
        self.0.architecture()
    }

    /// Where an ephemeral system disk is placed best, and how many bytes fit there when known.
    #[must_use]
    pub fn ephemeral(self) -> Option<(EphemeralPlace, Option<i64>)> {
        let places: Vec<EphemeralPlace> = self.0.ephemeral().into_iter().collect();
        let temporary = Some(self.0.temp_disk()).filter(|bytes| *bytes > 0);
        let best = [EphemeralPlace::NvmeDisk, EphemeralPlace::ResourceDisk, EphemeralPlace::CacheDisk];
        let place = best.into_iter().find(|place| places.contains(place))?;
        let space = match place {
            EphemeralPlace::NvmeDisk => self.0.nvme_disk().or(temporary),
            EphemeralPlace::ResourceDisk => temporary,
            EphemeralPlace::CacheDisk => None,
        };
        Some((place, space))
    }

    /// NVMe is the only way to attach disks.
    #[must_use]
    pub fn nvme_only(self) -> bool {
        let mut controllers = self.0.disk_controllers().into_iter().peekable();
        controllers.peek().is_some() && controllers.all(|c| c == DiskController::Nvme)
    }

    /// Premium disks can be attached.
    #[must_use]
    pub fn premium(self) -> bool {
        self.0.premium()
    }

    /// Whether it is offered at spot price. Promotional versions of sizes are not
    /// (<https://learn.microsoft.com/azure/virtual-machines/spot-vms#limitations>, 2023-03-09).
    #[must_use]
    pub fn spot(self) -> Known {
        let name = self.name();
        let promotional = name.len().checked_sub(6).and_then(|at| name.get(at..));
        match promotional.is_some_and(|end| end.eq_ignore_ascii_case("_Promo")) {
            true => Known::No,
            false => self.0.spot(),
        }
    }

    /// Whether Trusted Launch works: as its facts say, else when it boots generation 2.
    #[must_use]
    pub fn trusted_launch(self) -> bool {
        self.0.trusted_launch().unwrap_or_else(|| self.generations().contains(&2))
    }

    /// Dates of its end, when it has one.
    #[must_use]
    pub fn retirement(self) -> Option<Retirement<'a>> {
        self.0.retirement().map(Retirement)
    }
}

/// The end of an image or a size.
#[derive(Clone, Copy, Debug)]
pub struct Retirement<'a>(pub View<'a, rows::Retirement>);

impl Retirement<'_> {
    /// The day from which it cannot be deployed, if that has come.
    #[must_use]
    pub fn retired_by(self, as_of: Date) -> Option<Date> {
        self.0.retired().filter(|date| *date <= as_of)
    }

    /// The day from which new subscriptions cannot use it, if that has come.
    #[must_use]
    pub fn restricted_by(self, as_of: Date) -> Option<Date> {
        self.0.growth_restricted().filter(|date| *date <= as_of)
    }

    /// The day from which it cannot be deployed.
    #[must_use]
    pub fn retired(self) -> Option<Date> {
        self.0.retired()
    }

    /// What to use instead, as a word that can be written.
    #[must_use]
    pub fn successor(self, checked: &Checked) -> Option<String> {
        Some(match self.0.successor()? {
            Successor::Block(id) => format!("{}s.{}", checked[id].kind.keyword(), checked[id].name),
            Successor::Name(text) => text.to_owned(),
        })
    }
}
