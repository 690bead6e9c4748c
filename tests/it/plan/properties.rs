//! Every property of everything that the examples emit, changed by itself: the plan shows that property and no other,
//! a write of it is taken or refused by name, what was written is as wanted, and the way back ends where it began.

use crate::support::TestContext;
use arm_apply::StateDir;
use arm_catalog::PropertyType;
use arm_client::{AzureError, Client, Method, OperationStatus, Pending, ResourceRef};
use arm_local::{Endpoint, Options as Local};
use arm_plan::{
    Action, Baseline, Desired, DesiredResource, DiffOptions, Observed, Plan, SuppressionRule, diff, facts_of,
    type_of_id,
};
use dsvmc::cli::disk::Disk;
use dsvmc::deploy::context::DeployContext;
use dsvmc::deploy::frontend::Silent;
use dsvmc::deploy::input::DeployInput;
use dsvmc::deploy::load::load;
use dsvmc::deploy::plan::{self, Planned};
use dsvmc::deploy::session;
use dsvmc::deploy::settings::Settings;
use dsvmc::deploy::target::DeployTarget;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 23);
/// Changed by a write, and not back by another: the rest of the resource would be tried in a state that it cannot leave.
const ONE_WAY: [&str; 1] = ["/properties/virtualMachineProfile/securityProfile/securityType"];
/// What belongs to the envelope: another name is another resource.
const ENVELOPE: [&str; 5] = ["id", "name", "type", "apiVersion", "dependsOn"];

/// An example as it stands after an apply.
struct Applied {
    planned: Planned,
    baseline: Baseline,
    client: Client,
    _endpoint: Endpoint,
    _cx: TestContext,
}

fn apply(folder: &Path, name: &str) -> Applied {
    let cx = TestContext::new();
    let state = cx.path().join(".dsvmc").join("local");
    std::fs::create_dir_all(&state).unwrap();
    let endpoint = Endpoint::start(Local { state: Some(state), ..Local::default() }).unwrap();
    let mut env = None;
    for file in std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()) {
        if file.extension().is_some_and(|e| e == "dsvm") {
            let text = std::fs::read_to_string(&file).unwrap();
            let mut envs =
                text.lines().filter_map(|l| l.strip_prefix("env ")).filter_map(|l| l.split_whitespace().next());
            env = envs.next_back().map(str::to_owned).or(env);
            cx.write(&file.file_name().unwrap().to_string_lossy(), &text);
        }
    }
    let option = env.as_ref().map(|e| format!("--env {e}")).unwrap_or_default();
    let applied = cx.run(&format!("apply --as-of {TODAY} --yes {option} ."));
    assert_eq!(applied.exit, 0, "{name}\n{}", applied.text());
    let world = Disk::new(Some(TODAY));
    let input = DeployInput { env, ..DeployInput::default() };
    let target = DeployTarget { credential: "none".into(), attempts: 3, ..DeployTarget::default() };
    let project = load(cx.path(), &input, &world, &mut Silent).unwrap();
    let session = session::open(&target, &project.root).unwrap();
    let state = StateDir::new(&project.root, &project.name, &project.env);
    let settings = Settings { list_suppressed: true, ..Settings::default() };
    let context = DeployContext { project: &project, input: &input, target: &target, session: &session, state: &state };
    let planned = plan::make(&context, &settings, &world, &mut Silent).unwrap();
    assert!(planned.plan.is_empty(), "{name}: {:#?}", planned.plan.effective().collect::<Vec<_>>());
    let baseline = state.baseline().unwrap();
    Applied { planned, baseline, client: session.client, _endpoint: endpoint, _cx: cx }
}

/// JSON pointers of all leaves.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            leaves(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, inner)| leaves(inner, &format!("{at}/{n}"), found)),
        Value::Null => {}
        _ => found.push(at.to_owned()),
    }
}

fn words(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"))
}

/// The pointer with `*` for each place in a list and each key that is data.
fn pattern(pointer: &str) -> String {
    let mut out = String::new();
    for word in words(pointer) {
        let number = word.bytes().all(|b| b.is_ascii_digit());
        let data = number || word.contains('/') || out.ends_with("/tags") || out.ends_with("/userAssignedIdentities");
        out.push('/');
        out.push_str(if data { "*" } else { &word });
    }
    out
}

/// Another value of the same kind; of an enumeration another word.
fn another(value: &Value, kind: Option<&PropertyType>) -> Value {
    match (value, kind) {
        (Value::String(now), Some(PropertyType::Enum { values, .. })) => {
            let other = values.iter().find(|v| !v.eq_ignore_ascii_case(now) && *v != "None" && *v != "SystemAssigned");
            Value::from(other.cloned().unwrap_or_else(|| format!("{now}x")))
        }
        (Value::Bool(now), _) => json!(!now),
        (Value::Number(now), _) => now.as_i64().map_or_else(|| json!(now.as_f64().unwrap() + 1.0), |n| json!(n + 1)),
        (Value::String(now), _) => Value::from(other_text(now)),
        _ => unreachable!("only leaves are changed"),
    }
}

