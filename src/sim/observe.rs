//! Observations: what a model asks to be looked at.
//!
//! Numbers are read before each event that comes later than the one before: what is read then is
//! the state that has held in between. So nothing has to be told when a number changes. An
//! observation that can see nothing new before some time is left alone until then: a run without
//! observations, or with such ones, pays one comparison for each event.

use super::meter::{LevelOf, Meter};
use super::outcome::{Level, NumberSeen, Observed, TimesSeen};
use super::records::TaskState;
use super::world::{EdgeState, Process, World};
use crate::mitigation::Layer;
use crate::mitigation::circuit_breaker::{Breaker, State};
use crate::plan::{
    CallCounter, ClassId, ClientId, ComponentId, CountedPlan, EdgeId, GaugePlan, NONE,
    ObservationPlan, ObservePlan, Place, Plan, TimedPlan,
};
use crate::status::Status;
use crate::units::{NEVER, Nanos, SECOND, nearest};

/// Which observations are looked at, and when.
#[derive(Debug)]
pub struct Observing {
    /// Those that may still see something. Times are told when they end.
    open: Vec<u32>,
    /// The first time at which one of them may.
    next: Nanos,
    /// Whether any looks at a breaker, which may change its state by itself.
    breakers: bool,
}

impl Observing {
    /// All observations of a plan.
    pub fn new(plan: &Plan) -> Observing {
        let all = plan.observations.iter().zip(0..);
        let open = all.filter(|(o, _)| !matches!(o.what, ObservePlan::Times { .. }));
        let is_of_breakers = |gauge: &GaugePlan| {
            matches!(gauge, GaugePlan::OpenBreakers(_) | GaugePlan::HalfOpenBreakers(_))
        };
        Observing {
            open: open.map(|(_, index)| index).collect(),
            next: 0,
            breakers: plan.observations.iter().filter_map(gauge_of).any(is_of_breakers),
        }
    }

    /// Whether something may be seen of what has held until `now`.
    #[inline]
    pub fn is_due(&self, now: Nanos) -> bool {
        now >= self.next
    }

    /// A process has changed its state: whoever counts those that are up looks again.
    pub fn process_changes(&mut self) {
        self.next = 0;
    }
}

fn gauge_of(observation: &ObservationPlan) -> Option<&GaugePlan> {
    match &observation.what {
        ObservePlan::Number { gauge, .. }
        | ObservePlan::Moments { gauge, .. }
        | ObservePlan::First { gauge, .. } => Some(gauge),
        ObservePlan::Times { .. } | ObservePlan::Count { .. } => None,
    }
}

/// Nothing seen yet.
pub fn nothing_seen(plan: &Plan) -> Vec<Observed> {
    let none = |what: &ObservePlan| match what {
        ObservePlan::Number { levels, .. } => Observed::Number(NumberSeen {
            levels: levels.iter().map(|_| Level::default()).collect(),
            ..NumberSeen::default()
        }),
        ObservePlan::Moments { at, .. } => Observed::Moments(vec![None; at.len()]),
        ObservePlan::First { .. } => Observed::First(None),
        ObservePlan::Times { points, .. } => {
            Observed::Times(TimesSeen { within: vec![0; points.len()], ..TimesSeen::default() })
        }
        ObservePlan::Count { window, .. } => {
            let first = (window.0 == 0).then_some(0);
            Observed::Count { first, last: None, time: 0 }
        }
    };
    plan.observations.iter().map(|observation| none(&observation.what)).collect()
}

/// The observations of times that a component or a client feeds.
pub fn watchers(plan: &Plan, place: Place) -> Vec<(TimedPlan, u32)> {
    let is_here = |of: TimedPlan| match of {
        TimedPlan::Wait(c)
        | TimedPlan::WaitOfAll(c)
        | TimedPlan::Sojourn(c)
        | TimedPlan::Slowdown(c) => place == Place::Component(c),
        TimedPlan::Latency(c) | TimedPlan::LatencyOfAll(c) | TimedPlan::Attempts(c) => {
            place == Place::Client(c)
        }
    };
    let all = plan.observations.iter().zip(0..);
    let here = all.filter_map(|(observation, index)| match &observation.what {
        ObservePlan::Times { of, .. } => is_here(*of).then_some((*of, index)),
        _ => None,
    });
    here.collect()
}

