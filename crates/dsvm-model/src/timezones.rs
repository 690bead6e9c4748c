//! Names of the time zones that autoscale knows, read from the standard library: one list for both.

use std::sync::LazyLock;

/// The text between quotes after a key.
fn quoted(line: &'static str, key: &str) -> Option<&'static str> {
    line.split_once(key)?.1.split('"').next()
}

/// Windows names with the IANA names of the main territory, in the order of the library.
static ZONES: LazyLock<Vec<(&'static str, Option<&'static str>)>> = LazyLock::new(|| {
    dsvm_stdlib::TIMEZONES
        .lines()
        .filter(|line| line.trim_start().starts_with("name = \""))
        .filter_map(|line| Some((quoted(line, "name = \"")?, quoted(line, "iana = \""))))
        .collect()
});

/// The names, in the order of the library.
pub(crate) static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| ZONES.iter().map(|(name, _)| *name).collect());

/// The Windows name of a time zone with that IANA name.
pub(crate) fn of_iana(name: &str) -> Option<&'static str> {
    ZONES.iter().find(|(_, iana)| iana.is_some_and(|iana| iana.eq_ignore_ascii_case(name))).map(|(windows, _)| *windows)
}
