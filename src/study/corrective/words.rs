//! What an experiment file says about corrective measures: which variants are some, what they cost
//! in normal operation, which two of them do best together, and how good an assumed one has to be.

use crate::text::{Name, Named, Node};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a variant is for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// A corrective measure, or several together (by `all_of`). Measures are ranked by the
    /// user-minutes that they save.
    Corrective,
    /// A link of the causal chain, switched off.
    Link,
    /// A counterfactual or a control.
    #[default]
    WhatIf,
}

impl Is {
    /// All of them, in the order of tables.
    pub const ALL: [Is; 3] = [Is::Corrective, Is::Link, Is::WhatIf];

    /// The heading of the variants of this kind.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Is::Corrective => "Corrective measures",
            Is::Link => "Links of the chain, switched off",
            Is::WhatIf => "What if",
        }
    }
}

/// Normal operation: edits that take the trigger away, applied after those of a variant. Every
/// corrective variant is run under them too; the difference to the baseline under the same edits is
/// its price. A path under `remove` that the variant has removed or replaced itself is passed over;
/// any other edit that cannot be applied is a mistake.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Normal {
    /// What normal operation is, in words.
    pub about: Option<String>,
    /// Path and value: what stands there is replaced.
    pub set: Named<Node>,
    /// Path and value: elements are added to a list, new words to a map.
    pub add: Named<Node>,
    /// Paths of what is taken away.
    pub remove: Vec<Name>,
    /// Replicas of each variant. Left out: as for a variant.
    pub replicas: Option<u64>,
    /// The measures that make the price; a name that ends in `*` stands for all that begin like it.
    /// Left out: `latency_p50`, `latency_p99`, `loss.*`, `utilisation` of the component that is
    /// busiest in normal operation, and `instances`.
    pub measures: Vec<Name>,
}

/// Every two corrective measures together: those that contain no other measure and whose effect is
/// not assumed. The patches of the one that stands first in the file are applied first.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pairs {
    /// Replicas of each pair. Left out: as for a variant.
    pub replicas: Option<u64>,
}

/// How good a measure must be whose effect is an assumption: the value of its input at which it
/// does as well as a measure whose effect is simulated.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakEven {
    /// The assumed variant.
    pub variant: Name,
    /// Path and values of its input. Several paths have as many values each and change together:
    /// the first value of each, then the second of each, and so on.
    pub over: Named<Vec<Node>>,
    /// What is counted, in words, and its value at each point. Left out: the first path of `over`
    /// with its values.
    #[serde(default)]
    pub axis: Named<Vec<Node>>,
    /// Replicas of every point. Left out: as for a variant.
    pub replicas: Option<u64>,
    /// The measure in which both are equal. Left out: `user_minutes_lost`.
    pub measure: Option<Name>,
    /// The variant that it is compared with. Left out: the corrective measure that saves most,
    /// among those that contain no other and are not assumed.
    pub against: Option<Name>,
}

/// Who says what a claim says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaidBy {
    /// The postmortem. The claim is judged like any other, in a table of its own, and the study
    /// does not fail if the simulation does not support it.
    Postmortem,
}
