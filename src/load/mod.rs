//! Clients: who asks, how often, how patiently, and what makes a user count as affected.
//!
//! One entry of `clients` is one **segment**: a population of users who come in visits (web,
//! mobile), or a plain stream of requests (a crawler's address range, an internal caller). Impact
//! on people is counted for populations only, unless a stream says `counts_as_users: yes`.

pub mod arrivals;

use crate::dist::{Count, Dist};
use crate::mitigation::LayerSpec;
use crate::text::{Name, Named};
use crate::units::{Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use arrivals::Arrivals;

/// A segment of users, or a plain stream of requests. Give either `visits` (with `users` and
/// `visit`) or `arrivals`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// How many users the population has. Every visit belongs to one of them, drawn evenly.
    pub users: Option<u32>,
    /// When visits begin. A visit of a user who is still visiting is a second device of the same
    /// user.
    pub visits: Option<Arrivals>,
    /// What happens in a visit.
    pub visit: Option<Visit>,
    /// When single requests arrive, for a stream without users.
    pub arrivals: Option<Arrivals>,
    /// The classes of requests with their shares: `{search: 70%, library: 30%}`. A class calls the
    /// endpoint of its own name unless it says `endpoint`. Left out: one class, `request`.
    #[serde(default)]
    pub requests: Named<RequestClass>,
    /// The component that the requests go to.
    pub calls: Name,
    /// How long one attempt is waited for; fixed or drawn anew for each attempt. Left out: for
    /// ever.
    pub timeout: Option<Dist<Span>>,
    /// How long the whole request may take, retries and waiting included. Left out: for ever.
    pub deadline: Option<Span>,
    /// What becomes of an answer that arrives after its attempt timed out. The default is
    /// `ignored`.
    #[serde(default)]
    pub late_answers: LateAnswers,
    /// Whether giving up on an attempt also stops the work at the callee. The default is `no`: the
    /// callee works on for nobody.
    #[serde(default)]
    pub cancels: bool,
    /// The way to the component, one way.
    pub network: Option<Dist<Span>>,
    /// Mitigations around each request, outermost first.
    #[serde(default)]
    pub layers: Vec<LayerSpec>,
    /// A good answer slower than this (from the first attempt on) counts as slow, and so as lost
    /// for its user.
    pub slow_after: Option<Span>,
    /// What makes a user count as affected.
    #[serde(default)]
    pub affected: Affected,
    /// Whether the impact of an outage is counted in this client. The default is `yes` for `visits`
    /// and `no` for `arrivals`; the traffic that triggers an incident is not counted among the
    /// users.
    pub counts_as_users: Option<bool>,
    /// Priority of the requests in lines of the discipline `priority` and on CPUs with the sharing
    /// `by_priority`: 0 goes first.
    #[serde(default)]
    pub priority: u8,
}

/// What happens in one visit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// Number of requests that a user wants to make.
    pub requests: Count,
    /// Time between an answer (good or bad) and the next request.
    pub thinking: Dist<Span>,
    /// When the user gives up. Left out: never.
    pub patience: Option<Patience>,
    /// Whether a user who gave up comes back. Left out: not in this visit.
    #[serde(rename = "return")]
    pub returns: Option<Return>,
}

/// When a user gives up on a visit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patience {
    /// The visit ends after so many failed requests in a row.
    pub failures: u32,
}

/// A user who gave up comes back and goes on with the rest of the visit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// The chance of coming back after giving up.
    pub share: Share,
    /// The time away.
    pub after: Dist<Span>,
}

/// One class of requests.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RequestClass {
    /// The share of the requests that are of this class. The shares of a client add up to 100 %.
    pub share: Share,
    /// The endpoint that the class calls; its own name when left out.
    pub endpoint: Option<Name>,
    /// The component that this class goes to, when it is another than the client's `calls`.
    pub calls: Option<Name>,
    /// Requests may carry a key (a product, a tenant): for stickiness, per-key limits and caches.
    pub key: Option<KeyLaw>,
    /// Priority of this class, when it is another than the client's.
    pub priority: Option<u8>,
}

impl<'de> Deserialize<'de> for RequestClass {
    /// A bare share (`70%`) is the short form of `{share: 70%}`.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            share: Share,
            endpoint: Option<Name>,
            calls: Option<Name>,
            key: Option<KeyLaw>,
            priority: Option<u8>,
        }
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = RequestClass;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a share such as `70%`, or `{share: 70%, endpoint: ...}`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RequestClass, E> {
                let share = text.parse().map_err(E::custom)?;
                Ok(RequestClass { share, endpoint: None, calls: None, key: None, priority: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<RequestClass, A::Error> {
                let long = Long::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(RequestClass {
                    share: long.share,
                    endpoint: long.endpoint,
                    calls: long.calls,
                    key: long.key,
                    priority: long.priority,
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The law of the keys that requests carry: keys are numbered from 0.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeyLaw {
    /// All of so many keys are equally likely.
    Even {
        /// How many keys there are.
        keys: u32,
    },
    /// Key k (from 1) has a chance in proportion to 1/k^exponent.
    Zipf {
        /// How many keys there are.
        keys: u32,
        /// The exponent; 1 is Zipf's own law.
        exponent: f64,
    },
    /// Key k has the k-th weight.
    Weights(Vec<f64>),
    /// Always the key of this number.
    Fixed(u32),
}

/// What becomes of an answer whose attempt has timed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateAnswers {
    /// It is thrown away.
    #[default]
    Ignored,
    /// If the request is still open (waiting to retry, or retrying), it is taken.
    Used,
}

/// What makes a user count as affected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// A user with at least so many requests during the outage that failed (after all retries) or
    /// were slow.
    pub failures: u32,
}

impl Default for Affected {
    fn default() -> Self {
        Affected { failures: 1 }
    }
}
