//! Laws that hold in every run, on random small models.
//!
//! `OUTAGELAB_LAW_CASES=10000 cargo test --test engine laws` tries more of them. The models are the
//! same every time; the first cases of a long run are those of a short one.

mod books;
mod models;
mod plain;

use crate::common::{Run, run, run_plan, try_plan};
use models::{Genome, Kinds, genomes};
use outagelab::status::Status;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Tries a law on random models; on every `one_in`-th where it needs many runs of each.
fn on_models(one_in: u32, law: impl Fn(Genome) -> Result<(), TestCaseError>) {
    on(one_in, genomes(), law);
}

/// Tries a law on random values.
fn on<S: Strategy>(one_in: u32, some: S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = std::env::var("OUTAGELAB_LAW_CASES").ok().and_then(|n| n.parse().ok());
    let cases = cases.unwrap_or(100_u32) / one_in;
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    match runner.run(&some, law) {
        Ok(()) => {}
        // The text of the model is in the reason; its genes would only hide it.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(abort) => panic!("{abort}"),
    }
}

fn run_text(text: &str) -> Result<Run, TestCaseError> {
    try_plan(text, 1).map(run_plan).map_err(TestCaseError::fail)
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if holds { Ok(()) } else { Err(TestCaseError::fail(what())) }
}

/// What came in has gone out, or is still there.
fn flow_balance(run: &Run, text: &str) -> Result<(), TestCaseError> {
    for (plan, outcome) in run.plan.clients.iter().zip(&run.outcome.clients) {
        let over: u64 = outcome.ended.iter().sum();
        check(outcome.sent == over + outcome.open, || {
            format!(
                "{}: {} sent, {over} over, {} open\n{text}",
                plan.name, outcome.sent, outcome.open
            )
        })?;
        let buckets_rise = outcome.buckets.is_sorted_by_key(|b| (b.sent, b.over));
        check(buckets_rise, || format!("counters of {} fall\n{text}", plan.name))?;
    }
    for (plan, c) in run.plan.components.iter().zip(&run.outcome.components) {
        let answered: u64 = c.answers.iter().sum();
        let gone = answered + c.lost;
        // Probes are present without being requests; refusals that cost time are requests without
        // being present.
        let exact = plan.probe.is_none() && plan.cost_of_rejecting == 0;
        let holds = if exact {
            c.requests == gone + c.left_present
        } else {
            c.requests >= gone
                && (plan.cost_of_rejecting > 0 || c.requests <= gone + c.left_present)
        };
        check(holds, || {
            let name = &plan.name;
            format!(
                "{name}: {} requests, {answered} answers, {} lost, {} present\n{text}",
                c.requests, c.lost, c.left_present
            )
        })?;
        check(c.left_waiting <= c.left_present && c.left_busy <= c.left_present, || {
            let name = &plan.name;
            format!(
                "{name}: {} wait, {} busy of {}\n{text}",
                c.left_waiting, c.left_busy, c.left_present
            )
        })?;
    }
    Ok(())
}

/// An attempt is what reaches a door, and nothing is faster than its attempts.
fn attempts_and_times(run: &Run, text: &str) -> Result<(), TestCaseError> {
    check(run.outcome.end <= run.plan.horizon, || format!("beyond the horizon\n{text}"))?;
    for (client, outcome) in run.plan.clients.iter().zip(&run.outcome.clients) {
        let local = outcome.ended[Status::LocalReject as usize]
            + outcome.ended[Status::RateLimited as usize]
            + outcome.ended[Status::Degraded as usize];
        let over: u64 = outcome.ended.iter().sum();
        check(outcome.attempts + local >= over, || format!("{} attempts\n{text}", client.name))?;
    }
    for request in &run.log {
        check(request.latency <= request.now && request.now <= run.outcome.end, || {
            format!("a request that ends at {} after {}\n{text}", request.now, request.latency)
        })?;
        let deadline =
            run.plan.edges[run.plan.classes[request.class as usize].edge as usize].deadline;
        // A fallback's own time may run on behind the deadline.
        check(request.latency <= deadline.saturating_add(5_000_000), || {
            format!("{} ns in spite of a deadline of {deadline}\n{text}", request.latency)
        })?;
    }
    check(run.log.is_sorted_by_key(|r| r.now), || format!("time runs backwards\n{text}"))
}

#[test]
fn what_comes_in_goes_out_or_is_still_there_and_a_run_repeats_itself() {
    on_models(1, |genome| {
        let text = genome.text(Kinds::All, "", "");
        let run = run_text(&text)?;
        flow_balance(&run, &text)?;
        attempts_and_times(&run, &text)?;
        let again = run_text(&text)?;
        check(again.outcome.fingerprint == run.outcome.fingerprint, || {
            format!("another fingerprint\n{text}")
        })?;
        check(again.outcome.events == run.outcome.events, || format!("other events\n{text}"))
    });
}

