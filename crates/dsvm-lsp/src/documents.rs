//! The documents that are open in the editor, and their changes.

use crate::host::Texts;
use crate::position::{Encoding, Lines};
use lsp_types::{TextDocumentContentChangeEvent, TextDocumentItem, Uri};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A document as the editor has it now.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// As the client spells it: answers spell it in the same way.
    pub(crate) uri: Uri,
    pub(crate) version: i32,
    pub(crate) text: Arc<str>,
}

/// All open documents, by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documents(BTreeMap<PathBuf, Document>);

impl Documents {
    pub(crate) fn open(&mut self, path: PathBuf, item: TextDocumentItem) {
        self.0.insert(path, Document { uri: item.uri, version: item.version, text: item.text.into() });
    }

    /// Applies changes in order; whether the document is open.
    pub(crate) fn change(
        &mut self,
        path: &Path,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> bool {
        let Some(document) = self.0.get_mut(path) else { return false };
        document.version = version;
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let (start, end) = Lines::new(&document.text, encoding).bytes(range);
                    let before = document.text.get(..start).unwrap_or_default();
                    let after = document.text.get(end..).unwrap_or_default();
                    [before, &change.text, after].concat()
                }
            };
            document.text = text.into();
        }
        true
    }

    pub(crate) fn close(&mut self, path: &Path) {
        self.0.remove(path);
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Document> {
        self.0.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Document)> {
        self.0.iter()
    }

    /// The texts, as the compiler takes them.
    pub(crate) fn texts(&self) -> Texts {
        Texts(self.0.iter().map(|(path, document)| (path.clone(), document.text.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};
    use std::str::FromStr;

    #[test]
    fn changes_apply_one_after_the_other() {
        let mut documents = Documents::default();
        let uri = Uri::from_str("file:///a.dsvm").unwrap();
        let path = Path::new("/a.dsvm");
        let item = TextDocumentItem { uri, language_id: "dsvm".into(), version: 1, text: "ä😀b\nc\n".into() };
        documents.open(path.to_owned(), item);
        let change = |line, from, to, text: &str| TextDocumentContentChangeEvent {
            range: Some(Range::new(Position::new(line, from), Position::new(line, to))),
            range_length: None,
            text: text.to_owned(),
        };
        assert!(documents.change(path, 2, vec![change(0, 1, 3, "x\ny"), change(1, 1, 2, "")], Encoding::Utf16));
        assert_eq!(&*documents.get(path).unwrap().text, "äx\ny\nc\n");
        // A range whose ends are swapped, and lines that do not exist.
        assert!(documents.change(path, 3, vec![change(9, 5, 2, "z")], Encoding::Utf16));
        assert_eq!(&*documents.get(path).unwrap().text, "äx\ny\nc\nz");
        assert!(!documents.change(Path::new("/b.dsvm"), 1, Vec::new(), Encoding::Utf16));
    }
}
