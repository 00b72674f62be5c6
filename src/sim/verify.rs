//! Two runs side by side, to find the first event in which they differ.
//!
//! The same plan must give the same run. Both worlds take their events in step, so that the memory
//! needed is that of two runs, and a difference is found where it begins, not where it shows.

use super::agenda::{Event, Packed};
use super::call::attempt_luck;
use super::outcome::{Ending, Outcome};
use super::world::World;
use crate::plan::{EdgeId, InstanceId, NONE, Plan};
use crate::units::{Nanos, seconds};
use std::fmt;

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the event, from 1.
    pub event: u64,
    /// What the first run did there, and the second.
    pub runs: [Moment; 2],
    /// Both took the same event, and what they made of it is not the same.
    pub same_event: bool,
}

/// What a run did next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Nanos,
    /// What, and whose request or which instance it concerns.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [first, second] = &self.runs;
        if self.same_event {
            return write!(
                f,
                "event {} is the same in both runs and has not the same effect: {first}",
                self.event
            );
        }
        write!(f, "event {} differs: {first} in the first run, {second} in the second", self.event)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} at {:.9} s", self.what, seconds(self.at))
    }
}

/// Runs a replica of two plans side by side: the outcome of the first run if both are the same.
///
/// # Errors
/// Where they part.
pub fn compare(first: &Plan, second: &Plan, replica: u64) -> Result<Outcome, Box<Difference>> {
    let mut worlds = [World::new(first, replica), World::new(second, replica)];
    worlds.iter_mut().for_each(World::prepare);
    let mut counts = [0u64; 2];
    let endings = loop {
        let next = worlds.each_mut().map(World::next_event);
        let event = counts[0] + 1;
        let differ = |worlds: &[World; 2], same_event| {
            let moment = |run: usize| worlds[run].moment(&next[run]);
            Box::new(Difference { event, runs: [moment(0), moment(1)], same_event })
        };
        if next[0] != next[1] || worlds[0].now != worlds[1].now {
            return Err(differ(&worlds, false));
        }
        let [Ok(one), Ok(other)] = next else { break next };
        // What is told of an event is told of the world before it.
        let before = worlds[0].moment(&Ok(one));
        let [a, b] = &mut worlds;
        let steps = [a.step(one, &mut counts[0]), b.step(other, &mut counts[1])];
        if steps[0] != steps[1] || !worlds[0].is_like(&worlds[1]) {
            return Err(Box::new(Difference {
                event,
                runs: [before.clone(), before],
                same_event: true,
            }));
        }
        if let [Err(one), Err(other)] = steps {
            break [Err(one), Err(other)];
        }
    };
    let mut outcomes = Vec::with_capacity(2);
    for ((mut world, end), events) in worlds.into_iter().zip(endings).zip(counts) {
        let ending = world.close(end.err().unwrap_or(Ending::Quiet));
        outcomes.push((world.now, world.finish(ending, events)));
    }
    let text = |run: usize| format!("{:?}", outcomes[run].1);
    if text(0) != text(1) {
        let what = "the end of the run, with other measurements".to_owned();
        let moment = |run: usize| Moment { at: outcomes[run].0, what: what.clone() };
        let runs = [moment(0), moment(1)];
        return Err(Box::new(Difference { event: counts[0], runs, same_event: true }));
    }
    Ok(outcomes.swap_remove(0).1)
}

/// The first event in which a replica of two different plans differs: by what people would call it,
/// since the same thing may have other numbers in another plan. None if the runs take the same
/// events with the same observable effects to their end.
#[must_use]
pub fn first_difference(first: &Plan, second: &Plan, replica: u64) -> Option<Difference> {
    let mut worlds = [World::new(first, replica), World::new(second, replica)];
    worlds.iter_mut().for_each(World::prepare);
    let mut counts = [0u64; 2];
    loop {
        let next = worlds.each_mut().map(World::next_event);
        let event = counts[0] + 1;
        let moments =
            |worlds: &[World; 2]| [worlds[0].moment(&next[0]), worlds[1].moment(&next[1])];
        if next[0] != next[1] || worlds[0].now != worlds[1].now {
            let runs = moments(&worlds);
            if runs[0] != runs[1] {
                return Some(Difference { event, runs, same_event: false });
            }
        }
        let [Ok(one), Ok(other)] = next else { return None };
        let [a, b] = &mut worlds;
        let before = a.agenda.now();
        // Words for it are made of the world before it, but only where they are needed: a step
        // that changes nothing observable needs none.
        let same = |a: &World, b: &World| {
            let signs =
                |world: &World| (world.meter.fingerprint, world.calls.len(), world.plains.len());
            signs(a) == signs(b)
        };
        let described = a.describe(&one.event());
        let steps = [a.step(one, &mut counts[0]), b.step(other, &mut counts[1])];
        if steps[0] != steps[1] || !same(a, b) {
            let moment = Moment { at: before, what: described };
            return Some(Difference { event, runs: [moment.clone(), moment], same_event: true });
        }
        if steps[0].is_err() {
            return None;
        }
    }
}

