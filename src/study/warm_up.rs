//! The warm-up of a study of a steady state.

use super::caution::Caution;
use super::check::Checked;
use super::run::Options;
use crate::plan::Plan;
use crate::sim::warm_up::{Pilot, pilot, settle};
use crate::units::Nanos;

/// What the pilot run, replica 0 of the baseline, has said.
#[derive(Debug, Clone, Copy)]
pub(super) struct WarmUp {
    pilot: Option<Pilot>,
    /// When measuring begins, if the model says it.
    given: Option<Nanos>,
}

impl WarmUp {
    /// Runs the pilot if the baseline has a steady state and a warm-up, or leaves it open.
    pub(super) fn find(checked: &Checked, options: &Options) -> WarmUp {
        let baseline = &checked.variants[0].plan;
        let wanted = baseline.warm_up_is_open || baseline.warm_up > 0 && is_steady(baseline);
        let plan = || Plan { seed: options.seed_of(checked), ..baseline.clone() };
        WarmUp {
            pilot: wanted.then(|| pilot(&plan())),
            given: (!baseline.warm_up_is_open).then_some(baseline.warm_up),
        }
    }

    /// Gives a plan that leaves its warm-up open that of the baseline, so that variants are
    /// measured over the same time; its own where the baseline says a time.
    pub(super) fn settle(&self, plan: &mut Plan) {
        match (self.pilot, self.given) {
            (Some(pilot), None) if plan.warm_up_is_open => plan.set_warm_up(pilot.warm_up),
            _ => {
                settle(plan);
            }
        }
    }

    /// A doubt, if there is one.
    pub(super) fn caution(&self) -> Option<Caution> {
        let pilot = self.pilot?;
        match self.given {
            _ if pilot.is_short => Some(Caution::ShortRun),
            Some(given) if pilot.warm_up > given => {
                Some(Caution::ShortWarmUp { given, found: pilot.warm_up })
            }
            _ => None,
        }
    }
}

/// Nothing happens but what comes again and again, and nobody responds.
fn is_steady(plan: &Plan) -> bool {
    plan.responder.is_none() && plan.changes.iter().all(|change| change.recurring.is_some())
}
