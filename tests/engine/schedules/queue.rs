//! One station: who is served when, and who is refused.

use crate::common::{ends_ms, ms, run, s};
use outagelab::status::Status::{Ok, Timeout, Unavailable};

#[test]
fn first_in_first_out_serves_in_the_order_of_arrival() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s, 20s]}, calls: api}}
        components:
          api: {kind: server, workers: 1, endpoints: {request: [work: 3s]}}");
    assert_eq!(run.spans("c"), [(0, s(3)), (s(1), s(6)), (s(2), s(9)), (s(20), s(23))]);
    let api = run.component("api");
    assert_eq!((api.requests, api.left_present, api.peak_line), (4, 0, 2));
    assert_eq!(run.busy_time("api"), s(12));
    // Waits of 0, 2, 4 and 0 seconds.
    assert_eq!((api.mean_waiting * 3600.0).round(), 6.0);
}

#[test]
fn two_workers_serve_two_at_a_time() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 1s, 1s]}, calls: api}}
        components:
          api: {kind: server, workers: 2, endpoints: {request: [work: 3s]}}");
    assert_eq!(run.spans("c"), [(0, s(3)), (0, s(3)), (s(1), s(6)), (s(1), s(6))]);
}

#[test]
fn last_in_first_out_serves_the_newest_and_interrupts_nobody() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s, 4s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            line: {discipline: lifo}
            endpoints: {request: [work: 3s]}");
    assert_eq!(run.spans("c"), [(0, s(3)), (s(2), s(6)), (s(4), s(9)), (s(1), s(12))]);
}

#[test]
fn the_lowest_priority_number_goes_first_and_equals_in_order_of_arrival() {
    let run = run("
        clients:
          first: {arrivals: {at: [0s]}, calls: api}
          late: {arrivals: {at: [1s, 2s]}, calls: api, priority: 2}
          soon: {arrivals: {at: [2500ms, 3s]}, calls: api, priority: 1}
        components:
          api:
            kind: server
            workers: 1
            line: {discipline: priority}
            endpoints: {request: [work: 4s]}");
    assert_eq!(run.spans("soon"), [(ms(2500), s(8)), (s(3), s(12))]);
    assert_eq!(run.spans("late"), [(s(1), s(16)), (s(2), s(20))]);
}

#[test]
fn a_request_that_finds_the_line_full_is_refused_at_once() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s, 4s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            line: {capacity: 1}
            endpoints: {request: [work: 3s]}");
    let expected = [(2000, Unavailable), (3000, Ok), (6000, Ok), (9000, Ok)];
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn a_request_that_waits_too_long_in_the_line_is_refused_and_gives_up_its_place() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            line: {capacity: 1, wait: 500ms}
            endpoints: {request: [work: 3s]}");
    // The second gives up at 1.5 s, so that the third finds a place, and gives it up at 2.5 s.
    let expected = [(1500, Unavailable), (2500, Unavailable), (3000, Ok)];
    assert_eq!(run.ends("c"), ends_ms(&expected));
    assert_eq!(run.busy_time("api"), s(3));
}

#[test]
fn m58_two_connections_a_queue_time_out_of_1500_ms_and_six_arrivals() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 0s, 0s, 0s, 0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 2
            line: {wait: 1500ms}
            endpoints: {request: [work: 1s]}");
    let expected =
        [(1000, Ok), (1000, Ok), (1500, Unavailable), (1500, Unavailable), (2000, Ok), (2000, Ok)];
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn connections_count_those_who_wait_and_those_who_are_served() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s, 3s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            connections: 2
            endpoints: {request: [work: 3s]}");
    // At 2 s two are inside. At 3 s the first leaves before the fourth comes: work before arrivals.
    let expected = [(2000, Unavailable), (3000, Ok), (6000, Ok), (9000, Ok)];
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn abandoned_requests_are_dropped_on_their_turn_only_where_the_line_says_so() {
    let model = |drops: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [0s, 0s, 2500ms]}}, calls: api, timeout: 2s}}}}
            components:
              api:
                kind: server
                workers: 1
                line: {{drops_abandoned: {drops}}}
                endpoints: {{request: [work: 3s]}}"
        ))
    };
    // The second gives up at 2 s; its work would be for nobody.
    let with = model("yes");
    assert_eq!(with.component("api").dropped, 1);
    assert_eq!(with.busy_time("api"), s(6));
    // The third starts at 3 s and would end at 6 s; it gives up at 4.5 s.
    let expected = [(2000, Timeout), (2000, Timeout), (4500, Timeout)];
    assert_eq!(with.ends("c"), ends_ms(&expected));
    assert_eq!(model("no").busy_time("api"), s(9));
}

