//! How many requests are present, wait and are served, and for how long.

use crate::units::Nanos;

/// Levels of a component and their integrals over time, in level x nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Levels {
    /// Requests present, requests waiting, workers in use.
    now: [u32; 3],
    /// The integrals go up to here.
    since: Nanos,
    areas: [u128; 3],
}

/// One of the [`Levels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelOf {
    /// Requests present.
    Present,
    /// Requests waiting.
    Waiting,
    /// Workers in use.
    Busy,
}

impl Levels {
    /// Time has passed at the present levels.
    #[inline(always)]
    pub(super) fn pass(&mut self, now: Nanos) {
        let span = u128::from(now - self.since);
        if span > 0 {
            for (area, level) in self.areas.iter_mut().zip(self.now) {
                *area += u128::from(level) * span;
            }
            self.since = now;
        }
    }

    #[inline(always)]
    pub(super) fn change(&mut self, now: Nanos, which: LevelOf, by: i32) {
        self.pass(now);
        let level = &mut self.now[which as usize];
        *level = level.wrapping_add_signed(by);
        debug_assert!(*level < 1 << 31, "a level below zero");
    }

    /// A present level.
    #[inline]
    pub fn level(&self, which: LevelOf) -> u64 {
        u64::from(self.now[which as usize])
    }

    /// The integral of a level up to now, in level x nanoseconds.
    pub fn area(&self, which: LevelOf, now: Nanos) -> u128 {
        let which = which as usize;
        self.areas[which] + u128::from(self.now[which]) * u128::from(now - self.since)
    }

    pub(super) fn restart(&mut self, now: Nanos) {
        (self.areas, self.since) = ([0; 3], now);
    }
}
