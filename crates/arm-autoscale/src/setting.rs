//! An autoscale setting, read from the properties of its resource.

use super::schedule::When;
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde_json::Value;

/// What an autoscale setting says of its target.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The profiles in the order of the setting.
    pub profiles: Vec<Profile>,
}

/// Limits and rules for a time.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name, as in the setting.
    pub name: String,
    /// Fewest machines that the profile allows, inclusive.
    pub minimum: i64,
    /// Most machines that the profile allows, inclusive.
    pub maximum: i64,
    /// Machines when metrics cannot be read and there are fewer.
    pub default: i64,
    /// The rules in the order of the setting.
    pub rules: Vec<Rule>,
    /// When the profile is in force.
    pub when: When,
}

/// A condition on a metric, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The condition that makes the rule fire.
    pub trigger: Trigger,
    /// Whether machines are added or removed; `None` for the direction `None`.
    pub direction: Option<Direction>,
    /// How the new number of machines follows from the present one.
    pub change: Change,
    /// How long nothing more happens after the rule has fired, in milliseconds.
    pub cooldown: i64,
}

/// The direction of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `Increase`: any rule that is true adds machines.
    Out,
    /// `Decrease`: machines are removed when every rule is true.
    In,
}

/// How a rule changes the number of machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `ChangeCount`: by this many machines.
    By(i64),
    /// `PercentChangeCount`: by this part of the present machines, in per cent.
    Percent(i64),
    /// `ExactCount`: to this many machines.
    To(i64),
}

/// The condition of a rule: `metricTrigger`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Id of the resource that emits the metric.
    pub resource: String,
    /// Name of the metric, as the service spells it.
    pub metric: String,
    /// Length of the parts of the window whose samples are combined first, in milliseconds.
    pub grain: i64,
    /// Length of the window that ends now, in milliseconds.
    pub window: i64,
    /// How the samples of all instances in a grain become one value (`statistic`, lower case).
    pub statistic: String,
    /// How the grains of the window become one value (`timeAggregation`, lower case).
    pub aggregation: String,
    /// How value and threshold are compared.
    pub operator: Operator,
    /// What the value is compared with.
    pub threshold: f64,
    /// `dividePerInstance`: the value is divided by the present number of machines first.
    pub divide: bool,
}

/// The comparison of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Written `Equals` in the setting.
    Equals,
    /// Written `NotEquals` in the setting.
    NotEquals,
    /// Written `GreaterThan` in the setting.
    Greater,
    /// Written `GreaterThanOrEqual` in the setting.
    GreaterOrEqual,
    /// Written `LessThan` in the setting.
    Less,
    /// Written `LessThanOrEqual` in the setting.
    LessOrEqual,
}

impl Setting {
    /// Reads the `properties` of an autoscale setting. Profiles without limits and rules without a condition are left
    /// out: the service refuses them.
    #[must_use]
    pub fn of(properties: &Value) -> Self {
        let profiles = properties.get("profiles").and_then(Value::as_array).into_iter().flatten();
        Self { profiles: profiles.filter_map(Profile::of).collect() }
    }
}

impl Profile {
    fn of(value: &Value) -> Option<Self> {
        let limit = |key: &str| whole(value.pointer(&format!("/capacity/{key}")));
        let rules = value.get("rules").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            name: value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            minimum: limit("minimum")?,
            maximum: limit("maximum")?,
            default: limit("default")?,
            rules: rules.filter_map(Rule::of).collect(),
            when: When::of(value),
        })
    }
}

/// The profile in force: a fixed date, else the recurrence that began last, else the default; of several alike the first.
///
/// Source: Microsoft Learn, "Understand autoscale settings" (2026-08) and "Autoscale with multiple profiles" (2024-11).
#[must_use]
pub fn in_force(profiles: &[Profile], at: Timestamp) -> Option<&Profile> {
    let fixed =
        profiles.iter().find(|profile| matches!(profile.when, When::Between(start, end) if start <= at && at <= end));
    let begun = || {
        let all = profiles.iter().filter_map(|profile| Some((profile.when.last_begin(at)?, profile)));
        all.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, profile)| profile)
    };
    let always = || profiles.iter().find(|profile| matches!(profile.when, When::Always));
    fixed.or_else(begun).or_else(always)
}

