//! Break-evens: where an assumed measure does as well as a simulated one.
//!
//! At each swept point the difference of the two is taken replica by replica; its mean is joined by
//! straight lines, and the break-even is where they cross no difference. The interval comes from a
//! paired bootstrap (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", 13.3): replicas
//! are drawn with replacement, each with all its points, and the crossing is found again; the
//! interval holds the middle 95 % of the crossings. Not Fieller's interval, which is one of a
//! single ratio of normal means: a crossing moves from one segment to the next, and its ratio too.

use super::check::CheckedBreakEven;
use super::table::{Beside, BreakEven, BreakEvenPoint, Outcome};
use crate::measure::Better;
use crate::rng::Stream;
use crate::study::estimate::{estimate, paired};

/// Samples of the bootstrap.
const SAMPLES: usize = 2_000;

/// Values of a measure over the replicas.
type Values = Vec<f64>;

/// A break-even from the values at its points and those of the variant that it is compared with,
/// replica by replica.
#[must_use]
pub fn break_even(
    checked: &CheckedBreakEven,
    names: (&str, &str),
    (points, against): (&[Values], &[f64]),
    (unit, better): (&str, Better),
    seed: u64,
) -> BreakEven {
    let numbers: Vec<f64> = checked.points.iter().map(|(_, number, _)| *number).collect();
    let mut said = BreakEven {
        variant: names.0.to_owned(),
        against: names.1.to_owned(),
        measure: checked.measure.clone(),
        unit: unit.to_owned(),
        input: checked.input.clone(),
        ..BreakEven::default()
    };
    for ((value, number, _), values) in checked.points.iter().zip(points) {
        let found = paired(against, values);
        said.points.push(BreakEvenPoint {
            value: value.clone(),
            number: *number,
            mean: estimate(values).mean,
            difference: found.mean,
            difference_ci95: [found.ci95.0, found.ci95.1],
        });
    }
    // Positive: the assumed measure does worse.
    let sign = if better == Better::Higher { -1.0 } else { 1.0 };
    let differences = differences(points, against, sign);
    said.replicas = differences.len() as u64;
    if differences.len() > 1 {
        let mut stream = Stream::new(seed, 0, "break-even", &format!("{} {}", names.0, said.input));
        settle(&mut said, &numbers, &differences, &mut stream);
    }
    said.says = words(&said, checked.say);
    said
}

/// For each replica that has all numbers: the differences at all points.
fn differences(points: &[Values], against: &[f64], sign: f64) -> Vec<Vec<f64>> {
    let shortest = points.iter().map(Vec::len).min().unwrap_or(0).min(against.len());
    let replica = |r: usize| -> Vec<f64> {
        points.iter().map(|values| sign * (values[r] - against[r])).collect()
    };
    let all = (0..shortest).map(replica);
    all.filter(|row| row.iter().all(|difference| difference.is_finite())).collect()
}

/// Finds the break-even and its interval.
fn settle(said: &mut BreakEven, numbers: &[f64], differences: &[Vec<f64>], stream: &mut Stream) {
    let all: Vec<usize> = (0..differences.len()).collect();
    let curve = means(differences, &all);
    let crossings = crossings(numbers, &curve);
    let last = curve.len() - 1;
    // Worse at the upper end: better below. Without a crossing, by where the curve is lower.
    let rises = match crossings.len() % 2 {
        1 => curve[last] > 0.0 || curve[last] == 0.0 && curve[0] < 0.0,
        _ => curve[last] > curve[0],
    };
    said.outcome = match crossings.as_slice() {
        [_] => Outcome::Within,
        [] if curve.iter().any(|difference| *difference < 0.0) => Outcome::AlwaysBetter,
        [] => Outcome::AlwaysWorse,
        _ => Outcome::Several,
    };
    if let [value] = crossings.as_slice() {
        said.value = Some(*value);
        said.better = Some(if rises { Beside::Below } else { Beside::Above });
    }
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let chosen: Vec<usize> = all.iter().map(|_| below(stream, all.len())).collect();
        let (first, last) = bounds(numbers, &means(differences, &chosen), rises);
        firsts.push(first);
        lasts.push(last);
    }
    firsts.sort_by(f64::total_cmp);
    lasts.sort_by(f64::total_cmp);
    // An end may be infinite, so that nothing is interpolated; rounded outwards.
    let rank = 0.025 * (SAMPLES - 1) as f64;
    let (low, high) = (firsts[rank as usize], lasts[SAMPLES - 1 - rank as usize]);
    said.ci95 = [low, high].map(|end| Some(end).filter(|end| end.is_finite()));
    // Without a crossing, both ends are beyond the same end of the range if this is sure.
    said.is_clear = crossings.is_empty() && low == high || low.is_finite() && high.is_finite();
}

/// A whole number below `n`, each with the same probability (to within n / 2^53).
fn below(stream: &mut Stream, n: usize) -> usize {
    ((stream.unit() * n as f64) as usize).min(n - 1)
}

