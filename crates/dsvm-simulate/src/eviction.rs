//! Machines that the service may take back: how many in a month, what that costs a job with and without checkpoints, and how likely
//! a job ends in time. Exact for a chance of eviction that is the same in every minute.
//!
//! Azure says how likely a machine is evicted in the next hour, from the last 28 days
//! (<https://learn.microsoft.com/azure/virtual-machines/spot-vms>, 2023-03-09). The chance of a minute follows: a machine that is
//! not evicted in an hour survived each of its minutes.

use std::fmt;
use std::str::FromStr;

/// Minutes of a month of 730 hours, as prices count it.
pub const MONTH: u32 = 730 * 60;
/// Longest job and longest time for it, in minutes: a week.
pub const LONGEST: u32 = 7 * 1440;

/// How likely a machine is evicted, as `5%/h`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// In thousandths of a per cent for each hour.
    hourly: u32,
}

/// What is accepted as a rate.
pub const RATE_FORM: &str =
    "write the chance of an eviction in one hour, such as `5%/h` or `0.5%/h`: from 0.001 to 99 per cent";

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number =
            text.trim().strip_suffix("/h").unwrap_or(text.trim()).trim_end().strip_suffix('%').ok_or(RATE_FORM)?;
        let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 3 {
            return Err(RATE_FORM);
        }
        let whole: u32 = whole.parse().map_err(|_| RATE_FORM)?;
        let part: u32 = format!("{part:0<3}").parse().map_err(|_| RATE_FORM)?;
        let hourly = whole.checked_mul(1000).and_then(|whole| whole.checked_add(part)).ok_or(RATE_FORM)?;
        if (1..=99_000).contains(&hourly) { Ok(Self { hourly }) } else { Err(RATE_FORM) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.hourly / 1000, self.hourly % 1000);
        let part = format!("{part:03}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%/h"),
            part => write!(f, "{whole}.{part}%/h"),
        }
    }
}

/// How long machines live that are evicted at a rate.
///
/// Only sums and products, which every processor rounds the same way: the same seed gives the same lives everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Lives {
    /// Chances to survive 1, 2, 4, 8 and so on minutes.
    powers: [f64; 24],
}

impl Lives {
    pub(crate) fn new(rate: Rate) -> Self {
        let hour = f64::from(100_000 - rate.hourly) / 100_000.0;
        let (mut low, mut high) = (0.0, 1.0);
        // The sixtieth root: one bit of it in each step.
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if (0..60).fold(1.0, |product, _| product * middle) < hour { low = middle } else { high = middle }
        }
        let mut next = low;
        let powers = [(); 24].map(|()| {
            let power = next;
            next *= power;
            power
        });
        Self { powers }
    }

    /// The whole minutes that a machine survives, for a random number; it is evicted in the one that follows.
    pub(crate) fn minutes(&self, random: u64) -> u32 {
        let drawn = (random >> 11) as f64 / (1u64 << 53) as f64;
        let longer = |(lived, chance): (u32, f64), (bit, power): (usize, &f64)| {
            if chance * power > drawn { (lived + (1 << bit), chance * power) } else { (lived, chance) }
        };
        self.powers.iter().enumerate().rev().fold((0, 1.0), longer).0
    }
}

/// A job on a machine that may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its length on a machine that is not evicted, in minutes.
    pub minutes: u32,
    /// After so many minutes of work what is done is safe; nothing: only the whole job is.
    pub checkpoint: Option<u32>,
    /// Minutes until another machine is ready.
    pub restart: u32,
}

/// What evictions cost a job on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// How often it is evicted.
    pub evictions: f64,
    /// Minutes of work that are done again.
    pub lost: f64,
    /// Minutes from its first to its last, the waiting for other machines included.
    pub lasts: f64,
}

impl Job {
    /// Lengths of the parts that are done again when they are interrupted: number of whole ones, their length, and the last.
    fn parts(self) -> (u32, u32, u32) {
        let each = self.checkpoint.unwrap_or(self.minutes).clamp(1, self.minutes.max(1));
        (self.minutes / each, each, self.minutes % each)
    }
}

impl Rate {
    /// The chance of a machine to survive one minute.
    #[must_use]
    pub fn survives(self) -> f64 {
        (1.0 - f64::from(self.hourly) / 100_000.0).powf(1.0 / 60.0)
    }

    /// Evictions of one machine that runs the whole month.
    #[must_use]
    pub fn in_a_month(self) -> f64 {
        (1.0 - self.survives()) * f64::from(MONTH)
    }

