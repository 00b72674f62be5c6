//! What is measured, each point in a process of its own.

use crate::{allocations, clock, rows};
use outagelab::histogram::Histogram;
use outagelab::plan::Plan;
use outagelab::sim::{self, outcome::Ending, outcome::Outcome};
use outagelab::study::{Checked, Options, StudyResult, check, run};
use outagelab::text::{Sources, plain};
use std::time::Instant;

/// The requests of W3 that come in a second.
pub const RATE: f64 = 896.0;
/// Mean latency of W3 and how far a short run may be off, in seconds.
const MEAN: (f64, f64) = (0.02564, 0.001);
/// The same for W3 scaled out, whose database has hardly a line.
const MEAN_SCALED_OUT: (f64, f64) = (0.025, 0.0005);
/// The rate of W3 under a storm of retries.
const OVERLOAD: u32 = 1792;
/// The incident of the studies.
const INCIDENT: &str = "models/2024-07-10-rate-limiter-leak.yaml";
/// The incident whose replicas are the shortest.
const SHORT_INCIDENT: &str = "models/2024-06-05-routing-crash.yaml";

/// Something to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Task {
    /// W3 until about so many requests have come.
    Requests(u64),
    /// W3 with so many API servers, for so many simulated seconds.
    Pending(u32, f64),
    /// W3 with more than it can do, for so many simulated seconds.
    Overload(u32),
    /// A study of so many replicas of a short incident, on one thread.
    Replicas(u64),
    /// A study of so many replicas of the incident of 10 July, on so many threads.
    Threads(u64, usize),
}

impl Task {
    /// As an argument.
    pub fn argument(self) -> String {
        match self {
            Task::Requests(requests) => format!("requests:{requests}"),
            Task::Pending(instances, seconds) => format!("pending:{instances}:{seconds}"),
            Task::Overload(seconds) => format!("overload:{seconds}"),
            Task::Replicas(replicas) => format!("replicas:{replicas}"),
            Task::Threads(replicas, threads) => format!("threads:{replicas}:{threads}"),
        }
    }

    /// From an argument.
    pub fn read(argument: &str) -> Option<Task> {
        let mut words = argument.split(':');
        let (kind, first) = (words.next()?, words.next()?);
        let second = words.next().unwrap_or_default();
        Some(match kind {
            "requests" => Task::Requests(first.parse().ok()?),
            "pending" => Task::Pending(first.parse().ok()?, second.parse().ok()?),
            "overload" => Task::Overload(first.parse().ok()?),
            "replicas" => Task::Replicas(first.parse().ok()?),
            "threads" => Task::Threads(first.parse().ok()?, second.parse().ok()?),
            _ => return None,
        })
    }
}

/// What came out of a task.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// Requests that were sent; replicas of a study.
    pub done: f64,
    /// Seconds of the run alone.
    pub seconds: f64,
    /// Seconds on a processor, all threads.
    pub cpu_seconds: f64,
    /// The most memory that the process has had, in bytes; 0 where the system does not tell.
    pub peak_bytes: f64,
    /// Bytes that the results of a study keep.
    pub kept_bytes: f64,
    /// Events to come at a time, on average.
    pub pending: f64,
    /// Attempts that wait or are served at the end.
    pub in_flight: f64,
    /// What proves that two runs did the same.
    pub fingerprint: u64,
    /// What is wrong with it.
    pub wrong: Option<String>,
}

impl Point {
    /// Seconds on a processor for each request or replica.
    pub fn cpu_for_each(&self) -> f64 {
        self.cpu_seconds / self.done
    }
}

/// Does a task in this process.
pub fn measure(task: Task, smoke: bool) -> Point {
    let mean = |mean| if smoke { None } else { Some(mean) };
    let w3 = |patches: &[String], horizon: String| {
        rows::compile(&rows::model("models/benchmark/w3.yaml"), patches, Some(&horizon))
    };
    let mut point = match task {
        Task::Requests(requests) => {
            let horizon = format!("{:.0}ms", requests as f64 / RATE * 1e3);
            of_a_run(&w3(&[], horizon), mean(MEAN))
        }
        Task::Pending(instances, seconds) => {
            let plan = w3(&rows::scale(instances), format!("{:.0}ms", seconds * 1e3));
            of_a_run(&plan, mean(MEAN_SCALED_OUT))
        }
        Task::Overload(seconds) => {
            let rate = format!("clients.users.arrivals.poisson.rate={OVERLOAD}/s");
            of_a_run(&w3(&[rate], format!("{seconds}s")), None)
        }
        Task::Replicas(replicas) => of_a_study(SHORT_INCIDENT, replicas, 1, true),
        Task::Threads(replicas, threads) => of_a_study(INCIDENT, replicas, threads, false),
    };
    point.peak_bytes = clock::peak_rss().unwrap_or(0) as f64;
    point
}

