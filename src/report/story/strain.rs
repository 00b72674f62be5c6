//! Strain that shows in the counters of the time buckets: saturation, time-outs, multiplied load.
//!
//! None of it is one event, so the simulation does not keep it as a happening; it is found here,
//! after the run, with the number that crossed its line. A spell has at least two strained buckets
//! and ends when none of the next [`WELL_AGAIN`](super::WELL_AGAIN) is strained.

use super::words::{Names, length, percent};
use super::{Item, Kind, spells, the_last};
use crate::measure::View;
use crate::plan::{ClientPlan, ComponentId, ComponentPlan, NONE, Timeout};
use crate::plot::words::number;
use crate::sim::outcome::{ClientBucket, ComponentBucket};
use crate::sim::story::What;
use crate::units::{Nanos, Span};
use std::collections::BTreeMap;

/// Workers are saturated when they were busy for more than this share of a bucket, and requests
/// wait at its end.
const SATURATED: f64 = 0.98;
/// Time-outs are told above this share of the requests of a bucket, and from so many on.
const TIMED_OUT: (f64, u64) = (0.05, 3);
/// Load is multiplied above this many times what a client's request caused in the calm, and a
/// client's retries are told above this many attempts for each request.
const MULTIPLIED: f64 = 1.5;
/// Buckets with fewer requests of clients say nothing about multiplied load.
const FEW: u64 = 20;
/// A component with fewer requests for each of the clients' in the calm is not used for them.
const RARE: f64 = 0.05;
/// The clients ask in the usual proportion while at most this share of their requests comes from
/// other ones than usual.
const SAME_MIX: f64 = 0.1;
/// Spells told for one component or client, the first ones.
const MOST_SPELLS: usize = 2;
/// A calm shorter than so many buckets is not known.
const CALM: usize = 3;

/// Everything that is strained, in no order.
pub(super) fn items(names: &Names, view: &View) -> Vec<Item> {
    let calm = calm(view);
    let mut items = Vec::new();
    for id in 0..names.plan.components.len() as ComponentId {
        items.extend(saturated(names, view, id, calm));
        items.extend(calls_time_out(names, view, id));
    }
    items.extend(requests_time_out(names, view));
    items.extend(retried(names, view, calm));
    items.extend(multiplied(names, view, calm));
    items
}

/// How many buckets end before the first change begins and before the first bad minute.
fn calm(view: &View) -> usize {
    let begins = |what: &What| matches!(what, What::Change { begins: true, .. });
    let change = view.outcome.story.iter().find(|h| begins(&h.what)).map_or(Nanos::MAX, |h| h.at);
    let bad = super::bad_buckets(view).first().copied().unwrap_or(usize::MAX);
    let count = view.outcome.clients.iter().map(|client| client.buckets.len()).max().unwrap_or(0);
    (0..count).take_while(|&i| i < bad && view.bucket(i).to <= change).count()
}

/// What a counter grew by in each bucket.
fn growth<B>(buckets: &[B], counter: impl Fn(&B) -> u64) -> Vec<u64> {
    let mut before = 0;
    let mut grown = |bucket| {
        let now = counter(bucket);
        now - std::mem::replace(&mut before, now)
    };
    buckets.iter().map(&mut grown).collect()
}

/// The ratio of sums over the calm; none where it is not known.
fn in_the_calm(above: &[u64], below: &[u64], calm: usize) -> Option<f64> {
    let sum = |counts: &[u64]| counts.iter().take(calm).sum::<u64>();
    (calm >= CALM && sum(below) > 0).then(|| sum(above) as f64 / sum(below) as f64)
}

/// The first buckets of the first spells with how long they last.
fn first_spells(view: &View, count: usize, is: impl Fn(usize) -> bool) -> Vec<(usize, Nanos)> {
    let spells = spells(view, (0..count).filter(|&i| is(i)).collect());
    let told = spells.into_iter().take(MOST_SPELLS);
    told.filter_map(|spell| {
        let (&first, &last) = spell.first().zip(spell.last())?;
        Some((first, view.bucket(last).to - view.bucket(first).from))
    })
    .collect()
}

