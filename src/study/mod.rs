//! Experiments: variants, replicas, estimates, claims.

pub mod estimate;
pub mod table;
