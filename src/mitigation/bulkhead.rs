//! A cap on calls in progress.
//!
//! Source: reference on resilience mechanisms, A6.4 and A8; Envoy `circuit_breaker.proto`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Help for `bulkhead`.
pub const EXPLAIN: &str = "\
Lets at most `limit` calls be in progress through this layer; the next is refused at once with
`local_reject` and touches no network. A call occupies its place until its outcome comes back
through the layer.

Source: Envoy's max_requests (its \"circuit breakers\" are such caps): admit while current < limit;
Resilience4j's Bulkhead with maxWaitDuration 0 and Hystrix's semaphore isolation do the same.
Default 25 (Resilience4j); Envoy has 1024, Hystrix 10.

```yaml
- bulkhead: {limit: 25}
```

Traps: every process has its own limit, so N callers let N x limit through. When a call times out
its place is free while the callee still works, so that more than `limit` can run there. A limit
below rate x p99 latency refuses healthy traffic (Little's law).
";

/// Refuses calls while `limit` are in progress through this layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BulkheadSpec {
    /// Most calls in progress. Default 25.
    pub limit: u32,
}

impl Default for BulkheadSpec {
    fn default() -> Self {
        Self { limit: 25 }
    }
}

impl BulkheadSpec {
    /// Refuses a limit of 0.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        match self.limit {
            0 => Err("a bulkhead with `limit` 0 lets nothing through; write at least 1".to_owned()),
            _ => Ok(()),
        }
    }
}

/// The calls in progress through one bulkhead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulkhead {
    limit: u32,
    inside: u32,
}

impl Bulkhead {
    /// An empty bulkhead.
    #[must_use]
    pub fn new(spec: &BulkheadSpec) -> Self {
        Self { limit: spec.limit, inside: 0 }
    }

    /// Takes a place, or says no. After a yes, [`Bulkhead::leave`] is due once.
    #[inline]
    #[must_use]
    pub fn enter(&mut self) -> bool {
        let free = self.inside < self.limit;
        self.inside += u32::from(free);
        free
    }

    /// Gives a place back.
    #[inline]
    pub fn leave(&mut self) {
        debug_assert!(self.inside > 0, "leave without enter");
        self.inside = self.inside.saturating_sub(1);
    }

    /// Calls in progress.
    #[must_use]
    pub fn inside(&self) -> u32 {
        self.inside
    }
}

impl super::Layer for Bulkhead {
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        *cx.memo = u32::from(self.enter());
        match *cx.memo {
            1 => super::Ask::Pass,
            _ => super::Ask::Answer(crate::status::Status::LocalReject),
        }
    }

    fn told(&mut self, cx: &mut super::Context, _: crate::status::Status) -> super::Told {
        self.forgotten(*cx.memo);
        *cx.memo = 0;
        super::Told::Deliver
    }

    fn forgotten(&mut self, memo: u32) {
        if memo == 1 {
            self.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m10_five_of_eight_simultaneous_calls_enter_a_bulkhead_of_five() {
        let mut bulkhead = Bulkhead::new(&BulkheadSpec { limit: 5 });
        let entered: Vec<bool> = (0..8).map(|_| bulkhead.enter()).collect();
        assert_eq!(entered, [true, true, true, true, true, false, false, false]);
        assert_eq!(bulkhead.inside(), 5);
    }

    #[test]
    fn a_place_given_back_can_be_taken_again() {
        let mut bulkhead = Bulkhead::new(&BulkheadSpec { limit: 1 });
        assert!(bulkhead.enter() && !bulkhead.enter());
        bulkhead.leave();
        assert!(bulkhead.enter());
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        assert!(BulkheadSpec { limit: 0 }.check().is_err());
        assert_eq!(BulkheadSpec::default().check(), Ok(()));
    }
}
