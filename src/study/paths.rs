//! Paths of files as experiments write them, with `/` between folders.

use super::check::ReadFile;

/// Reads a file from a folder, or from the current one.
pub fn find(folder: &str, name: &str, read_file: ReadFile) -> Result<(String, String), String> {
    let beside = without_detours(&format!("{folder}{name}"));
    let first = match read_file(&beside) {
        Ok(text) => return Ok((beside, text)),
        Err(why) => format!("`{beside}`: {why}"),
    };
    if folder.is_empty() || name.starts_with('/') {
        return Err(first);
    }
    match read_file(name) {
        Ok(text) => Ok((name.to_owned(), text)),
        Err(why) => Err(format!("{first}, and `{name}`: {why}")),
    }
}

/// The same path without `.` and without `..` after a folder: `a/../b` is `b`.
fn without_detours(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            (".", _) => {}
            ("..", Some(last)) if !matches!(*last, "" | "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The folder of a path, with its slash; empty for the current one.
pub fn folder(path: &str) -> String {
    path.rfind('/').map_or(String::new(), |slash| path[..=slash].to_owned())
}

/// The name of a file without its folder and its ending.
pub fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_detours_and_nothing_else() {
        for (path, expected) in [
            ("experiments/../models/a.yaml", "models/a.yaml"),
            ("../models/./a.yaml", "../models/a.yaml"),
            ("../../a.yaml", "../../a.yaml"),
            ("/tmp/x/../a.yaml", "/tmp/a.yaml"),
            ("a.yaml", "a.yaml"),
        ] {
            assert_eq!(without_detours(path), expected);
        }
        assert_eq!((folder("a/b.yaml"), folder("b.yaml")), ("a/".to_owned(), String::new()));
        assert_eq!(stem("a/2024-07-10.first.yaml"), "2024-07-10.first");
    }
}
