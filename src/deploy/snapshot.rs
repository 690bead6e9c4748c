//! A compiled project → its [`Snapshot`]: parameters, resources, outputs and API versions as lines of text, one for each
//! property, so that a difference says what it means.
//!
//! The same sources give the same snapshot on every machine and day: templates are expanded for one fixed subscription and
//! for the resource group that the project names, nothing is looked up, and parameters without a value get a placeholder.
//! What would change with each version of dsvmc alone (the program on the machines, digests of it) is left out.

use super::compiled::CompiledProject;
use super::desired::{self, Scope};
use super::error::CommandError;
use super::frontend::Silent;
use super::input::DeployInput;
use super::live::Answers;
use super::load::{from_compilation, root_of};
use super::plan::DEFAULT_LOCATION;
use super::settings::Settings;
use super::{impact, parameters, values};
use crate::driver::Compilation;
use arm_plan::{Desired, DesiredResource, Observed, Origins, Principals, RoleNames, Source};
use dsvm_impact::Situation;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Subscription that templates are expanded for.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// What a project deploys with the values of one env.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Parameters first, then the resources by type and name, then outputs and API versions.
    pub sections: Vec<Section>,
}

/// The parameters, one resource, the outputs, or the API versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `Parameters`, or the type of a resource and its name.
    pub title: String,
    /// Where the resource is declared.
    pub place: Option<Source>,
    /// One for each value.
    pub lines: Vec<Line>,
}

/// One property, parameter, output or version with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Name or path and value, such as `sku.capacity = 2`; without a line end.
    pub text: String,
    /// Where it was written, when it has a place of its own.
    pub place: Option<Source>,
}

impl Line {
    fn of(text: String) -> Self {
        Self { text, place: None }
    }
}

/// The place that snapshots and tests expand a project for.
fn scope(project: &CompiledProject) -> Scope {
    Scope {
        subscription: SUBSCRIPTION.to_owned(),
        group: project.default_group(),
        location: project.location.clone().unwrap_or_else(|| DEFAULT_LOCATION.to_owned()),
        tags: json!({}),
        ..Scope::default()
    }
}

fn expand(project: &CompiledProject, scope: &Scope) -> Result<(Desired, Map<String, Value>), CommandError> {
    let parts = values::placeholders(project)?;
    let mut pending = desired::expand_all(project, &parts, scope)?;
    pending.resolve(&Observed::default(), &Answers::default());
    Ok(pending.finish(&Observed::default(), &Answers::default()))
}

/// What a deployment of a project would send, and the outputs that are known before it, as snapshots and tests see them:
/// with placeholders for missing values, and without looking anything up.
///
/// # Errors
/// The template cannot be expanded with the values of its env.
pub fn resources(project: &CompiledProject) -> Result<(Desired, Map<String, Value>), CommandError> {
    let (mut desired, outputs) = expand(project, &scope(project))?;
    desired.resources.retain(|resource| !resource.existing);
    Ok((desired, outputs))
}

/// Takes the snapshot of a project.
///
/// # Errors
/// The template cannot be expanded with the values of its env.
pub fn take(project: &CompiledProject) -> Result<Snapshot, CommandError> {
    let scope = scope(project);
    let (desired, _) = expand(project, &scope)?;

    let mut sections = vec![
        Section { title: "Parameters".to_owned(), place: None, lines: given(project) },
        Section { title: "First deployment".to_owned(), place: None, lines: first_plan(project, &desired) },
    ];
    let mut resources: Vec<&DesiredResource> = desired.resources.iter().filter(|r| !r.existing).collect();
    let key = |r: &DesiredResource| (r.resource_type.to_ascii_lowercase(), r.name.clone(), r.id.to_ascii_lowercase());
    resources.sort_by_cached_key(|r| key(r));
    let shorten = Shorten::new(&scope);
    let principals = Principals::of(&desired, &Observed::default(), RoleNames(dsvm_sema::library::role_name));
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    for resource in &resources {
        // A role assignment has a GUID for a name: its label says what it is.
        let label = principals.label(&resource.id, &resource.body.read());
        let mut title = label.unwrap_or_else(|| format!("{} {}", resource.resource_type, shorten.text(&resource.name)));
        let count = titles.entry(title.clone()).or_default();
        *count += 1;
        if *count > 1 {
            title.push_str(&format!(" ({count})"));
        }
        let mut lines = lines(resource, &shorten, project);
        if !title.contains(&*shorten.text(&resource.name)) {
            lines.insert(0, Line::of(format!("name = {}", scalar(&Value::from(resource.name.as_str()), &shorten))));
        }
        sections.push(Section { title, place: resource.source.clone(), lines });
    }
    sections.push(Section { title: "Outputs".to_owned(), place: None, lines: outputs(project, &shorten) });
    let versions: BTreeSet<String> =
        resources.iter().map(|r| format!("{} = {}", r.resource_type, r.api_version)).collect();
    let lines = versions.into_iter().map(Line::of).collect();
    sections.push(Section { title: API_VERSIONS.to_owned(), place: None, lines });
    sections.retain(|section| !section.lines.is_empty() || section.place.is_some());
    Ok(Snapshot { sections })
}

