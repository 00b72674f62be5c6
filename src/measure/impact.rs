//! What the incident did to users.

use super::unit::{MINUTES, REQUESTS, SHARE};
use super::view::{View, minutes, minutes_between};
use super::{Better, Measure};
use crate::plan::Plan;

/// A user outage longer than this is an incident, in minutes.
const INCIDENT_MINUTES: f64 = 5.0;

pub(super) fn measures(_: &Plan) -> Vec<Measure> {
    vec![
        Measure::new(
            "user_outage",
            MINUTES,
            "From the first to the last bad minute (from the trigger on); 0 without one.",
            |view| Some(user_outage(view)),
        ),
        Measure::new(
            "fault_to_normal",
            MINUTES,
            "From the trigger to the end of the last bad minute; 0 without one.",
            |view| Some(fault_to_normal(view).unwrap_or(0.0)),
        ),
        Measure::new(
            "reported_outage",
            MINUTES,
            "From the alert (or the acknowledgement, if the model's `impact.reported_from` says \
             so) to the moment when the incident was declared over (the end of the run if it \
             never was); 0 without an alert. Better monitoring lengthens it.",
            |view| Some(view.reported_outage().map_or(0.0, |window| window.minutes())),
        )
        .better(Better::Neither),
        Measure::new(
            "users_affected",
            SHARE,
            "Of the users who began a request in the outage window, the share of those who had one \
             lost in it; 0 without an outage window.",
            |view| Some(share(view.impact().affected, view.impact().active).unwrap_or(0.0)),
        ),
        Measure::new(
            "users_unable_to_load",
            SHARE,
            "Of the users who began a request in the outage window, the share of those who had no \
             good answer in it, not even a slow one; 0 without an outage window.",
            |view| Some(share(view.impact().unable, view.impact().active).unwrap_or(0.0)),
        ),
        Measure::new(
            "user_minutes_lost",
            MINUTES,
            "Over all users and the whole run, the time from a lost request to that user's next \
             good answer, for each visit at most the model's `impact.lost_at_most`.",
            |view| Some(user_minutes_lost(view)),
        ),
        Measure::new(
            "requests_failed",
            REQUESTS,
            "Users' requests that ended without a good answer, after all their retries, over the \
             run.",
            |view| Some(requests_failed(view)),
        ),
        Measure::new(
            "incident",
            SHARE,
            "Whether the user outage was longer than 5 minutes.",
            |view| Some(f64::from(u8::from(user_outage(view) > INCIDENT_MINUTES))),
        )
        .probability(),
        Measure::new(
            "cascade",
            SHARE,
            "Whether the trouble spread: an instance died or stalled by itself in a component \
             other than those on which a change acted and those in which a bug struck (hosts of a \
             middleware included).",
            |view| Some(f64::from(u8::from(cascade(view)))),
        )
        .probability(),
        Measure::new(
            "error_share_at_alert",
            SHARE,
            "The share of lost requests among the users' requests that ended in the minute of the \
             alert.",
            |view| view.traffic().get(view.bucket_at(view.alert()?)?)?.lost_share(),
        )
        .better(Better::Neither),
        Measure::new(
            "error_share_during",
            SHARE,
            "The share of lost requests among the users' requests that ended in the user outage.",
            |view| view.lost_share_within(view.user_outage()?),
        ),
        Measure::new(
            "error_share_worst",
            SHARE,
            "The share of lost requests among the users' requests that ended in the worst minute \
             of the user outage.",
            |view| view.worst_share(view.user_outage()?),
        ),
    ]
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

pub(super) fn user_outage(view: &View) -> f64 {
    view.user_outage().map_or(0.0, |window| window.minutes())
}

/// From the trigger to the end of the last bad minute; none without one.
pub(super) fn fault_to_normal(view: &View) -> Option<f64> {
    Some(minutes_between(view.trigger()?, view.user_outage()?.to))
}

fn user_minutes_lost(view: &View) -> f64 {
    let clients = view.users().iter().map(|&c| &view.outcome.clients[c as usize]);
    minutes(clients.filter_map(|client| client.users.as_ref()).map(|users| users.time_lost).sum())
}

fn requests_failed(view: &View) -> f64 {
    let clients = view.users().iter().map(|&c| &view.outcome.clients[c as usize]);
    let failed = clients.map(|client| super::service::over(client) - super::service::good(client));
    failed.sum::<u64>() as f64
}

fn cascade(view: &View) -> bool {
    let origins = view.origins();
    let tipped = view.outcome.components.iter().enumerate().filter(|(_, c)| c.tipped.is_some());
    tipped.map(|(id, _)| id as u32).any(|id| !origins.contains(&id))
}
