//! The caller's side of a plain call: what it holds there, and how it becomes an ordinary call.

use super::super::records::{Call, CallState, Caller, Id};
use super::super::task::Next;
use super::super::world::World;
use super::{Awaits, Entry, Plain, attempt_luck};
use crate::plan::{EdgeId, InstanceId, NONE, Op, PASSES};
use crate::rng::Luck;
use crate::status::Status;

impl World<'_> {
    /// Whether a plain call may go out: the caller has no pool for it, or a connection, which the
    /// call has then.
    #[inline(always)]
    pub fn connects(&mut self, edge: EdgeId, from: InstanceId) -> bool {
        if !self.edges[edge as usize].has_pool {
            return true;
        }
        let World { plan, stations, .. } = self;
        let edge = &plan.edges[edge as usize];
        let pool = &plan.components[edge.from as usize].pools[edge.pool as usize];
        stations[from as usize].pools[edge.pool as usize].gives(pool)
    }

    /// Where calls enter that come out of an endpoint of the caller.
    #[inline(always)]
    pub fn entry(&self, edge: EdgeId, own: u32) -> Entry {
        let state = &self.edges[edge as usize];
        if state.plain != PASSES {
            return (state.plain, state.endpoint);
        }
        self.entry_of(edge, self.plan.edges[edge as usize].endpoint_for(own))
    }

    /// Where calls enter that go to this endpoint.
    #[inline(never)]
    pub(super) fn entry_of(&self, edge: EdgeId, endpoint: u32) -> Entry {
        let first = self.plan.program(self.edges[edge as usize].to, endpoint);
        (first.expect("plain calls have programs"), endpoint as u8)
    }

    /// A plain call of an instance is over; it gives back the connection that it may have.
    #[inline(always)]
    pub(super) fn disconnects(&mut self, edge: EdgeId, from: InstanceId, luck: Luck, attempt: u16) {
        if self.edges[edge as usize].has_pool {
            self.give_back(edge, from, attempt_luck(luck, attempt));
        }
    }

    /// A task's plain call has come back.
    #[inline(never)]
    pub(super) fn return_to_task(
        &mut self,
        task: Id,
        edge: EdgeId,
        from: InstanceId,
        status: Status,
    ) -> Next {
        self.call_returned(task, edge, from, status)
    }

    /// The instance that waits for a plain request, or [`NONE`].
    pub(in crate::sim) fn caller_of(&self, plain: &Plain) -> InstanceId {
        match plain.awaits {
            Awaits::Plain(caller) => self.plains[caller].instance,
            Awaits::Task(caller) => self.tasks[caller.index].instance,
            Awaits::Stream | Awaits::Visit(_) | Awaits::Call(_) | Awaits::Nobody => NONE,
        }
    }

    /// Whether a plain request that does not wait has given up its worker for the call that it has
    /// out.
    pub(in crate::sim) fn has_released(&self, plain: &Plain) -> bool {
        let step = self.plan.ops[(plain.op as usize).saturating_sub(1)];
        matches!(step, Op::Call(edge) if self.edges[edge as usize].releases_worker)
    }

    /// An attempt's time-out has passed; the attempt goes on, for nobody.
    #[inline(never)]
    pub fn time_out_plainly(&mut self, index: u32) -> Next {
        let edge = self.plains[index].edge as usize;
        self.edges[edge].timed_out += 1;
        let component = self.plan.edges[edge].from;
        if component != NONE {
            self.meter.components[component as usize].timeouts += 1;
        }
        let call = self.make_call(index);
        self.attempt_over(call.index, Status::Timeout)
    }

    /// The attempt of a plain call has ended badly; the call goes on as an ordinary one.
    #[inline(never)]
    pub(super) fn end_as_call(&mut self, index: u32, status: Status) -> Next {
        let call = self.make_call(index);
        self.plains.free(index);
        self.attempt_over(call.index, status)
    }

    /// Makes an ordinary call of the caller's side of a plain request. Of the request there remains
    /// the attempt, which nobody waits for.
    pub(super) fn make_call(&mut self, index: u32) -> Id {
        let from = self.caller_of(&self.plains[index]);
        let awaits = std::mem::replace(&mut self.plains[index].awaits, Awaits::Nobody);
        let plain = &self.plains[index];
        let (call, life, place) = self.calls.take();
        let id = Id { index: call, life };
        let caller = match awaits {
            Awaits::Visit(visit) => Caller::Visit(visit),
            Awaits::Plain(plain) => Caller::Plain(plain),
            Awaits::Task(task) => {
                self.tasks[task.index].child = id;
                Caller::Task(task)
            }
            Awaits::Stream | Awaits::Call(_) | Awaits::Nobody => Caller::Stream,
        };
        *place = Call {
            edge: plain.edge,
            caller,
            from,
            identity: plain.identity,
            luck: plain.call_luck,
            attempt: plain.attempt,
            state: CallState::Out,
            endpoint: u32::from(plain.endpoint),
            began: plain.came,
            sent: plain.came,
            target: plain.instance,
            connected: self.edges[plain.edge as usize].has_pool,
            ..Call::default()
        };
        id
    }

    /// The task that made a plain call is no more, or has given it up. The attempt goes on, for
    /// nobody.
    #[cold]
    #[inline(never)]
    pub fn abandon_plain(&mut self, id: Id, process_is_gone: bool) {
        let Some(&plain) = self.plains.get(id.index, id.life).filter(|plain| plain.is_a_call())
        else {
            return;
        };
        if !process_is_gone {
            let from = self.caller_of(&plain);
            self.disconnects(plain.edge, from, plain.call_luck, plain.attempt);
        }
        self.plains[id.index].awaits = Awaits::Nobody;
    }
}
