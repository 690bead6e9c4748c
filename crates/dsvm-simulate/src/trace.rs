//! Workloads from files: CSV with a header, and the Standard Workload Format.

use super::workload::{Kind, MILLI, Span, Task, Workload};
use jiff::Timestamp;

/// Most tasks of a workload.
pub(crate) const TASKS: usize = 5_000_000;

/// Why a file is no workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TraceError {
    /// Line of the file, from 1.
    pub line: u64,
    /// The column and the text in it that cannot be read.
    pub message: String,
}

/// Reads a CSV file with the columns `arrival`, `duration` and, if there are any, `cores`, `gpus`, `load` and `kind`, in any
/// order; others are ignored. An arrival is a moment (`2026-11-30T09:00:00Z`) or the minutes since the start; a duration is in
/// minutes; `load` is the percentage of the cores that is busy; `kind` is `person` or `job`, which it is by itself.
///
/// A log of sessions has `login` and `logout` instead, both as arrivals are: people, who keep 60 % of their cores busy unless
/// there is a `load`. Who has no logout is there to the end.
///
/// # Errors
/// A column is missing, or a value cannot be read.
pub fn csv(text: &str, span: Span) -> Result<Workload, TraceError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: &csv::Error| TraceError {
        line: error.position().map_or(1, csv::Position::line),
        message: "not CSV: every line needs as many fields as the first".to_owned(),
    };
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let column = |name: &str| header.iter().position(|field| field.eq_ignore_ascii_case(name));
    let needed = |name: &str| {
        let message = format!(
            "the first line names no column `{name}`; it needs `arrival` and `duration`, or `login` and `logout`"
        );
        column(name).ok_or(TraceError { line: 1, message })
    };
    let sessions = column("login").is_some() && column("arrival").is_none();
    let (begin, end) = if sessions { ("login", "logout") } else { ("arrival", "duration") };
    let (arrival, duration) = (needed(begin)?, needed(end)?);
    let usual = if sessions { (Kind::Person, 60.0) } else { (Kind::Job, 100.0) };
    let mut rows = 0u64;
    let (cores, gpus, load, kind) = (column("cores"), column("gpus"), column("load"), column("kind"));
    let mut tasks = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error))?;
        let line = record.position().map_or(1, csv::Position::line);
        let wrong = |name: &str, found: &str, wanted: &str| TraceError {
            line,
            message: format!("`{name}` is {wanted}, found `{found}`"),
        };
        let number = |at: Option<usize>, name: &str, otherwise: f64, most: f64| {
            let Some(found) = at.and_then(|at| record.get(at)).filter(|found| !found.is_empty()) else {
                return Ok(otherwise);
            };
            let value = found.parse::<f64>().ok().filter(|value| (0.0..=most).contains(value));
            value.ok_or_else(|| wrong(name, found, &format!("a number from 0 to {most}")))
        };
        // Minutes from the start, which may lie before or after what is simulated.
        let moment = |at: usize, name: &str| {
            let text = record.get(at).unwrap_or_default();
            match text.parse::<f64>() {
                Ok(minutes) if (0.0..=1e12).contains(&minutes) => Ok(minutes as i64),
                _ => match text.parse::<Timestamp>() {
                    Ok(at) => Ok(at.duration_since(span.start).as_secs().div_euclid(60)),
                    Err(_) => Err(wrong(name, text, "a moment such as `2026-11-30T09:00:00Z`, or minutes")),
                },
            }
        };
        let came = moment(arrival, begin)?;
        let arrives = u32::try_from(came).ok().filter(|minute| *minute < span.minutes);
        let minutes = match (sessions, record.get(duration)) {
            (false, _) => number(Some(duration), end, 1.0, 1e7)?,
            (true, None | Some("")) => f64::from(span.minutes),
            (true, Some(left)) => match moment(duration, end)? - came {
                stayed if stayed >= 0 => stayed as f64,
                _ => return Err(wrong(end, left, "not before the login")),
            },
        };
        rows += 1;
        let kind = match kind.and_then(|at| record.get(at)).unwrap_or_default() {
            "" => usual.0,
            "job" => Kind::Job,
            "person" => Kind::Person,
            other => return Err(wrong("kind", other, "`person` or `job`")),
        };
        let task = Task {
            arrives: arrives.unwrap_or(u32::MAX),
            minutes: (minutes.ceil() as u32).max(1),
            cores: milli(number(cores, "cores", 1.0, 1e4)?),
            gpus: milli(number(gpus, "gpus", 0.0, 1e3)?),
            load: number(load, "load", usual.1, 100.0)? as u8,
            kind,
        };
        // What arrives outside of the time is no part of it.
        if arrives.is_some() {
            tasks.push(task);
        }
        if tasks.len() > TASKS {
            return Err(TraceError { line, message: "more than five million tasks".to_owned() });
        }
    }
    if tasks.is_empty() && rows > 0 {
        let days = (span.start.strftime("%Y-%m-%d"), span.at(span.minutes).strftime("%Y-%m-%d"));
        let message = format!("nobody comes from {} to {}, the time that is simulated", days.0, days.1);
        return Err(TraceError { line: 1, message });
    }
    Ok(Workload::new(tasks))
}

