//! How to plan and deploy: stack or plain deployment, what happens to removed resources, and which resources.

use arm_client::DeployMode;
use arm_plan::{DiffOptions, RoleNames, Unmanaged};

/// How to plan, and how the plan is executed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Deployment stack, or plain deployment.
    pub mode: DeployMode,
    /// What happens to resources that are no longer in the source.
    pub unmanaged: Unmanaged,
    /// Patterns of the resources to plan; empty selects all.
    pub targets: Vec<String>,
    /// Patterns of resources to leave out.
    pub excludes: Vec<String>,
    /// Keep the differences that a rule suppressed, to list them.
    pub list_suppressed: bool,
    /// Pools that have one of several sizes go back to the first.
    pub first_choice: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: DeployMode::Stack,
            unmanaged: Unmanaged::Delete,
            targets: Vec::new(),
            excludes: Vec::new(),
            list_suppressed: false,
            first_choice: false,
        }
    }
}

impl Settings {
    /// Whether any resource may be left out.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        !self.targets.is_empty() || !self.excludes.is_empty()
    }

    /// DiffOptions of a comparison of everything, with the record of the last apply.
    #[must_use]
    pub fn options(&self, baseline: Option<arm_plan::Baseline>) -> DiffOptions {
        DiffOptions {
            baseline,
            unmanaged: self.unmanaged,
            forget_suppressed: !self.list_suppressed,
            roles: RoleNames(dsvm_sema::library::role_name),
            ..DiffOptions::default()
        }
    }
}
