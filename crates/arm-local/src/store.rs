//! What the endpoint knows, kept in memory and in SQLite: resources as rows, everything else as documents.
//!
//! A request changes the memory under one lock and keeps a journal. `commit` writes the journal in one SQLite
//! transaction before the client is answered; `rollback` undoes it. A process killed at any moment therefore loses no
//! acknowledged write and leaves no half one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::documents::{
    DenyMode, DeploymentDocument, Document, OperationDocument, Row, StackDocument, Stored, WhatIfDocument,
};
use crate::error::ArmError;

/// Version of the state file; a file of another version is refused, except the first, which had no sums.
const SCHEMA_VERSION: i64 = 2;
const WITHOUT_SUMS: i64 = 1;

/// How SQLite is set up. One endpoint per state, and no acknowledged write is lost when the process is killed.
const PRAGMAS: &[(&str, &str)] = &[
    // the lock goes with the process, however it ends; a second endpoint is refused
    ("locking_mode", "EXCLUSIVE"),
    // a commit of one resource takes 0.06 ms; 4.9 ms with `FULL`, 14.6 ms with SQLite's defaults. Either way nothing that
    // was acknowledged is lost with the process; with the machine, the last commits may be
    ("journal_mode", "WAL"),
    ("synchronous", "NORMAL"),
    // deleted secrets do not stay in free pages
    ("secure_delete", "ON"),
];

enum Change {
    Row(String, Option<Arc<Row>>),
    Document(String, Option<Stored>),
}

