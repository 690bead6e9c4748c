//! Windows time zones, which autoscale settings use, as rules for the calendar.

use dsvm_stdlib::TIMEZONES;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// The zone data in the program.
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The text between quotes behind `key = ` in a block.
fn field<'t>(block: &'t str, key: &str) -> Option<&'t str> {
    block.split_once(&format!("{key} = \""))?.1.split_once('"').map(|(text, _)| text)
}

/// The IANA zone and the offset without daylight saving of a Windows time zone.
#[must_use]
pub fn zone(windows: &str) -> Option<(Option<&'static str>, &'static str)> {
    TIMEZONES.split("export timezone ").skip(1).find_map(|block| {
        let block = block.split_once("\n}").map_or(block, |(block, _)| block);
        field(block, "name").filter(|name| name.eq_ignore_ascii_case(windows))?;
        Some((field(block, "iana"), field(block, "offset")?))
    })
}

/// A Windows time zone as rules for the calendar, from the zone data in the program: the same on every machine. The plain
/// offset where the standard library knows no IANA name.
#[must_use]
pub fn time_zone(windows: &str) -> Option<TimeZone> {
    let (iana, offset) = zone(windows)?;
    if let Some(found) = iana.and_then(|name| BUNDLED.get(name).ok()) {
        return Some(found);
    }
    let (sign, rest) =
        if let Some(rest) = offset.strip_prefix('-') { (-1, rest) } else { (1, offset.trim_start_matches('+')) };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60);
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_in_any_case() {
        assert_eq!(zone("w. europe standard time").and_then(|(iana, _)| iana), Some("Europe/Berlin"));
        assert_eq!(zone("Nowhere Standard Time"), None);
    }

    #[test]
    fn daylight_saving_needs_no_zone_data_on_the_machine() {
        let berlin = time_zone("W. Europe Standard Time").unwrap();
        let summer: jiff::Timestamp = "2026-07-06T06:00:00Z".parse().unwrap();
        assert_eq!(berlin.to_datetime(summer).to_string(), "2026-07-06T08:00:00");
    }
}
