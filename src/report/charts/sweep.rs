//! The sweep: curves over one input, or heat maps over two.

use super::{Chart, axis, coloured, plain, rounded};
use crate::plot::{
    Colour, SERIES, by_number, drawn, groups, heading, input_title, logarithmic, measures,
    shared_input, spans_decades,
};
use crate::study::table::{Input, Point, Sweep, Table};
use serde_json::{Value, json};

/// The chart of the first sweep, if there is one.
pub fn sweep(table: &Table) -> Option<Value> {
    let group = groups(&table.sweep).into_iter().next()?;
    let mut chart = Chart::default();
    if group[0].inputs.len() == 1 {
        chart.layout.insert("margin".into(), json!({"l": 70, "r": 20, "t": 55, "b": 70}));
        chart.markup(&coloured(group.iter().map(|s| s.variant.as_str())), 0.0, 1.08);
    }
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
            [_] => {
                let input = shared_input(&group);
                let title = plain(&input_title(&input));
                across["title"] = json!({"text": title, "font": {"size": 11}});
                if spans_decades(&input) {
                    across["type"] = json!("log");
                    across["dtick"] = json!(1);
                }
                up["rangemode"] = json!("tozero");
                if logarithmic(name) {
                    up["type"] = json!("log");
                    up["dtick"] = json!(1);
                }
                for (sweep, colour) in group.iter().zip(SERIES.iter().cycle()) {
                    panel(&mut chart, sweep, name, *colour, [&x, &y]);
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

fn panel(chart: &mut Chart, sweep: &Sweep, name: &str, colour: Colour, axes: [&str; 2]) {
    let points = by_number(sweep, &sweep.inputs[0]);
    let known: Vec<(f64, [f64; 3])> =
        points.iter().filter_map(|(n, m)| Some((*n, drawn(m.get(name)?)))).collect();
    let xs: Vec<f64> = known.iter().map(|(n, _)| *n).collect();
    let values = [0, 1, 2].map(|k| known.iter().map(|(_, v)| v[k]).collect());
    chart.curve(&sweep.variant, &xs, values, colour, axes);
}

fn heat(sweep: &Sweep, across: &Input, up: &Input, name: &str, axes: [&str; 2]) -> Value {
    let cell = |y: &String, x: &String| {
        let here = |p: &&Point| p.values == [x.clone(), y.clone()];
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
    use crate::plot::sample;

    #[test]
    fn each_variant_has_all_its_points_whatever_the_first_one_has() {
        let mut table = sample::table();
        let (all, first) = (table.sweep[1].points.len(), &mut table.sweep[0]);
        first.points.truncate(3);
        first.inputs[0].values.truncate(3);
        first.inputs[0].numbers.truncate(3);
        let chart = sweep(&table).expect("a sweep");
        let traces = chart["data"].as_array().expect("traces");
        let of = |name: &str| traces.iter().find(|trace| trace["name"] == name);
        let points = |name| of(name).map(|trace| trace["x"].as_array().map_or(0, Vec::len));
        assert_eq!((points("baseline"), points("everything")), (Some(3), Some(all)));
    }
}
