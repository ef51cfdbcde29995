//! Progress bars for commands that take long; on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write as _;

/// Says something beside the bar, on standard error, whether or not there is a terminal.
pub fn note(bar: &ProgressBar, line: &str) -> anyhow::Result<()> {
    bar.suspend(|| writeln!(std::io::stderr().lock(), "{line}"))?;
    Ok(())
}

/// A bar over the bytes of a file.
pub fn of_bytes(length: u64) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {bytes}/{total_bytes} ({bytes_per_sec}), {eta} left",
    )?);
    Ok(bar)
}

/// A bar over a number of things.
pub fn of_things(count: u64, things: &str) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(count);
    bar.set_style(ProgressStyle::with_template(&format!(
        "{{bar:40}} {{pos}}/{{len}} {things}, {{per_sec}}, {{eta}} left"
    ))?);
    Ok(bar)
}
