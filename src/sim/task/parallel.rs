//! Branches: one of several (`choose`), and several at once (`parallel`).

use super::super::call::luck;
use super::super::records::{Id, Task, TaskState};
use super::super::world::World;
use super::Next;
use super::calling::as_server;
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
    pub(super) fn fork(
        &mut self,
        index: u32,
        first: u32,
        (count, copies): (u16, u16),
        need: u16,
    ) -> Next {
        let life = self.tasks.life(index);
        let number = self.epoch();
        let task = &mut self.tasks[index];
        task.state = TaskState::Forks;
        let branches = &self.plan.branches[first as usize..][..usize::from(count)];
        let template = Task {
            call: Id::NONE,
            child: Id::NONE,
            is_branch: true,
            holds_worker: false,
            ..task.clone()
        };
        let extra = self.tasks.extra_mut(index);
        extra.fork_number.0 = number;
        extra.fork = (need, count * copies);
        let mut own = extra.clone();
        own.parent = Id { index, life };
        own.fork_number.1 = number;
        if need == 0 {
            return Some(index);
        }
        let process = self.stations[template.instance as usize].life;
        let all = (0..copies).flat_map(|copy| branches.iter().map(move |&op| (copy, op)));
        for (copy, op) in all {
            if self.stations[template.instance as usize].life != process {
                return None; // A branch that failed at once has brought its process down.
            }
            let mut branch = template.clone();
            branch.op = op;
            if copy > 0 {
                branch.luck = template.luck.at(luck::COPY + u64::from(copy));
            }
            let task = branch;
            let (branch, _, place) = self.tasks.take();
            *place = task;
            *self.tasks.extra_mut(branch) = own.clone();
            self.go(Some(branch));
        }
        None
    }

    /// A branch of a fork has ended.
    pub(super) fn branch_over(&mut self, parent: Id, fork: u32, status: Status) -> Next {
        if !self.tasks.is_live(parent.index, parent.life)
            || self.tasks[parent.index].state != TaskState::Forks
            || self.tasks.extra_mut(parent.index).fork_number.0 != fork
        {
            return None;
        }
        self.tasks[parent.index].degraded |= status == Status::Degraded;
        let fork = &mut self.tasks.extra_mut(parent.index).fork;
        fork.1 -= 1;
        if status.is_good() {
            fork.0 -= 1;
            if fork.0 == 0 {
                return Some(parent.index);
            }
        } else if fork.1 < fork.0 {
            return self.end_task(parent.index, as_server(status));
        }
        None
    }

    /// The task that a task is a branch of.
    pub(super) fn parent(&self, index: u32) -> Option<Id> {
        let extra = self.tasks.extra(index).filter(|_| self.tasks[index].is_branch);
        extra.map(|extra| extra.parent)
    }

    fn is_branch_of(&self, index: u32, parent: Id) -> bool {
        self.tasks.is_taken(index) && self.parent(index) == Some(parent)
    }

    pub(super) fn cancel_branches(&mut self, parent: Id) {
        let mut branches: Vec<u32> =
            (0..self.tasks.slots()).filter(|index| self.is_branch_of(*index, parent)).collect();
        branches.sort_by_key(|index| self.turn_of_task(*index));
        for index in branches {
            // One that is cancelled may take others with it.
            if self.is_branch_of(index, parent) {
                let life = self.tasks.life(index);
                self.tasks[parent.index].state = TaskState::Travels;
                self.cancel(Id { index, life });
            }
        }
    }
}
