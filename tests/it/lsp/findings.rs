//! Diagnostics while typing, and the fixes that they offer.

use super::client::{Editor, at, edited, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

/// `range severity code`, with the first line of the message.
fn lines(found: &[Value]) -> Vec<String> {
    let line = |found: &Value| {
        let title = found["message"].as_str().unwrap().lines().next().unwrap();
        format!("{} {} {}: {title}", shown(&found["range"]), found["severity"], found["code"].as_str().unwrap())
    };
    found.iter().map(line).collect()
}

const SHARES: &str = "project p { }\nimport \"./common.dsvm\" as common\nlet n = common.count\noutput o = n\n";

#[test]
fn findings_come_while_typing_and_go_when_they_are_fixed() {
    let cx = TestContext::new();
    cx.write("main.dsvm", "project p { }\n");
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "project p { }\nlet first = 1\noutput o = frist\n");
    let found = editor.diagnostics(&main, Some(1));
    assert_eq!(lines(&found), ["2:11-2:16 1 DSVM0101: `frist` is not declared"]);
    assert_eq!(found[0]["source"], "dsvmc");
    assert_eq!(found[0]["message"], "`frist` is not declared\nhelp: write `first`");
    assert!(found[0]["codeDescription"]["href"].as_str().unwrap().ends_with("docs/errors/unknown-name.md"));
    let related = &found[0]["relatedInformation"][0];
    assert_eq!(
        (related["message"].as_str().unwrap(), related["location"]["uri"].as_str().unwrap()),
        ("`first` is declared here", &*main)
    );
    assert_eq!(shown(&related["location"]["range"]), "1:4-1:9");
    // Broken in the middle of typing: the rest is still understood.
    editor.replace(&main, 2, "project p { }\nlet first = \noutput o = frist\n");
    assert!(lines(&editor.diagnostics(&main, Some(2)))[0].contains("DSVM00"));
    editor.replace(&main, 3, "project p { }\nlet first = 1\noutput o = first\n");
    assert_eq!(editor.diagnostics(&main, Some(3)), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn what_is_not_used_is_marked_so() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "import std.images\nproject p { }\n");
    let found = editor.diagnostics(&main, Some(1));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0]["severity"].as_i64(), found[0]["tags"].clone()), (Some(2), json!([1])));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn files_that_import_the_edited_one_are_checked_with_it() {
    let cx = TestContext::new();
    cx.write("a/main.dsvm", SHARES);
    cx.write("a/common.dsvm", "export let count = 1\n");
    let mut editor = Editor::open(&cx);
    let (main, common) = (uri(&cx, "a/main.dsvm"), uri(&cx, "a/common.dsvm"));
    editor.show(&common, "export let count = 1\n");
    assert_eq!(editor.diagnostics(&common, Some(1)), Vec::<Value>::new());
    editor.replace(&common, 2, "export let other = 1\n");
    assert_eq!(
        lines(&editor.diagnostics(&main, None)),
        ["2:15-2:20 1 DSVM0107: `a/common.dsvm` has no `count`"
            .replace("a/", &format!("{}/a/", cx.path().to_string_lossy()))]
    );
    editor.replace(&common, 3, "export let count = 2\n");
    assert_eq!(editor.diagnostics(&main, None), Vec::<Value>::new());
    // Both open: the main file has a version of its own.
    editor.show(&main, SHARES);
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<Value>::new());
    editor.replace(&common, 4, "");
    assert_eq!(lines(&editor.diagnostics(&main, Some(1))).len(), 1);
    // Closed without saving: what is on the disk counts.
    editor.close(&common);
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn findings_go_when_the_last_document_is_closed() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "never-saved/main.dsvm");
    editor.show(&main, "project p { }\noutput o = nowhere\n");
    assert_eq!(editor.diagnostics(&main, Some(1)).len(), 1);
    editor.close(&main);
    assert_eq!(editor.diagnostics(&main, None), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn documents_that_are_nowhere_on_the_disk_are_checked_too() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    editor.show("untitled:Untitled-1", "project p { }\noutput o = nowhere\n");
    assert_eq!(editor.diagnostics("untitled:Untitled-1", Some(1)).len(), 1);
    let (main, other) = (uri(&cx, "gone/main.dsvm"), uri(&cx, "gone/common.dsvm"));
    editor.show(&main, SHARES);
    assert_eq!(lines(&editor.diagnostics(&main, Some(1))).len(), 1);
    // The file that it imports exists in the editor only.
    editor.show(&other, "export let count = 1\n");
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn findings_are_those_of_check() {
    let cx = TestContext::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "dsvm"));
    // What is wrong in a data file is shown there (`data`).
    let data = |path: &std::path::PathBuf| {
        dsvm_sema::load::extensions().any(|end| end != "dsvm" && path.with_extension(end).exists())
    };
    files.retain(|path| !data(path));
    files.sort();
    let mut editor = Editor::open(&cx);
    // Every fourth keeps the test short; what each of them gives is compared in `mistakes`.
    for path in files.iter().step_by(4) {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = format!("{name}/{name}");
        cx.write(&name, &text);
        let shown = cx.run(&format!("check --as-of 2026-11-01 --format json {name}")).stdout;
        let wanted: Value = serde_json::from_str(&shown).unwrap();
        let mut wanted: Vec<String> = wanted["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| format!("{} {}", found["code"].as_str().unwrap(), found["title"].as_str().unwrap()))
            .collect();
        let document = uri(&cx, &name);
        editor.show(&document, &text);
        let found = editor.diagnostics(&document, Some(1));
        let mut found: Vec<String> = found
            .iter()
            .map(|found| {
                let title = found["message"].as_str().unwrap().lines().next().unwrap().to_owned();
                format!("{} {}", found["code"].as_str().unwrap(), title.replace(&*cx.path().to_string_lossy(), "."))
            })
            .collect();
        wanted.sort();
        found.sort();
        wanted.dedup();
        found.dedup();
        assert_eq!(found, wanted, "{name}");
        editor.close(&document);
    }
    assert_eq!(editor.finish(), 0);
}

