//! How tasks end: what they hold is given back, and their answer goes to who waits.

use super::super::agenda::Event;
use super::super::call::luck;
use super::super::records::{Id, Task};
use super::super::world::World;
use crate::plan::NONE;
use crate::rng::Luck;
use crate::status::Status;

impl World<'_> {
    /// A task ends: gives back what it holds, and its answer goes to who waits.
    #[inline(never)]
    pub fn end_task(&mut self, index: u32, mut status: Status) {
        let World { tasks, stations, meter, .. } = self;
        let task = &tasks[index];
        if task.degraded && status == Status::Ok {
            status = Status::Degraded;
        }
        if task.is_branch {
            return self.end_branch(index, status);
        }
        let instance = task.instance;
        let station = &mut stations[instance as usize];
        station.present -= 1;
        let (warm_up, holds) = (meter.warm_up(), task.holds_worker);
        let counts = &mut meter.components[station.component as usize];
        counts.leaves(self.now, task.came, warm_up);
        if (station.has_door() || station.has_memory) && task.identity.class != NONE {
            status = self.part_from(index, status);
        }
        if holds {
            self.release_worker(instance);
        }
        self.answer(index, status);
    }

    /// A task leaves an instance with a door or memory; gives the status that goes out.
    #[inline(never)]
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

    fn end_branch(&mut self, index: u32, status: Status) {
        let extra = self.tasks.extra_mut(index);
        let (parent, fork) = (extra.parent, extra.fork_number.1);
        self.tasks.free(index);
        self.branch_over(parent, fork, status);
    }

    /// Sends the answer and frees the task.
    #[inline]
    pub(super) fn answer(&mut self, index: u32, status: Status) {
        let World { tasks, stations, meter, .. } = self;
        let task = &tasks[index];
        let Task { call, attempt, luck: attempt_luck, .. } = *task;
        let class = task.identity.class;
        if class != NONE {
            let (sojourn, work) = (self.now - task.came, task.work);
            let station = &mut stations[task.instance as usize];
            let component = station.component;
            station.tally.answer(status);
            meter.answers(component, status, sojourn);
            tasks.free(index);
            if status.is_good() && !meter.components[component as usize].watchers.is_empty() {
                self.sojourn_ends(component, class, (sojourn, work));
            }
        } else {
            tasks.free(index);
        }
        if !self.calls.is_live(call.index, call.life) {
            return; // The caller has gone; the work was for nobody.
        }
        if self.edges[self.calls[call.index].edge as usize].is_direct() {
            return self.answered(call, attempt, status);
        }
        self.travel_back(call, attempt, status, attempt_luck);
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
