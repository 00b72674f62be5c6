//! The figures again as interactive charts: data and layout in the words of plotly.js.
//!
//! They are written as JSON and not through the builders of the `plotly` crate, because every chart
//! is a grid of panels with shared axes, which the builders would only make longer. Colours of text
//! and axes are left to the page, which knows whether it is light or dark.

mod sweep;
mod timeline;

use crate::plot::words::{quantity, title};
use crate::plot::{
    CASCADE, Colour, DIFFERENCES, SERIES, USER_OUTAGE, USERS_AFFECTED, group_heading, quantiles,
    sorted, verdict,
};
use crate::study::table::{Estimate, Interval, Table, Variant};
use serde_json::{Map, Value, json};

/// Whisker, box, median, box, whisker.
const WHISKERS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

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
        self.layout.entry("margin").or_insert(json!({"l": 70, "r": 20, "t": 30, "b": 70}));
        self.layout.insert("annotations".into(), Value::Array(self.annotations));
        self.layout.insert("shapes".into(), Value::Array(self.shapes));
        json!({"data": self.data, "layout": self.layout})
    }

    /// A bold title at the upper left corner of a panel, in shares of the chart.
    fn heading(&mut self, text: &str, x: f64, y: f64) {
        self.markup(&format!("<b>{}</b>", plain(text)), x, y);
    }

    fn markup(&mut self, markup: &str, x: f64, y: f64) {
        self.annotations.push(json!({
            "text": markup, "x": x, "y": y, "xref": "paper",
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

/// Names in the colours of their lines, instead of a legend.
fn coloured<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let span = |(name, colour): (&str, &Colour)| {
        format!("<span style=\"color:{}\"><b>{}</b></span>", colour.css(), plain(name))
    };
    names.zip(SERIES.iter().cycle()).map(span).collect::<Vec<_>>().join("   ")
}

/// How to read a chart; the static figures say it under their titles.
pub fn reading(name: &str) -> &'static str {
    match name {
        "timeline" => {
            "Lines are medians over the replicas, bands hold 10 to 90 % of them. Filled marks are \
             simulated, open ones reported by the postmortem; point at one to read it."
        }
        "comparison" => {
            "Dots are means of the paired differences, bars their 95 % intervals (Wilson's for the \
             probability). Blue: better than the baseline; vermillion: worse; grey: the interval \
             includes no difference."
        }
        "distributions" => {
            "Boxes hold the middle half of the replicas around their median, whiskers 5 to 95 %."
        }
        "sweep" => {
            "Lines are medians with the band of 10 to 90 % of the replicas; for a probability the \
             estimate with Wilson's 95 % interval."
        }
        _ => "",
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

/// The axis of a panel: plotly calls the first one `y`, the second `y2`, and their layouts `yaxis`,
/// `yaxis2`.
fn axis(letter: char, index: usize) -> (String, String) {
    let number = if index == 0 { String::new() } else { (index + 1).to_string() };
    (format!("{letter}{number}"), format!("{letter}axis{number}"))
}

/// The chart of a plot, if there is one and the table has what it needs.
pub fn chart(table: &Table, name: &str) -> Option<Value> {
    match name {
        "timeline" => timeline::timeline(table.timeline.as_ref()?),
        "comparison" => comparison(table),
        "distributions" => distributions(table),
        "sweep" => sweep::sweep(table),
        _ => None,
    }
}

fn comparison(table: &Table) -> Option<Value> {
    let variants = sorted(table);
    let mut names: Vec<Value> = variants.iter().map(|v| json!(broken(&v.name))).collect();
    // Names in groups are pairs of two categories.
    let is_grouped = !variants.is_empty() && group_heading(&variants, 0).is_some();
    if is_grouped {
        let groups = variants.iter().map(|v| broken(v.is.heading()));
        names = groups.zip(names).map(|(group, name)| json!([group, name])).collect();
    }
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
            layout["tickformat"] = json!(".0%");
        }
        let what = match (*name, base.unit.as_str()) {
            (CASCADE, _) => {
                layout["range"] = json!([-0.05, 1.05]);
                "line: the baseline".into()
            }
            (_, "1") => "change in percentage points".into(),
            (_, unit) => format!("change in {}", plain(unit)),
        };
        layout["title"] = json!({"text": what, "font": {"size": 11}});
        chart.layout.insert(long, layout);
        chart.shapes.push(json!({
            "type": "line", "xref": short, "yref": "paper", "x0": reference, "x1": reference,
            "y0": 0, "y1": 1, "line": {"color": "#8a939c", "width": 1.5}, "layer": "below",
        }));
    }
    let kind = if is_grouped { "multicategory" } else { "category" };
    let up = json!({"autorange": "reversed", "automargin": true, "type": kind});
    chart.layout.insert("yaxis".into(), up);
    Some(chart.done(44.0 * variants.len() as f64 + 120.0))
}

/// What one variant does to one measure; the colour follows the paired difference.
fn compared(variant: &Variant, name: &str, base: &Estimate) -> Option<Effect> {
    let difference = variant.differences.get(name)?;
    let (mean, ci95) = match variant.measures.get(name) {
        Some(estimate) if name == CASCADE => (estimate.mean, estimate.ci95),
        _ => (difference.mean, difference.ci95),
    };
    let [low, high] = ci95.map(|bound| quantity(bound, &base.unit));
    let text = format!("{} ({low} to {high})", quantity(mean, &base.unit));
    Some((mean, ci95, verdict(difference.ci95, 0.0, base.better).css(), text))
}

/// Mean, interval, colour and hover text.
type Effect = (f64, Interval, String, String);

/// One panel; a name in a group is a pair of two texts, and plotly wants all first ones and all
/// second ones.
fn forest(names: &[Value], rows: &[Option<Effect>], axis: &str) -> Value {
    let known: Vec<_> =
        names.iter().zip(rows).filter_map(|(n, r)| Some((n, r.as_ref()?))).collect();
    let column =
        |f: fn(&Effect) -> Value| -> Vec<Value> { known.iter().map(|(_, row)| f(row)).collect() };
    let part = |part: usize| known.iter().map(|(name, _)| name[part].clone()).collect::<Value>();
    let ys = match known.first() {
        Some((Value::Array(_), _)) => json!([part(0), part(1)]),
        _ => known.iter().map(|(name, _)| (*name).clone()).collect(),
    };
    json!({
        "type": "scatter", "mode": "markers", "xaxis": axis, "yaxis": "y",
        "y": ys,
        "x": column(|(mean, ..)| json!(mean)),
        "text": column(|(.., text)| json!(text)),
        "hovertemplate": "%{y}: %{text}<extra></extra>",
        "marker": {"size": 9, "color": column(|(_, _, colour, _)| json!(colour))},
        "error_x": {
            "type": "data", "symmetric": false, "thickness": 2, "width": 3, "color": "#8a939c",
            "array": column(|(mean, [_, high], ..)| json!(high - mean)),
            "arrayminus": column(|(mean, [low, _], ..)| json!(mean - low)),
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
            let Some([low, q1, median, q3, high]) = quantiles(values, WHISKERS) else { continue };
            let colour = if place == 0 { "#5b6570" } else { "#0072b2" };
            chart.data.push(json!({
                "type": "box", "orientation": "h", "y": [broken(variant)], "name": "",
                "q1": rounded(&[q1]), "median": rounded(&[median]), "q3": rounded(&[q3]),
                "lowerfence": rounded(&[low]), "upperfence": rounded(&[high]),
                "xaxis": short, "yaxis": "y", "line": {"width": 1.5},
                "marker": {"color": colour}, "hoverinfo": "x",
            }));
        }
    }
    let axis = json!({"autorange": "reversed", "automargin": true, "type": "category"});
    chart.layout.insert("yaxis".into(), axis);
    Some(chart.done(44.0 * table.variants.len() as f64 + 120.0))
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
