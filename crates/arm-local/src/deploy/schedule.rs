//! The order in which the resources of a template are written: each after everything that it depends on.

use std::collections::BTreeMap;

use arm_template::Expansion;

use crate::id::key;

/// How far a resource is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It has not been started.
    Waiting,
    /// Something that it refers to is missing; another resource of the template may be it.
    Postponed,
    /// Its operation takes time.
    Running,
    /// Written, or nothing to write.
    Succeeded,
    /// It failed, or something that it depends on did.
    Failed,
}

/// What can be done with a resource now.
pub enum Next {
    /// Nothing: it has begun, or something that it depends on has not ended.
    Nothing,
    /// It cannot be written any more: something that it depends on failed.
    GiveUp,
    /// It can be written.
    Start,
}

/// The resources of one template by their positions.
pub struct Schedule {
    /// Positions that each position depends on.
    needs: Vec<Vec<usize>>,
    steps: Vec<Step>,
}

impl Schedule {
    /// Nothing begun; resources that a template only refers to count as written.
    pub fn of(expansion: &Expansion) -> Self {
        let resources = &expansion.resources;
        let mut positions: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, resource) in resources.iter().enumerate() {
            positions.entry(key(&resource.id)).or_default().push(at);
        }
        let needed = |id: &String| positions.get(&key(id)).cloned().unwrap_or_default();
        let step = |existing: bool| if existing { Step::Succeeded } else { Step::Waiting };
        Self {
            needs: resources.iter().map(|resource| resource.depends_on.iter().flat_map(needed).collect()).collect(),
            steps: resources.iter().map(|resource| step(resource.existing)).collect(),
        }
    }

    /// What can be done at a position.
    pub fn next(&self, at: usize) -> Next {
        if self.steps.get(at) != Some(&Step::Waiting) {
            return Next::Nothing;
        }
        let steps = |at: usize| self.needs.get(at).into_iter().flatten().filter_map(|need| self.steps.get(*need));
        if steps(at).any(|step| *step == Step::Failed) {
            Next::GiveUp
        } else if steps(at).all(|step| *step == Step::Succeeded) {
            Next::Start
        } else {
            Next::Nothing
        }
    }

    /// Whether anything may still be written at another position.
    pub fn goes_on(&self, but: usize) -> bool {
        let mut others = self.steps.iter().enumerate().filter(|(at, _)| *at != but);
        others.any(|(_, step)| matches!(step, Step::Waiting | Step::Running))
    }

    /// Records how far a position is.
    pub fn set(&mut self, at: usize, to: Step) {
        if let Some(step) = self.steps.get_mut(at) {
            *step = to;
        }
    }
}
