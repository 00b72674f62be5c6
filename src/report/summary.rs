//! One replica in numbers: what clients saw and what components went through.

use crate::histogram::Histogram;
use crate::measure::{View, measures};
use crate::plan::{ClientPlan, ComponentPlan, Plan};
use crate::sim::Outcome;
use crate::sim::outcome::{ClientOutcome, ComponentOutcome};
use crate::status::Status;
use serde::Serialize;

/// One replica in numbers, for the whole run (after the warm-up).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What each client saw.
    pub clients: Vec<ClientSummary>,
    /// What each component went through.
    pub components: Vec<ComponentSummary>,
    /// All measures that apply to the run, as studies define them.
    pub measures: Vec<MeasureSummary>,
}

/// A measure of the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasureSummary {
    /// Its name.
    pub name: String,
    /// Its unit; `1` for a share.
    pub unit: &'static str,
    /// Its value; not finite for what never happened.
    pub value: f64,
}

/// What a client saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientSummary {
    /// Its name.
    pub name: String,
    /// Requests that are over.
    pub requests: u64,
    /// Requests that were still under way at the end.
    pub under_way: u64,
    /// Share of the requests over that failed or were slow; none without requests.
    pub lost_share: Option<f64>,
    /// Attempts for each request over; none without requests.
    pub attempts_per_request: Option<f64>,
    /// Median latency of good answers, in seconds.
    pub p50_seconds: Option<f64>,
    /// 99th percentile of the latency of good answers, in seconds.
    pub p99_seconds: Option<f64>,
}

/// What a component went through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentSummary {
    /// Its name.
    pub name: String,
    /// Requests that came.
    pub requests: u64,
    /// Share of its answers that were not good; none without answers.
    pub errors_share: Option<f64>,
    /// The longest line of one instance.
    pub peak_line: u32,
    /// Most memory in use by one instance, in bytes; none where memory is not modelled.
    pub peak_memory: Option<u64>,
    /// The memory limit of an instance, in bytes.
    pub memory_limit: Option<u64>,
    /// Mean share of the workers in use; none where workers are unlimited.
    pub utilisation: Option<f64>,
    /// Deaths of processes.
    pub deaths: u64,
    /// Exceptions.
    pub exceptions: u64,
}

/// The numbers of a replica.
#[must_use]
pub fn summary(plan: &Plan, outcome: &Outcome) -> Summary {
    let clients = plan.clients.iter().zip(&outcome.clients);
    let components = plan.components.iter().zip(&outcome.components);
    let view = View::new(plan, outcome);
    let measures = measures(plan).into_iter().filter_map(|measure| {
        let value = measure.of(&view)?;
        Some(MeasureSummary { name: measure.name, unit: measure.unit, value })
    });
    Summary {
        clients: clients.map(|(plan, seen)| client(plan, seen)).collect(),
        components: components.map(|(plan, seen)| component(plan, seen)).collect(),
        measures: measures.collect(),
    }
}

fn client(plan: &ClientPlan, seen: &ClientOutcome) -> ClientSummary {
    let over: u64 = seen.ended.iter().sum();
    let good = good(&seen.ended);
    let mut latency = Histogram::new();
    for histogram in seen.latency.iter().flatten().flatten() {
        latency.merge(histogram);
    }
    let quantile = |q| (latency.count() > 0).then(|| latency.quantile(q));
    ClientSummary {
        name: plan.name.clone(),
        requests: over,
        under_way: seen.open,
        lost_share: share(over.saturating_sub(good.saturating_sub(seen.slow)), over),
        attempts_per_request: share(seen.attempts, over),
        p50_seconds: quantile(0.5),
        p99_seconds: quantile(0.99),
    }
}

fn component(plan: &ComponentPlan, seen: &ComponentOutcome) -> ComponentSummary {
    let answers: u64 = seen.answers.iter().sum();
    let workers = u64::from(plan.workers) * u64::from(plan.instances);
    let is_limited = plan.workers != u32::MAX && workers > 0;
    ComponentSummary {
        name: plan.name.clone(),
        requests: seen.requests,
        errors_share: share(answers - good(&seen.answers), answers),
        peak_line: seen.peak_line,
        peak_memory: plan.memory.map(|_| seen.peak_memory),
        memory_limit: plan.memory.map(|memory| memory.limit),
        utilisation: is_limited.then(|| seen.mean_busy / workers as f64),
        deaths: seen.deaths,
        exceptions: seen.exceptions,
    }
}

fn good(by_status: &[u64; Status::ALL.len()]) -> u64 {
    Status::ALL.iter().zip(by_status).filter(|(s, _)| s.is_good()).map(|(_, n)| n).sum()
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
