//! The plan as data: what `diff` returns, views show and a saved plan contains.

use super::EffectKind;
use arm_catalog::{ChangeRow, Mark};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the plan's JSON form; a reader refuses any other.
pub const SCHEMA: u32 = 1;

/// What a deployment would change, deletions and replacements first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the JSON form: [`SCHEMA`].
    pub schema: u32,
    /// How many changes of each action there are.
    pub summary: Summary,
    /// One for each resource in the source or formerly in it, unchanged ones last.
    pub changes: Vec<Change>,
    /// Differences that a named rule suppressed.
    pub suppressed: Vec<Suppressed>,
    /// What a person should know although nothing is changed for it.
    pub warnings: Vec<Warning>,
    /// Resource groups that are created before anything else.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<NewGroup>,
}

impl Plan {
    /// Whether a deployment would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|c| c.action == Action::NoChange)
    }

    /// The changes that a deployment would make.
    pub fn effective(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| c.action != Action::NoChange)
    }

    /// Deletions and replacements; they need explicit confirmation.
    pub fn destructive(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| matches!(c.action, Action::Delete | Action::Replace))
    }

    /// Changes that Azure refuses; a plan with any of them cannot be applied.
    pub fn refused(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| c.action == Action::Refuse)
    }
}

/// The number of changes of each action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of resources created.
    pub create: usize,
    /// Number of resources that Azure refuses to change.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub refuse: usize,
    /// Number of resources changed in place.
    pub update: usize,
    /// Number of resources deleted and recreated.
    pub replace: usize,
    /// Number of resources deleted.
    pub delete: usize,
    /// Left alone from now on.
    pub detach: usize,
    /// Number of resources that stay unchanged.
    pub no_change: usize,
}

impl Summary {
    /// Counts `changes` by their action.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let mut sum = Self::default();
        for change in changes {
            match change.action {
                Action::Create => sum.create += 1,
                Action::Refuse => sum.refuse += 1,
                Action::Update => sum.update += 1,
                Action::Replace => sum.replace += 1,
                Action::Delete => sum.delete += 1,
                Action::Detach => sum.detach += 1,
                Action::NoChange => sum.no_change += 1,
            }
        }
        sum
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A resource group that does not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGroup {
    /// Name of the group.
    pub name: String,
    /// Region of the group, such as `westeurope`.
    pub location: String,
}

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Azure refuses the change: nothing can be applied before the source is changed.
    Refuse,
    /// The resource is deleted.
    Delete,
    /// The resource is deleted and recreated: a property changes that is immutable in Azure.
    Replace,
    /// It stays, no longer managed by this project.
    Detach,
    /// The resource is changed in place.
    Update,
    /// The resource is created.
    Create,
    /// The resource stays as it is.
    NoChange,
}

impl Action {
    /// Order in which plans list actions.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Refuse => 0,
            Self::Delete => 1,
            Self::Replace => 2,
            Self::Detach => 3,
            Self::Update => 4,
            Self::Create => 5,
            Self::NoChange => 6,
        }
    }

    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Detach => "detach",
            Self::Update => "update",
            Self::Create => "create",
            Self::NoChange => "no change",
        }
    }
}

/// What happens to a resource that is no longer in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmanaged {
    /// It is deleted (a deployment stack does it).
    #[default]
    Delete,
    /// It stays and is no longer managed.
    Detach,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Path as shown to people.
    pub file: String,
    /// Line number, starting at 1.
    pub line: u32,
    /// Column in characters, starting at 1.
    pub column: u32,
}

/// The planned change of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Full ARM id of the resource.
    pub id: String,
    /// Full resource type, such as `Microsoft.Compute/virtualMachineScaleSets`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its name; children `parent/child`.
    pub name: String,
    /// What people call it, where its name says nothing (`role Reader for id-team on stteam`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// What happens to the resource.
    pub action: Action,
    /// Its properties that differ, in the template's order.
    pub attributes: Vec<AttributeChange>,
    /// What it means for people.
    pub effect: Effect,
    /// The line that declares it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// Why, in one clause.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// Ids of user-assigned identities that were created again: they are taken off the resource before the deployment
    /// assigns them again.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reassigned: Vec<String>,
    /// The only differences are values known after deployment.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub depends_on_unknown: bool,
    /// Hash of the resource as it was observed, without what autoscale moves; absent when it did not exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hash: Option<String>,
    /// ETag as it was observed; absent where autoscale changes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
}

