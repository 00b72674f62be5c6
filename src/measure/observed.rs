//! What the observations of a model have seen.

use super::unit::{COUNT, PER_SECOND, SECONDS, SHARE};
use super::{Better, Measure, View};
use crate::plan::{ObservePlan, Plan, TimedPlan};
use crate::sim::outcome::{Level, NumberSeen, Observed, TimesSeen};
use crate::units::{Nanos, seconds};

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = Vec::new();
    for (index, observation) in plan.observations.iter().enumerate() {
        let mut add = Add { all: &mut all, index, name: &observation.name };
        match &observation.what {
            ObservePlan::Number { levels, .. } => number(&mut add, levels),
            ObservePlan::Moments { at, levels, .. } => moments(&mut add, at, levels),
            ObservePlan::First { .. } => add.first(),
            ObservePlan::Times { of, points, .. } => times(&mut add, *of, points.len()),
            ObservePlan::Count { .. } => count(&mut add),
        }
    }
    all
}

/// Adds measures of one observation.
struct Add<'a> {
    all: &'a mut Vec<Measure>,
    index: usize,
    name: &'a str,
}

impl Add<'_> {
    fn measure(
        &mut self,
        name: String,
        unit: &'static str,
        doc: &'static str,
        read: impl Fn(&Observed) -> Option<f64> + Send + Sync + 'static,
    ) {
        let index = self.index;
        let read = move |view: &View| read(view.outcome.observed.get(index)?);
        self.all.push(Measure::new(name, unit, doc, read).better(Better::Neither));
    }

    fn number(
        &mut self,
        word: &str,
        doc: &'static str,
        unit: &'static str,
        read: impl Fn(&NumberSeen) -> f64 + Send + Sync + 'static,
    ) {
        self.measure(format!("{}.{word}", self.name), unit, doc, move |seen| match seen {
            Observed::Number(seen) if seen.time > 0 => Some(read(seen)),
            _ => None,
        });
    }

    fn level(
        &mut self,
        (word, level, number): (&str, u64, usize),
        doc: &'static str,
        unit: &'static str,
        read: fn(&Level, Nanos) -> Option<f64>,
    ) {
        let name = format!("{}.{word}.{level}", self.name);
        self.measure(name, unit, doc, move |seen| match seen {
            Observed::Number(seen) if seen.time > 0 => read(&seen.levels[number], seen.time),
            _ => None,
        });
    }

    fn times(
        &mut self,
        word: &str,
        doc: &'static str,
        unit: &'static str,
        read: impl Fn(&TimesSeen, f64) -> f64 + Send + Sync + 'static,
    ) {
        self.measure(format!("{}.{word}", self.name), unit, doc, move |seen| match seen {
            Observed::Times(seen) if seen.count > 0 => Some(read(seen, seen.count as f64)),
            _ => None,
        });
    }

    fn first(&mut self) {
        self.measure(
            self.name.to_owned(),
            SECONDS,
            "When the number first reached the level; infinite if it never did.",
            |seen| match seen {
                Observed::First(Some(at)) => Some(seconds(*at)),
                Observed::First(None) => Some(f64::INFINITY),
                _ => None,
            },
        );
    }
}

fn mean(seen: &NumberSeen) -> f64 {
    seen.sum / seen.time as f64
}

/// Mean of squares less square of the mean, over the time observed.
fn variance(seen: &NumberSeen) -> f64 {
    (seen.squares / seen.time as f64 - mean(seen).powi(2)).max(0.0)
}

