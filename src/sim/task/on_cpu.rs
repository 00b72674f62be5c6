//! Work on the CPU of an instance, where it is modelled.

use super::super::agenda::Event;
use super::super::records::{Id, TaskState};
use super::super::world::World;
use crate::plan::InstanceId;

impl World<'_> {
    pub(super) fn put_on_cpu(&mut self, index: u32, demand: f64) {
        let epoch = self.epoch();
        let life = self.tasks.life(index);
        let task = &mut self.tasks[index];
        task.state = TaskState::Works;
        task.on_cpu = true;
        task.epoch = epoch;
        let (instance, priority) = (task.instance, self.plan.priority_of(task.identity.class));
        let station = &mut self.stations[instance as usize];
        if let Some(cpu) = &mut station.cpu {
            cpu.add(self.now, Id { index, life }, demand, priority);
        }
        self.plan_cpu(instance);
    }

    /// Puts the next end of a job on the agenda; the one planned before is stale.
    pub fn plan_cpu(&mut self, instance: InstanceId) {
        let epoch = self.epoch();
        let station = &mut self.stations[instance as usize];
        station.cpu_epoch = epoch;
        let Some(at) = station.cpu.as_ref().and_then(|c| c.next_done(self.now)) else { return };
        self.agenda.at(at, Event::CpuDone { instance, epoch });
    }

    /// The CPU of an instance has finished something.
    pub fn cpu_done(&mut self, instance: InstanceId) {
        let mut done = Vec::new();
        if let Some(cpu) = &mut self.stations[instance as usize].cpu {
            while let Some(id) = cpu.take_done(self.now) {
                done.push(id);
            }
        }
        self.plan_cpu(instance);
        for id in done {
            if self.tasks.is_live(id.index, id.life) {
                let next = self.work_done(id.index);
                self.go(next);
            }
        }
    }
}
