//! The corrective measures in the report: ranking, pairs, prices, break-evens.

use crate::plot::words::{NONE, bare, number, quantity, signed, title, unit_shown};
use crate::plot::{USER_OUTAGE, USERS_AFFECTED};
use crate::study::table::{
    BreakEven, Estimate, Interval, Pair, Prices, Ranked, Role, Saved, Table, Variant,
};

/// The measure that says how likely the incident is.
const INCIDENT: &str = "incident";

/// What the page shows about corrective measures.
pub struct Section {
    pub measures: Vec<Row>,
    /// What is worth most, and what the best pair is.
    pub verdicts: Vec<String>,
    pub pairs: Vec<Row>,
    pub conflicts: Vec<[String; 2]>,
    pub prices: Option<PriceTable>,
    pub break_evens: Vec<BreakEvenBlock>,
}

/// A measure or a pair.
pub struct Row {
    pub rank: String,
    pub name: String,
    pub note: String,
    pub replicas: String,
    pub saved: String,
    pub share: String,
    pub outage: String,
    pub affected: String,
    pub incident: String,
}

/// What the measures cost in normal operation.
pub struct PriceTable {
    pub about: String,
    pub heads: Vec<String>,
    /// Name, replicas, and one cell for each head.
    pub rows: Vec<(String, String, Vec<String>)>,
}

/// A break-even in words and in numbers.
pub struct BreakEvenBlock {
    pub says: String,
    pub variant: String,
    pub against: String,
    pub input: String,
    pub measure: String,
    pub replicas: String,
    /// Value, mean, difference.
    pub points: Vec<[String; 3]>,
}

/// The section, if there are corrective measures.
pub fn section(table: &Table) -> Option<Section> {
    let ranking = table.ranking.as_ref()?;
    let of = |name: &str| table.variants.iter().find(|variant| variant.name == name);
    let mut measures: Vec<Row> =
        ranking.measures.iter().filter_map(|m| Some(measure(m, of(&m.name)?))).collect();
    let mut verdicts = vec![ranking.worth_most.clone()];
    let (mut pairs, mut conflicts) = (Vec::new(), Vec::new());
    if let Some(found) = &table.pairs {
        verdicts.push(found.best.clone());
        pairs = found.pairs.iter().map(pair).collect();
        if let Some(best) = found.pairs.first() {
            measures.push(Row { rank: "best pair".to_owned(), ..pair(best) });
        }
        let plain = |c: &crate::study::table::Conflict| [c.of.join(" + "), c.why.clone()];
        conflicts = found.conflicts.iter().map(plain).collect();
    }
    let verdicts = verdicts.iter().map(|text| quoted(text)).collect();
    let prices = table.prices.as_ref().and_then(prices);
    let break_evens = table.break_evens.iter().map(block).collect();
    Some(Section { measures, verdicts, pairs, conflicts, prices, break_evens })
}

/// Names between backticks as the page quotes them.
pub fn quoted(text: &str) -> String {
    let mut is_open = false;
    let turn = |c| match c {
        '`' => {
            is_open = !is_open;
            if is_open { '“' } else { '”' }
        }
        c => c,
    };
    text.chars().map(turn).collect()
}

fn measure(measure: &Ranked, variant: &Variant) -> Row {
    let rank = match (measure.role, measure.rank, measure.rank_at_most) {
        (_, Some(first), Some(last)) if last > first => format!("{first}–{last}"),
        (_, Some(first), _) => first.to_string(),
        (Role::Combination, ..) => "together".to_owned(),
        _ => "assumed".to_owned(),
    };
    let note = match (measure.role, measure.ties.as_slice(), measure.assumed.as_slice()) {
        (Role::Combination, _, [_, ..]) => format!("assumed: {}", measure.assumed.join(", ")),
        (_, [_, ..], _) => format!("not told apart from {}", measure.ties.join(", ")),
        _ => String::new(),
    };
    row(rank, note, &measure.saved, variant)
}

fn pair(pair: &Pair) -> Row {
    let note = match pair.overridden.as_slice() {
        [] => String::new(),
        paths => format!("the second changes what the first has set: {}", paths.join(", ")),
    };
    row(String::new(), note, &pair.saved, &pair.variant)
}

fn row(rank: String, note: String, saved: &Saved, variant: &Variant) -> Row {
    Row {
        rank,
        note,
        name: variant.name.clone(),
        replicas: number(variant.replicas as f64),
        saved: with_interval(saved.mean, saved.ci95, "min", bare),
        share: with_interval(saved.share, saved.share_ci95, "1", bare),
        outage: changed(variant, USER_OUTAGE),
        affected: changed(variant, USERS_AFFECTED),
        incident: variant.measures.get(INCIDENT).map_or(NONE.into(), own),
    }
}

/// A number with its interval, in the unit of the head of its column.
fn with_interval(
    value: f64,
    [low, high]: Interval,
    unit: &str,
    say: fn(f64, &str) -> String,
) -> String {
    match low.is_finite() && high.is_finite() {
        true => format!("{} ({} to {})", say(value, unit), say(low, unit), say(high, unit)),
        false => say(value, unit),
    }
}

fn own(estimate: &Estimate) -> String {
    with_interval(estimate.mean, estimate.ci95, &estimate.unit, bare)
}

/// `−46 (−53 to −40)`: the paired difference to the baseline.
fn changed(variant: &Variant, name: &str) -> String {
    let found = variant.differences.get(name).zip(variant.measures.get(name));
    found.map_or(NONE.into(), |(difference, estimate)| {
        with_interval(difference.mean, difference.ci95, &estimate.unit, signed)
    })
}

fn prices(prices: &Prices) -> Option<PriceTable> {
    let base = prices.variants.first()?;
    let names: Vec<&String> =
        prices.measures.iter().filter(|name| base.measures.get(name).is_some()).collect();
    let head = |name: &&String| {
        let unit = base.measures.get(name).map_or("", |estimate| unit_shown(&estimate.unit));
        if unit.is_empty() { title(name) } else { format!("{}, {unit}", title(name)) }
    };
    let row = |(index, variant): (usize, &Variant)| {
        let cell = |name: &&String| match (index, variant.measures.get(name)) {
            (0, Some(estimate)) => own(estimate),
            _ => changed(variant, name),
        };
        let name = if index == 0 { "without any measure".to_owned() } else { variant.name.clone() };
        (name, number(variant.replicas as f64), names.iter().map(cell).collect())
    };
    Some(PriceTable {
        about: prices.about.clone(),
        heads: names.iter().map(head).collect(),
        rows: prices.variants.iter().enumerate().map(row).collect(),
    })
}

fn block(found: &BreakEven) -> BreakEvenBlock {
    let points = found.points.iter().map(|point| {
        let ends = point.difference_ci95;
        let difference = with_interval(point.difference, ends, &found.unit, signed);
        [point.value.clone(), quantity(point.mean, &found.unit), difference]
    });
    BreakEvenBlock {
        says: quoted(&found.says),
        variant: found.variant.clone(),
        against: found.against.clone(),
        input: found.input.clone(),
        measure: title(&found.measure),
        replicas: number(found.replicas as f64),
        points: points.collect(),
    }
}
