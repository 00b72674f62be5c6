//! The figures again as interactive charts: data and layout in the words of plotly.js.
//!
//! They are written as JSON and not through the builders of the `plotly` crate, because every chart is a
//! grid of panels with shared axes, which the builders would only make longer. Colours of
//! text and axes are left to the page, which knows whether it is light or dark.

use crate::plot::words::{quantity, title};
use crate::plot::{
    CASCADE, Colour, DIFFERENCES, GROUPS, SERIES, USER_OUTAGE, USERS_AFFECTED, by_number, drawn,
    extent, groups, heading, logarithmic, mark_colour, measures, sorted, verdict,
};
use crate::study::table::{
    Better, Estimate, Group, Input, Interval, Mark, MarkKind, Sweep, Table, Timeline, Variant,
};
use serde_json::{Map, Value, json};

/// Data, layout and height of one chart.
#[derive(Default)]
struct Chart {
    data: Vec<Value>,
    layout: Map<String, Value>,
    annotations: Vec<Value>,
    shapes: Vec<Value>,
}

impl Chart {
    fn done(mut self, height: f64) -> Value {
        self.layout.insert("height".into(), json!(height));
        self.layout.insert("showlegend".into(), json!(false));
        self.layout.entry("margin").or_insert(json!({"l": 70, "r": 20, "t": 30, "b": 50}));
        self.layout.insert("annotations".into(), Value::Array(self.annotations));
        self.layout.insert("shapes".into(), Value::Array(self.shapes));
        json!({"data": self.data, "layout": self.layout})
    }

    /// A bold title at the upper left corner of a panel, in shares of the chart.
    fn heading(&mut self, text: &str, x: f64, y: f64) {
        self.annotations.push(json!({
            "text": format!("<b>{}</b>", plain(text)), "x": x, "y": y, "xref": "paper",
            "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": false,
            "font": {"size": 13},
        }));
    }

    /// A line with its band.
    fn curve(
        &mut self,
        name: &str,
        xs: &[f64],
        values: [Vec<f64>; 3],
        colour: Colour,
        axes: [&str; 2],
    ) {
        let [middle, low, high] = values;
        let common = |mut trace: Value| {
            trace["x"] = json!(xs);
            trace["xaxis"] = json!(axes[0]);
            trace["yaxis"] = json!(axes[1]);
            trace["type"] = json!("scatter");
            trace
        };
        let fill = format!("rgba({},{},{},0.2)", colour.0, colour.1, colour.2);
        let edge = json!({"width": 0});
        self.data.push(common(
            json!({"y": rounded(&low), "mode": "lines", "line": edge, "hoverinfo": "skip"}),
        ));
        self.data.push(common(json!({
            "y": rounded(&high), "mode": "lines", "line": edge, "fill": "tonexty",
            "fillcolor": fill, "hoverinfo": "skip",
        })));
        self.data.push(common(json!({
            "y": rounded(&middle), "name": plain(name),
            "mode": if xs.len() > 30 { "lines" } else { "lines+markers" },
            "line": {"color": colour.css(), "width": 2},
            "hovertemplate": "%{y:.3~s} at %{x}",
        })));
    }
}

/// Text which plotly shall not read as markup.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Long names in lines of about 28 letters.
fn broken(name: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 28 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("<br>")
}

/// Four significant digits are enough for a chart and keep the page small.
fn rounded(values: &[f64]) -> Vec<Value> {
    let short = |value: &f64| match value {
        v if !v.is_finite() => Value::Null,
        v if *v == 0.0 => json!(0),
        v => {
            let power = 10f64.powi(3 - v.abs().log10().floor() as i32);
            json!((v * power).round() / power)
        }
    };
    values.iter().map(short).collect()
}

/// The axis of a panel: plotly calls the first one `y`, the second `y2`, and their layouts `yaxis`, `yaxis2`.
fn axis(letter: char, index: usize) -> (String, String) {
    let number = if index == 0 { String::new() } else { (index + 1).to_string() };
    (format!("{letter}{number}"), format!("{letter}axis{number}"))
}

/// The chart of a plot, if there is one and the table has what it needs.
pub fn chart(table: &Table, name: &str) -> Option<Value> {
    match name {
        "timeline" => timeline(table.timeline.as_ref()?),
        "comparison" => comparison(table),
        "distributions" => distributions(table),
        "sweep" => sweep(table),
        _ => None,
    }
}

