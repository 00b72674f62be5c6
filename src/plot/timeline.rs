//! The incident over time: what the system did, beside what the postmortem reports.

use super::figure::{Anchor, Figure, Type, Xy, spread};
use super::scale::{Scale, extent, extent_with_zero, minutes};
use super::theme::{
    AXIS, Colour, EDGE, GREEN, INK, LABEL, MUTED, ORANGE, SERIES, TICK, VERMILLION, WIDTH, fit,
    text_width,
};
use super::words::{bare, quantity};
use crate::study::table::{Group, Mark, MarkKind, Series, Table, Timeline};

const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 150.0;
const PANEL: f64 = 112.0;
const GAP: f64 = 40.0;
const ROW: f64 = 17.0;

/// The panels from top to bottom.
pub const GROUPS: [(Group, &str); 5] = [
    (Group::Traffic, "Traffic"),
    (Group::Errors, "Failed requests"),
    (Group::Latency, "Latency (logarithmic)"),
    (Group::Memory, "Memory, share of the limit"),
    (Group::Instances, "Instances up"),
];

/// The colour of a mark.
pub fn mark_colour(kind: MarkKind) -> Colour {
    match kind {
        MarkKind::Change => ORANGE,
        MarkKind::Alert => VERMILLION,
        MarkKind::Action => GREEN,
        MarkKind::MilestoneReported => MUTED,
    }
}

/// Draws the timeline.
///
/// # Errors
/// If the study recorded none.
pub fn draw(table: &Table) -> Result<Figure, String> {
    let timeline = table.timeline.as_ref().ok_or("this study recorded no timeline")?;
    let times = timeline.series.iter().flat_map(|s| s.t_minutes.iter().copied());
    let span = extent(times).ok_or("the timeline of this study is empty")?;
    let x = Scale::linear(span, LEFT, RIGHT);
    let subtitle = format!(
        "Variant “{}”. Lines are medians over the replicas in buckets of {}, bands hold 10 to 90 \
         % of the replicas. Solid vertical lines: simulated, at their median. Dashed: reported by \
         the postmortem.",
        timeline.variant,
        quantity(timeline.bucket_seconds, "s"),
    );
    let (mut figure, top) = Figure::new("The incident, minute by minute", &subtitle);
    let simulated = marks_of(timeline, false, &x);
    let reported = marks_of(timeline, true, &x);
    let upper = lane_height(&simulated);
    let first = top + upper + GAP;
    let bottom = first + panels_height(timeline);
    shades(&mut figure, timeline, &x, first - GAP * 0.7, bottom);
    for (mark, _) in &reported {
        let at = x.clamped(mark.at_minutes_median);
        figure.dashed((at, first - 6.0), (at, bottom), AXIS, 1.0);
    }
    upper_lane(&mut figure, &simulated, &x, (top, bottom));
    let mut y = first;
    for (group, title) in GROUPS {
        let members: Vec<&Series> = timeline.series.iter().filter(|s| s.group == group).collect();
        if !members.is_empty() {
            panel(&mut figure, title, group, &members, &x, y);
            y += PANEL + GAP;
        }
    }
    let end = axis(&mut figure, &x, span, bottom);
    figure.height = lower_lane(&mut figure, &reported, &x, end, bottom) + EDGE;
    Ok(figure)
}

fn panels_height(timeline: &Timeline) -> f64 {
    let shown =
        GROUPS.iter().filter(|(g, _)| timeline.series.iter().any(|s| s.group == *g)).count();
    shown as f64 * (PANEL + GAP) - GAP
}

/// The marks of one lane in order of time, each with its row. The row is chosen so that no leader
/// crosses the label of an earlier mark: row 0 is farthest from the panels.
fn marks_of<'a>(timeline: &'a Timeline, reported: bool, x: &Scale) -> Vec<(&'a Mark, usize)> {
    let wanted = |m: &&Mark| (m.kind == MarkKind::MilestoneReported) == reported;
    let mut marks: Vec<&Mark> = timeline.marks.iter().filter(wanted).collect();
    marks.retain(|m| x.covers(m.at_minutes_median));
    marks.sort_by(|a, b| a.at_minutes_median.total_cmp(&b.at_minutes_median));
    let mut placed: Vec<(&Mark, usize, f64)> = Vec::new();
    for mark in marks {
        let at = x.at(mark.at_minutes_median);
        let under =
            placed.iter().filter(|(.., end)| *end + 8.0 > at).map(|(_, row, _)| row + 1).max();
        let end = at + 5.0 + text_width(&label(mark), TICK, false);
        placed.push((mark, under.unwrap_or(0), end));
    }
    placed.into_iter().map(|(mark, row, _)| (mark, row)).collect()
}

