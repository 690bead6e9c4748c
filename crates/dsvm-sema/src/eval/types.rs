//! Types as written → types.

use super::super::table::{BlockKind, kind_of, suggest};
use super::super::ty::RecordField;
use super::Eval;
use crate::diags;
use crate::load::{DefId, DefKind};
use crate::ty::Ty;
use crate::value::Value;
use dsvm_syntax::ast::{ItemKind, Name, Param, Type, TypeKind};
use indexmap::IndexMap;
use std::sync::Arc;

/// The types that have a name in the language.
const NAMES: &[(&str, Ty)] = &[
    ("any", Ty::Any),
    ("bool", Ty::Bool),
    ("int", Ty::Int),
    ("decimal", Ty::Decimal),
    ("percent", Ty::Percent),
    ("size", Ty::Size),
    ("duration", Ty::Duration),
    ("money", Ty::Money),
    ("time", Ty::Time),
    ("days", Ty::Days),
    ("date", Ty::Date),
    ("range", Ty::Range),
    ("cidr", Ty::Cidr),
    ("ip", Ty::Ip),
    ("port", Ty::Port),
    ("ssh_key", Ty::SshKey),
    ("string", Ty::String),
    ("vm_size", Ty::Ref(BlockKind::Size)),
];

/// Names of the types that the language has by itself.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// A pattern, to be matched against a whole text.
pub(crate) fn compile(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build()
}

impl<'p> Eval<'p> {
    /// The type that is written.
    pub(crate) fn resolve_type(&mut self, ty: &'p Type) -> Ty {
        if !self.step(1, ty.span) {
            return Ty::Error;
        }
        match &ty.kind {
            TypeKind::Name(path) => self.named_type(path),
            TypeKind::Literal(expr) => match self.eval(expr) {
                Value::Error => Ty::Error,
                Value::Null => Ty::Null,
                value @ (Value::String(_)
                | Value::Int(_)
                | Value::Bool(_)
                | Value::Decimal(_)
                | Value::Percent(_)
                | Value::Size(_)
                | Value::Duration(_)) => Ty::Literal(Box::new(value)),
                other => {
                    let found = self.type_of(&other);
                    self.report(diags::bad_type(&format!("a `{found}` cannot be a type with one value"), ty.span));
                    Ty::Error
                }
            },
            TypeKind::Union(parts) => Ty::Union(parts.iter().map(|part| self.resolve_type(part)).collect()),
            TypeKind::List(element) => Ty::List(Arc::new(self.resolve_type(element))),
            TypeKind::Record(fields) => {
                let mut rows = IndexMap::new();
                for (name, field, default) in fields {
                    let field = self.resolve_type(field);
                    let default = default.as_ref().map(|default| self.eval_as(default, &field));
                    if rows.insert(name.value.clone(), RecordField { ty: field, default }).is_some() {
                        self.report(diags::duplicate_key(&name.value, name.span));
                    }
                }
                Ty::Record(Arc::new(rows))
            }
            TypeKind::Nullable(inner) => match self.resolve_type(inner) {
                Ty::Error => Ty::Error,
                // `secret string?` is a secret that may be left out.
                Ty::Secret(inner) => Ty::Secret(Arc::new(Ty::Nullable(inner))),
                inner => Ty::Nullable(Arc::new(inner)),
            },
            TypeKind::Secret(inner) => match self.resolve_type(inner) {
                Ty::Error => Ty::Error,
                inner => Ty::Secret(Arc::new(inner)),
            },
            TypeKind::In(inner, bounds) => {
                let inner = self.resolve_type(inner);
                self.bounded(inner, bounds, ty)
            }
            TypeKind::Matching(inner, pattern) => {
                let inner = self.resolve_type(inner);
                let text = matches!(inner.not_null().base(), Ty::String | Ty::Error);
                if !text {
                    let why = format!("only text has a pattern, and this is a `{inner}`");
                    self.report(diags::bad_type(&why, ty.span));
                    return Ty::Error;
                }
                if let Err(error) = compile(&pattern.value) {
                    let why = error.to_string();
                    let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    self.report(diags::bad_pattern(&last, pattern.span));
                    return Ty::Error;
                }
                match inner {
                    Ty::Nullable(inner) => Ty::Nullable(Arc::new(Ty::Matching(inner, pattern.value.clone()))),
                    inner => Ty::Matching(Arc::new(inner), pattern.value.clone()),
                }
            }
            TypeKind::Error => Ty::Error,
        }
    }

