//! Counts in buckets: [`Histogram`] of lengths of time and [`Sketch`] of any numbers.
//!
//! Both hold integers only, so that the order of recording and merging changes nothing, not even
//! the last bit; both have buckets of fixed places, so that merging loses nothing.

use crate::units::{Nanos, seconds};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Sub-buckets in each octave of a [`Histogram`], as a power of two: 2⁵ = 32.
const SUB_BITS: u32 = 5;
const SUB_BUCKETS: usize = 1 << SUB_BITS;
/// What is shorter than 2¹⁰ ns (about a microsecond) shares the first bucket.
const FIRST_OCTAVE: u32 = 10;
/// What is at least 2⁴⁴ ns (about 4.9 h) shares the last bucket.
const END_OCTAVE: u32 = 44;
const LAST: usize = (END_OCTAVE - FIRST_OCTAVE) as usize * SUB_BUCKETS + 1;

/// A log-linear histogram of lengths of time: 32 equal buckets in each octave between 2¹⁰ and
/// 2⁴⁴ ns, hence at most 3.1 % wide (the layout of HdrHistogram; Tene 2012).
///
/// An empty one holds no buckets; the first record allocates all 1090 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    min: Nanos,
    max: Nanos,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: Vec::new(), count: 0, sum: 0, min: Nanos::MAX, max: 0 }
    }
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[inline]
    fn index(nanos: Nanos) -> usize {
        if nanos < 1 << FIRST_OCTAVE {
            return 0;
        }
        let octave = nanos.ilog2();
        if octave >= END_OCTAVE {
            return LAST;
        }
        // The bits after the leading one choose among the buckets of the octave.
        let sub = (nanos >> (octave - SUB_BITS)) as usize & (SUB_BUCKETS - 1);
        (octave - FIRST_OCTAVE) as usize * SUB_BUCKETS + sub + 1
    }

    /// The smallest length in the bucket, and the smallest beyond it.
    fn bounds(&self, index: usize) -> (Nanos, Nanos) {
        let from = |index: usize| {
            let (octave, sub) = ((index - 1) / SUB_BUCKETS, (index - 1) % SUB_BUCKETS);
            ((SUB_BUCKETS + sub) as u64) << (octave as u32 + FIRST_OCTAVE - SUB_BITS)
        };
        match index {
            0 => (0, 1 << FIRST_OCTAVE),
            LAST => (1 << END_OCTAVE, self.max.saturating_add(1)),
            _ => (from(index), from(index + 1)),
        }
    }

    /// Counts one length of time.
    #[inline(always)]
    pub fn record(&mut self, nanos: Nanos) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; LAST + 1];
        }
        self.buckets[Self::index(nanos)] += 1;
        self.count += 1;
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// Counts everything that the other has counted.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
        } else if other.count > 0 {
            let range = other.range();
            let mine = self.buckets[range.clone()].iter_mut();
            mine.zip(&other.buckets[range]).for_each(|(mine, other)| *mine += other);
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Forgets everything; the buckets stay allocated.
    pub fn clear(&mut self) {
        if self.count > 0 {
            let range = self.range();
            self.buckets[range].fill(0);
        }
        *self = Self { buckets: std::mem::take(&mut self.buckets), ..Self::default() };
    }

    /// The buckets between that of the shortest and that of the longest; there must be some. (A few
    /// of a thousand, as a rule.)
    fn range(&self) -> RangeInclusive<usize> {
        Self::index(self.min)..=Self::index(self.max)
    }

    /// How many lengths were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their exact sum in nanoseconds.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The shortest.
    #[must_use]
    pub fn min(&self) -> Option<Nanos> {
        (self.count > 0).then_some(self.min)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Option<Nanos> {
        (self.count > 0).then_some(self.max)
    }

    /// The exact mean in seconds; NaN if there is none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64 / 1e9
    }

    /// The `q`-quantile (0 to 1) in seconds, interpolated inside its bucket; NaN if nothing was
    /// recorded. Relative error up to the width of a bucket, 3.1 %, between 1 µs and 4.9 h;
    /// the ends (`q` 0 and 1) are exact.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        let rank = q.clamp(0.0, 1.0) * self.count as f64;
        let mut below = 0;
        for index in self.range() {
            let here = self.buckets[index];
            if here > 0 && (below + here) as f64 >= rank {
                let (from, to) = self.bounds(index);
                // No recorded length lies outside of these.
                let (from, to) = (seconds(from.max(self.min)), seconds((to - 1).min(self.max)));
                return from + (to - from) * (rank - below as f64) / here as f64;
            }
            below += here;
        }
        f64::NAN
    }

    /// The share of lengths up to and including `nanos`, interpolated inside its bucket; NaN if
    /// nothing was recorded.
    #[must_use]
    pub fn share_at_most(&self, nanos: Nanos) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        if nanos < self.min {
            return 0.0;
        }
        if nanos >= self.max {
            return 1.0;
        }
        let index = Self::index(nanos);
        let below: u64 = self.buckets[..index].iter().sum();
        let (from, to) = self.bounds(index);
        let (from, to) = (from.max(self.min), to.min(self.max.saturating_add(1)));
        let inside = self.buckets[index] as f64 * (nanos - from + 1) as f64 / (to - from) as f64;
        (below as f64 + inside) / self.count as f64
    }
}

