//! The tests of a project → their outcomes: what was expected is held against values, resources, diagnostics, outputs and
//! plans. Tests that share an env, given values and a day share one compilation.

use super::compiled::CompiledProject;
use super::error::{CommandError, FailureDetail};
use super::frontend::Silent;
use super::input::DeployInput;
use super::load::from_compilation;
use super::offline;
use super::settings::Settings;
use super::simulation::{self, Asked, AskedFor};
use super::target::DeployTarget;
use super::values;
use crate::driver::{self, LoadError, Project, TestGround, World};
use arm_plan::{Desired, DesiredResource, EffectKind, Observed, Plan, Source};
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Severity};
use dsvm_sema::testing::{Evaluated, Expectation, Expected, TestCase};
use dsvm_sema::value::Value as Known;
use dsvm_syntax::ast::Name;
use rayon::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The tests of one project and what became of them.
pub struct Report {
    /// Path of the project.
    pub project: Project,
    /// Mistakes in the tests themselves: nothing ran.
    pub broken: Vec<Diagnostic>,
    /// The files that `broken` points into.
    pub sources: SourceMap,
    /// One for each test that ran, in the order of the sources.
    pub outcomes: Vec<Outcome>,
    /// Blocks, envs and team rules, with whether a test looked at them.
    pub coverage: Vec<(String, bool)>,
}

/// What became of one test.
pub struct Outcome {
    /// The name as it was written.
    pub name: String,
    /// Where the test stands.
    pub place: Option<Source>,
    /// One for each expectation that is not met.
    pub failures: Vec<Diagnostic>,
    /// The files that the failures point into.
    pub sources: SourceMap,
}

/// Runs the tests of a project whose names contain `filter`.
///
/// # Errors
/// A file of the project cannot be read.
pub fn run(world: &dyn World, project: &Project, filter: &str) -> Result<Report, LoadError> {
    let (sources, mut cases, found) = driver::test_cases(world, project)?;
    let broken: Vec<Diagnostic> = found.into_iter().filter(|d| d.severity == Severity::Error).collect();
    let mut report = Report { project: project.clone(), broken, sources, outcomes: Vec::new(), coverage: Vec::new() };
    if !report.broken.is_empty() {
        return Ok(report);
    }
    cases.retain(|case| case.name.contains(filter));
    let mut groups: BTreeMap<String, Vec<(usize, &TestCase)>> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate() {
        let given: Vec<String> = case
            .given
            .iter()
            .map(|(name, value)| format!("{} = {}", name.value, text_of(&report.sources, value.span)))
            .collect();
        let env = case.env.as_ref().map(|env| env.value.to_string());
        groups.entry(format!("{env:?} {:?} {given:?}", case.as_of)).or_default().push((at, case));
    }
    let groups: Vec<Vec<(usize, &TestCase)>> = groups.into_values().collect();
    let done: Vec<Result<GroupDone, LoadError>> =
        groups.par_iter().map(|group| run_group(world, project, group)).collect();
    let mut all = Vec::new();
    let mut seen = Seen::default();
    for group in done {
        let (outcomes, more) = group?;
        all.extend(outcomes);
        seen.blocks.extend(more.blocks);
        seen.looked_at.extend(more.looked_at);
        seen.envs.extend(more.envs);
        seen.used.extend(more.used);
        seen.rules.extend(more.rules);
        seen.tested.extend(more.tested);
    }
    all.sort_by_key(|(at, _)| *at);
    report.outcomes = all.into_iter().map(|(_, outcome)| outcome).collect();
    let blocks = seen.blocks.iter().map(|block| (block.clone(), seen.looked_at.contains(block)));
    let envs = seen.envs.iter().map(|env| (format!("env {env}"), seen.used.contains(env)));
    let rules = seen.rules.iter().map(|rule| (format!("rule \"{rule}\""), seen.tested.contains(rule)));
    report.coverage = blocks.chain(envs).chain(rules).collect();
    Ok(report)
}

/// The outcomes of a group by the position of their tests, and what they looked at.
type GroupDone = (Vec<(usize, Outcome)>, Seen);

