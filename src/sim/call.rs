//! The caller's side: a call goes in through its layers, its attempts go out, outcomes come back.

mod pool;

use super::agenda::Event;
use super::records::{Call, CallState, Caller, Id, Identity, MAX_LAYERS, Task, TaskState};
use super::story::What;
use super::world::World;
use crate::mitigation::{Ask, Context, Layer, LayerState, LazyLuck, Told};
use crate::plan::{EdgeId, InstanceId, NONE, Timeout};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::{NEVER, Nanos};

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
            memos: [0; MAX_LAYERS],
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
        let count = self.plan.edges[self.calls[index].edge as usize].layers.len();
        for layer in first..count {
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
            attempts: u32::from(call.attempt),
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
        let result = f(state, &mut cx);
        let is_open = state.is_open();
        if was_open != is_open {
            self.edges[edge_id as usize].trips += u64::from(is_open);
            self.meter.tell(self.now, What::Breaker { edge: edge_id, open: is_open });
        }
        result
    }

    fn pause(&mut self, index: u32, resume_layer: usize, pause: Nanos) {
        let at = self.now.saturating_add(pause);
        let life = self.calls.life(index);
        let call = &mut self.calls[index];
        call.state = CallState::Pauses;
        call.resume_layer = resume_layer as u8;
        let attempt = call.attempt;
        self.agenda.at(at, Event::Resume { call: index, life, attempt });
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
        let Some(instance) = self.choose(index, attempt_luck) else {
            self.calls[index].target = NONE;
            return self.attempt_over(index, Status::Unavailable);
        };
        let epoch = self.epoch();
        let plan = &self.plan.edges[edge_id as usize];
        let edge = &mut self.edges[edge_id as usize];
        let call = &mut self.calls[index];
        edge.sent += 1;
        edge.retried += u64::from(call.attempt > 1);
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
            slow: 1.0,
            fork: (0, 0),
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

    /// An attempt's time-out has passed.
    pub fn time_out(&mut self, index: u32) {
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
        self.attempt_over(index, Status::Timeout);
    }

    /// A call's deadline has passed: it is over, whatever its layers would have done.
    pub fn deadline_over(&mut self, index: u32) {
        let call = &self.calls[index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, out) = (call.task, call.state == CallState::Out);
        if plan.cancels && out {
            self.cancel(task);
        }
        self.attempt_over(index, Status::DeadlineExceeded);
    }

    /// The answer of an attempt has come back.
    #[inline]
    pub fn answered(&mut self, id: Id, attempt: u16, status: Status) {
        if !self.calls.is_live(id.index, id.life) {
            return; // The caller has gone; the work was for nobody.
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
            self.attempt_over(id.index, status);
        }
    }

    /// Gives back what the attempt that is out holds at the caller.
    #[inline]
    fn settle(&mut self, index: u32) {
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
    #[inline]
    pub fn attempt_over(&mut self, index: u32, status: Status) {
        self.settle(index);
        self.calls[index].state = CallState::Pauses;
        self.calls[index].last = Some(status);
        let count = self.plan.edges[self.calls[index].edge as usize].layers.len();
        if count == 0 { self.deliver(index, status) } else { self.come_out(index, count, status) }
    }

    /// Tells the layers below `end`, innermost first.
    fn come_out(&mut self, index: u32, end: usize, mut status: Status) {
        for layer in (0..end).rev() {
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
        match caller {
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

    /// Drops a call whose caller has died or was cancelled. The callee works on, unless the edge
    /// cancels.
    pub fn abandon_call(&mut self, id: Id, process_is_gone: bool) {
        if !self.calls.is_live(id.index, id.life) {
            return;
        }
        let call = &self.calls[id.index];
        let plan = &self.plan.edges[call.edge as usize];
        let (task, cancels) = (call.task, plan.cancels);
        if !plan.layers.is_empty() {
            let edge = &mut self.edges[call.edge as usize];
            let row = edge.row(call.from);
            for (layer, memo) in edge.layers[row].iter_mut().zip(call.memos) {
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
    pub fn is_live(calls: &super::arena::Arena<Call>, event: &Event) -> bool {
        match *event {
            Event::Timeout { call, life, attempt } => {
                calls.is_live(call, life) && calls[call].attempt == attempt && {
                    matches!(calls[call].state, CallState::Out | CallState::WaitsForConnection)
                }
            }
            Event::Deadline { call, life } => calls.is_live(call, life),
            _ => true,
        }
    }
}
