//! `dsvmc prove`: what autoscale does under every load, as text and JSON.

use crate::support::TestContext;
use serde_json::Value;

fn project(machines: &str, policy: &str) -> String {
    format!(
        r#"
import std.images
import std.metrics
import std.sizes

project lab {{ location = westeurope }}

param key: ssh_key

pool team: interactive {{
  image = images.ubuntu_2204
  size = sizes.Standard_D4s_v5
  machines = {machines}
  admin {{ name = "dsvmuser", key = key }}
  allow ssh from [203.0.113.0/24]
  autoscale {{ timezone = "W. Europe Standard Time"
    {policy}
  }}
}}
"#
    )
}

fn prove(machines: &str, policy: &str, options: &str) -> (u8, Value, String) {
    let cx = TestContext::new();
    cx.write("main.dsvm", &project(machines, policy));
    let text = cx.run(&format!("prove --from 2026-12-01 {options}"));
    let data = cx.run(&format!("prove --from 2026-12-01 {options} --format json"));
    assert_eq!(text.exit, data.exit, "{}{}", text.stdout, text.stderr);
    let found: Value = serde_json::from_str(&data.stdout).unwrap_or_else(|_| panic!("{}{}", data.stdout, data.stderr));
    (u8::try_from(text.exit).unwrap(), found["pools"][0].clone(), text.stdout)
}

const SOUND: &str = "when avg(cpu, 10 min) > 75% { add 1, cooldown 10 min }\n when avg(cpu, 30 min) < 30% { remove 1, cooldown 30 min }";

#[test]
fn a_certificate_says_what_was_gone_through() {
    let (exit, pool, text) = prove("1..5", SOUND, "");
    assert_eq!((exit, &pool["holds"]), (0, &true.into()), "{text}");
    let finding = &pool["profiles"][0]["findings"][0];
    assert_eq!(finding["flaps"], Value::Null);
    // from 5 machines without a load: four times a cooldown of 30 minutes
    let idle = &finding["settled"][0];
    assert_eq!(idle["loads"][0]["above"], 0.0);
    assert_eq!(idle["machines_by_start"], serde_json::json!([1, 1, 1, 1, 1, 1]));
    assert!(finding["settles_within_minutes"].as_u64() >= Some(90), "{finding:#}");
    // 31 days with five machines, and an hour more when the clock goes back
    assert_eq!(pool["busiest_month"], serde_json::json!({ "month": "2027-10", "machine_hours": 3725.0 }));
    assert!(text.contains("✓ settles  under every constant load"), "{text}");
    assert!(text.contains("✓ wakes    always"), "{text}");
}

#[test]
fn a_counterexample_is_a_load_and_its_steps() {
    let policy = SOUND.replace("cooldown 30 min", "cooldown 5 min").replace("add 1", "add 3");
    let (exit, pool, text) = prove("1..5", &policy, "");
    assert_eq!((exit, &pool["holds"]), (1, &false.into()), "{text}");
    let flaps = &pool["profiles"][0]["findings"][0]["flaps"];
    let back = usize::try_from(flaps["repeats_from_step"].as_u64().unwrap()).unwrap();
    let steps = flaps["steps"].as_array().unwrap();
    // the situation after the last step is that after the marked one
    assert_eq!(steps[back]["after"], steps.last().unwrap()["after"], "{flaps:#}");
    assert!(steps.len() > back + 1);
    assert!(text.contains("✗ flaps    with work for "), "{text}");
    assert!(text.contains("scale in  ←"), "{text}");
}

