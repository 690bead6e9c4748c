//! Realistic mistakes: each gives exactly one error, at the place that the file marks with `// <- here`, with a way out.
//! The drawn message stands beside the file.

use crate::catalogue::{OneFile, WithData};
use crate::dsvmc_snapshot;
use crate::support::TestContext;
use dsvm_diagnostics::Severity;
use dsvm_diagnostics::source::Span;
use dsvmc::driver::{self, Options, Stop};
use dsvmc::render::palette::Palette;
use dsvmc::render::snippet;

/// Comment that ends the line of the mistake.
const MARK: &str = "// <- here";

#[test]
fn every_mistake_gives_one_error_at_its_place_with_a_way_out() {
    insta::with_settings!({ snapshot_path => "../mistakes", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../mistakes", "*.dsvm", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy();
            let marked = text.lines().position(|line| line.contains(MARK)).expect("the file marks the place") as u32 + 1;
            let options = Options { stop: Stop::AfterEmission };
            let world = WithData(OneFile(text), &data_beside(path));
            let found = driver::compile(&world, Path::new("main.dsvm"), options).unwrap();
            let errors: Vec<_> = found.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
            let drawn: String =
                errors.iter().map(|d| snippet::one(&found.sources, d, Palette::plain()) + "\n").collect();
            assert_eq!(errors.len(), 1, "{name}: one mistake, one error:\n{drawn}");
            // A mistake in a data file is marked at the import.
            let main = |span: &Span| &*found.sources.get(span.source).unwrap().name == "main.dsvm";
            let mut places = errors[0].primary().into_iter().chain(errors[0].labels.iter().map(|label| label.span));
            let span = places.find(main).unwrap();
            let (line, _) = found.sources.get(span.source).unwrap().line_column(span.start);
            assert_eq!(line, marked, "{name}: the error is on another line:\n{drawn}");
            assert!(!errors[0].help.is_empty(), "{name}: no way out:\n{drawn}");
            insta::assert_snapshot!("message", drawn);
        });
    });
}

/// The data file with the name of a mistake, which the mistake imports.
fn data_beside(path: &std::path::Path) -> Vec<(String, String)> {
    let read = |end| {
        let file = path.with_extension(end);
        let text = std::fs::read_to_string(&file).ok()?;
        Some((file.file_name()?.to_string_lossy().into_owned(), text))
    };
    dsvm_sema::load::extensions().filter(|end| *end != "dsvm").filter_map(read).collect()
}

