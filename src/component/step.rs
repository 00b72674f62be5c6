//! Endpoints as lists of steps.

use super::cache::LookUp;
use crate::dist::Dist;
use crate::load::LateAnswers;
use crate::mitigation::{LayerSpec, Pick};
use crate::status::Status;
use crate::text::Name;
use crate::units::{Share, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Own work, on the worker (and on the CPU, where the component has `cpu`).
    Work(Work),
    /// A plain wait that uses no CPU (the worker is held).
    Wait(Dist<Span>),
    /// A call of another component's endpoint.
    Call(Call),
    /// Several lists of steps at once.
    Parallel(Parallel),
    /// One of several lists of steps.
    Choose(Vec<Branch>),
    /// One list of steps if the request's key is in a cache, another if it is not.
    LookUp(LookUp),
    /// Answer now with this status; later steps are not done.
    Reply(Status),
    /// Go back to the first step of the endpoint, as if the request had come anew (bugs and
    /// middleware do not meet it again). It stands in a branch of `choose`, whose chance says how
    /// often.
    StartOver,
}

/// Own work. A bare distribution is the short form of `{takes: ...}`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Work {
    /// Its duration at full speed, alone.
    pub takes: Dist<Span>,
    /// Added for each request present at the instance when the work begins, this one included.
    pub plus_per_present: Option<Span>,
    /// Contention: the duration is multiplied by 1 + this share for each *other* request present
    /// then.
    pub times_per_other: Option<Share>,
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_or_long(
            deserializer,
            "takes",
            |takes| Work { takes, plus_per_present: None, times_per_other: None },
            |long: LongWork| Work {
                takes: long.takes,
                plus_per_present: long.plus_per_present,
                times_per_other: long.times_per_other,
            },
        )
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongWork {
    takes: Dist<Span>,
    plus_per_present: Option<Span>,
    times_per_other: Option<Share>,
}

/// Reads a value that has a short form (text, or a map without the key `marker`) and a long form (a
/// map with the key `marker` first).
fn short_or_long<'de, D, S, L, T>(
    deserializer: D,
    marker: &'static str,
    short: impl FnOnce(S) -> T,
    long: impl FnOnce(L) -> T,
) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    S: Deserialize<'de>,
    L: Deserialize<'de>,
{
    struct Either<F, G, S, L>(&'static str, F, G, std::marker::PhantomData<(S, L)>);
    impl<'de, F, G, S, L, T> serde::de::Visitor<'de> for Either<F, G, S, L>
    where
        F: FnOnce(S) -> T,
        G: FnOnce(L) -> T,
        S: Deserialize<'de>,
        L: Deserialize<'de>,
    {
        type Value = T;
        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            write!(f, "the short form, or a map that begins with `{}`", self.0)
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            S::deserialize(serde::de::value::StrDeserializer::new(text)).map(self.1)
        }
        fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<T, E> {
            S::deserialize(serde::de::value::U64Deserializer::new(n)).map(self.1)
        }
        fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<T, E> {
            S::deserialize(serde::de::value::I64Deserializer::new(n)).map(self.1)
        }
        fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<T, E> {
            S::deserialize(serde::de::value::F64Deserializer::new(n)).map(self.1)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let Some(first) = map.next_key::<String>()? else {
                return Err(serde::de::Error::custom(format!("an empty map; say `{}`", self.0)));
            };
            let is_long = first == self.0;
            let chained = WithFirst { first: Some(first), map };
            let again = serde::de::value::MapAccessDeserializer::new(chained);
            if is_long {
                L::deserialize(again).map(self.2)
            } else {
                S::deserialize(again).map(self.1)
            }
        }
    }
    deserializer.deserialize_any(Either(marker, short, long, std::marker::PhantomData))
}

