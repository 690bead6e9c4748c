//! The functions of the template language: one table, looked up without regard to case.
//!
//! Most functions are plain: values in, value out. Those that can work on values with unknown parts say so; those that
//! read the deployment or evaluate their arguments themselves are implemented by the evaluator.

mod args;
mod arrays;
mod cidr;
mod collate;
mod composite;
mod date_format;
mod dates;
mod encoding;
mod hash;
mod logic;
mod numbers;
mod numeric_format;
mod objects;
mod strings;
#[cfg(test)]
mod tests;
mod text;
mod uris;

pub(crate) use dates::format_utc;
pub(crate) use hash::hash64;

use super::budget::Budget;
use super::error::EvalError;
use super::value::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// A built-in function: name, arity and implementation.
pub(crate) struct Function {
    pub name: &'static str,
    pub group: Group,
    pub min: usize,
    /// Maximum number of arguments; `None` when unlimited.
    pub max: Option<usize>,
    pub run: Run,
}

/// Section of the documentation that lists a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    String,
    Collection,
    Lambda,
    Logic,
    Number,
    Date,
    Network,
    Deployment,
    Scope,
    Resource,
}

/// How a function is carried out.
pub(crate) enum Run {
    /// All arguments are known.
    Plain(fn(&[Value], &Budget) -> Result<Value, EvalError>),
    /// Arguments may have unknown parts; `None` when the result is unknown then.
    Shape(fn(&[Value], &Budget) -> Result<Option<Value>, EvalError>),
    /// Needs the evaluator: lazy arguments, lambdas or the deployment's context.
    Special(Special),
}

/// Functions that the evaluator implements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    If,
    And,
    Or,
    Coalesce,
    Parameters,
    Variables,
    CopyIndex,
    Lambda,
    LambdaVariables,
    Filter,
    Map,
    MapValues,
    Reduce,
    Sort,
    ToObject,
    GroupBy,
    Reference,
    References,
    ResourceInfo,
    List,
    ResourceGroup,
    Subscription,
    Tenant,
    ManagementGroup,
    Deployment,
    Deployer,
    Environment,
    ResourceId,
    SubscriptionResourceId,
    TenantResourceId,
    ManagementGroupResourceId,
    ExtensionResourceId,
    UtcNow,
    NewGuid,
    /// Known only to the service: stays as it is until deployment.
    Later,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Function {
    /// Checks the number of arguments.
    pub fn check_count(&self, count: usize) -> Result<(), EvalError> {
        if count >= self.min && self.max.is_none_or(|max| count <= max) {
            return Ok(());
        }
        let wanted = match self.max {
            Some(max) if max == self.min => format!("{max}"),
            Some(max) => format!("{} to {max}", self.min),
            None => format!("{} or more", self.min),
        };
        Err(EvalError::new(format!(
            "Unable to evaluate template language function '{}'. At least {} parameter(s) should be provided and at most {}. \
             The provided number of parameters is {count}. Please see https://aka.ms/arm-functions#{} for usage details.",
            self.name,
            self.min,
            self.max.map_or_else(|| "unlimited".to_string(), |max| max.to_string()),
            self.name,
        ))
        .says(format!("`{}` takes {wanted} arguments; {count} stand here", self.name)))
    }
}

const fn plain(
    group: Group,
    name: &'static str,
    min: usize,
    max: Option<usize>,
    run: fn(&[Value], &Budget) -> Result<Value, EvalError>,
) -> Function {
    Function { name, group, min, max, run: Run::Plain(run) }
}

const fn shape(
    group: Group,
    name: &'static str,
    min: usize,
    max: Option<usize>,
    run: fn(&[Value], &Budget) -> Result<Option<Value>, EvalError>,
) -> Function {
    Function { name, group, min, max, run: Run::Shape(run) }
}

const fn special(group: Group, name: &'static str, min: usize, max: Option<usize>, what: Special) -> Function {
    Function { name, group, min, max, run: Run::Special(what) }
}

