//! Workloads in words: `class of 30 at 09:00 mon..fri for 2 h`, `office of 40`, `batch of 200 at 02:00 for 30 min with 4 cores`.

use super::trace::TASKS;
use super::workload::{Kind, MILLI, Span, Task, Workload};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A workload that repeats by the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    shape: Shape,
    count: u32,
    from: Time,
    to: Option<Time>,
    days: [bool; 7],
    minutes: u32,
    cores: u32,
    gpus: u32,
    load: u8,
}

/// How arrivals and durations vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// People come in the first ten minutes and stay as long as they are told, give or take a tenth.
    Class,
    /// People come in the first hour and leave in the last.
    Office,
    /// Jobs come at once and take as long as they are told, give or take a fifth.
    Batch,
}

/// Why words are no workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WordsError {
    /// What is wrong, with the word that is.
    pub message: String,
    /// All forms that can be written.
    pub help: &'static str,
}

/// What can be written.
pub const FORMS: &str = "write `class of 30 at 09:00 mon..fri for 2 h`, `office of 40 from 08:00 to 18:00` or `batch of 200 at \
                         02:00 daily for 30 min`; then `with 2 cores`, `with 1 gpu` and `50% busy` if needed";

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn wrong<T>(message: String) -> Result<T, WordsError> {
    Err(WordsError { message, help: FORMS })
}

impl std::str::FromStr for Words {
    type Err = WordsError;

    fn from_str(text: &str) -> Result<Self, WordsError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (kind, count, rest) = match words.as_slice() {
            [kind, "of", count, rest @ ..] => (*kind, *count, rest),
            _ => return wrong(format!("`{text}` is no workload")),
        };
        let weekdays = [true, true, true, true, true, false, false];
        let time = |hour: i8| Time::new(hour, 0, 0, 0).unwrap_or(Time::MIN);
        let (shape, from, to, days, minutes) = match kind {
            "class" => (Shape::Class, time(9), None, weekdays, 120),
            "office" => (Shape::Office, time(8), Some(time(18)), weekdays, 0),
            "batch" => (Shape::Batch, time(2), None, [true; 7], 30),
            other => return wrong(format!("expected `class`, `office` or `batch`, found `{other}`")),
        };
        let Some(count) = count.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count)) else {
            return wrong(format!("expected a number from 1 to 1,000,000 after `of`, found `{count}`"));
        };
        let mut words = Self { shape, count, from, to, days, minutes, cores: MILLI, gpus: 0, load: 60 };
        if shape == Shape::Batch {
            words.load = 100;
        }
        words.clauses(rest)?;
        if words.shape == Shape::Office && words.to.is_some_and(|to| to <= words.from) {
            return wrong("an office closes after it opens".to_owned());
        }
        Ok(words)
    }
}

impl Words {
    fn clauses(&mut self, mut rest: &[&str]) -> Result<(), WordsError> {
        while let [first, more @ ..] = rest {
            rest = match (*first, more) {
                ("at", [time, more @ ..]) => {
                    self.from = clock(time)?;
                    more
                }
                ("from", [from, "to", to, more @ ..]) => {
                    (self.from, self.to) = (clock(from)?, Some(clock(to)?));
                    more
                }
                ("for", [number, unit, more @ ..]) => {
                    self.minutes = duration(number, unit)?;
                    more
                }
                ("with", [number, unit, more @ ..]) => {
                    let amount = thousandths(number)?;
                    match *unit {
                        "core" | "cores" => self.cores = amount,
                        "gpu" | "gpus" => self.gpus = amount,
                        other => return wrong(format!("expected `cores` or `gpus`, found `{other}`")),
                    }
                    more
                }
                (percent, ["busy", more @ ..]) => {
                    let number = percent.strip_suffix('%').and_then(|number| number.parse::<u8>().ok());
                    let Some(load) = number.filter(|load| *load <= 100) else {
                        return wrong(format!("expected a percentage up to `100%` before `busy`, found `{percent}`"));
                    };
                    self.load = load;
                    more
                }
                ("daily", more) => {
                    self.days = [true; 7];
                    more
                }
                (days, more) => {
                    self.days = week(days)?;
                    more
                }
            };
        }
        if self.to.is_some() && self.shape != Shape::Office {
            return wrong("`from … to …` is for an office; a class and a batch have `at` and `for`".to_owned());
        }
        Ok(())
    }

