//! A plan and the limits of its target → what it would break, or come near.
//!
//! What is deployed is a part of what Azure counts as used, so it is taken off before the new demand is added. Limits are read
//! only when a plan asks for more than before, and a target that does not tell them is no failure.

use super::error::CommandError;
use super::session::Session;
use crate::driver::{World, shown};
use arm_client::AzureError;
use arm_plan::{Action, Desired, Observed, Plan, type_of_id};
use dsvm_diagnostics::Code;
use dsvm_graph::versions;
use dsvm_quota::{Change, Cores, Growth, Resource, Scope, Service, Usages, Verdict, growth, judge_growth};
use serde_json::Value;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A limit that a plan would break or come near.
#[derive(Clone, Debug)]
pub struct Told {
    /// How the plan moves its demand.
    pub growth: Growth,
    /// [`Verdict::Breaks`], or [`Verdict::Fits`] with little left.
    pub verdict: Verdict,
}

/// What a plan means for quotas.
#[derive(Clone, Debug, Default)]
pub struct PlanQuota {
    /// The limits, in the order in which they are shown.
    pub told: Vec<Told>,
    /// The subscription that they are of, where that is known.
    pub subscription: Option<String>,
}

impl PlanQuota {
    /// Whether a limit would be broken.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.told.iter().any(|one| matches!(one.verdict, Verdict::Breaks { .. }))
    }
}

/// How a plan moves the demand of each limit. `own`: the facts of sizes that the sources name; `near`: the region of the
/// resource group.
#[must_use]
pub fn of_plan(
    plan: &Plan,
    (desired, observed): (&Desired, &Observed),
    own: &BTreeMap<String, Cores>,
    near: &str,
) -> Vec<Growth> {
    if plan.is_empty() {
        return Vec::new();
    }
    let live: BTreeMap<String, &arm_plan::ObservedResource> =
        observed.resources.iter().map(|one| (one.id.to_ascii_lowercase(), one)).collect();
    let wanted: BTreeMap<String, &arm_plan::DesiredResource> =
        desired.resources.iter().map(|one| (one.id.to_ascii_lowercase(), one)).collect();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for change in plan.changes.iter().filter(|change| dsvm_quota::counts(&change.resource_type)) {
        let key = change.id.to_ascii_lowercase();
        let resource = |body: Value| {
            let (id, kind) = (change.id.clone(), change.resource_type.clone());
            Resource { name: type_of_id(&id).1, id, kind, body }.slim()
        };
        let now = live.get(&key).map(|one| resource(one.body.read()));
        let then = match change.action {
            Action::Delete => None,
            Action::Create | Action::Update | Action::Replace => {
                wanted.get(&key).map(|one| resource(one.body.read())).or_else(|| now.clone())
            }
            Action::Detach | Action::NoChange | Action::Refuse => now.clone(),
        };
        before.extend(now);
        after.extend(then);
    }
    // What runs may have a size that the sources do not name.
    let library = LazyCell::new(library);
    let sizes = |name: &str| {
        let name = name.to_ascii_lowercase();
        own.get(&name).or_else(|| library.get(&name)).cloned()
    };
    growth(&Change { before: &before, after: &after, near: Some(near) }, &sizes)
}

/// Cores and families of the sizes of the standard library, by name in lower case.
#[must_use]
pub fn library() -> BTreeMap<String, Cores> {
    let cores = |size: dsvm_sema::FittingSize| {
        let cores = Cores { each: u64::try_from(size.quota_vcpu).ok(), family: size.family };
        (size.name.to_ascii_lowercase(), cores)
    };
    dsvm_sema::fitting(None).sizes.into_iter().map(cores).collect()
}

/// A limit's place, and whose it is.
pub type Place = (Scope, Service);

/// A list that the target did not give.
#[derive(Debug)]
pub struct Refused {
    /// What was asked for: `Microsoft.Compute in westeurope`.
    pub what: String,
    /// The answer of the service, or what happened to the call.
    pub why: AzureError,
}

