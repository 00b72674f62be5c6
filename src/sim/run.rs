//! The loop.

use super::agenda::{Event, Packed, packed};
use super::ahead;
use super::meter::{LevelOf, Request};
use super::outcome::{Ending, Outcome, StopReason};
use super::plain::Plain;
use super::story::Death;
use super::task::Next;
use super::world::{Later, World};
use crate::plan::Plan;
use crate::status::Status;

/// Every so many events the world looks whether it grows beyond its limits.
const LOOK_EVERY: u64 = 1 << 16;

/// Runs one replica. Cannot fail: an outcome says why it was stopped.
pub fn run(plan: &Plan, replica: u64) -> Outcome {
    run_logged(plan, replica, 0).0
}

/// As [`run()`], with a log of the first `most` requests of clients that are over, in the order in
/// which they ended. Requests that were blocked before they reached anything are not in it.
pub fn run_logged(plan: &Plan, replica: u64, most: usize) -> (Outcome, Vec<Request>) {
    let mut world = World::new(plan, replica);
    world.meter.log_at_most = most;
    world.prepare();
    let mut events = 0u64;
    let ending = loop {
        let event = match world.next_event() {
            Ok(event) => event,
            Err(ending) => break ending,
        };
        if let Err(ending) = world.step(event, &mut events) {
            break ending;
        }
    };
    let ending = world.close(ending);
    let log = std::mem::take(&mut world.meter.log);
    (world.finish(ending, events), log)
}

/// As [`run()`], with all its books audited after every so many events, and at the end.
///
/// # Errors
/// What has been lost, and after how many events it was noticed.
pub fn run_audited(plan: &Plan, replica: u64, every: u64) -> Result<Outcome, String> {
    let mut world = World::new(plan, replica);
    world.prepare();
    let mut events = 0u64;
    let ending = loop {
        if let Err(ending) = world.next_event().and_then(|event| world.step(event, &mut events)) {
            break ending;
        }
        if events.is_multiple_of(every) {
            world.audit().map_err(|what| format!("after {events} events: {what}"))?;
        }
    };
    let ending = world.close(ending);
    world.audit().map_err(|what| format!("at the end: {what}"))?;
    Ok(world.finish(ending, events))
}

