//! Errors of an expansion → the same errors without the values of secure parameters.
//!
//! Functions hide their own reasons where an argument is secret; this finds the values wherever else an error repeats them:
//! in names, types, scopes and property names.

use crate::Template;
use crate::budget::Budget;
use crate::context::Context;
use crate::document::Sections;
use crate::error::TemplateError;
use crate::eval::{Evaluator, Given};
use crate::json::{Node, NodeKind};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// A shorter text is no secret, and to hide it would hide parts of words.
const SHORTEST: usize = 4;
const HIDDEN: &str = "(secret)";

/// The texts in the secure parameters of a template, in lower case, longest first.
pub(super) fn secrets(
    template: &Template,
    given: &IndexMap<String, Given>,
    context: &Context,
    budget: &Budget,
) -> Vec<String> {
    let Ok(sections) = Sections::read(&template.root) else { return Vec::new() };
    let evaluator = Evaluator::new(&sections, given, context, budget);
    let mut texts = Vec::new();
    for (name, node) in &sections.parameters.list {
        let given = given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, given)| given);
        let value = given.and_then(Given::value);
        if !evaluator.is_secure(node) && !value.as_ref().is_some_and(|value| value.inside().secret) {
            continue;
        }
        if let Some(value) = value {
            leaves(&value.to_json(), &mut texts);
        }
        if let Some(default) = node.get("defaultValue") {
            literals(default, &mut texts);
        }
    }
    texts.retain(|text| text.len() >= SHORTEST);
    texts.iter_mut().for_each(|text| text.make_ascii_lowercase());
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    texts.dedup();
    texts
}

fn leaves(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::String(text) => texts.push(text.clone()),
        Json::Number(number) => texts.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Json::Object(members) => members.values().for_each(|item| leaves(item, texts)),
        Json::Null | Json::Bool(_) => {}
    }
}

fn literals(node: &Node, texts: &mut Vec<String>) {
    match &node.kind {
        NodeKind::String(text) => texts.push(text.literal().to_string()),
        NodeKind::Array(items) => items.iter().for_each(|item| literals(item, texts)),
        NodeKind::Object(object) => object.iter().for_each(|(_, item)| literals(item, texts)),
        _ => {}
    }
}

/// Takes the secrets out of all texts of an error.
pub(super) fn hide(error: &mut TemplateError, secrets: &[String]) {
    let texts = [&mut error.message, &mut error.sentence, &mut error.path];
    let texts = texts.into_iter().chain(&mut error.help).chain(&mut error.resource);
    texts.for_each(|text| secrets.iter().for_each(|secret| hide_one(text, secret)));
}

fn hide_one(text: &mut String, secret: &str) {
    let mut from = 0;
    // Lower case of ASCII letters keeps the offsets of bytes.
    while let Some(at) = text.get(from..).and_then(|rest| rest.to_ascii_lowercase().find(secret)) {
        let start = from + at;
        text.replace_range(start..start + secret.len(), HIDDEN);
        from = start + HIDDEN.len();
    }
}
