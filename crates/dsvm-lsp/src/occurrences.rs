//! A file of a project → every place where a name stands, with what it means.
//!
//! Follows the rules of the checker (`dsvm-sema`, `eval/contextual.rs` and `eval/name.rs`): where a field takes one of
//! several words, the words come before names; a local name hides one of the file; a fact of the standard library can be
//! written by its bare name where its kind is wanted.

use crate::facts;
use crate::view::{Meaning, ModuleRef, Symbol, View, declared_name};
use dsvm_diagnostics::source::Span;
use dsvm_sema::builtins;
use dsvm_sema::table::{BlockKind, FieldType, Head, Part, kind_in, kind_of, kinds_at_top_level, spec};
use dsvm_syntax::ast::{
    BinaryOp, Block, Body, Entry, Expr, ExprKind, HeadPart, Import, ImportFrom, Item, ItemKind, Name, StringPart, Type,
    TypeKind,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A name at a place.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) symbol: Symbol,
    /// This is where it is declared.
    pub(crate) declares: bool,
}

/// All names of a file.
pub(crate) struct Names {
    /// Those that mean something, by place.
    pub(crate) found: Vec<Occurrence>,
    /// Every name that stands where a name can mean something, also locals.
    pub(crate) written: BTreeSet<Arc<str>>,
    /// The words that a field chooses from, where one stands: `smb` in `protocol = smb`.
    pub(crate) choices: BTreeSet<(usize, usize)>,
}

impl Names {
    pub(crate) fn of(view: &View, file: usize) -> Self {
        let module = view.files.get(file).map_or(0, |file| file.module);
        let mut walker = Walker {
            view,
            file,
            module,
            locals: Vec::new(),
            names: Names { found: Vec::new(), written: BTreeSet::new(), choices: BTreeSet::new() },
        };
        if let Some(known) = view.files.get(file) {
            for item in &known.tree.items {
                walker.item(item);
            }
        }
        walker.names.found.sort_by_key(|occurrence| (occurrence.start, occurrence.end));
        walker.names
    }

    /// What stands at a byte, or ends there.
    pub(crate) fn at(&self, offset: usize) -> Option<&Occurrence> {
        let inside = |occurrence: &&Occurrence| occurrence.start <= offset && offset < occurrence.end;
        let behind = |occurrence: &&Occurrence| occurrence.end == offset;
        self.found.iter().find(inside).or_else(|| self.found.iter().find(behind))
    }
}

struct Walker<'v> {
    view: &'v View,
    file: usize,
    module: usize,
    locals: Vec<(Arc<str>, u32)>,
    names: Names,
}

/// What is wanted where an expression stands.
type Wanted<'t> = Option<&'t FieldType>;

/// The words that a type takes bare.
pub(crate) fn words(ty: &FieldType, found: &mut Vec<&'static str>) {
    match ty {
        FieldType::OneOf(words) => found.extend(*words),
        FieldType::Either(parts) => parts.iter().for_each(|part| words(part, found)),
        FieldType::Secret(inner) => words(inner, found),
        _ => {}
    }
}

/// The kinds of block that a type takes.
pub(crate) fn kinds(ty: &FieldType, found: &mut Vec<BlockKind>) {
    match ty {
        FieldType::Ref(kind) => found.push(*kind),
        FieldType::Either(parts) => parts.iter().for_each(|part| kinds(part, found)),
        FieldType::Secret(inner) => kinds(inner, found),
        _ => {}
    }
}

/// The type of the elements of a list, or of the alternatives of `first of […]`.
pub(crate) fn element(ty: &FieldType) -> Option<&FieldType> {
    match ty {
        FieldType::List(inner) | FieldType::First(inner) => Some(inner),
        FieldType::Either(parts) => parts.iter().find_map(element),
        FieldType::Secret(inner) => element(inner),
        _ => None,
    }
}

/// The word for all blocks of a kind.
pub(crate) fn plural(kind: BlockKind) -> String {
    match kind {
        BlockKind::Identity => "identities".to_owned(),
        BlockKind::Registry => "registries".to_owned(),
        other => format!("{}s", other.keyword()),
    }
}

