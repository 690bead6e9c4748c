//! Which path of a request goes to whom, and the calls that lead from lower layers to higher ones.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::{Core, Cx, Job, Rest, Upper};
use crate::documents::{DeploymentDocument, LongRunning, Row, StackDocument};
use crate::error::ArmError;
use crate::http::{Reply, Request, not_served};
use crate::id::{Path, is_name};
use crate::rule::Write;
use crate::{
    admin, autoscale, deploy, groups, lro, meta, nodes, providers, resource_graph, resources, stacks, types, write,
};

impl Core {
    #[must_use]
    pub fn answer(self: &Arc<Self>, request: &Request) -> Reply {
        let caller = meta::caller(request);
        let answer = if let Some(path) = with_template(request) {
            self.aside(&caller, |cx| evaluate(cx, request, &path)).and_then(|rest| self.with(&caller, rest))
        } else {
            self.with(&caller, |cx| route(cx, request))
        };
        match answer {
            Ok(reply) => reply,
            Err(error) => error.into(),
        }
    }
}

/// Most bytes of a request's body.
const MOST_BODY: usize = 4 * 1024 * 1024;

const POLLS: &[&str] = &[
    "operations",
    "asyncoperations",
    "operationresults",
    "operationstatuses",
    "deploymentstackoperationstatus",
    "pooloperationresults",
    "accountoperationresults",
];

/// The path of a request that brings a template: of a deployment, a stack, or the what-if of one.
fn with_template(request: &Request) -> Option<Path> {
    let path = Path::parse(&request.segments);
    let types: Vec<String> = path.types.iter().map(|part| part.to_lowercase()).collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let ours = path.namespace.as_deref().is_some_and(|namespace| namespace.eq_ignore_ascii_case("Microsoft.Resources"));
    let brings = matches!(
        (request.method.as_str(), types.as_slice()),
        ("PUT", ["deployments" | "deploymentstacks" | "deploymentstackswhatifresults"])
            | ("POST", ["deployments" | "deploymentstacks", "validate"] | ["deployments", "whatif"])
    );
    (ours && brings && path.names.len() == 1).then_some(path)
}

/// Evaluates the template of such a request on a copy of the state; gives what is left to do under the lock.
fn evaluate<'r>(cx: &mut Cx<'_>, request: &'r Request, path: &Path) -> Result<Rest<'r>, ArmError> {
    check_version(request)?;
    check_size(request)?;
    check_segments(request)?;
    if path.types.first().is_some_and(|kind| kind.eq_ignore_ascii_case("deployments")) {
        return deploy::evaluate(cx, request, path);
    }
    stacks::evaluate(cx, request, path)
}

fn route(cx: &mut Cx<'_>, request: &Request) -> Result<Reply, ArmError> {
    let lower: Vec<String> = request.segments.iter().map(|part| part.to_lowercase()).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    let method = request.method.as_str();
    if let Some(reply) = meta::route(cx, request, &words)? {
        return Ok(reply);
    }
    if let ["_local", rest @ ..] = words.as_slice() {
        return admin::route(cx, request, rest);
    }
    if method == "GET"
        && let [.., kind, id] = words.as_slice()
        && POLLS.contains(kind)
        && cx.store.has::<LongRunning>(id)
    {
        let monitor = request.query("monitor").is_some() || kind.ends_with("results") || *kind == "asyncoperations";
        return lro::poll(cx, request, id, monitor);
    }
    check_version(request)?;
    check_size(request)?;
    check_segments(request)?;
    if let Some(reply) = providers::features(cx, request)? {
        return Ok(reply);
    }
    if method == "POST" && words == ["providers", "microsoft.resourcegraph", "resources"] {
        return resource_graph::route(cx, request);
    }
    let path = Path::parse(&request.segments);
    if words.last() == Some(&"providers") {
        return providers::get(cx, request, &path);
    }
    if path.namespace.is_none() {
        return unscoped(cx, request, &path);
    }
    let types: Vec<String> = path.types.iter().map(|part| part.to_lowercase()).collect();
    let namespace = path.namespace.as_deref().unwrap_or_default().to_lowercase();
    if namespace == "microsoft.resources" {
        match types.first().map(String::as_str) {
            Some("deployments") => return deploy::route(cx, request, &path),
            Some("deploymentstacks" | "deploymentstackswhatifresults") => {
                return stacks::route(cx, request, &path);
            }
            Some("tags") => return resources::tags(cx, request, &path),
            Some("resourcegroups") if path.names.len() == 1 && types.len() == 1 => {
                let id = format!("{}/resourceGroups/{}", path.scope, path.name());
                return groups::route(cx, request, &Path::of(&id));
            }
            _ => {}
        }
    }
    if path.types.is_empty() {
        return providers::get(cx, request, &path);
    }
    if let Some(reply) = providers::register(cx, request, &path)? {
        return Ok(reply);
    }
    if path.is_resource() {
        return resources::route(cx, request, &path);
    }
    resources::collection(cx, request, &path)
}

/// The Resource Manager takes no more than its own templates may have.
fn check_size(request: &Request) -> Result<(), ArmError> {
    if request.body.len() <= MOST_BODY {
        return Ok(());
    }
    Err(ArmError::new(
        413,
        "RequestContentTooLarge",
        format!("The request content size '{}' exceeds the maximum size of '{MOST_BODY}' bytes.", request.body.len()),
    ))
}

