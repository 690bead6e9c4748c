//! Data files → values of the types that are declared at their imports. A cell has no type of its own: it is text where
//! its type allows text, and otherwise a literal of the language.

use super::Eval;
use super::contextual::{mentions, record_type};
use super::literal::days_between;
use super::name::DAYS;
use crate::diags;
use crate::fit::{Misfit, fit};
use crate::load::DataDef;
use crate::table::BlockKind;
use crate::ty::Ty;
use crate::value::{Days, RangeValue, Value};
use dsvm_data::{Format, MISTAKES, Node, NodeKind};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Expr, ExprKind, Name, StringPart, Type, TypeKind, UnaryOp};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::sync::Arc;

/// Most letters of a value that a message shows.
const SHOWN: usize = 40;

impl<'p> Eval<'p> {
    /// The values of a data file. What is wrong with them is told at their places in the file.
    pub(super) fn data_value(&mut self, def: &'p DataDef) -> Value {
        let ty = self.resolve_type(&def.ty);
        if matches!(ty, Ty::Error) {
            return Value::Error;
        }
        if let Some((refused, span)) = self.refused_in_data(&def.ty) {
            return self.report(diags::no_type_of_data(&refused, span));
        }
        let rows = ty.element().and_then(record_type).filter(|row| matches!(row, Ty::Record(_)));
        let top = match def.format {
            Format::Csv => rows.is_some(),
            Format::Toml => record_type(&ty).is_some() || matches!(ty.base(), Ty::Any),
            Format::Json | Format::Yaml => true,
        };
        if !top {
            return self.report(diags::form_of_data(def.format, def.ty.span));
        }
        let before = std::mem::take(&mut self.sink);
        let mut known = true;
        if let Some(Ty::Record(fields)) = rows
            && def.format == Format::Csv
        {
            known = self.columns(def, fields);
        }
        let value = match known {
            true => self.data_node(&def.data.root, &ty, def.format),
            false => Value::Error,
        };
        let mut found = std::mem::replace(&mut self.sink, before).finish();
        let more = found.len().saturating_sub(MISTAKES);
        found.truncate(MISTAKES);
        if more > 0 {
            let last = found.pop().map(|last| diags::more_mistakes(more, last));
            found.extend(last);
        }
        self.sink.extend(found.into_iter().map(|found| found.also(def.import, diags::IMPORTED)));
        value
    }

    /// The first type of a declaration that no value of a data file can have, and where it is written.
    fn refused_in_data(&mut self, written: &'p Type) -> Option<(Ty, Span)> {
        let ty = self.resolve_type(written);
        let refused = refused(&ty)?;
        let inner = match &written.kind {
            TypeKind::List(inner) | TypeKind::Nullable(inner) => self.refused_in_data(inner),
            TypeKind::Record(fields) => fields.iter().find_map(|(_, field, _)| self.refused_in_data(field)),
            _ => None,
        };
        inner.or(Some((refused, written.span)))
    }

    /// Whether the columns of a table are those of its type.
    fn columns(&mut self, def: &DataDef, fields: &IndexMap<Arc<str>, crate::ty::RecordField>) -> bool {
        let columns = &def.data.columns;
        let mut known = true;
        // What is missing is what a misspelt column may have meant.
        let missing: Vec<&str> = fields
            .keys()
            .filter(|name| !columns.iter().any(|column| column.value == **name))
            .map(|name| &**name)
            .collect();
        let mut meant = Vec::new();
        for column in columns.iter().filter(|column| !fields.contains_key(&column.value)) {
            let names: Vec<&str> = match missing.is_empty() {
                true => fields.keys().map(|name| &**name).collect(),
                false => missing.clone(),
            };
            meant.extend(crate::table::suggest(&column.value, names.iter().copied()).map(str::to_owned));
            self.report(diags::unknown_column(&column.value, column.span, &names, def.format));
            known = false;
        }
        let header = columns.first().zip(columns.last()).map(|(first, last)| first.span.to(last.span));
        for (name, field) in fields {
            let needed = field.default.is_none() && !field.ty.nullable();
            if needed && missing.contains(&&**name) && !meant.iter().any(|meant| **meant == **name) {
                let span = header.unwrap_or(def.data.root.span);
                self.report(diags::missing_column(name, &field.ty, span, def.format));
                known = false;
            }
        }
        known
    }

