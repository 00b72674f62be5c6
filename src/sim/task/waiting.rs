//! The waiting line of an instance: in, and out by another way than one's turn.

use super::super::agenda::Event;
use super::super::call::luck;
use super::super::records::{Id, TaskState};
use super::super::world::World;
use super::waits;
use crate::plan::NONE;
use crate::status::Status;

impl World<'_> {
    /// Puts a task into the waiting line of its instance.
    pub(super) fn wait_in_line(&mut self, index: u32) {
        let life = self.tasks.life(index);
        let epoch = self.epoch();
        let task = &mut self.tasks[index];
        task.state = TaskState::Waits;
        task.epoch = epoch;
        let (instance, priority) = (task.instance, task.identity.priority);
        let station = &mut self.stations[instance as usize];
        station.line.push(Id { index, life }, priority);
        self.meter.line_changes(self.now, station.component, 1, station.line.len());
        let plan = &self.plan.components[station.component as usize];
        if let Some(law) = &plan.line_wait {
            let wait = law.sample_nanos(&mut task.luck.at(luck::LINE).rng());
            self.agenda.at(self.now + wait, Event::LineWait { task: index, epoch });
        }
        if plan.memory.is_some() {
            self.look_at_memory(instance);
        }
    }

    /// Drops a task that has not entered, without an answer.
    pub(super) fn drop_unanswered(&mut self, index: u32) {
        let task = &self.tasks[index];
        let component = self.stations[task.instance as usize].component;
        let is_request = task.identity.class != NONE;
        self.meter.components[component as usize].lost += u64::from(is_request);
        self.tasks.free(index);
    }

    /// A task has waited too long in the line.
    pub fn line_wait_over(&mut self, index: u32) {
        self.leave_line(index);
        self.end_task(index, Status::Unavailable);
    }

    /// A waiting task's connection is reset.
    pub fn reset_waiting(&mut self, index: u32) {
        self.leave_line(index);
        self.end_task(index, Status::Reset);
    }

    /// Takes a task out of its line by another way than its turn.
    pub(super) fn leave_line(&mut self, index: u32) {
        let instance = self.tasks[index].instance;
        self.tasks[index].state = TaskState::Travels;
        let tasks = &self.tasks;
        let station = &mut self.stations[instance as usize];
        station.line.left(|id| waits(tasks, id));
        self.meter.line_changes(self.now, station.component, -1, 0);
    }

    pub(super) fn is_abandoned(&self, index: u32) -> bool {
        let task = &self.tasks[index];
        !(self.calls.is_live(task.call.index, task.call.life)
            && self.calls[task.call.index].attempt == task.attempt)
    }
}
