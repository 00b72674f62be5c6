use super::*;
use crate::plan::{InstanceId, load_and_compile};
use crate::sim::outcome::{ClientBucket, ClientOutcome};
use crate::sim::run;
use crate::sim::story::{Death, Happening, What};
use crate::status::Status;
use crate::text::Sources;

const MODEL: &str = "\
name: a small system
horizon: 60min
clock_at_alert: 00:10 UTC
clients:
  users: {arrivals: {poisson: {rate: 1/h}}, calls: api, counts_as_users: yes}
components:
  api:
    kind: server
    workers: 4
    instances: 4
    while_calling: hold
    memory: {limit: 1GiB, at_limit: killed}
    restart: {always: {takes: 10s}}
    endpoints: {request: [{call: database}]}
  database: {kind: database, connections: 2, instances: 2, endpoints: {request: [{work: 1ms}]}}
changes:
  slowness: {what: {slow: {component: database, instances: 1, by: 3x}}, at: 50min}
response:
  alerts: {errors: {signal: {rate: api.errors}, above: 2/s}}
  responder:
    acknowledge: 1min
    hypotheses:
      slow database: {suspect: database, cause: fault, suggested_by: [errors], check: 1min}
    actions:
      more: {for: [slow database], does: [{scale: {component: api, add: 2}}], takes: 1min}
      again: {for: [slow database], does: [{restart: api}], takes: 1min}
    verify: 1min
    declare_over: {quiet: 1min}
";

fn plan() -> Plan {
    let mut no_files = |path: &str| Err(path.to_owned());
    let loaded = load_and_compile(&mut Sources::default(), "m", MODEL, &[], 1, &mut no_files);
    loaded.unwrap().2
}

/// The story of an outcome in which only this happened, at these seconds.
fn texts(happenings: &[(f64, What)], change: impl FnOnce(&mut Outcome)) -> Vec<String> {
    let plan = plan();
    let mut outcome = run(&plan, 0);
    let happening = |(at, what): &(f64, What)| Happening {
        at: crate::units::from_seconds(*at),
        what: what.clone(),
    };
    outcome.story = happenings.iter().map(happening).collect();
    outcome.end = 60 * MINUTE;
    change(&mut outcome);
    tell(&plan, &outcome).into_iter().map(|line| line.text).collect()
}

fn out_of_memory(instance: InstanceId) -> What {
    What::Died { instance, death: Death::OutOfMemory { used: 1 << 30, limit: 1 << 30 } }
}

#[test]
fn the_same_on_several_instances_within_a_minute_is_one_line() {
    let story: Vec<_> = (0..4).map(|i| (f64::from(i) * 10.0, out_of_memory(i as u32))).collect();
    let texts = texts(&story, |_| {});
    assert_eq!(texts.len(), 2, "{texts:?}");
    let expected =
        "all 4 instances of api died at the memory limit of 1GiB, one after the other within 30 s";
    assert_eq!(texts[0], expected);
}

#[test]
fn what_happens_later_elsewhere_or_for_another_reason_is_a_line_of_its_own() {
    let story = [
        (0.0, out_of_memory(0)),
        (5.0, What::Died { instance: 1, death: Death::Replaced }),
        (6.0, out_of_memory(4)),
        (61.0, out_of_memory(2)),
    ];
    let texts = texts(&story, |_| {});
    assert_eq!(texts.len(), 5, "{texts:?}");
    assert!(texts[0].starts_with("api #1 died") && texts[1].starts_with("api #2: a new process"));
    assert!(texts[2].starts_with("database #1") && texts[3].starts_with("api #3"));
}

#[test]
fn a_crash_loop_is_one_line_with_its_number_and_its_time() {
    let mut story = Vec::new();
    for round in 0..37 {
        let at = f64::from(round) * 60.0;
        story.push((at, out_of_memory(round as u32 % 4)));
        story.push((at + 10.0, What::CameUp { instance: round as u32 % 4 }));
    }
    let texts = texts(&story, |_| {});
    let expected = "api is in a crash loop: processes died 37 times within 36 min, each time at \
                    the memory limit, and came up 37 times, each after 10 s";
    assert_eq!(texts[0], expected);
    assert_eq!(texts.len(), 2, "{texts:?}");
}

#[test]
fn a_few_deaths_are_no_crash_loop_and_a_restart_by_hand_ends_one() {
    let few: Vec<_> = (0..8).map(|i| (f64::from(i) * 120.0, out_of_memory(0))).collect();
    assert_eq!(texts(&few, |_| {}).len(), 9, "8 deaths are 2 for each of 4 instances");
    let mut story: Vec<_> = (0..9).map(|i| (f64::from(i), out_of_memory(0))).collect();
    story.push((10.0, What::Died { instance: 0, death: Death::Replaced }));
    story.push((12.0, What::CameUp { instance: 0 }));
    let texts = texts(&story, |_| {});
    assert!(texts[0].contains("died 9 times") && texts[2] == "api #1 came up", "{texts:?}");
}

