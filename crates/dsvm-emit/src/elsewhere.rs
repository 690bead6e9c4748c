//! Resources of other resource groups: each run of them becomes a nested deployment into its group.
//!
//! The graph writes every id as if all resources were in the group deployed to. Here each id of a resource elsewhere gets
//! its group, and what moves inside of a nested deployment is rewritten for that place: the group deployed to, the
//! parameters and the variables come in as parameters. Inner scope keeps secrets out of the deployment's record.
//!
//! A nested deployment is one thing to wait for. So that no two wait for each other, what is in one group is cut wherever
//! something in it waits for a thing outside.

use super::places::Places;
use super::split::Group;
use super::template::{SCHEMA, Trace, resource, trace};
use arm_template::{Expr, ExprKind};
use dsvm_graph::json::{Json, Key, Map, json};
use dsvm_graph::versions as v;
use dsvm_graph::{Node, NodeId, ResourceGraph, Text};
use dsvm_sema::checked::Checked;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What the group deployed to is called inside.
const OUTER_GROUP: &str = "dsvmcResourceGroup";

/// Type and first name of a resource that has no parent.
type Root = (String, String);

/// The resources of one template by where they go.
pub(crate) struct Elsewhere<'a> {
    graph: &'a ResourceGraph,
    checked: &'a Checked,
    nodes: &'a [NodeId],
    roots: HashMap<Root, Text>,
    /// The nested deployment of each resource that is in one.
    home: HashMap<NodeId, RunId>,
    runs: Vec<Run>,
}

/// Position of a nested deployment; made only when its run is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RunId(usize);

/// The resources of one nested deployment.
struct Run {
    group: Text,
    members: Vec<NodeId>,
}

/// What a text inside of a nested deployment takes from outside.
#[derive(Default)]
struct Taken {
    parameters: BTreeSet<String>,
    variables: BTreeSet<String>,
    group: bool,
}

/// Whether anything goes to another group.
pub(crate) fn has_any(graph: &ResourceGraph) -> bool {
    graph.nodes.iter().any(|n| n.group.is_some())
}

impl<'a> Elsewhere<'a> {
    /// Where everything goes; `None` when all is in the group deployed to.
    pub(crate) fn of(graph: &'a ResourceGraph, checked: &'a Checked, group: &'a Group) -> Option<Self> {
        if !has_any(graph) {
            return None;
        }
        let mut roots = HashMap::new();
        for node in &graph.nodes {
            if let (Some(group), Some(root), 1) = (&node.group, root_of(&node.id), node.kind.matches('/').count()) {
                roots.insert(root, group.clone());
            }
        }
        let mut all = Self { graph, checked, nodes: &group.nodes, roots, home: HashMap::new(), runs: Vec::new() };
        all.cut();
        Some(all)
    }

    /// The group of a resource: its own, that of its parent, or that of what it is laid upon.
    fn group_of(&self, node: &Node) -> Option<Text> {
        if node.is(v::DEPLOYMENT) {
            return None;
        }
        if let Some(scope) = node.body.get("scope").and_then(Json::as_str) {
            let inner = scope.strip_prefix('[').and_then(|s| s.strip_suffix(']'))?;
            return self.roots.get(&root_of(&Text::Expression(inner.to_owned()))?).cloned();
        }
        if node.is(v::ROLE_ASSIGNMENT) {
            return None;
        }
        root_of(&node.id).map_or_else(|| node.group.clone(), |root| self.roots.get(&root).cloned())
    }

