//! What a model means: names have become ids, quantities nanoseconds, steps one flat program. All
//! errors of a model end in [`compile()`]; a [`Plan`] can be run without any.

mod bug;
mod change;
pub mod compile;
mod observe;
mod op;
mod plain;
mod response;

pub use bug::{BugPlan, RateTrigger};
pub use change::{CanaryPlan, ChangeAction, ChangePlan};
pub use compile::{CompileContext, compile, load_and_compile};
pub use observe::{CallCounter, CountedPlan, GaugePlan, ObservationPlan, ObservePlan, TimedPlan};
pub use op::{Alternative, Op, WorkPlan};
pub use response::{
    ActionPlan, AlertPlan, Clue, Counter, DeedPlan, EvidencePlan, Gauge, HypothesisPlan, Place,
    ResponderPlan, SignalPlan,
};

use crate::component::{AtLimit, Discipline, Sharing};
use crate::dist::{CountSampler, Sampler};
use crate::load::arrivals::RateCurve;
use crate::mitigation::{LayerSpec, Pick};
use crate::units::Nanos;

/// Index of a client in [`Plan::clients`].
pub type ClientId = u32;
/// Index of a component in [`Plan::components`].
pub type ComponentId = u32;
/// Index of an instance in the world; the instances of a component follow one another.
pub type InstanceId = u32;
/// Index of a call site in [`Plan::edges`].
pub type EdgeId = u32;
/// Index of an operation in [`Plan::ops`].
pub type OpId = u32;
/// Index of a bug in [`Plan::bugs`].
pub type BugId = u32;
/// Index of a class of requests in [`Plan::classes`] (classes of all clients, numbered together).
pub type ClassId = u32;
/// Says that there is none.
pub const NONE: u32 = u32::MAX;
/// For [`EdgePlan::plain`]: the program of the endpoint that has the name of the caller's.
pub const PASSES: OpId = NONE - 1;

/// Layers that may stand around one call or at one door.
pub const MAX_LAYERS: usize = 8;

/// A compiled model. Shared by all replicas.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The model's name.
    pub name: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// The cap on simulated time.
    pub horizon: Nanos,
    /// Nothing is measured before.
    pub warm_up: Nanos,
    /// The warm-up is still to be found by a pilot run; until then it is 0.
    pub warm_up_is_open: bool,
    /// Time of day at the alert, in minutes after midnight, and the name of its zone.
    pub clock_at_alert: Option<(u32, String)>,
    /// One simulated user stands for so many.
    pub stands_for: f64,
    /// A run in which nothing has paged anybody ends so long after the end of the last change.
    pub quiet_end: Nanos,
    /// Width of the time buckets of the meters.
    pub bucket: Nanos,
    /// Impact: the reported outage begins when somebody is at work on it, not with the alert.
    pub reported_from_acknowledgement: bool,
    /// Impact: share of lost requests above which a minute is bad.
    pub bad_minute: f64,
    /// Impact: cap on the time lost for each visit.
    pub lost_at_most: Nanos,
    /// Impact: objective for the share of good requests.
    pub objective: f64,
    /// Impact: period of the error budget.
    pub budget_period: Nanos,
    /// Memory for requests in flight at which the run stops.
    pub stop_memory: u64,
    /// Events at which the run stops.
    pub stop_events: u64,
    /// Who asks.
    pub clients: Vec<ClientPlan>,
    /// All classes of requests, by client.
    pub classes: Vec<ClassPlan>,
    /// What serves, middleware included.
    pub components: Vec<ComponentPlan>,
    /// Call sites: one for each class of a client and each `call` of a step.
    pub edges: Vec<EdgePlan>,
    /// All programs, flattened.
    pub ops: Vec<Op>,
    /// Alternatives of `choose`.
    pub alternatives: Vec<Alternative>,
    /// First operations of the branches of `parallel`.
    pub branches: Vec<OpId>,
    /// Own works and waits.
    pub works: Vec<WorkPlan>,
    /// Bugs of all components.
    pub bugs: Vec<BugPlan>,
    /// Names of log lines that bugs leave.
    pub logs: Vec<String>,
    /// What happens, in the order of the file.
    pub changes: Vec<ChangePlan>,
    /// Alerts.
    pub alerts: Vec<AlertPlan>,
    /// Constant delays that have a lane of their own in the agenda.
    pub lanes: Vec<Nanos>,
    /// For alternatives by class: which classes belong to each group.
    pub class_groups: Vec<Vec<bool>>,
    /// Evidence.
    pub evidence: Vec<EvidencePlan>,
    /// The people.
    pub responder: Option<ResponderPlan>,
    /// What is observed beyond the ordinary measures.
    pub observations: Vec<ObservationPlan>,
}

