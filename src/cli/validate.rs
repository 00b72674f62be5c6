//! `validate`: the simulator against theory and against other people's programs.

use super::problems::Refusal;
use super::words::{self, Column};
use super::{Done, Verdict, input, say};
use crate::text::{Name, Problem, Sources, unknown};
use crate::validate::judge::shown;
use crate::validate::page::{Counts, page};
use crate::validate::{
    Case, CaseResult, ExpectedCase, Line, Sampling, Settings, Size, Suite, Verdict as Judgement,
    key, run_case, wanted_files,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Check the simulator against theory and against other people's programs.
///
/// Runs the cases of `experiments/validation`, each an ordinary model with numbers that are known
/// in closed form, from a Markov chain, or from another program, and judges them. About 6 minutes
/// on two cores. Exits with 1 if a case fails.
#[derive(clap::Args)]
pub struct Args {
    /// The cases; all when left out.
    cases: Vec<String>,
    /// A subset with half-widths ten times the asked ones, in under 30 seconds.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Half-widths as asked: the check before a release, about 35 to 45 minutes on two cores.
    #[arg(long)]
    full: bool,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; one for each core when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The folder of the cases and of `expected.json`.
    #[arg(long = "cases", value_name = "DIR", default_value = "experiments/validation")]
    folder: PathBuf,
    /// Keep the result of each case in this file, and do not run again what it has: an interrupted
    /// check goes on where it was. A result is only used if case, model, expected numbers, size,
    /// seed, version and the first replicas are those that it came from.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print one JSON object for each quantity, and no table.
    #[arg(long)]
    json: bool,
    /// Write the page of all cases with what was found.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cases", "quick"])]
    write_docs: Option<PathBuf>,
}

/// Runs the cases and prints what the judge says.
pub fn validate(args: &Args) -> Verdict {
    let suite = suite(args)?;
    let size = match (args.quick, args.full) {
        (true, _) => Size::Quick,
        (_, true) => Size::Full,
        _ => Size::Usual,
    };
    let begun = Instant::now();
    let results = run(args, &suite, size)?;
    let lines = || results.iter().flat_map(|result| &result.lines);
    if !args.json {
        say::print(&table(lines()))?;
    }
    let summary = summary(&results, begun.elapsed());
    // With --json stdout has one object a line and nothing else.
    if args.json {
        say::talk(&summary)
    } else {
        say::print(&format!("\n{summary}"))?
    }
    if let Some(path) = &args.write_docs {
        let text = page(&suite, &results, size, args.seed);
        super::write::whole(path, text.as_bytes()).map_err(|error| {
            Problem::new(format!("{}: it cannot be written: {error}", path.display()))
        })?;
    }
    let failed = lines().any(|line| line.verdict == Judgement::Fail);
    Ok(if failed { Done::ClaimFailed } else { Done::Well })
}

fn suite(args: &Args) -> Result<Suite, Refusal> {
    let mut sources = Sources::default();
    let expected_path = args.folder.join("expected.json");
    let shown = expected_path.display().to_string();
    let text = input::data(&shown).map_err(|why| {
        Refusal::from(
            Problem::new(format!("{shown}: {why}"))
                .help("name the folder of the cases with `--cases`"),
        )
    })?;
    let mut problems = Vec::new();
    let files = files(&mut sources, &args.folder, &args.cases, &mut problems);
    let suite = Suite::read(&mut sources, (&shown, &text), &files, &mut input::data);
    let suite = match suite {
        Ok(suite) if problems.is_empty() => suite,
        suite => {
            problems.extend(suite.err().unwrap_or_default());
            return Err(Refusal::new(problems, sources));
        }
    };
    let ids = || suite.expected.cases.iter().map(|case| case.id.as_str());
    let is_known = |name: &String| ids().any(|id| id.eq_ignore_ascii_case(name));
    let wrong: Vec<&String> = args.cases.iter().filter(|name| !is_known(name)).collect();
    if wrong.is_empty() {
        return Ok(suite);
    }
    let mut problems: Vec<Problem> =
        wrong.iter().map(|name| unknown("case", &Name::nowhere(name.to_string()), ids())).collect();
    let all: Vec<&str> = ids().collect();
    problems.push(Problem::new(format!("the cases are {}", all.join(", "))));
    Err(Refusal::new(problems, sources))
}

/// The wanted case files of a folder, sorted by name, with their texts.
fn files(
    sources: &mut Sources,
    folder: &Path,
    names: &[String],
    problems: &mut Vec<Problem>,
) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| path.display().to_string())
        .collect();
    paths.sort();
    let wanted = wanted_files(paths.into_iter().map(|p| (p, String::new())).collect(), names);
    let mut files = Vec::new();
    for (path, _) in wanted {
        match input::text(sources, Path::new(&path)) {
            Ok(text) => files.push((path, text)),
            Err(problem) => problems.push(problem),
        }
    }
    files
}

