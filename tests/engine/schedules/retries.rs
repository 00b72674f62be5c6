//! Who tries again, and when.

use crate::common::{ends_ms, run, s};
use outagelab::status::Status::{Ok, ServerError, Timeout, Unavailable};

#[test]
fn unlimited_attempts_go_on_until_it_works() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            network: 10ms
            layers:
              - retry:
                  attempts: unlimited
                  backoff: {exponential: {base: 100ms, factor: 2x, cap: 2s, jitter: none}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: ok]}}}
        changes: {down: {what: {errors: {component: api, share: 100%}}, at: 0s, until: 10010ms}}");
    // Attempts begin at 0, 0.12, 0.34, 0.76, 1.58, 3.2, 5.22, 7.24, 9.26 and 11.28 s.
    assert_eq!(run.client("c").attempts, 10);
    assert_eq!(run.ends("c"), ends_ms(&[(11_300, Ok)]));
}

#[test]
fn a_retry_for_time_outs_only_leaves_refusals_alone_and_the_other_way_round() {
    let model = |on: &str| {
        run(&format!(
            "
            clients:
              c:
                arrivals: {{at: [0s, 1ms, 2ms]}}
                calls: api
                timeout: 1s
                layers: [retry: {{attempts: 2, backoff: {{constant: 3s}}, on: [{on}]}}]
            components:
              api:
                kind: server
                workers: 1
                line: {{capacity: 1}}
                endpoints: {{request: [work: 10s]}}"
        ))
    };
    // The third finds the line full at once; the first two time out.
    let slow = model("timeout");
    assert_eq!(slow.ends("c")[0], (2_000_000, Unavailable));
    assert_eq!(slow.client("c").attempts, 1 + 2 + 2);
    let refused = model("unavailable");
    assert_eq!(refused.ends("c")[..2], [(s(1), Timeout), (s(1) + 1_000_000, Timeout)]);
    assert_eq!(refused.client("c").attempts, 1 + 1 + 2);
}

#[test]
fn half_of_those_who_fail_once_more_give_up() {
    let run = run(
        "
        horizon: 30min
        clients:
          c:
            arrivals: {constant: {rate: 10/s}}
            calls: api
            layers:
              - retry:
                  attempts: unlimited
                  chance: 50%
                  backoff: {drawn: {exponential: {mean: 100ms}}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: server_error]}}}",
    );
    let client = run.client("c");
    let over = client.ended[ServerError as usize];
    // Attempts are geometric with mean 2 and variance 2; five standard deviations of 18 000.
    let mean = client.attempts as f64 / over as f64;
    assert!((mean - 2.0).abs() < 0.053, "{mean}");
    // Each further attempt comes after a pause of 100 ms in the mean.
    let waited: u64 = run.log.iter().map(|r| r.latency).sum();
    let pause = waited as f64 / (client.attempts - over) as f64 / 1e6;
    assert!((pause - 100.0).abs() < 3.8, "{pause}");
}

#[test]
fn what_a_full_line_drops_is_waited_for_until_the_time_out() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s, 0s, 0s]}
            calls: api
            timeout: 3s
            layers: [retry: {attempts: 2, backoff: none}]
        components:
          api:
            kind: server
            workers: 1
            line: {capacity: 1, when_full: drop}
            endpoints: {request: [work: 1500ms]}");
    // The third one is dropped, times out at 3 s and is served then.
    assert_eq!(run.ends("c"), ends_ms(&[(1500, Ok), (3000, Ok), (4500, Ok)]));
    let api = run.component("api");
    assert_eq!((api.requests, api.lost, api.answers.iter().sum::<u64>()), (4, 1, 3));
}
