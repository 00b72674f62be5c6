//! The world: all that is mutable in one replica. [`super::run`] owns it.

use super::agenda::Agenda;
use super::arena::Arena;
use super::cache::Cache;
use super::cpu::Cpu;
use super::line::Line;
use super::meter::Meter;
use super::records::{Calls, Id, Tasks};
use super::response::ResponseState;
use super::turns::TurnTable;
use super::visit::{ClientState, Visit};
use crate::change::knob::Knobs;
use crate::mitigation::balance::Picker;
use crate::mitigation::health::Checker;
use crate::mitigation::{Layer, LayerState};
use crate::plan::{BugId, ComponentId, InstanceId, NONE, Plan, Timeout};
use crate::rng::Stream;
use crate::status::Status;
use crate::units::Nanos;
use std::collections::VecDeque;

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Serving.
    Up,
    /// Coming up: refuses connections.
    Starting,
    /// Out of memory and stuck: keeps its connections, refuses what comes with 503.
    Stalled,
    /// Dead: refuses connections.
    Down,
}

/// One instance of a component. What every request needs stands first, to share cache lines.
#[derive(Debug)]
#[repr(C)]
pub struct Station {
    /// Its component.
    pub component: ComponentId,
    /// Workers in use.
    pub busy: u32,
    /// Worker slots (the plan's, or fewer by a knob).
    pub workers: u32,
    /// Requests present: waiting, at work, calling.
    pub present: u32,
    /// Requests that it may hold (the plan's).
    pub connections: u32,
    /// Places in its line (the plan's).
    pub line_capacity: u32,
    /// The version that runs.
    pub version: u32,
    /// Its process.
    process: Process,
    /// Whether it is up and no change slows it, freezes it or makes it fail.
    is_calm: bool,
    /// Whether it has neither memory nor CPU cores that make work slower.
    has_steady_speed: bool,
    /// Whether it has layers at its door.
    has_door: bool,
    /// Whether its memory is modelled.
    pub has_memory: bool,
    /// What has happened on it since the last deploy.
    pub tally: super::rollout::Tally,
    /// The waiting line.
    pub line: Line,
    /// What changes make of it.
    knobs: Knobs,
    /// Its number among the instances of its component, from 0.
    pub number: u32,
    /// Number of the process: raised whenever one dies or is replaced.
    pub life: u32,
    /// The version before the last deploy.
    pub version_before: u32,
    /// Workers held by requests that will never end.
    pub hung: u32,
    /// Memory leaked by this process.
    pub leaked: u64,
    /// The CPU, where it is modelled.
    pub cpu: Option<Cpu>,
    /// Number that the next `CpuDone` must carry.
    pub cpu_epoch: u32,
    /// Caches (those that are shared stay empty here).
    pub caches: Vec<Cache>,
    /// Pools to callees.
    pub pools: Vec<PoolState>,
    /// Layers at the door.
    pub door: Vec<LayerState>,
    /// Layers of the middleware in its chain, one list for each.
    pub chain: Vec<Vec<LayerState>>,
    /// Health as callers see it.
    pub fit: bool,
    /// The counter behind it.
    pub checker: Option<Checker>,
    /// When this process came up.
    pub up_since: Nanos,
    /// Deaths in a row, for the crash-loop back-off.
    pub crashes: u32,
    /// A change holds it down; it comes up when the change ends.
    pub down_by_change: bool,
    /// Luck of the line's discipline, of restart times.
    pub luck: Stream,
    /// Whether it has been noted that the line overflowed, that workers ran out (once for each
    /// process).
    pub noted: u8,
}

impl Station {
    /// Its process.
    #[inline]
    pub fn process(&self) -> Process {
        self.process
    }

    /// The process changes its state.
    pub fn set_process(&mut self, process: Process) {
        self.process = process;
        self.look_whether_calm();
    }

    /// What changes make of it.
    #[inline]
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Changes make something else of it.
    pub fn set_knobs(&mut self, knobs: Knobs) {
        self.knobs = knobs;
        self.look_whether_calm();
    }

    fn look_whether_calm(&mut self) {
        // The number of workers is no matter of calm: it is looked at in any case.
        let untouched = Knobs { workers: self.knobs.workers, ..Knobs::default() };
        self.is_calm = self.process == Process::Up && self.knobs == untouched;
    }

