//! Parameters and envs: what becomes a template parameter, and the values that each env gives.

use super::checked::{EnvValues, Param};
use super::diags;
use super::eval::{Eval, Pass, deferred, is_text};
use super::fit::{Facts, deferred_part};
use super::load::DefId;
use super::table::{BlockKind, suggest};
use super::ty::Ty;
use super::value::{Deploy, Value};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, Item, ItemKind};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;

/// The field of a project that an env may set like a parameter.
pub(crate) const LOCATION: &str = "location";

/// The type of a template parameter or output that holds values of a type, or why none can.
pub(crate) fn arm_type(ty: &Ty) -> Result<&'static str, &'static str> {
    match ty {
        Ty::Secret(inner) => match arm_type(inner)? {
            "string" => Ok("securestring"),
            "object" => Ok("secureObject"),
            _ => Err("Azure keeps only text and records secret; put the value into a record"),
        },
        Ty::Named(_, inner) | Ty::In(inner, _) | Ty::Matching(inner, _) | Ty::Nullable(inner) => arm_type(inner),
        Ty::Literal(value) => match value.as_ref() {
            Value::String(_) => Ok("string"),
            Value::Int(_) | Value::Size(_) | Value::Duration(_) => Ok("int"),
            Value::Bool(_) => Ok("bool"),
            _ => Err("templates have no such literal"),
        },
        Ty::Union(parts) => {
            let mut types = parts.iter().filter(|part| !matches!(part, Ty::Null)).map(arm_type);
            let first = types.next().unwrap_or(Ok("object"))?;
            for other in types {
                if other? != first {
                    return Err("its alternatives would be of different types in the template");
                }
            }
            Ok(first)
        }
        ty if is_text(ty) && !matches!(ty, Ty::Any) => Ok("string"),
        Ty::Int | Ty::Port | Ty::Size | Ty::Duration | Ty::Percent => Ok("int"),
        Ty::Bool => Ok("bool"),
        Ty::List(element) => arm_type(element).and(Ok("array")),
        Ty::Map(element) => arm_type(element).and(Ok("object")),
        Ty::Record(rows) => {
            for row in rows.values() {
                arm_type(&row.ty)?;
            }
            Ok("object")
        }
        Ty::Any => Ok("object"),
        Ty::Error => Ok("string"),
        Ty::Decimal | Ty::Money => Err("templates have whole numbers only"),
        Ty::Ref(_) => Err("a block must be known while compiling; only a region can be chosen at deployment"),
        _ => Err("templates have no such type"),
    }
}

/// Bounds and words of a parameter's type, in the words of a template.
#[derive(Default)]
struct Limits {
    min: Option<i64>,
    max: Option<i64>,
    min_length: Option<i64>,
    max_length: Option<i64>,
    allowed: Option<Vec<Value>>,
}

fn whole(value: &Value) -> Option<i64> {
    use rust_decimal::prelude::ToPrimitive;
    match value {
        Value::Int(number) | Value::Size(number) | Value::Duration(number) => Some(*number),
        Value::Percent(number) if number.fract().is_zero() => number.to_i64(),
        _ => None,
    }
}

fn limits(ty: &Ty, found: &mut Limits) {
    match ty {
        Ty::Named(_, inner) | Ty::Nullable(inner) | Ty::Secret(inner) | Ty::Matching(inner, _) => limits(inner, found),
        Ty::In(inner, bounds) => {
            limits(inner, found);
            let (min, max) = (whole(&bounds.0), whole(&bounds.1));
            match inner.base() {
                Ty::String | Ty::List(_) => (found.min_length, found.max_length) = (min, max),
                _ => (found.min, found.max) = (min, max),
            }
        }
        Ty::Port => (found.min, found.max) = (Some(1), Some(65535)),
        Ty::Literal(value) => found.allowed = Some(vec![Value::clone(value)]),
        Ty::Union(parts) => {
            let words: Option<Vec<Value>> = parts
                .iter()
                .filter(|part| !matches!(part, Ty::Null))
                .map(|part| match part.base() {
                    Ty::Literal(value) => Some(Value::clone(value)),
                    _ => None,
                })
                .collect();
            found.allowed = words;
        }
        _ => {}
    }
}

