//! A run in a few sentences: what began it, what tipped, why it did not heal, what ended it.
//!
//! All of it is read from the run. Nothing knows which model it is.

use super::strain::worst_retries;
use super::words::{Names, length, percent};
use super::{clock, times_of_suffering};
use crate::measure::{View, measures};
use crate::plan::{ChangeAction, InstanceId, Plan};
use crate::plot::words::{number, quantity};
use crate::sim::Outcome;
use crate::sim::story::{Death, Happening, What};
use crate::units::{Bytes, Nanos, seconds};
use std::collections::{BTreeMap, BTreeSet};

/// What tipped is told up to so many things.
const MOST_TIPPED: usize = 4;

/// The run in three to five sentences.
#[must_use]
pub fn in_short(plan: &Plan, outcome: &Outcome) -> Vec<String> {
    in_short_from(plan, outcome, outcome.response.alert)
}

/// As [`in_short`], with times of day that count from another run's alert.
#[must_use]
pub fn in_short_from(plan: &Plan, outcome: &Outcome, alert: Option<Nanos>) -> Vec<String> {
    let names = Names::new(plan, outcome);
    let view = View::new(plan, outcome);
    let times = times_of_suffering(&view);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return vec![no_suffering(plan, outcome)];
    };
    let short = Short {
        names: &names,
        view: &view,
        alert,
        from: view.bucket(first.0).from,
        // The end of the first bad bucket: what came later did not begin it.
        seen: view.bucket(first.0).to,
        end: last.1,
    };
    let mut sentences = vec![short.trigger()];
    sentences.extend(short.tipped());
    sentences.extend(short.why_not_healed());
    sentences.push(short.what_ended_it());
    sentences.push(short.in_total());
    sentences
}

fn no_suffering(plan: &Plan, outcome: &Outcome) -> String {
    let alert = match outcome.response.alert {
        Some(_) => "an alert paged all the same",
        None => "no alert paged",
    };
    let bad = percent(plan.bad_minute);
    format!(
        "Users did not suffer: there were no two minutes close together in which more than {bad} \
         of their requests failed or were slow; {alert}."
    )
}

struct Short<'a> {
    names: &'a Names<'a>,
    view: &'a View<'a>,
    alert: Option<Nanos>,
    /// Users suffer from here on.
    from: Nanos,
    /// The end of the first bad bucket.
    seen: Nanos,
    /// Users are well again.
    end: Nanos,
}