impl World<'_> {
    /// Whether two worlds have come to the same point, as far as that is seen at once: the hash of
    /// everything observable, and how much is in flight.
    fn is_like(&self, other: &World) -> bool {
        let signs = |world: &World| {
            let records = (world.calls.slots(), world.tasks.slots(), world.plains.slots());
            let in_flight = (records, world.agenda.len());
            (world.meter.fingerprint, world.epochs, in_flight)
        };
        signs(self) == signs(other)
    }

    /// What is about to happen, for people.
    fn moment(&self, next: &Result<Packed, Ending>) -> Moment {
        let what = match next {
            Ok(event) => self.describe(&event.event()),
            Err(ending) => format!("the end of the run ({ending:?})"),
        };
        Moment { at: self.now, what }
    }

    fn describe(&self, event: &Event) -> String {
        match *event {
            Event::WorkDone { task, .. } => format!("the end of work on {}", self.task_name(task)),
            Event::PlainDone { plain } => format!("the end of work on {}", self.plain_name(plain)),
            Event::PlainTimeout { plain, .. } => {
                format!("the time-out of {}", self.plain_name(plain))
            }
            Event::Deliver { task, .. } => format!("the arrival of {}", self.task_name(task)),
            Event::LineWait { task, .. } => {
                format!("the end of the patience in line of {}", self.task_name(task))
            }
            Event::CpuDone { instance, .. } => {
                format!("the end of a job on the CPU of {}", self.instance_name(instance))
            }
            Event::ProcessUp { instance, .. } => {
                format!("the process of {} coming up", self.instance_name(instance))
            }
            Event::Probe { instance } => format!("a probe of {}", self.instance_name(instance)),
            Event::Answer { call, .. } => format!("the answer to {}", self.call_name(call)),
            Event::Timeout { call, .. } => format!("the time-out of {}", self.call_name(call)),
            Event::Deadline { call, .. } => format!("the deadline of {}", self.call_name(call)),
            Event::PoolWait { call, .. } => {
                format!("the end of the wait for a connection of {}", self.call_name(call))
            }
            Event::Resume { call, .. } => format!("the end of a pause of {}", self.call_name(call)),
            Event::Arrival { client, .. } => {
                format!("an arrival of client `{}`", self.plan.clients[client as usize].name)
            }
            Event::Hedge { call, .. } => format!("a copy of {}", self.call_name(call)),
            Event::Think { visit, .. } => format!("the next request of visit {visit}"),
            Event::Turn(turn) => {
                let change = self.turns.turns.get(turn as usize).map(|turn| turn.change as usize);
                let change = change.and_then(|change| self.plan.changes.get(change));
                format!("the change `{}`", change.map_or("?", |change| &change.name))
            }
            other => format!("{other:?}"),
        }
    }

    fn instance_name(&self, instance: InstanceId) -> String {
        let station = &self.stations[instance as usize];
        let name = &self.plan.components[station.component as usize].name;
        format!("instance {} of `{name}`", station.number)
    }

    /// `request 1a2b… of client `players`, attempt 2, at instance 0 of `api``.
    fn task_name(&self, index: u32) -> String {
        let task = &self.tasks[index];
        let (who, attempt) = (self.whose(self.plan.client_of(task.identity.class)), task.attempt);
        let at = self.instance_name(task.instance);
        format!("a request {:016x} {who}, attempt {attempt}, at {at}", task.luck.bits())
    }

    /// As [`Self::task_name`].
    fn plain_name(&self, index: u32) -> String {
        let plain = &self.plains[index];
        let who = self.whose(self.plan.client_of(plain.identity.class));
        let (attempt, at) = (plain.attempt, self.instance_name(plain.instance));
        format!("a request {:016x} {who}, attempt {attempt}, at {at}", plain.luck().bits())
    }

    fn call_name(&self, index: u32) -> String {
        let call = &self.calls[index];
        let (who, attempt) = (self.whose(self.plan.client_of(call.identity.class)), call.attempt);
        let luck = attempt_luck(call.luck, attempt).bits();
        let to = self.callee(call.edge);
        format!("a request {luck:016x} {who}, attempt {attempt}, to `{to}`")
    }

    fn callee(&self, edge: EdgeId) -> &str {
        &self.plan.components[self.plan.edges[edge as usize].to as usize].name
    }

    fn whose(&self, client: u32) -> String {
        match client {
            NONE => "of a probe".to_owned(),
            client => format!("of client `{}`", self.plan.clients[client as usize].name),
        }
    }
}

#[cfg(test)]
mod tests;
