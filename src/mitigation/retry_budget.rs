//! A budget for retries: token bucket fed by successes.
//!
//! Source: reference on resilience mechanisms, A3.3; gRPC proposal A6, "Throttling Retry Attempts".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StatusSet;
use super::statuses::check_failures;
use crate::status::Status;
use crate::units::Share;

/// Help for `retry_budget`.
pub const EXPLAIN: &str = "\
Stops retries while too few calls succeed. The budget starts with `max_tokens`; every attempt that
fails with a retryable status takes one token, every success gives `token_ratio` of one back, never
above `max_tokens`. Retries are made only while the budget holds more than half of `max_tokens`.
First attempts are always made. A retry that the budget refuses is not replaced by a new error: the
failure of the attempt before it is delivered.

It stands directly inside the `retry` that it guards, where it sees every attempt; all calls of one
caller process through this layer share it. In the long run there are at most `token_ratio` retries
for each success.

Source: gRPC proposal A6, retryThrottling (maxTokens, tokenRatio with three decimals). With 10 and
10% the first four failures may be retried, the fifth leaves 5 tokens and may not, one success then
allows retries again.

```yaml
- retry: {attempts: 3}
- retry_budget: {max_tokens: 10, token_ratio: 10%}
```

Traps: a budget is per process, so that each of N processes has its own reserve of half of
`max_tokens`. One bad callee that shares a budget with good ones takes their retries away.
";

/// Allows retries only while enough attempts succeed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudgetSpec {
    /// Size of the budget, and what it starts with. Default 10.
    pub max_tokens: u32,
    /// What each success gives back, as a share of a token; three decimals (0.1%) count. Default
    /// 10%.
    pub token_ratio: Share,
    /// Statuses that take a token. Default: those that `retry` retries by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<Status>>,
}

impl Default for RetryBudgetSpec {
    fn default() -> Self {
        Self { max_tokens: 10, token_ratio: Share(0.1), on: None }
    }
}

impl RetryBudgetSpec {
    /// Refuses an empty budget, a ratio that rounds to nothing, and lists of statuses that are no
    /// failures.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if self.max_tokens == 0 {
            return Err("a retry budget needs `max_tokens` of at least 1".to_owned());
        }
        if millis(self.token_ratio) == 0 {
            return Err(
                "`token_ratio` is at least 0.1%, or the budget is never refilled".to_owned()
            );
        }
        self.on.as_deref().map_or(Ok(()), |on| check_failures("on", on))
    }
}

/// Thousandths of a token: gRPC keeps three decimals, and whole numbers do not drift.
fn millis(share: Share) -> u64 {
    (share.0 * 1000.0).round() as u64
}

/// The state of one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryBudget {
    level: u64,
    full: u64,
    refund: u64,
    on: StatusSet,
}

impl RetryBudget {
    /// A full budget.
    #[must_use]
    pub fn new(spec: &RetryBudgetSpec) -> Self {
        let full = u64::from(spec.max_tokens) * 1000;
        let on = spec.on.as_deref().map(StatusSet::of);
        Self {
            level: full,
            full,
            refund: millis(spec.token_ratio),
            on: on.unwrap_or_else(|| StatusSet::having(Status::is_retryable_by_default)),
        }
    }

    /// Counts how an attempt ended, a first one or a retry.
    #[inline]
    pub fn told(&mut self, status: Status) {
        if self.on.has(status) {
            self.level = self.level.saturating_sub(1000);
        } else if status.is_good() {
            self.level = (self.level + self.refund).min(self.full);
        }
    }

    /// True while retries may be made: the level is strictly above half.
    #[inline]
    #[must_use]
    pub fn allows_retry(&self) -> bool {
        2 * self.level > self.full
    }

    /// Tokens left, in thousandths.
    #[must_use]
    pub fn milli_tokens(&self) -> u64 {
        self.level
    }
}

impl super::Layer for RetryBudget {
    /// Stands inside a retry: a second attempt finds the budget spent and ends with the first one's
    /// outcome.
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        match cx.last {
            Some(last) if cx.attempts > 0 && !self.allows_retry() => {
                *cx.is_final = true;
                super::Ask::Answer(last)
            }
            _ => super::Ask::Pass,
        }
    }

    fn told(&mut self, _: &mut super::Context, status: Status) -> super::Told {
        RetryBudget::told(self, status);
        super::Told::Deliver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> RetryBudget {
        RetryBudget::new(&RetryBudgetSpec::default())
    }

    #[test]
    fn m14_the_fifth_failure_is_not_retried_and_one_success_allows_again() {
        let mut budget = budget();
        let mut seen = Vec::new();
        for _ in 0..5 {
            budget.told(Status::Unavailable);
            seen.push((budget.milli_tokens() / 1000, budget.allows_retry()));
        }
        assert_eq!(seen, [(9, true), (8, true), (7, true), (6, true), (5, false)]);
        budget.told(Status::Ok);
        assert_eq!((budget.milli_tokens(), budget.allows_retry()), (5100, true));
    }

    #[test]
    fn m14_an_empty_budget_needs_51_successes() {
        let mut budget = budget();
        (0..50).for_each(|_| budget.told(Status::Timeout));
        assert_eq!(budget.milli_tokens(), 0);
        let successes = (1..).find(|_| {
            budget.told(Status::Ok);
            budget.allows_retry()
        });
        assert_eq!(successes, Some(51));
    }

    #[test]
    fn the_budget_never_exceeds_its_size_and_ignores_what_is_neither_success_nor_retryable() {
        let mut budget = budget();
        budget.told(Status::Ok);
        assert_eq!(budget.milli_tokens(), 10_000);
        budget.told(Status::ClientError);
        budget.told(Status::LocalReject);
        assert_eq!(budget.milli_tokens(), 10_000);
    }

    #[test]
    fn a_budget_without_tokens_or_refund_is_refused() {
        let default = RetryBudgetSpec::default;
        assert!(RetryBudgetSpec { max_tokens: 0, ..default() }.check().is_err());
        assert!(RetryBudgetSpec { token_ratio: Share(0.0001), ..default() }.check().is_err());
        assert_eq!(default().check(), Ok(()));
    }
}
