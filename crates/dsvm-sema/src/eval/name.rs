//! Names → values: locals, declarations of the file, days of the week, the project, all blocks of a kind.

use super::access::is_gone;
use super::defer::{deferred, extend};
use super::{Eval, Pass, State};
use crate::diags;
use crate::fit::secret_path;
use crate::load::{DefId, DefKind};
use crate::table::{BlockKind, kind_of, kinds_at_top_level, suggest};
use crate::ty::Ty;
use crate::value::{Days, Deferred, Deploy, SecretStep, Value};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, Expr, ExprKind, ItemKind};
use std::sync::Arc;

/// Days of the week, Monday first.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The word for all blocks of a kind: `pools`.
pub(crate) fn plural(kind: BlockKind) -> String {
    match kind {
        BlockKind::Identity => "identities".to_owned(),
        BlockKind::Registry => "registries".to_owned(),
        other => format!("{}s", other.keyword()),
    }
}

fn kind_of_plural(word: &str) -> Option<BlockKind> {
    match word {
        "identities" => return Some(BlockKind::Identity),
        "registries" => return Some(BlockKind::Registry),
        _ => {}
    }
    word.strip_suffix('s').and_then(kind_of).filter(|kind| super::super::table::spec(*kind).top_level)
}

/// A duration as templates write it, in words of the language: `10 min` for `PT10M`. One unit only.
fn iso_duration(text: &str) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (clock, rest) = rest.strip_prefix('T').map_or((false, rest), |rest| (true, rest));
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = rest.get(..digits)?.parse().ok()?;
    let unit = match (clock, rest.get(digits..)?) {
        (true, "S") => "s",
        (true, "M") => "min",
        (true, "H") => "h",
        (false, "D") if number == 1 => "day",
        (false, "D") => "days",
        (false, "W") if number == 1 => "week",
        (false, "W") => "weeks",
        _ => return None,
    };
    Some(format!("{number} {unit}"))
}

/// Whether two names consist of the same letters and digits: `europewest` and `westeurope`.
fn same_parts(name: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let mut bytes: Vec<u8> =
            text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).collect();
        bytes.sort_unstable();
        bytes
    };
    name.len() > 4 && letters(name) == letters(other)
}

/// Most names that unknown names are compared with in one run.
const GUESSES: usize = 100_000;

impl<'p> Eval<'p> {
    pub(super) fn local(&self, name: &str) -> Option<&Value> {
        let visible = self.locals.get(self.floor..).unwrap_or_default();
        visible.iter().rev().find(|(local, _)| **local == *name).map(|(_, value)| value)
    }

    /// Whether a name is a local, or declared or imported in this file.
    pub(super) fn in_scope(&self, name: &str) -> bool {
        self.local(name).is_some() || self.program.lookup(self.module, name).is_some()
    }

    pub(super) fn name(&mut self, name: &Arc<str>, span: Span) -> Value {
        if let Some(value) = self.local(name) {
            return value.clone();
        }
        if let Some((here, def)) = self.program.lookup(self.module, name) {
            self.used.insert(here);
            return self.def_value(def, name, span);
        }
        if let Some(day) = DAYS.iter().position(|day| **day == **name) {
            return Value::Days(Days(1 << day));
        }
        if &**name == "project" {
            return match self.project_ref() {
                Some(project) => project,
                // A file of rules has no project until one imports it.
                None if self.lazy => Value::Error,
                None => self.unknown(name, span),
            };
        }
        if let Some(kind) = kind_of_plural(name) {
            let all = self.all_of(kind, span);
            let none = matches!(&all, Value::Record(fields) if fields.is_empty());
            if none && crate::library::find(name).is_some() {
                return self.report(diags::not_imported(name, span));
            }
            return all;
        }
        self.unknown(name, span)
    }

    /// Every name that could be meant here. None in a file with thousands of names and thousands of mistakes, after the
    /// first: these are told without a guess.
    fn candidates(&self) -> Vec<&str> {
        if self.guessed.get() > GUESSES {
            return Vec::new();
        }
        let mut names: Vec<&str> =
            self.locals.get(self.floor..).unwrap_or_default().iter().map(|(name, _)| &**name).collect();
        if let Some(module) = self.program.module(self.module) {
            names.extend(module.defs.iter().map(|def| &*def.name));
        }
        self.guessed.set(self.guessed.get() + names.len());
        names
    }

