//! Templates that stand elsewhere.

use crate::template::{Parameters, Template};

/// What a deployment links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateLink {
    /// Absolute address; empty when not known or not given.
    pub uri: String,
    /// Id of a template specification.
    pub id: Option<String>,
    /// Path relative to the template that links.
    pub relative_path: Option<String>,
    /// Address of the template that links, if it has one.
    pub base: Option<String>,
}

/// Finds linked templates. The engine itself reads nothing.
pub trait Linker: Sync {
    /// The template behind a link; `Ok(None)` when links cannot be followed, an error when this one is wrong.
    fn template(&self, link: &TemplateLink) -> Result<Option<Template>, String>;

    /// The parameter file behind a link.
    fn parameters(&self, link: &TemplateLink) -> Result<Option<Parameters>, String> {
        let _ = link;
        Ok(None)
    }
}

/// Follows no links; linked deployments stay closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinks;

impl Linker for NoLinks {
    fn template(&self, _: &TemplateLink) -> Result<Option<Template>, String> {
        Ok(None)
    }
}
