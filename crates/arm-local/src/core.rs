//! The core of the endpoint: one lock, one transaction per request, and what every handler works with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::documents::Row;
use crate::error::ArmError;
use crate::faults::{Faults, InjectedFault};
use crate::http::Reply;
use crate::id::Path;
use crate::store::Store;

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

/// The part of a request that changes the state, once templates are evaluated.
pub type Rest<'r> = Box<dyn FnOnce(&mut Cx<'_>) -> Result<Reply, ArmError> + 'r>;

/// What lower modules ask of higher ones. [`crate::router`] implements it: these are the only calls that lead up the
/// order of the modules.
pub trait Upper: Sync {
    /// Brings everything that moves with the clock up to the present.
    fn catch_up(&self, cx: &mut Cx<'_>);

    /// Starts work on a thread of its own.
    fn start(&self, core: &Arc<Core>, job: Job);

    /// Writes a resource that another one brings along (the network interface of a private endpoint).
    ///
    /// # Errors
    /// What the resource's type says.
    fn write(&self, cx: &mut Cx<'_>, path: &Path, body: Value) -> Result<Arc<Row>, ArmError>;

    /// Checks a deployment stack that is a resource of a template, without keeping anything.
    ///
    /// # Errors
    /// What a PUT of the stack says.
    fn check_stack(&self, cx: &mut Cx<'_>, path: &Path, body: &Value) -> Result<(), ArmError>;

    /// Stores such a stack as accepted, in the name of `caller`.
    ///
    /// # Errors
    /// What a PUT of the stack says.
    fn accept_stack(&self, core: &Arc<Core>, caller: &str, path: &Path, body: &Value) -> Result<(), ArmError>;

    /// Runs such a stack to its end.
    ///
    /// # Errors
    /// What the stack failed with.
    fn run_stack(&self, core: &Arc<Core>, id: &str) -> Result<(), ArmError>;
}

/// The endpoint without its sockets.
pub struct Core {
    pub(crate) store: Mutex<Store>,
    /// The modules above this one.
    pub upper: &'static dyn Upper,
    /// Faults that tests asked for.
    pub faults: Mutex<Faults>,
    /// What does not change while the endpoint runs.
    pub settings: Settings,
    /// Told when the endpoint should stop.
    pub stop: tokio::sync::Notify,
}

/// What a handler works with: the state under the lock, and the time.
pub struct Cx<'a> {
    /// All resources and documents.
    pub store: &'a mut Store,
    /// The endpoint that the request came to.
    pub core: &'a Arc<Core>,
    /// Time by the endpoint's clock, which a user can move.
    pub now: Timestamp,
    /// Time by the machine's clock, in milliseconds since 1970.
    pub real_ms: i64,
    /// Work to be started after the commit.
    pub jobs: Vec<Job>,
    /// The caller's principal, for deny settings; empty for the endpoint itself.
    pub caller: String,
    /// A dry run: faults do not strike, and the caller rolls everything back.
    pub dry: bool,
}

impl Cx<'_> {
    /// A random UUID in lower case.
    #[must_use]
    pub fn unique(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// Endpoint time in milliseconds since 1970.
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

    /// How the endpoint's time follows from the machine's, as stored.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.store.get::<Clock>("").as_deref().copied().unwrap_or_default()
    }

    /// The fault that is due for a write, if any.
    #[must_use]
    pub fn injected_fault(&self, id: &str, kind: &str, method: &str) -> Option<InjectedFault> {
        if self.dry { None } else { lock(&self.core.faults).of_write(id, kind, method) }
    }

    /// Whether a stack is to say that it does not trust its own list of resources.
    #[must_use]
    pub fn out_of_sync(&self, id: &str, method: &str) -> bool {
        !self.dry && lock(&self.core.faults).of_stack(id, method)
    }
}

/// Locks a mutex; a panic of another request does not take the endpoint down (its changes were rolled back).
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// A core on a store; `upper` is asked for what the modules above do.
    #[must_use]
    pub fn new(store: Store, faults: Faults, settings: Settings, upper: &'static dyn Upper) -> Arc<Self> {
        Arc::new(Self {
            store: Mutex::new(store),
            upper,
            faults: Mutex::new(faults),
            settings,
            stop: tokio::sync::Notify::new(),
        })
    }

    /// Runs `work` on a copy of the state, without the lock: for what may take long, such as downloading and evaluating
    /// templates. Its changes, jobs and faults come to nothing.
    ///
    /// # Errors
    /// What `work` says, or that the state cannot be written.
    pub fn aside<T>(
        self: &Arc<Self>,
        caller: &str,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, ArmError>,
    ) -> Result<T, ArmError> {
        let (mut store, now, real_ms) = self.with(caller, |cx| Ok((cx.store.copy(), cx.now, cx.real_ms)))?;
        let caller = caller.to_owned();
        work(&mut Cx { store: &mut store, core: self, now, real_ms, jobs: Vec::new(), caller, dry: true })
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
        let clock = store.get::<Clock>("").as_deref().copied().unwrap_or_default();
        let mut cx = Cx {
            store: &mut store,
            core: self,
            now: clock.now(real),
            real_ms: real.as_millisecond(),
            jobs: Vec::new(),
            caller: caller.to_owned(),
            dry: false,
        };
        self.upper.catch_up(&mut cx);
        cx.store.commit()?;
        let result = work(&mut cx);
        let jobs = std::mem::take(&mut cx.jobs);
        match result {
            Ok(value) => {
                store.commit()?;
                drop(store);
                for job in jobs {
                    self.upper.start(self, job);
                }
                Ok(value)
            }
            Err(error) => {
                store.rollback();
                Err(error)
            }
        }
    }
}
