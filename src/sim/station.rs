//! One instance of a component: the state of its process, its workers, its line, and what changes
//! make of it.

use super::cache::Cache;
use super::cpu::Cpu;
use super::line::Line;
use super::records::Id;
use super::world::World;
use crate::change::knob::Knobs;
use crate::component::Discipline;
use crate::mitigation::LayerState;
use crate::mitigation::health::Checker;
use crate::plan::{ComponentId, PoolPlan};
use crate::rng::Stream;
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

/// One instance of a component. What every request needs stands first, in one cache line, which
/// ends with the number of those who wait.
#[derive(Debug)]
#[repr(C, align(64))]
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
    /// Its process.
    process: Process,
    /// Whether it is up and no change slows it, freezes it or makes it fail.
    is_calm: bool,
    /// Whether a change has frozen it.
    is_frozen: bool,
    /// Whether it has neither memory nor CPU cores that make work slower.
    has_steady_speed: bool,
    /// Whether it has layers at its door.
    has_door: bool,
    /// Whether its memory is modelled.
    pub has_memory: bool,
    /// Whether more is to be done with a request that has to wait than to put it into the line.
    waits_with_care: bool,
    /// What has been noted once for each process: 1 that no worker is left, 2 that the line
    /// overflowed, 4 that memory is scarce.
    pub noted: u8,
    /// What has happened on it since the last deploy.
    pub tally: super::rollout::Tally,
    /// The waiting line.
    pub line: Line,
    /// Requests taken out of its line, while it is long, since those to come were looked at; see
    /// [`super::ahead`].
    pub taken: u32,
    /// Whether nothing happens on it but plain requests.
    pub is_plain: bool,
    /// Whether requests whose callers have gone are dropped on their turn.
    pub drops_abandoned: bool,
    /// The version that runs.
    pub version: u32,
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
        self.is_frozen = self.knobs.frozen;
        self.is_calm = self.process == Process::Up && self.knobs == untouched;
    }

    /// Whether whoever comes is let in, as long as there is room.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.is_calm && !self.has_door && self.present < self.connections
    }

    /// Reads a number from the cache line that every request needs.
    #[inline]
    pub fn glance(&self) -> u64 {
        u64::from(self.busy)
    }

    /// Whether more is to be done when a request leaves than to count it.
    #[inline]
    pub fn parts_with_care(&self) -> bool {
        self.has_door || self.has_memory
    }

    /// Whether whoever comes just joins the line, if there is no worker for him at once.
    #[inline]
    pub fn just_waits(&self) -> bool {
        !self.waits_with_care && self.line.len() < self.line_capacity
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
        self.busy < self.workers && self.line.is_empty() && !self.is_frozen
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

impl PoolState {
    /// Gives a connection, if one is free.
    #[inline]
    pub fn gives(&mut self, plan: &PoolPlan) -> bool {
        let is_free = self.in_use < plan.size;
        self.in_use += u32::from(is_free);
        is_free
    }
}

impl World<'_> {
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
            is_frozen: false,
            has_steady_speed: plan.memory.is_none() && plan.cores == 0,
            has_door: !plan.layers.is_empty(),
            has_memory: plan.memory.is_some(),
            is_plain: plan.is_plain,
            waits_with_care: plan.memory.is_some()
                || plan.line_wait.is_some()
                || plan.discipline == Discipline::Priority,
            drops_abandoned: plan.drops_abandoned,
            tally: super::rollout::Tally::default(),
            line: Line::new(plan.discipline),
            taken: 0,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_request_needs_lies_in_one_cache_line() {
        let line = std::mem::offset_of!(Station, line);
        assert!(line + Line::WHERE_LEN_ENDS <= 64, "{line}");
    }
}
