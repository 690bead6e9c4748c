//! Runs the pipeline for projects: finds and loads files through [`World`], keeps the results of all stages.
//!
//! The projects of a tree are compiled in parallel and reported in the order of their paths; the same files give the same
//! results. Uses no terminal, clock or disk: the caller provides a [`World`].

pub mod charges;
mod compile;
mod cost;
mod diags;
mod figures;
mod find;
pub mod fix;
mod formula;
mod given;
mod lint;
mod load;
mod prices;
mod prove;
mod simulate;
mod spot;
mod study;
mod tune;

pub use compile::{Compilation, Options, Purpose, Stop, TestGround, build, check, check_given, compile, compile_each};
pub use compile::{expressions, test_cases, test_ground};
pub use cost::{Budget, Costs, PoolMachines, costs};
pub use figures::{PoolFigures, figures};
pub use find::{Project, files, projects};
pub use fix::{Applied, Fixed, fixed};
pub use given::GivenValue;
pub use lint::{Linted, SettingsFile, Unread, check_and_lint, deploy_settings, lint_each};
pub use load::{LoadError, shown};
pub use prices::{Unusable, price_file, price_settings, prices_of};
pub use prove::{BudgetProof, Proof, Proofs, Proven, Spell, proofs};
pub use simulate::{Candidate, candidates};
pub use spot::{SpotPool, spot_pools};
pub use study::{Studied, study, study_priced, usable_prices};
pub use tune::{Edits, Places};

use dsvm_sema::load::NoText;
use jiff::civil::Date;
use std::path::{Path, PathBuf};

/// Kind of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file, or a link to one.
    File,
    /// A folder that can be listed.
    Folder,
}

/// Most bytes of all templates that one links, which are put into it: Azure takes four megabytes.
pub const MOST_LINKED: usize = 32 << 20;

/// Access to files and the date. Tests, the command line and editors provide their own.
pub trait World: Sync {
    /// Reads the bytes of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError>;
    /// Reads a file of a project. A world with links refuses one that leads out of the project.
    fn read_own(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.read(path)
    }
    /// Reads a file that a file of the project in `folder` imports. A world with links and devices refuses what is not a
    /// regular file of the project.
    fn read_import(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, NoText> {
        let _ = folder;
        self.read(path).map_err(|_| NoText::Missing)
    }
    /// Reads a template that one in `folder` links. A world with links and devices refuses what is not a regular file of the
    /// project.
    fn read_linked(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, LoadError> {
        let _ = folder;
        self.read(path)
    }
    /// Kind of a path.
    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError>;
    /// The entries of a folder, sorted by path.
    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError>;
    /// The files `dsvmc.toml` of a folder and of the folders around it, as far as its repository goes, nearest first. A world
    /// without settings has none.
    fn settings(&self, folder: &Path) -> Vec<SettingsFile> {
        let _ = folder;
        Vec::new()
    }
    /// The date that retirement dates are compared with.
    fn today(&self) -> Date;
}
