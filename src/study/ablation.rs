//! Claims without their claimed causes.
//!
//! A claim about a cause proves something only if it turns false when the cause is taken away. Its
//! `unless` says how to do that; a study with [`Options::ablations`] judges it in the same run, and
//! [`claims_without_cause`] does so alone, for tests.

use super::check::{Checked, CheckedClaim};
use super::result::{VariantRows, judge};
use super::run::{Options, Progress, jobs_without_causes, run_all, settle};
use super::table::Ablation;
use super::warm_up::WarmUp;

/// Judges every claim that has an `unless` again, in its variants without the claimed cause. The
/// claims that still hold do not depend on what they name.
#[must_use]
pub fn claims_without_cause(
    checked: &Checked,
    options: &Options,
    progress: Progress,
) -> Vec<Ablation> {
    let mut jobs = jobs_without_causes(checked, options);
    settle(&mut jobs, WarmUp::find(checked, options));
    let finished = run_all(checked, &jobs, None, options.threads, progress);
    ablations(checked, &mut finished.into_iter())
}

/// The verdicts from the rows of the variants without the causes, in the order of the claims.
pub(super) fn ablations(
    checked: &Checked,
    finished: &mut impl Iterator<Item = VariantRows>,
) -> Vec<Ablation> {
    checked.claims.iter().filter_map(|claim| ablation(claim, finished)).collect()
}

fn ablation(
    claim: &CheckedClaim,
    finished: &mut impl Iterator<Item = VariantRows>,
) -> Option<Ablation> {
    let unless = claim.unless.as_ref()?;
    let variant = finished.next()?;
    let against = match unless.against {
        Some(_) => Some(finished.next()?),
        None => None,
    };
    let verdict = judge(claim, &variant, against.as_ref().unwrap_or(&variant));
    Some(Ablation {
        claim: claim.claim.clone(),
        without: unless.about.clone(),
        holds: verdict.holds,
        is_open: verdict.is_open,
        evidence: verdict.evidence,
    })
}
