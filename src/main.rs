//! The program: reads its arguments and runs the command.

use std::{io::Write as _, process::ExitCode};

fn main() -> ExitCode {
    let arguments = usher::cli::Arguments::read();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(usher::cli::run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "usher: {error:#}");
    ExitCode::FAILURE
}
