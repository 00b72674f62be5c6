//! Endpoints to programs: lists of steps become one flat list of operations.
//!
//! The bodies of `choose` and `parallel` are put behind the program that they belong to, so that
//! the ordinary path runs straight on.

use super::NONE;
use super::builder::{Builder, CallSite, Place};
use super::clients::percent;
use crate::component::cache::LookUp;
use crate::component::step::{Branch, Call, Parallel, WaitFor, Work};
use crate::component::{Component, Step};
use crate::load::LateAnswers;
use crate::plan::{Alternative, ComponentId, Op, OpId};
use crate::status::Status;
use crate::text::{Name, unknown};

/// Alternatives of one `choose`, or branches of one `parallel`.
const MAX_BODIES: usize = 1_000;
/// Branches of one `parallel`, copies included.
const MAX_BRANCHES: usize = 10_000;

/// The endpoint whose steps are compiled.
struct Site<'m> {
    id: ComponentId,
    component: &'m Component,
    name: &'m Name,
    endpoint: &'m Name,
    /// Its first step.
    start: OpId,
}

/// A body that is put behind its program.
struct Body<'m> {
    /// Whose beginning it is.
    of: Start,
    steps: &'m [Step],
    /// The operation that ends it.
    end: Op,
    place: Place,
    luck: String,
}

enum Start {
    Alternative(usize),
    Branch(usize),
}

