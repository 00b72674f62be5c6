//! Names and numbers of a run in words.

use crate::change::knob::Turn;
use crate::plan::{
    ActionPlan, ChangeAction, ComponentId, Counter, DeedPlan, Gauge, InstanceId, NONE, Place, Plan,
    SignalPlan, Source,
};
use crate::plot::words::number;
use crate::sim::Outcome;
use crate::status::Status;
use crate::units::{Bytes, MINUTE, Nanos, Rate, SECOND, Span, seconds};

/// Names of what ids stand for, instances added during the run included.
pub(super) struct Names<'a> {
    pub plan: &'a Plan,
    /// Component of each instance, and its number among them from 1.
    instances: Vec<(ComponentId, u32)>,
    /// Instances of each component.
    counts: Vec<u32>,
}

impl<'a> Names<'a> {
    pub fn new(plan: &'a Plan, outcome: &Outcome) -> Names<'a> {
        let mut names =
            Names { plan, instances: Vec::new(), counts: vec![0; plan.components.len()] };
        for (id, component) in plan.components.iter().enumerate() {
            names.add(id as ComponentId, component.instances);
        }
        // The world numbers what people add behind all others, in the order of their actions.
        let done = outcome.response.actions.iter().map(|&(action, ..)| action as usize);
        let actions = plan.responder.as_ref().map_or(&[][..], |people| &people.actions);
        for deed in done.filter_map(|index| actions.get(index)).flat_map(|action| &action.does) {
            if let DeedPlan::Scale(component, more) = *deed {
                names.add(component, more);
            }
        }
        names
    }

    fn add(&mut self, component: ComponentId, more: u32) {
        for _ in 0..more {
            self.counts[component as usize] += 1;
            self.instances.push((component, self.counts[component as usize]));
        }
    }

    /// The component of an instance.
    pub fn component_of(&self, instance: InstanceId) -> ComponentId {
        self.instances.get(instance as usize).map_or(NONE, |&(component, _)| component)
    }

    /// How many instances the component has in the end.
    pub fn count(&self, component: ComponentId) -> u32 {
        self.counts.get(component as usize).copied().unwrap_or(0)
    }

    pub fn component(&self, id: ComponentId) -> &'a str {
        self.plan.components.get(id as usize).map_or("?", |component| &component.name)
    }

