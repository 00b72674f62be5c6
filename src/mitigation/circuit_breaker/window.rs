//! The results that a closed breaker looks at.

use super::WindowSpec;
use crate::mitigation::Nanos;
use crate::units::SECOND;

/// Sums over results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub total: u32,
    pub failed: u32,
    pub slow: u32,
}

impl Counts {
    pub fn add(&mut self, failed: bool, slow: bool) {
        self.total += 1;
        self.failed += u32::from(failed);
        self.slow += u32::from(slow);
    }

    fn subtract(&mut self, old: Counts) {
        self.total -= old.total;
        self.failed -= old.failed;
        self.slow -= old.slow;
    }
}

/// What a window shows after a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The sums over the window.
    Rates(Counts),
    /// The failures in a row up to now, and how many are tolerated.
    Row { failures: u32, tolerated: u32 },
}

/// The shapes of a window. All memory is taken when the window is made.
#[derive(Debug, Clone)]
pub(super) enum Window {
    /// Ring of the last results, as Resilience4j's `FixedSizeSlidingWindowMetrics`.
    Count { ring: Box<[(bool, bool)]>, next: usize, sum: Counts },
    /// Ring of whole seconds, as Resilience4j's `SlidingTimeWindowMetrics`: the second `s` is in
    /// place `s` modulo the length, `newest` is the last second that was looked at.
    Time { ring: Box<[Counts]>, newest: u64, sum: Counts },
    /// Failures in a row, and how many are still tolerated.
    Consecutive { row: u32, tolerated: u32 },
}

impl Window {
    pub fn new(spec: WindowSpec) -> Self {
        let sum = Counts::default();
        match spec {
            WindowSpec::Count(n) => {
                let ring = vec![(false, false); n.max(1) as usize].into();
                Self::Count { ring, next: 0, sum }
            }
            WindowSpec::Time(span) => {
                let ring = vec![sum; (span.0 / SECOND).max(1) as usize].into();
                Self::Time { ring, newest: 0, sum }
            }
            WindowSpec::Consecutive(tolerated) => Self::Consecutive { row: 0, tolerated },
        }
    }

    /// Forgets all results.
    pub fn clear(&mut self) {
        match self {
            Self::Count { next, sum, .. } => (*next, *sum) = (0, Counts::default()),
            Self::Time { ring, sum, .. } => {
                ring.fill(Counts::default());
                *sum = Counts::default();
            }
            Self::Consecutive { row, .. } => *row = 0,
        }
    }

    /// What it shows at present.
    pub fn seen(&self) -> Seen {
        match self {
            Self::Count { sum, .. } | Self::Time { sum, .. } => Seen::Rates(*sum),
            Self::Consecutive { row, tolerated } => {
                Seen::Row { failures: *row, tolerated: *tolerated }
            }
        }
    }

    /// Adds a result at `now`.
    pub fn record(&mut self, now: Nanos, failed: bool, slow: bool) -> Seen {
        match self {
            Self::Count { ring, next, sum } => {
                if sum.total as usize == ring.len() {
                    let mut old = Counts::default();
                    old.add(ring[*next].0, ring[*next].1);
                    sum.subtract(old);
                }
                ring[*next] = (failed, slow);
                *next = (*next + 1) % ring.len();
                sum.add(failed, slow);
                Seen::Rates(*sum)
            }
            Self::Time { ring, newest, sum } => {
                let length = ring.len() as u64;
                let second = now / SECOND;
                // Empties the places of the seconds since the newest, each at most once.
                let passed = second.saturating_sub(*newest).min(length);
                for gone in second - passed + 1..=second {
                    sum.subtract(std::mem::take(&mut ring[(gone % length) as usize]));
                }
                *newest = second.max(*newest);
                ring[(second % length) as usize].add(failed, slow);
                sum.add(failed, slow);
                Seen::Rates(*sum)
            }
            Self::Consecutive { row, tolerated } => {
                *row = if failed { row.saturating_add(1) } else { 0 };
                Seen::Row { failures: *row, tolerated: *tolerated }
            }
        }
    }
}
