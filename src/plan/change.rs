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
