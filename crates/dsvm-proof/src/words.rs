//! Loads in words.

/// A number with at most four digits behind the point.
#[must_use]
pub fn number(value: f64) -> String {
    let text = format!("{value:.*}", if value.abs() >= 1000.0 { 1 } else { 4 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// A load of a metric: what it would keep busy, where that can be said.
#[must_use]
pub fn load(metric: &str, value: f64) -> String {
    if metric.eq_ignore_ascii_case("Percentage CPU") {
        let machines = number(value / 100.0);
        format!("work for {machines} {}", if machines == "1" { "machine" } else { "machines" })
    } else if metric.to_ascii_lowercase().contains("message") {
        format!("{} messages", number(value))
    } else {
        format!("{} of {metric}", number(value))
    }
}
