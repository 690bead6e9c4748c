//! The rules of the language's words, for what ARM's own words say: an override or a `resource` opens no door that a field
//! would have kept closed.

use super::diags::{self, Breaks};
use super::json::{Json, Map};
use super::laid::Laid;
use super::node::Node;
use super::versions;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::services;
use dsvm_sema::checked::Free;

/// Looks at the parts of a resource that were written in ARM's own words, as they are sent.
pub(crate) fn check(node: &Node, free: &Free, laid: &Laid, sink: &mut Sink) {
    let written = |pointer: &str| laid.place(free, pointer).map(|place| place.value);
    match node.kind.to_ascii_lowercase().as_str() {
        "microsoft.network/networksecuritygroups" => {
            for (index, rule) in items(&node.body, "/properties/securityRules").iter().enumerate() {
                let at = format!("/properties/securityRules/{index}/properties");
                if let Some(span) = written(&at) {
                    rule_of_a_group(object(rule, "properties"), span, sink);
                }
            }
        }
        "microsoft.network/networksecuritygroups/securityrules" => {
            if let Some(span) = written("/properties") {
                rule_of_a_group(node.body.get("properties"), span, sink);
            }
        }
        "microsoft.storage/storageaccounts" => storage(node, &written, sink),
        "microsoft.authorization/roleassignments" => {
            let role = at(&node.body, "/properties/roleDefinitionId").and_then(text);
            if let (Some(role), Some(span)) = (role.and_then(powerful), written("/properties/roleDefinitionId")) {
                sink.push(diags::powerful_role(role, span));
            }
        }
        _ => {}
    }
}

/// What an override takes from a resource that the rest of the pool relies on.
pub(crate) fn kept(node: &Node, before: &Map, free: &Free, laid: &Laid, sink: &mut Sink) {
    let place = |pointer: &str| laid.place(free, pointer).filter(|_| laid.touches(pointer)).map(|place| place.value);
    if let Some(place) = free.place("/name") {
        sink.push(diags::override_breaks(&Breaks::Name, place.value));
    }
    if !node.is(versions::SCALE_SET) {
        return;
    }
    let users = |body: &Map| matches!(at(body, "/identity/userAssignedIdentities"), Some(Json::Object(_)));
    let kind = at(&node.body, "/identity/type").and_then(text).unwrap_or_default().to_ascii_lowercase();
    if let Some(span) = place("/identity/type").filter(|_| users(&node.body) && !kind.contains("userassigned")) {
        sink.push(diags::override_breaks(&Breaks::Identity, span));
    }
    let flexible = at(&node.body, "/properties/orchestrationMode").and_then(text) == Some("Flexible");
    for (pointer, name) in
        [("/properties/overprovision", "overprovision"), ("/properties/singlePlacementGroup", "singlePlacementGroup")]
    {
        let on = at(&node.body, pointer) == Some(&Json::Bool(true));
        if let Some(span) = place(pointer).filter(|_| flexible && on) {
            sink.push(diags::override_breaks(&Breaks::Flexible(name), span));
        }
    }
    let repairs = at(&node.body, "/properties/automaticRepairsPolicy/enabled") == Some(&Json::Bool(true));
    const EXTENSIONS: &str = "/properties/virtualMachineProfile/extensionProfile/extensions";
    let healthy = |body: &Map| items(body, EXTENSIONS).iter().any(is_health);
    if let Some(span) = place(EXTENSIONS).filter(|_| repairs && healthy(before) && !healthy(&node.body)) {
        sink.push(diags::override_breaks(&Breaks::Health, span));
    }
    const CARDS: &str = "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations";
    for (number, card) in items(&node.body, CARDS).iter().enumerate() {
        let pointer = format!("{CARDS}/{number}");
        let addresses = object(card, "properties").and_then(|inner| object(inner, "ipConfigurations"));
        let Some(Json::Array(addresses)) = addresses else { continue };
        let joined =
            |address: &Json| object(address, "properties").is_some_and(|inner| object(inner, "subnet").is_some());
        if let Some(span) = laid.place(free, &pointer).map(|place| place.value)
            && !addresses.iter().all(joined)
        {
            sink.push(diags::override_breaks(&Breaks::Subnet, span));
        }
    }
}

