//! The texts of the standard library. Each fact in them carries its source, its date and how sure it is.
//!
//! A crate of its own so that every reader embeds the same files and each package holds what it needs.

/// `std.images`.
pub const IMAGES: &str = include_str!("images.dsvm");
/// `std.sizes`.
pub const SIZES: &str = include_str!("sizes.dsvm");
/// `std.roles`.
pub const ROLES: &str = include_str!("roles.dsvm");
/// `std.regions`.
pub const REGIONS: &str = include_str!("regions.dsvm");
/// `std.metrics`.
pub const METRICS: &str = include_str!("metrics.dsvm");
/// `std.timezones`.
pub const TIMEZONES: &str = include_str!("timezones.dsvm");
/// `std.schedules`.
pub const SCHEDULES: &str = include_str!("schedules.dsvm");
/// `std.ports`.
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
