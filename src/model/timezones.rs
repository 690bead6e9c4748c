//! Names of the time zones that autoscale knows, read from the standard library: one list for both.

use std::sync::LazyLock;

/// The names, in the order of the library.
pub(crate) static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    include_str!("../../stdlib/timezones.dsvm")
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("name = \"")?.split('"').next())
        .collect()
});
