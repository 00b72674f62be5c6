//! Hedged calls: a **copy** is a call record of its own whose caller is another call, its **lead**.
//!
//! The lead makes the first attempt itself; copies go through the layers inside of the hedge on
//! their own. What comes out of a copy ends at the hedge: it decides for the lead, is waited out,
//! or is nothing. While copies are out and its own attempt has failed, the lead holds.

use super::super::agenda::Event;
use super::super::records::{Call, CallState, Caller, HedgeRound, Id};
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
        let hedge = &mut self.calls.extra_mut(index).hedge;
        (hedge.sent, hedge.out, hedge.open, hedge.due) = (0, 0, true, false);
        self.plan_copy(index, None);
    }

    /// Plans the next copy: after the hedge's own time, or after `delay`.
    fn plan_copy(&mut self, index: u32, delay: Option<Nanos>) {
        let Some((_, hedge)) = self.hedge_of(index) else { return };
        let call = &self.calls[index];
        let luck = call.luck.at(luck::HEDGE + u64::from(self.round(index).made));
        let delay = delay.unwrap_or_else(|| hedge.after(&mut luck.rng()));
        let life = self.calls.life(index);
        let hedge = &mut self.calls.extra_mut(index).hedge;
        hedge.timer = hedge.timer.wrapping_add(1);
        let timer = hedge.timer;
        self.agenda.at(self.now.saturating_add(delay), Event::Hedge { call: index, life, timer });
    }

    /// The time for the next copy of a call has come.
    pub fn hedge_is_due(&mut self, lead: u32, timer: u16) {
        let Some((layer, rules)) = self.hedge_of(lead) else { return };
        let at_most = rules.at_most();
        let hedge = &mut self.calls.extra_mut(lead).hedge;
        if !hedge.open || hedge.timer != timer {
            return;
        }
        hedge.due = false;
        hedge.sent += 1;
        hedge.out += 1;
        let made = hedge.made;
        hedge.made = hedge.made.wrapping_add(1);
        let more = u32::from(hedge.sent) < at_most;
        let call = &self.calls[lead];
        let copy = Call {
            caller: Caller::Copy(Id { index: lead, life: self.calls.life(lead) }),
            luck: call.luck.at(luck::HEDGE + u64::from(made)),
            attempt: 0,
            state: CallState::Pauses,
            connected: false,
            resume_layer: 0,
            began: self.now,
            sent: self.now,
            task: Id::NONE,
            target: NONE,
            // A budget that refuses a copy ends it so.
            last: Some(Status::LocalReject),
            is_final: false,
            ..call.clone()
        };
        let (index, life, place) = self.calls.take();
        *place = copy;
        // The list of the lead's copies goes on behind the new one.
        let behind = std::mem::replace(&mut self.calls.extra_mut(lead).copies, Id { index, life });
        let extra = self.calls.extra_mut(index);
        extra.copies = behind;
        extra.hedge = HedgeRound { open: true, ..HedgeRound::default() };
        if more {
            self.plan_copy(lead, None);
        }
        let next = self.go_in(index, layer + 1);
        self.go(next);
    }

    /// An outcome comes out of the layers inside of a hedge. Some status goes on to the layers
    /// outside.
    pub(super) fn out_of_hedge(&mut self, index: u32, status: Status) -> Option<Status> {
        let call = &self.calls[index];
        if let Caller::Copy(lead) = call.caller {
            self.copy_over(index, lead.index, status);
            return None;
        }
        if !self.round(index).open {
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
        let hedge = self.round(index);
        let call = &mut self.calls[index];
        if hedge.due || hedge.out > 0 {
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
        let was_out = std::mem::replace(&mut self.calls.extra_mut(index).hedge.open, false);
        let edge = self.calls[index].edge;
        let keeps = self.plan.edges[edge as usize].late_used && verdict == Verdict::Next;
        if was_out {
            self.calls.extra_mut(lead).hedge.out -= 1;
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
        if !self.round(lead).open {
            return;
        }
        if verdict == Verdict::Next {
            self.next_copy_at_once(lead);
        }
        let hedge = self.round(lead);
        let waits = hedge.due || hedge.out > 0;
        let call = &self.calls[lead];
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
        let next = self.come_out(lead, layer, status);
        self.go(next);
    }

    fn next_copy_at_once(&mut self, lead: u32) {
        let Some((_, rules)) = self.hedge_of(lead) else { return };
        let at_most = rules.at_most();
        let hedge = &mut self.calls.extra_mut(lead).hedge;
        if !hedge.due && u32::from(hedge.sent) < at_most {
            hedge.due = true;
            // By way of the agenda: copies that fail at once must not nest.
            self.plan_copy(lead, Some(0));
        }
    }

    fn end_round(&mut self, index: u32) {
        let hedge = &mut self.calls.extra_mut(index).hedge;
        (hedge.open, hedge.due) = (false, false);
        hedge.timer = hedge.timer.wrapping_add(1);
    }

    /// Gives up whatever a call is doing inside of its hedge. No layer learns an outcome.
    fn quit_attempt(&mut self, index: u32, why: GivenUp) {
        let Some((layer, rules)) = self.hedge_of(index) else { return };
        let call = &self.calls[index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, cancels) = (call.task, plan.cancels || why.loses && rules.cancels());
        let (from, edge) = (call.from, call.edge);
        let edge = &mut self.edges[edge as usize];
        let row = edge.row(from);
        let memos = &mut self.calls.extra_mut(index).memos;
        let inside = edge.layers[row].iter_mut().zip(memos).skip(layer + 1);
        inside.for_each(|(layer, memo)| layer.forgotten(std::mem::take(memo)));
        let call = &mut self.calls[index];
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
        if self.calls.extra(lead).is_none() {
            return;
        }
        let mut next = std::mem::replace(&mut self.calls.extra_mut(lead).copies, Id::NONE);
        while next != Id::NONE {
            let index = next.index;
            next = self.copies(index);
            self.quit_attempt(index, why);
            self.calls.free(index);
        }
        self.calls.extra_mut(lead).hedge.out = 0;
    }

    /// Takes a copy out of its lead's list.
    fn unlink(&mut self, index: u32, lead: u32) {
        let behind = self.copies(index);
        let mut at = lead;
        while self.copies(at) != Id::NONE {
            let next = self.copies(at).index;
            if next == index {
                self.calls.extra_mut(at).copies = behind;
                return;
            }
            at = next;
        }
    }

    /// The newest copy of a call; of a copy the next older one.
    fn copies(&self, index: u32) -> Id {
        self.calls.extra(index).map_or(Id::NONE, |extra| extra.copies)
    }

    /// The copies that the hedge around a call has sent.
    fn round(&self, index: u32) -> HedgeRound {
        self.calls.extra(index).map_or(HedgeRound::default(), |extra| extra.hedge)
    }
}
