//! How well the service served: availability, goodput, latency.

use super::unit::{COUNT, PER_SECOND, SECONDS, SHARE};
use super::view::{Phase, View};
use super::{Better, Measure};
use crate::plan::{ClassId, ClientId, Plan};
use crate::sim::outcome::ClientOutcome;
use crate::status::Status;
use crate::units::seconds;

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = vec![
        Measure::new(
            "availability",
            SHARE,
            "The share of the users' requests that were not lost, over the run.",
            |view| ratio(kept(view), total(view, over)),
        )
        .better(Better::Higher),
        Measure::new(
            "error_budget_burned",
            SHARE,
            "Users' requests lost in the run, as a share of those that the model's \
             `impact.objective` allows in `impact.budget_period` at the rate of users' requests \
             before the trigger (of the whole run, if it begins with the trigger). 100 % is the \
             whole budget.",
            error_budget_burned,
        ),
        Measure::new(
            "goodput",
            PER_SECOND,
            "Users' requests that ended with a good answer in time, per second of the run.",
            |view| ratio(kept(view), view.measured_seconds()),
        )
        .better(Better::Higher),
        Measure::new(
            "attempts_per_request",
            COUNT,
            "Attempts made by users' requests that are over, for each of them.",
            |view| ratio(total(view, |client| client.attempts), total(view, over)),
        ),
    ];
    latencies(&mut all);
    for (id, client) in plan.clients.iter().enumerate() {
        of_client(&mut all, plan, id as ClientId, &client.name);
    }
    all
}

/// Quantiles of latency that are measured: the end of the name, and the quantile.
const QUANTILES: [(&str, f64); 2] = [("latency_p50", 0.5), ("latency_p99", 0.99)];

/// Overall and by phase, for all users' requests.
fn latencies(all: &mut Vec<Measure>) {
    const LATENCY: &str = "Quantile of the time from the first attempt to the good answer, over \
        the users' requests with a good answer: 50 % (p50) or 99 % (p99) of them were faster.";
    const BEFORE: &str = "The same quantile of latency over the minutes before the trigger.";
    const DURING: &str = "The same quantile of latency over the minutes of the user outage.";
    const AFTER: &str = "The same quantile of latency over the minutes after the user outage.";
    const PARTS: [(&str, &[Phase], &str); 4] = [
        ("", &Phase::ALL, LATENCY),
        (".before", &[Phase::Before], BEFORE),
        (".during", &[Phase::During], DURING),
        (".after", &[Phase::After], AFTER),
    ];
    for (name, q) in QUANTILES {
        for (part, phases, doc) in PARTS {
            all.push(Measure::new(format!("{name}{part}"), SECONDS, doc, move |view| {
                let classes = view.users().iter().flat_map(|&client| view.classes_of(client));
                present(view.latency(classes, phases).quantile(q))
            }));
        }
    }
}

/// By client, and by class where there are several.
fn of_client(all: &mut Vec<Measure>, plan: &Plan, id: ClientId, client: &str) {
    const CLIENT: &str = "Quantile of the latency of the good answers to this client's requests.";
    const CLASS: &str = "Quantile of the latency of the good answers to requests of this class.";
    let first = plan.clients[id as usize].first_class;
    let count = plan.clients[id as usize].class_count;
    for (name, q) in QUANTILES {
        let mut push = |what: String, doc, classes: std::ops::Range<ClassId>| {
            all.push(Measure::new(what, SECONDS, doc, move |view| {
                present(view.latency(classes.clone(), &Phase::ALL).quantile(q))
            }));
        };
        push(format!("{name}.{client}"), CLIENT, first..first + count);
        for class in first..first + count {
            if count > 1 {
                let name = format!("{name}.{client}.{}", plan.classes[class as usize].name);
                push(name, CLASS, class..class + 1);
            }
        }
    }
    all.push(Measure::new(
        format!("mean_sojourn.{client}"),
        SECONDS,
        "The mean time from the first attempt to the good answer, over this client's requests with \
         a good answer.",
        move |view| present(view.latency(view.classes_of(id), &Phase::ALL).mean()),
    ));
    all.push(Measure::new(
        format!("loss.{client}"),
        SHARE,
        "The share of this client's requests that ended without a good answer (slow ones are good \
         here).",
        move |view| {
            let client = &view.outcome.clients[id as usize];
            ratio((over(client) - good(client)) as f64, over(client) as f64)
        },
    ));
}

/// Requests that are over.
pub(super) fn over(client: &ClientOutcome) -> u64 {
    client.ended.iter().sum()
}

/// Requests that ended with a good answer, slow ones included.
pub(super) fn good(client: &ClientOutcome) -> u64 {
    Status::ALL.iter().filter(|s| s.is_good()).map(|&s| client.ended[s as usize]).sum()
}

/// Sum over the clients that count as users.
fn total(view: &View, of: impl Fn(&ClientOutcome) -> u64) -> f64 {
    let clients = view.users().iter().map(|&c| &view.outcome.clients[c as usize]);
    clients.map(of).sum::<u64>() as f64
}

/// Users' requests that were not lost.
fn kept(view: &View) -> f64 {
    total(view, |client| good(client) - client.slow)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn present(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn error_budget_burned(view: &View) -> Option<f64> {
    let trigger = view.trigger().unwrap_or(view.outcome.end);
    let whole = |&(index, _): &(usize, _)| view.bucket(index).to <= trigger;
    let before = view.traffic().iter().enumerate().take_while(whole);
    let (sent, until) = before.fold((0, None), |(sent, _), (index, traffic)| {
        (sent + traffic.sent, Some(view.bucket(index).to))
    });
    let rate = match until {
        Some(until) => ratio(sent as f64, seconds(until - view.plan.warm_up.min(until))),
        None => ratio(total(view, |client| client.sent), view.measured_seconds()),
    };
    let expected = rate? * seconds(view.plan.budget_period);
    let lost = total(view, over) - kept(view);
    ratio(lost, (1.0 - view.plan.objective) * expected)
}
