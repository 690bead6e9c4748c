//! Compares one wanted resource with the observed one, property by property.
//!
//! Every difference ends in one of two lists: changes, or suppressed with the rule that says why.

use super::baseline::{Baseline, at_path, fingerprint};
use super::capacity::CapacityRange;
use super::facts::{Fact, TypeFacts, facts_of, secret_by_name};
use super::lists::{self, Pairing};
use super::mask::{is_mask, mask};
use super::path::Path;
use super::{
    AttributeChange, AttributeKind, Basis, DesiredResource, EffectKind, Source, Suppressed, SuppressionRule, Warning,
    WarningKind, effect, normal,
};
use arm_catalog::{ChangeRow, Direction, PropertyChange};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys of the template's own language and of the envelope: not part of the resource.
const ENVELOPE: [&str; 21] = [
    "type",
    "apiversion",
    "name",
    "id",
    "dependson",
    "condition",
    "copy",
    "comments",
    "scope",
    "resources",
    "metadata",
    "existing",
    "import",
    "asserts",
    "$options",
    "resourcegroup",
    "subscriptionid",
    "etag",
    "systemdata",
    "managedby",
    "symbolicname",
];

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub changes: Vec<AttributeChange>,
    pub suppressed: Vec<Suppressed>,
    pub warnings: Vec<Warning>,
}

/// What a comparison knows besides both sides.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    /// The range that autoscale keeps the number of machines in, when it owns that number.
    pub autoscaled: Option<&'a CapacityRange>,
    /// What the last apply left.
    pub baseline: Option<&'a Baseline>,
    /// Where a pointer into the wanted body was written.
    pub origin: &'a dyn Fn(&str) -> Option<Source>,
    /// Why a value at a pointer into the wanted body is what it is.
    pub cause: &'a dyn Fn(&str) -> Option<String>,
    /// Machines that run in the pool that the resource is or scales.
    pub machines: Option<u64>,
    /// Do not list suppressed differences.
    pub forget_suppressed: bool,
}

struct Comparison<'a> {
    facts: Arc<TypeFacts>,
    id: &'a str,
    resource_type: &'a str,
    observed: &'a Value,
    secrets: BTreeSet<&'a str>,
    unknown: BTreeSet<&'a str>,
    setting: Setting<'a>,
    create: bool,
    written: &'a Value,
    path: Path,
    out: Outcome,
}

/// Compares both sides of one resource.
pub(super) fn compare(desired: &DesiredResource, wanted: &Value, observed: &Value, setting: Setting<'_>) -> Outcome {
    let unresolved = (!desired.unresolved.is_nothing()).then(|| desired.unresolved.read());
    let mut cx = Comparison {
        facts: facts_of(&desired.resource_type),
        id: &desired.id,
        resource_type: &desired.resource_type,
        observed,
        secrets: desired.secrets.iter().map(String::as_str).collect(),
        unknown: desired.unknown.iter().map(String::as_str).collect(),
        setting,
        create: observed.get("id").is_none(),
        written: unresolved.as_ref().unwrap_or(wanted),
        path: Path::default(),
        out: Outcome::default(),
    };
    let empty = Map::new();
    let wanted = wanted.as_object().unwrap_or(&empty);
    let found = observed.as_object().unwrap_or(&empty);
    let only_envelope = found.get("properties").is_none_or(Value::is_null)
        && wanted.get("properties").is_some_and(|p| !normal::is_empty(p))
        && found.get("id").is_some();
    if only_envelope {
        cx.out.warnings.push(Warning {
            kind: WarningKind::NotObserved,
            id: desired.id.clone(),
            text: "only its envelope was observed; its properties are not compared".to_owned(),
        });
    }
    cx.object(wanted, found, &|key| {
        let folded = key.to_ascii_lowercase();
        ENVELOPE.contains(&folded.as_str()) || (only_envelope && folded == "properties")
    });
    cx.out
}

/// Every property of a resource that does not exist yet.
pub(super) fn all_new(
    desired: &DesiredResource,
    wanted: &Value,
    origin: &dyn Fn(&str) -> Option<Source>,
) -> Vec<AttributeChange> {
    let nothing = Value::Object(Map::new());
    let outcome = compare(
        desired,
        wanted,
        &nothing,
        Setting { autoscaled: None, baseline: None, origin, cause: &|_| None, machines: None, forget_suppressed: true },
    );
    outcome.changes
}

