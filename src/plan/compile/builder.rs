//! What all parts of a compilation share.

use super::names::Names;
use super::{CompileContext, MAX_INSTANCES, NONE};
use crate::dist::{Dist, Quantity, Sampler};
use crate::mitigation::{LayerSpec, Pick};
use crate::model::{Model, WarmUp};
use crate::plan::{ClientId, ComponentId, EdgeId, EdgePlan, MAX_LAYERS, Plan, Timeout, WorkPlan};
use crate::rng::seed_of;
use crate::text::{Mark, Name, Node, Problem, Value};
use crate::units::{NEVER, Nanos, Span};
use std::fmt::Display;

/// A place in the model: its path, and the mark of the nearest name on it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: Vec<String>,
    mark: Mark,
}

impl Place {
    /// A word at the top of the file.
    pub fn top(word: &str) -> Place {
        Place { path: vec![word.to_owned()], mark: Mark::NONE }
    }

    /// Further down, at a word or at the number of an element.
    pub fn word(&self, word: impl Display) -> Place {
        let mut path = self.path.clone();
        path.push(word.to_string());
        Place { path, mark: self.mark }
    }

    /// Further down, at a name.
    pub fn name(&self, name: &Name) -> Place {
        Place { mark: name.mark, ..self.word(&name.value) }
    }
}

/// A problem that has just been reported, to which help can be added.
pub(super) struct Reported<'a>(&'a mut Problem);

impl Reported<'_> {
    /// Says what to write instead.
    pub fn help(self, help: impl Into<String>) {
        self.0.help = Some(help.into());
    }
}

/// The words of a call site, whoever calls.
pub(super) struct CallSite<'w> {
    pub name: String,
    pub from: ComponentId,
    pub from_client: ClientId,
    pub to: ComponentId,
    pub endpoint: u32,
    pub timeout: Option<&'w Dist<Span>>,
    pub deadline: Option<Span>,
    pub layers: &'w [LayerSpec],
    pub pick: Option<&'w Pick>,
    pub network: Option<&'w Dist<Span>>,
    pub late_used: bool,
    pub cancels: bool,
    /// Where the words stand.
    pub place: Place,
    /// Name of the place for the luck of requests.
    pub luck: String,
}

/// A model on its way to a plan.
pub(super) struct Builder<'m, 'c> {
    pub model: &'m Model,
    pub names: Names<'m>,
    pub plan: Plan,
    /// `scale.enlarged`, at least 1.
    pub enlarged: u32,
    problems: Vec<Problem>,
    read_file: &'c mut dyn FnMut(&str) -> Result<String, String>,
    removed: &'c [String],
    pub(super) root: Option<&'c Node>,
}

impl<'m, 'c> Builder<'m, 'c> {
    /// An empty plan with the model's settings.
    pub fn new(model: &'m Model, seed: u64, context: &'c mut CompileContext) -> Builder<'m, 'c> {
        let mut problems = Vec::new();
        let names = Names::new(model, context.removed, &mut problems);
        Builder {
            model,
            names,
            plan: empty(model, seed),
            enlarged: model.scale.enlarged.max(1),
            problems,
            read_file: &mut *context.read_file,
            removed: context.removed,
            root: context.root,
        }
    }

    /// The plan and everything that is wrong with it.
    pub fn finish(self) -> (Plan, Vec<Problem>) {
        (self.plan, self.problems)
    }

