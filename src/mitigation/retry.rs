//! Retries, and the pauses between them.
//!
//! Source: reference on resilience mechanisms, A2; gRPC proposal A6; Resilience4j
//! `IntervalFunction`; AWS architecture blog, "Exponential Backoff And Jitter".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::statuses::check_failures;
use super::{LazyLuck, Nanos, StatusSet, Told};
use crate::component::Limit;
use crate::dist::{Dist, Sampler};
use crate::status::Status;
use crate::units::{Factor, MILLISECOND, Share, Span};

/// Help for `retry`.
pub const EXPLAIN: &str = "\
Tries a failed call again, after a pause. When the attempts are used up, or the status is not one to
retry, or the pause would end at or after `give_up_after`, the failure of the last attempt is
delivered unchanged.

`attempts` counts the first one: 3 means at most two retries (as in Resilience4j, gRPC and AWS SDKs;
Envoy's num_retries and HAProxy's retries count without the first). `unlimited` is for callers who
try until it works (at most 65 535 times). With `chance: 75%` a caller who could retry gives up in
one of four cases, as people do.

Pause before retry n = 1, 2, ...: d(n) = min(cap, base x factor^(n-1)), then jitter with U uniform
in [0, 1):
  none          d                          Resilience4j exponential
  full          U x d                      gRPC, AWS SDKs, Envoy
  equal         d/2 + U x d/2
  decorrelated  min(cap, base + U x (3 x previous - base)), previous = the pause before (first base)
  plus_minus f  d x (1 - f + 2 x f x U)    Resilience4j randomised, f = 50%; can exceed the cap
or `{drawn: {exponential: {mean: 2s}}}`: drawn anew from any law of the language (people who come
back; with `attempts: unlimited` the orbit of a retrial queue).

Source: gRPC proposal A6; Resilience4j IntervalFunction; AWS, Exponential Backoff And Jitter.
Envoy's current code is `{base: 25ms, factor: 2x, cap: 250ms, jitter: full}`,
AWS SDKs are `{base: 1s, factor: 2x, cap: 20s, jitter: full}`.

```yaml
- retry:
    attempts: 3
    backoff: {exponential: {base: 100ms, factor: 2x, cap: 1s, jitter: full}}
    on: [unavailable, timeout, reset, refused]
    give_up_after: 5s
```

Traps: a attempts at each of L layers are up to a^L attempts at the bottom; during an overload the
retries keep it alive when (rate x attempts) exceeds the capacity. Without jitter, callers that
failed together come back together. A retry outside a circuit breaker that retries `local_reject`
burns its attempts without touching the network; it is therefore not retried by default.
";

/// Tries a failed call again, after a pause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySpec {
    /// Attempts in all, including the first: 3 means at most two retries; or `unlimited`. Default
    /// 3.
    pub attempts: Limit,
    /// The pause before each retry.
    pub backoff: BackoffSpec,
    /// Statuses to retry. Default: every failure but `client_error`, `local_reject`,
    /// `deadline_exceeded` and `cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<Status>>,
    /// No retry starts this long after the first attempt began, or later. Default: no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub give_up_after: Option<Span>,
    /// The chance that a retry that may be made is made; the caller gives up otherwise. Default
    /// 100%.
    pub chance: Share,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            attempts: Limit(Some(3)),
            backoff: BackoffSpec::default(),
            on: None,
            give_up_after: None,
            chance: Share(1.0),
        }
    }
}

/// The pause before each retry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackoffSpec {
    /// Retry at once.
    None,
    /// Always the same pause.
    Constant(Span),
    /// A pause that grows from retry to retry.
    Exponential(ExponentialSpec),
    /// A pause drawn anew for each retry.
    Drawn(Dist<Span>),
}

impl Default for BackoffSpec {
    fn default() -> Self {
        Self::Exponential(ExponentialSpec::default())
    }
}

/// A pause that grows from retry to retry, min(cap, base × factor^(n-1)) before retry n, with
/// jitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExponentialSpec {
    /// Pause before the first retry, without jitter. Default 100ms.
    pub base: Span,
    /// Each pause is this multiple of the one before, at least 1x. Default 2x. `decorrelated`
    /// ignores it.
    pub factor: Factor,
    /// The longest pause, before jitter. Default: no cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Span>,
    /// How luck spreads the pauses. Default full.
    pub jitter: Jitter,
}

