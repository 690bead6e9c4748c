//! `dsvmc simulate`: pools of projects under workloads, as text, JSON, CSV and SVG.

use crate::support::{Ran, TestContext};
use serde_json::Value;

const PROJECT: &str = r#"
import std.images
import std.sizes

project lab { location = westeurope }

param most: int in 1..50
param key: ssh_key

env dev { most = 2 }
env prod { most = 9 }

pool team: interactive {
  image = images.ubuntu_2204
  size = sizes.Standard_D4s_v5
  machines = 1..most initially 1
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24]
  autoscale { timezone = "W. Europe Standard Time"
    when avg(cpu, 10 min) > 70% { add 1, cooldown 10 min }
    when avg(cpu, 10 min) < 25% { remove 1, cooldown 10 min } }
}

pool nodes: batch {
  service = azure_ml
  size = sizes.Standard_D4s_v5
  machines = 0..most
}
"#;

fn place() -> TestContext {
    let cx = TestContext::new();
    cx.write("main.dsvm", PROJECT);
    cx
}

fn figures(ran: &Ran, pool: &str, env: &str) -> Value {
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut pools = data["pools"].as_array().unwrap().iter();
    pools.find(|one| one["pool"] == pool && one["env"] == env).unwrap()["figures"].clone()
}

const OFFICE: &str = "office of 30";
const CLASS: &str = "class of 30 at 09:00 mon..fri for 2 h";

fn run(cx: &TestContext, more: &[&str]) -> Ran {
    // A day of its own comes last and counts.
    let first = if more.contains(&"--from") { "simulate" } else { "simulate --from 2026-11-30" };
    cx.ran(cx.command(first).args(more))
}

#[test]
fn a_larger_range_of_machines_makes_room() {
    let cx = place();
    let ran = run(&cx, &["--workload", OFFICE, "--format", "json", "--pool", "team"]);
    let (dev, prod) = (figures(&ran, "team", "dev"), figures(&ran, "team", "prod"));
    assert_eq!((&dev["machines"]["most"], &dev["served"]), (&2.into(), &150.into()));
    assert!(prod["machines"]["most"].as_u64() > Some(2));
    let number = |of: &Value, key: &str| of[key].as_u64().unwrap();
    assert!(number(&prod, "crowded_minutes") < number(&dev, "crowded_minutes"));
    assert!(number(&prod, "machine_minutes") > number(&dev, "machine_minutes"));
    // The same seed, the same result; another one, another.
    assert_eq!(run(&cx, &["--workload", OFFICE, "--format", "json", "--pool", "team"]).stdout, ran.stdout);
    let other = run(&cx, &["--workload", OFFICE, "--format", "json", "--pool", "team", "--seed", "2"]);
    assert_ne!(other.stdout, ran.stdout);
}

#[test]
fn the_paid_hours_have_a_price_with_its_source_or_none() {
    let cx = place();
    let more = ["--workload", CLASS, "--format", "json", "--pool", "team", "--env", "prod"];
    let data: Value = serde_json::from_str(&run(&cx, &more).stdout).unwrap();
    let (cost, figures) = (&data["pools"][0]["machine_cost"], &data["pools"][0]["figures"]);
    // Standard_D4s_v5 in westeurope on 22 August 2026: 0.23 USD an hour.
    assert_eq!(
        (&cost["per_hour"], &cost["region"], &cost["date"]),
        (&"0.23".into(), &"westeurope".into(), &"2026-08-22".into())
    );
    let cents = (figures["machine_minutes"].as_u64().unwrap() * 23 + 30) / 60;
    assert_eq!(cost["amount"], format!("{}.{:02}", cents / 100, cents % 100));
    cx.write("main.dsvm", &PROJECT.replace("project lab { location = westeurope }", "project lab { }"));
    let data: Value = serde_json::from_str(&run(&cx, &more).stdout).unwrap();
    assert_eq!(data["pools"][0]["machine_cost"], Value::Null);
}

#[test]
fn a_cluster_starts_for_jobs_of_a_file_and_is_empty_afterwards() {
    let cx = place();
    cx.write("jobs.csv", "arrival,duration,cores\n60,30,4\n60,30,4\n2026-12-01T00:00:00Z,10,1\n");
    let found = figures(
        &run(&cx, &["--workload", "jobs.csv", "--startup", "5", "--format", "json", "--env", "prod"]),
        "nodes",
        "prod",
    );
    assert_eq!((&found["machines"]["most"], &found["served"]), (&2.into(), &3.into()));
    assert_eq!(found["wait_minutes"]["worst"], 5);
    // Two nodes for 35 minutes and one for 15, each two more until it goes.
    assert_eq!(found["machine_minutes"], 2 * (5 + 30 + 2) + 5 + 10 + 2);
}

