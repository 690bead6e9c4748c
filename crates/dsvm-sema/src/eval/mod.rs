//! Expressions → values. Definitions are evaluated when they are first needed, each once.
//!
//! Promises that evaluation ends: no definition and no function reaches itself (reported as a cycle), and steps, sizes and
//! depth have budgets. A value that only the deployment knows becomes an expression for the deployment; the rules of
//! types are the same for both. `Value::Error` is poison: it was reported, and everything that touches it stays quiet.

mod access;
mod arithmetic;
mod budget;
mod call;
mod condition;
mod contextual;
mod data;
mod defer;
mod formula;
mod literal;
mod name;
mod operator;
mod preferred;
mod secret_text;
mod types;

pub(crate) use arithmetic::plus_values;
pub(crate) use call::unbound;
pub(crate) use contextual::takes_ranges;
pub(crate) use defer::{deferred, is_text, push_piece, taint};
pub(crate) use literal::plain;
pub use types::type_names;

use super::checked::Block;
use super::diags;
use super::fit::{Facts, Misfit, fit};
use super::load::{DefId, ModuleId, Program};
use super::priced::{Choice, RegionHere};
use super::table::BlockKind;
use super::ty::Ty;
use super::value::{BlockId, Value};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Diagnostic, Severity, Sink};
use dsvm_syntax::ast::{self, Expr, ExprKind};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Most steps of one run: far beyond any real project, and over in about a second.
const STEPS: u64 = 5_000_000;
/// Most definitions, calls and operators inside each other.
const DEPTH: u32 = 400;
/// Most bytes of one text.
const TEXT: usize = 1 << 20;
/// Most elements of one list, counting those of the lists in it.
const ELEMENTS: usize = 100_000;

/// Whether parameters are known in this run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pass {
    /// They are not: their values come with the deployment.
    Symbolic,
    /// They have the values of this env, or their defaults (`""`).
    Env(Arc<str>),
}

/// How far a definition is.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It is being evaluated: meeting it again is a cycle.
    Active,
    /// It was evaluated; `Error` after a report.
    Done(Value),
}

/// A block and how far it is.
#[derive(Clone)]
pub(crate) struct Slot<'p> {
    pub(crate) item: &'p ast::Item,
    pub(crate) ast: &'p ast::Block,
    pub(crate) module: ModuleId,
    /// Variable, key and element of a repeated block.
    pub(crate) key: Option<(Arc<str>, Arc<str>, Value)>,
    pub(crate) name: Arc<str>,
    pub(crate) name_span: Span,
    pub(crate) kind: BlockKind,
    pub(crate) state: SlotState,
}

/// How far a block is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    Waiting,
    Active,
    Done,
}

/// What a symbolic run without errors leaves for the runs of envs: they evaluate only what an env can change.
pub(crate) struct First<'p> {
    pub(crate) states: FxHashMap<DefId, State>,
    pub(crate) types: FxHashMap<DefId, Option<Ty>>,
    pub(crate) used: FxHashSet<DefId>,
    pub(crate) reaching: FxHashSet<DefId>,
    pub(crate) slots: Vec<Slot<'p>>,
    pub(crate) expanded: FxHashMap<DefId, Value>,
    /// The blocks of the slots.
    pub(crate) blocks: Vec<Block>,
    pub(crate) project: Option<BlockId>,
}

