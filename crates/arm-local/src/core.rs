//! The heart of the endpoint: one lock, one transaction per request, and the table of who answers which path.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::clock::Clock;
use super::error::ArmError;
use super::faults::Faults;
use super::http::{Reply, Request};
use super::id::Path;
use super::store::{Row, Store};
use super::{admin, groups, lro, meta, resources};

/// The subscription of the endpoint.
pub const SUBSCRIPTION: &str = "11111111-1111-4111-8111-111111111111";
/// The tenant of the endpoint.
pub const TENANT: &str = "22222222-2222-4222-8222-222222222222";

/// What does not change while the endpoint runs.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long a long-running operation takes, in machine milliseconds; 0 ends it before the first poll.
    pub latency_ms: i64,
    /// The project's folder: files below it can be linked.
    pub project: Option<std::path::PathBuf>,
}

/// Work that starts once a request is committed.
pub enum Job {
    /// Run the deployment with this id.
    Deploy(String),
    /// Run the deployment stack with this id.
    Stack(String),
}

/// The endpoint without its sockets.
pub struct Core {
    store: Mutex<Store>,
    /// Faults that tests asked for.
    pub faults: Mutex<Faults>,
    /// Fixed settings.
    pub settings: Settings,
    /// Told when the endpoint should stop.
    pub stop: tokio::sync::Notify,
}

/// What a handler works with: the state under the lock, and the time.
pub struct Cx<'a> {
    /// The state.
    pub store: &'a mut Store,
    /// The endpoint.
    pub core: &'a Arc<Core>,
    /// Endpoint time.
    pub now: Timestamp,
    /// Machine time, milliseconds.
    pub real_ms: i64,
    /// To be started after the commit.
    pub jobs: Vec<Job>,
    /// The caller's principal, for deny settings; empty for the endpoint itself.
    pub caller: String,
    /// A rehearsal: faults do not strike, nothing will be kept.
    pub dry: bool,
}

impl Cx<'_> {
    /// A new unique id.
    #[must_use]
    pub fn unique(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// Endpoint time in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// A resource as a GET shows it now: while it settles, its provisioning state says so.
    #[must_use]
    pub fn view(&self, row: &Row) -> Value {
        let mut body = row.body.clone();
        if row.settles > self.real_ms
            && let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut)
            && properties.contains_key("provisioningState")
        {
            properties.insert("provisioningState".into(), json!(row.settling));
        }
        body
    }

    /// The endpoint's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.store.doc("setting|clock").map(|doc| Clock::from_value(&doc)).unwrap_or_default()
    }
}

/// Locks a mutex; a panic of another request does not take the endpoint down (its changes were rolled back).
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// A core over a state.
    #[must_use]
    pub fn new(store: Store, faults: Faults, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            store: Mutex::new(store),
            faults: Mutex::new(faults),
            settings,
            stop: tokio::sync::Notify::new(),
        })
    }

    /// Runs `work` as one transaction: its changes are durable when this returns `Ok`, and gone when it returns `Err`.
    ///
    /// # Errors
    /// The handler's error, or that the state cannot be written.
    pub fn with<T>(
        self: &Arc<Self>,
        caller: &str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, ArmError>,
    ) -> Result<T, ArmError> {
        let mut store = lock(&self.store);
        // a request that panicked left its journal behind
        store.rollback();
        let real = Timestamp::now();
        let clock = store.doc("setting|clock").map(|doc| Clock::from_value(&doc)).unwrap_or_default();
        let mut cx = Cx {
            store: &mut store,
            core: self,
            now: clock.now(real),
            real_ms: real.as_millisecond(),
            jobs: Vec::new(),
            caller: caller.to_owned(),
            dry: false,
        };
        super::autoscale::catch_up(&mut cx);
        super::nodes::catch_up(&mut cx);
        cx.store.commit()?;
        let result = work(&mut cx);
        let jobs = std::mem::take(&mut cx.jobs);
        match result {
            Ok(value) => {
                store.commit()?;
                drop(store);
                for job in jobs {
                    super::deploy::spawn(self, job);
                }
                Ok(value)
            }
            Err(error) => {
                store.rollback();
                Err(error)
            }
        }
    }

    /// Answers a request.
    #[must_use]
    pub fn answer(self: &Arc<Self>, request: &Request) -> Reply {
        let caller = meta::caller(request);
        match self.with(&caller, |cx| route(cx, request)) {
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
        && cx.store.doc(&format!("lro|{id}")).is_some()
    {
        let monitor = request.query("monitor").is_some() || kind.ends_with("results") || *kind == "asyncoperations";
        return lro::poll(cx, request, id, monitor);
    }
    check_version(request)?;
    check_size(request)?;
    let path = Path::parse(&request.segments);
    if path.namespace.is_none() {
        return unscoped(cx, request, &path);
    }
    let types: Vec<String> = path.types.iter().map(|part| part.to_lowercase()).collect();
    let namespace = path.namespace.as_deref().unwrap_or_default().to_lowercase();
    if namespace == "microsoft.resources" {
        match types.first().map(String::as_str) {
            Some("deployments") => return super::deploy::route(cx, request, &path),
            Some("deploymentstacks" | "deploymentstackswhatifresults") => {
                return super::stacks::route(cx, request, &path);
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
        return meta::provider(cx, request, &path);
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
        ("POST", ["exporttemplate"]) if scope_is_group => super::deploy::export::group(cx, request, path),
        (_, ["deployments", ..]) => super::deploy::operations_route(cx, request, path),
        ("GET", ["tagnames"]) => Ok(Reply::ok(json!({ "value": [] }))),
        _ => Err(not_served(request)),
    }
}

/// 404 for a path that the endpoint does not serve, in words.
#[must_use]
pub fn not_served(request: &Request) -> ArmError {
    ArmError::missing(
        "NotFound",
        format!("The local endpoint does not serve {} {} (it is not Azure).", request.method, request.path()),
    )
}

/// Answers a list: `$top` and `$skiptoken` page it, `nextLink` leads on.
#[must_use]
pub fn page(request: &Request, values: Vec<Value>) -> Reply {
    let top = request.query("$top").and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0).unwrap_or(1000);
    let skip = request.query("$skiptoken").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let total = values.len();
    let mut body = Map::new();
    body.insert("value".into(), values.into_iter().skip(skip).take(top).collect());
    let next = skip.saturating_add(top);
    if next < total {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in request.query.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("$skiptoken")) {
            query.append_pair(key, value);
        }
        query.append_pair("$skiptoken", &next.to_string());
        body.insert("nextLink".into(), json!(format!("{}{}?{}", request.base, request.path(), query.finish())));
    }
    Reply::ok(Value::Object(body))
}
