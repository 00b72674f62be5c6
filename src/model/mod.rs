//! What a user writes: a system, what happens to it, and the people who run it.
//!
//! Facts and claims live in experiment files, so that no model can read them.

pub mod load;
pub mod origins;
pub mod template;

use crate::change::Change;
use crate::component::Component;
use crate::load::Client;
use crate::observe::Observation;
use crate::response::Response;
use crate::text::{Name, Named};
use crate::units::{Bytes, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
// All words have defaults, so that a wrong one does not keep the others from being checked; those
// that must be there are `load::REQUIRED`.
#[schemars(extend("required" = ["name", "horizon", "clients", "components"]))]
pub struct Model {
    /// What it is a model of, in one line.
    #[serde(default)]
    pub name: String,
    /// A cap on the simulated time. A run with a responder ends some quiet time after the incident
    /// is declared over.
    #[serde(default)]
    pub horizon: Span,
    /// A run in which nothing has paged anybody ends so long after the end of the last change. Left
    /// out: it goes on to the horizon.
    pub quiet_end: Option<Span>,
    /// The part of the real system that is simulated.
    #[serde(default)]
    pub scale: Scale,
    /// The wall-clock time of day at the alert, for telling a run: `14:30 UTC`.
    pub clock_at_alert: Option<String>,
    /// Who asks.
    #[serde(default)]
    pub clients: Named<Client>,
    /// What serves.
    #[serde(default)]
    pub components: Named<Component>,
    /// What happens.
    #[serde(default)]
    pub changes: Named<Change>,
    /// Who watches and acts.
    #[serde(default)]
    pub response: Response,
    /// How impact on users is counted.
    #[serde(default)]
    pub impact: Impact,
    /// Numbers that are looked at beyond the ordinary measures. Observing changes nothing.
    #[serde(default)]
    pub observe: Named<Observation>,
    /// When a run is stopped before it hurts the machine.
    #[serde(default)]
    pub stop: Stop,
    /// The time before which nothing is measured (latencies, counts, busy time). `auto`, for a
    /// system in a steady state (no changes but recurring ones, no response): the time that the
    /// rule MSER-5 finds in a pilot run.
    #[serde(default)]
    pub warm_up: WarmUp,
    /// Where the numbers come from: the path of a number, or of a part with all numbers in it, and
    /// its origin.
    #[serde(default)]
    pub origins: Named<Origin>,
}

/// The part of the real system that is simulated. Rates, users and instances are in proportion to
/// the real ones; times, and all that belongs to one instance, are the real ones.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// One simulated user, request or instance stands for so many real ones. It is a statement;
    /// nothing is computed from it.
    pub stands_for: f64,
    /// Arrival rates, users, instances and shared limits are multiplied by this whole number: a way
    /// to see whether the scale matters.
    pub enlarged: u32,
}

impl Default for Scale {
    fn default() -> Self {
        Scale { stands_for: 1.0, enlarged: 1 }
    }
}

/// How impact on users is counted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Impact {
    /// When the outage begins that people report, and with it the window in which affected users
    /// are counted.
    pub reported_from: ReportedFrom,
    /// A minute is bad if more than this share of the users' requests that ended in it failed or
    /// were slow.
    pub bad_minute: Share,
    /// User-minutes lost are counted up to this for each visit.
    pub lost_at_most: Span,
    /// The objective for the share of good requests, for the error budget.
    pub objective: Share,
    /// The period over which the error budget is granted.
    pub budget_period: Span,
}

impl Default for Impact {
    fn default() -> Self {
        Impact {
            reported_from: ReportedFrom::Alert,
            bad_minute: Share(0.05),
            lost_at_most: Span(600_000_000_000),
            objective: Share(0.999),
            budget_period: Span(30 * 86_400_000_000_000),
        }
    }
}

/// The reported start of an outage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportedFrom {
    /// The alert that paged first.
    #[default]
    Alert,
    /// Somebody is at work on it.
    Acknowledgement,
}

/// When a run is stopped before it hurts the machine. Its outcome says so and names the line that
/// grew.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// Memory for requests in flight.
    pub memory: Bytes,
    /// Events in one run.
    pub events: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { memory: Bytes(1 << 30), events: 20_000_000_000 }
    }
}

/// Where a number comes from; the text says more (the sentence, the section, the figure it was
/// fitted to).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// Stated by the postmortem.
    Text(String),
    /// Taken from the reference; names the section.
    Prior(String),
    /// Fitted; names the figure it was fitted to.
    Fitted(String),
    /// A choice of the model's author that the text leaves open; says why.
    Chosen(String),
}

/// When measuring begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmUp {
    /// At this time.
    After(Span),
    /// When a pilot run has settled.
    Auto,
}

impl Default for WarmUp {
    fn default() -> Self {
        WarmUp::After(Span(0))
    }
}

impl WarmUp {
    /// The time, as far as it is known without a run.
    #[must_use]
    pub fn span(self) -> Span {
        match self {
            WarmUp::After(span) => span,
            WarmUp::Auto => Span(0),
        }
    }
}

impl Serialize for WarmUp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WarmUp::After(span) => span.serialize(serializer),
            WarmUp::Auto => serializer.serialize_str("auto"),
        }
    }
}

impl<'de> Deserialize<'de> for WarmUp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpanOrWord;
        impl serde::de::Visitor<'_> for SpanOrWord {
            type Value = WarmUp;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a length of time, or `auto`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WarmUp, E> {
                match text.trim() {
                    "auto" => Ok(WarmUp::Auto),
                    text => text.parse().map(WarmUp::After).map_err(E::custom),
                }
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<WarmUp, E> {
                Err(E::custom(format!("{number} is a number without unit; write `60s` or `auto`")))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<WarmUp, E> {
                Err(E::custom(format!("{number} is a number without unit; write `60s` or `auto`")))
            }
        }
        deserializer.deserialize_any(SpanOrWord)
    }
}

impl JsonSchema for WarmUp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WarmUp".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let span = generator.subschema_for::<Span>();
        schemars::json_schema!({
            "description": "A length of time, or `auto`.",
            "anyOf": [span, {"const": "auto"}]
        })
    }
}

/// A name of a thing in a model, for messages.
pub type Path = Name;
