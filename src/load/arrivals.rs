//! When requests (or visits) come.
//!
//! Every open stream draws a sequence of *unit gaps* (exponential with mean 1 for Poisson, exactly
//! 1 for constant) and spends them on the integral of its rate. A change of the rate therefore
//! moves only the arrivals after it, and two variants of one replica see the same arrivals until
//! the change.

use crate::dist::Dist;
use crate::units::{Rate, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When requests or visits come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Independent of each other: exponential gaps.
    Poisson {
        /// The mean number per second.
        rate: Rate,
    },
    /// Evenly spaced; the first one comes after one gap, or after `first`.
    Constant {
        /// The number per second.
        rate: Rate,
        /// When the first one comes.
        first: Option<Span>,
    },
    /// Poisson with a rate that runs piecewise linearly through the points, and stays at the last
    /// one.
    Profile {
        /// Pairs of time and rate: `[[0s, 2/s], [1h, 8/s]]`.
        points: Vec<(Span, Rate)>,
        /// Start again after this time; every period looks alike.
        repeat_every: Option<Span>,
        /// `yes`: evenly spaced in the integral of the rate instead of Poisson.
        #[serde(default)]
        evenly: bool,
    },
    /// Poisson with a rate that swings: `mean + amplitude * sin(2 pi (t / period + phase))`.
    Sinusoid {
        /// The mean rate.
        mean: Rate,
        /// By how much it rises and falls; at most the mean.
        amplitude: Rate,
        /// From one peak to the next.
        period: Span,
        /// The share of a period that is over at time 0. At 0 % the rate is its mean and rises; at
        /// 25 % it is at its peak. The default is 0 %.
        #[serde(default)]
        phase: Share,
    },
    /// At given times.
    At(Vec<Span>),
    /// Many at one moment: a thundering herd, or the work that is there when the run begins.
    Burst {
        /// How many.
        requests: u32,
        /// When. The default is the beginning of the run.
        #[serde(default)]
        at: Span,
    },
    /// Closed loop: so many users who each send, wait for the answer, think, and send again.
    Closed {
        /// The number of users.
        population: u32,
        /// Time between an answer and the next request.
        thinking: Dist<Span>,
        /// What the users do when the run begins. The default is `thinking`.
        #[serde(default)]
        begin: Begin,
    },
}

/// What the users of a closed population do when the run begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// They think; the first request of each comes after one such time.
    #[default]
    Thinking,
    /// They all send at once.
    AtOnce,
}

/// One stretch on which the rate is linear: from `start` on, `rate + slope * (t - start)`, in
/// seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Where the stretch begins, in seconds.
    pub start: f64,
    /// Rate per second at its beginning.
    pub rate: f64,
    /// Rate per second that is added each second.
    pub slope: f64,
}

/// A rate that swings: `mean + amplitude * sin(turn * t + phase)`, with 0 <= amplitude <= mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// Mean rate per second.
    pub mean: f64,
    /// Amplitude, per second.
    pub amplitude: f64,
    /// Angular frequency: 2 pi over the period, per second.
    pub turn: f64,
    /// Angle at time 0.
    pub phase: f64,
}

impl Wave {
    /// The integral of the rate over `x` seconds from a time on. The difference of two cosines is
    /// written as a product, which does not cancel.
    fn integral(&self, from: f64, x: f64) -> f64 {
        let half = self.turn * x / 2.0;
        let middle = (self.phase + self.turn * from).rem_euclid(std::f64::consts::TAU) + half;
        self.mean * x + 2.0 * self.amplitude / self.turn * middle.sin() * half.sin()
    }

    /// After how many seconds from a time on `hazard` has been spent: Newton's method, kept inside
    /// a bracket that bisection narrows where it would leave it. The integral never falls.
    fn spend(&self, from: f64, hazard: f64) -> Option<f64> {
        if self.mean <= 0.0 {
            return None;
        }
        let most = 2.0 * self.amplitude / self.turn;
        let mut low = ((hazard - most) / self.mean).max(0.0);
        let mut high = (hazard + most) / self.mean;
        let mut x = hazard / self.mean;
        for _ in 0..100 {
            let over = self.integral(from, x) - hazard;
            if over.abs() <= 1e-12 * (1.0 + hazard) {
                break;
            }
            if over > 0.0 {
                high = x
            } else {
                low = x
            }
            let angle = self.phase + self.turn * (from + x);
            let next = x - over / (self.mean + self.amplitude * angle.sin());
            x = if next > low && next < high { next } else { (low + high) / 2.0 };
        }
        Some(x)
    }
}

