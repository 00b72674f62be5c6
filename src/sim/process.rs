//! Process life: memory, death, stalling, restarts, freezing, health probes.

use super::agenda::Event;
use super::records::{Caller, Identity, TaskState};
use super::story::{Death, What};
use super::world::{Later, Process, Station, World};
use crate::component::AtLimit;
use crate::mitigation::LayerState;
use crate::mitigation::health::Verdict;
use crate::plan::{InstanceId, MemoryPlan, NONE, Needs, Op, OpId};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::{NEVER, Nanos, nearest};

/// Memory in use: base + held by requests present + leaked.
#[inline]
pub fn memory_used(plan: &MemoryPlan, station: &Station) -> u64 {
    match station.process() {
        Process::Down | Process::Starting => 0,
        Process::Up | Process::Stalled => {
            plan.base + plan.per_request * u64::from(station.present) + station.leaked
        }
    }
}

/// How many times longer work takes because of memory use: 1 up to `from`, then linear in *speed*
/// down to 1/slowdown at the limit.
#[inline]
pub fn pressure(plan: &MemoryPlan, station: &Station) -> f64 {
    let Some((from, slowdown)) = plan.pressure else { return 1.0 };
    let share = memory_used(plan, station) as f64 / plan.limit as f64;
    if share <= from {
        return 1.0;
    }
    let depth = ((share - from) / (1.0 - from).max(1e-9)).min(1.0);
    1.0 / (1.0 - depth * (1.0 - 1.0 / slowdown))
}

