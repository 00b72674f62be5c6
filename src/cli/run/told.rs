//! One replica as text and as JSON.

use super::super::words::{self, Column};
use super::Args;
use crate::plan::Plan;
use crate::plot::words::{number, quantity, title};
use crate::report::story::{Line, in_short, stopped_text};
use crate::report::summary::{ClientSummary, ComponentSummary, Summary};
use crate::sim::Outcome;
use crate::sim::outcome::Ending;
use crate::units::{Bytes, Nanos, from_seconds, seconds};

pub fn json(
    args: &Args,
    plan: &Plan,
    outcome: &Outcome,
    story: &[Line],
    numbers: &Summary,
) -> String {
    let ending = match outcome.ending {
        Ending::Horizon => "horizon",
        Ending::Quiet => "quiet",
        Ending::DeclaredOver => "declared_over",
        Ending::Observed => "observed",
        Ending::Stopped { .. } => "stopped",
    };
    let object = serde_json::json!({
        "model": plan.name,
        "seed": plan.seed,
        "variant": args.variant,
        "replica": args.replica,
        "ending": ending,
        "stopped": matches!(outcome.ending, Ending::Stopped { .. })
            .then(|| stopped_text(plan, &outcome.ending)),
        "end_seconds": seconds(outcome.end),
        "alert_seconds": outcome.response.alert.map(seconds),
        "events": outcome.events,
        "fingerprint": format!("{:016x}", outcome.fingerprint),
        "story": story,
        "in_short": in_short(plan, outcome),
        "summary": numbers,
    });
    format!("{object:#}\n")
}

pub fn told(
    args: &Args,
    plan: &Plan,
    outcome: &Outcome,
    story: &[Line],
    numbers: &Summary,
) -> String {
    let mut out = format!("{}\n", plan.name);
    if let Some(variant) = &args.variant {
        out.push_str(&format!("with `{variant}`\n"));
    }
    out.push_str(&format!("seed {}, replica {}\n\n", plan.seed, args.replica));
    out.push_str(&timeline(plan, outcome, story));
    out.push_str("\nIn short\n\n");
    for sentence in in_short(plan, outcome) {
        out.push_str(&format!("{}\n", words::wrapped(&sentence, 0)));
    }
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

/// The measures that say most about an outage.
pub const IMPACT: [&str; 8] = [
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
        out.push_str(&format!("{}{}\n", when(line), words::wrapped(&line.text, BEFORE_TEXT)));
    }
    out
}

/// The width of what stands before the text of a line.
pub const BEFORE_TEXT: usize = 31;

/// What stands before the text of a line: its time, and whom it concerns.
pub fn when(line: &Line) -> String {
    let from_alert = line.minutes_from_alert.map_or(String::new(), from_alert);
    format!("{:>9}  {from_alert:<10}  {:<7} ", clock(line), line.kind.word())
}

/// The time of day of a line, else that of the run.
pub fn clock(line: &Line) -> String {
    line.clock.clone().unwrap_or_else(|| run_time(from_seconds(line.at_seconds)))
}

/// `0:32:15`.
pub fn run_time(at: Nanos) -> String {
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