fn other_text(now: &str) -> String {
    if let Ok(number) = now.parse::<i64>() {
        return (number + 1).to_string();
    }
    if let Some(time) = now.strip_prefix("PT").filter(|t| t.ends_with('M'))
        && let Ok(minutes) = time.trim_end_matches('M').parse::<u32>()
    {
        return format!("PT{}M", minutes + 5);
    }
    if let Some((address, bits)) = now.split_once('/').filter(|(a, _)| a.parse::<std::net::Ipv4Addr>().is_ok()) {
        let mut octets = address.parse::<std::net::Ipv4Addr>().unwrap().octets();
        octets[1] ^= 1;
        return format!("{}/{bits}", std::net::Ipv4Addr::from(octets));
    }
    format!("{now}x")
}

/// Names of keys on the way, without places in lists and names of elements, in lower case.
fn keys_of_path(path: &str) -> Vec<String> {
    let (mut keys, mut current, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for c in path.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            '.' if depth == 0 => keys.push(std::mem::take(&mut current)),
            c if depth == 0 => current.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    keys.push(current);
    keys
}

fn keys_of_pointer(pointer: &str) -> Vec<String> {
    let names = words(pointer).filter(|w| !w.bytes().all(|b| b.is_ascii_digit()));
    names.map(|w| w.to_ascii_lowercase()).collect()
}

/// What exists, without what differs from write to write.
fn settled(value: &Value, at: &str, kind: &str) -> Value {
    let facts = facts_of(kind);
    match value {
        Value::Object(map) => map
            .iter()
            .filter_map(|(key, inner)| {
                let lower = key.to_ascii_lowercase();
                let path = if at.is_empty() { lower.clone() } else { format!("{at}.{lower}") };
                let moves = lower == "etag" || lower == "systemdata" || facts.at(&path).read_only;
                (!moves).then(|| (key.clone(), settled(inner, &path, kind)))
            })
            .collect(),
        Value::Array(list) => list.iter().map(|inner| settled(inner, &format!("{at}[]"), kind)).collect(),
        other => other.clone(),
    }
}

struct Case<'a> {
    applied: &'a Applied,
    resource: &'a DesiredResource,
    /// What the comparison of one resource needs besides it.
    around: Vec<DesiredResource>,
    /// JSON pointer into the body of `resource`.
    pointer: String,
    changed: Value,
}