    /// What evictions cost a job on average: for a part of n minutes, a run of n minutes without an eviction is waited for.
    #[must_use]
    pub fn expected(self, job: Job) -> Expected {
        let q = self.survives();
        let one = |minutes: u32| {
            let whole = q.powf(f64::from(minutes));
            let evictions = (1.0 - whole) / whole;
            // Expected trials until a run of successes: (1 − qⁿ) / (p qⁿ).
            let worked = (1.0 - whole) / ((1.0 - q) * whole);
            (evictions, worked - f64::from(minutes))
        };
        let (number, each, rest) = job.parts();
        let (whole, last) = (one(each), if rest > 0 { one(rest) } else { (0.0, 0.0) });
        let evictions = f64::from(number) * whole.0 + last.0;
        let lost = f64::from(number) * whole.1 + last.1;
        Expected { evictions, lost, lasts: f64::from(job.minutes) + lost + evictions * f64::from(job.restart) }
    }

    /// The chance that a job ends within so many minutes. Both are at most [`LONGEST`].
    #[must_use]
    pub fn in_time(self, job: Job, deadline: u32) -> f64 {
        let deadline = deadline.min(LONGEST);
        if job.minutes > deadline {
            return 0.0;
        }
        let size = deadline as usize + 1;
        // The chance that the next part begins at a minute.
        let mut begins = vec![0.0; size];
        if let Some(first) = begins.first_mut() {
            *first = 1.0;
        }
        let (number, each, rest) = job.parts();
        for at in 0..number + u32::from(rest > 0) {
            begins = self.part(&begins, if at < number { each } else { rest }, job.restart);
        }
        begins.iter().sum::<f64>().clamp(0.0, 1.0)
    }

