//! Diagnostics and plans → SARIF 2.1.0, the form in which code hosts and editors take findings.
//!
//! One run, with the rules that were hit and no others. Paths are relative to where dsvmc was called (`%SRCROOT%`); lines
//! and columns count from 1, columns in Unicode characters.

use super::plan_text::{clean, effect_line, label, values};
use super::visible::clean_lines;
use super::{Exempt, Found};
use arm_plan::{Change, EffectKind, Plan, Source};
use dsvm_diagnostics::source::{SourceId, SourceKind, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Fix, LabelStyle, Severity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What may stand in the path of a URI as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The document of a check, with a newline at its end. What comments allow is in it too, as suppressed: SARIF 2.1.0,
/// 3.27.23 and 3.35.
#[must_use]
pub fn all(found: &[Found<'_>], exempt: &[Exempt<'_>]) -> String {
    let told = || found.iter().flat_map(|(sources, diagnostics)| diagnostics.iter().map(move |d| (*sources, d)));
    let allowed = || exempt.iter().flat_map(|(sources, list)| list.iter().map(move |one| (*sources, one)));
    let each = || told().chain(allowed().map(|(sources, one)| (sources, &one.diagnostic)));
    let known: BTreeSet<(Code, Option<&str>)> = each().map(|(_, d)| (d.code, d.rule.as_deref())).collect();
    let known: Vec<(Code, Option<&str>)> = known.into_iter().collect();
    let at = |d: &Diagnostic| known.binary_search(&(d.code, d.rule.as_deref())).unwrap_or_default();
    let shown = told().map(|(sources, d)| finding(sources, d, at(d)));
    let suppressed = allowed().map(|(sources, one)| {
        let mut result = finding(sources, &one.diagnostic, at(&one.diagnostic));
        let location = place(sources, one.comment).map(|place| json!({ "physicalLocation": place }));
        let mut suppression = json!({ "kind": "inSource", "justification": clean_lines(&one.reason) });
        if let (Some(location), Some(map)) = (location, suppression.as_object_mut()) {
            map.insert("location".into(), location);
        }
        if let Some(map) = result.as_object_mut() {
            map.insert("suppressions".into(), json!([suppression]));
        }
        result
    });
    let results = shown.chain(suppressed);
    let rules = known.iter().map(|(code, name)| match (name.and_then(dsvm_lint::rule_named), name) {
        (Some(lint), _) => lint_rule(lint),
        (None, Some(name)) => team_rule(name),
        (None, None) => rule(*code),
    });
    document(&rules.collect(), &results.collect())
}

fn document(rules: &Value, results: &Value) -> String {
    let home = env!("CARGO_PKG_REPOSITORY");
    let driver =
        json!({ "name": "dsvmc", "version": env!("CARGO_PKG_VERSION"), "informationUri": home, "rules": rules });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    format!("{:#}\n", json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
}

fn docs(page: &str) -> String {
    format!("{}/blob/main/docs/{page}", env!("CARGO_PKG_REPOSITORY"))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.to_string(),
        "name": pascal(code.slug()),
        "shortDescription": { "text": sentence(code.title()) },
        "fullDescription": { "text": sentence(code.title()) },
        "help": { "text": super::explain::page_text(code), "markdown": super::explain::page_text(code) },
        "helpUri": docs(&format!("errors/{}.md", code.slug())),
        "defaultConfiguration": { "level": level(code.severity()) },
        "properties": { "tags": [super::explain::stage(code)] },
    })
}

fn lint_rule(rule: &dsvm_lint::Rule) -> Value {
    let page = super::explain::rule_text(rule.id);
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": sentence(rule.summary) },
        "fullDescription": { "text": sentence(rule.summary) },
        "help": { "text": page, "markdown": page },
        "helpUri": docs(&format!("lint/{}.md", rule.id)),
        "defaultConfiguration": { "level": rule.level.severity().map_or("none", level) },
        "properties": { "tags": ["Lint", rule.category.word()] },
    })
}

/// A rule that a team wrote itself, of which only the name is known here.
fn team_rule(name: &str) -> Value {
    let mut made = rule(Code::RuleBroken);
    if let Some(map) = made.as_object_mut() {
        map.insert("id".into(), name.into());
        map.insert("name".into(), pascal(name).into());
    }
    made
}

/// A slug in Pascal case: `unknown-name` → `UnknownName`.
fn pascal(slug: &str) -> String {
    let word = |w: &str| {
        let mut letters = w.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    slug.split('-').map(word).collect()
}

/// First letter large, full stop at the end.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Plain text of a message: a bracket in it does not start a link.
fn message(text: &str) -> Value {
    json!({ "text": clean_lines(text).replace("](", "\\](") })
}

fn finding(sources: &SourceMap, diagnostic: &Diagnostic, rule: usize) -> Value {
    let mut text = sentence(&diagnostic.title);
    for more in diagnostic.help.iter().chain(&diagnostic.notes) {
        text.push_str(&format!("\n{}", sentence(more)));
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), diagnostic.id().into());
    result.insert("ruleIndex".into(), rule.into());
    result.insert("level".into(), level(diagnostic.severity).into());
    result.insert("message".into(), message(&text));
    let primary = diagnostic.primary().and_then(|span| place(sources, span));
    let primary: Vec<Value> = primary.into_iter().map(|p| json!({ "physicalLocation": p })).collect();
    if !primary.is_empty() {
        result.insert("locations".into(), primary.into());
    }
    let others = diagnostic.labels.iter().filter(|l| l.style == LabelStyle::Secondary);
    let related: Vec<Value> = others
        .enumerate()
        .map(|(id, label)| {
            let mut location = json!({ "id": id + 1, "message": message(&label.text) });
            if let (Some(place), Some(map)) = (place(sources, label.span), location.as_object_mut()) {
                map.insert("physicalLocation".into(), place);
            }
            location
        })
        .collect();
    if !related.is_empty() {
        result.insert("relatedLocations".into(), related.into());
    }
    let fixes: Vec<Value> = diagnostic.fixes.iter().filter_map(|f| fix(sources, f)).collect();
    if !fixes.is_empty() {
        result.insert("fixes".into(), fixes.into());
    }
    result.into()
}

