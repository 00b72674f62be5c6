//! Which requests go by the plain way.
//!
//! Some components only work and call, one request after the other: no process of theirs ever dies,
//! nobody is refused by a rule, nothing is shared but workers. What a request needs there is known
//! beforehand, and the engine keeps it in one small record ([`crate::sim::plain`]) in place of a
//! call and a task. Nothing is simulated otherwise: a plan without its plain ways has the same
//! outcomes, to the last bit. (But for one order that no rule states: when a process dies, those
//! who wait for it are told in the order of the slots of their requests, which depends on how many
//! requests elsewhere have slots of the same kind.)

use super::{
    ComponentId, EdgePlan, GaugePlan, NONE, ObservePlan, Op, OpId, Place, Plan, SignalPlan,
    TimedPlan, Timeout,
};
use crate::component::Discipline;
use crate::mitigation::{Layer, LayerState};
use crate::status::Status;

impl Plan {
    /// Finds the components on which nothing happens but plain requests, and marks them and the
    /// call sites that lead there.
    ///
    /// A component is plain if all that is done on its instances is to wait for a worker, to work,
    /// and to call plain components while the worker is held, and if all who call it do so in the
    /// plain way (at once, without a pool, with nobody who wants to be asked or told of a good
    /// answer). Where changes or people may act on instances, none is.
    pub fn mark_plain(&mut self) {
        let acted_on = !self.changes.is_empty() || self.responder.is_some();
        let mut plain: Vec<bool> = (0..self.components.len() as u32)
            .map(|component| !acted_on && self.serves_plainly(component))
            .collect();
        for edge in &self.edges {
            plain[edge.to as usize] &= edge.is_plain_way() && self.first_op(edge).is_some();
        }
        // Whoever calls one that is not plain is not plain either. (Callers mostly stand before
        // those whom they call.)
        let mut before = None;
        while before.as_ref() != Some(&plain) {
            before = Some(plain.clone());
            for component in (0..plain.len()).rev() {
                plain[component] &= self.programs_are_plain(component as u32, &plain);
            }
        }
        for (component, plain) in self.components.iter_mut().zip(&plain) {
            component.is_plain = *plain;
        }
        for edge in 0..self.edges.len() {
            let first = self.first_op(&self.edges[edge]);
            let is_plain = plain[self.edges[edge].to as usize];
            self.edges[edge].plain = first.filter(|_| is_plain).unwrap_or(NONE);
        }
    }

    /// The same plan, in which every request goes by the general way.
    #[must_use]
    pub fn without_plain_ways(&self) -> Plan {
        let mut plan = self.clone();
        plan.components.iter_mut().for_each(|component| component.is_plain = false);
        plan.edges.iter_mut().for_each(|edge| edge.plain = NONE);
        plan
    }

    /// Whether instances of a component serve without more than workers and a line.
    fn serves_plainly(&self, id: ComponentId) -> bool {
        let c = &self.components[id as usize];
        let has_only_workers = c.memory.is_none() && c.cores == 0 && c.cost_of_rejecting == 0;
        let has_no_rules = c.layers.is_empty() && c.middleware.is_empty() && c.probe.is_none();
        let has_a_simple_line = c.discipline != Discipline::Priority
            && c.line_wait.is_none()
            && !c.line_drops
            && !c.drops_abandoned;
        let cannot_fail = c.bugs.is_empty() && c.leaks.iter().all(|leak| *leak == (0, 0));
        c.instances > 0
            && !c.releases
            && has_only_workers
            && has_no_rules
            && has_a_simple_line
            && cannot_fail
            && !self.is_looked_into(id)
    }

    /// Whether somebody wants to know of single requests at a component.
    fn is_looked_into(&self, id: ComponentId) -> bool {
        let observed = self.observations.iter().any(|observation| match &observation.what {
            ObservePlan::Times { of, .. } => match of {
                TimedPlan::Wait(c)
                | TimedPlan::WaitOfAll(c)
                | TimedPlan::Sojourn(c)
                | TimedPlan::Slowdown(c) => *c == id,
                TimedPlan::Latency(_) | TimedPlan::LatencyOfAll(_) | TimedPlan::Attempts(_) => {
                    false
                }
            },
            ObservePlan::Number { gauge, .. }
            | ObservePlan::Moments { gauge, .. }
            | ObservePlan::First { gauge, .. } => {
                matches!(gauge, GaugePlan::Awaited(c) if *c == id)
            }
            ObservePlan::Count { .. } => false,
        });
        let signals = self.alerts.iter().map(|alert| &alert.signal);
        let mut signals = signals.chain(self.evidence.iter().map(|evidence| &evidence.signal));
        observed
            || signals.any(
                |signal| matches!(signal, SignalPlan::Latency(Place::Component(c), _) if *c == id),
            )
    }

    /// First operation of the program that a call runs, if it names one that there is.
    fn first_op(&self, edge: &EdgePlan) -> Option<OpId> {
        let callee = &self.components[edge.to as usize];
        let row = callee.version as usize * callee.endpoints.len();
        let endpoint = Some(edge.endpoint).filter(|endpoint| *endpoint != NONE)?;
        callee.programs.get(row + endpoint as usize).copied().filter(|op| *op != NONE)
    }

    /// Whether the programs of a component only work and call what is plain.
    fn programs_are_plain(&self, id: ComponentId, plain: &[bool]) -> bool {
        let is_plain = |op: &Op| match op {
            Op::Work(work) => !self.works[*work as usize].crowds,
            Op::Call(edge) => plain[self.edges[*edge as usize].to as usize],
            Op::Reply(_) => true,
            _ => false,
        };
        let programs = self.components[id as usize].programs.iter().filter(|op| **op != NONE);
        programs.into_iter().all(|&first| {
            let program = &self.ops[first as usize..];
            let len = program.iter().position(|op| matches!(op, Op::Reply(_)));
            len.is_some_and(|len| program[..len].iter().all(is_plain))
        })
    }
}

impl EdgePlan {
    /// Whether calls go out and answers come back without more than a choice of the instance and a
    /// time-out that is the same for all.
    fn is_plain_way(&self) -> bool {
        let layers_look_away = self.layers.iter().map(LayerState::new).all(|layer| {
            !layer.asks() && !layer.minds(Status::Ok) // Such as a retry without a budget.
        });
        layers_look_away
            && self.hedge == u8::MAX
            && self.pool == NONE
            && self.network.is_none()
            && self.deadline_lane == NONE
            && !self.late_used
            && !self.cancels
            && !self.pick.needs_load()
            && !matches!(self.timeout, Timeout::Drawn(_))
    }
}
