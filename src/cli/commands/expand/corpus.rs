//! `dsvmc expand --check`: expands every template below a folder with placeholder values, and counts.

use super::Links;
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::driver::{EntryKind, World};
use arm_template::json::{Document, Node};
use arm_template::{Expansion, Limits, Parameters, Position, Scope, Template};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The result for one file.
enum Outcome {
    /// Not a deployment template.
    Other,
    /// The file is not JSON.
    Unread(String, Option<Position>),
    /// The template cannot be expanded.
    Refused(String, Option<Position>),
    Expanded {
        resources: usize,
        unknown: bool,
    },
}

pub(super) fn run(root: &Path, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut files = Vec::new();
    walk(root, cx.world.as_ref(), &mut files)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut resources, mut slowest) = (0, (Duration::ZERO, PathBuf::new()));
    let mut refused = Vec::new();
    let start = Instant::now();
    for file in &files {
        let begun = Instant::now();
        let outcome = one(file, cx.world.as_ref())?;
        slowest = slowest.max((begun.elapsed(), file.clone()));
        let word = match outcome {
            Outcome::Other => "other JSON",
            Outcome::Unread(why, at) => {
                cx.printer.note(&format!("{}: not JSON: {why}\n", placed(file, at)));
                refused.push(refusal(file, "not readable", &why, at));
                "not readable"
            }
            Outcome::Refused(why, at) => {
                cx.printer.note(&format!("{}: {why}\n", placed(file, at)));
                *reasons.entry(generalised(&why)).or_default() += 1;
                refused.push(refusal(file, "refused", &why, at));
                "refused"
            }
            Outcome::Expanded { resources: count, unknown } => {
                resources += count;
                if unknown { "expanded with unknown parts" } else { "expanded fully" }
            }
        };
        *counts.entry(word).or_default() += 1;
    }
    let (agree, differ) = twins(&files, cx)?;
    if cx.format == Format::Json {
        let counted = json!({
            "files": files.len(), "outcomes": counts, "resources": resources,
            "twins": { "agree": agree, "differ": differ }, "refused": refused,
        });
        cx.printer.data(&format!("{counted:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (word, count) in &counts {
        text.push_str(&format!("{count:>6}  {word}\n"));
    }
    text.push_str(&format!("{resources:>6}  resources\n"));
    text.push_str(&format!("{agree:>6}  twins that agree\n{differ:>6}  twins that differ\n"));
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons {
        text.push_str(&format!("{count:>6}  refused: {reason}\n"));
    }
    cx.printer.data(&text)?;
    cx.printer.note(&format!(
        "{} files in {:.1} s; slowest {:.0} ms: {}\n",
        files.len(),
        start.elapsed().as_secs_f64(),
        slowest.0.as_secs_f64() * 1e3,
        slowest.1.display()
    ));
    Ok(Exit::Done)
}

/// `file:line:column`, as far as it is known.
fn placed(file: &Path, at: Option<Position>) -> String {
    at.map_or_else(|| file.display().to_string(), |at| format!("{}:{}:{}", file.display(), at.line, at.column))
}

fn refusal(file: &Path, outcome: &str, why: &str, at: Option<Position>) -> Value {
    json!({
        "file": file.display().to_string(), "outcome": outcome, "reason": why,
        "line": at.map(|at| at.line), "column": at.map(|at| at.column),
    })
}

/// The reason without the user's own words, so that equal reasons count as one.
fn generalised(why: &str) -> String {
    let mut out = String::new();
    let why = why.split(" (line ").next().unwrap_or(why);
    for (index, part) in why.split('`').enumerate() {
        out.push_str(if index % 2 == 0 { part } else { "…" });
    }
    out.chars().take(110).collect()
}

fn walk(path: &Path, world: &dyn World, files: &mut Vec<PathBuf>) -> Result<(), miette::Report> {
    if world.kind(path)? == EntryKind::File {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for (entry, kind) in world.list(path)? {
        match kind {
            EntryKind::Folder => walk(&entry, world, files)?,
            EntryKind::File if entry.extension().is_some_and(|e| e == "json" || e == "jsonc") => files.push(entry),
            EntryKind::File => {}
        }
    }
    Ok(())
}

fn one(file: &Path, world: &dyn World) -> Result<Outcome, miette::Report> {
    let bytes = world.read(file)?;
    let text = arm_template::json::decode(&bytes);
    if !text.to_lowercase().contains("deploymenttemplate.json") {
        return Ok(Outcome::Other);
    }
    let node = match arm_template::json::read(&text) {
        Ok(node) => node,
        Err(error) => {
            let at = Document::new(&*text).position(error.offset);
            return Ok(Outcome::Unread(error.message, Some(at)));
        }
    };
    let schema = node.get("$schema").and_then(|s| s.as_str()).unwrap_or("").to_lowercase();
    if !schema.contains("deploymenttemplate.json") {
        return Ok(Outcome::Other);
    }
    let first = |errors: Vec<arm_template::TemplateError>| {
        let first = errors.into_iter().next();
        first.map_or(Outcome::Refused(String::new(), None), |error| Outcome::Refused(error.sentence, error.position))
    };
    let template = match arm_template::parse(&text) {
        Ok(template) => template,
        Err(errors) => return Ok(first(errors)),
    };
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let links = Links::new(world, base);
    let expand = |parameters: &Parameters| {
        arm_template::expand_linked(&template, parameters, &context(&template), &Limits::default(), &links)
    };
    let mut result = expand(&stand_ins(file, &template, world, Gaps::Required));
    // A stand-in may lack what the template asks of it: then one with the members that its expressions name. Parts that
    // another template calls have empty defaults, which only a caller makes usable: then these get stand-ins, too.
    for gaps in [Gaps::Required, Gaps::Empty] {
        for leaf in LEAVES {
            if result.is_ok() {
                break;
            }
            let mut parameters = stand_ins(file, &template, world, gaps);
            guess(&text, &template, gaps, leaf, &mut parameters);
            result = expand(&parameters).or(result);
        }
    }
    match result {
        Ok(expansion) => {
            let flat = expansion.flat();
            Ok(Outcome::Expanded { resources: flat.len(), unknown: unknown(&expansion) })
        }
        Err(errors) => Ok(first(errors)),
    }
}

/// A placeholder for the value at a path, by the name of its last member.
const LEAVES: [fn(&str) -> Value; 3] = [
    |name| {
        let number = ["count", "size", "port", "capacity", "number", "index", "gb"];
        let name = name.to_lowercase();
        if number.iter().any(|word| name.contains(word)) { Value::from(1) } else { Value::from("value") }
    },
    |_| Value::from("value"),
    |_| Value::from(1),
];

/// Which parameters get a stand-in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gaps {
    /// Those without default, or with the default `null`.
    Required,
    /// Those with an empty default as well: `""`, `{}`, `[]`, and objects with nothing but `null` in them.
    Empty,
}

impl Gaps {
    /// Whether the parameter needs a stand-in.
    fn has(self, template: &Template, name: &str, required: bool) -> bool {
        let declared = template.root().get("parameters").and_then(|p| p.get(name));
        let default = declared.and_then(|d| d.get("defaultValue")).map_or(Value::Null, Node::to_value);
        required || default.is_null() || (self == Self::Empty && hollow(&default))
    }
}

fn hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(hollow),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Adds the members that the template reads to objects and lists of undescribed form; returns their number.
fn guess(text: &str, template: &Template, gaps: Gaps, leaf: fn(&str) -> Value, parameters: &mut Parameters) -> usize {
    let lower = text.to_ascii_lowercase();
    let mut count = 0;
    for (name, kind, required) in template.parameters() {
        let open = ["object", "secureobject", "array"].iter().any(|k| kind.eq_ignore_ascii_case(k));
        if !open || !gaps.has(template, &name, required) {
            continue;
        }
        let needle = format!("parameters('{}')", name.to_ascii_lowercase());
        let mut tree = Value::Null;
        for (at, _) in lower.match_indices(&needle) {
            let rest = text.get(at + needle.len()..).unwrap_or_default();
            let steps = steps(rest);
            if let Some(last) = steps.last() {
                let end = leaf(last.as_deref().unwrap_or_default());
                plant(&mut tree, &steps, end);
            }
        }
        if !tree.is_null() && parameters.set(&name, &tree).is_ok() {
            count += 1;
        }
    }
    count
}

/// `.a['b'][0].c` as steps; `None` is an element of a list.
fn steps(mut rest: &str) -> Vec<Option<String>> {
    let mut out = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(after.len());
            let (name, next) = after.split_at(end);
            out.push(Some(name.to_owned()));
            rest = next;
        } else if let Some((name, next)) = rest.strip_prefix("['").and_then(|after| after.split_once("']")) {
            out.push(Some(name.to_owned()));
            rest = next;
        } else if let Some((_, next)) = rest.strip_prefix('[').and_then(|after| after.split_once(']')) {
            out.push(None);
            rest = next;
        } else {
            return out;
        }
    }
}