    /// The tasks of a span of time; the times of day are those of a zone.
    ///
    /// # Errors
    /// They are more than are simulated.
    pub fn tasks(&self, span: Span, zone: &TimeZone, seed: u64) -> Result<Workload, WordsError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |most: u32| if most == 0 { 0 } else { random.next_u32() % most };
        let kind = if self.shape == Shape::Batch { Kind::Job } else { Kind::Person };
        let mut tasks = Vec::new();
        let mut date = zone.to_datetime(span.start).date();
        let last = zone.to_datetime(span.at(span.minutes)).date();
        while date <= last {
            let begin = zone.to_timestamp(date.to_datetime(self.from)).ok();
            let end = self.to.and_then(|to| zone.to_timestamp(date.to_datetime(to)).ok());
            if self.days.get(day(date.weekday())) == Some(&true)
                && let Some(begin) = begin
            {
                if tasks.len() + self.count as usize > TASKS {
                    return wrong("more than five million people or jobs in all these days".to_owned());
                }
                for _ in 0..self.count {
                    let (late, minutes) = match self.shape {
                        Shape::Class => (below(10), vary(self.minutes, 10, &mut below)),
                        Shape::Batch => (0, vary(self.minutes, 20, &mut below)),
                        Shape::Office => {
                            let open = end.map_or(0, |end| end.duration_since(begin).as_mins());
                            let open = u32::try_from(open).unwrap_or(0);
                            let hour = open.min(60);
                            let late = below(hour);
                            (late, open.saturating_sub(late + below(hour)).max(1))
                        }
                    };
                    if let Some(arrives) =
                        span.minute(begin).map(|minute| minute + late).filter(|at| *at < span.minutes)
                    {
                        let (cores, gpus, load) = (self.cores, self.gpus, self.load);
                        tasks.push(Task { arrives, minutes, cores, gpus, load, kind });
                    }
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        Ok(Workload::new(tasks))
    }
}

/// A number of minutes, give or take so many per cent.
fn vary(minutes: u32, percent: u32, below: &mut impl FnMut(u32) -> u32) -> u32 {
    let part = minutes.saturating_mul(percent) / 100;
    (minutes - part + below(2 * part + 1)).max(1)
}

fn day(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs())
}

fn clock(text: &str) -> Result<Time, WordsError> {
    let parts = text.split_once(':').and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?)));
    match parts.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok()) {
        Some(time) => Ok(time),
        None => wrong(format!("expected a time of day such as `09:00`, found `{text}`")),
    }
}

fn duration(number: &str, unit: &str) -> Result<u32, WordsError> {
    let each = match unit {
        "min" => 1,
        "h" => 60,
        other => return wrong(format!("expected `min` or `h` after a duration, found `{other}`")),
    };
    let minutes = thousandths(number)?.checked_mul(each).map(|minutes| minutes / MILLI);
    match minutes.filter(|minutes| (1..=60 * 24 * 31).contains(minutes)) {
        Some(minutes) => Ok(minutes),
        None => wrong(format!("expected a duration from `1 min` to 31 days, found `{number} {unit}`")),
    }
}

/// `2`, `0.5` as thousandths.
fn thousandths(text: &str) -> Result<u32, WordsError> {
    let number = text.parse::<rust_decimal::Decimal>().ok().and_then(|number| {
        let number = number.checked_mul(MILLI.into())?.trunc();
        u32::try_from(number).ok().filter(|number| (1..=10_000 * MILLI).contains(number))
    });
    match number {
        Some(number) => Ok(number),
        None => wrong(format!("expected a number from 0.001 to 10,000, found `{text}`")),
    }
}