impl World<'_> {
    /// Looks whether an instance has passed its memory limit; what follows is put off until the
    /// present event is done.
    pub fn look_at_memory(&mut self, instance: InstanceId) {
        let station = &self.stations[instance as usize];
        let plan = &self.plan.components[station.component as usize];
        let Some(memory) = &plan.memory else { return };
        if station.process() != Process::Up {
            return;
        }
        let used = memory_used(memory, station);
        self.meter.memory(station.component, used);
        if let Some((from, _)) = memory.pressure
            && station.noted & 4 == 0
            && used as f64 >= from * memory.limit as f64
        {
            self.stations[instance as usize].noted |= 4;
            self.meter.tell(self.now, What::MemoryPressure { instance, used, limit: memory.limit });
        }
        if used > memory.limit {
            self.later.push(Later::Full(instance));
        }
    }

    /// An instance has passed its memory limit: what is stated for that happens, once.
    pub fn memory_is_full(&mut self, instance: InstanceId) {
        let station = &self.stations[instance as usize];
        let plan = &self.plan.components[station.component as usize];
        let Some(memory) = plan.memory.as_ref().filter(|_| station.process() == Process::Up) else {
            return;
        };
        let (used, limit) = (memory_used(memory, station), memory.limit);
        if used <= limit {
            return; // Requests have ended in the meantime of the same event.
        }
        match memory.at_limit {
            AtLimit::Killed => self.kill(instance, Death::OutOfMemory { used, limit }),
            AtLimit::Stalls => self.stall(instance, used, limit),
        }
    }

    /// What a request that ends leaks.
    #[inline]
    pub fn leak_of_request(&mut self, instance: InstanceId) {
        let station = &mut self.stations[instance as usize];
        let bytes =
            self.plan.components[station.component as usize].leaks[station.version as usize].0;
        if bytes > 0 {
            station.leaked += bytes;
            self.look_at_memory(instance);
        }
    }

    /// What a failed call leaks at its caller.
    #[inline]
    pub fn leak_of_failed_call(&mut self, instance: InstanceId) {
        let station = &mut self.stations[instance as usize];
        let bytes =
            self.plan.components[station.component as usize].leaks[station.version as usize].1;
        if bytes > 0 && station.process() == Process::Up {
            station.leaked += bytes;
            self.look_at_memory(instance);
        }
    }

    /// The process stalls: it keeps what it holds and does nothing with it.
    fn stall(&mut self, instance: InstanceId, used: u64, limit: u64) {
        self.stations[instance as usize].set_process(Process::Stalled);
        self.meter.instance_changes(self.now, self.replica_of(instance), Process::Stalled);
        self.stations[instance as usize].tally.deaths += 1;
        self.meter.tipped(self.now, self.stations[instance as usize].component);
        self.meter.tell(self.now, What::Stalled { instance, used, limit });
        for index in self.tasks_on(instance) {
            self.hang(index);
        }
    }

    /// The tasks on an instance, in the order in which they came. A scan: instances die rarely, and
    /// a list of them would cost every request.
    pub fn tasks_on(&self, instance: InstanceId) -> Vec<u32> {
        let on = |i: &u32| self.tasks.is_taken(*i) && self.tasks[*i].instance == instance;
        let travels = |i: &u32| self.tasks[*i].state == TaskState::Travels;
        let mut tasks: Vec<u32> =
            (0..self.tasks.slots()).filter(|i| on(i) && !travels(i)).collect();
        tasks.sort_by_key(|index| self.turn_of_task(*index));
        tasks
    }

    /// Where a task stands among those of its instance to which the same happens at one moment:
    /// first come, first; those who came at one moment by lot, and branches of one by their order.
    /// (The order of slots would be another one in a faster engine.)
    pub fn turn_of_task(&self, index: u32) -> (Nanos, u64, OpId) {
        let task = &self.tasks[index];
        (task.came, task.luck.bits(), task.op)
    }

    /// The process dies: connections are reset, what it held is gone. The supervisor, if any,
    /// restarts it.
    pub fn kill(&mut self, instance: InstanceId, death: Death) {
        let station = &self.stations[instance as usize];
        if matches!(station.process(), Process::Down | Process::Starting) {
            return;
        }
        let component = station.component;
        let caused_by_change = matches!(death, Death::Change);
        self.meter.tell(self.now, What::Died { instance, death });
        self.meter.components[component as usize].deaths += 1;
        if !caused_by_change {
            self.stations[instance as usize].tally.deaths += 1;
            self.meter.tipped(self.now, component);
        }
        let life = self.clear(instance, Process::Down);
        if caused_by_change {
            self.stations[instance as usize].down_by_change = true;
            return;
        }
        self.restart_by_supervisor(instance, life);
    }

    fn restart_by_supervisor(&mut self, instance: InstanceId, life: u32) {
        let plan = self.component_of(instance);
        let Some(restart) = &plan.restart else { return };
        let station = &mut self.stations[instance as usize];
        let lived = self.now - station.up_since;
        let mut wait = 0;
        if let Some((first, cap, reset)) = restart.back_off {
            if lived >= reset {
                station.crashes = 0;
            }
            station.crashes += 1;
            if station.crashes > 1 {
                let doublings = (station.crashes - 2).min(40);
                wait = first.saturating_mul(1 << doublings).min(cap);
            }
        }
        wait += restart.takes.sample_nanos(&mut station.luck);
        station.set_process(Process::Starting);
        self.agenda.at(self.now + wait, Event::ProcessUp { instance, life });
    }

    /// Ends a process: every connection is reset, and the instance is empty. Returns its new life.
    fn clear(&mut self, instance: InstanceId, process: Process) -> u32 {
        let victims = self.tasks_on(instance);
        let mut waiting = Vec::with_capacity(victims.len());
        let mut children = Vec::new();
        for &index in &victims {
            let task = &self.tasks[index];
            waiting.push((task.call, task.attempt));
            children.push(task.child);
        }
        let mut present = 0;
        let in_line = self.stations[instance as usize].line.len() as i32;
        let mut lost = 0;
        let now = self.now;
        let component = self.stations[instance as usize].component;
        for index in victims {
            let task = &self.tasks[index];
            lost += u64::from(!task.is_branch && task.identity.class != NONE);
            if task.is_present() {
                present += 1;
                let warm_up = self.meter.warm_up();
                self.meter.components[component as usize].leaves(now, task.came, warm_up);
            }
            self.tasks.free(index);
        }
        let station = &mut self.stations[instance as usize];
        assert_eq!(present, station.present, "present tasks are counted");
        let counts = &mut self.meter.components[component as usize];
        counts.lost += lost;
        station.tally.lost(lost);
        counts.line_changes(now, -in_line, 0);
        counts.busy_changes(now, -(station.busy as i32));
        station.set_process(process);
        station.life += 1;
        (station.busy, station.present, station.hung, station.leaked) = (0, 0, 0, 0);
        station.noted = 0;
        station.line.clear();
        if let Some(cpu) = &mut station.cpu {
            cpu.clear(now);
        }
        super::cache::clear(&mut station.caches);
        for pool in &mut station.pools {
            *pool = super::world::PoolState::default();
        }
        let life = station.life;
        let (door, chain) = self.new_layers(component);
        let station = &mut self.stations[instance as usize];
        (station.door, station.chain) = (door, chain);
        self.meter.instance_changes(now, self.replica_of(instance), process);
        for child in children {
            self.abandon_call(child, true);
        }
        self.forget_layers(instance);
        for (call, attempt) in waiting {
            let is_live = self.calls.is_live(call.index, call.life);
            if is_live && !self.edges[self.calls[call.index].edge as usize].is_cut() {
                let next = self.answered(call, attempt, Status::Reset);
                self.go(next);
            }
        }
        life
    }

    /// What the layers around an instance's calls had learnt was in its process.
    fn forget_layers(&mut self, instance: InstanceId) {
        let component = self.stations[instance as usize].component;
        let callers = self.components[component as usize].instances.len();
        for (edge, plan) in self.edges.iter_mut().zip(&self.plan.edges) {
            // Instances that were added later share the layers of the first ones.
            let is_own = plan.from == component && callers <= edge.layers.len();
            if is_own && !plan.layers.is_empty() {
                let row = edge.row(instance);
                edge.layers[row] = plan.layers.iter().map(LayerState::new).collect();
            }
        }
    }

    /// Replaces the process of an instance: what it held is gone; it serves again after
    /// `start_takes`.
    pub fn replace(&mut self, instance: InstanceId) {
        self.replace_within(instance, None);
    }

    /// As [`Self::replace`], after a given time.
    pub fn replace_within(&mut self, instance: InstanceId, takes: Option<Nanos>) {
        let alive = !matches!(
            self.stations[instance as usize].process(),
            Process::Down | Process::Starting
        );
        let life = if alive {
            self.meter.tell(self.now, What::Died { instance, death: Death::Replaced });
            self.clear(instance, Process::Starting)
        } else {
            let station = &mut self.stations[instance as usize];
            station.life += 1;
            station.set_process(Process::Starting);
            station.life
        };
        let law = &self.component_of(instance).start_takes;
        let station = &mut self.stations[instance as usize];
        station.crashes = 0;
        let drawn = || law.as_ref().map_or(0, |l| l.sample_nanos(&mut station.luck));
        let takes = takes.unwrap_or_else(drawn);
        self.agenda.at(self.now + takes, Event::ProcessUp { instance, life });
    }

    /// A process comes up, unless another has taken its place since, or a change holds it down.
    pub fn process_up(&mut self, instance: InstanceId, life: u32) {
        let station = &mut self.stations[instance as usize];
        if station.life != life || station.process() == Process::Up {
            return;
        }
        if !station.knobs().up {
            station.set_process(Process::Down);
            station.down_by_change = true;
            return;
        }
        station.set_process(Process::Up);
        station.down_by_change = false;
        station.up_since = self.now;
        station.leaked = 0;
        self.meter.instance_changes(self.now, self.replica_of(instance), Process::Up);
        self.meter.tell(self.now, What::CameUp { instance });
        self.look_at_memory(instance);
    }

    /// An identity of the instance for fingerprints, whatever else is in the model.
    fn replica_of(&self, instance: InstanceId) -> u64 {
        let station = &self.stations[instance as usize];
        let plan = &self.plan.components[station.component as usize];
        crate::rng::seed_of(u64::from(station.number), 0, "instance", &plan.name)
    }

    /// Freezes or thaws what an instance is doing.
    pub fn freeze(&mut self, instance: InstanceId, frozen: bool) {
        let slower = self.stations[instance as usize].knobs().slower;
        if let Some(cpu) = &mut self.stations[instance as usize].cpu {
            cpu.set_speed(self.now, if frozen { 0.0 } else { 1.0 / slower });
            self.plan_cpu(instance);
        }
        for index in self.tasks_on(instance) {
            let task = &self.tasks[index];
            if task.state == TaskState::Works && !task.on_cpu {
                if frozen { self.freeze_task(index) } else { self.thaw_task(index) }
            }
        }
        if !frozen {
            self.later.push(Later::Serve(instance));
        }
    }

    /// Stops the work of a task; what is left of it is kept.
    pub fn freeze_task(&mut self, index: u32) {
        let epoch = self.epoch();
        let task = &mut self.tasks[index];
        if task.frozen {
            return;
        }
        task.frozen = true;
        task.until -= self.now;
        task.epoch = epoch;
    }

    fn thaw_task(&mut self, index: u32) {
        if !self.tasks[index].frozen {
            return;
        }
        self.tasks[index].frozen = false;
        let left = self.tasks[index].until;
        self.schedule_work(index, left);
    }

    /// The work in progress on an instance goes `factor` times slower from now on.
    pub fn rescale(&mut self, instance: InstanceId, factor: f64) {
        if self.stations[instance as usize].cpu.is_some() {
            return; // A CPU always works at its present speed.
        }
        for index in self.tasks_on(instance) {
            let task = &self.tasks[index];
            let step = self.plan.ops.get((task.op as usize).wrapping_sub(1));
            // A plain wait, or a delay, is no work.
            let is_work = matches!(step, Some(Op::Work(_) | Op::MiddlewareWork(_)));
            if task.state != TaskState::Works || !is_work {
                continue;
            }
            if task.frozen {
                self.tasks[index].until = nearest(task.until as f64 * factor);
            } else {
                let left = nearest((task.until - self.now) as f64 * factor);
                self.schedule_work(index, left);
            }
        }
    }

    /// A health probe of an instance is due: it is sent, and the next one put on the agenda.
    pub fn probe(&mut self, instance: InstanceId) {
        let plan = self.component_of(instance);
        let Some(probe) = &plan.probe else { return };
        self.agenda.at(self.now + probe.interval, Event::Probe { instance });
        let process = self.stations[instance as usize].process();
        match probe.needs {
            Needs::Port => {
                let listens = matches!(process, Process::Up | Process::Stalled);
                self.probe_over(instance, if listens { Status::Ok } else { Status::Refused });
            }
            Needs::Worker | Needs::Dependency(_) => {
                if let Needs::Dependency(other) = probe.needs
                    && self.components[other as usize].fit.is_empty()
                {
                    return self.probe_over(instance, Status::Unavailable);
                }
                let identity = Identity { class: NONE, user: NONE, key: NONE };
                let caller = Caller::Probe(instance);
                let luck = Luck::new(0);
                let next = self.open_call(probe.edge, caller, NONE, identity, luck, NONE);
                self.go(next);
            }
        }
    }

    /// A probe is answered: the instance may become fit or unfit in the eyes of its callers.
    pub fn probe_over(&mut self, instance: InstanceId, status: Status) {
        let station = &mut self.stations[instance as usize];
        let Some(checker) = &mut station.checker else { return };
        let Some(verdict) = checker.result(status.is_good()) else { return };
        let fit = verdict == Verdict::Up;
        station.fit = fit;
        let component = station.component;
        let what = if fit { What::Fit { instance } } else { What::Unfit { instance } };
        self.meter.tell(self.now, what);
        self.find_fit(component);
    }

    /// Finds anew which instances of a component callers may choose.
    pub fn find_fit(&mut self, component: u32) {
        let stations = &self.stations;
        let state = &mut self.components[component as usize];
        state.fit.clear();
        let fit =
            state.instances.iter().zip(&state.all).filter(|(i, _)| stations[**i as usize].fit);
        state.fit.extend(fit.map(|(_, number)| *number));
    }

    /// First probes of all instances: each on a phase of its own.
    pub fn first_probes(&mut self) {
        for instance in 0..self.stations.len() as u32 {
            let Some(interval) = self.component_of(instance).probe.as_ref().map(|p| p.interval)
            else {
                continue;
            };
            let phase = self.stations[instance as usize].luck.unit();
            let at = nearest(interval as f64 * phase);
            if interval != NEVER {
                self.agenda.at(at, Event::Probe { instance });
            }
        }
    }
}
