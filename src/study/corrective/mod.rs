//! Corrective measures: what each is worth, alone, in pairs and all together, and at what price.
//!
//! Reading order: [`words`] (what a file says), `check` (what it means), `rank`, `pairs` and
//! `break_even` (what the rows say), `runs` (which runs it takes), [`table`] (what is handed
//! on).

pub(super) mod break_even;
pub(super) mod check;
pub(super) mod pairs;
pub(super) mod rank;
pub(super) mod runs;
pub mod table;
pub mod words;

#[cfg(test)]
mod tests;
