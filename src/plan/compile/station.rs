//! The station of a component: workers, line, CPU, memory, restarts, probes, pools.

use super::NONE;
use super::builder::{Builder, Place, zero};
use super::names::BASE;
use crate::component::{
    Component, Kind, Leak, Memory, ProbeNeeds, Restart, WhenFull, preset::preset,
};
use crate::mitigation::LayerSpec;
use crate::plan::{
    CachePlan, ComponentId, ComponentPlan, MemoryPlan, Needs, PoolPlan, ProbePlan, RestartPlan,
};
use crate::text::{Name, unknown};
use crate::units::NEVER;

impl Builder<'_, '_> {
    /// A component's limits and resources. Instances, endpoints, versions, programs, probes and
    /// bugs are filled in by others.
    pub fn station_plan(&mut self, name: &Name, c: &Component, place: &Place) -> ComponentPlan {
        let (workers, connections) = self.workers(name, c, place);
        let cores = c.cpu.map_or(0, |cpu| cpu.cores);
        if c.cpu.is_some() && cores == 0 {
            self.problem(&place.word("cpu").word("cores"), "0 cores can do no work");
        }
        if c.cost_of_rejecting.is_some() && c.cpu.is_none() {
            self.problem(&place.word("cost_of_rejecting"), "`cost_of_rejecting` needs `cpu`")
                .help("it is CPU work; write for example `cpu: {cores: 2}`");
        }
        let work = c.work.as_ref().map(|work| {
            let place = place.word("work");
            let index = self.work(&work.takes, &place, &format!("{}/work", name.value));
            self.contention(index, work);
            index
        });
        ComponentPlan {
            name: name.value.clone(),
            first_instance: 0,
            instances: 0,
            workers,
            releases: Self::releases(c),
            line_capacity: c.line.capacity.or_max(),
            line_drops: c.line.when_full == WhenFull::Drop,
            discipline: c.line.discipline,
            line_wait: self.law_if(c.line.wait.as_ref(), &place.word("line").word("wait")),
            drops_abandoned: c.line.drops_abandoned,
            connections,
            cost_of_rejecting: c.cost_of_rejecting.map_or(0, |span| span.0),
            cores,
            sharing: c.cpu.map(|cpu| cpu.sharing).unwrap_or_default(),
            memory: c.memory.as_ref().map(|memory| self.memory(memory, &place.word("memory"))),
            leaked_at_start: c.memory.as_ref().map_or_else(zero, |memory| {
                self.law(&memory.leaked_at_start, &place.word("memory").word("leaked_at_start"))
            }),
            restart: self.restart(&c.restart, &place.word("restart")),
            start_takes: self.law_if(c.start_takes.as_ref(), &place.word("start_takes")),
            probe: None,
            pools: self.pools(c, place),
            caches: self.caches(c, place),
            middleware: Vec::new(),
            layers: self.door(&c.layers, &place.word("layers")),
            work,
            endpoints: Vec::new(),
            versions: Vec::new(),
            programs: Vec::new(),
            version: 0,
            leaks: self.leaks(c, place),
            bugs: Vec::new(),
            is_plain: false,
        }
    }

    /// Layers at a door. One that sends calls again has none to send there.
    fn door(&mut self, layers: &[LayerSpec], place: &Place) -> Vec<LayerSpec> {
        for (index, layer) in layers.iter().enumerate() {
            if matches!(layer, LayerSpec::Hedge(_)) {
                self.problem(&place.word(index).word("hedge"), "a `hedge` at a door sends nothing")
                    .help("write it around the call: in `layers` of the client or of a `call`");
            }
        }
        self.layers(layers, place)
    }

