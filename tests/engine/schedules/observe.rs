//! Observations of schedules that can be worked out by hand.

use crate::common::{Run, model, run, try_plan};
use outagelab::measure::{View, measures};

/// The value of a measure in a run.
fn measure(run: &Run, name: &str) -> f64 {
    let all = measures(&run.plan);
    let measure = all.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("no `{name}`"));
    measure.of(&View::new(&run.plan, &run.outcome)).unwrap_or(f64::NAN)
}

fn check(run: &Run, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        let found = measure(run, name);
        assert!((found - value).abs() < 1e-9, "{name}: {found}, by hand {value}");
    }
}

/// One worker, work of 1.5 s, arrivals at 1, 2 and 3 s: the number present is 0 until 1 s, 1 until
/// 2 s, 2 until 2.5 s, 1 until 3 s, 2 until 4 s, 1 until 5.5 s, and 0 from then on.
const STATION: &str = "
        horizon: 10s
        clients: {c: {arrivals: {at: [1s, 2s, 3s]}, calls: q}}
        components:
          q: {kind: server, workers: 1, endpoints: {request: [work: 1500ms]}}
        changes:
          slow: {what: {delay: {to: q, by: 0s}}, at: 4500ms, lasts: 2s}";

fn observed(words: &str) -> Run {
    run(&format!("{STATION}\n        observe:\n          {words}\n"))
}

#[test]
fn a_number_is_seen_all_the_time_and_at_its_levels() {
    check(
        &observed("n: {number: {of: {present: q}, levels: [0, 1, 2]}}"),
        &[
            ("n.time", 10.0),
            ("n.mean", 0.6),
            ("n.second_moment", 0.9),
            ("n.variance", 0.54),
            ("n.at.0", 0.55),
            ("n.at.1", 0.3),
            ("n.at.2", 0.15),
            ("n.above.0", 0.45),
            ("n.above.2", 0.0),
            ("n.entries.1", 0.2),
            ("n.stays.1", 0.75),
            ("n.stays.0", 4.5),
        ],
    );
}

#[test]
fn a_window_and_a_condition_leave_out_the_rest() {
    let run = observed("n: {number: {of: {waiting: q}, levels: [1], from: 2s, to: 3500ms}}");
    check(&run, &[("n.time", 1.5), ("n.at.1", 1.0 / 1.5), ("n.mean", 1.0 / 1.5)]);
    let run = observed("n: {number: {of: {present: q}, while: slow}}");
    check(&run, &[("n.time", 2.0), ("n.mean", 0.5)]);
    let run = observed("n: {number: {of: {on: slow}, unless: slow}}");
    check(&run, &[("n.time", 8.0), ("n.mean", 0.0)]);
}

#[test]
fn looking_at_steps_sees_the_state_at_each_step_for_the_whole_step() {
    // Just after 0, 2, 4, 6 and 8 s there are 0, 2, 1, 0 and 0 requests.
    let run = observed("n: {number: {of: {longest: q}, every: 2s, levels: [1]}}");
    check(&run, &[("n.time", 10.0), ("n.mean", 0.6), ("n.above.1", 0.2)]);
}

#[test]
fn moments_and_first_passages_are_exact() {
    let run = observed("m: {moments: {of: {present: q}, at: [2500ms, 4500ms], levels: [1]}}");
    check(&run, &[("m.2500ms", 2.0), ("m.2500ms.above.1", 1.0), ("m.4500ms.at.1", 1.0)]);
    check(&observed("f: {first: {of: {present: q}, at_least: 2}}"), &[("f", 2.0)]);
    let run = observed("f: {first: {of: {present: q}, at_most: 0, after: 1s, ends_run: yes}}");
    check(&run, &[("f", 5.5)]);
    assert_eq!(run.outcome.end, 5_500_000_000, "the run ends where it was reached");
    let never = observed("f: {first: {of: {present: q}, at_least: 3}}");
    assert_eq!(measure(&never, "f"), f64::INFINITY);
}

