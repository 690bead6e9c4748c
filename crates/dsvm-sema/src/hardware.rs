//! `smallest(gpu >= 1 of A100, memory >= 200 GiB)`: hardware by need. Of all sizes that fit, the one with the fewest
//! virtual processors, then the least memory, then the fewest GPUs, then the first by name.
//!
//! Sizes whose end is announced are not offered.

use super::checked::Block;
use super::compiled::compiled;
use super::diags;
use super::eval::{Eval, Pass};
use super::fit::{compare, deferred_part};
use super::library;
use super::load::{Def, DefId, DefKind, NoText, Program, load};
use super::table::{BlockKind, suggest, suggest_word};
use super::value::{BlockId, Value};
use dsvm_diagnostics::source::{SourceFile, SourceMap, Span};
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvm_syntax::ast::{Argument, BinaryOp, Expr, ExprKind, ItemKind};
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

/// Sizes of the standard library with their index in its module, evaluated once per process.
pub(crate) static LIBRARY: LazyLock<Vec<(u32, Block)>> = LazyLock::new(|| {
    static EMPTY: LazyLock<Program> = LazyLock::new(Program::default);
    let mut eval = Eval::new(&EMPTY, Pass::Symbolic);
    let Some(home) = library::find("sizes") else { return Vec::new() };
    let defs = EMPTY.module(home).map_or(0, |module| module.defs.len() as u32);
    let nowhere = Span::new(dsvm_diagnostics::source::SourceId::file(0), 0, 0);
    let mut sizes = Vec::new();
    for index in 0..defs {
        let id = DefId { module: home, index };
        let is_size = EMPTY.def(id).and_then(Def::keyword) == Some(BlockKind::Size.keyword());
        if is_size && let Value::Ref(block) = eval.def_value(id, "", nowhere) {
            eval.finish(block, nowhere);
            sizes.extend(eval.blocks.get(block.0 as usize).cloned().flatten().map(|block| (index, block)));
        }
    }
    sizes
});

/// A size of the standard library, for a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FittingSize {
    /// As Azure spells it.
    pub name: String,
    /// Quota family, as the quota list spells it.
    pub family: Option<String>,
    /// Virtual processors of one machine.
    pub vcpu: i64,
    /// Virtual processors that quota counts: of a constrained size those of its parent.
    pub quota_vcpu: i64,
    /// Bytes of main memory of one machine.
    pub memory: i64,
    /// Number of GPUs; less than 1 when machines share one.
    pub gpu: Decimal,
    /// Short name of the GPU.
    pub gpu_model: Option<String>,
    /// From this day it cannot be deployed.
    pub retired: Option<Date>,
    /// Its end was announced, with or without a day.
    pub ends: bool,
    /// Its processors run at full speed only while there are credits.
    pub bursts: bool,
}

impl FittingSize {
    fn of(block: &Block) -> Option<Self> {
        let text = |name: &str| match block.get(name) {
            Some(Value::String(text)) => Some(text.to_string()),
            _ => None,
        };
        let whole = |name: &str| match block.get(name) {
            Some(Value::Int(number) | Value::Size(number)) => Some(*number),
            _ => None,
        };
        let gpu = match block.get("gpu") {
            Some(Value::Decimal(count)) => *count,
            _ => Decimal::ZERO,
        };
        let retirement = block.children(BlockKind::Retirement).next();
        let retired = retirement.and_then(|retirement| match retirement.get("retired") {
            Some(Value::Date(day)) => Some(*day),
            _ => None,
        });
        Some(Self {
            name: text("name").unwrap_or_else(|| block.name.to_string()),
            family: text("family"),
            vcpu: whole("vcpu")?,
            quota_vcpu: whole("quota_vcpu").or_else(|| whole("vcpu"))?,
            memory: whole("memory")?,
            gpu,
            gpu_model: text("gpu_model"),
            retired,
            ends: retirement.is_some(),
            bursts: matches!(block.get("burst_base"), Some(Value::Percent(_))),
        })
    }
}

/// Sizes of the standard library that fit, also those that end, and what is wrong with the needs.
pub struct Fitting {
    /// The needs as a file, for messages that point into them.
    pub sources: SourceMap,
    /// Why the needs cannot be read; then no size fits.
    pub diagnostics: Vec<Diagnostic>,
    /// In the order of the library.
    pub sizes: Vec<FittingSize>,
}

