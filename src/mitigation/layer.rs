//! What the engine tells a layer about a call, and what every layer answers.

use super::{Ask, Nanos, Told};
use crate::rng::Luck;
use crate::status::Status;

/// The luck of a layer for one attempt, found only when it is asked for: most layers never draw.
#[derive(Debug, Clone, Copy)]
pub struct LazyLuck {
    /// Luck of the call.
    pub call: Luck,
    /// Key of the attempt below it.
    pub attempt: u64,
    /// Key of the layer below that.
    pub layer: u64,
}

impl LazyLuck {
    /// The luck as a number in `[0, 1)`.
    #[inline]
    #[must_use]
    pub fn unit(self) -> f64 {
        self.whole().unit()
    }

    /// Luck of its own under `key`, for a layer that draws more than one number.
    #[inline]
    #[must_use]
    pub fn below(self, key: u64) -> Luck {
        self.whole().at(key)
    }

    #[inline]
    fn whole(self) -> Luck {
        self.call.at(self.attempt).at(self.layer)
    }
}

/// What a layer knows of the call that it is asked or told about.
#[derive(Debug)]
pub struct Context<'a> {
    /// The present time.
    pub now: Nanos,
    /// Luck of this layer for this attempt.
    pub luck: LazyLuck,
    /// Attempts that have been made before (going in), or up to this one (coming out).
    pub attempts: u32,
    /// When the call began.
    pub began: Nanos,
    /// When the attempt was sent.
    pub sent: Nanos,
    /// What the layer keeps for this call between the two: one number. 0 when the call begins.
    pub memo: &'a mut u32,
    /// The pause before the last attempt, in nanoseconds.
    pub pause: &'a mut Nanos,
    /// Set by a layer that wants the outcome to be final: no layer outside of it tries again.
    pub is_final: &'a mut bool,
    /// How the last attempt ended; the call's own outcome so far.
    pub last: Option<Status>,
    /// The client that the request comes from in the end.
    pub client: u32,
    /// The user, `u32::MAX` where there is none.
    pub user: u32,
    /// The key that the request carries, `u32::MAX` where there is none.
    pub key: u32,
}

/// A mitigation around a call or at a door. Every method defaults to staying out of the way.
pub trait Layer {
    /// A call goes in.
    fn ask(&mut self, cx: &mut Context) -> Ask {
        let _ = cx;
        Ask::Pass
    }

    /// An outcome comes out of a call that this layer has let pass.
    fn told(&mut self, cx: &mut Context, status: Status) -> Told {
        let _ = (cx, status);
        Told::Deliver
    }

    /// Whether [`Layer::ask`] may do anything but pass. An engine need not ask a layer that says
    /// no.
    fn asks(&self) -> bool {
        true
    }

    /// Whether [`Layer::told`] may do anything with this status but deliver it. An engine need not
    /// tell a layer that says no.
    fn minds(&self, status: Status) -> bool {
        let _ = status;
        true
    }

    /// A call that this layer has let pass is given up without any outcome (its caller has died).
    fn forgotten(&mut self, memo: u32) {
        let _ = memo;
    }

    /// Whether it stands for the failures of a host's middleware.
    fn is_for_middleware(&self) -> bool {
        false
    }

    /// What the host makes of a middleware's failure; None: nothing else.
    fn middleware_failed(&self, status: Status, u: f64) -> Option<Status> {
        let _ = (status, u);
        None
    }

    /// Whether it refuses calls at present (a breaker that is open), for the story of a run.
    fn is_open(&self) -> bool {
        false
    }

    /// The circuit breaker that it is, if it is one.
    fn breaker(&self) -> Option<&super::circuit_breaker::Breaker> {
        None
    }
}
