//! Clients: their arrivals, visits and classes of requests.

use super::builder::{Builder, CallSite, Place};
use super::names::ONLY_CLASS;
use super::{MAX_USERS, NONE};
use crate::dist::Count;
use crate::load::arrivals::{Begin, RateCurve, Wave};
use crate::load::{Arrivals, Client, KeyLaw, LateAnswers, RequestClass};
use crate::mitigation::LayerSpec;
use crate::mitigation::rate_limit::{Per, RateLimitSpec};
use crate::plan::{ClassPlan, ClientId, ClientPlan, Source, VisitPlan};
use crate::text::Name;
use crate::units::{NEVER, Rate, Share, Span, seconds};
use std::f64::consts::TAU;

/// Different keys that requests of one class may carry.
const MAX_KEYS: u32 = 1_000_000;
/// Given arrivals of one client, enlarged.
const MAX_GIVEN: u64 = 10_000_000;

impl<'m> Builder<'m, '_> {
    /// All clients with their classes and call sites.
    pub fn clients(&mut self) {
        let mut users = 0;
        for (id, (name, client)) in (0..).zip(&self.model.clients) {
            let place = Place::top("clients").name(name);
            let plan = self.client_plan(id, name, client, &place);
            users += u64::from(plan.users);
            self.plan.clients.push(plan);
        }
        if users > MAX_USERS {
            self.problem(&Place::top("clients"), format!("{users} users in all"))
                .help(format!("at most {MAX_USERS} are possible; state a smaller scale"));
        }
    }

    fn client_plan(
        &mut self,
        id: ClientId,
        name: &'m Name,
        client: &'m Client,
        place: &Place,
    ) -> ClientPlan {
        let source = self.client_source(name, client, place);
        let visit = client.visits.as_ref().and(client.visit.as_ref()).map(|visit| {
            let place = place.word("visit");
            let requests = visit.requests.compile().or_else(|what| {
                self.problem(&place.word("requests"), what);
                Count::Fixed(1).compile()
            });
            let requests = requests.expect("a constant is a law");
            if visit.patience.is_some_and(|patience| patience.failures == 0) {
                self.problem(&place.word("patience"), "users who give up after 0 failures")
                    .help("write at least 1; leave `patience` out for users who never give up");
            }
            let returns = visit.returns.as_ref().map(|returns| {
                let after = self.law(&returns.after, &place.word("return").word("after"));
                (returns.share.0, after)
            });
            VisitPlan {
                requests,
                thinking: self.law(&visit.thinking, &place.word("thinking")),
                patience: visit.patience.map_or(u32::MAX, |patience| patience.failures),
                returns,
            }
        });
        if client.affected.failures == 0 {
            self.problem(&place.word("affected"), "users who are affected by 0 failures")
                .help("write at least 1");
        }
        let users = match &source {
            Source::Closed { population, .. } => *population,
            _ => self.enlarged(client.users.unwrap_or(0)),
        };
        let first_class = self.plan.classes.len() as u32;
        self.classes_of(id, name, client, place);
        ClientPlan {
            name: name.value.clone(),
            users,
            source,
            visit,
            first_class,
            class_count: self.plan.classes.len() as u32 - first_class,
            counts_as_users: client.counts_as_users.unwrap_or(client.visits.is_some()),
            slow_after: client.slow_after.map_or(NEVER, |span| span.0),
            affected_failures: client.affected.failures,
        }
    }

    /// Exactly one of `visits` (with what belongs to it) and `arrivals`.
    fn client_source(&mut self, name: &Name, client: &'m Client, place: &Place) -> Source {
        match (&client.visits, &client.arrivals) {
            (Some(visits), None) => {
                let closed = matches!(visits, Arrivals::Closed { .. });
                if client.visit.is_none() && !self.is_removed("visit") {
                    self.problem_at(name, format!("`{}` has `visits`, but no `visit`", name.value))
                        .help("say what a visit is: `visit: {requests: 5, thinking: 20s}`");
                }
                if client.users.is_none() && !closed && !self.is_removed("users") {
                    let what = format!("`{}` has `visits`, but no `users`", name.value);
                    self.problem_at(name, what).help("say how many users there are: `users: 6000`");
                }
                if client.users.is_some() && closed {
                    self.problem(&place.word("users"), "`users` beside a `population`")
                        .help("the population of `closed` is the users; leave `users` out");
                }
                if client.users == Some(0) {
                    self.problem(&place.word("users"), "0 users cannot visit");
                }
                self.source(visits, &place.word("visits"))
            }
            (None, Some(arrivals)) => {
                if client.visit.is_some() {
                    self.problem(&place.word("visit"), "`visit` belongs to `visits`")
                        .help("write `visits` instead of `arrivals`, or leave `visit` out");
                }
                if client.users.is_some() {
                    self.problem(&place.word("users"), "`users` belongs to `visits`").help(
                        "write `visits` instead of `arrivals`; `closed` has its own `population`",
                    );
                }
                self.source(arrivals, &place.word("arrivals"))
            }
            (Some(_), Some(_)) => {
                let what = format!("`{}` has both `visits` and `arrivals`", name.value);
                self.problem_at(name, what).help("make two clients of it");
                Source::At(Vec::new())
            }
            (None, None) => {
                if !self.is_removed("visits") && !self.is_removed("arrivals") {
                    self.problem_at(name, format!("`{}` never comes", name.value))
                        .help("write `arrivals: {poisson: {rate: 10/s}}`, or `visits` of `users`");
                }
                Source::At(Vec::new())
            }
        }
    }

    fn source(&mut self, arrivals: &Arrivals, place: &Place) -> Source {
        let times = f64::from(self.enlarged);
        match arrivals {
            Arrivals::Poisson { rate } => Source::Open {
                rate: RateCurve::constant(rate.0 * times),
                poisson: true,
                first_at: None,
            },
            Arrivals::Constant { rate, first } => Source::Open {
                rate: RateCurve::constant(rate.0 * times),
                poisson: false,
                first_at: first.map(|span| span.0),
            },
            Arrivals::Profile { points, repeat_every, evenly } => Source::Open {
                rate: self.profile(points, *repeat_every, &place.word("profile")),
                poisson: !evenly,
                first_at: None,
            },
            Arrivals::Sinusoid { mean, amplitude, period, phase } => {
                self.sinusoid((mean.0, amplitude.0), *period, *phase, &place.word("sinusoid"))
            }
            Arrivals::Burst { requests, at } => {
                let count = u64::from(*requests) * u64::from(self.enlarged);
                if count == 0 || count > MAX_GIVEN {
                    self.problem(
                        &place.word("burst").word("requests"),
                        format!("a burst of {count}"),
                    )
                    .help(format!("write 1 to {MAX_GIVEN}"));
                    return Source::At(Vec::new());
                }
                Source::At(vec![at.0; count as usize])
            }
            Arrivals::At(given) => {
                let count = given.len() as u64 * u64::from(self.enlarged);
                if count > MAX_GIVEN {
                    self.problem(place, format!("{count} given arrivals"))
                        .help(format!("at most {MAX_GIVEN} are possible"));
                    return Source::At(Vec::new());
                }
                let each = |span: &Span| std::iter::repeat_n(span.0, self.enlarged as usize);
                let mut all: Vec<_> = given.iter().flat_map(each).collect();
                all.sort_unstable();
                Source::At(all)
            }
            Arrivals::Closed { population, thinking, begin } => {
                let place = place.word("closed");
                if *population == 0 {
                    self.problem(&place.word("population"), "a population of 0 never comes");
                }
                let thinking = self.law(thinking, &place.word("thinking"));
                let at_once = *begin == Begin::AtOnce;
                Source::Closed { population: self.enlarged(*population), thinking, at_once }
            }
        }
    }

    fn sinusoid(
        &mut self,
        (mean, amplitude): (f64, f64),
        period: Span,
        phase: Share,
        place: &Place,
    ) -> Source {
        if amplitude > mean {
            self.problem(&place.word("amplitude"), "an amplitude above the mean")
                .help("the rate would be negative at times; write at most the mean");
        }
        if period.0 == 0 {
            self.problem(&place.word("period"), "a period of 0").help("write for example `24h`");
        }
        let times = f64::from(self.enlarged);
        let wave = Wave {
            mean: mean * times,
            amplitude: amplitude * times,
            turn: TAU / seconds(period.0.max(1)),
            phase: TAU * phase.0,
        };
        Source::Open { rate: RateCurve::wave(wave), poisson: true, first_at: None }
    }

    fn profile(
        &mut self,
        points: &[(Span, Rate)],
        repeat_every: Option<Span>,
        place: &Place,
    ) -> RateCurve {
        let listed = place.word("points");
        if points.is_empty() {
            self.problem(&listed, "a profile without points")
                .help("write `[[0s, 2/s], [1h, 8/s]]`");
            return RateCurve::constant(0.0);
        }
        for (index, pair) in points.windows(2).enumerate() {
            if pair[1].0 < pair[0].0 {
                let what = format!("{} comes after {} in the profile", pair[1].0, pair[0].0);
                self.problem(&listed.word(index + 1), what)
                    .help("write the points in order of time");
            }
        }
        let last = points.iter().map(|(at, _)| at.0).max().unwrap_or(0);
        if repeat_every.is_some_and(|period| period.0 == 0 || period.0 < last) {
            self.problem(&place.word("repeat_every"), "the period ends before its last point")
                .help(format!("write at least {}", Span(last.max(1))));
            return RateCurve::constant(0.0);
        }
        let times = f64::from(self.enlarged);
        let scaled: Vec<_> = points.iter().map(|(at, r)| (seconds(at.0), r.0 * times)).collect();
        RateCurve::through(&scaled, repeat_every.map(|period| seconds(period.0)))
    }

    fn classes_of(&mut self, id: ClientId, name: &'m Name, client: &'m Client, place: &Place) {
        let Some(callee) = self.station(&client.calls, "called") else { return };
        if client.requests.is_empty() {
            let only = Name { value: ONLY_CLASS.to_owned(), mark: client.calls.mark };
            let class = RequestClass {
                share: Share(1.0),
                endpoint: None,
                calls: None,
                key: None,
                priority: None,
            };
            return self.class(id, (name, client), callee, (&only, &class), (1.0, place));
        }
        let place = place.word("requests");
        let total: f64 = client.requests.iter().map(|(_, class)| class.share.0).sum();
        let whole = (total - 1.0).abs() <= 1e-9;
        if !whole && !client.requests.iter().any(|(name, _)| self.is_removed(&name.value)) {
            let sum = format!("the shares of `{}` add up to {}", name.value, percent(total));
            self.problem(&place, sum).help("they must add up to 100%");
        }
        let mut sum = 0.0;
        let last = client.requests.len() - 1;
        for (index, (class_name, class)) in client.requests.iter().enumerate() {
            sum += class.share.0;
            let cumulative = if index == last { 1.0 } else { sum.min(1.0) };
            let place = place.name(class_name);
            self.class(id, (name, client), callee, (class_name, class), (cumulative, &place));
        }
    }

    /// One class of requests with its call site.
    fn class(
        &mut self,
        id: ClientId,
        (client_name, client): (&Name, &'m Client),
        callee: u32,
        (name, class): (&Name, &RequestClass),
        (cumulative_share, place): (f64, &Place),
    ) {
        let to = match &class.calls {
            Some(calls) => self.station(calls, "called"),
            None => Some(callee),
        };
        let asked = class.endpoint.as_ref().unwrap_or(name);
        let endpoint = to.and_then(|to| self.endpoint(to, asked));
        let key_cumulative = match &class.key {
            Some(law) => self.keys(law, &place.word("key")),
            None => Vec::new(),
        };
        let site = CallSite {
            name: format!("{}.{}", client_name.value, name.value),
            from: NONE,
            from_client: id,
            to: to.unwrap_or(callee),
            endpoint: endpoint.unwrap_or(NONE),
            timeout: client.timeout.as_ref(),
            deadline: client.deadline,
            layers: &client.layers,
            pick: None,
            network: client.network.as_ref(),
            late_used: client.late_answers == LateAnswers::Used,
            cancels: client.cancels,
            place: Place::top("clients").name(client_name),
            luck: format!("{}/{}", client_name.value, name.value),
        };
        let edge = self.call_site(site);
        self.enlarge_limits(edge);
        self.plan.classes.push(ClassPlan {
            name: name.value.clone(),
            client: id,
            cumulative_share,
            edge,
            key_cumulative,
            priority: class.priority.unwrap_or(client.priority),
        });
    }

    /// Limits at a client are shared by all its users, and are in proportion to them.
    fn enlarge_limits(&mut self, edge: u32) {
        let times = self.enlarged;
        for layer in &mut self.plan.edges[edge as usize].layers {
            match layer {
                LayerSpec::Bulkhead(spec) => spec.limit = spec.limit.saturating_mul(times),
                LayerSpec::RateLimit(spec) => enlarge(spec, times),
                _ => {}
            }
        }
    }

    /// Cumulative weights of keys; the last one is exactly 1.
    fn keys(&mut self, law: &KeyLaw, place: &Place) -> Vec<f64> {
        let count = match law {
            KeyLaw::Even { keys } | KeyLaw::Zipf { keys, .. } => u64::from(*keys),
            KeyLaw::Weights(weights) => weights.len() as u64,
            KeyLaw::Fixed(key) => u64::from(*key) + 1,
        };
        if !(1..=u64::from(MAX_KEYS)).contains(&count) {
            self.problem(place, format!("{count} keys")).help(format!("write 1 to {MAX_KEYS}"));
            return Vec::new();
        }
        let weights: Vec<f64> = match law {
            KeyLaw::Even { .. } => vec![1.0; count as usize],
            KeyLaw::Zipf { exponent, .. } => {
                (1..=count).map(|key| (key as f64).powf(-exponent)).collect()
            }
            KeyLaw::Weights(weights) => weights.clone(),
            KeyLaw::Fixed(only) => (0..=*only).map(|key| f64::from(key == *only)).collect(),
        };
        let total: f64 = weights.iter().sum();
        let sound = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
        if !sound || !total.is_finite() || total <= 0.0 {
            self.problem(place, "the weights of the keys make no sense")
                .help("no weight may be negative, and one must be above 0");
            return Vec::new();
        }
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight / total;
                sum.min(1.0)
            })
            .collect();
        // Rounding must not leave a gap behind the last one.
        cumulative[count as usize - 1] = 1.0;
        cumulative
    }
}

/// A limiter of every user stays as it is; all others are shared by more users.
fn enlarge(spec: &mut RateLimitSpec, times: u32) {
    let is_shared = |per: Per| per != Per::User;
    if let Some(bucket) = spec.token_bucket.as_mut().filter(|bucket| is_shared(bucket.per)) {
        bucket.rate.0 *= f64::from(times);
        bucket.burst = bucket.burst.saturating_mul(times);
    }
    if let Some(bucket) = spec.leaky_bucket.as_mut().filter(|bucket| is_shared(bucket.per)) {
        bucket.rate.0 *= f64::from(times);
        // One more than `burst` pass at once.
        bucket.burst = bucket.burst.saturating_add(1).saturating_mul(times).saturating_sub(1);
    }
    for window in [&mut spec.fixed_window, &mut spec.sliding_log].into_iter().flatten() {
        if is_shared(window.per) {
            window.limit = window.limit.saturating_mul(times);
        }
    }
}

/// A sum of shares, for people: it may pass 100 %.
pub(super) fn percent(share: f64) -> String {
    let rounded = (share * 1e8).round() / 1e6;
    format!("{rounded}%")
}
