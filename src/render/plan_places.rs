//! Places in the sources as a plan shows them: complete paths, or relative to their common folder where lines are short.

use super::plan_text::clean;
use arm_plan::{Plan, Source};

/// How places of one plan are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The common folder, omitted from every place; ends in a slash, or is empty.
    folder: String,
}

impl Places {
    /// `room`: columns available for a place after the longest name.
    pub(super) fn of<'p>(plan: &'p Plan, room: usize) -> Self {
        let of = |c: &'p arm_plan::Change| c.source.iter().chain(c.attributes.iter().filter_map(|a| a.source.as_ref()));
        Self::among(&plan.effective().flat_map(of).collect::<Vec<_>>(), room)
    }

    /// The same for any places.
    pub(super) fn among(all: &[&Source], room: usize) -> Self {
        let whole = Self::default();
        if all.iter().all(|source| whole.shown(source).chars().count() <= room) {
            return whole;
        }
        let mut shared = match all.first() {
            Some(first) => folder_of(&first.file),
            None => "",
        };
        for source in all {
            while !source.file.starts_with(shared) {
                shared = folder_of(shared.trim_end_matches('/'));
            }
        }
        // A shorter folder is not worth a line of its own.
        Self { folder: if shared.len() > 4 { shared.to_owned() } else { String::new() } }
    }

    /// The omitted folder, if there is one.
    pub(super) fn folder(&self) -> Option<String> {
        (!self.folder.is_empty()).then(|| clean(&self.folder))
    }

    /// File and line of a place, such as `pools/team.dsvm:12`.
    pub(super) fn shown(&self, source: &Source) -> String {
        let file = source.file.strip_prefix(self.folder.as_str()).unwrap_or(&source.file);
        format!("{}:{}", clean(file), source.line)
    }
}

/// The path up to and including its last slash.
fn folder_of(path: &str) -> &str {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("")
}
