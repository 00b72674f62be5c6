//! What is measured while a replica runs.
//!
//! Hot paths add integers to counters; once per bucket (a minute) the counters are copied, so that
//! memory grows with simulated time and not with the number of requests. Time averages are exact
//! integrals.

mod end;
mod levels;

pub use levels::{LevelOf, Levels};

use super::observe::{Observing, watchers};
use super::outcome::{ClientBucket, ComponentBucket, Observed, timed_out};
use super::story::{Happening, What};
use super::users::UserRecords;
use super::world::{Process, World};
use crate::histogram::Histogram;
use crate::plan::{ClassId, ClientId, ComponentId, Place, Plan, SignalPlan, TimedPlan};
use crate::rng::Luck;
use crate::status::Status;
use crate::units::Nanos;

/// Happenings kept for the story of one replica; more are counted only.
const MAX_STORY: usize = 4000;

/// A client's request that is over.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The present time.
    pub now: Nanos,
    /// Whose.
    pub client: ClientId,
    /// Of which class.
    pub class: ClassId,
    /// The user; [`crate::plan::NONE`] where there are none.
    pub user: u32,
    /// How it ended.
    pub status: Status,
    /// From the first attempt to the end.
    pub latency: Nanos,
    /// Attempts made.
    pub attempts: u16,
    /// Luck of the request: its identity in the fingerprint.
    pub luck: Luck,
}

/// Counters of one component.
#[derive(Debug, Default)]
pub struct ComponentMeter {
    /// Requests that came.
    pub requests: u64,
    /// Answers that went, by status.
    pub answers: [u64; Status::ALL.len()],
    /// Exceptions.
    pub exceptions: u64,
    /// Deaths of processes.
    pub deaths: u64,
    /// Attempts of its own calls that timed out.
    pub timeouts: u64,
    /// Requests dropped on their turn because their caller had gone.
    pub dropped: u64,
    /// Requests that were never answered, because their process died, a full line dropped them,
    /// or somebody gave up on their refusal.
    pub lost: u64,
    /// Looks into caches.
    pub lookups: u64,
    /// Those that found what they wanted.
    pub hits: u64,
    /// Requests present, waiting, and workers in use.
    pub levels: Levels,
    /// Time spent inside since the warm-up by requests that have left, in nanoseconds.
    pub stayed: u128,
    /// The longest line of one instance.
    pub peak_line: u32,
    /// The most memory in use by one instance, in bytes.
    pub peak_memory: u64,
    /// When an instance first stalled or died by itself.
    pub tipped: Option<Nanos>,
    /// Requests turned away at once.
    pub turned_away: u64,
    /// Requests that left the line unserved.
    pub expired: u64,
    /// Observations that want its times.
    pub watchers: Vec<(TimedPlan, u32)>,
    /// Who wants its latencies (indices in [`Meter::taps`]).
    tap: Vec<usize>,
    /// Whether somebody wants the times of its requests one by one.
    pub is_watched: bool,
    buckets: Vec<ComponentBucket>,
}

/// Counters of one client. (What is counted together when a request ends must not be side by side
/// with what is counted when it begins: a processor that counts both in one piece waits for the
/// piece that was written alone.)
#[derive(Debug, Default)]
#[repr(C)]
pub struct ClientMeter {
    /// Requests that have begun and are not over; no warm-up forgets them.
    pub in_flight: u64,
    /// A good answer after longer than this is too slow.
    slow_after: Nanos,
    /// Requests begun.
    pub sent: u64,
    /// Whether somebody wants the times of its requests one by one.
    is_watched: bool,
    /// Requests over, by status.
    pub ended: [u64; Status::ALL.len()],
    /// Good answers that were too slow.
    pub slow: u64,
    /// Attempts made by requests that are over.
    pub attempts: u64,
    /// Observations that want its times.
    pub watchers: Vec<(TimedPlan, u32)>,
    users: Option<UserRecords>,
    tap: Vec<usize>,
    buckets: Vec<ClientBucket>,
}

impl ComponentMeter {
    /// A request comes.
    #[inline(always)]
    pub fn enters(&mut self, now: Nanos) {
        self.levels.change(now, LevelOf::Present, 1);
    }

    /// A request that came at `came` leaves, with or without an answer.
    #[inline(always)]
    pub fn leaves(&mut self, now: Nanos, came: Nanos, warm_up: Nanos) {
        self.stayed += u128::from(now.saturating_sub(came.max(warm_up)));
        self.levels.change(now, LevelOf::Present, -1);
    }