    /// Whether whoever comes is let in, as long as there is room.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.is_calm && !self.has_door && self.present < self.connections
    }

    /// Whether it has layers at its door.
    #[inline]
    pub fn has_door(&self) -> bool {
        self.has_door
    }

    /// Whether work takes what was drawn for it.
    #[inline]
    pub fn is_at_full_speed(&self) -> bool {
        self.is_calm && self.has_steady_speed
    }

    /// Whether whoever has come gets a worker at once.
    #[inline]
    pub fn serves_at_once(&self) -> bool {
        self.busy < self.workers && self.line.is_empty() && !self.knobs.frozen
    }
}

/// Connections of one instance to one callee.
#[derive(Debug, Default)]
pub struct PoolState {
    /// In use, leaked ones included.
    pub in_use: u32,
    /// Leaked.
    pub leaked: u32,
    /// Calls that wait for one.
    pub waiting: VecDeque<(Id, u16)>,
}

/// A component's state that is not one instance's.
#[derive(Debug)]
pub struct ComponentState {
    /// All instances, those added by an action included.
    pub instances: Vec<InstanceId>,
    /// Positions in `instances` of those that callers may choose, rising.
    pub fit: Vec<u32>,
    /// All positions.
    pub all: Vec<u32>,
    /// A middleware that has been taken out.
    pub disabled: bool,
    /// Caches (those that are not shared stay empty here).
    pub caches: Vec<Cache>,
}

/// A call site's state. What every call needs stands first.
#[derive(Debug)]
#[repr(C)]
pub struct EdgeState {
    /// The callee.
    pub to: ComponentId,
    /// The lane of its time-outs; [`NONE`] where they are drawn or there are none.
    pub timeout_lane: u32,
    /// The lane of deadlines; [`NONE`] when calls have none.
    pub deadline_lane: u32,
    /// Whether attempts and answers arrive at once: no network, no change that cuts or delays.
    is_direct: bool,
    /// Whether its plan has a network.
    has_network: bool,
    /// Whether an attempt needs a connection of a pool.
    pub has_pool: bool,
    /// Whether time-outs are drawn.
    pub draws_timeouts: bool,
    /// Whether a layer may do something when a call goes in.
    pub asks: bool,
    /// Whether a layer may do something with a good answer.
    pub minds_ok: bool,
    /// Whether its choice wants luck.
    pub draws_instances: bool,
    /// Chooses the instance; one for each calling instance (one for a client).
    pub pickers: Vec<Picker>,
    /// Layers, for each calling instance one list.
    pub layers: Vec<Vec<LayerState>>,
    /// Attempts out, for each calling instance and target; empty where the choice does not need it.
    pub out: Vec<u32>,
    /// Attempts sent.
    pub sent: u64,
    /// Those that were not the first of their call.
    pub retried: u64,
    /// Copies that a hedge sent: first attempts of theirs.
    pub hedged: u64,
    /// Attempts that timed out.
    pub timed_out: u64,
    /// Attempts that the layers did not let out.
    pub not_sent: u64,
    /// Circuit breakers that opened.
    pub trips: u64,
    /// Those that opened again out of half-open.
    pub reopenings: u64,
    /// Turns that cut it.
    cuts: u32,
    /// Delay that turns add to each way.
    delay: Nanos,
    /// First calling instance, so that the lists can be indexed.
    pub first_caller: InstanceId,
    /// Instances of the callee that `out` has room for; those added later are not counted.
    pub targets: u32,
}

/// A bug's state.
#[derive(Debug)]
pub struct BugState {
    /// Turns that switch it on.
    pub switched_on: u32,
    /// Removed by a hotfix.
    pub fixed: bool,
    /// How often it struck.
    pub strikes: u64,
    /// Sliding logs of its rate condition: one for each instance, or one for all.
    pub logs: Vec<VecDeque<Nanos>>,
}

/// Work put off until the present event is done, so that handing over never recurses, and no
/// process dies in the middle of what is being done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// A worker of this instance may be free for its line.
    Serve(InstanceId),
    /// A connection of this pool may be free for those who wait.
    Connect(InstanceId, u32),
    /// The process has passed its memory limit.
    Full(InstanceId),
    /// A bug kills the process.
    Crash(InstanceId, BugId),
}

