//! Validation: the simulator against theory and against other people's programs.
//!
//! ```text
//! case files + models --read--> cases --sample--> samples --estimate--> estimates --.
//!                                          expected numbers --judge-----------------'--> lines
//! ```
//!
//! A [`case`] is an ordinary model with runs (variants) and an [`expression`] over measures for
//! each quantity. The [`sample`]r runs as many replicas as the asked precisions need, an
//! [`mod@estimate`] has its 99.9 % interval from the jackknife, and only then the [`mod@judge`]
//! compares it with what is [`expected`]. [`suite`] does this for all cases; [`page`] is the page
//! that says what came out.

pub mod case;
pub mod estimate;
pub mod expected;
pub mod expression;
pub mod judge;
pub mod page;
pub mod sample;
pub mod suite;

pub use case::{Case, CaseFile, read_case};
pub use expected::{Expected, ExpectedCase};
pub use judge::Verdict;
pub use sample::Sampling;
pub use suite::{CaseResult, Line, Settings, Size, Suite, key, run_case, wanted_files};
