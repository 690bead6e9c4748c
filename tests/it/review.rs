//! `action/`: what a pull request is held against, in a fresh folder and with a stand-in for the host's API.

use crate::support::TestContext;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

const PROJECT: &str = "project lab {\n  location = westeurope\n}\n\nshare notebooks {\n  quota = 1 TiB\n  mount = \"/data\"\n}\n\n\
                       test \"room\" {\n  expect notebooks.quota >= 1 TiB\n}\n";

fn action(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("action").join(name).to_str().unwrap().to_owned()
}

fn git(cx: &TestContext, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments).current_dir(cx.path());
    assert!(command.output().unwrap().status.success(), "{arguments:?}");
}

/// A repository with one project in a folder of this name, and its snapshot.
fn repository(folder: &str) -> TestContext {
    let cx = TestContext::new();
    cx.write(&format!("{folder}/main.dsvm"), PROJECT);
    let mut snapshot = cx.command("snapshot");
    assert!(snapshot.current_dir(cx.path().join(folder)).output().unwrap().status.success());
    git(&cx, &["init", "-q", "-b", "main"]);
    git(&cx, &["add", "."]);
    git(&cx, &["commit", "-q", "-m", "first"]);
    cx
}

fn review(cx: &TestContext, path: &str) -> Output {
    let mut command = Command::new("bash");
    command.arg(action("review.sh")).current_dir(cx.path()).env("DSVMC", env!("CARGO_BIN_EXE_dsvmc"));
    command.env("DSVMC_PATH", path).env("DSVMC_BASE", "main").env("DSVMC_REPORT", cx.path().join("report"));
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_change_is_reviewed_in_one_comment() {
    let cx = repository("pools");
    let ran = review(&cx, "pools");
    assert!(ran.status.success(), "{}", text(&ran));
    let comment = cx.read("report/comment.md");
    assert!(comment.starts_with("<!-- dsvmc -->\n### dsvmc: all checks pass"), "{comment}");
    assert!(comment.contains("Nothing that is deployed differs"), "{comment}");

    cx.write("pools/main.dsvm", &PROJECT.replace("quota = 1 TiB", "quota   = 512 GiB"));
    let ran = review(&cx, "pools");
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran));
    let comment = cx.read("report/comment.md");
    for part in [
        "something is wrong",
        "| format | **failed** |",
        "| check | passed |",
        "| lint | passed |",
        "| test | **failed** |",
        "| snapshot | **failed** |",
        "| plan | passed |",
        "found 512 GiB beside 1 TiB",
        "+ properties.shareQuota = 512",
    ] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&cx.read("report/dsvmc.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(cx.read("report/junit.xml").contains("failures=\"1\""));
}

/// Names and texts of a branch are data: none is run, and none ends the fence that it is shown in.
#[test]
fn a_hostile_branch_runs_nothing() {
    let folder = "a $(touch owned) `touch owned`;touch owned";
    let cx = repository(folder);
    let hostile = PROJECT.replace("\"room\"", "\"`````` $(touch owned) <!-- x -->\"").replace(">= 1 TiB", ">= 9 TiB");
    cx.write(&format!("{folder}/main.dsvm"), &hostile);
    let ran = review(&cx, folder);
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran));
    let mut places = vec![cx.path().to_owned(), cx.path().join(folder)];
    places.push(cx.path().join("report"));
    assert!(places.iter().all(|place| !place.join("owned").exists()));
    let comment = cx.read("report/comment.md");
    let fences = comment.lines().filter(|line| line.starts_with("````")).count();
    assert!(fences % 2 == 0 && comment.lines().all(|line| !line.contains("`````")), "{comment}");
    // A path that looks like an option is none.
    assert_eq!(review(&cx, "--help").status.code(), Some(1));
}

