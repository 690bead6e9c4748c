//! `types.txt` → nodes, one type at a time and only when somebody asks.

use indexmap::IndexMap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TEXT: &str = include_str!("types.txt");

/// What a property may hold, with its flags.
#[derive(Clone, Debug, Default)]
pub struct Property {
    /// What it may hold.
    pub kind: PropertyType,
    /// It must be written.
    pub required: bool,
    /// Only the service writes it.
    pub read_only: bool,
    /// The service never returns it.
    pub write_only: bool,
    /// Fixed once the resource exists.
    pub deploy_time_constant: bool,
    /// Declared secret by the specification.
    pub sensitive: bool,
}

/// The kinds of value.
#[derive(Clone, Debug, Default)]
pub enum PropertyType {
    /// Any value; the specification does not describe it.
    #[default]
    Any,
    /// A Boolean: `true`, `false`.
    Bool,
    /// Integer between two bounds, both inclusive.
    Int(Option<i64>, Option<i64>),
    /// Number between two bounds, both inclusive.
    Number(Option<f64>, Option<f64>),
    /// A string, possibly with a length range and a pattern.
    String {
        /// Minimum number of characters.
        min: Option<usize>,
        /// Maximum number of characters.
        max: Option<usize>,
        /// Regular expression that the whole value must match.
        pattern: Option<String>,
    },
    /// One of some words.
    Enum {
        /// The values, spelled as the specification has them.
        values: Vec<String>,
        /// Other words are taken too.
        open: bool,
    },
    /// A list, possibly with a length range.
    Array {
        /// Each element; `None`: not described.
        items: Option<Box<Property>>,
        /// Minimum number of elements.
        min: Option<usize>,
        /// Maximum number of elements.
        max: Option<usize>,
    },
    /// An object with described properties.
    Object(Box<Object>),
    /// A part that several types share.
    Shared(&'static str),
}

/// The properties of a record.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The properties that have a name, in the specification's order.
    pub properties: IndexMap<String, Property>,
    /// Type of properties with any other name; `None`: not allowed.
    pub additional: Option<Property>,
    /// Output only: its inside is not described.
    pub pruned: bool,
    /// The property whose value chooses a variant, and the variants.
    pub variants: Option<(String, IndexMap<String, Property>)>,
}

/// A resource type of Azure Resource Manager, as its specification describes it.
#[derive(Clone, Debug)]
pub struct ResourceType {
    /// Its name in the case to write.
    pub name: &'static str,
    /// The version that the description is of.
    pub api_version: String,
    /// Older stable versions, newest first.
    pub stable_versions: Vec<String>,
    /// The newest preview version, if it is newer than the stable ones.
    pub preview: Option<String>,
    /// Where it can be deployed: `resourceGroup`, `subscription`, …, `extension`.
    pub scopes: Vec<String>,
    /// Functions that can be called on it (`listKeys`).
    pub functions: Vec<String>,
    /// The resource body, including `name` and `location`.
    pub root: Property,
}

struct Entry {
    name: &'static str,
    text: &'static str,
    parsed: OnceLock<ResourceType>,
}

struct Index {
    types: BTreeMap<String, Entry>,
    shared: BTreeMap<&'static str, (&'static str, OnceLock<Property>)>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index { types: BTreeMap::new(), shared: BTreeMap::new() };
        for line in TEXT.lines().filter(|l| !l.starts_with('#')) {
            let Some((name, text)) = line.split_once(' ') else { continue };
            match name.strip_prefix('$') {
                Some(name) => {
                    index.shared.insert(name, (text, OnceLock::new()));
                }
                None => {
                    index.types.insert(name.to_ascii_lowercase(), Entry { name, text, parsed: OnceLock::new() });
                }
            }
        }
        index
    })
}

/// The type of this name, whatever its case; with a version for the few that differ between versions.
#[must_use]
pub fn lookup(resource_type: &str, api_version: Option<&str>) -> Option<&'static ResourceType> {
    let lower = resource_type.to_ascii_lowercase();
    let versioned = api_version.and_then(|v| index().types.get(&format!("{lower}@{}", v.to_ascii_lowercase())));
    let entry = versioned.or_else(|| index().types.get(&lower))?;
    Some(entry.parsed.get_or_init(|| resource_type_of(entry.name, entry.text)))
}

/// Names of all known types, sorted.
pub fn known_types() -> impl Iterator<Item = &'static str> {
    index().types.values().map(|e| e.name).filter(|n| !n.contains('@'))
}

/// The newest version of a type that is known here.
#[must_use]
pub fn latest_version(resource_type: &str) -> Option<&'static str> {
    lookup(resource_type, None).map(|t| t.api_version.as_str())
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn resource_type_of(name: &'static str, text: &str) -> ResourceType {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let text_of = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    ResourceType {
        name: name.split_once('@').map_or(name, |(n, _)| n),
        api_version: text_of("apiVersion").unwrap_or_default(),
        stable_versions: strings(json.get("stableVersions")),
        preview: text_of("newestPreview"),
        scopes: strings(json.get("scopes")),
        functions: strings(json.get("functions")),
        root: Property { kind: object(&json), ..Property::default() },
    }
}