impl Case<'_> {
    fn desired(&self, body: &Value) -> Desired {
        let mut resources = self.around.clone();
        let mut unresolved = self.resource.unresolved.read();
        if let (Some(slot), Some(value)) = (unresolved.pointer_mut(&self.pointer), body.pointer(&self.pointer)) {
            *slot = value.clone();
        }
        resources.push(DesiredResource { body: body.into(), unresolved: unresolved.into(), ..self.resource.clone() });
        Desired { resources }
    }

    fn plan(&self, body: &Value, observed: &Observed, baseline: Baseline) -> Plan {
        let options =
            DiffOptions { baseline: Some(baseline), targets: vec![self.resource.id.clone()], ..DiffOptions::default() };
        diff(&self.desired(body), observed, &options)
    }

    /// Writes a body; the code of the refusal when it is refused.
    fn put(&self, body: &Value) -> Result<(), String> {
        let mut body = body.clone();
        ENVELOPE.iter().for_each(|key| drop(body.as_object_mut().unwrap().shift_remove(*key)));
        let path = format!("{}?api-version={}", self.resource.id, self.resource.api_version);
        let code = |error: AzureError| match error {
            AzureError::Service(error) => error.innermost().first().map_or(error.code.clone(), |e| e.code.clone()),
            other => panic!("{other}"),
        };
        let reply = self.applied.client.send(Method::Put, &path, Some(&body)).map_err(code)?;
        let Some(mut pending) = Pending::of(&reply) else { return Ok(()) };
        for _ in 0..10_000 {
            match self.applied.client.poll(&pending).map_err(code)? {
                OperationStatus::Running(next) => pending = next,
                OperationStatus::Done(_) => return Ok(()),
                OperationStatus::Failed(error) => return Err(error.code),
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("{path} never ends");
    }

    fn look(&self) -> Value {
        let wanted = ResourceRef { id: self.resource.id.clone(), api_version: self.resource.api_version.clone() };
        self.applied.client.observe(&[wanted]).unwrap().remove(0)
    }
}

#[derive(Default)]
struct Counts {
    shown: usize,
    held_back: BTreeMap<(String, String), BTreeSet<SuppressionRule>>,
    taken: usize,
    refused: BTreeMap<String, usize>,
    /// The plan says that the resource is recreated, and the endpoint writes it in place.
    softer: BTreeSet<(String, String)>,
    wrong: Vec<String>,
}

fn one(case: &Case<'_>, kind: &str, pattern: &str, observed: &Observed, counts: &mut Counts) {
    let what = format!("{kind} {pattern}");
    let own = case.resource.body.read();
    let plan = case.plan(&case.changed, observed, case.applied.baseline.clone());
    let Some(change) = plan.effective().next() else {
        let path = keys_of_pointer(&case.pointer);
        let rules = plan.suppressed.iter().filter(|s| path.starts_with(&keys_of_path(&s.path)));
        counts.held_back.insert((kind.to_owned(), pattern.to_owned()), rules.map(|s| s.rule).collect());
        return;
    };
    // A key of a list: one element goes and another comes.
    let path = keys_of_pointer(&case.pointer);
    let exact = change.attributes.iter().all(|a| path.starts_with(&keys_of_path(&a.path)));
    if !exact || change.attributes.is_empty() || change.attributes.len() > 2 {
        let paths: Vec<_> = change.attributes.iter().map(|a| a.path.as_str()).collect();
        counts.wrong.push(format!("{what}: shown as {paths:?}"));
        return;
    }
    counts.shown += 1;
    if ONE_WAY.contains(&pattern) {
        return;
    }
    let before = case.look();
    if let Err(code) = case.put(&case.changed) {
        *counts.refused.entry(code).or_default() += 1;
        return;
    }
    counts.taken += 1;
    if matches!(change.action, Action::Replace | Action::Refuse) {
        counts.softer.insert((kind.to_owned(), pattern.to_owned()));
    }
    let after = Observed::of(&[case.look()], vec![]);
    let record = Baseline::record(&case.desired(&case.changed), &after, "salt");
    let again = case.plan(&case.changed, &after, record);
    if let Some(left) = again.effective().next() {
        counts.wrong.push(format!("{what}: written, and still different: {:?}", left.attributes));
    }
    if let Err(code) = case.put(&own) {
        counts.wrong.push(format!("{what}: the way back is refused: {code}"));
        return;
    }
    let back = case.look();
    if settled(&back, "", kind) != settled(&before, "", kind) {
        counts.wrong.push(format!("{what}: the way back ends elsewhere\n  {before}\n  {back}"));
    }
}

#[test]
fn every_property_of_every_type_is_seen_written_and_taken_back() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut folders: Vec<_> = std::fs::read_dir(examples).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut counts = Counts::default();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !folder.join("main.dsvm").is_file() || super::examples::ON_WHAT_EXISTS.contains(&name.as_str()) {
            continue;
        }
        let applied = apply(&folder, &name);
        let around: Vec<DesiredResource> = applied.planned.desired.resources.clone();
        for resource in around.iter().filter(|r| !r.existing) {
            let kind = type_of_id(&resource.id).0;
            let body = resource.body.read();
            let mut all = Vec::new();
            leaves(&body, "", &mut all);
            let settings =
                |r: &&DesiredResource| r.resource_type.ends_with("/autoscaleSettings") && r.id != resource.id;
            let around: Vec<_> = around.iter().filter(settings).cloned().collect();
            for pointer in all {
                let pattern = pattern(&pointer);
                let first = words(&pointer).next().unwrap();
                if ENVELOPE.contains(&first.as_str()) || !seen.insert((kind.clone(), pattern.clone())) {
                    continue;
                }
                kinds.insert(kind.clone());
                let known = arm_catalog::property(&kind, &pattern).map(|node| node.resolved());
                let mut changed = body.clone();
                let slot = changed.pointer_mut(&pointer).unwrap();
                *slot = another(slot, known);
                let case = Case { applied: &applied, resource, around: around.clone(), pointer, changed };
                one(&case, &kind, &pattern, &applied.planned.observed, &mut counts);
            }
        }
    }
    assert!(counts.wrong.is_empty(), "{} wrong:\n{}", counts.wrong.len(), counts.wrong.join("\n"));
    let held: Vec<String> = counts.held_back.iter().map(|((k, p), r)| format!("{k} {p}: {r:?}")).collect();
    let softer: Vec<String> = counts.softer.iter().map(|(k, p)| format!("{k} {p}")).collect();
    insta::assert_snapshot!(format!(
        "{} properties of {} types: {} shown, {} held back; {} written and taken back, {} refused\n\nrefused\n{}\n\nheld back\n{}\n\nrecreated according to the plan, written in place by the endpoint\n{}",
        seen.len(),
        kinds.len(),
        counts.shown,
        held.len(),
        counts.taken,
        counts.refused.values().sum::<usize>(),
        counts.refused.iter().map(|(code, n)| format!("{n} {code}")).collect::<Vec<_>>().join("\n"),
        held.join("\n"),
        softer.join("\n"),
    ));
}