    /// A value of a data file as one of a type.
    fn data_node(&mut self, node: &Node, ty: &Ty, format: Format) -> Value {
        if !self.step(1, node.span) {
            return Value::Error;
        }
        if is_nothing(node, ty, format) {
            return match ty.nullable() {
                true => Value::Null,
                false => self.report(diags::empty_value(ty, node.span)),
            };
        }
        let any = mentions(ty, &|ty| matches!(ty, Ty::Any));
        let value = match &node.kind {
            NodeKind::List(items) if ty.element().is_some() || any => {
                let element = ty.element().cloned().unwrap_or(Ty::Any);
                let items = items.iter().map(|item| self.data_node(item, &element, format)).collect();
                self.list(items, node.span)
            }
            NodeKind::List(items) if mentions(ty, &|ty| matches!(ty, Ty::Days)) => {
                let days = items.iter().map(|item| self.data_node(item, &Ty::Days, format)).collect();
                Value::List(Arc::new(days))
            }
            NodeKind::Record(fields) if record_type(ty).is_some() || any => {
                let mut record = IndexMap::with_capacity(fields.len());
                let shape = record_type(ty).cloned().unwrap_or_else(|| Ty::Map(Arc::new(Ty::Any)));
                match &shape {
                    Ty::Record(rows) => return self.data_record(node.span, fields, rows, format),
                    Ty::Map(element) => {
                        for (name, value) in fields {
                            record.insert(name.value.clone(), self.data_node(value, element, format));
                        }
                    }
                    _ => return Value::Error,
                }
                Value::Record(Arc::new(record))
            }
            NodeKind::List(_) => return self.report(diags::wrong_data("a list", ty, None, node.span)),
            NodeKind::Record(_) => return self.report(diags::wrong_data("a record", ty, None, node.span)),
            kind => return self.data_scalar(kind, ty, node.span),
        };
        self.coerce(value, ty, node.span)
    }

    /// A record with exactly the fields of its type, in the order of the type.
    fn data_record(
        &mut self,
        span: Span,
        fields: &[(Name, Node)],
        rows: &IndexMap<Arc<str>, crate::ty::RecordField>,
        format: Format,
    ) -> Value {
        // A table was checked by its first row.
        if format != Format::Csv {
            for (name, _) in fields.iter().filter(|(name, _)| !rows.contains_key(&name.value)) {
                let names: Vec<&str> = rows.keys().map(|name| &**name).collect();
                self.report(diags::unknown_column(&name.value, name.span, &names, format));
            }
        }
        let mut record = IndexMap::with_capacity(rows.len());
        for (name, row) in rows {
            let found = fields.iter().find(|(field, _)| field.value == *name).map(|(_, value)| value);
            let value = match (found, &row.default) {
                (Some(value), Some(default)) if is_blank(value) || is_nothing(value, &row.ty, format) => {
                    default.clone()
                }
                (Some(value), _) => self.data_node(value, &row.ty, format),
                (None, Some(default)) => default.clone(),
                (None, None) if row.ty.nullable() => Value::Null,
                (None, None) => self.report(diags::missing_column(name, &row.ty, span, format)),
            };
            record.insert(name.clone(), value);
        }
        Value::Record(Arc::new(record))
    }

    /// A single value: the first reading of what is written that is of the type.
    fn data_scalar(&mut self, kind: &NodeKind, ty: &Ty, span: Span) -> Value {
        let (text, quoted) = match kind {
            NodeKind::Bool(value) => {
                return match fit(&Value::Bool(*value), ty, self) {
                    Ok(value) => value,
                    Err(_) => self.report(diags::wrong_data(&format!("`{value}`"), ty, None, span)),
                };
            }
            NodeKind::Number(number) => (number, false),
            NodeKind::Text(text) => (text, true),
            NodeKind::Plain(text) => (text, false),
            _ => return Value::Error,
        };
        let textual = !matches!(kind, NodeKind::Number(_));
        let mut nearest = None;
        if textual {
            self.look_for_secrets(&[StringPart::Text(text.clone())], span);
            let value = self.string(text.to_string(), span);
            match fit(&value, ty, self) {
                Ok(value) => return value,
                Err(Misfit::Type) => {}
                Err(misfit) => nearest = Some((value, misfit)),
            }
        }
        let mut kinds = Vec::new();
        facts_of(ty, &mut kinds);
        if let Some(value) = kinds.iter().filter(|_| textual).find_map(|kind| self.fact(*kind, text, span)) {
            return value;
        }
        // A number in quotes is text, but `15 min` has no other form in these files.
        let literal = self.data_literal(text, span);
        let mut near = None;
        if let Some(value) = literal {
            if quoted && is_bare(&value) {
                near = fit(&value, ty, self).is_ok().then(|| text.to_string());
            } else {
                match fit(&value, ty, self) {
                    Ok(value) => return value,
                    Err(Misfit::Type) => {}
                    Err(misfit) => nearest = Some((value, misfit)),
                }
            }
        }
        if let Some((value, misfit)) = nearest {
            return self.misfit(&value, ty, misfit, span);
        }
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        let shown = match quoted {
            true => format!("the text `{shown}`"),
            false => format!("`{shown}`"),
        };
        let near = near.or_else(|| self.near_fact(&kinds, text));
        self.report(diags::wrong_data(&shown, ty, near.as_deref(), span))
    }

