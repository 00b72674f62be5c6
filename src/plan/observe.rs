//! Observations with ids in place of names.

use super::{ClassId, ClientId, ComponentId, EdgeId, Plan};
use crate::units::Nanos;

/// An observation.
#[derive(Debug, Clone)]
pub struct ObservationPlan {
    /// Its name, with which its measures begin.
    pub name: String,
    /// What is observed.
    pub what: ObservePlan,
}

/// What is observed, and when.
#[derive(Debug, Clone)]
pub enum ObservePlan {
    /// The distribution of a number over time.
    Number {
        /// The number.
        gauge: GaugePlan,
        /// Levels of interest.
        levels: Vec<u64>,
        /// The time that counts.
        window: (Nanos, Nanos),
        /// Only while this change is on, or off.
        condition: Option<(u32, bool)>,
        /// Looked at only so often.
        every: Option<Nanos>,
    },
    /// A number at moments.
    Moments {
        /// The number.
        gauge: GaugePlan,
        /// The moments, with their text in names of measures.
        at: Vec<(Nanos, String)>,
        /// Levels of interest.
        levels: Vec<u64>,
    },
    /// A first passage.
    First {
        /// The number.
        gauge: GaugePlan,
        /// The level.
        level: u64,
        /// Whether it is reached from below.
        from_below: bool,
        /// Nothing counts before.
        after: Nanos,
        /// Whether the run ends there.
        ends_run: bool,
    },
    /// The distribution of times.
    Times {
        /// Whose.
        of: TimedPlan,
        /// Only those of these classes.
        classes: Option<Vec<ClassId>>,
        /// Points of the distribution function.
        points: Vec<Nanos>,
        /// Only those that end here.
        window: (Nanos, Nanos),
    },
    /// A counter.
    Count {
        /// What is counted.
        of: CountedPlan,
        /// When.
        window: (Nanos, Nanos),
    },
}

impl Plan {
    /// Sets a warm-up that the model leaves open; observations begin no earlier.
    pub fn set_warm_up(&mut self, warm_up: Nanos) {
        self.warm_up = warm_up;
        self.warm_up_is_open = false;
        for observation in &mut self.observations {
            match &mut observation.what {
                ObservePlan::Number { window, .. }
                | ObservePlan::Times { window, .. }
                | ObservePlan::Count { window, .. } => window.0 = window.0.max(warm_up),
                ObservePlan::Moments { .. } | ObservePlan::First { .. } => {}
            }
        }
    }
}

/// A number that changes in time; see [`crate::observe::Gauge`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as the words of the model")]
pub enum GaugePlan {
    Present(ComponentId),
    Waiting(ComponentId),
    Busy(ComponentId),
    Up(ComponentId),
    Longest(ComponentId),
    Shortest(ComponentId),
    InstancesWith(ComponentId, u32),
    Awaited(ComponentId),
    InFlight(ClientId),
    BackingOff(ClientId),
    OpenBreakers(Vec<EdgeId>),
    HalfOpenBreakers(Vec<EdgeId>),
    On(u32),
}

/// Times of requests; see [`crate::observe::Timed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the words of the model")]
pub enum TimedPlan {
    Wait(ComponentId),
    WaitOfAll(ComponentId),
    Sojourn(ComponentId),
    Slowdown(ComponentId),
    Latency(ClientId),
    LatencyOfAll(ClientId),
    Attempts(ClientId),
}

/// A counter; see [`crate::observe::Counted`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as the words of the model")]
pub enum CountedPlan {
    Sent(ClientId),
    Over(ClientId),
    Good(ClientId),
    Failed(ClientId),
    Requests(ComponentId),
    Answers(ComponentId),
    GoodAnswers(ComponentId),
    Refused(ComponentId),
    Expired(ComponentId),
    Lookups(ComponentId),
    Hits(ComponentId),
    /// A counter of call sites.
    Calls(Vec<EdgeId>, CallCounter),
}

/// What is counted at a call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallCounter {
    /// Attempts sent.
    Attempts,
    /// Those that are not the first of their call.
    Retries,
    /// Copies that a hedge sent.
    Hedges,
    /// Attempts that timed out.
    Timeouts,
    /// Attempts that the layers did not let out.
    NotSent,
    /// Circuit breakers that opened.
    Trips,
    /// Those that opened again out of half-open.
    Reopenings,
}
