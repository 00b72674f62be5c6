//! Retries only while a ratio is low.
//!
//! Source: reference on resilience mechanisms, A3.6 (Google SRE book, "Handling Overload");
//! Brooker, "Fixing retries with token buckets and circuit breakers" (2022).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::Status;
use crate::units::Share;

/// Help for `retry_ratio`.
pub const EXPLAIN: &str = "\
Lets retries through only while a ratio of what this caller process has counted since it started is
low; otherwise the failure of the attempt before is delivered. First attempts are always made.
  retries_below     retries so far / calls so far < this: retries are a share of the calls at most
  failures_at_most  failed attempts so far / calls so far <= this: no retries once much fails, a
                    circuit breaker for retries alone
Exactly one of the two is written. It stands directly inside the `retry` that it guards, where it
sees every attempt; all calls of one caller process through this layer share it.

Source: Google SRE book, Handling Overload (retries below 10 % of the requests of a client);
Brooker, Fixing retries with token buckets and circuit breakers (failures at most 10 % of calls).

```yaml
- retry: {attempts: 3}
- retry_ratio: {retries_below: 10%}
```

Traps: the ratio looks back to the start of the process: after a long good time it lets many retries
through before it closes, and after a long outage it stays closed for as long. The shares are per
process: a process that makes few calls retries its first failures or none.
";

/// Lets retries through only while a ratio is low. Exactly one ratio is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryRatioSpec {
    /// Retries are made while fewer than this share of the calls so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries_below: Option<Share>,
    /// Retries are made while failed attempts are at most this share of the calls so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures_at_most: Option<Share>,
}

impl RetryRatioSpec {
    /// Refuses no ratio, and two.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        match (self.retries_below, self.failures_at_most) {
            (Some(Share(share)), None) if share <= 0.0 => {
                Err("`retries_below` 0% lets no retry through; leave `retry` out".to_owned())
            }
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err("a `retry_ratio` has exactly one of `retries_below` and `failures_at_most`"
                .to_owned()),
        }
    }
}

/// What one caller process has counted.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRatio {
    retries_below: Option<f64>,
    failures_at_most: Option<f64>,
    calls: u64,
    retries: u64,
    failures: u64,
}

impl RetryRatio {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(spec: &RetryRatioSpec) -> Self {
        Self {
            retries_below: spec.retries_below.map(|share| share.0),
            failures_at_most: spec.failures_at_most.map(|share| share.0),
            calls: 0,
            retries: 0,
            failures: 0,
        }
    }

    /// A call begins.
    pub fn call(&mut self) {
        self.calls += 1;
    }

    /// An attempt has failed.
    pub fn failure(&mut self) {
        self.failures += 1;
    }

    /// Whether a retry may be made; it is counted then.
    pub fn retry(&mut self) -> bool {
        let share = |count: u64| count as f64 / self.calls.max(1) as f64;
        let few_retries = self.retries_below.is_none_or(|below| share(self.retries) < below);
        let few_failures = self.failures_at_most.is_none_or(|most| share(self.failures) <= most);
        let passes = few_retries && few_failures;
        self.retries += u64::from(passes);
        passes
    }
}

impl super::Layer for RetryRatio {
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        let Some(last) = cx.last.filter(|_| cx.attempts > 0) else {
            self.call();
            return super::Ask::Pass;
        };
        if self.retry() {
            return super::Ask::Pass;
        }
        *cx.is_final = true;
        super::Ask::Answer(last)
    }

    fn told(&mut self, _: &mut super::Context, status: Status) -> super::Told {
        if !status.is_good() {
            self.failure();
        }
        super::Told::Deliver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(spec: RetryRatioSpec, calls: u64, failures: u64) -> RetryRatio {
        RetryRatio { calls, failures, ..RetryRatio::new(&spec) }
    }

    #[test]
    fn of_a_thousand_calls_that_all_fail_a_hundred_are_retried() {
        // Reference A3.6: 10 % budget, 1000 requests, all failing: 1100 reach the backend.
        let spec = RetryRatioSpec { retries_below: Some(Share(0.1)), ..Default::default() };
        let mut ratio = RetryRatio::new(&spec);
        let mut retries = 0;
        for _ in 0..1000 {
            ratio.call();
            // Two retries may follow each.
            retries += (0..2).take_while(|_| ratio.retry()).count();
        }
        assert_eq!(retries, 100);
    }

    #[test]
    fn retries_stop_strictly_above_the_share_of_failures() {
        let spec = || RetryRatioSpec { failures_at_most: Some(Share(0.1)), ..Default::default() };
        assert!(counted(spec(), 10, 1).retry());
        assert!(!counted(spec(), 10, 2).retry());
        assert!(!counted(spec(), 9, 1).retry());
    }

    #[test]
    fn exactly_one_ratio_is_written() {
        let share = Some(Share(0.1));
        let spec =
            |retries_below, failures_at_most| RetryRatioSpec { retries_below, failures_at_most };
        assert!(spec(None, None).check().is_err());
        assert!(spec(share, share).check().unwrap_err().contains("exactly one"));
        assert!(spec(Some(Share(0.0)), None).check().is_err());
        assert_eq!(spec(share, None).check(), Ok(()));
        assert_eq!(spec(None, Some(Share(0.0))).check(), Ok(()));
    }
}
