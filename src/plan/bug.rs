//! Bugs with ids in place of names.

use super::{ClientId, ComponentId};
use crate::status::Status;
use crate::units::Nanos;

/// A bug.
#[derive(Debug, Clone)]
pub struct BugPlan {
    /// `component.bug`.
    pub name: String,
    /// Where it is.
    pub component: ComponentId,
    /// Bit v is set when version v has it.
    pub versions: u64,
    /// Whether it is there without being switched on.
    pub present: bool,
    /// Condition: the client, or `NONE`.
    pub client: ClientId,
    /// Condition: classes of this name (as a bit set over `Plan::classes`); empty: all.
    pub classes: Vec<bool>,
    /// Condition: the endpoint, or `NONE`.
    pub endpoint: u32,
    /// Condition: the chance.
    pub share: f64,
    /// Condition: more than `count` such requests in `window`, per instance or per component.
    pub rate: Option<RateTrigger>,
    /// The request ends with this.
    pub error: Option<Status>,
    /// Uncaught exception: holds the worker; memory.
    pub exception: Option<(bool, u64)>,
    /// The process dies.
    pub crash: bool,
    /// Leaks so many bytes.
    pub leaks_memory: u64,
    /// Slows the request's work.
    pub slow: f64,
    /// Delays the request.
    pub delay: Nanos,
    /// Makes each call again so many times.
    pub calls_again: u32,
    /// The lane of the pause before each of them, or `NONE`.
    pub again_lane: u32,
    /// Log line (index in `Plan::logs`), or `NONE`.
    pub log: u32,
    /// Key for the luck of requests.
    pub luck: u64,
}

/// A rate measured by a sliding log.
#[derive(Debug, Clone, Copy)]
pub struct RateTrigger {
    /// The condition holds when more than so many came in the window.
    pub count: u32,
    /// Its length.
    pub window: Nanos,
    /// Counted over all instances of the component together.
    pub per_component: bool,
}
