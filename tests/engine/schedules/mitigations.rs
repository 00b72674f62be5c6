//! Layers in the engine: at doors and around calls.

use crate::common::{Run, ends_ms, run, s};
use outagelab::sim::story::What;
use outagelab::status::Status::{
    Degraded, LocalReject, Ok, RateLimited, ServerError, Timeout, Unavailable,
};

#[test]
fn m29_a_token_bucket_at_a_door() {
    let times: Vec<String> = [vec![0; 7], vec![50, 100, 150, 200], vec![1000; 6]]
        .concat()
        .iter()
        .map(|t| format!("{t}ms"))
        .collect();
    let run = run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [{}]}}, calls: api}}}}
        components:
          api:
            kind: server
            workers: 99
            layers: [rate_limit: {{token_bucket: {{rate: 10/s, burst: 5}}}}]
            endpoints: {{request: [reply: ok]}}",
        times.join(", ")
    ));
    let (p, r) = (Ok, RateLimited);
    let words: Vec<_> = run.ends("c").into_iter().map(|e| e.1).collect();
    // 5P 2R; R P R P; 5P 1R.
    assert_eq!(words, [p, p, p, p, p, r, r, r, p, r, p, p, p, p, p, p, r]);
}

#[test]
fn m10_five_of_eight_pass_a_bulkhead_of_five() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 1s]}
            calls: api
            layers: [bulkhead: {limit: 5}]
        components: {api: {kind: server, workers: 99, endpoints: {request: [work: 1s]}}}");
    let mut expected = vec![(0, LocalReject); 3];
    expected.extend([(1000, Ok); 5]);
    // A place given back is taken at the same moment.
    expected.push((2000, Ok));
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn m27_thirty_arrivals_at_a_bulkhead_of_25_that_waits() {
    let model = |line: &str| {
        let at = ["0s"; 30].join(", ");
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [{at}]}}, calls: api}}}}
            components:
              api: {{kind: server, workers: 25, line: {line}, endpoints: {{request: [work: 1s]}}}}"
        ))
    };
    let refused = |run: &Run| -> Vec<u64> {
        run.ends("c").iter().filter(|e| e.1 == Unavailable).map(|e| e.0 / 1_000_000).collect()
    };
    assert_eq!(refused(&model("{capacity: 0}")), [0; 5]);
    assert_eq!(refused(&model("{wait: 500ms}")), [500; 5]);
    let patient = model("{wait: 1500ms}");
    assert_eq!(refused(&patient), [0; 0]);
    assert_eq!(patient.ends("c")[25..], [(s(2), Ok); 5]);
}

/// Requests at these seconds through a breaker to a callee that fails until 50 s.
fn breaker(at: &[&str], words: &str) -> Run {
    run(&format!(
        "
        clients:
          c:
            arrivals: {{at: [{}]}}
            calls: api
            layers: [circuit_breaker: {{{words}}}]
        components: {{api: {{kind: server, workers: 9, endpoints: {{request: [reply: ok]}}}}}}
        changes:
          bad: {{what: {{errors: {{component: api, share: 100%}}}}, at: 0s, until: 50s}}",
        at.join(", ")
    ))
}

#[test]
fn m01_a_breaker_opens_at_the_fifth_failure_and_m04_lets_one_through_strictly_after_its_wait() {
    let at = ["1s", "2s", "3s", "4s", "5s", "6s", "65s", "65001ms", "65001ms", "65002ms", "66s"];
    let words = "window: {count: 10}, minimum_calls: 5, failure_rate: 50%, open_for: 60s, \
                 half_open_calls: 1";
    let run = breaker(&at, words);
    let ends: Vec<_> = run.ends("c").into_iter().map(|e| e.1).collect();
    let (f, r) = (ServerError, LocalReject);
    assert_eq!(ends, [f, f, f, f, f, r, r, Ok, Ok, Ok, Ok]);
    assert_eq!(run.component("api").requests, 9, "what is refused touches no network");
    assert_eq!(run.times(|w| matches!(w, What::Breaker { open: true, .. })), [s(5)]);
}

#[test]
fn m02_a_breaker_may_open_at_a_success() {
    let at = ["46s", "47s", "48s", "49s", "49s", "51s", "52s", "53s", "54s", "55s", "56s"];
    let run = breaker(&at, "window: {count: 10}, minimum_calls: 10, failure_rate: 50%");
    assert_eq!(run.times(|w| matches!(w, What::Breaker { open: true, .. })), [s(55)]);
    assert_eq!(run.ends("c")[10].1, LocalReject);
}

#[test]
fn a_breaker_inside_a_retry_sees_attempts_and_one_outside_sees_calls() {
    let model = |layers: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [1s]}}, calls: api, layers: [{layers}]}}}}
            components:
              api: {{kind: server, workers: 9, endpoints: {{request: [reply: server_error]}}}}"
        ))
    };
    let retry = "retry: {attempts: 5, backoff: {constant: 1s}}";
    let breaker = "circuit_breaker: {window: {count: 2}, minimum_calls: 2}";
    // Inside, the second failure opens it, and its own refusal is not retried.
    let inside = model(&format!("{retry}, {breaker}"));
    assert_eq!((inside.component("api").requests, inside.ends("c")[0]), (2, (s(3), LocalReject)));
    let outside = model(&format!("{breaker}, {retry}"));
    assert_eq!((outside.component("api").requests, outside.ends("c")[0]), (5, (s(5), ServerError)));
}

#[test]
fn a_retry_budget_that_is_spent_delivers_the_failure_itself() {
    let run = run(
        "
        clients:
          c:
            arrivals: {at: [0s, 10s, 20s, 30s, 40s]}
            calls: api
            layers:
              - retry: {attempts: 2, backoff: {constant: 1s}}
              - retry_budget: {max_tokens: 10, token_ratio: 10%}
        components: {api: {kind: server, workers: 9, endpoints: {request: [reply: server_error]}}}",
    );
    // Tokens after each attempt: 9 8 | 7 6 | 5, and no retry from then on.
    assert_eq!(run.component("api").requests, 2 + 2 + 1 + 1 + 1);
    assert_eq!(run.count("c", ServerError), 5);
}

#[test]
fn a_fallback_answers_for_what_it_covers_and_after_what_it_takes() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            timeout: 1s
            layers: [fallback: {on: [timeout], answer: degraded, takes: 200ms}]
          d:
            arrivals: {at: [0s]}
            calls: api
            timeout: 1s
            layers: [fallback: {on: [unavailable], answer: degraded}]
        components: {api: {kind: server, workers: 9, endpoints: {request: [work: 5s]}}}");
    assert_eq!(run.ends("d"), ends_ms(&[(1000, Timeout)]));
    assert_eq!(run.ends("c"), ends_ms(&[(1200, Degraded)]));
}

#[test]
fn each_calling_instance_has_a_breaker_of_its_own() {
    let run = run("
        clients: {c: {arrivals: {constant: {rate: 1/s}}, calls: api}}
        horizon: 20500ms
        components:
          api:
            kind: server
            instances: 2
            workers: 9
            while_calling: hold
            endpoints:
              request:
                - call:
                    to: db.query
                    layers: [circuit_breaker: {window: {count: 5}, minimum_calls: 5}]
          db: {kind: database, connections: 9, endpoints: {query: [reply: server_error]}}");
    // Five failures through each of the two.
    assert_eq!(run.component("db").requests, 10);
    assert_eq!(run.times(|w| matches!(w, What::Breaker { open: true, .. })), [s(9), s(10)]);
}
