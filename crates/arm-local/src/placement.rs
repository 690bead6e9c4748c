//! `POST …/locations/{location}/placementScores/spot/generate`: how likely spot machines are placed.
//!
//! Shape of an answer recorded by the Azure CLI (<https://github.com/Azure/azure-cli>, `test_spot_placement_score_generate.yaml`,
//! 2025-07-24, version 2025-06-05). Words of scores: <https://learn.microsoft.com/azure/virtual-machine-scale-sets/spot-placement-score>.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::facts;
use crate::limits;

/// Most sizes and regions of one request, as the service takes them.
const MOST_SIZES: usize = 5;
const MOST_REGIONS: usize = 8;

/// The scores of every size in every region, by zone when those are asked for. A size that a test made unavailable is restricted,
/// one without facts has no data, every other has the best score: there is no other machine here.
///
/// # Errors
/// `BadRequest` for a body of another shape.
pub fn scores(cx: &Cx<'_>, body: &Value) -> Result<Value, ArmError> {
    let list = |key: &str| body.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (regions, sizes) = (list("desiredLocations"), list("desiredSizes"));
    let regions: Vec<&str> = regions.iter().filter_map(Value::as_str).collect();
    let sizes: Vec<&str> = sizes.iter().filter_map(|size| size.get("sku")?.as_str()).collect();
    let fits = (1..=MOST_REGIONS).contains(&regions.len()) && (1..=MOST_SIZES).contains(&sizes.len());
    let number = body.get("desiredCount").and_then(Value::as_i64).filter(|number| *number > 0);
    let (true, Some(number)) = (fits, number) else {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "A request has 1 to {MOST_REGIONS} desiredLocations, 1 to {MOST_SIZES} desiredSizes and a desiredCount."
            ),
        ));
    };
    let zones = body.get("availabilityZones") == Some(&Value::Bool(true));
    let mut all = Vec::new();
    for sku in &sizes {
        let known = facts::sizes().find(|size| size.name.eq_ignore_ascii_case(sku));
        for region in &regions {
            let region = crate::names::location(region);
            let score = match &known {
                None => "DataNotFoundOrStale",
                Some(size) if !size.spot || limits::unavailable(cx, &region, size.name) => "RestrictedSkuNotAvailable",
                Some(_) => "High",
            };
            let cores = known.as_ref().map_or(0, |size| i64::from(size.vcpus).saturating_mul(number));
            let row = json!({ "sku": sku, "region": region, "score": score,
                "isQuotaAvailable": cores <= limits::spot_cores_left(cx, &region) });
            if !zones || !facts::has_zones(&region) {
                all.push(row);
                continue;
            }
            for zone in ["1", "2", "3"] {
                let mut row = row.clone();
                if let Some(row) = row.as_object_mut() {
                    row.insert("availabilityZone".into(), json!(zone));
                }
                all.push(row);
            }
        }
    }
    Ok(json!({
        "desiredLocations": body.get("desiredLocations"), "desiredSizes": body.get("desiredSizes"), "desiredCount": number,
        "availabilityZones": zones, "placementScores": all,
    }))
}
