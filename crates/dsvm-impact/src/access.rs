//! Security rules, load balancers and public addresses on both sides → lines, and who can reach what.

use super::types::Draft;
use super::units;
use arm_plan::{AttributeChange, EffectKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A range of addresses that gains or loses access to a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reach {
    /// `198.51.100.0/24`, or a word of Azure such as `*`.
    pub(crate) range: String,
    /// The service as the source calls it.
    pub(crate) service: String,
    pub(crate) gained: bool,
}

/// Ranges by service that rules let in, in the order of the rules.
fn allowed(body: &Value) -> Vec<(String, BTreeSet<String>)> {
    let rules = body.pointer("/properties/securityRules").and_then(Value::as_array).into_iter().flatten();
    let mut all: Vec<(String, BTreeSet<String>)> = Vec::new();
    for rule in rules {
        let name = rule.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(service) = name.strip_prefix("allow-").filter(|service| *service != "probes") else { continue };
        let text = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str);
        if text("/properties/access") == Some("Deny") || text("/properties/direction") == Some("Outbound") {
            continue;
        }
        let mut ranges: BTreeSet<String> =
            text("/properties/sourceAddressPrefix").map(str::to_owned).into_iter().collect();
        let list = rule.pointer("/properties/sourceAddressPrefixes").and_then(Value::as_array).into_iter().flatten();
        ranges.extend(list.filter_map(Value::as_str).map(str::to_owned));
        match all.iter_mut().find(|(known, _)| known == service) {
            Some((_, known)) => known.extend(ranges),
            None => all.push((service.to_owned(), ranges)),
        }
    }
    all
}

/// What is different in the rules that let people in, and whom it concerns.
pub(crate) fn rules(before: &Value, after: &Value, attributes: &[&AttributeChange]) -> (Vec<Draft>, Vec<Reach>) {
    let (old, new) = (allowed(before), allowed(after));
    let mut lines = Vec::new();
    let mut reach = Vec::new();
    let removed = old.iter().filter(|(service, _)| !new.iter().any(|(known, _)| known == service));
    let services: Vec<&String> = new.iter().chain(removed).map(|(service, _)| service).collect();
    let ranges = |all: &'_ [(String, BTreeSet<String>)], service: &String| {
        all.iter().find(|(known, _)| known == service).map_or_else(BTreeSet::new, |(_, ranges)| ranges.clone())
    };
    for service in services {
        let (was, is) = (&ranges(&old, service), &ranges(&new, service));
        let gone: Vec<&String> = was.difference(is).collect();
        let came: Vec<&String> = is.difference(was).collect();
        if gone.is_empty() && came.is_empty() {
            continue;
        }
        let join = |ranges: &[&String]| ranges.iter().map(|r| range_word(r)).collect::<Vec<_>>().join(", ");
        let change = match (gone.is_empty(), came.is_empty()) {
            (false, true) => format!("{} removed", join(&gone)),
            (true, _) => format!("{} added", join(&came)),
            (false, false) => format!("{} → {}", join(&gone), join(&came)),
        };
        let path = format!("[allow-{service}]");
        let attribute = attributes.iter().find(|a| a.path.contains(&path));
        lines.push(Draft {
            subject: format!("allow {service}"),
            change,
            kind: EffectKind::InPlace,
            source: attribute.and_then(|a| a.source.clone()),
            ..Draft::default()
        });
        let lost = gone.iter().filter(|range| !covered(range, is));
        reach.extend(lost.map(|r| Reach { range: range_word(r), service: service.clone(), gained: false }));
        let won = came.iter().filter(|range| !covered(range, was));
        reach.extend(won.map(|r| Reach { range: range_word(r), service: service.clone(), gained: true }));
    }
    (lines, reach)
}

/// A range in the words of the source.
fn range_word(range: &str) -> String {
    match range {
        "*" | "Internet" | "0.0.0.0/0" => "any".to_owned(),
        "VirtualNetwork" => "network".to_owned(),
        other => units::plain(&Value::from(other)),
    }
}

/// Whether one of the ranges holds all of this one.
fn covered(range: &str, ranges: &BTreeSet<String>) -> bool {
    let everybody = |one: &str| matches!(one, "*" | "Internet" | "0.0.0.0/0");
    if ranges.iter().any(|one| everybody(one)) {
        return true;
    }
    let Some((address, bits)) = parse(range) else { return false };
    ranges
        .iter()
        .filter_map(|one| parse(one))
        .any(|(other, shorter)| shorter <= bits && same_head(address, other, shorter))
}

/// Address and length of the prefix.
fn parse(range: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = range.split_once('/').unwrap_or((range, ""));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let bits = if bits.is_empty() { whole } else { bits.parse().ok()? };
    (bits <= whole).then_some((address, bits))
}

fn same_head(a: IpAddr, b: IpAddr, bits: u32) -> bool {
    let (a, b, width) = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(u32::from(a)), u128::from(u32::from(b)), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a), u128::from(b), 128),
        _ => return false,
    };
    let shift = width - bits;
    shift >= 128 || a >> shift == b >> shift
}

/// Services that a load balancer passes on, by the names of its rules.
pub(crate) fn served(body: &Value) -> BTreeSet<String> {
    let rules = body.pointer("/properties/loadBalancingRules").and_then(Value::as_array).into_iter().flatten();
    rules.filter_map(|rule| rule.get("name")?.as_str().map(str::to_owned)).collect()
}

/// The host name of a public address, as the service shows it, or its label.
pub(crate) fn host(body: &Value) -> Option<String> {
    let settings = body.pointer("/properties/dnsSettings")?;
    let text = |key: &str| settings.get(key).and_then(Value::as_str).filter(|t| !t.starts_with('['));
    text("fqdn").or_else(|| text("domainNameLabel")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn group(ranges: &[&str]) -> Value {
        json!({ "properties": { "securityRules": [
            { "name": "allow-ssh", "properties": { "access": "Allow", "direction": "Inbound", "sourceAddressPrefixes": ranges } },
            { "name": "allow-probes", "properties": { "sourceAddressPrefix": "AzureLoadBalancer" } } ] } })
    }

    #[test]
    fn a_range_that_a_larger_one_holds_loses_nothing() {
        let lost = |before: &[&str], after: &[&str]| {
            let (lines, reach) = rules(&group(before), &group(after), &[]);
            (lines[0].change.clone(), reach.iter().filter(|r| !r.gained).map(|r| r.range.clone()).collect::<Vec<_>>())
        };
        let (change, gone) = lost(&["203.0.113.0/24", "198.51.100.0/24"], &["203.0.113.0/24"]);
        assert_eq!((change.as_str(), gone), ("198.51.100.0/24 removed", vec!["198.51.100.0/24".to_owned()]));
        let (change, gone) = lost(&["203.0.113.0/24"], &["203.0.112.0/20"]);
        assert_eq!((change.as_str(), gone), ("203.0.113.0/24 → 203.0.112.0/20", vec![]));
        assert_eq!(lost(&["2001:db8::/32"], &["2001:db9::/32"]).1, ["2001:db8::/32"]);
        assert_eq!(lost(&["*"], &["203.0.113.0/24"]).1, ["any"]);
        assert_eq!(lost(&["203.0.113.7"], &["*"]).1, Vec::<String>::new());
    }
}
