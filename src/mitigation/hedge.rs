//! Hedged calls: further copies of a call that has no answer yet.
//!
//! Source: reference on resilience mechanisms, A5; gRPC proposal A6, "Hedging"; Dean and Barroso,
//! "The Tail at Scale" (CACM 2013).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::statuses::check_failures;
use super::{Nanos, StatusSet};
use crate::dist::{Dist, Sampler};
use crate::rng::LuckRng;
use crate::status::Status;
use crate::units::Span;

/// Help for `hedge`.
pub const EXPLAIN: &str = "\
Sends a further copy of a call that has no answer `after` some time, then another one, `at_most` so
many; the first good answer wins and the other copies are given up. With `cancels: yes` (the
default) giving them up also stops their work, else the callee works on for nobody.

A copy that fails with one of the statuses `on` (by default those that `retry` retries) makes the
next copy go at once, and the others are still waited for; when all copies have failed the last
failure is delivered. Any other failure is final: it is delivered and the others are given up. A
copy that the caller's own layers refuse was never sent and decides nothing.

Each copy goes through the layers written inside of the hedge on its own and has a `timeout` of its
own from the moment it is sent; the `deadline` is that of the call. Layers outside of the hedge see
one call with one outcome; a copy that is given up counts nowhere, neither as success nor as
failure. Inside of the hedge a `retry_budget` refuses copies as it refuses retries. The latency of
the pair is min(X1, after + X2); the further load is the chance that a call takes longer than
`after`: with the 95th percentile at most about 5 %.

Source: gRPC proposal A6 (hedgingDelay is `after`, maxAttempts is `at_most` + 1, nonFatalStatusCodes
is `on`); The Tail at Scale, CACM 2013. Envoy's hedge_on_per_try_timeout, a retry that leaves the
first try running, is `retry: {on: [timeout]}` with `late_answers: used`.

```yaml
- hedge: {after: 500ms, at_most: 3}
```

Traps: during an overload every call takes longer than `after`, and hedging doubles the load: put a
`retry_budget` inside. Without `cancels` the losers' work is wasted on top. Hedged writes are done
twice. Copies choose their instance anew, but may meet the same slow one. With a `retry` around it a
call is sent attempts x (1 + at_most) times at worst.
";

/// Sends further copies of a call that has no answer yet. The first good answer wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HedgeSpec {
    /// Time without an answer after which the next copy goes; fixed or drawn for each copy.
    pub after: Dist<Span>,
    /// Further copies at most, the first attempt not counted. Default 1.
    #[serde(default = "one")]
    pub at_most: u32,
    /// Whether giving up a copy stops the work at the callee. Default yes.
    #[serde(default = "yes")]
    pub cancels: bool,
    /// Failures that are not final: the next copy goes at once, and the others are still waited
    /// for. Default: those that `retry` retries by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<Status>>,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// Most further copies of one call.
const MOST: u32 = 100;

impl HedgeSpec {
    /// Refuses no copies, far too many, laws without meaning, and lists of statuses that are no
    /// failures.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MOST).contains(&self.at_most) {
            let what = "further copies, the first attempt not counted";
            return Err(format!("`at_most` is 1 to {MOST} {what}"));
        }
        delays(&self.after)?;
        self.on.as_deref().map_or(Ok(()), |on| check_failures("on", on))
    }
}

/// What draws the delay before a copy.
fn delays(law: &Dist<Span>) -> Result<Sampler, String> {
    law.compile(&mut |_| {
        Err("the `after` of a hedge is not drawn from a file; write its `values` here".to_owned())
    })
}

/// What the end of a copy means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This outcome is the call's; the others are given up.
    Final,
    /// The next copy goes at once; the others are waited for.
    Next,
    /// It was never sent: the others are waited for.
    NotSent,
}

/// The hedge layer: rules without any state; the engine keeps the copies of each call.
#[derive(Debug, Clone, PartialEq)]
pub struct Hedge {
    after: Option<Box<Sampler>>,
    at_most: u32,
    cancels: bool,
    on: StatusSet,
}

impl Hedge {
    /// The layer that a checked spec describes.
    #[must_use]
    pub fn new(spec: &HedgeSpec) -> Self {
        let on = spec.on.as_deref().map(StatusSet::of);
        Self {
            // A law that has passed its check compiles.
            after: delays(&spec.after).ok().map(Box::new),
            at_most: spec.at_most,
            cancels: spec.cancels,
            on: on.unwrap_or_else(|| StatusSet::having(Status::is_retryable_by_default)),
        }
    }

    /// Draws the time before the next copy, in nanoseconds.
    #[must_use]
    pub fn after(&self, luck: &mut LuckRng) -> Nanos {
        self.after.as_ref().map_or(0, |law| law.sample_nanos(luck))
    }

    /// Further copies at most.
    #[must_use]
    pub fn at_most(&self) -> u32 {
        self.at_most
    }

    /// Whether giving up a copy stops the work at the callee.
    #[must_use]
    pub fn cancels(&self) -> bool {
        self.cancels
    }

    /// What a copy that ended so means for the others.
    #[must_use]
    pub fn verdict(&self, status: Status) -> Verdict {
        match status {
            status if self.on.has(status) => Verdict::Next,
            Status::LocalReject => Verdict::NotSent,
            _ => Verdict::Final,
        }
    }
}

impl super::Layer for Hedge {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Luck;
    use crate::units::MILLISECOND;

    fn spec() -> HedgeSpec {
        let after = Dist::Fixed(Span(500 * MILLISECOND));
        HedgeSpec { after, at_most: 1, cancels: true, on: None }
    }

    #[test]
    fn good_answers_and_the_requests_own_faults_are_final_and_other_failures_are_not() {
        let hedge = Hedge::new(&spec());
        for status in [Status::Ok, Status::Degraded, Status::ClientError, Status::DeadlineExceeded]
        {
            assert_eq!(hedge.verdict(status), Verdict::Final, "{status:?}");
        }
        for status in [Status::Timeout, Status::Unavailable, Status::Reset] {
            assert_eq!(hedge.verdict(status), Verdict::Next, "{status:?}");
        }
        assert_eq!(hedge.verdict(Status::LocalReject), Verdict::NotSent);
    }

    #[test]
    fn failures_that_are_not_named_are_final() {
        let hedge = Hedge::new(&HedgeSpec { on: Some(vec![Status::Timeout]), ..spec() });
        assert_eq!(hedge.verdict(Status::Timeout), Verdict::Next);
        assert_eq!(hedge.verdict(Status::Unavailable), Verdict::Final);
    }

    #[test]
    fn the_time_before_a_copy_is_fixed_or_drawn() {
        let mut luck = Luck::new(1).rng();
        assert_eq!(Hedge::new(&spec()).after(&mut luck), 500 * MILLISECOND);
        let after = Dist::Exponential { mean: Span(MILLISECOND) };
        let drawn = Hedge::new(&HedgeSpec { after, ..spec() });
        assert_ne!(drawn.after(&mut luck), drawn.after(&mut luck));
    }

    #[test]
    fn specs_without_meaning_are_refused() {
        assert_eq!(spec().check(), Ok(()));
        assert!(HedgeSpec { at_most: 0, ..spec() }.check().unwrap_err().contains("1 to 100"));
        assert!(HedgeSpec { at_most: 101, ..spec() }.check().is_err());
        let after = Dist::Exponential { mean: Span(0) };
        assert!(HedgeSpec { after, ..spec() }.check().is_err());
        assert!(HedgeSpec { on: Some(vec![Status::Ok]), ..spec() }.check().is_err());
    }
}
