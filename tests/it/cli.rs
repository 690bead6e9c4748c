//! The frame of the command line: exit codes, streams, errors of the world.

use crate::dsvmc_snapshot;
use crate::support::TestContext;

#[test]
fn a_missing_file_is_the_worlds_fault() {
    let cx = TestContext::new();
    dsvmc_snapshot!(cx, "check nowhere.dsvm", @r"
    exit: 3
    --- stdout
    --- stderr
    error[DSVM0901]: cannot read `nowhere.dsvm`
      = caused by: No such file or directory (os error 2)
      = help: check the spelling of the path and the folder that you are in
    ");
}

#[test]
fn a_folder_without_sources_is_told() {
    let cx = TestContext::new();
    cx.write("notes/readme.txt", "nothing here");
    dsvmc_snapshot!(cx, "check notes", @r"
    exit: 3
    --- stdout
    --- stderr
    error[DSVM0902]: there is no `.dsvm` file in `notes`
      = help: run `dsvmc init` to write a first file
    ");
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    let cx = TestContext::new();
    assert_eq!(cx.run("chekc").exit, 64);
    assert_eq!(cx.run("explain nonsense").exit, 64);
    let help = cx.run("--help");
    assert_eq!(help.exit, 0);
    assert!(help.stdout.contains("check"), "{}", help.stdout);
    assert_eq!(help.stderr, "");
}
