//! Alerts and people.

use crate::common::{run, s};
use outagelab::sim::story::What;

const SERVER: &str = "
        clients: {c: {arrivals: {constant: {rate: 10/s}}, calls: api}}
        components:
          api:
            kind: server
            workers: 9
            endpoints: {request: [work: 10ms]}
            bugs: {bad: {present: no, raises: {error: server_error}}}
          db: {kind: database, connections: 9, endpoints: {query: [work: 10ms]}}";

#[test]
fn m78_scraped_every_15_s_evaluated_at_5_20_35_for_60_a_failure_at_1_pages_at_110() {
    let run = run(&format!(
        "{SERVER}
        changes: {{down: {{what: {{crash: {{component: api}}}}, at: 1s}}}}
        response:
          alerts:
            down:
              signal: {{level: api.instances_up}}
              below: 1
              scrape: 15s
              every: 15s
              first_scrape: 0s
              first_evaluation: 5s
              for: 60s
              delivery: 30s
          responder:
            acknowledge: 0s
            hypotheses:
              fault: {{suspect: api, cause: fault, suggested_by: [down], check: 10min}}
            actions: {{again: {{for: [fault], does: [restart: api], takes: 1min}}}}
            verify: 5min
            declare_over: {{quiet: 10min}}"
    ));
    assert_eq!(run.times(|w| matches!(w, What::AlertPending { .. })), [s(20)]);
    assert_eq!(run.times(|w| matches!(w, What::AlertFires { .. })), [s(80)]);
    assert_eq!(run.outcome.response.alert, Some(s(80)));
    assert_eq!(run.outcome.response.acknowledged, Some(s(110)));
    assert_eq!(run.outcome.response.hypotheses[0], (0, s(110), s(710), true));
}

#[test]
fn one_false_evaluation_resets_what_is_pending() {
    let run = run(&format!(
        "{SERVER}
        changes:
          down: {{what: {{crash: {{component: api}}}}, at: 1s, until: 40s}}
          again: {{what: {{crash: {{component: api}}}}, at: 50s}}
        response:
          alerts:
            down:
              signal: {{level: api.instances_up}}
              below: 1
              first_scrape: 0s
              first_evaluation: 5s
              for: 60s"
    ));
    // Scrapes at 15 and 30 see it, 45 does not, 60 does: pending at 20, false at 50, pending at 65,
    // firing at 125.
    assert_eq!(run.times(|w| matches!(w, What::AlertPending { .. })), [s(20), s(65)]);
    assert_eq!(run.times(|w| matches!(w, What::AlertFires { .. })), [s(125)]);
}

#[test]
fn people_follow_the_evidence_act_notice_that_it_did_not_help_and_go_on() {
    let run = run(&format!(
        "{SERVER}
        changes: {{on: {{what: {{bug: api.bad}}, at: 1s}}}}
        response:
          alerts:
            errors:
              signal: {{ratio: {{of: c.errors, to: c.answers}}}}
              above: 20%
              window: 1min
              first_scrape: 0s
              first_evaluation: 5s
          responder:
            acknowledge: 1min
            orient: 2min
            hypotheses:
              database: {{suspect: db, cause: fault, suggested_by: [errors], check: 5min}}
              bug: {{suspect: api, cause: bug, suggested_by: [errors], check: 5min}}
            escalate: {{after_wrong: 1, takes: 3min}}
            actions:
              restart: {{for: [bug], does: [restart: api], takes: 1min}}
              fix: {{for: [bug], does: [hotfix: api.bad], decided_after: 2min, takes: 8min}}
            verify: 5min
            declare_over: {{quiet: 10min}}"
    ));
    let fired = run.outcome.response.alert.expect("it fires");
    // Scraped at 15 s, evaluated at 20 s.
    assert_eq!(fired, s(20));
    let response = &run.outcome.response;
    let minutes = |n: u64| fired + s(60 * n);
    assert_eq!(response.acknowledged, Some(minutes(1)));
    // Overview until 3; the database until 8, wrong; others are called in until 11; the bug until
    // 16, right.
    assert_eq!(
        response.hypotheses,
        [(0, minutes(3), minutes(8), false), (1, minutes(11), minutes(16), true)]
    );
    assert_eq!((response.diagnosed, response.wrong_turns), (Some(minutes(16)), 1));
    // The restart is done at 17 and judged at 22; the fix is decided on at 24 and done at 32.
    assert_eq!(response.actions, [(0, minutes(16), minutes(17)), (1, minutes(24), minutes(32))]);
    let judged: Vec<_> = run
        .outcome
        .story
        .iter()
        .filter_map(|h| match h.what {
            What::Judges { action, helped } => Some((action, helped)),
            _ => None,
        })
        .collect();
    assert_eq!(judged, [(0, false), (1, true)]);
    assert!(response.declared_over.is_some_and(|at| at >= minutes(42) && at <= minutes(45)));
}

