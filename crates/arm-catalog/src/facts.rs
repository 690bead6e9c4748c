//! `facts.json` → answers to what the specifications of the types do not say.

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

#[derive(Deserialize)]
struct File {
    names: BTreeMap<String, NameRule>,
    types: BTreeMap<String, TypeFacts>,
}

/// A rule of resource names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameRule {
    /// Minimum number of characters.
    pub(super) min: usize,
    /// Maximum number of characters.
    pub(super) max: usize,
    /// Regular expression that the name must match.
    pub(super) pattern: Option<String>,
    /// Regular expression that the name must not match.
    pub(super) not: Option<String>,
    /// The rule in words, for messages.
    pub(super) rule: String,
    /// How sure it is.
    pub(super) mark: String,
    /// The patterns, compiled on first use.
    #[serde(skip)]
    pub(super) compiled: OnceLock<(Option<Regex>, Option<Regex>)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct TypeFacts {
    name: Option<String>,
    defaults: Vec<(String, Value, String)>,
    lists: Vec<(String, String)>,
    secret: Vec<String>,
    never_returned: Vec<String>,
}

/// A value that the service fills in where the template says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DefaultValue {
    /// JSON pointer; `*` matches each element of a list.
    pub pointer: &'static str,
    /// The value that the service fills in.
    pub value: &'static Value,
    /// `S` specification, `D` documentation, `R` recorded answer, `C` common knowledge.
    pub mark: &'static str,
}

/// How the elements of a list are to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKey {
    /// Their order means something.
    Ordered,
    /// Their order means nothing.
    Set,
    /// An element is found by this property.
    By(&'static str),
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| {
        serde_json::from_str(include_str!("facts.json"))
            .unwrap_or_else(|_| File { names: BTreeMap::new(), types: BTreeMap::new() })
    })
}

fn facts(resource_type: &str) -> Option<&'static TypeFacts> {
    // As Azure spells it, which is how everything that is generated has it.
    if let Some(facts) = file().types.get(resource_type) {
        return Some(facts);
    }
    static LOWER: OnceLock<BTreeMap<String, &'static TypeFacts>> = OnceLock::new();
    let lower = LOWER.get_or_init(|| file().types.iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect());
    lower.get(&resource_type.to_ascii_lowercase()).copied()
}

pub(super) fn name_rule(resource_type: &str) -> Option<&'static NameRule> {
    file().names.get(facts(resource_type)?.name.as_ref()?)
}

/// Whether `pointer` is the pattern, or (with `below`) something inside of it.
fn matches(pattern: &str, pointer: &str, below: bool) -> bool {
    let mut steps = pointer.split('/').skip(1);
    for wanted in pattern.split('/').skip(1) {
        match steps.next() {
            Some(step) if wanted.eq_ignore_ascii_case(step) => {}
            Some(step) if wanted == "*" && (step == "*" || step.bytes().all(|b| b.is_ascii_digit())) => {}
            _ => return false,
        }
    }
    below || steps.next().is_none()
}

/// The values that the service fills in.
pub fn defaults(resource_type: &str) -> impl Iterator<Item = DefaultValue> {
    facts(resource_type).into_iter().flat_map(|f| &f.defaults).map(|(pointer, value, mark)| DefaultValue {
        pointer,
        value,
        mark,
    })
}

/// How the elements of the list at `pointer` are compared: as written down, else by `name`, `lun` or `id` where its
/// elements have one, else in order.
#[must_use]
pub fn list_key(resource_type: &str, pointer: &str) -> ListKey {
    let known = facts(resource_type).and_then(|f| f.lists.iter().find(|(p, _)| matches(p, pointer, false)));
    if let Some((_, key)) = known {
        return if key == "set" { ListKey::Set } else { ListKey::By(key) };
    }
    let Some(super::PropertyType::Array { items: Some(items), .. }) =
        super::property(resource_type, pointer).map(super::Property::resolved)
    else {
        return ListKey::Ordered;
    };
    for key in ["name", "lun", "id"] {
        if items.child(key).is_some_and(|n| !n.read_only) {
            return ListKey::By(key);
        }
    }
    ListKey::Ordered
}

/// Whether GET never returns the value at `pointer`, or part of it.
#[must_use]
pub fn never_returned(resource_type: &str, pointer: &str) -> bool {
    facts(resource_type).is_some_and(|f| f.never_returned.iter().any(|p| matches(p, pointer, true)))
}

pub(super) fn secret(resource_type: &str, pointer: &str) -> bool {
    facts(resource_type).is_some_and(|f| f.secret.iter().any(|p| matches(p, pointer, true)))
}

/// Pointers of what is secret although the types do not say so; `*` matches each element of a list.
pub fn secret_pointers(resource_type: &str) -> impl Iterator<Item = &'static str> {
    facts(resource_type).into_iter().flat_map(|f| &f.secret).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VMSS: &str = "Microsoft.Compute/virtualMachineScaleSets";

    #[test]
    fn the_file_is_whole() {
        let parsed: File = serde_json::from_str(include_str!("facts.json")).expect("valid");
        for (ty, facts) in &parsed.types {
            assert!(super::super::lookup(ty, None).is_some(), "{ty} is not a known type");
            let rule = facts.name.as_ref().unwrap_or_else(|| panic!("{ty} has no name rule"));
            assert!(parsed.names.contains_key(rule), "{ty}: no rule `{rule}`");
        }
        for (name, rule) in &parsed.names {
            assert!(matches!(rule.mark.as_str(), "T" | "S" | "D" | "R" | "C"), "{name}");
        }
    }

    #[test]
    fn every_pointer_is_of_its_type() {
        for (ty, facts) in &file().types {
            let pointers = (facts.defaults.iter().map(|d| &d.0))
                .chain(facts.lists.iter().map(|l| &l.0))
                .chain(&facts.secret)
                .chain(&facts.never_returned);
            for pointer in pointers {
                assert!(super::super::property(ty, pointer).is_some(), "{ty} has no {pointer}");
            }
            for (_, _, mark) in &facts.defaults {
                assert!(matches!(mark.as_str(), "T" | "S" | "D" | "R" | "C"), "{ty}: {mark}");
            }
        }
    }

    #[test]
    fn lists_are_compared_by_what_names_their_elements() {
        assert_eq!(list_key(VMSS, "/zones"), ListKey::Set);
        assert_eq!(
            list_key(VMSS, "/properties/virtualMachineProfile/extensionProfile/extensions"),
            ListKey::By("name")
        );
        assert_eq!(list_key(VMSS, "/properties/virtualMachineProfile/storageProfile/dataDisks"), ListKey::By("name"));
        assert_eq!(
            list_key("Microsoft.Network/networkSecurityGroups", "/properties/securityRules"),
            ListKey::By("name")
        );
        assert_eq!(list_key("Microsoft.Insights/autoscaleSettings", "/properties/profiles/0/rules"), ListKey::Ordered);
    }

    #[test]
    fn secrets_are_known_and_never_returned() {
        let settings =
            "/properties/virtualMachineProfile/extensionProfile/extensions/2/properties/protectedSettings/key";
        assert!(secret(VMSS, settings) && never_returned(VMSS, settings));
        assert!(!never_returned(
            VMSS,
            "/properties/virtualMachineProfile/extensionProfile/extensions/2/properties/settings"
        ));
    }
}
