//! What each variant changes: a forest plot of paired differences with their intervals.

use super::figure::{Anchor, Figure, Type, Xy};
use super::scale::{Scale, extent_with_zero};
use super::theme::{
    AXIS, BLUE, Colour, EDGE, INK, LABEL, MUTED, TICK, VERMILLION, WIDTH, fit, text_width, wrap,
};
use super::words::{bare, quantity, signed, title, unit_shown};
use super::{CASCADE, USER_MINUTES_LOST, USER_OUTAGE, USERS_AFFECTED};
use crate::study::table::{Better, Interval, Is, Table, Variant};

const NAMES: f64 = 232.0;
const ROW: f64 = 38.0;
/// Room for the heading of a group.
const HEADING: f64 = 30.0;
const BETWEEN: f64 = 22.0;
/// Room for the numbers at the right of each column.
const NOTE: f64 = 66.0;

/// The measures whose differences are shown, the ranking one first.
pub const DIFFERENCES: [&str; 3] = [USER_MINUTES_LOST, USER_OUTAGE, USERS_AFFECTED];

/// All variants but the baseline: corrective measures, links of the chain, what-ifs; in each group
/// the best effect on user-minutes lost first, and those whose effect is unknown last in the order
/// of the experiment.
pub fn sorted(table: &Table) -> Vec<&Variant> {
    let effect = |v: &Variant| match v.differences.get(USER_MINUTES_LOST) {
        Some(difference) if !difference.mean.is_nan() => difference.mean,
        _ => f64::NAN,
    };
    let mut variants: Vec<&Variant> = table.variants.iter().skip(1).collect();
    // `f64::NAN` is positive, which `total_cmp` puts after all numbers; the sort is stable.
    variants.sort_by(|a, b| a.is.cmp(&b.is).then(effect(a).total_cmp(&effect(b))));
    variants
}

/// The heading of a variant's group, if it is the first of its group in this list and the list has
/// groups at all.
pub fn group_heading(variants: &[&Variant], index: usize) -> Option<&'static str> {
    let is_grouped = variants.iter().any(|variant| variant.is != Is::WhatIf);
    let is_first = index == 0 || variants[index - 1].is != variants[index].is;
    (is_grouped && is_first).then(|| variants[index].is.heading())
}

/// Draws the comparison.
///
/// # Errors
/// If there is no variant besides the baseline, or none of the compared measures.
pub fn draw(table: &Table) -> Result<Figure, String> {
    let variants = sorted(table);
    let has = |name: &str| table.baseline_measure(name).is_some();
    let mut columns: Vec<Column> = DIFFERENCES
        .iter()
        .filter(|name| has(name))
        .map(|name| Column::differences(table, &variants, name))
        .collect();
    if has(CASCADE) {
        columns.push(Column::probability(table, &variants, CASCADE));
    }
    if variants.is_empty() || columns.is_empty() {
        return Err("this study has no variants to compare".into());
    }
    let subtitle = "Dot and bar: mean of the paired differences with its 95 % interval \
        (probability: Wilson's interval). Blue: better than the baseline, vermillion: \
        worse, grey: the interval includes no difference. Largest savings first.";
    let (mut figure, top) = Figure::new("What each variant changes", subtitle);
    let first = top + LABEL * 3.4;
    let mut bottom = first;
    let mut rows = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        if index > 0 {
            figure.grid_h(bottom, EDGE, WIDTH - EDGE);
        }
        if let Some(heading) = group_heading(&variants, index) {
            let style = Type::new(LABEL, INK).bold();
            figure.text((EDGE, bottom + HEADING * 0.7), heading, style);
            bottom += HEADING;
        }
        let y = bottom + ROW / 2.0;
        bottom += ROW;
        rows.push(y);
        let lines = wrap(&variant.name, LABEL, false, NAMES - 16.0);
        let size = if lines.len() > 2 { TICK - 1.0 } else { LABEL };
        figure.lines((EDGE, y), &lines, Type::new(size, INK));
    }
    let step = (WIDTH - 2.0 * EDGE - NAMES + BETWEEN) / columns.len() as f64;
    for (index, column) in columns.iter().enumerate() {
        let left = EDGE + NAMES + step * index as f64;
        column.draw(&mut figure, (left, left + step - BETWEEN), (first, bottom), &rows);
    }
    figure.height = bottom + TICK * 2.2 + EDGE;
    Ok(figure)
}

struct Column {
    heading: String,
    note: String,
    unit: String,
    /// The unit under the axis: a difference of shares is in percentage points.
    axis: String,
    /// Where the reference line stands: no difference, or the baseline's probability.
    reference: f64,
    range: Option<(f64, f64)>,
    /// For each variant: mean, interval, colour and the printed number.
    rows: Vec<Option<(f64, Interval, Colour, String)>>,
}

impl Column {
    fn differences(table: &Table, variants: &[&Variant], name: &str) -> Column {
        let (unit, better, base) = table.baseline_measure(name).map_or_else(
            || (String::new(), Better::Neither, f64::NAN),
            |m| (m.unit.clone(), m.better, m.mean),
        );
        let row = |variant: &&Variant| {
            let difference = variant.differences.get(name)?;
            let colour = verdict(difference.ci95, 0.0, better);
            let text = signed(difference.mean, &unit);
            Some((difference.mean, difference.ci95, colour, text))
        };
        Column {
            heading: title(name),
            note: format!("change from {}", quantity(base, &unit)),
            rows: variants.iter().map(row).collect(),
            reference: 0.0,
            range: None,
            axis: if unit == "1" { "points".into() } else { unit.clone() },
            unit,
        }
    }