/// One run over a program.
pub(crate) struct Eval<'p> {
    pub(crate) program: &'p Program,
    /// The symbolic run before this one.
    pub(crate) first: Option<&'p First<'p>>,
    /// Whether what is being evaluated has read something that an env can set.
    pub(crate) reached: bool,
    /// Definitions whose values were made from something that an env can set.
    pub(crate) reaching: FxHashSet<DefId>,
    pub(crate) pass: Pass,
    pub(crate) sink: Sink,
    pub(crate) states: FxHashMap<DefId, State>,
    pub(crate) types: FxHashMap<DefId, Option<Ty>>,
    pub(crate) used: FxHashSet<DefId>,
    /// Values of parameters in this env.
    pub(crate) given: IndexMap<Arc<str>, (Value, Span)>,
    pub(crate) slots: Vec<Slot<'p>>,
    /// What the slots hold once they are done; the same length.
    pub(crate) blocks: Vec<Option<Block>>,
    /// What the name of a block refers to: a reference, or a record of them by key.
    pub(crate) expanded: FxHashMap<DefId, Value>,
    /// Blocks that are repeated over a list without elements, with their module and kind.
    pub(crate) bodiless: Vec<(&'p ast::Block, &'p ast::Repeat, ModuleId, BlockKind)>,
    /// What the location is in this run, when envs set it; and what the project says.
    pub(crate) location: Option<Value>,
    pub(crate) written_location: Option<Value>,
    /// All sizes, once somebody chose by need.
    pub(crate) sizes: Option<Vec<BlockId>>,
    /// What was chosen by price.
    pub(crate) choices: Vec<Choice>,
    /// The region of the pool or other block whose fields are being set.
    pub(crate) region_here: Option<RegionHere<'p>>,
    module: ModuleId,
    locals: Vec<(Arc<str>, Value)>,
    floor: usize,
    /// Definitions that are being evaluated, with the place that asked for each.
    active: Vec<(DefId, Span)>,
    calls: Vec<DefId>,
    steps: u64,
    /// Names that unknown names were compared with.
    guessed: std::cell::Cell<usize>,
    depth: u32,
    pub(crate) dead: u32,
    /// Above 0 while a function is checked without a call: its parameters have types but no values.
    pub(crate) unbound: u32,
    /// While a rule of the team is judged: an operand that does not matter is not evaluated.
    pub(crate) lazy: bool,
    patterns: RefCell<HashMap<Arc<str>, Option<regex::Regex>>>,
    /// The field that is being set: its kind of block and its name.
    pub(crate) place: Option<(&'static str, &'static str)>,
}