fn node(json: &Value) -> Property {
    let flag = |name: &str| json.get(name).and_then(Value::as_bool).unwrap_or(false);
    let size = |name: &str| json.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let int = |name: &str| json.get(name).and_then(Value::as_i64);
    let number = |name: &str| json.get(name).and_then(Value::as_f64);
    let kind = match json.get("$ref").and_then(Value::as_str) {
        Some(name) => {
            index().shared.get_key_value(name).map_or(PropertyType::Any, |(name, _)| PropertyType::Shared(name))
        }
        None => match json.get("type").and_then(Value::as_str) {
            Some("bool") => PropertyType::Bool,
            Some("int") => PropertyType::Int(int("minValue"), int("maxValue")),
            Some("number") => PropertyType::Number(number("minValue"), number("maxValue")),
            Some("string") => PropertyType::String {
                min: size("minLength"),
                max: size("maxLength"),
                pattern: json.get("pattern").and_then(Value::as_str).map(str::to_owned),
            },
            Some("enum") => PropertyType::Enum { values: strings(json.get("values")), open: flag("open") },
            Some("array") => PropertyType::Array {
                items: json.get("items").map(|i| Box::new(node(i))),
                min: size("minLength"),
                max: size("maxLength"),
            },
            Some("object") => object(json),
            _ => PropertyType::Any,
        },
    };
    Property {
        kind,
        required: flag("required"),
        read_only: flag("readOnly"),
        write_only: flag("writeOnly"),
        deploy_time_constant: flag("deployTimeConstant"),
        sensitive: flag("sensitive"),
    }
}

fn nodes(json: Option<&Value>) -> IndexMap<String, Property> {
    json.and_then(Value::as_object).into_iter().flatten().map(|(k, v)| (k.clone(), node(v))).collect()
}

fn object(json: &Value) -> PropertyType {
    let variants =
        json.get("discriminator").and_then(Value::as_str).map(|name| (name.to_owned(), nodes(json.get("variants"))));
    PropertyType::Object(Box::new(Object {
        properties: nodes(json.get("properties")),
        additional: json.get("additionalProperties").map(node),
        pruned: json.get("pruned").and_then(Value::as_bool).unwrap_or(false),
        variants,
    }))
}

impl Property {
    /// The type itself, or the shared definition that it refers to. Flags are those of the place, not of the definition.
    #[must_use]
    pub fn resolved(&self) -> &PropertyType {
        let PropertyType::Shared(name) = &self.kind else { return &self.kind };
        static ANY: PropertyType = PropertyType::Any;
        index().shared.get(name).map_or(&ANY, |(text, parsed)| {
            parsed.get_or_init(|| serde_json::from_str::<Value>(text).map(|v| node(&v)).unwrap_or_default()).resolved()
        })
    }

    /// The node of a property or element, in any case of its name; variants are searched in order.
    #[must_use]
    pub fn child(&self, key: &str) -> Option<&Property> {
        match self.resolved() {
            PropertyType::Object(object) => object.child(key),
            PropertyType::Array { items, .. } => items.as_deref(),
            _ => None,
        }
    }
}

impl Object {
    /// The node of a property, in any case of its name.
    #[must_use]
    pub fn child(&self, key: &str) -> Option<&Property> {
        self.own(key)
            .map(|(_, n)| n)
            .or_else(|| self.variants.iter().flat_map(|(_, all)| all.values()).find_map(|v| v.child(key)))
            .or(self.additional.as_ref())
    }

    /// All nodes that a property of that name can have.
    fn candidates(&self, key: &str) -> Vec<&Property> {
        let own = self.own(key).map(|(_, n)| n);
        let variants = self.variants.iter().flat_map(|(_, all)| all.values()).filter_map(|v| v.child(key));
        own.into_iter().chain(variants).chain(self.additional.as_ref()).collect()
    }

    /// A named property with its proper spelling.
    #[must_use]
    pub fn own(&self, key: &str) -> Option<(&str, &Property)> {
        self.properties
            .get_key_value(key)
            .or_else(|| self.properties.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)))
            .map(|(k, n)| (k.as_str(), n))
    }
}

/// The steps of a JSON pointer, unescaped.
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~"))
}

/// The nodes on the way along `steps`: the longest way that there is, where variants leave a choice.
fn chain<'a>(node: &'a Property, steps: &[String]) -> Vec<&'a Property> {
    let Some((step, rest)) = steps.split_first() else { return Vec::new() };
    let candidates: Vec<&Property> = match node.resolved() {
        PropertyType::Object(object) => object.candidates(step),
        PropertyType::Array { items, .. } => items.iter().map(Box::as_ref).collect(),
        _ => Vec::new(),
    };
    let mut best = Vec::new();
    for candidate in candidates {
        let mut way = vec![candidate];
        way.extend(chain(candidate, rest));
        if way.len() > best.len() {
            best = way;
        }
    }
    best
}