/// Two instances, of which both are down from 5 to 7 s and one from 9 s on.
#[test]
fn how_many_processes_are_up_is_seen_when_they_change_and_when_looking_begins() {
    let run = run("
        horizon: 20s
        clients: {c: {arrivals: {constant: {rate: 10/s}}, calls: q}}
        components:
          q: {kind: server, instances: 2, workers: 1, endpoints: {request: [work: 1ms]}}
        changes:
          both: {what: {crash: {component: q}}, at: 5s, lasts: 2s}
          one: {what: {crash: {component: q, instances: 1}}, at: 9s, until: 20s}
        observe:
          none: {first: {of: {up: q}, at_most: 0}}
          none-at-once: {first: {of: {up: q}, at_most: 0, after: 5s}}
          none-later: {first: {of: {up: q}, at_most: 0, after: 6s}}
          both-back: {first: {of: {up: q}, at_least: 2, after: 6s}}
          one-left: {first: {of: {up: q}, at_most: 1, after: 8s}}
          none-again: {first: {of: {up: q}, at_most: 0, after: 8s}}
          alone: {moments: {of: {up: q}, at: [4s, 6s, 8s, 10s]}}");
    check(&run, &[("none", 5.0), ("none-at-once", 5.0), ("none-later", 6.0)]);
    check(&run, &[("both-back", 7.0), ("one-left", 9.0)]);
    assert_eq!(measure(&run, "none-again"), f64::INFINITY);
    check(&run, &[("alone.4s", 2.0), ("alone.6s", 0.0), ("alone.8s", 2.0), ("alone.10s", 1.0)]);
}

#[test]
fn a_window_within_the_warm_up_is_refused() {
    let observe = "warm_up: 3s
        observe: {n: {count: {of: {answers: q}, to: 2s}}}";
    let problems = try_plan(&model(&format!("{STATION}\n        {observe}\n")), 1).unwrap_err();
    assert!(problems.contains("it ends before the warm-up does"), "{problems}");
}

#[test]
fn every_time_is_taken_as_it_is() {
    // Waits 0, 0.5 and 1 s; sojourns 1.5, 2 and 2.5 s.
    let run = observed("w: {times: {of: {wait: q}, points: [0s, 500ms]}}");
    let third = 1.0 / 3.0;
    check(&run, &[("w.mean", 0.5), ("w.within.1", third), ("w.within.2", 2.0 * third)]);
    check(&run, &[("w.count", 3.0), ("w.second_moment", 1.25 / 3.0)]);
    let run = observed("w: {times: {of: {sojourn: q}, from: 4s}}");
    check(&run, &[("w.mean", 2.25), ("w.sd", 0.25)]);
    check(&observed("w: {times: {of: {slowdown: q}}}"), &[("w.mean", 4.0 / 3.0)]);
    check(&observed("w: {times: {of: {latency: c}}}"), &[("w.mean", 2.0)]);
    check(&observed("w: {times: {of: {attempts: c}}}"), &[("w.mean", 1.0), ("w.count", 3.0)]);
}

#[test]
fn counters_count_from_the_first_moment_of_their_window_to_the_last_before_its_end() {
    let run = observed("n: {count: {of: {requests: q}, from: 2s, to: 3s}}");
    check(&run, &[("n.count", 1.0), ("n.per_second", 1.0)]);
    check(&observed("n: {count: {of: {good: c}}}"), &[("n.count", 3.0), ("n.per_second", 0.3)]);
    check(&observed("n: {count: {of: {attempts: c}}}"), &[("n.count", 3.0)]);
    check(&observed("n: {count: {of: {good_answers: q}, from: 5s}}"), &[("n.count", 1.0)]);
}

#[test]
fn what_leaves_a_line_unserved_has_waited_too_and_has_expired() {
    let run = run("
        horizon: 10s
        clients: {c: {arrivals: {at: [0s, 0s]}, calls: q}}
        components:
          q: {kind: server, workers: 1, line: {wait: 1s}, endpoints: {request: [work: 3s]}}
        observe:
          all: {times: {of: {wait_of_all: q}}}
          served: {times: {of: {wait: q}}}
          expired: {count: {of: {expired: q}}}
          refused: {count: {of: {refused: q}}}
          flying: {number: {of: {in_flight: c}}}");
    check(&run, &[("all.mean", 0.5), ("served.mean", 0.0), ("served.count", 1.0)]);
    check(&run, &[("expired.count", 1.0), ("refused.count", 0.0), ("flying.mean", 0.4)]);
}

#[test]
fn retries_and_what_their_caller_still_waits_for_are_seen() {
    // Two attempts of 1 s each, with a pause of 2 s; the server works 5 s on each.
    let run = run("
        horizon: 10s
        clients:
          c:
            arrivals: {at: [0s]}
            calls: q
            timeout: 1s
            layers: [retry: {attempts: 2, backoff: {constant: 2s}}]
        components:
          q: {kind: server, workers: unlimited, endpoints: {request: [work: 5s]}}
        observe:
          orbit: {number: {of: {backing_off: c}}}
          awaited: {number: {of: {awaited: q}}}
          retries: {count: {of: {retries: c}}}
          timeouts: {count: {of: {timeouts: c}}}
          failed: {count: {of: {failed: c}}}
          attempts: {times: {of: {attempts: c}}}");
    check(&run, &[("orbit.mean", 0.2), ("awaited.mean", 0.2), ("retries.count", 1.0)]);
    check(&run, &[("timeouts.count", 2.0), ("failed.count", 1.0), ("attempts.mean", 2.0)]);
}

#[test]
fn an_open_breaker_is_seen_to_half_open_by_itself() {
    // Every call fails at once. The third failure opens the breaker at 3 s; at 5 s it is half-open
    // by itself; the call at 7 s fails and opens it again until 9 s.
    let run = run("
        horizon: 10s
        clients:
          c:
            arrivals: {at: [1s, 2s, 3s, 4s, 7s]}
            calls: q
            layers:
              - circuit_breaker:
                  window: {count: 3}
                  minimum_calls: 3
                  failure_rate: 100%
                  open_for: 2s
                  half_open_calls: 1
                  automatic_half_open: yes
        components:
          q: {kind: server, workers: 1, endpoints: {request: [reply: server_error]}}
        observe:
          open: {number: {of: {open_breakers: c}}}
          half: {number: {of: {half_open_breakers: c}}}
          trips: {count: {of: {trips: c}}}
          refused: {count: {of: {not_sent: c}}}");
    check(&run, &[("open.mean", 0.4), ("half.mean", 0.3), ("refused.count", 1.0)]);
    check(&run, &[("trips.count", 2.0)]);
}

#[test]
fn observing_changes_nothing() {
    let plain = run(STATION);
    let watched = observed("n: {number: {of: {present: q}, levels: [0, 1, 2]}}");
    assert_eq!(plain.outcome.fingerprint, watched.outcome.fingerprint);
    assert_eq!(plain.outcome.events, watched.outcome.events);
}