/// A component whose workers are all busy while requests wait.
fn saturated(names: &Names, view: &View, id: ComponentId, calm: usize) -> Vec<Item> {
    let plan = &names.plan.components[id as usize];
    let seen = &view.outcome.components[id as usize].buckets;
    if plan.instances == 0 || plan.workers == u32::MAX {
        return Vec::new();
    }
    let capacity = capacity(names, view, id, seen);
    let mut busy_before = 0;
    let share = |(i, bucket): (usize, &ComponentBucket)| {
        let busy = bucket.busy - std::mem::replace(&mut busy_before, bucket.busy);
        let window = view.bucket(i);
        busy as f64 / (capacity[i] * (window.to - window.from)).max(1) as f64
    };
    let shares: Vec<f64> = seen.iter().enumerate().map(share).collect();
    let before = (calm >= CALM).then(|| shares[..calm].iter().sum::<f64>() / calm as f64);
    let is = |i: usize| shares[i] > SATURATED && seen[i].waiting > 0;
    let told = first_spells(view, seen.len(), is).into_iter().filter_map(|(first, lasts)| {
        let at = view.bucket(first).to;
        // Workers that are held for ever have been told of.
        let is_held = view.outcome.story.iter().take_while(|h| h.at <= at).any(|h| match h.what {
            What::AllWorkersHeld { instance, .. } => names.component_of(instance) == id,
            _ => false,
        });
        let workers = match capacity[first] {
            1 => "its one worker was".to_owned(),
            n => format!("its {} workers were", number(n as f64)),
        };
        let calm =
            before.map_or(String::new(), |b| format!(" ({} in the calm before)", percent(b)));
        let text = format!(
            "{} is saturated: {workers} {} busy in {}{calm}, and {} requests wait in line; it \
             stays so for {}",
            plan.name,
            percent(shares[first].min(1.0)),
            the_last(view.outcome.bucket),
            number(f64::from(seen[first].waiting)),
            length(lasts)
        );
        let topic = format!("saturated {}", plan.name);
        (!is_held).then_some(Item { at, kind: Kind::System, topic, text })
    });
    told.collect()
}

/// Worker slots of a component in each bucket: the more of those at its beginning and its end, and
/// all that it ever had where a process came or went in between, so that none is missed.
fn capacity(names: &Names, view: &View, id: ComponentId, seen: &[ComponentBucket]) -> Vec<u64> {
    let most = seen.iter().map(|bucket| bucket.workers).max().unwrap_or(0);
    let mut turbulent = vec![false; seen.len()];
    for happening in &view.outcome.story {
        if let What::Died { instance, .. } | What::CameUp { instance } = happening.what
            && names.component_of(instance) == id
            && let Some(mark) = view.bucket_at(happening.at).and_then(|i| turbulent.get_mut(i))
        {
            *mark = true;
        }
    }
    let at_end = |i: usize| seen[i].workers;
    let workers = |i: usize| if turbulent[i] { most } else { at_end(i).max(at_end(i.max(1) - 1)) };
    (0..seen.len()).map(workers).collect()
}

/// A component whose calls time out.
fn calls_time_out(names: &Names, view: &View, id: ComponentId) -> Vec<Item> {
    let plan = &names.plan.components[id as usize];
    let seen = &view.outcome.components[id as usize].buckets;
    let timeouts = growth(seen, |bucket| bucket.timeouts);
    let requests = growth(seen, |bucket| bucket.requests);
    let share = |i: usize| timeouts[i] as f64 / requests[i].max(1) as f64;
    let is = |i: usize| timeouts[i] >= TIMED_OUT.1 && share(i) > TIMED_OUT.0;
    let (to, after) = where_to(names, id);
    let told = first_spells(view, seen.len(), is).into_iter().map(|(first, lasts)| {
        let text = format!(
            "calls of {}{} time out{}: {} in {}, {} for each of its requests (above {}); for {}",
            plan.name,
            to,
            after,
            number(timeouts[first] as f64),
            the_last(view.outcome.bucket),
            number((share(first) * 100.0).round() / 100.0),
            number(TIMED_OUT.0),
            length(lasts)
        );
        let topic = format!("time-outs {}", plan.name);
        Item { at: view.bucket(first).to, kind: Kind::System, topic, text }
    });
    told.collect()
}