impl<'p> Eval<'p> {
    pub(crate) fn pass_is_symbolic(&self) -> bool {
        self.pass == Pass::Symbolic
    }

    /// All parameters of the project, in source order.
    pub(crate) fn param_defs(&self) -> Vec<(DefId, &'p Item, &'p ast::Param)> {
        let mut params = Vec::new();
        for (module, names) in self.program.own_modules() {
            for (index, def) in names.defs.iter().enumerate() {
                if let Some(item) = def.item()
                    && let ItemKind::Param(param) = &item.kind
                {
                    params.push((DefId { module, index: index as u32 }, item, param));
                }
            }
        }
        params
    }

    /// Whether some env sets the location, so that it becomes a parameter of the template.
    pub(crate) fn location_varies(&self) -> Option<Span> {
        let declared = self.program.lookup(self.program.main(), LOCATION).is_some();
        self.program.env_location.filter(|_| !declared)
    }

    /// Values of one env, checked. Reports only when asked to: each env is looked at in several runs.
    pub(crate) fn env_values(&mut self, env: &'p ast::Env) -> IndexMap<Arc<str>, (Value, Span)> {
        let params = self.param_defs();
        let mut values: IndexMap<Arc<str>, (Value, Span)> = IndexMap::new();
        let mut doubtful = env.incomplete;
        for (name, expr) in &env.values {
            let found = params.iter().find(|(_, _, param)| param.name.value == name.value);
            let value = match found {
                Some((def, _, param)) => {
                    let ty = self.param_type(*def, param);
                    match &ty {
                        Ty::Secret(_) => self.vault_reference(expr, param),
                        ty => self.eval_as(expr, ty),
                    }
                }
                None if &*name.value == LOCATION => self.eval_as(expr, &location_type()),
                None => {
                    self.eval(expr);
                    let known: Vec<&str> = params.iter().map(|(_, _, param)| &*param.name.value).collect();
                    let meant = suggest(&name.value, known.iter().copied().chain([LOCATION])).map(str::to_owned);
                    doubtful = true;
                    self.report(diags::unknown_param(&name.value, name.span, &env.name.value, meant.as_deref()));
                    continue;
                }
            };
            let value = match deferred_part(&value) {
                Some(part) => {
                    let part = part.clone();
                    self.report(diags::not_early(&part, "a value of an env", expr.span))
                }
                None => value,
            };
            if let Some((_, first)) = values.get(&name.value) {
                let first = *first;
                self.report(diags::duplicate_field(&name.value, name.span, first));
                continue;
            }
            values.insert(name.value.clone(), (value, expr.span));
        }
        self.add_given(&env.name.value, &mut values);
        for (_, _, param) in &params {
            let optional = matches!(param.ty.kind, ast::TypeKind::Nullable(_));
            let secret = param.secret.is_some() || matches!(param.ty.kind, ast::TypeKind::Secret(_));
            let given = values.contains_key(&param.name.value) || param.default.is_some() || optional || secret;
            // What no env sets is given at each deployment; what only some set was forgotten in the others.
            let other = || self.program.env_items().flat_map(|(_, env)| &env.values);
            if !given && !doubtful && other().any(|(name, _)| name.value == param.name.value) {
                self.report(diags::missing_env_value(
                    &param.name.value,
                    env.name.span,
                    &env.name.value,
                    param.name.span,
                ));
            }
        }
        values
    }

    /// The value of a secret in an env: where it is kept, never what it is.
    fn vault_reference(&mut self, expr: &'p ast::Expr, param: &ast::Param) -> Value {
        let value = self.eval(expr);
        if let Value::Record(fields) = &value {
            let text = |name: &str| matches!(fields.get(name), Some(Value::String(_)));
            let vault = match fields.get("vault") {
                Some(Value::Ref(id)) => self.kind(*id) == Some(BlockKind::Vault),
                Some(Value::String(_)) => true,
                _ => false,
            };
            let known = fields.keys().all(|name| matches!(&**name, "vault" | "secret" | "version"));
            if vault && text("secret") && known {
                return value;
            }
        }
        match value {
            Value::Error => Value::Error,
            _ => self.report(diags::secret_in_plain_text(&param.name.value, expr.span, param.name.span)),
        }
    }

