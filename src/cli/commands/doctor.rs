//! `dsvmc doctor`: what is configured for deployments, and what is missing.

use crate::cli::args::Format;
use crate::cli::deploy_args::DeployTargetArgs;
use crate::cli::exit::Exit;
use crate::cli::{Context, report};
use crate::deploy::error::CommandError;
use crate::deploy::registration::{self, Registration};
use crate::deploy::session::{self, Session};
use crate::deploy::target::{DeployTarget, TargetKind};
use crate::render::palette::Role;
use crate::render::plan::clean;
use arm_client::available;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The command line arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Names of variables are shown, never their values.\n\nExample: dsvmc doctor --target azure")]
pub struct Args {
    /// Folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    target: DeployTargetArgs,
    /// Register features and resource providers that the subscription lacks
    #[arg(long)]
    register_features: bool,
}

/// Resource providers of what this compiler emits for pools.
const PROVIDERS: &[&str] = &[
    "Microsoft.Batch",
    "Microsoft.Compute",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.Storage",
];

struct Finding {
    name: &'static str,
    good: Option<bool>,
    detail: String,
}

/// Runs `dsvmc doctor` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let mut found =
        vec![Finding { name: "version", good: Some(true), detail: format!("dsvmc {}", env!("CARGO_PKG_VERSION")) }];
    tools(&mut found);
    state(args, &mut found);
    let target = args.target.target(&args.path, cx.world.as_ref(), cx.printer.is_quiet())?;
    match target.kind {
        TargetKind::Local => local(args, &target, &mut found)?,
        TargetKind::Azure => azure(args, &target, &mut found)?,
    }
    let bad = found.iter().any(|f| f.good == Some(false));
    if cx.format == Format::Json {
        let list: Vec<Value> =
            found.iter().map(|f| json!({ "name": f.name, "ok": f.good, "detail": f.detail })).collect();
        cx.printer.json(&format!("{:#}\n", json!({ "schema": 1, "target": target.kind.name(), "findings": list })))?;
    } else {
        let palette = cx.printer.output_palette();
        let mut text = String::new();
        for f in &found {
            let word = match f.good {
                Some(true) => palette.paint(Role::Good, "ok     "),
                Some(false) => palette.paint(Role::Error, "missing"),
                None => palette.paint(Role::Dim, "-      "),
            };
            text.push_str(&format!("{word} {:<20} {}\n", f.name, clean(&f.detail)));
        }
        cx.printer.data(&text)?;
    }
    Ok(if bad { Exit::Environment } else { Exit::Done })
}

fn tools(found: &mut Vec<Finding>) {
    let git = std::process::Command::new("git").arg("--version").output().ok().filter(|o| o.status.success());
    let detail = git.as_ref().map_or_else(
        || "not installed: `plan --against` needs it".to_owned(),
        |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
    );
    found.push(Finding { name: "git", good: git.is_some().then_some(true), detail });
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "NO_PROXY"] {
        if std::env::var_os(name).is_some() {
            found.push(Finding { name: "proxy", good: None, detail: format!("{name} is set") });
        }
    }
}

fn state(args: &Args, found: &mut Vec<Finding>) {
    let root =
        if args.path.is_dir() { args.path.clone() } else { args.path.parent().map(PathBuf::from).unwrap_or_default() };
    let folder = root.join(".dsvmc");
    let detail = if folder.is_dir() { "kept in `.dsvmc`" } else { "none yet: nothing has been applied from here" };
    let writable =
        if folder.is_dir() { std::fs::metadata(&folder).map(|m| !m.permissions().readonly()).ok() } else { None };
    found.push(Finding { name: "state", good: writable, detail: detail.to_owned() });
}