    fn bounded(&mut self, inner: Ty, bounds: &'p dsvm_syntax::ast::Expr, ty: &'p Type) -> Ty {
        let value = self.eval(bounds);
        let Value::Range(range) = value else {
            if !matches!(value, Value::Error) {
                let found = self.type_of(&value);
                self.report(diags::no_range(&found, bounds.span));
            }
            return Ty::Error;
        };
        if let Some(part) = super::super::fit::deferred_part(&Value::Range(range.clone())) {
            let part = part.clone();
            self.report(diags::not_early(&part, "the bounds of a type", bounds.span));
            return Ty::Error;
        }
        if matches!(range.min, Value::Error) || matches!(range.max, Value::Error) {
            return Ty::Error;
        }
        let wanted = match inner.not_null().base() {
            Ty::String | Ty::List(_) | Ty::Port | Ty::Range => Ty::Int,
            Ty::Int | Ty::Decimal | Ty::Percent | Ty::Size | Ty::Duration | Ty::Money | Ty::Time | Ty::Date => {
                inner.not_null().base().clone()
            }
            Ty::Error => return Ty::Error,
            _ => {
                self.report(diags::bad_type(&format!("a `{inner}` has no order, so it cannot have bounds"), ty.span));
                return Ty::Error;
            }
        };
        let min = self.coerce(range.min.clone(), &wanted, bounds.span);
        let max = self.coerce(range.max.clone(), &wanted, bounds.span);
        if super::super::fit::compare(&min, &max).is_some_and(std::cmp::Ordering::is_gt) {
            self.report(diags::bad_type("its smallest value is above its largest, so nothing fits", bounds.span));
            return Ty::Error;
        }
        match inner {
            _ if matches!(min, Value::Error) || matches!(max, Value::Error) => Ty::Error,
            Ty::Nullable(inner) => Ty::Nullable(Arc::new(Ty::In(inner, Box::new((min, max))))),
            inner => Ty::In(Arc::new(inner), Box::new((min, max))),
        }
    }

    fn named_type(&mut self, path: &'p [Name]) -> Ty {
        match path {
            [name] => {
                if let Some((here, def)) = self.program.lookup(self.module(), &name.value)
                    && let Some(ty) = self.declared_type(here, def, name)
                {
                    return ty;
                }
                if let Some((_, ty)) = NAMES.iter().find(|(known, _)| *known == &*name.value) {
                    return ty.clone();
                }
                if let Some(kind) = kind_of(&name.value).filter(|kind| super::super::table::spec(*kind).top_level) {
                    return Ty::Ref(kind);
                }
                let own = self.program.module(self.module());
                if own.is_some_and(|module| module.incomplete) {
                    return Ty::Error;
                }
                let own = own.into_iter().flat_map(|module| &module.defs).filter(|def| is_type(def));
                let mut known: Vec<&str> = type_names().collect();
                known.extend(own.map(|def| &*def.name));
                let meant = suggest(&name.value, known).map(str::to_owned);
                self.report(diags::unknown_type(&name.value, name.span, meant.as_deref()));
                Ty::Error
            }
            [module, name] => {
                let found = self.program.lookup(self.module(), &module.value);
                let Some((here, def)) = found else {
                    self.report(diags::unknown_name(&module.value, module.span, None, None, None, None));
                    return Ty::Error;
                };
                self.used.insert(here);
                match self.program.def(def).map(|def| &def.kind) {
                    Some(DefKind::Namespace(id)) => {
                        let id = *id;
                        if let Some((_, inner)) = self.program.lookup(id, &name.value)
                            && self.program.def(inner).is_some_and(is_type)
                        {
                            return match self.exported_def(id, name) {
                                Some(inner) => self.declared_type(inner, inner, name).unwrap_or(Ty::Error),
                                None => Ty::Error,
                            };
                        }
                        // `sizes.size`: a block of a kind that the module has.
                        match kind_of(&name.value) {
                            Some(kind) => Ty::Ref(kind),
                            None => {
                                self.report(diags::unknown_type(&name.value, name.span, None));
                                Ty::Error
                            }
                        }
                    }
                    Some(DefKind::Missing) | None => Ty::Error,
                    Some(_) => {
                        self.report(diags::bad_type("the part before the dot must be an imported module", module.span));
                        Ty::Error
                    }
                }
            }
            _ => {
                if let (Some(first), Some(last)) = (path.first(), path.last()) {
                    self.report(diags::bad_type("a type has at most one dot in its name", first.span.to(last.span)));
                }
                Ty::Error
            }
        }
    }