#[test]
fn when_everybody_has_gone_nothing_is_held() {
    on_models(1, |genome| {
        let text = genome.text(Kinds::Passing, "", "");
        let run = run_text(&text)?;
        flow_balance(&run, &text)?;
        for (plan, c) in run.plan.components.iter().zip(&run.outcome.components) {
            let left = (c.left_present, c.left_waiting, c.left_busy, c.left_connections);
            // A probe may be there at the very end.
            let probed = plan.probe.is_some();
            check(left == (0, 0, 0, 0) || probed && left.0 <= u64::from(plan.instances), || {
                format!("{}: (present, waiting, busy, connections) = {left:?}\n{text}", plan.name)
            })?;
        }
        for (plan, client) in run.plan.clients.iter().zip(&run.outcome.clients) {
            let of_it =
                run.log.iter().filter(|r| run.plan.clients[r.client as usize].name == plan.name);
            let first = of_it.filter(|r| r.attempts > 0).count() as u64;
            check(client.attempts == client.attempts_sent, || {
                let (made, sent) = (client.attempts, client.attempts_sent);
                format!("{}: {made} attempts, {sent} sent\n{text}", plan.name)
            })?;
            check(client.attempts == first + client.retries + client.hedges, || {
                let (retries, hedges) = (client.retries, client.hedges);
                format!(
                    "{}: {} attempts are {first} + {retries} + {hedges}\n{text}",
                    plan.name, client.attempts
                )
            })?;
        }
        let open: u64 = run.outcome.clients.iter().map(|c| c.open).sum();
        check(open == 0, || format!("{open} requests open\n{text}"))
    });
}

#[test]
fn a_change_of_no_strength_changes_nothing() {
    on_models(4, |genome| {
        let before = run_text(&genome.text(Kinds::All, "", ""))?.outcome.fingerprint;
        for what in [
            "slow: {component: c0, by: 1x}",
            "errors: {component: c0, share: 0%}",
            "surge: {clients: u0, by: 1x}",
            "delay: {to: c0, by: 0s}",
            "fewer_workers: {component: c0, workers: 1000}",
        ] {
            let line = format!("  idle: {{what: {{{what}}}, at: 7123ms, lasts: 9s}}\n");
            let text = genome.text(Kinds::All, "", &line);
            let after = run_text(&text)?.outcome.fingerprint;
            check(before == after, || format!("{what} changed the run\n{text}"))?;
        }
        Ok(())
    });
}

#[test]
fn a_mitigation_that_never_acts_changes_nothing() {
    on_models(4, |genome| {
        let before = run_text(&genome.text(Kinds::All, "", ""))?.outcome.fingerprint;
        for layer in [
            "retry: {attempts: 1}",
            "retry_budget: {}",
            "retry_quota: {}",
            "hedge: {after: 1h, on: [cancelled]}",
            "bulkhead: {limit: 1000000}",
            "rate_limit: {token_bucket: {rate: 1000000/s, burst: 1000000}}",
            "circuit_breaker: {window: {count: 1000000}, minimum_calls: 1000000}",
            "fallback: {on: [cancelled]}",
            "random_early_drop: {levels: [{from: 0, chance: 0%}]}",
        ] {
            let text = genome.text(Kinds::All, layer, "");
            let after = run_text(&text)?.outcome.fingerprint;
            check(before == after, || format!("{layer} changed the run\n{text}"))?;
        }
        Ok(())
    });
}

#[test]
fn the_order_of_a_file_does_not_matter() {
    on_models(2, |genome| {
        let (text, other) = (genome.text(Kinds::All, "", ""), genome.reversed_text(Kinds::All));
        let (run, reversed) = (run_text(&text)?, run_text(&other)?);
        let prints = [&run, &reversed].map(|run| run.outcome.fingerprint);
        check(prints[0] == prints[1], || format!("the run differs\n{text}\n{other}"))?;
        for client in run.plan.clients.iter().map(|c| c.name.as_str()) {
            check(run.ends(client) == reversed.ends(client), || {
                format!("{client} fares differently\n{text}\n{other}")
            })?;
        }
        Ok(())
    });
}

#[test]
fn littles_law_holds_exactly_where_nothing_is_left() {
    // One station, nobody gives up: what a client waits for is what is present.
    let disciplines = ["fifo", "lifo", "random", "priority"];
    let sharing = ["processor", "one_at_a_time", "newest_first", "by_priority"];
    let cpus = sharing.iter().map(|s| format!("cpu: {{cores: 2, sharing: {s}}},"));
    let cpus: Vec<String> = cpus.chain([String::new(), "cpu: {cores: 1},".to_owned()]).collect();
    for (discipline, cpu) in disciplines.iter().flat_map(|d| cpus.iter().map(move |c| (d, c))) {
        let run = run(&format!(
            "
            horizon: 10min
            clients:
              c:
                calls: q
                arrivals: {{profile: {{points: [[0s, 5/s], [4min, 45/s], [4min, 0/s]]}}}}
            components:
              q:
                {{kind: server, instances: 2, workers: 3, {cpu} line: {{discipline: {discipline}}},
                 endpoints: {{request: [work: {{lognormal: {{mean: 120ms, cv: 2}}}}]}}}}"
        ));
        let q = run.component("q");
        assert_eq!((q.left_present, run.client("c").open), (0, 0));
        assert_eq!(run.log.len() as u64, q.requests);
        assert!(q.mean_waiting > 0.1, "a queue worth the name: {}", q.mean_waiting);
        let waited: u64 = run.log.iter().map(|r| r.latency).sum();
        let present = q.mean_present * run.outcome.end as f64;
        assert!((present - waited as f64).abs() < 1e-12 * present + 1.0, "{present} and {waited}");
    }
}
