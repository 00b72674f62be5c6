//! What happens at a time.

use super::NONE;
use super::builder::{Builder, Place, zero};
use crate::change::knob::Turn;
use crate::change::{Change, InProgress, Phases, Rollout, Surge, Target, What};
use crate::dist::{Dist, Sampler};
use crate::plan::{CanaryPlan, ChangeAction, ChangePlan, ComponentId, Source};
use crate::text::Name;

/// Requests from which on a canary's share of errors is looked at, when the file does not say.
const MINIMUM_REQUESTS: u32 = 20;

/// What kind of change it is, as far as its times and work in progress are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// It lasts, and turns knobs of instances.
    Turn,
    /// It lasts.
    Lasting,
    /// It happens at one moment.
    Moment,
}

impl<'m> Builder<'m, '_> {
    /// All changes, in the order of the file.
    pub fn changes(&mut self) {
        let model = self.model;
        for (name, change) in &model.changes {
            let place = Place::top("changes").name(name);
            let action = self.action(&change.what, &place.word("what"));
            let at = self.begin(name, change, &place);
            self.check_end(name, change, &place);
            let in_progress = self.in_progress(change, &place);
            let lasts = self.law_if(change.lasts.as_ref(), &place.word("lasts"));
            let recurring = self.recurring(name, change, &place);
            if let Some(action) = action {
                self.plan.changes.push(ChangePlan {
                    name: name.value.clone(),
                    action,
                    chance: change.chance.map_or(1.0, |share| share.0),
                    at,
                    lasts,
                    until: change.until.map(|span| span.0),
                    recurring,
                    in_progress,
                });
            }
        }
    }

    fn begin(&mut self, name: &Name, change: &Change, place: &Place) -> Sampler {
        if let Some(at) = &change.at {
            return self.law(at, &place.word("at"));
        }
        if change.recurring.is_none() && !self.is_removed("at") && !self.is_removed("recurring") {
            self.problem_at(name, format!("`{}` does not say when", name.value))
                .help("write for example `at: 30min`");
        }
        zero()
    }

    /// The end: at most one of `until` and `lasts`, after the beginning, for what can end.
    fn check_end(&mut self, name: &Name, change: &Change, place: &Place) {
        let ends = change.until.is_some() || change.lasts.is_some();
        if nature(&change.what) == Nature::Moment && ends {
            let what = format!("`{}` happens at one moment and has no end", name.value);
            self.problem_at(name, what).help("leave `until` and `lasts` out");
        }
        if change.until.is_some() && change.lasts.is_some() {
            let what = format!("`{}` has both `until` and `lasts`", name.value);
            self.problem_at(name, what).help("write one of them");
        }
        if change.recurring.is_some() && change.lasts.is_some() {
            self.problem(&place.word("lasts"), "`lasts` beside `recurring`")
                .help("`down` says how long each time lasts; leave `lasts` out");
        }
        if let (Some(until), Some(Dist::Fixed(at))) = (change.until, &change.at)
            && until <= *at
        {
            let what = format!("`{}` ends at {until}, but begins at {at}", name.value);
            self.problem(&place.word("until"), what)
                .help("`until` is a time of the run, as `at` is; `lasts` is a length");
        }
    }

    fn recurring(
        &mut self,
        name: &Name,
        change: &Change,
        place: &Place,
    ) -> Option<(Sampler, Sampler, bool)> {
        let recurring = change.recurring.as_ref()?;
        let place = place.word("recurring");
        let deploys = matches!(change.what, What::Deploy(_) | What::Rollback(_));
        if deploys {
            self.problem(&place, format!("`{}` cannot come again and again", name.value))
                .help("write one change for each deploy");
        }
        if recurring.each_instance && nature(&change.what) != Nature::Turn {
            self.problem(&place.word("each_instance"), "`each_instance` without instances")
                .help("it is for `crash`, `slow`, `freeze`, `errors` and `fewer_workers`");
        }
        if recurring.up.mean() + recurring.down.mean() == 0.0 {
            self.problem(&place, "times of 0 would come and go for ever at one moment");
        }
        let up = self.law(&recurring.up, &place.word("up"));
        let down = self.law(&recurring.down, &place.word("down"));
        Some((up, down, recurring.each_instance))
    }

    /// What becomes of work in progress: only a slowness, a freeze and a crash touch it.
    fn in_progress(&mut self, change: &Change, place: &Place) -> InProgress {
        use InProgress::{Continues, Lost, Pauses, Rescaled};
        let (allowed, word): (&[InProgress], &str) = match change.what {
            What::Slow(_) => (&[Continues, Rescaled], "`slow` has `continues` or `rescaled`"),
            What::Crash(_) => (&[Lost], "`crash` has only `lost`; `freeze` pauses work"),
            What::Freeze(_) => (&[Pauses], "`freeze` has only `pauses`"),
            _ => (&[], "only `slow`, `freeze` and `crash` touch work in progress"),
        };
        let default = allowed.first().copied().unwrap_or(Continues);
        let said = change.in_progress.unwrap_or(default);
        if change.in_progress.is_some() && !allowed.contains(&said) {
            self.problem(&place.word("in_progress"), "`in_progress` does not fit this change")
                .help(word);
        }
        said
    }

    fn action(&mut self, what: &'m What, place: &Place) -> Option<ChangeAction> {
        match what {
            What::Surge(surge) => self.surge(surge, &place.word("surge")),
            What::Crash(target) => self.turn(target, Turn::Down, &place.word("crash")),
            What::Freeze(target) => self.turn(target, Turn::Frozen, &place.word("freeze")),
            What::Slow(slow) => {
                let target =
                    Target { component: slow.component.clone(), instances: slow.instances };
                self.turn(&target, Turn::Slower(slow.by.0), &place.word("slow"))
            }
            What::Errors(errors) => {
                let place = place.word("errors");
                if errors.status.is_good() {
                    let what = format!("`{}` is no error", errors.status.word());
                    self.problem(&place.word("status"), what)
                        .help("write for example `server_error`");
                }
                let component = errors.component.clone();
                let target = Target { component, instances: errors.instances };
                self.turn(&target, Turn::Errors(errors.share.0, errors.status), &place)
            }
            What::FewerWorkers(fewer) => {
                let target = Target { component: fewer.component.clone(), instances: None };
                self.turn(&target, Turn::Workers(fewer.workers), &place.word("fewer_workers"))
            }
            What::Cut(link) => self.link(link.from.as_ref(), &link.to, None),
            What::Delay(delay) => self.link(delay.from.as_ref(), &delay.to, Some(delay.by.0)),
            What::Bug(name) => {
                let bug = self.bug(name)?;
                if self.plan.bugs[bug as usize].present {
                    let what = format!("`{}` is there all the time", name.value);
                    self.problem_at(name, what)
                        .help("write `present: no` at the bug to switch it on");
                }
                Some(ChangeAction::Bug(bug))
            }
            What::Deploy(deploy) => {
                let component = self.station(&deploy.component, "deployed")?;
                let version = self.version(component, &deploy.version);
                let place = place.word("deploy").word("how");
                let (batch, pause) = self.rollout(&deploy.how, &place);
                let canary = self.canary(component, &deploy.how, &place);
                let version = Some(version?);
                let beside = matches!(deploy.how, Rollout::BlueGreen);
                Some(ChangeAction::Deploy { component, version, batch, pause, beside, canary })
            }
            What::Rollback(rollback) => {
                let component = self.station(&rollback.component, "rolled back")?;
                let place = place.word("rollback").word("how");
                let (batch, pause) = self.rollout(&rollback.how, &place);
                let canary = self.canary(component, &rollback.how, &place);
                let (version, beside) = (None, matches!(rollback.how, Rollout::BlueGreen));
                Some(ChangeAction::Deploy { component, version, batch, pause, beside, canary })
            }
            What::Flush(target) => {
                let (component, count) = self.instances(target, &place.word("flush"))?;
                Some(ChangeAction::Flush { component, count })
            }
            What::EmptyCaches(target) => {
                let place = place.word("empty_caches");
                let (component, count) = self.instances(target, &place)?;
                if self.plan.components[component as usize].caches.is_empty() {
                    let what = format!("`{}` has no caches", target.component.value);
                    self.problem_at(&target.component, what)
                        .help("write for example `caches: {items: {size: 1000}}`");
                }
                Some(ChangeAction::EmptyCaches { component, count })
            }
        }
    }

    fn turn(&mut self, target: &Target, turn: Turn, place: &Place) -> Option<ChangeAction> {
        let (component, count) = self.instances(target, place)?;
        Some(ChangeAction::Turn { component, count, turn })
    }

    /// A component and the number of its instances that are concerned.
    fn instances(&mut self, target: &Target, place: &Place) -> Option<(ComponentId, u32)> {
        let id = self.station(&target.component, "changed")?;
        let (name, component) = &self.model.components.0[id as usize];
        let count = target.instances.unwrap_or(component.instances);
        if target.instances == Some(0) || count > component.instances {
            let what =
                format!("{count} instances of `{}`, which has {}", name.value, component.instances);
            self.problem(&place.word("instances"), what)
                .help("leave `instances` out for all of them");
        }
        Some((id, self.enlarged(count)))
    }

    fn surge(&mut self, surge: &Surge, place: &Place) -> Option<ChangeAction> {
        let client = self.client(&surge.clients)?;
        if surge.to.is_some() == surge.by.is_some() {
            self.problem(place, "a surge has either `to` or `by`")
                .help("`to: 6/s` sets the rate, `by: 3x` multiplies it");
        }
        let source = self.plan.clients.get(client as usize).map(|client| &client.source);
        if source.is_some_and(|source| !matches!(source, Source::Open { .. })) {
            let what = format!("`{}` has no rate that could surge", surge.clients.value);
            self.problem_at(&surge.clients, what)
                .help("a surge needs `poisson`, `constant` or `profile` arrivals");
        }
        Some(ChangeAction::Surge {
            client,
            to: surge.to.map(|rate| rate.0 * f64::from(self.enlarged)),
            by: surge.by.map_or(1.0, |factor| factor.0),
        })
    }

    /// A link from a component, a client or anybody; there must be calls on it.
    fn link(&mut self, from: Option<&Name>, to: &Name, delay: Option<u64>) -> Option<ChangeAction> {
        let callee = self.station(to, "called");
        let (mut component, mut client) = (NONE, NONE);
        if let Some(from) = from {
            match self.names.clients.get(from.value.as_str()) {
                Some(id) => client = *id,
                None => component = self.component(from)?,
            }
        }
        let callee = callee?;
        let calls = self.plan.edges.iter().any(|edge| {
            edge.to == callee
                && (component == NONE || edge.from == component)
                && (client == NONE || edge.from_client == client)
        });
        // A client or component with a problem of its own may have lost its calls.
        let lost =
            self.is_removed(&to.value) || from.is_some_and(|from| self.is_removed(&from.value));
        if !calls && !lost {
            let who = from.map_or("anybody", |from| from.value.as_str());
            let what = format!("there is no link: `{who}` never calls `{}`", to.value);
            self.problem_at(from.unwrap_or(to), what).help("`from` calls, `to` is called");
        }
        Some(ChangeAction::Link { from: component, from_client: client, to: callee, delay })
    }

    fn rollout(&mut self, how: &Rollout, place: &Place) -> (u32, u64) {
        match how {
            Rollout::AtOnce | Rollout::BlueGreen => (u32::MAX, 0),
            Rollout::Rolling { batch, pause } => {
                if *batch == 0 {
                    let place = place.word("rolling").word("batch");
                    self.problem(&place, "batches of 0 instances").help("write at least 1");
                }
                (self.enlarged(*batch), pause.0)
            }
            Rollout::Canary(canary) => match &canary.then {
                None => (u32::MAX, 0),
                Some(Phases { batch, pause }) => {
                    if *batch == 0 {
                        let place = place.word("canary").word("then").word("batch");
                        self.problem(&place, "batches of 0 instances").help("write at least 1");
                    }
                    (self.enlarged(*batch), pause.0)
                }
            },
        }
    }

    /// What a rollout watches, if it watches itself.
    fn canary(
        &mut self,
        component: ComponentId,
        how: &Rollout,
        place: &Place,
    ) -> Option<CanaryPlan> {
        let Rollout::Canary(canary) = how else { return None };
        let place = place.word("canary");
        let (name, words) = &self.model.components.0[component as usize];
        if canary.instances == 0 || canary.instances >= words.instances {
            let what = format!(
                "a canary of {} instances of `{}`, which has {}",
                canary.instances, name.value, words.instances
            );
            self.problem(&place.word("instances"), what)
                .help("some of the instances go first, at least 1 and not all");
        }
        if canary.every.0 == 0 {
            self.problem(&place.word("every"), "looks without a time between them")
                .help("write for example `every: 30s`");
        }
        let stops = &canary.stops_at;
        if stops.deaths.is_none() && stops.errors.is_none() && stops.memory.is_none() {
            self.problem(&place.word("stops_at"), "nothing stops this rollout")
                .help("give `deaths`, `errors` or `memory`");
        }
        if stops.deaths == Some(0) {
            self.problem(&place.word("stops_at").word("deaths"), "0 deaths stop every rollout")
                .help("`deaths: 1` stops it at the first one");
        }
        if stops.memory.is_some() && words.memory.is_none() {
            let what = format!("`{}` has no memory to look at", name.value);
            self.problem(&place.word("stops_at").word("memory"), what)
                .help("give the component `memory`");
        }
        Some(CanaryPlan {
            instances: self.enlarged(canary.instances),
            watch: canary.watch.0,
            every: canary.every.0,
            deaths: stops.deaths,
            errors: stops.errors.map(|share| share.0),
            minimum_requests: stops.minimum_requests.unwrap_or(MINIMUM_REQUESTS),
            memory: stops.memory.map(|share| share.0),
        })
    }
}

fn nature(what: &What) -> Nature {
    match what {
        What::Crash(_)
        | What::Slow(_)
        | What::Freeze(_)
        | What::Errors(_)
        | What::FewerWorkers(_) => Nature::Turn,
        What::Surge(_) | What::Cut(_) | What::Delay(_) | What::Bug(_) => Nature::Lasting,
        What::Deploy(_) | What::Rollback(_) | What::Flush(_) | What::EmptyCaches(_) => {
            Nature::Moment
        }
    }
}
