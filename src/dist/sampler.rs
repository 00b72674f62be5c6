//! Drawing from a distribution, with its parameters worked out beforehand.

use super::count::below;
use super::{Branch, Dist, Empirical, Lognormal, Quantity, Uniform, Weibull, finite};
use crate::rng::unit_of;
use crate::units::{Nanos, from_seconds};
use rand::Rng;
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};
use statrs::function::gamma::{gamma, ln_gamma};

/// The 90 % quantile of the standard normal distribution.
const Z90: f64 = 1.281_551_565_544_600_4;

/// Draws from a [`Dist`]; see [`Dist::compile`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler(Kind);

/// Parameters as the draws need them, in base units (seconds, per second, bytes, 1).
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Fixed(f64),
    /// `mean * E`, with `E` exponential of mean 1 (ziggurat; Marsaglia and Tsang 2000).
    Exponential {
        mean: f64,
    },
    /// `exp(mu + sigma * Z)`, with `Z` standard normal (ziggurat).
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    /// Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma Variables".
    Gamma {
        gamma: Gamma<f64>,
        mean: f64,
        cv2: f64,
    },
    /// `scale * E^(1/shape)`: inversion.
    Weibull {
        scale: f64,
        inverse_shape: f64,
    },
    /// `minimum * exp(E/shape)`: inversion.
    Pareto {
        minimum: f64,
        inverse_shape: f64,
    },
    Uniform {
        from: f64,
        width: f64,
    },
    /// Cumulated share and mean of each branch.
    Hyperexponential(Box<[(f64, f64)]>),
    Empirical(Box<[f64]>),
}

