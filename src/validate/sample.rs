//! Running a case: as many replicas as its quantities need.
//!
//! The sampler knows how precise each quantity has to be, and not what it is expected to be.

use super::case::{Case, Run};
use super::estimate::Estimate;
use crate::measure::View;
use crate::plan::Plan;
use crate::rng::seed_of;
use crate::sim;
use crate::study::in_parallel;

/// Where the value of a leaf is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The run.
    pub run: usize,
    /// The number in a row of the run.
    pub probe: usize,
    /// Whether it is 0 or 1 by its meaning: `each(... < ...)`.
    pub is_indicator: bool,
}

/// How precise an estimate has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Precision {
    /// The first replicas are enough.
    Any,
    /// The half-width of the interval, as a part of the estimate.
    Relative(f64),
    /// The half-width of the interval.
    Absolute(f64),
    /// The standard error.
    StandardError(f64),
    /// The upper confidence bound should be decided against this.
    Upper(f64),
}

/// So many groups of replicas are kept apart; with more replicas the groups get larger.
const MOST_GROUPS: u64 = 1024;
/// Replicas between two reports; the rows of so many are in memory at once.
const CHUNK: usize = 4096;
/// How far below the asked width the number of replicas aims, because the spread that it is
/// computed from is an estimate itself.
const AIM: f64 = 0.95;
/// Rounds of replicas at most.
const ROUNDS: usize = 12;

/// A sum over some replicas, of those in which the number applies.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: f64,
    count: u64,
}

/// What the replicas of one run yielded, in groups of equal size in their order.
#[derive(Debug, Clone)]
pub struct RunSample {
    size: u64,
    groups: Vec<Vec<Sum>>,
    totals: Vec<Sum>,
    least_and_most: Vec<(f64, f64)>,
    /// Replicas so far.
    pub replicas: u64,
}

impl RunSample {
    /// No replicas, of rows with so many numbers.
    #[must_use]
    pub fn new(probes: usize) -> RunSample {
        RunSample {
            size: 1,
            groups: Vec::new(),
            totals: vec![Sum::default(); probes],
            least_and_most: vec![(f64::INFINITY, f64::NEG_INFINITY); probes],
            replicas: 0,
        }
    }

    /// Adds the row of the next replica.
    pub fn add(&mut self, row: &[f64]) {
        let group = (self.replicas / self.size) as usize;
        if group == self.groups.len() {
            self.groups.push(vec![Sum::default(); row.len()]);
        }
        for (probe, &value) in row.iter().enumerate() {
            if !value.is_nan() {
                for sum in [&mut self.groups[group][probe], &mut self.totals[probe]] {
                    sum.sum += value;
                    sum.count += 1;
                }
                let ends = &mut self.least_and_most[probe];
                *ends = (ends.0.min(value), ends.1.max(value));
            }
        }
        self.replicas += 1;
    }

    /// The number of groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The mean of a number; not a number if it applied in no replica.
    #[must_use]
    pub fn mean(&self, probe: usize) -> f64 {
        self.totals[probe].sum / self.totals[probe].count as f64
    }

    /// The sum of a number over the replicas.
    #[must_use]
    pub fn total(&self, probe: usize) -> f64 {
        self.totals[probe].sum
    }

    /// The mean without a group.
    #[must_use]
    pub fn mean_without(&self, probe: usize, group: usize) -> f64 {
        let (all, one) = (self.totals[probe], self.groups[group][probe]);
        if one.count == 0 {
            return self.mean(probe);
        }
        (all.sum - one.sum) / (all.count - one.count) as f64
    }

    /// The number of replicas if it was 0 in all of them, or 1.
    #[must_use]
    pub fn same(&self, probe: usize) -> Option<u64> {
        let ends = self.least_and_most[probe];
        (ends == (0.0, 0.0) || ends == (1.0, 1.0)).then(|| self.totals[probe].count)
    }