    /// Reports a problem at a place.
    pub fn problem(&mut self, place: &Place, what: impl Into<String>) -> Reported<'_> {
        let mark = self.mark(place);
        self.push(Problem::new(what).at(mark))
    }

    /// Reports a problem at a name.
    pub fn problem_at(&mut self, name: &Name, what: impl Into<String>) -> Reported<'_> {
        self.push(Problem::new(what).at(name.mark))
    }

    /// Reports a problem.
    pub fn push(&mut self, problem: Problem) -> Reported<'_> {
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        Reported(&mut self.problems[last])
    }

    /// Whether decoding has set a word or name aside, so that it is no news that it is missing.
    pub fn is_removed(&self, word: &str) -> bool {
        self.removed.iter().any(|removed| removed == word)
    }

    /// Whether decoding has set nothing aside.
    pub fn is_whole(&self) -> bool {
        self.removed.is_empty()
    }

    /// The mark of a place: of the value itself if the tree is at hand, else of the nearest name.
    fn mark(&self, place: &Place) -> Mark {
        let Some(mut node) = self.root else { return place.mark };
        for word in &place.path {
            let next = match &node.value {
                // Elements may have moved up when decoding set some aside.
                Value::List(items) if self.removed.is_empty() => {
                    word.parse().ok().and_then(|index: usize| items.get(index))
                }
                _ => node.get(word),
            };
            match next {
                Some(next) => node = next,
                None => return place.mark,
            }
        }
        node.mark
    }

    /// What draws from a law; if it makes no sense, a problem and a law that always gives 0.
    pub fn law<Q: Quantity>(&mut self, dist: &Dist<Q>, place: &Place) -> Sampler {
        match dist.compile(self.read_file) {
            Ok(sampler) => sampler,
            Err(what) => {
                self.problem(place, what);
                zero()
            }
        }
    }

    /// The same for a law that may be left out.
    pub fn law_if<Q: Quantity>(
        &mut self,
        dist: Option<&Dist<Q>>,
        place: &Place,
    ) -> Option<Sampler> {
        dist.map(|dist| self.law(dist, place))
    }

    /// Adds own work (or a wait).
    pub fn work(&mut self, dist: &Dist<Span>, place: &Place, luck: &str) -> u32 {
        let takes = self.law(dist, place);
        self.push_work(takes, luck)
    }

    /// Adds own work of a law; `luck` names its place.
    pub fn push_work(&mut self, takes: Sampler, luck: &str) -> u32 {
        let luck = luck_key(luck);
        self.plan.works.push(WorkPlan {
            takes,
            plus_per_present: 0,
            times_per_other: 0.0,
            crowds: false,
            luck,
        });
        self.plan.works.len() as u32 - 1
    }

    /// The lane of the agenda for a constant delay.
    pub fn lane(&mut self, delay: Nanos) -> u32 {
        let lanes = &mut self.plan.lanes;
        let found = lanes.iter().position(|known| *known == delay);
        found.unwrap_or_else(|| {
            lanes.push(delay);
            lanes.len() - 1
        }) as u32
    }

    /// The time-out of attempts.
    pub fn timeout(&mut self, timeout: Option<&Dist<Span>>, place: &Place) -> Timeout {
        match timeout {
            None => Timeout::Never,
            Some(Dist::Fixed(Span(0))) => {
                self.problem(place, "a time-out of 0: every attempt would fail at once")
                    .help("leave `timeout` out to wait for ever");
                Timeout::Never
            }
            Some(Dist::Fixed(span)) => Timeout::Constant(span.0, self.lane(span.0)),
            Some(law) => Timeout::Drawn(self.law(law, place)),
        }
    }

    /// Checks layers, and hands them on.
    pub fn layers(&mut self, layers: &[LayerSpec], place: &Place) -> Vec<LayerSpec> {
        if layers.len() > MAX_LAYERS {
            self.problem(place, format!("{} layers around one another", layers.len()))
                .help(format!("at most {MAX_LAYERS} are possible"));
        }
        for (index, layer) in layers.iter().enumerate() {
            if let Err(what) = layer.check() {
                self.problem(&place.word(index).word(layer.word()), what);
            }
        }
        layers.to_vec()
    }

    /// Adds a call site. Pools, and what a failure does, are left at their defaults.
    pub fn call_site(&mut self, site: CallSite) -> EdgeId {
        let timeout = self.timeout(site.timeout, &site.place.word("timeout"));
        let (deadline, deadline_lane) = match site.deadline {
            None => (NEVER, NONE),
            Some(Span(0)) => {
                self.problem(
                    &site.place.word("deadline"),
                    "a deadline of 0: every call would fail",
                )
                .help("leave `deadline` out to wait for ever");
                (NEVER, NONE)
            }
            Some(span) => (span.0, self.lane(span.0)),
        };
        let layers = self.layers(site.layers, &site.place.word("layers"));
        let network = self.law_if(site.network, &site.place.word("network"));
        let pick = self.pick(&site);
        let hedge = self.hedge(&layers, &site.place.word("layers"));
        self.plan.edges.push(EdgePlan {
            name: site.name,
            from: site.from,
            from_client: site.from_client,
            to: site.to,
            endpoint: site.endpoint,
            same_endpoint: Vec::new(),
            opens_plainly: false,
            timeout,
            deadline,
            deadline_lane,
            layer_keys: layer_keys(&layers),
            hedge,
            layers,
            pick,
            pool: NONE,
            pool_leak: Vec::new(),
            late_used: site.late_used,
            cancels: site.cancels,
            fails_caller: true,
            proxy: false,
            network,
            luck: luck_key(&site.luck),
            plain: NONE,
        });
        self.plan.edges.len() as u32 - 1
    }

    /// Which layer is the hedge; there may be one.
    fn hedge(&mut self, layers: &[LayerSpec], place: &Place) -> u8 {
        let is_hedge = |layer: &LayerSpec| matches!(layer, LayerSpec::Hedge(_));
        let mut found = (0..layers.len()).filter(|index| is_hedge(&layers[*index]));
        let first = found.next();
        if let Some(second) = found.next() {
            self.problem(&place.word(second), "a second `hedge` around one call")
                .help("write one, with `at_most` as many copies as both together");
        }
        first.map_or(u8::MAX, |index| index as u8)
    }

    /// How the instance is chosen: as the call says, or the callee, or else in turn.
    fn pick(&mut self, site: &CallSite) -> Pick {
        let (_, callee) = &self.model.components.0[site.to as usize];
        let pick = site.pick.or(callee.pick.as_ref()).cloned().unwrap_or_default();
        if site.pick.is_some()
            && let Err(what) = pick.check(callee.instances)
        {
            self.problem(&site.place.word("pick"), what);
        }
        match pick {
            // As many instances as `enlarged` stand for one, and follow one another.
            Pick::Weighted(weights) => {
                let times = self.enlarged as usize;
                let each = weights.iter().flat_map(|weight| std::iter::repeat_n(*weight, times));
                Pick::Weighted(each.take(MAX_INSTANCES as usize).collect())
            }
            other => other,
        }
    }

    /// A number of instances, enlarged.
    pub fn enlarged(&self, count: u32) -> u32 {
        count.saturating_mul(self.enlarged)
    }
}

