//! What alerts see and what people do about it, in words.

use super::words::{Names, length, value};
use crate::plan::{Place, SignalPlan};
use crate::response::Cause;
use crate::sim::Outcome;
use crate::sim::story::{Happening, What};

/// An alert that is pending or fires, with the value that crossed its threshold.
pub(super) fn alert_text(names: &Names, alert: u32, now: f64, fires: bool) -> String {
    let Some(alert) = names.plan.alerts.get(alert as usize) else { return String::new() };
    let crossed = crossed(names, &alert.signal, now, alert.threshold, alert.above);
    let name = &alert.name;
    match (fires, alert.pages) {
        (false, _) => format!("the alert `{name}` is pending: {crossed}"),
        (true, true) => format!("the alert `{name}` fires: {crossed}"),
        (true, false) => format!("the alert `{name}` fires, without a page: {crossed}"),
    }
}

/// `api.errors / api.requests is 34%, above 20%`.
fn crossed(names: &Names, signal: &SignalPlan, now: f64, threshold: f64, above: bool) -> String {
    let side = if above { "above" } else { "below" };
    format!(
        "{} is {}, {side} {}",
        names.signal(signal),
        value(signal, now),
        value(signal, threshold)
    )
}

/// What people do; nothing for what they do not.
pub(super) fn response(names: &Names, outcome: &Outcome, happening: &Happening) -> Option<String> {
    let people = names.plan.responder.as_ref();
    let action = |index: u32| people.and_then(|people| people.actions.get(index as usize));
    let action_name = |index: u32| action(index).map_or("?", |action| &action.name);
    Some(match happening.what {
        What::Acknowledged => {
            let waited = outcome.response.alert.map(|alert| length(happening.at - alert));
            match waited {
                Some(waited) => format!("somebody is at work on it, {waited} after the alert"),
                None => "somebody is at work on it".to_owned(),
            }
        }
        What::Noticed { evidence, value: now } => {
            let evidence = names.plan.evidence.get(evidence as usize)?;
            let crossed = crossed(names, &evidence.signal, now, evidence.threshold, evidence.above);
            format!("they notice `{}`: {crossed}", evidence.name)
        }
        What::Suspects { hypothesis, clues } => {
            let hypothesis = people?.hypotheses.get(hypothesis as usize)?;
            let clues = if clues == 1 { "1 clue".to_owned() } else { format!("{clues} clues") };
            let cause = cause_words(hypothesis.cause, names, hypothesis.suspect);
            format!("they look into `{}`: {cause} ({clues})", hypothesis.name)
        }
        What::Finds { hypothesis, right } => {
            let name = &people?.hypotheses.get(hypothesis as usize)?.name;
            let took = outcome
                .response
                .hypotheses
                .iter()
                .find(|(id, _, ended, _)| *id == hypothesis && *ended == happening.at)
                .map(|(_, begun, ended, _)| length(ended - begun));
            let word = if right { "right" } else { "wrong" };
            let took = took.map_or(String::new(), |took| format!(" after {took}"));
            format!("`{name}` turns out {word}{took}")
        }
        What::Escalates => "they call in others".to_owned(),
        What::Escalated => "the others are at work on it too".to_owned(),
        What::Decides { action: index } => format!("they decide on `{}`", action_name(index)),
        What::Acts { action: index } => {
            let does = action(index).map_or(String::new(), |action| names.action(action));
            format!("`{}` is done: {does}", action_name(index))
        }
        What::Judges { action, helped } => {
            let word = if helped { "helped" } else { "did not help" };
            format!("`{}` {word}", action_name(action))
        }
        What::AtALoss => "nothing is left to try; they begin again with what they know".to_owned(),
        What::DeclaredOver => "it is declared over".to_owned(),
        _ => return None,
    })
}

fn cause_words(cause: Cause, names: &Names, suspect: Place) -> String {
    let who = names.place(suspect);
    match cause {
        Cause::Bug => format!("a bug in {who}?"),
        Cause::Deploy => format!("a new version of {who}?"),
        Cause::Fault => format!("a fault of {who}?"),
        Cause::Network => format!("the network of {who}?"),
        Cause::Exhaustion => format!("is {who} exhausted?"),
        Cause::Load => format!("too much load from {who}?"),
    }
}