    fn unknown(&mut self, name: &str, span: Span) -> Value {
        if self.program.module(self.module).is_some_and(|module| module.incomplete) {
            return Value::Error;
        }
        let plurals: Vec<String> = kinds_at_top_level().map(plural).collect();
        let mut candidates = self.candidates();
        candidates.extend(plurals.iter().map(String::as_str));
        let meant = suggest(name, candidates).map(str::to_owned);
        let declared = meant.as_deref().and_then(|meant| {
            let (_, def) = self.program.lookup(self.module, meant)?;
            self.program.def(def).map(|def| def.name_span)
        });
        let module = crate::library::names().find(|module| *module == name);
        let inside = self.library_home(name);
        if let Some(duration) = iso_duration(name) {
            return self.report(diags::iso_duration(name, &duration, span));
        }
        if meant.is_none() && self.program.env_item(name).is_some() {
            return self.report(diags::env_as_value(name, span));
        }
        self.report(diags::unknown_name(name, span, meant.as_deref(), declared, module, inside.as_deref()))
    }

    /// The declared name that is spelled nearly so.
    pub(super) fn near_name(&self, name: &str) -> Option<String> {
        suggest(name, self.candidates()).map(str::to_owned)
    }

    /// A name that is not declared where a block of a kind is wanted.
    pub(super) fn unknown_of(&mut self, kind: BlockKind, name: &Arc<str>, span: Span) -> Value {
        let incomplete = self.program.module(self.module).is_some_and(|module| module.incomplete);
        let near = suggest(name, self.candidates()).is_some();
        if incomplete || near || kind_of_plural(name).is_some() {
            return self.name(name, span);
        }
        let facts = crate::library::find(&plural(kind)).and_then(|id| self.program.module(id));
        let mut facts: Vec<&str> = facts.map(|module| module.exported().collect()).unwrap_or_default();
        if kind == BlockKind::Region {
            // The nearest ones first: the message names only some of them.
            facts.sort_by_key(|fact| (strsim::sorensen_dice(name, fact) * -1000.0) as i32);
        }
        let diagnostic = diags::unknown_of_kind(kind.keyword(), name, &facts, span);
        self.report(diagnostic)
    }

    /// `images.ubuntu_2204` for a name that a module of the standard library exports.
    pub(super) fn library_home(&self, name: &str) -> Option<String> {
        crate::library::names().find_map(|module| {
            let id = crate::library::find(module)?;
            let found = crate::library::module(id)?.names.contains_key(name);
            found.then(|| format!("{module}.{name}"))
        })
    }

    /// How a block of a kind is written whose name is this text: `sizes.Standard_D8s_v5`, `notebooks`.
    pub(super) fn fact_called(&self, name: &str, kind: BlockKind) -> Option<String> {
        let own = self.program.lookup(self.module, name).and_then(|(_, def)| self.program.def(def));
        match own {
            Some(def) => (def.keyword() == Some(kind.keyword())).then(|| name.to_owned()),
            None => self.library_home(name),
        }
    }

    /// The value of a definition.
    pub(crate) fn def_value(&mut self, def: DefId, name: &str, span: Span) -> Value {
        match self.states.get(&def) {
            Some(State::Done(value)) => {
                let value = value.clone();
                self.reached |= self.reaching.contains(&def);
                return self.through(value, def, name);
            }
            Some(State::Active) => return self.cycle(def, span),
            None => {}
        }
        if let Some(value) = self.expanded.get(&def) {
            return value.clone();
        }
        let program = self.program;
        let Some(definition) = program.def(def) else { return Value::Error };
        match &definition.kind {
            DefKind::Namespace(_) => return self.report(diags::not_a_value(name, "a module", span)),
            DefKind::Missing | DefKind::Alias(..) => return Value::Error,
            DefKind::Data(data) => return self.define(def, span, |eval| eval.data_value(data)),
            DefKind::Item(_) | DefKind::Lazy { .. } => {}
        }
        let Some(item) = definition.item() else { return Value::Error };
        match &item.kind {
            ItemKind::Let(constant) => {
                let value = self.define(def, span, |eval| match &constant.ty {
                    Some(ty) => {
                        let ty = eval.resolve_type(ty);
                        eval.eval_as(&constant.value, &ty)
                    }
                    None => eval.eval(&constant.value),
                });
                self.through(value, def, name)
            }
            ItemKind::Param(param) => self.define(def, span, |eval| eval.param_value(def, item, param)),
            ItemKind::Block(block) => self.expand(def, item, block, span),
            ItemKind::Fn(_) => self.report(diags::not_a_value(name, "a function", span)),
            ItemKind::Type(_) => self.report(diags::not_a_value(name, "a type", span)),
            _ => Value::Error,
        }
    }

