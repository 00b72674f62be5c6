//! The words of circuit breakers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mitigation::statuses::check_failures;
use crate::status::Status;
use crate::units::{MINUTE, SECOND, Share, Span};

/// Refuses calls while too many of the last ones failed or were slow. The defaults are those of
/// Resilience4j.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitBreakerSpec {
    /// The results that count. Default `{count: 100}`.
    pub window: WindowSpec,
    /// Opens when at least this share of the results in the window are failures. Default 50%.
    pub failure_rate: Share,
    /// Opens when at least this share of the results in the window were slow. Default 100%.
    pub slow_call_rate: Share,
    /// A call that takes longer than this is slow. Default 60s.
    pub slow_call_duration: Span,
    /// Rates are looked at from this many results on. Default 100.
    pub minimum_calls: u32,
    /// How long every call is refused after the breaker opened. Default 60s.
    pub open_for: Span,
    /// Calls that pass on trial after that. Default 10.
    pub half_open_calls: u32,
    /// Opens again when the trials have not decided after this long. Default: waits for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_half_open: Option<Span>,
    /// Becomes half-open by itself when `open_for` is over, instead of at the next call.
    pub automatic_half_open: bool,
    /// Statuses that are failures. Default: all that are neither good nor ignored. If given, what
    /// is neither in this list nor ignored counts as success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Status>>,
    /// Statuses that count neither as success nor as failure. Default `client_error` (the
    /// request's own fault) and `cancelled` (nobody waited for it).
    pub ignore: Vec<Status>,
}

impl Default for CircuitBreakerSpec {
    fn default() -> Self {
        Self {
            window: WindowSpec::Count(100),
            failure_rate: Share(0.5),
            slow_call_rate: Share(1.0),
            slow_call_duration: Span(MINUTE),
            minimum_calls: 100,
            open_for: Span(MINUTE),
            half_open_calls: 10,
            max_half_open: None,
            automatic_half_open: false,
            failures: None,
            ignore: vec![Status::ClientError, Status::Cancelled],
        }
    }
}

/// The results that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowSpec {
    /// This many last results.
    Count(u32),
    /// The results of this many whole seconds: the current one and those before it.
    Time(Span),
    /// Failures in a row: one more than this many opens the breaker.
    Consecutive(u32),
}

/// Largest window by count: one byte for each result in each breaker.
const LARGEST_COUNT: u32 = 1_000_000;
/// Longest window by time, in seconds: one counter for each second in each breaker.
const LONGEST_SECONDS: u64 = 24 * 3600;

impl CircuitBreakerSpec {
    /// Refuses empty windows, thresholds that always trip, and trials that cannot decide.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        match self.window {
            WindowSpec::Count(0) => return Err("a window of 0 results never opens".to_owned()),
            WindowSpec::Count(n) if n > LARGEST_COUNT => {
                return Err(format!("a window counts at most {LARGEST_COUNT} results"));
            }
            WindowSpec::Time(Span(span)) if span == 0 || !span.is_multiple_of(SECOND) => {
                return Err("a window in time is a whole number of seconds, at least 1s".to_owned());
            }
            WindowSpec::Time(Span(span)) if span / SECOND > LONGEST_SECONDS => {
                return Err("a window in time is at most 24h".to_owned());
            }
            _ => {}
        }
        if self.failure_rate.0 <= 0.0 || self.slow_call_rate.0 <= 0.0 {
            return Err("a rate of 0% opens the breaker at every result; write more than 0%".into());
        }
        if self.minimum_calls == 0 || self.half_open_calls == 0 {
            return Err("`minimum_calls` and `half_open_calls` are at least 1".to_owned());
        }
        if self.max_half_open == Some(Span(0)) {
            return Err("`max_half_open` is more than 0s; leave it out to wait for ever".to_owned());
        }
        self.failures.as_deref().map_or(Ok(()), |list| check_failures("failures", list))
    }
}
