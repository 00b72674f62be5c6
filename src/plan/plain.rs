//! Which requests go by the plain way.
//!
//! Some components only work and call, one request after the other: no process of theirs ever dies,
//! nobody is refused by a rule, nothing is shared but workers. What a request needs there is known
//! beforehand, and the engine keeps it in one small record ([`crate::sim::plain`]) in place of a
//! task. Where its call site is plain too, that record is the call as well. Nothing is simulated
//! otherwise: a plan without its plain ways has the same outcomes, to the last bit.

use super::{
    ChangeAction, ComponentId, DeedPlan, EdgePlan, GaugePlan, NONE, ObservePlan, Op, OpId, PASSES,
    Place, Plan, SignalPlan, TimedPlan, Timeout,
};
use crate::component::Discipline;
use crate::mitigation::{Layer, LayerState};
use crate::status::Status;

impl Plan {
    /// Finds the components on which nothing happens but plain requests, and marks them and the
    /// call sites that lead there.
    ///
    /// A component is plain if all that is done on its instances is to wait for a worker, to work,
    /// and to call while the worker is held (or there is always another), if no change and nobody's
    /// action touches them, and if attempts reach it at once and are never called back. Whom it
    /// calls, and who calls it, need not be plain.
    ///
    /// A call site is plain if it leads to a plain component, and if calls go out and answers come
    /// back without more than a choice of the instance, a connection, and a time-out that is the
    /// same for all.
    pub fn mark_plain(&mut self) {
        let acted_on = self.acted_on();
        let mut plain: Vec<bool> = (0..self.components.len() as u32)
            .map(|id| {
                !acted_on[id as usize] && self.serves_plainly(id) && self.programs_are_plain(id)
            })
            .collect();
        for edge in &self.edges {
            plain[edge.to as usize] &= edge.reaches_plainly() && self.first_op(edge).is_some();
        }
        for (component, plain) in self.components.iter_mut().zip(&plain) {
            component.is_plain = *plain;
        }
        for edge in 0..self.edges.len() {
            let first = self.first_op(&self.edges[edge]);
            let is_plain = plain[self.edges[edge].to as usize];
            let edge = &mut self.edges[edge];
            edge.plain = first.filter(|_| is_plain).unwrap_or(NONE);
            edge.opens_plainly = is_plain && edge.is_plain_way();
        }
    }

    /// For each component whether changes or people may do something to its instances, or to the
    /// ways there.
    fn acted_on(&self) -> Vec<bool> {
        let changed = self.changes.iter().filter_map(|change| match change.action {
            ChangeAction::Turn { component, .. }
            | ChangeAction::Deploy { component, .. }
            | ChangeAction::Flush { component, .. }
            | ChangeAction::EmptyCaches { component, .. } => Some(component),
            ChangeAction::Link { to, .. } => Some(to),
            // A bug that strikes is somebody's, and whoever has one is not plain.
            ChangeAction::Surge { .. } | ChangeAction::Bug(_) => None,
        });
        let actions = self.responder.iter().flat_map(|responder| &responder.actions);
        let done = actions.clone().flat_map(|action| &action.does).filter_map(|deed| match *deed {
            DeedPlan::Rollback(component)
            | DeedPlan::Reload(component)
            | DeedPlan::Restart(component)
            | DeedPlan::Scale(component, _) => Some(component),
            // Whoever has a bug or a middleware is not plain.
            DeedPlan::Hotfix(_) | DeedPlan::Disable(_) | DeedPlan::Block(_) => None,
        });
        let replaced = actions.flat_map(|action| action.replaces.iter().copied());
        let mut acted_on = vec![false; self.components.len()];
        for component in changed.chain(done).chain(replaced) {
            acted_on[component as usize] = true;
        }
        acted_on
    }

    /// The same plan, in which every request goes by the general way.
    #[must_use]
    pub fn without_plain_ways(&self) -> Plan {
        let mut plan = self.clone();
        plan.components.iter_mut().for_each(|component| component.is_plain = false);
        for edge in &mut plan.edges {
            (edge.plain, edge.opens_plainly) = (NONE, false);
        }
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
            && c.endpoints.len() <= usize::from(u8::MAX)
            && (!c.releases || c.workers == u32::MAX) // Whoever wants one back gets it at once.
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

    /// First operation of the program that calls on a call site run, if it is the same for all
    /// and there is one; [`PASSES`] if it is that of the endpoint that the caller has, and each of
    /// those has one.
    fn first_op(&self, edge: &EdgePlan) -> Option<OpId> {
        if edge.endpoint != NONE {
            return self.program(edge.to, edge.endpoint);
        }
        let all = !edge.same_endpoint.is_empty()
            && edge.same_endpoint.iter().all(|own| self.program(edge.to, *own).is_some());
        all.then_some(PASSES)
    }

    /// First operation of an endpoint of a component, in the version that it begins with.
    pub fn program(&self, component: ComponentId, endpoint: u32) -> Option<OpId> {
        let component = &self.components[component as usize];
        component.program(component.version, endpoint)
    }

    /// Whether the programs of a component only work and call.
    fn programs_are_plain(&self, id: ComponentId) -> bool {
        let is_plain = |op: &Op| match op {
            Op::Work(work) => !self.works[*work as usize].crowds,
            Op::Call(_) | Op::Reply(_) => true,
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
    /// Whether attempts arrive and answers return at once, and nobody calls an attempt back.
    fn reaches_plainly(&self) -> bool {
        self.network.is_none() && !self.cancels && self.hedge == u8::MAX
    }

    /// Whether calls go out and answers come back without more than a choice of the instance, a
    /// connection, and a time-out that is the same for all.
    fn is_plain_way(&self) -> bool {
        let layers_look_away = self.layers.iter().map(LayerState::new).all(|layer| {
            !layer.asks() && !layer.minds(Status::Ok) // Such as a retry without a budget.
        });
        layers_look_away
            && self.reaches_plainly()
            && self.deadline_lane == NONE
            && !self.late_used
            && !self.pick.needs_load()
            && !matches!(self.timeout, Timeout::Drawn(_))
    }
}
