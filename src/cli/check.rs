//! `check`: is a file right?

use super::problems::Refusal;
use super::{Done, Verdict, input, say};
use crate::plan::load_and_compile;
use crate::study;
use crate::text::{Problem, Sources, read};
use crate::validate::read_case;
use std::path::{Path, PathBuf};

/// Check models and experiments, and report everything that is wrong with them.
///
/// A file with the key `quantities` or `not_comparable` is a case of `validate`, one with the key
/// `model` an experiment, any other file is a model. Prints one line for each file that is right;
/// exits with 2 if any is wrong.
#[derive(clap::Args)]
pub struct Args {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Checks all files.
pub fn check(args: &Args) -> Verdict {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let mut good = String::new();
    for path in &args.files {
        match check_file(&mut sources, path) {
            Ok(kind) => good.push_str(&format!("{}: {kind}, no problems\n", path.display())),
            Err(more) => problems.extend(more),
        }
    }
    say::print(&good)?;
    if problems.is_empty() { Ok(Done::Well) } else { Err(Refusal::new(problems, sources)) }
}

/// The kind of a file that is right.
fn check_file(sources: &mut Sources, path: &Path) -> Result<&'static str, Vec<Problem>> {
    let text = input::text(sources, path).map_err(|problem| vec![problem])?;
    let name = path.display().to_string();
    let root = read(&mut Sources::default(), &name, &text);
    let has = |key: &str| root.as_ref().is_ok_and(|root| root.get(key).is_some());
    if has("quantities") || has("not_comparable") {
        read_case(sources, &name, &text, &mut input::data).map(|_| "case")
    } else if has("model") {
        study::check(sources, &name, &text, &mut input::data).map(|_| "experiment")
    } else {
        // The model's reader also says what is wrong with a file that cannot be read.
        load_and_compile(sources, &name, &text, &[], 0, &mut input::beside(path)).map(|_| "model")
    }
}
