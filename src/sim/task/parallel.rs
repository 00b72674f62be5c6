//! Branches: one of several (`choose`), and several at once (`parallel`).

use super::super::call::luck;
use super::super::records::{Id, TaskState};
use super::super::world::World;
use super::as_server;
use crate::plan::NONE;
use crate::status::Status;

impl World<'_> {
    /// Takes an alternative of a `choose`.
    pub(super) fn branch_off(&mut self, index: u32, first: u32, count: u16, luck: u32) {
        let task = &self.tasks[index];
        let draw = task.luck.at(self.plan.works[luck as usize].luck).unit();
        for alternative in &self.plan.alternatives[first as usize..][..usize::from(count)] {
            let fits = match alternative.class {
                NONE => draw < alternative.cumulative_share,
                group => self.plan.class_groups[group as usize][task.identity.class as usize],
            };
            if fits {
                self.tasks[index].op = alternative.target;
                return;
            }
        }
    }

    /// Starts the branches of a `parallel`, all of them `copies` times.
    pub(super) fn fork(&mut self, index: u32, first: u32, (count, copies): (u16, u16), need: u16) {
        let life = self.tasks.life(index);
        let number = self.epoch();
        let task = &mut self.tasks[index];
        task.state = TaskState::Forks;
        task.fork_number.0 = number;
        task.fork = (need, count * copies);
        let branches = &self.plan.branches[first as usize..][..usize::from(count)];
        let mut template = task.clone();
        template.call = Id::NONE;
        template.parent = Id { index, life };
        template.child = Id::NONE;
        template.fork_number.1 = number;
        template.holds_worker = false;
        if need == 0 {
            return self.advance(index);
        }
        let process = self.stations[template.instance as usize].life;
        let all = (0..copies).flat_map(|copy| branches.iter().map(move |&op| (copy, op)));
        for (copy, op) in all {
            if self.stations[template.instance as usize].life != process {
                return; // A branch that failed at once has brought its process down.
            }
            let mut branch = template.clone();
            branch.op = op;
            if copy > 0 {
                branch.luck = template.luck.at(luck::COPY + u64::from(copy));
            }
            let (branch, _) = self.tasks.take(branch);
            self.advance(branch);
        }
    }

    /// A branch of a fork has ended.
    pub(super) fn branch_over(&mut self, parent: Id, fork: u32, status: Status) {
        if !self.tasks.is_live(parent.index, parent.life)
            || self.tasks[parent.index].state != TaskState::Forks
            || self.tasks[parent.index].fork_number.0 != fork
        {
            return;
        }
        let task = &mut self.tasks[parent.index];
        task.fork.1 -= 1;
        if status.is_good() {
            task.fork.0 -= 1;
            task.degraded |= status == Status::Degraded;
            if task.fork.0 == 0 {
                self.advance(parent.index);
            }
        } else if task.fork.1 < task.fork.0 {
            self.end_task(parent.index, as_server(status));
        }
    }

    pub(super) fn cancel_branches(&mut self, parent: Id) {
        for index in 0..self.tasks.slots() {
            if self.tasks.is_taken(index) && self.tasks[index].parent == parent {
                let life = self.tasks.life(index);
                self.tasks[parent.index].state = TaskState::Travels;
                self.cancel(Id { index, life });
            }
        }
    }
}