/// Blocks, envs and team rules that there are, and those that tests looked at.
#[derive(Default)]
struct Seen {
    blocks: BTreeSet<String>,
    looked_at: BTreeSet<String>,
    envs: BTreeSet<String>,
    used: BTreeSet<String>,
    rules: BTreeSet<String>,
    tested: BTreeSet<String>,
}

fn text_of(sources: &SourceMap, span: Span) -> &str {
    let file = sources.get(span.source);
    file.and_then(|file| file.text.get(span.start as usize..span.end as usize)).unwrap_or_default()
}

fn run_group(world: &dyn World, project: &Project, group: &[(usize, &TestCase)]) -> Result<GroupDone, LoadError> {
    let cases: Vec<&TestCase> = group.iter().map(|(_, case)| *case).collect();
    let ground = driver::test_ground(world, project, &cases)?;
    let unknown = unknown_env(&ground, &cases);
    let state = State::of(&ground);
    let mut seen = Seen::default();
    seen.envs.extend(ground.declared.iter().cloned());
    seen.used.insert(ground.env.clone());
    seen.rules.extend(ground.compilation.team_rules.iter().map(|rule| rule.name.to_string()));
    for expectation in cases.iter().flat_map(|case| &case.expectations) {
        if let Expected::Diagnostic { rule: Some(rule), .. } = &expectation.kind {
            seen.tested.insert(rule.value.to_string());
        }
    }
    if let Ok((compiled, _)) = &state {
        seen.blocks.extend(compiled.blocks.iter().map(|block| block.title()));
    }
    let mut values = ground.values.iter();
    let mut outcomes = Vec::new();
    for (at, case) in group {
        let failures = unknown.iter().map(|told| told(case)).collect();
        let mut holder = Holder { world, case, ground: &ground, state: &state, failures, seen: &mut seen };
        let mut covered = Vec::new();
        for expectation in &case.expectations {
            let own: Vec<&Evaluated> = values.by_ref().take(driver::expressions(expectation).count()).collect();
            let wrong = |span: Span| {
                let inside = |d: &&Diagnostic| {
                    d.primary().is_some_and(|p| p.source == span.source && p.start >= span.start && p.end <= span.end)
                };
                ground.findings.iter().find(inside).cloned()
            };
            match wrong(expectation.span) {
                Some(finding) => holder.failures.push(finding),
                None if unknown.is_some() => {}
                None => holder.hold(expectation, &own, &mut covered),
            }
        }
        holder.unexpected_errors(&covered);
        outcomes.push((
            *at,
            Outcome {
                name: case.name.to_string(),
                place: place(&ground.compilation.sources, case.span),
                failures: holder.failures,
                sources: ground.compilation.sources.clone(),
            },
        ));
    }
    Ok((outcomes, seen))
}

/// What is wrong with the env of a group of tests: one that the project does not declare, or none where it has several.
fn unknown_env(ground: &TestGround, cases: &[&TestCase]) -> Option<impl Fn(&TestCase) -> Diagnostic> {
    let wanted = cases.first().and_then(|case| case.env.clone());
    let fine = match &wanted {
        Some(env) => ground.declared.iter().any(|declared| **declared == *env.value),
        None => ground.declared.len() < 2,
    };
    let known = ground.declared.iter().map(|env| format!("`{env}`")).collect::<Vec<_>>().join(", ");
    (!fine).then_some(move |case: &TestCase| {
        let help = if known.is_empty() { "leave `env` out".to_owned() } else { format!("its envs: {known}") };
        match &case.env {
            Some(env) => {
                let title = format!("the project has no env `{}`", env.value);
                Diagnostic::new(Code::TestFailed, title, env.span, "unknown").help(help)
            }
            None => Diagnostic::new(Code::TestFailed, "this test names no env", case.span, "the project has several")
                .help(format!("write `env = …`; {help}")),
        }
    })
}

fn place(sources: &SourceMap, span: Span) -> Option<Source> {
    let file = sources.get(span.source)?;
    let (line, column) = file.line_column(span.start);
    Some(Source { file: file.name.to_string(), line, column })
}

