//! `a.b` and `a[i]`: items of modules, fields and attributes of blocks, parts of values.

use super::defer::{deferred, extend};
use super::{Eval, SlotState};
use crate::checked::Block;
use crate::diags;
use crate::load::{Def, DefId, ModuleId};
use crate::table::{BlockKind, spec, suggest};
use crate::ty::Ty;
use crate::value::{BlockId, Deploy, SecretStep, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Entry, Expr, ExprKind, ItemKind, Name};
use indexmap::IndexMap;
use std::sync::Arc;

/// Whether a definition is a fact about something that Azure no longer has or will take away: an image with
/// `state = gone`, a size with a day of retirement.
pub(super) fn is_gone(def: &Def) -> bool {
    let Some(ItemKind::Block(block)) = def.item().map(|item| &item.kind) else { return false };
    let mut entries = block.body.iter().flat_map(|body| &body.entries);
    entries.any(|entry| match entry {
        Entry::Field(field) => {
            &*field.name.value == "state" && matches!(&field.value.kind, ExprKind::Name(word) if &**word == "gone")
        }
        Entry::Block(inner) => {
            let retired = |entry: &Entry| matches!(entry, Entry::Field(field) if &*field.name.value == "retired");
            &*inner.keyword.value == "retirement" && inner.body.iter().any(|body| body.entries.iter().any(retired))
        }
    })
}

/// Whether a name is built like the names of Azure's sizes: `Standard_D8ps_v5`, `Standard_NC24ads_A100_v4`.
///
/// Rules of the names: <https://learn.microsoft.com/en-us/azure/virtual-machines/vm-naming-conventions>
pub(super) fn is_size_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("Standard_").or_else(|| name.strip_prefix("Basic_")) else { return false };
    let mut parts = rest.split('_');
    let Some(first) = parts.next() else { return false };
    let family = first.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = first.get(family..).unwrap_or_default();
    let number = rest.bytes().take_while(u8::is_ascii_digit).count();
    let features = rest.get(number..).unwrap_or_default();
    // Constrained processors: `Standard_E32-8s_v5`.
    let features =
        features.strip_prefix('-').map_or(features, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let version = |part: &str| part.strip_prefix('v').is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']));
    let accelerator = |part: &str| part.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    (1..=3).contains(&family)
        && (1..=4).contains(&number)
        && features.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| version(part) || accelerator(part))
}

/// Whether the two differ at most in capital letters.
pub(super) fn same_letters(name: &str, meant: Option<&str>) -> bool {
    meant.is_some_and(|meant| meant.eq_ignore_ascii_case(name))
}

/// The one that goes on where the name ends, as `ubuntu_2404_plain` does for `ubuntu_2404`; else one spelled nearly so.
fn nearest<'a>(name: &str, usable: &[&'a str]) -> Option<&'a str> {
    let goes_on = |other: &str| name.len() > 3 && other.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    let longer = usable.iter().copied().filter(|other| goes_on(other));
    longer.min_by_key(|other| (other.len(), *other)).or_else(|| suggest(name, usable.iter().copied()))
}

impl<'p> Eval<'p> {
    pub(super) fn member(&mut self, of: &'p Expr, name: &'p Name) -> Value {
        match self.namespace(of) {
            Some(Ok(module)) => return self.exported(module, name),
            Some(Err(())) => return Value::Error,
            None => {}
        }
        let value = self.eval(of);
        self.part(&value, name, of.span)
    }

    /// An exported item of a module, as a definition.
    pub(super) fn exported_def(&mut self, module: ModuleId, name: &Name) -> Option<DefId> {
        let found = self.program.lookup(module, &name.value);
        let home = self.program.module(module)?;
        match found {
            Some((here, def)) if self.program.def(here).is_some_and(|def| def.export) => Some(def),
            Some((here, _)) => {
                let declared = self.program.def(here).map_or(name.span, |def| def.span);
                self.report(diags::not_exported(&name.value, name.span, &home.name, declared, home.library));
                None
            }
            None => {
                // What can no longer be deployed is no way out.
                let usable: Vec<&str> =
                    home.defs().filter(|def| def.export && !is_gone(def)).map(|def| &*def.name).collect();
                let sizes = home.library && &*home.name == "std.sizes";
                let diagnostic = match nearest(&name.value, &usable) {
                    meant if sizes && is_size_name(&name.value) && !same_letters(&name.value, meant) => {
                        diags::unknown_size(&name.value, name.span)
                    }
                    meant => diags::unknown_export(&name.value, name.span, &home.name, meant),
                };
                self.report(diagnostic);
                None
            }
        }
    }

