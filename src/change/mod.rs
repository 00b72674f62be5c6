//! Changes: everything that happens at a time. A fault, a surge, a bug switched on, a deploy of a
//! version are one concept: a target, a strength, a start, an end or a law of up and down times,
//! and what becomes of work in progress.
//!
//! A change turns **knobs** of instances and links. A knob is the fold of all turns that are
//! active, so that overlapping changes and their undo are right by construction (see [`knob`]).

pub mod knob;

use crate::dist::Dist;
use crate::status::Status;
use crate::text::Name;
use crate::units::{Factor, Rate, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happens at a time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What happens.
    pub what: What,
    /// When it begins; fixed, or drawn once for each replica. With `recurring`: when the first up
    /// time begins.
    pub at: Option<Dist<Span>>,
    /// When it ends (a time of the run). Give this or `lasts`; with neither it stays.
    pub until: Option<Span>,
    /// How long it lasts; fixed or drawn.
    pub lasts: Option<Dist<Span>>,
    /// It comes and goes again and again.
    pub recurring: Option<Recurring>,
    /// The chance that it happens at all, drawn once for each replica. The default is 100 %; what a
    /// test catches before it goes out has less.
    pub chance: Option<Share>,
    /// What becomes of work in progress on the instances concerned. The default is `continues` for
    /// a slowness and `lost` for a crash; nothing else touches work in progress.
    pub in_progress: Option<InProgress>,
}

/// Alternating times without and with the change. The next time without begins when the time with
/// it is over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// Time without the change.
    pub up: Dist<Span>,
    /// Time with the change.
    pub down: Dist<Span>,
    /// `yes`: the instances concerned come and go independently of each other.
    #[serde(default)]
    pub each_instance: bool,
}

/// What becomes of work in progress when the speed of an instance changes or its process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InProgress {
    /// Work that has begun goes on as before; only work that begins later feels the change.
    Continues,
    /// Work stops where it is and goes on afterwards.
    Pauses,
    /// Work is lost and its connections are reset.
    Lost,
    /// The rest of the work goes at the new speed.
    Rescaled,
}

/// What happens.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// More (or fewer) arrivals of a client.
    Surge(Surge),
    /// Instances are down: connections to them are refused.
    Crash(Target),
    /// Instances work more slowly.
    Slow(Slow),
    /// Instances stop working and answering, and keep what they hold.
    Freeze(Target),
    /// A share of the requests that reach the component fail at once.
    Errors(Errors),
    /// No message passes between two components (both ways): who calls waits until its time-out.
    Cut(Link),
    /// Messages between two components take longer.
    Delay(Delay),
    /// Fewer worker slots.
    FewerWorkers(FewerWorkers),
    /// A bug that is not present by itself is switched on: `component.bug`.
    Bug(Name),
    /// A version is brought out.
    Deploy(Deploy),
    /// The version that ran before the last deploy is brought back.
    Rollback(Rollback),
    /// The waiting lines of a component are emptied (connections reset).
    Flush(Target),
    /// The caches of a component are emptied, also those that its instances share.
    EmptyCaches(Target),
}

/// A surge of a client's arrivals. Give `to` or `by`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Surge {
    /// The client.
    pub clients: Name,
    /// The arrival rate meanwhile.
    pub to: Option<Rate>,
    /// The arrival rate is multiplied by this meanwhile.
    pub by: Option<Factor>,
}

/// Instances of a component.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The component.
    pub component: Name,
    /// How many of its instances, the first ones; all when left out.
    pub instances: Option<u32>,
}

/// A slowness.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// The component.
    pub component: Name,
    /// How many of its instances, the first ones; all when left out.
    pub instances: Option<u32>,
    /// How many times longer work takes.
    pub by: Factor,
}

/// Errors at the door.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// The component.
    pub component: Name,
    /// How many of its instances, the first ones; all when left out.
    pub instances: Option<u32>,
    /// The chance of an error.
    pub share: Share,
    /// The error. The default is `server_error`.
    #[serde(default = "server_error")]
    pub status: Status,
}

fn server_error() -> Status {
    Status::ServerError
}

/// A link between a caller (a component or a client) and a callee.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The caller; any caller when left out.
    pub from: Option<Name>,
    /// The callee.
    pub to: Name,
}

/// A slow link.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The caller; any caller when left out.
    pub from: Option<Name>,
    /// The callee.
    pub to: Name,
    /// Added to each way.
    pub by: Span,
}

/// Fewer workers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FewerWorkers {
    /// The component.
    pub component: Name,
    /// Workers of each instance meanwhile. Requests that have a worker keep it.
    pub workers: u32,
}

/// Bringing out a version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The component.
    pub component: Name,
    /// The version, one of the component's `versions`, or `base`.
    pub version: Name,
    /// How.
    #[serde(default)]
    pub how: Rollout,
}

/// Bringing back what ran before.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The component.
    pub component: Name,
    /// How.
    #[serde(default)]
    pub how: Rollout,
}

/// How a version is brought out. Every instance's process is replaced: it takes no new requests,
/// loses what it holds, and serves again after the component's `start_takes`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rollout {
    /// All instances at the same time.
    #[default]
    AtOnce,
    /// So many instances at a time.
    Rolling {
        /// Instances in one batch.
        batch: u32,
        /// Time from the start of one batch to the start of the next.
        pause: Span,
    },
    /// New processes start beside the old ones and take over all at once when they are up, after
    /// one `start_takes` (reference E7). Nothing is down meanwhile; what the old ones hold then is
    /// lost.
    BlueGreen,
    /// Some instances first; the others follow only if nothing is wrong with these. What is found
    /// wrong is brought back by itself (reference E6).
    Canary(Canary),
}

/// A rollout that watches itself. Every `every` the instances that have the version are looked at;
/// when one of the limits of `stops_at` is passed, they all get the version before, and no others
/// get the new one. It ends with the last batch.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Instances that get the version first.
    pub instances: u32,
    /// How long they are watched before others follow.
    pub watch: Span,
    /// Time between two looks.
    #[serde(default = "half_a_minute")]
    pub every: Span,
    /// What stops the rollout.
    pub stops_at: StopsAt,
    /// How the others follow, watched all the same (a phased rollout). Left out: all at once.
    pub then: Option<Phases>,
}

fn half_a_minute() -> Span {
    Span(30_000_000_000)
}

/// What stops a watched rollout, counted over the instances that have the new version and since
/// they have it. Give at least one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopsAt {
    /// So many of their processes died or stalled by themselves.
    pub deaths: Option<u32>,
    /// More than this share of their requests failed: answers 5xx and 503, and what was lost with a
    /// process. Looked at from `minimum_requests` on.
    pub errors: Option<Share>,
    /// Requests from which on `errors` is looked at. The default is 20.
    pub minimum_requests: Option<u32>,
    /// One of them uses more than this share of its memory limit.
    pub memory: Option<Share>,
}

/// The batches after a canary.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Instances in one batch.
    pub batch: u32,
    /// Time from the start of one batch to the start of the next.
    pub pause: Span,
}