fn number(add: &mut Add, levels: &[u64]) {
    add.number("mean", "Time average of the observed number.", COUNT, mean);
    add.number("sd", "Standard deviation of the number over time.", COUNT, |seen| {
        variance(seen).sqrt()
    });
    add.number("variance", "Variance of the number over time.", COUNT, variance);
    add.number("second_moment", "Time average of the square of the number.", COUNT, |seen| {
        seen.squares / seen.time as f64
    });
    add.number("time", "How long the number was observed.", SECONDS, |seen| seconds(seen.time));
    for (index, &level) in levels.iter().enumerate() {
        add.level(
            ("at", level, index),
            "Share of the observed time at exactly this level.",
            SHARE,
            |seen, time| Some(seen.at as f64 / time as f64),
        );
        add.level(
            ("above", level, index),
            "Share of the observed time above this level.",
            SHARE,
            |seen, time| Some(seen.above as f64 / time as f64),
        );
        add.level(
            ("entries", level, index),
            "How often per second of observed time the number rose above this level.",
            PER_SECOND,
            |seen, time| Some(seen.entries as f64 / seconds(time)),
        );
        add.level(
            ("stays", level, index),
            "Mean length of the stays above this level that were seen whole.",
            SECONDS,
            |seen, _| (seen.stays > 0).then(|| seconds(seen.stayed) / seen.stays as f64),
        );
    }
}

fn moments(add: &mut Add, at: &[(Nanos, String)], levels: &[u64]) {
    for (number, (_, text)) in at.iter().enumerate() {
        let read = move |seen: &Observed| match seen {
            Observed::Moments(seen) => seen[number],
            _ => None,
        };
        let name = format!("{}.{text}", add.name);
        add.measure(
            name.clone(),
            COUNT,
            "The observed number at this moment, just before what happens then.",
            move |seen| read(seen).map(|value| value as f64),
        );
        for &level in levels {
            add.measure(
                format!("{name}.at.{level}"),
                SHARE,
                "1 if the number is exactly at this level at this moment, else 0.",
                move |seen| read(seen).map(|value| f64::from(value == level)),
            );
            add.measure(
                format!("{name}.above.{level}"),
                SHARE,
                "1 if the number is above this level at this moment, else 0.",
                move |seen| read(seen).map(|value| f64::from(value > level)),
            );
        }
    }
}

fn times(add: &mut Add, of: TimedPlan, points: usize) {
    let unit =
        if matches!(of, TimedPlan::Attempts(_) | TimedPlan::Slowdown(_)) { COUNT } else { SECONDS };
    add.times("mean", "Mean of the observed times.", unit, |seen, n| in_seconds(seen.sum, n));
    add.times("sd", "Standard deviation of the observed times.", unit, |seen, n| {
        (squares(seen, n) - in_seconds(seen.sum, n).powi(2)).max(0.0).sqrt()
    });
    add.times("second_moment", "Mean of the squares of the observed times.", COUNT, squares);
    for point in 0..points {
        add.times(
            &format!("within.{}", point + 1),
            "Share of the observed times that are not longer than this point (from 1).",
            SHARE,
            move |seen, n| seen.within[point] as f64 / n,
        );
    }
    let name = format!("{}.count", add.name);
    add.measure(name, COUNT, "How many times were observed.", |seen| match seen {
        Observed::Times(seen) => Some(seen.count as f64),
        _ => None,
    });
}

fn in_seconds(sum: u128, n: f64) -> f64 {
    sum as f64 / n / 1e9
}

fn squares(seen: &TimesSeen, n: f64) -> f64 {
    seen.squares as f64 / n / 1e18
}

fn count(add: &mut Add) {
    let counted = |seen: &Observed| match seen {
        Observed::Count { first: Some(first), last: Some(last), time } => {
            Some((last.saturating_sub(*first), *time))
        }
        _ => None,
    };
    let name = format!("{}.count", add.name);
    add.measure(name, COUNT, "How often it happened while it was counted.", move |seen| {
        counted(seen).map(|(count, _)| count as f64)
    });
    let name = format!("{}.per_second", add.name);
    add.measure(name, PER_SECOND, "The count over the time counted.", move |seen| {
        let (count, time) = counted(seen)?;
        (time > 0).then(|| count as f64 / seconds(time))
    });
}