#[test]
fn an_action_tells_of_the_processes_that_it_replaces() {
    let replaced = |instance| What::Died { instance, death: Death::Replaced };
    let story = [(9.0, What::Acts { action: 1 }), (9.0, replaced(0)), (9.0, replaced(1))];
    let texts = texts(&story, |_| {});
    assert_eq!(texts[0], "`again` is done: api is restarted");
    assert_eq!(texts.len(), 2, "{texts:?}");
}

#[test]
fn instances_that_people_add_have_the_numbers_after_the_others() {
    let story = [(1.0, What::CameUp { instance: 7 }), (99.0, What::CameUp { instance: 3 })];
    let texts = texts(&story, |outcome| outcome.response.actions = vec![(0, 0, 0)]);
    assert_eq!(texts[0], "api #6 came up");
    assert_eq!(texts[1], "api #4 came up");
}

#[test]
fn alerts_say_which_number_crossed_which_line() {
    let texts = texts(&[(1.0, What::AlertFires { alert: 0, value: 3.5 })], |_| {});
    assert_eq!(texts[0], "the alert `errors` fires: rate of api.errors is 3.5/s, above 2/s");
}

#[test]
fn changes_say_what_they_do_and_to_how_many() {
    let texts = texts(&[(1.0, What::Change { change: 0, begins: true })], |_| {});
    let expected = "`slowness` begins: 1 of 2 instances of database: work takes 3 times longer";
    assert_eq!(texts[0], expected);
}

#[test]
fn times_count_from_the_alert_and_the_clock_goes_round() {
    let plan = plan();
    let mut outcome = run(&plan, 0);
    outcome.response.alert = Some(30 * MINUTE);
    let at = |minute| Happening { at: minute * MINUTE, what: What::AtALoss };
    outcome.story = vec![at(15), at(30), at(45)];
    let lines = tell(&plan, &outcome);
    let clocks: Vec<_> = lines.iter().take(3).map(|l| l.clock.as_deref().unwrap()).collect();
    assert_eq!(clocks, ["23:55:00", "00:10:00", "00:25:00"]);
    assert_eq!(lines[0].minutes_from_alert, Some(-15.0));
    assert_eq!(lines[0].at_seconds, 900.0);
}

/// What a client saw, from requests over and good in each minute.
fn client(minutes: &[(u64, u64)]) -> ClientOutcome {
    let mut sum = ClientBucket { sent: 0, over: 0, good: 0, slow: 0, attempts: 0, timed_out: 0 };
    let bucket = |&(over, good): &(u64, u64)| {
        sum.over += over;
        sum.good += good;
        sum
    };
    ClientOutcome {
        sent: 0,
        ended: [0; Status::ALL.len()],
        open: 0,
        slow: 0,
        attempts: 0,
        attempts_sent: 0,
        retries: 0,
        hedges: 0,
        latency: Vec::new(),
        users: None,
        buckets: minutes.iter().map(bucket).collect(),
    }
}

#[test]
fn users_suffer_from_the_second_bad_minute_on_until_five_are_good() {
    let mut minutes = vec![(100, 100); 30];
    minutes[2] = (100, 50);
    minutes[10] = (100, 66);
    minutes[14] = (100, 20);
    let texts = texts(&[], |outcome| outcome.clients = vec![client(&minutes)]);
    let expected = [
        "users suffer: 34% of their requests of the last minute failed or were slow (bad above 5%)",
        "users are well again after 5 min (worst: 80%)",
    ];
    assert_eq!(texts[..2], expected);
    assert_eq!(texts.len(), 3, "the single bad minute is noise: {texts:?}");
}

#[test]
fn a_stopped_run_names_the_line_that_grew() {
    let texts = texts(&[], |outcome| {
        let why = StopReason::Memory(3 << 30);
        outcome.ending = Ending::Stopped { why, component: 1, present: 77 };
    });
    let expected = "the run is stopped: requests in flight need 3GiB of memory, and `stop.memory` \
                    allows 1GiB. The line of database grew to 77 requests";
    assert_eq!(texts, [expected]);
}

#[test]
fn lengths_and_shares_are_short() {
    use super::words::{length, percent};
    let seconds = [0.25, 40.0, 60.0, 269.7, 7_920.0].map(crate::units::from_seconds);
    assert_eq!(seconds.map(length), ["250ms", "40 s", "1 min", "4 min 30 s", "132 min"]);
    assert_eq!([0.0, 0.0043, 0.34, 1.0].map(percent), ["0%", "0.4%", "34%", "100%"]);
}

