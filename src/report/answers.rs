//! The question's answer in four short paragraphs, built from the numbers alone.

use crate::plot::words::{bare, number, quantity, range, signed, title};
use crate::plot::{
    CASCADE, USER_MINUTES_LOST, USER_OUTAGE, USERS_AFFECTED, by_number, measures, sorted,
};
use crate::study::table::{Estimate, How, Interval, Kind, MarkKind, Sweep, Table, Variant};

/// A measure which saves at least this share of the user-minutes is said to prevent the outage.
const PREVENTS: f64 = 0.9;
/// The repaired system is said to take a load up to this probability of an outage.
const ACCEPTED: f64 = 0.05;

/// A paragraph with its heading.
pub struct Answer {
    /// What it answers.
    pub heading: &'static str,
    /// The answer.
    pub text: String,
}

/// The four paragraphs; each says so if the study cannot answer it.
pub fn answers(table: &Table) -> Vec<Answer> {
    let answer = |heading, sentences: Vec<String>, none: &str| {
        let text = if sentences.is_empty() { none.to_string() } else { sentences.join(" ") };
        Answer { heading, text }
    };
    vec![
        answer("What happened", happened(table), "The study measured no outage."),
        answer("How likely it was", likely(table), "The study estimated no probability."),
        answer(
            "What prevents or shortens it",
            helps(table),
            "The study compared no variants by the user-minutes they lose.",
        ),
        answer("How much load the system takes", load(table), "The study swept no load."),
    ]
}

/// `132 min (10 to 90 %: 109 to 154 min)`
fn spread(estimate: &Estimate) -> String {
    format!(
        "{} (10 to 90 %: {})",
        quantity(estimate.median, &estimate.unit),
        range(estimate.p10, estimate.p90, &estimate.unit)
    )
}

/// `97 % (95 % interval: 96 to 98 %)`
fn chance(estimate: &Estimate) -> String {
    let [low, high] = estimate.ci95;
    format!("{} (95 % interval: {})", quantity(estimate.mean, "1"), range(low, high, "1"))
}

fn happened(table: &Table) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(outage) = table.baseline_measure(USER_OUTAGE) {
        sentences.push(format!(
            "In the median of {} replicas, users noticed the outage for {}.",
            number(outage.n as f64),
            spread(outage)
        ));
    }
    if let Some(affected) = table.baseline_measure(USERS_AFFECTED) {
        sentences.push(format!("It affected {} of the users.", spread(affected)));
    }
    if let Some(lost) = table.baseline_measure(USER_MINUTES_LOST) {
        sentences.push(format!("They lost {} between them.", spread(lost)));
    }
    sentences.extend(course(table));
    sentences.extend(agreement(table));
    sentences
}

/// The simulated moments in their median order.
fn course(table: &Table) -> Option<String> {
    let mut marks: Vec<_> = table.timeline.as_ref()?.marks.iter().collect();
    marks.retain(|m| m.kind != MarkKind::MilestoneReported && m.at_minutes_median.is_finite());
    marks.sort_by(|a, b| a.at_minutes_median.total_cmp(&b.at_minutes_median));
    let moment = |at: f64| {
        let at = at.round();
        format!("T{}{}", if at < 0.0 { "−" } else { "+" }, at.abs())
    };
    let steps: Vec<String> =
        marks.iter().map(|m| format!("{} at {}", m.label, moment(m.at_minutes_median))).collect();
    (!steps.is_empty()).then(|| format!("Its median course: {}.", steps.join("; ")))
}

fn agreement(table: &Table) -> Option<String> {
    let total = table.facts.len();
    let held = table.facts.iter().filter(|f| f.holds).count();
    let emergent: Vec<_> = table.facts.iter().filter(|f| f.how == How::Emergent).collect();
    (total > 0).then(|| {
        format!(
            "Of {total} reported figures {held} lie between the 10th and the 90th percentile; {} of them \
             emerged from the model without being set or fitted, and {} of those agree.",
            emergent.len(),
            emergent.iter().filter(|f| f.holds).count()
        )
    })
}

fn likely(table: &Table) -> Vec<String> {
    let Some(baseline) = table.baseline() else { return Vec::new() };
    let mut sentences = Vec::new();
    if let Some(cascade) = baseline.measures.get(CASCADE) {
        sentences.push(format!("The cascade happened in {} of the replicas.", chance(cascade)));
        sentences.extend(extremes(table));
    }
    let others =
        baseline.measures.iter().filter(|(n, m)| *n != CASCADE && m.kind == Kind::Probability);
    for (name, estimate) in others.take(4) {
        sentences.push(format!("{}: {}.", title(name), chance(estimate)));
    }
    sentences
}

/// How the probability of the cascade ranges over the variants.
fn extremes(table: &Table) -> Option<String> {
    let known =
        || table.variants.iter().skip(1).filter_map(|v| Some((v, v.measures.get(CASCADE)?.mean)));
    let low = known().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let high = known().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Over the variants it ranges from {} (“{}”) to {} (“{}”).",
        quantity(low.1, "1"),
        low.0.name,
        quantity(high.1, "1"),
        high.0.name
    ))
}

