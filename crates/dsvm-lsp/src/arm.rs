//! A place in a body that is written in ARM's own words → what can be written there: types and their versions, properties,
//! and values. Works on tokens, because a body is broken while it is typed.

use arm_catalog::{Property, PropertyType, known_types, lookup};
use dsvm_sema::table::words::{BatchResource, PoolResource};
use dsvm_syntax::{Lexeme, lexemes};

/// Properties that the language writes itself.
const OWN: &[&str] = &["id", "type", "apiVersion", "dependsOn", "systemData"];

/// Something that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) label: String,
    /// What is written for it.
    pub(crate) text: String,
    pub(crate) detail: String,
    pub(crate) required: bool,
    pub(crate) is_property: bool,
}

/// What can be written at a place, and the bytes that it takes the place of.
pub(crate) struct Offered {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) offers: Vec<Offer>,
}

/// What an open bracket encloses.
struct Frame<'t> {
    brace: bool,
    /// The words before it, of the entry that it belongs to.
    head: Vec<&'t str>,
    /// The words of the entry that is being written.
    entry: Vec<&'t str>,
    /// The names of the entries before it.
    keys: Vec<&'t str>,
}

impl<'t> Frame<'t> {
    fn new(brace: bool, head: Vec<&'t str>) -> Self {
        Self { brace, head, entry: Vec::new(), keys: Vec::new() }
    }

    fn end_entry(&mut self) {
        self.keys.extend(self.entry.first());
        self.entry.clear();
    }
}

/// Reads the tokens from the start of a declaration up to a place.
pub(crate) fn offered(text: &str, from: usize, offset: usize) -> Option<Offered> {
    let mut stack = vec![Frame::new(true, Vec::new())];
    let (mut start, mut end) = (offset, offset);
    let mut quoted = false;
    for (kind, at, to) in lexemes(text.get(from..)?) {
        let (at, to) = (at + from, to + from);
        if at >= offset {
            break;
        }
        let written = text.get(at..to)?;
        let frame = stack.last_mut()?;
        match kind {
            Lexeme::Comment if to >= offset => return None,
            Lexeme::Comment => {}
            Lexeme::Newline => {
                if frame.brace && !matches!(frame.entry.last(), Some(&"=")) {
                    frame.end_entry();
                }
            }
            Lexeme::Open => {
                let head = frame.entry.clone();
                frame.entry.push(written);
                stack.push(Frame::new(written == "{", head));
            }
            Lexeme::Close => {
                if stack.len() > 1 {
                    stack.pop();
                }
            }
            Lexeme::Sign if written == "," => frame.end_entry(),
            Lexeme::Word | Lexeme::Number if to >= offset => (start, end) = (at, to),
            Lexeme::String if to > offset || !is_closed(written) => {
                quoted = true;
                (start, end) = (at, if is_closed(written) { to } else { offset });
            }
            _ => frame.entry.push(written),
        }
    }
    let offers = match declared_type(&stack) {
        Some(named) => types(named, text.get(start..offset)?),
        None => inside(&stack, quoted)?,
    };
    Some(Offered { start, end, offers })
}

fn is_closed(string: &str) -> bool {
    string.len() > 1 && string.ends_with('"')
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}

