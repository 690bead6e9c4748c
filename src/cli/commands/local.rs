//! `dsvmc local`: starts, stops and shows the local endpoint of a project.

use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::{Value, json};

use crate::cli::Context;
use crate::cli::exit::Exit;
use arm_local::faults::{Fault, read_faults};
use arm_local::{Endpoint, Options};

/// The command line arguments of `local`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The endpoint answers like Azure Resource Manager, on this machine only. It is not Azure: nothing\n\
                  runs, and nothing costs money. Its state is kept in `.dsvmc/local`.\n\nExample: dsvmc local up"
)]
pub struct Args {
    /// The subcommand of `local`
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the endpoint.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Start the endpoint in the background, or show where it runs already
    Up(Up),
    /// Stop the endpoint and keep its state
    Down(Place),
    /// Show whether and where the endpoint runs
    Status(Place),
    /// Delete the state of the endpoint
    Reset(Place),
    /// Run in the foreground; started by `up`
    #[command(hide = true)]
    Serve(Up),
}

/// The project whose endpoint is meant.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Folder of the project
    #[arg(default_value = ".", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Write one JSON object to stdout
    #[arg(long)]
    pub json: bool,
}

/// How the endpoint starts.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The project whose endpoint is meant
    #[command(flatten)]
    pub place: Place,
    /// HTTPS port [default: the previous one, else any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub https_port: u16,
    /// HTTP port [default: as for HTTPS]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub http_port: u16,
    /// A fault to inject from the start: KIND[,key=value]…, or @FILE with JSON. Can be repeated
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// Duration of long-running operations
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pub latency: u32,
    /// Initial time of the endpoint, for example 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub clock: Option<String>,
    /// Stay in the foreground until interrupted
    #[arg(long)]
    pub foreground: bool,
}

/// Where a project's endpoint keeps its state.
#[must_use]
pub fn state_folder(project: &Path) -> PathBuf {
    project.join(".dsvmc").join("local")
}

/// Runs `dsvmc local` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    match &args.action {
        Action::Up(up) if up.foreground => serve(up, cx),
        Action::Up(up) => start(up, cx),
        Action::Serve(up) => serve(up, cx),
        Action::Down(place) => down(place, cx),
        Action::Status(place) => status(place, cx),
        Action::Reset(place) => reset(place, cx),
    }
}

fn faults(specs: &[String]) -> Result<Vec<Fault>, miette::Report> {
    let mut out = Vec::new();
    for spec in specs {
        match spec.strip_prefix('@') {
            None => out.push(Fault::parse(spec).map_err(|text| miette!("`--fault {spec}`: {text}"))?),
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .into_diagnostic()
                    .wrap_err_with(|| format!("{file} cannot be read"))?;
                let value: Value =
                    serde_json::from_str(&text).into_diagnostic().wrap_err_with(|| format!("{file} is not JSON"))?;
                out.extend(read_faults(&value).map_err(|text| miette!("{file}: {text}"))?);
            }
        }
    }
    Ok(out)
}

fn serve(up: &Up, cx: &mut Context) -> Result<Exit, miette::Report> {
    let options = Options {
        state: Some(absolute(&state_folder(&up.place.folder))?),
        http_port: up.http_port,
        https_port: up.https_port,
        clock: up.clock.as_ref().map(|now| json!({ "now": now })),
        faults: faults(&up.fault)?,
        latency_ms: up.latency,
    };
    let endpoint = Endpoint::start(options)?;
    cx.printer.say(&describe(&endpoint.base_url, &endpoint.http_url, endpoint.ca_pem_path.as_deref()));
    endpoint.wait();
    Ok(Exit::Done)
}

fn absolute(path: &Path) -> Result<PathBuf, miette::Report> {
    std::path::absolute(path).into_diagnostic()
}

fn describe(https: &str, http: &str, ca: Option<&Path>) -> String {
    let ca = ca.map(|path| path.display().to_string()).unwrap_or_default();
    format!(
        "{}\n\n  https   {https}\n  http    {http}\n  trust   {ca}\n\nFor the Azure CLI: export REQUESTS_CA_BUNDLE={ca}\n",
        arm_local::NOTICE
    )
}

fn start(up: &Up, cx: &mut Context) -> Result<Exit, miette::Report> {
    let folder = absolute(&state_folder(&up.place.folder))?;
    if arm_local::running(&folder).is_none() {
        faults(&up.fault)?;
        spawn(up, &folder)?;
    } else if !up.fault.is_empty() || up.clock.is_some() {
        return Err(miette!(
            help = "run `dsvmc local down` first, or use `POST /_local/faults` and `POST /_local/clock`",
            "the endpoint is already running; faults and the clock are set when it starts"
        ));
    }
    show(&up.place, cx)
}