    /// A literal of the language, without names and operators.
    fn data_literal(&mut self, text: &str, span: Span) -> Option<Value> {
        if let Ok(number) = text.parse::<i64>() {
            return Some(Value::Int(number));
        }
        // Longer than any literal, or followed by what the parser passes over.
        if text.len() > 64 || text.contains('\n') || text.contains("//") {
            return None;
        }
        if let Ok(number) = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)) {
            return Some(Value::Decimal(number));
        }
        let expr = crate::parser::expression(text)?;
        self.data_expr(&expr, span)
    }

    fn data_expr(&mut self, expr: &Expr, span: Span) -> Option<Value> {
        let kind = match &expr.kind {
            ExprKind::Bool(value) => return Some(Value::Bool(*value)),
            ExprKind::Name(name) => return day(name).map(Value::Days),
            ExprKind::Range(from, to) => {
                return Some(match (self.data_expr(from, span)?, self.data_expr(to, span)?) {
                    (Value::Days(Days(from)), Value::Days(Days(to))) => Value::Days(days_between(from, to)?),
                    (min @ Value::Int(_), max @ Value::Int(_)) => {
                        if crate::fit::compare(&min, &max).is_none_or(std::cmp::Ordering::is_gt) {
                            return None;
                        }
                        Value::Range(Arc::new(RangeValue { min, max, initial: None }))
                    }
                    _ => return None,
                });
            }
            ExprKind::Unary(UnaryOp::Negate, operand) => {
                return match self.data_expr(operand, span)? {
                    Value::Int(number) => number.checked_neg().map(Value::Int),
                    Value::Percent(number) => Some(Value::Percent(-number)),
                    _ => None,
                };
            }
            ExprKind::Quantity(number, unit) => {
                ExprKind::Quantity(number.clone(), Name { value: unit.value.clone(), span })
            }
            ExprKind::Int(_) | ExprKind::Decimal(_) | ExprKind::Time(_) | ExprKind::Date(_) => expr.kind.clone(),
            ExprKind::Ip(_) | ExprKind::Cidr(_) => expr.kind.clone(),
            _ => return None,
        };
        Some(self.literal(&Expr { kind, span }))
    }
}

fn day(name: &str) -> Option<Days> {
    DAYS.iter().position(|day| *day == name).map(|at| Days(1 << at))
}

/// Whether there is no value: `null`, an empty cell (where it is not an empty text), `~` of YAML.
fn is_nothing(node: &Node, ty: &Ty, format: Format) -> bool {
    match &node.kind {
        NodeKind::Null => true,
        NodeKind::Plain(text) if text.is_empty() => ty.nullable() || format == Format::Yaml || !takes_text(ty),
        NodeKind::Plain(text) => format == Format::Yaml && ty.nullable() && matches!(&**text, "~" | "null"),
        _ => false,
    }
}

fn is_blank(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Plain(text) if text.is_empty())
}

fn takes_text(ty: &Ty) -> bool {
    mentions(ty, &|ty| matches!(ty, Ty::String | Ty::Any))
}

/// Whether formats have a form of their own for the value.
fn is_bare(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Decimal(_) | Value::Bool(_))
}

/// The kinds of fact that a value may name.
fn facts_of(ty: &Ty, kinds: &mut Vec<BlockKind>) {
    match ty.not_null().base() {
        Ty::Ref(kind) => kinds.push(*kind),
        Ty::Union(parts) => parts.iter().for_each(|part| facts_of(part, kinds)),
        _ => {}
    }
}

/// The first type in a type that no value of a data file can have.
fn refused(ty: &Ty) -> Option<Ty> {
    match ty {
        Ty::Secret(_) | Ty::Condition | Ty::Formula => Some(ty.clone()),
        Ty::Ref(BlockKind::Image | BlockKind::Size | BlockKind::Role | BlockKind::Region | BlockKind::Timezone) => None,
        Ty::Ref(_) => Some(ty.clone()),
        Ty::List(inner) | Ty::Map(inner) | Ty::Nullable(inner) => refused(inner),
        Ty::Named(_, inner) | Ty::In(inner, _) | Ty::Matching(inner, _) => refused(inner),
        Ty::Union(parts) => parts.iter().find_map(refused),
        Ty::Record(rows) => rows.values().find_map(|row| refused(&row.ty)),
        _ => None,
    }
}
