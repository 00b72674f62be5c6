//! Randomness by name: every random number is a function of written names and counters.
//!
//! Nothing here reads the environment, and the generators are named and portable: [`Stream`] is
//! PCG-XSL-RR 128/64 (MCG) (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient
//! Statistically Good Algorithms for Random Number Generation"), [`LuckRng`] is SplitMix64 (Steele,
//! Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"). A stream belongs to a
//! (seed, replica, purpose, name), so that adding an entity shifts nobody else's numbers. A
//! request's [`Luck`] belongs to its counters (user, request, attempt, step), so that the variants
//! of one replica share it even when they handle requests in another order: common random numbers.

use rand::TryRng;
use rand::rand_core::utils::fill_bytes_via_next_word;
use rand_pcg::Pcg64Mcg;
use std::convert::Infallible;

/// The increment of SplitMix64: 2⁶⁴ divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64 (David Stafford's thirteenth variant of the MurmurHash3
/// finalizer): a bijection in which every input bit changes every output bit with probability close
/// to one half.
#[inline]
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The upper 53 bits as a number in `[0, 1)`: every multiple of 2⁻⁵³ is equally likely.
#[inline]
pub(crate) fn unit_of(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// The seed of the stream called `name` that serves `purpose` in one replica of a study.
///
/// FNV-1a (64 bits) over the little-endian numbers and the two texts, then the SplitMix64
/// finalizer. The byte 0xff, which UTF-8 never contains, stands between the texts, so that no two
/// pairs of them read the same. This function is part of the file format of golden results:
/// changing it changes every result.
#[must_use]
pub fn seed_of(seed: u64, replica: u64, purpose: &str, name: &str) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let (seed, replica) = (seed.to_le_bytes(), replica.to_le_bytes());
    let bytes = [&seed, &replica, purpose.as_bytes(), &[0xff], name.as_bytes()];
    let eat = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    mix(bytes.into_iter().flatten().fold(OFFSET_BASIS, eat))
}

/// A named sequence of random numbers, for draws whose order is fixed: arrivals of one population,
/// the behaviour of one responder. Implements `rand`'s generator trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream called `name` that serves `purpose` in this replica; see [`seed_of`].
    #[must_use]
    pub fn new(seed: u64, replica: u64, purpose: &str, name: &str) -> Self {
        let hash = seed_of(seed, replica, purpose, name);
        // Two steps of SplitMix64 fill the 128 bits of state; the generator itself makes the state
        // odd.
        let high = mix(hash.wrapping_add(GOLDEN));
        let low = mix(hash.wrapping_add(GOLDEN.wrapping_mul(2)));
        Self(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        rand::Rng::next_u64(&mut self.0)
    }

    /// The next number in `[0, 1)`.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit_of(self.next_u64())
    }
}

impl TryRng for Stream {
    type Error = Infallible;
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }
    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

/// The luck of one thing that happens: a random number found by keys instead of by order.
///
/// `Luck::new(population).at(user).at(request).at(attempt).at(step)` is the same number in every
/// variant of a replica, whatever else happened before. Start from a [`seed_of`] and give every use
/// its own path of keys: two uses of the same path see the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Luck(u64);

impl Luck {
    /// The root of a tree of keys, usually from [`seed_of`].
    #[inline]
    #[must_use]
    pub const fn new(a: u64) -> Self {
        Self(mix(a.wrapping_add(GOLDEN)))
    }

    /// The luck below this one under `key`. Consecutive keys are consecutive outputs of SplitMix64.
    #[inline]
    #[must_use]
    pub const fn at(self, key: u64) -> Self {
        Self(mix(self.0.wrapping_add(GOLDEN.wrapping_mul(key.wrapping_add(1)))))
    }

    /// Its 64 bits: the identity of what happens, for fingerprints.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// This luck as a number in `[0, 1)`.
    #[inline]
    #[must_use]
    pub fn unit(self) -> f64 {
        unit_of(self.0)
    }

    /// A generator for a draw that needs more than one random number. Its numbers are not those of
    /// [`Luck::unit`], nor those of the keys below.
    #[inline]
    #[must_use]
    pub const fn rng(self) -> LuckRng {
        // Without another starting point its outputs would be the lucks under the keys 0, 1, 2, …
        LuckRng(mix(self.0 ^ 0x6a09_e667_f3bc_c908))
    }
}

/// SplitMix64, started from a [`Luck`]: eight bytes of state, made for a handful of numbers.
/// Implements `rand`'s generator trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LuckRng(u64);

