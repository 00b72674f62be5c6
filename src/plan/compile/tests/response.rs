//! Alerts and people.

use super::{bad, good, simple};
use crate::plan::{Clue, Counter, DeedPlan, Gauge, Place, SignalPlan};
use crate::status::Status;

fn response(alerts: &str, rest: &str) -> String {
    let bug = "bugs: {b: {raises: {error: server_error}, log: bad line}}";
    simple("", bug, &format!("response:\n  alerts:\n{alerts}\n{rest}"))
}

#[test]
fn signals_are_known_and_thresholds_fit_them() {
    let alerts = "    a: {signal: {ratio: {of: api.answers.503, to: api.reqests}}, above: 20%}
    b: {signal: {ratio: {of: apl.errors, to: api.requests}}, above: 20%}
    c: {signal: {rate: api.errors}, above: 20%}
    d: {signal: {level: api.memory}, above: 20%}
    e: {signal: {level: web.line}, above: 3}
    f: {signal: {count: api.log.good line}, above: 3}
    g: {signal: {count: api.answers.504x}, above: 3}
    h: {signal: {latency: {of: web, quantile: 100%}}, above: 3s, below: 1s}
    i: {signal: {count: api.deaths}, above: 3, window: 0s, every: 0s}";
    bad(
        &response(alerts, ""),
        &[
            "16:51 `api.reqests` is an unknown signal (did you mean `requests`? counters here are",
            "17:30 unknown component or client `apl` (did you mean `api`?)",
            "18:44 the threshold is a share, and the signal is a rate",
            "19:25 `api.memory` watches memory that has no limit",
            "20:25 `web.line` is no gauge",
            "21:25 unknown log line `api.log.good line`",
            "22:25 unknown status `504x`",
            "23:5 `h` has both `above` and `below`",
            "23:47 a quantile lies between",
            "24:56 a window of 0 holds nothing",
            "24:67 `i` has `every` 0",
        ],
    );
}

#[test]
fn http_codes_name_all_statuses_that_travel_with_them() {
    let plan = good(&response(
        "    a: {signal: {count: api.answers.200}, above: 3}
    b: {signal: {count: api.answers.unavailable}, above: 3}
    c: {signal: {count: api.log.bad line}, above: 3}
    d: {signal: {level: api.busy}, below: 90%}",
        "",
    ));
    let (api, bit) = (Place::Component(0), |status: Status| 1 << status as u16);
    let expected = [
        SignalPlan::Count(Counter::AnswersOf(api, bit(Status::Ok) | bit(Status::Degraded))),
        SignalPlan::Count(Counter::AnswersOf(api, bit(Status::Unavailable))),
        SignalPlan::Count(Counter::Log(0)),
        SignalPlan::Level(Gauge::Busy(0)),
    ];
    let shown = |signals: &[SignalPlan]| format!("{signals:?}");
    let found: Vec<_> = plan.alerts.iter().map(|alert| alert.signal).collect();
    assert_eq!(shown(&found), shown(&expected));
    assert!(!plan.alerts[3].above && plan.alerts[3].threshold == 0.9);
}

const ALERT: &str = "    errors: {signal: {ratio: {of: api.errors, to: api.requests}}, above: 5%}";

#[test]
fn people_are_compiled_with_their_clues_and_deeds() {
    let plan = good(&response(
        ALERT,
        "  responder:
    acknowledge: 2min
    hypotheses:
      bug: {suspect: api, cause: bug, suggested_by: [errors, again], check: 5min}
    actions:
      again: {for: [bug], does: [{restart: api}], takes: 1min}
      fix:
        for: [bug]
        does: [{hotfix: api.b}, {scale: {component: api, add: 2}}]
        replaces: [api]
        takes: 1min
    verify: 5min
    declare_over: {quiet: 15min}",
    ));
    let people = plan.responder.unwrap();
    assert_eq!(people.hypotheses[0].suggested_by, [Clue::Alert(0), Clue::FailedAction(0)]);
    assert_eq!(people.actions[0].does, [DeedPlan::Restart(0)]);
    assert_eq!(people.actions[1].does, [DeedPlan::Hotfix(0), DeedPlan::Scale(0, 2)]);
    assert_eq!(
        (people.actions[1].for_.as_slice(), people.actions[1].replaces.len()),
        (&[0][..], 1)
    );
}

#[test]
fn people_name_only_what_exists() {
    let rest = "  evidence:
    errors: {signal: {count: api.errors}, above: 5}
  responder:
    acknowledge: 2min
    watches: erors
    hypotheses:
      bug: {suspect: apj, cause: bug, suggested_by: [eror], check: 5min}
      load: {suspect: api, cause: load, suggested_by: [], check: 5min}
    actions:
      fix: {for: [bugg], does: [{hotfix: api.c}, {disable: api}, {block: webb}], takes: 1min}
    verify: 5min
    declare_over: {quiet: 15min}";
    bad(
        &response(ALERT, rest),
        &[
            "18:5 `errors` names two things",
            "21:14 unknown alert `erors` (did you mean `errors`?)",
            "23:22 unknown component or client `apj` (did you mean `api`?)",
            "23:54 unknown alert, evidence or action `eror`",
            "24:7 nothing suggests `load`",
            "24:23 such a cause cannot be at `api` (suspect a client)",
            "26:19 unknown hypothesis `bugg` (did you mean `bug`?)",
            "26:42 unknown bug `api.c`",
            "26:60 `api` is not middleware",
            "26:74 unknown client `webb`",
        ],
    );
}
