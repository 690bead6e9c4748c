//! Sources: what an import may read, and what is a project.

use crate::support::{Ran, TestContext};
use std::path::Path;

const PROJECT: &str = "project lab { location = westeurope }\nshare notebooks { quota = 1 TiB\n mount = \"/data\" }\n";

/// Something that must never be shown.
const PRIVATE: &str = "hunter2-private";

fn refused_import(ran: &Ran) {
    assert_eq!(ran.exit, 1, "{}", ran.text());
    assert!(ran.text().contains("DSVM0124"), "{}", ran.text());
    assert!(!ran.text().contains(PRIVATE), "{}", ran.text());
}

fn import(path: &str) -> String {
    format!("import \"{path}\" as other\n{PROJECT}output o: string = other.x\n")
}

#[test]
fn an_import_reads_source_files_only() {
    let cx = TestContext::new();
    cx.write("notes.txt", PRIVATE);
    cx.write("key.pem/inner.dsvm", "");
    for path in ["notes.txt", "./notes.txt", "/proc/self/environ", "/etc/passwd", "/dev/zero", "key.pem", ".", ""] {
        cx.write("main.dsvm", &import(path));
        let output = cx.command("check main.dsvm").env("AZURE_CLIENT_SECRET", PRIVATE).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{path}: {text}");
        assert!(text.contains("DSVM0124"), "{path}: {text}");
        assert!(!text.contains(PRIVATE) && !text.contains("root:"), "{path}: {text}");
    }
}

#[test]
fn an_import_stays_in_the_repository() {
    let cx = TestContext::new();
    cx.write("private.dsvm", &format!("export let x = {PRIVATE} broken"));
    cx.write("cloned/.git/HEAD", "");
    cx.write("cloned/common/shared.dsvm", "export let x = \"shared\"\n");
    cx.write("cloned/lab/main.dsvm", &import("../../private.dsvm"));
    refused_import(&cx.run("check cloned/lab"));
    let absolute = cx.path().join("private.dsvm");
    cx.write("cloned/lab/main.dsvm", &import(&absolute.to_string_lossy()));
    refused_import(&cx.run("check cloned"));
    cx.write("cloned/lab/main.dsvm", &import("../common/shared.dsvm"));
    let ran = cx.run("check cloned/lab");
    assert_eq!(ran.exit, 0, "{}", ran.text());
}

