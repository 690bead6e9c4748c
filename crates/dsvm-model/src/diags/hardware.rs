//! Images, sizes, disks, boot, spot, health.

use super::{new, successor};
use crate::facts::{Image, Size};
use crate::hardware::SetupTime;
use crate::pool::Orchestration;
use crate::units::{Seconds, size as in_words};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_sema::checked::Block;
use jiff::civil::Date;

pub(crate) fn grace_below_setup(grace: Seconds, span: Span, setup: SetupTime) -> Diagnostic {
    let takes = setup.takes;
    new(
        Code::GraceBelowSetup,
        format!("new machines are left alone for {grace}, and their setup takes {takes}"),
        span,
        "ends before the setup does",
    )
    .also(setup.span, "the setup takes this long")
    .note("a machine that is repaired in the middle of its setup begins anew, and is never done")
    .help(format!("write `grace = {takes}` or longer, or leave it out"))
}

pub(crate) fn zone_twice(zone: i64, span: Span) -> Diagnostic {
    new(Code::OutOfBounds, format!("zone {zone} is named twice"), span, "each zone once").help("name each zone once")
}

pub(crate) fn image_without_source(name: &str, why: &str, span: Span) -> Diagnostic {
    new(Code::ImageWithoutSource, format!("where is image `{name}` found?"), span, why)
        .help("write `publisher`, `offer` and `sku` of the Marketplace, or `id` of a gallery image")
}

pub(crate) fn image_is_no_id(name: &str, span: Span) -> Diagnostic {
    new(Code::ImageWithoutSource, format!("the `id` of image `{name}` is no resource id"), span, "not an id")
        .note("it begins with `/subscriptions/`, `/sharedGalleries/` or `/communityGalleries/`")
        .help("copy the id of the gallery image: `az sig image-definition show … --query id`")
}

pub(crate) fn image_is_gone(name: &str, span: Span, retired: Option<Date>, next: Option<String>) -> Diagnostic {
    let found =
        new(Code::ImageIsGone, format!("image `{name}` can no longer be deployed"), span, "gone from the Marketplace");
    let found = match retired {
        Some(date) => found.note(format!("it ended on {date}")),
        None => found,
    };
    successor(found, "image", next)
}

pub(crate) fn image_is_ageing(name: &str, span: Span, next: Option<String>) -> Diagnostic {
    let found = new(
        Code::ImageIsAgeing,
        format!("the end of image `{name}` is announced"),
        span,
        "will not be deployable much longer",
    );
    successor(found, "image", next)
}

pub(crate) fn size_is_retired(name: &str, span: Span, date: Date, next: Option<String>) -> Diagnostic {
    let found = new(Code::SizeIsRetired, format!("size `{name}` is retired"), span, "cannot be deployed")
        .note(format!("Azure retired it on {date}"));
    successor(found, "size", next)
}

pub(crate) fn size_is_restricted(
    name: &str,
    span: Span,
    since: Date,
    end: Option<Date>,
    next: Option<String>,
) -> Diagnostic {
    let found =
        new(Code::SizeIsRestricted, format!("new subscriptions cannot use size `{name}`"), span, "on its way out")
            .note(format!("since {since} Azure gives new subscriptions none of it and raises no quota"));
    let found = match end {
        Some(date) => found.note(format!("it is retired on {date}")),
        None => found,
    };
    successor(found, "size", next)
}

pub(crate) fn generation_mismatch(
    image: Image<'_>,
    generation: i64,
    size: Size<'_>,
    at_image: Span,
    at_size: Span,
) -> Diagnostic {
    let boots: Vec<String> = size.generations().iter().map(i64::to_string).collect();
    new(
        Code::GenerationMismatch,
        format!("size `{}` does not boot generation {generation}", size.name()),
        at_size,
        "boots another generation",
    )
    .also(at_image, format!("an image of generation {generation}"))
    .note(format!(
        "`{}` boots generation {}; image `{}` is of generation {generation}",
        size.name(),
        boots.join(" and "),
        image.name()
    ))
    .help("choose an image of the same line with that generation, or another size")
}

