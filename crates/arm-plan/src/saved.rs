//! Saved plans: what `plan -o FILE` writes and `apply FILE` checks against the current state before the first write.

use super::{Plan, SCHEMA, normal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A plan with all that it depends on, as hashes. Holds no parameter values and so no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The kind of file; always `dsvmc-plan`.
    pub kind: String,
    /// Version of the plan's form.
    pub schema: u32,
    /// Version of dsvmc that wrote it.
    pub tool: String,
    /// Where the sources are, as given on the command line.
    pub project: String,
    /// Name of the env; empty when the project has none.
    pub env: String,
    /// `local` or `azure`, subscription and resource group.
    pub target: String,
    /// A plain deployment instead of a deployment stack.
    #[serde(default)]
    pub plain: bool,
    /// Resources no longer in the source are detached, not deleted.
    #[serde(default)]
    pub detach: bool,
    /// What the plan was narrowed to, with `--only` and `--exclude`.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Patterns of `--exclude`; see `targets`.
    #[serde(default)]
    pub excludes: Vec<String>,
    /// Pools go back to the first of their sizes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_choice: bool,
    /// Hash of each template.
    pub templates: Vec<String>,
    /// Slow hash of the parameter values; see [`slow_hash`].
    pub parameters: String,
    /// Salt with which `parameters` was hashed: random, and of this plan alone.
    pub salt: String,
    /// Hash of each observed resource by id; ETag where there is one.
    pub observed: BTreeMap<String, String>,
    /// The plan that was shown when the file was saved.
    pub plan: Plan,
    /// Hash of everything above, and the name under which an apply of the plan is remembered. A checksum without a key:
    /// it finds damage and careless edits, not forgery. What is applied is a plan made anew, if it is the same one.
    pub seal: String,
}

/// Why a saved plan is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedPlanError {
    /// Not a plan at all.
    NotAPlan(String),
    /// Of another version of the form.
    Schema(u32),
    /// The file was edited or damaged after it was saved.
    Seal,
    /// Made for another project, env or target.
    Foreign(String),
    /// The sources changed since.
    Sources,
    /// The parameter values changed since.
    Parameters,
    /// Applied before, at that time.
    Applied(String),
    /// These resources changed since.
    Resources(Vec<String>),
}

impl std::fmt::Display for SavedPlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAPlan(why) => write!(f, "the file is not a saved plan: {why}"),
            Self::Schema(found) => write!(f, "the plan has format version {found}; this dsvmc reads version {SCHEMA}"),
            Self::Seal => write!(f, "the plan was changed after it was saved"),
            Self::Foreign(what) => write!(f, "the plan was made for {what}"),
            Self::Applied(when) => write!(f, "the plan was applied already, at {when}"),
            Self::Sources => write!(f, "the sources changed since the plan was made"),
            Self::Parameters => write!(f, "parameter values changed since the plan was made"),
            Self::Resources(ids) => {
                let shown: Vec<String> = ids.iter().take(3).map(|i| format!("`{}`", normal::type_of_id(i).1)).collect();
                let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
                write!(f, "deployed resources changed since the plan was made: {}{more}", shown.join(", "))
            }
        }
    }
}

impl SavedPlan {
    /// Computes and sets the seal.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.seal = self.compute_seal();
        self
    }

    fn compute_seal(&self) -> String {
        let mut copy = self.clone();
        copy.seal = String::new();
        serde_json::to_value(&copy).map(|v| digest(&v)).unwrap_or_default()
    }

    /// Reads a file; refuses one that is not a plan, of another form, or changed.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn read(text: &str) -> Result<Self, SavedPlanError> {
        let json: Value = serde_json::from_str(text).map_err(|e| SavedPlanError::NotAPlan(e.to_string()))?;
        if json.get("kind").and_then(Value::as_str) != Some("dsvmc-plan") {
            return Err(SavedPlanError::NotAPlan("it has no `kind` of `dsvmc-plan`".to_owned()));
        }
        let schema = json.get("schema").and_then(Value::as_u64).unwrap_or_default();
        if schema != u64::from(SCHEMA) {
            return Err(SavedPlanError::Schema(u32::try_from(schema).unwrap_or_default()));
        }
        // A key that this form does not know would be lost, and with it the seal's meaning.
        let saved: Self = serde_json::from_value(json.clone()).map_err(|e| SavedPlanError::NotAPlan(e.to_string()))?;
        let again = serde_json::to_value(&saved).unwrap_or_default();
        if saved.seal != saved.compute_seal() || canonical(&again) != canonical(&json) {
            return Err(SavedPlanError::Seal);
        }
        Ok(saved)
    }
}

/// Checks a saved plan against one made just now.
///
/// # Errors
/// The first thing that differs.
pub fn verify(saved: &SavedPlan, now: &SavedPlan) -> Result<(), SavedPlanError> {
    let place = |p: &SavedPlan| format!("project `{}`, env `{}`, {}", p.project, p.env, p.target);
    if place(saved) != place(now) {
        return Err(SavedPlanError::Foreign(place(saved)));
    }
    if saved.templates != now.templates {
        return Err(SavedPlanError::Sources);
    }
    if saved.parameters != now.parameters {
        return Err(SavedPlanError::Parameters);
    }
    let ids = saved.observed.keys().chain(now.observed.keys());
    let mut moved: Vec<String> = ids.filter(|id| saved.observed.get(*id) != now.observed.get(*id)).cloned().collect();
    moved.sort();
    moved.dedup();
    if moved.is_empty() { Ok(()) } else { Err(SavedPlanError::Resources(moved)) }
}

/// SHA-256 of a value's canonical JSON: keys sorted, so that the order in which a service answers does not matter.
#[must_use]
pub fn digest(value: &Value) -> String {
    hex(&Sha256::digest(canonical(value).as_bytes()))
}

/// Hash of a value that may hold secrets, in a file that may be passed on. Each guess at a secret takes 64 MiB of memory
/// and a tenth of a second: Argon2id with the second choice of RFC 9106, section 4, on one thread.
#[must_use]
pub fn slow_hash(value: &Value, salt: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, Version};
    let mut hash = [0; 32];
    // The parameters are constant, and the salt is made longer than the least of 8 bytes.
    let salt = Sha256::digest(salt.as_bytes());
    let hashed = Params::new(64 * 1024, 3, 1, Some(hash.len())).and_then(|params| {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(canonical(value).as_bytes(), &salt, &mut hash)
    });
    match hashed {
        Ok(()) => hex(&hash),
        // Not equal to anything: the plan is refused.
        Err(error) => error.to_string(),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, String> = map.iter().map(|(k, v)| (k, canonical(v))).collect();
            let parts: Vec<String> = sorted.iter().map(|(k, v)| format!("{}:{v}", Value::from(k.as_str()))).collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
