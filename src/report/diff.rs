//! Two runs of one replica beside each other: where they part, and what became of each.
//!
//! Both have the same luck, so all that differs comes from what was changed. Nothing here is
//! statistics: one pair of runs shows how a change works, a study shows how much it helps.

use super::story::Line;
use super::summary::Summary;
use crate::measure::{View, Window};
use crate::sim::outcome::ComponentBucket;
use crate::units::seconds;
use serde::Serialize;
use std::collections::BTreeMap;

/// Shares (of lost requests, errors, busy workers, memory) part when they are further apart in a
/// bucket than this.
pub const SHARES_PART: f64 = 0.05;
/// Numbers of requests part when they differ in a bucket by more than this part of the larger one,
pub const COUNTS_PART: f64 = 0.2;
/// and by at least so many requests.
pub const FEWEST: f64 = 20.0;
/// Shares of fewer requests than this are not compared.
const TOO_FEW: u64 = 10;

/// In which of two stories something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// In both, at the same second and in the same words.
    Same,
    /// In both, at another time or with other numbers.
    Otherwise,
    /// Only in the first.
    FirstOnly,
    /// Only in the second.
    SecondOnly,
}

/// One row of two stories merged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// In which of the two.
    pub told: Told,
    /// The line of the first.
    pub first: Option<Line>,
    /// The line of the second.
    pub second: Option<Line>,
}

impl Row {
    /// Where the row stands in time, in seconds of the run: where its first line does.
    #[must_use]
    pub fn at(&self) -> f64 {
        self.first.iter().chain(&self.second).map(|line| line.at_seconds).next().unwrap_or(0.0)
    }
}

/// Two stories merged, in the order of time.
///
/// Lines that are told alike belong together. What remains of a topic is paired in the order of
/// time: the first time that an alert fires in one run with the first time in the other.
#[must_use]
pub fn merge(first: &[Line], second: &[Line]) -> Vec<Row> {
    let mut partner: Vec<Option<usize>> = vec![None; first.len()];
    let mut taken = vec![false; second.len()];
    let mut open: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, line) in second.iter().enumerate() {
        open.entry(topic(line)).or_default().push(index);
    }
    let mut pair = |fits: &dyn Fn(&Line, &Line) -> bool| {
        for (index, line) in first.iter().enumerate() {
            let others = open.get(&topic(line)).into_iter().flatten();
            let fitting =
                others.copied().find(|&other| !taken[other] && fits(line, &second[other]));
            if let (None, Some(other)) = (partner[index], fitting) {
                (partner[index], taken[other]) = (Some(other), true);
            }
        }
    };
    pair(&is_same);
    pair(&|_, _| true);
    let mut rows: Vec<Row> = first
        .iter()
        .zip(&partner)
        .map(|(line, other)| {
            let other = other.map(|other| &second[other]);
            let told = match other {
                None => Told::FirstOnly,
                Some(other) if is_same(line, other) => Told::Same,
                Some(_) => Told::Otherwise,
            };
            Row { told, first: Some(line.clone()), second: other.cloned() }
        })
        .collect();
    let alone = second.iter().zip(&taken).filter(|(_, taken)| !**taken);
    rows.extend(alone.map(|(line, _)| Row {
        told: Told::SecondOnly,
        first: None,
        second: Some(line.clone()),
    }));
    // Stable: at one moment the first run's lines come first, in their order.
    rows.sort_by(|a, b| a.at().total_cmp(&b.at()));
    rows
}

fn topic(line: &Line) -> (&str, &str) {
    (line.kind.word(), &line.topic)
}

fn is_same(a: &Line, b: &Line) -> bool {
    a.at_seconds.floor() == b.at_seconds.floor() && a.text == b.text
}

/// The first bucket in which two runs are visibly apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Apart {
    /// Where the bucket begins, in seconds of the run.
    pub from_seconds: f64,
    /// Where it ends.
    pub to_seconds: f64,
    /// What is apart in it, the furthest apart first.
    pub numbers: Vec<Number>,
}

/// A number that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// What it is.
    pub what: String,
    /// `1` for a share, `requests` for a count.
    pub unit: &'static str,
    /// In the first run.
    pub first: f64,
    /// In the second.
    pub second: f64,
}