/// The rate of a stream over time, before changes multiply it.
#[derive(Debug, Clone, PartialEq)]
pub struct RateCurve {
    /// At least one stretch, the first at 0; not used by a wave.
    pub stretches: Vec<Stretch>,
    /// Length of a period in seconds; infinite when it does not repeat.
    pub period: f64,
    /// A rate that swings, in place of the stretches.
    pub wave: Option<Wave>,
}

impl RateCurve {
    /// The same rate at all times.
    pub fn constant(rate: f64) -> RateCurve {
        RateCurve {
            stretches: vec![Stretch { start: 0.0, rate, slope: 0.0 }],
            period: f64::INFINITY,
            wave: None,
        }
    }

    /// A rate that swings.
    pub fn wave(wave: Wave) -> RateCurve {
        RateCurve { wave: Some(wave), ..RateCurve::constant(wave.mean) }
    }

    /// Through the points (seconds, rate per second), which are in order of time and not empty.
    pub fn through(points: &[(f64, f64)], period: Option<f64>) -> RateCurve {
        let mut stretches = Vec::new();
        if points[0].0 > 0.0 {
            stretches.push(Stretch { start: 0.0, rate: points[0].1, slope: 0.0 });
        }
        for (i, &(start, rate)) in points.iter().enumerate() {
            match points.get(i + 1) {
                // Two points at one time are a step; the second one counts from there on.
                Some(next) if next.0 <= start => {}
                Some(next) => {
                    let slope = (next.1 - rate) / (next.0 - start);
                    stretches.push(Stretch { start, rate, slope });
                }
                None => stretches.push(Stretch { start, rate, slope: 0.0 }),
            }
        }
        RateCurve { stretches, period: period.unwrap_or(f64::INFINITY), wave: None }
    }

    /// The rate at a time in seconds.
    pub fn rate_at(&self, t: f64) -> f64 {
        if let Some(wave) = &self.wave {
            return wave.mean + wave.amplitude * (wave.turn * t + wave.phase).sin();
        }
        let local = if self.period.is_finite() { t.rem_euclid(self.period) } else { t };
        let stretch = self.stretch_at(local);
        (stretch.rate + stretch.slope * (local - stretch.start)).max(0.0)
    }

    fn stretch_at(&self, local: f64) -> Stretch {
        let after = self.stretches.partition_point(|s| s.start <= local);
        self.stretches[after.saturating_sub(1)]
    }

    /// The time at which `hazard` (in mean arrivals) has been spent, starting at `from` seconds
    /// with the rate multiplied by `factor`. None when it is never spent.
    ///
    /// On a linear stretch the integral is r*x + s*x^2/2, so x is the positive root of that
    /// equation, written in the form 2h/(r + sqrt(r^2 + 2sh)), which does not cancel.
    #[inline]
    pub fn spend(&self, from: f64, factor: f64, hazard: f64) -> Option<f64> {
        if factor <= 0.0 {
            return None;
        }
        if let [only] = self.stretches[..] {
            // The common case of a constant rate.
            if only.slope == 0.0 && self.wave.is_none() {
                return (only.rate > 0.0).then(|| from + hazard / (only.rate * factor));
            }
        }
        self.spend_varying(from, factor, hazard)
    }

    #[inline(never)]
    fn spend_varying(&self, from: f64, factor: f64, hazard: f64) -> Option<f64> {
        if let Some(wave) = &self.wave {
            return wave.spend(from, hazard / factor).map(|x| from + x);
        }
        self.spend_along(from, hazard / factor)
    }

    fn spend_along(&self, from: f64, hazard: f64) -> Option<f64> {
        let mut left = hazard;
        let (mut base, mut local) = (0.0, from);
        if self.period.is_finite() {
            base = (from / self.period).floor() * self.period;
            local = from - base;
        }
        let mut empty_periods = 0;
        loop {
            let mut index = self.stretches.partition_point(|s| s.start <= local).saturating_sub(1);
            let mut spent_here = 0.0;
            while index < self.stretches.len() {
                let s = self.stretches[index];
                let end = self.stretches.get(index + 1).map_or(self.period, |n| n.start);
                let rate = (s.rate + s.slope * (local - s.start)).max(0.0);
                let length = end - local;
                let whole = if length.is_finite() {
                    rate * length + s.slope * length * length / 2.0
                } else if rate > 0.0 {
                    f64::INFINITY
                } else {
                    0.0
                };
                if whole >= left && left.is_finite() {
                    let root = (rate * rate + 2.0 * s.slope * left).max(0.0).sqrt();
                    return Some(base + local + 2.0 * left / (rate + root));
                }
                left -= whole;
                spent_here += whole;
                local = end;
                index += 1;
            }
            if !self.period.is_finite() {
                return None;
            }
            empty_periods = if spent_here > 0.0 { 0 } else { empty_periods + 1 };
            if empty_periods > 1 {
                return None;
            }
            base += self.period;
            local = 0.0;
        }
    }

