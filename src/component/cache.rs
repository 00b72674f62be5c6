//! Caches of a component.

use super::Limit;
use super::step::Step;
use crate::text::Name;
use crate::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cache, used by the step `look_up`. It keeps one entry for each key that requests carry;
/// requests without a key have one entry for each class. When it is full, the entry that was not
/// used for the longest time makes room (least recently used).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Entries that it holds; `unlimited` for all.
    pub size: Limit,
    /// How long an entry is good after it was filled; a hit does not prolong it. An entry that is
    /// too old keeps its place until it is filled again or makes room. Left out: for ever.
    pub ttl: Option<Span>,
    /// `no` (the default): every instance has its own, which is empty when its process has been
    /// replaced. `yes`: one for all instances, which outlives them.
    #[serde(default)]
    pub shared: bool,
}

/// Looks whether the request's key is in a cache (look-aside: the component itself fills it).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    /// The cache, one of the component's `caches`.
    pub cache: Name,
    /// What is done when it is there. Left out: nothing.
    #[serde(default)]
    pub hit: Vec<Step>,
    /// What is done when it is not. At the end of these steps the entry is filled, unless they
    /// ended the request (a call failed, `reply`) or its answer is degraded by then. Requests that
    /// miss at the same time all do this (nothing keeps a stampede away).
    pub miss: Vec<Step>,
}