    /// The type that a definition declares, `None` when it declares none.
    fn declared_type(&mut self, here: DefId, def: DefId, name: &'p Name) -> Option<Ty> {
        let program = self.program;
        let definition = program.def(def)?;
        if matches!(definition.kind, DefKind::Missing) {
            self.used.insert(here);
            return Some(Ty::Error);
        }
        let ItemKind::Type(declared) = &definition.item()?.kind else { return None };
        self.used.insert(here);
        match self.types.get(&def) {
            Some(Some(ty)) => {
                self.reached |= self.reaching.contains(&def);
                return Some(ty.clone());
            }
            Some(None) => {
                let step = (declared.name.value.clone(), declared.name.span);
                self.report(diags::definition_cycle(&[step], name.span));
                return Some(Ty::Error);
            }
            None => {}
        }
        self.types.insert(def, None);
        let (ty, reached) = self.watch(|eval| eval.inside(def.module, |eval| eval.resolve_type(&declared.ty)));
        if reached {
            self.reaching.insert(def);
        }
        let ty = match ty {
            Ty::Error => Ty::Error,
            ty => Ty::Named(declared.name.value.clone(), Arc::new(ty)),
        };
        self.types.insert(def, Some(ty.clone()));
        Some(ty)
    }

    /// Checks a named type that nobody may have used.
    pub(crate) fn check_type(&mut self, def: DefId, declared: &'p dsvm_syntax::ast::TypeDecl) {
        if !self.types.contains_key(&def) {
            let used = self.used.contains(&def);
            self.declared_type(def, def, &declared.name);
            if !used {
                self.used.remove(&def);
            }
        }
    }

    /// The type of a parameter; one that a template cannot have was reported.
    pub(crate) fn param_type(&mut self, def: DefId, param: &'p Param) -> Ty {
        if let Some(Some(ty)) = self.types.get(&def) {
            return ty.clone();
        }
        let ty = self.inside(def.module, |eval| eval.resolve_type(&param.ty));
        let ty = match (ty, param.secret) {
            (Ty::Error, _) => Ty::Error,
            (secret @ Ty::Secret(_), _) => secret,
            (ty, Some(_)) => Ty::Secret(Arc::new(ty)),
            (ty, None) => ty,
        };
        let ty = match super::super::params::arm_type(&ty) {
            Ok(_) => ty,
            Err(why) => {
                self.report(diags::bad_parameter_type(&param.name.value, &ty, why, param.ty.span));
                Ty::Error
            }
        };
        self.types.insert(def, Some(ty.clone()));
        ty
    }
}

fn is_type(def: &crate::load::Def) -> bool {
    match &def.kind {
        DefKind::Item(item) => matches!(item.kind, ItemKind::Type(_)),
        DefKind::Lazy { entry, .. } => entry.keyword == "type",
        _ => false,
    }
}
