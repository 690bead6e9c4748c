//! What a project keeps in `.dsvmc/`: the lock, the journal, the record of the last apply, receipts.
//!
//! Every file is written beside its place and renamed, so that a killed process leaves the old one or the new one.

use arm_plan::{Baseline, Summary};
use dsvm_files::Readers;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The key of a file that holds its mark.
const MARK: &str = "mark";

/// Who wrote a file of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// dsvmc, run by this user on this machine.
    Ours,
    /// Somebody else, or it was changed since.
    Unknown,
}

/// The folder of one project and env.
#[derive(Clone, Debug)]
pub struct StateDir {
    folder: PathBuf,
}

/// A file of the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be {what}: {cause}")]
pub struct StateError {
    path: String,
    what: &'static str,
    cause: String,
}

impl miette::Diagnostic for StateError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(dsvm_diagnostics::Code::StateUnusable))
    }
}

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of this form.
    pub schema: u32,
    /// Name of the project.
    pub project: String,
    /// Env; empty when the project has none.
    pub env: String,
    /// The target: `local` or `azure`.
    pub target: String,
    /// Id of the subscription that was deployed to.
    pub subscription: String,
    /// Name of the resource group that was deployed to.
    pub resource_group: String,
    /// Commit that was checked out, with `+` when files were changed; empty outside of a repository.
    pub commit: String,
    /// When it began (RFC 3339).
    pub started: String,
    /// When it ended (RFC 3339).
    pub ended: String,
    /// `succeeded`, `stopped` or `failed`.
    pub outcome: String,
    /// Hash of each template.
    pub templates: Vec<String>,
    /// Counts of the plan.
    pub summary: Summary,
    /// What happened to each resource, in plan order.
    pub resources: Vec<ReceiptItem>,
    /// Outputs of the templates; secret ones are left out.
    pub outputs: serde_json::Map<String, Value>,
    /// Ids that this project manages.
    pub managed: Vec<String>,
    /// Ids that must not be deleted.
    #[serde(default)]
    pub protected: Vec<String>,
}

/// One resource of a receipt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceiptItem {
    /// Full ARM id of the resource.
    pub id: String,
    /// The action that was planned for it.
    pub action: String,
    /// What Azure said in the end.
    pub state: String,
}

/// What is under way; written before each write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// When the apply began.
    pub started: String,
    /// Steps that were begun, in order.
    pub steps: Vec<JournalStep>,
    /// Ids that no stack holds any more and that are to be deleted.
    #[serde(default)]
    pub removing: Vec<String>,
}

/// One step of an apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JournalStep {
    /// The kind of step: `delete` or `deploy`.
    pub kind: String,
    /// The resource id or the deployment's name.
    pub name: String,
    /// `begun`, `done` or `failed`
    pub state: String,
}

/// Saved plans whose apply began, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AppliedPlans {
    plans: Vec<AppliedPlan>,
}

/// A saved plan by its seal, and when its apply began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct AppliedPlan {
    seal: String,
    started: String,
}

/// The file with them, and how many it keeps.
const APPLIED: &str = "applied.json";
const APPLIED_KEPT: usize = 500;

/// Held while an apply runs. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock cannot be acquired.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds the lock.
    #[error("another apply of this project is running ({0})")]
    Held(String),
    /// The file cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

impl miette::Diagnostic for LockError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        use dsvm_diagnostics::Code;
        Some(Box::new(if matches!(self, Self::Held(_)) { Code::ProjectLocked } else { Code::StateUnusable }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        matches!(self, Self::Held(_))
            .then(|| Box::new("wait for it to end, or use `--wait`") as Box<dyn std::fmt::Display>)
    }
}

impl StateDir {
    /// The folder of a project and env below `.dsvmc/` in `root`. Nothing is created yet.
    #[must_use]
    pub fn new(root: &Path, project: &str, env: &str) -> Self {
        let plain = |t: &str| {
            t.chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
                .collect::<String>()
        };
        let name = if env.is_empty() { plain(project) } else { format!("{}.{}", plain(project), plain(env)) };
        Self { folder: root.join(".dsvmc").join(name) }
    }

    /// Receipts of every project and env below `.dsvmc/` in `root`, by the names of their folders.
    #[must_use]
    pub fn receipts(root: &Path) -> Vec<Receipt> {
        let entries = std::fs::read_dir(root.join(".dsvmc")).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        folders.into_iter().filter_map(|folder| Self { folder }.receipt()).collect()
    }

