//! Blocks: declarations against the table. Every phrase and nested block becomes a block with named fields; fields of a
//! base (`from`) and defaults of the table are filled in.
//!
//! A `pool` without a class is a base: others build on it, nothing is made of it, and it may lack required fields.

use super::checked::{Block, Field, Fields, Free, Origin};
use super::compiled::{Compiled, compiled};
use super::diags;
use super::eval::{Eval, SlotState};
use super::fit::deferred_part;
use super::free;
use super::head;
use super::table::{BlockKind, FieldId, Head, Part, When, classes, kind_in, kind_of, suggest};
use super::ty::Ty;
use super::value::{BlockId, Days, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, Entry, Expr, ExprKind, HeadPart};
use indexmap::IndexMap;
use std::sync::Arc;

/// What a block is made from.
struct Making<'b> {
    base: Option<&'b Block>,
    /// Whether required fields must be there.
    strict: bool,
    /// The same block as the symbolic run made it, when that found no error.
    before: Option<&'b Block>,
}

impl<'p> Eval<'p> {
    /// Evaluates a block that is waiting.
    pub(crate) fn evaluate_block(&mut self, id: BlockId, _span: Span) {
        let index = id.0 as usize;
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.state = SlotState::Active;
        let (item, ast, module, kind, key) = (slot.item, slot.ast, slot.module, slot.kind, slot.key.clone());
        let (name, name_span) = (slot.name.clone(), slot.name_span);
        let library = self.program.module(module).is_some_and(|module| module.library);
        let before = self.first.and_then(|first| first.blocks.get(index));
        // It is the same block wherever it is needed first: in a branch that is not taken, or while a function is checked.
        let (unbound, dead) = (std::mem::take(&mut self.unbound), std::mem::take(&mut self.dead));
        let mut block = self.inside(module, |eval| {
            let strict = eval.strict(ast, kind);
            let making = Making { base: None, strict, before };
            match &key {
                Some((variable, _, element)) => {
                    eval.with_local(variable.clone(), element.clone(), |eval| eval.make(ast, kind, making))
                }
                None => eval.make(ast, kind, making),
            }
        });
        (self.unbound, self.dead) = (unbound, dead);
        block.name = name;
        block.name_span = name_span;
        block.key = key.map(|(_, key, _)| key);
        block.doc = item.doc.clone();
        block.span = item.span;
        block.origin = if library { Origin::Library } else { Origin::Project };
        if kind == BlockKind::Project {
            self.written_location = block.get("location").cloned();
            block.reached = true;
            if let Some(value) = self.location.clone() {
                let span = block.span_of("location");
                let field = Field { value, name_span: span, value_span: span, defaulted: false, reached: true };
                block.fields.insert("location", field);
            }
        }
        if let Some(place) = self.blocks.get_mut(index) {
            *place = Some(block);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            slot.state = SlotState::Done;
        }
    }

    /// Makes a block for what is wrong with it.
    pub(super) fn check_body(&mut self, ast: &'p ast::Block, kind: BlockKind) {
        let strict = self.strict(ast, kind);
        self.make(ast, kind, Making { base: None, strict, before: None });
    }

    /// Whether a block must be complete: not `existing`, and no base that others build on.
    fn strict(&mut self, ast: &'p ast::Block, kind: BlockKind) -> bool {
        ast.existing.is_none() && !(kind == BlockKind::Pool && ast.class.is_none() && ast.base.is_none())
    }

    fn make(&mut self, ast: &'p ast::Block, kind: BlockKind, making: Making<'_>) -> Block {
        let (mut block, reached) = self.watch(|eval| eval.made(ast, kind, making));
        block.reached = reached;
        block
    }

    fn made(&mut self, ast: &'p ast::Block, kind: BlockKind, making: Making<'_>) -> Block {
        let mut block = Block {
            kind,
            class: None,
            name: Arc::from(""),
            key: None,
            existing: ast.existing.is_some(),
            doc: None,
            origin: Origin::Project,
            span: ast.span,
            name_span: ast.keyword.span,
            fields: Fields::new(kind),
            children: Vec::new(),
            free: None,
            reached: false,
        };
        let row = compiled(kind);
        if let Some(name) = head::name_of(ast, row.spec) {
            block.name_span = name.span;
            block.name = name.value;
        }
        if let Some(existing) = ast.existing
            && !row.spec.can_exist
        {
            self.report(diags::cannot_exist(kind.keyword(), existing));
        }
        if ast.existing.is_none() && kind == BlockKind::Registry {
            self.report(diags::always_existing(kind.keyword(), block.name_span));
        }
        block.class = self.class(ast, kind);
        let written_base = ast.base.as_ref().and_then(|base| self.base_block(base, kind));
        let base = written_base.as_ref().or(making.base);
        self.head(ast, row, &mut block, making.before);
        if let Some(body) = &ast.body {
            let fields = body.entries.iter().filter(|entry| matches!(entry, Entry::Field(_))).count();
            block.fields.reserve(fields);
            block.children.reserve_exact(body.entries.len() - fields);
            let around = self.enter_region(body, row, base);
            self.body(body, row, &mut block, base, &making);
            self.region_here = around;
        }
        if let Some(base) = base {
            inherit(&mut block, base, row);
        }
        let complete = making.strict && (block.kind != BlockKind::Pool || block.class.is_some());
        self.finish_fields(ast, row, &mut block, complete);
        block
    }