fn plant(tree: &mut Value, steps: &[Option<String>], end: Value) {
    match steps.split_first() {
        None if tree.is_null() => *tree = end,
        None => {}
        Some((Some(name), rest)) => {
            if !tree.is_object() {
                *tree = Value::Object(serde_json::Map::new());
            }
            if let Some(map) = tree.as_object_mut() {
                plant(map.entry(name.as_str()).or_insert(Value::Null), rest, end);
            }
        }
        Some((None, rest)) => {
            if !tree.is_array() {
                *tree = Value::Array(vec![Value::Null]);
            }
            if let Some(first) = tree.as_array_mut().and_then(|list| list.first_mut()) {
                plant(first, rest, end);
            }
        }
    }
}

/// Bicep compiles many samples twice, with and without symbolic names: both must give the same resources.
fn twins(files: &[PathBuf], cx: &mut Context) -> Result<(usize, usize), miette::Report> {
    let (mut agree, mut differ) = (0, 0);
    for file in files {
        let Some(stem) = file.to_str().and_then(|f| f.strip_suffix(".symbolicnames.json")) else { continue };
        let plain = PathBuf::from(format!("{stem}.json"));
        let world = cx.world.as_ref();
        let (Some(left), Some(right)) = (resources(&plain, world), resources(file, world)) else { continue };
        if left == right {
            agree += 1;
        } else {
            differ += 1;
            cx.printer.note(&format!("{}: the twins differ\n", plain.display()));
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for id in keys.into_iter().filter(|id| left.get(*id) != right.get(*id)) {
                let show =
                    |side: &BTreeMap<String, String>| side.get(id).cloned().unwrap_or_else(|| "absent".to_owned());
                cx.printer.note(&format!("  {id}\n    {}\n    {}\n", show(&left), show(&right)));
            }
        }
    }
    Ok((agree, differ))
}

