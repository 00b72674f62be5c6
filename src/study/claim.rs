//! Claims: what they say in numbers, and whether it is so.
//!
//! A claim holds only if the whole 95 % interval lies on its side. A claim about a part or a
//! multiple of a mean (`-30%`, `0.5x`) is tested by the paired linear contrast
//! `variant - factor x compared`, whose mean is on the claimed side of 0 exactly if the claim is
//! true.

use super::estimate::{
    Z95, estimate, paired, quantile_interval, quantile_sorted, t_interval, wilson,
};
use super::quantity::{Limit, say, say_difference, say_difference_interval, say_interval};
use crate::measure::unit;

/// What a claim is about, with names already known to be there.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistic {
    /// The probability that a comparison of a measure is true, where the measure applies.
    Probability(Condition),
    /// The mean.
    Mean,
    /// A quantile over the replicas.
    Quantile(f64),
    /// The width of the band from the 10th to the 90th percentile; a difference or a ratio, as the
    /// limit says.
    Spread,
    /// The mean against that of another variant, in pairs.
    Difference,
}

/// What must be true of a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// It is 1.
    True,
    /// It is below this.
    Below(f64),
    /// It is above this.
    Above(f64),
}

impl Condition {
    fn is_met(self, value: f64) -> bool {
        match self {
            Condition::True => value > 0.5,
            Condition::Below(limit) => value < limit,
            Condition::Above(limit) => value > limit,
        }
    }
}

/// A claim in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What it is about.
    pub statistic: Statistic,
    /// The measure.
    pub measure: String,
    /// The measure's unit.
    pub unit: &'static str,
    /// The lower limit.
    pub above: Option<Limit>,
    /// The upper limit.
    pub below: Option<Limit>,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The whole interval lies on the claimed side.
    pub holds: bool,
    /// Neither the whole interval lies on the claimed side, nor the whole interval on the other:
    /// more replicas could tell.
    pub is_open: bool,
    /// The numbers.
    pub evidence: String,
}

/// On which side of a limit an interval lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
    Across,
}

fn side((low, high): (f64, f64), limit: f64) -> Side {
    match () {
        () if low > limit => Side::Above,
        () if high < limit => Side::Below,
        () => Side::Across,
    }
}

impl Test {
    /// Judges the claim by the values of the measure in its variant and, for a difference, in the
    /// variant that it is compared with.
    #[must_use]
    pub fn judge(&self, values: &[f64], compared: &[f64]) -> Verdict {
        let mut sides = Vec::new();
        for (limit, wanted) in [(self.above, Side::Above), (self.below, Side::Below)] {
            if let Some(limit) = limit {
                sides.push((self.side(limit, values, compared), wanted));
            }
        }
        let holds = !sides.is_empty() && sides.iter().all(|(found, wanted)| found == wanted);
        let refuted = sides.iter().any(|(found, wanted)| found != wanted && *found != Side::Across);
        let limits: Vec<String> = [("above", self.above), ("below", self.below)]
            .iter()
            .filter_map(|(word, limit)| Some(format!("{word} {}", self.say_limit((*limit)?))))
            .collect();
        let evidence =
            format!("{}; claimed {}", self.evidence(values, compared), limits.join(" and "));
        Verdict { holds, is_open: !holds && !refuted, evidence }
    }

    fn side(&self, limit: Limit, values: &[f64], compared: &[f64]) -> Side {
        match (&self.statistic, limit) {
            (Statistic::Difference, Limit::Value(limit)) => {
                side(paired(compared, values).ci95, limit)
            }
            (Statistic::Difference, Limit::Part(part)) => {
                side(contrast(values, compared, 1.0 + part), 0.0)
            }
            (Statistic::Difference, Limit::Times(factor)) => {
                side(contrast(values, compared, factor), 0.0)
            }
            (Statistic::Probability(condition), Limit::Value(limit)) => {
                let (happened, n) = count(*condition, values);
                side(wilson(happened, n, Z95), limit)
            }
            (Statistic::Mean, Limit::Value(limit)) => side(t_interval(values, 0.95), limit),
            (Statistic::Quantile(q), Limit::Value(limit)) => {
                side(quantile_interval(values, *q, 0.95), limit)
            }
            (Statistic::Spread, Limit::Value(limit)) => side(width(values), limit),
            (Statistic::Spread, Limit::Times(limit)) => side(ratio(values), limit),
            // The reader of claims lets no other pair through.
            _ => Side::Across,
        }
    }

    fn say_limit(&self, limit: Limit) -> String {
        match (limit, &self.statistic) {
            (Limit::Part(part), _) => say(part, unit::SHARE),
            (Limit::Times(factor), _) => format!("{}x", say(factor, unit::COUNT)),
            (Limit::Value(value), Statistic::Probability(_)) => say(value, unit::SHARE),
            (Limit::Value(value), Statistic::Difference | Statistic::Spread) => {
                say_difference(value, self.unit)
            }
            (Limit::Value(value), _) => say(value, self.unit),
        }
    }

