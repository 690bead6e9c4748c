//! The `dsvmc` binary: runs the command line and exits with its code.

/// Trees of thousands of pools are millions of small allocations (see `docs/decisions/020-speed.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dsvmc::cli::run(std::env::args_os()).into()
}