/// Title of the section of API versions.
pub const API_VERSIONS: &str = "API versions";

/// The plan of a first deployment, in the words of the source.
fn first_plan(project: &CompiledProject, desired: &Desired) -> Vec<Line> {
    let (nothing, options) = (Observed::default(), Settings::default().options(None));
    let plan = arm_plan::diff_from(desired, &nothing, &options, project);
    let sent = Desired::default();
    let blocks = &project.blocks;
    let situation =
        Situation { plan: &plan, desired, observed: &nothing, declared: desired, sent: &sent, live: false, blocks };
    let Some(impact) = impact::describe(&situation) else { return Vec::new() };
    let mut lines = Vec::new();
    for group in &impact.blocks {
        for line in &group.lines {
            let words = [group.blocks.join(", "), line.subject.clone(), line.change.clone(), line.effect.clone()];
            let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
            lines.push(Line { text: words.join(", "), place: line.source.clone() });
        }
    }
    lines
}

/// Every declared parameter with its value in the env, its default, or the fact that it is given when deploying.
fn given(project: &CompiledProject) -> Vec<Line> {
    let mut all: BTreeMap<String, Line> = BTreeMap::new();
    for (index, part) in project.parts.iter().enumerate() {
        let declarations = part.template.parameters();
        for parameter in parameters::declared(declarations) {
            let set = part.given.iter().rev().find_map(|(_, values)| values.get(&parameter.name)?.get("value"));
            let default = declarations.get(&parameter.name).and_then(|d| d.get("defaultValue"));
            let value = match (parameter.is_secret(), set.or(default)) {
                (true, _) => "(secret)".to_owned(),
                (false, Some(value)) => value.to_string(),
                (false, None) => "(given when deploying)".to_owned(),
            };
            // What may be given: limits and allowed values, and the default where the env sets another value.
            let said = ["type", "metadata", "defaultValue"];
            let members = declarations.get(&parameter.name).and_then(Value::as_object).into_iter().flatten();
            let limits = members.filter(|(name, _)| !said.contains(&name.as_str()));
            let mut limits: Vec<String> = limits.map(|(name, limit)| format!("{name} {limit}")).collect();
            if let (Some(default), Some(_), false) = (default, set, parameter.is_secret()) {
                limits.push(format!("default {default}"));
            }
            let limits = if limits.is_empty() { String::new() } else { format!(" ({})", limits.join(", ")) };
            let text = format!("{}: {}{limits} = {value}", parameter.name, parameter.kind);
            let place = project.origin(index, &format!("/parameters/{}", escaped(&parameter.name)));
            all.insert(parameter.name, Line { text, place });
        }
    }
    all.into_values().collect()
}

