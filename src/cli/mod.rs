//! The command line: arguments, exit codes, streams. The only module that knows clap.