impl Comparison<'_> {
    fn object(&mut self, wanted: &Map<String, Value>, found: &Map<String, Value>, skip: &dyn Fn(&str) -> bool) {
        let entries = self.fact().entries;
        let mut seen = BTreeSet::new();
        for (key, value) in wanted {
            if skip(key) {
                continue;
            }
            let (other_key, other) = match found.get_key_value(key.as_str()) {
                Some((k, v)) => (k.as_str(), Some(v)),
                None => match found.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)) {
                    Some((k, v)) => (k.as_str(), Some(v)),
                    None => (key.as_str(), None),
                },
            };
            seen.insert(other_key);
            self.member(key, Some(value), other, entries);
        }
        for (key, value) in found {
            if seen.contains(key.as_str()) || skip(key) {
                continue;
            }
            self.member(key, None, Some(value), entries);
        }
    }

    fn member(&mut self, key: &str, wanted: Option<&Value>, found: Option<&Value>, entry: bool) {
        let mark = if entry { self.path.enter_entry(key) } else { self.path.enter_key(key) };
        match (wanted, found) {
            // Which entries there are says something, whatever is in them.
            (Some(w), None) if entry && !self.is_create() => self.change(AttributeKind::Add, Some(w), None),
            (None, Some(f)) if entry => self.change(AttributeKind::Remove, None, Some(f)),
            _ => self.value(wanted, found),
        }
        self.path.leave(mark);
    }

    fn value(&mut self, wanted: Option<&Value>, found: Option<&Value>) {
        let wanted = wanted.filter(|v| !v.is_null());
        let found = found.filter(|v| !v.is_null());
        match (wanted, found) {
            (None, None) => {}
            (Some(w), Some(f)) => self.both(w, f),
            (Some(w), None) => self.only_wanted(w),
            (None, Some(f)) => self.only_found(f),
        }
    }

    fn both(&mut self, wanted: &Value, found: &Value) {
        let fact = self.fact();
        if fact.read_only {
            if wanted != found {
                self.suppress(SuppressionRule::ReadOnly, Some(wanted), Some(found));
            }
            return;
        }
        if self.is_secret() {
            return self.secret(wanted, Some(found));
        }
        if self.is_unknown() {
            return self.change(AttributeKind::Unknown, None, Some(found));
        }
        match (wanted, found) {
            (Value::Object(w), Value::Object(f)) => self.object(w, f, &|_| false),
            (Value::Array(w), Value::Array(f)) => self.list(w, f),
            _ => self.scalar(wanted, found),
        }
    }

    fn scalar(&mut self, wanted: &Value, found: &Value) {
        if wanted == found {
            return;
        }
        if self.path.pattern() == "sku.capacity" && self.capacity(wanted, found) {
            return;
        }
        match self.same(wanted, found) {
            Some(rule) => self.suppress(rule, Some(wanted), Some(found)),
            None => self.change(AttributeKind::Change, Some(wanted), Some(found)),
        }
    }

    /// The rule by which two different spellings mean the same here.
    fn same(&self, wanted: &Value, found: &Value) -> Option<SuppressionRule> {
        if normal::is_empty(wanted) && normal::is_empty(found) {
            return Some(SuppressionRule::EmptyVsAbsent);
        }
        if self.is_free() {
            return None;
        }
        let fact = self.fact();
        if let (Value::String(w), Value::String(f)) = (wanted, found) {
            if fact.last_segment
                && w.rsplit('/').next().is_some_and(|a| f.rsplit('/').next().is_some_and(|b| a.eq_ignore_ascii_case(b)))
            {
                return Some(SuppressionRule::IdCase);
            }
            if normal::is_id(w) && normal::is_id(f) {
                return normal::same_id(w, f).then_some(SuppressionRule::IdCase);
            }
            let location =
                self.path.pattern().rsplit('.').next().is_some_and(|l| l == "location" || l.ends_with("location"));
            if location && normal::same_location(w, f) {
                return Some(SuppressionRule::LetterCase);
            }
            if fact.lines && w.trim_end().lines().eq(f.trim_end().lines()) {
                return Some(SuppressionRule::LineEnds);
            }
            if fact.fold && w.eq_ignore_ascii_case(f) {
                return Some(SuppressionRule::LetterCase);
            }
            let lengths = normal::duration_ms(w).zip(normal::duration_ms(f)).filter(|_| fact.duration);
            if lengths.is_some_and(|(a, b)| a == b) {
                return Some(SuppressionRule::Duration);
            }
            return None;
        }
        if normal::same_boolean(wanted, found) {
            return Some(SuppressionRule::BooleanAsString);
        }
        let numbers = wanted.is_number() || found.is_number();
        (numbers && normal::same_number(wanted, found)).then_some(SuppressionRule::NumberAsString)
    }

    /// Whether autoscale owns the number; warns when the live one is outside the declared range.
    fn capacity(&mut self, wanted: &Value, found: &Value) -> bool {
        let Some(range) = self.setting.autoscaled else { return false };
        self.suppress(SuppressionRule::OwnedByAutoscale, Some(wanted), Some(found));
        if let Some(live) = found.as_u64()
            && (live < range.min || live > range.max)
        {
            self.out.warnings.push(Warning {
                kind: WarningKind::CapacityOutsideRange,
                id: self.id.to_owned(),
                text: format!("{live} machines run, outside the declared range {}..{}", range.min, range.max),
            });
        }
        true
    }

    fn list(&mut self, wanted: &[Value], found: &[Value]) {
        if wanted == found {
            return;
        }
        let fact = self.fact();
        match lists::pair(wanted, found, &fact, self.is_free(), &|w, f| w == f || self.same(w, f).is_some()) {
            Pairing::Equal { reordered: false } => {}
            Pairing::Equal { reordered: true } => {
                self.suppress(SuppressionRule::SetLikeList, Some(&Value::from(wanted)), Some(&Value::from(found)));
            }
            Pairing::Whole => self.change(AttributeKind::Change, Some(&Value::from(wanted)), Some(&Value::from(found))),
            Pairing::Elements { pairs, reordered } => {
                if reordered {
                    self.suppress(SuppressionRule::SetLikeList, None, None);
                }
                for (label, index, w, f) in pairs {
                    let mark = self.path.enter_element(&label, index);
                    self.element(w, f);
                    self.path.leave(mark);
                }
            }
        }
    }

    fn element(&mut self, wanted: Option<&Value>, found: Option<&Value>) {
        match (wanted, found) {
            (None, Some(f)) if self.is_off(f) => self.suppress(SuppressionRule::ServiceDefault, None, Some(f)),
            (Some(w), None) if self.is_off(w) && !self.is_create() => {
                self.suppress(SuppressionRule::ServiceDefault, Some(w), None);
            }
            (None, Some(f)) if lists::added_by_policy(self.path.pattern(), f) => {
                self.suppress(SuppressionRule::PolicyAdded, None, Some(f));
            }
            (None, Some(f)) => self.change(AttributeKind::Remove, None, Some(f)),
            (Some(w), None) => self.change(AttributeKind::Add, Some(w), None),
            _ => self.value(wanted, found),
        }
    }

    /// An element that is switched off, in a list where that is the same as none.
    fn is_off(&self, element: &Value) -> bool {
        let list = self.path.pattern().strip_suffix("[]");
        list.is_some_and(|list| self.facts.at(list).off) && is_disabled(element)
    }

    fn only_wanted(&mut self, wanted: &Value) {
        let fact = self.fact();
        if fact.read_only {
            return self.suppress(SuppressionRule::ReadOnly, Some(wanted), None);
        }
        if normal::is_empty(wanted) {
            return self.suppress(SuppressionRule::EmptyVsAbsent, Some(wanted), None);
        }
        let elsewhere = fact.shown_as.as_ref().and_then(|path| at_path(self.observed, path));
        if elsewhere.is_some_and(|found| found == wanted || self.same(wanted, found).is_some()) {
            return self.suppress(SuppressionRule::IdCase, Some(wanted), elsewhere);
        }
        if !self.is_create() && self.is_dropped_from_child() {
            return self.suppress(SuppressionRule::NotOnChildren, Some(wanted), None);
        }
        if self.is_secret() || fact.write_only {
            return self.secret(wanted, None);
        }
        if self.is_unknown() {
            return self.change(AttributeKind::Unknown, None, None);
        }
        // With several defaults it is unknown here which one the service applies.
        let known =
            !fact.defaults.is_empty() && fact.defaults.iter().all(|d| d == wanted || self.same(wanted, d).is_some());
        if known && !fact.counts && !self.is_create() {
            return self.suppress(SuppressionRule::ServiceDefault, Some(wanted), None);
        }
        match wanted {
            Value::Object(map) => {
                for (key, value) in map {
                    let mark = self.path.enter_key(key);
                    self.value(Some(value), None);
                    self.path.leave(mark);
                }
            }
            _ => self.change(AttributeKind::Add, Some(wanted), None),
        }
    }

    fn only_found(&mut self, found: &Value) {
        let fact = self.fact();
        if fact.read_only {
            return self.suppress(SuppressionRule::ReadOnly, None, Some(found));
        }
        if normal::is_empty(found) {
            return self.suppress(SuppressionRule::EmptyVsAbsent, None, Some(found));
        }
        // Parts of a resource carry ids below its own: the service makes them.
        let part = found
            .as_str()
            .is_some_and(|id| id.len() > self.id.len() && normal::fold_id(id).starts_with(&normal::fold_id(self.id)));
        if part && self.path.pattern().ends_with(".id") {
            return self.suppress(SuppressionRule::ReadOnly, None, Some(found));
        }
        if fact.apart {
            return self.suppress(SuppressionRule::DeclaredApart, None, Some(found));
        }
        let off = |list: &Vec<Value>| fact.off && list.iter().all(is_disabled);
        if found.as_array().is_some_and(off) {
            return self.suppress(SuppressionRule::ServiceDefault, None, Some(found));
        }
        let default = fact.defaults.iter().any(|d| d == found || self.same(d, found).is_some());
        if fact.chosen || default {
            return self.suppress(SuppressionRule::ServiceDefault, None, Some(found));
        }
        if let Value::Object(map) = found {
            for (key, value) in map {
                let mark = self.path.enter_key(key);
                self.value(None, Some(value));
                self.path.leave(mark);
            }
            return;
        }
        let filled = self.setting.baseline.and_then(|b| b.filled(self.id, self.path.shown()));
        if filled.is_some_and(|hash| hash == super::digest(found)) {
            return self.suppress(SuppressionRule::ServiceFilled, None, Some(found));
        }
        if let Value::Array(list) = found
            && self.setting.baseline.is_none_or(|b| b.filled(self.id, self.path.shown()).is_none())
            && !list.is_empty()
            && list.iter().all(|e| lists::added_by_policy(&format!("{}[]", self.path.pattern()), e))
        {
            return self.suppress(SuppressionRule::PolicyAdded, None, Some(found));
        }
        if fact.unheard_of && !self.is_free() {
            return self.suppress(SuppressionRule::NewerApiOnly, None, Some(found));
        }
        if !self.facts.known && !self.path.pattern().starts_with("tags") {
            return self.suppress(SuppressionRule::UnknownType, None, Some(found));
        }
        self.change(AttributeKind::Remove, None, Some(found));
    }

    /// A value that is never shown: its fingerprint at the last apply decides.
    fn secret(&mut self, wanted: &Value, found: Option<&Value>) {
        if self.is_create() {
            return self.change(AttributeKind::Add, Some(wanted), None);
        }
        let known = self.setting.baseline.and_then(|b| b.written(self.id, self.path.shown()).map(|f| (b, f)));
        match known {
            // A note carries short fingerprints: as much as there is of one must fit.
            Some((baseline, before))
                if !fingerprint(self.written.pointer(self.path.pointer()).unwrap_or(wanted), &baseline.salt)
                    .starts_with(before) =>
            {
                self.change(AttributeKind::Change, Some(wanted), found);
            }
            None if found.is_some_and(|f| f != wanted && !f.is_null() && !is_mask(f)) && !self.is_secret() => {
                self.change(AttributeKind::Change, Some(wanted), found);
            }
            _ => {
                if known.is_none() && !normal::is_empty(wanted) {
                    self.not_compared();
                }
                self.suppress(SuppressionRule::WriteOnly, None, None);
            }
        }
    }

    fn not_compared(&mut self) {
        let text = format!(
            "`{}` cannot be compared: the service never returns it and no apply is recorded here",
            self.path.shown()
        );
        self.out.warnings.push(Warning { kind: WarningKind::SecretNotCompared, id: self.id.to_owned(), text });
    }

    fn change(&mut self, kind: AttributeKind, wanted: Option<&Value>, found: Option<&Value>) {
        let secret = self.is_secret();
        let show = |v: Option<&Value>| v.filter(|_| !secret).map(|v| self.masked(v));
        let row = if self.is_create() { None } else { self.row(kind, wanted, found) };
        let change = AttributeChange {
            path: self.path.shown().to_owned(),
            kind,
            before: show(found),
            after: show(wanted),
            secret,
            effect: if self.is_create() { EffectKind::Appears } else { effect::kind_of(row, kind) },
            basis: row.map(Basis::of),
            cause: if self.is_create() { None } else { (self.setting.cause)(self.path.pointer()) },
            source: (self.setting.origin)(self.path.pointer()),
        };
        self.out.changes.push(change);
    }

    /// What the table of changes says of a difference at this place.
    fn row(&self, kind: AttributeKind, wanted: Option<&Value>, found: Option<&Value>) -> Option<&'static ChangeRow> {
        let shown = self.path.shown();
        let around = shown.rfind(']').and_then(|end| shown.get(..=end));
        arm_catalog::change(&PropertyChange {
            resource_type: self.resource_type,
            path: self.path.pattern(),
            direction: match kind {
                AttributeKind::Add => Direction::Add,
                AttributeKind::Remove => Direction::Remove,
                AttributeKind::Change | AttributeKind::Unknown => Direction::Replace,
            },
            before: found,
            after: wanted,
            resource: self.observed,
            element: around.and_then(|path| at_path(self.observed, path)),
            machines: self.setting.machines,
        })
    }

    fn suppress(&mut self, rule: SuppressionRule, wanted: Option<&Value>, found: Option<&Value>) {
        if self.is_create() || self.setting.forget_suppressed {
            return;
        }
        let show = |v: Option<&Value>| v.filter(|_| !self.is_secret()).map(|v| self.masked(v));
        let entry = Suppressed {
            id: self.id.to_owned(),
            path: self.path.shown().to_owned(),
            rule,
            before: show(found),
            after: show(wanted),
        };
        self.out.suppressed.push(entry);
    }

    /// The value with every secret below it taken out.
    fn masked(&self, value: &Value) -> Value {
        mask(value, self.path.pattern(), self.path.pointer(), &self.facts, &self.secrets)
    }

    fn fact(&self) -> Arc<Fact> {
        self.facts.at(self.path.pattern())
    }

    fn is_free(&self) -> bool {
        let mut at = self.path.pattern();
        loop {
            if self.facts.at(at).free {
                return true;
            }
            match at.rsplit_once('.') {
                Some((head, _)) => at = head,
                None => return false,
            }
        }
    }

    fn is_secret(&self) -> bool {
        self.fact().secret
            || secret_by_name(self.path.pattern())
            || self.secrets.contains(self.path.pointer())
            || is_below(self.path.pointer(), &self.secrets)
    }

    fn is_unknown(&self) -> bool {
        self.unknown.contains(self.path.pointer())
    }

    /// A region or tags of a child (`vaults/secrets`, `virtualNetworks/virtualNetworkPeerings`): only tracked resources have
    /// them, and Resource Manager keeps a child untracked unless its type says otherwise. The service answers without.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support>
    fn is_dropped_from_child(&self) -> bool {
        let name = self.path.pattern();
        if !matches!(name, "location" | "tags")
            || !["location", "tags"].iter().all(|key| self.observed.get(key).is_none_or(normal::is_empty))
        {
            return false;
        }
        if arm_catalog::lookup(self.resource_type, None).is_some() {
            return arm_catalog::property(self.resource_type, &format!("/{name}")).is_none();
        }
        self.resource_type.matches('/').count() > 1
    }

    /// Nothing exists yet: no rule applies.
    fn is_create(&self) -> bool {
        self.create
    }
}

fn is_disabled(element: &Value) -> bool {
    element.get("enabled") == Some(&Value::Bool(false))
}

fn is_below(pointer: &str, roots: &BTreeSet<&str>) -> bool {
    roots.iter().any(|root| pointer.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')))
}