    /// The class after the colon: `pool x: interactive`.
    fn class(&mut self, ast: &'p ast::Block, kind: BlockKind) -> Option<Arc<str>> {
        let known: Vec<&str> = kind_of(&ast.keyword.value).into_iter().flat_map(classes).collect();
        let known = known.as_slice();
        match (&ast.class, kind) {
            (None, BlockKind::Resource) if head::quoted_name(ast).is_some() => None,
            (None, BlockKind::Resource) => {
                self.report(diags::resource_without_type(ast.keyword.span));
                None
            }
            (None, _) => None,
            (Some(class), BlockKind::Resource) => match self.eval_as(class, &Ty::String) {
                Value::String(ty) => {
                    let parts = ty.split_once('@');
                    let fine = parts.is_some_and(|(ty, version)| ty.contains('/') && !version.is_empty());
                    if !fine {
                        self.report(diags::bad_resource_type(&ty, class.span));
                    }
                    Some(ty)
                }
                Value::Deferred(inner) => {
                    self.report(diags::not_early(&inner, "the type of a resource", class.span));
                    None
                }
                _ => None,
            },
            (Some(class), _) => match &class.kind {
                ExprKind::Name(name) if known.contains(&&**name) => Some(name.clone()),
                ExprKind::Error => None,
                ExprKind::Name(name) if !known.is_empty() => {
                    let meant = suggest(name, known.iter().copied());
                    self.report(diags::not_one_of(name, known, meant, class.span));
                    None
                }
                _ => {
                    self.report(diags::no_class(kind.keyword(), known, class.span));
                    None
                }
            },
        }
    }

    /// The block that another is built on.
    fn base_block(&mut self, base: &'p Expr, kind: BlockKind) -> Option<Block> {
        let value = self.eval(base);
        match value {
            Value::Ref(id) => {
                if self.slots.get(id.0 as usize).map(|slot| slot.kind) != Some(kind) {
                    let found = self.type_of(&Value::Ref(id));
                    self.report(diags::mismatch(&found, kind.keyword(), base.span));
                    return None;
                }
                if !self.finish(id, base.span) {
                    return None;
                }
                self.read_block(id).cloned()
            }
            Value::Error => None,
            other => {
                let found = self.type_of(&other);
                self.report(diags::mismatch(&found, kind.keyword(), base.span));
                None
            }
        }
    }

    /// Values and words after the keyword.
    fn head(&mut self, ast: &'p ast::Block, row: &'static Compiled, block: &mut Block, before: Option<&Block>) {
        let mut parts: &'p [HeadPart] = &ast.head;
        match row.spec.head {
            Head::None => {}
            Head::Name | Head::OptionalName => {
                if let Some(name) = head::quoted_name(ast) {
                    self.report(diags::quoted_name(row.spec.kind.keyword(), name, block.name_span));
                    return;
                }
                if !block.name.is_empty() {
                    parts = parts.get(1..).unwrap_or_default();
                } else if matches!(row.spec.head, Head::Name) {
                    self.report(diags::missing_name(row.spec.kind.keyword(), ast.keyword.span));
                    return;
                }
                while let [first, HeadPart::Expr(value), rest @ ..] = parts {
                    let Some(index) = head::word(first).and_then(|word| row.fields.get(word)) else { break };
                    self.set((row, *index), head::span(first), value, block, before);
                    parts = rest;
                }
            }
            Head::Phrase(pieces) => {
                for piece in pieces {
                    match piece {
                        Part::Word(word) => match parts {
                            [first, rest @ ..] if head::word(first) == Some(word) => parts = rest,
                            _ => return self.bad_phrase(ast, row, parts, block),
                        },
                        Part::Field(name) => match self.phrase_value(name, parts, row, (block, before)) {
                            Some(rest) => parts = rest,
                            None => return self.bad_phrase(ast, row, parts, block),
                        },
                        Part::Optional(word, name) => match parts {
                            [first, rest @ ..] if head::word(first) == Some(word) => {
                                match self.phrase_value(name, rest, row, (block, before)) {
                                    Some(rest) => parts = rest,
                                    None => return self.bad_phrase(ast, row, rest, block),
                                }
                            }
                            _ => {}
                        },
                    }
                }
            }
        }
        if !parts.is_empty() {
            self.bad_phrase(ast, row, parts, block);
        }
    }

