//! The rows: what is run, and what proves that it was run rightly.

use super::{allocations, clock, reference};
use outagelab::histogram::Histogram;
use outagelab::plan::{Plan, load_and_compile};
use outagelab::sim;
use outagelab::text::{Patch, Sources, parse_set_argument, plain};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Replicas of an incident; one is too short to be timed.
const INCIDENTS: u64 = 20;

/// The mean latency of W3, and how far it may be off, in seconds.
const W3_MEAN: Option<(f64, f64)> = Some((0.02564, 0.0001));

/// A client beside W3 that is hardly there, and what it calls: all that W3 has not. It shows what
/// features cost those who do not use them.
const IDLE: [&str; 2] = [
    "clients.idle={arrivals: {poisson: {rate: 1/h}}, calls: spare, timeout: 1s, layers: [\
     {circuit_breaker: {window: {count: 100}, failure_rate: 50%, slow_call_rate: 100%, \
     slow_call_duration: 2s, minimum_calls: 20, open_for: 30s, half_open_calls: 10}}, \
     {hedge: {after: 500ms, at_most: 3}}]}",
    "components.spare={kind: server, instances: 2, workers: 4, cpu: {cores: 2}, \
     while_calling: hold, pick: least_requests, layers: [{bulkhead: {limit: 3}}], \
     memory: {limit: 1GiB, base: 100MiB, per_request: 1MiB, at_limit: killed}, \
     probe: {interval: 10s, timeout: 1s, needs: worker, fall: 3, rise: 2}, \
     endpoints: {request: [{work: 5ms}]}}",
];

/// A benchmark.
pub struct Row {
    /// Its name.
    pub name: String,
    /// The row that it is compared with.
    pub beside: String,
    work: Work,
    /// The mean latency that proves it, and how far it may be off, in seconds.
    mean: Option<(f64, f64)>,
}

enum Work {
    /// A model, patched (`path=value`), and its simulated times: whole and for a smoke test.
    Model { path: PathBuf, patches: Vec<String>, horizon: Option<(String, String)>, replicas: u64 },
    /// The single-purpose loop, for so many seconds.
    Reference { seconds: f64, smoke: f64 },
}

/// A model of the repository.
pub fn model(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn benchmark(
    name: &str,
    beside: &str,
    file: &str,
    patches: &[String],
    horizon: (&str, &str),
    mean: Option<(f64, f64)>,
) -> Row {
    Row {
        name: name.to_owned(),
        beside: beside.to_owned(),
        work: Work::Model {
            path: model(&format!("models/benchmark/{file}.yaml")),
            patches: patches.to_vec(),
            horizon: Some((horizon.0.to_owned(), horizon.1.to_owned())),
            replicas: 1,
        },
        mean,
    }
}

/// The patches that make so many API servers of W3's 4.
pub fn scale(instances: u32) -> [String; 3] {
    [
        format!("components.api.instances={instances}"),
        format!("components.database.connections={}", 4 * instances),
        format!("clients.users.arrivals.poisson.rate={}/s", 224 * instances),
    ]
}

/// W3 with so many API servers in place of 4, and rate and connections in proportion. The mean
/// falls towards that of a database without a line (25 ms).
fn scaled_out(instances: u32, seconds: u32, mean: f64) -> Row {
    let patches = scale(instances);
    let horizon = format!("{seconds}s");
    let smoke = format!("{}ms", (20_000 / instances).max(10));
    let name = format!("w3-x{instances}");
    benchmark(&name, "w3-x10", "w3", &patches, (&horizon, &smoke), Some((mean, 0.0005)))
}

/// All rows.
pub fn all() -> Vec<Row> {
    let mut rows = vec![
        benchmark("w1", "", "w1", &[], ("300d", "1d"), Some((5.0, 0.05))),
        benchmark("w2", "", "w2", &[], ("12d", "1h"), Some((1.370, 0.005))),
        Row {
            name: "reference-w3".to_owned(),
            beside: String::new(),
            work: Work::Reference { seconds: 14_400.0, smoke: 60.0 },
            mean: W3_MEAN,
        },
        benchmark("w3", "reference-w3", "w3", &[], ("4h", "1min"), W3_MEAN),
        benchmark("w3-beside", "w3", "w3", &IDLE.map(str::to_owned), ("4h", "1min"), W3_MEAN),
        // A storm of retries: nearly every attempt times out, and the line grows.
        benchmark(
            "w3-overload",
            "w3",
            "w3",
            &["clients.users.arrivals.poisson.rate=1792/s".to_owned()],
            ("2min", "5s"),
            None,
        ),
        scaled_out(10, 2000, 0.0250),
        scaled_out(100, 200, 0.0250),
        scaled_out(1000, 20, 0.0250),
        scaled_out(10_000, 4, 0.0250),
    ];
    rows.extend(incidents());
    rows
}

/// One row for each incident: the models at the top of `models/`.
fn incidents() -> Vec<Row> {
    let folder = std::fs::read_dir(model("models")).expect("the models are in the repository");
    let mut files: Vec<PathBuf> = folder
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|word| word == "yaml"))
        .collect();
    files.sort();
    let row = |path: PathBuf| Row {
        name: format!("incident-{}", path.file_stem().unwrap_or_default().to_string_lossy()),
        beside: String::new(),
        work: Work::Model { path, patches: Vec::new(), horizon: None, replicas: INCIDENTS },
        mean: None,
    };
    files.into_iter().map(row).collect()
}

