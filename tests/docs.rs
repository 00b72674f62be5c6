//! The pages of the documentation say what is true: their commands are run and their output is
//! compared, their YAML is that of the files beside them, and their links lead somewhere.
//!
//! A block fenced as `console` holds commands, each after `$ `, with the output that follows. A
//! line `...` stands for any number of lines, and `...` within a line for any text. A line `? 2`
//! after a command is the exit code that it must have (0 without). A command that ends in `\` goes
//! on in the next line.

#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Folders of pages whose commands are run.
const PAGES: [&str; 2] = ["docs/tutorial", "docs/incidents"];

macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        $(
            #[test]
            fn $test() {
                run_page($page);
            }
        )*

        #[test]
        fn every_page_with_commands_is_tested() {
            let tested = [$($page),*];
            for page in PAGES.iter().flat_map(|folder| files(&Path::new(ROOT).join(folder), "md")) {
                let name = page.strip_prefix(ROOT).unwrap().display().to_string();
                assert!(tested.contains(&name.as_str()), "{name} is not in the list of this test");
            }
        }
    };
}

pages! {
    the_page_about_one_queue_is_true: "docs/tutorial/1-one-queue.md",
    the_page_about_a_retry_storm_is_true: "docs/tutorial/2-retry-storm.md",
    the_page_about_an_incident_is_true: "docs/tutorial/3-an-incident.md",
    the_page_of_5_june_is_true: "docs/incidents/2024-06-05-routing-crash.md",
    the_page_of_20_june_is_true: "docs/incidents/2024-06-20-runaway-client.md",
    the_page_of_10_july_is_true: "docs/incidents/2024-07-10-rate-limiter-leak.md",
    the_page_of_10_august_on_memory_is_true: "docs/incidents/2024-08-10-memory-leak.md",
    the_page_of_the_bulk_endpoint_is_true: "docs/incidents/2024-08-10-bulk-endpoint.md",
}

/// One command of a page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    /// Line of the page, from 1.
    line: usize,
    words: Vec<String>,
    exit: i32,
    output: Vec<String>,
}

/// Runs the commands of a page one after the other, in a copy of the files that they may name.
fn run_page(page: &str) {
    let blesses = std::env::var_os("OUTAGELAB_BLESS").is_some();
    let mut text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in ["models", "experiments"].iter().chain(&PAGES) {
        copy(&Path::new(ROOT).join(part), &folder.path().join(part));
    }
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{page} has no commands");
    for step in steps {
        let place = format!("{page}:{}: `{}`", step.line, step.words.join(" "));
        let (program, arguments) = step.words.split_first().expect("a command has a word");
        assert_eq!(program, "outagelab", "{place}: only `outagelab` can be run here");
        let done = Command::new(env!("CARGO_BIN_EXE_outagelab"))
            .args(arguments)
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&done.stderr);
        let mut said = String::from_utf8_lossy(&done.stdout).into_owned();
        if step.exit != 0 {
            said.push_str(&talk);
        }
        assert_eq!(done.status.code(), Some(step.exit), "{place}: exit code\n{said}\n{talk}");
        // The program keeps numbers and units together; pages are typed with plain blanks.
        let said = said.replace('\u{a0}', " ");
        let said: Vec<&str> = said.lines().map(str::trim_end).collect();
        let expected: Vec<&str> = step.output.iter().map(String::as_str).collect();
        if blesses {
            text = text.replacen(&expected.join("\n"), &blessed(&expected, &said).join("\n"), 1);
            continue;
        }
        assert!(
            lines_match(&expected, &said),
            "{place}: the page says\n\n{}\n\nbut the program says\n\n{}\n",
            expected.join("\n"),
            said.join("\n")
        );
    }
    if blesses {
        fs::write(Path::new(ROOT).join(page), text).unwrap();
    }
}

/// The lines that a page should have: each of its lines becomes the line of the output that is most
/// like it. Lines with `...` elsewhere than at their ends stay as they are.
fn blessed(expected: &[&str], said: &[&str]) -> Vec<String> {
    let mut next = 0;
    let bless = |line: &&str| {
        let (start, end) = line.strip_suffix("...").map_or((*line, ""), |start| (start, "..."));
        if start.is_empty() || start.contains("...") {
            return (*line).to_owned();
        }
        // Of a line that is cut short, the same number of letters.
        let length = if end.is_empty() { usize::MAX } else { start.chars().count() };
        let alike = |other: &str| {
            let other: String = other.chars().take(length).collect();
            (strsim::normalized_levenshtein(start, &other), other)
        };
        let candidates = said.iter().enumerate().skip(next).map(|(i, other)| (i, alike(other)));
        // The first one of those that are most alike.
        let best = candidates.reduce(|best, other| if other.1.0 > best.1.0 { other } else { best });
        match best {
            Some((i, (likeness, found))) if likeness > 0.5 => {
                next = i + 1;
                found + end
            }
            _ => (*line).to_owned(),
        }
    };
    expected.iter().map(bless).collect()
}