impl Sampler {
    /// The sampler of a distribution that has passed its check.
    pub(super) fn new<Q: Quantity>(
        dist: &Dist<Q>,
        read_file: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Self, String> {
        Ok(Self(match dist {
            Dist::Fixed(value) => Kind::Fixed(value.to_f64()),
            Dist::Exponential { mean } => Kind::Exponential { mean: mean.to_f64() },
            Dist::Lognormal(words) => lognormal(words)?,
            Dist::Gamma { mean, cv } => gamma_kind("gamma", mean.to_f64(), cv * cv)?,
            Dist::Weibull(words) => weibull(words)?,
            Dist::Pareto { minimum, shape } => {
                Kind::Pareto { minimum: minimum.to_f64(), inverse_shape: 1.0 / shape }
            }
            Dist::Uniform(Uniform { from, to }) => {
                Kind::Uniform { from: from.to_f64(), width: to.to_f64() - from.to_f64() }
            }
            Dist::Hyperexponential(branches) => hyperexponential(branches),
            Dist::Empirical(words) => Kind::Empirical(values(words, read_file)?),
            // The sum of k exponentials of mean m/k is gamma with shape k, hence cv^2 = 1/k.
            Dist::Erlang { mean, stages } => {
                gamma_kind("erlang", mean.to_f64(), 1.0 / f64::from(*stages))?
            }
        }))
    }

    /// One value in the base unit of the quantity: seconds, per second, bytes, 1.
    #[inline(always)]
    pub fn sample(&self, rng: &mut (impl Rng + ?Sized)) -> f64 {
        match &self.0 {
            Kind::Fixed(value) => *value,
            Kind::Exponential { mean } => mean * exponential(rng),
            Kind::Lognormal { mu, sigma } => {
                let z: f64 = StandardNormal.sample(rng);
                (mu + sigma * z).exp()
            }
            // What few models draw for every request stays out of the code of those who draw.
            Kind::Gamma { gamma, .. } => apart(|| gamma.sample(rng)),
            Kind::Weibull { scale, inverse_shape } => {
                apart(|| scale * exponential(rng).powf(*inverse_shape))
            }
            Kind::Pareto { minimum, inverse_shape } => {
                apart(|| minimum * (exponential(rng) * inverse_shape).exp())
            }
            Kind::Uniform { from, width } => from + width * unit_of(rng.next_u64()),
            Kind::Hyperexponential(branches) => apart(|| {
                let u = unit_of(rng.next_u64());
                // The last cumulated share is infinite, so that one is always found.
                let branch = branches.iter().find(|(cumulated, _)| u < *cumulated);
                branch.map_or(0.0, |(_, mean)| mean * exponential(rng))
            }),
            Kind::Empirical(values) => values[below(rng, values.len() as u64) as usize],
        }
    }

    /// One length of time in nanoseconds, of a distribution of [`crate::units::Span`]. Beyond the
    /// range (heavy tails) it is [`crate::units::NEVER`].
    #[inline(always)]
    pub fn sample_nanos(&self, rng: &mut (impl Rng + ?Sized)) -> Nanos {
        from_seconds(self.sample(rng))
    }

    /// The mean in the base unit; infinite where there is none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Kind::Fixed(value) => *value,
            Kind::Exponential { mean } | Kind::Gamma { mean, .. } => *mean,
            Kind::Lognormal { mu, sigma } => (mu + 0.5 * sigma * sigma).exp(),
            // Johnson, Kotz and Balakrishnan 1994, "Continuous Univariate Distributions", ch. 21.
            Kind::Weibull { scale, inverse_shape } => scale * gamma(1.0 + inverse_shape),
            // The same, ch. 20: minimum * shape/(shape - 1).
            Kind::Pareto { inverse_shape, .. } if *inverse_shape >= 1.0 => f64::INFINITY,
            Kind::Pareto { minimum, inverse_shape } => minimum / (1.0 - inverse_shape),
            Kind::Uniform { from, width } => from + 0.5 * width,
            Kind::Hyperexponential(branches) => moment(branches, |mean| mean),
            Kind::Empirical(values) => values.iter().sum::<f64>() / values.len() as f64,
        }
    }

    /// The squared coefficient of variation, variance divided by squared mean; infinite where
    /// there is none, 0 for a constant.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        let mean = self.mean();
        let of_variance =
            |variance: f64| if variance == 0.0 { 0.0 } else { variance / mean.powi(2) };
        match &self.0 {
            Kind::Fixed(_) => 0.0,
            Kind::Exponential { .. } => 1.0,
            Kind::Lognormal { sigma, .. } => (sigma * sigma).exp_m1(),
            Kind::Gamma { cv2, .. } => *cv2,
            Kind::Weibull { inverse_shape, .. } => {
                // By logarithms, because the gamma function itself overflows for small shapes.
                (ln_gamma(1.0 + 2.0 * inverse_shape) - 2.0 * ln_gamma(1.0 + inverse_shape)).exp_m1()
            }
            Kind::Pareto { inverse_shape, .. } if *inverse_shape >= 0.5 => f64::INFINITY,
            // 1/(shape (shape - 2)).
            Kind::Pareto { inverse_shape, .. } => {
                inverse_shape.powi(2) / (1.0 - 2.0 * inverse_shape)
            }
            Kind::Uniform { width, .. } => of_variance(width * width / 12.0),
            // The second moment of an exponential is twice its squared mean.
            Kind::Hyperexponential(branches) => {
                of_variance(moment(branches, |m| 2.0 * m * m) - mean * mean)
            }
            Kind::Empirical(values) => {
                let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
                of_variance(squares / values.len() as f64)
            }
        }
    }
}

/// Calls a function, whose code is not copied to where it is called.
#[inline(never)]
fn apart<T>(f: impl FnOnce() -> T) -> T {
    f()
}

#[inline]
fn exponential(rng: &mut (impl Rng + ?Sized)) -> f64 {
    Exp1.sample(rng)
}

