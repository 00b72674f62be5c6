//! Small systems whose schedules can be worked out by hand, checked to the nanosecond.

mod arrivals;
mod bugs;
mod caches;
mod calls;
mod health;
mod hedges;
mod mitigations;
mod observe;
mod pools;
mod process;
mod queue;
mod response;
mod retries;
mod speed;
mod steps;