impl Rule {
    fn of(value: &Value) -> Option<Self> {
        let action = value.get("scaleAction")?;
        let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let count = whole(action.get("value")).unwrap_or(1);
        Some(Self {
            trigger: Trigger::of(value.get("metricTrigger")?)?,
            direction: match text("direction").as_str() {
                "increase" => Some(Direction::Out),
                "decrease" => Some(Direction::In),
                _ => None,
            },
            change: match text("type").as_str() {
                "exactcount" => Change::To(count),
                "percentchangecount" => Change::Percent(count),
                _ => Change::By(count),
            },
            cooldown: action.get("cooldown").and_then(Value::as_str).and_then(milliseconds).unwrap_or(0),
        })
    }
}

impl Trigger {
    fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let word = |key: &str| text(key).unwrap_or("Average").to_lowercase();
        Some(Self {
            resource: text("metricResourceUri").unwrap_or_default().to_owned(),
            metric: text("metricName")?.to_owned(),
            grain: text("timeGrain").and_then(milliseconds)?.max(1),
            window: text("timeWindow").and_then(milliseconds)?,
            statistic: word("statistic"),
            aggregation: word("timeAggregation"),
            operator: Operator::of(text("operator")?)?,
            threshold: value.get("threshold").and_then(Value::as_f64)?,
            divide: value.get("dividePerInstance").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// Whether the metric is the length of a Storage or Service Bus queue. The threshold of such a rule is per machine, also
    /// when `dividePerInstance` is not set.
    ///
    /// Source: Microsoft Learn, "Best practices for autoscale" (2026-08). Names of the metrics as in "Autoscale common metrics".
    #[must_use]
    pub fn is_queue_length(&self) -> bool {
        let resource = self.resource.to_lowercase();
        let named = |names: &[&str]| names.iter().any(|name| self.metric.eq_ignore_ascii_case(name));
        (resource.contains("/microsoft.storage/") || resource.contains("/microsoft.classicstorage/"))
            && named(&["ApproximateMessageCount", "QueueMessageCount"])
            || resource.contains("/microsoft.servicebus/")
                && named(&["ActiveMessages", "ActiveMessageCount", "MessageCount", "Messages"])
    }

    /// Whether the condition is on a value for each machine, made from a total.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.divide || self.is_queue_length()
    }

    /// The value of the trigger's window that ends at `now` (milliseconds since 1970), from samples in the order of time.
    /// `None` when the window holds none.
    #[must_use]
    pub fn fold(&self, samples: &[(i64, f64)], now: i64) -> Option<f64> {
        let first = samples.partition_point(|(time, _)| *time <= now - self.window);
        let mut grains = Vec::new();
        let mut rest = samples.get(first..).unwrap_or_default();
        rest = rest.get(..rest.partition_point(|(time, _)| *time <= now)).unwrap_or_default();
        let mut start = now - self.window;
        while start < now && !rest.is_empty() {
            let (part, later) = rest.split_at(rest.partition_point(|(time, _)| *time <= start + self.grain));
            let values: Vec<f64> = part.iter().map(|(_, value)| *value).collect();
            grains.extend(combine(&values, &self.statistic));
            rest = later;
            start += self.grain;
        }
        combine(&grains, &self.aggregation)
    }
}

/// Values combined by a word of `statistic` or `timeAggregation`, in lower case.
fn combine(values: &[f64], how: &str) -> Option<f64> {
    let last = *values.last()?;
    let sum: f64 = values.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a window holds few samples")]
    let count = values.len() as f64;
    Some(match how {
        "min" | "minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" | "maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "sum" | "total" => sum,
        "count" => count,
        "last" => last,
        _ => sum / count,
    })
}

impl Operator {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "equals" => Self::Equals,
            "notequals" => Self::NotEquals,
            "greaterthan" => Self::Greater,
            "greaterthanorequal" => Self::GreaterOrEqual,
            "lessthan" => Self::Less,
            "lessthanorequal" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// Compares a value with a threshold.
    #[must_use]
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Equals => (value - threshold).abs() < f64::EPSILON,
            Self::NotEquals => (value - threshold).abs() >= f64::EPSILON,
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// An ISO 8601 duration of weeks, days and clock units in milliseconds; years and months have no fixed length.
fn milliseconds(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    i64::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.as_millis()).ok()
}

/// A number that may be written as a string, as capacities are.
pub(crate) fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}