/// Runs one replica; the mean latency proves that it was run rightly.
fn of_a_run(plan: &Plan, mean: Option<(f64, f64)>) -> Point {
    let (cpu, begin) = (clock::thread_seconds(), Instant::now());
    let outcome = sim::run(plan, 0);
    let seconds = begin.elapsed().as_secs_f64();
    let cpu_seconds = since(cpu, clock::thread_seconds(), seconds);
    let wrong = mean.and_then(|(right, off)| {
        let mean = mean_latency(&outcome);
        let is_right = (mean - right).abs() <= off;
        (!is_right).then(|| format!("the mean latency is {mean} s in place of {right} s"))
    });
    let is_whole = matches!(outcome.ending, Ending::Horizon);
    let of = |name: &str| {
        let index = plan.components.iter().position(|c| c.name == name);
        &outcome.components[index.expect("a component of W3")]
    };
    let (api, database) = (of("api"), of("database"));
    Point {
        done: outcome.clients.iter().map(|c| c.sent).sum::<u64>() as f64,
        seconds,
        cpu_seconds,
        // One for each worker at work, here or in the database; its worker is held meanwhile and
        // has no event of its own. One for the next arrival, one for the first of the time-outs.
        pending: api.mean_busy - database.mean_waiting + 2.0,
        in_flight: api.left_present as f64,
        fingerprint: outcome.fingerprint,
        wrong: wrong.or((!is_whole).then(|| "the run was stopped".to_owned())),
        ..Point::default()
    }
}

fn mean_latency(outcome: &Outcome) -> f64 {
    let mut all = Histogram::default();
    for client in &outcome.clients {
        client.latency.iter().flatten().flatten().for_each(|h| all.merge(h));
    }
    all.mean()
}

/// Runs a study of a model as it is, as the command `study` does. Counting bytes would make the
/// threads wait for each other.
fn of_a_study(path: &str, replicas: u64, threads: usize, counts_bytes: bool) -> Point {
    let checked = study(path);
    let options =
        Options { replicas: Some(replicas), threads: Some(threads), ..Options::default() };
    let (cpu, begin) = (clock::process_seconds(), Instant::now());
    let study = || run(&checked, &options, &|_, _| {});
    let (result, kept) = if counts_bytes { allocations::bytes_kept(study) } else { (study(), 0) };
    let seconds = begin.elapsed().as_secs_f64();
    Point {
        done: replicas as f64,
        seconds,
        cpu_seconds: since(cpu, clock::process_seconds(), seconds),
        kept_bytes: kept as f64,
        fingerprint: fingerprint(&result),
        ..Point::default()
    }
}

fn fingerprint(result: &StudyResult) -> u64 {
    let rows = result.variants.iter().flat_map(|variant| &variant.rows);
    rows.fold(0, |all, row| all.rotate_left(1) ^ row.fingerprint)
}

/// An experiment that only repeats its model.
fn study(path: &str) -> Checked {
    let path = rows::model(path).display().to_string();
    let quoted = serde_json::to_string(&path).expect("a text can be written");
    let text = format!("question: How long does it take?\nmodel: {quoted}\n");
    let mut sources = Sources::default();
    let mut read = |path: &str| std::fs::read_to_string(path).map_err(|error| error.to_string());
    check(&mut sources, "speed.yaml", &text, &mut read)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)))
}

/// Time on a processor; where the system does not tell it, `seconds` stands for it.
fn since(before: Option<f64>, after: Option<f64>, seconds: f64) -> f64 {
    let cpu = after.zip(before).map(|(after, before)| after - before);
    cpu.filter(|s| *s > 0.0).unwrap_or(seconds)
}
