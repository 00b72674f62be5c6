//! Estimates with their uncertainty: from the numbers of replicas to means, quantiles, shares and
//! differences, each with a confidence interval.
//!
//! NaN stands for "not applicable" (the time to recover of a run without an outage) and is left
//! out; every result says how many numbers were left. An interval that cannot be had is
//! `(NaN, NaN)`: comparisons with it are false, and JSON writes it as null. Sums are compensated
//! and in the order given, so that results are the same for any number of threads.

use serde::Serialize;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// The standard normal quantile of a two-sided interval of 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// An interval that cannot be had.
const NONE: (f64, f64) = (f64::NAN, f64::NAN);

/// What is known about one number of many replicas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// How many numbers there are, without NaN. With 0 everything else is NaN.
    pub n: usize,
    /// The mean.
    pub mean: f64,
    /// Student's t-interval of the mean, 95 %; `(NaN, NaN)` for `n` below 2 or infinite numbers.
    pub ci95: (f64, f64),
    /// The median.
    pub median: f64,
    /// The 5 % quantile.
    pub p5: f64,
    /// The 10 % quantile.
    pub p10: f64,
    /// The 90 % quantile.
    pub p90: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The smallest number.
    pub min: f64,
    /// The largest number.
    pub max: f64,
    /// The standard deviation of the population, estimated with `n - 1`; NaN for `n` below 2.
    pub sd: f64,
}

/// The mean of the differences of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// How many pairs have both numbers.
    pub n: usize,
    /// The mean of second minus first; NaN without pairs.
    pub mean: f64,
    /// Student's t-interval of the mean, 95 %; `(NaN, NaN)` for fewer than two pairs.
    pub ci95: (f64, f64),
    /// The standard deviation of the differences; NaN for fewer than two pairs.
    pub sd: f64,
    /// How many times smaller the variance of the differences is than that of independent runs
    /// would be: (s1² + s2²) / s², over the same pairs. What common random numbers save: so many
    /// times fewer replicas give the same interval. NaN where one of the two numbers never varies
    /// (an outage that a variant prevents), infinite where they differ by a constant.
    pub variance_ratio: f64,
}

/// Everything about one number of many replicas; NaN is left out.
#[must_use]
pub fn estimate(values: &[f64]) -> Estimate {
    let present = present(values);
    let mut sorted = present.clone();
    sorted.sort_by(f64::total_cmp);
    let quantile = |q| quantile_sorted(&sorted, q);
    Estimate {
        n: present.len(),
        mean: mean(&present),
        ci95: t_interval(&present, 0.95),
        median: quantile(0.5),
        p5: quantile(0.05),
        p10: quantile(0.1),
        p90: quantile(0.9),
        p95: quantile(0.95),
        min: quantile(0.0),
        max: quantile(1.0),
        sd: sd(&present),
    }
}

/// Second minus first, over the pairs (same place in both lists, up to the end of the shorter one)
/// in which both are present. With common random numbers this is far more precise than the
/// difference of two means (Law 2015, "Simulation Modeling and Analysis", 11.2).
#[must_use]
pub fn paired(first: &[f64], second: &[f64]) -> Difference {
    // Two runs that never recover differ by nothing that has a number: infinity minus infinity is
    // NaN and drops out with the rest.
    let pairs = first.iter().zip(second).map(|(a, b)| (*a, *b));
    let pairs: Vec<(f64, f64)> = pairs.filter(|(a, b)| !(b - a).is_nan()).collect();
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let sd = self::sd(&differences);
    Difference {
        n: differences.len(),
        mean: mean(&differences),
        ci95: t_interval(&differences, 0.95),
        sd,
        variance_ratio: variance_ratio(self::sd(&first), self::sd(&second), sd),
    }
}

/// See [`Difference::variance_ratio`].
fn variance_ratio(first: f64, second: f64, difference: f64) -> f64 {
    if first > 0.0 && second > 0.0 {
        (first * first + second * second) / (difference * difference)
    } else {
        f64::NAN
    }
}