    /// Workers, and the requests that an instance may hold. A database that says only `connections`
    /// has so many sessions, which are its workers, and no other limit: who finds none free waits.
    fn workers(&mut self, name: &Name, c: &Component, place: &Place) -> (u32, u32) {
        let sessions = c.connections.filter(|_| c.kind == Kind::Database && c.workers.is_none());
        let workers = c.workers.or(sessions).or(preset(c.kind).workers);
        if workers.is_none() && !self.is_removed("workers") && !self.is_removed("connections") {
            let (word, help) = match c.kind {
                Kind::Database => ("`connections` (or `workers`)", "connections: 16"),
                _ => ("`workers`", "workers: 8"),
            };
            self.problem_at(name, format!("`{}` does not say its {word}", name.value))
                .help(format!("write `{help}`, for one instance; `unlimited` for event loops"));
        }
        for (limit, word) in [(c.workers, "workers"), (c.connections, "connections")] {
            if limit.is_some_and(|limit| limit.or_max() == 0) {
                let what = format!("`{}` has 0 {word} and can serve nothing", name.value);
                self.problem(&place.word(word), what).help("write at least 1, or `unlimited`");
            }
        }
        let connections = c.connections.filter(|_| sessions.is_none());
        let max = |limit: Option<crate::component::Limit>| limit.map_or(u32::MAX, |l| l.or_max());
        (max(workers), max(connections))
    }

    fn memory(&mut self, memory: &Memory, place: &Place) -> MemoryPlan {
        let at_start = memory.base.0.saturating_add(memory.leaked_at_start.mean() as u64);
        if at_start >= memory.limit.0 {
            let used = crate::units::Bytes(at_start);
            let what = format!("the memory limit ({}) is used up at the start", memory.limit);
            self.problem(&place.word("limit"), what)
                .help(format!("`base` and `leaked_at_start` are {used} together"));
        }
        if let Some(pressure) = memory.pressure {
            let place = place.word("pressure");
            if pressure.from.0 >= 1.0 {
                self.problem(&place.word("from"), "pressure that begins at the limit")
                    .help("write less than 100%");
            }
            if pressure.slowdown.0 < 1.0 {
                self.problem(&place.word("slowdown"), "work that is faster under pressure")
                    .help("write how many times longer it takes, at least `1x`");
            }
        }
        MemoryPlan {
            limit: memory.limit.0,
            base: memory.base.0,
            per_request: memory.per_request.0,
            pressure: memory.pressure.map(|pressure| (pressure.from.0, pressure.slowdown.0)),
            at_limit: memory.at_limit,
        }
    }

    fn restart(&mut self, restart: &Restart, place: &Place) -> Option<RestartPlan> {
        let Restart::Always(always) = restart else { return None };
        let place = place.word("always");
        if let Some(back_off) = always.back_off
            && (back_off.first.0 == 0 || back_off.cap < back_off.first)
        {
            self.problem(&place.word("back_off"), "a back-off whose delays make no sense")
                .help("`first` is above 0, and `cap` is at least `first`");
        }
        Some(RestartPlan {
            takes: self.law(&always.takes, &place.word("takes")),
            back_off: always.back_off.map(|b| (b.first.0, b.cap.0, b.reset.0)),
        })
    }

    fn pools(&mut self, c: &Component, place: &Place) -> Vec<PoolPlan> {
        let mut pools = Vec::new();
        for (name, pool) in &c.pools {
            if pool.size == 0 {
                let place = place.word("pools").name(name).word("size");
                self.problem(&place, "a pool of 0 connections lets no call through");
            }
            // An unknown callee keeps its place in the list, so that the others keep theirs.
            let callee = self.station(name, "called").unwrap_or(NONE);
            pools.push(PoolPlan {
                callee,
                size: pool.size,
                wait: pool.wait.map_or(NEVER, |span| span.0),
                memory: pool.memory.0,
            });
        }
        pools
    }

    fn caches(&mut self, c: &Component, place: &Place) -> Vec<CachePlan> {
        let mut caches = Vec::new();
        for (name, cache) in &c.caches {
            let place = place.word("caches").name(name);
            if cache.size.or_max() == 0 {
                self.problem(&place.word("size"), "a cache of 0 entries keeps nothing");
            }
            if cache.ttl.is_some_and(|ttl| ttl.0 == 0) {
                self.problem(&place.word("ttl"), "entries that are never good")
                    .help("write for example `60s`; leave `ttl` out for ever");
            }
            caches.push(CachePlan {
                size: cache.size.or_max(),
                ttl: cache.ttl.map_or(NEVER, |span| span.0),
                shared: cache.shared,
            });
        }
        caches
    }

