//! Limits of Resource Manager, checked on what was generated.

use super::{diags, template};
use dsvm_diagnostics::Sink;
use dsvm_graph::json::{Json, Map};
use dsvm_graph::{Node, ResourceGraph, Text};
use dsvm_model::Fleet;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::BlockKind;
use dsvm_sema::table::schema::{CommonField, FieldRef};
use dsvm_sema::value::Value;
use std::sync::atomic::{AtomicBool, Ordering};

const PARAMETERS: usize = 256;
const EXPRESSION: usize = 24_576;
const RESOURCE: usize = 1 << 20;
const TAGS: usize = 50;

/// Whether the bodies of resources are kept once they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// They will be written.
    Kept,
    /// Freed at once: nothing will be written.
    Freed,
}

/// Builds the graph, and checks names, expressions, tags and sizes of resources before anything is written. Says also
/// whether it could find something else once parameters have values: a name, a label, a tag or a group is made of one, or
/// the project writes resources of its own, whose properties are checked against their types.
#[must_use]
pub fn check(fleet: &Fleet<'_>, checked: &Checked, bodies: Bodies, sink: &mut Sink) -> (ResourceGraph, bool) {
    let checker = Checker { bodies, open: AtomicBool::new(false) };
    let graph = dsvm_graph::build_visited(fleet, checked, &checker, sink);
    check_around(&graph, checked, sink);
    let own = |b: &Block| b.kind == BlockKind::Resource || b.children.iter().any(|c| c.kind == BlockKind::Override);
    let group = |b: &Block| group_of(b).and_then(FieldRef::value).is_some_and(|g| !matches!(g, Value::String(_)));
    let open = checker.open.into_inner()
        || checked.blocks.iter().any(|b| own(b) || group(b))
        || graph.variables.iter().any(|v| matches!(&v.text, Text::Expression(e) if e.contains("parameters(")));
    (graph, open)
}

/// Checks each resource as soon as it is made.
struct Checker {
    bodies: Bodies,
    /// A name, a label or a tag is made of a parameter.
    open: AtomicBool,
}

impl dsvm_graph::NodeVisitor for Checker {
    fn visit(&self, node: &Node, sink: &mut Sink) {
        check_node(node, sink);
        if !self.open.load(Ordering::Relaxed) && is_open(node) {
            self.open.store(true, Ordering::Relaxed);
        }
    }

    fn keeps_bodies(&self) -> bool {
        self.bodies == Bodies::Kept
    }
}

/// Limits of the graph as a whole.
fn check_around(graph: &ResourceGraph, checked: &Checked, sink: &mut Sink) {
    check_groups(checked, sink);
    for output in &graph.outputs {
        output.value.texts(&mut |text| {
            if text.starts_with('[') && text.len() > EXPRESSION {
                sink.push(diags::expression_too_long(text.len(), output.span));
            }
        });
    }
    let owned = graph.owned.iter().map(|owned| (&owned.parameter, owned.span));
    for (parameter, span) in owned.chain(graph.sized.iter().map(|sized| (&sized.parameter, sized.span))) {
        if let Some(param) = checked.params.iter().find(|p| p.name.eq_ignore_ascii_case(parameter)) {
            sink.push(diags::parameter_taken(&param.name, param.name_span, span));
        }
    }
    let outputs: Vec<_> = graph.outputs.iter().filter(|o| o.pool.is_none()).collect();
    // One more holds all pools when there are too many for one output each.
    let most = template::OUTPUTS - usize::from(graph.outputs.len() > outputs.len());
    if let Some(extra) = outputs.get(most) {
        sink.push(diags::too_many_outputs(outputs.len(), most, extra.span));
    }
    if let Some(extra) = checked.params.get(PARAMETERS - graph.owned.len().min(120)) {
        sink.push(diags::too_many_parameters(
            checked.params.len() + graph.owned.len().min(120),
            PARAMETERS,
            extra.name_span,
        ));
    }
}

fn check_node(node: &Node, sink: &mut Sink) {
    check_name(node, sink);
    check_label(node, sink);
    check_tags(node, sink);
    let mut bytes = 0;
    for value in node.body.values() {
        value.texts(&mut |text| {
            bytes += text.len() + 16;
            if !text.starts_with('[') {
                return;
            }
            if text.len() > EXPRESSION {
                sink.push(diags::expression_too_long(text.len(), node.span));
            }
        });
    }
    if bytes > RESOURCE {
        sink.push(diags::resource_too_large(&node.name.json(), bytes, node.span));
    }
}