    /// The number of replicas, at least so many, that makes all groups equal in size; the groups
    /// grow for it.
    fn make_room(&mut self, replicas: u64) -> u64 {
        while replicas.div_ceil(self.size) > MOST_GROUPS {
            self.size *= 2;
            let pairs = self.groups.chunks(2).map(|pair| {
                let mut both = pair[0].clone();
                for (sum, other) in both.iter_mut().zip(pair.get(1).into_iter().flatten()) {
                    sum.sum += other.sum;
                    sum.count += other.count;
                }
                both
            });
            self.groups = pairs.collect();
        }
        replicas.next_multiple_of(self.size)
    }
}

/// What the replicas of a case yielded.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Run by run.
    pub runs: Vec<RunSample>,
    /// Events of all replicas.
    pub events: u64,
}

/// What a sampler may do and whom it tells.
#[derive(Clone, Copy)]
pub struct Sampling<'p> {
    /// The seed of everything.
    pub seed: u64,
    /// Threads; one for each core when left out.
    pub threads: Option<usize>,
    /// Told the events of replicas that are done.
    pub progress: &'p (dyn Fn(u64) + Sync),
}

impl Precision {
    /// The factor by which there must be more replicas than `n`; 1 if there are enough.
    fn factor(self, found: &Estimate) -> f64 {
        let asked = match self {
            Precision::Any => return 1.0,
            Precision::Relative(part) => part * found.value.abs(),
            Precision::Absolute(half) => half,
            Precision::StandardError(se) => return ratio(found.se, se),
            Precision::Upper(bound) => {
                // Between the estimate and the bound; where they are close, it must be decided.
                let room = (AIM * bound - found.value).max(0.2 * bound);
                return ratio(found.upper() - found.value, room);
            }
        };
        ratio(found.half_width(), asked)
    }
}

/// How many times more replicas make `width` at most `asked`: widths shrink with the root of their
/// number.
fn ratio(width: f64, asked: f64) -> f64 {
    const MOST: f64 = 64.0;
    // Nothing was seen yet, or it has no spread that can be known: look further.
    if !width.is_finite() || (asked == 0.0 && width == 0.0) {
        return 4.0;
    }
    if width <= asked {
        return 1.0;
    }
    (width / (AIM * asked)).powi(2).clamp(1.05, MOST)
}

/// Samples a case in stages (after Stein 1945): the first replicas tell how many more are needed.
#[must_use]
pub fn sample(case: &Case, precisions: &[Precision], sampling: Sampling) -> Sample {
    let mut sample = Sample {
        runs: case.runs.iter().map(|run| RunSample::new(run.probes.len())).collect(),
        events: 0,
    };
    let plans = plans(case, sampling.seed);
    let mut wanted = vec![case.first.min(case.at_most); case.runs.len()];
    for _ in 0..ROUNDS {
        extend(case, &plans, &mut sample, &wanted, sampling);
        let before = wanted.clone();
        for (quantity, precision) in case.quantities.iter().zip(precisions) {
            let Some(expr) = &quantity.expr else { continue };
            let factor = precision.factor(&Estimate::new(expr, &sample));
            for &run in &quantity.runs {
                let so_far = sample.runs[run].replicas;
                let more = (so_far as f64 * factor).ceil() as u64;
                let more = if factor > 1.0 { more.max(so_far + 1) } else { so_far };
                wanted[run] = wanted[run].max(more.min(case.at_most.max(so_far)));
            }
        }
        if wanted == before {
            break;
        }
    }
    sample
}

/// Samples the runs of some quantities with so many replicas each; the other runs get none.
#[must_use]
pub fn sample_exactly(case: &Case, replicas: &[u64], sampling: Sampling) -> Sample {
    let mut sample = Sample {
        runs: case.runs.iter().map(|run| RunSample::new(run.probes.len())).collect(),
        events: 0,
    };
    extend(case, &plans(case, sampling.seed), &mut sample, replicas, sampling);
    sample
}

/// What the first replica of each run did.
#[must_use]
pub fn first_fingerprints(case: &Case, sampling: Sampling) -> Vec<u64> {
    let plans = plans(case, sampling.seed);
    in_parallel(plans.len(), sampling.threads, |run| sim::run(&plans[run], 0).fingerprint)
}

