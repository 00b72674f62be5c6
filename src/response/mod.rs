//! Response: what notices an outage, and what people then believe and do.
//!
//! *Alerts* watch signals as a scraping monitor does. *Evidence* is what people find when they look
//! (log lines, graphs). A *responder* acknowledges, works through hypotheses in the order of the
//! evidence present in the run, and acts. Whether a hypothesis is right follows from where the
//! cause is in that run; there is no word in the language with which a file could say it.

pub mod signal;

use crate::dist::Dist;
use crate::text::{Name, Named};
use crate::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use signal::{Signal, Threshold};

/// Who watches, and who acts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Response {
    /// Alerts by name.
    pub alerts: Named<Alert>,
    /// What people find when they look, by name.
    pub evidence: Named<Evidence>,
    /// The people. Left out: nobody acts.
    pub responder: Option<Responder>,
}

/// An alert, with the timing of Prometheus (reference F1): the signal is scraped every `scrape`,
/// the rule is evaluated every `every` on what has been scraped; pending at the first true
/// evaluation, firing at the first evaluation at which it has been true for `for`; one false
/// evaluation resets it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// What is watched.
    pub signal: Signal,
    /// It is true above this. Give `above` or `below`.
    pub above: Option<Threshold>,
    /// It is true below this.
    pub below: Option<Threshold>,
    /// The time over which the signal is taken. A gauge is read at its last scrape.
    #[serde(default = "a_minute")]
    pub window: Span,
    /// Time between two scrapes.
    #[serde(default = "quarter_minute")]
    pub scrape: Span,
    /// Time between two evaluations.
    #[serde(default = "quarter_minute")]
    pub every: Span,
    /// When the first scrape is made; drawn for each replica from 0 to `scrape` when left out.
    pub first_scrape: Option<Span>,
    /// When the first evaluation is made; drawn for each replica from 0 to `every` when left out.
    pub first_evaluation: Option<Span>,
    /// How long it must have been true before it fires.
    #[serde(default, rename = "for")]
    pub for_: Span,
    /// From firing to the page (grouping, delivery).
    #[serde(default)]
    pub delivery: Span,
    /// Whether it pages people. An alert that does not is evidence for who looks.
    #[serde(default = "yes")]
    pub pages: bool,
}

fn yes() -> bool {
    true
}

fn a_minute() -> Span {
    Span(60_000_000_000)
}

fn quarter_minute() -> Span {
    Span(15_000_000_000)
}

/// What people find when they look: a signal that has passed its threshold, and how long it takes
/// after the acknowledgement until somebody looks there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What is to be seen.
    pub signal: Signal,
    /// It is there above this. Give `above` or `below`.
    pub above: Option<Threshold>,
    /// It is there below this.
    pub below: Option<Threshold>,
    /// The time over which the signal is taken, looked at once a minute; once seen it stays known.
    /// Of a gauge, its graph over this time is looked at: it is there if it was at one of these
    /// looks.
    #[serde(default = "a_minute")]
    pub window: Span,
    /// From the acknowledgement until somebody looks there. Left out: at once.
    pub noticed_after: Option<Dist<Span>>,
}

/// The people who respond. Their stages and times: reference F3.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// From the page to somebody at work on it.
    pub acknowledge: Dist<Span>,
    /// From there to the first hypothesis being looked into.
    pub orient: Option<Dist<Span>>,
    /// What they may believe.
    pub hypotheses: Named<Hypothesis>,
    /// Calling in those who know more.
    pub escalate: Option<Escalation>,
    /// What they can do, in the order in which they would.
    pub actions: Named<Action>,
    /// How long they watch after an action before they say that it did not help.
    pub verify: Span,
    /// The alert that tells them whether users are still suffering; the one that paged when left
    /// out.
    pub watches: Option<Name>,
    /// When they declare it over.
    pub declare_over: DeclareOver,
}

/// Something that may be the cause.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// The component (or the client) where the cause would be.
    pub suspect: Name,
    /// What kind of cause it would be there.
    pub cause: Cause,
    /// Names of alerts, of evidence, or of actions (an action that did not help) that suggest it.
    /// The one with most of them known goes first; among equals the one written first; one with
    /// none of them known waits.
    pub suggested_by: Vec<Name>,
    /// How long looking into it takes.
    pub check: Dist<Span>,
}

/// Kinds of causes, as far as a look at a component can tell them apart. A hypothesis is right in a
/// run if its suspect has this at the time when the check ends:
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A bug that is present in what runs there and has struck.
    Bug,
    /// A version deployed there during the run (or stated as `version`) that carries a bug which
    /// has struck.
    Deploy,
    /// A fault there: down by a crash, slow, frozen, erring, or fewer workers, by a change that
    /// still lasts.
    Fault,
    /// A configuration or network fault: a link to or from it that is cut or slow by a change that
    /// still lasts.
    Network,
    /// Exhausted or damaged processes: an instance that is stalled, down, or near (90 %) its memory
    /// limit, or whose workers are all held by requests that will never end, or whose waiting line
    /// is longer than what it serves in a minute.
    Exhaustion,
    /// More load than before: a client whose requests come at more than twice the rate of the time
    /// before the page (the suspect is the client).
    Load,
}

/// Calling in those who know more: a second team that starts when as many hypotheses have been
/// found wrong.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// So many hypotheses found wrong.
    pub after_wrong: u32,
    /// Until the others are at work on it.
    pub takes: Dist<Span>,
}

/// Something that people do about it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The hypotheses (names) that call for it, once found right.
    #[serde(rename = "for")]
    pub for_: Vec<Name>,
    /// What is done, all at the moment when the action is complete.
    pub does: Vec<Deed>,
    /// Components whose processes are replaced with it: what they hold, leaked or queued is gone.
    #[serde(default)]
    pub replaces: Vec<Name>,
    /// From the finding that calls for it to the decision. Left out: it is decided on at once.
    pub decided_after: Option<Dist<Span>>,
    /// From the decision until it is done.
    pub takes: Dist<Span>,
}

/// One thing done by an action.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// One bug is gone from what runs: `component.bug`. Processes go on unless `replaces` names
    /// them.
    Hotfix(Name),
    /// A middleware is taken out of the chains of its hosts.
    Disable(Name),
    /// The version before the last deploy is brought back (processes are replaced).
    Rollback(Name),
    /// The version before the last deploy is brought back in the running processes (the code is
    /// reloaded): what they hold, leaked or queued stays, and a dead process stays dead.
    Reload(Name),
    /// All instances of a component are restarted (processes are replaced).
    Restart(Name),
    /// Requests of a client are refused before they reach anything.
    Block(Name),
    /// So many instances more.
    Scale {
        /// The component.
        component: Name,
        /// How many instances are added.
        add: u32,
    },
}

/// When it is declared over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareOver {
    /// So long without the alert.
    pub quiet: Span,
}
