//! Figures: a table in, shapes out, then SVG and PNG.
//!
//! A plot is one function from a [`Table`] to a [`Figure`], which is a list of shapes in pixels;
//! one function draws any figure to either format. To add a plot, write that function in a file of
//! its own and add one line to [`PLOTS`].

mod comparison;
mod distributions;
mod draw;
mod figure;
#[cfg(test)]
pub mod sample;
mod scale;
mod sweep;
mod theme;
mod timeline;
pub mod words;

pub use draw::{png, svg};
pub use figure::{Anchor, Figure, Shape, Type};
pub use theme::Colour;

pub(crate) use comparison::{DIFFERENCES, group_heading, sorted, verdict};
pub(crate) use distributions::quantiles;
pub(crate) use scale::extent;
pub(crate) use sweep::{
    by_number, drawn, groups, heading, input_title, logarithmic, measures, shared_input,
    spans_decades,
};
pub(crate) use theme::SERIES;
pub(crate) use timeline::{GROUPS, mark_colour};

use crate::study::table::Table;

/// Minutes which users lost: the measure by which variants are ranked.
pub const USER_MINUTES_LOST: &str = "user_minutes_lost";
/// How long users noticed the outage.
pub const USER_OUTAGE: &str = "user_outage";
/// The share of users whom it touched.
pub const USERS_AFFECTED: &str = "users_affected";
/// Whether the failure spread from the component where it began.
pub const CASCADE: &str = "cascade";

/// A kind of figure.
pub struct Plot {
    /// Name in experiment files and of the written files.
    pub name: &'static str,
    /// Heading in the report.
    pub title: &'static str,
    /// What it shows; also the text for readers who cannot see it.
    pub caption: &'static str,
    /// Draws it; fails if the study lacks what the figure needs.
    pub draw: fn(&Table) -> Result<Figure, String>,
}

/// All plots, in the order of the report.
pub const PLOTS: &[Plot] = &[
    Plot {
        name: "timeline",
        title: "The incident, minute by minute",
        caption: "Traffic, failed requests, latency, memory and instances over the minutes from \
            the alert, with the simulated and the reported moments.",
        draw: timeline::draw,
    },
    Plot {
        name: "comparison",
        title: "What each variant changes",
        caption: "Effect of every variant on user-minutes lost, user outage, users affected and \
            the probability of the cascade; the largest savings of each group at the top.",
        draw: comparison::draw,
    },
    Plot {
        name: "distributions",
        title: "How outcomes are distributed",
        caption: "User outage and users affected over the replicas of every variant.",
        draw: distributions::draw,
    },
    Plot {
        name: "sweep",
        title: "How the system behaves over its inputs",
        caption: "Latency, goodput and the probability of the cascade over the swept inputs.",
        draw: sweep::draw,
    },
];

/// A figure in both formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The figure as SVG text.
    pub svg: String,
    /// The figure as the bytes of a PNG file, twice as wide as the SVG for sharpness.
    pub png: Vec<u8>,
}

/// Draws the plot of a name. The same table gives the same bytes.
///
/// # Errors
/// If there is no plot of that name, if the study lacks what the plot needs (the message says
/// what), or if a backend fails.
pub fn render(table: &Table, name: &str) -> Result<Rendered, String> {
    let known = || PLOTS.iter().map(|plot| plot.name).collect::<Vec<_>>().join(", ");
    let plot = PLOTS
        .iter()
        .find(|plot| plot.name == name)
        .ok_or_else(|| format!("there is no plot `{name}`; there are {}", known()))?;
    let figure = (plot.draw)(table)?;
    Ok(Rendered { svg: svg(&figure)?, png: png(&figure)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set the variable to a folder to look at what the tests draw.
    const LOOK: &str = "OUTAGELAB_FIGURES";

    #[test]
    fn every_plot_draws_the_sample_the_same_way_twice() {
        let table = sample::table();
        for plot in PLOTS {
            let rendered = render(&table, plot.name).unwrap();
            assert!(rendered.png.starts_with(b"\x89PNG"));
            assert!(rendered.svg.trim_end().ends_with("</svg>"));
            assert!(!rendered.svg.contains("NaN") && !rendered.svg.contains("href"));
            assert_eq!(rendered, render(&table, plot.name).unwrap(), "{}", plot.name);
            if let Ok(folder) = std::env::var(LOOK) {
                std::fs::write(format!("{folder}/{}.png", plot.name), &rendered.png).unwrap();
                std::fs::write(format!("{folder}/{}.svg", plot.name), &rendered.svg).unwrap();
            }
        }
    }

    #[test]
    fn no_text_leaves_a_figure_and_no_two_texts_overlap() {
        for plot in PLOTS {
            let figure = (plot.draw)(&sample::table()).unwrap();
            let boxes = figure.text_boxes();
            for (i, (a, p)) in boxes.iter().enumerate() {
                let inside = p[0] >= 0.0 && p[2] <= theme::WIDTH && p[3] <= figure.height;
                assert!(inside, "{}: “{a}” leaves the figure: {p:?}", plot.name);
                for (b, q) in &boxes[i + 1..] {
                    let apart = p[2] <= q[0] || q[2] <= p[0] || p[3] <= q[1] || q[3] <= p[1];
                    assert!(apart, "{}: “{a}” and “{b}” overlap", plot.name);
                }
            }
        }
    }

    #[test]
    fn a_plot_of_an_empty_table_is_an_error_and_not_a_crash() {
        for plot in PLOTS {
            assert!((plot.draw)(&Table::default()).is_err(), "{}", plot.name);
        }
    }

    #[test]
    fn numbers_that_do_not_exist_leave_gaps_and_break_nothing() {
        let mut table = sample::table();
        for variant in &mut table.variants {
            let names: Vec<String> = variant.measures.iter().map(|(n, _)| n.to_string()).collect();
            for name in names {
                let mut estimate = variant.measures.get(&name).cloned().unwrap();
                (estimate.mean, estimate.median) = (f64::NAN, f64::NAN);
                estimate.ci95 = [f64::NAN, f64::INFINITY];
                variant.measures.insert(name, estimate);
            }
        }
        for series in &mut table.timeline.as_mut().unwrap().series {
            series.median[3..50].fill(f64::NAN);
            series.p90.fill(f64::NAN);
        }
        table.distributions.insert(USER_OUTAGE, Default::default());
        for plot in PLOTS {
            assert!(!render(&table, plot.name).unwrap().svg.contains("NaN"), "{}", plot.name);
        }
    }

    #[test]
    fn an_unknown_plot_names_the_known_ones() {
        let error = render(&sample::table(), "pie").unwrap_err();
        assert!(error.contains("`pie`") && error.contains("timeline"));
    }

    #[test]
    fn a_heat_map_is_drawn_for_two_inputs() {
        let mut table = sample::table();
        table.sweep = vec![sample::map()];
        let rendered = render(&table, "sweep").unwrap();
        assert!(rendered.svg.contains("components.balancer.line.capacity"));
        if let Ok(folder) = std::env::var(LOOK) {
            std::fs::write(format!("{folder}/map.png"), &rendered.png).unwrap();
        }
    }
}