impl<'m> Builder<'m, '_> {
    /// The programs of a server or database: version v and endpoint e at `v * endpoints + e`.
    pub fn server_programs(
        &mut self,
        id: ComponentId,
        name: &'m Name,
        component: &'m Component,
    ) -> Vec<OpId> {
        let place = Place::top("components").name(name);
        let mut base = vec![NONE; self.names.endpoints[id as usize].len()];
        let count = base.len();
        for (endpoint, steps) in &component.endpoints {
            let site = Site { id, component, name, endpoint, start: NONE };
            let place = place.word("endpoints").name(endpoint);
            let luck = format!("{}/{}", name.value, endpoint.value);
            if let Some(e) = self.names.endpoint(id, &endpoint.value) {
                base[e as usize] = self.program(site, steps, &place, &luck);
            }
        }
        let mut all = base.clone();
        for (version, words) in &component.versions {
            let place = place.word("versions").name(version).word("endpoints");
            let mut programs = base.clone();
            for (endpoint, steps) in &words.endpoints {
                let site = Site { id, component, name, endpoint, start: NONE };
                let luck = format!("{}@{}/{}", name.value, version.value, endpoint.value);
                if let Some(e) = self.names.endpoint(id, &endpoint.value) {
                    programs[e as usize] = self.program(site, steps, &place.name(endpoint), &luck);
                }
            }
            all.extend(programs);
        }
        debug_assert_eq!(all.len(), count * self.names.versions[id as usize].len());
        all
    }

    fn program(&mut self, site: Site<'m>, steps: &'m [Step], place: &Place, luck: &str) -> OpId {
        let first = self.prologue(site.id, site.component);
        let site = &Site { start: self.plan.ops.len() as OpId, ..site };
        let mut bodies = Vec::new();
        self.body(site, steps, place, luck, &mut bodies);
        self.plan.ops.push(Op::Reply(Status::Ok));
        while let Some(body) = bodies.pop() {
            let start = self.plan.ops.len() as OpId;
            match body.of {
                Start::Alternative(index) => self.plan.alternatives[index].target = start,
                Start::Branch(index) => self.plan.branches[index] = start,
            }
            self.body(site, body.steps, &body.place, &body.luck, &mut bodies);
            self.plan.ops.push(body.end);
        }
        first
    }

    /// One list of steps; the bodies inside it are left for later.
    fn body(
        &mut self,
        site: &Site<'m>,
        steps: &'m [Step],
        place: &Place,
        luck: &str,
        bodies: &mut Vec<Body<'m>>,
    ) {
        for (index, step) in steps.iter().enumerate() {
            let place = place.word(index);
            let at = |word: &str| (place.word(word), format!("{luck}/steps.{index}/{word}"));
            match step {
                Step::Work(work) => {
                    let (place, luck) = at("work");
                    let index = self.work(&work.takes, &place, &luck);
                    self.contention(index, work);
                    self.plan.ops.push(Op::Work(index));
                }
                Step::Wait(law) => {
                    let (place, luck) = at("wait");
                    let index = self.work(law, &place, &luck);
                    self.plan.ops.push(Op::Wait(index));
                }
                Step::Call(call) => {
                    let (place, luck) = at("call");
                    if let Some(edge) = self.call(site, call, place, luck) {
                        self.plan.ops.push(Op::Call(edge));
                    }
                }
                Step::Parallel(parallel) => {
                    let (place, luck) = at("parallel");
                    self.parallel(parallel, &place, &luck, bodies);
                }
                Step::Choose(branches) => {
                    let (place, luck) = at("choose");
                    self.choose(branches, &place, &luck, bodies);
                }
                Step::LookUp(look_up) => {
                    let (place, luck) = at("look_up");
                    self.look_up(site, look_up, &place, &luck, bodies);
                }
                Step::Reply(status) => self.plan.ops.push(Op::Reply(*status)),
                Step::StartOver => self.plan.ops.push(Op::StartOver(site.start)),
            }
        }
    }

    /// How work depends on the number present.
    pub fn contention(&mut self, index: u32, work: &Work) {
        let plan = &mut self.plan.works[index as usize];
        plan.plus_per_present = work.plus_per_present.map_or(0, |span| span.0);
        plan.times_per_other = work.times_per_other.map_or(0.0, |share| share.0);
        plan.crowds = plan.plus_per_present > 0 || plan.times_per_other > 0.0;
    }

    fn call(&mut self, site: &Site<'m>, call: &Call, place: Place, luck: String) -> Option<u32> {
        let (to, endpoint) = self.callee(&call.to, &site.endpoint.value)?;
        let callee = self.model.components.0[to as usize].0.value.clone();
        let target = self.names.endpoints[to as usize][endpoint as usize];
        let edge = self.call_site(CallSite {
            name: format!("{}.{} -> {callee}.{target}", site.name.value, site.endpoint.value),
            from: site.id,
            from_client: NONE,
            to,
            endpoint,
            timeout: call.timeout.as_ref(),
            deadline: call.deadline,
            layers: &call.layers,
            pick: call.pick.as_ref(),
            network: call.network.as_ref(),
            late_used: call.late_answers == LateAnswers::Used,
            cancels: call.cancels,
            place,
            luck,
        });
        let plan = &mut self.plan.edges[edge as usize];
        plan.fails_caller = call.on_failure == crate::component::step::OnFailure::Fail;
        let pools = &site.component.pools;
        if let Some(index) = pools.names().position(|name| name == callee) {
            let base = pools.0[index].1.leak;
            let own = |leaks: &crate::text::Named<_>| leaks.get(&callee).copied().unwrap_or(base).0;
            let versions = &site.component.versions;
            plan.pool = index as u32;
            plan.pool_leak = vec![base.0];
            plan.pool_leak.extend(versions.iter().map(|(_, v)| own(&v.connection_leak)));
        }
        Some(edge)
    }

    /// `component.endpoint`, or `component` for its endpoint of the same name as the caller's.
    pub fn callee(&mut self, to: &Name, same: &str) -> Option<(ComponentId, u32)> {
        let (component, endpoint) = match to.value.split_once('.') {
            Some((component, endpoint)) => (component, endpoint),
            None => (to.value.as_str(), same),
        };
        let part = |value: &str| Name { value: value.to_owned(), mark: to.mark };
        let id = self.station(&part(component), "called")?;
        Some((id, self.endpoint(id, &part(endpoint))?))
    }

    fn parallel(
        &mut self,
        parallel: &'m Parallel,
        place: &Place,
        luck: &str,
        bodies: &mut Vec<Body<'m>>,
    ) {
        let (count, copies) = (parallel.branches.len(), parallel.copies as usize);
        if copies == 0 || count.saturating_mul(copies) > MAX_BRANCHES {
            self.problem(&place.word("copies"), format!("{copies} copies of {count} branches"))
                .help(format!("write at least 1, and at most {MAX_BRANCHES} branches in all"));
            return;
        }
        if parallel.branches.iter().any(|steps| starts_over(steps)) {
            self.problem(&place.word("branches"), "`start_over` inside `parallel`")
                .help("only the whole endpoint can start over: put it behind the `parallel`");
        }
        if count == 0 || count > MAX_BODIES {
            self.problem(&place.word("branches"), format!("{count} branches in `parallel`"))
                .help(format!("write 1 to {MAX_BODIES} lists of steps"));
            return;
        }
        let need = match parallel.wait_for {
            WaitFor::All => count * copies,
            WaitFor::Any => 1,
            WaitFor::AtLeast(need) => need as usize,
        };
        let all = count * copies;
        if need == 0 || need > all {
            let what = format!("`parallel` waits for {need} of {all} branches");
            self.problem(&place.word("wait_for"), what).help(format!("write 1 to {all}"));
        }
        let first = self.plan.branches.len();
        for (index, steps) in parallel.branches.iter().enumerate() {
            self.plan.branches.push(NONE);
            bodies.push(Body {
                of: Start::Branch(first + index),
                steps,
                end: Op::Reply(Status::Ok),
                place: place.word("branches").word(index),
                luck: format!("{luck}/branches.{index}"),
            });
        }
        let need = need.min(all) as u16;
        let (count, copies) = (count as u16, copies as u16);
        self.plan.ops.push(Op::Fork { first: first as u32, count, copies, need });
    }

    fn choose(
        &mut self,
        branches: &'m [Branch],
        place: &Place,
        luck: &str,
        bodies: &mut Vec<Body<'m>>,
    ) {
        let count = branches.len();
        if count == 0 || count > MAX_BODIES {
            self.problem(place, format!("{count} branches in `choose`"))
                .help(format!("write 1 to {MAX_BODIES} of them"));
            return;
        }
        let total: f64 = branches.iter().filter_map(|b| b.share).map(|share| share.0).sum();
        if total > 1.0 + 1e-9 {
            let what = format!("the shares of `choose` add up to {}", percent(total));
            self.problem(place, what).help("they may add up to 100% at most");
        }
        let first = self.plan.alternatives.len();
        let key = self.key_only(luck);
        let op = Op::Choose { first: first as u32, count: count as u16, luck: key };
        self.plan.ops.push(op);
        let next = self.plan.ops.len() as OpId;
        let mut sum = 0.0;
        for (index, branch) in branches.iter().enumerate() {
            let place = place.word(index);
            let last = index + 1 == count;
            let alternative = self.alternative(branch, last, &mut sum, &place);
            self.plan.alternatives.push(alternative);
            bodies.push(Body {
                of: Start::Alternative(first + index),
                steps: &branch.steps,
                end: Op::Jump(next),
                place: place.word("steps"),
                luck: format!("{luck}/{index}"),
            });
        }
    }

    /// The steps after a miss run straight on, for they take the time; those after a hit are put
    /// behind.
    fn look_up(
        &mut self,
        site: &Site<'m>,
        look_up: &'m LookUp,
        place: &Place,
        luck: &str,
        bodies: &mut Vec<Body<'m>>,
    ) {
        let name = &look_up.cache;
        let caches = &site.component.caches;
        let Some(cache) = caches.names().position(|known| known == name.value) else {
            if !self.is_removed(&name.value) {
                self.push(unknown("cache", name, caches.names()));
            }
            return;
        };
        let (cache, hit) = (cache as u32, self.plan.alternatives.len());
        let target = Alternative { cumulative_share: 0.0, class: NONE, target: NONE };
        self.plan.alternatives.push(target);
        self.plan.ops.push(Op::LookUp { cache, hit: hit as u32 });
        self.body(site, &look_up.miss, &place.word("miss"), &format!("{luck}/miss"), bodies);
        self.plan.ops.push(Op::Fill(cache));
        bodies.push(Body {
            of: Start::Alternative(hit),
            steps: &look_up.hit,
            end: Op::Jump(self.plan.ops.len() as OpId),
            place: place.word("hit"),
            luck: format!("{luck}/hit"),
        });
    }

    fn alternative(
        &mut self,
        branch: &Branch,
        last: bool,
        sum: &mut f64,
        place: &Place,
    ) -> Alternative {
        let (mut cumulative_share, mut class) = (0.0, NONE);
        match (branch.share, &branch.class, branch.otherwise) {
            (Some(share), None, false) => {
                *sum += share.0;
                cumulative_share = sum.min(1.0);
            }
            (None, Some(name), false) => {
                let set = self.classes(name);
                let groups = &mut self.plan.class_groups;
                let known = groups.iter().position(|group| *group == set);
                class = known.unwrap_or_else(|| {
                    groups.push(set);
                    groups.len() - 1
                }) as u32;
            }
            (None, None, true) => {
                cumulative_share = 1.0;
                if !last {
                    self.problem(place, "`otherwise` before other branches")
                        .help("put it last; what follows it is never reached");
                }
            }
            _ => {
                self.problem(
                    place,
                    "a branch of `choose` has one of `share`, `class`, `otherwise`",
                )
                .help("write for example `{share: 20%, steps: [...]}`");
            }
        }
        Alternative { cumulative_share, class, target: NONE }
    }
}

/// Whether some step goes back to the first one.
fn starts_over(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::StartOver => true,
        Step::Choose(branches) => branches.iter().any(|branch| starts_over(&branch.steps)),
        Step::LookUp(look_up) => starts_over(&look_up.hit) || starts_over(&look_up.miss),
        // A `parallel` inside is looked at by itself.
        _ => false,
    })
}
