//! `dsvmc cost`: bills that were made by hand, and what holds for every bill.

use crate::support::{Ran, TestContext};
use rust_decimal::Decimal;
use serde_json::Value;

pub const HEAD: &str = r#"
import std.images
import std.sizes

project lab { location = westeurope }

param key: ssh_key
"#;

pub const TEAM: &str = r#"
pool team: interactive {
  image = images.ubuntu_2204
  size = sizes.Standard_D8s_v5
  machines = 1..4
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24]
  autoscale { timezone = "UTC"
    schedule workday { on mon..fri from 08:00 to 18:00, machines = 3..4 }
    when avg(cpu, 10 min) > 70% { add 1, cooldown 10 min }
    when avg(cpu, 10 min) < 25% { remove 1, cooldown 10 min } }
}
"#;

const NIGHT: &str = r#"
pool night: interactive {
  image = images.ubuntu_2204
  size = sizes.Standard_D8s_v5
  machines = 2
  priority = spot
  spot { max_price = 0.20 USD/h }
  os_disk = standard_ssd
  os_disk_size = 200 GiB
  admin { name = "dsvmuser", key = key }
  allow ssh from [203.0.113.0/24]
}
"#;

pub const CASES: [&str; 3] = ["floor", "expected", "ceiling"];

fn bill(parts: &[&str], more: &[&str]) -> Value {
    let cx = TestContext::new();
    cx.write("main.dsvm", &parts.concat());
    read(&cx.ran(cx.command("cost --format json --as-of 2026-11-23").args(more)))
}

