//! How attempts and calls end: answers, time-outs, deadlines, callers that have gone.

use super::super::agenda::{Packed, packed};
use super::super::plain::{self, Plains};
use super::super::records::{CallState, Calls, Id, MAX_LAYERS};
use super::super::task::Next;
use super::super::world::World;
use super::hedge::GivenUp;
use crate::mitigation::Layer;
use crate::plan::NONE;
use crate::status::Status;

impl World<'_> {
    /// An attempt's time-out has passed.
    #[inline(never)]
    pub fn time_out(&mut self, index: u32) -> Next {
        let call = &self.calls[index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, cancels) = (call.task, plan.cancels);
        self.edges[call.edge as usize].timed_out += 1;
        if cancels {
            self.cancel(task);
        }
        let component = plan.from;
        if component != NONE {
            self.meter.components[component as usize].timeouts += 1;
        }
        self.attempt_over(index, Status::Timeout)
    }

    /// A call's deadline has passed: it is over, whatever its layers would have done.
    pub fn deadline_over(&mut self, index: u32) -> Next {
        let call = &self.calls[index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, out) = (call.task, call.state == CallState::Out);
        if plan.cancels && out {
            self.cancel(task);
        }
        self.attempt_over(index, Status::DeadlineExceeded)
    }

    /// The answer of an attempt has come back.
    #[inline(never)]
    pub fn answered(&mut self, id: Id, attempt: u16, status: Status) -> Next {
        if !self.calls.is_live(id.index, id.life) {
            return None; // The caller has gone; the work was for nobody.
        }
        let call = &self.calls[id.index];
        if call.attempt == attempt && call.state == CallState::Out {
            return self.attempt_over(id.index, status);
        }
        // Late. It is used if the edge says so and the request is still open.
        let plan = &self.plan.edges[call.edge as usize];
        if plan.late_used && status.is_good() {
            let (task, out) = (call.task, call.state == CallState::Out);
            if out && plan.cancels {
                self.cancel(task);
            }
            // For the layers it is the answer of the attempt that is out now.
            return self.attempt_over(id.index, status);
        }
        None
    }

    /// Gives back what the attempt that is out holds at the caller.
    #[inline]
    pub(super) fn settle(&mut self, index: u32) {
        let call = &mut self.calls[index];
        let edge = &mut self.edges[call.edge as usize];
        if !edge.out.is_empty() && call.target != NONE {
            let slot = edge.slot(call.from, self.stations[call.target as usize].number);
            if let Some(out) = edge.out.get_mut(slot) {
                *out -= 1;
            }
        }
        call.target = NONE;
        call.task = Id::NONE;
        if call.connected {
            self.release_connection(index);
        }
    }

    /// An attempt is over: its outcome comes out through the layers.
    #[inline(never)]
    pub fn attempt_over(&mut self, index: u32, status: Status) -> Next {
        self.settle(index);
        let call = &mut self.calls[index];
        call.state = CallState::Pauses;
        call.last = Some(status);
        let edge = &self.edges[call.edge as usize];
        let minds = if status == Status::Ok { edge.minds_ok } else { edge.minds_bad };
        if !minds {
            return self.deliver(index, status);
        }
        let count = self.plan.edges[call.edge as usize].layers.len();
        self.come_out(index, count, status)
    }

    /// Drops a call whose caller has died or was cancelled. The callee works on, unless the edge
    /// cancels.
    pub fn abandon_call(&mut self, id: Id, process_is_gone: bool) {
        if let Some(index) = plain::of(id.index) {
            return self.abandon_plain(Id { index, life: id.life }, process_is_gone);
        }
        if !self.calls.is_live(id.index, id.life) {
            return;
        }
        self.drop_copies(id.index, GivenUp { loses: false, process_is_gone });
        let call = &self.calls[id.index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, cancels) = (call.task, plan.cancels);
        if !plan.layers.is_empty() {
            let memos = self.calls.extra(id.index).map_or([0; MAX_LAYERS], |extra| extra.memos);
            let edge = &mut self.edges[call.edge as usize];
            let row = edge.row(call.from);
            for (layer, memo) in edge.layers[row].iter_mut().zip(memos) {
                layer.forgotten(memo);
            }
        }
        if process_is_gone {
            self.calls[id.index].connected = false; // Its pools are new ones already.
        }
        self.settle(id.index);
        self.calls.free(id.index);
        if cancels {
            self.cancel(task);
        }
    }

    /// Whether a waiting event still matters.
    #[inline]
    pub fn is_live(calls: &Calls, plains: &Plains, event: Packed) -> bool {
        let (call, life) = (event.id(), event.life());
        match event.kind() {
            packed::TIMEOUT => {
                calls.is_live(call, life) && calls[call].attempt == event.attempt() && {
                    matches!(calls[call].state, CallState::Out | CallState::WaitsForConnection)
                }
            }
            packed::PLAIN_TIMEOUT => plains.is_live(call, life) && plains[call].is_a_call(),
            packed::DEADLINE => calls.is_live(call, life),
            _ => true,
        }
    }
}
