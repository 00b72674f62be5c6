//! Signals, and the thresholds that fit them.

use super::NONE;
use super::builder::{Builder, Place};
use crate::component::Kind;
use crate::plan::{ComponentId, Counter, Gauge, Place as Where, SignalPlan};
use crate::response::{Signal, Threshold};
use crate::status::Status;
use crate::text::{Name, unknown};
use crate::units::Span;

/// Counters that clients have.
const OF_CLIENTS: &[&str] = &["requests", "answers", "answers.STATUS", "errors"];
/// Counters that components have.
const COUNTERS: &[&str] =
    &["requests", "answers", "answers.STATUS", "errors", "exceptions", "deaths", "log.NAME"];
/// Gauges of components.
const GAUGES: &[&str] = &["memory", "line", "present", "busy", "instances_up"];

/// A watched signal and its threshold in base units; true above it, or below.
pub(super) struct Watch {
    pub signal: SignalPlan,
    pub threshold: f64,
    pub above: bool,
}

/// The words of an alert or of evidence that say what is watched.
pub(super) struct Words<'w> {
    pub name: &'w Name,
    pub signal: &'w Signal,
    pub above: Option<Threshold>,
    pub below: Option<Threshold>,
    pub window: Span,
}

impl Builder<'_, '_> {
    /// A signal with exactly one threshold of its kind.
    pub fn watch(&mut self, words: &Words, place: &Place) -> Option<Watch> {
        let signal = self.signal(words.signal, &place.word("signal"));
        if words.window.0 == 0 && !matches!(words.signal, Signal::Level(_)) {
            self.problem(&place.word("window"), "a window of 0 holds nothing")
                .help("write for example `1min`");
        }
        let (threshold, above) = match (words.above, words.below) {
            (Some(threshold), None) => (threshold, true),
            (None, Some(threshold)) => (threshold, false),
            (above, _) => {
                if !self.is_removed("above") && !self.is_removed("below") {
                    let has = if above.is_some() { "both" } else { "neither" };
                    let what = format!("`{}` has {has} `above` and `below`", words.name.value);
                    self.problem_at(words.name, what).help("write one of them");
                }
                return None;
            }
        };
        let word = if above { "above" } else { "below" };
        let mut signal = signal?;
        let wanted = fits(&mut signal, threshold);
        if let Err(wanted) = wanted {
            let what = format!("the threshold is {}, and the signal is {wanted}", threshold.kind());
            self.problem(&place.word(word), what).help(format!("write {wanted} here"));
        }
        let times = if is_total(&signal) { f64::from(self.enlarged) } else { 1.0 };
        Some(Watch { signal, threshold: threshold.value() * times, above })
    }

    fn signal(&mut self, signal: &Signal, place: &Place) -> Option<SignalPlan> {
        match signal {
            Signal::Ratio { of, to } => {
                let (of, to) = (self.counter(of), self.counter(to));
                Some(SignalPlan::Ratio(of?, to?))
            }
            Signal::Count(name) => self.counter(name).map(SignalPlan::Count),
            Signal::Rate(name) => self.counter(name).map(SignalPlan::Rate),
            Signal::RelativeRate(name) => self.counter(name).map(SignalPlan::RelativeRate),
            Signal::Level(name) => self.gauge(name).map(SignalPlan::Level),
            Signal::Latency { of, quantile } => {
                if quantile.0 <= 0.0 || quantile.0 >= 1.0 {
                    let place = place.word("latency").word("quantile");
                    self.problem(&place, "a quantile lies between 0% and 100%")
                        .help("write for example `99%`");
                }
                self.component_or_client(of).map(|of| SignalPlan::Latency(of, quantile.0))
            }
        }
    }

    /// A client, or a component (also middleware), by name.
    pub fn component_or_client(&mut self, name: &Name) -> Option<Where> {
        if let Some(id) = self.names.clients.get(name.value.as_str()) {
            return Some(Where::Client(*id));
        }
        if let Some(id) = self.names.components.get(name.value.as_str()) {
            return Some(Where::Component(*id));
        }
        if !self.is_removed(&name.value) {
            let model = self.model;
            let known = model.components.names().chain(model.clients.names());
            self.push(unknown("component or client", name, known));
        }
        None
    }

