//! Emission: turns a resource graph into templates, parameter files and a map back to the source.
//!
//! Promises: the same graph gives the same bytes; each template stays within Resource Manager's limits, and a project
//! that outgrows one is split into several deployments in the order of their dependencies. The templates also work with
//! `az deployment group create`.

pub mod jobs;
pub mod diags;
mod elsewhere;
mod limits;
mod parameters;
mod places;
mod split;
mod template;

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_graph::ResourceGraph;
use dsvm_graph::json::{Json, Map};
use dsvm_sema::checked::{Checked, Clean};
use indexmap::IndexMap;
use rayon::prelude::*;

pub use limits::{Bodies, check};

/// Everything that is written for a project.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// In the order in which they are deployed; more than one only when a project outgrows one template.
    pub deployments: Vec<Deployment>,
    /// Other files of the project: path below its folder, text. First jobs of batch pools.
    pub files: Vec<(String, String)>,
}

/// One template with its parameter files.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `main`, or `shared`, `pools-1`, `pools-2`, …
    pub name: String,
    /// The template as JSON of the graph; texts of the program are borrowed.
    pub template: Json,
    /// JSON pointer into the template, and where that part was written.
    pub provenance: Vec<(String, Span)>,
    /// JSON pointer into the template, and why that value is what it is although nobody wrote it, in one clause.
    pub causes: Vec<(String, String)>,
    /// Parameter files by env; the name is empty when the project has no env.
    pub parameters: IndexMap<String, Json>,
    /// Deployments that come before.
    pub depends_on: Vec<String>,
}

