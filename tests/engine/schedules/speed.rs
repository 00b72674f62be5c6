//! Slowness, freezing, fewer workers, surges: what becomes of work in progress.

use crate::common::{ends_ms, ms, run, s};
use outagelab::status::Status::{Ok, Timeout};

/// A server with 4 s of work for requests at 0 and 6 s, and these changes.
fn slowed(changes: &str, server: &str) -> Vec<(u64, outagelab::status::Status)> {
    let run = run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [0s, 6s]}}, calls: api}}}}
        components:
          api: {{kind: server, workers: 9, {server} endpoints: {{request: [work: 4s]}}}}
        changes: {changes}"
    ));
    run.ends("c")
}

#[test]
fn work_in_progress_goes_on_as_before_or_is_rescaled() {
    let slow = |how| {
        format!("{{slow: {{what: {{slow: {{component: api, by: 3x}}}}, at: 2s, until: 10s{how}}}}}")
    };
    // The first is not touched; the second takes 12 s although the slowness ends at 10 s.
    assert_eq!(slowed(&slow(""), ""), ends_ms(&[(4000, Ok), (18000, Ok)]));
    // The first has 2 s left, which take 6 s. The second does 4/3 s of its work until 10 s.
    let rescaled = slowed(&slow(", in_progress: rescaled"), "");
    assert_eq!(rescaled[0], (s(8), Ok));
    assert!(rescaled[1].0.abs_diff(ms(12_666) + 666_667) <= 1, "{:?}", rescaled[1]);
    // A CPU always works at its present speed; at 6 s the second one joins on a second core.
    let cpu = slowed(&slow(""), "cpu: {cores: 2},");
    assert_eq!(cpu[0], (s(8), Ok));
    assert!(cpu[1].0.abs_diff(ms(12_666) + 666_667) <= 1, "{:?}", cpu[1]);
}

#[test]
fn slownesses_that_overlap_multiply_and_end_one_by_one() {
    let changes = "
          one: {what: {slow: {component: api, by: 2x}}, at: 0s, until: 4s, in_progress: rescaled}
          two: {what: {slow: {component: api, by: 3x}}, at: 2s, until: 8s, in_progress: rescaled}";
    let run = run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [1s]}}, calls: api}}}}
        components: {{api: {{kind: server, workers: 9, endpoints: {{request: [work: 2s]}}}}}}
        changes: {changes}"
    ));
    // 1-2 s at 1/2: 0.5 s done; 2-4 s at 1/6: 1/3 s; 1 1/6 s left at 1/3: 3.5 s.
    assert!(run.ends("c")[0].0.abs_diff(ms(7500)) <= 3, "{:?}", run.ends("c"));
}

#[test]
fn a_plain_wait_is_not_slowed() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 3s]}, calls: api}}
        components: {api: {kind: server, workers: 9, endpoints: {request: [wait: 4s]}}}
        changes: {slow: {what: {slow: {component: api, by: 3x}}, at: 2s, in_progress: rescaled}}");
    assert_eq!(run.ends("c"), ends_ms(&[(4000, Ok), (7000, Ok)]));
}

#[test]
fn a_frozen_instance_pauses_its_work_and_takes_nobody_in() {
    let freeze = "{freeze: {what: {freeze: {component: api}}, at: 2s, until: 7s}}";
    // The first has 2 s left, the second waits from 6 to 7 s.
    let expected = ends_ms(&[(9000, Ok), (11000, Ok)]);
    assert_eq!(slowed(freeze, ""), expected);
    assert_eq!(slowed(freeze, "cpu: {cores: 4},"), expected);
}

#[test]
fn two_freezes_that_overlap_are_one_long_one() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 4s]}}}
        changes:
          one: {what: {freeze: {component: api}}, at: 1s, until: 5s}
          two: {what: {freeze: {component: api}}, at: 3s, until: 8s}
          slow: {what: {slow: {component: api, by: 2x}}, at: 6s, in_progress: rescaled}");
    // 3 s left at 8 s, at half speed.
    assert_eq!(run.ends("c"), ends_ms(&[(14000, Ok)]));
}

#[test]
fn a_frozen_instance_does_nothing_with_an_answer_until_it_thaws() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            endpoints: {request: [call: db.query]}
          db: {kind: database, connections: 1, endpoints: {query: [work: 2s]}}
        changes: {freeze: {what: {freeze: {component: api}}, at: 1s, until: 5s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(5000, Ok)]));
}

#[test]
fn a_wait_that_begins_while_a_host_with_a_cpu_is_frozen_ends_after_it_thaws() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api, timeout: 1min}}
        components:
          api:
            kind: server
            workers: 1
            cpu: {cores: 1}
            while_calling: hold
            endpoints: {request: [call: db.query, wait: 1s]}
          db: {kind: database, connections: 1, endpoints: {query: [work: 2s]}}
        changes: {freeze: {what: {freeze: {component: api}}, at: 1s, until: 5s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(6000, Ok)]));
}

#[test]
fn fewer_workers_are_felt_when_one_is_given_back() {
    let run = run(
        "
        clients: {c: {arrivals: {at: [0s, 0s, 0s, 0s]}, calls: api}}
        components: {api: {kind: server, workers: 2, endpoints: {request: [work: 2s]}}}
        changes: {fewer: {what: {fewer_workers: {component: api, workers: 1}}, at: 1s, until: 3s}}",
    );
    // 0-2 two; at 2 s one worker: the third 2-4; from 3 s on two again: the fourth 3-5.
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Ok), (2000, Ok), (4000, Ok), (5000, Ok)]));
}

#[test]
fn a_surge_spends_the_rest_of_the_gap_at_the_new_rate() {
    let run = run("
        horizon: 11s
        clients: {c: {arrivals: {constant: {rate: 1/s}}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: ok]}}}
        changes: {surge: {what: {surge: {clients: c, by: 4x}}, at: 2500ms, until: 4s}}");
    // 1, 2; half a gap left at 2.5: 2.625; then every 0.25 s until 3.875; half a gap done at 4 s:
    // 4.5, 5.5, ...
    let mut expected: Vec<u64> = vec![1000, 2000];
    expected.extend((0..6).map(|n| 2625 + 250 * n));
    expected.extend((0..7).map(|n| 4500 + 1000 * n));
    let expected: Vec<(u64, _)> = expected.into_iter().map(|t| (t, Ok)).collect();
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn a_surge_before_the_first_arrival_does_not_move_it() {
    let run = run("
        horizon: 5s
        clients: {c: {arrivals: {constant: {rate: 1/s, first: 2s}}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [reply: ok]}}}
        changes: {surge: {what: {surge: {clients: c, by: 4x}}, at: 1s, until: 2400ms}}");
    // 0.25 s after the first; six tenths of the next gap are over at 2.4 s.
    let expected = [2000, 2250, 2800, 3800, 4800].map(|at| (at, Ok));
    assert_eq!(run.ends("c"), ends_ms(&expected));
}

#[test]
fn pressure_slows_what_begins_while_memory_is_nearly_full() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s]}, calls: api, timeout: 30s}}
        components:
          api:
            kind: server
            workers: 9
            memory:
              limit: 100MB
              base: 60MB
              per_request: 20MB
              pressure: {from: 80%, slowdown: 4x}
              at_limit: killed
            endpoints: {request: [work: 3s]}");
    // The first begins at 80 %, at full speed; the second at the limit (not beyond it): 12 s.
    assert_eq!(run.ends("c"), ends_ms(&[(3000, Ok), (13000, Ok)]));
    assert_eq!(run.count("c", Timeout), 0);
}