impl Number {
    /// How far apart the two are, 0 if that is not worth telling: for shares their difference, for
    /// counts its part of the larger one.
    fn distance(&self) -> f64 {
        let gap = (self.first - self.second).abs();
        let (distance, line) = match self.unit {
            "1" => (gap, SHARES_PART),
            _ if gap < FEWEST => (0.0, COUNTS_PART),
            _ => (gap / self.first.max(self.second), COUNTS_PART),
        };
        if distance > line { distance } else { 0.0 }
    }
}

/// The first bucket that lies in both runs and in which they are apart; none also where their
/// buckets have different widths.
#[must_use]
pub fn first_apart(first: &View, second: &View) -> Option<Apart> {
    if first.outcome.bucket != second.outcome.bucket {
        return None;
    }
    let (ones, others) = (series(first), series(second));
    let count = ones.values().chain(others.values()).map(|s| s.values.len()).max()?;
    (0..count).find_map(|index| {
        let Window { from, to } = first.bucket(index);
        let mut numbers: Vec<Number> = ones
            .iter()
            .filter_map(|(what, one)| {
                let value = |series: &Series| series.values.get(index).copied().flatten();
                let (first, second) = (value(one)?, value(others.get(what)?)?);
                Some(Number { what: what.clone(), unit: one.unit, first, second })
            })
            .filter(|number| number.distance() > 0.0)
            .collect();
        numbers.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        let (from_seconds, to_seconds) = (seconds(from), seconds(to));
        (!numbers.is_empty()).then_some(Apart { from_seconds, to_seconds, numbers })
    })
}

/// A number in each bucket; none where there is too little to say.
struct Series {
    unit: &'static str,
    values: Vec<Option<f64>>,
}

/// The numbers of clients and components, by what they are.
fn series(view: &View) -> BTreeMap<String, Series> {
    let mut all = BTreeMap::new();
    for (plan, seen) in view.plan.clients.iter().zip(&view.outcome.clients) {
        let lost = grown(&seen.buckets, |b| b.over - b.good.saturating_sub(b.slow).min(b.over));
        let over = grown(&seen.buckets, |b| b.over);
        let sent = grown(&seen.buckets, |b| b.sent);
        let name = &plan.name;
        all.insert(format!("requests of {name} that failed or were slow"), shares(&lost, &over));
        all.insert(format!("requests of {name}"), counts(&sent));
    }
    for (plan, seen) in view.plan.components.iter().zip(&view.outcome.components) {
        if plan.instances == 0 {
            continue;
        }
        let (name, buckets) = (&plan.name, &seen.buckets);
        let answers = grown(buckets, |b| b.answers);
        let errors = grown(buckets, |b| b.answers - b.good);
        all.insert(format!("answers of {name} that are errors"), shares(&errors, &answers));
        all.insert(
            format!("requests that come to {name}"),
            counts(&grown(buckets, |b| b.requests)),
        );
        if plan.memory.is_some() {
            let values = buckets.iter().map(|b| Some(b.memory)).collect();
            all.insert(format!("memory of {name} in use"), Series { unit: "1", values });
        }
        if plan.workers != u32::MAX {
            all.insert(format!("workers of {name} that are busy"), busy(view, buckets));
        }
    }
    all
}

/// What a counter grew by in each bucket.
fn grown<B>(buckets: &[B], counter: impl Fn(&B) -> u64) -> Vec<u64> {
    let counts: Vec<u64> = buckets.iter().map(counter).collect();
    let before = std::iter::once(0).chain(counts.iter().copied());
    counts.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect()
}

fn counts(counts: &[u64]) -> Series {
    Series { unit: "requests", values: counts.iter().map(|&n| Some(n as f64)).collect() }
}

fn shares(parts: &[u64], wholes: &[u64]) -> Series {
    let share =
        |(part, whole): (&u64, &u64)| (*whole >= TOO_FEW).then(|| *part as f64 / *whole as f64);
    Series { unit: "1", values: parts.iter().zip(wholes).map(share).collect() }
}

/// The share of the workers that were busy; none where their number changed.
fn busy(view: &View, buckets: &[ComponentBucket]) -> Series {
    let value = |i: usize| {
        let (now, before) = (&buckets[i], i.checked_sub(1).map(|i| &buckets[i]));
        let Window { from, to } = view.bucket(i);
        let time = now.workers * to.saturating_sub(from);
        let steady = before.is_none_or(|before| before.workers == now.workers);
        let busy = now.busy - before.map_or(0, |before| before.busy);
        (steady && time > 0).then(|| busy as f64 / time as f64)
    };
    Series { unit: "1", values: (0..buckets.len()).map(value).collect() }
}

