//! The user's own folder for state, and the key in it by which files that dsvmc wrote are told from those of others.

use dsvm_files::Readers;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::path::{Path, PathBuf};

/// Where what belongs to the user and to no project is kept: `$XDG_STATE_HOME/dsvmc`, or where the system keeps such
/// files of programs. `None` when the user has no such folder.
#[must_use]
pub fn user_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || match cfg!(windows) {
        true => variable("LOCALAPPDATA"),
        false => std::env::home_dir().filter(|path| path.is_absolute()).map(|home| home.join(".local").join("state")),
    };
    variable("XDG_STATE_HOME").or_else(usual).map(|folder| folder.join("dsvmc"))
}

/// 32 random hexadecimal digits.
#[must_use]
pub fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The key of this user on this machine, made at first use. `None` when it cannot be kept: then nothing that was written
/// counts as ours, and everything is looked up at the service.
fn key() -> Option<String> {
    let folder = user_folder()?;
    let path = folder.join("key");
    let read = || std::fs::read_to_string(&path).ok().filter(|key| key.len() == 64);
    if let Some(key) = read() {
        return Some(key);
    }
    dsvm_files::folder(&folder, Path::new("")).ok()?;
    // Another process may have been faster: its key counts.
    let _ = dsvm_files::create(&path, (random_id() + &random_id()).as_bytes(), Readers::Owner);
    read()
}

/// The mark of a value that this user's dsvmc wrote: an HMAC, so that nobody without the key can make one. Empty without
/// a key.
pub(crate) fn mark(value: &Value) -> String {
    let Some(key) = key() else { return String::new() };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(arm_plan::digest(value).as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mark_belongs_to_its_value() {
        let one = mark(&json!({ "a": 1, "b": 2 }));
        assert_eq!(one, mark(&json!({ "b": 2, "a": 1 })));
        assert_ne!(one, mark(&json!({ "a": 1, "b": 3 })));
    }
}