    fn phrase_value(
        &mut self,
        field: &str,
        parts: &'p [HeadPart],
        row: &'static Compiled,
        (block, before): (&mut Block, Option<&Block>),
    ) -> Option<&'p [HeadPart]> {
        let index = *row.fields.get(field)?;
        if row.types.get(index.index()) == Some(&Ty::Days)
            && let [first, second, rest @ ..] = parts
            && matches!(
                (head::word(first), head::word(second)),
                (Some("all"), Some("days")) | (Some("every"), Some("day"))
            )
        {
            let span = head::span(first).to(head::span(second));
            let value = Value::Days(Days(127));
            let field = Field { value, name_span: span, value_span: span, defaulted: false, reached: false };
            block.fields.set(index, field);
            return Some(rest);
        }
        match parts {
            [HeadPart::Expr(value), rest @ ..] => {
                self.set((row, index), value.span, value, block, before);
                Some(rest)
            }
            _ => None,
        }
    }

    fn bad_phrase(&mut self, ast: &'p ast::Block, row: &'static Compiled, rest: &'p [HeadPart], block: &mut Block) {
        let span = match (rest.first(), rest.last()) {
            (Some(first), Some(last)) => head::span(first).to(head::span(last)),
            _ => ast.keyword.span,
        };
        let missing = rest.is_empty();
        self.report(diags::bad_phrase(row.spec, missing, span));
        // What the phrase should have said is not reported again as missing.
        if let Head::Phrase(pieces) = row.spec.head {
            for piece in pieces {
                if let Part::Field(name) | Part::Optional(_, name) = piece {
                    let value = Value::Error;
                    let field = Field { value, name_span: span, value_span: span, defaulted: true, reached: false };
                    if let Some(id) = row.fields.get(name).filter(|id| block.fields.own_field(**id).is_none()) {
                        block.fields.set(*id, field);
                    }
                }
            }
        }
    }

    /// One field as written.
    fn set(
        &mut self,
        (row, id): (&'static Compiled, FieldId),
        name_span: Span,
        value: &'p Expr,
        block: &mut Block,
        before: Option<&Block>,
    ) {
        let (Some(spec), Some(ty)) = (row.spec.fields.get(id.index()), row.types.get(id.index())) else { return };
        let value_span = value.span;
        let known = before.and_then(|before| before.fields.own_field(id));
        if let Some(known) = known.filter(|known| !known.reached && known.value_span == value_span) {
            block.fields.set(id, known.clone());
            return;
        }
        let around = self.place.replace((row.spec.kind.keyword(), spec.name));
        let (value, reached) = self.watch(|eval| {
            let value = eval.eval_as(value, ty);
            eval.written(value, value_span)
        });
        self.place = around;
        let value = match deferred_part(&value) {
            Some(part) if spec.when == When::Early && self.pass_is_symbolic() && self.unbound == 0 => {
                let part = part.clone();
                let what = format!("`{}` of a {}", spec.name, row.spec.kind.keyword());
                self.report(diags::not_early(&part, &what, value_span))
            }
            _ => value,
        };
        let field = Field { value, name_span, value_span, defaulted: false, reached };
        if let Some(first) = block.fields.own_field(id) {
            let first = first.name_span;
            self.report(diags::duplicate_field(spec.name, name_span, first));
            return;
        }
        block.fields.set(id, field);
    }

    fn body(
        &mut self,
        body: &'p ast::Body,
        row: &'static Compiled,
        block: &mut Block,
        base: Option<&Block>,
        making: &Making<'_>,
    ) {
        let mut places = Vec::new();
        let free = matches!(row.spec.kind, BlockKind::Resource | BlockKind::Override);
        let mut record: IndexMap<Arc<str>, Value> = IndexMap::new();
        for entry in &body.entries {
            match entry {
                Entry::Field(field) => match row.fields.get(&*field.name.value) {
                    Some(index) => self.set((row, *index), field.name.span, &field.value, block, making.before),
                    None if free => {
                        let value = self.eval(&field.value);
                        self.add_to_record(&mut record, &field.name, value);
                        free::note_places(&field.name, &field.value, "", &mut places);
                    }
                    None => {
                        let child = kind_of(&field.name.value).is_some_and(|kind| row.spec.child(kind).is_some());
                        // The words of its value belong to a field that is elsewhere, if anywhere: they are not judged.
                        if !child {
                            let told = std::mem::take(&mut self.sink);
                            self.eval(&field.value);
                            self.sink = told;
                        }
                        let diagnostic = diags::unknown_field(row.spec, &field.name.value, field.name.span, child);
                        self.report(diagnostic);
                    }
                },
                Entry::Block(child) if free => {
                    self.report(diags::block_in_free(&child.keyword.value, child.keyword.span));
                }
                Entry::Block(child) => self.child(child, row, block, base, making),
            }
        }
        if free {
            block.free = Some(Box::new(Free { value: Value::Record(Arc::new(record)), places }));
        }
    }

    fn child(
        &mut self,
        ast: &'p ast::Block,
        row: &'static Compiled,
        block: &mut Block,
        base: Option<&Block>,
        making: &Making<'_>,
    ) {
        let keyword = &ast.keyword;
        let kind = kind_in(&keyword.value, None, Some(row.spec.kind));
        let Some((kind, most)) = kind.and_then(|kind| row.spec.child(kind).map(|most| (kind, most))) else {
            let is_field = row.fields.contains_key(&*keyword.value);
            let diagnostic = match (kind, is_field) {
                (_, true)
                    if row.spec.kind == BlockKind::Schedule && &*keyword.value == "from" && ast.head.len() > 1 =>
                {
                    diags::hours_without_days(keyword.span)
                }
                (_, true) => diags::field_without_equals(&keyword.value, keyword.span),
                (Some(kind), false) => diags::misplaced_block(row.spec, kind, keyword.span),
                (None, false) => diags::unknown_block(row.spec, &keyword.value, keyword.span),
            };
            self.report(diagnostic);
            return;
        };
        if let Some(span) = head::repetition(ast) {
            self.report(diags::repeated_inside(&keyword.value, span));
            return;
        }
        let same = || block.children.iter().filter(|other| other.kind == kind);
        if let (1.., Some(first)) = (most, same().next())
            && same().count() as u64 >= u64::from(most)
        {
            let first = first.name_span;
            self.report(diags::too_many_blocks(row.spec.kind.keyword(), kind.keyword(), most, keyword.span, first));
            return;
        }
        let inherited = match most {
            1 => base.and_then(|base| base.children.iter().find(|child| child.kind == kind)),
            _ => None,
        };
        let before = making.before.and_then(|before| before.children.iter().find(|child| child.span == ast.span));
        let made = match before.filter(|before| !before.reached && inherited.is_none()) {
            Some(before) => before.clone(),
            None => self.make(ast, kind, Making { base: inherited, strict: making.strict, before }),
        };
        let named = matches!(compiled(kind).spec.head, Head::Name);
        if named && !made.name.is_empty() {
            let twin = block.children.iter().find(|other| other.kind == kind && other.name == made.name);
            if let Some(twin) = twin {
                let first = twin.name_span;
                self.report(diags::duplicate_name(&made.name, made.name_span, first));
                return;
            }
        }
        block.children.push(made);
    }

    /// Required fields and defaults, once everything that was written and inherited is there.
    fn finish_fields(&mut self, ast: &'p ast::Block, row: &'static Compiled, block: &mut Block, strict: bool) {
        let incomplete = doubtful(ast, row);
        for (spec, id) in row.spec.fields.iter().zip((0..).map(FieldId)) {
            if !(spec.required && strict) || block.fields.own_field(id).is_some() {
                continue;
            }
            if !incomplete {
                self.report(diags::missing_field(row.spec, spec, ast, block.name_span));
            }
            let span = block.name_span;
            let value = Value::Error;
            let field = Field { value, name_span: span, value_span: span, defaulted: true, reached: false };
            block.fields.set(id, field);
        }
        block.fields.shrink();
    }
}

