//! Texts → syntax trees, each parsed once as long as it does not change.

use crate::documents::Documents;
use crate::symbols::parse;
use dsvm_syntax::ast::File;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trees of files that are kept although no open document has them; then all of these are forgotten.
const MOST_OTHERS: usize = 256;

/// The trees, by path.
#[derive(Default)]
pub(crate) struct Trees(HashMap<PathBuf, (Arc<str>, Arc<File>)>);

impl Trees {
    /// The tree of a text that is at a path.
    pub(crate) fn get(&mut self, path: &Path, text: &Arc<str>) -> Arc<File> {
        if let Some((known, tree)) = self.0.get(path)
            && (Arc::ptr_eq(known, text) || known == text)
        {
            return tree.clone();
        }
        let tree = Arc::new(parse(text));
        self.0.insert(path.to_owned(), (text.clone(), tree.clone()));
        tree
    }

    /// Forgets trees when there are too many of files that nobody edits.
    pub(crate) fn forget_closed(&mut self, documents: &Documents) {
        if self.0.len() > MOST_OTHERS {
            self.0.retain(|path, _| documents.get(path).is_some());
        }
    }
}
