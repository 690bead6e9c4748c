//! `dsvmc sizes`: what fits a need, by price.

use crate::support::{Ran, TestContext};
use rust_decimal::Decimal;
use serde_json::Value;

fn run(more: &[&str]) -> Ran {
    let cx = TestContext::new();
    cx.ran(cx.command("sizes").args(more))
}

fn sizes(more: &[&str]) -> Vec<Value> {
    let ran = run(&[more, &["--format", "json"]].concat());
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    data["sizes"].as_array().unwrap().clone()
}

#[test]
fn sizes_that_fit_are_listed_by_price() {
    let found = sizes(&["--need", "gpu >= 1 of A100", "--region", "westeurope"]);
    let names: Vec<&str> = found.iter().map(|size| size["size"].as_str().unwrap()).collect();
    let wanted = [
        "Standard_NC24ads_A100_v4",
        "Standard_NC48ads_A100_v4",
        "Standard_NC96ads_A100_v4",
        "Standard_ND96asr_v4",
        "Standard_ND96amsr_A100_v4",
    ];
    assert_eq!(names, wanted);
    let first = &found[0];
    assert_eq!((&first["price"]["amount"], &first["price"]["date"]), (&"4.775".into(), &"2026-08-22".into()));
    assert_eq!((&first["vcpu"], &first["quota_family"]), (&24.into(), &"StandardNCADSA100v4Family".into()));
}

#[test]
fn unknown_prices_are_last_and_no_price_is_nothing() {
    let usd = |size: &Value| -> Option<Decimal> { Some(size["price"]["amount"].as_str()?.parse().unwrap()) };
    for terms in
        [&["--region", "eastus"][..], &["--region", "westeurope", "--spot"], &["--region", "West Europe", "--windows"]]
    {
        let all = sizes(terms);
        assert!(all.len() > 180, "{}", all.len());
        let known: Vec<Decimal> = all.iter().map_while(usd).collect();
        assert!(!known.is_empty() && known.is_sorted() && known.iter().all(|usd| *usd > Decimal::ZERO));
        assert!(all.iter().skip(known.len()).all(|size| size["price"].is_null()));
    }
    assert!(sizes(&["--region", "atlantis"]).iter().all(|size| size["price"].is_null()));
    let ran = run(&["--need", "gpu >= 1 of A100", "--region", "atlantis"]);
    assert!(
        ran.stdout.contains("unknown") && ran.stdout.contains("5 of 5 sizes have no known price"),
        "{}",
        ran.stdout
    );
}

/// Both read the same words: the size that `smallest` takes is one of those that fit, unless it ends.
#[test]
fn what_fits_is_what_a_project_could_take() {
    let ending = sizes(&["--region", "eastus"]).iter().filter(|size| size["retirement"] == true).count();
    assert!(ending > 0);
    for needs in ["gpu >= 1 of T4, memory >= 48 GiB", "vcpu >= 8, memory >= 32 GiB"] {
        let cx = TestContext::new();
        let text = format!(
            "import std.images\nproject lab {{ location = eastus }}\nparam key: ssh_key\npool p: interactive {{\n  image = images.ubuntu_2204\n  size = smallest({needs})\n  \
             machines = 1\n  admin {{ name = \"dsvmuser\", key = key }}\n  allow ssh from [203.0.113.0/24]\n}}\n"
        );
        cx.write("main.dsvm", &text);
        let ran = cx.ran(&mut cx.command("cost --format json"));
        let bill: Value = serde_json::from_str(&ran.stdout).unwrap();
        let chosen = bill["projects"][0]["items"][0]["detail"].as_str().unwrap().split(',').next().unwrap();
        let found = sizes(&["--need", needs, "--region", "eastus"]);
        assert!(found.iter().any(|size| size["size"] == chosen && size["retirement"] == false), "{chosen}");
    }
}

#[test]
fn a_need_that_cannot_be_read_is_explained_at_its_place() {
    for (needs, words) in [
        ("gpu >= 1 of A1000", "write `A100`"),
        ("gpu >= 1) + (2", "not a comparison"),
        ("vcpu", "not a comparison"),
        ("", "no requirements given"),
        ("vcpu >= ", "error"),
    ] {
        let ran = run(&["--need", needs, "--region", "westeurope"]);
        assert_eq!(ran.exit, 1, "{needs}: {}", ran.stdout);
        assert!(ran.stderr.contains(words), "{needs}: {}", ran.stderr);
    }
    let none = run(&["--need", "vcpu >= 4000", "--region", "westeurope"]);
    assert_eq!((none.exit, none.stdout.as_str()), (0, "no size fits\n"));
}
