//! Circuit breakers.
//!
//! Source: reference on resilience mechanisms, 0.2 and A6.1: Resilience4j's
//! `CircuitBreakerStateMachine` and `CircuitBreakerMetrics`, followed exactly; A6.3: gobreaker for
//! the mode that counts consecutive failures.

mod spec;
mod window;

pub use spec::{CircuitBreakerSpec, WindowSpec};

use super::{Nanos, StatusSet};
use crate::status::Status;
use window::{Counts, Seen, Window};

/// Help for `circuit_breaker`.
pub const EXPLAIN: &str = "\
Refuses calls at the caller, with `local_reject`, while too many of the last calls failed or were
slow. Closed: every call passes; when a result brings the window to `minimum_calls` and a rate to
its threshold, the breaker opens. Open: every call is refused until more than `open_for` has passed;
the next call is the first trial. Half-open: `half_open_calls` trials pass; their results close the
breaker or open it again.

Source: Resilience4j, down to the inequalities: rates trip at `>=`, a call is slow when strictly
longer than `slow_call_duration`, the wait is over strictly after `open_for`. The check runs after
successes too. A result counts in the state at its completion, so a call that was sent while closed
can count as a trial. A window `{count: n}` is the last n results; `{time: 10s}` is the current
whole second and the nine before. An ignored result gives its place among the trials back and
counts nowhere. Counted windows need min(minimum_calls, n) results, trials min(minimum_calls,
half_open_calls).

A window `{consecutive: n}` is gobreaker: more than n failures in a row open the breaker, one failed
trial opens it again, `half_open_calls` successful trials in a row close it, and results of calls
sent in an earlier state are dropped. Rates, slowness and `minimum_calls` do not apply.

Other libraries as parameters:
  gobreaker  {window: {consecutive: 5}, open_for: 60s, half_open_calls: 1}
  Polly v8   {window: {time: 30s}, failure_rate: 10%, minimum_calls: 100, open_for: 5s,
              half_open_calls: 1}
  Hystrix    {window: {time: 10s}, failure_rate: 50%, minimum_calls: 20, open_for: 5s,
              half_open_calls: 1}; its check every 500 ms is here a check at every result

```yaml
- circuit_breaker:
    window: {count: 100}
    failure_rate: 50%
    slow_call_rate: 100%
    slow_call_duration: 2s
    minimum_calls: 20
    open_for: 30s
    half_open_calls: 10
```

Traps: one breaker for many instances opens for a single bad one. Little traffic never reaches
`minimum_calls`. Inside a retry every attempt is a result, outside only every call. Trials that
never come back keep it half-open for ever unless `max_half_open` is set. Breakers that opened
together try again together.
";

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// Some calls pass on trial.
    HalfOpen,
}

/// What a call that passed carries until its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the breaker wants to know how the call ends"]
pub struct Permit {
    /// Number of state changes before the call passed.
    generation: u32,
}

/// How a result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A success; a slow one may still open the breaker.
    Success,
    /// A failure.
    Failure,
    /// Not at all.
    Ignored,
}

/// Why a breaker opened: the results that it had seen, and its thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trip {
    /// Results in the window, or of the trials.
    pub total: u32,
    /// Failures among them.
    pub failed: u32,
    /// Slow ones among them.
    pub slow: u32,
    /// The share of failures at which it opens.
    pub failure_rate: f64,
    /// The share of slow calls at which it opens.
    pub slow_call_rate: f64,
    /// Failures in a row that are tolerated, where those are counted.
    pub row: Option<u32>,
    /// It was half-open, and the results are those of the trials.
    pub on_trial: bool,
}

/// One circuit breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    rule: Rule,
    state: State,
    /// When the state began.
    since: Nanos,
    /// State changes so far.
    generation: u32,
    window: Window,
    /// Trials that may still pass while half-open.
    permits: u32,
    /// Results of the trials.
    trials: Counts,
}

/// What does not change.
#[derive(Debug, Clone)]
struct Rule {
    /// gobreaker's mode.
    consecutive: bool,
    failure_rate: f64,
    slow_call_rate: f64,
    slow_call_duration: Nanos,
    minimum_calls: u32,
    open_for: Nanos,
    half_open_calls: u32,
    max_half_open: Option<Nanos>,
    automatic_half_open: bool,
    failures: StatusSet,
    ignore: StatusSet,
}

