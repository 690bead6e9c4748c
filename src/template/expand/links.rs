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

impl TemplateLink {
    /// The address of what is linked: the URI, the id of a template specification with `#`, or the relative path taken
    /// from where the linking template stands.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        if !self.uri.is_empty() {
            return Some(self.uri.clone());
        }
        if let Some(id) = &self.id {
            return Some(format!("{id}#"));
        }
        let relative = self.relative_path.as_ref()?;
        let base = self.base.as_deref().unwrap_or_default();
        // inside a template specification the path counts from its main template
        let (id, path) = base.split_once('#').map_or(("", base), |(id, path)| (id, path));
        let path = match path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{relative}"),
            None => relative.clone(),
        };
        Some(if id.is_empty() { path } else { format!("{id}#{path}") })
    }
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
