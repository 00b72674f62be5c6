//! The caller's side: time-outs, retries, deadlines, links.

use crate::common::{ends_ms, ms, run, s};
use outagelab::status::Status::{
    Cancelled, DeadlineExceeded, GatewayTimeout, LocalReject, Ok, ServerError, Timeout, Unavailable,
};

#[test]
fn work_goes_on_for_nobody_after_a_time_out() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 500ms]}, calls: api, timeout: 1s}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 3s]}}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Timeout), (1500, Timeout)]));
    assert_eq!(run.busy_time("api"), s(6));
    assert_eq!(run.answers("api", Ok), 2);
}

#[test]
fn a_client_that_cancels_frees_the_worker_and_the_place_in_the_line() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 500ms, 1s]}, calls: api, timeout: 1s, cancels: yes}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 900ms]}}}");
    // 0 - 0.9; then 0.9 - 1.8 is cut off at 1.5; the third runs 1.5 - 2.4 and is cut off at 2.
    assert_eq!(run.ends("c"), ends_ms(&[(900, Ok), (1500, Timeout), (2000, Timeout)]));
    assert_eq!(run.busy_time("api"), ms(900 + 600 + 500));
    assert_eq!(run.answers("api", Cancelled), 2);
    assert_eq!(run.component("api").left_present, 0);
}

#[test]
fn a_cancellation_reaches_what_the_callee_has_called() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api, timeout: 1s, cancels: yes}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints: {request: [call: {to: db.query, cancels: yes}]}
          db: {kind: database, connections: 1, endpoints: {query: [work: 5s]}}");
    assert_eq!(run.busy_time("api"), s(1));
    assert_eq!(run.busy_time("db"), s(1));
    assert_eq!(run.answers("db", Cancelled), 1);
}

#[test]
fn an_answer_at_the_very_moment_of_the_time_out_counts() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api, timeout: 1s}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 1s]}}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Ok)]));
}

#[test]
fn a_retry_waits_its_pause_and_attempts_count_the_first_one_too() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            timeout: 1s
            layers: [retry: {attempts: 3, backoff: {constant: 500ms}}]
        components: {api: {kind: server, workers: 3, endpoints: {request: [work: 5s]}}}");
    // Attempts at 0, 1.5 and 3 s; the last one is given up at 4 s.
    assert_eq!(run.ends("c"), ends_ms(&[(4000, Timeout)]));
    assert_eq!(run.client("c").attempts, 3);
    assert_eq!(run.component("api").requests, 3);
}

#[test]
fn exponential_backoff_doubles_up_to_its_cap() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            layers:
              - retry:
                  attempts: 5
                  backoff: {exponential: {base: 100ms, factor: 2x, cap: 300ms, jitter: none}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: unavailable]}}}");
    // Pauses of 100, 200, 300 and 300 ms.
    assert_eq!(run.ends("c"), ends_ms(&[(900, Unavailable)]));
}

#[test]
fn a_deadline_ends_the_call_and_no_attempt_begins_that_it_would_cut_off() {
    let model = |deadline: &str| {
        run(&format!(
            "
            clients:
              c:
                arrivals: {{at: [0s]}}
                calls: api
                timeout: 1s
                deadline: {deadline}
                layers: [retry: {{attempts: 9, backoff: {{constant: 500ms}}}}]
            components: {{api: {{kind: server, workers: 9, endpoints: {{request: [work: 5s]}}}}}}"
        ))
    };
    // Attempts at 0 and 1.5 s; the deadline strikes in the middle of the second.
    let run = model("2s");
    assert_eq!(run.ends("c"), ends_ms(&[(2000, DeadlineExceeded)]));
    assert_eq!(run.client("c").attempts, 2);
    // The next attempt would begin at 3 s, at the deadline: the last failure is delivered at once.
    let run = model("3s");
    assert_eq!(run.ends("c"), ends_ms(&[(2500, Timeout)]));
}

#[test]
fn m26_without_propagation_the_callee_works_950_ms_for_nobody() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: a, deadline: 1s}}
        components:
          a:
            kind: server
            workers: 1
            while_calling: hold
            endpoints: {request: [work: 100ms, call: b.request]}
          b: {kind: server, workers: 1, endpoints: {request: [work: 950ms]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, DeadlineExceeded)]));
    assert_eq!(run.busy_time("b"), ms(950));
    assert_eq!(run.busy_time("a"), ms(1050));
    assert_eq!(run.answers("a", Ok), 1);
}