pub(crate) fn architecture_mismatch(image: Image<'_>, size: Size<'_>, at_image: Span, at_size: Span) -> Diagnostic {
    new(
        Code::ArchitectureMismatch,
        format!(
            "image `{}` is made for {}, size `{}` has {} processors",
            image.name(),
            image.architecture(),
            size.name(),
            size.architecture()
        ),
        at_image,
        "for another processor",
    )
    .also(at_size, format!("{} processors", size.architecture()))
    .help(format!(
        "choose a size with {} processors, or an image made for {}",
        image.architecture(),
        size.architecture()
    ))
}

pub(crate) fn image_without_nvme(image: Image<'_>, size: Size<'_>, at_image: Span, at_size: Span) -> Diagnostic {
    new(
        Code::ImageWithoutNvme,
        format!("image `{}` cannot start from NVMe disks", image.name()),
        at_image,
        "knows SCSI disks only",
    )
    .also(at_size, "has NVMe disks only")
    .help(format!("choose a size of the fifth generation instead of `{}`, or an image that knows NVMe", size.name()))
}

pub(crate) fn image_perhaps_without_nvme(
    image: Image<'_>,
    size: Size<'_>,
    at_image: Span,
    at_size: Span,
) -> Diagnostic {
    new(
        Code::ImagePerhapsWithoutNvme,
        format!("image `{}` is not known to start from NVMe disks", image.name()),
        at_image,
        "nobody wrote down whether it does",
    )
    .also(at_size, "has NVMe disks only")
    .help(format!("choose a size of the fifth generation instead of `{}`, or declare an image with `nvme = yes` once you have seen it start", size.name()))
}

pub(crate) fn gpu_without_driver(
    image: Image<'_>,
    size: Size<'_>,
    vendor: &str,
    at_image: Span,
    at_size: Span,
) -> Diagnostic {
    new(Code::GpuWithoutDriver, format!("image `{}` has no driver for the GPUs of `{}`", image.name(), size.name()), at_image, format!("lacks the {vendor} driver").as_str())
        .also(at_size, "a size with GPUs")
        .help("choose an image with the driver, such as `images.ubuntu_2204` or `images.ubuntu_hpc_2404`, or declare your own image with `drivers`")
}

pub(crate) fn visualization_size(image: Image<'_>, size: Size<'_>, at_size: Span, at_image: Span) -> Diagnostic {
    new(
        Code::VisualizationSize,
        format!("image `{}` does not work on `{}`", image.name(), size.name()),
        at_size,
        "made for remote screens",
    )
    .also(at_image, "carries the CUDA driver")
    .note("sizes of the NV series need the GRID driver, which the CUDA driver of the data science images excludes")
    .help("choose a size of the NC series")
}

pub(crate) fn nvswitch_without_fabric_manager(image: Image<'_>, size: Size<'_>, span: Span) -> Diagnostic {
    new(
        Code::NvswitchWithoutFabricManager,
        format!("the GPUs of `{}` do not work without the Fabric Manager", size.name()),
        span,
        "joins its GPUs by NVSwitch",
    )
    .note(format!("image `{}` does not have the Fabric Manager", image.name()))
    .help("install it in `setup`, in the version of the image's driver, or choose an HPC image")
}

pub(crate) fn ephemeral_disk_impossible(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(
        Code::EphemeralDiskImpossible,
        format!("size `{name}` has no place for an ephemeral system disk"),
        span,
        "needs local storage",
    )
    .also(at_size, "has none for it")
    .help("write `os_disk = premium_ssd`, or choose a size with a temporary disk, such as one of the Ddsv5 series")
}

