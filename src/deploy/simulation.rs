//! A pool and a workload in words, as a test names them → what the simulator says.

use crate::driver::Candidate;
use arm_autoscale::time_zone;
use dsvm_simulate::words::Words;
use dsvm_simulate::{Pace, Report, Span, simulate};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Most days that a test simulates.
const DAYS: u64 = 366;

/// What a test asks.
pub struct Asked<'a> {
    /// Name of the pool.
    pub pool: &'a str,
    /// What people and jobs ask of it, in words.
    pub workload: &'a str,
    /// Days of the simulation; a week when none are given.
    pub days: Option<u64>,
    /// Most people on a machine at once.
    pub seats: Option<u64>,
    /// What the random numbers begin with.
    pub seed: Option<u64>,
    /// A day of its first week, which begins on Monday.
    pub first: Date,
}

/// Why nothing was simulated, in one clause.
pub enum AskedFor {
    /// The pool, or how long it is simulated.
    Pool(String),
    /// The words of the workload.
    Workload(String),
}

impl Asked<'_> {
    /// Simulates the pool among those of the project.
    ///
    /// # Errors
    /// There is no such pool, it cannot be simulated, or the words are no workload.
    pub fn simulate(&self, pools: &[Candidate]) -> Result<Report, AskedFor> {
        let refuse = |why: &str| AskedFor::Pool(why.to_owned());
        let found = pools.iter().find(|candidate| candidate.name == self.pool);
        let found = found.ok_or_else(|| refuse("the project has no such pool"))?;
        let mut pool = found.pool.clone().map_err(refuse)?;
        pool.seats = self.seats.and_then(|seats| u32::try_from(seats).ok()).or(pool.seats);
        let days = self.days.unwrap_or(7);
        let minutes = u32::try_from(days * 1440).ok().filter(|_| (1..=DAYS).contains(&days));
        let minutes = minutes.ok_or_else(|| refuse("1 to 366 days are simulated"))?;
        let words: Words = self
            .workload
            .parse()
            .map_err(|error: dsvm_simulate::words::WordsError| AskedFor::Workload(error.message))?;
        let zone = found.zone.as_deref().and_then(time_zone).unwrap_or(TimeZone::UTC);
        let back = i32::from(self.first.weekday().to_monday_zero_offset());
        let monday = self.first.checked_sub(jiff::Span::new().days(back)).unwrap_or(self.first);
        let start =
            zone.to_timestamp(monday.to_datetime(Time::midnight())).map_err(|_| refuse("the day is out of reach"))?;
        let span = Span { start, minutes };
        let seed = self.seed.unwrap_or(1);
        let tasks = words.tasks(span, &zone, seed).map_err(|error| AskedFor::Workload(error.message))?;
        Ok(simulate(&pool, &tasks, span, seed, Pace::Events))
    }
}

/// A number of a report by the name that tests have for it; hours are rounded up. `None` for what is no outcome.
#[must_use]
pub fn number(report: &Report, name: &str) -> Option<u64> {
    Some(match name {
        "wait_p50" => u64::from(report.wait(50)),
        "wait_p95" => u64::from(report.wait(95)),
        "wait_worst" => u64::from(report.worst_wait()),
        "machines_least" => u64::from(report.machines.0),
        "machines_most" => u64::from(report.machines.1),
        "machine_hours" => report.machine_minutes.div_ceil(60),
        "idle_hours" => report.idle_minutes.div_ceil(60),
        "crowded_hours" => report.crowded_minutes.div_ceil(60),
        "flaps" => u64::from(report.flaps),
        "people_interrupted" => u64::from(report.people_hit),
        "jobs_interrupted" => u64::from(report.jobs_hit.0),
        "served" => u64::from(report.tasks.0),
        "waiting_at_the_end" => u64::from(report.tasks.1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Places;
    use dsvm_sema::testing::SIMULATION_FIELDS;
    use dsvm_simulate::{Evictions, Policy, Pool, Startup};

    #[test]
    fn every_number_that_a_test_can_name_is_there() {
        let pool = Pool {
            machines: 1,
            spot: 0,
            slots: None,
            cores: 4,
            gpus: 0,
            seats: None,
            startup: Startup::of_scale_set(),
            oldest_first: false,
            evictions: Evictions::default(),
            checkpoint: None,
            policy: Policy::Fixed,
        };
        let one = Candidate {
            name: "a".to_owned(),
            size: String::new(),
            zone: None,
            price: None,
            spot_price: None,
            places: Places::default(),
            bursts: false,
            pool: Ok(pool),
        };
        let first = jiff::civil::date(2026, 12, 1);
        let asked = Asked { pool: "a", workload: "office of 3", days: None, seats: None, seed: None, first };
        let Ok(report) = asked.simulate(&[one]) else { panic!("is simulated") };
        assert!(SIMULATION_FIELDS.iter().all(|name| number(&report, name).is_some()));
        assert_eq!(number(&report, "served"), Some(15));
    }
}
