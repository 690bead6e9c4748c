//! What the endpoint knows, kept in memory and in SQLite: resources as rows, everything else as documents.
//!
//! A request changes the memory under one lock and keeps a journal. `commit` writes the journal in one SQLite
//! transaction before the client is answered; `rollback` undoes it. A process killed at any moment therefore loses no
//! acknowledged write and leaves no half one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ArmError;

/// Version of the state file; a file of another version is refused, not guessed at.
const SCHEMA_VERSION: i64 = 1;

/// One resource (a resource group is one too).
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Row {
    /// Id in canonical casing.
    pub id: String,
    /// `Microsoft.Compute/virtualMachineScaleSets`.
    pub kind: String,
    /// Last name.
    pub name: String,
    /// What a GET shows (secrets are not in here), `provisioningState` as it will be when settled.
    pub body: Value,
    /// Changes with every write.
    pub etag: String,
    /// Endpoint time of creation and of the last write, milliseconds.
    pub created: i64,
    /// See `created`.
    pub changed: i64,
    /// Machine time until which `settling` is shown as the provisioning state; 0 when settled.
    pub settles: i64,
    /// `Creating`, `Updating`, `Deleting`.
    pub settling: String,
    /// What a client never sees: key generations, secret values, instance counters.
    pub hidden: Value,
}

impl Row {
    /// Location, lower case without spaces, or empty.
    #[must_use]
    pub fn location(&self) -> String {
        self.body.get("location").and_then(Value::as_str).map(super::names::location).unwrap_or_default()
    }

    /// A value inside the body.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer)
    }

    /// A string inside the body.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }
}

enum Change {
    Row(String, Option<Arc<Row>>),
    Doc(String, Option<Arc<Value>>),
}

/// The state. All access is under one lock, held by [`super::core::Core`].
pub struct Store {
    rows: BTreeMap<String, Arc<Row>>,
    /// Keys of the rows of each type, lower case.
    kinds: BTreeMap<String, BTreeSet<String>>,
    docs: BTreeMap<String, Arc<Value>>,
    journal: Vec<Change>,
    db: Connection,
}