    fn exported(&mut self, module: ModuleId, name: &Name) -> Value {
        match self.exported_def(module, name) {
            Some(def) => self.def_value(def, &name.value, name.span),
            None => Value::Error,
        }
    }

    fn part(&mut self, value: &Value, name: &Name, of: Span) -> Value {
        match value {
            Value::Error => Value::Error,
            Value::Ref(id) => self.block_part(*id, name),
            Value::Record(fields) => match fields.get(&name.value) {
                Some(field) => field.clone(),
                None => {
                    let meant = suggest(&name.value, fields.keys().map(|key| &**key)).map(str::to_owned);
                    let known: Vec<String> = fields.keys().map(ToString::to_string).collect();
                    self.report(diags::unknown_part("this record", &name.value, name.span, meant.as_deref(), &known))
                }
            },
            Value::Range(range) => match &*name.value {
                "min" => range.min.clone(),
                "max" => range.max.clone(),
                "initial" => range.initial.clone().unwrap_or_else(|| range.min.clone()),
                other => self.no_part("a range", other, name.span, &["min", "max", "initial"]),
            },
            // `machines = 3` is as good as `machines = 3..3`.
            Value::Int(_) if matches!(&*name.value, "min" | "max" | "initial") => value.clone(),
            Value::Money(money) => match &*name.value {
                "amount" => Value::Decimal(money.amount),
                "currency" => Value::String(money.currency.clone()),
                other => self.no_part("money", other, name.span, &["amount", "currency"]),
            },
            Value::Cidr(net) => match &*name.value {
                "address" => Value::Ip(net.addr()),
                "prefix" => Value::Int(i64::from(net.prefix_len())),
                other => self.no_part("an address range", other, name.span, &["address", "prefix"]),
            },
            Value::Deferred(inner) => {
                let ty = match inner.ty.not_null().base() {
                    Ty::Record(rows) => match rows.get(&name.value) {
                        Some(row) => row.ty.clone(),
                        None => {
                            let known: Vec<&str> = rows.keys().map(|key| &**key).collect();
                            let meant = suggest(&name.value, known.iter().copied()).map(str::to_owned);
                            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                            let what =
                                diags::unknown_part("this record", &name.value, name.span, meant.as_deref(), &known);
                            return self.report(what);
                        }
                    },
                    Ty::Map(element) => Ty::clone(element),
                    Ty::Any => Ty::Any,
                    Ty::Range if matches!(&*name.value, "min" | "max" | "initial") => Ty::Int,
                    Ty::Int if matches!(&*name.value, "min" | "max" | "initial") => return value.clone(),
                    Ty::Ref(kind) => match self.part_type(*kind, &name.value) {
                        Some(ty) => ty,
                        None => return self.unknown_field(*kind, name),
                    },
                    Ty::Error => return Value::Error,
                    _ => return self.report(diags::no_parts(&inner.ty, &name.value, of)),
                };
                if inner.ty.nullable() && !matches!(inner.ty.base(), Ty::Any) {
                    return self.report(diags::may_be_null(&inner.ty, of));
                }
                let expr = Deploy::Member(Box::new(inner.expr.clone()), name.value.clone());
                let secret = match inner.secret.as_slice() {
                    [] => Vec::new(),
                    path => extend(path, name.span, "a part of it is read here"),
                };
                deferred(ty, expr, secret)
            }
            other => {
                let ty = self.type_of(other);
                self.report(diags::no_parts(&ty, &name.value, of))
            }
        }
    }

    fn no_part(&mut self, of: &str, name: &str, span: Span, known: &[&str]) -> Value {
        let meant = suggest(name, known.iter().copied());
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        self.report(diags::unknown_part(of, name, span, meant, &known))
    }

    /// The type of a field or an attribute of any block of a kind.
    fn part_type(&self, kind: BlockKind, name: &str) -> Option<Ty> {
        let row = spec(kind);
        if let Some((_, ty, _)) = row.attribute(name) {
            return Some(attribute_type(ty).0);
        }
        match row.field(name) {
            Some(field) if field.required || field.default.is_some() => Some(Ty::from(&field.ty)),
            Some(field) => Some(Ty::Nullable(Arc::new(Ty::from(&field.ty)))),
            None if name == "name" => Some(Ty::String),
            // Its fields are checked where the block is known.
            None => crate::rules::nested(kind, name).map(|_| Ty::Any),
        }
    }

