//! Bugs: what goes wrong, when, in a component.

use crate::status::Status;
use crate::text::Name;
use crate::units::{Bytes, Factor, Rate, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A defect of the software. It strikes when a request reaches the component (a middleware: in the
/// chain of its host) and all conditions of `when` hold.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// `no`: present only while a change switches it on.
    #[serde(default = "yes")]
    pub present: bool,
    /// Which requests it strikes. Left out: all.
    #[serde(default)]
    pub when: When,
    /// What happens then.
    pub raises: Raises,
    /// The name of the line that it leaves in the log, for the responder's evidence. Left out:
    /// none.
    pub log: Option<String>,
}

fn yes() -> bool {
    true
}

/// Which requests a bug strikes: those for which every condition given holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Requests that come, in the end, from this client.
    pub client: Option<Name>,
    /// Requests of this class.
    pub class: Option<Name>,
    /// Requests to this endpoint of the component.
    pub endpoint: Option<Name>,
    /// This share of the requests, drawn for each.
    pub share: Option<Share>,
    /// Only while the requests that meet the other conditions come faster than this.
    pub rate: Option<RateAbove>,
}

/// A rate measured by an exact sliding log: the condition holds for a request if more than `above`
/// x `window` such requests, this one included, came in the last `window`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateAbove {
    /// The rate that must be passed.
    pub above: Rate,
    /// Where it is counted.
    #[serde(default)]
    pub per: RatePer,
    /// Over how long.
    pub window: Span,
}

/// Where a rate is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatePer {
    /// In each instance by itself.
    #[default]
    Instance,
    /// In all instances of the component together.
    Component,
}

/// What a bug does to the request that it strikes and to the process that serves it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Raises {
    /// The request ends with this error (a caught exception). It counts as an exception.
    pub error: Option<Status>,
    /// An exception that nobody catches. It counts as an exception.
    pub exception: Option<Exception>,
    /// The process dies (and all that it serves with it).
    pub crash: bool,
    /// Memory that is never given back while the process lives.
    pub leaks_memory: Bytes,
    /// The work of the request takes so many times longer.
    pub slow: Option<Factor>,
    /// The request is delayed by so much.
    pub delay: Option<Span>,
    /// The first call that the request makes is made again and again, one after the other (a
    /// loop); later calls are made once.
    pub calls_again: Option<CallsAgain>,
}

/// A loop that makes the same call again and again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallsAgain {
    /// So many times more.
    pub times: u32,
    /// From an answer, good or bad, to the next call.
    pub pause: Span,
}

/// An exception that nobody catches.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// `yes`: the request hangs, and holds its worker, its connection and its memory until the
    /// process is replaced; no answer is ever sent. `no`: the request ends with an error 500.
    pub holds_worker: bool,
    /// Memory that each such exception holds on top, until the process is replaced.
    #[serde(default)]
    pub memory: Bytes,
}