#[test]
fn whether_a_hypothesis_is_right_follows_from_where_the_cause_is() {
    let model = |cause: &str, suspect: &str| {
        let run = run(&format!(
            "{SERVER}
        changes: {{gone: {{what: {{cut: {{from: c, to: api}}}}, at: 1min}}}}
        response:
          alerts:
            silent:
              signal: {{count: api.requests}}
              below: 1
              first_scrape: 0s
              first_evaluation: 5s
          responder:
            acknowledge: 0s
            hypotheses:
              it: {{suspect: {suspect}, cause: {cause}, suggested_by: [silent], check: 1min}}
            actions: {{nothing: {{for: [it], does: [restart: db], takes: 1min}}}}
            verify: 5min
            declare_over: {{quiet: 10min}}"
        ));
        run.outcome.response.hypotheses.first().expect("one is looked into").3
    };
    assert!(model("network", "api"));
    assert!(!model("network", "db"));
    assert!(!model("fault", "api"));
    assert!(!model("load", "c"));
    assert!(!model("deploy", "api"));
}

#[test]
fn a_reload_stops_the_leak_and_gives_nothing_back() {
    let leaked = |deed: &str| {
        let run = run(&format!(
            "
        clients: {{c: {{arrivals: {{constant: {{rate: 1/s, first: 1s}}}}, calls: web}}}}
        horizon: 1000s
        components:
          web:
            kind: server
            workers: 1
            memory: {{limit: 1000MiB, at_limit: killed}}
            endpoints: {{request: [work: 10ms]}}
            version: leaky
            versions:
              leaky: {{leak: {{per_request: 1MiB}}, bugs: {{it: {{raises: {{delay: 1ms}}}}}}}}
        response:
          alerts:
            full: {{signal: {{level: web.memory}}, above: 1%, first_scrape: 0s,
                    first_evaluation: 5s}}
          responder:
            acknowledge: 0s
            hypotheses: {{leak: {{suspect: web, cause: deploy, suggested_by: [full], check: 55s}}}}
            actions: {{back: {{for: [leak], does: [{{{deed}: web}}], takes: 5s}}}}
            verify: 5min
            declare_over: {{quiet: 1h}}"
        ));
        let done = run.outcome.response.actions.first().expect("it is done").2;
        (done / s(1), run.component("web").final_memory >> 20)
    };
    // What has leaked until the action is done stays, or goes with the process.
    let (done, reloaded) = leaked("reload");
    assert!(reloaded.abs_diff(done) <= 1, "{reloaded} MiB after {done} s");
    let (_, restarted) = leaked("rollback");
    assert_eq!(restarted, 0);
}

#[test]
fn whoever_looks_at_a_gauge_sees_its_graph_over_the_window() {
    let run = run(&format!(
        "{SERVER}
        changes:
          outage: {{what: {{crash: {{component: db}}}}, at: 1s}}
          dip: {{what: {{crash: {{component: api}}}}, at: 5min, until: 10min}}
        response:
          alerts:
            down: {{signal: {{level: db.instances_up}}, below: 1}}
          evidence:
            graph:
              signal: {{level: api.instances_up}}
              below: 1
              window: 30min
              noticed_after: 20min
            reading: {{signal: {{level: api.instances_up}}, below: 1, noticed_after: 20min}}
          responder:
            acknowledge: 0s
            hypotheses:
              fault: {{suspect: db, cause: fault, suggested_by: [down], check: 1h}}
            actions: {{again: {{for: [fault], does: [restart: db], takes: 1min}}}}
            verify: 5min
            declare_over: {{quiet: 10min}}"
    ));
    let [graph, reading] = run.outcome.response.noticed[..] else { panic!("two") };
    let looked = run.outcome.response.acknowledged.unwrap() + s(20 * 60);
    assert!(graph.is_some_and(|at| (looked..looked + s(60)).contains(&at)), "{graph:?}");
    assert_eq!(reading, None);
}
