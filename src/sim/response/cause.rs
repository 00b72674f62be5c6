//! Whether a hypothesis is right: whether what it suspects is there, in the world as it is.

use super::super::process::memory_used;
use super::super::world::{Process, World};
use crate::change::knob::Knobs;
use crate::plan::{ChangeAction, ClientId, ComponentId, HypothesisPlan, InstanceId, Place};
use crate::response::Cause;
use crate::units::MINUTE;

/// Memory use at which a look at a component says "it is full".
const FULL: f64 = 0.9;
/// A client whose rate has risen more than so many times stands out.
const MORE_LOAD: f64 = 2.0;

impl World<'_> {
    /// Whether the cause that a hypothesis names is there.
    pub(super) fn cause_is_there(&self, hypothesis: &HypothesisPlan) -> bool {
        match (hypothesis.suspect, hypothesis.cause) {
            (Place::Component(c), Cause::Bug) => self.has_struck(c, |_| true),
            (Place::Component(c), Cause::Deploy) => self.deploy_is_bad(c),
            (Place::Component(c), Cause::Fault) => self.has_fault(c),
            (Place::Component(c), Cause::Network) => self.has_bad_link(c),
            (Place::Component(c), Cause::Exhaustion) => {
                let instances = &self.components[c as usize].instances;
                instances.iter().any(|i| self.is_exhausted(*i))
            }
            (Place::Client(c), Cause::Load) => self.has_more_load(c),
            // A load that is suspected at a component is looked for at all clients.
            (Place::Component(_), Cause::Load) => {
                (0..self.plan.clients.len() as u32).any(|c| self.has_more_load(c))
            }
            (Place::Client(_), _) => false,
        }
    }

    /// A bug is present in what runs there now, and has struck.
    fn has_struck(&self, component: ComponentId, which: impl Fn(u64) -> bool) -> bool {
        if self.components[component as usize].disabled {
            return false;
        }
        let versions = self.versions_of(component);
        self.plan.components[component as usize].bugs.iter().any(|&bug| {
            which(self.plan.bugs[bug as usize].versions)
                && self.bugs[bug as usize].strikes > 0
                && versions.iter().any(|v| self.bug_is_present(bug, *v))
        })
    }

    /// The versions that run; a middleware has the base version.
    fn versions_of(&self, component: ComponentId) -> Vec<u32> {
        let instances = &self.components[component as usize].instances;
        if instances.is_empty() {
            return vec![0];
        }
        instances.iter().map(|i| self.stations[*i as usize].version).collect()
    }

    /// A version other than the base one runs there, and carries a bug that has struck, or a leak.
    fn deploy_is_bad(&self, component: ComponentId) -> bool {
        let leaks = &self.plan.components[component as usize].leaks;
        let versions = self.versions_of(component);
        let other = versions.iter().filter(|v| **v != 0);
        let leaking = other.clone().any(|v| {
            let pools = self.plan.edges.iter().filter(|e| e.from == component);
            let mut chances = pools.filter(|e| !e.pool_leak.is_empty());
            leaks[*v as usize] != leaks[0]
                || chances.any(|e| e.pool_leak[*v as usize] > e.pool_leak[0])
        });
        leaking || (other.count() > 0 && self.has_struck(component, |versions| versions & 1 == 0))
    }

    fn has_fault(&self, component: ComponentId) -> bool {
        let instances = &self.components[component as usize].instances;
        instances.iter().any(|i| *self.stations[*i as usize].knobs() != Knobs::default())
    }

    fn has_bad_link(&self, component: ComponentId) -> bool {
        self.active_changes().any(|change| match change {
            ChangeAction::Link { from, to, .. } => *from == component || *to == component,
            _ => false,
        })
    }

    fn is_exhausted(&self, instance: InstanceId) -> bool {
        let station = &self.stations[instance as usize];
        let plan = &self.plan.components[station.component as usize];
        let full = plan
            .memory
            .as_ref()
            .is_some_and(|m| memory_used(m, station) as f64 >= FULL * m.limit as f64);
        let dead = matches!(station.process(), Process::Stalled)
            || (station.process() == Process::Down && !station.down_by_change);
        let held = station.workers > 0 && station.hung >= station.workers;
        full || dead || held || self.line_is_long(instance)
    }

    /// The line is longer than what the instance serves in a minute (its share of the last bucket).
    fn line_is_long(&self, instance: InstanceId) -> bool {
        let station = &self.stations[instance as usize];
        if station.line.is_empty() {
            return false;
        }
        let answers = self.meter.answers_in_last_bucket(station.component) as f64;
        let instances = self.components[station.component as usize].instances.len() as f64;
        let per_minute = answers / instances * MINUTE as f64 / self.plan.bucket as f64;
        f64::from(station.line.len()) > per_minute
    }

    /// Requests of a client come at more than twice the rate of the time before the alert.
    fn has_more_load(&self, client: ClientId) -> bool {
        let alert = self.response.outcome.alert.unwrap_or(self.now);
        self.meter.load_now_to_before(client, alert).is_some_and(|ratio| ratio > MORE_LOAD)
    }
}