/// Whether the name, the label or a tag of a resource is made of a parameter.
fn is_open(node: &Node) -> bool {
    let open = |text: &str| text.contains("parameters(") || text.contains("variables(");
    let label = node.body.get("properties").and_then(|p| p.get("dnsSettings")?.get("domainNameLabel"));
    let tags = node.body.get("tags").and_then(Json::as_object);
    matches!(&node.name, Text::Expression(e) if e.contains("parameters("))
        || label.and_then(Json::as_str).is_some_and(open)
        || tags.is_some_and(|tags| tags.iter().any(|(key, value)| open(key) || value.as_str().is_some_and(open)))
}

/// Checks the finished template.
pub(crate) fn check_template(checked: &Checked, graph: &ResourceGraph, template: &Json, sink: &mut Sink) {
    let count = template.get("parameters").and_then(Json::as_object).map_or(0, Map::len);
    let declared = checked.params.last().map(|last| last.name_span);
    if count > PARAMETERS
        && let Some(span) = declared.or_else(|| graph.sized.last().map(|last| last.span))
    {
        sink.push(diags::too_many_parameters(count, PARAMETERS, span));
    }
}

fn check_name(node: &Node, sink: &mut Sink) {
    // Names of batch pools, accounts and workspaces are a rule of the model, which knows where they were written.
    let provider = node.kind.split('/').next().unwrap_or_default();
    if ["Microsoft.Batch", "Microsoft.MachineLearningServices"].contains(&provider) {
        return;
    }
    let last = match &node.name {
        Text::Literal(name) => name.rsplit('/').next().unwrap_or(name),
        // `concat(…, '/default/work')`: the parents are made at deployment, the last part is known.
        Text::Expression(expression) => {
            let tail = expression.strip_suffix("')").and_then(|e| e.rsplit('\'').next());
            match tail.and_then(|t| t.rsplit_once('/')) {
                Some((_, last)) => last,
                None => return,
            }
        }
    };
    if let Some(problem) = arm_catalog::check_name(&node.kind, last) {
        sink.push(diags::name_refused(&node.kind, last, &problem, node.span));
    }
}

/// The field that names another resource group than the one deployed to.
fn group_of(block: &Block) -> Option<FieldRef<'_>> {
    block.common(CommonField::ResourceGroup)
}

fn check_groups(checked: &Checked, sink: &mut Sink) {
    for block in &checked.blocks {
        let Some(field) = group_of(block) else { continue };
        let Some(Value::String(group)) = field.value() else { continue };
        if let Some(problem) = arm_catalog::check_name("Microsoft.Resources/resourceGroups", group) {
            sink.push(diags::group_refused(group, &problem, field.span()));
        }
    }
}

fn check_label(node: &Node, sink: &mut Sink) {
    let label =
        node.body.get("properties").and_then(|p| p.get("dnsSettings")?.get("domainNameLabel")).and_then(Json::as_str);
    let Some(label) = label.filter(|l| !l.starts_with('[')) else { return };
    if let Some(problem) = arm_catalog::check_dns_label(label) {
        sink.push(diags::label_refused(label, &problem, node.span));
    }
}

fn check_tags(node: &Node, sink: &mut Sink) {
    let Some(tags) = node.body.get("tags").and_then(Json::as_object) else { return };
    if tags.len() > TAGS {
        sink.push(diags::tags_refused("a resource has at most 50 tags", node.span));
    }
    let longest = if node.is(dsvm_graph::versions::STORAGE) { 128 } else { 512 };
    for (key, value) in tags.iter() {
        if key.chars().count() > longest || key.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            sink.push(diags::tags_refused(
                "names of tags are at most 512 characters (128 on storage) without `<>%&\\?/`",
                node.span,
            ));
        } else if value.as_str().is_some_and(|v| !v.starts_with('[') && v.chars().count() > 256) {
            sink.push(diags::tags_refused("values of tags are at most 256 characters", node.span));
        }
    }
}
