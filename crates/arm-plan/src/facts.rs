//! Facts about properties: which the service writes, fills in, fixes at creation or never shows again.
//!
//! Two sources behind one query: the types in `catalog` (read-only, write-only, secret, enumerations) and `facts.txt`
//! (defaults, keys of lists), which types do not say. What a change does is the table of `arm_catalog::change`.

use arm_catalog::{ListKey, PropertyType};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, RwLock};

/// What is known of one property.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    /// The service writes it.
    pub read_only: bool,
    /// The service never shows it again.
    pub write_only: bool,
    /// The value is secret and never shown.
    pub secret: bool,
    /// Letter case means nothing.
    pub fold: bool,
    /// The order of the list means nothing.
    pub set: bool,
    /// The property that identifies an element of the list.
    pub key: Option<String>,
    /// What the service holds when the source leaves it out.
    pub defaults: Vec<Value>,
    /// The service chooses when the source leaves it out.
    pub chosen: bool,
    /// The known types have no such property.
    pub unheard_of: bool,
    /// What the source says counts, also when it is the default.
    pub counts: bool,
    /// Text whose line ends mean nothing.
    pub lines: bool,
    /// An ISO 8601 duration.
    pub duration: bool,
    /// Children that may be declared as resources of their own.
    pub apart: bool,
    /// Compared as written: no defaults, no folding of letter case below.
    pub free: bool,
    /// Its keys are data: an entry counts by being there, also when it is empty.
    pub entries: bool,
    /// An id of which only the last segment counts.
    pub last_segment: bool,
    /// Elements with `enabled: false` are as good as none.
    pub off: bool,
    /// Where the service answers the value under another name.
    pub shown_as: Option<String>,
}

/// Facts of one resource type.
#[derive(Debug, Default)]
pub struct TypeFacts {
    name: String,
    own: HashMap<String, Fact>,
    /// Whether anything is known of the type.
    pub known: bool,
    /// Both sources put together, by pattern, cached on first use.
    joined: RwLock<HashMap<String, Arc<Fact>>>,
}

impl TypeFacts {
    /// What is known at a lower-case pattern path (`properties.subnets[].name`).
    #[must_use]
    pub fn at(&self, pattern: &str) -> Arc<Fact> {
        if let Ok(joined) = self.joined.read()
            && let Some(fact) = joined.get(pattern)
        {
            return Arc::clone(fact);
        }
        let fact = Arc::new(self.join(pattern));
        if let Ok(mut joined) = self.joined.write() {
            joined.insert(pattern.to_owned(), Arc::clone(&fact));
        }
        fact
    }

    fn join(&self, pattern: &str) -> Fact {
        let any = || table().get("*").and_then(|any| any.own.get(pattern));
        let mut fact = self.own.get(pattern).or_else(any).cloned().unwrap_or_default();
        if pattern.is_empty() || pattern.starts_with("tags") || arm_catalog::lookup(&self.name, None).is_none() {
            return fact;
        }
        let pointer = format!("/{}", pattern.replace("[]", ".*").replace('.', "/"));
        fact.read_only |= arm_catalog::is_read_only(&self.name, &pointer);
        fact.write_only |= arm_catalog::is_write_only(&self.name, &pointer);
        fact.secret |= arm_catalog::is_sensitive(&self.name, &pointer);
        let same = |p: &str| p.eq_ignore_ascii_case(&pointer);
        fact.defaults.extend(arm_catalog::defaults(&self.name).filter(|d| same(d.pointer)).map(|d| d.value.clone()));
        match arm_catalog::list_key(&self.name, &pointer) {
            ListKey::Set => fact.set = true,
            ListKey::By(key) if fact.key.is_none() => fact.key = Some(key.to_owned()),
            _ => {}
        }
        match arm_catalog::property(&self.name, &pointer).map(arm_catalog::Property::resolved) {
            Some(PropertyType::Enum { .. }) => fact.fold = true,
            None if !self.own.contains_key(pattern) && any().is_none() => fact.unheard_of = true,
            _ => {}
        }
        fact
    }
}