    /// Path of the directory; it may not exist yet.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn error(path: &Path, what: &'static str, cause: &std::io::Error) -> StateError {
        StateError { path: path.display().to_string(), what, cause: cause.to_string() }
    }

    fn prepare(&self) -> Result<(), StateError> {
        let error = |e| Self::error(&self.folder, "made", &e);
        let root = self.folder.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let below = self.folder.strip_prefix(root).unwrap_or(&self.folder);
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        dsvm_files::folder(root, below).map_err(error)?;
        // The contents belong to this machine and are not committed.
        if let Some(root) = self.folder.parent() {
            let ignore = root.join(".gitignore");
            match dsvm_files::create(&ignore, b"*\n", Readers::Usual) {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(Self::error(&ignore, "written", &e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Acquires the lock; with `wait` it blocks until the other process releases it.
    ///
    /// # Errors
    /// Another process holds the lock, or the file cannot be used.
    pub fn lock(&self, wait: bool) -> Result<Lock, LockError> {
        self.prepare()?;
        let path = self.folder.join("lock");
        dsvm_files::expect_regular(&path).map_err(|e| Self::error(&path, "opened", &e))?;
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|e| Self::error(&path, "opened", &e))?;
        if wait {
            file.lock().map_err(|e| Self::error(&path, "locked", &e))?;
        } else {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // Only for the message.
                    let _ = file.read_to_string(&mut holder);
                    return Err(LockError::Held(format!("process {}", holder.trim())));
                }
                Err(TryLockError::Error(e)) => return Err(Self::error(&path, "locked", &e).into()),
            }
        }
        // Whoever wrote here held the lock.
        dsvm_files::remove_unfinished(&self.folder);
        let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).and_then(|()| file.flush());
        written.map_err(|e| Self::error(&path, "written", &e))?;
        Ok(Lock { _file: file })
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        self.prepare()?;
        let path = self.folder.join(name);
        let unwritable = |e| Self::error(&path, "written", &std::io::Error::other(e));
        let mut value = serde_json::to_value(value).map_err(unwritable)?;
        let mark = super::home::mark(&value);
        if let Some(map) = value.as_object_mut() {
            map.insert(MARK.to_owned(), Value::from(mark));
        }
        let mut text = serde_json::to_string_pretty(&value).map_err(unwritable)?;
        text.push('\n');
        dsvm_files::replace(&path, text.as_bytes(), Readers::Owner).map_err(|e| Self::error(&path, "written", &e))
    }

    /// A file that is not there, or damaged, is as if nothing had been recorded: the plan looks at what exists.
    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.read_with_origin(name).map(|(value, _)| value)
    }

    /// As `read`, with who wrote it: the folder may have come with the sources of somebody else.
    fn read_with_origin<T: DeserializeOwned>(&self, name: &str) -> Option<(T, Origin)> {
        let text = std::fs::read_to_string(self.folder.join(name)).ok()?;
        let mut json: Value = serde_json::from_str(&text).ok()?;
        let found = json.as_object_mut().and_then(|map| map.remove(MARK));
        let found = found.as_ref().and_then(Value::as_str).filter(|found| !found.is_empty());
        let ours = found.is_some_and(|found| found == super::home::mark(&json));
        Some((serde_json::from_value(json).ok()?, if ours { Origin::Ours } else { Origin::Unknown }))
    }

    /// Ids that an apply which did not end was about to delete, if dsvmc wrote them here: nobody else may name what is
    /// deleted.
    #[must_use]
    pub fn removing(&self) -> Vec<String> {
        match self.read_with_origin::<Journal>("journal.json") {
            Some((journal, Origin::Ours)) => journal.removing,
            _ => Vec::new(),
        }
    }

    /// Ids that the last apply managed, and whether dsvmc wrote them here.
    #[must_use]
    pub fn managed(&self) -> (Vec<String>, Origin) {
        let read = self.read_with_origin::<Receipt>("receipt.json");
        read.map_or((Vec::new(), Origin::Unknown), |(receipt, origin)| (receipt.managed, origin))
    }

    /// The journal of an apply that did not end.
    #[must_use]
    pub fn journal(&self) -> Option<Journal> {
        self.read("journal.json")
    }

    /// Writes the journal atomically.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_journal(&self, journal: &Journal) -> Result<(), StateError> {
        self.write("journal.json", journal)
    }

    /// The apply ended: nothing is under way.
    pub fn clear_journal(&self) {
        // A missing file is the desired result.
        let _ = std::fs::remove_file(self.folder.join("journal.json"));
    }

    /// Random salt of the fingerprints; created on first use, and kept.
    #[must_use]
    pub fn salt(&self) -> String {
        let path = self.folder.join("salt");
        if let Ok(text) = std::fs::read_to_string(&path)
            && text.trim().len() >= 32
        {
            return text.trim().to_owned();
        }
        let salt = super::random_id();
        // Without the file each plan has its own salt: secrets then count as not compared.
        if self.prepare().is_ok() {
            let _ = dsvm_files::create(&path, salt.as_bytes(), Readers::Owner);
        }
        salt
    }

    /// The record of the last apply.
    #[must_use]
    pub fn baseline(&self) -> Option<Baseline> {
        self.read("baseline.json")
    }

    /// Writes the record of an apply atomically.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_baseline(&self, baseline: &Baseline) -> Result<(), StateError> {
        self.write("baseline.json", baseline)
    }

    /// The receipt of the last apply, if there is one.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        self.read("receipt.json")
    }

    /// Writes the receipt of an apply atomically.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_receipt(&self, receipt: &Receipt) -> Result<(), StateError> {
        self.write("receipt.json", receipt)
    }

    /// When a saved plan was applied, by its seal; `None` if it was not, or long ago.
    #[must_use]
    pub fn applied(&self, seal: &str) -> Option<String> {
        self.read::<AppliedPlans>(APPLIED)?.plans.into_iter().find(|plan| plan.seal == seal).map(|plan| plan.started)
    }

    /// Remembers that the apply of a saved plan began.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn record_applied(&self, seal: &str, started: &str) -> Result<(), StateError> {
        let mut all = self.read::<AppliedPlans>(APPLIED).unwrap_or_default();
        all.plans.push(AppliedPlan { seal: seal.to_owned(), started: started.to_owned() });
        let old = all.plans.len().saturating_sub(APPLIED_KEPT);
        all.plans.drain(..old);
        self.write(APPLIED, &all)
    }

    /// Deletes the records of what is deployed, after `destroy`. The lock stays, and which plans were applied.
    pub fn forget(&self) {
        for name in ["journal.json", "baseline.json", "receipt.json"] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }
}
