//! Versions go out, in batches, and come back when a canary fails.

use super::agenda::Event;
use super::process::memory_used;
use super::story::{Concern, What};
use super::world::World;
use crate::plan::{CanaryPlan, ChangeAction, ComponentId, InstanceId};
use crate::status::Status;

/// What has happened on an instance since a version was last brought out on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Requests answered, or lost with the process.
    pub over: u64,
    /// Those of them that failed by the fault of the instance.
    pub failed: u64,
    /// Processes that died or stalled by themselves.
    pub deaths: u32,
}

impl Tally {
    /// An answer goes out.
    #[inline]
    pub fn answer(&mut self, status: Status) {
        self.over += 1;
        self.failed += u64::from(!status.is_good() && status != Status::ClientError);
    }

    /// Requests are lost with the process.
    pub fn lost(&mut self, requests: u64) {
        self.over += requests;
        self.failed += requests;
    }
}

impl World<'_> {
    /// The next batch of a deploy goes out, or a watched one is looked at.
    pub fn roll_out(&mut self, index: u32) {
        let turn = &self.turns.turns[index as usize];
        let (change, done, due) = (turn.change, turn.done, turn.due);
        let ChangeAction::Deploy { component, version, batch, pause, beside, canary } =
            self.plan.changes[change as usize].action
        else {
            return;
        };
        if done == 0 && due == 0 {
            self.meter.change(self.now, change, true);
            self.meter.tell(self.now, What::Change { change, begins: true });
        }
        if beside {
            return self.blue_green(index, component, version);
        }
        let all = self.components[component as usize].instances.clone();
        if let Some(canary) = canary
            && done > 0
        {
            let out = &all[..done as usize];
            let target =
                |i: &InstanceId| version.is_none_or(|v| self.stations[*i as usize].version == v);
            if !out.iter().all(target) {
                // People have brought another version out meanwhile.
                return self.meter.change(self.now, change, false);
            }
            if let Some(concern) = self.concern(&canary, out) {
                self.meter.tell(self.now, What::RolloutStops { change, concern });
                for &instance in out {
                    self.bring_out(instance, None);
                    // The version that failed is not one to go back to.
                    let station = &mut self.stations[instance as usize];
                    station.version_before = station.version;
                }
                return self.meter.change(self.now, change, false);
            }
            if self.now < due {
                let at = (self.now + canary.every).min(due);
                return self.agenda.at(at, Event::Turn(index));
            }
        }
        let size = canary.filter(|_| done == 0).map_or(batch, |canary| canary.instances);
        let upto = done.saturating_add(size).min(all.len() as u32);
        for &instance in &all[done as usize..upto as usize] {
            self.bring_out(instance, version);
        }
        let until_next = canary.filter(|_| done == 0).map_or(pause, |canary| canary.watch);
        let due = self.now + until_next;
        let turn = &mut self.turns.turns[index as usize];
        (turn.done, turn.due) = (upto, due);
        if (upto as usize) < all.len() {
            let look = canary.map_or(due, |canary| due.min(self.now + canary.every));
            self.agenda.at(look, Event::Turn(index));
        } else {
            self.meter.change(self.now, change, false);
        }
    }

    /// New processes begin to start beside the old ones; when they are up, they take over.
    fn blue_green(&mut self, index: u32, component: ComponentId, version: Option<u32>) {
        let plan = self.plan;
        let turn = &mut self.turns.turns[index as usize];
        if turn.due == 0 {
            let law = plan.components[component as usize].start_takes.as_ref();
            let takes = law.map_or(0, |law| law.sample_nanos(&mut turn.luck));
            turn.due = (self.now + takes).max(1);
            return self.agenda.at(turn.due, Event::Turn(index));
        }
        let change = turn.change;
        for instance in self.components[component as usize].instances.clone() {
            self.new_version(instance, version);
            self.replace_within(instance, Some(0));
        }
        self.meter.change(self.now, change, false);
    }

    /// What is wrong with the instances that have the new version.
    fn concern(&self, canary: &CanaryPlan, out: &[InstanceId]) -> Option<Concern> {
        let mut sum = Tally::default();
        for &instance in out {
            let tally = self.stations[instance as usize].tally;
            sum.over += tally.over;
            sum.failed += tally.failed;
            sum.deaths += tally.deaths;
        }
        if canary.deaths.is_some_and(|limit| sum.deaths >= limit) {
            return Some(Concern::Deaths(sum.deaths));
        }
        let share = sum.failed as f64 / sum.over.max(1) as f64;
        let enough = sum.over >= u64::from(canary.minimum_requests);
        if canary.errors.is_some_and(|limit| enough && share > limit) {
            return Some(Concern::Errors(share));
        }
        let limit = canary.memory?;
        let used = |instance: &InstanceId| {
            let station = &self.stations[*instance as usize];
            let plan = self.plan.components[station.component as usize].memory.as_ref()?;
            Some(memory_used(plan, station) as f64 / plan.limit as f64)
        };
        let fullest = out.iter().filter_map(used).fold(0.0, f64::max);
        (fullest > limit).then_some(Concern::Memory(fullest))
    }

    /// Replaces a process by one of another version (None: the version before).
    pub fn bring_out(&mut self, instance: InstanceId, version: Option<u32>) {
        self.new_version(instance, version);
        self.replace(instance);
        self.stations[instance as usize].tally = Tally::default();
    }

    /// The next process of an instance has another version.
    fn new_version(&mut self, instance: InstanceId, version: Option<u32>) {
        let station = &mut self.stations[instance as usize];
        let next = version.unwrap_or(station.version_before);
        station.version_before = station.version;
        station.version = next;
    }
}
