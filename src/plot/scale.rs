//! From numbers to pixels, and round numbers for the ticks.

/// A linear or logarithmic axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A linear axis: `low` is drawn at `from`, `high` at `to` (pixels).
    pub fn linear((low, high): (f64, f64), from: f64, to: f64) -> Scale {
        let high = if high > low { high } else { low + 1.0 };
        Scale { low, high, from, to, log: false }
    }

    /// A logarithmic axis; both ends must be positive, anything else becomes the decade around 1.
    pub fn log((low, high): (f64, f64), from: f64, to: f64) -> Scale {
        let (low, high) = if low > 0.0 && high > low { (low, high) } else { (0.3, 3.0) };
        Scale { low, high, from, to, log: true }
    }

    /// The pixel of a number; not a number where the axis has no place for it (0 on a logarithmic
    /// one).
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            if value <= 0.0 {
                return f64::NAN;
            }
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// The pixel of a number, or of the nearer end of the axis if the number lies outside.
    pub fn clamped(&self, value: f64) -> f64 {
        self.at(if value.is_nan() { value } else { value.clamp(self.low, self.high) })
    }

    /// Whether the axis covers the number.
    pub fn covers(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Round numbers on the axis, about `count` of them.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        if self.log { self.decades(count) } else { steps(self.low, self.high, count) }
    }

    fn decades(&self, count: usize) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let factors: &[f64] =
            if (self.high / self.low).log10() < 1.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all: Vec<f64> = (first..=last)
            .flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)))
            .filter(|&tick| self.covers(tick))
            .collect();
        let every = all.len().div_ceil(count.max(1)).max(1);
        all.into_iter().step_by(every).collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten between two numbers.
fn steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough * 0.999);
    multiples(low, high, step.unwrap_or(power * 10.0))
}

/// Round minutes: multiples of 5, 10, 15, 30 or of whole hours between two numbers.
pub fn minutes(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count.max(1) as f64;
    let known =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0].into_iter().find(|s| *s >= rough);
    multiples(low, high, known.unwrap_or(1440.0))
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    if !(step > 0.0 && step.is_finite() && low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let slack = step * 1e-9;
    let first = ((low - slack) / step).ceil() as i64;
    let last = ((high + slack) / step).floor() as i64;
    (first..=last).map(|k| k as f64 * step).collect()
}

/// The smallest and the largest finite number, if there is one.
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// The extent of the numbers together with 0, and a little air at the ends that are not 0.
pub fn extent_with_zero(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = extent(values).unwrap_or((0.0, 1.0));
    let (low, high) = (low.min(0.0), high.max(0.0));
    let air = (high - low) * 0.06;
    (if low < 0.0 { low - air } else { 0.0 }, if high > 0.0 { high + air } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_puts_its_ends_at_its_ends() {
        let scale = Scale::linear((0.0, 10.0), 100.0, 300.0);
        assert_eq!((scale.at(0.0), scale.at(5.0), scale.at(10.0)), (100.0, 200.0, 300.0));
        assert_eq!(scale.clamped(20.0), 300.0);
    }

    #[test]
    fn a_logarithmic_axis_spaces_decades_evenly_and_has_no_place_for_zero() {
        let scale = Scale::log((0.01, 100.0), 0.0, 400.0);
        assert!((scale.at(0.1) - 100.0).abs() < 1e-9 && (scale.at(10.0) - 300.0).abs() < 1e-9);
        assert!(scale.at(0.0).is_nan());
        assert_eq!(scale.ticks(5).len(), 5);
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(Scale::linear((0.0, 1.0), 0.0, 1.0).ticks(4), [0.0, 0.5, 1.0]);
        assert_eq!(Scale::linear((-3.0, 12.0), 0.0, 1.0).ticks(3), [0.0, 5.0, 10.0]);
        assert_eq!(minutes(-20.0, 150.0, 7), [0.0, 30.0, 60.0, 90.0, 120.0, 150.0]);
    }

    #[test]
    fn an_empty_or_flat_range_still_gives_an_axis() {
        assert_eq!(extent([f64::NAN]), None);
        let scale = Scale::linear(extent_with_zero([0.0, 0.0]), 0.0, 10.0);
        assert!(scale.at(0.0).is_finite());
    }
}