impl Plan {
    /// The client of a class; [`NONE`] for probes, which have no class.
    #[inline]
    #[must_use]
    pub fn client_of(&self, class: ClassId) -> ClientId {
        self.classes.get(class as usize).map_or(NONE, |class| class.client)
    }

    /// The priority of a class in lines; that of probes is 0, the first.
    #[inline]
    #[must_use]
    pub fn priority_of(&self, class: ClassId) -> u8 {
        self.classes.get(class as usize).map_or(0, |class| class.priority)
    }
}

/// A client.
#[derive(Debug, Clone)]
pub struct ClientPlan {
    /// Its name.
    pub name: String,
    /// Population; 0 for a plain stream.
    pub users: u32,
    /// When visits or requests come.
    pub source: Source,
    /// What a visit is; None for a plain stream.
    pub visit: Option<VisitPlan>,
    /// First of its classes in [`Plan::classes`].
    pub first_class: ClassId,
    /// Number of its classes.
    pub class_count: u32,
    /// Whether the impact is counted here.
    pub counts_as_users: bool,
    /// A good answer that takes longer is slow; [`crate::units::NEVER`] when there is no limit.
    pub slow_after: Nanos,
    /// So many lost requests make a user affected.
    pub affected_failures: u32,
}

/// When visits or requests come.
#[derive(Debug, Clone)]
pub enum Source {
    /// An open stream: unit gaps are spent on the integral of the rate.
    Open {
        /// The rate over time.
        rate: RateCurve,
        /// Exponential unit gaps (Poisson); otherwise gaps of exactly 1.
        poisson: bool,
        /// The first gap, where it is not an ordinary one.
        first_at: Option<Nanos>,
    },
    /// At given times, in order.
    At(Vec<Nanos>),
    /// So many users for ever.
    Closed {
        /// How many.
        population: u32,
        /// Thinking time.
        thinking: Sampler,
        /// Whether all send at the beginning of the run; otherwise each thinks first.
        at_once: bool,
    },
}

/// What a visit is.
#[derive(Debug, Clone)]
pub struct VisitPlan {
    /// Number of requests.
    pub requests: CountSampler,
    /// Thinking time.
    pub thinking: Sampler,
    /// Failures in a row that end it; `u32::MAX` when none do.
    pub patience: u32,
    /// Chance of coming back after giving up, and the time away.
    pub returns: Option<(f64, Sampler)>,
}

/// A class of requests.
#[derive(Debug, Clone)]
pub struct ClassPlan {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub client: ClientId,
    /// Sum of the shares of the client's classes up to and including this one; exactly 1 for the
    /// last.
    pub cumulative_share: f64,
    /// How it is called.
    pub edge: EdgeId,
    /// Cumulative weights of its keys; empty when requests carry no key.
    pub key_cumulative: Vec<f64>,
    /// Priority in lines; 0 first.
    pub priority: u8,
}

