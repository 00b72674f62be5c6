//! What the replicas say about an expression: a value, its standard error, and an interval.

use super::expression::{Expr, Op};
use super::sample::{Place, RunSample, Sample};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The confidence of every interval of a validation.
pub const CONFIDENCE: f64 = 0.999;

/// An estimate of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard error; 0 for what every replica yields alike.
    pub se: f64,
    /// Degrees of freedom of the standard error.
    pub df: f64,
    /// For an indicator that was 0 in every replica, or 1: how many replicas. For a share of events
    /// that was 0 or 1: how many events.
    pub constant: Option<u64>,
}

impl Estimate {
    /// Estimates an expression from a sample, by the jackknife over groups of replicas: with
    /// `theta_i` the expression without group `i` of `g`, the value is
    /// `g theta - (g - 1) mean(theta_i)`, and its variance `(g - 1)/g sum (theta_i - mean)^2`
    /// (Tukey 1958; Efron and Tibshirani 1993, ch. 11). Runs are independent, so each is left out
    /// on its own, and their biases and variances add up (Arvesen 1969).
    #[must_use]
    pub fn new(expr: &Expr<Place>, sample: &Sample) -> Estimate {
        let mut runs: Vec<usize> = Vec::new();
        expr.leaves(&mut |place| runs.push(place.run));
        runs.sort_unstable();
        runs.dedup();
        let whole = expr.value(&|place: &Place| sample.runs[place.run].mean(place.probe));
        let (mut bias, mut variance, mut fourth) = (0.0, 0.0, 0.0);
        for &run in &runs {
            let own = &sample.runs[run];
            let (mean, var, df) = without_each_group(expr, sample, run, own);
            let groups = own.groups() as f64;
            bias += (groups - 1.0) * (mean - whole);
            variance += var;
            fourth += var * var / df;
        }
        // Welch and Satterthwaite; without spread the number of groups does not matter.
        let smallest = runs.iter().map(|&run| sample.runs[run].groups()).min().unwrap_or(0);
        let df = if fourth > 0.0 { variance * variance / fourth } else { smallest as f64 - 1.0 };
        // A bias that is not a number (of an infinite value) is none.
        let value = if bias.is_finite() { whole - bias } else { whole };
        Estimate { value, se: variance.sqrt(), df, constant: constant(expr, sample) }
    }

    /// The 99.9 % interval; of an indicator that never varied, the exact binomial one (Clopper and
    /// Pearson 1934). Not numbers if it cannot be had.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        if let Some(n) = self.constant {
            let rest = (0.5 * (1.0 - CONFIDENCE)).powf(1.0 / n as f64);
            return if self.value > 0.5 { (rest, 1.0) } else { (0.0, 1.0 - rest) };
        }
        let half = self.quantile(0.5 + 0.5 * CONFIDENCE) * self.se;
        (self.value - half, self.value + half)
    }

    /// Half the width of the interval.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        let (low, high) = self.interval();
        0.5 * (high - low)
    }

    /// The 99.9 % upper confidence bound.
    #[must_use]
    pub fn upper(&self) -> f64 {
        match self.constant {
            Some(_) if self.value > 0.5 => 1.0,
            Some(n) => 1.0 - (1.0 - CONFIDENCE).powf(1.0 / n as f64),
            None => self.value + self.quantile(CONFIDENCE) * self.se,
        }
    }

    /// Student's quantile; 0 where there is no spread, so that it need not be known.
    fn quantile(&self, p: f64) -> f64 {
        if self.se == 0.0 {
            return 0.0;
        }
        // Far out the quantile is that of the normal law, and its search does not end.
        let df = self.df.clamp(1.0, 1e4);
        StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| student.inverse_cdf(p))
    }
}

/// Mean and jackknife variance of the expression without each group of one run, and the degrees of
/// freedom.
fn without_each_group(
    expr: &Expr<Place>,
    sample: &Sample,
    run: usize,
    own: &RunSample,
) -> (f64, f64, f64) {
    let groups = own.groups();
    let values: Vec<f64> = (0..groups)
        .map(|group| {
            expr.value(&|place: &Place| match place.run == run {
                true => own.mean_without(place.probe, group),
                false => sample.runs[place.run].mean(place.probe),
            })
        })
        .collect();
    let n = groups as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares * (n - 1.0) / n, n - 1.0)
}