/// Sub-buckets in each octave of a [`Sketch`], as a power of two: 2⁶ = 64.
const SKETCH_BITS: u32 = 6;

/// A quantile sketch of any numbers, negative, zero and positive, with a relative accuracy of 1 %.
///
/// The idea is that of DDSketch (Masson, Rim and Lee 2019, "DDSketch: A Fast and Fully-Mergeable
/// Quantile Sketch with Relative-Error Guarantees"). The buckets are the leading bits of the number
/// itself, 64 equal ones in each octave, instead of its logarithm, so that no mathematical library
/// decides about a bucket. Memory grows with the number of different buckets in use. NaN means "not
/// applicable" and is left out; infinities keep their places at the ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    /// Counts by bucket, in the order of the numbers; see [`Sketch::key`].
    buckets: BTreeMap<i32, u64>,
    count: u64,
    min: f64,
    max: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { buckets: BTreeMap::new(), count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Sketch {
    const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - SKETCH_BITS;

    /// An empty sketch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Exponent and leading mantissa bits; negative for negative numbers, 0 for zero (and for the
    /// subnormal numbers, below 2.3e-308).
    fn key(value: f64) -> i32 {
        if value.abs() < f64::MIN_POSITIVE {
            return 0;
        }
        // The exponent has 11 bits: this has 17.
        let key = (value.abs().to_bits() >> Self::SHIFT) as i32;
        if value < 0.0 { -key } else { key }
    }

    /// The middle of a bucket: off by at most half of its width, 1/128 of its smallest number.
    fn middle(&self, key: i32) -> f64 {
        let from = |key: i32| f64::from_bits(u64::from(key.unsigned_abs()) << Self::SHIFT);
        let (near, far) = (from(key), from(key.saturating_add(key.signum())));
        let size = match (key, near.is_finite(), far.is_finite()) {
            (0, ..) => 0.0,
            (_, false, _) => f64::INFINITY,
            // The bucket of the largest finite numbers.
            (_, true, false) => near,
            _ => near + 0.5 * (far - near),
        };
        let value = if key < 0 { -size } else { size };
        value.clamp(self.min, self.max)
    }

    /// Counts one number; NaN is left out.
    pub fn record(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        *self.buckets.entry(Self::key(value)).or_insert(0) += 1;
        self.count += 1;
        // Adding 0 turns -0 into 0: which of the two came first must not matter.
        self.min = self.min.min(value + 0.0);
        self.max = self.max.max(value + 0.0);
    }

    /// Counts everything that the other has counted.
    pub fn merge(&mut self, other: &Self) {
        for (key, count) in &other.buckets {
            *self.buckets.entry(*key).or_insert(0) += count;
        }
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many numbers were recorded, without NaN.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest number, exact.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest number, exact.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The number of this rank (from 0), up to the width of its bucket.
    fn ranked(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for (key, count) in &self.buckets {
            seen += count;
            if seen > rank {
                return self.middle(*key);
            }
        }
        self.max
    }

    /// The `q`-quantile (0 to 1), interpolated linearly between the two ranks beside `q (n - 1)`
    /// (type 7 of Hyndman and Fan 1996); each of the two is within 1 %. The ends (`q` 0 and 1) are
    /// exact. NaN if nothing was recorded.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        let position = q.clamp(0.0, 1.0) * (self.count - 1) as f64;
        let (rank, part) = (position.floor() as u64, position.fract());
        match rank {
            0 if part == 0.0 => self.min,
            _ if rank + 1 >= self.count => self.max,
            _ if part == 0.0 => self.ranked(rank),
            _ => {
                let (lower, upper) = (self.ranked(rank), self.ranked(rank + 1));
                // Equal infinities have no difference.
                if lower == upper { lower } else { lower + (upper - lower) * part }
            }
        }
    }
}

#[cfg(test)]
mod tests;