/// The sizes of the standard library that fit needs in the words of `smallest(…)`: `gpu >= 1 of A100`. Without needs, all.
#[must_use]
pub fn fitting(needs: Option<&str>) -> Fitting {
    let mut sources = SourceMap::default();
    let (mut sink, mut sizes) = (Sink::default(), Vec::new());
    match needs {
        None => sizes.extend(LIBRARY.iter().filter_map(|(_, block)| FittingSize::of(block))),
        Some(needs) => {
            // The text of a definition, so that needs are read and explained exactly as in a project.
            let source = sources.add(SourceFile::new("needs", format!("let size = smallest({needs})\n")));
            let program = load(&[source], &mut sources, &mut |_| Err(NoText::Missing), &mut sink);
            if !sink.has_errors() {
                let mut eval = Eval::new(&program, Pass::Symbolic);
                let found = eval.inside(program.main(), |eval| eval.sizes_of_definition(&program));
                sink.extend(std::mem::take(&mut eval.sink).finish());
                sizes.extend(found.into_iter().flatten());
            }
        }
    }
    if sink.has_errors() {
        sizes.clear();
    }
    Fitting { sources, diagnostics: sink.finish(), sizes }
}

/// A size that could be chosen.
#[derive(Clone, Copy)]
pub(crate) enum Candidate {
    /// One of the library, by its place in [`LIBRARY`].
    Library(usize),
    /// One that the project declares.
    Own(BlockId),
}

/// One need: a field of a size, compared.
pub(crate) struct Need {
    field: &'static str,
    operator: BinaryOp,
    value: Value,
    /// `1 of A100`: the model that is counted.
    model: Option<Arc<str>>,
    span: Span,
}

impl Need {
    /// What spot machines need: a size that Azure is not known to refuse them in.
    pub(crate) fn spot(span: Span) -> Self {
        Self { field: "spot", operator: BinaryOp::NotEqual, value: Value::String(Arc::from("no")), model: None, span }
    }
}

impl<'p> Eval<'p> {
    pub(crate) fn smallest(&mut self, arguments: &'p [Argument], span: Span) -> Value {
        let Some(needs) = self.needs(arguments, "smallest", span) else { return Value::Error };
        match self.that_fit(&needs, span) {
            Ok(fitting) => match fitting.split_first() {
                Some((best, rest)) => {
                    let others: Vec<String> = rest.iter().take(3).map(|size| self.size_text(*size)).collect();
                    let chosen = self.size_text(*best);
                    self.report_value(diags::size_chosen(&chosen, &others, rest.len(), span));
                    self.chosen(*best, span)
                }
                None => Value::Error,
            },
            Err(value) => value,
        }
    }

    /// The sizes that meet all needs, the smallest first; at least one. Reported when none does.
    pub(crate) fn that_fit(&mut self, needs: &[Need], span: Span) -> Result<Vec<Candidate>, Value> {
        self.use_sizes();
        // A choice looks at every size.
        if !self.step(LIBRARY.len(), span) {
            return Err(Value::Error);
        }
        let mut fitting: Vec<Candidate> = Vec::new();
        let mut nearest: Option<((usize, i64), Candidate)> = None;
        for candidate in self.all_sizes(span) {
            let Some(block) = self.size(candidate) else { continue };
            if block.children(BlockKind::Retirement).next().is_some() {
                continue;
            }
            let count = needs.iter().filter(|need| meets(block, need)).count();
            let met = (count, needs.iter().map(|need| share(block, need)).sum());
            if count == needs.len() {
                fitting.push(candidate);
            } else if nearest
                .is_none_or(|(best, other)| met > best || met == best && self.order(candidate, other) == Ordering::Less)
            {
                nearest = Some((met, candidate));
            }
        }
        fitting.sort_by(|a, b| self.order(*a, *b));
        if !fitting.is_empty() {
            return Ok(fitting);
        }
        let near = nearest.map(|(_, candidate)| {
            let block = self.size(candidate);
            let missed: Vec<Span> = needs
                .iter()
                .filter(|need| block.is_some_and(|block| !meets(block, need)))
                .map(|need| need.span)
                .collect();
            (self.size_text(candidate), missed)
        });
        Err(self.report_value(diags::no_size_fits(near, span)))
    }

    /// The value of a choice: the block of the size.
    pub(crate) fn chosen(&mut self, size: Candidate, span: Span) -> Value {
        match size {
            Candidate::Own(id) => Value::Ref(id),
            Candidate::Library(at) => {
                let found = LIBRARY.get(at).zip(library::find("sizes"));
                match found {
                    Some(((index, _), module)) => self.def_value(DefId { module, index: *index }, "", span),
                    None => Value::Error,
                }
            }
        }
    }