/// A name never holds a slash, also not an encoded one (`..%2f..`), and never leads out of its place.
fn check_segments(request: &Request) -> Result<(), ArmError> {
    match request.segments.iter().find(|part| !is_name(part)) {
        None => Ok(()),
        Some(part) => {
            Err(ArmError::bad("InvalidResourceName", format!("The part '{part}' of the path is not a valid name.")))
        }
    }
}

/// Every request to the Resource Manager names the version of its words.
fn check_version(request: &Request) -> Result<(), ArmError> {
    let arm = request
        .segments
        .first()
        .is_some_and(|first| first.eq_ignore_ascii_case("subscriptions") || first.eq_ignore_ascii_case("providers"));
    if !arm {
        return Ok(());
    }
    let Some(version) = request.query("api-version").filter(|version| !version.is_empty()) else {
        return Err(ArmError::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    };
    let digits = |part: Option<&str>, count: usize| {
        part.is_some_and(|part| part.len() == count && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = version.splitn(4, '-');
    let date = digits(parts.next(), 4) && digits(parts.next(), 2) && digits(parts.next(), 2);
    let rest = parts.next().is_none_or(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
    });
    if date && rest {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidApiVersionParameter",
        format!("The api-version '{version}' is invalid. A version is a date, as in 2025-04-01 or 2025-04-01-preview."),
    ))
}

fn unscoped(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let rest: Vec<String> = path.rest.iter().map(|part| part.to_lowercase()).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let scope_is_group = path.group().is_some();
    match (request.method.as_str(), rest.as_slice()) {
        (_, []) if scope_is_group => groups::route(cx, request, path),
        ("GET", []) if path.subscription().is_some() => meta::subscription(cx, path),
        ("GET", ["resourcegroups"]) => groups::list(cx, request, path),
        ("GET", ["locations"]) => Ok(meta::locations(path)),
        ("GET", ["resources"]) => resources::list_all(cx, request, path),
        ("POST", ["exporttemplate"]) if scope_is_group => deploy::export::group(cx, request, path),
        (_, ["deployments", ..]) => deploy::operations_route(cx, request, path),
        ("GET", ["tagnames"]) => Ok(Reply::ok(json!({ "value": [] }))),
        _ => Err(not_served(request)),
    }
}

/// The calls from lower modules to higher ones.
pub struct Router;

impl Upper for Router {
    fn catch_up(&self, cx: &mut Cx<'_>) {
        autoscale::catch_up(cx);
        nodes::catch_up(cx);
        types::deleted::expire(cx);
        types::instances::catch_up(cx);
    }

    fn start(&self, core: &Arc<Core>, job: Job) {
        let (id, run): (String, fn(&Arc<Core>, &str)) = match job {
            Job::Deploy(id) => (id, deploy::run::run),
            Job::Stack(id) => (id, stacks::run),
        };
        let core = Arc::clone(core);
        // a machine without a free thread runs it here: the client waits longer for its answer
        let work = {
            let (core, id) = (Arc::clone(&core), id.clone());
            move || run(&core, &id)
        };
        if std::thread::Builder::new().name("dsvmc-deploy".into()).spawn(work).is_err() {
            run(&core, &id);
        }
    }

    fn write(&self, cx: &mut Cx<'_>, path: &Path, body: Value) -> Result<Arc<Row>, ArmError> {
        write::put(cx, &Write { path: path.clone(), body, ..Write::default() }).map(|written| written.row)
    }

    fn check_stack(&self, cx: &mut Cx<'_>, path: &Path, body: &Value) -> Result<(), ArmError> {
        stacks::check_inside(cx, path, body)
    }

    fn accept_stack(&self, core: &Arc<Core>, caller: &str, path: &Path, body: &Value) -> Result<(), ArmError> {
        stacks::accept_inside(core, caller, path, body)
    }

    fn run_stack(&self, core: &Arc<Core>, id: &str) -> Result<(), ArmError> {
        stacks::run_inside(core, id)
    }
}

/// How long a polling URL is kept after its operation ended, in milliseconds: a day.
const KEPT_POLLS: i64 = 86_400_000;

/// Continues the deployments and stacks that a stopped endpoint left running.
pub fn resume(core: &Arc<Core>) {
    let left = core.with("", |cx| {
        let old = cx.real_ms - KEPT_POLLS;
        cx.store.remove_where("", |operation: &LongRunning| operation.ready < old);
        let deployments = cx.store.all::<DeploymentDocument>("");
        let open = deployments.iter().filter(|deployment| deployment.pending.is_some());
        let mut jobs: Vec<Job> = open.map(|deployment| Job::Deploy(deployment.id.clone())).collect();
        // a stack inside a deployment is resumed by that one
        let stacks = cx.store.all::<StackDocument>("");
        let open = stacks.iter().filter(|stack| stack.pending.is_some() && !stack.inside);
        jobs.extend(open.map(|stack| Job::Stack(stack.id.clone())));
        Ok(jobs)
    });
    for job in left.unwrap_or_default() {
        core.upper.start(core, job);
    }
}