    fn probability(table: &Table, variants: &[&Variant], name: &str) -> Column {
        let (reference, better) =
            table.baseline_measure(name).map_or((f64::NAN, Better::Lower), |m| (m.mean, m.better));
        let row = |variant: &&Variant| {
            let estimate = variant.measures.get(name)?;
            // The pairs tell more than the two proportions apart.
            let colour = match variant.differences.get(name) {
                Some(difference) => verdict(difference.ci95, 0.0, better),
                None => verdict(estimate.ci95, reference, better),
            };
            let text = quantity(estimate.mean, "1");
            Some((estimate.mean, estimate.ci95, colour, text))
        };
        Column {
            heading: format!("Probability of the {}", name.replace('_', " ")),
            note: format!("baseline {}", quantity(reference, "1")),
            rows: variants.iter().map(row).collect(),
            unit: "1".into(),
            axis: unit_shown("1").into(),
            reference,
            range: Some((0.0, 1.0)),
        }
    }

    fn draw(&self, figure: &mut Figure, (left, end): Xy, (top, bottom): (f64, f64), ys: &[f64]) {
        let right = end - NOTE;
        let ends =
            self.rows.iter().flatten().flat_map(|(mean, [low, high], ..)| [*mean, *low, *high]);
        let x = Scale::linear(self.range.unwrap_or_else(|| extent_with_zero(ends)), left, right);
        let heading = fit(&self.heading, LABEL, true, end - left);
        figure.text((left, top - LABEL * 2.0), &heading, Type::new(LABEL, INK).bold());
        figure.text((left, top - LABEL * 0.75), &self.note, Type::new(TICK, MUTED));
        self.ticks(figure, &x, (top, bottom));
        for (row, &y) in self.rows.iter().zip(ys) {
            let Some((mean, [low, high], colour, text)) = row else { continue };
            figure.line(&[(x.clamped(*low), y), (x.clamped(*high), y)], *colour, 2.5);
            figure.dot((x.clamped(*mean), y), 4.5, *colour);
            let style = Type::new(TICK, INK).anchor(Anchor::End);
            figure.text((end, y + TICK * 0.36), text, style);
        }
    }

    fn ticks(&self, figure: &mut Figure, x: &Scale, (top, bottom): (f64, f64)) {
        let mut taken = f64::NEG_INFINITY;
        for tick in x.ticks(3) {
            figure.grid_v(x.at(tick), top, bottom);
            let text = bare(tick, &self.unit);
            let half = text_width(&text, TICK, false) / 2.0;
            if x.at(tick) - half > taken + 6.0 {
                let style = Type::new(TICK, MUTED).anchor(Anchor::Middle);
                figure.text((x.at(tick), bottom + TICK * 1.5), &text, style);
                taken = x.at(tick) + half;
            }
        }
        let after = (x.at(0.0).max(taken) + 8.0, bottom + TICK * 1.5);
        figure.text(after, &self.axis, Type::new(TICK, MUTED));
        let reference = x.clamped(self.reference);
        figure.line(&[(reference, top), (reference, bottom)], AXIS, 1.5);
    }
}

/// Blue if the whole interval is better than the reference, vermillion if it is worse.
pub fn verdict([low, high]: Interval, reference: f64, better: Better) -> Colour {
    match better {
        Better::Lower if high < reference => BLUE,
        Better::Lower if low > reference => VERMILLION,
        Better::Higher if low > reference => BLUE,
        Better::Higher if high < reference => VERMILLION,
        _ => MUTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::sample;

    #[test]
    fn variants_are_sorted_by_their_effect_on_user_minutes() {
        let mut table = sample::table();
        table.variants[1].differences = Default::default();
        let names: Vec<&str> = sorted(&table).iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names[0], "no surge");
        assert_eq!(names[names.len() - 2], "aggressive client retries");
        assert_eq!(names[names.len() - 1], "caught exception", "an unknown effect comes last");
    }

    #[test]
    fn groups_come_one_after_the_other_each_with_its_heading() {
        let mut table = sample::table();
        for index in [2, 4] {
            table.variants[index].is = Is::Corrective;
        }
        table.variants[8].is = Is::Link;
        let variants = sorted(&table);
        let names: Vec<&str> = variants.iter().take(4).map(|v| v.name.as_str()).collect();
        let [best, next, link] = [2, 4, 8].map(|index| table.variants[index].name.as_str());
        assert_eq!(names, [best, next, link, "everything"]);
        let headings: Vec<usize> =
            (0..variants.len()).filter(|i| group_heading(&variants, *i).is_some()).collect();
        assert_eq!(headings, [0, 2, 3]);
        assert!(group_heading(&sorted(&sample::table()), 0).is_none(), "nothing is grouped");
    }

    #[test]
    fn an_interval_that_includes_no_difference_is_grey() {
        assert_eq!(verdict([-2.0, 1.0], 0.0, Better::Lower), MUTED);
        assert_eq!(verdict([-2.0, -1.0], 0.0, Better::Lower), BLUE);
        assert_eq!(verdict([-2.0, -1.0], 0.0, Better::Higher), VERMILLION);
        assert_eq!(verdict([1.0, 2.0], 0.0, Better::Lower), VERMILLION);
        assert_eq!(verdict([1.0, 2.0], 0.0, Better::Neither), MUTED);
    }
}
