//! Observations: numbers that a model asks for beyond the ordinary measures.
//!
//! An observation only looks. It draws no luck and puts nothing on the agenda, so that a run with
//! it is the run without it. What is seen is the state between events: a number that changes and
//! changes back at one nanosecond has not been seen in between.

use crate::text::Name;
use crate::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is observed. Each kind becomes measures that begin with the name of the observation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Observation {
    /// How a number is distributed over time.
    Number(Number),
    /// A number at given moments.
    Moments(Moments),
    /// When a number first reaches a level.
    First(First),
    /// How times (waits, latencies) are distributed; every one is taken, none is rounded.
    Times(Times),
    /// How often something happened.
    Count(Count),
}

/// The distribution of a number over time. Measures: `.mean`, `.sd`, `.variance`,
/// `.second_moment`, `.time` (seconds observed); for each level K `.at.K` and `.above.K` (shares
/// of the time), `.entries.K` (how often per second it rose above K), `.stays.K` (mean length of
/// the completed times above K).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// The number.
    pub of: Gauge,
    /// Levels of interest.
    #[serde(default)]
    pub levels: Vec<u32>,
    /// When observing begins; not before the end of the warm-up.
    pub from: Option<Span>,
    /// When it ends.
    pub to: Option<Span>,
    /// Only the time while this change is on.
    #[serde(rename = "while")]
    pub during: Option<Name>,
    /// Only the time while this change is off.
    pub unless: Option<Name>,
    /// Looks only so often, at equal steps, and not all the time: for numbers that take long to
    /// count (many instances).
    pub every: Option<Span>,
}

/// A number at given moments, just before what happens at them. Measures, for a moment such as
/// `50s`: `.50s`, and for each level K `.50s.at.K` and `.50s.above.K` (1 or 0).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// The number.
    pub of: Gauge,
    /// The moments.
    pub at: Vec<Span>,
    /// Levels of interest.
    #[serde(default)]
    pub levels: Vec<u32>,
}

/// The first moment at which a number has reached a level, in seconds; infinite if it never has.
/// The measure has the name of the observation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// The number.
    pub of: Gauge,
    /// Reached from below. Give this or `at_most`.
    pub at_least: Option<u32>,
    /// Reached from above.
    pub at_most: Option<u32>,
    /// Nothing counts before this moment.
    #[serde(default)]
    pub after: Span,
    /// Whether the run ends there.
    #[serde(default)]
    pub ends_run: bool,
}

/// The distribution of times. Measures: `.mean`, `.sd`, `.second_moment`, `.count`, and for the
/// k-th of `points` `.within.k`, the share of the times that are not longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Which times.
    pub of: Timed,
    /// Only those of this class of requests.
    pub class: Option<Name>,
    /// Points of the distribution function.
    #[serde(default)]
    pub points: Vec<Span>,
    /// Only times that end from here on; not before the end of the warm-up.
    pub from: Option<Span>,
    /// Only times that end before.
    pub to: Option<Span>,
}

/// How often something happened. Measures: `.count` and `.per_second`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// What is counted.
    pub of: Counted,
    /// When counting begins; not before the end of the warm-up.
    pub from: Option<Span>,
    /// When it ends.
    pub to: Option<Span>,
}

/// A number that changes in time. Some are counted afresh after every event (they say so): they
/// are for small systems, or for `every`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gauge {
    /// Requests in all instances of a component, waiting or being served.
    Present(Name),
    /// Requests that wait for a worker of a component.
    Waiting(Name),
    /// Workers of a component in use.
    Busy(Name),
    /// Instances of a component that serve; counted afresh.
    Up(Name),
    /// Requests in the fullest instance of a component; counted afresh.
    Longest(Name),
    /// Requests in the emptiest instance of a component; counted afresh.
    Shortest(Name),
    /// Instances of a component with at least so many requests; counted afresh.
    InstancesWith {
        /// The component.
        of: Name,
        /// So many requests.
        at_least: u32,
    },
    /// Requests in a component whose caller still waits for them; counted afresh.
    Awaited(Name),
    /// Requests of a client that have begun and are not over.
    InFlight(Name),
    /// Requests of a client between two attempts; counted afresh.
    BackingOff(Name),
    /// Circuit breakers around the calls of a client or component that are open; counted afresh.
    OpenBreakers(Name),
    /// Those that are half-open; counted afresh.
    HalfOpenBreakers(Name),
    /// 1 while a change is on, else 0.
    On(Name),
}

/// Times of requests.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Timed {
    /// From arrival at a component to a worker, for requests that got one; 0 without a wait.
    Wait(Name),
    /// As `wait`, and also the waits of requests that left the line without a worker.
    WaitOfAll(Name),
    /// From arrival at a component to its good answer.
    Sojourn(Name),
    /// Not a time: for requests with a good answer the time from arrival at a component over their
    /// own work there at full speed and alone (branches of `parallel` aside).
    Slowdown(Name),
    /// From a client's first attempt to the good answer.
    Latency(Name),
    /// From a client's first attempt to the end of the request, good or bad.
    LatencyOfAll(Name),
    /// Not a time: attempts for each request of a client that is over (one attempt counts 1).
    Attempts(Name),
}

/// What happens often enough to be counted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Counted {
    /// Requests that a client begins.
    Sent(Name),
    /// Attempts that a client, or all calls of a component, sends; when it sends them.
    Attempts(Name),
    /// Those among them that are not the first of their request.
    Retries(Name),
    /// Copies among them that a `hedge` sent.
    Hedges(Name),
    /// Requests of a client that are over.
    Over(Name),
    /// Good answers among them.
    Good(Name),
    /// The others.
    Failed(Name),
    /// Attempts of a client or component that timed out.
    Timeouts(Name),
    /// Attempts that the layers of a client or component (breakers, limits, budgets) did not let
    /// out.
    NotSent(Name),
    /// Requests that come to a component.
    Requests(Name),
    /// Answers that go from it.
    Answers(Name),
    /// Good ones among them.
    GoodAnswers(Name),
    /// Requests that it turned away at once.
    Refused(Name),
    /// Requests that left its line unserved.
    Expired(Name),
    /// Looks into the caches of a component.
    Lookups(Name),
    /// Those among them that found what they wanted.
    Hits(Name),
    /// How often a circuit breaker of a client or component opened.
    Trips(Name),
    /// How often one opened again because a trial failed.
    Reopenings(Name),
}
