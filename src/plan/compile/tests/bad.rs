//! Bad models and everything that they are told, in one go.

use super::{bad, simple};

#[test]
fn several_problems_of_every_sort_are_reported_at_once_in_the_order_of_the_file() {
    bad(
        "name: many
horizon: 0s
clients:
  web:
    arrivals: {poisson: {rate: 10}}
    calls: api
    timeout: 5kg
  mobile:
    arrivals: {poisson: {rate: 1/s}}
    calls: apii
components:
  api:
    kind: server
    instnaces: 2
    endpoints:
      request:
        - call: databse.query
        - work: {exponential: {mean: 0s}}
  database:
    kind: database
    connections: 0
    endpoints:
      query: [work: 5ms]
",
        &[
            "2:10 a horizon of 0",
            "5:32 `clients.web.arrivals.poisson.rate`: 10 is a number without unit",
            "7:14 `clients.web.timeout`: `5kg` is not a length of time",
            "10:12 unknown component `apii` (did you mean `api`?)",
            "12:3 `api` calls, but does not say `while_calling`",
            "12:3 `api` does not say its `workers` (write `workers: 8`",
            "14:5 unknown word `instnaces` in `components.api` (did you mean `instances`?)",
            // With parts set aside, places inside lists are those of the nearest name.
            "16:7 exponential: `mean` must be greater than 0",
            "17:17 unknown component `databse` (did you mean `database`?)",
            "21:18 `database` has 0 connections",
        ],
    );
}

#[test]
fn a_missing_required_word_is_named() {
    bad(
        "name: x\nclients: {}\ncomponents:\n  a: {kind: server, workers: 1, endpoints: {r: []}}\n",
        &["1:1 `horizon` is missing"],
    );
    bad(&simple("", "memory: {limit: 1GiB}", ""), &["13:5 `at_limit` is missing"]);
}

#[test]
fn what_follows_from_a_broken_definition_is_not_reported() {
    // `api` has a problem of its own; that `web` calls it is none.
    bad(
        "name: x
horizon: 1h
clients:
  web: {arrivals: {poisson: {rate: 1/s}}, calls: api}
components:
  api: {kind: serverr, workers: 1}
",
        &["6:15 unknown word `serverr`"],
    );
}

#[test]
fn shares_that_do_not_add_up_are_told_their_sum() {
    let requests = "requests: {request: 60%, search: 30%}";
    let server = "versions: {v2: {endpoints: {search: [work: 5ms]}}}";
    bad(&simple(requests, server, ""), &["7:15 the shares of `web` add up to 90%"]);
    let choose =
        "endpoints: {request: [choose: [{share: 70%, steps: []}, {share: 60%, steps: []}]]}";
    let model = simple("", "", "").replace("endpoints: {request: [work: 20ms]}", choose);
    bad(&model, &["12:35 the shares of `choose` add up to 130%"]);
}

#[test]
fn a_client_comes_in_exactly_one_way() {
    let words = "visits: {poisson: {rate: 1/s}}";
    bad(&simple(words, "", ""), &["4:3 `web` has both `visits` and `arrivals`"]);
    let no_way = simple("", "", "").replace("arrivals: {poisson: {rate: 10/s}}", "");
    bad(&no_way, &["4:3 `web` never comes"]);
    let visits = simple("", "", "").replace("arrivals:", "visits:");
    bad(
        &visits,
        &["4:3 `web` has `visits`, but no `visit`", "4:3 `web` has `visits`, but no `users`"],
    );
    bad(&simple("users: 5", "", ""), &["7:12 `users` belongs to `visits`"]);
}