/// What came out of a row.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Measured {
    /// The row.
    pub name: String,
    /// Attempts made by requests that are over; in W1 to W3 the same as requests.
    pub requests: u64,
    /// Requests that came to components, those of one component at another included: every hop of
    /// every attempt.
    #[serde(default)]
    pub arrivals: u64,
    /// Events handled.
    pub events: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// Time on a processor.
    pub cpu_seconds: f64,
    /// Requests for each second on a processor.
    pub requests_per_s: f64,
    /// Events for each second on a processor.
    pub events_per_s: f64,
    /// Replicas run; 0 for the single-purpose loop.
    pub replicas: u64,
    /// Allocations while it ran.
    pub allocations: u64,
    /// Allocations for each event.
    pub allocations_per_event: f64,
    /// Mean latency of good answers in seconds.
    pub mean_latency: f64,
    /// The most memory that the process has had.
    pub peak_rss_bytes: Option<u64>,
    /// Hash of all observable transitions.
    pub fingerprint: String,
    /// Whether the mean is right.
    pub valid: bool,
    /// Time for a request over that of the row beside it.
    pub relative: Option<f64>,
    /// Requests per second of the fastest run.
    pub fastest: Option<f64>,
    /// Requests per second of the slowest run.
    pub slowest: Option<f64>,
}

impl Measured {
    /// Requests for each second on a processor.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.cpu_seconds
    }

    /// As a line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts can be written")
    }

    /// From a line.
    pub fn read(line: &str) -> Option<Measured> {
        serde_json::from_str(line.trim()).ok()
    }
}

/// Runs a row in this process.
pub fn measure(row: &Row, smoke: bool) -> Measured {
    let mut measured = Measured { name: row.name.clone(), ..Measured::default() };
    let mut latency = Histogram::default();
    match &row.work {
        Work::Reference { seconds, smoke: short } => {
            let seconds = if smoke { *short } else { *seconds };
            timed(&mut measured, |m| {
                let result = reference::w3(seconds, 1);
                (m.requests, m.events, latency) = (result.requests, result.events, result.latency);
            });
        }
        Work::Model { path, patches, horizon, replicas } => {
            let horizon = horizon.as_ref().map(|(whole, short)| if smoke { short } else { whole });
            let plan = compile(path, patches, horizon);
            let replicas = if smoke { 1 } else { *replicas };
            measured.replicas = replicas;
            timed(&mut measured, |m| {
                let mut fingerprint = 0u64;
                for replica in 0..replicas {
                    let outcome = sim::run(&plan, replica);
                    m.events += outcome.events;
                    fingerprint = fingerprint.rotate_left(1) ^ outcome.fingerprint;
                    m.arrivals += outcome.components.iter().map(|c| c.requests).sum::<u64>();
                    for client in &outcome.clients {
                        m.requests += client.attempts;
                        client.latency.iter().flatten().flatten().for_each(|h| latency.merge(h));
                    }
                }
                m.fingerprint = format!("{fingerprint:016x}");
            });
        }
    }
    measured.mean_latency = latency.mean();
    let off = |(right, _): (f64, f64)| (measured.mean_latency - right).abs();
    measured.valid = smoke || row.mean.is_none_or(|mean| off(mean) <= mean.1);
    measured.peak_rss_bytes = clock::peak_rss();
    measured.requests_per_s = measured.per_second();
    measured.events_per_s = measured.events as f64 / measured.cpu_seconds;
    measured.allocations_per_event = measured.allocations as f64 / measured.events.max(1) as f64;
    measured
}

fn timed(measured: &mut Measured, run: impl FnOnce(&mut Measured)) {
    let (allocations, cpu, begin) =
        (allocations::so_far(), clock::thread_seconds(), Instant::now());
    run(measured);
    measured.seconds = begin.elapsed().as_secs_f64();
    // Where the system does not tell the time on a processor, wall-clock time stands for it.
    let cpu = clock::thread_seconds().zip(cpu).map(|(after, before)| after - before);
    measured.cpu_seconds = cpu.filter(|s| *s > 0.0).unwrap_or(measured.seconds);
    measured.allocations = allocations::so_far() - allocations;
}

/// The plan of a model, patched.
pub fn compile(path: &Path, patches: &[String], horizon: Option<&String>) -> Plan {
    let text = std::fs::read_to_string(path).expect("the model is in the repository");
    let mut sources = Sources::default();
    let mut set: Vec<String> = patches.to_vec();
    set.extend(horizon.map(|h| format!("horizon={h}")));
    let patches: Vec<Patch> = set
        .iter()
        .map(|words| parse_set_argument(&mut sources, words).expect("a patch of a benchmark"))
        .collect();
    let mut no_files = |_: &str| Err("the benchmarks' models read no files".to_owned());
    let name = path.to_string_lossy();
    match load_and_compile(&mut sources, &name, &text, &patches, 1, &mut no_files) {
        Ok((_, _, plan)) => plan,
        Err(problems) => panic!("{}", plain(&problems, &sources)),
    }
}
