//! Every example that stands alone, applied and planned again: nothing is left to do, whatever types it emits.

use crate::support::TestContext;
use std::collections::BTreeSet;
use std::path::Path;

/// These refer to things that somebody else made: there is nothing to apply them to.
pub const ON_WHAT_EXISTS: [&str; 2] = ["04-existing-network-and-vault", "13-migrated-batch-ai"];

#[test]
fn a_plan_after_an_apply_is_empty_for_every_example() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(path.join("main.dsvm")) else { continue };
        if ON_WHAT_EXISTS.contains(&name.as_str()) {
            continue;
        }
        let cx = TestContext::new();
        for file in std::fs::read_dir(&path).unwrap().map(|f| f.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "dsvm") {
                cx.write(&file.file_name().unwrap().to_string_lossy(), &std::fs::read_to_string(&file).unwrap());
            }
        }
        let mut envs = text.lines().filter_map(|l| l.strip_prefix("env ")).filter_map(|l| l.split_whitespace().next());
        let env = envs.next_back().map(|e| format!("--env {e}")).unwrap_or_default();
        let plan = cx.run(&format!("plan --as-of 2026-11-23 --format json {env} ."));
        let json: serde_json::Value =
            serde_json::from_str(&plan.stdout).unwrap_or_else(|_| panic!("{name}\n{}", plan.text()));
        assert_eq!(super::schema::errors(&json), Vec::<String>::new(), "{name}");
        let changes = json["changes"].as_array().unwrap();
        kinds.extend(changes.iter().map(|c| c["type"].as_str().unwrap().to_owned()));
        // Each resource of a project leads to a line of it.
        assert!(changes.iter().all(|c| c["source"]["line"].as_u64().is_some()), "{name}");
        let applied = cx.run(&format!("apply --as-of 2026-11-23 --yes {env} ."));
        assert_eq!(applied.exit, 0, "{name}\n{}", applied.text());
        let again = cx.run(&format!("plan --as-of 2026-11-23 --detailed-exitcode {env} ."));
        assert_eq!(again.exit, 0, "{name}\n{}", again.text());
        count += 1;
    }
    assert!(count >= 8 && kinds.len() >= 20, "{count} examples, {kinds:?}");
}
