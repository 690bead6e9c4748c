//! Paths given by the user → the `.dsvm` files below them; errors of reading.

use dsvm_diagnostics::Code;
use miette::Diagnostic;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// A file or folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file system refused to read it.
    #[error("cannot read `{}`", shown(.path))]
    Unreadable {
        /// The file or folder that was read.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        cause: std::io::Error,
    },
    /// A source file is a link that leads out of the project.
    #[error("`{}` is a link that leads out of the project", shown(.path))]
    LeadsOut {
        /// Where the link is, not where it leads.
        path: PathBuf,
    },
    /// There are several projects where one is expected.
    #[error("there are {} projects in `{}`", .projects.len(), shown(.path))]
    SeveralProjects {
        /// The folder that was searched.
        path: PathBuf,
        /// Paths of the projects found.
        projects: Vec<String>,
    },
    /// What a `dsvmc.toml` says about prices cannot be used.
    #[error("`dsvmc.toml` says something about prices that cannot be used: {title}")]
    Prices {
        /// The first mistake in it.
        title: String,
    },
    /// A folder without any `.dsvm` file.
    #[error("there is no `.dsvm` file in `{}`", shown(.path))]
    Empty {
        /// The folder that was searched.
        path: PathBuf,
    },
}

impl LoadError {
    /// The error for a `path` that cannot be read because of `cause`.
    #[must_use]
    pub fn unreadable(path: &Path, cause: std::io::Error) -> Self {
        LoadError::Unreadable { path: path.to_owned(), cause }
    }

    fn code(&self) -> Code {
        match self {
            LoadError::Unreadable { .. } | LoadError::LeadsOut { .. } => Code::FileUnreadable,
            LoadError::Empty { .. } => Code::NoSources,
            LoadError::Prices { .. } => Code::SettingUnknown,
            LoadError::SeveralProjects { .. } => Code::SeveralProjects,
        }
    }
}

impl Diagnostic for LoadError {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(LoadError::code(self)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let help = match self {
            LoadError::SeveralProjects { projects, .. } => {
                let some: Vec<String> = projects.iter().take(5).map(|p| format!("`{p}`")).collect();
                let more = if projects.len() > some.len() { ", …" } else { "" };
                return Some(Box::new(format!(
                    "name one of them: {}{more}; `check`, `build` and `plan` take the whole tree",
                    some.join(", ")
                )));
            }
            LoadError::Unreadable { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                "check the spelling of the path and the folder that you are in"
            }
            LoadError::Unreadable { .. } => "make the file readable for your user",
            LoadError::LeadsOut { .. } => "name the file that it leads to, or put a copy there",
            LoadError::Prices { .. } => "run `dsvmc cost` there to see what is wrong",
            LoadError::Empty { .. } => "run `dsvmc init` to write a first file",
        };
        Some(Box::new(help))
    }
}

/// A path as people see it: relative as given, forward slashes, no `./` in front.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// Bytes → text; broken bytes become U+FFFD, whose first place in the text is given too.
pub(super) fn decode(bytes: Vec<u8>) -> (String, Option<u32>) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to() as u32;
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_bytes_are_found_and_replaced() {
        assert_eq!(decode(b"ab\xffc".to_vec()), ("ab\u{fffd}c".to_owned(), Some(2)));
        assert_eq!(decode(b"abc".to_vec()), ("abc".to_owned(), None));
    }
}
