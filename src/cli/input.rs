//! Reading files that a stranger may have named.

use crate::text::{MAX_FILE_BYTES, Mark, Problem, Sources, suggest};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A file of observed values may have this many bytes (64 MiB).
const MAX_DATA_BYTES: usize = 64 << 20;

/// Why a file cannot be used, without its name.
struct Fault {
    why: String,
    help: Option<String>,
}

impl Fault {
    fn new(why: impl Into<String>) -> Fault {
        Fault { why: why.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Fault {
        Fault { help: Some(help.into()), ..self }
    }
}

/// The text of a model or an experiment.
///
/// # Errors
/// It is not there, is a directory, cannot be read, is too long, or is not UTF-8.
pub fn text(sources: &mut Sources, path: &Path) -> Result<String, Problem> {
    let shown = path.display().to_string();
    let bytes = bytes(path, MAX_FILE_BYTES).map_err(|fault| Problem {
        what: format!("{shown}: {}", fault.why),
        help: fault.help,
        mark: None,
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let source = sources.add(&shown, &String::from_utf8_lossy(error.as_bytes()));
        let mark = Mark { source, start: good as u32, end: good as u32 + 1 };
        Problem::new("this is not UTF-8 text").help("save the file as UTF-8").at(mark)
    })
}

/// The text of a file that a model or an experiment names.
///
/// # Errors
/// Why it cannot be used, without its name.
pub fn data(path: &str) -> Result<String, String> {
    let bytes = bytes(Path::new(path), MAX_DATA_BYTES).map_err(|fault| match fault.help {
        Some(help) => format!("{}; {help}", fault.why),
        None => fault.why,
    })?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned())
}

/// Reads what a model names, from the model's own folder.
pub fn beside(model: &Path) -> impl FnMut(&str) -> Result<String, String> {
    let folder = model.parent().map(Path::to_owned).unwrap_or_default();
    move |name| {
        let path = folder.join(name).display().to_string();
        data(&path).map_err(|why| format!("{path}: {why}"))
    }
}

fn bytes(path: &Path, limit: usize) -> Result<Vec<u8>, Fault> {
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(path),
        _ => Fault::new(format!("it cannot be read: {error}")),
    };
    let about = fs::metadata(path).map_err(refused)?;
    if about.is_dir() {
        return Err(Fault::new("a directory, not a file").help(inside(path)));
    }
    let too_long = |length: String| {
        Fault::new(format!("too long: it has {length} bytes, and {limit} are allowed"))
            .help("split it, or remove what does not belong there")
    };
    if about.len() > limit as u64 {
        return Err(too_long(about.len().to_string()));
    }
    // The length of a pipe or a device is not known before it is read.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(refused)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() > limit {
        return Err(too_long(format!("more than {limit}")));
    }
    Ok(bytes)
}

/// There is no such file; perhaps a near name in its folder was meant.
fn missing(path: &Path) -> Fault {
    let fault = Fault::new("there is no such file");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = names(folder);
    let with_ending = format!("{wanted}.yaml");
    let near = names.iter().find(|name| **name == with_ending).map(String::as_str);
    match near.or_else(|| suggest(&wanted, names.iter().map(String::as_str))) {
        Some(near) => {
            fault.help(format!("did you mean `{}`?", path.with_file_name(near).display()))
        }
        None if !folder.is_dir() => {
            fault.help(format!("there is no folder {} either", folder.display()))
        }
        None => fault.help(inside(folder)),
    }
}

/// What one could name in a folder.
fn inside(folder: &Path) -> String {
    const SHOWN: usize = 8;
    let files: Vec<String> =
        names(folder).into_iter().filter(|name| name.ends_with(".yaml")).collect();
    if files.is_empty() {
        return "write the path of a YAML file; `outagelab new NAME` makes one".to_owned();
    }
    let shown: Vec<String> = files.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if files.len() > SHOWN { ", ..." } else { "" };
    format!("write the path of a YAML file; {} has {}{more}", folder.display(), shown.join(", "))
}

/// Names in a folder, sorted; none if it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
