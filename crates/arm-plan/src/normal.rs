//! When two spellings mean the same to Azure: ids, locations, durations, numbers.

use serde_json::Value;

/// An id as a key: lower case, no slash at the end.
#[must_use]
pub fn fold_id(id: &str) -> String {
    id.trim_end_matches('/').to_ascii_lowercase()
}

/// Whether two ids name the same resource.
#[must_use]
pub fn same_id(a: &str, b: &str) -> bool {
    a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// Whether a text is a resource id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() > 15
        && text.as_bytes().first() == Some(&b'/')
        && text.to_ascii_lowercase().starts_with("/subscriptions/")
        || text.to_ascii_lowercase().starts_with("/providers/microsoft.")
}

/// Type and name from an id: `Microsoft.Network/virtualNetworks/subnets` and `net/default`.
#[must_use]
pub fn type_of_id(id: &str) -> (String, String) {
    let parts: Vec<&str> = id.split('/').filter(|p| !p.is_empty()).collect();
    let last = parts.iter().rposition(|p| p.eq_ignore_ascii_case("providers"));
    let Some(at) = last else {
        // A resource group or a subscription.
        let name = parts.last().copied().unwrap_or_default().to_owned();
        let group = parts.iter().any(|p| p.eq_ignore_ascii_case("resourcegroups"));
        let kind = if group { "Microsoft.Resources/resourceGroups" } else { "Microsoft.Resources/subscriptions" };
        return (kind.to_owned(), name);
    };
    let mut rest = parts.iter().skip(at + 1);
    let mut resource_type = rest.next().copied().unwrap_or_default().to_owned();
    let mut names: Vec<&str> = Vec::new();
    while let Some(kind) = rest.next() {
        resource_type.push('/');
        resource_type.push_str(kind);
        if let Some(name) = rest.next() {
            names.push(name);
        }
    }
    (resource_type, names.join("/"))
}

/// The id of a resource of that type and name in a scope.
#[must_use]
pub fn resource_id(scope: &str, resource_type: &str, name: &str) -> String {
    let mut parts = resource_type.split('/');
    let provider = parts.next().unwrap_or_default();
    let pairs = parts.zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}"));
    format!("{scope}/providers/{provider}{}", pairs.collect::<String>())
}

/// `West US 2` and `westus2` are one place. Texts that cannot be names of regions are not.
pub(super) fn same_location(a: &str, b: &str) -> bool {
    let region = |t: &str| t.len() < 40 && t.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
    if !region(a) || !region(b) {
        return false;
    }
    let fold = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    fold(a) == fold(b)
}

/// Length of an ISO 8601 duration in milliseconds; `None` for anything else and for months and years, whose length varies.
pub(super) fn duration_ms(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').map_or((rest, ""), |(d, t)| (d, t));
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total: f64 = 0.0;
    let mut read = |part: &str, units: &[(char, f64)]| -> Option<()> {
        let mut number = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() || c == '.' {
                number.push(c);
                continue;
            }
            let (_, scale) = units.iter().find(|(u, _)| *u == c)?;
            total += number.parse::<f64>().ok()? * scale;
            number.clear();
        }
        number.is_empty().then_some(())
    };
    read(days, &[('W', 604_800_000.0), ('D', 86_400_000.0)])?;
    read(time, &[('H', 3_600_000.0), ('M', 60_000.0), ('S', 1000.0)])?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits only: never negative, far below 2^53"
    )]
    Some(total.round() as u64)
}

/// Whether two numbers are the same, each perhaps written as a string. Whole numbers are compared digit by digit:
/// beyond 2^53 a float cannot tell neighbours apart.
pub(super) fn same_number(a: &Value, b: &Value) -> bool {
    let whole = |v: &Value| match v {
        Value::Number(n) => n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)),
        Value::String(s) => s.parse::<i128>().ok(),
        _ => None,
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        #[expect(clippy::float_cmp, reason = "both sides are the same literal in two spellings")]
        _ => as_number(a).zip(as_number(b)).is_some_and(|(a, b)| a == b),
    }
}

/// Whether one side is a Boolean and the other the same one as text: the service reads `"true"` and answers `true`.
pub(super) fn same_boolean(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Bool(value), Value::String(text)) | (Value::String(text), Value::Bool(value)) => {
            text.trim().eq_ignore_ascii_case(if *value { "true" } else { "false" })
        }
        _ => false,
    }
}

/// A number, also when it is written as a string.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) if !s.is_empty() && s.len() < 20 => s.parse().ok(),
        _ => None,
    }
}

/// `{}`, `[]` and null.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.values().all(is_empty),
        _ => false,
    }
}

/// Case-insensitive match with `*` for any run of characters.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_give_type_and_name() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net/subnets/a";
        assert_eq!(type_of_id(id), ("Microsoft.Network/virtualNetworks/subnets".into(), "net/a".into()));
        let role = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/providers/Microsoft.Authorization/roleAssignments/x";
        assert_eq!(type_of_id(role), ("Microsoft.Authorization/roleAssignments".into(), "x".into()));
        assert_eq!(type_of_id("/subscriptions/s/resourceGroups/g").0, "Microsoft.Resources/resourceGroups");
    }

    #[test]
    fn durations_are_lengths() {
        assert_eq!(duration_ms("PT1H"), duration_ms("PT60M"));
        assert_eq!(duration_ms("P1DT1S"), Some(86_401_000));
        assert_eq!(duration_ms("PT0S"), Some(0));
        for odd in ["P", "PT", "P1M", "PT5", "Premium_LRS", "1H", "PTH"] {
            assert_eq!(duration_ms(odd), None, "{odd}");
        }
    }

    #[test]
    fn stars_match_any_run() {
        assert!(matches_pattern("team*", "Team-1"));
        assert!(matches_pattern("*/team", "Microsoft.Compute/virtualMachineScaleSets/team"));
        assert!(!matches_pattern("team", "team-1"));
        assert!(matches_pattern("*", ""));
        assert!(matches_pattern("a*b*c", "a1b2c"));
        assert!(!matches_pattern("a*b*c", "a1c2b"));
    }
}