/// The mean difference at each point over the chosen replicas.
fn means(differences: &[Vec<f64>], chosen: &[usize]) -> Vec<f64> {
    let points = differences[0].len();
    let mean = |point: usize| {
        chosen.iter().map(|&r| differences[r][point]).sum::<f64>() / chosen.len() as f64
    };
    (0..points).map(mean).collect()
}

/// Where straight lines between the points cross no difference, in ascending order. A point of no
/// difference is a crossing if the signs differ on its two sides or it is at an end; of several
/// such points in a row the middle counts.
fn crossings(numbers: &[f64], curve: &[f64]) -> Vec<f64> {
    let mut found = Vec::new();
    let mut before: Option<usize> = None;
    for (i, value) in curve.iter().enumerate().filter(|(_, value)| **value != 0.0) {
        match before {
            // The points between are all of no difference.
            Some(b) if (curve[b] < 0.0) != (*value < 0.0) => found.push(match i - b {
                1 => {
                    let part = curve[b] / (curve[b] - value);
                    numbers[b] + part * (numbers[i] - numbers[b])
                }
                _ => 0.5 * (numbers[b + 1] + numbers[i - 1]),
            }),
            // Both are equal from the first point on up to here.
            None if i > 0 => found.push(0.5 * (numbers[0] + numbers[i - 1])),
            _ => {}
        }
        before = Some(i);
    }
    if let Some(b) = before.filter(|b| b + 1 < curve.len()) {
        found.push(0.5 * (numbers[b + 1] + numbers[curve.len() - 1]));
    }
    found
}

/// The first and the last crossing; beyond the end of the range where the curve says so if there is
/// none.
fn bounds(numbers: &[f64], curve: &[f64], rises: bool) -> (f64, f64) {
    let crossings = crossings(numbers, curve);
    match (crossings.first(), crossings.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ if curve.iter().all(|difference| *difference == 0.0) => {
            (f64::NEG_INFINITY, f64::INFINITY)
        }
        // Better everywhere, and better below: the crossing is above. And so on.
        _ if (curve[0] < 0.0) == rises => (f64::INFINITY, f64::INFINITY),
        _ => (f64::NEG_INFINITY, f64::NEG_INFINITY),
    }
}

