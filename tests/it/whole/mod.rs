//! A project as teams write it: several files, imports, types and functions of its own, pools from a list, a base, an
//! override, an image of a gallery. From source to resources that exist, and a second plan with nothing to do.

use crate::support::TestContext;

const FILES: &[(&str, &str)] = &[
    ("lab/project.dsvm", include_str!("lab/project.dsvm")),
    ("lab/pools.dsvm", include_str!("lab/pools.dsvm")),
    ("shared/common.dsvm", include_str!("shared/common.dsvm")),
];
const KEY: &str = "admin_key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2nAbq0a0VYkPp1Vd0yq5M4o6w5o3nYzC1o0b5nZ0xk ada";

fn project() -> TestContext {
    let cx = TestContext::new();
    for (name, text) in FILES {
        cx.write(name, text);
    }
    cx
}

#[test]
fn a_project_of_several_files_is_deployed_and_then_has_nothing_to_do() {
    let cx = project();
    let run = |arguments: &str| {
        let done = cx.command(arguments).args(["--set", KEY]).output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments}: {told}");
        told
    };
    assert_eq!(cx.run("check lab").exit, 0);
    let applied = run("apply lab --yes --target local");
    assert!(applied.contains("33 created"), "{applied}");
    assert!(applied.contains("team-pool-vision-"), "{applied}");
    let planned = run("plan lab --target local");
    assert!(planned.contains("Nothing to do"), "{planned}");
}

#[test]
fn what_the_files_say_is_in_the_template() {
    let cx = project();
    assert_eq!(cx.run("build lab --out out").exit, 0);
    let template: serde_json::Value = serde_json::from_str(&cx.read("out/lab/template.json")).unwrap();
    let sets: Vec<&serde_json::Value> = template["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["type"] == "Microsoft.Compute/virtualMachineScaleSets")
        .collect();
    let seen: Vec<(&str, &str, &str)> = sets
        .iter()
        .map(|set| {
            let image = &set["properties"]["virtualMachineProfile"]["storageProfile"]["imageReference"];
            let image = image["offer"].as_str().unwrap_or("of the gallery");
            (set["name"].as_str().unwrap(), set["sku"]["name"].as_str().unwrap(), image)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("vmss-team-pool-vision", "Standard_NC24ads_A100_v4", "ubuntu-2204"),
            ("vmss-team-pool-speech", "Standard_D4s_v5", "of the gallery"),
            ("vmss-team-pool-risk", "Standard_B16s_v2", "of the gallery"),
        ]
    );
    for set in sets {
        assert_eq!(set["properties"]["zoneBalance"], false);
        assert_eq!(set["tags"]["owner"], "platform");
        assert_eq!(set["tags"]["checked"], "yes");
    }
    assert_eq!(template["outputs"]["addresses"]["type"], "array");
}

#[test]
fn a_rule_of_the_project_holds_for_every_pool() {
    let cx = project();
    let text = FILES[0].1.replace("int in 1..50 = 10", "int in 1..50 = 5");
    cx.write("lab/project.dsvm", &text);
    let checked = cx.run("check lab --format short");
    assert_eq!(checked.exit, 1);
    assert!(checked.stdout.contains("ask platform@ before growing past 5"), "{}", checked.text());
}

#[test]
fn a_file_beside_the_main_one_is_not_forgotten_in_silence() {
    let cx = project();
    std::fs::rename(cx.path().join("lab/project.dsvm"), cx.path().join("lab/main.dsvm")).unwrap();
    let checked = cx.run("check lab --format short");
    assert!(checked.stdout.contains("nothing imports `pools.dsvm`"), "{}", checked.text());
    // Once it is imported all is well, by whatever way the folder is named.
    let main = cx.read("lab/main.dsvm");
    cx.write("lab/main.dsvm", &format!("import \"./pools.dsvm\"\n{main}"));
    for path in ["lab", "./lab/", "lab/../lab"] {
        let checked = cx.run(&format!("check {path} --format short"));
        assert!(!checked.text().contains("nothing imports"), "{path}: {}", checked.text());
    }
}