/// The outputs as the template states them: most are known after the deployment only.
fn outputs(project: &CompiledProject, shorten: &Shorten) -> Vec<Line> {
    let mut all: BTreeMap<String, Line> = BTreeMap::new();
    for (index, part) in project.parts.iter().enumerate() {
        let template = part.template.read();
        for (name, output) in template.get("outputs").and_then(Value::as_object).into_iter().flatten() {
            let kind = output.get("type").and_then(Value::as_str).unwrap_or("(no type)");
            let value = output.get("value").map(|value| scalar(value, shorten)).unwrap_or_default();
            let place = project.origin(index, &format!("/outputs/{}", escaped(name)));
            all.insert(name.clone(), Line { text: format!("{name}: {kind} = {value}"), place });
        }
    }
    all.into_values().collect()
}

/// A member of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Ids and texts without the place that they were expanded for.
struct Shorten {
    group: String,
    subscription: String,
    /// The program as it begins a literal of an expression.
    literal: String,
}

impl Shorten {
    fn new(scope: &Scope) -> Self {
        let subscription = format!("/subscriptions/{}", scope.subscription);
        Self {
            group: format!("{subscription}/resourceGroups/{}/providers/", scope.group),
            literal: format!("'{}", dsvm_machine::script().replace('\'', "''")),
            subscription,
        }
    }

    fn text(&self, text: &str) -> String {
        // Most texts are too short for an id, and a search costs more than a look at the length.
        let mut text = match text.len() < self.subscription.len() {
            true => text.to_owned(),
            false => text.replace(&self.group, "…/").replace(&self.subscription, "/subscriptions/…"),
        };
        // A text that only the deployment completes is an expression, in which the program is a literal. A search for a text
        // so long costs more than all the rest: most expressions are shorter than it.
        if text.starts_with('[') {
            if text.len() > self.literal.len() {
                text = text.replace(&self.literal, "'(the program on the machines)");
            }
            text = without_versions(&text);
        }
        text
    }
}

/// An expression without the API versions in it, `, '2025-05-01'`: they are those of the last section.
fn without_versions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(", '") {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let literal = tail.get(3..).unwrap_or_default();
        let end = literal.find('\'').unwrap_or(literal.len());
        let (word, after) = literal.split_at(end);
        let date = word.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok());
        if date && (word.len() == 10 || word.ends_with("-preview")) {
            rest = after.strip_prefix('\'').unwrap_or(after);
        } else {
            out.push_str(", '");
            rest = literal;
        }
    }
    out.push_str(rest);
    out
}

/// A value on one line.
fn scalar(value: &Value, shorten: &Shorten) -> String {
    match value {
        Value::String(text) => Value::from(shorten.text(text)).to_string(),
        other => shorten.text(&other.to_string()),
    }
}

/// The lines of a resource.
fn lines(resource: &DesiredResource, shorten: &Shorten, project: &CompiledProject) -> Vec<Line> {
    let mut after: Vec<String> = resource.depends_on.iter().map(|id| shorten.text(id)).collect();
    after.sort();
    after.dedup();
    let mut out: Vec<Line> = after.into_iter().map(|id| Line::of(format!("after {id}"))).collect();
    let body = resource.body.read();
    let walk = Walk {
        resource,
        shorten,
        project,
        secrets: resource.secrets.iter().map(String::as_str).collect(),
        unknown: resource.unknown.iter().map(String::as_str).collect(),
    };
    // What the title and the last section say already.
    let said = ["id", "type", "name", "apiVersion", "dependsOn"];
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| !said.contains(&name.as_str())) {
        walk.value(name, &format!("/{}", escaped(name)), value, &mut out);
    }
    out
}

struct Walk<'a> {
    resource: &'a DesiredResource,
    shorten: &'a Shorten,
    project: &'a CompiledProject,
    secrets: BTreeSet<&'a str>,
    unknown: BTreeSet<&'a str>,
}

