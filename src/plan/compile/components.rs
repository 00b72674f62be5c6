//! Components: what they are made of. Their limits are in `station`, their programs in `steps`.

use super::builder::{Builder, CallSite, Place};
use super::{MAX_INSTANCES, NONE};
use crate::component::{Component, Kind, Step, WhileCalling};
use crate::plan::{ComponentId, Op, OpId};
use crate::status::Status;
use crate::text::Name;
use crate::units::Nanos;

impl<'m> Builder<'m, '_> {
    /// All components, and then their programs (which call one another's endpoints).
    pub fn components(&mut self) {
        let model = self.model;
        if model.components.is_empty() && self.is_whole() {
            self.problem(&Place::top("components"), "a system without components");
        }
        let mut instances: u64 = 0;
        for (id, (name, component)) in (0..).zip(&model.components) {
            let place = Place::top("components").name(name);
            self.check_kind(name, component, &place);
            let mut plan = self.station_plan(name, component, &place);
            let own = match component.kind {
                Kind::Middleware => 0,
                _ => u64::from(component.instances) * u64::from(self.enlarged),
            };
            plan.first_instance = instances.min(MAX_INSTANCES) as u32;
            plan.instances = own.min(MAX_INSTANCES) as u32;
            instances += own;
            plan.endpoints = self.names.endpoints[id as usize].iter().map(|&e| e.into()).collect();
            plan.versions = self.names.versions[id as usize].iter().map(|&v| v.into()).collect();
            plan.version = self.version_at_start(id, component);
            plan.middleware = self.chain(name, component);
            self.plan.components.push(plan);
        }
        if instances > MAX_INSTANCES {
            self.problem(&Place::top("components"), format!("{instances} instances in all"))
                .help(format!("at most {MAX_INSTANCES} are possible; state a smaller scale"));
        }
        for (id, (name, component)) in (0..).zip(&model.components) {
            let place = Place::top("components").name(name);
            self.probe_of(id, name, component, &place);
            let programs = match component.kind {
                Kind::Middleware => Vec::new(),
                Kind::Balancer => self.balancer_programs(id, name, component, &place),
                Kind::Server | Kind::Database => self.server_programs(id, name, component),
            };
            self.plan.components[id as usize].programs = programs;
        }
    }

    fn version_at_start(&mut self, id: ComponentId, component: &Component) -> u32 {
        component.version.as_ref().and_then(|name| self.version(id, name)).unwrap_or(0)
    }

    /// The middleware that requests pass.
    fn chain(&mut self, name: &Name, component: &Component) -> Vec<ComponentId> {
        let mut chain = Vec::new();
        for word in &component.middleware {
            let Some(id) = self.middleware(word) else { continue };
            if chain.contains(&id) {
                let what = format!("`{}` passes `{}` twice", name.value, word.value);
                self.problem_at(word, what).help("name every middleware once");
            }
            chain.push(id);
        }
        chain
    }

    /// Words that belong to another kind would be ignored; nothing that was said is.
    fn check_kind(&mut self, name: &Name, component: &Component, place: &Place) {
        let c = component;
        let (balancer, middleware) = (c.kind == Kind::Balancer, c.kind == Kind::Middleware);
        let serves = !balancer && !middleware;
        let misplaced = [
            (c.backends.is_some() && !balancer, "backends", "only a balancer passes requests on"),
            (c.passing.is_some() && !balancer, "passing", "only a balancer passes requests on"),
            (!c.endpoints.is_empty() && !serves, "endpoints", "only servers and databases serve"),
            (!c.caches.is_empty() && !serves, "caches", "only servers and databases have caches"),
            (!c.pools.is_empty() && !serves, "pools", "only servers and databases have pools"),
            (c.work.is_some() && !middleware, "work", "write `work` as a step of an endpoint"),
            (c.workers.is_some() && middleware, "workers", "middleware runs on its host's worker"),
            (c.connections.is_some() && middleware, "connections", "its host has connections"),
            (c.cpu.is_some() && middleware, "cpu", "middleware runs on its host's cores"),
            (c.memory.is_some() && middleware, "memory", "what it leaks counts at its host"),
            (c.probe.is_some() && middleware, "probe", "its host is probed"),
            (c.while_calling.is_some() && middleware, "while_calling", "middleware does not call"),
            (c.start_takes.is_some() && middleware, "start_takes", "it starts with its host"),
            (
                c.cost_of_rejecting.is_some() && middleware,
                "cost_of_rejecting",
                "say it at the host",
            ),
            (!c.middleware.is_empty() && middleware, "middleware", "list it at the host too"),
            (c.instances != 1 && middleware, "instances", "every instance of a host has its own"),
            (
                !c.versions.is_empty() && middleware,
                "versions",
                "give its host the version, or \
                switch a bug of the middleware on by a change",
            ),
        ];
        for (_, word, why) in misplaced.iter().filter(|(wrong, _, _)| *wrong) {
            let what = format!("`{word}` does not belong to a {}", word_of(c.kind));
            self.problem(&place.word(word), what).help(*why);
        }
        let new = c.versions.iter().any(|(_, version)| !version.endpoints.is_empty());
        if balancer && new {
            self.problem(&place.word("versions"), "a version of a balancer has no endpoints");
        }
        if c.instances == 0 && !middleware {
            let what = format!("`{}` has 0 instances", name.value);
            self.problem(&place.word("instances"), what)
                .help("write at least 1; a change can take instances down");
        }
        if serves && self.names_endpoints(c) == 0 && !self.is_removed("endpoints") {
            self.problem_at(name, format!("`{}` has no endpoints", name.value))
                .help("say what it does: `endpoints: {request: [work: 20ms]}`");
        }
        if let Some(Err(what)) = c.pick.as_ref().map(|pick| pick.check(c.instances)) {
            self.problem(&place.word("pick"), what);
        }
        if balancer && c.backends.is_none() && !self.is_removed("backends") {
            self.problem_at(name, format!("`{}` is a balancer without `backends`", name.value))
                .help("name the component behind it: `backends: api`");
        }
        let calls = !c.pools.is_empty() || all_bodies(c).any(|steps| has_calls(steps));
        let said = c.while_calling.is_some() || self.is_removed("while_calling");
        if c.kind == Kind::Server && calls && !said {
            self.problem_at(
                name,
                format!("`{}` calls, but does not say `while_calling`", name.value),
            )
            .help(
                "`while_calling: hold` if a worker waits for the answer (threads), `release` \
                     if it serves others meanwhile (event loops); it decides many outages",
            );
        }
    }

    fn names_endpoints(&self, component: &Component) -> usize {
        all_bodies(component).count()
    }

    /// Whether workers are released while calling.
    pub fn releases(component: &Component) -> bool {
        let preset = crate::component::preset::preset(component.kind);
        let said = component.while_calling.or(preset.while_calling);
        said == Some(WhileCalling::Release)
    }

    /// A balancer's endpoints are those of its backends, and it passes every request on.
    fn balancer_programs(
        &mut self,
        id: ComponentId,
        name: &Name,
        component: &'m Component,
        place: &Place,
    ) -> Vec<OpId> {
        let Some(to) = component.backends.as_ref().and_then(|b| self.station(b, "called")) else {
            return Vec::new();
        };
        let words = component.passing.clone().unwrap_or_default();
        let site = CallSite {
            name: format!("{} -> {}", name.value, self.model.components.0[to as usize].0.value),
            from: id,
            from_client: NONE,
            to,
            endpoint: NONE,
            timeout: words.timeout.as_ref(),
            deadline: None,
            layers: &words.layers,
            pick: words.pick.as_ref(),
            network: words.network.as_ref(),
            late_used: false,
            cancels: words.cancels,
            place: place.word("passing"),
            luck: format!("{}/passing", name.value),
        };
        let edge = self.call_site(site);
        let endpoints = self.names.endpoints[id as usize].clone();
        let same = endpoints.iter().map(|e| self.names.endpoint(to, e).unwrap_or(NONE)).collect();
        let plan = &mut self.plan.edges[edge as usize];
        plan.same_endpoint = same;
        plan.proxy = true;
        let first = self.prologue(id, component);
        self.plan.ops.extend([Op::Call(edge), Op::Reply(Status::Ok)]);
        vec![first; endpoints.len() * self.names.versions[id as usize].len()]
    }

    /// The beginning of every program: bugs strike, then the request passes the middleware.
    pub fn prologue(&mut self, id: ComponentId, component: &Component) -> OpId {
        let first = self.plan.ops.len() as OpId;
        let versions = component.versions.iter().any(|(_, version)| !version.bugs.is_empty());
        if versions || !component.bugs.is_empty() {
            self.plan.ops.push(Op::Bugs);
        }
        for &middleware in &self.plan.components[id as usize].middleware {
            self.plan.ops.extend([Op::Middleware(middleware), Op::MiddlewareWork(middleware)]);
        }
        first
    }

    /// A probe that needs a worker: a call without a program.
    pub fn probe_site(&mut self, id: ComponentId, timeout: Nanos) -> u32 {
        let name = &self.model.components.0[id as usize].0.value;
        let law = crate::dist::Dist::Fixed(crate::units::Span(timeout));
        self.call_site(CallSite {
            name: format!("probe of {name}"),
            from: NONE,
            from_client: NONE,
            to: id,
            endpoint: NONE,
            timeout: Some(&law).filter(|_| timeout > 0),
            deadline: None,
            layers: &[],
            pick: None,
            network: None,
            late_used: false,
            cancels: true,
            place: Place::top("components"),
            luck: format!("{name}/probe"),
        })
    }
}

/// The bodies of all endpoints in all versions.
fn all_bodies(component: &Component) -> impl Iterator<Item = &Vec<Step>> {
    let versions = component.versions.iter().map(|(_, version)| &version.endpoints);
    std::iter::once(&component.endpoints).chain(versions).flatten().map(|(_, steps)| steps)
}

fn has_calls(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Call(_) => true,
        Step::Parallel(parallel) => parallel.branches.iter().any(|steps| has_calls(steps)),
        Step::Choose(branches) => branches.iter().any(|branch| has_calls(&branch.steps)),
        Step::LookUp(look_up) => has_calls(&look_up.hit) || has_calls(&look_up.miss),
        Step::Work(_) | Step::Wait(_) | Step::Reply(_) | Step::StartOver => false,
    })
}

fn word_of(kind: Kind) -> &'static str {
    crate::component::preset::preset(kind).word
}
