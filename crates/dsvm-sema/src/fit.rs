//! Whether a value is of a type, and what it becomes there. Pure: returns what is wrong, not the message.

use super::table::BlockKind;
use super::ty::Ty;
use super::value::{BlockId, Days, Deferred, Deploy, SecretStep, Value};
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::sync::Arc;

/// Why a value does not fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Misfit {
    /// It is of another type.
    Type,
    /// It is `null`, or may be.
    Null,
    /// It is not between these bounds; `length` when the length is meant.
    Bounds { min: Value, max: Value, length: Option<i64> },
    /// It does not match this pattern.
    Pattern(Arc<str>),
    /// It is not one of these words.
    Word(Vec<String>),
    /// It is secret, and secrets are not allowed here.
    Secret(Vec<SecretStep>),
    /// It is readable by everybody, and this is a place for secrets only; true when it is a parameter.
    Plain(bool),
    /// It is text that does not look like an OpenSSH public key, for this reason.
    SshKey(&'static str),
    /// A part of it does not fit: which, why, and what it is and should be.
    At(String, Box<Misfit>, Box<(Value, Ty)>),
    /// A record lacks this field.
    Missing(Arc<str>),
    /// A record has a field too many; those that exist.
    Unknown(Arc<str>, Vec<Arc<str>>),
}

/// What the check needs to know about blocks and patterns.
pub(crate) trait Facts {
    /// The kind of a block.
    fn kind(&self, id: BlockId) -> Option<BlockKind>;
    /// Whether all of `text` matches a pattern.
    fn matches(&self, pattern: &Arc<str>, text: &str) -> bool;
}