    /// The integral of the rate between two times in seconds (mean arrivals without a change's
    /// factor).
    pub fn integral(&self, from: f64, to: f64) -> f64 {
        if let Some(wave) = &self.wave {
            return wave.integral(from, to - from);
        }
        if let [only] = self.stretches[..]
            && only.slope == 0.0
        {
            return only.rate * (to - from);
        }
        if self.period.is_finite() {
            let whole = self.integral_local(0.0, self.period);
            let (a, b) = ((from / self.period).floor(), (to / self.period).floor());
            return (b - a) * whole + self.integral_local(0.0, to - b * self.period)
                - self.integral_local(0.0, from - a * self.period);
        }
        self.integral_local(from, to)
    }

    fn integral_local(&self, from: f64, to: f64) -> f64 {
        let mut sum = 0.0;
        for (i, s) in self.stretches.iter().enumerate() {
            let end = self.stretches.get(i + 1).map_or(f64::INFINITY, |n| n.start);
            let (a, b) = (from.max(s.start), to.min(end));
            if b > a {
                let (x, y) = (a - s.start, b - s.start);
                sum += s.rate * (y - x) + s.slope * (y * y - x * x) / 2.0;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_ramp_spends_its_hazard_where_the_integral_says() {
        // rate(t) = 2t up to 10 s: the integral is t^2, so a hazard of 9 is spent at 3 s.
        let curve = RateCurve::through(&[(0.0, 0.0), (10.0, 20.0)], None);
        assert!((curve.spend(0.0, 1.0, 9.0).unwrap() - 3.0).abs() < 1e-12);
        // Then 20/s: 100 at 10 s, another 40 two seconds later.
        assert!((curve.spend(0.0, 1.0, 140.0).unwrap() - 12.0).abs() < 1e-9);
        assert!((curve.integral(0.0, 12.0) - 140.0).abs() < 1e-9);
    }

    #[test]
    fn a_period_repeats_and_an_empty_one_never_ends() {
        let curve = RateCurve::through(&[(0.0, 1.0), (5.0, 1.0), (5.0, 0.0)], Some(10.0));
        assert!((curve.spend(0.0, 1.0, 7.0).unwrap() - 12.0).abs() < 1e-9);
        assert!((curve.integral(3.0, 24.0) - (2.0 + 5.0 + 4.0)).abs() < 1e-9);
        assert_eq!(RateCurve::through(&[(0.0, 0.0)], Some(10.0)).spend(0.0, 1.0, 1.0), None);
        assert_eq!(RateCurve::constant(0.0).spend(0.0, 1.0, 1.0), None);
    }

    #[test]
    fn spending_and_integrating_are_inverse() {
        let line = RateCurve::through(&[(1.0, 3.0), (4.0, 0.5), (9.0, 6.0)], Some(12.0));
        let wave = Wave { mean: 3.0, amplitude: 3.0, turn: 0.7, phase: 1.0 };
        for curve in [line, RateCurve::wave(wave)] {
            for from in [0.0, 0.5, 3.9, 17.2] {
                for hazard in [0.01, 1.0, 7.5, 55.0] {
                    let to = curve.spend(from, 1.5, hazard).unwrap();
                    assert!((1.5 * curve.integral(from, to) - hazard).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn the_integral_of_a_wave_agrees_with_a_sum_of_its_rates() {
        let wave =
            Wave { mean: 10.0, amplitude: 5.0, turn: std::f64::consts::TAU / 24.0, phase: 0.3 };
        let curve = RateCurve::wave(wave);
        let (from, to, steps) = (5.0, 43.0, 100_000);
        let width = (to - from) / f64::from(steps);
        let rates = (0..steps).map(|i| curve.rate_at(from + (f64::from(i) + 0.5) * width));
        assert!((rates.sum::<f64>() * width - curve.integral(from, to)).abs() < 1e-6);
        assert_eq!(
            RateCurve::wave(Wave { mean: 0.0, amplitude: 0.0, ..wave }).spend(0.0, 1.0, 1.0),
            None
        );
    }
}
