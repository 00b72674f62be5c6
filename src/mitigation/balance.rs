//! Picking a target among equal instances.
//!
//! Source: reference on resilience mechanisms, B1; Envoy `load_balancers`, nginx
//! `ngx_http_upstream_round_robin.c`; Thaler and Ravishankar 1998 for rendezvous hashing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line for lists.
pub const SUMMARY: &str = "Choose the instance that serves a call.";

/// Help for `pick`.
pub const EXPLAIN: &str = "\
Chooses the instance that serves a call, among those that are available:
  round_robin     each in turn
  random          uniformly
  least_requests  the one with the fewest requests in progress from this caller; among equals the
                  next in turn (HAProxy leastconn)
  power_of_two    draws two uniformly, with repetition, and takes the one with fewer requests in
                  progress, the first of equals (Envoy LEAST_REQUEST with choice_count 2)
  sticky_by_user  always the same for a user while it is available (rendezvous hashing); users of
                  an instance that is lost spread over all others, and return when it does
  weighted        smooth weighted round robin (nginx): in turn, as often as the weight says

Source: Envoy load_balancers, nginx ngx_http_upstream_round_robin.c, HAProxy balance; rendezvous
hashing: Thaler and Ravishankar 1998.

```yaml
pick: power_of_two
```

Traps: an instance that fails quickly has few requests in progress, so that least_requests and
power_of_two send it most of the traffic. Round robin sends a slow instance the same share as the
others. Each caller knows only its own requests: with many callers least_requests is random.
";

/// How the instance that serves a call is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceSpec {
    /// Each available instance in turn.
    #[default]
    RoundRobin,
    /// Uniformly among the available instances.
    Random,
    /// The fewest requests in progress from this caller; among equals the next in turn.
    LeastRequests,
    /// Of two drawn uniformly, the one with fewer requests in progress from this caller.
    PowerOfTwo,
    /// The same instance for the same user while it is available.
    StickyByUser,
    /// In turn, each as often as its weight says; one weight for each instance.
    Weighted(Vec<u32>),
}

/// Largest weight; keeps sums far from overflow.
const LARGEST_WEIGHT: u32 = 1_000_000;

impl BalanceSpec {
    /// Whether the choice is drawn.
    #[must_use]
    pub fn needs_luck(&self) -> bool {
        matches!(self, Self::Random | Self::PowerOfTwo)
    }

    /// Whether the choice looks at the requests in progress.
    #[must_use]
    pub fn needs_load(&self) -> bool {
        matches!(self, Self::LeastRequests | Self::PowerOfTwo)
    }

    /// Refuses weights that do not fit `instances` instances.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self, instances: u32) -> Result<(), String> {
        let Self::Weighted(weights) = self else { return Ok(()) };
        if weights.len() != instances as usize {
            let given = weights.len();
            return Err(format!("{given} weights for {instances} instances; write one for each"));
        }
        if weights.iter().any(|weight| !(1..=LARGEST_WEIGHT).contains(weight)) {
            return Err(format!("a weight is between 1 and {LARGEST_WEIGHT}"));
        }
        Ok(())
    }
}

/// The state of one caller's choice.
#[derive(Debug, Clone)]
pub struct Picker {
    instances: u32,
    rule: Rule,
    /// The instance whose turn it is, if it is available.
    turn: u32,
}

#[derive(Debug, Clone)]
enum Rule {
    RoundRobin,
    Random,
    LeastRequests,
    PowerOfTwo,
    Sticky,
    Weighted(Box<[Weighted]>),
}

/// Names of nginx's peer fields; its effective weight, which failures lower, is always the weight.
#[derive(Debug, Clone, Copy)]
struct Weighted {
    weight: i64,
    current: i64,
}

impl Picker {
    /// A picker among instances 0 to `instances` - 1.
    #[must_use]
    pub fn new(spec: &BalanceSpec, instances: u32) -> Self {
        let rule = match spec {
            BalanceSpec::RoundRobin => Rule::RoundRobin,
            BalanceSpec::Random => Rule::Random,
            BalanceSpec::LeastRequests => Rule::LeastRequests,
            BalanceSpec::PowerOfTwo => Rule::PowerOfTwo,
            BalanceSpec::StickyByUser => Rule::Sticky,
            BalanceSpec::Weighted(weights) => {
                let weight = |n| weights.get(n as usize).map_or(1, |weight| i64::from(*weight));
                let peers = (0..instances).map(|n| Weighted { weight: weight(n), current: 0 });
                Rule::Weighted(peers.collect())
            }
        };
        Self { instances, rule, turn: 0 }
    }

    /// The instance for a call, `None` if none is available.
    ///
    /// `available` are the instances that may be used, in rising order; `load(i)` is the number of
    /// this caller's requests in progress at instance `i`; `key` identifies the user; `luck` is 64
    /// uniform bits. Constant time for `random` and `power_of_two`, and for `round_robin` while all
    /// are available (else logarithmic); linear for the others. Does not allocate.
    pub fn pick(
        &mut self,
        available: &[u32],
        load: impl Fn(u32) -> u32,
        key: u64,
        luck: u64,
    ) -> Option<u32> {
        let first = *available.first()?;
        let picked = match &mut self.rule {
            Rule::Random => scaled(available, luck as u32),
            Rule::PowerOfTwo => {
                let one = scaled(available, luck as u32);
                let other = scaled(available, (luck >> 32) as u32);
                if load(other) < load(one) { other } else { one }
            }
            Rule::RoundRobin => available[self.position(available)],
            Rule::LeastRequests => {
                let (before, after) = available.split_at(self.position(available));
                // `min_by_key` returns the first of equals: the next in turn.
                after.iter().chain(before).copied().min_by_key(|n| load(*n)).unwrap_or(first)
            }
            Rule::Sticky => {
                let rank = |n: &u32| (mixed(key ^ mixed(u64::from(*n) + 1)), *n);
                available.iter().copied().max_by_key(rank).unwrap_or(first)
            }
            Rule::Weighted(peers) => smooth(peers, available).unwrap_or(first),
        };
        self.turn = if picked + 1 < self.instances { picked + 1 } else { 0 };
        Some(picked)
    }

    /// Where in `available` the next turn is: the first from `turn` on, else the first of all.
    fn position(&self, available: &[u32]) -> usize {
        if available.len() == self.instances as usize {
            return self.turn as usize;
        }
        let position = available.partition_point(|n| *n < self.turn);
        if position < available.len() { position } else { 0 }
    }
}

/// One of `available` by 32 uniform bits; the bias is at most the number of instances over 2³².
fn scaled(available: &[u32], luck: u32) -> u32 {
    available[((u64::from(luck) * available.len() as u64) >> 32) as usize]
}

/// nginx's smooth weighted round robin: all gain their weight, the richest (first of equals) is
/// chosen and pays the total.
fn smooth(peers: &mut [Weighted], available: &[u32]) -> Option<u32> {
    let mut total = 0;
    let mut best: Option<u32> = None;
    for n in available {
        let peer = peers.get_mut(*n as usize)?;
        peer.current += peer.weight;
        total += peer.weight;
        let gained = peer.current;
        if best.is_none_or(|best| gained > peers[best as usize].current) {
            best = Some(*n);
        }
    }
    peers[best? as usize].current -= total;
    best
}

/// Finalizer of SplitMix64 (Steele, Lea and Flood 2014): spreads every bit over all.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