    fn unknown_field(&mut self, kind: BlockKind, name: &Name) -> Value {
        let row = spec(kind);
        let known: Vec<&str> = row.field_names().chain(row.attributes.iter().map(|(name, _, _)| *name)).collect();
        let what = format!("a {}", kind.keyword());
        self.no_part(&what, &name.value, name.span, &known)
    }

    /// A field or an attribute of a block.
    fn block_part(&mut self, id: BlockId, name: &Name) -> Value {
        let Some(slot) = self.slots.get(id.0 as usize) else { return Value::Error };
        let (kind, block_name, declared) = (slot.kind, slot.name.clone(), slot.name_span);
        let written = slot.ast.body.as_ref().is_some_and(|body| {
            body.entries.iter().any(|entry| matches!(entry, Entry::Field(field) if field.name.value == name.value))
        });
        // Whoever reads the message of a rule knows a block by the name that it has in the source.
        if self.lazy && &*name.value == "name" {
            return Value::String(block_name);
        }
        let row = spec(kind);
        if !written && let Some((attribute, ty, _)) = row.attribute(&name.value) {
            if kind == BlockKind::Project && *attribute == "name" {
                return Value::String(block_name);
            }
            let (ty, secret) = attribute_type(ty);
            let path = match secret {
                false => Vec::new(),
                true => {
                    let text = format!("`{attribute}` of `{block_name}` is secret");
                    vec![SecretStep { span: name.span, text: text.into() }]
                }
            };
            return deferred(ty, Deploy::Attribute(id, attribute), path);
        }
        match row.field(&name.value) {
            Some(field) => {
                if !self.finish(id, name.span) {
                    return Value::Error;
                }
                match self.read_block(id).and_then(|block| block.get(field.name)) {
                    Some(value) => value.clone(),
                    None if field.name == "name" => Value::String(block_name),
                    None => Value::Null,
                }
            }
            None if &*name.value == "name" => Value::String(block_name),
            None => {
                match crate::rules::nested(kind, &name.value) {
                    Some((child, most)) => self.child_part(id, child, most, name.span),
                    None => {
                        // Without a word of its own errors: it is finished in its turn.
                        let done = self.finish(id, name.span);
                        let block = self.blocks.get(id.0 as usize).and_then(Option::as_ref).filter(|_| done);
                        let inside = block.is_some_and(|b| b.children.iter().any(|inner| inner.name == name.value));
                        if inside {
                            return self.report(diags::inner_block_as_part(&block_name, &name.value, name.span));
                        }
                        let known: Vec<&str> =
                            row.field_names().chain(row.attributes.iter().map(|(name, _, _)| *name)).collect();
                        let meant = suggest(&name.value, known.iter().copied());
                        let diagnostic = diags::unknown_block_part(
                            &block_name,
                            kind.keyword(),
                            &name.value,
                            name.span,
                            meant,
                            declared,
                        );
                        self.report(diagnostic)
                    }
                }
            }
        }
    }

    /// The fields of the nested block of a kind, `team.admin.name`; a list of them where there can be several.
    fn child_part(&mut self, id: BlockId, child: BlockKind, most: u32, span: Span) -> Value {
        if !self.finish(id, span) {
            return Value::Error;
        }
        self.read_block(id).map_or(Value::Null, |block| nested_part(block, child, most))
    }

    /// Makes sure that a block is evaluated; `false` when its evaluation is in progress, which is reported as a cycle.
    pub(crate) fn finish(&mut self, id: BlockId, span: Span) -> bool {
        match self.slots.get(id.0 as usize).map(|slot| slot.state) {
            Some(SlotState::Done) => true,
            Some(SlotState::Waiting) => {
                self.evaluate_block(id, span);
                true
            }
            Some(SlotState::Active) => {
                let name = self.slots.get(id.0 as usize).map(|slot| (slot.name.clone(), slot.name_span));
                self.report(diags::definition_cycle(name.as_slice(), span));
                false
            }
            None => false,
        }
    }

