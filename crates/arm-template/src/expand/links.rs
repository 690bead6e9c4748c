//! Linked templates and parameter files.

use crate::{Parameters, Template};
use serde_json::{Value as Json, json};

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
    /// from the address of the linking template.
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

/// Most templates that one is made of.
const MOST_LINKED: usize = 200;
/// Most links from template to template.
const DEEPEST: usize = 16;

/// Puts the templates that a template links by `relativePath` in place of the links, so that one text holds everything.
/// `read` gets a path relative to the outermost template. Gives how many were put in.
///
/// # Errors
/// What `read` says, and too many or too deep links.
pub fn inline_links(template: &mut Json, read: &mut dyn FnMut(&str) -> Result<Json, String>) -> Result<usize, String> {
    let mut count = 0;
    inline(template, "", 0, &mut count, read)?;
    Ok(count)
}

fn member<'v>(value: &'v mut Json, name: &str) -> Option<&'v mut Json> {
    value.as_object_mut()?.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn inline(
    template: &mut Json,
    base: &str,
    depth: usize,
    count: &mut usize,
    read: &mut dyn FnMut(&str) -> Result<Json, String>,
) -> Result<(), String> {
    // what the addresses of links are made of
    let mut named = serde_json::Map::new();
    for section in ["parameters", "variables"] {
        if let Some(section_of) = member(template, section) {
            named.insert(section.to_owned(), section_of.clone());
        }
    }
    let named = Json::Object(named);
    let resources: Vec<&mut Json> = match member(template, "resources") {
        Some(Json::Array(list)) => list.iter_mut().collect(),
        Some(Json::Object(map)) => map.values_mut().collect(),
        _ => return Ok(()),
    };
    for resource in resources {
        let kind = member(resource, "type").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("Microsoft.Resources/deployments") {
            continue;
        }
        let Some(properties) = member(resource, "properties") else { continue };
        if let Some(inner) = member(properties, "template") {
            inline(inner, base, depth, count, read)?;
            continue;
        }
        let link = member(properties, "templateLink");
        let uri = link.and_then(|link| member(link, "uri")).and_then(|uri| uri.as_str().map(str::to_owned));
        let near = uri.and_then(|uri| super::beside::path(&uri, &named, base));
        if let Some(found) = near.as_ref().and_then(|address| read(address).ok().map(|found| (address, found))) {
            put(properties, found, depth, count, read)?;
            continue;
        }
        let link = member(properties, "templateLink");
        let path = link.and_then(|link| member(link, "relativePath")).and_then(|path| path.as_str().map(str::to_owned));
        // an expression is followed when the template is expanded, or not at all
        let Some(path) = path.filter(|path| !path.starts_with('[')) else { continue };
        if path.starts_with('/') || path.contains(':') {
            return Err(format!("the linked template `{path}` is no path relative to the template"));
        }
        let address = match base.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{path}"),
            None => path,
        };
        let found = read(&address)?;
        put(properties, (&address, found), depth, count, read)?;
    }
    Ok(())
}

/// Puts a linked template in place of its link, after those that it links itself.
fn put(
    properties: &mut Json,
    (address, mut found): (&String, Json),
    depth: usize,
    count: &mut usize,
    read: &mut dyn FnMut(&str) -> Result<Json, String>,
) -> Result<(), String> {
    *count += 1;
    if depth >= DEEPEST || *count > MOST_LINKED {
        return Err(format!(
            "templates link one another more than {DEEPEST} deep, or more than {MOST_LINKED} of them: `{address}`"
        ));
    }
    inline(&mut found, address, depth + 1, count, read)?;
    if let Some(map) = properties.as_object_mut() {
        map.retain(|key, _| {
            !["templateLink", "expressionEvaluationOptions"].iter().any(|k| k.eq_ignore_ascii_case(key))
        });
        // a linked template sees its own parameters and variables only
        map.insert("expressionEvaluationOptions".to_owned(), json!({ "scope": "inner" }));
        map.insert("template".to_owned(), found);
    }
    Ok(())
}
