//! Distributions of whole numbers: requests of a visit, attempts, sizes of batches.

use super::{Uniform, ensure, read};
use rand::Rng;
use rand_distr::{Distribution, Exp1};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a count varies: one whole number (`5`) or a distribution by name (`geometric: {mean: 5}`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(!remote, transform = read::also_bare)]
pub enum Count {
    /// Always the same; a bare number means this.
    Fixed(u32),
    /// 1, 2, 3, …: after each there is another one with the same probability.
    Geometric {
        /// The mean, at least 1.
        mean: f64,
    },
    /// Every whole number between two ends, both included, equally likely.
    Uniform(Uniform<u32>),
}

impl Count {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub fn check(&self) -> Result<(), String> {
        match *self {
            Self::Fixed(_) => Ok(()),
            Self::Geometric { mean } => ensure((1.0..=1e9).contains(&mean), || {
                format!("geometric: `mean` must be between 1 and 10⁹, not {mean}")
            }),
            Self::Uniform(Uniform { from, to }) => ensure(from <= to, || {
                format!("uniform: {from} is larger than {to}; write the smaller one first")
            }),
        }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Fixed(count) => f64::from(count),
            Self::Geometric { mean } => mean,
            Self::Uniform(Uniform { from, to }) => 0.5 * (f64::from(from) + f64::from(to)),
        }
    }

    /// What draws from it.
    ///
    /// # Errors
    /// Those of [`Count::check`].
    pub fn compile(&self) -> Result<CountSampler, String> {
        self.check()?;
        Ok(CountSampler(match *self {
            Self::Fixed(count) => Kind::Fixed(count),
            // P(N > n) = (1 - 1/mean)^n, hence N = 1 + floor(E / -ln(1 - 1/mean)) with E
            // exponential of mean 1 (inversion; Devroye 1986, "Non-Uniform Random Variate
            // Generation", X.2). For mean 1 the divisor is infinite and N is 1.
            Self::Geometric { mean } => Kind::Geometric(-1.0 / (-1.0 / mean).ln_1p()),
            Self::Uniform(Uniform { from, to }) => {
                Kind::Uniform { from, count: u64::from(to - from) + 1 }
            }
        }))
    }
}

/// Draws from a [`Count`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountSampler(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Fixed(u32),
    Geometric(f64),
    Uniform { from: u32, count: u64 },
}

impl CountSampler {
    /// One number.
    #[inline]
    pub fn sample(&self, rng: &mut (impl Rng + ?Sized)) -> u32 {
        match self.0 {
            Kind::Fixed(count) => count,
            Kind::Geometric(scale) => {
                let exponential: f64 = Exp1.sample(rng);
                // The cast rounds down and saturates.
                ((exponential * scale) as u32).saturating_add(1)
            }
            Kind::Uniform { from, count } => from + below(rng, count) as u32,
        }
    }
}

/// A whole number below `count`: the upper half of a product (Lemire 2019, "Fast Random Integer
/// Generation in an Interval"), without its rejection step, whose bias is below `count`/2⁶⁴.
#[inline]
pub(super) fn below(rng: &mut (impl Rng + ?Sized), count: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(count)) >> 64) as u64
}