/// A component: a set of equal instances.
#[derive(Debug, Clone)]
pub struct ComponentPlan {
    /// Its name.
    pub name: String,
    /// First instance in the world.
    pub first_instance: InstanceId,
    /// Number of instances at the start; 0 for middleware.
    pub instances: u32,
    /// Worker slots of an instance.
    pub workers: u32,
    /// Whether the worker is released while calling.
    pub releases: bool,
    /// Places in the waiting line.
    pub line_capacity: u32,
    /// Whether a request that finds it full is dropped without an answer.
    pub line_drops: bool,
    /// Who goes first.
    pub discipline: Discipline,
    /// The longest wait in the line.
    pub line_wait: Option<Sampler>,
    /// Whether requests whose caller has gone are dropped when their turn comes.
    pub drops_abandoned: bool,
    /// Requests that an instance may hold.
    pub connections: u32,
    /// CPU work of refusing a request.
    pub cost_of_rejecting: Nanos,
    /// CPU cores; 0 when the CPU is not modelled.
    pub cores: u32,
    /// How cores are shared.
    pub sharing: Sharing,
    /// Memory; None when it is not modelled.
    pub memory: Option<MemoryPlan>,
    /// Leaked before the start by each instance, in bytes.
    pub leaked_at_start: Sampler,
    /// Supervisor; None when restarts are by hand.
    pub restart: Option<RestartPlan>,
    /// From stop to serving in a restart by hand or a deploy.
    pub start_takes: Option<Sampler>,
    /// How callers learn which instances are fit.
    pub probe: Option<ProbePlan>,
    /// Pools to callees.
    pub pools: Vec<PoolPlan>,
    /// Caches.
    pub caches: Vec<CachePlan>,
    /// Middleware that requests pass, in order (indices of components).
    pub middleware: Vec<ComponentId>,
    /// Mitigations at the door, outermost first. For middleware: around its work.
    pub layers: Vec<LayerSpec>,
    /// Middleware only: its own work.
    pub work: Option<u32>,
    /// Endpoint names.
    pub endpoints: Vec<String>,
    /// Version names; the first one is `base`.
    pub versions: Vec<String>,
    /// Program of version v and endpoint e at `v * endpoints.len() + e`; [`NONE`] where it is
    /// absent.
    pub programs: Vec<OpId>,
    /// The version at the start.
    pub version: u32,
    /// Leaks by version: for each ended request, and for each failed call, in bytes.
    pub leaks: Vec<(u64, u64)>,
    /// Bugs of this component (of any version).
    pub bugs: Vec<BugId>,
    /// Whether nothing happens on its instances but plain requests; see [`Plan::mark_plain`].
    pub is_plain: bool,
}

/// Memory of an instance.
#[derive(Debug, Clone, Copy)]
pub struct MemoryPlan {
    /// The limit, in bytes.
    pub limit: u64,
    /// Used by an idle process.
    pub base: u64,
    /// Held by each request present.
    pub per_request: u64,
    /// Share of the limit where work begins to slow, and how many times longer it takes at the
    /// limit.
    pub pressure: Option<(f64, f64)>,
    /// What happens at the limit.
    pub at_limit: AtLimit,
}

/// A supervisor.
#[derive(Debug, Clone)]
pub struct RestartPlan {
    /// From death to serving.
    pub takes: Sampler,
    /// Crash-loop back-off: first delay, cap, life that resets.
    pub back_off: Option<(Nanos, Nanos, Nanos)>,
}

/// Active health checks of a component's instances.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    /// What a good probe needs.
    pub needs: Needs,
    /// The synthetic call site of the probe (for `worker` and `dependency`).
    pub edge: EdgeId,
    /// Between two probes of one instance.
    pub interval: Nanos,
    /// A probe without an answer for so long has failed.
    pub timeout: Nanos,
    /// Bad ones in a row that take it out.
    pub fall: u32,
    /// Good ones in a row that bring it back.
    pub rise: u32,
    /// Call all instances when none is fit.
    pub fail_open: bool,
}

/// What a good probe needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A process.
    Port,
    /// A worker.
    Worker,
    /// A worker, and a fit instance of this component.
    Dependency(ComponentId),
}

/// A pool of connections from each instance of a component to a callee.
#[derive(Debug, Clone, Copy)]
pub struct PoolPlan {
    /// The callee.
    pub callee: ComponentId,
    /// Connections.
    pub size: u32,
    /// The longest wait for one; [`crate::units::NEVER`] when there is no limit.
    pub wait: Nanos,
    /// Bytes that a leaked connection holds at the caller.
    pub memory: u64,
}