/// ` to api` and ` after 5s`, where all its calls go there or have that time-out.
fn where_to(names: &Names, from: ComponentId) -> (String, String) {
    let is_probe =
        |to| names.plan.components.iter().filter_map(|c| c.probe.as_ref()).any(|p| p.edge == to);
    let edges = names.plan.edges.iter().zip(0..);
    let edges: Vec<_> =
        edges.filter(|(e, i)| e.from == from && e.from != NONE && !is_probe(*i)).collect();
    let Some((first, _)) = edges.first() else { return Default::default() };
    let (mut to, mut after) = (String::new(), String::new());
    if edges.iter().all(|(edge, _)| edge.to == first.to) {
        to = format!(" to {}", names.component(first.to));
    }
    let span = |timeout: &Timeout| match timeout {
        Timeout::Constant(span, _) => Some(*span),
        _ => None,
    };
    if let Some(same) = span(&first.timeout)
        && edges.iter().all(|(edge, _)| span(&edge.timeout) == Some(same))
    {
        after = format!(" after {}", Span(same));
    }
    (to, after)
}

/// Clients whose requests time out; those that begin in one bucket in one line.
fn requests_time_out(names: &Names, view: &View) -> Vec<Item> {
    let mut parts = Parts::new();
    for (plan, seen) in names.plan.clients.iter().zip(&view.outcome.clients) {
        let timed_out = growth(&seen.buckets, |bucket| bucket.timed_out);
        let over = growth(&seen.buckets, |bucket| bucket.over);
        let share = |i: usize| timed_out[i] as f64 / over[i].max(1) as f64;
        let is = |i: usize| timed_out[i] >= TIMED_OUT.1 && share(i) > TIMED_OUT.0;
        for (first, lasts) in first_spells(view, over.len(), is) {
            let (late, all) = (number(timed_out[first] as f64), number(over[first] as f64));
            let (share, lasts) = (percent(share(first)), length(lasts));
            let words = format!("{late} of {all} of {} ({share}; for {lasts})", plan.name);
            parts.entry(first).or_default().push(words);
        }
    }
    let line = format!("above {}", percent(TIMED_OUT.0));
    in_one_line(view, parts, "requests time out", |parts, minute| {
        format!("requests time out in {minute}, {line}: {parts}")
    })
}

/// Clients whose retries multiply their requests; those that begin in one bucket in one line.
fn retried(names: &Names, view: &View, calm: usize) -> Vec<Item> {
    let mut parts = Parts::new();
    for (plan, seen) in names.plan.clients.iter().zip(&view.outcome.clients) {
        let (attempts, over) = attempts(&seen.buckets);
        let ratio = |i: usize| attempts[i] as f64 / over[i].max(1) as f64;
        let before = in_the_calm(&attempts, &over, calm);
        let line = MULTIPLIED * before.unwrap_or(1.0).max(1.0);
        let is = |i: usize| over[i] >= TIMED_OUT.1 && ratio(i) > line;
        for (first, lasts) in first_spells(view, over.len(), is) {
            let before = before.map_or(String::new(), |b| format!("{b:.1} in the calm before; "));
            let words =
                format!("{:.1} by {} ({before}for {})", ratio(first), plan.name, length(lasts));
            parts.entry(first).or_default().push(words);
        }
    }
    in_one_line(view, parts, "retries multiply", |parts, minute| {
        format!("retries multiply, attempts for each request of {minute}: {parts}")
    })
}

/// What begins in a bucket, by bucket.
type Parts = BTreeMap<usize, Vec<String>>;

/// One line for each bucket.
fn in_one_line(
    view: &View,
    parts: Parts,
    topic: &str,
    text: impl Fn(String, String) -> String,
) -> Vec<Item> {
    let minute = the_last(view.outcome.bucket);
    let kind = if topic.starts_with("load") { Kind::System } else { Kind::Users };
    let line = |(first, parts): (usize, Vec<String>)| {
        let text = text(parts.join(", "), minute.clone());
        Item { at: view.bucket(first).to, kind, topic: topic.to_owned(), text }
    };
    parts.into_iter().map(line).collect()
}

