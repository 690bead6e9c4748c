//! Declared things that nothing uses, although they are deployed and paid for.

use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_sema::checked::{Block, Origin};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Deploy, Value};
use std::collections::BTreeSet;

/// Kinds that are there to be used by something else, each with what it costs.
fn cost(kind: BlockKind) -> Option<&'static str> {
    match kind {
        BlockKind::Network => Some("its NAT gateway is paid for by the hour"),
        BlockKind::Share => Some("its account and its capacity are deployed"),
        BlockKind::Vault => Some("it is deployed with its endpoint"),
        BlockKind::Identity => Some("its roles are granted to nobody"),
        BlockKind::Container => Some("its account is deployed"),
        BlockKind::BatchAccount => Some("it is deployed with its storage account"),
        BlockKind::Workspace => Some("it is deployed with its account, vault and logs"),
        _ => None,
    }
}

fn value(value: &Value, seen: &mut BTreeSet<BlockId>) {
    match value {
        Value::Ref(id) => {
            seen.insert(*id);
        }
        Value::List(items) => items.iter().for_each(|item| self::value(item, seen)),
        Value::Record(fields) => fields.values().for_each(|field| self::value(field, seen)),
        Value::Range(range) => {
            for part in [Some(&range.min), Some(&range.max), range.initial.as_ref()].into_iter().flatten() {
                self::value(part, seen);
            }
        }
        Value::Condition(condition) => self::value(&condition.metric, seen),
        Value::Deferred(deferred) => deploy(&deferred.expr, seen),
        _ => {}
    }
}

fn deploy(expr: &Deploy, seen: &mut BTreeSet<BlockId>) {
    match expr {
        Deploy::Constant(constant) => value(constant, seen),
        Deploy::Parameter(_) => {}
        Deploy::Attribute(id, _) => {
            seen.insert(*id);
        }
        Deploy::Call(_, arguments) => arguments.iter().for_each(|argument| deploy(argument, seen)),
        Deploy::Member(of, _) => deploy(of, seen),
        Deploy::Index(of, index) => {
            deploy(of, seen);
            deploy(index, seen);
        }
    }
}

fn block(block: &Block, seen: &mut BTreeSet<BlockId>) {
    block.fields.own().for_each(|(_, field)| value(&field.value, seen));
    if let Some(free) = &block.free {
        value(&free.value, seen);
    }
    block.children.iter().for_each(|child| self::block(child, seen));
}

pub(crate) fn unused_resource(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for (id, one) in (0u32..).map(BlockId).zip(&look.checked.blocks) {
        let mut own = BTreeSet::new();
        block(one, &mut own);
        own.remove(&id);
        seen.extend(own);
    }
    look.checked.outputs.iter().for_each(|output| value(&output.value, &mut seen));
    for (id, one) in (0u32..).map(BlockId).zip(&look.checked.blocks) {
        let Some(cost) = cost(one.kind).filter(|_| one.origin == Origin::Project && !one.existing) else { continue };
        // A policy that does nothing else than to hold secrets for others is used by them.
        let holds = one.kind == BlockKind::Vault && !one.children.is_empty();
        if !seen.contains(&id) && !holds {
            out.push(
                found(format!("nothing uses {} `{}`", one.kind.keyword(), one.name), one.name_span, cost)
                    .help("name it where it is needed, or remove it"),
            );
        }
    }
}