/// The commands in the `console` blocks of a page.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut inside = false;
    while let Some((number, line)) = lines.next() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            let mut command = command.to_owned();
            while let Some(head) = command.strip_suffix('\\') {
                let next = lines.next().map_or("", |(_, line)| line.trim());
                command = format!("{head}{next}");
            }
            steps.push(Step { line: number + 1, words: words(&command), ..Step::default() });
        } else if inside && let Some(step) = steps.last_mut() {
            match line.strip_prefix("? ") {
                Some(code) if step.output.is_empty() => step.exit = code.parse().unwrap(),
                _ => step.output.push(line.trim_end().to_owned()),
            }
        }
    }
    steps
}

/// The words of a command as a shell splits them: at blanks, but not within quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ' ' => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the lines are those expected, where a line `...` stands for any number of them.
fn lines_match(expected: &[&str], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((&"...", rest)) => (0..=said.len()).any(|skip| lines_match(rest, &said[skip..])),
        Some((line, rest)) => said
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

/// Whether a line is the one expected, where `...` stands for any text.
fn line_matches(expected: &str, said: &str) -> bool {
    match expected.split_once("...") {
        None => expected == said,
        Some((head, tail)) => said.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| line_matches(tail, &rest[at..]))
        }),
    }
}

#[test]
fn yaml_on_a_page_is_that_of_a_file() {
    let mut known: Vec<Vec<String>> = Vec::new();
    for folder in ["docs/tutorial", "models", "experiments"] {
        for file in files(&Path::new(ROOT).join(folder), "yaml") {
            known.push(trimmed(&fs::read_to_string(file).unwrap()));
        }
    }
    for page in PAGES.iter().flat_map(|folder| files(&Path::new(ROOT).join(folder), "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("```yaml\n").skip(1) {
            let block = trimmed(block.split("```").next().unwrap());
            let is_there = |file: &Vec<String>| file.windows(block.len()).any(|w| w == block);
            assert!(known.iter().any(is_there), "{}: no file has\n{block:#?}", page.display());
        }
    }
}

fn trimmed(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_readme_has_exactly_two_set_up_commands() {
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let section = text.split("\n## Set up\n").nth(1).expect("a section `Set up`");
    let section = section.split("\n## ").next().unwrap();
    let commands: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let main_job = "cargo run --release -- study experiments/2024-07-10-rate-limiter-leak.yaml";
    assert_eq!(commands, [main_job, "cargo test"]);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = files(Path::new(ROOT), "md");
    pages.extend(files(&Path::new(ROOT).join("docs"), "md"));
    pages.extend(PAGES.iter().flat_map(|folder| files(&Path::new(ROOT).join(folder), "md")));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = page.parent().unwrap().join(target);
            assert!(file.exists(), "{} links to {target}, which is not there", page.display());
        }
    }
}

#[test]
fn patterns_match_what_they_say() {
    assert!(line_matches("a ... c", "a b c") && line_matches("...", ""));
    assert!(!line_matches("a ... c", "a b d") && !line_matches("a", "ab"));
    assert!(lines_match(&["...", "b", "..."], &["a", "b", "c"]) && lines_match(&["..."], &[]));
    assert!(!lines_match(&["b", "..."], &["a", "b"]) && !lines_match(&["a"], &["a", "b"]));
    let page = "text\n```console\n$ outagelab run 'a b' \\\n    --seed 2\n? 2\none\n```\n$ no\n";
    let step = Step {
        line: 3,
        words: ["outagelab", "run", "a b", "--seed", "2"].map(str::to_owned).to_vec(),
        exit: 2,
        output: vec!["one".to_owned()],
    };
    assert_eq!(steps(page), [step]);
    let said = ["title", "a   12 ms", "b   13 ms  more"];
    assert_eq!(
        blessed(&["...", "a   10 ms", "b   10 ms..."], &said),
        ["...", said[1], "b   13 ms..."]
    );
}

/// The files with an extension that lie directly in a folder, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

/// Copies a folder with all that is in it; one that is not there is nothing to copy.
fn copy(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
