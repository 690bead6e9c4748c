//! The source files of the standard library. Each fact in them has a source, a date and a degree of certainty.
//!
//! A crate of its own so that every reader embeds the same files and each package holds what it needs.

/// `std.images`: Marketplace images with generation, drivers, size and retirement dates.
pub const IMAGES: &str = include_str!("images.dsvm");
/// `std.sizes`: VM sizes with vCPUs, memory, GPUs, disks and retirement dates.
pub const SIZES: &str = include_str!("sizes.dsvm");
/// `std.roles`: built-in Azure roles with their GUIDs.
pub const ROLES: &str = include_str!("roles.dsvm");
/// `std.regions`: Azure regions with display name and availability zones.
pub const REGIONS: &str = include_str!("regions.dsvm");
/// `std.metrics`: metrics that autoscale rules can use, with unit and source.
pub const METRICS: &str = include_str!("metrics.dsvm");
/// `std.timezones`: Windows time zone names with their IANA equivalents.
pub const TIMEZONES: &str = include_str!("timezones.dsvm");
/// `std.schedules`: ready-made autoscale policies.
pub const SCHEDULES: &str = include_str!("schedules.dsvm");
/// `std.ports`: services with the ports that they listen on.
pub const PORTS: &str = include_str!("ports.dsvm");

/// Every module by the name under which a program imports it, in the order in which they load.
pub const MODULES: &[(&str, &str)] = &[
    ("images", IMAGES),
    ("sizes", SIZES),
    ("roles", ROLES),
    ("regions", REGIONS),
    ("metrics", METRICS),
    ("timezones", TIMEZONES),
    ("schedules", SCHEDULES),
    ("ports", PORTS),
];