impl Rule {
    /// Whether a rate has reached its threshold; `None` with fewer than `minimum` results. Rates
    /// and thresholds are both rounded once, so a threshold of 7% is reached by exactly 7 of 100.
    fn exceeded(&self, counts: Counts, minimum: u32) -> Option<bool> {
        let total = f64::from(counts.total);
        let failed = f64::from(counts.failed) / total >= self.failure_rate;
        let slow = f64::from(counts.slow) / total >= self.slow_call_rate;
        (counts.total >= minimum).then_some(failed || slow)
    }

    /// Whether a closed breaker opens.
    fn opens(&self, seen: Seen) -> bool {
        match seen {
            Seen::Rates(counts) => self.exceeded(counts, self.minimum_calls) == Some(true),
            Seen::Row { failures, tolerated } => failures > tolerated,
        }
    }

    /// What a half-open breaker becomes, once its trials have decided.
    fn decision(&self, trials: Counts) -> Option<State> {
        let failed = if !self.consecutive {
            self.exceeded(trials, self.minimum_calls.min(self.half_open_calls))?
        } else if trials.failed == 0 && trials.total < self.half_open_calls {
            return None;
        } else {
            trials.failed > 0
        };
        Some(if failed { State::Open } else { State::Closed })
    }
}

impl Breaker {
    /// A closed breaker. The spec has passed its check; time begins at 0.
    #[must_use]
    pub fn new(spec: &CircuitBreakerSpec) -> Self {
        let ignore = StatusSet::of(&spec.ignore);
        let failures = spec.failures.as_deref().map(StatusSet::of);
        let rule = Rule {
            consecutive: matches!(spec.window, WindowSpec::Consecutive(_)),
            failure_rate: spec.failure_rate.0,
            slow_call_rate: spec.slow_call_rate.0,
            slow_call_duration: spec.slow_call_duration.0,
            minimum_calls: match spec.window {
                WindowSpec::Count(n) => spec.minimum_calls.min(n),
                _ => spec.minimum_calls,
            },
            open_for: spec.open_for.0,
            half_open_calls: spec.half_open_calls,
            max_half_open: spec.max_half_open.map(|span| span.0),
            automatic_half_open: spec.automatic_half_open,
            failures: failures.unwrap_or_else(|| StatusSet::having(|status| !status.is_good())),
            ignore,
        };
        Self {
            rule,
            state: State::Closed,
            since: 0,
            generation: 0,
            window: Window::new(spec.window),
            permits: 0,
            trials: Counts::default(),
        }
    }

    /// How this status counts. To be ignored comes before to fail.
    #[inline]
    #[must_use]
    pub fn verdict(&self, status: Status) -> Verdict {
        if self.rule.ignore.has(status) {
            Verdict::Ignored
        } else if self.rule.failures.has(status) {
            Verdict::Failure
        } else {
            Verdict::Success
        }
    }

    /// A call wants to pass at `now`; `None` refuses it. After a permit, [`Breaker::done`] is due
    /// once.
    pub fn ask(&mut self, now: Nanos) -> Option<Permit> {
        self.advance(now);
        if self.state == State::Open && self.waited(now) {
            self.change(State::HalfOpen, now);
        }
        match self.state {
            State::Closed => {}
            State::HalfOpen if self.permits > 0 => self.permits -= 1,
            State::HalfOpen | State::Open => return None,
        }
        Some(Permit { generation: self.generation })
    }

    /// True strictly after the wait (reference, 0.2).
    fn waited(&self, now: Nanos) -> bool {
        now > self.since.saturating_add(self.rule.open_for)
    }

    /// The call that passed with `permit` ended at `now` after `duration` nanoseconds.
    pub fn done(&mut self, now: Nanos, permit: Permit, verdict: Verdict, duration: Nanos) {
        self.advance(now);
        if self.rule.consecutive && permit.generation != self.generation {
            return; // gobreaker drops results of calls that were sent in an earlier state
        }
        if verdict == Verdict::Ignored {
            // Resilience4j does so even for a call that passed while closed: one more trial passes.
            self.permits += u32::from(self.state == State::HalfOpen);
            return;
        }
        let failed = verdict == Verdict::Failure;
        let slow = duration > self.rule.slow_call_duration;
        match self.state {
            // Resilience4j records these for its metrics only: the next window is a fresh one.
            State::Open => {}
            State::Closed => {
                if self.rule.opens(self.window.record(now, failed, slow)) {
                    self.change(State::Open, now);
                }
            }
            State::HalfOpen => {
                self.trials.add(failed, slow);
                if let Some(state) = self.rule.decision(self.trials) {
                    self.change(state, now);
                }
            }
        }
    }