/// The project with the values of a group, and its resources.
type State = Result<(CompiledProject, Resources), CommandError>;

trait Make {
    fn of(ground: &TestGround) -> Self;
}

/// What a deployment would send.
struct Resources {
    desired: Desired,
    outputs: Map<String, Value>,
}

impl Make for State {
    fn of(ground: &TestGround) -> Self {
        let compiled = ground.compilation.clone();
        let path = compiled.project.path.clone();
        let input = DeployInput { env: Some(ground.env.clone()).filter(|e| !e.is_empty()), ..DeployInput::default() };
        let mut project = from_compilation(compiled, &path, &input, &mut Silent)?;
        // A plan asks for nothing: what has no value gets a placeholder.
        let filled = values::placeholders(&project)?;
        for (part, ready) in project.parts.iter_mut().zip(filled) {
            if let Value::Object(all) = ready.parameters {
                part.given.insert(0, ("placeholders".to_owned(), all));
            }
        }
        project.path = None;
        let (desired, outputs) = super::snapshot::resources(&project)?;
        Ok((project, Resources { desired, outputs }))
    }
}

/// A diagnostic that a test expects, or does not.
struct Wanted {
    severity: Severity,
    code: Option<Code>,
    rule: Option<std::sync::Arc<str>>,
}

impl Wanted {
    fn is(&self, found: &Diagnostic) -> bool {
        found.severity == self.severity
            && self.code.is_none_or(|code| found.code == code)
            && self.rule.as_ref().is_none_or(|rule| found.rule.as_deref() == Some(&**rule))
    }
}

/// Holds the expectations of one test.
struct Holder<'a> {
    world: &'a dyn World,
    case: &'a TestCase,
    ground: &'a TestGround,
    state: &'a State,
    failures: Vec<Diagnostic>,
    seen: &'a mut Seen,
}

