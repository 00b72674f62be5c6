//! An outcome seen with its plan: what several measures have in common, computed once.

use crate::histogram::Histogram;
use crate::plan::{ChangeAction, ClassId, ClientId, ComponentId, Plan, SignalPlan};
use crate::sim::Outcome;
use crate::sim::users::UserCounts;
use crate::units::{MINUTE, Nanos, seconds};

/// A stretch of time: from its first moment to the one after its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub from: Nanos,
    /// Where it ends.
    pub to: Nanos,
}

impl Window {
    /// Its length in minutes.
    #[must_use]
    pub fn minutes(self) -> f64 {
        minutes(self.to.saturating_sub(self.from))
    }
}

/// Requests of some clients in one time bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Begun.
    pub sent: u64,
    /// Over.
    pub over: u64,
    /// Over, and lost: not good, or slow.
    pub lost: u64,
    /// Attempts made by those that are over.
    pub attempts: u64,
}

impl Traffic {
    /// The share of lost requests among those that are over; none if none is over.
    #[must_use]
    pub fn lost_share(self) -> Option<f64> {
        (self.over > 0).then(|| self.lost as f64 / self.over as f64)
    }
}

/// A part of the run, for latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Buckets that end before the trigger.
    Before,
    /// Buckets between the trigger and the user outage.
    Between,
    /// Buckets of the user outage.
    During,
    /// Buckets after the user outage.
    After,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Phase; 4] = [Phase::Before, Phase::Between, Phase::During, Phase::After];
}

/// Latencies of one class of requests, by phase.
type Latencies = [Histogram; Phase::ALL.len()];

/// An outcome with its plan.
#[derive(Debug)]
pub struct View<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// Number of the first bucket that is counted; those before lie in the warm-up.
    offset: u64,
    users: Vec<ClientId>,
    traffic: Vec<Traffic>,
    trigger: Option<Nanos>,
    user_outage: Option<Window>,
    impact: UserCounts,
    latencies: Vec<Latencies>,
}

