//! Values of parameters: given, default, or nothing; and whether they are secret.

use super::{Evaluator, Frame, Phase, State, circular, not_found};
use crate::error::EvalError;
use crate::expr::Expr;
use crate::functions::KEY_VAULT_SECRET;
use crate::json::Node;
use crate::value::{Value, same_name};

/// What a parameter file or an outer template gives for a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// A value; never an expression.
    Value(Value),
    /// A secret in a key vault.
    Secret { vault: String, name: String, version: Option<String> },
}

impl Given {
    /// The value, an unknown one for a secret.
    pub fn value(&self) -> Option<Value> {
        match self {
            Given::Value(val) => Some(val.clone()),
            Given::Secret { vault, name, version } => {
                let parts = [Some(vault), Some(name), version.as_ref()];
                let args =
                    parts.into_iter().flatten().map(|t| Expr::string(t.as_str()).ok()).collect::<Option<Vec<_>>>()?;
                Some(Value::expr(Expr::call(KEY_VAULT_SECRET, args).ok()?).into_secret())
            }
        }
    }

    /// True for a value of null, which counts as not given.
    fn is_null(&self) -> bool {
        matches!(self, Given::Value(val) if val.is_null())
    }
}

impl Evaluator<'_> {
    /// `parameters('name')` at a place.
    pub(super) fn parameter_in(&self, name: &str, frame: &Frame<'_>) -> Result<Value, EvalError> {
        if let Some(bound) = frame.function_parameters() {
            return bound.iter().find(|(n, _)| same_name(n, name)).map(|(_, v)| v.clone()).ok_or_else(|| {
                let known: Vec<&str> = bound.iter().map(|(n, _)| &**n).collect();
                not_found("parameter", name, &known)
            });
        }
        self.parameter(name)
    }

    /// The value of a parameter of the template.
    pub fn parameter(&self, name: &str) -> Result<Value, EvalError> {
        let lower = name.to_lowercase();
        match self.parameters.borrow().get(&lower) {
            Some(State::Done(result)) => return result.clone(),
            Some(State::Running) => return Err(circular("parameter", name)),
            None => {}
        }
        self.parameters.borrow_mut().insert(lower.clone(), State::Running);
        let result = self.budget.deeper(|| self.compute_parameter(name));
        self.parameters.borrow_mut().insert(lower, State::Done(result.clone()));
        result
    }

    /// What is given for a parameter, unless it is null.
    pub fn given(&self, name: &str) -> Option<&Given> {
        self.given
            .get(name)
            .or_else(|| self.given.iter().find(|(n, _)| same_name(n, name)).map(|(_, g)| g))
            .filter(|given| !given.is_null())
    }

    fn compute_parameter(&self, name: &str) -> Result<Value, EvalError> {
        let Some((declared, node)) = self.sections.parameters.get(name) else {
            let known: Vec<&str> = self.sections.parameters.list.iter().map(|(n, _)| *n).collect();
            return Err(not_found("parameter", name, &known));
        };
        let secure = self.is_secure(node);
        let value = match self.given(declared) {
            Some(given) => given.value().unwrap_or(Value::NULL),
            None => self.default_value(declared, node)?,
        };
        let value = value.secret_if(secure);
        self.check_parameter(declared, node, value)
    }

    fn default_value(&self, name: &str, node: &Node) -> Result<Value, EvalError> {
        if let Some(default) = node.get("defaultValue") {
            return self.node(default, &Frame::root(Phase::Default)).map_err(|fault| {
                fault.framed(|reason| format!("The template parameter '{name}' is not valid: {}. Please see https://aka.ms/arm-syntax-parameters for usage details.", reason.trim_end_matches('.')))
            });
        }
        if self.is_nullable(node) {
            return Ok(Value::NULL);
        }
        Err(EvalError::new(format!(
            "The value for the template parameter '{name}' {} is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.",
            crate::error::place()
        ))
        .says(format!("the parameter `{name}` has no value and no default"))
        .help(format!("give `{name}` in the parameter file, or a `defaultValue` in the template"))
        .at(node.offset))
    }
}