impl Holder<'_> {
    fn fail(&mut self, title: impl Into<String>, span: Span, label: impl Into<String>) {
        self.failures.push(Diagnostic::new(Code::TestFailed, title.into(), span, label.into()));
    }

    /// `covered`: the diagnostics that the test looks at.
    fn hold(&mut self, expectation: &Expectation, values: &[&Evaluated], covered: &mut Vec<Wanted>) {
        self.note_names(expectation);
        match &expectation.kind {
            Expected::Value(expr) => {
                if let Some(value) = values.first() {
                    self.value(value, expr.span);
                }
            }
            Expected::Diagnostic { absent, severity, code, rule, line } => {
                let code = code.as_ref().and_then(|code| Code::named(&code.value));
                let wanted = Wanted { severity: *severity, code, rule: rule.as_ref().map(|rule| rule.value.clone()) };
                self.diagnostic(*absent, &wanted, *line, expectation.span);
                covered.push(wanted);
            }
            Expected::Resources { absent, kind, name, properties } => {
                let Ok((project, resources)) = self.state else { return };
                let matching: Vec<&DesiredResource> = resources
                    .desired
                    .resources
                    .iter()
                    .filter(|r| matches(&kind.value.to_lowercase(), &r.resource_type.to_lowercase()))
                    .filter(|r| name.as_ref().is_none_or(|name| matches(&name.value, &r.name)))
                    .collect();
                for resource in &matching {
                    self.note_resource(project, resource);
                }
                self.resources(*absent, (kind, name.as_ref()), &matching, properties, values, expectation.span);
            }
            Expected::Outputs(fields) => {
                let Ok((_, resources)) = self.state else { return };
                for ((name, expr), value) in fields.iter().zip(values) {
                    let found = resources.outputs.get(&*name.value);
                    let expected = json_of(&value.value).unwrap_or_default();
                    match found {
                        Some(found) if equal(&expected, found) => {}
                        Some(found) => self.fail(
                            format!("output `{}` is {found}", name.value),
                            expr.span,
                            format!("expected {expected}"),
                        ),
                        None => self.fail(
                            format!("output `{}` is not known before the deployment, or not there", name.value),
                            name.span,
                            "has no value here",
                        ),
                    }
                }
            }
            Expected::Plan(fields) => match self.plan() {
                Ok(Some(plan)) => {
                    for ((name, expr), value) in fields.iter().zip(values) {
                        let found = number(&plan, &name.value);
                        let expected = json_of(&value.value).unwrap_or_default();
                        if !equal(&expected, &json!(found)) {
                            let names: Vec<String> = plan
                                .effective()
                                .filter(|change| change.action.word() == &*name.value)
                                .take(5)
                                .map(|change| format!("`{}`", change.titled()))
                                .collect();
                            self.fail(
                                format!("the plan has `{}` = {found}", name.value),
                                expr.span,
                                format!("expected {expected}"),
                            );
                            if let (Some(last), false) = (self.failures.last_mut(), names.is_empty()) {
                                *last = last.clone().note(format!("among them {}", names.join(", ")));
                            }
                        }
                    }
                }
                Ok(None) => {}
                Err(why) => self.fail("there is no plan", expectation.span, why),
            },
            Expected::Simulation { pool, workload, numbers } => {
                self.simulation((pool, workload), numbers, values);
            }
        }
    }

    /// Simulates a pool, and holds the numbers against the outcome.
    fn simulation(
        &mut self,
        (pool, workload): (&Name, &Name),
        numbers: &[(Name, dsvm_syntax::ast::Expr)],
        values: &[&Evaluated],
    ) {
        let given = |wanted: &str| {
            let at = numbers.iter().position(|(name, _)| &*name.value == wanted)?;
            if let Known::Int(number) = values.get(at)?.value { u64::try_from(number).ok() } else { None }
        };
        let run = Asked {
            pool: &pool.value,
            workload: &workload.value,
            days: given("days"),
            seats: given("seats"),
            seed: given("seed"),
            first: self.case.as_of.unwrap_or_else(|| self.world.today()),
        };
        let report = match run.simulate(&self.ground.pools) {
            Ok(report) => report,
            Err(AskedFor::Pool(why)) => {
                return self.fail(format!("`{}` cannot be simulated", pool.value), pool.span, why);
            }
            Err(AskedFor::Workload(why)) => return self.fail("this workload cannot be simulated", workload.span, why),
        };
        for ((name, expr), value) in numbers.iter().zip(values) {
            let Some(found) = simulation::number(&report, &name.value) else { continue };
            let fits = match &value.value {
                Known::Int(expected) => Some(i64::try_from(found).is_ok_and(|found| found == *expected)),
                Known::Range(range) => match (&range.min, &range.max) {
                    (Known::Int(min), Known::Int(max)) => {
                        Some(i64::try_from(found).is_ok_and(|found| (*min..=*max).contains(&found)))
                    }
                    _ => None,
                },
                _ => None,
            };
            match fits {
                Some(true) => {}
                Some(false) => {
                    let label = format!("found {found}");
                    self.fail(format!("the simulation has another `{}`", name.value), expr.span, label);
                }
                None => self.fail("a number or a range is expected here", expr.span, "is neither"),
            }
        }
    }

    fn value(&mut self, value: &Evaluated, span: Span) {
        match (&value.value, &value.sides) {
            (Known::Bool(true), _) => {}
            (Known::Bool(false), Some((left, right))) => {
                self.fail("the condition is false", span, format!("found {left} beside {right}"));
            }
            (Known::Bool(false), None) => self.fail("the condition is false", span, "found false"),
            (Known::Deferred(_), _) => self.fail("this is known after the deployment only", span, "has no value here"),
            (Known::Error, _) => self.fail("this has no value", span, "the project has errors"),
            (other, _) => {
                self.fail(format!("a condition is expected, found {other}"), span, "is neither true nor false")
            }
        }
    }

    fn diagnostic(&mut self, absent: bool, wanted: &Wanted, line: Option<u32>, span: Span) {
        let word = match wanted.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "hint",
        };
        let compilation = &self.ground.compilation;
        let on_line = |d: &Diagnostic| {
            let at = d.primary().and_then(|p| place(&compilation.sources, p));
            line.is_none_or(|line| at.is_some_and(|at| at.line == line))
        };
        let found: Vec<&Diagnostic> = compilation.diagnostics.iter().filter(|d| wanted.is(d)).collect();
        let here: Vec<&&Diagnostic> = found.iter().filter(|d| on_line(d)).collect();
        let what = match (&wanted.rule, wanted.code) {
            (Some(rule), _) => format!("{word} of the rule `{rule}`"),
            (None, Some(code)) => format!("{word} {code}"),
            (None, None) => word.to_owned(),
        };
        let made = match (absent, here.as_slice(), found.as_slice()) {
            (false, [], []) => Diagnostic::new(Code::TestFailed, format!("there is no {what}"), span, "expected"),
            (false, [], [other, ..]) => {
                let at = other.primary().and_then(|p| place(&compilation.sources, p));
                let at = at.map_or_else(String::new, |at| format!("found on line {}", at.line));
                Diagnostic::new(Code::TestFailed, format!("there is no {what} on that line"), span, at)
            }
            (true, [first, ..], _) => {
                let made = Diagnostic::new(
                    Code::TestFailed,
                    format!("there is {}: {}", first.id(), first.title),
                    span,
                    "none is expected",
                );
                match first.primary() {
                    Some(primary) => made.also(primary, "found here"),
                    None => made,
                }
            }
            _ => return,
        };
        self.failures.push(made);
    }

    fn resources(
        &mut self,
        absent: bool,
        (kind, name): (&Name, Option<&Name>),
        matching: &[&DesiredResource],
        properties: &[(Name, dsvm_syntax::ast::Expr)],
        values: &[&Evaluated],
        span: Span,
    ) {
        let Ok((project, resources)) = self.state else { return };
        let what = match name {
            Some(name) => format!("`{}` `{}`", kind.value, name.value),
            None => format!("`{}`", kind.value),
        };
        let counted = properties.iter().any(|(name, _)| &*name.value == "count");
        if absent {
            if let Some(first) = matching.first() {
                self.fail(format!("there is a resource {what}: `{}`", first.name), span, "none is expected");
                self.show_source(project, first, "");
            }
            return;
        }
        if matching.is_empty() && !counted {
            self.fail(format!("there is no resource {what}"), span, "expected");
            let same = |r: &&DesiredResource| matches(&kind.value.to_lowercase(), &r.resource_type.to_lowercase());
            let names: Vec<String> =
                resources.desired.resources.iter().filter(same).take(5).map(|r| format!("`{}`", r.name)).collect();
            if let (Some(last), false) = (self.failures.last_mut(), names.is_empty()) {
                *last = last.clone().note(format!("of this type there is {}", names.join(", ")));
            }
            return;
        }
        for ((path, expr), value) in properties.iter().zip(values) {
            let Some(expected) = json_of(&value.value) else {
                self.fail("this is known after the deployment only", expr.span, "cannot be compared");
                continue;
            };
            if &*path.value == "count" {
                if !equal(&expected, &json!(matching.len())) {
                    let found = matching.len();
                    self.fail(format!("there are {found} resources {what}"), expr.span, format!("expected {expected}"));
                }
                continue;
            }
            for resource in matching {
                let body = resource.body.read();
                match find(&body, &path.value) {
                    Some((_, pointer)) if resource.secrets.contains(&pointer) => {
                        self.fail(
                            format!("`{}` of `{}` is secret", path.value, resource.name),
                            path.span,
                            "cannot be compared",
                        );
                    }
                    Some((found, _)) if equal(&expected, found) => {}
                    Some((found, pointer)) => {
                        let found = shortened(found);
                        self.fail(
                            format!("`{}` of `{}` is {found}", path.value, resource.name),
                            expr.span,
                            format!("expected {expected}"),
                        );
                        self.show_source(project, resource, &pointer);
                    }
                    None if expected.is_null() => {}
                    None => {
                        self.fail(
                            format!("`{}` has no property `{}`", resource.name, path.value),
                            path.span,
                            format!("expected {expected}"),
                        );
                        if let (Some(near), Some(last)) = (near(&body, &path.value), self.failures.last_mut()) {
                            *last = last.clone().help(format!("write `{near}`"));
                        }
                        self.show_source(project, resource, "");
                    }
                }
            }
        }
    }

    /// Adds the line of the source that a property, or the resource, comes from to the last failure.
    fn show_source(&mut self, project: &CompiledProject, resource: &DesiredResource, pointer: &str) {
        let part = project.parts.get(resource.part);
        let span = part.and_then(|part| part.span(&format!("{}{pointer}", resource.pointer)));
        if let (Some(last), Some(span)) = (self.failures.last_mut(), span) {
            *last = last.clone().also(span, "comes from here");
        }
    }

    fn plan(&self) -> Result<Option<Plan>, String> {
        let Ok((project, resources)) = self.state else { return Ok(None) };
        let Some(live) = &self.case.live else {
            let options = Settings::default().options(None);
            return Ok(Some(arm_plan::diff_from(&resources.desired, &Observed::default(), &options, project)));
        };
        let file = self.ground.compilation.sources.get(live.span.source).map(|file| file.name.to_string());
        let folder = file.as_deref().and_then(|file| Path::new(file).parent()).unwrap_or(Path::new(""));
        let path = folder.join(&*live.value);
        // A file of somebody else's project: a regular one inside of it, of bounded size.
        let bytes = self.world.read_linked(&path, folder).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&bytes);
        let made = offline::against_text(
            project,
            &DeployTarget::default(),
            &DeployInput { env: Some(project.env.clone()).filter(|e| !e.is_empty()), ..DeployInput::default() },
            (&path, &text),
            &Settings::default(),
            self.world,
            &mut Silent,
        );
        match made {
            Ok(made) => Ok(Some(made.plan)),
            Err(error) => Err(match error.detail {
                FailureDetail::Message(report) => report.to_string(),
                FailureDetail::Diagnostics(found) => found.1.first().map(|d| d.title.to_string()).unwrap_or_default(),
            }),
        }
    }

    /// Errors of the project that the test does not expect.
    fn unexpected_errors(&mut self, covered: &[Wanted]) {
        let expected = |d: &Diagnostic| covered.iter().any(|wanted| wanted.is(d));
        let errors = self.ground.compilation.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        let more: Vec<Diagnostic> = errors.filter(|d| !expected(d)).cloned().collect();
        self.failures.extend(more);
        // Without errors of the sources the template itself may not work with these values.
        if let (Err(CommandError { detail: FailureDetail::Message(report), .. }), false) =
            (self.state, self.ground.compilation.failed())
        {
            let text = report.to_string();
            self.fail(text, self.case.span, "with these values");
        }
    }

    fn note_names(&mut self, expectation: &Expectation) {
        let text = text_of(&self.ground.compilation.sources, expectation.span);
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let named = |block: &&String| block.rsplit(' ').next().is_some_and(|name| words.contains(name));
        let found: Vec<String> = self.seen.blocks.iter().filter(named).cloned().collect();
        self.seen.looked_at.extend(found);
    }

    fn note_resource(&mut self, project: &CompiledProject, resource: &DesiredResource) {
        let owner = project.blocks.iter().find(|block| block.place.is_some() && block.place == resource.source);
        self.seen.looked_at.extend(owner.map(|block| block.title()));
    }
}

