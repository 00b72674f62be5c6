//! Processes die, stall, come up, and are replaced.

use crate::common::{Run, ends_ms, ms, run, s};
use outagelab::sim::story::{Death, What};
use outagelab::status::Status::{
    ClientError, Ok, Refused, Reset, ServerError, Timeout, Unavailable,
};

#[test]
fn a_crash_resets_what_is_there_and_refuses_what_comes() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 5s, 8s]}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 3s]}}}
        changes: {down: {what: {crash: {component: api}}, at: 2s, lasts: 6s}}");
    // One at work and one in the line are reset. The process is back before an arrival of that
    // moment.
    assert_eq!(
        run.ends("c"),
        ends_ms(&[(2000, Reset), (2000, Reset), (5000, Refused), (11000, Ok)])
    );
    let api = run.component("api");
    assert_eq!((api.deaths, api.lost, api.left_present, api.left_waiting), (1, 2, 0, 0));
    assert_eq!(run.busy_time("api"), s(2 + 3));
    assert_eq!(api.tipped, None, "a crash from outside is not a tipping over");
}

#[test]
fn who_finds_no_process_is_counted_and_refused_and_holds_nothing() {
    let on_the_way = |network: &str| {
        run(&format!(
            "
        horizon: 20s
        clients: {{c: {{arrivals: {{at: [0s, 1s, 4s, 5s, 8s]}}, calls: front}}}}
        components:
          front:
            kind: server
            workers: unlimited
            while_calling: hold
            pools: {{api: {{size: 1}}}}
            endpoints: {{request: [call: {{to: api.request{network}}}]}}
          api: {{kind: server, workers: 1, endpoints: {{request: [work: 100ms]}}}}
        changes: {{down: {{what: {{crash: {{component: api}}}}, at: 2s, lasts: 5s}}}}
        observe:
          refused: {{count: {{of: {{refused: api}}}}}}
          sojourn: {{times: {{of: {{sojourn: api}}}}}}
          busy: {{number: {{of: {{present: api}}}}}}"
        ))
    };
    let run = on_the_way("");
    assert_eq!(
        run.ends("c"),
        ends_ms(&[(100, Ok), (1100, Ok), (4000, ServerError), (5000, ServerError), (8100, Ok)])
    );
    let api = run.component("api");
    assert_eq!((api.requests, api.answers[Refused as usize], api.answers[Ok as usize]), (5, 2, 3));
    assert_eq!((api.left_present, api.left_connections), (0, 0));
    assert_eq!(run.component("front").left_connections, 0);
    // Over a network that takes no time they are refused as tasks; all else is the same.
    let other = on_the_way(", network: 0s");
    assert_eq!(format!("{:?}", run.outcome.observed), format!("{:?}", other.outcome.observed));
    assert_eq!(run.ends("c"), other.ends("c"));
    assert_eq!(api.answers, other.component("api").answers);
}

#[test]
fn those_on_a_process_that_dies_are_told_in_the_order_in_which_they_came() {
    // Who came before has mostly gone, one here and one there, and left its place in memory to
    // somebody later: there, the order is another one.
    let run = run("
        clients: {c: {arrivals: {constant: {rate: 10/s}}, calls: api}}
        horizon: 1min
        components:
          api:
            {kind: server, workers: unlimited,
             endpoints: {request: [work: {exponential: {mean: 2s}}]}}
        changes: {down: {what: {crash: {component: api}}, at: 30s, lasts: 1min}}");
    let spans = run.spans("c").into_iter();
    let reset: Vec<_> = spans.filter(|(_, end)| *end == s(30)).map(|(begin, _)| begin).collect();
    assert!(reset.len() > 10, "{}", reset.len());
    assert!(reset.is_sorted(), "{reset:?}");
}

#[test]
fn the_end_of_one_crash_does_not_undo_another() {
    let run = run("
        clients: {c: {arrivals: {constant: {rate: 1/s, first: 500ms}}, calls: api}}
        horizon: 10s
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 10ms]}}}
        changes:
          one: {what: {crash: {component: api}}, at: 2s, until: 5s}
          two: {what: {crash: {component: api}}, at: 4s, until: 7s}");
    // Down from 2 to 7 s: the arrivals at 2.5, 3.5, 4.5, 5.5 and 6.5 s.
    assert_eq!(run.count("c", Refused), 5);
}

