//! Small systems whose schedules can be worked out by hand, checked to the nanosecond.

mod arrivals;
mod bugs;
mod caches;
mod calls;
mod health;
mod mitigations;
mod observe;
mod pools;
mod process;
mod queue;
mod response;
mod speed;
mod steps;
