//! Values as JSON where no resource can be referred to: defaults and values of parameters.

use super::json::Json;
use super::names::{Names, Resolver};
use super::values;
use dsvm_sema::checked::Checked;
use dsvm_sema::value::Value;

/// Turns values into JSON without the names of resources.
#[derive(Debug)]
pub struct Resolve<'a> {
    checked: &'a Checked,
    names: Names,
}

impl<'a> Resolve<'a> {
    /// For the values of a project.
    #[must_use]
    pub fn new(checked: &'a Checked) -> Self {
        Self { checked, names: Names::default() }
    }

    /// A value as JSON of a template.
    #[must_use]
    pub fn json(&self, value: &Value) -> Json {
        values::json(value, &Resolver { checked: self.checked, names: &self.names })
    }
}
