//! When things happened, in minutes from T+0: the alert, or in models in which no alert pages, the
//! trigger. Timelines mark these moments.

use super::unit::MINUTES;
use super::view::{View, minutes_between};
use super::{Better, Measure};
use crate::plan::Plan;
use crate::units::Nanos;

/// What kind of moment a measure of this group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// A change begins.
    ChangeBegins,
    /// A change ends.
    ChangeEnds,
    /// A hypothesis is looked into.
    Suspects,
    /// An action is done.
    Acts,
    /// It is declared over.
    Over,
}

impl Milestone {
    /// Every kind with the first word of its measures' names.
    const FAMILIES: [(&'static str, Milestone); 4] = [
        ("begins.", Milestone::ChangeBegins),
        ("ends.", Milestone::ChangeEnds),
        ("suspects.", Milestone::Suspects),
        ("acts.", Milestone::Acts),
    ];
    /// The measure of the declaration that it is over.
    const OVER: &'static str = "declared_over";

    /// Which moment a measure is, and of what, by its name; none for any other measure.
    #[must_use]
    pub fn of(measure: &str) -> Option<(Milestone, &str)> {
        if measure == Self::OVER {
            return Some((Milestone::Over, ""));
        }
        let mut families = Self::FAMILIES.iter();
        families.find_map(|(word, kind)| Some((*kind, measure.strip_prefix(word)?)))
    }
}

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = Vec::new();
    for (id, change) in plan.changes.iter().enumerate() {
        moment(
            &mut all,
            format!("begins.{}", change.name),
            "When this change first began, in minutes from T+0.",
            move |view| Some(view.outcome.changes[id].first()?.0),
        );
        moment(
            &mut all,
            format!("ends.{}", change.name),
            "When this change last ended, in minutes from T+0, where it did.",
            move |view| view.outcome.changes[id].last()?.1,
        );
    }
    for (id, component) in plan.components.iter().enumerate().filter(|(_, c)| c.instances > 0) {
        moment(
            &mut all,
            format!("tips.{}", component.name),
            "When an instance of this component first stalled or died by itself, in minutes from \
             T+0, where one did.",
            move |view| view.outcome.components[id].tipped,
        );
    }
    for (index, alert) in plan.alerts.iter().enumerate() {
        moment(
            &mut all,
            format!("fires.{}", alert.name),
            "When this alert first fired, in minutes from T+0.",
            move |view| *view.outcome.response.first_fired.get(index)?,
        );
        moment(
            &mut all,
            format!("resolves.{}", alert.name),
            "When this alert stopped firing for good, in minutes from T+0.",
            move |view| *view.outcome.response.resolved.get(index)?,
        );
    }
    let Some(responder) = &plan.responder else { return all };
    for (index, evidence) in plan.evidence.iter().enumerate() {
        moment(
            &mut all,
            format!("notices.{}", evidence.name),
            "When people found this piece of evidence, in minutes from T+0.",
            move |view| *view.outcome.response.noticed.get(index)?,
        );
    }
    moment(
        &mut all,
        "escalated".to_owned(),
        "When those who were called in were at work on it, in minutes from T+0.",
        |view| view.outcome.response.escalated,
    );
    for (index, hypothesis) in responder.hypotheses.iter().enumerate() {
        let first = move |view: &View| {
            let mut looked = view.outcome.response.hypotheses.iter();
            looked.find(|(hypothesis, ..)| *hypothesis as usize == index).copied()
        };
        moment(
            &mut all,
            format!("suspects.{}", hypothesis.name),
            "When this hypothesis was first looked into, in minutes from T+0.",
            move |view| first(view).map(|(_, begun, ..)| begun),
        );
        moment(
            &mut all,
            format!("finds.{}", hypothesis.name),
            "When it was first known whether this hypothesis is right, in minutes from T+0.",
            move |view| first(view).map(|(_, _, ended, _)| ended),
        );
    }
    for (index, action) in responder.actions.iter().enumerate() {
        let first = move |view: &View| {
            let mut done = view.outcome.response.actions.iter();
            done.find(|(action, ..)| *action as usize == index).copied()
        };
        moment(
            &mut all,
            format!("decides.{}", action.name),
            "When this action was first decided on, in minutes from T+0; known where it was done.",
            move |view| first(view).map(|(_, decided, _)| decided),
        );
        moment(
            &mut all,
            format!("acts.{}", action.name),
            "When this action was first done, in minutes from T+0.",
            move |view| first(view).map(|(.., done)| done),
        );
    }
    moment(
        &mut all,
        Milestone::OVER.to_owned(),
        "When it was declared over, in minutes from T+0.",
        |view| view.outcome.response.declared_over,
    );
    all
}

/// Adds a measure that tells when something happened.
fn moment(
    all: &mut Vec<Measure>,
    name: String,
    doc: &'static str,
    when: impl Fn(&View) -> Option<Nanos> + Send + Sync + 'static,
) {
    let compute = move |view: &View| Some(minutes_between(view.zero()?, when(view)?));
    all.push(Measure::new(name, MINUTES, doc, compute).better(Better::Neither));
}
