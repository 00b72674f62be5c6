//! Proof that calls end.
//!
//! An endpoint may, in a circle of calls, call itself again: a feedback. That is fine if it ends
//! with probability 1 after finitely many rounds in the mean, and endless otherwise. The calls that
//! a request causes are a multi-type branching process, and the probability that it ends is the
//! least fixpoint of q = f(q), where f(q) is the probability that one run of the endpoint's steps
//! ends when each call of endpoint j ends with probability q(j) (Harris 1963, "The Theory of
//! Branching Processes", II.7). Iteration from 0 climbs to it.
//!
//! The proof assumes the worst where it cannot know: every call is answered well, all branches of
//! `parallel` are run to their ends, of several versions the one least likely to end is there, and
//! so is what a cache makes of a look into it.

use super::builder::Builder;
use crate::component::{Component, Kind, Step};
use crate::text::{Mark, Name, Problem};
use std::collections::BTreeSet;

/// An endpoint that ends with a lower probability is endless.
const ENDS: f64 = 1.0 - 1e-6;
/// Evaluations of steps at most, of all iterations together. A feedback so near to endless that
/// this is not enough (in a model of ordinary size more than 10 000 further calls in the mean)
/// counts as endless.
const MAX_WORK: usize = 50_000_000;
/// Iterations that are made in any case: without circles the second one changes nothing.
const MIN_ROUNDS: usize = 10;
/// Iterations at most.
const MAX_ROUNDS: usize = 200_000;

/// What matters of a step.
enum Flow<'m> {
    Call {
        to: usize,
        mark: Mark,
    },
    Reply,
    /// One of these, and nobody knows which.
    Either([Vec<Flow<'m>>; 2]),
    Choose(Vec<(Chance<'m>, Vec<Flow<'m>>)>),
    /// Branches, all of them so many times.
    Parallel(Vec<Vec<Flow<'m>>>, u32),
}

/// The endpoint whose steps are looked at.
#[derive(Clone, Copy)]
struct Home<'m> {
    name: &'m str,
    /// Its number in the graph.
    index: usize,
    mark: Mark,
}

/// When a branch of `choose` is taken.
enum Chance<'m> {
    Share(f64),
    Class(&'m str),
    Otherwise,
}

/// An endpoint of a component, with its steps in every version.
struct Endpoint<'m> {
    name: String,
    bodies: Vec<Vec<Flow<'m>>>,
}

/// The graph of all endpoints.
struct Graph<'m> {
    /// First endpoint of each component.
    first: Vec<usize>,
    endpoints: Vec<Endpoint<'m>>,
    /// Classes by which some `choose` tells requests apart.
    classes: BTreeSet<&'m str>,
}

