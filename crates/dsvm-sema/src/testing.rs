//! `test "…" { … }` → test cases: what is given, and what is expected. Evaluates the expressions in them with the values of
//! their env; whoever runs the tests compares.

use super::eval::Eval;
use super::load::Program;
use super::rules::TeamRule;
use super::table::suggest;
use super::value::Value;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use dsvm_syntax::ast::{self, BinaryOp, Entry, Expr, ExprKind, HeadPart, StringPart};
use jiff::civil::Date;
use std::sync::Arc;

/// The word that begins a test.
pub const KEYWORD: &str = "test";

/// One test, as it was written.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// The text in quotes behind `test`; no other test of the project has the same.
    pub name: Arc<str>,
    /// The head of the test.
    pub span: Span,
    /// The env whose values count, and where it was written; else the only env, or the defaults.
    pub env: Option<ast::Name>,
    /// The day that retirement dates are compared with.
    pub as_of: Option<Date>,
    /// File of live resources that plans are made against, relative to the file of the test; else nothing is deployed yet.
    pub live: Option<ast::Name>,
    /// Values of parameters that replace those of the env.
    pub given: Vec<(ast::Name, Expr)>,
    /// At least one, as they were written.
    pub expectations: Vec<Expectation>,
}

/// Something that a test expects.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// From `expect` to its end.
    pub span: Span,
    /// What is looked at.
    pub kind: Expected,
}

/// The forms of `expect`, each with what it compares.
#[derive(Clone, Debug)]
pub enum Expected {
    /// A condition over the values of the project.
    Value(Box<Expr>),
    /// Resources of a type and name, which may hold `*`.
    Resources {
        /// `no resource`: none may be there.
        absent: bool,
        /// Full type, such as `Microsoft.Compute/virtualMachineScaleSets`.
        kind: ast::Name,
        /// Name; every name if omitted.
        name: Option<ast::Name>,
        /// Paths of properties with their values; `count` is the number of resources.
        properties: Vec<(ast::Name, Expr)>,
    },
    /// A diagnostic, by its severity and code.
    Diagnostic {
        /// `no`: none may be there.
        absent: bool,
        /// `error`, `warning` or `hint`.
        severity: dsvm_diagnostics::Severity,
        /// Its code; any if omitted.
        code: Option<ast::Name>,
        /// The team rule that finds it, in quotes; any if omitted.
        rule: Option<ast::Name>,
        /// The line that it is on, after `at`; any if omitted.
        line: Option<u32>,
    },
    /// Outputs of the deployment, by name.
    Outputs(Vec<(ast::Name, Expr)>),
    /// Numbers of a plan, by name: `create`, `update`, `replace`, `delete`, `machines_removed`, …
    Plan(Vec<(ast::Name, Expr)>),
    /// Numbers of a simulation of a pool.
    Simulation {
        /// The pool that is simulated.
        pool: ast::Name,
        /// What people and jobs ask for, in words.
        workload: ast::Name,
        /// Numbers of [`SIMULATION_FIELDS`] with a value or a range, and those of [`SIMULATION_GIVEN`].
        numbers: Vec<(ast::Name, Expr)>,
    },
}

/// The tests of a program. What is wrong with one is told, and it is left out.
pub fn cases(program: &Program, sink: &mut Sink) -> Vec<TestCase> {
    let mut all: Vec<TestCase> = Vec::new();
    let mut blocks = program.test_items().peekable();
    let rules = if blocks.peek().is_some() { super::rules::declared(program) } else { Vec::new() };
    for block in blocks {
        match case(block, &rules) {
            Ok(found) => match all.iter().find(|other| other.name == found.name) {
                Some(other) => sink
                    .push(bad("two tests have this name", found.span, "is the second").also(other.span, "the first")),
                None => all.push(found),
            },
            Err(diagnostic) => sink.push(*diagnostic),
        }
    }
    all
}

fn bad(title: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::BadTest, title, span, label).help("`dsvmc explain DSVM0125` lists what a test can say")
}

type Refused<T> = Result<T, Box<Diagnostic>>;

fn refuse<T>(title: impl Into<String>, span: Span, label: &str) -> Refused<T> {
    Err(Box::new(bad(title, span, label)))
}

/// A text without interpolations.
fn text(expr: &Expr) -> Option<ast::Name> {
    let ExprKind::String(parts) = &expr.kind else { return None };
    let value = match parts.as_slice() {
        [] => Arc::from(""),
        [StringPart::Text(text)] => text.clone(),
        _ => return None,
    };
    Some(ast::Name { value, span: expr.span })
}

fn word(expr: &Expr) -> Option<&str> {
    if let ExprKind::Name(name) = &expr.kind { Some(name) } else { None }
}