/// Fields and children of a base that the block does not have itself. Fields that are written win; nested blocks that
/// can stand only once were merged field by field already; named ones replace those of the same name; all others
/// replace those of their kind.
fn inherit(block: &mut Block, base: &Block, row: &'static Compiled) {
    if block.class.is_none() {
        block.class.clone_from(&base.class);
    }
    for (id, field) in base.fields.own_ids() {
        if !field.defaulted && block.fields.own_field(id).is_none() {
            block.fields.set(id, field.clone());
        }
    }
    let mut children: Vec<Block> = Vec::new();
    for child in &base.children {
        let named = !child.name.is_empty();
        let replaced = block.children.iter().any(|own| {
            own.kind == child.kind && (!named || row.spec.child(child.kind) == Some(1) || own.name == child.name)
        });
        if !replaced {
            children.push(child.clone());
        }
    }
    children.append(&mut block.children);
    block.children = children;
}

/// Whether a field that seems missing may have been meant by something that was already reported: a broken line, a
/// misspelled field, a field written as a block.
fn doubtful(ast: &ast::Block, row: &Compiled) -> bool {
    ast.body.as_ref().is_some_and(|body| {
        body.incomplete
            || body.entries.iter().any(|entry| match entry {
                Entry::Field(field) => !row.fields.contains_key(&*field.name.value),
                Entry::Block(block) => row.fields.contains_key(&*block.keyword.value),
            })
    })
}
