//! A local endpoint that answers as Azure Resource Manager does, over real HTTP and HTTPS on loopback. It is not Azure.
//!
#![doc = include_str!("../README.md")]

mod admin;
mod autoscale;
mod cert;
mod client;
mod clock;
mod core;
mod deploy;
mod documents;
mod endpoint;
mod error;
mod facts;
pub mod faults;
mod filter;
mod groups;
mod guards;
pub mod http;
mod id;
mod limits;
mod lookup;
mod lro;
mod meta;
mod names;
mod nodes;
mod placement;
mod providers;
mod resource_graph;
mod resources;
mod router;
mod rule;
mod server;
mod stacks;
mod store;
mod types;
mod value;
mod write;

pub use client::{announced, ask, running};
pub use endpoint::{Endpoint, Options, StartError, prepare_folder};
pub use id::{SUBSCRIPTION, TENANT};
pub use meta::NOTICE;
