//! Plans without any endpoint: against a file of resources, or against another commit of the sources.

use super::bundle::{self, Bundle};
use super::planning::{self, Settings};
use super::{Halt, What, Where, desired};
use crate::cli::Context;
use crate::driver::{EntryKind, LoadError, World};
use arm_plan::{Desired, DiffOptions, Observed, ObservedResource, Plan, RoleNames};
use dsvm_diagnostics::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const NOWHERE: &str = "00000000-0000-0000-0000-000000000000";

/// Compares with the resources of a file.
pub fn live(
    bundle: &Bundle,
    place: &Where,
    what: &What,
    file: &Path,
    settings: &Settings,
    cx: &mut Context,
) -> Result<Plan, Halt> {
    let unusable = |why: String| {
        Halt::input(
            Code::ObservedUnusable,
            format!("`{}` is not a list of resources{why}", file.display()),
            "write one with `dsvmc show --json > observed.json`, or `az resource show`",
        )
    };
    let text = std::fs::read_to_string(file)
        .map_err(|e| Halt::world(Code::FileUnreadable, format!("`{}` cannot be read: {e}", file.display()), ""))?;
    let json = bundle::lenient(&text).map_err(|e| unusable(format!(": {e}")))?;
    let observed = arm_plan::observed_from_json(&json).ok_or_else(|| unusable(String::new()))?;
    // The file says where its resources are: what is wanted is meant for the same place.
    let first = observed.resources.first().map(|r| r.id.clone()).unwrap_or_default();
    let segment = |name: &str| {
        let mut parts = first.split('/');
        parts.find(|p| p.eq_ignore_ascii_case(name)).and_then(|_| parts.next()).map(str::to_owned)
    };
    let group = place
        .resource_group
        .clone()
        .or_else(|| segment("resourceGroups"))
        .unwrap_or_else(|| planning::default_group(bundle));
    let subscription =
        place.subscription.clone().or_else(|| segment("subscriptions")).unwrap_or_else(|| NOWHERE.to_owned());
    let state = arm_apply::StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let parts = planning::ready(bundle, what, &state, true, cx)?;
    let location = place
        .location
        .clone()
        .or_else(|| bundle.location.clone())
        .or_else(|| location_of(&observed))
        .unwrap_or_else(|| "westeurope".to_owned());
    let tenant = observed
        .resources
        .iter()
        .find_map(|r| r.body.read().pointer("/properties/tenantId").and_then(Value::as_str).map(str::to_owned));
    let scope = desired::Scope { subscription, tenant, group, location, tags: json!({}), ..desired::Scope::default() };
    let mut wants = desired::expand_all(bundle, &parts, &scope)?;
    wants.look_at(&observed);
    let (desired, _) = wants.finish(&observed);
    Ok(arm_plan::diff_from(&desired, &observed, &options(settings, state.baseline()), bundle))
}

fn location_of(observed: &Observed) -> Option<String> {
    observed
        .resources
        .iter()
        .find_map(|r| r.body.read().get("location").and_then(Value::as_str).map(str::to_owned))
        .filter(|l| l != "global")
}

fn options(settings: &Settings, baseline: Option<arm_plan::Baseline>) -> DiffOptions {
    DiffOptions {
        baseline,
        targets: settings.targets.clone(),
        excludes: settings.excludes.clone(),
        unmanaged: settings.unmanaged,
        forget_suppressed: !settings.list_suppressed,
        roles: RoleNames(dsvm_sema::library::role_name),
    }
}

/// Compares the working tree with another commit.
pub fn against(
    bundle: &Bundle,
    path: &Path,
    what: &What,
    revision: &str,
    settings: &Settings,
    cx: &mut Context,
) -> Result<Plan, Halt> {
    let repository = Repository::open(path, revision)?;
    let scope = desired::Scope {
        subscription: NOWHERE.to_owned(),
        group: planning::default_group(bundle),
        location: bundle.location.clone().unwrap_or_else(|| "westeurope".to_owned()),
        tags: json!({}),
        ..desired::Scope::default()
    };
    let before = {
        let world: Box<dyn World> = Box::new(repository);
        let here = std::mem::replace(&mut cx.world, world);
        let loaded = bundle::load(path, what, cx);
        cx.world = here;
        match loaded {
            // The values are for the sources as they are: those that were are not held against them.
            Ok(old) => bundle::Bundle { path: None, ..old },
            Err(halt) if halt.exit == crate::cli::exit::Exit::World => {
                // The sources did not exist then: everything is new.
                let wanted = expanded(bundle, what, &scope, cx)?;
                return Ok(arm_plan::diff_from(&wanted, &Observed::default(), &options(settings, None), bundle));
            }
            Err(halt) => return Err(halt),
        }
    };
    let old = expanded(&before, what, &scope, cx)?;
    let new = expanded(bundle, what, &scope, cx)?;
    let resources: Vec<ObservedResource> = old.resources.iter().filter(|r| !r.existing).map(with_id).collect();
    let managed = old.resources.iter().filter(|r| !r.existing).map(|r| r.id.clone()).collect();
    let mut plan = arm_plan::diff_from(&new, &Observed { resources, managed }, &options(settings, None), bundle);
    // What goes away leads back to the line that declared it then.
    let declared: BTreeMap<&str, &arm_plan::Source> =
        old.resources.iter().filter_map(|r| Some((r.id.as_str(), r.source.as_ref()?))).collect();
    for change in plan.changes.iter_mut().filter(|c| c.source.is_none()) {
        let before = declared.get(change.id.as_str()).copied().cloned();
        change.source = before.map(|s| arm_plan::Source { file: format!("{revision}:{}", s.file), ..s });
    }
    // Neither side was deployed: nothing was filled in by a service, and no secret was hidden by one.
    plan.warnings.retain(|w| w.kind != arm_plan::WarningKind::SecretNotCompared);
    Ok(plan)
}