/// A cache of a component.
#[derive(Debug, Clone, Copy)]
pub struct CachePlan {
    /// Entries; `u32::MAX` when there is no limit.
    pub size: u32,
    /// How long an entry is good; [`crate::units::NEVER`] when it is for ever.
    pub ttl: Nanos,
    /// One for all instances.
    pub shared: bool,
}

/// A call site.
#[derive(Debug, Clone)]
pub struct EdgePlan {
    /// For people: `client.class` or `component.endpoint -> callee.endpoint`.
    pub name: String,
    /// Who calls: a component, or [`NONE`] for a client or a probe.
    pub from: ComponentId,
    /// The calling client, or [`NONE`].
    pub from_client: ClientId,
    /// The callee.
    pub to: ComponentId,
    /// The callee's endpoint; [`NONE`]: the one with the name of the caller's endpoint (a balancer
    /// passing on); see [`EdgePlan::same_endpoint`].
    pub endpoint: u32,
    /// For a balancer passing on: the callee's endpoint for each of the caller's endpoints, or
    /// [`NONE`].
    pub same_endpoint: Vec<u32>,
    /// Time-out of an attempt.
    pub timeout: Timeout,
    /// Of the whole call; [`crate::units::NEVER`] when there is none.
    pub deadline: Nanos,
    /// Lane for deadlines, when there is one.
    pub deadline_lane: u32,
    /// Mitigations, outermost first.
    pub layers: Vec<LayerSpec>,
    /// For each of them the key of its luck, which a layer of another kind beside it does not
    /// shift.
    pub layer_keys: Vec<u64>,
    /// Which of the layers is the `hedge`; 255 when there is none.
    pub hedge: u8,
    /// How the instance is chosen.
    pub pick: Pick,
    /// The caller's pool (index in its `pools`), or [`NONE`].
    pub pool: u32,
    /// Chance that the connection is not given back, by version of the caller.
    pub pool_leak: Vec<f64>,
    /// Whether late answers are used.
    pub late_used: bool,
    /// Whether giving up stops the callee's work.
    pub cancels: bool,
    /// Whether a failure ends the caller's request too.
    pub fails_caller: bool,
    /// Whether the caller is a proxy: it passes refusals on as they are, and a time-out as 504.
    pub proxy: bool,
    /// One way.
    pub network: Option<Sampler>,
    /// Key of this call site for the luck of requests: a hash of its place, stable under patches
    /// elsewhere.
    pub luck: u64,
    /// First operation of the callee's program, where the callee is plain; [`PASSES`] if that
    /// depends on the endpoint of the caller. Otherwise [`NONE`]. See [`Plan::mark_plain`].
    pub plain: OpId,
    /// Whether calls need no record but that of their first attempt. See [`Plan::mark_plain`].
    pub opens_plainly: bool,
}

impl ComponentPlan {
    /// First operation of the program that a version runs for an endpoint, if it has the endpoint.
    #[inline(always)]
    pub fn program(&self, version: u32, endpoint: u32) -> Option<OpId> {
        let row = version as usize * self.endpoints.len();
        self.programs.get(row + endpoint as usize).copied().filter(|op| *op != NONE)
    }
}

impl EdgePlan {
    /// The callee's endpoint for a call out of an endpoint of the caller; [`NONE`] if the callee
    /// has none of that name.
    #[inline]
    pub fn endpoint_for(&self, own: u32) -> u32 {
        match self.endpoint {
            NONE => self.same_endpoint.get(own as usize).copied().unwrap_or(NONE),
            endpoint => endpoint,
        }
    }
}

/// Time-out of an attempt.
#[derive(Debug, Clone)]
pub enum Timeout {
    /// None.
    Never,
    /// The same for all attempts: kept in a first-in-first-out lane of the agenda.
    Constant(Nanos, u32),
    /// Drawn.
    Drawn(Sampler),
}
