//! Plans in the words of the source: what an edit of the first example says on a terminal, in Markdown and as data.

use super::deploy::Place;
use super::offline::git;
use dsvm_impact::{Impact, Severity};
use dsvmc::render::impact::terminal;
use dsvmc::render::palette::Palette;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../../../examples/01-shared-pool/main.dsvm");
const BOB: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJe2bQ0xjrbpMSzs7CSqvAiiIvQL1xBOOSqZ1w3Hpb6q bob@example.org";

/// The text with each of these edits, which must all apply.
fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// The example, deployed.
fn deployed() -> Place {
    let place = Place::new();
    place.cx.write("main.dsvm", EXAMPLE);
    let applied = place.run("apply --yes main.dsvm");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    assert!(applied.stdout.contains("pool team  new, starts with 2 machines of Standard_D4s_v5"), "{}", applied.stdout);
    place
}

fn plan(place: &Place, options: &str) -> Value {
    let ran = place.run(&format!("plan --format json main.dsvm {options}"));
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {}", ran.text()));
    assert_eq!(super::schema::errors(&plan), Vec::<String>::new());
    plan
}

fn impact(place: &Place, options: &str) -> Impact {
    serde_json::from_value(plan(place, options)["impact"].clone()).unwrap()
}

/// Edits of every kind that nobody dreads.
fn everyday() -> String {
    let bob = format!("  user bob {{\n    uid = 1505\n    key = \"{BOB}\"\n  }}\n\n  allow ssh from offices\n");
    edited(
        EXAMPLE,
        &[
            ("sizes.Standard_D4s_v5", "sizes.Standard_D8s_v5"),
            ("> 75%", "> 70%"),
            ("[203.0.113.0/24, 198.51.100.0/24]", "[203.0.113.0/24]"),
            ("quota = 1 TiB", "quota = 2 TiB"),
            ("  allow ssh from offices\n", &bob),
        ],
    )
}

#[test]
fn an_edit_is_told_in_the_words_of_the_source() {
    let place = deployed();
    place.cx.write("main.dsvm", &everyday());
    let impact = impact(&place, "");
    insta::assert_snapshot!("terminal_80", terminal(&impact, 80, Palette::plain()));
    insta::assert_snapshot!("terminal_120", terminal(&impact, 120, Palette::plain()));
    insta::assert_json_snapshot!("data", impact);
    let text = place.run("plan main.dsvm");
    assert!(text.stdout.ends_with("; nothing is deleted. --resources lists them.\n"), "{}", text.stdout);
    assert!(!text.stdout.contains("virtualMachineScaleSets"), "{}", text.stdout);
    let listed = place.run("plan --resources main.dsvm");
    assert!(listed.stdout.contains("~ update  virtualMachineScaleSets vmss-team"), "{}", listed.stdout);
    assert!(!listed.stdout.contains("sku.name"), "{}", listed.stdout);
    let raw = place.run("plan --raw main.dsvm");
    assert!(raw.stdout.contains("sku.name: \"Standard_D4s_v5\" → \"Standard_D8s_v5\""), "{}", raw.stdout);
    // The marks of the setup are others with every change of its program.
    let markdown = place.run("plan --format markdown main.dsvm").stdout;
    let stable: Vec<&str> = markdown.lines().filter(|line| !line.contains("extensions[setup]")).collect();
    insta::assert_snapshot!("markdown", stable.join("\n"));
    // Both views name the same resources.
    let plan = plan(&place, "");
    let all: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().filter_map(|change| change["id"].as_str()).collect();
    let named = impact.blocks.iter().flat_map(|block| &block.lines).flat_map(|line| &line.resources);
    assert!(named.into_iter().all(|id| all.contains(&id.as_str())));
}

#[test]
fn what_people_lose_is_told_first() {
    let place = deployed();
    let text = edited(
        EXAMPLE,
        &[
            ("  serve    = [ssh, jupyterhub]\n", "  serve    = [ssh, jupyterhub]\n  public   = false\n"),
            ("  image    = images.ubuntu_2204\n", "  image    = images.ubuntu_2204\n  entra_login = true\n"),
        ],
    );
    place.cx.write("main.dsvm", &text);
    let impact = impact(&place, "");
    insta::assert_snapshot!("losses", terminal(&impact, 120, Palette::plain()));
    assert_eq!(impact.notices.first().unwrap().severity, Severity::PoolGone);
    assert!(impact.notices.is_sorted_by_key(|notice| notice.severity));
}

#[test]
fn a_destroy_says_what_goes() {
    let place = deployed();
    let ran = place.run("destroy --yes main.dsvm");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn what_azure_refuses_comes_first_with_the_way_out() {
    let place = deployed();
    place.cx.write("main.dsvm", &edited(EXAMPLE, &[("quota = 1 TiB", "quota = 1 TiB\n  redundancy = zrs")]));
    let ran = place.run("plan main.dsvm");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    insta::assert_snapshot!(ran.stdout);
}

/// Against another commit nobody knows how many machines run, and the plan does not guess.
#[test]
fn batch_pools_are_compared_by_what_is_in_their_formula_and_start_task() {
    const BATCH: &str = include_str!("../../../examples/10-batch-dsvm-to-zero/main.dsvm");
    let place = Place::new();
    place.cx.write("main.dsvm", BATCH);
    git(&place, &["init", "-q"]);
    git(&place, &["add", "main.dsvm"]);
    git(&place, &["commit", "-q", "-m", "first"]);
    let text = edited(
        BATCH,
        &[
            ("= 8\n", "= 12\n"),
            ("task_slots = 4", "task_slots = 2"),
            ("[\"python3-venv\"]", "[\"python3-venv\", \"git\"]"),
            ("every 5 min", "every 10 min"),
            ("mount = \"/data/sets\"", "mount = \"/data/nb\""),
            ("pandas scikit-learn", "pandas polars"),
            ("/data/sets/evaluate.py", "/data/nb/evaluate.py"),
        ],
    );
    place.cx.write("main.dsvm", &text);
    let ran = place.run("plan --against HEAD main.dsvm");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    insta::assert_snapshot!(ran.stdout);
}
