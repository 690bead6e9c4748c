//! .NET date format strings with invariant culture.

use crate::error::EvalError;
use jiff::civil::DateTime;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Formats a time in UTC.
pub(super) fn format(time: DateTime, spec: &str) -> Result<String, EvalError> {
    let picture = match spec {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "" | "G" => "MM/dd/yyyy HH:mm:ss",
        "m" | "M" => "MMMM dd",
        "o" | "O" => "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
        "r" | "R" => "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
        "s" => "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
        "y" | "Y" => "yyyy MMMM",
        single if single.chars().count() == 1 => return Err(bad(spec)),
        custom => custom,
    };
    custom(time, picture).ok_or_else(|| bad(spec))
}

fn bad(spec: &str) -> EvalError {
    EvalError::new("The template language function was invoked with a date format that is not valid: 'Input string was not in a correct format.'.")
        .says(format!("`{spec}` is not a date format of .NET"))
}

fn custom(time: DateTime, picture: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = picture.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            '%' => match chars.peek() {
                Some('%') | None => return None,
                Some(_) => {}
            },
            '\'' | '"' => loop {
                match chars.next()? {
                    end if end == c => break,
                    '\\' => out.push(chars.next()?),
                    other => out.push(other),
                }
            },
            'd' | 'f' | 'F' | 'g' | 'h' | 'H' | 'K' | 'm' | 'M' | 's' | 't' | 'y' | 'z' => {
                let mut count = 1;
                while c != 'K' && chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                token(time, c, count, &mut out)?;
            }
            other => out.push(other),
        }
    }
    Some(out)
}

fn token(time: DateTime, c: char, count: usize, out: &mut String) -> Option<()> {
    let number = |value: i64, width: usize| format!("{value:0width$}");
    let two = |value: i64| number(value, count.min(2));
    let twelve = match i64::from(time.hour()) % 12 {
        0 => 12,
        hour => hour,
    };
    let weekday = DAYS.get(usize::try_from(time.weekday().to_monday_zero_offset()).ok()?)?;
    let month = MONTHS.get(usize::try_from(time.month()).ok()?.checked_sub(1)?)?;
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let text = match (c, count) {
        ('d', 1 | 2) => two(time.day().into()),
        ('d', 3) => short(weekday),
        ('d', _) => (*weekday).to_string(),
        ('M', 1 | 2) => two(time.month().into()),
        ('M', 3) => short(month),
        ('M', _) => (*month).to_string(),
        ('y', 1 | 2) => two(i64::from(time.year()) % 100),
        ('y', n) => number(time.year().into(), n.min(20)),
        ('h', _) => two(twelve),
        ('H', _) => two(time.hour().into()),
        ('m', _) => two(time.minute().into()),
        ('s', _) => two(time.second().into()),
        ('t', n) => if time.hour() < 12 { "AM" } else { "PM" }.chars().take(n.min(2)).collect(),
        ('f' | 'F', n) if n <= 7 => {
            let fraction: String = number(time.subsec_nanosecond().into(), 9).chars().take(n).collect();
            if c == 'f' {
                fraction
            } else {
                let trimmed = fraction.trim_end_matches('0').to_string();
                if trimmed.is_empty() && out.ends_with('.') {
                    out.pop();
                }
                trimmed
            }
        }
        ('g', _) => "A.D.".to_string(),
        ('K', _) => "Z".to_string(),
        ('z', 1) => "+0".to_string(),
        ('z', 2) => "+00".to_string(),
        ('z', _) => "+00:00".to_string(),
        _ => return None,
    };
    out.push_str(&text);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn standard_and_custom_formats() {
        let time = date(2019, 3, 5).at(14, 7, 9, 120_000_000);
        for (spec, expected) in [
            ("d", "03/05/2019"),
            ("M d", "3 5"),
            ("D", "Tuesday, 05 March 2019"),
            ("u", "2019-03-05 14:07:09Z"),
            ("s", "2019-03-05T14:07:09"),
            ("o", "2019-03-05T14:07:09.1200000Z"),
            ("R", "Tue, 05 Mar 2019 14:07:09 GMT"),
            ("yyyyMMddTHHmmssZ", "20190305T140709Z"),
            ("h:mm tt", "2:07 PM"),
            ("%d", "5"),
            ("ddd, MMM yy 'at' HH\\h", "Tue, Mar 19 at 14h"),
            ("ss.FFF", "09.12"),
            ("zzz", "+00:00"),
        ] {
            assert_eq!(format(time, spec).unwrap(), expected, "{spec}");
        }
        assert!(format(time, "x").is_err());
        assert!(format(time, "yyyy 'open").is_err());
    }
}
