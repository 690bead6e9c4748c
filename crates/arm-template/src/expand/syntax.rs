//! What is looked at without evaluating it: every expression of a template, and resources and outputs that are skipped.

use super::draft::{Draft, is_deployment};
use super::identity::wrong_name;
use crate::document::Sections;
use crate::error::{EvalError, codes};
use crate::eval::{not_found, unknown_function};
use crate::expr::{Expr, ExprKind};
use crate::json::{Node, NodeKind, Object, Text};
use crate::value::same_name;
use std::sync::Arc;

/// Members that hold text for people: Azure does not evaluate them.
const NOT_EVALUATED: [&str; 2] = ["metadata", "comments"];

/// Every expression of a template that does not parse, with its pointer: used or not, in skipped resources, in branches
/// never taken, in nested templates.
pub(super) fn unreadable(root: &Node) -> Vec<(String, EvalError)> {
    let mut found = Vec::new();
    template(root, "", &mut found);
    found
}

fn template(root: &Node, at: &str, found: &mut Vec<(String, EvalError)>) {
    let Some(root) = root.as_object() else { return };
    for (name, node) in members(root.get("parameters")) {
        if let Some(default) = node.get("defaultValue") {
            all(default, &format!("{at}/parameters/{name}"), found);
        }
    }
    for (name, node) in members(root.get("variables")) {
        all(node, &format!("{at}/variables/{name}"), found);
    }
    for space in root.get("functions").and_then(Node::as_array).unwrap_or(&[]) {
        for (name, function) in members(space.get("members")) {
            if let Some(output) = function.get("output") {
                all(output, &format!("{at}/functions/{name}"), found);
            }
        }
    }
    match root.get("resources").map(|node| (&node.kind, node)) {
        Some((NodeKind::Array(list), _)) => {
            list.iter().enumerate().for_each(|(index, node)| resource(node, &format!("{at}/resources/{index}"), found));
        }
        Some((NodeKind::Object(symbols), _)) => {
            symbols.iter().for_each(|(name, node)| resource(node, &format!("{at}/resources/{name}"), found));
        }
        Some((_, node)) => all(node, &format!("{at}/resources"), found),
        None => {}
    }
    for (name, node) in members(root.get("outputs")) {
        for (_, node) in members(Some(node)).filter(|(key, _)| !is_for_people(key)) {
            all(node, &format!("{at}/outputs/{name}"), found);
        }
    }
}

fn resource(node: &Node, at: &str, found: &mut Vec<(String, EvalError)>) {
    let Some(object) = node.as_object() else { return };
    let deployment = object.get("type").and_then(Node::as_str).is_some_and(is_deployment);
    for (key, node) in object.iter().filter(|(key, _)| !is_for_people(key)) {
        match (&node.kind, node.as_object()) {
            (NodeKind::Array(children), _) if same_name(key, "resources") => {
                let each = children.iter().enumerate();
                each.for_each(|(index, child)| resource(child, &format!("{at}/resources/{index}"), found));
            }
            (_, Some(properties)) if deployment && same_name(key, "properties") => {
                for (key, node) in properties.iter() {
                    if same_name(key, "template") && node.as_object().is_some() {
                        template(node, &format!("{at}/properties/template"), found);
                    } else {
                        all(node, at, found);
                    }
                }
            }
            _ => all(node, at, found),
        }
    }
}

fn members(node: Option<&Node>) -> impl Iterator<Item = (&Arc<str>, &Node)> {
    node.and_then(Node::as_object).into_iter().flat_map(Object::iter)
}

fn is_for_people(key: &str) -> bool {
    NOT_EVALUATED.iter().any(|name| same_name(name, key))
}

/// Every string below a node, names of properties included.
fn all(node: &Node, at: &str, found: &mut Vec<(String, EvalError)>) {
    each(node, &mut |text, offset| {
        if let Some(Err(error)) = text.expression() {
            found.push((at.to_owned(), EvalError::from(error.clone()).at(offset)));
        }
    });
}

/// Calls `visit` for every string below a node. The depth of a text is bounded where it is read.
fn each(node: &Node, visit: &mut dyn FnMut(&Text, u32)) {
    match &node.kind {
        NodeKind::String(text) => visit(text, node.offset),
        NodeKind::Array(items) => items.iter().for_each(|item| each(item, visit)),
        NodeKind::Object(object) => {
            for (key, node) in object.iter() {
                if key.starts_with('[') {
                    visit(&Text::new(Arc::clone(key)), node.offset);
                }
                each(node, visit);
            }
        }
        NodeKind::Null | NodeKind::Bool(_) | NodeKind::Int(_) | NodeKind::Float(_) => {}
    }
}