    /// The number of requests waiting changes; `longest` is the line of the instance concerned.
    #[inline(always)]
    pub fn line_changes(&mut self, now: Nanos, by: i32, longest: u32) {
        self.levels.change(now, LevelOf::Waiting, by);
        self.peak_line = self.peak_line.max(longest);
    }

    /// The number of workers in use changes.
    #[inline(always)]
    pub fn busy_changes(&mut self, now: Nanos, by: i32) {
        self.levels.change(now, LevelOf::Busy, by);
    }
}

impl ClientMeter {
    /// Good answers, slow ones included.
    pub fn good(&self) -> u64 {
        self.ended[Status::Ok as usize] + self.ended[Status::Degraded as usize]
    }

    /// Requests over.
    pub fn over(&self) -> u64 {
        self.ended.iter().sum()
    }
}

/// Latency of one class of requests.
#[derive(Debug, Default)]
struct ClassMeter {
    /// Good answers of the present bucket.
    recent: Histogram,
    /// Good answers of each full bucket.
    buckets: Vec<Option<Box<Histogram>>>,
}

/// Everything that is measured.
#[derive(Debug)]
pub struct Meter {
    /// By component.
    pub components: Vec<ComponentMeter>,
    /// By client.
    pub clients: Vec<ClientMeter>,
    classes: Vec<ClassMeter>,
    /// Lines that bugs left in logs, by name.
    pub logs: Vec<u64>,
    /// For each alert and then each piece of evidence: whose latencies it wants, and those since
    /// its last scrape.
    pub taps: Vec<(Option<Place>, Histogram)>,
    /// What happened.
    pub story: Vec<Happening>,
    /// Happenings beyond `MAX_STORY`.
    pub untold: u64,
    /// The first requests that are over, if somebody wants to see them one by one.
    pub log: Vec<Request>,
    /// So many are kept.
    pub log_at_most: usize,
    /// When each change was on.
    pub changes: Vec<Vec<(Nanos, Option<Nanos>)>>,
    /// What observations have seen.
    pub observed: Vec<Observed>,
    /// Which of them have still something to see.
    pub observing: Observing,
    /// Hash of all observable transitions.
    pub fingerprint: u64,
    warm_up: Nanos,
    bucket: Nanos,
}

impl Meter {
    /// Nothing measured yet.
    pub fn new(plan: &Plan) -> Meter {
        let alerts = plan.alerts.iter().map(|a| &a.signal);
        let signals = alerts.chain(plan.evidence.iter().map(|e| &e.signal));
        let taps: Vec<(Option<Place>, Histogram)> = signals
            .map(|signal| match signal {
                SignalPlan::Latency(place, _) => (Some(*place), Histogram::default()),
                _ => (None, Histogram::default()),
            })
            .collect();
        let tap = |place| -> Vec<usize> {
            (0..taps.len()).filter(|t| taps[*t].0 == Some(place)).collect()
        };
        let buckets = (plan.horizon / plan.bucket + 2) as usize;
        let components = (0..plan.components.len() as u32)
            .map(|c| {
                let place = Place::Component(c);
                let (tap, watchers) = (tap(place), watchers(plan, place));
                let is_watched = !tap.is_empty() || !watchers.is_empty();
                ComponentMeter { tap, watchers, is_watched, ..Default::default() }
            })
            .collect();
        let clients = plan.clients.iter().enumerate().map(|(c, client)| {
            let place = Place::Client(c as u32);
            let (tap, watchers) = (tap(place), watchers(plan, place));
            ClientMeter {
                slow_after: client.slow_after,
                is_watched: !tap.is_empty() || !watchers.is_empty(),
                tap,
                watchers,
                users: (client.users > 0 && client.counts_as_users).then(|| {
                    UserRecords::new(client.users, buckets, plan.bucket, plan.lost_at_most)
                }),
                ..Default::default()
            }
        });
        Meter {
            components,
            clients: clients.collect(),
            classes: plan.classes.iter().map(|_| ClassMeter::default()).collect(),
            logs: vec![0; plan.logs.len()],
            taps,
            story: Vec::new(),
            untold: 0,
            log: Vec::new(),
            log_at_most: 0,
            changes: vec![Vec::new(); plan.changes.len()],
            observed: super::observe::nothing_seen(plan),
            observing: Observing::new(plan),
            fingerprint: 0x0B5E_55ED_0F0A_C7ED,
            warm_up: plan.warm_up,
            bucket: plan.bucket,
        }
    }