/// A measure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Its unit; `1` for a share.
    pub unit: &'static str,
    /// In the first run; none where it does not apply, not finite for what never happened.
    pub first: Option<f64>,
    /// In the second.
    pub second: Option<f64>,
}

impl Compared {
    /// The second less the first, where both are numbers.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let (first, second) = (self.first?, self.second?);
        (first.is_finite() && second.is_finite()).then_some(second - first)
    }
}

/// The measures of both runs, in the order of the first; those of the second alone last.
#[must_use]
pub fn compared(first: &Summary, second: &Summary) -> Vec<Compared> {
    let of = |summary: &Summary, name: &str| {
        summary.measures.iter().find(|m| m.name == name).map(|m| m.value)
    };
    let own = first.measures.iter();
    let more = second.measures.iter().filter(|m| of(first, &m.name).is_none());
    own.chain(more)
        .map(|measure| Compared {
            name: measure.name.clone(),
            unit: measure.unit,
            first: of(first, &measure.name),
            second: of(second, &measure.name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::story::Kind;
    use super::*;

    fn line(at: f64, topic: &str, text: &str) -> Line {
        Line {
            at_seconds: at,
            minutes_from_alert: None,
            clock: None,
            kind: Kind::System,
            topic: topic.to_owned(),
            text: text.to_owned(),
        }
    }

    fn told(rows: &[Row]) -> Vec<(Told, f64)> {
        rows.iter().map(|row| (row.told, row.at())).collect()
    }

    #[test]
    fn the_same_story_is_the_same_in_every_row() {
        let story = [line(1.0, "a", "a"), line(2.0, "b", "b")];
        assert_eq!(told(&merge(&story, &story)), [(Told::Same, 1.0), (Told::Same, 2.0)]);
        assert!(merge(&[], &[]).is_empty());
    }

    #[test]
    fn lines_stand_where_they_happen_and_say_in_which_story() {
        let first =
            [line(1.0, "a", "a"), line(5.0, "fires", "fires at 3"), line(9.0, "end", "end")];
        let second =
            [line(1.2, "a", "a"), line(4.0, "new", "new"), line(7.0, "fires", "fires at 4")];
        let rows = merge(&first, &second);
        let expected = [
            (Told::Same, 1.0),
            (Told::SecondOnly, 4.0),
            (Told::Otherwise, 5.0),
            (Told::FirstOnly, 9.0),
        ];
        assert_eq!(told(&rows), expected);
        assert_eq!(rows[2].second.as_ref().map(|line| line.at_seconds), Some(7.0));
    }

    #[test]
    fn what_is_told_alike_belongs_together_before_what_comes_first() {
        // The second run leaves the first firing out: its two are the second and third.
        let first = [1.0, 5.0, 9.0].map(|at| line(at, "fires", "fires"));
        let second = [5.0, 9.0].map(|at| line(at, "fires", "fires"));
        let expected = [(Told::FirstOnly, 1.0), (Told::Same, 5.0), (Told::Same, 9.0)];
        assert_eq!(told(&merge(&first, &second)), expected);
    }

    #[test]
    fn another_kind_is_another_topic() {
        let mut other = line(1.0, "a", "a");
        other.kind = Kind::Alert;
        let rows = merge(&[line(1.0, "a", "a")], &[other]);
        assert_eq!(told(&rows), [(Told::FirstOnly, 1.0), (Told::SecondOnly, 1.0)]);
    }

    #[test]
    fn small_differences_are_not_worth_telling() {
        let number = |unit, first, second| Number { what: String::new(), unit, first, second };
        assert_eq!(number("1", 0.10, 0.14).distance(), 0.0);
        assert!(number("1", 0.10, 0.16).distance() > 0.0);
        assert_eq!(number("requests", 10.0, 29.0).distance(), 0.0, "too few");
        assert_eq!(number("requests", 1000.0, 1100.0).distance(), 0.0, "a tenth");
        assert!(number("requests", 100.0, 130.0).distance() > 0.2);
    }
}