impl Default for ExponentialSpec {
    fn default() -> Self {
        Self { base: Span(100 * MILLISECOND), factor: Factor(2.0), cap: None, jitter: Jitter::Full }
    }
}

/// How luck spreads the pauses; d is the pause without jitter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Exactly d.
    None,
    /// Uniform between 0 and d.
    Full,
    /// Uniform between d/2 and d.
    Equal,
    /// Uniform between the base and three times the pause before, at most the cap.
    Decorrelated,
    /// Uniform between d × (1 - share) and d × (1 + share).
    PlusMinus(Share),
}

impl RetrySpec {
    /// Refuses no attempts, shrinking pauses, retries that leave no time to pass, and lists of
    /// statuses that are no failures.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if self.attempts == Limit(Some(0)) {
            return Err("`attempts` counts the first one too, so it is at least 1".to_owned());
        }
        match &self.backoff {
            BackoffSpec::Exponential(spec) => {
                if !(spec.factor.0 >= 1.0 && spec.factor.0.is_finite()) {
                    return Err("the `factor` of an exponential backoff is at least 1x".to_owned());
                }
                if spec.cap.is_some_and(|cap| cap.0 < spec.base.0) {
                    return Err("the `cap` of a backoff is less than its `base`".to_owned());
                }
            }
            BackoffSpec::Drawn(law) => drop(pauses(law)?),
            BackoffSpec::None | BackoffSpec::Constant(_) => {}
        }
        // A time-out takes its time; every other failure may come at once, for ever.
        let may_be_quick =
            self.on.as_ref().is_none_or(|on| on.iter().any(|status| *status != Status::Timeout));
        let for_ever = self.attempts == Limit(None) && self.chance.0 >= 1.0;
        if for_ever && may_be_quick && self.backoff.is_none() {
            return Err("`attempts: unlimited` without a pause: a call that is refused at once \
                        would be tried for ever at one moment; write a `backoff`, or a `chance` \
                        below 100%"
                .to_owned());
        }
        self.on.as_deref().map_or(Ok(()), |on| check_failures("on", on))
    }
}

impl BackoffSpec {
    /// Whether there is never a pause.
    fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Constant(pause) => pause.0 == 0,
            Self::Exponential(spec) => spec.base.0 == 0,
            Self::Drawn(law) => law.mean() == 0.0,
        }
    }
}

/// What draws pauses from a law.
fn pauses(law: &Dist<Span>) -> Result<Sampler, String> {
    law.compile(&mut |_| {
        Err("a `backoff` is not drawn from a file; write its `values` here".to_owned())
    })
}

/// The pauses of a retry, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    base: Nanos,
    factor: f64,
    cap: Nanos,
    jitter: Jitter,
    /// Draws the pauses instead.
    law: Option<Box<Sampler>>,
}

impl Backoff {
    /// The pauses that the spec describes.
    #[must_use]
    pub fn new(spec: &BackoffSpec) -> Self {
        let constant =
            |base| Self { base, factor: 1.0, cap: base, jitter: Jitter::None, law: None };
        match spec {
            BackoffSpec::None => constant(0),
            BackoffSpec::Constant(pause) => constant(pause.0),
            // A law that has passed its check compiles.
            BackoffSpec::Drawn(law) => Self { law: pauses(law).ok().map(Box::new), ..constant(0) },
            BackoffSpec::Exponential(spec) => Self {
                base: spec.base.0,
                factor: spec.factor.0,
                cap: spec.cap.map_or(Nanos::MAX, |cap| cap.0),
                jitter: spec.jitter,
                law: None,
            },
        }
    }

    /// The pause before retry `n` (1 is the first) without jitter: min(cap, base × factor^(n-1)),
    /// nanoseconds.
    #[must_use]
    pub fn bound(&self, n: u32) -> Nanos {
        let grown = self.base as f64 * power(self.factor, n.saturating_sub(1));
        // 0 × infinity is NaN, which the cast makes 0: no base, no pause. Beyond the range it
        // saturates.
        (grown.round() as Nanos).min(self.cap)
    }

