//! Break-evens: where an assumed measure does as well as a simulated one.
//!
//! At each swept point the difference of the two is taken replica by replica; its mean is joined by
//! straight lines, and the break-even is where they cross no difference. The interval comes from a
//! paired bootstrap (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", 13.3): replicas
//! are drawn with replacement, each with all its points, and the crossing is found again; the
//! interval holds the middle 95 % of the crossings. Not Fieller's interval, which is one of a single
//! ratio of normal means: a crossing moves from one segment to the next, and so does its ratio.

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
}
