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

fn project(cx: &TestContext, size: &str) {
    let text = format!(
        "import std.images\nproject lab {{ location = westeurope }}\nparam key: ssh_key\npool p: interactive {{\n  image = images.ubuntu_2204\n  size = {size}\n  \
         machines = 1\n  admin {{ name = \"dsvmuser\", key = key }}\n  allow ssh from [203.0.113.0/24]\n}}\n"
    );
    cx.write("main.dsvm", &text);
}

/// The choice of the project, and what `cost` says about it.
fn choice(cx: &TestContext) -> Value {
    let ran = cx.ran(&mut cx.command("cost --format json"));
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let bill: Value = serde_json::from_str(&ran.stdout).unwrap();
    let chosen = &bill["choices"][0];
    let paid = bill["projects"][0]["items"][0]["detail"].as_str().unwrap();
    assert_eq!(paid.split(',').next(), chosen["chosen"]["size"].as_str(), "{paid}");
    chosen.clone()
}

/// Two codes, one order: `cheapest` takes what `dsvmc sizes` lists first, unless it ends; the next is the runner-up.
#[test]
fn the_cheapest_size_is_the_first_of_the_table() {
    for (needs, terms, flags) in [
        ("vcpu >= 8, memory >= 32 GiB", "", &[][..]),
        ("vcpu >= 8, memory >= 32 GiB, series != \"Bsv2\"", "", &[]),
        ("gpu >= 1 of A100", "", &[]),
        ("vcpu >= 16, memory >= 64 GiB, spot != no", ", spot = true", &["--spot"]),
        ("vcpu >= 4, memory >= 16 GiB", ", windows = true", &["--windows"]),
    ] {
        let cx = TestContext::new();
        project(&cx, &format!("cheapest({needs}{terms})"));
        let chosen = choice(&cx);
        let table = sizes(&[&["--need", needs, "--region", "westeurope"], flags].concat());
        let mut left = table.iter().filter(|size| size["retirement"] == false && !size["price"].is_null());
        for place in ["chosen", "next"] {
            let size = left.next().unwrap();
            assert_eq!(chosen[place]["per_hour"], size["price"]["amount"], "{needs} {place}");
        }
        let first = table.iter().find(|size| size["retirement"] == false).unwrap();
        let equal = table.iter().filter(|size| size["price"]["amount"] == first["price"]["amount"]).count();
        if equal == 1 {
            assert_eq!(chosen["chosen"]["size"], first["size"], "{needs}");
        }
    }
}

#[test]
fn other_prices_and_discounts_choose_another_size() {
    let cx = TestContext::new();
    project(&cx, "cheapest(vcpu >= 8, memory >= 32 GiB, series != \"Bsv2\")");
    assert_eq!(choice(&cx)["chosen"]["size"], "Standard_D8as_v6");
    cx.write("dsvmc.toml", "[prices]\nfile = \"p.txt\"\n");
    // One price for two sizes: the first by name.
    cx.write(
        "p.txt",
        "source e 2026-11-30 - - Azure\nsize Standard_D8s_v6\nwesteurope e 0.40\nsize Standard_D8s_v5\nwesteurope e 0.40\n",
    );
    let chosen = choice(&cx);
    assert_eq!(
        (&chosen["chosen"]["size"], &chosen["next"]["size"]),
        (&"Standard_D8s_v5".into(), &"Standard_D8s_v6".into())
    );
    assert_eq!((&chosen["chosen"]["date"], &chosen["chosen"]["source"]), (&"2026-11-30".into(), &"Azure".into()));
    cx.write("dsvmc.toml", "[[prices.discounts]]\npercent = 50\nsize = \"Standard_E8s_v5\"\nname = \"agreement\"\n");
    let chosen = choice(&cx);
    assert_eq!(chosen["chosen"]["size"], "Standard_E8s_v5");
    assert_eq!(chosen["chosen"]["discount"], "50 % off: agreement");
    let ran = cx.ran(&mut cx.command("check main.dsvm"));
    assert!(ran.stderr.contains("the cheapest size that fits is `Standard_E8s_v5`"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("50 % off: agreement") && ran.stderr.contains("name the size to keep it"),
        "{}",
        ran.stderr
    );
    // A mistake there leaves no price to choose by.
    cx.write("dsvmc.toml", "[prices]\ncurrency = \"euro\"\n");
    let ran = cx.ran(&mut cx.command("check main.dsvm"));
    assert!(ran.exit == 1 && ran.stderr.contains("DSVM0226") && ran.stderr.contains("dsvmc.toml"), "{}", ran.stderr);
}

/// In euros without a rate no price of the program counts: a size that nobody knows the price of is never the cheapest.
#[test]
fn what_has_no_price_is_never_the_cheapest() {
    let cx = TestContext::new();
    project(&cx, "cheapest(vcpu >= 8, memory >= 32 GiB)");
    cx.write("dsvmc.toml", "[prices]\nfile = \"p.txt\"\ncurrency = \"EUR\"\n");
    cx.write("p.txt", "currency EUR\nsource e 2026-11-30 - - Azure\nsize Standard_D96s_v5\nwesteurope e 99\n");
    let chosen = choice(&cx);
    assert_eq!((&chosen["chosen"]["size"], &chosen["next"]), (&"Standard_D96s_v5".into(), &Value::Null));
    let fitting = chosen["sizes_that_fit"].as_u64().unwrap();
    assert_eq!(chosen["sizes_without_price"], fitting - 1);
    let ran = cx.ran(&mut cx.command("check main.dsvm"));
    assert!(ran.stderr.contains("without a known price, and so not considered:"), "{}", ran.stderr);
    cx.write("p.txt", "currency EUR\nsource e 2026-11-30 - - Azure\nsize Standard_D2s_v5\nwesteurope e 0.1\n");
    let ran = cx.ran(&mut cx.command("check main.dsvm"));
    assert!(ran.exit == 1 && ran.stderr.contains("DSVM0226"), "{}", ran.stderr);
}

/// A pool in another region compares the prices there, whether it says so itself or has it from another pool; a `let` is of
/// the project, whoever asks for it first.
#[test]
fn prices_are_those_of_the_region_of_the_pool() {
    let cx = TestContext::new();
    let pool = |name: &str, rest: &str| {
        format!(
            "pool {name} {{\n  machines = 1\n  admin {{ name = \"dsvmuser\", key = key }}\n  allow ssh from [203.0.113.0/24]\n{rest}}}\n"
        )
    };
    let text = format!(
        "import std.images\nproject lab {{ location = westeurope }}\nparam key: ssh_key\n{}{}{}let shared = cheapest(vcpu >= 32)\n",
        pool(
            "a: interactive",
            "  image = images.ubuntu_2204\n  location = northeurope\n  size = cheapest(vcpu >= 8)\n"
        ),
        pool("b: interactive from a", "  size = cheapest(vcpu >= 16)\n"),
        pool("c: interactive", "  image = images.ubuntu_2204\n  location = northeurope\n  size = shared\n"),
    );
    cx.write("main.dsvm", &text);
    // A network would have to be there, too: the choice does not depend on it.
    let ran = cx.ran(&mut cx.command("check main.dsvm --format json"));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let chosen = told["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "DSVM0217");
    let prices: Vec<&str> = chosen.map(|one| one["notes"][1].as_str().unwrap()).collect();
    let regions: Vec<&str> =
        prices.iter().map(|note| note.split(", from").next().unwrap().rsplit(' ').next().unwrap()).collect();
    assert_eq!(regions, ["northeurope", "northeurope", "westeurope"]);
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
