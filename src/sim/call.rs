//! The caller's side: a call goes in through its layers, its attempts go out, outcomes come back.

mod hedge;
mod over;
mod pool;

use super::agenda::Event;
use super::records::{
    Call, CallState, Caller, HedgeRound, Id, Identity, MAX_LAYERS, Task, TaskState,
};
use super::story::What;
use super::world::World;
use crate::mitigation::{Ask, Context, Layer, LayerState, LazyLuck, Told};
use crate::plan::{EdgeId, InstanceId, NONE, Timeout};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::{NEVER, Nanos};
use hedge::GivenUp;

/// Keys below an attempt's luck. Steps use hashes of their place, so small numbers are free.
pub mod luck {
    /// Choice of the instance.
    pub const PICK: u64 = 1;
    /// Time on the way there.
    pub const WAY_THERE: u64 = 2;
    /// Time on the way back.
    pub const WAY_BACK: u64 = 3;
    /// Time-out drawn for the attempt.
    pub const TIMEOUT: u64 = 4;
    /// Errors of a knob.
    pub const ERROR: u64 = 5;
    /// Whether a connection leaks.
    pub const LEAK: u64 = 6;
    /// The longest wait in a line.
    pub const LINE: u64 = 7;
    /// The next round of an endpoint that starts over.
    pub const ROUND: u64 = 8;
    /// Layers at a door; the number of the layer is added. Around calls they have keys of their
    /// own.
    pub const LAYER: u64 = 16;
    /// Attempts of a call; the number of the attempt is added.
    pub const ATTEMPT: u64 = 64;
    /// Copies of branches; the number of the copy is added.
    pub const COPY: u64 = 1 << 20;
    /// Copies of a call that its hedge sends; the number of the copy is added.
    pub const HEDGE: u64 = 1 << 21;
}

