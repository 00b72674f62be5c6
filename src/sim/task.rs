//! The callee's side: an attempt arrives, waits for a worker, goes through its steps, and ends.

mod calling;
mod ending;
mod giving_up;
mod on_cpu;
mod parallel;
mod waiting;

use super::agenda::Event;
use super::call::luck;
use super::meter::ComponentMeter;
use super::plain;
use super::records::{Id, Task, TaskState, Tasks};
use super::world::{Process, Station, World};
use crate::plan::{InstanceId, NONE, Op, OpId, Plan};
use crate::status::Status;
use crate::units::{Nanos, nearest};
pub(super) use calling::passed_on;
pub(super) use ending::free_worker;

/// The task that goes on now, if one does; or the plain request (see [`plain::goes_on`]).
///
/// What happens to a task or a call does not make others go on itself: it returns who does, and
/// [`World::go`] runs their programs in one loop. So nothing nests, however long a chain of
/// calls and answers at one moment is.
pub type Next = Option<u32>;

impl World<'_> {
    /// An attempt reaches its instance.
    #[inline(always)]
    pub fn arrive(&mut self, index: u32) -> Next {
        let World { tasks, stations, meter, plan, .. } = self;
        let (task, life) = tasks.with_life(index);
        let station = &mut stations[task.instance as usize];
        let counts = &mut meter.components[station.component as usize];
        task.came = self.now;
        counts.requests += u64::from(task.identity.class != NONE);
        let at_once = station.serves_at_once();
        if !station.is_open() || !at_once && !station.just_waits() {
            return self.arrive_with_care(index);
        }
        station.present += 1;
        counts.enters(self.now);
        if !at_once {
            self.epochs = self.epochs.wrapping_add(1);
            (task.state, task.epoch) = (TaskState::Waits, self.epochs);
            station.line.push(Id { index, life });
            counts.line_changes(self.now, 1, station.line.len());
            return None;
        }
        take_worker(task, station, counts, self.now);
        if begins_plainly(plan, station, counts, task) {
            return Some(index);
        }
        self.begin_with_care(index)
    }

    /// An attempt reaches an instance that is busy, or not as it should be.
    #[inline(never)]
    pub(super) fn arrive_with_care(&mut self, index: u32) -> Next {
        let instance = self.tasks[index].instance;
        if !self.stations[instance as usize].is_open()
            && let Some(status) = self.refusal(index)
        {
            return self.turn_away(index, status);
        }
        let station = &mut self.stations[instance as usize];
        let at_once = station.serves_at_once();
        if !at_once && station.line.len() >= station.line_capacity {
            return self.line_is_full(index);
        }
        station.present += 1;
        self.meter.components[station.component as usize].enters(self.now);
        if at_once {
            return self.start(index);
        }
        self.wait_in_line(index);
        None
    }

    /// With which status an attempt is turned away at the door, if it is.
    #[inline(never)]
    fn refusal(&mut self, index: u32) -> Option<Status> {
        let task = &self.tasks[index];
        let station = &self.stations[task.instance as usize];
        if let Some(status) = refusal_of(station.process()) {
            return Some(status);
        }
        if station.present >= station.connections {
            return Some(Status::Unavailable);
        }
        if task.identity.class == NONE {
            return None; // Probes pass errors and layers.
        }
        let errors = station.knobs().error_share;
        if errors > 0.0 && task.luck.at(luck::ERROR).unit() < errors {
            return Some(station.knobs().error_status);
        }
        self.ask_door(index)
    }

    /// An attempt finds the line full.
    fn line_is_full(&mut self, index: u32) -> Next {
        let task = &self.tasks[index];
        let (instance, is_probe) = (task.instance, task.identity.class == NONE);
        self.note_full_line(instance);
        let plan = self.component_of(instance);
        if !plan.layers.is_empty() && !is_probe {
            self.tell_door(index, Status::Unavailable);
        }
        if plan.line_drops {
            self.drop_unanswered(index);
            return None;
        }
        self.turn_away(index, Status::Unavailable)
    }

    /// Refuses a task that has not entered. Refusing costs CPU where the component says so.
    #[inline(never)]
    fn turn_away(&mut self, index: u32, status: Status) -> Next {
        let instance = self.tasks[index].instance;
        let station = &self.stations[instance as usize];
        let plan = &self.plan.components[station.component as usize];
        if self.tasks[index].identity.class != NONE {
            self.meter.components[station.component as usize].turned_away += 1;
        }
        let has_cost = plan.cost_of_rejecting > 0 && station.process() == Process::Up;
        if has_cost && matches!(status, Status::Unavailable | Status::RateLimited) {
            // The refusal is CPU work like any other; the task keeps its verdict meanwhile.
            self.tasks[index].op = REFUSES | status as u32;
            let demand = plan.cost_of_rejecting as f64;
            self.put_on_cpu(index, demand);
            return None;
        }
        self.answer(index, status)
    }

    /// A worker of this instance may be free: serves its line.
    #[inline(never)]
    pub fn serve(&mut self, instance: InstanceId) {
        debug_assert!(!self.stations[instance as usize].is_plain, "its workers are passed on");
        loop {
            let World { tasks, stations, meter, .. } = self;
            let station = &mut stations[instance as usize];
            let may_start = station.process() == Process::Up
                && station.busy < station.workers
                && !station.knobs().frozen;
            if !may_start {
                return;
            }
            let Some(id) = station.line.pop(&mut station.luck, |id| waits(tasks, id)) else {
                return;
            };
            let component = station.component as usize;
            meter.components[component].line_changes(self.now, -1, 0);
            if station.drops_abandoned && self.is_abandoned(id.index) {
                self.meter.components[component].dropped += 1;
                self.tasks[id.index].state = TaskState::Travels;
                let next = self.end_task(id.index, Status::Cancelled);
                self.go(next);
                continue;
            }
            let next = self.start(id.index);
            self.go(next);
        }
    }

    /// A task gets a worker and goes on.
    #[inline(always)]
    fn start(&mut self, index: u32) -> Next {
        let World { tasks, stations, meter, plan, .. } = self;
        let task = &mut tasks[index];
        let station = &mut stations[task.instance as usize];
        let counts = &mut meter.components[station.component as usize];
        take_worker(task, station, counts, self.now);
        if task.op != NONE || begins_plainly(plan, station, counts, task) {
            return Some(index);
        }
        self.begin_with_care(index)
    }

    /// A task has got its first worker, on an instance with memory or one that is watched, or there
    /// is nothing for it to do.
    #[inline(never)]
    fn begin_with_care(&mut self, index: u32) -> Next {
        let task = &self.tasks[index];
        let (instance, class, wait) = (task.instance, task.identity.class, self.now - task.came);
        let station = &self.stations[instance as usize];
        let Station { component, has_memory, .. } = *station;
        let op = first_op(self.plan, station, task);
        if class != NONE {
            self.wait_ends(component, class, wait, true);
        }
        match op {
            Ok(op) => self.tasks[index].op = op,
            Err(status) => return self.end_task(index, status),
        }
        if has_memory {
            self.look_at_memory(instance);
        }
        Some(index)
    }

    /// Runs programs: the operations of a task until one takes time, then those of whoever goes on
    /// because of it, until nobody does.
    #[inline(always)]
    pub fn go(&mut self, next: Next) {
        let Some(index) = next else { return };
        let next = match plain::of(index) {
            Some(plain) => self.go_plainly(plain),
            None => next,
        };
        if next.is_some() {
            self.run_programs(next);
        }
    }

    #[inline(never)]
    fn run_programs(&mut self, mut next: Next) {
        while let Some(index) = next {
            if let Some(plain) = plain::of(index) {
                next = self.go_plainly(plain);
                continue;
            }
            let plan = self.plan;
            let task = &mut self.tasks[index];
            let at = task.op;
            task.op += 1;
            // Matched in its place: a copy goes by way of memory.
            next = match plan.ops[at as usize] {
                Op::Work(work) => self.work(index, work),
                Op::Call(edge) => self.call_out(index, edge),
                Op::Reply(status) => self.end_task(index, status),
                Op::Jump(to) => {
                    task.op = to;
                    next
                }
                other => self.rare_operation(index, other),
            };
        }
    }

    /// One of the operations that few programs have.
    #[inline(never)]
    fn rare_operation(&mut self, index: u32, op: Op) -> Next {
        match op {
            Op::Wait(work) => {
                let plan = &self.plan.works[work as usize];
                let luck = self.tasks[index].luck.at(plan.luck);
                return self.schedule_work(index, plan.takes.sample_nanos(&mut luck.rng()));
            }
            Op::LookUp { cache, hit } => {
                if self.is_cached(index, cache) {
                    self.tasks[index].op = self.plan.alternatives[hit as usize].target;
                }
            }
            Op::Fill(cache) => self.fill_cache(index, cache),
            Op::StartOver(to) => {
                let task = &mut self.tasks[index];
                task.op = to;
                task.luck = task.luck.at(luck::ROUND);
                // By way of the agenda: rounds that take no time must not nest.
                return self.schedule_work(index, 0);
            }
            Op::Choose { first, count, luck } => self.branch_off(index, first, count, luck),
            Op::Fork { first, count, copies, need } => {
                return self.fork(index, first, (count, copies), need);
            }
            Op::Bugs => return self.own_bugs_strike(index),
            Op::Middleware(middleware) => return self.meet_middleware(index, middleware),
            Op::MiddlewareWork(middleware) => return self.pass_middleware(index, middleware),
            // `go` does these itself.
            Op::Work(_) | Op::Call(_) | Op::Reply(_) | Op::Jump(_) => {}
        }
        Some(index)
    }

    /// A work step begins.
    #[inline(always)]
    pub fn work(&mut self, index: u32, work: u32) -> Next {
        let World { tasks, stations, agenda, .. } = self;
        let plan = &self.plan.works[work as usize];
        let task = &mut tasks[index];
        let base = plan.takes.sample_nanos(&mut task.luck.at(plan.luck).rng());
        task.work += base;
        let is_plain = !task.is_struck && !plan.crowds && base < 1 << 53;
        // Most work takes what was drawn. (Below 2^53 ns a float holds it exactly.)
        if is_plain && stations[task.instance as usize].is_at_full_speed() {
            self.epochs = self.epochs.wrapping_add(1);
            let (epoch, until) = (self.epochs, self.now + base);
            task.state = TaskState::Works;
            task.on_cpu = false;
            task.epoch = epoch;
            task.until = until;
            agenda.at(until, Event::WorkDone { task: index, epoch });
            return None;
        }
        self.work_under_conditions(index, work, base)
    }

    /// A work step begins that may take longer than was drawn.
    #[inline(never)]
    fn work_under_conditions(&mut self, index: u32, work: u32, base: Nanos) -> Next {
        let plan = &self.plan.works[work as usize];
        let station = &self.stations[self.tasks[index].instance as usize];
        let others = station.present.saturating_sub(1);
        let mut takes = (base + plan.plus_per_present * u64::from(others + 1)) as f64;
        takes *= 1.0 + plan.times_per_other * f64::from(others);
        let mut slower = self.tasks.extra(index).map_or(1.0, |extra| extra.slow);
        if station.cpu.is_none() {
            slower *= station.knobs().slower;
        }
        if let Some(memory) = &self.plan.components[station.component as usize].memory {
            slower *= super::process::pressure(memory, station);
        }
        takes *= slower;
        if station.cpu.is_some() {
            self.put_on_cpu(index, takes);
            return None;
        }
        self.schedule_work(index, nearest(takes))
    }

    /// The task's next event is the end of its work after `takes`; nobody goes on now.
    #[inline(never)]
    pub fn schedule_work(&mut self, index: u32, takes: Nanos) -> Next {
        if let Some((until, event)) = self.set_to_work(index, takes) {
            self.agenda.at(until, event);
        }
        None
    }

    /// A task works from now on. Gives the end of it, which has to be scheduled, unless the
    /// instance is frozen.
    #[inline(always)]
    fn set_to_work(&mut self, index: u32, takes: Nanos) -> Option<(Nanos, Event)> {
        let epoch = self.epoch();
        let until = self.now.saturating_add(takes);
        let task = &mut self.tasks[index];
        task.state = TaskState::Works;
        task.on_cpu = false;
        task.epoch = epoch;
        task.until = until;
        let instance = task.instance;
        if self.stations[instance as usize].knobs().frozen {
            self.freeze_task(index);
            return None;
        }
        Some((until, Event::WorkDone { task: index, epoch }))
    }

    /// A task's work step is done.
    #[inline(always)]
    pub fn work_done(&mut self, index: u32) -> Next {
        let op = self.tasks[index].op;
        if op >= REFUSES {
            let status = Status::ALL[(op & !REFUSES) as usize];
            return self.refused(index, status);
        }
        Some(index)
    }

    /// The work of refusing a task is done.
    #[inline(never)]
    fn refused(&mut self, index: u32, status: Status) -> Next {
        self.answer(index, status)
    }

    /// A worker of an instance becomes free.
    pub(super) fn release_worker(&mut self, instance: InstanceId) {
        let station = &mut self.stations[instance as usize];
        let counts = &mut self.meter.components[station.component as usize];
        free_worker(instance, station, counts, &mut self.later, self.now);
    }
}

