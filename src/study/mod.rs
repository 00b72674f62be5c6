//! study

pub mod table;