/// Reads a file in the Standard Workload Format: lines of 18 numbers, comments after `;`. Used are the submit time (field 2, in
/// seconds), the run time (4) and the processors (8, else 5).
///
/// Format: <https://www.cs.huji.ac.il/labs/parallel/workload/swf.html>.
///
/// # Errors
/// A line has too few fields, or a field is no number.
pub fn swf(text: &str, span: Span) -> Result<Workload, TraceError> {
    let mut tasks = Vec::new();
    for (line, text) in (1u64..).zip(text.lines()) {
        let text = text.split(';').next().unwrap_or_default();
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.is_empty() {
            continue;
        }
        let number = |at: usize| {
            let found = fields.get(at).and_then(|field| field.parse::<f64>().ok()).filter(|value| value.is_finite());
            let message = format!("field {} is no number; a job has 18 numbers", at + 1);
            found.ok_or(TraceError { line, message })
        };
        let (submit, seconds, asked, used) = (number(1)?, number(3)?, number(7)?, number(4)?);
        let processors = if asked > 0.0 { asked } else { used.max(1.0) };
        let arrives = (submit / 60.0) as u32;
        if seconds <= 0.0 || submit < 0.0 || arrives >= span.minutes {
            continue;
        }
        let minutes = ((seconds / 60.0).ceil() as u32).max(1);
        tasks.push(Task { arrives, minutes, cores: milli(processors), gpus: 0, load: 100, kind: Kind::Job });
        if tasks.len() > TASKS {
            return Err(TraceError { line, message: "more than five million tasks".to_owned() });
        }
    }
    Ok(Workload::new(tasks))
}

fn milli(number: f64) -> u32 {
    (number * f64::from(MILLI)).round().clamp(0.0, 1e9) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Span {
        Span { start: "2026-11-30T00:00:00Z".parse().unwrap(), minutes: 1440 }
    }

    #[test]
    fn csv_has_moments_or_minutes() {
        let text = "duration,arrival,cores,gpus,kind\n30,2026-11-30T09:00:00Z,2,0.5,person\n1.5,10,,,\n5,1440,,,\n";
        let tasks = csv(text, day()).unwrap().tasks().to_vec();
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[0], Task { arrives: 10, minutes: 2, cores: 1000, gpus: 0, load: 100, kind: Kind::Job });
        assert_eq!((tasks[1].arrives, tasks[1].cores, tasks[1].gpus, tasks[1].kind), (540, 2000, 500, Kind::Person));
    }

    #[test]
    fn a_wrong_value_is_told_with_its_line() {
        let error = |text: &str| csv(text, day()).unwrap_err().to_string();
        assert_eq!(
            error("arrival\n1\n"),
            "line 1: the first line names no column `duration`; it needs `arrival` and `duration`, or `login` and `logout`"
        );
        assert_eq!(
            error("arrival,duration\n1,2\nx,2\n"),
            "line 3: `arrival` is a moment such as `2026-11-30T09:00:00Z`, or minutes, found `x`"
        );
        assert_eq!(error("arrival,duration\n1,-2\n"), "line 2: `duration` is a number from 0 to 10000000, found `-2`");
        assert_eq!(error("arrival,duration\n1,2,3\n"), "line 2: not CSV: every line needs as many fields as the first");
    }

    #[test]
    fn a_log_of_sessions_is_of_people() {
        let text = "user,login,logout\na,2026-11-30T09:00:20Z,2026-11-30T10:30:00Z\nb,600,\n";
        let tasks = csv(text, day()).unwrap().tasks().to_vec();
        assert_eq!(tasks[0], Task { arrives: 540, minutes: 90, cores: 1000, gpus: 0, load: 60, kind: Kind::Person });
        assert_eq!((tasks[1].arrives, tasks[1].minutes), (600, 1440));
        let error = |text: &str| csv(text, day()).unwrap_err().to_string();
        assert_eq!(error("login,logout\n60,30\n"), "line 2: `logout` is not before the login, found `30`");
        assert!(error("login\n60\n").contains("no column `logout`"));
        let past = "login,logout\n2020-01-01T00:00:00Z,2020-01-01T01:00:00Z\n";
        assert_eq!(error(past), "line 1: nobody comes from 2026-11-30 to 2026-12-01, the time that is simulated");
    }

    #[test]
    fn a_log_of_a_cluster_is_read() {
        let text = "; Version: 2.2\n1 120 5 61 4 -1 -1 8 60 -1 1 1 1 1 1 -1 -1 -1\n2 130 5 -1 4 -1 -1 8 60 -1 0 1 1 1 1 -1 -1 -1\n";
        let tasks = swf(text, day()).unwrap().tasks().to_vec();
        assert_eq!(tasks, [Task { arrives: 2, minutes: 2, cores: 8000, gpus: 0, load: 100, kind: Kind::Job }]);
        assert_eq!(swf("1 2\n", day()).unwrap_err().line, 1);
    }
}
