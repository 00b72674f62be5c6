//! The timeline: a strip of moments on top of panels over one axis of minutes.

use super::{Chart, axis, coloured, plain};
use crate::plot::{GROUPS, SERIES, extent, mark_colour};
use crate::study::table::{Group, Mark, MarkKind, Timeline};
use serde_json::{Value, json};

/// The chart, if the timeline has any moment.
pub fn timeline(timeline: &Timeline) -> Option<Value> {
    let mut chart = Chart::default();
    let shown: Vec<(Group, &str)> = GROUPS
        .into_iter()
        .filter(|(group, _)| timeline.series.iter().any(|s| s.group == *group))
        .collect();
    let (low, high) = extent(timeline.series.iter().flat_map(|s| s.t_minutes.iter().copied()))?;
    // The moments take a strip as high as half a panel.
    let slot = 1.0 / (shown.len() as f64 + 0.5);
    moments(&mut chart, timeline, 1.0 - 0.36 * slot);
    for (index, (group, name)) in shown.iter().enumerate() {
        let top = 1.0 - slot * (index as f64 + 0.62);
        let (short, long) = axis('y', index + 1);
        let members: Vec<_> = timeline.series.iter().filter(|s| s.group == *group).collect();
        let share = members[0].unit == "1";
        let mut layout = json!({"domain": [(top - slot * 0.72).max(0.0), top], "zeroline": false});
        if *group == Group::Latency {
            layout["type"] = json!("log");
            layout["dtick"] = json!(1);
            layout["ticksuffix"] = json!(" s");
        } else {
            layout["rangemode"] = json!("tozero");
        }
        if share {
            layout["tickformat"] = json!(".0%");
        }
        chart.layout.insert(long, layout);
        let unit = if *group == Group::Traffic { ", requests/s" } else { "" };
        let names = coloured(members.iter().map(|s| s.name.as_str()));
        chart.markup(&format!("<b>{name}{unit}</b>   {names}"), 0.0, top + 0.004);
        for (series, colour) in members.iter().zip(SERIES.iter().cycle()) {
            let values = [series.median.clone(), series.p10.clone(), series.p90.clone()];
            chart.curve(&series.name, &series.t_minutes, values, *colour, ["x", &short]);
        }
    }
    for shade in &timeline.shades {
        chart.shapes.push(json!({
            "type": "rect", "xref": "x", "yref": "paper", "x0": shade.from, "x1": shade.to, "y0": 0,
            "y1": 1, "fillcolor": "rgba(230,159,0,0.13)", "line": {"width": 0}, "layer": "below",
        }));
    }
    chart.layout.insert(
        "xaxis".into(),
        json!({
            "title": {"text": "minutes from the alert"}, "range": [low, high], "anchor": "free",
            "position": 0, "dtick": 30, "zeroline": false,
        }),
    );
    chart.layout.insert("hovermode".into(), json!("closest"));
    Some(chart.done(150.0 * (shown.len() as f64 + 0.5) + 80.0))
}

/// The strip of moments on top, and their lines through the panels.
fn moments(chart: &mut Chart, timeline: &Timeline, bottom: f64) {
    for (row, reported) in [(1, false), (0, true)] {
        let wanted = |m: &&Mark| (m.kind == MarkKind::MilestoneReported) == reported;
        let marks: Vec<&Mark> = timeline.marks.iter().filter(wanted).collect();
        let at: Vec<f64> = marks.iter().map(|m| m.at_minutes_median).collect();
        let half = |bound: fn(&Mark) -> Option<f64>| -> Vec<f64> {
            marks
                .iter()
                .map(|m| bound(m).map_or(0.0, |b| (b - m.at_minutes_median).abs()))
                .collect()
        };
        let colours: Vec<String> = marks.iter().map(|m| mark_colour(m.kind).css()).collect();
        let text: Vec<String> = marks.iter().map(|m| plain(&m.label)).collect();
        chart.data.push(json!({
            "type": "scatter", "mode": "markers", "x": at, "y": vec![row; marks.len()],
            "text": text, "xaxis": "x", "yaxis": "y",
            "hovertemplate": "T%{x:+.0f} %{text}<extra></extra>",
            "marker": {"color": colours, "size": 11,
                "symbol": if reported { "diamond-open" } else { "circle" }},
            "error_x": {"type": "data", "symmetric": false, "array": half(|m| m.p90),
                "arrayminus": half(|m| m.p10), "color": "#5b6570", "thickness": 1.5, "width": 0},
        }));
        for mark in marks {
            let line = json!({"color": mark_colour(mark.kind).css(), "width": 1,
                "dash": if reported { "dot" } else { "solid" }});
            chart.shapes.push(json!({
                "type": "line", "xref": "x", "yref": "paper", "x0": mark.at_minutes_median,
                "x1": mark.at_minutes_median, "y0": 0, "y1": 1, "line": line, "layer": "below",
            }));
        }
    }
    chart.layout.insert(
        "yaxis".into(),
        json!({"domain": [bottom, 1], "range": [-0.6, 1.6], "tickvals": [0, 1], "zeroline": false,
            "ticktext": ["reported", "simulated"], "showgrid": false, "fixedrange": true}),
    );
}