pub(crate) fn ephemeral_disk_too_small(name: &str, space: i64, need: i64, span: Span) -> Diagnostic {
    new(
        Code::EphemeralDiskTooSmall,
        format!("an ephemeral system disk of {} does not fit into `{name}`", in_words(need)),
        span,
        "too large for the local storage",
    )
    .note(format!("`{name}` has {} for it", in_words(space)))
    .help("write `os_disk = premium_ssd`, or choose a larger size of the series")
}

pub(crate) fn os_disk_below_image(wanted: i64, least: i64, span: Span, image: &str) -> Diagnostic {
    new(
        Code::OsDiskBelowImage,
        format!("a system disk of {} cannot hold image `{image}`", in_words(wanted)),
        span,
        "smaller than the image",
    )
    .help(format!("write at least `{}`, or leave `os_disk_size` out", in_words(least)))
}

pub(crate) fn premium_disk_impossible(name: &str, span: Span) -> Diagnostic {
    new(Code::PremiumDiskImpossible, format!("size `{name}` takes no premium disks"), span, "cannot be attached")
        .help("write `os_disk = standard_ssd`")
}

pub(crate) fn trusted_launch_impossible(image: Image<'_>, size: Size<'_>, span: Span) -> Diagnostic {
    let why = if image.generation() == Some(2) && size.trusted_launch() {
        "the image is known not to start under it"
    } else {
        "it needs an image and a size of generation 2"
    };
    new(Code::TrustedLaunchImpossible, "Trusted Launch is not possible here", span, "cannot be had")
        .note(format!("image `{}` on `{}`: {why}", image.name(), size.name()))
        .help("choose an image of generation 2, or write `security = standard`")
}

pub(crate) fn secure_boot_without_launch(span: Span) -> Diagnostic {
    new(Code::TrustedLaunchImpossible, "Secure Boot is a part of Trusted Launch", span, "without Trusted Launch")
        .help("choose an image of generation 2 and leave `security` out, or leave `secure_boot` out")
}

pub(crate) fn secure_boot_with_gpu(name: &str, span: Span) -> Diagnostic {
    new(
        Code::SecureBootWithGpu,
        format!("GPU drivers on `{name}` may not load under Secure Boot"),
        span,
        "refuses unsigned drivers",
    )
    .note("the NVIDIA driver extension does not work with Secure Boot, and drivers inside images are often unsigned")
    .help("leave `secure_boot` out, unless you have seen the driver load")
}

pub(crate) fn windows_pool(name: &str, span: Span) -> Diagnostic {
    new(Code::WindowsPool, "interactive pools run Linux", span, "a Windows image")
        .note("JupyterHub, links and the mount of shares exist for Linux images; behind a balancer Remote Desktop reaches any machine, without the user's profile")
        .help(format!("choose a Linux image, or declare the scale set of `{name}` as a `resource`"))
}

pub(crate) fn spot_not_offered(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(Code::SpotNotOffered, format!("size `{name}` is not offered at spot price"), span, "cannot be had")
        .also(at_size, "regular only")
        .help("write `priority = regular`, or choose another size")
}

pub(crate) fn spot_terms_of_regular(span: Span, pool: &Block) -> Diagnostic {
    new(
        Code::SpotTermsOfRegular,
        format!("pool `{}` has spot terms but no spot machines", pool.name),
        span,
        "holds for spot machines only",
    )
    .note("Azure refuses eviction and price settings of regular machines")
    .help("add `priority = spot`, or take the `spot` block out")
}

pub(crate) fn deallocate_under_autoscale(span: Span) -> Diagnostic {
    new(Code::EvictionUnderAutoscale, "autoscale counts machines that were deallocated", span, "keeps evicted machines")
        .note("deallocated machines count toward the capacity, so the pool would look full and never be refilled")
        .help("write `on_eviction = delete`")
}