/// The value as one of the type, or why it is none.
pub(crate) fn fit(value: &Value, ty: &Ty, facts: &dyn Facts) -> Result<Value, Misfit> {
    match (value, ty) {
        (Value::Error, _) | (_, Ty::Error) => Ok(value.clone()),
        (Value::Deferred(deferred), _) => deferred_fits(deferred, ty, facts).map(|()| value.clone()),
        (_, Ty::Any) => no_secret_inside(value).map(|()| value.clone()),
        (Value::Null, ty) if ty.nullable() => Ok(Value::Null),
        (Value::Null, _) => Err(Misfit::Null),
        (value, Ty::Secret(inner)) => fit(value, inner, facts).and_then(|_| Err(Misfit::Plain(false))),
        (value, Ty::Nullable(inner) | Ty::Named(_, inner)) => fit(value, inner, facts),
        (value, Ty::Union(parts)) => union(value, parts, facts),
        (value, Ty::Literal(only)) => match value == only.as_ref() {
            true => Ok(value.clone()),
            false if std::mem::discriminant(value) == std::mem::discriminant(only.as_ref()) => {
                Err(Misfit::Word(vec![only.to_string()]))
            }
            false => Err(Misfit::Type),
        },
        (value, Ty::In(inner, bounds)) => {
            let value = fit(value, inner, facts)?;
            let within = |value: &Value| {
                compare(value, &bounds.0).is_some_and(Ordering::is_ge)
                    && compare(value, &bounds.1).is_some_and(Ordering::is_le)
            };
            let (inside, length) = match &value {
                Value::String(text) => {
                    let length = text.chars().count() as i64;
                    (within(&Value::Int(length)), Some(length))
                }
                Value::List(items) => (within(&Value::Int(items.len() as i64)), Some(items.len() as i64)),
                Value::Range(range) => {
                    let inside = |part: &Value| matches!(part, Value::Deferred(_) | Value::Error) || within(part);
                    (inside(&range.min) && inside(&range.max), None)
                }
                Value::Deferred(_) | Value::Error => (true, None),
                other => (within(other), None),
            };
            match inside {
                true => Ok(value),
                false => Err(Misfit::Bounds { min: bounds.0.clone(), max: bounds.1.clone(), length }),
            }
        }
        (value, Ty::Matching(inner, pattern)) => {
            let value = fit(value, inner, facts)?;
            match &value {
                Value::String(text) if !facts.matches(pattern, text) => Err(Misfit::Pattern(pattern.clone())),
                _ => Ok(value),
            }
        }
        (Value::List(items), Ty::List(element)) => {
            if **element == Ty::Any && !items.iter().any(has_secret) {
                return Ok(value.clone());
            }
            if stays(element) {
                for (at, item) in items.iter().enumerate() {
                    fit(item, element, facts)
                        .map_err(|misfit| inside(format!("element {}", at + 1), item, element, misfit))?;
                }
                return Ok(value.clone());
            }
            let mut list = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                list.push(
                    fit(item, element, facts)
                        .map_err(|misfit| inside(format!("element {}", at + 1), item, element, misfit))?,
                );
            }
            Ok(Value::List(Arc::new(list)))
        }
        (Value::First(items), Ty::First(element)) => {
            for (at, item) in items.iter().enumerate() {
                fit(item, element, facts)
                    .map_err(|misfit| inside(format!("choice {}", at + 1), item, element, misfit))?;
            }
            Ok(value.clone())
        }
        (Value::Record(fields), Ty::Map(element)) => {
            if stays(element) {
                for (name, field) in fields.iter() {
                    fit(field, element, facts).map_err(|misfit| inside(format!("`{name}`"), field, element, misfit))?;
                }
                return Ok(value.clone());
            }
            let mut map = IndexMap::with_capacity(fields.len());
            for (name, field) in fields.iter() {
                let field =
                    fit(field, element, facts).map_err(|misfit| inside(format!("`{name}`"), field, element, misfit))?;
                map.insert(name.clone(), field);
            }
            Ok(Value::Record(Arc::new(map)))
        }
        (Value::Record(fields), Ty::Record(rows)) => {
            if let Some(name) = fields.keys().find(|name| !rows.contains_key(*name)) {
                return Err(Misfit::Unknown(name.clone(), rows.keys().cloned().collect()));
            }
            let mut record = IndexMap::with_capacity(rows.len());
            for (name, row) in rows.iter() {
                let field = match fields.get(name) {
                    Some(field) => fit(field, &row.ty, facts)
                        .map_err(|misfit| inside(format!("`{name}`"), field, &row.ty, misfit))?,
                    None => match &row.default {
                        Some(default) => default.clone(),
                        None if row.ty.nullable() => Value::Null,
                        None => return Err(Misfit::Missing(name.clone())),
                    },
                };
                record.insert(name.clone(), field);
            }
            Ok(Value::Record(Arc::new(record)))
        }
        (Value::String(text), Ty::OneOf(words)) => match words.contains(&&**text) {
            true => Ok(value.clone()),
            false => Err(Misfit::Word(words.iter().map(ToString::to_string).collect())),
        },
        (Value::String(text), Ty::SshKey) => ssh_key(text).map_or(Ok(value.clone()), |why| Err(Misfit::SshKey(why))),
        (Value::Int(number), Ty::Port) => match *number {
            1..=65535 => Ok(value.clone()),
            _ => Err(Misfit::Bounds { min: Value::Int(1), max: Value::Int(65535), length: None }),
        },
        (Value::Int(number), Ty::Decimal) => Ok(Value::Decimal((*number).into())),
        (Value::List(items), Ty::Days) => {
            let mut days = 0u8;
            for item in items.iter() {
                match item {
                    Value::Days(Days(some)) => days |= some,
                    _ => return Err(Misfit::Type),
                }
            }
            Ok(Value::Days(Days(days)))
        }
        (Value::Range(range), Ty::Range) => {
            let whole = |part: &Value| match part {
                Value::Int(_) | Value::Error => true,
                Value::Deferred(deferred) => matches!(deferred.ty.base(), Ty::Int | Ty::Any),
                _ => false,
            };
            match whole(&range.min) && whole(&range.max) && range.initial.as_ref().is_none_or(whole) {
                true => Ok(value.clone()),
                false => Err(Misfit::Type),
            }
        }
        (Value::Ref(id), Ty::Ref(kind)) if facts.kind(*id) == Some(*kind) => Ok(value.clone()),
        (Value::Bool(_), Ty::Bool)
        | (Value::Int(_), Ty::Int)
        | (Value::Decimal(_), Ty::Decimal)
        | (Value::Percent(_), Ty::Percent)
        | (Value::Size(_), Ty::Size)
        | (Value::Duration(_), Ty::Duration)
        | (Value::Money(_), Ty::Money)
        | (Value::Time(_), Ty::Time)
        | (Value::Days(_), Ty::Days)
        | (Value::Date(_), Ty::Date)
        | (Value::Cidr(_), Ty::Cidr)
        | (Value::Ip(_), Ty::Ip)
        | (Value::String(_), Ty::String)
        | (Value::Condition(_), Ty::Condition)
        | (Value::Formula(_), Ty::Formula) => Ok(value.clone()),
        _ => Err(Misfit::Type),
    }
}

