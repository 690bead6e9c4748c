//! How a project stands: what `show`, `status` and `outputs` look at alike.

use super::bundle::Bundle;
use super::observing::{sightings, stacks};
use super::planning::{self, Planned, Settings};
use super::session::{self, Session};
use super::{Halt, What, Where, last};
use crate::cli::Context;
use arm_apply::StateDir;
use arm_plan::Observed;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value};
use std::path::Path;

/// A project held against what exists.
pub struct Standing {
    /// The project.
    pub bundle: Bundle,
    /// What this machine knows.
    pub state: StateDir,
    /// The way to Resource Manager.
    pub session: Session,
    /// Both sides.
    pub planned: Planned,
    /// Whether what exists was held against the sources.
    pub compared: bool,
}

/// Looks. What the sources cannot say for errors or a missing value, the last apply says: then nothing is compared.
pub fn look(path: &Path, what: &What, place: &Where, cx: &mut Context) -> Result<Standing, Halt> {
    let bundle = last::load(path, what, cx)?;
    let state = StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let session = session::open(place, &bundle.root)?;
    if !bundle.parts.is_empty() {
        match planning::make(&bundle, place, what, &Settings::default(), &session, &state, cx) {
            Ok(planned) => return Ok(Standing { bundle, state, session, planned, compared: true }),
            Err(halt) => match halt.title_of(Code::ParameterMissing) {
                Some(why) => last::warn(&why, cx),
                None => return Err(halt),
            },
        }
    }
    let group = planning::group_of(&bundle, place);
    let (observed, _) = made(&bundle, &group, &session, &state)?;
    let planned = Planned::unplanned(&bundle, group, observed);
    Ok(Standing { bundle, state, session, planned, compared: false })
}

/// What a project made, by its stacks, or by the last receipt for plain deployments; with the stacks.
pub fn made(bundle: &Bundle, group: &str, session: &Session, state: &StateDir) -> Result<(Observed, Vec<Value>), Halt> {
    let stacks = stacks(session, group, bundle)?;
    let ids = |stack: &Value| -> Vec<String> {
        let all = stack.pointer("/properties/resources").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned).collect()
    };
    let mut managed: Vec<String> = stacks.iter().flat_map(ids).collect();
    if stacks.is_empty() {
        managed = state.receipt().map(|r| r.managed).unwrap_or_default();
    }
    let versioned = |id: &String| {
        let api_version = arm_catalog::latest_version(&arm_plan::type_of_id(id).0)?.to_owned();
        Some(arm_client::ResourceRef { id: id.clone(), api_version })
    };
    let wanted: Vec<_> = managed.iter().filter_map(versioned).collect();
    Ok((Observed { resources: sightings(session, &wanted)?, managed }, stacks))
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
    // Without sources there was one deployment at least.
    for index in 0..bundle.parts.len().max(1) {
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
            Some(value) if !kind.starts_with("secure") => arm_apply::join_output(outputs, name, value),
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
