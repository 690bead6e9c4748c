//! Questions on a terminal: what is typed as a secret is never shown, and Ctrl-C leaves the terminal as it was.

use crate::plan::deploy::Place;
use rexpect::session::{PtySession, spawn_command};

const SECRET: &str = "Sentinel-7777-Typed";

/// A long wait is for machines under load; nothing here takes a second.
const LONGEST: Option<u64> = Some(240_000);

/// The command on a terminal of its own that shows what is typed; no value is given. A shell around it tells the exit
/// code and how the terminal is left, and outlives an interrupt, which all processes of the terminal get.
fn open(place: &Place, arguments: &str) -> PtySession {
    let binary = env!("CARGO_BIN_EXE_dsvmc");
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("trap : INT; stty echo; '{binary}' {arguments}; echo \"code=$?\"; stty -a"));
    shell.current_dir(place.cx.path()).env_clear();
    for (name, value) in place.cx.command("").get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell.env("TERM", "xterm");
    spawn_command(shell, LONGEST).unwrap()
}

/// The terminal shows again what is typed.
fn echoes(seen: &str) -> bool {
    seen.contains(" echo ") && !seen.contains("-echo ")
}

#[test]
fn a_secret_that_is_typed_is_used_and_never_shown() {
    let place = Place::new();
    let mut session = open(&place, "apply --template team.json");
    let mut seen = session.exp_string("password: ").unwrap();
    session.send_line(SECRET).unwrap();
    seen += &session.exp_string("Type yes: ").unwrap();
    session.send_line("yes").unwrap();
    let rest = session.exp_eof().unwrap();
    seen += &rest;
    assert!(seen.contains("code=0") && seen.contains("7 to create") && seen.contains("Done:"), "{seen}");
    // What is typed is shown here, but for the secret.
    assert!(rest.trim_start().starts_with("yes") && !seen.contains(SECRET) && echoes(&seen), "{seen}");
    // It is the one that was deployed: its fingerprint fits, and that of another one does not.
    let plan = |secret: &str| {
        let ran = place.cx.run(&format!("plan --template team.json --set password={secret}"));
        assert_eq!(ran.exit, 0, "{}", ran.text());
        ran.stdout
    };
    assert!(plan(SECRET).contains("Nothing to do"), "{}", plan(SECRET));
    assert!(plan("another-one").contains("(secret) changes"), "{}", plan("another-one"));
    for file in walk(place.cx.path()) {
        // The endpoint is the service here: it has to know.
        let own = file.components().any(|part| part.as_os_str() == "local");
        let bytes = std::fs::read(&file).unwrap();
        let held = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(own || !held, "{}", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn ctrl_c_at_a_question_leaves_the_terminal_as_it_was() {
    for (command, question) in [
        ("apply --template team.json", "password: "),
        ("plan --template team.json", "password: "),
        ("apply --template team.json --set password=given-here", "Type yes: "),
    ] {
        let place = Place::new();
        let mut session = open(&place, command);
        let mut seen = session.exp_string(question).unwrap();
        session.send_control('c').unwrap();
        seen += &session.exp_eof().unwrap();
        assert!(seen.contains("code=130") && echoes(&seen), "{command}: {seen}");
        assert_eq!(place.left(), Vec::<String>::new(), "{command}");
    }
}
