//! Alerts, evidence and the people.

use super::NONE;
use super::builder::{Builder, Place};
use super::signals::Words;
use crate::plan::{
    ActionPlan, AlertPlan, Clue, DeedPlan, EvidencePlan, HypothesisPlan, Place as Where,
    ResponderPlan, SignalPlan,
};
use crate::response::{Action, Alert, Cause, Deed, Hypothesis, Responder};
use crate::text::{Name, Named, unknown};
use std::collections::BTreeSet;

impl<'m> Builder<'m, '_> {
    /// Who watches and acts.
    pub fn response(&mut self) {
        let response = &self.model.response;
        let top = Place::top("response");
        self.check_shared_names();
        for (name, alert) in &response.alerts {
            self.alert(name, alert, &top.word("alerts").name(name));
        }
        for (name, evidence) in &response.evidence {
            let place = top.word("evidence").name(name);
            let words = Words {
                name,
                signal: &evidence.signal,
                above: evidence.above,
                below: evidence.below,
                window: evidence.window,
            };
            let watch = self.watch(&words, &place);
            let noticed = evidence.noticed_after.as_ref();
            let noticed_after = self.law_if(noticed, &place.word("noticed_after"));
            if let Some(watch) = watch {
                self.plan.evidence.push(EvidencePlan {
                    name: name.value.clone(),
                    signal: watch.signal,
                    threshold: watch.threshold,
                    above: watch.above,
                    window: evidence.window.0,
                    noticed_after,
                });
            }
        }
        if let Some(responder) = &response.responder {
            let plan = self.responder(responder, &top.word("responder"));
            self.plan.responder = Some(plan);
        }
    }

    /// Alerts, evidence and actions are all named in `suggested_by`.
    fn check_shared_names(&mut self) {
        let response = &self.model.response;
        let alerts = response.alerts.iter().map(|(name, _)| name);
        let evidence = response.evidence.iter().map(|(name, _)| name);
        let actions =
            response.responder.iter().flat_map(|r| r.actions.iter().map(|(name, _)| name));
        let mut seen = BTreeSet::new();
        for name in alerts.chain(evidence).chain(actions) {
            if !seen.insert(name.value.as_str()) {
                self.problem_at(name, format!("`{}` names two things", name.value)).help(
                    "alerts, evidence and actions need different names, because \
                           `suggested_by` names them all",
                );
            }
        }
    }

    fn alert(&mut self, name: &Name, alert: &Alert, place: &Place) {
        for (span, word) in [(alert.scrape, "scrape"), (alert.every, "every")] {
            if span.0 == 0 {
                let what = format!("`{}` has `{word}` 0", name.value);
                self.problem(&place.word(word), what).help("write for example `15s`");
            }
        }
        let words = Words {
            name,
            signal: &alert.signal,
            above: alert.above,
            below: alert.below,
            window: alert.window,
        };
        let Some(watch) = self.watch(&words, place) else { return };
        let counts = !matches!(watch.signal, SignalPlan::Level(_));
        if counts && alert.window.0 > 0 && alert.window < alert.scrape {
            let what = format!("`{}` looks at less than one scrape", name.value);
            self.problem(&place.word("window"), what)
                .help(format!("write a window of at least {}", alert.scrape));
        }
        self.plan.alerts.push(AlertPlan {
            name: name.value.clone(),
            signal: watch.signal,
            threshold: watch.threshold,
            above: watch.above,
            window: alert.window.0,
            scrape: alert.scrape.0,
            every: alert.every.0,
            first_scrape: alert.first_scrape.map(|span| span.0),
            first_evaluation: alert.first_evaluation.map(|span| span.0),
            for_: alert.for_.0,
            delivery: alert.delivery.0,
            pages: alert.pages,
        });
    }

    fn responder(&mut self, responder: &'m Responder, place: &Place) -> ResponderPlan {
        let acknowledge = self.law(&responder.acknowledge, &place.word("acknowledge"));
        let orient = self.law_if(responder.orient.as_ref(), &place.word("orient"));
        let mut hypotheses = Vec::new();
        for (name, hypothesis) in &responder.hypotheses {
            let place = place.word("hypotheses").name(name);
            hypotheses.extend(self.hypothesis(name, hypothesis, &responder.actions, &place));
        }
        let escalate = responder.escalate.as_ref().map(|escalation| {
            let place = place.word("escalate");
            if escalation.after_wrong == 0 {
                self.problem(&place.word("after_wrong"), "an escalation after 0 wrong hypotheses")
                    .help("write at least 1");
            }
            (escalation.after_wrong, self.law(&escalation.takes, &place.word("takes")))
        });
        let mut actions = Vec::new();
        for (name, action) in &responder.actions {
            let place = place.word("actions").name(name);
            actions.push(self.people_act(name, action, &responder.hypotheses, &place));
        }
        let alerts = &self.model.response.alerts;
        let watches = responder.watches.as_ref().map(|name| self.listed("alert", name, alerts));
        ResponderPlan {
            acknowledge,
            orient,
            hypotheses,
            escalate,
            actions,
            verify: responder.verify.0,
            watches: watches.flatten().unwrap_or(NONE),
            quiet: responder.declare_over.quiet.0,
        }
    }

    /// The number of a name in a list.
    fn listed<T>(&mut self, kind: &str, name: &Name, list: &Named<T>) -> Option<u32> {
        let found = list.names().position(|known| known == name.value);
        if found.is_none() && !self.is_removed(&name.value) {
            self.push(unknown(kind, name, list.names()));
        }
        found.map(|index| index as u32)
    }

    fn hypothesis(
        &mut self,
        name: &Name,
        hypothesis: &Hypothesis,
        actions: &Named<Action>,
        place: &Place,
    ) -> Option<HypothesisPlan> {
        let suspect = self.component_or_client(&hypothesis.suspect);
        let wanted = match (suspect, hypothesis.cause) {
            (Some(Where::Component(_)), Cause::Load) => Some("a client"),
            (Some(Where::Client(_)), Cause::Load | Cause::Network) | (None, _) => None,
            (Some(Where::Client(_)), _) => Some("a component"),
            (Some(Where::Component(_)), _) => None,
        };
        if let Some(wanted) = wanted {
            let what = format!("such a cause cannot be at `{}`", hypothesis.suspect.value);
            self.problem_at(&hypothesis.suspect, what).help(format!("suspect {wanted}"));
        }
        let gone = self.is_removed("suggested_by");
        if hypothesis.suggested_by.is_empty() && !gone {
            let what = format!("nothing suggests `{}`, so nobody ever looks into it", name.value);
            self.problem_at(name, what).help("name alerts, evidence, or actions that do not help");
        }
        let clues = hypothesis.suggested_by.iter().filter_map(|clue| self.clue(clue, actions));
        let suggested_by = clues.collect();
        let check = self.law(&hypothesis.check, &place.word("check"));
        Some(HypothesisPlan {
            name: name.value.clone(),
            suspect: suspect?,
            cause: hypothesis.cause,
            suggested_by,
            check,
        })
    }

    fn clue(&mut self, name: &Name, actions: &Named<Action>) -> Option<Clue> {
        let response = &self.model.response;
        let at = |mut names: Box<dyn Iterator<Item = &str> + '_>| {
            names.position(|known| known == name.value).map(|index| index as u32)
        };
        let found = at(Box::new(response.alerts.names())).map(Clue::Alert);
        let found = found.or_else(|| at(Box::new(response.evidence.names())).map(Clue::Evidence));
        let found = found.or_else(|| at(Box::new(actions.names())).map(Clue::FailedAction));
        if found.is_none() && !self.is_removed(&name.value) {
            let known = response.alerts.names().chain(response.evidence.names());
            self.push(unknown("alert, evidence or action", name, known.chain(actions.names())));
        }
        found
    }

    fn people_act(
        &mut self,
        name: &Name,
        action: &'m Action,
        hypotheses: &Named<Hypothesis>,
        place: &Place,
    ) -> ActionPlan {
        if action.for_.is_empty() && !self.is_removed("for") {
            self.problem_at(
                name,
                format!("`{}` is for no hypothesis, so nobody does it", name.value),
            )
            .help("name the hypotheses that call for it: `for: [limiter]`");
        }
        if action.does.is_empty() && action.replaces.is_empty() && !self.is_removed("does") {
            self.problem_at(name, format!("`{}` does nothing", name.value))
                .help("write for example `does: [{restart: api}]`");
        }
        let called =
            action.for_.iter().filter_map(|name| self.listed("hypothesis", name, hypotheses));
        let for_ = called.collect();
        let mut does = Vec::new();
        for (index, deed) in action.does.iter().enumerate() {
            does.extend(self.deed(deed, &place.word("does").word(index)));
        }
        let replaced = action.replaces.iter().filter_map(|name| self.station(name, "replaced"));
        let replaces = replaced.collect();
        ActionPlan {
            name: name.value.clone(),
            for_,
            does,
            replaces,
            decided_after: self.law_if(action.decided_after.as_ref(), &place.word("decided_after")),
            takes: self.law(&action.takes, &place.word("takes")),
        }
    }

    fn deed(&mut self, deed: &Deed, place: &Place) -> Option<DeedPlan> {
        match deed {
            Deed::Hotfix(bug) => self.bug(bug).map(DeedPlan::Hotfix),
            Deed::Disable(name) => self.middleware(name).map(DeedPlan::Disable),
            Deed::Rollback(name) => self.station(name, "rolled back").map(DeedPlan::Rollback),
            Deed::Reload(name) => self.station(name, "reloaded").map(DeedPlan::Reload),
            Deed::Restart(name) => self.station(name, "restarted").map(DeedPlan::Restart),
            Deed::Block(name) => self.client(name).map(DeedPlan::Block),
            Deed::Scale { component, add } => {
                if *add == 0 || u64::from(*add) > super::MAX_INSTANCES {
                    let place = place.word("scale").word("add");
                    self.problem(&place, format!("{add} instances more"))
                        .help(format!("write 1 to {}", super::MAX_INSTANCES));
                }
                let add = self.enlarged(*add);
                self.station(component, "scaled").map(|id| DeedPlan::Scale(id, add))
            }
        }
    }
}
