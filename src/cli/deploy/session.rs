//! Opens the way to Resource Manager: the endpoint on this machine (started here when it does not run), or Azure.

use super::{Halt, Target, Where};
use arm_client::{Client, ClientOptions, Cloud, Credential, RetryBudget, Trace};
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A way to Resource Manager.
pub struct Session {
    /// The client.
    pub client: Client,
    /// Kept running as long as the session.
    _endpoint: Option<arm_local::Endpoint>,
    /// Where this goes.
    pub target: Target,
    /// Subscription id.
    pub subscription: String,
    /// Tenant id, when known.
    pub tenant: Option<String>,
    /// What `environment()` answers there.
    pub environment: Value,
}

impl Session {
    /// `local, subscription …`: part of a saved plan, so that it is applied nowhere else.
    #[must_use]
    pub fn place(&self, group: &str) -> String {
        format!("{}, subscription {}, resource group `{group}`", self.target.name(), self.subscription)
    }
}

/// Opens it. `root` is the folder of the project.
pub fn open(place: &Where, root: &Path) -> Result<Session, Halt> {
    match place.target {
        Target::Local => open_local(place, root),
        Target::Azure => open_azure(place),
    }
}

fn open_local(place: &Where, root: &Path) -> Result<Session, Halt> {
    let folder = root.join(".dsvmc").join("local");
    let subscription = place.subscription.clone().unwrap_or_else(|| arm_local::SUBSCRIPTION.to_owned());
    let make = |url: &str| -> Result<Client, Halt> {
        // By its address: looking a name up takes a thread for each connection.
        let mut options = ClientOptions::local(&url.replacen("//localhost:", "//127.0.0.1:", 1), &subscription);
        options.trace = trace(place);
        // A fault that the endpoint was told to make is over soon or never.
        options.retry = RetryBudget {
            longest_wait: Duration::from_secs(5),
            total: Duration::from_secs(60),
            attempts: place.tries,
            ..RetryBudget::default()
        };
        Ok(Client::new(options)?)
    };
    let (client, endpoint) = match running(&folder) {
        Some(url) => (make(&url)?, None),
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
        target: Target::Local,
        subscription,
        tenant: Some(arm_local::TENANT.to_owned()),
        environment: Cloud::public().environment,
    })
}

/// What is in `.dsvmc` belongs to this machine.
fn ignore(root: &Path) {
    let folder = root.join(".dsvmc");
    let made = std::fs::create_dir_all(&folder);
    if made.is_ok() && !folder.join(".gitignore").exists() {
        let _ = std::fs::write(folder.join(".gitignore"), "*\n");
    }
}

/// The address of an endpoint that `dsvmc local up` started for this project and that still answers.
fn running(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("endpoint.json")).ok()?;
    let json: Value = serde_json::from_str(&text).ok()?;
    if json.get("running") != Some(&Value::Bool(true)) {
        return None;
    }
    let url = json.get("http").and_then(Value::as_str)?;
    let address = url.strip_prefix("http://")?.replace("localhost", "127.0.0.1");
    let socket = address.parse().ok()?;
    std::net::TcpStream::connect_timeout(&socket, Duration::from_millis(500)).ok()?;
    Some(url.to_owned())
}

fn open_azure(place: &Where) -> Result<Session, Halt> {
    let (cloud, credential) = identity(place)?;
    let (subscription, tenant) = subscription(place);
    let Some(subscription) = subscription else {
        return Err(Halt::input(
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
            attempts: if place.soon { place.tries.min(2) } else { place.tries },
            ..RetryBudget::default()
        },
        extra_roots: extra_roots(place)?,
        trace: trace(place),
    };
    let client = Client::new(options)?;
    // Templates ask for the tenant, and a value that is not known looks like a change.
    let tenant = match tenant {
        None if !place.soon => client.subscription()?.get("tenantId").and_then(Value::as_str).map(str::to_owned),
        known => known,
    };
    Ok(Session { client, _endpoint: None, target: Target::Azure, subscription, tenant, environment })
}

/// Certificates to trust besides the system's.
fn extra_roots(place: &Where) -> Result<Vec<u8>, Halt> {
    let Some(path) = &place.ca_file else { return Ok(Vec::new()) };
    std::fs::read(path).map_err(|e| {
        Halt::input(
            Code::ClientSetup,
            format!("`{}` cannot be read: {e}", path.display()),
            "name a PEM file with `--ca-file`",
        )
    })
}

/// The cloud and the kind of credential that were chosen.
pub fn identity(place: &Where) -> Result<(Cloud, Credential), Halt> {
    let Some(cloud) = Cloud::named(&place.cloud) else {
        return Err(Halt::input(
            Code::ClientSetup,
            format!("`{}` is no cloud that dsvmc knows", place.cloud),
            "use public, china, usgov, or the address of another Resource Manager",
        ));
    };
    let cloud =
        if cloud.name == "custom" { Client::discover(cloud, &extra_roots(place)?, trace(place)) } else { cloud };
    let cloud = match std::env::var("AZURE_AUTHORITY_HOST").ok().filter(|a| !a.is_empty()) {
        Some(authority) => cloud.with_authority(&authority),
        None => cloud,
    };
    let fixed = std::env::var("DSVMC_ACCESS_TOKEN").ok().filter(|t| !t.is_empty());
    if let (Some(token), "auto") = (fixed, place.credential.as_str()) {
        return Ok((cloud, Credential::Static(token)));
    }
    let Some(credential) = Credential::named(&place.credential) else {
        return Err(Halt::input(
            Code::ClientSetup,
            format!("`{}` is no kind of credential", place.credential),
            "use auto, environment, workload-identity, ci, managed-identity, az or none",
        ));
    };
    Ok((cloud, credential))
}

/// Subscription and tenant: option, environment, then what `az` has chosen.
#[must_use]
pub fn subscription(place: &Where) -> (Option<String>, Option<String>) {
    let variable = |names: [&str; 2]| names.iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let chosen = az_account();
    let subscription = place
        .subscription
        .clone()
        .or_else(|| variable(["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"]))
        .or_else(|| chosen.as_ref().map(|a| a.0.clone()));
    let tenant = place.tenant.clone().or_else(|| variable(["AZURE_TENANT_ID", "ARM_TENANT_ID"]));
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

fn trace(place: &Where) -> Option<Trace> {
    use std::io::Write;
    place.trace.then(|| {
        Arc::new(|line: &str| {
            let _ = writeln!(std::io::stderr(), "http: {line}");
        }) as Trace
    })
}
