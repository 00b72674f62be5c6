//! `run`: one replica, told.

use super::problems::Refusal;
use super::words::{self, Column};
use super::{Done, Verdict, input, say};
use crate::plan::{Plan, load_and_compile};
use crate::plot::words::{number, quantity, title};
use crate::report::story::{Line, stopped_text, tell};
use crate::report::summary::{ClientSummary, ComponentSummary, Summary, summary};
use crate::sim::outcome::Ending;
use crate::sim::{self, Outcome, warm_up};
use crate::text::{Sources, parse_set_argument};
use crate::units::{Bytes, Nanos, Span, from_seconds, seconds};
use std::path::PathBuf;

/// Run a model once and tell what happened when.
///
/// The same model, seed and replica give the same run on every machine.
#[derive(clap::Args)]
pub struct Args {
    /// The model.
    model: PathBuf,
    /// Change the model first, for example `components.api.instances=8`; the value is YAML.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which replica of that seed; another number is another run.
    #[arg(long, default_value_t = 0)]
    replica: u64,
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
    let mut plan = plan(args)?;
    let pilot = warm_up::settle(&mut plan);
    if args.verify {
        return verify(args, &plan);
    }
    let outcome = sim::run(&plan, args.replica);
    let (story, numbers) = (tell(&plan, &outcome), summary(&plan, &outcome));
    let text = if args.json {
        json(args, &plan, &outcome, &story, &numbers)
    } else {
        told(args, &plan, &outcome, &story, &numbers) + &settled(pilot)
    };
    say::print(&text)?;
    Ok(Done::Well)
}

fn plan(args: &Args) -> Result<Plan, Refusal> {
    let mut sources = Sources::default();
    let (mut patches, mut problems) = (Vec::new(), Vec::new());
    for set in &args.sets {
        match parse_set_argument(&mut sources, set) {
            Ok(patch) => patches.push(patch),
            Err(problem) => problems.push(problem),
        }
    }
    let text = match input::text(&mut sources, &args.model) {
        Ok(text) => text,
        Err(problem) => {
            problems.push(problem);
            return Err(Refusal::new(problems, sources));
        }
    };
    let name = args.model.display().to_string();
    let mut read_file = input::beside(&args.model);
    match load_and_compile(&mut sources, &name, &text, &patches, args.seed, &mut read_file) {
        Ok((_, _, plan)) if problems.is_empty() => Ok(plan),
        Ok(_) => Err(Refusal::new(problems, sources)),
        Err(more) => {
            problems.extend(more);
            Err(Refusal::new(problems, sources))
        }
    }
}

/// What an automatic warm-up has found.
fn settled(pilot: Option<warm_up::Pilot>) -> String {
    let Some(pilot) = pilot else { return String::new() };
    let note = if pilot.is_short { "; the run is too short for a steady state" } else { "" };
    format!("\nWarm-up of {} left out (MSER-5){note}.\n", Span(pilot.warm_up))
}

