//! Queueing theory: cases T01a, T02a and T03a of the validation set, and insensitivity.
//!
//! A value is confirmed if the 99.9 % Student interval over independent replicas contains it. Seeds
//! are fixed, so that a test that has passed passes again; the intervals are narrow enough that an
//! error of a few per cent is seen (their half-widths are checked too).

use crate::common::plan_seeded;
use outagelab::sim::{Outcome, run};
use outagelab::status::Status;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Replicas of each case; the warm-up is a tenth of the horizon.
const REPLICAS: u64 = 30;

/// A station with these words in front of Poisson arrivals with this rate, for so many seconds.
fn outcomes(rate: f64, station: &str, work: &str, seconds: u32) -> Vec<Outcome> {
    let text = format!(
        "name: theory\nhorizon: {seconds}s\nwarm_up: {}s\n\
         clients: {{c: {{arrivals: {{poisson: {{rate: {rate}/s}}}}, calls: q}}}}\n\
         components:\n  q: {{kind: server, {station}, \
         endpoints: {{request: [work: {{{work}}}]}}}}\n",
        seconds / 10
    );
    let plan = plan_seeded(&text, 20_240_710);
    (0..REPLICAS).map(|replica| run(&plan, replica)).collect()
}

/// Checks that the mean over the replicas is `value` within its 99.9 % interval, which is at most
/// `half_width` x value wide on each side.
fn confirm(what: &str, value: f64, half_width: f64, outcomes: &[Outcome], of: fn(&Outcome) -> f64) {
    let sample: Vec<f64> = outcomes.iter().map(of).collect();
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("enough replicas");
    let half = student.inverse_cdf(0.9995) * (variance / n).sqrt();
    assert!((mean - value).abs() <= half, "{what}: {mean} +- {half}, theory says {value}");
    assert!(half <= half_width * value, "{what}: {mean} +- {half} is too wide to mean anything");
}

fn present(o: &Outcome) -> f64 {
    o.components[0].mean_present
}

fn waiting(o: &Outcome) -> f64 {
    o.components[0].mean_waiting
}

fn busy(o: &Outcome) -> f64 {
    o.components[0].mean_busy
}

/// Mean latency in seconds of the good answers after the warm-up.
fn latency(o: &Outcome) -> f64 {
    let buckets = o.clients[0].latency.iter().flatten().flatten();
    let (sum, count) = buckets.fold((0u128, 0u64), |(s, n), h| (s + h.sum(), n + h.count()));
    sum as f64 / count as f64 / 1e9
}

fn blocked(o: &Outcome) -> f64 {
    let ended = &o.clients[0].ended;
    ended[Status::Unavailable as usize] as f64 / ended.iter().sum::<u64>() as f64
}

fn throughput(o: &Outcome) -> f64 {
    let measured = o.end as f64 / 1e9 * 0.9;
    o.clients[0].ended[Status::Ok as usize] as f64 / measured
}

#[test]
fn t01a_mm1_at_80_percent() {
    let outcomes = outcomes(0.8, "workers: 1", "exponential: {mean: 1s}", 100_000);
    confirm("utilization", 0.8, 0.01, &outcomes, busy);
    confirm("L", 4.0, 0.05, &outcomes, present);
    confirm("Lq", 3.2, 0.06, &outcomes, waiting);
    confirm("W", 5.0, 0.05, &outcomes, latency);
}

#[test]
fn t02a_mm2_at_75_percent() {
    let outcomes = outcomes(1.5, "workers: 2", "exponential: {mean: 1s}", 60_000);
    confirm("utilization", 2.0 * 0.75, 0.01, &outcomes, busy);
    confirm("L", 3.428_571_428_571, 0.04, &outcomes, present);
    confirm("Lq", 1.928_571_428_571, 0.06, &outcomes, waiting);
    confirm("W", 2.285_714_285_714, 0.04, &outcomes, latency);
}

