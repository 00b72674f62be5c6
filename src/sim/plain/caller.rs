//! The caller's side of a plain call: what it holds there, and how it becomes an ordinary call.

use super::super::records::{Call, CallState, Caller, Id, Task};
use super::super::task::Next;
use super::super::world::{EdgeState, World};
use super::{Awaits, Entry, Plain};
use crate::plan::{EdgeId, InstanceId, NONE, Op, PASSES};
use crate::rng::Luck;
use crate::status::Status;

impl World<'_> {
    /// A task makes a plain call, with the connection that it may need.
    #[inline(never)]
    pub fn open_from_task(&mut self, task: Id, edge: EdgeId, luck: Luck) -> Next {
        let Task { instance, identity, endpoint: own, .. } = self.tasks[task.index];
        let entry = self.entry(edge, own);
        self.open_plain(edge, Awaits::Task(task), instance, identity, luck, entry)
    }

    /// A plain request makes a call for which it gives up its worker, or needs a connection, or
    /// which needs a record of its own.
    #[inline(never)]
    pub(super) fn call_with_care(&mut self, index: u32, edge: EdgeId, luck: Luck) -> Next {
        let Plain { instance, identity, .. } = self.plains[index];
        let own = self.endpoint_of(&self.plains[index]);
        let EdgeState { releases_worker, opens_plainly, .. } = self.edges[edge as usize];
        if releases_worker {
            self.worker_changes(index, -1);
        }
        if opens_plainly && self.connects(edge, instance) {
            let entry = self.entry(edge, own);
            let awaits = Awaits::PlainWithCare(index);
            return self.open_plain(edge, awaits, instance, identity, luck, entry);
        }
        let endpoint = self.plan.edges[edge as usize].endpoint_for(own);
        self.open_call(edge, Caller::Plain(index), instance, identity, luck, endpoint)
    }

    /// A plain call of an instance has come back; the luck is that of its attempt.
    #[inline(never)]
    pub(super) fn return_with_care(
        &mut self,
        awaits: Awaits,
        edge: EdgeId,
        luck: Luck,
        status: Status,
    ) -> Next {
        let from = self.caller_of(awaits);
        if self.edges[edge as usize].has_pool {
            self.give_back(edge, from, luck);
        }
        match awaits {
            Awaits::Plain(caller) | Awaits::PlainWithCare(caller) => {
                self.return_to_plain(caller, edge, status)
            }
            Awaits::Task(caller) => self.call_returned(caller, edge, from, status),
            Awaits::Stream | Awaits::Visit(_) | Awaits::Call(_) | Awaits::Nobody => None,
        }
    }

    /// A plain request's call has come back; it has a worker again, if it has given it up.
    #[inline(never)]
    pub fn return_to_plain(&mut self, index: u32, edge: EdgeId, status: Status) -> Next {
        if self.edges[edge as usize].releases_worker {
            self.worker_changes(index, 1);
        }
        self.plain_call_returned(index, edge, status)
    }

    /// A plain request gives up its worker (-1), or has one again (1): there is no end of them.
    fn worker_changes(&mut self, index: u32, by: i32) {
        let station = &mut self.stations[self.plains[index].instance as usize];
        station.busy = station.busy.wrapping_add_signed(by);
        self.meter.components[station.component as usize].busy_changes(self.now, by);
    }

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
    fn entry(&self, edge: EdgeId, own: u32) -> Entry {
        let state = &self.edges[edge as usize];
        if state.plain != PASSES {
            return (state.plain, 0);
        }
        self.entry_of(edge, self.plan.edges[edge as usize].endpoint_for(own))
    }

    /// Where calls enter that go to this endpoint.
    #[inline(never)]
    pub(super) fn entry_of(&self, edge: EdgeId, endpoint: u32) -> Entry {
        let first = self.plan.program(self.edges[edge as usize].to, endpoint);
        (first.expect("plain calls have programs"), endpoint as u8)
    }

    /// The endpoint that a plain request runs.
    pub(super) fn endpoint_of(&self, plain: &Plain) -> u32 {
        match self.plan.edges[plain.edge as usize].endpoint {
            NONE => u32::from(plain.passed),
            endpoint => endpoint,
        }
    }

    /// The instance that waits for a plain request, or [`NONE`].
    pub(in crate::sim) fn caller_of(&self, awaits: Awaits) -> InstanceId {
        match awaits {
            Awaits::Plain(caller) | Awaits::PlainWithCare(caller) => self.plains[caller].instance,
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
        let plain = self.plains[index];
        let edge = &mut self.edges[plain.edge as usize];
        edge.timed_out += 1;
        let component = self.plan.edges[plain.edge as usize].from;
        if component != NONE {
            self.meter.components[component as usize].timeouts += 1;
        }
        if edge.minds_bad {
            let call = self.make_call(index);
            return self.attempt_over(call.index, Status::Timeout);
        }
        self.plains[index].awaits = Awaits::Nobody;
        self.hand_over_plainly(plain, Status::Timeout)
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
        let awaits = std::mem::replace(&mut self.plains[index].awaits, Awaits::Nobody);
        let from = self.caller_of(awaits);
        let plain = &self.plains[index];
        let endpoint = self.endpoint_of(plain);
        let (call, life, place) = self.calls.take();
        let id = Id { index: call, life };
        let caller = match awaits {
            Awaits::Visit(visit) => Caller::Visit(visit),
            Awaits::Plain(plain) | Awaits::PlainWithCare(plain) => Caller::Plain(plain),
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
            endpoint,
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
        if self.edges[plain.edge as usize].has_pool && !process_is_gone {
            self.give_back(plain.edge, self.caller_of(plain.awaits), plain.luck());
        }
        self.plains[id.index].awaits = Awaits::Nobody;
    }
}