fn words(said: &BreakEven, say: fn(f64) -> String) -> String {
    let (BreakEven { variant, against, input, .. }, points) = (said, &said.points);
    let (Some(lowest), Some(highest)) = (points.first(), points.last()) else {
        return String::new();
    };
    let range = format!("between {} and {}", lowest.value, highest.value);
    let interval = match said.ci95 {
        [Some(low), Some(high)] => format!(" (95 %: {} to {})", say(low), say(high)),
        [Some(low), None] => format!(" (95 %: {} to above the range)", say(low)),
        [None, Some(high)] => format!(" (95 %: below the range to {})", say(high)),
        [None, None] => " (95 %: wider than the range)".to_owned(),
    };
    let always = |word: &str| {
        let rest = match said.is_clear {
            true => String::new(),
            false => format!(", but the 95 % interval of the break-even reaches into it{interval}"),
        };
        format!("`{variant}` does {word} than `{against}` for every `{input}` {range}{rest}.")
    };
    match (said.outcome, said.value, said.better) {
        (Outcome::Within, Some(value), Some(side)) => {
            let side = if side == Beside::Below { "below" } else { "above" };
            format!(
                "`{variant}` equals `{against}` at `{input}` = {}{interval}, and does better \
                 {side} it.",
                say(value)
            )
        }
        (Outcome::AlwaysBetter, ..) => always("better"),
        (Outcome::AlwaysWorse, ..) => always("no better"),
        (Outcome::Several, ..) => format!(
            "`{variant}` and `{against}` are equal at several values of `{input}` {range}\
             {interval}: run more replicas, or fewer points."
        ),
        _ => format!("`{variant}` and `{against}` have no two replicas to compare."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_crosses_where_its_straight_lines_do() {
        assert_eq!(crossings(&[0.0, 1.0, 2.0], &[-1.0, 1.0, 3.0]), [0.5]);
        assert_eq!(crossings(&[0.0, 10.0], &[3.0, -1.0]), [7.5]);
        assert_eq!(crossings(&[0.0, 1.0, 2.0], &[-1.0, 0.0, 3.0]), [1.0]);
        assert_eq!(crossings(&[0.0, 1.0, 2.0, 3.0], &[-1.0, 0.0, 0.0, 3.0]), [1.5]);
        assert_eq!(crossings(&[0.0, 1.0, 2.0], &[0.0, 2.0, 3.0]), [0.0]);
        assert_eq!(crossings(&[0.0, 1.0, 2.0], &[-1.0, -2.0, 0.0]), [2.0]);
        assert_eq!(crossings(&[0.0, 1.0, 2.0], &[-1.0, 1.0, -1.0]), [0.5, 1.5]);
        // It touches and does not cross.
        assert!(crossings(&[0.0, 1.0, 2.0], &[-1.0, 0.0, -1.0]).is_empty());
        assert!(crossings(&[0.0, 1.0], &[1.0, 2.0]).is_empty());
        assert!(crossings(&[0.0, 1.0], &[0.0, 0.0]).is_empty());
    }

    #[test]
    fn beyond_the_range_a_crossing_is_on_the_side_to_which_the_curve_points() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        assert_eq!(bounds(&[0.0, 1.0], &[-2.0, -1.0], true), (high, high));
        assert_eq!(bounds(&[0.0, 1.0], &[1.0, 2.0], true), (low, low));
        assert_eq!(bounds(&[0.0, 1.0], &[-1.0, -2.0], false), (low, low));
        assert_eq!(bounds(&[0.0, 1.0], &[2.0, 1.0], false), (high, high));
        assert_eq!(bounds(&[0.0, 1.0], &[0.0, 0.0], true), (low, high));
    }

    fn settled(numbers: &[f64], differences: &[Vec<f64>]) -> BreakEven {
        let mut said = BreakEven::default();
        settle(&mut said, numbers, differences, &mut Stream::new(1, 0, "break-even", "test"));
        said
    }

    /// Differences that rise by 1 from point to point; the crossing of each replica is its own.
    fn rising(own: &[f64]) -> Vec<Vec<f64>> {
        own.iter().map(|c| (0..4).map(|x| f64::from(x) - c).collect()).collect()
    }

    #[test]
    fn the_interval_of_a_straight_line_is_that_of_the_mean_of_its_crossings() {
        let own: Vec<f64> = (0..60).map(|i| 1.3 + 0.02 * f64::from(i * 37 % 60 - 30)).collect();
        let found = settled(&[0.0, 1.0, 2.0, 3.0], &rising(&own));
        let expected = estimate(&own);
        assert_eq!((found.outcome, found.better), (Outcome::Within, Some(Beside::Below)));
        assert!((found.value.unwrap() - expected.mean).abs() < 1e-12);
        let [low, high] = found.ci95.map(Option::unwrap);
        // The bootstrap's own noise is below a tenth of the half width.
        let half = 0.5 * (expected.ci95.1 - expected.ci95.0);
        assert!((low - expected.ci95.0).abs() < 0.1 * half, "{low} {expected:?}");
        assert!((high - expected.ci95.1).abs() < 0.1 * half, "{high} {expected:?}");
        assert!(found.is_clear);
    }

    #[test]
    fn the_interval_holds_the_true_value_about_as_often_as_it_says() {
        let mut luck = Stream::new(5, 0, "test", "coverage");
        let mut held = 0;
        for _ in 0..200 {
            // Each replica's crossing is a sum of uniform numbers, skewed by its square.
            let mut one = || (0..3).map(|_| luck.unit() - 0.5).sum::<f64>();
            let own: Vec<f64> =
                (0..40).map(|_| one()).map(|x| 1.5 + x + 0.3 * (x * x - 0.25)).collect();
            let [low, high] = settled(&[0.0, 1.0, 2.0, 3.0], &rising(&own)).ci95;
            held += i32::from(low.unwrap() <= 1.5 && 1.5 <= high.unwrap());
        }
        // 95 % of 200 are 190; a binomial number is between 178 and 199 all but always.
        assert!((178..200).contains(&held), "{held}");
    }

    #[test]
    fn without_a_crossing_it_is_said_who_is_better_and_whether_that_is_sure() {
        let numbers = [0.0, 1.0, 2.0, 3.0];
        let far: Vec<f64> = (0..20).map(|i| 9.0 + 0.1 * f64::from(i % 5)).collect();
        let found = settled(&numbers, &rising(&far));
        assert_eq!(
            (found.outcome, found.value, found.ci95),
            (Outcome::AlwaysBetter, None, [None; 2])
        );
        assert!(found.is_clear);
        let below: Vec<f64> = far.iter().map(|c| -c).collect();
        assert_eq!(settled(&numbers, &rising(&below)).outcome, Outcome::AlwaysWorse);
        let near: Vec<f64> = (0..20).map(|i| 3.1 + 2.0 * f64::from(i % 5 - 2)).collect();
        let found = settled(&numbers, &rising(&near));
        assert_eq!((found.outcome, found.ci95[1]), (Outcome::AlwaysBetter, None));
        assert!(found.ci95[0].is_some() && !found.is_clear, "{found:?}");
    }

    #[test]
    fn falling_and_bent_curves_are_told() {
        let falling: Vec<Vec<f64>> = rising(&[1.4, 1.6, 1.5])
            .into_iter()
            .map(|row| row.into_iter().map(|difference| -difference).collect())
            .collect();
        assert_eq!(settled(&[0.0, 1.0, 2.0, 3.0], &falling).better, Some(Beside::Above));
        let bent = [vec![-1.0, 1.0, -1.0], vec![-1.2, 1.1, -1.0]];
        let found = settled(&[0.0, 1.0, 2.0], &bent);
        assert_eq!((found.outcome, found.value, found.better), (Outcome::Several, None, None));
        let [low, high] = found.ci95.map(Option::unwrap);
        assert!(low < 1.0 && high > 1.0);
    }
}
