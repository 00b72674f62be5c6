//! Straight lines through points, and medians.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A straight line, fitted by least squares.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its slope.
    pub slope: f64,
    /// Half the width of the slope's 95 % interval (Student's t).
    pub off: f64,
}

/// The line through points that lies nearest; three at least, of more than one `x`.
pub fn line(points: &[(f64, f64)]) -> Line {
    let n = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x_mean, y_mean) = (mean(&|p| p.0), mean(&|p| p.1));
    let xx = mean(&|p| (p.0 - x_mean).powi(2)) * n;
    let xy = mean(&|p| (p.0 - x_mean) * (p.1 - y_mean)) * n;
    let slope = xy / xx;
    let rest = mean(&|p| (p.1 - y_mean - slope * (p.0 - x_mean)).powi(2)) * n;
    let t = StudentsT::new(0.0, 1.0, n - 2.0).map_or(f64::NAN, |t| t.inverse_cdf(0.975));
    Line { slope, off: t * (rest / (n - 2.0) / xx).sqrt() }
}

/// The line through the logarithms of points: its slope is the power of `x` with which `y` grows.
pub fn power(points: &[(f64, f64)]) -> Line {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    line(&logs)
}

/// Least, median and greatest.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub greatest: f64,
}

impl Spread {
    /// Of one number at least.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut all: Vec<f64> = values.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
        let (low, high) = (at(all.len().saturating_sub(1) / 2), at(all.len() / 2));
        Spread {
            least: at(0),
            median: (low + high) / 2.0,
            greatest: at(all.len().saturating_sub(1)),
        }
    }

    /// The same in another unit.
    pub fn times(self, factor: f64) -> Spread {
        Spread {
            least: self.least * factor,
            median: self.median * factor,
            greatest: self.greatest * factor,
        }
    }
}
