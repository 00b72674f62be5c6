//! What is expected, and how it is judged: read by the judge alone, after the runs.

use super::sample::Precision;
use crate::text::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

/// All expected numbers.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The cases in the order of the file.
    pub cases: Vec<ExpectedCase>,
}

/// What is expected of a case.
#[derive(Debug, Clone)]
pub struct ExpectedCase {
    /// Its name, that of its case file.
    pub id: String,
    /// Theory or published.
    pub kind: String,
    /// What it claims.
    pub title: String,
    /// Where the numbers come from.
    pub source: String,
    /// How they were computed.
    pub method: String,
    /// The quantities in the order of the file.
    pub quantities: Vec<(String, Target)>,
}

/// What is expected of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The reference; for a quantile, the point at which the distribution function is compared.
    pub value: f64,
    /// How it is judged.
    pub rule: Rule,
    /// Standard error of a reference that is itself a sample.
    pub reference_se: Option<f64>,
    /// How the reference came about, if it says more than the case.
    pub how: Option<String>,
}

/// A rule of judging. Intervals and bounds are those of 99.9 %.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The interval contains the value and its half-width is at most this part of the value.
    Relative {
        /// A part of the value.
        half_width: f64,
    },
    /// The distribution function at the value is the level: the interval contains it and is at most
    /// so wide.
    Quantile {
        /// The value of the distribution function.
        level: f64,
        /// In the unit of the level.
        half_width: f64,
    },
    /// The upper bound is at most this.
    UpperBound {
        /// The largest allowed bound.
        at_most: f64,
    },
    /// The estimate differs from the value by no more than this.
    Absolute {
        /// The largest allowed difference.
        within: f64,
    },
    /// The estimate differs from the value by no more than 3.3 standard errors of both.
    BothRandom {
        /// Standard error of the reference.
        se: f64,
    },
    /// The estimate is the value, but for rounding.
    Exact,
    /// Not judged.
    Skip {
        /// The reason.
        why: String,
    },
}

impl Target {
    /// The number that the estimate is compared with.
    #[must_use]
    pub fn expected(&self) -> f64 {
        match self.rule {
            Rule::Quantile { level, .. } => level,
            _ => self.value,
        }
    }

    /// How precise the estimate has to be, with half-widths larger by a factor: all that the
    /// sampler is told.
    #[must_use]
    pub fn precision(&self, factor: f64) -> Precision {
        match self.rule {
            Rule::Relative { half_width } => Precision::Relative(half_width * factor),
            Rule::Quantile { half_width, .. } => Precision::Absolute(half_width * factor),
            Rule::UpperBound { at_most } => Precision::Upper(at_most),
            Rule::BothRandom { se } => Precision::StandardError(se * factor),
            Rule::Absolute { .. } | Rule::Exact | Rule::Skip { .. } => Precision::Any,
        }
    }
}

#[derive(Deserialize)]
struct File {
    cases: Vec<CaseWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseWords {
    id: String,
    kind: String,
    title: String,
    source: String,
    method: String,
    expected: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetWords {
    value: f64,
    judge: String,
    half_width: Option<f64>,
    level: Option<f64>,
    at_most: Option<f64>,
    within: Option<f64>,
    se: Option<f64>,
    reference_se: Option<f64>,
    how: Option<String>,
    why: Option<String>,
}

impl Expected {
    /// Reads the file of expected numbers.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(path: &str, text: &str) -> Result<Expected, Problem> {
        let wrong = |error: serde_json::Error| Problem::new(format!("{path}: {error}"));
        let file: File = serde_json::from_str(text).map_err(wrong)?;
        let mut cases = Vec::new();
        for words in file.cases {
            let mut quantities = Vec::new();
            for (name, value) in words.expected {
                let place = format!("{path}: {} {name}", words.id);
                let target = serde_json::from_value::<TargetWords>(value)
                    .map_err(|error| error.to_string())
                    .and_then(TargetWords::target);
                let target = target.map_err(|what| Problem::new(format!("{place}: {what}")))?;
                quantities.push((name, target));
            }
            let CaseWords { id, kind, title, source, method, .. } = words;
            cases.push(ExpectedCase { id, kind, title, source, method, quantities });
        }
        Ok(Expected { cases })
    }

    /// A case by its name.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&ExpectedCase> {
        self.cases.iter().find(|case| case.id == id)
    }
}

impl TargetWords {
    fn target(self) -> Result<Target, String> {
        let need = |number: Option<f64>, word: &str| {
            let missing = || format!("`{word}` is missing for the judge `{}`", self.judge);
            number.filter(|number| number.is_finite()).ok_or_else(missing)
        };
        let rule = match self.judge.as_str() {
            "relative" => Rule::Relative { half_width: need(self.half_width, "half_width")? },
            "quantile" => Rule::Quantile {
                level: need(self.level, "level")?,
                half_width: need(self.half_width, "half_width")?,
            },
            "upper_bound" => Rule::UpperBound { at_most: need(self.at_most, "at_most")? },
            "absolute" => Rule::Absolute { within: need(self.within, "within")? },
            "both_random" => Rule::BothRandom { se: need(self.se, "se")? },
            "exact" => Rule::Exact,
            "skip" => Rule::Skip { why: self.why.clone().unwrap_or_default() },
            other => return Err(format!("unknown judge `{other}`")),
        };
        let Some(value) = Some(self.value).filter(|value| value.is_finite()) else {
            return Err("the value is not finite".to_owned());
        };
        Ok(Target { value, rule, reference_se: self.reference_se, how: self.how })
    }
}