/// `T+90 hotfix deployed`
fn label(mark: &Mark) -> String {
    let at = mark.at_minutes_median.round();
    let sign = if at < 0.0 { "−" } else { "+" };
    format!("T{sign}{} {}", at.abs(), mark.label)
}

fn rows(marks: &[(&Mark, usize)]) -> usize {
    marks.iter().map(|(_, row)| row + 1).max().unwrap_or(0)
}

fn lane_height(marks: &[(&Mark, usize)]) -> f64 {
    if marks.is_empty() { 0.0 } else { (rows(marks) as f64 + 1.2) * ROW }
}

fn lane_label(figure: &mut Figure, mark: &Mark, at: Xy, colour: Colour) {
    let room = WIDTH - EDGE - at.0 - 5.0;
    let text = fit(&label(mark), TICK, false, room);
    figure.text((at.0 + 5.0, at.1), &text, Type::new(TICK, colour));
}

/// Simulated moments above the panels; a bar under the label shows where 10 to 90 % of them lie.
fn upper_lane(figure: &mut Figure, marks: &[(&Mark, usize)], x: &Scale, (top, bottom): (f64, f64)) {
    if marks.is_empty() {
        return;
    }
    let heading = "Simulated (bar: 10 to 90 % of replicas)";
    figure.text((EDGE, top + TICK), heading, Type::new(TICK, MUTED).bold());
    for (mark, row) in marks {
        let colour = mark_colour(mark.kind);
        let at = x.at(mark.at_minutes_median);
        let y = top + (*row as f64 + 2.2) * ROW;
        figure.line(&[(at, y - TICK), (at, bottom)], colour, 1.6);
        if let (Some(low), Some(high)) = (mark.p10, mark.p90) {
            let (low, high) = (x.clamped(low), x.clamped(high));
            figure.rect((low, y + 2.5), (high, y + 5.0), colour.tint(0.55));
        }
        lane_label(figure, mark, (at, y - 1.5), INK);
    }
}

/// Reported milestones under the panels. Returns where the lane ends.
fn lower_lane(
    figure: &mut Figure,
    marks: &[(&Mark, usize)],
    x: &Scale,
    top: f64,
    bottom: f64,
) -> f64 {
    if marks.is_empty() {
        return top;
    }
    figure.text((EDGE, top + TICK), "Reported by the postmortem", Type::new(TICK, MUTED).bold());
    let count = rows(marks) as f64;
    for (mark, row) in marks {
        let at = x.at(mark.at_minutes_median);
        // Row 0 is farthest from the panels, so here it is the lowest.
        let y = top + (count - *row as f64 + 1.0) * ROW;
        figure.dashed((at, bottom + 5.0), (at, y + 1.0), AXIS, 1.0);
        lane_label(figure, mark, (at, y), INK);
    }
    top + (count + 1.0) * ROW
}

fn shades(figure: &mut Figure, timeline: &Timeline, x: &Scale, top: f64, bottom: f64) {
    for shade in &timeline.shades {
        let (from, to) = (x.clamped(shade.from), x.clamped(shade.to));
        figure.rect((from, top), (to, bottom), ORANGE.tint(0.13));
        let text = fit(&shade.label, TICK, false, (to - from - 8.0).max(0.0));
        figure.text(
            (to - 4.0, top + TICK + 1.0),
            &text,
            Type::new(TICK, MUTED).anchor(Anchor::End),
        );
    }
}

/// The vertical axis of a panel.
fn vertical(group: Group, members: &[&Series], top: f64) -> Scale {
    let values =
        || members.iter().flat_map(|s| s.p10.iter().chain(&s.p90).chain(&s.median)).copied();
    let (from, to) = (top + PANEL, top);
    match group {
        Group::Latency => {
            let (low, high) = extent(values().filter(|v| *v > 0.0)).unwrap_or((0.1, 10.0));
            Scale::log((low / 1.3, high * 1.3), from, to)
        }
        Group::Errors => Scale::linear((0.0, 1.0), from, to),
        Group::Memory => {
            Scale::linear((0.0, extent_with_zero(values().chain([1.0])).1.max(1.06)), from, to)
        }
        Group::Traffic | Group::Instances => Scale::linear(extent_with_zero(values()), from, to),
    }
}