/// The key for the luck of requests at a place: a hash of its name alone, so that neither the seed
/// nor a change elsewhere in the model shifts it.
pub(super) fn luck_key(place: &str) -> u64 {
    seed_of(0, 0, "luck", place)
}

/// Keys of the luck of layers: the word of each, and how many of the same kind stand inside of it.
fn layer_keys(layers: &[LayerSpec]) -> Vec<u64> {
    let key = |(index, layer): (usize, &LayerSpec)| {
        let same = layers[index + 1..].iter().filter(|other| other.word() == layer.word()).count();
        luck_key(layer.word()).wrapping_add(same as u64)
    };
    layers.iter().enumerate().map(key).collect()
}

/// The law that always gives 0.
pub(super) fn zero() -> Sampler {
    let nothing = Dist::Fixed(Span(0)).compile(&mut |_| Err(String::new()));
    nothing.expect("a constant is a law")
}

/// A plan with the model's settings and nothing in it.
fn empty(model: &Model, seed: u64) -> Plan {
    Plan {
        name: model.name.clone(),
        seed,
        horizon: model.horizon.0,
        warm_up: model.warm_up.span().0,
        warm_up_is_open: model.warm_up == WarmUp::Auto,
        clock_at_alert: None,
        stands_for: model.scale.stands_for,
        bucket: 0,
        quiet_end: model.quiet_end.map_or(crate::units::NEVER, |span| span.0),
        reported_from_acknowledgement: model.impact.reported_from
            == crate::model::ReportedFrom::Acknowledgement,
        bad_minute: model.impact.bad_minute.0,
        lost_at_most: model.impact.lost_at_most.0,
        objective: model.impact.objective.0,
        budget_period: model.impact.budget_period.0,
        stop_memory: model.stop.memory.0,
        stop_events: model.stop.events,
        clients: Vec::new(),
        classes: Vec::new(),
        components: Vec::new(),
        edges: Vec::new(),
        ops: Vec::new(),
        alternatives: Vec::new(),
        branches: Vec::new(),
        works: Vec::new(),
        class_groups: Vec::new(),
        lanes: Vec::new(),
        bugs: Vec::new(),
        logs: Vec::new(),
        changes: Vec::new(),
        alerts: Vec::new(),
        evidence: Vec::new(),
        responder: None,
        observations: Vec::new(),
    }
}
