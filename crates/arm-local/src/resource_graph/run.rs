//! A query's pipeline over the rows of its table.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::resource_graph::parse::{Condition, Field, Query, Step};

/// The rows that a query gives.
#[must_use]
pub fn run(mut rows: Vec<Value>, query: &Query) -> Vec<Value> {
    for step in &query.steps {
        match step {
            Step::Where(any) => rows.retain(|row| any.iter().any(|all| all.iter().all(|one| holds(row, one)))),
            Step::Project(columns) => rows = rows.iter().map(|row| made(Map::new(), row, columns)).collect(),
            Step::Extend(columns) => {
                rows =
                    rows.iter().map(|row| made(row.as_object().cloned().unwrap_or_default(), row, columns)).collect();
            }
            Step::Distinct(columns) => {
                let mut seen: Vec<Value> = Vec::new();
                for row in rows.iter().map(|row| made(Map::new(), row, columns)) {
                    if !seen.contains(&row) {
                        seen.push(row);
                    }
                }
                rows = seen;
            }
            Step::Count { name, by } => rows = counted(&rows, name, by),
            Step::Order(fields) => rows.sort_by(|a, b| {
                let each = fields.iter().map(|(field, descending)| {
                    let order = compare(&read(a, field), &read(b, field));
                    if *descending { order.reverse() } else { order }
                });
                each.fold(Ordering::Equal, Ordering::then)
            }),
            Step::Take(count) => rows.truncate(*count),
        }
    }
    rows
}

fn made(mut into: Map<String, Value>, row: &Value, columns: &[(String, Field)]) -> Value {
    for (name, field) in columns {
        into.insert(name.clone(), read(row, field));
    }
    Value::Object(into)
}

fn counted(rows: &[Value], name: &str, by: &[(String, Field)]) -> Vec<Value> {
    let mut groups: Vec<(Value, u64)> = if by.is_empty() { vec![(json!({}), 0)] } else { Vec::new() };
    for row in rows.iter().map(|row| made(Map::new(), row, by)) {
        match groups.iter_mut().find(|(group, _)| *group == row) {
            Some((_, count)) => *count += 1,
            None => groups.push((row, 1)),
        }
    }
    let with_count = |(mut group, count): (Value, u64)| {
        if let Some(map) = group.as_object_mut() {
            map.insert(name.to_owned(), json!(count));
        }
        group
    };
    groups.into_iter().map(with_count).collect()
}

/// The value of a field; names are compared without case where there is no exact one.
fn read(row: &Value, field: &Field) -> Value {
    let mut value = row;
    for part in &field.parts {
        let Some(map) = value.as_object() else { return Value::Null };
        let loose = || map.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)).map(|(_, value)| value);
        let Some(inner) = map.get(part).or_else(loose) else { return Value::Null };
        value = inner;
    }
    match (value, field.case) {
        (Value::String(text), Some(true)) => json!(text.to_uppercase()),
        (Value::String(text), Some(false)) => json!(text.to_lowercase()),
        (value, _) => value.clone(),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn holds(row: &Value, condition: &Condition) -> bool {
    let have = read(row, &condition.field);
    let any = |test: &dyn Fn(&str, &str) -> bool| condition.values.iter().any(|value| test(&text(&have), &text(value)));
    let exact = |a: &str, b: &str| a == b;
    let loose = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let lower = |test: fn(&str, &str) -> bool| move |a: &str, b: &str| test(&a.to_lowercase(), &b.to_lowercase());
    let number = || have.as_f64().zip(condition.values.first().and_then(Value::as_f64));
    match condition.operator.as_str() {
        "==" | "in" => number().map_or_else(|| any(&exact), |(a, b)| a.total_cmp(&b).is_eq()),
        "!=" | "!in" => number().map_or_else(|| !any(&exact), |(a, b)| a.total_cmp(&b).is_ne()),
        "=~" | "in~" => any(&loose),
        "!~" | "!in~" => !any(&loose),
        "contains" => any(&lower(|a, b| a.contains(b))),
        // whole terms: between characters that are neither letters nor digits
        "has" => any(&lower(|a, b| a.split(|c: char| !c.is_alphanumeric()).any(|term| term == b))),
        "!contains" => !any(&lower(|a, b| a.contains(b))),
        "startswith" => any(&lower(|a, b| a.starts_with(b))),
        "endswith" => any(&lower(|a, b| a.ends_with(b))),
        "<" => number().is_some_and(|(a, b)| a < b),
        "<=" => number().is_some_and(|(a, b)| a <= b),
        ">" => number().is_some_and(|(a, b)| a > b),
        ">=" => number().is_some_and(|(a, b)| a >= b),
        "isempty" | "isnull" => text(&have).is_empty(),
        _ => !text(&have).is_empty(),
    }
}
