//! Facts as data: known resource types of Azure, and what their specifications do not say.
//!
//! `types.txt` holds the types, `changes.json` what changing a property of a deployed resource does, with its source,
//! `facts.json` the hand-written rest (names, defaults that services add). All are read when somebody asks for them: a
//! program that never asks pays nothing.
//!
//! In: a resource type, an API version, a body or a JSON pointer into one. Out: [`validate()`] returns findings; the other
//! functions answer single questions of the planner and the local endpoint. No I/O.

mod changes;
mod facts;
mod names;
mod types;
mod validate;

pub use changes::{
    ChangeExample, ChangeResult, ChangeRow, Condition, Direction, Mark, PropertyChange, change, changes,
};
pub use facts::{DefaultValue, ListKey, defaults, list_key, never_returned, secret_pointers};
pub use names::{NameProblem, RESERVED_USER_NAMES, check_dns_label, check_name};
pub use types::{
    Property, PropertyType, ResourceType, is_case_insensitive, is_read_only, is_sensitive, is_write_only, known_types,
    latest_version, lookup, property,
};
pub use validate::{Finding, FindingKind, FindingSeverity, validate};
