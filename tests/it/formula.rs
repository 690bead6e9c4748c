//! `dsvmc formula`.

use crate::support::TestContext;

const TASKS: &str = "// Follows the tasks.\n$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n\
    $tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : avg($PendingTasks.GetSample(TimeInterval_Minute * 5));\n\
    $TargetDedicatedNodes = max(0, min(8, ($tasks + 3) / 4));\n$NodeDeallocationOption = taskcompletion;\n";

#[test]
fn a_good_formula_is_checked_and_evaluated() {
    let cx = TestContext::new();
    cx.write("scale.txt", TASKS);
    let checked = cx.run("formula check scale.txt");
    assert_eq!(checked.text(), "exit: 0\n--- stdout\n--- stderr\nno mistakes found in the formula\n");
    cx.write(
        "pool.json",
        r#"{"now": "2026-11-23T12:00:00Z", "samples": {"$PendingTasks": [9, 9, 9, 9, 9, 9, 9, 9, 9, 9]}}"#,
    );
    let evaluated = cx.run("formula eval scale.txt --samples pool.json");
    assert_eq!(
        evaluated.stdout,
        "$TargetDedicatedNodes=3;\n$TargetLowPriorityNodes=0;\n$NodeDeallocationOption=taskcompletion;\n$samples=100;\n$tasks=9\n"
    );
    let empty = cx.run("formula eval scale.txt --at 2026-11-23T12:00:00Z --json");
    let json: serde_json::Value = serde_json::from_str(&empty.stdout).unwrap();
    assert_eq!(json["targetDedicatedNodes"], 0);
    assert_eq!(json["variables"]["$samples"], "0");
}

#[test]
fn a_mistake_is_underlined_in_the_formula() {
    let cx = TestContext::new();
    cx.write("scale.txt", "// Too many.\n$TargetDedicatedNodes = $PendingTask.GetSample(1);\n");
    let ran = cx.run("formula check scale.txt");
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("error[DSVM0382]: there is no variable `$PendingTask`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("scale.txt:2:25"), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean `$PendingTasks`?"), "{}", ran.stderr);
    assert_eq!(cx.run("formula eval scale.txt").exit, 1);
}

#[test]
fn an_evaluation_that_fails_says_where_and_why() {
    let cx = TestContext::new();
    cx.write(
        "scale.txt",
        "$TargetDedicatedNodes = min(4, avg($PendingTasks.GetSample(TimeInterval_Minute * 5, 70)));\n",
    );
    let ran = cx.run("formula eval scale.txt --at 2026-11-23 -q");
    assert_eq!(ran.exit, 1);
    assert!(
        ran.stderr.ends_with(
            "error: the evaluation fails, and the pool keeps its size (InsufficientSampleData)\n  \
             = Line 1, Col 36: Insufficient data from data set: $PendingTasks wanted 70%, received 0%\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(cx.run("formula eval scale.txt --at soon").exit, 1);
    cx.write("pool.json", "{ now }");
    assert_eq!(cx.run("formula eval scale.txt --samples pool.json").exit, 1);
    assert_eq!(cx.run("formula check nowhere.txt").exit, 3);
}