fn local(args: &Args, target: &DeployTarget, found: &mut Vec<Finding>) -> Result<(), CommandError> {
    let root =
        if args.path.is_dir() { args.path.clone() } else { args.path.parent().map(PathBuf::from).unwrap_or_default() };
    match session::open(target, &root) {
        Ok(session) => {
            let answer = session.client.subscription();
            let detail = match &answer {
                Ok(_) => format!("answers for subscription {}", session.subscription),
                Err(error) => error.to_string(),
            };
            let good = answer.is_ok();
            found.push(Finding { name: "local endpoint", good: Some(good), detail });
            if good {
                registrations(args, &session, found)?;
            }
        }
        Err(error) => {
            let detail = error.title();
            found.push(Finding { name: "local endpoint", good: Some(false), detail });
        }
    }
    Ok(())
}

/// What pools can need of a subscription, and whether it has it. Registered with `--register-features` only.
fn registrations(args: &Args, session: &Session, found: &mut Vec<Finding>) -> Result<(), CommandError> {
    let mut all: Vec<Registration> = PROVIDERS.iter().map(|namespace| Registration::provider(namespace)).collect();
    all.push(Registration::encryption_at_host());
    let mut open = Vec::new();
    for one in all {
        let state = one.state(session);
        if state.as_deref().is_some_and(|state| state != "Registered") {
            open.push((one, state.unwrap_or_default()));
        }
    }
    if open.is_empty() {
        found.push(Finding {
            name: "registrations",
            good: Some(true),
            detail: "features and providers of pools".to_owned(),
        });
    }
    if args.register_features {
        let all: Vec<Registration> = open.iter().map(|(one, _)| one.clone()).collect();
        registration::register_all(session, &all)?;
    }
    for (one, state) in open {
        let what = match (&one.feature, args.register_features) {
            (_, true) => "registered now".to_owned(),
            (Some(_), false) => format!("{state}: needed for `encryption_at_host = true`; {}", one.commands()),
            (None, false) => format!("{state}: {}", one.commands()),
        };
        found.push(Finding {
            name: "registrations",
            good: args.register_features.then_some(true),
            detail: format!("{}: {what}", one.name()),
        });
    }
    Ok(())
}

fn azure(args: &Args, target: &DeployTarget, found: &mut Vec<Finding>) -> Result<(), CommandError> {
    let (cloud, credential) = session::identity(target)?;
    found.push(Finding { name: "cloud", good: Some(true), detail: format!("{} ({})", cloud.name, cloud.endpoint) });
    found.push(Finding {
        name: "authority",
        good: None,
        detail: format!("{}, tokens for {}", cloud.authority, cloud.audience),
    });
    found.push(Finding {
        name: "suffixes",
        good: None,
        detail: format!(
            "storage {}, vaults {}",
            cloud.suffix("storage"),
            cloud.suffix("keyvaultDns").trim_start_matches('.')
        ),
    });
    let kinds = available();
    let chosen = kinds.iter().find(|k| k.ready).map(|k| k.name);
    for kind in &kinds {
        let mark = if kind.ready { Some(true) } else { None };
        found.push(Finding { name: kind.name, good: mark, detail: kind.detail.clone() });
    }
    let used = if credential.name() == "auto" { chosen.unwrap_or("managed-identity") } else { credential.name() };
    found.push(Finding { name: "credential", good: None, detail: format!("{} is used", used) });
    let (subscription, tenant) = session::subscription(target);
    let detail = subscription
        .clone()
        .unwrap_or_else(|| "none: use --subscription, AZURE_SUBSCRIPTION_ID or `az login`".to_owned());
    found.push(Finding { name: "subscription", good: Some(subscription.is_some()), detail });
    found.push(Finding {
        name: "tenant",
        good: None,
        detail: tenant.unwrap_or_else(|| "that of the login".to_owned()),
    });
    if subscription.is_none() {
        return Ok(());
    }
    let session = session::open(&DeployTarget { probe: true, ..target.clone() }, &args.path)?;
    let answer = session.client.subscription();
    let detail = match &answer {
        Ok(body) => format!(
            "reached; the subscription is called {}",
            body.get("displayName").and_then(Value::as_str).unwrap_or("?")
        ),
        Err(error) => error.to_string(),
    };
    let good = answer.is_ok();
    found.push(Finding { name: "Resource Manager", good: Some(good), detail });
    if good { registrations(args, &session, found) } else { Ok(()) }
}
