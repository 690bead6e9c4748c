//! Writes: whole or not at all, through no link, and over nothing that dsvmc did not write.

use crate::support::TestContext;
use std::path::Path;

const PROJECT: &str = "project lab { location = westeurope }\nshare notebooks { quota = 1 TiB\n mount = \"/data\" }\n";

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The command with files limited to so many blocks of 512 bytes, as on a disk that is full. The limit sends a signal too,
/// which is ignored here as it is where the disk itself says so.
#[cfg(unix)]
fn with_full_disk(cx: &TestContext, blocks: u32, arguments: &str) -> std::process::Output {
    let mut shell = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_dsvmc");
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {arguments}"));
    shell.current_dir(cx.path()).env_clear().env("HOME", cx.path()).env("NO_COLOR", "1").env("PATH", "/usr/bin:/bin");
    shell.output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_file() {
    let cx = TestContext::new();
    let untidy: String =
        (0..200).fold(PROJECT.to_owned(), |text, n| text + &format!("let   x{n}=  \"{}\"\n", "y".repeat(40)));
    cx.write("lab.dsvm", &untidy);
    let output = with_full_disk(&cx, 1, "fmt lab.dsvm");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) || output.status.code() == Some(1), "{text}");
    assert!(text.contains("DSVM0904"), "{text}");
    assert_eq!(cx.read("lab.dsvm"), untidy);
    assert_eq!(names(cx.path()), ["lab.dsvm"]);

    cx.write("lab.dsvm", PROJECT);
    assert_eq!(cx.run("plan lab.dsvm -o lab.plan").exit, 0);
    let saved = cx.read("lab.plan");
    cx.write("lab.dsvm", &PROJECT.replace("1 TiB", "2 TiB"));
    let before = names(cx.path());
    // The state of the endpoint fits into the limit, the plan does not.
    let output = with_full_disk(&cx, 1, "plan lab.dsvm -o lab.plan");
    assert!(!output.status.success());
    assert_eq!(cx.read("lab.plan"), saved);
    assert_eq!(names(cx.path()), before);

    assert_eq!(cx.run("build lab.dsvm").exit, 0);
    let template = cx.read("build/lab/template.json");
    let output = with_full_disk(&cx, 0, "build lab.dsvm");
    assert!(!output.status.success());
    assert_eq!(cx.read("build/lab/template.json"), template);
    assert!(names(&cx.path().join("build/lab")).iter().all(|name| !name.ends_with(".new")));
}

#[test]
fn a_plan_overwrites_plans_only() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    cx.write("notes.txt", "mine");
    cx.write("values.json", "{ \"kind\": \"other\" }");
    cx.write("empty", "");
    std::fs::create_dir(cx.path().join("folder")).unwrap();
    for (file, text) in
        [("lab.dsvm", PROJECT), ("notes.txt", "mine"), ("values.json", "{ \"kind\": \"other\" }"), ("empty", "")]
    {
        let ran = cx.run(&format!("plan lab.dsvm -o {file}"));
        assert!(ran.exit == 1 && ran.stderr.contains("DSVM0904"), "{file}: {}", ran.text());
        assert_eq!(cx.read(file), text);
    }
    for file in ["new.dsvm", "folder"] {
        let ran = cx.run(&format!("plan lab.dsvm -o {file}"));
        assert!(ran.exit == 1 && ran.stderr.contains("DSVM0904"), "{file}: {}", ran.text());
    }
    assert!(!cx.path().join("new.dsvm").exists());
    assert_eq!(cx.run("plan lab.dsvm -o lab.plan").exit, 0);
    let ran = cx.run("plan lab.dsvm -o lab.plan");
    assert_eq!(ran.exit, 0, "{}", ran.text());
}

