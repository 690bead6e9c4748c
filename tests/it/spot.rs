//! `dsvmc spot`: prices, evictions, placement scores.

use crate::support::{Ran, TestContext};
use serde_json::{Value, json};

const SOURCE: &str = r#"
import std.images
import std.sizes
project lab { location = westeurope }
param key: ssh_key
param most: int in 1..9
env low  { most = 2 }
env high { most = 5 }
pool cheap: interactive { image = images.ubuntu_2204, size = sizes.Standard_D4s_v5, machines = most, priority = spot
  spot { max_price = 0.01 USD/h, restore = 1 h }
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24] }
pool regular: interactive { image = images.ubuntu_2204, size = sizes.Standard_D4s_v5, machines = 2
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24] }
pool nodes: batch { service = azure_ml, size = sizes.Standard_D8s_v5, machines = 0..6, priority = spot }
"#;

fn lab() -> TestContext {
    let cx = TestContext::new();
    cx.write("lab/main.dsvm", SOURCE);
    cx
}

fn pools(ran: &Ran) -> Vec<Value> {
    let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    data["pools"].as_array().unwrap().clone()
}

#[test]
fn spot_pools_have_prices_and_a_maximum_that_is_too_low_is_told() {
    let cx = lab();
    let ran = cx.ran(&mut cx.command("spot lab --format json"));
    let all = pools(&ran);
    cx.write("lab/main.dsvm", &SOURCE.replace("0.01 USD/h", "9 USD/h"));
    let dear = pools(&cx.ran(&mut cx.command("spot lab --format json")));
    cx.write("lab/main.dsvm", SOURCE);
    let names: Vec<(&str, &str)> =
        all.iter().map(|one| (one["env"].as_str().unwrap(), one["pool"].as_str().unwrap())).collect();
    assert_eq!(names, [("low", "cheap"), ("low", "nodes"), ("high", "cheap"), ("high", "nodes")]);
    assert_eq!((&all[0]["maximumBelowPrice"], &dear[0]["maximumBelowPrice"]), (&json!(true), &json!(false)));
    let usd = |one: &Value, key: &str| one[key].as_str().unwrap().parse::<f64>().unwrap();
    for one in &all {
        assert!(usd(one, "spotPerHour") < usd(one, "regularPerHour"), "{one}");
    }
    assert_eq!((&all[0]["machines"], &all[2]["machines"]), (&json!(2), &json!(5)));
    assert_eq!((&all[1]["service"], &all[1]["machines"]), (&json!("Azure Machine Learning"), &json!(6)));
    let text = cx.ran(&mut cx.command("spot lab --env low")).stdout;
    assert!(text.contains("0.01 USD/h: below the price") && !text.contains("evictions  "), "{text}");
    assert!(text.contains("Not known here: whether the offer"), "{text}");
}

#[test]
fn evictions_cost_what_the_formulas_say() {
    let cx = lab();
    let more = "--evictions 10%/h --checkpoint 1h --checkpoint 30min --job 8h --deadline 9h";
    let ran = cx.ran(&mut cx.command(&format!("spot lab --env high --format json {more}")));
    let found = &pools(&ran)[0]["evictions"];
    // The chance of a minute: 1 − 0.9^(1/60)
    let p = 1.0 - 0.9_f64.powf(1.0 / 60.0);
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() <= 0.001;
    assert!(near(&found["perMonth"], p * 43_800.0), "{found}");
    // 60 minutes without an eviction have the chance 0.9 and take (1 − 0.9) / (p · 0.9) on average
    let worked = 0.1 / (p * 0.9);
    let share = (worked - 60.0) / worked;
    assert_eq!(found["losses"][1]["checkpointMinutes"], 60);
    assert!(near(&found["losses"][1]["lostPercent"], share * 100.0), "{found}");
    assert!(near(&found["losses"][1]["hoursPerMonth"], share * 730.0 * 5.0), "{found}");
    // Without checkpoints first: 8 h without an eviction are 0.9^8
    assert!(near(&found["jobs"][0]["evictions"], (1.0 - 0.9_f64.powi(8)) / 0.9_f64.powi(8)), "{found}");
    let chances: Vec<f64> =
        found["jobs"].as_array().unwrap().iter().map(|job| job["inTimePercent"].as_f64().unwrap()).collect();
    assert_eq!(chances.len(), 3);
    assert!(chances[0] < chances[2] && chances[2] < chances[1] && chances[1] <= 100.0, "{chances:?}");
    let text = cx.ran(&mut cx.command(&format!("spot lab --env high {more}"))).stdout;
    assert!(text.contains("job of 8 h") && text.contains("within 9 h") && text.contains("no checkpoint"), "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let cx = lab();
    for more in [
        "--evictions 0%/h",
        "--evictions 5",
        "--evictions 100%",
        "--evictions 5% --job 8d",
        "--evictions 5% --checkpoint 0min",
        "--evictions 5% --job 8w",
        "--job 8h",
        "--evictions 5% --deadline 8h",
        "--in eastus",
    ] {
        let ran = cx.ran(&mut cx.command(&format!("spot lab {more}")));
        assert!(ran.exit != 0 && ran.stdout.is_empty(), "{more}: {}", ran.stdout);
    }
}

#[test]
fn the_endpoint_scores_placements() {
    let cx = lab();
    let run = |more: &str| cx.ran(&mut cx.command(&format!("spot lab --env high --format json --target local {more}")));
    let ran = run("--placement --in northeurope");
    let all = pools(&ran);
    let scores = all[0]["placement"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        scores.iter().map(|one| (one["region"].as_str().unwrap(), one["zone"].as_str().unwrap_or("-"))).collect();
    assert_eq!(
        told,
        [
            ("westeurope", "1"),
            ("westeurope", "2"),
            ("westeurope", "3"),
            ("northeurope", "1"),
            ("northeurope", "2"),
            ("northeurope", "3")
        ]
    );
    assert!(scores.iter().all(|one| one["score"] == "High" && one["quota"] == true), "{scores:?}");
    assert!(all[1]["placement"].is_null(), "machines of a service are not asked for");
    let text = cx.ran(&mut cx.command("spot lab --env high --target local --placement")).stdout;
    assert!(text.contains("westeurope zone 2: High, the quota has room"), "{text}");
    let ran = run("--placement --in North+Europe");
    assert!(ran.exit == 1 && ran.stderr.contains("DSVM0911"), "{}", ran.stderr);
    let many = (0..8).map(|n| format!("--in region{n}")).collect::<Vec<_>>().join(" ");
    let ran = run(&format!("--placement {many}"));
    assert!(ran.exit == 1 && ran.stderr.contains("at most 8 regions"), "{}", ran.stderr);
}

/// Azure's documentation excludes promotional versions of all sizes.
#[test]
fn promotional_sizes_have_no_spot_machines() {
    let cx = lab();
    let own = "size Standard_D2_v2_Promo { family = \"standardDv2PromoFamily\", generations = [1, 2], vcpu = 2, memory = 7 GiB, spot = yes }\n";
    let source =
        SOURCE.replace("size = sizes.Standard_D4s_v5, machines = most", "size = Standard_D2_v2_Promo, machines = most");
    cx.write("lab/main.dsvm", &format!("{source}{own}"));
    let ran = cx.ran(&mut cx.command("check lab"));
    assert!(ran.exit == 1 && ran.stderr.contains("`Standard_D2_v2_Promo` is not available as spot"), "{}", ran.stderr);
}