/// The changes that an action makes to a file.
fn applied(action: &Value, uri: &str, text: &str) -> String {
    edited(text, &action["edit"]["changes"][uri])
}

fn actions(editor: &mut Editor, uri: &str, line: u32, character: u32) -> Value {
    let range = json!({ "start": at(line, character), "end": at(line, character) });
    let context = json!({ "diagnostics": [] });
    editor.result(
        "textDocument/codeAction",
        json!({ "textDocument": { "uri": uri }, "range": range, "context": context }),
    )
}

#[test]
fn a_fix_writes_what_was_meant() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    let text = "project p { }\nlet first = 1\noutput o = frist\n";
    editor.show(&main, text);
    let found = actions(&mut editor, &main, 2, 12);
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((found[0]["title"].as_str(), found[0]["kind"].as_str()), (Some("Write `first`"), Some("quickfix")));
    assert_eq!(applied(&found[0], &main, text), text.replace("frist", "first"));
    assert_eq!(actions(&mut editor, &main, 0, 0), json!([]));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_missing_import_is_added() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    let text = "// Ä pool.\n\n// The project.\nproject p { location = regions.westeurope }\n";
    editor.show(&main, text);
    let found = actions(&mut editor, &main, 3, 25);
    assert_eq!(found[0]["title"], "Add `import std.regions`");
    let fixed = applied(&found[0], &main, text);
    assert_eq!(fixed, text.replace("// The", "import std.regions\n// The"));
    editor.replace(&main, 2, &fixed);
    assert_eq!(editor.diagnostics(&main, Some(2)), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_fact_without_its_module_gets_both() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    let text = "import std.images\nproject p { }\noutput o = [Standard_D4s_v5.vcpu, images.ubuntu_2204.generation]\n";
    editor.show(&main, text);
    let found = actions(&mut editor, &main, 2, 14);
    assert_eq!(found[0]["title"], "Add `import std.sizes` and write `sizes.Standard_D4s_v5`");
    let fixed = applied(&found[0], &main, text);
    assert_eq!(fixed, format!("import std.sizes\n{}", text.replace("[Standard", "[sizes.Standard")));
    editor.replace(&main, 2, &fixed);
    let found = editor.diagnostics(&main, Some(2));
    assert!(found.iter().all(|found| found["severity"] != 1), "{found:?}");
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_change_that_comes_while_compiling_supersedes_the_one_before() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "project p { }\n");
    for version in 2..=300 {
        editor.replace(&main, version, &format!("project p {{ }}\noutput o = nowhere{version}\n"));
    }
    let mut versions = Vec::new();
    let last = loop {
        let message = editor.next();
        if message["method"] != "textDocument/publishDiagnostics" {
            continue;
        }
        let params = message["params"].clone();
        versions.push(params["version"].as_i64().unwrap());
        if versions.last() == Some(&300) {
            break params;
        }
    };
    assert!(versions.is_sorted(), "{versions:?}");
    let found = last["diagnostics"].as_array().unwrap();
    assert_eq!(lines(found), ["1:11-1:21 1 DSVM0101: `nowhere300` is not declared"]);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_file_that_changes_on_the_disk_is_read_again() {
    let cx = TestContext::new();
    cx.write("main.dsvm", SHARES);
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, SHARES);
    assert_eq!(editor.diagnostics(&main, Some(1)).len(), 1);
    cx.write("common.dsvm", "export let count = 1\n");
    let changes = json!([{ "uri": uri(&cx, "common.dsvm"), "type": 1 }]);
    editor.tell("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<Value>::new());
    assert_eq!(editor.finish(), 0);
}

