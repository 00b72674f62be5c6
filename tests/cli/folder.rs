//! A folder of its own for each test, and the program started in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A small model without problems; tests break it.
pub const MODEL: &str = "\
name: a small system
horizon: 10min
clients:
  users:
    users: 100
    visits: {poisson: {rate: 1/s}}
    visit: {requests: 1, thinking: 1s}
    requests: {browse: 80%, buy: 20%}
    calls: api
    timeout: 5s
components:
  api:
    kind: server
    workers: 4
    while_calling: hold
    endpoints:
      browse:
        - work: {exponential: {mean: 100ms}}
        - call: database.query
      buy:
        - call: database.query
  database:
    kind: database
    connections: 5
    endpoints:
      query:
        - work: 20ms
changes:
  slowness: {what: {slow: {component: database, by: 3x}}, at: 2min, lasts: 1min}
response:
  alerts:
    errors: {signal: {ratio: {of: api.errors, to: api.requests}}, above: 10%}
";

/// An experiment with the model, whose claim holds.
pub const EXPERIMENT: &str = "\
question: Does a slow database matter?
model: model.yaml
replicas: {baseline: 8, others: 8}
variants:
  one worker: {set: {components.api.workers: 1}}
expect:
  - {claim: it is no outage, mean: {of: user_outage, below: 5min}}
";

/// A folder.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// With `model.yaml` and `experiment.yaml`.
    pub fn with_files() -> Folder {
        let folder = Folder::new();
        folder.write("model.yaml", MODEL);
        folder.write("experiment.yaml", EXPERIMENT);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// All files below, by their paths with slashes, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.0.path(), "", &mut found);
        found.sort();
        found
    }

    /// The program, not yet started.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outagelab"));
        command.args(args).current_dir(self.0.path());
        command
    }

    /// What the program does.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.program(args).output().unwrap())
    }
}

fn collect(folder: &Path, before: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

/// How a run of the program ended.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        Ran {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    /// All went well; the results.
    pub fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// The input was bad; what was said about it.
    pub fn bad(self) -> String {
        assert_eq!(self.code, Some(2), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}