/// Whether values of the type are the same after the check as before.
fn stays(ty: &Ty) -> bool {
    match ty.base() {
        Ty::Union(parts) => parts.iter().all(stays),
        Ty::Decimal | Ty::Days | Ty::List(_) | Ty::Map(_) | Ty::Record(_) | Ty::Nullable(_) => false,
        _ => true,
    }
}

fn inside(place: String, value: &Value, ty: &Ty, misfit: Misfit) -> Misfit {
    match misfit {
        secret @ Misfit::Secret(_) => secret,
        Misfit::At(deeper, misfit, part) => Misfit::At(format!("{place}, {deeper}"), misfit, part),
        other => Misfit::At(place, Box::new(other), Box::new((value.clone(), ty.clone()))),
    }
}

/// Of several alternatives the first that fits; else the reason of the one that came nearest.
fn union(value: &Value, parts: &[Ty], facts: &dyn Facts) -> Result<Value, Misfit> {
    let mut words = Vec::new();
    let mut nearest = None;
    for part in parts {
        match fit(value, part, facts) {
            Ok(value) => return Ok(value),
            Err(secret @ Misfit::Secret(_)) => return Err(secret),
            Err(Misfit::Word(some)) => words.extend(some),
            Err(Misfit::Type) => {}
            Err(other) => nearest = nearest.or(Some(other)),
        }
    }
    match (nearest, words.is_empty()) {
        (Some(misfit), true) => Err(misfit),
        (_, false) => Err(Misfit::Word(words)),
        (None, true) => Err(Misfit::Type),
    }
}

fn deferred_fits(deferred: &Arc<Deferred>, ty: &Ty, facts: &dyn Facts) -> Result<(), Misfit> {
    if !deferred.secret.is_empty() && !ty.welcomes_secrets() {
        return Err(Misfit::Secret(deferred.secret.clone()));
    }
    // What an attribute gives may well be secret; a parameter that is not declared so is in every parameter file.
    if deferred.secret.is_empty() && matches!(deferred.expr, Deploy::Parameter(_)) && ty.wants_secrets() {
        return Err(Misfit::Plain(true));
    }
    if deferred.ty.nullable() && !matches!(deferred.ty.base(), Ty::Any | Ty::Error) && !ty.nullable() {
        return Err(Misfit::Null);
    }
    match type_fits(&deferred.ty, ty, facts) {
        true => Ok(()),
        false => Err(Misfit::Type),
    }
}

