//! One template: schema, parameters, variables, resources, outputs, in this order and each in a fixed order.

use super::elsewhere::Elsewhere;
use super::places::Places;
use super::split::Group;
use dsvm_diagnostics::source::Span;
use dsvm_graph::context_free::Resolve;
use dsvm_graph::json::{Json, Map, json};
use dsvm_graph::{Node, NodeId, Output, ResourceGraph};
use dsvm_sema::checked::{Checked, Param};
use std::collections::BTreeSet;

/// `$schema` of deployments to a resource group.
pub(crate) const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
/// Most outputs of a template.
pub(crate) const OUTPUTS: usize = 64;
/// Keys that come before the dependencies, in this order; `properties` comes last.
const FIRST: [&str; 9] = ["scope", "location", "tags", "sku", "kind", "plan", "identity", "zones", "subscriptionId"];

/// Where the parts of a template come from, by JSON pointer into it.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Where each was written.
    pub(crate) places: Vec<(String, Span)>,
    /// Why values that nobody wrote are what they are.
    pub(crate) causes: Vec<(String, String)>,
}

/// Takes the bodies of a group's nodes out of the graph, in the order of the group.
pub(crate) fn take_bodies(graph: &mut ResourceGraph, group: &Group) -> Vec<Map> {
    group.nodes.iter().map(|id| std::mem::take(&mut graph[*id].body)).collect()
}

/// Writes a template with its map back to the source.
pub(crate) fn write(
    graph: &ResourceGraph,
    checked: &Checked,
    places: &Places<'_>,
    (group, bodies): (&Group, Vec<Map>),
    whole: bool,
) -> (Json, Trace) {
    let here: BTreeSet<NodeId> = group.nodes.iter().copied().collect();
    let mut provenance = Trace::default();
    let elsewhere = Elsewhere::of(graph, checked, group);
    let resources = match &elsewhere {
        Some(elsewhere) => elsewhere.resources(places, &mut provenance),
        None => plain(graph, (group, bodies), &here, places, &mut provenance),
    };
    let owned: Vec<_> = graph.owned.iter().filter(|o| here.contains(&o.node)).collect();
    let mut outputs = outputs(graph, group, &here, whole, &mut provenance);
    if let Some(elsewhere) = &elsewhere {
        outputs.values_mut().for_each(|output| elsewhere.found_from_here(output));
    }
    let mut parameters = Map::new();
    let mut used = Used::default();
    resources.iter().chain(outputs.values()).for_each(|part| used.find(part));
    let mut variables = Map::new();
    for variable in graph.variables.iter().filter(|v| used.variables.contains(&v.name)) {
        variables.insert(variable.name.clone().into(), Json::from(&variable.text));
    }
    for (name, span, body) in declared_parameters(checked) {
        if whole || used.parameters.contains(name) {
            provenance.places.push((format!("/parameters/{name}"), span));
            parameters.insert(name.to_owned().into(), body);
        }
    }
    for mark in owned {
        provenance.places.push((format!("/parameters/{}", mark.parameter), mark.span));
        parameters.insert(mark.parameter.clone().into(), capacity_parameter(mark));
    }
    for mark in graph.sized.iter().filter(|mark| here.contains(&mark.node)) {
        provenance.places.push((format!("/parameters/{}", mark.parameter), mark.span));
        parameters.insert(mark.parameter.clone().into(), size_parameter(mark));
    }
    let mut template = Map::new();
    template.insert("$schema".into(), json!(SCHEMA));
    template.insert("contentVersion".into(), json!("1.0.0.0"));
    template.insert("metadata".into(), json!({ "dsvmc": { "project": &graph.project } }));
    if !parameters.is_empty() {
        template.insert("parameters".into(), Json::Object(parameters));
    }
    if !variables.is_empty() {
        template.insert("variables".into(), Json::Object(variables));
    }
    template.insert("resources".into(), Json::Array(resources));
    if !outputs.is_empty() {
        template.insert("outputs".into(), Json::Object(outputs));
    }
    (Json::Object(template), provenance)
}

/// Resources that are all in the group deployed to.
fn plain(
    graph: &ResourceGraph,
    (group, bodies): (&Group, Vec<Map>),
    here: &BTreeSet<NodeId>,
    places: &Places<'_>,
    provenance: &mut Trace,
) -> Vec<Json> {
    let mut resources = Vec::with_capacity(group.nodes.len());
    for (id, body) in group.nodes.iter().zip(bodies) {
        let node = &graph[*id];
        trace((node, &body), &format!("/resources/{}", resources.len()), places, provenance);
        // In another deployment it is there already: that one comes first.
        let needs = node.needs.iter().filter(|need| here.contains(need));
        let needs = needs.map(|need| Json::from(&graph[*need].id)).collect();
        resources.push(resource(node, body, needs));
    }
    resources
}

/// Notes where a resource was written.
pub(crate) fn trace((node, body): (&Node, &Map), pointer: &str, places: &Places<'_>, provenance: &mut Trace) {
    provenance.places.push((pointer.to_owned(), node.span));
    places.of(node, body, &mut |part, span| provenance.places.push((format!("{pointer}{part}"), span)));
    provenance.places.extend(node.places.iter().map(|(part, span)| (format!("{pointer}{part}"), *span)));
    provenance.causes.extend(node.causes.iter().map(|(part, cause)| (format!("{pointer}{part}"), cause.clone())));
}

