//! What a study says about corrective measures, as plain data: a part of `results.json`.

use crate::study::table::{Interval, Variant};

/// The corrective measures by the user-minutes that they save.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Ranking {
    /// The measures with a rank, largest savings first; then those that contain others; then those
    /// whose effect is assumed.
    pub measures: Vec<Ranked>,
    /// Which measure is worth most, in words.
    pub worth_most: String,
    /// Names of the measures that are worth most: the first one, and those that cannot be told
    /// apart from it. Empty if none saves anything beyond its interval.
    pub best: Vec<String>,
}

/// A corrective measure in the ranking.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Ranked {
    /// Name of the variant.
    pub name: String,
    /// Alone, or together with others.
    pub role: Role,
    /// 1 and the number of ranked measures that save more, beyond the 95 % interval of the paired
    /// difference (each comparison by itself); none for combinations and assumed measures.
    pub rank: Option<u64>,
    /// The last rank that the intervals leave open: the number of ranked measures without those
    /// that save less, beyond the interval.
    pub rank_at_most: Option<u64>,
    /// Ranked measures that cannot be told apart from it.
    pub ties: Vec<String>,
    /// What it saves.
    pub saved: Saved,
    /// Assumed parts of a combination, or the measure itself if it is assumed.
    pub assumed: Vec<String>,
}

/// Whether a measure is ranked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One measure whose effect is simulated.
    #[default]
    Single,
    /// Several measures together.
    Combination,
    /// One measure whose effect is assumed.
    Assumed,
}

/// User-minutes saved: baseline minus variant, replica by replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Saved {
    /// Mean of the paired differences, in minutes.
    pub mean: f64,
    /// Student's t-interval of that mean, 95 %.
    pub ci95: Interval,
    /// The mean as a share of what the baseline loses in the same replicas.
    pub share: f64,
    /// Fieller's interval of that ratio of means, 95 %; narrower than `ci95` where what is lost and
    /// what is saved vary together.
    pub share_ci95: Interval,
}

/// Every two corrective measures together.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Pairs {
    /// Every pair that was run, the least user-minutes lost first.
    pub pairs: Vec<Pair>,
    /// Pairs whose patches cannot be applied together, and why.
    pub conflicts: Vec<Conflict>,
    /// About the best pair, in words.
    pub best: String,
    /// Names of pairs that cannot be told apart from the best one.
    pub ties: Vec<String>,
    /// User-minutes that the best pair saves beyond the measure that saves most alone.
    pub beyond_single: Option<Beyond>,
}

/// Two measures together.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Pair {
    /// The two measures, in the order in which their patches are applied.
    pub of: [String; 2],
    /// Paths at which the second one changes what the first one has done.
    pub overridden: Vec<String>,
    /// What it saves.
    pub saved: Saved,
    /// The pair as a variant.
    #[serde(flatten)]
    pub variant: Variant,
}

/// Two measures that do not fit together.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Conflict {
    /// The two measures.
    pub of: [String; 2],
    /// What is wrong with the model that has both.
    pub why: String,
}

/// What one variant saves beyond another.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Beyond {
    /// The other one.
    pub variant: String,
    /// Mean of the paired differences in minutes; more is better.
    pub mean: f64,
    /// Student's t-interval of that mean, 95 %.
    pub ci95: Interval,
}

/// Normal operation, with and without each measure.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Prices {
    /// What normal operation is, in words.
    pub about: String,
    /// The measures that make the price.
    pub measures: Vec<String>,
    /// The baseline in normal operation first, then the corrective measures in the order of the
    /// file, then the best pair. Differences are to that baseline.
    pub variants: Vec<Variant>,
}

/// How good an assumed measure must be.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct BreakEven {
    /// The assumed measure.
    pub variant: String,
    /// The variant that it is compared with.
    pub against: String,
    /// The measure in which both are equal at the break-even.
    pub measure: String,
    /// Its unit.
    pub unit: String,
    /// What the axis counts: a path, or words.
    pub input: String,
    /// How many replicas were compared.
    pub replicas: u64,
    /// Whether there is a break-even in the range, or who is better in all of it.
    pub outcome: Outcome,
    /// The break-even in the base unit of the input; none outside of the range.
    pub value: Option<f64>,
    /// Its 95 % interval, from a paired bootstrap over the replicas; an end that is outside of the
    /// range is none.
    pub ci95: [Option<f64>; 2],
    /// Whether the interval lies inside the range or, where there is no break-even in the range,
    /// outside of it.
    pub is_clear: bool,
    /// On which side of the break-even the assumed measure does better; none where it does nowhere
    /// or everywhere.
    pub better: Option<Beside>,
    /// The break-even in words.
    pub says: String,
    /// The points, in the order of their numbers.
    pub points: Vec<BreakEvenPoint>,
}

/// What became of a break-even.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The difference changes its sign once in the range.
    Within,
    /// It changes its sign several times: the break-even lies between the first and the last.
    Several,
    /// The assumed measure does better over the whole range.
    AlwaysBetter,
    /// It does worse over the whole range.
    AlwaysWorse,
    /// There are no two replicas with numbers.
    #[default]
    Unknown,
}

/// A side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// Below it.
    Below,
    /// Above it.
    Above,
}

/// A point of a break-even.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct BreakEvenPoint {
    /// The value as the file writes it.
    pub value: String,
    /// The same as a number in the base unit.
    pub number: f64,
    /// Mean of the measure.
    pub mean: f64,
    /// Mean of the paired differences to the other variant.
    pub difference: f64,
    /// Student's t-interval of that mean, 95 %.
    pub difference_ci95: Interval,
}