    pub fn client(&self, id: u32) -> &'a str {
        self.plan.clients.get(id as usize).map_or("?", |client| &client.name)
    }

    pub fn place(&self, place: Place) -> &'a str {
        match place {
            Place::Component(id) => self.component(id),
            Place::Client(id) => self.client(id),
        }
    }

    pub fn bug(&self, id: u32) -> &'a str {
        self.plan.bugs.get(id as usize).map_or("?", |bug| &bug.name)
    }

    /// `api`, `api #2`, `api #1, #2`, `all 4 instances of api`; all of one component.
    pub fn instances(&self, instances: &[InstanceId]) -> String {
        let Some(&first) = instances.first() else { return String::new() };
        let component = self.component_of(first);
        let name = self.component(component);
        let mut numbers: Vec<u32> = instances
            .iter()
            .filter_map(|&i| self.instances.get(i as usize))
            .map(|&(_, number)| number)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        // Those that people added count only where one of them is meant.
        let highest = numbers.last().copied().unwrap_or(0);
        let at_start = self.plan.components.get(component as usize).map_or(0, |c| c.instances);
        let all = if highest <= at_start { at_start } else { self.count(component) };
        match numbers.len() {
            _ if all <= 1 => name.to_owned(),
            2 if all == 2 => format!("both instances of {name}"),
            n if n as u32 == all => format!("all {all} instances of {name}"),
            n if n > 2 && highest - numbers[0] == n as u32 - 1 => {
                format!("{name} #{} to #{highest}", numbers[0])
            }
            n if n > 6 => format!("{n} of {all} instances of {name}"),
            _ => {
                let numbers: Vec<String> = numbers.iter().map(|n| format!("#{n}")).collect();
                format!("{name} {}", numbers.join(", "))
            }
        }
    }

    /// A signal in the notation of files.
    pub fn signal(&self, signal: &SignalPlan) -> String {
        match *signal {
            SignalPlan::Ratio(of, to) => format!("{} / {}", self.counter(of), self.counter(to)),
            SignalPlan::Count(of) => self.counter(of),
            SignalPlan::Rate(of) => format!("rate of {}", self.counter(of)),
            SignalPlan::RelativeRate(of) => {
                format!("rate of {} against the hour before", self.counter(of))
            }
            SignalPlan::Level(gauge) => self.gauge(gauge),
            SignalPlan::Latency(of, quantile) => {
                format!("p{} latency of {}", number(quantile * 100.0), self.place(of))
            }
        }
    }

    fn counter(&self, counter: Counter) -> String {
        match counter {
            Counter::Requests(place) => format!("{}.requests", self.place(place)),
            Counter::Answers(place) => format!("{}.answers", self.place(place)),
            Counter::AnswersOf(place, mask) => {
                let has = |status: &&Status| mask & (1 << **status as u16) != 0;
                let class = |n: u16| {
                    let of_class = Status::ALL.iter().filter(|s| s.code() / 100 == n);
                    mask == of_class.fold(0, |bits, s| bits | 1 << (*s as u16))
                };
                if let Some(n) = (2..6).find(|n| class(*n)) {
                    return format!("{}.answers.{n}xx", self.place(place));
                }
                let words: Vec<&str> = Status::ALL.iter().filter(has).map(|s| s.word()).collect();
                format!("{}.answers.{}", self.place(place), words.join("|"))
            }
            Counter::Errors(place) => format!("{}.errors", self.place(place)),
            Counter::Exceptions(id) => format!("{}.exceptions", self.component(id)),
            Counter::Deaths(id) => format!("{}.deaths", self.component(id)),
            Counter::Log(id) => self.plan.logs.get(id as usize).cloned().unwrap_or_default(),
        }
    }

    fn gauge(&self, gauge: Gauge) -> String {
        let (id, word) = match gauge {
            Gauge::Memory(id) | Gauge::MemoryBytes(id) => (id, "memory"),
            Gauge::Line(id) => (id, "line"),
            Gauge::Present(id) => (id, "present"),
            Gauge::Busy(id) => (id, "busy"),
            Gauge::InstancesUp(id) => (id, "instances_up"),
        };
        format!("{}.{word}", self.component(id))
    }

    /// What a change does while it is on.
    pub fn change(&self, action: &ChangeAction, at: Nanos) -> String {
        let who = |component: ComponentId, count: u32| {
            let (name, all) =
                (self.component(component), self.plan.components[component as usize].instances);
            if count >= all {
                name.to_owned()
            } else {
                format!("{count} of {all} instances of {name}")
            }
        };
        match action {
            ChangeAction::Turn { component, count, turn } => {
                turn_words(&who(*component, *count), turn)
            }
            ChangeAction::Surge { client, to, by } => self.surge(*client, *to, *by, at),
            ChangeAction::Link { from, from_client, to, delay } => {
                let from = match (*from, *from_client) {
                    (NONE, NONE) => "everything",
                    (NONE, client) => self.client(client),
                    (component, _) => self.component(component),
                };
                let to = self.component(*to);
                match delay {
                    Some(by) => format!("messages from {from} to {to} take {} longer", Span(*by)),
                    None => format!("no message passes from {from} to {to}"),
                }
            }
            ChangeAction::Bug(bug) => format!("the bug {} is switched on", self.bug(*bug)),
            ChangeAction::Deploy { component, version, batch, beside, canary, .. } => {
                let plan = &self.plan.components[*component as usize];
                let version = version.and_then(|v| plan.versions.get(v as usize));
                let what = match version {
                    Some(version) => format!("version `{version}` of {}", plan.name),
                    None => format!("the version before of {}", plan.name),
                };
                if let Some(canary) = canary {
                    let (some, all) = (canary.instances, plan.instances);
                    let watch = Span(canary.watch);
                    format!("{what} goes out to {some} of {all} instances, watched for {watch}")
                } else if *beside {
                    format!("{what} starts beside the one that runs, and takes over when it is up")
                } else if *batch >= plan.instances {
                    format!("{what} goes out to all instances at once")
                } else {
                    format!("{what} goes out, {batch} of {} instances at a time", plan.instances)
                }
            }
            ChangeAction::Flush { component, count } => {
                format!("the waiting lines of {} are emptied", who(*component, *count))
            }
            ChangeAction::EmptyCaches { component, count } => {
                format!("the caches of {} are emptied", who(*component, *count))
            }
        }
    }

    fn surge(&self, client: u32, to: Option<f64>, by: f64, at: Nanos) -> String {
        let plan = &self.plan.clients[client as usize];
        let what = if plan.visit.is_some() { "visits" } else { "requests" };
        let before = match &plan.source {
            Source::Open { rate, .. } => Some(rate.rate_at(seconds(at))),
            Source::At(_) | Source::Closed { .. } => None,
        };
        match (to.or(before.map(|rate| rate * by)), before) {
            (Some(to), Some(before)) => {
                format!("{what} of {} go from {} to {}", plan.name, Rate(before), Rate(to))
            }
            (Some(to), None) => format!("{what} of {} go to {}", plan.name, Rate(to)),
            (None, _) => format!("{} times as many {what} of {}", number(by), plan.name),
        }
    }

    /// What an action does, as a list of sentences.
    pub fn action(&self, action: &ActionPlan) -> String {
        let mut parts: Vec<String> = action.does.iter().map(|deed| self.deed(*deed)).collect();
        if !action.replaces.is_empty() {
            let names: Vec<&str> = action.replaces.iter().map(|&id| self.component(id)).collect();
            parts.push(format!("new processes for {}", names.join(", ")));
        }
        parts.join("; ")
    }

    fn deed(&self, deed: DeedPlan) -> String {
        match deed {
            DeedPlan::Hotfix(bug) => format!("the bug {} is removed", self.bug(bug)),
            DeedPlan::Disable(id) => format!("{} is taken out", self.component(id)),
            DeedPlan::Rollback(id) => format!("{} goes back a version", self.component(id)),
            DeedPlan::Reload(id) => {
                format!("{} goes back a version in its running processes", self.component(id))
            }
            DeedPlan::Restart(id) => format!("{} is restarted", self.component(id)),
            DeedPlan::Block(client) => format!("requests of {} are refused", self.client(client)),
            DeedPlan::Scale(id, more) => {
                format!("{} gets {more} more instances", self.component(id))
            }
        }
    }
}

