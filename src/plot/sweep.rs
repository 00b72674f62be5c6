//! How the system behaves over one input (curves) or two (heat maps).

use super::CASCADE;
use super::figure::{Anchor, Figure, Type};
use super::scale::{Scale, extent, extent_with_zero};
use super::theme::{
    BLUE, Colour, EDGE, GRID, INK, LABEL, MUTED, SERIES, TICK, WHITE, WIDTH, fit, text_width,
};
use super::words::{bare, centre, quantity, title, unit_shown};
use crate::study::table::{Estimate, Input, Kind, Named, Sweep, Table};

const PANEL: f64 = 250.0;
const CELL: f64 = 44.0;
const BETWEEN: f64 = 64.0;
const MOST: usize = 3;

/// Draws every sweep of the study: those over the same single input together.
///
/// # Errors
/// If the study swept nothing.
pub fn draw(table: &Table) -> Result<Figure, String> {
    let groups = groups(&table.sweep);
    if groups.is_empty() {
        return Err("this study swept no input".into());
    }
    let subtitle = "Lines: the median with the band of 10 to 90 % of the replicas; for a \
        probability its estimate with Wilson's 95 % interval. Cells of a map show the \
        same centre.";
    let (mut figure, mut y) = Figure::new("How the system behaves over its inputs", subtitle);
    for group in groups {
        y = match group[0].inputs.as_slice() {
            [_] => curves(&mut figure, &group, &shared_input(&group), y),
            [across, down, ..] => maps(&mut figure, group[0], across, down, y),
            [] => y,
        };
    }
    figure.height = y;
    Ok(figure)
}

/// Sweeps over the same single input are drawn together, every other one alone.
pub fn groups(sweeps: &[Sweep]) -> Vec<Vec<&Sweep>> {
    let mut groups: Vec<Vec<&Sweep>> = Vec::new();
    for sweep in sweeps.iter().filter(|s| !s.inputs.is_empty() && !s.points.is_empty()) {
        let same = |group: &&mut Vec<&Sweep>| {
            let first = group[0];
            first.inputs.len() == 1
                && sweep.inputs.len() == 1
                && first.inputs[0].path == sweep.inputs[0].path
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(sweep),
            None => groups.push(vec![sweep]),
        }
    }
    groups
}