impl Walk<'_> {
    fn value(&self, path: &str, pointer: &str, value: &Value, out: &mut Vec<Line>) {
        // The path says it.
        if path.ends_with("].name")
            && value.as_str().is_some_and(|name| path.ends_with(&format!("[{}].name", self.shorten.text(name))))
        {
            return;
        }
        if self.secrets.contains(pointer) {
            return self.line(path, pointer, "(secret)", out);
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                let program = members.contains_key("forceUpdateTag") && self.holds_program(members);
                for (name, member) in members {
                    let below = format!("{pointer}/{}", escaped(name));
                    let path = format!("{path}.{}", key(&self.shorten.text(name)));
                    // Digests of the program and of what is told in full beside it.
                    if program && name == "forceUpdateTag" {
                        self.line(&path, &below, "(a digest of the script)", out);
                    } else if program && name == "settings" && member.get("timestamp").is_some() {
                        let mut rest = member.clone();
                        if let Some(stamp) = rest.get_mut("timestamp") {
                            *stamp = Value::from("(a digest of the script)");
                        }
                        self.value(&path, &below, &rest, out);
                    } else {
                        self.value(&path, &below, member, out);
                    }
                }
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                let names: Vec<Option<&str>> = items.iter().map(|item| item.get("name")?.as_str()).collect();
                let distinct: BTreeSet<_> = names.iter().flatten().collect();
                let named = distinct.len() == items.len();
                for (index, item) in items.iter().enumerate() {
                    let step = names.get(index).copied().flatten().filter(|_| named);
                    let step = step.map_or_else(|| index.to_string(), |name| self.shorten.text(name));
                    let (path, pointer) = (format!("{path}[{step}]"), format!("{pointer}/{index}"));
                    let before = out.len();
                    self.value(&path, &pointer, item, out);
                    // Its name is all that it has: that it is there is what there is to say.
                    if out.len() == before {
                        self.line(&path, &pointer, "{}", out);
                    }
                }
            }
            Value::Array(items) => {
                let all: Vec<String> = items.iter().map(|item| scalar(item, self.shorten)).collect();
                self.line(path, pointer, &format!("[{}]", all.join(", ")), out);
            }
            other => {
                // A script that is complete travels as base64: what is the pool's own in it is what people look for.
                let script = other.as_str().and_then(dsvm_machine::description);
                let text = match script {
                    Some(pool) => format!("(the program on the machines) {}", self.shorten.text(&pool)),
                    None => scalar(other, self.shorten),
                };
                let late = if self.unknown.contains(pointer) { " (known after the deployment)" } else { "" };
                self.line(path, pointer, &format!("{text}{late}"), out);
            }
        }
    }

    /// Whether an extension runs the program on the machines, and not a script of somebody's own.
    fn holds_program(&self, members: &Map<String, Value>) -> bool {
        let script =
            members.get("protectedSettings").and_then(|settings| settings.get("script")).and_then(Value::as_str);
        script.is_some_and(|text| text.contains(&self.shorten.literal) || dsvm_machine::description(text).is_some())
    }

    fn line(&self, path: &str, pointer: &str, value: &str, out: &mut Vec<Line>) {
        let here = format!("{}{pointer}", self.resource.pointer);
        let place =
            if self.resource.pointer.is_empty() { None } else { self.project.origin(self.resource.part, &here) };
        let place = place.filter(|place| self.resource.source.as_ref() != Some(place));
        out.push(Line { text: format!("{path} = {value}"), place });
    }
}

/// A name of a property, quoted where it has dots of its own.
fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$@-".contains(c));
    if plain { name.to_owned() } else { Value::from(name).to_string() }
}

const FIRST_LINE: &str =
    "# Snapshot of dsvmc. Look through the differences, then accept them with `dsvmc snapshot --review`.";

impl Snapshot {
    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{FIRST_LINE}\n");
        for section in &self.sections {
            out.push_str(&format!("\n## {}\n", section.title));
            for line in &section.lines {
                out.push_str(&line.text);
                out.push('\n');
            }
        }
        out
    }

    /// Reads the text of a file that [`Self::text`] wrote; `None` when something else did.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next().filter(|first| *first == FIRST_LINE)?;
        let mut sections: Vec<Section> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            match (line.strip_prefix("## "), sections.last_mut()) {
                (Some(title), _) => sections.push(Section { title: title.to_owned(), ..Section::default() }),
                (None, Some(section)) => section.lines.push(Line::of(line.to_owned())),
                (None, None) => return None,
            }
        }
        Some(Self { sections })
    }
}

