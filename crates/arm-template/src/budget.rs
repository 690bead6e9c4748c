//! Bounds on what a template may cost: steps, depth, bytes and resources. Templates may be hostile.

use super::error::EvalError;
use std::cell::Cell;

/// Bounds of one expansion; the defaults are those of the service where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a template text.
    pub template_bytes: usize,
    /// Maximum number of parameters of one template.
    pub parameters: usize,
    /// Maximum number of variables of one template.
    pub variables: usize,
    /// Most resources of one template, copies counted.
    pub resources: usize,
    /// Maximum number of outputs of one template.
    pub outputs: usize,
    /// Most turns of one copy loop.
    pub copies: i64,
    /// Most nested deployments inside one another.
    pub nesting: usize,
    /// Most resources of all nested deployments together.
    pub total_resources: usize,
    /// Most bytes of all expanded resources and outputs together.
    pub expanded_bytes: usize,
    /// Maximum bytes of all intermediate values; bounds the memory.
    pub made_bytes: usize,
    /// Maximum number of evaluation steps; bounds the time.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            template_bytes: 4 << 20,
            parameters: 256,
            variables: 256,
            resources: 800,
            outputs: 64,
            copies: 800,
            nesting: 16,
            total_resources: 20_000,
            expanded_bytes: 32 << 20,
            made_bytes: 768 << 20,
            steps: 40_000_000,
        }
    }
}

/// Most evaluations inside one another.
const MAX_DEPTH: u32 = 900;

/// What remains of the limits during one expansion.
pub(crate) struct Budget {
    steps: Cell<u64>,
    depth: Cell<u32>,
    bytes: Cell<usize>,
    made: Cell<usize>,
    resources: Cell<usize>,
    limits: Limits,
}

impl Budget {
    pub fn new(limits: &Limits) -> Self {
        Self {
            steps: Cell::new(limits.steps),
            depth: Cell::new(0),
            bytes: Cell::new(limits.expanded_bytes),
            made: Cell::new(limits.made_bytes),
            resources: Cell::new(limits.total_resources),
            limits: *limits,
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Charges `steps` of work.
    pub fn charge(&self, steps: usize) -> Result<(), EvalError> {
        match self.steps.get().checked_sub(steps as u64) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => {
                Err(EvalError::limit(format!("the template needs more than {} evaluation steps", self.limits.steps)))
            }
        }
    }

    /// Charges `bytes` of the result against `expanded_bytes`.
    pub fn charge_output(&self, bytes: usize) -> Result<(), EvalError> {
        match self.bytes.get().checked_sub(bytes) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => Err(EvalError::limit(format!(
                "the expanded template has more than {} bytes",
                self.limits.expanded_bytes
            ))),
        }
    }

    /// Charges `bytes` of intermediate values against `made_bytes`.
    pub fn charge_memory(&self, bytes: usize) -> Result<(), EvalError> {
        match self.made.get().checked_sub(bytes) {
            Some(left) => {
                self.made.set(left);
                Ok(())
            }
            None => Err(EvalError::limit(format!(
                "the values of the template need more than {} bytes",
                self.limits.made_bytes
            ))),
        }
    }

    /// Charges one resource against `total_resources`.
    pub fn charge_resource(&self) -> Result<(), EvalError> {
        match self.resources.get().checked_sub(1) {
            Some(left) => {
                self.resources.set(left);
                Ok(())
            }
            None => Err(EvalError::limit(format!(
                "the template and its nested deployments have more than {} resources",
                self.limits.total_resources
            ))),
        }
    }

    /// Runs `inner` one level deeper.
    pub fn deeper<T>(&self, inner: impl FnOnce() -> Result<T, EvalError>) -> Result<T, EvalError> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(EvalError::limit(format!(
                "expressions and variables lead to one another more than {MAX_DEPTH} deep"
            )));
        }
        self.depth.set(depth + 1);
        let result = inner();
        self.depth.set(depth);
        result
    }
}
