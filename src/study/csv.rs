//! Tables for spreadsheets and data frames.

use super::corrective::pairs::SHOWN;
use super::result::StudyResult;
use super::table::{Role, Saved, Table, Variant};

/// One line for each run: variant, replica, drawn inputs (in base units), all measures. A measure
/// that does not apply, or that the variant does not have, is left empty.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn replicas_csv(result: &StudyResult) -> Result<String, String> {
    let mut measures: Vec<&str> = Vec::new();
    for name in result.variants.iter().flat_map(|variant| &variant.measures) {
        if !measures.contains(&name.as_str()) {
            measures.push(name);
        }
    }
    let inputs = result.inputs.iter().map(String::as_str);
    let head = ["variant", "replica"].into_iter().chain(inputs).chain(measures.iter().copied());
    let mut lines = vec![head.map(str::to_owned).collect::<Vec<String>>()];
    for variant in &result.variants {
        let columns: Vec<Option<usize>> = measures
            .iter()
            .map(|name| variant.measures.iter().position(|own| own == name))
            .collect();
        for (replica, row) in variant.rows.iter().enumerate() {
            let mut line = vec![variant.name.clone(), replica.to_string()];
            // A replica whose draws made no model has no inputs.
            let drawn = |index| row.inputs.get(index).copied().unwrap_or(f64::NAN);
            line.extend((0..result.inputs.len()).map(|index| text(drawn(index))));
            line.extend(columns.iter().map(|c| c.map_or(String::new(), |c| text(row.values[c]))));
            lines.push(line);
        }
    }
    write(lines)
}

/// One line for each measure of each variant: the estimates and the difference to the baseline.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn table_csv(table: &Table) -> Result<String, String> {
    estimates_csv(&table.variants)
}

fn estimates_csv(variants: &[Variant]) -> Result<String, String> {
    const HEAD: [&str; 17] = [
        "variant",
        "measure",
        "unit",
        "n",
        "mean",
        "ci95_low",
        "ci95_high",
        "median",
        "p5",
        "p10",
        "p90",
        "p95",
        "difference",
        "difference_ci95_low",
        "difference_ci95_high",
        "replicas",
        "difference_variance_ratio",
    ];
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    for variant in variants {
        for (name, e) in variant.measures.iter() {
            let mut line = vec![variant.name.clone(), name.to_owned(), e.unit.clone()];
            line.push(e.n.to_string());
            let numbers = [e.mean, e.ci95[0], e.ci95[1], e.median, e.p5, e.p10, e.p90, e.p95];
            line.extend(numbers.map(text));
            let difference = variant.differences.get(name);
            let of = |d: &super::table::Difference| [d.mean, d.ci95[0], d.ci95[1]];
            line.extend(difference.map_or([f64::NAN; 3], of).map(text));
            line.push(variant.replicas.to_string());
            line.push(text(difference.map_or(f64::NAN, |d| d.variance_ratio)));
            lines.push(line);
        }
    }
    write(lines)
}

/// One line for each corrective measure, in the order of the ranking, then one for each pair:
/// role, rank, what it saves, the estimates and differences of the other effects. None without
/// corrective measures.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn ranking_csv(table: &Table) -> Result<Option<String>, String> {
    const HEAD: [&str; 12] = [
        "measure",
        "role",
        "rank",
        "rank_at_most",
        "replicas",
        "saved",
        "saved_ci95_low",
        "saved_ci95_high",
        "saved_share",
        "saved_share_ci95_low",
        "saved_share_ci95_high",
        "not_told_apart_from",
    ];
    let Some(ranking) = &table.ranking else { return Ok(None) };
    let mut head = HEAD.map(str::to_owned).to_vec();
    for name in SHOWN {
        let ends = ["", "_ci95_low", "_ci95_high"];
        head.extend(ends.map(|end| format!("{name}{end}")));
        head.extend(ends.map(|end| format!("{name}_difference{end}")));
    }
    let mut lines = vec![head];
    let rank = |rank: Option<u64>| rank.map_or(String::new(), |rank| rank.to_string());
    for measure in &ranking.measures {
        let variant = table.variants.iter().find(|variant| variant.name == measure.name);
        let role = match measure.role {
            Role::Single => "single",
            Role::Combination => "combination",
            Role::Assumed => "assumed",
        };
        let ranks = [rank(measure.rank), rank(measure.rank_at_most)];
        lines.extend(variant.map(|v| ranked(role, ranks, &measure.saved, &measure.ties, v)));
    }
    for (place, pair) in table.pairs.iter().flat_map(|pairs| &pairs.pairs).enumerate() {
        let ties = table.pairs.iter().flat_map(|pairs| &pairs.ties);
        let ties: Vec<String> = if place == 0 { ties.cloned().collect() } else { Vec::new() };
        let ranks = [String::new(), String::new()];
        lines.push(ranked("pair", ranks, &pair.saved, &ties, &pair.variant));
    }
    write(lines).map(Some)
}

fn ranked(
    role: &str,
    [rank, rank_at_most]: [String; 2],
    saved: &Saved,
    ties: &[String],
    variant: &Variant,
) -> Vec<String> {
    let mut line = vec![variant.name.clone(), role.to_owned(), rank, rank_at_most];
    line.push(variant.replicas.to_string());
    line.extend([saved.mean, saved.ci95[0], saved.ci95[1]].map(text));
    line.extend([saved.share, saved.share_ci95[0], saved.share_ci95[1]].map(text));
    line.push(ties.join("; "));
    for name in SHOWN {
        let own = variant.measures.get(name).map(|e| [e.mean, e.ci95[0], e.ci95[1]]);
        let difference = variant.differences.get(name).map(|d| [d.mean, d.ci95[0], d.ci95[1]]);
        line.extend([own, difference].iter().flat_map(|n| n.unwrap_or([f64::NAN; 3])).map(text));
    }
    line
}

/// One line for each measure of each corrective variant in normal operation. None where the
/// experiment does not say what that is.
///
/// # Errors
/// A message, if a line cannot be written.
pub fn prices_csv(table: &Table) -> Result<Option<String>, String> {
    match &table.prices {
        Some(prices) => estimates_csv(&prices.variants).map(Some),
        None => Ok(None),
    }
}

/// The shortest text that reads back as the same number; nothing for NaN.
fn text(number: f64) -> String {
    if number.is_nan() { String::new() } else { number.to_string() }
}

fn write(lines: Vec<Vec<String>>) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(&line).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