const BATCH: &str = r#"
import std.images
import std.sizes

project lab { location = westeurope }
param most: int in 1..50

env prod { most = 4 }
env open { }

pool nightly: batch {
  service = azure_batch
  image = images.ubuntu_hpc
  size = sizes.Standard_D8s_v5
  machines = 0..most
  task_slots = 4
  autoscale every 5 min { look_back = 15 min, on_removal = task_completion }
}
"#;

/// A metric as `az monitor metrics list -o json` prints it: on Monday 2019-05-06 from eight so much for an hour each.
fn recorded(hours: &[f64]) -> String {
    let data = hours.iter().enumerate().map(|(at, value)| {
        let time = format!("2019-05-06T{:02}:00:00Z", 8 + at);
        serde_json::json!({ "timeStamp": time, "average": value, "count": null })
    });
    let name = serde_json::json!({ "localizedValue": "Percentage CPU", "value": "Percentage CPU" });
    let series = serde_json::json!([{ "data": data.collect::<Vec<_>>(), "metadatavalues": [] }]);
    serde_json::json!({
        "cost": 59, "interval": "PT1H", "namespace": "Microsoft.Compute/virtualMachineScaleSets",
        "resourceregion": "westeurope", "timespan": "2019-05-06T08:00:00Z/2019-05-06T12:00:00Z",
        "value": [{ "name": name, "timeseries": series, "type": "Microsoft.Insights/metrics", "unit": "Percent" }],
    })
    .to_string()
}

#[test]
fn a_recorded_metric_is_the_load_of_the_machines_that_were_there() {
    let cx = place();
    cx.write("cpu.json", &recorded(&[50.0, 100.0, 0.0, 25.0]));
    let more = ["--pool", "team", "--env", "dev", "--format", "json", "--workload"];
    let found = figures(&run(&cx, &[&more[..], &["cpu.json of 2 machines"]].concat()), "team", "dev");
    // Eight cores: four, eight and two of them busy, in quarters that come and go.
    assert_eq!(found["served"], 16 + 16 + 8);
    // Two cores of four and of eight are busy from the begin: the first machine is full, so a second one starts.
    assert_eq!((&found["machines"]["most"], &found["people_interrupted"]), (&2.into(), &0.into()));
    let text = run(&cx, &["--pool", "team", "--env", "dev", "--workload", "cpu.json of 2 machines with 8 cores"]);
    assert!(text.stdout.contains("in 60 minutes of `cpu.json` the machines were full"), "{}", text.stdout);
    cx.write("was.csv", "time,machines\n2019-05-06T08:00:00Z,1\n2019-05-06T09:00:00Z,2\n");
    let found = figures(&run(&cx, &[&more[..], &["cpu.json of was.csv"]].concat()), "team", "dev");
    assert_eq!(found["served"], 8 + 24 + 8);
    for (workload, message) in [
        ("cpu.json", "how many machines `cpu.json` was recorded of is not clear"),
        ("cpu.json of no machines", "is not clear"),
        ("gone.json of 2 machines", "`gone.json` cannot be read"),
        ("cpu.json of gone.csv", "`gone.csv` cannot be read"),
    ] {
        let ran = run(&cx, &["--workload", workload]);
        assert!(ran.exit == 1 && ran.stderr.contains(message), "{workload}\n{}", ran.stderr);
    }
}

#[test]
fn a_log_of_sessions_is_a_workload() {
    let cx = place();
    cx.write(
        "log.csv",
        "user,login,logout\nann,2026-11-30T08:00:00Z,2026-11-30T09:00:00Z\nbob,2026-12-01T08:00:00Z,\n",
    );
    let found = figures(&run(&cx, &["--workload", "log.csv", "--format", "json"]), "team", "prod");
    assert_eq!((&found["served"], &found["waiting_at_the_end"]), (&1.into(), &0.into()));
    let ran = run(&cx, &["--workload", "log.csv", "--from", "2020-01-06"]);
    assert!(ran.exit == 1 && ran.stderr.contains("nobody comes from 2020-01-05 to 2020-01-12"), "{}", ran.stderr);
}

