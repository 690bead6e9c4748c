//! Deployments as a library: a path, an input and a target → a plan, and its execution. Knows no command line and no
//! terminal: messages and questions go through [`frontend::Frontend`], progress through [`arm_apply::Observer`], results and
//! errors are data.
//!
//! ```text
//! path + DeployInput ─ load ────→ CompiledProject
//!                       values ──→ ReadyPart            parameter values from all sources, checked
//!                       desired ─→ DesiredState         templates expanded
//! DeployTarget ──────── session ─→ Session
//!                    observation → Observation          what exists
//!                       plan ────→ Planned              compared; narrowed by Settings
//!                    confirmation                       protected resources, approval
//!                       execute ─→ ApplyOutcome         deployed, followed, recorded
//! ```
//!
//! Each file imports only files above it in the list below, so there are no cycles.

pub mod error;
pub mod frontend;
pub mod target;
pub mod input;
pub mod settings;
pub mod provenance;
pub mod compiled;
pub mod blocks;
pub mod git;
pub mod parameters;
pub mod state_home;
pub mod load;
pub mod values;
pub mod alternatives;
pub mod session;
pub mod live;
pub mod desired;
pub mod context;
pub mod cost;
pub mod impact;
pub mod stacks;
pub mod registration;
pub mod previews;
pub mod observation;
pub mod machines;
pub mod existing;
pub mod quota;
pub mod placement;
pub mod dns_zones;
pub mod narrowing;
pub mod soft_delete;
pub mod plan;
pub mod offline;
pub mod offline_record;
pub mod snapshot;
pub mod simulation;
pub mod testing;
pub mod deployed;
pub mod confirmation;
pub mod saved_plan;
pub mod what_if;
pub mod azure_errors;
pub mod report;
pub mod execute;
pub mod rollout;
pub mod destroy;