fn run(args: &Args, suite: &Suite, size: Size) -> Result<Vec<CaseResult>, Refusal> {
    let chosen = suite.chosen(size, &args.cases);
    let target =
        if args.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(chosen.len() as u64), target);
    let looks = "{bar:30} {pos} of {len} cases, {elapsed}, {msg}";
    if let Ok(style) = ProgressStyle::with_template(looks) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    let mut results = Vec::new();
    let earlier = args.resume.as_deref().map_or(Vec::new(), read_results);
    for (known, case) in chosen {
        bar.set_message(known.id.clone());
        let events = AtomicU64::new(0);
        let progress = |more: u64| {
            let events = events.fetch_add(more, Ordering::Relaxed) + more;
            bar.set_message(format!("{}: {:.1e} events", known.id, events as f64));
        };
        let threads = args.threads.map(usize::from);
        let sampling = Sampling { seed: args.seed, threads, progress: &progress };
        let settings = Settings { size, sampling };
        let result = match &args.resume {
            Some(file) => kept(file, &earlier, known, case, settings)?,
            None => run_case(known, case, settings),
        };
        if args.json {
            for line in &result.lines {
                let line = serde_json::to_string(line);
                let failed = |error| Problem::new(format!("a line cannot be written: {error}"));
                say::print(&(line.map_err(failed)? + "\n"))?;
            }
        }
        results.push(result);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(results)
}

/// The results in a file; lines that are none (the last one, after an interruption) are left out.
fn read_results(path: &Path) -> Vec<CaseResult> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The result of a case, from before or else now; a new one is added to the file.
fn kept(
    path: &Path,
    earlier: &[CaseResult],
    known: &ExpectedCase,
    case: Option<&Case>,
    settings: Settings,
) -> Result<CaseResult, Problem> {
    let key = key(known, case, settings);
    if let Some(found) = earlier.iter().find(|result| result.key == key) {
        return Ok(found.clone());
    }
    let result = CaseResult { key, ..run_case(known, case, settings) };
    let failed = |why: String| Problem::new(format!("{}: {why}", path.display()));
    let line = serde_json::to_string(&result).map_err(|error| failed(error.to_string()))?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .map_err(|error| failed(format!("it cannot be written: {error}")))?;
    Ok(result)
}

const COLUMNS: [Column; 6] = [
    Column::text("case"),
    Column::text("quantity"),
    Column::number("expected"),
    Column::number("found"),
    Column::text("99.9 % interval"),
    Column::text("verdict"),
];

fn table<'l>(lines: impl Iterator<Item = &'l Line>) -> String {
    let row = |line: &Line| {
        let verdict = match &line.reason {
            Some(reason) => format!("{}: {reason}", line.verdict.word()),
            None => line.verdict.word().to_owned(),
        };
        vec![
            line.case.clone(),
            line.quantity.clone(),
            shown(line.expected),
            words::or_none(line.found, shown),
            line.interval(),
            verdict,
        ]
    };
    words::table(&COLUMNS, lines.map(row))
}

fn summary(results: &[CaseResult], took: Duration) -> String {
    let verdicts = results.iter().map(|result| Counts::of(result.lines.iter()).verdict());
    let of = |verdict| verdicts.clone().filter(|found| *found == verdict).count();
    let cases = Counts {
        passed: of(Judgement::Pass),
        failed: of(Judgement::Fail),
        not_comparable: of(Judgement::NotComparable),
    };
    let quantities = Counts::of(results.iter().flat_map(|result| &result.lines));
    let say = |what: &str, counts: Counts| {
        let Counts { passed, failed, not_comparable } = counts;
        let all = passed + failed + not_comparable;
        format!("{all} {what}: {passed} passed, {failed} failed, {not_comparable} not comparable")
    };
    let events: u64 = results.iter().map(|result| result.events).sum();
    let seconds = took.as_secs_f64();
    format!(
        "{}\n{}\n{seconds:.0} s, {:.2e} events, {:.1} million a second\n",
        say("cases", cases),
        say("quantities", quantities),
        events as f64,
        events as f64 / seconds.max(1e-9) / 1e6,
    )
}
