//! The books of a replica: what is counted as it happens, against what is there.
//!
//! Levels (requests present, workers and connections in use) are counted up and down in many
//! places. An audit counts afresh what holds them. It looks at every record once, and so at the
//! end of every run, in release builds too; tests audit in the middle of runs.

use super::meter::LevelOf;
use super::records::{CallState, TaskState};
use super::world::{Process, World};
use crate::plan::NONE;

/// What the records in flight say of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Count {
    present: u32,
    waiting: u32,
    busy: u32,
    connections: Vec<u32>,
}

impl World<'_> {
    /// Recounts what is held.
    ///
    /// # Errors
    /// The first thing of which there is more or less than the counters say.
    pub fn audit(&self) -> Result<(), String> {
        let counted = self.count_records();
        for (station, counted) in self.stations.iter().zip(&counted) {
            // In a stalled process those who wait do so for ever, like those who are served.
            let stalled = station.process() == Process::Stalled;
            let own = Count {
                present: station.present,
                waiting: if stalled { counted.waiting } else { station.line.len() },
                busy: station.busy,
                connections: station.pools.iter().map(|p| p.in_use - p.leaked).collect(),
            };
            if own != *counted {
                let name = &self.plan.components[station.component as usize].name;
                let number = station.number;
                return Err(format!(
                    "instance {number} of `{name}` counts {own:?}, has {counted:?}"
                ));
            }
        }
        self.audit_components(&counted)?;
        self.audit_clients()
    }

    fn count_records(&self) -> Vec<Count> {
        let empty = |station: &super::world::Station| Count {
            connections: vec![0; station.pools.len()],
            ..Count::default()
        };
        let mut counts: Vec<Count> = self.stations.iter().map(empty).collect();
        for index in (0..self.tasks.slots()).filter(|index| self.tasks.is_taken(*index)) {
            let task = &self.tasks[index];
            let count = &mut counts[task.instance as usize];
            count.present += u32::from(task.is_present());
            count.waiting += u32::from(task.state == TaskState::Waits);
            count.busy += u32::from(task.holds_worker);
        }
        for plain in self.plains.all() {
            let count = &mut counts[plain.instance as usize];
            count.present += 1;
            count.waiting += u32::from(plain.waits());
            count.busy += u32::from(!plain.waits() && !self.has_released(plain));
            let pool = self.plan.edges[plain.edge as usize].pool;
            if let Some(from) =
                Some(self.caller_of(plain.awaits)).filter(|from| *from != NONE && pool != NONE)
            {
                counts[from as usize].connections[pool as usize] += 1;
            }
        }
        for index in (0..self.calls.slots()).filter(|index| self.calls.is_taken(*index)) {
            let call = &self.calls[index];
            if call.connected {
                let pool = self.plan.edges[call.edge as usize].pool as usize;
                counts[call.from as usize].connections[pool] += 1;
            }
        }
        counts
    }

    /// Levels of components are the sums over their instances, and Little's law holds to the
    /// nanosecond: the integral of the requests present is the time that those who left have
    /// spent, and the time so far of those who are there (Little 1961; with both edges exact).
    fn audit_components(&self, counted: &[Count]) -> Result<(), String> {
        for (id, meter) in self.meter.components.iter().enumerate() {
            let name = &self.plan.components[id].name;
            let instances = self.components[id].instances.iter();
            let waiting = instances.clone().map(|i| self.stations[*i as usize].line.len());
            let sum = |of: fn(&Count) -> u32| {
                instances.clone().map(|i| u64::from(of(&counted[*i as usize]))).sum::<u64>()
            };
            let levels = [LevelOf::Present, LevelOf::Waiting, LevelOf::Busy]
                .map(|of| meter.levels.level(of));
            let waiting = waiting.map(u64::from).sum::<u64>();
            let there = [sum(|c| c.present), waiting, sum(|c| c.busy)];
            if levels != there {
                return Err(format!(
                    "`{name}`: (present, waiting, busy) are {there:?}, counted {levels:?}"
                ));
            }
        }
        let mut stays: Vec<u128> = self.meter.components.iter().map(|m| m.stayed).collect();
        let since = if self.now >= self.plan.warm_up { self.plan.warm_up } else { self.now };
        for index in (0..self.tasks.slots()).filter(|index| self.tasks.is_taken(*index)) {
            let task = &self.tasks[index];
            if task.is_present() {
                let component = self.stations[task.instance as usize].component as usize;
                stays[component] += u128::from(self.now - task.came.max(since));
            }
        }
        for plain in self.plains.all() {
            let component = self.stations[plain.instance as usize].component as usize;
            stays[component] += u128::from(self.now - plain.came.max(since));
        }
        for (id, meter) in self.meter.components.iter().enumerate() {
            let area = meter.levels.area(LevelOf::Present, self.now);
            // Before its end the warm-up is still to be forgotten.
            if self.now > self.plan.warm_up && area != stays[id] {
                let name = &self.plan.components[id].name;
                let stays = stays[id];
                return Err(format!(
                    "Little's law fails in `{name}`: integral {area} ns, stays {stays} ns"
                ));
            }
        }
        Ok(())
    }

    /// Requests under way are those whose calls are there.
    fn audit_clients(&self) -> Result<(), String> {
        let open = self.open_requests();
        for index in (0..self.calls.slots()).filter(|index| self.calls.is_taken(*index)) {
            let call = &self.calls[index];
            if call.state == CallState::Out && call.target == NONE {
                return Err(format!("a call is out to nobody, on edge {}", call.edge));
            }
        }
        for (id, meter) in self.meter.clients.iter().enumerate() {
            if meter.in_flight != open[id] {
                let (name, counted) = (&self.plan.clients[id].name, meter.in_flight);
                return Err(format!("`{name}`: {} requests open, counted {counted}", open[id]));
            }
        }
        Ok(())
    }
}
