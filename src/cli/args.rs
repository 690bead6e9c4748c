//! The arguments that all commands share. Each command's own arguments live in its file.

use clap::{Parser, ValueEnum};

/// Compile, plan and deploy shared pools of Azure data-science machines.
#[derive(Debug, Parser)]
#[command(
    name = "dsvmc",
    version,
    max_term_width = 80,
    disable_help_subcommand = true,
    after_help = "Start with `dsvmc init`, then `dsvmc check`. `dsvmc explain CODE` explains a message in full.\n\n\
                  Exit codes:\n  \
                    0    done\n  \
                    1    the input is at fault\n  \
                    2    `plan --detailed-exitcode` found changes\n  \
                    3    the world is at fault: a file, the network, who you are\n  \
                    4    apply stopped part-way\n  \
                    64   wrong usage\n  \
                    101  a bug of dsvmc\n  \
                    130  Ctrl-C before anything was changed"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: super::commands::Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// How messages are written
    #[arg(long, value_enum, default_value_t = Format::Human, global = true, help_heading = "Global options")]
    pub format: Format,
    /// When to use colour (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, help_heading = "Global options")]
    pub color: Color,
    /// Say less; errors are still told
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Global options")]
    pub quiet: u8,
    /// Judge retirement dates as of this day instead of today
    #[arg(long, value_name = "YYYY-MM-DD", global = true, help_heading = "Global options")]
    pub as_of: Option<jiff::civil::Date>,
}

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Drawn for people, on stderr
    Human,
    /// One line each, for editors, on stdout
    Short,
    /// One JSON document, on stdout
    Json,
    /// For a comment on a pull request, on stdout (plan)
    Markdown,
    /// For code hosts and editors, on stdout (check, plan)
    Sarif,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}
