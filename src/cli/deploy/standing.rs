//! How a project stands: what `show`, `status` and `outputs` look at alike.

use super::bundle::{self, Bundle};
use super::observing::stacks;
use super::planning::{self, Planned, Settings};
use super::session::{self, Session};
use super::{Halt, What, Where};
use crate::apply::State;
use crate::cli::Context;
use serde_json::{Map, Value};
use std::path::Path;

/// A project held against what exists.
pub struct Standing {
    /// The project.
    pub bundle: Bundle,
    /// What this machine knows.
    pub state: State,
    /// The way to Resource Manager.
    pub session: Session,
    /// Both sides, compared.
    pub planned: Planned,
}

/// Looks.
pub fn look(path: &Path, what: &What, place: &Where, cx: &mut Context) -> Result<Standing, Halt> {
    let bundle = bundle::load(path, what, cx)?;
    let state = State::new(&bundle.root, &bundle.project, &bundle.env);
    let session = session::open(place, &bundle.root)?;
    let planned = planning::make(&bundle, place, what, &Settings::default(), &session, &state, cx)?;
    Ok(Standing { bundle, state, session, planned })
}

/// A stack of the project, or a plain deployment of it.
pub struct Deployed {
    /// `stack` or `deployment`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// As the service shows it.
    pub body: Value,
}

impl Deployed {
    /// A text of it.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// What is deployed of a project.
pub fn deployed(session: &Session, group: &str, bundle: &Bundle) -> Result<Vec<Deployed>, Halt> {
    let name = |body: &Value| body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all: Vec<Deployed> = stacks(session, group, bundle)?
        .into_iter()
        .map(|body| Deployed { kind: "stack", name: name(&body), body })
        .collect();
    for index in 0..bundle.parts.len() {
        let wanted = planning::stack_name(bundle, index);
        if all.iter().any(|d| d.name.eq_ignore_ascii_case(&wanted)) {
            continue;
        }
        let found = session.client.deployment(group, &wanted)?;
        all.extend(found.map(|body| Deployed { kind: "deployment", name: wanted, body }));
    }
    Ok(all)
}

/// Adds the outputs of a stack or deployment; secret ones are left out.
pub fn collect_outputs(deployment: &Value, outputs: &mut Map<String, Value>) {
    let all = deployment.pointer("/properties/outputs").and_then(Value::as_object);
    for (name, output) in all.into_iter().flatten() {
        let kind = output.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        match output.get("value") {
            Some(value) if !kind.starts_with("secure") => crate::apply::join_output(outputs, name, value),
            _ => {
                outputs.shift_remove(name);
            }
        }
    }
}

/// A moment as it was recorded → to the second, for people.
#[must_use]
pub fn when(recorded: &str) -> String {
    match recorded.parse::<jiff::Timestamp>() {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => crate::render::plan::clean(recorded),
    }
}

#[cfg(test)]
mod tests {
    use super::when;

    #[test]
    fn moments_are_told_to_the_second() {
        assert_eq!(when("2026-11-23T20:21:49.492076007Z"), "2026-11-23 20:21:49 UTC");
        assert_eq!(when("yester\u{1b}day"), "yester\\u{1b}day");
    }
}
