//! The plain data which a study yields and from which every figure, table and page is drawn.
//!
//! Serialised, this is `results.json`: the key names are a contract with other programs. New keys
//! may be added, existing ones keep their meaning. Numbers that are not finite serialise as `null`
//! (JSON has no other word for them), and every map keeps the order in which it was filled, so the
//! same study always gives the same bytes.
//!
//! Two conventions run through it. A quantity whose unit is `"1"` is a fraction and is *shown* in
//! percent. The first variant is the baseline; a difference is always *variant minus baseline*,
//! taken pair by pair over the replicas which both ran with the same random numbers.

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use super::corrective::table::{
    Beside, Beyond, BreakEven, BreakEvenPoint, Conflict, Outcome, Pair, Pairs, Prices, Ranked,
    Ranking, Role, Saved,
};
pub use super::corrective::words::{Is, SaidBy};
pub use crate::measure::{Better, Kind};

/// A lower and an upper bound, in the unit of what they bound.
pub type Interval = [f64; 2];

/// Everything a study found out.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Table {
    /// Name of the experiment, which is also the name of the folder of its results.
    pub experiment: String,
    /// Path of the model which the experiment varies.
    pub model: String,
    /// The question which the experiment answers, in words.
    pub question: String,
    /// Seed from which every random stream of every replica is derived.
    pub seed: u64,
    /// Replicas of the baseline; a variant states its own number.
    pub replicas: u64,
    /// The baseline first, then the other variants in the order of the experiment file.
    pub variants: Vec<Variant>,
    /// What was reported about the real incident, beside what the baseline gives.
    pub facts: Vec<Fact>,
    /// What the experiment claims, and whether it holds.
    pub claims: Vec<Claim>,
    /// The claims again, each with its claimed cause taken away: they should then be false.
    pub ablations: Vec<Ablation>,
    /// Statistical doubts, each with its remedy.
    pub cautions: Vec<String>,
    /// One incident over time, as the replicas of one variant saw it.
    pub timeline: Option<Timeline>,
    /// By measure, then by variant: one value for each replica.
    pub distributions: Named<Named<Vec<f64>>>,
    /// The measures over one or two inputs.
    pub sweep: Vec<Sweep>,
    /// The corrective measures by what they save; none without corrective variants.
    pub ranking: Option<Ranking>,
    /// Every two corrective measures together, if the experiment asks for it.
    pub pairs: Option<Pairs>,
    /// What the corrective measures cost in normal operation, if the experiment says what that is.
    pub prices: Option<Prices>,
    /// How good the assumed measures must be.
    pub break_evens: Vec<BreakEven>,
    /// What is needed to repeat the study: version, model hash, fingerprint, command.
    pub provenance: serde_json::Map<String, serde_json::Value>,
}

impl Table {
    /// The variant against which the others are compared: the first one.
    pub fn baseline(&self) -> Option<&Variant> {
        self.variants.first()
    }

    /// The baseline's estimate of a measure, which also tells its unit and what it means.
    pub fn baseline_measure(&self, name: &str) -> Option<&Estimate> {
        self.baseline()?.measures.get(name)
    }
}

/// One version of the system, run for a number of replicas.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Variant {
    /// The variant's name in the experiment file.
    pub name: String,
    /// How many replicas were run.
    pub replicas: u64,
    /// Estimates by the name of the measure.
    pub measures: Named<Estimate>,
    /// Differences to the baseline by the name of the measure; empty for the baseline itself.
    pub differences: Named<Difference>,
    /// What it is for: a corrective measure, a link of the chain switched off, or a what-if.
    pub is: Is,
    /// Whether its effect, or that of a part of it, is an assumption.
    pub assumed: bool,
}

/// What the replicas say about one measure of one variant.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Unit as a word: `min`, `s`, `users`, `requests`, or `1` for a fraction.
    pub unit: String,
    /// Whether the replicas yield quantities, or yes and no.
    pub kind: Kind,
    /// Which direction is an improvement.
    pub better: Better,
    /// One line which defines the measure.
    pub doc: String,
    /// Mean over the replicas in which the measure exists.
    pub mean: f64,
    /// 95 % confidence interval of the mean: Student's t for quantities, Wilson's score interval
    /// for probabilities.
    pub ci95: Interval,
    /// Median over the replicas.
    pub median: f64,
    /// 5th percentile over the replicas.
    pub p5: f64,
    /// 10th percentile over the replicas.
    pub p10: f64,
    /// 90th percentile over the replicas.
    pub p90: f64,
    /// 95th percentile over the replicas.
    pub p95: f64,
    /// Number of replicas in which the measure exists (a time to detect needs an alert).
    pub n: u64,
}