#[test]
fn m73_a_process_that_lives_5_s_starts_at_0_5_20_45_90_175_340_645_950() {
    let run = run("
        clients: {c: {arrivals: {at: [5s, 10s, 25s, 50s, 95s, 180s, 345s, 650s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            restart: {always: {takes: 0s, back_off: {first: 10s, cap: 300s, reset: 10min}}}
            endpoints: {request: [work: 1s]}
            bugs: {deadly: {raises: {crash: yes}}}");
    let starts = run.times(|w| matches!(w, What::CameUp { .. }));
    assert_eq!(starts, [5, 20, 45, 90, 175, 340, 645, 950].map(s));
    assert_eq!(run.component("api").deaths, 8);
    assert_eq!(run.component("api").tipped, Some(s(5)));
}

#[test]
fn a_long_life_resets_the_crash_loop() {
    let run = run("
        clients: {c: {arrivals: {at: [5s, 10s, 700s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            restart: {always: {takes: 1s, back_off: {first: 10s, cap: 300s, reset: 10min}}}
            endpoints: {request: [work: 1s]}
            bugs: {deadly: {raises: {crash: yes}}}");
    // Restarts take 1 s. Died at 5 (back at 6), at 10 (10 s and 1 s later), at 700 after a life of
    // 679 s.
    let starts = run.times(|w| matches!(w, What::CameUp { .. }));
    assert_eq!(starts, [6, 21, 701].map(s));
}

/// M68: `count` requests at once; 300 MB base, 2 MB for each, limit 512 MB.
fn m68(count: usize, at_limit: &str) -> Run {
    let at = vec!["1s"; count].join(", ");
    run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [{at}]}}, calls: api, timeout: 30s}}}}
        components:
          api:
            kind: server
            workers: 50
            memory: {{limit: 512MB, base: 300MB, per_request: 2MB, at_limit: {at_limit}}}
            endpoints: {{request: [work: 10s]}}"
    ))
}

#[test]
fn m68_106_requests_survive_and_the_107th_kills() {
    let run = m68(106, "killed");
    assert_eq!((run.count("c", Ok), run.component("api").deaths), (106, 0));
    assert_eq!(run.component("api").peak_memory, 512_000_000);
    let run = m68(107, "killed");
    assert_eq!((run.count("c", Reset), run.component("api").deaths), (107, 1));
    assert_eq!(run.component("api").left_present, 0);
    let death = Death::OutOfMemory { used: 514_000_000, limit: 512_000_000 };
    assert_eq!(run.times(|w| matches!(w, What::Died { death: d, .. } if *d == death)), [s(1)]);
}

#[test]
fn a_stalled_process_keeps_its_connections_and_refuses_what_comes() {
    let run = m68(108, "stalls");
    assert_eq!((run.count("c", Timeout), run.count("c", Unavailable)), (107, 1));
    let api = run.component("api");
    assert_eq!((api.requests, api.answers[Unavailable as usize]), (108, 1));
    assert_eq!((api.left_present, api.deaths, api.tipped), (107, 0, Some(s(1))));
}

#[test]
fn restarting_a_stalled_process_leaves_nothing_of_it() {
    let run = run("
        clients: {c: {arrivals: {at: [1s, 1s, 1s, 1s, 9s, 20s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 2
            start_takes: 4s
            memory: {limit: 40MB, base: 10MB, per_request: 10MB, at_limit: stalls}
            endpoints: {request: [work: 3s]}
            versions: {same: {}}
        changes: {again: {what: {deploy: {component: api, version: same}}, at: 8s}}");
    // The fourth makes it stall with two in the line; they are reset when it is replaced.
    let mut expected = vec![(8000, Reset); 4];
    expected.extend([(9000, Refused), (23000, Ok)]);
    assert_eq!(run.ends("c"), ends_ms(&expected));
    let api = run.component("api");
    assert_eq!((api.left_present, api.left_waiting), (0, 0));
    assert_eq!(api.mean_waiting * 3600.0, 14.0, "two of them waited from 1 to 8 s");
}

#[test]
fn a_request_whose_leak_kills_the_process_has_been_answered() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 10s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            restart: {always: {takes: 1s}}
            memory: {limit: 10MB, leak: {per_request: 11MB}, at_limit: killed}
            endpoints: {request: [work: 2s]}");
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Ok), (2000, Reset), (12000, Ok)]));
    let api = run.component("api");
    assert_eq!((api.deaths, api.left_present, api.left_waiting), (2, 0, 0));
    assert_eq!(run.busy_time("api"), s(4));
}

#[test]
fn a_request_whose_leak_stalls_the_process_has_been_answered() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 10s]}, calls: api, timeout: 20s}}
        components:
          api:
            kind: server
            workers: 1
            memory: {limit: 10MB, leak: {per_request: 11MB}, at_limit: stalls}
            endpoints: {request: [work: 2s]}");
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Ok), (10000, Unavailable), (20000, Timeout)]));
    assert_eq!(run.component("api").left_present, 1);
}