pub fn read(ran: &Ran) -> Value {
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn usd(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// The amounts of an item of a pool, or of what pools share.
pub fn item(bill: &Value, pool: Option<&str>, what: &str) -> [Option<Decimal>; 3] {
    let mut items = bill["projects"][0]["items"].as_array().unwrap().iter();
    let found = items.find(|item| item["pool"].as_str() == pool && item["what"] == what);
    let found = found.unwrap_or_else(|| panic!("no {what} of {pool:?}"));
    CASES.map(|case| Some(&found["cases"][case]["amount"]).filter(|usd| !usd.is_null()).map(usd))
}

pub fn known(cases: [&str; 3]) -> [Option<Decimal>; 3] {
    cases.map(|usd| Some(usd.parse().unwrap()))
}

/// `westeurope r 0.46 0.828 0.085008 0.153014 0.092` of `size Standard_D8s_v5`, `westeurope r 41.811428` of `disk P15_LRS`,
/// `westeurope i 0.045` of `nat Standard`.
#[test]
fn a_pool_with_a_schedule_costs_what_it_costs_by_hand() {
    let bill = bill(&[HEAD, TEAM], &[]);
    // The schedule is in force in 50 of 168 hours: (50 × 3 + 118 × 1) / 168 = 1.595238 machines.
    // 0.46 × 730 = 335.80; × 1, × 1.595238, × 4.
    assert_eq!(item(&bill, Some("team"), "machines"), known(["335.8", "535.6809", "1343.2"]));
    // 150 GiB of the image are billed as P15.
    assert_eq!(item(&bill, Some("team"), "system disks"), known(["41.8114", "66.6992", "167.2457"]));
    assert_eq!(item(&bill, None, "NAT gateway"), known(["32.85", "32.85", "32.85"]));
    assert_eq!(item(&bill, Some("team"), "public address"), [None, None, None]);
    assert_eq!(bill["projects"][0]["pools"][0]["machines"]["expected"], "1.595238");
    let price = &bill["projects"][0]["items"][0]["cases"]["floor"]["price"];
    assert_eq!((&price["amount"], &price["date"]), (&"0.46".into(), &"2026-08-22".into()), "{price}");
}

/// The same rows, and `westeurope r 19.2` of `disk E15_LRS`.
#[test]
fn a_spot_pool_costs_the_spot_price_and_at_most_its_maximum() {
    let bill = bill(&[HEAD, NIGHT], &[]);
    // 2 × 0.085008 × 730 at the spot price of that day; 2 × 0.20 × 730 at the maximum.
    assert_eq!(item(&bill, Some("night"), "machines"), known(["124.1117", "124.1117", "292"]));
    // 200 GiB are billed as E15, 256 GiB.
    assert_eq!(item(&bill, Some("night"), "system disks"), known(["38.4", "38.4", "38.4"]));
}

#[test]
fn without_a_region_everything_is_unknown_and_nothing_is_free() {
    let head = HEAD.replace("location = westeurope", "");
    let nowhere = bill(&[&head, TEAM], &[]);
    assert_eq!(item(&nowhere, Some("team"), "machines"), [None, None, None]);
    let why = &nowhere["projects"][0]["items"][0]["cases"]["floor"]["unknown"];
    assert!(why.as_str().unwrap().contains("--region"), "{why}");
    let total = &nowhere["projects"][0]["total"]["ceiling"];
    assert_eq!((&total["amount"], &total["complete"]), (&"0".into(), &false.into()));
    let given = bill(&[&head, TEAM], &["--region", "westeurope"]);
    assert_eq!(item(&given, Some("team"), "machines"), item(&bill(&[HEAD, TEAM], &[]), Some("team"), "machines"));
    let cx = TestContext::new();
    cx.write("main.dsvm", &[&head, TEAM].concat());
    let text = cx.ran(&mut cx.command("cost")).stdout;
    let total = text.lines().find(|line| line.starts_with("  total")).unwrap();
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["total", "unknown", "unknown", "unknown"], "{text}");
}

fn totals(project: &Value) -> [(Decimal, u64); 3] {
    CASES.map(|case| {
        let total = &project["total"][case];
        (usd(&total["amount"]), total["unknown_items"].as_u64().unwrap())
    })
}

#[test]
fn a_pool_more_never_costs_less() {
    let project = |parts: &[&str]| totals(&bill(parts, &[])["projects"][0]);
    let both = project(&[HEAD, TEAM, NIGHT]);
    for one in [project(&[HEAD, TEAM]), project(&[HEAD, NIGHT])] {
        assert!(one.iter().zip(&both).all(|(one, both)| one.0 <= both.0 && one.1 <= both.1), "{one:?} {both:?}");
    }
}

#[test]
fn every_example_costs_from_floor_to_ceiling() {
    let cx = TestContext::new();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for more in [&[][..], &["--region", "westeurope"][..]] {
        let bill = read(&cx.ran(cx.command("cost --format json --as-of 2026-11-23").arg(&examples).args(more)));
        let projects = bill["projects"].as_array().unwrap();
        assert!(projects.len() >= 10, "{}", projects.len());
        for project in projects {
            let [floor, expected, ceiling] = totals(project).map(|total| total.0);
            assert!(floor <= expected && expected <= ceiling, "{}", project["project"]);
            for item in project["items"].as_array().unwrap() {
                let cases = CASES.map(|case| &item["cases"][case]);
                let numbers: Vec<Decimal> =
                    cases.iter().filter(|case| !case["amount"].is_null()).map(|case| usd(&case["amount"])).collect();
                assert!(numbers.is_sorted(), "{item}");
                for case in cases {
                    // What is paid has a price with its date; nothing is paid for nothing; else it says why not.
                    let paid = case["price"]["date"].is_string() && usd(&case["amount"]) > Decimal::ZERO;
                    let nothing = case["amount"] == "0" && case.get("price").is_none();
                    let unknown = case["amount"].is_null() && case["unknown"].is_string();
                    assert!(u8::from(paid) + u8::from(nothing) + u8::from(unknown) == 1, "{item}");
                }
            }
        }
    }
}

#[test]
fn the_text_names_sources_dates_and_what_is_unknown() {
    let cx = TestContext::new();
    cx.write("main.dsvm", &[HEAD, TEAM].concat());
    for format in ["human", "markdown"] {
        let ran = cx.ran(&mut cx.command(&format!("cost --as-of 2026-11-23 --format {format}")));
        assert_eq!(ran.exit, 0);
        for part in ["343", "Prices of 2026-08-22", "before tax", "load balancer", "unknown", "535.68"] {
            let part = if part == "343" { "1,343.20" } else { part };
            assert!(ran.stdout.contains(part), "{format} {part}: {}", ran.stdout);
        }
    }
    let ran = cx.ran(&mut cx.command("cost --env nowhere"));
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("there is no env `nowhere`"), "{}", ran.stderr);
}