fn panel(figure: &mut Figure, title: &str, group: Group, all: &[&Series], x: &Scale, top: f64) {
    let y = vertical(group, all, top);
    let unit = all[0].unit.as_str();
    let heading = match group {
        Group::Traffic => format!("{title}, {unit}"),
        _ => title.to_string(),
    };
    figure.text((EDGE, top - 12.0), &heading, Type::new(LABEL, INK).bold());
    for tick in y.ticks(4) {
        let at = y.at(tick);
        figure.grid_h(at, LEFT, RIGHT);
        let text = match group {
            Group::Traffic | Group::Instances => bare(tick, unit),
            _ => quantity(tick, unit),
        };
        let style = Type::new(TICK, MUTED).anchor(Anchor::End);
        figure.text((LEFT - 8.0, at + TICK * 0.36), &text, style);
    }
    figure.axis((LEFT, top + PANEL), (RIGHT, top + PANEL));
    let mut ends = Vec::new();
    for (series, colour) in all.iter().zip(SERIES.iter().cycle()) {
        ends.push(curve(figure, series, *colour, x, &y));
    }
    let heights = spread(&ends, TICK * 1.3, top + 4.0, top + PANEL - 2.0);
    for ((series, colour), height) in all.iter().zip(SERIES.iter().cycle()).zip(heights) {
        let text = fit(&series.name, TICK, true, WIDTH - EDGE - RIGHT - 8.0);
        let at = (RIGHT + 8.0, height + TICK * 0.36);
        figure.text(at, &text, Type::new(TICK, *colour).bold());
    }
}

/// Draws one series and returns the height at which it ends.
fn curve(figure: &mut Figure, series: &Series, colour: Colour, x: &Scale, y: &Scale) -> f64 {
    let xs: Vec<f64> = series.t_minutes.iter().map(|t| x.at(*t)).collect();
    let heights = |values: &[f64]| values.iter().map(|v| y.clamped(*v)).collect::<Vec<f64>>();
    let (low, high, middle) = (heights(&series.p10), heights(&series.p90), heights(&series.median));
    figure.band(&xs, &low, &high, colour.faint(0.2));
    let points: Vec<Xy> = xs.iter().copied().zip(middle.iter().copied()).collect();
    figure.line(&points, colour, 1.8);
    middle.iter().rev().copied().find(|v| v.is_finite()).unwrap_or(y.at(0.0).min(y.clamped(1.0)))
}

/// The common time axis under the last panel. Returns where it ends.
fn axis(figure: &mut Figure, x: &Scale, (low, high): (f64, f64), bottom: f64) -> f64 {
    let baseline = bottom + 6.0 + TICK;
    for tick in minutes(low, high, 12) {
        let at = x.at(tick);
        figure.axis((at, bottom), (at, bottom + 4.0));
        let style = Type::new(TICK, MUTED).anchor(Anchor::Middle);
        figure.text((at, baseline), &bare(tick, "min"), style);
    }
    figure.text((RIGHT + 8.0, baseline), "min from the alert", Type::new(TICK, MUTED));
    baseline + 12.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::sample;

    #[test]
    fn labels_of_marks_do_not_overlap() {
        let table = sample::table();
        let figure = draw(&table).unwrap();
        let boxes: Vec<_> =
            figure.text_boxes().into_iter().filter(|(text, _)| text.starts_with('T')).collect();
        assert!(boxes.len() > 14);
        for (i, (a, p)) in boxes.iter().enumerate() {
            for (b, q) in &boxes[i + 1..] {
                let apart = p[2] <= q[0] || q[2] <= p[0] || p[3] <= q[1] || q[3] <= p[1];
                assert!(apart, "“{a}” and “{b}” overlap");
            }
        }
    }

    #[test]
    fn every_label_lies_inside_the_figure() {
        let figure = draw(&sample::table()).unwrap();
        for (text, [left, top, right, bottom]) in figure.text_boxes() {
            let inside = left >= 0.0 && top >= 0.0 && right <= WIDTH && bottom <= figure.height;
            assert!(inside, "“{text}” at {left} {top} {right} {bottom}");
        }
    }

    #[test]
    fn a_study_without_a_timeline_says_so() {
        let mut table = sample::table();
        table.timeline = None;
        assert!(draw(&table).unwrap_err().contains("no timeline"));
        table.timeline = Some(Timeline::default());
        assert!(draw(&table).unwrap_err().contains("empty"));
    }
}
