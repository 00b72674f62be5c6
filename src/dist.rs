//! Distributions: what a file says ([`Dist`], [`Count`]) and what draws from it ([`Sampler`]).
//!
//! Each is written by the parameters that can be read off a dashboard, a mean, a median, a 90th
//! percentile, a coefficient of variation `cv` (standard deviation divided by mean), and turned
//! into its textbook parameters once, when the model is compiled.

mod count;
mod read;
mod sampler;

pub use count::{Count, CountSampler};
pub use sampler::Sampler;

use crate::units::{self, Bytes, Factor, Rate, Share, Span};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::{Debug, Display};

/// A quantity that can be drawn from a distribution.
pub trait Quantity:
    Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned + JsonSchema + 'static
{
    /// The value in its base unit: seconds, per second, bytes, 1.
    fn to_f64(self) -> f64;

    /// The quantity nearest to a value in the base unit: what lies outside of the range (a negative
    /// length of time, a share above 100 %) becomes the end of the range.
    fn from_f64(value: f64) -> Self;

    /// Reads the text of one value.
    ///
    /// # Errors
    /// What is wrong with the text, for a person.
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! quantity {
    ($quantity:ty, $to:expr, $from:expr) => {
        impl Quantity for $quantity {
            #[inline]
            fn to_f64(self) -> f64 {
                ($to)(self)
            }
            #[inline]
            fn from_f64(value: f64) -> Self {
                ($from)(value)
            }
            fn parse(text: &str) -> Result<Self, String> {
                text.parse()
            }
        }
    };
}

quantity!(Span, |x: Span| units::seconds(x.0), |x| Span(units::from_seconds(x)));
quantity!(Rate, |x: Rate| x.0, |x: f64| Rate(x.max(0.0)));
quantity!(Bytes, |x: Bytes| x.0 as f64, |x: f64| Bytes(x.round() as u64));
// `max` turns NaN into 0, `clamp` alone would keep it.
quantity!(Share, |x: Share| x.0, |x: f64| Share(x.max(0.0).clamp(0.0, 1.0)));
quantity!(Factor, |x: Factor| x.0, |x: f64| Factor(x.max(f64::MIN_POSITIVE)));

impl Quantity for f64 {
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline]
    fn from_f64(value: f64) -> Self {
        value
    }
    fn parse(text: &str) -> Result<Self, String> {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| format!("`{text}` is not a number; write for example `1.5`"))
    }
}

/// How a quantity varies from one occasion to the next: one value (`5ms`) or a distribution by name
/// (`exponential: {mean: 5ms}`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
#[serde(bound = "Q: Quantity")]
#[schemars(!remote, transform = read::also_bare)]
pub enum Dist<Q: Quantity> {
    /// Always the same value; a bare quantity means this.
    Fixed(Q),
    /// Memoryless: many small independent causes; cv is 1.
    Exponential {
        /// The mean.
        mean: Q,
    },
    /// Skewed to the right, the usual choice for times of work and of people.
    Lognormal(Lognormal<Q>),
    /// Skewed to the right with an exponential tail.
    Gamma {
        /// The mean.
        mean: Q,
        /// Coefficient of variation: standard deviation divided by mean.
        cv: f64,
    },
    /// Times to failure: shape below 1 fails early, above 1 wears out, 1 is exponential.
    Weibull(Weibull<Q>),
    /// A power-law tail: rare values dominate. No finite mean for a shape up to 1, no finite
    /// variance up to 2.
    Pareto {
        /// The smallest value.
        minimum: Q,
        /// The tail index, greater than 0; smaller is heavier.
        shape: f64,
    },
    /// Every value between two ends equally likely.
    Uniform(Uniform<Q>),
    /// One of several exponential distributions, each with its share; cv is at least 1. The shares
    /// sum to 100 %.
    Hyperexponential(Vec<Branch<Q>>),
    /// Drawn from observed values, each equally likely (no interpolation between them).
    Empirical(Empirical<Q>),
    /// The sum of equal exponential stages; cv is 1/sqrt(stages).
    Erlang {
        /// The mean of the sum.
        mean: Q,
        /// The number of stages, at least 1.
        stages: u32,
    },
}

/// Lognormal: the logarithm is normal with mean `mu` and standard deviation `sigma`. Either `mean`
/// and `cv`, or `median` and `p90`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "Q: Quantity")]
pub struct Lognormal<Q: Quantity> {
    /// The mean, together with `cv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Q>,
    /// Coefficient of variation: standard deviation divided by mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cv: Option<f64>,
    /// The median, together with `p90`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<Q>,
    /// The 90th percentile: one value in ten is larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<Q>,
}

/// Weibull by its shape and either its `mean` or its `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "Q: Quantity")]
pub struct Weibull<Q: Quantity> {
    /// The mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Q>,
    /// The scale: 63.2 % of the values are smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Q>,
    /// The shape, greater than 0.
    pub shape: f64,
}

/// The two ends of a uniform distribution: `[1ms, 5ms]` or `{from: 1ms, to: 5ms}`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote, transform = read::also_pair)]
pub struct Uniform<T> {
    /// The smallest value.
    pub from: T,
    /// The largest value.
    pub to: T,
}

