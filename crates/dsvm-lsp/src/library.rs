//! The standard library as files that an editor can open.

use crate::host::Host;
use dsvm_stdlib::MODULES;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of the modules, each written when somebody first wants to see it.
pub(crate) struct Library {
    host: Arc<dyn Host>,
    files: RefCell<BTreeMap<&'static str, Option<PathBuf>>>,
}

impl Library {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, files: RefCell::default() }
    }

    /// The file of a module, which is called `images` or `std.images`.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        let name = name.strip_prefix("std.").unwrap_or(name);
        let (name, text) = MODULES.iter().find(|(module, _)| *module == name)?;
        self.files.borrow_mut().entry(name).or_insert_with(|| self.host.library_file(name, text)).clone()
    }

    /// Whether a file is one of them.
    pub(crate) fn is(&self, path: &Path) -> bool {
        self.module(path).is_some()
    }

    /// The module whose file this is.
    pub(crate) fn module(&self, path: &Path) -> Option<&'static str> {
        let stem = path.file_stem()?.to_str()?;
        let (name, _) = MODULES.iter().find(|(module, _)| *module == stem)?;
        // The folder tells the copies from a file of the project that has the same name.
        let ours = path.components().any(|part| part.as_os_str() == "std") && self.file(name).as_deref() == Some(path);
        ours.then_some(*name)
    }
}
