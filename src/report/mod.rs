//! The report: one page that answers the experiment's question and needs nothing but a browser.
//!
//! Everything is inside the file: text, styles, the chart library (once), the data of the charts,
//! and the static figures for readers without scripts. The same table gives the same bytes.

mod answers;
mod charts;
mod ranking;
pub mod story;
pub mod summary;

use crate::plot::words::{NONE, bare, number, quantity, range, signed, title};
use crate::plot::{
    CASCADE, PLOTS, Plot, USER_MINUTES_LOST, USER_OUTAGE, USERS_AFFECTED, group_heading, sorted,
    svg,
};
use crate::study::table::{Claim, Estimate, Fact, Kind, Mark, MarkKind, Table, Variant};
use answers::{Answer, answers, relative};
use askama::Template;

/// The page; the template shows these fields in this order and decides nothing.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    table: &'a Table,
    style: &'static str,
    script: &'static str,
    plotly: String,
    answers: Vec<Answer>,
    facts: Vec<FactRow>,
    figures: Vec<FigureBlock>,
    ranking: Option<ranking::Section>,
    /// What the postmortem says.
    statements: Vec<&'a Claim>,
    /// What the experiment says.
    claims: Vec<&'a Claim>,
    variants: Vec<VariantRow>,
    measures: Vec<MeasureRow>,
    provenance: Vec<(String, String)>,
    command: String,
}

struct FactRow {
    name: String,
    how: &'static str,
    reported: String,
    simulated: String,
    holds: Option<bool>,
}

struct FigureBlock {
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    /// How to read the chart.
    reading: &'static str,
    chart: String,
    svg: String,
    moments: Vec<MomentRow>,
}

struct MomentRow {
    at: String,
    spread: String,
    label: String,
    source: &'static str,
}

struct VariantRow {
    /// The heading of its group before the first of it.
    group: Option<&'static str>,
    name: String,
    replicas: String,
    outage: String,
    affected: String,
    lost: String,
    change: String,
    pairing: String,
    cascade: String,
}

struct MeasureRow {
    name: String,
    key: String,
    doc: String,
    value: String,
    n: String,
}

/// The report as one HTML page of about 5 MB, most of it the chart library.
///
/// # Errors
/// If the page or one of its static figures cannot be made.
pub fn html(table: &Table) -> Result<String, String> {
    let figures = PLOTS.iter().filter_map(|plot| figure(table, plot)).collect::<Result<_, _>>()?;
    let (statements, claims) = table.claims.iter().partition(|claim| claim.is_of_postmortem());
    let page = Page {
        table,
        style: include_str!("style.css"),
        script: include_str!("script.js"),
        plotly: library()?,
        answers: answers(table),
        facts: table.facts.iter().map(fact).collect(),
        figures,
        ranking: ranking::section(table),
        statements,
        claims,
        variants: variants(table),
        measures: definitions(table),
        provenance: provenance(table),
        command: command(table),
    };
    page.render().map_err(|error| format!("the report cannot be written: {error}"))
}

/// plotly.js out of the crate's sources, which hold a formula renderer too that no chart needs.
fn library() -> Result<String, String> {
    let sources = plotly::Plot::offline_js_sources();
    let start = sources.find('>').map(|at| at + 1);
    let end = sources.find("</script>");
    match (start, end) {
        (Some(start), Some(end)) if start < end => Ok(sources[start..end].to_string()),
        _ => Err("the chart library is not where the report expects it".into()),
    }
}

/// A figure of the page, or nothing if the table lacks what the plot needs.
fn figure(table: &Table, plot: &Plot) -> Option<Result<FigureBlock, String>> {
    let drawn = (plot.draw)(table).ok()?;
    let chart = charts::chart(table, plot.name)?;
    let moments = match &table.timeline {
        Some(timeline) if plot.name == "timeline" => moments(&timeline.marks),
        _ => Vec::new(),
    };
    Some(svg(&drawn).map(|svg| FigureBlock {
        name: plot.name,
        title: plot.title,
        caption: plot.caption,
        reading: charts::reading(plot.name),
        // Nothing in the data may end the script element it is written into.
        chart: chart.to_string().replace('<', "\\u003c"),
        svg,
        moments,
    }))
}