/// The team costs 1,343.20 (machines) + 167.25 (disks) + 32.85 (NAT) = 1,543.30 at most, with more that is unknown.
#[test]
fn a_budget_is_held_against_the_ceiling_of_each_env() {
    let cx = TestContext::new();
    let checked = |budget: &str, envs: &str, most: &str| {
        let head = HEAD.replace("location = westeurope", &format!("location = westeurope, budget = {budget}"));
        cx.write("main.dsvm", &[&head, envs, &TEAM.replace("..4", most)].concat());
        cx.ran(&mut cx.command("check --as-of 2026-11-23"))
    };
    let tight = checked("1_543 USD/month", "", "..4");
    assert_eq!(tight.exit, 0, "{}", tight.stderr);
    let words = "this project can cost 1,543.30 USD a month, more than its budget of 1,543.00 USD";
    assert!(tight.stderr.contains(words), "{}", tight.stderr);
    assert!(tight.stderr.contains("without a known price come on top"), "{}", tight.stderr);
    for enough in ["1_544 USD/month", "2.12 USD/h", "51 USD/day"] {
        let ran = checked(enough, "", "..4");
        assert!(!ran.stderr.contains("DSVM0482"), "{enough}: {}", ran.stderr);
    }
    assert!(checked("2.11 USD/h", "", "..4").stderr.contains("DSVM0482"));
    for unusable in ["9_000 EUR/month", "9_000 USD", "0 USD/month"] {
        let ran = checked(unusable, "", "..4");
        assert!(ran.exit == 1 && ran.stderr.contains("DSVM0483"), "{unusable}: {}", ran.stderr);
    }
    // 377.61 for each machine with its disk, and 32.85: 1,165.68 with three, 1,543.30 with four, 1,920.91 with five.
    let envs = "param most: int in 3..9\nenv small { most = 3 }\nenv large { most = 4 }\nenv huge { most = 5 }\n";
    let ran = checked("1_200 USD/month", envs, "..most");
    for words in ["cost 1,543.30 USD", "in env `large`", "cost 1,920.91 USD", "in env `huge`"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("`small`"), "{}", ran.stderr);
}

/// The difference of a month that `plan --against` tells, in the three formats.
fn planned(cx: &TestContext, format: &str) -> String {
    let mut command = cx.command(&format!("plan --against HEAD --as-of 2026-11-23 --format {format}"));
    let ran = cx.ran(command.env(
        "DSVMC_PARAM_key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqQ0hS2dGmqBYTyZWXh1cYvDZc2OzPsbZuOgbOa2ZbZ a@b",
    ));
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

fn committed(parts: &[&str]) -> TestContext {
    let cx = TestContext::new();
    cx.write("main.dsvm", &parts.concat());
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(cx.path()).args(["-c", "user.email=a@example.com", "-c", "user.name=a"]).args(arguments);
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "before"]);
    cx
}

/// `westeurope r 0.46 …` of `size Standard_D8s_v5` and `westeurope r 0.92 …` of `size Standard_D16s_v5`. Before, the team costs
/// what [`a_pool_with_a_schedule_costs_what_it_costs_by_hand`] says: 335.80 + 41.8114, 535.6809 + 66.6992, 1343.20 + 167.2457.
/// After: twice the price of a machine, the same disks, at most five machines:
/// 671.60 + 41.8114, 1.595238 × (671.60 + 41.811428), 5 × (671.60 + 41.8114).
#[test]
fn a_plan_tells_what_it_costs_before_and_after() {
    let cx = committed(&[HEAD, TEAM]);
    let after = TEAM.replace("D8s_v5", "D16s_v5").replace("1..4", "1..5").replace("3..4", "3..5");
    cx.write("main.dsvm", &[HEAD, &after].concat());
    let plan: Value = serde_json::from_str(&planned(&cx, "json")).unwrap();
    assert_eq!(crate::plan::schema::errors(&plan), Vec::<String>::new());
    let cost = &plan["impact"]["cost"];
    let amounts = |of: &Value| CASES.map(|case| of[case]["amount"].as_str().unwrap().to_owned());
    assert_eq!(cost["blocks"].as_array().unwrap().len(), 1, "{cost}");
    let team = &cost["blocks"][0];
    assert_eq!(team["block"], "pool team");
    assert_eq!(amounts(&team["before"]), ["377.6114", "602.3801", "1510.4457"]);
    assert_eq!(amounts(&team["after"]), ["713.4114", "1138.061", "3567.0571"]);
    assert_eq!(amounts(&cost["difference"]), ["335.8", "535.6809", "2056.6114"]);
    let text = planned(&cx, "human");
    for words in ["377.61 → 713.41  602.38 → 1,138.06  1,510.45 → 3,567.06", "+ 335.80", "+ 535.68", "+ 2,056.61"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("Prices: andy-diericks/azure-pricing-radar (2026-08-22)"), "{text}");
    assert!(planned(&cx, "markdown").contains("| pool team | 377.61 → 713.41 |"));
}