fn timeline(timeline: &Timeline) -> Option<Value> {
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
        chart.heading(&format!("{name}{unit}"), 0.0, top + 0.004);
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
        json!({"title": {"text": "minutes from the alert"}, "range": [low, high], "anchor": "free",
            "position": 0, "zeroline": false}),
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

fn comparison(table: &Table) -> Option<Value> {
    let variants = sorted(table);
    let names: Vec<String> = variants.iter().map(|v| broken(&v.name)).collect();
    let mut columns: Vec<&str> = DIFFERENCES.to_vec();
    columns.push(CASCADE);
    columns.retain(|name| table.baseline_measure(name).is_some());
    if variants.is_empty() || columns.is_empty() {
        return None;
    }
    let mut chart = Chart::default();
    let step = 1.0 / columns.len() as f64;
    for (index, name) in columns.iter().enumerate() {
        let (short, long) = axis('x', index);
        let left = step * index as f64;
        let base = table.baseline_measure(name)?;
        let rows: Vec<_> = variants.iter().map(|v| compared(v, name, base)).collect();
        let reference = if *name == CASCADE { base.mean } else { 0.0 };
        let text = match *name {
            CASCADE => "Probability of the cascade".into(),
            name => title(name),
        };
        chart.heading(&text, left, 1.0);
        chart.data.push(forest(&names, &rows, &short));
        let mut layout =
            json!({"domain": [left, left + step * 0.88], "zeroline": false, "nticks": 5});
        if base.unit == "1" {
            layout["tickformat"] = json!(if *name == CASCADE { ".0%" } else { "+.0%" });
        }
        if *name == CASCADE {
            layout["range"] = json!([-0.05, 1.05]);
        }
        chart.layout.insert(long, layout);
        chart.shapes.push(json!({
            "type": "line", "xref": short, "yref": "paper", "x0": reference, "x1": reference,
            "y0": 0, "y1": 1, "line": {"color": "#8a939c", "width": 1.5}, "layer": "below",
        }));
    }
    chart.layout.insert(
        "yaxis".into(),
        json!({"autorange": "reversed", "automargin": true, "type": "category"}),
    );
    Some(chart.done(38.0 * variants.len() as f64 + 100.0))
}

/// Mean, interval, colour and hover text of one variant in one column.
fn compared(
    variant: &Variant,
    name: &str,
    base: &Estimate,
) -> Option<(f64, Interval, String, String)> {
    let (mean, ci95, reference) = if name == CASCADE {
        let estimate = variant.measures.get(name)?;
        (estimate.mean, estimate.ci95, base.mean)
    } else {
        let difference = variant.differences.get(name)?;
        (difference.mean, difference.ci95, 0.0)
    };
    let better =
        if name == CASCADE && base.better == Better::Neither { Better::Lower } else { base.better };
    let [low, high] = ci95.map(|bound| quantity(bound, &base.unit));
    let text = format!("{} ({low} to {high})", quantity(mean, &base.unit));
    Some((mean, ci95, verdict(ci95, reference, better).css(), text))
}

type Row = Option<(f64, Interval, String, String)>;

fn forest(names: &[String], rows: &[Row], axis: &str) -> Value {
    let known: Vec<_> =
        names.iter().zip(rows).filter_map(|(n, r)| Some((n, r.as_ref()?))).collect();
    let column = |f: &dyn Fn(&(f64, Interval, String, String)) -> Value| -> Vec<Value> {
        known.iter().map(|(_, row)| f(row)).collect()
    };
    json!({
        "type": "scatter", "mode": "markers", "xaxis": axis, "yaxis": "y",
        "y": known.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "x": column(&|(mean, ..)| json!(mean)),
        "text": column(&|(.., text)| json!(text)),
        "hovertemplate": "%{y}: %{text}<extra></extra>",
        "marker": {"size": 9, "color": column(&|(_, _, colour, _)| json!(colour))},
        "error_x": {
            "type": "data", "symmetric": false, "thickness": 2, "width": 3, "color": "#8a939c",
            "array": column(&|(mean, [_, high], ..)| json!(high - mean)),
            "arrayminus": column(&|(mean, [low, _], ..)| json!(mean - low)),
        },
    })
}

fn distributions(table: &Table) -> Option<Value> {
    let mut measures: Vec<_> = table.distributions.iter().collect();
    let wanted = |name: &str| name == USER_OUTAGE || name == USERS_AFFECTED;
    if measures.iter().any(|(name, _)| wanted(name)) {
        measures.retain(|(name, _)| wanted(name));
    }
    measures.truncate(2);
    if measures.is_empty() {
        return None;
    }
    let mut chart = Chart::default();
    let step = 1.0 / measures.len() as f64;
    for (index, (name, values)) in measures.iter().enumerate() {
        let (short, long) = axis('x', index);
        let left = step * index as f64;
        let unit = table.baseline_measure(name).map_or("", |m| m.unit.as_str());
        let mut layout = json!({"domain": [left, left + step * 0.92], "rangemode": "tozero"});
        if unit == "1" {
            layout["tickformat"] = json!(".0%");
        } else if !unit.is_empty() {
            layout["ticksuffix"] = json!(format!(" {unit}"));
        }
        chart.layout.insert(long, layout);
        chart.heading(&title(name), left, 1.0);
        for (place, (variant, values)) in values.iter().enumerate() {
            let colour = if place == 0 { "#5b6570" } else { "#0072b2" };
            chart.data.push(json!({
                "type": "box", "orientation": "h", "x": rounded(values), "name": broken(variant),
                "xaxis": short, "yaxis": "y", "boxpoints": false, "line": {"width": 1.5},
                "marker": {"color": colour}, "hoverinfo": "x",
            }));
        }
    }
    let axis = json!({"autorange": "reversed", "automargin": true, "type": "category"});
    chart.layout.insert("yaxis".into(), axis);
    Some(chart.done(38.0 * table.variants.len() as f64 + 100.0))
}

fn sweep(table: &Table) -> Option<Value> {
    let group = groups(&table.sweep).into_iter().next()?;
    let mut chart = Chart::default();
    let names = measures(group[0]);
    let step = 1.0 / names.len().max(1) as f64;
    for (index, name) in names.iter().enumerate() {
        let ((x, long_x), (y, long_y)) = (axis('x', index), axis('y', index));
        let left = step * index as f64;
        let sample = group[0].points.first()?.measures.get(name)?;
        chart.heading(&heading(name, sample), left, 1.0);
        let domain = json!([left + 0.02, left + step * 0.9]);
        let mut across = json!({"domain": domain, "anchor": y, "zeroline": false});
        let mut up = json!({"anchor": x, "zeroline": false});
        match group[0].inputs.as_slice() {
            [input] => {
                across["title"] = json!({"text": plain(&input.path), "font": {"size": 11}});
                up["rangemode"] = json!("tozero");
                if logarithmic(name) {
                    up["type"] = json!("log");
                    up["dtick"] = json!(1);
                }
                for (sweep, colour) in group.iter().zip(SERIES.iter().cycle()) {
                    panel(&mut chart, sweep, input, name, *colour, [&x, &y]);
                }
            }
            [first, second, ..] => {
                across["title"] = json!({"text": plain(&first.path), "font": {"size": 11}});
                across["type"] = json!("category");
                up["type"] = json!("category");
                if index == 0 {
                    up["title"] = json!({"text": plain(&second.path), "font": {"size": 11}});
                }
                chart.data.push(heat(group[0], first, second, name, [&x, &y]));
            }
            [] => return None,
        }
        if sample.unit == "1" {
            up["tickformat"] = json!(".0%");
        }
        chart.layout.insert(long_x, across);
        chart.layout.insert(long_y, up);
    }
    Some(chart.done(400.0))
}

fn panel(
    chart: &mut Chart,
    sweep: &Sweep,
    input: &Input,
    name: &str,
    colour: Colour,
    axes: [&str; 2],
) {
    let points = by_number(sweep, input);
    let known: Vec<(f64, [f64; 3])> =
        points.iter().filter_map(|(n, m)| Some((*n, drawn(m.get(name)?)))).collect();
    let xs: Vec<f64> = known.iter().map(|(n, _)| *n).collect();
    let values = [0, 1, 2].map(|k| known.iter().map(|(_, v)| v[k]).collect());
    chart.curve(&sweep.variant, &xs, values, colour, axes);
}

fn heat(sweep: &Sweep, across: &Input, up: &Input, name: &str, axes: [&str; 2]) -> Value {
    let cell = |y: &String, x: &String| {
        let here = |p: &&crate::study::table::Point| p.values == [x.clone(), y.clone()];
        let estimate = sweep.points.iter().find(here).and_then(|p| p.measures.get(name));
        estimate.map_or(f64::NAN, |e| drawn(e)[0])
    };
    let rows: Vec<Vec<Value>> = up
        .values
        .iter()
        .map(|y| rounded(&across.values.iter().map(|x| cell(y, x)).collect::<Vec<f64>>()))
        .collect();
    json!({
        "type": "heatmap", "x": across.values, "y": up.values, "z": rows, "xaxis": axes[0],
        "yaxis": axes[1], "showscale": false, "texttemplate": "%{z:.3~s}", "xgap": 2, "ygap": 2,
        "colorscale": [[0, "#eff6fa"], [1, "#0072b2"]],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{PLOTS, sample};

    #[test]
    fn every_plot_has_a_chart_for_the_sample_and_none_for_an_empty_table() {
        for plot in PLOTS {
            assert!(chart(&sample::table(), plot.name).is_some(), "{}", plot.name);
            assert!(chart(&Table::default(), plot.name).is_none(), "{}", plot.name);
        }
    }

    #[test]
    fn names_are_not_read_as_markup() {
        assert_eq!(broken("<a href='x'>name</a>"), "&lt;a href='x'&gt;name&lt;/a&gt;");
        let long = broken("circuit breaker between balancer and api");
        assert_eq!(long, "circuit breaker between<br>balancer and api");
    }

    #[test]
    fn numbers_are_short_and_missing_ones_are_null() {
        let values = rounded(&[123.456_78, f64::NAN, 0.0, -0.000_123_45]);
        assert_eq!(serde_json::to_string(&values).unwrap(), "[123.5,null,0,-0.0001235]");
    }
}