fn helps(table: &Table) -> Vec<String> {
    let Some(base) = table.baseline_measure(USER_MINUTES_LOST).map(|m| m.mean) else {
        return Vec::new();
    };
    let mut groups: [(&str, Vec<String>); 4] = [
        ("Prevented (at least 90 % of the user-minutes saved)", Vec::new()),
        ("Shortened or softened", Vec::new()),
        ("No clear effect (the interval includes none)", Vec::new()),
        ("Made worse", Vec::new()),
    ];
    for variant in sorted(table) {
        let Some(difference) = variant.differences.get(USER_MINUTES_LOST) else { continue };
        let [low, high] = difference.ci95.map(|bound| bound / base);
        if !(low.is_finite() && high.is_finite()) {
            continue;
        }
        let group = match difference.mean / base {
            mean if high < 0.0 && mean <= -PREVENTS => 0,
            _ if high < 0.0 => 1,
            _ if low > 0.0 => 3,
            _ => 2,
        };
        groups[group].1.push(effect(variant, difference.mean / base, [low, high]));
    }
    let counted = groups.into_iter().filter(|(_, members)| !members.is_empty());
    let mut sentences: Vec<String> =
        counted.map(|(verdict, members)| format!("{verdict}: {}.", members.join("; "))).collect();
    if !sentences.is_empty() {
        let note = "Percentages are changes of the user-minutes lost, with their 95 % interval.";
        sentences.push(note.into());
    }
    sentences
}

/// `“api fallback” −78 % (−80 to −76 %), outage −67 min`
fn effect(variant: &Variant, mean: f64, [low, high]: Interval) -> String {
    let share = format!("{} % ({})", signed(mean, "1"), range(low, high, "1"));
    let outage = match variant.differences.get(USER_OUTAGE) {
        Some(outage) if outage.mean.is_finite() => {
            format!(", outage {} min", signed(outage.mean, "min"))
        }
        _ => String::new(),
    };
    format!("“{}” {share}{outage}", variant.name)
}

fn load(table: &Table) -> Vec<String> {
    table.sweep.iter().filter_map(taken).collect()
}

/// Up to which input a sweep over one input stays within the accepted probability.
fn taken(sweep: &Sweep) -> Option<String> {
    let [input] = sweep.inputs.as_slice() else { return None };
    let points = by_number(sweep, input);
    let probability = |name: &&str| {
        points
            .first()
            .is_some_and(|(_, m)| m.get(name).is_some_and(|e| e.kind == Kind::Probability))
    };
    let name = measures(sweep).into_iter().find(probability)?;
    let risk = |index: usize| points[index].1.get(name).map_or(f64::NAN, |e| e.mean);
    let said = |number: f64| {
        let place = input.numbers.iter().position(|n| *n == number);
        place.and_then(|p| input.values.get(p)).cloned().unwrap_or_else(|| bare(number, ""))
    };
    let what = format!("the probability of the {}", name.replace('_', " "));
    let accepted = quantity(ACCEPTED, "1");
    let held = (0..points.len()).take_while(|&i| risk(i) <= ACCEPTED).count();
    if held == 0 {
        let (lowest, chance) = (said(points.first()?.0), quantity(risk(0), "1"));
        return Some(format!(
            "“{}”: {what} is {chance} even at the lowest input tried, {lowest}.",
            sweep.variant
        ));
    }
    let mut text = format!(
        "“{}”: {what} stays within {accepted} up to {}",
        sweep.variant,
        said(points[held - 1].0)
    );
    let at_limit: Vec<String> = points[held - 1]
        .1
        .iter()
        .filter(|(other, e)| *other != name && e.median.is_finite())
        .take(2)
        .map(|(other, e)| format!("{} {}", other.replace('_', " "), quantity(e.median, &e.unit)))
        .collect();
    if !at_limit.is_empty() {
        text += &format!(" (there {})", at_limit.join(", "));
    }
    match points.get(held) {
        Some((next, measures)) => {
            let chance = measures.get(name).map_or(String::new(), chance);
            text += &format!(" and is {chance} at {}.", said(*next));
        }
        None => text += ", the highest input tried.",
    }
    Some(format!("{text} The input is {}.", input.path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::sample;

    #[test]
    fn the_paragraphs_carry_the_numbers_of_the_table() {
        let table = sample::table();
        let answers = answers(&table);
        let outage = table.baseline_measure(USER_OUTAGE).unwrap();
        assert!(answers[0].text.contains(&quantity(outage.median, "min")));
        assert!(answers[0].text.contains("restart, limiter disabled at T+121"));
        assert!(answers[1].text.contains("97.2 %"));
        assert!(answers[3].text.contains("up to 12/s") || answers[3].text.contains("up to 14/s"));
    }

    #[test]
    fn a_variant_whose_interval_includes_no_effect_is_not_said_to_help() {
        let text = helps(&sample::table()).join(" ");
        let place = |words: &str| text.find(words).unwrap();
        assert!(place("“no surge”") < place("Shortened"));
        assert!(place("“balancer limits”") > place("Shortened"));
        assert!(place("“twice the api instances”") > place("No clear effect"));
        assert!(place("“aggressive client retries”") > place("Made worse"));
    }

    #[test]
    fn an_empty_table_says_what_is_missing() {
        let answers = answers(&Table::default());
        assert_eq!(answers.len(), 4);
        assert!(answers[3].text.contains("swept no load"));
    }
}
