//! The rollout of `apply`: options, what is printed of it, and how it decides the exit code.

use super::Context;
use super::apply_errors::failure;
use super::args::Format;
use super::exit::Exit;
use super::progress::Progress;
use crate::deploy::error::CommandError;
use crate::deploy::machines;
use crate::deploy::plan::Planned;
use crate::deploy::rollout;
use crate::deploy::session::Session;
use crate::render::failure::{Failure, draw};
use crate::render::plan::clean;
use crate::render::visible::clean_lines;
use arm_apply::rollout::{Machine, PoolReport, RolloutError, Stopped, UpgradeMode, Wishes};
use arm_apply::{ApplyError, RefusedResource};
use dsvm_diagnostics::{Code, count};
use serde_json::{Value, json};

/// Options of the rollout.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Rollout to machines that run")]
pub struct RolloutArgs {
    /// Deploy only: do not follow or continue the rollout to the machines that run
    #[arg(long, conflicts_with_all = ["rollout", "reimage_failed"])]
    pub no_rollout: bool,
    /// Upgrade the machines of pools whose upgrade mode is `manual` too
    #[arg(long)]
    pub rollout: bool,
    /// Reimage machines whose setup failed although they have the latest model; what is on their OS disks is lost
    #[arg(long)]
    pub reimage_failed: bool,
}

/// How a rollout ended.
#[derive(Default)]
pub struct Rolled {
    reports: Vec<PoolReport>,
    /// Names of the pools that the deployment changed.
    changed: Vec<String>,
    left: Vec<String>,
    stopped: Option<RolloutError>,
}

/// Brings the machines of the plan's pools to the latest model, or says what is left when that is not wanted.
pub fn run(args: RolloutArgs, session: &Session, planned: &Planned, progress: &mut Progress) -> Rolled {
    let pools = rollout::pools(planned);
    if args.no_rollout {
        return Rolled { left: left(session, &pools), ..Rolled::default() };
    }
    let wishes = Wishes { manual: args.rollout, reimage_failed: args.reimage_failed };
    let result = rollout::run(session, &pools, wishes, progress);
    progress.close();
    match result {
        Ok(reports) => {
            let changed = planned.plan.effective().map(|change| change.name.clone()).collect();
            Rolled { reports, changed, ..Rolled::default() }
        }
        Err(error) => Rolled { stopped: Some(error), ..Rolled::default() },
    }
}

fn left(session: &Session, pools: &[String]) -> Vec<String> {
    let pools = machines::look(session, pools).unwrap_or_default();
    let behind = pools.iter().filter(|pool| !pool.behind().is_empty());
    behind
        .map(|pool| {
            let who = if pool.mode == UpgradeMode::Rolling { "; Azure goes on with it" } else { "" };
            format!(
                "{} of {} of `{}` do not carry the latest model, and the rollout is not followed (--no-rollout){who}",
                pool.behind().len(),
                count(pool.machines.len(), "machine"),
                pool.name
            )
        })
        .collect()
}

impl Rolled {
    /// Whether every machine has what it should have.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none()
    }

    /// The rollout as data, for the receipt that is printed.
    #[must_use]
    pub fn json(&self) -> Value {
        let stopped = match &self.stopped {
            Some(RolloutError::Stopped(stopped)) => json!(stopped),
            Some(RolloutError::Apply(error)) => json!({ "reason": error.to_string() }),
            None => Value::Null,
        };
        json!({ "pools": self.reports, "left": self.left, "stopped": stopped })
    }

    fn lines(&self) -> Vec<String> {
        let changed = |report: &PoolReport| self.changed.contains(&report.pool);
        let told = self.reports.iter().flat_map(|report| lines(report, changed(report)));
        told.chain(self.left.iter().cloned()).collect()
    }

    /// Prints how it ended, and returns the exit code: [`Exit::Stopped`] when it stopped.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn finish(self, cx: &mut Context) -> Result<Exit, CommandError> {
        if cx.format != Format::Json {
            for line in self.lines() {
                cx.printer.data(&format!("{}\n", clean(&line)))?;
            }
        }
        let Some(error) = self.stopped else { return Ok(Exit::Done) };
        let text = match &error {
            RolloutError::Stopped(stopped) => draw(&explained(stopped), cx.printer.error_palette()),
            RolloutError::Apply(error) => draw(&failure(error), cx.printer.error_palette()),
        };
        cx.printer.say(&text);
        Ok(Exit::Stopped)
    }
}

