//! What forbids a write or a deletion to every caller: locks, and the deny settings of deployment stacks.

use crate::core::Cx;
use crate::documents::{DenyMode, DenySettings, StackDocument, StackState};
use crate::error::ArmError;
use crate::id::{Path, key};

/// What a request wants to do to a scope, for locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// A write or an action: PUT, PATCH, POST.
    Write,
    /// A deletion of the scope with everything below it.
    Delete,
}

const LOCKS: &str = "Microsoft.Authorization/locks";

/// Refuses what a lock forbids: `ReadOnly` writes at and below its scope, both levels deletions at, below and above it.
///
/// # Errors
/// The error code `ScopeLocked` of Azure.
pub fn check_locks(cx: &Cx<'_>, id: &str, wanted: LockScope) -> Result<(), ArmError> {
    let target = key(id);
    if target.contains("/microsoft.authorization/locks/") {
        return Ok(());
    }
    let mut holders: Vec<String> = Vec::new();
    for lock in cx.store.of_kind(LOCKS) {
        let scope = Path::of(&lock.id).scope;
        let held = key(&scope);
        let covers = target == held || target.starts_with(&format!("{held}/"));
        let above = held.starts_with(&format!("{target}/"));
        let read_only = lock.text("/properties/level").is_some_and(|level| level.eq_ignore_ascii_case("ReadOnly"));
        let stops = match wanted {
            LockScope::Write => read_only && covers,
            LockScope::Delete => covers || above,
        };
        if stops {
            holders.push(scope);
        }
    }
    if holders.is_empty() {
        return Ok(());
    }
    let verb = if wanted == LockScope::Delete { "delete" } else { "write" };
    Err(ArmError::conflict(
        "ScopeLocked",
        format!(
            "The scope '{id}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
            holders.join("', '")
        ),
    ))
}

/// The caller under which a stack's own deployment writes: its deny settings do not stop itself.
#[must_use]
pub fn stack_caller(id: &str) -> String {
    format!("stack|{}", key(id))
}

/// Refuses what a stack's deny settings forbid to everyone else. `verb` is `write` or `delete`.
///
/// # Errors
/// The error code `DenyAssignmentAuthorizationFailed` of Azure.
pub fn check_deny(cx: &Cx<'_>, id: &str, verb: &str) -> Result<(), ArmError> {
    let denying = cx.store.denying_stacks().find(|stack| denies(cx, stack, id, verb));
    let Some(stack) = denying else { return Ok(()) };
    let (action, stack) = (action(id, verb), &stack.id);
    Err(ArmError::new(
        403,
        "DenyAssignmentAuthorizationFailed",
        format!(
            "The client '{0}' with object id '{0}' has permission to perform action '{action}' on scope '{id}'; however, the access is denied because of the deny assignment with name 'Deny assignment created by Deployment Stack {stack}' at scope '{id}'.",
            cx.caller
        ),
    ))
}

fn denies(cx: &Cx<'_>, stack: &StackDocument, id: &str, verb: &str) -> bool {
    let properties = &stack.record.properties;
    let settings = &properties.deny_settings;
    let denied = match settings.mode {
        DenyMode::None => false,
        DenyMode::DenyDelete => verb == "delete",
        DenyMode::DenyWriteAndDelete => true,
    };
    let in_force = properties.provisioning_state == StackState::Succeeded && cx.caller != stack_caller(&stack.id);
    denied
        && in_force
        && covers(stack, &key(id), settings.apply_to_child_scopes)
        && !is_excluded(settings, &cx.caller, &action(id, verb))
}

fn covers(stack: &StackDocument, target: &str, children: bool) -> bool {
    stack.managed().any(|id| {
        let id = key(id);
        target.strip_prefix(&id).is_some_and(|rest| rest.is_empty() || (children && rest.starts_with('/')))
    })
}

/// `caller` and `action` are compared without case; `action` is in lower case.
fn is_excluded(settings: &DenySettings, caller: &str, action: &str) -> bool {
    let principals = settings.excluded_principals.iter().flatten();
    let mut actions = settings.excluded_actions.iter().flatten().map(|pattern| pattern.to_lowercase());
    principals.map(|principal| principal.to_lowercase()).any(|principal| principal == caller.to_lowercase())
        || actions
            .any(|pattern| pattern == action || pattern.strip_prefix('*').is_some_and(|end| action.ends_with(end)))
}

fn action(id: &str, verb: &str) -> String {
    format!("{}/{verb}", Path::of(id).resource_type()).to_lowercase()
}
