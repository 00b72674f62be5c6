//! Signals as a scraping monitor sees them.

use super::super::meter::LevelOf;
use super::super::world::World;
use crate::histogram::Histogram;
use crate::plan::{Counter, Gauge, Place, SignalPlan};
use crate::status::Status;
use crate::units::{HOUR, Nanos, seconds};
use std::collections::VecDeque;

/// What one scrape read.
#[derive(Debug, Clone)]
struct Sample {
    at: Nanos,
    /// A counter (or the part of a ratio), or a gauge.
    first: f64,
    /// The whole of a ratio.
    second: f64,
    /// Latencies since the scrape before.
    latency: Option<Histogram>,
}

/// A signal with what has been scraped of it.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    samples: VecDeque<Sample>,
    /// Latencies that are forgotten; their buckets serve again.
    spare: Option<Histogram>,
    /// Latencies of the whole window, while they are looked at.
    all: Histogram,
}

/// How long whoever looks sees that a signal was past its threshold: of a gauge the graph over the
/// window, of anything else the value of this moment, which has the window in it already.
pub fn seen_for(signal: &SignalPlan, window: Nanos) -> Nanos {
    match signal {
        SignalPlan::Level(_) => window.max(1),
        _ => 1,
    }
}

impl Watch {
    /// Keeps what a scrape reads, and forgets what no window reaches any more.
    fn keep(&mut self, sample: Sample, signal: &SignalPlan, window: Nanos) {
        let reach = match signal {
            SignalPlan::RelativeRate(_) => window + HOUR,
            _ => window,
        };
        let oldest = sample.at.saturating_sub(reach);
        self.samples.push_back(sample);
        // The last sample before the reach stays: it is where the reach begins.
        while self.samples.len() > 2 && self.samples[1].at <= oldest {
            self.spare = self.samples.pop_front().and_then(|sample| sample.latency);
        }
    }

    /// The first sample at or after a time, before the last one.
    fn since(&self, time: Nanos) -> Option<&Sample> {
        let found = self.samples.iter().find(|s| s.at >= time)?;
        (found.at < self.samples.back()?.at).then_some(found)
    }

    /// The value of the signal at the last scrape; None when there is none (one scrape only,
    /// nothing to divide by).
    pub fn value(&mut self, signal: &SignalPlan, window: Nanos) -> Option<f64> {
        let last = self.samples.back()?;
        if let SignalPlan::Level(_) = signal {
            return Some(last.first);
        }
        let from = last.at.saturating_sub(window);
        if let SignalPlan::Latency(_, quantile) = signal {
            self.all.clear();
            let within = self.samples.iter().filter(|s| s.at > from);
            within.filter_map(|s| s.latency.as_ref()).for_each(|h| self.all.merge(h));
            return (self.all.count() > 0).then(|| self.all.quantile(*quantile));
        }
        let first = self.since(from)?;
        let (gained, whole) = (last.first - first.first, last.second - first.second);
        let span = seconds(last.at - first.at);
        match signal {
            SignalPlan::Ratio(..) => (whole > 0.0).then(|| gained / whole),
            SignalPlan::Count(_) => Some(gained),
            SignalPlan::Rate(_) => Some(gained / span),
            SignalPlan::RelativeRate(_) => {
                let begin = self.samples.front()?;
                let before = (first.first - begin.first) / seconds(first.at - begin.at);
                (first.at > begin.at && before > 0.0).then(|| gained / span / before)
            }
            SignalPlan::Level(_) | SignalPlan::Latency(..) => None,
        }
    }
}

impl World<'_> {
    /// One scrape of a signal. `tap` is where latencies since the last one are.
    pub(super) fn scrape(
        &mut self,
        watch: &mut Watch,
        signal: &SignalPlan,
        window: Nanos,
        tap: usize,
    ) {
        let (first, second) = match signal {
            SignalPlan::Ratio(of, to) => (self.counter(*of), self.counter(*to)),
            SignalPlan::Count(c) | SignalPlan::Rate(c) | SignalPlan::RelativeRate(c) => {
                (self.counter(*c), 0.0)
            }
            SignalPlan::Level(gauge) => (self.gauge(*gauge), 0.0),
            SignalPlan::Latency(..) => (0.0, 0.0),
        };
        let latency = matches!(signal, SignalPlan::Latency(..)).then(|| {
            let mut empty = watch.spare.take().unwrap_or_default();
            empty.clear();
            std::mem::replace(&mut self.meter.taps[tap].1, empty)
        });
        watch.keep(Sample { at: self.now, first, second, latency }, signal, window);
    }

    fn counter(&self, counter: Counter) -> f64 {
        let component = |c: u32| &self.meter.components[c as usize];
        let client = |c: u32| &self.meter.clients[c as usize];
        let of = |answers: &[u64; Status::ALL.len()], set: u16| -> u64 {
            answers.iter().enumerate().filter(|(s, _)| set & (1 << s) != 0).map(|(_, n)| n).sum()
        };
        let bad = |answers: &[u64; Status::ALL.len()]| -> u64 {
            Status::ALL.iter().filter(|s| !s.is_good()).map(|s| answers[*s as usize]).sum()
        };
        let count = match counter {
            Counter::Requests(Place::Component(c)) => component(c).requests,
            Counter::Requests(Place::Client(c)) => client(c).sent,
            Counter::Answers(Place::Component(c)) => component(c).answers.iter().sum(),
            Counter::Answers(Place::Client(c)) => client(c).over(),
            Counter::AnswersOf(Place::Component(c), set) => of(&component(c).answers, set),
            Counter::AnswersOf(Place::Client(c), set) => of(&client(c).ended, set),
            Counter::Errors(Place::Component(c)) => bad(&component(c).answers),
            Counter::Errors(Place::Client(c)) => bad(&client(c).ended) + client(c).slow,
            Counter::Exceptions(c) => component(c).exceptions,
            Counter::Deaths(c) => component(c).deaths,
            Counter::Log(name) => self.meter.logs[name as usize],
        };
        count as f64
    }

    fn gauge(&self, gauge: Gauge) -> f64 {
        match gauge {
            Gauge::Memory(c) => self.gauges(c).memory,
            Gauge::MemoryBytes(c) => self.gauges(c).memory_bytes as f64,
            Gauge::Line(c) => {
                self.meter.components[c as usize].levels.level(LevelOf::Waiting) as f64
            }
            Gauge::Present(c) => {
                self.meter.components[c as usize].levels.level(LevelOf::Present) as f64
            }
            Gauge::Busy(c) => {
                let gauges = self.gauges(c);
                gauges.busy as f64 / gauges.workers.max(1) as f64
            }
            Gauge::InstancesUp(c) => f64::from(self.gauges(c).up),
        }
    }
}
