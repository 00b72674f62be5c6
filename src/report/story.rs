//! A run told as a story: what happened when, in sentences.
//!
//! The simulation keeps happenings as facts ([`crate::sim::story`]); here they become lines for
//! people. What happens to several instances of a component within a minute is one line, and what
//! happens again and again (a crash loop, a flapping health check) is one line with its number.
//! Beside the happenings the story says when users began to suffer and when they were well again,
//! and how the run ended.

mod groups;
mod people;
mod short;
mod strain;
mod topics;
mod words;

pub use short::{in_short, in_short_from};
pub use words::length;

use crate::measure::View;
use crate::plan::Plan;
use crate::sim::Outcome;
use crate::sim::outcome::{Ending, StopReason};
use crate::units::{Bytes, MINUTE, Nanos, SECOND, seconds};
use serde::Serialize;
use words::{Names, percent};

/// Bad minutes closer together than this are one time of suffering.
const WELL_AGAIN: Nanos = 5 * MINUTE;
/// At most so many times of suffering are told, the longest ones.
const MOST_TIMES: usize = 6;

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Time of the run in seconds.
    pub at_seconds: f64,
    /// Minutes from T+0, the alert that paged first; none in a run without one.
    pub minutes_from_alert: Option<f64>,
    /// Time of day, where the model says when the alert was and the run had one.
    pub clock: Option<String>,
    /// Whom it concerns.
    pub kind: Kind,
    /// What it is about, without times and numbers: the same in another run of the system.
    pub topic: String,
    /// What happened, as a sentence without its full stop.
    pub text: String,
}

/// Whom a line concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A change: what the model says happens at a time.
    Change,
    /// The system itself.
    System,
    /// The users.
    Users,
    /// An alert.
    Alert,
    /// The people who respond.
    People,
    /// The run as such.
    Run,
}

impl Kind {
    /// The word in front of a line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Change => "change",
            Kind::System => "system",
            Kind::Users => "users",
            Kind::Alert => "alert",
            Kind::People => "people",
            Kind::Run => "run",
        }
    }
}

/// A line before it knows the time of the alert.
struct Item {
    at: Nanos,
    kind: Kind,
    topic: String,
    text: String,
}

/// The story of a replica, in the order of time.
#[must_use]
pub fn tell(plan: &Plan, outcome: &Outcome) -> Vec<Line> {
    let items = all_items(plan, outcome);
    items.into_iter().map(|item| line(plan, outcome.response.alert, item)).collect()
}

/// As [`tell`], with times that count from another run's alert, so that two runs can be read beside
/// each other.
#[must_use]
pub fn tell_from(plan: &Plan, outcome: &Outcome, alert: Option<Nanos>) -> Vec<Line> {
    all_items(plan, outcome).into_iter().map(|item| line(plan, alert, item)).collect()
}

fn all_items(plan: &Plan, outcome: &Outcome) -> Vec<Item> {
    let names = Names::new(plan, outcome);
    let view = View::new(plan, outcome);
    let mut items = groups::items(&names, outcome);
    items.extend(strain::items(&names, &view));
    items.extend(suffering(&view));
    // Stable: what happens at one moment stays in the order in which it happened.
    items.sort_by_key(|item| item.at);
    items.extend(untold(outcome));
    items.push(ending(plan, outcome));
    items
}

fn line(plan: &Plan, alert: Option<Nanos>, item: Item) -> Line {
    Line {
        at_seconds: seconds(item.at),
        minutes_from_alert: alert.map(|alert| (seconds(item.at) - seconds(alert)) / 60.0),
        clock: clock(plan, alert, item.at),
        kind: item.kind,
        topic: item.topic,
        text: item.text,
    }
}

/// The time of day, where the model says when the alert was and the run had one.
#[must_use]
pub fn clock(plan: &Plan, alert: Option<Nanos>, at: Nanos) -> Option<String> {
    let (minutes, _) = plan.clock_at_alert.as_ref()?;
    alert.map(|alert| time_of_day(*minutes, alert, at))
}