fn spawn(up: &Up, folder: &Path) -> Result<(), miette::Report> {
    arm_local::prepare_folder(folder).into_diagnostic().wrap_err("the state of the endpoint cannot be kept")?;
    let log = dsvm_files::restart(&folder.join("endpoint.log")).into_diagnostic()?;
    let program = std::env::current_exe().into_diagnostic()?;
    let mut command = std::process::Command::new(program);
    command.arg("local").arg("serve").arg(&up.place.folder);
    command.arg("--http-port").arg(up.http_port.to_string()).arg("--https-port").arg(up.https_port.to_string());
    command.arg("--latency").arg(up.latency.to_string());
    for spec in &up.fault {
        command.arg("--fault").arg(spec);
    }
    if let Some(clock) = &up.clock {
        command.arg("--clock").arg(clock);
    }
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(log);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // its own group: an interrupt meant for this command does not end the endpoint
        command.process_group(0);
    }
    let mut child = command.spawn().into_diagnostic().wrap_err("the endpoint cannot be started")?;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(15);
    loop {
        if arm_local::running(folder).is_some() {
            return Ok(());
        }
        let ended = child.try_wait().into_diagnostic()?.is_some();
        if ended || std::time::Instant::now() > deadline {
            let said = std::fs::read_to_string(folder.join("endpoint.log")).unwrap_or_default();
            return Err(miette!("the endpoint did not start: {}", said.trim()));
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn show(place: &Place, cx: &mut Context) -> Result<Exit, miette::Report> {
    let folder = absolute(&state_folder(&place.folder))?;
    let Some((last, status)) = arm_local::running(&folder) else {
        if place.json {
            cx.printer.data("{\"running\": false}\n")?;
        } else {
            cx.printer.say("no local endpoint is running here; start one with `dsvmc local up`\n");
        }
        return Ok(Exit::Environment);
    };
    let text = |key: &str| last.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if place.json {
        let body = json!({
            "running": true, "notAzure": true, "https": text("https"), "http": text("http"), "ca": text("ca"),
            "pid": status.get("pid"), "resources": status.get("resources"), "deployments": status.get("deployments"),
            "stacks": status.get("stacks"), "now": status.get("now"), "subscription": status.get("subscription"),
            "tenant": status.get("tenant"),
        });
        cx.printer.json(&format!("{body:#}\n"))?;
    } else {
        cx.printer.say(&describe(&text("https"), &text("http"), Some(Path::new(&text("ca")))));
        let number = |key: &str| status.get(key).and_then(Value::as_u64).unwrap_or_default();
        cx.printer.say(&format!("\n{} resources, {} deployments\n", number("resources"), number("deployments")));
    }
    Ok(Exit::Done)
}

fn status(place: &Place, cx: &mut Context) -> Result<Exit, miette::Report> {
    show(place, cx)
}

fn port(last: &Value) -> u16 {
    last.get("httpPort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or_default()
}

fn down(place: &Place, cx: &mut Context) -> Result<Exit, miette::Report> {
    let folder = absolute(&state_folder(&place.folder))?;
    let Some((last, _)) = arm_local::running(&folder) else {
        cx.printer.say("no local endpoint is running here\n");
        return Ok(Exit::Done);
    };
    arm_local::ask(port(&last), "POST", "/_local/shutdown", "")
        .into_diagnostic()
        .wrap_err("the endpoint does not stop")?;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while arm_local::running(&folder).is_some() {
        if std::time::Instant::now() > deadline {
            return Err(miette!("the endpoint does not stop"));
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    cx.printer.say("stopped; the state is kept in `.dsvmc/local`\n");
    Ok(Exit::Done)
}

fn reset(place: &Place, cx: &mut Context) -> Result<Exit, miette::Report> {
    let folder = absolute(&state_folder(&place.folder))?;
    match arm_local::running(&folder) {
        Some((last, _)) => {
            arm_local::ask(port(&last), "POST", "/_local/reset", "")
                .into_diagnostic()
                .wrap_err("the endpoint does not reset")?;
        }
        None => {
            for name in ["state.db", "state.db-wal", "state.db-shm"] {
                match std::fs::remove_file(folder.join(name)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error).into_diagnostic().wrap_err("the state cannot be removed");
                    }
                    _ => {}
                }
            }
        }
    }
    cx.printer.say("the endpoint is empty now\n");
    Ok(Exit::Done)
}