impl NumberSeen {
    /// A number has been `value` for so long. `previous` is what it was before that.
    fn add(&mut self, value: u64, from: Nanos, to: Nanos, levels: &[u64]) {
        let span = to - from;
        let weight = span as f64;
        self.time += span;
        self.sum += value as f64 * weight;
        self.squares += (value * value) as f64 * weight;
        // A number that was not watched just before has not been seen to rise.
        let before = self.last.filter(|(_, until)| *until == from).map(|(value, _)| value);
        for (seen, &level) in self.levels.iter_mut().zip(levels) {
            seen.at += if value == level { span } else { 0 };
            let was_above = before.map(|before| before > level);
            if value > level {
                seen.above += span;
                if was_above == Some(false) {
                    seen.entries += 1;
                    seen.entered = Some(from);
                }
            } else if was_above == Some(true)
                && let Some(entered) = seen.entered.take()
            {
                seen.stays += 1;
                seen.stayed += from - entered;
            }
            if before.is_none() {
                seen.entered = None;
            }
        }
        self.last = Some((value, to));
    }
}

impl Meter {
    /// A time of a request has ended.
    fn time_observed(&mut self, plan: &Plan, index: u32, class: ClassId, now: Nanos, time: u64) {
        let ObservePlan::Times { classes, points, window, .. } =
            &plan.observations[index as usize].what
        else {
            return;
        };
        let is_in = now >= window.0 && now < window.1;
        if !is_in || classes.as_ref().is_some_and(|only| !only.contains(&class)) {
            return;
        }
        let Observed::Times(seen) = &mut self.observed[index as usize] else { return };
        seen.count += 1;
        seen.sum += u128::from(time);
        seen.squares += u128::from(time) * u128::from(time);
        for (within, &point) in seen.within.iter_mut().zip(points) {
            *within += u64::from(time <= point);
        }
    }
}

