//! Outputs: values, loops, conditions, secrets.

use super::Stage;
use super::result::Output;
use crate::error::{EvalError, TemplateError};
use crate::eval::{Frame, Loop, Phase};
use crate::json::Node;
use crate::value::{Value, ValueKind};
use indexmap::IndexMap;

impl<'s> Stage<'s> {
    pub(super) fn outputs(&self) -> Result<IndexMap<String, Output>, Vec<TemplateError>> {
        let mut outputs = IndexMap::new();
        let mut errors = Vec::new();
        for (name, node) in &self.sections.outputs.list {
            match self.output(name, node) {
                Ok(Some(output)) => {
                    outputs.insert((*name).to_string(), output);
                }
                Ok(None) => {}
                Err(fault) => {
                    let fault = fault.at(node.offset).framed(|reason| {
                        format!("The template output '{name}' is not valid: {}. Please see https://aka.ms/arm-syntax-outputs for usage details.", reason.trim_end_matches('.'))
                    });
                    errors.push(self.error(fault, &format!("/outputs/{name}"), None));
                }
            }
        }
        if errors.is_empty() { Ok(outputs) } else { Err(errors) }
    }

    /// The template's own assertions: each must be true, or not known yet.
    pub(super) fn asserts(&self) -> Result<(), Vec<TemplateError>> {
        let Some(node) = self.sections.root.get("asserts").filter(|node| !node.is_null()) else { return Ok(()) };
        let wrong = |node: &Node, sentence: String, pointer: &str| {
            let fault = EvalError::new(format!("The template assertion is not valid: {sentence}."))
                .says(sentence)
                .at(node.offset);
            self.error(fault, pointer, None)
        };
        let Some(all) = node.as_object() else {
            return Err(vec![wrong(
                node,
                "the section `asserts` is no object of names and conditions".to_owned(),
                "/asserts",
            )]);
        };
        let mut errors = Vec::new();
        for (name, condition) in all.iter() {
            let pointer = format!("/asserts/{name}");
            match self.evaluator.node(condition, &Frame::root(Phase::Output)) {
                Ok(value) => match &value.kind {
                    ValueKind::Bool(true) | ValueKind::Expr(_) => {}
                    ValueKind::Bool(false) => {
                        let fault = EvalError::new(format!("The template assertion '{name}' failed."))
                            .says(format!(
                                "the template says of itself that `{name}` holds, and with these values it does not"
                            ))
                            .at(condition.offset);
                        errors.push(self.error(fault, &pointer, None));
                    }
                    _ => errors.push(wrong(
                        condition,
                        format!(
                            "the assertion `{name}` is a value of type {}, not a condition",
                            value.type_name().to_lowercase()
                        ),
                        &pointer,
                    )),
                },
                Err(fault) => errors.push(self.error(fault.at(condition.offset), &pointer, None)),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn output(&self, name: &str, node: &'s Node) -> Result<Option<Output>, EvalError> {
        let identity = Frame::root(Phase::Identity);
        let condition = match node.get("condition") {
            Some(condition) => self.evaluator.node(condition, &identity)?,
            None => Value::NULL,
        };
        if condition.as_bool() == Some(false) {
            node.get("value").map_or(Ok(()), |value| super::syntax::names(value, self.evaluator.sections))?;
            return Ok(None);
        }
        let frame = Frame::root(Phase::Output);
        let value = match (node.get("copy"), node.get("value")) {
            (Some(copy), _) => {
                let missing = |what: &str| {
                    EvalError::new(format!("The template output copy has no '{what}'."))
                        .says(format!("the copy loop of the output `{name}` has no `{what}`"))
                };
                let count = self.evaluator.node(copy.get("count").ok_or_else(|| missing("count"))?, &identity)?;
                let input = copy.get("input").ok_or_else(|| missing("input"))?;
                if matches!(count.kind, ValueKind::Expr(_)) {
                    self.evaluator.property_loop(copy, name, &frame)?
                } else {
                    let count = self.evaluator.copy_count(&count, name)?;
                    let items = (0..count).map(|index| {
                        self.evaluator.node(input, &frame.turn(Some(name), Value::int(index), Loop::Element))
                    });
                    Value::array(items.collect::<Result<_, _>>()?)?
                }
            }
            (None, Some(value)) => self.evaluator.node(value, &frame)?,
            (None, None) => {
                return Err(EvalError::new("the property 'value' is missing")
                    .says(format!("the output `{name}` has no `value`")));
            }
        };
        // At outer scope the machine's definitions are those of the template around.
        let value = if self.isolated() && self.sections.language == crate::document::Language::Two {
            self.evaluator.check_type(&value, node, &format!("the output `{name}`"))?
        } else {
            self.v1(value, node, name)?
        };
        self.evaluator.budget.charge_output(value.inside().weight)?;
        let secure = self.evaluator.is_secure(node) || value.inside().secret;
        Ok(Some(Output {
            kind: self.evaluator.type_word(node),
            secure,
            value: value.to_json(),
            unknown: value.unknown_pointers(),
            parts: value.secret_if(secure),
        }))
    }

    /// In version 1 the type word is all there is.
    fn v1(&self, value: Value, node: &'s Node, name: &str) -> Result<Value, EvalError> {
        if node.get("type").is_none() || !self.isolated() {
            return Ok(value);
        }
        self.evaluator.check_type(&value, node, &format!("the output `{name}`"))
    }
}