/// What is said of one pool; `changed`: the deployment changed its model.
fn lines(report: &PoolReport, changed: bool) -> Vec<String> {
    let all = count(report.machines, "machine");
    let mut lines = Vec::new();
    if (report.upgraded > 0 || changed) && report.current > 0 && report.current == report.machines {
        let verb = if report.machines == 1 { "carries" } else { "carry" };
        lines.push(format!("`{}`: {all} {verb} the latest model.", report.pool));
    }
    if report.reimaged > 0 {
        lines.push(format!("`{}`: {} reimaged.", report.pool, count(report.reimaged, "machine")));
    }
    if report.by_hand > 0 {
        let (name, number) = (&report.pool, report.by_hand);
        lines.push(format!(
            "`{name}`: {number} of {all} do not carry the latest model; `dsvmc apply --rollout` upgrades them (the mode is `manual`)."
        ));
    }
    if report.protected > 0 {
        lines.push(format!("`{}`: {} of {all} are protected from upgrades.", report.pool, report.protected));
    }
    lines
}

fn explained(stopped: &Stopped) -> Failure {
    let mut causes =
        vec![format!("{} of {} carry the latest model", stopped.current, count(stopped.machines, "machine"))];
    causes.extend(stopped.refusal.clone());
    causes.extend(stopped.machine.as_ref().and_then(output));
    let again = "remove the cause and run `dsvmc apply` again: it continues with the machines that do not carry the latest model";
    let once = "a setup runs again when its content changes; `dsvmc apply --reimage-failed` makes the OS disks of such machines again, and what is on them is lost";
    Failure {
        code: Some(Code::RolloutStopped.to_string()),
        title: clean(&format!("the rollout of `{}` stopped: {}", stopped.pool, stopped.reason)),
        causes: causes.iter().map(|cause| clean_lines(cause)).collect(),
        help: Some(if stopped.continues { again.to_owned() } else { once.to_owned() }),
    }
}

/// The last output of a machine's setup, when it failed.
fn output(machine: &Machine) -> Option<String> {
    let setup = machine.setup.as_ref().filter(|setup| setup.failed && !setup.output.is_empty())?;
    Some(format!("last output of machine `{}`:\n{}", machine.name, setup.output.join("\n")))
}

/// Prints the machines that a refused deployment failed at: the error of a scale set names an instance at most.
pub fn explain_refusal(error: &ApplyError, session: &Session, planned: &Planned, cx: &mut Context) {
    let ApplyError::Refused(list) = error else { return };
    let is_set = |refused: &&RefusedResource| {
        let id = refused.id.as_deref().unwrap_or_default().to_ascii_lowercase();
        id.contains("/virtualmachinescalesets/")
    };
    let ids: Vec<String> = list.iter().filter(is_set).filter_map(|refused| refused.id.clone()).collect();
    let pools: Vec<String> = machines::pools_of(&planned.observed)
        .into_iter()
        .filter(|pool| ids.iter().any(|id| arm_plan::same_id(id, pool)))
        .collect();
    // The error itself is printed already: a failing look adds nothing to it.
    for pool in machines::look(session, &pools).unwrap_or_default() {
        let Some(machine) = pool.culprit() else { continue };
        let mut text = format!("Machine `{}` of `{}`: {}.\n", machine.name, pool.name, machine.complaint());
        if let Some(output) = output(machine) {
            text.push_str(&output.lines().map(|line| format!("  {line}\n")).collect::<String>());
        }
        cx.printer.say(&format!("{}\n", clean_lines(&text)));
    }
}