impl Store {
    /// Opens the state file, or a state that lives in memory only.
    ///
    /// # Errors
    /// A sentence for the user: the file cannot be opened, is in use by another endpoint, or is of another version.
    pub fn open(path: Option<&Path>) -> Result<Self, String> {
        let db = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        }
        .map_err(|error| format!("the state file cannot be opened: {error}"))?;
        let set_up = || -> rusqlite::Result<Option<i64>> {
            db.busy_timeout(std::time::Duration::from_millis(200))?;
            // one endpoint per state: the lock goes with the process, however it ends
            db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "NORMAL")?;
            db.pragma_update(None, "secure_delete", "ON")?;
            db.execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS resource (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS doc (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
                 INSERT OR IGNORE INTO meta VALUES ('version', 1);
                 COMMIT;",
            )?;
            db.query_row("SELECT value FROM meta WHERE name = 'version'", [], |row| row.get(0)).optional()
        };
        let version = set_up().map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => "another local endpoint is using this state".to_owned(),
            _ => format!("the state file cannot be used: {error}"),
        })?;
        if version != Some(SCHEMA_VERSION) {
            return Err(format!("the state file is of version {version:?}, this dsvmc reads version {SCHEMA_VERSION}"));
        }
        let mut store =
            Self { rows: BTreeMap::new(), kinds: BTreeMap::new(), docs: BTreeMap::new(), journal: Vec::new(), db };
        store.load().map_err(|error| format!("the state file cannot be read: {error}"))?;
        Ok(store)
    }

    fn load(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let mut query = self.db.prepare("SELECT key, body FROM resource")?;
        let mut found = query.query([])?;
        while let Some(line) = found.next()? {
            let (key, body): (String, String) = (line.get(0)?, line.get(1)?);
            let row: Row = serde_json::from_str(&body)?;
            self.kinds.entry(row.kind.to_lowercase()).or_default().insert(key.clone());
            self.rows.insert(key, Arc::new(row));
        }
        let mut query = self.db.prepare("SELECT key, body FROM doc")?;
        let mut found = query.query([])?;
        while let Some(line) = found.next()? {
            let (key, body): (String, String) = (line.get(0)?, line.get(1)?);
            self.docs.insert(key, Arc::new(serde_json::from_str(&body)?));
        }
        Ok(())
    }

    /// A resource by id, compared without case.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<Arc<Row>> {
        self.rows.get(&super::id::key(id)).cloned()
    }

    /// Resources whose id starts with `prefix` and a slash, in order of id. An empty prefix means all.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Vec<Arc<Row>> {
        let start = format!("{}/", super::id::key(prefix));
        self.rows
            .range(start.clone()..)
            .take_while(|(key, _)| key.starts_with(&start))
            .map(|(_, row)| row.clone())
            .collect()
    }

    /// Every resource of a type, compared without case.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Vec<Arc<Row>> {
        let keys = self.kinds.get(&kind.to_lowercase());
        keys.into_iter().flatten().filter_map(|key| self.rows.get(key).cloned()).collect()
    }

    /// All resources.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// Writes a resource.
    pub fn put_row(&mut self, row: Row) -> Arc<Row> {
        let key = super::id::key(&row.id);
        let row = Arc::new(row);
        let old = self.set_row(&key, Some(row.clone()));
        self.journal.push(Change::Row(key, old));
        row
    }

    /// Removes a resource; says whether it was there.
    pub fn remove_row(&mut self, id: &str) -> bool {
        let key = super::id::key(id);
        match self.set_row(&key, None) {
            Some(old) => {
                self.journal.push(Change::Row(key, Some(old)));
                true
            }
            None => false,
        }
    }

    /// Puts or removes a row and keeps the index of types; gives the row that was there.
    fn set_row(&mut self, key: &str, new: Option<Arc<Row>>) -> Option<Arc<Row>> {
        let old = match &new {
            Some(row) => self.rows.insert(key.to_owned(), row.clone()),
            None => self.rows.remove(key),
        };
        if let Some(old) = &old
            && let Some(keys) = self.kinds.get_mut(&old.kind.to_lowercase())
        {
            keys.remove(key);
        }
        if let Some(row) = &new {
            self.kinds.entry(row.kind.to_lowercase()).or_default().insert(key.to_owned());
        }
        old
    }

    /// A document.
    #[must_use]
    pub fn doc(&self, key: &str) -> Option<Arc<Value>> {
        self.docs.get(&key.to_lowercase()).cloned()
    }

    /// Documents whose key starts with `prefix`, in order of key.
    #[must_use]
    pub fn docs(&self, prefix: &str) -> Vec<(String, Arc<Value>)> {
        let start = prefix.to_lowercase();
        self.docs
            .range(start.clone()..)
            .take_while(|(key, _)| key.starts_with(&start))
            .map(|(key, doc)| (key.clone(), doc.clone()))
            .collect()
    }

    /// Writes a document.
    pub fn put_doc(&mut self, key: &str, value: Value) {
        let key = key.to_lowercase();
        let old = self.docs.insert(key.clone(), Arc::new(value));
        self.journal.push(Change::Doc(key, old));
    }

    /// Removes a document.
    pub fn remove_doc(&mut self, key: &str) {
        let key = key.to_lowercase();
        if let Some(old) = self.docs.remove(&key) {
            self.journal.push(Change::Doc(key, Some(old)));
        }
    }

    /// Makes the changes since the last commit durable, all or none.
    ///
    /// # Errors
    /// `InternalServerError` when the file cannot be written; the changes are undone then.
    pub fn commit(&mut self) -> Result<(), ArmError> {
        if self.journal.is_empty() {
            return Ok(());
        }
        match self.write() {
            Ok(()) => {
                self.journal.clear();
                Ok(())
            }
            Err(error) => {
                self.rollback();
                Err(ArmError::internal(format!("the local endpoint cannot write its state: {error}")))
            }
        }
    }

    fn write(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let transaction = self.db.transaction()?;
        {
            let mut put_row = transaction.prepare_cached("INSERT OR REPLACE INTO resource VALUES (?1, ?2)")?;
            let mut del_row = transaction.prepare_cached("DELETE FROM resource WHERE key = ?1")?;
            let mut put_doc = transaction.prepare_cached("INSERT OR REPLACE INTO doc VALUES (?1, ?2)")?;
            let mut del_doc = transaction.prepare_cached("DELETE FROM doc WHERE key = ?1")?;
            for change in &self.journal {
                match change {
                    Change::Row(key, _) => match self.rows.get(key) {
                        Some(row) => put_row.execute(params![key, serde_json::to_string(row.as_ref())?])?,
                        None => del_row.execute(params![key])?,
                    },
                    Change::Doc(key, _) => match self.docs.get(key) {
                        Some(doc) => put_doc.execute(params![key, serde_json::to_string(doc.as_ref())?])?,
                        None => del_doc.execute(params![key])?,
                    },
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// A point that [`Store::rollback_to`] can go back to.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Undoes the changes since the last commit.
    pub fn rollback(&mut self) {
        self.rollback_to(0);
    }

    /// Undoes the changes since a mark.
    pub fn rollback_to(&mut self, mark: usize) {
        while self.journal.len() > mark {
            let Some(change) = self.journal.pop() else { return };
            match change {
                Change::Row(key, old) => drop(self.set_row(&key, old)),
                Change::Doc(key, Some(old)) => drop(self.docs.insert(key, old)),
                Change::Doc(key, None) => drop(self.docs.remove(&key)),
            }
        }
    }

    /// Forgets everything but the settings that belong to the installation.
    pub fn clear(&mut self) {
        let rows: Vec<String> = self.rows.keys().cloned().collect();
        for key in rows {
            self.remove_row(&key);
        }
        let docs: Vec<String> = self.docs.keys().cloned().collect();
        for key in docs {
            self.remove_doc(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(id: &str, n: i64) -> Row {
        Row {
            id: id.into(),
            kind: "T/t".into(),
            name: "n".into(),
            body: json!({ "n": n }),
            etag: String::new(),
            created: 0,
            changed: 0,
            settles: 0,
            settling: String::new(),
            hidden: Value::Null,
        }
    }

    #[test]
    fn what_is_committed_survives_and_what_is_not_does_not() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("state.db");
        {
            let mut store = Store::open(Some(&path)).expect("open");
            store.put_row(row("/A/b", 1));
            store.put_doc("x|1", json!(1));
            store.commit().expect("commit");
            store.put_row(row("/a/B", 2));
            store.put_row(row("/a/c", 3));
            store.remove_doc("x|1");
            store.rollback();
            assert_eq!(store.row("/a/b").expect("row").body, json!({ "n": 1 }));
            assert_eq!(store.below("/a").len(), 1);
            assert!(store.doc("X|1").is_some());
            store.put_row(row("/a/lost", 4));
        }
        let store = Store::open(Some(&path)).expect("open again");
        assert_eq!(store.rows().count(), 1);
        assert!(store.row("/a/lost").is_none());
    }

    #[test]
    fn a_second_endpoint_cannot_open_the_same_state() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("state.db");
        let _first = Store::open(Some(&path)).expect("open");
        let second = Store::open(Some(&path)).map(|_| ()).expect_err("locked");
        assert_eq!(second, "another local endpoint is using this state");
    }
}