#[test]
fn files_that_import_each_other_are_told_once() {
    let cx = TestContext::new();
    cx.write("one.dsvm", "import { b } from \"./two.dsvm\"\nexport let a = b\n");
    cx.write("two.dsvm", "import { a } from \"./one.dsvm\"\nexport let b = a\n");
    cx.write(
        "main.dsvm",
        "project p { location = westeurope }\nimport { a } from \"./one.dsvm\"\noutput a: string = a\n",
    );
    dsvmc_snapshot!(cx, "check . --format short", @r"
    exit: 1
    --- stdout
    two.dsvm:1:19: error[DSVM0105]: import cycle: `one.dsvm` → `two.dsvm` → `one.dsvm` (help: move the shared declarations into a third file)
    --- stderr
    ");
    let cx = TestContext::new();
    cx.write(
        "main.dsvm",
        "import { x } from \"./main.dsvm\"\nproject p { location = westeurope }\noutput a: string = x\n",
    );
    dsvmc_snapshot!(cx, "check . --format short", @r"
    exit: 1
    --- stdout
    main.dsvm:1:19: error[DSVM0105]: import cycle: `main.dsvm` → `main.dsvm` (help: move the shared declarations into a third file)
    --- stderr
    ");
}

/// Two files that need the same third one are no circle.
#[test]
fn a_file_can_be_imported_twice() {
    let cx = TestContext::new();
    cx.write("base.dsvm", "export let region = \"westeurope\"\n");
    cx.write("one.dsvm", "import { region } from \"./base.dsvm\"\nexport let a = region\n");
    cx.write("two.dsvm", "import { region } from \"./base.dsvm\"\nexport let b = region\n");
    cx.write(
        "main.dsvm",
        "import { a } from \"./one.dsvm\"\nimport { b } from \"./two.dsvm\"\nproject p { location = a }\noutput b: string = b\n",
    );
    dsvmc_snapshot!(cx, "check . --format short", @r"
    exit: 0
    --- stdout
    --- stderr
    ");
}

/// What is known about a role holds for its GUID, in any spelling.
#[test]
fn the_guid_of_a_privileged_role_is_that_role() {
    for guid in ["8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "8E3AF657A8FF443CA75C2FE8C4BCB635"] {
        let text = format!(
            "project p {{ location = westeurope }}\nidentity worker {{\n  grant \"{guid}\" on resource_group\n}}\noutput id: string = worker.client_id\n"
        );
        let found =
            driver::compile(&OneFile(text), std::path::Path::new("main.dsvm"), Options { stop: Stop::AfterEmission })
                .unwrap();
        let slugs: Vec<_> = found.diagnostics.iter().map(|d| d.code.slug()).collect();
        assert_eq!(slugs, ["privileged-role"], "{:?}", found.diagnostics);
    }
}

/// What a field would refuse or warn of is refused or warned of in ARM's own words too, and nothing else is.
#[test]
fn arm_words_open_no_door_that_a_field_keeps_closed() {
    let rule = |more: &str| {
        format!(
            "resource door: \"Microsoft.Network/networkSecurityGroups/securityRules@2024-05-01\" {{\n  name = \"nsg/door\"\n  properties = {{ \
             priority = 200, protocol = \"Tcp\", sourcePortRange = \"*\", destinationAddressPrefix = \"*\", {more} }}\n}}\n"
        )
    };
    let role = |guid: &str| {
        format!(
            "resource role: \"Microsoft.Authorization/roleAssignments@2022-04-01\" {{\n  name = \"11111111-1111-4111-8111-111111111111\"\n  \
             properties = {{ principalId = \"22222222-2222-4222-8222-222222222222\", roleDefinitionId = \"/providers/Microsoft.Authorization/roleDefinitions/{guid}\" }}\n}}\n"
        )
    };
    let storage = |more: &str| {
        format!(
            "resource data: \"Microsoft.Storage/storageAccounts@2023-05-01\" {{\n  name = \"stdata4711\"\n  sku = {{ name = \"Standard_LRS\" }}\n  \
             kind = \"StorageV2\"\n  properties = {{ {more} }}\n}}\n"
        )
    };
    let inbound = "access = \"Allow\", direction = \"Inbound\"";
    for (text, told) in [
        (
            rule(&format!("{inbound}, destinationPortRange = \"22\", sourceAddressPrefix = \"0.0.0.0/0\"")),
            &["open-to-everyone"][..],
        ),
        (
            rule(&format!(
                "{inbound}, destinationPortRange = \"22\", sourceAddressPrefixes = [\"::/1\", \"8000::/1\"]"
            )),
            &["open-to-everyone"],
        ),
        (
            rule(&format!("{inbound}, destinationPortRanges = [\"22\", \"3389\"], sourceAddressPrefix = \"Internet\"")),
            &["password-open-to-internet"],
        ),
        (
            rule(&format!("{inbound}, destinationPortRange = \"*\", sourceAddressPrefix = \"*\"")),
            &["password-open-to-internet"],
        ),
        (rule(&format!("{inbound}, destinationPortRange = \"22\", sourceAddressPrefix = \"Internet\"")), &[]),
        (rule(&format!("{inbound}, destinationPortRange = \"3389\", sourceAddressPrefix = \"10.0.0.0/8\"")), &[]),
        (
            rule(
                "access = \"Deny\", direction = \"Inbound\", destinationPortRange = \"*\", sourceAddressPrefix = \"0.0.0.0/0\"",
            ),
            &[],
        ),
        (
            rule(
                "access = \"Allow\", direction = \"Outbound\", destinationPortRange = \"*\", sourceAddressPrefix = \"0.0.0.0/0\"",
            ),
            &[],
        ),
        (role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), &["privileged-role"]),
        (role("acdd72a7-3385-48ef-bd42-f606fba81ae7"), &[]),
        (storage("supportsHttpsTrafficOnly = false"), &["storage-opened"]),
        (storage("allowBlobPublicAccess = true"), &["storage-opened"]),
        (storage("networkAcls = { defaultAction = \"Allow\" }"), &["storage-opened"]),
        (storage("allowBlobPublicAccess = false, networkAcls = { defaultAction = \"Deny\" }"), &[]),
    ] {
        let source = format!("project p {{ location = westeurope }}\n{text}");
        let found =
            driver::compile(&OneFile(source), std::path::Path::new("main.dsvm"), Options { stop: Stop::AfterEmission })
                .unwrap();
        let slugs: Vec<_> = found.diagnostics.iter().map(|d| d.code.slug()).collect();
        assert_eq!(slugs, told, "{text}{:?}", found.diagnostics);
    }
}

/// dsvmc writes no location where only the service sets one, and so does not warn of its own property.
#[test]
fn a_secret_of_a_vault_gets_no_location() {
    let cx = TestContext::new();
    cx.write(
        "main.dsvm",
        "project p { location = westeurope }\nexisting vault keys { name = \"kv-research\" }\nsecret param token: string\n\
         resource entry: \"Microsoft.KeyVault/vaults/secrets@2023-07-01\" {\n  name = \"${keys.name}/token\"\n  \
         properties = { value = token }\n}\n",
    );
    dsvmc_snapshot!(cx, "check . --format short", @r"
    exit: 0
    --- stdout
    --- stderr
    ");
}
