//! One replica: a plan and a number run along the agenda to an outcome.
//!
//! Reading order: [`run()`] (the loop), `call` (the caller's side), `task` (the callee's side),
//! `plain` (both in one record, where nothing else can happen), `process` (memory, death,
//! restarts), `bugs`, `turns` and `rollout` (changes), `visit` (clients), `response` (alerts and
//! people), `meter`.

pub mod agenda;
mod ahead;
pub mod arena;
mod audit;
mod bugs;
mod cache;
mod call;
pub mod cpu;
pub mod line;
pub mod meter;
mod observe;
pub mod outcome;
pub mod plain;
mod process;
pub mod records;
mod response;
mod rollout;
pub mod run;
mod station;
pub mod story;
mod task;
mod turns;
pub mod users;
pub mod verify;
mod visit;
pub mod warm_up;
mod world;

pub use outcome::Outcome;
pub use run::{run, run_audited, run_logged};
