//! Other numbers for a pool → edits of the sources, where its numbers are literals.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_model::autoscale::Rule;
use dsvm_model::batch::BatchPool;
use dsvm_model::pool::Pool;
use dsvm_simulate::sweep::Knob;
use dsvm_syntax::ast::{BinaryOp, Block, Entry, Expr, ExprKind, File, HeadPart, ItemKind};

/// Where a pool and its rules are written; `None`: nowhere.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The block of the pool.
    pool: Option<Span>,
    /// The `when` blocks at work on it, and whether each makes it larger or smaller.
    rules: Vec<(Span, Turn)>,
    /// Its schedules: they have ranges of machines of their own.
    schedules: Vec<Span>,
}

/// In which direction a rule changes a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Grows,
    Shrinks,
    Sets,
}

/// Texts for places of the sources.
pub type Edits = Vec<(Span, String)>;

impl Places {
    pub(super) fn of(pool: &Pool<'_>) -> Self {
        let turn = |rule: &Rule<'_>| match rule.action {
            action if action.grows() => Turn::Grows,
            action if action.shrinks() => Turn::Shrinks,
            _ => Turn::Sets,
        };
        let policy = pool.autoscale.iter();
        let rules = policy
            .clone()
            .flat_map(|policy| policy.rules.iter().chain(policy.schedules.iter().flat_map(|schedule| &schedule.rules)));
        let mut rules: Vec<(Span, Turn)> = rules.map(|rule| (rule.block.span, turn(rule))).collect();
        // Schedules without rules of their own have those of the policy.
        rules.dedup();
        let mut kept: Vec<(Span, Turn)> = Vec::new();
        for rule in rules {
            if !kept.contains(&rule) {
                kept.push(rule);
            }
        }
        let schedules = policy.flat_map(|policy| &policy.schedules).map(|schedule| schedule.block.span).collect();
        Self { pool: Some(pool.block.span), rules: kept, schedules }
    }

    pub(super) fn of_batch(pool: &BatchPool<'_>) -> Self {
        Self { pool: Some(pool.block.span), ..Self::default() }
    }

    /// The edits that give the rules other numbers.
    ///
    /// # Errors
    /// A number is no literal, or is written in a unit that the sweep does not have; in one clause.
    pub fn rules(&self, sources: &SourceMap, choice: &[(Knob, u32)]) -> Result<Edits, String> {
        let mut edits = Edits::new();
        for (span, turn) in &self.rules {
            let files = Parsed::new(sources, *span)?;
            let when = files.block(*span).ok_or("a rule of the pool is not written in a file of the project")?;
            for (knob, value) in choice {
                match (knob, turn) {
                    (Knob::High, Turn::Grows) | (Knob::Low, Turn::Shrinks) => {
                        edits.push(files.threshold(when, *value)?);
                    }
                    (Knob::Cooldown, _) => edits.extend(files.cooldown(when, *value)?),
                    (Knob::Window, _) => edits.push(files.window(when, *value)?),
                    (Knob::High | Knob::Low, _) => {}
                }
            }
        }
        Ok(edits)
    }

    /// The edits that give the pool another size, and so many machines for each that it has: `numerator` for `denominator`.
    ///
    /// # Errors
    /// The size or a number of machines is no literal; in one clause.
    pub fn size(&self, sources: &SourceMap, size: &str, ratio: (u64, u64)) -> Result<Edits, String> {
        let at = self.pool.ok_or("the pool is not written in a file of the project")?;
        let files = Parsed::new(sources, at)?;
        let pool = files.block(at).ok_or("the pool is not written in a file of the project")?;
        let written = field(pool, "size").ok_or("its size comes from the block that it is made `from`")?;
        let named = matches!(&written.kind, ExprKind::Member(of, _) if matches!(&of.kind, ExprKind::Name(_)));
        if !named {
            return Err(format!("its size is not written as `sizes.NAME`, but as `{}`", files.text(written.span)));
        }
        let module = files.text(written.span).split_once('.').map_or("sizes", |(module, _)| module);
        let mut edits = vec![(written.span, format!("{module}.{size}"))];
        if ratio.0 == ratio.1 {
            return Ok(edits);
        }
        for span in std::iter::once(at).chain(self.schedules.iter().copied()) {
            let files = Parsed::new(sources, span)?;
            let Some(block) = files.block(span) else { continue };
            for name in ["machines", "spot_machines"] {
                if let Some(written) = field(block, name) {
                    files.scale(written, ratio, &mut edits)?;
                }
            }
        }
        Ok(edits)
    }
}

fn field<'a>(block: &'a Block, name: &str) -> Option<&'a Expr> {
    block.body.iter().flat_map(|body| &body.entries).find_map(|entry| match entry {
        Entry::Field(field) if &*field.name.value == name => Some(&field.value),
        _ => None,
    })
}