impl<'m> Builder<'m, '_> {
    /// Reports every circle of calls that can go on for ever.
    pub fn check_cycles(&mut self) {
        let graph = self.graph();
        let mut problems = Vec::new();
        let mut reported = BTreeSet::new();
        // All classes that no `choose` names behave alike: None stands for them.
        let mut kinds: Vec<Option<&str>> = vec![None];
        kinds.extend(graph.classes.iter().map(|class| Some(*class)));
        for kind in kinds {
            let starts = self.starts(&graph, kind);
            if let Some(problem) = graph.endless(&starts, kind, &mut reported) {
                problems.push(problem);
            }
        }
        for problem in problems {
            self.push(problem);
        }
    }

    /// The endpoints that requests of a kind go to first.
    fn starts(&self, graph: &Graph, kind: Option<&str>) -> Vec<usize> {
        let of_kind = |name: &str| match kind {
            Some(kind) => name == kind,
            None => !graph.classes.contains(name),
        };
        let classes = self.plan.classes.iter().filter(|class| of_kind(&class.name));
        let edges = classes.map(|class| &self.plan.edges[class.edge as usize]);
        let known = edges.filter(|edge| edge.endpoint != super::NONE);
        known.map(|edge| graph.first[edge.to as usize] + edge.endpoint as usize).collect()
    }

    fn graph(&self) -> Graph<'m> {
        let mut graph =
            Graph { first: Vec::new(), endpoints: Vec::new(), classes: BTreeSet::new() };
        let mut count = 0;
        for endpoints in &self.names.endpoints {
            graph.first.push(count);
            count += endpoints.len();
        }
        for (id, (name, component)) in self.model.components.iter().enumerate() {
            for endpoint in self.names.endpoints[id].clone() {
                let home = Home { name: endpoint, index: graph.endpoints.len(), mark: name.mark };
                let bodies = self.bodies(component, home, &mut graph);
                let name = format!("{}.{endpoint}", name.value);
                graph.endpoints.push(Endpoint { name, bodies });
            }
        }
        graph
    }

    fn bodies(
        &self,
        component: &'m Component,
        home: Home<'m>,
        graph: &mut Graph<'m>,
    ) -> Vec<Vec<Flow<'m>>> {
        let endpoint = home.name;
        if component.kind == Kind::Balancer {
            let backend = component.backends.as_ref();
            let call =
                backend.and_then(|to| self.flow_of_call(&to.value, endpoint, to.mark, graph));
            return vec![call.into_iter().collect()];
        }
        let versions = component.versions.iter().map(|(_, version)| &version.endpoints);
        let all = std::iter::once(&component.endpoints).chain(versions);
        let bodies = all.flatten().filter(|(name, _)| name.value == endpoint);
        let at = |name: &Name| Home { mark: name.mark, ..home };
        bodies.map(|(name, steps)| self.flow(steps, at(name), graph)).collect()
    }

    /// Unknown callees have been reported before, and are left out.
    fn flow(&self, steps: &'m [Step], home: Home<'m>, graph: &mut Graph<'m>) -> Vec<Flow<'m>> {
        let mut flow = Vec::new();
        for step in steps {
            match step {
                Step::Work(_) | Step::Wait(_) => {}
                Step::Reply(_) => flow.push(Flow::Reply),
                // As a call of itself whose end is its own.
                Step::StartOver => {
                    flow.extend([Flow::Call { to: home.index, mark: home.mark }, Flow::Reply]);
                }
                Step::Call(call) => {
                    let to = &call.to;
                    flow.extend(self.flow_of_call(&to.value, home.name, to.mark, graph));
                }
                Step::Parallel(parallel) => {
                    let branches = &parallel.branches;
                    let all = branches.iter().map(|steps| self.flow(steps, home, graph)).collect();
                    flow.push(Flow::Parallel(all, parallel.copies));
                }
                Step::LookUp(look_up) => {
                    let lists = [&look_up.hit, &look_up.miss];
                    flow.push(Flow::Either(lists.map(|steps| self.flow(steps, home, graph))));
                }
                Step::Choose(branches) => {
                    let mut all = Vec::new();
                    for branch in branches {
                        let chance = match (branch.share, &branch.class) {
                            (Some(share), _) => Chance::Share(share.0),
                            (None, Some(class)) => {
                                graph.classes.insert(&class.value);
                                Chance::Class(&class.value)
                            }
                            (None, None) => Chance::Otherwise,
                        };
                        all.push((chance, self.flow(&branch.steps, home, graph)));
                    }
                    flow.push(Flow::Choose(all));
                }
            }
        }
        flow
    }

    fn flow_of_call(&self, to: &str, same: &str, mark: Mark, graph: &Graph) -> Option<Flow<'m>> {
        let (component, endpoint) = to.split_once('.').unwrap_or((to, same));
        let id = *self.names.components.get(component)?;
        let endpoint = self.names.endpoint(id, endpoint)?;
        Some(Flow::Call { to: graph.first[id as usize] + endpoint as usize, mark })
    }
}

impl Graph<'_> {
    /// The first circle from `starts` that is endless for requests of a kind, unless reported.
    fn endless(
        &self,
        starts: &[usize],
        kind: Option<&str>,
        reported: &mut BTreeSet<Vec<usize>>,
    ) -> Option<Problem> {
        let order = self.reached(starts, kind);
        let ends = self.chances_to_end(&order, kind);
        let at = starts.iter().copied().find(|start| ends[*start] < ENDS)?;
        let (circle, mark) = self.circle(at, kind, &ends)?;
        let mut members = circle.clone();
        members.sort_unstable();
        if !reported.insert(members) {
            return None;
        }
        let mut names: Vec<&str> =
            circle.iter().map(|e| self.endpoints[*e].name.as_str()).collect();
        names.extend(names.first().copied());
        let of = kind.map_or(String::new(), |class| format!(" (requests of class `{class}`)"));
        let what = format!("an endless circle of calls: {}{of}", names.join(" -> "));
        let help = "take a call out, or let it end: in the mean a request must cause less than one \
                    further round, for example by `choose: [{share: 20%, steps: [...]}]`";
        Some(Problem::new(what).help(help).at(mark))
    }

    /// The endpoints that can be reached, callees before their callers where that is possible.
    /// Without recursion, because a chain of calls can be long.
    fn reached(&self, starts: &[usize], kind: Option<&str>) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.endpoints.len()];
        for &start in starts {
            let mut stack = vec![(start, false)];
            while let Some((at, done)) = stack.pop() {
                if done {
                    order.push(at);
                } else if !std::mem::replace(&mut seen[at], true) {
                    stack.push((at, true));
                    let bodies = &self.endpoints[at].bodies;
                    let mut calls = Vec::new();
                    bodies.iter().for_each(|body| calls_in(body, kind, &mut calls));
                    stack.extend(calls.iter().map(|(to, _)| (*to, false)));
                }
            }
        }
        order
    }

    /// For each endpoint the probability that it ends, by iteration from 0.
    fn chances_to_end(&self, order: &[usize], kind: Option<&str>) -> Vec<f64> {
        let mut ends = vec![0.0; self.endpoints.len()];
        let bodies = order.iter().flat_map(|at| &self.endpoints[*at].bodies);
        let steps = bodies.map(|body| size(body)).sum::<usize>() + order.len();
        let rounds = MAX_WORK / steps.max(1) / (self.classes.len() + 1);
        for _ in 0..rounds.clamp(MIN_ROUNDS, MAX_ROUNDS) {
            let mut change: f64 = 0.0;
            for &at in order {
                let bodies = self.endpoints[at].bodies.iter();
                let chances = bodies.map(|body| {
                    let (on, ended) = chance(body, kind, &ends);
                    on + ended
                });
                let new = chances.fold(1.0, f64::min);
                change = change.max(new - ends[at]);
                ends[at] = new;
            }
            if change < 1e-15 {
                break;
            }
        }
        ends
    }

    /// Follows the calls that may not end until one comes again. The place is that of the call
    /// that closes the circle.
    fn circle(&self, start: usize, kind: Option<&str>, ends: &[f64]) -> Option<(Vec<usize>, Mark)> {
        let mut path = vec![start];
        loop {
            let at = *path.last()?;
            let mut calls = Vec::new();
            self.endpoints[at].bodies.iter().for_each(|body| calls_in(body, kind, &mut calls));
            let (to, mark) = calls.into_iter().find(|(to, _)| ends[*to] < ENDS)?;
            if let Some(begin) = path.iter().position(|known| *known == to) {
                return Some((path.split_off(begin), mark));
            }
            path.push(to);
        }
    }
}

