//! study

pub mod estimate;
