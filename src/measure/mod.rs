//! Measures: numbers of an outcome, each with one line of exact definition.
//!
//! A measure is a function of a [`View`], which is an outcome seen with its plan. The names of a
//! plan's components, clients, alerts and actions expand families such as `peak_line.COMPONENT`. To
//! add a measure, add a line to the group where it belongs; to add a group, write its file and add
//! one line to [`GROUPS`].
//!
//! Words used in the definitions:
//!
//! - *Users' requests* are those of the clients that count as users; in a model in which none does,
//!   those of all clients.
//! - A request is *lost* if it ended (after all its retries) without a good answer, or with a good
//!   one later than its client's `slow_after`.
//! - A *minute* is a time bucket of the run: one minute, in runs of more than 512 minutes longer.
//!   It is *bad* if more than the model's `impact.bad_minute` of the users' requests that ended in
//!   it were lost. Only bad minutes from the trigger on count.
//! - The *trigger* is the moment when the first change begins; the start of the run in a model
//!   without changes.
//! - The *alert* is the moment when the alert that paged first fired.
//! - The *outage window* goes from the alert to the moment when the incident was declared over (the
//!   end of the run if it never was); without an alert, it is the user outage.
//!
//! `None` means "not applicable" (the time to detect of a run without an alert) and is left out of
//! every estimate. Infinity means "never".

mod components;
mod impact;
mod moments;
mod observed;
mod response;
mod service;
mod view;
mod windows;

pub use moments::Milestone;
pub use view::{Phase, Traffic, View, Window};

use crate::plan::Plan;
use serde::Serialize;
use std::fmt;

/// What one replica yields for a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number; a share if its unit is `1`.
    Quantity,
    /// 0 or 1: whether something happened. The mean is then a probability.
    Probability,
}

/// Which direction of a measure is an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Less is better: minutes lost, latency.
    Lower,
    /// More is better: goodput, availability.
    Higher,
    /// Neither: the number describes and does not judge.
    Neither,
}

/// Units of measures. `1` is a share, shown in percent.
pub mod unit {
    /// Minutes.
    pub const MINUTES: &str = "min";
    /// Seconds.
    pub const SECONDS: &str = "s";
    /// A share between 0 and 1, or a probability.
    pub const SHARE: &str = "1";
    /// A number of requests.
    pub const REQUESTS: &str = "requests";
    /// Requests per second.
    pub const PER_SECOND: &str = "requests/s";
    /// Mebibytes.
    pub const MEBIBYTES: &str = "MiB";
    /// A number of anything else.
    pub const COUNT: &str = "";
}

type Compute = Box<dyn Fn(&View) -> Option<f64> + Send + Sync>;

/// A number of an outcome.
pub struct Measure {
    /// Its name in files and tables, with the name of what it belongs to after a dot.
    pub name: String,
    /// Its unit, one of [`mod@unit`].
    pub unit: &'static str,
    /// Which direction is an improvement.
    pub better: Better,
    /// Its exact definition in one line.
    pub doc: &'static str,
    /// Quantity or probability.
    pub kind: Kind,
    compute: Compute,
}

impl Measure {
    /// A measure of a quantity of which less is better.
    fn new(
        name: impl Into<String>,
        unit: &'static str,
        doc: &'static str,
        compute: impl Fn(&View) -> Option<f64> + Send + Sync + 'static,
    ) -> Measure {
        let (better, kind, compute) = (Better::Lower, Kind::Quantity, Box::new(compute));
        Measure { name: name.into(), unit, better, doc, kind, compute }
    }

    /// The same, judged in another direction.
    fn better(self, better: Better) -> Measure {
        Measure { better, ..self }
    }

    /// The same as a probability.
    fn probability(self) -> Measure {
        Measure { kind: Kind::Probability, ..self }
    }

    /// The number of an outcome; none if the measure does not apply to it.
    #[must_use]
    pub fn of(&self, view: &View) -> Option<f64> {
        (self.compute)(view)
    }
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} [{}]", self.name, self.unit)
    }
}

/// Measures that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// A heading.
    pub name: &'static str,
    /// The measures of the group for the names of a plan.
    pub expand: fn(&Plan) -> Vec<Measure>,
}

/// All groups, in the order of tables.
pub const GROUPS: &[Group] = &[
    Group { name: "impact on users", expand: impact::measures },
    Group { name: "service", expand: service::measures },
    Group { name: "response", expand: response::measures },
    Group { name: "around actions", expand: windows::measures },
    Group { name: "components", expand: components::measures },
    Group { name: "moments", expand: moments::measures },
    Group { name: "observations", expand: observed::measures },
];

/// All measures of a plan. If a name would be there twice (an action named like a hypothesis), the
/// first one keeps it.
#[must_use]
pub fn measures(plan: &Plan) -> Vec<Measure> {
    let mut known = std::collections::BTreeSet::new();
    let all = GROUPS.iter().flat_map(|group| (group.expand)(plan));
    all.filter(|measure| known.insert(measure.name.clone())).collect()
}

#[cfg(test)]
mod tests;