fn turn_words(who: &str, turn: &Turn) -> String {
    match turn {
        Turn::Down => format!("{who}: down"),
        Turn::Frozen => format!("{who}: frozen"),
        Turn::Slower(by) => format!("{who}: work takes {} times longer", number(*by)),
        Turn::Errors(share, status) => {
            format!("{who}: {} of requests end with {}", percent(*share), status.word())
        }
        Turn::Workers(workers) => format!("{who}: {workers} workers for each instance"),
    }
}

/// A signal's value with its unit.
pub(super) fn value(signal: &SignalPlan, value: f64) -> String {
    match signal {
        SignalPlan::Ratio(..) | SignalPlan::RelativeRate(_) => percent(value),
        SignalPlan::Level(Gauge::Memory(_) | Gauge::Busy(_)) => percent(value),
        SignalPlan::Level(Gauge::MemoryBytes(_)) => Bytes(value as u64).to_string(),
        // Per second where it can be, so that a value and its threshold are seen to differ.
        SignalPlan::Rate(_) if value >= 0.1 => format!("{}/s", number(value)),
        SignalPlan::Rate(_) => Rate(value).to_string(),
        SignalPlan::Latency(..) => Span(crate::units::from_seconds(value)).to_string(),
        SignalPlan::Count(_) | SignalPlan::Level(_) => number(value),
    }
}

/// A fraction in percent: `34%`, `0.4%`.
pub(super) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let rounded =
        if percent.abs() < 9.95 { (percent * 10.0).round() / 10.0 } else { percent.round() };
    format!("{}%", number(rounded))
}

/// A length of time for people: `40s`, `4min 30s`, `132min`.
pub fn length(nanos: Nanos) -> String {
    let whole = (nanos + SECOND / 2) / SECOND;
    match nanos {
        n if n < SECOND => Span(nanos).to_string(),
        n if n < MINUTE => format!("{whole} s"),
        n if n < 10 * MINUTE && !whole.is_multiple_of(60) => {
            format!("{} min {} s", whole / 60, whole % 60)
        }
        _ => format!("{} min", (nanos + MINUTE / 2) / MINUTE),
    }
}
