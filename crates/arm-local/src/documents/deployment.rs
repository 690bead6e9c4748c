//! Deployments and their operations.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::parts::{ResourceRef, present, to_value};
use crate::error::ArmError;

/// A deployment: what a GET shows, and what it takes to continue it after a restart. The key is the deployment's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeploymentDocument {
    /// Id in canonical casing.
    pub id: String,
    /// The body of a GET.
    pub record: DeploymentRecord,
    /// The template, for `exportTemplate`.
    pub template: Value,
    /// The request; `None` once the deployment has ended, and while another deployment or a stack runs it.
    pub pending: Option<PendingDeployment>,
    /// Last segment of the polling URL.
    pub operation: String,
    /// Machine time of the acceptance, in milliseconds since 1970.
    pub start: i64,
    /// A client asked to cancel.
    pub cancel: bool,
    /// Outputs with the secure values, of a nested deployment while the outer one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
}

impl DeploymentDocument {
    /// The record for `reference()` from the deployment around it: with the values of secure outputs.
    #[must_use]
    pub fn for_reference(&self) -> Value {
        let mut record = self.record.clone();
        if let Some(outputs) = &self.outputs {
            record.properties.outputs = Some(outputs.clone());
        }
        to_value(&record)
    }
}

/// What a GET of a deployment shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeploymentRecord {
    /// Id in canonical casing.
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Region of the record, above resource groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Value>,
    /// Everything else, as Azure nests it.
    pub properties: DeploymentProperties,
}

/// `properties` of a deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentProperties {
    /// Hash of the template's text.
    pub template_hash: String,
    /// Parameters; secure ones without their value.
    #[serde(with = "in_order")]
    pub parameters: IndexMap<String, ParameterShown>,
    pub mode: String,
    /// How far the deployment is.
    pub provisioning_state: DeploymentState,
    /// Endpoint time of the last change, RFC 3339.
    pub timestamp: String,
    /// How long it took, as an ISO 8601 duration.
    pub duration: String,
    /// The same for all records of one request.
    pub correlation_id: String,
    /// Namespaces and types of the resources.
    pub providers: Value,
    /// Dependencies between the resources.
    pub dependencies: Value,
    /// Where the template came from.
    #[serde(flatten)]
    pub links: Links,
    /// Of a validation: what would be deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_resources: Option<Vec<ResourceRef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ArmError>,
    /// Outputs `{NAME: {type, value}}`; secure ones without their value. `None` when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_resources: Option<Vec<ResourceRef>>,
}

/// Links of a request, without the query strings that may hold secrets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_link: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_link: Option<Value>,
}

/// A parameter as records show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParameterShown {
    /// `String`, `SecureString`, …; stacks keep the template's spelling.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value, unless it is or holds a secret.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Value>,
}

/// How far a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentState {
    Accepted,
    /// Resources are being written.
    Running,
    /// Every resource and output is there.
    Succeeded,
    /// A resource or an output failed.
    Failed,
    /// A client stopped it.
    Canceled,
}

impl DeploymentState {
    /// Whether it changes no more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// As records spell it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }
}

/// The request of a deployment that has not ended, for a restarted endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingDeployment {
    /// The template, whatever it was linked from.
    pub template: Value,
    pub parameters: Value,
    pub mode: String,
    /// Region of the record.
    pub location: Option<String>,
    /// Tags of the record.
    pub tags: Option<Value>,
    /// Address that the template's own links are relative to.
    pub link: Option<String>,
    /// `templateLink` as the record shows it.
    pub template_link: Option<Value>,
    /// `parametersLink` as the record shows it.
    pub parameters_link: Option<Value>,
    /// What `utcNow()` says, RFC 3339.
    pub now: Option<String>,
    /// Seed of `newGuid()`, decimal.
    pub seed: Option<String>,
    /// Correlation id of the request.
    pub correlation: String,
    /// Object id of the principal that asked.
    pub caller: Option<String>,
}

/// One operation of a deployment. The key is `DEPLOYMENT_ID|POSITION` with six digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationDocument {
    /// Id below the deployment's.
    pub id: String,
    /// Last segment of the id: 16 hexadecimal digits.
    pub operation_id: String,
    /// Everything else, as Azure nests it.
    pub properties: OperationProperties,
}

/// `properties` of an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationProperties {
    /// What was done: `Create`, `Delete` or `EvaluateDeploymentOutput`.
    pub provisioning_operation: String,
    /// `Running`, `Succeeded` or `Failed`.
    pub provisioning_state: String,
    /// Endpoint time, RFC 3339.
    pub timestamp: String,
    /// How long it took, as an ISO 8601 duration.
    pub duration: String,
    pub tracking_id: String,
    /// An HTTP status as a word (`Created`).
    pub status_code: String,
    /// A random id, where there is a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_request_id: Option<String>,
    /// What was written or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_resource: Option<TargetResource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<StatusMessage>,
}

/// A resource as records name it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetResource {
    pub id: String,
    pub resource_type: String,
    /// Names from outside in, joined by slashes.
    pub resource_name: String,
    /// Name in the template, where that has symbolic names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbolic_name: Option<String>,
}

/// The failure of an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusMessage {
    pub status: String,
    /// What the provider said.
    pub error: ArmError,
}

/// Maps from names to parameters, in the order of the template.
pub mod in_order {
    use indexmap::IndexMap;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::{Map, Value};

    use super::ParameterShown;

    pub fn serialize<S: Serializer>(map: &IndexMap<String, ParameterShown>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<IndexMap<String, ParameterShown>, D::Error> {
        let read =
            |(name, value): (String, Value)| Ok((name, ParameterShown::deserialize(value).map_err(D::Error::custom)?));
        Map::deserialize(deserializer)?.into_iter().map(read).collect()
    }
}
