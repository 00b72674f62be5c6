//! The judge: an estimate and what was expected give a verdict.

use super::estimate::Estimate;
use super::expected::{Rule, Target};
use serde::{Deserialize, Serialize};

/// How a quantity was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It agrees.
    Pass,
    /// It does not.
    Fail,
    /// It was not, or cannot be, compared.
    NotComparable,
}

impl Verdict {
    /// The word for tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::NotComparable => "not comparable",
        }
    }
}

/// Standard errors of both that two estimates of one number may lie apart.
const APART: f64 = 3.3;
/// What rounding may change, as a part of the value.
const ROUNDING: f64 = 1e-9;

/// What the judge says of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, if it is not a pass.
    pub reason: Option<String>,
    /// Whether the estimate is above the value, if it missed it: new random numbers may help.
    pub missed_above: Option<bool>,
}

impl Judged {
    pub(super) fn pass() -> Judged {
        Judged { verdict: Verdict::Pass, reason: None, missed_above: None }
    }

    fn fail(reason: String) -> Judged {
        Judged { verdict: Verdict::Fail, reason: Some(reason), missed_above: None }
    }

    fn miss(found: f64, expected: f64, reason: String) -> Judged {
        Judged { missed_above: Some(found > expected), ..Judged::fail(reason) }
    }

    pub(super) fn not_comparable(reason: String) -> Judged {
        Judged { verdict: Verdict::NotComparable, reason: Some(reason), missed_above: None }
    }
}

/// Judges an estimate; half-widths may be larger than asked by the factor.
#[must_use]
pub fn judge(target: &Target, found: &Estimate, factor: f64) -> Judged {
    if let Rule::Skip { why } = &target.rule {
        return Judged::not_comparable(why.clone());
    }
    let (low, high) = found.interval();
    if !(found.value.is_finite() && low.is_finite() && high.is_finite()) {
        return Judged::fail("the simulation yields no number".to_owned());
    }
    let difference = (found.value - target.expected()).abs();
    match target.rule {
        Rule::Relative { half_width } => {
            contains(target, found, half_width * target.value.abs() * factor)
        }
        Rule::Quantile { half_width, .. } => contains(target, found, half_width * factor),
        Rule::UpperBound { at_most } => {
            if found.upper() <= at_most {
                return Judged::pass();
            }
            let reason = format!("the upper bound {:.3e} is above {at_most:.3e}", found.upper());
            Judged::miss(found.value, target.value, reason)
        }
        Rule::Absolute { within } => {
            if difference <= within {
                return Judged::pass();
            }
            let reason = format!("it differs by {difference:.3e}, more than {within:.1e}");
            Judged::miss(found.value, target.value, reason)
        }
        Rule::BothRandom { se } => {
            let both = found.se.hypot(se);
            if difference <= APART * both {
                return Judged::pass();
            }
            let reason = format!("{:.1} standard errors of both apart", difference / both);
            Judged::miss(found.value, target.value, reason)
        }
        Rule::Exact => {
            if difference <= rounding(target.value) {
                return Judged::pass();
            }
            Judged::fail("it should be equal".to_owned())
        }
        Rule::Skip { .. } => Judged::pass(),
    }
}

/// Whether the interval contains what is expected, and is no wider than allowed.
fn contains(target: &Target, found: &Estimate, allowed: f64) -> Judged {
    let expected = target.expected();
    let (low, high) = found.interval();
    let slack = rounding(expected);
    if expected < low - slack || expected > high + slack {
        let difference = (found.value - expected).abs();
        if let Some(se) = target.reference_se {
            let apart = difference / found.se.hypot(se);
            if apart <= APART {
                return Judged::not_comparable(format!(
                    "the reference is a sample with standard error {se:.2e}, of which more \
                     precision than its own is asked: it lies {apart:.1} standard errors of both \
                     away"
                ));
            }
        }
        let reason = format!("the interval does not contain {}", shown(expected));
        return Judged::miss(found.value, expected, reason);
    }
    if found.half_width() > allowed + slack {
        let width = found.half_width();
        return Judged::fail(format!(
            "the interval is too wide: half-width {width:.2e}, asked {allowed:.2e}"
        ));
    }
    Judged::pass()
}

fn rounding(value: f64) -> f64 {
    ROUNDING * value.abs().max(1e-3)
}