#[test]
fn a_queue_below_its_threshold_wakes_nobody() {
    let queue = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lab/providers/Microsoft.Storage/storageAccounts/work/services/queue/queues/work";
    let policy = |least: &str, under: &str| {
        format!(
            "wake = metric, of = \"{queue}\"\nwhen avg(metrics.storage_queue_length, 5 min) {least} {{ add 1, cooldown 10 min }}\n\
             when avg(metrics.storage_queue_length, 10 min) {under} {{ remove 1, cooldown 10 min }}"
        )
    };
    let (exit, pool, text) = prove("0..4", &policy("> 10", "< 1"), "");
    assert_eq!(exit, 1, "{text}");
    assert_eq!(pool["longest_at_zero"]["for_ever"], true);
    assert!(text.contains("! asleep   at zero, the rules do not wake it with up to 10 messages"), "{text}");
    let (exit, pool, text) = prove("0..4", &policy(">= 1", "< 0.5"), "");
    // the average of half a message would not wake it, but messages come whole
    assert_eq!(exit, 0, "{text}");
    assert_eq!(pool["longest_at_zero"], Value::Null);
    assert_eq!(pool["profiles"][0]["findings"][0]["wakes_within_minutes"], 5);
}

#[test]
fn the_longest_night_is_judged() {
    let policy = format!("{SOUND}\nschedule day {{ on mon..fri from 08:00 to 18:00, machines = 1..4 }}");
    let (exit, pool, text) = prove("0..4", &policy, "");
    assert_eq!(exit, 0, "{text}");
    // Friday 18:00 to Monday 08:00; the night in which the clock goes back is an hour longer
    assert_eq!(pool["longest_at_zero"]["minutes"], (62 + 1) * 60, "{text}");
    assert_eq!(prove("0..4", &policy, "--longest-wait 63h").0, 0);
    let (exit, pool, text) = prove("0..4", &policy, "--longest-wait 62h");
    assert_eq!((exit, &pool["wakes"]), (1, &false.into()));
    assert!(text.contains("✗ sleeps   for at most 2 days 15 h"), "{text}");
}

#[test]
fn what_cannot_be_judged_is_said() {
    // a sum over the machines depends on how many there are
    let policy = SOUND.replace(", cooldown", ", across = sum, cooldown");
    let (exit, pool, text) = prove("1..5", &policy, "");
    assert_eq!(exit, 0, "{text}");
    assert_eq!(pool["profiles"][0]["not_judged"]["metric"], "Percentage CPU", "{text}");
    let cx = TestContext::new();
    cx.write("main.dsvm", "project lab { location = westeurope }\n");
    let ran = cx.run("prove");
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("no pool with a policy and no budget here"), "{}", ran.stderr);
}

#[test]
fn a_budget_is_held_against_the_machines_of_the_dearest_month() {
    let cx = TestContext::new();
    let night = format!("{SOUND}\nschedule night {{ on all days from 20:00 to 08:00, machines = 1..2 }}");
    let source = |budget: &str| {
        let pool = format!("size = sizes.Standard_D4ds_v5\n  os_disk = ephemeral\n  budget = {budget} USD/month");
        project("1..4", &night).replace("size = sizes.Standard_D4s_v5", &pool)
    };
    let ask = |budget: &str, command: &str| {
        cx.write("main.dsvm", &source(budget));
        let ran = cx.run(&format!("{command} --format json"));
        let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
        (ran.exit, data)
    };
    let number = |value: &Value| value.as_str().unwrap().replace([',', ' '], "").parse::<f64>().unwrap();
    let (_, cost) = ask("900", "cost");
    let ceiling = number(&cost["projects"][0]["budgets"][0]["ceiling"]["amount"]);
    // Four machines for half of each day and two for the other half: three on average. In March a night is an hour shorter.
    let (exit, found) = ask("900", "prove --from 2026-12-01");
    let budget = &found["budgets"][0];
    assert_eq!((exit, &budget["holds"]), (0, &true.into()), "{budget}");
    let most = number(&budget["most"]);
    assert!((most / ceiling - 0.75).abs() < 0.001, "{most} of {ceiling}");
    let (exit, found) = ask(&format!("{:.0}", ceiling * 0.7), "prove --from 2026-12-01");
    assert_eq!((exit, &found["budgets"][0]["holds"]), (1, &false.into()));
    // dearer than the budget with four machines all the time, which is not what its schedules allow
    assert_eq!(ask(&format!("{:.0}", ceiling * 0.8), "prove --from 2026-12-01").0, 0);
}