impl<'a> View<'a> {
    /// Looks at the outcome of a plan.
    #[must_use]
    pub fn new(plan: &'a Plan, outcome: &'a Outcome) -> View<'a> {
        // At the end of the warm-up the counters forget their buckets, the latencies do not.
        let offset = outcome.clients.iter().find_map(|client| {
            Some(client.latency.first()?.len().saturating_sub(client.buckets.len()) as u64)
        });
        let users = users(plan);
        let mut view = View {
            plan,
            outcome,
            offset: offset.unwrap_or(0),
            traffic: Vec::new(),
            trigger: trigger(plan, outcome),
            user_outage: None,
            impact: UserCounts::default(),
            latencies: Vec::new(),
            users,
        };
        view.traffic = view.traffic_of(&view.users);
        view.user_outage = view.find_user_outage();
        view.impact = view.count_users();
        view.latencies = view.merge_latencies();
        view
    }

    /// The clients whose requests are the users': those that count as users, or all if none does.
    #[must_use]
    pub fn users(&self) -> &[ClientId] {
        &self.users
    }

    /// Users' requests by time bucket.
    #[must_use]
    pub fn traffic(&self) -> &[Traffic] {
        &self.traffic
    }

    /// Requests of these clients by time bucket.
    #[must_use]
    pub fn traffic_of(&self, clients: &[ClientId]) -> Vec<Traffic> {
        let clients: Vec<_> =
            clients.iter().map(|&c| &self.outcome.clients[c as usize].buckets).collect();
        let count = clients.iter().map(|buckets| buckets.len()).max().unwrap_or(0);
        let mut before = Traffic::default();
        let so_far = |bucket: usize| {
            clients.iter().filter_map(|buckets| buckets.get(bucket)).fold(
                Traffic::default(),
                |sum, b| Traffic {
                    sent: sum.sent + b.sent,
                    over: sum.over + b.over,
                    lost: sum.lost + (b.over - b.good) + b.slow,
                    attempts: sum.attempts + b.attempts,
                },
            )
        };
        let difference = |bucket: usize| {
            let now = so_far(bucket);
            let change = Traffic {
                sent: now.sent - before.sent,
                over: now.over - before.over,
                lost: now.lost - before.lost,
                attempts: now.attempts - before.attempts,
            };
            before = now;
            change
        };
        (0..count).map(difference).collect()
    }

    /// When time bucket `index` begins and ends; the first one is cut by the warm-up, the last one
    /// by the end of the run.
    #[must_use]
    pub fn bucket(&self, index: usize) -> Window {
        let first = (index as u64 + self.offset) * self.outcome.bucket;
        let from = first.max(self.plan.warm_up).min(self.outcome.end);
        Window { from, to: (first + self.outcome.bucket).min(self.outcome.end) }
    }

    /// The time bucket in which a moment lies.
    #[must_use]
    pub fn bucket_at(&self, at: Nanos) -> Option<usize> {
        (at / self.outcome.bucket).checked_sub(self.offset).map(|index| index as usize)
    }

    /// The trigger; none if the model has changes and none of them began.
    #[must_use]
    pub fn trigger(&self) -> Option<Nanos> {
        self.trigger
    }

    /// The share of lost requests among the users' requests that ended in the buckets that lie in a
    /// window.
    #[must_use]
    pub fn lost_share_within(&self, window: Window) -> Option<f64> {
        let mut sum = Traffic::default();
        for (index, traffic) in self.traffic.iter().enumerate() {
            let bucket = self.bucket(index);
            if bucket.from >= window.from && bucket.to <= window.to {
                sum.over += traffic.over;
                sum.lost += traffic.lost;
            }
        }
        sum.lost_share()
    }

    /// The largest share of lost requests among the users' requests that ended in a bucket of a
    /// window.
    #[must_use]
    pub fn worst_share(&self, window: Window) -> Option<f64> {
        let inside = |index: &usize| {
            let bucket = self.bucket(*index);
            bucket.to > window.from && bucket.from < window.to
        };
        let shares = self.traffic.iter().enumerate().filter(|(index, _)| inside(index));
        shares.filter_map(|(_, traffic)| traffic.lost_share()).reduce(f64::max)
    }

    /// When the alert fired that paged first.
    #[must_use]
    pub fn alert(&self) -> Option<Nanos> {
        self.outcome.response.alert
    }

    /// T+0 of timelines: the alert; in models in which no alert pages, the trigger.
    #[must_use]
    pub fn zero(&self) -> Option<Nanos> {
        match self.plan.alerts.iter().any(|alert| alert.pages) {
            true => self.alert(),
            false => self.trigger,
        }
    }

    /// From the first bad minute to the last one.
    #[must_use]
    pub fn user_outage(&self) -> Option<Window> {
        self.user_outage
    }

    /// From the alert (or the acknowledgement, as `impact.reported_from` says) to the moment when
    /// it was declared over, or the end of the run.
    #[must_use]
    pub fn reported_outage(&self) -> Option<Window> {
        let response = &self.outcome.response;
        let from = match self.plan.reported_from_acknowledgement {
            true => response.acknowledged,
            false => response.alert,
        };
        let to = response.declared_over.unwrap_or(self.outcome.end);
        from.map(|from| Window { from, to })
    }

    /// Users in the outage window.
    #[must_use]
    pub fn impact(&self) -> UserCounts {
        self.impact
    }

    /// The share of lost requests below which an action is said to have helped: the threshold of
    /// the alert that paged if it watches a ratio from above, else that of the first such alert
    /// that pages, else the share that makes a minute bad.
    #[must_use]
    pub fn normal_below(&self) -> f64 {
        let alerts = &self.plan.alerts;
        let paged = self.outcome.response.alert_index.and_then(|i| alerts.get(i as usize));
        let ratio = paged.into_iter().chain(alerts).find(|alert| {
            alert.pages && alert.above && matches!(alert.signal, SignalPlan::Ratio(..))
        });
        ratio.map_or(self.plan.bad_minute, |alert| alert.threshold)
    }

    /// Latency of the good answers to some classes in some phases.
    pub fn latency(&self, classes: impl Iterator<Item = ClassId>, phases: &[Phase]) -> Histogram {
        let mut all = Histogram::new();
        for class in classes {
            for &phase in phases {
                all.merge(&self.latencies[class as usize][phase as usize]);
            }
        }
        all
    }

    /// Requests and latencies of the users in the whole buckets that lie in a window.
    #[must_use]
    pub fn within(&self, window: Window) -> (Traffic, Histogram) {
        let (mut sum, mut latency) = (Traffic::default(), Histogram::new());
        for ((index, traffic), histogram) in
            self.traffic.iter().enumerate().zip(self.latency_by_bucket())
        {
            let bucket = self.bucket(index);
            if bucket.from >= window.from && bucket.to <= window.to {
                sum.sent += traffic.sent;
                sum.over += traffic.over;
                sum.lost += traffic.lost;
                sum.attempts += traffic.attempts;
                latency.merge(&histogram);
            }
        }
        (sum, latency)
    }

    /// The classes of a client.
    pub fn classes_of(&self, client: ClientId) -> std::ops::Range<ClassId> {
        let client = &self.plan.clients[client as usize];
        client.first_class..client.first_class + client.class_count
    }

    /// The length of the run without its warm-up, in seconds.
    #[must_use]
    pub fn measured_seconds(&self) -> f64 {
        seconds(self.outcome.end.saturating_sub(self.plan.warm_up))
    }

    /// The components in which the trouble may have begun: those that a change that has begun acts
    /// on, and those in which a bug has struck (for a middleware, also the hosts in which it runs).
    #[must_use]
    pub fn origins(&self) -> Vec<ComponentId> {
        let begun = self.plan.changes.iter().zip(&self.outcome.changes);
        let changed = begun.filter(|(_, times)| !times.is_empty()).filter_map(|(change, _)| {
            match &change.action {
                ChangeAction::Turn { component, .. }
                | ChangeAction::Deploy { component, .. }
                | ChangeAction::Flush { component, .. }
                | ChangeAction::EmptyCaches { component, .. } => Some(*component),
                ChangeAction::Link { to, .. } => Some(*to),
                ChangeAction::Bug(bug) => Some(self.plan.bugs[*bug as usize].component),
                ChangeAction::Surge { .. } => None,
            }
        });
        let struck = self.plan.bugs.iter().zip(&self.outcome.strikes);
        let struck = struck.filter(|(_, strikes)| **strikes > 0).map(|(bug, _)| bug.component);
        let mut origins: Vec<ComponentId> = changed.chain(struck).collect();
        for (id, host) in self.plan.components.iter().enumerate() {
            if host.middleware.iter().any(|middleware| origins.contains(middleware)) {
                origins.push(id as ComponentId);
            }
        }
        origins
    }

    fn find_user_outage(&self) -> Option<Window> {
        let trigger = self.trigger?;
        let bad = |(index, traffic): (usize, &Traffic)| {
            let window = self.bucket(index);
            let counts = window.to > trigger;
            let bad = traffic.lost_share().is_some_and(|share| share > self.plan.bad_minute);
            (counts && bad).then_some(window)
        };
        let mut windows = self.traffic.iter().enumerate().filter_map(bad);
        let first = windows.next()?;
        let last = windows.next_back().unwrap_or(first);
        Some(Window { from: first.from.max(trigger), to: last.to })
    }

    fn count_users(&self) -> UserCounts {
        let mut sum = UserCounts::default();
        let Some(window) = self.reported_outage().or(self.user_outage) else { return sum };
        for &client in &self.users {
            if let Some(users) = &self.outcome.clients[client as usize].users {
                // The records count both ends as inside.
                let counts = users.count(window.from, window.to.saturating_sub(1));
                sum.active += counts.active;
                sum.affected += counts.affected;
                sum.unable += counts.unable;
            }
        }
        sum
    }

    fn merge_latencies(&self) -> Vec<Latencies> {
        let mut merged = Vec::with_capacity(self.plan.classes.len());
        for client in &self.outcome.clients {
            for class in &client.latency {
                let mut phases = Latencies::default();
                for (bucket, histogram) in class.iter().enumerate() {
                    if let Some(histogram) = histogram {
                        phases[self.phase(bucket as u64) as usize].merge(histogram);
                    }
                }
                merged.push(phases);
            }
        }
        merged.resize_with(self.plan.classes.len(), Latencies::default);
        merged
    }

    /// The phase of a bucket, counted from the start of the run.
    fn phase(&self, bucket: u64) -> Phase {
        let from = bucket * self.outcome.bucket;
        let to = from + self.outcome.bucket;
        match (self.trigger, self.user_outage) {
            (_, Some(outage)) if from >= outage.to => Phase::After,
            (_, Some(outage)) if to > outage.from => Phase::During,
            (Some(trigger), _) if to > trigger => Phase::Between,
            _ => Phase::Before,
        }
    }

    /// Latencies of the good answers to the users' requests, by bucket from the first one counted.
    pub fn latency_by_bucket(&self) -> impl Iterator<Item = Histogram> + '_ {
        (0..self.traffic.len()).map(|index| {
            let bucket = index + self.offset as usize;
            let mut all = Histogram::new();
            let clients = self.users.iter().map(|&c| &self.outcome.clients[c as usize]);
            for class in clients.flat_map(|client| &client.latency) {
                if let Some(Some(histogram)) = class.get(bucket) {
                    all.merge(histogram);
                }
            }
            all
        })
    }
}

/// A length of time in minutes.
pub(super) fn minutes(span: Nanos) -> f64 {
    span as f64 / MINUTE as f64
}

/// From one moment to a later one, in minutes; negative if it is earlier.
pub(super) fn minutes_between(from: Nanos, to: Nanos) -> f64 {
    if to >= from { minutes(to - from) } else { -minutes(from - to) }
}

fn users(plan: &Plan) -> Vec<ClientId> {
    let all = 0..plan.clients.len() as ClientId;
    let counting: Vec<ClientId> =
        all.clone().filter(|&c| plan.clients[c as usize].counts_as_users).collect();
    if counting.is_empty() { all.collect() } else { counting }
}

fn trigger(plan: &Plan, outcome: &Outcome) -> Option<Nanos> {
    match plan.changes.is_empty() {
        true => Some(0),
        false => outcome.changes.iter().filter_map(|times| Some(times.first()?.0)).min(),
    }
}