/// Attempts made by the requests that ended in each bucket, and how many those are.
fn attempts(seen: &[ClientBucket]) -> (Vec<u64>, Vec<u64>) {
    (growth(seen, |bucket| bucket.attempts), growth(seen, |bucket| bucket.over))
}

/// Components that get more requests for each of the clients' than in the calm; those that begin in
/// one bucket in one line. Only while the clients ask in about the same proportion: another mix of
/// requests goes other ways.
fn multiplied(names: &Names, view: &View, calm: usize) -> Vec<Item> {
    let by_client = view.outcome.clients.iter().map(|c| growth(&c.buckets, |b| b.sent));
    let by_client: Vec<Vec<u64>> = by_client.collect();
    let count = by_client.iter().map(Vec::len).min().unwrap_or(0);
    let sent: Vec<u64> = (0..count).map(|i| by_client.iter().map(|c| c[i]).sum()).collect();
    let in_calm = sent.iter().take(calm).sum::<u64>().max(1) as f64;
    let usual: Vec<f64> = by_client
        .iter()
        .map(|client| client.iter().take(calm).sum::<u64>() as f64 / in_calm)
        .collect();
    let other_mix = |i: usize| {
        let share = |client: &Vec<u64>| client[i] as f64 / sent[i].max(1) as f64;
        by_client.iter().zip(&usual).map(|(c, usual)| (share(c) - usual).abs()).sum::<f64>() / 2.0
    };
    let mut parts = Parts::new();
    for (plan, seen) in names.plan.components.iter().zip(&view.outcome.components) {
        let requests = growth(&seen.buckets, |bucket| bucket.requests);
        let Some(before) = in_the_calm(&requests, &sent, calm).filter(|b| *b > RARE) else {
            continue;
        };
        let ratio = |i: usize| requests[i] as f64 / sent[i].max(1) as f64;
        let is = |i: usize| {
            let known = i >= calm && sent[i] >= FEW && other_mix(i) <= SAME_MIX;
            known && ratio(i) > MULTIPLIED * before
        };
        if let Some((first, _)) = first_spells(view, count.min(requests.len()), is).first() {
            let words = format!("{} {:.1} ({before:.1})", plan.name, ratio(*first));
            parts.entry(*first).or_default().push(words);
        }
    }
    in_one_line(view, parts, "load is multiplied", |parts, minute| {
        format!(
            "load is multiplied, requests that come for each of the clients' in {minute} (in the \
             calm before): {parts}"
        )
    })
}

/// The most attempts for each request in a bucket between two moments, over the counting clients;
/// and those of the calm.
pub(super) fn worst_retries(view: &View, from: Nanos, to: Nanos) -> Option<(f64, f64)> {
    let calm = calm(view);
    let counts = |plan: &ClientPlan| plan.counts_as_users;
    let clients = view.plan.clients.iter().zip(&view.outcome.clients);
    let worst = clients.filter(|(plan, _)| counts(plan)).filter_map(|(_, seen)| {
        let (attempts, over) = attempts(&seen.buckets);
        let inside = (0..over.len()).filter(|&i| {
            view.bucket(i).from >= from && view.bucket(i).to <= to && over[i] >= TIMED_OUT.1
        });
        let most = inside.map(|i| attempts[i] as f64 / over[i] as f64).fold(0.0, f64::max);
        Some((most, in_the_calm(&attempts, &over, calm)?))
    });
    worst.max_by(|a, b| a.0.total_cmp(&b.0))
}

/// The back-off of a component's supervisor, in words.
pub(super) fn back_off(plan: &ComponentPlan) -> String {
    match plan.restart.as_ref().and_then(|restart| restart.back_off) {
        Some((first, cap, _)) => {
            format!("; the back-off doubles from {} to {}", Span(first), Span(cap))
        }
        None => String::new(),
    }
}