/// Resources of a template by id, with bodies as text; `None` when it cannot be expanded.
fn resources(file: &Path, world: &dyn World) -> Option<BTreeMap<String, String>> {
    let bytes = world.read(file).ok()?;
    let template = arm_template::parse(&arm_template::json::decode(&bytes)).ok()?;
    let parameters = stand_ins(file, &template, world, Gaps::Required);
    let links = Links::new(world, file.parent().map(Path::to_path_buf).unwrap_or_default());
    let expansion =
        arm_template::expand_linked(&template, &parameters, &context(&template), &Limits::default(), &links).ok()?;
    let one = |r: &arm_template::Resource| {
        let mut body = r.body.clone();
        body.sort_all_objects();
        (r.id.clone(), body.to_string())
    };
    // `existing` resources are written only where there are symbolic names.
    Some(expansion.flat().into_iter().filter(|r| !r.existing).map(one).collect())
}

fn unknown(expansion: &Expansion) -> bool {
    expansion.flat().iter().any(|r| !r.unknown.is_empty()) || expansion.outputs.values().any(|o| !o.unknown.is_empty())
}

fn context(template: &Template) -> arm_template::Context {
    let mut context = arm_template::Context::resource_group("11111111-1111-4111-8111-111111111111", "rg");
    context.tenant_id = Some("22222222-2222-4222-8222-222222222222".to_owned());
    context.management_group = Some("mg".to_owned());
    context.location = Some("westeurope".to_owned());
    context.now = jiff::Timestamp::from_second(1_700_000_000).ok();
    context.guid_seed = Some(1);
    if let Some(group) = &mut context.resource_group {
        group.location = Some("westeurope".to_owned());
    }
    context.scope = template.scope().unwrap_or_default();
    if context.scope != Scope::ResourceGroup {
        context.resource_group = None;
    }
    context
}

