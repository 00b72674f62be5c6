//! Mitigations: what stands around a call or at a door, and what picks a target.
//!
//! Each member is one file with three parts: the **words** (a spec that a model file writes, whose
//! doc comments are the user's help), the **state** (a machine without engine: time comes in as
//! nanoseconds, luck as a number), and `EXPLAIN` (what it does, whose semantics it follows, an
//! example, its traps). Members know neither each other nor the engine.
//!
//! The words and numbers follow the systems that operators know: Resilience4j for breakers, gRPC
//! for retry budgets, nginx for leaky buckets, Envoy for choosing targets. Where two systems
//! differ, the file says which one it follows.
//!
//! # Layers
//!
//! A **layer** is asked when a call goes in ([`Ask`]) and told when its outcome comes out
//! ([`Told`]). The order in which layers are written is the order around the call, outermost first:
//! a breaker inside a retry counts every attempt, a breaker outside counts every call.
//!
//! # Adding a member
//!
//! One file `src/mitigation/<word>.rs` and its line in the list `roster!` below (with the `mod`
//! line that Rust wants). The file has:
//!
//! 1. a spec: `Deserialize` with `deny_unknown_fields`, `Serialize`, `JsonSchema`, defaults in one
//!    `impl Default`, and `check(&self) -> Result<(), String>`, which refuses values without
//!    meaning in words for the user;
//! 2. the state: built from a checked spec; never reads a clock, never draws luck, never panics,
//!    and does not allocate after it was built unless its documentation says so;
//! 3. `pub const EXPLAIN: &str` with one example fenced as `yaml`, which the tests of this file
//!    read and check.
//!
//! The roster gives it the word in files, the schema, the help and the tests that every member has
//! to pass.

pub mod balance;
pub mod bulkhead;
pub mod circuit_breaker;
pub mod fallback;
pub mod health;
pub mod hedge;
pub mod layer;
pub mod random_early_drop;
pub mod rate_limit;
pub mod retry;
pub mod retry_budget;
pub mod retry_quota;
pub mod retry_ratio;
mod statuses;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::units::Nanos;
pub use balance::BalanceSpec as Pick;
pub use layer::{Context, Layer, LazyLuck};
pub use statuses::StatusSet;

use crate::status::Status;

/// What a layer says to a call that goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Go on to the next layer, or to the callee.
    Pass,
    /// Wait this long (nanoseconds), then go on.
    Wait(Nanos),
    /// The call ends here, with this status; nothing reaches the callee.
    Answer(Status),
}

/// What a layer says to an outcome that comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Hand the outcome to the next layer outside, or to the caller.
    Deliver,
    /// Keep it; send the call in again from here after this long (nanoseconds).
    Again(Nanos),
    /// Hand this out instead.
    Instead(Status),
    /// Hand this out instead, after this long (nanoseconds).
    InsteadAfter(Status, Nanos),
}

/// One word of the family, for help and for lists.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The word in files.
    pub word: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does, the semantics followed with their source, an example in YAML, traps.
    pub explain: &'static str,
}

impl Member {
    /// The example in the explanation: the text of its first block fenced as `yaml`, empty without
    /// one.
    #[must_use]
    pub fn example(&self) -> &'static str {
        let block = self.explain.split_once("```yaml\n").map_or("", |(_, rest)| rest);
        block.split_once("```").map_or("", |(example, _)| example)
    }
}

