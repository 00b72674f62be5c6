//! Rate limits.
//!
//! Source: reference on resilience mechanisms, C1; ITU-T I.371 (GCRA); nginx
//! `ngx_http_limit_req_module`.

mod bucket;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bucket::Bucket;

use crate::status::Status;
use crate::units::{Rate, Span};

/// Help for `rate_limit`.
pub const EXPLAIN: &str = "\
Refuses what comes more often than a limit; exactly one of these limiters is written:
  token_bucket  holds `burst` tokens, starts full, refills with `rate`; a request takes one token or
                is refused. The same decisions as GCRA with T = 1/rate, tau = (burst - 1) x T.
  leaky_bucket  nginx's limit_req with nodelay: the excess drains with `rate`, a request adds 1 and
                is refused if that makes more than `burst`; so burst + 1 pass at once.
  fixed_window  at most `limit` in each window of `window`, windows begin at whole multiples of it.
  sliding_log   at most `limit` in any window of `window`; remembers the time of every request.
`per` gives every client population, user, segment or key a limiter of its own. A refused request
costs the component's `cost_of_rejecting` and is answered 429 (`rate_limited`) or 503
(`unavailable`, which is nginx's default).

Source: nginx ngx_http_limit_req_module; GCRA: ITU-T I.371. nginx counts milliseconds and
thousandths of a request; here time and level are exact, so nothing drifts.

```yaml
- rate_limit:
    token_bucket: {rate: 10/s, burst: 20, per: user}
    answer: rate_limited
```

Traps: refusing is never free: offered rate x cost of rejecting above the capacity is an overload
with a limiter. Fixed windows let 2 x limit through around a boundary. Limits at each of N instances
let N x limit through; global/N refuses a client that always meets the same instance. The limiter
counts retries too. A limiter that needs a store fails with it: see `fallback: {on: middleware}`.
";

/// Refuses what comes more often than a limit. Exactly one limiter is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitSpec {
    /// Tokens that refill steadily up to a burst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_bucket: Option<TokenBucketSpec>,
    /// An excess that drains steadily (nginx).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaky_bucket: Option<LeakyBucketSpec>,
    /// A count that starts anew with each window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_window: Option<WindowLimitSpec>,
    /// A count over a window that ends now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sliding_log: Option<WindowLimitSpec>,
    /// How a refused request is answered. Default rate_limited.
    pub answer: RefusalSpec,
}

/// Tokens that refill steadily up to a burst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBucketSpec {
    /// Tokens per second that come back.
    pub rate: Rate,
    /// Most tokens, and what the bucket starts with: this many requests pass at once.
    pub burst: u32,
    /// Who has a bucket of their own. Default all: one bucket together.
    #[serde(default)]
    pub per: Per,
}

/// An excess that drains steadily (nginx `limit_req` with `nodelay`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakyBucketSpec {
    /// Requests per second that drain.
    pub rate: Rate,
    /// Most excess; `burst` + 1 requests pass at once. Default 0.
    #[serde(default)]
    pub burst: u32,
    /// Who has a bucket of their own. Default all: one bucket together.
    #[serde(default)]
    pub per: Per,
}

/// A limit on the number of requests in a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowLimitSpec {
    /// Most requests in a window.
    pub limit: u32,
    /// Length of the window.
    pub window: Span,
    /// Who has a window of their own. Default all: one window together.
    #[serde(default)]
    pub per: Per,
}

/// Who has a limiter of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Nobody: all requests share one.
    #[default]
    All,
    /// Every client population, as one that comes from one address range.
    Client,
    /// Every user.
    User,
    /// Every key that requests carry.
    Key,
    /// Every segment of the users.
    Segment,
}

/// How a refused request is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalSpec {
    /// 429 Too Many Requests.
    #[default]
    RateLimited,
    /// 503 Service Unavailable (nginx).
    Unavailable,
}