const LINTED: &str = "project lab {\n  location = westeurope\n}\n\nshare work {\n  quota = 1 TiB\n  redundancy = lrs\n  mount = \"/data\"\n}\n";

#[test]
fn what_rules_find_is_shown_and_can_be_allowed_with_a_reason() {
    let cx = TestContext::new();
    cx.write("dsvmc.toml", "[lint]\nmissing-tags = \"error\"\nunused-resource = \"off\"\n");
    cx.write("main.dsvm", LINTED);
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, LINTED);
    let found = editor.diagnostics(&main, Some(1));
    let told = lines(&found);
    // Hints are left to `dsvmc lint`; the settings of the project count.
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains(" 1 missing-tags: "), "{told:#?}");
    assert!(told[1].starts_with("6:15-6:18 2 storage-lrs: "), "{told:#?}");
    assert!(found[1]["codeDescription"]["href"].as_str().unwrap().ends_with("docs/lint/storage-lrs.md"));
    let request = json!({
        "textDocument": { "uri": main }, "range": found[1]["range"], "context": { "diagnostics": [found[1]] },
    });
    let actions = editor.result("textDocument/codeAction", request);
    let allow =
        actions.as_array().unwrap().iter().find(|a| a["title"].as_str().unwrap().starts_with("Allow ")).unwrap();
    let text = edited(LINTED, &allow["edit"]["changes"][&*main]);
    assert!(text.contains("\n  // dsvmc-allow storage-lrs: \n  redundancy = lrs\n"), "{text}");
    // Without a reason it has no effect.
    editor.replace(&main, 2, &text);
    let told = lines(&editor.diagnostics(&main, Some(2)));
    assert!(told.iter().any(|line| line.contains("DSVM0603")), "{told:#?}");
    editor.replace(&main, 3, &text.replace("storage-lrs: ", "storage-lrs: made anew each night"));
    let told = lines(&editor.diagnostics(&main, Some(3)));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(editor.finish(), 0);
}

/// What is known of a text that says the same as before is moved and not found anew.
#[test]
fn findings_move_with_comments_and_blanks() {
    let text = "// a\nproject p { }\n\nlet a = 1 // b\nlet a = 2\n/// c\nparam d: int = nothing\noutput o = frist\nlet first = 1\n";
    let changes = [
        ("// a", "// a\n// and more"),
        ("// b", "/* b"),
        ("// b", ""),
        ("\n\n", "\n\n\n\n"),
        ("/// c", "/// c d e"),
        ("/// c\n", ""),
        ("let a = 2", "let   a =  2"),
        ("// a\n", ""),
        ("nothing", "nothing // x"),
        ("frist", "first"),
        ("1 // b", "1 // \"\"\""),
    ];
    for (old, new) in changes {
        let cx = TestContext::new();
        let main = uri(&cx, "main.dsvm");
        let after = text.replacen(old, new, 1);
        let mut editor = Editor::open(&cx);
        editor.show(&main, text);
        editor.diagnostics(&main, Some(1));
        editor.replace(&main, 2, &after);
        let moved = editor.diagnostics(&main, Some(2));
        editor.replace(&main, 3, text);
        editor.diagnostics(&main, Some(3));
        assert_eq!(editor.finish(), 0);
        let mut fresh = Editor::open(&cx);
        fresh.show(&main, &after);
        assert_eq!(moved, fresh.diagnostics(&main, Some(1)), "{new}");
        assert_eq!(fresh.finish(), 0);
    }
}
