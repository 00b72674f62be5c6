//! How long the program takes from the command to its end where there is little to simulate.

use super::fit::Spread;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

/// Components of the large model.
pub const LARGE: u32 = 1000;
/// Each so many components call one another in a chain.
const CHAIN: u32 = 3;

/// Times of the commands by the clock, in seconds.
pub struct Starts {
    /// How often each was started.
    pub times: usize,
    /// `run` of a model of one chain.
    pub run: Spread,
    /// `check` of a model of [`LARGE`] components.
    pub check: Spread,
}

/// A model of so many components in chains, the first of which has a client.
fn model(components: u32) -> String {
    let mut text = "name: chains\nhorizon: 10min\nclients:\n  users:\n    \
                    arrivals: {poisson: {rate: 5/s}}\n    calls: c0\n    timeout: 2s\ncomponents:\n"
        .to_owned();
    for number in 0..components {
        let _ = write!(
            text,
            "  c{number}:\n    kind: server\n    instances: 2\n    workers: 8\n    while_calling: \
             hold\n    endpoints:\n      request:\n        - work: {{exponential: {{mean: 5ms}}}}\n"
        );
        if number % CHAIN != CHAIN - 1 && number + 1 < components {
            let _ = writeln!(text, "        - call: c{}", number + 1);
        }
    }
    text
}

/// Starts the program so often with each command.
pub fn measure(times: usize) -> Result<Starts, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let time = |command: &str, components: u32| -> Result<Spread, String> {
        let file = folder.path().join(format!("{command}.yaml"));
        std::fs::write(&file, model(components)).map_err(|error| error.to_string())?;
        let mut seconds = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            let output = Command::new(env!("CARGO_BIN_EXE_outagelab"))
                .arg(command)
                .arg(&file)
                .output()
                .map_err(|error| error.to_string())?;
            seconds.push(began.elapsed().as_secs_f64());
            if !output.status.success() {
                return Err(format!("{command}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        Ok(Spread::of(seconds))
    };
    Ok(Starts { times, run: time("run", CHAIN)?, check: time("check", LARGE)? })
}
