//! The commands, each in its own file. To add one: declare its module, add a variant with the line that `--help` prints,
//! and dispatch it in [`run`].

pub mod apply;
pub mod build;
pub mod calendar;
pub mod check;
pub mod completions;
pub mod cost;
pub mod destroy;
pub mod doctor;
pub mod expand;
pub mod explain;
pub mod fixes;
pub mod fmt;
pub mod formula;
pub mod import;
pub mod init;
pub mod lint;
pub mod local;
pub mod lsp;
pub mod man;
pub mod outputs;
pub mod plan;
pub mod prices;
pub mod prove;
pub mod quota;
pub mod show;
pub mod simulate;
pub mod sizes;
pub mod snapshot;
pub mod spot;
pub mod status;
pub mod test;

use super::Context;
use super::exit::Exit;

/// The subcommands in the order of `--help`: the ones used first come first.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a first file to start from, with comments
    Init(init::Args),
    /// Check files for mistakes, without writing anything
    Check(check::Args),
    /// Advise on security, reliability and cost of projects without mistakes
    Lint(lint::Args),
    /// Format files in place, or check their format
    Fmt(fmt::Args),
    /// Write templates, parameter files and source maps
    Build(build::Args),
    /// Run the tests in the sources
    Test(test::Args),
    /// Keep what projects deploy beside the sources as text, and show what changed
    Snapshot(snapshot::Args),
    /// Simulate pools under a workload: machines, waiting, interruptions
    Simulate(simulate::Args),
    /// Prove what autoscale does under every load: it settles, it wakes from zero, it costs no more than
    Prove(prove::Args),
    /// Show what a tree of projects asks of Azure's quotas, and which it breaks
    Quota(quota::Args),
    /// Show what spot machines cost, and what their evictions cost
    Spot(spot::Args),
    /// Show what ends when: images, sizes, pinned versions, secrets, schedules
    Calendar(calendar::Args),
    /// Show what pools cost in a month, with the source of every price
    Cost(cost::Args),
    /// Read Azure's public prices into a file of the project
    Prices(prices::Args),
    /// List machine sizes that fit, with their prices in a region
    Sizes(sizes::Args),
    /// Print the resources that an ARM template expands to
    Expand(expand::Args),
    /// Run the local endpoint, which answers like Azure Resource Manager
    Local(local::Args),
    /// Show what a deployment would change, and its effect on people
    Plan(plan::Args),
    /// Deploy: show the plan, ask for confirmation, follow it to the end
    Apply(apply::Args),
    /// Show what is deployed, from which commit, and what differs from the sources
    Status(status::Args),
    /// Show the outputs of the deployment, such as addresses and login commands
    Outputs(outputs::Args),
    /// Show the resources of a project as the service returns them
    Show(show::Args),
    /// Delete the resources that a project deployed
    Destroy(destroy::Args),
    /// Check the configuration for deployments
    Doctor(doctor::Args),
    /// Check or evaluate an Azure Batch autoscale formula
    Formula(formula::Args),
    /// Convert Batch AI definitions to `.dsvm`
    Import(import::Args),
    /// Explain a diagnostic in full, with an example and its fix
    Explain(explain::Args),
    /// Serve an editor that edits `.dsvm` files
    Lsp(lsp::Args),
    /// Generate the completion script of a shell
    Completions(completions::Args),
    /// Write the manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// Runs the command and returns how the process exits.
///
/// # Errors
/// The environment failed: a file, the network or the credentials.
pub fn run(command: &Command, cx: &mut Context) -> Result<Exit, miette::Report> {
    match command {
        Command::Init(args) => init::run(args, cx),
        Command::Check(args) => check::run(args, cx),
        Command::Lint(args) => lint::run(args, cx),
        Command::Fmt(args) => fmt::run(args, cx),
        Command::Build(args) => build::run(args, cx),
        Command::Test(args) => test::run(args, cx),
        Command::Snapshot(args) => snapshot::run(args, cx),
        Command::Simulate(args) => simulate::run(args, cx),
        Command::Prove(args) => prove::run(args, cx),
        Command::Quota(args) => quota::run(args, cx),
        Command::Spot(args) => spot::run(args, cx),
        Command::Calendar(args) => calendar::run(args, cx),
        Command::Cost(args) => cost::run(args, cx),
        Command::Prices(args) => prices::run(args, cx),
        Command::Sizes(args) => sizes::run(args, cx),
        Command::Expand(args) => expand::run(args, cx),
        Command::Local(args) => local::run(args, cx),
        Command::Plan(args) => plan::run(args, cx),
        Command::Apply(args) => apply::run(args, cx),
        Command::Status(args) => status::run(args, cx),
        Command::Outputs(args) => outputs::run(args, cx),
        Command::Show(args) => show::run(args, cx),
        Command::Destroy(args) => destroy::run(args, cx),
        Command::Doctor(args) => doctor::run(args, cx),
        Command::Formula(args) => formula::run(args, cx),
        Command::Import(args) => import::run(args, cx),
        Command::Explain(args) => explain::run(args, cx),
        Command::Lsp(args) => lsp::run(args, cx),
        Command::Completions(args) => completions::run(args, cx),
        Command::Man(args) => man::run(args, cx),
    }
}