fn with_id(resource: &arm_plan::DesiredResource) -> ObservedResource {
    let mut body = resource.body.read();
    if let Some(map) = body.as_object_mut() {
        map.insert("id".to_owned(), Value::from(resource.id.clone()));
    }
    ObservedResource { id: resource.id.clone(), body: body.into() }
}

/// Both sides are texts: an expression that is written the same is the same.
fn expanded(bundle: &Bundle, what: &What, scope: &desired::Scope, cx: &mut Context) -> Result<Desired, Halt> {
    let state = arm_apply::StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let parts = planning::ready(bundle, what, &state, true, cx)?;
    let mut wants = desired::expand_all(bundle, &parts, scope)?;
    wants.look_at(&Observed::default());
    let (mut desired, _) = wants.finish(&Observed::default());
    for resource in &mut desired.resources {
        resource.unknown.clear();
        // A name that only a deployment can tell still has to tell two resources apart.
        if !resource.id.starts_with('/') {
            resource.id = format!("/providers/{}/{}", resource.resource_type, resource.name.replace('/', "|"));
        }
    }
    Ok(desired)
}

/// The files of a commit, through `git`.
struct Repository {
    top: PathBuf,
    revision: String,
    today: jiff::civil::Date,
}

impl Repository {
    fn open(path: &Path, revision: &str) -> Result<Self, Halt> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
        };
        let bad = |why: String| {
            Halt::input(
                Code::ObservedUnusable,
                why,
                "name a branch, a tag or a commit of the repository that holds the sources",
            )
        };
        let top = git(folder, &["rev-parse", "--show-toplevel"])
            .map_err(|e| bad(format!("the sources are in no git repository: {e}")))?;
        let commit = git(folder, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")]);
        let commit = commit.map_err(|_| bad(format!("there is no commit `{revision}` here")))?;
        let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        Ok(Self { top: PathBuf::from(top.trim()), revision: commit.trim().to_owned(), today })
    }

    fn inside(&self, path: &Path) -> Result<String, LoadError> {
        let absolute = std::path::absolute(path).map_err(|e| LoadError::unreadable(path, e))?;
        let real = nearest_real(&absolute);
        let inside = real
            .strip_prefix(&self.top)
            .map_err(|_| LoadError::unreadable(path, std::io::Error::other("outside of the repository")))?;
        Ok(inside
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .filter(|c| c != ".")
            .collect::<Vec<_>>()
            .join("/"))
    }

    fn object(&self, path: &Path) -> Result<String, LoadError> {
        Ok(format!("{}:{}", self.revision, self.inside(path)?))
    }
}

/// The path with links of existing folders followed, as git gives its top folder; the rest may not exist any more.
fn nearest_real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = std::fs::canonicalize(at) {
            return missing.iter().rev().fold(real, |p, part| p.join(part));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return path.to_owned() };
        missing.push(name.to_owned());
        at = parent;
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output =
        std::process::Command::new("git").arg("-C").arg(folder).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
    }
}

impl World for Repository {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let object = self.object(path)?;
        let output =
            std::process::Command::new("git").arg("-C").arg(&self.top).args(["cat-file", "blob", &object]).output();
        let output = output.map_err(|e| LoadError::unreadable(path, e))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(LoadError::unreadable(
                path,
                std::io::Error::new(std::io::ErrorKind::NotFound, format!("not in commit {}", self.revision)),
            ))
        }
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        let object = self.object(path)?;
        let kind = git(&self.top, &["cat-file", "-t", &object])
            .map_err(|e| LoadError::unreadable(path, std::io::Error::new(std::io::ErrorKind::NotFound, e)))?;
        Ok(if kind.trim() == "tree" { EntryKind::Folder } else { EntryKind::File })
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        let object = self.object(folder)?;
        let text = git(&self.top, &["ls-tree", "-z", &object])
            .map_err(|e| LoadError::unreadable(folder, std::io::Error::other(e)))?;
        let entry = |line: &str| {
            let (meta, name) = line.split_once('\t')?;
            let kind = if meta.contains(" tree ") { EntryKind::Folder } else { EntryKind::File };
            Some((folder.join(name), kind))
        };
        let mut entries: Vec<_> = text.split('\0').filter_map(entry).collect();
        entries.sort();
        Ok(entries)
    }

    fn today(&self) -> jiff::civil::Date {
        self.today
    }
}
