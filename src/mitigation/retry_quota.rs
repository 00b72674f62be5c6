//! A quota for retries: a token bucket that calls and successes fill.
//!
//! Source: reference on resilience mechanisms, A3.4 (AWS SDKs, standard retry mode; botocore
//! `retries/standard.py`) and A3.1 (Finagle `RetryBudget`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::Status;

/// Help for `retry_quota`.
pub const EXPLAIN: &str = "\
A bucket of tokens that retries empty. A retry takes `retry_takes` tokens (after a time-out
`timeout_takes`), and is not made when there are fewer: the failure of the attempt before is
delivered. First attempts are always made. A call gives `call_gives` tokens when it begins, and
`success_gives` when it ends well without a retry; after a retry it gives back what its last retry
took (`refunds: no`: `success_gives` as well). Never more than `size`; three decimals count.

It stands directly inside the `retry` that it guards; all calls of one caller process through this
layer share it.

Source: the defaults are the standard retry mode of the AWS SDKs (500 tokens, 5 for a retry, 10
after a time-out, 1 for a success). Others as parameters:
  Finagle, 20 %    {size: 100, starts_with: 0, retry_takes: 5, success_gives: 0, call_gives: 1,
                   refunds: no}, without its expiry after ttl and its reserve for each second
  10 % of calls    {size: 5, retry_takes: 1, success_gives: 0, call_gives: 0.1, refunds: no}
                   (Brooker, Fixing retries with token buckets and circuit breakers)

```yaml
- retry: {attempts: 3}
- retry_quota: {size: 500, retry_takes: 5, timeout_takes: 10, success_gives: 1}
```

Traps: a quota is per process, so that N processes may make N x size / retry_takes retries at the
beginning of an outage. What `call_gives` adds comes also while nothing succeeds: at full failure
the load grows by call_gives / retry_takes.
";

/// A bucket of tokens that retries empty. The defaults are those of the AWS SDKs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryQuotaSpec {
    /// Most tokens. Default 500.
    pub size: f64,
    /// What it starts with. Default: `size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<f64>,
    /// Taken by a retry. Default 5.
    pub retry_takes: f64,
    /// Taken by a retry after a time-out. Default: twice `retry_takes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_takes: Option<f64>,
    /// Given by a success. Default 1.
    pub success_gives: f64,
    /// Given by every call when it begins. Default 0.
    pub call_gives: f64,
    /// Whether a success after a retry gives back what that retry took, instead of
    /// `success_gives`. Default yes.
    pub refunds: bool,
}

impl Default for RetryQuotaSpec {
    fn default() -> Self {
        Self {
            size: 500.0,
            starts_with: None,
            retry_takes: 5.0,
            timeout_takes: None,
            success_gives: 1.0,
            call_gives: 0.0,
            refunds: true,
        }
    }
}

/// Most tokens of a quota.
const MOST: f64 = 1e6;

impl RetryQuotaSpec {
    /// Refuses numbers that are none, and retries that are free or can never be paid for.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        let given = [self.success_gives, self.call_gives, self.starts_with.unwrap_or(0.0)];
        if !given.iter().all(|tokens| (0.0..=MOST).contains(tokens)) {
            return Err(format!("tokens of a `retry_quota` are 0 to {MOST}"));
        }
        let taken = [self.retry_takes, self.timeout_takes.unwrap_or(self.retry_takes)];
        if !taken.iter().all(|tokens| (0.001..=MOST).contains(tokens)) {
            return Err("a retry takes at least 0.001 of a token".to_owned());
        }
        if !(self.size <= MOST && taken.iter().all(|tokens| *tokens <= self.size)) {
            return Err(format!("`size` is at least what a retry takes, and at most {MOST}"));
        }
        Ok(())
    }
}

/// Thousandths of a token: whole numbers do not drift.
fn millis(tokens: f64) -> u32 {
    (tokens * 1000.0).round() as u32
}

/// The state of one quota, in thousandths of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryQuota {
    level: u32,
    full: u32,
    retry_takes: u32,
    timeout_takes: u32,
    success_gives: u32,
    call_gives: u32,
    refunds: bool,
}

impl RetryQuota {
    /// A quota before any call.
    #[must_use]
    pub fn new(spec: &RetryQuotaSpec) -> Self {
        let full = millis(spec.size);
        Self {
            level: spec.starts_with.map_or(full, millis).min(full),
            full,
            retry_takes: millis(spec.retry_takes),
            timeout_takes: spec.timeout_takes.map_or(millis(spec.retry_takes * 2.0), millis),
            success_gives: millis(spec.success_gives),
            call_gives: millis(spec.call_gives),
            refunds: spec.refunds,
        }
    }

    /// A call begins.
    pub fn call(&mut self) {
        self.give(self.call_gives);
    }