fn moments(marks: &[Mark]) -> Vec<MomentRow> {
    let mut marks: Vec<&Mark> = marks.iter().collect();
    marks.sort_by(|a, b| a.at_minutes_median.total_cmp(&b.at_minutes_median));
    let minute = |at: f64| format!("T{}", signed(at.round(), "min"));
    let row = |mark: &&Mark| MomentRow {
        at: if mark.at_minutes_median.round() == 0.0 {
            "T+0".into()
        } else {
            minute(mark.at_minutes_median)
        },
        spread: match (mark.p10, mark.p90) {
            (Some(low), Some(high)) => range(low, high, "min"),
            _ => NONE.into(),
        },
        label: mark.label.clone(),
        source: match mark.kind {
            MarkKind::Change => "simulated: change",
            MarkKind::Alert => "simulated: alert",
            MarkKind::Action => "simulated: action",
            MarkKind::MilestoneReported => "reported",
        },
    };
    marks.iter().map(row).collect()
}

fn fact(fact: &Fact) -> FactRow {
    FactRow {
        name: title(&fact.name),
        how: fact.how.word(),
        reported: fact.reported.map_or_else(|| "–".to_owned(), |n| quantity(n, &fact.unit)),
        simulated: spread(fact.median, fact.p10, fact.p90, &fact.unit),
        holds: fact.holds,
    }
}

/// `132 [109, 154] min`
fn spread(median: f64, p10: f64, p90: f64, unit: &str) -> String {
    let shown = crate::plot::words::unit_shown(unit);
    format!("{} [{}, {}] {shown}", bare(median, unit), bare(p10, unit), bare(p90, unit))
}

fn estimate(estimate: &Estimate) -> String {
    match estimate.kind {
        Kind::Quantity => spread(estimate.median, estimate.p10, estimate.p90, &estimate.unit),
        Kind::Probability => {
            let [low, high] = estimate.ci95;
            format!("{} ({})", quantity(estimate.mean, "1"), range(low, high, "1"))
        }
    }
}

/// The baseline, then the variants in their groups.
fn variants(table: &Table) -> Vec<VariantRow> {
    let others = sorted(table);
    let row = |(index, other): (usize, &&Variant)| VariantRow {
        group: group_heading(&others, index),
        ..variant(other)
    };
    let others = others.iter().enumerate().map(row);
    table.baseline().map(variant).into_iter().chain(others).collect()
}

fn variant(variant: &Variant) -> VariantRow {
    let shown = |name: &str| variant.measures.get(name).map_or(NONE.into(), estimate);
    let change = relative(variant, USER_MINUTES_LOST)
        .map(|(mean, [low, high])| format!("{} % ({})", signed(mean, "1"), range(low, high, "1")));
    VariantRow {
        group: None,
        name: variant.name.clone(),
        replicas: number(variant.replicas as f64),
        outage: shown(USER_OUTAGE),
        affected: shown(USERS_AFFECTED),
        lost: shown(USER_MINUTES_LOST),
        change: change.unwrap_or_else(|| NONE.into()),
        pairing: pairing(variant),
        cascade: shown(CASCADE),
    }
}

/// How many times smaller pairing makes the variance of the change of user-minutes lost.
fn pairing(variant: &Variant) -> String {
    let difference = variant.differences.get(USER_MINUTES_LOST);
    match difference.map(|difference| difference.variance_ratio) {
        Some(ratio) if ratio.is_finite() => format!("{ratio:.1} ×"),
        _ => NONE.into(),
    }
}

/// Every measure of the baseline with its definition and its value.
fn definitions(table: &Table) -> Vec<MeasureRow> {
    let row = |(name, e): (&str, &Estimate)| MeasureRow {
        name: title(name),
        key: name.to_string(),
        doc: e.doc.clone(),
        value: estimate(e),
        n: number(e.n as f64),
    };
    table.baseline().map_or_else(Vec::new, |baseline| baseline.measures.iter().map(row).collect())
}

fn provenance(table: &Table) -> Vec<(String, String)> {
    let mut rows = vec![
        ("Experiment".into(), table.experiment.clone()),
        ("Model".into(), table.model.clone()),
        ("Seed".into(), table.seed.to_string()),
        ("Replicas of the baseline".into(), number(table.replicas as f64)),
    ];
    for (key, value) in table.provenance.iter().filter(|(key, _)| *key != "command") {
        let text = value.as_str().map_or_else(|| value.to_string(), String::from);
        rows.push((title(key), text));
    }
    rows
}

/// The command that repeats the study: the recorded one, or one that says the same.
fn command(table: &Table) -> String {
    let recorded = table.provenance.get("command").and_then(|value| value.as_str());
    recorded.map_or_else(
        || {
            let Table { experiment, seed, replicas, .. } = table;
            format!(
                "outagelab study experiments/{experiment}.yaml --seed {seed} --replicas {replicas}"
            )
        },
        String::from,
    )
}

#[cfg(test)]
mod tests;