    /// The pause before retry `n` (1 is the first), in nanoseconds, where it is not drawn from a
    /// law. `previous` is the pause before the retry before, 0 if there was none; `u` is uniform in
    /// [0, 1).
    #[must_use]
    pub fn delay(&self, n: u32, previous: Nanos, u: f64) -> Nanos {
        let bound = self.bound(n) as f64;
        let delay = match self.jitter {
            Jitter::None => return self.bound(n),
            Jitter::Full => u * bound,
            Jitter::Equal => bound / 2.0 + u * bound / 2.0,
            Jitter::PlusMinus(Share(share)) => bound * (1.0 - share + 2.0 * share * u),
            Jitter::Decorrelated => {
                let base = self.base as f64;
                let widest = 3.0 * previous.max(self.base) as f64;
                (base + u * (widest - base)).min(self.cap as f64)
            }
        };
        delay as Nanos
    }
}

/// `base`^`exponent` by squaring. The standard library's `powi` may round differently on other
/// platforms.
fn power(mut base: f64, mut exponent: u32) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            product *= base;
        }
        base *= base;
        exponent /= 2;
    }
    product
}

/// The retry layer. It has no state of its own: what it must remember of a call is in [`Ended`].
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    attempts: u32,
    on: StatusSet,
    give_up_after: Nanos,
    chance: f64,
    backoff: Backoff,
}

/// An attempt that ended, as the retry layer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub status: Status,
    /// Which attempt of the call it was; 1 is the first.
    pub attempt: u32,
    /// Time since the first attempt of the call began, in nanoseconds.
    pub elapsed: Nanos,
    /// The pause before this attempt, in nanoseconds; 0 before the first.
    pub previous: Nanos,
}

impl Retry {
    /// The layer that the spec describes.
    #[must_use]
    pub fn new(spec: &RetrySpec) -> Self {
        let on = spec.on.as_deref().map(StatusSet::of);
        Self {
            attempts: spec.attempts.or_max(),
            on: on.unwrap_or_else(|| StatusSet::having(Status::is_retryable_by_default)),
            give_up_after: spec.give_up_after.map_or(Nanos::MAX, |span| span.0),
            chance: spec.chance.0,
            backoff: Backoff::new(&spec.backoff),
        }
    }

    /// [`Told::Again`] with the pause before the next attempt, or [`Told::Deliver`]. `u` is uniform
    /// in [0, 1), the luck below `luck` for what else is drawn.
    ///
    /// A retry that would begin at or after `give_up_after` is not made, and its pause is not
    /// waited for (reference, A1 rule 4).
    #[must_use]
    pub fn told(&self, ended: &Ended, u: f64, luck: LazyLuck) -> Told {
        if ended.attempt >= self.attempts || !self.on.has(ended.status) {
            return Told::Deliver;
        }
        if self.chance < 1.0 && luck.below(GIVES_UP).unit() >= self.chance {
            return Told::Deliver;
        }
        let delay = match &self.backoff.law {
            Some(law) => law.sample_nanos(&mut luck.below(PAUSE).rng()),
            None => self.backoff.delay(ended.attempt, ended.previous, u),
        };
        match ended.elapsed.checked_add(delay) {
            Some(start) if start < self.give_up_after => Told::Again(delay),
            _ => Told::Deliver,
        }
    }
}

/// Keys below the luck of this layer.
const GIVES_UP: u64 = 0;
const PAUSE: u64 = 1;

impl super::Layer for Retry {
    fn asks(&self) -> bool {
        false
    }

    fn minds(&self, status: Status) -> bool {
        self.on.has(status)
    }

    /// Retries are made while no layer inside has called the outcome final.
    fn told(&mut self, cx: &mut super::Context, status: Status) -> Told {
        if *cx.is_final || !self.on.has(status) {
            return Told::Deliver;
        }
        // The memo counts the tries of this layer, so that retries can be nested.
        *cx.memo = cx.memo.saturating_add(1);
        let elapsed = cx.now - cx.began;
        let ended = Ended { status, attempt: *cx.memo, elapsed, previous: *cx.pause };
        let told = Retry::told(self, &ended, cx.luck.unit(), cx.luck);
        if let Told::Again(pause) = told {
            *cx.pause = pause;
        }
        told
    }
}

#[cfg(test)]
mod tests;