/// Whether the place is where a resource names its type: `resource logs: "…`.
fn declared_type<'a>(stack: &'a [Frame<'_>]) -> Option<&'a str> {
    let [top] = stack else { return None };
    match top.entry.as_slice() {
        [.., "resource", name, ":"] => Some(name),
        _ => None,
    }
}

/// The types that are known, with the newest version of each; of a type that is written already, all versions.
fn types(_: &str, written: &str) -> Vec<Offer> {
    let offer = |label: String, detail: &str| Offer {
        text: format!("\"{label}\""),
        label,
        detail: detail.to_owned(),
        required: false,
        is_property: false,
    };
    if let Some((name, _)) = unquoted(written).split_once('@') {
        let Some(found) = lookup(name, None) else { return Vec::new() };
        let versions = found.stable_versions.iter().map(|version| offer(format!("{name}@{version}"), ""));
        let preview = found.preview.iter().map(|version| offer(format!("{name}@{version}"), "preview"));
        return versions.chain(preview).collect();
    }
    let newest = known_types().filter_map(|name| lookup(name, None));
    newest.map(|found| offer(format!("{}@{}", found.name, found.api_version), "")).collect()
}

/// The type that the outermost body is of, and where in the stack that body is.
fn root(stack: &[Frame<'_>]) -> Option<(&'static arm_catalog::ResourceType, usize)> {
    stack.iter().enumerate().find_map(|(at, frame)| {
        let (name, version) = match frame.head.as_slice() {
            [.., "resource", _, ":", written] if at == 1 => unquoted(written).split_once('@')?,
            ["override", name] => {
                let pool = stack.iter().find(|frame| frame.head.first() == Some(&"pool"))?;
                (overridden(pool.head.contains(&"batch"), name)?, "")
            }
            _ => return None,
        };
        Some((lookup(name, Some(version))?, at))
    })
}

/// The type of the resource that an override names.
fn overridden(batch: bool, name: &str) -> Option<&'static str> {
    const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
    if batch {
        return Some(match BatchResource::from_word(name)? {
            BatchResource::Pool => "Microsoft.Batch/batchAccounts/pools",
            BatchResource::Cluster => "Microsoft.MachineLearningServices/workspaces/computes",
            BatchResource::Identity => IDENTITY,
        });
    }
    Some(match PoolResource::from_word(name)? {
        PoolResource::ScaleSet => "Microsoft.Compute/virtualMachineScaleSets",
        PoolResource::LoadBalancer => "Microsoft.Network/loadBalancers",
        PoolResource::PublicIp => "Microsoft.Network/publicIPAddresses",
        PoolResource::SecurityGroup => "Microsoft.Network/networkSecurityGroups",
        PoolResource::Autoscale => "Microsoft.Insights/autoscaleSettings",
        PoolResource::Identity => IDENTITY,
    })
}

/// What a place inside of a body takes.
fn inside(stack: &[Frame<'_>], quoted: bool) -> Option<Vec<Offer>> {
    let here = stack.last()?;
    if let (["override"], Some(pool)) = (here.entry.as_slice(), stack.get(1).filter(|_| stack.len() == 2)) {
        let is_pool = pool.head.first() == Some(&"pool");
        let words = if pool.head.contains(&"batch") { BatchResource::WORDS } else { PoolResource::WORDS };
        return is_pool.then(|| words.iter().map(|word| value(word, word)).collect());
    }
    let (of, at) = root(stack)?;
    let mut node = &of.root;
    for frame in stack.get(at + 1..)? {
        if let [key, "=", ..] = frame.head.as_slice() {
            node = node.child(unquoted(key))?;
        } else if !frame.head.is_empty() {
            return None;
        }
        // An element of a list has no name.
        if !frame.brace {
            node = node.child("")?;
        }
    }
    match here.entry.as_slice() {
        [] if here.brace => Some(properties(node, &here.keys, at + 1 == stack.len())),
        [] => Some(values(node)),
        [key, "="] if here.brace => Some(values(node.child(unquoted(key))?)),
        // The name of a property may be quoted, and is while it is typed.
        _ if quoted && here.entry.is_empty() => Some(properties(node, &here.keys, false)),
        _ => None,
    }
}

/// The properties that an object does not have yet and that can be written.
fn properties(node: &Property, written: &[&str], top: bool) -> Vec<Offer> {
    let PropertyType::Object(object) = node.resolved() else { return Vec::new() };
    let variants = object.variants.iter().flat_map(|(_, all)| all.values());
    let of_variants = variants.filter_map(|variant| match variant.resolved() {
        PropertyType::Object(object) => Some(object.properties.iter()),
        _ => None,
    });
    let all = object.properties.iter().chain(of_variants.flatten());
    let mut offers: Vec<Offer> = Vec::new();
    for (name, property) in all {
        let known = written.iter().any(|key| unquoted(key) == name) || offers.iter().any(|offer| offer.label == *name);
        if known || property.read_only || top && OWN.contains(&name.as_str()) {
            continue;
        }
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let key = if plain { name.clone() } else { format!("\"{name}\"") };
        offers.push(Offer {
            label: name.clone(),
            text: format!("{key} = "),
            detail: described(property),
            required: property.required,
            is_property: true,
        });
    }
    offers
}

/// The values that are known of a property.
fn values(node: &Property) -> Vec<Offer> {
    match node.resolved() {
        PropertyType::Enum { values, .. } => values.iter().map(|word| value(word, &format!("\"{word}\""))).collect(),
        PropertyType::Bool => ["true", "false"].map(|word| value(word, word)).into(),
        _ => Vec::new(),
    }
}

fn value(label: &str, text: &str) -> Offer {
    Offer { label: label.to_owned(), text: text.to_owned(), detail: String::new(), required: false, is_property: false }
}

/// What a property holds, in a few words.
fn described(property: &Property) -> String {
    let bounds = |least: Option<String>, most: Option<String>| match (least, most) {
        (None, None) => String::new(),
        (least, most) => format!(" {}..{}", least.unwrap_or_default(), most.unwrap_or_default()),
    };
    let kind = match property.resolved() {
        PropertyType::Any => "any value".to_owned(),
        PropertyType::Bool => "bool".to_owned(),
        PropertyType::Int(least, most) => {
            format!("int{}", bounds(least.map(|n| n.to_string()), most.map(|n| n.to_string())))
        }
        PropertyType::Number(least, most) => {
            format!("number{}", bounds(least.map(|n| n.to_string()), most.map(|n| n.to_string())))
        }
        PropertyType::String { .. } => "string".to_owned(),
        PropertyType::Enum { values, open } => {
            let more = if *open { " | …" } else { "" };
            format!("{}{more}", values.join(" | "))
        }
        PropertyType::Array { .. } => "list".to_owned(),
        PropertyType::Object(_) | PropertyType::Shared(_) => "record".to_owned(),
    };
    let flags =
        [(property.required, "required"), (property.sensitive, "secret"), (property.deploy_time_constant, "fixed")];
    let flags = flags.iter().filter(|(set, _)| *set).map(|(_, word)| format!(", {word}"));
    kind + &flags.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(marked: &str) -> Vec<String> {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let offered = offered(&text, 0, offset).map(|offered| offered.offers).unwrap_or_default();
        offered.into_iter().map(|offer| offer.label).collect()
    }

    #[test]
    fn properties_and_values_are_those_of_the_type() {
        let vault = "resource v: \"Microsoft.KeyVault/vaults@2024-11-01\" {\n  ";
        let top = labels(&format!("{vault}|"));
        assert!(top.contains(&"properties".to_owned()) && !top.contains(&"type".to_owned()), "{top:?}");
        let inner = labels(&format!("{vault}properties = {{\n    sku = {{ }}\n    |"));
        assert!(
            inner.contains(&"enableRbacAuthorization".to_owned()) && !inner.contains(&"sku".to_owned()),
            "{inner:?}"
        );
        assert_eq!(labels(&format!("{vault}properties = {{ sku = {{ name = |")), ["standard", "premium"]);
        assert_eq!(labels(&format!("{vault}properties = {{ sku = {{ name = \"st|")), ["standard", "premium"]);
        assert_eq!(labels(&format!("{vault}properties = {{ enableSoftDelete = |")), ["true", "false"]);
        assert!(labels(&format!("{vault}properties = {{ accessPolicies = [{{ |")).contains(&"objectId".to_owned()));
        assert!(labels(&format!("{vault}properties = {{ accessPolicies = [{{ permissions = {{ keys = [|")).len() > 5);
        assert!(labels(&format!("{vault}properties = {{ // |")).is_empty());
        assert!(labels(&format!("{vault}nothing = {{ |")).is_empty());
        assert!(labels("share a { |").is_empty());
    }

    #[test]
    fn types_come_with_their_newest_version_and_then_with_all() {
        let types = labels("resource v: \"|");
        assert!(types.iter().any(|name| name.starts_with("Microsoft.KeyVault/vaults@")), "{types:?}");
        let versions = labels("existing resource v: \"Microsoft.KeyVault/vaults@|\" { }");
        assert!(versions.len() > 5 && versions.iter().all(|name| name.starts_with("Microsoft.KeyVault/vaults@")));
    }

    #[test]
    fn an_override_is_of_a_resource_of_its_pool() {
        assert!(labels("pool a: interactive {\n  override |").contains(&"scale_set".to_owned()));
        assert_eq!(labels("pool a: batch {\n  override |"), BatchResource::WORDS);
        let sku = labels("pool a: interactive {\n  size = x\n  override public_ip { sku = { name = |");
        assert!(sku.contains(&"Standard".to_owned()), "{sku:?}");
        assert!(labels("pool a: interactive {\n  override nothing { |").is_empty());
    }

    #[test]
    fn every_resource_that_can_be_overridden_is_known() {
        for word in PoolResource::WORDS {
            assert!(overridden(false, word).is_some_and(|name| lookup(name, None).is_some()), "{word}");
        }
        for word in BatchResource::WORDS {
            assert!(overridden(true, word).is_some_and(|name| lookup(name, None).is_some()), "{word}");
        }
    }
}