fn case(block: &ast::Block, rules: &[TeamRule]) -> Refused<TestCase> {
    let name = match block.head.as_slice() {
        [HeadPart::Expr(expr)] => text(expr),
        _ => None,
    };
    let Some(name) = name else { return refuse("a test needs a name in quotes", block.keyword.span, "a test") };
    let span = Span::new(name.span.source, block.keyword.span.start, name.span.end);
    let (env, as_of, live) = (None, None, None);
    let mut case = TestCase { name: name.value, span, env, as_of, live, given: Vec::new(), expectations: Vec::new() };
    let Some(body) = &block.body else { return refuse("a test needs a body in braces", span, "has none") };
    for entry in &body.entries {
        match entry {
            Entry::Field(field) => match &*field.name.value {
                "env" => match word(&field.value) {
                    Some(env) => case.env = Some(ast::Name { value: Arc::from(env), span: field.value.span }),
                    None => return refuse("`env` names an env of the project", field.value.span, "is no name"),
                },
                "as_of" => match &field.value.kind {
                    ExprKind::Date(date) => match date.parse() {
                        Ok(date) => case.as_of = Some(date),
                        Err(_) => return refuse("there is no such day", field.value.span, "in no calendar"),
                    },
                    _ => return refuse("`as_of` is a date such as 2027-06-01", field.value.span, "is no date"),
                },
                "live" => match text(&field.value) {
                    Some(path) => case.live = Some(path),
                    None => return refuse("`live` is the path of a file, in quotes", field.value.span, "is no path"),
                },
                other => {
                    let title = format!("a test has no field `{other}`");
                    return Err(Box::new(
                        bad(title, field.name.span, "unknown").help("the fields are `env`, `as_of` and `live`"),
                    ));
                }
            },
            Entry::Block(block) => match &*block.keyword.value {
                "given" if block.head.is_empty() => case.given.extend(fields(block)?),
                "expect" => case.expectations.push(expectation(block, rules)?),
                other => {
                    let title = format!("`{other}` is not a part of a test");
                    return Err(Box::new(
                        bad(title, block.keyword.span, "unknown").help("the parts are `given { … }` and `expect …`"),
                    ));
                }
            },
        }
    }
    if case.expectations.is_empty() {
        return refuse("this test expects nothing", span, "cannot fail");
    }
    Ok(case)
}

/// The fields of a body, which holds nothing else.
fn fields(block: &ast::Block) -> Refused<Vec<(ast::Name, Expr)>> {
    let entries = block.body.iter().flat_map(|body| &body.entries);
    let each = entries.map(|entry| match entry {
        Entry::Field(field) => Ok((field.name.clone(), field.value.clone())),
        Entry::Block(inner) => refuse("only `name = value` is expected here", inner.span, "is something else"),
    });
    each.collect()
}

