//! Opens a session with Resource Manager: the endpoint on this machine (started here when none runs), or Azure.

use super::error::CommandError;
use super::target::{DeployTarget, TargetKind};
use arm_client::{Client, ClientOptions, Cloud, Credential, Limits, RetryBudget};
use dsvm_diagnostics::Code;
use dsvm_files::Readers;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A session with one Resource Manager and subscription.
pub struct Session {
    /// Sends the calls to Resource Manager.
    pub client: Client,
    /// Runs as long as the session, when it was started here.
    _endpoint: Option<arm_local::Endpoint>,
    /// Which Resource Manager it is.
    pub target: TargetKind,
    /// Id of the subscription.
    pub subscription: String,
    /// Tenant id, when known.
    pub tenant: Option<String>,
    /// Value of the template function `environment()` there.
    pub environment: Value,
}

impl Session {
    /// `local, subscription …`: recorded in a saved plan, which can then be applied nowhere else.
    #[must_use]
    pub fn place(&self, group: &str) -> String {
        format!("{}, subscription {}, resource group `{group}`", self.target.name(), self.subscription)
    }
}

/// Opens a session. `root` is the folder of the project.
///
/// # Errors
/// An option is wrong, there is no subscription or credential, or the endpoint cannot be started.
pub fn open(target: &DeployTarget, root: &Path) -> Result<Session, CommandError> {
    match target.kind {
        TargetKind::Local => open_local(target, root),
        TargetKind::Azure => open_azure(target),
    }
}

fn open_local(target: &DeployTarget, root: &Path) -> Result<Session, CommandError> {
    let folder = root.join(".dsvmc").join("local");
    let subscription = target.subscription.clone().unwrap_or_else(|| arm_local::SUBSCRIPTION.to_owned());
    let make = |url: &str| -> Result<Client, CommandError> {
        // By address: resolving a name takes a thread for each connection.
        let mut options = ClientOptions::local(&url.replacen("//localhost:", "//127.0.0.1:", 1), &subscription);
        options.trace.clone_from(&target.trace);
        options.notice.clone_from(&target.notice);
        // A fault injected into the endpoint is over soon or never.
        options.retry = RetryBudget {
            longest_wait: Duration::from_secs(5),
            total: Duration::from_secs(60),
            attempts: target.attempts,
            ..RetryBudget::default()
        };
        Ok(Client::new(options)?)
    };
    let (client, endpoint) = match arm_local::running(&folder) {
        // On loopback, whatever address is written there.
        Some((last, _)) => {
            let port = last.get("httpPort").and_then(Value::as_u64).unwrap_or_default();
            (make(&format!("http://127.0.0.1:{port}"))?, None)
        }
        None => {
            ignore(root);
            let endpoint = arm_local::Endpoint::start(arm_local::Options {
                state: Some(folder),
                ..arm_local::Options::default()
            })?;
            (make(&endpoint.http_url)?, Some(endpoint))
        }
    };
    Ok(Session {
        client,
        _endpoint: endpoint,
        target: TargetKind::Local,
        subscription,
        tenant: Some(arm_local::TENANT.to_owned()),
        environment: Cloud::public().environment,
    })
}

/// Keeps `.dsvmc` out of version control: what is in it belongs to this machine. What prevents that is told by the next
/// write to the folder.
fn ignore(root: &Path) {
    if let Ok(folder) = dsvm_files::folder(root, Path::new(".dsvmc")) {
        let _ = dsvm_files::create(&folder.join(".gitignore"), b"*\n", Readers::Usual);
    }
}