/// All that is mutable in one replica.
pub struct World<'p> {
    /// What is run.
    pub plan: &'p Plan,
    /// Number of the replica.
    pub replica: u64,
    /// The present time.
    pub now: Nanos,
    /// What comes.
    pub agenda: Agenda,
    /// Calls.
    pub calls: Calls,
    /// Tasks.
    pub tasks: Tasks,
    /// Visits.
    pub visits: Arena<Visit>,
    /// Instances.
    pub stations: Vec<Station>,
    /// Components.
    pub components: Vec<ComponentState>,
    /// Call sites.
    pub edges: Vec<EdgeState>,
    /// Clients.
    pub clients: Vec<ClientState>,
    /// Bugs.
    pub bugs: Vec<BugState>,
    /// Changes.
    pub turns: TurnTable,
    /// Alerts and people.
    pub response: ResponseState,
    /// What is measured.
    pub meter: Meter,
    /// Put off until the present event is done.
    pub later: VecDeque<Later>,
    /// Number for the next scheduled event of a task.
    pub epochs: u32,
}

impl<'p> World<'p> {
    /// The world at time 0 with nothing scheduled yet; [`World::prepare`] fills the agenda.
    pub fn new(plan: &'p Plan, replica: u64) -> World<'p> {
        let mut world = World {
            plan,
            replica,
            now: 0,
            agenda: Agenda::new(&plan.lanes),
            calls: Arena::new(),
            tasks: Arena::new(),
            visits: Arena::new(),
            stations: Vec::new(),
            components: Vec::with_capacity(plan.components.len()),
            edges: Vec::with_capacity(plan.edges.len()),
            clients: ClientState::all(plan, replica),
            bugs: Vec::new(),
            turns: TurnTable::new(plan),
            response: ResponseState::new(plan),
            meter: Meter::new(plan),
            later: VecDeque::new(),
            epochs: 0,
        };
        for id in 0..plan.components.len() as u32 {
            let instances = plan.components[id as usize].instances;
            let first = world.stations.len() as u32;
            for number in 0..instances {
                let station = world.new_station(id, number);
                world.stations.push(station);
            }
            let all: Vec<u32> = (0..instances).collect();
            let state = ComponentState {
                instances: (first..first + instances).collect(),
                fit: all.clone(),
                all,
                disabled: false,
                caches: plan.components[id as usize].caches.iter().map(Cache::new).collect(),
            };
            world.components.push(state);
        }
        world.edges = plan.edges.iter().map(|e| world.new_edge(e)).collect();
        world.bugs = plan.bugs.iter().map(|b| world.new_bug(b)).collect();
        world
    }

    /// An instance as it is when its process has just come up.
    pub fn new_station(&self, component: ComponentId, number: u32) -> Station {
        let plan = &self.plan.components[component as usize];
        let name = format!("{}.{number}", plan.name);
        let (door, chain) = self.new_layers(component);
        Station {
            component,
            busy: 0,
            workers: plan.workers,
            present: 0,
            connections: plan.connections,
            line_capacity: plan.line_capacity,
            version: plan.version,
            process: Process::Up,
            is_calm: true,
            has_steady_speed: plan.memory.is_none() && plan.cores == 0,
            has_door: !plan.layers.is_empty(),
            has_memory: plan.memory.is_some(),
            tally: super::rollout::Tally::default(),
            line: Line::new(plan.discipline),
            knobs: Knobs::default(),
            number,
            life: 0,
            version_before: 0,
            hung: 0,
            leaked: {
                // A stream of its own: what was leaked shifts nobody's numbers.
                let mut luck = Stream::new(self.plan.seed, self.replica, "leaked at start", &name);
                plan.leaked_at_start.sample(&mut luck).max(0.0) as u64
            },
            cpu: (plan.cores > 0).then(|| Cpu::new(plan.cores, plan.sharing)),
            cpu_epoch: 0,
            caches: plan.caches.iter().map(Cache::new).collect(),
            pools: plan.pools.iter().map(|_| PoolState::default()).collect(),
            door,
            chain,
            fit: true,
            checker: plan.probe.as_ref().map(|p| Checker::new(p.fall, p.rise)),
            up_since: 0,
            crashes: 0,
            down_by_change: false,
            luck: Stream::new(self.plan.seed, self.replica, "instance", &name),
            noted: 0,
        }
    }

    /// New layers for a new process: those at the door, and those of each middleware of the chain.
    pub fn new_layers(&self, component: ComponentId) -> (Vec<LayerState>, Vec<Vec<LayerState>>) {
        let layers = |c: ComponentId| {
            let specs = &self.plan.components[c as usize].layers;
            specs.iter().map(LayerState::new).collect::<Vec<_>>()
        };
        let chain = &self.plan.components[component as usize].middleware;
        (layers(component), chain.iter().map(|&m| layers(m)).collect())
    }

    fn new_edge(&self, edge: &crate::plan::EdgePlan) -> EdgeState {
        let (first, count) = match self.plan.components.get(edge.from as usize) {
            Some(from) => (from.first_instance, from.instances.max(1)),
            None => (0, 1),
        };
        let targets = self.plan.components[edge.to as usize].instances;
        let needs_out = edge.pick.needs_load() && targets > 1;
        let layers = || edge.layers.iter().map(LayerState::new).collect::<Vec<_>>();
        let own = layers();
        EdgeState {
            to: edge.to,
            timeout_lane: if let Timeout::Constant(_, lane) = edge.timeout { lane } else { NONE },
            deadline_lane: edge.deadline_lane,
            is_direct: edge.network.is_none(),
            has_network: edge.network.is_some(),
            has_pool: edge.pool != NONE,
            draws_timeouts: matches!(edge.timeout, Timeout::Drawn(_)),
            asks: edge.hedge != u8::MAX || own.iter().any(Layer::asks),
            minds_ok: edge.hedge != u8::MAX || own.iter().any(|layer| layer.minds(Status::Ok)),
            draws_instances: edge.pick.needs_luck(),
            pickers: (0..count).map(|_| Picker::new(&edge.pick, targets)).collect(),
            layers: (0..count).map(|_| layers()).collect(),
            out: vec![0; if needs_out { (count * targets) as usize } else { 0 }],
            sent: 0,
            retried: 0,
            hedged: 0,
            timed_out: 0,
            not_sent: 0,
            trips: 0,
            reopenings: 0,
            cuts: 0,
            delay: 0,
            first_caller: first,
            targets,
        }
    }

    fn new_bug(&self, bug: &crate::plan::BugPlan) -> BugState {
        let logs = match bug.rate {
            None => 0,
            Some(rate) if rate.per_component => 1,
            Some(_) => self.stations.len(),
        };
        BugState {
            switched_on: 0,
            fixed: false,
            strikes: 0,
            logs: (0..logs).map(|_| VecDeque::new()).collect(),
        }
    }

    /// The plan of an instance's component.
    #[inline]
    pub fn component_of(&self, instance: InstanceId) -> &'p crate::plan::ComponentPlan {
        &self.plan.components[self.stations[instance as usize].component as usize]
    }