/// The plans with seeds of their own, so that runs are independent of each other.
fn plans(case: &Case, seed: u64) -> Vec<Plan> {
    let plan = |run: &Run| {
        let seed = seed_of(seed, 0, "validate", &format!("{}:{}", case.id, run.name));
        Plan { seed, ..run.plan.clone() }
    };
    case.runs.iter().map(plan).collect()
}

/// Runs replicas until every run has as many as wanted (or a few more, for equal groups).
fn extend(case: &Case, plans: &[Plan], sample: &mut Sample, wanted: &[u64], sampling: Sampling) {
    let mut jobs: Vec<(usize, u64)> = Vec::new();
    for (run, own) in sample.runs.iter_mut().enumerate() {
        let to = own.make_room(wanted[run].max(own.replicas));
        jobs.extend((own.replicas..to).map(|replica| (run, replica)));
    }
    for chunk in jobs.chunks(CHUNK) {
        let one = |job: usize| {
            let (run, replica) = chunk[job];
            let (row, events) = row(&case.runs[run], &plans[run], replica);
            (sampling.progress)(events);
            (row, events)
        };
        let rows = in_parallel(chunk.len(), sampling.threads, one);
        for (&(run, _), (row, events)) in chunk.iter().zip(rows) {
            sample.runs[run].add(&row);
            sample.events += events;
        }
    }
}

fn row(run: &Run, plan: &Plan, replica: u64) -> (Vec<f64>, u64) {
    let outcome = sim::run(plan, replica);
    let view = View::new(plan, &outcome);
    let measures: Vec<f64> =
        run.measures.iter().map(|measure| measure.of(&view).unwrap_or(f64::NAN)).collect();
    let probes = run.probes.iter().map(|probe| probe.value(&|&measure| measures[measure]));
    (probes.collect(), outcome.events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_grow_and_lose_nothing() {
        let mut run = RunSample::new(1);
        let first = run.make_room(1000);
        (0..first).for_each(|i| run.add(&[i as f64]));
        assert_eq!((first, run.groups()), (1000, 1000));
        let second = run.make_room(5001);
        assert_eq!(second, 5008);
        (first..second).for_each(|i| run.add(&[i as f64]));
        assert_eq!(run.groups(), 626);
        assert!((run.mean(0) - 2503.5).abs() < 1e-9);
        // Without the first group of eight.
        let expected = (5008.0 * 2503.5 - 28.0) / 5000.0;
        assert!((run.mean_without(0, 0) - expected).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let mut run = RunSample::new(2);
        run.add(&[f64::NAN, 1.0]);
        run.add(&[4.0, 1.0]);
        assert_eq!((run.mean(0), run.mean(1)), (4.0, 1.0));
        assert_eq!((run.same(0), run.same(1)), (None, Some(2)));
    }

    #[test]
    fn more_replicas_are_asked_for_in_proportion_to_the_square_of_the_width() {
        let found = Estimate { value: 10.0, se: 1.0, df: 1e9, constant: None };
        let factor = Precision::StandardError(0.5).factor(&found);
        assert!((factor - (2.0_f64 / 0.95).powi(2)).abs() < 1e-9);
        assert_eq!(Precision::Any.factor(&found), 1.0);
        assert_eq!(Precision::Relative(0.4).factor(&found), 1.0);
        assert!(Precision::Absolute(1.0).factor(&found) > 10.0);
        // Nothing was seen of a rare thing: its relative precision is unknown, not perfect.
        let none = Estimate { value: 0.0, se: 0.0, ..found };
        assert_eq!(Precision::Relative(0.1).factor(&none), 4.0);
        assert_eq!(Precision::Upper(1e-4).factor(&none), 1.0);
        let unseen = Estimate { constant: Some(1000), ..none };
        assert!(Precision::Upper(1e-4).factor(&unseen) > 10.0);
    }
}
