//! Components: the parts of the system that serve.
//!
//! Every component is a set of equal **instances** (unequal ones are two components), and every
//! instance is one **station**: a queue with resource limits. `balancer`, `server`, `database` and
//! `middleware` are presets of that one station (see [`preset`]), not four behaviours.

pub mod bug;
pub mod cache;
pub mod preset;
pub mod step;

use crate::dist::Dist;
use crate::mitigation::LayerSpec;
use crate::text::{Name, Named};
use crate::units::{Bytes, Factor, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bug::Bug;
pub use cache::Cache;
pub use preset::Kind;
pub use step::Step;

/// A set of equal instances of one station.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The preset: which defaults hold, and which words must be there.
    pub kind: Kind,
    /// Number of equal instances.
    #[serde(default = "one")]
    pub instances: u32,
    /// Worker slots of one instance (threads, processes, server-side sessions). `unlimited` for
    /// event loops.
    pub workers: Option<Limit>,
    /// Whether a worker is held while its request waits for a call: `hold` for threads, `release`
    /// for event loops. Required where an endpoint calls, because it decides many outages.
    pub while_calling: Option<WhileCalling>,
    /// The waiting line for a worker.
    #[serde(default)]
    pub line: Line,
    /// Requests that one instance may hold at once, waiting or being served; more are refused
    /// (503).
    pub connections: Option<Limit>,
    /// CPU work that refusing a request costs. Needs `cpu`. Rejecting is never free; left out it
    /// is.
    pub cost_of_rejecting: Option<Span>,
    /// CPU cores of one instance. Left out: work takes its own time, however many are at work.
    pub cpu: Option<Cpu>,
    /// Memory of one instance. Left out: without limit.
    pub memory: Option<Memory>,
    /// What happens after a process died. The default is `by_hand`.
    #[serde(default)]
    pub restart: Restart,
    /// How long a restart by hand or by a deploy takes for one instance, from stop to serving.
    pub start_takes: Option<Dist<Span>>,
    /// How backends are chosen, for calls to this component that do not say otherwise.
    #[serde(default)]
    pub pick: Option<crate::mitigation::Pick>,
    /// How callers find out which instances of this component are fit to be called. Left out: they
    /// do not.
    pub probe: Option<Probe>,
    /// Balancer only: the component behind it. Every request is passed on to the endpoint of the
    /// same name.
    pub backends: Option<Name>,
    /// Balancer only: how the request is passed on (time-out, layers, picking, next backends).
    pub passing: Option<Passing>,
    /// Connection pools to callees, one pool for each instance: `{database: {size: 4, wait: 5s}}`.
    #[serde(default)]
    pub pools: Named<Pool>,
    /// Caches that the component looks into by the step `look_up`: `{items: {size: 1000}}`.
    #[serde(default)]
    pub caches: Named<Cache>,
    /// Middleware that every request passes first, in this order.
    #[serde(default)]
    pub middleware: Vec<Name>,
    /// Mitigations at the door, outermost first: what they refuse never enters.
    #[serde(default)]
    pub layers: Vec<LayerSpec>,
    /// What the component does, by name of the endpoint.
    #[serde(default)]
    pub endpoints: Named<Vec<Step>>,
    /// Middleware only: what every request does in it.
    #[serde(default)]
    pub work: Option<step::Work>,
    /// Bugs that are present in the base version.
    #[serde(default)]
    pub bugs: Named<Bug>,
    /// Versions that can be deployed: what they add to the base version.
    #[serde(default)]
    pub versions: Named<Version>,
    /// The version that runs at the start. Left out: the base version.
    pub version: Option<Name>,
}

fn one() -> u32 {
    1
}

/// A number, or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<u32>);

impl Limit {
    /// The number, `u32::MAX` when unlimited.
    pub fn or_max(self) -> u32 {
        self.0.unwrap_or(u32::MAX)
    }
}