/// Which days of the week, Monday first, a text such as `mon..fri` or `mon,wed` names.
fn week(text: &str) -> Result<[bool; 7], WordsError> {
    let at = |name: &str| match DAYS.iter().position(|day| *day == name) {
        Some(at) => Ok(at),
        None => wrong(format!("expected days such as `mon..fri` or `mon,wed`, found `{text}`")),
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once("..") {
            Some((first, last)) => (at(first)?, at(last)?),
            None => (at(part)?, at(part)?),
        };
        let length = (last + 7 - first) % 7;
        for step in 0..=length {
            if let Some(day) = days.get_mut((first + step) % 7) {
                *day = true;
            }
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week_of(text: &str) -> Vec<Task> {
        let span = Span { start: "2026-11-30T00:00:00Z".parse().unwrap(), minutes: 7 * 1440 };
        text.parse::<Words>().unwrap().tasks(span, &TimeZone::UTC, 1).unwrap().tasks().to_vec()
    }

    #[test]
    fn a_class_comes_each_working_day() {
        let tasks = week_of("class of 30 at 09:00 mon..fri for 2 h with 2 cores 50% busy");
        assert_eq!(tasks.len(), 150);
        for (at, task) in tasks.iter().enumerate() {
            let begin = at as u32 / 30 * 1440 + 540;
            assert!((begin..begin + 10).contains(&task.arrives), "{task:?}");
            assert!((108..=132).contains(&task.minutes), "{task:?}");
            assert_eq!((task.cores, task.load, task.kind), (2000, 50, Kind::Person));
        }
    }

    #[test]
    fn an_office_leaves_before_it_closes_and_a_batch_comes_every_night() {
        assert!(week_of("office of 40").iter().all(|task| (task.arrives % 1440) + task.minutes <= 18 * 60));
        let jobs = week_of("batch of 20 at 02:00 daily for 30 min with 4 cores with 0.5 gpu");
        assert_eq!((jobs.len(), jobs[0].gpus, jobs[0].load), (140, 500, 100));
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let span = Span { start: "2026-10-23T00:00:00Z".parse().unwrap(), minutes: 7 * 1440 };
        let zone = arm_autoscale::time_zone("W. Europe Standard Time").unwrap();
        let class: Words = "class of 1 at 09:00 daily for 1 h".parse().unwrap();
        let hours: Vec<u32> =
            class.tasks(span, &zone, 1).unwrap().tasks().iter().map(|task| task.arrives % 1440 / 60).collect();
        // Summer time ends on the 25th.
        assert_eq!(hours, [7, 7, 8, 8, 8, 8, 8]);
    }

    #[test]
    fn a_crowd_that_no_memory_holds_is_refused() {
        let span = Span { start: "2026-11-30T00:00:00Z".parse().unwrap(), minutes: 7 * 1440 };
        let crowd: Words = "batch of 1000000 daily".parse().unwrap();
        assert!(crowd.tasks(span, &TimeZone::UTC, 1).unwrap_err().message.contains("five million"));
    }

    #[test]
    fn what_is_no_workload_says_why() {
        for (text, message) in [
            ("", "`` is no workload"),
            ("crowd of 3", "expected `class`, `office` or `batch`, found `crowd`"),
            ("class of none", "expected a number from 1 to 1,000,000 after `of`, found `none`"),
            ("class of 3 at nine", "expected a time of day such as `09:00`, found `nine`"),
            ("class of 3 for 2 days", "expected `min` or `h` after a duration, found `days`"),
            (
                "class of 3 from 08:00 to 09:00",
                "`from … to …` is for an office; a class and a batch have `at` and `for`",
            ),
            ("office of 3 from 08:00 to 07:00", "an office closes after it opens"),
            ("class of 3 moon", "expected days such as `mon..fri` or `mon,wed`, found `moon`"),
            ("class of 3 140% busy", "expected a percentage up to `100%` before `busy`, found `140%`"),
            ("class of 3 with 2 chairs", "expected `cores` or `gpus`, found `chairs`"),
        ] {
            assert_eq!(text.parse::<Words>().unwrap_err().message, message);
        }
    }
}
