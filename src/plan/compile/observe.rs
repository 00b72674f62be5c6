//! Observations.

use super::builder::{Builder, Place};
use crate::observe::{Counted, Gauge, Observation, Timed};
use crate::plan::{
    CallCounter, ClassId, CountedPlan, EdgeId, GaugePlan, NONE, ObservationPlan, ObservePlan,
    TimedPlan,
};
use crate::text::{Name, unknown};
use crate::units::{NEVER, Nanos, Span};

impl Builder<'_, '_> {
    /// All observations, in the order of the file.
    pub fn observations(&mut self) {
        let model = self.model;
        for (name, observation) in &model.observe {
            let place = Place::top("observe").name(name);
            if name.value.contains('.') || name.value.is_empty() {
                self.problem_at(name, format!("`{}` cannot be a name here", name.value))
                    .help("dots stand between the words of a measure; write `-` instead");
            }
            if let Some(what) = self.observation(observation, &place) {
                let name = name.value.clone();
                self.plan.observations.push(ObservationPlan { name, what });
            }
        }
    }

    fn observation(&mut self, observation: &Observation, place: &Place) -> Option<ObservePlan> {
        let levels = |levels: &[u32]| levels.iter().map(|level| u64::from(*level)).collect();
        Some(match observation {
            Observation::Number(words) => {
                let place = place.word("number");
                let window = self.window(words.from, words.to, &place);
                if words.during.is_some() && words.unless.is_some() {
                    self.problem(&place, "both `while` and `unless`").help("write one of them");
                }
                if words.every == Some(Span(0)) {
                    self.problem(&place.word("every"), "looking every 0 never ends");
                }
                let name = words.during.as_ref().or(words.unless.as_ref());
                let change = name.and_then(|name| self.change(name));
                ObservePlan::Number {
                    gauge: self.gauge_of(&words.of)?,
                    levels: levels(&words.levels),
                    window,
                    condition: change.map(|change| (change, words.during.is_some())),
                    every: words.every.map(|span| span.0.max(1)),
                }
            }
            Observation::Moments(words) => ObservePlan::Moments {
                gauge: self.gauge_of(&words.of)?,
                at: words.at.iter().map(|span| (span.0, span.to_string())).collect(),
                levels: levels(&words.levels),
            },
            Observation::First(words) => {
                let (level, from_below) = match (words.at_least, words.at_most) {
                    (Some(level), None) => (level, true),
                    (None, Some(level)) => (level, false),
                    _ => {
                        self.problem(&place.word("first"), "one of `at_least` and `at_most`");
                        return None;
                    }
                };
                ObservePlan::First {
                    gauge: self.gauge_of(&words.of)?,
                    level: u64::from(level),
                    from_below,
                    after: words.after.0,
                    ends_run: words.ends_run,
                }
            }
            Observation::Times(words) => {
                let of = self.timed(&words.of)?;
                let classes = words.class.as_ref().map(|name| self.classes(name));
                let only = |set: Vec<bool>| -> Vec<ClassId> {
                    (0..).zip(set).filter(|(_, is_in)| *is_in).map(|(id, _)| id).collect()
                };
                ObservePlan::Times {
                    of,
                    classes: classes.map(only),
                    points: words.points.iter().map(|span| span.0).collect(),
                    window: self.window(words.from, words.to, &place.word("times")),
                }
            }
            Observation::Count(words) => ObservePlan::Count {
                of: self.counted(&words.of)?,
                window: self.window(words.from, words.to, &place.word("count")),
            },
        })
    }

    /// From the end of the warm-up on at the earliest.
    fn window(&mut self, from: Option<Span>, to: Option<Span>, place: &Place) -> (Nanos, Nanos) {
        let (from, to) = (from.map_or(0, |span| span.0), to.map_or(NEVER, |span| span.0));
        let warm_up = self.model.warm_up.span().0;
        if to <= from {
            self.problem(&place.word("to"), "it ends before it begins");
        } else if to <= warm_up {
            self.problem(
                &place.word("to"),
                "it ends before the warm-up does: nothing is seen of it",
            );
        }
        (from.max(warm_up), to)
    }

    fn change(&mut self, name: &Name) -> Option<u32> {
        let found = self.plan.changes.iter().position(|change| change.name == name.value);
        if found.is_none() && !self.is_removed(&name.value) {
            let model = self.model;
            if model.changes.get(&name.value).is_none() {
                self.push(unknown("change", name, model.changes.names()));
            }
        }
        found.map(|index| index as u32)
    }