impl Serialize for Limit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(n) => serializer.serialize_u32(n),
            None => serializer.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl serde::de::Visitor<'_> for NumberOrWord {
            type Value = Limit;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a whole number, or `unlimited`")
            }
            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Limit, E> {
                u64::try_from(n)
                    .map_err(|_| E::custom("a limit cannot be negative"))
                    .and_then(|n| self.visit_u64(n))
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Limit, E> {
                u32::try_from(n)
                    .ok()
                    .filter(|n| *n <= 1_000_000_000)
                    .map(|n| Limit(Some(n)))
                    .ok_or_else(|| E::custom("a limit above a thousand million; write `unlimited`"))
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Limit, E> {
                if word == "unlimited" {
                    Ok(Limit(None))
                } else {
                    Err(E::custom(format!("`{word}` is not a whole number or `unlimited`")))
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A whole number, or `unlimited`.",
            "oneOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]
        })
    }
}

/// Whether a worker is held during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhileCalling {
    /// The worker waits with its request (a thread).
    Hold,
    /// The worker serves others meanwhile, and the request queues for a worker again when its call
    /// is answered (an event loop).
    Release,
}

/// The waiting line for a worker.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    /// Places in the line; what becomes of a request that finds it full, `when_full` says.
    pub capacity: Limit,
    /// `refuse` (503), or `drop` without an answer, as a full accept queue of the operating system
    /// does: the caller waits until its own time-out.
    pub when_full: WhenFull,
    /// Who goes first.
    pub discipline: Discipline,
    /// The longest wait; after it the request is refused (503). Left out: for ever.
    pub wait: Option<Dist<Span>>,
    /// Whether a request whose caller has given up by then is dropped when its turn comes.
    pub drops_abandoned: bool,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            capacity: Limit(None),
            when_full: WhenFull::Refuse,
            discipline: Discipline::Fifo,
            wait: None,
            drops_abandoned: false,
        }
    }
}

/// What becomes of a request that finds the line full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It is refused at once (503).
    #[default]
    Refuse,
    /// It is dropped and never answered.
    Drop,
}

/// Who goes first in a waiting line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// First in, first out.
    #[default]
    Fifo,
    /// Last in, first out; work in progress is not interrupted.
    Lifo,
    /// Drawn evenly from those who wait.
    Random,
    /// The lowest number of `priority` first, FIFO among equals; work in progress is not
    /// interrupted.
    Priority,
}

/// CPU cores of an instance. The duration of `work` is then CPU time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// Number of cores. One request uses at most one core at a time.
    pub cores: u32,
    /// How more work than cores shares them.
    #[serde(default)]
    pub sharing: Sharing,
}

/// How work shares CPU cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Equal shares for all (processor sharing, the limit of a fair scheduler with short slices).
    #[default]
    Processor,
    /// First come, first served; each core works on one request until its work step is done.
    OneAtATime,
    /// The newest work goes first and interrupts older work, which resumes where it stopped
    /// (pre-emptive LIFO).
    NewestFirst,
    /// The lowest number of `priority` goes first and interrupts other work, which resumes where it
    /// stopped; FIFO among equals (pre-emptive resume).
    ByPriority,
}

/// Memory of an instance: used = base + per request held + leaked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Where `at_limit` happens.
    pub limit: Bytes,
    /// Used by an idle process.
    #[serde(default)]
    pub base: Bytes,
    /// Held by each request that is present, waiting or being served.
    #[serde(default)]
    pub per_request: Bytes,
    /// Leaked before the run begins.
    #[serde(default)]
    pub leaked_at_start: Bytes,
    /// Leaks that are part of the software. Only replacing the process gives leaked memory back.
    #[serde(default)]
    pub leak: Leak,
    /// How use slows work (garbage collection, swapping). Left out: not at all.
    pub pressure: Option<Pressure>,
    /// What happens at the limit.
    pub at_limit: AtLimit,
}

/// What leaks memory in ordinary operation.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Leak {
    /// For every request that ends here.
    pub per_request: Bytes,
    /// For every call of this component that failed (error 5xx, time-out, reset; not an answer
    /// 4xx).
    pub per_failed_answer: Bytes,
}

