//! The arguments that all commands share. Each command's own arguments live in its file.

use clap::{Parser, ValueEnum};

/// Compile, plan and deploy shared pools of Azure data-science machines.
#[derive(Debug, Parser)]
#[command(
    name = "dsvmc",
    version,
    max_term_width = 80,
    disable_help_subcommand = true,
    after_help = "Start with `dsvmc init`, then `dsvmc check`. `dsvmc explain CODE` explains a diagnostic in full.\n\n\
                  Exit codes:\n  \
                    0    success\n  \
                    1    the input has errors\n  \
                    2    `plan --detailed-exitcode` found changes\n  \
                    3    environment error: file system, network or credentials\n  \
                    4    apply or destroy stopped part-way\n  \
                    64   usage error\n  \
                    101  internal error (a bug in dsvmc)\n  \
                    130  Ctrl-C before anything was changed"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The subcommand with its arguments.
    #[command(subcommand)]
    pub command: super::commands::Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Output format of messages
    #[arg(long, value_enum, default_value_t = Format::Human, global = true, help_heading = "Global options")]
    pub format: Format,
    /// When to use colour (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, help_heading = "Global options")]
    pub color: Color,
    /// Reduce output; errors are still printed
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Global options")]
    pub quiet: u8,
    /// Evaluate retirement dates as of this day instead of today
    #[arg(long, value_name = "YYYY-MM-DD", global = true, help_heading = "Global options")]
    pub as_of: Option<jiff::civil::Date>,
}

/// Output format of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with source lines, on stderr
    Human,
    /// For editors, one line each, on stdout
    Short,
    /// One JSON document, on stdout
    Json,
    /// For a comment on a pull request, on stdout (plan)
    Markdown,
    /// For code hosts and editors, on stdout (check, lint, plan)
    Sarif,
    /// For GitHub Actions, as workflow commands, on stdout (check, lint)
    Github,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Never, not even on a terminal
    Never,
}
