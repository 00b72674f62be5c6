//! Arrivals: bursts, populations that begin at once, rates that swing.

use crate::common::{ends_ms, run};
use outagelab::status::Status::Ok;

/// One worker that takes a second for each request.
const ONE: &str = "
        components:
          api: {kind: server, workers: 1, endpoints: {request: [work: 1s]}}";

#[test]
fn a_burst_comes_at_one_moment() {
    let burst = run(&format!(
        "
        clients: {{c: {{arrivals: {{burst: {{requests: 3, at: 5s}}}}, calls: api}}}}{ONE}"
    ));
    assert_eq!(burst.ends("c"), ends_ms(&[(6000, Ok), (7000, Ok), (8000, Ok)]));
    let first = run(&format!(
        "
        clients: {{c: {{arrivals: {{burst: {{requests: 1}}}}, calls: api}}}}{ONE}"
    ));
    assert_eq!(first.ends("c"), ends_ms(&[(1000, Ok)]));
}

#[test]
fn a_closed_population_thinks_first_or_sends_at_once() {
    let closed = |begin: &str| {
        run(&format!(
            "
        horizon: 18s
        clients:
          c: {{arrivals: {{closed: {{population: 2, thinking: 10s{begin}}}}}, calls: api}}{ONE}"
        ))
    };
    assert_eq!(closed("").ends("c"), ends_ms(&[(11000, Ok), (12000, Ok)]));
    let at_once = ends_ms(&[(1000, Ok), (2000, Ok), (12000, Ok), (13000, Ok)]);
    assert_eq!(closed(", begin: at_once").ends("c"), at_once);
}

#[test]
fn a_rate_that_swings_sends_what_its_integral_says() {
    // 24 s from peak to peak: the integral over the first half is 10 x 12 + 5 x 24 / pi = 158.2,
    // over the second one 81.8.
    let run = run("
        horizon: 9600s
        clients:
          c: {arrivals: {sinusoid: {mean: 10/s, amplitude: 5/s, period: 24s}}, calls: api}
        components:
          api: {kind: server, workers: unlimited, endpoints: {request: [reply: ok]}}");
    let second = 1_000_000_000;
    let rising = run.log.iter().filter(|r| r.now / second % 24 < 12).count() as f64;
    let share = rising / run.log.len() as f64;
    let error = (0.659 * 0.341 / run.log.len() as f64).sqrt();
    assert!((share - 158.197 / 240.0).abs() < 4.0 * error, "{share} +- {error}");
    assert!((run.client("c").sent as f64 - 96_000.0).abs() < 4.0 * 96_000_f64.sqrt());
}
