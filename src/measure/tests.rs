use super::*;
use crate::histogram::Histogram;
use crate::plan::load_and_compile;
use crate::sim::Outcome;
use crate::sim::outcome::{
    ClientBucket, ClientOutcome, ComponentBucket, ComponentOutcome, Ending, ResponseOutcome,
};
use crate::sim::users::UserRecords;
use crate::status::Status;
use crate::text::{Sources, plain};
use crate::units::{MINUTE, SECOND};

const MODEL: &str = "
name: hand-made
horizon: 40min
clients:
  players:
    users: 100
    visits: {poisson: {rate: 1/s}}
    visit: {requests: 2, thinking: 1s}
    requests: {search: 100%}
    calls: api
    slow_after: 2s
  crawler:
    arrivals: {poisson: {rate: 1/s}}
    requests: {search: 100%}
    calls: api
components:
  api:
    kind: server
    instances: 2
    workers: 4
    while_calling: hold
    endpoints: {search: [{work: 10ms}]}
    memory: {limit: 100MiB, at_limit: stalls}
  store:
    kind: server
    workers: 1
    while_calling: hold
    endpoints: {get: [{work: 10ms}]}
changes:
  slowness: {what: {slow: {component: api, by: 4x}}, at: 10min}
response:
  alerts:
    failing:
      signal: {ratio: {of: players.errors, to: players.answers}}
      above: 20%
  responder:
    acknowledge: 1min
    hypotheses:
      it is slow: {suspect: api, cause: fault, suggested_by: [failing], check: 1min}
    actions:
      restart: {for: [it is slow], does: [{restart: api}], takes: 1min}
      scale: {for: [it is slow], does: [{scale: {component: api, add: 1}}], takes: 1min}
    verify: 1min
    declare_over: {quiet: 5min}
";

fn plan() -> Plan {
    let mut sources = Sources::default();
    let mut no_files = |path: &str| Err(path.to_owned());
    load_and_compile(&mut sources, "model", MODEL, &[], 1, &mut no_files)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)))
        .2
}

/// A client with 60 requests each minute; `lost` says how many of each minute's fail.
fn client(lost: impl Fn(u64) -> u64, minutes: u64) -> ClientOutcome {
    let mut sum = ClientBucket { sent: 0, over: 0, good: 0, slow: 0, attempts: 0, timed_out: 0 };
    let mut buckets = Vec::new();
    for minute in 0..minutes {
        sum.sent += 60;
        sum.over += 60;
        sum.good += 60 - lost(minute);
        sum.attempts += 60 + 2 * lost(minute);
        buckets.push(sum);
    }
    let mut ended = [0; Status::ALL.len()];
    let degraded = sum.good.min(5);
    ended[Status::Ok as usize] = sum.good - degraded;
    ended[Status::Degraded as usize] = degraded;
    ended[Status::Unavailable as usize] = sum.over - sum.good;
    let latency = (0..minutes).map(|minute| {
        let mut histogram = Histogram::new();
        histogram.record(if lost(minute) > 0 { 3 * SECOND } else { SECOND });
        Some(Box::new(histogram))
    });
    ClientOutcome {
        sent: sum.sent,
        ended,
        open: 0,
        slow: 0,
        attempts: sum.attempts,
        attempts_sent: sum.attempts,
        retries: 0,
        hedges: 0,
        latency: vec![latency.collect()],
        users: None,
        buckets,
    }
}

fn component(minutes: u64, busy_workers: u128) -> ComponentOutcome {
    let bucket = |minute: u64| ComponentBucket {
        requests: 0,
        answers: 0,
        good: 0,
        exceptions: 0,
        waiting: 0,
        present: 0,
        memory: 0.0,
        up: 2,
        busy: busy_workers * u128::from((minute + 1) * MINUTE),
        workers: 0,
        timeouts: 0,
    };
    ComponentOutcome {
        requests: 0,
        answers: [0; Status::ALL.len()],
        exceptions: 3,
        deaths: 1,
        timeouts: 0,
        dropped: 0,
        lost: 0,
        lookups: 8,
        hits: 6,
        mean_present: 2.5,
        mean_waiting: 0.5,
        mean_busy: 3.0,
        left_present: 0,
        left_waiting: 0,
        left_busy: 0,
        left_connections: 0,
        peak_line: 7,
        peak_memory: 50 << 20,
        final_memory: 10 << 20,
        tipped: None,
        buckets: (0..minutes).map(bucket).collect(),
    }
}

