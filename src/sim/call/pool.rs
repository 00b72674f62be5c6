//! Connections of a caller's pools.

use super::super::agenda::Event;
use super::super::records::{Call, CallState, Id};
use super::super::story::What;
use super::super::world::{Later, World};
use super::{attempt_luck, luck};
use crate::plan::{EdgeId, InstanceId};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::NEVER;

/// Flags in what has been noted of a process: calls waited for a connection when the last bucket
/// ended; that a pool is exhausted has been told.
const WAITED: u8 = 8;
const EXHAUSTED: u8 = 16;

impl World<'_> {
    /// Takes a connection of the caller's pool for an attempt; without one the attempt waits.
    #[inline(never)]
    pub(super) fn takes_connection(&mut self, index: u32) -> bool {
        let life = self.calls.life(index);
        let call = &mut self.calls[index];
        let edge = &self.plan.edges[call.edge as usize];
        let plan = &self.plan.components[edge.from as usize].pools[edge.pool as usize];
        let pool = &mut self.stations[call.from as usize].pools[edge.pool as usize];
        if pool.gives(plan) {
            call.connected = true;
            return true;
        }
        call.state = CallState::WaitsForConnection;
        let attempt = call.attempt;
        pool.waiting.push_back((Id { index, life }, attempt));
        if plan.wait != NEVER {
            let at = self.now + plan.wait;
            self.agenda.at(at, Event::PoolWait { call: index, life, attempt });
        }
        false
    }

    /// The call has waited too long for a connection.
    pub fn pool_wait_over(&mut self, index: u32) {
        let next = self.attempt_over(index, Status::Unavailable);
        self.go(next);
    }

    /// A connection of a pool may be free for those who wait.
    pub fn connect(&mut self, instance: InstanceId, pool: u32) {
        loop {
            let size = self.component_of(instance).pools[pool as usize].size;
            let state = &mut self.stations[instance as usize].pools[pool as usize];
            if state.in_use >= size {
                return;
            }
            let Some((id, attempt)) = state.waiting.pop_front() else { return };
            if self.is_waiting(&(id, attempt)) {
                self.stations[instance as usize].pools[pool as usize].in_use += 1;
                self.calls[id.index].connected = true;
                let next = self.dispatch(id.index);
                self.go(next);
            }
        }
    }

    /// Looks, once in a bucket, whether calls wait for the connections of a pool. A pool for which
    /// calls wait at the end of two buckets in a row is exhausted; that is told once in the life of
    /// the process, or again after it had connections to spare.
    pub fn look_at_pools(&mut self) {
        for instance in 0..self.stations.len() as u32 {
            let station = &self.stations[instance as usize];
            let waits = |i: usize| station.pools[i].waiting.iter().filter(|w| self.is_waiting(w));
            let counts = (0..station.pools.len()).map(|i| (waits(i).count() as u32, i));
            let (waiting, pool) = counts.max_by_key(|(count, _)| *count).unwrap_or((0, 0));
            let noted = station.noted;
            let now = match (waiting > 0, noted & WAITED) {
                (false, _) => noted & !(WAITED | EXHAUSTED),
                (true, 0) => noted | WAITED,
                (true, _) => noted | WAITED | EXHAUSTED,
            };
            self.stations[instance as usize].noted = now;
            if now & !noted & EXHAUSTED != 0 {
                let leaked = self.stations[instance as usize].pools[pool].leaked;
                let pool = pool as u32;
                let what = What::PoolExhausted { instance, pool, leaked, waiting };
                self.meter.tell(self.now, what);
            }
        }
    }

    fn is_waiting(&self, (id, attempt): &(Id, u16)) -> bool {
        self.calls.is_live(id.index, id.life)
            && self.calls[id.index].attempt == *attempt
            && self.calls[id.index].state == CallState::WaitsForConnection
    }

    pub(super) fn release_connection(&mut self, index: u32) {
        let call = &mut self.calls[index];
        if !call.connected {
            return;
        }
        call.connected = false;
        let Call { edge, from, .. } = *call;
        let luck = attempt_luck(call.luck, call.attempt);
        self.give_back(edge, from, luck);
    }

    /// A connection that an attempt had is given back, if it does not leak.
    pub(in crate::sim) fn give_back(&mut self, edge: EdgeId, from: InstanceId, attempt: Luck) {
        let edge = &self.plan.edges[edge as usize];
        let station = &mut self.stations[from as usize];
        let chance = edge.pool_leak.get(station.version as usize).copied().unwrap_or(0.0);
        let pool = &mut station.pools[edge.pool as usize];
        if chance > 0.0 && attempt.at(luck::LEAK).unit() < chance {
            pool.leaked += 1;
            station.leaked +=
                self.plan.components[edge.from as usize].pools[edge.pool as usize].memory;
            self.look_at_memory(from);
            return;
        }
        pool.in_use -= 1;
        if !pool.waiting.is_empty() {
            self.later.push(Later::Connect(from, edge.pool));
        }
    }
}
