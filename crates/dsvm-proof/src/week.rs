//! What a setting allows over the days of a year.

use arm_autoscale::{Profile, Setting, in_force};
use jiff::{SignedDuration, Timestamp};

/// A time in which a pool may be at zero whatever is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asleep {
    /// Never longer than a run of autoscale takes.
    Never,
    /// The longest such time within the span, from its beginning to its end.
    Until(Timestamp, Timestamp),
    /// Nothing that comes into force ends it.
    ForEver,
}

/// Stretches of a span with the profile that is in force in each.
fn stretches(setting: &Setting, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp, Option<&Profile>)> {
    let mut turns: Vec<Timestamp> = setting.profiles.iter().flat_map(|profile| profile.when.turns(from, to)).collect();
    // A fixed date holds to its end, inclusive.
    let after: Vec<Timestamp> =
        turns.iter().filter_map(|turn| turn.checked_add(SignedDuration::from_millis(1)).ok()).collect();
    turns.extend(after);
    turns.retain(|turn| from < *turn && *turn < to);
    turns.push(from);
    turns.sort_unstable();
    turns.dedup();
    let ends: Vec<Timestamp> = turns.iter().skip(1).copied().chain([to]).collect();
    turns.into_iter().zip(ends).map(|(start, end)| (start, end, in_force(&setting.profiles, start))).collect()
}

/// The longest time within a span in which only profiles are in force that do not wake a pool from zero.
#[must_use]
pub fn asleep(setting: &Setting, from: Timestamp, to: Timestamp, wakes: impl Fn(&Profile) -> bool) -> Asleep {
    let mut longest: Option<(Timestamp, Timestamp)> = None;
    let mut since: Option<Timestamp> = None;
    let mut woken = false;
    for (start, end, profile) in stretches(setting, from, to) {
        if profile.is_some_and(&wakes) {
            since = None;
            woken = true;
            continue;
        }
        let begun = *since.get_or_insert(start);
        let longer = |(a, b): (Timestamp, Timestamp)| b.duration_since(a) < end.duration_since(begun);
        if longest.is_none_or(longer) {
            longest = Some((begun, end));
        }
    }
    match longest {
        None => Asleep::Never,
        Some(_) if !woken => Asleep::ForEver,
        Some((start, end)) => Asleep::Until(start, end),
    }
}

/// Machine hours of a span when the pool is always at the maximum that its schedules allow: no load costs more.
#[must_use]
pub fn busiest(setting: &Setting, from: Timestamp, to: Timestamp) -> f64 {
    let hours = stretches(setting, from, to).into_iter().map(|(start, end, profile)| {
        #[expect(clippy::cast_precision_loss, reason = "numbers of machines are small")]
        let machines = profile.map_or(0, |profile| profile.maximum) as f64;
        end.duration_since(start).as_secs_f64() / 3600.0 * machines
    });
    hours.sum()
}

/// The profiles that are in force at some time of a span, in the order of the setting. With any recurrence the profile
/// without a schedule never is.
#[must_use]
pub fn in_use(setting: &Setting, from: Timestamp, to: Timestamp) -> Vec<&Profile> {
    let used: Vec<&Profile> = stretches(setting, from, to).into_iter().filter_map(|(_, _, profile)| profile).collect();
    setting.profiles.iter().filter(|profile| used.iter().any(|used| std::ptr::eq(*used, *profile))).collect()
}
