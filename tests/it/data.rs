//! Data files of projects: what is read, what is told, and where.

use crate::lsp::client::{Editor, place, uri};
use crate::support::TestContext;
use serde_json::json;

const MAIN: &str = "project class { location = westeurope }
import \"./students.csv\" as students: [{ name: string, uid: int in 1000..2999, quota: size = 64 GiB }]
output names: [string] = [s.name for s in students]
";

#[test]
fn mistakes_are_told_at_line_and_column_of_the_file() {
    let cx = TestContext::new();
    cx.write("main.dsvm", MAIN);
    cx.write(
        "students.csv",
        "\u{feff}uid,name,quota\r\n2001,\"ana,\nof two lines\",\r\n99,\u{f6}zge,1 TB\r\nx,bob,64\r\n",
    );
    let ran = cx.run("check . --format short");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    for line in [
        "students.csv:4:1: error[DSVM0203]: 99 is outside 1000..2999",
        "students.csv:5:1: error[DSVM0201]: expected `int in 1000..2999`, found `x`",
        "students.csv:5:7: error[DSVM0201]: expected `size`, found `64`",
    ] {
        assert!(ran.text().contains(line), "{}", ran.text());
    }
    let ran = cx.run("check .");
    assert_eq!(ran.text().matches("imported here").count(), 3, "{}", ran.text());
    cx.write("students.csv", "uid,name\n2001,ana\n2002,\u{f6}zge\n");
    let ran = cx.run("build . --stdout");
    assert!(ran.exit == 0 && ran.text().contains("\u{f6}zge"), "{}", ran.text());
}

/// A wrong column breaks every row: the first mistakes are told, and how many there are.
#[test]
fn many_mistakes_are_counted() {
    let cx = TestContext::new();
    cx.write("main.dsvm", MAIN);
    let rows: String = (0..5000).map(|at| format!("{at},user{at}\n")).collect();
    cx.write("students.csv", &format!("name,uid\n{rows}"));
    let ran = cx.run("check .");
    assert_eq!(ran.text().matches("error[").count(), 10, "{}", ran.text());
    assert!(ran.text().contains("4990 more mistakes in this file"), "{}", ran.text());
}

#[test]
fn files_that_are_no_text_are_refused() {
    let cx = TestContext::new();
    cx.write("main.dsvm", MAIN);
    std::fs::write(cx.path().join("students.csv"), b"name,uid\nJos\xe9,2001\n").unwrap();
    let ran = cx.run("check . --format short");
    assert!(ran.text().contains("students.csv:2:4: error[DSVM0225]: this data file is not UTF-8"), "{}", ran.text());
    for text in ["", "\u{feff}", " \n\n"] {
        cx.write("students.csv", text);
        let ran = cx.run("check . --format short");
        assert!(ran.text().contains("error[DSVM0225]: this data file is empty"), "{}", ran.text());
    }
}

/// A link gives no other file the name of a table.
#[cfg(unix)]
#[test]
fn a_link_leads_to_data_of_its_format_in_the_project_only() {
    let cx = TestContext::new();
    cx.write("project/.git/HEAD", "");
    cx.write("project/main.dsvm", MAIN);
    cx.write("outside.csv", "hunter2\n");
    cx.write("project/.env", "hunter2\n");
    cx.write("project/real/class.csv", "name,uid\nana,2001\n");
    let link = cx.path().join("project/students.csv");
    for (target, code) in [("../outside.csv", 1), (".env", 1), ("real/class.csv", 0)] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        let ran = cx.run("check project");
        assert_eq!(ran.exit, code, "{target}: {}", ran.text());
        assert!(!ran.text().contains("hunter2"), "{target}: {}", ran.text());
        assert_eq!(ran.text().contains("DSVM0124"), code == 1, "{target}: {}", ran.text());
        std::fs::remove_file(&link).unwrap();
    }
}

#[test]
fn editors_know_the_name_of_the_values_and_the_file() {
    let cx = TestContext::new();
    cx.write("main.dsvm", MAIN);
    cx.write("students.csv", "name,uid\nana,2001\n");
    let mut editor = Editor::open(&cx);
    let (main, data) = (uri(&cx, "main.dsvm"), uri(&cx, "students.csv"));
    editor.show(&main, MAIN);
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<serde_json::Value>::new());
    let hover = editor.result("textDocument/hover", place(&main, MAIN, "in students|"));
    assert!(hover.to_string().contains("as students: [{ name: string"), "{hover}");
    let mut rename = place(&main, MAIN, "in students|");
    rename["newName"] = json!("people");
    let edits = editor.result("textDocument/rename", rename);
    let changes = edits.to_string().matches("people").count();
    assert_eq!(changes, 2, "{edits}");
    let offers = editor.result("textDocument/completion", place(&main, MAIN, "uid: |"));
    assert!(offers.to_string().contains("ssh_key"), "{offers}");
    // The mistake is shown in the data file.
    cx.write("students.csv", "name,uid\nana,x\n");
    editor.tell("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": data, "type": 2 }] }));
    let found = editor.diagnostics(&data, None);
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 4 }), "{found:?}");
    assert_eq!(editor.finish(), 0);
}