    /// Evaluates a definition once, in its own module.
    pub(crate) fn define(&mut self, def: DefId, span: Span, work: impl FnOnce(&mut Self) -> Value) -> Value {
        self.states.insert(def, State::Active);
        self.active.push((def, span));
        let unbound = std::mem::take(&mut self.unbound);
        let dead = std::mem::take(&mut self.dead);
        let calls = std::mem::take(&mut self.calls);
        let (value, reached) = self.watch(|eval| eval.inside(def.module, work));
        if reached {
            self.reaching.insert(def);
        }
        self.calls = calls;
        self.dead = dead;
        self.unbound = unbound;
        self.active.pop();
        self.states.insert(def, State::Done(value.clone()));
        value
    }

    /// A secret that comes through a `let` has one more step on its path.
    fn through(&self, value: Value, def: DefId, name: &str) -> Value {
        match (&value, self.program.def(def)) {
            (Value::Deferred(inner), Some(definition)) if !inner.secret.is_empty() => {
                if inner.secret.first().is_some_and(|first| first.span == definition.name_span) {
                    return value;
                }
                let secret = extend(&inner.secret, definition.name_span, &format!("kept in `{name}`"));
                Value::Deferred(Arc::new(Deferred { secret, ..Deferred::clone(inner) }))
            }
            _ => value,
        }
    }

    pub(crate) fn cycle(&mut self, def: DefId, span: Span) -> Value {
        let Some(from) = self.active.iter().position(|(active, _)| *active == def) else {
            return self.report(Diagnostic::internal("a definition under evaluation that nothing evaluates", span));
        };
        let mut steps: Vec<(Arc<str>, Span)> = Vec::new();
        for (active, _) in self.active.get(from..).unwrap_or_default() {
            if let Some(definition) = self.program.def(*active) {
                steps.push((definition.name.clone(), definition.name_span));
            }
        }
        self.report(diags::definition_cycle(&steps, span))
    }

    pub(crate) fn enter(&mut self, def: DefId, span: Span) {
        self.active.push((def, span));
    }

    pub(crate) fn leave(&mut self) {
        self.active.pop();
    }

    /// A parameter: symbolic, or with its value in this env.
    fn param_value(&mut self, def: DefId, item: &'p ast::Item, param: &'p ast::Param) -> Value {
        let ty = self.param_type(def, param);
        self.reached = true;
        let name = &param.name.value;
        let symbolic = |secret: Vec<SecretStep>| {
            let plain = match &ty {
                Ty::Secret(inner) => Ty::clone(inner),
                other => other.clone(),
            };
            deferred(plain, Deploy::Parameter(name.clone()), secret)
        };
        let _ = item;
        if param.secret.is_some() || matches!(ty, Ty::Secret(_)) {
            let step = SecretStep { span: param.name.span, text: "declared secret here".into() };
            return symbolic(vec![step]);
        }
        if matches!(ty, Ty::Error) {
            return Value::Error;
        }
        match &self.pass {
            Pass::Symbolic => symbolic(Vec::new()),
            Pass::Env(_) => match (self.given.get(name), &param.default) {
                (Some((value, _)), _) => value.clone(),
                (None, Some(default)) => self.eval_as(default, &ty),
                (None, None) if ty.nullable() => Value::Null,
                (None, None) => symbolic(Vec::new()),
            },
        }
    }

