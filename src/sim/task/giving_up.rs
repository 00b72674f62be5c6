//! Tasks that end before their time (a cancellation reaches them), or never (they hang).

use super::super::records::{Id, TaskState};
use super::super::story::What;
use super::super::world::World;
use super::REFUSES;
use crate::plan::{InstanceId, NONE};
use crate::status::Status;

impl World<'_> {
    /// A cancellation reaches a task: it ends at once, and so does what it called (where edges say
    /// so).
    pub fn cancel(&mut self, id: Id) {
        if id == Id::NONE || !self.tasks.is_live(id.index, id.life) {
            return;
        }
        let index = id.index;
        let task = &mut self.tasks[index];
        let (instance, state, child) = (task.instance, task.state, task.child);
        task.call = Id::NONE;
        match state {
            TaskState::Hangs => return,
            // It has not entered; on arrival it would find nobody waiting.
            TaskState::Travels => {
                self.tasks.free(index);
                return;
            }
            TaskState::Waits => self.leave_line(index),
            TaskState::Works => self.stop_work(id, instance),
            TaskState::Calls => self.abandon_call(child, false),
            TaskState::Forks => self.cancel_branches(id),
        }
        let refusing = self.tasks[index].op >= REFUSES && self.tasks[index].op != NONE;
        if refusing {
            let component = self.stations[instance as usize].component;
            let is_probe = self.tasks[index].identity.class == NONE;
            self.meter.components[component as usize].lost += u64::from(!is_probe);
            self.tasks.free(index);
            return;
        }
        let next = self.end_task(index, Status::Cancelled);
        self.go(next);
    }

    pub(super) fn stop_work(&mut self, id: Id, instance: InstanceId) {
        let epoch = self.epoch();
        self.tasks[id.index].epoch = epoch;
        if let Some(cpu) = &mut self.stations[instance as usize].cpu {
            cpu.remove(self.now, id);
            self.plan_cpu(instance);
        }
    }

    /// A task hangs for ever: it keeps its worker, its memory and its place, and answers nothing.
    pub fn hang(&mut self, index: u32) {
        let life = self.tasks.life(index);
        let instance = self.tasks[index].instance;
        if self.tasks[index].state == TaskState::Works {
            self.stop_work(Id { index, life }, instance);
        }
        let epoch = self.epoch();
        let task = &mut self.tasks[index];
        task.state = TaskState::Hangs;
        task.epoch = epoch;
        if task.holds_worker {
            let station = &mut self.stations[instance as usize];
            station.hung += 1;
            if station.hung >= station.workers && station.noted & 1 == 0 {
                station.noted |= 1;
                let hung = station.hung;
                self.meter.tell(self.now, What::AllWorkersHeld { instance, workers: hung });
            }
        }
    }
}
