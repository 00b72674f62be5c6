//! Presets: what the kinds of component mean. They are defaults as data of the one station.

use super::{Limit, WhileCalling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Passes requests on to `backends`; unlimited workers, released while calling.
    Balancer,
    /// Serves endpoints with `workers` (required), and says whether it holds them while calling.
    Server,
    /// As a server; `connections` are its workers (sessions) unless `workers` says otherwise, and
    /// then who finds none free waits in the line instead of being refused.
    Database,
    /// A station inside the servers that name it in `middleware`: its work runs on the host's
    /// worker, and what it leaks counts against the host's memory.
    Middleware,
}

/// The defaults of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The kind it belongs to.
    pub kind: Kind,
    /// The word in files.
    pub word: &'static str,
    /// Worker slots; None when the file must say.
    pub workers: Option<Limit>,
    /// Whether workers are held while calling; None when the file must say (if it calls).
    pub while_calling: Option<WhileCalling>,
    /// One line for `explain` and `list`.
    pub summary: &'static str,
}

/// All presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        kind: Kind::Balancer,
        word: "balancer",
        workers: Some(Limit(None)),
        while_calling: Some(WhileCalling::Release),
        summary: "passes requests on to its backends; unlimited workers, released while calling",
    },
    Preset {
        kind: Kind::Server,
        word: "server",
        workers: None,
        while_calling: None,
        summary: "serves endpoints with a stated number of workers, held or released while calling",
    },
    Preset {
        kind: Kind::Database,
        word: "database",
        workers: None,
        while_calling: Some(WhileCalling::Hold),
        summary: "serves queries; its connections are its workers unless it says otherwise",
    },
    Preset {
        kind: Kind::Middleware,
        word: "middleware",
        workers: Some(Limit(None)),
        while_calling: Some(WhileCalling::Hold),
        summary: "a station inside servers: its work runs on the host's worker",
    },
];

/// The preset of a kind.
pub fn preset(kind: Kind) -> &'static Preset {
    PRESETS.iter().find(|p| p.kind == kind).expect("every kind has a preset; a test checks it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_preset() {
        for kind in [Kind::Balancer, Kind::Server, Kind::Database, Kind::Middleware] {
            assert_eq!(preset(kind).kind, kind);
        }
    }
}