/// Makes [`LayerSpec`], [`LayerState`] and [`ROSTER`] from one list: `"summary" word: Variant(Spec
/// => State)`.
macro_rules! roster {
    ($($summary:tt $module:ident: $variant:ident($spec:ident => $state:ident),)*) => {
        /// A layer around a call or at a door; the key says which.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum LayerSpec {
            $(#[doc = $summary] $variant($module::$spec),)*
        }

        impl LayerSpec {
            /// The word for this layer in files.
            #[must_use]
            pub fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module),)*
                }
            }

            /// Refuses numbers that make no sense for this layer.
            ///
            /// # Errors
            /// What is wrong and what to write instead, as a sentence for the user.
            pub fn check(&self) -> Result<(), String> {
                match self {
                    $(Self::$variant(spec) => spec.check(),)*
                }
            }
        }

        /// The state of a layer. One value for each scope that a layer has: a calling instance, a
        /// door.
        #[derive(Debug, Clone)]
        pub enum LayerState {
            $(#[doc = $summary] $variant($module::$state),)*
        }

        impl LayerState {
            /// The layer that a checked spec describes, before any call.
            #[must_use]
            pub fn new(spec: &LayerSpec) -> Self {
                match spec {
                    $(LayerSpec::$variant(spec) => Self::$variant($module::$state::new(spec)),)*
                }
            }
        }

        impl Layer for LayerState {
            #[inline]
            fn ask(&mut self, cx: &mut Context) -> Ask {
                match self {
                    $(Self::$variant(state) => Layer::ask(state, cx),)*
                }
            }
            #[inline]
            fn told(&mut self, cx: &mut Context, status: Status) -> Told {
                match self {
                    $(Self::$variant(state) => Layer::told(state, cx, status),)*
                }
            }
            fn asks(&self) -> bool {
                match self {
                    $(Self::$variant(state) => Layer::asks(state),)*
                }
            }
            fn minds(&self, status: Status) -> bool {
                match self {
                    $(Self::$variant(state) => Layer::minds(state, status),)*
                }
            }
            fn forgotten(&mut self, memo: u32) {
                match self {
                    $(Self::$variant(state) => state.forgotten(memo),)*
                }
            }
            fn is_for_middleware(&self) -> bool {
                match self {
                    $(Self::$variant(state) => Layer::is_for_middleware(state),)*
                }
            }
            fn middleware_failed(&self, status: Status, u: f64) -> Option<Status> {
                match self {
                    $(Self::$variant(state) => state.middleware_failed(status, u),)*
                }
            }
            fn is_open(&self) -> bool {
                match self {
                    $(Self::$variant(state) => state.is_open(),)*
                }
            }
            fn breaker(&self) -> Option<&circuit_breaker::Breaker> {
                match self {
                    $(Self::$variant(state) => Layer::breaker(state),)*
                }
            }
        }

        /// All layers, in the order of their usual nesting, outermost first.
        pub const ROSTER: &[Member] = &[
            $(Member {
                word: stringify!($module),
                summary: $summary,
                explain: $module::EXPLAIN,
            },)*
        ];
    };
}

roster! {
    "Answer something else when a call, or a middleware, fails."
        fallback: Fallback(FallbackSpec => Fallback),
    "Try a failed call again, after a pause." retry: Retry(RetrySpec => Retry),
    "Send a further copy of a call that has no answer yet." hedge: Hedge(HedgeSpec => Hedge),
    "Stop retries while too few calls succeed."
        retry_budget: RetryBudget(RetryBudgetSpec => RetryBudget),
    "Stop retries when a bucket that calls and successes fill is empty."
        retry_quota: RetryQuota(RetryQuotaSpec => RetryQuota),
    "Stop retries while they, or failures, are too large a share."
        retry_ratio: RetryRatio(RetryRatioSpec => RetryRatio),
    "Refuse calls at the caller while too many fail."
        circuit_breaker: CircuitBreaker(CircuitBreakerSpec => Breaker),
    "Refuse what comes more often than a limit." rate_limit: RateLimit(RateLimitSpec => RateLimit),
    "Refuse with a chance that grows with the calls in progress."
        random_early_drop: RandomEarlyDrop(RandomEarlyDropSpec => RandomEarlyDrop),
    "Refuse what would exceed a number of calls in progress."
        bulkhead: Bulkhead(BulkheadSpec => Bulkhead),
}

/// Words of this family that are no layers: they are written at a component.
pub const BESIDES: &[Member] = &[
    Member { word: "pick", summary: balance::SUMMARY, explain: balance::EXPLAIN },
    Member { word: "probe", summary: health::SUMMARY, explain: health::EXPLAIN },
];

#[cfg(test)]
mod tests;
