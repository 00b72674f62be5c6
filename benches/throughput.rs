//! Speed of the ordinary engine on ordinary models, one thread.
//!
//! `cargo bench --bench throughput -- --json` prints one JSON line for each row:
//! `{name, requests, requests_per_s, events_per_s, mean_latency, peak_rss_bytes, fingerprint,
//! valid}`. A row counts only if its mean latency is right; otherwise it says `"valid": false` and
//! the program ends with 1. Each row runs in a process of its own, so that the peak of memory is
//! its own. `--smoke` runs each row shortly (its mean is then not judged).
//!
//! Times are wall-clock times of the run alone; compare medians of several runs on a quiet machine.

use outagelab::histogram::Histogram;
use outagelab::plan::{Plan, load_and_compile};
use outagelab::sim;
use outagelab::text::{Sources, parse_set_argument, plain};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// A benchmark: its name, its model, the simulated time, and the mean latency that proves it, in
/// seconds.
struct Row {
    name: &'static str,
    model: &'static str,
    horizon: Option<&'static str>,
    smoke: Option<&'static str>,
    mean: Option<(f64, f64)>,
}

const ROWS: &[Row] = &[
    Row {
        name: "w1",
        model: "models/benchmark/w1.yaml",
        horizon: Some("300d"),
        smoke: Some("1d"),
        mean: Some((5.0, 0.05)),
    },
    Row {
        name: "w2",
        model: "models/benchmark/w2.yaml",
        horizon: Some("12d"),
        smoke: Some("1h"),
        mean: Some((1.370, 0.005)),
    },
    Row {
        name: "w3",
        model: "models/benchmark/w3.yaml",
        horizon: Some("4h"),
        smoke: Some("1min"),
        mean: Some((0.02564, 0.0001)),
    },
    Row {
        name: "incident",
        model: "models/2024-07-10-rate-limiter-leak.yaml",
        horizon: None,
        smoke: None,
        mean: None,
    },
];

/// Replicas of the incident; one is too short to be timed.
const INCIDENTS: u64 = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    if let Some(row) = ROWS.iter().find(|row| has(&format!("--row={}", row.name))) {
        return measure(row, has("--smoke"));
    }
    let mut all_valid = true;
    for row in ROWS {
        let exe = std::env::current_exe().expect("the benchmark knows its own path");
        let mut child = Command::new(exe);
        child.arg(format!("--row={}", row.name));
        if has("--smoke") {
            child.arg("--smoke");
        }
        let output = child.output().expect("the benchmark can start itself");
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        all_valid &= output.status.success();
        if has("--json") {
            println!("{line}");
        } else {
            print_row(&line);
        }
    }
    if all_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_row(line: &str) {
    let row: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let millions = |key: &str| row[key].as_f64().unwrap_or(f64::NAN) / 1e6;
    println!(
        "{:<10} {:>8.3} M requests/s  {:>8.3} M events/s  mean {:>9.5} s  peak {:>6.1} MB  {}  {}",
        row["name"].as_str().unwrap_or("?"),
        millions("requests_per_s"),
        millions("events_per_s"),
        row["mean_latency"].as_f64().unwrap_or(f64::NAN),
        millions("peak_rss_bytes"),
        row["fingerprint"].as_str().unwrap_or("?"),
        if row["valid"] == true { "" } else { "NOT VALID" },
    );
}

fn compile(row: &Row, smoke: bool) -> Plan {
    let path = format!("{}/{}", env!("CARGO_MANIFEST_DIR"), row.model);
    let text = std::fs::read_to_string(&path).expect("the model is in the repository");
    let mut sources = Sources::default();
    let horizon = if smoke { row.smoke } else { row.horizon };
    let set = horizon.map(|h| parse_set_argument(&mut sources, &format!("horizon={h}")));
    let patches: Vec<_> = set.into_iter().map(|p| p.expect("a horizon can be set")).collect();
    let mut no_files = |_: &str| Err("the benchmarks' models read no files".to_owned());
    match load_and_compile(&mut sources, row.model, &text, &patches, 1, &mut no_files) {
        Ok((_, _, plan)) => plan,
        Err(problems) => panic!("{}", plain(&problems, &sources)),
    }
}

fn measure(row: &Row, smoke: bool) -> ExitCode {
    let plan = compile(row, smoke);
    let replicas = if row.mean.is_some() || smoke { 1 } else { INCIDENTS };
    let (mut requests, mut events, mut fingerprint) = (0u64, 0u64, 0u64);
    let mut latency = Histogram::default();
    let begin = Instant::now();
    for replica in 0..replicas {
        let outcome = sim::run(&plan, replica);
        events += outcome.events;
        fingerprint = fingerprint.rotate_left(1) ^ outcome.fingerprint;
        for client in &outcome.clients {
            // Attempts, where retries are part of the work; the same as requests in W1 to W3.
            requests += client.attempts;
            client.latency.iter().flatten().flatten().for_each(|h| latency.merge(h));
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mean = latency.mean();
    let valid = smoke || row.mean.is_none_or(|(right, within)| (mean - right).abs() <= within);
    let line = serde_json::json!({
        "name": row.name,
        "requests": requests,
        "requests_per_s": requests as f64 / seconds,
        "events_per_s": events as f64 / seconds,
        "mean_latency": mean,
        "peak_rss_bytes": peak_rss(),
        "fingerprint": format!("{fingerprint:016x}"),
        "valid": valid,
    });
    println!("{line}");
    if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The most memory that this process has had, in bytes, as Linux counts it; null elsewhere.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