    /// Adds a transition to the fingerprint (a multiply-and-rotate hash; order matters).
    #[inline]
    fn mark(&mut self, a: u64, b: u64) {
        let x = (self.fingerprint ^ a).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.fingerprint = (x.rotate_left(29) ^ b).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }

    /// Something worth telling happened.
    pub fn tell(&mut self, at: Nanos, what: What) {
        if self.story.len() < MAX_STORY {
            self.story.push(Happening { at, what });
        } else {
            self.untold += 1;
        }
    }

    /// A change begins or ends.
    pub fn change(&mut self, now: Nanos, change: u32, begins: bool) {
        let list = &mut self.changes[change as usize];
        if begins {
            list.push((now, None));
        } else if let Some(last) = list.last_mut() {
            last.1 = Some(now);
        }
    }

    /// A process changed its state. (From being up to not being up and back each change has to be
    /// told; between other states it need not.)
    pub fn instance_changes(&mut self, now: Nanos, instance: u64, process: Process) {
        self.mark(now, instance ^ process as u64);
        self.observing.process_changes();
    }

    /// A component tipped: one of its instances stalled or died by itself.
    pub fn tipped(&mut self, now: Nanos, component: ComponentId) {
        self.components[component as usize].tipped.get_or_insert(now);
    }

    /// Memory in use by an instance.
    #[inline]
    pub fn memory(&mut self, component: ComponentId, used: u64) {
        let peak = &mut self.components[component as usize].peak_memory;
        *peak = (*peak).max(used);
    }

    /// Nothing is measured before.
    #[inline]
    pub fn warm_up(&self) -> Nanos {
        self.warm_up
    }

    /// Alerts and evidence that watch the latencies of a component take note of one.
    pub fn tap(&mut self, component: ComponentId, latency: Nanos) {
        record(&self.components[component as usize].tap, &mut self.taps, latency);
    }

    /// A visit begins.
    pub fn visit_begins(&mut self, client: ClientId, user: u32, now: Nanos) {
        if let Some(users) = &mut self.clients[client as usize].users {
            users.visit_begins(user, now);
        }
    }

    /// A request begins.
    #[inline(always)]
    pub fn request_sent(&mut self, client: ClientId, user: u32, now: Nanos) {
        let meter = &mut self.clients[client as usize];
        meter.sent += 1;
        meter.in_flight += 1;
        if let Some(users) = &mut meter.users {
            users.sent(user, now);
        }
    }

    /// A request is over. Returns whether its user is content with it, and whether somebody wants
    /// to know its time.
    #[inline(always)]
    pub fn request_over(&mut self, request: Request) -> (bool, bool) {
        let Request { now, status, latency, attempts, .. } = request;
        if self.log.len() < self.log_at_most {
            self.log.push(request);
        }
        self.mark(now ^ request.luck.bits(), u64::from(attempts) << 8 | status as u64);
        let meter = &mut self.clients[request.client as usize];
        meter.ended[status as usize] += 1;
        meter.in_flight -= 1;
        meter.attempts += u64::from(attempts);
        let (good, is_slow) = (status.is_good(), latency > meter.slow_after);
        meter.slow += u64::from(good && is_slow);
        if let Some(users) = &mut meter.users {
            users.ended(request.user, now, good && !is_slow, good);
        }
        if good && now >= self.warm_up {
            self.classes[request.class as usize].recent.record(latency);
        }
        if meter.is_watched {
            record(&meter.tap, &mut self.taps, latency);
        }
        (good && !is_slow, meter.is_watched)
    }

    /// A request was refused before it reached anything.
    pub fn request_blocked(&mut self, client: ClientId, user: Option<u32>, now: Nanos) {
        let meter = &mut self.clients[client as usize];
        meter.ended[Status::Refused as usize] += 1;
        meter.in_flight -= 1;
        if let (Some(user), Some(users)) = (user, &mut meter.users) {
            users.ended(user, now, false, false);
        }
    }

    /// Answers of a component in the last full bucket.
    pub fn answers_in_last_bucket(&self, component: ComponentId) -> u64 {
        match self.components[component as usize].buckets[..] {
            [] => 0,
            [only] => only.answers,
            [.., before, last] => last.answers - before.answers,
        }
    }