/// One of the exponential distributions of a hyperexponential one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "Q: Quantity")]
pub struct Branch<Q: Quantity> {
    /// How often it is this one.
    pub share: Share,
    /// Its mean.
    pub mean: Q,
}

/// Observed values, in a file or here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "Q: Quantity")]
pub struct Empirical<Q: Quantity> {
    /// A text file with one value (with its unit) in each line; `#` starts a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The values themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Q>>,
}

impl<Q: Quantity> Dist<Q> {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// What is wrong and what to write instead, for a person.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Fixed(value) => finite("fixed", *value),
            Self::Exponential { mean } => positive("exponential: `mean`", *mean),
            Self::Lognormal(words) => words.check(),
            Self::Gamma { mean, cv } => {
                positive("gamma: `mean`", *mean)?;
                variation("gamma", *cv)
            }
            Self::Weibull(words) => words.check(),
            Self::Pareto { minimum, shape } => {
                positive("pareto: `minimum`", *minimum)?;
                positive("pareto: `shape`", *shape)
            }
            Self::Uniform(Uniform { from, to }) => {
                finite("uniform: `from`", *from)?;
                finite("uniform: `to`", *to)?;
                ensure(from.to_f64() <= to.to_f64(), || {
                    format!("uniform: {from} is larger than {to}; write the smaller one first")
                })
            }
            Self::Hyperexponential(branches) => check_branches(branches),
            Self::Empirical(words) => words.check(),
            Self::Erlang { mean, stages } => {
                positive("erlang: `mean`", *mean)?;
                ensure(*stages >= 1, || "erlang: `stages` must be at least 1".to_owned())
            }
        }
    }

    /// The mean in the base unit; infinite where there is none (pareto with a shape up to 1), NaN
    /// if the values are in a file or the parameters make no sense.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.without_files().map_or(f64::NAN, |sampler| sampler.mean())
    }

    /// The squared coefficient of variation, variance divided by squared mean; infinite where there
    /// is none (pareto with a shape up to 2), NaN if the values are in a file or the parameters
    /// make no sense.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        self.without_files().map_or(f64::NAN, |sampler| sampler.cv2())
    }

    /// What draws from it. Files named by the distribution are read through `read_file`.
    ///
    /// # Errors
    /// Those of [`Dist::check`], those of `read_file`, and lines of the file that are no value.
    pub fn compile(
        &self,
        read_file: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Sampler, String> {
        self.check()?;
        Sampler::new(self, read_file)
    }

    fn without_files(&self) -> Result<Sampler, String> {
        self.compile(&mut |path| Err(format!("`{path}` is not read here")))
    }
}

impl<Q: Quantity> Lognormal<Q> {
    fn check(&self) -> Result<(), String> {
        match (self.mean, self.cv, self.median, self.p90) {
            (Some(mean), Some(cv), None, None) => {
                positive("lognormal: `mean`", mean)?;
                variation("lognormal", cv)
            }
            (None, None, Some(median), Some(p90)) => {
                positive("lognormal: `median`", median)?;
                finite("lognormal: `p90`", p90)?;
                ensure(p90.to_f64() >= median.to_f64(), || {
                    format!("lognormal: `p90` ({p90}) is smaller than `median` ({median})")
                })
            }
            _ => Err("lognormal: write either `mean` and `cv`, or `median` and `p90`".to_owned()),
        }
    }
}

impl<Q: Quantity> Weibull<Q> {
    fn check(&self) -> Result<(), String> {
        positive("weibull: `shape`", self.shape)?;
        match (self.mean, self.scale) {
            (Some(mean), None) => positive("weibull: `mean`", mean),
            (None, Some(scale)) => positive("weibull: `scale`", scale),
            _ => Err("weibull: write `shape` and either `mean` or `scale`".to_owned()),
        }
    }
}

impl<Q: Quantity> Empirical<Q> {
    fn check(&self) -> Result<(), String> {
        match (&self.file, &self.values) {
            (Some(_), None) => Ok(()),
            (None, Some(values)) => {
                ensure(!values.is_empty(), || "empirical: no values".to_owned())?;
                values.iter().try_for_each(|value| finite("empirical", *value))
            }
            _ => Err("empirical: write either `file` or `values`".to_owned()),
        }
    }
}

fn check_branches<Q: Quantity>(branches: &[Branch<Q>]) -> Result<(), String> {
    for branch in branches {
        positive("hyperexponential: `mean`", branch.mean)?;
    }
    let total: f64 = branches.iter().map(|branch| branch.share.0).sum();
    ensure((total - 1.0).abs() <= 1e-9, || {
        format!("hyperexponential: the shares sum to {}, not to 100%", Share(total))
    })
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

fn finite<Q: Quantity>(what: &str, value: Q) -> Result<(), String> {
    ensure(value.to_f64().is_finite(), || format!("{what} must be finite, not {value}"))
}

fn positive<Q: Quantity>(what: &str, value: Q) -> Result<(), String> {
    finite(what, value)?;
    ensure(value.to_f64() > 0.0, || format!("{what} must be greater than 0, not {value}"))
}

fn variation(name: &str, cv: f64) -> Result<(), String> {
    ensure(cv >= 0.0 && cv.is_finite(), || format!("{name}: `cv` must be 0 or more, not {cv}"))
}

#[cfg(test)]
mod tests;