impl TryRng for LuckRng {
    type Error = Infallible;
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }
    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(GOLDEN);
        Ok(mix(self.0))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    const N: usize = 200_000;

    /// Fails unless the numbers look uniform and serially uncorrelated: mean, variance,
    /// correlations at the lags 1 to 3, and chi-square over 256 buckets, each within four standard
    /// deviations of theory.
    fn assert_uniform(what: &str, numbers: &[f64]) {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 4.0 * (1.0 / 12.0 / n).sqrt(), "{what}: mean {mean}");
        let variance = numbers.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / n;
        // The variance of (U - 1/2)^2 is 1/180.
        assert!((variance - 1.0 / 12.0).abs() < 4.0 * (1.0 / 180.0 / n).sqrt(), "{what}: variance");
        for lag in 1..=3 {
            let pairs = numbers.iter().zip(&numbers[lag..]);
            let correlation = pairs.map(|(x, y)| (x - 0.5) * (y - 0.5)).sum::<f64>() / n * 12.0;
            assert!(correlation.abs() < 4.0 / n.sqrt(), "{what}: lag {lag}: {correlation}");
        }
        let mut counts = [0_u32; 256];
        numbers.iter().for_each(|x| counts[(x * 256.0) as usize] += 1);
        let expected = n / 256.0;
        let chi2: f64 =
            counts.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum::<f64>();
        assert!((chi2 - 255.0).abs() < 4.0 * (2.0_f64 * 255.0).sqrt(), "{what}: chi-square {chi2}");
    }

    #[test]
    fn seeds_keep_their_golden_values() {
        assert_eq!(seed_of(0, 0, "", ""), 14_831_193_098_203_742_484);
        assert_eq!(seed_of(20_240_710, 3, "arrivals", "players"), 9_883_392_930_944_721_666);
        assert_eq!(Stream::new(1, 2, "arrivals", "players").next_u64(), 6_705_690_211_960_463_236);
        assert_eq!(Luck::new(1).at(2).at(3).rng().next_u64(), 8_871_055_736_711_289_541);
    }

    #[test]
    fn splitmix64_gives_its_published_first_outputs() {
        // Outputs of Vigna's splitmix64.c for the state 1234567.
        let mut rng = LuckRng(1_234_567);
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_part_of_a_name_changes_the_seed() {
        let seeds = [
            seed_of(1, 1, "a", "b"),
            seed_of(2, 1, "a", "b"),
            seed_of(1, 2, "a", "b"),
            seed_of(1, 1, "b", "a"),
            seed_of(1, 1, "ab", ""),
            seed_of(1, 1, "", "ab"),
        ];
        for (i, a) in seeds.iter().enumerate() {
            assert!(seeds[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn a_stream_is_uniform() {
        let mut stream = Stream::new(7, 0, "test", "stream");
        let numbers: Vec<f64> = (0..N).map(|_| stream.unit()).collect();
        assert_uniform("stream", &numbers);
    }

    #[test]
    fn first_numbers_of_consecutive_replicas_are_uniform() {
        let first = |replica| Stream::new(7, replica, "test", "stream").unit();
        assert_uniform("replicas", &(0..N as u64).map(first).collect::<Vec<_>>());
    }

    #[test]
    fn lucks_of_consecutive_keys_are_uniform_on_every_level() {
        let root = Luck::new(42);
        let of = |f: &dyn Fn(u64) -> f64| (0..N as u64).map(f).collect::<Vec<_>>();
        assert_uniform("roots", &of(&|k| Luck::new(k).unit()));
        assert_uniform("keys", &of(&|k| root.at(k).unit()));
        assert_uniform("first keys", &of(&|k| root.at(k).at(0).unit()));
        assert_uniform("second keys", &of(&|k| root.at(k % 500).at(k / 500).unit()));
        assert_uniform("generators", &of(&|k| unit_of(root.at(k).rng().next_u64())));
    }

    #[test]
    fn a_luck_its_generator_and_the_keys_below_are_independent() {
        let root = Luck::new(5);
        let mut rows = Vec::new();
        for k in 0..N as u64 {
            let luck = root.at(k);
            let mut rng = luck.rng();
            let drawn = [unit_of(rng.next_u64()), unit_of(rng.next_u64())];
            rows.push([luck.unit(), luck.at(0).unit(), luck.at(1).unit(), drawn[0], drawn[1]]);
        }
        for i in 0..5 {
            for j in 0..i {
                let covariance = rows.iter().map(|r| (r[i] - 0.5) * (r[j] - 0.5)).sum::<f64>();
                let correlation = covariance / N as f64 * 12.0;
                assert!(correlation.abs() < 4.0 / (N as f64).sqrt(), "{i} {j}: {correlation}");
            }
        }
    }

    #[test]
    fn bytes_are_filled_from_the_same_words() {
        let mut bytes = [0; 12];
        Luck::new(9).rng().fill_bytes(&mut bytes);
        let word = Luck::new(9).rng().next_u64();
        assert_eq!(bytes[..8], word.to_le_bytes());
        assert_ne!(bytes[8..], [0; 4]);
    }
}