/// One isolated bad minute before the trigger (minute 10); bad from minute 12 to 24; half of the
/// requests lost until minute 19, a tenth from then on. Alert at 13 min, restart done at 17 min
/// (useless), scaling at 20 min (helps), over at 35 min.
fn outcome() -> Outcome {
    let lost = |minute| match minute {
        3 => 60,
        12..=19 => 30,
        20..=24 => 6,
        _ => 0,
    };
    let mut players = client(lost, 40);
    let mut users = UserRecords::new(100, 41, MINUTE, 10 * MINUTE);
    for user in 0..10 {
        users.visit_begins(user, 14 * MINUTE);
        users.sent(user, 14 * MINUTE);
        users.ended(user, 14 * MINUTE, user >= 4, user >= 1);
    }
    users.visit_begins(50, 5 * MINUTE);
    users.sent(50, 5 * MINUTE);
    users.ended(50, 5 * MINUTE, true, true);
    for user in 0..4 {
        users.ended(user, 16 * MINUTE + 30 * SECOND, true, user >= 1);
    }
    users.close(40 * MINUTE);
    players.users = Some(users);
    Outcome {
        replica: 0,
        end: 40 * MINUTE,
        observed: Vec::new(),
        ending: Ending::Horizon,
        events: 1,
        fingerprint: 1,
        bucket: MINUTE,
        clients: vec![players, client(|_| 60, 40)],
        components: vec![component(40, 4), component(40, 0)],
        changes: vec![vec![(10 * MINUTE, None)]],
        response: ResponseOutcome {
            alert: Some(13 * MINUTE),
            alert_index: Some(0),
            first_fired: vec![Some(13 * MINUTE)],
            resolved: vec![None],
            noticed: Vec::new(),
            escalated: None,
            acknowledged: Some(14 * MINUTE),
            diagnosed: Some(16 * MINUTE),
            actions: vec![(0, 16 * MINUTE, 17 * MINUTE), (1, 18 * MINUTE, 20 * MINUTE)],
            declared_over: Some(35 * MINUTE),
            hypotheses: vec![(0, 15 * MINUTE, 16 * MINUTE, true)],
            wrong_turns: 0,
        },
        story: Vec::new(),
        untold: 0,
        strikes: Vec::new(),
    }
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    let plan = plan();
    let all = measures(&plan);
    let measure = all.iter().find(|m| m.name == name);
    measure.unwrap_or_else(|| panic!("no {name} in {all:?}")).of(&View::new(&plan, outcome))
}

#[track_caller]
fn assert_values(outcome: &Outcome, expected: &[(&str, Option<f64>)]) {
    for &(name, expected) in expected {
        let found = value(outcome, name);
        let near = match (found, expected) {
            (Some(found), Some(expected)) if expected.is_finite() => {
                (found - expected).abs() < 1e-9
            }
            (found, expected) => found == expected,
        };
        assert!(near, "{name}: {found:?} instead of {expected:?}");
    }
}

#[test]
fn durations_run_from_the_trigger_the_alert_and_the_first_bad_minute() {
    assert_values(
        &outcome(),
        &[
            ("user_outage", Some(13.0)),
            ("fault_to_normal", Some(15.0)),
            ("time_to_recover", Some(15.0)),
            ("reported_outage", Some(22.0)),
            ("time_to_detect", Some(3.0)),
            ("time_to_acknowledge", Some(1.0)),
            ("time_to_diagnose", Some(2.0)),
            ("time_to_mitigate", Some(7.0)),
            ("wrong_turns", Some(0.0)),
            ("incident", Some(1.0)),
            ("error_share_at_alert", Some(0.5)),
        ],
    );
}

