//! Which file beside a template a link means whose address is made from the template's own: `templateLink.uri` of the
//! deployment, or the parameter `_artifactsLocation` of the quickstart templates.
//! <https://github.com/Azure/azure-quickstart-templates/blob/master/1-CONTRIBUTION-GUIDE/best-practices.md#deployment-artifacts-nested-templates-scripts>

use crate::expr::{Expr, ExprKind};
use crate::json::Text;
use crate::value::same_name;
use serde_json::Value as Json;

/// Stands for the folder of the outermost template at the start of an address.
const HERE: char = '\u{1}';
/// Most steps from an expression through variables and defaults.
const DEEPEST: usize = 24;

/// The path, relative to the outermost template, of what the address `uri` of a link means. `base` is the path of the template
/// that links. `None` when the address is not made from the template's own, or leads out of its folder.
pub(super) fn path(uri: &str, template: &Json, base: &str) -> Option<String> {
    let address = Reader { template, base }.text(uri, 0)?;
    let path = address.strip_prefix(HERE)?.trim_start_matches('/');
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let inside = |part: &str| !part.is_empty() && part != "." && part != "..";
    let plain = !path.contains([':', '\\', HERE]) && path.split('/').all(inside);
    (plain && path.to_ascii_lowercase().ends_with(".json")).then(|| path.to_owned())
}

struct Reader<'t> {
    template: &'t Json,
    base: &'t str,
}

impl Reader<'_> {
    /// The value of a string of the template.
    fn text(&self, raw: &str, depth: usize) -> Option<String> {
        let text = Text::new(raw);
        match text.expression() {
            None => Some(text.literal().to_string()),
            Some(expr) => self.value(expr.as_ref().ok()?, depth + 1),
        }
    }

    fn value(&self, expr: &Expr, depth: usize) -> Option<String> {
        if depth > DEEPEST {
            return None;
        }
        match expr.kind() {
            ExprKind::Str(text) => Some(text.to_string()),
            ExprKind::Int(number) => Some(number.to_string()),
            ExprKind::Index(..) => None,
            ExprKind::Member(inner, name) if is_own_link(inner) && same_name(name, "uri") => {
                Some(format!("{HERE}/{}", if self.base.is_empty() { "template.json" } else { self.base }))
            }
            ExprKind::Member(inner, name) => {
                let ExprKind::Call(call) = inner.kind() else { return None };
                let variable = self.variable(&call.name, call.args.first()?)?;
                self.text(member(variable, name)?.as_str()?, depth)
            }
            ExprKind::Call(call) => {
                let arg = |at: usize| call.args.get(at).and_then(|arg| self.value(arg, depth + 1));
                match call.name.to_ascii_lowercase().as_str() {
                    "concat" => (0..call.args.len()).map(arg).collect(),
                    "uri" => Some(joined(&arg(0)?, &arg(1)?)),
                    "string" | "tolower" if call.args.len() == 1 => arg(0),
                    "format" => {
                        let mut text = arg(0)?;
                        for at in 1..call.args.len() {
                            text = text.replace(&format!("{{{}}}", at - 1), &arg(at)?);
                        }
                        Some(text)
                    }
                    "variables" => self.text(self.variable(&call.name, call.args.first()?)?.as_str()?, depth),
                    "parameters" => self.parameter(call.args.first()?, depth),
                    _ => None,
                }
            }
        }
    }

    fn variable(&self, function: &str, name: &Expr) -> Option<&Json> {
        let ExprKind::Str(name) = name.kind() else { return None };
        same_name(function, "variables").then(|| member(member(self.template, "variables")?, name))?
    }

    /// The place of the artefacts is this folder; it needs no token.
    fn parameter(&self, name: &Expr, depth: usize) -> Option<String> {
        let ExprKind::Str(name) = name.kind() else { return None };
        let lower = name.to_lowercase();
        if lower.contains("artifactslocation") {
            let token = lower.ends_with("token");
            return Some(if token { String::new() } else { HERE.to_string() });
        }
        let default = member(member(member(self.template, "parameters")?, name)?, "defaultValue")?;
        self.text(default.as_str()?, depth)
    }
}

/// Whether an expression is `deployment().properties.templateLink`, the address of the template itself.
fn is_own_link(expr: &Expr) -> bool {
    let ExprKind::Member(properties, link) = expr.kind() else { return false };
    let ExprKind::Member(call, name) = properties.kind() else { return false };
    let ExprKind::Call(call) = call.kind() else { return false };
    same_name(link, "templateLink") && same_name(name, "properties") && same_name(&call.name, "deployment")
}

fn member<'v>(value: &'v Json, name: &str) -> Option<&'v Json> {
    value.as_object()?.iter().find(|(key, _)| same_name(key, name)).map(|(_, value)| value)
}

/// `uri(base, relative)`: the last part of the base gives way, unless the base is the folder itself.
fn joined(base: &str, relative: &str) -> String {
    match base.rsplit_once('/') {
        Some((folder, _)) if !relative.contains(':') => format!("{folder}/{}", relative.trim_start_matches('/')),
        None if base.starts_with(HERE) => format!("{base}/{}", relative.trim_start_matches('/')),
        _ => relative.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_made_from_the_own_one_are_files_beside() {
        let template = json!({
            "parameters": { "_artifactsLocation": { "defaultValue": "https://example.org/a" }, "folder": { "defaultValue": "nested" },
                "base": { "defaultValue": "[deployment().properties.templateLink.uri]" } },
            "variables": { "one": "[uri(deployment().properties.templateLink.uri, concat(parameters('folder'), '/x.json'))]",
                "urls": { "x": "[concat(parameters('_artifactsLocation'), '/nested/x.json', parameters('_artifactsLocationSasToken'))]" },
                "loop": "[variables('loop')]" }
        });
        for uri in [
            "[uri(deployment().properties.templateLink.uri, 'nested/x.json')]",
            "[uri(parameters('base'), 'nested/x.json')]",
            "[uri(parameters('_artifactsLocation'), 'nested/x.json')]",
            "[uri(parameters('_artifactsLocation'), concat('nested/x.json', parameters('_artifactsLocationSasToken')))]",
            "[concat(parameters('_artifactsLocation'), '/', 'nested', '/x.json?', 'v=1')]",
            "[format('{0}/nested/x.json', parameters('_artifactsLocation'))]",
            "[variables('one')]",
            "[variables('urls').x]",
        ] {
            assert_eq!(path(uri, &template, "").as_deref(), Some("nested/x.json"), "{uri}");
        }
        // What is linked links from its own folder; the artefacts stay where they are.
        let inner = "[uri(deployment().properties.templateLink.uri, 'y.json')]";
        assert_eq!(path(inner, &template, "nested/x.json").as_deref(), Some("nested/y.json"));
        let root = "[uri(parameters('_artifactsLocation'), 'y.json')]";
        assert_eq!(path(root, &template, "nested/x.json").as_deref(), Some("y.json"));
        for uri in [
            "https://example.org/x.json",
            "[uri(deployment().properties.templateLink.uri, '../x.json')]",
            "[uri(deployment().properties.templateLink.uri, 'a/../../x.json')]",
            "[uri(deployment().properties.templateLink.uri, 'https://example.org/x.json')]",
            "[concat(parameters('_artifactsLocation'), '/x.sh')]",
            "[variables('loop')]",
            "[parameters('unknown')]",
            "[reference('x').uri]",
        ] {
            assert_eq!(path(uri, &template, ""), None, "{uri}");
        }
    }
}
