//! Experiments: variants, replicas, estimates.

pub mod estimate;
pub mod table;
