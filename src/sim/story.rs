//! What happens in a run, as facts; words are made of them elsewhere.

use crate::mitigation::circuit_breaker::Trip;
use crate::plan::{BugId, InstanceId};
use crate::units::Nanos;

/// Something worth telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When.
    pub at: Nanos,
    /// What.
    pub what: What,
}

/// Why a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// A change took it down.
    Change,
    /// Somebody replaced it (restart, deploy).
    Replaced,
    /// It passed its memory limit.
    OutOfMemory {
        /// Bytes in use.
        used: u64,
        /// The limit.
        limit: u64,
    },
    /// A bug killed it.
    Bug(BugId),
}

/// What is wrong with the instances that have a new version.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Concern {
    /// So many of their processes died or stalled by themselves.
    Deaths(u32),
    /// This share of their requests failed.
    Errors(f64),
    /// The fullest uses this share of its memory limit.
    Memory(f64),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A change begins or ends.
    Change {
        /// Index in the plan.
        change: u32,
        /// Begins (or ends).
        begins: bool,
    },
    /// A watched rollout is stopped, and the version before brought back.
    RolloutStops {
        /// Index of the change in the plan.
        change: u32,
        /// Why.
        concern: Concern,
    },
    /// A bug struck for the first time.
    BugStruck {
        /// Which.
        bug: BugId,
        /// Where.
        instance: InstanceId,
    },
    /// All workers of an instance are held by requests that will never end.
    AllWorkersHeld {
        /// Where.
        instance: InstanceId,
        /// How many.
        workers: u32,
    },
    /// A waiting line overflowed for the first time in this process.
    LineFull {
        /// Where.
        instance: InstanceId,
        /// Requests in it.
        waiting: u32,
    },
    /// Calls have waited for a connection of a pool at the end of two buckets in a row.
    PoolExhausted {
        /// Whose pool.
        instance: InstanceId,
        /// Which of its pools.
        pool: u32,
        /// Connections that will never be given back.
        leaked: u32,
        /// Calls that wait.
        waiting: u32,
    },
    /// Memory use began to slow the work.
    MemoryPressure {
        /// Where.
        instance: InstanceId,
        /// Bytes in use.
        used: u64,
        /// The limit.
        limit: u64,
    },
    /// A process stalled at its memory limit.
    Stalled {
        /// Where.
        instance: InstanceId,
        /// Bytes in use.
        used: u64,
        /// The limit.
        limit: u64,
    },
    /// A process died.
    Died {
        /// Where.
        instance: InstanceId,
        /// Why.
        death: Death,
    },
    /// A process came up.
    CameUp {
        /// Where.
        instance: InstanceId,
    },
    /// Health checks took an instance out.
    Unfit {
        /// Which.
        instance: InstanceId,
    },
    /// Health checks brought an instance back.
    Fit {
        /// Which.
        instance: InstanceId,
    },
    /// A circuit breaker of a call site changed its state.
    Breaker {
        /// The call site.
        edge: u32,
        /// Open (or closed again).
        open: bool,
        /// What made it open.
        trip: Option<Trip>,
    },
    /// An alert became pending, with the value of its signal.
    AlertPending {
        /// Which.
        alert: u32,
        /// The value that crossed the threshold.
        value: f64,
    },
    /// An alert fires.
    AlertFires {
        /// Which.
        alert: u32,
        /// The value.
        value: f64,
    },
    /// An alert is resolved.
    AlertResolved {
        /// Which.
        alert: u32,
    },
    /// Somebody is at work on it.
    Acknowledged,
    /// People found a piece of evidence.
    Noticed {
        /// Which.
        evidence: u32,
        /// The value of its signal.
        value: f64,
    },
    /// A hypothesis is looked into.
    Suspects {
        /// Which.
        hypothesis: u32,
        /// How many clues suggest it.
        clues: u32,
    },
    /// A hypothesis was found right or wrong.
    Finds {
        /// Which.
        hypothesis: u32,
        /// Right (or wrong).
        right: bool,
    },
    /// Others are called in.
    Escalates,
    /// Others are at work on it.
    Escalated,
    /// An action is decided on.
    Decides {
        /// Which.
        action: u32,
    },
    /// An action is done.
    Acts {
        /// Which.
        action: u32,
    },
    /// People say whether an action helped.
    Judges {
        /// Which.
        action: u32,
        /// It did.
        helped: bool,
    },
    /// Nothing is left to try; they begin again with what they know now.
    AtALoss,
    /// It is declared over.
    DeclaredOver,
}
