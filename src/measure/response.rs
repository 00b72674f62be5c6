//! How people responded: how long each stage took, and which action helped.

use super::impact::fault_to_normal;
use super::unit::{COUNT, MINUTES, SHARE};
use super::view::{View, Window, minutes, minutes_between};
use super::{Better, Measure};
use crate::plan::Plan;
use crate::units::{MINUTE, Nanos};

/// The share of lost requests must be normal for so long before an action is said to have helped.
const NORMAL_FOR: Nanos = 5 * MINUTE;

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = stages();
    let actions = plan.responder.iter().flat_map(|responder| &responder.actions);
    for (index, action) in actions.enumerate() {
        let index = index as u32;
        let name = format!("helped.{}", action.name);
        let doc = "Whether this action helped, where it was done: between its completion and the \
            next action's (or the moment when it was declared over, or the end) the share of the \
            users' requests that were lost was below the threshold of the alert that paged for 5 \
            minutes running.";
        let helped = move |view: &View| {
            let mut done = completions(view).filter(|c| c.action == index).peekable();
            done.peek()?;
            Some(f64::from(u8::from(done.any(|completion| completion.helped(view)))))
        };
        all.push(Measure::new(name, SHARE, doc, helped).better(Better::Higher).probability());
        let name = format!("recovery_after.{}", action.name);
        let doc = "From the completion of this action, where it was done and helped, to the end of \
            the last bad minute before the next action's completion; 0 if there is none; infinite \
            where it was done and did not help.";
        all.push(Measure::new(name, MINUTES, doc, move |view| {
            let mut done = completions(view).filter(|c| c.action == index).peekable();
            done.peek()?;
            let helped = done.find(|completion| completion.helped(view));
            Some(helped.map_or(f64::INFINITY, |completion| completion.recovery(view)))
        }));
    }
    all
}

fn stages() -> Vec<Measure> {
    vec![
        Measure::new(
            "time_to_detect",
            MINUTES,
            "From the trigger to the alert, where it did not come before.",
            |view| {
                let (trigger, alert) = (view.trigger()?, view.alert()?);
                (alert >= trigger).then(|| minutes(alert - trigger))
            },
        ),
        Measure::new(
            "time_to_acknowledge",
            MINUTES,
            "From the alert to somebody at work on it.",
            |view| Some(minutes_between(view.alert()?, view.outcome.response.acknowledged?)),
        ),
        Measure::new(
            "time_to_diagnose",
            MINUTES,
            "From the acknowledgement to the first hypothesis that was found right.",
            |view| {
                let response = &view.outcome.response;
                Some(minutes_between(response.acknowledged?, response.diagnosed?))
            },
        ),
        Measure::new(
            "time_to_mitigate",
            MINUTES,
            "From the alert to the completion of the first action that helped.",
            |view| {
                let helped = completions(view).find(|completion| completion.helped(view))?;
                Some(minutes_between(view.alert()?, helped.window.from))
            },
        ),
        Measure::new(
            "time_to_recover",
            MINUTES,
            "From the trigger to the end of the last bad minute, where there was one.",
            fault_to_normal,
        ),
        Measure::new(
            "wrong_turns",
            COUNT,
            "Hypotheses found wrong before the first one that was found right, where there was an \
             alert.",
            |view| view.alert().map(|_| f64::from(view.outcome.response.wrong_turns)),
        ),
    ]
}

/// An action that is done.
pub(super) struct Completion {
    pub(super) action: u32,
    /// From its completion to the next one's, the declaration that it is over, or the end.
    pub(super) window: Window,
}

/// All completions in order of time.
pub(super) fn completions<'a>(view: &'a View) -> impl Iterator<Item = Completion> + 'a {
    let response = &view.outcome.response;
    let over = response.declared_over.unwrap_or(view.outcome.end);
    let mut done: Vec<(Nanos, u32)> =
        response.actions.iter().map(|&(action, _, done)| (done, action)).collect();
    done.sort_unstable();
    (0..done.len()).map(move |index| {
        let (from, action) = done[index];
        // Two that are completed together are one action with two names.
        let next = done[index..].iter().map(|&(at, _)| at).find(|&at| at > from);
        Completion { action, window: Window { from, to: next.unwrap_or(over.max(from)) } }
    })
}

impl Completion {
    fn helped(&self, view: &View) -> bool {
        let needed = NORMAL_FOR.div_ceil(view.outcome.bucket);
        let limit = view.normal_below();
        let mut running = 0;
        view.traffic().iter().enumerate().any(|(index, traffic)| {
            let bucket = view.bucket(index);
            let inside = bucket.from >= self.window.from && bucket.to <= self.window.to;
            // A minute in which nothing ended shows nothing.
            let normal = traffic.lost_share().is_some_and(|share| share < limit);
            running = if inside && normal { running + 1 } else { 0 };
            running >= needed
        })
    }

    /// From the completion to the end of the last bad minute that begins in the window, in minutes.
    fn recovery(&self, view: &View) -> f64 {
        let bad = view.traffic().iter().enumerate().filter(|(_, traffic)| {
            traffic.lost_share().is_some_and(|share| share > view.plan.bad_minute)
        });
        let mut inside = bad
            .map(|(index, _)| view.bucket(index))
            .filter(|bucket| bucket.to > self.window.from && bucket.from < self.window.to);
        inside.next_back().map_or(0.0, |bucket| minutes_between(self.window.from, bucket.to))
    }
}
