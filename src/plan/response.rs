//! Alerts, evidence, and people, compiled.

use super::{BugId, ClientId, ComponentId};
use crate::dist::Sampler;
use crate::response::Cause;
use crate::units::Nanos;

/// What a counter or gauge belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A component.
    Component(ComponentId),
    /// A client.
    Client(ClientId),
}

/// A counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Requests that came.
    Requests(Place),
    /// Answers that went.
    Answers(Place),
    /// Answers with this status (several, where an HTTP code names several: one bit for each
    /// status).
    AnswersOf(Place, u16),
    /// Answers that are not good.
    Errors(Place),
    /// Exceptions.
    Exceptions(ComponentId),
    /// Deaths of processes.
    Deaths(ComponentId),
    /// Log lines of this name (index in [`Plan::logs`](super::Plan::logs)).
    Log(u32),
}

/// A gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Share of the memory limit, the fullest instance.
    Memory(ComponentId),
    /// Memory in bytes, the fullest instance.
    MemoryBytes(ComponentId),
    /// Requests waiting in all lines.
    Line(ComponentId),
    /// Requests in all instances.
    Present(ComponentId),
    /// Share of workers in use, over all instances.
    Busy(ComponentId),
    /// Instances that are up and serving.
    InstancesUp(ComponentId),
}

/// What an alert or evidence watches.
#[derive(Debug, Clone, Copy)]
pub enum SignalPlan {
    /// Increase of the first over that of the second.
    Ratio(Counter, Counter),
    /// Increase.
    Count(Counter),
    /// Increase per second.
    Rate(Counter),
    /// Rate over the rate of the hour before.
    RelativeRate(Counter),
    /// A gauge.
    Level(Gauge),
    /// Quantile of latency, in seconds.
    Latency(Place, f64),
}

/// An alert.
#[derive(Debug, Clone)]
pub struct AlertPlan {
    /// Its name.
    pub name: String,
    /// What it watches.
    pub signal: SignalPlan,
    /// The threshold in base units.
    pub threshold: f64,
    /// True above it (or below it).
    pub above: bool,
    /// Over how long.
    pub window: Nanos,
    /// Between scrapes.
    pub scrape: Nanos,
    /// Between evaluations.
    pub every: Nanos,
    /// First scrape; None: drawn.
    pub first_scrape: Option<Nanos>,
    /// First evaluation; None: drawn.
    pub first_evaluation: Option<Nanos>,
    /// How long it must be true.
    pub for_: Nanos,
    /// From firing to the page.
    pub delivery: Nanos,
    /// Whether it pages.
    pub pages: bool,
}

/// Evidence.
#[derive(Debug, Clone)]
pub struct EvidencePlan {
    /// Its name.
    pub name: String,
    /// What it watches.
    pub signal: SignalPlan,
    /// The threshold in base units.
    pub threshold: f64,
    /// True above it (or below it).
    pub above: bool,
    /// Over how long.
    pub window: Nanos,
    /// From the acknowledgement until somebody looks.
    pub noticed_after: Option<Sampler>,
}

/// What may suggest a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clue {
    /// An alert that has fired.
    Alert(u32),
    /// Evidence that has been noticed.
    Evidence(u32),
    /// An action that did not help.
    FailedAction(u32),
}

/// The people.
#[derive(Debug, Clone)]
pub struct ResponderPlan {
    /// From page to acknowledgement.
    pub acknowledge: Sampler,
    /// From there to the first hypothesis.
    pub orient: Option<Sampler>,
    /// What they may believe.
    pub hypotheses: Vec<HypothesisPlan>,
    /// Wrong hypotheses before others are called in, and how long that takes.
    pub escalate: Option<(u32, Sampler)>,
    /// What they can do.
    pub actions: Vec<ActionPlan>,
    /// How long they watch an action.
    pub verify: Nanos,
    /// The alert they watch; [`NONE`](super::NONE): the one that paged.
    pub watches: u32,
    /// Quiet time before it is declared over.
    pub quiet: Nanos,
}

/// A hypothesis.
#[derive(Debug, Clone)]
pub struct HypothesisPlan {
    /// Its name.
    pub name: String,
    /// Where the cause would be.
    pub suspect: Place,
    /// Of what kind.
    pub cause: Cause,
    /// What suggests it.
    pub suggested_by: Vec<Clue>,
    /// How long it takes to look.
    pub check: Sampler,
}

/// An action.
#[derive(Debug, Clone)]
pub struct ActionPlan {
    /// Its name.
    pub name: String,
    /// The hypotheses that call for it.
    pub for_: Vec<u32>,
    /// What is done.
    pub does: Vec<DeedPlan>,
    /// Components whose processes are replaced.
    pub replaces: Vec<ComponentId>,
    /// From the finding to the decision; None: at once.
    pub decided_after: Option<Sampler>,
    /// From decision to done.
    pub takes: Sampler,
}

/// A deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeedPlan {
    /// A bug is gone.
    Hotfix(BugId),
    /// A middleware is taken out.
    Disable(ComponentId),
    /// The version before.
    Rollback(ComponentId),
    /// The version before, in the running processes.
    Reload(ComponentId),
    /// Restart.
    Restart(ComponentId),
    /// A client is refused.
    Block(ClientId),
    /// More instances.
    Scale(ComponentId, u32),
}
