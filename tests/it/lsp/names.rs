//! Names: what is said about them, where they are declared and used, and new ones for them.

use super::client::{Editor, edited, place, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const MAIN: &str = "\
import std.images
// Sizes are known by their names.
import \"./common.dsvm\" as common
import { count } from \"./common.dsvm\"

project p { location = westeurope }

/// Who pays.
param owner: string = \"us\"

env prod { owner = \"them\" }

/// Everything that people keep.
share notes {
  quota = 1 TiB
  mount = \"/data\"
}

/// What the team works on.
pool team: interactive {
  image    = images.ubuntu_2204
  size     = Standard_D4s_v5
  machines = count
  shares   = [notes]
  admin { name = \"dsvmuser\", key = common.key }
  allow ssh from any
  tags     = { who = \"by ${owner}\" }
}

output where = notes.id
output all = length(keys(pools)) + length(pools.team.tags)
output many = [length(x) for x in [owner]]

test \"they pay\" {
  env = prod
  given { owner = \"x\" }
  expect owner == \"x\"
}
";

const COMMON: &str = "\
/// How many machines.
export let count = 4

export let key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\"
";

struct World {
    cx: TestContext,
    editor: Editor,
    main: String,
    common: String,
}

fn world() -> World {
    let cx = TestContext::new();
    cx.write("main.dsvm", MAIN);
    cx.write("common.dsvm", COMMON);
    cx.write("dsvmc.toml", "[lint]\nsensitive-port-open = \"off\"\n");
    let mut editor = Editor::open(&cx);
    let (main, common) = (uri(&cx, "main.dsvm"), uri(&cx, "common.dsvm"));
    editor.show(&main, MAIN);
    assert_eq!(editor.diagnostics(&main, Some(1)), Vec::<Value>::new());
    World { cx, editor, main, common }
}

impl World {
    fn hover(&mut self, marked: &str) -> String {
        let request = place(&self.main, MAIN, marked);
        let result = self.editor.result("textDocument/hover", request);
        result["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// `file range` of each location.
    fn locations(&self, found: &Value) -> Vec<String> {
        let show = |location: &Value| {
            let file = location["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            format!("{file} {}", shown(&location["range"]))
        };
        found.as_array().unwrap().iter().map(show).collect()
    }

    fn definition(&mut self, marked: &str) -> Vec<String> {
        let request = place(&self.main, MAIN, marked);
        let found = self.editor.result("textDocument/definition", request);
        self.locations(&found)
    }

    fn references(&mut self, marked: &str, declaration: bool) -> Vec<String> {
        let mut request = place(&self.main, MAIN, marked);
        request["context"] = json!({ "includeDeclaration": declaration });
        let found = self.editor.result("textDocument/references", request);
        self.locations(&found)
    }
}

#[test]
fn hovering_shows_what_is_known() {
    let mut world = world();
    assert_eq!(world.hover("[no|tes]"), "```dsvm\nshare notes\n```\n\nEverything that people keep.");
    assert_eq!(world.hover("by ${own|er}"), "```dsvm\nparam owner: string = \"us\"\n```\n\nWho pays.");
    assert_eq!(world.hover("= cou|nt"), "```dsvm\nexport let count = 4\n```\n\nHow many machines.");
    let share = world.hover("sha|re notes");
    assert!(share.starts_with("```dsvm\nshare NAME { … }\n```\n\nA file share"), "{share}");
    assert!(share.contains("Required: `mount`."), "{share}");
    let quota = world.hover("quo|ta = 1");
    assert!(quota.starts_with("```dsvm\nquota: size\n```\n\nCapacity, whole GiB."), "{quota}");
    assert!(quota.ends_with("A field of `share`."), "{quota}");
    let image = world.hover("images.ubuntu|_2204");
    assert!(image.starts_with("```dsvm\nexport image ubuntu_2204\n```\n\nData Science Virtual Machine"), "{image}");
    assert!(image.contains("Source: azure-ai-docs release notes"), "{image}");
    assert!(image.contains(", 2026-11-23, certainty A"), "{image}");
    assert!(image.ends_with("From `std.images`."), "{image}");
    // A fact of the library is known by its bare name where its kind is wanted.
    assert!(world.hover("Standard_D4|s_v5").contains("From `std.sizes`."));
    assert!(world.hover("location = west|europe").contains("From `std.regions`."));
    assert!(world.hover("notes.i|d").starts_with("```dsvm\nid: string\n```\n\nResource id of the share."));
    assert!(world.hover("len|gth(keys").starts_with("```dsvm\nlength("));
    assert!(world.hover("import std.ima|ges").starts_with("```dsvm\nimport std.images\n```\n\nImages that pools"));
    assert_eq!(world.hover("env pr|od"), "```dsvm\nenv prod\n```");
    assert_eq!(world.hover("ssh fr|om any"), "");
    assert_eq!(world.editor.finish(), 0);
}

#[test]
fn names_lead_to_their_declarations() {
    let mut world = world();
    assert_eq!(world.definition("[no|tes]"), ["main.dsvm 13:6-13:11"]);
    assert_eq!(world.definition("= cou|nt"), ["common.dsvm 1:11-1:16"]);
    assert_eq!(world.definition("common.ke|y"), ["common.dsvm 3:11-3:14"]);
    assert_eq!(world.definition("pools.tea|m"), ["main.dsvm 19:5-19:9"]);
    assert_eq!(world.definition("env = pr|od"), ["main.dsvm 10:4-10:8"]);
    assert_eq!(world.definition("given { own|er"), ["main.dsvm 8:6-8:11"]);
    assert_eq!(world.definition("length(|x)"), ["main.dsvm 31:29-31:30"]);
    assert_eq!(world.definition("\"./common|.dsvm\""), ["common.dsvm 0:0-0:0"]);
    assert_eq!(world.definition("ssh fr|om any"), Vec::<String>::new());
    // The copy of the standard library is a file like any other, and says what the compiler knows.
    let request = place(&world.main, MAIN, "images.ubuntu|_2204");
    let found = world.editor.result("textDocument/definition", request);
    let path = found[0]["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert!(path.starts_with(&*world.cx.path().to_string_lossy()) && path.ends_with("/images.dsvm"), "{path}");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = found[0]["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(text.lines().nth(line).unwrap().starts_with("export image ubuntu_2204 "));
    assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
    // Opened, it has no mistakes, and names in it are known.
    let library = format!("file://{path}");
    world.editor.show(&library, &text);
    assert_eq!(world.editor.diagnostics(&library, Some(1)), Vec::<Value>::new());
    let request = place(&library, &text, "export ima|ge ubuntu_2204 ");
    let hover = world.editor.result("textDocument/hover", request);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("image NAME"), "{hover}");
    let mut request = place(&library, &text, "export image ubun|tu_2204 ");
    request["newName"] = json!("other");
    assert_eq!(world.editor.ask("textDocument/rename", request)["error"]["code"], -32803);
    assert_eq!(world.editor.finish(), 0);
}

#[test]
fn uses_are_found_in_all_files() {
    let mut world = world();
    assert_eq!(
        world.references("param own|er", true),
        [
            "main.dsvm 8:6-8:11",
            "main.dsvm 10:11-10:16",
            "main.dsvm 26:27-26:32",
            "main.dsvm 31:35-31:40",
            "main.dsvm 35:10-35:15",
            "main.dsvm 36:9-36:14",
        ]
    );
    assert_eq!(world.references("share no|tes", false), ["main.dsvm 23:14-23:19", "main.dsvm 29:15-29:20"]);
    assert_eq!(
        world.references("= cou|nt", true),
        ["common.dsvm 1:11-1:16", "main.dsvm 3:9-3:14", "main.dsvm 22:13-22:18"]
    );
    assert_eq!(world.editor.finish(), 0);
}

#[test]
fn a_name_is_changed_wherever_it_is_used() {
    let mut world = world();
    let request = place(&world.main, MAIN, "= cou|nt");
    let prepared = world.editor.result("textDocument/prepareRename", request.clone());
    assert_eq!((shown(&prepared["range"]).as_str(), &prepared["placeholder"]), ("22:13-22:18", &json!("count")));
    let mut rename = |marked: &str, new: &str| {
        let mut request = place(&world.main, MAIN, marked);
        request["newName"] = json!(new);
        world.editor.ask("textDocument/rename", request)
    };
    let changes = rename("= cou|nt", "machines_of_all")["result"]["changes"].clone();
    let common = edited(COMMON, &changes[&world.common]);
    let main = edited(MAIN, &changes[&world.main]);
    assert_eq!(common, COMMON.replace("let count", "let machines_of_all"));
    assert_eq!(main, MAIN.replace("{ count }", "{ machines_of_all }").replace("= count", "= machines_of_all"));
    let refusals = [
        ("images.ubuntu|_2204", "other", "names of the standard library cannot be changed"),
        ("quo|ta = 1", "other", "words of the language cannot be changed"),
        ("length(|x)", "other", "only what a project declares at top level can be renamed"),
        ("ssh fr|om any", "other", "there is no name here that can be changed"),
        ("= cou|nt", "2x", "`2x` is not a name: letters, digits and `_`, a letter first"),
        ("= cou|nt", "notes", "`notes` is used already"),
        ("= cou|nt", "true", "with `true` the project would have other mistakes than now"),
        ("= cou|nt", "nfs", "`nfs` is a word of the language"),
    ];
    for (marked, new, wanted) in refusals {
        let answer = rename(marked, new);
        assert_eq!(
            (answer["error"]["code"].as_i64(), answer["error"]["message"].as_str()),
            (Some(-32803), Some(wanted))
        );
    }
    assert_eq!(world.editor.finish(), 0);
}

fn copy(from: &Path, to: &Path, found: &mut Vec<PathBuf>) {
    std::fs::create_dir_all(to).unwrap();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target, found);
        } else {
            std::fs::copy(&entry, &target).unwrap();
            if target.extension().is_some_and(|end| end == "dsvm") {
                found.push(target);
            }
        }
    }
}

/// Every name that the examples declare can be changed: the server compiles the result, and compares.
#[test]
fn every_name_of_the_examples_can_be_changed() {
    let cx = TestContext::new();
    let mut files = Vec::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), cx.path(), &mut files);
    let mut editor = Editor::open(&cx);
    let mut renamed = 0;
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let document = uri(&cx, &path.strip_prefix(cx.path()).unwrap().to_string_lossy());
        editor.show(&document, &text);
        let symbols = editor.result("textDocument/documentSymbol", json!({ "textDocument": { "uri": document } }));
        for symbol in symbols.as_array().unwrap() {
            if matches!(symbol["detail"].as_str().unwrap(), "project" | "test") {
                continue;
            }
            let position = &symbol["selectionRange"]["start"];
            let request = json!({ "textDocument": { "uri": document }, "position": position, "newName": "zq1" });
            let answer = editor.ask("textDocument/rename", request);
            assert!(answer.get("error").is_none(), "{}: {}: {answer}", path.display(), symbol["name"]);
            renamed += 1;
        }
        editor.close(&document);
    }
    assert!(renamed > 40, "{renamed}");
    assert_eq!(editor.finish(), 0);
}

/// Nothing that an editor asks about any place of an example is an error, and the same question has the same answer.
#[test]
fn every_place_can_be_asked_about() {
    let cx = TestContext::new();
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/05-two-environments/main.dsvm"));
    let text = text.unwrap_or_else(|_| MAIN.to_owned());
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, &text);
    for (line, content) in text.lines().enumerate() {
        for column in (0..=content.len()).step_by(3) {
            let at = json!({ "textDocument": { "uri": main }, "position": { "line": line, "character": column } });
            let methods = ["hover", "definition", "completion"];
            for method in methods.map(|method| format!("textDocument/{method}")) {
                let first = editor.result(&method, at.clone());
                assert_eq!(first, editor.result(&method, at.clone()), "{method} {line}:{column}");
            }
        }
    }
    assert_eq!(editor.finish(), 0);
}
