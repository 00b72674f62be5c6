//! Which happenings are told together.

use super::people::{alert_text, response};
use super::strain::back_off;
use super::topics::topic;
use super::words::{Names, length, percent};
use super::{Item, Kind};
use crate::mitigation::circuit_breaker::Trip;
use crate::plan::InstanceId;
use crate::sim::Outcome;
use crate::sim::story::{Concern, Death, Happening, What};
use crate::units::{Bytes, MINUTE, Nanos, Span};
use std::collections::BTreeMap;

/// The same thing on several instances within this is one line.
const TOGETHER: Nanos = MINUTE;
/// What comes again within this is one chain.
const CHAIN: Nanos = 10 * MINUTE;
/// A chain with more than so many happenings of one kind is told in one line.
const AGAIN: usize = 6;

/// Whose ups and downs belong to one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Process(u32),
    Fitness(u32),
    Workers(u32),
    Line(u32),
    Pool(u32),
    Memory(u32),
    Stall(u32),
    Breaker(u32),
    Alert(u32),
    Change(u32),
}

/// A chain that is told in one line.
struct Chain {
    subject: Subject,
    members: Vec<usize>,
}

/// All happenings as lines.
pub(super) fn items(names: &Names, outcome: &Outcome) -> Vec<Item> {
    let story = &outcome.story;
    let chains = chains(names, outcome);
    let mut summary_at: BTreeMap<usize, &Chain> = BTreeMap::new();
    let mut silent = vec![false; story.len()];
    for chain in &chains {
        summary_at.insert(chain.members[0], chain);
        for &member in &chain.members {
            silent[member] = true;
        }
    }
    let acts: Vec<Nanos> =
        story.iter().filter(|h| matches!(h.what, What::Acts { .. })).map(|h| h.at).collect();
    let mut items = Vec::new();
    for (index, happening) in story.iter().enumerate() {
        if let Some(chain) = summary_at.get(&index) {
            items.push(summary(names, story, chain));
        }
        let told_already = match happening.what {
            // The change or the action that did it is told.
            What::Died { death: Death::Change, .. } => true,
            What::Died { death: Death::Replaced, .. } => acts.contains(&happening.at),
            _ => false,
        };
        if silent[index] || told_already {
            continue;
        }
        let together = together(names, story, index, &mut silent);
        items.push(item(names, outcome, happening, &together));
    }
    items
}

/// What belongs together however often it comes; nothing for what is always told by itself.
fn subject(names: &Names, what: &What) -> Option<Subject> {
    let component = |instance: &InstanceId| names.component_of(*instance);
    Some(match what {
        What::Died { instance, .. } | What::CameUp { instance } => {
            Subject::Process(component(instance))
        }
        What::Unfit { instance } | What::Fit { instance } => Subject::Fitness(component(instance)),
        What::AllWorkersHeld { instance, .. } => Subject::Workers(component(instance)),
        What::LineFull { instance, .. } => Subject::Line(component(instance)),
        What::PoolExhausted { instance, .. } => Subject::Pool(component(instance)),
        What::MemoryPressure { instance, .. } => Subject::Memory(component(instance)),
        What::Stalled { instance, .. } => Subject::Stall(component(instance)),
        What::Breaker { edge, .. } => Subject::Breaker(*edge),
        What::AlertPending { alert, .. }
        | What::AlertFires { alert, .. }
        | What::AlertResolved { alert } => Subject::Alert(*alert),
        What::Change { change, .. } => Subject::Change(*change),
        _ => return None,
    })
}

/// Whether it is the kind of happening by which its chain is counted.
fn counts(what: &What) -> bool {
    !matches!(
        what,
        What::CameUp { .. }
            | What::Fit { .. }
            | What::Breaker { open: false, .. }
            | What::AlertResolved { .. }
            | What::Change { begins: false, .. }
    )
}

/// Chains so long that they are told in one line.
fn chains(names: &Names, outcome: &Outcome) -> Vec<Chain> {
    let story = &outcome.story;
    let mut open: BTreeMap<Subject, Vec<usize>> = BTreeMap::new();
    let mut closed = Vec::new();
    for (index, happening) in story.iter().enumerate() {
        let Some(subject) = subject(names, &happening.what) else { continue };
        let is_page = matches!(happening.what, What::AlertFires { .. })
            && outcome.response.alert == Some(happening.at);
        let by_hand =
            matches!(happening.what, What::Died { death: Death::Change | Death::Replaced, .. });
        let members = open.entry(subject).or_default();
        let late = members.last().is_some_and(|&last| happening.at - story[last].at > CHAIN);
        if late || is_page || by_hand {
            closed.push(Chain { subject, members: std::mem::take(members) });
        }
        if !is_page && !by_hand {
            members.push(index);
        }
    }
    closed.extend(open.into_iter().map(|(subject, members)| Chain { subject, members }));
    closed.retain(|chain| {
        let counted = chain.members.iter().filter(|&&m| counts(&story[m].what)).count();
        let instances = match chain.subject {
            Subject::Process(id)
            | Subject::Fitness(id)
            | Subject::Workers(id)
            | Subject::Line(id)
            | Subject::Pool(id)
            | Subject::Memory(id)
            | Subject::Stall(id) => names.count(id) as usize,
            Subject::Breaker(_) | Subject::Alert(_) | Subject::Change(_) => 1,
        };
        counted > AGAIN.max(2 * instances)
    });
    closed
}