    fn cut(&mut self) {
        let mut depth: HashMap<NodeId, usize> = HashMap::new();
        let mut groups: HashMap<NodeId, Option<Text>> = HashMap::new();
        let mut runs: BTreeMap<(Text, usize), RunId> = BTreeMap::new();
        for id in self.nodes {
            let node = &self.graph[*id];
            let group = self.group_of(node);
            let behind = node.needs.iter().filter_map(|need| {
                let other = groups.get(need)?;
                let step = usize::from(*other != group);
                Some(depth.get(need).copied().unwrap_or(0) + step)
            });
            let at = behind.max().unwrap_or(0);
            depth.insert(*id, at);
            if let Some(group) = &group {
                let run = *runs.entry((group.clone(), at)).or_insert_with(|| {
                    self.runs.push(Run { group: group.clone(), members: Vec::new() });
                    RunId(self.runs.len() - 1)
                });
                self.runs.get_mut(run.0).into_iter().for_each(|run| run.members.push(*id));
                self.home.insert(*id, run);
            }
            groups.insert(*id, group);
        }
    }

    /// The resources of the template, in order.
    pub(crate) fn resources(&self, places: &Places<'_>, provenance: &mut Trace) -> Vec<Json> {
        let mut all = Vec::new();
        let mut written = BTreeSet::new();
        for id in self.nodes {
            let node = &self.graph[*id];
            let pointer = format!("/resources/{}", all.len());
            match self.home.get(id) {
                None => {
                    trace((node, &node.body), &pointer, places, provenance);
                    let mut made = resource(node, node.body.clone(), self.needs([*id].iter(), None));
                    self.found_from_here(&mut made);
                    all.push(made);
                }
                Some(run) if written.insert(*run) => {
                    provenance.places.push((pointer.clone(), node.span));
                    all.push(self.nested(*run, &pointer, places, provenance));
                }
                Some(_) => {}
            }
        }
        all
    }