/// The number of steps, also of those inside others.
fn size(steps: &[Flow]) -> usize {
    let inside = steps.iter().map(|step| match step {
        Flow::Call { .. } | Flow::Reply => 0,
        Flow::Choose(branches) => branches.iter().map(|(_, branch)| size(branch)).sum(),
        Flow::Either(lists) => lists.iter().map(|list| size(list)).sum(),
        Flow::Parallel(branches, _) => branches.iter().map(|branch| size(branch)).sum(),
    });
    inside.sum::<usize>() + steps.len()
}

/// The branches of a `choose` that requests of a kind can take, each with its probability.
fn taken<'f, 'm>(
    branches: &'f [(Chance<'m>, Vec<Flow<'m>>)],
    kind: Option<&str>,
) -> Vec<(f64, &'f [Flow<'m>])> {
    let mut left: f64 = 1.0;
    let mut taken = Vec::new();
    for (chance, flow) in branches {
        let share = match chance {
            // A draw below the summed shares takes the branch, so later ones share what is left.
            Chance::Share(share) => share.min(left),
            Chance::Class(class) if kind == Some(*class) => left,
            Chance::Class(_) => 0.0,
            Chance::Otherwise => left,
        };
        left = (left - share).max(0.0);
        // Rounding of shares that add up to 100 % leaves nothing behind.
        left = if left < 1e-12 { 0.0 } else { left };
        if share > 0.0 {
            taken.push((share, flow.as_slice()));
        }
    }
    taken
}

/// The probability that the steps are passed, and that they end in a reply.
fn chance(steps: &[Flow], kind: Option<&str>, ends: &[f64]) -> (f64, f64) {
    let (mut on, mut ended) = (1.0, 0.0);
    for step in steps {
        match step {
            Flow::Reply => {
                ended += on;
                on = 0.0;
            }
            Flow::Call { to, .. } => on *= ends[*to],
            Flow::Parallel(branches, copies) => {
                for branch in branches {
                    let (on_there, ended_there) = chance(branch, kind, ends);
                    on *= (on_there + ended_there).powf(f64::from(*copies));
                }
            }
            Flow::Either(lists) => {
                let [hit, miss] = lists.each_ref().map(|list| chance(list, kind, ends));
                let worse = if hit.0 + hit.1 < miss.0 + miss.1 { hit } else { miss };
                ended += on * worse.1;
                on *= worse.0;
            }
            Flow::Choose(branches) => {
                let (mut passed, mut replied, mut none) = (0.0, 0.0, 1.0);
                for (share, branch) in taken(branches, kind) {
                    let (on_there, ended_there) = chance(branch, kind, ends);
                    passed += share * on_there;
                    replied += share * ended_there;
                    none -= share;
                }
                ended += on * replied;
                on *= passed + if none < 1e-12 { 0.0 } else { none };
            }
        }
    }
    (on, ended)
}

/// The calls that requests of a kind can make. Steps behind a certain reply are not looked at.
fn calls_in(steps: &[Flow], kind: Option<&str>, calls: &mut Vec<(usize, Mark)>) {
    for step in steps {
        match step {
            Flow::Reply => return,
            Flow::Call { to, mark } => calls.push((*to, *mark)),
            Flow::Either(lists) => lists.iter().for_each(|list| calls_in(list, kind, calls)),
            Flow::Parallel(branches, _) => {
                branches.iter().for_each(|branch| calls_in(branch, kind, calls));
            }
            Flow::Choose(branches) => {
                taken(branches, kind).iter().for_each(|(_, branch)| calls_in(branch, kind, calls));
            }
        }
    }
}