/// One line for a chain.
fn summary(names: &Names, story: &[Happening], chain: &Chain) -> Item {
    let plan = names.plan;
    let count = |wanted: fn(&What) -> bool| {
        chain.members.iter().filter(|&&m| wanted(&story[m].what)).count()
    };
    let times = count(counts);
    let back = chain.members.len() - times;
    let (first, last) = (chain.members[0], chain.members[chain.members.len() - 1]);
    let often = format!("{times} times within {}", length(story[last].at - story[first].at));
    let one_of = |id: u32| format!("instances of {}", names.component(id));
    let (kind, text) = match chain.subject {
        Subject::Process(id) => {
            let out = count(|w| matches!(w, What::Died { death: Death::OutOfMemory { .. }, .. }));
            let why = match out {
                0 => String::new(),
                all if all == times => ", each time at the memory limit".to_owned(),
                some => format!(", {some} of them at the memory limit"),
            };
            let name = names.component(id);
            let down = times_down(story, chain).map_or(String::new(), |(least, most)| {
                let (least, most) = (length(least), length(most));
                let span = if least == most { least } else { format!("{least} to {most}") };
                let plan = names.plan.components.get(id as usize);
                format!(", each after {span}{}", plan.map_or(String::new(), back_off))
            });
            let text = format!(
                "{name} is in a crash loop: processes died {often}{why}, and came up {back} \
                 times{down}"
            );
            (Kind::System, text)
        }
        Subject::Fitness(id) => {
            let who = one_of(id);
            let failed = failed_probes(names, id);
            let each = if failed.is_empty() { "" } else { ", each" };
            let text = format!(
                "health checks took {who} out {often}{each}{failed}, and brought back {back}"
            );
            (Kind::System, text)
        }
        Subject::Workers(id) => {
            let text = format!("all workers of {} were held {often}", one_of(id));
            (Kind::System, text)
        }
        Subject::Line(id) => (Kind::System, format!("the line of {} was full {often}", one_of(id))),
        Subject::Pool(id) => {
            (Kind::System, format!("connections of {} ran out {often}", one_of(id)))
        }
        Subject::Memory(id) => {
            (Kind::System, format!("{} slowed for want of memory {often}", one_of(id)))
        }
        Subject::Stall(id) => {
            (Kind::System, format!("{} stalled at the memory limit {often}", one_of(id)))
        }
        Subject::Breaker(edge) => {
            let name = plan.edges.get(edge as usize).map_or("?", |edge| &edge.name);
            let why = match story[first].what {
                What::Breaker { trip: Some(trip), .. } => {
                    format!(" (at first {})", trip_words(&trip))
                }
                _ => String::new(),
            };
            let text = format!(
                "the circuit breaker of {name} opened {often}{why}, and closed {back} times"
            );
            (Kind::System, text)
        }
        Subject::Alert(alert) => {
            let name = plan.alerts.get(alert as usize).map_or("?", |alert| &alert.name);
            let text = format!("the alert `{name}` came {often}, and was resolved {back} times");
            (Kind::Alert, text)
        }
        Subject::Change(change) => {
            let name = plan.changes.get(change as usize).map_or("?", |change| &change.name);
            (Kind::Change, format!("`{name}` came {often}, and went {back} times"))
        }
    };
    let topic = format!("again and again: {}", topic(names, &story[first].what));
    Item { at: story[first].at, kind, topic, text }
}

/// The shortest and the longest time from a death to the next process, in a chain of processes.
fn times_down(story: &[Happening], chain: &Chain) -> Option<(Nanos, Nanos)> {
    let mut died: BTreeMap<InstanceId, Nanos> = BTreeMap::new();
    let mut span: Option<(Nanos, Nanos)> = None;
    for happening in chain.members.iter().map(|&member| &story[member]) {
        match happening.what {
            What::Died { instance, .. } => {
                died.insert(instance, happening.at);
            }
            What::CameUp { instance } => {
                if let Some(at) = died.remove(&instance) {
                    let down = happening.at - at;
                    let (least, most) = span.unwrap_or((down, down));
                    span = Some((least.min(down), most.max(down)));
                }
            }
            _ => {}
        }
    }
    span
}