#[test]
fn impact_counts_the_users_of_the_outage_window_and_no_streams() {
    // Users 0 to 3 lost 2.5 minutes each; user 0's second answer was in time for its records.
    assert_values(
        &outcome(),
        &[
            ("users_affected", Some(0.4)),
            ("users_unable_to_load", Some(0.1)),
            ("user_minutes_lost", Some(10.0)),
            ("requests_failed", Some(60.0 + 8.0 * 30.0 + 5.0 * 6.0)),
        ],
    );
}

#[test]
fn an_action_helps_if_five_normal_minutes_follow_before_the_next_one() {
    // A tenth lost is below the alert's 20 %, and still makes bad minutes up to minute 25.
    assert_values(
        &outcome(),
        &[
            ("helped.restart", Some(0.0)),
            ("recovery_after.restart", Some(f64::INFINITY)),
            ("helped.scale", Some(1.0)),
            ("recovery_after.scale", Some(5.0)),
        ],
    );
    let mut early = outcome();
    early.response.declared_over = Some(24 * MINUTE);
    assert_values(&early, &[("helped.scale", Some(0.0)), ("time_to_mitigate", None)]);
    early.response.actions.clear();
    assert_values(&early, &[("helped.scale", None), ("recovery_after.scale", None)]);
}

#[test]
fn service_is_judged_by_requests_that_were_not_lost() {
    let lost = 330.0;
    let (all, budget) = (2_400.0, 0.001 * 30.0 * 86_400.0);
    assert_values(
        &outcome(),
        &[
            ("availability", Some(1.0 - lost / all)),
            ("goodput", Some((all - lost) / 2_400.0)),
            ("attempts_per_request", Some(1.0 + 2.0 * lost / all)),
            ("error_budget_burned", Some(lost / budget)),
            ("loss.players", Some(lost / all)),
            ("loss.crawler", Some(1.0)),
        ],
    );
    let mut slow = outcome();
    slow.clients[0].slow = 70;
    assert_values(
        &slow,
        &[("availability", Some(1.0 - 400.0 / all)), ("loss.players", Some(lost / all))],
    );
}

#[test]
fn latencies_are_taken_before_during_and_after_the_user_outage() {
    let outcome = outcome();
    for (name, expected) in [
        ("latency_p50.before", 1.0),
        ("latency_p50.during", 3.0),
        ("latency_p99.after", 1.0),
        ("latency_p99", 3.0),
        ("latency_p50.players", 1.0),
        ("latency_p50.crawler", 3.0),
        ("mean_sojourn.players", (26.0 + 14.0 * 3.0) / 40.0),
    ] {
        let found = value(&outcome, name).unwrap();
        assert!((found / expected - 1.0).abs() < 0.032, "{name}: {found}");
    }
}

#[test]
fn components_tell_their_peaks_and_means() {
    assert_values(
        &outcome(),
        &[
            ("peak_memory.api", Some(50.0)),
            ("final_memory.api", Some(10.0)),
            ("peak_line.api", Some(7.0)),
            ("utilisation.api", Some(3.0 / 8.0)),
            ("utilisation_before.api", Some(0.5)),
            ("utilisation_before.store", Some(0.0)),
            ("deaths.api", Some(1.0)),
            ("exceptions.api", Some(3.0)),
            ("mean_present.api", Some(2.5)),
            ("mean_waiting.api", Some(0.5)),
        ],
    );
}

#[test]
fn a_cascade_reaches_a_component_where_nothing_was_changed() {
    let mut outcome = outcome();
    outcome.components[0].tipped = Some(13 * MINUTE);
    assert_values(&outcome, &[("cascade", Some(0.0))]);
    outcome.components[1].tipped = Some(14 * MINUTE);
    assert_values(&outcome, &[("cascade", Some(1.0))]);
}

