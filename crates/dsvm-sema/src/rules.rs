//! `rule "…" for pool p { … }` → what a team demands of the blocks of every project that imports the file, and the blocks
//! that break it.
//!
//! A rule is judged in each run, as the checks of a project are: what only the deployment knows is not judged. Operands
//! that do not matter are not evaluated here, so that `p.size != null && p.size.gpus > 0` is fine.

use super::checked::{Block, ExemptFinding};
use super::eval::Eval;
use super::load::{DefKind, ModuleId, Program};
use super::table::{BlockKind, classes, kind_in, kind_of, kinds_at_top_level, spec, suggest};
use super::ty::Ty;
use super::value::{BlockId, Value};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Severity, Sink};
use dsvm_syntax::allow;
use dsvm_syntax::ast::{self, BinaryOp, Entry, Expr, ExprKind, HeadPart, Item, ItemKind, StringPart};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The word that begins a rule.
pub const KEYWORD: &str = "rule";
/// Most letters of the name of a rule.
const NAME: usize = 60;

/// What can be known of a rule without evaluating it.
#[derive(Clone, Debug)]
pub struct TeamRule {
    /// The text in quotes behind `rule`: letters, digits and hyphens.
    pub name: Arc<str>,
    /// Where it is written.
    pub span: Span,
    /// The first line of its doc comment.
    pub summary: Option<Arc<str>>,
    /// How much a finding weighs.
    pub severity: Severity,
    /// Whether a comment in a project can allow a finding.
    pub exceptions: bool,
}

/// A rule as it was written.
struct Rule<'p> {
    about: TeamRule,
    module: ModuleId,
    /// Kinds of block that it looks at, and the name that a block has in it; none: it looks at the project once.
    subject: Option<(Vec<BlockKind>, Arc<str>)>,
    /// Type of the resources, for `for resource r: "…"`.
    resource: Option<Arc<str>>,
    when: Vec<&'p Expr>,
    /// Conditions, each with what to say when it is false.
    checks: Vec<(&'p Expr, &'p Expr)>,
    help: Option<&'p Expr>,
}

/// The rules of a program, also those of the files that it imports. What is wrong with one is told, and it is left out.
#[must_use]
pub fn declared(program: &Program) -> Vec<TeamRule> {
    read(program, &mut Sink::default()).into_iter().map(|rule| rule.about).collect()
}

/// Reports what is wrong with the rules of a program.
pub(crate) fn check(program: &Program, sink: &mut Sink) {
    let _ = read(program, sink);
}

fn bad(title: impl Into<String>, span: Span, label: &str) -> Box<Diagnostic> {
    let made = Diagnostic::new(Code::BadRule, title, span, label);
    Box::new(made.help("`dsvmc explain DSVM0126` lists what a rule can say"))
}

fn read<'p>(program: &'p Program, sink: &mut Sink) -> Vec<Rule<'p>> {
    let mut all: Vec<Rule<'p>> = Vec::new();
    for (module, names) in program.own_modules() {
        for item in &names.rules {
            let ItemKind::Block(block) = &item.kind else { continue };
            match rule(item, block, module) {
                Ok(found) => match all.iter().find(|other| other.about.name == found.about.name) {
                    Some(other) => sink.push(
                        bad("two rules have this name", found.about.span, "the second")
                            .also(other.about.span, "the first"),
                    ),
                    None => all.push(found),
                },
                Err(diagnostic) => sink.push(*diagnostic),
            }
        }
    }
    all
}