#[test]
fn the_formula_of_a_batch_pool_decides_about_its_machines() {
    let cx = TestContext::new();
    cx.write("main.dsvm", BATCH);
    let more = ["--workload", "batch of 20 at 02:00 daily for 30 min", "--startup", "5", "--format", "json"];
    let found = figures(&run(&cx, &[&more[..], &["--env", "prod"]].concat()), "nightly", "prod");
    // 20 jobs on four machines of four slots: one round begins after five minutes, the rest when the first jobs end.
    assert_eq!((&found["machines"]["least"], &found["machines"]["most"]), (&0.into(), &4.into()));
    assert_eq!((&found["served"], &found["jobs_interrupted"]), (&140.into(), &0.into()));
    assert_eq!(found["wait_minutes"]["p50"], 5);
    let worst = found["wait_minutes"]["worst"].as_u64().unwrap();
    assert!((5 + 24..=5 + 36).contains(&worst), "{worst}");
    let ran = run(&cx, &[&more[..], &["--env", "open"]].concat());
    assert!(ran.exit == 1 && ran.stderr.contains("its formula needs values that are known only at deployment"));
}

#[test]
fn a_formula_without_a_result_is_told_with_its_reason() {
    let cx = TestContext::new();
    let formula = "machines = 0..most\n  every = 5 min\n  formula = \"\"\"\n$TargetDedicatedNodes = min(4, max(1, avg($MemoryBytes.GetSample(TimeInterval_Minute * 5, 70))));\n\"\"\"";
    let typed = "machines = 0..most\n  task_slots = 4\n  autoscale every 5 min { look_back = 15 min, on_removal = task_completion }";
    cx.write("main.dsvm", &BATCH.replace(typed, formula));
    let ran = run(&cx, &["--workload", CLASS, "--env", "prod", "--days", "1"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    for part in ["gave no result 288 times", "$MemoryBytes wanted 70%, received 0%", "`$MemoryBytes` is not simulated"]
    {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
}

#[test]
fn a_picture_and_a_table_are_written_and_other_files_are_left_alone() {
    let cx = place();
    let more = ["--workload", CLASS, "--pool", "team", "--env", "prod", "--svg", "a.svg", "--csv", "a.csv"];
    let ran = run(&cx, &more);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .starts_with("team of lab, env prod  Standard_D4s_v5, 7 days from 2026-11-30 (W. Europe Standard Time)"),
        "{}",
        ran.stdout
    );
    assert!(cx.read("a.svg").starts_with("<svg ") && cx.read("a.svg").ends_with("</svg>\n"));
    let table = cx.read("a.csv");
    assert!(table.starts_with("project,env,pool,minute,time,machines,ready,tasks,waiting,cores_held\nlab,prod,team,0,2026-11-29T23:00:00Z,1,1,0,0,"));
    // Once more over what it wrote itself.
    assert_eq!(run(&cx, &more).exit, 0);
    cx.write("a.svg", "mine");
    let ran = run(&cx, &more);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("was not written by dsvmc"), "{}", ran.stderr);
    assert_eq!(cx.read("a.svg"), "mine");
}

#[test]
fn a_sweep_shows_what_no_other_choice_beats() {
    let cx = place();
    let more = [
        "--workload",
        CLASS,
        "--pool",
        "team",
        "--env",
        "prod",
        "--sweep",
        "high=50..90:20,low=10..60:25",
        "--format",
        "json",
    ];
    let data: Value = serde_json::from_str(&run(&cx, &more).stdout).unwrap();
    let tried = data["pools"][0]["tried"].as_array().unwrap();
    // low=60 crosses high=50; with high=90 it would be in the table, and does not compile.
    assert_eq!(tried.len(), 3 * 3 - 2);
    let numbers = |one: &Value| {
        let figures = &one["figures"];
        let number = |key: &str| figures[key].as_u64().unwrap();
        let hit = number("people_interrupted") + number("jobs_interrupted");
        [number("machine_minutes"), figures["wait_minutes"]["p95"].as_u64().unwrap(), number("crowded_minutes"), hit]
    };
    for one in tried {
        let beaten = tried.iter().any(|other| {
            let (a, b) = (numbers(other), numbers(one));
            a != b && a.iter().zip(&b).all(|(a, b)| a <= b)
        });
        assert_eq!(one["best"], !beaten);
    }
}

const SWEEP: &str = "high=60..90:10,low=10..25:5,cooldown=5..15:5,window=5..15:5";

/// The row of the table of a sweep, from its JSON.
fn row(cx: &TestContext, more: &[&str], number: u64) -> Value {
    let ran = run(cx, &[more, &["--format", "json"]].concat());
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut tried = data["pools"][0]["tried"].as_array().unwrap().iter();
    tried.find(|one| one["row"] == number).unwrap().clone()
}

#[test]
fn the_chosen_row_of_a_sweep_is_a_change_of_the_sources_with_that_outcome() {
    let cx = place();
    // One rule without a cooldown, and a schedule without rules of its own.
    let day = "schedule day { on mon..fri from 08:00 to 19:00, machines = 2..most }";
    cx.write("main.dsvm", &PROJECT.replace("{ add 1, cooldown 10 min }", &format!("{{ add 1 }}\n    {day}")));
    let more = ["--workload", OFFICE, "--pool", "team", "--env", "prod", "--sweep", SWEEP];
    let wanted = row(&cx, &more, 2);
    let before = cx.read("main.dsvm");
    let ran = run(&cx, &[&more[..], &["--choose", "2"]].concat());
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let choice = |name: &str| wanted["choice"][name].as_u64().unwrap();
    let (window, cooldown) = (choice("window"), choice("cooldown"));
    let rule = format!("avg(cpu, {window} min) > {}% {{ add 1, cooldown {cooldown} min }}", choice("high"));
    assert!(ran.stdout.contains(&format!("+    when {rule}")), "{}", ran.stdout);
    assert_eq!(cx.read("main.dsvm"), before);
    let ran = run(&cx, &[&more[..], &["--choose", "2", "--fix"]].concat());
    assert_eq!((ran.exit, ran.stderr.trim_end()), (0, "changed main.dsvm"));
    assert_eq!(cx.run("check").exit, 0);
    let after = run(&cx, &["--workload", OFFICE, "--format", "json"]);
    assert_eq!(figures(&after, "team", "prod"), wanted["figures"]);
}

#[test]
fn a_sweep_leaves_out_rows_that_do_not_compile() {
    let cx = place();
    let more = ["--pool", "team", "--env", "prod", "--workload", OFFICE, "--sweep", "window=2..12:5,low=20..65:15"];
    let ran = run(&cx, &[&more[..], &["--format", "json"]].concat());
    let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let tried = data["pools"][0]["tried"].as_array().unwrap();
    // Autoscale takes no window of two minutes, and a pool whose thresholds are close never shrinks.
    let rows: Vec<&Value> = tried.iter().filter(|one| !one["row"].is_null()).map(|one| &one["choice"]).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["window"] != 2 && row["low"] != 65), "{rows:?}");
    assert!(data["pools"][0]["notes"][0].as_str().unwrap().contains("the project does not compile: "), "{data}");
    for row in 1..=rows.len() {
        let ran = run(&cx, &[&more[..], &["--choose", &row.to_string()]].concat());
        assert_eq!(ran.exit, 0, "{row}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_choice_that_is_not_written_where_it_is_used_is_refused_with_the_reason() {
    let cx = place();
    let refused = |more: &[&str], reason: &str| {
        let ran = run(&cx, &[&["--workload", OFFICE, "--sweep", SWEEP][..], more].concat());
        assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("error[DSVM0908]") && ran.stderr.contains(reason), "{}", ran.stderr);
    };
    refused(&["--pool", "team", "--choose", "1"], "`--choose` is for one pool, and 2 are simulated");
    refused(&["--pool", "team", "--env", "prod", "--choose", "99"], "the table has no row 99");
    let named = PROJECT.replace("> 70%", "> full").replace("param most", "let full = 70%\nparam most");
    cx.write("main.dsvm", &named);
    refused(&["--pool", "team", "--env", "prod", "--choose", "1"], "a threshold is written as `full`");
    assert_eq!(cx.read("main.dsvm"), named);
}