impl World<'_> {
    /// Takes the next event from the agenda; the time is then its time.
    #[inline(always)]
    pub(super) fn next_event(&mut self) -> Result<Packed, Ending> {
        let mut event = self.agenda.next_at_once(self.plan.horizon);
        if event.is_nothing() {
            event = self.next_of_several();
        }
        if let Some(lane) = event.of_lane() {
            self.move_up(lane);
        }
        if event.is_nothing() {
            return Err(if self.agenda.is_empty() { Ending::Quiet } else { Ending::Horizon });
        }
        let now = self.agenda.now();
        if self.meter.observing.is_due(now) && now > self.now && self.observe(now) {
            return Err(Ending::Observed);
        }
        self.now = now;
        Ok(event)
    }

    #[inline(never)]
    fn next_of_several(&mut self) -> Packed {
        let World { calls, tasks, plains, stations, .. } = self;
        let ahead = |events: &[Packed]| ahead::look(events, calls, tasks, plains, stations);
        self.agenda.next_of_several(self.plan.horizon, ahead)
    }

    #[inline(never)]
    fn move_up(&mut self, lane: u16) {
        let World { calls, tasks, plains, stations, .. } = self;
        let ahead = |events: &[Packed]| ahead::look(events, calls, tasks, plains, stations);
        self.agenda.move_up(lane, |event| World::is_live(calls, plains, event), &ahead);
    }

    /// Handles an event and what it causes at once.
    #[inline(always)]
    pub(super) fn step(&mut self, event: Packed, events: &mut u64) -> Result<(), Ending> {
        let next = self.handle(event);
        self.go(next);
        if !self.later.is_empty() {
            self.do_later();
        }
        *events += 1;
        if !events.is_multiple_of(LOOK_EVERY) && !self.response.is_over {
            return Ok(());
        }
        self.may_go_on(*events)
    }

    /// Whether the run is to go on.
    #[inline(never)]
    fn may_go_on(&self, events: u64) -> Result<(), Ending> {
        if events.is_multiple_of(LOOK_EVERY)
            && let Some(stopped) = self.beyond_limits(events)
        {
            return Err(stopped);
        }
        if self.response.is_over { Err(Ending::DeclaredOver) } else { Ok(()) }
    }

    /// Brings the time to the end of the run.
    pub(super) fn close(&mut self, mut ending: Ending) -> Ending {
        if ending == Ending::Horizon {
            if !self.plan.observations.is_empty() && self.observe(self.plan.horizon) {
                ending = Ending::Observed;
            } else {
                self.now = self.plan.horizon;
            }
        }
        self.close_observations();
        ending
    }

    /// Puts the first of everything on the agenda.
    pub(super) fn prepare(&mut self) {
        self.first_turns();
        self.first_probes();
        self.first_arrivals();
        self.first_response();
        for instance in 0..self.stations.len() as u32 {
            self.look_at_memory(instance);
        }
        self.agenda.at(self.plan.bucket, Event::Bucket);
        if self.plan.warm_up > 0 {
            self.agenda.at(self.plan.warm_up, Event::Warm);
        }
    }

    /// Handles one event; one that has become stale does nothing. Returns who goes on.
    #[inline(always)]
    fn handle(&mut self, event: Packed) -> Next {
        let (id, life) = (event.id(), event.life());
        if event.kind() == packed::PLAIN_DONE {
            return self.plain_done(id);
        }
        if event.kind() == packed::ARRIVAL {
            return self.arrival(id, life);
        }
        match event.kind() {
            packed::WORK_DONE if self.is_due(id, life) => self.work_done(id),
            packed::TIMEOUT if Self::is_live(&self.calls, &self.plains, event) => self.time_out(id),
            packed::RESUME
                if self.calls.is_live(id, life) && self.turn_of(id) == event.attempt() =>
            {
                self.resume_call(id)
            }
            packed::PLAIN_TIMEOUT if self.plains.get(id, life).is_some_and(Plain::is_a_call) => {
                self.time_out_plainly(id)
            }
            packed::THINK if self.visits.is_live(id, life) => self.next_request(id),
            packed::DELIVER if self.is_due(id, life) => self.arrive(id),
            packed::ANSWER => {
                let call = super::records::Id { index: id, life };
                let status = Status::ALL[usize::from(event.status())];
                self.answered(call, event.attempt(), status)
            }
            _ => self.handle_rare(event.event()),
        }
    }

    #[inline(never)]
    fn handle_rare(&mut self, event: Event) -> Next {
        match event {
            Event::CpuDone { instance, epoch }
                if self.stations[instance as usize].cpu_epoch == epoch =>
            {
                self.cpu_done(instance);
            }
            Event::Deadline { call, life } if self.calls.is_live(call, life) => {
                return self.deadline_over(call);
            }
            Event::Hedge { call, life, timer } if self.calls.is_live(call, life) => {
                self.hedge_is_due(call, timer);
            }
            Event::LineWait { task, epoch } => {
                let waits = super::records::TaskState::Waits;
                if self.is_due(task, epoch) && self.tasks[task].state == waits {
                    self.line_wait_over(task);
                }
            }
            Event::PoolWait { call, life, attempt } => {
                let waits = super::records::CallState::WaitsForConnection;
                if self.calls.is_live(call, life)
                    && self.calls[call].attempt == attempt
                    && self.calls[call].state == waits
                {
                    self.pool_wait_over(call);
                }
            }
            Event::Turn(turn) => self.turn(turn),
            Event::ProcessUp { instance, life } => self.process_up(instance, life),
            Event::Probe { instance } => self.probe(instance),
            Event::Response(step) => self.respond(step),
            Event::Bucket => {
                self.close_bucket();
                let next = self.now + self.plan.bucket;
                self.agenda.at(next, Event::Bucket);
            }
            Event::Warm => {
                self.meter.warm(self.now);
                self.warm_observations();
            }
            _ => {}
        }
        None
    }

    #[inline(always)]
    fn is_due(&self, task: u32, epoch: u32) -> bool {
        self.tasks.taken(task).is_some_and(|task| task.epoch == epoch)
    }

    /// Does what was put off while an event was handled.
    #[inline(never)]
    fn do_later(&mut self) {
        let mut done = 0;
        while let Some(&later) = self.later.get(done) {
            done += 1;
            match later {
                Later::Serve(instance) => self.serve(instance),
                Later::Pass(instance) => self.pass_on(instance, done),
                Later::Connect(instance, pool) => self.connect(instance, pool),
                Later::Full(instance) => self.memory_is_full(instance),
                Later::Crash(instance, bug) => self.kill(instance, Death::Bug(bug)),
            }
        }
        self.later.clear();
    }

    /// Whether the run must be stopped, and which component grew.
    fn beyond_limits(&self, events: u64) -> Option<Ending> {
        let bytes = self.bytes() as u64;
        let why = if bytes > self.plan.stop_memory {
            StopReason::Memory(bytes)
        } else if events > self.plan.stop_events {
            StopReason::Events(events)
        } else {
            return None;
        };
        let present = |c: &super::meter::ComponentMeter| c.levels.level(LevelOf::Present);
        let (component, meter) =
            self.meter.components.iter().enumerate().max_by_key(|(_, c)| present(c))?;
        let present = present(meter);
        Some(Ending::Stopped { why, component: component as u32, present })
    }

    /// What has come of it.
    ///
    /// # Panics
    /// If the books do not balance (see [`World::audit`]): the engine has an error, and no number
    /// of this run can be trusted.
    pub(super) fn finish(mut self, ending: Ending, events: u64) -> Outcome {
        if let Err(what) = self.audit() {
            panic!("an error of the engine in replica {}: {what}", self.replica);
        }
        let (clients, components) = self.take_measurements();
        Outcome {
            replica: self.replica,
            end: self.now,
            ending,
            events,
            fingerprint: self.meter.fingerprint,
            bucket: self.plan.bucket,
            clients,
            components,
            changes: std::mem::take(&mut self.meter.changes),
            response: self.response.take_outcome(),
            story: std::mem::take(&mut self.meter.story),
            untold: self.meter.untold,
            observed: std::mem::take(&mut self.meter.observed),
            strikes: self.bugs.iter().map(|b| b.strikes).collect(),
        }
    }
}
