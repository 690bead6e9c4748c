//! What becomes of resources that a stack manages no longer.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::core::Cx;
use crate::documents::{ActionOnUnmanage, Undeletable, Unmanage};
use crate::error::ArmError;
use crate::id::{Path, key};
use crate::{groups, lookup, types, write};

/// What became of resources that a stack no longer manages.
#[derive(Default)]
pub struct Unmanaged {
    /// Ids of what was deleted.
    pub deleted: Vec<String>,
    /// Ids of what stays, on its own.
    pub detached: Vec<String>,
    /// Ids of what stays because its deletion failed, with the reason.
    pub failed: Vec<(String, ArmError)>,
}

/// Deletes or detaches resources, users before what they use, as far as trying finds out.
pub fn unmanage(cx: &mut Cx<'_>, ids: &[String], action: &ActionOnUnmanage) -> Unmanaged {
    let mut out = Unmanaged::default();
    let mut doomed = Vec::new();
    for id in ids {
        let wanted = if is_group(id) { action.resource_groups } else { action.resources };
        match wanted {
            Unmanage::Delete => doomed.push(id.clone()),
            Unmanage::Detach => out.detached.push(id.clone()),
        }
    }
    set_aside_undeletable(cx, &mut doomed, action.resources_without_delete_support, &mut out);
    // groups last, what is inside goes first
    doomed.sort_by_key(|id| (is_group(id), Reverse(id.matches('/').count())));
    loop {
        let mut errors = Vec::new();
        let before = doomed.len();
        for id in std::mem::take(&mut doomed) {
            let mark = cx.store.mark();
            match delete(cx, &id) {
                Ok(()) => out.deleted.push(id),
                Err(error) => {
                    cx.store.rollback_to(mark);
                    errors.push((id, error));
                }
            }
        }
        if errors.is_empty() || errors.len() == before {
            out.failed.extend(errors);
            return out;
        }
        doomed = errors.into_iter().map(|(id, _)| id).collect();
    }
}

fn is_group(id: &str) -> bool {
    Path::of(id).namespace.is_none()
}

fn delete(cx: &mut Cx<'_>, id: &str) -> Result<(), ArmError> {
    match cx.store.row(id) {
        Some(row) if is_group(id) => groups::delete(cx, &row),
        _ => match write::delete(cx, &Path::of(id), None) {
            Err(error) if error.status == 404 => Ok(()),
            other => other.map(|_| ()),
        },
    }
}

/// What cannot be deleted by itself goes with its parent, or not at all.
fn set_aside_undeletable(cx: &Cx<'_>, doomed: &mut Vec<String>, otherwise: Undeletable, out: &mut Unmanaged) {
    let all: BTreeSet<String> = doomed.iter().map(|id| key(id)).collect();
    doomed.retain(|id| {
        let path = Path::of(id);
        let kind = path.resource_type();
        if !types::undeletable(&kind) {
            return true;
        }
        let goes = |parent: Path| all.contains(&key(&parent.id())) || !lookup::exists(cx, &parent.id());
        if path.parent().is_some_and(goes) {
            out.deleted.push(id.clone());
            return false;
        }
        match otherwise {
            Undeletable::Detach => out.detached.push(id.clone()),
            Undeletable::Fail => {
                let error = ArmError::new(
                    405,
                    "DeploymentStackResourceDeleteNotSupported",
                    format!("Resources of type '{kind}' cannot be deleted by themselves."),
                );
                out.failed.push((id.clone(), error));
            }
        }
        false
    });
}