    fn evidence(&self, values: &[f64], compared: &[f64]) -> String {
        let (unit, n) = (self.unit, values.iter().filter(|value| !value.is_nan()).count());
        if n == 0 {
            return format!("`{}` applies to no replica", self.measure);
        }
        match &self.statistic {
            Statistic::Probability(condition) => {
                let (happened, n) = count(*condition, values);
                let share = happened as f64 / n as f64;
                let share = say_interval(share, wilson(happened, n, Z95), unit::SHARE);
                format!("{share} of {n} replicas")
            }
            Statistic::Mean => {
                let found = estimate(values);
                format!("mean {}", say_interval(found.mean, found.ci95, unit))
            }
            Statistic::Quantile(q) => {
                let interval = quantile_interval(values, *q, 0.95);
                let found = quantile_sorted(&sorted(values), *q);
                format!("{} quantile {}", say(*q, unit::SHARE), say_interval(found, interval, unit))
            }
            Statistic::Spread => {
                let found = estimate(values);
                let (low, high) = (found.p10, found.p90);
                let difference = say_difference_interval(high - low, width(values), unit);
                let times = say_interval(high / low, ratio(values), unit::COUNT);
                format!("10th to 90th percentile: difference {difference}, ratio {times}")
            }
            Statistic::Difference => {
                let found = paired(compared, values);
                let base = estimate(&compared[..values.len().min(compared.len())]).mean;
                let part = say(found.mean / base, unit::SHARE);
                let difference = say_difference_interval(found.mean, found.ci95, unit);
                format!(
                    "difference {difference} in {} pairs, {part} of {}",
                    found.n,
                    say(base, unit)
                )
            }
        }
    }
}

/// How often a condition is met, and among how many.
fn count(condition: Condition, values: &[f64]) -> (u64, u64) {
    let present = values.iter().filter(|value| !value.is_nan());
    let (mut happened, mut n) = (0, 0);
    for &value in present {
        n += 1;
        happened += u64::from(condition.is_met(value));
    }
    (happened, n)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The interval of the mean of `value - factor x compared`, in pairs.
fn contrast(values: &[f64], compared: &[f64], factor: f64) -> (f64, f64) {
    let scaled: Vec<f64> = compared.iter().map(|value| factor * value).collect();
    paired(&scaled, values).ci95
}

/// Intervals of the 10th and the 90th percentile that hold together with 95 % (Bonferroni).
fn ends(values: &[f64]) -> [(f64, f64); 2] {
    [0.1, 0.9].map(|q| quantile_interval(values, q, 0.975))
}

fn width(values: &[f64]) -> (f64, f64) {
    let [low, high] = ends(values);
    (high.0 - low.1, high.1 - low.0)
}

fn ratio(values: &[f64]) -> (f64, f64) {
    let [low, high] = ends(values);
    (high.0 / low.1, high.1 / low.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(statistic: Statistic, above: Option<Limit>, below: Option<Limit>) -> Test {
        Test { statistic, measure: "m".to_owned(), unit: "min", above, below }
    }

    fn holds(test: &Test, values: &[f64], compared: &[f64]) -> bool {
        test.judge(values, compared).holds
    }

    #[test]
    fn a_probability_needs_the_whole_wilson_interval() {
        let rare = |limit| {
            let below = Some(Limit::Value(limit));
            test(Statistic::Probability(Condition::True), None, below)
        };
        // Wilson's upper end for none of 10 is 27.75 %.
        assert!(!holds(&rare(0.27), &[0.0; 10], &[]));
        assert!(holds(&rare(0.28), &[0.0; 10], &[]));
        assert!(rare(0.27).judge(&[0.0; 10], &[]).is_open);
        assert!(!rare(0.27).judge(&[1.0; 10], &[]).is_open);
        assert!(!holds(&rare(0.99), &[f64::NAN; 10], &[]), "nothing was seen");
    }

    #[test]
    fn conditions_compare_and_never_happens_later_than_any_time() {
        let soon = Statistic::Probability(Condition::Below(10.0));
        let often = test(soon, Some(Limit::Value(0.5)), None);
        assert!(holds(&often, &[3.0; 20], &[]));
        assert!(!holds(&often, &[f64::INFINITY; 20], &[]));
    }

    #[test]
    fn a_part_of_a_mean_is_tested_in_pairs() {
        let base: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i % 10)).collect();
        let variant: Vec<f64> = base.iter().map(|value| 0.6 * value).collect();
        let below = |part| test(Statistic::Difference, None, Some(Limit::Part(part)));
        assert!(holds(&below(-0.39), &variant, &base));
        assert!(!holds(&below(-0.41), &variant, &base));
        let ratio = test(Statistic::Difference, None, Some(Limit::Times(0.61)));
        assert!(holds(&ratio, &variant, &base));
        let value = test(Statistic::Difference, None, Some(Limit::Value(-41.0)));
        assert!(holds(&value, &variant, &base));
        // The shorter list counts.
        assert!(holds(&value, &variant[..20], &base));
        let evidence = value.judge(&variant, &base).evidence;
        assert!(evidence.contains("−40 % of 104.5 min"), "{evidence}");
    }

    #[test]
    fn both_limits_claim_that_a_difference_is_small() {
        let base: Vec<f64> = (0..40).map(f64::from).collect();
        let near = test(Statistic::Difference, Some(Limit::Value(-1.0)), Some(Limit::Value(1.0)));
        assert!(holds(&near, &base, &base));
        let shifted: Vec<f64> = base.iter().map(|value| value + 1.5).collect();
        assert!(!holds(&near, &shifted, &base));
    }

    #[test]
    fn quantiles_and_spreads_take_order_statistics() {
        let values: Vec<f64> = (1..=1000).map(|i| 100.0 + f64::from(i) / 10.0).collect();
        let median = |limit| {
            let below = Some(Limit::Value(limit));
            test(Statistic::Quantile(0.5), None, below)
        };
        assert!(holds(&median(155.0), &values, &[]));
        assert!(!holds(&median(151.0), &values, &[]));
        // 190 to 110.
        let width = |limit| test(Statistic::Spread, None, Some(limit));
        assert!(holds(&width(Limit::Value(85.0)), &values, &[]));
        assert!(!holds(&width(Limit::Value(80.5)), &values, &[]));
        assert!(holds(&width(Limit::Times(2.0)), &values, &[]));
        assert!(!holds(&width(Limit::Times(1.7)), &values, &[]));
    }
}
