//! `run`: one replica, told, or two beside each other.

mod load;
mod parted;
mod told;

use super::{Done, Verdict, say};
use crate::plan::Plan;
use crate::report::story::tell;
use crate::report::summary::summary;
use crate::sim::{self, warm_up};
use crate::units::Span;
use load::Loaded;
use std::path::PathBuf;

/// Run a model once and tell what happened when.
///
/// The same file, seed and replica give the same run on every machine. Given an experiment, it runs
/// the replica of that number of its study, of the baseline or of a variant: the same run.
#[derive(clap::Args)]
pub struct Args {
    /// The model, or an experiment.
    model: PathBuf,
    /// Change the model first, for example `components.api.instances=8`; the value is YAML.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// The variant of the experiment; the baseline when left out.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The seed of all randomness; when left out that of the experiment, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// Which replica of that seed; another number is another run.
    #[arg(long, default_value_t = 0)]
    replica: u64,
    /// Run the replica as it is and changed (by `--variant`, `--set`) and tell where the two part.
    #[arg(long, conflicts_with = "verify")]
    diff: bool,
    /// Print one JSON object instead: the story, the summary and the fingerprint of the run.
    #[arg(long)]
    json: bool,
    /// Run it twice side by side instead, and name the first event in which the runs differ: there
    /// is none, or the exit code is 1.
    #[arg(long)]
    verify: bool,
}

/// Runs the model and prints its story.
pub fn run(args: &Args) -> Verdict {
    let mut loaded = Loaded::new(args)?;
    if args.diff {
        let [first, second] = [loaded.plan(false)?, loaded.plan(true)?].map(|(plan, _)| plan);
        say::print(&parted::text(args, &loaded, &first, &second))?;
        return Ok(Done::Well);
    }
    let (plan, pilot) = loaded.plan(true)?;
    if args.verify {
        let again = loaded.plan(true)?.0;
        return verify(args, &plan, &again);
    }
    let outcome = sim::run(&plan, args.replica);
    let (story, numbers) = (tell(&plan, &outcome), summary(&plan, &outcome));
    let text = if args.json {
        told::json(args, &plan, &outcome, &story, &numbers)
    } else {
        told::told(args, &plan, &outcome, &story, &numbers) + &settled(pilot)
    };
    say::print(&text)?;
    Ok(Done::Well)
}

/// What an automatic warm-up has found.
fn settled(pilot: Option<warm_up::Pilot>) -> String {
    let Some(pilot) = pilot else { return String::new() };
    let note = if pilot.is_short { "; the run is too short for a steady state" } else { "" };
    format!("\nWarm-up of {} left out (MSER-5){note}.\n", Span(pilot.warm_up))
}

/// Runs the replica twice, of a plan compiled twice.
fn verify(args: &Args, plan: &Plan, again: &Plan) -> Verdict {
    let found = sim::verify::compare(plan, again, args.replica);
    let text = match (&found, args.json) {
        (Ok(outcome), false) => format!(
            "two runs of {} events are the same; fingerprint {:016x}\n",
            outcome.events, outcome.fingerprint
        ),
        (Err(difference), false) => format!("{difference}\n"),
        (Ok(outcome), true) => {
            let print = format!("{:016x}", outcome.fingerprint);
            let (events, difference) = (outcome.events, serde_json::Value::Null);
            let said = serde_json::json!({
                "same": true, "events": events, "fingerprint": print, "difference": difference,
            });
            format!("{said:#}\n")
        }
        (Err(difference), true) => {
            let said = serde_json::json!({
                "same": false, "event": difference.event, "difference": difference.to_string(),
            });
            format!("{said:#}\n")
        }
    };
    say::print(&text)?;
    Ok(if found.is_ok() { Done::Well } else { Done::ClaimFailed })
}