/// With which status a process turns away whoever comes, if it does.
pub(super) fn refusal_of(process: Process) -> Option<Status> {
    match process {
        Process::Up => None,
        Process::Stalled => Some(Status::Unavailable),
        Process::Starting | Process::Down => Some(Status::Refused),
    }
}

/// Marks the `op` of a task whose refusal is being worked on; the status stands below. `NONE` is
/// above.
pub(super) const REFUSES: u32 = 0xFFFF_0000;

/// A task gets a worker. It is on the instance from here on, also for a bug that kills the process
/// at once.
#[inline(always)]
fn take_worker(task: &mut Task, station: &mut Station, counts: &mut ComponentMeter, now: Nanos) {
    (task.holds_worker, task.state) = (true, TaskState::Works);
    station.busy += 1;
    counts.busy_changes(now, 1);
}

/// Whether nobody is to be told that a task has got its first worker, and it has something to do;
/// its first operation is then set.
#[inline(always)]
fn begins_plainly(
    plan: &Plan,
    station: &Station,
    counts: &ComponentMeter,
    task: &mut Task,
) -> bool {
    if station.has_memory || counts.is_watched {
        return false;
    }
    let first = first_op(plan, station, task);
    task.op = first.unwrap_or(NONE);
    first.is_ok()
}

/// The first operation of the program that a task runs.
#[inline(always)]
fn first_op(plan: &Plan, station: &Station, task: &Task) -> Result<OpId, Status> {
    if task.identity.class == NONE {
        return Err(Status::Ok); // A probe has what it wanted: a worker.
    }
    let plan = &plan.components[station.component as usize];
    // 404: this version does not have the endpoint.
    plan.program(station.version, task.endpoint).ok_or(Status::ClientError)
}

fn waits(tasks: &Tasks, id: Id) -> bool {
    tasks.is_live(id.index, id.life) && tasks[id.index].state == TaskState::Waits
}