/// The state. All access is under one lock, held by [`crate::core::Core`]; [`Store::copy`] gives a state that needs none.
pub struct Store {
    /// The maps are shared with copies until one of them is changed.
    rows: Arc<BTreeMap<String, Arc<Row>>>,
    /// Keys of the rows of each type, lower case.
    kinds: Arc<BTreeMap<String, BTreeSet<String>>>,
    documents: Arc<BTreeMap<String, Stored>>,
    /// Keys of the stacks whose deny settings deny something: the only ones that a write has to look at.
    denying: Arc<BTreeSet<String>>,
    journal: Vec<Change>,
    /// `None` in a copy.
    db: Option<Connection>,
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
            for (name, value) in PRAGMAS {
                db.pragma_update(None, name, value)?;
            }
            db.execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS resource (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS doc (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
                 INSERT INTO meta SELECT 'version', 2 WHERE NOT EXISTS (SELECT * FROM meta);
                 INSERT INTO meta SELECT 'sum', 0 WHERE (SELECT count(*) FROM meta) = 1
                     AND EXISTS (SELECT * FROM meta WHERE name = 'version' AND value = 2)
                     AND NOT EXISTS (SELECT * FROM resource) AND NOT EXISTS (SELECT * FROM doc);
                 COMMIT;",
            )?;
            db.query_row("SELECT value FROM meta WHERE name = 'version'", [], |row| row.get(0)).optional()
        };
        let version = set_up().map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => "another local endpoint is using this state".to_owned(),
            _ => format!("the state file cannot be used: {error}"),
        })?;
        if version != Some(SCHEMA_VERSION) && version != Some(WITHOUT_SUMS) {
            return Err(format!("the state file is of version {version:?}, this dsvmc reads version {SCHEMA_VERSION}"));
        }
        let mut store = Self {
            rows: Arc::default(),
            kinds: Arc::default(),
            documents: Arc::default(),
            denying: Arc::default(),
            journal: Vec::new(),
            db: None,
        };
        store.load(&db).map_err(|error| format!("the state file is damaged: {error}"))?;
        store.check_sum(&db, version == Some(WITHOUT_SUMS))?;
        store.db = Some(db);
        Ok(store)
    }

    /// The state as it is now, to work on without the lock. Changes to the copy stay in it.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            kinds: self.kinds.clone(),
            documents: self.documents.clone(),
            denying: self.denying.clone(),
            journal: Vec::new(),
            db: None,
        }
    }

    /// Compares what was read with the sum of everything that was written. SQLite itself does not notice a changed bit in
    /// a text, nor a row that is lost with a consistent page.
    fn check_sum(&self, db: &Connection, first: bool) -> Result<(), String> {
        let unreadable = |error: rusqlite::Error| format!("the state file is damaged: {error}");
        let texts = || -> rusqlite::Result<i64> {
            let all = [read(db, "SELECT key, body FROM resource")?, read(db, "SELECT key, body FROM doc")?];
            Ok(all.iter().flatten().fold(0, |sum, (key, body)| sum.wrapping_add(text_sum(key, body))))
        };
        let found = texts().map_err(unreadable)?;
        if first {
            let added = db.execute("INSERT OR REPLACE INTO meta VALUES ('sum', ?1)", params![found]);
            let added = added.and_then(|_| db.execute("UPDATE meta SET value = 2 WHERE name = 'version'", []));
            return added.map(drop).map_err(unreadable);
        }
        let written = db.query_row("SELECT value FROM meta WHERE name = 'sum'", [], |line| line.get::<_, i64>(0));
        match written.optional().map_err(unreadable)? {
            Some(written) if written == found => Ok(()),
            _ => Err("the state file is damaged: its content does not match its checksum".to_owned()),
        }
    }

    fn load(&mut self, db: &Connection) -> Result<(), Box<dyn std::error::Error>> {
        for (key, body) in read(db, "SELECT key, body FROM resource")? {
            let row: Row = serde_json::from_str(&body)?;
            self.set_row(&key, Some(Arc::new(row)));
        }
        for (key, body) in read(db, "SELECT key, body FROM doc")? {
            let document = Stored::read(&key, &body)?;
            self.set_document(&key, Some(document));
        }
        Ok(())
    }

    /// The resource with an id, compared without case.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<Arc<Row>> {
        self.rows.get(&crate::id::key(id)).cloned()
    }

    /// Resources whose id starts with `prefix` and a slash, in order of id. An empty prefix means all.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Vec<Arc<Row>> {
        let start = format!("{}/", crate::id::key(prefix));
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

    /// Every resource, in order of id.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// Writes a resource in place of the one with the same id.
    pub fn put_row(&mut self, row: Row) -> Arc<Row> {
        let key = crate::id::key(&row.id);
        let row = Arc::new(row);
        let old = self.set_row(&key, Some(row.clone()));
        self.journal.push(Change::Row(key, old));
        row
    }

    /// Removes a resource; says whether it was there.
    pub fn remove_row(&mut self, id: &str) -> bool {
        let key = crate::id::key(id);
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
            Some(row) => Arc::make_mut(&mut self.rows).insert(key.to_owned(), row.clone()),
            None => Arc::make_mut(&mut self.rows).remove(key),
        };
        let kinds = Arc::make_mut(&mut self.kinds);
        if let Some(old) = &old
            && let Some(keys) = kinds.get_mut(&old.kind.to_lowercase())
        {
            keys.remove(key);
        }
        if let Some(row) = &new {
            kinds.entry(row.kind.to_lowercase()).or_default().insert(key.to_owned());
        }
        old
    }

    /// The document of a type with a key.
    #[must_use]
    pub fn get<D: Document>(&self, key: &str) -> Option<Arc<D>> {
        self.documents.get(&stored_key::<D>(key)).and_then(D::of).cloned()
    }

    /// Whether there is a document of a type with a key.
    #[must_use]
    pub fn has<D: Document>(&self, key: &str) -> bool {
        self.documents.contains_key(&stored_key::<D>(key))
    }

    /// Documents of a type whose key starts with `prefix`, in order of key. An empty prefix means all.
    #[must_use]
    pub fn all<D: Document>(&self, prefix: &str) -> Vec<Arc<D>> {
        self.range::<D>(prefix).filter_map(|(_, document)| D::of(document).cloned()).collect()
    }

    fn range<D: Document>(&self, prefix: &str) -> impl Iterator<Item = (&String, &Stored)> {
        let start = format!("{}|{}", D::PREFIX, prefix.to_lowercase());
        self.documents.range(start.clone()..).take_while(move |(key, _)| key.starts_with(&start))
    }

    /// Stacks whose deny settings deny something.
    pub fn denying_stacks(&self) -> impl Iterator<Item = &Arc<StackDocument>> {
        self.denying.iter().filter_map(|key| StackDocument::of(self.documents.get(key)?))
    }

    /// Writes a document in place of the one with the same key.
    pub fn put<D: Document>(&mut self, key: &str, document: D) {
        self.change_document(stored_key::<D>(key), Some(Arc::new(document).stored()));
    }

    /// Changes a document in place; says whether it is there.
    pub fn edit<D: Document>(&mut self, key: &str, change: impl FnOnce(&mut D)) -> bool {
        let Some(document) = self.get::<D>(key) else { return false };
        let mut document = document.as_ref().clone();
        change(&mut document);
        self.put(key, document);
        true
    }

    /// Changes the documents of a type that pass a test.
    pub fn edit_where<D: Document>(&mut self, test: impl Fn(&D) -> bool, mut change: impl FnMut(&mut D)) {
        let passed: Vec<(String, Arc<D>)> = self
            .range::<D>("")
            .filter_map(|(key, document)| Some((key.clone(), D::of(document)?.clone())))
            .filter(|(_, document)| test(document))
            .collect();
        for (key, document) in passed {
            let mut document = document.as_ref().clone();
            change(&mut document);
            self.change_document(key, Some(Arc::new(document).stored()));
        }
    }

    /// Removes a document; says whether it was there.
    pub fn remove<D: Document>(&mut self, key: &str) -> bool {
        self.change_document(stored_key::<D>(key), None)
    }

    /// Removes the documents of a type whose key starts with `prefix`, compared without case.
    pub fn remove_all<D: Document>(&mut self, prefix: &str) {
        self.remove_where::<D>(prefix, |_| true);
    }

    /// Removes the documents of a type whose key starts with `prefix` and that pass a test.
    pub fn remove_where<D: Document>(&mut self, prefix: &str, test: impl Fn(&D) -> bool) {
        let gone: Vec<String> = self
            .range::<D>(prefix)
            .filter(|(_, document)| D::of(document).is_some_and(|document| test(document)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.change_document(key, None);
        }
    }

    /// Removes the deployments and stacks of a scope, with what belongs to them.
    pub fn forget_scope(&mut self, scope: &str) {
        let inside = format!("{}/", crate::id::key(scope));
        self.remove_all::<DeploymentDocument>(&inside);
        self.remove_all::<OperationDocument>(&inside);
        self.remove_all::<StackDocument>(&inside);
        self.remove_all::<WhatIfDocument>(&inside);
    }

    /// Puts or removes a document with an entry in the journal; says whether there was one.
    fn change_document(&mut self, key: String, new: Option<Stored>) -> bool {
        let gone = new.is_none();
        let old = self.set_document(&key, new);
        let there = old.is_some();
        if there || !gone {
            self.journal.push(Change::Document(key, old));
        }
        there
    }

    /// Puts or removes a document and keeps the index of stacks; gives the document that was there.
    fn set_document(&mut self, key: &str, new: Option<Stored>) -> Option<Stored> {
        let denies = new
            .as_ref()
            .and_then(StackDocument::of)
            .is_some_and(|stack| stack.record.properties.deny_settings.mode != DenyMode::None);
        if denies {
            Arc::make_mut(&mut self.denying).insert(key.to_owned());
        } else if self.denying.contains(key) {
            Arc::make_mut(&mut self.denying).remove(key);
        }
        let documents = Arc::make_mut(&mut self.documents);
        match new {
            Some(document) => documents.insert(key.to_owned(), document),
            None => documents.remove(key),
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

    /// Moves what was written from the log into the file, where its checksum is compared when it is read again. A process
    /// whose threads still run when it ends does not close the file, which would do this.
    pub fn settle(&self) {
        if let Some(db) = &self.db {
            // What stays in the log is read from there.
            let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn write(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let Some(db) = &mut self.db else { return Ok(()) };
        let transaction = db.transaction()?;
        {
            let mut put_row = transaction.prepare_cached("INSERT OR REPLACE INTO resource VALUES (?1, ?2)")?;
            let mut del_row = transaction.prepare_cached("DELETE FROM resource WHERE key = ?1")?;
            let mut put_doc = transaction.prepare_cached("INSERT OR REPLACE INTO doc VALUES (?1, ?2)")?;
            let mut del_doc = transaction.prepare_cached("DELETE FROM doc WHERE key = ?1")?;
            let mut old_row = transaction.prepare_cached("SELECT body FROM resource WHERE key = ?1")?;
            let mut old_doc = transaction.prepare_cached("SELECT body FROM doc WHERE key = ?1")?;
            let mut sum = transaction.prepare_cached("SELECT value FROM meta WHERE name = 'sum'")?;
            let mut total: i64 = sum.query_row([], |line| line.get(0))?;
            for change in &self.journal {
                let (old, put, delete, key, new) = match change {
                    Change::Row(key, _) => {
                        let new = self.rows.get(key).map(|row| serde_json::to_string(row.as_ref())).transpose()?;
                        (&mut old_row, &mut put_row, &mut del_row, key, new)
                    }
                    Change::Document(key, _) => {
                        let new = self.documents.get(key).map(Stored::text).transpose()?;
                        (&mut old_doc, &mut put_doc, &mut del_doc, key, new)
                    }
                };
                let before: Option<String> = old.query_row(params![key], |line| line.get(0)).optional()?;
                if let Some(before) = before {
                    total = total.wrapping_sub(text_sum(key, &before));
                }
                match new {
                    Some(body) => {
                        total = total.wrapping_add(text_sum(key, &body));
                        put.execute(params![key, body])?;
                    }
                    None => {
                        delete.execute(params![key])?;
                    }
                }
            }
            transaction.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'sum'")?.execute(params![total])?;
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
                Change::Document(key, old) => drop(self.set_document(&key, old)),
            }
        }
    }

    /// Forgets everything but the settings that belong to the installation.
    pub fn clear(&mut self) {
        let rows: Vec<String> = self.rows.keys().cloned().collect();
        for key in rows {
            self.remove_row(&key);
        }
        let documents: Vec<String> = self.documents.keys().cloned().collect();
        for key in documents {
            self.change_document(key, None);
        }
    }
}

/// Keys and bodies of a query.
fn read(db: &Connection, query: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = db.prepare(query)?;
    query.query_map([], |line| Ok((line.get(0)?, line.get(1)?)))?.collect()
}

/// What a row adds to the sum of the file.
fn text_sum(key: &str, body: &str) -> i64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::new().chain_update(key).chain_update([0]).chain_update(body).finalize();
    hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | i64::from(*byte))
}

fn stored_key<D: Document>(key: &str) -> String {
    if key.is_empty() { D::PREFIX.to_owned() } else { format!("{}|{}", D::PREFIX, key.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Metric;
    use serde_json::{Value, json};

    fn metric() -> Metric {
        Metric { resource: "r".into(), metric: "m".into(), samples: vec![(1, 0.5)] }
    }

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
            store.put("x", metric());
            store.commit().expect("commit");
            store.put_row(row("/a/B", 2));
            store.put_row(row("/a/c", 3));
            store.remove::<Metric>("x");
            store.rollback();
            assert_eq!(store.row("/a/b").expect("row").body, json!({ "n": 1 }));
            assert_eq!(store.below("/a").len(), 1);
            assert!(store.get::<Metric>("X").is_some());
            store.put_row(row("/a/lost", 4));
        }
        let store = Store::open(Some(&path)).expect("open again");
        assert_eq!(store.rows().count(), 1);
        assert!(store.row("/a/lost").is_none());
    }

    #[test]
    fn a_copy_keeps_the_state_of_its_moment_and_its_own_changes() {
        let mut store = Store::open(None).expect("open");
        store.put_row(row("/a/b", 1));
        let mut copy = store.copy();
        copy.put_row(row("/a/b", 2));
        store.put_row(row("/a/c", 3));
        assert_eq!((store.of_kind("T/t").len(), copy.of_kind("T/t").len()), (2, 1));
        assert_eq!(store.row("/a/b").expect("row").body, json!({ "n": 1 }));
        copy.rollback();
        assert_eq!(copy.row("/a/b").expect("row").body, json!({ "n": 1 }));
    }

    /// Every bit of the file: either what was acknowledged is read, or the damage is told.
    #[test]
    fn a_flipped_bit_is_found() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("state.db");
        {
            let mut store = Store::open(Some(&path)).expect("open");
            for n in 0..40 {
                store.put_row(row(&format!("/a/{n}"), n));
            }
            store.put("x", metric());
            store.commit().expect("commit");
            store.remove_row("/a/7");
            store.put_row(row("/a/8", 80));
            store.commit().expect("commit");
        }
        let state = |path: &Path| {
            let store = Store::open(Some(path))?;
            let rows: Vec<String> = store.rows().map(|row| format!("{row:?}")).collect();
            Ok::<_, String>((rows, store.get::<Metric>("x").map(|metric| format!("{metric:?}"))))
        };
        let whole = state(&path).expect("undamaged");
        assert_eq!(whole.0.len(), 39);
        let bytes = std::fs::read(&path).expect("read");
        let (mut damaged, mut random) = (0, 0x9e37_79b9_7f4a_7c15_u64);
        for at in (0..bytes.len()).step_by(7) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut copy = bytes.clone();
            copy[at] ^= 1 << (random >> 61);
            let other = dir.path().join("other.db");
            std::fs::write(&other, &copy).expect("write");
            match state(&other) {
                Ok(found) => assert_eq!(found, whole, "byte {at}"),
                Err(_) => damaged += 1,
            }
            for name in ["other.db", "other.db-wal", "other.db-shm"] {
                let _ = std::fs::remove_file(dir.path().join(name));
            }
        }
        assert!(damaged > 300, "{damaged} of {} flipped bits were found", bytes.len() / 7);
    }

    /// The first version of the file had no sums.
    #[test]
    fn a_state_of_the_first_version_gets_a_sum() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("state.db");
        {
            let mut store = Store::open(Some(&path)).expect("open");
            store.put_row(row("/a/b", 1));
            store.commit().expect("commit");
            let db = store.db.as_ref().expect("file");
            db.execute_batch("DELETE FROM meta WHERE name = 'sum'; UPDATE meta SET value = 1;").expect("older");
        }
        let mut store = Store::open(Some(&path)).expect("open");
        store.put_row(row("/a/c", 2));
        store.commit().expect("commit");
        drop(store);
        assert_eq!(Store::open(Some(&path)).expect("open again").rows().count(), 2);
    }

    #[test]
    fn a_second_endpoint_cannot_open_the_same_state() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("state.db");
        let _first = Store::open(Some(&path)).expect("open");
        let second = Store::open(Some(&path)).map(|_| ()).expect_err("locked");
        assert_eq!(second, "another local endpoint is using this state");
    }

    #[test]
    fn only_stacks_that_deny_something_are_looked_at_by_writes() {
        let mut store = Store::open(None).expect("open");
        let text = crate::documents::samples::ALL.iter().find(|(key, _)| key.starts_with("stack|")).expect("stack").1;
        let stack: StackDocument = serde_json::from_str(text).expect("document");
        store.put("/s/k", stack.clone());
        store.commit().expect("commit");
        let count = |store: &Store| store.denying_stacks().count();
        assert_eq!(count(&store), 1);
        store.edit("/S/K", |stack: &mut StackDocument| stack.record.properties.deny_settings.mode = DenyMode::None);
        assert_eq!(count(&store), 0);
        store.rollback();
        assert_eq!(count(&store), 1);
        store.remove::<StackDocument>("/s/k");
        assert_eq!(count(&store), 0);
        store.rollback();
        store.put("/s/other", stack);
        assert_eq!(count(&store), 2);
        store.clear();
        assert_eq!(count(&store), 0);
    }
}
