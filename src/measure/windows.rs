//! What an action changed: errors and latency in the windows between actions.

use super::response::completions;
use super::unit::{COUNT, MINUTES, SECONDS, SHARE};
use super::view::{View, Window, minutes_between};
use super::{Better, Measure};
use crate::plan::Plan;

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = vec![
        Measure::new(
            "normal_again",
            MINUTES,
            "The end of the last bad minute, in minutes from T+0, where there was one.",
            |view| Some(minutes_between(view.zero()?, view.user_outage()?.to)),
        )
        .better(Better::Neither),
    ];
    let actions = plan.responder.iter().flat_map(|responder| &responder.actions);
    for (index, action) in actions.enumerate() {
        let (index, name) = (index as u32, &action.name);
        let mut push = |what: &str, unit, doc, of: fn(&View, Window, Window) -> Option<f64>| {
            let compute = move |view: &View| {
                let (before, after) = around(view, index)?;
                of(view, before, after)
            };
            all.push(Measure::new(format!("{what}.{name}"), unit, doc, compute));
        };
        push(
            "loss_before",
            SHARE,
            "The share of the users' requests that were lost between the action completed before \
             this one (or the alert) and this one, where it was done.",
            |view, before, _| view.within(before).0.lost_share(),
        );
        push(
            "loss_after",
            SHARE,
            "The share of the users' requests that were lost between the completion of this action \
             and the next one's (or the moment when it was declared over, or the end), where it \
             was done.",
            |view, _, after| view.within(after).0.lost_share(),
        );
        push(
            "latency_before",
            SECONDS,
            "The median latency of the good answers between the action completed before this one \
             (or the alert) and this one, where it was done.",
            |view, before, _| median(view, before),
        );
        push(
            "latency_after",
            SECONDS,
            "The median latency of the good answers between the completion of this action and the \
             next one's (or the moment when it was declared over, or the end), where it was done.",
            |view, _, after| median(view, after),
        );
        push(
            "latency_ratio",
            COUNT,
            "`latency_after` of this action divided by its `latency_before`; below 1 latency fell.",
            |view, before, after| Some(median(view, after)? / median(view, before)?),
        );
    }
    all
}

/// The windows before and after the first completion of an action.
fn around(view: &View, action: u32) -> Option<(Window, Window)> {
    let mut from = view.alert()?;
    for completion in completions(view) {
        let at = completion.window.from;
        if completion.action == action {
            return Some((Window { from, to: at }, completion.window));
        }
        from = at;
    }
    None
}

fn median(view: &View, window: Window) -> Option<f64> {
    let median = view.within(window).1.quantile(0.5);
    (!median.is_nan()).then_some(median)
}