    /// From when a part begins to when it ends. `tried[t]`: the chance that an attempt begins at t, the first or one after an
    /// eviction; of its n minutes the j-th ends it with the chance q^(j−1) p, summed up as it moves along.
    fn part(self, begins: &[f64], minutes: u32, restart: u32) -> Vec<f64> {
        let (q, n, pause) = (self.survives(), minutes as usize, restart as usize);
        let whole = q.powf(f64::from(minutes));
        let mut tried = vec![0.0; begins.len()];
        let mut ends = vec![0.0; begins.len()];
        // The chance that an attempt is evicted in the minute before t.
        let mut evicted = vec![0.0; begins.len()];
        let of = |list: &[f64], at: Option<usize>| at.and_then(|at| list.get(at)).copied().unwrap_or(0.0);
        for t in 0..begins.len() {
            let fresh = of(&tried, t.checked_sub(1)) * (1.0 - q);
            let over = of(&tried, t.checked_sub(n + 1)) * (1.0 - q) * whole;
            let now = (q * of(&evicted, t.checked_sub(1)) + fresh - over).max(0.0);
            if let Some(entry) = evicted.get_mut(t) {
                *entry = now;
            }
            let again = if pause == 0 { now } else { of(&evicted, t.checked_sub(pause)) };
            if let Some(entry) = tried.get_mut(t) {
                *entry = of(begins, Some(t)) + again;
            }
            let done = of(&tried, t.checked_sub(n)) * whole;
            if let Some(entry) = ends.get_mut(t) {
                *entry = done;
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    fn rate(text: &str) -> Rate {
        text.parse().unwrap_or(Rate { hourly: 1 })
    }

    #[test]
    fn rates_are_read_and_written() {
        for text in ["5%/h", "0.5%/h", "12.345%/h", "99%/h", "0.001%/h"] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("5%".parse::<Rate>(), "5 %/h".parse());
        for text in ["", "5", "5/h", "0%/h", "99.001%/h", "100%", "-1%", "1e3%", "1.2345%", ".5%", "99999999999%"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_hour_is_survived_as_the_rate_says() {
        assert!((rate("10%/h").survives().powf(60.0) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn lives_are_as_long_as_the_rate_says() {
        for text in ["0.001%/h", "5%/h", "50%/h", "99%/h"] {
            let (lives, q) = (Lives::new(rate(text)), rate(text).survives());
            assert!((lives.powers[0] - q).abs() < 1e-12, "{text}");
            let mut random = ChaCha8Rng::seed_from_u64(7);
            let runs = 20_000;
            // Half of the machines live longer than their half-life.
            let half = (0.5_f64.ln() / q.ln()).round();
            let longer = (0..runs).filter(|_| f64::from(lives.minutes(random.next_u64())) >= half).count();
            let wanted = q.powf(half);
            assert!((longer as f64 / f64::from(runs) - wanted).abs() < 0.02, "{text}: {longer}, not {wanted}");
        }
        assert_eq!(Lives::new(rate("5%/h")).minutes(u64::MAX), 0);
        // The numbers of a draw end after a year and a half.
        assert!(Lives::new(rate("5%/h")).minutes(0) > 365 * 1440);
    }

    /// Minute by minute: the obvious simulation of one job.
    fn played(q: f64, job: Job, random: &mut ChaCha8Rng) -> (u32, u32, u32) {
        let each = job.checkpoint.unwrap_or(job.minutes);
        let (mut safe, mut now, mut clock, mut evictions, mut lost) = (0, 0, 0, 0, 0);
        while safe + now < job.minutes {
            clock += 1;
            if f64::from(random.next_u32()) / f64::from(u32::MAX) >= q {
                evictions += 1;
                lost += now + 1;
                now = 0;
                clock += job.restart;
                continue;
            }
            now += 1;
            if now == each {
                safe += now;
                now = 0;
            }
        }
        (evictions, lost, clock)
    }

    #[test]
    fn the_formulas_agree_with_a_simulation() {
        const RUNS: u32 = 20_000;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let jobs = [
            (Job { minutes: 240, checkpoint: None, restart: 5 }, "10%/h", 300),
            (Job { minutes: 480, checkpoint: Some(30), restart: 8 }, "20%/h", 540),
            (Job { minutes: 100, checkpoint: Some(30), restart: 0 }, "60%/h", 130),
            (Job { minutes: 61, checkpoint: Some(60), restart: 3 }, "5%/h", 61),
        ];
        for (job, text, deadline) in jobs {
            let rate = rate(text);
            let (mut evictions, mut lost, mut lasts, mut met, mut squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for _ in 0..RUNS {
                let (e, l, t) = played(rate.survives(), job, &mut random);
                evictions += f64::from(e);
                lost += f64::from(l);
                lasts += f64::from(t);
                squares += f64::from(t) * f64::from(t);
                met += f64::from(u32::from(t <= deadline));
            }
            let runs = f64::from(RUNS);
            let expected = rate.expected(job);
            let spread = ((squares / runs) - (lasts / runs) * (lasts / runs)).max(0.0).sqrt();
            // Five standard errors.
            let close = |a: f64, b: f64, spread: f64| (a - b).abs() <= 5.0 * spread / runs.sqrt() + 1e-9;
            assert!(close(lasts / runs, expected.lasts, spread), "{job:?} {} {expected:?}", lasts / runs);
            assert!(close(lost / runs, expected.lost, spread), "{job:?} {} {expected:?}", lost / runs);
            assert!((evictions / runs - expected.evictions).abs() < 0.05, "{job:?} {} {expected:?}", evictions / runs);
            let chance = rate.in_time(job, deadline);
            let spread = (chance * (1.0 - chance)).sqrt();
            assert!(close(met / runs, chance, spread), "{job:?} {} {chance}", met / runs);
        }
    }

    #[test]
    fn more_checkpoints_lose_less_and_more_time_helps() {
        let rate = rate("10%/h");
        let job = |checkpoint| Job { minutes: 600, checkpoint, restart: 5 };
        let lost = |checkpoint| rate.expected(job(checkpoint)).lost;
        assert!(lost(Some(10)) < lost(Some(60)) && lost(Some(60)) < lost(None));
        let chances: Vec<f64> = [599, 600, 660, 900, 5000].map(|end| rate.in_time(job(Some(60)), end)).into();
        assert!(chances.windows(2).all(|pair| matches!(pair, [a, b] if a <= b)), "{chances:?}");
        assert!(chances.first() == Some(&0.0) && chances.last().is_some_and(|last| *last > 0.999), "{chances:?}");
        // Without time to spare no minute may be evicted.
        assert!((rate.in_time(job(None), 600) - 0.9_f64.powf(10.0)).abs() < 1e-9);
    }

    #[test]
    fn the_longest_job_is_computed() {
        let job = Job { minutes: 300, checkpoint: Some(1), restart: 5 };
        let chance = rate("1%/h").in_time(job, LONGEST);
        assert!((0.999..=1.0).contains(&chance), "{chance}");
    }
}
