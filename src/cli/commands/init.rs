//! `dsvmc init`: a commented file to start from, which checks, builds and deploys.

use super::build::WriteError;
use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver::shown;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The command line arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc init pools/research --key ~/.ssh/id_ed25519.pub")]
pub struct Args {
    /// Folder of the new project
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// File with the public key of the first administrator
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

const STARTER: &str = include_str!("starter.dsvm");

/// A key without a private part, so that the file passes `check` before a real key replaces it.
const EXAMPLE_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f put-your-own-key-here";

/// Runs `dsvmc init` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let key = match &args.key {
        Some(path) => Some(read_key(path, cx)?),
        None => None,
    };
    let own = key.is_some();
    let text = STARTER.replace("ADMIN_KEY", key.as_deref().unwrap_or(EXAMPLE_KEY));
    let path = args.folder.join("main.dsvm");
    std::fs::create_dir_all(&args.folder).map_err(|cause| WriteError::new(&args.folder, cause))?;
    match dsvm_files::create(&path, text.as_bytes(), dsvm_files::Readers::Usual) {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
            cx.printer.say(&format!(
                "error: `{}` already exists\n  = help: name another folder, as in `dsvmc init pools/research`\n",
                shown(&path)
            ));
            return Ok(Exit::Input);
        }
        Err(cause) => return Err(WriteError::new(&path, cause).into()),
    }
    cx.printer.note(&format!("wrote `{}`\n", shown(&path)));
    if !own {
        cx.printer.note("put your own public key into `env dev`: the one there is an example that nobody can use\n");
    }
    cx.printer.note(&format!("next: `dsvmc check {0}`, then `dsvmc plan {0}`\n", shown(&args.folder)));
    Ok(Exit::Done)
}

/// The first line of a public key file, safe inside a string.
fn read_key(path: &Path, cx: &Context) -> Result<String, miette::Report> {
    let bytes = cx.world.read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    Ok(line.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}
