//! Projects that are destroyed and applied again, while Azure still keeps what was deleted.

use crate::support::TestContext;

/// A run that must succeed; standard output and error together.
fn run(cx: &TestContext, arguments: &str, more: &[&str]) -> String {
    let done = cx.command(arguments).args(more).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments}: {told}");
    told
}

const VAULT: &str = "project v { location = westeurope }\nvault keys { access = public }\n";

#[test]
fn a_vault_with_purge_protection_comes_back_with_the_next_apply() {
    let cx = TestContext::new();
    cx.write("main.dsvm", VAULT);
    run(&cx, "apply --yes --target local", &[]);
    let destroyed = run(&cx, "destroy --yes --allow-delete --target local", &[]);
    assert!(destroyed.contains("is kept for 90 days and its name stays taken in all of Azure"), "{destroyed}");
    assert!(destroyed.contains("it cannot be purged before"), "{destroyed}");

    // the retention of a vault is fixed when it is created, also while it is deleted
    cx.write("main.dsvm", &VAULT.replace("access = public", "access = public, retention = 30 days"));
    let refused = cx.run("apply --yes --target local");
    assert_eq!(refused.exit, 1, "{}", refused.text());
    assert!(refused.text().contains("its retention is 90 days and never changes"), "{}", refused.text());
    assert!(refused.text().contains("write `retention = 90 days`"), "{}", refused.text());

    cx.write("main.dsvm", VAULT);
    let planned = run(&cx, "plan --target local", &[]);
    assert!(planned.contains("is recovered before the deployment, with its secrets"), "{planned}");
    run(&cx, "apply --yes --target local", &[]);
    let planned = run(&cx, "plan --target local", &[]);
    assert!(planned.contains("Nothing to do"), "{planned}");
}

#[test]
fn the_first_example_is_destroyed_and_applied_again_as_on_azure() {
    let cx = TestContext::new();
    cx.write("main.dsvm", include_str!("../../examples/01-shared-pool/main.dsvm"));
    let password = ["--set", "jupyterhub_password=Correct-Horse-7-Battery"];
    run(&cx, "apply --env team --yes --target local", &password);
    let destroyed = run(&cx, "destroy --env team --yes --allow-delete --target local", &[]);
    assert!(destroyed.contains("is kept for 90 days and its name stays taken"), "{destroyed}");
    assert!(destroyed.contains("a new account of that name is empty"), "{destroyed}");
    let again = run(&cx, "apply --env team --yes --target local", &password);
    assert!(again.contains("is recovered before the deployment"), "{again}");
    let planned = run(&cx, "plan --env team --target local", &password);
    assert!(planned.contains("Nothing to do"), "{planned}");
}