    /// All blocks of a kind, by name.
    fn all_of(&mut self, kind: BlockKind, span: Span) -> Value {
        let program = self.program;
        let Some(module) = program.module(program.main()) else { return Value::Error };
        let mut record = indexmap::IndexMap::new();
        for (index, def) in module.defs.iter().enumerate() {
            let same = def.keyword() == Some(kind.keyword());
            // A base holds what others share; nothing is made of it.
            if !same || def.is_base() {
                continue;
            }
            let id = DefId { module: program.main(), index: index as u32 };
            match self.def_value(id, &def.name, span) {
                Value::Record(fields) => fields.values().for_each(|value| self.add_ref(&mut record, value)),
                value => self.add_ref(&mut record, &value),
            }
        }
        Value::Record(Arc::new(record))
    }

    fn add_ref(&self, record: &mut indexmap::IndexMap<Arc<str>, Value>, value: &Value) {
        if let Value::Ref(id) = value
            && let Some(slot) = self.slots.get(id.0 as usize)
        {
            record.insert(slot.name.clone(), value.clone());
        }
    }

    /// A fact of the standard library by its bare name, where a fact of this kind is wanted.
    pub(super) fn fact(&mut self, kind: BlockKind, name: &str, span: Span) -> Option<Value> {
        let home = match kind {
            BlockKind::Image => "images",
            BlockKind::Size => "sizes",
            BlockKind::Role => "roles",
            BlockKind::Region => "regions",
            BlockKind::Metric => "metrics",
            BlockKind::Timezone => "timezones",
            BlockKind::Autoscale => "schedules",
            BlockKind::Port => "ports",
            _ => return None,
        };
        let module = crate::library::find(home)?;
        let index = *self.program.module(module)?.names.get(name)?;
        let def = DefId { module, index };
        (self.program.def(def)?.export).then(|| self.def_value(def, name, span))
    }

    /// The fact of a kind that has a name near this one and can still be deployed.
    pub(super) fn near_fact(&self, kinds: &[BlockKind], name: &str) -> Option<String> {
        kinds.iter().find_map(|kind| {
            let module = self.program.module(crate::library::find(&plural(*kind))?)?;
            let usable = || module.defs().filter(|def| def.export && !is_gone(def)).map(|def| &*def.name);
            let swapped = || (*kind == BlockKind::Region).then(|| usable().find(|other| same_parts(name, other)))?;
            suggest(name, usable()).or_else(swapped).map(str::to_owned)
        })
    }

    /// What a callee or a base names, when it is a module: `images` in `images.ubuntu_2204`.
    pub(super) fn namespace(&mut self, expr: &'p Expr) -> Option<Result<crate::load::ModuleId, ()>> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        if self.local(name).is_some() {
            return None;
        }
        let (here, def) = self.program.lookup(self.module, name)?;
        match &self.program.def(def)?.kind {
            DefKind::Namespace(module) => {
                self.used.insert(here);
                Some(Ok(*module))
            }
            DefKind::Missing => {
                self.used.insert(here);
                Some(Err(()))
            }
            _ => None,
        }
    }

    /// Whether a value holds a secret, reported where it ends up.
    pub(crate) fn refuse_secret(&mut self, value: &Value, span: Span, place: &str) -> bool {
        let Some(path) = secret_path(value).map(<[SecretStep]>::to_vec) else { return false };
        self.report(diags::secret_exposed(&path, span, place));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_templates_are_read() {
        assert_eq!(iso_duration("PT10M").as_deref(), Some("10 min"));
        assert_eq!(iso_duration("PT1H").as_deref(), Some("1 h"));
        assert_eq!(iso_duration("P1D").as_deref(), Some("1 day"));
        for other in ["P", "PT", "P10M", "PT1H30M", "PT10", "Pool1", "T10M"] {
            assert_eq!(iso_duration(other), None, "{other}");
        }
    }

    #[test]
    fn parts_of_a_region_may_change_places() {
        assert!(same_parts("europewest", "westeurope"));
        assert!(same_parts("us_west2", "westus2"));
        assert!(!same_parts("westus", "westus2"));
    }
}
