//! The models that come with the program.

use outagelab::plan::{Plan, load_and_compile};
use outagelab::text::{Sources, plain};
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with one of these endings, in order of their paths.
pub fn below(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable folder").path()) {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if path.is_dir() {
                folders.push(path);
            } else if endings.contains(&ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path of a file as seen from the repository.
pub fn name(path: &Path) -> String {
    let name = path.strip_prefix(root()).expect("a file of the repository");
    name.to_string_lossy().replace('\\', "/")
}

/// The text of a file.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A model that comes with the program, compiled with seed 1.
pub fn model(path: &Path) -> Plan {
    let mut sources = Sources::default();
    let folder = path.parent().expect("a file in a folder");
    let mut beside =
        |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let compiled = load_and_compile(&mut sources, &name(path), &text(path), &[], 1, &mut beside);
    match compiled {
        Ok((_, _, plan)) => plan,
        Err(problems) => panic!("{}", plain(&problems, &sources)),
    }
}
