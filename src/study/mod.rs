//! Experiments: variants of a model, replicas, estimates with intervals, facts and claims.
//!
//! ```text
//! text --check--> Checked --run--> StudyResult { table, rows }
//! ```
//!
//! Reading order: [`experiment`] (what a file says), [`check()`] (what it means; all problems end
//! here), [`run()`] (variants times replicas, in parallel), [`claim`] and [`estimate`] (what the
//! numbers say), [`corrective`] (what each measure is worth), [`table`] (what is handed on).

mod ablation;
mod bands;
mod caution;
mod check;
mod check_claims;
pub mod claim;
pub mod corrective;
#[cfg(feature = "cli")]
mod csv;
mod draw;
pub mod estimate;
pub mod experiment;
mod patches;
mod paths;
mod quantity;
mod result;
mod run;
mod setup;
pub mod table;
mod warm_up;

pub use ablation::claims_without_cause;
pub use caution::Caution;
pub use check::{Checked, check};
#[cfg(feature = "cli")]
pub use csv::{prices_csv, ranking_csv, replicas_csv, table_csv};
pub use experiment::Experiment;
pub use result::{Row, StudyResult, VariantRows};
pub use run::{Options, run};
pub use setup::Setup;

pub(crate) use check::{ReadFile, in_order};
pub(crate) use patches::patches_of;
pub(crate) use paths::{find, folder, stem};
pub(crate) use run::in_parallel;
pub(crate) use setup::{compile_tree, without_origins};

#[cfg(test)]
mod tests;
