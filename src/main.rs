//! The `vshark` program: what was typed becomes a run of the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