#[test]
fn absurd_quantities_are_refused() {
    bad(&simple("", "instances: 0", ""), &["13:16 `api` has 0 instances"]);
    bad(&simple("", "instances: 100001", ""), &["9:3 100001 instances in all (at most 100000"]);
    bad(&simple("", "cpu: {cores: 0}", ""), &["13:18 0 cores"]);
    bad(&simple("", "cost_of_rejecting: 1ms", ""), &["13:24 `cost_of_rejecting` needs `cpu`"]);
    bad(&simple("timeout: 0s", "", ""), &["7:14 a time-out of 0"]);
    bad(&simple("timeout: -5s", "", ""), &["7:14 "]);
    bad(
        &simple("", "memory: {limit: 1GiB, base: 2GiB, at_limit: killed}", ""),
        &["13:21 the memory limit (1GiB) is used up at the start"],
    );
    bad(
        &simple("", "probe: {needs: port, interval: 0s, timeout: 1s, fall: 0, rise: 1}", ""),
        &["13:36 the probe of `api` has interval 0", "13:59 the probe of `api` has `fall` 0"],
    );
    bad(
        &simple("layers: [retry: {attempts: 0}]", "", ""),
        &["7:21 `attempts` counts the first one too"],
    );
    bad(&simple("layers: [{retry: {}}, {bulkhead: {limit: 0}}]", "", ""), &["7:38 a bulkhead"]);
    let hedge = "{hedge: {after: 1s}}";
    bad(
        &simple(&format!("layers: [{hedge}, {hedge}]"), "", ""),
        &["7:36 a second `hedge` around one call (write one"],
    );
    bad(
        &simple("", &format!("layers: [{hedge}]"), ""),
        &["13:22 a `hedge` at a door sends nothing (write it around the call"],
    );
    bad(
        &simple("layers: [retry: {attempts: unlimited, backoff: none}]", "", ""),
        &["7:21 `attempts: unlimited` without a pause"],
    );
    bad(&simple("", "", "warm_up: 1h"), &["14:10 the warm-up is not shorter"]);
    bad(&simple("", "", "scale: {enlarged: 0}"), &["14:19 `enlarged` must be at least 1"]);
    bad(&simple("", "", "clock_at_alert: 25:00 UTC"), &["14:17 `25:00 UTC` is not a time of day"]);
}

#[test]
fn unknown_endpoints_versions_and_classes_get_a_suggestion() {
    bad(
        &simple("requests: {requets: 100%}", "", ""),
        &["7:16 `api` has no endpoint `requets` (did you mean `request`?)"],
    );
    bad(
        &simple("", "version: v3", "  db:\n    kind: database"),
        &[
            "13:14 `api` has no version `v3`",
            "14:3 `db` has no endpoints",
            "14:3 `db` does not say its `connections`",
        ],
    );
    let bug = "bugs: {b: {when: {class: serach, client: wep}, raises: {crash: yes}}}";
    bad(
        &simple("requests: {request: 50%, search: {share: 50%, endpoint: request}}", bug, ""),
        &[
            "13:30 unknown class of requests `serach` (did you mean `search`?)",
            "13:46 unknown client `wep` (did you mean `web`?)",
        ],
    );
}

#[test]
fn words_of_another_kind_are_not_ignored() {
    bad(&simple("", "backends: api", ""), &["13:15 `backends` does not belong to a server"]);
    let rest = "  limiter: {kind: middleware, workers: 4, work: 1ms}";
    bad(
        &simple("", "middleware: [limiter, limiter, api]", rest),
        &[
            "13:27 `api` passes `limiter` twice",
            "13:36 `api` is not middleware",
            "14:40 `workers` does not belong to a middleware",
        ],
    );
    bad(
        &simple(
            "",
            "",
            "  front: {kind: balancer, backends: back}\n  back: {kind: balancer, backends: front}",
        ),
        &[
            "14:3 behind `front` there are only balancers in a circle",
            "15:3 behind `back` there are only balancers in a circle",
        ],
    );
}

#[test]
fn names_must_be_told_apart() {
    let rest = "  web: {kind: database, connections: 1, endpoints: {q.r: [work: 1ms]}}";
    bad(
        &simple("", "", rest),
        &["14:3 `web` is also the name of a client", "14:53 `q.r` cannot be a name here"],
    );
}