/// Student's t-interval of the mean, `mean ± t sd/sqrt(n)` with `n - 1` degrees of freedom; NaN
/// among the values is left out. `(NaN, NaN)` for fewer than two values, infinite values, or a
/// `confidence` that is not between 0 and 1.
#[must_use]
pub fn t_interval(values: &[f64], confidence: f64) -> (f64, f64) {
    let values = present(values);
    let sd = sd(&values);
    if !(sd.is_finite() && confidence > 0.0 && confidence < 1.0) {
        return NONE;
    }
    let n = values.len() as f64;
    let Ok(student) = StudentsT::new(0.0, 1.0, n - 1.0) else { return NONE };
    let (mean, half) = (mean(&values), student.inverse_cdf(0.5 + 0.5 * confidence) * sd / n.sqrt());
    (mean - half, mean + half)
}

/// Fieller's interval of the ratio of two means, `mean(first)/mean(second)`, from pairs, 95 %: the
/// ratios `r` for which Student's t-interval of the mean of `first - r second` includes 0 (Fieller
/// 1954). `(NaN, NaN)` for fewer than two pairs, or if the mean of `second` could be 0, when the
/// ratios are no interval.
#[must_use]
pub fn ratio_interval(first: &[f64], second: &[f64]) -> (f64, f64) {
    let pairs = first.iter().zip(second).filter(|(a, b)| (*a - *b).is_finite());
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.map(|(a, b)| (*a, *b)).unzip();
    let n = first.len() as f64;
    let Ok(student) = StudentsT::new(0.0, 1.0, n - 1.0) else { return NONE };
    let t = student.inverse_cdf(0.975);
    let (a, b) = (mean(&first), mean(&second));
    // Variances of the two means and their covariance, times t².
    let scale = t * t / (n * (n - 1.0));
    let products = |x: &[f64], y: &[f64], (mx, my): (f64, f64)| {
        scale * sum(x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)))
    };
    let aa = a * a - products(&first, &first, (a, a));
    let ab = a * b - products(&first, &second, (a, b));
    let bb = b * b - products(&second, &second, (b, b));
    // bb r² - 2 ab r + aa <= 0
    if bb.is_nan() || bb <= 0.0 {
        return NONE;
    }
    // Rounding can leave a tiny negative number where the ratio is the same in every pair.
    let root = (ab * ab - aa * bb).max(0.0).sqrt();
    ((ab - root) / bb, (ab + root) / bb)
}

/// Wilson's score interval of a share: which true shares would not be surprised by `successes` out
/// of `n`, at `z` standard deviations ([`Z95`] for 95 %). Sensible also for none and for all; 0 to
/// 1 for `n` 0 (Wilson 1927; Brown, Cai and DasGupta 2001).
#[must_use]
pub fn wilson(successes: u64, n: u64, z: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (total, share) = (n as f64, successes as f64 / n as f64);
    let z2 = z * z;
    let centre = share + z2 / (2.0 * total);
    let half = z * (share * (1.0 - share) / total + z2 / (4.0 * total * total)).sqrt();
    let scale = 1.0 + z2 / total;
    // The ends are exact for none and all; the formula rounds.
    let low = if successes == 0 { 0.0 } else { (centre - half) / scale };
    let high = if successes >= n { 1.0 } else { (centre + half) / scale };
    (low.max(0.0), high.min(1.0))
}

/// The `q`-quantile (0 to 1) of ascending numbers, interpolated between the two neighbours of
/// `q (n - 1)` (type 7 of Hyndman and Fan 1996, the default of R and NumPy). NaN without numbers.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let (rank, part) = (position as usize, position.fract());
    let (lower, upper) = (sorted[rank], sorted[(rank + 1).min(last)]);
    // Equal infinities have no difference, and none times infinity is not a number.
    if part == 0.0 || lower == upper { lower } else { lower + (upper - lower) * part }
}