/// The kind of a block, by its keyword, its class and the block around it.
pub(crate) fn block_kind(keyword: &str, class: Option<&str>, around: Option<BlockKind>) -> Option<BlockKind> {
    let Some(outer) = around else { return kind_in(keyword, class, None) };
    let special = kind_in(keyword, class, around).filter(|kind| spec(outer).child(*kind).is_some());
    let child = || spec(outer).children.iter().map(|(kind, _)| *kind).find(|kind| kind.keyword() == keyword);
    special.or_else(child)
}

impl Walker<'_> {
    fn push(&mut self, span: Span, symbol: Symbol, declares: bool) {
        let (start, end) = (span.start as usize, span.end as usize);
        self.names.found.push(Occurrence { start, end, symbol, declares });
    }

    fn write(&mut self, name: &Arc<str>) {
        if !self.names.written.contains(name) {
            self.names.written.insert(name.clone());
        }
    }

    fn item(&mut self, item: &Item) {
        if let Some(name) = declared_name(item) {
            self.write(&name.value);
            self.push(name.span, Symbol::Declared(self.module, name.value), true);
        }
        match &item.kind {
            ItemKind::Import(import) => self.import(import),
            ItemKind::Param(param) => {
                self.ty(&param.ty);
                self.optional(param.default.as_ref());
            }
            ItemKind::Env(env) => {
                self.push(env.name.span, Symbol::Env(env.name.value.clone()), true);
                for (name, value) in &env.values {
                    self.setting(name);
                    self.expr(value, None);
                }
            }
            ItemKind::Let(constant) => {
                constant.ty.iter().for_each(|ty| self.ty(ty));
                self.expr(&constant.value, None);
            }
            ItemKind::Fn(function) => {
                let before = self.locals.len();
                for (name, ty, default) in &function.params {
                    self.ty(ty);
                    self.optional(default.as_ref());
                    self.local(name);
                }
                function.result.iter().for_each(|ty| self.ty(ty));
                self.expr(&function.body, None);
                self.locals.truncate(before);
            }
            ItemKind::Type(declared) => self.ty(&declared.ty),
            ItemKind::Check(check) => {
                self.expr(&check.condition, None);
                self.optional(check.message.as_ref());
            }
            ItemKind::Output(output) => {
                self.push(output.name.span, Symbol::Output(output.name.value.clone()), true);
                output.ty.iter().for_each(|ty| self.ty(ty));
                self.expr(&output.value, None);
            }
            ItemKind::Block(block) if &*block.keyword.value == "test" => self.test(block),
            ItemKind::Block(block) if &*block.keyword.value == "rule" => self.rule(block),
            ItemKind::Block(block) => self.block(block, None, true),
        }
    }

    fn import(&mut self, import: &Import) {
        import.ty.iter().for_each(|ty| self.ty(ty));
        let target = self.view.target(self.file, &import.from);
        let place = match &import.from {
            ImportFrom::Module(words) => words.last().map(|word| word.span),
            ImportFrom::Path(path) => Some(path.span),
        };
        let (Some(target), Some(place)) = (target, place) else { return };
        self.push(place, Symbol::Module(target), false);
        if let Some(alias) = &import.alias {
            self.write(&alias.value);
            self.push(alias.span, Symbol::Module(target), false);
        }
        for name in &import.names {
            self.write(&name.value);
            if let Some(symbol) = self.view.symbol(target, &name.value) {
                self.push(name.span, symbol, false);
            }
        }
    }

    /// A parameter that an env or a test sets.
    fn setting(&mut self, name: &Name) {
        if let Some(symbol) = self.view.param(&name.value) {
            self.push(name.span, symbol, false);
        } else if let Some(field) = spec(BlockKind::Project).field(&name.value) {
            self.push(name.span, Symbol::Field(BlockKind::Project, field.name), false);
        }
    }

    fn local(&mut self, name: &Name) {
        self.write(&name.value);
        self.push(name.span, Symbol::Local(self.file, name.span.start), true);
        self.locals.push((name.value.clone(), name.span.start));
    }

    /// The expressions of a rule, in which the name behind the kind is known.
    fn rule(&mut self, block: &Block) {
        let before = self.locals.len();
        if let [_, HeadPart::Word(_), _, HeadPart::Expr(Expr { kind: ExprKind::Name(name), span })] =
            block.head.as_slice()
        {
            self.local(&Name { value: name.clone(), span: *span });
        }
        for entry in block.body.iter().flat_map(|body| &body.entries) {
            match entry {
                Entry::Field(field) if &*field.name.value == "level" => {}
                Entry::Field(field) => self.expr(&field.value, None),
                Entry::Block(part) => {
                    for part in &part.head {
                        if let HeadPart::Expr(expr) = part {
                            self.expr(expr, None);
                        }
                    }
                }
            }
        }
        self.locals.truncate(before);
    }

    fn test(&mut self, block: &Block) {
        for entry in block.body.iter().flat_map(|body| &body.entries) {
            match entry {
                Entry::Field(field) => match &field.value.kind {
                    ExprKind::Name(env) if &*field.name.value == "env" => {
                        self.push(field.value.span, Symbol::Env(env.clone()), false);
                    }
                    _ => {}
                },
                Entry::Block(part) => self.part_of_test(part),
            }
        }
    }

    fn part_of_test(&mut self, part: &Block) {
        let first = match part.head.first() {
            Some(HeadPart::Expr(expr)) => Some(expr),
            _ => None,
        };
        let word = first.and_then(|expr| match &expr.kind {
            ExprKind::Name(name) => Some(&**name),
            _ => None,
        });
        let given = &*part.keyword.value == "given";
        let outputs = matches!(word, Some("output" | "outputs"));
        for entry in part.body.iter().flat_map(|body| &body.entries) {
            let Entry::Field(field) = entry else { continue };
            if given {
                self.setting(&field.name);
            } else if outputs {
                self.push(field.name.span, Symbol::Output(field.name.value.clone()), false);
            }
            self.expr(&field.value, None);
        }
        // `expect CONDITION`: the other forms have words or a body.
        if let ([HeadPart::Expr(condition)], None, false) = (part.head.as_slice(), &part.body, given) {
            self.expr(condition, None);
        }
    }

    fn block(&mut self, block: &Block, around: Option<BlockKind>, top: bool) {
        let class = block.class.as_ref().and_then(|class| match &class.kind {
            ExprKind::Name(name) => Some(&**name),
            _ => None,
        });
        let kind = block_kind(&block.keyword.value, class, around);
        if let Some(kind) = kind {
            self.push(block.keyword.span, Symbol::Kind(kind), false);
        }
        let before = self.locals.len();
        if let Some(repeat) = &block.repeat {
            self.expr(&repeat.list, None);
            self.local(&repeat.variable);
        }
        match kind {
            Some(kind) => self.head(block, kind, top),
            None => block.head.iter().skip(usize::from(top)).for_each(|part| self.part(part)),
        }
        if let Some(class) = block.class.as_ref().filter(|class| !matches!(class.kind, ExprKind::Name(_))) {
            self.expr(class, None);
        }
        self.optional(block.base.as_deref());
        if let Some(body) = &block.body {
            self.body(body, kind);
        }
        self.locals.truncate(before);
    }

    fn part(&mut self, part: &HeadPart) {
        if let HeadPart::Expr(expr) = part {
            self.expr(expr, None);
        }
    }

    fn head(&mut self, block: &Block, kind: BlockKind, top: bool) {
        let row = spec(kind);
        match row.head {
            Head::None => block.head.iter().for_each(|part| self.part(part)),
            Head::Name => block.head.iter().skip(1).for_each(|part| self.part(part)),
            // `autoscale every 5 min`: the name of a field, and its value.
            Head::OptionalName => {
                let field = block.head.first().and_then(word).and_then(|(name, span)| Some((row.field(name)?, span)));
                match field.filter(|_| block.head.len() > 1) {
                    Some((field, span)) => {
                        self.push(span, Symbol::Field(kind, field.name), false);
                        for part in block.head.iter().skip(1) {
                            if let HeadPart::Expr(expr) = part {
                                self.expr(expr, Some(&field.ty));
                            }
                        }
                    }
                    None => block.head.iter().skip(1).for_each(|part| self.part(part)),
                }
            }
            Head::Phrase(parts) => self.phrase(block, kind, parts),
        }
        let _ = top;
    }

    /// The values of a phrase are those of its fields, in order.
    fn phrase(&mut self, block: &Block, kind: BlockKind, parts: &[Part]) {
        let mut slots: Vec<(Option<&str>, Option<&str>)> = Vec::new();
        for part in parts {
            match part {
                Part::Field(name) => slots.push((None, Some(name))),
                Part::Word(word) => slots.push((Some(word), None)),
                Part::Optional(word, name) => slots.extend([(Some(*word), None), (None, Some(*name))]),
            }
        }
        let mut at = 0;
        for part in &block.head {
            let ahead = slots.get(at..).unwrap_or_default();
            let is_word = |(written, _): (&str, Span)| {
                ahead.iter().position(|(word, _)| word.is_some_and(|word| word == written))
            };
            if let Some(found) = word(part).and_then(is_word) {
                at += found + 1;
                continue;
            }
            let HeadPart::Expr(expr) = part else { continue };
            let next = ahead.iter().position(|(_, field)| field.is_some());
            let field = next.and_then(|next| ahead.get(next)).and_then(|(_, field)| *field);
            at += next.map_or(0, |next| next + 1);
            let ty = field.and_then(|field| spec(kind).field(field)).map(|field| &field.ty);
            self.expr(expr, ty);
        }
    }

    fn body(&mut self, body: &Body, kind: Option<BlockKind>) {
        for entry in &body.entries {
            match entry {
                Entry::Field(field) => {
                    let row = kind.and_then(|kind| Some((kind, spec(kind).field(&field.name.value)?)));
                    if let Some((kind, row)) = row {
                        self.push(field.name.span, Symbol::Field(kind, row.name), false);
                    }
                    self.expr(&field.value, row.map(|(_, row)| &row.ty));
                }
                Entry::Block(block) => self.block(block, kind, false),
            }
        }
    }

    fn optional(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.expr(expr, None);
        }
    }

    fn ty(&mut self, ty: &Type) {
        match &ty.kind {
            TypeKind::Name(path) => match path.as_slice() {
                [name] => {
                    self.write(&name.value);
                    match self.view.symbol(ModuleRef::Own(self.module), &name.value) {
                        Some(symbol) => self.push(name.span, symbol, false),
                        None => {
                            if let Some(kind) = kind_of(&name.value) {
                                self.push(name.span, Symbol::Kind(kind), false);
                            }
                        }
                    }
                }
                [module, name] => self.member_of_module(module, name),
                _ => {}
            },
            TypeKind::Literal(expr) => self.expr(expr, None),
            TypeKind::Union(parts) => parts.iter().for_each(|part| self.ty(part)),
            TypeKind::List(inner) | TypeKind::Nullable(inner) | TypeKind::Secret(inner) => self.ty(inner),
            TypeKind::Record(fields) => {
                for (_, ty, default) in fields {
                    self.ty(ty);
                    self.optional(default.as_ref());
                }
            }
            TypeKind::In(inner, bounds) => {
                self.ty(inner);
                self.expr(bounds, None);
            }
            TypeKind::Matching(inner, _) => self.ty(inner),
            TypeKind::Error => {}
        }
    }

    fn member_of_module(&mut self, module: &Name, name: &Name) {
        self.write(&module.value);
        let Some(Symbol::Module(target)) = self.view.symbol(ModuleRef::Own(self.module), &module.value) else { return };
        self.push(module.span, Symbol::Module(target), false);
        if let Some(symbol) = self.view.symbol(target, &name.value) {
            self.push(name.span, symbol, false);
        }
    }

    fn expr(&mut self, expr: &Expr, wanted: Wanted<'_>) {
        let formula = wanted.filter(|ty| matches!(ty, FieldType::Formula | FieldType::Condition));
        match &expr.kind {
            ExprKind::Name(name) => {
                let mut some = Vec::new();
                wanted.iter().for_each(|ty| words(ty, &mut some));
                if some.contains(&&**name) {
                    self.names.choices.insert((expr.span.start as usize, expr.span.end as usize));
                } else if let Some(symbol) = self.name(name, wanted) {
                    self.push(expr.span, symbol, false);
                }
            }
            ExprKind::Member(of, name) => self.member(of, name),
            ExprKind::Call(callee, arguments) => {
                if let ExprKind::Name(name) = &callee.kind {
                    self.write(name);
                    let known = self.known(name);
                    let builtin = || builtins::all().find(|function| function.name == &**name);
                    let plain = formula.is_none();
                    let chooser = || builtins::chooser(name).map(|chooser| chooser.name);
                    let builtin = || builtin().map(|function| function.name).or_else(chooser);
                    let builtin = || builtin().filter(|_| plain).map(Symbol::Function);
                    if let Some(symbol) = known.or_else(builtin) {
                        self.push(callee.span, symbol, false);
                    }
                } else {
                    self.expr(callee, None);
                }
                if let ExprKind::Name(name) = &callee.kind
                    && builtins::chooser(name).is_some()
                    && self.known(name).is_none()
                {
                    const REGION: FieldType = FieldType::Ref(BlockKind::Region);
                    return arguments.iter().for_each(|argument| match &argument.name {
                        Some(_) => self.expr(&argument.value, Some(&REGION)),
                        None => self.need(&argument.value),
                    });
                }
                let metric = matches!(wanted, Some(FieldType::Condition));
                for (at, argument) in arguments.iter().enumerate() {
                    const METRIC: FieldType = FieldType::Ref(BlockKind::Metric);
                    self.expr(&argument.value, if metric && at == 0 { Some(&METRIC) } else { formula });
                }
            }
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item, wanted.and_then(element))),
            ExprKind::Comprehension(comprehension) => {
                self.expr(&comprehension.list, None);
                let before = self.locals.len();
                self.local(&comprehension.variable);
                self.expr(&comprehension.value, wanted.and_then(element));
                self.optional(comprehension.condition.as_ref());
                self.locals.truncate(before);
            }
            ExprKind::Record(fields) => fields.iter().for_each(|(_, value)| self.expr(value, None)),
            ExprKind::String(parts) => {
                for part in parts {
                    if let StringPart::Value(value) = part {
                        self.expr(value, None);
                    }
                }
            }
            ExprKind::Index(of, index) => {
                self.expr(of, None);
                self.expr(index, None);
            }
            ExprKind::Unary(_, operand) => self.expr(operand, formula),
            // `first` is a word here, not a name.
            ExprKind::Binary(op, left, right)
                if op.value == BinaryOp::Of && matches!(&left.kind, ExprKind::Name(name) if &**name == "first") =>
            {
                self.expr(right, wanted);
            }
            ExprKind::Binary(op, left, right) => {
                let wanted = if op.value == BinaryOp::Coalesce { wanted } else { formula };
                self.expr(left, wanted);
                self.expr(right, wanted);
            }
            ExprKind::Range(from, to) => {
                self.expr(from, None);
                self.expr(to, None);
            }
            ExprKind::If(condition, yes, no) => {
                self.expr(condition, formula);
                self.expr(yes, wanted);
                self.expr(no, wanted);
            }
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Quantity(..)
            | ExprKind::Time(_)
            | ExprKind::Date(_)
            | ExprKind::Ip(_)
            | ExprKind::Cidr(_)
            | ExprKind::Error => {}
        }
    }

    /// What a size must have, in `smallest(gpu >= 1 of T4, memory >= 48 GiB)`: a field of sizes, and a value for it.
    fn need(&mut self, need: &Expr) {
        let ExprKind::Binary(_, left, right) = &need.kind else { return self.expr(need, None) };
        let row = spec(BlockKind::Size);
        let field = match &left.kind {
            ExprKind::Name(name) => row.field(name),
            _ => None,
        };
        if let Some(field) = field {
            self.push(left.span, Symbol::Field(BlockKind::Size, field.name), false);
        }
        match &right.kind {
            ExprKind::Binary(of, count, model) if of.value == BinaryOp::Of => {
                self.expr(count, None);
                // A bare word is the name of a model, whatever is declared.
                if !matches!(model.kind, ExprKind::Name(_)) {
                    self.expr(model, None);
                }
            }
            _ => self.expr(right, field.map(|field| &field.ty)),
        }
    }

    /// A local, or a name of the file.
    fn known(&self, name: &str) -> Option<Symbol> {
        let local = self.locals.iter().rev().find(|(local, _)| **local == *name);
        let local = local.map(|(_, at)| Symbol::Local(self.file, *at));
        local.or_else(|| self.view.symbol(ModuleRef::Own(self.module), name))
    }

    fn name(&mut self, name: &Arc<str>, wanted: Wanted<'_>) -> Option<Symbol> {
        self.write(name);
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        let mut facts_of = Vec::new();
        wanted.iter().for_each(|ty| kinds(ty, &mut facts_of));
        let fact = facts_of.into_iter().find_map(|kind| {
            let module = facts::module(&plural(kind))?;
            facts::fact(module, name).map(|_| Symbol::Library(module, name.clone()))
        });
        fact.or_else(|| self.everything(name))
    }

    /// `project`, or all blocks of a kind.
    fn everything(&self, name: &str) -> Option<Symbol> {
        if name == "project" {
            return Some(Symbol::Kind(BlockKind::Project));
        }
        kinds_at_top_level().find(|kind| plural(*kind) == name).map(Symbol::All)
    }

    fn member(&mut self, of: &Expr, name: &Name) {
        let ExprKind::Name(outer) = &of.kind else { return self.expr(of, None) };
        let symbol = self.name(outer, None);
        let Some(symbol) = symbol else { return };
        self.push(of.span, symbol.clone(), false);
        let inner = match &symbol {
            Symbol::Module(target) => self.view.symbol(*target, &name.value),
            Symbol::Kind(kind) => part(*kind, &name.value),
            // What `pools.team` means is decided in the project's own files.
            Symbol::All(kind) => {
                let declared = self.view.modules.first().and_then(|names| names.get(&name.value));
                let is_it = |meaning: &Meaning| match meaning {
                    Meaning::Declared { file, item } => match self.view.item(*file, *item).map(|item| &item.kind) {
                        Some(ItemKind::Block(block)) => &*block.keyword.value == kind.keyword(),
                        _ => false,
                    },
                    _ => false,
                };
                declared.filter(|meaning| is_it(meaning)).map(|_| Symbol::Declared(0, name.value.clone()))
            }
            _ => self.kind(&symbol).and_then(|kind| part(kind, &name.value)),
        };
        if let Some(inner) = inner {
            self.push(name.span, inner, false);
        }
    }

    /// The kind of block that a name stands for.
    fn kind(&self, symbol: &Symbol) -> Option<BlockKind> {
        kind_of_symbol(self.view, symbol)
    }
}

