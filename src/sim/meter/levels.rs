//! How many requests are present, wait and are served, and for how long.

use crate::units::Nanos;

/// Levels of a component and their integrals over time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Levels([Level; 3]);

/// A level, and its integral over time up to its last change.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// In level x nanoseconds. 64 bits would be full after 213 days of 1,000 requests.
    area: u128,
    since: Nanos,
    now: u32,
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

impl Level {
    #[inline(always)]
    fn area(&self, now: Nanos) -> u128 {
        self.area + u128::from(self.now) * u128::from(now - self.since)
    }
}

impl Levels {
    #[inline(always)]
    pub(super) fn change(&mut self, now: Nanos, which: LevelOf, by: i32) {
        let level = &mut self.0[which as usize];
        level.area = level.area(now);
        level.since = now;
        level.now = level.now.wrapping_add_signed(by);
        debug_assert!(level.now < 1 << 31, "a level below zero");
    }

    /// A present level.
    #[inline]
    pub fn level(&self, which: LevelOf) -> u64 {
        u64::from(self.0[which as usize].now)
    }

    /// The integral of a level up to now, in level x nanoseconds.
    pub fn area(&self, which: LevelOf, now: Nanos) -> u128 {
        self.0[which as usize].area(now)
    }

    pub(super) fn restart(&mut self, now: Nanos) {
        for level in &mut self.0 {
            (level.area, level.since) = (0, now);
        }
    }
}