/// Facts of a type; little is known of most types.
#[must_use]
pub fn facts_of(resource_type: &str) -> Arc<TypeFacts> {
    static ALL: OnceLock<RwLock<BTreeMap<String, Arc<TypeFacts>>>> = OnceLock::new();
    let all = ALL.get_or_init(RwLock::default);
    let name = resource_type.to_ascii_lowercase();
    if let Ok(all) = all.read()
        && let Some(facts) = all.get(&name)
    {
        return Arc::clone(facts);
    }
    let row = table().get(&name);
    let facts = Arc::new(TypeFacts {
        own: row.map(|r| r.own.clone()).unwrap_or_default(),
        known: row.is_some() || arm_catalog::lookup(&name, None).is_some(),
        joined: RwLock::default(),
        name: name.clone(),
    });
    if let Ok(mut all) = all.write() {
        all.insert(name, Arc::clone(&facts));
    }
    facts
}

/// The rows of one type in the table.
#[derive(Default)]
struct Rows {
    own: HashMap<String, Fact>,
}

fn table() -> &'static HashMap<String, Rows> {
    static TABLE: OnceLock<HashMap<String, Rows>> = OnceLock::new();
    TABLE.get_or_init(|| read(include_str!("facts.txt")).0)
}

/// Reads the table; the second part lists lines that it does not understand.
fn read(text: &str) -> (HashMap<String, Rows>, Vec<String>) {
    let mut types: HashMap<String, Rows> = HashMap::new();
    let mut odd = Vec::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix("resource ") {
            current = name.trim().to_ascii_lowercase();
            types.entry(current.clone()).or_default();
            continue;
        }
        let mut words = line.split_whitespace();
        let path = words.next().unwrap_or_default().to_ascii_lowercase();
        let mut fact = Fact::default();
        for word in words {
            if !learn(&mut fact, word) {
                odd.push(line.to_owned());
            }
        }
        let rows = &mut types.entry(current.clone()).or_default().own;
        if let Some((around, _)) = path.split_once(".*") {
            rows.entry(around.to_owned()).or_default().entries = true;
        }
        let entries = rows.get(&path).is_some_and(|known| known.entries);
        rows.insert(path, Fact { entries, ..fact });
    }
    (types, odd)
}

fn learn(fact: &mut Fact, word: &str) -> bool {
    match word {
        "ro" => fact.read_only = true,
        "wo" => fact.write_only = true,
        "secret" => fact.secret = true,
        "fold" => fact.fold = true,
        "set" => fact.set = true,
        "chosen" => fact.chosen = true,
        "counts" => fact.counts = true,
        "lines" => fact.lines = true,
        "duration" => fact.duration = true,
        "apart" => fact.apart = true,
        "free" => fact.free = true,
        "off" => fact.off = true,
        "last-segment" => fact.last_segment = true,
        _ => {
            let json = |text: &str| serde_json::from_str::<Value>(text).ok();
            return match word.split_once('=') {
                Some(("key", name)) => {
                    fact.key = Some(name.to_owned());
                    true
                }
                Some(("shown-as", path)) => {
                    fact.shown_as = Some(path.to_owned());
                    true
                }
                Some(("default", text)) => json(text).is_some_and(|v| {
                    fact.defaults.push(v);
                    true
                }),
                _ => false,
            };
        }
    }
    true
}

/// Names of properties that are secret in any resource type.
pub(super) fn secret_by_name(pattern: &str) -> bool {
    const NAMES: [&str; 14] = [
        "adminpassword",
        "password",
        "accountkey",
        "storageaccountkey",
        "saskey",
        "sastoken",
        "protectedsettings",
        "securevalue",
        "sshprivatekey",
        "primarykey",
        "secondarykey",
        "connectionstring",
        "clientsecret",
        "sharedkey",
    ];
    let last = pattern.rsplit('.').next().unwrap_or(pattern);
    NAMES.contains(&last.trim_end_matches("[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let (types, odd) = read(include_str!("facts.txt"));
        assert_eq!(odd, Vec::<String>::new());
        assert!(types.len() > 20);
    }
}
