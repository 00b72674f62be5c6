//! How outcomes are distributed over the replicas, variant by variant.

use super::figure::{Anchor, Figure, Type};
use super::scale::{Scale, extent_with_zero};
use super::theme::{BLUE, Colour, EDGE, INK, LABEL, MUTED, TICK, WHITE, WIDTH, wrap};
use super::words::{bare, quantity, title, unit_shown};
use super::{USER_OUTAGE, USERS_AFFECTED};
use crate::study::table::{Named, Table};

const NAMES: f64 = 232.0;
const ROW: f64 = 46.0;
/// Height of the tallest bar of a row.
const TALL: f64 = 31.0;
const BINS: usize = 60;
/// Room for the median at the right of each column.
const NOTE: f64 = 72.0;
const BETWEEN: f64 = 26.0;
const BASELINE: Colour = MUTED;
/// Ends of the bar and the dot.
const SHOWN: [f64; 3] = [0.1, 0.5, 0.9];

/// Draws one histogram for each variant and measure.
///
/// # Errors
/// If the study kept no values of replicas.
pub fn draw(table: &Table) -> Result<Figure, String> {
    let measures = shown(table);
    let names: Vec<&str> = table.variants.iter().map(|v| v.name.as_str()).collect();
    if measures.is_empty() || names.is_empty() {
        return Err("this study kept no values of single replicas".into());
    }
    let subtitle = "Histogram over the replicas of each variant, scaled to its own tallest bar. \
        Dot: median, printed at the right. Bar below: 10 to 90 % of the replicas.";
    let (mut figure, top) = Figure::new("How outcomes are distributed", subtitle);
    let first = top + LABEL * 1.6 + 8.0;
    let bottom = first + ROW * names.len() as f64;
    for (index, name) in names.iter().enumerate() {
        let y = first + ROW * index as f64 + ROW * 0.62;
        let lines = wrap(name, LABEL, false, NAMES - 16.0);
        let style = Type::new(if lines.len() > 2 { TICK - 1.0 } else { LABEL }, INK);
        figure.lines((EDGE, y), &lines, if index == 0 { style.bold() } else { style });
    }
    let room = WIDTH - 2.0 * EDGE - NAMES + BETWEEN;
    let step = room / measures.len() as f64;
    for (index, (measure, values)) in measures.iter().enumerate() {
        let left = EDGE + NAMES + step * index as f64;
        let column = Column { left, right: left + step - BETWEEN - NOTE, top: first, bottom };
        column.draw(&mut figure, table, measure, values, &names);
    }
    figure.height = bottom + TICK * 2.0 + EDGE;
    Ok(figure)
}

/// User outage and users affected if the study has them, otherwise its first two measures.
fn shown(table: &Table) -> Vec<(&str, &Named<Vec<f64>>)> {
    let all: Vec<_> = table.distributions.iter().collect();
    let wanted = |name: &str| name == USER_OUTAGE || name == USERS_AFFECTED;
    let known: Vec<_> = all.iter().filter(|(name, _)| wanted(name)).copied().collect();
    if known.is_empty() { all.into_iter().take(2).collect() } else { known }
}

struct Column {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Column {
    fn draw(
        &self,
        figure: &mut Figure,
        table: &Table,
        measure: &str,
        values: &Named<Vec<f64>>,
        names: &[&str],
    ) {
        let unit = table.baseline_measure(measure).map_or("", |m| m.unit.as_str());
        let range = extent_with_zero(values.iter().flat_map(|(_, v)| v.iter().copied()));
        let x = Scale::linear(range, self.left, self.right);
        let heading = format!("{}, {}", title(measure), unit_shown(unit));
        figure.text((self.left, self.top - 10.0), &heading, Type::new(LABEL, INK).bold());
        for tick in x.ticks(5) {
            figure.grid_v(x.at(tick), self.top, self.bottom);
            let style = Type::new(TICK, MUTED).anchor(Anchor::Middle);
            figure.text((x.at(tick), self.bottom + TICK * 1.4), &bare(tick, unit), style);
        }
        for (index, name) in names.iter().enumerate() {
            let base = self.top + ROW * (index as f64 + 1.0) - 9.0;
            let colour = if index == 0 { BASELINE } else { BLUE };
            if let Some(values) = values.get(name) {
                self.row(figure, values, &x, range, (base, colour));
                if let Some([_, median, _]) = quantiles(values, SHOWN) {
                    let at = (self.right + 10.0, base - TICK * 0.4);
                    figure.text(at, &quantity(median, unit), Type::new(TICK, INK));
                }
            }
        }
    }

    fn row(
        &self,
        figure: &mut Figure,
        values: &[f64],
        x: &Scale,
        range: (f64, f64),
        (base, colour): (f64, Colour),
    ) {
        let counts = histogram(values, range);
        let tallest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let width = (self.right - self.left) / BINS as f64;
        for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = self.left + bin as f64 * width;
            // A bin with few replicas must stay visible.
            let height = (*count as f64 / tallest * TALL).max(1.0);
            figure.rect((left, base - height), (left + width - 0.5, base), colour.tint(0.5));
        }
        figure.axis((self.left, base), (self.right, base));
        if let Some([low, median, high]) = quantiles(values, SHOWN) {
            figure.line(&[(x.at(low), base), (x.at(high), base)], colour, 3.5);
            figure.dot((x.at(median), base), 5.5, WHITE);
            figure.dot((x.at(median), base), 4.0, colour);
        }
    }
}

/// Counts of the finite values in equal bins over the range.
fn histogram(values: &[f64], (low, high): (f64, f64)) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    let width = (high - low).max(f64::MIN_POSITIVE) / BINS as f64;
    for value in values.iter().filter(|v| v.is_finite()) {
        let bin = ((value - low) / width).floor().clamp(0.0, BINS as f64 - 1.0);
        counts[bin as usize] += 1;
    }
    counts
}

/// Quantiles of the finite values, between neighbours in proportion (type 7 of Hyndman and Fan,
/// 1996); nothing if there are no values.
pub fn quantiles<const N: usize>(values: &[f64], shares: [f64; N]) -> Option<[f64; N]> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)? as f64;
    Some(shares.map(|share| {
        let place = share * last;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_falls_into_one_bin() {
        let counts = histogram(&[0.0, 0.5, 1.0, f64::NAN], (0.0, 1.0));
        assert_eq!(counts.iter().sum::<usize>(), 3);
        assert_eq!((counts[0], counts[BINS / 2], counts[BINS - 1]), (1, 1, 1));
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values: Vec<f64> = (0..=10).rev().map(f64::from).collect();
        assert_eq!(quantiles(&values, SHOWN), Some([1.0, 5.0, 9.0]));
        assert_eq!(quantiles(&[f64::NAN], SHOWN), None);
    }
}
