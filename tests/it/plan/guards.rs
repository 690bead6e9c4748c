//! What must not be touched: protected and locked resources, under narrowed applies too, and what a narrowed plan leaves out.

use super::deploy::{Place, template};
use crate::support::Ran;
use serde_json::{Value, json};

const ONLY_EXTRA: &str = "apply --yes --allow-delete --template team.json --only pip-extra";
const BUT_EXTRA: &str = "apply --yes --allow-delete --template team.json --exclude pip-extra";

/// The project with a public address that is protected, in a region that Azure fixes at creation.
fn protected(tag: &str, region: &str) -> Value {
    let mut template = template(tag, true);
    template["resources"][7]["metadata"] = json!({ "dsvmc": { "preventDestroy": true } });
    template["resources"][7]["location"] = json!(region);
    template
}

fn resource(kind_and_name: &str) -> String {
    format!("/subscriptions/{}/resourceGroups/rg-team/providers/{kind_and_name}", arm_local::SUBSCRIPTION)
}

fn get(place: &Place, kind_and_name: &str) -> Value {
    place.arm("GET", &format!("{}?api-version=2025-05-01", resource(kind_and_name)), "")
}

fn address(place: &Place) -> Value {
    get(place, "Microsoft.Network/publicIPAddresses/pip-extra")
}

fn rules(place: &Place) -> Value {
    get(place, "Microsoft.Network/networkSecurityGroups/nsg-team")
}

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.exit, 0, "{}", ran.text());
    ran
}

#[test]
fn what_is_protected_holds_when_it_is_the_target_and_stays_out_when_it_is_not() {
    let place = Place::new();
    place.write(&protected("a", "westus2"));
    fine(place.apply());
    let before = address(&place);
    place.write(&protected("b", "eastus"));
    for arguments in [
        "apply --yes --allow-delete --template team.json",
        ONLY_EXTRA,
        "apply --yes --allow-delete --template team.json --exclude nsg-team",
    ] {
        let held = place.run(arguments);
        assert_eq!(held.exit, 1, "{arguments}: {}", held.text());
        assert!(
            held.stderr.contains("DSVM0809") && held.stderr.contains("`pip-extra` is protected"),
            "{}",
            held.text()
        );
        assert_eq!(rules(&place)["tags"]["t"], "a", "{arguments}: refused before the first write");
    }
    // Not a target: the rest is done, and nothing is said of it.
    let done = fine(place.run("apply --yes --template team.json --only nsg-team"));
    assert!(!done.stdout.contains("pip-extra") && done.stdout.contains("1 updated"), "{}", done.text());
    assert_eq!((rules(&place)["tags"]["t"].as_str(), address(&place)), (Some("b"), before.clone()));
    let done = fine(place.run(BUT_EXTRA));
    assert!(!done.stdout.contains("pip-extra") && done.stdout.contains("2 updated"), "{}", done.text());
    assert_eq!(address(&place), before);
    // The mark is still known: nobody narrowed it away.
    place.write(&template("b", false));
    let held = place.run("apply --yes --allow-delete --template team.json");
    assert!(held.exit == 1 && held.stderr.contains("DSVM0809"), "{}", held.text());
    assert_eq!(address(&place), before);
}

#[test]
fn locks_hold_when_the_locked_is_the_target_and_do_not_stop_the_rest() {
    let place = Place::new();
    let mut wanted = template("a", true);
    place.write(&wanted);
    fine(place.apply());
    let lock = |kind_and_name: &str, level: &str| {
        let path =
            format!("{}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01", resource(kind_and_name));
        place.arm("PUT", &path, &json!({ "properties": { "level": level } }).to_string());
    };
    lock("Microsoft.Network/publicIPAddresses/pip-extra", "CanNotDelete");
    lock("Microsoft.Network/networkSecurityGroups/nsg-team", "ReadOnly");
    wanted = template("b", true);
    wanted["resources"][7]["location"] = json!("eastus");
    place.write(&wanted);
    let before = (address(&place), rules(&place));
    for (arguments, name) in
        [(ONLY_EXTRA, "pip-extra"), ("apply --yes --template team.json --only nsg-team", "nsg-team")]
    {
        let held = place.run(arguments);
        assert_eq!(held.exit, 4, "{arguments}: {}", held.text());
        assert!(held.stderr.contains("ScopeLocked") && held.stderr.contains(name), "{}", held.text());
        assert!(held.stderr.contains("az lock list"), "{}", held.text());
    }
    let done = fine(place.run("apply --yes --template team.json --exclude pip-extra --exclude nsg-team"));
    assert!(done.stdout.contains("2 updated"), "{}", done.text());
    assert_eq!((address(&place), rules(&place)), before);
}

/// A plan lists all that is sent, and a saved one is carried out the way that it was made.
#[test]
fn what_a_change_needs_comes_along_or_is_refused() {
    let place = Place::new();
    let alone = fine(place.run("plan --template team.json --only vnet-team"));
    assert!(alone.stdout.contains("nsg-team") && alone.stdout.contains("2 to create"), "{}", alone.text());
    let refused = place.run("plan --template team.json --exclude nsg-team");
    assert_eq!(refused.exit, 1, "{}", refused.text());
    let why = "`nsg-team` is excluded, but `vnet-team` depends on it and the plan would create it";
    assert!(refused.stderr.contains("DSVM0707") && refused.stderr.contains(why), "{}", refused.text());
    fine(place.apply());
    let all = place.left().len();
    // What exists as wanted is no obstacle.
    place.write(&template("b", false));
    fine(place.run("plan --template team.json --only nsg-team -o narrow.plan"));
    let done = fine(place.run("apply narrow.plan"));
    assert!(done.stdout.contains("1 updated"), "{}", done.text());
    assert_eq!(place.left().len(), all);
    assert_eq!(rules(&place)["tags"]["t"], "b");
    let left = fine(place.run("plan --template team.json"));
    assert!(left.stdout.contains("Plan: 2 to update"), "{}", left.text());
    // A plain plan never deletes, and neither does its apply.
    place.write(&template("b", true));
    fine(place.apply());
    place.write(&template("c", false));
    fine(place.run("plan --template team.json --plain -o plain.plan"));
    fine(place.run("apply plain.plan"));
    assert!(place.left().iter().any(|name| name == "pip-extra"));
}

/// A narrowed apply of a project that is deployed plainly forgets nothing of the rest: outputs and what `destroy` deletes.
#[test]
fn a_narrowed_apply_forgets_nothing_of_the_rest() {
    let place = Place::new();
    fine(place.run("apply --yes --plain --template team.json"));
    place.write(&template("b", false));
    fine(place.run("apply --yes --template team.json --only nsg-team"));
    let outputs = fine(place.run("outputs --template team.json"));
    assert!(outputs.stdout.contains("notebooks"), "{}", outputs.text());
    fine(place.run("destroy --yes --allow-delete --template team.json"));
    assert_eq!(place.left(), Vec::<String>::new());
}