/// ` after 3 failed probes`: what it takes to be taken out.
fn failed_probes(names: &Names, component: u32) -> String {
    let probe = names.plan.components.get(component as usize).and_then(|c| c.probe.as_ref());
    match probe.map_or(0, |probe| probe.fall) {
        0 => String::new(),
        1 => " after one failed probe".to_owned(),
        n => format!(" after {n} failed probes in a row"),
    }
}

/// `52 of 100 calls failed: 52%, 50% or more`.
fn trip_words(trip: &Trip) -> String {
    let Trip { total, failed, slow, .. } = *trip;
    let calls = if trip.on_trial { "calls on trial" } else { "calls" };
    if let Some(tolerated) = trip.row.filter(|_| !trip.on_trial) {
        return format!("{failed} calls in a row failed, more than {tolerated}");
    }
    let share = |part: u32| f64::from(part) / f64::from(total.max(1));
    if trip.row.is_some() || share(failed) >= trip.failure_rate {
        let line = match trip.row {
            Some(_) => String::new(),
            None => format!(": {}, {} or more", percent(share(failed)), percent(trip.failure_rate)),
        };
        format!("{failed} of {total} {calls} failed{line}")
    } else {
        let (now, line) = (percent(share(slow)), percent(trip.slow_call_rate));
        format!("{slow} of {total} {calls} were slow: {now}, {line} or more")
    }
}

/// The instances to which the same happens within [`TOGETHER`], this one first, and when it happens
/// to the last. The others fall silent.
fn together(
    names: &Names,
    story: &[Happening],
    index: usize,
    silent: &mut [bool],
) -> (Vec<InstanceId>, Nanos) {
    let first = &story[index];
    let Some(instance) = instance_of(&first.what) else { return (Vec::new(), first.at) };
    let (mut instances, mut last) = (vec![instance], first.at);
    for (later, other) in story.iter().enumerate().skip(index + 1) {
        if other.at - first.at > TOGETHER {
            break;
        }
        let is_same = std::mem::discriminant(&other.what) == std::mem::discriminant(&first.what)
            && cause(&other.what) == cause(&first.what);
        let Some(instance) = instance_of(&other.what).filter(|_| is_same && !silent[later]) else {
            continue;
        };
        if names.component_of(instance) == names.component_of(instances[0]) {
            instances.push(instance);
            last = other.at;
            silent[later] = true;
        }
    }
    (instances, last)
}

fn instance_of(what: &What) -> Option<InstanceId> {
    match *what {
        What::AllWorkersHeld { instance, .. }
        | What::LineFull { instance, .. }
        | What::PoolExhausted { instance, .. }
        | What::MemoryPressure { instance, .. }
        | What::Stalled { instance, .. }
        | What::Died { instance, .. }
        | What::CameUp { instance }
        | What::Unfit { instance }
        | What::Fit { instance } => Some(instance),
        _ => None,
    }
}

/// What tells deaths apart: different causes are different lines.
fn cause(what: &What) -> Option<(u8, u32)> {
    match what {
        What::Died { death, .. } => Some(match death {
            Death::Change => (0, 0),
            Death::Replaced => (1, 0),
            Death::OutOfMemory { .. } => (2, 0),
            Death::Bug(bug) => (3, *bug),
        }),
        _ => None,
    }
}

/// One line for a happening, or for the same on several instances.
fn item(
    names: &Names,
    outcome: &Outcome,
    happening: &Happening,
    together: &(Vec<InstanceId>, Nanos),
) -> Item {
    let (instances, last) = together;
    let (kind, mut text) = if instances.is_empty() {
        match response(names, outcome, happening) {
            Some(text) => (Kind::People, text),
            None => alone(names, happening),
        }
    } else {
        (Kind::System, several(names, &happening.what, instances))
    };
    if *last > happening.at && instances.len() > 1 {
        let within = length(last - happening.at);
        let mut different = instances.clone();
        different.sort_unstable();
        different.dedup();
        text.push_str(&match different.len() {
            all if all == instances.len() => format!(", one after the other within {within}"),
            _ => format!(", {} times within {within}", instances.len()),
        });
    }
    Item { at: happening.at, kind, topic: topic(names, &happening.what), text }
}

