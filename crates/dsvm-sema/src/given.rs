//! Values that somebody gives at deployment → values of the parameters' types, checked as if the env had set them.

use super::eval::Eval;
use super::fit::fit;
use super::params::{LOCATION, location_type};
use super::ty::Ty;
use super::value::Value;
use dsvm_diagnostics::source::Span;
use indexmap::IndexMap;
use std::sync::Arc;

/// A value from outside the sources: from a command line, a parameter file, a variable, an answer.
#[derive(Clone, Debug)]
pub struct ProvidedValue {
    /// Name of the parameter.
    pub name: Arc<str>,
    /// As templates carry it: sizes in bytes, durations in seconds, addresses and dates as text.
    pub value: Value,
    /// Where it is shown.
    pub span: Span,
}

impl Eval<'_> {
    /// Adds what was given for an env (`""`: for the defaults); it is stronger than what the env says. Secrets stay out.
    pub(crate) fn add_given(&mut self, env: &str, values: &mut IndexMap<Arc<str>, (Value, Span)>) {
        let program = self.program;
        let params = self.param_defs();
        for given in program.given(env) {
            let declared = params.iter().find(|(_, _, param)| param.name.value == given.name);
            let ty = match declared {
                Some((def, _, param)) => self.param_type(*def, param),
                None if &*given.name == LOCATION => location_type(),
                None => continue,
            };
            if matches!(ty, Ty::Secret(_)) || declared.is_some_and(|(_, _, param)| param.secret.is_some()) {
                continue;
            }
            let value = self.typed(&given.value, &ty);
            let value = self.coerce(value, &ty, given.span);
            values.insert(given.name.clone(), (value, given.span));
        }
    }

    /// A value of a template as one of a type; as it is where it is none, so that the check of types tells it.
    fn typed(&self, value: &Value, ty: &Ty) -> Value {
        match (value, ty) {
            (_, Ty::Named(_, inner) | Ty::In(inner, _) | Ty::Matching(inner, _) | Ty::Nullable(inner)) => {
                self.typed(value, inner)
            }
            (_, Ty::Union(parts)) => {
                let mut read = parts.iter().map(|part| (self.typed(value, part), part));
                let fitting = read.find(|(value, part)| fit(value, part, self).is_ok());
                fitting.map_or_else(|| value.clone(), |(value, _)| value)
            }
            (Value::Int(number), Ty::Literal(only)) => match only.as_ref() {
                Value::Size(_) => Value::Size(*number),
                Value::Duration(_) => Value::Duration(*number),
                _ => value.clone(),
            },
            (Value::Int(number), Ty::Size) => Value::Size(*number),
            (Value::Int(number), Ty::Duration) => Value::Duration(*number),
            (Value::Int(number), Ty::Percent) => Value::Percent((*number).into()),
            (Value::String(text), Ty::Cidr) => text.parse().map_or_else(|_| value.clone(), Value::Cidr),
            (Value::String(text), Ty::Ip) => text.parse().map_or_else(|_| value.clone(), Value::Ip),
            (Value::String(text), Ty::Date) => text.parse().map_or_else(|_| value.clone(), Value::Date),
            (Value::String(text), Ty::Time) => minutes(text).map_or_else(|| value.clone(), Value::Time),
            (Value::List(items), Ty::List(element)) => {
                Value::List(Arc::new(items.iter().map(|item| self.typed(item, element)).collect()))
            }
            (Value::Record(fields), Ty::Map(element)) => {
                let each = fields.iter().map(|(name, field)| (name.clone(), self.typed(field, element)));
                Value::Record(Arc::new(each.collect()))
            }
            (Value::Record(fields), Ty::Record(rows)) => {
                let one = |name: &Arc<str>, field: &Value| {
                    rows.get(name).map_or_else(|| field.clone(), |row| self.typed(field, &row.ty))
                };
                Value::Record(Arc::new(fields.iter().map(|(name, field)| (name.clone(), one(name, field))).collect()))
            }
            _ => value.clone(),
        }
    }
}

/// `08:30` as minutes after midnight; `24:00` is the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}