/// A number with six significant digits at most.
#[must_use]
pub fn shown(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{number:.3e}");
    }
    let digits = if size == 0.0 { 0 } else { (5 - size.log10().floor() as i32).clamp(0, 9) };
    let text = format!("{number:.0$}", digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(value: f64, rule: Rule) -> Target {
        Target { value, rule, reference_se: None, how: None }
    }

    fn found(value: f64, se: f64) -> Estimate {
        Estimate { value, se, df: 99.0, constant: None }
    }

    fn verdict(target: &Target, found: &Estimate) -> Verdict {
        judge(target, found, 1.0).verdict
    }

    #[test]
    fn relative_needs_the_value_inside_and_a_narrow_interval() {
        let target = target(5.0, Rule::Relative { half_width: 0.01 });
        // t(0.9995, 99) = 3.39.
        assert_eq!(verdict(&target, &found(5.02, 0.01)), Verdict::Pass);
        let below = judge(&target, &found(4.95, 0.01), 1.0);
        assert_eq!((below.verdict, below.missed_above), (Verdict::Fail, Some(false)));
        let wide = judge(&target, &found(5.0, 0.02), 1.0);
        assert_eq!((wide.verdict, wide.missed_above), (Verdict::Fail, None));
        assert!(wide.reason.unwrap().contains("too wide"));
        assert_eq!(judge(&target, &found(5.0, 0.02), 3.0).verdict, Verdict::Pass);
    }

    #[test]
    fn a_quantile_is_judged_by_the_distribution_function() {
        let target = target(3.47, Rule::Quantile { level: 0.5, half_width: 0.005 });
        assert_eq!(target.expected(), 0.5);
        assert_eq!(verdict(&target, &found(0.503, 0.001)), Verdict::Pass);
        assert_eq!(verdict(&target, &found(0.51, 0.001)), Verdict::Fail);
    }

    #[test]
    fn an_upper_bound_counts_what_was_never_seen() {
        let target = target(0.0, Rule::UpperBound { at_most: 1e-4 });
        let never = |n| Estimate { constant: Some(n), ..found(0.0, 0.0) };
        assert_eq!(verdict(&target, &never(10_000)), Verdict::Fail);
        assert_eq!(verdict(&target, &never(70_000)), Verdict::Pass);
        assert_eq!(verdict(&target, &found(5e-5, 1e-5)), Verdict::Pass);
    }

    #[test]
    fn the_other_rules_compare_as_they_say() {
        let absolute = target(0.0, Rule::Absolute { within: 1e-6 });
        assert_eq!(verdict(&absolute, &found(0.0, 0.0)), Verdict::Pass);
        assert_eq!(verdict(&absolute, &found(2e-6, 1.0)), Verdict::Fail);
        let random = target(10.0, Rule::BothRandom { se: 0.3 });
        assert_eq!(verdict(&random, &found(11.6, 0.4)), Verdict::Pass);
        assert_eq!(verdict(&random, &found(11.7, 0.4)), Verdict::Fail);
        let exact = target(364.0, Rule::Exact);
        assert_eq!(verdict(&exact, &found(364.0, 0.0)), Verdict::Pass);
        assert_eq!(verdict(&exact, &found(365.0, 0.0)), Verdict::Fail);
        let skip = target(1.0, Rule::Skip { why: "no".to_owned() });
        assert_eq!(verdict(&skip, &found(1.0, 0.0)), Verdict::NotComparable);
    }

    #[test]
    fn a_reference_that_is_a_sample_is_not_judged_beyond_its_own_noise() {
        let rule = Rule::Relative { half_width: 0.05 };
        let target = Target { reference_se: Some(0.02), ..target(0.5, rule) };
        let judged = judge(&target, &found(0.55, 0.005), 1.0);
        assert_eq!(judged.verdict, Verdict::NotComparable);
        assert!(judged.reason.unwrap().contains("2.4 standard errors"));
        assert_eq!(verdict(&target, &found(0.58, 0.005)), Verdict::Fail);
    }

    #[test]
    fn what_has_no_number_fails() {
        let target = target(1.0, Rule::Relative { half_width: 0.01 });
        assert_eq!(verdict(&target, &found(f64::NAN, 0.0)), Verdict::Fail);
        assert_eq!(verdict(&target, &found(f64::INFINITY, f64::NAN)), Verdict::Fail);
    }

    #[test]
    fn numbers_are_shown_with_six_digits() {
        for (number, text) in
            [(0.8, "0.8"), (4.000_000_1, "4"), (17_166.7, "17166.7"), (5.823_54e-5, "5.824e-5")]
        {
            assert_eq!(shown(number), text);
        }
    }
}
