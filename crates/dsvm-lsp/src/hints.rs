//! A document → what is shown between its words: the machine behind the name of a size, and what evaluation says.

use crate::answers::{self, Failure};
use crate::facts;
use crate::host::Figure;
use crate::occurrences::Names;
use crate::position::Lines;
use crate::server::State;
use crate::view::{Symbol, View};
use lsp_types::InlayHintParams;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The hints of a range.
pub(crate) fn all(state: &mut State, path: &Path, params: &Value, figures: &[Figure]) -> Result<Value, Failure> {
    let request: InlayHintParams = answers::params(params.clone())?;
    let Some(view) = View::of(state, path) else { return Ok(Value::Null) };
    let Some(at) = view.file(path) else { return Ok(Value::Null) };
    let Some(file) = view.files.get(at) else { return Ok(Value::Null) };
    let lines = Lines::new(&file.text, state.encoding);
    let (from, to) = lines.bytes(request.range);
    let sizes = facts::module("sizes");
    let mut found: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| figure.place.path == *path) {
        // Of a size that was chosen, the machine too.
        let chosen = sizes.and_then(|sizes| facts::fact(sizes, &figure.label)).and_then(machine);
        let label = chosen.map_or_else(|| figure.label.clone(), |machine| format!("{}: {machine}", figure.label));
        found.insert(figure.place.end as usize, (label, figure.detail.clone()));
    }
    for name in Names::of(&view, at).found {
        let Symbol::Library(module, fact) = &name.symbol else { continue };
        if Some(*module) == sizes
            && let Some(label) = facts::fact(*module, fact).and_then(machine)
        {
            found.insert(name.end, (label, String::new()));
        }
    }
    let hints: Vec<Value> = found
        .into_iter()
        .filter(|(end, _)| from <= *end && *end <= to)
        .map(|(end, (label, detail))| {
            let mut hint = json!({ "position": lines.position(end), "label": label, "paddingLeft": true });
            if let (false, Some(hint)) = (detail.is_empty(), hint.as_object_mut()) {
                hint.insert("tooltip".to_owned(), detail.into());
            }
            hint
        })
        .collect();
    Ok(hints.into())
}

/// `8 vCPU, 32 GiB`, with the GPUs if there are any.
fn machine(size: &facts::Fact) -> Option<String> {
    let mut label = format!("{} vCPU, {} {}", size.field("vcpu")?, size.field("memory")?, unit(size.text)?);
    if let Some(count) = size.field("gpu").filter(|count| *count != "0") {
        let name = size.field("gpu_name").or_else(|| size.field("gpu_model")).unwrap_or("GPU").trim_matches('"');
        label.push_str(&format!(", {count} × {name}"));
    }
    Some(label)
}

/// The unit behind the memory of a size.
fn unit(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("memory = ")?;
    rest.split([' ', ',', '\n', '}']).filter(|word| !word.is_empty()).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_of_the_library_has_a_hint() {
        let sizes = facts::module("sizes").unwrap();
        for size in facts::exported(sizes).filter(|fact| fact.keyword == "size") {
            let label = machine(size).unwrap_or_else(|| panic!("{}", size.name));
            assert!(label.contains(" GiB"), "{}: {label}", size.name);
        }
        let gpu = facts::fact(sizes, "Standard_NC4as_T4_v3").and_then(machine);
        assert_eq!(gpu.as_deref(), Some("4 vCPU, 28 GiB, 1 × NVIDIA T4"));
    }
}