fn open_azure(target: &DeployTarget) -> Result<Session, CommandError> {
    let (cloud, credential) = identity(target)?;
    let (subscription, tenant) = subscription(target);
    let Some(subscription) = subscription else {
        return Err(CommandError::input(
            Code::ClientSetup,
            "no subscription is set",
            "give it with `--subscription`, set AZURE_SUBSCRIPTION_ID, or run `az login`",
        ));
    };
    let environment = cloud.environment.clone();
    let options = ClientOptions {
        cloud,
        credential,
        subscription: subscription.clone(),
        tenant: tenant.clone(),
        retry: RetryBudget {
            attempts: if target.probe { target.attempts.min(2) } else { target.attempts },
            ..RetryBudget::default()
        },
        extra_roots: extra_roots(target)?,
        trace: target.trace.clone(),
        notice: target.notice.clone(),
        limits: Limits::default(),
    };
    let client = Client::new(options)?;
    // Templates read the tenant, and an unknown value looks like a change.
    let tenant = match tenant {
        None if !target.probe => client.subscription()?.get("tenantId").and_then(Value::as_str).map(str::to_owned),
        known => known,
    };
    Ok(Session { client, _endpoint: None, target: TargetKind::Azure, subscription, tenant, environment })
}

/// PEM text of the certificates to trust in addition to the system's.
fn extra_roots(target: &DeployTarget) -> Result<Vec<u8>, CommandError> {
    let Some(path) = &target.ca_file else { return Ok(Vec::new()) };
    std::fs::read(path).map_err(|e| {
        CommandError::input(
            Code::ClientSetup,
            format!("`{}` cannot be read: {e}", path.display()),
            "name a PEM file with `--ca-file`",
        )
    })
}

/// The chosen cloud and kind of credential.
///
/// # Errors
/// One of the two names is unknown, or the certificate file cannot be read.
pub fn identity(target: &DeployTarget) -> Result<(Cloud, Credential), CommandError> {
    let Some(cloud) = Cloud::named(&target.cloud) else {
        return Err(CommandError::input(
            Code::ClientSetup,
            format!("`{}` is not a known cloud", target.cloud),
            "use public, china, usgov, or the address of another Resource Manager",
        ));
    };
    let cloud = if cloud.name == "custom" {
        Client::discover(cloud, &extra_roots(target)?, target.trace.clone())?
    } else {
        cloud
    };
    let cloud = match std::env::var("AZURE_AUTHORITY_HOST").ok().filter(|a| !a.is_empty()) {
        Some(authority) => cloud.with_authority(&authority),
        None => cloud,
    };
    let fixed = std::env::var("DSVMC_ACCESS_TOKEN").ok().filter(|t| !t.is_empty());
    if let (Some(token), "auto") = (fixed, target.credential.as_str()) {
        return Ok((cloud, Credential::Static(token)));
    }
    let Some(credential) = Credential::named(&target.credential) else {
        return Err(CommandError::input(
            Code::ClientSetup,
            format!("`{}` is not a kind of credential", target.credential),
            "use auto, environment, workload-identity, ci, managed-identity, az or none",
        ));
    };
    Ok((cloud, credential))
}

/// Subscription and tenant id: from the option, else the environment, else what `az` has chosen.
#[must_use]
pub fn subscription(target: &DeployTarget) -> (Option<String>, Option<String>) {
    let variable = |names: [&str; 2]| names.iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let chosen = az_account();
    let subscription = target
        .subscription
        .clone()
        .or_else(|| variable(["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"]))
        .or_else(|| chosen.as_ref().map(|a| a.0.clone()));
    let tenant = target.tenant.clone().or_else(|| variable(["AZURE_TENANT_ID", "ARM_TENANT_ID"]));
    let same = chosen.filter(|a| Some(&a.0) == subscription.as_ref()).map(|a| a.1);
    (subscription, tenant.or(same))
}

/// The subscription that `az account set` chose: ids only, no token is in this file.
fn az_account() -> Option<(String, String)> {
    let folder = std::env::var_os("AZURE_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|h| h.join(".azure")))?;
    let text = std::fs::read_to_string(folder.join("azureProfile.json")).ok()?;
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let all = json.get("subscriptions")?.as_array()?;
    let chosen = all.iter().find(|s| s.get("isDefault") == Some(&Value::Bool(true)))?;
    let text = |key: &str| chosen.get(key).and_then(Value::as_str).map(str::to_owned);
    Some((text("id")?, text("tenantId")?))
}