#[test]
fn processor_sharing_gives_equal_shares_to_all() {
    let run = run("
        clients:
          long: {arrivals: {at: [0s]}, calls: api}
          short: {arrivals: {at: [1s]}, calls: api}
        components:
          api:
            kind: server
            workers: 8
            cpu: {cores: 1}
            endpoints:
              request:
                - choose:
                    - {class: request, steps: [work: 3s]}");
    // 1 s alone, then half speed: both have 2 s and 3 s left; the long one is done at 5 s, the
    // other at 6 s.
    assert_eq!(run.ends("long"), [(s(5), Ok)]);
    assert_eq!(run.ends("short"), [(s(6), Ok)]);
}

#[test]
fn a_core_that_works_on_one_at_a_time_finishes_in_the_order_of_arrival() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 8
            cpu: {cores: 1, sharing: one_at_a_time}
            endpoints: {request: [work: 3s]}");
    assert_eq!(run.spans("c"), [(0, s(3)), (s(1), s(6))]);
}

#[test]
fn refusing_costs_cpu_time_that_others_lack() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            line: {capacity: 0}
            cpu: {cores: 1}
            cost_of_rejecting: 500ms
            endpoints: {request: [work: 3s]}");
    // From 1 s on the two share the core: the refusal takes until 2 s, and costs the other 0.5 s.
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Unavailable), (3500, Ok)]));
}

#[test]
fn contention_is_read_when_work_begins() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 2
            endpoints:
              request:
                - work: {takes: 2s, plus_per_present: 1s, times_per_other: 50%}");
    // (2 s + 1 x 1 s) x 1, and (2 s + 2 x 1 s) x 1.5.
    assert_eq!(run.spans("c"), [(0, s(3)), (s(1), s(7))]);
}

/// Two requests on one core, the second one newer and more urgent.
fn interrupted(sharing: &str) -> Vec<(outagelab::units::Nanos, outagelab::status::Status)> {
    let run = run(&format!(
        "
        clients:
          c:
            arrivals: {{at: [0s]}}
            calls: api
            priority: 3
          d:
            arrivals: {{at: [1s, 1500ms]}}
            calls: api
            priority: 1
        components:
          api:
            kind: server
            workers: unlimited
            cpu: {{cores: 1, sharing: {sharing}}}
            endpoints: {{request: [work: 2s]}}"
    ));
    [run.ends("c"), run.ends("d")].concat()
}

#[test]
fn newer_or_more_urgent_work_interrupts_other_work_which_resumes() {
    let oldest_first = ends_ms(&[(2000, Ok), (4000, Ok), (6000, Ok)]);
    assert_eq!(interrupted("one_at_a_time"), oldest_first);
    // The last one is done at 3.5 s, the one before it has 1.5 s left, the first one 1 s.
    let newest_first = ends_ms(&[(6000, Ok), (3500, Ok), (5000, Ok)]);
    assert_eq!(interrupted("newest_first"), newest_first);
    let by_priority = ends_ms(&[(6000, Ok), (3000, Ok), (5000, Ok)]);
    assert_eq!(interrupted("by_priority"), by_priority);
}