#[test]
fn moments_count_from_the_alert() {
    let mut tipped = outcome();
    tipped.components[0].tipped = Some(11 * MINUTE);
    assert_values(
        &tipped,
        &[
            ("begins.slowness", Some(-3.0)),
            ("tips.api", Some(-2.0)),
            ("tips.store", None),
            ("ends.slowness", None),
            ("suspects.it is slow", Some(2.0)),
            ("finds.it is slow", Some(3.0)),
            ("decides.scale", Some(5.0)),
            ("acts.scale", Some(7.0)),
            ("declared_over", Some(22.0)),
        ],
    );
}

#[test]
fn a_run_without_an_incident_has_zeros_and_no_times() {
    let mut quiet = outcome();
    quiet.clients[0] = client(|minute| if minute == 3 { 60 } else { 0 }, 40);
    quiet.clients[0].users = outcome().clients[0].users.take();
    quiet.response = ResponseOutcome::default();
    assert_values(
        &quiet,
        &[
            ("user_outage", Some(0.0)),
            ("fault_to_normal", Some(0.0)),
            ("reported_outage", Some(0.0)),
            ("users_affected", Some(0.0)),
            ("incident", Some(0.0)),
            ("time_to_detect", None),
            ("time_to_recover", None),
            ("wrong_turns", None),
            ("helped.restart", None),
            ("latency_p50.during", None),
            ("begins.slowness", None),
        ],
    );
}

#[test]
fn an_outage_without_an_alert_is_its_own_window() {
    let mut unseen = outcome();
    unseen.response = ResponseOutcome::default();
    assert_values(&unseen, &[("users_affected", Some(0.4)), ("reported_outage", Some(0.0))]);
}

#[test]
fn buckets_begin_after_the_warm_up() {
    let mut plan = plan();
    plan.warm_up = 90 * SECOND;
    let mut outcome = outcome();
    outcome.clients[0].buckets.remove(0);
    let view = View::new(&plan, &outcome);
    assert_eq!(view.bucket(0), Window { from: 90 * SECOND, to: 2 * MINUTE });
    assert_eq!(view.bucket(1).from, 2 * MINUTE);
    assert_eq!(view.bucket_at(30 * SECOND), None);
    assert_eq!(view.bucket_at(3 * MINUTE), Some(2));
}

#[test]
fn every_measure_has_a_definition_and_a_name_of_its_own() {
    let plan = plan();
    let all = measures(&plan);
    for (index, measure) in all.iter().enumerate() {
        assert!(measure.doc.len() > 20 && measure.doc.ends_with('.'), "{measure:?}");
        assert!(all[..index].iter().all(|other| other.name != measure.name), "{measure:?}");
    }
    assert_eq!(Milestone::of("acts.scale"), Some((Milestone::Acts, "scale")));
    assert_eq!(Milestone::of("user_outage"), None);
}

#[test]
fn windows_around_an_action_lie_between_it_and_its_neighbours() {
    assert_values(
        &outcome(),
        &[
            // From the alert at 13 min to 17 min half is lost; from 17 to 20 too.
            ("loss_before.restart", Some(0.5)),
            ("loss_after.restart", Some(0.5)),
            // A tenth for five minutes, and nothing for ten until it is over.
            ("loss_after.scale", Some(5.0 * 6.0 / (15.0 * 60.0))),
            ("normal_again", Some(12.0)),
        ],
    );
    let near = |name: &str, expected: f64| {
        let found = value(&outcome(), name).unwrap();
        assert!((found / expected - 1.0).abs() < 0.02, "{name}: {found}");
    };
    near("latency_before.scale", 3.0);
    near("latency_after.scale", 1.0);
    near("latency_ratio.scale", 1.0 / 3.0);
    let mut idle = outcome();
    idle.response.actions.clear();
    assert_values(&idle, &[("loss_after.scale", None), ("latency_ratio.restart", None)]);
}

#[test]
fn an_outage_can_be_reported_from_the_acknowledgement() {
    let mut plan = plan();
    plan.reported_from_acknowledgement = true;
    let all = measures(&plan);
    let reported = all.iter().find(|m| m.name == "reported_outage").unwrap();
    assert_eq!(reported.of(&View::new(&plan, &outcome())), Some(35.0 - 14.0));
}