#[test]
fn a_leaked_connection_that_kills_its_process_ends_the_call_with_it() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 10s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            restart: {always: {takes: 1s}}
            memory: {limit: 10MB, base: 5MB, at_limit: killed}
            pools: {db: {size: 3, leak: 100%, memory: 6MB}}
            endpoints: {request: [call: db.query, work: 1s]}
          db: {kind: database, connections: 1, endpoints: {query: [work: 2s]}}");
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Reset), (12000, Reset)]));
    assert_eq!(run.component("api").deaths, 2);
}

#[test]
fn failed_calls_leak_until_the_process_is_killed() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            memory: {limit: 10MB, leak: {per_failed_answer: 4MB}, at_limit: killed}
            endpoints: {request: [call: {to: db.query, on_failure: go_on}]}
          db:
            kind: database
            connections: 1
            endpoints: {query: [work: 100ms, reply: server_error]}");
    let degraded = outagelab::status::Status::Degraded;
    // The third has been answered when the process dies of it.
    assert_eq!(run.ends("c"), ends_ms(&[(100, degraded), (1100, degraded), (2100, degraded)]));
    assert_eq!(run.times(|w| matches!(w, What::Died { .. })), [ms(2100)]);
}

#[test]
fn a_rolling_deploy_replaces_one_batch_after_the_other() {
    let run = run("
        clients: {c: {arrivals: {constant: {rate: 10/s, first: 50ms}}, calls: api}}
        horizon: 60s
        components:
          api:
            kind: server
            instances: 4
            workers: 1
            start_takes: 5s
            endpoints: {request: [work: 10ms]}
            versions: {next: {endpoints: {request: [work: 20ms]}}}
        changes:
          out:
            what: {deploy: {component: api, version: next, how: {rolling: {batch: 2, pause: 10s}}}}
            at: 10s");
    let died = run.times(|w| matches!(w, What::Died { death: Death::Replaced, .. }));
    assert_eq!(died, [10, 10, 20, 20].map(s));
    let up = run.times(|w| matches!(w, What::CameUp { .. }));
    assert_eq!(up, [15, 15, 25, 25].map(s));
    // Two of four are gone for 10 s in all, and round robin does not notice: 50 of 100 are refused.
    assert_eq!(run.count("c", Refused), 50);
    // Old ones until 10 s, half and half until 20 s (of those served), new ones from then on.
    assert_eq!(run.log.last().map(|r| r.latency), Some(ms(20)));
    assert_eq!(run.outcome.changes[0], [(s(10), Some(s(20)))]);
}

#[test]
fn a_rollback_brings_back_what_ran_before_and_its_endpoints() {
    let run = run("
        clients:
          c: {arrivals: {at: [0s, 20s, 40s]}, calls: api, requests: {new: {share: 100%}}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {request: [work: 1s]}
            versions: {next: {endpoints: {new: [work: 2s]}}}
        changes:
          out: {what: {deploy: {component: api, version: next}}, at: 10s}
          back: {what: {rollback: {component: api}}, at: 30s}");
    // The base version does not have the endpoint: 404.
    assert_eq!(run.ends("c"), ends_ms(&[(0, ClientError), (22000, Ok), (40000, ClientError)]));
}

#[test]
fn a_flush_resets_the_line_and_leaves_work_alone() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 1s, 2s]}, calls: api}}
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 5s]}}}
        changes: {flush: {what: {flush: {component: api}}, at: 3s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(3000, Reset), (3000, Reset), (5000, Ok)]));
    assert_eq!(run.component("api").left_waiting, 0);
}

