//! `[deploy]` of `dsvmc.toml`: where a project is deployed, what wins, and that a stranger's file sends nothing anywhere.

use crate::support::TestContext;

const PROJECT: &str =
    "project lab {\n  location = westeurope\n}\n\nshare work {\n  quota = 1 TiB\n  mount = \"/data\"\n}\n";

fn project(settings: &str) -> TestContext {
    let cx = TestContext::new();
    cx.write("pools/main.dsvm", PROJECT);
    cx.write("dsvmc.toml", settings);
    cx
}

#[test]
fn a_plan_says_first_where_it_deploys_to_and_who_says_so() {
    let cx = project("[deploy]\ntarget = \"local\"\nresource-group = \"rg-of-the-file\"\n");
    let ran = cx.run("plan pools");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let first = ran.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("lab on local, resource group rg-of-the-file (target `local` from `dsvmc.toml`"),
        "{first}"
    );
    assert!(ran.stdout.contains("resource group from `dsvmc.toml`"), "{}", ran.text());
    // The nearest file wins, flags win over files, and what the source says over a file.
    cx.write("pools/dsvmc.toml", "[deploy]\nresource-group = \"rg-near\"\n");
    assert!(cx.run("plan pools").stdout.contains("resource group rg-near"), "{}", cx.run("plan pools").text());
    let flag = cx.run("plan pools -g rg-flag --target local").stdout;
    assert!(flag.starts_with("lab on local, resource group rg-flag\n"), "{flag}");
    cx.write("pools/main.dsvm", &PROJECT.replace("westeurope\n", "westeurope\n  resource_group = \"rg-source\"\n"));
    let source = cx.run("plan pools --target local").stdout;
    assert!(source.starts_with("lab on local, resource group rg-source\n"), "{source}");
}

#[test]
fn an_address_in_a_file_is_refused_before_anything_is_sent() {
    // A listener that nobody may talk to.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    for entry in [format!("cloud = \"{address}\""), format!("endpoint = \"{address}\""), format!("arm = \"{address}\"")]
    {
        let cx = project(&format!("[deploy]\ntarget = \"azure\"\n{entry}\n"));
        for command in [
            "plan pools",
            "apply pools --yes",
            "destroy pools --yes",
            "status pools",
            "show pools",
            "outputs pools",
            "doctor pools",
        ] {
            let ran = cx.run(&format!("{command} --credential none --tries 1"));
            assert_eq!(ran.exit, 1, "{command}\n{}", ran.text());
            assert!(ran.text().contains("DSVM0605"), "{command}\n{}", ran.text());
            assert!(listener.accept().is_err(), "{command} talked to {address}");
        }
    }
}

#[test]
fn flags_win_over_the_cloud_of_a_file() {
    let id = "00000000-0000-0000-0000-000000000001";
    let cx = project(&format!("[deploy]\ntarget = \"azure\"\ncloud = \"china\"\nsubscription = \"{id}\"\n"));
    let ran = cx.run("plan pools --cloud http://127.0.0.1:1 --credential none --tries 1");
    assert_ne!(ran.exit, 0, "{}", ran.text());
    assert!(ran.text().contains("127.0.0.1:1") && !ran.text().contains("chinacloudapi"), "{}", ran.text());
}

#[test]
fn lint_tells_of_a_mistake_too_and_a_rule_of_it_stops_no_plan() {
    let cx = project("[deploy]\ntarget = \"azur\"\n");
    let ran = cx.run("lint pools --format short");
    assert!(ran.stdout.contains("dsvmc.toml:2:10: error[DSVM0605]: `azur` is no target"), "{}", ran.text());
    let cx = project("[lint]\nno-such-rule = \"off\"\n");
    assert_eq!(cx.run("plan pools").exit, 0);
    assert_eq!(cx.run("lint pools").exit, 1);
}