    fn gauge_of(&mut self, gauge: &Gauge) -> Option<GaugePlan> {
        Some(match gauge {
            Gauge::Present(name) => GaugePlan::Present(self.observed_station(name)?),
            Gauge::Waiting(name) => GaugePlan::Waiting(self.observed_station(name)?),
            Gauge::Busy(name) => GaugePlan::Busy(self.observed_station(name)?),
            Gauge::Up(name) => GaugePlan::Up(self.observed_station(name)?),
            Gauge::Longest(name) => GaugePlan::Longest(self.observed_station(name)?),
            Gauge::Shortest(name) => GaugePlan::Shortest(self.observed_station(name)?),
            Gauge::InstancesWith { of, at_least } => {
                GaugePlan::InstancesWith(self.observed_station(of)?, *at_least)
            }
            Gauge::Awaited(name) => GaugePlan::Awaited(self.observed_station(name)?),
            Gauge::InFlight(name) => GaugePlan::InFlight(self.client(name)?),
            Gauge::BackingOff(name) => GaugePlan::BackingOff(self.client(name)?),
            Gauge::OpenBreakers(name) => GaugePlan::OpenBreakers(self.calls_of(name)?),
            Gauge::HalfOpenBreakers(name) => GaugePlan::HalfOpenBreakers(self.calls_of(name)?),
            Gauge::On(name) => GaugePlan::On(self.change(name)?),
        })
    }

    fn timed(&mut self, timed: &Timed) -> Option<TimedPlan> {
        Some(match timed {
            Timed::Wait(name) => TimedPlan::Wait(self.observed_station(name)?),
            Timed::WaitOfAll(name) => TimedPlan::WaitOfAll(self.observed_station(name)?),
            Timed::Sojourn(name) => TimedPlan::Sojourn(self.observed_station(name)?),
            Timed::Slowdown(name) => TimedPlan::Slowdown(self.observed_station(name)?),
            Timed::Latency(name) => TimedPlan::Latency(self.client(name)?),
            Timed::LatencyOfAll(name) => TimedPlan::LatencyOfAll(self.client(name)?),
            Timed::Attempts(name) => TimedPlan::Attempts(self.client(name)?),
        })
    }

    fn counted(&mut self, counted: &Counted) -> Option<CountedPlan> {
        let mut calls =
            |name: &Name, counter| Some(CountedPlan::Calls(self.calls_of(name)?, counter));
        Some(match counted {
            Counted::Attempts(name) => calls(name, CallCounter::Attempts)?,
            Counted::Retries(name) => calls(name, CallCounter::Retries)?,
            Counted::Hedges(name) => calls(name, CallCounter::Hedges)?,
            Counted::Reopenings(name) => calls(name, CallCounter::Reopenings)?,
            Counted::Timeouts(name) => calls(name, CallCounter::Timeouts)?,
            Counted::NotSent(name) => calls(name, CallCounter::NotSent)?,
            Counted::Trips(name) => calls(name, CallCounter::Trips)?,
            Counted::Sent(name) => CountedPlan::Sent(self.client(name)?),
            Counted::Over(name) => CountedPlan::Over(self.client(name)?),
            Counted::Good(name) => CountedPlan::Good(self.client(name)?),
            Counted::Failed(name) => CountedPlan::Failed(self.client(name)?),
            Counted::Requests(name) => CountedPlan::Requests(self.observed_station(name)?),
            Counted::Answers(name) => CountedPlan::Answers(self.observed_station(name)?),
            Counted::GoodAnswers(name) => CountedPlan::GoodAnswers(self.observed_station(name)?),
            Counted::Refused(name) => CountedPlan::Refused(self.observed_station(name)?),
            Counted::Expired(name) => CountedPlan::Expired(self.observed_station(name)?),
            Counted::Lookups(name) => CountedPlan::Lookups(self.observed_station(name)?),
            Counted::Hits(name) => CountedPlan::Hits(self.observed_station(name)?),
        })
    }

    fn observed_station(&mut self, name: &Name) -> Option<u32> {
        self.station(name, "observed")
    }

    /// The call sites of a client or component.
    fn calls_of(&mut self, name: &Name) -> Option<Vec<EdgeId>> {
        let client = self.names.clients.get(name.value.as_str()).copied();
        let component = self.names.components.get(name.value.as_str()).copied();
        if client.is_none() && component.is_none() {
            if !self.is_removed(&name.value) {
                let model = self.model;
                let all = model.clients.names().chain(model.components.names());
                self.push(unknown("client or component", name, all));
            }
            return None;
        }
        let edges = self.plan.edges.iter().zip(0..);
        let is_own = |edge: &crate::plan::EdgePlan| match (client, component) {
            (Some(client), _) => edge.from == NONE && edge.from_client == client,
            (_, component) => Some(edge.from) == component,
        };
        Some(edges.filter(|(edge, _)| is_own(edge)).map(|(_, id)| id).collect())
    }
}
