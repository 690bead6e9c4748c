//! A `.dsvm` project → what is deployed.

use super::bundle::Bundle;
use super::{Halt, What};
use crate::cli::Context;
use crate::diagnostics::Code;
use std::path::Path;

/// Compiles the project and takes the values of one env.
pub fn load(path: &Path, _what: &What, _cx: &mut Context) -> Result<Bundle, Halt> {
    Err(Halt::input(
        Code::TemplateUnusable,
        format!("`{}` is not a template", path.display()),
        "name one with `--template`",
    ))
}
