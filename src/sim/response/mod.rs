//! Alerts fire, people look, believe, act, and judge.
//!
//! The people know what monitors and logs show them. Whether a hypothesis is right is read from the
//! world when the look at it ends.

mod cause;
mod deed;
mod watch;

use super::agenda::{Event, Response};
use super::outcome::ResponseOutcome;
use super::story::What;
use super::world::World;
use crate::dist::Sampler;
use crate::plan::{Clue, NONE, Plan};
use crate::rng::Stream;
use crate::units::{MINUTE, Nanos};
use std::collections::BTreeMap;
use watch::Watch;

/// An alert's state.
#[derive(Debug, Default)]
struct AlertState {
    watch: Watch,
    /// When the condition became true; None while it is false.
    true_since: Option<Nanos>,
    firing: bool,
    /// The last evaluation's value.
    value: Option<f64>,
}

/// A piece of evidence.
#[derive(Debug, Default)]
struct EvidenceState {
    watch: Watch,
    /// When somebody begins to look there.
    looked_at_from: Option<Nanos>,
    /// When it was last past its threshold, and its value then.
    passed: Option<(Nanos, f64)>,
    known: bool,
}

/// What the people are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has paged them.
    Idle,
    /// The page waits to be acknowledged.
    Paged,
    /// Getting an overview.
    Orients,
    /// Nothing to follow up at the moment, or things look well.
    Watches,
    /// Looking into a hypothesis since then.
    Checks { hypothesis: u32, since: Nanos },
    /// Waiting for those who know more.
    Escalates,
    /// Weighing an action that is called for.
    Weighs { action: u32 },
    /// An action is being carried out since then.
    Acts { action: u32, since: Nanos },
    /// Watching whether an action helped.
    Verifies { action: u32 },
    /// It is declared over.
    Over,
}

/// What is known of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    Open,
    Right,
    Wrong,
}

/// Alerts and people.
#[derive(Debug)]
pub struct ResponseState {
    alerts: Vec<AlertState>,
    evidence: Vec<EvidenceState>,
    stage: Stage,
    /// Number that the next `Stage` event must carry.
    epoch: u32,
    beliefs: Vec<Belief>,
    done: Vec<bool>,
    failed: Vec<bool>,
    wrong: u32,
    escalated: bool,
    /// The alert that tells whether users suffer.
    watched: u32,
    /// Since when the watched alert is quiet.
    quiet_since: Option<Nanos>,
    /// Luck of each of the things people do, so that a variant in which they leave one out, or do
    /// it earlier, takes as long for the others.
    luck: BTreeMap<String, Stream>,
    outcome: ResponseOutcome,
    over_at: Option<Nanos>,
    /// The run may end.
    pub is_over: bool,
}

impl ResponseState {
    /// Nothing has happened.
    pub fn new(plan: &Plan) -> ResponseState {
        let (hypotheses, actions) =
            plan.responder.as_ref().map_or((0, 0), |r| (r.hypotheses.len(), r.actions.len()));
        ResponseState {
            alerts: plan.alerts.iter().map(|_| AlertState::default()).collect(),
            evidence: plan.evidence.iter().map(|_| EvidenceState::default()).collect(),
            stage: Stage::Idle,
            epoch: 0,
            beliefs: vec![Belief::Open; hypotheses],
            done: vec![false; actions],
            failed: vec![false; actions],
            wrong: 0,
            escalated: false,
            watched: plan.responder.as_ref().map_or(NONE, |r| r.watches),
            quiet_since: None,
            luck: BTreeMap::new(),
            outcome: ResponseOutcome {
                first_fired: vec![None; plan.alerts.len()],
                resolved: vec![None; plan.alerts.len()],
                noticed: vec![None; plan.evidence.len()],
                ..ResponseOutcome::default()
            },
            over_at: None,
            is_over: false,
        }
    }

    /// What the responders did.
    pub fn take_outcome(&mut self) -> ResponseOutcome {
        std::mem::take(&mut self.outcome)
    }
}

