//! The waiting line of an instance: in, and out by another way than one's turn.

use super::super::agenda::Event;
use super::super::call::luck;
use super::super::records::{Id, TaskState};
use super::super::story::What;
use super::super::world::World;
use super::waits;
use crate::plan::{InstanceId, NONE};
use crate::status::Status;

impl World<'_> {
    /// Puts a task into the waiting line of its instance.
    pub(super) fn wait_in_line(&mut self, index: u32) {
        let life = self.tasks.life(index);
        let epoch = self.epoch();
        let task = &mut self.tasks[index];
        task.state = TaskState::Waits;
        task.epoch = epoch;
        let (instance, priority) = (task.instance, self.plan.priority_of(task.identity.class));
        let station = &mut self.stations[instance as usize];
        station.line.push_with(Id { index, life }, priority);
        let counts = &mut self.meter.components[station.component as usize];
        counts.line_changes(self.now, 1, station.line.len());
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
        let meter = &mut self.meter.components[component as usize];
        meter.lost += u64::from(is_request);
        meter.turned_away += u64::from(is_request);
        self.tasks.free(index);
    }

    /// A task has waited too long in the line.
    pub fn line_wait_over(&mut self, index: u32) {
        let component = self.stations[self.tasks[index].instance as usize].component;
        self.meter.components[component as usize].expired += 1;
        self.leave_line(index);
        let next = self.end_task(index, Status::Unavailable);
        self.go(next);
    }

    /// A waiting task's connection is reset.
    pub fn reset_waiting(&mut self, index: u32) {
        self.leave_line(index);
        let next = self.end_task(index, Status::Reset);
        self.go(next);
    }

    /// Takes a task out of its line by another way than its turn.
    pub(super) fn leave_line(&mut self, index: u32) {
        let instance = self.tasks[index].instance;
        let task = &mut self.tasks[index];
        task.state = TaskState::Travels;
        let (class, wait, began) = (task.identity.class, self.now - task.came, task.op != NONE);
        if class != NONE && !began {
            self.wait_ends(self.stations[instance as usize].component, class, wait, false);
        }
        let tasks = &self.tasks;
        let station = &mut self.stations[instance as usize];
        station.line.left(|id| waits(tasks, id));
        self.meter.components[station.component as usize].line_changes(self.now, -1, 0);
    }

    /// Whether its caller has given it up: its attempt is over, and a late answer would be ignored.
    pub fn is_abandoned(&self, index: u32) -> bool {
        let Id { index: call, life } = self.tasks[index].call;
        if !self.calls.is_live(call, life) {
            return true;
        }
        let call = &self.calls[call];
        let is_out = call.task == Id { index, life: self.tasks.life(index) };
        !is_out && !self.plan.edges[call.edge as usize].late_used
    }

    /// A line is full for the first time in the life of its process.
    pub(super) fn note_full_line(&mut self, instance: InstanceId) {
        let station = &mut self.stations[instance as usize];
        if station.noted & 2 == 0 {
            station.noted |= 2;
            let waiting = station.line.len();
            self.meter.tell(self.now, What::LineFull { instance, waiting });
        }
    }
}
