//! The front door: parse, dispatch, print the failure's chain, exit.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use hairpin::cli::Cli;
use hairpin::commands;
use hairpin::exit;

fn main() -> ExitCode {
    let cli = Cli::typed();
    let ended = commands::context(&cli, std::env::vars_os())
        .and_then(|context| commands::run(&cli.command, &context));
    match ended {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) => {
            commands::complain(&error);
            ExitCode::from(exit::FAILED)
        }
    }
}