    /// What a retry after such a failure takes; `None` when there is not so much left.
    pub fn retry(&mut self, failure: Status) -> Option<u32> {
        let takes = match failure {
            Status::Timeout => self.timeout_takes,
            _ => self.retry_takes,
        };
        self.level = self.level.checked_sub(takes)?;
        Some(takes)
    }

    /// An attempt has ended well; its retry took so much, 0 when it was the first.
    pub fn success(&mut self, took: u32) {
        let refund = if self.refunds && took > 0 { took } else { self.success_gives };
        self.give(refund);
    }

    /// Tokens left, in thousandths.
    #[must_use]
    pub fn milli_tokens(&self) -> u32 {
        self.level
    }

    fn give(&mut self, tokens: u32) {
        self.level = self.level.saturating_add(tokens).min(self.full);
    }
}

impl super::Layer for RetryQuota {
    /// The memo is what the last retry of the call took.
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        let Some(last) = cx.last.filter(|_| cx.attempts > 0) else {
            self.call();
            return super::Ask::Pass;
        };
        match self.retry(last) {
            Some(took) => {
                *cx.memo = took;
                super::Ask::Pass
            }
            None => {
                *cx.is_final = true;
                super::Ask::Answer(last)
            }
        }
    }

    fn told(&mut self, cx: &mut super::Context, status: Status) -> super::Told {
        if status.is_good() {
            self.success(*cx.memo);
        }
        super::Told::Deliver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls of three attempts, all of which fail so; how many attempts each makes.
    fn failing(quota: &mut RetryQuota, calls: u32, failure: Status) -> Vec<u32> {
        let attempts = |_| {
            quota.call();
            1 + (0..2).map_while(|_| quota.retry(failure)).count() as u32
        };
        (0..calls).map(attempts).collect()
    }

    #[test]
    fn m15_the_fiftieth_failing_call_empties_the_standard_quota() {
        let mut quota = RetryQuota::new(&RetryQuotaSpec::default());
        let made = failing(&mut quota, 51, Status::Unavailable);
        assert_eq!((&made[..50], made[50]), (&[3; 50][..], 1));
        // Five successes at the first try buy one retry.
        (0..4).for_each(|_| quota.success(0));
        assert_eq!(quota.retry(Status::Unavailable), None);
        quota.success(0);
        assert_eq!(quota.retry(Status::Unavailable), Some(5000));
    }

    #[test]
    fn m15_retries_after_time_outs_take_twice_as_much() {
        let mut quota = RetryQuota::new(&RetryQuotaSpec::default());
        assert_eq!(failing(&mut quota, 26, Status::Timeout)[24..], [3, 1]);
    }

    #[test]
    fn m16_version_2_1_makes_35_retries_and_keeps_10_tokens() {
        let mut quota =
            RetryQuota::new(&RetryQuotaSpec { retry_takes: 14.0, ..RetryQuotaSpec::default() });
        let made = (0..).map_while(|_| quota.retry(Status::Unavailable)).count();
        assert_eq!((made, quota.milli_tokens()), (35, 10_000));
    }

    #[test]
    fn m13_of_five_calls_one_retry_and_of_four_none() {
        let finagle = RetryQuotaSpec {
            size: 100.0,
            starts_with: Some(0.0),
            success_gives: 0.0,
            call_gives: 1.0,
            refunds: false,
            ..RetryQuotaSpec::default()
        };
        let mut quota = RetryQuota::new(&finagle);
        (0..4).for_each(|_| quota.call());
        assert_eq!(quota.retry(Status::Reset), None);
        quota.call();
        assert_eq!(quota.retry(Status::Reset), Some(5000));
    }

    #[test]
    fn a_success_after_a_retry_gives_back_what_it_took_but_never_more_than_the_size() {
        let mut quota = RetryQuota::new(&RetryQuotaSpec::default());
        let took = quota.retry(Status::Timeout).expect("a full quota");
        quota.success(took);
        assert_eq!(quota.milli_tokens(), 500_000);
        quota.success(0);
        assert_eq!(quota.milli_tokens(), 500_000);
        let mut keeps =
            RetryQuota::new(&RetryQuotaSpec { refunds: false, ..RetryQuotaSpec::default() });
        let took = keeps.retry(Status::Timeout).expect("a full quota");
        keeps.success(took);
        assert_eq!(keeps.milli_tokens(), 491_000);
    }

    #[test]
    fn specs_without_meaning_are_refused() {
        let default = RetryQuotaSpec::default;
        assert_eq!(default().check(), Ok(()));
        assert!(RetryQuotaSpec { size: 4.0, ..default() }.check().unwrap_err().contains("`size`"));
        assert!(RetryQuotaSpec { retry_takes: 0.0, ..default() }.check().is_err());
        assert!(RetryQuotaSpec { call_gives: -1.0, ..default() }.check().is_err());
        assert!(RetryQuotaSpec { size: f64::NAN, ..default() }.check().is_err());
    }
}
