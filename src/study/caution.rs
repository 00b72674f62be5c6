//! Statistical doubts, each with its remedy.

use crate::measure::View;
use crate::plan::NONE;
use crate::sim::outcome::{Ending, StopReason};
use crate::units::{Nanos, Span};
use std::fmt;

/// A line that ends the run with fewer requests than this is no sign of growth.
const LONG_LINE: u32 = 20;
/// Below this many replicas an interval says little.
const FEW: usize = 30;

/// What may be wrong with one replica's numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// The run ended at its horizon while minutes were still bad.
    pub cut_off: bool,
    /// An alert paged, and the incident was never declared over.
    pub never_over: bool,
    /// The alert fired before the fault began.
    pub false_alarm: bool,
    /// The run was stopped, because this component's line or crowd grew beyond a limit.
    pub stopped: Option<String>,
    /// The waiting line of this component was still growing at the end.
    pub growing: Option<String>,
    /// The drawn inputs made no valid model; what was wrong with it.
    pub no_model: Option<String>,
}

impl Doubts {
    /// Looks at an outcome.
    #[must_use]
    pub fn of(view: &View) -> Doubts {
        let outcome = view.outcome;
        let name = |component: u32| view.plan.components[component as usize].name.clone();
        let stopped = match outcome.ending {
            Ending::Stopped { why, component, .. } if component != NONE => {
                let why = match why {
                    StopReason::Memory(_) => "memory",
                    StopReason::Events(_) => "number of events",
                };
                Some(format!("{why}, with most requests in `{}`", name(component)))
            }
            _ => None,
        };
        let at_horizon = outcome.ending == Ending::Horizon;
        let bad_end = view.user_outage().is_some_and(|outage| outage.to >= outcome.end);
        Doubts {
            cut_off: at_horizon && bad_end,
            never_over: view.alert().is_some() && outcome.response.declared_over.is_none(),
            false_alarm: view
                .alert()
                .is_some_and(|alert| view.trigger().is_none_or(|trigger| alert < trigger)),
            stopped,
            growing: growing(view).filter(|_| at_horizon).map(name),
            no_model: None,
        }
    }
}

/// The component with the longest line at the end, if it is long and at least half as long again
/// as it was after three quarters of the run.
fn growing(view: &View) -> Option<u32> {
    let components = view.outcome.components.iter().enumerate();
    let lines = components.filter_map(|(id, component)| {
        let buckets = &component.buckets;
        let (last, earlier) =
            (buckets.last()?.waiting, buckets.get(buckets.len() * 3 / 4)?.waiting);
        let grows = last >= LONG_LINE && f64::from(last) >= 1.5 * f64::from(earlier);
        grows.then_some((last, id as u32))
    });
    lines.max().map(|(_, id)| id)
}

/// A doubt about a study and what to do about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Caution {
    /// In so many of so many replicas of a variant.
    Replicas {
        /// The variant.
        variant: String,
        /// How many replicas.
        count: usize,
        /// Of how many.
        of: usize,
        /// What was seen.
        what: Seen,
    },
    /// A variant has few replicas.
    FewReplicas {
        /// The smallest number of replicas of a variant.
        replicas: usize,
    },
    /// A steady state was looked for in a run that is too short to show one.
    ShortRun,
    /// A pilot run settled later than measuring begins.
    ShortWarmUp {
        /// When measuring begins, in nanoseconds.
        given: Nanos,
        /// When the pilot run had settled.
        found: Nanos,
    },
    /// A claim is neither shown nor refuted: its interval lies across its limit.
    Open {
        /// The claim.
        claim: String,
    },
    /// There is an incident in normal operation.
    IncidentInNormal {
        /// In how many replicas of the baseline.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// A corrective measure is assumed, and nobody asks how good it must be.
    NoBreakEven {
        /// The measure.
        variant: String,
    },
    /// The effect of a variant on the user-minutes lost is smaller than its uncertainty.
    WideInterval {
        /// The variant.
        variant: String,
    },
}