    pub(super) fn index(&mut self, of: &'p Expr, at: &'p Expr, span: Span) -> Value {
        let value = self.eval(of);
        let index = self.eval(at);
        match (&value, &index) {
            (Value::Error, _) | (_, Value::Error) => Value::Error,
            (Value::List(items), Value::Int(number)) => {
                let found = usize::try_from(*number).ok().and_then(|number| items.get(number));
                match found {
                    Some(item) => item.clone(),
                    None => self.report_value(diags::index_out_of_range(*number, items.len(), at.span)),
                }
            }
            (Value::Record(fields), Value::String(key)) => match fields.get(key) {
                Some(field) => field.clone(),
                None => {
                    let meant = suggest(key, fields.keys().map(|key| &**key)).map(str::to_owned);
                    let known: Vec<String> = fields.keys().map(ToString::to_string).collect();
                    let what = diags::unknown_part("this record", key, at.span, meant.as_deref(), &known);
                    self.report_value(what)
                }
            },
            _ => {
                let (ty, by) = (self.type_of(&value), self.type_of(&index));
                let element = match (ty.not_null().base(), by.base()) {
                    (Ty::List(element), Ty::Int | Ty::Any) => Ty::clone(element),
                    (Ty::Map(element), by) if super::defer::is_text(by) => Ty::clone(element),
                    (Ty::Record(_), by) if super::defer::is_text(by) => Ty::Any,
                    (Ty::Any, _) => Ty::Any,
                    (Ty::List(_), _) => return self.report(diags::mismatch(&by, "int", at.span)),
                    (Ty::Record(_) | Ty::Map(_), _) => return self.report(diags::mismatch(&by, "string", at.span)),
                    _ => return self.report(diags::no_elements(&ty, of.span)),
                };
                let secret = super::defer::taint(&[&value, &index], span, "an element of it is read here");
                let (Some(list), Some(index)) = (self.lower(&value, of.span), self.lower(&index, at.span)) else {
                    return Value::Error;
                };
                deferred(element, Deploy::Index(Box::new(list), Box::new(index)), secret)
            }
        }
    }
}

/// The nested blocks of a kind as records: their names, their fields and what is nested in them.
fn nested_part(block: &Block, child: BlockKind, most: u32) -> Value {
    let record = |inner: &Block| {
        let mut fields: IndexMap<Arc<str>, Value> =
            inner.fields.iter().map(|(name, field)| (Arc::from(name), field.value.clone())).collect();
        if !inner.name.is_empty() && !fields.contains_key("name") {
            fields.insert(Arc::from("name"), Value::String(inner.name.clone()));
        }
        for (kind, most) in spec(inner.kind).children {
            if !fields.contains_key(kind.keyword()) {
                fields.insert(Arc::from(kind.keyword()), nested_part(inner, *kind, *most));
            }
        }
        Value::Record(Arc::new(fields))
    };
    match most {
        1 => block.children(child).next().map_or(Value::Null, record),
        _ => Value::List(Arc::new(block.children(child).map(record).collect())),
    }
}

/// The type of an attribute as the table tells it, and whether it is secret.
fn attribute_type(text: &str) -> (Ty, bool) {
    let (text, secret) = text.strip_prefix("secret ").map_or((text, false), |rest| (rest, true));
    let ty = match text {
        "string" => Ty::String,
        "int" => Ty::Int,
        "bool" => Ty::Bool,
        "[string]" => Ty::List(Arc::new(Ty::String)),
        _ => Ty::Any,
    };
    (ty, secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sizes_are_recognised_by_their_form() {
        for name in [
            "Standard_D8ps_v5",
            "Standard_B2ms",
            "Standard_NC24ads_A100_v4",
            "Standard_E32-8s_v5",
            "Standard_ND96isr_MI300X_v5",
        ] {
            assert!(is_size_name(name), "{name}");
        }
        for name in ["D8ps_v5", "Standard_D8_v55", "Standard_large", "Standard_8", "standard_D8s_v5", "Standard_"] {
            assert!(!is_size_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_that_goes_on_is_nearer_than_one_spelled_nearly_so() {
        let usable = ["ubuntu_2204", "ubuntu_2404_plain", "ubuntu_2404_plain_arm"];
        assert_eq!(nearest("ubuntu_2404", &usable), Some("ubuntu_2404_plain"));
        assert_eq!(nearest("ubuntu_2205", &usable), Some("ubuntu_2204"));
    }
}
