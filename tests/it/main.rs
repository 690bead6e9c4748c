//! The one integration binary: a `mod` line for each file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where something is not as it should be"
)]

mod again;
mod batch;
mod calendar;
mod catalogue;
mod changes;
mod cli;
mod cloud;
mod fall_backs;
mod fixes;
mod format;
mod formula;
mod cost;
mod coverage;
mod data;
mod deploy;
mod examples;
mod how_to;
mod jobs;
mod known_types;
mod links;
mod expand;
mod local;
mod lsp;
mod plan;
mod prices;
mod machine;
mod lint;
mod mistakes;
mod mutations;
mod overrides;
mod parse_props;
mod pool;
mod printed;
mod prove;
mod quota;
mod reference;
mod review;
mod rights;
mod rollout;
mod rollout_story;
mod sarif;
mod sema_messages;
mod simulate;
mod sizes;
mod snapshot;
mod stdlib;
mod stdlib_checks;
mod stdlib_doc;
mod story;
mod strangers;
mod spot;
mod support;
mod tidy;
mod target_settings;
mod team_rules;
mod template_doc;
#[cfg(unix)]
mod terminal;
mod testing;
mod whole;
