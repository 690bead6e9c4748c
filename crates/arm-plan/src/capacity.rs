//! Which pools autoscale owns, and in which range.

use super::{Desired, normal};
use indexmap::IndexMap;
use serde_json::Value;

/// The widest range that the profiles of an autoscale setting allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityRange {
    /// Smallest minimum of any profile.
    pub min: u64,
    /// Largest maximum of any profile.
    pub max: u64,
}

/// Ids (lower case) of resources whose capacity an enabled autoscale setting of the source owns.
#[must_use]
pub fn autoscaled(desired: &Desired) -> IndexMap<String, CapacityRange> {
    let settings = desired
        .resources
        .iter()
        .filter(|r| r.resource_type.eq_ignore_ascii_case("Microsoft.Insights/autoscaleSettings"));
    settings.filter_map(|s| owned_by(&s.body.read())).collect()
}

fn owned_by(setting: &Value) -> Option<(String, CapacityRange)> {
    let properties = setting.get("properties")?;
    if properties.get("enabled") != Some(&Value::Bool(true)) {
        return None;
    }
    let target = properties.get("targetResourceUri").and_then(Value::as_str)?;
    let number = |profile: &Value, key: &str| {
        let value = profile.get("capacity").and_then(|c| c.get(key))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "machine counts are small and not negative"
        )]
        normal::as_number(value).map(|n| n.max(0.0) as u64)
    };
    let profiles = properties.get("profiles").and_then(Value::as_array)?;
    let min = profiles.iter().filter_map(|p| number(p, "minimum")).min()?;
    let max = profiles.iter().filter_map(|p| number(p, "maximum")).max()?;
    Some((normal::fold_id(target), CapacityRange { min, max }))
}