/// The input of sweeps that are drawn together, with the values of all of them, rising, each once.
pub fn shared_input(group: &[&Sweep]) -> Input {
    let inputs = group.iter().filter_map(|sweep| sweep.inputs.first());
    let mut all: Vec<(f64, &String)> =
        inputs.clone().flat_map(|i| i.numbers.iter().copied().zip(&i.values)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by_key(|(number, _)| *number);
    let (numbers, values) = all.into_iter().map(|(number, text)| (number, text.clone())).unzip();
    Input { path: inputs.map(|i| i.path.clone()).next().unwrap_or_default(), values, numbers }
}

/// Whether the axis of an input is logarithmic: its numbers are positive, and on a linear axis half
/// of them would crowd in its first eighth.
pub fn spans_decades(input: &Input) -> bool {
    let mut numbers = input.numbers.clone();
    numbers.sort_by(f64::total_cmp);
    match numbers[..] {
        [low, .., high] if low > 0.0 => numbers[numbers.len() / 2] - low < (high - low) / 8.0,
        _ => false,
    }
}

/// Name of an input below its axis.
pub fn input_title(input: &Input) -> String {
    let how = if spans_decades(input) { " (logarithmic)" } else { "" };
    format!("{}{how}", input.path)
}

/// The measures of a sweep that are drawn: one of latency, one of goodput and the probability of
/// the cascade if they are there, otherwise the first ones.
pub fn measures(sweep: &Sweep) -> Vec<&str> {
    let Some(point) = sweep.points.first() else { return Vec::new() };
    let names: Vec<&str> = point.measures.iter().map(|(name, _)| name).collect();
    let find = |test: &dyn Fn(&str) -> bool| names.iter().copied().find(|name| test(name));
    let mut chosen: Vec<&str> = [
        find(&|name| name.contains("p99")),
        find(&|name| name.contains("goodput")),
        find(&|name| name == CASCADE),
    ]
    .into_iter()
    .flatten()
    .collect();
    for name in names {
        if chosen.len() < MOST && !chosen.contains(&name) {
            chosen.push(name);
        }
    }
    chosen
}

/// Centre, lower and upper bound of what is drawn of an estimate.
pub fn drawn(estimate: &Estimate) -> [f64; 3] {
    match estimate.kind {
        Kind::Quantity => [estimate.median, estimate.p10, estimate.p90],
        Kind::Probability => [estimate.mean, estimate.ci95[0], estimate.ci95[1]],
    }
}

/// Whether the axis of a measure is logarithmic: a latency spans decades.
pub fn logarithmic(name: &str) -> bool {
    name.contains("latency") || name.contains("p99")
}

/// Title of the panel of a measure, with its unit.
pub fn heading(name: &str, estimate: &Estimate) -> String {
    match estimate.kind {
        Kind::Probability => format!("Probability of the {}, %", name.replace('_', " ")),
        Kind::Quantity if logarithmic(name) => format!("{} (logarithmic)", title(name)),
        Kind::Quantity => match unit_shown(&estimate.unit) {
            "" => title(name),
            unit => format!("{}, {unit}", title(name)),
        },
    }
}

/// Number and measures of each point of a sweep over one input, in the order of the numbers.
pub fn by_number<'a>(sweep: &'a Sweep, input: &Input) -> Vec<(f64, &'a Named<Estimate>)> {
    let number = |text: &String| {
        let place = input.values.iter().position(|value| value == text)?;
        input.numbers.get(place).copied()
    };
    let mut points: Vec<_> = sweep
        .points
        .iter()
        .filter_map(|point| Some((number(point.values.first()?)?, &point.measures)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn curves(figure: &mut Figure, group: &[&Sweep], input: &Input, top: f64) -> f64 {
    let names = measures(group[0]);
    let room = WIDTH - 2.0 * EDGE;
    let step = (room + BETWEEN) / names.len().max(1) as f64;
    let first = top + LABEL * 2.8;
    for (index, name) in names.iter().enumerate() {
        let left = EDGE + 44.0 + step * index as f64;
        let right = EDGE + step * (index + 1) as f64 - BETWEEN;
        curve_panel(figure, group, input, name, [left, right, first, first + PANEL]);
    }
    let mut bottom = first + PANEL + TICK * 3.4;
    let below = format!("Input: {}", input_title(input));
    figure.text((EDGE + 44.0, bottom), &below, Type::new(TICK, MUTED));
    if group.len() > 1 {
        bottom += TICK * 1.9;
        let mut x = EDGE + 44.0;
        for (sweep, colour) in group.iter().zip(SERIES.iter().cycle()) {
            figure.line(&[(x, bottom - 4.0), (x + 22.0, bottom - 4.0)], *colour, 3.0);
            figure.text((x + 28.0, bottom), &sweep.variant, Type::new(TICK, INK).bold());
            x += 56.0 + text_width(&sweep.variant, TICK, true);
        }
    }
    bottom + EDGE
}

fn curve_panel(
    figure: &mut Figure,
    group: &[&Sweep],
    input: &Input,
    name: &str,
    [left, right, top, bottom]: [f64; 4],
) {
    let points: Vec<_> = group.iter().map(|s| by_number(s, &s.inputs[0])).collect();
    let estimates: Vec<&Estimate> =
        points.iter().flatten().filter_map(|(_, m)| m.get(name)).collect();
    let Some(sample) = estimates.first() else { return };
    let span = extent(points.iter().flatten().map(|(n, _)| *n)).unwrap_or((0.0, 1.0));
    let scale = if spans_decades(input) { Scale::log } else { Scale::linear };
    let x = scale(span, left, right);
    let y = vertical(name, &estimates, bottom, top);
    let text = fit(&heading(name, sample), LABEL, true, right - left + 44.0);
    figure.text((left - 44.0, top - 18.0), &text, Type::new(LABEL, INK).bold());
    for tick in y.ticks(5) {
        figure.grid_h(y.at(tick), left, right);
        let text =
            if logarithmic(name) { quantity(tick, &sample.unit) } else { bare(tick, &sample.unit) };
        let style = Type::new(TICK, MUTED).anchor(Anchor::End);
        figure.text((left - 6.0, y.at(tick) + TICK * 0.36), &text, style);
    }
    input_axis(figure, input, &x, (left, right, bottom));
    for (points, colour) in points.iter().zip(SERIES.iter().cycle()) {
        curve(figure, points, name, (&x, &y), *colour);
    }
}

fn vertical(name: &str, estimates: &[&Estimate], bottom: f64, top: f64) -> Scale {
    let values = || estimates.iter().flat_map(|e| drawn(e));
    if estimates.iter().all(|e| e.kind == Kind::Probability) {
        Scale::linear((0.0, 1.0), bottom, top)
    } else if logarithmic(name) {
        let (low, high) = extent(values().filter(|v| *v > 0.0)).unwrap_or((0.1, 10.0));
        Scale::log((low / 1.3, high * 1.3), bottom, top)
    } else {
        Scale::linear(extent_with_zero(values()), bottom, top)
    }
}

/// Ticks at the values that were run, labelled as the experiment wrote them as far as there is
/// room.
fn input_axis(
    figure: &mut Figure,
    input: &Input,
    x: &Scale,
    (left, right, bottom): (f64, f64, f64),
) {
    figure.axis((left, bottom), (right, bottom));
    let mut order: Vec<usize> = (0..input.numbers.len().min(input.values.len())).collect();
    order.sort_by(|&a, &b| input.numbers[a].total_cmp(&input.numbers[b]));
    let place = |index: usize| x.at(input.numbers[index]);
    let half = |index: usize| text_width(&input.values[index], TICK, false) / 2.0;
    // Label every value, or else every second, third … one.
    let fits = |every: &usize| {
        let kept: Vec<usize> = order.iter().copied().step_by(*every).collect();
        kept.windows(2).all(|w| place(w[0]) + half(w[0]) + 6.0 < place(w[1]) - half(w[1]))
    };
    let every = (1..=order.len()).find(fits).unwrap_or(1);
    for (rank, &index) in order.iter().enumerate() {
        let at = place(index);
        figure.axis((at, bottom), (at, bottom + 4.0));
        if rank % every == 0 {
            let style = Type::new(TICK, MUTED).anchor(Anchor::Middle);
            figure.text((at, bottom + TICK * 1.6), &input.values[index], style);
        }
    }
}

fn curve(
    figure: &mut Figure,
    points: &[(f64, &Named<Estimate>)],
    name: &str,
    (x, y): (&Scale, &Scale),
    colour: Colour,
) {
    let known: Vec<(f64, [f64; 3])> =
        points.iter().filter_map(|(n, m)| Some((x.at(*n), drawn(m.get(name)?)))).collect();
    let xs: Vec<f64> = known.iter().map(|(x, _)| *x).collect();
    let heights = |k: usize| known.iter().map(|(_, v)| y.clamped(v[k])).collect::<Vec<f64>>();
    let middle = heights(0);
    figure.band(&xs, &heights(1), &heights(2), colour.faint(0.2));
    let line: Vec<_> = xs.iter().copied().zip(middle).collect();
    figure.line(&line, colour, 2.0);
    for at in line {
        figure.dot(at, 3.2, colour);
    }
}

fn maps(figure: &mut Figure, sweep: &Sweep, across: &Input, down: &Input, top: f64) -> f64 {
    let names = measures(sweep);
    let side = down.values.iter().map(|v| text_width(v, TICK, false)).fold(0.0, f64::max) + 10.0;
    let step = (WIDTH - 2.0 * EDGE + 36.0 - side) / names.len().max(1) as f64;
    let first = top + LABEL * 2.4;
    let bottom = first + CELL * down.values.len() as f64;
    for (row, value) in down.values.iter().rev().enumerate() {
        let at = (EDGE + side - 8.0, first + CELL * (row as f64 + 0.5) + TICK * 0.36);
        figure.text(at, value, Type::new(TICK, MUTED).anchor(Anchor::End));
    }
    for (index, name) in names.iter().enumerate() {
        let left = EDGE + side + step * index as f64;
        let frame = [left, left + step - 36.0, first, bottom];
        map(figure, sweep, (across, down), name, frame);
    }
    let mut end = bottom + TICK * 3.4;
    for line in [
        format!("Variant “{}”. Across: {}", sweep.variant, across.path),
        format!("Up: {}", down.path),
    ] {
        figure.text((EDGE, end), &line, Type::new(TICK, MUTED));
        end += TICK * 1.5;
    }
    end - TICK * 1.5 + EDGE
}

fn map(
    figure: &mut Figure,
    sweep: &Sweep,
    (across, down): (&Input, &Input),
    name: &str,
    [left, right, top, bottom]: [f64; 4],
) {
    let value = |x: &String, y: &String| {
        let here = |p: &&crate::study::table::Point| {
            p.values.first() == Some(x) && p.values.get(1) == Some(y)
        };
        sweep.points.iter().find(here).and_then(|point| point.measures.get(name))
    };
    let all: Vec<&Estimate> = sweep.points.iter().filter_map(|p| p.measures.get(name)).collect();
    let Some(sample) = all.first() else { return };
    let range = match sample.kind {
        Kind::Probability => (0.0, 1.0),
        Kind::Quantity => extent(all.iter().map(|e| centre(e))).unwrap_or((0.0, 1.0)),
    };
    let shade = if logarithmic(name) {
        Scale::log(range, 0.0, 1.0)
    } else {
        Scale::linear(range, 0.0, 1.0)
    };
    let text = fit(&heading(name, sample), LABEL, true, right - left);
    figure.text((left, top - 12.0), &text, Type::new(LABEL, INK).bold());
    let width = (right - left) / across.values.len().max(1) as f64;
    for (column, x) in across.values.iter().enumerate() {
        let x0 = left + width * column as f64;
        let style = Type::new(TICK, MUTED).anchor(Anchor::Middle);
        figure.text((x0 + width / 2.0, bottom + TICK * 1.5), x, style);
        for (row, y) in down.values.iter().rev().enumerate() {
            let y0 = top + CELL * row as f64;
            let found = value(x, y);
            let share = found.map_or(f64::NAN, |e| shade.clamped(centre(e)));
            let fill = if share.is_finite() { BLUE.tint(0.06 + 0.94 * share) } else { GRID };
            figure.rect((x0 + 1.0, y0 + 1.0), (x0 + width - 1.0, y0 + CELL - 1.0), fill);
            let text = found.map_or(String::new(), |e| cell(name, e));
            let ink = if share > 0.8 { WHITE } else { INK };
            let at = (x0 + width / 2.0, y0 + CELL / 2.0 + TICK * 0.36);
            figure.text(at, &text, Type::new(TICK, ink).anchor(Anchor::Middle));
        }
    }
}

fn cell(name: &str, estimate: &Estimate) -> String {
    let value = centre(estimate);
    if logarithmic(name) { quantity(value, &estimate.unit) } else { bare(value, &estimate.unit) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::sample;

    #[test]
    fn sweeps_over_the_same_input_share_a_panel_and_maps_stand_alone() {
        let table = sample::table();
        let mut sweeps = table.sweep.clone();
        sweeps.insert(1, sample::map());
        let sizes: Vec<usize> = groups(&sweeps).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn points_are_ordered_by_number_and_not_by_text() {
        let mut sweep = sample::table().sweep.remove(0);
        sweep.points.reverse();
        let input = sweep.inputs[0].clone();
        let numbers: Vec<f64> = by_number(&sweep, &input).iter().map(|(n, _)| *n).collect();
        assert!(numbers.is_sorted() && numbers.len() == 11);
    }

    #[test]
    fn sweeps_drawn_together_have_the_values_of_all_on_their_axis() {
        let mut table = sample::table();
        let input = |numbers: &[f64]| Input {
            path: "rate".into(),
            values: numbers.iter().map(|n| format!("{n}/s")).collect(),
            numbers: numbers.to_vec(),
        };
        table.sweep[0].inputs[0] = input(&[1.0, 10.0, 100.0]);
        table.sweep[1].inputs[0] = input(&[500.0, 10.0]);
        let shared = shared_input(&[&table.sweep[0], &table.sweep[1]]);
        assert_eq!(shared.numbers, [1.0, 10.0, 100.0, 500.0]);
        assert_eq!(shared.values, ["1/s", "10/s", "100/s", "500/s"]);
    }

    #[test]
    fn an_axis_is_logarithmic_where_half_of_its_values_would_crowd_at_its_beginning() {
        let spans = |numbers: &[f64]| {
            spans_decades(&Input { numbers: numbers.to_vec(), ..Input::default() })
        };
        assert!(spans(&[0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5]));
        assert!(spans(&[1.0, 10.0, 100.0]));
        assert!(!spans(&[0.0, 0.001, 0.01, 1.0]), "zero has no place on it");
        assert!(!spans(&[30.0, 60.0, 120.0, 300.0, 600.0]));
        assert!(!spans(&[5.0]) && !spans(&[]));
    }

    #[test]
    fn latency_goodput_and_cascade_are_chosen_if_they_are_there() {
        let table = sample::table();
        assert_eq!(measures(&table.sweep[0]), ["latency_p99", "goodput", "cascade"]);
    }
}