/// The kind of the block that a symbol is.
pub(crate) fn kind_of_symbol(view: &View, symbol: &Symbol) -> Option<BlockKind> {
    match symbol {
        Symbol::Library(module, name) => kind_of(facts::fact(*module, name)?.keyword),
        Symbol::Declared(module, name) => match &view.declared(*module, name)?.1.kind {
            // One block for each element has no parts of its own.
            ItemKind::Block(block) if block.repeat.is_none() => {
                let class = block.class.as_ref().and_then(|class| match &class.kind {
                    ExprKind::Name(name) => Some(&**name),
                    _ => None,
                });
                kind_in(&block.keyword.value, class, None)
            }
            _ => None,
        },
        Symbol::Kind(kind) => Some(*kind),
        _ => None,
    }
}

/// A field or an attribute of a kind.
pub(crate) fn part(kind: BlockKind, name: &str) -> Option<Symbol> {
    let row = spec(kind);
    let field = row.field(name).map(|field| Symbol::Field(kind, field.name));
    field.or_else(|| row.attribute(name).map(|(attribute, _, _)| Symbol::Attribute(kind, attribute)))
}

/// The word of a part of a head, with its place.
fn word(part: &HeadPart) -> Option<(&str, Span)> {
    match part {
        HeadPart::Word(word) => Some((&word.value, word.span)),
        HeadPart::Expr(expr) => match &expr.kind {
            ExprKind::Name(name) => Some((name, expr.span)),
            _ => None,
        },
    }
}