/// Runs the replica twice, of a plan compiled twice.
fn verify(args: &Args, plan: &Plan) -> Verdict {
    let mut again = self::plan(args)?;
    warm_up::settle(&mut again);
    let found = sim::verify::compare(plan, &again, args.replica);
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

fn json(args: &Args, plan: &Plan, outcome: &Outcome, story: &[Line], numbers: &Summary) -> String {
    let ending = match outcome.ending {
        Ending::Horizon => "horizon",
        Ending::Quiet => "quiet",
        Ending::DeclaredOver => "declared_over",
        Ending::Observed => "observed",
        Ending::Stopped { .. } => "stopped",
    };
    let object = serde_json::json!({
        "model": plan.name,
        "seed": args.seed,
        "replica": args.replica,
        "ending": ending,
        "stopped": matches!(outcome.ending, Ending::Stopped { .. })
            .then(|| stopped_text(plan, &outcome.ending)),
        "end_seconds": seconds(outcome.end),
        "alert_seconds": outcome.response.alert.map(seconds),
        "events": outcome.events,
        "fingerprint": format!("{:016x}", outcome.fingerprint),
        "story": story,
        "summary": numbers,
    });
    format!("{object:#}\n")
}

fn told(args: &Args, plan: &Plan, outcome: &Outcome, story: &[Line], numbers: &Summary) -> String {
    let mut out = format!("{}\nseed {}, replica {}\n\n", plan.name, args.seed, args.replica);
    out.push_str(&timeline(plan, outcome, story));
    out.push('\n');
    out.push_str(&impact(numbers));
    out.push_str(&words::table(&CLIENT_COLUMNS, numbers.clients.iter().map(client_row)));
    out.push('\n');
    out.push_str(&words::table(&COMPONENT_COLUMNS, numbers.components.iter().map(component_row)));
    if let stopped @ Ending::Stopped { .. } = &outcome.ending {
        out.push_str(&format!("\nNote: {}.\n", stopped_text(plan, stopped)));
    }
    out
}

/// The measures that say most about an outage, and apply to this run.
const IMPACT: [&str; 8] = [
    "user_outage",
    "users_affected",
    "user_minutes_lost",
    "requests_failed",
    "availability",
    "time_to_detect",
    "time_to_diagnose",
    "time_to_mitigate",
];

fn impact(numbers: &Summary) -> String {
    let shown = numbers.measures.iter().filter(|m| IMPACT.contains(&m.name.as_str()));
    let lines = shown.map(|m| format!("{:<19} {}\n", title(&m.name), quantity(m.value, m.unit)));
    lines.chain(std::iter::once("\n".to_owned())).collect()
}

/// The lines of the story behind their times: of day and from the alert where there was one, else
/// of the run.
fn timeline(plan: &Plan, outcome: &Outcome, story: &[Line]) -> String {
    let mut out = String::new();
    match (&plan.clock_at_alert, outcome.response.alert) {
        (Some((_, zone)), Some(_)) => {
            out.push_str(&format!("Times: {zone}, and minutes from the alert (T+0)\n\n"));
        }
        (None, Some(_)) => out.push_str("Times: from the start, and from the alert (T+0)\n\n"),
        (_, None) => out.push_str("Times: from the start; no alert that pages fired\n\n"),
    }
    for line in story {
        let clock = line.clock.clone().unwrap_or_else(|| run_time(from_seconds(line.at_seconds)));
        let from_alert = line.minutes_from_alert.map_or(String::new(), from_alert);
        let kind = line.kind.word();
        out.push_str(&format!("{clock:>9}  {from_alert:<10}  {kind:<7} {}\n", line.text));
    }
    out
}

/// `0:32:15`.
fn run_time(at: Nanos) -> String {
    let second = seconds(at) as u64;
    format!("{}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// `T+4.5 min`, `T-28 min`, `T+0`.
fn from_alert(minutes: f64) -> String {
    let size = minutes.abs();
    let sign = if minutes < 0.0 { '-' } else { '+' };
    match size {
        s if s < 0.05 => "T+0".to_owned(),
        s if s < 9.95 => format!("T{sign}{size:.1} min"),
        _ => format!("T{sign}{size:.0} min"),
    }
}

const CLIENT_COLUMNS: [Column; 7] = [
    Column::text("client"),
    Column::number("requests"),
    Column::number("under way"),
    Column::number("lost"),
    Column::number("attempts"),
    Column::number("p50"),
    Column::number("p99"),
];

fn client_row(client: &ClientSummary) -> Vec<String> {
    vec![
        client.name.clone(),
        number(client.requests as f64),
        number(client.under_way as f64),
        words::share(client.lost_share),
        words::or_none(client.attempts_per_request, |a| format!("{a:.2}")),
        words::or_none(client.p50_seconds, words::latency),
        words::or_none(client.p99_seconds, words::latency),
    ]
}

const COMPONENT_COLUMNS: [Column; 8] = [
    Column::text("component"),
    Column::number("requests"),
    Column::number("errors"),
    Column::number("busy"),
    Column::number("peak line"),
    Column::number("peak memory"),
    Column::number("deaths"),
    Column::number("exceptions"),
];

fn component_row(component: &ComponentSummary) -> Vec<String> {
    let memory = component.peak_memory.zip(component.memory_limit);
    vec![
        component.name.clone(),
        number(component.requests as f64),
        words::share(component.errors_share),
        words::share(component.utilisation),
        number(f64::from(component.peak_line)),
        words::or_none(memory, |(peak, limit)| format!("{} of {}", Bytes(peak), Bytes(limit))),
        number(component.deaths as f64),
        number(component.exceptions as f64),
    ]
}