#[test]
fn a_build_overwrites_builds_only() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    for name in ["template.json", "parameters.json", "sourcemap.json"] {
        let place = format!("out/lab/{name}");
        cx.write(&place, "{ \"mine\": true }");
        let ran = cx.run("build lab.dsvm --out out");
        assert!(ran.exit != 0 && ran.stderr.contains("DSVM0904"), "{name}: {}", ran.text());
        assert_eq!(names(&cx.path().join("out/lab")), [name]);
        assert_eq!(cx.read(&place), "{ \"mine\": true }");
        std::fs::remove_file(cx.path().join(&place)).unwrap();
    }
    for text in [PROJECT.to_owned(), PROJECT.replace("1 TiB", "2 TiB")] {
        cx.write("lab.dsvm", &text);
        let ran = cx.run("build lab.dsvm --out out");
        assert_eq!(ran.exit, 0, "{}", ran.text());
    }
    assert!(names(&cx.path().join("out/lab")).iter().all(|name| name.ends_with(".json")));
}

#[cfg(unix)]
#[test]
fn no_write_follows_a_link() {
    use std::os::unix::fs::symlink;
    let outside = TestContext::new();
    let target = outside.write("kept", "kept");
    let untouched = |what: &str| {
        assert_eq!(outside.read("kept"), "kept", "{what}");
        assert_eq!(names(outside.path()), ["kept"], "{what}");
    };
    for name in ["build/lab/template.json", "build/lab/parameters.json", ".dsvmc/lab/lock", ".dsvmc/lab/salt"] {
        let cx = TestContext::new();
        cx.write("lab.dsvm", PROJECT);
        std::fs::create_dir_all(cx.path().join(name).parent().unwrap()).unwrap();
        symlink(&target, cx.path().join(name)).unwrap();
        for command in ["build lab.dsvm", "apply lab.dsvm --yes", "plan lab.dsvm -o lab.plan", "local up", "local down"]
        {
            cx.run(command);
            untouched(&format!("{command} with {name}"));
        }
    }
    for name in ["endpoint.json", "endpoint.log", "endpoint.lock", "state.db", "state.db-wal", "ca.pem", "key.pem"] {
        let cx = TestContext::new();
        cx.write("lab.dsvm", PROJECT);
        std::fs::create_dir_all(cx.path().join(".dsvmc/local")).unwrap();
        symlink(&target, cx.path().join(".dsvmc/local").join(name)).unwrap();
        for command in ["plan lab.dsvm", "local up", "local down", "local reset"] {
            cx.run(command);
            untouched(&format!("{command} with {name}"));
        }
    }
    for name in [".dsvmc", ".dsvmc/lab", ".dsvmc/local", "build/lab"] {
        let cx = TestContext::new();
        cx.write("lab.dsvm", PROJECT);
        std::fs::create_dir_all(cx.path().join(name).parent().unwrap()).unwrap();
        symlink(outside.path(), cx.path().join(name)).unwrap();
        for command in ["build lab.dsvm", "apply lab.dsvm --yes", "local up", "local down"] {
            cx.run(command);
            untouched(&format!("{command} with {name}"));
        }
    }
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    symlink(&target, cx.path().join("lab.plan")).unwrap();
    assert_eq!(cx.run("plan lab.dsvm -o lab.plan").exit, 1);
    untouched("plan");
    // A source that is a link stays one, and what it leads to is not written.
    cx.write("real.dsvm", "project   lab {location = westeurope}\n");
    symlink("real.dsvm", cx.path().join("link.dsvm")).unwrap();
    let ran = cx.run("fmt link.dsvm");
    assert!(ran.exit != 0 && ran.stderr.contains("DSVM0904"), "{}", ran.text());
    assert_eq!(cx.read("real.dsvm"), "project   lab {location = westeurope}\n");
}

/// What a killed process left beside its files is gone after the next run.
#[test]
fn unfinished_files_are_removed() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    assert_eq!(cx.run("apply lab.dsvm --yes").exit, 0);
    for name in ["lab/.receipt.json.a1.new", "lab/journal.json.4711.new", "local/.endpoint.json.b2.new"] {
        cx.write(&format!(".dsvmc/{name}"), "{");
    }
    assert_eq!(cx.run("apply lab.dsvm --yes").exit, 0);
    for folder in ["lab", "local"] {
        let left = names(&cx.path().join(".dsvmc").join(folder));
        assert!(left.iter().all(|name| !name.ends_with(".new")), "{left:?}");
    }
}
