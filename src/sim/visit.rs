//! Clients: arrivals, visits, and what becomes of a user's requests.
//!
//! The luck of a request is keyed by (client, number of the visit, number of the request in the
//! visit); what a mitigation refuses or delays never shifts the luck of another request.

use super::agenda::{Agenda, Event};
use super::meter::Request;
use super::plain::Awaits;
use super::records::{Call, Caller, Identity};
use super::task::Next;
use super::world::World;
use crate::dist::CountSampler;
use crate::load::arrivals::RateCurve;
use crate::plan::{ClientId, ClientPlan, NONE, Plan, Source};
use crate::rng::{Luck, Stream, seed_of};
use crate::status::Status;
use crate::units::{NEVER, Nanos, from_seconds, seconds};
use rand_distr::{Distribution, Exp1};

/// Keys below a visit's or request's luck.
mod luck {
    pub const USER: u64 = 0;
    pub const LENGTH: u64 = 1;
    pub const RETURN: u64 = 2;
    pub const AWAY: u64 = 3;
    pub const REQUEST: u64 = 1024;
    pub const CLASS: u64 = 0;
    pub const KEY: u64 = 1;
    pub const THINK: u64 = 2;
}

/// A visit of a user.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// The client.
    pub client: ClientId,
    /// The user.
    pub user: u32,
    /// Requests still wanted; `u32::MAX` for users who never stop.
    pub wanted: u32,
    /// Requests made so far.
    pub made: u32,
    /// Failed requests in a row.
    pub failures: u32,
    /// Luck of the visit.
    pub luck: Luck,
    /// Luck of the present request.
    pub request: Luck,
}

/// A client's stream.
#[derive(Debug)]
pub struct ClientState {
    /// Gaps of the stream.
    gaps: UnitGaps,
    /// Root of the luck of its visits or requests.
    luck: Luck,
    /// Visits or requests so far.
    pub count: u64,
    /// The unit gap after the one that is being spent, and when it ends; both are worked out ahead:
    /// nobody waits for them then.
    ahead: f64,
    ahead_ends: Nanos,
    /// The unit gap that is being spent, and what is left of it at `since`.
    left: f64,
    /// When `left` was what it says.
    since: Nanos,
    /// What surges make of the rate.
    by: f64,
    to: Option<f64>,
    /// Number that the next arrival must carry.
    epoch: u32,
    /// Refused before it reaches anything (an action of the responder).
    pub blocked: bool,
}

/// So many gaps are drawn at once.
const GAPS: usize = 8;

/// Gaps of a Poisson process of rate 1. Some are drawn in a row: a processor works on several at
/// once then, and each takes a fraction of the time of one that is drawn alone.
#[derive(Debug)]
struct UnitGaps {
    luck: Stream,
    drawn: [f64; GAPS],
    used: usize,
}

impl UnitGaps {
    fn new(luck: Stream) -> UnitGaps {
        UnitGaps { luck, drawn: [0.0; GAPS], used: GAPS }
    }

    #[inline(always)]
    fn next(&mut self) -> f64 {
        if self.used >= GAPS {
            self.draw();
        }
        self.used += 1;
        self.drawn[self.used - 1]
    }

    #[inline(never)]
    fn draw(&mut self) {
        self.drawn.fill_with(|| Exp1.sample(&mut self.luck));
        self.used = 0;
    }
}

impl ClientState {
    /// The streams of all clients.
    pub fn all(plan: &Plan, replica: u64) -> Vec<ClientState> {
        let one = |c: &ClientPlan| ClientState {
            gaps: UnitGaps::new(Stream::new(plan.seed, replica, "arrivals", &c.name)),
            ahead: 0.0,
            ahead_ends: NEVER,
            luck: Luck::new(seed_of(plan.seed, replica, "requests", &c.name)),
            count: 0,
            left: 0.0,
            since: 0,
            by: 1.0,
            to: None,
            epoch: 0,
            blocked: false,
        };
        let mut all: Vec<ClientState> = plan.clients.iter().map(one).collect();
        all.iter_mut().zip(&plan.clients).for_each(|(state, plan)| {
            let first_at = match plan.source {
                Source::Open { first_at, .. } => first_at.unwrap_or(0),
                _ => 0,
            };
            state.draw_ahead(&plan.source, first_at);
        });
        all
    }
}