/// An interval of at least 95 % for the median, from order statistics: between the `k`-th smallest
/// and the `k`-th largest number, with the largest `k` for which a binomial(n, 1/2) number is below
/// `k` with a probability of at most 2.5 % (David and Nagaraja 2003, "Order Statistics", 7.1).
/// Holds for every continuous distribution. `(NaN, NaN)` for fewer than six numbers; NaN is left
/// out.
#[must_use]
pub fn median_ci95(values: &[f64]) -> (f64, f64) {
    let mut sorted = present(values);
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let Ok(binomial) = Binomial::new(0.5, n as u64) else { return NONE };
    // P(B < k) = cdf(k - 1). Start at the normal approximation and correct it.
    let fits = |k: usize| k == 0 || binomial.cdf(k as u64 - 1) <= 0.025;
    let mut k = (0.5 * (n as f64 - Z95 * (n as f64).sqrt())).max(0.0) as usize;
    while !fits(k) {
        k -= 1;
    }
    while fits(k + 1) {
        k += 1;
    }
    if k == 0 { NONE } else { (sorted[k - 1], sorted[n - k]) }
}

/// An interval of at least `confidence` for the `q`-quantile, from order statistics: from the
/// largest of the numbers that are below it and to the smallest that are above it but for a
/// probability of `(1 - confidence)/2` each, because the count of numbers below the quantile is
/// binomial(n, q) (David and Nagaraja 2003, "Order Statistics", 7.1). Holds for every continuous
/// distribution. `(NaN, NaN)` if there are too few numbers; NaN is left out.
#[must_use]
pub fn quantile_interval(values: &[f64], q: f64, confidence: f64) -> (f64, f64) {
    let mut sorted = present(values);
    sorted.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - confidence);
    let Ok(binomial) = Binomial::new(q, sorted.len() as u64) else { return NONE };
    if !(tail > 0.0 && tail < 0.5) || sorted.is_empty() {
        return NONE;
    }
    // The inverse is the smallest k with P(B <= k) >= p. Hence P(B < k) < tail for the lower rank
    // k, counted from 1, and P(B > k) <= tail for the upper rank k + 1.
    let (lower, upper) = (binomial.inverse_cdf(tail), binomial.inverse_cdf(1.0 - tail));
    let rank = |rank: u64| sorted.get(usize::try_from(rank).ok()?.checked_sub(1)?).copied();
    rank(lower).zip(rank(upper + 1)).unwrap_or(NONE)
}

fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| !value.is_nan()).collect()
}

/// The sum with the rounding errors of all additions added at the end (Neumaier 1974).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    // With infinities the errors are not numbers, but the sum is right.
    if sum.is_finite() { sum + lost } else { sum }
}

fn mean(values: &[f64]) -> f64 {
    // 0/0 is NaN: no mean without values.
    sum(values.iter().copied()) / values.len() as f64
}