/// `sigma² = ln(1 + cv²)` and `mu = ln(mean) - sigma²/2`; or `mu = ln(median)` and
/// `sigma = ln(p90/median)/z90`, because `ln(p90) = mu + z90 sigma` (Johnson, Kotz and Balakrishnan
/// 1994, ch. 14).
fn lognormal<Q: Quantity>(words: &Lognormal<Q>) -> Result<Kind, String> {
    let (mu, sigma) = match (words.mean, words.cv, words.median, words.p90) {
        (Some(mean), Some(cv), ..) => {
            let sigma2 = (cv * cv).ln_1p();
            (mean.to_f64().ln() - 0.5 * sigma2, sigma2.sqrt())
        }
        (.., Some(median), Some(p90)) => {
            let (median, p90) = (median.to_f64(), p90.to_f64());
            (median.ln(), (p90 / median).ln() / Z90)
        }
        _ => return Err("lognormal: parameters are missing".to_owned()),
    };
    finite("lognormal: the spread", sigma)?;
    Ok(Kind::Lognormal { mu, sigma })
}

/// Shape `1/cv²` and scale `mean cv²` (Johnson, Kotz and Balakrishnan 1994, ch. 17).
fn gamma_kind(name: &str, mean: f64, cv2: f64) -> Result<Kind, String> {
    if cv2 == 0.0 {
        return Ok(Kind::Fixed(mean));
    }
    let absurd = || format!("{name}: `cv` is too small or too large");
    let (shape, scale) = (1.0 / cv2, mean * cv2);
    if !(shape.is_finite() && scale.is_finite()) {
        return Err(absurd());
    }
    let gamma = Gamma::new(shape, scale).map_err(|_| absurd())?;
    Ok(Kind::Gamma { gamma, mean, cv2 })
}

/// `mean = scale Γ(1 + 1/shape)`.
fn weibull<Q: Quantity>(words: &Weibull<Q>) -> Result<Kind, String> {
    let inverse_shape = 1.0 / words.shape;
    let scale = match (words.mean, words.scale) {
        (Some(mean), _) => mean.to_f64() / gamma(1.0 + inverse_shape),
        (None, Some(scale)) => scale.to_f64(),
        (None, None) => return Err("weibull: parameters are missing".to_owned()),
    };
    if !(scale > 0.0 && inverse_shape.is_finite()) {
        return Err(format!("weibull: `shape` {} is too small", words.shape));
    }
    Ok(Kind::Weibull { scale, inverse_shape })
}

fn hyperexponential<Q: Quantity>(branches: &[Branch<Q>]) -> Kind {
    let mut cumulated = 0.0;
    let mut kinds: Vec<_> = branches
        .iter()
        .filter(|branch| branch.share.0 > 0.0)
        .map(|branch| {
            cumulated += branch.share.0;
            (cumulated, branch.mean.to_f64())
        })
        .collect();
    if let Some(last) = kinds.last_mut() {
        // The shares sum to 1 only up to rounding.
        last.0 = f64::INFINITY;
    }
    Kind::Hyperexponential(kinds.into())
}

/// The mean over the branches of a function of their means.
fn moment(branches: &[(f64, f64)], of_mean: impl Fn(f64) -> f64) -> f64 {
    let mut before = 0.0;
    let mut total = 0.0;
    for (cumulated, mean) in branches {
        let up_to = cumulated.min(1.0);
        total += (up_to - before) * of_mean(*mean);
        before = up_to;
    }
    total
}

fn values<Q: Quantity>(
    words: &Empirical<Q>,
    read_file: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Box<[f64]>, String> {
    let Some(path) = &words.file else {
        let values = words.values.iter().flatten();
        return Ok(values.map(|value| value.to_f64()).collect());
    };
    let mut values = Vec::new();
    for (index, line) in read_file(path)?.lines().enumerate() {
        let text = line.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            let value = Q::parse(text).map_err(|why| format!("{path}:{}: {why}", index + 1))?;
            values.push(value.to_f64());
        }
    }
    if values.is_empty() {
        return Err(format!("{path}: no values; write one in each line"));
    }
    Ok(values.into())
}
