//! What one replica yields: plain data, from which measures are computed afterwards.

use super::story::Happening;
use super::users::UserRecords;
use crate::histogram::Histogram;
use crate::status::Status;
use crate::units::Nanos;

/// The outcome of one replica.
#[derive(Debug)]
pub struct Outcome {
    /// Number of the replica.
    pub replica: u64,
    /// When it ended.
    pub end: Nanos,
    /// Why.
    pub ending: Ending,
    /// Events handled.
    pub events: u64,
    /// Hash of all observable transitions: (time, request, attempts, outcome) and (time, instance,
    /// state).
    pub fingerprint: u64,
    /// Width of the buckets.
    pub bucket: Nanos,
    /// By client.
    pub clients: Vec<ClientOutcome>,
    /// By component.
    pub components: Vec<ComponentOutcome>,
    /// When each change was on.
    pub changes: Vec<Vec<(Nanos, Option<Nanos>)>>,
    /// What the responders did.
    pub response: ResponseOutcome,
    /// What happened, in order.
    pub story: Vec<Happening>,
    /// Happenings that were too many to be kept.
    pub untold: u64,
    /// How often each bug struck.
    pub strikes: Vec<u64>,
    /// What the observations of the plan have seen, in their order.
    pub observed: Vec<Observed>,
}

/// What an observation has seen.
#[derive(Debug, Clone)]
pub enum Observed {
    /// The distribution of a number over time.
    Number(NumberSeen),
    /// The number at each moment that came.
    Moments(Vec<Option<u64>>),
    /// When the level was reached.
    First(Option<Nanos>),
    /// The distribution of times.
    Times(TimesSeen),
    /// A counter when counting began and when it ended, and the time in between.
    Count {
        /// At the beginning, if that came.
        first: Option<u64>,
        /// At the end.
        last: Option<u64>,
        /// How long it was counted.
        time: Nanos,
    },
}

/// A number over time: integrals of the number and its square, and the time at its levels. The
/// integrals are floating-point sums in the order of time (relative error below 1e-9).
#[derive(Debug, Clone, Default)]
pub struct NumberSeen {
    /// How long it was watched.
    pub time: Nanos,
    /// Integral of the number, in nanoseconds.
    pub sum: f64,
    /// Integral of its square, in nanoseconds.
    pub squares: f64,
    /// For each level of interest.
    pub levels: Vec<Level>,
    /// The number that was seen last, and until when.
    pub(super) last: Option<(u64, Nanos)>,
}

/// A level of a number.
#[derive(Debug, Clone, Default)]
pub struct Level {
    /// Time exactly at the level.
    pub at: Nanos,
    /// Time above it.
    pub above: Nanos,
    /// How often the number was seen to rise above it.
    pub entries: u64,
    /// Stays above that were seen from the first moment to the last.
    pub stays: u64,
    /// Their total length.
    pub stayed: Nanos,
    /// When the present stay began.
    pub(super) entered: Option<Nanos>,
}

/// Times of requests; sums of integers, so that no order matters.
#[derive(Debug, Clone, Default)]
pub struct TimesSeen {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: u128,
    /// The sum of their squares.
    pub squares: u128,
    /// For each point, how many were not longer.
    pub within: Vec<u64>,
}

/// Why a replica ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The horizon.
    Horizon,
    /// Nothing was to come any more.
    Quiet,
    /// Some time after the incident was declared over.
    DeclaredOver,
    /// An observation that ends the run has seen what it waited for.
    Observed,
    /// It was stopped, because it would have hurt the machine.
    Stopped {
        /// What passed its limit.
        why: StopReason,
        /// The component whose line or crowd grew.
        component: u32,
        /// How many requests were in it.
        present: u64,
    },
}

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Memory for requests in flight, in bytes.
    Memory(u64),
    /// Number of events.
    Events(u64),
}

/// Cumulative counters of a component at the end of a bucket, and its gauges then.
#[derive(Debug, Clone, Copy)]
pub struct ComponentBucket {
    /// Requests that came.
    pub requests: u64,
    /// Answers that went.
    pub answers: u64,
    /// Good ones among them.
    pub good: u64,
    /// Exceptions.
    pub exceptions: u64,
    /// Requests waiting.
    pub waiting: u32,
    /// Requests present.
    pub present: u32,
    /// Memory as a share of the limit, the fullest instance.
    pub memory: f64,
    /// Instances that serve.
    pub up: u32,
    /// Integral of the workers in use, in nanoseconds.
    pub busy: u128,
    /// Worker slots of the instances whose process is up or stalled.
    pub workers: u64,
    /// Attempts of its own calls that timed out.
    pub timeouts: u64,
}