/// The corrected two-pass algorithm (Chan, Golub and LeVeque 1983).
fn sd(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let (n, mean) = (values.len() as f64, mean(values));
    let squares = sum(values.iter().map(|value| (value - mean).powi(2)));
    let rest = sum(values.iter().map(|value| value - mean));
    let variance = (squares - rest * rest / n) / (n - 1.0);
    // Rounding can leave a tiny negative number; NaN (of infinite values) stays NaN.
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: (f64, f64), expected: (f64, f64), tolerance: f64) {
        let near = |a: f64, b: f64| (a - b).abs() <= tolerance;
        assert!(near(found.0, expected.0) && near(found.1, expected.1), "{found:?}");
    }

    fn is_none(interval: (f64, f64)) -> bool {
        interval.0.is_nan() && interval.1.is_nan()
    }

    #[test]
    fn wilson_intervals_are_those_of_the_tables() {
        // 1.96²/(10 + 1.96²) = 0.27753 with the exact quantile.
        assert_near(wilson(0, 10, Z95), (0.0, 0.277_533), 1e-6);
        assert_near(wilson(10, 10, Z95), (0.722_467, 1.0), 1e-6);
        assert_near(wilson(5, 10, Z95), (0.236_593, 0.763_407), 1e-6);
        assert_eq!(wilson(0, 10, Z95).0, 0.0);
        assert_eq!(wilson(10, 10, Z95).1, 1.0);
        assert_eq!(wilson(0, 0, Z95), (0.0, 1.0));
    }

    #[test]
    fn the_t_interval_of_two_numbers_uses_the_cauchy_quantile() {
        // t(0.975, 1) = tan(0.475 pi) = 12.706205; sd = sqrt(2), over sqrt(2) is 1.
        assert_near(t_interval(&[1.0, 3.0], 0.95), (2.0 - 12.706_205, 2.0 + 12.706_205), 1e-5);
    }

    #[test]
    fn the_t_interval_of_three_numbers_uses_two_degrees_of_freedom() {
        // t(0.975, 2) = 0.95 sqrt(2/(1 - 0.95²)) = 4.302653; sd = 1.
        let half = 4.302_652_73 / 3_f64.sqrt();
        assert_near(t_interval(&[1.0, 2.0, 3.0], 0.95), (2.0 - half, 2.0 + half), 1e-6);
        // t(0.95, 2) = 2.919986.
        let half = 2.919_985_58 / 3_f64.sqrt();
        assert_near(t_interval(&[1.0, 2.0, 3.0], 0.9), (2.0 - half, 2.0 + half), 1e-6);
    }

    #[test]
    fn the_t_interval_of_many_numbers_nears_the_normal_one() {
        let values: Vec<f64> = (0..10_001).map(f64::from).collect();
        let (low, high) = t_interval(&values, 0.95);
        let half = Z95 * sd(&values) / 10_001_f64.sqrt();
        assert!(((high - low) / 2.0 / half - 1.0).abs() < 3e-4);
        assert!((0.5 * (low + high) - 5_000.0).abs() < 1e-6);
    }

    #[test]
    fn intervals_that_cannot_be_had_are_nan_and_null() {
        assert!(is_none(t_interval(&[], 0.95)) && is_none(t_interval(&[1.0], 0.95)));
        assert!(is_none(t_interval(&[1.0, f64::INFINITY], 0.95)));
        assert!(is_none(t_interval(&[1.0, 2.0], 1.0)));
        let json = serde_json::to_value(estimate(&[3.0])).unwrap();
        assert!(json["ci95"][0].is_null() && json["sd"].is_null());
        assert_eq!(json["mean"], 3.0);
        assert_eq!(json["n"], 1);
    }

    #[test]
    fn an_estimate_leaves_out_what_is_not_applicable() {
        let e = estimate(&[4.0, f64::NAN, 1.0, 3.0, 2.0, 5.0, f64::NAN]);
        assert_eq!((e.n, e.mean, e.median, e.min, e.max), (5, 3.0, 3.0, 1.0, 5.0));
        assert!((e.sd - 2.5_f64.sqrt()).abs() < 1e-15);
        assert!((e.p5 - 1.2).abs() < 1e-12 && (e.p10 - 1.4).abs() < 1e-12);
        assert!((e.p90 - 4.6).abs() < 1e-12 && (e.p95 - 4.8).abs() < 1e-12);
        // t(0.975, 4) = 2.776445.
        let half = 2.776_445_1 * (2.5_f64 / 5.0).sqrt();
        assert_near(e.ci95, (3.0 - half, 3.0 + half), 1e-6);
        let nothing = estimate(&[f64::NAN]);
        assert!(nothing.n == 0 && nothing.mean.is_nan() && nothing.median.is_nan());
    }

    #[test]
    fn infinite_numbers_keep_finite_quantiles() {
        let e = estimate(&[1.0, 2.0, 3.0, f64::INFINITY, f64::INFINITY]);
        assert_eq!((e.mean, e.median, e.max), (f64::INFINITY, 3.0, f64::INFINITY));
        assert!(is_none(e.ci95));
    }

    #[test]
    fn equal_numbers_have_an_interval_of_no_width() {
        let e = estimate(&[0.1; 7]);
        assert!((e.mean - 0.1).abs() < 1e-16);
        assert!(e.sd < 1e-16 && e.ci95.1 - e.ci95.0 < 1e-15);
    }

    #[test]
    fn a_ratio_of_means_has_the_interval_whose_ends_the_paired_contrast_just_includes() {
        let first = [3.0, 5.0, 4.0, 8.0, 6.0, f64::NAN];
        let second = [10.0, 12.0, 9.0, 15.0, 16.0, 1.0];
        let (low, high) = ratio_interval(&first, &second);
        assert!(low < 26.0 / 62.0 && 26.0 / 62.0 < high);
        for (ratio, end) in [(low, 0), (high, 1)] {
            let scaled: Vec<f64> = second.iter().map(|value| ratio * value).collect();
            let ends: (f64, f64) = paired(&scaled, &first).ci95;
            let touching = if end == 0 { ends.0 } else { ends.1 };
            assert!(touching.abs() < 1e-12, "{ratio}: {ends:?}");
        }
        // The same part in every pair is known for certain.
        let half: Vec<f64> = second.iter().map(|value| 0.5 * value).collect();
        assert_near(ratio_interval(&half, &second), (0.5, 0.5), 1e-7);
        assert!(is_none(ratio_interval(&first, &[1.0, -1.0, 1.0, -1.0, 0.0])));
        assert!(is_none(ratio_interval(&[1.0], &[2.0])));
    }

    #[test]
    fn pairs_are_compared_where_both_are_present() {
        let nan = f64::NAN;
        let d = paired(&[10.0, 20.0, nan, 30.0, 1.0], &[11.0, 22.0, 5.0, 33.0, nan]);
        assert_eq!((d.n, d.mean, d.sd), (3, 2.0, 1.0));
        let half = 4.302_652_73 / 3_f64.sqrt();
        assert_near(d.ci95, (2.0 - half, 2.0 + half), 1e-6);
        let d = paired(&[1.0], &[4.0]);
        assert_eq!((d.n, d.mean), (1, 3.0));
        assert!(is_none(d.ci95) && d.sd.is_nan());
        assert_eq!(paired(&[f64::INFINITY], &[f64::INFINITY]).n, 0);
        // Variances 1 and 4; the differences vary with variance 1. Pairs that lack one are out.
        let d = paired(&[1.0, 2.0, 3.0, nan], &[2.0, 4.0, 6.0, 9.0]);
        assert!((d.variance_ratio - 5.0).abs() < 1e-12);
        assert!(paired(&[1.0, 2.0], &[0.0, 0.0]).variance_ratio.is_nan());
        assert_eq!(paired(&[1.0, 2.0], &[2.0, 3.0]).variance_ratio, f64::INFINITY);
    }

    #[test]
    fn quantiles_interpolate_as_type_seven() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (q, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.75, 5.0), (1.0, 8.0)] {
            assert_eq!(quantile_sorted(&sorted, q), expected, "{q}");
        }
        assert!(quantile_sorted(&[], 0.5).is_nan());
        let infinite = [1.0, f64::INFINITY, f64::INFINITY];
        assert_eq!(quantile_sorted(&infinite, 0.75), f64::INFINITY);
    }

    #[test]
    fn the_median_interval_takes_the_order_statistics_of_the_tables() {
        // Published ranks for 95 %: n = 6: 1 and 6; 10: 2 and 9; 20: 6 and 15; 100: 40 and 61.
        for (n, low, high) in [(6, 1, 6), (9, 2, 8), (10, 2, 9), (20, 6, 15), (100, 40, 61)] {
            let values: Vec<f64> = (1..=n).rev().map(f64::from).collect();
            assert_eq!(median_ci95(&values), (f64::from(low), f64::from(high)), "{n}");
        }
        assert!(is_none(median_ci95(&[1.0, 2.0, 3.0, 4.0, 5.0])));
        assert!(is_none(median_ci95(&[])));
    }

    #[test]
    fn quantile_intervals_take_the_order_statistics_of_the_tables() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        // The median as in the tables; for 10 %: P(B < 5) = 0.0237 and P(B > 16) = 0.0206.
        assert_eq!(quantile_interval(&values, 0.5, 0.95), (40.0, 61.0));
        assert_eq!(quantile_interval(&values, 0.1, 0.95), (5.0, 17.0));
        assert_eq!(quantile_interval(&values, 0.9, 0.95), (84.0, 96.0));
        assert!(is_none(quantile_interval(&values[..20], 0.01, 0.95)));
        assert!(is_none(quantile_interval(&[], 0.5, 0.95)));
    }

    #[test]
    fn sums_do_not_lose_small_numbers_beside_large_ones() {
        assert_eq!(sum([1e100, 1.0, -1e100].into_iter()), 1.0);
        assert_eq!(sum((0..10).map(|_| 0.1)), 1.0);
        let shifted: Vec<f64> = [1.0, 2.0, 3.0].iter().map(|x| x + 1e9).collect();
        assert!((sd(&shifted) - 1.0).abs() < 1e-9);
    }
}
