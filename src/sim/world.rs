//! The world: all that is mutable in one replica. [`super::run`] owns it.

use super::agenda::Agenda;
use super::arena::Arena;
use super::cache::Cache;
use super::meter::Meter;
use super::plain::Plains;
use super::records::{Calls, Tasks};
use super::response::ResponseState;
pub use super::station::{PoolState, Process, Station};
use super::turns::TurnTable;
use super::visit::{ClientState, Visit};
use crate::mitigation::balance::Picker;
use crate::mitigation::{Layer, LayerState};
use crate::plan::{BugId, ComponentId, InstanceId, NONE, OpId, PASSES, Plan, Timeout};
use crate::status::Status;
use crate::units::Nanos;
use std::collections::VecDeque;

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
    /// First operation of the callee's program where the callee is plain, or [`PASSES`]; else
    /// [`NONE`].
    ///
    /// [`PASSES`]: crate::plan::PASSES
    pub plain: OpId,
    /// The lane of its time-outs; [`NONE`] where they are drawn or there are none.
    pub timeout_lane: u32,
    /// The lane of deadlines; [`NONE`] when calls have none.
    pub deadline_lane: u32,
    /// Whether calls need no record but that of their first attempt.
    pub opens_plainly: bool,
    /// Whether besides nothing is to be done at the caller: no connection, no worker released.
    pub is_simple: bool,
    /// Whether attempts and answers arrive at once: no network, no change that cuts or delays.
    is_direct: bool,
    /// Whether its plan has a network.
    has_network: bool,
    /// Whether an attempt needs a connection of a pool.
    pub has_pool: bool,
    /// Whether more is to be done when an attempt goes out than to start a time-out that is the
    /// same for all: a connection to be taken, a time-out to be drawn, a copy to be counted.
    pub sends_with_care: bool,
    /// Whether the caller's worker is released while the call is out.
    pub releases_worker: bool,
    /// Whether more is to be done when a good answer comes back than to hand it over.
    pub ends_with_care: bool,
    /// Whether time-outs are drawn.
    pub draws_timeouts: bool,
    /// Whether a layer may do something when a call goes in.
    pub asks: bool,
    /// Whether a layer may do something with a good answer.
    pub minds_ok: bool,
    /// Whether a layer may do something with any other outcome: whether there are layers.
    pub minds_bad: bool,
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
    /// A worker of this plain instance passes to the first one in its line.
    Pass(InstanceId),
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
    /// Plain requests.
    pub plains: Plains,
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
    pub later: Vec<Later>,
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
            plains: Arena::new(),
            visits: Arena::new(),
            stations: Vec::new(),
            components: Vec::with_capacity(plan.components.len()),
            edges: Vec::with_capacity(plan.edges.len()),
            clients: ClientState::all(plan, replica),
            bugs: Vec::new(),
            turns: TurnTable::new(plan),
            response: ResponseState::new(plan),
            meter: Meter::new(plan),
            later: Vec::new(),
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
        let from = self.plan.components.get(edge.from as usize);
        let (first, count) = match from {
            Some(from) => (from.first_instance, from.instances.max(1)),
            None => (0, 1),
        };
        let targets = self.plan.components[edge.to as usize].instances;
        let needs_out = edge.pick.needs_load() && targets > 1;
        let layers = || edge.layers.iter().map(LayerState::new).collect::<Vec<_>>();
        let own = layers();
        let minds_ok = edge.hedge != u8::MAX || own.iter().any(|layer| layer.minds(Status::Ok));
        EdgeState {
            to: edge.to,
            plain: edge.plain,
            opens_plainly: edge.opens_plainly,
            is_simple: edge.opens_plainly
                && edge.plain != PASSES
                && edge.pool == NONE
                && from.is_none_or(|from| !from.releases),
            timeout_lane: if let Timeout::Constant(_, lane) = edge.timeout { lane } else { NONE },
            deadline_lane: edge.deadline_lane,
            is_direct: edge.network.is_none(),
            has_network: edge.network.is_some(),
            has_pool: edge.pool != NONE,
            sends_with_care: edge.pool != NONE
                || edge.hedge != u8::MAX
                || matches!(edge.timeout, Timeout::Drawn(_)),
            releases_worker: from.is_some_and(|from| from.releases),
            ends_with_care: edge.pool != NONE || needs_out || minds_ok,
            draws_timeouts: matches!(edge.timeout, Timeout::Drawn(_)),
            asks: edge.hedge != u8::MAX || own.iter().any(Layer::asks),
            minds_ok,
            minds_bad: !edge.layers.is_empty(),
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
        let records = self.calls.bytes() + self.tasks.bytes() + self.plains.bytes();
        records + self.visits.bytes() + self.agenda.bytes()
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