/// What happens to instances.
fn several(names: &Names, what: &What, instances: &[InstanceId]) -> String {
    let who = names.instances(instances);
    let share = |used: u64, limit: u64| {
        let share = percent(used as f64 / limit.max(1) as f64);
        format!("{} of {} ({share})", Bytes(used), Bytes(limit))
    };
    match *what {
        What::AllWorkersHeld { workers, .. } => {
            let all = match workers {
                1 => "the one worker is".to_owned(),
                n => format!("all {n} workers are"),
            };
            format!("{who}: {all} held by requests that will never end")
        }
        What::LineFull { waiting, .. } => {
            format!("{who}: the line is full with {waiting} waiting, and more are refused")
        }
        What::MemoryPressure { used, limit, .. } => {
            format!("{who}: memory in use passes {}, and work slows", share(used, limit))
        }
        What::Stalled { limit, .. } => {
            format!("{who} stalled at the memory limit of {}", Bytes(limit))
        }
        What::Died { death: Death::OutOfMemory { limit, .. }, .. } => {
            format!("{who} died at the memory limit of {}", Bytes(limit))
        }
        What::Died { death: Death::Bug(bug), .. } => {
            format!("{who} died of the bug {}", names.bug(bug))
        }
        What::Died { death: Death::Replaced, .. } => format!("{who}: a new process is started"),
        What::Died { death: Death::Change, .. } => format!("{who} went down"),
        What::CameUp { .. } => format!("{who} came up"),
        What::Unfit { instance } => {
            let failed = failed_probes(names, names.component_of(instance));
            format!("health checks took {who} out{failed}")
        }
        What::PoolExhausted { instance, pool, leaked, waiting } => {
            let component = names.plan.components.get(names.component_of(instance) as usize);
            let Some(pool) = component.and_then(|c| c.pools.get(pool as usize)) else {
                return who;
            };
            let leaked = if leaked > 0 {
                format!(" ({leaked} never to be returned)")
            } else {
                String::new()
            };
            let (size, to) = (pool.size, names.component(pool.callee));
            let waits = if waiting == 1 {
                "1 call waits".to_owned()
            } else {
                format!("{waiting} calls wait")
            };
            format!("{who}: {size} of {size} connections to {to} are in use{leaked}, and {waits}")
        }
        What::Fit { .. } => format!("health checks brought {who} back"),
        _ => who,
    }
}

/// What happens once: changes, bugs, breakers, alerts.
fn alone(names: &Names, happening: &Happening) -> (Kind, String) {
    let plan = names.plan;
    match happening.what {
        What::Change { change, begins } => {
            let Some(change) = plan.changes.get(change as usize) else {
                return (Kind::Change, String::new());
            };
            let text = if begins {
                format!("`{}` begins: {}", change.name, names.change(&change.action, happening.at))
            } else {
                format!("`{}` ends", change.name)
            };
            (Kind::Change, text)
        }
        What::RolloutStops { change, concern } => {
            let name = plan.changes.get(change as usize).map_or("?", |change| &change.name);
            let why = match concern {
                Concern::Deaths(1) => "a new process died or stalled".to_owned(),
                Concern::Deaths(n) => format!("new processes died or stalled {n} times"),
                Concern::Errors(share) => {
                    format!("{} of the requests to the new version failed", percent(share))
                }
                Concern::Memory(share) => {
                    format!("the new version uses {} of its memory", percent(share))
                }
            };
            let text = format!("`{name}` is stopped, and the version before comes back: {why}");
            (Kind::Change, text)
        }
        What::BugStruck { bug, instance } => {
            let who = names.instances(&[instance]);
            let mut text = format!("the bug {} strikes for the first time", names.bug(bug));
            if plan.bugs.get(bug as usize).is_none_or(|b| names.component(b.component) != who) {
                text.push_str(&format!(", in {who}"));
            }
            if let Some(rate) = plan.bugs.get(bug as usize).and_then(|bug| bug.rate) {
                let (count, window) = (rate.count, Span(rate.window));
                text.push_str(&format!(": more than {count} of its requests within {window}"));
            }
            (Kind::System, text)
        }
        What::Breaker { edge, open, trip } => {
            let name = plan.edges.get(edge as usize).map_or("?", |edge| &edge.name);
            let word = if open { "opened" } else { "closed again" };
            let why = trip.map_or(String::new(), |trip| format!(": {}", trip_words(&trip)));
            (Kind::System, format!("the circuit breaker of {name} {word}{why}"))
        }
        What::AlertPending { alert, value } => {
            (Kind::Alert, alert_text(names, alert, value, false))
        }
        What::AlertFires { alert, value } => (Kind::Alert, alert_text(names, alert, value, true)),
        What::AlertResolved { alert } => {
            let name = plan.alerts.get(alert as usize).map_or("?", |alert| &alert.name);
            (Kind::Alert, format!("the alert `{name}` is resolved"))
        }
        _ => (Kind::People, String::new()),
    }
}
