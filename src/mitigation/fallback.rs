//! Fallbacks: something else instead of a failure.
//!
//! Source: reference on resilience mechanisms, A9; AWS Builders' Library, "Avoiding fallback in
//! distributed systems".

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::StatusSet;
use super::statuses::check_failures;
use crate::status::Status;
use crate::units::{Nanos, Share, Span};

/// Help for `fallback`.
pub const EXPLAIN: &str = "\
Puts something else in the place of a failure. `on` says which: a list of statuses of the call, or
`middleware`, the failures of this component's middleware. One of these says what:
  answer: degraded   the caller has this status instead; `degraded` is a usable answer of lower
                     quality (default content, a stale cache) and counts as good. This is the
                     default.
  open: yes          fail open: the failed thing is skipped and the request goes on, `ok`.
  open: no           fail closed: the request ends with `server_error`.
The fallback itself can take time (`takes`) and fail (`fails`): then the original failure is
delivered, after that time.

By default `on` is every failure of a call but `client_error` and `cancelled`. With `middleware` it
is every failure but those by which a middleware does its work (a limiter's `rate_limited`,
`unavailable` or `local_reject`, and `client_error`).

Source: Hystrix (a fallback runs for failures, time-outs, rejections and open breakers, not for bad
requests); fail-open and fail-closed as in Envoy's failure_mode_deny; AWS Builders' Library,
Avoiding fallback in distributed systems.

```yaml
- fallback: {on: middleware, open: yes}
- fallback: {on: [unavailable, timeout, local_reject], answer: degraded, takes: 5ms, fails: 1%}
```

Traps: a fallback that calls another shared service moves the outage there. A fallback that runs
only during failures is untested when it is needed. Failing open removes a protection exactly when
it is needed; failing closed makes the middleware's outage everybody's.
";

/// Puts something else in the place of a failure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FallbackSpec {
    /// The failures that it covers: a list of statuses, or `middleware`. Default: every failure of
    /// the call but `client_error` and `cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<On>,
    /// `yes` skips the failed thing and goes on (fail open), `no` ends the request with an error
    /// (fail closed). Not together with `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// The status to answer instead. Default `degraded`. Not together with `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Status>,
    /// Time that the fallback takes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<Span>,
    /// Share of fallbacks that fail themselves; the original failure is then delivered. Default 0%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<Share>,
}

/// The failures that a fallback covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// Failures of the component's middleware; written `middleware`.
    Middleware,
    /// Calls that end with one of these; written as a list.
    Statuses(Vec<Status>),
}

const MIDDLEWARE: &str = "middleware";

impl Serialize for On {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Middleware => serializer.serialize_str(MIDDLEWARE),
            Self::Statuses(statuses) => statuses.serialize(serializer),
        }
    }
}

/// Word or list. Not `#[serde(untagged)]`, which would hide what is wrong with an entry of the
/// list.
impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnVisitor;
        impl<'de> Visitor<'de> for OnVisitor {
            type Value = On;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("`middleware` or a list of statuses such as [unavailable, timeout]")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<On, E> {
                match word {
                    MIDDLEWARE => Ok(On::Middleware),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<On, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(entries)).map(On::Statuses)
            }
        }
        deserializer.deserialize_any(OnVisitor)
    }
}

impl JsonSchema for On {
    fn schema_name() -> Cow<'static, str> {
        "FallbackOn".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`middleware`, or a list of statuses of the call.",
            "anyOf": [{"const": MIDDLEWARE}, generator.subschema_for::<Vec<Status>>()],
        })
    }
}

impl FallbackSpec {
    /// Refuses `open` together with `answer`, and lists of statuses that are no failures.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if self.open.is_some() && self.answer.is_some() {
            return Err("a fallback has either `open` or `answer`; remove one of them".to_owned());
        }
        match &self.on {
            Some(On::Statuses(statuses)) => check_failures("on", statuses),
            Some(On::Middleware) | None => Ok(()),
        }
    }
}

/// The fallback layer; it has no state of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fallback {
    middleware: bool,
    on: StatusSet,
    answer: Status,
    takes: Nanos,
    fails: f64,
}