/// `14:02:15`, when it was `minutes` after midnight at `alert`.
fn time_of_day(minutes: u32, alert: Nanos, at: Nanos) -> String {
    let day = 86_400;
    let whole = |nanos: Nanos| (nanos / SECOND) as i64;
    let second = (i64::from(minutes) * 60 + whole(at) - whole(alert)).rem_euclid(day);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Spells of flagged buckets, given by rising numbers, in the order of time: at least two (a single
/// one is noise), and none of [`WELL_AGAIN`] without one in between.
fn spells(view: &View, flagged: Vec<usize>) -> Vec<Vec<usize>> {
    let apart = (WELL_AGAIN / view.outcome.bucket.max(1)).max(1) as usize;
    let spells = flagged.chunk_by(|a, b| b - a <= apart).filter(|spell| spell.len() >= 2);
    spells.map(<[usize]>::to_vec).collect()
}

/// Buckets in which users lost more than the model calls bad.
fn bad_buckets(view: &View) -> Vec<usize> {
    let shares = lost_shares(view.plan, view.outcome);
    (0..shares.len()).filter(|&i| shares[i] > view.plan.bad_minute).collect()
}

/// When users suffered, in the order of time: from when to when, and the worst share that they
/// lost in a bucket. At most [`MOST_TIMES`], the longest ones.
fn times_of_suffering(view: &View) -> Vec<(usize, Nanos, f64)> {
    let shares = lost_shares(view.plan, view.outcome);
    let mut times = spells(view, bad_buckets(view));
    times.sort_by_key(|time| std::cmp::Reverse(time.last().zip(time.first()).map(|(b, a)| b - a)));
    times.truncate(MOST_TIMES);
    times.sort();
    let told = times.iter().filter_map(|time| {
        let (&first, &last) = time.first().zip(time.last())?;
        let worst = time.iter().map(|&i| shares[i]).fold(0.0, f64::max);
        Some((first, view.bucket(last).to, worst))
    });
    told.collect()
}

/// When users began to suffer and when they were well again.
fn suffering(view: &View) -> Vec<Item> {
    let (plan, outcome) = (view.plan, view.outcome);
    let shares = lost_shares(plan, outcome);
    let mut items = Vec::new();
    for (first, end, worst) in times_of_suffering(view) {
        let text = format!(
            "users suffer: {} of their requests of {} failed or were slow (bad above {})",
            percent(shares[first]),
            the_last(outcome.bucket),
            percent(plan.bad_minute)
        );
        // Told when the bucket is over, behind what caused it.
        let window = view.bucket(first);
        let topic = "users suffer".to_owned();
        items.push(Item { at: window.to, kind: Kind::Users, topic, text });
        if end < outcome.end {
            let minutes = words::length(end - window.from);
            let text = format!("users are well again after {minutes} (worst: {})", percent(worst));
            let topic = "users are well again".to_owned();
            items.push(Item { at: end, kind: Kind::Users, topic, text });
        }
    }
    items
}

fn the_last(bucket: Nanos) -> String {
    if bucket == MINUTE {
        "the last minute".into()
    } else {
        format!("the last {}", words::length(bucket))
    }
}

/// The share of the users' requests that failed or were slow, among those that ended in each
/// bucket; 0 where none ended.
fn lost_shares(plan: &Plan, outcome: &Outcome) -> Vec<f64> {
    let mut over: Vec<(u64, u64)> = Vec::new();
    for (client, seen) in plan.clients.iter().zip(&outcome.clients) {
        if !client.counts_as_users {
            continue;
        }
        over.resize(over.len().max(seen.buckets.len()), (0, 0));
        let mut before = (0, 0);
        for (sum, bucket) in over.iter_mut().zip(&seen.buckets) {
            let lost = bucket.over.saturating_sub(bucket.good.saturating_sub(bucket.slow));
            sum.0 += bucket.over - before.0;
            sum.1 += lost - before.1;
            before = (bucket.over, lost);
        }
    }
    let share = |(over, lost): (u64, u64)| if over == 0 { 0.0 } else { lost as f64 / over as f64 };
    over.into_iter().map(share).collect()
}

fn untold(outcome: &Outcome) -> Option<Item> {
    let last = outcome.story.last()?;
    (outcome.untold > 0).then(|| Item {
        at: last.at,
        kind: Kind::Run,
        topic: "untold".to_owned(),
        text: format!("{} further happenings are not told: there were too many", outcome.untold),
    })
}

fn ending(plan: &Plan, outcome: &Outcome) -> Item {
    let text = match &outcome.ending {
        Ending::Horizon => "the run ends at its horizon".to_owned(),
        Ending::Quiet => "the run ends: nothing more is to come".to_owned(),
        Ending::DeclaredOver if outcome.response.declared_over.is_some() => {
            "the run ends: the incident was declared over".to_owned()
        }
        Ending::DeclaredOver => "the run ends: nothing has paged anybody".to_owned(),
        Ending::Observed => "the run ends: what was observed has happened".to_owned(),
        stopped @ Ending::Stopped { .. } => stopped_text(plan, stopped),
    };
    Item { at: outcome.end, kind: Kind::Run, topic: "the run ends".to_owned(), text }
}

/// Why a run was stopped and what grew, as a sentence; empty for other endings.
#[must_use]
pub fn stopped_text(plan: &Plan, ending: &Ending) -> String {
    let Ending::Stopped { why, component, present } = ending else { return String::new() };
    let name = plan.components.get(*component as usize).map_or("?", |c| &c.name);
    let why = match why {
        StopReason::Memory(bytes) => format!(
            "requests in flight need {} of memory, and `stop.memory` allows {}",
            Bytes(*bytes),
            Bytes(plan.stop_memory)
        ),
        StopReason::Events(events) => {
            format!("it has had {events} events, and `stop.events` allows {}", plan.stop_events)
        }
    };
    format!("the run is stopped: {why}. The line of {name} grew to {present} requests")
}

#[cfg(test)]
mod tests;