impl Change {
    /// Its kind and its name, for people.
    #[must_use]
    pub fn titled(&self) -> String {
        super::titled(&self.resource_type, &self.name, self.label.as_deref())
    }

    /// Its name, for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// How one property differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeKind {
    /// Set now, not before.
    Add,
    /// Set before and now, to different values.
    Change,
    /// Set before, no longer in the source.
    Remove,
    /// The new value is known after the deployment only.
    Unknown,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// Path of the property, such as `properties.subnets[default].properties.addressPrefix`.
    pub path: String,
    /// How the property differs.
    pub kind: AttributeKind,
    /// Value now; never present for a secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// Value wanted; never present for a secret or an unknown value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// Its values are secret and are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub secret: bool,
    /// Effect of this property alone.
    pub effect: EffectKind,
    /// What is known of such a change, and how surely; absent for new resources and where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub basis: Option<Basis>,
    /// Why it changes although the source has no field of its own for it, in one clause.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
    /// The line that sets it, when it is known more exactly than the resource's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
}

/// What the table of changes says of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// What it means, in one clause.
    pub note: String,
    /// Whether it rests on a document or a concrete report; otherwise it is not confirmed and refuses nothing.
    pub confirmed: bool,
    /// The error code that Azure answers, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The way out of a refusal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub way_out: Option<String>,
}

impl Basis {
    /// What a row of the table says.
    #[must_use]
    pub(super) fn of(row: &ChangeRow) -> Self {
        Self {
            note: row.note.clone(),
            confirmed: row.mark != Mark::C,
            code: row.code.clone(),
            way_out: row.out.clone(),
        }
    }
}

/// What a change means for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The most severe effect of its properties.
    pub kind: EffectKind,
    /// The effect in words, for people.
    pub text: String,
    /// Machines that it touches, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub machines: Option<u64>,
    /// Shares that it touches.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub shares: Vec<String>,
    /// The property that Azure does not change in place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub property: Option<String>,
    /// What to do instead, when Azure refuses the change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub way_out: Option<String>,
    /// What makes that property change, when no field of its own was written: `` `entra_login` makes the set Uniform ``.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

/// Why a difference is not reported. Each rule suppresses only what the service would not act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionRule {
    /// The service writes it; a client cannot.
    ReadOnly,
    /// The source leaves it out and the service holds its documented default, or the other way round.
    ServiceDefault,
    /// The source left it out at the last apply too, and the service still holds what it filled in then.
    ServiceFilled,
    /// An enumeration, location or property name in other letter case.
    LetterCase,
    /// A resource id in other letter case.
    IdCase,
    /// A list whose order means nothing.
    SetLikeList,
    /// The service never shows it again.
    WriteOnly,
    /// `{}`, `[]` or null against nothing.
    EmptyVsAbsent,
    /// The API version of the source does not know the property, so that a deployment cannot touch it.
    NewerApiOnly,
    /// The capacity of a pool that autoscale manages.
    OwnedByAutoscale,
    /// Azure Policy adds it to each request.
    PolicyAdded,
    /// The same duration in another spelling.
    Duration,
    /// The same text with other line ends, or without the last one.
    LineEnds,
    /// A number that the API takes as a string.
    NumberAsString,
    /// A Boolean that the API takes as a string.
    BooleanAsString,
    /// A region or tags on a child, or on an extension, that has none of its own.
    NotOnChildren,
    /// A child that the source declares as a resource of its own.
    DeclaredApart,
    /// dsvmc knows no types here: the source says nothing and neither does this tool.
    UnknownType,
}

