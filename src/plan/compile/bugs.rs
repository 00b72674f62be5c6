//! Bugs and the conditions on which they strike.

use super::NONE;
use super::builder::{Builder, Place, luck_key};
use crate::component::bug::{Bug, Raises, RateAbove, RatePer, When};
use crate::component::{Component, Kind};
use crate::plan::{BugPlan, ComponentId, RateTrigger};
use crate::text::Name;
use crate::units::seconds;
use std::collections::BTreeSet;

/// Requests that a sliding log remembers at most: one time for each.
const MAX_LOG: f64 = 1e6;
/// Further requests that one bug causes at most.
const MAX_AGAIN: u32 = 1_000_000;

impl<'m> Builder<'m, '_> {
    /// All bugs, in the order in which names numbered them.
    pub fn bugs(&mut self) {
        for (id, (name, component)) in (0..).zip(&self.model.components) {
            let place = Place::top("components").name(name);
            self.check_versions(component);
            let mut seen = BTreeSet::new();
            // Those of the base version are in all others too.
            for (bug_name, bug) in &component.bugs {
                let place = place.word("bugs").name(bug_name);
                self.bug_plan(id, (bug_name, bug), u64::MAX, &place);
                seen.insert(bug_name.value.as_str());
            }
            for (number, (version, words)) in component.versions.iter().enumerate() {
                let place = place.word("versions").name(version).word("bugs");
                for (bug_name, bug) in &words.bugs {
                    if !seen.insert(&bug_name.value) {
                        let what = format!("`{}` has two bugs `{}`", name.value, bug_name.value);
                        self.problem_at(bug_name, what).help("give each its own name");
                    }
                    let bits = 1_u64.checked_shl(number as u32 + 1).unwrap_or(0);
                    self.bug_plan(id, (bug_name, bug), bits, &place.name(bug_name));
                }
            }
        }
    }

    fn bug_plan(
        &mut self,
        id: ComponentId,
        (bug_name, bug): (&'m Name, &'m Bug),
        versions: u64,
        place: &Place,
    ) {
        let (component_name, component) = &self.model.components.0[id as usize];
        let name = format!("{}.{}", component_name.value, bug_name.value);
        let raises = &bug.raises;
        self.check_raises(&name, raises, &place.word("raises"));
        let (client, classes, endpoint) = self.conditions(id, component, &bug.when, place);
        let rate =
            bug.when.rate.and_then(|rate| self.trigger(rate, &place.word("when").word("rate")));
        let log = bug.log.as_ref().map_or(NONE, |line| {
            let line = format!("{}.log.{line}", component_name.value);
            let known = self.plan.logs.iter().position(|known| *known == line);
            known.unwrap_or_else(|| {
                self.plan.logs.push(line);
                self.plan.logs.len() - 1
            }) as u32
        });
        let again_lane = raises.calls_again.map_or(NONE, |again| self.lane(again.pause.0));
        let number = self.plan.bugs.len() as u32;
        self.plan.components[id as usize].bugs.push(number);
        self.plan.bugs.push(BugPlan {
            luck: luck_key(&format!("{}/bugs/{}", component_name.value, bug_name.value)),
            name,
            component: id,
            versions,
            present: bug.present,
            client,
            classes,
            endpoint,
            share: bug.when.share.map_or(1.0, |share| share.0),
            rate,
            error: raises.error,
            exception: raises.exception.map(|e| (e.holds_worker, e.memory.0)),
            crash: raises.crash,
            leaks_memory: raises.leaks_memory.0,
            slow: raises.slow.map_or(1.0, |factor| factor.0),
            delay: raises.delay.map_or(0, |span| span.0),
            calls_again: raises.calls_again.map_or(0, |a| a.times),
            again_lane,
            log,
        });
    }

    /// Client, classes and endpoint of the requests that a bug strikes.
    fn conditions(
        &mut self,
        id: ComponentId,
        component: &Component,
        when: &When,
        place: &Place,
    ) -> (u32, Vec<bool>, u32) {
        let client = when.client.as_ref().and_then(|name| self.client(name)).unwrap_or(NONE);
        let classes = when.class.as_ref().map(|name| self.classes(name)).unwrap_or_default();
        let endpoint = match &when.endpoint {
            Some(_) if component.kind == Kind::Middleware => {
                let place = place.word("when").word("endpoint");
                self.problem(&place, "middleware has no endpoints of its own")
                    .help("say which requests by their `class`");
                NONE
            }
            Some(name) => self.endpoint(id, name).unwrap_or(NONE),
            None => NONE,
        };
        (client, classes, endpoint)
    }

    /// "More than `above` x `window` requests in the window" is, for whole numbers, more than the
    /// whole part of the product.
    fn trigger(&mut self, rate: RateAbove, place: &Place) -> Option<RateTrigger> {
        let per_component = rate.per == RatePer::Component;
        let times = if per_component { f64::from(self.enlarged) } else { 1.0 };
        let product = rate.above.0 * seconds(rate.window.0) * times;
        if rate.window.0 == 0 {
            self.problem(&place.word("window"), "a rate over a window of 0")
                .help("write for example `10s`");
            return None;
        }
        if product > MAX_LOG {
            self.problem(place, format!("{product:.0} requests to remember for a rate"))
                .help(format!("at most {MAX_LOG:.0} are possible; shorten the window"));
            return None;
        }
        // 0.1/s for 30 s is 3, whatever the rounding of the product.
        let count = (product + 1e-9).floor() as u32;
        Some(RateTrigger { count, window: rate.window.0, per_component })
    }

    fn check_raises(&mut self, name: &str, raises: &Raises, place: &Place) {
        let does = raises.error.is_some()
            || raises.exception.is_some()
            || raises.crash
            || raises.leaks_memory.0 > 0
            || raises.slow.is_some()
            || raises.delay.is_some()
            || raises.calls_again.is_some();
        if !does && !self.is_removed("raises") {
            self.problem(place, format!("the bug `{name}` does nothing"))
                .help("write for example `raises: {error: server_error}`");
        }
        let ends = [raises.error.is_some(), raises.exception.is_some(), raises.crash];
        if ends.iter().filter(|end| **end).count() > 1 {
            self.problem(place, format!("the bug `{name}` ends a request in several ways"))
                .help("write one of `error`, `exception` and `crash`");
        }
        if let Some(status) = raises.error.filter(|status| status.is_good()) {
            let what = format!("`{}` is no error", status.word());
            self.problem(&place.word("error"), what).help("write for example `server_error`");
        }
        if raises.calls_again.is_some_and(|a| a.times == 0 || a.times > MAX_AGAIN || a.pause.0 == 0)
        {
            self.problem(
                &place.word("calls_again"),
                "a loop of no length, without end, or without a pause",
            )
            .help(format!("write 1 to {MAX_AGAIN}"));
        }
    }
}
