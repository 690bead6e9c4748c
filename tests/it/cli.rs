//! The frame of the command line: exit codes, streams, errors of the world.

use crate::dsvmc_snapshot;
use crate::support::TestContext;

#[test]
fn a_missing_file_is_the_worlds_fault() {
    let cx = TestContext::new();
    dsvmc_snapshot!(cx, "check nowhere.dsvm", @r"
    exit: 3
    --- stdout
    --- stderr
    error[DSVM0901]: cannot read `nowhere.dsvm`
      = caused by: No such file or directory (os error 2)
      = help: check the spelling of the path and the folder that you are in
    ");
}

#[test]
fn a_folder_without_sources_is_told() {
    let cx = TestContext::new();
    cx.write("notes/readme.txt", "nothing here");
    dsvmc_snapshot!(cx, "check notes", @r"
    exit: 3
    --- stdout
    --- stderr
    error[DSVM0902]: there is no `.dsvm` file in `notes`
      = help: run `dsvmc init` to write a first file
    ");
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    let cx = TestContext::new();
    assert_eq!(cx.run("chekc").exit, 64);
    assert_eq!(cx.run("explain nonsense").exit, 64);
    let help = cx.run("--help");
    assert_eq!(help.exit, 0);
    assert!(help.stdout.contains("check"), "{}", help.stdout);
    assert_eq!(help.stderr, "");
}

#[test]
fn the_starter_file_checks_and_builds_and_is_never_written_over() {
    let cx = TestContext::new();
    dsvmc_snapshot!(cx, "init pools", @r"
    exit: 0
    --- stdout
    --- stderr
    wrote `pools/main.dsvm`
    put your own public key into `env dev`: the one there is an example that nobody can use
    next: `dsvmc check pools`, then `dsvmc plan pools`
    ");
    dsvmc_snapshot!(cx, "check pools", @r"
    exit: 0
    --- stdout
    --- stderr
    `research`: no mistakes found
    ");
    dsvmc_snapshot!(cx, "build pools --out made", @r"
    exit: 0
    --- stdout
    --- stderr
    made/research: 3 files
    ");
    assert!(cx.read("made/research/template.json").contains("virtualMachineScaleSets"));
    assert!(cx.read("made/research/parameters.dev.json").contains("ssh-ed25519"));
    assert!(cx.read("made/research/sourcemap.json").contains("pools/main.dsvm"));
    cx.write("pools/main.dsvm", "// mine\n");
    assert_eq!(cx.run("init pools").exit, 1);
    assert_eq!(cx.read("pools/main.dsvm"), "// mine\n");
}

#[test]
fn the_starter_file_takes_a_key() {
    let cx = TestContext::new();
    cx.write("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc me@here\n");
    assert_eq!(cx.run("init --key id.pub").exit, 0);
    assert!(cx.read("main.dsvm").contains("me@here"));
    assert_eq!(cx.run("check").exit, 0);
}

#[test]
fn every_shell_gets_its_completions() {
    let cx = TestContext::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = cx.run(&format!("completions {shell}"));
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains("explain"), "{shell}");
    }
}

#[test]
fn every_command_gets_its_manual_page() {
    let cx = TestContext::new();
    let ran = cx.run("man --dir share/man1");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let help = cx.run("--help").stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() > 15, "{help}");
    for name in names {
        let page = cx.read(&format!("share/man1/dsvmc-{name}.1"));
        assert!(
            page.starts_with(".ie") && page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"),
            "{name}\n{page}"
        );
    }
    assert!(cx.read("share/man1/dsvmc.1").contains("dsvmc\\-plan(1)"));
    assert!(cx.read("share/man1/dsvmc-local-up.1").contains("dsvmc local up"));
    // Written again, nothing differs.
    let first = cx.read("share/man1/dsvmc-plan.1");
    assert_eq!(cx.run("man --dir share/man1").exit, 0);
    assert_eq!(cx.read("share/man1/dsvmc-plan.1"), first);
}

#[test]
fn diagnostics_come_as_drawings_lines_and_json() {
    let cx = TestContext::new();
    cx.write("main.dsvm", "project research {\n  location: westus2\n}\n");
    dsvmc_snapshot!(cx, "check main.dsvm", @r"
    exit: 1
    --- stdout
    --- stderr
    error[DSVM0011]: a field is written with `=`, not `:`
      ┌─ main.dsvm:2:11
      │
    2 │   location: westus2
      │           ^ `=` is expected here
      │
      = help: write `location = …`

    1 error; `dsvmc explain DSVM0011` explains it
    ");
    dsvmc_snapshot!(cx, "check main.dsvm --format short", @r"
    exit: 1
    --- stdout
    main.dsvm:2:11: error[DSVM0011]: a field is written with `=`, not `:` (help: write `location = …`)
    --- stderr
    ");
    let json: serde_json::Value = serde_json::from_str(&cx.run("check main.dsvm --format json").stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["errors"], 1);
    let found = &json["diagnostics"][0];
    assert_eq!((&found["code"], &found["name"]), (&"DSVM0011".into(), &"foreign-sign".into()));
    assert_eq!((&found["labels"][0]["at"]["line"], &found["labels"][0]["at"]["column"]), (&2.into(), &11.into()));
    assert_eq!(found["fixes"][0]["edits"][0]["text"], " =");
}

#[test]
fn colour_is_written_when_it_is_wanted() {
    let cx = TestContext::new();
    cx.write("main.dsvm", "let x = ;\n");
    assert!(cx.run("check main.dsvm --color always").stderr.contains("\u{1b}["));
    assert!(!cx.run("check main.dsvm").stderr.contains("\u{1b}["));
}

#[test]
fn at_most_fifty_messages_are_drawn_and_the_rest_is_counted() {
    let cx = TestContext::new();
    let lines: String = (0..70).map(|n| format!("let x{n} = 'a'\n")).collect();
    cx.write("main.dsvm", &lines);
    let ran = cx.run("check main.dsvm");
    assert_eq!(ran.stderr.matches("error[DSVM0011]").count(), 50);
    assert!(ran.stderr.contains("(50 shown)"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_not_utf8_is_told() {
    let cx = TestContext::new();
    std::fs::write(cx.path().join("main.dsvm"), b"project caf\xe9 {\n}\n").unwrap();
    let ran = cx.run("check main.dsvm --format short");
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.contains("main.dsvm:1:12: error[DSVM0009]"), "{}", ran.stdout);
}

#[test]
fn several_mistakes_of_several_projects_come_in_one_run() {
    let cx = TestContext::new();
    cx.write("pools/a/main.dsvm", "project a {\n  location: westus2\n}\nlet x = [1 2]\n");
    cx.write("pools/b/main.dsvm", "project b {\n  location = westus2;\n}\n");
    let ran = cx.run("check pools --format short");
    let places: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split(": error").next()).collect();
    assert_eq!(places, ["pools/a/main.dsvm:2:11", "pools/a/main.dsvm:4:12", "pools/b/main.dsvm:2:21"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::Read;
    use std::process::Stdio;
    let cx = TestContext::new();
    let mut child = cx.command("explain").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(said, "");
}

#[test]
fn files_are_put_into_the_house_style_and_broken_ones_left_alone() {
    let cx = TestContext::new();
    cx.write("a.dsvm", "let  x=1 // why\n");
    cx.write("b.dsvm", "let y = 2\n");
    dsvmc_snapshot!(cx, "fmt --check", @r"
    exit: 1
    --- stdout
    --- a.dsvm
    +++ a.dsvm, formatted
    @@ -1 +1 @@
    -let  x=1 // why
    +let x = 1 // why
    --- stderr
    1 file would change; run `dsvmc fmt`
    ");
    assert_eq!(cx.read("a.dsvm"), "let  x=1 // why\n");
    assert_eq!(cx.run("fmt").exit, 0);
    assert_eq!(cx.read("a.dsvm"), "let x = 1 // why\n");
    assert_eq!(cx.run("fmt --check").exit, 0);
    cx.write("a.dsvm", "let  x=\n");
    assert_eq!(cx.run("fmt").exit, 1);
    assert_eq!(cx.read("a.dsvm"), "let  x=\n");
}

#[test]
fn the_starter_file_is_in_the_house_style() {
    let cx = TestContext::new();
    assert_eq!(cx.run("init").exit, 0);
    let ran = cx.run("fmt --check");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
}
