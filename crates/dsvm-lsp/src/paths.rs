//! Paths ↔ the URIs of documents.

use lsp_types::Uri;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use url::Url;

/// The path of a document. One that is not a file, such as an untitled one, gets its URI as path: it is in no folder.
pub(crate) fn path_of(uri: &Uri) -> PathBuf {
    let file = Url::parse(uri.as_str()).ok().filter(|url| url.scheme() == "file");
    file.and_then(|url| url.to_file_path().ok()).unwrap_or_else(|| PathBuf::from(uri.as_str()))
}

/// The URI of a path; nothing for what is no absolute path.
pub(crate) fn uri_of(path: &Path) -> Option<Uri> {
    match Url::from_file_path(path) {
        Ok(url) => Uri::from_str(url.as_str()).ok(),
        // The path of a document that is not a file is its URI.
        Err(()) => path.to_str().filter(|text| text.contains(':')).and_then(|text| Uri::from_str(text).ok()),
    }
}

/// A path as the compiler names files: forward slashes.
pub(crate) fn name_of(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