#[test]
fn other_sizes_are_tried_and_the_chosen_one_is_a_change_of_the_sources() {
    let cx = place();
    let large = PROJECT.replace(
        "sizes.Standard_D4s_v5\n  machines = 1..most initially 1",
        "sizes.Standard_D16s_v5\n  machines = 1..4 initially 1",
    );
    cx.write("main.dsvm", &large);
    let more = ["--workload", OFFICE, "--pool", "team", "--env", "prod", "--sizes"];
    let ran = run(&cx, &[&more[..], &["--format", "json"]].concat());
    let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let (now, tried) = (&data["pools"][0], data["pools"][0]["tried"].as_array().unwrap());
    let cents = |text: &Value| text.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
    assert!(tried.len() > 8, "{}", tried.len());
    for one in tried {
        // Only what has a price, and never more than the pool has today.
        assert!(cents(&one["machine_cost"]) > 0);
        assert!(one["figures"]["machines"]["most"].as_u64() <= one["choice"]["machines_most"].as_u64());
    }
    let cheaper = tried.iter().filter(|one| cents(&one["machine_cost"]) < cents(&now["machine_cost"]["amount"]));
    assert!(cheaper.count() > 0);
    let wanted = row(&cx, &more, 1);
    let ran = run(&cx, &[&more[..], &["--choose", "1", "--fix"]].concat());
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(cx.read("main.dsvm").contains(&format!("sizes.{}", wanted["choice"]["size"].as_str().unwrap())));
    let after = run(&cx, &["--workload", OFFICE, "--pool", "team", "--env", "prod", "--format", "json"]);
    assert_eq!(figures(&after, "team", "prod"), wanted["figures"]);
    // A range with a parameter stays as it is.
    cx.write("main.dsvm", PROJECT);
    let ran = run(&cx, &more);
    assert!(
        ran.stdout.contains("numbers of machines as they are: its number of machines is written as `most`"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let ran = run(&cx, &["--workload", OFFICE, "--sizes"]);
    assert!(ran.exit == 1 && ran.stderr.contains("`--sizes` is for one pool, and 4 are simulated"), "{}", ran.stderr);
}

#[test]
fn two_sources_and_two_pools_are_shown_side_by_side() {
    let cx = place();
    let more = ["--workload", OFFICE, "--env", "prod", "--format", "json"];
    let compared = |more: &[&str]| {
        let ran = run(&cx, more);
        assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["compared"].clone()
    };
    cx.write("old/main.dsvm", &PROJECT.replace("> 70%", "> 90%").replace("D4s_v5", "D8s_v5"));
    let pairs = compared(&[&["main.dsvm", "--pool", "team", "--against", "old"][..], &more].concat());
    let [pair] = pairs.as_array().unwrap().as_slice() else { panic!("{pairs}") };
    let number = |at: usize| pair["sides"][at]["figures"]["machine_minutes"].as_i64().unwrap();
    assert_eq!((&pair["sides"][0]["name"], &pair["sides"][0]["size"]), (&"old".into(), &"Standard_D8s_v5".into()));
    assert_eq!(pair["difference"]["machine_minutes"], number(1) - number(0));
    let ran = run(&cx, &["old", "--workload", OFFICE, "--env", "prod", "--format", "json"]);
    assert_eq!(figures(&ran, "team", "prod")["machine_minutes"], number(0));
    let pairs = compared(&[&["main.dsvm", "--pool", "team", "--pool", "nodes"][..], &more].concat());
    assert_eq!((&pairs[0]["sides"][0]["name"], &pairs[0]["sides"][1]["name"]), (&"team".into(), &"nodes".into()));
    let text = run(&cx, &["main.dsvm", "--pool", "team", "--against", "old", "--workload", OFFICE, "--env", "prod"]);
    for part in ["team of lab, env prod, under the same workload", "old", "here", "difference", "cost in USD"] {
        assert!(text.stdout.contains(part), "{part}\n{}", text.stdout);
    }
    cx.write("old/main.dsvm", "pool team: interactive { }");
    let ran = run(&cx, &["main.dsvm", "--workload", OFFICE, "--against", "old"]);
    assert!(ran.exit == 1 && ran.stderr.contains("the sources of `old` do not compile"), "{}", ran.stderr);
    let ran = run(&cx, &["main.dsvm", "--workload", OFFICE, "--against", "no-such-commit"]);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
}

#[test]
fn spot_machines_are_evicted_and_checkpoints_save_work() {
    let cx = place();
    let spot = PROJECT.replace("  service = azure_ml", "  service = azure_ml\n  priority = spot").replace(
        "  autoscale { timezone",
        "  priority = spot\n  spot { on_eviction = delete }\n  autoscale { timezone",
    );
    cx.write("main.dsvm", &spot);
    let jobs = ["--env", "prod", "--workload", "batch of 40 at 02:00 daily for 3 h with 4 cores", "--format", "json"];
    let nodes = |more: &[&str]| figures(&run(&cx, &[&jobs[..], more].concat()), "nodes", "prod");
    let (calm, evicted) = (nodes(&[]), nodes(&["--evictions", "20%/h"]));
    let saved = nodes(&["--evictions", "20%/h", "--checkpoint", "10min"]);
    let number = |of: &Value, name: &str| of[name].as_u64().unwrap();
    assert_eq!((&calm["evicted"]["machines"], &calm["jobs_interrupted"]), (&0.into(), &0.into()));
    assert!(evicted["evicted"]["machines"].as_u64().unwrap() > 20, "{evicted}");
    assert_eq!(evicted["evicted"]["jobs"], evicted["jobs_interrupted"]);
    assert!(number(&saved, "minutes_lost") * 4 < number(&evicted, "minutes_lost"), "{saved}{evicted}");
    assert!(number(&calm, "machine_minutes") < number(&saved, "machine_minutes"));
    assert!(number(&saved, "machine_minutes") < number(&evicted, "machine_minutes"));
    // Under autoscale another machine comes, and people come back to it.
    let text = run(&cx, &["--env", "prod", "--pool", "team", "--workload", OFFICE, "--evictions", "5%/h"]);
    assert!(
        text.stdout.contains("  evicted     ") && text.stdout.contains(" machines at 5%/h, with "),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains("nothing orders"), "{}", text.stdout);
    let fixed = |more: &str| {
        let (head, _) = spot.split_once("  autoscale {").unwrap();
        let head = head.replace("machines = 1..most initially 1", "machines = 3");
        cx.write("fixed.dsvm", &format!("{}}}\n", head.replace("on_eviction = delete", more)));
        run(&cx, &["fixed.dsvm", "--env", "prod", "--workload", OFFICE, "--evictions", "5%/h"]).stdout
    };
    let alone = fixed("on_eviction = delete");
    assert!(
        alone.contains("nothing orders a machine for one that is evicted") && alone.contains("  machines    0 to 3"),
        "{alone}"
    );
    let restored = fixed("on_eviction = delete, restore = 1 h");
    assert!(!restored.contains("nothing orders") && restored.contains("  machines    3 to 3"), "{restored}");
    let regular = place();
    let ran = run(&regular, &["--env", "prod", "--pool", "team", "--workload", OFFICE, "--evictions", "5%/h"]);
    assert!(ran.stdout.contains("it has no spot machines: none is evicted"), "{}", ran.stdout);
    let ran = run(&cx, &["--workload", OFFICE, "--evictions", "5"]);
    assert!(ran.exit != 0 && ran.stderr.contains("write the chance of an eviction in one hour"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_simulated_says_why() {
    let cx = place();
    cx.write("bad.csv", "arrival,duration\nx,1\n");
    cx.write("open.dsvm", &PROJECT.replace("env dev { most = 2 }\nenv prod { most = 9 }", "env dev { }"));
    for (more, message) in [
        (vec!["--workload", "crowd of 30"], "expected `class`, `office` or `batch`, found `crowd`"),
        (vec!["--workload", "gone.csv"], "`gone.csv` cannot be read"),
        (vec!["--workload", "bad.csv"], "`bad.csv`, line 2: `arrival` is a moment"),
        (vec!["--workload", CLASS, "--pool", "nobody"], "no pool to simulate here"),
        (vec!["--workload", CLASS, "--sweep", "height=1..2"], "`--sweep height=1..2` cannot be read"),
        (
            vec!["--workload", CLASS, "--pool", "nodes", "--sweep", "high=1..2"],
            "the pool `nodes` has no rules that `--sweep` could vary",
        ),
        (vec!["open.dsvm", "--workload", CLASS], "known only at deployment"),
    ] {
        let files = if more[0] == "open.dsvm" { more.clone() } else { [vec!["main.dsvm"], more.clone()].concat() };
        let ran = run(&cx, &files);
        assert_eq!(ran.exit, 1, "{more:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("error[DSVM0908]") && ran.stderr.contains(message), "{more:?}\n{}", ran.stderr);
    }
}