#[test]
fn bugs_must_do_something_that_makes_sense() {
    bad(&simple("", "bugs: {b: {raises: {}}}", ""), &["13:24 the bug `api.b` does nothing"]);
    bad(&simple("", "bugs: {b: {raises: {error: ok}}}", ""), &["13:32 `ok` is no error"]);
    let rate = "bugs: {b: {when: {rate: {above: 5/s, window: 0s}}, raises: {crash: yes}}}";
    bad(&simple("", rate, ""), &["13:50 a rate over a window of 0"]);
}

#[test]
fn changes_have_times_and_targets_that_exist() {
    let rest = "changes:
  a: {what: {crash: {component: apii}}, at: 5min}
  b: {what: {crash: {component: api, instances: 3}}}
  c: {what: {slow: {component: api, by: 3x}}, at: 5min, until: 4min, lasts: 1min}
  d: {what: {surge: {clients: web}}, at: 1min}
  e: {what: {deploy: {component: api, version: v9}}, at: 1min, lasts: 5min}
  f: {what: {cut: {from: api, to: api}}, at: 1min}
  g: {what: {crash: {component: api}}, at: 1min, in_progress: rescaled}
  h: {what: {bug: api.b}, at: 1min}
  i: {what: {freeze: {component: api}}, recurring: {up: 0s, down: 0s}}
";
    bad(
        &simple("", "", rest),
        &[
            "15:33 unknown component `apii` (did you mean `api`?)",
            "16:3 `b` does not say when",
            "16:49 3 instances of `api`, which has 1",
            "17:3 `c` has both `until` and `lasts`",
            "17:64 `c` ends at 4min, but begins at 5min",
            "18:21 a surge has either `to` or `by`",
            "19:3 `e` happens at one moment",
            "19:48 `api` has no version `v9`",
            "20:26 there is no link: `api` never calls `api`",
            "21:63 `in_progress` does not fit this change",
            "22:19 unknown bug `api.b`",
            "23:52 times of 0 would come and go",
        ],
    );
}

#[test]
fn an_origin_must_lead_to_something() {
    let rest =
        "origins:\n  components.api.workers: {chosen: so}\n  components.api.wrokers: {chosen: so}";
    bad(
        &simple("", "", rest),
        &["16:3 `components.api.wrokers` leads to nothing in this model (did you mean `workers`"],
    );
}

#[test]
fn a_file_of_laws_that_cannot_be_read_is_reported_at_its_place() {
    let model = simple("", "", "").replace("work: 20ms", "work: {empirical: {file: x.txt}}");
    bad(&model, &["12:33 there is no file `x.txt`"]);
}

#[test]
fn patches_are_checked_and_their_problems_point_into_them() {
    use crate::text::{Sources, parse_set_argument, plain};
    let mut sources = Sources::default();
    let patches = ["components.api.instances=0", "components.apii.workers=3", "horizon=2h"]
        .map(|text| parse_set_argument(&mut sources, text).unwrap());
    let mut no_files = |path: &str| Err(format!("there is no file `{path}`"));
    let text = simple("", "", "");
    let result = crate::plan::load_and_compile(
        &mut sources,
        "model.yaml",
        &text,
        &patches,
        7,
        &mut no_files,
    );
    let shown = plain(&result.unwrap_err(), &sources);
    assert!(shown.contains("--set:1:26: `api` has 0 instances"), "{shown}");
    assert!(shown.contains("apii"), "{shown}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_model_never_panics(
        edits in proptest::collection::vec(
            (0..10_000_usize, 0..60_usize, "[a-z0-9.:{}%-]{0,3}"),
            1..4,
        )
    ) {
        let mut text = super::good::THREE_TIERS.to_owned();
        for (at, length, new) in edits {
            let at = at % text.len();
            let end = (at + length % 12).min(text.len());
            text.replace_range(at..end, &new);
        }
        if let Err(problems) = super::load(&text) {
            proptest::prop_assert!(!problems.is_empty());
        }
    }
}