/// A file with its tree.
struct Parsed<'s> {
    source: dsvm_diagnostics::source::SourceId,
    text: &'s str,
    tree: File,
}

impl<'s> Parsed<'s> {
    fn new(sources: &'s SourceMap, at: Span) -> Result<Self, String> {
        let file = sources.get(at.source).ok_or("it is not written in a file of the project")?;
        let tree = dsvm_syntax::parse(at.source, &file.text, &mut Sink::default());
        Ok(Self { source: at.source, text: &file.text, tree })
    }

    fn text(&self, span: Span) -> &'s str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn block(&self, span: Span) -> Option<&Block> {
        let blocks = self.tree.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Block(block) => Some(&**block),
            _ => None,
        });
        blocks.into_iter().find_map(|block| inside(block, span))
    }

    /// The digits at the begin of a literal.
    fn number(&self, literal: &Expr, what: &str) -> Result<Span, String> {
        let text = self.text(literal.span);
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
        let plain = matches!(literal.kind, ExprKind::Int(_) | ExprKind::Decimal(_) | ExprKind::Quantity(..));
        if !plain || digits == 0 {
            return Err(format!("{what} is written as `{text}`, and other numbers come from there"));
        }
        Ok(Span { source: self.source, start: literal.span.start, end: literal.span.start + digits as u32 })
    }

    fn threshold(&self, when: &Block, to: u32) -> Result<(Span, String), String> {
        let Some(HeadPart::Expr(Expr { kind: ExprKind::Binary(_, _, threshold), .. })) = when.head.first() else {
            return Err("a condition of its rules is no comparison".to_owned());
        };
        if let ExprKind::Quantity(_, unit) = &threshold.kind
            && &*unit.value != "%"
        {
            return Err(format!("a threshold is written as `{}`, in another unit", self.text(threshold.span)));
        }
        Ok((self.number(threshold, "a threshold")?, to.to_string()))
    }

    fn window(&self, when: &Block, to: u32) -> Result<(Span, String), String> {
        let Some(HeadPart::Expr(Expr { kind: ExprKind::Binary(_, metric, _), .. })) = when.head.first() else {
            return Err("a condition of its rules is no comparison".to_owned());
        };
        let window = match &metric.kind {
            ExprKind::Call(_, arguments) => arguments.get(1).map(|argument| &argument.value),
            _ => None,
        };
        let window = window.ok_or("a condition of its rules has no window")?;
        self.number(window, "a window")?;
        Ok((window.span, format!("{to} min")))
    }

    /// The text of the cooldown, or one behind the action when none is written.
    fn cooldown(&self, when: &Block, to: u32) -> Result<Option<(Span, String)>, String> {
        let Some(body) = &when.body else { return Ok(None) };
        let blocks =
            || body.entries.iter().filter_map(|e| if let Entry::Block(block) = e { Some(block) } else { None });
        let written = blocks().find(|block| &*block.keyword.value == "cooldown").map(|block| block.head.first());
        match written {
            Some(Some(HeadPart::Expr(time))) => {
                self.number(time, "a cooldown")?;
                Ok(Some((time.span, format!("{to} min"))))
            }
            Some(_) => Err("a cooldown cannot be read".to_owned()),
            None => {
                let last = blocks().next_back().map(|block| block.span.end);
                Ok(last.map(|end| (Span { source: self.source, start: end, end }, format!(", cooldown {to} min"))))
            }
        }
    }

    /// Every number of `1..10 initially 2` by a ratio, rounded up.
    fn scale(&self, machines: &Expr, ratio: (u64, u64), edits: &mut Edits) -> Result<(), String> {
        match &machines.kind {
            ExprKind::Binary(operator, range, first) if operator.value == BinaryOp::Initially => {
                self.scale(range, ratio, edits)?;
                self.scale(first, ratio, edits)
            }
            ExprKind::Range(least, most) => {
                self.scale(least, ratio, edits)?;
                self.scale(most, ratio, edits)
            }
            ExprKind::Int(digits) => {
                let number = digits.replace('_', "").parse::<u64>().unwrap_or(u64::MAX);
                let to = number.saturating_mul(ratio.0).div_ceil(ratio.1.max(1));
                edits.push((self.number(machines, "its number of machines")?, to.to_string()));
                Ok(())
            }
            _ => self.number(machines, "its number of machines").map(drop),
        }
    }
}

fn inside(block: &Block, span: Span) -> Option<&Block> {
    if block.span == span {
        return Some(block);
    }
    let entries = block.body.iter().flat_map(|body| &body.entries);
    entries.into_iter().find_map(|entry| if let Entry::Block(block) = entry { inside(block, span) } else { None })
}