/// A number of a plan, by its name in `expect plan { … }`.
fn number(plan: &Plan, name: &str) -> u64 {
    let machines = |kinds: &[EffectKind]| -> u64 {
        plan.effective().filter(|c| kinds.contains(&c.effect.kind)).filter_map(|c| c.effect.machines).sum()
    };
    let sum = &plan.summary;
    let count = |n: usize| n as u64;
    match name {
        "create" => count(sum.create),
        "update" => count(sum.update),
        "replace" => count(sum.replace),
        "delete" => count(sum.delete),
        "refuse" => count(sum.refuse),
        "unchanged" => count(sum.no_change),
        "machines_removed" => {
            machines(&[EffectKind::Removes, EffectKind::Replaces, EffectKind::ScalesIn, EffectKind::AutoscaleRemoves])
        }
        "machines_restarted" => machines(&[EffectKind::OsDisksReplaced, EffectKind::Restart]),
        _ => plan.effective().filter(|c| c.effect.kind == EffectKind::DeletesData).count() as u64,
    }
}

/// The property that was probably meant: the first name of a path that is not there, taken for one beside it.
fn near(body: &Value, path: &str) -> Option<String> {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let mut start = 0;
    for end in ends {
        if find(body, path.get(..end)?).is_some() {
            start = end + 1;
            continue;
        }
        let object = match start {
            0 => body,
            _ => find(body, path.get(..start - 1)?)?.0,
        };
        let wrong = path.get(start..end)?;
        let close = |name: &&String| strsim::osa_distance(name, wrong) <= (wrong.len() / 3).max(1);
        let known = object.as_object()?.keys().filter(close).min_by_key(|name| strsim::osa_distance(name, wrong))?;
        let meant = format!("{}{known}{}", path.get(..start)?, path.get(end..)?);
        return find(body, &meant).map(|_| meant);
    }
    None
}