/// Variant minus baseline, paired by replica.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Mean of the paired differences, in the unit of the measure.
    pub mean: f64,
    /// 95 % confidence interval of that mean (Student's t over the pairs).
    pub ci95: Interval,
    /// How many times smaller the variance of the paired differences is than that of independent
    /// runs would be; `null` where one of the two never varies.
    pub variance_ratio: f64,
}

/// A figure which the postmortem reports, beside the baseline's.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Fact {
    /// Name of the measure which is compared.
    pub name: String,
    /// How the simulated figure comes about, and so what the agreement proves.
    pub how: How,
    /// What the postmortem says, in `unit`; `null` where it says nothing.
    pub reported: Option<f64>,
    /// Unit as in [`Estimate::unit`].
    pub unit: String,
    /// Median over the baseline's replicas.
    pub median: f64,
    /// 10th percentile over the baseline's replicas.
    pub p10: f64,
    /// 90th percentile over the baseline's replicas.
    pub p90: f64,
    /// Whether the reported figure lies between the 10th and the 90th percentile, and the median
    /// as near as was asked; `null` without a reported figure.
    pub holds: Option<bool>,
}

/// Where a simulated figure comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It follows from inputs which the postmortem states; agreement proves nothing.
    Set,
    /// An input was chosen so that it agrees.
    Fitted,
    /// Nothing was chosen for it; agreement is evidence.
    Emergent,
}

impl How {
    /// The word in files and tables.
    pub fn word(self) -> &'static str {
        match self {
            How::Set => "set",
            How::Fitted => "fitted",
            How::Emergent => "emergent",
        }
    }
}

/// A statement of the experiment and its verdict.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Claim {
    /// The statement.
    pub claim: String,
    /// True only if the whole 95 % interval lies on the claimed side.
    pub holds: bool,
    /// Neither shown nor refuted: the interval lies across the limit, and more replicas could tell.
    pub is_open: bool,
    /// The numbers behind the verdict.
    pub evidence: String,
    /// Whose statement it is; none for the experiment's own.
    pub said_by: Option<SaidBy>,
}

impl Claim {
    /// Whether it is a statement of the postmortem, which may turn out to be wrong.
    #[must_use]
    pub fn is_of_postmortem(&self) -> bool {
        self.said_by == Some(SaidBy::Postmortem)
    }
}

/// A claim, tested again without what it says is the cause.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Ablation {
    /// The statement, as in [`Claim::claim`].
    pub claim: String,
    /// What was taken away.
    pub without: String,
    /// Whether the statement is still true; a claim about causes wants `false` here.
    pub holds: bool,
    /// Neither shown nor refuted, for want of replicas.
    pub is_open: bool,
    /// The numbers behind the verdict.
    pub evidence: String,
}

/// An incident over time. Minutes count from T+0, the alert, where there is one.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Timeline {
    /// The variant whose replicas are shown.
    pub variant: String,
    /// Width of a time bucket in seconds.
    pub bucket_seconds: f64,
    /// What is shown, in the order of the panels.
    pub series: Vec<Series>,
    /// Moments.
    pub marks: Vec<Mark>,
    /// Stretches of time in which a change was active.
    pub shades: Vec<Shade>,
}

/// One line of the timeline. The four lists have the same length.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Series {
    /// Name for the reader, such as `API p99`.
    pub name: String,
    /// Unit as in [`Estimate::unit`].
    pub unit: String,
    /// The panel to which it belongs.
    pub group: Group,
    /// Start of each bucket in minutes from T+0.
    pub t_minutes: Vec<f64>,
    /// Median over the replicas.
    pub median: Vec<f64>,
    /// 10th percentile over the replicas.
    pub p10: Vec<f64>,
    /// 90th percentile over the replicas.
    pub p90: Vec<f64>,
}

/// The panels of the timeline, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Requests per second.
    Traffic,
    /// Share of requests that failed.
    Errors,
    /// Time to answer; drawn on a logarithmic axis.
    Latency,
    /// Memory as a share of the limit.
    Memory,
    /// Instances that are up.
    Instances,
}