impl Facts for Eval<'_> {
    fn kind(&self, id: BlockId) -> Option<BlockKind> {
        self.slots.get(id.0 as usize).map(|slot| slot.kind)
    }

    fn matches(&self, pattern: &Arc<str>, text: &str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns.entry(pattern.clone()).or_insert_with(|| types::compile(pattern).ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

impl<'p> Eval<'p> {
    pub(crate) fn new(program: &'p Program, pass: Pass) -> Self {
        Self {
            program,
            first: None,
            reached: false,
            reaching: FxHashSet::default(),
            pass,
            sink: Sink::default(),
            states: FxHashMap::default(),
            types: FxHashMap::default(),
            used: FxHashSet::default(),
            given: IndexMap::new(),
            slots: Vec::new(),
            blocks: Vec::new(),
            expanded: FxHashMap::default(),
            bodiless: Vec::new(),
            location: None,
            written_location: None,
            sizes: None,
            choices: Vec::new(),
            region_here: None,
            module: program.main(),
            locals: Vec::new(),
            floor: 0,
            active: Vec::new(),
            calls: Vec::new(),
            steps: 0,
            guessed: std::cell::Cell::new(0),
            depth: 0,
            dead: 0,
            unbound: 0,
            lazy: false,
            patterns: RefCell::default(),
            place: None,
        }
    }

    /// A run with the values of an env after the symbolic run: what no env can change is known already.
    pub(crate) fn after(first: &'p First<'p>, program: &'p Program, pass: Pass) -> Self {
        let mut eval = Self::new(program, pass);
        let fixed = |def: &DefId| !first.reaching.contains(def);
        eval.states = first.states.iter().filter(|(def, _)| fixed(def)).map(|(d, s)| (*d, s.clone())).collect();
        eval.types = first.types.iter().filter(|(def, _)| fixed(def)).map(|(d, t)| (*d, t.clone())).collect();
        eval.used.clone_from(&first.used);
        eval.slots.clone_from(&first.slots);
        eval.expanded.clone_from(&first.expanded);
        eval.blocks = first.blocks.iter().map(|block| (!block.reached).then(|| block.clone())).collect();
        for (slot, block) in eval.slots.iter_mut().zip(&eval.blocks) {
            slot.state = if block.is_some() { SlotState::Done } else { SlotState::Waiting };
        }
        eval.first = Some(first);
        eval
    }

    /// Runs `work`, and says whether it read something that an env can set.
    pub(crate) fn watch<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        let around = std::mem::take(&mut self.reached);
        let result = work(self);
        let reached = self.reached;
        self.reached |= around;
        (result, reached)
    }

    /// Whether a block was made from something that an env can set.
    pub(crate) fn reaches(&self, id: BlockId) -> bool {
        self.blocks.get(id.0 as usize).and_then(Option::as_ref).is_some_and(|block| block.reached)
    }

    /// The block of a slot, to read its fields.
    pub(crate) fn read_block(&mut self, id: BlockId) -> Option<&Block> {
        self.reached |= self.reaches(id);
        self.blocks.get(id.0 as usize)?.as_ref()
    }

    /// Reports something about types and names.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) -> Value {
        self.sink.push(diagnostic);
        Value::Error
    }

    /// Reports something about a value; quiet in a branch that is not taken.
    pub(crate) fn report_value(&mut self, diagnostic: Diagnostic) -> Value {
        if self.dead == 0 || diagnostic.severity != Severity::Error {
            self.sink.push(diagnostic);
        }
        Value::Error
    }

    /// The module whose names are in scope.
    pub(crate) fn module(&self) -> ModuleId {
        self.module
    }

    /// Runs `work` in the scope of a module, without the locals of the caller.
    pub(crate) fn inside<T>(&mut self, module: ModuleId, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.module, self.floor, self.locals.len());
        let region = self.region_here.take();
        self.module = module;
        self.floor = self.locals.len();
        let result = work(self);
        self.region_here = region;
        self.locals.truncate(before.2);
        self.floor = before.1;
        self.module = before.0;
        result
    }

    /// Runs `work` with one more local name.
    pub(crate) fn with_local<T>(&mut self, name: Arc<str>, value: Value, work: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push((name, value));
        let result = work(self);
        self.locals.pop();
        result
    }

    /// Counts steps; `false` when the budget is used up, which is reported once.
    pub(crate) fn step(&mut self, steps: usize, span: Span) -> bool {
        if self.steps > STEPS {
            return false;
        }
        self.steps += steps as u64;
        if self.steps > STEPS {
            self.sink.push(diags::too_large(span, "the project takes more than five million steps to evaluate"));
            return false;
        }
        true
    }

    /// Begins a budget of its own, for what is no part of the project; gives what was used up before.
    pub(crate) fn fresh_steps(&mut self) -> u64 {
        std::mem::take(&mut self.steps)
    }

    /// Goes on with the budget from before.
    pub(crate) fn restore_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The value of an expression.
    pub(crate) fn eval(&mut self, expr: &'p Expr) -> Value {
        if !self.step(1, expr.span) {
            return Value::Error;
        }
        if self.depth >= DEPTH {
            return self.report(diags::too_large(expr.span, "definitions and calls are nested more than 400 deep"));
        }
        self.depth += 1;
        let value = self.eval_kind(expr);
        self.depth -= 1;
        match &expr.kind {
            // What a name stands for was measured when it was made.
            ExprKind::Name(_) => value,
            _ => self.affordable(value, expr.span),
        }
    }

    fn eval_kind(&mut self, expr: &'p Expr) -> Value {
        match &expr.kind {
            ExprKind::Null => Value::Null,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Quantity(..)
            | ExprKind::Time(_)
            | ExprKind::Date(_)
            | ExprKind::Ip(_)
            | ExprKind::Cidr(_) => self.literal(expr),
            ExprKind::String(parts) => {
                self.look_for_secrets(parts, expr.span);
                self.text(parts, expr.span)
            }
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Member(of, name) => self.member(of, name),
            ExprKind::Index(of, index) => self.index(of, index, expr.span),
            ExprKind::Call(callee, arguments) => self.call(callee, arguments, expr.span),
            ExprKind::List(items) => {
                let list: Vec<Value> = items.iter().map(|item| self.eval(item)).collect();
                self.list(list, expr.span)
            }
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, None, expr.span),
            ExprKind::Record(fields) => {
                let mut record = IndexMap::with_capacity(fields.len());
                for (name, value) in fields {
                    let value = self.eval(value);
                    self.add_to_record(&mut record, name, value);
                }
                Value::Record(Arc::new(record))
            }
            ExprKind::Unary(op, operand) => {
                let value = self.eval(operand);
                self.unary(*op, value, expr.span)
            }
            ExprKind::Binary(op, left, right) => self.binary(op, left, right, expr.span),
            ExprKind::Range(min, max) => self.range(min, max, expr.span),
            ExprKind::If(condition, yes, no) => {
                let condition = self.eval_as(condition, &Ty::Bool);
                self.choose(condition, yes, no, None, expr.span)
            }
            ExprKind::Error => Value::Error,
        }
    }

    pub(crate) fn add_to_record(&mut self, record: &mut IndexMap<Arc<str>, Value>, name: &ast::Name, value: Value) {
        if record.insert(name.value.clone(), value).is_some() {
            self.report(diags::duplicate_key(&name.value, name.span));
        }
    }

    /// A list, unless it is too long.
    pub(crate) fn list(&mut self, items: Vec<Value>, span: Span) -> Value {
        let size = weight(&items);
        if size > ELEMENTS {
            return self.report(diags::too_large(span, "this list has more than 100,000 elements"));
        }
        if !self.step(size, span) {
            return Value::Error;
        }
        Value::List(Arc::new(items))
    }

    /// A text, unless it is too long.
    pub(crate) fn string(&mut self, text: String, span: Span) -> Value {
        if text.len() > TEXT {
            return self.report(diags::too_large(span, "this text is longer than 1 MiB"));
        }
        if !self.step(text.len() / 16, span) {
            return Value::Error;
        }
        Value::String(text.into())
    }

    /// Checks that a value is of a type and makes it one.
    pub(crate) fn coerce(&mut self, value: Value, ty: &Ty, span: Span) -> Value {
        match fit(&value, ty, self) {
            Ok(value) => value,
            Err(misfit) => self.misfit(&value, ty, misfit, span),
        }
    }

    pub(crate) fn misfit(&mut self, value: &Value, ty: &Ty, misfit: Misfit, span: Span) -> Value {
        if let Misfit::At(place, inner, part) = misfit {
            let (value, ty) = *part;
            let diagnostic = self.misfit_diagnostic(&value, &ty, &inner, span);
            return self.report(Diagnostic { title: format!("{place}: {}", diagnostic.title), ..diagnostic });
        }
        let diagnostic = self.misfit_diagnostic(value, ty, &misfit, span);
        match misfit {
            Misfit::Bounds { .. } | Misfit::Pattern(_) | Misfit::SshKey(_) => self.report_value(diagnostic),
            _ => self.report(diagnostic),
        }
    }

    fn misfit_diagnostic(&self, value: &Value, ty: &Ty, misfit: &Misfit, span: Span) -> Diagnostic {
        let found = self.type_of(value);
        let ty = ty.without_alternatives();
        match (misfit, self.place) {
            (Misfit::Type, Some((kind, field))) if matches!(value, Value::First(_)) => {
                diags::no_alternatives(kind, field, span)
            }
            (Misfit::Secret(path), Some((kind, field))) => {
                diags::secret_exposed(path, span, &format!("`{field}` of a {kind}, which Azure does not keep secret"))
            }
            // The name of a fact in quotes, where the fact itself is wanted.
            (Misfit::Type, _) if let (Value::String(name), Ty::Ref(kind)) = (value, ty.not_null().base()) => {
                diags::fact_in_quotes(&found, ty, self.fact_called(name, *kind).as_deref(), span)
            }
            _ => diags::misfit(value, &found, ty, misfit, span),
        }
    }

    /// The type of a value, as far as the value determines it.
    pub(crate) fn type_of(&self, value: &Value) -> Ty {
        match value {
            Value::Null => Ty::Null,
            Value::Bool(_) => Ty::Bool,
            Value::Int(_) => Ty::Int,
            Value::Decimal(_) => Ty::Decimal,
            Value::Percent(_) => Ty::Percent,
            Value::Size(_) => Ty::Size,
            Value::Duration(_) => Ty::Duration,
            Value::Money(_) => Ty::Money,
            Value::Time(_) => Ty::Time,
            Value::Days(_) => Ty::Days,
            Value::Date(_) => Ty::Date,
            Value::Range(_) => Ty::Range,
            Value::Cidr(_) => Ty::Cidr,
            Value::Ip(_) => Ty::Ip,
            Value::String(_) => Ty::String,
            Value::List(items) => {
                let first = items.first().map_or(Ty::Any, |item| self.type_of(item));
                let same = items.iter().take(100).all(|item| self.type_of(item) == first);
                Ty::List(Arc::new(if same { first } else { Ty::Any }))
            }
            Value::First(items) => {
                let first = items.first().map_or(Ty::Any, |item| self.type_of(item));
                let same = items.iter().all(|item| self.type_of(item) == first);
                Ty::First(Arc::new(if same { first } else { Ty::Any }))
            }
            Value::Record(fields) => Ty::Record(Arc::new(
                fields
                    .iter()
                    .map(|(name, field)| {
                        (name.clone(), super::ty::RecordField { ty: self.type_of(field), default: None })
                    })
                    .collect(),
            )),
            Value::Ref(id) => self.kind(*id).map_or(Ty::Error, Ty::Ref),
            Value::Condition(_) => Ty::Condition,
            Value::Formula(_) => Ty::Formula,
            Value::Deferred(deferred) => deferred.ty.clone(),
            Value::Error => Ty::Error,
        }
    }
}

fn weight(items: &[Value]) -> usize {
    items.iter().map(weigh).sum::<usize>().max(items.len())
}

fn weigh(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + weight(items),
        Value::Record(fields) => 1 + fields.values().map(weigh).sum::<usize>(),
        _ => 1,
    }
}
