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