impl SuppressionRule {
    /// All rules in order.
    pub const ALL: &'static [Self] = &[
        Self::ReadOnly,
        Self::ServiceDefault,
        Self::ServiceFilled,
        Self::LetterCase,
        Self::IdCase,
        Self::SetLikeList,
        Self::WriteOnly,
        Self::EmptyVsAbsent,
        Self::NewerApiOnly,
        Self::OwnedByAutoscale,
        Self::PolicyAdded,
        Self::Duration,
        Self::LineEnds,
        Self::NumberAsString,
        Self::BooleanAsString,
        Self::NotOnChildren,
        Self::DeclaredApart,
        Self::UnknownType,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ServiceDefault => "service-default",
            Self::ServiceFilled => "service-filled",
            Self::LetterCase => "letter-case",
            Self::IdCase => "id-case",
            Self::SetLikeList => "set-like-list",
            Self::WriteOnly => "write-only",
            Self::EmptyVsAbsent => "empty-vs-absent",
            Self::NewerApiOnly => "newer-api-only",
            Self::OwnedByAutoscale => "owned-by-autoscale",
            Self::PolicyAdded => "policy-added",
            Self::Duration => "duration",
            Self::LineEnds => "line-ends",
            Self::NumberAsString => "number-as-string",
            Self::BooleanAsString => "boolean-as-string",
            Self::NotOnChildren => "not-on-children",
            Self::DeclaredApart => "declared-apart",
            Self::UnknownType => "unknown-type",
        }
    }

    /// Why it is safe, in one clause.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::ReadOnly => "written by the service; a deployment cannot set it",
            Self::ServiceDefault => "one side states the default, the other omits it",
            Self::ServiceFilled => "the service filled it in at the last apply and still holds the same value",
            Self::LetterCase => "Azure compares it case-insensitively",
            Self::IdCase => "resource IDs are compared case-insensitively",
            Self::SetLikeList => "the order of this list is not significant",
            Self::WriteOnly => "the service never returns it",
            Self::EmptyVsAbsent => "empty and absent are the same here",
            Self::NewerApiOnly => "this API version does not know it and so cannot change it",
            Self::OwnedByAutoscale => "autoscale owns the number of machines; a deployment keeps the live one",
            Self::PolicyAdded => "Azure Policy adds it to every request",
            Self::Duration => "the same duration",
            Self::LineEnds => "the same text with other line ends",
            Self::NumberAsString => "the API takes the number as a string",
            Self::BooleanAsString => "the API takes the Boolean as a string",
            Self::NotOnChildren => "the service drops it: a resource of this type has none of its own",
            Self::DeclaredApart => "declared as a separate resource",
            Self::UnknownType => "not in the source, and of a type that dsvmc does not know",
        }
    }
}

/// A difference that a rule suppressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Full ARM id of the resource.
    pub id: String,
    /// Path of the property inside the resource.
    pub path: String,
    /// The rule that suppressed the difference.
    pub rule: SuppressionRule,
    /// Value now; never present for a secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// Value wanted; never present for a secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
}

/// Something to know that is not a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The kind of warning; stable in JSON.
    pub kind: WarningKind,
    /// Full ARM id of the resource.
    pub id: String,
    /// The warning in one sentence.
    pub text: String,
}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// A pool has more or fewer machines than its declared range allows.
    CapacityOutsideRange,
    /// Only the envelope of a resource was observed, not its properties.
    NotObserved,
    /// A secret cannot be compared because nothing is known of the last apply.
    SecretNotCompared,
    /// Machines that run lack the latest model of their scale set, or failed with it.
    MachinesBehind,
    /// Something else is changing the resource at this moment.
    Busy,
    /// Which of several sizes a pool has or gets, and why.
    SizeChoice,
}

impl WarningKind {
    /// How it is announced: only some are about something wrong.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Busy | Self::SizeChoice => "note",
            Self::CapacityOutsideRange | Self::NotObserved | Self::SecretNotCompared | Self::MachinesBehind => {
                "warning"
            }
        }
    }
}