/// A pool that goes saves what it cost; what is unknown is told and never counted as nothing.
#[test]
fn a_plan_tells_what_is_saved_and_what_is_unknown() {
    let cx = committed(&[HEAD, TEAM, NIGHT]);
    cx.write("main.dsvm", &[HEAD, TEAM].concat());
    let text = planned(&cx, "human");
    // 124.1117 + 38.4 of the machines and disks, and an address and a balancer without a known price.
    assert!(text.contains("pool night          ≥ 162.51 → 0          ≥ 162.51 → 0          ≥ 330.40 → 0"), "{text}");
    assert!(text.contains("− 162.51 and unknown") && text.contains("− 330.40 and unknown"), "{text}");
}

#[test]
fn a_plan_that_changes_nothing_that_is_paid_has_no_line_of_costs() {
    let cx = committed(&[HEAD, TEAM]);
    cx.write("main.dsvm", &[HEAD, &TEAM.replace("> 70%", "> 60%").replace("203.0.113", "203.0.114")].concat());
    for format in ["human", "markdown", "json"] {
        let text = planned(&cx, format);
        assert!(!text.contains("Cost in a month") && !text.contains("\"cost\""), "{text}");
    }
}

/// The team costs 1,343.20 + 167.2457 at most, 1,510.45; the night pool 292 + 38.40, 330.40, and more that is unknown.
#[test]
fn a_pool_has_a_budget_of_its_own_and_costs_show_what_is_kept() {
    let cx = TestContext::new();
    let team = TEAM.replace("machines = 1..4", "machines = 1..4\n  budget = 1_510 USD/month");
    let night = NIGHT.replace("machines = 2", "machines = 2\n  budget = 331 USD/month");
    let head = HEAD.replace("location = westeurope", "location = westeurope, budget = 5_000 USD/month");
    cx.write("main.dsvm", &format!("{head}{team}{night}"));
    let ran = cx.run("check --as-of 2026-11-23");
    let words = "the pool `team` can cost 1,510.45 USD a month, more than its budget of 1,510.00 USD";
    assert!(ran.exit == 0 && ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("warning[DSVM0482]").count(), 1, "{}", ran.stderr);
    let text = cx.run("cost --as-of 2026-11-23").stdout;
    for words in [
        "budget: 5,000.00, the most machines cost ≥ 1,873.70: kept, as far as prices are known",
        "budget of pool team: 1,510.00, the most machines cost ≥ 1,510.45: exceeded",
        "budget of pool night: 331.00, the most machines cost ≥ 330.40: kept, as far as prices are known",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let bill = read(&cx.ran(&mut cx.command("cost --as-of 2026-11-23 --format json")));
    let budgets = &bill["projects"][0]["budgets"];
    assert_eq!(
        (&budgets[0]["exceeded"], &budgets[1]["exceeded"], &budgets[1]["pool"]),
        (&false.into(), &true.into(), &"team".into())
    );
    cx.write(
        "main.dsvm",
        &[HEAD, &TEAM.replace("machines = 1..4", "machines = 1..4\n  budget = 5 GBP/month")].concat(),
    );
    let ran = cx.run("check");
    assert!(ran.exit == 1 && ran.stderr.contains("DSVM0483"), "{}", ran.stderr);
}

/// Two projects that each keep the budget of their team exceed it together; one alone is told by `check`, too.
#[test]
fn a_budget_by_tag_is_held_against_all_projects_below_its_file() {
    let cx = TestContext::new();
    let project = |team: &str| {
        let head =
            HEAD.replace("location = westeurope", &format!("location = westeurope, tags = {{ team = \"{team}\" }}"));
        [head.as_str(), TEAM].concat()
    };
    cx.write("a/main.dsvm", &project("vision"));
    cx.write("b/main.dsvm", &project("vision"));
    cx.write("c/main.dsvm", &project("speech"));
    let settings = |monthly: &str| {
        let budget = format!("[[prices.budgets]]\ntag = \"team\"\nvalue = \"vision\"\nmonthly = {monthly}\n");
        cx.write("dsvmc.toml", &budget);
    };
    let bill = |paths: &str| read(&cx.ran(&mut cx.command(&format!("cost {paths} --format json"))));
    settings("1_000_000");
    let ceiling = |bill: &Value| usd(&bill["budgets"][0]["ceiling"]["amount"]);
    let alone = ceiling(&bill("a"));
    assert!(alone > Decimal::ZERO);
    let all = bill(".");
    assert_eq!((ceiling(&all), &all["budgets"][0]["exceeded"]), (alone + alone, &false.into()));
    assert_eq!(ceiling(&bill("c")), Decimal::ZERO);
    // Between one and two of them.
    settings(&(alone + Decimal::ONE).to_string());
    assert_eq!(bill(".")["budgets"][0]["exceeded"], true);
    let text = cx.ran(&mut cx.command("cost .")).stdout;
    assert!(text.contains("budget of team = vision in dsvmc.toml:") && text.contains(": exceeded"), "{text}");
    let checked = cx.ran(&mut cx.command("check ."));
    assert!(!checked.stderr.contains("DSVM0482"), "{}", checked.stderr);
    settings(&(alone - Decimal::ONE).to_string());
    let checked = cx.ran(&mut cx.command("check ."));
    assert_eq!(checked.stderr.matches("this project alone exceeds it").count(), 2, "{}", checked.stderr);
    // Another currency below it is not compared.
    cx.write("b/dsvmc.toml", "[prices]\ncurrency = \"EUR\"\nrate = 0.9\nrate-date = 2026-11-30\n");
    settings("1_000_000");
    let found = bill(".");
    assert_eq!((ceiling(&found), &found["budgets"][0]["bills_in_other_currencies"]), (alone, &1.into()));
    cx.write("dsvmc.toml", "[[prices.budgets]]\ntag = \"team\"\n");
    let refused = cx.ran(&mut cx.command("cost ."));
    assert!(refused.exit == 1 && refused.stderr.contains("a budget is not complete"), "{}", refused.stderr);
}

#[test]
fn sums_by_tag_region_env_and_pool_are_those_of_the_items() {
    let cx = TestContext::new();
    let team = TEAM.replace("machines = 1..4", "machines = 1..4\n  tags = { team = \"research\" }");
    let night = NIGHT.replace("machines = 2", "machines = 2\n  tags = { team = \"=cmd,1\" }");
    let envs =
        "env dev { key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqQ0hS2dGmqBYTyZWXh1cYvDZc2OzPsbZuOgbOa2ZbZ\" }\n";
    cx.write("main.dsvm", &[HEAD, envs, &team, &night].concat());
    let all = ["pool", "env", "region", "tag:team"]
        .map(|by| read(&cx.ran(cx.command("cost --as-of 2026-11-23 --format json --by").arg(by))));
    for bill in &all {
        for case in CASES {
            let groups = bill["groups"].as_array().unwrap().iter();
            let sum: Decimal = groups.map(|group| usd(&group["total"][case]["amount"])).sum();
            assert_eq!(sum.round_dp(2), usd(&bill["projects"][0]["total"][case]["amount"]).round_dp(2), "{case}");
        }
    }
    let names = |bill: &Value| -> Vec<String> {
        bill["groups"].as_array().unwrap().iter().map(|group| group["group"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&all[1]), ["env dev"]);
    assert!(names(&all[2]).contains(&"westeurope".to_owned()), "{:?}", names(&all[2]));
    assert_eq!(names(&all[3]), ["team = =cmd,1", "team = research", "without the tag team"]);
    // Machines, disks, and what Azure makes for the pool of the tag.
    let research = &all[3]["groups"][1]["total"];
    assert_eq!(research["ceiling"]["amount"], "1510.4457");
    let text = cx.run("cost --by tag:team --as-of 2026-11-23").stdout;
    assert!(text.contains("team = research") && text.contains("≥ 1,510.45"), "{text}");
    let ran = cx.run("cost --by colour");
    assert_eq!(ran.exit, 64, "{}", ran.stderr);
    // The table has a line for each item, an empty amount for what is unknown, and nothing that is taken for a formula.
    let ran = cx.run("cost --as-of 2026-11-23 --csv costs.csv");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let csv = cx.read("costs.csv");
    assert!(
        csv.contains(
            "lab,dev,team,westeurope,machines,\"Standard_D8s_v5, Linux, on demand\",1,USD,335.8,535.6809,1343.2,"
        ),
        "{csv}"
    );
    assert!(csv.contains(",public address,Standard,1,USD,,,,,,,no price is known,"), "{csv}");
    assert!(csv.contains(",\"'=cmd,1\"\n") && !csv.contains(",\"=cmd"), "{csv}");
    cx.write("notes.csv", "mine\n");
    assert_ne!(cx.run("cost --csv notes.csv").exit, 0);
}
