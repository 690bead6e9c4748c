//! The week of a policy: schedules that overlap, and where the default takes over again.
//!
//! Azure's recurring profiles have a start and no end. Each therefore needs a twin of the default profile that starts
//! where the schedule ends, unless another schedule starts at that very moment.

use super::autoscale::{Autoscale, Schedule, Time};
use super::diags;
use dsvm_diagnostics::Sink;
use dsvm_sema::value::Days;

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
pub fn returns(schedules: &[Schedule<'_>], of: &Schedule<'_>) -> Option<(Days, u16)> {
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
pub fn check(policy: &Autoscale<'_>, sink: &mut Sink) {
    let schedules = &policy.schedules;
    for (index, one) in schedules.iter().enumerate() {
        for other in schedules.iter().take(index) {
            if let Some(minute) = meeting(&one.time, &other.time) {
                sink.push(diags::schedules_overlap(one.block, other.block, &moment(minute)));
            } else if let (Time::Dates(a, b), Time::Dates(c, d)) = (one.time, other.time)
                && a <= d
                && c <= b
            {
                sink.push(diags::schedules_overlap(one.block, other.block, &a.max(c).to_string()));
            }
        }
    }
    // A schedule has one twin at most.
    if 2 * schedules.len() < PROFILES {
        return;
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
pub fn day_names(days: Days) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(day, _)| days.0 & (1 << day) != 0).map(|(_, name)| *name).collect()
}

/// Names that autoscale accepts for time zones: those of Windows.
pub fn windows_time_zones() -> &'static [&'static str] {
    &super::timezones::NAMES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Machines;
    use dsvm_sema::checked::{Block, Checked};
    use dsvm_sema::table::BlockKind;
    use dsvm_sema::value::Value;
    use proptest::prelude::*;

    /// A program with five schedules, whose times the tests choose themselves.
    fn program() -> Checked {
        let one = |name: &str| format!("schedule {name} {{ on mon from 08:00 to 09:00, machines = 0..1 }}");
        let all: String = ["a", "b", "c", "d", "e"].map(one).join("\n");
        let text = format!("project p {{ }}\nautoscale all {{\ntimezone = \"UTC\"\n{all}\n}}");
        let mut sink = Sink::default();
        let checked = dsvm_sema::check_text(&text, &mut sink);
        assert!(!sink.has_errors(), "{:#?}", sink.as_slice());
        checked
    }

    fn schedules(checked: &Checked) -> Vec<&Block> {
        let all: Vec<&Block> = checked.blocks.iter().flat_map(|b| b.children(BlockKind::Schedule)).collect();
        assert_eq!(all.len(), 5);
        all
    }

    fn weekly(block: &Block, days: u8, from: u16, to: u16) -> Schedule<'_> {
        let machines =
            Machines { min: Value::Int(0), max: Value::Int(1), initial: None, ranged: true, span: block.span };
        Schedule {
            block,
            machines,
            time: Time::Weekly { days: Days(days), from, to },
            rules: Vec::new(),
            complete: true,
        }
    }

    #[test]
    fn a_schedule_that_starts_where_another_ends_needs_no_return() {
        let checked = program();
        let blocks = schedules(&checked);
        let schedules = [weekly(blocks[0], 0b001_1111, 480, 1140), weekly(blocks[1], 0b111_1111, 1140, 480)];
        assert_eq!(returns(&schedules, &schedules[0]), None);
        let (days, minute) = returns(&schedules, &schedules[1]).unwrap();
        assert_eq!(day_names(days), ["Saturday", "Sunday"]);
        assert_eq!(minute, 480);
    }

    #[test]
    fn the_whole_day_every_day_never_returns() {
        let checked = program();
        let schedules = [weekly(schedules(&checked)[0], 0b111_1111, 0, 1440)];
        assert_eq!(returns(&schedules, &schedules[0]), None);
    }

    #[test]
    fn overlaps_are_found_across_midnight_and_across_the_week() {
        let night = Time::Weekly { days: Days(0b100_0000), from: 22 * 60, to: 6 * 60 };
        let early = Time::Weekly { days: Days(0b000_0001), from: 5 * 60, to: 7 * 60 };
        let late = Time::Weekly { days: Days(0b000_0001), from: 6 * 60, to: 7 * 60 };
        assert!(meeting(&night, &early).is_some());
        assert!(meeting(&night, &late).is_none());
    }

    proptest! {
        /// Azure lets a profile hold from its start until the next start: at every minute that must be the schedule
        /// whose window it is, or the default.
        #[test]
        fn at_every_minute_the_right_profile_holds(
            parts in prop::collection::vec((1u8..128, 0u16..48, 1u16..49), 1..5)
        ) {
            let checked = program();
            let blocks = schedules(&checked);
            let mut schedules: Vec<Schedule<'_>> = Vec::new();
            for (block, (days, from, to)) in blocks.iter().zip(parts) {
                let next = weekly(block, days, from * 30, to * 30);
                let own = windows(&next.time);
                let clear = schedules.iter().all(|s| meeting(&s.time, &next.time).is_none())
                    && own.iter().enumerate().all(|(i, a)| own.iter().skip(i + 1).all(|b| {
                        (b.0 + WEEK - a.0) % WEEK >= a.1 && (a.0 + WEEK - b.0) % WEEK >= b.1
                    }));
                if clear {
                    schedules.push(next);
                }
            }
            prop_assume!(!schedules.is_empty());
            let mut starts: Vec<(u32, Option<usize>)> = Vec::new();
            for (index, schedule) in schedules.iter().enumerate() {
                starts.extend(windows(&schedule.time).into_iter().map(|(start, _)| (start, Some(index))));
                if let Some((days, minute)) = returns(&schedules, schedule) {
                    let days = (0..7u32).filter(|day| days.0 & (1 << day) != 0);
                    starts.extend(days.map(|day| (day * DAY + u32::from(minute), None)));
                }
            }
            for minute in (0..WEEK).step_by(15) {
                let wanted = schedules.iter().position(|s| {
                    windows(&s.time).iter().any(|(start, length)| (minute + WEEK - start) % WEEK < *length)
                });
                let holds = starts.iter().min_by_key(|(start, _)| (minute + WEEK - start) % WEEK).unwrap().1;
                prop_assert_eq!(holds, wanted, "minute {}", minute);
            }
        }
    }
}
