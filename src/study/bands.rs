//! Bands of the timeline: what most replicas saw, minute by minute around T+0.
//!
//! Each series of a replica is shifted to T+0 (the alert; in models in which no alert pages, the
//! trigger) and counted into one mergeable sketch for each minute, so that memory does not grow
//! with replicas.

use super::table::{Group, Series};
use crate::histogram::Sketch;
use crate::measure::{View, unit};
use crate::plan::Plan;
use crate::units::{Nanos, seconds};
use std::collections::BTreeMap;

/// A minute is shown if at least this share of the replicas saw it.
const SHOWN: f64 = 0.5;

/// What a line of the timeline shows.
#[derive(Debug, Clone)]
struct Line {
    name: String,
    unit: &'static str,
    group: Group,
}

/// One replica's numbers: those of all lines for each minute from T+0.
pub struct Shape {
    minutes: BTreeMap<i64, Vec<f64>>,
}

/// The numbers of all replicas.
#[derive(Debug)]
pub struct Bands {
    lines: Vec<Line>,
    bucket: Nanos,
    minutes: BTreeMap<i64, Vec<Sketch>>,
    replicas: u64,
}

impl Bands {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Bands {
        let line = |name: &str, unit, group| Line { name: name.to_owned(), unit, group };
        let mut lines = vec![
            line("users' requests", unit::PER_SECOND, Group::Traffic),
            line("users' attempts", unit::PER_SECOND, Group::Traffic),
            line("good answers", unit::PER_SECOND, Group::Traffic),
        ];
        for client in others(plan) {
            let name = &plan.clients[client as usize].name;
            lines.push(line(name, unit::PER_SECOND, Group::Traffic));
        }
        lines.push(line("lost requests", unit::SHARE, Group::Errors));
        lines.push(line("p50", unit::SECONDS, Group::Latency));
        lines.push(line("p99", unit::SECONDS, Group::Latency));
        for component in plan.components.iter().filter(|c| c.memory.is_some()) {
            lines.push(line(&component.name, unit::SHARE, Group::Memory));
        }
        for component in plan.components.iter().filter(|c| c.instances > 0) {
            lines.push(line(&component.name, "instances", Group::Instances));
        }
        Bands { lines, bucket: plan.bucket, minutes: BTreeMap::new(), replicas: 0 }
    }

    /// The numbers of one replica, in the order of the lines.
    #[must_use]
    pub fn shape(view: &View) -> Shape {
        let mut minutes = BTreeMap::new();
        let Some(zero) = view.zero() else { return Shape { minutes } };
        let others: Vec<_> =
            others(view.plan).into_iter().map(|client| view.traffic_of(&[client])).collect();
        let latencies = view.latency_by_bucket();
        for ((index, users), latency) in view.traffic().iter().enumerate().zip(latencies) {
            let window = view.bucket(index);
            let length = seconds(window.to - window.from);
            if length <= 0.0 {
                continue;
            }
            let rate = |requests: u64| requests as f64 / length;
            let mut values =
                vec![rate(users.sent), rate(users.attempts), rate(users.over - users.lost)];
            values.extend(others.iter().map(|o| o.get(index).map_or(f64::NAN, |t| rate(t.sent))));
            values.push(users.lost_share().unwrap_or(f64::NAN));
            values.extend([latency.quantile(0.5), latency.quantile(0.99)]);
            let components = || view.plan.components.iter().zip(&view.outcome.components);
            for (_, component) in components().filter(|(plan, _)| plan.memory.is_some()) {
                values.push(component.buckets.get(index).map_or(f64::NAN, |b| b.memory));
            }
            for (_, component) in components().filter(|(plan, _)| plan.instances > 0) {
                values.push(component.buckets.get(index).map_or(f64::NAN, |b| f64::from(b.up)));
            }
            let middle = i128::from(window.from + (window.to - window.from) / 2);
            let bucket = i128::from(view.outcome.bucket);
            minutes.insert((middle - i128::from(zero)).div_euclid(bucket) as i64, values);
        }
        Shape { minutes }
    }

    /// Counts a replica.
    pub fn add(&mut self, shape: Shape) {
        self.replicas += u64::from(!shape.minutes.is_empty());
        for (minute, values) in shape.minutes {
            let empty = || vec![Sketch::new(); self.lines.len()];
            let sketches = self.minutes.entry(minute).or_insert_with(empty);
            sketches.iter_mut().zip(values).for_each(|(sketch, value)| sketch.record(value));
        }
    }

    /// The width of a minute in seconds.
    #[must_use]
    pub fn bucket_seconds(&self) -> f64 {
        seconds(self.bucket)
    }

    /// Medians and bands over the minutes that at least half of the replicas with a T+0 saw; none
    /// if no replica had one.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        let width = self.bucket_seconds() / 60.0;
        // The number of requests is there in every minute of every replica.
        let shown = |sketches: &Vec<Sketch>| {
            sketches[0].count() as f64 >= SHOWN * self.replicas as f64 && self.replicas > 0
        };
        let minutes: Vec<_> = self.minutes.iter().filter(|(_, s)| shown(s)).collect();
        if minutes.is_empty() {
            return Vec::new();
        }
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            let quantile = |q| minutes.iter().map(|(_, s)| s[index].quantile(q)).collect();
            Series {
                name: line.name.clone(),
                unit: line.unit.to_owned(),
                group: line.group,
                t_minutes: minutes.iter().map(|(minute, _)| **minute as f64 * width).collect(),
                median: quantile(0.5),
                p10: quantile(0.1),
                p90: quantile(0.9),
            }
        });
        lines.collect()
    }
}

/// Clients that do not count as users, where others do.
fn others(plan: &Plan) -> Vec<u32> {
    let all = 0..plan.clients.len() as u32;
    match plan.clients.iter().any(|client| client.counts_as_users) {
        true => all.filter(|&c| !plan.clients[c as usize].counts_as_users).collect(),
        false => Vec::new(),
    }
}
