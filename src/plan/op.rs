//! What endpoints do, compiled: programs of operations.

use super::{ComponentId, EdgeId, OpId};
use crate::dist::Sampler;
use crate::rng::Luck;
use crate::status::Status;
use crate::units::{Nanos, nearest};

/// One operation of a program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Own work: index in `Plan::works`.
    Work(u32),
    /// A wait without CPU: index in `Plan::works`.
    Wait(u32),
    /// A call.
    Call(EdgeId),
    /// Start `count` branches (from `first` in `Plan::branches`), each `copies` times, and wait
    /// until `need` have ended well.
    Fork {
        /// Index of the first branch.
        first: u32,
        /// Number of branches.
        count: u16,
        /// How often all of them are started.
        copies: u16,
        /// How many must end well.
        need: u16,
    },
    /// Take one of `count` alternatives (from `first` in `Plan::alternatives`); go on behind when
    /// none fits.
    Choose {
        /// Index of the first alternative.
        first: u32,
        /// Number of alternatives.
        count: u16,
        /// Index in `Plan::works` whose `luck` is the key of the draw.
        luck: u32,
    },
    /// Look into a cache (index in the component's caches): go on where the alternative `hit`
    /// (index in `Plan::alternatives`(super::Plan::alternatives)) begins, or behind on a miss.
    LookUp {
        /// The cache.
        cache: u32,
        /// The alternative.
        hit: u32,
    },
    /// The steps after a miss have been done: the cache is filled.
    Fill(u32),
    /// Go on there.
    Jump(OpId),
    /// Go on there with new luck: the first step of the endpoint.
    StartOver(OpId),
    /// Answer with this status.
    Reply(Status),
    /// The component's own bugs may strike here (first operation of a program whose component has
    /// bugs).
    Bugs,
    /// The bugs of a middleware may strike here.
    Middleware(ComponentId),
    /// The layers and the work of a middleware, directly behind its [`Op::Middleware`].
    MiddlewareWork(ComponentId),
}

/// An alternative of `choose`.
#[derive(Debug, Clone, Copy)]
pub struct Alternative {
    /// Taken while the draw is below this (shares summed up); 0 for alternatives by class, 1 for
    /// `otherwise`.
    pub cumulative_share: f64,
    /// Taken by requests of the classes in this group of `Plan::class_groups`; `NONE`
    /// otherwise.
    pub class: u32,
    /// Where it begins.
    pub target: OpId,
}

/// Own work.
#[derive(Debug, Clone)]
pub struct WorkPlan {
    /// Its law.
    pub takes: Sampler,
    /// Added for each request present.
    pub plus_per_present: Nanos,
    /// Multiplies by 1 + this for each other request present.
    pub times_per_other: f64,
    /// Whether either of the two above is not zero: others who are present slow it.
    pub crowds: bool,
    /// Key for the luck of requests, stable under patches elsewhere.
    pub luck: u64,
}

impl WorkPlan {
    /// What the work of a request with this luck takes if nothing makes it slower.
    #[inline(always)]
    pub fn takes_alone(&self, request: Luck) -> Nanos {
        let takes = self.takes.sample_nanos(&mut request.at(self.luck).rng());
        if takes < 1 << 53 { takes } else { as_exact_as_slowed(takes) }
    }
}

/// A length of work, as exact as where something can make work slower.
#[cold]
#[inline(never)]
fn as_exact_as_slowed(takes: Nanos) -> Nanos {
    nearest(takes as f64)
}