impl ClientState {
    /// Draws the unit gap that follows an arrival still to come, at `then`.
    #[inline(always)]
    fn draw_ahead(&mut self, source: &Source, then: Nanos) {
        if let Source::Open { poisson, rate, .. } = source {
            self.ahead = if *poisson { self.gaps.next() } else { 1.0 };
            self.ahead_ends = self.end_of(rate, self.ahead, then);
        }
    }

    /// Puts the arrival at the end of the gap that begins now on the agenda, and draws the next.
    #[inline(always)]
    fn draw_gap(&mut self, client: ClientId, source: &Source, agenda: &mut Agenda, now: Nanos) {
        (self.left, self.since) = (self.ahead, now);
        let at = self.ahead_ends;
        self.put_arrival(client, agenda, at);
        self.draw_ahead(source, at);
    }

    /// When what is left of a unit gap at `since` has been spent; [`NEVER`] if it never is.
    #[inline(always)]
    fn end_of(&self, rate: &RateCurve, left: f64, since: Nanos) -> Nanos {
        if since >= NEVER / 2 {
            return NEVER;
        }
        let from = seconds(since);
        let at = match self.to {
            Some(to) => (to > 0.0).then(|| from + left / (to * self.by)),
            None => rate.spend(from, self.by, left),
        };
        // Gaps are added to the integer clock, so that long runs lose no precision.
        at.map_or(NEVER, |at| since.saturating_add(from_seconds(at - from)))
    }

    /// Puts the next arrival on the agenda.
    #[inline(always)]
    fn put_arrival(&self, client: ClientId, agenda: &mut Agenda, at: Nanos) {
        if at < NEVER / 2 {
            agenda.at_often(at, Event::Arrival { client, epoch: self.epoch });
        }
    }
}