fn text(expr: &Expr) -> Option<&Arc<str>> {
    match &expr.kind {
        ExprKind::String(parts) => match parts.as_slice() {
            [StringPart::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn word(expr: &Expr) -> Option<&Arc<str>> {
    if let ExprKind::Name(name) = &expr.kind { Some(name) } else { None }
}

/// Whether a name can stand in a comment and on a command line as it is.
fn is_name(name: &str) -> bool {
    name.len() <= NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

type Refused<T> = Result<T, Box<Diagnostic>>;

fn rule<'p>(item: &'p Item, block: &'p ast::Block, module: ModuleId) -> Refused<Rule<'p>> {
    let Some((HeadPart::Expr(first), rest)) = block.head.split_first() else {
        return Err(bad("a rule needs a name in quotes", block.keyword.span, "has none"));
    };
    let name = text(first).filter(|name| is_name(name));
    let Some(name) = name else {
        let made = bad("the name of a rule is lower-case words with hyphens, in quotes", first.span, "not such a name");
        return Err(Box::new(made.help("write, for instance, `rule \"gpu-pools-to-zero\"`")));
    };
    let (subject, resource) = subject(block, rest)?;
    let summary = item.doc.as_ref().and_then(|doc| doc.lines().find(|line| !line.trim().is_empty()));
    let mut rule = Rule {
        about: TeamRule {
            name: name.clone(),
            span: first.span,
            summary: summary.map(|line| Arc::from(line.trim().trim_end_matches('.'))),
            severity: Severity::Error,
            exceptions: false,
        },
        module,
        subject,
        resource,
        when: Vec::new(),
        checks: Vec::new(),
        help: None,
    };
    let Some(body) = &block.body else {
        return Err(bad("a rule needs a body in braces", first.span, "has none"));
    };
    for entry in &body.entries {
        match entry {
            Entry::Field(field) => set(&mut rule, &field.name, &field.value)?,
            Entry::Block(phrase) => part(&mut rule, phrase)?,
        }
    }
    if rule.checks.is_empty() && !body.incomplete {
        return Err(bad("this rule checks nothing", first.span, "cannot be broken"));
    }
    Ok(rule)
}

type Subject = (Option<(Vec<BlockKind>, Arc<str>)>, Option<Arc<str>>);

/// `for pool p: interactive`, behind the name.
fn subject(block: &ast::Block, rest: &[HeadPart]) -> Refused<Subject> {
    let (kind, variable) = match rest {
        [] => return Ok((None, None)),
        [HeadPart::Word(word_), HeadPart::Expr(kind), HeadPart::Expr(variable)] if &*word_.value == "for" => {
            (kind, variable)
        }
        [first, ..] => {
            let made = bad("`for`, a kind of block and a name are expected here", super::head::span(first), "this");
            return Err(Box::new(made.help("write, for instance, `for pool p`")));
        }
    };
    let top: Vec<&str> = kinds_at_top_level().map(BlockKind::keyword).collect();
    let Some(keyword) = word(kind).filter(|keyword| top.contains(&&***keyword)) else {
        let made = bad("this is no kind of block", kind.span, "unknown kind");
        let meant = word(kind).and_then(|keyword| suggest(keyword, top.iter().copied()));
        return Err(match meant {
            Some(meant) => Box::new(made.write_instead(meant, kind.span)),
            None => made,
        });
    };
    let Some(variable) = word(variable) else {
        return Err(bad("a name for the block is expected here", variable.span, "not a name"));
    };
    let all = |class: Option<&str>| -> Vec<BlockKind> {
        match class {
            Some(class) => kind_in(keyword, Some(class), None).into_iter().collect(),
            None => kinds_at_top_level()
                .chain(kind_of(keyword).into_iter().flat_map(|plain| {
                    classes(plain).filter_map(|class| kind_in(keyword, Some(class), None)).collect::<Vec<_>>()
                }))
                .filter(|kind| kind.keyword() == &**keyword)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }
    };
    let known: Vec<&str> = kind_of(keyword).into_iter().flat_map(classes).collect();
    let (kinds, resource) = match block.class.as_deref() {
        None => (all(None), None),
        Some(class) if &**keyword == BlockKind::Resource.keyword() => match text(class) {
            Some(ty) => (all(None), Some(ty.clone())),
            None => return Err(bad("the type of a resource is in quotes", class.span, "not in quotes")),
        },
        Some(class) => match word(class).filter(|class| known.contains(&&***class)) {
            Some(class) => (all(Some(class)), None),
            None => {
                let made = bad(format!("a {keyword} has no such class"), class.span, "unknown class");
                let listed: Vec<String> = known.iter().map(|class| format!("`{class}`")).collect();
                return Err(match listed.is_empty() {
                    true => Box::new(made.help("leave it out")),
                    false => Box::new(made.help(format!("write one of {}", listed.join(", ")))),
                });
            }
        },
    };
    Ok((Some((kinds, variable.clone())), resource))
}

fn set<'p>(rule: &mut Rule<'p>, name: &ast::Name, value: &'p Expr) -> Refused<()> {
    match &*name.value {
        "level" => {
            rule.about.severity = match word(value).map(|word| &**word) {
                Some("error") => Severity::Error,
                Some("warn") => Severity::Warning,
                Some("info") => Severity::Info,
                _ => {
                    let made = bad("this is no level", value.span, "unknown");
                    return Err(Box::new(made.help("write one of `error`, `warn`, `info`")));
                }
            }
        }
        "exceptions" => match &value.kind {
            ExprKind::Bool(allowed) => rule.about.exceptions = *allowed,
            _ => return Err(bad("`exceptions` is `true` or `false`", value.span, "neither")),
        },
        "help" => rule.help = Some(value),
        other => {
            let title = format!("a rule has no field `{other}`");
            let made = bad(title, name.span, "unknown");
            return Err(Box::new(made.help("the fields are `level`, `exceptions` and `help`")));
        }
    }
    Ok(())
}

fn part<'p>(rule: &mut Rule<'p>, phrase: &'p ast::Block) -> Refused<()> {
    let plain = phrase.body.is_none() && phrase.class.is_none();
    match (&*phrase.keyword.value, phrase.head.as_slice()) {
        ("when", [HeadPart::Expr(condition)]) if plain => rule.when.push(condition),
        ("check", [HeadPart::Expr(condition), HeadPart::Word(_), HeadPart::Expr(message)]) if plain => {
            rule.checks.push((condition, message));
        }
        ("check", [HeadPart::Expr(condition)]) if plain => {
            let made = bad("this check says nothing when it is false", condition.span, "has no message");
            return Err(Box::new(made.help("write `else \"…\"` behind it")));
        }
        (word @ ("when" | "check"), _) => {
            return Err(bad(format!("`{word}` is followed by one condition"), phrase.span, "not understood"));
        }
        (other, _) => {
            let made = bad(format!("`{other}` is not a part of a rule"), phrase.keyword.span, "unknown");
            return Err(Box::new(made.help("the parts are `when …` and `check … else \"…\"`")));
        }
    }
    Ok(())
}

impl Program {
    /// The rules that it declares and imports have an effect, whether or not their names are used.
    pub(crate) fn brings_rules(&self, module: ModuleId) -> bool {
        let mut open = vec![module];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            let Some(module) = self.module(next).filter(|module| !module.library && seen.insert(next)) else {
                continue;
            };
            if !module.rules.is_empty() {
                return true;
            }
            open.extend(module.defs.iter().filter_map(|def| match def.kind {
                DefKind::Namespace(from) | DefKind::Alias(from, _) => Some(from),
                _ => None,
            }));
        }
        false
    }
}

/// What the rules look at: blocks by kind, in the order of the program.
type Subjects = HashMap<BlockKind, Vec<BlockId>>;

/// A finding and where it stands, for blocks that are repeated.
struct Broken {
    diagnostic: Diagnostic,
    more: usize,
}

impl<'p> Eval<'p> {
    /// Holds every block against the rules; gives the findings that comments allow.
    pub(crate) fn team_rules(&mut self) -> Vec<ExemptFinding> {
        let rules = read(self.program, &mut Sink::default());
        if rules.is_empty() {
            return Vec::new();
        }
        let subjects = self.subjects();
        let mut exempt = Vec::new();
        for rule in &rules {
            // A rule that is wrong is told once, not by each block.
            if !self.check_names(rule) {
                continue;
            }
            let mut broken: BTreeMap<(Option<Span>, usize), Broken> = BTreeMap::new();
            match &rule.subject {
                None => {
                    if let Some(place) = self.project_place() {
                        self.judge(rule, None, place, &mut broken);
                    }
                }
                Some((kinds, _)) => {
                    for id in kinds.iter().filter_map(|kind| subjects.get(kind)).flatten() {
                        let Some(block) = self.blocks.get(id.0 as usize).and_then(Option::as_ref) else { continue };
                        let place = block.name_span;
                        let wanted = rule.resource.as_ref().is_none_or(|ty| {
                            let own = block.class.as_deref().and_then(|own| own.split('@').next());
                            own.is_some_and(|own| own.eq_ignore_ascii_case(ty.split('@').next().unwrap_or_default()))
                        });
                        if wanted && !self.judge(rule, Some(*id), place, &mut broken) {
                            break;
                        }
                    }
                }
            }
            for found in broken.into_values() {
                self.tell(rule, found, &mut exempt);
            }
        }
        exempt
    }

    /// Blocks that are deployed: not those of the library, not those that somebody else manages, and no bases.
    fn subjects(&self) -> Subjects {
        let mut subjects = Subjects::new();
        for (id, slot) in (0u32..).map(BlockId).zip(&self.slots) {
            let library = self.program.module(slot.module).is_some_and(|module| module.library);
            let base = slot.kind == BlockKind::Pool && slot.ast.class.is_none() && slot.ast.base.is_none();
            // A registry is always somebody else's.
            let foreign = slot.ast.existing.is_some() && slot.kind != BlockKind::Registry;
            if !library && !base && !foreign {
                subjects.entry(slot.kind).or_default().push(id);
            }
        }
        subjects
    }

    fn project_place(&self) -> Option<Span> {
        self.slots.iter().find(|slot| slot.kind == BlockKind::Project).map(|slot| slot.name_span)
    }

    /// One rule and one block; `false` when the rule itself is wrong.
    fn judge(
        &mut self,
        rule: &Rule<'p>,
        block: Option<BlockId>,
        place: Span,
        broken: &mut BTreeMap<(Option<Span>, usize), Broken>,
    ) -> bool {
        let own = std::mem::take(&mut self.sink);
        let lazy = std::mem::replace(&mut self.lazy, true);
        let steps = self.fresh_steps();
        let local = rule.subject.as_ref().map(|(_, variable)| variable.clone()).zip(block.map(Value::Ref));
        let work = |eval: &mut Self| {
            for condition in &rule.when {
                if eval.eval_as(condition, &Ty::Bool) != Value::Bool(true) {
                    return Vec::new();
                }
            }
            let mut found = Vec::new();
            for (at, (condition, message)) in rule.checks.iter().enumerate() {
                if eval.eval_as(condition, &Ty::Bool) == Value::Bool(false) {
                    let (title, help) = (eval.sentence(message), rule.help.map(|help| eval.sentence(help)));
                    // The run of an env has the values that a text lacks.
                    if eval.pass_is_symbolic() && (title.is_none() || help == Some(None)) {
                        continue;
                    }
                    let title = title.unwrap_or_else(|| format!("the rule `{}` is broken", rule.about.name));
                    found.push((at, *condition, title, help.flatten()));
                }
            }
            found
        };
        let found = self.inside(rule.module, |eval| match local {
            Some((name, value)) => eval.with_local(name, value, work),
            None => work(eval),
        });
        self.restore_steps(steps);
        self.lazy = lazy;
        let told = std::mem::replace(&mut self.sink, own);
        // What is wrong is the rule, and this block shows it. What cannot be computed before the deployment is not judged; the
        // symbolic run knows too little of the values to complain.
        let symbolic = self.pass_is_symbolic();
        let told = told.finish().into_iter().filter(|finding| match finding.code {
            Code::NotAtDeployment | Code::NotEarly => false,
            Code::SecretExposed => true,
            _ => !symbolic,
        });
        let mut right = true;
        self.sink.extend(told.map(|finding| {
            right &= finding.severity != Severity::Error;
            let here = finding.primary() == Some(place);
            if here { finding } else { finding.also(place, format!("asked of this by `{}`", rule.about.name)) }
        }));
        for (at, condition, title, help) in found {
            let declared = block.and_then(|id| self.blocks.get(id.0 as usize)?.as_ref());
            let variable = rule.subject.as_ref().map(|(_, variable)| &**variable);
            let field = declared.zip(variable).and_then(|(block, variable)| field_of(condition, variable, block));
            let span = field.unwrap_or(place);
            let mut made =
                Diagnostic::new(Code::RuleBroken, title, span, "breaks the rule").also(rule.about.span, "the rule");
            made.notes.extend(rule.about.summary.as_ref().map(ToString::to_string));
            made.rule = Some(rule.about.name.to_string().into());
            made.severity = rule.about.severity;
            made.help.extend(help);
            // One line can declare many blocks.
            broken
                .entry((made.primary(), at))
                .and_modify(|first| first.more += 1)
                .or_insert(Broken { diagnostic: made, more: 0 });
        }
        right
    }

    /// A text of the rule with its values; none while one of them is known at deployment only.
    fn sentence(&mut self, expr: &'p Expr) -> Option<String> {
        let value = self.eval_as(expr, &Ty::String);
        if self.refuse_secret(&value, expr.span, "the message of a rule") {
            return None;
        }
        if let Value::String(text) = value { Some(text.to_string()) } else { None }
    }

    /// Reports a finding, unless a comment allows it and the rule lets it.
    fn tell(&mut self, rule: &Rule<'p>, found: Broken, exempt: &mut Vec<ExemptFinding>) {
        let Broken { mut diagnostic, more } = found;
        match more {
            0 => {}
            1 => diagnostic = diagnostic.note("the same is true of one other that is declared here"),
            more => diagnostic = diagnostic.note(format!("the same is true of {more} others that are declared here")),
        }
        let program = self.program;
        let comment = diagnostic.primary().and_then(|place| program.exception(&rule.about.name, place));
        match comment {
            Some((comment, reason)) if rule.about.exceptions => {
                exempt.push(ExemptFinding { diagnostic, reason: reason.clone(), comment: comment.span });
            }
            Some((comment, _)) => {
                let text = "has no effect: the rule allows no exceptions";
                self.report(diagnostic.also(comment.span, text));
            }
            None => {
                self.report(diagnostic);
            }
        }
    }

    /// Names that a rule misspells are told also where no block brings it to use them; `false` when there are any.
    fn check_names(&mut self, rule: &Rule<'p>) -> bool {
        let kinds: Vec<Option<BlockKind>> = match &rule.subject {
            None => vec![None],
            Some((kinds, _)) => kinds.iter().copied().map(Some).collect(),
        };
        let mut told: Option<Vec<Diagnostic>> = None;
        for kind in kinds {
            let own = std::mem::take(&mut self.sink);
            let expressions: Vec<&'p Expr> = rule
                .when
                .iter()
                .copied()
                .chain(rule.checks.iter().flat_map(|(condition, message)| [*condition, *message]))
                .chain(rule.help)
                .collect();
            let variable = rule.subject.as_ref().map(|(_, variable)| variable.clone());
            self.unbound += 1;
            let lazy = std::mem::replace(&mut self.lazy, true);
            self.inside(rule.module, |eval| {
                let work = |eval: &mut Self| {
                    for expr in expressions {
                        eval.eval(expr);
                    }
                };
                match variable.zip(kind) {
                    Some((name, kind)) => {
                        let value = super::eval::unbound(Ty::Ref(kind), &name);
                        eval.with_local(name, value, work);
                    }
                    None => work(eval),
                }
            });
            self.lazy = lazy;
            self.unbound -= 1;
            let mut found = std::mem::replace(&mut self.sink, own).finish();
            found.retain(|finding| matches!(finding.code.number(), 101..=199));
            // What one of the kinds has is fine: `when` may lead to it alone.
            told = Some(match told {
                None => found,
                Some(before) => before
                    .into_iter()
                    .filter(|one| found.iter().any(|other| other.primary() == one.primary()))
                    .collect(),
            });
        }
        let told = told.unwrap_or_default();
        let right = told.is_empty();
        if self.pass_is_symbolic() {
            self.sink.extend(told);
        }
        right
    }
}

/// Where a block sets the first of its fields that a condition reads.
fn field_of(condition: &Expr, variable: &str, block: &Block) -> Option<Span> {
    let mut open: Vec<&Expr> = vec![condition];
    let mut found: Option<(u32, Span)> = None;
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Member(of, name) if word(of).is_some_and(|word| **word == *variable) => {
                let at = block.place_of(&name.value).filter(|_| &*name.value != "name");
                if let Some(at) = at.filter(|_| found.is_none_or(|(first, _)| expr.span.start < first)) {
                    found = Some((expr.span.start, at));
                }
            }
            ExprKind::Member(of, _) | ExprKind::Unary(_, of) => open.push(of),
            ExprKind::Binary(op, left, right) if op.value != BinaryOp::Of => open.extend([&**left, &**right]),
            ExprKind::Index(left, right) | ExprKind::Range(left, right) => open.extend([&**left, &**right]),
            ExprKind::Call(callee, arguments) => {
                open.push(callee);
                open.extend(arguments.iter().map(|argument| &argument.value));
            }
            ExprKind::List(items) => open.extend(items),
            ExprKind::Comprehension(inner) => {
                open.extend([&inner.list, &inner.value]);
                open.extend(inner.condition.as_ref());
            }
            ExprKind::If(a, b, c) => open.extend([&**a, &**b, &**c]),
            _ => {}
        }
    }
    found.map(|(_, at)| at)
}

impl Program {
    /// The comment that allows what a rule finds there, with its reason.
    fn exception(&self, rule: &str, place: Span) -> Option<(&allow::Allowance, &Arc<str>)> {
        let named = |one: &&allow::Allowance| one.rules.iter().any(|(name, _)| **name == *rule);
        let comment = self.allowances.iter().filter(|one| one.covers(place)).find(named)?;
        Some((comment, comment.reason.as_ref()?))
    }
}

/// Fields that a block of a kind can be asked for besides those of the table: its nested blocks.
pub(crate) fn nested(kind: BlockKind, name: &str) -> Option<(BlockKind, u32)> {
    spec(kind).children.iter().copied().find(|(child, _)| child.keyword() == name)
}
