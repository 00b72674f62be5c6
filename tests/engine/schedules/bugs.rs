//! Bugs, and middleware.

use crate::common::{ends_ms, run, s};
use outagelab::sim::story::What;
use outagelab::status::Status::{Ok, RateLimited, ServerError, Timeout};

#[test]
fn a_bug_strikes_only_above_its_rate_and_per_component_over_all_instances() {
    let model = |per: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [0s, 1s, 2s, 2500ms, 4s, 4s]}}, calls: api}}}}
            components:
              api:
                kind: server
                instances: 2
                workers: 9
                endpoints: {{request: [work: 10ms]}}
                bugs:
                  edge:
                    when: {{rate: {{above: 1/s, window: 2s, per: {per}}}}}
                    raises: {{error: server_error}}"
        ))
    };
    // More than 2 in the last 2 s, this one included: (0, 2] has 1 and 2; (0.5, 2.5] has 1, 2, 2.5;
    // (2, 4] has
    // 2.5 and 4, and then 2.5, 4 and 4.
    let expected =
        [(10, Ok), (1010, Ok), (2010, Ok), (2500, ServerError), (4000, ServerError), (4010, Ok)];
    assert_eq!(model("component").ends("c"), ends_ms(&expected));
    assert_eq!(model("instance").count("c", Ok), 6);
}

#[test]
fn an_exception_that_nobody_catches_holds_its_worker_until_the_process_is_replaced() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s, 20s]}, calls: api, timeout: 5s}}
        components:
          api:
            kind: server
            workers: 2
            endpoints: {request: [work: 1s]}
            bugs: {leak: {present: no, raises: {exception: {holds_worker: yes}}}}
            versions: {same: {}}
        changes:
          on: {what: {bug: api.leak}, at: 500ms, until: 10s}
          new: {what: {deploy: {component: api, version: same}}, at: 15s}");
    assert_eq!(
        run.ends("c"),
        ends_ms(&[(1000, Ok), (6000, Timeout), (7000, Timeout), (21000, Ok)])
    );
    assert_eq!(run.times(|w| matches!(w, What::AllWorkersHeld { .. })), [s(2)]);
    let api = run.component("api");
    assert_eq!((api.exceptions, api.left_present), (2, 0));
    // 0-1 the first; 1-15 and 2-15 those that hang; 20-21 the last.
    assert_eq!(run.busy_time("api"), s(1 + 14 + 13 + 1));
}

#[test]
fn an_exception_that_ends_the_request_frees_its_worker_and_keeps_its_memory() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            memory: {limit: 100MB, base: 10MB, at_limit: killed}
            endpoints: {request: [work: 1s]}
            bugs: {oops: {raises: {exception: {holds_worker: no, memory: 5MB}}}}");
    assert_eq!(run.ends("c"), ends_ms(&[(0, ServerError), (1000, ServerError)]));
    assert_eq!(run.component("api").final_memory, 20_000_000);
}

#[test]
fn a_bug_can_slow_delay_and_call_again() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints: {request: [work: 1s, call: db.query]}
            bugs:
              slow: {raises: {slow: 3x}}
              late: {raises: {delay: 500ms}}
              loop: {raises: {calls_again: {times: 2, pause: 100ms}}}
          db: {kind: database, connections: 1, endpoints: {query: [work: 1s]}}");
    // All three strike: 0.5 s late, 3 s of work, three calls of 1 s with two pauses.
    assert_eq!(run.ends("c"), ends_ms(&[(6700, Ok)]));
    assert_eq!(run.component("db").requests, 3);
    assert_eq!(run.outcome.strikes, [1, 1, 1]);
}

#[test]
fn a_long_loop_of_calls_that_fail_at_once_ends() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints: {request: [call: db.query]}
            bugs: {loop: {raises: {calls_again: {times: 100000, pause: 1ms}}}}
          db: {kind: database, connections: 1, endpoints: {query: [reply: ok]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(100_000, Ok)]));
    assert_eq!(run.component("db").requests, 100_001);
}

/// An API whose middleware raises an exception, with these words at the API.
fn with_middleware(host: &str, changes: &str) -> crate::common::Run {
    run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [0s, 1s, 10s]}}, calls: api, timeout: 5s}}}}
        components:
          api:
            kind: server
            workers: 9
            middleware: [limiter]
            endpoints: {{request: [work: 1s]}}
            {host}
          limiter:
            kind: middleware
            work: 100ms
            bugs: {{edge: {{raises: {{exception: {{holds_worker: yes}}}}}}}}
        {changes}"
    ))
}

#[test]
fn middleware_that_is_disabled_costs_and_breaks_nothing() {
    let run = with_middleware(
        "",
        "
        response:
          alerts:
            bad:
              signal: {count: api.requests}
              above: 0
              scrape: 500ms
              every: 500ms
              first_scrape: 0s
              first_evaluation: 0s
          responder:
            acknowledge: 0s
            hypotheses:
              bug: {suspect: limiter, cause: bug, suggested_by: [bad], check: 1s}
            actions: {off: {for: [bug], does: [disable: limiter], takes: 1s}}
            verify: 1min
            declare_over: {quiet: 1h}",
    );
    // Nothing else would free the two that hang.
    assert_eq!(run.ends("c"), ends_ms(&[(5000, Timeout), (6000, Timeout), (11000, Ok)]));
    assert_eq!(run.component("limiter").exceptions, 2);
    assert_eq!(run.component("api").exceptions, 2);
}

#[test]
fn a_host_that_fails_open_goes_on_without_its_middleware() {
    let run = with_middleware("layers: [fallback: {on: middleware, open: yes}]", "");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Ok), (2000, Ok), (11000, Ok)]));
    let run = with_middleware("layers: [fallback: {on: middleware, open: no}]", "");
    assert_eq!(run.count("c", ServerError), 3);
    let run = with_middleware("layers: [fallback: {on: middleware, answer: degraded}]", "");
    assert_eq!(run.count("c", outagelab::status::Status::Degraded), 3);
}

#[test]
fn middleware_works_on_its_hosts_worker_and_at_its_hosts_speed() {
    let model = |host: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [0s, 0s]}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: 2
                {host}
                middleware: [auth]
                endpoints: {{request: [work: 1s]}}
              auth: {{kind: middleware, work: 1s}}
            changes: {{slow: {{what: {{slow: {{component: api, by: 2x}}}}, at: 0s}}}}"
        ))
    };
    assert_eq!(model("").ends("c"), ends_ms(&[(4000, Ok), (4000, Ok)]));
    // On one core all the work there is takes 8 s.
    assert_eq!(model("cpu: {cores: 1}").ends("c"), ends_ms(&[(8000, Ok), (8000, Ok)]));
}

#[test]
fn m29_a_token_bucket_in_a_middleware_refuses_where_its_host_has_a_worker() {
    let run = run("
        clients:
          c: {arrivals: {at: [0ms, 0ms, 0ms, 0ms, 0ms, 0ms, 0ms, 50ms, 100ms]}, calls: api}
        components:
          api: {kind: server, workers: 99, middleware: [limiter], endpoints: {request: [work: 1s]}}
          limiter:
            kind: middleware
            layers: [rate_limit: {token_bucket: {rate: 10/s, burst: 5}}]");
    let refused: Vec<_> = run.ends("c").into_iter().filter(|e| e.1 == RateLimited).collect();
    assert_eq!(refused, ends_ms(&[(0, RateLimited), (0, RateLimited), (50, RateLimited)]));
}
