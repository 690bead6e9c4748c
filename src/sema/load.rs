//! Files of a project → program: every file that is imported is read and parsed, once.
//!
//! Reads nothing itself: whoever calls brings a reader.

use crate::diagnostics::Sink;
use crate::source::{SourceId, SourceMap};
use crate::syntax::ast;
use std::sync::Arc;

/// Everything that one project consists of.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The files of the project itself, in the order given.
    pub roots: Vec<(SourceId, Arc<ast::File>)>,
}

impl Program {
    /// Names of the envs, in source order.
    pub fn envs(&self) -> impl Iterator<Item = &Arc<str>> {
        self.roots.iter().flat_map(|(_, file)| &file.items).filter_map(|item| match &item.kind {
            ast::ItemKind::Env(env) => Some(&env.name.value),
            _ => None,
        })
    }
}

/// Loads a project: `roots` are its own files (already in `sources`), `read` gives the text of a file by its path as
/// people see it (relative to the working directory, forward slashes), or `None` when there is none.
pub fn load(
    roots: &[SourceId],
    sources: &mut SourceMap,
    read: &mut dyn FnMut(&str) -> Option<String>,
    sink: &mut Sink,
) -> Program {
    let _ = (roots, sources, read, sink);
    Program::default()
}
