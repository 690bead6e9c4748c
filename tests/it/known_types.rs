//! What is written in ARM's own words is held against the known types.

use crate::pool::compile;

fn pool(rest: &str) -> String {
    format!(
        "project p {{ location = westeurope }}\nimport std.images\nimport std.sizes\nparam most: int in 1..9 = 3\n\
         pool team: interactive {{\n  image = images.ubuntu_2204\n  size = sizes.Standard_D8s_v5\n  machines = 2\n  serve = [ssh]\n  \
         admin {{ name = \"dsvmuser\", key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b\" }}\n  \
         allow ssh from [203.0.113.0/24]\n  {rest}\n}}\n"
    )
}

fn resource(ty: &str, body: &str) -> String {
    format!("project p {{ location = westeurope }}\nparam days: int = 30\nresource ones: \"{ty}\" {{\n  {body}\n}}\n")
}

#[test]
fn good_words_pass() {
    assert_eq!(compile(&pool("override scale_set { properties = { zoneBalance = false } }")).findings(), "");
    let logs = "Microsoft.OperationalInsights/workspaces@2025-07-01";
    assert_eq!(
        compile(&resource(logs, "properties = { retentionInDays = days, sku = { name = \"PerGB2018\" } }")).findings(),
        ""
    );
    // A type that nobody here knows is taken as it is.
    assert_eq!(
        compile(&resource("Contoso.Data/tables@2024-01-01", "properties = { anything = [1, 2] }")).findings(),
        ""
    );
}

#[test]
fn one_slip_gives_one_finding() {
    let logs = "Microsoft.OperationalInsights/workspaces@2025-07-01";
    for (program, wanted) in [
        (
            pool("override scale_set { properties = { zoneBalanced = false } }"),
            "type-disagrees `zoneBalanced`: `properties.zoneBalanced` is not a property of `Microsoft.Compute/virtualMachineScaleSets`\n",
        ),
        (
            resource(logs, "properties = { sku = { nam = \"PerGB2018\" } }"),
            "type-disagrees `nam`: `properties.sku.nam` is not a property of `Microsoft.OperationalInsights/workspaces`\n",
        ),
        (
            resource(logs, "properties = { retentionInDays = \"thirty\" }"),
            "type-disagrees `\"thirty\"`: `properties.retentionInDays` is a string, but must be a whole number\n",
        ),
        (
            resource("Microsoft.OperationalInsights/workspace@2025-07-01", "properties = {}"),
            "unknown-resource-type `ones`: the resource type `Microsoft.OperationalInsights/workspace` is not known\n",
        ),
        (
            resource("Microsoft.BatchAI/workspaces@2018-05-01", "properties = {}"),
            "retired-resource-type `ones`: `Microsoft.BatchAI/workspaces` belongs to Batch AI, which has been retired\n",
        ),
    ] {
        assert_eq!(compile(&program).findings(), wanted, "{program}");
    }
}
