//! The results of a study for a terminal.

use super::ranking;
use super::words::{self, Column};
use crate::plot::words::{bare, quantity, range, title, unit_shown};
use crate::study::Checked;
use crate::study::table::{Ablation, Claim, Estimate, Fact, Is, Kind, Table, Variant};

/// Columns that a study without a list of measures shows.
const USUAL: [&str; 4] = ["user_outage", "users_affected", "user_minutes_lost", "cascade"];
/// Columns at most; all others are in the files.
const MOST: usize = 5;

/// The question, the variants, the facts, the claims and the cautions.
pub fn text(checked: &Checked, table: &Table) -> String {
    let mut out = format!("{}\n\n", table.question);
    out.push_str(&variants(checked, table));
    if table.variants.len() > 1 {
        out.push_str("95 % intervals in brackets; below, the paired difference to the baseline\n");
    }
    out.push_str(&ranking::text(table));
    if !table.facts.is_empty() {
        out.push_str("\nFacts: what was reported, and the middle and the band of the baseline\n");
        out.push_str(&words::table(&FACT_COLUMNS, table.facts.iter().map(fact)));
    }
    let (said, own): (Vec<&Claim>, Vec<&Claim>) =
        table.claims.iter().partition(|claim| claim.is_of_postmortem());
    if !said.is_empty() {
        out.push_str("\nWhat the postmortem says\n");
        said.iter().for_each(|one| out.push_str(&statement(one)));
    }
    if !own.is_empty() {
        out.push_str("\nClaims\n");
        own.iter().for_each(|one| out.push_str(&claim(one)));
    }
    if !table.ablations.is_empty() {
        out.push_str("\nClaims without their claimed causes, which should fail\n");
        table.ablations.iter().for_each(|one| out.push_str(&ablation(one)));
    }
    if !table.cautions.is_empty() {
        out.push_str("\nCautions\n");
        table.cautions.iter().for_each(|caution| out.push_str(&format!("  - {caution}\n")));
    }
    out
}

/// One row for each variant: the mean of each measure with its 95 % interval, and below it the
/// difference to the baseline with its own. Variants stand in groups if the file has several.
fn variants(checked: &Checked, table: &Table) -> String {
    let shown = shown(checked, table);
    let mut heads = vec![Column::text("variant"), Column::number("runs")];
    heads.extend(shown.iter().map(|(name, estimate)| {
        let unit = unit_shown(&estimate.unit);
        let word = match estimate.kind {
            Kind::Probability => "share of runs",
            Kind::Quantity => "mean",
        };
        let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
        Column::numbers(format!("{}\n{word}{unit}", title(name)))
    }));
    let row = |variant: &Variant| {
        let mut cells = vec![variant.name.clone(), variant.replicas.to_string()];
        cells.extend(shown.iter().map(|(name, _)| cell(variant, name)));
        cells
    };
    let group = |is: Is| -> Vec<&Variant> {
        table.variants.iter().skip(1).filter(|variant| variant.is == is).collect()
    };
    let is_grouped = table.variants.iter().any(|variant| variant.is != Is::WhatIf);
    let mut rows: Vec<Vec<String>> = table.variants.iter().take(1).map(row).collect();
    for is in Is::ALL {
        let members = group(is);
        if is_grouped && !members.is_empty() {
            let mut heading = vec![String::new(); heads.len()];
            heading[0] = is.heading().to_uppercase();
            rows.push(heading);
        }
        rows.extend(members.into_iter().map(row));
    }
    words::table(&heads, rows.into_iter())
}

/// The measures that become columns, as the experiment asks for them.
fn shown<'t>(checked: &'t Checked, table: &'t Table) -> Vec<(&'t str, &'t Estimate)> {
    let asked = checked.experiment.measures.iter().map(|name| name.value.as_str());
    let asked: Vec<&str> =
        if checked.experiment.measures.is_empty() { USUAL.to_vec() } else { asked.collect() };
    let known = asked.into_iter().filter_map(|name| Some((name, table.baseline_measure(name)?)));
    known.take(MOST).collect()
}

/// A measure of a variant: the mean with its interval, and below it the difference with its own.
pub fn cell(variant: &Variant, name: &str) -> String {
    let Some(estimate) = variant.measures.get(name) else { return String::new() };
    let unit = &estimate.unit;
    let with_interval = |centre: String, [low, high]: [f64; 2]| {
        if low.is_finite() && high.is_finite() {
            format!("{centre} [{}, {}]", bare(low, unit), bare(high, unit))
        } else {
            centre
        }
    };
    let own = with_interval(bare(estimate.mean, unit), estimate.ci95);
    match variant.differences.get(name) {
        Some(difference) => {
            let change = crate::plot::words::signed(difference.mean, unit);
            format!("{own}\n{}", with_interval(change, difference.ci95))
        }
        None => own,
    }
}

const FACT_COLUMNS: [Column; 6] = [
    Column::text("fact"),
    Column::text("how"),
    Column::number("reported"),
    Column::number("median"),
    Column::number("p10 to p90"),
    Column::text("agrees"),
];

fn fact(fact: &Fact) -> Vec<String> {
    vec![
        title(&fact.name),
        fact.how.word().to_owned(),
        fact.reported.map_or_else(|| "–".to_owned(), |figure| quantity(figure, &fact.unit)),
        quantity(fact.median, &fact.unit),
        range(fact.p10, fact.p90, &fact.unit),
        fact.holds.map_or("not reported", |holds| if holds { "yes" } else { "no" }).to_owned(),
    ]
}

fn claim(claim: &Claim) -> String {
    let verdict = match (claim.holds, claim.is_open) {
        (true, _) => "holds ",
        (false, true) => "open  ",
        (false, false) => "FAILED",
    };
    format!("  {verdict}  {}\n          {}\n", claim.claim, claim.evidence)
}

fn statement(claim: &Claim) -> String {
    let verdict = match (claim.holds, claim.is_open) {
        (true, _) => "supported    ",
        (false, true) => "open         ",
        (false, false) => "NOT SUPPORTED",
    };
    format!("  {verdict}  {}\n                 {}\n", claim.claim, claim.evidence)
}

fn ablation(ablation: &Ablation) -> String {
    let verdict = if ablation.holds { "STILL HOLDS" } else { "fails" };
    let Ablation { claim, without, evidence, .. } = ablation;
    format!("  {verdict}  {claim}\n          without: {without}\n          {evidence}\n")
}