    /// Sizes that fit the first definition of the program, a call of `smallest`.
    fn sizes_of_definition(&mut self, program: &'p Program) -> Option<Vec<FittingSize>> {
        let item = match &program.module(program.main())?.defs.first()?.kind {
            DefKind::Item(item) => item,
            _ => return None,
        };
        let ItemKind::Let(definition) = &item.kind else { return None };
        let ExprKind::Call(_, arguments) = &definition.value.kind else {
            self.report(diags::need_without_operator(definition.value.span));
            return None;
        };
        let needs = self.needs(arguments, "smallest", definition.value.span)?;
        let fits = |block: &&Block| needs.iter().all(|need| meets(block, need));
        Some(LIBRARY.iter().map(|(_, block)| block).filter(fits).filter_map(FittingSize::of).collect())
    }

    /// What is needed; `None` after a report.
    pub(crate) fn needs(
        &mut self,
        arguments: impl IntoIterator<Item = &'p Argument>,
        function: &str,
        span: Span,
    ) -> Option<Vec<Need>> {
        let mut needs = Vec::new();
        for argument in arguments {
            if let Some(name) = &argument.name {
                self.report(diags::need_without_operator(name.span));
                return None;
            }
            needs.push(self.need(&argument.value)?);
        }
        if needs.is_empty() {
            self.report(diags::need_nothing(function, span));
            return None;
        }
        Some(needs)
    }

    /// An import of `std.sizes` is used by a choice among them.
    fn use_sizes(&mut self) {
        let (here, program) = (self.module(), self.program);
        let Some(sizes) = library::find("sizes") else { return };
        for (index, def) in program.module(here).into_iter().flat_map(|module| &module.defs).enumerate() {
            if matches!(def.kind, DefKind::Namespace(module) if module == sizes) {
                self.used.insert(DefId { module: here, index: index as u32 });
            }
        }
    }

    pub(crate) fn size(&self, candidate: Candidate) -> Option<&Block> {
        match candidate {
            Candidate::Library(at) => LIBRARY.get(at).map(|(_, block)| block),
            Candidate::Own(id) => self.blocks.get(id.0 as usize).and_then(Option::as_ref),
        }
    }

    fn need(&mut self, expr: &'p Expr) -> Option<Need> {
        let row = compiled(BlockKind::Size);
        let ExprKind::Binary(op, left, right) = &expr.kind else {
            self.report(diags::need_without_operator(expr.span));
            return None;
        };
        let comparison = matches!(
            op.value,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual
        );
        let (ExprKind::Name(name), true) = (&left.kind, comparison) else {
            self.report(diags::need_without_operator(expr.span));
            return None;
        };
        let Some(index) = row.fields.get(&**name) else {
            let meant = suggest_word(name, row.spec.field_names());
            self.report(diags::unknown_need(name, left.span, meant));
            return None;
        };
        let field = row.name(*index);
        let (value, model) = match &right.kind {
            ExprKind::Binary(of, count, model) if of.value == BinaryOp::Of => match (&model.kind, field) {
                (ExprKind::Name(model), "gpu") => (count.as_ref(), Some(model.clone())),
                (ExprKind::String(_), "gpu") => match self.eval(model) {
                    Value::String(model) => (count.as_ref(), Some(model)),
                    _ => return None,
                },
                _ => {
                    self.report(diags::misplaced_of(of.span));
                    return None;
                }
            },
            _ => (right.as_ref(), None),
        };
        let ty = row.types.get(index.index())?;
        let value = self.eval_as(value, ty);
        if let Some(part) = deferred_part(&value) {
            let part = part.clone();
            // In a function that nobody has called yet, parameters have no values.
            if self.unbound == 0 {
                self.report(diags::not_early(&part, "the choice of a size", right.span));
            }
            return None;
        }
        if let Some(model) = &model {
            self.known_model(model, right.span)?;
        }
        (!matches!(value, Value::Error)).then_some(Need { field, operator: op.value, value, model, span: expr.span })
    }

    /// A GPU that no size has is a slip of the hand.
    fn known_model(&mut self, model: &str, span: Span) -> Option<()> {
        let mut models: Vec<String> = Vec::new();
        for id in self.all_sizes(span) {
            if let Some(Value::String(name)) = self.size(id).and_then(|block| block.get("gpu_model"))
                && !models.iter().any(|known| known == &**name)
            {
                models.push(name.to_string());
            }
        }
        if models.iter().any(|known| known.eq_ignore_ascii_case(model)) {
            return Some(());
        }
        let known: Vec<&str> = models.iter().map(String::as_str).collect();
        let meant = suggest(model, known.iter().copied());
        self.report(diags::not_one_of(model, &known, meant, span));
        None
    }