/// Whether `*` in a pattern, each standing for any text, makes it fit.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a value of a resource is the one that is expected: texts may be patterns, and numbers that Azure takes as text
/// are numbers.
fn equal(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(pattern), Value::String(text)) => matches(pattern, text),
        (Value::Number(number), Value::String(text)) => number.to_string() == *text,
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(name, value)| b.get(name).is_some_and(|b| equal(value, b)))
        }
        (a, b) => a == b,
    }
}

/// A value as templates carry it; `None` for what only the deployment knows.
fn json_of(value: &Known) -> Option<Value> {
    Some(match value {
        Known::Null => Value::Null,
        Known::Bool(yes) => json!(yes),
        Known::String(text) => json!(&**text),
        Known::Int(number) | Known::Size(number) | Known::Duration(number) => json!(number),
        Known::Decimal(number) | Known::Percent(number) => match number.to_i64().filter(|_| number.fract().is_zero()) {
            Some(whole) => json!(whole),
            None => json!(number.to_f64()?),
        },
        Known::List(items) => Value::Array(items.iter().map(json_of).collect::<Option<_>>()?),
        Known::Record(fields) => {
            let each = fields.iter().map(|(name, value)| Some((name.to_string(), json_of(value)?)));
            Value::Object(each.collect::<Option<_>>()?)
        }
        Known::Deferred(_) | Known::Error => return None,
        other => json!(other.to_string()),
    })
}