/// A moment of the incident.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Mark {
    /// Median over the replicas, minutes from T+0; for a milestone the reported minute.
    pub at_minutes_median: f64,
    /// 10th percentile over the replicas; none for a milestone, which is reported once.
    pub p10: Option<f64>,
    /// 90th percentile over the replicas.
    pub p90: Option<f64>,
    /// A few words.
    pub label: String,
    /// What kind of moment it is.
    pub kind: MarkKind,
}

/// What a mark of the timeline stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Something changed in the system: a surge, a deployment, a fault.
    Change,
    /// An alert fired.
    Alert,
    /// A responder did something.
    Action,
    /// The postmortem reports this minute; nothing was simulated.
    MilestoneReported,
}

/// A stretch of time in which a change was active, in minutes from T+0 (medians).
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Shade {
    /// Start.
    pub from: f64,
    /// End.
    pub to: f64,
    /// What was active.
    pub label: String,
}

/// The measures of one variant over one or two inputs.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Sweep {
    /// The variant that was swept; sweeps over the same single input share a figure.
    pub variant: String,
    /// One or two inputs.
    pub inputs: Vec<Input>,
    /// Every combination of the inputs' values.
    pub points: Vec<Point>,
}

/// An input of a sweep.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Input {
    /// Path of the input in the model.
    pub path: String,
    /// The values as the experiment file writes them, with their units.
    pub values: Vec<String>,
    /// The same values as numbers, for the axis.
    pub numbers: Vec<f64>,
}

/// One combination of values in a sweep.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Point {
    /// One value for each input, as text.
    pub values: Vec<String>,
    /// Estimates by the name of the measure.
    pub measures: Named<Estimate>,
}

/// A map from names to values which keeps the order of insertion.
///
/// A study has a dozen names at most, so a search along the list is as fast as any index.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Sets the value of a name: in its old place if the name is known, at the end otherwise.
    pub fn insert(&mut self, name: impl Into<String>, value: T) {
        let name = name.into();
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Names and values in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(pairs: I) -> Self {
        let mut named = Named::default();
        for (name, value) in pairs {
            named.insert(name, value);
        }
        named
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(mean: f64) -> Estimate {
        Estimate {
            unit: "min".into(),
            kind: Kind::Quantity,
            better: Better::Lower,
            doc: "a duration".into(),
            mean,
            ci95: [mean - 1.0, mean + 1.0],
            median: mean,
            p5: mean,
            p10: mean,
            p90: mean,
            p95: f64::INFINITY,
            n: 3,
        }
    }

    #[test]
    fn names_keep_the_order_of_insertion_in_json() {
        let named: Named<u32> =
            [("b", 1), ("a", 2), ("b", 3)].map(|(n, v)| (n.into(), v)).into_iter().collect();
        assert_eq!(serde_json::to_string(&named).unwrap(), r#"{"b":3,"a":2}"#);
        assert_eq!(named.get("a"), Some(&2));
        assert_eq!(named.get("c"), None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        let json = serde_json::to_value(estimate(f64::NAN)).unwrap();
        assert!(json["mean"].is_null() && json["p95"].is_null());
        assert_eq!(json["ci95"], serde_json::json!([null, null]));
    }

    #[test]
    fn the_keys_of_the_contract_are_there() {
        let mut variant = Variant { name: "baseline".into(), ..Variant::default() };
        variant.measures.insert("user_outage", estimate(2.0));
        variant.differences.insert(
            "user_outage",
            Difference { mean: 0.0, ci95: [0.0, 0.0], variance_ratio: f64::NAN },
        );
        let table = Table { variants: vec![variant], ..Table::default() };
        let json = serde_json::to_value(&table).unwrap();
        let keys =
            |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for key in
            "experiment model seed replicas variants facts claims cautions provenance".split(' ')
        {
            assert!(keys(&json).iter().any(|k| k == key), "{key}");
        }
        let variant = &json["variants"][0];
        let expected = ["name", "replicas", "measures", "differences", "is", "assumed"];
        assert_eq!(keys(variant), expected);
        let measure = keys(&variant["measures"]["user_outage"]);
        for key in "unit kind better doc mean ci95 median p5 p10 p90 p95 n".split(' ') {
            assert!(measure.iter().any(|k| k == key), "{key}");
        }
        let difference = keys(&variant["differences"]["user_outage"]);
        assert_eq!(difference, ["mean", "ci95", "variance_ratio"]);
        assert_eq!(
            serde_json::to_value(MarkKind::MilestoneReported).unwrap(),
            "milestone_reported"
        );
    }
}
