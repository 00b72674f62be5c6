//! `new`: files to start from.

use super::{Done, Verdict, say};
use crate::model::template::Template;
use crate::text::Problem;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a commented model of three tiers and an experiment to start from.
///
/// In a folder with `models/` and `experiments/` they become `models/NAME.yaml` and
/// `experiments/NAME.yaml`; elsewhere `NAME.yaml` and `NAME.experiment.yaml`.
#[derive(clap::Args)]
pub struct Args {
    /// A name of letters, digits, `-` and `_`.
    name: String,
    /// Overwrite files that are there.
    #[arg(long)]
    force: bool,
}

/// Writes the two files.
pub fn new(args: &Args) -> Verdict {
    let name = args.name.as_str();
    check_name(name)?;
    let (model, experiment) = paths(name);
    for path in [&model, &experiment] {
        // A dangling link counts too: it would be written through.
        if path.symlink_metadata().is_ok() && !args.force {
            let problem = Problem::new(format!("{} is there already", path.display()));
            return Err(problem
                .help("choose another name, or say `--force` to overwrite it")
                .into());
        }
    }
    let shown = |path: &Path| path.display().to_string();
    let template = Template::new(name, &shown(&model), &shown(&experiment));
    write(&model, &template.model, args.force)?;
    write(&experiment, &template.experiment, args.force)?;
    let (model, experiment) = (shown(&model), shown(&experiment));
    say::print(&format!(
        "{model}: a model of three tiers\n{experiment}: an experiment with it\n\n\
         next:\n  outagelab run {model}\n  outagelab study {experiment}\n"
    ))?;
    Ok(Done::Well)
}

fn check_name(name: &str) -> Result<(), Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && name.len() <= 100 && name.chars().all(is_plain) {
        return Ok(());
    }
    let problem = Problem::new(format!("`{name}` is not a name for a model"));
    Err(problem.help("write letters, digits, `-` and `_`, such as `checkout-outage`"))
}

fn paths(name: &str) -> (PathBuf, PathBuf) {
    let folders = (Path::new("models"), Path::new("experiments"));
    if folders.0.is_dir() && folders.1.is_dir() {
        let file = format!("{name}.yaml");
        (folders.0.join(&file), folders.1.join(&file))
    } else {
        (format!("{name}.yaml").into(), format!("{name}.experiment.yaml").into())
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Problem> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => Problem::new(format!("{} is there already", path.display())),
        _ => Problem::new(format!("{} cannot be written: {error}", path.display())),
    };
    if force {
        return fs::write(path, text).map_err(failed);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
