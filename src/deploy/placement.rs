//! Spot pool and target → how likely Azure says its machines are placed.
//!
//! `POST …/placementScores/spot/generate`, version 2025-06-05, takes up to eight regions and five sizes, and answers a row for each
//! size, region and zone (<https://learn.microsoft.com/azure/virtual-machine-scale-sets/spot-placement-score>). The caller needs the
//! role "Compute Recommendations Role".

use super::error::CommandError;
use super::session::Session;
use crate::driver::SpotPool;
use arm_client::Method;
use dsvm_diagnostics::Code;
use serde_json::{Value, json};

const API: &str = "2025-06-05";
/// Most regions of one request.
const REGIONS: usize = 8;

/// A score of a size in a region or a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Name of the region.
    pub region: String,
    /// The zone; nothing for the whole region.
    pub zone: Option<String>,
    /// The word of the service, as it came.
    pub score: String,
    /// Whether the quota has room for the machines; nothing where the service does not tell.
    pub quota: Option<bool>,
}

/// The scores of the machines of a pool in its region and in others; nothing for a pool without a region or machines.
///
/// # Errors
/// There are too many regions, or the target does not answer.
pub fn scores(session: &Session, pool: &SpotPool, more: &[String]) -> Result<Option<Vec<Score>>, CommandError> {
    let mut regions: Vec<&str> = pool.region.as_deref().into_iter().collect();
    regions.extend(more.iter().map(String::as_str).filter(|region| Some(*region) != pool.region.as_deref()));
    let Some(first) = regions.first() else { return Ok(None) };
    if regions.len() > REGIONS {
        let title = format!("Azure scores at most {REGIONS} regions at once, and {} are named", regions.len());
        return Err(CommandError::input(Code::PlacementRefused, title, "leave some `--in` out"));
    }
    if let Some(wrong) = regions.iter().find(|region| !region.chars().all(|c| c.is_ascii_alphanumeric())) {
        let title = format!("`{wrong}` is no name of a region");
        return Err(CommandError::input(
            Code::PlacementRefused,
            title,
            "write it as `az account list-locations` does: `northeurope`",
        ));
    }
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{first}/placementScores/spot/generate?api-version={API}",
        session.subscription
    );
    let body = json!({
        "availabilityZones": true, "desiredCount": pool.most.unwrap_or(1).max(1), "desiredLocations": regions,
        "desiredSizes": [{ "sku": pool.size }],
    });
    let reply = session.client.send(Method::SafePost, &path, Some(&body)).map_err(|error| {
        let title = format!("Azure does not score the machines of pool `{}`: {error}", pool.name);
        let help = "the caller needs the role `Compute Recommendations Role` in the subscription";
        CommandError::environment(Code::PlacementRefused, title, help)
    })?;
    let rows = reply.body.get("placementScores").and_then(Value::as_array);
    Ok(Some(rows.into_iter().flatten().filter_map(score).collect()))
}

/// One row of the answer. A word that is not known is shown as it is.
fn score(row: &Value) -> Option<Score> {
    let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Score {
        region: text("region")?,
        zone: text("availabilityZone"),
        score: text("score")?,
        quota: row.get("isQuotaAvailable").and_then(Value::as_bool),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a recorded answer (<https://github.com/Azure/azure-cli>, `test_spot_placement_score_generate.yaml` at 73d87472,
    /// 2025-07-24, MIT), and a word that Microsoft may add.
    #[test]
    fn rows_are_read_as_they_come() {
        let rows = json!([
            { "sku": "Standard_D2_v2", "region": "eastus", "availabilityZone": "1", "score": "RestrictedSkuNotAvailable", "isQuotaAvailable": true },
            { "sku": "Standard_D2_v2", "region": "eastus2", "availabilityZone": "3", "score": "Low", "isQuotaAvailable": true },
            { "sku": "Standard_D2_v2", "region": "eastus2", "score": "SomethingNew" },
        ]);
        let read: Vec<Score> = rows.as_array().into_iter().flatten().filter_map(score).collect();
        let words: Vec<&str> = read.iter().map(|one| one.score.as_str()).collect();
        assert_eq!(words, ["RestrictedSkuNotAvailable", "Low", "SomethingNew"]);
        assert_eq!(read.last().map(|one| (one.zone.clone(), one.quota)), Some((None, None)));
        assert_eq!(read.first().and_then(|one| one.zone.as_deref()), Some("1"));
    }
}