    /// A value as written in a parameter file: a region by its name.
    pub(crate) fn plain_value(&self, value: &Value) -> Value {
        match value {
            Value::Ref(id) if self.kind(*id) == Some(BlockKind::Region) => {
                self.slots.get(id.0 as usize).map_or(Value::Error, |slot| Value::String(slot.name.clone()))
            }
            other => other.clone(),
        }
    }

    /// What the location of the project is in this run, when envs set it.
    pub(crate) fn prepare_location(&mut self) {
        if self.location_varies().is_none() {
            return;
        }
        self.location = match &self.pass {
            Pass::Symbolic => Some(deferred(location_type(), Deploy::Parameter(Arc::from(LOCATION)), Vec::new())),
            Pass::Env(_) => self.given.get(LOCATION).map(|(value, _)| value.clone()),
        };
    }

    /// The template's parameters in source order, checked.
    pub(crate) fn checked_params(&mut self) -> Vec<Param> {
        let mut params = Vec::new();
        for (def, item, param) in self.param_defs() {
            let ty = self.param_type(def, param);
            // A default of a secret is refused below, whatever it is.
            let plain = if let Ty::Secret(inner) = &ty { inner } else { &ty };
            let default =
                param.default.as_ref().map(|default| self.inside(def.module, |eval| eval.eval_as(default, plain)));
            if let (Some(_), Ty::Secret(_)) = (&default, &ty) {
                self.report(diags::secret_with_default(
                    &param.name.value,
                    param.default.as_ref().map_or(param.name.span, |d| d.span),
                ));
            }
            let mut found = Limits::default();
            limits(&ty, &mut found);
            // A type that templates do not have was reported where it was resolved, and is `Error` since.
            let Ok(arm_type) = arm_type(&ty) else {
                self.report(Diagnostic::internal("a parameter whose type no template has", param.name.span));
                continue;
            };
            params.push(Param {
                name: param.name.value.clone(),
                arm_type,
                secret: matches!(ty, Ty::Secret(_)),
                default: default.map(|default| self.plain_value(&default)),
                min: found.min,
                max: found.max,
                min_length: found.min_length,
                max_length: found.max_length,
                allowed: found.allowed,
                nullable: ty.nullable(),
                doc: item.doc.clone(),
                name_span: param.name.span,
                used: self.used.contains(&def),
            });
        }
        if let Some(span) = self.location_varies() {
            params.push(Param {
                name: Arc::from(LOCATION),
                arm_type: "string",
                secret: false,
                default: self.written_location.clone().map(|value| self.plain_value(&value)),
                min: None,
                max: None,
                min_length: None,
                max_length: None,
                allowed: None,
                nullable: false,
                doc: Some(Arc::from("Region in which everything is made.")),
                name_span: span,
                used: true,
            });
        }
        params
    }

    /// Values of all envs; reports nothing that the run of the env itself does not report.
    pub(crate) fn checked_envs(&mut self) -> Vec<EnvValues> {
        let envs: Vec<&'p ast::Env> = self.program.env_items().map(|(_, env)| env).collect();
        let mut checked = Vec::new();
        let mut places: HashMap<&str, Span> = HashMap::with_capacity(envs.len());
        for env in envs {
            if let Some(first) = places.get(&*env.name.value) {
                self.report(diags::duplicate_name(&env.name.value, env.name.span, *first));
                continue;
            }
            places.insert(&env.name.value, env.name.span);
            let values = self.env_values(env);
            let values =
                values.into_iter().map(|(name, (value, span))| (name, (self.plain_value(&value), span))).collect();
            checked.push(EnvValues { name: env.name.value.clone(), name_span: env.name.span, values });
        }
        checked
    }
}

pub(crate) fn location_type() -> Ty {
    Ty::Union([Ty::Ref(BlockKind::Region), Ty::String].into_iter().collect())
}