/// Work slows linearly from full speed at `from` to 1/`slowdown` at the limit. The speed is read
/// when a work step begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pressure {
    /// Share of the limit at which work begins to slow.
    pub from: Share,
    /// How many times longer work takes at the limit.
    pub slowdown: Factor,
}

/// What happens when used memory passes the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// The process is killed: connections are reset, all it held is gone, `restart` decides what
    /// follows.
    Killed,
    /// The process stalls: it keeps its connections and what it holds, answers nothing that is in
    /// it, refuses what comes (503), and stays so until someone restarts it.
    Stalls,
}

/// What happens after a process died.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Restart {
    /// It stays down until someone restarts it.
    #[default]
    ByHand,
    /// A supervisor starts it again.
    Always(AutoRestart),
}

/// A supervisor that starts dead processes again, with crash-loop back-off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoRestart {
    /// From the death (after any back-off) to serving again.
    pub takes: Dist<Span>,
    /// Back-off before the restarts after the first; left out: none.
    pub back_off: Option<CrashLoop>,
}

/// Crash-loop back-off: the n-th restart in a row waits min(cap, first * 2^(n-2)) more, the first
/// one nothing. A process that lives longer than `reset` starts the count again. (Kubernetes: 10 s,
/// 300 s, 10 min; reference E2 and worked example M73.)
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashLoop {
    /// The first delay.
    pub first: Span,
    /// The longest delay.
    pub cap: Span,
    /// A life that resets the count.
    pub reset: Span,
}

/// Active health checks (reference B2). Each instance is checked on its own phase.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What a good probe needs.
    pub needs: ProbeNeeds,
    /// Time between the starts of two probes of one instance.
    pub interval: Span,
    /// A probe without an answer for so long has failed.
    pub timeout: Span,
    /// So many failed probes in a row take the instance out.
    pub fall: u32,
    /// So many good probes in a row bring it back.
    pub rise: u32,
    /// When no instance is fit: `yes` calls all of them as if they were (fail-open), `no` refuses
    /// (503).
    #[serde(default)]
    pub fail_open: bool,
}

/// What a health probe needs to be answered well.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProbeNeeds {
    /// A process that listens. A hung or stalled one passes.
    Port,
    /// A free worker within the time-out: the probe waits in the instance's line like a request
    /// (and jumps no queue), so an overloaded instance fails its probes.
    Worker,
    /// As `worker`, and a fit instance of this other component.
    Dependency(Name),
}

/// How a balancer passes a request on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Passing {
    /// How long the balancer waits for its backend; then it answers 504.
    pub timeout: Option<Dist<Span>>,
    /// How the backend is chosen.
    pub pick: Option<crate::mitigation::Pick>,
    /// Mitigations around the call, outermost first. `retry` here is "next upstream".
    pub layers: Vec<LayerSpec>,
    /// The way to the backends, one way.
    pub network: Option<Dist<Span>>,
    /// Whether giving up on a backend also stops its work.
    pub cancels: bool,
}

/// A pool of connections from one instance to a callee.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Connections of one instance.
    pub size: u32,
    /// The longest wait for a connection; after it the call fails (503). Left out: for ever. The
    /// worker waits too, where `while_calling: hold`.
    pub wait: Option<Span>,
    /// The chance that a connection is not given back after its call. Only replacing the process
    /// frees it.
    #[serde(default)]
    pub leak: Share,
    /// Memory that a leaked connection holds at the caller.
    #[serde(default)]
    pub memory: Bytes,
}

/// A version of the software: what it adds to the base version.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Version {
    /// Bugs that are present only in this version.
    pub bugs: Named<Bug>,
    /// Endpoints that are new in this version, or replace those of the base version.
    pub endpoints: Named<Vec<Step>>,
    /// Memory that this version leaks, in place of the component's own `memory.leak`.
    pub leak: Option<Leak>,
    /// The chance that a connection of a pool is not given back, in place of the pool's own `leak`.
    pub connection_leak: Named<Share>,
}
