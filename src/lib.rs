//! OutageLab: a discrete-event outage simulator.
//!
//! An **experiment** varies a **model**; a model compiles to a **plan**; a plan and a replica
//! number run a
//! **world** along its **agenda** to an **outcome**; **measures** turn outcomes into a **table**;
//! **plots** and the **report** draw it. Every arrow is a plain function of plain data; only the
//! world is mutable.
//!
//! A file imports only from lower layers:
//!
//! | layer | modules | what they hold |
//! | --- | --- | --- |
//! | 0 | [`units`] [`rng`] [`dist`] [`status`] [`histogram`] [`text`] | quantities, randomness, words in files |
//! | 1 | [`load`] [`component`] [`mitigation`] [`change`] [`response`] [`observe`] | the families: words and behaviour |
//! | 2 | [`model`] | what a user writes |
//! | 3 | [`plan`] | what it means: names become ids, all errors end here |
//! | 4 | [`sim`] | one replica |
//! | 5 | [`measure`] | numbers of an outcome |
//! | 6 | [`study`] [`validate`] | experiments: variants, replicas, estimates; checks against theory |
//! | 7 | `plot` `report` | figures and the page |
//! | 8 | `cli` | the only layer that prints, reads clocks and writes files |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod change;
pub mod component;
pub mod dist;
pub mod histogram;
pub mod load;
pub mod measure;
pub mod mitigation;
pub mod model;
pub mod observe;
pub mod plan;
pub mod response;
pub mod rng;
pub mod sim;
pub mod status;
pub mod study;
pub mod text;
pub mod units;
pub mod validate;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod plot;
#[cfg(feature = "cli")]
pub mod report;