/// A map whose first key has been looked at already.
struct WithFirst<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: serde::de::MapAccess<'de>> serde::de::MapAccess<'de> for WithFirst<A> {
    type Error = A::Error;
    fn next_key_seed<K: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => {
                seed.deserialize(serde::de::value::StringDeserializer::new(first)).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }
    fn next_value_seed<V: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A call of another component. A bare `component` or `component.endpoint` is the short form of
/// `{to: ...}`. Without an endpoint the one of the same name as the caller's is called.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Call {
    /// `component` or `component.endpoint`.
    pub to: Name,
    /// How long one attempt is waited for. Left out: for ever.
    pub timeout: Option<Dist<Span>>,
    /// How long the whole call may take, retries included.
    pub deadline: Option<Span>,
    /// Mitigations around the call, outermost first.
    pub layers: Vec<LayerSpec>,
    /// How the instance is chosen. Left out: as the callee's `pick` says, else in turn.
    pub pick: Option<Pick>,
    /// What a failed call does to the caller: `fail` (the default) ends it with an error, `go_on`
    /// goes on.
    pub on_failure: OnFailure,
    /// What becomes of an answer that arrives after its attempt timed out.
    pub late_answers: LateAnswers,
    /// Whether giving up on an attempt also stops the work at the callee.
    pub cancels: bool,
    /// The way there, one way.
    pub network: Option<Dist<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongCall {
    to: Name,
    timeout: Option<Dist<Span>>,
    deadline: Option<Span>,
    #[serde(default)]
    layers: Vec<LayerSpec>,
    pick: Option<Pick>,
    #[serde(default)]
    on_failure: OnFailure,
    #[serde(default)]
    late_answers: LateAnswers,
    #[serde(default)]
    cancels: bool,
    network: Option<Dist<Span>>,
}

impl Call {
    /// A call with all defaults.
    pub fn plain(to: Name) -> Call {
        Call {
            to,
            timeout: None,
            deadline: None,
            layers: Vec::new(),
            pick: None,
            on_failure: OnFailure::Fail,
            late_answers: LateAnswers::Ignored,
            cancels: false,
            network: None,
        }
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read with its position first: the short form keeps the mark of its text.
        let either = crate::text::At::<ShortOrLongCall>::deserialize(deserializer)?;
        Ok(match either.value {
            ShortOrLongCall::Short(to) => Call::plain(Name { value: to, mark: either.mark }),
            ShortOrLongCall::Long(long) => Call {
                to: long.to,
                timeout: long.timeout,
                deadline: long.deadline,
                layers: long.layers,
                pick: long.pick,
                on_failure: long.on_failure,
                late_answers: long.late_answers,
                cancels: long.cancels,
                network: long.network,
            },
        })
    }
}

enum ShortOrLongCall {
    Short(String),
    Long(Box<LongCall>),
}

impl<'de> Deserialize<'de> for ShortOrLongCall {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = ShortOrLongCall;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("`component.endpoint`, or `{to: component.endpoint, timeout: ...}`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ShortOrLongCall, E> {
                Ok(ShortOrLongCall::Short(text.to_owned()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<ShortOrLongCall, A::Error> {
                let long =
                    LongCall::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(ShortOrLongCall::Long(Box::new(long)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What a failed call does to its caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The caller ends too: a proxy passes the refusal or answers 502 or 504, a server answers 500.
    #[default]
    Fail,
    /// The caller goes on with its next step; its own answer is then `degraded` at best.
    GoOn,
}

/// Several lists of steps at once, on the one worker that their request holds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// How many branches must end well before the request goes on.
    pub wait_for: WaitFor,
    /// The branches. A branch that is not waited for any more works on.
    pub branches: Vec<Vec<Step>>,
    /// So many equal copies of all branches, each with its own luck: `{wait_for: all, copies: 100,
    /// branches: [[call: leaf]]}` is a fan-out of 100.
    #[serde(default = "one")]
    pub copies: u32,
}

fn one() -> u32 {
    1
}

/// How many branches must end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// All of them; the first failure fails the step.
    All,
    /// The first one.
    Any,
    /// So many of them.
    AtLeast(u32),
}

/// One branch of a `choose`: give `share`, `class` or `otherwise`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The chance of this branch. The shares of a `choose` add up to at most 100 %; the rest does
    /// nothing.
    pub share: Option<Share>,
    /// Requests of this class (of the client's `requests`) take this branch.
    pub class: Option<Name>,
    /// Requests that took no branch before take this one.
    #[serde(default)]
    pub otherwise: bool,
    /// What is done.
    pub steps: Vec<Step>,
}
