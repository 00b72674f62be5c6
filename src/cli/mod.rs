//! The program: the only layer that prints, reads clocks and writes files.
//!
//! One file for each verb. Results go to stdout, talk goes to stderr. Exit codes: 0 done (and all
//! claims hold), 1 a claim or a case failed, 2 bad input, 130 interrupted. Nothing is written when
//! the input is bad.

mod check;
mod explain;
mod input;
mod lexicon;
mod list;
mod measures;
mod new;
mod problems;
mod ranking;
mod results;
mod run;
mod say;
mod schema;
mod study;
mod validate;
mod words;
mod write;

use clap::{Parser, Subcommand};
use problems::Refusal;
use std::process::ExitCode;

/// Simulate outages: cascading failures, the people who respond, and what would have helped.
///
/// A model (YAML) describes a system, what happens to it and who responds. An experiment varies a
/// model: variants, sweeps, facts and claims. Start with `outagelab new NAME`; any word of a file
/// is explained by `outagelab explain WORD`.
#[derive(Parser)]
#[command(name = "outagelab", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done and all claims hold, 1 a claim or check failed, 2 bad input."
)]
struct Program {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    New(new::Args),
    Run(run::Args),
    Study(study::Args),
    Check(check::Args),
    Validate(validate::Args),
    Explain(explain::Args),
    List(list::Args),
    Schema(schema::Args),
}

/// How a verb ended that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// All is well.
    Well,
    /// A claim of the experiment does not hold, a case of the validation fails, or two runs
    /// that should be the same differ.
    ClaimFailed,
}

/// What every verb yields.
type Verdict = Result<Done, Refusal>;

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let verdict = match Program::parse().verb {
        Verb::New(args) => new::new(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Study(args) => study::study(&args),
        Verb::Check(args) => check::check(&args),
        Verb::Validate(args) => validate::validate(&args),
        Verb::Explain(args) => explain::explain(&args),
        Verb::List(args) => list::list(&args),
        Verb::Schema(args) => schema::schema(&args),
    };
    match verdict {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::ClaimFailed) => ExitCode::from(1),
        Err(refusal) => {
            refusal.report();
            ExitCode::from(2)
        }
    }
}
