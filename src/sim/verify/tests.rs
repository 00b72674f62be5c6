use super::*;
use crate::plan::load_and_compile;
use crate::text::{Sources, plain};

const MODEL: &str = "
name: two stations
horizon: 5min
clients:
  users: {calls: api, arrivals: {poisson: {rate: 5/s}}, timeout: 1s, layers: [retry: {attempts: 2}]}
components:
  api:
    kind: server
    workers: 4
    while_calling: hold
    endpoints: {request: [work: {exponential: {mean: 100ms}}, call: db]}
  db: {kind: database, workers: 2, endpoints: {request: [work: {exponential: {mean: 50ms}}]}}
changes:
  slowness: {what: {slow: {component: db, by: 3x}}, at: 2min}
";

fn plan(text: &str, seed: u64) -> Plan {
    let mut sources = Sources::default();
    let mut none = |_: &str| Err(String::new());
    match load_and_compile(&mut sources, "model", text, &[], seed, &mut none) {
        Ok((_, _, plan)) => plan,
        Err(problems) => panic!("{}", plain(&problems, &sources)),
    }
}

#[test]
fn the_same_plan_gives_the_same_run_and_its_outcome() {
    let outcome = compare(&plan(MODEL, 1), &plan(MODEL, 1), 0).expect("they are the same");
    assert_eq!(outcome.fingerprint, crate::sim::run(&plan(MODEL, 1), 0).fingerprint);
}

#[test]
fn other_seeds_differ_from_the_first_event_on() {
    let found = compare(&plan(MODEL, 1), &plan(MODEL, 2), 0).unwrap_err();
    assert_eq!(found.event, 1);
    assert_ne!(found.runs[0].at, found.runs[1].at);
    assert!(found.to_string().contains("an arrival of client `users`"), "{found}");
}

#[test]
fn a_difference_is_found_where_it_begins_and_says_whose_it_is() {
    // Nothing differs until the slowness; then a request stays longer in the database.
    let other = MODEL.replace("by: 3x", "by: 4x");
    let found = compare(&plan(MODEL, 1), &plan(&other, 1), 0).unwrap_err();
    let [first, second] = &found.runs;
    assert!(first.at >= 120_000_000_000 && first.at < 125_000_000_000, "{found}");
    let text = found.to_string();
    assert!(text.contains("the end of work on a request"), "{text}");
    assert!(text.contains("of client `users`, attempt 1, at instance 0 of `db`"), "{text}");
    assert!(first != second && !found.same_event);
}

#[test]
fn an_event_with_another_effect_is_named_though_it_is_the_same() {
    // The same work for the database ends as an error.
    let other = MODEL.replace("{mean: 50ms}}]", "{mean: 50ms}}, reply: server_error]");
    let found = compare(&plan(MODEL, 1), &plan(&other, 1), 0).unwrap_err();
    assert!(found.same_event, "{found}");
    assert!(found.to_string().contains("`db`"), "{found}");
}

#[test]
fn different_plans_part_at_the_change_of_one_of_them() {
    let changed = MODEL.replace("by: 3x", "by: 4x");
    let found = first_difference(&plan(MODEL, 1), &plan(&changed, 1), 0).unwrap();
    assert!(found.runs[0].at >= 120 * crate::units::SECOND, "{found}");
    assert_eq!(first_difference(&plan(MODEL, 1), &plan(MODEL, 1), 0), None);
}

#[test]
fn what_has_other_numbers_in_another_plan_is_the_same_all_the_same() {
    // A client in front shifts the numbers of all others; it sends its only request at the end.
    let silent = "clients:\n  late: {calls: api, arrivals: {at: [4min]}}\n";
    let more = MODEL.replacen("clients:\n", silent, 1);
    let found = first_difference(&plan(MODEL, 1), &plan(&more, 1), 0).unwrap();
    assert!(found.runs.iter().any(|moment| moment.what.contains("`late`")), "{found}");
}

#[test]
fn layers_that_have_nothing_to_do_make_no_difference() {
    // Without layers, what has timed out needs no record of its own.
    let base = MODEL.replace(", layers: [retry: {attempts: 2}]", "");
    let inert = MODEL.replace("attempts: 2", "attempts: 2, on: [refused]");
    assert_eq!(first_difference(&plan(&base, 1), &plan(&inert, 1), 0), None);
    let retried = first_difference(&plan(&base, 1), &plan(MODEL, 1), 0);
    assert!(retried.is_some(), "some time out");
}