/// A resource as the template has it.
pub(crate) fn resource(node: &Node, mut body: Map, depends_on: Vec<Json>) -> Json {
    let mut out = Map::with_capacity(body.len() + 4);
    out.insert("type".into(), json!(node.kind.as_ref()));
    out.insert("apiVersion".into(), json!(node.api_version.as_ref()));
    out.insert("name".into(), Json::from(&node.name));
    for key in FIRST {
        if let Some(value) = body.remove(key) {
            out.insert(key.into(), value);
        }
    }
    if !depends_on.is_empty() {
        out.insert("dependsOn".into(), Json::Array(depends_on));
    }
    out.extend(body);
    Json::Object(out)
}

fn outputs(graph: &ResourceGraph, group: &Group, here: &BTreeSet<NodeId>, whole: bool, provenance: &mut Trace) -> Map {
    let fits = |output: &&Output| {
        whole || if output.pool.is_some() { output.needs.iter().any(|n| here.contains(n)) } else { group.last }
    };
    let chosen: Vec<&Output> = graph.outputs.iter().filter(fits).collect();
    let mut outputs = Map::new();
    if chosen.len() <= OUTPUTS {
        for output in chosen {
            provenance.places.push((format!("/outputs/{}", output.name), output.span));
            outputs.insert(output.name.clone().into(), one(output));
        }
        return outputs;
    }
    // Too many for one output each: the pools share one.
    let mut pools: Map = Map::new();
    for output in chosen {
        match &output.pool {
            Some((pool, short)) => {
                if !pools.contains_key(pool) {
                    pools.insert(pool.clone().into(), json!({}));
                }
                if let Some(Json::Object(entry)) = pools.get_mut(pool) {
                    entry.insert((*short).into(), output.value.clone());
                }
            }
            None => {
                provenance.places.push((format!("/outputs/{}", output.name), output.span));
                outputs.insert(output.name.clone().into(), one(output));
            }
        }
    }
    let description = "Address, ssh line and JupyterHub of each pool.";
    outputs.insert(
        "pools".into(),
        json!({ "type": "object", "value": pools, "metadata": { "description": description } }),
    );
    outputs
}

fn one(output: &Output) -> Json {
    let mut out = Map::new();
    out.insert("type".into(), json!(output.arm_type));
    if let Some(text) = &output.description {
        out.insert("metadata".into(), json!({ "description": text }));
    }
    out.insert("value".into(), output.value.clone());
    Json::Object(out)
}

fn capacity_parameter(mark: &dsvm_graph::Owned) -> Json {
    let mut out = Map::new();
    out.insert("type".into(), json!("int"));
    out.insert("defaultValue".into(), mark.initial.clone());
    out.insert("minValue".into(), json!(0));
    if let Some(most) = mark.bounds.1 {
        out.insert("maxValue".into(), json!(most));
    }
    let text = format!(
        "Machines of pool {} at its first deployment. Autoscale owns the number afterwards: give the present one when deploying again.",
        mark.pool
    );
    out.insert("metadata".into(), json!({ "description": text }));
    Json::Object(out)
}

fn size_parameter(mark: &dsvm_graph::Sized) -> Json {
    let text = format!(
        "Size of the machines of pool {}: the first of these, in order, that Azure has. Give the present one when deploying again.",
        mark.pool
    );
    json!({
        "type": "string",
        "defaultValue": mark.sizes.first(),
        "allowedValues": mark.sizes.iter().map(|size| json!(size)).collect::<Vec<_>>(),
        "metadata": { "description": text, "dsvmc": { "sizesOf": mark.pool.as_str() } },
    })
}

/// Parameters that the project declares, as the template has them.
fn declared_parameters(checked: &Checked) -> impl Iterator<Item = (&str, Span, Json)> {
    checked.params.iter().map(|param| (param.name.as_ref(), param.name_span, parameter(param, checked)))
}

fn parameter(param: &Param, checked: &Checked) -> Json {
    let resolve = Resolve::new(checked);
    let mut out = Map::new();
    out.insert("type".into(), json!(param.arm_type));
    if param.nullable {
        out.insert("nullable".into(), json!(true));
    }
    if let Some(default) = param.default.as_ref().filter(|_| !param.secret) {
        out.insert("defaultValue".into(), resolve.json(default));
    }
    if let Some(allowed) = &param.allowed {
        out.insert("allowedValues".into(), allowed.iter().map(|v| resolve.json(v)).collect());
    }
    for (key, bound) in [
        ("minValue", param.min),
        ("maxValue", param.max),
        ("minLength", param.min_length),
        ("maxLength", param.max_length),
    ] {
        if let Some(bound) = bound {
            out.insert(key.into(), json!(bound));
        }
    }
    if let Some(doc) = &param.doc {
        out.insert("metadata".into(), json!({ "description": doc.as_ref() }));
    }
    Json::Object(out)
}

/// Names in `parameters('…')` and `variables('…')` anywhere in a template.
#[derive(Default)]
struct Used {
    parameters: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl Used {
    fn find(&mut self, value: &Json) {
        value.texts(&mut |text| self.read(text));
    }

    fn read(&mut self, text: &str) {
        if !text.starts_with('[') {
            return;
        }
        for (at, _) in text.match_indices('(') {
            let (before, after) = text.split_at(at);
            let found = match before {
                b if b.ends_with("parameters") => &mut self.parameters,
                b if b.ends_with("variables") => &mut self.variables,
                _ => continue,
            };
            let name = after.strip_prefix("('").and_then(|rest| rest.split_once('\''));
            if let Some((name, _)) = name.filter(|(name, _)| !found.contains(*name)) {
                found.insert(name.to_owned());
            }
        }
    }
}