/// Without a repository, the current folder limits what projects in it import.
#[test]
fn without_a_repository_an_import_stays_in_the_current_folder() {
    let cx = TestContext::new();
    cx.write("shared/common.dsvm", "export let x = \"shared\"\n");
    cx.write("lab/main.dsvm", &import("../shared/common.dsvm"));
    let ran = cx.run("check lab");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let output = cx.command("check .").current_dir(cx.path().join("lab")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("DSVM0124"), "{text}");
    let output = cx.command("check ../lab").current_dir(cx.path().join("shared")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn links_count_as_what_they_lead_to() {
    use std::os::unix::fs::symlink;
    let cx = TestContext::new();
    let outside = TestContext::new();
    let private = outside.write("private.dsvm", &format!("export let x = {PRIVATE} broken"));
    let text = outside.write("text", PRIVATE);
    cx.write("main.dsvm", &import("./link.dsvm"));
    for target in [&private, &text, Path::new("/proc/self/environ"), Path::new("/dev/zero")] {
        symlink(target, cx.path().join("link.dsvm")).unwrap();
        refused_import(&cx.run("check main.dsvm"));
        std::fs::remove_file(cx.path().join("link.dsvm")).unwrap();
    }
    cx.write("lib/real.dsvm", "export let x = \"here\"\n");
    symlink("lib/real.dsvm", cx.path().join("link.dsvm")).unwrap();
    let ran = cx.run("check main.dsvm");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    // A linked folder.
    symlink(outside.path(), cx.path().join("far")).unwrap();
    cx.write("main.dsvm", &import("./far/private.dsvm"));
    refused_import(&cx.run("check main.dsvm"));
}

/// The files of a project itself, which nobody imports.
#[cfg(unix)]
#[test]
fn a_source_file_that_leads_out_of_the_project_is_not_read() {
    use std::os::unix::fs::symlink;
    let outside = TestContext::new();
    let private = outside.write("private", &format!("output o: string = {PRIVATE}"));
    for target in [private.as_path(), Path::new("/proc/self/environ")] {
        for name in ["main.dsvm", "other.dsvm"] {
            let cx = TestContext::new();
            cx.write("project.dsvm", PROJECT);
            symlink(target, cx.path().join(name)).unwrap();
            for command in ["check .", "build .", "plan .", "fmt .", "fmt --check .", &format!("check {name}")] {
                let output = cx.command(command).env("AZURE_CLIENT_SECRET", PRIVATE).output().unwrap();
                let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                assert!(!output.status.success() && text.contains("leads out of the project"), "{command}: {text}");
                assert!(!text.contains(PRIVATE), "{command}: {text}");
            }
        }
    }
}

/// Opening a pipe would wait for somebody to write to it.
#[cfg(unix)]
#[test]
fn a_pipe_is_not_imported() {
    let cx = TestContext::new();
    let status = std::process::Command::new("mkfifo").arg(cx.path().join("pipe.dsvm")).status().unwrap();
    assert!(status.success());
    cx.write("main.dsvm", &import("./pipe.dsvm"));
    refused_import(&cx.run("check main.dsvm"));
    let ran = cx.run("apply pipe --yes");
    assert_eq!(ran.exit, 3, "{}", ran.text());
}

#[test]
fn an_import_has_a_bounded_size() {
    let cx = TestContext::new();
    let file = std::fs::File::create(cx.path().join("large.dsvm")).unwrap();
    file.set_len(64 << 30).unwrap();
    cx.write("main.dsvm", &import("./large.dsvm"));
    refused_import(&cx.run("check main.dsvm"));
    let ran = cx.run("check large.dsvm");
    assert!(ran.exit != 0 && ran.stderr.contains("16 MiB"), "{}", ran.text());
}

/// Deployed once, then the sources are lost: whatever is left of a file, it does not delete what was deployed.
#[test]
fn what_is_left_of_a_file_is_not_a_project_without_resources() {
    let cx = TestContext::new();
    cx.write("lab/lab.dsvm", PROJECT);
    let ran = cx.run("apply lab --yes");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let plan = cx.run("plan lab -o lab.plan");
    assert_eq!(plan.exit, 0, "{}", plan.text());
    let saved = cx.read("lab.plan");
    let deployed = |what: &str| {
        let shown = cx.run("plan lab/lab.dsvm --detailed-exitcode");
        assert_eq!(shown.exit, 0, "after {what}: {}", shown.text());
    };
    let cuts = ["", " ", "\n", "{", "{}", "// nothing", "share x { }", &saved[..saved.len() / 2], &saved[..40]];
    for (at, left) in cuts.iter().enumerate() {
        for name in ["lab/lab.plan", "lab/plan", "lab/lab.json", "lab/lab.dsvm.plan"] {
            cx.write(name, left);
            let ran = cx.run(&format!("apply {name} --yes --allow-delete"));
            assert_eq!(ran.exit, 1, "{name} {left:?}: {}", ran.text());
            assert!(ran.stderr.contains("DSVM0701"), "{name} {left:?}: {}", ran.text());
            std::fs::remove_file(cx.path().join(name)).unwrap();
        }
        deployed(&format!("cut {at}"));
    }
    let whole = cx.read("lab/lab.dsvm");
    for left in [
        "",
        " ",
        "\n",
        "// nothing\n",
        "let x = 1\n",
        "export let x = 1\n",
        "share notebooks {\n  quota = 1 TiB\n  mount = \"/data\"\n}\n",
    ] {
        cx.write("lab/lab.dsvm", left);
        for command in ["apply --yes --allow-delete", "plan", "build"] {
            for path in ["lab", "lab/lab.dsvm"] {
                let ran = cx.run(&format!("{command} {path}"));
                assert_eq!(ran.exit, 1, "{command} {path} {left:?}: {}", ran.text());
                assert!(ran.text().contains("DSVM0906"), "{command} {path} {left:?}: {}", ran.text());
            }
        }
    }
    cx.write("lab/lab.dsvm", &whole);
    deployed("empty sources");
    assert!(!cx.path().join("build").exists());
}

#[test]
fn a_file_that_only_exports_is_a_library() {
    let cx = TestContext::new();
    cx.write("library.dsvm", "export let x = \"shared\"\n");
    let ran = cx.run("check library.dsvm");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let ran = cx.run("build library.dsvm");
    assert!(ran.exit == 1 && ran.text().contains("name the project that imports this file"), "{}", ran.text());
    cx.write("nothing.dsvm", "let x = \"not shared\"\noutput o: string = x\n");
    let ran = cx.run("check nothing.dsvm");
    assert!(ran.exit == 1 && ran.text().contains("DSVM0906"), "{}", ran.text());
    // One mistake, one message.
    cx.write("broken.dsvm", "output o: string = nope\n");
    let ran = cx.run("check broken.dsvm --format short");
    assert!(ran.exit == 1 && !ran.text().contains("DSVM0906"), "{}", ran.text());
}

/// What a template links is read as what a project imports: regular files of the project, of bounded size.
#[cfg(unix)]
#[test]
fn a_linked_template_is_a_regular_file_of_the_project() {
    use std::os::unix::fs::symlink;
    let outside = TestContext::new();
    let private = outside.write("private.json", &format!("{{ \"resources\": \"{PRIVATE}\" }}"));
    let cx = TestContext::new();
    let at = |name: &str| cx.path().join(name);
    assert!(std::process::Command::new("mkfifo").arg(at("pipe.json")).status().unwrap().success());
    symlink("/dev/zero", at("device.json")).unwrap();
    symlink("/proc/self/environ", at("process.json")).unwrap();
    symlink(&private, at("private.json")).unwrap();
    std::fs::File::create(at("large.json")).unwrap().set_len(64 << 30).unwrap();
    let up = "../".repeat(at("x").components().count());
    let paths = [
        ("pipe.json", "it is not a regular file"),
        ("device.json", "it is outside of the repository"),
        ("process.json", "it is outside of the repository"),
        ("private.json", "it is outside of the repository"),
        ("large.json", "at most 16 MiB"),
        (&format!("{up}dev/zero"), "it is outside of the repository"),
        (&format!("{up}etc/passwd"), "it is outside of the repository"),
    ];
    for (path, why) in paths {
        let link = serde_json::json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": [{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01",
                "name": "d", "properties": { "mode": "Incremental", "templateLink": { "relativePath": path } } }] });
        cx.write("main.json", &link.to_string());
        for command in ["expand main.json", "plan --template main.json -g g --location westeurope"] {
            let output = cx.command(command).env("AZURE_CLIENT_SECRET", PRIVATE).output().unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace("\n  ", " ");
            assert_eq!(output.status.code(), Some(1), "{command} {path}: {text}");
            assert!(text.contains("cannot be read") && text.contains(why), "{command} {path}: {text}");
            assert!(!text.contains(PRIVATE) && !text.contains("root:"), "{command} {path}: {text}");
        }
    }
}

/// Many links of one large file.
#[test]
fn all_linked_templates_together_have_a_bounded_size() {
    let cx = TestContext::new();
    let blank = " ".repeat(12 << 20);
    cx.write("part.json", &format!("{{ \"resources\": [] }}{blank}"));
    let link = |n: usize| {
        serde_json::json!({ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01",
            "name": format!("d{n}"), "properties": { "mode": "Incremental", "templateLink": { "relativePath": "part.json" } } })
    };
    let main = serde_json::json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": (0..3).map(link).collect::<Vec<_>>() });
    cx.write("main.json", &main.to_string());
    for command in ["expand main.json", "plan --template main.json -g g --location westeurope"] {
        let ran = cx.run(command);
        assert!(ran.exit == 1 && ran.text().contains("more than 32 MiB together"), "{command}: {}", ran.text());
    }
}
