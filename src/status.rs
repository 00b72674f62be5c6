//! How an attempt ends.
//!
//! Source of the taxonomy: reference on resilience mechanisms, section 0.1 (an attempt ends in
//! exactly one).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The one way in which an attempt (or a whole call, after its layers) ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Status {
    /// A full answer (2xx).
    Ok,
    /// A fallback's answer: usable, of lower quality. Counts as good.
    Degraded,
    /// The callee found the request at fault (4xx other than 408, 425, 429). Not retried by
    /// default.
    ClientError,
    /// The callee failed while working (500).
    ServerError,
    /// Refused quickly by admission control: line full, connections exhausted, stalled process
    /// (503).
    Unavailable,
    /// Refused by a rate limit (429).
    RateLimited,
    /// A proxy waited its whole time-out for its callee (504).
    GatewayTimeout,
    /// No usable backend, or the backend broke the connection (502).
    BadGateway,
    /// The caller's own time-out for the attempt passed.
    Timeout,
    /// The caller's overall deadline passed.
    DeadlineExceeded,
    /// Refused at the caller without touching the network: breaker open, bulkhead full.
    LocalReject,
    /// The process that served the attempt was killed (connection reset).
    Reset,
    /// Nothing listened at the address (connection refused).
    Refused,
    /// The caller gave up and the cancellation reached the callee.
    Cancelled,
}

impl Status {
    /// All statuses, in the order of their discriminants.
    pub const ALL: [Status; 14] = [
        Status::Ok,
        Status::Degraded,
        Status::ClientError,
        Status::ServerError,
        Status::Unavailable,
        Status::RateLimited,
        Status::GatewayTimeout,
        Status::BadGateway,
        Status::Timeout,
        Status::DeadlineExceeded,
        Status::LocalReject,
        Status::Reset,
        Status::Refused,
        Status::Cancelled,
    ];

    /// True for an answer that its receiver can use.
    #[inline]
    pub fn is_good(self) -> bool {
        matches!(self, Status::Ok | Status::Degraded)
    }

    /// True if something failed: neither a good answer nor one that found the request itself at
    /// fault (4xx).
    #[inline]
    pub fn is_failure(self) -> bool {
        !self.is_good() && !matches!(self, Status::ClientError | Status::RateLimited)
    }

    /// The word for this status in files and tables.
    pub fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Degraded => "degraded",
            Status::ClientError => "client_error",
            Status::ServerError => "server_error",
            Status::Unavailable => "unavailable",
            Status::RateLimited => "rate_limited",
            Status::GatewayTimeout => "gateway_timeout",
            Status::BadGateway => "bad_gateway",
            Status::Timeout => "timeout",
            Status::DeadlineExceeded => "deadline_exceeded",
            Status::LocalReject => "local_reject",
            Status::Reset => "reset",
            Status::Refused => "refused",
            Status::Cancelled => "cancelled",
        }
    }

    /// The HTTP status code with which the status travels, 0 where no answer travelled.
    pub fn code(self) -> u16 {
        match self {
            Status::Ok | Status::Degraded => 200,
            Status::ClientError => 400,
            Status::ServerError => 500,
            Status::Unavailable => 503,
            Status::RateLimited => 429,
            Status::GatewayTimeout => 504,
            Status::BadGateway => 502,
            _ => 0,
        }
    }

    /// Retried by a retry layer that does not say otherwise: everything that is neither good, nor
    /// the request's own fault, nor a refusal of the caller itself (reference, A2: a breaker's own
    /// rejection must not be retried blindly).
    #[inline]
    pub fn is_retryable_by_default(self) -> bool {
        !matches!(
            self,
            Status::Ok
                | Status::Degraded
                | Status::ClientError
                | Status::LocalReject
                | Status::DeadlineExceeded
                | Status::Cancelled
        )
    }
}
