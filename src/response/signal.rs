//! Signals: what alerts and evidence watch.

use crate::text::Name;
use crate::units::{Bytes, Rate, Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is watched. Series are written `component.series` or `client.series`:
///
/// - counters: `requests` (that came), `answers` (that went), `answers.STATUS`
///   (`answers.unavailable`, `answers.503`, `answers.5xx`), `errors` (answers that are not good),
///   `exceptions`, `deaths` (of processes), `log.NAME` (lines that a bug left);
/// - gauges: `memory` (share of the limit, the fullest instance), `line` (requests waiting, all
///   instances), `present` (requests in all instances), `busy` (share of the workers in use),
///   `instances_up`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Signal {
    /// One counter divided by another, over the window. Without any of the second there is no
    /// value.
    Ratio {
        /// The part.
        of: Name,
        /// The whole.
        to: Name,
    },
    /// A counter's increase over the window.
    Count(Name),
    /// A counter's increase per second over the window.
    Rate(Name),
    /// A counter's rate over the window, as a share of its rate over the hour before it (or since
    /// the start).
    RelativeRate(Name),
    /// A gauge.
    Level(Name),
    /// A quantile of the latency of what ended in the window, at a component or client.
    Latency {
        /// The component or client.
        of: Name,
        /// The quantile.
        quantile: Share,
    },
}

/// A threshold: `20%`, `5/s`, `2s`, `300MiB`, or a plain number, as the signal wants it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Threshold {
    /// For counts, lines, numbers of instances.
    Number(f64),
    /// For ratios, `memory` and `busy`.
    Share(Share),
    /// For rates.
    Rate(Rate),
    /// For latencies.
    Span(Span),
    /// For memory in bytes.
    Bytes(Bytes),
}

impl Threshold {
    /// The value in the base unit (share 0..1, per second, seconds, bytes).
    pub fn value(self) -> f64 {
        match self {
            Threshold::Number(n) => n,
            Threshold::Share(s) => s.0,
            Threshold::Rate(r) => r.0,
            Threshold::Span(s) => crate::units::seconds(s.0),
            Threshold::Bytes(b) => b.0 as f64,
        }
    }

    /// The word for the kind of quantity.
    pub fn kind(self) -> &'static str {
        match self {
            Threshold::Number(_) => "a number",
            Threshold::Share(_) => "a share",
            Threshold::Rate(_) => "a rate",
            Threshold::Span(_) => "a length of time",
            Threshold::Bytes(_) => "an amount of memory",
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl serde::de::Visitor<'_> for Any {
            type Value = Threshold;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number, `20%`, `5/s`, `2s` or `300MiB`")
            }
            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Threshold, E> {
                Ok(Threshold::Number(n as f64))
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Threshold, E> {
                Ok(Threshold::Number(n as f64))
            }
            fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<Threshold, E> {
                Ok(Threshold::Number(n))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Threshold, E> {
                if text.ends_with('%') {
                    return text.parse().map(Threshold::Share).map_err(E::custom);
                }
                if text.contains('/') {
                    return text.parse().map(Threshold::Rate).map_err(E::custom);
                }
                if text.ends_with('B') {
                    return text.parse().map(Threshold::Bytes).map_err(E::custom);
                }
                text.parse().map(Threshold::Span).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
