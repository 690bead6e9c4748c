//! The plan as data: what `diff` gives, what views show, what a saved plan holds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the plan's JSON form; a reader refuses any other.
pub const SCHEMA: u32 = 1;

/// What a deployment would change, deletions and replacements first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Counts by action.
    pub summary: Summary,
    /// One for each resource that the source holds or held, unchanged ones last.
    pub changes: Vec<Change>,
    /// Differences that a named rule held back.
    pub suppressed: Vec<Suppressed>,
    /// What a person should know although nothing is changed for it.
    pub warnings: Vec<Warning>,
    /// Resource groups that are made before anything else.
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

    /// Deletions and replacements: they need an explicit word.
    pub fn destructive(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| matches!(c.action, Action::Delete | Action::Replace))
    }
}

/// Counts by action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// New resources.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// Deleted and recreated.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// Left alone from now on.
    pub detach: usize,
    /// As wanted already.
    pub no_change: usize,
}

impl Summary {
    /// Counts `changes`.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let mut sum = Self::default();
        for change in changes {
            match change.action {
                Action::Create => sum.create += 1,
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

/// A resource group that does not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
}

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It goes away.
    Delete,
    /// It goes away and comes back: a property changes that Azure fixes at creation.
    Replace,
    /// It stays, no longer managed by this project.
    Detach,
    /// Changed in place.
    Update,
    /// Made.
    Create,
    /// Nothing.
    NoChange,
}

impl Action {
    /// Order in which plans list actions.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Delete => 0,
            Self::Replace => 1,
            Self::Detach => 2,
            Self::Update => 3,
            Self::Create => 4,
            Self::NoChange => 5,
        }
    }

    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Detach => "detach",
            Self::Update => "update",
            Self::Create => "create",
            Self::NoChange => "no change",
        }
    }
}

/// What happens to a resource that the source no longer holds.
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
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// ARM id.
    pub id: String,
    /// `Microsoft.Compute/virtualMachineScaleSets`
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its name; children `parent/child`.
    pub name: String,
    /// What people call it, where its name says nothing (`role Reader for id-team on stteam`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// What happens.
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
    /// A value that only the deployment can tell is all that differs.
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
    /// Another value.
    Change,
    /// Set before, no longer in the source.
    Remove,
    /// The new value is known after the deployment only.
    Unknown,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// `properties.subnets[default].properties.addressPrefix`
    pub path: String,
    /// How.
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
    /// What it does by itself.
    pub effect: EffectKind,
    /// The line that sets it, when it is known more exactly than the resource's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
}

/// What a change does to people who use the pool, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// Nobody notices.
    #[default]
    None,
    /// Something new appears; nothing that runs is touched.
    Appears,
    /// Machines made from now on; running ones keep what they have until they are upgraded.
    NewMachines,
    /// Machines are added.
    ScalesOut,
    /// Access, network or a rule changes while everything keeps running.
    InPlace,
    /// Machines are changed in batches.
    Rolling,
    /// Machines are restarted.
    Restart,
    /// Machines are removed.
    ScalesIn,
    /// Machines get a fresh disk: what is on their local disks is lost.
    Reimage,
    /// The resource goes away.
    Removes,
    /// The resource is deleted and recreated.
    Replaces,
    /// Data of people goes away.
    DeletesData,
}

impl EffectKind {
    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Appears => "appears",
            Self::NewMachines => "new-machines",
            Self::ScalesOut => "scales-out",
            Self::InPlace => "in-place",
            Self::Rolling => "rolling",
            Self::Restart => "restart",
            Self::ScalesIn => "scales-in",
            Self::Reimage => "reimage",
            Self::Removes => "removes",
            Self::Replaces => "replaces",
            Self::DeletesData => "deletes-data",
        }
    }

    /// What it means, in one clause.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::None => "not noticeable",
            Self::Appears => "something new; nothing that is running is affected",
            Self::NewMachines => {
                "affects machines created from now on; running machines keep their configuration until they are upgraded"
            }
            Self::ScalesOut => "machines are added",
            Self::InPlace => "a rule, an address or a size changes while everything keeps running",
            Self::Rolling => "machines are changed in batches",
            Self::Restart => "machines restart",
            Self::ScalesIn => "machines are removed",
            Self::Reimage => "machines are reimaged: data on their local disks is lost",
            Self::Removes => "the resource is deleted",
            Self::Replaces => "Azure fixes the named property at creation: the resource is deleted and recreated",
            Self::DeletesData => "a share, an account, a disk or a vault is deleted with its contents",
        }
    }
}

/// What a change means for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The gravest of its properties.
    pub kind: EffectKind,
    /// In words.
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
}

/// Why a difference is not reported. Each rule holds back only what the service would not act on.
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
    /// A number that the API takes as a string.
    NumberAsString,
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
        Self::NumberAsString,
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
            Self::NumberAsString => "number-as-string",
            Self::DeclaredApart => "declared-apart",
            Self::UnknownType => "unknown-type",
        }
    }

    /// Why it is safe, in one clause.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::ReadOnly => "the service writes it, a deployment cannot",
            Self::ServiceDefault => "one side spells the default out, the other leaves it out",
            Self::ServiceFilled => "the service filled it in at the last apply and still holds the same value",
            Self::LetterCase => "Azure compares it without regard to letter case",
            Self::IdCase => "resource ids are compared without regard to letter case",
            Self::SetLikeList => "the order of this list means nothing",
            Self::WriteOnly => "the service never returns it",
            Self::EmptyVsAbsent => "empty and absent are the same here",
            Self::NewerApiOnly => "this API version does not know it and so cannot change it",
            Self::OwnedByAutoscale => "autoscale owns the number of machines; a deployment keeps the live one",
            Self::PolicyAdded => "Azure Policy adds it to every request",
            Self::Duration => "the same length of time",
            Self::NumberAsString => "the API takes the number as a string",
            Self::DeclaredApart => "declared as a resource of its own",
            Self::UnknownType => "not in the source, and of a type that dsvmc does not know",
        }
    }
}

/// A difference that a rule held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The resource.
    pub id: String,
    /// The property.
    pub path: String,
    /// The rule.
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
    /// Stable name.
    pub kind: WarningKind,
    /// The resource.
    pub id: String,
    /// One sentence.
    pub text: String,
}

/// Kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// A pool has more or fewer machines than its declared range allows.
    CapacityOutsideRange,
    /// Only the envelope of a resource was observed, not its properties.
    NotObserved,
    /// A secret cannot be compared because nothing is known of the last apply.
    SecretNotCompared,
}
