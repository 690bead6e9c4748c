//! Values of ARM → the words and units of the source.

use serde_json::Value;

/// Characters of a value on a line; longer ones are cut.
const LONGEST: usize = 60;

/// How a value is written in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// As it is, texts without quotes.
    Plain,
    /// In lower case, words joined by `_`.
    Word,
    /// A number of GiB.
    Gibibytes,
    /// An ISO 8601 duration.
    Duration,
    /// A number of minutes.
    Minutes,
    /// A number of days.
    Days,
    /// A number of percent.
    Percent,
    /// The name at the end of a resource id.
    Name,
    /// One of these values of ARM, and the word for it.
    Words(&'static [(&'static str, &'static str)]),
    /// A long text: only that it is another one is said.
    Other,
}

/// A value in its unit.
pub(crate) fn shown(value: &Value, unit: Unit) -> String {
    let text = match (unit, value) {
        (Unit::Gibibytes, _) => number(value).map(gibibytes),
        (Unit::Minutes, _) => number(value).map(|n| seconds(n * 60)),
        (Unit::Days, _) => number(value).map(|n| seconds(n * 86_400)),
        (Unit::Percent, _) => number(value).map(|n| format!("{n} %")),
        (Unit::Duration, Value::String(text)) => iso(text).map(seconds),
        (Unit::Word, Value::String(text)) => Some(word(text)),
        (Unit::Name, Value::String(text)) => Some(name(text)),
        (Unit::Words(words), Value::String(text)) => {
            words.iter().find(|(arm, _)| arm.eq_ignore_ascii_case(text)).map(|(_, word)| (*word).to_owned())
        }
        (Unit::Words(words), Value::Bool(flag)) => {
            let text = flag.to_string();
            words.iter().find(|(arm, _)| *arm == text).map(|(_, word)| (*word).to_owned())
        }
        _ => None,
    };
    text.unwrap_or_else(|| plain(value))
}

/// A value without a unit, on one line.
pub(crate) fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.starts_with('[') && !text.starts_with("[[") => "known at deployment".to_owned(),
        Value::String(text) if text.starts_with("/subscriptions/") => name(text),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let each = map.iter().map(|(key, inner)| format!("{key} {}", plain(inner)));
            each.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    cut(&text)
}

/// At most a line of a text.
pub(crate) fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let head: String = line.chars().take(LONGEST - 1).collect();
    format!("{}…", head.trim_end())
}

/// The last name of an id, or the text itself.
pub(crate) fn name(id: &str) -> String {
    if id.starts_with('[') {
        let quoted: Vec<&str> = id.split('\'').collect();
        let inner = quoted.iter().rev().find(|part| part.starts_with('/')).or_else(|| quoted.iter().rev().nth(1));
        return inner.map_or_else(|| "known at deployment".to_owned(), |part| last_segment(part));
    }
    last_segment(id)
}

fn last_segment(id: &str) -> String {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id).to_owned()
}

/// A word of ARM as the source writes it: `TrustedLaunch` → `trusted_launch`.
pub(crate) fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut lower = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && lower {
            out.push('_');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A whole number, also one in a text.
pub(crate) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `1024` → `1 TiB`.
fn gibibytes(n: i64) -> String {
    if n != 0 && n % 1024 == 0 { format!("{} TiB", n / 1024) } else { format!("{n} GiB") }
}

/// A length of time in its largest whole unit.
pub(crate) fn seconds(n: i64) -> String {
    let whole = [(86_400, "day"), (3_600, "h"), (60, "min")];
    let unit = whole.iter().find(|(size, _)| n != 0 && n % size == 0 && (*size < 86_400 || n >= 86_400));
    match unit {
        Some((size, "day")) => dsvm_diagnostics::count(n / size, "day"),
        Some((size, unit)) => format!("{} {unit}", n / size),
        None => format!("{n} s"),
    }
}

/// Seconds of a duration such as `PT1H30M` or `P7D`; nothing for years and months.
pub(crate) fn iso(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total = 0;
    for (part, units) in
        [(date, [('W', 604_800), ('D', 86_400), ('-', 0)]), (time, [('H', 3_600), ('M', 60), ('S', 1)])]
    {
        let mut digits = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let (_, size) = units.iter().find(|(unit, size)| *unit == c && *size > 0)?;
            total += digits.parse::<i64>().ok()? * size;
            digits.clear();
        }
        if !digits.is_empty() {
            return None;
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_have_the_units_of_the_source() {
        let cases = [
            (json!(2048), Unit::Gibibytes, "2 TiB"),
            (json!(1500), Unit::Gibibytes, "1500 GiB"),
            (json!("PT30M"), Unit::Duration, "30 min"),
            (json!("PT1H30M"), Unit::Duration, "90 min"),
            (json!("P7D"), Unit::Duration, "7 days"),
            (json!("soon"), Unit::Duration, "soon"),
            (json!("TrustedLaunch"), Unit::Word, "trusted_launch"),
            (json!("Premium_LRS"), Unit::Words(&[("Premium_LRS", "premium_ssd")]), "premium_ssd"),
            (json!("[parameters('x')]"), Unit::Plain, "known at deployment"),
            (json!("/subscriptions/s/resourceGroups/g/providers/A.B/c/d"), Unit::Plain, "d"),
            (json!(["a", "b"]), Unit::Plain, "a, b"),
        ];
        for (value, unit, wanted) in cases {
            assert_eq!(shown(&value, unit), wanted, "{value}");
        }
        assert_eq!(name("[resourceId('A.B/c', 'net', 'inner')]"), "inner");
    }
}
