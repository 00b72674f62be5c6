//! Writing results so that nobody ever finds a half-written file.
//!
//! All files of a study are written under temporary names in their own folders, and renamed
//! together when all are there. An interruption waits while that happens: afterwards either all
//! files are new or none is.

use super::say;
use crate::text::Problem;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

/// The exit code of a program that was interrupted: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// A folder for the results of one study.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Folders that were not there before, the outermost first.
    made: Vec<PathBuf>,
    /// Held while files are written.
    writing: Mutex<()>,
    is_written: AtomicBool,
}

/// A file to be written: its path inside the folder, and its bytes.
pub type Output = (String, Vec<u8>);

impl Folder {
    /// Makes the folder, if it is not there, and tries whether files can be written in it.
    ///
    /// # Errors
    /// It cannot be made, or nothing can be written in it.
    pub fn open(path: &Path) -> Result<Folder, Problem> {
        let mut made: Vec<PathBuf> = path
            .ancestors()
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|folder| folder.symlink_metadata().is_err())
            .map(Path::to_owned)
            .collect();
        made.reverse();
        let (writing, is_written) = (Mutex::new(()), AtomicBool::new(false));
        let folder = Folder { path: path.to_owned(), made, writing, is_written };
        let tried = fs::create_dir_all(path).and_then(|()| temporary(path).map(drop));
        tried.map_err(|error| {
            folder.give_up();
            Problem::new(format!("{}: nothing can be written there: {error}", path.display()))
                .help("name another folder with `--out`")
        })?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all files, or none; `gone` are files of an earlier study that this one has not.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, files: &[Output], gone: &[String]) -> Result<(), Problem> {
        let _writing = self.lock();
        let mut staged = Vec::new();
        for (name, bytes) in files {
            let path = self.path.join(name);
            staged.push((stage(&path, bytes).map_err(|error| failed(&path, &error))?, path));
        }
        for (file, path) in staged {
            file.persist(&path).map_err(|error| failed(&path, &error.error))?;
        }
        for name in gone {
            // What is not there need not be removed.
            let _ = fs::remove_file(self.path.join(name));
        }
        self.is_written.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Removes the folders that were made, as far as they are empty.
    pub fn give_up(&self) {
        for folder in self.made.iter().rev() {
            // Not empty, or never made: it stays as it is.
            let _ = fs::remove_dir(folder);
        }
    }

    /// What is there if the program ends now.
    fn kept(&self) -> String {
        let path = self.path.display();
        if self.is_written.load(Ordering::SeqCst) {
            format!("interrupted; all results are in {path}")
        } else if self.made.is_empty() {
            format!("interrupted; nothing was written, and what was in {path} is as before")
        } else {
            "interrupted; nothing was written".to_owned()
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // Nothing is left half done by a panic: temporary files remove themselves.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an interruption (Ctrl-C, or a request to end) leave whole files, and say which.
pub fn leave_whole_files_on_interrupt(folder: &Arc<Folder>) {
    let folder = Arc::clone(folder);
    let handler = move || {
        let _writing = folder.lock();
        say::talk(&format!("\n{}\n", folder.kept()));
        if !folder.is_written.load(Ordering::SeqCst) {
            folder.give_up();
        }
        std::process::exit(INTERRUPTED);
    };
    // Without a handler an interruption can leave a temporary file, no more.
    let _ = ctrlc::set_handler(handler);
}

/// Writes one file, whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    stage(path, bytes)?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn stage(path: &Path, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = temporary(folder)?;
    file.write_all(bytes)?;
    file.flush()?;
    Ok(file)
}

/// A temporary file that, once renamed, has the permissions of any other new file.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".outagelab-");
    #[cfg(unix)]
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(all);
    builder.tempfile_in(folder)
}

fn failed(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(format!("{}: it cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_written_together_and_leave_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(&root.path().join("output/x")).unwrap();
        assert!(names(folder.path()).is_empty());
        let files = [("a.txt".to_owned(), b"a".to_vec()), ("figures/b.svg".to_owned(), vec![])];
        folder.write(&files, &["c.txt".to_owned()]).unwrap();
        assert_eq!(names(folder.path()), ["a.txt", "figures"]);
        assert_eq!(names(&folder.path().join("figures")), ["b.svg"]);
        assert!(folder.kept().contains("all results"));
    }

    #[test]
    fn after_a_failure_the_old_files_are_as_before() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.txt"), "old").unwrap();
        let folder = Folder::open(root.path()).unwrap();
        // The second file would have to stand below a regular file.
        let files = [("a.txt".to_owned(), b"new".to_vec()), ("a.txt/b".to_owned(), vec![])];
        assert!(folder.write(&files, &[]).is_err());
        assert_eq!(fs::read_to_string(root.path().join("a.txt")).unwrap(), "old");
        assert_eq!(names(root.path()), ["a.txt"]);
        assert!(folder.kept().contains("as before"));
    }

    #[test]
    fn a_folder_that_stays_empty_is_removed_and_no_other() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(&root.path().join("a/b")).unwrap();
        folder.give_up();
        assert!(names(root.path()).is_empty());
        assert!(root.path().exists());
    }

    #[test]
    fn a_folder_below_a_file_is_refused_and_nothing_is_made() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let problem = Folder::open(&root.path().join("file/out")).unwrap_err();
        assert!(problem.what.contains("file/out") && problem.help.is_some());
        assert_eq!(names(root.path()), ["file"]);
    }
}