/// A resource whose condition is false need not make sense, but it must be one: with a type, a name and a version, and with
/// functions, parameters and variables that there are.
pub(super) fn skipped(draft: &Draft<'_>, sections: &Sections<'_>) -> Result<(), EvalError> {
    let object = draft.object;
    let missing = |what: &str| {
        EvalError::coded(
            codes::INVALID_CONTENT,
            format!(
                "The request content was invalid and could not be deserialized: 'Required property '{what}' not found in JSON.'."
            ),
        )
        .says(format!("the resource has no `{what}`"))
        .help(format!("add `\"{what}\"`"))
    };
    let versioned = draft.extension.is_none() && sections.root.get("apiProfile").is_none();
    for what in ["type", "name", "apiVersion"] {
        let needed = match what {
            "type" => true,
            "name" => draft.extension.is_none(),
            _ => versioned,
        };
        if needed && object.get(what).is_none_or(Node::is_null) {
            return Err(missing(what));
        }
    }
    let literal = |key: &str| {
        let node = object.get(key)?;
        node.as_str().filter(|text| !text.starts_with('[') && !text.is_empty()).map(|text| (text, node.offset))
    };
    if let (Some((kind, _)), Some((name, offset)), None, None) =
        (literal("type"), literal("name"), draft.parent, &draft.extension)
    {
        let parts = kind.trim_end_matches('/').split('/').count() - 1;
        if parts != name.split('/').count() {
            return Err(EvalError::new(format!(
                "The template resource '{name}' for type '{kind}' {} has incorrect segment lengths. A nested resource type must \
                 have identical number of segments as its resource name. A root resource type must have segment length one \
                 greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.",
                crate::error::place()
            ))
            .says(wrong_name(kind, name, parts))
            .at(offset));
        }
    }
    let deployment = object.get("type").and_then(Node::as_str).is_some_and(is_deployment);
    for (key, node) in object.iter() {
        // Children are resources of their own, and a nested template may have names of its own.
        if is_for_people(key) || same_name(key, "resources") || deployment && same_name(key, "properties") {
            continue;
        }
        names(node, sections)?;
    }
    Ok(())
}

/// Functions, parameters and variables that expressions below a node name by literals exist.
pub(super) fn names(node: &Node, sections: &Sections<'_>) -> Result<(), EvalError> {
    let mut wrong = None;
    each(node, &mut |text, offset| {
        if wrong.is_none()
            && let Some(Ok(expr)) = text.expression()
            && let Err(fault) = named(expr, sections)
        {
            wrong = Some(fault.at(offset));
        }
    });
    wrong.map_or(Ok(()), Err)
}

fn named(expr: &Expr, sections: &Sections<'_>) -> Result<(), EvalError> {
    match expr.kind() {
        ExprKind::Str(_) | ExprKind::Int(_) => Ok(()),
        ExprKind::Member(base, _) => named(base, sections),
        ExprKind::Index(base, key) => {
            named(base, sections)?;
            named(key, sections)
        }
        ExprKind::Call(call) => {
            if call.namespace.is_none() && call.function.is_none() {
                return Err(unknown_function(&call.name));
            }
            if let (None, Some(ExprKind::Str(name))) = (&call.namespace, call.args.first().map(|arg| arg.kind())) {
                if same_name(&call.name, "parameters") && sections.parameters.get(name).is_none() {
                    let known: Vec<&str> = sections.parameters.list.iter().map(|(n, _)| *n).collect();
                    return Err(not_found("parameter", name, &known));
                }
                if same_name(&call.name, "variables") && !is_variable(name, sections) {
                    let known: Vec<&str> = sections.variables.list.iter().map(|(n, _)| *n).collect();
                    return Err(not_found("variable", name, &known));
                }
            }
            call.args.iter().try_for_each(|arg| named(arg, sections))
        }
    }
}

fn is_variable(name: &str, sections: &Sections<'_>) -> bool {
    let looped = |loops: &Node| {
        let loops = loops.as_array().unwrap_or(&[]).iter();
        loops.filter_map(|one| one.get("name").and_then(Node::as_str)).any(|n| n.starts_with('[') || same_name(n, name))
    };
    sections.variables.get(name).is_some() || sections.variables.get("copy").is_some_and(|(_, loops)| looped(loops))
}
