//! Microsoft.MachineLearningServices/workspaces/computes: clusters (`AmlCompute`) with machines that come and go; every
//! other kind of compute is stored as sent.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::lro::Style;
use crate::nodes;
use crate::nodes::memory::Memory;
use crate::rule::{Rule, WriteContext};
use crate::types::security;

/// A compute of a workspace.
pub struct Compute;

fn invalid(message: impl Into<String>) -> ArmError {
    ArmError::bad("BadArgument", message)
}

fn is_cluster(body: &Value) -> bool {
    let kind = body.pointer("/properties/computeType").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("AmlCompute"))
}

impl Rule for Compute {
    fn style(&self, _created: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn check_delete_request(&self, request: &Request) -> Result<(), ArmError> {
        match request.query("underlyingResourceAction") {
            Some("Delete" | "Detach") => Ok(()),
            _ => Err(invalid("The query parameter 'underlyingResourceAction' is required: 'Delete' or 'Detach'.")),
        }
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        security::identity(put)?;
        put.set("/properties/provisioningState", json!("Succeeded"));
        if !is_cluster(&put.body) {
            return Ok(());
        }
        let name = put.path.name();
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !(2..=32).contains(&name.len()) || !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(invalid(format!(
                "The compute name '{name}' is invalid: 2 to 32 letters, digits and hyphens, a letter first."
            )));
        }
        const INNER: &str = "/properties/properties";
        if put.text(&format!("{INNER}/vmSize")).is_none() {
            return Err(invalid("A cluster needs a vmSize."));
        }
        let count = |key: &str| put.at(&format!("{INNER}/scaleSettings/{key}")).and_then(Value::as_i64);
        let (least, most) = (count("minNodeCount").unwrap_or(0), count("maxNodeCount"));
        match most {
            Some(most) if (0..=most).contains(&least) => {}
            Some(most) => {
                return Err(invalid(format!("minNodeCount {least} is not between 0 and maxNodeCount {most}.")));
            }
            None => return Err(invalid("scaleSettings needs a maxNodeCount.")),
        }
        let now = put.cx.now.to_string();
        for (key, value) in [
            ("scaleSettings/minNodeCount", json!(0)),
            ("scaleSettings/nodeIdleTimeBeforeScaleDown", json!("PT120S")),
            ("vmPriority", json!("Dedicated")),
            ("osType", json!("Linux")),
            ("remoteLoginPortPublicAccess", json!("NotSpecified")),
            ("enableNodePublicIp", json!(true)),
            ("isolatedNetwork", json!(false)),
            ("errors", json!([])),
        ] {
            put.default(&format!("{INNER}/{key}"), value);
        }
        if let Some(user) =
            put.body.pointer_mut(&format!("{INNER}/userAccountCredentials")).and_then(Value::as_object_mut)
        {
            user.shift_remove("adminUserPassword");
        }
        let created = put.old.as_ref().and_then(|old| old.text("/properties/createdOn").map(str::to_owned));
        put.set("/properties/createdOn", json!(created.unwrap_or_else(|| now.clone())));
        put.set("/properties/modifiedOn", json!(now));
        put.set("/properties/isAttachedCompute", json!(false));
        nodes::cluster::write(put);
        Ok(())
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        if request.method != "POST" || word != "listnodes" {
            return Ok(None);
        }
        let Some(memory) = Memory::of(&row.hidden) else { return Ok(None) };
        let nodes = memory.sim.nodes_at(cx.now_ms()).iter().sum::<i64>();
        let list: Vec<Value> = (0..nodes)
            .map(|n| {
                let state = if n < memory.sim.running() { "running" } else { "idle" };
                json!({ "nodeId": format!("tvmps_{n:04}"), "privateIpAddress": format!("10.0.{}.{}", n / 250, 4 + n % 250), "nodeState": state })
            })
            .collect();
        Ok(Some(Reply::ok(json!({ "nodes": list }))))
    }
}

/// Limits that the endpoint has for clusters; Azure's depend on the offer of the subscription.
const MOST_CORES: i64 = 10_000;
const MOST_CLUSTERS: i64 = 500;

/// `GET …/locations/{location}/usages` and `…/quotas`: names of the API, shape of the examples in Microsoft's REST specification
/// (`Microsoft.MachineLearningServices/stable/2022-10-01/examples/Usage/list.json` and `Quota/list.json`). Low-priority machines
/// count in one number for all families, whose own limits are -1.
#[must_use]
pub fn limits(cx: &Cx<'_>, subscription: &str, location: &str, usages: bool) -> Vec<Value> {
    let (mut clusters, mut dedicated, mut low) = (0_i64, 0_i64, 0_i64);
    let mut families: std::collections::BTreeMap<&str, (i64, i64)> =
        crate::facts::sizes().map(|size| (size.family, (0, 0))).collect();
    for row in cx.store.of_kind(nodes::memory::COMPUTE) {
        if row.location() != location || !is_cluster(&row.body) {
            continue;
        }
        clusters += 1;
        let name = row.text("/properties/properties/vmSize").unwrap_or_default();
        let Some(size) = crate::facts::sizes().find(|size| size.name.eq_ignore_ascii_case(name)) else { continue };
        let count = Memory::of(&row.hidden).map_or(0, |memory| memory.sim.nodes_at(cx.now_ms()).iter().sum::<i64>());
        let cores = count.saturating_mul(i64::from(size.vcpus));
        let spot =
            row.text("/properties/properties/vmPriority").is_some_and(|word| word.eq_ignore_ascii_case("LowPriority"));
        let family = families.entry(size.family).or_default();
        if spot {
            (low, family.1) = (low + cores, family.1 + cores);
        } else {
            (dedicated, family.0) = (dedicated + cores, family.0 + cores);
        }
    }
    let word = if usages { "usages" } else { "quotas" };
    let line = |name: &str, kind: &str, shown: &str, used: i64, most: i64| {
        let mut entry = json!({
            "id": format!("/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/{word}/{name}"),
            "type": format!("Microsoft.MachineLearningServices/{kind}/{word}"), "limit": most,
            "name": { "value": name, "localizedValue": shown }, "unit": "Count",
        });
        if let (true, Some(entry)) = (usages, entry.as_object_mut()) {
            entry.insert("currentValue".into(), json!(used));
        }
        entry
    };
    let mut all = vec![
        line("TotalClusters", "totalCores", "Total Clusters", clusters, MOST_CLUSTERS),
        line("TotalDedicatedCores", "dedicatedCores", "Total Cluster Dedicated Regional vCPUs", dedicated, MOST_CORES),
        line("TotalLowPriorityCores", "lowPriorityCores", "Total Cluster Low Priority Regional vCPUs", low, MOST_CORES),
    ];
    for (family, (dedicated, low)) in families {
        let shown = |kind: &str| format!("{family} Cluster {kind} vCPUs");
        all.push(line(family, "vmFamily/dedicatedCores", &shown("Dedicated"), dedicated, MOST_CORES));
        all.push(line(family, "vmFamily/lowPriorityCores", &shown("LowPriority"), low, -1));
    }
    all
}
