//! The question's answer in four short paragraphs, built from the numbers alone.

use super::ranking::quoted;
use crate::plot::words::{bare, number, quantity, range, signed, title};
use crate::plot::{
    CASCADE, USER_MINUTES_LOST, USER_OUTAGE, USERS_AFFECTED, by_number, measures, sorted,
};
use crate::study::table::{Estimate, How, Interval, Is, Kind, MarkKind, Sweep, Table, Variant};

/// A measure which saves at least this share of the user-minutes is said to prevent the outage.
const PREVENTS: f64 = 0.9;
/// The repaired system is said to take a load up to this probability of an outage.
const ACCEPTED: f64 = 0.05;

/// A paragraph with its heading.
pub struct Answer {
    /// What it answers.
    pub heading: &'static str,
    /// The answer: one paragraph, or a few lines where it lists things.
    pub lines: Vec<String>,
}

/// The four paragraphs; each says so if the study cannot answer it.
pub fn answers(table: &Table) -> Vec<Answer> {
    let answer = |heading, lines: Vec<String>, none: &str| {
        let lines = if lines.is_empty() { vec![none.to_string()] } else { lines };
        Answer { heading, lines }
    };
    // Sentences flow; a list of variants or of sweeps keeps its lines.
    let flow = |sentences: Vec<String>| match sentences.is_empty() {
        true => sentences,
        false => vec![sentences.join(" ")],
    };
    let mut all = vec![
        answer("What happened", flow(happened(table)), "The study measured no outage."),
        answer("How likely it was", flow(likely(table)), "The study estimated no probability."),
        answer(
            "What prevents or shortens it",
            helps(table),
            "The study compared no variants by the user-minutes they lose.",
        ),
        answer("How much load the system takes", load(table), "The study swept no load."),
    ];
    let links = links(table);
    if !links.is_empty() {
        all.insert(2, Answer { heading: "Which links of the chain carry it", lines: links });
    }
    all
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
        sentences.push(format!("Together they lost {}.", spread(lost)));
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
    let reported: Vec<_> = table.facts.iter().filter(|f| f.reported.is_some()).collect();
    let total = reported.len();
    let held = reported.iter().filter(|f| f.holds).count();
    let emergent: Vec<_> = reported.iter().filter(|f| f.how == How::Emergent).collect();
    let mut text =
        format!("{held} of {total} reported figures lie between the 10th and the 90th percentile");
    if !emergent.is_empty() {
        let agree = emergent.iter().filter(|f| f.holds).count();
        text += &format!(
            "; of those that emerge without being set or fitted, {agree} of {}",
            emergent.len()
        );
    }
    (total > 0).then(|| text + ".")
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

/// What is worth most, and one line for each verdict; of corrective measures alone if the
/// experiment says which variants are some.
fn helps(table: &Table) -> Vec<String> {
    const VERDICTS: [&str; 4] = [
        "Prevents it (at least 90 % of the user-minutes saved)",
        "Shortens or softens it",
        "No clear effect (the interval includes none)",
        "Makes it worse",
    ];
    let Some(ranking) = &table.ranking else {
        let others = sorted(table).into_iter().filter(|variant| variant.is != Is::Link);
        return grouped(others.collect(), VERDICTS);
    };
    let pairs = table.pairs.as_ref().map(|pairs| &pairs.best);
    let lines = std::iter::once(&ranking.worth_most).chain(pairs).map(|text| quoted(text));
    let corrective = sorted(table).into_iter().filter(|variant| variant.is == Is::Corrective);
    lines.chain(grouped(corrective.collect(), VERDICTS)).collect()
}

/// What becomes of the incident without each link of its chain.
fn links(table: &Table) -> Vec<String> {
    const VERDICTS: [&str; 4] = [
        "There is none without (at least 90 % of the user-minutes saved)",
        "It is shorter or softer without",
        "It is as bad without, within the interval",
        "It is worse without",
    ];
    let links = sorted(table).into_iter().filter(|variant| variant.is == Is::Link);
    grouped(links.collect(), VERDICTS)
}

/// One line for each verdict, with its variants in the order of their effect.
fn grouped(variants: Vec<&Variant>, verdicts: [&'static str; 4]) -> Vec<String> {
    let mut groups = verdicts.map(|verdict| (verdict, Vec::new()));
    for variant in variants {
        let Some((mean, [low, high])) = relative(variant, USER_MINUTES_LOST) else { continue };
        let group = match mean {
            mean if high < 0.0 && mean <= -PREVENTS => 0,
            _ if high < 0.0 => 1,
            _ if low > 0.0 => 3,
            _ => 2,
        };
        groups[group].1.push(effect(variant, mean, [low, high]));
    }
    let counted = groups.into_iter().filter(|(_, members)| !members.is_empty());
    let mut lines: Vec<String> =
        counted.map(|(verdict, members)| format!("{verdict}: {}.", members.join("; "))).collect();
    if !lines.is_empty() {
        lines.push(
            "Percentages are changes of the user-minutes lost with half the width of their 95 % \
             interval, minutes the change of the user outage."
                .into(),
        );
    }
    lines
}

/// The paired difference and its interval as shares of what the baseline loses in the same
/// replicas, if that is more than nothing.
pub fn relative(variant: &Variant, name: &str) -> Option<(f64, Interval)> {
    let difference = variant.differences.get(name)?;
    // The baseline may have more replicas; only the paired ones can be compared.
    let base = variant.measures.get(name)?.mean - difference.mean;
    let share = difference.mean / base;
    let interval = difference.ci95.map(|bound| bound / base);
    (base > 0.0 && share.is_finite() && interval.iter().all(|b| b.is_finite()))
        .then_some((share, interval))
}

/// `“api fallback” −78 ± 2 %, −67 min`
fn effect(variant: &Variant, mean: f64, [low, high]: Interval) -> String {
    let outage = match variant.differences.get(USER_OUTAGE) {
        Some(outage) if outage.mean.is_finite() => {
            format!(", {}\u{a0}min", signed(outage.mean, "min"))
        }
        _ => String::new(),
    };
    // Tenths of a percent are fine enough.
    let half = number(((high - low).abs() * 500.0).round() / 10.0);
    let assumed = if variant.assumed { " (assumed)" } else { "" };
    let change = signed(mean, "1");
    format!("“{}”{assumed} {change}\u{a0}±\u{a0}{half}\u{a0}%{outage}", variant.name)
}

fn load(table: &Table) -> Vec<String> {
    table.sweep.iter().filter_map(taken).collect()
}

/// Up to which input, or from which one on, a sweep over one input stays within the accepted
/// probability.
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
    let begin = format!("{}, “{}”: {what}", input.path, sweep.variant);
    if held == 0 {
        let end = points.len() - 1;
        let (lowest, highest) = (said(points[0].0), said(points[end].0));
        let from = (0..=end).rev().take_while(|&i| risk(i) <= ACCEPTED).last();
        return Some(match from {
            Some(from) => {
                let chance = quantity(risk(from - 1), "1");
                let (before, from) = (said(points[from - 1].0), said(points[from].0));
                format!(
                    "{begin} is {chance} at {before} and stays within {accepted} from {from} on."
                )
            }
            None => {
                let [first, last] = [0, end].map(|i| quantity(risk(i), "1"));
                format!(
                    "{begin} is {first} at the lowest input tried, {lowest}, and {last} at the \
                     highest, {highest}."
                )
            }
        });
    }
    let mut text = format!("{begin} stays within {accepted} up to {}", said(points[held - 1].0));
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
    Some(text)
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
        assert!(answers[0].lines[0].contains(&quantity(outage.median, "min")));
        assert!(answers[0].lines[0].contains("restart, limiter disabled at T+121"));
        assert!(answers[1].lines[0].contains("97.2\u{a0}%"));
        assert!(
            answers[3].lines[1].contains("“everything”")
                && answers[3].lines[1].contains("up to 14/s")
        );
    }

    #[test]
    fn a_variant_whose_interval_includes_no_effect_is_not_said_to_help() {
        let text = helps(&sample::table()).join(" ");
        let place = |words: &str| text.find(words).unwrap();
        assert!(place("“no surge”") < place("Shortens"));
        assert!(place("“balancer limits”") > place("Shortens"));
        assert!(place("“twice the api instances”") > place("No clear effect"));
        assert!(place("“aggressive client retries”") > place("Makes it worse"));
    }

    #[test]
    fn a_relative_change_counts_only_the_paired_replicas() {
        let table = sample::table();
        let (share, _) = relative(&table.variants[8], USER_MINUTES_LOST).unwrap();
        assert!(
            (share + 1.0).abs() < 1e-9,
            "no surge loses nothing, so it saves exactly all: {share}"
        );
        assert!(relative(&table.variants[0], USER_MINUTES_LOST).is_none());
    }

    #[test]
    fn an_empty_table_says_what_is_missing() {
        let answers = answers(&Table::default());
        assert_eq!(answers.len(), 4);
        assert!(answers[3].lines[0].contains("swept no load"));
    }
}