    /// Leaks by version: the base version's, then each other's own or the base version's.
    fn leaks(&mut self, c: &Component, place: &Place) -> Vec<(u64, u64)> {
        let pair = |leak: Leak| (leak.per_request.0, leak.per_failed_answer.0);
        let base = c.memory.as_ref().map(|memory| memory.leak).unwrap_or_default();
        let mut all = vec![pair(base)];
        for (name, version) in &c.versions {
            if version.leak.is_some() && c.memory.is_none() && !self.is_removed("memory") {
                let place = place.word("versions").name(name).word("leak");
                self.problem(&place, "a leak needs `memory` of the component to leak from")
                    .help("write `memory: {limit: 1GiB, at_limit: killed}`");
            }
            all.push(pair(version.leak.unwrap_or(base)));
            for (pool, _) in &version.connection_leak {
                if c.pools.get(&pool.value).is_none() && !self.is_removed(&pool.value) {
                    self.push(unknown("pool", pool, c.pools.names()));
                }
            }
        }
        all
    }

    /// The health probe of a component.
    pub fn probe_of(&mut self, id: ComponentId, name: &Name, c: &Component, place: &Place) {
        let Some(probe) = c.probe.as_ref().filter(|_| c.kind != Kind::Middleware) else { return };
        let place = place.word("probe");
        for (span, word) in [(probe.interval, "interval"), (probe.timeout, "timeout")] {
            if span.0 == 0 {
                let what = format!("the probe of `{}` has {word} 0", name.value);
                self.problem(&place.word(word), what).help("write for example `5s`");
            }
        }
        for (count, word) in [(probe.fall, "fall"), (probe.rise, "rise")] {
            if count == 0 {
                let what = format!("the probe of `{}` has `{word}` 0", name.value);
                self.problem(&place.word(word), what).help("write at least 1");
            }
        }
        let needs = match &probe.needs {
            ProbeNeeds::Port => Needs::Port,
            ProbeNeeds::Worker => Needs::Worker,
            ProbeNeeds::Dependency(on) => match self.station(on, "probed") {
                Some(on) => Needs::Dependency(on),
                None => Needs::Worker,
            },
        };
        let edge = match needs {
            Needs::Port => NONE,
            Needs::Worker | Needs::Dependency(_) => self.probe_site(id, probe.timeout.0),
        };
        self.plan.components[id as usize].probe = Some(ProbePlan {
            needs,
            edge,
            interval: probe.interval.0,
            timeout: probe.timeout.0,
            fall: probe.fall,
            rise: probe.rise,
            fail_open: probe.fail_open,
        });
    }

    /// A version of a component by name.
    pub fn version(&mut self, id: ComponentId, name: &Name) -> Option<u32> {
        let known = &self.names.versions[id as usize];
        let found = known.iter().position(|version| *version == name.value);
        if found.is_none() && !self.is_removed(&name.value) {
            let of = &self.model.components.0[id as usize].0.value;
            let mut problem = unknown("version", name, known.iter().copied());
            problem.what = format!("`{of}` has no version `{}`", name.value);
            self.push(problem);
        }
        found.map(|index| index as u32)
    }

    /// The wait of a step without any law of its own: the key of a draw only.
    pub fn key_only(&mut self, luck: &str) -> u32 {
        self.push_work(zero(), luck)
    }

    /// Versions are bits of a 64-bit set, and the first one has a name already.
    pub fn check_versions(&mut self, c: &Component) {
        for (name, _) in c.versions.iter().filter(|(name, _)| name.value == BASE) {
            self.problem_at(name, "`base` is the name of the version without additions")
                .help("give this version another name");
        }
        if let Some((name, _)) = c.versions.0.get(63) {
            self.problem_at(name, "more than 63 versions of one component");
        }
    }
}