impl Short<'_> {
    fn story(&self) -> &[Happening] {
        &self.view.outcome.story
    }

    /// The time of day, or of the run.
    fn time(&self, at: Nanos) -> String {
        clock(self.view.plan, self.alert, at).unwrap_or_else(|| {
            let second = seconds(at) as u64;
            format!("{}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
        })
    }

    fn change(&self, id: u32) -> &str {
        self.view.plan.changes.get(id as usize).map_or("?", |change| &change.name)
    }

    fn is_deploy(&self, id: u32) -> bool {
        let action = self.view.plan.changes.get(id as usize).map(|change| &change.action);
        matches!(action, Some(ChangeAction::Deploy { .. }))
    }

    /// The last change that began before users suffered.
    fn trigger_of_run(&self) -> Option<(u32, Nanos)> {
        let begun =
            self.story().iter().take_while(|h| h.at <= self.seen).filter_map(|h| match h.what {
                What::Change { change, begins: true } => Some((change, h.at)),
                _ => None,
            });
        begun.last()
    }

    fn trigger(&self) -> String {
        let (after, suffer) =
            (|at: Nanos| length(self.seen.saturating_sub(at)), self.time(self.seen));
        match self.trigger_of_run() {
            Some((id, at)) => {
                let action = self.view.plan.changes.get(id as usize).map(|change| &change.action);
                let does = action.map_or(String::new(), |action| self.names.change(action, at));
                format!(
                    "It began with `{}` at {} ({does}); users suffered from {suffer} on, {} later.",
                    self.change(id),
                    self.time(at),
                    after(at)
                )
            }
            None => format!(
                "No change began it: it built up by itself until users suffered, from {suffer} on."
            ),
        }
    }

    /// What tipped first, and what after it, until users were well again.
    fn tipped(&self) -> Option<String> {
        let mut known = BTreeSet::new();
        let mut told = Vec::new();
        for happening in self.story().iter().take_while(|h| h.at < self.end) {
            let Some((key, words)) = self.tipping(&happening.what) else { continue };
            if known.insert(key) {
                told.push(format!("{words} ({})", self.time(happening.at)));
            }
        }
        let more = told.len().saturating_sub(MOST_TIPPED);
        told.truncate(MOST_TIPPED);
        let first = told.first()?.clone();
        let rest = &told[1..];
        let mut text = format!("What tipped first: {first}");
        if !rest.is_empty() {
            text.push_str(&format!("; then {}", rest.join(", ")));
        }
        if more > 0 {
            text.push_str(&format!(", and {more} more"));
        }
        Some(text + ".")
    }

    /// What has tipped, if it is a thing that tips: its kind and place, and words for it.
    fn tipping(&self, what: &What) -> Option<((u8, u32), String)> {
        let id = |instance: InstanceId| self.names.component_of(instance);
        let who = |instance: InstanceId| self.names.component(id(instance));
        Some(match *what {
            What::BugStruck { bug, .. } => {
                ((0, bug), format!("the bug {} struck", self.names.bug(bug)))
            }
            What::AllWorkersHeld { instance, workers } => {
                let words =
                    format!("{workers} of {workers} workers of {} were held", who(instance));
                ((1, id(instance)), words)
            }
            What::LineFull { instance, waiting } => {
                ((2, id(instance)), format!("the line of {} was full at {waiting}", who(instance)))
            }
            What::PoolExhausted { instance, .. } => {
                ((3, id(instance)), format!("{} had no free connection", who(instance)))
            }
            What::MemoryPressure { instance, used, limit } => {
                let share = percent(used as f64 / limit.max(1) as f64);
                (
                    (4, id(instance)),
                    format!("{} slowed with {share} of its memory in use", who(instance)),
                )
            }
            What::Stalled { instance, limit, .. } => {
                let limit = Bytes(limit);
                ((5, id(instance)), format!("{} stalled at its {limit} of memory", who(instance)))
            }
            What::Died { instance, death: Death::OutOfMemory { limit, .. } } => {
                let limit = Bytes(limit);
                ((6, id(instance)), format!("{} died at its {limit} of memory", who(instance)))
            }
            What::Died { instance, death: Death::Bug(bug) } => {
                let bug = self.names.bug(bug);
                ((7, id(instance)), format!("processes of {} died of {bug}", who(instance)))
            }
            What::Breaker { edge, open: true, .. } => {
                let name = self.view.plan.edges.get(edge as usize).map_or("?", |edge| &edge.name);
                ((8, edge), format!("the breaker of {name} opened"))
            }
            _ => return None,
        })
    }

    /// Why it did not heal by itself: what was still broken when its cause had gone or when an
    /// action did not help; else what came again and again.
    fn why_not_healed(&self) -> Option<String> {
        let mut reasons = Vec::new();
        if let Some((id, ended)) = self.end_of_trigger().filter(|(_, ended)| *ended < self.end) {
            let left = self.broken_at(ended).map_or(String::new(), |left| format!(": {left}"));
            reasons.push(format!(
                "`{}` was over at {}, and users suffered for another {}{left}",
                self.change(id),
                self.time(ended),
                length(self.end - ended)
            ));
        }
        for (action, done) in self.failed_actions() {
            let left = self.broken_at(done).map_or(String::new(), |left| format!(": {left}"));
            reasons.push(format!("`{action}` at {} did not help{left}", self.time(done)));
        }
        if reasons.is_empty() {
            reasons.extend(self.loops());
        }
        if let Some((most, before)) = worst_retries(self.view, self.from, self.end)
            && most > 1.2 * before
        {
            reasons.push(format!(
                "retries added load, up to {most:.1} attempts for each request ({before:.1} before)"
            ));
        }
        (!reasons.is_empty())
            .then(|| format!("Why it did not heal by itself: {}.", reasons.join("; ")))
    }

    /// When the change that began it was over. A rollout that is through is not: its version stays.
    fn end_of_trigger(&self) -> Option<(u32, Nanos)> {
        let (id, begun) = self.trigger_of_run()?;
        if self.is_deploy(id) {
            return None;
        }
        let times = self.view.outcome.changes.get(id as usize)?;
        Some((id, times.iter().find(|times| times.0 == begun)?.1?))
    }

    /// Actions that were judged not to help before users were well again, and when they were done.
    fn failed_actions(&self) -> Vec<(&str, Nanos)> {
        let failed: BTreeSet<u32> = self
            .story()
            .iter()
            .filter_map(|h| match h.what {
                What::Judges { action, helped: false } => Some(action),
                _ => None,
            })
            .collect();
        let done = &self.view.outcome.response.actions;
        // The last one is told as what ended it, whatever was thought of it.
        let last = done.iter().filter(|(_, _, at)| *at < self.end).map(|done| done.2).max();
        let before = |at: Nanos| last.is_some_and(|last| at < last);
        let done = done.iter().filter(|(id, _, at)| failed.contains(id) && before(*at));
        done.map(|(id, _, at)| (self.action(*id), *at)).collect()
    }

    fn action(&self, id: u32) -> &str {
        let people = self.view.plan.responder.as_ref();
        people.and_then(|p| p.actions.get(id as usize)).map_or("?", |action| &action.name)
    }

    /// What is broken at a moment, and does not come back by itself.
    fn broken_at(&self, at: Nanos) -> Option<String> {
        let mut broken: BTreeMap<InstanceId, &str> = BTreeMap::new();
        for happening in self.story().iter().take_while(|h| h.at <= at) {
            match happening.what {
                What::AllWorkersHeld { instance, .. } => {
                    broken.entry(instance).or_insert("had all workers held");
                }
                What::Stalled { instance, .. } => {
                    broken.insert(instance, "had stalled at the memory limit");
                }
                What::Died { instance, death } if !matches!(death, Death::Replaced) => {
                    broken.insert(instance, "were down");
                }
                What::Died { instance, .. } | What::CameUp { instance } => {
                    broken.remove(&instance);
                }
                _ => {}
            }
        }
        let mut groups: BTreeMap<(u32, &str), Vec<InstanceId>> = BTreeMap::new();
        for (instance, how) in broken {
            groups.entry((self.names.component_of(instance), how)).or_default().push(instance);
        }
        let mut words: Vec<String> = groups
            .iter()
            .map(|((_, how), instances)| {
                format!("{} {}", self.names.instances(instances), singular(how, instances.len()))
            })
            .collect();
        if words.is_empty() {
            words.extend(self.longest_line_at(at));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The component with the most requests in its lines at the end of the bucket of a moment.
    fn longest_line_at(&self, at: Nanos) -> Option<String> {
        let bucket = self.view.bucket_at(at)?;
        let seen = self.view.outcome.components.iter().zip(0..);
        let waiting = seen.filter_map(|(c, id)| Some((c.buckets.get(bucket)?.waiting, id)));
        let (count, id) = waiting.max_by_key(|(count, id)| (*count, std::cmp::Reverse(*id)))?;
        let count_words = number(f64::from(count));
        (count > 0)
            .then(|| format!("{count_words} requests waited at {}", self.names.component(id)))
    }

    /// Processes that came up to die again.
    fn loops(&self) -> Vec<String> {
        let mut counts: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        for happening in self.story().iter().take_while(|h| h.at < self.end) {
            match happening.what {
                What::Died { instance, death: Death::Bug(_) | Death::OutOfMemory { .. } } => {
                    counts.entry(self.names.component_of(instance)).or_default().0 += 1;
                }
                What::CameUp { instance } => {
                    counts.entry(self.names.component_of(instance)).or_default().1 += 1;
                }
                _ => {}
            }
        }
        let again = counts.into_iter().filter(|(_, (died, _))| *died >= 3);
        again
            .map(|(id, (died, up))| {
                let name = self.names.component(id);
                let came_up = format!("came up again and again ({up} times)");
                format!("processes of {name} {came_up}, and died ({died} times)")
            })
            .collect()
    }

    /// The last thing that was done, or that ended, before users were well again.
    fn what_ended_it(&self) -> String {
        let outcome = self.view.outcome;
        if self.end >= outcome.end {
            return "Nothing ended it: users still suffered when the run ended.".to_owned();
        }
        let well = self.time(self.end);
        // A bucket is bad as a whole: what is done within its last one may have ended it.
        let before = |at: Nanos| at < self.end;
        let action = outcome.response.actions.iter().rfind(|(_, _, at)| before(*at));
        let ended = self.story().iter().filter(|h| before(h.at) && h.at > self.from).filter_map(
            |h| match h.what {
                What::RolloutStops { change, .. } => Some((change, h.at)),
                What::Change { change, begins: false } if !self.is_deploy(change) => {
                    Some((change, h.at))
                }
                _ => None,
            },
        );
        let ended = ended.max_by_key(|(_, at)| *at);
        match (action, ended) {
            (Some(&(id, _, at)), ended) if ended.is_none_or(|(_, other)| other <= at) => {
                let people = self.view.plan.responder.as_ref();
                let action = people.and_then(|p| p.actions.get(id as usize));
                let does = action.map_or(String::new(), |action| self.names.action(action));
                let no = What::Judges { action: id, helped: false };
                let doubted = self.story().iter().any(|h| h.at > at && h.what == no);
                let doubt = if doubted { ", though it was judged not to have helped" } else { "" };
                format!(
                    "What ended it: `{}` at {} ({does}); users were well again at {well}{doubt}.",
                    self.action(id),
                    self.time(at)
                )
            }
            (_, Some((id, at))) => format!(
                "What ended it: `{}` was over at {}; users were well again at {well}.",
                self.change(id),
                self.time(at)
            ),
            _ => format!(
                "Nobody ended it: users were well again at {well}, and no action had been done."
            ),
        }
    }

    fn in_total(&self) -> String {
        let all = measures(self.view.plan);
        let of = |name: &str| {
            let measure = all.iter().find(|measure| measure.name == name)?;
            // A plain stream has no users who could be counted.
            let value = measure.of(self.view).filter(|value| value.is_finite() && *value > 0.0)?;
            Some(quantity(value, measure.unit))
        };
        let mut parts =
            vec![format!("users suffered for {}", length(self.end.saturating_sub(self.from)))];
        parts.extend(of("users_affected").map(|share| format!("{share} of them were affected")));
        parts.extend(of("requests_failed").map(|count| format!("{count} failed")));
        let mut text = format!("In total {}", list(&parts));
        let wrong = self.view.outcome.response.hypotheses.iter().filter(|(.., right)| !right);
        let (mut names, mut time) = (Vec::new(), 0);
        for (id, begun, ended, _) in wrong {
            let people = self.view.plan.responder.as_ref();
            let name = people.and_then(|p| p.hypotheses.get(*id as usize)).map(|h| h.name.as_str());
            names.push(format!("`{}`", name.unwrap_or("?")));
            time += ended - begun;
        }
        if !names.is_empty() {
            let turns = if names.len() == 1 { "wrong turn" } else { "wrong turns" };
            let count = number(names.len() as f64);
            text.push_str(&format!(
                "; {count} {turns} ({}) cost {}",
                names.join(", "),
                length(time)
            ));
        }
        text + "."
    }
}

fn singular(how: &str, count: usize) -> &str {
    if count == 1 && how == "were down" { "was down" } else { how }
}

/// `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