/// Values of the parameter file beside the template, then stand-ins for what has neither value nor default.
fn stand_ins(file: &Path, template: &Template, world: &dyn World, gaps: Gaps) -> Parameters {
    let beside = file.with_extension("parameters.json");
    let mut parameters = Parameters::new();
    let names: Vec<String> = template.parameters().into_iter().map(|(name, _, _)| name.to_lowercase()).collect();
    if let Ok(bytes) = world.read(&beside)
        && let Ok(found) = arm_template::parse_parameters(&String::from_utf8_lossy(&bytes))
        && found.names().all(|n| names.contains(&n.to_lowercase()))
        && !String::from_utf8_lossy(&bytes).contains("GEN-")
    {
        parameters.merge(found);
    }
    let given: Vec<String> = parameters.names().map(str::to_lowercase).collect();
    let declared = template.root().get("parameters");
    for (index, (name, kind, required)) in template.parameters().into_iter().enumerate() {
        if given.contains(&name.to_lowercase()) || !gaps.has(template, &name, required) {
            continue;
        }
        let node = declared.and_then(|p| p.get(&name));
        let value = node.map_or(Value::Null, |node| stand_in(template.root(), node, &kind, (&name, index), 0));
        // A value that cannot be set is simply not given.
        let _ = parameters.set(&name, &value);
    }
    parameters
}

/// A value that a type allows; the name and number of the parameter keep strings of two parameters apart.
fn stand_in(root: &Node, node: &Node, kind: &str, named: (&str, usize), depth: usize) -> Value {
    let text = |key: &str| node.get(key);
    if let Some(first) = text("allowedValues").and_then(|a| a.as_array()).and_then(|a| a.first()) {
        return if kind.eq_ignore_ascii_case("array") { Value::from(vec![first.to_value()]) } else { first.to_value() };
    }
    if depth > 20 {
        return Value::Null;
    }
    if let Some(target) = node.get("$ref").and_then(|r| r.as_str()).and_then(|r| r.strip_prefix("#/definitions/")) {
        let name = target.replace("~1", "/").replace("~0", "~");
        return match root.get("definitions").and_then(|d| d.get(&name)) {
            Some(found) => {
                let kind = found.get("type").and_then(|t| t.as_str()).unwrap_or("object").to_owned();
                stand_in(root, found, &kind, named, depth + 1)
            }
            None => Value::Null,
        };
    }
    let least = text("minLength").and_then(|n| n.as_int()).unwrap_or(0).clamp(0, 1000) as usize;
    match kind.to_lowercase().as_str() {
        "int" => Value::from(text("minValue").and_then(|n| n.as_int()).unwrap_or(1)),
        "bool" => Value::from(false),
        "array" => {
            let items = node.get("items").filter(|i| i.as_object().is_some());
            let kind = items.and_then(|i| i.get("type")).and_then(|t| t.as_str()).unwrap_or("string").to_owned();
            let one =
                items.map_or_else(|| Value::from("value"), |items| stand_in(root, items, &kind, named, depth + 1));
            Value::from(vec![one; least.clamp(1, 20)])
        }
        "object" | "secureobject" => object(root, node, named.1, depth),
        _ => Value::from(word(named.0, named.1, least, text("maxLength").and_then(|n| n.as_int()))),
    }
}