/// M/G/10/10 with 8 Erlang: whatever the law of the work, the same share is blocked (Erlang's loss
/// formula).
fn erlang_loss(work: &str) {
    let station = "workers: 10, line: {capacity: 0}";
    let outcomes = outcomes(8.0, station, work, 10_000);
    confirm("P(blocked)", 0.121_661_064_253, 0.03, &outcomes, blocked);
    confirm("throughput", 7.026_711_485_976, 0.01, &outcomes, throughput);
    confirm("L", 7.026_711_485_976, 0.01, &outcomes, present);
    confirm("W of those accepted", 1.0, 0.01, &outcomes, latency_or_fixed);
    assert!(outcomes.iter().all(|o| waiting(o) == 0.0));
}

/// A constant time of work has no spread; a hair of it keeps the interval from being a point.
fn latency_or_fixed(o: &Outcome) -> f64 {
    latency(o) + (o.replica as f64 - (REPLICAS - 1) as f64 / 2.0) * 1e-6
}

#[test]
fn t03a_erlang_loss_with_exponential_work() {
    erlang_loss("exponential: {mean: 1s}");
}

#[test]
fn t03a_erlang_loss_is_insensitive_to_the_law_of_the_work() {
    erlang_loss("fixed: 1s");
    erlang_loss("lognormal: {mean: 1s, cv: 2}");
}

#[test]
fn md1_waits_half_as_long_as_mm1() {
    // Pollaczek and Khinchine: Wq = rho (1 + cv^2) / 2 / (1 - rho) x S.
    let outcomes = outcomes(0.7, "workers: 1", "fixed: 1s", 60_000);
    confirm("Lq of M/D/1", 0.7 * 0.7 / 2.0 / 0.3, 0.05, &outcomes, waiting);
    confirm("W of M/D/1", 1.0 + 0.7 / 2.0 / 0.3, 0.03, &outcomes, latency);
}

#[test]
fn mg1_with_very_uneven_work_waits_as_pollaczek_and_khinchine_say() {
    let outcomes = outcomes(0.5, "workers: 1", "lognormal: {mean: 1s, cv: 2}", 100_000);
    confirm("Wq of M/G/1", 1.0 + 0.5 * 5.0 / 2.0 / 0.5, 0.06, &outcomes, latency);
}

#[test]
fn processor_sharing_has_the_mean_of_mm1_whatever_the_law_of_the_work() {
    for work in ["exponential: {mean: 1s}", "fixed: 1s", "lognormal: {mean: 1s, cv: 2}"] {
        let station = "workers: unlimited, cpu: {cores: 1}";
        let outcomes = outcomes(0.7, station, work, 30_000);
        confirm(&format!("W of M/G/1-PS, {work}"), 1.0 / 0.3, 0.06, &outcomes, latency);
        confirm(&format!("L of M/G/1-PS, {work}"), 0.7 / 0.3, 0.06, &outcomes, present);
    }
}

#[test]
fn a_closed_population_keeps_its_server_as_busy_as_the_machine_repair_model_says() {
    // M/M/1//4: four users think 4 s in the mean, one server works 1 s. p0 = 1 / sum 4!/(4-n)!
    // (1/4)^n.
    let p0 = 1.0 / (1.0 + 1.0 + 0.75 + 0.375 + 0.093_75);
    let text = "name: closed\nhorizon: 30000s\nwarm_up: 1000s\n\
        clients: {c: {calls: q, arrivals: \
        {closed: {population: 4, thinking: {exponential: {mean: 4s}}}}}}\n\
        components:\n  q: {kind: server, workers: 1, \
        endpoints: {request: [work: {exponential: {mean: 1s}}]}}\n";
    let plan = plan_seeded(text, 7);
    let outcomes: Vec<Outcome> = (0..REPLICAS).map(|replica| run(&plan, replica)).collect();
    confirm("busy", 1.0 - p0, 0.01, &outcomes, busy);
    // Little over the whole loop: X (W + Z) = N.
    confirm("W", 4.0 / (1.0 - p0) - 4.0, 0.02, &outcomes, latency);
}