    /// Whose series it is, and which.
    fn split<'n>(&mut self, name: &'n Name) -> Option<(Where, &'n str)> {
        let Some((whose, series)) = name.value.split_once('.') else {
            let what = format!("`{}` is not `component.series`", name.value);
            let all = list(COUNTERS.iter().chain(GAUGES));
            self.problem_at(name, what).help(format!("series are {all}"));
            return None;
        };
        let whose = Name { value: whose.to_owned(), mark: name.mark };
        self.component_or_client(&whose).map(|whose| (whose, series))
    }

    fn counter(&mut self, name: &Name) -> Option<Counter> {
        let (place, series) = self.split(name)?;
        let component = match place {
            Where::Component(id) => id,
            Where::Client(_) => NONE,
        };
        match series {
            "requests" => Some(Counter::Requests(place)),
            "answers" => Some(Counter::Answers(place)),
            "errors" => Some(Counter::Errors(place)),
            "exceptions" if component != NONE => Some(Counter::Exceptions(component)),
            "deaths" if component != NONE => Some(Counter::Deaths(component)),
            _ => match series.split_once('.') {
                Some(("answers", status)) => {
                    self.statuses(name, status).map(|bits| Counter::AnswersOf(place, bits))
                }
                Some(("log", _)) if component != NONE => self.log(name).map(Counter::Log),
                _ => {
                    let known = if component == NONE { OF_CLIENTS } else { COUNTERS };
                    self.unknown_series(name, series, known, "counter");
                    None
                }
            },
        }
    }

    /// The statuses that a word (`unavailable`), an HTTP code (`503`) or a class of codes (`5xx`)
    /// names, one bit for each.
    fn statuses(&mut self, name: &Name, word: &str) -> Option<u16> {
        let code = word.parse::<u16>().ok().filter(|code| *code != 0);
        let class = word.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
        let class = class.filter(|class| *class != 0);
        let named = |s: &&Status| {
            s.word() == word || code == Some(s.code()) || class == Some(s.code() / 100)
        };
        let bits = Status::ALL.iter().filter(named).fold(0, |bits, s| bits | 1 << (*s as u16));
        if bits == 0 {
            let words: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
            self.problem_at(name, format!("unknown status `{word}` in `{}`", name.value))
                .help(format!("{} (or its HTTP code)", Self::nearest(word, &words)));
        }
        Some(bits).filter(|bits| *bits != 0)
    }

    /// The log line `component.log.name`, which some bug of the component must leave.
    fn log(&mut self, name: &Name) -> Option<u32> {
        let found = self.plan.logs.iter().position(|line| *line == name.value);
        if found.is_none() && !self.is_removed("log") {
            let known = self.plan.logs.clone();
            let mut problem = unknown("log line", name, known.iter().map(String::as_str));
            if known.is_empty() {
                problem.help = Some("no bug leaves one; give it `log: some line`".to_owned());
            }
            self.push(problem);
        }
        found.map(|index| index as u32)
    }

    fn gauge(&mut self, name: &Name) -> Option<Gauge> {
        let (place, series) = self.split(name)?;
        let id = match place {
            Where::Component(id) if !self.is_middleware(id) => id,
            _ => {
                self.problem_at(name, format!("`{}` is no gauge", name.value)).help(
                    "clients and middleware have counters only; name a component with \
                           instances",
                );
                return None;
            }
        };
        let component = &self.model.components.0[id as usize].1;
        match series {
            "memory" => {
                if component.memory.is_none() && !self.is_removed("memory") {
                    self.problem_at(
                        name,
                        format!("`{}` watches memory that has no limit", name.value),
                    )
                    .help("give the component `memory: {limit: 1GiB, at_limit: killed}`");
                }
                Some(Gauge::Memory(id))
            }
            "busy" => {
                let workers = self.plan.components.get(id as usize).map(|plan| plan.workers);
                if workers == Some(u32::MAX) && !self.is_removed("workers") {
                    self.problem_at(name, "no share of unlimited workers can be busy")
                        .help("watch `present` instead");
                }
                Some(Gauge::Busy(id))
            }
            "line" => Some(Gauge::Line(id)),
            "present" => Some(Gauge::Present(id)),
            "instances_up" => Some(Gauge::InstancesUp(id)),
            _ => {
                self.unknown_series(name, series, GAUGES, "gauge");
                None
            }
        }
    }

    fn unknown_series(&mut self, name: &Name, series: &str, known: &[&str], kind: &str) {
        let near = Self::nearest(series, known);
        let all = list(known.iter());
        let help = if near.starts_with("known") { String::new() } else { format!("{near} ") };
        self.problem_at(name, format!("`{}` is an unknown signal", name.value))
            .help(format!("{help}{kind}s here are {all}"));
    }

    fn is_middleware(&self, id: ComponentId) -> bool {
        self.model.components.0[id as usize].1.kind == Kind::Middleware
    }
}

fn list<'w>(words: impl Iterator<Item = &'w &'w str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Whether a threshold is of the signal's kind; if not, the kind that is wanted. A threshold in
/// bytes makes a level of memory one in bytes.
fn fits(signal: &mut SignalPlan, threshold: Threshold) -> Result<(), &'static str> {
    use Threshold::{Bytes, Number, Rate, Share, Span};
    if let (SignalPlan::Level(Gauge::Memory(id)), Bytes(_)) = (&*signal, threshold) {
        *signal = SignalPlan::Level(Gauge::MemoryBytes(*id));
        return Ok(());
    }
    let (fits, wanted) = match signal {
        SignalPlan::Ratio(..) | SignalPlan::RelativeRate(_) => {
            (matches!(threshold, Share(_) | Number(_)), "a share such as `20%`, or a number")
        }
        SignalPlan::Count(_) => (matches!(threshold, Number(_)), "a plain number"),
        SignalPlan::Rate(_) => (matches!(threshold, Rate(_)), "a rate such as `5/s`"),
        SignalPlan::Latency(..) => (matches!(threshold, Span(_)), "a length of time such as `2s`"),
        SignalPlan::Level(Gauge::Memory(_) | Gauge::MemoryBytes(_)) => {
            (matches!(threshold, Share(_)), "a share such as `90%`, or an amount such as `300MiB`")
        }
        SignalPlan::Level(Gauge::Busy(_)) => {
            (matches!(threshold, Share(_) | Number(_)), "a share such as `90%`, or a number")
        }
        SignalPlan::Level(_) => (matches!(threshold, Number(_)), "a plain number"),
    };
    if fits { Ok(()) } else { Err(wanted) }
}

/// Whether the signal is a total that grows with the scale.
fn is_total(signal: &SignalPlan) -> bool {
    match signal {
        SignalPlan::Count(_) | SignalPlan::Rate(_) => true,
        SignalPlan::Level(gauge) => {
            matches!(gauge, Gauge::Line(_) | Gauge::Present(_) | Gauge::InstancesUp(_))
        }
        SignalPlan::Ratio(..) | SignalPlan::RelativeRate(_) | SignalPlan::Latency(..) => false,
    }
}
