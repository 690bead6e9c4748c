//! The week of a policy: schedules that overlap, and where the default takes over again.
//!
//! Azure's recurring profiles have a start and no end. Each therefore needs a twin of the default profile that starts
//! where the schedule ends, unless another schedule starts at that very moment.

use super::autoscale::{Autoscale, Schedule, Time};
use super::diags;
use crate::diagnostics::Sink;
use crate::sema::value::Days;

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
/// Most profiles of an autoscale setting.
const PROFILES: usize = 20;

/// Minutes of the week (0 is Monday midnight) at which a weekly schedule starts, with its length.
fn windows(time: &Time) -> Vec<(u32, u32)> {
    let Time::Weekly { days, from, to } = *time else { return Vec::new() };
    let (from, to) = (u32::from(from), u32::from(to));
    let length = if to > from { to - from } else { to + DAY - from };
    (0..7u32).filter(|day| days.0 & (1 << day) != 0).map(|day| (day * DAY + from, length)).collect()
}

/// Days on which, and the minute at which, the default takes over after a schedule: the days on which no other schedule
/// starts at that moment.
#[must_use]
pub(crate) fn returns(schedules: &[Schedule<'_>], of: &Schedule<'_>) -> Option<(Days, u16)> {
    let starts: Vec<u32> = schedules.iter().flat_map(|s| windows(&s.time)).map(|(start, _)| start % WEEK).collect();
    let mut days = 0u8;
    let mut minute = None;
    for (start, length) in windows(&of.time) {
        let end = (start + length) % WEEK;
        if !starts.contains(&end) {
            days |= 1 << (end / DAY);
            minute = u16::try_from(end % DAY).ok();
        }
    }
    minute.map(|minute| (Days(days), minute))
}

/// Overlaps, and the number of profiles.
pub(crate) fn check(policy: &Autoscale<'_>, sink: &mut Sink) {
    let schedules = &policy.schedules;
    for (index, one) in schedules.iter().enumerate() {
        for other in schedules.iter().take(index) {
            if let Some(minute) = meeting(&one.time, &other.time) {
                sink.push(diags::schedules_overlap(one.block, other.block, &moment(minute)));
            } else if let (Time::Dates(a, b), Time::Dates(c, d)) = (one.time, other.time) {
                if a <= d && c <= b {
                    sink.push(diags::schedules_overlap(one.block, other.block, &a.max(c).to_string()));
                }
            }
        }
    }
    let twins = schedules.iter().filter(|s| returns(schedules, s).is_some()).count();
    let profiles = 1 + schedules.len() + twins;
    if profiles > PROFILES {
        sink.push(diags::too_many_profiles(profiles, schedules.len(), twins, policy.block.name_span));
    }
}

/// A minute of the week at which both hold.
fn meeting(one: &Time, other: &Time) -> Option<u32> {
    let inside = |minute: u32, (start, length): (u32, u32)| (minute + WEEK - start) % WEEK < length;
    for a in windows(one) {
        for b in windows(other) {
            if inside(a.0, b) {
                return Some(a.0);
            }
            if inside(b.0, a) {
                return Some(b.0);
            }
        }
    }
    None
}

const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn moment(minute: u32) -> String {
    let day = NAMES.get((minute / DAY) as usize % 7).copied().unwrap_or("Monday");
    format!("{day} {:02}:{:02}", minute % DAY / 60, minute % 60)
}

/// Names of the days in a set.
#[must_use]
pub(crate) fn day_names(days: Days) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(day, _)| days.0 & (1 << day) != 0).map(|(_, name)| *name).collect()
}

/// Names that autoscale accepts for time zones: those of Windows.
pub(crate) fn windows_time_zones() -> &'static [&'static str] {
    &super::timezones::NAMES
}
