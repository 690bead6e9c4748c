//! One file for each command, one line here. The first line of the comment is what `--help` shows.

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $variant:ident => $module:ident,)*) => {
        $(pub mod $module;)*

        /// What to do.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command { $($(#[doc = $doc])+ $variant($module::Args),)* }

        /// Runs the command.
        pub fn run(command: &Command, cx: &mut super::Context) -> Result<super::exit::Exit, miette::Report> {
            match command { $(Command::$variant(args) => $module::run(args, cx),)* }
        }
    };
}

// In the order of `--help`: what one does first stands first.
commands! {
    /// Write a first file to start from, with comments
    Init => init,
    /// Check files for mistakes, without writing anything
    Check => check,
    /// Put files into the one house style
    Fmt => fmt,
    /// Write templates, parameter files and source maps
    Build => build,
    /// Print the resources that an ARM template sends
    Expand => expand,
    /// The local endpoint: answers as Azure Resource Manager does, without Azure
    Local => local,
    /// Show what a deployment would change, and what that means for people
    Plan => plan,
    /// Deploy: show the plan, ask, follow it to the end
    Apply => apply,
    /// Show what is deployed, from which commit, and what differs since
    Status => status,
    /// Show the outputs of the deployment: addresses, log-in lines
    Outputs => outputs,
    /// Show the resources of a project as the service has them
    Show => show,
    /// Delete what a project made
    Destroy => destroy,
    /// Check what is configured for deployments
    Doctor => doctor,
    /// Check or evaluate an autoscale formula of Azure Batch
    Formula => formula,
    /// Write the `.dsvm` of what Batch AI ran
    Import => import,
    /// Explain a message in full, with an example and its repair
    Explain => explain,
    /// Write a script that teaches a shell to complete the command line
    Completions => completions,
}