/// The number of replicas of an `each(...)` that was 0 in all of them, or 1; the number of events
/// of a `share(...)` that was.
fn constant(expr: &Expr<Place>, sample: &Sample) -> Option<u64> {
    match expr {
        Expr::Leaf(place) if place.is_indicator => sample.runs[place.run].same(place.probe),
        Expr::Both(Op::Share, part, whole) => {
            // Counts, their sums and differences: the totals are computed like the means.
            let total = |place: &Place| sample.runs[place.run].total(place.probe);
            let (part, whole) = (part.value(&total), whole.value(&total));
            ((part == 0.0 || part == whole) && whole >= 1.0).then_some(whole as u64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::Op;
    use super::*;

    fn place(run: usize, probe: usize) -> Expr<Place> {
        Expr::Leaf(Place { run, probe, is_indicator: false })
    }

    fn sample(runs: &[&[&[f64]]]) -> Sample {
        let run = |rows: &&[&[f64]]| {
            let mut run = RunSample::new(rows[0].len());
            rows.iter().for_each(|row| run.add(row));
            run
        };
        Sample { runs: runs.iter().map(run).collect(), events: 0 }
    }

    #[test]
    fn the_jackknife_of_a_mean_is_students_interval() {
        let sample = sample(&[&[&[1.0], &[2.0], &[3.0], &[6.0]]]);
        let found = Estimate::new(&place(0, 0), &sample);
        // sd^2 = (4 + 1 + 0 + 9)/3.
        assert!((found.value - 3.0).abs() < 1e-12);
        assert!((found.se - (14.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert!((found.df - 3.0).abs() < 1e-12);
        // t(0.9995, 3) = 12.924.
        assert!((found.half_width() / found.se - 12.924).abs() < 1e-3);
    }

    #[test]
    fn the_jackknife_of_a_ratio_weighs_replicas_by_the_denominator() {
        let sample = sample(&[&[&[10.0, 1.0], &[20.0, 4.0], &[30.0, 2.0]]]);
        let ratio = Expr::Both(Op::Over, Box::new(place(0, 0)), Box::new(place(0, 1)));
        let found = Estimate::new(&ratio, &sample);
        // theta = 60/7; without one: 50/6, 40/3, 30/5.
        let without = [50.0 / 6.0, 40.0 / 3.0, 6.0];
        let mean = without.iter().sum::<f64>() / 3.0;
        let squares: f64 = without.iter().map(|x| (x - mean).powi(2)).sum();
        assert!((found.value - (3.0 * 60.0 / 7.0 - 2.0 * mean)).abs() < 1e-12);
        assert!((found.se - (squares * 2.0 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_variances_of_independent_runs_add_up() {
        let sample = sample(&[&[&[1.0], &[3.0]], &[&[10.0], &[14.0], &[12.0]]]);
        let sum = Expr::Both(Op::Plus, Box::new(place(0, 0)), Box::new(place(1, 0)));
        let found = Estimate::new(&sum, &sample);
        assert!((found.value - 14.0).abs() < 1e-12);
        assert!((found.se - (1.0 + 4.0 / 3.0_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn an_indicator_that_never_varied_has_the_exact_binomial_interval() {
        let never = Estimate { value: 0.0, se: 0.0, df: 9.0, constant: Some(10_000) };
        assert_eq!(never.interval().0, 0.0);
        assert!((never.interval().1 - 7.6e-4).abs() < 1e-6);
        assert!((never.upper() - 6.905e-4).abs() < 1e-6);
        let always = Estimate { value: 1.0, ..never };
        assert_eq!(always.interval().1, 1.0);
        assert!(always.interval().0 < 1.0);
    }

    #[test]
    fn a_share_of_events_that_was_always_one_may_be_a_little_less() {
        let sample = sample(&[&[&[500.0, 500.0], &[500.0, 500.0]]]);
        let share = Expr::Both(Op::Share, Box::new(place(0, 0)), Box::new(place(0, 1)));
        let found = Estimate::new(&share, &sample);
        assert_eq!((found.value, found.constant), (1.0, Some(1000)));
        assert!((found.interval().0 - 0.9924).abs() < 1e-4);
        // The same of a difference of counts: all but none.
        let none = Expr::Both(Op::Minus, Box::new(place(0, 0)), Box::new(place(0, 1)));
        let none = Expr::Both(Op::Share, Box::new(none), Box::new(place(0, 1)));
        assert_eq!(Estimate::new(&none, &sample).constant, Some(1000));
    }

    #[test]
    fn what_never_varied_has_an_interval_without_width() {
        let found = Estimate::new(&place(0, 0), &sample(&[&[&[26.0], &[26.0]]]));
        assert_eq!((found.interval(), found.upper()), ((26.0, 26.0), 26.0));
    }
}