/// What was asked for, of which region, and what came of it.
type Answer<'a> = (String, Option<&'a str>, Result<Vec<Value>, AzureError>);

/// Reads the limits of places, side by side. `patient`: what the target does not answer at once is asked for again.
#[must_use]
pub fn live(session: &Session, places: &BTreeSet<Place>, patient: bool) -> (Usages, Vec<Refused>) {
    let root = format!("/subscriptions/{}/providers", session.subscription);
    let mut asked: BTreeMap<String, (String, Option<&str>)> = BTreeMap::new();
    for (scope, service) in places {
        let kind = match service {
            Service::Compute => versions::SCALE_SET,
            Service::Network => versions::NETWORK,
            Service::MachineLearning => versions::WORKSPACE,
            Service::Batch => versions::BATCH_ACCOUNT,
        };
        let provider = service.namespace();
        match scope {
            Scope::Region(Some(region)) | Scope::MachineLearning(Some(region)) => {
                let path = format!("{root}/{provider}/locations/{region}/usages?api-version={}", kind.version);
                asked.insert(path, (format!("{provider} in {region}"), Some(region)));
            }
            Scope::Batch(Some(_)) => {
                let path = format!("{root}/{}?api-version={}", kind.name, kind.version);
                asked.insert(path, (provider.to_owned(), None));
            }
            Scope::Region(None) | Scope::MachineLearning(None) | Scope::Batch(None) => {}
        }
    }
    let read = |path: &str| match patient {
        true => session.client.pages(path),
        false => session.client.pages_at_once(path),
    };
    let read = &read;
    let answers: Vec<Answer<'_>> = std::thread::scope(|scope| {
        let calls: Vec<_> =
            asked.into_iter().map(|(path, (what, region))| (what, region, scope.spawn(move || read(&path)))).collect();
        let broken = || Err(AzureError::Setup("the call was not made".to_owned()));
        calls.into_iter().map(|(what, region, call)| (what, region, call.join().unwrap_or_else(|_| broken()))).collect()
    });
    let (mut usages, mut refused) = (Usages::default(), Vec::new());
    for (what, region, answer) in answers {
        match (answer, region) {
            (Err(why), _) => refused.push(Refused { what, why }),
            (Ok(list), Some(region)) => {
                if let Err(error) = usages.add(&Value::Array(list), Some(region)) {
                    refused.push(Refused { what, why: AzureError::Protocol(error.to_string()) });
                }
            }
            // An account whose quotas cannot be read keeps them unknown.
            (Ok(accounts), None) => accounts.iter().for_each(|account| drop(usages.add(account, None))),
        }
    }
    (usages, refused)
}

