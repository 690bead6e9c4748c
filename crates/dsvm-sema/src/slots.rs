//! What the name of a block refers to: a slot that waits for its value, or one for each element of `[x in xs]`.

use super::diags;
use super::eval::{Eval, Slot, SlotState};
use super::head;
use super::load::{DefId, ModuleId};
use super::table::{BlockKind, kind_in, kinds_at_top_level};
use super::value::{BlockId, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, ExprKind, Item};
use indexmap::IndexMap;
use std::sync::Arc;

impl<'p> Eval<'p> {
    /// What the name of a block refers to: its slot, or one slot for each element.
    pub(crate) fn expand(&mut self, def: DefId, item: &'p Item, ast: &'p ast::Block, span: Span) -> Value {
        if let Some(value) = self.expanded.get(&def) {
            return value.clone();
        }
        let Some(kind) = self.kind_of_block(ast, def.module, 0) else {
            let known: Vec<&str> = kinds_at_top_level().map(BlockKind::keyword).collect();
            self.expanded.insert(def, Value::Error);
            return self.report(diags::unknown_kind(&ast.keyword.value, ast.keyword.span, &known));
        };
        let Some(name) = head::block_name(ast) else {
            self.expanded.insert(def, Value::Error);
            return Value::Error;
        };
        let value = match &ast.repeat {
            None => self.slot(item, ast, def.module, kind, &name, None),
            Some(repeat) => {
                // A list that needs the blocks which it makes is a cycle.
                self.states.insert(def, super::eval::State::Active);
                self.enter(def, span);
                let keys = self.inside(def.module, |eval| eval.keys_of(repeat));
                self.leave();
                self.states.remove(&def);
                match keys {
                    Some(keys) => {
                        if keys.is_empty() && self.pass_is_symbolic() {
                            self.bodiless.push((ast, repeat, def.module, kind));
                        }
                        let mut record = IndexMap::new();
                        for (key, element) in keys {
                            let key_name = (repeat.variable.value.clone(), key.clone(), element);
                            let value = self.slot(item, ast, def.module, kind, &name, Some(key_name));
                            record.insert(key, value);
                        }
                        Value::Record(Arc::new(record))
                    }
                    None => Value::Error,
                }
            }
        };
        self.expanded.insert(def, value.clone());
        value
    }

    /// The kind of a block: by its keyword and class; without a class that of its base.
    fn kind_of_block(&self, ast: &ast::Block, module: ModuleId, depth: u32) -> Option<BlockKind> {
        let class = match ast.class.as_ref().map(|class| &class.kind) {
            Some(ExprKind::Name(name)) => Some(&**name),
            _ => None,
        };
        let plain = kind_in(&ast.keyword.value, class, None)?;
        let base = match ast.base.as_ref().map(|base| &base.kind) {
            Some(ExprKind::Name(name)) if class.is_none() && depth < 16 => self.program.lookup(module, name),
            _ => None,
        };
        let inherited = base.and_then(|(_, def)| {
            let item = self.program.def(def)?.item()?;
            let ast::ItemKind::Block(base) = &item.kind else { return None };
            (base.keyword.value == ast.keyword.value).then(|| self.kind_of_block(base, def.module, depth + 1))?
        });
        Some(inherited.unwrap_or(plain))
    }

    pub(crate) fn slot(
        &mut self,
        item: &'p Item,
        ast: &'p ast::Block,
        module: ModuleId,
        kind: BlockKind,
        name: &ast::Name,
        key: Option<(Arc<str>, Arc<str>, Value)>,
    ) -> Value {
        let id = BlockId(self.slots.len() as u32);
        let full = match &key {
            Some((_, key, _)) => Arc::from(format!("{}-{key}", name.value)),
            None => name.value.clone(),
        };
        let state = SlotState::Waiting;
        self.slots.push(Slot { item, ast, module, key, name: full, name_span: name.span, kind, state });
        self.blocks.push(None);
        Value::Ref(id)
    }

    /// Keys and elements of `[x in xs]`; nothing when what they run over was refused.
    fn keys_of(&mut self, repeat: &'p ast::Repeat) -> Option<Vec<(Arc<str>, Value)>> {
        let list = self.eval(&repeat.list);
        let pairs: Vec<(Arc<str>, Value)> = match &list {
            Value::Error => return None,
            Value::List(items) => {
                let mut pairs = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match self.key_of(item) {
                        Some(key) => pairs.push((key, item.clone())),
                        None if matches!(item, Value::Error) => {}
                        None => {
                            let ty = self.type_of(item);
                            self.report(diags::no_key(&ty, repeat.list.span));
                            return None;
                        }
                    }
                }
                pairs
            }
            Value::Record(fields) => fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            Value::Range(range) => match self.numbers(range, repeat.list.span) {
                Some(numbers) => numbers.into_iter().map(|number| (Arc::from(number.to_string()), number)).collect(),
                None => return None,
            },
            Value::Deferred(inner) => {
                self.report(diags::not_early(inner, "the number of blocks", repeat.list.span));
                return None;
            }
            other => {
                let ty = self.type_of(other);
                self.report(diags::not_a_list(&ty, repeat.list.span));
                return None;
            }
        };
        let mut seen: IndexMap<Arc<str>, Value> = IndexMap::new();
        for (key, value) in pairs {
            let safe = !key.is_empty()
                && key.len() <= 40
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            if !safe {
                self.report(diags::bad_key(&key, repeat.list.span));
            } else if seen.insert(key.clone(), value).is_some() {
                self.report(diags::key_twice(&key, repeat.list.span));
            }
        }
        Some(seen.into_iter().collect())
    }

    /// The key of an element: the text or number itself, the name of a block, the field `name` of a record.
    fn key_of(&self, item: &Value) -> Option<Arc<str>> {
        match item {
            Value::String(text) => Some(text.clone()),
            Value::Int(number) => Some(Arc::from(number.to_string())),
            Value::Ref(id) => self.slots.get(id.0 as usize).map(|slot| slot.name.clone()),
            Value::Record(fields) => match fields.get("name").or_else(|| fields.get("key")) {
                Some(Value::String(text)) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Checks the bodies of `[x in []]`, of which nothing is made.
    pub(crate) fn check_bodiless(&mut self) {
        for (ast, repeat, module, kind) in std::mem::take(&mut self.bodiless) {
            self.inside(module, |eval| {
                let element = eval.sample(&repeat.list, &repeat.variable.value);
                eval.unbound += 1;
                eval.with_local(repeat.variable.value.clone(), element, |eval| eval.check_body(ast, kind));
                eval.unbound -= 1;
            });
        }
    }
}