impl Fallback {
    /// The layer that the spec describes.
    #[must_use]
    pub fn new(spec: &FallbackSpec) -> Self {
        let on = match &spec.on {
            Some(On::Statuses(statuses)) => StatusSet::of(statuses),
            Some(On::Middleware) => StatusSet::having(is_failure_of_middleware),
            None => StatusSet::having(is_failure_of_call),
        };
        let answer = match spec.open {
            Some(true) => Status::Ok,
            Some(false) => Status::ServerError,
            None => spec.answer.unwrap_or(Status::Degraded),
        };
        let fails = spec.fails.map_or(0.0, |share| share.0);
        Self {
            middleware: spec.on == Some(On::Middleware),
            on,
            answer,
            takes: spec.takes.map_or(0, |span| span.0),
            fails,
        }
    }

    /// True if it stands for the failures of middleware, and not of calls.
    #[must_use]
    pub fn is_for_middleware(&self) -> bool {
        self.middleware
    }

    /// What is delivered instead of `status`; `None` if the fallback does not run for it. When it
    /// runs and fails, that is `status` itself: the time of the fallback has passed all the same.
    /// [`Status::Ok`] for a middleware means that the request goes on without it. `u` is uniform in
    /// [0, 1).
    #[inline]
    #[must_use]
    pub fn instead(&self, status: Status, u: f64) -> Option<Status> {
        let instead = if u < self.fails { status } else { self.answer };
        self.on.has(status).then_some(instead)
    }
}

fn is_failure_of_call(status: Status) -> bool {
    !status.is_good() && !matches!(status, Status::ClientError | Status::Cancelled)
}

/// Not the answers by which a limiter or another guard refuses: those are its work.
fn is_failure_of_middleware(status: Status) -> bool {
    is_failure_of_call(status)
        && !matches!(status, Status::RateLimited | Status::Unavailable | Status::LocalReject)
}

impl super::Layer for Fallback {
    fn told(&mut self, cx: &mut super::Context, status: Status) -> super::Told {
        if self.middleware || !self.on.has(status) {
            return super::Told::Deliver;
        }
        match self.instead(status, cx.luck.unit()) {
            Some(instead) if self.takes > 0 => super::Told::InsteadAfter(instead, self.takes),
            Some(instead) => super::Told::Instead(instead),
            None => super::Told::Deliver,
        }
    }

    fn is_for_middleware(&self) -> bool {
        self.middleware
    }

    fn middleware_failed(&self, status: Status, u: f64) -> Option<Status> {
        if self.middleware { self.instead(status, u) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Fallback, String> {
        let spec: FallbackSpec = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        spec.check().map(|()| Fallback::new(&spec))
    }

    #[test]
    fn by_default_a_failed_call_is_answered_degraded() {
        let fallback = read("{}").unwrap();
        assert_eq!(fallback.instead(Status::LocalReject, 0.0), Some(Status::Degraded));
        for status in [Status::Ok, Status::Degraded, Status::ClientError, Status::Cancelled] {
            assert_eq!(fallback.instead(status, 0.0), None);
        }
        assert!(!fallback.is_for_middleware());
    }

    #[test]
    fn failing_open_goes_on_and_failing_closed_is_an_error() {
        let open = read("{on: middleware, open: yes}").unwrap();
        assert!(open.is_for_middleware());
        assert_eq!(open.instead(Status::Timeout, 0.5), Some(Status::Ok));
        let closed = read("{on: [timeout], open: no}").unwrap();
        assert_eq!(closed.instead(Status::Timeout, 0.5), Some(Status::ServerError));
        assert_eq!(closed.instead(Status::Reset, 0.5), None);
    }

    #[test]
    fn a_limiter_that_refuses_has_not_failed() {
        let open = read("{on: middleware, open: yes}").unwrap();
        for status in [Status::RateLimited, Status::Unavailable, Status::LocalReject] {
            assert_eq!(open.instead(status, 0.5), None);
        }
        assert_eq!(open.instead(Status::ServerError, 0.5), Some(Status::Ok));
    }

    #[test]
    fn a_fallback_that_fails_delivers_the_original_failure() {
        let fallback = read("{answer: degraded, fails: 25%}").unwrap();
        assert_eq!(fallback.instead(Status::Reset, 0.2499), Some(Status::Reset));
        assert_eq!(fallback.instead(Status::Reset, 0.25), Some(Status::Degraded));
    }

    #[test]
    fn contradictions_and_wrong_words_are_refused_with_a_hint() {
        assert!(read("{open: yes, answer: degraded}").unwrap_err().contains("either"));
        assert!(read("{on: [ok]}").unwrap_err().contains("no failure"));
        assert!(read("{on: midleware}").unwrap_err().contains("`middleware` or a list"));
        assert!(read("{on: [timeuot]}").unwrap_err().contains("timeuot"));
    }
}
