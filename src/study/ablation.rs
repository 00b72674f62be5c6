//! Claims without their claimed causes.
//!
//! A claim about a cause proves something only if it turns false when the cause is taken away. Its
//! `unless` says how to do that; a study with [`Options::ablations`] judges it in the same run, and
//! [`claims_without_cause`] does so alone, for tests.

use super::check::Checked;
use super::run::{Options, Progress, run};
use super::table::Ablation;

/// Judges every claim that has an `unless` again, in its variants without the claimed cause. The
/// claims that still hold do not depend on what they name.
#[must_use]
pub fn claims_without_cause(
    checked: &Checked,
    options: &Options,
    progress: Progress,
) -> Vec<Ablation> {
    run(checked, &Options { ablations: true, ..*options }, progress).table.ablations
}