fn expectation(block: &ast::Block, rules: &[TeamRule]) -> Refused<Expectation> {
    let parts: Vec<&Expr> =
        block.head.iter().filter_map(|part| if let HeadPart::Expr(expr) = part { Some(expr) } else { None }).collect();
    let (absent, rest) = match parts.split_first() {
        Some((first, rest)) if word(first) == Some("no") && !rest.is_empty() => (true, rest),
        _ => (false, parts.as_slice()),
    };
    let Some((first, rest)) = rest.split_first() else {
        return refuse("`expect` says nothing", block.keyword.span, "what is expected is missing");
    };
    use dsvm_diagnostics::Severity;
    let severity = |word: &str| match word {
        "error" | "errors" => Some(Severity::Error),
        "warning" | "warnings" => Some(Severity::Warning),
        "hint" | "hints" => Some(Severity::Info),
        _ => None,
    };
    let kind = match word(first) {
        Some("resource" | "resources") => {
            let names: Option<Vec<ast::Name>> = rest.iter().map(|part| text(part)).collect();
            let (kind, name) = match names.as_deref() {
                Some([kind]) => (kind.clone(), None),
                Some([kind, name]) => (kind.clone(), Some(name.clone())),
                _ => {
                    return refuse("`expect resource` needs a type, and perhaps a name, in quotes", block.span, "here");
                }
            };
            Expected::Resources { absent, kind, name, properties: fields(block)? }
        }
        Some(word_) if severity(word_).is_some() => {
            let at = block.head.iter().position(|part| matches!(part, HeadPart::Word(word) if &*word.value == "at"));
            let number = |expr: &Expr| if let ExprKind::Int(digits) = &expr.kind { digits.parse().ok() } else { None };
            let line = if at.is_some() { rest.last().and_then(|last| number(last)) } else { None };
            if at.is_some() && line.is_none() {
                return refuse("`at` is followed by the number of a line", block.span, "has no number");
            }
            let code = rest.first().and_then(|code| Some(ast::Name { value: Arc::from(word(code)?), span: code.span }));
            if let Some(code) = code.as_ref().filter(|code| Code::named(&code.value).is_none()) {
                return refuse(format!("there is no diagnostic `{}`", code.value), code.span, "unknown code");
            }
            let rule = rest.first().and_then(|rule| text(rule));
            if let Some(rule) = rule.as_ref().filter(|rule| !rules.iter().any(|known| known.name == rule.value)) {
                let made = bad(format!("there is no rule `{}`", rule.value), rule.span, "unknown rule");
                let meant = suggest(&rule.value, rules.iter().map(|known| &*known.name));
                return Err(Box::new(match meant {
                    Some(meant) => made.write_instead(&format!("\"{meant}\""), rule.span),
                    None => made.help("the project and the files that it imports declare no such rule"),
                }));
            }
            let severity = severity(word_).unwrap_or(Severity::Error);
            Expected::Diagnostic { absent, severity, code, rule, line }
        }
        Some("output" | "outputs") if rest.is_empty() && block.body.is_some() => Expected::Outputs(fields(block)?),
        Some("plan") if rest.is_empty() && block.body.is_some() => {
            let fields = fields(block)?;
            if let Some((name, _)) = fields.iter().find(|(name, _)| !PLAN_FIELDS.contains(&&*name.value)) {
                let known = PLAN_FIELDS.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
                let title = format!("a plan has no number `{}`", name.value);
                return Err(Box::new(bad(title, name.span, "unknown").help(format!("the numbers are {known}"))));
            }
            Expected::Plan(fields)
        }
        Some("simulation") if block.body.is_some() && !absent => {
            let Some(pool) = rest.first().and_then(|pool| text(pool)).filter(|_| rest.len() == 1) else {
                return refuse("`expect simulation` needs the name of a pool in quotes", block.span, "here");
            };
            let mut numbers = fields(block)?;
            let workload = numbers.iter().position(|(name, _)| &*name.value == "workload");
            let workload = workload.map(|at| numbers.remove(at).1);
            let Some(workload) = workload.as_ref().and_then(text) else {
                return refuse("a simulation needs `workload = \"…\"`, such as `office of 30`", block.span, "has none");
            };
            let known = || SIMULATION_FIELDS.iter().chain(SIMULATION_GIVEN);
            if let Some((name, _)) = numbers.iter().find(|(name, _)| !known().any(|known| *known == &*name.value)) {
                let all = known().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
                let title = format!("a simulation has no number `{}`", name.value);
                return Err(Box::new(bad(title, name.span, "unknown").help(format!("the numbers are {all}"))));
            }
            Expected::Simulation { pool, workload, numbers }
        }
        _ if rest.is_empty() && !absent && block.body.is_none() => Expected::Value(Box::new((*first).clone())),
        _ => return refuse("this is nothing that can be expected", block.span, "not understood"),
    };
    Ok(Expectation { span: block.span, kind })
}

/// The numbers of a plan that `expect plan { … }` can compare.
pub const PLAN_FIELDS: &[&str] = &[
    "create",
    "update",
    "replace",
    "delete",
    "refuse",
    "unchanged",
    "machines_removed",
    "machines_restarted",
    "data_deleted",
];

/// The numbers of a simulation that `expect simulation "pool" { … }` can compare, with a number or a range: minutes of waiting,
/// machines at one time, hours, and counts.
pub const SIMULATION_FIELDS: &[&str] = &[
    "wait_p50",
    "wait_p95",
    "wait_worst",
    "machines_least",
    "machines_most",
    "machine_hours",
    "idle_hours",
    "crowded_hours",
    "flaps",
    "people_interrupted",
    "jobs_interrupted",
    "served",
    "waiting_at_the_end",
];

/// The numbers that a simulation is given.
pub const SIMULATION_GIVEN: &[&str] = &["days", "seats", "seed"];

/// An expression with its value, and those of its two sides where it compares.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The value of the whole; `Error` where a finding tells why.
    pub value: Value,
    /// The values beside the operator.
    pub sides: Option<(Value, Value)>,
}

/// Evaluates expressions of tests with the values of one env (`""`: the defaults of a project without envs).
pub fn evaluate<'p>(program: &'p Program, env: &str, expressions: &[&'p Expr], sink: &mut Sink) -> Vec<Evaluated> {
    let mut found = Vec::with_capacity(expressions.len());
    let mut own = Sink::default();
    super::run::with_env(program, env, &mut |eval: &mut Eval<'p>| {
        let _told = std::mem::take(&mut eval.sink);
        let main = program.main();
        for expression in expressions {
            let value = eval.inside(main, |eval| eval.eval(expression));
            let compares = |op: BinaryOp| {
                use BinaryOp::{Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual};
                matches!(op, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | In)
            };
            let sides = match &expression.kind {
                ExprKind::Binary(op, left, right) if compares(op.value) => {
                    let quiet = std::mem::take(&mut eval.sink);
                    let sides = eval.inside(main, |eval| (eval.eval(left), eval.eval(right)));
                    eval.sink = quiet;
                    Some(sides)
                }
                _ => None,
            };
            found.push(Evaluated { value, sides });
        }
        own.extend(std::mem::take(&mut eval.sink).finish());
    });
    sink.extend(own.finish());
    found
}