impl World<'_> {
    /// A request's wait at a component has ended, with a worker or without.
    #[inline]
    pub fn wait_ends(&mut self, component: ComponentId, class: ClassId, wait: Nanos, served: bool) {
        if !self.meter.components[component as usize].watchers.is_empty() {
            self.observe_times(Place::Component(component), class, |of| match of {
                TimedPlan::Wait(_) => served.then_some(wait),
                TimedPlan::WaitOfAll(_) => Some(wait),
                _ => None,
            });
        }
    }

    /// A component is about to answer; the task is still there.
    #[inline(never)]
    pub fn sojourn_ends(&mut self, index: u32, status: Status) {
        let task = &self.tasks[index];
        let (class, time, work) = (task.identity.class, self.now - task.came, task.work);
        let component = self.stations[task.instance as usize].component;
        self.meter.tap(component, time);
        if status.is_good() {
            self.observe_times(Place::Component(component), class, |of| match of {
                TimedPlan::Sojourn(_) => Some(time),
                TimedPlan::Slowdown(_) if work > 0 => {
                    Some(nearest(time as f64 / work as f64 * SECOND as f64))
                }
                _ => None,
            });
        }
    }

    /// A client's request is over.
    #[inline(never)]
    pub fn latency_ends(
        &mut self,
        client: ClientId,
        class: ClassId,
        (latency, attempts): (Nanos, u16),
        good: bool,
    ) {
        if !self.meter.clients[client as usize].watchers.is_empty() {
            self.observe_times(Place::Client(client), class, |of| match of {
                TimedPlan::Latency(_) => good.then_some(latency),
                TimedPlan::LatencyOfAll(_) => Some(latency),
                TimedPlan::Attempts(_) => Some(u64::from(attempts) * SECOND),
                _ => None,
            });
        }
    }

    /// Feeds all observations of a place for which there is a time.
    fn observe_times(
        &mut self,
        place: Place,
        class: ClassId,
        time: impl Fn(TimedPlan) -> Option<Nanos>,
    ) {
        let meter = &mut self.meter;
        let watchers = match place {
            Place::Component(c) => &mut meter.components[c as usize].watchers,
            Place::Client(c) => &mut meter.clients[c as usize].watchers,
        };
        let watchers = std::mem::take(watchers);
        for &(of, index) in &watchers {
            if let Some(time) = time(of) {
                self.meter.time_observed(self.plan, index, class, self.now, time);
            }
        }
        match place {
            Place::Component(c) => self.meter.components[c as usize].watchers = watchers,
            Place::Client(c) => self.meter.clients[c as usize].watchers = watchers,
        }
    }

    /// Looks at the state that has held since the present time and holds until `until`. Returns
    /// whether an observation ends the run here.
    pub fn observe(&mut self, until: Nanos) -> bool {
        let mut since = self.now;
        // A breaker may change its state by itself, without an event.
        while let Some(change) = self.next_change_of_breakers(since).filter(|at| *at < until) {
            if self.observe_from(since, change) {
                return true;
            }
            since = change;
        }
        self.observe_from(since, until)
    }

    fn observe_from(&mut self, since: Nanos, until: Nanos) -> bool {
        let mut open = std::mem::take(&mut self.meter.observing.open);
        let (mut next, mut ends) = (NEVER, false);
        open.retain(|&index| {
            let (looks_again, ends_run) = self.look_at(index as usize, since, until);
            ends |= ends_run;
            next = next.min(looks_again.unwrap_or(NEVER));
            looks_again.is_some()
        });
        self.meter.observing.open = open;
        self.meter.observing.next = next;
        ends
    }

    /// One observation sees what has held for some time. Returns from when on it may see something
    /// more, if it may, and whether it ends the run.
    fn look_at(&mut self, index: usize, since: Nanos, until: Nanos) -> (Option<Nanos>, bool) {
        let plan = self.plan;
        let next = match &plan.observations[index].what {
            ObservePlan::Number { gauge, levels, window, condition, every } => {
                let (from, to) = (since.max(window.0), until.min(window.1));
                if from < to && condition.is_none_or(|(change, on)| self.is_on(change) == on) {
                    let (from, to) = match every {
                        None => (from, to),
                        // Each look stands for one step.
                        Some(step) => (from.div_ceil(*step) * step, to.div_ceil(*step) * step),
                    };
                    if from < to {
                        let value = self.read(gauge, since);
                        if let Observed::Number(seen) = &mut self.meter.observed[index] {
                            seen.add(value, from, to, levels);
                        }
                    }
                }
                (until < window.1).then_some(if until < window.0 { window.0 } else { 0 })
            }
            ObservePlan::Moments { gauge, at, .. } => {
                for (number, (moment, _)) in at.iter().enumerate() {
                    if *moment > since && *moment <= until {
                        let value = self.read(gauge, since);
                        if let Observed::Moments(seen) = &mut self.meter.observed[index] {
                            seen[number] = Some(value);
                        }
                    }
                }
                at.iter().map(|(moment, _)| *moment).filter(|moment| *moment > until).min()
            }
            ObservePlan::First { gauge, level, from_below, after, ends_run } => {
                if matches!(self.meter.observed[index], Observed::First(Some(_))) {
                    return (None, false);
                }
                if until <= *after {
                    return (Some(*after), false);
                }
                let value = self.read(gauge, since);
                let is_there = if *from_below { value >= *level } else { value <= *level };
                if is_there {
                    self.meter.observed[index] = Observed::First(Some(since.max(*after)));
                    return (None, *ends_run);
                }
                // How many processes are up depends on their states alone, and each change of
                // those between being up and not is told to the meter, which wakes this.
                Some(if matches!(gauge, GaugePlan::Up(_)) { NEVER } else { 0 })
            }
            ObservePlan::Count { of, window } => {
                let begins = since < window.0 && until >= window.0;
                let ends = since < window.1 && until >= window.1;
                if begins || ends {
                    let value = self.count(of);
                    self.note_count(index, begins.then_some(value), ends.then_some(value));
                }
                (until < window.1).then_some(if until < window.0 { window.0 } else { window.1 })
            }
            ObservePlan::Times { .. } => None,
        };
        (next, false)
    }

    fn note_count(&mut self, index: usize, begins: Option<u64>, ends: Option<u64>) {
        if let Observed::Count { first, last, .. } = &mut self.meter.observed[index] {
            *first = first.or(begins);
            *last = last.or(ends);
        }
    }

    /// The end of the warm-up: the meters have forgotten what they had counted.
    pub fn warm_observations(&mut self) {
        for index in 0..self.plan.observations.len() {
            let ObservePlan::Count { of, .. } = &self.plan.observations[index].what else {
                continue;
            };
            let value = self.count(of);
            if let Observed::Count { first: Some(first), .. } = &mut self.meter.observed[index] {
                *first = value;
            }
        }
    }

    /// The end of the run: counters that are still counting stop, times are known.
    pub fn close_observations(&mut self) {
        for index in 0..self.plan.observations.len() {
            let ObservePlan::Count { of, window } = &self.plan.observations[index].what else {
                continue;
            };
            let value = self.count(of);
            let counted = self.now.min(window.1).saturating_sub(window.0);
            if let Observed::Count { first, last, time } = &mut self.meter.observed[index] {
                *time = counted;
                if first.is_some() && last.is_none() {
                    *last = Some(value);
                }
            }
        }
    }

    fn is_on(&self, change: u32) -> bool {
        self.turns.turns.iter().any(|turn| turn.change == change && turn.active)
    }

    /// A number as it is from `now` on.
    fn read(&self, gauge: &GaugePlan, now: Nanos) -> u64 {
        let meter = |c: ComponentId| &self.meter.components[c as usize];
        match gauge {
            GaugePlan::Present(c) => meter(*c).levels.level(LevelOf::Present),
            GaugePlan::Waiting(c) => meter(*c).levels.level(LevelOf::Waiting),
            GaugePlan::Busy(c) => meter(*c).levels.level(LevelOf::Busy),
            GaugePlan::Up(c) => {
                let instances = self.components[*c as usize].instances.iter();
                let up = |i: &&u32| self.stations[**i as usize].process() == Process::Up;
                instances.filter(up).count() as u64
            }
            GaugePlan::Longest(c) => self.present_by_instance(*c).max().unwrap_or(0),
            GaugePlan::Shortest(c) => self.present_by_instance(*c).min().unwrap_or(0),
            GaugePlan::InstancesWith(c, least) => {
                let least = u64::from(*least);
                self.present_by_instance(*c).filter(|present| *present >= least).count() as u64
            }
            GaugePlan::Awaited(c) => self.awaited(*c),
            GaugePlan::InFlight(client) => self.meter.clients[*client as usize].in_flight,
            GaugePlan::BackingOff(client) => self.backing_off(*client),
            GaugePlan::OpenBreakers(edges) => self.breakers_in(edges, State::Open, now),
            GaugePlan::HalfOpenBreakers(edges) => self.breakers_in(edges, State::HalfOpen, now),
            GaugePlan::On(change) => u64::from(self.is_on(*change)),
        }
    }

    fn present_by_instance(&self, component: ComponentId) -> impl Iterator<Item = u64> {
        let instances = self.components[component as usize].instances.iter();
        instances.map(|i| u64::from(self.stations[*i as usize].present))
    }

    fn awaited(&self, component: ComponentId) -> u64 {
        let tasks = (0..self.tasks.slots()).filter(|index| self.tasks.is_taken(*index));
        let awaited = tasks.filter(|index| {
            let task = &self.tasks[*index];
            let is_inside = task.state != TaskState::Travels && !task.is_branch;
            is_inside
                && self.stations[task.instance as usize].component == component
                && !self.is_abandoned(*index)
        });
        awaited.count() as u64
    }

    fn backing_off(&self, client: ClientId) -> u64 {
        let calls = (0..self.calls.slots()).filter(|index| self.calls.is_taken(*index));
        let pausing = calls.filter(|index| {
            let call = &self.calls[*index];
            call.from == NONE
                && self.plan.client_of(call.identity.class) == client
                && call.state == super::records::CallState::Pauses
        });
        pausing.count() as u64
    }

    fn breakers(&self, edges: &[EdgeId]) -> impl Iterator<Item = &Breaker> {
        let layers = edges.iter().flat_map(|edge| self.edges[*edge as usize].layers.iter());
        layers.flatten().filter_map(|layer| layer.breaker())
    }

    fn breakers_in(&self, edges: &[EdgeId], state: State, now: Nanos) -> u64 {
        self.breakers(edges).filter(|breaker| breaker.at(now).0 == state).count() as u64
    }

    /// When an observed breaker changes its state by itself next.
    fn next_change_of_breakers(&self, now: Nanos) -> Option<Nanos> {
        if !self.meter.observing.breakers {
            return None;
        }
        let numbers = self.plan.observations.iter().filter_map(gauge_of);
        let edges = numbers.filter_map(|gauge| match gauge {
            GaugePlan::OpenBreakers(edges) | GaugePlan::HalfOpenBreakers(edges) => Some(edges),
            _ => None,
        });
        edges.flat_map(|edges| self.breakers(edges)).filter_map(|b| b.at(now).1).min()
    }

    /// A counter as it is now.
    fn count(&self, counted: &CountedPlan) -> u64 {
        let component = |c: &ComponentId| &self.meter.components[*c as usize];
        let client = |c: &ClientId| &self.meter.clients[*c as usize];
        let good = |by_status: &[u64; Status::ALL.len()]| {
            by_status[Status::Ok as usize] + by_status[Status::Degraded as usize]
        };
        match counted {
            CountedPlan::Sent(c) => client(c).sent,
            CountedPlan::Over(c) => client(c).over(),
            CountedPlan::Good(c) => client(c).good(),
            CountedPlan::Failed(c) => client(c).over() - client(c).good(),
            CountedPlan::Requests(c) => component(c).requests,
            CountedPlan::Answers(c) => component(c).answers.iter().sum(),
            CountedPlan::GoodAnswers(c) => good(&component(c).answers),
            CountedPlan::Refused(c) => component(c).turned_away,
            CountedPlan::Expired(c) => component(c).expired,
            CountedPlan::Lookups(c) => component(c).lookups,
            CountedPlan::Hits(c) => component(c).hits,
            CountedPlan::Calls(edges, counter) => {
                let read: fn(&EdgeState) -> u64 = match counter {
                    CallCounter::Attempts => |edge| edge.sent,
                    CallCounter::Retries => |edge| edge.retried,
                    CallCounter::Hedges => |edge| edge.hedged,
                    CallCounter::Timeouts => |edge| edge.timed_out,
                    CallCounter::NotSent => |edge| edge.not_sent,
                    CallCounter::Trips => |edge| edge.trips,
                    CallCounter::Reopenings => |edge| edge.reopenings,
                };
                edges.iter().map(|edge| read(&self.edges[*edge as usize])).sum()
            }
        }
    }
}
