//! What a task calls, and what comes back.

use super::super::records::{Caller, Id, TaskState};
use super::super::world::World;
use super::Next;
use crate::plan::{EdgeId, EdgePlan, InstanceId};
use crate::status::Status;

impl World<'_> {
    /// A task makes a call; its worker is held or released meanwhile.
    #[inline(always)]
    pub(super) fn call_out(&mut self, index: u32, edge: EdgeId) -> Next {
        let again = self.times_again(index);
        let World { tasks, plan, edges, .. } = self;
        let plan = &plan.edges[edge as usize];
        let (task, life) = tasks.with_life(index);
        task.state = TaskState::Calls;
        let (instance, identity, own) = (task.instance, task.identity, task.endpoint);
        // A call repeated by a bug's loop has luck of its own each time.
        let luck = task.luck.at(plan.luck).at(u64::from(again));
        if edges[edge as usize].releases_worker && task.holds_worker {
            task.holds_worker = false;
            self.release_worker(instance);
        }
        let task = Id { index, life };
        if self.edges[edge as usize].opens_plainly && self.connects(edge, instance) {
            return self.open_from_task(task, edge, luck);
        }
        let endpoint = plan.endpoint_for(own);
        self.open_call(edge, Caller::Task(task), instance, identity, luck, endpoint)
    }

    /// A task's call has come back.
    #[inline(always)]
    pub fn call_returned(
        &mut self,
        id: Id,
        edge: EdgeId,
        from: InstanceId,
        status: Status,
    ) -> Next {
        if status.is_failure() {
            self.leak_of_failed_call(from);
        }
        let index = id.index;
        let task = self.tasks.get_mut(index, id.life)?;
        if task.state != TaskState::Calls {
            return None; // It hangs, or died of the leak just now.
        }
        task.child = Id::NONE;
        if task.is_struck && self.calls_again(index) {
            return None;
        }
        let task = &mut self.tasks[index];
        if !status.is_good() {
            let plan = &self.plan.edges[edge as usize];
            if plan.fails_caller {
                return self.end_task(index, passed_on(plan, status));
            }
            task.degraded = true;
        }
        task.degraded |= status == Status::Degraded;
        self.go_on(index)
    }

    /// How often a bug still has a task make its present call again.
    #[inline(always)]
    fn times_again(&self, index: u32) -> u32 {
        if !self.tasks[index].is_struck {
            return 0;
        }
        self.tasks.extra(index).map_or(0, |extra| extra.again)
    }

    /// Whether a bug has a task make the same call once more; it does after the bug's pause.
    fn calls_again(&mut self, index: u32) -> bool {
        let extra = self.tasks.extra_mut(index);
        if extra.again == 0 {
            return false;
        }
        extra.again -= 1;
        let lane = extra.again_lane;
        self.tasks[index].op -= 1;
        if let Some((_, event)) = self.set_to_work(index, self.plan.lanes[lane as usize]) {
            self.agenda.after_lane(lane, event);
        }
        true
    }

    /// A task goes on, once it has a worker again.
    #[inline(always)]
    fn go_on(&mut self, index: u32) -> Next {
        let task = &self.tasks[index];
        let station = &self.stations[task.instance as usize];
        if task.holds_worker || task.is_branch {
            if station.knobs().frozen {
                // Nothing left of its step; it goes on when the instance thaws.
                return self.schedule_work(index, 0);
            }
            return Some(index);
        }
        if station.serves_at_once() {
            return self.start(index);
        }
        self.wait_in_line(index);
        None
    }
}

/// What a caller answers when a call that it needed was answered badly.
pub fn passed_on(edge: &EdgePlan, status: Status) -> Status {
    if edge.proxy { as_proxy(status) } else { as_server(status) }
}

/// What a proxy answers when its backend's answer was bad (reference 0.1).
fn as_proxy(status: Status) -> Status {
    match status {
        Status::Timeout | Status::DeadlineExceeded => Status::GatewayTimeout,
        Status::Reset | Status::Refused | Status::Cancelled => Status::BadGateway,
        Status::LocalReject => Status::Unavailable,
        other => other,
    }
}

/// What a server answers when a call that it needed failed: an error of its own, but a refusal for
/// want of capacity stays one.
pub(super) fn as_server(status: Status) -> Status {
    match status {
        Status::Unavailable | Status::LocalReject => Status::Unavailable,
        Status::ClientError => Status::ClientError,
        _ => Status::ServerError,
    }
}
