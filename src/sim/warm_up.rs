//! When a system has settled: the rule MSER-5 on a pilot run (White 1997, "An effective truncation
//! heuristic for bias reduction in simulation output"; compared with other rules in Hoad, Robinson
//! and Davies 2010, who recommend it).
//!
//! The series is the number of requests present, all components together, read at 2,000 equal
//! steps. Batches of five are averaged; cut off is what makes the standard error of the mean of
//! the rest smallest. The minimum of a series that is still in its transient lies near its end:
//! then the run is too short.

use super::run;
use crate::plan::Plan;
use crate::units::Nanos;

/// Steps of the series; 400 batches.
const STEPS: u64 = 2_000;
/// Observations in a batch.
const BATCH: usize = 5;

/// What a series says of its warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Observations to leave out.
    pub first: usize,
    /// The best truncation lies in the second half: the series is too short to tell.
    pub is_late: bool,
}

/// What a pilot run says of the warm-up of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pilot {
    /// The time to leave out; at most half of the run.
    pub warm_up: Nanos,
    /// The run is too short for a steady state to be seen.
    pub is_short: bool,
}

/// MSER-5: the truncation `d` with the smallest `sum of (y - mean)^2 / (n - d)^2` over the batch
/// means behind it. The last five batches are not asked: a few values can be close by chance.
#[must_use]
pub fn mser5(series: &[f64]) -> Truncation {
    let batches: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    // From the end to the front, mean and sum of squares are updated (Welford 1962).
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let (mut best, mut first) = (f64::INFINITY, 0);
    for (index, value) in batches.iter().enumerate().rev() {
        count += 1.0;
        let before = value - mean;
        mean += before / count;
        squares += before * (value - mean);
        let error = squares / (count * count);
        // Among equals the earliest, so that nothing is thrown away for nothing.
        if count >= BATCH as f64 && error <= best {
            (best, first) = (error, index);
        }
    }
    let is_late = 2 * first > batches.len();
    Truncation { first: first * BATCH, is_late }
}

/// Runs replica 0 and looks when it has settled.
#[must_use]
pub fn pilot(plan: &Plan) -> Pilot {
    let mut plan = plan.clone();
    plan.warm_up = 0;
    plan.observations.clear();
    plan.bucket = (plan.horizon / STEPS).max(1);
    let outcome = run(&plan, 0);
    let steps = outcome.components.first().map_or(0, |c| c.buckets.len());
    let present = |step: usize| {
        let at = outcome.components.iter().filter_map(|c| c.buckets.get(step));
        at.map(|bucket| f64::from(bucket.present)).sum::<f64>()
    };
    let found = mser5(&(0..steps).map(present).collect::<Vec<f64>>());
    let half = steps / 2;
    Pilot { warm_up: found.first.min(half) as Nanos * plan.bucket, is_short: found.is_late }
}

/// Finds the warm-up of a plan that leaves it open; the pilot is its replica 0.
pub fn settle(plan: &mut Plan) -> Option<Pilot> {
    if !plan.warm_up_is_open {
        return None;
    }
    let found = pilot(plan);
    plan.set_warm_up(found.warm_up);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise between 0 and 1, the same every time.
    fn noise(index: usize) -> f64 {
        crate::rng::Luck::new(index as u64).unit()
    }

    #[test]
    fn mser5_cuts_off_the_transient_and_nothing_where_there_is_none() {
        let flat: Vec<f64> = (0..2000).map(noise).collect();
        let found = mser5(&flat);
        assert!(!found.is_late && found.first < 400, "{found:?}");
        // Up to the 300th value everything is too low.
        let rising: Vec<f64> =
            (0..2000).map(|i| noise(i) + (i as f64 / 300.0).min(1.0) * 20.0).collect();
        let found = mser5(&rising);
        assert!(!found.is_late && (270..340).contains(&found.first), "{found:?}");
    }

    #[test]
    fn a_series_that_never_settles_is_too_short() {
        let growing: Vec<f64> = (0..2000).map(|i| i as f64 + noise(i)).collect();
        assert!(mser5(&growing).is_late);
        assert_eq!(mser5(&[]), Truncation { first: 0, is_late: false });
        assert_eq!(mser5(&[1.0; 2000]), Truncation { first: 0, is_late: false });
    }

    #[test]
    fn mser5_is_that_of_a_sum_over_all_truncations() {
        // The slow twin.
        let series: Vec<f64> =
            (0..500).map(|i| noise(i) + 3.0 * (-(i as f64) / 40.0).exp()).collect();
        let batches: Vec<f64> = series.chunks(5).map(|b| b.iter().sum::<f64>() / 5.0).collect();
        let error = |d: usize| {
            let rest = &batches[d..];
            let n = rest.len() as f64;
            let mean = rest.iter().sum::<f64>() / n;
            rest.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n * n)
        };
        let best = (0..=95).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
        assert_eq!(mser5(&series).first, best * 5);
    }
}
