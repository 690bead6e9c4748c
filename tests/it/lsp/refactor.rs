//! Changes that give a part of a program a name, or take it away, and leave what is deployed as it is.

use super::client::{Editor, edited, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

const MAIN: &str = "\
project p { location = westeurope }

param owner: string = \"us\"

// Sizes.
/// The first.
let large = 1 TiB + 200 GiB

fn named(what: string): string = \"${what}-x\"

// Everything that people keep.
share notes {
  quota    = large
  mount    = \"/data\"
  protocol = smb
  tags     = { who = \"by ${owner}\", size = named(\"big\"), all = text(length([n for n in [1, 2]])) }
}

share more {
  quota = 300 GiB
  mount = \"/more\"
}

param stage: \"dev\" | \"prod\" = \"dev\"

output stage_of: string = stage
";

fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    json!({ "line": line, "character": before.rsplit('\n').next().unwrap().encode_utf16().count() })
}

/// The actions for a range of bytes.
fn actions(editor: &mut Editor, uri: &str, text: &str, (from, to): (usize, usize), only: &[&str]) -> Vec<Value> {
    let range = json!({ "start": position(text, from), "end": position(text, to) });
    let context = json!({ "diagnostics": [], "only": only });
    let request = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
    editor.result("textDocument/codeAction", request).as_array().unwrap().clone()
}

fn changed(text: &str, uri: &str, action: &Value) -> String {
    edited(text, &action["edit"]["changes"][uri])
}

/// Titles of the actions for a part of the text.
fn titles(editor: &mut Editor, uri: &str, text: &str, part: &str) -> Vec<String> {
    let from = text.find(part).unwrap_or_else(|| panic!("{part}"));
    let found = actions(editor, uri, text, (from, from + part.len()), &["refactor"]);
    found.iter().map(|action| action["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_value_gets_a_name() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, MAIN);
    let from = MAIN.find("300 GiB").unwrap();
    let found = actions(&mut editor, &main, MAIN, (from, from + 7), &[]);
    let titles_of: Vec<&str> = found.iter().map(|action| action["title"].as_str().unwrap()).collect();
    assert_eq!(titles_of, ["Extract to `let`", "Extract to `param`"]);
    let after = changed(MAIN, &main, &found[0]);
    assert!(after.contains("let more_quota = 300 GiB\n\nshare more {\n  quota = more_quota\n"), "{after}");
    let after = changed(MAIN, &main, &found[1]);
    assert!(after.contains("param more_quota: size = 300 GiB\n\nshare more {"), "{after}");
    // Above the comment of its declaration; with blanks around the selection.
    let from = MAIN.find("\"by ${owner}\"").unwrap() - 1;
    let found = actions(&mut editor, &main, MAIN, (from, from + 14), &["refactor.extract"]);
    let after = changed(MAIN, &main, &found[0]);
    assert!(after.contains("let extracted = \"by ${owner}\"\n\n// Everything"), "{after}");
    // What means nothing elsewhere stays where it is, and what must be known while compiling is no parameter.
    assert_eq!(titles(&mut editor, &main, MAIN, "smb"), Vec::<String>::new());
    assert_eq!(titles(&mut editor, &main, MAIN, "\"${what}-x\""), Vec::<String>::new());
    assert_eq!(titles(&mut editor, &main, MAIN, "\"/more\""), ["Extract to `let`"]);
    assert_eq!(titles(&mut editor, &main, MAIN, "quota = 300"), Vec::<String>::new());
    let from = MAIN.find("\"dev\" | \"prod\"").unwrap();
    let found = actions(&mut editor, &main, MAIN, (from, from + 14), &["refactor"]);
    let after = changed(MAIN, &main, &found[0]);
    assert!(after.contains("type Extracted = \"dev\" | \"prod\"\n\nparam stage: Extracted = \"dev\"\n"), "{after}");
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_let_is_written_out() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, MAIN);
    let from = MAIN.find("= large").unwrap() + 3;
    let found = actions(&mut editor, &main, MAIN, (from, from), &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let after = changed(MAIN, &main, &found[0]);
    let wanted = MAIN.replace("// Sizes.\n/// The first.\nlet large = 1 TiB + 200 GiB\n\n", "");
    assert_eq!(after, wanted.replace("= large", "= (1 TiB + 200 GiB)"));
    // A project with mistakes deploys nothing to compare.
    editor.replace(&main, 2, &MAIN.replace("1 TiB", "1 TiB + nothing"));
    assert!(actions(&mut editor, &main, MAIN, (from, from), &["refactor"]).is_empty());
    assert_eq!(editor.finish(), 0);
}

/// Every example, at several places: what is offered leaves what is deployed as it is.
#[test]
fn examples_deploy_the_same_afterwards() {
    let mut offered = 0;
    for example in std::fs::read_dir(format!("{}/examples", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let folder = example.unwrap().path();
        let Ok(files) = std::fs::read_dir(&folder) else { continue };
        let cx = TestContext::new();
        let mut sources = Vec::new();
        for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "dsvm"))
        {
            let (name, text) =
                (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap());
            cx.write(&name, &text);
            if !name.ends_with(".test.dsvm") {
                sources.push((name, text));
            }
        }
        let mut editor = Editor::open(&cx);
        for (name, text) in &sources {
            let main = uri(&cx, name);
            editor.show(&main, text);
            // The values of a few fields, spread over the file, and the names of constants.
            let lines: Vec<(usize, &str)> = text
                .split_inclusive('\n')
                .scan(0, |at, line| {
                    *at += line.len();
                    Some((*at - line.len(), line.trim_end()))
                })
                .collect();
            let values = lines.iter().filter_map(|(start, line)| {
                let (before, value) = line.split_once("= ")?;
                (!line.ends_with(['{', '[', '(']) && !value.contains("//"))
                    .then(|| (start + before.len() + 2, start + line.len()))
            });
            let constants =
                lines.iter().filter(|(_, line)| line.starts_with("let ")).map(|(start, _)| (start + 4, start + 4));
            let places: Vec<(usize, usize)> = values.step_by(5).take(4).chain(constants.take(2)).collect();
            for place in places {
                for action in actions(&mut editor, &main, text, place, &["refactor"]) {
                    offered += 1;
                    let build = |text: &str, out: &str| {
                        cx.write(name, text);
                        let run = cx.run(&format!("build . --out {out}"));
                        assert_eq!(run.exit, 0, "{action}: {}", run.stderr);
                        let mut all = Vec::new();
                        collect(&cx.path().join(out), &mut all);
                        all
                    };
                    let before = build(text, "before");
                    let after = build(&changed(text, &main, &action), "after");
                    cx.write(name, text);
                    // One parameter more is another template that deploys the same.
                    if action["title"] != "Extract to `param`" {
                        assert_eq!(before, after, "{folder:?} {action}");
                    }
                    std::fs::remove_dir_all(cx.path().join("before")).unwrap();
                    std::fs::remove_dir_all(cx.path().join("after")).unwrap();
                }
            }
        }
        assert_eq!(editor.finish(), 0);
    }
    assert!(offered > 20, "only {offered} were offered");
}

/// The texts of the templates and parameter files below a folder, in the order of their names.
fn collect(folder: &std::path::Path, all: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, all);
        } else if !path.ends_with("sourcemap.json") {
            all.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}
