//! Deployment stacks.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::deployment::{ParameterShown, PendingDeployment, in_order};
use super::parts::ResourceRef;
use crate::error::ArmError;

/// A deployment stack: what a GET shows, and what it takes to continue it after a restart. The key is the stack's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StackDocument {
    /// Id in canonical casing.
    pub id: String,
    /// The body of a GET.
    pub record: StackRecord,
    /// The template, for `exportTemplate`.
    pub template: Value,
    /// Ids that the stack managed before its last update.
    pub before: Vec<String>,
    /// Machine time of the acceptance, in milliseconds since 1970.
    pub start: i64,
    /// The request; `None` once the update has ended.
    pub pending: Option<PendingStack>,
    /// The stack is part of a deployment, which runs it and takes it up again after a restart.
    pub inside: bool,
}

impl StackDocument {
    /// Ids that the stack manages.
    pub fn managed(&self) -> impl Iterator<Item = &str> {
        self.record.properties.resources.iter().flatten().map(|resource| resource.id.as_str())
    }

    /// Records that the stack failed.
    pub fn fail(&mut self, error: ArmError) {
        self.record.properties.provisioning_state = StackState::Failed;
        self.record.properties.error = Some(error);
    }
}

/// The request of a stack whose update has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingStack {
    pub body: Value,
    pub order: PendingDeployment,
    /// Id of that deployment.
    pub deployment: String,
}

/// What a GET of a stack shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackRecord {
    /// Id in canonical casing.
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Tags as sent, or an empty object.
    pub tags: Value,
    /// Region of the record, above resource groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Everything else, as Azure nests it.
    pub properties: StackProperties,
    /// Who wrote the record, and when.
    pub system_data: SystemData,
}

/// `properties` of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackProperties {
    /// What becomes of resources that the next template lacks.
    pub action_on_unmanage: ActionOnUnmanage,
    /// What others may not do to managed resources.
    pub deny_settings: DenySettings,
    /// `description`, `deploymentScope` and whatever else the client sent.
    #[serde(flatten)]
    pub other: Map<String, Value>,
    /// How far the stack is.
    pub provisioning_state: StackState,
    /// The same for all records of one request.
    pub correlation_id: String,
    /// Parameters; secure ones without their value.
    #[serde(with = "in_order")]
    pub parameters: IndexMap<String, ParameterShown>,
    /// Id of the stack's deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Of a validation: what would be deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_resources: Option<Vec<ResourceRef>>,
    /// How long the last update took, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// What the stack manages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<ManagedResource>>,
    /// What the last update deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_resources: Option<Vec<ResourceRef>>,
    /// What the last update detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detached_resources: Option<Vec<ResourceRef>>,
    /// What the last update could not write or delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_resources: Option<Vec<FailedResource>>,
    /// Outputs of the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    /// Why the last update failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ArmError>,
}

/// How far a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StackState {
    Creating,
    Deploying,
    /// Everything is deployed, and what is no longer managed is gone or detached.
    Succeeded,
    /// The deployment or a deletion failed.
    Failed,
    /// A client stopped the deployment.
    Canceled,
}

impl StackState {
    /// As records spell it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Deploying => "deploying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// A resource in the care of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedResource {
    pub id: String,
    pub status: String,
    /// What others may not do to it.
    pub deny_status: DenyMode,
}

/// A resource that could not be written or deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailedResource {
    pub id: String,
    /// What the provider said.
    pub error: ArmError,
}

/// Who wrote a record, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemData {
    /// Object id of the principal.
    pub created_by: String,
    pub created_by_type: String,
    /// Endpoint time, RFC 3339.
    pub created_at: String,
    /// Endpoint time, RFC 3339.
    pub last_modified_at: String,
}

/// What becomes of resources that a stack manages no longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionOnUnmanage {
    /// Resources inside of resource groups.
    pub resources: Unmanage,
    pub resource_groups: Unmanage,
    /// Management groups (kept for the record; the endpoint has none to delete).
    pub management_groups: Unmanage,
    /// Resources of types that cannot be deleted by themselves.
    pub resources_without_delete_support: Undeletable,
    /// Whatever else the client sent.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What becomes of one kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unmanage {
    Delete,
    /// It stays, on its own.
    Detach,
}

/// What becomes of a resource that cannot be deleted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Undeletable {
    /// It stays, on its own.
    Detach,
    Fail,
}

/// What others may not do to the resources of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DenySettings {
    /// Which verbs are denied.
    pub mode: DenyMode,
    /// Whether children of managed resources are covered too.
    pub apply_to_child_scopes: bool,
    /// Object ids that nothing is denied to; at most 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded_principals: Option<Vec<String>>,
    /// Actions that are allowed to everybody; at most 200. A star at the start matches anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded_actions: Option<Vec<String>>,
    /// Whatever else the client sent.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Which verbs deny settings deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DenyMode {
    /// Others may do everything.
    None,
    /// Others may not delete.
    DenyDelete,
    /// Others may neither write nor delete.
    DenyWriteAndDelete,
}

/// The result of a what-if on a stack: the body of a GET. The key is the result's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WhatIfDocument(pub Value);
