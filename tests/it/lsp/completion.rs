//! What can be written at a place, also in files that are broken because somebody writes in them.

use super::client::{Editor, edited, place, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

const COMMON: &str = "export let many = 3\nlet hidden = 4\nexport share kept { quota = 1 TiB, mount = \"/kept\" }\n";

struct World {
    editor: Editor,
    main: String,
    version: i64,
    /// Lives as long as the server works in it.
    _folder: TestContext,
}

impl World {
    fn new() -> Self {
        let cx = TestContext::new();
        cx.write("common.dsvm", COMMON);
        let mut editor = Editor::open(&cx);
        let main = uri(&cx, "main.dsvm");
        editor.show(&main, "");
        Self { editor, main, version: 1, _folder: cx }
    }

    /// The items at `|`.
    fn items(&mut self, marked: &str) -> Vec<Value> {
        self.version += 1;
        self.editor.replace(&self.main, self.version, &marked.replacen('|', "", 1));
        let before = &marked[..marked.find('|').unwrap()];
        let position = json!({
            "line": before.matches('\n').count(),
            "character": before.rsplit('\n').next().unwrap().encode_utf16().count(),
        });
        let request = json!({ "textDocument": { "uri": self.main }, "position": position });
        self.editor.result("textDocument/completion", request)["items"].as_array().unwrap().clone()
    }

    fn labels(&mut self, marked: &str) -> Vec<String> {
        let mut items = self.items(marked);
        items.sort_by_key(|item| item["sortText"].as_str().unwrap().to_owned());
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// The text after an item was taken.
    fn taken(&mut self, marked: &str, label: &str) -> String {
        let items = self.items(marked);
        let item = items.iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("no {label}: {items:?}"));
        edited(&marked.replacen('|', "", 1), &json!([item["textEdit"]]))
    }
}

#[test]
fn declarations_are_offered_at_top_level() {
    let mut world = World::new();
    let labels = world.labels("let a = 1\npo|\nlet b = \n");
    for label in ["pool", "share", "project", "param", "test"] {
        assert!(labels.contains(&label.to_owned()), "{label}: {labels:?}");
    }
    assert!(!labels.contains(&"autoscale_rule".to_owned()) && !labels.contains(&"admin".to_owned()));
    assert_eq!(world.taken("let a = 1\npo|\n", "pool"), "let a = 1\npool\n");
    assert_eq!(world.labels("pool team: |"), ["interactive", "batch"]);
    let types = world.labels("type Mine = int\nparam a: |\n");
    assert_eq!(types[0], "Mine");
    assert!(types.contains(&"duration".to_owned()));
}

#[test]
fn fields_that_are_not_written_yet_are_offered_with_their_documentation() {
    let mut world = World::new();
    let text = "share a {\n  protocol = smb\n  |\n  quota = 1 TiB\n  link \"~/a\" to \"b\"\n}\n";
    let labels = world.labels(text);
    assert_eq!(labels[0], "mount");
    assert!(labels.contains(&"tier".to_owned()) && labels.contains(&"link".to_owned()));
    assert!(!labels.contains(&"protocol".to_owned()) && !labels.contains(&"quota".to_owned()));
    let items = world.items(text);
    let mount = items.iter().find(|item| item["label"] == "mount").unwrap();
    assert_eq!(mount["detail"], "mount: string");
    assert!(mount["documentation"]["value"].as_str().unwrap().contains("an absolute path"));
    // The word that is being typed is no field that is written, wherever the file breaks.
    assert_eq!(
        world.taken("share a {\n  mou|\n\npool b: batch {\n", "mount"),
        "share a {\n  mount = \n\npool b: batch {\n"
    );
    assert!(world.labels("pool b: batch {\n  |").contains(&"task_slots".to_owned()));
    assert!(!world.labels("pool b: interactive {\n  |").contains(&"task_slots".to_owned()));
    // One `admin` can be in a pool.
    let labels = world.labels("pool b: interactive {\n  admin { name = \"a\" }\n  |\n}\n");
    assert!(!labels.contains(&"admin".to_owned()) && labels.contains(&"user".to_owned()));
}

#[test]
fn values_of_the_wanted_kind_come_first() {
    let mut world = World::new();
    assert_eq!(world.labels("share a {\n  protocol = |\n}\n")[..2], ["smb", "nfs"]);
    let text = "import std.images\nimport \"./common.dsvm\" as common\nlet n = 1\nshare s { }\npool a: interactive {\n";
    let labels = world.labels(&format!("{text}  shares = [|]\n}}\n"));
    assert_eq!(labels[..2], ["common.kept", "s"]);
    let labels = world.labels(&format!("{text}  image = |\n}}\n"));
    assert!(labels[0].starts_with("images."), "{labels:?}");
    assert!(labels.contains(&"images.ubuntu_2204".to_owned()) && !labels.contains(&"images.ubuntu_2004".to_owned()));
    assert!(labels.contains(&"n".to_owned()) && labels.contains(&"length".to_owned()));
    // Nothing imports the sizes: a size is known by its bare name.
    let labels = world.labels(&format!("{text}  size = Standard_D4|\n}}\n"));
    assert!(labels.contains(&"Standard_D4s_v5".to_owned()), "{labels:?}");
    let taken = world.taken(&format!("{text}  image = images.ubu|\n}}\n"), "ubuntu_2204");
    assert_eq!(taken, format!("{text}  image = images.ubuntu_2204\n}}\n"));
    assert_eq!(world.labels("import \"./common.dsvm\" as common\nlet a = common.|\n"), ["kept", "many"]);
    assert_eq!(world.labels("import { | } from \"./common.dsvm\"\n"), ["kept", "many"]);
    assert!(world.labels("share s { }\noutput o = s.|\n").contains(&"host".to_owned()));
    assert!(world.labels("network n { }\nproject p { }\noutput o = project.|\n").contains(&"tenant_id".to_owned()));
}

#[test]
fn modules_envs_and_parameters_are_offered() {
    let mut world = World::new();
    assert!(world.labels("import std.|\n").contains(&"images".to_owned()));
    assert_eq!(world.taken("import |\n", "std.sizes"), "import std.sizes\n");
    assert_eq!(world.labels("param a: int\nparam b: int\nenv prod {\n  |\n}\n"), ["a", "b"]);
    assert_eq!(world.labels("env dev { }\nenv prod { }\ntest \"t\" {\n  env = |\n}\n"), ["dev", "prod"]);
    assert!(world.labels("test \"t\" {\n  |\n}\n").contains(&"expect".to_owned()));
    for nothing in ["// |", "let a = \"|\"\n", "project p { tags = { | } }\n", "let |\n"] {
        assert_eq!(world.labels(nothing), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn what_is_taken_can_be_compiled() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    let text = "project p { location =  }\n";
    editor.show(&main, text);
    let at = json!({ "line": 0, "character": 23 });
    let request = json!({ "textDocument": { "uri": main }, "position": at });
    let items = editor.result("textDocument/completion", request);
    let regions: Vec<&Value> = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["sortText"].as_str().unwrap().starts_with('0'))
        .collect();
    assert!(regions.len() > 20);
    for (item, version) in regions.iter().step_by(9).zip(2..) {
        editor.replace(&main, version, &edited(text, &json!([item["textEdit"]])));
        let errors = editor.diagnostics(&main, Some(version));
        assert!(errors.iter().all(|found| found["severity"] != 1), "{item}: {errors:?}");
    }
    assert_eq!(editor.finish(), 0);
}

#[test]
fn bodies_in_arms_own_words_are_completed_from_its_types() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "");
    let mut version = 1;
    let mut offered = |marked: &str| {
        version += 1;
        let text = marked.replacen('|', "", 1);
        editor.replace(&main, version, &text);
        let list = editor.result("textDocument/completion", place(&main, &text, marked));
        list["items"].as_array().unwrap().clone()
    };
    let logs = "let a = 1\nresource logs: \"Microsoft.OperationalInsights/workspaces@2025-07-01\" {\n  ";
    let all = offered(&format!("{logs}name = \"x\"\n  |\n}}\n"));
    let labels: Vec<&str> = all.iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert!(
        labels.contains(&"properties") && labels.contains(&"resource_group") && !labels.contains(&"name"),
        "{labels:?}"
    );
    let days = offered(&format!("{logs}properties = {{ ret|"));
    let days = days.iter().find(|item| item["label"] == "retentionInDays").unwrap();
    assert_eq!((&days["detail"], &days["textEdit"]["newText"]), (&json!("int"), &json!("retentionInDays = ")));
    let sku = offered(&format!("{logs}properties = {{ sku = {{ name = \"|"));
    let sku = sku.iter().find(|item| item["label"] == "PerGB2018").unwrap();
    assert_eq!((&sku["textEdit"]["newText"], &sku["filterText"]), (&json!("\"PerGB2018\""), &json!("\"PerGB2018\"")));
    let types = offered("resource logs: \"Microsoft.Op|\" { }\n");
    assert!(
        types
            .iter()
            .any(|item| item["label"].as_str().unwrap().starts_with("Microsoft.OperationalInsights/workspaces@"))
    );
    let over = offered("pool a: interactive {\n  override scale_set {\n    properties = { orchestrationMode = |\n");
    assert!(over.iter().any(|item| item["label"] == "Flexible"));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn of_very_many_names_those_are_offered_that_can_be_meant() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    let many: String = (0..1000).map(|n| format!("let name_{n} = {n}\n")).collect();
    let text = format!("{many}let x = name_99");
    editor.show(&main, &text);
    let list = editor.result("textDocument/completion", place(&main, &text, "= name_99|"));
    assert_eq!(list["isIncomplete"], true);
    let items = list["items"].as_array().unwrap();
    let has = |label: &str| items.iter().any(|item| item["label"] == label);
    assert!(has("name_99") && has("name_999") && !has("name_10"));
    let few = "let name_1 = 1\nlet x = na";
    editor.replace(&main, 2, few);
    let list = editor.result("textDocument/completion", place(&main, few, "= na|"));
    assert_eq!(list["isIncomplete"], false);
    assert_eq!(editor.finish(), 0);
}
