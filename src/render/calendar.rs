//! What ends, and when → a list for people, JSON, and iCalendar (RFC 5545).

use super::palette::{Palette, Role};
use super::plan_text::clean;
use jiff::civil::Date;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Something that ends on a day.
pub struct End {
    /// The day from which it is over, or the last day of a schedule.
    pub date: Date,
    /// Name of the project.
    pub project: String,
    /// The envs that have it; empty when all have.
    pub envs: Vec<String>,
    /// What ends, and of which block.
    pub what: String,
    /// What happens on that day, in one clause.
    pub why: String,
    /// What to do before.
    pub then: Option<String>,
    /// File and line in which it is written.
    pub place: (String, u32),
}

impl End {
    fn envs(&self) -> String {
        let named: Vec<String> = self.envs.iter().filter(|env| !env.is_empty()).map(|env| clean(env)).collect();
        if named.is_empty() { String::new() } else { format!(" (env {})", named.join(", ")) }
    }
}

/// How every calendar of dsvmc begins.
pub const ICS_BEGIN: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//dsvmc//calendar//EN\r\n";

/// The days from today to a day, as people say it.
fn distance(from: Date, to: Date) -> String {
    let days = from.until(to).map(|span| span.get_days()).unwrap_or(0);
    match days {
        ..=-1 => "past".to_owned(),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => format!("in {days} days"),
    }
}

/// A line for each end, earliest first.
#[must_use]
pub fn text(ends: &[End], today: Date, palette: Palette) -> String {
    if ends.is_empty() {
        return "Nothing that the projects use has a known end.\n".to_owned();
    }
    let mut out = String::new();
    for end in ends {
        let role = if end.date <= today { Role::Error } else { Role::Title };
        let when = format!("{}  {:<12}", end.date, distance(today, end.date));
        let what = clean(&end.what);
        out.push_str(&format!("{}  {what}: {}{}\n", palette.paint(role, &when), clean(&end.why), end.envs()));
        let (file, line) = &end.place;
        let then = end.then.as_ref().map(|then| format!("; {}", clean(then))).unwrap_or_default();
        out.push_str(&format!("{:26}{}:{line}{then}\n", "", clean(file)));
    }
    out
}

/// One document with the day that it was made for and every end, earliest first.
#[must_use]
pub fn data(ends: &[End], today: Date) -> Value {
    let one = |end: &End| {
        json!({
            "date": end.date.to_string(),
            "past": end.date <= today,
            "project": end.project,
            "envs": end.envs,
            "what": end.what,
            "why": end.why,
            "then": end.then,
            "file": end.place.0,
            "line": end.place.1,
        })
    };
    json!({ "version": 1, "as_of": today.to_string(), "ends": ends.iter().map(one).collect::<Vec<_>>() })
}

/// A calendar with an event of a whole day for each end. The same end has the same identifier in every run, so that a
/// calendar program updates what it has.
#[must_use]
pub fn ics(ends: &[End]) -> String {
    let mut out = ICS_BEGIN.to_owned();
    for end in ends {
        let key = format!("{}\0{}\0{}", end.project, end.what, end.why);
        let id: String = Sha256::digest(key.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let day = end.date.strftime("%Y%m%d");
        let (file, line) = &end.place;
        let then = end.then.as_ref().map(|then| format!("; {then}")).unwrap_or_default();
        let description = format!("{}{} of {}, {file}:{line}{then}", end.why, end.envs(), end.project);
        for text in [
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{id}@dsvmc"),
            // The stamp is the day itself: the same input gives the same file on every day.
            format!("DTSTAMP:{day}T000000Z"),
            format!("DTSTART;VALUE=DATE:{day}"),
            format!("SUMMARY:{}", escaped(&format!("{}: {}", end.project, end.what))),
            format!("DESCRIPTION:{}", escaped(&description)),
            "TRANSP:TRANSPARENT".to_owned(),
            "END:VEVENT".to_owned(),
        ] {
            folded(&text, &mut out);
        }
    }
    out.push_str("END:VCALENDAR\r\n");
    out
}

/// A text as a calendar holds it (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    clean(text).replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A line of at most 75 bytes, folded into several (RFC 5545, 3.1).
fn folded(text: &str, out: &mut String) {
    let mut length = 0;
    for letter in text.chars() {
        if length + letter.len_utf8() > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(letter);
        length += letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_calendar_are_folded_between_letters() {
        let mut out = String::new();
        folded(&"ä".repeat(60), &mut out);
        assert!(out.split("\r\n").all(|line| line.len() <= 75), "{out}");
        assert_eq!(out.replace("\r\n ", "").trim_end(), "ä".repeat(60));
        assert_eq!(escaped("a,b;c\\d"), "a\\,b\\;c\\\\d");
    }
}