/// What was seen in some replicas.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// See [`Doubts::cut_off`].
    CutOff,
    /// See [`Doubts::never_over`].
    NeverOver,
    /// See [`Doubts::false_alarm`].
    FalseAlarm,
    /// See [`Doubts::stopped`].
    Stopped(String),
    /// See [`Doubts::growing`].
    Growing(String),
    /// See [`Doubts::no_model`].
    NoModel(String),
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Caution::Replicas { variant, count, of, what } => {
                write!(f, "In {count} of {of} replicas of `{variant}` {what}")
            }
            Caution::FewReplicas { replicas } => write!(
                f,
                "A variant has only {replicas} replicas, and its intervals are wide and uncertain: \
                 run at least {FEW}."
            ),
            Caution::ShortRun => f.write_str(
                "The pilot run had not settled after half of its time (MSER-5), so that means \
                 depend on its beginning: raise the model's `horizon`, or lower the load.",
            ),
            Caution::ShortWarmUp { given, found } => write!(
                f,
                "Measuring begins after {}, and the pilot run settled after {} (MSER-5): raise \
                 the model's `warm_up`, or write `warm_up: auto`.",
                Span(*given),
                Span(*found)
            ),
            Caution::Open { claim } => write!(
                f,
                "The claim “{claim}” is neither shown nor refuted, because its interval lies \
                 across its limit: run more replicas (four times as many halve the interval)."
            ),
            Caution::IncidentInNormal { count, of } => write!(
                f,
                "In {count} of {of} replicas of the baseline there is an incident in normal \
                 operation, too, so that prices are those of an incident: take away under \
                 `normal` what causes it."
            ),
            Caution::NoBreakEven { variant } => write!(
                f,
                "The effect of `{variant}` is assumed, and nothing says how good it must be: add \
                 it to `break_even`."
            ),
            Caution::WideInterval { variant } => write!(
                f,
                "The effect of `{variant}` on the user-minutes lost is smaller than its \
                 uncertainty: run more replicas before choosing by it."
            ),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Seen::CutOff => f.write_str(
                "the horizon ended the run during the user outage, so that durations are too \
                 short: raise the model's `horizon`.",
            ),
            Seen::NeverOver => f.write_str(
                "the incident was never declared over, and the reported outage counts to the end \
                 of the run: raise the model's `horizon`, or look with `run` at why the alert \
                 does not clear.",
            ),
            Seen::FalseAlarm => f.write_str(
                "the alert fired before the fault began: look at its threshold and `for`, or at \
                 the load before the fault.",
            ),
            Seen::Stopped(why) => write!(
                f,
                "the run was stopped at its limit ({why}), and its numbers hold only up to there: \
                 bound the line that grows, or raise the model's `stop`."
            ),
            Seen::Growing(component) => write!(
                f,
                "the line of `{component}` was still growing at the end, so that means depend on \
                 the horizon: lower the load, or read them as those of an overload."
            ),
            Seen::NoModel(why) => write!(
                f,
                "the drawn inputs made no valid model, and the replica is left out ({why}): narrow \
                 the distributions under `uncertain`."
            ),
        }
    }
}

/// A doubt of one replica, if it has it.
type Find = fn(&Doubts) -> Option<Seen>;

/// Every kind of doubt about a replica.
const KINDS: [Find; 6] = [
    |doubts| doubts.no_model.clone().map(Seen::NoModel),
    |doubts| doubts.stopped.clone().map(Seen::Stopped),
    |doubts| doubts.cut_off.then_some(Seen::CutOff),
    |doubts| doubts.never_over.then_some(Seen::NeverOver),
    |doubts| doubts.false_alarm.then_some(Seen::FalseAlarm),
    |doubts| doubts.growing.clone().map(Seen::Growing),
];

/// Kinds of doubt about replicas in which there need be no incident.
const EXTRA: [Find; 3] = [KINDS[0], KINDS[1], KINDS[5]];

/// The cautions about replicas beside those of the variants: of normal operation, pairs, points.
pub fn of_extra_replicas<'d>(
    name: &str,
    doubts: impl ExactSizeIterator<Item = &'d Doubts> + Clone,
) -> Vec<Caution> {
    of_kinds(&EXTRA, name, doubts)
}

/// The cautions about the replicas of a variant; of each kind one, with the words of the first.
pub fn of_replicas<'d>(
    variant: &str,
    doubts: impl ExactSizeIterator<Item = &'d Doubts> + Clone,
) -> Vec<Caution> {
    of_kinds(&KINDS, variant, doubts)
}

fn of_kinds<'d>(
    kinds: &[Find],
    variant: &str,
    doubts: impl ExactSizeIterator<Item = &'d Doubts> + Clone,
) -> Vec<Caution> {
    let of = doubts.len();
    let caution = |find: &Find| {
        let mut seen = doubts.clone().filter_map(find);
        let what = seen.next()?;
        let count = 1 + seen.count();
        Some(Caution::Replicas { variant: variant.to_owned(), count, of, what })
    };
    kinds.iter().filter_map(caution).collect()
}

/// Whether so many replicas are few.
pub fn are_few(replicas: usize) -> bool {
    replicas < FEW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cautions_count_their_replicas_and_name_a_remedy() {
        let cut = Doubts { cut_off: true, ..Doubts::default() };
        let stopped = Doubts { stopped: Some("memory".to_owned()), ..Doubts::default() };
        let all = [cut.clone(), Doubts::default(), cut, stopped];
        let cautions = of_replicas("baseline", all.iter());
        assert_eq!(cautions.len(), 2);
        let text = cautions[1].to_string();
        assert!(text.starts_with("In 2 of 4 replicas of `baseline` the horizon"), "{text}");
        assert!(text.contains("raise the model's `horizon`"));
        assert!(cautions[0].to_string().contains("memory"));
    }
}