/// Reads limits from files as the command line names them: `FILE`, or `REGION=FILE`.
///
/// # Errors
/// A file cannot be read, has another shape, or does not say of which region it is although `places` has several.
pub fn from_files(
    usages: &mut Usages,
    files: &[String],
    places: &BTreeSet<Place>,
    world: &dyn World,
) -> Result<(), CommandError> {
    let mut regions = places.iter().filter_map(|(scope, _)| match scope {
        Scope::Region(region) | Scope::MachineLearning(region) => region.as_deref(),
        Scope::Batch(_) => None,
    });
    // With one region there is no doubt of which a file is.
    let only = regions.next().filter(|first| regions.all(|other| other == *first));
    for given in files {
        let (region, path) = match given.split_once('=') {
            Some((region, path)) if region.chars().all(|c| c.is_ascii_alphanumeric()) => (Some(region), path),
            _ => (only, given.as_str()),
        };
        let path = Path::new(path);
        let refused = |why: String| {
            let title = format!("`{}` cannot be used: {why}", shown(path));
            let help = "give what `az vm list-usage -o json` printed, with its region: `--usages westeurope=FILE`";
            CommandError::input(Code::UsagesUnusable, title, help)
        };
        let bytes = world.read(path).map_err(|_| {
            let title = format!("`{}` cannot be read", shown(path));
            CommandError::input(Code::FileUnreadable, title, "give the path of a file")
        })?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        usages.add(&body, region).map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

/// The places of the limits of which more is asked.
#[must_use]
pub fn growing(all: &[Growth]) -> BTreeSet<Place> {
    all.iter().filter(|one| one.grows()).map(|one| (one.scope.clone(), one.quota.service)).collect()
}

/// Where the limits come from that a plan is compared with.
pub struct Source<'a> {
    /// The target, unless the comparison has none.
    pub session: Option<&'a Session>,
    /// Files instead of the target.
    pub files: &'a [String],
}

/// Compares what plans add with the limits; and a remark where the target did not tell them.
///
/// # Errors
/// A file cannot be used.
pub fn compare(
    all: Vec<Growth>,
    source: &Source<'_>,
    world: &dyn World,
) -> Result<(PlanQuota, Option<String>), CommandError> {
    let places = growing(&all);
    let (mut usages, mut remark) = (Usages::default(), None);
    match (source.files, source.session) {
        ([], None) => {}
        ([], Some(session)) => {
            let refused;
            (usages, refused) = live(session, &places, false);
            let why = refused.iter().find_map(|one| one.why.service().map(|error| error.code.clone()));
            let names: Vec<String> = refused.into_iter().map(|one| one.what).collect();
            if !names.is_empty() {
                let why = why.map(|code| format!(" ({code})")).unwrap_or_default();
                remark = Some(format!(
                    "the plan is not compared with the quotas of {}: they cannot be read{why}",
                    names.join(", ")
                ));
            }
        }
        (files, _) => from_files(&mut usages, files, &places, world)?,
    }
    let told = all.into_iter().filter_map(|growth| Some(Told { verdict: judge_growth(&growth, &usages)?, growth }));
    let subscription = source.session.map(|session| session.subscription.clone());
    Ok((PlanQuota { told: told.collect(), subscription }, remark))
}

/// A resource group, and type and name of a resource in it.
pub type Named = (String, String, String);

/// What is deployed of several projects: two lists of the whole subscription, and a call for each cluster.
///
/// # Errors
/// The target does not answer.
pub fn deployed(session: &Session, all: &[Vec<Named>]) -> Result<Vec<Vec<Resource>>, AzureError> {
    /// API version of the list of all resources.
    const LIST: &str = "2024-11-01";
    let root = format!("/subscriptions/{}", session.subscription);
    let mut there: BTreeMap<String, Value> = BTreeMap::new();
    let sets = versions::SCALE_SET;
    for path in [
        format!("{root}/resources?api-version={LIST}"),
        // Whole bodies, with the number of machines.
        format!("{root}/providers/{}?api-version={}", sets.name, sets.version),
    ] {
        for body in session.client.pages(&path)? {
            if let Some(id) = body.get("id").and_then(Value::as_str) {
                there.insert(id.to_ascii_lowercase(), body);
            }
        }
    }
    let mut found = Vec::with_capacity(all.len());
    for one in all {
        let mut own = Vec::new();
        for (group, kind, name) in one {
            let id = id_of(&root, group, kind, name);
            let cluster = kind.eq_ignore_ascii_case(versions::COMPUTE.name);
            let body = match cluster {
                true => session.client.resource(&id, versions::COMPUTE.version)?,
                false => there.get(&id.to_ascii_lowercase()).cloned(),
            };
            own.extend(body.map(|body| Resource { id, kind: kind.clone(), name: name.clone(), body }));
        }
        found.push(own);
    }
    Ok(found)
}

/// Id of a resource, children behind their parents: `…/providers/Namespace/parents/parent/children/child`.
fn id_of(root: &str, group: &str, kind: &str, name: &str) -> String {
    let mut types = kind.split('/');
    let mut id = format!("{root}/resourceGroups/{group}/providers/{}", types.next().unwrap_or_default());
    for (kind, name) in types.zip(name.split('/')) {
        id.push_str(&format!("/{kind}/{name}"));
    }
    id
}