    /// Ids that these wait for. Inside of a run only what is in it counts; outside, whole runs.
    fn needs<'n>(&self, of: impl Iterator<Item = &'n NodeId>, inside: Option<RunId>) -> Vec<Json> {
        let mut ids = Vec::new();
        let needed = of.flat_map(|id| &self.graph[*id].needs);
        for need in needed.filter(|need| self.nodes.contains(need)) {
            let node = &self.graph[*need];
            let id = match (self.home.get(need), inside) {
                (home, Some(run)) if home == Some(&run) => Json::from(&node.id),
                (_, Some(_)) => continue,
                (Some(run), None) => Json::from(self.deployment_id(*run)),
                (None, None) => Json::from(&node.id),
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    fn deployment_name(&self, run: RunId) -> Text {
        let unique = Text::call("uniqueString", &[Text::Expression("resourceGroup().id".into())]);
        let project = dsvm_model::read::dashed(&self.graph.project);
        Text::concat(&[format!("{}-{}-", project.chars().take(40).collect::<String>(), run.0 + 1).into(), unique])
    }

    fn run(&self, id: RunId) -> &Run {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a RunId is made only when its run is pushed")]
        &self.runs[id.0]
    }

    fn deployment_id(&self, run: RunId) -> Text {
        Text::call("resourceId", &[self.run(run).group.clone(), v::DEPLOYMENT.name.into(), self.deployment_name(run)])
    }

    fn nested(&self, index: RunId, pointer: &str, places: &Places<'_>, provenance: &mut Trace) -> Json {
        let run = self.run(index);
        let taken = RefCell::new(Taken::default());
        let mut inner = Vec::with_capacity(run.members.len());
        for id in &run.members {
            let node = &self.graph[*id];
            trace(
                (node, &node.body),
                &format!("{pointer}/properties/template/resources/{}", inner.len()),
                places,
                provenance,
            );
            let mut made = resource(node, node.body.clone(), self.needs([*id].iter(), Some(index)));
            each_text(&mut made, &|text| self.rewritten(text, Some(&taken)));
            inner.push(made);
        }
        let taken = taken.into_inner();
        let (mut declared, mut given) = (Map::new(), Map::new());
        let mut hand_in = |name: String, mut declaration: Json, value: Text| {
            let secret = declaration.get("type").and_then(Json::as_str).is_some_and(|t| t.starts_with("secure"));
            if let (Some(map), true) = (declaration.as_object_mut(), secret) {
                map.remove("defaultValue");
            }
            declared.insert(name.clone().into(), declaration);
            given.insert(name.into(), json!({ "value": value.json() }));
        };
        for name in &taken.parameters {
            let value = Text::call("parameters", &[Text::literal(name.as_str())]);
            hand_in(name.clone(), self.declaration(name), value);
        }
        for name in &taken.variables {
            let value = Text::call("variables", &[Text::literal(name.as_str())]);
            hand_in(self.inner_name(name), json!({ "type": "string" }), value);
        }
        if taken.group {
            hand_in(OUTER_GROUP.to_owned(), json!({ "type": "object" }), Text::Expression("resourceGroup()".into()));
        }
        let mut template = Map::new();
        template.insert("$schema".into(), json!(SCHEMA));
        template.insert("contentVersion".into(), json!("1.0.0.0"));
        if !declared.is_empty() {
            template.insert("parameters".into(), Json::Object(declared));
        }
        template.insert("resources".into(), Json::Array(inner));
        let mut properties = Map::new();
        properties.insert("mode".into(), json!("Incremental"));
        properties.insert("expressionEvaluationOptions".into(), json!({ "scope": "Inner" }));
        if !given.is_empty() {
            properties.insert("parameters".into(), Json::Object(given));
        }
        properties.insert("template".into(), Json::Object(template));
        let mut out = Map::new();
        out.insert("type".into(), json!(v::DEPLOYMENT.name));
        out.insert("apiVersion".into(), json!(v::DEPLOYMENT.version));
        out.insert("name".into(), Json::from(self.deployment_name(index)));
        out.insert("resourceGroup".into(), Json::from(&run.group));
        let outside: Vec<Json> = self
            .needs(run.members.iter(), None)
            .into_iter()
            .filter(|id| *id != Json::from(self.deployment_id(index)))
            .map(|mut id| {
                self.found_from_here(&mut id);
                id
            })
            .collect();
        if !outside.is_empty() {
            out.insert("dependsOn".into(), Json::Array(outside));
        }
        out.insert("properties".into(), Json::Object(properties));
        Json::Object(out)
    }

    /// What a variable is called inside: parameters have the same names there as outside.
    fn inner_name(&self, variable: &str) -> String {
        let clash = |name: &str| {
            self.checked.params.iter().any(|p| p.name.eq_ignore_ascii_case(name))
                || self.graph.owned.iter().any(|o| o.parameter.eq_ignore_ascii_case(name))
                || self.graph.sized.iter().any(|o| o.parameter.eq_ignore_ascii_case(name))
        };
        if clash(variable) { format!("{variable}Variable") } else { variable.to_owned() }
    }

    fn declaration(&self, name: &str) -> Json {
        match self.checked.params.iter().find(|p| p.name.as_ref() == name) {
            Some(param) if param.nullable => json!({ "type": param.arm_type, "nullable": true }),
            Some(param) => json!({ "type": param.arm_type }),
            // The number of machines of a pool.
            None if self.graph.owned.iter().any(|o| o.parameter == name) => json!({ "type": "int" }),
            None => json!({ "type": "string" }),
        }
    }

    /// Gives every id of a resource elsewhere its group, in what stays in the group deployed to.
    pub(crate) fn found_from_here(&self, value: &mut Json) {
        each_text(value, &|text| self.rewritten(text, None));
    }

    fn rewritten(&self, text: &str, taken: Option<&RefCell<Taken>>) -> Option<String> {
        let inner = text.strip_prefix('[').filter(|t| !t.starts_with('['))?.strip_suffix(']')?;
        let before = Expr::parse(inner).ok()?;
        let after = self.moved(&before, taken)?;
        (after != before).then(|| format!("[{after}]"))
    }

    fn moved(&self, expr: &Arc<Expr>, taken: Option<&RefCell<Taken>>) -> Option<Arc<Expr>> {
        let call = match expr.kind() {
            ExprKind::Call(call) => call,
            ExprKind::Member(base, name) => {
                return Expr::member(self.moved(base, taken)?, Arc::clone(name)).ok();
            }
            ExprKind::Index(base, index) => {
                return Expr::index(self.moved(base, taken)?, self.moved(index, taken)?).ok();
            }
            _ => return Some(Arc::clone(expr)),
        };
        let mut args = Vec::with_capacity(call.args.len() + 1);
        for arg in &call.args {
            args.push(self.moved(arg, taken)?);
        }
        let literal = |at: usize| match call.args.get(at).map(|a| a.kind()) {
            Some(ExprKind::Str(text)) => Some(text.as_ref()),
            _ => None,
        };
        let is = |name: &str| call.namespace.is_none() && call.name.eq_ignore_ascii_case(name);
        if let (true, Some(root)) = (is("resourceId"), root_of_call(&call.args)) {
            let group = match (self.roots.get(&root), taken) {
                (Some(Text::Literal(name)), _) => Some(Expr::string(name.as_str()).ok()?),
                (Some(Text::Expression(text)), _) => Some(self.moved(&Expr::parse(text).ok()?, taken)?),
                (None, Some(taken)) => {
                    taken.borrow_mut().group = true;
                    let outer = parameter(OUTER_GROUP)?;
                    Some(Expr::member(outer, "name").ok()?)
                }
                (None, None) => None,
            };
            if let Some(group) = group {
                args.insert(0, group);
            }
        }
        if let Some(taken) = taken {
            if is("resourceGroup") {
                taken.borrow_mut().group = true;
                return parameter(OUTER_GROUP);
            }
            if let (true, Some(name)) = (is("parameters"), literal(0)) {
                taken.borrow_mut().parameters.insert(name.to_owned());
            }
            if let (true, Some(name)) = (is("variables"), literal(0)) {
                taken.borrow_mut().variables.insert(name.to_owned());
                return parameter(&self.inner_name(name));
            }
        }
        match &call.namespace {
            None => Expr::call(&call.name, args).ok(),
            Some(_) => Some(Arc::clone(expr)),
        }
    }
}

fn parameter(name: &str) -> Option<Arc<Expr>> {
    Expr::call("parameters", vec![Expr::string(name).ok()?]).ok()
}

/// Of `resourceId('A/b/c', 'one', 'two')`: `A/b` and `'one'`. None when a group is named.
fn root_of(id: &Text) -> Option<Root> {
    let Text::Expression(text) = id else { return None };
    let expr = Expr::parse(text).ok()?;
    match expr.kind() {
        ExprKind::Call(call) if call.name.eq_ignore_ascii_case("resourceId") => root_of_call(&call.args),
        _ => None,
    }
}

fn root_of_call(args: &[Arc<Expr>]) -> Option<Root> {
    let ExprKind::Str(kind) = args.first()?.kind() else { return None };
    let mut parts = kind.split('/');
    let (provider, first) = (parts.next()?, parts.next()?);
    Some((format!("{provider}/{first}").to_ascii_lowercase(), args.get(1)?.to_string()))
}

fn each_text(value: &mut Json, change: &dyn Fn(&str) -> Option<String>) {
    match value {
        Json::String(text) => {
            if let Some(new) = change(text) {
                *text = new.into();
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|v| each_text(v, change)),
        Json::Object(map) => {
            map.values_mut().for_each(|v| each_text(v, change));
            // Identities are listed by their ids as keys.
            if map.keys().any(|key| key.starts_with('[')) {
                let renamed = |(key, value): (Key, Json)| (change(&key).map_or(key, Key::from), value);
                *map = std::mem::take(map).into_iter().map(renamed).collect();
            }
        }
        _ => {}
    }
}