/// What happened to one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Title of the section.
    pub title: String,
    /// Whether the whole section is new, gone, or has other lines.
    pub kind: DifferenceKind,
    /// Where the resource is declared now.
    pub place: Option<Source>,
    /// The lines that went and came, in order.
    pub lines: Vec<(Side, Line)>,
}

/// What a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The section is new.
    Added,
    /// The section is gone.
    Removed,
    /// Some of its lines differ.
    Changed,
}

/// Which side a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the snapshot only.
    Before,
    /// In the sources only.
    After,
}

/// What differs between two snapshots, in the order of the new one; sections that are gone come last.
#[must_use]
pub fn compare(before: &Snapshot, after: &Snapshot) -> Vec<Difference> {
    let old: BTreeMap<&str, &Section> = before.sections.iter().map(|s| (s.title.as_str(), s)).collect();
    let new: BTreeSet<&str> = after.sections.iter().map(|s| s.title.as_str()).collect();
    let all = |side: Side, section: &Section| section.lines.iter().map(|line| (side, line.clone())).collect();
    let mut found = Vec::new();
    for section in &after.sections {
        let (kind, lines) = match old.get(section.title.as_str()) {
            None => (DifferenceKind::Added, all(Side::After, section)),
            Some(old) => (DifferenceKind::Changed, changed(old, section)),
        };
        if kind == DifferenceKind::Added || !lines.is_empty() {
            found.push(Difference { title: section.title.clone(), kind, place: section.place.clone(), lines });
        }
    }
    for section in before.sections.iter().filter(|s| !new.contains(s.title.as_str())) {
        let lines = all(Side::Before, section);
        found.push(Difference { title: section.title.clone(), kind: DifferenceKind::Removed, place: None, lines });
    }
    found
}

fn changed(old: &Section, new: &Section) -> Vec<(Side, Line)> {
    let texts = |section: &Section| section.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    let (before, after) = (texts(old), texts(new));
    let mut lines = Vec::new();
    for operation in similar::capture_diff_slices(similar::Algorithm::Myers, &before, &after) {
        if operation.tag() == similar::DiffTag::Equal {
            continue;
        }
        lines.extend(old.lines.get(operation.old_range()).into_iter().flatten().map(|l| (Side::Before, l.clone())));
        lines.extend(new.lines.get(operation.new_range()).into_iter().flatten().map(|l| (Side::After, l.clone())));
    }
    lines
}

/// The snapshot of one env, and the file where it is kept.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Name of the project.
    pub project: String,
    /// The env; empty when there are none.
    pub env: String,
    /// `snapshots/PROJECT.ENV.snap` beside the sources.
    pub file: PathBuf,
    /// The content, compared with that of the file.
    pub snapshot: Snapshot,
}

/// Folder of the snapshots, beside the sources.
pub const FOLDER: &str = "snapshots";
/// How the files of snapshots end.
pub const EXTENSION: &str = "snap";

/// The snapshots of every env of a compiled project, or of the one that is named; none where the project has no such env.
///
/// # Errors
/// The sources have errors, or a template cannot be expanded with the values of an env.
pub fn of_compilation(compiled: &Compilation, wanted: Option<&str>) -> Result<Vec<Taken>, CommandError> {
    let envs: Vec<Option<String>> = match compiled.envs.as_slice() {
        [] => vec![None],
        all => all.iter().map(|env| Some(env.to_string())).collect(),
    };
    let envs = envs.into_iter().filter(|env| wanted.is_none_or(|wanted| env.as_deref() == Some(wanted)));
    let folder = root_of(compiled).join(FOLDER);
    let each = envs.map(|env| {
        let input = DeployInput { env: env.clone(), ..DeployInput::default() };
        let project = from_compilation(compiled.clone(), &compiled.project.path, &input, &mut Silent)?;
        Ok(Taken {
            file: folder.join(format!(
                "{}{}.{EXTENSION}",
                project.name,
                env.as_ref().map(|e| format!(".{e}")).unwrap_or_default()
            )),
            snapshot: take(&project)?,
            project: project.name,
            env: env.unwrap_or_default(),
        })
    });
    each.collect()
}