/// Functions that the evaluator implements.
static EVALUATED: &[Function] = &[
    special(Group::Logic, "if", 3, Some(3), Special::If),
    special(Group::Logic, "and", 1, None, Special::And),
    special(Group::Logic, "or", 1, None, Special::Or),
    special(Group::Logic, "coalesce", 1, None, Special::Coalesce),
    special(Group::Deployment, "parameters", 1, Some(1), Special::Parameters),
    special(Group::Deployment, "variables", 1, Some(1), Special::Variables),
    special(Group::Number, "copyIndex", 0, Some(2), Special::CopyIndex),
    special(Group::Lambda, "lambda", 1, None, Special::Lambda),
    special(Group::Lambda, "lambdaVariables", 1, Some(1), Special::LambdaVariables),
    special(Group::Lambda, "filter", 2, Some(2), Special::Filter),
    special(Group::Lambda, "map", 2, Some(2), Special::Map),
    special(Group::Lambda, "mapValues", 2, Some(2), Special::MapValues),
    special(Group::Lambda, "reduce", 3, Some(3), Special::Reduce),
    special(Group::Lambda, "sort", 2, Some(2), Special::Sort),
    special(Group::Lambda, "toObject", 2, Some(3), Special::ToObject),
    special(Group::Lambda, "groupBy", 2, Some(3), Special::GroupBy),
    special(Group::Resource, "reference", 1, Some(3), Special::Reference),
    special(Group::Resource, "references", 1, Some(3), Special::References),
    special(Group::Resource, "resourceInfo", 1, Some(1), Special::ResourceInfo),
    special(Group::Scope, "resourceGroup", 0, Some(0), Special::ResourceGroup),
    special(Group::Scope, "subscription", 0, Some(0), Special::Subscription),
    special(Group::Scope, "tenant", 0, Some(0), Special::Tenant),
    special(Group::Scope, "managementGroup", 0, Some(0), Special::ManagementGroup),
    special(Group::Deployment, "deployment", 0, Some(0), Special::Deployment),
    special(Group::Deployment, "deployer", 0, Some(0), Special::Deployer),
    special(Group::Deployment, "environment", 0, Some(0), Special::Environment),
    special(Group::Resource, "resourceId", 2, None, Special::ResourceId),
    special(Group::Resource, "subscriptionResourceId", 2, None, Special::SubscriptionResourceId),
    special(Group::Resource, "tenantResourceId", 2, None, Special::TenantResourceId),
    special(Group::Resource, "managementGroupResourceId", 2, None, Special::ManagementGroupResourceId),
    special(Group::Resource, "extensionResourceId", 3, None, Special::ExtensionResourceId),
    special(Group::Date, "utcNow", 0, Some(1), Special::UtcNow),
    special(Group::String, "newGuid", 0, Some(0), Special::NewGuid),
    special(Group::Resource, "providers", 1, Some(2), Special::Later),
    special(Group::Resource, "roleDefinitions", 1, Some(1), Special::Later),
    special(Group::Deployment, "externalInput", 1, Some(2), Special::Later),
    special(Group::Deployment, "externalInputs", 1, Some(1), Special::Later),
    special(Group::Deployment, "extensions", 1, Some(1), Special::Later),
    special(Group::Resource, KEY_VAULT_SECRET, 2, Some(3), Special::Later),
];

/// The engine's own word for a secret that a parameter file names in a key vault.
pub(crate) const KEY_VAULT_SECRET: &str = "keyVaultSecret";

/// `listKeys` and every other name that begins with `list`.
static LIST: Function = special(Group::Resource, "list*", 1, Some(3), Special::List);

/// All tables of functions.
fn tables() -> [&'static [Function]; 10] {
    [
        EVALUATED,
        strings::FUNCTIONS,
        encoding::FUNCTIONS,
        arrays::FUNCTIONS,
        objects::FUNCTIONS,
        logic::FUNCTIONS,
        numbers::FUNCTIONS,
        dates::FUNCTIONS,
        cidr::FUNCTIONS,
        uris::FUNCTIONS,
    ]
}

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    static INDEX: OnceLock<HashMap<String, &'static Function>> = OnceLock::new();
    let index =
        INDEX.get_or_init(|| tables().into_iter().flatten().map(|f| (f.name.to_ascii_lowercase(), f)).collect());
    let lower = name.to_ascii_lowercase();
    index.get(lower.as_str()).copied().or_else(|| lower.starts_with("list").then_some(&LIST))
}

/// All functions, sorted by group and name.
pub(crate) fn all() -> Vec<&'static Function> {
    let mut all: Vec<_> = tables().into_iter().flatten().chain([&LIST]).collect();
    all.sort_by_key(|f| (f.group, f.name.to_ascii_lowercase()));
    all
}

pub(crate) use args::{scalar, wrong_type};
pub(crate) use objects::key_text;
pub(crate) use text::upper;
