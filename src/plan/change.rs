//! What happens at a time, compiled.

use super::{BugId, ClientId, ComponentId};
use crate::change::InProgress;
use crate::dist::Sampler;
use crate::units::Nanos;

/// A change.
#[derive(Debug, Clone)]
pub struct ChangePlan {
    /// Its name.
    pub name: String,
    /// What it does.
    pub action: ChangeAction,
    /// The chance that it happens at all.
    pub chance: f64,
    /// When it begins: law of the time.
    pub at: Sampler,
    /// How long it lasts; None: it stays. For `until`, see there.
    pub lasts: Option<Sampler>,
    /// A fixed end.
    pub until: Option<Nanos>,
    /// Comes and goes: laws of the times without and with it, and whether each instance by itself.
    pub recurring: Option<(Sampler, Sampler, bool)>,
    /// Work in progress.
    pub in_progress: InProgress,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeAction {
    /// A turn of knobs of the first `count` instances.
    Turn {
        /// The component.
        component: ComponentId,
        /// How many instances, the first ones.
        count: u32,
        /// The turn.
        turn: crate::change::knob::Turn,
    },
    /// The rate of a client is multiplied (`by`), or set (`to`, per second).
    Surge {
        /// The client.
        client: ClientId,
        /// Set to this.
        to: Option<f64>,
        /// Multiplied by this.
        by: f64,
    },
    /// Links are cut (`delay` None) or slow: calls from `from` (component, or client with
    /// `from_client`, or any when both are [`NONE`](super::NONE)) to `to`.
    Link {
        /// Calling component or [`NONE`](super::NONE).
        from: ComponentId,
        /// Calling client or [`NONE`](super::NONE).
        from_client: ClientId,
        /// Callee.
        to: ComponentId,
        /// Added to each way; None: cut.
        delay: Option<Nanos>,
    },
    /// A bug is switched on.
    Bug(BugId),
    /// A version is brought out (None: the one before).
    Deploy {
        /// The component.
        component: ComponentId,
        /// Index of the version; None: roll back.
        version: Option<u32>,
        /// Instances in a batch (`u32::MAX`: all).
        batch: u32,
        /// Between batches.
        pause: Nanos,
        /// New processes start beside the old ones and take over all at once.
        beside: bool,
        /// Some instances first, and what stops it.
        canary: Option<CanaryPlan>,
    },
    /// The caches of the first `count` instances are emptied, and those that all share.
    EmptyCaches {
        /// The component.
        component: ComponentId,
        /// How many instances.
        count: u32,
    },
    /// The lines of the first `count` instances are emptied.
    Flush {
        /// The component.
        component: ComponentId,
        /// How many instances.
        count: u32,
    },
}

/// A rollout that watches itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CanaryPlan {
    /// Instances that get the version first.
    pub instances: u32,
    /// From the first batch to the second.
    pub watch: Nanos,
    /// Between two looks.
    pub every: Nanos,
    /// So many deaths stop it.
    pub deaths: Option<u32>,
    /// A greater share of failed requests stops it.
    pub errors: Option<f64>,
    /// Requests from which on `errors` is looked at.
    pub minimum_requests: u32,
    /// A greater share of the memory limit stops it.
    pub memory: Option<f64>,
}