    /// Every size: those of the library and those of the project.
    fn all_sizes(&mut self, span: Span) -> Vec<Candidate> {
        if self.sizes.is_none() {
            let program = self.program;
            let mut ids = Vec::new();
            for (module, names) in program.own_modules() {
                for (index, def) in names.defs.iter().enumerate() {
                    if def.keyword() != Some(BlockKind::Size.keyword()) {
                        continue;
                    }
                    let id = DefId { module, index: index as u32 };
                    match self.def_value(id, &def.name, span) {
                        Value::Ref(id) => ids.push(id),
                        Value::Record(fields) => ids.extend(fields.values().filter_map(|value| match value {
                            Value::Ref(id) => Some(*id),
                            _ => None,
                        })),
                        _ => {}
                    }
                }
            }
            for id in &ids {
                self.finish(*id, span);
            }
            self.sizes = Some(ids);
        }
        self.reached |= self.sizes.iter().flatten().any(|id| self.reaches(*id));
        let own = self.sizes.iter().flatten().map(|id| Candidate::Own(*id));
        (0..LIBRARY.len()).map(Candidate::Library).chain(own).collect()
    }

    fn order(&self, a: Candidate, b: Candidate) -> Ordering {
        let key = |candidate: Candidate| {
            let block = self.size(candidate);
            let number = |name: &str| match block.and_then(|block| block.get(name)) {
                Some(Value::Int(number) | Value::Size(number)) => Decimal::from(*number),
                Some(Value::Decimal(number)) => *number,
                _ => Decimal::ZERO,
            };
            (number("vcpu"), number("memory"), number("gpu"), block.map(|block| block.name.clone()))
        };
        key(a).cmp(&key(b))
    }

    /// `Standard_NC24ads_A100_v4 (24 vCPU, 220 GiB, 1 × A100)`
    pub(crate) fn size_text(&self, candidate: Candidate) -> String {
        let Some(block) = self.size(candidate) else { return String::new() };
        let shown = |name: &str| block.get(name).map(ToString::to_string).unwrap_or_default();
        let gpus = match (block.get("gpu"), block.get("gpu_model")) {
            (Some(Value::Decimal(count)), Some(Value::String(model))) if !count.is_zero() => {
                let count = if count.fract().is_zero() {
                    count.to_i64().map_or_else(|| count.to_string(), |count| count.to_string())
                } else {
                    count.normalize().to_string()
                };
                format!(", {count} × {model}")
            }
            _ => String::new(),
        };
        format!("`{}` ({} vCPU, {}{gpus})", block.name, shown("vcpu"), shown("memory"))
    }
}

fn meets(block: &Block, need: &Need) -> bool {
    if let Some(model) = &need.model {
        match block.get("gpu_model") {
            Some(Value::String(name)) if name.eq_ignore_ascii_case(model) => {}
            _ => return false,
        }
    }
    let Some(has) = block.get(need.field) else { return false };
    let order = compare(has, &need.value);
    match need.operator {
        BinaryOp::Equal => order.map_or_else(|| has == &need.value, Ordering::is_eq),
        BinaryOp::NotEqual => order.map_or_else(|| has != &need.value, Ordering::is_ne),
        BinaryOp::Less => order == Some(Ordering::Less),
        BinaryOp::LessOrEqual => order.is_some_and(Ordering::is_le),
        BinaryOp::Greater => order == Some(Ordering::Greater),
        BinaryOp::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        _ => false,
    }
}

/// How much of a need a size meets, in thousandths.
fn share(block: &Block, need: &Need) -> i64 {
    let number = |value: &Value| match value {
        Value::Int(n) | Value::Size(n) | Value::Duration(n) => Some(Decimal::from(*n)),
        Value::Decimal(n) | Value::Percent(n) => Some(*n),
        _ => None,
    };
    if meets(block, need) {
        return 1000;
    }
    let grows = matches!(need.operator, BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::Equal);
    let model = need.model.as_ref().is_none_or(
        |model| matches!(block.get("gpu_model"), Some(Value::String(name)) if name.eq_ignore_ascii_case(model)),
    );
    let part = block.get(need.field).and_then(number).zip(number(&need.value));
    match part {
        Some((has, wanted)) if grows && model && wanted > Decimal::ZERO => {
            let thousandths = has.checked_mul(Decimal::from(1000)).and_then(|has| has.checked_div(wanted));
            thousandths.and_then(|n| n.trunc().to_i64()).unwrap_or(0).clamp(0, 999)
        }
        _ => 0,
    }
}
