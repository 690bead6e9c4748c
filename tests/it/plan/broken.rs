//! Looking at a project and taking it away while its sources have errors.

use super::deploy::Place;
use crate::support::Ran;

const POOL: &str = include_str!("../../../examples/02-gpu-spot-to-zero/main.dsvm");

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.exit, 0, "{}", ran.text());
    ran
}

/// One line that counts the errors and says how to see them.
fn warned(ran: Ran, errors: &str) -> Ran {
    let ran = fine(ran);
    let line =
        format!("warning: the sources have {errors}; `dsvmc check` lists them; using what was deployed instead\n");
    assert_eq!(ran.stderr, line, "{}", ran.text());
    ran
}

fn applied() -> Place {
    let place = Place::new();
    place.cx.write("main.dsvm", POOL);
    fine(place.run("apply --yes main.dsvm"));
    place
}

#[test]
fn what_was_deployed_is_shown_although_the_sources_have_errors() {
    let place = applied();
    let before = place.run("outputs main.dsvm").stdout;
    assert!(before.contains("gpuSsh"), "{before}");
    let shown = fine(place.run("show main.dsvm")).stdout;
    let broken = [
        (format!("{POOL}\npool other: interactive {{ size = nothing, image = 5 }}\n"), "3 errors"),
        // The very line that names the project.
        (POOL.replacen("project gpu {", "project {", 1), "1 error"),
    ];
    for (text, errors) in broken {
        place.cx.write("main.dsvm", &text);
        assert_eq!(place.run("check main.dsvm").exit, 1, "{text}");
        assert_eq!(warned(place.run("outputs main.dsvm"), errors).stdout, before);
        let status = warned(place.run("status main.dsvm"), errors);
        let told = "stack `dsvmc-gpu-team`: succeeded";
        assert!(
            status.stdout.contains(told) && status.stdout.contains("not compared with the sources"),
            "{}",
            status.text()
        );
        let json = warned(place.run("status --format json main.dsvm"), errors);
        assert!(json.stdout.contains("\"drift\": null"), "{}", json.text());
        let names = |text: &str| {
            // Autoscale goes on meanwhile: the number of machines is another one after a minute.
            let without_count = |line: &str| line.split("  succeeded").next().unwrap().to_owned();
            let mut lines: Vec<String> = text.lines().map(without_count).collect();
            lines.sort();
            lines
        };
        assert_eq!(names(&warned(place.run("show main.dsvm"), errors).stdout), names(&shown));
        // What needs the sources says what is wrong with them.
        let plan = place.run("plan main.dsvm");
        assert!(plan.exit == 1 && plan.stderr.contains("error[DSVM"), "{}", plan.text());
    }
}

#[test]
fn what_was_deployed_is_taken_away_although_the_sources_have_errors() {
    let place = applied();
    place.cx.write("main.dsvm", &POOL.replacen("machines = ", "machines = = ", 1));
    // Another machine has no receipts; the stack knows.
    std::fs::remove_dir_all(place.cx.path().join(".dsvmc/gpu.team")).unwrap();
    let gone = fine(place.run("destroy --yes --allow-delete --env team main.dsvm"));
    assert!(gone.stderr.starts_with("warning: the sources have 1 error;"), "{}", gone.text());
    assert_eq!(place.left(), Vec::<String>::new());
    let nothing = fine(place.run("destroy --yes --env team main.dsvm"));
    assert!(nothing.stderr.contains("Nothing of `gpu` is deployed"), "{}", nothing.text());
}

/// A value that nobody gave is no reason to hide what exists either.
#[test]
fn a_missing_value_hides_nothing() {
    let place = Place::new();
    fine(place.apply());
    let azure = format!(
        "--target azure --cloud {} --credential none --subscription {} --template team.json",
        place.url(),
        arm_local::SUBSCRIPTION
    );
    let status = fine(place.cx.run(&format!("status {azure}")));
    assert!(status.stderr.starts_with("warning: parameter `password` has no value; using"), "{}", status.text());
    assert!(status.stdout.contains("7 resources exist"), "{}", status.text());
    assert!(fine(place.cx.run(&format!("show {azure}"))).stdout.contains("kv-team-0123456"));
}
