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
use rust_decimal::Decimal;

pub(crate) fn grace_below_setup(grace: Seconds, span: Span, setup: SetupTime) -> Diagnostic {
    let takes = setup.takes;
    new(
        Code::GraceBelowSetup,
        format!("the grace period of new machines is {grace}, but their setup takes {takes}"),
        span,
        "ends before the setup does",
    )
    .also(setup.span, "the setup takes this long")
    .note("a machine that is repaired during its setup starts over and never finishes")
    .help(format!("write `grace = {takes}` or longer, or omit it"))
}

pub(crate) fn zone_twice(zone: i64, span: Span) -> Diagnostic {
    new(Code::OutOfBounds, format!("zone {zone} is named twice"), span, "listed again").help("list each zone once")
}

pub(crate) fn image_without_source(name: &str, why: &str, span: Span) -> Diagnostic {
    new(Code::ImageWithoutSource, format!("image `{name}` has no source"), span, why)
        .help("write `publisher`, `offer` and `sku` of the Marketplace, or `id` of a gallery image")
}

pub(crate) fn image_is_no_id(name: &str, span: Span) -> Diagnostic {
    new(Code::ImageWithoutSource, format!("the `id` of image `{name}` is not a resource id"), span, "not a resource id")
        .note("it must start with `/subscriptions/`, `/sharedGalleries/` or `/communityGalleries/`")
        .help("copy the id of the gallery image: `az sig image-definition show … --query id`")
}

pub(crate) fn image_is_gone(name: &str, span: Span, retired: Option<Date>, next: Option<String>) -> Diagnostic {
    let found = new(
        Code::ImageIsGone,
        format!("image `{name}` can no longer be deployed"),
        span,
        "no longer in the Marketplace",
    );
    let found = match retired {
        Some(date) => found.note(format!("it was retired on {date}")),
        None => found,
    };
    successor(found, "image", next)
}

pub(crate) fn image_is_ageing(name: &str, span: Span, next: Option<String>) -> Diagnostic {
    let found = new(
        Code::ImageIsAgeing,
        format!("the retirement of image `{name}` has been announced"),
        span,
        "cannot be deployed for much longer",
    );
    successor(found, "image", next)
}

pub(crate) fn image_version_expired(name: &str, version: &str, until: Date, span: Span) -> Diagnostic {
    new(
        Code::ImageVersionExpired,
        format!("version `{version}` of image `{name}` may no longer be deployable"),
        span,
        "a pinned version",
    )
    .note(format!(
        "its publisher keeps a version for a limited time, this one until {until}; new machines start from it too"
    ))
    .help("pin a newer version, or omit `version` to use the newest one")
}

pub(crate) fn os_images_of_pinned(name: &str, version: &str, span: Span, image: Span) -> Diagnostic {
    new(
        Code::OsImagesRefused,
        format!("image `{name}` is pinned to version `{version}`, so Azure cannot upgrade it"),
        span,
        "automatic OS image upgrades",
    )
    .also(image, "a pinned version")
    .note("Azure accepts automatic OS image upgrades only where the version of the image is `latest`")
    .help("omit `version` in the image, or omit `os_images` and change the version by hand")
}

pub(crate) fn os_images_unsupported(name: &str, span: Span, image: Span) -> Diagnostic {
    new(
        Code::OsImagesRefused,
        format!("Azure does not upgrade image `{name}` automatically"),
        span,
        "automatic OS image upgrades",
    )
    .also(image, "not on Azure's list of images for them")
    .help("omit `os_images`, or use an image of your own from a gallery")
}

pub(crate) fn os_images_unlisted(name: &str, span: Span, image: Span) -> Diagnostic {
    new(
        Code::OsImagesUnlisted,
        format!("image `{name}` is not known to be one that Azure upgrades automatically"),
        span,
        "automatic OS image upgrades",
    )
    .also(image, "not known to be on Azure's list of images for them")
    .note("Azure rejects a scale set with automatic OS image upgrades of any other Marketplace image")
    .help("omit `os_images`, or write `os_upgrades = yes` in the image once you have found it on the list")
}