/// Whether values of one type can be values of another; bounds and patterns are left to the check of each env.
pub(crate) fn type_fits(from: &Ty, to: &Ty, facts: &dyn Facts) -> bool {
    match (from, to) {
        (Ty::Any | Ty::Error, _) | (_, Ty::Any | Ty::Error) => true,
        (Ty::Named(_, from) | Ty::In(from, _) | Ty::Matching(from, _) | Ty::Secret(from), to) => {
            type_fits(from, to, facts)
        }
        (Ty::Nullable(from), to) => to.nullable() && type_fits(from, to.not_null(), facts),
        (from, Ty::Named(_, to) | Ty::In(to, _) | Ty::Matching(to, _) | Ty::Secret(to) | Ty::Nullable(to)) => {
            type_fits(from, to, facts)
        }
        (Ty::Union(parts), to) => parts.iter().all(|part| type_fits(part, to, facts)),
        (from, Ty::Union(parts)) => parts.iter().any(|part| type_fits(from, part, facts)),
        (Ty::Literal(value), to) => fit(value, to, facts).is_ok(),
        (Ty::String | Ty::OneOf(_), Ty::Literal(value)) => matches!(value.as_ref(), Value::String(_)),
        (Ty::Int | Ty::Port, Ty::Literal(value)) => matches!(value.as_ref(), Value::Int(_)),
        (Ty::First(from), Ty::First(to)) => type_fits(from, to, facts),
        (Ty::List(from), Ty::List(to)) => type_fits(from, to, facts),
        (Ty::Map(from), Ty::Map(to)) => type_fits(from, to, facts),
        (Ty::Record(rows), Ty::Map(to)) => rows.values().all(|row| type_fits(&row.ty, to, facts)),
        (Ty::Record(from), Ty::Record(to)) => {
            from.keys().all(|name| to.contains_key(name))
                && to.iter().all(|(name, row)| match from.get(name) {
                    Some(field) => type_fits(&field.ty, &row.ty, facts),
                    None => row.default.is_some() || row.ty.nullable(),
                })
        }
        (Ty::OneOf(_) | Ty::SshKey, Ty::String) | (Ty::String, Ty::OneOf(_) | Ty::SshKey) => true,
        // Where a fact may also be given by its name, a parameter holds the name.
        (Ty::Ref(_), Ty::String) => true,
        (Ty::Int | Ty::Port, Ty::Int | Ty::Port | Ty::Decimal) => true,
        (from, to) => from == to,
    }
}

/// Whether a secret is in it, at any depth.
pub(crate) fn has_secret(value: &Value) -> bool {
    secret_path(value).is_some()
}

/// The path of the first secret in it.
pub(crate) fn secret_path(value: &Value) -> Option<&[SecretStep]> {
    match value {
        Value::Deferred(deferred) if !deferred.secret.is_empty() => Some(&deferred.secret),
        Value::List(items) | Value::First(items) => items.iter().find_map(secret_path),
        Value::Record(fields) => fields.values().find_map(secret_path),
        Value::Range(range) => {
            secret_path(&range.min).or_else(|| secret_path(&range.max)).or(range.initial.as_ref().and_then(secret_path))
        }
        Value::Condition(condition) => secret_path(&condition.threshold),
        _ => None,
    }
}

fn no_secret_inside(value: &Value) -> Result<(), Misfit> {
    secret_path(value).map_or(Ok(()), |path| Err(Misfit::Secret(path.to_vec())))
}

/// The first deferred part, at any depth.
pub(crate) fn deferred_part(value: &Value) -> Option<&Arc<Deferred>> {
    match value {
        Value::Deferred(deferred) => Some(deferred),
        Value::List(items) | Value::First(items) => items.iter().find_map(deferred_part),
        Value::Record(fields) => fields.values().find_map(deferred_part),
        Value::Range(range) => deferred_part(&range.min)
            .or_else(|| deferred_part(&range.max))
            .or(range.initial.as_ref().and_then(deferred_part)),
        Value::Condition(condition) => deferred_part(&condition.threshold),
        _ => None,
    }
}