/// The application health extensions of Linux and Windows.
fn is_health(extension: &Json) -> bool {
    let kind = object(extension, "properties").and_then(|inner| object(inner, "type")).and_then(text);
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("applicationhealth"))
}

fn text(value: &Json) -> Option<&str> {
    if let Json::String(text) = value { Some(text) } else { None }
}

fn object<'j>(value: &'j Json, name: &str) -> Option<&'j Json> {
    if let Json::Object(map) = value { get(map, name) } else { None }
}

/// Azure ignores the case of property names.
fn get<'j>(map: &'j Map, name: &str) -> Option<&'j Json> {
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn at<'j>(body: &'j Map, pointer: &str) -> Option<&'j Json> {
    let mut steps = pointer.trim_start_matches('/').split('/');
    let first = get(body, steps.next()?)?;
    steps.try_fold(first, |value, step| object(value, step))
}

fn items<'j>(body: &'j Map, pointer: &str) -> &'j [Json] {
    match at(body, pointer) {
        Some(Json::Array(items)) => items,
        _ => &[],
    }
}

/// The texts of `name` and `names`, which Azure joins.
fn texts<'j>(rule: &'j Json, one: &str, many: &str) -> Vec<&'j str> {
    let mut all: Vec<&str> = object(rule, one).and_then(text).into_iter().collect();
    if let Some(Json::Array(items)) = object(rule, many) {
        all.extend(items.iter().filter_map(text));
    }
    all
}

/// A rule that lets the internet in: as ranges it hides what it does, and nobody lets all of it in to Remote Desktop.
fn rule_of_a_group(rule: Option<&Json>, span: Span, sink: &mut Sink) {
    let Some(rule) = rule else { return };
    let is = |name: &str, word: &str| object(rule, name).and_then(text).is_some_and(|t| t.eq_ignore_ascii_case(word));
    if !is("access", "Allow") || !is("direction", "Inbound") {
        return;
    }
    let sources = texts(rule, "sourceAddressPrefix", "sourceAddressPrefixes");
    let any = sources.iter().any(|s| ["*", "internet", "any"].contains(&s.to_ascii_lowercase().as_str()));
    if !any && services::texts_open_to_all(&sources) {
        sink.push(diags::open_in_arm_words(span));
    } else if any
        && texts(rule, "destinationPortRange", "destinationPortRanges")
            .iter()
            .any(|range| includes(range, services::RDP))
    {
        sink.push(diags::rdp_open_in_arm_words(span));
    }
}

/// Whether `*`, `22` or `1000-4000` includes a port.
fn includes(range: &str, port: u16) -> bool {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    match range.split_once('-') {
        _ if range.trim() == "*" => true,
        Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| (from..=to).contains(&port)),
        None => number(range) == Some(port),
    }
}

/// Data that anyone can read without a key, and traffic that anyone on the way can read.
fn storage(node: &Node, written: &dyn Fn(&str) -> Option<Span>, sink: &mut Sink) {
    for (pointer, open, what) in [
        ("/properties/allowBlobPublicAccess", Json::Bool(true), "containers can be read by everyone, without a key"),
        ("/properties/supportsHttpsTrafficOnly", Json::Bool(false), "keys and data can be read on the way"),
    ] {
        if let Some(span) = written(pointer).filter(|_| at(&node.body, pointer) == Some(&open)) {
            sink.push(diags::storage_opened(what, span));
        }
    }
    // A raw account is open unless it says otherwise; here an account that the words had closed is opened.
    let opened = at(&node.body, "/properties/networkAcls/defaultAction")
        .and_then(text)
        .is_some_and(|t| t.eq_ignore_ascii_case("Allow"));
    if let Some(span) = written("/properties/networkAcls/defaultAction").filter(|_| opened && node.pool.is_none()) {
        sink.push(diags::storage_opened("every address on the internet reaches it", span));
    }
}

/// The roles that can give themselves every right, by their GUIDs:
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged>.
fn powerful(role: &str) -> Option<&'static str> {
    const ROLES: [(&str, &str); 4] = [
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
        ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
        ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"),
        ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"),
    ];
    let lower = role.to_ascii_lowercase();
    ROLES.iter().find(|(guid, _)| lower.contains(guid)).map(|(_, name)| *name)
}