pub(crate) fn trusted_launch_unknown(name: &str, span: Span, image: Span) -> Diagnostic {
    new(
        Code::TrustedLaunchUnknown,
        format!("image `{name}` is not known to boot with Trusted Launch"),
        span,
        "Trusted Launch is asked for",
    )
    .also(image, "nothing is known about it")
    .note("Azure rejects Trusted Launch for an image whose definition does not declare it; `plan` asks Azure")
    .help("omit `security`, or declare an image with `trusted_launch = yes` once you have seen it boot")
}

pub(crate) fn spot_not_restored(span: Span, machines: Span) -> Diagnostic {
    new(Code::SpotNotRestored, "evicted spot machines do not come back", span, "can be evicted at any time")
        .also(machines, "a fixed number, which nothing restores")
        .help("add `spot { restore = 1 h }`: Azure then tries for so long to start evicted machines again")
        .help("or write a range of machines with `autoscale`, which refills the pool to its minimum")
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
        new(Code::SizeIsRestricted, format!("new subscriptions cannot use size `{name}`"), span, "being phased out")
            .note(format!("since {since}, Azure neither offers it to new subscriptions nor raises its quota"));
    let found = match end {
        Some(date) => found.note(format!("it will be retired on {date}")),
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
    .help("choose the image in a generation that the size boots, or another size")
}

pub(crate) fn architecture_mismatch(image: Image<'_>, size: Size<'_>, at_image: Span, at_size: Span) -> Diagnostic {
    new(
        Code::ArchitectureMismatch,
        format!(
            "image `{}` is built for {}, but size `{}` has {} processors",
            image.name(),
            image.architecture(),
            size.name(),
            size.architecture()
        ),
        at_image,
        "wrong architecture",
    )
    .also(at_size, format!("{} processors", size.architecture()))
    .help(format!(
        "choose a size with {} processors, or an image built for {}",
        image.architecture(),
        size.architecture()
    ))
}

pub(crate) fn image_without_nvme(image: Image<'_>, size: Size<'_>, at_image: Span, at_size: Span) -> Diagnostic {
    new(
        Code::ImageWithoutNvme,
        format!("image `{}` cannot boot from NVMe disks", image.name()),
        at_image,
        "supports SCSI disks only",
    )
    .also(at_size, "has NVMe disks only")
    .help(format!("choose a v5 size instead of `{}`, or an image that supports NVMe", size.name()))
}

pub(crate) fn image_perhaps_without_nvme(
    image: Image<'_>,
    size: Size<'_>,
    at_image: Span,
    at_size: Span,
) -> Diagnostic {
    new(
        Code::ImagePerhapsWithoutNvme,
        format!("image `{}` is not known to boot from NVMe disks", image.name()),
        at_image,
        "NVMe support is unknown",
    )
    .also(at_size, "has NVMe disks only")
    .help(format!(
        "choose a v5 size instead of `{}`, or declare an image with `nvme = yes` once you have verified that it boots",
        size.name()
    ))
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
        .help(match vendor {
            "nvidia" => "choose an image with the driver, such as `images.ubuntu_2204` or `images.ubuntu_hpc`, or declare your own image with `drivers`".to_owned(),
            other => format!("declare an image of your own that has the driver, with `drivers = [{other}]`"),
        })
}

pub(crate) fn visualization_size(image: Image<'_>, size: Size<'_>, at_size: Span, at_image: Span) -> Diagnostic {
    new(
        Code::VisualizationSize,
        format!("image `{}` does not work on `{}`", image.name(), size.name()),
        at_size,
        "designed for remote visualization",
    )
    .also(at_image, "includes the CUDA driver")
    .note("NV-series sizes need the GRID driver, which conflicts with the CUDA driver of the data science images")
    .help("choose an NC-series size")
}

pub(crate) fn nvswitch_without_fabric_manager(image: Image<'_>, size: Size<'_>, span: Span) -> Diagnostic {
    new(
        Code::NvswitchWithoutFabricManager,
        format!("the GPUs of `{}` do not work without the Fabric Manager", size.name()),
        span,
        "connects its GPUs with NVSwitch",
    )
    .note(format!("image `{}` does not have the Fabric Manager", image.name()))
    .help("install it in `setup`, in the version of the image's driver, or choose an HPC image")
}

pub(crate) fn ephemeral_disk_impossible(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(
        Code::EphemeralDiskImpossible,
        format!("size `{name}` has no local storage for an ephemeral OS disk"),
        span,
        "needs local storage",
    )
    .also(at_size, "has none")
    .help("write `os_disk = premium_ssd`, or choose a size with a temporary disk, such as a Ddsv5 size")
}

pub(crate) fn ephemeral_disk_too_small(name: &str, space: i64, need: i64, span: Span) -> Diagnostic {
    new(
        Code::EphemeralDiskTooSmall,
        format!("an ephemeral OS disk of {} does not fit on `{name}`", in_words(need)),
        span,
        "too large for the local storage",
    )
    .note(format!("`{name}` has {} of local storage for it", in_words(space)))
    .help("write `os_disk = premium_ssd`, or choose a larger size of the series")
}

pub(crate) fn os_disk_below_image(wanted: i64, least: i64, span: Span, image: &str) -> Diagnostic {
    new(
        Code::OsDiskBelowImage,
        format!("an OS disk of {} cannot hold image `{image}`", in_words(wanted)),
        span,
        "smaller than the image",
    )
    .help(format!("write at least `{}`, or omit `os_disk_size`", in_words(least)))
}

pub(crate) fn premium_disk_impossible(name: &str, span: Span) -> Diagnostic {
    new(
        Code::PremiumDiskImpossible,
        format!("size `{name}` does not support premium disks"),
        span,
        "cannot be attached",
    )
    .help("write `os_disk = standard_ssd`")
}

pub(crate) fn trusted_launch_impossible(image: Image<'_>, size: Size<'_>, span: Span) -> Diagnostic {
    let why = if image.generation() == Some(2) && size.trusted_launch() {
        "the image is known not to boot with it"
    } else {
        "it needs an image and a size of generation 2"
    };
    new(Code::TrustedLaunchImpossible, "Trusted Launch is not possible here", span, "not available")
        .note(format!("image `{}` on `{}`: {why}", image.name(), size.name()))
        .help("choose an image of generation 2, or write `security = standard`")
}

pub(crate) fn secure_boot_without_launch(span: Span) -> Diagnostic {
    new(Code::TrustedLaunchImpossible, "Secure Boot requires Trusted Launch", span, "without Trusted Launch")
        .help("choose an image of generation 2 and omit `security`, or omit `secure_boot`")
}

pub(crate) fn secure_boot_with_gpu(name: &str, span: Span) -> Diagnostic {
    new(
        Code::SecureBootWithGpu,
        format!("GPU drivers on `{name}` may not load under Secure Boot"),
        span,
        "rejects unsigned drivers",
    )
    .note("the NVIDIA driver extension does not work with Secure Boot, and drivers inside images are often unsigned")
    .help("omit `secure_boot`, unless you have verified that the driver loads")
}

pub(crate) fn windows_pool(name: &str, span: Span) -> Diagnostic {
    new(Code::WindowsPool, "interactive pools run Linux", span, "a Windows image")
        .note("JupyterHub, links and share mounts are supported on Linux images only; behind a load balancer, Remote Desktop connects to an arbitrary machine, without the user's profile")
        .help(format!("choose a Linux image, or declare the scale set of `{name}` as a `resource`"))
}

pub(crate) fn spot_not_offered(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(Code::SpotNotOffered, format!("size `{name}` is not available as spot"), span, "not available")
        .also(at_size, "regular only")
        .help("write `priority = regular`, or choose another size")
}

pub(crate) fn spot_terms_of_regular(span: Span, pool: &Block) -> Diagnostic {
    new(
        Code::SpotTermsOfRegular,
        format!("pool `{}` has a `spot` block but no spot machines", pool.name),
        span,
        "applies to spot machines only",
    )
    .note("Azure rejects eviction and price settings on regular machines")
    .help("add `priority = spot`, or remove the `spot` block")
}

pub(crate) fn deallocate_under_autoscale(span: Span) -> Diagnostic {
    new(Code::EvictionUnderAutoscale, "autoscale counts deallocated machines", span, "keeps evicted machines")
        .note("deallocated machines count toward the capacity, so the pool would look full and never be refilled")
        .help("write `on_eviction = delete`")
}

pub(crate) fn restore_under_autoscale(span: Span) -> Diagnostic {
    new(Code::EvictionUnderAutoscale, "spot machines are not restored under autoscale", span, "conflicts with autoscale")
        .note("Azure's restore policy has no effect on scale sets with autoscale; the minimum of the autoscale setting refills the pool instead")
        .help("remove `restore`")
}

pub(crate) fn max_price_not_per_hour(span: Span) -> Diagnostic {
    new(
        Code::MaxPriceRefused,
        "the maximum spot price is not a price in US dollars per hour",
        span,
        "Azure expects dollars per hour",
    )
    .help("write it as, for instance, `1.20 USD/h`, or omit it to pay at most the regular price")
}

pub(crate) fn notice_on_spot(span: Span) -> Diagnostic {
    new(
        Code::NoticeOnSpot,
        "spot machines get no notice before they are deleted",
        span,
        "has no effect on spot machines",
    )
    .note("Azure rejects the termination notification on spot scale sets")
    .help("remove `notice`")
}

pub(crate) fn tcp_health_with_path(span: Span) -> Diagnostic {
    new(Code::HealthCheckIncomplete, "a TCP health check has no path", span, "for `http` and `https` only")
        .help("remove `path`, or write `protocol = https`")
}

pub(crate) fn http_health_without_path(span: Span) -> Diagnostic {
    new(Code::HealthCheckIncomplete, "an HTTP health check without a path", span, "`path` is missing")
        .help("add, for instance, `path = \"/hub/health\"`")
}

pub(crate) fn half_a_health_check(span: Span) -> Diagnostic {
    new(
        Code::HealthCheckIncomplete,
        "a health check with only one of `protocol` and `port`",
        span,
        "needs both or neither",
    )
    .help("set both, or neither to use the check that dsvmc installs on each machine")
}

pub(crate) fn health_too_slow(interval: Seconds, threshold: i64, most: i64, span: Span) -> Diagnostic {
    let takes = crate::units::duration(interval.get() * threshold);
    let fits = (most / interval.get().max(1)).max(1);
    new(
        Code::HealthTooSlow,
        format!("{threshold} probes every {interval} take {takes}"),
        span,
        "the health extension refuses this",
    )
    .note("`interval` × `threshold` is at most 4 min: the extension of a longer one fails on every machine")
    .help(format!("write `threshold = {fits}` or less, or a shorter `interval`"))
}

pub(crate) fn nothing_replaces(span: Span, at_repair: Span) -> Diagnostic {
    new(
        Code::SetupNotReplaced,
        "`on_failure = replace` in a pool without repairs",
        span,
        "nothing replaces the machine",
    )
    .also(at_repair, "repairs are off")
    .help("remove `enabled = false` of `repair`, or write `on_failure = stop`")
}

pub(crate) fn restart_repeats_nothing(span: Span, at_action: Span) -> Diagnostic {
    new(
        Code::SetupNotReplaced,
        "`on_failure = replace` in a pool whose repairs restart machines",
        span,
        "nothing replaces the machine",
    )
    .also(at_action, "a restart does not repeat the setup")
    .help("remove this `action`, or write `action = replace`")
}

pub(crate) fn memory_limit_too_large(limit: &str, has: i64, size: &str, span: Span, at_size: Span) -> Diagnostic {
    new(
        Code::MemoryLimitRefused,
        format!("a limit of {limit} is more than the machines have"),
        span,
        "would limit nobody",
    )
    .also(at_size, format!("`{size}` has {}", in_words(has)))
    .help("write less, for instance `memory = 50%`, or choose a larger size")
}

pub(crate) fn memory_limit_too_small(limit: &str, span: Span) -> Diagnostic {
    let least = in_words(crate::limits::LEAST_MEMORY);
    new(
        Code::MemoryLimitRefused,
        format!("a limit of {limit} leaves too little memory for a log-in"),
        span,
        "too little",
    )
    .note(format!("dsvmc accepts {least} or more, so that a mistyped limit locks nobody out"))
    .help(format!("write `memory = {least}` or more, or omit the limit"))
}

pub(crate) fn memory_limit_fraction(percent: Decimal, span: Span) -> Diagnostic {
    new(Code::MemoryLimitRefused, format!("{percent}% is not a whole percentage"), span, "expected a whole percentage")
        .help(format!("write `{}%`, or a size such as `8 GiB`", percent.floor().max(Decimal::ONE).normalize()))
}

pub(crate) fn region_without_zones(name: &str, span: Span) -> Diagnostic {
    new(Code::RegionWithoutZones, format!("region `{name}` has no availability zones"), span, "not available here")
        .help("remove `zones`, or choose another region")
}

pub(crate) fn pool_in_other_region(here: &str, there: &str, span: Span, network: Option<Span>) -> Diagnostic {
    let diagnostic = new(
        Code::PoolInOtherRegion,
        format!("the pool is in `{here}`, but its network is in `{there}`"),
        span,
        "Azure places machines only in the region of their network",
    );
    match network {
        Some(network) => diagnostic
            .also(network, format!("in `{there}`"))
            .help(format!("choose a network in `{here}`, or omit `location`")),
        None => diagnostic.help(format!("declare a network with `location = {here}` and name it in the pool")),
    }
}

pub(crate) fn orchestration_clash(span: Span, reason: &str, at_reason: Span) -> Diagnostic {
    new(
        Code::OrchestrationClash,
        "a flexible scale set does not support what this pool needs",
        span,
        "flexible orchestration is set here",
    )
    .also(at_reason, "needs a uniform scale set")
    .note(format!("{reason}; flexible scale sets have neither"))
    .help("write `orchestration = uniform` or omit it, or remove the other setting")
}

pub(crate) fn too_many_machines(most: i64, limit: i64, span: Span, kind: Orchestration) -> Diagnostic {
    let kind = if kind == Orchestration::Uniform { "uniform" } else { "flexible" };
    new(
        Code::TooManyMachines,
        format!("{most} machines are more than a scale set can hold"),
        span,
        "too many for one pool",
    )
    .note(format!("a {kind} scale set can hold at most {limit} machines"))
    .help("split it into several pools: `pool name[x in xs]: interactive { … }`")
}

pub(crate) fn infiniband_beyond_placement_group(name: &str, most: i64, span: Span) -> Diagnostic {
    new(
        Code::TooManyMachines,
        format!("{most} machines of `{name}` cannot share an InfiniBand network"),
        span,
        "more than one placement group",
    )
    .note("InfiniBand connects at most the 100 machines of one placement group")
    .help("use at most 100 machines")
}

pub(crate) fn size_twice(name: &str, at: Span) -> Diagnostic {
    new(Code::AlternativesRefused, format!("size `{name}` is named twice"), at, "listed again")
        .help("list each size once, in order of preference")
}

/// `pair`: what the other size has, and what the first has.
pub(crate) fn sizes_differ(first: &str, other: &str, pair: (&str, &str), at: Span) -> Diagnostic {
    let (has, wanted) = pair;
    new(
        Code::AlternativesDiffer,
        format!("`{other}` cannot stand in for `{first}`"),
        at,
        "one of these cannot run what runs on the others",
    )
    .note(format!("`{other}` has {has}, `{first}` has {wanted}"))
    .note("the machines of a pool have one model: what works on the first size must work on each alternative")
    .help(format!("leave `{other}` out, or declare a second pool with it"))
}

pub(crate) fn regular_share_of_uniform(at: Span, why: Span) -> Diagnostic {
    new(
        Code::SpotShareRefused,
        "a uniform scale set has no regular machines among its spot machines",
        at,
        "needs a flexible scale set",
    )
    .also(why, "makes the scale set uniform")
    .note("Azure offers Spot Priority Mix for flexible scale sets only")
    .help("leave out `base` and `regular_above`, or what makes the scale set uniform; or declare a second pool of regular machines")
}

pub(crate) fn no_spot_left(at: Span) -> Diagnostic {
    new(Code::SpotShareRefused, "all machines of this spot pool are regular", at, "leaves no spot machine")
        .help("write a smaller share, or `priority = regular`")
}
