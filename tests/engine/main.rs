//! The engine against what is known without it: schedules worked out by hand, queueing theory, laws
//! that hold in every run, and runs that must come out the same again.

mod common;
mod coverage;
mod determinism;
mod files;
mod golden;
mod incident;
mod laws;
mod roster;
mod schedules;
mod theory;
mod tidy;