    /// Why a breaker is open that has just opened; `on_trial` says that it was half-open before.
    #[must_use]
    pub fn trip(&self, on_trial: bool) -> Trip {
        let (Counts { total, failed, slow }, row) = match (on_trial, self.window.seen()) {
            (true, _) => (self.trials, None),
            (false, Seen::Rates(counts)) => (counts, None),
            (false, Seen::Row { failures, tolerated }) => {
                (Counts { total: failures, failed: failures, slow: 0 }, Some(tolerated))
            }
        };
        let Rule { failure_rate, slow_call_rate, .. } = self.rule;
        Trip { total, failed, slow, failure_rate, slow_call_rate, row, on_trial }
    }

    /// The state at `now`. An open breaker whose wait is over stays open until the next call,
    /// unless `automatic_half_open` is set.
    pub fn state(&mut self, now: Nanos) -> State {
        self.advance(now);
        self.state
    }

    /// Whether it was half-open when it was last asked or told.
    #[must_use]
    pub fn is_half_open(&self) -> bool {
        self.state == State::HalfOpen
    }

    /// The state at `now`, and when it will change by itself, if nothing happens before.
    #[must_use]
    pub fn at(&self, now: Nanos) -> (State, Option<Nanos>) {
        if self.next_timer().is_none_or(|at| at > now) {
            return (self.state, self.next_timer());
        }
        let mut later = self.clone();
        (later.state(now), later.next_timer())
    }

    /// When the state changes by itself, if nothing happens before. Other methods notice that
    /// moment themselves: a timer is needed only to see the change when it happens.
    #[must_use]
    pub fn next_timer(&self) -> Option<Nanos> {
        let wait = match self.state {
            State::Closed => None,
            State::Open => self.rule.automatic_half_open.then_some(self.rule.open_for),
            State::HalfOpen => self.rule.max_half_open,
        };
        self.since.checked_add(wait?)
    }

    /// Makes the changes that time alone makes, each at its own moment.
    fn advance(&mut self, now: Nanos) {
        if let (true, Some(half_open)) = (self.rule.automatic_half_open, self.rule.max_half_open)
            && self.state != State::Closed
        {
            // Long idle: jump over all but the last of the rounds from open to open.
            let round = self.rule.open_for.saturating_add(half_open).max(1);
            let rounds = now.saturating_sub(self.since) / round;
            self.since += rounds.saturating_sub(1) * round;
        }
        while let Some(at) = self.next_timer().filter(|at| *at <= now) {
            let half_open = self.state == State::HalfOpen;
            self.change(if half_open { State::Open } else { State::HalfOpen }, at);
        }
    }

    fn change(&mut self, state: State, now: Nanos) {
        self.state = state;
        self.since = now;
        self.generation = self.generation.wrapping_add(1);
        match state {
            State::Closed => self.window.clear(),
            State::Open => {}
            State::HalfOpen => {
                self.permits = self.rule.half_open_calls;
                self.trials = Counts::default();
            }
        }
    }
}

impl super::Layer for Breaker {
    /// The memo is the permit's generation plus one, so that 0 means none.
    fn ask(&mut self, cx: &mut super::Context) -> super::Ask {
        match Breaker::ask(self, cx.now) {
            Some(permit) => {
                *cx.memo = permit.generation.wrapping_add(1);
                super::Ask::Pass
            }
            None => {
                *cx.memo = 0;
                super::Ask::Answer(Status::LocalReject)
            }
        }
    }

    fn told(&mut self, cx: &mut super::Context, status: Status) -> super::Told {
        if *cx.memo != 0 {
            let permit = Permit { generation: cx.memo.wrapping_sub(1) };
            let verdict = self.verdict(status);
            self.done(cx.now, permit, verdict, cx.now - cx.sent);
            *cx.memo = 0;
        }
        super::Told::Deliver
    }

    /// A trial that is given up without an outcome lets another one pass.
    fn forgotten(&mut self, memo: u32) {
        let is_trial = memo != 0 && memo.wrapping_sub(1) == self.generation;
        self.permits += u32::from(is_trial && self.state == State::HalfOpen);
    }

    fn is_open(&self) -> bool {
        self.state == State::Open
    }

    fn breaker(&self) -> Option<&Breaker> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
