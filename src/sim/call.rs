//! The caller's side: a call goes in through its layers, its attempts go out, outcomes come back.

mod hedge;
mod over;
mod pool;

use super::agenda::Event;
use super::records::{Call, CallState, Caller, Id, Identity, Task};
use super::story::What;
use super::task::{Next, refusal_of};
use super::world::{ComponentState, EdgeState, Process, World};
use crate::mitigation::{Ask, Context, Layer, LayerState, LazyLuck, Told};
use crate::plan::{EdgeId, InstanceId, NONE, Plan, Timeout};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::Nanos;
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

/// The luck of an attempt of a call.
#[inline(always)]
pub(super) fn attempt_luck(call: Luck, attempt: u16) -> Luck {
    call.at(luck::ATTEMPT + u64::from(attempt))
}

impl World<'_> {
    /// A new call. It goes in through its layers at once.
    #[inline(always)]
    pub fn open_call(
        &mut self,
        edge: EdgeId,
        caller: Caller,
        from: InstanceId,
        identity: Identity,
        luck: Luck,
        endpoint: u32,
    ) -> Next {
        let (index, life, place) = self.calls.take();
        *place = Call {
            edge,
            caller,
            from,
            identity,
            luck,
            endpoint,
            began: self.now,
            sent: self.now,
            ..Call::default()
        };
        if let Caller::Task(task) = caller {
            self.tasks[task.index].child = Id { index, life };
        }
        let EdgeState { deadline_lane: lane, asks, .. } = self.edges[edge as usize];
        if lane != NONE {
            self.agenda.after_lane(lane, Event::Deadline { call: index, life });
        }
        if asks { self.go_in(index, 0) } else { self.send(index) }
    }

    /// Asks the layers from `first` on, then sends an attempt.
    #[inline(never)]
    fn go_in(&mut self, index: u32, first: usize) -> Next {
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
        self.send(index)
    }

    /// Calls a layer of a call with its context.
    fn with_layer<R>(
        &mut self,
        index: u32,
        layer: usize,
        f: impl FnOnce(&mut LayerState, &mut Context) -> R,
    ) -> R {
        // What most layers leave alone is kept only when it has been changed.
        let kept =
            self.calls.extra(index).map_or((0, 0), |extra| (extra.memos[layer], extra.pause));
        let (mut memo, mut pause) = kept;
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
            memo: &mut memo,
            pause: &mut pause,
            is_final: &mut call.is_final,
            last: call.last,
            client: self.plan.client_of(call.identity.class),
            user: call.identity.user,
            key: call.identity.key,
        };
        let state = &mut edge.layers[row][layer];
        let result = match state {
            LayerState::CircuitBreaker(_) => {
                let was_open = state.is_open();
                let was_half_open = state.breaker().is_some_and(|breaker| breaker.is_half_open());
                let result = f(state, &mut cx);
                let is_open = state.is_open();
                if was_open != is_open {
                    edge.trips += u64::from(is_open);
                    edge.reopenings += u64::from(is_open && was_half_open);
                    let trip = state.breaker().filter(|_| is_open);
                    let trip = trip.map(|breaker| breaker.trip(was_half_open));
                    self.meter.tell(self.now, What::Breaker { edge: edge_id, open: is_open, trip });
                }
                result
            }
            _ => f(state, &mut cx),
        };
        if (memo, pause) != kept {
            let extra = self.calls.extra_mut(index);
            (extra.memos[layer], extra.pause) = (memo, pause);
        }
        result
    }

    /// Number that the end of the present pause of a call must carry.
    #[inline]
    pub(super) fn turn_of(&self, index: u32) -> u16 {
        self.calls[index].turn
    }

    /// When a call must be over; for a copy that of its lead.
    fn deadline(&self, index: u32) -> Nanos {
        let call = &self.calls[index];
        match call.caller {
            Caller::Copy(lead) => self.deadline(lead.index),
            _ => call.began.saturating_add(self.plan.edges[call.edge as usize].deadline),
        }
    }

    /// A call pauses; nobody goes on now.
    fn pause(&mut self, index: u32, resume_layer: usize, pause: Nanos) -> Next {
        let at = self.now.saturating_add(pause);
        let life = self.calls.life(index);
        let call = &mut self.calls[index];
        call.state = CallState::Pauses;
        call.resume_layer = resume_layer as u8;
        call.turn = call.turn.wrapping_add(1);
        let turn = call.turn;
        self.agenda.at(at, Event::Resume { call: index, life, turn });
        None
    }

    /// A pause is over.
    #[inline(never)]
    pub fn resume_call(&mut self, index: u32) -> Next {
        let call = &self.calls[index];
        let layer = usize::from(call.resume_layer);
        match (call.state, call.last) {
            (CallState::FallsBack, Some(status)) => self.come_out(index, layer, status),
            _ => self.go_in(index, layer),
        }
    }

    /// Sends an attempt, once it has a connection of its pool.
    #[inline(always)]
    fn send(&mut self, index: u32) -> Next {
        let World { calls, edges, agenda, .. } = self;
        let (call, life) = calls.with_life(index);
        call.attempt += 1;
        call.sent = self.now;
        let edge = &edges[call.edge as usize];
        if edge.sends_with_care {
            return self.send_with_care(index);
        }
        if edge.timeout_lane != NONE {
            let event = Event::Timeout { call: index, life, attempt: call.attempt };
            agenda.after_lane(edge.timeout_lane, event);
        }
        self.dispatch(index)
    }

    #[inline(never)]
    fn send_with_care(&mut self, index: u32) -> Next {
        if let Caller::Copy(lead) = self.calls[index].caller {
            let attempts = &mut self.calls.extra_mut(lead.index).hedge.attempts;
            *attempts = attempts.saturating_add(1);
        }
        let EdgeState { has_pool, timeout_lane: lane, draws_timeouts, .. } =
            self.edges[self.calls[index].edge as usize];
        let goes = !has_pool || self.takes_connection(index);
        // With a pool the time-out runs from the wait for a connection on.
        if lane != NONE {
            let (call, life) = self.calls.with_life(index);
            let event = Event::Timeout { call: index, life, attempt: call.attempt };
            self.agenda.after_lane(lane, event);
        } else if draws_timeouts {
            self.draw_timeout(index);
        }
        if goes { self.dispatch(index) } else { None }
    }

    #[inline(never)]
    fn draw_timeout(&mut self, index: u32) {
        let call = &self.calls[index];
        let Timeout::Drawn(law) = &self.plan.edges[call.edge as usize].timeout else { return };
        let luck = attempt_luck(call.luck, call.attempt).at(luck::TIMEOUT);
        let at = self.now.saturating_add(law.sample_nanos(&mut luck.rng()));
        let life = self.calls.life(index);
        self.agenda.at(at, Event::Timeout { call: index, life, attempt: call.attempt });
    }

    /// Chooses the instance and puts the attempt on its way.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, index: u32) -> Next {
        let World { calls, tasks, edges, components, stations, plan, .. } = self;
        let (call, life) = calls.with_life(index);
        call.state = CallState::Out;
        let attempt_luck = attempt_luck(call.luck, call.attempt);
        let edge = &mut edges[call.edge as usize];
        edge.sent += 1;
        if call.attempt > 1 {
            edge.retried += 1;
        } else if let Caller::Copy(_) = call.caller {
            edge.hedged += 1;
        }
        let chosen = match call.caller {
            Caller::Probe(instance) => Some(instance),
            _ => {
                let Call { from, identity, luck, .. } = *call;
                choose(plan, components, edge, (from, identity.user, luck), attempt_luck)
            }
        };
        let Some(instance) = chosen else {
            call.target = NONE;
            return self.attempt_over(index, Status::Unavailable);
        };
        call.target = instance;
        if !edge.out.is_empty() {
            let slot = edge.slot(call.from, stations[instance as usize].number);
            if let Some(out) = edge.out.get_mut(slot) {
                *out += 1;
            }
        }
        if edge.plain != NONE {
            return self.send_plain(index);
        }
        self.epochs = self.epochs.wrapping_add(1);
        let is_direct = edge.is_direct();
        if is_direct && stations[instance as usize].process() != Process::Up {
            return self.finds_nobody(index, instance);
        }
        if !is_direct && edge.is_cut() {
            // Nothing arrives; only a time-out ends the attempt.
            call.task = Id::NONE;
            return None;
        }
        let (task, task_life, place) = tasks.take();
        *place = Task {
            call: Id { index, life },
            instance,
            endpoint: call.endpoint,
            epoch: self.epochs,
            attempt: call.attempt,
            identity: call.identity,
            luck: attempt_luck,
            came: self.now,
            ..Task::default()
        };
        call.task = Id { index: task, life: task_life };
        if is_direct { self.arrive(task) } else { self.travel(index, task) }
    }

    /// An attempt finds no process that serves. It is refused as any other, but without a task.
    #[inline(never)]
    fn finds_nobody(&mut self, index: u32, instance: InstanceId) -> Next {
        let station = &mut self.stations[instance as usize];
        let status = refusal_of(station.process()).unwrap_or(Status::Refused);
        let counts = &mut self.meter.components[station.component as usize];
        if self.calls[index].identity.class != NONE {
            counts.requests += 1;
            counts.turned_away += 1;
            counts.answers[status as usize] += 1;
            station.tally.answer(status);
            if counts.is_watched {
                self.meter.tap(station.component, 0);
            }
        }
        self.attempt_over(index, status)
    }

    /// An attempt is on its way.
    #[inline(never)]
    fn travel(&mut self, index: u32, task: u32) -> Next {
        let edge = self.calls[index].edge as usize;
        let Task { luck, epoch, .. } = self.tasks[task];
        let network = self.plan.edges[edge].network.as_ref();
        let way = network.map_or(0, |law| law.sample_nanos(&mut luck.at(luck::WAY_THERE).rng()));
        let travel = self.edges[edge].delay() + way;
        if travel == 0 {
            return self.arrive(task);
        }
        self.agenda.at(self.now + travel, Event::Deliver { task, epoch });
        None
    }

    /// Tells the layers below `end`, innermost first.
    #[inline(never)]
    fn come_out(&mut self, index: u32, end: usize, mut status: Status) -> Next {
        let hedge = self.plan.edges[self.calls[index].edge as usize].hedge as usize;
        for layer in (0..end).rev() {
            if layer == hedge {
                match self.out_of_hedge(index, status) {
                    Some(outcome) => status = outcome,
                    None => return None,
                }
                continue;
            }
            match self.with_layer(index, layer, |state, cx| state.told(cx, status)) {
                Told::Deliver => {}
                Told::Instead(other) => status = other,
                Told::InsteadAfter(other, takes) => {
                    self.calls[index].last = Some(other);
                    let next = self.pause(index, layer, takes);
                    self.calls[index].state = CallState::FallsBack;
                    return next;
                }
                Told::Again(after) => {
                    if self.now.saturating_add(after) >= self.deadline(index) {
                        continue; // Reference A1, rule 4: the deadline would cut it off.
                    }
                    if self.calls[index].attempt == u16::MAX {
                        continue;
                    }
                    // Also without a pause by way of the agenda: tries that fail at once must not
                    // nest.
                    return self.pause(index, layer + 1, after);
                }
            }
        }
        self.deliver(index, status)
    }

    /// The call is over; who waits gets its outcome.
    #[inline(never)]
    fn deliver(&mut self, index: u32, status: Status) -> Next {
        if self.calls.extra(index).is_some_and(|extra| extra.copies != Id::NONE) {
            self.drop_copies(index, GivenUp { loses: false, process_is_gone: false });
        }
        self.hand_over(index, status)
    }

    /// The call, which has no copies, is over; who waits gets its outcome.
    #[inline(always)]
    pub(super) fn hand_over(&mut self, index: u32, status: Status) -> Next {
        let Call { caller, edge, from, .. } = self.calls[index];
        match caller {
            Caller::Task(task) => {
                self.calls.free(index);
                return self.call_returned(task, edge, from, status);
            }
            Caller::Stream => {
                self.request_over(index, status);
                self.calls.free(index);
            }
            Caller::Visit(visit) => {
                let done = self.request_over(index, status);
                self.calls.free(index);
                self.visit_goes_on(visit, done);
            }
            // What comes out of a copy ends at its hedge.
            Caller::Copy(_) => self.calls.free(index),
            Caller::Probe(instance) => {
                self.calls.free(index);
                self.probe_over(instance, status);
            }
            Caller::Plain(plain) => {
                self.calls.free(index);
                return self.return_to_plain(plain, edge, status);
            }
        }
        None
    }
}

/// The instance for an attempt of a call, of which the calling instance, the user and the luck are
/// given; None if there is none that it may go to.
#[inline(always)]
pub(super) fn choose(
    plan: &Plan,
    components: &[ComponentState],
    edge: &mut EdgeState,
    (from, user, luck): (InstanceId, u32, Luck),
    attempt_luck: Luck,
) -> Option<InstanceId> {
    let component = &components[edge.to as usize];
    if let [only] = component.fit[..] {
        return Some(component.instances[only as usize]);
    }
    let mut fit = &component.fit;
    if fit.is_empty() {
        let probe = plan.components[edge.to as usize].probe.as_ref();
        if probe.is_none_or(|p| p.fail_open) {
            fit = &component.all;
        }
    }
    let draw = if edge.draws_instances { attempt_luck.at(luck::PICK).bits() } else { 0 };
    let user = match user {
        NONE => luck.bits(), // Nobody to stick to.
        user => u64::from(user),
    };
    let (row, base) = (edge.row(from), edge.slot_base(from));
    let EdgeState { pickers, out, .. } = edge;
    let load = |number: u32| out.get(base + number as usize).copied().unwrap_or(0);
    let number = pickers[row].pick(fit, load, user, draw)?;
    Some(component.instances[number as usize])
}
