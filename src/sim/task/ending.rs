//! How tasks end: what they hold is given back, and their answer goes to who waits.

use super::super::agenda::Event;
use super::super::call::luck;
use super::super::meter::ComponentMeter;
use super::super::records::{CallState, Id, Task};
use super::super::world::{Later, Station, World};
use super::Next;
use crate::plan::{InstanceId, NONE};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::Nanos;

impl World<'_> {
    /// A task ends: gives back what it holds, and its answer goes to who waits.
    #[inline(always)]
    pub fn end_task(&mut self, index: u32, mut status: Status) -> Next {
        let World { tasks, stations, meter, later, .. } = self;
        let task = &tasks[index];
        if task.degraded && status == Status::Ok {
            status = Status::Degraded;
        }
        if task.is_branch {
            return self.end_branch(index, status);
        }
        let station = &mut stations[task.instance as usize];
        station.present -= 1;
        let warm_up = meter.warm_up();
        let counts = &mut meter.components[station.component as usize];
        counts.leaves(self.now, task.came, warm_up);
        if station.parts_with_care() && task.identity.class != NONE {
            return self.end_with_care(index, status);
        }
        if task.holds_worker {
            free_worker(task.instance, station, counts, later, self.now);
        }
        self.answer(index, status)
    }

    /// A task ends on an instance with a door or memory.
    #[inline(never)]
    fn end_with_care(&mut self, index: u32, status: Status) -> Next {
        let holds = self.tasks[index].holds_worker;
        let status = self.part_from(index, status);
        if holds {
            self.release_worker(self.tasks[index].instance);
        }
        self.answer(index, status)
    }

    /// A task leaves an instance with a door or memory; gives the status that goes out.
    fn part_from(&mut self, index: u32, mut status: Status) -> Status {
        let instance = self.tasks[index].instance;
        if self.stations[instance as usize].has_door() {
            status = self.tell_door(index, status);
        }
        if self.stations[instance as usize].has_memory {
            self.leak_of_request(instance);
        }
        status
    }

    #[inline(never)]
    fn end_branch(&mut self, index: u32, status: Status) -> Next {
        let extra = self.tasks.extra_mut(index);
        let (parent, fork) = (extra.parent, extra.fork_number.1);
        self.tasks.free(index);
        self.branch_over(parent, fork, status)
    }

    /// Sends the answer and frees the task.
    #[inline(always)]
    pub(super) fn answer(&mut self, index: u32, status: Status) -> Next {
        let World { tasks, stations, meter, .. } = self;
        let task = &tasks[index];
        let Task { call, attempt, luck, .. } = *task;
        if task.identity.class != NONE {
            let station = &mut stations[task.instance as usize];
            station.tally.answer(status);
            let counts = &mut meter.components[station.component as usize];
            counts.answers[status as usize] += 1;
            if counts.is_watched {
                self.sojourn_ends(index, status);
            }
        }
        self.tasks.free(index);
        let Some(waits) = self.calls.get_mut(call.index, call.life) else {
            return None; // The caller has gone; the work was for nobody.
        };
        let edge = &self.edges[waits.edge as usize];
        if !edge.is_direct() {
            self.travel_back(call, attempt, status, luck);
            return None;
        }
        let is_awaited = waits.attempt == attempt && waits.state == CallState::Out;
        if !is_awaited || status != Status::Ok || edge.ends_with_care {
            return self.answered(call, attempt, status);
        }
        // Nobody minds a good answer on its way to who waits.
        self.hand_over(call.index, status)
    }

    /// An answer is on its way, or lost.
    #[inline(never)]
    fn travel_back(&mut self, call: Id, attempt: u16, status: Status, luck: Luck) {
        let edge = self.calls[call.index].edge;
        let state = &self.edges[edge as usize];
        if state.is_cut() {
            return; // The answer does not arrive; only a time-out ends the attempt.
        }
        let network = self.plan.edges[edge as usize].network.as_ref();
        let way = network.map_or(0, |law| law.sample_nanos(&mut luck.at(luck::WAY_BACK).rng()));
        let delay = state.delay() + way;
        let event =
            Event::Answer { call: call.index, life: call.life, attempt, status: status as u8 };
        self.agenda.at(self.now + delay, event);
    }
}

/// A worker of an instance becomes free.
#[inline(always)]
pub fn free_worker(
    instance: InstanceId,
    station: &mut Station,
    counts: &mut ComponentMeter,
    later: &mut Vec<Later>,
    now: Nanos,
) {
    station.busy -= 1;
    counts.busy_changes(now, -1);
    if !station.line.is_empty() {
        later.push(Later::Serve(instance));
    }
}