/// One of the limiters, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limiter<'a> {
    /// See [`TokenBucketSpec`].
    TokenBucket(&'a TokenBucketSpec),
    /// See [`LeakyBucketSpec`].
    LeakyBucket(&'a LeakyBucketSpec),
    /// See [`WindowLimitSpec`]; windows begin at whole multiples of their length.
    FixedWindow(&'a WindowLimitSpec),
    /// See [`WindowLimitSpec`]; the window ends now.
    SlidingLog(&'a WindowLimitSpec),
}

/// Largest limit of a sliding log, which remembers that many moments.
const LARGEST_LOG: u32 = 100_000;

impl RateLimitSpec {
    /// The limiter that is written.
    ///
    /// # Errors
    /// A sentence for the user if there is none, or more than one.
    pub fn limiter(&self) -> Result<Limiter<'_>, String> {
        let written = [
            self.token_bucket.as_ref().map(Limiter::TokenBucket),
            self.leaky_bucket.as_ref().map(Limiter::LeakyBucket),
            self.fixed_window.as_ref().map(Limiter::FixedWindow),
            self.sliding_log.as_ref().map(Limiter::SlidingLog),
        ];
        let mut written = written.into_iter().flatten();
        match (written.next(), written.next()) {
            (Some(limiter), None) => Ok(limiter),
            _ => Err("a rate limit has exactly one of `token_bucket`, `leaky_bucket`, \
                      `fixed_window` and `sliding_log`"
                .to_owned()),
        }
    }

    /// Refuses no limiter, two limiters, and limiters that let nothing through.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        let rate_is_positive = |rate: Rate| match rate.0 > 0.0 {
            true => Ok(()),
            false => Err("a limiter with `rate` 0 never lets anything through again".to_owned()),
        };
        match self.limiter()? {
            Limiter::TokenBucket(spec) if spec.burst == 0 => {
                Err("a token bucket with `burst` 0 lets nothing through; write at least 1".into())
            }
            Limiter::TokenBucket(spec) => rate_is_positive(spec.rate),
            Limiter::LeakyBucket(spec) => rate_is_positive(spec.rate),
            Limiter::FixedWindow(spec) | Limiter::SlidingLog(spec)
                if spec.limit == 0 || spec.window.0 == 0 =>
            {
                Err("`limit` is at least 1 and `window` longer than 0s".to_owned())
            }
            Limiter::SlidingLog(spec) if spec.limit > LARGEST_LOG => {
                Err(format!("a sliding log has a `limit` of at most {LARGEST_LOG}"))
            }
            Limiter::FixedWindow(_) | Limiter::SlidingLog(_) => Ok(()),
        }
    }

    /// How a refused request is answered.
    #[must_use]
    pub fn refusal(&self) -> Status {
        match self.answer {
            RefusalSpec::RateLimited => Status::RateLimited,
            RefusalSpec::Unavailable => Status::Unavailable,
        }
    }
}

impl Limiter<'_> {
    /// Who has a bucket of their own.
    #[must_use]
    pub fn per(&self) -> Per {
        match self {
            Self::TokenBucket(spec) => spec.per,
            Self::LeakyBucket(spec) => spec.per,
            Self::FixedWindow(spec) | Self::SlidingLog(spec) => spec.per,
        }
    }

    /// A bucket that no request has met yet. Buckets for further users or keys are its clones.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        match self {
            Self::TokenBucket(spec) => Bucket::tokens(spec.rate, spec.burst.into()),
            // nginx admits while max(0, e - leak + 1) <= burst. With x = burst - e this reads
            // min(burst + 1, x + leak) - 1 >= 0: a token bucket that holds burst + 1.
            Self::LeakyBucket(spec) => Bucket::tokens(spec.rate, u64::from(spec.burst) + 1),
            Self::FixedWindow(spec) => Bucket::fixed_window(spec.limit, spec.window),
            Self::SlidingLog(spec) => Bucket::sliding_log(spec.limit, spec.window),
        }
    }
}

/// The rate-limit layer: one bucket, or one for each client, user or key.
#[derive(Debug, Clone)]
pub struct RateLimit {
    per: Per,
    refusal: Status,
    fresh: Bucket,
    buckets: std::collections::BTreeMap<u64, Bucket>,
}

impl RateLimit {
    /// The layer that a checked spec describes. Memory grows with the clients, users or keys seen.
    #[must_use]
    pub fn new(spec: &RateLimitSpec) -> Self {
        let limiter = spec.limiter();
        let never = WindowLimitSpec { limit: 0, window: Span(1), per: Per::All };
        let limiter = limiter.unwrap_or(Limiter::FixedWindow(&never));
        let fresh = limiter.bucket();
        let (per, refusal) = (limiter.per(), spec.refusal());
        Self { per, refusal, fresh, buckets: std::collections::BTreeMap::new() }
    }
}

impl super::Layer for RateLimit {
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        // A client is a segment: see the words of `clients`.
        let who = match self.per {
            Per::All => 0,
            Per::Client | Per::Segment => u64::from(cx.client),
            Per::User => u64::from(cx.client) << 32 | u64::from(cx.user),
            Per::Key => u64::from(cx.key),
        };
        let bucket = self.buckets.entry(who).or_insert_with(|| self.fresh.clone());
        match bucket.admit(cx.now, 1) {
            Ok(()) => super::Ask::Pass,
            Err(_) => super::Ask::Answer(self.refusal),
        }
    }
}

#[cfg(test)]
mod tests;