/// The value at a path as snapshots write it, `properties.subnets[machines].name`, with its JSON pointer.
fn find<'v>(body: &'v Value, path: &str) -> Option<(&'v Value, String)> {
    let (mut value, mut pointer, mut rest) = (body, String::new(), path);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']')?;
            let items = value.as_array()?;
            let named = items.iter().position(|item| item.get("name").and_then(Value::as_str) == Some(step));
            let at = named.or_else(|| step.parse().ok())?;
            value = items.get(at)?;
            pointer.push_str(&format!("/{at}"));
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (step, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        let (name, member) = value.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(step))?;
        value = member;
        pointer.push_str(&format!("/{}", name.replace('~', "~0").replace('/', "~1")));
        rest = after;
    }
    Some((value, pointer))
}

/// A value short enough for a message.
fn shortened(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        text
    } else {
        format!("{}…", text.chars().take(LONGEST).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("st*/default/*", "stx/default/notebooks", true),
            ("*a*a", "a", false),
            ("*x", "abc", false),
            ("a*b*c", "aXbYc", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn paths_lead_through_names_and_numbers() {
        let body = json!({ "properties": { "subnets": [{ "name": "a" }, { "name": "b", "x.y": [1, 2] }] } });
        assert_eq!(find(&body, "properties.subnets[b].'x.y'[1]").unwrap().1, "/properties/subnets/1/x.y/1");
        assert_eq!(find(&body, "properties.subnets[0].name").unwrap().0, &json!("a"));
        assert!(find(&body, "properties.subnets[c]").is_none() && find(&body, "properties[0]").is_none());
    }
}