fn object(root: &Node, node: &Node, salt: usize, depth: usize) -> Value {
    let mut members = serde_json::Map::new();
    let mut schemas = vec![node];
    if let Some(mapping) = node.get("discriminator").and_then(|d| d.get("mapping")).and_then(|m| m.as_object())
        && let Some((name, schema)) = mapping.iter().next()
    {
        if let Some(property) = node.get("discriminator").and_then(|d| d.get("propertyName")).and_then(|p| p.as_str()) {
            members.insert(property.to_owned(), Value::from(&**name));
        }
        let target = schema.get("$ref").and_then(|r| r.as_str()).and_then(|r| r.strip_prefix("#/definitions/"));
        schemas.push(target.and_then(|t| root.get("definitions").and_then(|d| d.get(t))).unwrap_or(schema));
    }
    for schema in schemas {
        for (name, property) in schema.get("properties").and_then(|p| p.as_object()).into_iter().flat_map(|p| p.iter())
        {
            let optional = property.get("nullable").and_then(|n| n.as_bool()) == Some(true);
            if optional || members.contains_key(&**name) {
                continue;
            }
            let kind = property.get("type").and_then(|t| t.as_str()).unwrap_or("object").to_owned();
            members.insert(name.to_string(), stand_in(root, property, &kind, (&**name, salt), depth + 1));
        }
    }
    Value::Object(members)
}

/// A string by the name of its parameter: ids and addresses look like such.
fn word(name: &str, salt: usize, least: usize, most: Option<i64>) -> String {
    let name = name.to_lowercase();
    let id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.Web/sites/site";
    let text = if name.ends_with("resourceid") {
        id.to_owned()
    } else if name.contains("artifactslocation") || name.ends_with("uri") || name.ends_with("url") {
        format!("https://example.com/{salt}/")
    } else if name.ends_with("location") || name.ends_with("region") {
        "westeurope".to_owned()
    } else {
        format!("x{salt}in")
    };
    let padded: String = text.chars().chain("standin".chars().cycle()).take(least.max(text.chars().count())).collect();
    let most = most.and_then(|m| usize::try_from(m).ok()).unwrap_or(usize::MAX);
    padded.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_defaults_get_stand_ins_where_a_template_waits_for_its_caller() {
        let text = r#"{ "parameters": { "nothing": { "type": "string", "defaultValue": null }, "blank": { "type": "string", "defaultValue": "" },
            "net": { "type": "object", "defaultValue": { "name": null } }, "set": { "type": "object", "defaultValue": { "name": "a" } } },
            "a": "[parameters('net').name]" }"#;
        let template = arm_template::parse(text).unwrap();
        let open = |gaps: Gaps| {
            template
                .parameters()
                .into_iter()
                .filter(|(n, _, r)| gaps.has(&template, n, *r))
                .map(|p| p.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(open(Gaps::Required), ["nothing"]);
        assert_eq!(open(Gaps::Empty), ["nothing", "blank", "net"]);
        let mut parameters = Parameters::new();
        assert_eq!(guess(text, &template, Gaps::Empty, LEAVES[0], &mut parameters), 1);
    }

    #[test]
    fn members_are_guessed_from_what_the_template_asks() {
        let text = r#"{ "parameters": { "net": { "type": "object" }, "list": { "type": "array" } },
            "a": "[Parameters('NET').vnet.name]", "b": "[parameters('net').subnets[0]['count']]", "c": "[parameters('list')[copyIndex()].x]",
            "d": "[concat(parameters('net').vnet, 'x')]" }"#;
        let template = arm_template::parse(text).unwrap();
        let mut parameters = Parameters::new();
        assert_eq!(guess(text, &template, Gaps::Required, LEAVES[0], &mut parameters), 2);
        assert_eq!(steps(".a['b'][0].c, 1)"), [Some("a".to_owned()), Some("b".to_owned()), None, Some("c".to_owned())]);
        let mut tree = Value::Null;
        for path in [".vnet.name)", ".subnets[0]['count'])", ".vnet)"] {
            plant(&mut tree, &steps(path), Value::from("value"));
        }
        assert_eq!(tree, serde_json::json!({ "vnet": { "name": "value" }, "subnets": [{ "count": "value" }] }));
    }
}
