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
  fewest_of       the same with every detail said: how many are drawn (or `all`), whether one can
                  be drawn twice, and which of equals is taken
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
    /// Of several drawn uniformly, or of all, the one with the fewest requests in progress from
    /// this caller.
    FewestOf(FewestSpec),
    /// The same instance for the same user while it is available.
    StickyByUser,
    /// In turn, each as often as its weight says; one weight for each instance.
    Weighted(Vec<u32>),
}

/// Power of d choices with every detail said. `power_of_two` is `{choices: 2, replacement: yes,
/// ties: first}`, `least_requests` is `{choices: all, ties: in_turn}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FewestSpec {
    /// How many instances are drawn and compared, 1 to 16; or `all`.
    pub choices: Choices,
    /// Whether an instance can be drawn more than once. The default is `no`.
    #[serde(default)]
    pub replacement: bool,
    /// Which of equals is taken. The default is `random`.
    #[serde(default)]
    pub ties: Ties,
}

/// How many instances are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "u32", extend("type" = ["integer", "string"]))]
pub enum Choices {
    /// So many, drawn uniformly.
    Drawn(u32),
    /// All that are available.
    All,
}

impl Serialize for Choices {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Drawn(count) => serializer.serialize_u32(*count),
            Self::All => serializer.serialize_str("all"),
        }
    }
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrAll;
        impl serde::de::Visitor<'_> for NumberOrAll {
            type Value = Choices;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number of instances, or `all`")
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Choices, E> {
                u32::try_from(n).map(Choices::Drawn).map_err(|_| E::custom("too many choices"))
            }
            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Choices, E> {
                u32::try_from(n).map(Choices::Drawn).map_err(|_| E::custom("negative choices"))
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Choices, E> {
                match word {
                    "all" => Ok(Choices::All),
                    _ => Err(E::custom(format!("`{word}` is not a number of instances or `all`"))),
                }
            }
        }
        deserializer.deserialize_any(NumberOrAll)
    }
}

/// Which of several instances with equally few requests is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Drawn uniformly.
    #[default]
    Random,
    /// The next in turn.
    InTurn,
    /// The one that was drawn first; of all, the one with the lowest number.
    First,
}

/// Most instances that are drawn for one call: they are kept on the stack.
const MOST_CHOICES: usize = 16;

/// Largest weight; keeps sums far from overflow.
const LARGEST_WEIGHT: u32 = 1_000_000;

impl BalanceSpec {
    /// Whether the choice is drawn.
    #[must_use]
    pub fn needs_luck(&self) -> bool {
        matches!(self, Self::Random | Self::PowerOfTwo | Self::FewestOf(_))
    }

    /// Whether the choice looks at the requests in progress.
    #[must_use]
    pub fn needs_load(&self) -> bool {
        matches!(self, Self::LeastRequests | Self::PowerOfTwo | Self::FewestOf(_))
    }

    /// Refuses weights that do not fit `instances` instances, and numbers of choices that cannot
    /// be.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self, instances: u32) -> Result<(), String> {
        if let Self::FewestOf(FewestSpec { choices: Choices::Drawn(drawn), .. }) = self
            && !(1..=MOST_CHOICES as u32).contains(drawn)
        {
            return Err(format!("{drawn} choices; write 1 to {MOST_CHOICES}, or `all`"));
        }
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
    Fewest(FewestSpec),
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
            BalanceSpec::FewestOf(spec) => Rule::Fewest(*spec),
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
    /// uniform bits. Constant time for `random`, `power_of_two` and `fewest_of` with a number, and
    /// for `round_robin` while all are available (else logarithmic); linear for the others. Does
    /// not allocate.
    pub fn pick(
        &mut self,
        available: &[u32],
        load: impl Fn(u32) -> u32,
        key: u64,
        luck: u64,
    ) -> Option<u32> {
        let first = *available.first()?;
        if let Rule::Fewest(spec) = self.rule {
            return Some(self.fewest(spec, available, load, luck));
        }
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
            Rule::Fewest(_) => first, // Picked above.
        };
        self.turn_passes(picked);
        Some(picked)
    }

    fn turn_passes(&mut self, picked: u32) {
        self.turn = if picked + 1 < self.instances { picked + 1 } else { 0 };
    }

    /// Of the instances that are drawn the one with the fewest requests.
    fn fewest(
        &mut self,
        spec: FewestSpec,
        available: &[u32],
        load: impl Fn(u32) -> u32,
        luck: u64,
    ) -> u32 {
        let mut draws = Draws { luck, next: 0 };
        let mut drawn = [0_u32; MOST_CHOICES];
        let compared = match spec.choices {
            Choices::All => available,
            Choices::Drawn(count) => {
                let count = (count as usize).clamp(1, MOST_CHOICES);
                if !spec.replacement && count >= available.len() {
                    available
                } else {
                    draw(&mut drawn[..count], available, spec.replacement, &mut draws);
                    &drawn[..count]
                }
            }
        };
        let turns = |n: u32| if n >= self.turn { n - self.turn } else { n + self.instances };
        let mut best = (compared[0], load(compared[0]));
        let mut equals = 1;
        for &n in &compared[1..] {
            let requests = load(n);
            if requests > best.1 {
                continue;
            }
            let fewer = requests < best.1;
            equals = if fewer { 1 } else { equals + 1 };
            let taken = fewer
                || match spec.ties {
                    Ties::First => false,
                    Ties::InTurn => turns(n) < turns(best.0),
                    // Each of the k equals seen so far has been kept with chance 1/k.
                    Ties::Random => draws.below(equals) == 0,
                };
            if taken {
                best = (n, requests);
            }
        }
        self.turn_passes(best.0);
        best.0
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

/// Uniform numbers out of 64 bits of luck: the sequence of SplitMix64 that begins there.
struct Draws {
    luck: u64,
    next: u64,
}

impl Draws {
    /// A whole number below `count`; the bias is at most `count` over 2³².
    fn below(&mut self, count: usize) -> usize {
        self.next = self.next.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = mixed(self.luck.wrapping_add(self.next)) >> 32;
        ((bits * count as u64) >> 32) as usize
    }
}

/// Draws instances uniformly; without replacement by Floyd's method (Bentley and Floyd 1987), which
/// takes time for the number drawn alone, and then shuffles them, so that `first` favours nobody.
fn draw(drawn: &mut [u32], available: &[u32], replacement: bool, draws: &mut Draws) {
    let (count, all) = (drawn.len(), available.len());
    if replacement {
        drawn.fill_with(|| available[draws.below(all)]);
        return;
    }
    let mut places = [0_usize; MOST_CHOICES];
    for i in 0..count {
        let top = all - count + i;
        let place = draws.below(top + 1);
        places[i] = if places[..i].contains(&place) { top } else { place };
    }
    for i in (1..count).rev() {
        places.swap(i, draws.below(i + 1));
    }
    for (drawn, place) in drawn.iter_mut().zip(places) {
        *drawn = available[place];
    }
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