/// Writes templates and parameter files of a graph without errors; limits that only a whole template shows are reported.
#[must_use]
pub fn emit(graph: Clean<ResourceGraph>, checked: &Checked, sink: &mut Sink) -> Artifacts {
    let mut graph = graph.into_inner();
    let groups = split::split(&graph);
    // The bodies move into the templates, unless they are rewritten for another group; what is left of the nodes is what others refer to.
    let bodies: Vec<Vec<Map>> = match elsewhere::has_any(&graph) {
        false => groups.iter().map(|group| template::take_bodies(&mut graph, group)).collect(),
        true => vec![Vec::new(); groups.len()],
    };
    let graph = &graph;
    let names: Vec<String> = split::names(&groups);
    let places = places::Places::new(checked);
    let written: Vec<(Deployment, Sink)> = groups
        .par_iter()
        .zip(&names)
        .zip(bodies)
        .map(|((group, name), bodies)| {
            let mut own = Sink::default();
            let (template, trace) = template::write(graph, checked, &places, (group, bodies), groups.len() == 1);
            let parameters = parameters::files(checked, &template);
            limits::check_template(checked, graph, &template, &mut own);
            let depends_on = group.after.iter().filter_map(|g| names.get(*g).cloned()).collect();
            let template::Trace { places: provenance, causes } = trace;
            (Deployment { name: name.clone(), template, provenance, causes, parameters, depends_on }, own)
        })
        .collect();
    let mut deployments = Vec::with_capacity(written.len());
    for (deployment, own) in written {
        sink.extend(own.finish());
        deployments.push(deployment);
    }
    Artifacts { deployments, files: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_sema::table::BlockKind;

    const RESEARCH: &str = r#"
import std.images
import std.sizes

project research {
  location = westus2
  tags     = { team = "research" }
}

/// Most machines that pools may have.
param max_machines: int in 1..100 = 10

vault passwords { access = private_endpoint }

share notebooks {
  protocol = smb
  quota    = 1 TiB
  mount    = "/datamnt/dsvmshare"
  access   = service_endpoint
  link "~/notebooks/remote" to "notebooks/{user}"
}

output most: int = max_machines
"#;

    const POOL: &str = r#"
  image    = images.ubuntu_2204
  size     = sizes.Standard_D8s_v5
  machines = 0..10
  shares   = [notebooks]
  vault    = passwords
  serve    = [ssh, jupyterhub]

  admin {
    name            = "dsvmuser"
    key             = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLVd3mFLZcQhJbVnWjTyKhBjQlyHsMHVeFoJQVYSDmQ ops@example.org"
    password_secret = "dsvmuser"
  }

  allow ssh from [203.0.113.0/24]
  allow jupyterhub from [203.0.113.0/24]

  autoscale {
    timezone = "Pacific Standard Time"
    when avg(cpu, 10 min) > 75% { add 1 }
    when avg(cpu, 10 min) < 25% { remove 1 }
    schedule workday { on mon..fri from 08:00 to 19:00, machines = 2..10 }
    schedule nights { on mon..sun from 19:00 to 08:00, machines = 0..2 }
  }
}
"#;

    const MORE: &str = r#"
network machines { }
identity robot { }
existing registry images_of_ours { name = "labimages" }
resource logs: "Microsoft.OperationalInsights/workspaces@2025-07-01" { }
batch_account account { }
workspace lab { }
container corpus { mount = "/data/corpus" }
pool nightly: batch {
  service    = azure_batch
  account    = account
  image      = images.ubuntu_hpc
  size       = sizes.Standard_D8s_v5
  machines   = 0..4
  containers = [corpus]
}
"#;

    /// Ubuntu data science machines behind one address, a share with links, autoscale by day; so many times.
    fn research(pools: usize) -> String {
        let name = |index| if pools == 1 { "team".to_owned() } else { format!("team_{index}") };
        let all = (0..pools).map(|index| format!("\npool {}: interactive {{{POOL}", name(index)));
        RESEARCH.to_owned() + &all.collect::<String>()
    }

    fn compile(text: &str) -> (Artifacts, Vec<dsvm_diagnostics::Diagnostic>) {
        let mut sink = Sink::default();
        let checked = &dsvm_sema::check_text(text, &mut sink);
        let fleet = dsvm_model::build(checked, jiff::civil::date(2026, 11, 23), &mut sink);
        let (graph, _) = check(&fleet, checked, Bodies::Kept, &mut sink);
        let clean = Clean::new(graph, &sink).unwrap_or_else(|| panic!("{:#?}", sink.as_slice()));
        let artifacts = emit(clean, checked, &mut sink);
        // A hint is not a finding: the sample has a rule that removes machines.
        let mut found = sink.finish();
        found.retain(|finding| finding.severity != dsvm_diagnostics::Severity::Info);
        (artifacts, found)
    }

    #[test]
    fn the_pool_of_the_sample() {
        let (artifacts, diagnostics) = compile(&research(1));
        assert_eq!(diagnostics, []);
        let [main] = artifacts.deployments.as_slice() else { panic!("one deployment") };
        if let Ok(path) = std::env::var("DSVMC_TEST_OUT") {
            std::fs::write(path, main.template.pretty()).unwrap();
        }
        let mut template = main.template.clone().into_value();
        template["variables"]["dsvmcMachine"] = "(the program)".into();
        let sets = template["resources"].as_array_mut().unwrap().iter_mut();
        for set in sets.filter(|set| set["type"] == "Microsoft.Compute/virtualMachineScaleSets") {
            let profile = &mut set["properties"]["virtualMachineProfile"];
            let setup = &mut profile["extensionProfile"]["extensions"][0]["properties"];
            setup["settings"]["timestamp"] = "(of the digest)".into();
            setup["forceUpdateTag"] = "(with the digest)".into();
        }
        insta::assert_json_snapshot!(template);
    }

    #[test]
    fn a_thousand_pools_are_split_and_stay_within_limits() {
        let (artifacts, diagnostics) = compile(&research(1000));
        assert_eq!(diagnostics, []);
        assert!(artifacts.deployments.len() > 8);
        let mut before: Vec<&str> = Vec::new();
        for deployment in &artifacts.deployments {
            let template = &deployment.template;
            let count = template.get("resources").unwrap().as_array().unwrap().len();
            assert!(count <= 800, "{} has {count}", deployment.name);
            let text = template.pretty();
            assert!(text.len() < 4 << 20, "{} has {} bytes", deployment.name, text.len());
            assert!(template.get("outputs").and_then(Json::as_object).map_or(0, Map::len) <= 64);
            assert!(template.get("parameters").and_then(Json::as_object).map_or(0, Map::len) <= 256);
            for name in &deployment.depends_on {
                assert!(before.contains(&name.as_str()), "{} before {}", name, deployment.name);
            }
            before.push(&deployment.name);
        }
    }

    #[test]
    fn the_same_graph_gives_the_same_bytes() {
        let one = compile(&research(7)).0.deployments[0].template.pretty();
        let two = compile(&research(7)).0.deployments[0].template.pretty();
        assert_eq!(one, two);
    }

    #[test]
    fn an_ephemeral_disk_has_the_size_that_is_written() {
        let text = research(1)
            .replace("Standard_D8s_v5", "Standard_D8ds_v5")
            .replace("  machines = 0..10\n", "  machines = 0..10\n  os_disk = ephemeral\n  os_disk_size = 200 GiB\n");
        let (artifacts, diagnostics) = compile(&text);
        assert_eq!(diagnostics, []);
        let template = artifacts.deployments[0].template.clone().into_value();
        let resources = template["resources"].as_array().unwrap();
        let disk = resources
            .iter()
            .find_map(|r| r.pointer("/properties/virtualMachineProfile/storageProfile/osDisk"))
            .expect("a scale set");
        assert_eq!(disk["diskSizeGB"], 200);
        assert_eq!(disk["diffDiskSettings"]["option"], "Local");
    }

    /// An attribute that the table has and the graph does not know would be refused as not available.
    #[test]
    fn each_attribute_of_the_table_has_an_expression() {
        let declared = [
            (BlockKind::Vault, "passwords"),
            (BlockKind::Share, "notebooks"),
            (BlockKind::Pool, "team"),
            (BlockKind::Network, "machines"),
            (BlockKind::Identity, "robot"),
            (BlockKind::Resource, "logs"),
            (BlockKind::BatchAccount, "account"),
            (BlockKind::Workspace, "lab"),
            (BlockKind::Container, "corpus"),
            (BlockKind::Registry, "images_of_ours"),
            (BlockKind::BatchPool, "nightly"),
        ];
        let mut text =
            research(1).replace("  vault    = passwords", "  vault    = passwords\n  identity = robot") + MORE;
        let mut count = 0;
        for spec in
            BlockKind::ALL.iter().map(|kind| dsvm_sema::table::spec(*kind)).filter(|s| s.kind != BlockKind::Project)
        {
            for (attribute, _, _) in spec.attributes {
                let (_, name) = declared.iter().find(|(kind, _)| *kind == spec.kind).expect("one of each kind");
                text.push_str(&format!("output of_{name}_{attribute} = {name}.{attribute}\n"));
                count += 1;
            }
        }
        let (artifacts, diagnostics) = compile(&text);
        assert_eq!(diagnostics, []);
        let template = artifacts.deployments[0].template.clone().into_value();
        let outputs: Vec<_> =
            template["outputs"].as_object().unwrap().iter().filter(|(name, _)| name.starts_with("of_")).collect();
        assert_eq!(outputs.len(), count);
        for (name, output) in outputs {
            assert!(!output["value"].as_str().unwrap().contains("null()"), "{name}: {output}");
        }
    }
}