impl World<'_> {
    /// Puts the first scrapes, evaluations and looks on the agenda. Each alert has phases of its
    /// own.
    pub fn first_response(&mut self) {
        let (seed, replica) = (self.plan.seed, self.replica);
        for (index, alert) in self.plan.alerts.iter().enumerate() {
            let mut luck = Stream::new(seed, replica, "alert", &alert.name);
            let (scrape, evaluate) = (luck.unit(), luck.unit());
            let phase = |span: Nanos, u: f64| (span as f64 * u) as Nanos;
            let first = alert.first_scrape.unwrap_or(phase(alert.scrape, scrape));
            self.agenda.at(first, Event::Response(Response::Scrape(index as u32)));
            let first = alert.first_evaluation.unwrap_or(phase(alert.every, evaluate));
            self.agenda.at(first, Event::Response(Response::Evaluate(index as u32)));
        }
        if self.plan.responder.is_some() || !self.plan.evidence.is_empty() {
            self.agenda.at(MINUTE, Event::Response(Response::Look));
        }
    }

    /// A step of the response.
    pub fn respond(&mut self, step: Response) {
        match step {
            Response::Scrape(alert) => self.scrape_alert(alert),
            Response::Evaluate(alert) => self.evaluate(alert),
            Response::Page(alert) => self.page(alert),
            Response::Look => self.look(),
            Response::Stage { epoch } => {
                if epoch == self.response.epoch {
                    self.stage_ends();
                }
            }
        }
    }

    fn scrape_alert(&mut self, index: u32) {
        let plan = &self.plan.alerts[index as usize];
        let next = self.now + plan.scrape;
        self.agenda.at(next, Event::Response(Response::Scrape(index)));
        let mut watch = std::mem::take(&mut self.response.alerts[index as usize].watch);
        self.scrape(&mut watch, &plan.signal, plan.window, index as usize);
        self.response.alerts[index as usize].watch = watch;
    }

    /// Evaluates an alert's rule on what has been scraped (timing of Prometheus, reference F1).
    fn evaluate(&mut self, index: u32) {
        let plan = &self.plan.alerts[index as usize];
        let next = self.now + plan.every;
        self.agenda.at(next, Event::Response(Response::Evaluate(index)));
        let now = self.now;
        let state = &mut self.response.alerts[index as usize];
        state.value = state.watch.value(&plan.signal, plan.window);
        let passed = state
            .value
            .filter(|v| if plan.above { *v > plan.threshold } else { *v < plan.threshold });
        let Some(value) = passed else {
            state.true_since = None;
            if state.firing {
                state.firing = false;
                self.response.outcome.resolved[index as usize] = Some(now);
                self.meter.tell(now, What::AlertResolved { alert: index });
            }
            return;
        };
        let since = *state.true_since.get_or_insert(now);
        if since == now && !state.firing && plan.for_ > 0 {
            self.meter.tell(now, What::AlertPending { alert: index, value });
        }
        if state.firing || now - since < plan.for_ {
            return;
        }
        state.firing = true;
        self.response.outcome.resolved[index as usize] = None;
        self.response.outcome.first_fired[index as usize].get_or_insert(now);
        self.meter.tell(now, What::AlertFires { alert: index, value });
        if plan.pages && self.response.stage == Stage::Idle {
            self.agenda.at(now + plan.delivery, Event::Response(Response::Page(index)));
            // T+0 is when the alert fires, not when the page is read.
            if self.response.outcome.alert.is_none() {
                self.response.outcome.alert = Some(now);
                self.response.outcome.alert_index = Some(index);
            }
        }
    }

    fn page(&mut self, alert: u32) {
        let Some(responder) = &self.plan.responder else { return };
        if self.response.stage != Stage::Idle {
            return;
        }
        if self.response.watched == NONE {
            self.response.watched = alert;
        }
        self.begin_stage(Stage::Paged, Some(&responder.acknowledge));
    }

    fn begin_stage(&mut self, stage: Stage, takes: Option<&Sampler>) {
        self.response.epoch += 1;
        self.response.stage = stage;
        let Some(law) = takes else { return };
        let name = self.name_of(stage);
        let at = self.now + self.time_for(law, name);
        let epoch = self.response.epoch;
        self.agenda.at(at, Event::Response(Response::Stage { epoch }));
    }

    /// How long something takes people; each has a stream of luck of its own.
    fn time_for(&mut self, law: &Sampler, name: String) -> Nanos {
        let (seed, replica) = (self.plan.seed, self.replica);
        let luck = self.response.luck.entry(name);
        let luck = luck.or_insert_with_key(|name| Stream::new(seed, replica, "responder", name));
        law.sample_nanos(luck)
    }

    /// The name of the luck of a stage.
    fn name_of(&self, stage: Stage) -> String {
        let plan = self.plan.responder.as_ref();
        let hypothesis = |h: u32| plan.map_or("", |plan| &plan.hypotheses[h as usize].name);
        let action = |a: u32| plan.map_or("", |plan| &plan.actions[a as usize].name);
        match stage {
            Stage::Paged => "acknowledge".to_owned(),
            Stage::Orients => "orient".to_owned(),
            Stage::Escalates => "escalate".to_owned(),
            Stage::Checks { hypothesis: h, .. } => format!("check {}", hypothesis(h)),
            Stage::Weighs { action: a } => format!("decide {}", action(a)),
            Stage::Acts { action: a, .. } => format!("act {}", action(a)),
            Stage::Verifies { action: a } => format!("verify {}", action(a)),
            Stage::Idle | Stage::Watches | Stage::Over => String::new(),
        }
    }

    /// What the people were doing is done.
    fn stage_ends(&mut self) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        match self.response.stage {
            Stage::Paged => {
                self.response.outcome.acknowledged = Some(self.now);
                self.meter.tell(self.now, What::Acknowledged);
                for (index, evidence) in plan.evidence.iter().enumerate() {
                    let law = evidence.noticed_after.as_ref();
                    let name = || format!("notice {}", evidence.name);
                    let after = law.map_or(0, |law| self.time_for(law, name()));
                    self.response.evidence[index].looked_at_from = Some(self.now + after);
                }
                match &responder.orient {
                    Some(law) => self.begin_stage(Stage::Orients, Some(law)),
                    None => self.decide(),
                }
            }
            Stage::Orients => self.decide(),
            Stage::Checks { hypothesis, since } => self.check_ends(hypothesis, since),
            Stage::Escalates => {
                self.response.outcome.escalated = Some(self.now);
                self.meter.tell(self.now, What::Escalated);
                self.decide();
            }
            Stage::Weighs { action } => self.act(action),
            Stage::Acts { action, since } => self.action_ends(action, since),
            Stage::Verifies { action } => self.judge(action),
            Stage::Idle | Stage::Watches | Stage::Over => {}
        }
    }

    fn users_suffer(&self) -> bool {
        let watched = self.response.watched as usize;
        self.response.alerts.get(watched).is_some_and(|a| a.firing)
    }

    fn is_known(&self, clue: Clue) -> bool {
        match clue {
            Clue::Alert(a) => self.response.outcome.first_fired[a as usize].is_some(),
            Clue::Evidence(e) => self.response.evidence[e as usize].known,
            Clue::FailedAction(a) => self.response.failed[a as usize],
        }
    }

    /// The people choose what to look into next.
    fn decide(&mut self) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        if !self.users_suffer() {
            return self.begin_stage(Stage::Watches, None);
        }
        let clues = |h: usize| {
            responder.hypotheses[h].suggested_by.iter().filter(|c| self.is_known(**c)).count()
        };
        let open = (0..responder.hypotheses.len())
            .filter(|h| self.response.beliefs[*h] == Belief::Open)
            .map(|h| (h, clues(h)))
            .filter(|(_, known)| *known > 0)
            // The most clues; among equals the one written first.
            .min_by_key(|(h, known)| (usize::MAX - known, *h));
        if let Some((h, known)) = open {
            let hypothesis = h as u32;
            self.meter.tell(self.now, What::Suspects { hypothesis, clues: known as u32 });
            let stage = Stage::Checks { hypothesis, since: self.now };
            return self.begin_stage(stage, Some(&responder.hypotheses[h].check));
        }
        // Nothing new to look into: what else can be done about what has been found?
        let right = |h: &u32| self.response.beliefs[*h as usize] == Belief::Right;
        let next = (0..responder.actions.len())
            .find(|a| !self.response.done[*a] && responder.actions[*a].for_.iter().any(right));
        if let Some(action) = next {
            return self.weigh(action as u32);
        }
        // At a loss: they look again at what they had ruled out, or found and not cured.
        let had_clues = (0..responder.hypotheses.len())
            .any(|h| self.response.beliefs[h] != Belief::Open && clues(h) > 0);
        if had_clues {
            self.meter.tell(self.now, What::AtALoss);
            self.response.beliefs.fill(Belief::Open);
            self.response.done.fill(false);
        }
        self.begin_stage(Stage::Watches, None);
    }

    fn check_ends(&mut self, hypothesis: u32, since: Nanos) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        let right = self.cause_is_there(&responder.hypotheses[hypothesis as usize]);
        self.meter.tell(self.now, What::Finds { hypothesis, right });
        let outcome = &mut self.response.outcome;
        outcome.hypotheses.push((hypothesis, since, self.now, right));
        self.response.beliefs[hypothesis as usize] =
            if right { Belief::Right } else { Belief::Wrong };
        if right {
            self.response.outcome.diagnosed.get_or_insert(self.now);
            let action = (0..responder.actions.len()).find(|a| {
                !self.response.done[*a] && responder.actions[*a].for_.contains(&hypothesis)
            });
            if let Some(action) = action {
                return self.weigh(action as u32);
            }
            return self.decide();
        }
        if self.response.outcome.diagnosed.is_none() {
            self.response.outcome.wrong_turns += 1;
        }
        self.response.wrong += 1;
        if let Some((after, takes)) = &responder.escalate
            && self.response.wrong >= *after
            && !self.response.escalated
        {
            self.response.escalated = true;
            self.meter.tell(self.now, What::Escalates);
            return self.begin_stage(Stage::Escalates, Some(takes));
        }
        self.decide();
    }

    fn action_ends(&mut self, action: u32, since: Nanos) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        self.response.done[action as usize] = true;
        self.response.outcome.actions.push((action, since, self.now));
        self.meter.tell(self.now, What::Acts { action });
        self.carry_out(&responder.actions[action as usize]);
        self.response.epoch += 1;
        self.response.stage = Stage::Verifies { action };
        let epoch = self.response.epoch;
        let at = self.now + responder.verify;
        self.agenda.at(at, Event::Response(Response::Stage { epoch }));
    }

    fn judge(&mut self, action: u32) {
        let helped = !self.users_suffer();
        self.meter.tell(self.now, What::Judges { action, helped });
        self.response.failed[action as usize] = !helped;
        self.decide();
    }

    /// Once a minute: evidence is looked for, a quiet time noticed, waiting people try again.
    fn look(&mut self) {
        self.agenda.at(self.now + MINUTE, Event::Response(Response::Look));
        let plan = self.plan;
        for (index, evidence) in plan.evidence.iter().enumerate() {
            let mut watch = std::mem::take(&mut self.response.evidence[index].watch);
            let tap = plan.alerts.len() + index;
            self.scrape(&mut watch, &evidence.signal, evidence.window, tap);
            let value = watch.value(&evidence.signal, evidence.window);
            let state = &mut self.response.evidence[index];
            state.watch = watch;
            let looks = state.looked_at_from.is_some_and(|from| self.now >= from);
            let passed = value.filter(|v| {
                if evidence.above { *v > evidence.threshold } else { *v < evidence.threshold }
            });
            if let Some(value) = passed {
                state.passed = Some((self.now, value));
            }
            let seen_for = watch::seen_for(&evidence.signal, evidence.window);
            let seen = state.passed.filter(|(at, _)| self.now - at < seen_for);
            if let Some((_, value)) = seen
                && looks
                && !state.known
            {
                state.known = true;
                self.response.outcome.noticed[index] = Some(self.now);
                self.meter.tell(self.now, What::Noticed { evidence: index as u32, value });
            }
        }
        self.notice_quiet();
        if self.response.stage == Stage::Watches && self.users_suffer() {
            self.decide();
        }
    }

    /// Declares it over after a quiet time, and ends the run some time later.
    fn notice_quiet(&mut self) {
        let plan = self.plan;
        let Some(responder) = &plan.responder else { return };
        let now = self.now;
        if self.response.over_at.is_some_and(|at| now >= at) {
            self.response.is_over = true;
        }
        match self.response.stage {
            Stage::Idle => return self.nothing_happens(),
            Stage::Over if self.users_suffer() => {
                // It was declared over too early: the incident goes on.
                self.response.over_at = None;
                self.response.outcome.declared_over = None;
                return self.decide();
            }
            Stage::Over => return,
            _ => {}
        }
        let suffer = self.users_suffer();
        let busy =
            matches!(self.response.stage, Stage::Weighs { .. } | Stage::Acts { .. } | Stage::Paged);
        if suffer || busy {
            self.response.quiet_since = None;
            return;
        }
        let since = *self.response.quiet_since.get_or_insert(now);
        if now - since >= responder.quiet {
            self.response.outcome.declared_over = Some(now);
            self.meter.tell(now, What::DeclaredOver);
            self.begin_stage(Stage::Over, None);
            self.response.over_at = Some(now + responder.quiet);
        }
    }

    /// A run in which nothing pages anybody ends some time after the last change.
    fn nothing_happens(&mut self) {
        let last = self.meter.changes.iter().flatten().map(|(from, to)| to.unwrap_or(*from)).max();
        let begun = self
            .turns
            .turns
            .iter()
            .all(|turn| turn.never || !self.meter.changes[turn.change as usize].is_empty());
        let ended = self.meter.changes.iter().flatten().all(|c| c.1.is_some());
        let quiet = self.plan.quiet_end;
        let since = last.unwrap_or(0);
        if begun && ended && self.now.saturating_sub(since) >= quiet {
            self.response.is_over = true;
        }
    }
}
