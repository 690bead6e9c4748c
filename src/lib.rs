//! dsvmc: compiler, planner and deployer for `.dsvm` files.
//!
//! The program is the last stage of a pipeline of crates, listed here from the lowest:
//!
//! | crate | turns what into what |
//! |---|---|
//! | `dsvm_diagnostics` | source files and spans; diagnostics as data, and the catalogue of their codes |
//! | `arm_catalog` | facts about Azure's resource types |
//! | `dsvm_syntax` | text → syntax tree and trivia; the formatter |
//! | `dsvm_sema` | syntax trees → checked program |
//! | `batch_formula` | autoscale formulas of Azure Batch: parse, check, evaluate, generate |
//! | `arm_template` | ARM template and parameters → expanded resources |
//! | `dsvm_model` | checked program → fleet, with Azure's rules for pools |
//! | `dsvm_graph` | fleet → resources with references |
//! | `dsvm_emit` | resources → templates, parameter files, source map |
//! | `dsvm_lint` | fleet, resources and settings → advice beyond errors |
//! | `dsvm_import` | Batch AI definitions → `.dsvm` text |
//! | `dsvm_lsp` | messages of an editor → answers |
//! | `arm_plan` | desired and observed resources → plan |
//! | `dsvm_impact` | plan, both sides and blocks → changes in the words of the source, and who notices them |
//! | `arm_client` | requests to Resource Manager → answers |
//! | `arm_apply` | plan → deployments → receipt |
//! | `arm_local` | HTTP requests → the answers of a local Resource Manager |
//!
//! This crate joins them. Its modules, each of which imports only those before it: [`driver`] compiles the projects at a
//! path, [`deploy`] plans and executes deployments, [`render`] turns diagnostics and plans into text, [`cli`] is the command
//! line.

pub mod driver;
pub mod deploy;
pub mod render;
pub mod cli;