impl World<'_> {
    /// A new call. It goes in through its layers at once.
    #[inline]
    pub fn open_call(
        &mut self,
        edge: EdgeId,
        caller: Caller,
        from: InstanceId,
        identity: Identity,
        luck: Luck,
        endpoint: u32,
    ) -> Id {
        let plan = &self.plan.edges[edge as usize];
        let deadline = self.now.saturating_add(plan.deadline);
        let (index, life) = self.calls.take(Call {
            edge,
            caller,
            from,
            identity,
            luck,
            attempt: 0,
            state: CallState::Pauses,
            connected: false,
            resume_layer: 0,
            endpoint,
            began: self.now,
            sent: self.now,
            deadline,
            task: Id::NONE,
            target: NONE,
            pause: 0,
            last: None,
            is_final: false,
            turn: 0,
            memos: [0; MAX_LAYERS],
            hedge: HedgeRound::default(),
            copies: Id::NONE,
        });
        if plan.deadline_lane != NONE {
            self.agenda.after_lane(plan.deadline_lane, Event::Deadline { call: index, life });
        }
        let id = Id { index, life };
        if let Caller::Task(task) = caller {
            self.tasks[task.index].child = id;
        }
        if plan.layers.is_empty() {
            self.send(index)
        } else {
            self.go_in(index, 0)
        }
        id
    }

    /// Asks the layers from `first` on, then sends an attempt.
    fn go_in(&mut self, index: u32, first: usize) {
        let plan = &self.plan.edges[self.calls[index].edge as usize];
        let (count, hedge) = (plan.layers.len(), plan.hedge as usize);
        for layer in first..count {
            if layer == hedge {
                self.begin_hedge(index);
                continue;
            }
            match self.with_layer(index, layer, |state, cx| state.ask(cx)) {
                Ask::Pass => {}
                Ask::Wait(pause) => return self.pause(index, layer + 1, pause),
                Ask::Answer(status) => {
                    self.edges[self.calls[index].edge as usize].not_sent += 1;
                    return self.come_out(index, layer, status);
                }
            }
        }
        self.send(index);
    }

    /// Calls a layer of a call with its context.
    fn with_layer<R>(
        &mut self,
        index: u32,
        layer: usize,
        f: impl FnOnce(&mut LayerState, &mut Context) -> R,
    ) -> R {
        let call = &mut self.calls[index];
        let edge_id = call.edge;
        // A copy comes after its lead's own attempt.
        let before = u32::from(matches!(call.caller, Caller::Copy(_)));
        let edge = &mut self.edges[edge_id as usize];
        let row = edge.row(call.from);
        let luck = LazyLuck {
            call: call.luck,
            attempt: luck::ATTEMPT + u64::from(call.attempt),
            layer: self.plan.edges[edge_id as usize].layer_keys[layer],
        };
        let mut cx = Context {
            now: self.now,
            luck,
            attempts: u32::from(call.attempt) + before,
            began: call.began,
            sent: call.sent,
            memo: &mut call.memos[layer],
            pause: &mut call.pause,
            is_final: &mut call.is_final,
            last: call.last,
            client: call.identity.client,
            user: call.identity.user,
            key: call.identity.key,
        };
        let state = &mut edge.layers[row][layer];
        let was_open = state.is_open();
        let was_half_open = state.breaker().is_some_and(|breaker| breaker.is_half_open());
        let result = f(state, &mut cx);
        let is_open = state.is_open();
        if was_open != is_open {
            let edge = &mut self.edges[edge_id as usize];
            edge.trips += u64::from(is_open);
            edge.reopenings += u64::from(is_open && was_half_open);
            let trip = edge.layers[row][layer].breaker().filter(|_| is_open);
            let trip = trip.map(|breaker| breaker.trip(was_half_open));
            self.meter.tell(self.now, What::Breaker { edge: edge_id, open: is_open, trip });
        }
        result
    }

    fn pause(&mut self, index: u32, resume_layer: usize, pause: Nanos) {
        let at = self.now.saturating_add(pause);
        let life = self.calls.life(index);
        let call = &mut self.calls[index];
        call.state = CallState::Pauses;
        call.resume_layer = resume_layer as u8;
        call.turn = call.turn.wrapping_add(1);
        let turn = call.turn;
        self.agenda.at(at, Event::Resume { call: index, life, turn });
    }

    /// A pause is over.
    pub fn resume_call(&mut self, index: u32) {
        let call = &self.calls[index];
        let layer = usize::from(call.resume_layer);
        match (call.state, call.last) {
            (CallState::FallsBack, Some(status)) => self.come_out(index, layer, status),
            _ => self.go_in(index, layer),
        }
    }

    /// Sends an attempt, once it has a connection of its pool.
    #[inline]
    fn send(&mut self, index: u32) {
        let call = &mut self.calls[index];
        call.attempt += 1;
        call.sent = self.now;
        if let Caller::Copy(lead) = call.caller {
            let attempts = &mut self.calls[lead.index].hedge.attempts;
            *attempts = attempts.saturating_add(1);
        }
        let call = &mut self.calls[index];
        let edge = &self.plan.edges[call.edge as usize];
        if edge.pool == NONE {
            return self.dispatch(index);
        }
        let from = call.from;
        let pool = &mut self.stations[from as usize].pools[edge.pool as usize];
        let plan = &self.plan.components[edge.from as usize].pools[edge.pool as usize];
        if pool.in_use < plan.size {
            pool.in_use += 1;
            call.connected = true;
            return self.dispatch(index);
        }
        call.state = CallState::WaitsForConnection;
        let attempt = call.attempt;
        let life = self.calls.life(index);
        pool.waiting.push_back((Id { index, life }, attempt));
        if plan.wait != NEVER {
            let at = self.now + plan.wait;
            self.agenda.at(at, Event::PoolWait { call: index, life, attempt });
        }
        self.start_timeout(index);
    }

    #[inline]
    fn start_timeout(&mut self, index: u32) {
        let life = self.calls.life(index);
        let call = &self.calls[index];
        let event = Event::Timeout { call: index, life, attempt: call.attempt };
        match &self.plan.edges[call.edge as usize].timeout {
            Timeout::Never => {}
            Timeout::Constant(_, lane) => self.agenda.after_lane(*lane, event),
            Timeout::Drawn(law) => {
                let luck = call.luck.at(luck::ATTEMPT + u64::from(call.attempt)).at(luck::TIMEOUT);
                let span = law.sample_nanos(&mut luck.rng());
                self.agenda.at(self.now.saturating_add(span), event);
            }
        }
    }

    /// Chooses the instance and puts the attempt on its way.
    #[inline]
    fn dispatch(&mut self, index: u32) {
        let waited = self.calls[index].state == CallState::WaitsForConnection;
        self.calls[index].state = CallState::Out;
        if !waited {
            // With a pool the time-out runs from the wait for a connection on.
            self.start_timeout(index);
        }
        let life = self.calls.life(index);
        let call = &self.calls[index];
        let attempt_luck = call.luck.at(luck::ATTEMPT + u64::from(call.attempt));
        let edge_id = call.edge;
        let edge = &mut self.edges[edge_id as usize];
        edge.sent += 1;
        edge.retried += u64::from(call.attempt > 1);
        let is_copy = matches!(call.caller, Caller::Copy(_));
        edge.hedged += u64::from(is_copy && call.attempt == 1);
        let Some(instance) = self.choose(index, attempt_luck) else {
            self.calls[index].target = NONE;
            return self.attempt_over(index, Status::Unavailable);
        };
        let epoch = self.epoch();
        let plan = &self.plan.edges[edge_id as usize];
        let edge = &mut self.edges[edge_id as usize];
        let call = &mut self.calls[index];
        call.target = instance;
        if !edge.out.is_empty() {
            let slot = edge.slot(call.from, self.stations[instance as usize].number);
            if let Some(out) = edge.out.get_mut(slot) {
                *out += 1;
            }
        }
        if edge.cuts > 0 {
            // Nothing arrives; only a time-out ends the attempt.
            call.task = Id::NONE;
            return;
        }
        let (task, task_life) = self.tasks.take(Task {
            call: Id { index, life },
            parent: Id::NONE,
            child: Id::NONE,
            instance,
            op: NONE,
            endpoint: call.endpoint,
            attempt: call.attempt,
            state: TaskState::Travels,
            holds_worker: false,
            degraded: false,
            frozen: false,
            on_cpu: false,
            epoch,
            identity: call.identity,
            luck: attempt_luck,
            came: self.now,
            until: 0,
            work: 0,
            slow: 1.0,
            fork: (0, 0),
            fork_number: (0, 0),
            again: 0,
            again_pause: 0,
        });
        call.task = Id { index: task, life: task_life };
        let travel = edge.delay
            + plan
                .network
                .as_ref()
                .map_or(0, |law| law.sample_nanos(&mut attempt_luck.at(luck::WAY_THERE).rng()));
        if travel == 0 {
            self.arrive(task);
        } else {
            self.agenda.at(self.now + travel, Event::Deliver { task, epoch });
        }
    }

    #[inline]
    fn choose(&mut self, index: u32, attempt_luck: Luck) -> Option<InstanceId> {
        let call = &self.calls[index];
        if let Caller::Probe(instance) = call.caller {
            return Some(instance);
        }
        let plan = &self.plan.edges[call.edge as usize];
        let component = &self.components[plan.to as usize];
        let callee = &self.plan.components[plan.to as usize];
        let mut fit = &component.fit;
        if fit.is_empty() && callee.probe.as_ref().is_none_or(|p| p.fail_open) {
            fit = &component.all;
        }
        if let [only] = fit[..] {
            return Some(component.instances[only as usize]);
        }
        let edge = &mut self.edges[call.edge as usize];
        let (row, from) = (edge.row(call.from), call.from);
        let out = &edge.out;
        let base = edge.slot_base(from);
        let load = |number: u32| out.get(base + number as usize).copied().unwrap_or(0);
        let draw = match plan.pick.needs_luck() {
            true => attempt_luck.at(luck::PICK).bits(),
            false => 0,
        };
        let user = match call.identity.user {
            NONE => call.luck.bits(), // Nobody to stick to.
            user => u64::from(user),
        };
        let number = edge.pickers[row].pick(fit, load, user, draw)?;
        Some(component.instances[number as usize])
    }

    /// Tells the layers below `end`, innermost first.
    fn come_out(&mut self, index: u32, end: usize, mut status: Status) {
        let hedge = self.plan.edges[self.calls[index].edge as usize].hedge as usize;
        for layer in (0..end).rev() {
            if layer == hedge {
                match self.out_of_hedge(index, status) {
                    Some(outcome) => status = outcome,
                    None => return,
                }
                continue;
            }
            match self.with_layer(index, layer, |state, cx| state.told(cx, status)) {
                Told::Deliver => {}
                Told::Instead(other) => status = other,
                Told::InsteadAfter(other, takes) => {
                    self.calls[index].last = Some(other);
                    self.pause(index, layer, takes);
                    self.calls[index].state = CallState::FallsBack;
                    return;
                }
                Told::Again(after) => {
                    let call = &self.calls[index];
                    if self.now.saturating_add(after) >= call.deadline {
                        continue; // Reference A1, rule 4: the deadline would cut it off.
                    }
                    if call.attempt == u16::MAX {
                        continue;
                    }
                    // Also without a pause by way of the agenda: tries that fail at once must not
                    // nest.
                    return self.pause(index, layer + 1, after);
                }
            }
        }
        self.deliver(index, status);
    }

    /// The call is over; who waits gets its outcome.
    #[inline]
    fn deliver(&mut self, index: u32, status: Status) {
        let (caller, edge, from) = {
            let call = &self.calls[index];
            (call.caller, call.edge, call.from)
        };
        if self.calls[index].copies != Id::NONE {
            self.drop_copies(index, GivenUp { loses: false, process_is_gone: false });
        }
        match caller {
            // What comes out of a copy ends at its hedge.
            Caller::Copy(_) => self.calls.free(index),
            Caller::Task(task) => {
                self.calls.free(index);
                self.call_returned(task, edge, from, status);
            }
            Caller::Visit(visit) => {
                let done = self.request_over(index, status);
                self.calls.free(index);
                self.visit_goes_on(visit, done);
            }
            Caller::Stream => {
                self.request_over(index, status);
                self.calls.free(index);
            }
            Caller::Probe(instance) => {
                self.calls.free(index);
                self.probe_over(instance, status);
            }
        }
    }
}