/// Cumulative counters of a client at the end of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct ClientBucket {
    /// Requests begun.
    pub sent: u64,
    /// Requests over.
    pub over: u64,
    /// Good answers, slow ones included.
    pub good: u64,
    /// Good but slow ones.
    pub slow: u64,
    /// Attempts made by requests that are over.
    pub attempts: u64,
    /// Requests over that timed out: here, by their deadline, or at a proxy on their way.
    pub timed_out: u64,
}

/// How many of these ended with a time-out: the caller's own, its deadline's, or a proxy's.
pub(super) fn timed_out(ended: &[u64; Status::ALL.len()]) -> u64 {
    let kinds = [Status::Timeout, Status::DeadlineExceeded, Status::GatewayTimeout];
    kinds.iter().map(|status| ended[*status as usize]).sum()
}

/// What a client saw.
#[derive(Debug)]
pub struct ClientOutcome {
    /// Requests begun.
    pub sent: u64,
    /// Requests over, by status.
    pub ended: [u64; Status::ALL.len()],
    /// Requests that were not over at the end, counted where they stood.
    pub open: u64,
    /// Good but slow.
    pub slow: u64,
    /// Attempts made by requests that are over.
    pub attempts: u64,
    /// Attempts sent in the whole run, warm-up included: first ones, retries, and hedges.
    pub attempts_sent: u64,
    /// Retries among them.
    pub retries: u64,
    /// Copies sent by hedges among them.
    pub hedges: u64,
    /// Latency of good answers: for each class, for each bucket.
    pub latency: Vec<Vec<Option<Box<Histogram>>>>,
    /// What befell its users, where impact is counted.
    pub users: Option<UserRecords>,
    /// Counters at the end of each bucket.
    pub buckets: Vec<ClientBucket>,
}

/// What happened in a component.
#[derive(Debug)]
pub struct ComponentOutcome {
    /// Requests that came.
    pub requests: u64,
    /// Answers that went, by status.
    pub answers: [u64; Status::ALL.len()],
    /// Exceptions.
    pub exceptions: u64,
    /// Deaths of processes.
    pub deaths: u64,
    /// Attempts of its own calls that timed out.
    pub timeouts: u64,
    /// Requests dropped on their turn.
    pub dropped: u64,
    /// Requests that were never answered, because their process died, a full line dropped them,
    /// or somebody gave up on their refusal.
    pub lost: u64,
    /// Looks into caches.
    pub lookups: u64,
    /// Those that found what they wanted.
    pub hits: u64,
    /// Time average of requests present, since the warm-up.
    pub mean_present: f64,
    /// Time average of requests waiting.
    pub mean_waiting: f64,
    /// Time average of workers in use, all instances.
    pub mean_busy: f64,
    /// Requests present at the end.
    pub left_present: u64,
    /// Requests waiting at the end.
    pub left_waiting: u64,
    /// Workers in use at the end.
    pub left_busy: u64,
    /// Connections of its pools in use at the end, leaked ones not included.
    pub left_connections: u64,
    /// The longest line of one instance.
    pub peak_line: u32,
    /// The most memory in use by one instance, in bytes.
    pub peak_memory: u64,
    /// Memory in use at the end, the fullest instance, in bytes.
    pub final_memory: u64,
    /// When an instance first stalled or died by itself.
    pub tipped: Option<Nanos>,
    /// Counters and gauges at the end of each bucket.
    pub buckets: Vec<ComponentBucket>,
}

/// What the responders did, and when.
#[derive(Debug, Default)]
pub struct ResponseOutcome {
    /// When the alert fired that paged first.
    pub alert: Option<Nanos>,
    /// Which alert.
    pub alert_index: Option<u32>,
    /// First firing of each alert.
    pub first_fired: Vec<Option<Nanos>>,
    /// When each alert stopped firing for the last time; None while it fires.
    pub resolved: Vec<Option<Nanos>>,
    /// When each piece of evidence was found.
    pub noticed: Vec<Option<Nanos>>,
    /// When those who were called in were at work on it.
    pub escalated: Option<Nanos>,
    /// When the page was acknowledged.
    pub acknowledged: Option<Nanos>,
    /// When a hypothesis was first found right.
    pub diagnosed: Option<Nanos>,
    /// Actions completed: index, when decided, when done.
    pub actions: Vec<(u32, Nanos, Nanos)>,
    /// When it was declared over.
    pub declared_over: Option<Nanos>,
    /// Hypotheses looked into: index, begun, ended, whether right.
    pub hypotheses: Vec<(u32, Nanos, Nanos, bool)>,
    /// Wrong ones among them before the first right one.
    pub wrong_turns: u32,
}