/// How two values of one type are ordered; `None` when they have no order or are of different types.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    use rust_decimal::Decimal;
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(a), Value::Decimal(b)) => Decimal::from(*a).cmp(b),
        (Value::Decimal(a), Value::Int(b)) => a.cmp(&Decimal::from(*b)),
        (Value::Decimal(a), Value::Decimal(b)) | (Value::Percent(a), Value::Percent(b)) => a.cmp(b),
        (Value::Size(a), Value::Size(b)) | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Ip(a), Value::Ip(b)) => a.cmp(b),
        (Value::Money(a), Value::Money(b)) if a.currency == b.currency => match (a.per_seconds, b.per_seconds) {
            (x, y) if x == y => a.amount.cmp(&b.amount),
            (Some(x), Some(y)) => {
                let left = a.amount.checked_mul(Decimal::from(y))?;
                left.cmp(&b.amount.checked_mul(Decimal::from(x))?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// Why a text is not an OpenSSH public key.
fn ssh_key(text: &str) -> Option<&'static str> {
    use base64::Engine as _;
    const KINDS: &[&str] = &[
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ];
    if text.contains("PRIVATE KEY") {
        return Some("this is a private key: never share it; generate a new key and use the file that ends in `.pub`");
    }
    let mut words = text.split_whitespace();
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Some("expected a key type such as `ssh-ed25519`, a space, and the key");
    };
    if !KINDS.contains(&kind) {
        return Some("it must start with a key type such as `ssh-ed25519` or `ssh-rsa`");
    }
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(body) else {
        return Some("the part after the key type is not Base64, so something is missing or was added");
    };
    // The key repeats its kind, after its length in four bytes.
    let length = bytes.get(..4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes).unwrap_or(0) as usize;
    match bytes.get(4..4 + length.min(bytes.len())) {
        Some(inner) if inner == kind.as_bytes() => None,
        _ => Some("the part after the key type is not a key of that type, so something is missing or was added"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;
    impl Facts for Nothing {
        fn kind(&self, _: BlockId) -> Option<BlockKind> {
            None
        }
        fn matches(&self, _: &Arc<str>, text: &str) -> bool {
            text.starts_with('a')
        }
    }

    fn int_in(min: i64, max: i64) -> Ty {
        Ty::In(Arc::new(Ty::Int), Box::new((Value::Int(min), Value::Int(max))))
    }

    #[test]
    fn a_number_outside_its_bounds_does_not_fit() {
        assert!(fit(&Value::Int(5), &int_in(1, 5), &Nothing).is_ok());
        assert!(matches!(fit(&Value::Int(6), &int_in(1, 5), &Nothing), Err(Misfit::Bounds { .. })));
    }

    #[test]
    fn of_alternatives_the_nearest_reason_is_given() {
        let ty = Ty::Union([Ty::Range, int_in(0, 9)].into_iter().collect());
        assert!(matches!(fit(&Value::Int(10), &ty, &Nothing), Err(Misfit::Bounds { .. })));
        assert_eq!(fit(&Value::Bool(true), &ty, &Nothing), Err(Misfit::Type));
    }

    #[test]
    fn a_public_key_is_looked_at_closely() {
        let good = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3lMdcKhCnhkGJbzXX3UNUmDHmcXCxVwRh0sJkdZVqT me@here";
        assert_eq!(ssh_key(good), None);
        assert!(ssh_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA").is_none());
        assert!(ssh_key("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ3lMdcKhCnhkGJbzXX3UNUmDHmcXCxVwRh0sJkdZVqT").is_some());
        assert!(ssh_key("hello").is_some());
        assert!(ssh_key("-----BEGIN OPENSSH PRIVATE KEY-----").is_some_and(|why| why.contains("private")));
    }

    #[test]
    fn a_record_takes_defaults_and_refuses_strangers() {
        let rows: IndexMap<Arc<str>, crate::ty::RecordField> = [
            (Arc::from("a"), crate::ty::RecordField { ty: Ty::Int, default: None }),
            (Arc::from("b"), crate::ty::RecordField { ty: Ty::Int, default: Some(Value::Int(7)) }),
        ]
        .into_iter()
        .collect();
        let ty = Ty::Record(Arc::new(rows));
        let record = |pairs: &[(&str, i64)]| {
            Value::Record(Arc::new(pairs.iter().map(|(k, v)| (Arc::from(*k), Value::Int(*v))).collect()))
        };
        assert_eq!(fit(&record(&[("a", 1)]), &ty, &Nothing), Ok(record(&[("a", 1), ("b", 7)])));
        assert!(matches!(fit(&record(&[("b", 1)]), &ty, &Nothing), Err(Misfit::Missing(_))));
        assert!(matches!(fit(&record(&[("a", 1), ("c", 1)]), &ty, &Nothing), Err(Misfit::Unknown(..))));
    }
}