#[test]
fn what_recurs_ends_where_it_says() {
    let run = run("
        clients: {c: {arrivals: {constant: {rate: 1/s, first: 500ms}}, calls: api}}
        horizon: 100s
        components: {api: {kind: server, workers: 1, endpoints: {request: [work: 10ms]}}}
        changes:
          flaps: {what: {crash: {component: api}}, recurring: {up: 5s, down: 5s}, until: 28s}");
    // Down 5-10, 15-20 and 25-28.
    assert_eq!(run.count("c", Refused), 5 + 5 + 3);
}

/// Four instances, a canary of one, a request each second to each in turn. The bug kills what has
/// the new version.
fn canary(rest: &str) -> Run {
    run(&format!(
        "
        clients: {{c: {{arrivals: {{constant: {{rate: 4/s, first: 125ms}}}}, calls: api}}}}
        horizon: 100s
        components:
          api:
            kind: server
            instances: 4
            workers: 1
            start_takes: 5s
            restart: {{always: {{takes: 3s}}}}
            endpoints: {{request: [work: 10ms]}}
            versions:
              good: {{endpoints: {{request: [work: 20ms]}}}}
              fatal: {{bugs: {{fatal: {{raises: {{crash: yes}}}}}}}}
              wrong: {{bugs: {{wrong: {{when: {{share: 50%}}, raises: {{error: server_error}}}}}}}}
        changes:
          out:
            at: 10s
            {rest}"
    ))
}

#[test]
fn a_canary_that_dies_is_brought_back_and_no_other_instance_gets_the_version() {
    let run = canary(
        "what: {deploy: {component: api, version: fatal, how: {canary: \
         {instances: 1, watch: 60s, every: 10s, stops_at: {deaths: 1}}}}}",
    );
    // Out at 10 s, up at 15 s, dead at its first request; looked at at 20 s.
    let replaced = run.times(|w| matches!(w, What::Died { death: Death::Replaced, .. }));
    let stops = run.times(|w| matches!(w, What::RolloutStops { .. }));
    assert_eq!((replaced[0], stops), (s(10), vec![s(20)]));
    assert!(replaced.iter().all(|at| *at <= s(20)));
    let died = run.times(|w| matches!(w, What::Died { death: Death::Bug(_), .. }));
    assert!(died[0] > s(15) && died[0] <= s(16), "{died:?}");
    assert_eq!(run.outcome.changes[0], [(s(10), Some(s(20)))]);
}

#[test]
fn a_canary_that_fails_too_many_requests_is_brought_back() {
    let how = |errors| {
        canary(&format!(
            "what: {{deploy: {{component: api, version: wrong, how: {{canary: {{instances: 1, \
             watch: 60s, every: 10s, stops_at: {{errors: {errors}, minimum_requests: 12}}}}}}}}}}"
        ))
    };
    // Up at 15 s, a request each second: 5 of them at 20 s, 15 at 30 s.
    assert_eq!(how("10%").times(|w| matches!(w, What::RolloutStops { .. })), [s(30)]);
    assert!(how("95%").times(|w| matches!(w, What::RolloutStops { .. })).is_empty());
}

#[test]
fn after_a_good_canary_the_others_follow_in_phases() {
    let run = canary(
        "what: {deploy: {component: api, version: good, how: {canary: {instances: 1, watch: 25s, \
         every: 10s, stops_at: {deaths: 1}, then: {batch: 2, pause: 15s}}}}}",
    );
    let replaced = run.times(|w| matches!(w, What::Died { death: Death::Replaced, .. }));
    assert_eq!(replaced, [10, 35, 35, 50].map(s));
    assert_eq!(run.outcome.changes[0], [(s(10), Some(s(50)))]);
}

#[test]
fn a_change_of_chance_happens_in_that_share_of_the_replicas() {
    let model = |chance| {
        crate::common::model(&format!(
            "
            clients: {{c: {{arrivals: {{constant: {{rate: 1/s}}}}, calls: api}}}}
            components:
              api: {{kind: server, workers: 1, endpoints: {{request: [work: 10ms]}}}}
            changes:
              crash: {{what: {{crash: {{component: api}}}}, at: 10s, chance: {chance}}}
            horizon: 20s"
        ))
    };
    let begun = |chance| {
        let plan = crate::common::plan(&model(chance));
        let changes = |r| outagelab::sim::run(&plan, r).changes[0].len();
        (0..400).map(changes).sum::<usize>()
    };
    assert_eq!((begun("0%"), begun("100%")), (0, 400));
    // Within three standard deviations.
    assert!((begun("25%") as i64 - 100).abs() < 26, "{}", begun("25%"));
}

#[test]
fn blue_and_green_change_places_when_the_new_processes_are_up() {
    let run = canary("what: {deploy: {component: api, version: good, how: blue_green}}");
    let replaced = run.times(|w| matches!(w, What::Died { death: Death::Replaced, .. }));
    assert_eq!(replaced, [15, 15, 15, 15].map(s));
    assert_eq!(run.count("c", Refused), 0);
    assert_eq!(run.outcome.changes[0], [(s(10), Some(s(15)))]);
    assert_eq!(run.log.last().map(|r| r.latency), Some(ms(20)));
}

#[test]
fn what_has_leaked_at_the_start_may_be_drawn_for_each_instance() {
    let stalls = |law: &str| {
        let run = run(&format!(
            "
        clients: {{c: {{arrivals: {{at: [1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s]}}, calls: api}}}}
        components:
          api:
            kind: server
            instances: 4
            workers: 1
            memory:
              {{limit: 100MiB, per_request: 50MiB, leaked_at_start: {law}, at_limit: stalls}}
            endpoints: {{request: [work: 10ms]}}"
        ));
        run.times(|w| matches!(w, What::Stalled { .. })).len()
    };
    assert_eq!(stalls("49MiB"), 0);
    assert_eq!(stalls("51MiB"), 4);
    let some = stalls("{uniform: [0MiB, 99MiB]}");
    assert!((1..4).contains(&some), "{some} of 4 are beyond half of the range");
}
