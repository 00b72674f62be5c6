//! The corrective measures for a terminal: what each saves, at what price, and how good the assumed
//! ones must be.

use super::results::cell;
use super::words::{self, Column};
use crate::plot::words::{bare, title, unit_shown};
use crate::study::table::{Pair, Pairs, Prices, Ranked, Ranking, Role, Saved, Table, Variant};

/// Columns of the ranking beside what is saved.
const EFFECTS: [&str; 3] = ["user_outage", "users_affected", "incident"];
/// Columns of the price at most; all others are in the files.
const MOST: usize = 6;

/// Ranking, pairs, prices and break-evens, as far as the study has them.
pub fn text(table: &Table) -> String {
    let mut out = String::new();
    if let Some(ranking) = &table.ranking {
        out.push_str("\nCorrective measures by the user-minutes that they save\n");
        out.push_str(&ranked(table, ranking));
        out.push_str(&format!("  {}\n", ranking.worth_most));
    }
    if let Some(pairs) = &table.pairs {
        out.push_str(&self::pairs(pairs));
    }
    if let Some(found) = &table.prices {
        out.push_str(&format!("\nPrice of the measures in normal operation: {}\n", found.about));
        out.push_str(&prices(found));
    }
    if !table.break_evens.is_empty() {
        out.push_str("\nHow good the assumed measures must be\n");
        table.break_evens.iter().for_each(|found| out.push_str(&format!("  - {}\n", found.says)));
    }
    out
}

fn ranked(table: &Table, ranking: &Ranking) -> String {
    let mut heads = vec![
        Column::text("rank"),
        Column::text("measure"),
        Column::number("user-minutes saved\nmean"),
        Column::number("saved\n%"),
    ];
    for name in EFFECTS {
        let unit = match name {
            "incident" => "share of runs, %".to_owned(),
            _ => table
                .baseline_measure(name)
                .map_or(String::new(), |measure| format!("mean, {}", unit_shown(&measure.unit))),
        };
        heads.push(Column::numbers(format!("{}\n{unit}", title(name))));
    }
    let variant = |name: &str| table.variants.iter().find(|variant| variant.name == name);
    let row = |rank: String, name: String, saved: &Saved, variant: Option<&Variant>| {
        let mut cells = vec![rank, name];
        cells.extend(saved_cells(saved));
        cells.extend(EFFECTS.map(|name| variant.map_or(String::new(), |v| cell(v, name))));
        cells
    };
    let mut rows = Vec::new();
    for measure in &ranking.measures {
        rows.push(row(rank(measure), named(measure), &measure.saved, variant(&measure.name)));
    }
    if let Some(Pair { saved, variant, .. }) = table.pairs.as_ref().and_then(|p| p.pairs.first()) {
        rows.push(row("pair".to_owned(), variant.name.clone(), saved, Some(variant)));
    }
    words::table(&heads, rows.into_iter())
}

/// `1`, or `1–3` where the intervals leave several ranks open.
fn rank(measure: &Ranked) -> String {
    match (measure.role, measure.rank, measure.rank_at_most) {
        (_, Some(first), Some(last)) if last > first => format!("{first}–{last}"),
        (_, Some(first), _) => first.to_string(),
        (Role::Combination, ..) => "together".to_owned(),
        _ => "assumed".to_owned(),
    }
}

fn named(measure: &Ranked) -> String {
    match (measure.role, measure.assumed.is_empty()) {
        (Role::Combination, false) => format!("{} (in part assumed)", measure.name),
        _ => measure.name.clone(),
    }
}

fn saved_cells(saved: &Saved) -> [String; 2] {
    let shown = |value: f64, [low, high]: [f64; 2], unit: &str| match low.is_finite() {
        true => format!("{} [{}, {}]", bare(value, unit), bare(low, unit), bare(high, unit)),
        false => bare(value, unit),
    };
    [shown(saved.mean, saved.ci95, "min"), shown(saved.share, saved.share_ci95, "1")]
}

fn pairs(pairs: &Pairs) -> String {
    let mut out = format!("  {}\n", pairs.best);
    for conflict in &pairs.conflicts {
        let [first, second] = &conflict.of;
        out.push_str(&format!(
            "  `{first}` and `{second}` do not fit together: {}\n",
            conflict.why
        ));
    }
    if let Some(pair) = pairs.pairs.first().filter(|pair| !pair.overridden.is_empty()) {
        let [first, second] = &pair.of;
        out.push_str(&format!(
            "  In the best pair, `{second}` changes what `{first}` has set: {}\n",
            pair.overridden.join(", ")
        ));
    }
    out
}

fn prices(prices: &Prices) -> String {
    let Some(base) = prices.variants.first() else { return String::new() };
    let known = prices.measures.iter().filter_map(|name| Some((name, base.measures.get(name)?)));
    let shown: Vec<_> = known.take(MOST).collect();
    let mut heads = vec![Column::text("measure"), Column::number("runs")];
    heads.extend(shown.iter().map(|(name, estimate)| {
        let unit = unit_shown(&estimate.unit);
        let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
        Column::numbers(format!("{}\nmean{unit}", title(name)))
    }));
    let row = |(index, variant): (usize, &Variant)| {
        let name = if index == 0 { "without any measure" } else { &variant.name };
        let mut cells = vec![name.to_owned(), variant.replicas.to_string()];
        cells.extend(shown.iter().map(|(name, _)| cell(variant, name)));
        cells
    };
    words::table(&heads, prices.variants.iter().enumerate().map(row))
}