#[test]
fn a_breaker_says_which_share_of_how_many_calls_opened_it() {
    use crate::mitigation::circuit_breaker::Trip;
    let trip = |total, failed, slow, row, on_trial| Trip {
        total,
        failed,
        slow,
        failure_rate: 0.5,
        slow_call_rate: 0.8,
        row,
        on_trial,
    };
    let opens = |trip| What::Breaker { edge: 1, open: true, trip: Some(trip) };
    let story = [
        (1.0, opens(trip(20, 13, 0, None, false))),
        (2.0, opens(trip(20, 1, 16, None, false))),
        (3.0, opens(trip(6, 6, 0, Some(5), false))),
        (4.0, opens(trip(1, 1, 0, Some(5), true))),
        (5.0, What::Breaker { edge: 1, open: false, trip: None }),
    ];
    let texts = texts(&story, |_| {});
    let ends = [
        "opened: 13 of 20 calls failed: 65%, 50% or more",
        "opened: 16 of 20 calls were slow: 80%, 80% or more",
        "opened: 6 calls in a row failed, more than 5",
        "opened: 1 of 1 calls on trial failed",
        "closed again",
    ];
    for (text, end) in texts.iter().zip(ends) {
        assert!(text.starts_with("the circuit breaker of ") && text.ends_with(end), "{text}");
    }
}

/// A model whose only server is overloaded for some minutes by callers who retry.
const STORM: &str = "\
name: a storm
horizon: 30min
clients:
  users:
    calls: api
    arrivals: {poisson: {rate: 8/s}}
    timeout: 2s
    counts_as_users: yes
    layers: [retry: {attempts: 3}]
components:
  api:
    kind: server
    workers: 2
    while_calling: hold
    endpoints: {request: [work: {exponential: {mean: 100ms}}, call: {to: db, timeout: 1s}]}
    pools: {db: {size: 2}}
  db: {kind: database, connections: 1, endpoints: {request: [work: 20ms]}}
changes:
  slowness: {what: {slow: {component: db, by: 20x}}, at: 10min, lasts: 5min}
";

fn storm() -> (Plan, Outcome) {
    let mut no_files = |path: &str| Err(path.to_owned());
    let loaded = load_and_compile(&mut Sources::default(), "m", STORM, &[], 1, &mut no_files);
    let plan = loaded.unwrap_or_else(|problems| panic!("{problems:?}")).2;
    let outcome = run(&plan, 0);
    (plan, outcome)
}

#[test]
fn strain_is_told_with_the_number_that_crossed_its_line() {
    let (plan, outcome) = storm();
    let lines = tell(&plan, &outcome);
    let told = |topic: &str| {
        let found = lines.iter().find(|line| line.topic == topic);
        found.unwrap_or_else(|| panic!("no {topic} in {lines:#?}"))
    };
    let saturated = told("saturated api");
    assert!((600.0..=720.0).contains(&saturated.at_seconds), "{saturated:?}");
    assert!(saturated.text.contains("its 2 workers were 100% busy in the last minute ("));
    let late = told("requests time out");
    assert!(late.text.starts_with("requests time out in the last minute, above 5%: "), "{late:?}");
    assert!(late.text.contains(" of users ("), "{late:?}");
    let retries = told("retries multiply");
    assert!(retries.text.contains(" by users (1.0 in the calm before; "), "{retries:?}");
    let load = told("load is multiplied");
    assert!(load.text.contains("api ") && load.text.ends_with("(1.0)"), "{load:?}");
}

#[test]
fn a_calm_run_tells_of_no_strain_and_of_no_suffering() {
    let calm = STORM.replace("by: 20x", "by: 1.01x");
    let mut no_files = |path: &str| Err(path.to_owned());
    let loaded = load_and_compile(&mut Sources::default(), "m", &calm, &[], 1, &mut no_files);
    let plan = loaded.unwrap().2;
    let outcome = run(&plan, 0);
    let kinds: Vec<_> = tell(&plan, &outcome).into_iter().map(|line| line.topic).collect();
    assert_eq!(kinds, ["change begins slowness", "change ends slowness", "the run ends"]);
    let short = in_short(&plan, &outcome);
    assert!(short.len() == 1 && short[0].starts_with("Users did not suffer"), "{short:?}");
}

#[test]
fn a_run_in_short_says_what_began_tipped_and_ended_it() {
    let (plan, outcome) = storm();
    let short = in_short(&plan, &outcome);
    assert!((3..=5).contains(&short.len()), "{short:#?}");
    assert!(short[0].starts_with("It began with `slowness` at 0:10:00 (db: work takes 20 times"));
    let all = short.join("\n");
    assert!(all.contains("retries added load, up to "), "{all}");
    assert!(short.last().is_some_and(|last| last.starts_with("In total users suffered")), "{all}");
}
