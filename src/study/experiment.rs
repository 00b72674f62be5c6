//! What an experiment file says.
//!
//! An experiment varies a model and claims something about it. Facts and claims live here, so that
//! no model can read them.

use super::corrective::words::{BreakEven, Is, Normal, Pairs, SaidBy};
use super::table::How;
use crate::text::{At, Name, Named, Node};
use crate::units::{Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// The name of the variant that is the model as it is.
pub const BASELINE: &str = "baseline";

/// An experiment file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name, also of the folder of its results. Left out: the name of the file.
    pub name: Option<String>,
    /// The question that it answers, in words.
    pub question: String,
    /// Path of the model, from the folder of this file or from the current one.
    pub model: Name,
    /// The seed of all randomness.
    #[serde(default = "one")]
    pub seed: u64,
    /// How many replicas are run.
    #[serde(default)]
    pub replicas: Replicas,
    /// How many replicas are run for a first look (`--smoke`).
    #[serde(default = "smoke")]
    pub smoke: Replicas,
    /// Inputs that nobody knows exactly: the path of a quantity in the model and the distribution
    /// of what it may be. It is drawn once for each replica, the same draw in every variant.
    #[serde(default)]
    pub uncertain: Named<Node>,
    /// Other versions of the model, by name. `baseline` is the model as it is.
    #[serde(default)]
    pub variants: Named<Variant>,
    /// What takes the trigger away, so that corrective measures show their price.
    #[serde(default)]
    pub normal: Option<Normal>,
    /// Every two corrective measures together; the results show the best two.
    #[serde(default)]
    pub pairs: Option<Pairs>,
    /// How good the measures must be whose effect is assumed.
    #[serde(default)]
    pub break_even: Vec<BreakEven>,
    /// Inputs that are varied over a range, and what becomes of measures.
    #[serde(default)]
    pub sweep: Vec<Sweep>,
    /// What was reported about the real incident, compared with the baseline afterwards.
    #[serde(default)]
    pub facts: Named<Fact>,
    /// When things happened in the real incident, in minutes from the alert: marks of the timeline.
    #[serde(default)]
    pub milestones: Named<Span>,
    /// What the experiment claims.
    #[serde(default)]
    pub expect: Vec<Claim>,
    /// Measures that the results show; a name that ends in `*` stands for all that begin like it.
    /// Those of facts and claims are always shown. Left out: the usual ones.
    #[serde(default)]
    pub measures: Vec<Name>,
    /// Figures that are drawn. Left out: all that the study has numbers for.
    #[serde(default)]
    pub plots: Vec<Plot>,
}

fn one() -> u64 {
    1
}

fn smoke() -> Replicas {
    Replicas { baseline: 20, others: 5 }
}

/// Numbers of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Replicas {
    /// Of the baseline.
    pub baseline: u64,
    /// Of every other variant.
    pub others: u64,
}

impl Default for Replicas {
    fn default() -> Replicas {
        Replicas { baseline: 1000, others: 200 }
    }
}

/// A version of the model. Patches are applied in the order `all_of`, `set`, `add`, `remove`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Variant {
    /// What it is, in words.
    pub about: Option<String>,
    /// What it is for. Left out: `what_if`.
    pub is: Is,
    /// Other variants that it contains.
    pub all_of: Vec<Name>,
    /// Path and value: what stands there is replaced.
    pub set: Named<Node>,
    /// Path and value: elements are added to a list, new words to a map.
    pub add: Named<Node>,
    /// Paths of what is taken away.
    pub remove: Vec<Name>,
    /// `yes`: its effect (a test that would have caught the bug, a drill) is an assumption. What
    /// contains it is assumed, too.
    pub assumed: bool,
}

/// One or two inputs of the model, each over some values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Path and values of one input, or of two; of two, every combination is run.
    pub over: Named<Vec<Node>>,
    /// The variant that is swept. Left out: the baseline.
    pub variant: Option<Name>,
    /// Replicas of every point. Left out: as for a variant.
    pub replicas: Option<u64>,
    /// The measures of every point. Left out: `latency_p99`, `goodput`, `incident`, `cascade`.
    #[serde(default)]
    pub measures: Vec<Name>,
}

/// A figure that was reported about the real incident. It agrees with the baseline if it lies
/// between the 10th and the 90th percentile over the replicas. One that was not reported is what
/// the simulation says beyond the report, and has no verdict.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The figure, in a unit that fits the measure: `135min`, `80%`. Left out: nobody reported it,
    /// which only an emergent fact can bear.
    pub reported: Option<Node>,
    /// How the simulated figure comes about, and so what an agreement proves.
    pub how: How,
    /// The measure that it is compared with. Left out: the one with the fact's own name.
    pub measure: Option<Name>,
    /// The median must also be as near as this: a part of the reported figure, and for a measure
    /// that is a share, a difference (`7%` are seven points).
    pub tolerance: Option<Share>,
}