#[test]
fn a_late_answer_is_used_while_the_request_is_still_open() {
    let model = |late: &str| {
        run(&format!(
            "
            clients:
              c:
                arrivals: {{at: [0s]}}
                calls: api
                timeout: 1s
                late_answers: {late}
                layers: [retry: {{attempts: 2, backoff: {{constant: 400ms}}}}]
            components:
              api: {{kind: server, workers: 1, endpoints: {{request: [work: 1200ms]}}}}"
        ))
    };
    // The first attempt is answered at 1.2 s, in the pause between the two.
    assert_eq!(model("used").ends("c"), ends_ms(&[(1200, Ok)]));
    // The second runs 1.4 - 2.6 and is given up at 2.4.
    assert_eq!(model("ignored").ends("c"), ends_ms(&[(2400, Timeout)]));
}

#[test]
fn a_late_answer_that_is_used_gives_back_the_place_in_a_bulkhead() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s, 10s]}
            calls: api
            timeout: 1s
            late_answers: used
            layers:
              - retry: {attempts: 2, backoff: none}
              - bulkhead: {limit: 1}
        components: {api: {kind: server, workers: 2, endpoints: {request: [work: 1500ms]}}}");
    // The first attempt's answer comes while the second one is out, which holds the place.
    assert_eq!(run.ends("c"), ends_ms(&[(1500, Ok), (11500, Ok)]));
    assert_eq!(run.count("c", LocalReject), 0);
}

#[test]
fn a_proxy_answers_504_for_a_backend_that_is_too_slow() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: lb}}
        components:
          lb: {kind: balancer, backends: api, passing: {timeout: 1s}}
          api: {kind: server, workers: 1, endpoints: {request: [work: 3s]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, GatewayTimeout)]));
    assert_eq!(run.component("lb").timeouts, 1);
}

#[test]
fn the_network_takes_its_time_both_ways() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api, network: 20ms}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 100ms]}}}");
    assert_eq!(run.ends("c"), ends_ms(&[(140, Ok)]));
    assert_eq!(run.busy_time("api"), ms(100));
}

#[test]
fn a_cut_link_is_silent_and_only_the_time_out_ends_the_wait() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 5s, 10s]}, calls: api, timeout: 2s}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 1s]}}}
        changes: {gone: {what: {cut: {from: c, to: api}}, at: 4s, until: 8s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Ok), (7000, Timeout), (11000, Ok)]));
    assert_eq!(run.component("api").requests, 2);
}

#[test]
fn an_answer_does_not_pass_a_link_that_was_cut_meanwhile() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api, timeout: 9s}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 3s]}}}
        changes: {gone: {what: {cut: {to: api}}, at: 1s, until: 8s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(9000, Timeout)]));
}

#[test]
fn a_slow_link_adds_its_delay_to_each_way() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 10s]}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 1s]}}}
        changes: {far: {what: {delay: {to: api, by: 250ms}}, at: 5s, lasts: 60s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Ok), (11500, Ok)]));
}

#[test]
fn a_user_sticks_to_one_instance_and_others_take_turns() {
    let model = |pick: &str| {
        run(&format!(
            "
            clients:
              c:
                users: 1
                visits: {{at: [0s]}}
                visit: {{requests: 40, thinking: 1s}}
                calls: api
            components:
              api:
                kind: server
                instances: 4
                workers: 1
                pick: {pick}
                endpoints: {{request: [work: 100ms]}}
            changes: {{down: {{what: {{crash: {{component: api, instances: 1}}}}, at: 0s}}}}"
        ))
    };
    // The first instance is down: all requests of the one user meet it, or none; a quarter by
    // turns.
    let failed = 40 - model("sticky_by_user").count("c", Ok);
    assert!(failed == 0 || failed == 40, "{failed} of 40");
    assert_eq!(model("round_robin").count("c", Ok), 30);
}

#[test]
fn a_failed_call_ends_its_caller_unless_it_says_go_on() {
    let model = |on_failure: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [0s]}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: 1
                while_calling: hold
                endpoints:
                  request:
                    - call: {{to: db.query, on_failure: {on_failure}}}
                    - work: 1s
              db: {{kind: database, connections: 1, endpoints: {{query: [reply: server_error]}}}}"
        ))
    };
    assert_eq!(model("fail").ends("c"), [(0, ServerError)]);
    let degraded = outagelab::status::Status::Degraded;
    assert_eq!(model("go_on").ends("c"), [(s(1), degraded)]);
}

#[test]
fn very_many_retries_without_a_pause_end() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            layers: [retry: {attempts: 60000, backoff: none}]
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: unavailable]}}}");
    assert_eq!(run.ends("c"), [(0, Unavailable)]);
    assert_eq!(run.client("c").attempts, 60000);
}
