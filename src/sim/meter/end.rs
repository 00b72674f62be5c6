//! What has been measured, taken at the end of a run.

use super::super::outcome::{ClientOutcome, ComponentOutcome};
use super::super::plain::Awaits;
use super::super::records::Caller;
use super::super::world::{EdgeState, World};
use super::{ClassMeter, Gauges, LevelOf};
use crate::plan::ClientPlan;

impl World<'_> {
    /// What has been measured, at the end.
    pub fn take_measurements(&mut self) -> (Vec<ClientOutcome>, Vec<ComponentOutcome>) {
        if !self.now.is_multiple_of(self.meter.bucket)
            || self.meter.components.iter().all(|c| c.buckets.is_empty())
        {
            self.close_bucket();
        }
        let now = self.now;
        let final_gauges: Vec<Gauges> =
            (0..self.plan.components.len() as u32).map(|c| self.gauges(c)).collect();
        let open = self.open_requests();
        let edges = &self.edges;
        let of_edges = |c: &ClientPlan, counter: fn(&EdgeState) -> u64| {
            let classes = c.first_class..c.first_class + c.class_count;
            let edges =
                classes.map(|class| &edges[self.plan.classes[class as usize].edge as usize]);
            edges.map(counter).sum()
        };
        let connections: Vec<u64> =
            (0..self.plan.components.len()).map(|c| self.connections_in_use(c)).collect();
        let meter = &mut self.meter;
        let mut classes: Vec<Option<ClassMeter>> =
            std::mem::take(&mut meter.classes).into_iter().map(Some).collect();
        let clients = meter.clients.drain(..).zip(&self.plan.clients).zip(open);
        let clients = clients.map(|((m, plan), open)| {
            let range = plan.first_class..plan.first_class + plan.class_count;
            ClientOutcome {
                sent: m.sent,
                ended: m.ended,
                open,
                slow: m.slow,
                attempts: m.attempts,
                attempts_sent: of_edges(plan, |edge| edge.sent),
                retries: of_edges(plan, |edge| edge.retried),
                hedges: of_edges(plan, |edge| edge.hedged),
                latency: range
                    .map(|c| classes[c as usize].take().map_or(Vec::new(), |c| c.buckets))
                    .collect(),
                users: m.users.map(|mut u| {
                    u.close(now);
                    u
                }),
                buckets: m.buckets,
            }
        });
        let clients = clients.collect();
        let measured = now - meter.warm_up.min(now);
        let components = meter.components.drain(..).zip(&final_gauges).zip(connections);
        let components = components.map(|((m, gauges), left_connections)| {
            let mean = |of| m.levels.area(of, now) as f64 / measured.max(1) as f64;
            ComponentOutcome {
                requests: m.requests,
                answers: m.answers,
                exceptions: m.exceptions,
                deaths: m.deaths,
                timeouts: m.timeouts,
                dropped: m.dropped,
                lost: m.lost,
                lookups: m.lookups,
                hits: m.hits,
                mean_present: mean(LevelOf::Present),
                mean_waiting: mean(LevelOf::Waiting),
                mean_busy: mean(LevelOf::Busy),
                left_present: m.levels.level(LevelOf::Present),
                left_waiting: m.levels.level(LevelOf::Waiting),
                left_busy: gauges.busy,
                left_connections,
                peak_line: m.peak_line,
                peak_memory: m.peak_memory,
                final_memory: gauges.memory_bytes,
                tipped: m.tipped,
                buckets: m.buckets,
            }
        });
        (clients, components.collect())
    }

    /// Requests of each client that are not over.
    pub fn open_requests(&self) -> Vec<u64> {
        let mut open = vec![0; self.plan.clients.len()];
        for index in (0..self.calls.slots()).filter(|index| self.calls.is_taken(*index)) {
            let call = &self.calls[index];
            if matches!(call.caller, Caller::Visit(_) | Caller::Stream) {
                open[self.plan.client_of(call.identity.class) as usize] += 1;
            }
        }
        for plain in self.plains.all() {
            if matches!(plain.awaits, Awaits::Visit(_) | Awaits::Stream) {
                open[self.plan.client_of(plain.identity.class) as usize] += 1;
            }
        }
        open
    }

    /// Connections of a component's pools in use, without those that have leaked.
    fn connections_in_use(&self, component: usize) -> u64 {
        let stations = self.components[component].instances.iter();
        let pools = stations.flat_map(|i| &self.stations[*i as usize].pools);
        pools.map(|pool| u64::from(pool.in_use - pool.leaked)).sum()
    }
}
