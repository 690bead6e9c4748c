//! Mistakes in templates, shown at their lines, without the secrets that stand beside them.

use super::deploy::{Place, template};
use serde_json::json;

const SECRET: &str = "Sentinel-0815-Secret";

#[test]
fn a_mistake_in_a_template_is_shown_at_its_line() {
    let place = Place::new();
    let mut wrong = template("a", false);
    wrong["resources"][1]["tags"]["t"] = json!("[concat('a', missing('b'))]");
    wrong["resources"][1]["tags"]["adminPassword"] = json!(SECRET);
    wrong["parameters"]["password"]["defaultValue"] = json!(SECRET);
    place.write(&wrong);
    let text = place.cx.read("team.json");
    let line = text.lines().position(|l| l.contains("missing('b')")).unwrap() + 1;
    for command in ["plan", "apply --yes", "status", "show", "plan --live team.json", "plan --format json"] {
        let ran = place.run(&format!("{command} --template team.json"));
        assert_eq!(ran.exit, 1, "{command}: {}", ran.text());
        assert!(ran.stderr.contains("error[DSVM0704]"), "{command}: {}", ran.text());
        let at = format!("team.json:{line}:");
        assert!(
            ran.stderr.contains(&at) && ran.stderr.contains("[concat('a', missing('b'))]"),
            "{command}: {}",
            ran.text()
        );
        assert!(ran.stderr.contains("Azure says InvalidTemplate"), "{command}: {}", ran.text());
        assert!(!ran.text().contains(SECRET), "{command}: {}", ran.text());
    }
    // All on one line: the secrets stand beside the mistake.
    place.cx.write("team.json", &wrong.to_string());
    let ran = place.run("plan --template team.json");
    assert!(ran.stderr.contains("\"adminPassword\":\"****") && !ran.text().contains(SECRET), "{}", ran.text());
}

#[test]
fn text_that_is_no_json_is_shown_at_its_line() {
    let place = Place::new();
    let text = format!("{{\n  \"password\": \"{SECRET}\" \"and more\",\n  \"resources\": []\n}}\n");
    place.cx.write("team.json", &text);
    for command in ["plan --template team.json", "expand team.json"] {
        let ran = place.run(command);
        assert_eq!(ran.exit, 1, "{}", ran.text());
        assert!(ran.stderr.contains("DSVM0704") && ran.stderr.contains("team.json:2:"), "{}", ran.text());
        assert!(ran.stderr.contains("\"password\": \"****") && !ran.text().contains(SECRET), "{}", ran.text());
    }
}