    /// A number for a scheduled event of a task.
    #[inline]
    pub fn epoch(&mut self) -> u32 {
        self.epochs = self.epochs.wrapping_add(1);
        self.epochs
    }

    /// Bytes reserved for requests in flight and what they wait for.
    pub fn bytes(&self) -> usize {
        self.calls.bytes() + self.tasks.bytes() + self.visits.bytes() + self.agenda.bytes()
    }
}

impl EdgeState {
    /// What changes make of it: how many cut it, and the delay that they add to each way.
    pub fn set_way(&mut self, cuts: u32, delay: Nanos) {
        (self.cuts, self.delay) = (cuts, delay);
        self.is_direct = !self.has_network && cuts == 0 && delay == 0;
    }

    /// Whether nothing arrives.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.cuts > 0
    }

    /// Whether attempts and answers arrive at once.
    #[inline]
    pub fn is_direct(&self) -> bool {
        self.is_direct
    }

    /// Delay that changes add to each way.
    pub fn delay(&self) -> Nanos {
        self.delay
    }

    /// The row of a calling instance in the lists; instances added later share those of the first
    /// ones.
    #[inline]
    pub fn row(&self, from: InstanceId) -> usize {
        match self.pickers.len() {
            1 => 0,
            rows => (from - self.first_caller.min(from)) as usize % rows,
        }
    }

    /// Where the attempts out of a calling instance begin in `out`.
    #[inline]
    pub fn slot_base(&self, from: InstanceId) -> usize {
        self.row(from) * self.targets as usize
    }

    /// Where the attempts out to one target are counted, by its number among the instances of its
    /// component; beyond the list when they are not (instances added later).
    #[inline]
    pub fn slot(&self, from: InstanceId, number: u32) -> usize {
        if number < self.targets { self.slot_base(from) + number as usize } else { usize::MAX }
    }
}
