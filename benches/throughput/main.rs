//! Speed of the ordinary engine on ordinary models, one thread.
//!
//! `cargo bench --bench throughput -- --json` prints one JSON line for each row: `{name, requests,
//! seconds, cpu_seconds, requests_per_s, events_per_s, allocations_per_event, mean_latency,
//! peak_rss_bytes, fingerprint, relative, valid}`. `relative` is the time for one request over that
//! of the row which it is compared with (`reference-w3` for `w3`, `w3` for `w3-beside` and
//! `w3-overload`, `w3-x10` for larger ones), measured in the same run, so that it can be compared
//! between machines. A row counts only if its mean latency is right; otherwise it says `"valid":
//! false` and the program ends with 1. Each row runs in a process of its own, so that the peak of
//! memory is its own.
//!
//! - `--row=NAME` runs one row; `--smoke` runs each row shortly (its mean is then not judged);
//!   `--runs=5` runs each row so often and prints the run with the median time.
//! - `--growth=docs` runs all rows and what shows how cost grows, five times or `--runs`, and
//!   writes `docs/background/performance.md` and its figures; with `--smoke` in a small size, to
//!   see their form.
//!
//! Without any of these, as `cargo test` starts it, it is a smoke test of both; `cargo test NAME`
//! looks for a test of that name, and here is none.
//!
//! Times are those of the run alone. On a busy machine look at `cpu_seconds`.

mod allocations;
mod clock;
#[cfg(feature = "cli")]
mod growth;
mod reference;
mod rows;

use rows::{Measured, Row};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Arguments of which one says that this is no test.
const OWN: [&str; 8] =
    ["--bench", "--growth=", "--json", "--measure=", "--point=", "--row=", "--runs=", "--smoke"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    // `cargo bench` says `--bench`.
    let is_test = !arguments.iter().any(|a| OWN.iter().any(|own| a.starts_with(own)));
    if is_test && arguments.iter().any(|a| !a.starts_with('-')) {
        return ExitCode::SUCCESS;
    }
    let smoke = has("--smoke") || is_test;
    let value = |name: &str| arguments.iter().find_map(|a| a.strip_prefix(name));
    let rows = rows::all();
    if let Some(name) = value("--measure=") {
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            eprintln!("no row {name}");
            return ExitCode::from(2);
        };
        println!("{}", rows::measure(row, smoke).json());
        return ExitCode::SUCCESS;
    }
    if let Some(point) = value("--point=") {
        return said(point_of_growth(point, smoke).map(|line| println!("{line}")));
    }
    let wanted: Vec<&Row> = match value("--row=") {
        Some(name) => rows.iter().filter(|row| row.name == name).collect(),
        None => rows.iter().collect(),
    };
    if wanted.is_empty() {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        eprintln!("no such row; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let usual = if value("--growth=").is_some() && !smoke { 5 } else { 1 };
    let runs = value("--runs=").and_then(|n| n.parse().ok()).unwrap_or(usual).max(1);
    if let Some(load) = clock::load().filter(|load| runs > 1 && *load > 0.5) {
        eprintln!("the machine is busy (load {load}): times will be too long");
    }
    let (done, all_valid) = run_rows(&wanted, smoke, runs, has("--json"));
    if !all_valid {
        return ExitCode::FAILURE;
    }
    match value("--growth=") {
        Some(folder) => said(write_growth(Path::new(folder), smoke, &done, runs)),
        None if is_test => said(smoke_test_of_growth(&done)),
        None => ExitCode::SUCCESS,
    }
}

fn said(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs rows, each so often, and prints them. Whether all are valid comes with them.
fn run_rows(wanted: &[&Row], smoke: bool, runs: usize, json: bool) -> (Vec<Measured>, bool) {
    let mut done: Vec<Measured> = Vec::new();
    let mut all_valid = true;
    for row in wanted {
        let mut measured: Vec<Measured> =
            (0..runs).filter_map(|_| in_a_process(row, smoke)).collect();
        measured.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
        let Some(mut median) = measured.get(measured.len() / 2).cloned() else {
            eprintln!("{} did not run", row.name);
            all_valid = false;
            continue;
        };
        median.fastest = measured.first().map(Measured::per_second);
        median.slowest = measured.last().map(Measured::per_second);
        let beside = done.iter().find(|other| other.name == row.beside);
        median.relative = beside.map(|other| other.per_second() / median.per_second());
        all_valid &= median.valid;
        if json {
            println!("{}", median.json())
        } else {
            print(&median)
        }
        done.push(median);
    }
    (done, all_valid)
}

#[cfg(feature = "cli")]
fn point_of_growth(point: &str, smoke: bool) -> Result<String, String> {
    growth::answer(point, smoke)
}

#[cfg(feature = "cli")]
fn write_growth(folder: &Path, smoke: bool, rows: &[Measured], runs: usize) -> Result<(), String> {
    growth::write(folder, smoke, rows, runs)
}

/// Writes the page and its figures in a small size and looks at them.
#[cfg(feature = "cli")]
fn smoke_test_of_growth(rows: &[Measured]) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    growth::write(folder.path(), true, rows, 1)?;
    growth::look_at(folder.path())
}

#[cfg(not(feature = "cli"))]
fn point_of_growth(_: &str, _: bool) -> Result<String, String> {
    Err("figures and studies on threads need the feature `cli`".to_owned())
}

#[cfg(not(feature = "cli"))]
fn write_growth(_: &Path, smoke: bool, _: &[Measured], _: usize) -> Result<(), String> {
    point_of_growth("", smoke).map(|_| ())
}

#[cfg(not(feature = "cli"))]
fn smoke_test_of_growth(_: &[Measured]) -> Result<(), String> {
    Ok(())
}

/// Measures a row in a process of its own.
fn in_a_process(row: &Row, smoke: bool) -> Option<Measured> {
    let exe = std::env::current_exe().expect("the benchmark knows its own path");
    let mut child = Command::new(exe);
    child.arg(format!("--measure={}", row.name));
    if smoke {
        child.arg("--smoke");
    }
    let output = child.output().expect("the benchmark can start itself");
    Measured::read(&String::from_utf8_lossy(&output.stdout))
}

fn print(row: &Measured) {
    let relative = row.relative.map_or(String::new(), |r| format!("{r:.2} x"));
    println!(
        "{:<34} {:>7.3} M requests/s {:>7.2} M events/s {:>7.4} allocations/event  mean {:>9.5} s  \
         peak {:>6.1} MB  {:<8} {} {}",
        row.name,
        row.per_second() / 1e6,
        row.events as f64 / row.cpu_seconds / 1e6,
        row.allocations as f64 / row.events.max(1) as f64,
        row.mean_latency,
        row.peak_rss_bytes.unwrap_or(0) as f64 / 1e6,
        relative,
        row.fingerprint,
        if row.valid { "" } else { "NOT VALID" },
    );
}