/// File and region; the standard library is inside the program and has none.
fn place(sources: &SourceMap, span: Span) -> Option<Value> {
    Some(json!({ "artifactLocation": artifact(sources, span.source)?, "region": region(sources, span)? }))
}

fn artifact(sources: &SourceMap, id: SourceId) -> Option<Value> {
    let file = sources.get(id).filter(|_| matches!(id.kind(), SourceKind::File(_)))?;
    Some(uri(&file.name))
}

fn uri(name: &str) -> Value {
    let path = utf8_percent_encode(name.trim_start_matches("./"), PATH).to_string();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{path}") })
    } else {
        json!({ "uri": path, "uriBaseId": "%SRCROOT%" })
    }
}

fn region(sources: &SourceMap, span: Span) -> Option<Value> {
    let file = sources.get(span.source)?;
    let (line, column) = file.line_column(span.start);
    let (end_line, end_column) = file.line_column(span.end);
    Some(json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column }))
}

/// A fix, edits grouped by file; one that touches the library is none.
fn fix(sources: &SourceMap, fix: &Fix) -> Option<Value> {
    let files: BTreeSet<SourceId> = fix.edits.iter().map(|(span, _)| span.source).collect();
    let changes: Option<Vec<Value>> = files
        .into_iter()
        .map(|file| {
            let mine = fix.edits.iter().filter(|(span, _)| span.source == file);
            let edits: Option<Vec<Value>> = mine
                .map(|(span, text)| {
                    Some(json!({ "deletedRegion": region(sources, *span)?, "insertedContent": { "text": text } }))
                })
                .collect();
            Some(json!({ "artifactLocation": artifact(sources, file)?, "replacements": edits? }))
        })
        .collect();
    let changes = changes.filter(|c| !c.is_empty())?;
    Some(json!({ "description": message(&sentence(&fix.title)), "artifactChanges": changes }))
}

/// The document of a plan: one finding for each change, on the line that declares the resource; what takes something
/// from people is a warning, the rest are notes.
#[must_use]
pub fn plan(plan: &Plan) -> String {
    let kinds: Vec<EffectKind> = plan.effective().map(|c| c.effect.kind).collect::<BTreeSet<_>>().into_iter().collect();
    let rules = kinds.iter().map(|kind| {
        let id = kind.name();
        json!({
            "id": format!("plan/{id}"),
            "name": format!("Plan{}", pascal(id)),
            "shortDescription": { "text": sentence(kind.meaning()) },
            "fullDescription": { "text": sentence(kind.meaning()) },
            "help": { "text": sentence(kind.meaning()) },
            "helpUri": docs("plan.md"),
            "defaultConfiguration": { "level": gravity(*kind) },
            "properties": { "tags": ["Plan"] },
        })
    });
    let results = plan.effective().map(|c| change(c, kinds.binary_search(&c.effect.kind).unwrap_or_default()));
    document(&rules.collect(), &results.collect())
}

fn gravity(kind: EffectKind) -> &'static str {
    if kind >= EffectKind::Restart { "warning" } else { "note" }
}

fn change(change: &Change, rule: usize) -> Value {
    let effect = effect_line(change);
    let effect = if effect.is_empty() { change.reason.clone() } else { effect };
    let text = sentence(&format!("{} {}: {effect}", change.action.word(), label(change)));
    let logical = json!([{ "fullyQualifiedName": clean(&change.id), "kind": "resource" }]);
    let mut location = json!({ "logicalLocations": logical });
    // What was there at another commit has no line in the working tree.
    let here = change.source.as_ref().filter(|_| change.action != arm_plan::Action::Delete);
    if let (Some(source), Some(map)) = (here, location.as_object_mut()) {
        map.insert("physicalLocation".into(), at(source));
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), format!("plan/{}", change.effect.kind.name()).into());
    result.insert("ruleIndex".into(), rule.into());
    result.insert("level".into(), gravity(change.effect.kind).into());
    result.insert("message".into(), message(&text));
    result.insert("locations".into(), json!([location]));
    let lines = change.attributes.iter().filter_map(|a| Some((a, a.source.as_ref()?)));
    let related: Vec<Value> = lines
        .enumerate()
        .map(|(id, (attribute, source))| {
            let text = format!("{}: {}", attribute.path, values(attribute));
            json!({ "id": id + 1, "physicalLocation": at(source), "message": message(&text) })
        })
        .collect();
    if !related.is_empty() && change.action != arm_plan::Action::Create {
        result.insert("relatedLocations".into(), related.into());
    }
    result.into()
}

fn at(source: &Source) -> Value {
    let region = json!({ "startLine": source.line, "startColumn": source.column });
    json!({ "artifactLocation": uri(&source.file), "region": region })
}
