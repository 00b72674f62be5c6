//! Steps of endpoints: parallel, choose, reply, wait.

use crate::common::{Run, ends_ms, ms, run, s};
use outagelab::status::Status::{ClientError, Degraded, Ok, ServerError};

/// Three branches of 1, 2 and 4 s at callees; the second one can fail.
fn parallel(wait_for: &str, second: &str) -> Run {
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
                - parallel:
                    wait_for: {wait_for}
                    branches: [[call: db.a], [call: db.b], [call: db.c]]
                - work: 500ms
          db:
            kind: database
            connections: 9
            endpoints: {{a: [work: 1s], b: [work: 2s, {second}], c: [work: 4s]}}"
    ))
}

#[test]
fn all_branches_are_waited_for() {
    assert_eq!(parallel("all", "reply: ok").ends("c"), ends_ms(&[(4500, Ok)]));
    // The first failure ends the step.
    assert_eq!(parallel("all", "reply: server_error").ends("c"), ends_ms(&[(2000, ServerError)]));
}

#[test]
fn the_first_good_branch_is_enough_and_the_others_work_on() {
    let run = parallel("any", "reply: server_error");
    assert_eq!(run.ends("c"), ends_ms(&[(1500, Ok)]));
    assert_eq!(run.busy_time("db"), s(7));
    assert_eq!(run.busy_time("api"), ms(1500));
}

#[test]
fn so_many_good_branches_are_waited_for() {
    assert_eq!(parallel("{at_least: 2}", "reply: ok").ends("c"), ends_ms(&[(2500, Ok)]));
    let run = parallel("{at_least: 2}", "reply: server_error");
    assert_eq!(run.ends("c"), ends_ms(&[(4500, Ok)]));
    assert_eq!(
        parallel("{at_least: 2}", "reply: degraded").ends("c"),
        ends_ms(&[(2500, Degraded)])
    );
}

#[test]
fn own_work_of_branches_goes_on_at_the_same_time_on_one_worker() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints:
              request:
                - parallel: {wait_for: all, branches: [[work: 1s], [work: 3s]]}");
    assert_eq!(run.ends("c"), ends_ms(&[(3000, Ok), (6000, Ok)]));
    assert_eq!(run.busy_time("api"), s(6));
}

#[test]
fn branches_that_fail_at_once_leave_nothing_behind() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 5s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints:
              request:
                - parallel: {wait_for: all, branches: [[call: db.a], [call: db.b], [work: 1s]]}
          db:
            kind: database
            connections: 9
            endpoints: {a: [reply: ok], b: [reply: server_error]}");
    assert_eq!(run.ends("c"), ends_ms(&[(0, ServerError), (5000, ServerError)]));
    assert_eq!(run.component("api").left_present, 0);
}

#[test]
fn choose_goes_by_the_class_of_the_request_and_then_otherwise() {
    let run = run("
        clients:
          heavy: {arrivals: {at: [0s]}, calls: api, requests: {big: {share: 100%, endpoint: get}}}
          light: {arrivals: {at: [0s]}, calls: api, requests: {small: {share: 100%, endpoint: get}}}
          other: {arrivals: {at: [0s]}, calls: api, requests: {odd: {share: 100%, endpoint: get}}}
        components:
          api:
            kind: server
            workers: 9
            endpoints:
              get:
                - choose:
                    - {class: big, steps: [work: 5s]}
                    - {class: small, steps: [work: 1s]}
                    - {otherwise: yes, steps: [wait: 2s]}
                - work: 500ms");
    assert_eq!(run.ends("heavy"), ends_ms(&[(5500, Ok)]));
    assert_eq!(run.ends("light"), ends_ms(&[(1500, Ok)]));
    assert_eq!(run.ends("other"), ends_ms(&[(2500, Ok)]));
}

#[test]
fn reply_ends_the_endpoint_with_its_status() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {request: [work: 1s, reply: client_error, work: 9s]}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, ClientError)]));
}

#[test]
fn an_endpoint_starts_over_until_choose_goes_on() {
    // Three clients of one class each: the share decides how often they go round.
    let rounds = |share: &str| {
        run(&format!(
            "
            horizon: 1000h
            clients: {{c: {{arrivals: {{burst: {{requests: 10000}}}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: unlimited
                endpoints:
                  request:
                    - work: 1s
                    - choose: [{{share: {share}, steps: [wait: 2s, start_over]}}]
                    - wait: 10s"
        ))
    };
    let mean = |share| rounds(share).busy_time("api") as f64 / 1e9 / 10_000.0;
    assert!((mean("0%") - 11.0).abs() < 1e-6);
    // A geometric number of further rounds with mean 3: 3 s for each.
    let mean = mean("75%");
    let error = 3.0 * 12_f64.sqrt() / 100.0;
    assert!((mean - 20.0).abs() < 4.0 * error, "{mean}");
}

#[test]
fn rounds_that_take_no_time_do_not_nest() {
    let run = run("
        clients: {c: {arrivals: {at: [1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints:
              request: [call: db, choose: [{share: 99.99%, steps: [start_over]}]]
          db: {kind: database, connections: 1, endpoints: {request: [reply: ok]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1000, Ok)]));
    assert!(run.component("db").requests > 100);
}

#[test]
fn copies_of_branches_have_luck_of_their_own() {
    let run = run("
        horizon: 50000s
        clients: {c: {arrivals: {constant: {rate: 1/s}}, calls: api}}
        components:
          api:
            kind: server
            workers: unlimited
            while_calling: hold
            endpoints:
              request:
                - parallel: {wait_for: all, copies: 3, branches: [[call: leaf], [call: leaf.other]]}
          leaf:
            kind: server
            workers: unlimited
            endpoints:
              request: [work: {exponential: {mean: 10ms}}]
              other: [work: 1ms]");
    assert_eq!(run.component("leaf").requests, 6 * run.client("c").sent);
    // The longest of three exponential times: 10 ms (1 + 1/2 + 1/3).
    let spans = run.spans("c");
    let mean = spans.iter().map(|(a, b)| (b - a) as f64).sum::<f64>() / spans.len() as f64;
    assert!((mean / 1e6 - 18.33).abs() < 0.2, "{mean}");
}

#[test]
fn a_branch_that_is_left_over_does_not_count_for_the_next_parallel() {
    // The second branch of the first step ends at 3 s, while the second step (1 s to 6 s) goes on.
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints:
              request:
                - parallel: {wait_for: any, branches: [[work: 1s], [work: 3s]]}
                - parallel: {wait_for: any, branches: [[work: 5s], [work: 7s]]}");
    assert_eq!(run.ends("c"), ends_ms(&[(6000, Ok)]));
}

#[test]
fn some_of_all_copies_can_be_enough() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints:
              request:
                - parallel: {wait_for: {at_least: 3}, copies: 4, branches: [[call: one]]}
          one: {kind: server, workers: 1, endpoints: {request: [work: 1s]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(3000, Ok)]));
}