pub(crate) fn restore_under_autoscale(span: Span) -> Diagnostic {
    new(Code::EvictionUnderAutoscale, "spot machines are not restored under autoscale", span, "fights with autoscale")
        .note("Azure's restore policy has no effect on scale sets with autoscale; autoscale's own smallest number refills the pool")
        .help("take `restore` out")
}

pub(crate) fn max_price_not_per_hour(span: Span) -> Diagnostic {
    new(
        Code::MaxPriceRefused,
        "the highest spot price is not a price in US dollars per hour",
        span,
        "Azure compares dollars per hour",
    )
    .help("write it as, for instance, `1.20 USD/h`, or leave it out to pay at most the regular price")
}

pub(crate) fn notice_on_spot(span: Span) -> Diagnostic {
    new(
        Code::NoticeOnSpot,
        "spot machines get no notice before they are deleted",
        span,
        "has no effect on spot machines",
    )
    .note("Azure refuses the termination notification on spot scale sets")
    .help("take `notice` out")
}

pub(crate) fn tcp_health_with_path(span: Span) -> Diagnostic {
    new(Code::HealthCheckIncomplete, "a TCP health check has no path", span, "belongs to http and https")
        .help("take `path` out, or write `protocol = https`")
}

pub(crate) fn http_health_without_path(span: Span) -> Diagnostic {
    new(Code::HealthCheckIncomplete, "an HTTP health check without a path", span, "asks for no page")
        .help("add, for instance, `path = \"/hub/health\"`")
}

pub(crate) fn half_a_health_check(span: Span) -> Diagnostic {
    new(
        Code::HealthCheckIncomplete,
        "a health check with only one of `protocol` and `port`",
        span,
        "needs both or neither",
    )
    .help("give both, or neither to use the check that dsvmc puts on each machine")
}

pub(crate) fn region_without_zones(name: &str, span: Span) -> Diagnostic {
    new(Code::RegionWithoutZones, format!("region `{name}` has no availability zones"), span, "cannot be placed")
        .help("take `zones` out, or choose another region")
}

pub(crate) fn pool_in_other_region(here: &str, there: &str, span: Span, network: Option<Span>) -> Diagnostic {
    let diagnostic = new(
        Code::PoolInOtherRegion,
        format!("the pool is in `{here}`, its network in `{there}`"),
        span,
        "Azure places machines only in the region of their network",
    );
    match network {
        Some(network) => diagnostic
            .also(network, format!("in `{there}`"))
            .help(format!("choose a network in `{here}`, or leave `location` out")),
        None => diagnostic.help(format!("declare a network with `location = {here}` and name it in the pool")),
    }
}

pub(crate) fn orchestration_clash(span: Span, reason: &str, at_reason: Span) -> Diagnostic {
    new(
        Code::OrchestrationClash,
        "a flexible scale set cannot do what this pool needs",
        span,
        "flexible is written here",
    )
    .also(at_reason, "needs a uniform scale set")
    .note(format!("{reason}; flexible scale sets have neither"))
    .help("write `orchestration = uniform` or leave it out, or take the other setting out")
}

pub(crate) fn too_many_machines(most: i64, limit: i64, span: Span, kind: Orchestration) -> Diagnostic {
    let kind = if kind == Orchestration::Uniform { "uniform" } else { "flexible" };
    new(
        Code::TooManyMachines,
        format!("{most} machines are more than a scale set holds"),
        span,
        "too many for one pool",
    )
    .note(format!("a {kind} scale set holds at most {limit} machines"))
    .help("make several pools of it: `pool name[x in xs]: interactive { … }`")
}

pub(crate) fn infiniband_beyond_placement_group(name: &str, most: i64, span: Span) -> Diagnostic {
    new(
        Code::TooManyMachines,
        format!("{most} machines of `{name}` cannot share an InfiniBand network"),
        span,
        "more than one placement group",
    )
    .note("InfiniBand reaches the 100 machines of one placement group")
    .help("write at most 100 machines")
}