/// A statement and the numbers that it stands for. Give exactly one of the kinds. It holds only if
/// the whole 95 % interval lies on the claimed side: above `above`, below `below`, or with both of
/// them between the two.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The statement, in words.
    pub claim: Name,
    /// Who says it. Left out: this experiment, which then fails if the claim does not hold.
    pub said_by: Option<SaidBy>,
    /// About how often something happens (Wilson's interval).
    pub probability: Option<Probability>,
    /// About the mean of a measure (Student's t).
    pub mean: Option<Mean>,
    /// About a quantile of a measure over the replicas (from order statistics).
    pub quantile: Option<Quantile>,
    /// About the width of the band between the 10th and the 90th percentile (from order
    /// statistics).
    pub spread: Option<Mean>,
    /// About the paired difference of means between two variants (Student's t).
    pub difference: Option<Difference>,
    /// About the ratio of means of two variants, such as `0.5x` (Student's t of the paired linear
    /// contrast).
    pub ratio: Option<Difference>,
    /// What takes the claimed cause away: with it the claim should turn false.
    pub unless: Option<Edits>,
}

/// Changes to the model.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Edits {
    /// What they take away, in words.
    pub about: Option<String>,
    /// `yes`: only the variant of a difference or ratio is changed; the one that it is compared
    /// with stays.
    pub variant_only: bool,
    /// Path and value: what stands there is replaced.
    pub set: Named<Node>,
    /// Path and value: elements are added to a list, new words to a map.
    pub add: Named<Node>,
    /// Paths of what is taken away.
    pub remove: Vec<Name>,
}

/// How often something happens among the replicas to which it applies.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probability {
    /// What happens.
    pub of: Event,
    /// In which variant. Left out: the baseline.
    pub variant: Option<Name>,
    /// More often than this.
    pub above: Option<Node>,
    /// Less often than this.
    pub below: Option<Node>,
}

/// A mean, or a spread.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    /// The measure.
    pub of: Name,
    /// In which variant. Left out: the baseline.
    pub variant: Option<Name>,
    /// More than this. For a spread: the difference of the two percentiles, or with `2x` their
    /// ratio.
    pub above: Option<Node>,
    /// Less than this.
    pub below: Option<Node>,
}

/// A quantile over the replicas.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// The measure.
    pub of: Name,
    /// Which quantile: `50%` is the median.
    pub at: Share,
    /// In which variant. Left out: the baseline.
    pub variant: Option<Name>,
    /// More than this.
    pub above: Option<Node>,
    /// Less than this.
    pub below: Option<Node>,
}

/// Two variants beside each other, replica by replica.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The measure.
    pub of: Name,
    /// The variant.
    pub variant: Name,
    /// The variant that it is compared with. Left out: the baseline.
    pub against: Option<Name>,
    /// More than this: a quantity (`5min`, `-7 points` for shares), or with a percent sign a part
    /// of the mean that it is compared with (`-30%`). For a ratio: `0.5x`.
    pub above: Option<Node>,
    /// Less than this.
    pub below: Option<Node>,
}

/// Something that happens or not in a replica: `{helped: ACTION}`, `{measure: NAME}` for a measure
/// that is 0 or 1, its bare name, or a comparison such as `user_outage below 10min`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The action helped, among the replicas in which it was done.
    Helped(Name),
    /// The measure is 1.
    Measure(Name),
    /// A measure, or a comparison of it with `above` or `below`.
    #[serde(untagged)]
    Text(Name),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        enum Words {
            Helped(Name),
            Measure(Name),
        }
        struct TextOrMap;
        impl<'de> serde::de::Visitor<'de> for TextOrMap {
            type Value = Event;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("`{helped: ACTION}`, `{measure: NAME}` or `MEASURE below 10min`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Event, E> {
                Ok(Event::Text(Name::nowhere(text.to_owned())))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Event, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Ok(match Words::deserialize(map)? {
                    Words::Helped(action) => Event::Helped(action),
                    Words::Measure(measure) => Event::Measure(measure),
                })
            }
        }
        struct Anywhere(Event);
        impl<'de> Deserialize<'de> for Anywhere {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Anywhere, D::Error> {
                d.deserialize_any(TextOrMap).map(Anywhere)
            }
        }
        // The place of a bare text comes from around it.
        let At { value, mark } = At::<Anywhere>::deserialize(deserializer)?;
        Ok(match value.0 {
            Event::Text(name) => Event::Text(Name { value: name.value, mark }),
            event => event,
        })
    }
}

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plot {
    /// The incident, minute by minute.
    Timeline,
    /// Every variant beside the baseline.
    Comparison,
    /// Distributions of the impact on users.
    Distributions,
    /// Measures over the swept inputs.
    Sweep,
}

impl Plot {
    /// The word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Plot::Timeline => "timeline",
            Plot::Comparison => "comparison",
            Plot::Distributions => "distributions",
            Plot::Sweep => "sweep",
        }
    }
}
