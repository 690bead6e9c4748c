//! Dependencies: what `dependsOn` means, what follows from the template's form, and the order that results.

use super::Stage;
use super::draft::{Draft, within};
use crate::error::EvalError;
use crate::eval::{Frame, Phase, Targets};
use crate::json::{Node, NodeKind};
use crate::value::{Value, ValueKind, same_name};
use std::collections::BTreeSet;

/// For each draft the indexes of those that come first.
pub(super) type Edges = Vec<BTreeSet<usize>>;

impl Stage<'_> {
    /// Explicit dependencies, nesting, serial loops.
    pub(super) fn edges(&self, drafts: &[Draft<'_>], targets: &Targets) -> Result<Edges, (usize, EvalError)> {
        let mut edges = vec![BTreeSet::new(); drafts.len()];
        for (at, (draft, edge)) in drafts.iter().zip(&mut edges).enumerate() {
            if !draft.present {
                continue;
            }
            edge.extend(draft.parent);
            edge.extend(draft.after.clone());
            if let Some(node) = draft.object.get("dependsOn") {
                self.explicit(draft, node, targets, edge).map_err(|fault| (at, fault.at(node.offset)))?;
            }
            edge.remove(&at);
        }
        // What is skipped is nobody's dependency.
        for edge in &mut edges {
            edge.retain(|on| drafts.get(*on).is_some_and(|d| d.present));
        }
        Ok(edges)
    }

    fn explicit(
        &self,
        draft: &Draft<'_>,
        node: &Node,
        targets: &Targets,
        edge: &mut BTreeSet<usize>,
    ) -> Result<(), EvalError> {
        let frame = Frame::root(Phase::Identity);
        let list = match &node.kind {
            NodeKind::Null => return Ok(()),
            _ => within(&draft.turns, &frame, &mut |frame| self.evaluator.node(node, frame))?,
        };
        let entries = match &list.kind {
            ValueKind::Array(array) => array.items.clone(),
            ValueKind::Str(_) => vec![list],
            ValueKind::Expr(_) => return Ok(()),
            _ => {
                return Err(EvalError::new(format!(
                    "The template resource property 'dependsOn' is not valid: expected an array, but received '{}'.",
                    list.type_name()
                ))
                .says("`dependsOn` is a list of names or ids"));
            }
        };
        for entry in entries {
            match &entry.kind {
                ValueKind::Null | ValueKind::Expr(_) => {}
                ValueKind::Str(wanted) if wanted.is_empty() => {}
                ValueKind::Str(wanted)
                    if draft.id.as_str().is_some_and(|id| wanted.starts_with('/') && same_name(id, wanted)) =>
                {
                    return Err(EvalError::new(format!(
                        "Circular dependency detected on resource: '{wanted}'. Please see https://aka.ms/arm-syntax-resources for usage details."
                    ))
                    .says("the resource waits for itself")
                    .help("take it out of `dependsOn`")
                    .framed(str::to_string));
                }
                ValueKind::Str(wanted) => match targets.find(wanted).or_else(|| self.by_type_and_name(wanted, targets))
                {
                    Some(found) => edge.extend(found),
                    None => {
                        return Err(EvalError::new(format!(
                            "The resource '{wanted}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details."
                        ))
                        .says(format!("`dependsOn` names `{wanted}`, and the template has no such resource"))
                        .framed(str::to_string));
                    }
                },
                ValueKind::Array(_)
                | ValueKind::Object(_)
                | ValueKind::Bool(_)
                | ValueKind::Int(_)
                | ValueKind::Float(_) => {
                    return Err(EvalError::new(format!(
                        "The template resource dependency is not valid: expected a string, but received '{}'.",
                        entry.type_name()
                    ))
                    .says("an entry of `dependsOn` is not a string"));
                }
            }
        }
        Ok(())
    }
}

impl Stage<'_> {
    /// Above resource groups `resourceId()` gives an id without the scope (`/providers/TYPE/NAME`), whatever the resource
    /// goes into: it is matched by type and name, as templates for management groups rely on.
    fn by_type_and_name<'t>(&self, wanted: &str, targets: &'t Targets) -> Option<&'t [usize]> {
        if self.context.scope == crate::Scope::ResourceGroup {
            return None;
        }
        targets.find(wanted.strip_prefix("/providers/")?)
    }
}

/// An order in which every draft comes after those that it depends on, or the members of a circle.
pub(super) fn sorted(edges: &Edges) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<usize> = edges.iter().map(BTreeSet::len).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (at, edge) in edges.iter().enumerate() {
        for on in edge {
            if let Some(list) = followers.get_mut(*on) {
                list.push(at);
            }
        }
    }
    let mut ready: BTreeSet<usize> = waiting.iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| at).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for next in followers.get(at).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(*next) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(*next);
                }
            }
        }
    }
    if order.len() == edges.len() { Ok(order) } else { Err(circle(edges, &order)) }
}

/// One circle among what could not be ordered.
fn circle(edges: &Edges, done: &[usize]) -> Vec<usize> {
    let done: BTreeSet<usize> = done.iter().copied().collect();
    let mut path: Vec<usize> = Vec::new();
    let mut at = (0..edges.len()).find(|n| !done.contains(n));
    while let Some(here) = at {
        if let Some(start) = path.iter().position(|p| *p == here) {
            return path.split_off(start);
        }
        path.push(here);
        at = edges.get(here).and_then(|e| e.iter().find(|n| !done.contains(n)).copied());
    }
    path
}

/// The error of a circle.
pub(super) fn circular(drafts: &[Draft<'_>], members: &[usize]) -> EvalError {
    let name = |at: &usize| {
        drafts.get(*at).map_or_else(String::new, |d| match (&d.symbol, d.id.as_str()) {
            (Some(symbol), _) => symbol.clone(),
            (None, Some(id)) => id.to_string(),
            (None, None) => d.kind.clone(),
        })
    };
    let names: Vec<String> = members.iter().map(name).collect();
    let first = names.first().cloned().unwrap_or_default();
    EvalError::new(format!(
        "Circular dependency detected on resource: '{first}'. Please see https://aka.ms/arm-syntax-resources for usage details."
    ))
    .says(format!(
        "these resources wait for one another: {}",
        names.iter().chain([&first]).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" → ")
    ))
}

/// The value of a condition or count for people and programs.
pub(super) fn bracketed(val: &Value) -> String {
    match &val.kind {
        ValueKind::Expr(partial) => format!("[{}]", partial.expr),
        _ => val.to_json().to_string(),
    }
}