fn way(resource_type: &str, pointer: &str) -> (usize, Vec<&'static Property>) {
    let steps: Vec<String> = steps(pointer).collect();
    let way = lookup(resource_type, None).map(|t| chain(&t.root, &steps)).unwrap_or_default();
    (steps.len(), way)
}

/// The node at a JSON pointer into a body of that type. Elements of lists can be numbers or `*`.
#[must_use]
pub fn property(resource_type: &str, pointer: &str) -> Option<&'static Property> {
    let (length, way) = way(resource_type, pointer);
    way.last().copied().filter(|_| way.len() == length)
}

fn any_on_the_way(resource_type: &str, pointer: &str, holds: fn(&Property) -> bool) -> bool {
    way(resource_type, pointer).1.into_iter().any(holds)
}

/// Whether only the service writes what is there. `id`, `type` and `etag` of the resource count too.
#[must_use]
pub fn is_read_only(resource_type: &str, pointer: &str) -> bool {
    matches!(pointer, "/id" | "/type" | "/etag" | "/systemData" | "/properties/provisioningState")
        || any_on_the_way(resource_type, pointer, |n| n.read_only)
}

/// Whether the service never returns the value there.
#[must_use]
pub fn is_write_only(resource_type: &str, pointer: &str) -> bool {
    any_on_the_way(resource_type, pointer, |n| n.write_only) || super::facts::never_returned(resource_type, pointer)
}

/// Whether what is there is secret: by the specification, or by what is known besides (`protectedSettings`).
#[must_use]
pub fn is_sensitive(resource_type: &str, pointer: &str) -> bool {
    any_on_the_way(resource_type, pointer, |n| n.sensitive) || super::facts::secret(resource_type, pointer)
}

/// Whether letter case means nothing there: words of enumerations, regions, and ids of resources.
#[must_use]
pub fn is_case_insensitive(resource_type: &str, pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let id = last.eq_ignore_ascii_case("id") || ["Id", "Uri", "location"].iter().any(|end| last.ends_with(end));
    id || property(resource_type, pointer).is_some_and(|n| matches!(n.resolved(), PropertyType::Enum { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let mut types = 0;
        for (lower, entry) in &index().types {
            let ty = lookup(lower, None).expect("known");
            assert!(!ty.api_version.is_empty(), "{}", entry.name);
            let PropertyType::Object(object) = &ty.root.kind else { panic!("{}", entry.name) };
            assert!(object.child("name").is_some(), "{}", entry.name);
            types += 1;
        }
        assert_eq!(types, 63);
        for (name, (_, _)) in &index().shared {
            let node = Property { kind: PropertyType::Shared(name), ..Property::default() };
            assert!(!matches!(node.resolved(), PropertyType::Any | PropertyType::Shared(_)), "{name}");
        }
    }

    #[test]
    fn a_pointer_finds_its_node_in_any_case() {
        let scale_set = "microsoft.compute/VIRTUALMACHINESCALESETS";
        let mode = property(scale_set, "/properties/upgradePolicy/mode").expect("known");
        assert!(matches!(mode.resolved(), PropertyType::Enum { open: false, .. }));
        assert!(
            property(scale_set, "/properties/virtualMachineProfile/extensionProfile/extensions/0/properties").is_some()
        );
        assert!(property(scale_set, "/properties/nonsense").is_none());
    }

    #[test]
    fn flags_hold_for_everything_below() {
        assert!(is_read_only("Microsoft.Compute/virtualMachineScaleSets", "/properties/uniqueId"));
        assert!(is_read_only("Microsoft.Network/publicIPAddresses", "/properties/ipConfiguration"));
        assert!(!is_read_only("Microsoft.Network/publicIPAddresses", "/properties/dnsSettings/domainNameLabel"));
        assert!(is_write_only("Microsoft.KeyVault/vaults", "/properties/createMode"));
        assert!(is_sensitive(
            "Microsoft.Compute/virtualMachineScaleSets",
            "/properties/virtualMachineProfile/osProfile/adminPassword"
        ));
        assert!(is_sensitive(
            "Microsoft.Compute/virtualMachineScaleSets",
            "/properties/virtualMachineProfile/extensionProfile/extensions/0/properties/protectedSettings/script"
        ));
    }

    #[test]
    fn case_means_nothing_in_words_and_ids() {
        let scale_set = "Microsoft.Compute/virtualMachineScaleSets";
        assert!(is_case_insensitive(scale_set, "/properties/virtualMachineProfile/evictionPolicy"));
        assert!(is_case_insensitive(scale_set, "/location"));
        assert!(is_case_insensitive("Microsoft.Insights/autoscaleSettings", "/properties/targetResourceUri"));
        assert!(!is_case_insensitive(scale_set, "/properties/virtualMachineProfile/osProfile/adminUsername"));
    }

    #[test]
    fn diagnostic_settings_differ_by_version() {
        let old = lookup("Microsoft.Insights/diagnosticSettings", Some("2016-09-01")).expect("known");
        let new = lookup("Microsoft.Insights/diagnosticSettings", Some("2021-05-01-preview")).expect("known");
        assert_ne!(old.api_version, new.api_version);
        assert_eq!(new.name, "Microsoft.Insights/diagnosticSettings");
    }
}
