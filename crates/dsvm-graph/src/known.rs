//! What a team wrote in ARM's own words, checked against the types that the catalogue knows.

use super::diags;
use super::json::Json;
use super::laid::Laid;
use super::node::Node;
use arm_catalog::{Finding, FindingKind, FindingSeverity};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::schema::{CommonField, FieldRef};

/// Most findings of one resource: a wrong version or a body of another type would fill the screen.
const MOST: usize = 8;

/// Checks a `resource` block.
pub(crate) fn check_resource(node: &Node, block: &Block, sink: &mut Sink) {
    let span = block.name_span;
    if node.kind.to_ascii_lowercase().starts_with("microsoft.batchai/") {
        sink.push(diags::batch_ai_resource(&node.kind, span));
        return;
    }
    if arm_catalog::lookup(&node.kind, None).is_none() {
        if let Some(near) = near_type(&node.kind) {
            sink.push(diags::unknown_resource_type(&node.kind, near, span));
        }
        return;
    }
    for finding in findings(node).into_iter().take(MOST) {
        sink.push(diags::type_disagrees(&node.kind, &finding, place(&finding, block, &Laid::default())));
    }
}

/// Checks the parts of a resource that an override laid over it.
pub(crate) fn check_override(node: &Node, laid: &Laid, block: &Block, sink: &mut Sink) {
    let inside = |finding: &Finding| {
        laid.pointers.iter().any(|pointer| {
            finding.pointer.strip_prefix(pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    for finding in findings(node).into_iter().filter(inside).take(MOST) {
        sink.push(diags::type_disagrees(&node.kind, &finding, place(&finding, block, laid)));
    }
}

/// Where a finding was written: a property that is wrong by its name there, one whose value is wrong at the value.
fn place(finding: &Finding, block: &Block, laid: &Laid) -> Span {
    let free = block.free.as_ref();
    let Some(place) = free.and_then(|free| laid.place(free, &finding.pointer)) else {
        let name = block.common(CommonField::Name).filter(|_| matches!(finding.kind, FindingKind::Name));
        return name.map_or(block.name_span, FieldRef::span);
    };
    let last = finding.pointer.rsplit('/').next().unwrap_or_default();
    let by_name = match finding.kind {
        FindingKind::UnknownProperty | FindingKind::ReadOnly | FindingKind::Missing => true,
        FindingKind::Case => finding.suggestion.as_deref().is_some_and(|word| word.eq_ignore_ascii_case(last)),
        _ => false,
    };
    if by_name && laid.in_body(&place.pointer) == finding.pointer { place.name } else { place.value }
}

/// Findings on the body; the name is checked elsewhere, and what is only unlisted may well be right.
fn findings(node: &Node) -> Vec<Finding> {
    let body = Json::Object(node.body.clone()).into_value();
    let mut all = arm_catalog::validate(&node.kind, &node.api_version, &body);
    all.retain(|f| f.kind != FindingKind::Unlisted || f.suggestion.is_some());
    // A required property that is only misspelt is one mistake, reported where it was written.
    let meant: Vec<String> = all
        .iter()
        .filter(|f| f.kind == FindingKind::UnknownProperty)
        .filter_map(|f| Some(format!("{} {}", parent(&f.pointer), f.suggestion.as_ref()?)))
        .collect();
    all.retain(|f| {
        let missing = f.message.split('`').nth(1).map(|name| format!("{} {name}", f.pointer));
        f.kind != FindingKind::Missing || !missing.is_some_and(|m| meant.contains(&m))
    });
    all.sort_by_key(|f| f.severity == FindingSeverity::Warning);
    all
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A known type of the same provider whose name is near: a slip of the hand. Types that are simply not known here are fine.
fn near_type(kind: &str) -> Option<&'static str> {
    let (provider, _) = kind.split_once('/')?;
    let same = |name: &&str| name.split_once('/').is_some_and(|(p, _)| p.eq_ignore_ascii_case(provider));
    dsvm_sema::table::suggest(kind, arm_catalog::known_types().filter(same)).and_then(|near| {
        let distance = strsim::osa_distance(&near.to_ascii_lowercase(), &kind.to_ascii_lowercase());
        (distance <= 3).then(|| arm_catalog::lookup(near, None).map(|t| t.name)).flatten()
    })
}