/// Files of a branch can look like a repository; the settings in them name programs.
#[test]
fn a_repository_among_the_files_runs_nothing() {
    let cx = repository("pools");
    let owned = cx.path().join("owned");
    cx.write("pools/bare/main.dsvm", &PROJECT.replace("lab", "bare"));
    let arguments = ["--git-dir=pools/bare", "--work-tree=pools/bare"];
    git(&cx, &["init", "-q", "--bare", "-b", "main", "pools/bare"]);
    git(&cx, &[&arguments[..], &["add", "main.dsvm"]].concat());
    git(&cx, &[&arguments[..], &["commit", "-q", "-m", "x"]].concat());
    let bare = cx.path().join("pools/bare");
    let settings = format!(
        "[core]\n repositoryformatversion = 0\n bare = false\n worktree = {}\n fsmonitor = \"touch {}\"\n",
        bare.display(),
        owned.display()
    );
    cx.write("pools/bare/config", &settings);
    let status = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(&bare).output().unwrap();
    status(&["status"]);
    assert!(owned.exists(), "git itself is not misled; this test shows nothing");
    std::fs::remove_file(&owned).unwrap();
    for command in
        ["plan --target local .", "snapshot --against main .", "apply --yes --target local .", "local down ."]
    {
        let mut command = cx.command(command);
        command.current_dir(&bare).output().unwrap();
        assert!(!owned.exists(), "{command:?}");
    }
    assert_eq!(review(&cx, "pools").status.code(), Some(1));
    assert!(!owned.exists());
}

/// A host that answers with these comments; what it was sent.
fn host(comments: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let first = head.lines().next().unwrap_or_default().to_owned();
            let answer = if first.starts_with("GET") { comments } else { "{}" };
            log.lock().unwrap().push(format!("{first}\n{}", String::from_utf8_lossy(&body)));
            let _ = write!(
                reader.into_inner(),
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    (address, seen)
}

#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn comment(cx: &TestContext, api: &str) -> Option<Output> {
    let mut command = Command::new("python3");
    command.arg(action("comment.py")).env("GITHUB_API_URL", api).env("GITHUB_REPOSITORY", "lab/pools");
    command.env("PULL_REQUEST", "7").env("GITHUB_TOKEN", "Sentinel-Token").env("DSVMC_REPORT", cx.path());
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: no python3");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_comment_is_written_once_and_then_replaced() {
    let cx = TestContext::new();
    cx.write("comment.md", "<!-- dsvmc -->\nfine\n");
    let mark = r#"[{"id":1,"body":"<!-- dsvmc -->\nfake","user":{"type":"User"}},{"id":2,"body":"hello","user":{"type":"Bot"}}"#;
    let others: &'static str = format!("{mark}]").leak();
    let ours: &'static str =
        format!(r#"{mark},{{"id":3,"body":"<!-- dsvmc -->\nold","user":{{"type":"Bot"}}}}]"#).leak();
    for (comments, request) in [
        ("[]", "POST /repos/lab/pools/issues/7/comments"),
        // Somebody else's comment with the mark is left alone.
        (others, "POST /repos/lab/pools/issues/7/comments"),
        (ours, "PATCH /repos/lab/pools/issues/comments/3"),
    ] {
        let (api, seen) = host(comments);
        let Some(ran) = comment(&cx, &api) else { return };
        assert!(ran.status.success() && !text(&ran).contains("Sentinel"), "{}", text(&ran));
        let seen = seen.lock().unwrap();
        assert!(seen.len() == 2 && seen[1].starts_with(request) && seen[1].contains("fine"), "{seen:?}");
    }
    // The token goes nowhere in the clear, and a host that is gone is told.
    for (api, says) in [("http://198.51.100.7", "https addresses only"), ("http://127.0.0.1:9", "could not be written")]
    {
        let Some(ran) = comment(&cx, api) else { return };
        assert!(
            !ran.status.success() && text(&ran).contains(says) && !text(&ran).contains("Sentinel"),
            "{}",
            text(&ran)
        );
    }
}