    /// The rate of a client's requests in the last five buckets over that before a time; None when
    /// either is not known.
    pub fn load_now_to_before(&self, client: ClientId, time: Nanos) -> Option<f64> {
        let buckets = &self.clients[client as usize].buckets;
        let last = buckets.len().checked_sub(1)?;
        let first = last.saturating_sub(5);
        let now = (buckets[last].sent - buckets[first].sent) as f64 / (last - first).max(1) as f64;
        // The quarter of an hour before is left out: the rise may have been going on when the alert
        // fired.
        let before = (time / self.bucket).checked_sub(15)? as usize;
        let before = buckets.get(before).map(|b| b.sent as f64 / (before + 1) as f64)?;
        (before > 0.0).then(|| now / before)
    }

    /// The end of the warm-up: what has been counted so far is forgotten; levels stay.
    pub fn warm(&mut self, now: Nanos) {
        for meter in &mut self.components {
            let tap = std::mem::take(&mut meter.tap);
            let watchers = std::mem::take(&mut meter.watchers);
            let (mut levels, is_watched) = (meter.levels, meter.is_watched);
            levels.restart(now);
            *meter = ComponentMeter { tap, watchers, is_watched, levels, ..Default::default() };
        }
        for meter in &mut self.clients {
            (meter.sent, meter.slow, meter.attempts) = (0, 0, 0);
            meter.ended = [0; Status::ALL.len()];
            meter.buckets.clear();
        }
    }
}

/// Alerts and evidence that watch a latency take note of one.
#[inline(never)]
fn record(tap: &[usize], taps: &mut [(Option<Place>, Histogram)], latency: Nanos) {
    for &tap in tap {
        taps[tap].1.record(latency);
    }
}

impl World<'_> {
    /// A bucket is full: counters are copied, gauges read.
    pub fn close_bucket(&mut self) {
        let now = self.now;
        self.look_at_pools();
        for component in 0..self.plan.components.len() as u32 {
            let gauges = self.gauges(component);
            let meter = &mut self.meter.components[component as usize];
            let good =
                meter.answers[Status::Ok as usize] + meter.answers[Status::Degraded as usize];
            meter.buckets.push(ComponentBucket {
                requests: meter.requests,
                answers: meter.answers.iter().sum(),
                good,
                exceptions: meter.exceptions,
                waiting: meter.levels.level(LevelOf::Waiting) as u32,
                present: meter.levels.level(LevelOf::Present) as u32,
                memory: gauges.memory,
                up: gauges.up,
                busy: meter.levels.area(LevelOf::Busy, now),
                workers: gauges.workers_alive,
                timeouts: meter.timeouts,
            });
        }
        for meter in &mut self.meter.clients {
            meter.buckets.push(ClientBucket {
                sent: meter.sent,
                over: meter.over(),
                good: meter.good(),
                slow: meter.slow,
                attempts: meter.attempts,
                timed_out: timed_out(&meter.ended),
            });
        }
        for class in &mut self.meter.classes {
            let recent = &mut class.recent;
            let full = (recent.count() > 0).then(|| Box::new(std::mem::take(recent)));
            class.buckets.push(full);
        }
    }

    /// Gauges of a component's instances.
    pub fn gauges(&self, component: ComponentId) -> Gauges {
        let plan = &self.plan.components[component as usize];
        let mut gauges = Gauges::default();
        for &instance in &self.components[component as usize].instances {
            let station = &self.stations[instance as usize];
            gauges.up += u32::from(station.process() == Process::Up && station.knobs().up);
            gauges.workers += u64::from(station.workers);
            let alive = matches!(station.process(), Process::Up | Process::Stalled);
            gauges.workers_alive += if alive { u64::from(station.workers) } else { 0 };
            gauges.busy += u64::from(station.busy);
            if let Some(memory) = &plan.memory {
                let used = super::process::memory_used(memory, station);
                gauges.memory_bytes = gauges.memory_bytes.max(used);
                gauges.memory = gauges.memory.max(used as f64 / memory.limit as f64);
            }
        }
        gauges
    }
}

/// Gauges of a component.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    /// Instances that serve.
    pub up: u32,
    /// Worker slots of all instances.
    pub workers: u64,
    /// Those of instances whose process is up or stalled.
    pub workers_alive: u64,
    /// Workers in use.
    pub busy: u64,
    /// Memory in use, the fullest instance, in bytes.
    pub memory_bytes: u64,
    /// The same as a share of the limit.
    pub memory: f64,
}
