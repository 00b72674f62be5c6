//! Every two measures together: which pair saves most.

use super::check::{CheckedPair, Corrective, RANKED_BY};
use super::rank::{listed, more, order, saved};
use super::table::{Beyond, Conflict, Pair, Pairs, Ranking};
use super::words::Is;
use crate::study::estimate::{estimate, paired};
use crate::study::quantity::{say, say_user_minutes};
use crate::study::result::{VariantRows, describe};

/// Measures of a pair that the results show.
pub const SHOWN: [&str; 4] = [RANKED_BY, "user_outage", "users_affected", "incident"];

/// The pair that loses least, as its place among those that fit together. None without pairs that
/// fit, or without numbers.
#[must_use]
pub fn best(rows: &[VariantRows]) -> Option<usize> {
    let mean = |rows: &VariantRows| estimate(&rows.values(RANKED_BY)).mean;
    let means = rows.iter().map(mean).enumerate().filter(|(_, mean)| !mean.is_nan());
    means.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
}

/// The table of the pairs; `rows` are those of the pairs that fit, in the order of the pairs.
#[must_use]
pub fn table(
    corrective: &Corrective,
    variants: &[VariantRows],
    rows: &[VariantRows],
    ranking: Option<&Ranking>,
) -> Option<Pairs> {
    if corrective.pairs.is_empty() {
        return None;
    }
    let names = |pair: &CheckedPair| pair.of.map(|place| variants[place].name.clone());
    let shown: Vec<String> = SHOWN.map(str::to_owned).to_vec();
    let (mut pairs, mut conflicts) = (Vec::new(), Vec::new());
    let mut left = rows.iter();
    let base = variants[0].values(RANKED_BY);
    for pair in &corrective.pairs {
        match &pair.setup {
            Err(why) => conflicts.push(Conflict { of: names(pair), why: why.clone() }),
            Ok((setup, _)) => {
                let rows = left.next()?;
                let mut variant = describe(setup, rows, Some(&variants[0]), &shown);
                variant.is = Is::Corrective;
                let saved = saved(&base, &rows.values(RANKED_BY));
                let overridden = pair.overridden.clone();
                pairs.push(Pair { of: names(pair), overridden, saved, variant });
            }
        }
    }
    pairs.sort_by(|a, b| more(&a.saved, &b.saved));
    let mut table = Pairs { pairs, conflicts, ..Pairs::default() };
    let Some(first) = best(rows) else {
        table.best = "No two of the corrective measures fit together.".to_owned();
        return Some(table);
    };
    let lost = rows[first].values(RANKED_BY);
    let is_tied = |other: &&VariantRows| order(&lost, &other.values(RANKED_BY)).is_none();
    let others = rows.iter().filter(|other| other.name != rows[first].name);
    table.ties = others.filter(is_tied).map(|other| other.name.clone()).collect();
    table.beyond_single = ranking.and_then(|r| r.best.first()).and_then(|name| {
        let single = variants.iter().find(|rows| rows.name == *name)?;
        let found = paired(&lost, &single.values(RANKED_BY));
        let (low, high) = found.ci95;
        Some(Beyond { variant: name.clone(), mean: found.mean, ci95: [low, high] })
    });
    table.best = words(&table);
    Some(table)
}

fn words(table: &Pairs) -> String {
    let Some(first) = table.pairs.first() else { return String::new() };
    let [low, high] = first.saved.ci95;
    let mut text = format!(
        "Best pair: `{}`, which saves {}, {} of what is lost without it",
        first.variant.name,
        say_user_minutes(first.saved.mean, (low, high)),
        say(first.saved.share, crate::measure::unit::SHARE)
    );
    if !table.ties.is_empty() {
        text += &format!("; it cannot be told apart from {}", listed(&table.ties, 4));
    }
    if let Some(beyond) = &table.beyond_single {
        let [low, high] = beyond.ci95;
        let more = say_user_minutes(beyond.mean, (low, high));
        text += &match low > 0.0 {
            true => format!(". That is {more} more than `{}` alone saves", beyond.variant),
            false => {
                format!(". That it saves more than `{}` alone is not shown: {more}", beyond.variant)
            }
        };
    }
    text + "."
}
