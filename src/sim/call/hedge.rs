//! Hedged calls: a **copy** is a call record of its own whose caller is another call, its **lead**.
//!
//! The lead makes the first attempt itself; copies go through the layers inside of the hedge on
//! their own. What comes out of a copy ends at the hedge: it decides for the lead, is waited out,
//! or is nothing. While copies are out and its own attempt has failed, the lead holds.

use super::super::agenda::Event;
use super::super::records::{Call, CallState, Caller, HedgeRound, Id, MAX_LAYERS};
use super::super::world::World;
use super::luck;
use crate::mitigation::hedge::{Hedge, Verdict};
use crate::mitigation::{Layer, LayerState};
use crate::plan::NONE;
use crate::status::Status;
use crate::units::Nanos;

/// Why an attempt is given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivenUp {
    /// Another copy has decided.
    pub loses: bool,
    /// The process of its caller has died.
    pub process_is_gone: bool,
}

impl GivenUp {
    const LOSES: GivenUp = GivenUp { loses: true, process_is_gone: false };
}

impl World<'_> {
    /// The rules of a call's hedge. Only for calls whose edge has one.
    fn hedge_of(&self, index: u32) -> Option<(usize, &Hedge)> {
        let call = &self.calls[index];
        let layer = self.plan.edges[call.edge as usize].hedge as usize;
        let edge = &self.edges[call.edge as usize];
        match edge.layers[edge.row(call.from)].get(layer) {
            Some(LayerState::Hedge(hedge)) => Some((layer, hedge)),
            _ => None,
        }
    }

    /// A call passes its hedge on the way in: a round begins, and its first copy is planned.
    pub(super) fn begin_hedge(&mut self, index: u32) {
        let hedge = &mut self.calls[index].hedge;
        (hedge.sent, hedge.out, hedge.open, hedge.due) = (0, 0, true, false);
        self.plan_copy(index, None);
    }

    /// Plans the next copy: after the hedge's own time, or after `delay`.
    fn plan_copy(&mut self, index: u32, delay: Option<Nanos>) {
        let Some((_, hedge)) = self.hedge_of(index) else { return };
        let call = &self.calls[index];
        let luck = call.luck.at(luck::HEDGE + u64::from(call.hedge.made));
        let delay = delay.unwrap_or_else(|| hedge.after(&mut luck.rng()));
        let life = self.calls.life(index);
        let hedge = &mut self.calls[index].hedge;
        hedge.timer = hedge.timer.wrapping_add(1);
        let timer = hedge.timer;
        self.agenda.at(self.now.saturating_add(delay), Event::Hedge { call: index, life, timer });
    }

    /// The time for the next copy of a call has come.
    pub fn hedge_is_due(&mut self, lead: u32, timer: u16) {
        let Some((layer, rules)) = self.hedge_of(lead) else { return };
        let at_most = rules.at_most();
        let call = &mut self.calls[lead];
        if !call.hedge.open || call.hedge.timer != timer {
            return;
        }
        call.hedge.due = false;
        call.hedge.sent += 1;
        call.hedge.out += 1;
        let luck = call.luck.at(luck::HEDGE + u64::from(call.hedge.made));
        call.hedge.made = call.hedge.made.wrapping_add(1);
        let more = u32::from(call.hedge.sent) < at_most;
        let mut copy = Call {
            luck,
            attempt: 0,
            state: CallState::Pauses,
            connected: false,
            resume_layer: 0,
            began: self.now,
            sent: self.now,
            task: Id::NONE,
            target: NONE,
            pause: 0,
            // A budget that refuses a copy ends it so.
            last: Some(Status::LocalReject),
            is_final: false,
            memos: [0; MAX_LAYERS],
            hedge: HedgeRound { open: true, ..HedgeRound::default() },
            ..call.clone()
        };
        copy.caller = Caller::Copy(Id { index: lead, life: self.calls.life(lead) });
        // The list of the lead's copies goes on behind the new one.
        let (index, life) = self.calls.take(copy);
        self.calls[lead].copies = Id { index, life };
        if more {
            self.plan_copy(lead, None);
        }
        self.go_in(index, layer + 1);
    }

    /// An outcome comes out of the layers inside of a hedge. Some status goes on to the layers
    /// outside.
    pub(super) fn out_of_hedge(&mut self, index: u32, status: Status) -> Option<Status> {
        let call = &self.calls[index];
        if let Caller::Copy(lead) = call.caller {
            self.copy_over(index, lead.index, status);
            return None;
        }
        if !call.hedge.open {
            return Some(status);
        }
        let verdict = match (call.is_final, self.hedge_of(index)) {
            (false, Some((_, rules))) => rules.verdict(status),
            _ => Verdict::Final,
        };
        if verdict == Verdict::Final {
            // A deadline is the call's own: its edge says what becomes of the work.
            let loses = status != Status::DeadlineExceeded;
            self.drop_copies(index, GivenUp { loses, process_is_gone: false });
            self.end_round(index);
            return Some(status);
        }
        if verdict == Verdict::Next {
            self.next_copy_at_once(index);
        }
        let call = &mut self.calls[index];
        if call.hedge.due || call.hedge.out > 0 {
            call.state = CallState::Holds;
            call.last = Some(status);
            return None;
        }
        self.end_round(index);
        Some(status)
    }

    /// A copy is over.
    fn copy_over(&mut self, index: u32, lead: u32, status: Status) {
        let Some((layer, rules)) = self.hedge_of(lead) else { return };
        let is_final = self.calls[index].is_final;
        let verdict = if is_final { Verdict::NotSent } else { rules.verdict(status) };
        let copy = &mut self.calls[index];
        let was_out = std::mem::replace(&mut copy.hedge.open, false);
        let keeps = self.plan.edges[copy.edge as usize].late_used && verdict == Verdict::Next;
        if was_out {
            self.calls[lead].hedge.out -= 1;
        }
        if verdict == Verdict::Final {
            self.unlink(index, lead);
            self.calls.free(index);
            self.drop_copies(lead, GivenUp::LOSES);
            self.quit_attempt(lead, GivenUp::LOSES);
            return self.lead_goes_on(lead, layer, status);
        }
        if keeps {
            // Its late answer is still good for the lead.
            self.calls[index].state = CallState::Holds;
        } else {
            self.unlink(index, lead);
            self.calls.free(index);
        }
        if !self.calls[lead].hedge.open {
            return;
        }
        if verdict == Verdict::Next {
            self.next_copy_at_once(lead);
        }
        let call = &self.calls[lead];
        let waits = call.hedge.due || call.hedge.out > 0;
        if let (CallState::Holds, false, Some(last)) = (call.state, waits, call.last) {
            let status = if verdict == Verdict::Next { status } else { last };
            self.lead_goes_on(lead, layer, status);
        }
    }

    /// The round is over; its outcome goes on to the layers outside.
    fn lead_goes_on(&mut self, lead: u32, layer: usize, status: Status) {
        self.end_round(lead);
        self.calls[lead].state = CallState::Pauses;
        self.calls[lead].last = Some(status);
        self.come_out(lead, layer, status);
    }

    fn next_copy_at_once(&mut self, lead: u32) {
        let Some((_, rules)) = self.hedge_of(lead) else { return };
        let at_most = rules.at_most();
        let hedge = &mut self.calls[lead].hedge;
        if !hedge.due && u32::from(hedge.sent) < at_most {
            hedge.due = true;
            // By way of the agenda: copies that fail at once must not nest.
            self.plan_copy(lead, Some(0));
        }
    }

    fn end_round(&mut self, index: u32) {
        let hedge = &mut self.calls[index].hedge;
        (hedge.open, hedge.due) = (false, false);
        hedge.timer = hedge.timer.wrapping_add(1);
    }

    /// Gives up whatever a call is doing inside of its hedge. No layer learns an outcome.
    fn quit_attempt(&mut self, index: u32, why: GivenUp) {
        let Some((layer, rules)) = self.hedge_of(index) else { return };
        let call = &self.calls[index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, cancels) = (call.task, plan.cancels || why.loses && rules.cancels());
        let call = &mut self.calls[index];
        let edge = &mut self.edges[call.edge as usize];
        let row = edge.row(call.from);
        let inside = edge.layers[row].iter_mut().zip(&mut call.memos).skip(layer + 1);
        inside.for_each(|(layer, memo)| layer.forgotten(std::mem::take(memo)));
        // A pause that it may be in is over without going on.
        call.turn = call.turn.wrapping_add(1);
        call.state = CallState::Holds;
        if why.process_is_gone {
            call.connected = false; // Its pools are new ones already.
        }
        self.settle(index);
        if cancels {
            self.cancel(task);
        }
    }

    /// Gives up all copies of a call, those that wait for a late answer included.
    pub(super) fn drop_copies(&mut self, lead: u32, why: GivenUp) {
        let mut next = std::mem::replace(&mut self.calls[lead].copies, Id::NONE);
        while next != Id::NONE {
            let index = next.index;
            next = self.calls[index].copies;
            self.quit_attempt(index, why);
            self.calls.free(index);
        }
        self.calls[lead].hedge.out = 0;
    }

    /// Takes a copy out of its lead's list.
    fn unlink(&mut self, index: u32, lead: u32) {
        let behind = self.calls[index].copies;
        let mut at = lead;
        while self.calls[at].copies != Id::NONE {
            let next = self.calls[at].copies.index;
            if next == index {
                self.calls[at].copies = behind;
                return;
            }
            at = next;
        }
    }
}
