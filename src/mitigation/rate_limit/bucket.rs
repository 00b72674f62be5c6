//! The states of the limiters.

use std::collections::VecDeque;

use crate::mitigation::Nanos;
use crate::units::{NEVER, Rate, Span};

/// The state of one limiter; it begins as if no request had come for ever.
#[derive(Debug, Clone)]
pub struct Bucket(State);

#[derive(Debug, Clone)]
enum State {
    /// Level and capacity in [`GRAINS`] of a token; `refill` grains come each nanosecond.
    Tokens { level: u128, capacity: u128, refill: u64, last: Nanos },
    /// `used` of `limit` in the window with number `index`.
    Window { limit: u32, length: Nanos, index: u64, used: u32 },
    /// Admitted requests in order: when, and how many.
    Log { limit: u32, length: Nanos, used: u32, log: VecDeque<(Nanos, u32)> },
}

/// A token in grains. One grain per nanosecond is a thousandth of a token per day, so rates written
/// per second, minute, hour or day with up to three decimals are whole numbers of grains per
/// nanosecond, and levels are exact for ever. Other rates are rounded to the nearest such rate.
const GRAINS: u128 = 86_400 * 1_000 * 1_000_000_000;

impl Bucket {
    /// A full bucket of `capacity` tokens that refills with `rate`.
    pub(super) fn tokens(rate: Rate, capacity: u64) -> Self {
        // At least one grain: a positive rate does not become none.
        let refill = ((rate.0 * 86_400_000.0).round() as u64).max(1);
        let capacity = u128::from(capacity) * GRAINS;
        Self(State::Tokens { level: capacity, capacity, refill, last: 0 })
    }

    pub(super) fn fixed_window(limit: u32, window: Span) -> Self {
        Self(State::Window { limit, length: window.0.max(1), index: 0, used: 0 })
    }

    pub(super) fn sliding_log(limit: u32, window: Span) -> Self {
        Self(State::Log { limit, length: window.0.max(1), used: 0, log: VecDeque::new() })
    }

    /// A request of `cost` (1 for an ordinary one) comes at `now`, not before earlier ones. A
    /// refused request leaves no trace. The sliding log allocates until it has met its limit once.
    ///
    /// # Errors
    /// Refused: the time in nanoseconds after which it would pass if nothing else came,
    /// [`NEVER`] if it costs more than the limiter can ever give.
    pub fn admit(&mut self, now: Nanos, cost: u32) -> Result<(), Nanos> {
        match &mut self.0 {
            State::Tokens { level, capacity, refill, last } => {
                let gained = u128::from(now.saturating_sub(*last)) * u128::from(*refill);
                *level = level.saturating_add(gained).min(*capacity);
                *last = now.max(*last);
                let need = u128::from(cost) * GRAINS;
                if need > *capacity {
                    return Err(NEVER);
                }
                match level.checked_sub(need) {
                    Some(rest) => *level = rest,
                    None => return Err(wait((need - *level).div_ceil(u128::from(*refill)))),
                }
                Ok(())
            }
            State::Window { limit, length, index, used } => {
                let current = (now / *length).max(*index);
                if current > *index {
                    (*index, *used) = (current, 0);
                }
                if cost > *limit {
                    return Err(NEVER);
                }
                if cost > *limit - *used {
                    let next = (u128::from(current) + 1) * u128::from(*length);
                    return Err(wait(next - u128::from(now)));
                }
                *used += cost;
                Ok(())
            }
            State::Log { limit, length, used, log } => {
                // Counted are the entries in (now - length, now].
                while let Some((at, old)) = log.front().copied()
                    && at.saturating_add(*length) <= now
                {
                    *used -= old;
                    log.pop_front();
                }
                if cost > *limit {
                    return Err(NEVER);
                }
                if cost <= *limit - *used {
                    *used += cost;
                    log.push_back((now, cost));
                    return Ok(());
                }
                // It passes when enough of the oldest entries have left.
                let mut left = *used;
                for (at, old) in log.iter() {
                    left -= old;
                    if cost <= *limit - left {
                        return Err(at.saturating_add(*length) - now);
                    }
                }
                Err(NEVER)
            }
        }
    }
}

fn wait(nanos: u128) -> Nanos {
    Nanos::try_from(nanos).unwrap_or(NEVER)
}