impl World<'_> {
    /// Puts the first arrivals of all clients on the agenda.
    pub fn first_arrivals(&mut self) {
        for client in 0..self.plan.clients.len() as u32 {
            match &self.plan.clients[client as usize].source {
                Source::Open { first_at: Some(at), .. } => {
                    self.agenda.at(*at, Event::Arrival { client, epoch: 0 });
                }
                source @ Source::Open { .. } => {
                    let state = &mut self.clients[client as usize];
                    state.draw_gap(client, source, &mut self.agenda, self.now);
                }
                Source::At(times) => {
                    if let Some(&first) = times.first() {
                        self.agenda.at(first, Event::Arrival { client, epoch: 0 });
                    }
                }
                Source::Closed { population, .. } => {
                    for user in 0..*population {
                        self.begin_visit(client, user);
                    }
                }
            }
        }
    }

    /// The rate of a client changes: what is left of the present gap is spent at the new rate.
    pub fn rate_changes(&mut self, client: ClientId, by: f64, to: Option<f64>) {
        let source = &self.plan.clients[client as usize].source;
        let Source::Open { rate, first_at, .. } = source else { return };
        let state = &mut self.clients[client as usize];
        if (state.by, state.to) == (by, to) {
            return; // Not even a rounding: a surge by 1x changes nothing.
        }
        if let Some(first) = first_at.filter(|first| *first > self.now) {
            // The first arrival comes when it was said, whatever the rate.
            (state.by, state.to) = (by, to);
            state.ahead_ends = state.end_of(rate, state.ahead, first);
            return;
        }
        let (from, now) = (seconds(state.since), seconds(self.now));
        let spent = match state.to {
            Some(to) => to * state.by * (now - from),
            None => state.by * rate.integral(from, now),
        };
        state.left = (state.left - spent).max(0.0);
        state.since = self.now;
        (state.by, state.to) = (by, to);
        state.epoch += 1;
        let at = state.end_of(rate, state.left, self.now);
        state.put_arrival(client, &mut self.agenda, at);
        state.ahead_ends = state.end_of(rate, state.ahead, at);
    }

    /// The next request or visit of an open stream, if the event is the one that is waited for.
    #[inline(always)]
    pub fn arrival(&mut self, client: ClientId, epoch: u32) -> Next {
        let plan: &ClientPlan = &self.plan.clients[client as usize];
        let state = &mut self.clients[client as usize];
        if state.epoch != epoch {
            return None;
        }
        state.count += 1;
        let (luck, number) = (state.luck, state.count);
        match &plan.source {
            Source::At(times) => {
                if let Some(&next) = times.get(state.count as usize) {
                    self.agenda.at(next, Event::Arrival { client, epoch: 0 });
                }
            }
            source => state.draw_gap(client, source, &mut self.agenda, self.now),
        }
        if plan.visit.is_some() {
            let luck = luck.at(number);
            let user = (luck.at(luck::USER).unit() * f64::from(plan.users)) as u32;
            return self.begin_visit_with(client, user, luck);
        }
        if state.blocked {
            self.refuse_blocked(client, Caller::Stream, NONE);
            return None;
        }
        self.request(client, plan, Caller::Stream, NONE, luck.at(number))
    }

    /// A user of a closed population begins: thinks first, or (at the beginning of the run) may
    /// send at once.
    fn begin_visit(&mut self, client: ClientId, user: u32) {
        let state = &mut self.clients[client as usize];
        state.count += 1;
        let number = state.count;
        let luck = state.luck.at(number);
        let Source::Closed { thinking, at_once, population } =
            &self.plan.clients[client as usize].source
        else {
            return;
        };
        let wanted = self.length_of_visit(client, luck);
        let visit = Visit { client, user, wanted, made: 0, failures: 0, luck, request: luck };
        let (index, life, place) = self.visits.take();
        *place = visit;
        let visit = index;
        // The first visits are those that begin with the run.
        let pause = match *at_once && number <= u64::from(*population) {
            true => 0,
            false => thinking.sample_nanos(&mut luck.at(luck::THINK).rng()),
        };
        self.agenda.at(self.now + pause, Event::Think { visit, life });
    }

    fn begin_visit_with(&mut self, client: ClientId, user: u32, luck: Luck) -> Next {
        let wanted = self.length_of_visit(client, luck);
        let visit = Visit { client, user, wanted, made: 0, failures: 0, luck, request: luck };
        let (index, _, place) = self.visits.take();
        *place = visit;
        let visit = index;
        self.meter.visit_begins(client, user, self.now);
        self.next_request(visit)
    }

    fn length_of_visit(&self, client: ClientId, luck: Luck) -> u32 {
        match &self.plan.clients[client as usize].visit {
            None => u32::MAX,
            Some(visit) => sample_count(&visit.requests, luck.at(luck::LENGTH)),
        }
    }

    /// The next request of a visit.
    #[inline(never)]
    pub fn next_request(&mut self, visit: u32) -> Next {
        let state = &mut self.visits[visit];
        state.made += 1;
        state.request = state.luck.at(luck::REQUEST + u64::from(state.made));
        let (client, user, luck) = (state.client, state.user, state.request);
        if self.clients[client as usize].blocked {
            self.refuse_blocked(client, Caller::Visit(visit), user);
            return None;
        }
        let plan = &self.plan.clients[client as usize];
        self.request(client, plan, Caller::Visit(visit), user, luck)
    }

    /// Makes a request of a client: draws its class and key, and calls.
    #[inline(always)]
    fn request(
        &mut self,
        client: ClientId,
        plan: &ClientPlan,
        caller: Caller,
        user: u32,
        luck: Luck,
    ) -> Next {
        let mut class = plan.first_class;
        if plan.class_count > 1 {
            let draw = luck.at(luck::CLASS).unit();
            let last = plan.first_class + plan.class_count - 1;
            while class < last && draw >= self.plan.classes[class as usize].cumulative_share {
                class += 1;
            }
        }
        let class_plan = &self.plan.classes[class as usize];
        let key = match class_plan.key_cumulative[..] {
            [] => NONE,
            [.., total] => {
                let draw = luck.at(luck::KEY).unit() * total;
                let at = class_plan.key_cumulative.partition_point(|c| *c <= draw);
                at.min(class_plan.key_cumulative.len() - 1) as u32
            }
        };
        let identity = Identity { class, user, key };
        self.meter.request_sent(client, user, self.now);
        if self.edges[class_plan.edge as usize].opens_plainly {
            let awaits = match caller {
                Caller::Visit(visit) => Awaits::Visit(visit),
                _ => Awaits::Stream,
            };
            let entry = (self.edges[class_plan.edge as usize].plain, 0);
            return self.open_plain(class_plan.edge, awaits, NONE, identity, luck, entry);
        }
        let endpoint = self.plan.edges[class_plan.edge as usize].endpoint;
        self.open_call(class_plan.edge, caller, NONE, identity, luck, endpoint)
    }

    /// A request of a blocked client is refused before it reaches anything. It counts as sent and
    /// refused.
    fn refuse_blocked(&mut self, client: ClientId, caller: Caller, user: u32) {
        let of_a_user = self.plan.clients[client as usize].users > 0;
        self.meter.request_sent(client, user, self.now);
        self.meter.request_blocked(client, of_a_user.then_some(user), self.now);
        if let Caller::Visit(visit) = caller {
            self.visit_goes_on(visit, false);
        }
    }

    /// A client's request is over. Returns whether its user is content with it.
    #[inline(always)]
    pub fn request_over(&mut self, index: u32, status: Status) -> bool {
        let copies = self.calls.extra(index).map_or(0, |extra| extra.hedge.attempts);
        let Call { identity, luck, began, attempt, .. } = self.calls[index];
        self.request_ends(identity, luck, began, attempt.saturating_add(copies), status)
    }

    /// A client's request, which began at `began`, is over after so many attempts. Returns whether
    /// its user is content with it.
    #[inline(always)]
    pub fn request_ends(
        &mut self,
        identity: Identity,
        luck: Luck,
        began: Nanos,
        attempts: u16,
        status: Status,
    ) -> bool {
        let Identity { class, user, .. } = identity;
        let client = self.plan.classes[class as usize].client;
        let (now, latency) = (self.now, self.now - began);
        let request = Request { now, client, class, user, status, latency, attempts, luck };
        let (is_content, is_watched) = self.meter.request_over(request);
        if is_watched {
            self.latency_ends(client, class, (latency, attempts), status.is_good());
        }
        is_content
    }

    /// A visit's request is over: the user thinks, gives up, or is done.
    pub fn visit_goes_on(&mut self, visit: u32, content: bool) {
        let state = &mut self.visits[visit];
        let client = state.client;
        let plan = &self.plan.clients[client as usize];
        state.failures = if content { 0 } else { state.failures + 1 };
        if state.wanted != u32::MAX {
            state.wanted -= 1;
        }
        let closed = match &plan.source {
            Source::Closed { thinking, .. } => Some(thinking),
            _ => None,
        };
        let luck = state.request;
        let Some(visit_plan) = &plan.visit else {
            // A closed population: think, and send again, for ever.
            if let Some(thinking) = closed {
                let pause = thinking.sample_nanos(&mut luck.at(luck::THINK).rng());
                self.think(visit, pause);
            }
            return;
        };
        let gives_up = state.failures >= visit_plan.patience && state.wanted > 0;
        let mut pause = visit_plan.thinking.sample_nanos(&mut luck.at(luck::THINK).rng());
        if gives_up {
            let back = visit_plan
                .returns
                .as_ref()
                .filter(|(share, _)| luck.at(luck::RETURN).unit() < *share);
            let Some((_, away)) = back else { return self.end_visit(visit) };
            state.failures = 0;
            pause = away.sample_nanos(&mut luck.at(luck::AWAY).rng());
        }
        if state.wanted == 0 {
            return self.end_visit(visit);
        }
        self.think(visit, pause);
    }

    fn think(&mut self, visit: u32, pause: Nanos) {
        let life = self.visits.life(visit);
        self.agenda.at(self.now.saturating_add(pause), Event::Think { visit, life });
    }

    fn end_visit(&mut self, visit: u32) {
        let (client, user) = (self.visits[visit].client, self.visits[visit].user);
        self.visits.free(visit);
        if matches!(self.plan.clients[client as usize].source, Source::Closed { .. }) {
            self.begin_visit(client, user);
        }
    }
}

/// A number of requests.
fn sample_count(count: &CountSampler, luck: Luck) -> u32 {
    count.sample(&mut luck.rng())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_are_drawn_at_once_are_those_drawn_one_by_one() {
        let mut luck = Stream::new(1, 0, "test", "gaps");
        let mut gaps = UnitGaps::new(luck.clone());
        for number in 0..3 * GAPS {
            let alone: f64 = Exp1.sample(&mut luck);
            assert_eq!(gaps.next(), alone, "{number}");
        }
    }
}
